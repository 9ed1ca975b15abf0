//! `conclave hook CLIENT`: what an agent's client starts before and after each tool call.
//!
//! Clients run a call when their hook fails in almost any way, and block it on exit status 2. So whatever goes wrong
//! here, on any path, prints a refusal and ends with 2: input that cannot be read, a data folder that is missing, a
//! policy that is broken, a database that is locked, a panic, a second that is over. This runs without the async
//! runtime and opens only what an answer needs, because the client waits for it.
//! Invariants: nothing is allowed by not answering; an answer that cannot be written is a refusal.

#![allow(clippy::print_stderr, reason = "this is a face")]

mod wire;

use std::ffi::OsString;
use std::io::{IsTerminal as _, Read as _, Write as _};
use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use conclave_api::advise::client::Client;
use conclave_api::advise::{AdviseError, Advisor, AmbiguousInput, Compared, Effective, LARGEST, read_exact};

use crate::args::{Answering, Global, Hook};
use wire::{Answer, Event, Heard, Moment};

/// How long an answer may take, with the question before it. Clients wait fifteen seconds, and longer by default.
const DEADLINE: Duration = Duration::from_secs(2);

/// Input that is too large is read and thrown away up to this size, so that the client can finish writing.
const DRAINED: u64 = 64 * 1024 * 1024;

/// Whether the question was heard to its end.
static HEARD: AtomicBool = AtomicBool::new(false);

/// The stack for reading and judging, which go as deep as the input is nested.
const STACK: usize = 16 * 1024 * 1024;

/// Why no answer could be found.
#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error("the client\u{2019}s question cannot be read: {0}")]
    Ambiguous(#[from] AmbiguousInput),
    #[error(transparent)]
    Event(#[from] wire::WrongEvent),
    #[error(transparent)]
    Advise(#[from] AdviseError),
    #[error("standard input broke: {0}")]
    Input(std::io::Error),
    #[error("there is no folder for Conclave\u{2019}s data; name one with `--data-dir`")]
    NoFolder,
    #[error("its answer would reach nobody: standard output is closed")]
    NoOutput,
    #[error(
        "the client\u{2019}s question was not at its end after {} seconds; give the hook one event and close its input",
        DEADLINE.as_secs()
    )]
    Silent,
    #[error("the client\u{2019}s question has more than {LARGEST} bytes; do it in several smaller calls")]
    TooLarge,
    #[error(
        "it took more than {} seconds: it may search very much, the database may be locked, or the disk slow; search a \
         narrower folder, or try again",
        DEADLINE.as_secs()
    )]
    Late,
    #[error("it broke, which is a fault in Conclave")]
    Broke,
}

/// The client that these arguments are an answer for, found without taking them apart any further.
pub fn client_of(arguments: impl IntoIterator<Item = OsString>) -> Option<Client> {
    let mut arguments = arguments.into_iter().skip_while(|argument| argument != "hook");
    arguments.nth(1)?.to_str()?.parse().ok()
}

/// From here on, a panic on any thread is a refusal.
pub fn refuse_on_panic(client: Client) {
    std::panic::set_hook(Box::new(move |_| {
        // What a panic says may hold anything, a secret too.
        let _ = refuse(client, &Fault::Broke.to_string());
        std::process::exit(2)
    }));
}

/// Refuses because of arguments that make no sense, as an older or newer program may be given.
pub fn refuse_arguments(client: Client, error: &clap::Error) -> ExitCode {
    let first = error.to_string();
    let first = first.lines().next().unwrap_or_default().trim_start_matches("error: ");
    refuse(client, &format!("its command line is wrong ({first}); run `conclave hook add {client}` again"))
}

/// How a client is to be answered, if this is what was asked for.
pub fn answering(command: &Hook) -> Option<&Answering> {
    match command {
        Hook::ClaudeCode(options) | Hook::Codex(options) | Hook::Gemini(options) => Some(options),
        Hook::Add { .. } | Hook::List { .. } | Hook::Remove { .. } => None,
    }
}

/// Answers the client's question on standard input.
pub fn answer(client: Client, options: &Answering, global: &Global) -> ExitCode {
    let (sender, receiver) = channel();
    let (approve, offline) = (options.approve, global.offline);
    // The folder that stands in the hook is the whole place: a variable, which a project may set, leads to no other.
    let data_dir = global.base().ok();
    let worker = std::thread::Builder::new().name("hook".to_owned()).stack_size(STACK).spawn(move || {
        // Nobody hears it when the deadline has passed; the refusal is on its way already.
        let _ = sender.send(judge(client, approve, offline, data_dir.as_deref()));
    });
    if worker.is_err() {
        return refuse(client, &Fault::Broke.to_string());
    }
    let judged = receiver.recv_timeout(DEADLINE).unwrap_or_else(|error| match error {
        RecvTimeoutError::Timeout => Err(if HEARD.load(Ordering::Acquire) { Fault::Late } else { Fault::Silent }),
        RecvTimeoutError::Disconnected => Err(Fault::Broke),
    });
    match judged {
        Ok((moment, answer)) => say(client, moment, &answer),
        Err(fault) => refuse(client, &fault.to_string()),
    }
}

fn judge(client: Client, approve: bool, offline: bool, data_dir: Option<&Path>) -> Result<(Moment, Answer), Fault> {
    if output_is_closed() {
        return Err(Fault::NoOutput);
    }
    let event = match wire::hear(client, &read_exact(&input()?)?)? {
        Heard::Tool(event) => *event,
        Heard::Other => return Ok((Moment::Before, Answer::Nothing)),
    };
    let advisor = Advisor::open(data_dir.ok_or(Fault::NoFolder)?, offline)?;
    let answer = match event.moment {
        Moment::Before => before(approve, &advisor, &event)?,
        Moment::After => after(&advisor, &event)?,
    };
    Ok((event.moment, answer))
}

fn before(approve: bool, advisor: &Advisor, event: &Event) -> Result<Answer, Fault> {
    let advice = advisor.judge(&event.call)?;
    let decision = &advice.decision;
    let why = format!("{} (rule `{}`, entry {} of the ledger)", decision.reason, decision.rule, advice.seq);
    let why = match decision.effect {
        Effective::Sample if !advice.remedy.is_empty() => format!("{why}: {}", advice.remedy),
        _ => why,
    };
    Ok(match decision.effect {
        Effective::Allow if approve && !event.asks_a_person() => {
            Answer::Approve(format!("Conclave allows it: {}", decision.reason))
        }
        Effective::Allow => Answer::Nothing,
        Effective::Sample if event.call.can_ask() => Answer::Ask(format!("Conclave leaves this to you: {why}.")),
        Effective::Sample => Answer::Deny(format!(
            "Conclave refused this, because nobody can be asked here: {why}. Run the client so that it may ask, or add \
             an allow rule for it."
        )),
        Effective::Deny => Answer::Deny(format!("Conclave refused this: {why}. {}.", sentence(&advice.remedy))),
    })
}

fn after(advisor: &Advisor, event: &Event) -> Result<Answer, Fault> {
    Ok(match advisor.after(&event.call)? {
        Compared::Same | Compared::Unknown => Answer::Nothing,
        Compared::Differs => Answer::Deny(format!(
            "Conclave raises an alarm: `{}` did not run with the input that was decided on; another hook or program \
             changed it. It is in the ledger.",
            event.call.tool
        )),
        Compared::Refused => Answer::Deny(format!(
            "Conclave raises an alarm: `{}` ran although it was refused. It is in the ledger.",
            event.call.tool
        )),
    })
}

/// All of standard input.
fn input() -> Result<Vec<u8>, Fault> {
    let mut stdin = std::io::stdin().lock();
    let mut bytes = Vec::new();
    stdin.by_ref().take(LARGEST as u64 + 1).read_to_end(&mut bytes).map_err(Fault::Input)?;
    if bytes.len() > LARGEST {
        std::io::copy(&mut stdin.take(DRAINED), &mut std::io::sink()).map_err(Fault::Input)?;
        return Err(Fault::TooLarge);
    }
    HEARD.store(true, Ordering::Release);
    Ok(bytes)
}

/// Whether what is printed reaches nobody: a closed standard output is opened as a device that forgets.
fn output_is_closed() -> bool {
    use std::os::fd::AsFd as _;
    use std::os::unix::fs::FileTypeExt as _;
    let stdout = std::io::stdout();
    let copy = stdout.as_fd().try_clone_to_owned().map(std::fs::File::from);
    let is_device = copy.and_then(|file| file.metadata()).map(|metadata| metadata.file_type().is_char_device());
    !stdout.is_terminal() && is_device.unwrap_or(true)
}

fn refuse(client: Client, why: &str) -> ExitCode {
    let words = format!("Conclave could not judge this, so it is refused: {why}.");
    say(client, Moment::Before, &Answer::Deny(words))
}

fn say(client: Client, moment: Moment, answer: &Answer) -> ExitCode {
    let (line, refusal) = wire::spoken(client, moment, answer);
    let mut stdout = std::io::stdout().lock();
    let written = stdout.write_all(format!("{line}\n").as_bytes()).and_then(|()| stdout.flush());
    let refusal = match (refusal, written) {
        (None, Ok(())) => return ExitCode::SUCCESS,
        (Some(words), _) => words,
        (None, Err(_)) => format!("Conclave: {}.", Fault::NoOutput),
    };
    // Where standard error is closed too, the status says it alone.
    let _ = writeln!(std::io::stderr().lock(), "{refusal}");
    ExitCode::from(2)
}

/// Words as the beginning of a sentence.
fn sentence(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests;
