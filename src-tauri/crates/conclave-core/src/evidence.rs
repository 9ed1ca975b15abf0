//! One reproducible observation about a candidate.
//!
//! Invariant: "not run" and "not available" are never "passed"; only `Pass` is.

use serde::{Deserialize, Serialize};

use crate::digest::Digest;

/// What is checked, in the order of the ladder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "wire", derive(schemars::JsonSchema, specta::Type))]
#[serde(rename_all = "snake_case")]
pub enum Check {
    /// Every edit fits exactly once.
    Applies,
    /// The whole file parses with no error node that was not there before.
    Parses,
    /// Only allowed paths are touched.
    Paths,
    /// No marker is added that silences a scanner.
    Suppression,
    /// Something that matters changes.
    Effective,
    /// Nothing is added that has no place in a fix: a secret, an encoded text, characters that mislead, a promise of code.
    Content,
    /// The tool that reported it finds it gone, and nothing new as severe.
    Rescan,
    /// The recipe's own detector no longer matches; proves little.
    OwnRule,
    /// Another scanner sees nothing new.
    SecondScan,
    /// The project builds.
    Build,
    /// The project's tests are not worse than before.
    Tests,
    /// A test fails before and passes after.
    RedGreen,
    /// Benign inputs behave as before.
    Behaviour,
}

impl Check {
    /// All, in ladder order.
    pub const ALL: [Self; 13] = [
        Self::Applies,
        Self::Parses,
        Self::Paths,
        Self::Suppression,
        Self::Effective,
        Self::Content,
        Self::Rescan,
        Self::OwnRule,
        Self::SecondScan,
        Self::Build,
        Self::Tests,
        Self::RedGreen,
        Self::Behaviour,
    ];

    /// Whether a failure removes the candidate from recommendation, whatever else speaks for it.
    pub fn is_gate(self) -> bool {
        matches!(self, Self::Applies | Self::Parses | Self::Paths | Self::Suppression | Self::Effective | Self::Content)
    }

    /// The name that people read.
    pub fn label(self) -> &'static str {
        match self {
            Self::Applies => "Applies",
            Self::Parses => "Parses",
            Self::Paths => "Allowed paths",
            Self::Suppression => "Silences nothing",
            Self::Effective => "Changes code",
            Self::Content => "Nothing foreign",
            Self::Rescan => "Re-scan",
            Self::OwnRule => "Own rule",
            Self::SecondScan => "Second scanner",
            Self::Build => "Build",
            Self::Tests => "Tests",
            Self::RedGreen => "Red/green",
            Self::Behaviour => "Behaviour",
        }
    }
}

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "wire", derive(schemars::JsonSchema, specta::Type))]
#[serde(rename_all = "snake_case")]
pub enum CheckOutcome {
    /// It ran and found nothing wrong.
    Pass,
    /// It ran and found something wrong.
    Fail,
    /// It cannot run here; the summary says why.
    NotAvailable,
    /// It could run and did not.
    NotRun,
    /// It ran more than once with different results.
    Flaky,
    /// It broke.
    Error,
}

/// One observation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// What was checked.
    pub check: Check,
    /// How it ended.
    pub outcome: CheckOutcome,
    /// Whether a pass says less than it could: tests that do not reach the change, a proof by the fix's own author.
    #[serde(default)]
    pub weaker: bool,
    /// One line: what was seen, or why it could not be.
    pub summary: String,
    /// The command as a person could repeat it.
    pub command: Option<String>,
    /// The end of its output, at most 16 KiB, control characters removed.
    pub log: Option<String>,
    /// The digest of the whole output.
    pub log_digest: Option<Digest>,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
}

impl Evidence {
    /// An observation without a command.
    pub fn new(check: Check, outcome: CheckOutcome, summary: impl Into<String>) -> Self {
        Self {
            check,
            outcome,
            weaker: false,
            summary: summary.into(),
            command: None,
            log: None,
            log_digest: None,
            duration_ms: 0,
        }
    }
}

/// The outcome of `check` among `evidence`; `NotRun` when nobody looked.
pub fn outcome_of(evidence: &[Evidence], check: Check) -> CheckOutcome {
    evidence.iter().find(|e| e.check == check).map_or(CheckOutcome::NotRun, |e| e.outcome)
}

/// Whether every gate passed.
pub fn gates_pass(evidence: &[Evidence]) -> bool {
    Check::ALL.into_iter().filter(|c| c.is_gate()).all(|check| outcome_of(evidence, check) == CheckOutcome::Pass)
}
