//! Text with its lines and its string literals joined: what a secret looks like before it was wrapped, put into a diff
//! or written as a sum of strings.

use super::view::View;

/// What goes with a line break besides the indentation of the next line.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Margin {
    /// Nothing.
    Bare,
    /// The mark of a diff or a quotation, and the mark of a comment.
    Marked,
}

/// Whether a line of `text` has a mark that [`Margin::Marked`] leaves out.
pub(super) fn has_marks(text: &[u8]) -> bool {
    text.split(|byte| *byte == b'\n').any(|line| indentation(line, 0) != margin(line, 0))
}

/// `text` without line breaks and without what closes one string literal only to open the next.
pub(super) fn join(text: &[u8], kind: Margin) -> Option<View> {
    let mut view = View::of(text);
    let (mut at, mut done) = (0, 0);
    while let Some(next) = text[at..].iter().position(|byte| matches!(byte, b'"' | b'\'' | b'`' | b'\n' | b'\r')) {
        at += next;
        let (start, end) = match text[at] {
            b'\n' | b'\r' => (line_end(text, done, at), line_breaks(text, at, kind)),
            _ => (at, between_literals(text, at, kind)),
        };
        match end {
            Some(end) => {
                view.copy_near(text, done..start);
                at = end;
                done = end;
            }
            None => at += 1,
        }
    }
    if done == 0 {
        return None;
    }
    view.copy_near(text, done..text.len());
    Some(view)
}

/// Where the line whose break is at `at` ends, without a continuation sign and blanks; at `from` or later.
fn line_end(text: &[u8], from: usize, at: usize) -> usize {
    let blanks = |line: &[u8]| line.iter().rev().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    let end = at - blanks(&text[from..at]);
    let end = end - usize::from(text[from..end].ends_with(b"\\"));
    end - blanks(&text[from..end])
}

/// The end of the line breaks that begin at `at`, blanks on both sides and a continuation sign included.
fn line_breaks(text: &[u8], at: usize, kind: Margin) -> Option<usize> {
    let mut end = line_break(text, at, kind)?;
    while let Some(next) = line_break(text, end, kind) {
        end = next;
    }
    Some(end)
}

fn line_break(text: &[u8], at: usize, kind: Margin) -> Option<usize> {
    let mut at = indentation(text, at);
    if text.get(at) == Some(&b'\\') {
        at += 1;
    }
    let line = match text.get(at..)? {
        [b'\r', b'\n', ..] => at + 2,
        [b'\n' | b'\r', ..] => at + 1,
        _ => return None,
    };
    Some(match kind {
        Margin::Bare => indentation(text, line),
        Margin::Marked => margin(text, line),
    })
}

/// The end of the blanks at `at`.
fn indentation(text: &[u8], at: usize) -> usize {
    at + text[at..].iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count()
}

/// The end of the indentation at `at`, the mark of a diff before it and the mark of a comment after it.
fn margin(text: &[u8], at: usize) -> usize {
    let marked = text.get(at).is_some_and(|byte| matches!(byte, b'+' | b'-' | b'>' | b'|'));
    let at = indentation(text, at + usize::from(marked));
    let comment = match &text[at..] {
        [b'/', b'/', ..] => 2,
        [b'#' | b'*', ..] => 1,
        _ => return at,
    };
    indentation(text, at + comment)
}

/// The end of what lies between two string literals that read as one, from the quote at `at` on: `" + "` and its like.
fn between_literals(text: &[u8], at: usize, kind: Margin) -> Option<usize> {
    let start = at + 1;
    let at = gap(text, start, kind);
    let apart = at > start;
    let operator = match text.get(at..)? {
        [b'|', b'|', ..] | [b'.', b'.', ..] | [b'<', b'>', ..] => 2,
        [b'+' | b'.' | b'&' | b'~', ..] => 1,
        _ => 0,
    };
    let at = gap(text, at + operator, kind);
    let prefix = text[at..].iter().take(2).take_while(|byte| b"rRbBfFuULN@$".contains(byte)).count();
    let end = at + prefix + 1;
    let opens = matches!(text.get(end - 1)?, b'"' | b'\'' | b'`');
    // Without an operator the quotes may be side by side for another reason: they open one in the other, or the second
    // closes what is around, and then one of these follows.
    let adjacent = apart && text.get(end).is_some_and(|byte| !b"}]),;".contains(byte));
    (opens && (operator > 0 || adjacent)).then_some(end)
}

/// The end of the blanks and line breaks at `at`.
fn gap(text: &[u8], at: usize, kind: Margin) -> usize {
    let at = line_breaks(text, at, kind).unwrap_or(at);
    indentation(text, at)
}
