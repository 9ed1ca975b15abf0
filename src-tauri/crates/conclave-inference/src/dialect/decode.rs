//! Bytes of a response with status 200 into one complete answer, whatever the dialect.
//!
//! What an event means is the dialect's business ([`Reader`]); this is what all of them share: limits, framing, and when
//! an answer is complete. Invariants: what comes out does not depend on where the bytes are split; an answer without a
//! reason for its end, and a stream without the end that its dialect has, is never complete.

use std::fmt::Debug;

use serde_json::Value;

use super::lines::Lines;
use super::sse::Splitter;
use super::tooling::{Calls, MOST_AT_ONCE, Wanted};
use crate::answer::{Answer, Form, Usage};
use crate::error::AskError;

/// The largest response that is read: 8 MiB.
pub const MAX_ANSWER_BYTES: u64 = 8 * 1024 * 1024;

/// The largest single event.
const MAX_EVENT: usize = 1024 * 1024;

/// What OpenAI’s chat ends a stream with, and some gateways every stream.
const DONE: &[u8] = b"[DONE]";

/// A piece of an answer under way, to be shown and never to be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// Of the answer.
    Text(String),
    /// Of the thinking before it.
    Reasoning(String),
    /// Of the reason why there will be no answer.
    Refusal(String),
}

/// What a complete response says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// The model answered.
    Answer(Answer),
    /// It wants to use tools before it does.
    Calls(Calls),
}

/// How a dialect writes a stream, and what ends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// Server-sent events until `[DONE]`.
    UntilDone,
    /// Server-sent events until one that says that it is the last.
    UntilLast,
    /// Server-sent events until the body ends, a reason for the end among them.
    UntilClose,
    /// Lines of JSON until one that says that it is the last.
    Lines,
}

/// Understands the events of one dialect.
pub(super) trait Reader: Debug + Send {
    /// Takes one event of a stream, or a whole answer; whether it says that it is the last.
    fn event(&mut self, event: Value, draft: &mut Draft) -> Result<bool, AskError>;
}

/// An answer as far as it has come.
#[derive(Debug)]
pub(super) struct Draft {
    /// The model that answers; the one asked for until the server says.
    pub(super) model: String,
    pub(super) usage: Option<Usage>,
    pub(super) finish: Option<Finish>,
    /// The tools that it wants to use.
    pub(super) wanted: Wanted,
    /// Its thoughts, as the server wants to see them again.
    pub(super) thoughts: Vec<Value>,
    text: String,
    refusal: String,
    items: Vec<Item>,
}

/// How the model ended.
#[derive(Debug)]
pub(super) enum Finish {
    /// It had said everything.
    Whole,
    /// It wants to use tools.
    Called,
    /// It or a filter declined, in these words where it gave none of its own.
    Declined(String),
    /// It could not go on.
    Failed(AskError),
}

impl Finish {
    /// The end for a reason that no answer should have.
    pub(super) fn odd(reason: &str) -> Self {
        Self::Failed(AskError::malformed(format!("it ended for the reason `{reason}`")))
    }
}

impl Draft {
    pub(super) fn text(&mut self, piece: &str) {
        self.text.push_str(piece);
        self.add(piece, Item::Text);
    }

    pub(super) fn reasoning(&mut self, piece: &str) {
        self.add(piece, Item::Reasoning);
    }

    pub(super) fn refusal(&mut self, piece: &str) {
        self.refusal.push_str(piece);
        self.add(piece, Item::Refusal);
    }

    /// Takes a piece of thinking that the server wants to see again as it is.
    pub(super) fn thought(&mut self, piece: &str) {
        match self.thoughts.last_mut() {
            Some(Value::String(thought)) => thought.push_str(piece),
            _ => self.thoughts.push(piece.into()),
        }
    }

    /// Whether neither text nor a refusal has come.
    pub(super) fn is_blank(&self) -> bool {
        self.text.is_empty() && self.refusal.is_empty()
    }

    /// Takes the name of the model that answers.
    pub(super) fn named(&mut self, model: &Value) {
        if let Some(model) = model.as_str().filter(|model| !model.is_empty()) {
            model.clone_into(&mut self.model);
        }
    }

    fn add(&mut self, piece: &str, item: impl Fn(String) -> Item) {
        if !piece.is_empty() {
            self.items.push(item(piece.to_owned()));
        }
    }
}

/// Reads one response, streamed or not.
#[derive(Debug)]
pub struct Decoder {
    framing: Framing,
    reader: Box<dyn Reader>,
    form: Form,
    shape: Shape,
    seen: u64,
    draft: Draft,
    end: End,
}

/// How the response is written: told by its first byte, because content types are not to be relied on.
#[derive(Debug)]
enum Shape {
    Unknown,
    Events(Splitter),
    Lines(Lines),
    Whole(Vec<u8>),
}

#[derive(Debug)]
enum End {
    Open,
    Done,
    Failed(AskError),
}

impl Decoder {
    pub(super) fn new(framing: Framing, reader: Box<dyn Reader>, model: &str, form: Form) -> Self {
        let draft = Draft {
            model: model.to_owned(),
            usage: None,
            finish: None,
            wanted: Wanted::default(),
            thoughts: Vec::new(),
            text: String::new(),
            refusal: String::new(),
            items: Vec::new(),
        };
        Self { framing, reader, form, shape: Shape::Unknown, seen: 0, draft, end: End::Open }
    }

    /// Takes the next bytes; gives what they add to the answer.
    pub fn push(&mut self, mut bytes: &[u8]) -> Vec<Item> {
        if self.is_over() {
            return Vec::new();
        }
        self.seen += bytes.len() as u64;
        if self.seen > MAX_ANSWER_BYTES {
            self.end = End::Failed(AskError::TooLarge { max_bytes: MAX_ANSWER_BYTES });
            return Vec::new();
        }
        if matches!(self.shape, Shape::Unknown) {
            // Servers under load send blank lines before a JSON body; before a stream they mean nothing either.
            bytes = bytes.trim_ascii_start();
            self.shape = match (bytes.first(), self.framing) {
                (None, _) => return Vec::new(),
                (Some(_), Framing::Lines) => Shape::Lines(Lines::new(MAX_EVENT)),
                (Some(b'{'), _) => Shape::Whole(Vec::new()),
                (Some(_), _) => Shape::Events(Splitter::new(MAX_EVENT)),
            };
        }
        let mut shape = std::mem::replace(&mut self.shape, Shape::Unknown);
        let each = |data: &[u8]| {
            self.event(data);
            !self.is_over()
        };
        let is_within = match &mut shape {
            Shape::Events(splitter) => splitter.push(bytes, each).is_ok(),
            Shape::Lines(lines) => lines.push(bytes, each).is_ok(),
            Shape::Whole(body) => {
                body.extend_from_slice(bytes);
                true
            }
            Shape::Unknown => true,
        };
        if !is_within {
            self.end = End::Failed(AskError::TooLarge { max_bytes: MAX_EVENT as u64 });
        }
        self.shape = shape;
        std::mem::take(&mut self.draft.items)
    }

    /// Whether nothing that still comes can change the answer.
    pub fn is_over(&self) -> bool {
        !matches!(self.end, End::Open)
    }

    /// The answer to a question that offered no tools, once the response has ended.
    ///
    /// # Errors
    /// Why there is none.
    pub fn finish(self) -> Result<Answer, AskError> {
        match self.reply()? {
            Reply::Answer(answer) => Ok(answer),
            Reply::Calls(_) => Err(unoffered()),
        }
    }

    /// What was said, once the response has ended.
    ///
    /// # Errors
    /// Why nothing was.
    pub fn reply(mut self) -> Result<Reply, AskError> {
        if !self.is_over() {
            // Some servers close right after the last event, without the line that ends it.
            match std::mem::replace(&mut self.shape, Shape::Unknown) {
                Shape::Events(splitter) => self.pending(&splitter.pending()),
                Shape::Lines(lines) => self.pending(&lines.pending()),
                Shape::Whole(body) => self.whole(&body),
                Shape::Unknown => {}
            }
        }
        if self.framing == Framing::UntilClose && self.draft.finish.is_some() && !self.is_over() {
            self.end = End::Done;
        }
        match self.end {
            End::Failed(error) => return Err(error),
            End::Open => return Err(AskError::Cut),
            End::Done => {}
        }
        let Draft { model, usage, finish, text, refusal, wanted, thoughts, .. } = self.draft;
        let declined = |words: &str| {
            let reason = if refusal.trim().is_empty() { words } else { refusal.trim() };
            Reply::Answer(Answer::Refusal { reason: reason.to_owned(), usage, model: model.clone() })
        };
        match finish {
            Some(Finish::Failed(error)) => Err(error),
            Some(Finish::Declined(words)) => Ok(declined(&words)),
            Some(Finish::Whole | Finish::Called) if wanted.too_many => {
                Err(AskError::malformed(format!("the model wants more than {MOST_AT_ONCE} calls of tools at once")))
            }
            // Some servers give no other reason for the end where a model wants tools.
            Some(Finish::Whole | Finish::Called) if !wanted.is_empty() => {
                Ok(Reply::Calls(Calls { calls: wanted.whole(), text, thoughts, usage, model }))
            }
            Some(Finish::Called) => Err(unoffered()),
            Some(Finish::Whole) if !refusal.trim().is_empty() => Ok(declined("")),
            Some(Finish::Whole) if text.trim().is_empty() => Err(AskError::Empty),
            Some(Finish::Whole) => Ok(Reply::Answer(Answer::Text { text, form: self.form, usage, model })),
            None => Err(AskError::malformed("it ended without saying why")),
        }
    }

    fn event(&mut self, data: &[u8]) {
        if data == DONE {
            // A gateway may add it to a dialect that has another end; there it means nothing.
            if self.framing == Framing::UntilDone {
                self.end = End::Done;
            }
            return;
        }
        match serde_json::from_slice(data) {
            Ok(event) => self.read(event),
            Err(error) => self.end = End::Failed(AskError::malformed(format!("an event is not JSON ({error})"))),
        }
    }

    /// Takes what no line end has ended. What is no whole event is the beginning of one that was cut.
    fn pending(&mut self, data: &[u8]) {
        if data == DONE || serde_json::from_slice::<Value>(data).is_ok() {
            self.event(data);
        }
    }

    fn whole(&mut self, body: &[u8]) {
        match serde_json::from_slice(body) {
            Ok(value) => self.read(value),
            Err(error) if error.is_eof() => return,
            Err(error) => self.end = End::Failed(AskError::malformed(format!("it is not JSON ({error})"))),
        }
        if !self.is_over() {
            self.end = End::Done;
        }
    }

    fn read(&mut self, event: Value) {
        match self.reader.event(event, &mut self.draft) {
            Ok(false) => {}
            Ok(true) => self.end = End::Done,
            Err(error) => self.end = End::Failed(error),
        }
    }
}

/// A call where there is nothing to call.
fn unoffered() -> AskError {
    AskError::malformed("the model called a tool that nobody offered")
}

/// The count at `pointer`; a count that is missing or odd is no reason to lose an answer.
pub(super) fn count(value: &Value, pointer: &str) -> Option<u64> {
    value.pointer(pointer).and_then(Value::as_u64)
}
