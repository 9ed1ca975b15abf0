//! What is known of a fix when somebody does something with it: who wrote it, and how it stood.

use conclave_core::candidate::{Candidate, Draft, Origin};
use conclave_core::digest::Digest;
use conclave_core::evidence::{Check, CheckOutcome, Evidence};
use conclave_core::finding::Finding;
use conclave_core::label::Attempt;
use conclave_core::language::Language;
use conclave_core::resolution::{Resolution, Verdict};
use conclave_core::weakness::Family;
use conclave_store::NewFix;

/// The fix of `verdict` with all who wrote the very same patch.
pub(super) fn new_fix(client: &str, finding: &Finding, resolution: &Resolution, verdict: &Verdict) -> NewFix {
    let candidate = &verdict.judged.candidate;
    let family = Family::of(&finding.detection.rule.cwe);
    let confidence = &verdict.confidence;
    let of = |origin: Origin| Attempt {
        origin,
        family,
        language: finding.detection.location.as_ref().and_then(|location| Language::of_path(&location.path)),
        severity: finding.detection.severity,
        rule: finding.detection.rule.id.clone(),
        rung: rung(&verdict.judged.evidence),
        p: confidence.p,
        log_odds: confidence.unfitted(),
        cap: confidence.earned,
    };
    NewFix {
        client: client.to_owned(),
        project: finding.project.clone(),
        finding: finding.id.clone(),
        fix: candidate.id.clone(),
        vulnerability_type: kind(finding),
        signature: signature(verdict),
        consensus: consensus(resolution, verdict),
        edge_cases: u32::try_from(candidate.edge_cases.len()).unwrap_or(u32::MAX),
        attempts: authors(resolution, candidate).into_iter().map(|origin| (name(&origin), of(origin))).collect(),
    }
}

/// Whether the project's tests passed with it on a copy, those that reach the change among them.
pub(super) fn tests_passed(verdict: &Verdict) -> bool {
    verdict.judged.evidence.iter().any(|evidence| evidence.check == Check::Tests && is_full_pass(evidence))
}

/// Whether the check passed with nothing to be said against it.
pub(super) fn is_full_pass(evidence: &Evidence) -> bool {
    evidence.outcome == CheckOutcome::Pass && !evidence.weaker
}

/// The highest check of the ladder that passed in full; gates are none.
fn rung(evidence: &[Evidence]) -> Option<Check> {
    let passed = evidence.iter().filter(|evidence| !evidence.check.is_gate() && is_full_pass(evidence));
    passed.map(|evidence| evidence.check).max()
}

/// The kind of weakness: its first CWE number, else the rule.
pub(crate) fn kind(finding: &Finding) -> String {
    let rule = &finding.detection.rule;
    rule.cwe.first().map_or_else(|| rule.id.clone(), |cwe| format!("CWE-{cwe}"))
}

/// The author's name: a model's as the other end knows it.
pub(super) fn name(origin: &Origin) -> String {
    match origin {
        Origin::Model { model, .. } if !model.is_empty() => model.clone(),
        Origin::Model { endpoint, .. } => endpoint.clone(),
        Origin::Recipe { .. }
        | Origin::Scanner { .. }
        | Origin::Synthesis { .. }
        | Origin::Pattern { .. }
        | Origin::Person { .. } => origin.label(),
    }
}

/// All who proposed the patch of `candidate`, its own author first, each name once.
fn authors(resolution: &Resolution, candidate: &Candidate) -> Vec<Origin> {
    let mut authors = vec![candidate.origin.clone()];
    for draft in resolution.seats.iter().flat_map(|seat| &seat.drafts) {
        if let Draft::Proposed { candidate: other } = draft
            && other.patch == candidate.patch
            && authors.iter().all(|author| name(author) != name(&other.origin))
        {
            authors.push(other.origin.clone());
        }
    }
    authors
}

/// Everybody whose fix comes to the same.
fn consensus(resolution: &Resolution, verdict: &Verdict) -> Vec<String> {
    let same = resolution.verdicts.iter().filter(|other| other.cluster == verdict.cluster);
    let mut names: Vec<String> = same
        .flat_map(|other| std::iter::once(other.judged.candidate.origin.label()).chain(other.judged.also_by.clone()))
        .collect();
    names.sort();
    names.dedup();
    names
}

/// What the change is, apart from where: means, imports and changed tokens; the very patch where that is not known.
fn signature(verdict: &Verdict) -> String {
    let digest = match &verdict.judged.shape {
        Some(shape) => {
            let means = shape.mitigation.map_or("", |mitigation| mitigation.label());
            let parts = shape.imports.iter().chain(&shape.changed).map(String::as_str);
            Digest::of_parts(std::iter::once(means).chain(parts))
        }
        None => verdict.judged.candidate.patch.digest(),
    };
    digest.short().to_owned()
}
