//! A memory as the memory server writes it: JSON Lines, one entity or relation a line.
//!
//! Deliberately absent: files; whoever reads or writes one holds a permit for it. A line that cannot be read is a
//! complaint, and the others count.

use conclave_store::{MemoryGraph, MemoryOrigin, MemoryRelation, MemoryWriter, NewMemory, Store, StoreError};
use serde_json::{Value, json};

use super::arguments;

/// What became of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// How many entities are new.
    pub entities: usize,
    /// How many observations were added to entities that were there already.
    pub observations: usize,
    /// How many relations are new.
    pub relations: usize,
    /// The lines that could not be read.
    pub complaints: Vec<Complaint>,
}

/// A line that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    /// Its number, from 1.
    pub line: usize,
    /// Why, in words.
    pub why: String,
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
        line.to_string()
    };
    let entities = graph.entities.iter().map(|entity| typed("entity", seen(entity)));
    let relations = graph.relations.iter().map(|one| typed("relation", relation(one)));
    Ok(entities.chain(relations).map(|line| line + "\n").collect())
}

/// Remembers for `client` what stands in `text`, a file of the server's. What is there already stays.
///
/// # Errors
/// A database that cannot be written, or a memory that is full.
pub fn import(store: &Store, client: &str, now_ms: i64, text: &str) -> Result<Imported, StoreError> {
    let by = MemoryWriter { client, origin: MemoryOrigin::Import, now_ms };
    let mut imported = Imported::default();
    let (mut entities, mut relations): (Vec<NewMemory>, Vec<MemoryRelation>) = (Vec::new(), Vec::new());
    for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let read = serde_json::from_str::<Value>(line).map_err(|error| error.to_string()).and_then(|value| {
            match value.get("type").and_then(Value::as_str) {
                Some("entity") => entities.push(arguments::entity(&value)?),
                Some("relation") => relations.push(arguments::relation(&value)?),
                _ => return Err("it is neither an entity nor a relation".to_owned()),
            }
            Ok(())
        });
        if let Err(why) = read {
            imported.complaints.push(Complaint { line: index + 1, why });
        }
    }
    let made = store.create_memories(by, &entities)?;
    imported.entities = made.len();
    let known = entities.into_iter().enumerate().filter(|(index, _)| !made.contains(index));
    let more: Vec<(String, Vec<String>)> = known.map(|(_, entity)| (entity.name, entity.observations)).collect();
    imported.observations = store.add_observations(by, &more)?.iter().map(Vec::len).sum();
    imported.relations = store.create_relations(by, &relations)?.len();
    Ok(imported)
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
