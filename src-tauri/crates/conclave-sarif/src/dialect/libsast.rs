//! mobsfscan and nodejsscan, which share the library libsast.
//!
//! - All matches of a rule are one result; each of its locations is a finding of its own.

use super::Dialect;

pub(super) struct Libsast;

impl Dialect for Libsast {
    fn speaks(&self, tool: &str) -> bool {
        ["mobsfscan", "nodejsscan", "njsscan"].iter().any(|name| tool.eq_ignore_ascii_case(name))
    }

    fn each_location_is_a_finding(&self) -> bool {
        true
    }
}
