//! Conclave as a whole, from the outside.
