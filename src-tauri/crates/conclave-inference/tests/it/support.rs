//! What the tests of this crate share: a gate with the shipped policy and a ledger in memory.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use conclave_effects::{Clock, Gate, Policies};
use conclave_inference::{
    Answer, AskError, Call, ModelRequest, Provider, Reach, Terms, ToolHost, ToolOffer, ToolResult, Tools,
};
use conclave_policy::{Actor, EntryKind, Ledger, LedgerError, Mode, NewEntry, Nobody, Policy, ToolRequest};
use serde_json::{Value, json};

/// A ledger in memory.
#[derive(Clone, Default)]
pub struct MemoryLedger(Arc<Mutex<Vec<NewEntry>>>);

impl Ledger for MemoryLedger {
    fn append(&self, entry: &NewEntry) -> Result<u64, LedgerError> {
        let mut entries = self.0.lock().expect("ledger");
        entries.push(entry.clone());
        Ok(entries.len() as u64)
    }
}

impl MemoryLedger {
    /// How many decisions there are about questions to a model.
    pub fn decisions(&self) -> usize {
        self.questions().len()
    }

    /// What came of questions to a model, in order.
    pub fn outcomes(&self) -> Vec<String> {
        let questions = self.questions();
        let entries = self.0.lock().expect("ledger");
        let outcome = |entry: &NewEntry| match &entry.kind {
            EntryKind::Outcome { outcome, refers_to } if questions.contains(refers_to) => Some(outcome.clone()),
            _ => None,
        };
        entries.iter().filter_map(outcome).collect()
    }

    /// The numbers of the decisions about questions to a model; what a server is asked of itself is none.
    fn questions(&self) -> Vec<u64> {
        let entries = self.0.lock().expect("ledger");
        let question = |(seq, entry): (u64, &NewEntry)| match &entry.kind {
            EntryKind::Decision { request, .. } if is_question(request) => Some(seq),
            _ => None,
        };
        (1..).zip(entries.iter()).filter_map(question).collect()
    }

    /// Every row as the chain covers it.
    pub fn text(&self) -> String {
        let entries = self.0.lock().expect("ledger");
        entries.iter().map(NewEntry::canonical).collect::<Vec<_>>().join("\n")
    }
}

/// Whether it is about a question to a model, or about the worker that is to answer it. A look at a server is not, nor
/// is the version of a program, which is for no purpose of a question's.
fn is_question(request: &ToolRequest) -> bool {
    request.context.get("purpose").is_some_and(|purpose| !purpose.starts_with("ask what the server of"))
}

/// A gate with the shipped policy of `mode`, and its ledger.
pub fn gate(mode: Mode) -> (Gate, MemoryLedger) {
    let ledger = MemoryLedger::default();
    let gate = Gate::new(
        Policies::new(Policy::shipped(mode)),
        Arc::new(ledger.clone()),
        Arc::new(Nobody),
        Clock::fixed(100_000),
    );
    (gate, ledger)
}

/// A host of the tests' own: one tool that does nothing, and all that it was called with.
#[derive(Default)]
pub struct Noted {
    /// Each call that reached it.
    pub heard: Mutex<Vec<(String, Value)>>,
    /// What it answers; `fine` where nothing is set.
    pub says: Option<String>,
    /// Whether it never answers.
    pub hangs: bool,
}

impl ToolHost for Noted {
    fn offers(&self) -> Vec<ToolOffer> {
        let schema = json!({ "type": "object", "properties": { "thought": { "type": "string" } } });
        let name = "sequentialthinking".to_owned();
        vec![ToolOffer { name, description: "Notes a thought.".to_owned(), schema }]
    }

    fn call<'a>(&'a self, name: &'a str, arguments: Value) -> Pin<Box<dyn Future<Output = ToolResult> + Send + 'a>> {
        Box::pin(async move {
            self.heard.lock().expect("what was heard").push((name.to_owned(), arguments));
            if self.hangs {
                std::future::pending::<()>().await;
            }
            let text = self.says.clone().unwrap_or_else(|| "fine".to_owned());
            ToolResult { text, is_error: false }
        })
    }
}

impl Noted {
    /// The tools of this host, `most_calls` times in all.
    pub fn tools(self: &Arc<Self>, most_calls: u32) -> Tools {
        Tools { host: Arc::clone(self) as Arc<dyn ToolHost>, most_calls }
    }

    /// How many calls reached it.
    pub fn count(&self) -> usize {
        self.heard.lock().expect("what was heard").len()
    }
}

/// Asks `provider` on behalf of the engine, with `tools`.
pub async fn ask_with_tools(
    gate: &Gate,
    provider: &dyn Provider,
    request: &ModelRequest,
    terms: Terms<'_>,
    tools: &Tools,
) -> Result<Answer, AskError> {
    provider.ask(Call { reach: reach(gate, terms), request, tools: Some(tools), on_delta: &mut |_| {} }).await
}

/// Asks `provider` on behalf of the engine.
pub async fn ask(
    gate: &Gate,
    provider: &dyn Provider,
    request: &ModelRequest,
    terms: Terms<'_>,
    on_delta: &mut (dyn FnMut(&str) + Send),
) -> Result<Answer, AskError> {
    provider.ask(Call { reach: reach(gate, terms), request, tools: None, on_delta }).await
}

/// The engine's way through `gate`.
pub fn reach<'a>(gate: &'a Gate, terms: Terms<'a>) -> Reach<'a> {
    Reach { gate, actor: Actor::Engine, terms }
}
