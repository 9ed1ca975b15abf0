//! The command line as typed data; help and completions derive from it.

mod clients;
mod compare;
mod edit;
mod hook;
mod tiers;
mod tools;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use conclave_api::error::{ApiError, ErrorCode};
use conclave_api::view::{ApiDialect, CliProgram};
use conclave_api::{DismissReason, Money, Severity, Thumb};

pub use clients::{Clients, Patterns};
pub use compare::{Compare, NewComparison};
pub use edit::{Edit, Export, ExportAs};
pub use hook::{Answering, Hook};
pub use tiers::{SetTier, Tiers};
pub use tools::{AddTool, Memory, Tools};

/// Turns security findings into fixes you can trust, on your own machine.
///
/// Conclave reads a scanner's SARIF file, or scans with its own detectors, asks a panel for fixes, checks each one on a
/// copy of your code, and writes to your project only when you say so. Nothing leaves this machine unless you have
/// named a host in the settings and ticked it.
#[derive(Debug, Parser)]
#[command(name = "conclave", version, max_term_width = 100, subcommand_required = true, arg_required_else_help = true)]
#[command(after_help = "\
Start here:
  conclave demo                                   see the whole job on a bundled sample
  conclave scan .                                 find weaknesses without any scanner
  conclave fix --sarif out.sarif --project .      look for fixes of what your scanner found
  conclave fix --all && conclave apply ID         look, read, then write

Exit status:
  0  done
  1  findings at or over the threshold are left (only `fix --check`)
  2  wrong use, or denied
  3  could not tell: a scan failed, or something broke")]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Args)]
pub struct Global {
    /// What to print.
    #[arg(long, global = true, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    /// Keep everything of Conclave's own in this folder instead of your user's data folder.
    #[arg(long, global = true, env = "CONCLAVE_HOME", value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// Work for this client, in a folder of its own: findings, models, keys, ledger and what is learned.
    #[arg(long, global = true, env = "CONCLAVE_WORKSPACE", value_name = "CLIENT")]
    pub workspace: Option<String>,
    /// Refuse every connection, even to a model on this machine.
    #[arg(long, global = true)]
    pub offline: bool,
}

/// Why findings are dismissed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Reason {
    /// There is no weakness.
    FalsePositive,
    /// There is one, and it stays.
    WontFix,
    /// The code runs in tests only.
    UsedInTests,
}

impl From<Reason> for DismissReason {
    fn from(reason: Reason) -> Self {
        match reason {
            Reason::FalsePositive => Self::FalsePositive,
            Reason::WontFix => Self::WontFix,
            Reason::UsedInTests => Self::UsedInTests,
        }
    }
}

impl Global {
    /// Conclave's own folder, which clients have theirs below.
    pub fn base(&self) -> Result<PathBuf, ApiError> {
        self.data_dir.clone().or_else(conclave_api::default_data_dir).ok_or_else(|| {
            ApiError::new(ErrorCode::BadRequest, "there is no folder for Conclave\u{2019}s data")
                .with_hint("name one with `--data-dir`")
        })
    }

    /// The folder that this command works in: the client's, where one is named.
    pub fn folder(&self) -> Result<PathBuf, ApiError> {
        let base = self.base()?;
        match self.workspace.as_deref().filter(|name| !name.is_empty()) {
            Some(name) => conclave_api::clients::folder(&base, name),
            None => Ok(base),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// One JSON object with a `schema` field.
    Json,
    /// SARIF 2.1.0 with the chosen fix in `fixes[]`; only for `findings` and `fix`.
    Sarif,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Do the whole job on a bundled sample project: scan, look for fixes, check them, report.
    Demo,
    /// Scan a folder with the built-in detectors.
    Scan {
        /// The project's folder.
        dir: PathBuf,
    },
    /// Take a scanner's SARIF file into a project.
    Import {
        /// The SARIF 2.1.0 file.
        file: PathBuf,
        /// The project's folder.
        #[arg(long, value_name = "DIR")]
        project: PathBuf,
    },
    /// List findings, most severe first.
    Findings {
        /// Only those of this folder.
        #[arg(long, value_name = "DIR")]
        project: Option<PathBuf>,
        /// Words that must appear, and filters: `severity:high rule:B6* path:src/** tool:bandit`.
        query: Vec<String>,
        /// Also those that are fixed or suppressed.
        #[arg(long)]
        all: bool,
    },
    /// Clients, each with findings, models, keys and a ledger of its own; nothing crosses between them.
    Clients {
        #[command(subcommand)]
        command: Clients,
    },
    /// Rewrites that were learned from fixes you accepted.
    Patterns {
        #[command(subcommand)]
        command: Patterns,
    },
    /// Show where else in the project the code stands that an applied fix rewrote; hints, and no findings.
    Elsewhere {
        /// The finding's id, or its first digits; its fix was applied.
        id: String,
    },
    /// Look for fixes and check them; write them only with `--apply`.
    Fix(Fix),
    /// Show a finding: the code, the fix as a diff, the evidence, the confidence and why.
    Show {
        /// The finding's id, or its first digits.
        id: String,
        /// Also say step by step how the result came about, and whose contributions each step rests on.
        #[arg(long)]
        thoughts: bool,
    },
    /// Draw the conclusion of a run again from what it stored, and say whether it is the same to the byte.
    Replay {
        /// The run's id, or that of a finding for its last run.
        run: String,
    },
    /// Print a fix as a patch for `git am`, or as the text of a pull request.
    Export(Export),
    /// Have your own version of a fix checked: a patch that you made of `conclave export`; `apply` writes it.
    Edit(Edit),
    /// Write a fix into the project; `undo` takes it back.
    Apply {
        /// The finding's id, or its first digits.
        id: String,
        /// The fix's id; the recommended one when left out.
        #[arg(long, value_name = "FIX")]
        fix: Option<String>,
    },
    /// Take an applied fix back, byte for byte.
    Undo {
        /// The finding's id, or its first digits.
        id: String,
    },
    /// Say that nothing is to be done about findings, and why; they are listed and counted apart.
    Dismiss {
        /// The findings' ids, or their first digits.
        #[arg(required = true, value_name = "ID")]
        ids: Vec<String>,
        /// Why: false-positive, wont-fix or used-in-tests.
        #[arg(long, value_enum)]
        reason: Reason,
        /// The same in your words.
        #[arg(long, value_name = "TEXT", default_value = "")]
        note: String,
    },
    /// Open dismissed findings again.
    Reopen {
        /// The findings' ids, or their first digits.
        #[arg(required = true, value_name = "ID")]
        ids: Vec<String>,
    },
    /// Say whether a fix was good; what people say changes whom Conclave trusts.
    Rate(Rate),
    /// Say what became of fixes and what was learned: approval, reliability, time, money.
    Insights {
        /// Of this client’s projects, instead of those that are nobody’s.
        #[arg(long, value_name = "NAME")]
        client: Option<String>,
        #[command(subcommand)]
        command: Option<Insights>,
    },
    /// Compare two ways of coming to fixes on the same findings, without knowing which is which.
    Compare {
        /// For this client’s projects, instead of those that are nobody’s.
        #[arg(long, value_name = "NAME", global = true)]
        client: Option<String>,
        #[command(subcommand)]
        command: Compare,
    },
    /// Say what fixing would take before anything is asked: findings, models, money and time.
    Plan(Plan),
    /// Show what would be sent for a finding, byte for byte; nothing is sent.
    Preview {
        /// The finding's id, or its first digits.
        id: String,
    },
    /// Check, explain and try out the policy.
    Policy {
        #[command(subcommand)]
        command: Policy,
    },
    /// Take over a configuration of Superego’s form into the settings.
    Config {
        #[command(subcommand)]
        command: Config,
    },
    /// See, check, add and order the models that may be asked; without a word, list them.
    Models {
        #[command(subcommand)]
        command: Option<Models>,
    },
    /// Say how much effort findings get by how severe they are, everywhere or in a project; without a word, list it.
    Tiers {
        #[command(subcommand)]
        command: Option<Tiers>,
    },
    /// Say what was spent on models, and what may be.
    Spending {
        /// Also on this finding: its id, or its first digits.
        finding: Option<String>,
    },
    /// Keep the keys of model hosts in the keychain.
    Keys {
        #[command(subcommand)]
        command: Keys,
    },
    /// Keep the servers of tools that deliberation may use; without a word, list them.
    Tools {
        #[command(subcommand)]
        command: Option<Tools>,
    },
    /// Answer requests that wait for you; without a word, list them.
    Asks {
        #[command(subcommand)]
        command: Option<Asks>,
    },
    /// Look into the ledger of decisions.
    Audit {
        #[command(subcommand)]
        command: Audit,
    },
    /// Say what of a project may run.
    Project {
        #[command(subcommand)]
        command: Project,
    },
    /// Say what this machine offers and what is missing.
    Doctor,
    /// Guard an agent’s tool calls with your policy.
    Hook {
        #[command(subcommand)]
        command: Hook,
    },
    /// Decide one request from standard input, and record the decision.
    ///
    /// The request is one JSON object: `{"actor": "agent:NAME", "tool": …, "parameters": {…}}` with `session`, `server` and
    /// `cwd` where they are known, or in Superego’s words `{"tool_name": …, "parameters": {…}}` with `session_id`,
    /// `agent_id` and `cwd`. The status is 0 when it may happen, else 2.
    Advise,
    /// Serve agents as an MCP server on standard input and output: they ask here before they act.
    Mcp,
    /// Speak JSON lines on standard input and output, for programs that drive Conclave.
    Rpc,
    /// Print completions for a shell.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

#[derive(Debug, Args)]
pub struct Fix {
    /// The finding's id, or its first digits.
    #[arg(conflicts_with_all = ["all", "severity", "sarif", "project"], required_unless_present_any = ["all", "severity", "sarif"])]
    pub id: Option<String>,
    /// All open findings.
    #[arg(long)]
    pub all: bool,
    /// All open findings this severe or more.
    #[arg(long, value_parser = severity, value_name = "SEVERITY")]
    pub severity: Option<Severity>,
    /// Do it all in one go for this SARIF file, without keeping the project in the list.
    #[arg(long, value_name = "FILE", requires = "project")]
    pub sarif: Option<PathBuf>,
    /// The project's folder.
    #[arg(long, value_name = "DIR")]
    pub project: Option<PathBuf>,
    /// Write every recommended fix, those that want to be read included: this is your consent.
    #[arg(long)]
    pub apply: bool,
    /// With `--apply`: write only fixes that keep behaviour for every honest input.
    #[arg(long, requires = "apply")]
    pub safe_only: bool,
    /// End with status 1 when findings are left that were not fixed.
    #[arg(long)]
    pub check: bool,
}

#[derive(Debug, Args)]
pub struct Rate {
    /// The finding's id, or its first digits.
    pub id: String,
    /// Good or not.
    #[arg(value_parser = thumb, value_name = "up|down")]
    pub thumb: Thumb,
    /// The fix's id; the applied one, else the recommended one, when left out.
    #[arg(long, value_name = "FIX")]
    pub fix: Option<String>,
    /// Why: `breaks_build`, `not_fixed`, `wrong_place`, `bad_style`, `false_positive` or `other`; may be given more than
    /// once.
    #[arg(long, value_parser = reason, value_name = "REASON")]
    pub reason: Vec<conclave_api::Reason>,
    /// Anything else, in your words.
    #[arg(long, default_value = "", value_name = "TEXT")]
    pub note: String,
}

#[derive(Debug, Subcommand)]
pub enum Insights {
    /// Forget what was learned; fixes stay applied, and the ledger stays as it is.
    Reset {
        /// Of this client, instead of projects that are nobody’s.
        #[arg(long, value_name = "NAME", conflicts_with = "everybody")]
        client: Option<String>,
        /// Of every client and of nobody’s projects.
        #[arg(long)]
        everybody: bool,
    },
    /// Write accepted fixes to a file as a training set, one JSON object a line, once `learning.may_export` in the
    /// settings allows it.
    ///
    /// Each line has the weakness, the changed functions before and after, the edits, the checks that passed, and how much
    /// what became of the fix says. Secrets are taken out and counted; what cannot be looked through is left out. No name of
    /// a client, a project or a file is in it.
    Export {
        /// The file, which is replaced when it exists.
        file: PathBuf,
        /// Say of each piece of code where in its project it stands.
        #[arg(long)]
        paths: bool,
        /// Of this client, instead of projects that are nobody’s.
        #[arg(long, value_name = "NAME")]
        client: Option<String>,
    },
}

#[derive(Debug, Args)]
pub struct Plan {
    /// The findings, by id or its first digits; all open ones when left out.
    pub ids: Vec<String>,
    /// Only those of this folder.
    #[arg(long, value_name = "DIR", conflicts_with = "ids")]
    pub project: Option<PathBuf>,
    /// Only those this severe or more.
    #[arg(long, value_parser = severity, value_name = "SEVERITY", conflicts_with = "ids")]
    pub severity: Option<Severity>,
    /// Leave for later what may cost more than this, in dollars, together with what comes before it.
    #[arg(long, value_parser = dollars, value_name = "DOLLARS")]
    pub budget: Option<Money>,
    /// At most so many findings.
    #[arg(long, value_name = "N")]
    pub most: Option<u32>,
}

#[derive(Debug, Subcommand)]
pub enum Project {
    /// Show how a project is built and tested, and say whether that may happen.
    ///
    /// A fix is worth more when the project still builds with it and its tests still pass. Both run the project’s own
    /// code, so they need your word: once for each project, kept in your settings and never read from the project.
    Commands(ProjectCommands),
}

#[derive(Debug, Args)]
pub struct ProjectCommands {
    /// The project's folder.
    pub dir: PathBuf,
    /// Let its build and its tests run: on a copy, in the sandbox, without a network. This is your consent.
    #[arg(long, conflicts_with = "revoke")]
    pub agree: bool,
    /// Let nothing of it run any more.
    #[arg(long)]
    pub revoke: bool,
    /// Build it by this command; empty for none. It is split into words as a shell does, and no shell sees it.
    #[arg(long, value_name = "COMMAND")]
    pub build: Option<String>,
    /// Test it by this command; empty for none. `{report}` stands for the JUnit file that a command which Conclave does
    /// not know has to write.
    #[arg(long, value_name = "COMMAND")]
    pub test: Option<String>,
    /// Go back to the commands that are recognised.
    #[arg(long)]
    pub recognised: bool,
}

#[derive(Debug, Subcommand)]
pub enum Audit {
    /// Read the whole ledger and say whether a row was changed, dropped or moved.
    Verify,
    /// List what left this machine and what was refused, newest first.
    Egress {
        /// Text that must appear in who, where, what for, the rule or the digest.
        filter: Vec<String>,
        /// Only what was let out.
        #[arg(long, conflicts_with = "denied")]
        sent: bool,
        /// Only what was refused.
        #[arg(long)]
        denied: bool,
        /// At most so many.
        #[arg(long, default_value_t = 100, value_name = "N")]
        limit: u32,
    },
    /// List the questions to models that were kept with their answers, newest first, or show one.
    ///
    /// Nothing is kept unless `exchange_log` in the settings says so. Secrets are taken out before. What was kept before
    /// it was turned off stays until its days are over or `--erase` removes it.
    Exchanges {
        /// Only those about the project in this folder.
        #[arg(long, value_name = "DIR")]
        project: Option<PathBuf>,
        /// Show this one whole; the number is its entry in the ledger.
        #[arg(long, value_name = "SEQ", conflicts_with = "project")]
        show: Option<u64>,
        /// Remove them instead, all or those of the project; what was decided stays in the ledger.
        #[arg(long, conflicts_with_all = ["show", "limit"])]
        erase: bool,
        /// At most so many.
        #[arg(long, default_value_t = 100, value_name = "N")]
        limit: u32,
    },
    /// Print the whole ledger as JSON Lines, one entry a line with its number and its hash.
    Export,
}

#[derive(Debug, Subcommand)]
pub enum Policy {
    /// Load a policy file, run its examples, and print what is wrong with it.
    Check {
        /// The file.
        file: PathBuf,
    },
    /// Run the examples of all rules in effect.
    Test {
        /// Of this file instead.
        file: Option<PathBuf>,
    },
    /// Say what the policy decides on a request, rule by rule; nothing is sent or recorded.
    Explain {
        /// A file with the request as JSON; `-` is standard input.
        file: PathBuf,
    },
    /// List every layer with its file, whether it is in force, its digest and how many rules it has.
    Which {
        /// As for a call that is made in this folder, instead of here.
        #[arg(long, value_name = "DIR")]
        project: Option<PathBuf>,
    },
    /// Say on which recorded requests another policy would decide otherwise.
    Simulate {
        /// The file to try in place of your own policy.
        file: PathBuf,
        /// Over so many of the last decisions.
        #[arg(long, value_name = "N")]
        limit: Option<u32>,
    },
}

#[derive(Debug, Subcommand)]
pub enum Config {
    /// Load a YAML file with an `inference` or an `ai_sampling` block, and say what it would make of the settings.
    Check {
        /// The file.
        file: PathBuf,
    },
    /// Put what such a file says into the settings; without `--yes`, only say what that would be.
    ///
    /// Everything else in the settings stays as it is, to the byte, and a copy of them is left beside them.
    Import {
        /// The file.
        file: PathBuf,
        /// Write it: this is your consent.
        #[arg(long)]
        yes: bool,
    },
}

#[derive(Debug, Subcommand)]
pub enum Models {
    /// List them in the order in which they are tried.
    List,
    /// Look at all of them at once; no question that costs money is asked.
    ///
    /// The status is 2 when one of them does not answer.
    Health,
    /// Look at one of them.
    Check {
        /// Its name.
        name: String,
        /// Where it is a file, also load it, as the first question to it would.
        #[arg(long)]
        load: bool,
    },
    /// Look for servers of models on this machine: Ollama, LM Studio, llama.cpp.
    Discover,
    /// Name a model in the settings: behind an address, behind a program, or in a file.
    ///
    /// Its key is never an argument: `conclave keys set` takes it, or `--key-env` names the variable that holds it.
    Add(AddModel),
    /// Take a model out of the settings.
    Remove {
        /// Its name.
        name: String,
    },
    /// Have models tried in this order; those that are not named follow as they stand.
    Order {
        /// Their names.
        #[arg(required = true)]
        names: Vec<String>,
    },
    /// List what Conclave knows of models behind hosted APIs: prices and contexts with their day, what is retired, and sets.
    Known,
    /// Print how the calls to them went, as Prometheus reads it.
    Metrics,
}

#[derive(Debug, Args)]
pub struct AddModel {
    /// A name for people and rules; `mcp_sampling` is the model of a connected client.
    pub name: String,
    /// Where its API begins, for example `http://127.0.0.1:8080/v1`.
    #[arg(long, value_name = "URL", conflicts_with_all = ["cli", "file"])]
    pub url: Option<String>,
    /// The program that it is behind.
    #[arg(long, value_enum, value_name = "PROGRAM", conflicts_with = "file")]
    pub cli: Option<Program>,
    /// Its file in GGUF form, for Conclave’s own worker.
    #[arg(long, value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// The model, as the other end knows it.
    #[arg(long, value_name = "MODEL")]
    pub model: Option<String>,
    /// How its API speaks, where its host does not tell.
    #[arg(long, value_enum, value_name = "DIALECT")]
    pub dialect: Option<Dialect>,
    /// The program, by name or path, where it is not called as usual.
    #[arg(long, value_name = "COMMAND")]
    pub command: Option<String>,
    /// An argument of a generic program, as it is; one for each time. `{model}`, `{system_file}` and `{schema_file}` stand
    /// for what they say; the question comes on standard input.
    #[arg(long = "arg", value_name = "ARGUMENT", allow_hyphen_values = true)]
    pub args: Vec<String>,
    /// Where the program sends its questions, where that is not its usual place: all that it can reach.
    #[arg(long, value_name = "URL")]
    pub base_url: Option<String>,
    /// The environment variable that holds its key.
    #[arg(long, value_name = "VARIABLE")]
    pub key_env: Option<String>,
    /// The context of a file, in tokens.
    #[arg(long, value_name = "TOKENS")]
    pub context: Option<u32>,
    /// The threads that a file is run with.
    #[arg(long, value_name = "N")]
    pub threads: Option<u32>,
    /// So many questions at a time.
    #[arg(long, value_name = "N")]
    pub at_once: Option<u32>,
    /// Let source code be sent to it although it is not known to run on this machine: this is your word.
    #[arg(long)]
    pub may_send_code: bool,
    /// Only try it out: ask it beside the others, and never use what it says.
    #[arg(long)]
    pub trial: bool,
    /// Put it in the place of the model that has its name.
    #[arg(long)]
    pub replace: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Program {
    /// Claude Code.
    Claude,
    /// Codex.
    Codex,
    /// Gemini CLI.
    Gemini,
    /// Any other, by its command, its arguments and its address.
    Generic,
}

impl From<Program> for CliProgram {
    fn from(program: Program) -> Self {
        match program {
            Program::Claude => Self::Claude,
            Program::Codex => Self::Codex,
            Program::Generic => Self::Generic,
            Program::Gemini => Self::Gemini,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Dialect {
    /// Anthropic’s Messages.
    Anthropic,
    /// OpenAI’s chat completions.
    OpenaiChat,
    /// OpenAI’s Responses.
    OpenaiResponses,
    /// Google’s Gemini.
    Gemini,
    /// Ollama’s own.
    Ollama,
}

impl From<Dialect> for ApiDialect {
    fn from(dialect: Dialect) -> Self {
        match dialect {
            Dialect::Anthropic => Self::Anthropic,
            Dialect::OpenaiChat => Self::OpenaiChat,
            Dialect::OpenaiResponses => Self::OpenaiResponses,
            Dialect::Gemini => Self::Gemini,
            Dialect::Ollama => Self::Ollama,
        }
    }
}

#[derive(Debug, Subcommand)]
pub enum Keys {
    /// Put a host's key into the keychain, typed without echo or as one line on standard input.
    Set {
        /// The host, with its port where it is not the usual one; the key is sent nowhere else.
        host: String,
        /// A key that was given as an argument, which is refused without being repeated.
        #[arg(hide = true)]
        argument: Option<String>,
    },
    /// List the hosts that have a key, or could use one.
    List,
    /// Remove a host's key from the keychain.
    Remove {
        /// The host.
        host: String,
    },
}

#[derive(Debug, Subcommand)]
pub enum Asks {
    /// List them.
    List,
    /// Be asked: show each one as it comes and take your answer, until you end it.
    ///
    /// While it runs in a terminal, you count as being there, so that what needs your word is asked and not denied at
    /// once. With `--format json` it prints a line for each and neither asks nor counts.
    Watch,
    /// Let one happen, once.
    Allow {
        /// Its id.
        id: String,
        /// Why; kept word for word.
        #[arg(long, value_name = "TEXT", default_value = "")]
        because: String,
        /// And what its pattern covers from now on: adds a rule to your policy.
        #[arg(long)]
        always: bool,
    },
    /// Refuse one.
    Deny {
        /// Its id.
        id: String,
        /// Why; kept word for word.
        #[arg(long, value_name = "TEXT", default_value = "")]
        because: String,
    },
}

fn dollars(text: &str) -> Result<Money, String> {
    text.parse().map_err(|error| format!("{error}"))
}

fn thumb(text: &str) -> Result<Thumb, String> {
    match text {
        "up" => Ok(Thumb::Up),
        "down" => Ok(Thumb::Down),
        _ => Err("say `up` or `down`".to_owned()),
    }
}

fn reason(text: &str) -> Result<conclave_api::Reason, String> {
    let word = text.to_ascii_lowercase().replace('-', "_");
    let known: Result<conclave_api::Reason, serde_json::Error> = serde_json::from_value(word.into());
    known.map_err(|_| "use breaks_build, not_fixed, wrong_place, bad_style, false_positive or other".to_owned())
}

fn severity(text: &str) -> Result<Severity, String> {
    Severity::ALL
        .into_iter()
        .find(|severity| severity.label().eq_ignore_ascii_case(text))
        .ok_or_else(|| "use critical, high, medium, low or note".to_owned())
}
