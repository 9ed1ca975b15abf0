//! The tools of one deliberation as somebody uses them, one at a time: each use is told when it is over, and what was
//! found in publications is kept with where it is from.
//!
//! Invariant: whatever a tool answers, whoever asked gets it as text, and nothing else happens.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};

use conclave_core::id::FindingId;
use conclave_core::synthesis::{Hole, Reference, ToolUse};
use conclave_inference::tools::{ToolHost, ToolOffer, ToolResult};
use conclave_toolbox::Host;
use conclave_toolbox::intelligence::Answer;
use serde_json::Value;

use crate::event::{Event, Events, ToolUsed};

/// Where the tools of one deliberation are used.
pub(super) struct Desk {
    host: Host,
    events: Events,
    finding: FindingId,
    /// Who uses a tool waits for the one before.
    turn: tokio::sync::Mutex<()>,
    found: Mutex<Found>,
}

/// What was found in publications, and what could not be had.
#[derive(Clone, Default)]
pub(super) struct Found {
    pub references: Vec<Reference>,
    pub holes: Vec<Hole>,
}

impl Desk {
    pub(super) fn new(host: Host, events: Events, finding: FindingId) -> Self {
        Self { host, events, finding, turn: tokio::sync::Mutex::default(), found: Mutex::default() }
    }

    /// What was used so far.
    pub(super) fn uses(&self) -> Vec<ToolUse> {
        self.host.uses()
    }

    /// What was found so far.
    pub(super) fn found(&self) -> Found {
        self.found.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn keep(&self, answer: Answer) {
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        found.references.extend(answer.found.into_iter().map(|found| found.reference));
        found.holes.extend(answer.holes);
    }
}

impl ToolHost for Desk {
    fn offers(&self) -> Vec<ToolOffer> {
        self.host.offers()
    }

    fn call<'a>(&'a self, name: &'a str, arguments: Value) -> Pin<Box<dyn Future<Output = ToolResult> + Send + 'a>> {
        Box::pin(async move {
            let _turn = self.turn.lock().await;
            let before = self.host.uses().len();
            let result = self.host.call(name, arguments).await;
            if let Some(used) = self.host.uses().get(before) {
                if used.server == "intelligence"
                    && let Ok(answer) = serde_json::from_str(&result.text)
                {
                    self.keep(answer);
                }
                self.events.send(Event::Tool(ToolUsed { finding: self.finding.clone(), used: used.clone() }));
            }
            result
        })
    }
}
