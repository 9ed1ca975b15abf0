//! One line on the terminal that says what is being done, while it is being done.

use std::collections::HashMap;
use std::io::{IsTerminal as _, Write as _};

use conclave_api::Api;
use conclave_api::view::{Event, Stage};
use tokio::task::JoinHandle;

use crate::args::Format;

/// Follows the runs of `api` until it is stopped; says nothing where nobody sits at a terminal.
pub struct Progress(Option<JoinHandle<()>>);

impl Progress {
    /// Starts to follow.
    pub fn follow(api: &Api, format: Format) -> Self {
        if format != Format::Text || !std::io::stderr().is_terminal() {
            return Self(None);
        }
        let mut events = api.subscribe();
        Self(Some(tokio::spawn(async move {
            let mut stages = HashMap::new();
            while let Some(event) = events.next().await {
                let Event::Run { progress } = event else { continue };
                stages.insert(progress.finding, progress.stage);
                let done = stages.values().filter(|stage| **stage == Stage::Conclude).count();
                show(&format!("{done} done. {}", progress.text));
            }
        })))
    }

    /// Stops and leaves the line empty.
    pub fn stop(self) {
        if let Some(task) = self.0 {
            task.abort();
            show("");
        }
    }
}

/// Writes `text` over the line; what does not reach the terminal is not missed.
fn show(text: &str) {
    let line: String = text.chars().take(78).collect();
    let _ = write!(std::io::stderr(), "\r\u{1b}[2K{line}").and_then(|()| std::io::stderr().flush());
}
