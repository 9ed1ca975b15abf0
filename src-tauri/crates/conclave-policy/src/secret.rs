//! Finds secrets in bytes that are about to leave the machine, and takes them out.
//!
//! A secret is looked for in the bytes as they are and in everything they can be read as: escapes undone, percent
//! signs, base64 and hexadecimal decoded, lines and string literals joined. Every reading remembers which bytes it was
//! made of, so that a find always names a range of the original.
//!
//! This is the last look before a send, not a proof: a secret of no known shape, encrypted or compressed, is not seen.
//! It performs no IO, keeps nothing, and never puts a secret into a label or an error.
//!
//! Invariants: hits are sorted, apart from each other and within the bytes; what [`redact`] makes of the hits of
//! [`scan`] scans clean; a JSON document stays one; time and memory grow no faster than the bytes do.

mod decode;
mod entropy;
mod format;
mod join;
mod redact;
#[cfg(any(test, feature = "samples"))]
pub mod sample;
mod search;
mod value;
mod view;

use std::ops::Range;

pub use redact::redact;

/// The most bytes that are scanned at once: 16 MiB.
pub const MAX_BYTES: usize = 16 << 20;

/// Known values shorter than this many bytes are not looked for: local servers are given keys such as `none`, and those
/// words are everywhere.
pub const MIN_KNOWN: usize = 8;

/// A secret found in the bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// What it was taken for: the id of a format, `known-key` or `high-entropy`. Never a part of the secret.
    pub label: String,
    /// Where it stands in the bytes, the whole encoded run if it is encoded.
    pub range: Range<usize>,
}

/// What a label means, in words for people.
pub fn title(label: &str) -> &str {
    match label {
        search::KNOWN => "a key that is kept here",
        search::HIGH_ENTROPY => "a value that looks like nothing but chance",
        _ => format::FORMATS.list.iter().find(|format| format.id == label).map_or(label, |format| &format.title),
    }
}

/// Why bytes were not scanned; such bytes must not be sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unscannable {
    /// More bytes than [`MAX_BYTES`].
    #[error("a body of {bytes} bytes is too large to be checked for secrets; the limit is {MAX_BYTES}")]
    TooLarge {
        /// How many there are.
        bytes: usize,
    },
    /// So many or so long known values that no search for them can be built.
    #[error("there are too many known secrets to look for")]
    TooManyKnown,
    /// Encodings within encodings, in more ways than can be followed.
    #[error("the body is encoded in too many ways at once to be checked for secrets")]
    TooNested,
    /// What is left after redaction still shows secrets, however often it is redacted.
    #[error("secrets in the body are too entangled to be taken out")]
    Entangled,
}

/// Finds the secrets in `bytes`: those of a known format, those that look like nothing else, and the `known` values
/// themselves, in every encoding that is understood.
///
/// # Errors
///
/// [`Unscannable`] if the bytes could not be checked as a whole. Nothing may be sent then.
pub fn scan(bytes: &[u8], known: &[&str]) -> Result<Vec<Hit>, Unscannable> {
    if bytes.len() > MAX_BYTES {
        return Err(Unscannable::TooLarge { bytes: bytes.len() });
    }
    let mut hits = find(bytes, known)?;
    // Taking something out moves its neighbours together, and together they may read as something else.
    for _ in 0..ROUNDS {
        if hits.is_empty() {
            return Ok(hits);
        }
        let left = redact::Redacted::new(bytes, &hits);
        let more = find(&left.bytes, known)?;
        if more.is_empty() {
            return Ok(hits);
        }
        hits.extend(more.into_iter().map(|hit| Hit { range: left.source(hit.range), ..hit }));
        hits = settle(bytes, hits);
    }
    Err(Unscannable::Entangled)
}

/// How often what is left is looked at again. Each round adds to what is taken out; more than two are not met in
/// practice.
const ROUNDS: usize = 8;

fn find(bytes: &[u8], known: &[&str]) -> Result<Vec<Hit>, Unscannable> {
    Ok(settle(bytes, search::find(bytes, known)?))
}

/// Sorts the hits, widens them to whole escapes and merges those that touch. A merged hit is called by its longest part.
fn settle(bytes: &[u8], mut hits: Vec<Hit>) -> Vec<Hit> {
    for hit in &mut hits {
        hit.range = redact::whole_escapes(bytes, hit.range.clone());
    }
    hits.retain(|hit| !hit.range.is_empty());
    hits.sort_by_key(|hit| (hit.range.start, std::cmp::Reverse(hit.range.end)));
    let mut merged: Vec<Hit> = Vec::new();
    for hit in hits {
        match merged.last_mut() {
            Some(last) if hit.range.start < last.range.end => {
                if hit.range.len() > last.range.len() {
                    last.label = hit.label;
                }
                last.range.end = last.range.end.max(hit.range.end);
            }
            _ => merged.push(hit),
        }
    }
    merged
}

#[cfg(test)]
mod tests;
