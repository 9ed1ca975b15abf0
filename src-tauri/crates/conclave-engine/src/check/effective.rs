//! Something that matters changes, and no code is replaced by nothing.

use conclave_core::candidate::Origin;
use conclave_core::evidence::{Check, CheckOutcome, Evidence};
use conclave_core::finding::Location;
use conclave_core::fingerprint::normalise;
use conclave_core::language::Language;
use conclave_core::path::RelPath;
use conclave_fixers::{Change, Piece};

use super::Subject;

pub(super) fn run(subject: &mut Subject<'_>) -> Evidence {
    // Recipes remove code on purpose and have cases that show it; others have to put something in its place.
    let by_recipe = matches!(subject.candidate.origin, Origin::Recipe { .. });
    let place = subject.brief.finding.detection.location.as_ref();
    match subject.with_changes(|changes| fault(changes, place, by_recipe)) {
        Some(why) => Evidence::new(Check::Effective, CheckOutcome::Fail, why),
        None => Evidence::new(Check::Effective, CheckOutcome::Pass, "more than comments and white space"),
    }
}

/// Why the changes are no repair of what is at `place`.
pub(super) fn fault(changes: &[Change<'_>], place: Option<&Location>, by_recipe: bool) -> Option<String> {
    if !by_recipe {
        if !changes.is_empty() && changes.iter().all(|change| removes_only(change.path, change.before, change.after)) {
            return Some("it removes code instead of repairing it".to_owned());
        }
        if let Some(name) = changes.iter().find_map(|change| removed_function(change, place?)) {
            return Some(format!("it removes `{name}` instead of repairing it"));
        }
    }
    if changes.iter().any(|change| code_differs(change.path, change.before, change.after)) {
        None
    } else {
        Some("it changes comments or white space only".to_owned())
    }
}

/// The reported function, when it is gone and no other has come in its place.
fn removed_function(change: &Change<'_>, place: &Location) -> Option<String> {
    if place.path != *change.path {
        return None;
    }
    let language = Language::of_path(change.path)?;
    let (.., name) = conclave_fixers::enclosing(language, change.before, place.region?.start_line)?;
    let (before, after) =
        (conclave_fixers::functions(language, change.before), conclave_fixers::functions(language, change.after));
    let count = |list: &[Piece]| list.iter().filter(|other| other.name == name).count();
    let gone = count(&after) < count(&before);
    (gone && after.len() < before.len()).then_some(name)
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
    use conclave_core::finding::Region;

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
    fn the_reported_function_has_to_stay_in_some_form() {
        let before = "def f(a):\n    eval(a)\n\ndef g():\n    return f(1)\n";
        let path = RelPath::new("a.py").expect("a path");
        let place = Location { path: path.clone(), region: Some(Region::line(2)) };
        for (after, why) in [
            ("import ast\n\ndef g():\n    return 1\n", Some("it removes `f` instead of repairing it")),
            ("def h(a):\n    return int(a)\n\ndef g():\n    return h(1)\n", None),
            ("def f(a):\n    return int(a)\n\ndef g():\n    return f(1)\n", None),
        ] {
            let changes = [Change { path: &path, before, after }];
            assert_eq!(fault(&changes, Some(&place), false).as_deref(), why, "{after}");
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
