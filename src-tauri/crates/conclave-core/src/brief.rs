//! What an analyst sees of a finding.

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::finding::{Finding, Region};
use crate::language::Language;
use crate::path::RelPath;

/// A finding with the code around it, as it was when the run began.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Brief {
    /// The finding, its region moved to where the reported lines stand now.
    pub finding: Finding,
    /// The region as the scanner reported it; its other regions count in the same text.
    pub reported: Option<Region>,
    /// The reported file; `None` where it cannot be used.
    pub file: Option<BriefFile>,
    /// Why there is no file, in words.
    pub unusable: Option<String>,
}

/// The reported file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BriefFile {
    /// Where it is.
    pub path: RelPath,
    /// The digest of its bytes: every later stage works on these or not at all.
    pub digest: Digest,
    /// Its language; `None` where Conclave has no parser.
    pub language: Option<Language>,
    /// The number of the first line of `excerpt`, from 1.
    pub first_line: u32,
    /// The enclosing function, or some lines around the place.
    pub excerpt: String,
}
