//! What a model says of two fixes beside each other.
//!
//! It is an opinion with a bounded weight: it can order fixes that evidence does not tell apart, and never lifts one
//! past a failed check. Invariant: who is asked twice and changes their mind has said nothing.

use serde::{Deserialize, Serialize};

use crate::candidate::{Origin, family_of};
use crate::confidence::Term;
use crate::id::CandidateId;

/// Which of two fixes is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "wire", derive(schemars::JsonSchema, specta::Type))]
#[serde(rename_all = "snake_case")]
pub enum Choice {
    /// The first.
    A,
    /// The second.
    B,
    /// Both are as good.
    Tie,
    /// Both are wrong.
    Neither,
}

impl Choice {
    /// The same choice when the fixes are named the other way round.
    #[must_use]
    pub fn swapped(self) -> Self {
        match self {
            Self::A => Self::B,
            Self::B => Self::A,
            other => other,
        }
    }
}

/// Why a fix that looks right is wrong: the causes that people found in wrong fixes, commonest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// The program no longer does what it did.
    ChangesFunction,
    /// The cause is still there.
    SymptomOnly,
    /// The check lets attacks through.
    WeakGuard,
    /// A function is used wrongly, or does not exist.
    WrongApi,
    /// The means does not fit the weakness.
    WrongMitigation,
    /// People who know the code would argue about it.
    Controversial,
}

impl Fault {
    /// For people.
    pub fn label(self) -> &'static str {
        match self {
            Self::ChangesFunction => "changes what the program does",
            Self::SymptomOnly => "leaves the cause",
            Self::WeakGuard => "lets attacks through",
            Self::WrongApi => "uses a function wrongly",
            Self::WrongMitigation => "uses means that do not fit",
            Self::Controversial => "is a matter of dispute",
        }
    }
}

/// Two fixes beside each other, looked at in both orders.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judgement {
    /// One fix.
    pub a: CandidateId,
    /// The other.
    pub b: CandidateId,
    /// What was said with `a` first and with `b` first, both times in terms of `a` and `b`.
    pub orders: [Choice; 2],
    /// What was found wrong with `a` both times.
    pub faults_a: Vec<Fault>,
    /// What was found wrong with `b` both times.
    pub faults_b: Vec<Fault>,
    /// The model that was asked, by its name in the settings.
    pub judge: String,
    /// Its family.
    pub family: String,
}

impl Judgement {
    /// What it comes to.
    pub fn choice(&self) -> Choice {
        let [first, second] = self.orders;
        if first == second { first } else { Choice::Tie }
    }

    /// 1 when `candidate` is the better one, -1 when it is not, 0 without a difference; `None` when it is another's.
    fn score(&self, candidate: &CandidateId) -> Option<f64> {
        let own = if *candidate == self.a {
            Choice::A
        } else if *candidate == self.b {
            Choice::B
        } else {
            return None;
        };
        Some(match self.choice() {
            Choice::Tie => 0.0,
            choice if choice == own => 1.0,
            _ => -1.0,
        })
    }
}

/// The most that judges count, in log-odds.
const MOST: f64 = 1.0;
/// What a won comparison counts.
const WON: f64 = 0.8;
/// A judge prefers its own family's work, so there its word counts this much.
const OWN_FAMILY: f64 = 0.5;

/// What `judgements` add to the log-odds of `candidate`, which `origin` wrote.
pub fn term(candidate: &CandidateId, origin: &Origin, judgements: &[Judgement]) -> Option<Term> {
    let family = vote_family(origin);
    let mut scores: Vec<(&str, f64)> = judgements
        .iter()
        .filter_map(|judgement| {
            let weight = if judgement.family == family { OWN_FAMILY } else { 1.0 };
            Some((judgement.judge.as_str(), judgement.score(candidate)? * weight))
        })
        .collect();
    if scores.is_empty() {
        return None;
    }
    // Sums of floating numbers depend on their order.
    scores.sort_by(|a, b| a.0.cmp(b.0).then(a.1.total_cmp(&b.1)));
    let mean = scores.iter().map(|(_, score)| score).sum::<f64>() / scores.len() as f64;
    let value = (WON * mean).clamp(-MOST, MOST);
    let verdict = match value {
        v if v > 0.0 => "better than the other fix",
        v if v < 0.0 => "not better than the other fix, or wrong",
        _ => "no difference that lasts in both orders",
    };
    scores.dedup_by_key(|(judge, _)| *judge);
    let judges: Vec<&str> = scores.iter().map(|(judge, _)| *judge).collect();
    Some(Term { label: format!("Judge {}: {verdict}", judges.join(", ")), value })
}

/// The family that an answer of `origin` counts to: those of one family err together.
pub fn vote_family(origin: &Origin) -> String {
    match origin {
        // No model has these names: a family is made of letters.
        Origin::Recipe { .. } => "recipe:".to_owned(),
        Origin::Scanner { .. } => "scanner:".to_owned(),
        Origin::Model { family, model, .. } if family.is_empty() => family_of(model),
        Origin::Model { family, .. } => family.clone(),
        Origin::Synthesis { family, .. } if !family.is_empty() => family.clone(),
        Origin::Synthesis { .. } => "synthesis:".to_owned(),
        Origin::Pattern { .. } => "pattern:".to_owned(),
        Origin::Person { .. } => "person:".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Choice::{A, B, Neither, Tie};

    fn judgement(orders: [Choice; 2], family: &str) -> Judgement {
        Judgement {
            a: CandidateId::new("a"),
            b: CandidateId::new("b"),
            orders,
            faults_a: Vec::new(),
            faults_b: Vec::new(),
            judge: format!("the {family}"),
            family: family.to_owned(),
        }
    }

    #[test]
    fn what_changes_with_the_order_is_a_tie_and_the_own_family_counts_half() {
        let origin = Origin::Model {
            model: "claude-x".to_owned(),
            endpoint: "e".to_owned(),
            local: false,
            family: "claude".to_owned(),
        };
        let value = |name: &str, list: &[Judgement]| term(&CandidateId::new(name), &origin, list).map(|t| t.value);
        for (orders, of_a, of_b) in [
            ([A, A], 0.8, -0.8),
            ([B, B], -0.8, 0.8),
            ([A, B], 0.0, 0.0),
            ([Tie, Tie], 0.0, 0.0),
            ([A, Tie], 0.0, 0.0),
            ([Neither, Neither], -0.8, -0.8),
        ] {
            let list = [judgement(orders, "gpt")];
            assert_eq!((value("a", &list), value("b", &list)), (Some(of_a), Some(of_b)), "{orders:?}");
            assert_eq!(value("c", &list), None);
        }
        assert_eq!(value("a", &[judgement([A, A], "claude")]), Some(0.4));
        let many = vec![judgement([A, A], "gpt"); 9];
        assert_eq!(value("a", &many), Some(0.8));
    }
}
