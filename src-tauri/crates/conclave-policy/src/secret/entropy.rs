//! Secrets of no known format: strings in source text that look like nothing but chance.
//!
//! Much in ordinary source looks so and is none: digests in lock files, identifiers, encoded images, test vectors. What
//! is known to be such is passed over, so that the rest means something.

use std::ops::Range;

use super::{decode, value};

/// The lengths that are looked at, in bytes: below, chance and words look alike; above are files and images.
const LENGTHS: std::ops::RangeInclusive<usize> = 24..=120;

/// Written right before a digest in lock files and manifests.
const DIGESTS: &[&[u8]] =
    &[b"sha1-", b"sha256-", b"sha384-", b"sha512-", b"h1:", b"sha1:", b"sha256:", b"sha512:", b"md5:"];

/// The values in quotes, or behind `=`, `:` or `Bearer`, that look drawn at random.
pub(super) fn find(text: &[u8]) -> Vec<Range<usize>> {
    let runs = decode::runs(text, *LENGTHS.start(), is_letter).into_iter().map(|run| {
        // The letter of an escape is no part of what follows it.
        let escaped = run.start > 0 && text[run.start - 1] == b'\\';
        run.start + usize::from(escaped)..run.end
    });
    runs.filter(|run| LENGTHS.contains(&run.len()) && is_value(text, run) && looks_random(&text[run.clone()])).collect()
}

fn is_letter(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"+/_-".contains(&byte)
}

/// Whether what stands in `range` is the whole of a value and no digest.
fn is_value(text: &[u8], range: &Range<usize>) -> bool {
    let before = &text[range.start.saturating_sub(8)..range.start];
    let after = text[range.end..].iter().find(|byte| **byte != b'=');
    let opened = match before.last() {
        Some(b'"' | b'\'' | b'`' | b'=' | b':') => true,
        Some(b' ') => before.ends_with(b"Bearer ") || before.ends_with(b": ") || before.ends_with(b"= "),
        _ => false,
    };
    let closed = after.is_none_or(|byte| b"\"'`\\ \t\r\n;,&".contains(byte));
    opened && closed && !DIGESTS.iter().any(|name| before.ends_with(name) || text[range.clone()].starts_with(name))
}

fn looks_random(value: &[u8]) -> bool {
    let signs = value.iter().filter(|byte| !byte.is_ascii_alphanumeric()).count();
    signs * 6 <= value.len() && value::is_noise(value)
}
