//! Bytes of a response with status 200 into one complete answer.
//!
//! Invariants: what comes out does not depend on where the bytes are split; an answer without a reason for its end, and
//! a stream without `[DONE]`, is never complete.

use serde::Deserialize;
use serde_json::Value;

use super::refusal::error_in_stream;
use crate::answer::{Answer, Form, Usage};
use crate::dialect::sse::Splitter;
use crate::error::AskError;

/// The largest response that is read: 8 MiB.
pub const MAX_ANSWER_BYTES: u64 = 8 * 1024 * 1024;

/// The largest single event.
const MAX_EVENT: usize = 1024 * 1024;

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

/// Reads one response, streamed or not.
#[derive(Debug)]
pub struct Decoder {
    model: String,
    form: Form,
    shape: Shape,
    seen: u64,
    text: String,
    refusal: String,
    usage: Option<Usage>,
    finish: Option<String>,
    end: End,
}

/// How the response is written: told by its first byte, because content types are not to be relied on.
#[derive(Debug)]
enum Shape {
    Unknown,
    Stream(Splitter),
    Whole(Vec<u8>),
}

#[derive(Debug)]
enum End {
    Open,
    Done,
    Failed(AskError),
}

impl Decoder {
    /// A decoder for the answer of `model`, which was asked in `form`.
    pub fn new(model: &str, form: Form) -> Self {
        Self {
            model: model.to_owned(),
            form,
            shape: Shape::Unknown,
            seen: 0,
            text: String::new(),
            refusal: String::new(),
            usage: None,
            finish: None,
            end: End::Open,
        }
    }

    /// Takes the next bytes; gives what they add to the answer.
    pub fn push(&mut self, mut bytes: &[u8]) -> Vec<Item> {
        let mut items = Vec::new();
        if self.is_over() {
            return items;
        }
        self.seen += bytes.len() as u64;
        if self.seen > MAX_ANSWER_BYTES {
            self.end = End::Failed(AskError::TooLarge { max_bytes: MAX_ANSWER_BYTES });
            return items;
        }
        if matches!(self.shape, Shape::Unknown) {
            // Servers under load send blank lines before a JSON body; before a stream they mean nothing either.
            bytes = bytes.trim_ascii_start();
            self.shape = match bytes.first() {
                None => return items,
                Some(b'{') => Shape::Whole(Vec::new()),
                Some(_) => Shape::Stream(Splitter::new(MAX_EVENT)),
            };
        }
        match std::mem::replace(&mut self.shape, Shape::Unknown) {
            Shape::Stream(mut splitter) => {
                let pushed = splitter.push(bytes, |data| {
                    self.event(data, &mut items);
                    !self.is_over()
                });
                if pushed.is_err() {
                    self.end = End::Failed(AskError::TooLarge { max_bytes: MAX_EVENT as u64 });
                }
                self.shape = Shape::Stream(splitter);
            }
            Shape::Whole(mut body) => {
                body.extend_from_slice(bytes);
                self.shape = Shape::Whole(body);
            }
            Shape::Unknown => {}
        }
        items
    }

    /// Whether nothing that still comes can change the answer.
    pub fn is_over(&self) -> bool {
        !matches!(self.end, End::Open)
    }

    /// The answer, once the response has ended.
    pub fn finish(mut self) -> Result<Answer, AskError> {
        match std::mem::replace(&mut self.shape, Shape::Unknown) {
            // Some servers close right after the last line, without the blank one.
            Shape::Stream(splitter) if !self.is_over() => {
                if splitter.pending_is(DONE) {
                    self.end = End::Done;
                }
            }
            Shape::Whole(body) => self.whole(&body),
            Shape::Stream(_) | Shape::Unknown => {}
        }
        match self.end {
            End::Failed(error) => return Err(error),
            End::Open => return Err(AskError::Cut),
            End::Done => {}
        }
        let (usage, model) = (self.usage, self.model);
        let refused = match self.finish.as_deref() {
            Some("stop") => !self.refusal.trim().is_empty(),
            Some("content_filter") => true,
            Some("length" | "model_length") => return Err(AskError::Truncated),
            Some("tool_calls" | "function_call") => {
                return Err(AskError::malformed("the model called a tool that nobody offered"));
            }
            Some(why @ ("insufficient_system_resource" | "error" | "abort")) => {
                let message = format!("it stopped the answer: {why}");
                return Err(AskError::Server { status: 200, message, retry_after: None });
            }
            Some(other) => return Err(AskError::malformed(format!("it ended for the reason `{other}`"))),
            None => return Err(AskError::malformed("it ended without saying why")),
        };
        if refused {
            let reason = match self.refusal.trim() {
                "" => "a content filter stopped the answer".to_owned(),
                words => words.to_owned(),
            };
            return Ok(Answer::Refusal { reason, usage, model });
        }
        if self.text.trim().is_empty() {
            return Err(AskError::Empty);
        }
        Ok(Answer::Text { text: self.text, form: self.form, usage, model })
    }

    fn event(&mut self, data: &[u8], items: &mut Vec<Item>) {
        if data == DONE {
            self.end = End::Done;
            return;
        }
        match serde_json::from_slice(data) {
            Ok(value) => self.chunk(value, items),
            Err(error) => self.fail(format!("an event is not JSON ({error})")),
        }
    }

    fn whole(&mut self, body: &[u8]) {
        if self.is_over() {
            return;
        }
        match serde_json::from_slice(body) {
            Ok(value) => self.chunk(value, &mut Vec::new()),
            Err(error) if error.is_eof() => return,
            Err(error) => self.fail(format!("it is not JSON ({error})")),
        }
        if !self.is_over() {
            self.end = End::Done;
        }
    }

    /// Takes one event of a stream, or a whole answer: they differ in the name of one field.
    fn chunk(&mut self, value: Value, items: &mut Vec<Item>) {
        let is_error = value.get("error").is_some_and(|error| !error.is_null())
            || value.get("object").and_then(Value::as_str) == Some("error");
        if is_error {
            self.end = End::Failed(error_in_stream(&value, &self.model));
            return;
        }
        let chunk: Chunk = match serde_json::from_value(value) {
            Ok(chunk) => chunk,
            Err(error) => return self.fail(format!("it has another shape than a chat completion ({error})")),
        };
        if let Some(model) = chunk.model.filter(|model| !model.is_empty()) {
            self.model = model;
        }
        if let Some(usage) = chunk.usage.as_ref().and_then(usage_of) {
            self.usage = Some(usage);
        }
        // More than one choice is never asked for; what comes of others all the same is nobody's answer.
        for choice in chunk.choices.into_iter().flatten().filter(|choice| choice.index.unwrap_or(0) == 0) {
            if let Some(message) = choice.delta.or(choice.message) {
                self.message(message, items);
            }
            if choice.finish_reason.is_some() {
                self.finish = choice.finish_reason;
            }
        }
    }

    fn message(&mut self, message: Message, items: &mut Vec<Item>) {
        let mut add = |piece: Item| match &piece {
            Item::Text(text) | Item::Reasoning(text) | Item::Refusal(text) if text.is_empty() => {}
            _ => items.push(piece),
        };
        if let Some(reasoning) = message.reasoning_content.or(message.reasoning) {
            add(Item::Reasoning(reasoning));
        }
        match message.content {
            Some(Content::Text(text)) => {
                self.text.push_str(&text);
                add(Item::Text(text));
            }
            Some(Content::Parts(parts)) => {
                for part in parts {
                    match part {
                        Part::Text { text } => {
                            self.text.push_str(&text);
                            add(Item::Text(text));
                        }
                        Part::Thinking { thinking } => {
                            for thought in thinking {
                                if let Part::Text { text } = thought {
                                    add(Item::Reasoning(text));
                                }
                            }
                        }
                        Part::Other => {}
                    }
                }
            }
            None => {}
        }
        if let Some(refusal) = message.refusal {
            self.refusal.push_str(&refusal);
            add(Item::Refusal(refusal));
        }
    }

    fn fail(&mut self, why: String) {
        self.end = End::Failed(AskError::Malformed { why });
    }
}

#[derive(Deserialize)]
struct Chunk {
    model: Option<String>,
    choices: Option<Vec<Choice>>,
    usage: Option<Value>,
}

#[derive(Deserialize)]
struct Choice {
    index: Option<u64>,
    delta: Option<Message>,
    message: Option<Message>,
    finish_reason: Option<String>,
}

#[derive(Deserialize)]
struct Message {
    content: Option<Content>,
    /// DeepSeek, llama.cpp.
    reasoning_content: Option<String>,
    /// Ollama, vLLM.
    reasoning: Option<String>,
    refusal: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Content {
    Text(String),
    /// Mistral's reasoning models.
    Parts(Vec<Part>),
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Part {
    Text {
        text: String,
    },
    Thinking {
        thinking: Vec<Part>,
    },
    #[serde(other)]
    Other,
}

/// The counts of `usage`, if it has any; a count that is missing or odd is no reason to lose an answer.
fn usage_of(usage: &Value) -> Option<Usage> {
    let count = |pointer| usage.pointer(pointer).and_then(Value::as_u64);
    Some(Usage {
        input_tokens: count("/prompt_tokens")?,
        output_tokens: count("/completion_tokens")?,
        cached_tokens: count("/prompt_tokens_details/cached_tokens")
            .or_else(|| count("/prompt_cache_hit_tokens"))
            .unwrap_or(0),
        reasoning_tokens: count("/completion_tokens_details/reasoning_tokens").unwrap_or(0),
    })
}
