//! Takes the edits of one file apart into the smallest changes that say what was changed.
//!
//! How an edit was written is no property of the change: one that reaches from the imports to the last line of a
//! function gives the same pieces as two that name both places.

use similar::{Algorithm, DiffOp, capture_diff_slices};

use crate::patch::{Edit, splice};

/// More lines, or words of changed lines, than this are not compared: they stay one change.
const LARGEST: usize = 20_000;

/// The changes of `edits`, sorted, none touching another; `None` where they do not fit or cut a character.
pub(super) fn pieces(text: &str, edits: &[Edit]) -> Option<Vec<Edit>> {
    let mut pieces = Vec::new();
    for (span, edits) in spans(text, edits) {
        let old = text.get(span.clone())?;
        let moved = |edit: Edit| Edit { start: edit.start - span.start, end: edit.end - span.start, ..edit };
        let edits: Vec<Edit> = edits.into_iter().map(moved).collect();
        let new = String::from_utf8(splice(old.as_bytes(), &edits).ok()?).ok()?;
        pieces.extend(lines(old, &new).into_iter().map(|edit| shifted(edit, span.start)));
    }
    Some(joined(pieces))
}

/// `edits`, sorted by place, with those that touch made one.
pub(super) fn joined(edits: impl IntoIterator<Item = Edit>) -> Vec<Edit> {
    let mut joined: Vec<Edit> = Vec::new();
    for edit in edits {
        match joined.last_mut() {
            Some(last) if last.end == edit.start => {
                last.end = edit.end;
                last.text.push_str(&edit.text);
            }
            _ => joined.push(edit),
        }
    }
    joined
}

fn shifted(edit: Edit, by: usize) -> Edit {
    Edit { start: edit.start + by, end: edit.end + by, ..edit }
}

/// The whole lines that edits lie in, with those edits; lines that follow each other are together.
fn spans(text: &str, edits: &[Edit]) -> Vec<(std::ops::Range<usize>, Vec<Edit>)> {
    let bytes = text.as_bytes();
    let line_start = |at: usize| bytes[..at].iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
    let line_end = |at: usize| {
        let rest = bytes[at..].iter().position(|byte| *byte == b'\n');
        rest.map_or(bytes.len(), |newline| at + newline + 1)
    };
    let mut sorted = edits.to_vec();
    sorted.sort();
    let mut spans: Vec<(std::ops::Range<usize>, Vec<Edit>)> = Vec::new();
    for edit in sorted {
        let start = line_start(edit.start);
        // Whole lines that are replaced by whole lines say nothing about the line after them.
        let is_whole = edit.end == line_start(edit.end) && (edit.text.is_empty() || edit.text.ends_with('\n'));
        let end = if is_whole && edit.start == start { edit.end } else { line_end(edit.end) };
        match spans.last_mut() {
            Some((span, of_span)) if start <= span.end => {
                span.end = span.end.max(end);
                of_span.push(edit);
            }
            _ => spans.push((start..end, vec![edit])),
        }
    }
    spans
}

/// The changes from `old` to `new` by lines, those of reworded lines by words.
fn lines(old: &str, new: &str) -> Vec<Edit> {
    let (before, after): (Vec<&str>, Vec<&str>) =
        (old.split_inclusive('\n').collect(), new.split_inclusive('\n').collect());
    let mut edits = Vec::new();
    for (was, is) in changes(&before, &after) {
        let (kept, text) = (before[was.clone()].concat(), after[is].concat());
        let start = before[..was.start].iter().map(|line| line.len()).sum();
        if kept.is_empty() || text.is_empty() {
            edits.push(Edit { start, end: start + kept.len(), text });
        } else {
            edits.extend(words(&kept, &text).into_iter().map(|edit| shifted(edit, start)));
        }
    }
    edits
}

/// The changes from `old` to `new` by words; one change where less than half of the old words are kept, and where
/// nothing but punctuation lies between two.
fn words(old: &str, new: &str) -> Vec<Edit> {
    let (before, after) = (tokens(old), tokens(new));
    let mut edits: Vec<Edit> = Vec::new();
    let at = |index: usize| before[..index].iter().map(|token| token.len()).sum::<usize>();
    for (was, is) in changes(&before, &after) {
        let edit = Edit { start: at(was.start), end: at(was.end), text: after[is].concat() };
        match edits.last_mut() {
            Some(last) if !old[last.end..edit.start].contains(is_word) => {
                last.text.push_str(&old[last.end..edit.start]);
                last.text.push_str(&edit.text);
                last.end = edit.end;
            }
            _ => edits.push(edit),
        }
    }
    let count = |text: &str| tokens(text).iter().filter(|token| token.contains(is_word)).count();
    let changed: usize = edits.iter().map(|edit| count(&old[edit.start..edit.end])).sum();
    if changed * 2 > count(old) {
        return vec![whole(old, new)];
    }
    edits
}

/// One change from `old` to `new`, without the lines that both begin and end with.
fn whole(old: &str, new: &str) -> Edit {
    let (before, after): (Vec<&str>, Vec<&str>) = (tokens(old), tokens(new));
    let start = before.iter().zip(&after).take_while(|(a, b)| a == b).count();
    let left = before.len().min(after.len()) - start;
    let tail = before.iter().rev().zip(after.iter().rev()).take(left).take_while(|(a, b)| a == b).count();
    let length = |tokens: &[&str]| tokens.iter().map(|token| token.len()).sum::<usize>();
    Edit {
        start: length(&before[..start]),
        end: length(&before[..before.len() - tail]),
        text: after[start..after.len() - tail].concat(),
    }
}

type Span = std::ops::Range<usize>;

fn changes(before: &[&str], after: &[&str]) -> Vec<(Span, Span)> {
    if before.len().max(after.len()) > LARGEST {
        return vec![(0..before.len(), 0..after.len())];
    }
    let changed = |op: &DiffOp| !matches!(op, DiffOp::Equal { .. });
    let ops = capture_diff_slices(Algorithm::Myers, before, after);
    ops.iter().filter(|op| changed(op)).map(|op| (op.old_range(), op.new_range())).collect()
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// Words, runs of blanks, and every other character by itself.
fn tokens(text: &str) -> Vec<&str> {
    let kind = |character: char| match character {
        _ if is_word(character) => 0,
        ' ' | '\t' => 1,
        _ => 2,
    };
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let same = |next: char| kind(next) == kind(first) && kind(first) != 2;
        let end = rest.find(|next| !same(next)).map_or(rest.len(), |end| end.max(first.len_utf8()));
        let (token, after) = rest.split_at(end);
        tokens.push(token);
        rest = after;
    }
    tokens
}
