//! A memory as the memory server writes it: JSON Lines, one entity or relation a line.
//!
//! Deliberately absent: files; whoever reads or writes one holds a permit for it. Invariant: a file is remembered whole or
//! not at all, and each line that stands in the way is a complaint with its number, or counted where there are many.

use std::fmt;

use conclave_policy::secret::{scan, title};
use conclave_store::{
    MemoryAdded, MemoryGraph, MemoryOrigin, MemoryRelation, MemoryWriter, NewMemory, Store, StoreError,
};
use serde_json::{Value, json};

use super::arguments::{self, MOST_ITEMS};

/// Longest line that is parsed, in bytes.
const LONGEST_LINE: usize = 1024 * 1024;

/// Most complaints that are told one by one.
pub(super) const MOST_COMPLAINTS: usize = 100;

/// A line that cannot be remembered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    /// Its number, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub fault: Fault,
}

/// What is wrong with a line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// It is no JSON.
    #[error("it is no JSON: {0}")]
    NotJson(String),
    /// It is something else.
    #[error("it is neither an entity nor a relation")]
    NotMemory,
    /// A part of it is missing, too large or of another kind.
    #[error("{0}")]
    Unfit(String),
    /// There is a secret in it, or it cannot be looked through for one.
    #[error("{0}, and secrets are not remembered")]
    Secret(String),
    /// So many lines, of which this is the first, that more is not said of them.
    #[error("lines from here on that cannot be remembered: {0}")]
    Rest(usize),
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.fault)
    }
}

/// Why nothing of a file was remembered.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// These lines stand in the way.
    #[error("{} of its lines cannot be remembered, so nothing of it is", count(.0))]
    Lines(Vec<Complaint>),
    /// The database, or a memory that is full.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// How many lines `complaints` are about.
fn count(complaints: &[Complaint]) -> usize {
    let lines = |complaint: &Complaint| if let Fault::Rest(lines) = complaint.fault { lines } else { 1 };
    complaints.iter().map(lines).sum()
}

/// All that is remembered for `client`, as the server's file.
///
/// # Errors
/// A database that cannot be read.
pub fn export(store: &Store, client: &str) -> Result<String, StoreError> {
    let graph = store.memory(client)?;
    let typed = |kind: &str, mut value: Value| {
        let mut line = json!({ "type": kind });
        if let (Some(line), Some(value)) = (line.as_object_mut(), value.as_object_mut()) {
            line.append(value);
        }
        line.to_string() + "\n"
    };
    let mut lines = String::new();
    for entity in &graph.entities {
        let observations: Vec<&str> = entity.observations.iter().map(|seen| seen.text.as_str()).collect();
        // What no line may hold stands in several, which come to one entity again.
        let mut parts: Vec<&[&str]> = observations.chunks(MOST_ITEMS).collect();
        if parts.is_empty() {
            parts.push(&[]);
        }
        let part = |part| json!({ "name": entity.name, "entityType": entity.kind, "observations": part });
        lines.extend(parts.into_iter().map(|one| typed("entity", part(one))));
    }
    lines.extend(graph.relations.iter().map(|one| typed("relation", relation(one))));
    Ok(lines)
}

/// Remembers for `client` what stands in `text`, a file of the server's. What is there already stays.
///
/// # Errors
/// See [`ImportError`]; then nothing of it is remembered.
pub fn import(store: &Store, client: &str, now_ms: i64, text: &str) -> Result<MemoryAdded, ImportError> {
    let (mut entities, mut relations, mut complaints) = (Vec::new(), Vec::new(), Vec::new());
    for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        match read(line) {
            // Nothing of it is remembered any more.
            Ok(_) if !complaints.is_empty() => {}
            Ok(Memory::Entity(entity)) => entities.push(entity),
            Ok(Memory::Relation(relation)) => relations.push(relation),
            Err(fault) => complain(&mut complaints, Complaint { line: index + 1, fault }),
        }
    }
    if !complaints.is_empty() {
        return Err(ImportError::Lines(complaints));
    }
    let by = MemoryWriter { client, origin: MemoryOrigin::Import, now_ms };
    Ok(store.add_memory(by, &entities, &relations)?)
}

/// Adds one to `complaints`, or counts it where there are enough.
fn complain(complaints: &mut Vec<Complaint>, one: Complaint) {
    if let Some(Complaint { fault: Fault::Rest(lines), .. }) = complaints.last_mut() {
        *lines += 1;
    } else if complaints.len() == MOST_COMPLAINTS {
        complaints.push(Complaint { fault: Fault::Rest(1), ..one });
    } else {
        complaints.push(one);
    }
}

/// What one line says.
enum Memory {
    Entity(NewMemory),
    Relation(MemoryRelation),
}

fn read(line: &str) -> Result<Memory, Fault> {
    if line.len() > LONGEST_LINE {
        return Err(Fault::Unfit(format!("it is longer than {} MiB", LONGEST_LINE >> 20)));
    }
    let value: Value = serde_json::from_str(line).map_err(|error| Fault::NotJson(error.to_string()))?;
    let found = scan(line.as_bytes(), &[]).map_err(|why| Fault::Secret(why.to_string()))?;
    if let Some(hit) = found.first() {
        return Err(Fault::Secret(format!("there may be a secret in it ({})", title(&hit.label))));
    }
    match value.get("type").and_then(Value::as_str) {
        Some("entity") => arguments::entity(&value).map(Memory::Entity).map_err(Fault::Unfit),
        Some("relation") => arguments::relation(&value).map(Memory::Relation).map_err(Fault::Unfit),
        _ => Err(Fault::NotMemory),
    }
}

/// An entity as the server shows it.
pub(super) fn entity(new: &NewMemory) -> Value {
    json!({ "name": new.name, "entityType": new.kind, "observations": new.observations })
}

fn seen(entity: &conclave_store::MemoryEntity) -> Value {
    let observations: Vec<&str> = entity.observations.iter().map(|seen| seen.text.as_str()).collect();
    json!({ "name": entity.name, "entityType": entity.kind, "observations": observations })
}

/// A relation as the server shows it.
pub(super) fn relation(relation: &MemoryRelation) -> Value {
    json!({ "from": relation.from, "to": relation.to, "relationType": relation.kind })
}

/// A graph as the server shows it.
pub(super) fn graph(graph: &MemoryGraph) -> Value {
    let entities: Vec<Value> = graph.entities.iter().map(seen).collect();
    let relations: Vec<Value> = graph.relations.iter().map(relation).collect();
    json!({ "entities": entities, "relations": relations })
}
