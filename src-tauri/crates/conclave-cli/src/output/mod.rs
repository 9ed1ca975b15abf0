//! What the commands print: text for people, one JSON object for programs.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "this is the program that prints")]

pub mod json;
pub mod progress;
mod text;

use std::io::{IsTerminal as _, Write as _};
use std::path::Path;

use conclave_api::advise::Advice;
use conclave_api::advise::client::Client;
use conclave_api::advise::install::{Installed, Listed};
use conclave_api::batch::{Consent, FixReport};
use conclave_api::error::ApiError;
use conclave_api::view::{
    AppliedView, AskAnswer, AskAnswered, AskList, AskView, ClientChanged, ClientList, CommandsView, ComparisonList,
    ComparisonPlan, ComparisonReport, ConfigCheck, ConfigImported, DecidedView, DiscoveredList, DoctorView, EgressRow,
    EgressToday, ElsewhereView, ExchangeRow, ExchangeView, ExchangesErased, ExplanationView, ExportedFix, FindingRow,
    FindingView, FixComparisonView, FixEdited, HealthList, InsightsView, KeyErased, KeyList, KeySaved, KnownModelList,
    LearningReset, LedgerView, MemoryExported, MemoryImported, MetricsView, ModelHealth, ModelList, ModelRemoved,
    ModelSaved, NextPair, PairRevealed, PatternList, PlanView, PolicyCheck, PolicyView, PreviewView, RatingView,
    ReplayView, ScanView, SimulationView, SpendingView, TierList, ToolServerChecked, ToolServerList, ToolServerRemoved,
    ToolServerView, ToolServersImported, TrainingExported, UndoneView,
};

use crate::args::Format;
use text::Style;

/// Which command a fix report is for.
#[derive(Clone, Copy, Debug)]
pub enum Report<'a> {
    /// `conclave fix`.
    Fix {
        /// What was to be written.
        consent: Consent,
    },
    /// `conclave demo`.
    Demo {
        /// Where the sample lies.
        root: &'a str,
    },
}

/// Prints in the chosen format.
#[derive(Clone, Copy, Debug)]
pub struct Output {
    format: Format,
    style: Style,
}

impl Output {
    /// Prints as `format` says; colours only on a terminal, and not when `NO_COLOR` is set.
    pub fn new(format: Format) -> Self {
        let coloured = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        Self { format, style: Style { coloured } }
    }

    /// The chosen format.
    pub fn format(&self) -> Format {
        self.format
    }

    /// Prints `text` as it is.
    pub fn raw(&self, text: &str) {
        // A reader that went away, such as `head`, is not an error.
        let _ = std::io::stdout().lock().write_all(text.as_bytes());
    }

    fn print(&self, text: impl FnOnce(Style) -> String, json: impl FnOnce() -> serde_json::Value) {
        match self.format {
            Format::Text => self.raw(&text(self.style)),
            Format::Json | Format::Sarif => self.raw(&format!("{:#}\n", json())),
        }
    }

    /// Prints an error: on standard error for people, as an object for programs.
    pub fn error(&self, error: &ApiError) {
        match self.format {
            Format::Text => eprint!("{}", text::error(error)),
            Format::Json | Format::Sarif => self.raw(&format!("{:#}\n", json::error(error))),
        }
    }

    /// Tells the person what they should know beside the output.
    pub fn notices(&self, notices: &[String]) {
        for notice in notices {
            eprintln!("conclave: {notice}");
        }
    }

    /// Prints what scans brought.
    pub fn scans(&self, project: &str, scans: &[ScanView]) {
        self.print(|style| text::scans(style, scans), || json::scans(project, scans));
    }

    /// Prints a list of findings.
    ///
    /// `filtered` says whether words narrowed it.
    pub fn findings(&self, rows: &[FindingRow], filtered: bool) {
        self.print(|style| text::findings(style, rows, filtered), || json::findings(rows));
    }

    /// Prints what a batch of fixes brought.
    pub fn fixes(&self, kind: Report<'_>, report: &FixReport) {
        self.print(|style| text::fixes(style, kind, report), || json::fixes(kind, report));
    }

    /// Prints one finding whole; for people with the thoughts behind the result only where they are asked for.
    pub fn finding(&self, view: &FindingView, thoughts: bool) {
        self.print(|style| text::finding(style, view, thoughts), || json::finding(view));
    }

    /// Prints a fix in the form in which it leaves.
    pub fn exported(&self, view: &ExportedFix) {
        self.print(|_| view.text.clone(), || json::exported(view));
    }

    /// Prints where a fix was written to.
    pub fn export_written(&self, view: &ExportedFix, file: &Path) {
        self.print(|_| format!("Written to {}.\n", file.display()), || json::exported(view));
    }

    /// Prints what the checks say of a person's own version of a fix.
    pub fn edited(&self, view: &FixEdited) {
        self.print(|_| text::edited(view), || json::edited(view));
    }

    /// Prints what was written.
    pub fn applied(&self, view: &AppliedView) {
        self.print(|_| text::applied(view), || json::applied(view));
    }

    /// Prints what was taken back.
    pub fn undone(&self, view: &UndoneView) {
        self.print(|_| text::undone(view), || json::undone(view));
    }

    /// Prints what was dismissed.
    pub fn dismissed(&self, view: &DecidedView) {
        self.print(|_| text::dismissed(view), || json::dismissed(view));
    }

    /// Prints what was opened again.
    pub fn reopened(&self, view: &DecidedView) {
        self.print(|_| text::reopened(view), || json::reopened(view));
    }

    /// Prints whether a conclusion comes out the same again.
    pub fn replayed(&self, view: &ReplayView) {
        self.print(|_| text::replayed(view), || json::replayed(view));
    }

    /// Prints the ledger's state.
    pub fn ledger(&self, view: &LedgerView) {
        self.print(|_| text::ledger(view), || json::ledger(view));
    }

    /// Prints what the machine offers.
    pub fn doctor(&self, view: &DoctorView) {
        self.print(|style| text::doctor(style, view), || json::doctor(view));
    }

    /// Prints what is wrong with a policy file.
    pub fn policy_check(&self, view: &PolicyCheck) {
        self.print(|style| text::check(style, view), || json::policy_check(view));
    }

    /// Prints what a configuration would make of the settings; `importing` says whether it was to be taken over.
    pub fn config_check(&self, view: &ConfigCheck, importing: bool) {
        self.print(|style| text::config_check(style, view, importing), || json::config_check(view));
    }

    /// Prints what a configuration made of the settings.
    pub fn config_imported(&self, view: &ConfigImported) {
        self.print(|style| text::config_imported(style, view), || json::config_imported(view));
    }

    /// Prints the examples of all rules in effect.
    pub fn policy_test(&self, view: &PolicyView) {
        self.print(|style| text::test(style, view), || json::policy(view));
    }

    /// Prints the policy files in effect.
    pub fn policy_files(&self, view: &PolicyView) {
        self.print(|style| text::files(style, view), || json::policy(view));
    }

    /// Prints what the policy says of a request.
    pub fn explanation(&self, view: &ExplanationView) {
        self.print(|style| text::explanation(style, view), || json::explanation(view));
    }

    /// Prints what another policy would have decided.
    pub fn simulation(&self, view: &SimulationView) {
        self.print(|style| text::simulation(style, view), || json::simulation(view));
    }

    /// Prints what was decided on one request.
    pub fn advice(&self, advice: &Advice) {
        self.print(|style| text::advice(style, advice), || json::advice(advice));
    }

    /// Prints how a client's settings stand now that the hook is in them.
    pub fn hook_added(&self, client: Client, installed: &Installed) {
        self.print(|style| text::hook_added(style, client, installed), || json::hook_added(client, installed));
    }

    /// Prints how a client's settings stand now that no hook is in them.
    pub fn hook_removed(&self, client: Client, installed: &Installed) {
        self.print(|_| text::hook_removed(client, installed), || json::hook_removed(client, installed));
    }

    /// Prints the hooks that were found.
    pub fn hooks(&self, listed: &Listed) {
        self.print(|style| text::hooks(style, listed), || json::hooks(listed));
    }

    /// Prints what left this machine and what was refused.
    pub fn egress(&self, rows: &[EgressRow], today: EgressToday) {
        self.print(|style| text::egress(style, rows, today), || json::egress(rows, today));
    }

    /// Prints the exchanges with models that were kept.
    pub fn exchanges(&self, rows: &[ExchangeRow]) {
        self.print(|style| text::exchanges(style, rows), || json::exchanges(rows));
    }

    /// Prints one exchange whole.
    pub fn exchange(&self, view: &ExchangeView) {
        self.print(|style| text::exchange(style, view), || json::exchange(view));
    }

    /// Prints how many exchanges were removed.
    pub fn exchanges_erased(&self, view: &ExchangesErased) {
        self.print(|_| text::exchanges_erased(view), || json::exchanges_erased(view));
    }

    /// Prints one request that waits as one line of JSON; fails when nobody reads any more.
    pub fn ask_line(&self, view: &AskView) -> std::io::Result<()> {
        let mut out = std::io::stdout().lock();
        writeln!(out, "{}", json::ask(view)).and_then(|()| out.flush())
    }

    /// Prints the requests that wait.
    pub fn asks(&self, view: &AskList) {
        self.print(|style| text::asks(style, view), || json::asks(view));
    }

    /// One request that waits, for a terminal.
    pub fn ask(&self, view: &AskView) -> String {
        text::ask(self.style, view)
    }

    /// Prints what an answer did.
    pub fn answered(&self, answer: AskAnswer, view: &AskAnswered) {
        self.print(|_| text::answered(answer, view), || json::answered(view));
    }

    /// Prints the models of the settings.
    pub fn models(&self, view: &ModelList) {
        self.print(|style| text::models(style, view), || json::models(view));
    }

    /// Prints how all models are.
    pub fn models_health(&self, view: &HealthList) {
        self.print(|style| text::models_health(style, view), || json::models_health(view));
    }

    /// Prints how one model is.
    pub fn model_health(&self, view: &ModelHealth) {
        self.print(|style| text::model_health(style, view), || json::model_health(view));
    }

    /// Prints the servers that were found.
    pub fn discovered(&self, view: &DiscoveredList) {
        self.print(|style| text::discovered(style, view), || json::discovered(view));
    }

    /// Prints what is known of models.
    pub fn known_models(&self, view: &KnownModelList) {
        self.print(|style| text::known_models(style, view), || json::known_models(view));
    }

    /// Prints that a model is in the settings.
    pub fn model_saved(&self, view: &ModelSaved) {
        self.print(|_| text::model_saved(view), || json::model_saved(view));
    }

    /// Prints that a model is no longer in the settings.
    pub fn model_removed(&self, view: &ModelRemoved) {
        self.print(|_| text::model_removed(view), || json::model_removed(view));
    }

    /// Prints how calls to models went.
    pub fn metrics(&self, view: &MetricsView) {
        self.print(|_| view.prometheus.clone(), || json::metrics(view));
    }

    /// Prints how a project is built and tested.
    pub fn commands(&self, view: &CommandsView) {
        self.print(|style| text::commands(style, view), || json::commands(view));
    }

    /// Prints how much effort findings get.
    pub fn tiers(&self, view: &TierList) {
        self.print(|style| text::tiers(style, view), || json::tiers(view));
    }

    /// Prints what was spent.
    pub fn spending(&self, view: &SpendingView) {
        self.print(|style| text::spending(style, view), || json::spending(view));
    }

    /// Prints the servers of tools.
    pub fn tool_servers(&self, view: &ToolServerList) {
        self.print(|style| text::tool_servers(style, view), || json::tool_servers(view));
    }

    /// Prints one server of tools.
    pub fn tool_server(&self, view: &ToolServerView) {
        self.print(|style| text::tool_server(style, view), || json::tool_server(view));
    }

    /// Prints what looking at a server gave.
    pub fn tool_server_checked(&self, view: &ToolServerChecked) {
        self.print(|style| text::tool_server_checked(style, view), || json::tool_server_checked(view));
    }

    /// Prints which servers were taken over.
    pub fn tool_servers_imported(&self, view: &ToolServersImported) {
        self.print(|style| text::tool_servers_imported(style, view), || json::tool_servers_imported(view));
    }

    /// Prints that a server is no longer in the settings.
    pub fn tool_server_removed(&self, view: &ToolServerRemoved) {
        self.print(|_| text::tool_server_removed(view), || json::tool_server_removed(view));
    }

    /// Prints where a memory was written to.
    pub fn memory_exported(&self, view: &MemoryExported) {
        self.print(|_| text::memory_exported(view), || json::memory_exported(view));
    }

    /// Prints what became of a file with a memory.
    pub fn memory_imported(&self, view: &MemoryImported) {
        self.print(|_| text::memory_imported(view), || json::memory_imported(view));
    }

    /// Prints that a rating is kept.
    pub fn rated(&self, view: &RatingView) {
        self.print(|_| text::rated(view), || json::rated(view));
    }

    /// Prints what was learned.
    pub fn insights(&self, view: &InsightsView) {
        self.print(|style| text::insights(style, view), || json::insights(view));
    }

    /// Prints that what was learned is forgotten.
    pub fn learning_reset(&self, view: &LearningReset) {
        self.print(|_| text::learning_reset(view), || json::learning_reset(view));
    }

    /// Prints what a training set holds.
    pub fn training_exported(&self, view: &TrainingExported) {
        self.print(|_| text::training_exported(view), || json::training_exported(view));
    }

    /// Prints which hosts have a key.
    pub fn keys(&self, view: &KeyList) {
        self.print(|style| text::keys(style, view), || json::keys(view));
    }

    /// Prints what a comparison would take.
    pub fn comparison_plan(&self, view: &ComparisonPlan) {
        self.print(|style| text::comparison_plan(style, view), || json::comparison_plan(view));
    }

    /// Prints how far a comparison is.
    pub fn comparison(&self, view: &FixComparisonView) {
        self.print(|_| text::comparison(view), || json::comparison(view));
    }

    /// Prints all comparisons.
    pub fn comparisons(&self, view: &ComparisonList) {
        self.print(|style| text::comparisons(style, view), || json::comparisons(view));
    }

    /// Prints two changes to choose between.
    pub fn next_pair(&self, view: &NextPair) {
        self.print(|style| text::next_pair(style, view), || json::next_pair(view));
    }

    /// Prints whose two changes were.
    pub fn pair_revealed(&self, view: &PairRevealed) {
        self.print(|style| text::pair_revealed(style, view), || json::pair_revealed(view));
    }

    /// Prints what came out of a comparison.
    pub fn comparison_report(&self, view: &ComparisonReport) {
        self.print(|style| text::comparison_report(style, view), || json::comparison_report(view));
    }

    /// Prints what was learned from accepted fixes.
    pub fn patterns(&self, view: &PatternList) {
        self.print(|_| text::patterns(view), || json::patterns(view));
    }

    /// Prints where the same code stands.
    pub fn elsewhere(&self, view: &ElsewhereView) {
        self.print(|_| text::elsewhere(view), || json::elsewhere(view));
    }

    /// Prints all clients.
    pub fn clients(&self, view: &ClientList) {
        self.print(|_| text::clients(view), || json::clients(view));
    }

    /// Prints what was done with a client.
    pub fn client_changed(&self, view: &ClientChanged) {
        self.print(|_| format!("{}\n", view.done), || json::client_changed(view));
    }

    /// Prints that a key was put into the keychain.
    pub fn key_saved(&self, view: &KeySaved) {
        self.print(|_| text::key_saved(view), || json::key_saved(view));
    }

    /// Prints that a key is gone.
    pub fn key_erased(&self, view: &KeyErased) {
        self.print(|_| text::key_erased(view), || json::key_erased(view));
    }

    /// Prints what runs would take.
    pub fn plan(&self, view: &PlanView) {
        self.print(|style| text::plan(style, view), || json::plan(view));
    }

    /// Prints what would be sent.
    pub fn preview(&self, view: &PreviewView) {
        self.print(|style| text::preview(style, view), || json::preview(view));
    }
}
