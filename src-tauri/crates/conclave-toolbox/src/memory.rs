//! The memory of a client: the nine tools of the memory server, over Conclave's own database.
//!
//! The tools have that server's names, arguments and answers, so that a model which knows the one knows the other. Unlike
//! that server, calls at the same time lose nothing, each client has a memory of its own, and what a model writes is
//! marked as a model's words, which a model alone may remove. Deliberately absent: numbers about models; a text that says
//! how often somebody was right proves nothing.
//! Invariant: what is remembered is only ever read back as data.

mod arguments;
mod lines;
mod recall;

use conclave_core::settings::ToolKind;
use conclave_effects::ToolPlace;
use conclave_inference::tools::{ToolOffer, ToolResult};
use conclave_store::{MemoryOrigin, MemoryWriter, Store, StoreError};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::{Annotations, Caller, Calling, Given, Tool};

pub use lines::{Complaint, Fault, ImportError, export, import};
pub use recall::{Memo, Recalled, Remark, Wanted, recall};

/// What one of the tools does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verb {
    CreateEntities,
    CreateRelations,
    AddObservations,
    DeleteEntities,
    DeleteObservations,
    DeleteRelations,
    ReadGraph,
    SearchNodes,
    OpenNodes,
}

/// Every tool by its name, with what models are told of it.
const TOOLS: [(Verb, &str, &str); 9] = [
    (
        Verb::CreateEntities,
        "create_entities",
        "Remember new entities, each with a unique name, a type (`fix_pattern`, `edge_case`, `client_context` or \
         `model`) and what is known of it. One whose name is taken is left as it is.",
    ),
    (Verb::CreateRelations, "create_relations", "Remember how entities belong together, in the active voice."),
    (Verb::AddObservations, "add_observations", "Add to what is known of entities that are remembered already."),
    (Verb::DeleteEntities, "delete_entities", "Forget entities of your own, with their observations and relations."),
    (Verb::DeleteObservations, "delete_observations", "Forget observations of your own."),
    (Verb::DeleteRelations, "delete_relations", "Forget relations of your own."),
    (Verb::ReadGraph, "read_graph", "Read all that is remembered."),
    (Verb::SearchNodes, "search_nodes", "Find entities with a text in their name, type or observations."),
    (Verb::OpenNodes, "open_nodes", "Read entities by their names."),
];

/// One of the nine tools.
struct Memory {
    verb: Verb,
    offer: ToolOffer,
    store: Store,
}

/// The nine tools over `store`.
pub(crate) fn tools(store: &Store) -> Vec<Box<dyn Tool>> {
    let tool = |(verb, name, description): (Verb, &str, &str)| -> Box<dyn Tool> {
        let (name, description) = (name.to_owned(), description.to_owned());
        Box::new(Memory {
            verb,
            offer: ToolOffer { name, description, schema: arguments::schema(verb) },
            store: store.clone(),
        })
    };
    TOOLS.map(tool).into()
}

impl Tool for Memory {
    fn server(&self) -> &str {
        "memory"
    }

    fn kind(&self) -> Option<ToolKind> {
        Some(ToolKind::Memory)
    }

    fn place(&self) -> ToolPlace {
        ToolPlace::Builtin
    }

    fn offer(&self) -> &ToolOffer {
        &self.offer
    }

    fn annotations(&self) -> Annotations {
        use Verb::{
            CreateEntities, DeleteEntities, DeleteObservations, DeleteRelations, OpenNodes, ReadGraph, SearchNodes,
        };
        let read_only = matches!(self.verb, ReadGraph | SearchNodes | OpenNodes);
        let destructive = matches!(self.verb, DeleteEntities | DeleteObservations | DeleteRelations);
        let idempotent = read_only || destructive || self.verb != CreateEntities;
        Annotations { read_only, destructive, idempotent, open_world: false }
    }

    fn call<'a>(&'a self, caller: &'a Caller, given: Given, _: Instant) -> Calling<'a> {
        let (verb, store, client) = (self.verb, self.store.clone(), caller.client.clone());
        let now_ms = caller.gate.clock().now_ms();
        Box::pin(async move {
            // The database is waited for, so not on a thread that others need.
            let work = tokio::task::spawn_blocking(move || {
                let by = MemoryWriter { client: &client, origin: MemoryOrigin::Model, now_ms };
                carry_out(verb, &store, by, &given.arguments)
            });
            work.await.map_err(|error| error.to_string())?
        })
    }
}

/// Does what `verb` says; what is wrong with the arguments is for the model, what is wrong with the database is not.
fn carry_out(verb: Verb, store: &Store, by: MemoryWriter<'_>, arguments: &Value) -> Result<ToolResult, String> {
    let wrong = |text: String| Ok(ToolResult { text, is_error: true });
    match answer(verb, store, by, arguments) {
        Ok(text) => Ok(ToolResult { text, is_error: false }),
        Err(Trouble::Arguments(text)) => wrong(text),
        Err(Trouble::Store(StoreError::Missing { id, .. })) => wrong(format!("Entity with name {id} not found")),
        Err(Trouble::Store(error @ (StoreError::Kept { .. } | StoreError::Full { .. }))) => wrong(error.to_string()),
        Err(Trouble::Store(error)) => Err(error.to_string()),
    }
}

/// The server's answer.
fn answer(verb: Verb, store: &Store, by: MemoryWriter<'_>, arguments: &Value) -> Result<String, Trouble> {
    Ok(match verb {
        Verb::CreateEntities => {
            let new = arguments::entities(arguments)?;
            let made = store.create_memories(by, &new)?;
            pretty(&made.into_iter().map(|index| lines::entity(&new[index])).collect())
        }
        Verb::CreateRelations => {
            let made = store.create_relations(by, &arguments::relations(arguments)?)?;
            pretty(&made.iter().map(lines::relation).collect())
        }
        Verb::AddObservations => {
            let new = arguments::added(arguments)?;
            let added = store.add_observations(by, &new)?;
            let told = |((name, _), texts): (&(String, _), Vec<String>)| json!({ "entityName": name, "addedObservations": texts });
            pretty(&new.iter().zip(added).map(told).collect())
        }
        Verb::DeleteEntities => {
            store.delete_memories(by, &arguments::names(arguments, "entityNames")?)?;
            "Entities deleted successfully".to_owned()
        }
        Verb::DeleteObservations => {
            store.delete_observations(by, &arguments::deleted(arguments)?)?;
            "Observations deleted successfully".to_owned()
        }
        Verb::DeleteRelations => {
            store.delete_relations(by, &arguments::relations(arguments)?)?;
            "Relations deleted successfully".to_owned()
        }
        Verb::ReadGraph => pretty(&lines::graph(&store.memory(by.client)?)),
        Verb::SearchNodes => {
            let query = arguments::query(arguments)?.to_lowercase();
            let has = |text: &str| text.to_lowercase().contains(&query);
            let found = store.memory(by.client)?.filtered(|entity| {
                has(&entity.name) || has(&entity.kind) || entity.observations.iter().any(|seen| has(&seen.text))
            });
            pretty(&lines::graph(&found))
        }
        Verb::OpenNodes => {
            let names = arguments::names(arguments, "names")?;
            pretty(&lines::graph(&store.memory(by.client)?.filtered(|entity| names.contains(&entity.name))))
        }
    })
}

/// Why there is no answer.
enum Trouble {
    /// The model's arguments are not what the tool takes.
    Arguments(String),
    /// The database.
    Store(StoreError),
}

impl From<String> for Trouble {
    /// As the server puts it.
    fn from(what: String) -> Self {
        Self::Arguments(format!("MCP error -32602: Input validation error: {what}"))
    }
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

fn pretty(value: &Value) -> String {
    format!("{value:#}")
}

#[cfg(test)]
mod tests;
