//! Text checks that every fix must pass, whoever wrote it.
//!
//! Deliberately absent: a verdict; the caller decides what a failed check means.

use std::sync::OnceLock;

use conclave_core::language::Language;
use regex::RegexSet;

use crate::syntax::Tree;

/// How a scanner, linter or compiler is told to look away, in small letters.
const SUPPRESSIONS: [&str; 76] = [
    "nosec",
    "nosem",
    "nosemgrep",
    "nosonar",
    "nolint",
    "nopmd",
    "noqa",
    "nopycln",
    "noinspection",
    "codeql[",
    "lgtm[",
    "coverity[",
    "type: ignore",
    "type:ignore",
    "pyright: ignore",
    "pyright:ignore",
    "pyre-ignore",
    "pyre-fixme",
    "mypy: ignore",
    "mypy: disable",
    "pylint: disable",
    "pylint:disable",
    "pylint: skip-file",
    "flake8: ignore",
    "ruff: ignore",
    "eslint-disable",
    "oxlint-disable",
    "tslint:disable",
    "jshint ignore",
    "jslint ignore",
    "biome-ignore",
    "rome-ignore",
    "stylelint-disable",
    "@ts-ignore",
    "@ts-nocheck",
    "@ts-expect-error",
    "@suppress",
    "checkstyle:off",
    "spotbugs:off",
    "errorprone:ignore",
    "rubocop:disable",
    "phpcs:ignore",
    "phpcs:disable",
    "psalm-suppress",
    "@phpstan-ignore",
    "pragma warning disable",
    "swiftlint:disable",
    "ktlint-disable",
    "cppcheck-suppress",
    "flawfinder: ignore",
    "shellcheck disable",
    "hadolint ignore",
    "checkov:skip",
    "tfsec:ignore",
    "trivy:ignore",
    "gitleaks:allow",
    "trufflehog:ignore",
    "pragma: allowlist",
    "devskim: ignore",
    "ast-grep-ignore",
    "semgrep: ignore",
    "semgrep-ignore",
    "bandit: skip",
    "bandit:skip",
    "skipcq",
    "snyk:ignore",
    "deepcode ignore",
    "codacy:disable",
    "kics-scan ignore",
    "jshint evil",
    "/* eslint ",
    "disable_warnings(",
    "simplefilter(\"ignore",
    "simplefilter('ignore",
    "filterwarnings(\"ignore",
    "filterwarnings('ignore",
];

/// How an answer leaves code out instead of writing it.
const ELISIONS: [&str; 5] = [
    r"(?i)(\.\.\.|…)\s*\(?\s*(the\s+)?(existing|rest|remaining|other|previous|unchanged|same|original|omitted|your|more)\b",
    r"(?i)^\s*(#|//|/\*|<!--|--|\*).*\b(existing|remaining|rest of|original|previous|other)\b.*\b(code|implementation|functions?|methods?|logic|contents?|file|class|imports?)\b.*(\.\.\.|…|unchanged|remains?|stays?|omitted|goes here)",
    r"^\s*(#|//|/\*|<!--|--)\s*(\.\.\.|…)\s*(\*/|-->)?\s*$",
    r"(?i)^\s*(#|//|/\*|<!--|--|\*).*\b(omitted|unchanged|shortened|truncated) for (brevity|clarity)\b",
    r"(?i)^\s*(#|//|/\*|<!--|--)\s*((the )?(rest|remainder) (of .*)?(is )?(unchanged|the same|as before)|same as (before|above))",
];

/// How many nodes of the text are errors, or were made up by the parser to go on.
///
/// Counted, so that a file which was broken before can be compared with itself.
pub fn parse_errors(language: Language, text: &str) -> usize {
    Tree::parse(language, text).errors()
}

/// `text` with a blank in place of each comment; a comment that the parser does not see as one stays.
pub fn without_comments(language: Language, text: &str) -> String {
    const COMMENTS: [&str; 4] = ["comment", "line_comment", "block_comment", "html_comment"];
    let tree = Tree::parse(language, text);
    let mut code = String::with_capacity(text.len());
    let mut position = 0;
    for range in tree.root().walk().filter(|node| node.is(&COMMENTS)).map(|node| node.range()) {
        if let Some(before) = text.get(position..range.start) {
            code.push_str(before);
            code.push(' ');
            position = range.end;
        }
    }
    code.push_str(&text[position..]);
    code
}

/// The suppression that `after` has and `before` has not, as written; `None` when there is none.
///
/// A line whose code changes may keep the suppression that it had. One that becomes wider, or moves to a line that had
/// none, counts as new.
pub fn adds_suppression(before: &str, after: &str) -> Option<String> {
    let mut removed = only_in(before, after);
    for line in only_in(after, before) {
        let Some((code, directive)) = suppression(line) else { continue };
        let unmarked = removed.iter().any(|old| suppression(old).is_none() && old.trim() == code);
        let kept = removed.iter().position(|old| suppression(old).is_some_and(|(_, kept)| kept == directive));
        match kept {
            Some(index) if !unmarked => {
                removed.remove(index);
            }
            _ => return Some(directive.to_owned()),
        }
    }
    None
}

/// The lines that `after` has and `before` has not, blanks at their ends aside; each as often as it is there more.
pub fn added_lines<'a>(before: &str, after: &'a str) -> Vec<&'a str> {
    only_in(after, before)
}

/// The lines of `text` that `other` has not, each as often as it is there more.
fn only_in<'a>(text: &'a str, other: &str) -> Vec<&'a str> {
    let mut others: Vec<&str> = other.lines().map(str::trim).collect();
    others.sort_unstable();
    let mut used = vec![false; others.len()];
    let mut found = Vec::new();
    for line in text.lines() {
        let first = others.partition_point(|other| *other < line.trim());
        let free = (first..others.len()).take_while(|&at| others[at] == line.trim()).find(|&at| !used[at]);
        match free {
            Some(at) => used[at] = true,
            None => found.push(line),
        }
    }
    found
}

/// The code before a suppression, and the suppression to the end of its line.
fn suppression(line: &str) -> Option<(&str, &str)> {
    // Byte offsets survive: only ASCII letters change.
    let small = line.to_ascii_lowercase();
    let at = SUPPRESSIONS.iter().filter_map(|marker| small.find(marker)).min()?;
    let code = line[..at].trim_end_matches(|c: char| c.is_whitespace() || "#/*<!-;".contains(c));
    Some((code.trim(), line[at..].trim()))
}

/// Whether added text leaves code out: "... existing code ...", "rest unchanged" and their like.
pub fn has_elision(after_added: &str) -> bool {
    static FORMS: OnceLock<RegexSet> = OnceLock::new();
    let forms = FORMS.get_or_init(|| {
        // INVARIANT: a test runs these expressions.
        #[allow(clippy::expect_used)]
        let forms = RegexSet::new(ELISIONS).expect("the expressions compile");
        forms
    });
    after_added.lines().any(|line| forms.is_match(line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_counted_per_language() {
        for (language, good, bad) in [
            (Language::Python, "def f():\n    pass\n", "def f(:\n    pass\n"),
            (Language::JavaScript, "f({ a: <b/> });\n", "f({ a: );\n"),
            (Language::TypeScript, "let a: number = 1;\n", "let a: = 1;\n"),
            (Language::Tsx, "const a = <b c={1 as any} />;\n", "const a = <b c={ />;\n"),
            (Language::Java, "class A { int b; }\n", "class A { int ; \n"),
        ] {
            assert_eq!(parse_errors(language, good), 0, "{good}");
            assert!(parse_errors(language, bad) > 0, "{bad}");
        }
    }

    #[test]
    fn comments_alone_are_left_out() {
        for (language, text, code) in [
            (Language::Python, "a = '# b'  # c\n# d\n", "a = '# b'   \n \n"),
            (Language::JavaScript, "a/* b */= '// c' // d\n", "a = '// c'  \n"),
            (Language::TypeScript, "let a: b // c", "let a: b  "),
            (Language::Java, "/** a */ class A { /* b */ } // c\n", "  class A {   }  \n"),
            (Language::Python, "", ""),
        ] {
            assert_eq!(without_comments(language, text), code);
        }
    }

    #[test]
    fn each_form_of_suppression_is_seen() {
        for marker in SUPPRESSIONS {
            for (open, close) in [("  # ", ""), ("  // ", " b123"), ("  /* ", " */")] {
                let after = format!("a = 1{open}{marker}{close}\n");
                assert!(adds_suppression("a = 1\n", &after).is_some(), "{after}");
                assert_eq!(adds_suppression(&after, "a = 1\n"), None, "taking one away is no suppression");
                assert_eq!(adds_suppression(&after, &after), None);
            }
        }
    }

    #[test]
    fn a_suppression_that_stays_is_not_new() {
        for (before, after, expect) in [
            ("f(a)  # nosec B602\n", "f([a])  # nosec B602\n", None),
            ("f(a)  # nosec B602\n", "    f(a)  # nosec B602\n", None),
            ("f(a)  # nosec B602\n", "f([a])  # nosec\n", Some("nosec")),
            ("f(a)  # nosec\ng(b)\n", "f(a)\ng(b)  # nosec\n", Some("nosec")),
            ("f(a)\n", "# NOSEC\nf(a)\n", Some("NOSEC")),
            ("f(a)\n", "@SuppressWarnings(\"x\")\nf(a)\n", Some("@SuppressWarnings(\"x\")")),
            ("f(a)\n", "g(a)\n", None),
            ("a  # nosec\na  # nosec\n", "b  # nosec\nb  # nosec\nb  # nosec\n", Some("nosec")),
        ] {
            assert_eq!(adds_suppression(before, after).as_deref(), expect, "{before:?} {after:?}");
        }
    }

    #[test]
    fn left_out_code_is_seen() {
        for text in [
            "# ... existing code ...",
            "// … rest of the function …",
            "    // ... (rest unchanged)",
            "/* ... */",
            "  # ...",
            "// existing implementation remains unchanged",
            "# The rest of the code stays the same",
            "// other methods omitted",
            "# omitted for brevity",
            "<!-- ... -->",
            "// same as before",
            "a = 1\n# rest unchanged",
        ] {
            assert!(has_elision(text), "{text}");
        }
        for text in [
            "def f(self): ...",
            "    ...",
            "f(...args)",
            "print('loading...')",
            "# the other party closes the file",
            "x = existing_code",
            "// returns the original file",
            "String... names",
        ] {
            assert!(!has_elision(text), "{text}");
        }
    }
}
