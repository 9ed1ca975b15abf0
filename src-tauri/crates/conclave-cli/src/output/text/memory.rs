//! What is remembered, written to a file and taken in from one.

use std::fmt::Write as _;

use conclave_api::view::{MemoryExported, MemoryImported};

use super::{clean, plural};

/// Most complaints that are listed.
const MOST: usize = 20;

pub(in crate::output) fn memory_exported(view: &MemoryExported) -> String {
    format!("Wrote {} to {}.\n", plural(count(view.lines), "line", "lines"), clean(&view.path))
}

pub(in crate::output) fn memory_imported(view: &MemoryImported) -> String {
    if view.complaints.is_empty() {
        return format!(
            "Remembered: {}, {} and {} that were not there.\n",
            plural(count(view.entities), "entity", "entities"),
            plural(count(view.observations), "observation of others", "observations of others"),
            plural(count(view.relations), "relation", "relations"),
        );
    }
    let mut out =
        format!("Nothing was taken in: {} cannot be remembered.\n", plural(view.complaints.len(), "line", "lines"));
    for complaint in view.complaints.iter().take(MOST) {
        let _ = writeln!(out, "  line {}: {}", complaint.line, clean(&complaint.why));
    }
    if let Some(rest) = view.complaints.len().checked_sub(MOST).filter(|rest| *rest > 0) {
        let _ = writeln!(out, "  and {rest} more");
    }
    out
}

fn count(lines: u64) -> usize {
    usize::try_from(lines).unwrap_or(usize::MAX)
}
