//! Asks the models of a panel at once, for as long as there is time; what comes later is taken when it is there.
//!
//! Invariants: each answer is stored when it comes, so that a run that is cut off asks nobody twice; a seat that fails is
//! a value; dropping the panel ends every question.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use conclave_core::brief::{Brief, BriefFile, Part};
use conclave_core::candidate::{Draft, Seat};
use conclave_core::finding::Severity;
use conclave_core::record::Record;
use conclave_core::tier::RunPlan;
use conclave_core::weakness::Family;
use conclave_inference::Priority;
use conclave_policy::Actor;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::model_seat::{self, Told};
use crate::ctx::Ctx;
use crate::event::Stage;
use crate::models::{Errand, Model, Models};
use crate::panel::{self, Member, Sitting};
use crate::prompt::{self, Form};
use crate::run::Line;
use crate::source::Sources;
use crate::spending::TierCap;
use crate::{learn, live};

/// Under which name the answers of a seat are stored.
fn kept_as(seat: &str) -> String {
    format!("seat {seat}")
}

/// A question to one model, for a seat.
pub(crate) struct Question {
    /// The seat as it is shown, without an answer.
    pub seat: Seat,
    pub model: Arc<Model>,
    /// The number of the answer, where the model gives several.
    pub sample: u32,
    /// An answer of it that a check refused.
    pub earlier: Option<Part>,
}

/// The models that are being asked. Empty until the first are.
#[derive(Default)]
pub(crate) struct Panel {
    asked: JoinSet<(usize, Vec<Draft>)>,
    seats: Vec<Seat>,
    /// Ready models without a seat, which stand in for one that declines.
    reserve: Arc<Mutex<VecDeque<Arc<Model>>>>,
    /// What was known of earlier fixes when the seats were given first.
    record: Option<Record>,
}

/// Who sits where by `plan` and by what `record` says of earlier fixes, with the models by their place.
pub(crate) fn seated(
    models: &Models,
    plan: &RunPlan,
    brief: Option<&Brief>,
    record: &Record,
) -> (Vec<Arc<Model>>, Vec<Sitting>) {
    let wanted = brief.and_then(|brief| panel::wanted(&brief.finding.detection.rule.cwe));
    let mut all = models.used();
    all.retain(|model| plan.asks(model.name()));
    all.sort_by_key(|model| plan.models.iter().position(|name| name == model.name()));
    let members = members(&all, models, brief, record);
    let sitting = panel::seats(&plan.tier, wanted, &members);
    (all, sitting)
}

fn members(all: &[Arc<Model>], models: &Models, brief: Option<&Brief>, record: &Record) -> Vec<Member> {
    let settings = models.settings();
    let language = brief.and_then(|brief| brief.file.as_ref()).and_then(|file| file.language);
    // An order that the person gave goes before what is known.
    let family = brief.filter(|_| settings.preference.is_empty()).map(|brief| &brief.finding.detection.rule.cwe);
    let family = family.map(|cwe| Family::of(cwe));
    let merit =
        |model: &Model| family.map_or(0, |family| panel::merit(record, &model_seat::origin(model), family, language));
    all.iter().map(|model| Member::of(model, &settings, language, merit(model))).collect()
}

/// The questions of those of `sitting` that somebody takes; `all` are the models by their place.
pub(crate) fn questions(all: &[Arc<Model>], sitting: &[Sitting]) -> Vec<Question> {
    let question = |sitting: &Sitting| {
        let model = Arc::clone(all.get(sitting.member?)?);
        let name = match sitting.sample {
            0 => model.name().to_owned(),
            n => format!("{}, answer {}", model.name(), n + 1),
        };
        let seat = Seat { name, drafts: Vec::new(), role: Some(sitting.role), late: false };
        Some(Question { seat, model, sample: sitting.sample, earlier: None })
    };
    sitting.iter().filter_map(question).collect()
}

/// A question for a fix, before it is put in the form that its model wants.
pub(super) fn errand(line: &Line<'_>, brief: &Brief, file: &BriefFile, plan: &RunPlan, sources: &Sources) -> Errand {
    let cx = line.cx();
    Errand {
        gate: cx.gate.clone(),
        actor: |name| Actor::Analyst(name.to_owned()),
        request: Arc::new(prompt::fix_request(brief, file, Form::Full, None, None)),
        about: prompt::about_fix(plan, &sources.root()),
        priority: priority(plan.severity),
        // What is late is still worth having while checks run.
        deadline: Duration::from_secs(plan.tier.analysis_s) * 2,
        purpose: "propose",
        finding: Some(brief.finding.id.clone()),
        run: Some(line.run().clone()),
        cap: TierCap::of(plan),
        may_be_kept: !plan.compared,
        agrees: None,
        client: None,
        live: None,
        cancel: cx.cancel.clone(),
    }
}

/// Where a question about a finding of `severity` stands among those that wait.
pub(crate) fn priority(severity: Severity) -> Priority {
    match severity {
        Severity::Critical => Priority::Critical,
        Severity::High => Priority::High,
        Severity::Medium => Priority::Medium,
        Severity::Low | Severity::Note => Priority::Low,
    }
}

impl Panel {
    /// Who sits where by `plan` and by what was known when that was asked first: whoever has answered keeps the seat.
    pub async fn seated(
        &mut self,
        cx: &Ctx,
        sources: &Sources,
        plan: &RunPlan,
        brief: &Brief,
    ) -> (Vec<Arc<Model>>, Vec<Sitting>) {
        let record = match self.record.take() {
            Some(record) => record,
            None => learn::recorded(cx, &sources.root()).await,
        };
        seated(&cx.models, plan, Some(brief), self.record.insert(record))
    }

    /// Asks all `questions`.
    pub fn begin(
        &mut self,
        line: &Line<'_>,
        brief: &Arc<Brief>,
        sources: &Arc<Sources>,
        plan: &RunPlan,
        questions: Vec<Question>,
    ) {
        let cx = line.cx();
        let Some(file) = &brief.file else { return };
        for Question { seat, model, sample, earlier } in questions {
            let index = self.seats.len();
            let name = seat.name.clone();
            if let Some(drafts) = line.kept::<Vec<Draft>>(&kept_as(&name)) {
                self.seats.push(Seat { drafts, ..seat });
                continue;
            }
            let drafts = vec![Draft::Failed { why: format!("no answer within {} s", plan.tier.analysis_s) }];
            self.seats.push(Seat { drafts, ..seat });
            let live = Some(live::told(cx.events.clone(), brief.finding.id.clone(), name.clone()));
            let errand = Errand { live, ..errand(line, brief, file, plan, sources) };
            let (models, brief, sources) = (Arc::clone(&cx.models), Arc::clone(brief), Arc::clone(sources));
            let (reserve, keep) = (Arc::clone(&self.reserve), line.keeper());
            let (events, said) = (cx.events.clone(), line.at(Stage::Propose, format!("{name} is done"), None));
            self.asked.spawn(async move {
                let work = async move {
                    let mut drafts = Vec::new();
                    let mut next = Some(model);
                    while let Some(model) = next.take() {
                        let told =
                            model_seat::ask(&models, &model, &errand, &brief, &sources, sample, earlier.as_ref()).await;
                        if matches!(told, Told::Declined(_)) {
                            next = reserve.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
                        }
                        drafts.push(told.into_draft());
                    }
                    drafts
                };
                // A fault in one seat is that seat's own.
                let drafts = crate::queue::alone(work).await;
                let drafts = drafts.unwrap_or_else(|why| vec![Draft::Failed { why: format!("it broke off: {why}") }]);
                keep.save(&kept_as(&name), &drafts);
                events.send(said);
                (index, drafts)
            });
        }
    }

    /// Keeps `models` for those who decline.
    pub fn hold(&mut self, models: Vec<Arc<Model>>) {
        self.reserve.lock().unwrap_or_else(PoisonError::into_inner).extend(models);
    }

    /// The seats with their answers, as far as they come before `end`.
    pub async fn until(&mut self, end: Instant) -> Vec<Seat> {
        while let Ok(Some(answer)) = tokio::time::timeout_at(end, self.asked.join_next()).await {
            if let Ok((index, drafts)) = answer {
                self.seats[index].drafts = drafts;
            }
        }
        self.seats.clone()
    }

    /// The seats whose answers have come since, marked as late.
    pub fn late(&mut self) -> Vec<Seat> {
        let mut late = Vec::new();
        while let Some(answer) = self.asked.try_join_next() {
            let Ok((index, drafts)) = answer else { continue };
            self.seats[index].drafts = drafts;
            self.seats[index].late = true;
            late.push(self.seats[index].clone());
        }
        late
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seat(name: &str) -> Seat {
        Seat { name: name.to_owned(), drafts: Vec::new(), role: None, late: false }
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_late_is_taken_when_the_answer_is_there() {
        let mut panel = Panel { seats: vec![seat("fast"), seat("slow"), seat("never")], ..Panel::default() };
        for (index, seconds) in [(0, 1), (1, 20), (2, 9000)] {
            panel.asked.spawn(async move {
                tokio::time::sleep(Duration::from_secs(seconds)).await;
                (index, vec![Draft::Silent { reason: "said".to_owned() }])
            });
        }
        let begin = Instant::now();
        let seats = panel.until(begin + Duration::from_secs(10)).await;
        assert_eq!(begin.elapsed(), Duration::from_secs(10), "the whole takes as long as there is time");
        assert_eq!(seats.iter().map(|seat| seat.drafts.len()).collect::<Vec<_>>(), [1, 0, 0]);
        assert!(panel.late().is_empty());
        tokio::time::sleep(Duration::from_secs(15)).await;
        let late = panel.late();
        assert_eq!(late.iter().map(|seat| (seat.name.as_str(), seat.late)).collect::<Vec<_>>(), [("slow", true)]);
        assert!(panel.late().is_empty(), "each answer is taken once");
    }
}
