//! Reads bytes in every way that is understood and collects what is found in each reading.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hasher as _};
use std::ops::Range;

use aho_corasick::AhoCorasick;
use memchr::memmem::Finder;

use super::decode::{self, BASE64, Code, HEX};
use super::format::{FORMATS, Place};
use super::join::{self, Margin};
use super::view::{Trace, View};
use super::{Hit, MIN_KNOWN, Unscannable, entropy};

/// The label of a value that the caller knows to be a secret.
pub(super) const KNOWN: &str = "known-key";

/// The label of a value that only looks like a secret.
pub(super) const HIGH_ENTROPY: &str = "high-entropy";

/// How many bytes may be read in all, as a multiple of the bytes given. An ordinary body takes about ten.
const WORK: usize = 200;

/// The least bytes that a run must stand for to be decoded; a known secret may be shorter.
const LEAST_DECODED: usize = 12;

/// What is in `bytes`, in no order and overlapping.
pub(super) fn find(bytes: &[u8], known: &[&str]) -> Result<Vec<Hit>, Unscannable> {
    let known = known.iter().map(|value| value.trim()).filter(|value| value.len() >= MIN_KNOWN);
    let known = Known(known.map(Finder::new).collect());
    let least = known.0.iter().map(|value| value.needle().len()).min().unwrap_or(LEAST_DECODED).min(LEAST_DECODED);
    let work = bytes.len() * WORK + (1 << 16);
    let mut search = Search { known, least, work, seen: HashSet::new(), hits: Vec::new() };
    search.read(bytes, None, START)?;
    Ok(search.hits)
}

/// The values that the caller knows to be secrets.
struct Known<'a>(Vec<Finder<'a>>);

impl Known<'_> {
    fn are_in(&self, text: &[u8]) -> bool {
        self.0.iter().any(|value| value.find(text).is_some())
    }

    /// Where they stand in `text`, overlapping. They are nearly always in none: only where one is, it is worth it to
    /// build what finds all of them at once.
    fn find(&self, text: &[u8]) -> Result<Vec<Range<usize>>, Unscannable> {
        if !self.are_in(text) {
            return Ok(Vec::new());
        }
        let all = AhoCorasick::new(self.0.iter().map(Finder::needle)).map_err(|_| Unscannable::TooManyKnown)?;
        Ok(all.find_overlapping_iter(text).map(|found| found.range()).collect())
    }
}

struct Search<'a> {
    known: Known<'a>,
    /// The least bytes that a run must stand for to be decoded.
    least: usize,
    /// How many bytes may still be read.
    work: usize,
    /// The texts that were made of the one that is being read, which is reached in more than one order.
    seen: HashSet<u64>,
    hits: Vec<Hit>,
}

/// Which readings of a text are still to be tried.
#[derive(Clone, Copy)]
struct Left {
    /// Levels of escapes and percent signs together.
    levels: u8,
    /// Levels of escapes.
    escapes: u8,
    /// Levels of percent signs.
    percents: u8,
    /// Levels of base64 and hexadecimal.
    codes: u8,
    lines: bool,
    zeros: bool,
    /// Whether the text was decoded from a run. What comes before a secret in it may be noise, and chance says nothing.
    decoded: bool,
    /// Whether the text was joined, so that what looks like one word may be two.
    joined: bool,
}

/// A string in a document in a string in a body, written in code: three levels.
const START: Left =
    Left { levels: 4, escapes: 3, percents: 2, codes: 2, lines: true, zeros: true, decoded: false, joined: false };

impl Search<'_> {
    fn read(&mut self, text: &[u8], trace: Option<&Trace<'_>>, left: Left) -> Result<(), Unscannable> {
        self.work = self.work.checked_sub(text.len()).ok_or(Unscannable::TooNested)?;
        self.look(text, trace, left)?;
        if left.zeros {
            self.follow(decode::without_zeros(text), trace, Left { zeros: false, ..left })?;
        }
        if let (Some(levels), Some(escapes)) = (left.levels.checked_sub(1), left.escapes.checked_sub(1)) {
            self.follow(decode::unescape(text), trace, Left { levels, escapes, ..left })?;
        }
        if let (Some(levels), Some(percents)) = (left.levels.checked_sub(1), left.percents.checked_sub(1)) {
            self.follow(decode::percent(text), trace, Left { levels, percents, ..left })?;
        }
        if left.lines {
            let left = Left { levels: 0, lines: false, zeros: false, joined: true, ..left };
            self.follow(join::join(text, Margin::Bare), trace, left)?;
            if join::has_marks(text) {
                self.follow(join::join(text, Margin::Marked), trace, left)?;
            }
        }
        if left.codes > 0 {
            self.decode(&BASE64, text, trace, left)?;
            self.decode(&HEX, text, trace, left)?;
        }
        Ok(())
    }

    fn follow(&mut self, view: Option<View>, parent: Option<&Trace<'_>>, left: Left) -> Result<(), Unscannable> {
        match view {
            Some(view) if self.seen.insert(hash(&view.text)) => {
                self.read(&view.text, Some(&Trace { view: &view, parent }), left)
            }
            _ => Ok(()),
        }
    }

    fn decode(&mut self, code: &Code, text: &[u8], trace: Option<&Trace<'_>>, left: Left) -> Result<(), Unscannable> {
        let mut runs = code.runs(text, code.letters(self.least));
        // What stands in the source just so was decoded there.
        runs.retain(|run| trace.is_none_or(|trace| !trace.is_verbatim(run.clone())));
        let left = Left {
            levels: 2,
            escapes: 1,
            percents: 1,
            codes: left.codes - 1,
            lines: true,
            zeros: true,
            decoded: true,
            joined: false,
        };
        for shift in 0..code.shifts {
            let view = decode::decode(code, text, &runs, shift, |bytes| self.is_text(bytes));
            // The same text decoded elsewhere is another find.
            let seen = std::mem::take(&mut self.seen);
            self.follow(view, trace, left)?;
            self.seen = seen;
        }
        Ok(())
    }

    /// Whether decoded bytes are worth a look: some of them in a row are text, or a known secret is among them. What was
    /// no encoding at all decodes to noise, and there is much of that.
    fn is_text(&self, bytes: &[u8]) -> bool {
        let is_text = |byte: &u8| matches!(byte, 0 | b'\t' | b'\n' | b'\r' | 0x20..=0x7E);
        bytes.split(|byte| !is_text(byte)).any(|text| text.len() >= self.least) || self.known.are_in(bytes)
    }

    fn look(&mut self, text: &[u8], trace: Option<&Trace<'_>>, left: Left) -> Result<(), Unscannable> {
        let Self { known, hits, .. } = self;
        let mut add = |label: &str, range: Range<usize>| {
            let range = trace.map_or(range.clone(), |trace| trace.source(range));
            hits.push(Hit { label: label.into(), range });
        };
        known.find(text)?.into_iter().for_each(|range| add(KNOWN, range));
        let place = Place { text, trace, decoded: left.decoded, joined: left.joined };
        for (format, range) in FORMATS.find(place) {
            add(&format.id, range);
        }
        if !left.decoded && !left.joined {
            entropy::find(text).into_iter().for_each(|range| add(HIGH_ENTROPY, range));
        }
        Ok(())
    }
}

fn hash(text: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(text);
    hasher.finish()
}
