//! Turns what the engine and the store hold into what crosses the boundary.

use conclave_core::candidate::{Draft, Seat};
use conclave_core::confidence::Confidence;
use conclave_core::evidence::{Check, CheckOutcome, Evidence};
use conclave_core::finding::Region;
use conclave_core::judgement::{Fault, Judgement};
use conclave_core::resolution::{Conclusion, Resolution, Verdict, no_alternative, no_edge_case};
use conclave_engine::event;
use conclave_engine::replay::Replayed;
use conclave_policy::{Access, Effective, Layer, Reviewed, ToolRequest};
use conclave_store::{ScanRecord, StoredFinding};

mod synthesis;

use crate::view::{
    CheckingView, ConfidenceSummary, ConfidenceView, Effect, Ending, Event, EvidenceView, FileDiff, FindingRow,
    FixView, JudgementView, Mark, ReplayView, ResolutionView, ReviewView, RuleLayer, RunProgress, ScanState, ScanView,
    SeatState, SeatView, Stage, Tag, TermView,
};

pub(crate) fn topic(tag: Tag) -> event::Topic {
    match tag {
        Tag::Findings => event::Topic::Findings,
        Tag::Projects => event::Topic::Projects,
        Tag::Runs => event::Topic::Runs,
        Tag::Ledger => event::Topic::Ledger,
        Tag::Policy => event::Topic::Policy,
        Tag::Asks => event::Topic::Asks,
        Tag::Keys => event::Topic::Keys,
        Tag::Models => event::Topic::Models,
        Tag::Spending => event::Topic::Spending,
    }
}

fn tag(topic: event::Topic) -> Tag {
    match topic {
        event::Topic::Findings => Tag::Findings,
        event::Topic::Projects => Tag::Projects,
        event::Topic::Runs => Tag::Runs,
        event::Topic::Ledger => Tag::Ledger,
        event::Topic::Policy => Tag::Policy,
        event::Topic::Asks => Tag::Asks,
        event::Topic::Keys => Tag::Keys,
        event::Topic::Models => Tag::Models,
        event::Topic::Spending => Tag::Spending,
    }
}

pub(crate) fn event(event: &event::Event) -> Event {
    match event {
        event::Event::Changed(topics) => Event::Changed { tags: topics.iter().copied().map(tag).collect() },
        event::Event::Run(run) => Event::Run { progress: progress(run) },
        event::Event::Delta(event::Delta { finding, seat, model, text, is_new }) => Event::Delta {
            finding: finding.to_string(),
            seat: seat.clone(),
            model: model.clone(),
            text: text.clone(),
            is_new: *is_new,
        },
        event::Event::Tool(event::ToolUsed { finding, used }) => {
            Event::Tool { finding: finding.to_string(), used: synthesis::tool_use(used) }
        }
    }
}

/// Asking and checking go by one name, the first time and once more.
pub(crate) fn stage(stage: event::Stage) -> Stage {
    match stage {
        event::Stage::Queued => Stage::Queued,
        event::Stage::Gather => Stage::Gather,
        event::Stage::Propose | event::Stage::ProposeAgain => Stage::Propose,
        event::Stage::Verify | event::Stage::VerifyAgain | event::Stage::VerifyMerged | event::Stage::Edit => {
            Stage::Verify
        }
        event::Stage::Judge => Stage::Judge,
        event::Stage::Synthesise => Stage::Synthesise,
        event::Stage::Conclude => Stage::Conclude,
    }
}

pub(crate) fn progress(progress: &event::Progress) -> RunProgress {
    RunProgress {
        finding: progress.finding.to_string(),
        stage: stage(progress.stage),
        text: progress.text.clone(),
        checking: progress.checking.as_ref().map(|checking| CheckingView {
            fix: checking.candidate.to_string(),
            origin: checking.origin.clone(),
            check: checking.check,
            label: checking.check.label().to_owned(),
        }),
        started_at: progress.started_at,
    }
}

pub(crate) fn row(stored: &StoredFinding) -> FindingRow {
    let finding = &stored.finding;
    let detection = &finding.detection;
    FindingRow {
        id: finding.id.to_string(),
        project: finding.project.to_string(),
        title: finding.title().to_owned(),
        severity: detection.severity,
        status: stored.status,
        stale: stored.stale,
        tool: detection.tool.name.clone(),
        rule: detection.rule.id.clone(),
        cwe: detection.rule.cwe.clone(),
        path: detection.location.as_ref().map(|location| location.path.to_string()),
        line: detection.location.as_ref().and_then(|location| location.region).map(|region| region.start_line),
        confidence: stored.confidence.as_ref().map(|c| ConfidenceSummary {
            p: c.p,
            low: c.low,
            high: c.high,
            cap: c.cap,
            word: c.word.clone(),
        }),
        note: stored.note.clone(),
        first_seen_at: stored.first_seen_at,
    }
}

pub(crate) fn scan(record: &ScanRecord, new_findings: u32, at: i64) -> ScanView {
    let (state, reason) = match &record.state {
        conclave_store::ScanState::Complete => (ScanState::Complete, None),
        conclave_store::ScanState::Failed { reason } => (ScanState::Failed, Some(reason.clone())),
    };
    ScanView {
        tool: record.tool.name.clone(),
        state,
        reason,
        results: record.results,
        new_findings,
        complaints: record.complaints.clone(),
        complaint_count: record.complaint_count,
        at,
    }
}

pub(crate) fn replayed(replayed: &Replayed) -> ReplayView {
    let view = resolution(&replayed.resolution, |_| Vec::new());
    let first = view.fixes.into_iter().find(|fix| fix.stopped.is_none());
    ReplayView {
        run: view.run,
        same: replayed.same,
        ending: view.ending,
        recommended: view.recommended,
        confidence: first.map(|fix| fix.confidence),
    }
}

/// `diffs` gives the file changes of a verdict.
pub(crate) fn resolution(resolution: &Resolution, diffs: impl Fn(&Verdict) -> Vec<FileDiff>) -> ResolutionView {
    let (ending, reason, next) = match &resolution.conclusion {
        Conclusion::Recommended { .. } => (Ending::Recommended, None, None),
        Conclusion::Disagreement { reason, .. } => {
            (Ending::Disagreement, Some(reason), Some("compare the two, and apply one of them by its id"))
        }
        Conclusion::SuspectedFalsePositive { reason, next } => {
            (Ending::SuspectedFalsePositive, Some(reason), Some(next.as_str()))
        }
        Conclusion::NoSafeFix { reason, next } => (Ending::NoSafeFix, Some(reason), Some(next.as_str())),
    };
    ResolutionView {
        run: resolution.run.to_string(),
        recommended: resolution.recommended().map(|verdict| verdict.judged.candidate.id.to_string()),
        ending,
        reason: reason.cloned(),
        next: next.map(str::to_owned),
        judgements: resolution.judgements.iter().map(judgement).collect(),
        fixes: resolution.verdicts.iter().map(|verdict| fix(verdict, diffs(verdict))).collect(),
        seats: resolution.seats.iter().flat_map(seat).collect(),
        change: resolution.explanation.change.clone(),
        why_safe: resolution.explanation.why_safe.clone(),
        not_covered: resolution.explanation.not_covered.clone(),
        no_alternative: no_alternative(resolution),
        no_edge_case: no_edge_case(resolution),
        synthesis: resolution.synthesis.as_ref().map(synthesis::synthesis),
        cost: None,
        analysis_ms: resolution.analysis_ms,
        verification_ms: resolution.verification_ms,
    }
}

fn judgement(judgement: &Judgement) -> JudgementView {
    let words = |faults: &[Fault]| faults.iter().map(|fault| fault.label().to_owned()).collect();
    JudgementView {
        a: judgement.a.to_string(),
        b: judgement.b.to_string(),
        choice: judgement.choice(),
        faults_a: words(&judgement.faults_a),
        faults_b: words(&judgement.faults_b),
        judge: judgement.judge.clone(),
    }
}

fn fix(verdict: &Verdict, files: Vec<FileDiff>) -> FixView {
    let candidate = &verdict.judged.candidate;
    FixView {
        id: candidate.id.to_string(),
        title: candidate.title.clone(),
        rationale: candidate.rationale.clone(),
        origin: candidate.origin.label(),
        also_by: verdict.judged.also_by.clone(),
        parents: verdict.judged.parents.iter().map(ToString::to_string).collect(),
        class: candidate.class,
        edge_cases: candidate.edge_cases.clone(),
        side_effects: candidate.side_effects.clone(),
        disproof: candidate.disproof.clone(),
        stopped: verdict.stopped.clone(),
        cluster: verdict.cluster,
        trade_off: verdict.trade_off.clone(),
        smells: verdict.judged.smells.iter().map(|s| format!("{}: {}", s.kind.label(), s.detail)).collect(),
        files,
        evidence: ladder(&verdict.judged.evidence),
        confidence: confidence(&verdict.confidence),
    }
}

/// Every rung: what was observed, and "not run" for what nobody looked at.
fn ladder(evidence: &[Evidence]) -> Vec<EvidenceView> {
    let rung = |check: Check| {
        let seen = evidence.iter().find(|e| e.check == check);
        EvidenceView {
            check,
            label: check.label().to_owned(),
            outcome: seen.map_or(CheckOutcome::NotRun, |e| e.outcome),
            weaker: seen.is_some_and(|e| e.weaker),
            summary: seen.map_or_else(|| "the checks ended before this one".to_owned(), |e| e.summary.clone()),
            command: seen.and_then(|e| e.command.clone()),
            log: seen.and_then(|e| e.log.clone()),
            duration_ms: seen.map_or(0, |e| e.duration_ms),
        }
    };
    Check::ALL.into_iter().map(rung).collect()
}

pub(crate) fn summary(confidence: &Confidence) -> ConfidenceSummary {
    let Confidence { p, low, high, cap, ref word, .. } = *confidence;
    ConfidenceSummary { p, low, high, cap, word: word.clone() }
}

pub(crate) fn confidence(confidence: &Confidence) -> ConfidenceView {
    ConfidenceView {
        summary: summary(confidence),
        cap_reason: confidence.cap_reason.clone(),
        raise: confidence.raise.clone(),
        terms: confidence.terms.iter().map(|t| TermView { label: t.label.clone(), value: t.value }).collect(),
        outcomes: confidence.n,
    }
}

pub(crate) fn seat(seat: &Seat) -> Vec<SeatView> {
    let view = |draft: &Draft| {
        let (state, note) = match draft {
            Draft::Proposed { candidate } => (SeatState::Proposed, &candidate.title),
            Draft::Refused { reason } => (SeatState::Refused, reason),
            Draft::Doubted { reason } => (SeatState::Doubted, reason),
            Draft::Silent { reason } => (SeatState::Silent, reason),
            Draft::Failed { why } | Draft::NotAsked { why } => (SeatState::Failed, why),
            Draft::Empty { fill } => (SeatState::Empty, fill),
        };
        SeatView { name: seat.name.clone(), role: seat.role, state, note: note.clone(), late: seat.late }
    };
    seat.drafts.iter().map(view).collect()
}

pub(crate) fn effect(effect: Effective) -> Effect {
    match effect {
        Effective::Allow => Effect::Allow,
        Effective::Sample => Effect::Sample,
        Effective::Deny => Effect::Deny,
    }
}

pub(crate) fn layer(layer: Layer) -> RuleLayer {
    match layer {
        Layer::Floor => RuleLayer::Floor,
        Layer::Admin => RuleLayer::Admin,
        Layer::User => RuleLayer::User,
        Layer::Project => RuleLayer::Project,
    }
}

pub(crate) fn review(review: &Reviewed) -> ReviewView {
    match review {
        Reviewed::Person { justification, at_ms } => {
            ReviewView::Person { justification: justification.clone(), at: *at_ms }
        }
        Reviewed::Model { provider, model, confidence, risk_factors, took_ms, at_ms, cached } => ReviewView::Model {
            provider: provider.clone(),
            model: model.clone(),
            confidence: *confidence,
            risk_factors: risk_factors.clone(),
            took_ms: *took_ms,
            at: *at_ms,
            cached: *cached,
        },
    }
}

/// A request in one line: who, what, on what, and what else is known.
pub(crate) fn request(request: &ToolRequest) -> String {
    let mut text = match &request.call {
        Some(call) => format!("{}: {} {}", request.actor, call.tool, call.parameters),
        None => format!("{}: {} {}", request.actor, request.action, request.resource),
    };
    for path in &request.paths {
        let verb = if path.access == Access::Write { "writes" } else { "reads" };
        text.push_str(&format!(", {verb} {}", path.real.as_ref().unwrap_or(&path.given)));
    }
    for (key, value) in &request.context {
        text.push_str(&format!(", {key} {value}"));
    }
    text
}

/// The marked ranges of `region` in `text`, one a line, in UTF-16 code units.
pub(crate) fn marks(text: &str, region: &Region) -> Vec<Mark> {
    let Some(range) = region.byte_range(text) else { return Vec::new() };
    let units = |text: &str| u32::try_from(text.encode_utf16().count()).unwrap_or(u32::MAX);
    let mut marks = Vec::new();
    let mut start = 0;
    for (index, line) in text.split_inclusive('\n').enumerate() {
        let end = start + line.trim_end_matches(['\n', '\r']).len();
        let (from, to) = (range.start.max(start), range.end.min(end));
        if from < to {
            let number = u32::try_from(index + 1).unwrap_or(u32::MAX);
            marks.push(Mark { line: number, start: units(&text[start..from]), end: units(&text[start..to]) });
        }
        start += line.len();
    }
    marks
}
