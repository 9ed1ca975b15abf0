//! Semgrep (seen in 1.185).
//!
//! - Columns count UTF-8 bytes; the run does not say so.
//! - Without a login every result has the same fingerprint, the words `requires login`.
//! - The short description of every rule is `Semgrep Finding: ` and its id.
//! - The inserted content of a fix is its whole lines, while the deleted region is only the match in them.

use conclave_core::finding::{ColumnKind, Region};

use super::Dialect;

pub(super) struct Semgrep;

impl Dialect for Semgrep {
    fn speaks(&self, tool: &str) -> bool {
        tool.get(..7).is_some_and(|start| start.eq_ignore_ascii_case("semgrep"))
    }

    fn column_kind(&self) -> ColumnKind {
        ColumnKind::Byte
    }

    fn deleted_region(&self, region: Region) -> Region {
        Region { start_column: None, end_column: None, ..region }
    }

    fn is_fingerprint(&self, value: &str) -> bool {
        !value.is_empty() && value != "requires login"
    }

    fn is_filler(&self, description: &str) -> bool {
        description.starts_with("Semgrep Finding: ")
    }
}
