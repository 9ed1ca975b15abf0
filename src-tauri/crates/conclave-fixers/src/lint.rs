//! What a fix does that a person should look at, seen in its text alone.

use conclave_core::path::RelPath;

/// One file that a fix changes, as text before and after.
#[derive(Clone, Copy, Debug)]
pub struct Change<'a> {
    /// The file.
    pub path: &'a RelPath,
    /// Its text before the fix.
    pub before: &'a str,
    /// Its text after the fix.
    pub after: &'a str,
}
