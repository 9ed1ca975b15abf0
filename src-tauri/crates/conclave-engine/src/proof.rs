//! Shows a weakness at work, and that a fix took it out: the function of a finding is called with prepared inputs before
//! the fix and after it, each time in the sandbox on a copy of its own.
//!
//! What is called and with what is data: a recipe's [`Proof`]. The programs beside this file call it and report what they
//! saw; `observe` reads that, and `verdict` alone decides. Invariants: project code runs only after the person's word, or
//! where it is Conclave's own sample; what the code under test prints decides nothing; nothing seen is never a pass.

mod observe;
mod verdict;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use conclave_core::evidence::CheckOutcome;
use conclave_core::language::Language;
use conclave_core::path::RelPath;
use conclave_effects::sandbox::{self, Limits, RunCommand, SandboxError, find_program};
use conclave_effects::scratch::Scratch;
use conclave_fixers::{Callee, Proof, ProofAt, Recipes};
use conclave_policy::Actor;
use serde_json::{Value, json};

pub(crate) use observe::Run;
pub(crate) use verdict::{Benign, account, attack, behaviour, benign, red_green, red_test};

use crate::check::Subject;
use crate::project::facts;
use crate::runner::consent;
use crate::scanner;

/// What was seen on both sides of a fix; an error says why one side could not be seen.
pub(crate) struct Sides {
    pub before: Result<Run, String>,
    pub after: Result<Run, String>,
}

/// The recipe's proof for a finding, with what was seen.
pub(crate) struct Proved {
    pub proof: &'static Proof,
    /// The function that was called, in words.
    pub called: String,
    pub sides: Sides,
}

/// Why nothing was tried, in words.
#[derive(Clone, Debug)]
pub(crate) enum Untried {
    /// The person has not agreed that it may run.
    NotAgreed(String),
    /// There is nothing that could be.
    Impossible(String),
}

impl Untried {
    /// As evidence has it.
    pub fn outcome(&self) -> CheckOutcome {
        match self {
            Self::NotAgreed(_) => CheckOutcome::NotRun,
            Self::Impossible(_) => CheckOutcome::NotAvailable,
        }
    }

    /// In words.
    pub fn why(&self) -> &str {
        match self {
            Self::NotAgreed(why) | Self::Impossible(why) => why,
        }
    }
}

impl From<String> for Untried {
    fn from(why: String) -> Self {
        Self::Impossible(why)
    }
}

impl From<&str> for Untried {
    fn from(why: &str) -> Self {
        Self::Impossible(why.to_owned())
    }
}

/// A program of ours that calls project code.
struct Harness {
    /// The interpreter.
    program: &'static str,
    options: &'static [&'static str],
    /// Its name in the copy.
    name: &'static str,
    text: &'static str,
    /// What a file of tests is called.
    tests: fn(&str) -> &'static str,
}

const PYTHON: Harness = Harness {
    program: "python3",
    options: &["-I", "-B"],
    name: "conclave_proof.py",
    text: include_str!("proof/harness.py"),
    tests: |_| "test_conclave_red.py",
};

const NODE: Harness = Harness {
    program: "node",
    options: &[],
    name: "conclave-proof.mjs",
    text: include_str!("proof/harness.mjs"),
    tests: |text| if text.contains("require(") { "conclave-red.test.cjs" } else { "conclave-red.test.mjs" },
};

impl Harness {
    fn of(language: Language) -> Result<&'static Self, String> {
        match language {
            Language::Python => Ok(&PYTHON),
            Language::JavaScript => Ok(&NODE),
            Language::TypeScript | Language::Tsx | Language::Java => {
                Err(format!("Conclave cannot call a function of {} yet", language.label()))
            }
        }
    }
}

/// Calls the function of the finding with the inputs of the recipe's proof.
///
/// # Errors
/// Why there is nothing to try, in words.
pub(crate) async fn prove(subject: &Subject<'_>) -> Result<Proved, Untried> {
    let (path, language, ProofAt { proof, callee, .. }) = proof_at(subject)?;
    let harness = Harness::of(language)?;
    let task = task(&path, proof, &callee);
    let sides = both(subject, harness, &task, None).await?;
    let called = match (&callee.class, &callee.function) {
        (Some(class), Some(function)) => format!("`{class}.{function}`"),
        (None, Some(function)) => format!("`{function}`"),
        _ => format!("`{path}`"),
    };
    Ok(Proved { proof, called, sides })
}

fn proof_at(subject: &Subject<'_>) -> Result<(RelPath, Language, ProofAt<'static>), String> {
    let detection = &subject.brief.finding.detection;
    let none = || "no recipe knows how to show this weakness at work".to_owned();
    let path = detection.location.as_ref().map(|place| place.path.clone()).ok_or_else(none)?;
    let language = Language::of_path(&path).ok_or_else(none)?;
    let source = subject.sources.file(&path)?;
    let text = source.text().ok_or_else(none)?;
    let at = Recipes::shipped().proof(detection, language, text, &facts(subject.sources)).ok_or_else(none)?;
    Ok((path, language, at))
}

/// Runs the model's own test before its fix and after it.
///
/// # Errors
/// Why there is nothing to try, in words.
pub(crate) async fn prove_by_test(subject: &Subject<'_>) -> Result<Sides, Untried> {
    let test = subject.candidate.red_test.as_ref().ok_or("the fix brings no test")?;
    let place = subject.brief.finding.detection.location.as_ref().ok_or("the finding names no file")?;
    let language = Language::of_path(&place.path).ok_or("the file is in no language that Conclave can run")?;
    let harness = Harness::of(language)?;
    let name = (harness.tests)(&test.text);
    let task = json!({ "tests": true, "file": name });
    both(subject, harness, &task, Some((name, &test.text))).await
}

/// What the harness is told, the nonce left out.
fn task(path: &RelPath, proof: &Proof, callee: &Callee) -> Value {
    let mut inputs = Vec::new();
    let mut add = |name: String, value: &str| inputs.push(json!({ "name": name, "value": value }));
    for (number, value) in proof.benign.iter().flat_map(|benign| &benign.values).enumerate() {
        add(observe::benign(number), value);
    }
    if let Some(attack) = &proof.attack {
        attack.control.iter().for_each(|control| add(observe::CONTROL.to_owned(), control));
        attack.values.iter().enumerate().for_each(|(number, value)| add(observe::attack(number), value));
    }
    json!({
        "tests": false,
        "file": path.as_str(),
        "target": { "class": callee.class, "function": callee.function },
        "reach": callee.reach,
        "watch": proof.watch,
        "content": proof.content,
        "twice": proof.attack.as_ref().is_some_and(|attack| attack.seen == conclave_fixers::Sign::Repeated),
        "known": proof.benign.as_ref().and_then(|benign| benign.values.first()).map_or("pear", String::as_str),
        "inputs": inputs,
    })
}

async fn both(
    subject: &Subject<'_>,
    harness: &Harness,
    task: &Value,
    test: Option<(&str, &str)>,
) -> Result<Sides, Untried> {
    let refusal = consent::refusal(subject.cx, subject.sources, "functions of the project");
    if let Some(why) = refusal {
        return Err(Untried::NotAgreed(why));
    }
    let none = BTreeMap::new();
    // The side without the fix is the same for all fixes of a run.
    let (root, opened, asked) =
        (subject.sources.root().display().to_string(), subject.sources.opened_ms().to_string(), task.to_string());
    let (name, text) = test.unwrap_or_default();
    let parts = [root.as_str(), opened.as_str(), harness.name, asked.as_str(), name, text];
    let before = subject.cx.baselines.calls(&parts, side(subject, harness, task, test, &none));
    let (before, after) = tokio::join!(before, side(subject, harness, task, test, &subject.after));
    Ok(Sides { before, after })
}

/// One run, in a copy of the project over which `files` are written.
async fn side(
    subject: &Subject<'_>,
    harness: &Harness,
    task: &Value,
    test: Option<(&str, &str)>,
    files: &BTreeMap<RelPath, Vec<u8>>,
) -> Result<Run, String> {
    let root = subject.sources.root();
    let scratch = scanner::scratch(subject.cx, root.clone()).await.map_err(|error| error.to_string())?;
    let write = |path: &str, bytes: &[u8]| scratch.write(path, bytes).map_err(|error| error.to_string());
    for (path, bytes) in files {
        write(path.as_str(), bytes)?;
    }
    if let Some((name, text)) = test {
        write(name, text.as_bytes())?;
    }
    let nonce = nonce()?;
    let mut task = task.clone();
    task["nonce"] = json!(nonce);
    write(harness.name, harness.text.as_bytes())?;
    write(TASK, task.to_string().as_bytes())?;
    let report = match start(subject, harness, &scratch, &root, harness.program.to_owned(), Vec::new()).await {
        // Not in the system's folders; it may be installed elsewhere.
        Err(SandboxError::NotFound { program }) => {
            let found = find_program(harness.program, &root).ok_or(format!("`{program}` is not installed"))?;
            let folders = sandbox::tool_folders(&found);
            start(subject, harness, &scratch, &root, found.display().to_string(), folders).await
        }
        report => report,
    };
    observe::read(&nonce, &report.map_err(|error| error.to_string())?)
}

/// Where the harness finds its task.
const TASK: &str = "conclave-proof.json";

async fn start(
    subject: &Subject<'_>,
    harness: &Harness,
    scratch: &Scratch,
    root: &Path,
    program: String,
    read_only: Vec<PathBuf>,
) -> Result<sandbox::CommandReport, SandboxError> {
    let options = harness.options.iter().map(|option| (*option).to_owned());
    let argv = std::iter::once(program).chain(options).chain([harness.name.to_owned(), TASK.to_owned()]).collect();
    let effect = RunCommand {
        argv,
        tree: scratch.path().to_owned(),
        writable: true,
        env: Vec::new(),
        read_only,
        within: Vec::new(),
        loopback: false,
        limits: Limits { wall: Duration::from_secs(subject.plan.check_s.min(MOST_S)), ..Limits::default() },
        project: Some(root.to_owned()),
    };
    let permit = subject.cx.gate.authorize(Actor::Engine, effect).await;
    let permit = permit.map_err(|denied| SandboxError::Unavailable { reason: denied.to_string() })?;
    sandbox::run(permit).await
}

/// A call that takes longer is given up, in seconds.
const MOST_S: u64 = 30;

/// What nobody can guess.
fn nonce() -> Result<String, String> {
    let mut bytes = [0u8; 16];
    getrandom::fill(&mut bytes).map_err(|error| error.to_string())?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests;
