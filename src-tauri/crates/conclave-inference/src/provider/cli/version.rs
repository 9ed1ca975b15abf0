//! The version that a program says to have.

use std::fmt;

/// Three numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Version(Option<(u32, u32, u32)>);

impl Version {
    /// Of a program that says none.
    pub(super) const UNKNOWN: Self = Self(None);

    /// The first three numbers with points between them.
    pub(super) fn in_words(words: &str) -> Option<Self> {
        let is_of_numbers = |c: char| c.is_ascii_digit() || c == '.';
        words.split(|c: char| !is_of_numbers(c)).find_map(|word| {
            let numbers: Vec<u32> = word.split('.').map_while(|number| number.parse().ok()).collect();
            let &[major, minor, patch, ..] = &numbers[..] else { return None };
            Some(Self(Some((major, minor, patch))))
        })
    }

    pub(super) fn is_at_least(&self, oldest: (u32, u32, u32)) -> bool {
        self.0.unwrap_or_default() >= oldest
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some((major, minor, patch)) => write!(f, "{major}.{minor}.{patch}"),
            None => f.write_str("unknown"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_found_in_what_programs_say() {
        for (words, expect) in [
            ("2.1.332 (Claude Code)\n", Some((2, 1, 332))),
            ("codex-cli 0.171.0", Some((0, 171, 0))),
            ("0.61.0\n", Some((0, 61, 0))),
            ("v1.2.3-preview.4", Some((1, 2, 3))),
            ("built 2026, version 1.2.3", Some((1, 2, 3))),
            ("1.2", None),
            ("1.2.99999999999", None),
            ("", None),
        ] {
            assert_eq!(Version::in_words(words).and_then(|version| version.0), expect, "{words}");
        }
        let version = Version::in_words("2.1.9").expect("a version");
        assert!(version.is_at_least((2, 1, 9)) && version.is_at_least((2, 0, 10)) && !version.is_at_least((2, 1, 10)));
        assert!(Version::UNKNOWN.is_at_least((0, 0, 0)) && !Version::UNKNOWN.is_at_least((0, 0, 1)));
    }
}
