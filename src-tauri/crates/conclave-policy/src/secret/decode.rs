//! The encodings that are undone: escapes, percent signs, zero bytes, base64, hexadecimal.
//!
//! Each gives the view in which it is undone, or none if there is nothing to undo. None of them fails: what is not a
//! sound encoding is left as it is.

use std::ops::Range;

use memchr::memchr;

use super::view::{APART, View};

/// Backslash escapes as in JSON and most languages undone, one level of them.
pub(super) fn unescape(text: &[u8]) -> Option<View> {
    undo(text, b'\\', |rest| {
        let byte = match rest.get(1)? {
            b'n' => b'\n',
            b't' => b'\t',
            b'r' => b'\r',
            b'b' => 8,
            b'f' => 12,
            byte @ (b'"' | b'\\' | b'/' | b'\'' | b'`' | b'$') => *byte,
            b'x' => return Some((4, Char::byte(hex(rest.get(2..4)?)? as u8))),
            b'u' => return unicode(rest),
            _ => return None,
        };
        Some((2, Char::byte(byte)))
    })
}

/// `%XX` undone, one level of it.
pub(super) fn percent(text: &[u8]) -> Option<View> {
    undo(text, b'%', |rest| Some((3, Char::byte(hex(rest.get(1..3)?)? as u8))))
}

/// UTF-16 and UTF-32 of plain text read as ASCII, in either byte order: the zero bytes left out, if there are some in
/// that order anywhere.
pub(super) fn without_zeros(text: &[u8]) -> Option<View> {
    let is_wide = |bytes: &[u8]| bytes.chunks_exact(2).all(|pair| pair[0] == 0 && pair[1] != 0);
    let wide = text[memchr(0, text)?..].windows(12).any(is_wide);
    if wide { undo(text, 0, |_| Some((1, Char { bytes: [0; 4], len: 0 }))) } else { None }
}

/// A character that stands for an escape.
struct Char {
    bytes: [u8; 4],
    len: usize,
}

impl Char {
    fn byte(byte: u8) -> Self {
        Self { bytes: [byte, 0, 0, 0], len: 1 }
    }
}

/// Replaces each escape that `mark` begins and `read` understands: its length and what it stands for.
fn undo(text: &[u8], mark: u8, read: impl Fn(&[u8]) -> Option<(usize, Char)>) -> Option<View> {
    let (mut at, mut done) = (memchr(mark, text)?, 0);
    let mut view = View::of(text);
    while let Some(next) = memchr(mark, &text[at..]) {
        at += next;
        match read(&text[at..]) {
            Some((len, char)) => {
                view.copy_near(text, done..at);
                view.replace(at..at + len, &char.bytes[..char.len]);
                at += len;
                done = at;
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

/// `\uXXXX`, a pair of them for one character, or `\u{X…}`.
fn unicode(rest: &[u8]) -> Option<(usize, Char)> {
    let encode = |len, code| {
        let mut bytes = [0; 4];
        let len_utf8 = char::from_u32(code)?.encode_utf8(&mut bytes).len();
        Some((len, Char { bytes, len: len_utf8 }))
    };
    if rest.get(2) == Some(&b'{') {
        let digits = rest[3..].iter().take(7).position(|byte| *byte == b'}')?;
        return encode(digits + 4, hex(&rest[3..3 + digits])?);
    }
    let high = hex(rest.get(2..6)?)?;
    let low = rest.get(6..12).filter(|low| low.starts_with(br"\u")).and_then(|low| hex(&low[2..]));
    match (high, low) {
        (0xD800..=0xDBFF, Some(low @ 0xDC00..=0xDFFF)) => {
            encode(12, 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00))
        }
        _ => encode(6, high),
    }
}

fn hex(digits: &[u8]) -> Option<u32> {
    let value = |value: Option<u32>, digit: &u8| Some(value? << 4 | char::from(*digit).to_digit(16)?);
    if digits.is_empty() { None } else { digits.iter().fold(Some(0), value) }
}

/// A way of writing bytes as a run of letters.
pub(super) struct Code {
    /// The value of a letter, or [`NONE`].
    values: [u8; 256],
    /// How many bits a letter holds.
    bits: u32,
    /// How many letters a whole number of bytes takes at least: as many ways there are to begin reading a run.
    pub(super) shifts: usize,
}

const NONE: u8 = 0xFF;

/// Base64, of the standard alphabet and of the one for URLs alike.
pub(super) const BASE64: Code = Code {
    values: alphabet(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", b"-_", 62),
    bits: 6,
    shifts: 4,
};

/// Hexadecimal of either case.
pub(super) const HEX: Code = Code { values: alphabet(b"0123456789abcdef", b"ABCDEF", 10), bits: 4, shifts: 2 };

const fn alphabet(letters: &[u8], also: &[u8], from: u8) -> [u8; 256] {
    let mut values = [NONE; 256];
    let mut value = 0;
    while value < letters.len() {
        values[letters[value] as usize] = value as u8;
        value += 1;
    }
    let mut other = 0;
    while other < also.len() {
        values[also[other] as usize] = from + other as u8;
        other += 1;
    }
    values
}

impl Code {
    /// The least letters that hold `bytes` bytes.
    pub(super) fn letters(&self, bytes: usize) -> usize {
        (bytes * 8).div_ceil(self.bits as usize)
    }

    /// The runs of at least `least` letters.
    pub(super) fn runs(&self, text: &[u8], least: usize) -> Vec<Range<usize>> {
        runs(text, least, |byte| self.values[usize::from(byte)] != NONE)
    }

    /// The bytes that a run of letters stands for; what is left over at its end is dropped.
    pub(super) fn decode(&self, run: &[u8], into: &mut Vec<u8>) {
        let (mut held, mut bits) = (0_u32, 0);
        for letter in run {
            held = held << self.bits | u32::from(self.values[usize::from(*letter)]);
            bits += self.bits;
            if bits >= 8 {
                bits -= 8;
                into.push((held >> bits) as u8);
                held &= (1 << bits) - 1;
            }
        }
    }
}

/// The runs of at least `least` bytes that are all letters, whatever a letter is. Where there are none, only every
/// `least`th byte is looked at.
pub(super) fn runs(text: &[u8], least: usize, is_letter: impl Fn(u8) -> bool) -> Vec<Range<usize>> {
    let mut runs = Vec::new();
    let mut start = 0;
    // All bytes from `start` to `sure` are letters.
    let mut sure = 0;
    while start + least <= text.len() {
        let probe = start + least;
        match text[sure..probe].iter().rposition(|byte| !is_letter(*byte)) {
            Some(other) => {
                start = sure + other + 1;
                sure = probe;
            }
            None => {
                let end = probe + text[probe..].iter().take_while(|byte| is_letter(**byte)).count();
                runs.push(start..end);
                start = end + 1;
                sure = start;
            }
        }
    }
    runs
}

/// The runs of `text` decoded, one after another, beginning `shift` letters into each; only those that `keep` wants.
pub(super) fn decode(
    code: &Code,
    text: &[u8],
    runs: &[Range<usize>],
    shift: usize,
    keep: impl Fn(&[u8]) -> bool,
) -> Option<View> {
    let mut view = View::default();
    let mut decoded = Vec::new();
    for run in runs.iter().filter(|run| run.len() > shift) {
        decoded.clear();
        code.decode(&text[run.start + shift..run.end], &mut decoded);
        if keep(&decoded) {
            view.replace(run.clone(), &decoded);
            view.replace(run.end..run.end, APART);
        }
    }
    (!view.text.is_empty()).then_some(view)
}
