//! Something that matters changes, and no code is replaced by a promise of code.

use conclave_core::evidence::{Check, CheckOutcome, Evidence};
use conclave_core::fingerprint::normalise;
use conclave_core::language::Language;
use conclave_core::path::RelPath;

use super::Subject;

pub(super) fn run(subject: &mut Subject<'_>) -> Evidence {
    let fail = |why: &str| Evidence::new(Check::Effective, CheckOutcome::Fail, why);
    for file in &subject.candidate.patch.files {
        if file.edits.iter().any(|edit| conclave_fixers::has_elision(&edit.text)) {
            return fail("it replaces code by a remark that code was there");
        }
    }
    if subject.texts().any(|(path, before, after)| code_differs(path, before.text().unwrap_or_default(), after)) {
        Evidence::new(Check::Effective, CheckOutcome::Pass, "more than comments and white space")
    } else {
        fail("it changes comments or white space only")
    }
}

/// Whether more than comments and white space differs.
fn code_differs(path: &RelPath, before: &str, after: &str) -> bool {
    let code = |text: &str| match Language::of_path(path) {
        Some(language) => normalise(&conclave_fixers::without_comments(language, text)),
        None => normalise(text),
    };
    code(before) != code(after)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_white_space_are_no_change() {
        for (path, before, after, differs) in [
            ("a.py", "f(a)\n", "f(a)\n", false),
            ("a.py", "f(a)\n", "f(a)  # checked\n\n", false),
            ("a.py", "f(a)\n", "# f(a)\n", true),
            ("a.py", "f('a')\n", "f('# a')\n", true),
            ("a.js", "f(a)\n", "/* safe */ f(a) // yes\n", false),
            ("a.txt", "f(a)\n", "f(a) # b\n", true),
        ] {
            let path = RelPath::new(path).expect("a path");
            assert_eq!(code_differs(&path, before, after), differs, "{before:?} {after:?}");
        }
    }
}
