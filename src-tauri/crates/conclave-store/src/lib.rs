//! Conclave's own SQLite files.
