//! What servers ask of a JSON Schema that they are to hold a model to.
//!
//! Deliberately absent: checking an answer against it, which is done with the schema as it was asked for.

use serde_json::{Map, Value};

/// Keywords whose value is a schema.
const ONE: [&str; 3] = ["items", "additionalProperties", "not"];
/// Keywords whose value is a list of schemas.
const LIST: [&str; 4] = ["anyOf", "oneOf", "allOf", "prefixItems"];
/// Keywords whose value is an object with a schema under each name.
const NAMED: [&str; 3] = ["properties", "$defs", "definitions"];

/// The same schema without the keywords `without`, every object in it closed to properties that it does not name.
pub(super) fn closed(schema: &Value, without: &[&str]) -> Value {
    let Value::Object(schema) = schema else { return schema.clone() };
    let mut result = Map::new();
    for (key, value) in schema.iter().filter(|(key, _)| !without.contains(&key.as_str())) {
        let value = match (key.as_str(), value) {
            (key, value) if ONE.contains(&key) => closed(value, without),
            (key, Value::Array(list)) if LIST.contains(&key) => list.iter().map(|part| closed(part, without)).collect(),
            (key, Value::Object(named)) if NAMED.contains(&key) => {
                let named = named.iter().map(|(name, part)| (name.clone(), closed(part, without)));
                Value::Object(named.collect())
            }
            (_, value) => value.clone(),
        };
        result.insert(key.clone(), value);
    }
    if is_object(schema) {
        result.insert("additionalProperties".to_owned(), Value::Bool(false));
    }
    Value::Object(result)
}

/// Whether every object is closed and has all of its properties required, as OpenAI’s strict form wants it.
pub(super) fn is_strict(schema: &Value) -> bool {
    let Value::Object(schema) = schema else { return true };
    let is_required = |name: &String| {
        let required = schema.get("required").and_then(Value::as_array);
        required.is_some_and(|required| required.iter().any(|one| one == name))
    };
    let is_closed = !is_object(schema) || schema.get("additionalProperties") == Some(&Value::Bool(false));
    let named = schema.get("properties").and_then(Value::as_object);
    is_closed && named.into_iter().flatten().all(|(name, _)| is_required(name)) && parts(schema).all(is_strict)
}

fn is_object(schema: &Map<String, Value>) -> bool {
    schema.get("type").is_some_and(|kind| kind == "object") || schema.contains_key("properties")
}

/// The schemas directly inside `schema`.
fn parts(schema: &Map<String, Value>) -> impl Iterator<Item = &Value> {
    let one = ONE.into_iter().filter_map(|key| schema.get(key));
    let lists = LIST.into_iter().filter_map(|key| schema.get(key)?.as_array()).flatten();
    let named = NAMED.into_iter().filter_map(|key| schema.get(key)?.as_object()).flat_map(Map::values);
    one.chain(lists).chain(named)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn objects_are_closed_and_keywords_left_out_wherever_they_stand() {
        let schema = json!({
            "type": "object",
            "properties": {
                "minimum": { "type": "number", "minimum": 0 },
                "list": { "type": "array", "items": { "properties": { "a": { "enum": ["minimum"] } } } },
                "either": { "anyOf": [{ "type": "object", "additionalProperties": { "minimum": 1 } }, { "type": "null" }] },
            },
            "$defs": { "minimum": { "minimum": 3 } },
        });
        let expect = json!({
            "type": "object",
            "properties": {
                "minimum": { "type": "number" },
                "list": {
                    "type": "array",
                    "items": { "properties": { "a": { "enum": ["minimum"] } }, "additionalProperties": false },
                },
                "either": { "anyOf": [{ "type": "object", "additionalProperties": false }, { "type": "null" }] },
            },
            "$defs": { "minimum": {} },
            "additionalProperties": false,
        });
        assert_eq!(closed(&schema, &["minimum"]), expect);
        assert_eq!(closed(&json!(true), &["minimum"]), json!(true));
    }

    #[test]
    fn a_schema_is_strict_where_nothing_is_open_or_optional() {
        let object = |required: Value, closed: bool| json!({ "type": "object", "properties": { "a": {} }, "required": required, "additionalProperties": !closed });
        for (schema, expect) in [
            (json!({ "type": "string" }), true),
            (object(json!(["a"]), true), true),
            (object(json!([]), true), false),
            (object(json!(["a"]), false), false),
            (json!({ "type": "array", "items": object(json!(["a"]), true) }), true),
            (json!({ "type": "array", "items": object(json!([]), true) }), false),
            (json!({ "anyOf": [{ "type": "null" }, { "type": "object" }] }), false),
        ] {
            assert_eq!(is_strict(&schema), expect, "{schema}");
        }
    }
}
