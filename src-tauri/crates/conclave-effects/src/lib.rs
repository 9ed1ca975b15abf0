//! The only door to the outside: each effect behind a permit.
