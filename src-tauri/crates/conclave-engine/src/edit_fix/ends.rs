//! Puts the line ends back that a text field makes plain ones of.
//!
//! Deliberately absent: changing what ends a line on purpose, which no fix does. Invariant: a line that was not changed
//! has the bytes that it had.

use similar::{Algorithm, DiffOp, capture_diff_slices};

/// `typed` with the line ends of `before`: what is the same keeps its own, what is new has the one that most lines have.
pub(super) fn put_back(before: &str, typed: &str) -> String {
    let (old, new) = (lines(before), lines(typed));
    let end = usual(&old);
    let bare = |lines: &[(&str, &str)]| -> Vec<(String, bool)> {
        lines.iter().map(|(line, end)| ((*line).to_owned(), end.is_empty())).collect()
    };
    let mut text = String::with_capacity(before.len().max(typed.len()));
    for op in capture_diff_slices(Algorithm::Myers, &bare(&old), &bare(&new)) {
        match op {
            DiffOp::Equal { .. } => text.extend(old[op.old_range()].iter().flat_map(|(line, end)| [*line, *end])),
            _ => {
                let ended = |(line, own): &(&'_ str, &str)| format!("{line}{}", if own.is_empty() { "" } else { end });
                text.extend(new[op.new_range()].iter().map(ended));
            }
        }
    }
    text
}

/// The lines of `text`, each with what ends it; nothing ends the last one of many.
fn lines(text: &str) -> Vec<(&str, &str)> {
    let mut lines = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(['\r', '\n']) {
        let length = if rest[at..].starts_with("\r\n") { 2 } else { 1 };
        lines.push((&rest[..at], &rest[at..at + length]));
        rest = &rest[at + length..];
    }
    if !rest.is_empty() {
        lines.push((rest, ""));
    }
    lines
}

/// What ends most of `lines`.
fn usual<'a>(lines: &[(&str, &'a str)]) -> &'a str {
    let count = |wanted: &str| lines.iter().filter(|(_, end)| *end == wanted).count();
    ["\r", "\r\n", "\n"].into_iter().max_by_key(|end| count(end)).unwrap_or("\n")
}

#[cfg(test)]
mod tests {
    use super::put_back;

    #[test]
    fn lines_that_are_as_they_were_keep_their_ends_and_new_ones_get_the_usual() {
        for (before, typed, after) in [
            ("a\r\nb\r\n", "a\nB\n", "a\r\nB\r\n"),
            ("a\r\nb\r\n", "a\nb\n", "a\r\nb\r\n"),
            ("a\r\nb\r\n", "a\r\nnew\nb\r\n", "a\r\nnew\r\nb\r\n"),
            ("a\r\nb", "a\nb\nc", "a\r\nb\r\nc"),
            ("a\r\nb\nc\r\n", "a\nb\nC\nd\n", "a\r\nb\nC\r\nd\r\n"),
            ("a\r\nb\nc\n", "a\nb\nC\n", "a\r\nb\nC\n"),
            ("a\rb\r\n\nc\n", "a\nb\n\nC\n", "a\rb\r\n\nC\n"),
            ("a\r\r\n", "a\n\nb\n", "a\r\r\nb\r\n"),
            ("a\nb\n", "a\n", "a\n"),
            ("", "a\n", "a\n"),
            ("a\r\n", "", ""),
        ] {
            assert_eq!(put_back(before, typed), after, "{before:?} {typed:?}");
        }
    }
}
