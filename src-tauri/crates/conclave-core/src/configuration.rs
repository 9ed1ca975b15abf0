//! A way of coming to a fix that can be compared with another: the panel of the settings, or one of the plainer designs.
//!
//! A design is one variant of [`Design`] and its arms. Invariants: every design climbs the same ladder and has its
//! confidence from evidence alone; only [`Design::Majority`] is not chosen by evidence, and its resolution says so; no
//! configuration lifts the limit of a tier.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::finding::Severity;
use crate::resolution::Selection;
use crate::tier::{Mode, Role, Tier};

/// Most answers of one model in [`Design::BestOf`].
const MOST_SAMPLES: u8 = 9;

/// How a fix is come to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Design {
    /// What the settings say: models, recipes, the scanner's own fix and learned patterns, judges and a synthesis.
    #[default]
    Panel,
    /// Models one after another; each is shown the answer before its own, and the last answer counts.
    Chain,
    /// One answer of the one model that suits best.
    Single,
    /// The models of the panel; the fix that most of them came to is taken, by count alone.
    Majority,
    /// So many answers of the one model that suits best; evidence chooses among them.
    BestOf(u8),
}

/// A text that names no design.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no design; there are `panel`, `chain`, `single`, `majority` and `best-of-2` to `best-of-{MOST_SAMPLES}`"
)]
pub struct NoDesign(String);

impl Design {
    /// One of each, for lists.
    pub const ALL: [Self; 5] = [Self::Panel, Self::Chain, Self::Single, Self::Majority, Self::BestOf(3)];

    /// What it does, in one line.
    pub fn label(self) -> String {
        match self {
            Self::Panel => "the panel of your settings".to_owned(),
            Self::Chain => "each model improves on the answer before its own".to_owned(),
            Self::Single => "one answer of the model that suits best".to_owned(),
            Self::Majority => "the fix that most models came to, whatever evidence says".to_owned(),
            Self::BestOf(samples) => format!("the best of {samples} answers of one model"),
        }
    }

    /// Whether models are all that there is to it: no seat without a model, no second try, no judge and no synthesis.
    pub fn is_bare(self) -> bool {
        self != Self::Panel
    }

    /// By what a fix is chosen.
    pub fn selection(self) -> Selection {
        if self == Self::Majority { Selection::Votes } else { Selection::Evidence }
    }

    /// The effort of `tier`, asked in this way.
    fn seat(self, tier: Tier) -> Tier {
        let samples = |samples: u8| vec![Role::DeepReasoning; samples.into()];
        match self {
            Self::Panel => tier,
            Self::Chain => Tier { mode: Mode::Chain, ..tier },
            Self::Single => Tier { mode: Mode::Samples, seats: samples(1), ..tier },
            Self::Majority => Tier { mode: Mode::Panel, ..tier },
            Self::BestOf(most) => Tier { mode: Mode::Samples, seats: samples(most), ..tier },
        }
    }
}

impl fmt::Display for Design {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Panel => f.write_str("panel"),
            Self::Chain => f.write_str("chain"),
            Self::Single => f.write_str("single"),
            Self::Majority => f.write_str("majority"),
            Self::BestOf(samples) => write!(f, "best-of-{samples}"),
        }
    }
}

impl FromStr for Design {
    type Err = NoDesign;

    fn from_str(text: &str) -> Result<Self, NoDesign> {
        let samples = || text.strip_prefix("best-of-")?.parse().ok().filter(|most| (2..=MOST_SAMPLES).contains(most));
        match text {
            "panel" => Ok(Self::Panel),
            "chain" => Ok(Self::Chain),
            "single" => Ok(Self::Single),
            "majority" => Ok(Self::Majority),
            _ => samples().map(Self::BestOf).ok_or_else(|| NoDesign(text.to_owned())),
        }
    }
}

impl TryFrom<String> for Design {
    type Error = NoDesign;

    fn try_from(text: String) -> Result<Self, NoDesign> {
        text.parse()
    }
}

impl From<Design> for String {
    fn from(design: Design) -> Self {
        design.to_string()
    }
}

/// A design with the models and the effort that it has.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Configuration {
    /// What people call it.
    pub name: String,
    /// How a fix is come to.
    pub design: Design,
    /// The only models that are asked, by their names in the settings, in order of preference; all of them when empty.
    pub models: Vec<String>,
    /// The effort by severity, where it is another than that of the settings.
    pub tiers: BTreeMap<Severity, Tier>,
}

impl From<Design> for Configuration {
    fn from(design: Design) -> Self {
        Self { name: design.to_string(), design, ..Self::default() }
    }
}

impl Configuration {
    /// What stands in a file called `name`.
    ///
    /// # Errors
    /// It is no JSON of this form: a field that is not known is one too many.
    pub fn read(name: &str, text: &str) -> Result<Self, serde_json::Error> {
        let read: Self = serde_json::from_str(text)?;
        let name = if read.name.is_empty() { name.to_owned() } else { read.name };
        Ok(Self { name, ..read })
    }

    /// The effort for findings of `severity`, which is `own` by the settings.
    pub fn tier(&self, severity: Severity, own: Tier) -> Tier {
        let cap = own.cap;
        let tier = self.tiers.get(&severity).cloned().unwrap_or(own);
        // Without a limit of its own it has that of the settings, and never a higher one.
        let cap = cap.map(|most| tier.cap.map_or(most, |own| own.min(most))).or(tier.cap);
        self.design.seat(Tier { cap, ..tier })
    }

    /// Whether both come to fixes in the same way, whatever they are called.
    pub fn is_like(&self, other: &Self) -> bool {
        (self.design, &self.models, &self.tiers) == (other.design, &other.models, &other.tiers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::money::Money;
    use crate::tier::Tiers;

    #[test]
    fn a_design_is_named_in_one_way_and_what_is_none_is_refused() {
        for design in Design::ALL {
            assert_eq!(design.to_string().parse(), Ok(design));
        }
        for text in ["", "Panel", "best-of-1", "best-of-10", "best-of-", "best-of-x", "vote"] {
            assert_eq!(text.parse::<Design>(), Err(NoDesign(text.to_owned())));
        }
    }

    #[test]
    fn a_design_says_who_is_asked_and_how() {
        let own = Tiers::default().high;
        for (design, mode, seats, selection) in [
            (Design::Panel, Mode::Panel, 3, Selection::Evidence),
            (Design::Chain, Mode::Chain, 3, Selection::Evidence),
            (Design::Single, Mode::Samples, 1, Selection::Evidence),
            (Design::Majority, Mode::Panel, 3, Selection::Votes),
            (Design::BestOf(4), Mode::Samples, 4, Selection::Evidence),
        ] {
            let tier = Configuration::from(design).tier(Severity::High, own.clone());
            assert_eq!((tier.mode, tier.seats.len(), tier.cap), (mode, seats, own.cap), "{design}");
            assert_eq!((design.selection(), design.is_bare()), (selection, design != Design::Panel));
        }
    }

    #[test]
    fn people_combine_models_as_they_like_and_no_limit_is_lifted() {
        let text = r#"{ "design": "chain", "models": ["b", "a"],
                        "tiers": { "high": { "seats": ["fast", "fast"], "analysis_s": 5, "cap": 9 },
                                   "low": { "seats": ["logic"], "analysis_s": 7, "cap": 0.05 } } }"#;
        let read = Configuration::read("mine.json", text).expect("it is one");
        assert_eq!(
            (read.name.as_str(), read.models.as_slice()),
            ("mine.json", ["b".to_owned(), "a".to_owned()].as_slice())
        );
        let tiers = Tiers::default();
        let tier = |severity| read.tier(severity, tiers.of(severity).clone());
        assert_eq!((tier(Severity::High).seats.len(), tier(Severity::High).cap), (2, tiers.high.cap));
        assert_eq!(tier(Severity::Low).cap, Some(Money::from_micros(50_000)));
        assert_eq!(tier(Severity::Critical).seats, tiers.critical.seats, "what is not named is as in the settings");
        let unlimited = Tier { cap: None, ..tiers.high };
        assert_eq!(read.tier(Severity::High, unlimited).cap, Some(Money::from_micros(9_000_000)));
        for wrong in [
            r#"{ "desing": "chain" }"#,
            r#"{ "design": "vote" }"#,
            r#"{ "tiers": { "urgent": { "seats": [], "analysis_s": 1 } } }"#,
            r#"{ "tiers": { "high": { "seats": ["oracle"], "analysis_s": 1 } } }"#,
            "chain",
        ] {
            assert!(Configuration::read("x", wrong).is_err(), "{wrong}");
        }
    }
}
