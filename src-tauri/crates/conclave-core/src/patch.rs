//! Byte-exact edits against a known text.
//!
//! Invariant: a patch says which bytes it was written against (`base`); nothing here ever applies it to others.
//! Diffs are derived for people and never stored.

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::path::RelPath;

/// One replacement of the bytes `start..end` by `text`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Edit {
    /// First byte replaced.
    pub start: usize,
    /// Byte after the last one replaced; equal to `start` for an insertion.
    pub end: usize,
    /// What stands there afterwards.
    pub text: String,
}

/// All edits of one existing file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FilePatch {
    /// The file.
    pub path: RelPath,
    /// The digest of the bytes that the edits were written against.
    pub base: Digest,
    /// In order, not overlapping.
    pub edits: Vec<Edit>,
}

/// Edits of one or more files, each file once, sorted by path.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Patch {
    /// The files.
    pub files: Vec<FilePatch>,
}

/// Why edits do not fit a text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatchError {
    /// The text is not the one that the edits were written against.
    #[error("`{0}` is not the text that the fix was written against")]
    Base(RelPath),
    /// An edit ends before it starts or after the text does.
    #[error("an edit reaches outside `{0}`")]
    Range(RelPath),
    /// Two edits replace the same bytes, or insert at the same place.
    #[error("two edits of `{0}` overlap")]
    Overlap(RelPath),
}

impl FilePatch {
    /// The edits that turn `before` into `after` in one piece: the common start and end stay untouched.
    ///
    /// The piece is cut at character boundaries. `edits` is empty when the texts are equal.
    pub fn between(path: RelPath, before: &str, after: &str) -> Self {
        let base = Digest::of(before.as_bytes());
        if before == after {
            return Self { path, base, edits: Vec::new() };
        }
        let start = before
            .char_indices()
            .zip(after.chars())
            .find(|((_, a), b)| a != b)
            .map_or(before.len().min(after.len()), |((index, _), _)| index);
        let tail: usize = before[start..]
            .chars()
            .rev()
            .zip(after[start..].chars().rev())
            .take_while(|(a, b)| a == b)
            .map(|(a, _)| a.len_utf8())
            .sum();
        let edit = Edit { start, end: before.len() - tail, text: after[start..after.len() - tail].to_owned() };
        Self { path, base, edits: vec![edit] }
    }

    /// The bytes after the edits.
    ///
    /// # Errors
    /// See [`PatchError`]; `before` is returned to nobody changed.
    pub fn apply(&self, before: &[u8]) -> Result<Vec<u8>, PatchError> {
        if Digest::of(before) != self.base {
            return Err(PatchError::Base(self.path.clone()));
        }
        splice(before, &self.edits).map_err(|fault| match fault {
            SpliceError::Range => PatchError::Range(self.path.clone()),
            SpliceError::Overlap => PatchError::Overlap(self.path.clone()),
        })
    }
}

impl Patch {
    /// Whether it changes the file at `path`.
    pub fn touches(&self, path: &RelPath) -> bool {
        self.files.iter().any(|file| file.path == *path)
    }

    /// A patch of `files`, sorted by path; files without edits are dropped.
    pub fn new(mut files: Vec<FilePatch>) -> Self {
        files.retain(|file| !file.edits.is_empty());
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Self { files }
    }

    /// Whether it changes nothing.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// A digest over paths, bases and edits: equal patches have equal digests.
    pub fn digest(&self) -> Digest {
        let mut parts = Vec::new();
        for file in &self.files {
            parts.push(file.path.as_str().to_owned());
            parts.push(file.base.to_string());
            for edit in &file.edits {
                parts.extend([edit.start.to_string(), edit.end.to_string(), edit.text.clone()]);
            }
        }
        Digest::of_parts(parts.iter().map(String::as_str))
    }
}

/// Why [`splice`] refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpliceError {
    /// Outside the text.
    Range,
    /// Two edits meet.
    Overlap,
}

/// `before` with `edits` carried out, in any order of the list.
///
/// # Errors
/// Edits that leave the text, overlap, or insert twice at one place (their order would be a guess).
pub fn splice(before: &[u8], edits: &[Edit]) -> Result<Vec<u8>, SpliceError> {
    let mut sorted: Vec<&Edit> = edits.iter().collect();
    sorted.sort();
    let mut after = Vec::with_capacity(before.len());
    let mut position = 0;
    let mut previous: Option<&Edit> = None;
    for edit in sorted {
        if edit.end < edit.start || edit.end > before.len() {
            return Err(SpliceError::Range);
        }
        let twice = previous.is_some_and(|p| p.start == edit.start);
        if edit.start < position || twice {
            return Err(SpliceError::Overlap);
        }
        after.extend_from_slice(&before[position..edit.start]);
        after.extend_from_slice(edit.text.as_bytes());
        position = edit.end;
        previous = Some(edit);
    }
    after.extend_from_slice(&before[position..]);
    Ok(after)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn path() -> RelPath {
        RelPath::new("a.py").expect("a path")
    }

    #[test]
    fn edits_that_meet_or_leave_the_text_are_refused() {
        let edit = |start, end, text: &str| Edit { start, end, text: text.to_owned() };
        assert_eq!(splice(b"abcd", &[edit(2, 3, "X"), edit(0, 1, "")]), Ok(b"bXd".to_vec()));
        assert_eq!(splice(b"abcd", &[edit(0, 2, ""), edit(1, 3, "")]), Err(SpliceError::Overlap));
        assert_eq!(splice(b"abcd", &[edit(1, 1, "x"), edit(1, 1, "y")]), Err(SpliceError::Overlap));
        assert_eq!(splice(b"abcd", &[edit(3, 5, "")]), Err(SpliceError::Range));
        assert_eq!(splice(b"abcd", &[edit(3, 2, "")]), Err(SpliceError::Range));
    }

    #[test]
    fn another_base_is_refused() {
        let patch = FilePatch::between(path(), "a = 1\n", "a = 2\n");
        assert_eq!(patch.apply(b"a = 1\n"), Ok(b"a = 2\n".to_vec()));
        assert_eq!(patch.apply(b"a = 1\r\n"), Err(PatchError::Base(path())));
    }

    proptest! {
        #[test]
        fn between_and_apply_are_inverse(before in "[ab\\r\\né𝒳]{0,30}", after in "[ab\\r\\né𝒳]{0,30}") {
            let patch = FilePatch::between(path(), &before, &after);
            prop_assert_eq!(patch.apply(before.as_bytes()), Ok(after.into_bytes()));
        }
    }
}
