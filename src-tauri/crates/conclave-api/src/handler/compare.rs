//! Compares two configurations, blind.

use conclave_core::comparison::{Arm, ArmReport, INTERVAL, Pair, Standing};
use conclave_core::configuration::{Configuration, Design};
use conclave_core::finding::Status;
use conclave_core::patch::Patch;
use conclave_engine::compare::{self, Revealed, Wish};
use conclave_store::Comparison;

use crate::api::Api;
use crate::diff::file_diff;
use crate::error::{ApiError, ErrorCode};
use crate::show;
use crate::view::{
    ArmView, ChooseFix, CompareFixes, ComparisonList, ComparisonPlan, ComparisonReport, ConfigurationView, DeferredRun,
    FileDiff, FixComparisonView, GetNextPair, ListComparisons, NamedComparison, NamedConfiguration, NextPair,
    PairRevealed, PairView, PlannedArm, PreferenceShare, RevealedSide, RunFix, RungView,
};

pub(crate) async fn plan_comparison(api: &Api, request: CompareFixes) -> Result<ComparisonPlan, ApiError> {
    let wish = wish(api, request)?;
    let outlook = compare::plan(api.cx(), &wish).await?;
    let [a, b] = [0, 1].map(|arm| PlannedArm {
        configuration: configuration(&wish.arms[arm]),
        cost: super::plan::cost(&outlook.costs[arm]),
    });
    let deferred = outlook.deferred.into_iter();
    Ok(ComparisonPlan {
        a,
        b,
        findings: count(outlook.chosen.len()),
        deferred: deferred.map(|one| DeferredRun { finding: show::row(&one.finding), why: one.why }).collect(),
    })
}

pub(crate) async fn start_comparison(api: &Api, request: CompareFixes) -> Result<FixComparisonView, ApiError> {
    let wish = wish(api, request)?;
    let (client, id) = compare::begin(api.cx(), &wish).await?;
    one(api, &client, id)
}

pub(crate) async fn run_comparison(api: &Api, request: NamedComparison) -> Result<FixComparisonView, ApiError> {
    let client = client(api, request.client)?;
    compare::go_on(&api.run_cx(), &client, request.comparison).await?;
    one(api, &client, request.comparison)
}

pub(crate) async fn list_comparisons(api: &Api, request: ListComparisons) -> Result<ComparisonList, ApiError> {
    let client = client(api, request.client)?;
    let items = compare::list(api.cx(), &client)?.iter().map(|(comparison, pairs)| view(comparison, pairs)).collect();
    Ok(ComparisonList { items, designs: Design::ALL.map(|design| configuration(&design.into())).to_vec() })
}

pub(crate) async fn get_next_pair(api: &Api, request: GetNextPair) -> Result<NextPair, ApiError> {
    let client = client(api, request.client)?;
    let Some(shown) = compare::next(api.cx(), &client, request.comparison)? else {
        return Ok(NextPair { pair: None });
    };
    let detection = &shown.finding.detection;
    let place = detection.location.as_ref();
    let [left, right] = shown.sides.map(|side| side.map(|patch| diffs(api, &patch)));
    let pair = PairView {
        id: shown.pair,
        comparison: shown.comparison,
        waiting: shown.waiting,
        title: shown.finding.title().to_owned(),
        severity: detection.severity,
        tool: detection.tool.name.clone(),
        rule: detection.rule.id.clone(),
        message: detection.message.clone(),
        path: place.map(|place| place.path.to_string()),
        line: place.and_then(|place| place.region).map(|region| region.start_line),
        left,
        right,
    };
    Ok(NextPair { pair: Some(pair) })
}

pub(crate) async fn choose_fix(api: &Api, request: ChooseFix) -> Result<PairRevealed, ApiError> {
    let client = client(api, request.client)?;
    let revealed = compare::choose(api.cx(), &client, request.pair, request.preference)?;
    Ok(PairRevealed {
        pair: revealed.pair.id,
        comparison: revealed.comparison.id,
        preference: revealed.preference,
        left: side(api, &revealed, revealed.left)?,
        right: side(api, &revealed, revealed.left.other())?,
    })
}

pub(crate) async fn get_comparison(api: &Api, request: NamedComparison) -> Result<ComparisonReport, ApiError> {
    let client = client(api, request.client)?;
    let (comparison, report) = compare::report(api.cx(), &client, request.comparison)?;
    let [a, b] = Arm::ALL.map(|which| arm(comparison.configuration(which), &report.arms[which as usize]));
    Ok(ComparisonReport {
        at: report.at,
        settings: report.settings.to_string(),
        seed: (report.open == 0).then_some(comparison.seed),
        findings: report.findings,
        open: report.open,
        failed: report.failed,
        same: report.same,
        no_fix: report.no_fix,
        chose_a: report.chosen.a,
        chose_b: report.chosen.b,
        chose_both: report.chosen.both,
        chose_neither: report.chosen.neither,
        preference: report.preference.map(|share| PreferenceShare {
            n: share.n,
            p: share.p,
            low: share.low,
            high: share.high,
        }),
        interval: INTERVAL.to_owned(),
        a,
        b,
        comparison: one(api, &client, request.comparison)?,
    })
}

fn wish(api: &Api, request: CompareFixes) -> Result<Wish, ApiError> {
    let arms = [read(&request.a)?, read(&request.b)?];
    let run = RunFix {
        findings: request.findings,
        project: request.project,
        severity: request.severity,
        ..RunFix::default()
    };
    let findings = super::chosen(api, &run, &Status::STANDING)?;
    Ok(Wish { arms, findings, most: request.most.map(|most| most as usize), seed: request.seed })
}

fn read(named: &NamedConfiguration) -> Result<Configuration, ApiError> {
    let NamedConfiguration { name, text } = named;
    match text {
        None => {
            let design: Design = name.parse().map_err(|error| {
                ApiError::new(ErrorCode::BadRequest, format!("{error}"))
                    .with_hint("name a file with `design`, `models` and `tiers` for anything else")
            })?;
            Ok(design.into())
        }
        Some(text) => Configuration::read(name, text).map_err(|error| {
            ApiError::new(ErrorCode::BadRequest, format!("`{name}` is no configuration: {error}"))
                .with_hint("the smallest is `{ \"design\": \"single\", \"models\": [\"NAME\"] }`")
        }),
    }
}

/// The client that is named; empty for nobody's.
fn client(api: &Api, name: Option<String>) -> Result<String, ApiError> {
    let name = name.unwrap_or_default();
    if name.is_empty() || api.cx().settings().clients.contains_key(&name) {
        return Ok(name);
    }
    Err(super::learning::no_client(&name))
}

fn one(api: &Api, client: &str, id: i64) -> Result<FixComparisonView, ApiError> {
    let found = compare::list(api.cx(), client)?.into_iter().find(|(comparison, _)| comparison.id == id);
    let (comparison, pairs) = found.ok_or(compare::CompareError::Unknown(id))?;
    Ok(view(&comparison, &pairs))
}

fn view(comparison: &Comparison, pairs: &[Pair]) -> FixComparisonView {
    let standing = |wanted: Standing| count(pairs.iter().filter(|pair| pair.standing() == wanted).count());
    FixComparisonView {
        id: comparison.id,
        client: Some(comparison.client.clone()).filter(|client| !client.is_empty()),
        project: comparison.project.to_string(),
        a: configuration(comparison.configuration(Arm::A)),
        b: configuration(comparison.configuration(Arm::B)),
        findings: count(pairs.len()),
        pending: standing(Standing::Pending),
        waiting: standing(Standing::Waiting),
        at: comparison.at,
    }
}

fn configuration(one: &Configuration) -> ConfigurationView {
    ConfigurationView {
        name: one.name.clone(),
        design: one.design.to_string(),
        label: one.design.label(),
        models: one.models.clone(),
        by_votes: !one.design.selection().is_evidence(),
    }
}

/// What `patch` changes, against the texts that were kept when it was checked.
fn diffs(api: &Api, patch: &Patch) -> Vec<FileDiff> {
    let files = patch.files.iter();
    files.filter_map(|file| file_diff(file, &api.cx().data.blob(file.base.as_str()).ok()?)).collect()
}

fn side(api: &Api, revealed: &Revealed, arm: Arm) -> Result<RevealedSide, ApiError> {
    let cost = compare::cost(api.cx(), revealed.pair.run(arm))?;
    let configuration = revealed.comparison.configuration(arm);
    let fix = revealed.pair.outcome(arm).and_then(|outcome| outcome.fix());
    Ok(RevealedSide {
        configuration: configuration.name.clone(),
        origin: fix.map(|fix| fix.judged.candidate.origin.label()),
        confidence: fix.map(|fix| show::summary(&fix.confidence)),
        by_votes: !configuration.design.selection().is_evidence(),
        title: fix.map(|fix| fix.judged.candidate.title.clone()),
        calls: cost.calls,
        cost: cost.spent,
        unknown: cost.unknown,
    })
}

fn arm(of: &Configuration, report: &ArmReport) -> ArmView {
    let rungs = report.rungs.iter().map(|rung| RungView {
        check: rung.check,
        label: rung.check.label().to_owned(),
        passed: rung.passed,
        failed: rung.failed,
        not_run: rung.not_run,
    });
    ArmView {
        configuration: configuration(of),
        n: report.n,
        fixes: report.fixes,
        rungs: rungs.collect(),
        calls: report.cost.calls,
        cost: report.cost.spent,
        unknown: report.cost.unknown,
        analysis_ms: report.analysis_ms,
        verification_ms: report.verification_ms,
    }
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}
