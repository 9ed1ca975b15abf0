//! Something that matters changes, and no code is replaced by nothing or by a promise of code.

use conclave_core::candidate::Origin;
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
    // Recipes remove code on purpose and have cases that show it; others have to put something in its place.
    let by_recipe = matches!(subject.candidate.origin, Origin::Recipe { .. });
    let mut texts = subject.texts().peekable();
    if !by_recipe
        && texts.peek().is_some()
        && texts.all(|(path, before, after)| removes_only(path, before.text().unwrap_or_default(), after))
    {
        return fail("it removes code instead of repairing it");
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

/// Words that stand where code was and do nothing.
const FILLERS: [&str; 11] =
    ["pass", "return", "None", "null", "undefined", "true", "True", "false", "False", "continue", "break"];

/// Whether whole lines of code go and nothing that does anything comes instead.
fn removes_only(path: &RelPath, before: &str, after: &str) -> bool {
    let lines = |text: &str| {
        let code = match Language::of_path(path) {
            Some(language) => conclave_fixers::without_comments(language, text),
            None => text.to_owned(),
        };
        code.lines().map(normalise).filter(|line| !line.is_empty()).collect::<Vec<_>>()
    };
    let (before, after) = (lines(before), lines(after));
    let count = |list: &[String], line: &String| list.iter().filter(|other| *other == line).count();
    let gone = before.iter().any(|line| count(&before, line) > count(&after, line));
    let does_nothing = |line: &String| {
        line.split(|c: char| !c.is_alphanumeric() && c != '_').all(|word| word.is_empty() || FILLERS.contains(&word))
    };
    gone && after.iter().filter(|line| count(&after, line) > count(&before, line)).all(does_nothing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_that_goes_has_to_be_replaced() {
        for (before, after, removes) in [
            ("check(user)\nf(a)\n", "f(a)\n", true),
            ("if a != b:\n    raise E\nf(a)\n", "return True\n", true),
            ("f(a)\n", "pass\n", true),
            ("f(a)\n", "# f(a)\n", true),
            ("f(a, verify=False)\n", "f(a)\n", false),
            ("f(a)\n", "g(a)\n", false),
            ("f(a)\n", "import g\nf(a)\n", false),
        ] {
            let path = RelPath::new("a.py").expect("a path");
            assert_eq!(removes_only(&path, before, after), removes, "{before:?} {after:?}");
        }
    }

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
