//! What the schema of a tool's arguments may be, so that whoever reads it comes to an end.
//!
//! Nothing is fetched: a reference leads to another part of the same schema or is refused.

use serde_json::Value;

/// Largest schema, in bytes, and deepest.
const LARGEST: usize = 64 * 1024;
const DEEPEST: usize = 32;
/// Most parts that a schema may have once every reference has been replaced by what it means.
const MOST_PARTS: usize = 10_000;

/// Whether `schema` can be handed to a model: an object, small, not deep, and without references that lead elsewhere, in a
/// circle, or to too much.
///
/// # Errors
/// What is wrong with it, in words.
pub(super) fn bounded(schema: &Value) -> Result<(), String> {
    if !schema.is_object() {
        return Err("the schema of its arguments is no object".to_owned());
    }
    if schema.to_string().len() > LARGEST {
        return Err(format!("the schema of its arguments is larger than {} KiB", LARGEST / 1024));
    }
    let mut left = MOST_PARTS;
    walk(schema, schema, 0, &mut Vec::new(), &mut left)
}

fn walk<'a>(
    root: &'a Value,
    part: &'a Value,
    depth: usize,
    followed: &mut Vec<&'a str>,
    left: &mut usize,
) -> Result<(), String> {
    *left = left.checked_sub(1).ok_or("the schema of its arguments means more than anybody reads")?;
    if depth > DEEPEST {
        return Err(format!("the schema of its arguments is deeper than {DEEPEST}"));
    }
    match part {
        Value::Object(parts) => {
            for key in ["$ref", "$dynamicRef", "$recursiveRef"] {
                let Some(Value::String(to)) = parts.get(key) else { continue };
                let pointer = to.strip_prefix('#').filter(|pointer| pointer.is_empty() || pointer.starts_with('/'));
                let pointer = pointer.ok_or("its schema refers to something elsewhere, which is not fetched")?;
                if followed.contains(&pointer) {
                    return Err("its schema refers to itself".to_owned());
                }
                let meant = root.pointer(pointer).ok_or("its schema refers to what is not there")?;
                followed.push(pointer);
                walk(root, meant, depth + 1, followed, left)?;
                followed.pop();
            }
            parts.values().try_for_each(|value| walk(root, value, depth + 1, followed, left))
        }
        Value::Array(parts) => parts.iter().try_for_each(|value| walk(root, value, depth + 1, followed, left)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_schema_without_an_end_is_refused_and_a_usual_one_is_not() {
        let usual = json!({
            "type": "object",
            "properties": { "entities": { "type": "array", "items": { "$ref": "#/$defs/entity" } }, "other": { "$ref": "#/$defs/entity" } },
            "$defs": { "entity": { "type": "object", "properties": { "name": { "type": "string" } } } },
        });
        assert_eq!(bounded(&usual), Ok(()));
        assert_eq!(bounded(&json!({ "type": "object" })), Ok(()));
        let deep = (0..40).fold(json!({}), |inner, _| json!({ "a": inner }));
        // Each level means the one below it ten times.
        let mut bomb = json!({ "type": "object", "$defs": { "d0": { "type": "string" } } });
        for level in 1..=9 {
            let below = json!({ "$ref": format!("#/$defs/d{}", level - 1) });
            bomb["$defs"][format!("d{level}")] = json!({ "anyOf": vec![below; 10] });
        }
        bomb["properties"] = json!({ "x": { "$ref": "#/$defs/d9" } });
        for (schema, words) in [
            (json!("object"), "no object"),
            (json!({ "description": "x".repeat(70_000) }), "larger than 64 KiB"),
            (deep, "deeper than 32"),
            (bomb, "more than anybody reads"),
            (json!({ "$ref": "#" }), "refers to itself"),
            (
                json!({ "properties": { "a": { "$ref": "#/properties/b" }, "b": { "$ref": "#/properties/a" } } }),
                "refers to itself",
            ),
            (json!({ "$ref": "https://schemas.example/x.json" }), "not fetched"),
            (json!({ "$ref": "file:///etc/passwd" }), "not fetched"),
            (json!({ "$ref": "other.json#/a" }), "not fetched"),
            (json!({ "$ref": "#/missing" }), "not there"),
            (json!({ "$dynamicRef": "#node" }), "not fetched"),
        ] {
            let said = bounded(&schema).expect_err(words);
            assert!(said.contains(words), "{said}");
        }
    }
}
