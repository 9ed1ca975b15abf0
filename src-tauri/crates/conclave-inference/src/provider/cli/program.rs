//! What programs differ in, and what is the same in reading them.

use std::path::{Path, PathBuf};
use std::time::Duration;

use conclave_core::money::Money;
use conclave_core::settings::{CliKind, CliSetting};
use conclave_effects::Exit;

use super::{claude, codex, ending, gemini, generic};
use crate::answer::{Answer, Usage};
use crate::error::AskError;
use crate::request::ModelRequest;
use crate::tools::ToolOffer;

/// The file in the program's home with what the model is to be and to obey.
pub(super) const SYSTEM_FILE: &str = "system.md";

/// The file in the program's home with the schema of the answer.
pub(super) const SCHEMA_FILE: &str = "schema.json";

/// The programs that are known.
static PROGRAMS: [&Program; 4] = [&claude::PROGRAM, &codex::PROGRAM, &gemini::PROGRAM, &generic::PROGRAM];

/// A program, as far as it differs from others.
pub(super) struct Program {
    pub kind: CliKind,
    /// Its name for people.
    pub title: &'static str,
    /// Its usual command.
    pub command: &'static str,
    /// What to do where it is missing.
    pub install: &'static str,
    /// The oldest version that knows everything by which it is held back here.
    pub oldest: (u32, u32, u32),
    /// Where it goes with a key.
    pub url: &'static str,
    /// Whether it has to be told that.
    pub wants_url: bool,
    /// Its own login, where it has one that works in the sandbox.
    pub login: Option<Login>,
    /// Whether it can be held to a schema.
    pub has_schema: bool,
    /// Whether its model can use our tools.
    pub has_tools: bool,
    /// Whether it counts tokens.
    pub counts: bool,
    /// The most bytes that it takes, without cutting them.
    pub most_input: usize,
    /// Memory of each of its processes, in bytes.
    pub memory_bytes: u64,
    /// How it is asked.
    pub plan: fn(&Asked<'_>) -> Plan,
    /// What it says.
    pub read: fn(&Ran<'_>) -> Result<Said, Unsaid>,
}

/// A login by which a program works without a key.
#[derive(Clone, Copy)]
pub(super) struct Login {
    /// Its file, below the person's home and below the program's.
    pub file: &'static str,
    /// Where the program goes with it.
    pub url: &'static str,
}

impl Login {
    /// Where its file is, if the person is logged in.
    pub(super) fn place(self) -> Option<PathBuf> {
        let home = std::env::var_os("HOME").map(PathBuf::from).filter(|home| home.is_absolute());
        home.map(|home| home.join(self.file)).filter(|file| file.is_file())
    }
}

/// What is to be asked.
pub(super) struct Asked<'a> {
    pub setting: &'a CliSetting,
    pub request: &'a ModelRequest,
    /// What the model is to be and to obey; may be empty.
    pub system: &'a str,
    /// Where the program has to go, if it has to be told.
    pub url: Option<&'a str>,
    /// Whether it goes with its own login.
    pub by_login: bool,
    /// What one exchange with the model costs at most, and with tools all of them, where its price is known.
    pub most: Option<Money>,
    /// How much time is left.
    pub left: Duration,
    /// The tools that its model may use.
    pub offered: Option<Offered<'a>>,
}

/// Tools that a program's model may use.
#[derive(Clone, Copy)]
pub(super) struct Offered<'a> {
    pub offers: &'a [ToolOffer],
    pub most_calls: u32,
    /// Conclave's own program, which the program starts to get at them.
    pub guest: &'a Path,
}

impl Asked<'_> {
    /// The question, behind what the model is to be where the program knows no other place for that.
    pub(super) fn all(&self) -> String {
        let parts = [self.system, &self.request.user];
        parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n\n")
    }

    /// A file with the instructions, where there are some.
    pub(super) fn system_file(&self) -> Option<(String, String)> {
        (!self.system.is_empty()).then(|| (SYSTEM_FILE.to_owned(), self.system.to_owned()))
    }

    /// A file with the schema, where there is one.
    pub(super) fn schema_file(&self) -> Option<(String, String)> {
        self.request.schema.as_ref().map(|schema| (SCHEMA_FILE.to_owned(), schema.to_string()))
    }
}

/// How a program is asked: arguments as they are, never through a shell.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Plan {
    pub args: Vec<String>,
    pub env: Vec<(String, String)>,
    /// The variable for the key.
    pub key_name: String,
    /// Files in its home.
    pub files: Vec<(String, String)>,
    /// Its standard input.
    pub input: String,
    /// Whether it is held to the schema.
    pub is_held: bool,
}

/// What a program did.
pub(super) struct Ran<'a> {
    pub program: &'static Program,
    pub status: Exit,
    pub stdout: &'a str,
    pub stderr: &'a str,
}

/// What a program says of its model's answer.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Said {
    pub text: String,
    /// Whether the program says that it kept to the schema, if it was given one.
    pub is_enforced: bool,
    /// Why the model declined, where it did.
    pub refused: Option<String>,
    pub usage: Option<Usage>,
    /// What the program says that it cost.
    pub cost: Option<Money>,
    pub model: Option<String>,
}

/// Why there is no answer, and what it cost all the same.
pub(super) type Unsaid = Box<(AskError, Option<Usage>, Option<Money>)>;

/// What came of one run.
pub(super) struct Outcome {
    pub result: Result<Answer, AskError>,
    /// Whether the program was started.
    pub is_run: bool,
    pub usage: Option<Usage>,
    pub cost: Option<Money>,
}

impl Outcome {
    /// Nothing was given to anybody.
    pub(super) fn not_sent(error: AskError) -> Self {
        Self { result: Err(error), is_run: false, usage: None, cost: Some(Money::ZERO) }
    }
}

/// The program of this kind.
pub(super) fn of(kind: CliKind) -> &'static Program {
    PROGRAMS.into_iter().find(|program| program.kind == kind).unwrap_or(&generic::PROGRAM)
}

impl Ran<'_> {
    pub(super) fn is_well(&self) -> bool {
        self.status == Exit::Code(0)
    }

    /// The last of what it wrote to standard error.
    pub(super) fn words(&self) -> &str {
        tail(self.stderr)
    }

    /// It ended without an answer, for a reason that only its words tell, if anything does.
    pub(super) fn ended(&self, words: &str) -> AskError {
        let words = if words.trim().is_empty() { tail(self.stderr) } else { words };
        let words = if words.trim().is_empty() { tail(self.stdout) } else { words };
        let lower = words.to_lowercase();
        let Program { title, command, oldest: (major, minor, patch), .. } = self.program;
        if ["unknown option", "unexpected argument", "unknown argument", "invalid value", "unrecognized subcommand"]
            .iter()
            .any(|sign| lower.contains(sign))
            && !self.is_well()
        {
            let words = crate::error::quote(words, None);
            let needed = format!("{title} {major}.{minor}.{patch} or newer is needed, and this one does not know");
            return AskError::NotInstalled(format!("{needed} what holds it back: `{words}`"));
        }
        let how = ending(self.status);
        AskError::Ended { program: (*command).to_owned(), how, message: words.to_owned() }
    }
}

/// The last lines of an output: there programs say why they end.
fn tail(output: &str) -> &str {
    let output = output.trim_end();
    let start = output.len().saturating_sub(600);
    &output[output.ceil_char_boundary(start)..]
}

/// The error that a server's status and words, as a program tells them, stand for.
pub(super) fn of_status(status: u16, words: &str, model: Option<&str>) -> AskError {
    let lower = words.to_lowercase();
    let says = |signs: &[&str]| signs.iter().any(|sign| lower.contains(sign));
    match status {
        402 => AskError::NoMoney,
        400 | 403 | 429
            if says(&["credit balance", "insufficient_quota", "exceeded your current quota", "billing"]) =>
        {
            AskError::NoMoney
        }
        401 | 403 => AskError::Unauthorised,
        404 => AskError::NotFound { model: model.unwrap_or_default().to_owned(), nearest: None },
        413 => AskError::TooLong,
        400 if says(&["prompt is too long", "context_length", "context window", "token count"]) => AskError::TooLong,
        400 if says(&["api key not valid", "api_key_invalid"]) => AskError::Unauthorised,
        429 => AskError::RateLimited { retry_after: None },
        503 | 529 => AskError::Overloaded { retry_after: None },
        500..=599 => AskError::Server { status, message: words.to_owned(), retry_after: None },
        _ => AskError::Rejected { status, message: words.to_owned() },
    }
}

/// The HTTP status that a program's words name, as `status 429`, `status: 429` or `429 Too Many Requests`.
pub(super) fn status_in(words: &str) -> Option<u16> {
    let numbers = words.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| word.len() == 3);
    numbers.filter_map(|word| word.parse().ok()).find(|status| (400..600).contains(status))
}

/// A dollar amount of a program, rounded up to a micro-dollar.
pub(super) fn dollars(amount: f64) -> Option<Money> {
    let micros = (amount * 1e6).ceil();
    // A sum that no question comes to is no sum.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is in the range")]
    (0.0..1e12).contains(&micros).then(|| Money::from_micros(micros as u64))
}
