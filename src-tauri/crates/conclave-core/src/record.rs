//! What became of earlier fixes, as far as the next reading may learn from it.
//!
//! A start value is a hierarchy of means: kind of author, author, family of weaknesses, language. Each level begins at
//! the mean above it, which counts as [`KAPPA`] outcomes. Deliberately absent: where outcomes come from, and when.
//! Invariant: a record that cannot be read is worth nothing, says so, and never stops a run.

use serde::{Deserialize, Serialize};

use crate::auto_apply::lower_bound;
use crate::candidate::Origin;
use crate::evidence::Check;
use crate::finding::Severity;
use crate::language::Language;
use crate::weakness::Family;

/// As many outcomes of its own as a level needs to weigh as much as the mean above it.
pub const KAPPA: f64 = 10.0;
/// After so many days an outcome counts half.
pub const HALF_LIFE_DAYS: f64 = 180.0;
/// A fit from fewer outcomes is not used.
pub const LEAST_FITTED: u32 = 50;

/// Who writes fixes, as far as start values differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuthorKind {
    /// A recipe, or the scanner with its own fix.
    Deterministic,
    /// A model on another machine.
    Hosted,
    /// A model on this machine.
    Local,
    /// A rewrite that was learned from accepted fixes.
    Learned,
    /// A person, who changed a fix of somebody else.
    Person,
}

impl AuthorKind {
    /// The kind of `origin`.
    pub fn of(origin: &Origin) -> Self {
        match origin {
            Origin::Recipe { .. } | Origin::Scanner { .. } => Self::Deterministic,
            Origin::Model { local: true, .. } => Self::Local,
            Origin::Model { local: false, .. } => Self::Hosted,
            Origin::Synthesis { local: true, .. } => Self::Local,
            Origin::Synthesis { local: false, .. } => Self::Hosted,
            Origin::Pattern { .. } => Self::Learned,
            Origin::Person { .. } => Self::Person,
        }
    }

    /// How often such an author is right before anything is known of it.
    pub fn start(self) -> f64 {
        match self {
            Self::Deterministic => 0.60,
            // A learned rewrite is as good as what it was learned from, somewhere else; that a person wrote a fix is no
            // evidence for it.
            Self::Hosted | Self::Learned | Self::Person => 0.35,
            Self::Local => 0.20,
        }
    }
}

/// What became of one fix.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// Who wrote it.
    pub origin: Origin,
    /// Against which weaknesses.
    pub family: Family,
    /// In which language.
    pub language: Option<Language>,
    /// Whether it was right.
    pub right: bool,
    /// How much that says, 0 to 1.
    pub weight: f64,
    /// How long ago, in days.
    pub age_days: f64,
}

/// Outcomes of one level of the hierarchy, weighed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Tally {
    kind: AuthorKind,
    author: Option<String>,
    family: Option<Family>,
    language: Option<Language>,
    right: f64,
    wrong: f64,
}

impl Tally {
    /// Where these outcomes draw `start`.
    fn drawing(&self, start: f64) -> f64 {
        (KAPPA * start + self.right) / (KAPPA + self.right + self.wrong)
    }
}

/// A cell of findings in which fixes may be applied without a person, once enough of them were right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cell {
    /// How severe.
    pub severity: Severity,
    /// Of which family of weaknesses.
    pub family: Family,
    /// In which language.
    pub language: Language,
    /// The highest check that passed.
    pub rung: Check,
}

/// The outcomes in one [`Cell`], each counted once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Count {
    cell: Cell,
    right: u32,
    wrong: u32,
}

/// A line fitted through log-odds and outcomes (Platt's scaling).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fit {
    /// For findings that are this severe.
    pub severity: Severity,
    /// The factor, over 0.
    pub slope: f64,
    /// The addend.
    pub intercept: f64,
    /// From so many outcomes.
    pub n: u32,
}

/// The outcomes of fixes under one cap, each counted once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Band {
    /// The cap, in hundredths.
    cap: u8,
    right: u32,
    wrong: u32,
}

/// Everything that was learnt.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Record {
    tallies: Vec<Tally>,
    counts: Vec<Count>,
    fits: Vec<Fit>,
    bands: Vec<Band>,
    /// Why nothing is known although something should be.
    fault: Option<String>,
}

/// Where a reading starts, and from what.
#[derive(Clone, Debug, PartialEq)]
pub struct Prior {
    /// The mean.
    pub p: f64,
    /// Outcomes of this very author, weighed.
    pub n: f64,
}

impl Record {
    /// The record in `json`, as [`serde_json`] writes it. One that cannot be read, or that says what cannot be, is
    /// an empty one with a [fault](Record::fault).
    pub fn read(json: &str) -> Self {
        let faulty = Self::faulty;
        // `serde` would also take the fields as a list.
        let object = json.trim_ascii_start().starts_with('{');
        match serde_json::from_str::<Self>(json) {
            _ if !object => faulty("the record of outcomes cannot be read"),
            Err(_) => faulty("the record of outcomes cannot be read"),
            Ok(record) if !record.is_sound() => faulty("the record of outcomes holds figures that cannot be"),
            Ok(record) => record,
        }
    }

    /// An empty record that says why it is one.
    pub fn faulty(why: &str) -> Self {
        Self { fault: Some(why.to_owned()), ..Self::default() }
    }

    fn is_sound(&self) -> bool {
        let sound = |figure: f64| figure.is_finite() && figure >= 0.0;
        self.tallies.iter().all(|tally| sound(tally.right) && sound(tally.wrong))
            && self.fits.iter().all(|fit| fit.slope.is_finite() && fit.slope > 0.0 && fit.intercept.is_finite())
    }

    /// Why nothing is known although something should be.
    pub fn fault(&self) -> Option<&str> {
        self.fault.as_deref()
    }

    /// Adds what became of a fix, to every level of the hierarchy.
    pub fn add(&mut self, outcome: &Outcome) {
        let weight = outcome.weight.clamp(0.0, 1.0) * 0.5_f64.powf(outcome.age_days.max(0.0) / HALF_LIFE_DAYS);
        for (author, family, language) in levels(&outcome.origin, outcome.family, outcome.language) {
            let kind = AuthorKind::of(&outcome.origin);
            let key = |tally: &Tally| (tally.kind, tally.author.clone(), tally.family, tally.language);
            let wanted = (kind, author.clone(), family, language);
            let at = match self.tallies.binary_search_by(|tally| key(tally).cmp(&wanted)) {
                Ok(at) => at,
                Err(at) => {
                    self.tallies.insert(at, Tally { kind, author, family, language, right: 0.0, wrong: 0.0 });
                    at
                }
            };
            let tally = &mut self.tallies[at];
            let sum = if outcome.right { &mut tally.right } else { &mut tally.wrong };
            *sum = kept(*sum + weight);
        }
    }

    /// Counts a fix in `cell`.
    pub fn count(&mut self, cell: Cell, right: bool) {
        let at = match self.counts.binary_search_by_key(&cell, |count| count.cell) {
            Ok(at) => at,
            Err(at) => {
                self.counts.insert(at, Count { cell, right: 0, wrong: 0 });
                at
            }
        };
        let count = &mut self.counts[at];
        *(if right { &mut count.right } else { &mut count.wrong }) += 1;
    }

    /// How many fixes in `cell` were right, and how many wrong.
    pub fn counted(&self, cell: Cell) -> (u32, u32) {
        let found = self.counts.binary_search_by_key(&cell, |count| count.cell);
        found.map_or((0, 0), |at| (self.counts[at].right, self.counts[at].wrong))
    }

    /// Counts a fix whose evidence allowed `cap`.
    pub fn count_under(&mut self, cap: f64, right: bool) {
        let cap = hundredths(cap);
        let at = match self.bands.binary_search_by_key(&cap, |band| band.cap) {
            Ok(at) => at,
            Err(at) => {
                self.bands.insert(at, Band { cap, right: 0, wrong: 0 });
                at
            }
        };
        let band = &mut self.bands[at];
        *(if right { &mut band.right } else { &mut band.wrong }) += 1;
    }

    /// The highest value that evidence with `cap` allows here: the cap, until the lower 95 % bound of the share of right
    /// ones under it, or under less evidence, is higher; with the number of outcomes where it is.
    pub fn allowed(&self, cap: f64) -> (f64, Option<u32>) {
        let most = hundredths(cap);
        let known = self.bands.iter().filter(|band| band.cap <= most && band.right + band.wrong >= LEAST_FITTED);
        let bounds = known.map(|band| (kept(lower_bound(band.right, band.wrong)), band.right + band.wrong));
        match bounds.max_by(|a, b| a.0.total_cmp(&b.0)) {
            Some((bound, n)) if bound > cap => (bound, Some(n)),
            _ => (cap, None),
        }
    }

    /// How often fixes by anybody of the kind of `origin` are right.
    pub fn mean(&self, origin: &Origin) -> f64 {
        let kind = AuthorKind::of(origin);
        let everybody = |tally: &&Tally| tally.kind == kind && tally.author.is_none();
        let tally = self.tallies.iter().find(everybody);
        tally.map_or(kind.start(), |tally| tally.drawing(kind.start()))
    }

    /// Where a reading of a fix by `origin` starts.
    pub fn prior(&self, origin: &Origin, family: Family, language: Option<Language>) -> Prior {
        let kind = AuthorKind::of(origin);
        let mut prior = Prior { p: kind.start(), n: 0.0 };
        for (author, family, language) in levels(origin, family, language) {
            let fits = |tally: &&Tally| {
                (tally.kind, &tally.author, tally.family, tally.language) == (kind, &author, family, language)
            };
            let Some(tally) = self.tallies.iter().find(fits) else { continue };
            prior.p = tally.drawing(prior.p);
            if author.is_some() && family.is_none() {
                prior.n = tally.right + tally.wrong;
            }
        }
        // Outcomes alone never make certain.
        prior.p = prior.p.clamp(0.01, 0.99);
        prior
    }

    /// The fit for findings that are this severe, where there are enough outcomes for one.
    pub fn fit(&self, severity: Severity) -> Option<Fit> {
        self.fits.iter().find(|fit| fit.severity == severity && fit.n >= LEAST_FITTED).copied()
    }

    /// Puts `fit` in the place of an earlier one.
    pub fn set_fit(&mut self, fit: Fit) {
        self.fits.retain(|other| other.severity != fit.severity);
        self.fits.push(Fit { slope: kept(fit.slope), intercept: kept(fit.intercept), ..fit });
        self.fits.sort_by_key(|fit| fit.severity);
    }

    /// What of it can change a reading of a finding of this kind.
    #[must_use]
    pub fn about(&self, severity: Severity, family: Family, language: Option<Language>) -> Self {
        let tallies = self.tallies.iter().filter(|tally| {
            tally.family.is_none_or(|of| of == family) && tally.language.is_none_or(|of| Some(of) == language)
        });
        let counts = self.counts.iter().filter(|count| {
            let cell = count.cell;
            cell.severity == severity && cell.family == family && Some(cell.language) == language
        });
        Self {
            tallies: tallies.cloned().collect(),
            counts: counts.copied().collect(),
            fits: self.fits.iter().filter(|fit| fit.severity == severity).copied().collect(),
            bands: self.bands.clone(),
            fault: self.fault.clone(),
        }
    }
}

fn hundredths(cap: f64) -> u8 {
    // In range for every cap: they lie between 0 and 1.
    (cap.clamp(0.0, 1.0) * 100.0).round() as u8
}

/// To a millionth: a short decimal is read again exactly as it was written, so that a reading can be repeated.
fn kept(figure: f64) -> f64 {
    (figure * 1e6).round() / 1e6
}

type Level = (Option<String>, Option<Family>, Option<Language>);

/// From the general to the special.
fn levels(origin: &Origin, family: Family, language: Option<Language>) -> Vec<Level> {
    let author: &str = match origin {
        Origin::Recipe { id } => id,
        Origin::Scanner { tool } => tool,
        Origin::Model { model, .. } => model,
        Origin::Synthesis { by, .. } => by,
        Origin::Pattern { id } => id,
        Origin::Person { .. } => "person",
    };
    let author = Some(author.to_owned());
    let mut levels = vec![(None, None, None), (author.clone(), None, None), (author.clone(), Some(family), None)];
    levels.extend(language.map(|language| (author, Some(family), Some(language))));
    levels
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model(name: &str) -> Origin {
        let name = name.to_owned();
        Origin::Model { model: name.clone(), endpoint: "e".to_owned(), local: false, family: name }
    }

    fn outcome(name: &str, family: Family, right: bool) -> Outcome {
        Outcome { origin: model(name), family, language: Some(Language::Python), right, weight: 1.0, age_days: 0.0 }
    }

    #[test]
    fn a_start_value_moves_from_the_general_to_the_special() {
        let mut record = Record::default();
        let p = |record: &Record, name: &str, family| record.prior(&model(name), family, Some(Language::Python)).p;
        assert_eq!(p(&record, "a", Family::Page), 0.35);
        for _ in 0..20 {
            record.add(&outcome("a", Family::Page, true));
        }
        let (here, elsewhere, other) =
            (p(&record, "a", Family::Page), p(&record, "a", Family::Crypto), p(&record, "b", Family::Page));
        assert!(here > elsewhere && elsewhere > other && other > 0.35, "{here} {elsewhere} {other}");
        // kappa = 10: (10 * 0.35 + 20) / 30 for whoever is of the kind.
        assert!((other - 23.5 / 30.0).abs() < 1e-12, "{other}");
        assert!(p(&record, "a", Family::Page) <= 0.99);
    }

    #[test]
    fn an_old_outcome_counts_less_and_half_after_half_a_year() {
        let (mut new, mut old) = (Record::default(), Record::default());
        new.add(&outcome("a", Family::Page, true));
        old.add(&Outcome { age_days: HALF_LIFE_DAYS, ..outcome("a", Family::Page, true) });
        assert_eq!((new.prior(&model("a"), Family::Page, None).n, old.tallies[0].right), (1.0, 0.5));
    }

    #[test]
    fn what_is_written_is_read_again_and_what_cannot_be_is_nothing() {
        let mut record = Record::default();
        record.add(&outcome("a", Family::Page, true));
        record.set_fit(Fit { severity: Severity::High, slope: 1.0, intercept: 0.0, n: 60 });
        let json = serde_json::to_string(&record).unwrap();
        assert_eq!(Record::read(&json), record);
        let wrong = [
            String::new(),
            "[]".to_owned(),
            json.replace("\"right\":1.0", "\"right\":-1.0"),
            json.replace("\"slope\":1.0", "\"slope\":0.0"),
            json.replace("tallies", "tally"),
            json[..json.len() / 2].to_owned(),
        ];
        for text in wrong {
            assert_ne!(text, json);
            let read = Record::read(&text);
            assert!(read.fault().is_some(), "{text}");
            assert_eq!(read.prior(&model("a"), Family::Page, None), Prior { p: 0.35, n: 0.0 });
        }
    }

    #[test]
    fn a_cap_gives_way_to_outcomes_only() {
        let mut record = Record::default();
        assert_eq!(record.allowed(0.55), (0.55, None));
        for n in 1..=60 {
            record.count_under(0.55, true);
            let (allowed, from) = record.allowed(0.55);
            assert_eq!(from, (n >= 50).then_some(n), "{n}");
            assert_eq!(allowed > 0.55, n >= 50, "{n}: {allowed}");
        }
        for _ in 0..40 {
            record.count_under(0.55, false);
        }
        assert_eq!((record.allowed(0.55), record.allowed(0.6)), ((0.55, None), (0.6, None)));
    }

    #[test]
    fn what_is_about_another_kind_of_finding_is_left_out() {
        let mut record = Record::default();
        record.add(&outcome("a", Family::Page, true));
        record.add(&outcome("a", Family::Crypto, false));
        let part = record.about(Severity::High, Family::Page, Some(Language::Python));
        assert!(part.tallies.len() < record.tallies.len());
        let prior = |record: &Record| record.prior(&model("a"), Family::Page, Some(Language::Python));
        assert_eq!(prior(&part), prior(&record));
    }
}
