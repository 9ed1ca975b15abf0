//! Puts one item into an object or a list of a JSON text, takes one out or replaces it, and touches no other byte.
//!
//! Pure text work on ranges that a parser found. Invariant: taking out what was put in gives the text from before.

use std::ops::Range;

/// An object or a list, by its place in the text.
pub(crate) struct Container {
    /// With its braces or brackets.
    pub range: Range<usize>,
    /// Its items, each without the comma behind it.
    pub items: Vec<Range<usize>>,
}

/// The text with `item` as the last of `container`; `item` is JSON of several lines, two spaces a level.
pub(crate) fn put(text: &str, container: &Container, item: &str) -> String {
    let inside = container.range.start + 1..container.range.end - 1;
    let newline = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let one_line = !text[inside.clone()].contains('\n');
    let outer = indent_at(text, container.range.start);
    let Some(last) = container.items.last() else {
        let inner = format!("{outer}{}", unit(text));
        let close = if one_line { format!("{newline}{outer}") } else { String::new() };
        let item = format!("{newline}{inner}{}{close}", written(item, text, &inner, newline));
        return spliced(text, inside.start..inside.start, &item);
    };
    let end = inside.start + text[inside.clone()].trim_end().len();
    let comma = comma_behind(text, last.end);
    let mut item = if one_line {
        format!(" {}", item.lines().map(str::trim_start).collect::<String>())
    } else {
        let inner = indent_at(text, last.start);
        format!("{newline}{inner}{}", written(item, text, inner, newline))
    };
    if comma.is_some() {
        // The style of this list: a comma behind each.
        item.push(',');
    }
    let text = spliced(text, end..end, &item);
    if comma.is_some() { text } else { spliced(&text, last.end..last.end, ",") }
}

/// The text without the item number `index` of `container`.
pub(crate) fn take(text: &str, container: &Container, index: usize) -> String {
    let item = container.items[index].clone();
    let start = text[..item.start].trim_end().len();
    if let Some(comma) = comma_behind(text, item.end) {
        return spliced(text, start..comma + 1, "");
    }
    let Some(previous) = index.checked_sub(1).map(|index| container.items[index].end) else {
        return spliced(text, start..container.range.end - 1, "");
    };
    let text = spliced(text, start..item.end, "");
    match comma_behind(&text, previous) {
        Some(comma) => spliced(&text, comma..comma + 1, ""),
        None => text,
    }
}

/// The text with `item` in the place of what stands at `range`; `item` is JSON of several lines, two spaces a level.
pub(crate) fn replace(text: &str, range: Range<usize>, item: &str) -> String {
    let newline = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let item = written(item, text, indent_at(text, range.start), newline);
    spliced(text, range, &item)
}

fn spliced(text: &str, range: Range<usize>, new: &str) -> String {
    [&text[..range.start], new, &text[range.end..]].concat()
}

/// `item` in the text's own indentation, all lines but the first behind `indent`.
fn written(item: &str, text: &str, indent: &str, newline: &str) -> String {
    let line = |line: &str| {
        let level = (line.len() - line.trim_start().len()) / 2;
        format!("{}{}", unit(text).repeat(level), line.trim_start())
    };
    item.lines().map(line).collect::<Vec<_>>().join(&format!("{newline}{indent}"))
}

/// What one level of indentation is in this text: that of the first indented line, else two spaces.
fn unit(text: &str) -> &str {
    let indented = text.lines().map(|line| &line[..line.len() - line.trim_start().len()]);
    indented.filter(|indent| !indent.is_empty()).min_by_key(|indent| indent.len()).unwrap_or("  ")
}

/// The white space at the beginning of the line in which `at` is.
fn indent_at(text: &str, at: usize) -> &str {
    let line = &text[text[..at].rfind('\n').map_or(0, |newline| newline + 1)..at];
    &line[..line.len() - line.trim_start().len()]
}

/// Where the comma stands that is the next thing behind `at`, white space and comments aside.
fn comma_behind(text: &str, at: usize) -> Option<usize> {
    let mut rest = &text[at..];
    loop {
        rest = rest.trim_start();
        rest = match (rest.strip_prefix("//"), rest.strip_prefix("/*")) {
            (Some(comment), _) => &comment[comment.find('\n')?..],
            (_, Some(comment)) => &comment[comment.find("*/")? + 2..],
            _ => break,
        };
    }
    rest.starts_with(',').then(|| text.len() - rest.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A list in a text, its items marked by their letters.
    fn list(text: &str) -> Container {
        let range = text.find('[').expect("a list")..text.rfind(']').expect("its end") + 1;
        let items = text.match_indices(|c: char| c.is_ascii_lowercase()).map(|(at, _)| at..at + 1).collect();
        Container { range, items }
    }

    #[test]
    fn what_was_put_in_comes_out_without_a_trace() {
        let cases = [
            ("[]", "[\n  z\n]"),
            ("  []", "  [\n    z\n  ]"),
            ("[a]", "[a, z]"),
            ("[ a, b ]", "[ a, b, z ]"),
            ("[a,]", "[a, z,]"),
            ("[\n\ta\n]", "[\n\ta,\n\tz\n]"),
            ("[\r\n    a,\r\n    b\r\n]", "[\r\n    a,\r\n    b,\r\n    z\r\n]"),
            ("[\n  a, // ONE, TWO\n  b // TWO, A\n]", "[\n  a, // ONE, TWO\n  b, // TWO, A\n  z\n]"),
            ("[\n  a,\n  b, /* , */\n]", "[\n  a,\n  b, /* , */\n  z,\n]"),
        ];
        for (text, expect) in cases {
            let with = put(text, &list(text), "z");
            assert_eq!(with, expect);
            let container = list(&with);
            assert_eq!(take(&with, &container, container.items.len() - 1), text);
        }
    }

    #[test]
    fn any_item_can_be_taken_out() {
        for (text, index, expect) in [
            ("[a, b, c]", 0, "[ b, c]"),
            ("[\n  a,\n  b,\n  c\n]", 0, "[\n  b,\n  c\n]"),
            ("[\n  a,\n  b,\n  c\n]", 1, "[\n  a,\n  c\n]"),
            ("[\n  a,\n  b,\n  c\n]", 2, "[\n  a,\n  b\n]"),
            ("[a]", 0, "[]"),
        ] {
            assert_eq!(take(text, &list(text), index), expect, "{text} {index}");
        }
    }
}
