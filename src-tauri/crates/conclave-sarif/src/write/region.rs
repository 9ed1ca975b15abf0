//! Byte ranges as SARIF regions.

use conclave_core::patch::Edit;
use serde_json::{Value, json};

/// A text with the starts of its lines.
pub(super) struct Lines<'a> {
    text: &'a str,
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        let after = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(index, _)| index + 1);
        Self { text, starts: std::iter::once(0).chain(after).collect() }
    }

    /// The region of the bytes `start..end`, which lie in the text at character boundaries.
    pub(super) fn region(&self, start: usize, end: usize) -> Value {
        let ((start_line, start_column), (end_line, end_column)) = (self.position(start), self.position(end));
        json!({ "startLine": start_line, "startColumn": start_column, "endLine": end_line, "endColumn": end_column })
    }

    /// `edit` as a replacement; `None` when it is not inside the text.
    ///
    /// There is no column between the two halves of a CRLF, so an edit that begins or ends there takes in the whole.
    pub(super) fn replacement(&self, edit: &Edit) -> Option<Value> {
        let (mut start, mut end, mut text) = (edit.start, edit.end, edit.text.clone());
        self.text.get(start..end)?;
        if self.splits_line_end(start) {
            start -= 1;
            text.insert(0, '\r');
        }
        if self.splits_line_end(end) {
            // An insertion between the halves was moved before both; its end follows.
            end += 1;
            text.push('\n');
        }
        Some(json!({ "deletedRegion": self.region(start, end), "insertedContent": { "text": text } }))
    }

    fn splits_line_end(&self, at: usize) -> bool {
        self.text[..at].ends_with('\r') && self.text[at..].starts_with('\n')
    }

    /// Line and column of the byte `at`, both from 1.
    fn position(&self, at: usize) -> (usize, usize) {
        let line = self.starts.partition_point(|start| *start <= at);
        let before = &self.text[self.starts[line - 1]..at];
        let before = if line == 1 { before.strip_prefix('\u{FEFF}').unwrap_or(before) } else { before };
        (line, before.encode_utf16().count() + 1)
    }
}
