//! What single scanners write differently from the standard, one file each.
//!
//! A quirk is here only if it was seen in a real log or is documented by the tool; a sample log shows it.

mod bandit;
mod libsast;
mod ruff;
mod semgrep;

use conclave_core::finding::{ColumnKind, Region};

/// How one tool deviates; every method's default is the standard.
pub(crate) trait Dialect: Sync {
    /// Whether the tool whose driver has the name `tool` writes this dialect.
    fn speaks(&self, tool: &str) -> bool;

    /// What columns count when the run does not say.
    fn column_kind(&self) -> ColumnKind {
        ColumnKind::Utf16
    }

    /// The range that is meant by the range of a location.
    fn region(&self, region: Region) -> Region {
        region
    }

    /// The range that is meant by the `deletedRegion` of a replacement.
    fn deleted_region(&self, region: Region) -> Region {
        region
    }

    /// Whether each of several locations of a result is a finding of its own, instead of a part of one.
    fn each_location_is_a_finding(&self) -> bool {
        false
    }

    /// Whether `value` identifies something, and is not a filler.
    fn is_fingerprint(&self, value: &str) -> bool {
        !value.is_empty()
    }

    /// Whether the short description of a rule says nothing of it.
    fn is_filler(&self, description: &str) -> bool {
        let _ = description;
        false
    }

    /// Whether a result of `rule` says that a file could not be read, instead of what is wrong in it.
    fn means_unread(&self, rule: &str) -> bool {
        let _ = rule;
        false
    }

    /// The files that the tool looked at, by the run's `properties` as JSON; `None` when they do not say.
    fn analysed(&self, properties: &str) -> Option<Vec<String>> {
        let _ = properties;
        None
    }
}

/// The standard as it is.
struct Standard;

impl Dialect for Standard {
    fn speaks(&self, _: &str) -> bool {
        true
    }
}

/// THE list; the first that speaks for a tool is taken.
static DIALECTS: [&dyn Dialect; 5] = [&bandit::Bandit, &libsast::Libsast, &ruff::Ruff, &semgrep::Semgrep, &Standard];

/// The dialect of the tool whose driver has the name `tool`.
pub(crate) fn of_tool(tool: &str) -> &'static dyn Dialect {
    DIALECTS.into_iter().find(|dialect| dialect.speaks(tool)).unwrap_or(&Standard)
}
