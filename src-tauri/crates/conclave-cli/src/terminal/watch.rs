//! `conclave asks watch`: a terminal at which somebody sits to be asked, and nothing else happens.
//!
//! Invariants: the person counts as being there exactly as long as this runs; one question is shown at a time; a line
//! that was typed while none was shown answers none, and only its own line allows one; the end of the input refuses what
//! is shown and ends the watch. In JSON nobody is asked and nobody counts as being there.

#![allow(clippy::print_stderr, reason = "this is a face")]

use std::collections::BTreeSet;
use std::io::BufRead as _;

use conclave_api::Api;
use conclave_api::error::{ApiError, ErrorCode};
use conclave_api::view::{Event, Tag};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::{answer, is_there, is_yes, show, waiting};
use crate::args::Format;
use crate::exit::Exit;
use crate::output::Output;

/// Asks the person whatever waits for one, until they end it.
///
/// # Errors
/// There is no terminal, too many faces are open, or the store fails.
pub async fn watch(api: &Api, output: Output) -> Result<Exit, ApiError> {
    if output.format() != Format::Text {
        return follow(api, output).await;
    }
    if !is_there() {
        return Err(ApiError::new(ErrorCode::BadRequest, "nobody can answer here: this is no terminal")
            .with_hint("run it in a terminal, or use `--format json` to have what waits as lines"));
    }
    let mut events = api.subscribe();
    let mut lines = lines();
    api.person_arrives()?;
    eprintln!("You are asked here what needs your word. Ctrl-C ends it, and then you are not asked any more.");
    let mut seen = BTreeSet::new();
    // The question that is shown, with the line that allows it.
    let mut shown: Option<(String, String)> = None;
    loop {
        // What waited before this began is no event.
        let asks = waiting(api).await?;
        if let Some((id, _)) = shown.take_if(|(id, _)| !asks.iter().any(|ask| ask.id == *id)) {
            eprintln!("\n{id} does not wait any more.");
        }
        if shown.is_none()
            && let Some(next) = asks.iter().find(|ask| !seen.contains(&ask.id))
        {
            // What was typed before it was shown is not about it.
            while lines.try_recv().is_ok() {}
            seen.insert(next.id.clone());
            shown = Some((next.id.clone(), show(output, next)));
        }
        let line = tokio::select! {
            line = lines.recv() => line,
            () = changed(&mut events) => continue,
        };
        if let Some((id, yes)) = shown.take() {
            let allows = line.as_deref().is_some_and(|line| is_yes(line, &yes));
            match answer(api, id, allows).await {
                Ok(()) => eprintln!("{}", if allows { "It may happen, once." } else { "It does not happen." }),
                // Somebody else may have answered meanwhile.
                Err(error) => output.error(&error),
            }
        }
        if line.is_none() {
            return Ok(Exit::Done);
        }
    }
}

/// Prints a line for each question that comes, until nobody reads them.
async fn follow(api: &Api, output: Output) -> Result<Exit, ApiError> {
    let mut events = api.subscribe();
    api.hear_others();
    let mut seen = BTreeSet::new();
    loop {
        for ask in waiting(api).await? {
            if seen.insert(ask.id.clone()) && output.ask_line(&ask).is_err() {
                return Ok(Exit::Done);
            }
        }
        changed(&mut events).await;
    }
}

/// Waits until other questions may wait; for ever once Conclave has ended.
async fn changed(events: &mut conclave_api::Subscription) {
    loop {
        match events.next().await {
            Some(Event::Changed { tags }) if tags.contains(&Tag::Asks) => return,
            Some(_) => {}
            None => std::future::pending().await,
        }
    }
}

/// The lines that are typed from now on, until the input ends.
fn lines() -> UnboundedReceiver<String> {
    let (typed, lines) = unbounded_channel();
    // A thread of its own: one that waits for a line does not keep the process from ending.
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().split(b'\n') {
            // What is no text answers nothing.
            let Ok(line) = line else { return };
            if typed.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
                return;
            }
        }
    });
    lines
}
