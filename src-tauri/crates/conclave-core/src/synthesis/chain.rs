//! The chain of thoughts that evidence gives: what is reported, what was proposed, what the checks say, what remains.
//!
//! Each step names whose contributions it rests on. Where what was seen speaks against what most seats came to, a step
//! takes that back. Deliberately absent: any thought that does not follow from what a run has stored.

use super::complete::{known, lower_first, place};
use super::{Source, Thought};
use crate::brief::Brief;
use crate::candidate::{Draft, Origin};
use crate::evidence::{Check, CheckOutcome, Evidence};
use crate::id::CandidateId;
use crate::judgement::Choice;
use crate::resolution::{Conclusion, Resolution, Verdict, sentence};

/// At most so many fixes that were set aside are named.
const MOST_ASIDE: usize = 4;

/// Five to nine steps.
pub(super) fn thoughts(brief: &Brief, concluded: &Resolution) -> Vec<Thought> {
    let groups = groups(concluded);
    let mut chain = Chain::default();
    chain.think((reported(brief), Vec::new()));
    chain.think((cause(brief), Vec::new()));
    chain.think(proposed(&groups));
    if let Some((most, why)) = refuted(&groups, concluded) {
        let step = chain.think(majority(most, &groups));
        chain.think(why);
        chain.revises(step);
    }
    for step in [checked(concluded), set_aside(concluded, &groups), compared(concluded)].into_iter().flatten() {
        chain.think(step);
    }
    chain.think((remains(concluded), vec![Source::Synthesiser]));
    chain.done()
}

/// A step in words, and what it rests on.
type Step = (String, Vec<Source>);

#[derive(Default)]
struct Chain(Vec<Thought>);

impl Chain {
    /// Adds a step, and gives its number.
    fn think(&mut self, (text, all): Step) -> u32 {
        let number = u32::try_from(self.0.len() + 1).unwrap_or(u32::MAX);
        let mut sources = Vec::new();
        for source in all {
            if !sources.contains(&source) {
                sources.push(source);
            }
        }
        self.0.push(Thought { number, total: number, text, revises: None, branch: None, sources });
        number
    }

    /// The last step takes `step` back.
    fn revises(&mut self, step: u32) {
        self.0.iter_mut().last().into_iter().for_each(|last| last.revises = Some(step));
    }

    fn done(mut self) -> Vec<Thought> {
        let total = u32::try_from(self.0.len()).unwrap_or(u32::MAX);
        self.0.iter_mut().for_each(|thought| thought.total = total);
        self.0
    }
}

/// Fixes that come to the same, and who proposed them.
struct Group<'a> {
    /// The one that goes first.
    lead: &'a Verdict,
    /// The seats, each once.
    seats: Vec<&'a str>,
    /// The same for people.
    names: Vec<String>,
}

/// By cluster, in the order of the verdicts; what was made of other fixes is nobody's proposal.
fn groups(concluded: &Resolution) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    for verdict in concluded.verdicts.iter().filter(|verdict| verdict.judged.parents.is_empty()) {
        let index = groups.iter().position(|group| group.lead.cluster == verdict.cluster).unwrap_or_else(|| {
            groups.push(Group { lead: verdict, seats: Vec::new(), names: Vec::new() });
            groups.len() - 1
        });
        let group = &mut groups[index];
        for (seat, candidate) in concluded.proposals(&verdict.judged.candidate.patch) {
            if !group.seats.contains(&seat.name.as_str()) {
                group.seats.push(&seat.name);
                // Many recipes share one seat.
                group.names.push(match &candidate.origin {
                    Origin::Recipe { .. } => candidate.origin.label(),
                    _ => seat.name.clone(),
                });
            }
        }
    }
    groups
}

fn seats<'a>(names: impl IntoIterator<Item = &'a str>) -> impl Iterator<Item = Source> {
    names.into_iter().map(|name| Source::Seat { name: name.to_owned() })
}

fn source(check: Check) -> Source {
    Source::Check { name: check.label().to_owned() }
}

/// `a`, `a and b`, `a, b and c`.
fn listed(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [others @ .., last] => format!("{} and {last}", others.join(", ")),
    }
}

fn quoted(verdict: &Verdict) -> String {
    format!("\u{201c}{}\u{201d}", verdict.judged.candidate.title.trim().trim_end_matches('.'))
}

fn reported(brief: &Brief) -> String {
    let detection = &brief.finding.detection;
    let place = detection.location.as_ref().map(|location| format!(" at {}", place(location))).unwrap_or_default();
    format!("{} {} reports{place}: {}", detection.tool.name, detection.rule.id, sentence(&detection.message))
}

fn cause(brief: &Brief) -> String {
    let Some(weakness) = known(&brief.finding) else {
        return "The rule names no weakness that more is known of, so only what is reported can be repaired."
            .to_owned();
    };
    let cause = weakness.family.cause().map(|cause| format!("{cause} ")).unwrap_or_default();
    let remedy = lower_first(weakness.remedy);
    format!("That is {}, CWE-{}. {cause}What removes it: {remedy}", weakness.name, weakness.cwe)
}

fn proposed(groups: &[Group<'_>]) -> Step {
    let mut texts = Vec::new();
    for group in groups {
        let means = group.lead.judged.shape.as_ref().and_then(|shape| shape.mitigation);
        let means = means.map(|means| format!(", which {}", means.label())).unwrap_or_default();
        let verb = if group.names.len() == 1 { "proposes" } else { "come to the same:" };
        texts.push(format!("{} {verb} {}{means}.", listed(&group.names), quoted(group.lead)));
    }
    match groups {
        [] => texts.push("No seat proposes a fix.".to_owned()),
        [_] => {}
        [..] => texts.push(format!("These are {} different ways.", groups.len())),
    }
    (texts.join(" "), groups.iter().flat_map(|group| seats(group.seats.iter().copied())).collect())
}

fn majority(most: &Group<'_>, groups: &[Group<'_>]) -> Step {
    let all: usize = groups.iter().map(|group| group.names.len()).sum();
    let text = format!(
        "{} of {all} seats with a fix come to the same, {}: by their number it goes first.",
        most.names.len(),
        quoted(most.lead)
    );
    (text, seats(most.seats.iter().copied()).collect())
}

/// What more seats than any other came to, where what was seen speaks against it; with that as a step.
fn refuted<'a>(groups: &'a [Group<'a>], concluded: &Resolution) -> Option<(&'a Group<'a>, Step)> {
    let most = groups.iter().max_by_key(|group| group.names.len())?;
    let as_many = groups.iter().filter(|group| group.names.len() == most.names.len()).count();
    if most.names.len() < 2 || as_many > 1 {
        return None;
    }
    if let Some(failed) = fatal(most.lead) {
        let label = failed.check.label();
        let why = sentence(&failed.summary);
        let text = format!("That does not hold. {label} speaks against it: {why} It is set aside, whoever wrote it.");
        return Some((most, (text, vec![source(failed.check)])));
    }
    let first = concluded.shown().next().filter(|first| first.cluster != most.lead.cluster)?;
    let is_more = |e: &&Evidence| !passed(most.lead).any(|other| other.check == e.check);
    let ahead: Vec<Check> = passed(first).filter(is_more).map(|e| e.check).collect();
    let labels: Vec<String> = ahead.iter().map(|check| check.label().to_owned()).collect();
    let text = format!(
        "That does not hold: {} passed {} beside, and what was seen counts for more than how many came to it.",
        quoted(first),
        listed(&labels)
    );
    (!ahead.is_empty()).then(|| (most, (text, ahead.into_iter().map(source).collect())))
}

/// The check that stops a fix; changed behaviour alone is said and stops nothing.
fn fatal(verdict: &Verdict) -> Option<&Evidence> {
    let is_fatal = |e: &&Evidence| e.outcome == CheckOutcome::Fail && e.check != Check::Behaviour;
    verdict.judged.evidence.iter().find(is_fatal)
}

fn passed(verdict: &Verdict) -> impl Iterator<Item = &Evidence> {
    verdict.judged.evidence.iter().filter(|e| e.outcome == CheckOutcome::Pass && !e.check.is_gate())
}

fn checked(concluded: &Resolution) -> Option<Step> {
    let first = concluded.shown().next()?;
    let label = first.judged.candidate.origin.label();
    let seen: Vec<String> = passed(first).map(|e| format!("{}: {}", e.check.label(), e.summary)).collect();
    let mut text = match seen.is_empty() {
        true => format!("The fix of {label} applies and parses; nothing more could be seen of it."),
        false => format!("The fix of {label} passed its checks. {}.", seen.join("; ")),
    };
    let mut sources: Vec<Source> = passed(first).map(|e| source(e.check)).collect();
    let evidence = &first.judged.evidence;
    if let Some(differs) = evidence.iter().find(|e| e.check == Check::Behaviour && e.outcome == CheckOutcome::Fail) {
        text.push_str(&format!(" Its behaviour changes: {}", sentence(&differs.summary)));
        sources.push(source(Check::Behaviour));
    }
    for smell in &first.judged.smells {
        text.push_str(&format!(" Suspicious: {}", sentence(&smell.detail)));
    }
    Some((text, sources))
}

/// Fixes that were stopped, and seats without one.
fn set_aside(concluded: &Resolution, groups: &[Group<'_>]) -> Option<Step> {
    let mut texts = Vec::new();
    let mut sources = Vec::new();
    let stopped: Vec<_> = groups.iter().filter_map(|group| Some((group, group.lead.stopped.as_deref()?))).collect();
    for (group, why) in stopped.iter().take(MOST_ASIDE) {
        texts.push(format!("{} of {}: {}", quoted(group.lead), listed(&group.names), sentence(why)));
        sources.extend(seats(group.seats.iter().copied()));
        sources.extend(fatal(group.lead).map(|e| source(e.check)));
    }
    if stopped.len() > MOST_ASIDE {
        texts.push(format!("And {} more.", stopped.len() - MOST_ASIDE));
    }
    for seat in &concluded.seats {
        let said = seat.drafts.iter().find_map(|draft| match draft {
            Draft::Refused { reason } => Some(("will not touch it", reason)),
            Draft::Doubted { reason } => Some(("would change nothing", reason)),
            Draft::Silent { reason } => Some(("has nothing to say", reason)),
            Draft::Failed { why } => Some(("gave no answer", why)),
            Draft::NotAsked { why } => Some(("was not asked", why)),
            Draft::Proposed { .. } | Draft::Empty { .. } => None,
        });
        if let Some((what, why)) = said {
            texts.push(format!("{} {what}: {}", seat.name, sentence(why)));
            sources.extend(seats([seat.name.as_str()]));
        }
    }
    (!texts.is_empty()).then(|| (format!("Set aside: {}", texts.join(" ")), sources))
}

/// What judges said, what alternatives are better at, and what was made of several fixes.
fn compared(concluded: &Resolution) -> Option<Step> {
    let mut texts = Vec::new();
    let mut sources = Vec::new();
    let label = |id: &CandidateId| concluded.verdict(id).map(|verdict| verdict.judged.candidate.origin.label());
    let label = |id: &CandidateId| label(id).unwrap_or_else(|| "another seat".to_owned());
    for judgement in &concluded.judgements {
        let choice = match judgement.choice() {
            Choice::A => format!("holds the fix of {} for better", label(&judgement.a)),
            Choice::B => format!("holds the fix of {} for better", label(&judgement.b)),
            Choice::Tie => "cannot tell the best two apart".to_owned(),
            Choice::Neither => "holds neither of the best two for right".to_owned(),
        };
        texts.push(format!("{} {choice}.", judgement.judge));
        sources.extend(seats([judgement.judge.as_str()]));
    }
    for verdict in concluded.shown() {
        let Some(trade_off) = &verdict.trade_off else { continue };
        let candidate = &verdict.judged.candidate;
        texts.push(format!("{}, against the first: {}", candidate.origin.label(), lower_first(trade_off)));
        sources.extend(concluded.proposals(&candidate.patch).flat_map(|(seat, _)| seats([seat.name.as_str()])));
    }
    for verdict in concluded.verdicts.iter().filter(|verdict| !verdict.judged.parents.is_empty()) {
        let parents: Vec<String> = verdict.judged.parents.iter().map(label).collect();
        let fate = match &verdict.stopped {
            Some(why) => format!("was stopped: {}", sentence(why)),
            None => "passed the same checks, without their votes.".to_owned(),
        };
        texts.push(format!("{}, made from the fix of {}, {fate}", quoted(verdict), listed(&parents)));
        sources.push(Source::Synthesiser);
    }
    (!texts.is_empty()).then(|| (texts.join(" "), sources))
}

fn remains(concluded: &Resolution) -> String {
    let best = match &concluded.conclusion {
        Conclusion::Recommended { .. } => concluded.recommended(),
        Conclusion::Disagreement { reason, .. } => return format!("None is recommended: {}", sentence(reason)),
        Conclusion::SuspectedFalsePositive { reason, next } | Conclusion::NoSafeFix { reason, next } => {
            return format!("None is recommended: {} What would settle it: {}", sentence(reason), sentence(next));
        }
    };
    let Some(best) = best else { return String::new() };
    let confidence = &best.confidence;
    let mut text = format!(
        "Recommended is the fix of {}: \u{201c}{}\u{201d}, {:.2} of at most {:.2}.",
        best.judged.candidate.origin.label(),
        confidence.word,
        confidence.p,
        confidence.cap
    );
    match concluded.explanation.not_covered.len() {
        0 => {}
        1 => text.push_str(" One thing is not covered."),
        n => text.push_str(&format!(" {n} things are not covered.")),
    }
    if let Some(raise) = &confidence.raise {
        text.push_str(&format!(" What would raise it: {}", sentence(raise)));
    }
    text
}
