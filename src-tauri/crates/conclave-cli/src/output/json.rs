//! One JSON object a command; each names its schema, and the schemas are in `docs/schemas`.

mod hook;

use conclave_api::advise::Advice;
use conclave_api::advise::client::Client;
use conclave_api::advise::install::{Installed, Listed};
use conclave_api::batch::FixReport;
use conclave_api::error::ApiError;
use conclave_api::view::{
    AppliedView, AskAnswered, AskList, AskView, ClientChanged, ClientList, CommandsView, ComparisonList,
    ComparisonPlan, ComparisonReport, ConfigCheck, ConfigImported, DecidedView, DiscoveredList, DoctorView, EgressRow,
    EgressToday, ElsewhereView, ExchangeRow, ExchangeView, ExchangesErased, ExplanationView, ExportedFix, FindingRow,
    FindingView, FixComparisonView, FixEdited, HealthList, InsightsView, KeyErased, KeyList, KeySaved, KnownModelList,
    LearningReset, LedgerView, MemoryExported, MemoryImported, MetricsView, ModelHealth, ModelList, ModelRemoved,
    ModelSaved, NextPair, PairRevealed, PatternList, PlanView, PolicyCheck, PolicyView, PreviewView, RatingView,
    ReplayView, ScanView, SimulationView, SpendingView, TierList, ToolServerChecked, ToolServerList, ToolServerRemoved,
    ToolServerView, ToolServersImported, TrainingExported, UndoneView,
};
#[cfg(test)]
use conclave_api::view::{TRAINING, TrainingRow};
use schemars::JsonSchema;
#[cfg(test)]
use schemars::{Schema, schema_for};
use serde::Serialize;
use serde_json::{Value, json};

use super::Report;

/// An object with its schema's name in front.
#[derive(Serialize, JsonSchema)]
struct Named<T> {
    schema: &'static str,
    #[serde(flatten)]
    body: T,
}

#[derive(Serialize, JsonSchema)]
struct Scans<'a> {
    project: &'a str,
    scans: &'a [ScanView],
}

#[derive(Serialize, JsonSchema)]
struct Findings<'a> {
    findings: &'a [FindingRow],
}

#[derive(Serialize, JsonSchema)]
struct Finding<'a> {
    finding: &'a FindingView,
}

#[derive(Serialize, JsonSchema)]
struct Fixes<'a> {
    #[serde(flatten)]
    report: &'a FixReport,
}

#[derive(Serialize, JsonSchema)]
struct Egress<'a> {
    rows: &'a [EgressRow],
    today: EgressToday,
}

#[derive(Serialize, JsonSchema)]
struct Exchanges<'a> {
    rows: &'a [ExchangeRow],
}

#[derive(Serialize, JsonSchema)]
struct Error<'a> {
    error: &'a ApiError,
}

fn named<T: Serialize>(schema: &'static str, body: T) -> Value {
    // Views are plain data with text keys, which always have a JSON form.
    serde_json::to_value(Named { schema, body })
        .unwrap_or_else(|error| json!({ "schema": schema, "error": error.to_string() }))
}

const SCAN: &str = "conclave/scan/1";
const FINDINGS: &str = "conclave/findings/1";
const FINDING: &str = "conclave/finding/1";
const FIX: &str = "conclave/fix/1";
const EXPORT: &str = "conclave/export/1";
const EDIT: &str = "conclave/edit/1";
const APPLY: &str = "conclave/apply/1";
const UNDO: &str = "conclave/undo/1";
const DISMISS: &str = "conclave/dismiss/1";
const REOPEN: &str = "conclave/reopen/1";
const REPLAY: &str = "conclave/replay/1";
const AUDIT: &str = "conclave/audit/1";
const DOCTOR: &str = "conclave/doctor/1";
const POLICY: &str = "conclave/policy/1";
const POLICY_CHECK: &str = "conclave/policy-check/1";
const CONFIG_CHECK: &str = "conclave/config-check/1";
const CONFIG_IMPORT: &str = "conclave/config-import/1";
const EXPLANATION: &str = "conclave/explanation/1";
const SIMULATION: &str = "conclave/simulation/1";
const EGRESS: &str = "conclave/egress/1";
const EXCHANGES: &str = "conclave/exchanges/1";
const EXCHANGE: &str = "conclave/exchange/1";
const EXCHANGES_ERASED: &str = "conclave/exchanges-erased/1";
const ASK: &str = "conclave/ask/1";
const ASKS: &str = "conclave/asks/1";
const ANSWER: &str = "conclave/answer/1";
const KEYS: &str = "conclave/keys/1";
const PATTERNS: &str = "conclave/patterns/1";
const ELSEWHERE: &str = "conclave/elsewhere/1";
const CLIENTS: &str = "conclave/clients/1";
const CLIENT_CHANGED: &str = "conclave/client-changed/1";
const KEY_SAVED: &str = "conclave/key-saved/1";
const KEY_ERASED: &str = "conclave/key-erased/1";
const MODELS: &str = "conclave/models/1";
const MODELS_HEALTH: &str = "conclave/models-health/1";
const MODEL_HEALTH: &str = "conclave/model-health/1";
const MODELS_FOUND: &str = "conclave/models-found/1";
const MODELS_KNOWN: &str = "conclave/models-known/1";
const MODEL_SAVED: &str = "conclave/model-saved/1";
const MODEL_REMOVED: &str = "conclave/model-removed/1";
const METRICS: &str = "conclave/metrics/1";
const SPENDING: &str = "conclave/spending/1";
const TIERS: &str = "conclave/tiers/1";
const RATING: &str = "conclave/rating/1";
const INSIGHTS: &str = "conclave/insights/1";
const LEARNING_RESET: &str = "conclave/learning-reset/1";
const TRAINING_EXPORTED: &str = "conclave/training-exported/1";
const COMMANDS: &str = "conclave/project-commands/1";
const COMPARISON_PLAN: &str = "conclave/comparison-plan/1";
const COMPARISON: &str = "conclave/comparison/1";
const COMPARISONS: &str = "conclave/comparisons/1";
const NEXT_PAIR: &str = "conclave/next-pair/1";
const PAIR_REVEALED: &str = "conclave/pair-revealed/1";
const COMPARISON_REPORT: &str = "conclave/comparison-report/1";
const PLAN: &str = "conclave/plan/1";
const PREVIEW: &str = "conclave/preview/1";
const TOOLS: &str = "conclave/tools/1";
const TOOL_SERVER: &str = "conclave/tool-server/1";
const TOOL_CHECKED: &str = "conclave/tool-checked/1";
const TOOLS_IMPORTED: &str = "conclave/tools-imported/1";
const TOOL_REMOVED: &str = "conclave/tool-removed/1";
const MEMORY_EXPORTED: &str = "conclave/memory-exported/1";
const MEMORY_IMPORTED: &str = "conclave/memory-imported/1";
const ERROR: &str = "conclave/error/1";
const ADVICE: &str = "conclave/advice/1";
const HOOK_ADD: &str = "conclave/hook-add/1";
const HOOK_LIST: &str = "conclave/hook-list/1";
const HOOK_REMOVE: &str = "conclave/hook-remove/1";

pub(super) fn scans(project: &str, scans: &[ScanView]) -> Value {
    named(SCAN, Scans { project, scans })
}

pub(super) fn findings(findings: &[FindingRow]) -> Value {
    named(FINDINGS, Findings { findings })
}

pub(super) fn finding(finding: &FindingView) -> Value {
    named(FINDING, Finding { finding })
}

pub(super) fn fixes(_: Report<'_>, report: &FixReport) -> Value {
    named(FIX, Fixes { report })
}

pub(super) fn exported(view: &ExportedFix) -> Value {
    named(EXPORT, view)
}

pub(super) fn edited(view: &FixEdited) -> Value {
    named(EDIT, view)
}

pub(super) fn applied(view: &AppliedView) -> Value {
    named(APPLY, view)
}

pub(super) fn undone(view: &UndoneView) -> Value {
    named(UNDO, view)
}

pub(super) fn dismissed(view: &DecidedView) -> Value {
    named(DISMISS, view)
}

pub(super) fn reopened(view: &DecidedView) -> Value {
    named(REOPEN, view)
}

pub(super) fn replayed(view: &ReplayView) -> Value {
    named(REPLAY, view)
}

pub(super) fn ledger(view: &LedgerView) -> Value {
    named(AUDIT, view)
}

pub(super) fn doctor(view: &DoctorView) -> Value {
    named(DOCTOR, view)
}

pub(super) fn policy(view: &PolicyView) -> Value {
    named(POLICY, view)
}

pub(super) fn policy_check(view: &PolicyCheck) -> Value {
    named(POLICY_CHECK, view)
}

pub(super) fn config_check(view: &ConfigCheck) -> Value {
    named(CONFIG_CHECK, view)
}

pub(super) fn config_imported(view: &ConfigImported) -> Value {
    named(CONFIG_IMPORT, view)
}

pub(super) fn explanation(view: &ExplanationView) -> Value {
    named(EXPLANATION, view)
}

pub(super) fn simulation(view: &SimulationView) -> Value {
    named(SIMULATION, view)
}

pub(super) fn egress(rows: &[EgressRow], today: EgressToday) -> Value {
    named(EGRESS, Egress { rows, today })
}

pub(super) fn exchanges(rows: &[ExchangeRow]) -> Value {
    named(EXCHANGES, Exchanges { rows })
}

pub(super) fn exchange(view: &ExchangeView) -> Value {
    named(EXCHANGE, view)
}

pub(super) fn exchanges_erased(view: &ExchangesErased) -> Value {
    named(EXCHANGES_ERASED, view)
}

pub(super) fn ask(view: &AskView) -> Value {
    named(ASK, view)
}

pub(super) fn asks(view: &AskList) -> Value {
    named(ASKS, view)
}

pub(super) fn answered(view: &AskAnswered) -> Value {
    named(ANSWER, view)
}

pub(super) fn keys(view: &KeyList) -> Value {
    named(KEYS, view)
}

pub(super) fn patterns(view: &PatternList) -> Value {
    named(PATTERNS, view)
}

pub(super) fn elsewhere(view: &ElsewhereView) -> Value {
    named(ELSEWHERE, view)
}

pub(super) fn clients(view: &ClientList) -> Value {
    named(CLIENTS, view)
}

pub(super) fn client_changed(view: &ClientChanged) -> Value {
    named(CLIENT_CHANGED, view)
}

pub(super) fn key_saved(view: &KeySaved) -> Value {
    named(KEY_SAVED, view)
}

pub(super) fn key_erased(view: &KeyErased) -> Value {
    named(KEY_ERASED, view)
}

pub(super) fn models(view: &ModelList) -> Value {
    named(MODELS, view)
}

pub(super) fn models_health(view: &HealthList) -> Value {
    named(MODELS_HEALTH, view)
}

pub(super) fn model_health(view: &ModelHealth) -> Value {
    named(MODEL_HEALTH, view)
}

pub(super) fn discovered(view: &DiscoveredList) -> Value {
    named(MODELS_FOUND, view)
}

pub(super) fn known_models(view: &KnownModelList) -> Value {
    named(MODELS_KNOWN, view)
}

pub(super) fn model_saved(view: &ModelSaved) -> Value {
    named(MODEL_SAVED, view)
}

pub(super) fn model_removed(view: &ModelRemoved) -> Value {
    named(MODEL_REMOVED, view)
}

pub(super) fn metrics(view: &MetricsView) -> Value {
    named(METRICS, view)
}

pub(super) fn commands(view: &CommandsView) -> Value {
    named(COMMANDS, view)
}

pub(super) fn spending(view: &SpendingView) -> Value {
    named(SPENDING, view)
}

pub(super) fn tiers(view: &TierList) -> Value {
    named(TIERS, view)
}

pub(super) fn rated(view: &RatingView) -> Value {
    named(RATING, view)
}

pub(super) fn insights(view: &InsightsView) -> Value {
    named(INSIGHTS, view)
}

pub(super) fn learning_reset(view: &LearningReset) -> Value {
    named(LEARNING_RESET, view)
}

pub(super) fn training_exported(view: &TrainingExported) -> Value {
    named(TRAINING_EXPORTED, view)
}

pub(super) fn comparison_plan(view: &ComparisonPlan) -> Value {
    named(COMPARISON_PLAN, view)
}

pub(super) fn comparison(view: &FixComparisonView) -> Value {
    named(COMPARISON, view)
}

pub(super) fn comparisons(view: &ComparisonList) -> Value {
    named(COMPARISONS, view)
}

pub(super) fn next_pair(view: &NextPair) -> Value {
    named(NEXT_PAIR, view)
}

pub(super) fn pair_revealed(view: &PairRevealed) -> Value {
    named(PAIR_REVEALED, view)
}

pub(super) fn comparison_report(view: &ComparisonReport) -> Value {
    named(COMPARISON_REPORT, view)
}

pub(super) fn plan(view: &PlanView) -> Value {
    named(PLAN, view)
}

pub(super) fn preview(view: &PreviewView) -> Value {
    named(PREVIEW, view)
}

pub(super) fn tool_servers(view: &ToolServerList) -> Value {
    named(TOOLS, view)
}

pub(super) fn tool_server(view: &ToolServerView) -> Value {
    named(TOOL_SERVER, view)
}

pub(super) fn tool_server_checked(view: &ToolServerChecked) -> Value {
    named(TOOL_CHECKED, view)
}

pub(super) fn tool_servers_imported(view: &ToolServersImported) -> Value {
    named(TOOLS_IMPORTED, view)
}

pub(super) fn tool_server_removed(view: &ToolServerRemoved) -> Value {
    named(TOOL_REMOVED, view)
}

pub(super) fn memory_exported(view: &MemoryExported) -> Value {
    named(MEMORY_EXPORTED, view)
}

pub(super) fn memory_imported(view: &MemoryImported) -> Value {
    named(MEMORY_IMPORTED, view)
}

pub(super) fn error(error: &ApiError) -> Value {
    named(ERROR, Error { error })
}

pub(super) fn advice(advice: &Advice) -> Value {
    named(ADVICE, hook::Advised::from(advice))
}

pub(super) fn hook_added(client: Client, installed: &Installed) -> Value {
    named(HOOK_ADD, hook::Added::new(client, installed))
}

pub(super) fn hook_removed(client: Client, installed: &Installed) -> Value {
    named(HOOK_REMOVE, hook::Removed::new(client, installed))
}

pub(super) fn hooks(listed: &Listed) -> Value {
    named(HOOK_LIST, hook::Hooks::new(listed))
}

/// Every schema with its name.
#[cfg(test)]
fn schemas() -> Vec<(&'static str, Schema)> {
    vec![
        (SCAN, schema_for!(Named<Scans<'_>>)),
        (FINDINGS, schema_for!(Named<Findings<'_>>)),
        (FINDING, schema_for!(Named<Finding<'_>>)),
        (FIX, schema_for!(Named<Fixes<'_>>)),
        (EXPORT, schema_for!(Named<ExportedFix>)),
        (EDIT, schema_for!(Named<FixEdited>)),
        (APPLY, schema_for!(Named<AppliedView>)),
        (UNDO, schema_for!(Named<UndoneView>)),
        (DISMISS, schema_for!(Named<DecidedView>)),
        (REOPEN, schema_for!(Named<DecidedView>)),
        (REPLAY, schema_for!(Named<ReplayView>)),
        (AUDIT, schema_for!(Named<LedgerView>)),
        (DOCTOR, schema_for!(Named<DoctorView>)),
        (POLICY, schema_for!(Named<PolicyView>)),
        (POLICY_CHECK, schema_for!(Named<PolicyCheck>)),
        (CONFIG_CHECK, schema_for!(Named<ConfigCheck>)),
        (CONFIG_IMPORT, schema_for!(Named<ConfigImported>)),
        (EXPLANATION, schema_for!(Named<ExplanationView>)),
        (SIMULATION, schema_for!(Named<SimulationView>)),
        (EGRESS, schema_for!(Named<Egress<'_>>)),
        (EXCHANGES, schema_for!(Named<Exchanges<'_>>)),
        (EXCHANGE, schema_for!(Named<ExchangeView>)),
        (EXCHANGES_ERASED, schema_for!(Named<ExchangesErased>)),
        (ASK, schema_for!(Named<AskView>)),
        (ASKS, schema_for!(Named<AskList>)),
        (ANSWER, schema_for!(Named<AskAnswered>)),
        (KEYS, schema_for!(Named<KeyList>)),
        (PATTERNS, schema_for!(Named<PatternList>)),
        (ELSEWHERE, schema_for!(Named<ElsewhereView>)),
        (CLIENTS, schema_for!(Named<ClientList>)),
        (CLIENT_CHANGED, schema_for!(Named<ClientChanged>)),
        (KEY_SAVED, schema_for!(Named<KeySaved>)),
        (KEY_ERASED, schema_for!(Named<KeyErased>)),
        (MODELS, schema_for!(Named<ModelList>)),
        (MODELS_HEALTH, schema_for!(Named<HealthList>)),
        (MODEL_HEALTH, schema_for!(Named<ModelHealth>)),
        (MODELS_FOUND, schema_for!(Named<DiscoveredList>)),
        (MODELS_KNOWN, schema_for!(Named<KnownModelList>)),
        (MODEL_SAVED, schema_for!(Named<ModelSaved>)),
        (MODEL_REMOVED, schema_for!(Named<ModelRemoved>)),
        (METRICS, schema_for!(Named<MetricsView>)),
        (COMMANDS, schema_for!(Named<CommandsView>)),
        (SPENDING, schema_for!(Named<SpendingView>)),
        (TIERS, schema_for!(Named<TierList>)),
        (RATING, schema_for!(Named<RatingView>)),
        (INSIGHTS, schema_for!(Named<InsightsView>)),
        (LEARNING_RESET, schema_for!(Named<LearningReset>)),
        (TRAINING, schema_for!(TrainingRow)),
        (TRAINING_EXPORTED, schema_for!(Named<TrainingExported>)),
        (COMPARISON_PLAN, schema_for!(Named<ComparisonPlan>)),
        (COMPARISON, schema_for!(Named<FixComparisonView>)),
        (COMPARISONS, schema_for!(Named<ComparisonList>)),
        (NEXT_PAIR, schema_for!(Named<NextPair>)),
        (PAIR_REVEALED, schema_for!(Named<PairRevealed>)),
        (COMPARISON_REPORT, schema_for!(Named<ComparisonReport>)),
        (PLAN, schema_for!(Named<PlanView>)),
        (PREVIEW, schema_for!(Named<PreviewView>)),
        (TOOLS, schema_for!(Named<ToolServerList>)),
        (TOOL_SERVER, schema_for!(Named<ToolServerView>)),
        (TOOL_CHECKED, schema_for!(Named<ToolServerChecked>)),
        (TOOLS_IMPORTED, schema_for!(Named<ToolServersImported>)),
        (TOOL_REMOVED, schema_for!(Named<ToolServerRemoved>)),
        (MEMORY_EXPORTED, schema_for!(Named<MemoryExported>)),
        (MEMORY_IMPORTED, schema_for!(Named<MemoryImported>)),
        (ERROR, schema_for!(Named<Error<'_>>)),
        (ADVICE, schema_for!(Named<hook::Advised<'_>>)),
        (HOOK_ADD, schema_for!(Named<hook::Added<'_>>)),
        (HOOK_LIST, schema_for!(Named<hook::Hooks<'_>>)),
        (HOOK_REMOVE, schema_for!(Named<hook::Removed>)),
    ]
}

#[cfg(test)]
mod tests {
    #![allow(clippy::disallowed_methods, reason = "a test writes into its own source tree")]

    use super::*;

    #[test]
    fn schemas_in_the_tree_match_the_output() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../docs/schemas");
        for (name, mut schema) in schemas() {
            schema.insert("$id".to_owned(), name.into());
            if let Some(property) = schema.pointer_mut("/properties/schema") {
                *property = json!({ "const": name });
            }
            let fresh = format!("{:#}\n", schema.to_value());
            let path = format!("{folder}/{}.schema.json", name.replace('/', "-"));
            if std::env::var_os("UPDATE_SCHEMAS").is_some() {
                std::fs::create_dir_all(folder).expect("a folder for schemas");
                std::fs::write(&path, &fresh).expect("the schema can be written");
            }
            let stored = std::fs::read_to_string(&path).unwrap_or_default();
            assert!(fresh == stored, "{path} is stale: run UPDATE_SCHEMAS=1 cargo test -p conclave-cli schemas");
        }
    }
}
