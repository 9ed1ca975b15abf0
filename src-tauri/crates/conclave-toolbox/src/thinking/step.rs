//! The arguments of one step, read as the server reads them.
//!
//! Its errors are in the server's words, because models know those.

use serde_json::Value;

/// One step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) text: String,
    pub(super) goes_on: bool,
    pub(super) number: u32,
    pub(super) total: u32,
    /// The step that it mends; one that is named without the flag is meant too.
    pub(super) revises: Option<u32>,
    pub(super) branch_from: Option<u32>,
    pub(super) branch: Option<String>,
}

impl Step {
    /// Reads `arguments`.
    ///
    /// # Errors
    /// What is wrong with them, for the model.
    pub(super) fn read(arguments: &Value) -> Result<Self, String> {
        let text = match arguments.get("thought") {
            Some(Value::String(text)) => text.clone(),
            other => return Err(expected("string", other, "thought")),
        };
        let goes_on = required(flag(arguments, "nextThoughtNeeded")?, "boolean", "nextThoughtNeeded")?;
        let number = required(count(arguments, "thoughtNumber")?, "number", "thoughtNumber")?;
        let total = required(count(arguments, "totalThoughts")?, "number", "totalThoughts")?;
        let is_revision = flag(arguments, "isRevision")?;
        let revises = count(arguments, "revisesThought")?.filter(|_| is_revision != Some(false));
        flag(arguments, "needsMoreThoughts")?;
        let branch = match arguments.get("branchId") {
            None => None,
            Some(Value::String(id)) => Some(id.clone()),
            other => return Err(expected("string", other, "branchId")),
        };
        let branch_from = count(arguments, "branchFromThought")?;
        // As the server has it: a chain may become longer than was thought.
        Ok(Self { text, goes_on, number, total: total.max(number), revises, branch_from, branch })
    }
}

/// An error in the server's words.
pub(super) fn invalid(what: &str, at: &str) -> String {
    format!("MCP error -32602: Input validation error: {what} at {at}")
}

fn expected(kind: &str, found: Option<&Value>, at: &str) -> String {
    let found = match found {
        None => "undefined",
        Some(Value::Null) => "null",
        Some(Value::Bool(_)) => "boolean",
        Some(Value::Number(_)) => "number",
        Some(Value::String(_)) => "string",
        Some(Value::Array(_)) => "array",
        Some(Value::Object(_)) => "object",
    };
    invalid(&format!("Invalid input: expected {kind}, received {found}"), at)
}

fn required<T>(value: Option<T>, kind: &str, at: &str) -> Result<T, String> {
    value.ok_or_else(|| expected(kind, None, at))
}

/// A truth value, also one that is written as a text.
fn flag(arguments: &Value, at: &str) -> Result<Option<bool>, String> {
    match arguments.get(at) {
        None => Ok(None),
        Some(Value::Bool(value)) => Ok(Some(*value)),
        Some(Value::String(text)) if text.eq_ignore_ascii_case("true") => Ok(Some(true)),
        Some(Value::String(text)) if text.eq_ignore_ascii_case("false") => Ok(Some(false)),
        other => Err(expected("boolean", other, at)),
    }
}

/// A whole number from 1.
fn count(arguments: &Value, at: &str) -> Result<Option<u32>, String> {
    let Some(value) = arguments.get(at) else { return Ok(None) };
    let number = value.as_f64().ok_or_else(|| expected("number", Some(value), at))?;
    if number.fract() != 0.0 {
        return Err(invalid("Invalid input: expected int, received number", at));
    }
    if number < 1.0 {
        return Err(invalid("Too small: expected number to be >=1", at));
    }
    // A chain that long is refused for its length.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is whole and in range")]
    Ok(Some(number.min(f64::from(u32::MAX)) as u32))
}
