//! Several patches that were written against the same texts, made into one.
//!
//! Each patch is first taken apart into its smallest changes: whole lines where lines were added or taken away, runs of
//! words where a line was reworded. The union of those is the merged patch: a change that several patches make counts
//! once, changes of different places stand beside each other, imports that go to the same place are a set. Changes that
//! meet are a conflict: nobody here guesses which of two wishes counts more.
//! Deliberately absent: whether the union is any good. It is a new patch, which nobody has proposed or looked at, and
//! has to be verified like one.
//! Invariants: the order of the patches changes nothing; where the changes lie apart, the union is what applying one
//! patch after the other gives.

mod import;
mod piece;

use std::collections::{BTreeMap, BTreeSet};

use crate::digest::Digest;
use crate::patch::{Edit, FilePatch, Patch, PatchError};
use crate::path::RelPath;

/// Why patches cannot be one; patches are named by their place in the list.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Conflict {
    /// A patch was not written against the text, or its edits do not fit it.
    #[error("{error}")]
    Unfit {
        /// Which.
        patch: usize,
        /// What is wrong with it.
        error: PatchError,
    },
    /// Two patches change the same place differently.
    #[error("two fixes change line {line} of `{path}` differently")]
    Overlap {
        /// The file.
        path: RelPath,
        /// The first line where they meet, counted from 1.
        line: usize,
        /// One of the two.
        first: usize,
        /// The other one.
        second: usize,
    },
}

/// The union of `patches`; `texts` has every file that one of them changes, as it is before.
///
/// # Errors
/// [`Conflict`]; of several conflicts the first by path and place.
pub fn merge(texts: &BTreeMap<RelPath, String>, patches: &[&Patch]) -> Result<Patch, Conflict> {
    let mut by_file: BTreeMap<&RelPath, Vec<(usize, &FilePatch)>> = BTreeMap::new();
    for (index, patch) in patches.iter().enumerate() {
        for file in &patch.files {
            by_file.entry(&file.path).or_default().push((index, file));
        }
    }
    let mut files = Vec::with_capacity(by_file.len());
    for (path, of_file) in by_file {
        let text = texts.get(path).map_or("", String::as_str);
        let edits = union(path, text, &of_file)?;
        files.push(FilePatch { path: path.clone(), base: Digest::of(text.as_bytes()), edits });
    }
    Ok(Patch::new(files))
}

/// One change and the patches that make it.
struct Wish {
    edit: Edit,
    by: BTreeSet<usize>,
}

impl Wish {
    fn conflicts_with(&self, other: &Self, path: &RelPath, text: &str) -> Conflict {
        // They are of different patches, for the changes of one lie apart.
        let apart = |one: &BTreeSet<usize>, than: &BTreeSet<usize>| one.difference(than).next().copied();
        let one = apart(&self.by, &other.by).unwrap_or_default();
        let two = apart(&other.by, &self.by).unwrap_or_default();
        let before = &text[..other.edit.start];
        let line = before.matches('\n').count() + 1;
        Conflict::Overlap { path: path.clone(), line, first: one.min(two), second: one.max(two) }
    }
}

/// The edits of all patches of one file, sorted, none touching the next.
fn union(path: &RelPath, text: &str, patches: &[(usize, &FilePatch)]) -> Result<Vec<Edit>, Conflict> {
    let mut wished: BTreeMap<Edit, BTreeSet<usize>> = BTreeMap::new();
    for (index, file) in patches {
        let unfit = |error| Conflict::Unfit { patch: *index, error };
        file.apply(text.as_bytes()).map_err(unfit)?;
        for edit in piece::pieces(text, &file.edits).ok_or_else(|| unfit(PatchError::Range(path.clone())))? {
            wished.entry(edit).or_default().insert(*index);
        }
    }
    // By place, what is inserted before what is replaced.
    let mut joined: Vec<Wish> = Vec::with_capacity(wished.len());
    for (edit, by) in wished {
        let wish = Wish { edit, by };
        let Some(last) = joined.last_mut() else {
            joined.push(wish);
            continue;
        };
        let (a, b) = (&last.edit, &wish.edit);
        if a.start == b.start && a.end == a.start && b.end == b.start {
            // A line of imports that both want is no reason to have it twice.
            let Some(set) = import::set(text, a, b) else { return Err(last.conflicts_with(&wish, path, text)) };
            last.edit.text = set;
            last.by.extend(wish.by);
        } else if b.start < a.end || (b.start == a.end && !is_line_start(text, b.start)) {
            return Err(last.conflicts_with(&wish, path, text));
        } else {
            joined.push(wish);
        }
    }
    Ok(piece::joined(joined.into_iter().map(|wish| wish.edit)))
}

fn is_line_start(text: &str, at: usize) -> bool {
    text[..at].is_empty() || text[..at].ends_with('\n')
}

#[cfg(test)]
mod tests;
