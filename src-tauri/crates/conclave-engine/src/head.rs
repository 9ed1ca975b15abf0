//! What a project has checked out: its branch, or the commit where it is on none.
//!
//! Read from the project's own `.git/HEAD` and from nothing else. Deliberately absent: what is on that branch, and folders
//! whose repository is elsewhere; of those it is not known.

use conclave_effects::ProjectTree;

/// The largest file that names a head, in bytes.
const LARGEST: u64 = 1024;

/// The branch as its full name, for example `refs/heads/main`, or the commit; `None` where there is none, or it cannot be
/// read.
pub(crate) fn of(tree: &ProjectTree) -> Option<String> {
    let bytes = tree.read(".git/HEAD", LARGEST).ok()?.bytes;
    named(std::str::from_utf8(&bytes).ok()?)
}

fn named(text: &str) -> Option<String> {
    let text = text.trim_end();
    let head = text.strip_prefix("ref: ").unwrap_or(text);
    let is_one_word = !head.is_empty() && head.chars().all(|c| !c.is_whitespace() && !c.is_control());
    is_one_word.then(|| head.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_a_branch_or_a_commit() {
        let commit = "0123456789abcdef0123456789abcdef01234567";
        for (text, expect) in [
            ("ref: refs/heads/main\n", Some("refs/heads/main")),
            ("ref: refs/heads/a/b", Some("refs/heads/a/b")),
            (&format!("{commit}\n"), Some(commit)),
            ("", None),
            ("ref: refs/heads/a\nref: refs/heads/b\n", None),
            ("gone with the wind", None),
        ] {
            assert_eq!(named(text).as_deref(), expect, "{text:?}");
        }
    }
}
