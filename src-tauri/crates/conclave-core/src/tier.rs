//! How much effort a finding gets.

use serde::{Deserialize, Serialize};

use crate::configuration::{Configuration, Design};
use crate::finding::{Finding, Severity};
use crate::money::Money;
use crate::settings::Settings;

/// What a seat of a panel is for; a model is bound to it by its strengths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "wire", derive(schemars::JsonSchema, specta::Type))]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Thinks a hard weakness through.
    DeepReasoning,
    /// Knows the usual form of a weakness and of its fix.
    PatternMatching,
    /// Follows conditions, states and orders of events.
    Logic,
    /// Answers fast and for little money.
    Fast,
    /// Is good at the finding's language or family of weaknesses.
    Specialised,
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::DeepReasoning, Self::PatternMatching, Self::Logic, Self::Fast, Self::Specialised];

    /// Its short name, the same as a strength in the list of known models; `specialised` is no strength of its own.
    pub fn id(self) -> &'static str {
        match self {
            Self::DeepReasoning => "deep_reasoning",
            Self::PatternMatching => "pattern_matching",
            Self::Logic => "logic",
            Self::Fast => "fast",
            Self::Specialised => "specialised",
        }
    }

    /// Its name for people.
    pub fn label(self) -> &'static str {
        match self {
            Self::DeepReasoning => "Deep reasoning",
            Self::PatternMatching => "Pattern recognition",
            Self::Logic => "Logic",
            Self::Fast => "Efficiency",
            Self::Specialised => "Specialised",
        }
    }
}

/// How the seats of a panel are asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "wire", derive(schemars::JsonSchema, specta::Type))]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// All at once, each another model.
    #[default]
    Panel,
    /// All at once, each the best model that there is: as many answers of one model.
    Samples,
    /// Three families first, the rest only when the first do not settle it.
    Staged,
    /// One after another, each another model that is shown the answer before its own; the last answer counts.
    Chain,
}

/// The effort for findings of one severity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tier {
    /// The seats for models, one each. Recipes and the scanner's own fix sit beside them at no cost.
    pub seats: Vec<Role>,
    /// Time for proposing, in seconds; checks have their own clock.
    pub analysis_s: u64,
    /// The most that one finding may cost; `None` sets no limit.
    pub cap: Option<Money>,
    /// How the seats are asked.
    #[serde(default)]
    pub mode: Mode,
    /// Whether models are asked only when a person asks for this very finding.
    #[serde(default)]
    pub on_demand: bool,
}

/// The longest time for proposing, in seconds.
pub const MOST_SECONDS: u64 = 3600;
/// The most seats of one panel.
pub const MOST_SEATS: usize = 16;

/// Why an effort makes no sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TierFault {
    /// Nobody could answer.
    #[error("in 0 seconds nobody can answer; allowed is 1 to {MOST_SECONDS}")]
    NoTime,
    /// Nobody waits so long.
    #[error("{0} seconds are more than anybody waits; allowed is 1 to {MOST_SECONDS}")]
    TooLong(u64),
    /// Nobody has so many models.
    #[error("{0} seats are more than a panel has; allowed is {MOST_SEATS} at most")]
    TooManySeats(usize),
}

impl Tier {
    /// What is wrong with it.
    pub fn fault(&self) -> Option<TierFault> {
        match (self.analysis_s, self.seats.len()) {
            (0, _) => Some(TierFault::NoTime),
            (seconds, _) if seconds > MOST_SECONDS => Some(TierFault::TooLong(seconds)),
            (_, seats) if seats > MOST_SEATS => Some(TierFault::TooManySeats(seats)),
            _ => None,
        }
    }
}

/// The effort by severity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tiers {
    /// For critical findings.
    pub critical: Tier,
    /// For high ones.
    pub high: Tier,
    /// For medium ones.
    pub medium: Tier,
    /// For low ones.
    pub low: Tier,
    /// For notes.
    pub note: Tier,
}

impl Default for Tiers {
    /// The seed's: five, three and two models, 120, 60 and 30 seconds, $1.50, $0.75 and $0.30; one model on demand below.
    fn default() -> Self {
        use Role::{DeepReasoning, Fast, Logic, PatternMatching, Specialised};
        let tier = |seats: &[Role], analysis_s, cents: u64, on_demand| Tier {
            seats: seats.to_vec(),
            analysis_s,
            cap: Some(Money::from_micros(cents * 10_000)),
            mode: Mode::Panel,
            on_demand,
        };
        Self {
            critical: tier(&[DeepReasoning, PatternMatching, Logic, Fast, Specialised], 120, 150, false),
            high: tier(&[DeepReasoning, PatternMatching, Specialised], 60, 75, false),
            medium: tier(&[PatternMatching, Fast], 30, 30, false),
            low: tier(&[Fast], 30, 10, true),
            note: tier(&[Fast], 30, 10, true),
        }
    }
}

impl Tiers {
    /// The most that is done for any finding: the tier with the most seats, all of them asked at once.
    pub fn most(&self) -> Tier {
        let Self { critical, high, medium, low, note } = self;
        let most = [note, low, medium, high, critical].into_iter().max_by_key(|tier| tier.seats.len());
        Tier { mode: Mode::Panel, on_demand: false, ..most.unwrap_or(critical).clone() }
    }

    /// The effort for findings that are this severe.
    pub fn of(&self, severity: Severity) -> &Tier {
        match severity {
            Severity::Critical => &self.critical,
            Severity::High => &self.high,
            Severity::Medium => &self.medium,
            Severity::Low => &self.low,
            Severity::Note => &self.note,
        }
    }
}

/// The effort by severity in one project, as far as it differs there; the rest is as everywhere.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ProjectTiers {
    /// For critical findings.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub critical: Option<Tier>,
    /// For high ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub high: Option<Tier>,
    /// For medium ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub medium: Option<Tier>,
    /// For low ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub low: Option<Tier>,
    /// For notes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<Tier>,
}

impl ProjectTiers {
    /// The project's own effort for findings that are this severe; `None` where it is as everywhere.
    pub fn of(&self, severity: Severity) -> Option<&Tier> {
        let tier = match severity {
            Severity::Critical => &self.critical,
            Severity::High => &self.high,
            Severity::Medium => &self.medium,
            Severity::Low => &self.low,
            Severity::Note => &self.note,
        };
        tier.as_ref()
    }

    /// The effort in the project, where it is `common` everywhere else.
    pub fn over(&self, common: &Tiers) -> Tiers {
        let tier = |severity| self.of(severity).unwrap_or_else(|| common.of(severity)).clone();
        Tiers {
            critical: tier(Severity::Critical),
            high: tier(Severity::High),
            medium: tier(Severity::Medium),
            low: tier(Severity::Low),
            note: tier(Severity::Note),
        }
    }
}

/// How much a person wants done for a finding.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "wire", derive(schemars::JsonSchema, specta::Type))]
#[serde(rename_all = "snake_case")]
pub enum Effort {
    /// What its severity is worth.
    #[default]
    Usual,
    /// The most that is done for any finding.
    Most,
}

/// The plan of one run, from severity and settings alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunPlan {
    /// The severity that it was made for.
    pub severity: Severity,
    /// The effort.
    pub tier: Tier,
    /// Time for one checking command, in seconds.
    pub check_s: u64,
    /// How a fix is come to.
    pub design: Design,
    /// The only models that are asked, in order of preference; all of the settings when empty.
    pub models: Vec<String>,
    /// Whether it is one side of a comparison: everybody is asked anew and nobody beside, so that what it costs and how
    /// long it takes is its own.
    pub compared: bool,
}

impl RunPlan {
    /// The plan for `finding`, whose project is in the folder `root`.
    pub fn for_finding(finding: &Finding, root: &str, effort: Effort, settings: &Settings) -> Self {
        let severity = finding.detection.severity;
        let tiers = settings.tiers_of(root);
        let tier = match effort {
            Effort::Usual => tiers.of(severity).clone(),
            Effort::Most => tiers.most(),
        };
        Self::new(severity, tier, settings)
    }

    /// The plan for findings that are this severe, in a project without tiers of its own.
    pub fn for_severity(severity: Severity, settings: &Settings) -> Self {
        Self::new(severity, settings.tiers.of(severity).clone(), settings)
    }

    fn new(severity: Severity, tier: Tier, settings: &Settings) -> Self {
        let check_s = settings.check_timeout_s;
        Self { severity, tier, check_s, design: Design::Panel, models: Vec::new(), compared: false }
    }

    /// Whether the model that the settings call `name` may be asked.
    pub fn asks(&self, name: &str) -> bool {
        self.models.is_empty() || self.models.iter().any(|model| model == name)
    }

    /// The same as one side of a comparison, by `configuration`.
    pub fn under(self, configuration: &Configuration) -> Self {
        Self {
            tier: configuration.tier(self.severity, self.tier),
            design: configuration.design,
            models: configuration.models.clone(),
            compared: true,
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn severity_decides_the_panel_the_time_and_the_money() {
        let cases = [
            (Severity::Critical, 5, 120, 1_500_000),
            (Severity::High, 3, 60, 750_000),
            (Severity::Medium, 2, 30, 300_000),
            (Severity::Low, 1, 30, 100_000),
            (Severity::Note, 1, 30, 100_000),
        ];
        for (severity, seats, analysis_s, micros) in cases {
            let RunPlan { tier, .. } = RunPlan::for_severity(severity, &Settings::default());
            let on_demand = !severity.at_least(Severity::Medium);
            assert_eq!((tier.seats.len(), tier.analysis_s, tier.on_demand), (seats, analysis_s, on_demand));
            assert_eq!(tier.cap, Some(Money::from_micros(micros)));
        }
    }

    #[test]
    fn the_most_is_the_tier_with_the_most_seats_asked_at_once() {
        assert_eq!(Tiers::default().most(), Tiers::default().critical);
        let mut tiers = Tiers::default();
        tiers.low.seats = vec![Role::Logic; 6];
        tiers.low.mode = Mode::Staged;
        let most = Tier { mode: Mode::Panel, on_demand: false, ..tiers.low.clone() };
        assert_eq!(tiers.most(), most);
    }

    #[test]
    fn a_project_has_the_tiers_of_its_folder_and_others_the_common_ones() {
        let text = r#"{ "project_tiers": { "/shop": { "high": { "seats": ["fast"], "analysis_s": 5 } } } }"#;
        let mut settings: Settings = serde_json::from_str(text).unwrap();
        settings.tiers.critical.analysis_s = 7;
        assert_eq!(settings.tiers_of("/shop").high.seats, [Role::Fast]);
        // What a project says nothing of is as the person has it everywhere, and not as it ships.
        assert_eq!(settings.tiers_of("/shop").critical.analysis_s, 7);
        assert_eq!(settings.tiers_of("/shop/inner"), settings.tiers);
    }

    #[test]
    fn an_effort_without_time_or_with_too_much_of_it_makes_no_sense() {
        let tier = |seats, analysis_s| Tier { seats: vec![Role::Fast; seats], analysis_s, ..Tiers::default().low };
        for (tier, fault) in [
            (tier(0, 1), None),
            (tier(MOST_SEATS, MOST_SECONDS), None),
            (tier(1, 0), Some(TierFault::NoTime)),
            (tier(1, MOST_SECONDS + 1), Some(TierFault::TooLong(MOST_SECONDS + 1))),
            (tier(MOST_SEATS + 1, 1), Some(TierFault::TooManySeats(MOST_SEATS + 1))),
        ] {
            assert_eq!(tier.fault(), fault, "{tier:?}");
        }
    }

    #[test]
    fn a_critical_finding_gets_five_seats_two_minutes_and_a_dollar_and_a_half() {
        use Role::{DeepReasoning, Fast, Logic, PatternMatching, Specialised};
        let all = [DeepReasoning, PatternMatching, Logic, Fast, Specialised];
        assert_shipped(Severity::Critical, &all, 120, 1_500_000);
    }

    #[test]
    fn a_high_finding_gets_three_seats_one_minute_and_three_quarters_of_a_dollar() {
        use Role::{DeepReasoning, PatternMatching, Specialised};
        assert_shipped(Severity::High, &[DeepReasoning, PatternMatching, Specialised], 60, 750_000);
    }

    #[test]
    fn a_medium_finding_gets_two_seats_half_a_minute_and_thirty_cents() {
        assert_shipped(Severity::Medium, &[Role::PatternMatching, Role::Fast], 30, 300_000);
    }

    fn assert_shipped(severity: Severity, seats: &[Role], analysis_s: u64, micros: u64) {
        let tier = RunPlan::for_severity(severity, &Settings::default()).tier;
        let cap = Some(Money::from_micros(micros));
        let shipped = Tier { seats: seats.to_vec(), analysis_s, cap, mode: Mode::Panel, on_demand: false };
        assert_eq!(tier, shipped);
    }

    #[test]
    fn one_tier_can_be_set_and_the_others_stay() {
        let text = r#"{ "tiers": { "high": { "seats": ["logic", "logic"], "analysis_s": 10, "cap": null, "mode": "samples" } } }"#;
        let settings: Settings = serde_json::from_str(text).unwrap();
        let tier = settings.tiers.of(Severity::High);
        assert_eq!((tier.seats.as_slice(), tier.mode, tier.cap), ([Role::Logic; 2].as_slice(), Mode::Samples, None));
        assert_eq!(settings.tiers.critical, Tiers::default().critical);
        assert!(serde_json::from_str::<Settings>(r#"{ "tiers": { "high": { "seats": ["oracle"] } } }"#).is_err());
    }
}
