//! When a fix may be applied without a person: never, unless the person allowed it and enough was right before.
//!
//! A person names cells: a severity, a family of weaknesses, a language and the least evidence. In a cell the gate is
//! open only while the lower bound of the share of right fixes is at the target or above. Deliberately absent: applying.

use serde::{Deserialize, Serialize};

use crate::evidence::{Check, CheckOutcome, outcome_of};
use crate::finding::{Finding, Severity};
use crate::language::Language;
use crate::record::{Cell, Record};
use crate::resolution::{Conclusion, Resolution, Verdict};
use crate::smell::Smell;
use crate::weakness::Family;

/// A cell in which the person lets Conclave apply fixes, and how sure it must be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AutoApply {
    /// How severe: medium at most.
    pub severity: Severity,
    /// Of which family of weaknesses.
    pub family: Family,
    /// In which language.
    pub language: Language,
    /// The least evidence: `tests`, `red_green` or `behaviour`.
    pub rung: Check,
    /// The least share of right fixes, 50 to 99 percent.
    pub target: Target,
}

/// A share in percent, so that settings are compared exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct Target(u8);

impl Target {
    /// As a share.
    pub fn share(self) -> f64 {
        f64::from(self.0) / 100.0
    }
}

impl TryFrom<u8> for Target {
    type Error = String;

    fn try_from(percent: u8) -> Result<Self, String> {
        match percent {
            50..=99 => Ok(Self(percent)),
            _ => Err(format!("`{percent}` is no target: 50 to 99 percent can be asked for")),
        }
    }
}

impl From<Target> for u8 {
    fn from(target: Target) -> Self {
        target.0
    }
}

/// Why a fix waits for a person.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Waits {
    /// Nobody allowed it.
    #[error("the settings let nothing of this kind be applied without a person")]
    NotAllowed,
    /// There is no recommended fix.
    #[error("no fix is recommended")]
    NoFix,
    /// A check failed, or something about it is suspicious.
    #[error("it wants to be read: {0}")]
    Read(String),
    /// Too few outcomes, or too many wrong ones.
    #[error("{right} of {n} fixes like it were right: at least {bound:.2} can be said, {target:.2} is wanted")]
    Unproven {
        /// How many were right.
        right: u32,
        /// How many there were.
        n: u32,
        /// What is at least true of them.
        bound: f64,
        /// What the person wants.
        target: f64,
    },
}

/// The recommended fix of `resolution`, if it may be applied without a person.
///
/// # Errors
/// Why it waits for one.
pub fn may_apply<'a>(
    allowed: &[AutoApply],
    finding: &Finding,
    resolution: &'a Resolution,
    record: &Record,
) -> Result<&'a Verdict, Waits> {
    let detection = &finding.detection;
    let language = detection.location.as_ref().and_then(|location| Language::of_path(&location.path));
    let (severity, family) = (detection.severity, Family::of(&detection.rule.cwe));
    let here = |cell: &&AutoApply| {
        (cell.severity, cell.family, Some(cell.language)) == (severity, family, language)
            && !cell.severity.at_least(Severity::High)
            && matches!(cell.rung, Check::Tests | Check::RedGreen | Check::Behaviour)
    };
    let cells: Vec<&AutoApply> = allowed.iter().filter(here).collect();
    if cells.is_empty() {
        return Err(Waits::NotAllowed);
    }
    let (Conclusion::Recommended { .. }, Some(best)) = (&resolution.conclusion, resolution.recommended()) else {
        return Err(Waits::NoFix);
    };
    let evidence = &best.judged.evidence;
    if let Some(failed) = evidence.iter().find(|e| e.outcome == CheckOutcome::Fail) {
        return Err(Waits::Read(format!("{} failed", failed.check.label())));
    }
    if let Some(Smell { kind, .. }) = best.judged.smells.first() {
        return Err(Waits::Read(kind.label().to_owned()));
    }
    let reached = |check| {
        outcome_of(evidence, check) == CheckOutcome::Pass && !evidence.iter().any(|e| e.check == check && e.weaker)
    };
    let mut waits = Waits::Read("too little was checked".to_owned());
    for cell in cells.into_iter().filter(|cell| reached(cell.rung) && reached(Check::Tests)) {
        let key = Cell { severity, family, language: cell.language, rung: cell.rung };
        let (right, wrong) = record.counted(key);
        let (bound, target) = (lower_bound(right, wrong), cell.target.share());
        if bound >= target {
            return Ok(best);
        }
        waits = Waits::Unproven { right, n: right + wrong, bound, target };
    }
    Err(waits)
}

/// How sure a lower bound is.
const DOUBT: f64 = 0.05;

/// The share that at least `right` of `right + wrong` speaks for, with 95 % on one side (Clopper and Pearson, exact).
///
/// It is the share at which so many right ones, or more, would be seen in one of twenty cases.
pub fn lower_bound(right: u32, wrong: u32) -> f64 {
    if right == 0 {
        return 0.0;
    }
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if at_least(right, wrong, middle) < DOUBT { low = middle } else { high = middle }
    }
    low
}

/// The probability of `right` or more among `right + wrong` at the share `p`, between 0 and 1.
fn at_least(right: u32, wrong: u32, p: f64) -> f64 {
    // From all right down to `right`, each from the one before: C(n, k) = C(n, k + 1) (k + 1) / (n - k).
    let n = f64::from(right) + f64::from(wrong);
    let mut log = n * p.ln();
    let mut sum = log.exp();
    for missing in 1..=wrong {
        let k = n - f64::from(missing);
        log += ((k + 1.0) / (n - k)).ln() + (1.0 - p).ln() - p.ln();
        sum += log.exp();
    }
    sum
}

#[cfg(test)]
mod tests;
