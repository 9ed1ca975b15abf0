//! Identity of a finding over time.
//!
//! Own ladder: tool, rule, path, normalised context, and a counter for equal ones in one file. Line numbers are left
//! out, so that code moving up and down keeps its findings. Foreign fingerprints never take part: whoever writes a
//! SARIF file could otherwise take over the identity of a finding that a person dismissed.

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::finding::Detection;

/// A finding's identity: the digest of tool, rule, path, context and counter.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fingerprint(String);

impl Fingerprint {
    /// The identity of `detection`.
    ///
    /// `context` and `nth` as for [`crate::finding::Finding::new`].
    pub fn of(detection: &Detection, context: &str, nth: u32) -> Self {
        let path = detection.location.as_ref().map_or("", |location| location.path.as_str());
        // Without readable text, fall back on what the tool said and where.
        let context = normalise(context);
        let place = if context.is_empty() {
            let line = detection.location.as_ref().and_then(|l| l.region).map_or(0, |r| r.start_line);
            format!("{line}:{}", normalise(&detection.message))
        } else {
            context
        };
        let symbol = detection.symbol.as_deref().unwrap_or_default();
        let nth = nth.to_string();
        let tool = detection.tool.name.as_str();
        Self(Digest::of_parts([tool, &detection.rule.id, path, symbol, &place, &nth]).as_str().to_owned())
    }

    /// Wraps a text that was a fingerprint before.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// 64 hexadecimal digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// `text` with every run of white space as one blank, so that re-indenting keeps the identity.
pub fn normalise(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
