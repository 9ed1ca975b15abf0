//! Two configurations on the same findings, and what a person prefers without knowing which is which.
//!
//! Deliberately absent: IO; a seed is handed in. Invariants: which arm stands left follows from the seed and the finding
//! alone; a figure is of pairs that are settled, and has its count beside it.

use serde::{Deserialize, Serialize};

use crate::calibration::wilson;
use crate::digest::Digest;
use crate::evidence::{Check, CheckOutcome, outcome_of};
use crate::id::{FindingId, RunId};
use crate::money::Money;
use crate::resolution::{Resolution, Verdict};

/// One of the two configurations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Arm {
    /// The first that was named.
    A,
    /// The second.
    B,
}

impl Arm {
    /// Both.
    pub const ALL: [Self; 2] = [Self::A, Self::B];

    /// The other one.
    pub fn other(self) -> Self {
        match self {
            Self::A => Self::B,
            Self::B => Self::A,
        }
    }

    /// Which stands left for `finding`.
    pub fn left(seed: u32, finding: &FindingId) -> Self {
        Self::drawn("left", seed, finding)
    }

    /// Which is run first for `finding`; says nothing of the sides.
    pub fn first(seed: u32, finding: &FindingId) -> Self {
        Self::drawn("first", seed, finding)
    }

    fn drawn(what: &str, seed: u32, finding: &FindingId) -> Self {
        let digest = Digest::of_parts([what, &seed.to_string(), finding.as_str()]);
        let is_odd = digest.as_str().ends_with(['1', '3', '5', '7', '9', 'b', 'd', 'f']);
        if is_odd { Self::B } else { Self::A }
    }
}

/// What a person prefers of two fixes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "wire", derive(schemars::JsonSchema, specta::Type))]
#[serde(rename_all = "snake_case")]
pub enum Preference {
    /// The one on the left.
    Left,
    /// The one on the right.
    Right,
    /// One is as good as the other.
    Both,
    /// None of them will do.
    Neither,
}

/// What one configuration came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Outcome {
    /// Its run came to its end.
    Resolved {
        /// With this.
        resolution: Box<Resolution>,
    },
    /// Its run broke off.
    Failed {
        /// Why, in words.
        why: String,
    },
}

impl Outcome {
    /// The result of the run.
    pub fn resolution(&self) -> Option<&Resolution> {
        match self {
            Self::Resolved { resolution } => Some(resolution),
            Self::Failed { .. } => None,
        }
    }

    /// The fix that it shows first: the recommended one, or what a person would be shown in place of one.
    pub fn fix(&self) -> Option<&Verdict> {
        self.resolution()?.shown().next()
    }
}

/// What both configurations came to for one finding.
#[derive(Clone, Debug, PartialEq)]
pub struct Pair {
    /// Its number.
    pub id: i64,
    /// The finding.
    pub finding: FindingId,
    /// The run of each arm.
    pub runs: [RunId; 2],
    /// What each came to; `None` while it has not.
    pub outcomes: [Option<Outcome>; 2],
    /// What a person prefers; once said it stays.
    pub preference: Option<Preference>,
}

/// Where a pair stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// One of the two has not been run.
    Pending,
    /// One of the two broke off, so there is nothing to compare.
    Failed,
    /// Both show a fix that comes to the same.
    Same,
    /// None of the two shows a fix.
    NoFix,
    /// It waits for a person.
    Waiting,
    /// A person chose.
    Chosen(Preference),
}

impl Pair {
    /// The run of `arm`.
    pub fn run(&self, arm: Arm) -> &RunId {
        &self.runs[arm as usize]
    }

    /// What `arm` came to.
    pub fn outcome(&self, arm: Arm) -> Option<&Outcome> {
        self.outcomes[arm as usize].as_ref()
    }

    /// Where it stands.
    pub fn standing(&self) -> Standing {
        let [Some(a), Some(b)] = &self.outcomes else { return Standing::Pending };
        if a.resolution().is_none() || b.resolution().is_none() {
            return Standing::Failed;
        }
        match (a.fix(), b.fix(), self.preference) {
            (None, None, _) => Standing::NoFix,
            (Some(a), Some(b), _) if is_same(a, b) => Standing::Same,
            (_, _, Some(preference)) => Standing::Chosen(preference),
            (_, _, None) => Standing::Waiting,
        }
    }
}

fn is_same(a: &Verdict, b: &Verdict) -> bool {
    let shapes = (&a.judged.shape, &b.judged.shape);
    a.judged.candidate.patch == b.judged.candidate.patch || matches!(shapes, (Some(a), Some(b)) if a.is_like(b))
}

/// Where the interval of a report is from.
pub const INTERVAL: &str = "Wilson score interval, 95 %";
/// As wide as 95 of a hundred, to both sides.
const Z: f64 = 1.96;

/// A comparison, added up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// When it was made, in milliseconds since 1970-01-01 UTC.
    pub at: i64,
    /// The digest of the settings that all runs went by.
    pub settings: Digest,
    /// How many findings there are.
    pub findings: u32,
    /// How many of them are not settled yet, and in no figure.
    pub open: u32,
    /// How many could not be compared because a run broke off.
    pub failed: u32,
    /// For how many both show a fix that comes to the same.
    pub same: u32,
    /// For how many none shows a fix.
    pub no_fix: u32,
    /// What people chose.
    pub chosen: Tally,
    /// The share of the first configuration among those where one was preferred; `None` without any.
    pub preference: Option<Share>,
    /// Each configuration by itself.
    pub arms: [ArmReport; 2],
}

/// What people chose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// The first configuration.
    pub a: u32,
    /// The second.
    pub b: u32,
    /// Both alike.
    pub both: u32,
    /// None of them.
    pub neither: u32,
}

/// A share with its interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Share {
    /// Of how many.
    pub n: u32,
    /// The share.
    pub p: f64,
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

impl Tally {
    /// The share of the first among those where one was preferred.
    pub fn share(&self) -> Option<Share> {
        let n = self.a + self.b;
        let p = (n > 0).then(|| f64::from(self.a) / f64::from(n))?;
        let (low, high) = wilson(p, n.into(), Z);
        Some(Share { n, p, low, high })
    }

    fn add(&mut self, preference: Preference, left: Arm) {
        match (preference, left) {
            (Preference::Left, Arm::A) | (Preference::Right, Arm::B) => self.a += 1,
            (Preference::Left, Arm::B) | (Preference::Right, Arm::A) => self.b += 1,
            (Preference::Both, _) => self.both += 1,
            (Preference::Neither, _) => self.neither += 1,
        }
    }
}

/// What one configuration came to and what it took, over all findings that are settled.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ArmReport {
    /// So many runs.
    pub n: u32,
    /// So many of them show a fix.
    pub fixes: u32,
    /// How those fixes stand on each rung of the ladder.
    pub rungs: Vec<Rung>,
    /// What it cost.
    pub cost: Cost,
    /// The middle of the times until all had answered, in milliseconds.
    pub analysis_ms: Option<u64>,
    /// The middle of the times for all checks, in milliseconds.
    pub verification_ms: Option<u64>,
}

/// How fixes stand on one rung of the ladder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rung {
    /// Which.
    pub check: Check,
    /// So many passed.
    pub passed: u32,
    /// So many failed.
    pub failed: u32,
    /// So many were not looked at, or could not be.
    pub not_run: u32,
}

/// What runs cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cost {
    /// So many questions to models.
    pub calls: u32,
    /// What those cost whose price is known.
    pub spent: Money,
    /// So many have a cost that is not known; it is in no sum.
    pub unknown: u32,
}

impl Cost {
    fn add(&mut self, other: Self) {
        self.calls = self.calls.saturating_add(other.calls);
        self.unknown = self.unknown.saturating_add(other.unknown);
        match self.spent.checked_add(other.spent) {
            Some(spent) => self.spent = spent,
            None => self.unknown = self.unknown.saturating_add(other.calls),
        }
    }
}

/// Adds `pairs` up, whose sides were drawn with `seed`. `cost` says what the run of each arm cost.
pub fn report(pairs: &[Pair], seed: u32, (at, settings): (i64, Digest), cost: impl Fn(&RunId) -> Cost) -> Report {
    let settled: Vec<&Pair> = pairs.iter().filter(|pair| is_settled(pair)).collect();
    let count = |standing: Standing| size(pairs.iter().filter(|pair| pair.standing() == standing).count());
    let mut chosen = Tally::default();
    for pair in &settled {
        if let Standing::Chosen(preference) = pair.standing() {
            chosen.add(preference, Arm::left(seed, &pair.finding));
        }
    }
    Report {
        at,
        settings,
        findings: size(pairs.len()),
        open: size(pairs.len() - settled.len()),
        failed: count(Standing::Failed),
        same: count(Standing::Same),
        no_fix: count(Standing::NoFix),
        preference: chosen.share(),
        chosen,
        arms: Arm::ALL.map(|arm| of_arm(arm, &settled, &cost)),
    }
}

/// Whether nothing is left to be done or chosen.
pub fn is_settled(pair: &Pair) -> bool {
    !matches!(pair.standing(), Standing::Pending | Standing::Waiting)
}

fn of_arm(arm: Arm, settled: &[&Pair], cost: &impl Fn(&RunId) -> Cost) -> ArmReport {
    let mut sum = Cost::default();
    for pair in settled {
        sum.add(cost(pair.run(arm)));
    }
    let outcomes: Vec<&Outcome> = settled.iter().filter_map(|pair| pair.outcome(arm)).collect();
    let resolutions = || outcomes.iter().filter_map(|outcome| outcome.resolution());
    let fixes: Vec<&Verdict> = outcomes.iter().filter_map(|outcome| outcome.fix()).collect();
    let rung = |check: Check| {
        let count = |wanted: &[CheckOutcome]| {
            size(fixes.iter().filter(|fix| wanted.contains(&outcome_of(&fix.judged.evidence, check))).count())
        };
        let (passed, failed) = (count(&[CheckOutcome::Pass]), count(&[CheckOutcome::Fail]));
        Rung { check, passed, failed, not_run: size(fixes.len()) - passed - failed }
    };
    ArmReport {
        n: size(settled.len()),
        fixes: size(fixes.len()),
        rungs: Check::ALL.into_iter().map(rung).collect(),
        cost: sum,
        analysis_ms: middle(resolutions().map(|resolution| resolution.analysis_ms)),
        verification_ms: middle(resolutions().map(|resolution| resolution.verification_ms)),
    }
}

/// The middle one; the lower of two.
fn middle(times: impl Iterator<Item = u64>) -> Option<u64> {
    let mut times: Vec<u64> = times.collect();
    times.sort_unstable();
    times.get(times.len().checked_sub(1)? / 2).copied()
}

fn size(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
