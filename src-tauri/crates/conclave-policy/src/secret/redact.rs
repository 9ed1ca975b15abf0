//! Puts a note in the place of each hit, without breaking what stands around it.
//!
//! In a JSON document only the insides of strings and whole scalars are replaced, so that it stays a document whatever
//! the hits are. Elsewhere the bytes of a hit are replaced as they are.

use std::ops::Range;

use super::Hit;

/// Puts `[redacted: LABEL]` in the place of every hit.
///
/// A JSON document stays a valid JSON document, with any hits.
pub fn redact(bytes: &[u8], hits: &[Hit]) -> Vec<u8> {
    Redacted::new(bytes, hits).bytes
}

/// Redacted bytes that know what they were made of.
pub(super) struct Redacted {
    pub(super) bytes: Vec<u8>,
    /// Where each note stands and what it replaces, in order.
    notes: Vec<(Range<usize>, Range<usize>)>,
}

impl Redacted {
    pub(super) fn new(bytes: &[u8], hits: &[Hit]) -> Self {
        let is_json = serde_json::from_slice::<serde::de::IgnoredAny>(bytes).is_ok();
        let cuts = if is_json { json_cuts(bytes, hits) } else { text_cuts(bytes, hits) };
        let mut redacted = Self { bytes: Vec::with_capacity(bytes.len()), notes: Vec::with_capacity(cuts.len()) };
        let mut done = 0;
        for cut in cuts {
            redacted.bytes.extend_from_slice(&bytes[done..cut.range.start]);
            let start = redacted.bytes.len();
            let quote = if cut.quoted { "\"" } else { "" };
            redacted.bytes.extend_from_slice(format!("{quote}[redacted: {}]{quote}", cut.label).as_bytes());
            redacted.notes.push((start..redacted.bytes.len(), cut.range.clone()));
            done = cut.range.end;
        }
        redacted.bytes.extend_from_slice(&bytes[done..]);
        redacted
    }

    /// The range of the original that `range` of the redacted bytes was made of.
    pub(super) fn source(&self, range: Range<usize>) -> Range<usize> {
        let end = range.end.saturating_sub(1).max(range.start);
        self.source_of(range.start).start..self.source_of(end).end
    }

    fn source_of(&self, at: usize) -> Range<usize> {
        let before = self.notes.partition_point(|(note, _)| note.start <= at);
        match before.checked_sub(1).map(|last| &self.notes[last]) {
            None => at..at + 1,
            Some((note, replaced)) if at < note.end => replaced.clone(),
            Some((note, replaced)) => {
                let at = replaced.end + (at - note.end);
                at..at + 1
            }
        }
    }
}

/// One replacement.
struct Cut<'a> {
    range: Range<usize>,
    label: &'a str,
    /// Whether the note needs quotes of its own, since it replaces a number or a word.
    quoted: bool,
}

fn text_cuts<'a>(bytes: &[u8], hits: &'a [Hit]) -> Vec<Cut<'a>> {
    let mut cuts: Vec<Cut<'_>> = Vec::new();
    for hit in hits {
        let start = hit.range.start.max(cuts.last().map_or(0, |cut| cut.range.end));
        let end = hit.range.end.min(bytes.len());
        if start < end {
            cuts.push(Cut { range: start..end, label: &hit.label, quoted: false });
        }
    }
    cuts
}

/// The cuts in `bytes`, which are a valid JSON document.
fn json_cuts<'a>(bytes: &[u8], hits: &'a [Hit]) -> Vec<Cut<'a>> {
    let mut cuts = Vec::new();
    let mut at = 0;
    let mut next = 0;
    while at < bytes.len() && next < hits.len() {
        let end = match bytes[at] {
            b'"' => {
                let end = string_end(bytes, at + 1);
                string_cuts(bytes, at + 1..end, &hits[next..], &mut cuts);
                end + 1
            }
            b'-' | b'0'..=b'9' | b'a'..=b'z' => {
                let scalar = |byte: &u8| matches!(byte, b'-' | b'+' | b'.' | b'0'..=b'9' | b'a'..=b'z' | b'E');
                let end = at + bytes[at..].iter().take_while(|byte| scalar(byte)).count();
                if let Some(hit) = hits[next..].iter().find(|hit| overlap(&hit.range, &(at..end))) {
                    cuts.push(Cut { range: at..end, label: &hit.label, quoted: true });
                }
                end
            }
            _ => at + 1,
        };
        at = end;
        next += hits[next..].iter().take_while(|hit| hit.range.end <= at).count();
    }
    cuts
}

/// The position of the quote that closes the string whose inside begins at `at`.
fn string_end(bytes: &[u8], mut at: usize) -> usize {
    while at < bytes.len() && bytes[at] != b'"' {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    at.min(bytes.len())
}

/// Cuts in the inside of one JSON string, in whole characters.
fn string_cuts<'a>(bytes: &[u8], inside: Range<usize>, hits: &'a [Hit], cuts: &mut Vec<Cut<'a>>) {
    if hits.first().is_none_or(|hit| hit.range.start >= inside.end) {
        return;
    }
    let mut hits = hits.iter().peekable();
    let mut open: Option<(Cut<'a>, usize)> = None;
    let mut at = inside.start;
    while at < inside.end {
        let end = (at + character(&bytes[at..inside.end])).min(inside.end);
        while hits.next_if(|hit| hit.range.end <= at).is_some() {}
        match (hits.peek(), &mut open) {
            (Some(hit), Some((cut, start))) if overlap(&hit.range, &(at..end)) && hit.range.start == *start => {
                cut.range.end = end;
            }
            (Some(hit), _) if overlap(&hit.range, &(at..end)) => {
                cuts.extend(open.take().map(|(cut, _)| cut));
                open = Some((Cut { range: at..end, label: &hit.label, quoted: false }, hit.range.start));
            }
            _ => cuts.extend(open.take().map(|(cut, _)| cut)),
        }
        at = end;
    }
    cuts.extend(open.map(|(cut, _)| cut));
}

/// The length of the JSON character at the start of `rest`: an escape, a pair of them for one character, or UTF-8.
fn character(rest: &[u8]) -> usize {
    match rest {
        [b'\\', b'u', d0, d1, _, _, b'\\', b'u', ..]
            if matches!((d0, d1), (b'd' | b'D', b'8' | b'9' | b'a'..=b'b' | b'A'..=b'B')) =>
        {
            12
        }
        [b'\\', b'u', ..] => 6,
        [b'\\', ..] => 2,
        [first, ..] if *first >= 0xC0 => 1 + rest[1..].iter().take_while(|byte| **byte & 0xC0 == 0x80).count(),
        _ => 1,
    }
}

fn overlap(a: &Range<usize>, b: &Range<usize>) -> bool {
    a.start < b.end && b.start < a.end
}

/// `range` without half an escape at either end, at any depth of escaping: backslashes before it come in, backslashes
/// at its end stay out, and the digits of a `\u` escape stay together.
pub(super) fn whole_escapes(bytes: &[u8], range: Range<usize>) -> Range<usize> {
    let Range { mut start, mut end } = range;
    end = end.min(bytes.len());
    if let Some(escape) = unicode_escape(bytes, start) {
        start = escape.start;
    }
    while start > 0 && bytes[start - 1] == b'\\' {
        start -= 1;
    }
    if let Some(escape) = end.checked_sub(1).and_then(|last| unicode_escape(bytes, last)) {
        end = escape.end;
    }
    while end > start && bytes[end - 1] == b'\\' {
        end -= 1;
    }
    start..end
}

/// The `\uXXXX` that covers `at`, without further backslashes.
fn unicode_escape(bytes: &[u8], at: usize) -> Option<Range<usize>> {
    (at.saturating_sub(5)..=at).find_map(|start| {
        let escape = bytes.get(start..start + 6)?;
        (escape.starts_with(br"\u") && escape[2..].iter().all(u8::is_ascii_hexdigit)).then_some(start..start + 6)
    })
}
