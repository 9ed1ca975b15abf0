//! Ruff, the linter for Python (seen in 0.17.6).
//!
//! - Columns count code points; the run does not say so.
//! - A file that does not parse is a result of the rule `invalid-syntax`, and no other rule looked at it.

use conclave_core::finding::ColumnKind;

use super::Dialect;

pub(super) struct Ruff;

impl Dialect for Ruff {
    fn speaks(&self, tool: &str) -> bool {
        tool.eq_ignore_ascii_case("ruff")
    }

    fn column_kind(&self) -> ColumnKind {
        ColumnKind::Unicode
    }

    fn means_unread(&self, rule: &str) -> bool {
        rule == "invalid-syntax"
    }
}
