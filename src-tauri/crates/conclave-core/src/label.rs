//! What became of one fix, and what that says of whether it was right.
//!
//! A fix goes through a few states, driven by what happened to it in the order in which it happened. Deliberately absent:
//! when and where that is seen. Invariants: only a person, the project's history or time makes a label; neither a judge's
//! opinion nor a check by itself does, or the record would learn nothing but the ladder.

use serde::{Deserialize, Serialize};

use crate::candidate::Origin;
use crate::evidence::Check;
use crate::finding::Severity;
use crate::language::Language;
use crate::weakness::Family;

/// After so many days in the project, untouched, a fix counts as kept.
pub const KEPT_DAYS: i64 = 14;

/// Something that happened to a fix.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Event {
    /// It was written to the project.
    Applied {
        /// Whether the project's tests passed with it on a copy.
        tests: bool,
        /// The branch that was checked out, or the commit where none was; `None` where that is not known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        head: Option<String>,
    },
    /// Somebody changed what it wrote, or applied it only as they had changed it.
    Edited,
    /// It stood in the project for [`KEPT_DAYS`].
    Kept,
    /// It was taken back, or the text is as it was before it.
    Reverted,
    /// It is on the default branch.
    Merged,
    /// The project's tests ran with it in the project.
    TestsAfter {
        /// Whether they passed.
        passed: bool,
    },
    /// A person judged it.
    Rated {
        /// How.
        thumb: Thumb,
        /// Why.
        reasons: Vec<Reason>,
    },
}

/// A person's judgement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "wire", derive(schemars::JsonSchema, specta::Type))]
#[serde(rename_all = "snake_case")]
pub enum Thumb {
    /// Good.
    Up,
    /// Not good.
    Down,
}

/// Why a person judges a fix as they do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "wire", derive(schemars::JsonSchema, specta::Type))]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// It does not build, or breaks something else.
    BreaksBuild,
    /// The weakness is still there.
    NotFixed,
    /// It changes the wrong place.
    WrongPlace,
    /// It works and reads badly.
    BadStyle,
    /// There was nothing to fix.
    FalsePositive,
    /// Something else.
    Other,
}

impl Reason {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::BreaksBuild, Self::NotFixed, Self::WrongPlace, Self::BadStyle, Self::FalsePositive, Self::Other];

    /// Whether it says that the fix is wrong, and not only unwelcome.
    pub fn is_wrong(self) -> bool {
        matches!(self, Self::BreaksBuild | Self::NotFixed | Self::WrongPlace)
    }

    /// The words that people read.
    pub fn label(self) -> &'static str {
        match self {
            Self::BreaksBuild => "Breaks the build",
            Self::NotFixed => "Does not fix it",
            Self::WrongPlace => "Wrong place",
            Self::BadStyle => "Bad style",
            Self::FalsePositive => "False positive",
            Self::Other => "Other",
        }
    }
}

/// What is known of whether a fix was right.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Label {
    /// Whether it was.
    pub right: bool,
    /// How much that says, over 0, up to 1.
    pub weight: f64,
}

/// Where a fix is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Place {
    /// It was never in the project, or is there only as somebody changed it.
    #[default]
    Nowhere,
    /// In the project as it was written.
    Applied,
    /// In the project, changed by somebody.
    Edited,
    /// No longer in the project.
    Reverted,
}

/// What a rating comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Opinion {
    Good,
    /// The fix is wrong.
    Wrong,
    /// It is unwelcome, for a reason that says nothing of its being right.
    Unwelcome,
    /// Not good, and nobody says why.
    Silent,
}

/// How a fix stands after all that happened to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Standing {
    /// Where it is.
    pub place: Place,
    /// Whether it stood for [`KEPT_DAYS`].
    pub kept: bool,
    /// Whether it was seen on the default branch.
    pub merged: bool,
    /// Whether the tests passed with it, when they ran last.
    pub tests: Option<bool>,
    opinion: Option<Opinion>,
}

impl Standing {
    /// After `events`, oldest first.
    pub fn of<'a>(events: impl IntoIterator<Item = &'a Event>) -> Self {
        events.into_iter().fold(Self::default(), Self::after)
    }

    /// After one more event. What cannot happen where the fix is, changes nothing.
    #[must_use]
    pub fn after(self, event: &Event) -> Self {
        let is_there = self.place == Place::Applied;
        match event {
            Event::Applied { tests, .. } => {
                let tests = tests.then_some(true);
                Self { place: Place::Applied, kept: false, merged: false, tests, opinion: self.opinion }
            }
            // Code moves on: what was merged or kept has shown itself by then.
            Event::Edited if is_there && !self.kept && !self.merged => Self { place: Place::Edited, ..self },
            // It was taken back to be applied as somebody had changed it: its being gone says nothing any more.
            Event::Edited if self.place == Place::Reverted => Self { place: Place::Nowhere, ..self },
            Event::Kept if is_there => Self { kept: true, ..self },
            Event::Merged if is_there => Self { merged: true, ..self },
            Event::Reverted if is_there || self.place == Place::Edited => Self { place: Place::Reverted, ..self },
            Event::TestsAfter { passed } if is_there => Self { tests: Some(*passed), ..self },
            Event::Rated { thumb, reasons } => Self { opinion: Some(opinion(*thumb, reasons)), ..self },
            Event::Edited | Event::Kept | Event::Merged | Event::Reverted | Event::TestsAfter { .. } => self,
        }
    }

    /// What that says of whether the fix was right; `None` where it says nothing.
    pub fn label(self) -> Option<Label> {
        let right = |weight| Some(Label { right: true, weight });
        let wrong = Some(Label { right: false, weight: 1.0 });
        let disliked = matches!(self.opinion, Some(Opinion::Unwelcome | Opinion::Silent));
        match (self.opinion, self.place) {
            (Some(Opinion::Wrong), _) => wrong,
            (_, Place::Applied) if self.kept || self.merged => right(1.0),
            (_, Place::Applied) if disliked || self.tests == Some(false) => None,
            (_, Place::Applied) if self.tests == Some(true) => right(0.7),
            (_, Place::Applied) => right(0.5),
            (Some(Opinion::Unwelcome), Place::Reverted) => None,
            (_, Place::Reverted) => wrong,
            (Some(Opinion::Good), Place::Nowhere) => right(0.5),
            // What was changed afterwards says nothing of the fix as it was written.
            (_, Place::Edited | Place::Nowhere) => None,
        }
    }
}

fn opinion(thumb: Thumb, reasons: &[Reason]) -> Opinion {
    match (thumb, reasons) {
        (Thumb::Up, _) => Opinion::Good,
        (Thumb::Down, []) => Opinion::Silent,
        (Thumb::Down, reasons) if reasons.iter().any(|reason| reason.is_wrong()) => Opinion::Wrong,
        (Thumb::Down, _) => Opinion::Unwelcome,
    }
}

/// One author's attempt at a finding, as it stood when somebody first did something with it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attempt {
    /// Who wrote it.
    pub origin: Origin,
    /// Against which weaknesses.
    pub family: Family,
    /// In which language.
    pub language: Option<Language>,
    /// How severe the finding was.
    pub severity: Severity,
    /// The rule that reported it.
    pub rule: String,
    /// The highest check that passed in full.
    pub rung: Option<Check>,
    /// How sure Conclave was, 0 to 1.
    pub p: f64,
    /// The log-odds behind that, before any fit.
    pub log_odds: f64,
    /// The highest that its evidence allowed.
    pub cap: f64,
}

/// Where a fix stands that changed `before` to `after`, when its file now holds `now`: `None` while it is there whole,
/// else [`Event::Reverted`] where the text is as before, else [`Event::Edited`].
///
/// `hunks` are the lines that it took out with those that it put in their place; blanks at the ends of lines do not count.
pub fn fate(hunks: &[(Vec<String>, Vec<String>)], now: &str) -> Option<Event> {
    let now: Vec<&str> = now.lines().map(str::trim_end).collect();
    let holds = |lines: &[String]| {
        let wanted: Vec<&str> = lines.iter().map(|line| line.trim_end()).collect();
        !wanted.is_empty() && now.windows(wanted.len()).any(|window| window == wanted)
    };
    // Lines that were only taken out are gone while they are not there.
    let stands = |(old, new): &(Vec<String>, Vec<String>)| if new.is_empty() { !holds(old) } else { holds(new) };
    match hunks.iter().filter(|hunk| stands(hunk)).count() {
        standing if standing == hunks.len() => None,
        // Where there was nothing before, or is nothing after, its being gone is all that can be seen.
        0 if hunks.iter().all(|(old, new)| old.is_empty() || new.is_empty() || holds(old)) => Some(Event::Reverted),
        _ => Some(Event::Edited),
    }
}

#[cfg(test)]
mod tests;
