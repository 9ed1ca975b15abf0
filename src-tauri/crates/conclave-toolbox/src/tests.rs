//! What the tests of this crate have in common: a gate with the shipped policy, a ledger in memory, a tool that obeys.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use conclave_core::id::{FindingId, RunId};
use conclave_core::settings::ToolKind;
use conclave_effects::{Clock, DataClass, Gate, Policies, ToolPlace};
use conclave_inference::tools::{ToolOffer, ToolResult};
use conclave_policy::{Actor, Ledger, LedgerError, Mode, NewEntry, Nobody, Policy};
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::{Caller, Calling, Given, Thoughts, Tool, Toolbox, open};

/// 2026-11-27.
pub(crate) const NOW: i64 = 1_795_780_800_000;

/// A ledger in memory.
#[derive(Default)]
pub(crate) struct Kept(Mutex<Vec<NewEntry>>);

impl Kept {
    pub(crate) fn entries(&self) -> Vec<NewEntry> {
        self.0.lock().unwrap().clone()
    }
}

impl Ledger for Kept {
    fn append(&self, entry: &NewEntry) -> Result<u64, LedgerError> {
        let mut entries = self.0.lock().unwrap();
        entries.push(entry.clone());
        Ok(entries.len() as u64)
    }
}

/// A model that deliberates on run `run` for `client`, under the shipped policy.
pub(crate) fn caller(run: &str, client: &str, offline: bool) -> (Caller, Arc<Kept>) {
    let ledger = Arc::new(Kept::default());
    let policy = Policy::shipped(if offline { Mode::Offline } else { Mode::Default });
    let gate = Gate::new(Policies::new(policy), ledger.clone(), Arc::new(Nobody), Clock::fixed(NOW));
    let caller = Caller {
        gate,
        actor: Actor::Analyst("alpha".to_owned()),
        run: RunId::new(run),
        finding: FindingId::new("f1"),
        project: "/srv/shop".to_owned(),
        remembers: true,
        client: client.to_owned(),
        offline,
    };
    (caller, ledger)
}

/// Long enough for anything here.
pub(crate) fn soon() -> Instant {
    Instant::now() + Duration::from_secs(30)
}

/// Arguments in which there is nothing of anybody's.
pub(crate) fn given(arguments: Value) -> Given {
    Given { arguments, data: vec![DataClass::Metadata] }
}

/// What a [`Stub`] does.
#[derive(Clone)]
pub(crate) enum Does {
    Answer(String),
    Complain(String),
    Fail(String),
    Wait(Arc<Notify>, String),
    Nothing,
}

/// A tool that does as it is told and counts its calls.
pub(crate) struct Stub {
    pub(crate) server: &'static str,
    pub(crate) kind: Option<ToolKind>,
    pub(crate) place: ToolPlace,
    pub(crate) offer: ToolOffer,
    pub(crate) does: Does,
    pub(crate) given: Arc<Mutex<Vec<Value>>>,
    pub(crate) calls: Arc<AtomicUsize>,
}

impl Stub {
    pub(crate) fn new(server: &'static str, name: &str, place: ToolPlace, does: Does) -> Self {
        let offer = ToolOffer { name: name.to_owned(), description: String::new(), schema: json!({}) };
        Self { server, kind: None, place, offer, does, given: Arc::default(), calls: Arc::default() }
    }
}

impl Tool for Stub {
    fn server(&self) -> &str {
        self.server
    }

    fn kind(&self) -> Option<ToolKind> {
        self.kind
    }

    fn place(&self) -> ToolPlace {
        self.place.clone()
    }

    fn offer(&self) -> &ToolOffer {
        &self.offer
    }

    fn call<'a>(&'a self, _: &'a Caller, given: Given, _: Instant) -> Calling<'a> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        self.given.lock().unwrap().push(given.arguments);
        Box::pin(async move {
            match self.does.clone() {
                Does::Answer(text) => Ok(ToolResult { text, is_error: false }),
                Does::Complain(text) => Ok(ToolResult { text, is_error: true }),
                Does::Fail(why) => Err(why),
                Does::Wait(until, text) => {
                    until.notified().await;
                    Ok(ToolResult { text, is_error: false })
                }
                Does::Nothing => std::future::pending().await,
            }
        })
    }
}

pub(crate) fn elsewhere() -> ToolPlace {
    ToolPlace::Server { reaches: Some("kagi.example".to_owned()) }
}

#[test]
fn names_that_models_call_are_unlike_each_other() {
    let stub =
        |server, name: &str| -> Box<dyn Tool> { Box::new(Stub::new(server, name, ToolPlace::Builtin, Does::Nothing)) };
    let long = "x".repeat(90);
    let toolbox = Toolbox::new(vec![
        stub("memory", "read_graph"),
        stub("other", "read_graph"),
        stub("o", "ther_read_graph"),
        stub("other", "read_graph"),
        stub("b", "look.up it"),
        stub("b", &long),
        stub("c", &long),
        stub("c", ""),
    ]);
    let names: Vec<String> = toolbox.offers(&caller("r", "", false).0).into_iter().map(|offer| offer.name).collect();
    assert_eq!(names[..5], ["read_graph", "other_read_graph", "ther_read_graph", "read_graph_2", "look_up_it"]);
    assert_eq!((names[5].as_str(), names[6].len()), (&long[..64], 64));
    for (index, name) in names.iter().enumerate() {
        assert!(!name.is_empty() && name.len() <= 64 && !names[..index].contains(name), "{name}");
    }
}

#[test]
fn a_server_stands_in_for_a_tool_of_its_kind_and_remembers_for_nobody_in_particular() {
    let folder = tempfile::tempdir().unwrap();
    let store = conclave_store::Store::open(&folder.path().join("conclave.db"), NOW).unwrap().store;
    let server = |server, name: &str, kind| -> Box<dyn Tool> {
        let place = ToolPlace::Server { reaches: None };
        Box::new(Stub { kind, ..Stub::new(server, name, place, Does::Nothing) })
    };
    let names = |toolbox: &Toolbox, client: &str| -> Vec<String> {
        toolbox.offers(&caller("r", client, false).0).into_iter().map(|offer| offer.name).collect()
    };
    let own = names(&open(&store, Vec::new(), Thoughts::default()), "ada");
    assert_eq!(own[..3], ["sequentialthinking", "create_entities", "create_relations"]);
    let toolbox = open(
        &store,
        vec![
            server("thinker", "sequentialthinking", Some(ToolKind::Thinking)),
            server("notes", "read_graph", Some(ToolKind::Memory)),
            server("clock", "time", None),
        ],
        Thoughts::default(),
    );
    assert_eq!(names(&toolbox, "")[..], ["search_intelligence", "sequentialthinking", "notes_read_graph", "time"]);
    assert!(names(&toolbox, "ada").contains(&"read_graph".to_owned()));
    assert!(!names(&toolbox, "ada").contains(&"notes_read_graph".to_owned()));
    let (ada, _) = caller("r", "ada", false);
    assert!(toolbox.find(&ada, "notes_read_graph").is_none());
    assert_eq!(toolbox.find(&ada, "sequential_thinking").map(Tool::server), Some("thinker"));
}
