//! What runs would take: which findings, who would be asked, for how much money and how long. Nothing is sent and
//! nothing decided.
//!
//! Invariants: every finding that was named is chosen or deferred with a reason; a cost that is not known is counted
//! and never taken for nothing. Deliberately absent: second questions, which a run asks only when a first answer cannot
//! be used and within the limit of its tier.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use conclave_core::brief::Brief;
use conclave_core::candidate::{Draft, Seat};
use conclave_core::configuration::Configuration;
use conclave_core::finding::Status;
use conclave_core::id::{FindingId, ProjectId};
use conclave_core::money::Money;
use conclave_core::record::Record;
use conclave_core::tier::{Effort, Role, RunPlan};
use conclave_effects::ModelClass;
use conclave_inference::Price;
use conclave_store::StoredFinding;

use crate::blocking::blocking;
use crate::ctx::Ctx;
use crate::learn;
use crate::models::Model;
use crate::panel::Sitting;
use crate::prompt::{self, Form};
use crate::run::RunError;
use crate::source::Sources;
use crate::stage;

/// What is to be planned.
#[derive(Clone, Debug)]
pub struct Wish {
    /// About which findings.
    pub findings: Vec<FindingId>,
    /// What all together may cost at most.
    pub budget: Option<Money>,
    /// So many findings at most.
    pub most: Option<usize>,
    /// So many at the same time.
    pub parallel: usize,
}

/// What would be done, most severe first, as the queue does it.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// The findings that would be run.
    pub chosen: Vec<Planned>,
    /// Those that would not.
    pub deferred: Vec<Deferred>,
    /// What all together would cost.
    pub cost: Cost,
    /// When the last answer is there, in seconds, as far as everybody takes all the time of its tier; checks come on top.
    pub analysis_s: u64,
}

/// One finding that would be run.
#[derive(Clone, Debug, PartialEq)]
pub struct Planned {
    /// The finding.
    pub finding: StoredFinding,
    /// The seats for models, in the order of its tier.
    pub seats: Vec<PlannedSeat>,
    /// The names of the seats that cost nothing.
    pub unpaid: Vec<String>,
    /// What it would cost.
    pub cost: Cost,
    /// The most that it can cost, second questions among it, as far as prices are known.
    pub cap: Option<Money>,
    /// The time for answers, in seconds.
    pub analysis_s: u64,
}

/// One seat for a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedSeat {
    /// What for.
    pub role: Role,
    /// Who takes it.
    pub taken: Taken,
    /// Whether it is asked only when the first do not settle it.
    pub waits: bool,
}

/// Who takes a seat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Taken {
    /// This model of the settings, for this cost; `None` where it is not known.
    By(String, Option<Range>),
    /// Nobody; what would fill it, in words.
    Nobody(String),
}

/// An amount that lies between two.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Range {
    /// Where all goes well.
    pub low: Money,
    /// At most.
    pub high: Money,
}

/// What seats cost together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// What those cost whose price is known.
    pub known: Range,
    /// So many have no known cost; it is in none of the sums.
    pub unknown: u32,
}

/// One finding that would not be run.
#[derive(Clone, Debug, PartialEq)]
pub struct Deferred {
    /// The finding.
    pub finding: StoredFinding,
    /// Why, in words.
    pub why: String,
}

impl Cost {
    fn add(&mut self, seat: Option<Range>) {
        let sum = |range: Range| {
            let (low, high) = (self.known.low.checked_add(range.low)?, self.known.high.checked_add(range.high)?);
            Some(Range { low, high })
        };
        match seat.and_then(sum) {
            Some(known) => self.known = known,
            None => self.unknown += 1,
        }
    }

    /// Adds what others cost.
    pub(crate) fn join(&mut self, other: &Self) {
        self.unknown += other.unknown;
        self.add(Some(other.known));
    }

    fn of(seats: &[PlannedSeat], cap: Option<Money>) -> Self {
        let mut cost = Self::default();
        for seat in seats {
            let Taken::By(_, range) = &seat.taken else { continue };
            // A seat of the second wave may not be asked at all.
            cost.add(range.map(|range| if seat.waits { Range { low: Money::ZERO, ..range } } else { range }));
        }
        if let Some(cap) = cap {
            cost.known = Range { low: cost.known.low.min(cap), high: cost.known.high.min(cap) };
        }
        cost
    }
}

/// Plans runs of the findings of `wish`.
///
/// # Errors
/// A finding is gone, or the store fails. What is wrong with a project or a file is a reason to defer.
pub async fn plan(cx: &Ctx, wish: &Wish) -> Result<Plan, RunError> {
    let find = |id: &FindingId| cx.store.finding(id)?.ok_or_else(|| RunError::Gone(id.to_string()));
    let mut findings = wish.findings.iter().map(find).collect::<Result<Vec<StoredFinding>, RunError>>()?;
    findings.sort_by_key(|stored| stored.finding.detection.severity);
    let is_alone = findings.len() == 1;
    let mut projects = HashMap::new();
    let mut choice = Choice { budget: wish.budget, most: wish.most, ..Choice::default() };
    for stored in findings {
        let why = match standing(&stored).or_else(|| choice.is_full()) {
            Some(why) => Err(why),
            None => match sources(cx, &mut projects, &stored.finding.project).await? {
                Ok(opened) => one(cx, &stored, &opened, usual(cx, &stored, &opened.sources), is_alone).await,
                Err(why) => Err(why),
            },
        };
        choice.put(stored, why);
    }
    let seconds = choice.chosen.iter().map(|planned| planned.analysis_s);
    let analysis_s = lasts(seconds, wish.parallel);
    Ok(Plan { chosen: choice.chosen, deferred: choice.deferred, cost: choice.cost, analysis_s })
}

/// Why a finding that stands so is not run.
fn standing(stored: &StoredFinding) -> Option<String> {
    let why = match stored.status {
        Status::Open | Status::NoSafeFix | Status::SuspectedFalsePositive => return None,
        Status::Running => "it waits or runs already",
        Status::FixReady => "a fix waits for you already",
        Status::Disagreement => "two fixes wait for you to pick one",
        Status::Fixed => "a fix is applied",
        Status::Suppressed => "its tool suppresses it",
        Status::Dismissed => "you dismissed it",
    };
    Some(why.to_owned())
}

/// A project as all its findings are planned.
#[derive(Clone)]
pub(crate) struct Opened {
    sources: Arc<Sources>,
    /// What became of earlier fixes.
    record: Arc<Record>,
}

/// The files of `project`, opened once; why they cannot be, where they cannot.
pub(crate) async fn sources(
    cx: &Ctx,
    opened: &mut HashMap<ProjectId, Result<Opened, String>>,
    project: &ProjectId,
) -> Result<Result<Opened, String>, RunError> {
    if let Some(known) = opened.get(project) {
        return Ok(known.clone());
    }
    let root = cx.store.project(project)?.ok_or_else(|| RunError::Gone(project.to_string()))?.root;
    let sources = match Sources::open_for_person(cx, Path::new(&root)).await {
        Ok(sources) => {
            let record = Arc::new(learn::recorded(cx, &sources.root()).await);
            Ok(Opened { sources: Arc::new(sources), record })
        }
        Err(RunError::Store(error)) => return Err(error.into()),
        Err(error) => Err(error.to_string()),
    };
    opened.insert(project.clone(), sources.clone());
    Ok(sources)
}

/// The plan of a run about one finding by `configuration`, or why there is none.
///
/// # Errors
/// Why it is not run, in words.
pub(crate) async fn under(
    cx: &Ctx,
    stored: &StoredFinding,
    opened: &Opened,
    configuration: &Configuration,
) -> Result<Planned, String> {
    one(cx, stored, opened, usual(cx, stored, &opened.sources).under(configuration), true).await
}

fn usual(cx: &Ctx, stored: &StoredFinding, sources: &Sources) -> RunPlan {
    let root = sources.root().display().to_string();
    RunPlan::for_finding(&stored.finding, &root, Effort::Usual, &cx.settings())
}

/// The plan for one finding, or why it is not run.
async fn one(
    cx: &Ctx,
    stored: &StoredFinding,
    opened: &Opened,
    plan: RunPlan,
    is_alone: bool,
) -> Result<Planned, String> {
    let Opened { sources, record } = opened;
    let settings = cx.settings();
    let brief = {
        let (finding, sources) = (stored.finding.clone(), Arc::clone(sources));
        blocking(move || stage::gather(&finding, &sources, &settings)).await
    };
    if let Some(why) = &brief.unusable {
        return Err(why.clone());
    }
    let (all, sitting) = stage::seated(&cx.models, &plan, Some(&brief), record);
    if let (false, Some(why)) = (all.is_empty(), stage::on_demand(&plan, is_alone)) {
        return Err(why);
    }
    let mut empty = stage::empty(&all, &sitting).into_iter();
    let seat = |sitting: &Sitting| {
        let taken = match sitting.member {
            Some(member) => Taken::By(all[member].name().to_owned(), range(&all[member], &brief)),
            None => Taken::Nobody(empty.next().map(fill).unwrap_or_default()),
        };
        PlannedSeat { role: sitting.role, taken, waits: sitting.second_wave }
    };
    let seats: Vec<PlannedSeat> = sitting.iter().map(seat).collect();
    let is_asked = seats.iter().any(|seat| matches!(seat.taken, Taken::By(..)));
    Ok(Planned {
        finding: stored.clone(),
        cost: Cost::of(&seats, plan.tier.cap),
        unpaid: if plan.design.is_bare() { Vec::new() } else { stage::unpaid(&stored.finding.detection.tool) },
        cap: plan.tier.cap.filter(|_| is_asked),
        analysis_s: if is_asked { plan.tier.analysis_s } else { 0 },
        seats,
    })
}

/// What would fill an empty seat.
fn fill(seat: Seat) -> String {
    match seat.drafts.into_iter().next() {
        Some(Draft::Empty { fill }) => fill,
        _ => String::new(),
    }
}

/// What one question about `brief` costs `model`.
fn range(model: &Model, brief: &Brief) -> Option<Range> {
    let (info, file) = (model.info(), brief.file.as_ref()?);
    let is_local = model.provider.known_class() == ModelClass::Local;
    let price = if is_local { &Price::FREE } else { info.price.as_ref()? };
    let [form, _] = Form::of(info);
    let request = prompt::fix_request(brief, file, form, info.can.context_tokens, None);
    let (low, high) = (price.usual(&request)?, price.most(&request)?);
    Some(Range { low: low.min(high), high })
}

/// What is chosen so far.
#[derive(Default)]
struct Choice {
    budget: Option<Money>,
    most: Option<usize>,
    chosen: Vec<Planned>,
    deferred: Vec<Deferred>,
    cost: Cost,
}

impl Choice {
    fn is_full(&self) -> Option<String> {
        let most = self.most.filter(|most| self.chosen.len() >= *most)?;
        Some(format!("it comes after the {most} that were asked for"))
    }

    /// Why `cost` does not fit into what is left of the budget.
    fn over(&self, cost: &Cost) -> Option<String> {
        let budget = self.budget?;
        if cost.unknown > 0 {
            return Some("what it costs is not known, and there is a budget".to_owned());
        }
        let left = budget.checked_sub(self.cost.known.high).unwrap_or_default();
        let high = cost.known.high;
        (high > left).then(|| format!("it may cost {high}, and {left} of the budget is left"))
    }

    fn put(&mut self, finding: StoredFinding, planned: Result<Planned, String>) {
        let fits = planned.and_then(|planned| match self.over(&planned.cost) {
            Some(why) => Err(why),
            None => Ok(planned),
        });
        match fits {
            Ok(planned) => {
                self.cost.join(&planned.cost);
                self.chosen.push(planned);
            }
            Err(why) => self.deferred.push(Deferred { finding, why }),
        }
    }
}

/// When the last of `seconds` is over, begun in their order, `parallel` at a time.
fn lasts(seconds: impl Iterator<Item = u64>, parallel: usize) -> u64 {
    let mut ends = vec![0; parallel.max(1)];
    for seconds in seconds {
        if let Some(first) = ends.iter_mut().min() {
            *first += seconds;
        }
    }
    ends.into_iter().max().unwrap_or(0)
}

#[cfg(test)]
mod tests;
