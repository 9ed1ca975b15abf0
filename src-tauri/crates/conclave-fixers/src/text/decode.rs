//! The characters that the source of a string literal stands for.

use std::ops::Range;

/// What a backslash means, and which marks are doubled.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Style {
    /// Python; an unknown escape stands for itself.
    Python,
    /// Python with the prefix `r`.
    Raw,
    /// JavaScript and Java; an unknown escape stands for its second character.
    Braces,
}

/// Decodes `source[range]`; `None` when it holds an escape that is not read here, and for the range that a quote without
/// its twin leaves in damaged code: one that ends before it begins.
pub(super) fn characters(
    source: &str,
    range: Range<usize>,
    style: Style,
    double_braces: bool,
) -> Option<Vec<(char, Range<usize>)>> {
    let text = source.get(range.clone())?;
    let mut found = Vec::new();
    let mut rest = text.char_indices().peekable();
    while let Some((index, c)) = rest.next() {
        let at = range.start + index;
        let next = rest.peek().copied();
        match (c, next) {
            ('{' | '}', Some((_, twin))) if double_braces && twin == c => {
                rest.next();
                found.push((c, at..at + 2));
            }
            ('\\', Some((_, escaped))) if style != Style::Raw => {
                rest.next();
                let width = 1 + escaped.len_utf8();
                let simple = match escaped {
                    '\n' => None,
                    '\\' | '\'' | '"' => Some(escaped),
                    'n' => Some('\n'),
                    't' => Some('\t'),
                    'r' => Some('\r'),
                    'x' | 'u' | 'U' | 'N' | '0'..='9' | '\r' => return None,
                    _ if style == Style::Python => {
                        found.push(('\\', at..at + 1));
                        found.push((escaped, at + 1..at + width));
                        continue;
                    }
                    'b' | 'f' | 'v' | 's' => return None,
                    other => Some(other),
                };
                found.extend(simple.map(|c| (c, at..at + width)));
            }
            _ => found.push((c, at..at + c.len_utf8())),
        }
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_stand_for_what_the_language_says() {
        for (style, source, expect) in [
            (Style::Python, r"a\'b\\c\n", Some("a'b\\c\n")),
            (Style::Python, r"\d", Some("\\d")),
            (Style::Raw, r"\'\d", Some("\\'\\d")),
            (Style::Braces, r"\'\`\$\d", Some("'`$d")),
            (Style::Python, "a\\\nb", Some("ab")),
            (Style::Python, r"\N{BULLET}", None),
            (Style::Braces, r"\u0041", None),
        ] {
            let decoded = characters(source, 0..source.len(), style, false);
            let text = decoded.map(|found| found.into_iter().map(|(c, _)| c).collect::<String>());
            assert_eq!(text.as_deref(), expect, "{source}");
        }
    }
}
