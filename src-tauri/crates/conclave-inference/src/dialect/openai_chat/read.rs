//! A chat completion, whole or in chunks: they differ in the name of one field.

use serde::Deserialize;
use serde_json::Value;

use crate::answer::Usage;
use crate::dialect::decode::{Draft, Finish, Reader, count};
use crate::dialect::refusal::error_in_stream;
use crate::error::AskError;

/// Reads chunks; each is understood by itself.
#[derive(Debug)]
pub(super) struct Chunks;

impl Reader for Chunks {
    fn event(&mut self, event: Value, draft: &mut Draft) -> Result<bool, AskError> {
        let is_error = event.get("error").is_some_and(|error| !error.is_null())
            || event.get("object").and_then(Value::as_str) == Some("error");
        if is_error {
            return Err(error_in_stream(&event, &draft.model));
        }
        draft.named(&event["model"]);
        if let Some(usage) = usage_of(&event["usage"]).or_else(|| usage_of(&event["x_groq"]["usage"])) {
            draft.usage = Some(usage);
        }
        let chunk: Chunk = serde_json::from_value(event)
            .map_err(|error| AskError::malformed(format!("it has another shape than a chat completion ({error})")))?;
        // More than one choice is never asked for; what comes of others all the same is nobody's answer.
        for choice in chunk.choices.into_iter().flatten().filter(|choice| choice.index.unwrap_or(0) == 0) {
            if let Some(message) = choice.delta.or(choice.message) {
                message.put(draft);
            }
            if let Some(reason) = choice.finish_reason {
                draft.finish = Some(finish(&reason));
            }
        }
        Ok(false)
    }
}

fn finish(reason: &str) -> Finish {
    match reason {
        "stop" => Finish::Whole,
        "content_filter" => Finish::Declined("a content filter stopped the answer".to_owned()),
        "length" | "model_length" => Finish::Failed(AskError::Truncated),
        "tool_calls" | "function_call" => Finish::Called,
        "insufficient_system_resource" | "error" | "abort" => {
            let message = format!("it stopped the answer: {reason}");
            Finish::Failed(AskError::Server { status: 200, message, retry_after: None })
        }
        other => Finish::odd(other),
    }
}

#[derive(Deserialize)]
struct Chunk {
    choices: Option<Vec<Choice>>,
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
    /// DeepSeek, llama.cpp, xAI.
    reasoning_content: Option<String>,
    /// Groq, Ollama, OpenRouter, vLLM.
    reasoning: Option<String>,
    refusal: Option<String>,
    tool_calls: Option<Vec<Called>>,
}

/// A call or a piece of it.
#[derive(Deserialize)]
struct Called {
    /// Some servers give whole calls, and no numbers.
    index: Option<u64>,
    id: Option<String>,
    function: Option<Function>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Function {
    name: Option<String>,
    /// Text; some servers give them as they are.
    arguments: Value,
}

impl Called {
    fn put(self, draft: &mut Draft) {
        let Function { name, arguments } = self.function.unwrap_or_default();
        let begins = name.as_ref().is_some_and(|name| !name.is_empty());
        let call = match self.index {
            Some(at) => draft.wanted.at(at),
            None if begins => draft.wanted.next(),
            None => draft.wanted.at(draft.wanted.last()),
        };
        let Some(call) = call else { return };
        if let Some(id) = self.id.filter(|id| !id.is_empty()) {
            call.id = id;
        }
        // Some repeat it with each piece, and none gives it in pieces.
        if let Some(name) = name.filter(|name| !name.is_empty()) {
            call.name = name;
        }
        call.argue(&arguments);
    }
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

impl Message {
    fn put(self, draft: &mut Draft) {
        if let Some(reasoning) = self.reasoning_content.or(self.reasoning) {
            draft.reasoning(&reasoning);
            draft.thought(&reasoning);
        }
        match self.content {
            Some(Content::Text(text)) => draft.text(&text),
            Some(Content::Parts(parts)) => parts.iter().for_each(|part| match part {
                Part::Text { text } => draft.text(text),
                Part::Thinking { thinking } => {
                    for thought in thinking {
                        if let Part::Text { text } = thought {
                            draft.reasoning(text);
                        }
                    }
                }
                Part::Other => {}
            }),
            None => {}
        }
        if let Some(refusal) = self.refusal {
            draft.refusal(&refusal);
        }
        for call in self.tool_calls.into_iter().flatten() {
            call.put(draft);
        }
    }
}

/// The counts of `usage`, if it has any. Some servers leave the reasoning out of the tokens written, but never out of
/// the total.
fn usage_of(usage: &Value) -> Option<Usage> {
    let input_tokens = count(usage, "/prompt_tokens")?;
    let written = count(usage, "/completion_tokens")?;
    let beyond = count(usage, "/total_tokens").unwrap_or(0).saturating_sub(input_tokens);
    let cached = ["/prompt_tokens_details/cached_tokens", "/prompt_cache_hit_tokens"];
    Some(Usage {
        input_tokens,
        output_tokens: written.max(beyond),
        cached_tokens: cached.iter().find_map(|pointer| count(usage, pointer)).unwrap_or(0),
        reasoning_tokens: count(usage, "/completion_tokens_details/reasoning_tokens").unwrap_or(0),
    })
}
