//! Calls of tools in no dialect's own form: what a model wants, and what it is told of it.
//!
//! Deliberately absent: carrying anything out. A call is data, however it is written.
//! Invariants: what a model writes where the arguments belong never fails an answer; calls and arguments are bounded; no
//! server is sent a name that none can read.

use conclave_policy::strict_json;
use serde_json::{Map, Value};

use crate::answer::Usage;
use crate::tools::{ToolOffer, ToolResult};

/// The most calls in one answer.
pub const MOST_AT_ONCE: usize = 64;

/// The longest arguments of one call, in bytes.
pub const MOST_ARGUMENTS: usize = 256 * 1024;

/// The longest name of a tool, and the longest name that a server gives a call.
const LONGEST_NAME: usize = 64;
const LONGEST_ID: usize = 256;

/// What is written in place of a name that no tool can have.
const NO_NAME: &str = "unknown_tool";

/// A call that a model wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToolCall {
    /// What the server calls it by; empty where it has no name for it.
    pub id: String,
    /// The tool, as far as a tool can have such a name.
    pub name: String,
    /// The arguments; where they are no JSON object, why not.
    pub arguments: Result<Map<String, Value>, String>,
    /// What the server wants to see again with the call.
    pub signature: Option<String>,
}

/// An answer that is not the last one: the model wants to use tools first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Calls {
    /// What it wants, in its order; never empty.
    pub calls: Vec<ToolCall>,
    /// What it said beside.
    pub text: String,
    /// Its thoughts in the server's own form, as the server wants to see them again.
    pub thoughts: Vec<Value>,
    /// What this answer cost, where the server says so.
    pub usage: Option<Usage>,
    /// The model that answered.
    pub model: String,
}

/// What a model wanted, and what it was told; both in the same order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    /// What it wanted.
    pub said: Calls,
    /// What came of each call.
    pub results: Vec<ToolResult>,
}

/// What a question says of tools.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tooling<'a> {
    /// What is offered.
    pub offers: &'a [ToolOffer],
    /// What was wanted and told before.
    pub turns: &'a [Turn],
    /// Whether nothing more may be called: the tools are named only because earlier turns name them.
    pub is_spent: bool,
}

impl Tooling<'_> {
    /// Every word of it, to be counted.
    pub fn words(&self) -> String {
        let offers = self.offers.iter().map(|offer| format!("{}{}{}", offer.name, offer.description, offer.schema));
        let turns = self.turns.iter().map(Turn::words);
        offers.chain(turns).collect()
    }
}

impl Turn {
    /// Each call with what came of it, in order.
    pub fn pairs(&self) -> impl Iterator<Item = (usize, &ToolCall, &ToolResult)> {
        let pairs = self.said.calls.iter().zip(&self.results);
        pairs.enumerate().map(|(at, (call, result))| (at, call, result))
    }

    /// Every word of it, to be counted.
    pub fn words(&self) -> String {
        let mut words = self.said.text.clone();
        for thought in &self.said.thoughts {
            words.push_str(&thought.to_string());
        }
        for (_, call, result) in self.pairs() {
            words.push_str(&call.name);
            words.push_str(&call.written());
            words.push_str(&result.text);
        }
        words
    }
}

impl ToolCall {
    /// What the server called it by, or a name of ours where it has none: the `at`th call of the turn number `turn`.
    pub(super) fn id_at(&self, turn: usize, at: usize) -> String {
        if self.id.is_empty() { format!("call_{turn}_{at}") } else { self.id.clone() }
    }

    /// The arguments as JSON; an empty object where they are none.
    pub(super) fn object(&self) -> Value {
        Value::Object(self.arguments.clone().unwrap_or_default())
    }

    /// The arguments as JSON text.
    pub(super) fn written(&self) -> String {
        self.object().to_string()
    }
}

/// Calls as far as they have come.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    calls: Vec<Piece>,
    /// Whether there are more than may be.
    pub too_many: bool,
}

/// A call as far as it has come.
#[derive(Debug, Default)]
pub(super) struct Piece {
    at: u64,
    pub id: String,
    pub name: String,
    /// As text, however the server writes them.
    arguments: String,
    pub signature: Option<String>,
}

impl Piece {
    /// Takes arguments, or a piece of them: text is JSON, and anything else is them.
    pub fn argue(&mut self, arguments: &Value) {
        match arguments {
            Value::Null => {}
            Value::String(piece) => self.arguments.push_str(piece),
            whole => self.arguments.push_str(&whole.to_string()),
        }
    }

    fn whole(self) -> ToolCall {
        let is_name = |name: &str| {
            (1..=LONGEST_NAME).contains(&name.len())
                && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
        };
        let name = if is_name(&self.name) { self.name } else { NO_NAME.to_owned() };
        let id = if self.id.len() <= LONGEST_ID { self.id } else { String::new() };
        ToolCall { id, name, arguments: object(&self.arguments), signature: self.signature }
    }
}

impl Wanted {
    /// The call number `at`, which begins here where it has not yet.
    pub fn at(&mut self, at: u64) -> Option<&mut Piece> {
        match self.calls.iter().rposition(|piece| piece.at == at) {
            Some(known) => self.calls.get_mut(known),
            None if self.calls.len() < MOST_AT_ONCE => {
                self.calls.push(Piece { at, ..Piece::default() });
                self.calls.last_mut()
            }
            None => {
                self.too_many = true;
                None
            }
        }
    }

    /// One more call.
    pub fn next(&mut self) -> Option<&mut Piece> {
        let at = self.calls.last().map_or(0, |last| last.at.saturating_add(1));
        self.at(at)
    }

    /// The number of the call that came last, or the first.
    pub fn last(&self) -> u64 {
        self.calls.last().map_or(0, |last| last.at)
    }

    pub fn is_empty(&self) -> bool {
        self.calls.is_empty()
    }

    pub fn whole(self) -> Vec<ToolCall> {
        self.calls.into_iter().map(Piece::whole).collect()
    }
}

/// The arguments in `text`. Nothing at all stands for none.
fn object(text: &str) -> Result<Map<String, Value>, String> {
    if text.len() > MOST_ARGUMENTS {
        return Err(format!("the arguments are larger than {MOST_ARGUMENTS} bytes"));
    }
    if text.trim().is_empty() {
        return Ok(Map::new());
    }
    match strict_json(text) {
        Ok(Value::Object(arguments)) => Ok(arguments),
        Ok(_) => Err("the arguments are no JSON object".to_owned()),
        Err(error) => Err(format!("the arguments cannot be read: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn arguments_are_an_object_or_the_reason_why_not() {
        for (text, expect) in [
            ("", Ok(json!({}))),
            (" ", Ok(json!({}))),
            ("{\"a\":1}", Ok(json!({ "a": 1 }))),
            ("[1]", Err("no JSON object")),
            ("\"{}\"", Err("no JSON object")),
            ("{\"a\":1", Err("cannot be read")),
            ("{\"a\":1,\"a\":2}", Err("cannot be read")),
            ("rm -rf /", Err("cannot be read")),
        ] {
            match (object(text), expect) {
                (Ok(object), Ok(expect)) => assert_eq!(Value::Object(object), expect, "{text}"),
                (Err(why), Err(part)) => assert!(why.contains(part), "{text}: {why}"),
                (other, _) => panic!("{text}: {other:?}"),
            }
        }
        assert!(object(&"[".repeat(100_000)).is_err(), "however deep");
        assert!(object(&" ".repeat(MOST_ARGUMENTS + 1)).is_err_and(|why| why.contains("larger")));
    }

    #[test]
    fn a_name_that_no_tool_can_have_and_an_endless_id_are_not_repeated_to_a_server() {
        for (name, expect) in [
            ("cwe", "cwe"),
            ("a-b_C9", "a-b_C9"),
            ("", NO_NAME),
            ("a b", NO_NAME),
            ("mcp.x", NO_NAME),
            ("\u{202e}x", NO_NAME),
            (&"x".repeat(65), NO_NAME),
        ] {
            let piece = Piece { name: name.to_owned(), id: "i".repeat(300), ..Piece::default() };
            let call = piece.whole();
            assert_eq!((call.name.as_str(), call.id.as_str()), (expect, ""), "{name}");
            assert_eq!(call.id_at(1, 2), "call_1_2");
        }
    }

    #[test]
    fn the_calls_of_one_answer_are_bounded() {
        let mut wanted = Wanted::default();
        for _ in 0..10_000 {
            if let Some(piece) = wanted.next() {
                piece.argue(&json!({ "a": 1 }));
            }
        }
        assert!(wanted.too_many);
        assert_eq!(wanted.whole().len(), MOST_AT_ONCE);
    }
}
