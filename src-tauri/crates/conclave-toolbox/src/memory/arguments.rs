//! What the nine tools take: their schemas, and reading arguments by them.
//!
//! Invariant: whatever is written is bounded in number and length, and names are one line.

use conclave_store::{MemoryRelation, NewMemory};
use serde_json::{Value, json};

use super::Verb;

/// Most items of one call.
pub(super) const MOST_ITEMS: usize = 100;

/// Most characters of a name or a type, and of an observation.
const MOST_NAME: usize = 200;
const MOST_TEXT: usize = 2_000;

/// The schema of the arguments: that of the server, with descriptions of our own.
pub(super) fn schema(verb: Verb) -> Value {
    let text = |description: &str| json!({ "type": "string", "description": description });
    let list = |items: Value, description: &str| json!({ "type": "array", "items": items, "description": description });
    let object = |properties: Value| {
        let required: Vec<&String> = properties.as_object().map(|all| all.keys().collect()).unwrap_or_default();
        let required = json!(required);
        json!({ "type": "object", "properties": properties, "required": required })
    };
    let relations = |what: &str| {
        let relation = object(json!({
            "from": text("The name of the entity where it begins."),
            "to": text("The name of the entity where it ends."),
            "relationType": text("How the two belong together."),
        }));
        json!({ "relations": list(relation, what) })
    };
    object(match verb {
        Verb::CreateEntities => {
            let entity = object(json!({
                "name": text("Its name."),
                "entityType": text("What it is."),
                "observations": list(text("One thing."), "What is known of it."),
            }));
            json!({ "entities": list(entity, "What to remember.") })
        }
        Verb::CreateRelations => relations("What to remember."),
        Verb::AddObservations => {
            let item = object(json!({
                "entityName": text("The name of the entity."),
                "contents": list(text("One thing."), "What to add."),
            }));
            json!({ "observations": list(item, "What to add.") })
        }
        Verb::DeleteEntities => json!({ "entityNames": list(text("A name."), "What to forget.") }),
        Verb::DeleteObservations => {
            let item = object(json!({
                "entityName": text("The name of the entity."),
                "observations": list(text("One thing."), "What to forget."),
            }));
            json!({ "deletions": list(item, "What to forget.") })
        }
        Verb::DeleteRelations => relations("What to forget."),
        Verb::ReadGraph => json!({}),
        Verb::SearchNodes => json!({ "query": text("The text to look for.") }),
        Verb::OpenNodes => json!({ "names": list(text("A name."), "Whom to read.") }),
    })
}

/// The entities of `create_entities`.
pub(super) fn entities(arguments: &Value) -> Result<Vec<NewMemory>, String> {
    items(arguments, "entities")?.iter().map(entity).collect()
}

/// One entity.
pub(super) fn entity(item: &Value) -> Result<NewMemory, String> {
    Ok(NewMemory {
        name: name(item, "name")?,
        kind: name(item, "entityType")?,
        observations: texts(item, "observations")?,
    })
}

/// The relations of `create_relations` and `delete_relations`.
pub(super) fn relations(arguments: &Value) -> Result<Vec<MemoryRelation>, String> {
    items(arguments, "relations")?.iter().map(relation).collect()
}

/// One relation.
pub(super) fn relation(item: &Value) -> Result<MemoryRelation, String> {
    Ok(MemoryRelation { from: name(item, "from")?, to: name(item, "to")?, kind: name(item, "relationType")? })
}

/// What `add_observations` adds to which entity.
pub(super) fn added(arguments: &Value) -> Result<Vec<(String, Vec<String>)>, String> {
    let item = |item: &Value| Ok((name(item, "entityName")?, texts(item, "contents")?));
    items(arguments, "observations")?.iter().map(item).collect()
}

/// What `delete_observations` takes from which entity.
pub(super) fn deleted(arguments: &Value) -> Result<Vec<(String, Vec<String>)>, String> {
    let item = |item: &Value| Ok((name(item, "entityName")?, texts(item, "observations")?));
    items(arguments, "deletions")?.iter().map(item).collect()
}

/// The names under `key`.
pub(super) fn names(arguments: &Value, key: &str) -> Result<Vec<String>, String> {
    items(arguments, key)?.iter().map(|name| text(Some(name), key, MOST_NAME)).collect()
}

/// What `search_nodes` looks for.
pub(super) fn query(arguments: &Value) -> Result<String, String> {
    text(arguments.get("query"), "query", MOST_TEXT)
}

fn items<'a>(arguments: &'a Value, key: &str) -> Result<&'a [Value], String> {
    match arguments.get(key) {
        Some(Value::Array(items)) if items.len() <= MOST_ITEMS => Ok(items),
        Some(Value::Array(_)) => Err(invalid(&format!("Too big: expected array to have <={MOST_ITEMS} items"), key)),
        _ => Err(invalid("Invalid input: expected array", key)),
    }
}

fn texts(item: &Value, key: &str) -> Result<Vec<String>, String> {
    items(item, key)?.iter().map(|one| text(Some(one), key, MOST_TEXT)).collect()
}

fn name(item: &Value, key: &str) -> Result<String, String> {
    let name = text(item.get(key), key, MOST_NAME)?;
    if name.trim().is_empty() || name.chars().any(char::is_control) {
        return Err(invalid("Invalid input: expected one line of text", key));
    }
    Ok(name)
}

fn text(value: Option<&Value>, key: &str, most: usize) -> Result<String, String> {
    match value {
        Some(Value::String(text)) if text.chars().count() <= most => Ok(text.clone()),
        Some(Value::String(_)) => Err(invalid(&format!("Too big: expected string to have <={most} characters"), key)),
        _ => Err(invalid("Invalid input: expected string", key)),
    }
}

/// What is wrong, in the server's words.
fn invalid(what: &str, at: &str) -> String {
    format!("{what} at {at}")
}
