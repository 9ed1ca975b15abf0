//! THE list of commands: what each takes, gives, provides or invalidates.
//!
//! Everything else about commands derives from it: the router, the TypeScript map and the cache-tag table.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::api::Api;
use crate::error::{ApiError, ErrorCode};
use crate::handler;
use crate::view::{
    AddProject, AddToolServer, AnswerAsk, AppliedView, ApplyFix, ApplyFixes, ApproveToolServer, AskAnswered, AskList,
    BudgetView, CancelRun, CheckConfig, CheckConfigFile, CheckPolicy, ChooseFix, CommandsView, CompareFixes,
    ComparisonList, ComparisonPlan, ComparisonReport, ConfigCheck, ConfigFileCheck, ConfigImported, DecidedView,
    DiscoveredList, DismissFindings, DoctorView, DropPattern, EditFix, EgressPage, ElsewhereView, EraseExchanges,
    EraseKey, ExchangePage, ExchangeView, ExchangesErased, ExplainRequest, ExplanationView, ExportFix, ExportLedger,
    ExportTraining, ExportedFix, FindElsewhere, FindingPage, FindingView, FixComparisonView, FixEdited, FixTexts,
    FixesApplied, GetCommands, GetExchange, GetFinding, GetInsights, GetNextPair, GetSpending, GetTexts, GetTiers,
    HealthList, HealthThresholds, ImportConfig, ImportSarif, ImportToolServers, ImportView, InsightsView, InspectFile,
    KeyErased, KeyList, KeySaved, KnownModelList, LearningReset, LedgerExported, LedgerView, ListComparisons,
    ListEgress, ListExchanges, ListFindings, ListPatterns, LocalFileView, MemoryExported, MemoryFile, MemoryImported,
    MetricsView, ModelHealth, ModelList, ModelRemoved, ModelSaved, ModelStopped, NamedComparison, NamedModel,
    NamedProject, NamedToolServer, NextPair, Nothing, OrderModels, PairRevealed, PatternList, PlanRuns, PlanView,
    PolicyCheck, PolicySaved, PolicyView, PreviewRequest, PreviewView, ProjectList, ProjectView, QueueView, RateFix,
    RatingList, RatingView, ReopenFindings, ReplayRun, ReplayView, ResetLearning, ResetTiers, RunCancelled, RunFix,
    RunStarted, SaveCommands, SaveModel, SavePolicy, SaveTier, SetKey, SimulatePolicy, SimulationView, SpendingView,
    StatusView, Tag, TierList, TimelineView, ToolServerChecked, ToolServerList, ToolServerRemoved, ToolServerView,
    ToolServersImported, TrainingExported, UndoFix, UndoneView,
};

/// Whether a command changes anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It reads; its tags say what it provides.
    Query,
    /// It changes; its tags say what it invalidates.
    Mutation,
}

/// One command, as far as a face that cannot see Rust types needs it.
#[derive(Clone, Copy, Debug)]
pub struct Command {
    /// `verb_noun`.
    pub name: &'static str,
    /// Query or mutation.
    pub kind: Kind,
    /// The request type's name.
    pub request: &'static str,
    /// The response type's name.
    pub response: &'static str,
    /// Provided or invalidated.
    pub tags: &'static [Tag],
}

macro_rules! commands {
    ($($kind:ident $name:ident($request:ident) -> $response:ident [$($tag:ident),*];)*) => {
        /// All commands, in the order of the list.
        pub const COMMANDS: &[Command] = &[$(Command {
            name: stringify!($name),
            kind: Kind::$kind,
            request: stringify!($request),
            response: stringify!($response),
            tags: &[$(Tag::$tag),*],
        }),*];

        /// Runs command `name` with `payload`; after a mutation the faces hear which tags changed.
        ///
        /// # Errors
        /// An unknown name, a payload of another shape, or what the handler says.
        pub async fn dispatch(api: &Api, name: &str, payload: Value) -> Result<Value, ApiError> {
            match name {
                $(stringify!($name) => {
                    if Kind::$kind == Kind::Mutation {
                        api.may_change()?;
                    }
                    let request: $request = parse(stringify!($name), payload)?;
                    let response: $response = handler::$name(api, request).await?;
                    if Kind::$kind == Kind::Mutation {
                        api.changed(&[$(Tag::$tag),*]);
                    }
                    value(&response)
                })*
                _ => Err(ApiError::new(ErrorCode::BadRequest, format!("there is no command `{name}`"))),
            }
        }

        /// Every type that the list names, for the TypeScript bindings.
        #[cfg(test)]
        pub(crate) fn types() -> specta::Types {
            let types = specta::Types::default();
            $(let types = types.register::<$request>().register::<$response>();)*
            types
        }
    };
}

commands! {
    Query get_status(Nothing) -> StatusView [Projects, Runs, Ledger, Asks, Policy];
    Query list_projects(Nothing) -> ProjectList [Projects, Findings];
    Query list_findings(ListFindings) -> FindingPage [Findings];
    Query get_finding(GetFinding) -> FindingView [Findings, Runs];
    Query replay_run(ReplayRun) -> ReplayView [Findings];
    Query get_texts(GetTexts) -> FixTexts [Findings];
    Query get_timeline(GetFinding) -> TimelineView [Findings, Runs];
    Query export_fix(ExportFix) -> ExportedFix [Findings];
    Query get_doctor(Nothing) -> DoctorView [];
    Query verify_ledger(Nothing) -> LedgerView [Ledger];
    Query get_policy(Nothing) -> PolicyView [Policy, Projects];
    Query check_policy(CheckPolicy) -> PolicyCheck [];
    Query explain_request(ExplainRequest) -> ExplanationView [Policy];
    Query simulate_policy(SimulatePolicy) -> SimulationView [Policy];
    Query preview_request(PreviewRequest) -> PreviewView [Policy, Findings, Keys];
    Query plan_runs(PlanRuns) -> PlanView [Findings, Runs, Models, Keys];
    Query list_patterns(ListPatterns) -> PatternList [Findings];
    Query find_elsewhere(FindElsewhere) -> ElsewhereView [Findings];
    Mutation drop_pattern(DropPattern) -> PatternList [Findings];
    Query list_keys(Nothing) -> KeyList [Keys];
    Query list_models(Nothing) -> ModelList [Models, Keys, Runs, Spending];
    Query list_known_models(Nothing) -> KnownModelList [];
    Query get_metrics(Nothing) -> MetricsView [Models, Runs];
    Query get_spending(GetSpending) -> SpendingView [Spending];
    Query get_tiers(GetTiers) -> TierList [Models, Projects];
    Query discover_servers(Nothing) -> DiscoveredList [];
    Query inspect_file(InspectFile) -> LocalFileView [];
    Query list_egress(ListEgress) -> EgressPage [Ledger];
    Query list_exchanges(ListExchanges) -> ExchangePage [Ledger];
    Query get_exchange(GetExchange) -> ExchangeView [Ledger];
    Query list_ratings(GetFinding) -> RatingList [Findings];
    Query get_insights(GetInsights) -> InsightsView [Findings, Projects, Spending];
    Query plan_comparison(CompareFixes) -> ComparisonPlan [Findings, Runs, Models, Keys];
    Query list_comparisons(ListComparisons) -> ComparisonList [Findings];
    Query get_next_pair(GetNextPair) -> NextPair [Findings];
    Query get_comparison(NamedComparison) -> ComparisonReport [Findings];
    Query list_asks(Nothing) -> AskList [Asks];
    Query get_commands(GetCommands) -> CommandsView [Projects];
    Query list_tools(Nothing) -> ToolServerList [Models, Keys];
    Query check_config(CheckConfig) -> ConfigCheck [];
    Query check_config_file(CheckConfigFile) -> ConfigFileCheck [Models];
    Mutation add_project(AddProject) -> ProjectView [Projects, Findings];
    Mutation open_demo(Nothing) -> ProjectView [Projects, Findings];
    Mutation import_sarif(ImportSarif) -> ImportView [Projects, Findings];
    Mutation scan_project(NamedProject) -> ImportView [Projects, Findings];
    Mutation run_fix(RunFix) -> RunStarted [Findings, Runs];
    Mutation cancel_runs(Nothing) -> RunStarted [Findings, Runs];
    Mutation cancel_run(CancelRun) -> RunCancelled [Findings, Runs];
    Mutation pause_runs(Nothing) -> QueueView [Runs];
    Mutation resume_runs(Nothing) -> QueueView [Findings, Runs];
    Mutation edit_fix(EditFix) -> FixEdited [Findings, Ledger];
    Mutation apply_fix(ApplyFix) -> AppliedView [Findings, Ledger];
    Mutation apply_fixes(ApplyFixes) -> FixesApplied [Findings, Ledger];
    Mutation undo_fix(UndoFix) -> UndoneView [Findings, Ledger];
    Mutation rate_fix(RateFix) -> RatingView [Findings];
    Mutation reset_learning(ResetLearning) -> LearningReset [Findings];
    Mutation export_training(ExportTraining) -> TrainingExported [Ledger];
    Mutation start_comparison(CompareFixes) -> FixComparisonView [Findings];
    Mutation run_comparison(NamedComparison) -> FixComparisonView [Findings, Spending];
    Mutation choose_fix(ChooseFix) -> PairRevealed [Findings];
    Mutation save_policy(SavePolicy) -> PolicySaved [Policy];
    Mutation dismiss_findings(DismissFindings) -> DecidedView [Findings];
    Mutation reopen_findings(ReopenFindings) -> DecidedView [Findings];
    Mutation export_ledger(ExportLedger) -> LedgerExported [Ledger];
    Mutation set_key(SetKey) -> KeySaved [Keys, Ledger];
    Mutation erase_key(EraseKey) -> KeyErased [Keys, Ledger];
    Mutation check_model(NamedModel) -> ModelHealth [Models, Ledger];
    Mutation check_models(Nothing) -> HealthList [Models, Ledger];
    Mutation start_model(NamedModel) -> ModelHealth [Models, Ledger];
    Mutation stop_model(NamedModel) -> ModelStopped [Models];
    Mutation save_model(SaveModel) -> ModelSaved [Models, Keys, Ledger];
    Mutation remove_model(NamedModel) -> ModelRemoved [Models, Keys, Ledger];
    Mutation order_models(OrderModels) -> ModelList [Models, Ledger];
    Mutation save_thresholds(HealthThresholds) -> ModelList [Models, Ledger];
    Mutation save_budget(BudgetView) -> SpendingView [Spending, Ledger];
    Mutation save_tier(SaveTier) -> TierList [Models, Spending, Ledger];
    Mutation reset_tiers(ResetTiers) -> TierList [Models, Spending, Ledger];
    Mutation erase_exchanges(EraseExchanges) -> ExchangesErased [Ledger];
    Mutation answer_ask(AnswerAsk) -> AskAnswered [Asks, Policy, Ledger];
    Mutation save_commands(SaveCommands) -> CommandsView [Projects, Ledger];
    Mutation add_tool_server(AddToolServer) -> ToolServerView [Models, Ledger];
    Mutation import_tool_servers(ImportToolServers) -> ToolServersImported [Models, Ledger];
    Mutation check_tool_server(NamedToolServer) -> ToolServerChecked [Models, Ledger];
    Mutation approve_tool_server(ApproveToolServer) -> ToolServerView [Models, Ledger];
    Mutation export_memory(MemoryFile) -> MemoryExported [Ledger];
    Mutation import_memory(MemoryFile) -> MemoryImported [Ledger];
    Mutation remove_tool_server(NamedToolServer) -> ToolServerRemoved [Models, Ledger];
    Mutation import_config(ImportConfig) -> ConfigImported [Models, Keys, Spending, Ledger];
}

/// Commands whose requests hold what must not be repeated, not even to say what is wrong with it.
const SECRET: &[&str] = &["set_key"];

fn parse<T: DeserializeOwned>(name: &str, payload: Value) -> Result<T, ApiError> {
    serde_json::from_value(payload).map_err(|error| {
        let wrong = ApiError::new(ErrorCode::BadRequest, format!("`{name}` does not understand its request"));
        if SECRET.contains(&name) { wrong } else { wrong.with_details(error.to_string()) }
    })
}

fn value<T: Serialize>(response: &T) -> Result<Value, ApiError> {
    serde_json::to_value(response).map_err(|error| {
        ApiError::new(ErrorCode::Internal, "the answer cannot be written").with_details(error.to_string())
    })
}

#[cfg(test)]
#[path = "bindings.rs"]
mod bindings;
