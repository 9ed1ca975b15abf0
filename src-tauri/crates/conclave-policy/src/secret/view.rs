//! One reading of bytes, and the way back to what it was read from.
//!
//! A view is text in which each stretch is either the very bytes of its source or stands for a range of them as a whole:
//! an escape, or a run that was decoded. Views are read from views; a [`Trace`] leads back to the first.

use std::ops::Range;

/// How much of a text stands in a view on either side of each change, in bytes. What is further off from all changes was
/// seen in the source; no secret reaches so far, but those in which changes come often, and then all of it stands there.
const NEAR: usize = 640;

/// A byte that no text holds, put where two stretches of text are not to read as one.
pub(super) const APART: &[u8] = b"\x01";

/// Text made of another text.
#[derive(Default)]
pub(super) struct View {
    pub(super) text: Vec<u8>,
    /// In order, without gaps in the text; the source may have gaps, which are what was left out.
    spans: Vec<Span>,
}

/// A stretch of a view. 32-bit positions are enough for everything that is scanned.
struct Span {
    at: u32,
    from: u32,
    len: u32,
    /// Whether the text is the source's own, byte for byte; else all of it stands for all of the source range.
    verbatim: bool,
}

impl View {
    /// An empty view of `source`, with room for as much text and for dozens of changes.
    pub(super) fn of(source: &[u8]) -> Self {
        Self { text: Vec::with_capacity(source.len()), spans: Vec::with_capacity(64) }
    }

    /// Adds a range of the source as it is.
    pub(super) fn copy(&mut self, source: &[u8], range: Range<usize>) {
        if range.is_empty() {
            return;
        }
        let (from, len) = (range.start as u32, range.len() as u32);
        match self.spans.last_mut() {
            Some(last) if last.verbatim && last.from + last.len == from => last.len += len,
            _ => self.spans.push(Span { at: self.text.len() as u32, from, len, verbatim: true }),
        }
        self.text.extend_from_slice(&source[range]);
    }

    /// Adds a range of the source as it is between two changes, what is near them only. The first change of all has
    /// nothing changed before it, the last nothing after it: there `range` begins or ends with the source.
    pub(super) fn copy_near(&mut self, source: &[u8], range: Range<usize>) {
        let after = if range.start == 0 { 0 } else { NEAR };
        let before = if range.end == source.len() { 0 } else { NEAR };
        if range.len() <= after + before {
            return self.copy(source, range);
        }
        self.copy(source, range.start..range.start + after);
        self.replace(range.start + after..range.start + after, APART);
        self.copy(source, range.end - before..range.end);
    }

    /// Adds text that stands for the whole of a source range.
    pub(super) fn replace(&mut self, range: Range<usize>, text: &[u8]) {
        if !text.is_empty() {
            let at = self.text.len() as u32;
            self.spans.push(Span { at, from: range.start as u32, len: range.len() as u32, verbatim: false });
            self.text.extend_from_slice(text);
        }
    }

    /// The source of a range that is not empty.
    fn source(&self, range: Range<usize>) -> Range<usize> {
        self.source_of(range.start).start..self.source_of(range.end - 1).end
    }

    fn source_of(&self, at: usize) -> Range<usize> {
        let span = self.span(at);
        let from = span.from as usize;
        if span.verbatim {
            let from = from + (at - span.at as usize);
            from..from + 1
        } else {
            from..from + span.len as usize
        }
    }

    fn span(&self, at: usize) -> &Span {
        let next = self.spans.partition_point(|span| span.at as usize <= at);
        &self.spans[next.saturating_sub(1)]
    }
}

/// How a text came to be: the view it is the text of, and the text that was read from in turn.
#[derive(Clone, Copy)]
pub(super) struct Trace<'a> {
    pub(super) view: &'a View,
    pub(super) parent: Option<&'a Trace<'a>>,
}

impl Trace<'_> {
    /// The range of the first text of all that `range`, which is not empty, was read from.
    pub(super) fn source(&self, range: Range<usize>) -> Range<usize> {
        let range = self.view.source(range);
        match self.parent {
            Some(parent) if !range.is_empty() => parent.source(range),
            _ => range,
        }
    }

    /// Whether something was left out or replaced right before `at`.
    pub(super) fn is_seam(&self, at: usize) -> bool {
        self.view
            .spans
            .get(self.view.spans.partition_point(|span| (span.at as usize) < at))
            .is_some_and(|span| span.at as usize == at)
    }

    /// Where things were left out or replaced inside of `range`.
    pub(super) fn seams(&self, range: Range<usize>) -> impl Iterator<Item = usize> {
        let first = self.view.spans.partition_point(|span| span.at as usize <= range.start);
        self.view.spans[first..].iter().map(|span| span.at as usize).take_while(move |at| *at < range.end)
    }

    /// Whether `range` stands in the source just so, with the same byte before it.
    pub(super) fn is_verbatim(&self, range: Range<usize>) -> bool {
        let span = self.view.span(range.start);
        let start = span.at as usize;
        span.verbatim && start < range.start && range.end <= start + span.len as usize
    }
}
