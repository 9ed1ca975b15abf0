//! Shows what a patch changes, line by line; derived from the edits, never stored.

use conclave_core::language::Language;
use conclave_core::patch::FilePatch;
use similar::{ChangeTag, TextDiff};

use crate::view::{DiffLine, DiffPiece, FileDiff, Hunk, LineKind};

/// Lines shown around a change.
const AROUND: usize = 3;

/// The change of `file` against `before`; `None` where the edits do not fit it.
pub(crate) fn file_diff(file: &FilePatch, before: &[u8]) -> Option<FileDiff> {
    let after = file.apply(before).ok()?;
    let (old, new) = (String::from_utf8_lossy(before), String::from_utf8_lossy(&after));
    let diff = TextDiff::from_lines(old.as_ref(), new.as_ref());
    let (mut added, mut removed) = (0, 0);
    let mut hunks = Vec::new();
    for group in diff.grouped_ops(AROUND) {
        let mut lines = Vec::new();
        for op in &group {
            for change in diff.iter_inline_changes(op) {
                let kind = match change.tag() {
                    ChangeTag::Equal => LineKind::Same,
                    ChangeTag::Insert => LineKind::Added,
                    ChangeTag::Delete => LineKind::Removed,
                };
                added += u32::from(kind == LineKind::Added);
                removed += u32::from(kind == LineKind::Removed);
                let number = |index: Option<usize>| index.and_then(|n| u32::try_from(n + 1).ok());
                let pieces = change
                    .iter_strings_lossy()
                    .map(|(changed, text)| DiffPiece { text: text.trim_end_matches(['\n', '\r']).to_owned(), changed });
                lines.push(DiffLine {
                    kind,
                    old: number(change.old_index()),
                    new: number(change.new_index()),
                    pieces: pieces.filter(|piece| !piece.text.is_empty()).collect(),
                });
            }
        }
        hunks.push(Hunk { lines });
    }
    let language = Language::of_path(&file.path).map(|l| l.label().to_owned());
    Some(FileDiff { path: file.path.to_string(), language, added, removed, hunks })
}

#[cfg(test)]
mod tests {
    use super::*;
    use conclave_core::path::RelPath;

    #[test]
    fn a_changed_word_is_marked_and_lines_are_numbered() {
        let before = "a\nb\nc\nd\ne = load(x)\nf\n";
        let after = before.replace("load(x)", "safe_load(x)");
        let file = FilePatch::between(RelPath::new("a.py").expect("a path"), before, &after);
        let diff = file_diff(&file, before.as_bytes()).expect("the edits fit");
        assert_eq!((diff.added, diff.removed, diff.hunks.len()), (1, 1, 1));
        let lines = &diff.hunks[0].lines;
        let numbers: Vec<_> = lines.iter().map(|line| (line.old, line.new)).collect();
        assert_eq!(numbers[0], (Some(2), Some(2)));
        assert!(numbers.contains(&(Some(5), None)) && numbers.contains(&(None, Some(5))));
        let added = lines.iter().find(|line| line.kind == LineKind::Added).expect("an added line");
        let marked: String =
            added.pieces.iter().filter(|piece| piece.changed).map(|piece| piece.text.as_str()).collect();
        assert!(marked.contains("safe_load") && !marked.contains('e') || marked.starts_with("safe"), "{marked}");
    }
}
