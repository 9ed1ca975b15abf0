//! The person at a terminal, asked for what waits for one while a command runs.
//!
//! [`watch`] does nothing else, for a person who sits there to be asked.
//!
//! Invariants: what is shown is the exact request; only `yes` with the number of the question allows it, once, so that
//! nothing typed before it was shown answers it; everything else, the end of the input included, refuses it; only where
//! both input and error output are a terminal is anybody asked.

#![allow(clippy::print_stderr, reason = "this is a face")]

mod watch;

use std::collections::BTreeSet;
use std::io::{BufRead as _, IsTerminal as _};

use conclave_api::Api;
use conclave_api::commands::dispatch;
use conclave_api::error::ApiError;
use conclave_api::view::{AnswerAsk, AskAnswer, AskList, AskView, Event, Tag};
use serde_json::json;
use tokio::sync::oneshot;

use crate::output::Output;

pub use watch::watch;

/// Whether somebody sits at a terminal, reading what is said and able to answer.
fn is_there() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// Asks the person whenever something waits, until the process ends; nothing where nobody sits at a terminal.
pub fn attend(api: &Api, output: Output) {
    if !is_there() {
        return;
    }
    let mut events = api.subscribe();
    let api = api.clone();
    api.person_is_here();
    tokio::spawn(async move {
        let mut seen = BTreeSet::new();
        while let Some(event) = events.next().await {
            if !matches!(event, Event::Changed { tags } if tags.contains(&Tag::Asks)) {
                continue;
            }
            if let Err(error) = ask_all(&api, output, &mut seen).await {
                output.error(&error);
            }
        }
    });
}

async fn ask_all(api: &Api, output: Output, seen: &mut BTreeSet<String>) -> Result<(), ApiError> {
    loop {
        let waiting = waiting(api).await?;
        let Some(ask) = waiting.into_iter().find(|ask| !seen.contains(&ask.id)) else { return Ok(()) };
        seen.insert(ask.id.clone());
        let yes = says_yes(output, &ask).await;
        // Somebody else may have answered meanwhile.
        if let Err(error) = answer(api, ask.id, yes).await {
            output.error(&error);
        }
    }
}

async fn waiting(api: &Api) -> Result<Vec<AskView>, ApiError> {
    let list: AskList = super::command::call(api, "list_asks", &json!({})).await?;
    Ok(list.asks)
}

async fn answer(api: &Api, id: String, yes: bool) -> Result<(), ApiError> {
    let answer = if yes { AskAnswer::AllowOnce } else { AskAnswer::DenyOnce };
    let request = AnswerAsk { id, answer, justification: String::new() };
    dispatch(api, "answer_ask", serde_json::to_value(&request).unwrap_or_default()).await.map(drop)
}

/// Shows the question; gives the one line that allows it.
fn show(output: Output, ask: &AskView) -> String {
    let yes = format!("yes {}", ask.id);
    eprint!("\r\u{1b}[2K\n{}Type `{yes}` to let it happen once; anything else refuses it: ", output.ask(ask));
    yes
}

async fn says_yes(output: Output, ask: &AskView) -> bool {
    let yes = show(output, ask);
    let (said, hears) = oneshot::channel();
    // A thread of its own: one that waits for a line does not keep the process from ending.
    std::thread::spawn(move || {
        let mut line = String::new();
        let read = std::io::stdin().lock().read_line(&mut line);
        let _ = said.send(read.is_ok() && is_yes(&line, &yes));
    });
    hears.await.unwrap_or(false)
}

fn is_yes(line: &str, yes: &str) -> bool {
    line.trim_end_matches(['\r', '\n']) == yes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_yes_to_this_very_question_is_a_yes() {
        for (line, yes) in [
            ("yes 7\n", true),
            ("yes 7\r\n", true),
            ("yes 7", true),
            ("yes\n", false),
            ("yes 6\n", false),
            ("", false),
            ("\n", false),
            ("y\n", false),
            ("Yes\n", false),
            (" yes 7\n", false),
            ("yes 7 please\n", false),
            ("no\n", false),
        ] {
            assert_eq!(is_yes(line, "yes 7"), yes, "{line:?}");
        }
    }
}
