//! Has the text of the settings file say something else; what it says already keeps its bytes.
//!
//! Pure text work, one difference at a time, so that each edit sees the places of the text as it is then. An entry of a
//! list is known by its `name`, anything else in a list by what it is.
//! Invariant: what comes out says exactly what was wanted, or nothing comes out.

use jsonc_parser::ast::{Array, Object, Value as Ast};
use jsonc_parser::common::Ranged as _;
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};
use serde_json::{Map, Value, json};

use crate::splice::{self, Container};

/// No settings differ in more places.
const MOST: usize = 10_000;

/// The text that says `wanted`, made of `text` by as few edits as that takes; no text is an empty object.
///
/// # Errors
/// The file is written in a way in which that cannot be done.
pub(crate) fn rewritten(text: &str, wanted: &Map<String, Value>) -> Result<String, String> {
    let mut text = if text.trim().is_empty() { "{}\n".to_owned() } else { text.to_owned() };
    for _ in 0..MOST {
        let Some(next) = object(&text, &root(&text)?, wanted) else { break };
        text = next;
    }
    match serde_json::from_str::<Map<String, Value>>(&text) {
        Ok(said) if said == *wanted => Ok(text),
        _ => Err("they cannot be changed by themselves; change them by hand".to_owned()),
    }
}

/// The text with the first difference between what stands `at` and `wanted` taken away; `None` where there is none.
fn value(text: &str, at: &Ast<'_>, wanted: &Value) -> Option<String> {
    match (at, wanted) {
        (Ast::Object(at), Value::Object(wanted)) => object(text, at, wanted),
        (Ast::Array(at), Value::Array(wanted)) => array(text, at, wanted),
        _ if said(text, at).as_ref() == Some(wanted) => None,
        _ => Some(splice::replace(text, at.start()..at.end(), &format!("{wanted:#}"))),
    }
}

fn object(text: &str, at: &Object<'_>, wanted: &Map<String, Value>) -> Option<String> {
    let items = at.properties.iter().map(|property| property.start()..property.end()).collect();
    let members = Container { range: at.start()..at.end(), items };
    if let Some(index) = at.properties.iter().position(|property| !wanted.contains_key(property.name.as_str())) {
        return Some(splice::take(text, &members, index));
    }
    let changed = at.properties.iter().find_map(|property| {
        let wanted = wanted.get(property.name.as_str())?;
        value(text, &property.value, wanted)
    });
    changed.or_else(|| {
        let (key, value) = wanted.iter().find(|(key, _)| at.get(key).is_none())?;
        Some(splice::put(text, &members, &format!("{}: {value:#}", json!(key))))
    })
}

fn array(text: &str, at: &Array<'_>, wanted: &[Value]) -> Option<String> {
    let items = at.elements.iter().map(|element| element.start()..element.end()).collect();
    let elements = Container { range: at.start()..at.end(), items };
    if at.elements.len() > wanted.len() {
        let is_gone = |element: &Ast<'_>| {
            let said = said(text, element);
            said.is_none_or(|said| !wanted.iter().any(|wanted| who(wanted) == who(&said)))
        };
        let index = at.elements.iter().position(is_gone).unwrap_or(wanted.len());
        return Some(splice::take(text, &elements, index));
    }
    let changed = at.elements.iter().zip(wanted).find_map(|(element, wanted)| value(text, element, wanted));
    changed.or_else(|| Some(splice::put(text, &elements, &format!("{:#}", wanted.get(at.elements.len())?))))
}

/// What an entry of a list is known by.
fn who(entry: &Value) -> &Value {
    entry.get("name").unwrap_or(entry)
}

fn said(text: &str, at: &Ast<'_>) -> Option<Value> {
    serde_json::from_str(&text[at.start()..at.end()]).ok()
}

/// The file's object. It is JSON already: comments and the like were refused when it was read.
fn root(text: &str) -> Result<Object<'_>, String> {
    let parsed = parse_to_ast(text, &CollectOptions::default(), &ParseOptions::default());
    match parsed.map_err(|error| error.to_string())?.value {
        Some(Ast::Object(object)) => Ok(object),
        _ => Err("it is no object".to_owned()),
    }
}
