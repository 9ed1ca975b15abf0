//! Which paths a project's own `.gitignore` files leave out, with or without a repository around them.
//!
//! Ignore files come from the project, so they are input: lines that are no pattern are passed over, and their size is
//! bounded per file and in all.

use std::collections::BTreeMap;
use std::path::Path;

use ignore::gitignore::{Gitignore, GitignoreBuilder};

use super::FsError;
use super::beneath::Root;

/// The name of an ignore file.
pub(crate) const IGNORE_FILE: &str = ".gitignore";
/// Largest ignore file, in bytes.
const LARGEST_FILE: u64 = 256 * 1024;
/// Most bytes of ignore files in one project.
const MOST_BYTES: u64 = 4 * 1024 * 1024;

/// The ignore files met so far, by folder ('/'-joined and relative, empty for the root).
#[derive(Default)]
pub(crate) struct Ignores {
    by_folder: BTreeMap<String, (Gitignore, u64)>,
}

impl Ignores {
    /// Takes the ignore file of `folder` in, if there is one, in place of what was known of that folder.
    pub(crate) fn enter(&mut self, root: &Root, folder: &str) -> Result<(), FsError> {
        self.by_folder.remove(folder);
        let known: u64 = self.by_folder.values().map(|(_, bytes)| bytes).sum();
        let left = MOST_BYTES.saturating_sub(known).min(LARGEST_FILE);
        let text = match root.read(&join(folder, IGNORE_FILE), left) {
            Ok(content) => content.bytes,
            Err(FsError::NotFound { .. }) => return Ok(()),
            Err(error) => return Err(error),
        };
        let mut builder = GitignoreBuilder::new("");
        for line in String::from_utf8_lossy(&text).lines() {
            // What is no pattern ignores nothing.
            let _ = builder.add_line(None, line);
        }
        if let Ok(patterns) = builder.build() {
            self.by_folder.insert(folder.to_owned(), (patterns, text.len() as u64));
        }
        Ok(())
    }

    /// Whether `path` itself is left out; the folders above it are known not to be.
    pub(crate) fn leaves_out(&self, path: &str, is_folder: bool) -> bool {
        // The nearest ignore file that has an opinion decides, as git has it.
        for (folder, below) in splits(path) {
            let Some((patterns, _)) = self.by_folder.get(folder) else { continue };
            let opinion = patterns.matched(Path::new(below), is_folder);
            if !opinion.is_none() {
                return opinion.is_ignore();
            }
        }
        false
    }

    /// Whether `path` or any folder above it is left out.
    pub(crate) fn leaves_out_below(&self, path: &str, is_folder: bool) -> bool {
        let mut above = path.match_indices('/').map(|(at, _)| &path[..at]);
        path.split('/').any(is_repository)
            || above.any(|folder| self.leaves_out(folder, true))
            || self.leaves_out(path, is_folder)
    }
}

/// Whether this is the name of a repository's own data, or of the file that points to it; on file systems that ignore
/// case too.
pub(crate) fn is_repository(name: &str) -> bool {
    name.eq_ignore_ascii_case(".git")
}

/// `name` in `folder`, '/'-joined.
pub(crate) fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

/// Every way to split a path into a folder and the rest, nearest folder first, the root last.
fn splits(path: &str) -> impl Iterator<Item = (&str, &str)> {
    path.rmatch_indices('/').map(|(at, _)| (&path[..at], &path[at + 1..])).chain([("", path)])
}
