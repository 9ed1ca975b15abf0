//! Where the lines of a file stand after a fix, and whether a report went away at its own place.
//!
//! A total that fell is not enough: a fix of another place with the same rule lowers it too.

use std::ops::Range;

use conclave_core::patch::Edit;

/// The edited lines of one file, before and after, in order; lines count from 1, ends are exclusive.
pub(super) struct Moved {
    spans: Vec<(Range<u32>, Range<u32>)>,
}

impl Moved {
    /// The lines that `edits` of `before` touch.
    pub(super) fn of(before: &str, edits: &[Edit]) -> Self {
        let mut sorted: Vec<&Edit> = edits.iter().collect();
        sorted.sort();
        let mut shift = 0i64;
        let mut spans = Vec::with_capacity(sorted.len());
        for edit in sorted {
            let Some((start, end, text)) = trimmed(before, edit) else { continue };
            let line = |at: usize| 1 + newlines(&before[..at]);
            let opens_line = |at: usize| before[..at].is_empty() || before[..at].ends_with('\n');
            let whole_lines = opens_line(start) && opens_line(end) && (text.is_empty() || text.ends_with('\n'));
            let first = line(start);
            let last = if whole_lines { line(end) } else { line(end).saturating_add(1) };
            let grown = i64::from(newlines(text)) - i64::from(newlines(&before[start..end]));
            spans.push((first..last, add(first, shift)..add(last, shift + grown)));
            shift += grown;
        }
        Self { spans }
    }

    /// Where `lines` stand afterwards; where an edit touches their first or last line, all that the edit wrote belongs
    /// to them.
    fn after(&self, lines: &Range<u32>) -> Range<u32> {
        let last = lines.end.saturating_sub(1);
        let start = self.spans.iter().find(|(before, _)| before.contains(&lines.start));
        let end = self.spans.iter().rfind(|(before, _)| before.contains(&last));
        let start = start.map_or_else(|| self.shifted(lines.start), |(_, after)| after.start);
        let end = end.map_or_else(|| self.shifted(last).saturating_add(1), |(_, after)| after.end);
        start..end
    }

    fn shifted(&self, line: u32) -> u32 {
        let above = self.spans.iter().rfind(|(before, _)| before.end <= line);
        above.map_or(line, |(before, after)| add(line, i64::from(after.end) - i64::from(before.end)))
    }

    /// Whether the report at `lines` is gone, and none of its kind came with the edits.
    ///
    /// `before` and `after` are the first lines of all reports of that kind in the file. Where several stood on `lines`
    /// one of them has to be gone: a line does not tell them apart.
    pub(super) fn gone(&self, lines: &Range<u32>, before: &[u32], after: &[u32]) -> bool {
        let count = |reports: &[u32], lines: &Range<u32>| reports.iter().filter(|line| lines.contains(line)).count();
        let left = count(after, &self.after(lines));
        let here = match count(before, lines) {
            0 | 1 => left == 0,
            several => left < several,
        };
        let moved_here = self.spans.iter().any(|(old, new)| count(after, new) > count(before, old));
        here && !moved_here && after.len() < before.len()
    }
}

/// What `edit` really changes: its common start and end with what stood there are left out; `None` for nothing.
fn trimmed<'e>(before: &str, edit: &'e Edit) -> Option<(usize, usize, &'e str)> {
    let old = before.get(edit.start..edit.end)?;
    let text = edit.text.as_str();
    let head: usize = old.chars().zip(text.chars()).take_while(|(a, b)| a == b).map(|(a, _)| a.len_utf8()).sum();
    let (old_rest, new_rest) = (&old[head..], &text[head..]);
    let both_reversed = old_rest.chars().rev().zip(new_rest.chars().rev());
    let tail: usize = both_reversed.take_while(|(a, b)| a == b).map(|(a, _)| a.len_utf8()).sum();
    let text = &new_rest[..new_rest.len() - tail];
    let (start, end) = (edit.start + head, edit.end - tail);
    (start < end || !text.is_empty()).then_some((start, end, text))
}

fn newlines(text: &str) -> u32 {
    u32::try_from(text.bytes().filter(|byte| *byte == b'\n').count()).unwrap_or(u32::MAX)
}

fn add(line: u32, shift: i64) -> u32 {
    u32::try_from(i64::from(line) + shift).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edit(before: &str, old: &str, new: &str) -> Edit {
        let start = before.find(old).expect("the text stands there");
        Edit { start, end: start + old.len(), text: new.to_owned() }
    }

    const TEXT: &str = "a\nb\nc\nd\ne\nf\n";

    #[test]
    fn lines_move_with_the_edits_above_them() {
        let import = || edit(TEXT, "a\n", "import x\na\n");
        for (edits, lines, after) in [
            (vec![], 3..4, 3..4),
            (vec![import()], 1..2, 2..3),
            (vec![import()], 3..5, 4..6),
            (vec![edit(TEXT, "f\n", "f\ng\n")], 3..4, 3..4),
            (vec![edit(TEXT, "c", "c1\nc2")], 3..4, 3..5),
            (vec![edit(TEXT, "c", "c1\nc2")], 4..5, 5..6),
            (vec![edit(TEXT, "b\nc\nd", "x")], 3..4, 2..3),
            (vec![edit(TEXT, "b\nc\nd", "x")], 5..6, 3..4),
            (vec![edit(TEXT, "b\nc\n", "")], 3..4, 2..2),
            (vec![edit(TEXT, "b\nc\nd", "b\nx\nd")], 4..5, 4..5),
            (vec![edit(TEXT, "b\nc\nd", "b\nx\ny\nd")], 3..4, 3..5),
            (vec![edit(TEXT, "e", "e1\ne2"), import()], 5..6, 6..8),
        ] {
            assert_eq!(Moved::of(TEXT, &edits).after(&lines), after, "{edits:?} {lines:?}");
        }
    }

    #[test]
    fn a_report_is_gone_only_where_it_stood() {
        for (edits, before, after, gone) in [
            (vec![edit(TEXT, "c", "x")], vec![3], vec![], true),
            (vec![edit(TEXT, "c", "x")], vec![3, 5], vec![5], true),
            (vec![edit(TEXT, "e", "x")], vec![3, 5], vec![3], false),
            (vec![edit(TEXT, "a", "i\na"), edit(TEXT, "e", "x")], vec![3, 5], vec![4], false),
            (vec![edit(TEXT, "a", "i\na"), edit(TEXT, "c", "x")], vec![3, 4], vec![5], true),
            (vec![edit(TEXT, "c\n", ""), edit(TEXT, "e", "x\nc")], vec![3, 6], vec![5], false),
            (vec![edit(TEXT, "c", "x\ny")], vec![3, 5], vec![4], false),
            (vec![edit(TEXT, "c", "x")], vec![3, 3], vec![3], true),
            (vec![edit(TEXT, "c", "x")], vec![3, 3], vec![3, 3], false),
        ] {
            assert_eq!(Moved::of(TEXT, &edits).gone(&(3..4), &before, &after), gone, "{edits:?} {before:?} {after:?}");
        }
    }
}
