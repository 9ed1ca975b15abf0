//! Wire formats as pure translations: a request into a body, bytes into an answer.
//!
//! A dialect is one file here, one line in [`DIALECTS`], and recorded answers with their meanings in the folder of
//! cassettes that has its name. What the servers of one dialect want differently is data as well:
//! [`openai_chat::PROFILES`].
//!
//! Deliberately absent: sockets, clocks, retries, keys. A dialect sees the bytes of one exchange and nothing else.
//! Sampling parameters are never sent: several servers reject them, others ignore them.

pub mod anthropic;
pub mod decode;
pub mod gemini;
mod lines;
pub mod ollama;
pub mod openai_chat;
pub mod openai_responses;
mod refusal;
mod schema;
pub mod sse;
#[cfg(test)]
mod tests;
mod tooling;

use conclave_core::settings::DialectName;
use serde_json::Value;

pub use decode::{Decoder, Item, MAX_ANSWER_BYTES, Reply};
pub use refusal::error_of;
pub use tooling::{Calls, MOST_ARGUMENTS, MOST_AT_ONCE, ToolCall, Tooling, Turn};

use crate::answer::Form;
use crate::error::AskError;
use crate::request::ModelRequest;
use crate::tools::ToolOffer;
use decode::{Framing, Reader};
use openai_chat::{Profile, SchemaForm};

/// Every dialect. The first is spoken where nothing says otherwise.
pub static DIALECTS: [&Dialect; 5] =
    [&openai_chat::DIALECT, &openai_responses::DIALECT, &anthropic::DIALECT, &gemini::DIALECT, &ollama::DIALECT];

/// How an API speaks.
pub struct Dialect {
    /// Its name in the settings.
    pub name: DialectName,
    /// The hosts that are known to speak it, as keys are stored for them.
    hosts: &'static [&'static str],
    /// Ends of addresses that people write and that the paths begin with.
    repeated: &'static [&'static str],
    /// Where a model answers, below the address of the API.
    path: fn(&str) -> String,
    /// Headers beside those of every request.
    pub headers: &'static [(&'static str, &'static str)],
    /// The header with the key, and what stands before the key in it.
    pub key: (&'static str, &'static str),
    /// When a server is held to a schema although tools are named.
    schema_beside_tools: Beside,
    body: fn(&Question<'_>) -> Value,
    framing: Framing,
    reader: fn() -> Box<dyn Reader>,
    models: ModelList,
}

/// When one field can stand beside another that holds the same answer to something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Beside {
    /// At any time.
    Always,
    /// Once no tool may be used any more: before that, a server that holds the answer to a schema lets nobody write a
    /// call.
    Spent,
    /// Never.
    Never,
}

/// Where and how an API lists its models.
struct ModelList {
    path: &'static str,
    /// The field with the list.
    list: &'static str,
    /// The field of each entry that is the model's name.
    name: &'static str,
    /// What stands before each name.
    prefix: &'static str,
}

/// A request on its way into a body.
#[derive(Clone, Copy)]
pub struct Question<'a> {
    /// What is asked.
    pub request: &'a ModelRequest,
    /// The model, as the endpoint knows it.
    pub model: &'a str,
    /// What the server wants differently.
    pub profile: &'a Profile,
    /// What the server has not refused.
    pub extras: Extras,
    /// Tokens of question and answer together, where that is known.
    pub context_tokens: Option<u32>,
    /// What the model may use, and what it has used.
    pub tooling: Tooling<'a>,
}

impl<'a> Question<'a> {
    /// The schema, unless there is none or the server has refused it.
    fn schema(&self) -> Option<&'a Value> {
        self.request.schema.as_ref().filter(|_| self.extras.schema)
    }

    /// The tools, unless there are none or the server has refused them.
    pub fn offers(&self) -> &'a [ToolOffer] {
        if self.extras.tools { self.tooling.offers } else { &[] }
    }

    /// Whether the model may use tools on its way.
    pub fn may_call(&self) -> bool {
        !self.offers().is_empty() && !self.tooling.is_spent
    }

    /// How far the server is held to the form that is asked for.
    fn form(&self) -> Form {
        match self.schema() {
            Some(_) if self.profile.schema == SchemaForm::Schema => Form::Schema,
            _ => Form::Free,
        }
    }
}

impl Dialect {
    /// The dialect that the settings name, else the one that `host` is known to speak, else the first.
    pub fn of(name: Option<DialectName>, host: &str) -> &'static Self {
        let named = DIALECTS.iter().find(|dialect| Some(dialect.name) == name);
        let known = DIALECTS.iter().find(|dialect| dialect.hosts.contains(&host));
        named.or(known).copied().unwrap_or(DIALECTS[0])
    }

    /// Where `model` answers, below the address `base_url`.
    pub fn url(&self, base_url: &str, model: &str) -> String {
        self.below(base_url, &(self.path)(model))
    }

    /// Where the models are listed, below the address `base_url`.
    pub fn models_url(&self, base_url: &str) -> String {
        self.below(base_url, self.models.path)
    }

    fn below(&self, base_url: &str, path: &str) -> String {
        let base = base_url.trim_end_matches('/');
        let base = self.repeated.iter().find_map(|end| base.strip_suffix(end)).unwrap_or(base);
        format!("{base}{path}")
    }

    /// The body of a request.
    pub fn body(&self, question: &Question<'_>) -> Value {
        (self.body)(&self.fitting(question))
    }

    /// How far the server is held to the form that `question` asks for.
    pub fn form(&self, question: &Question<'_>) -> Form {
        self.fitting(question).form()
    }

    /// The question without a schema where the server would let the model use no tools for it.
    fn fitting<'a>(&self, question: &Question<'a>) -> Question<'a> {
        let may_stand = match self.schema_beside_tools {
            Beside::Always => true,
            Beside::Spent => !question.may_call(),
            Beside::Never => question.offers().is_empty(),
        };
        let schema = question.extras.schema && may_stand;
        Question { extras: Extras { schema, ..question.extras }, ..*question }
    }

    /// What to ask again with after the server has complained of `question`; `None` when `error` is about something
    /// else, or about what was not sent.
    pub fn without(&self, question: &Question<'_>, error: &AskError) -> Option<Extras> {
        let message = match error {
            AskError::Rejected { status: 400 | 404 | 422, message } => message,
            // llama.cpp, where it was started without the template that tools need.
            AskError::Server { status: 500, message, .. } if message.contains("--jinja") => message,
            _ => return None,
        };
        let (extras, message) = (question.extras, message.to_lowercase());
        let fewer = [
            (USAGE_COMPLAINTS.as_slice(), Extras { usage: false, ..extras }),
            (&["think", "encrypted content"], Extras { thinking: false, ..extras }),
            (&SCHEMA_COMPLAINTS, Extras { schema: false, ..extras }),
            // What was used already cannot be taken back.
            (&TOOL_COMPLAINTS, Extras { tools: !question.tooling.turns.is_empty(), ..extras }),
        ];
        let sent = self.body(question);
        let helps = |extras| self.body(&Question { extras, ..*question }) != sent;
        let about = |words: &[&str]| words.iter().any(|word| message.contains(word));
        fewer.into_iter().find(|(words, fewer)| about(words) && helps(*fewer)).map(|(_, fewer)| fewer)
    }

    /// A decoder for the answer of `model`, which was asked in `form`.
    pub fn decoder(&self, model: &str, form: Form) -> Decoder {
        Decoder::new(self.framing, (self.reader)(), model, form)
    }

    /// The models in `list`, which the server gave at [`Dialect::models_url`].
    pub fn models(&self, list: &Value) -> Vec<String> {
        let entries = list[self.models.list].as_array().into_iter().flatten();
        let names = entries.filter_map(|entry| entry[self.models.name].as_str());
        names.map(|name| name.strip_prefix(self.models.prefix).unwrap_or(name).to_owned()).collect()
    }

    /// Whether `list` can be a list of models: some servers give the bare list.
    pub fn is_list(&self, list: &Value) -> bool {
        list.is_array() || list.get(self.models.list).is_some_and(|list| list.is_array() || list.is_null())
    }

    /// Its name for people.
    pub fn label(&self) -> &'static str {
        match self.name {
            DialectName::Anthropic => "`anthropic`",
            DialectName::OpenaiChat => "`openai_chat`",
            DialectName::OpenaiResponses => "`openai_responses`",
            DialectName::Gemini => "`gemini`",
            DialectName::Ollama => "`ollama`",
        }
    }

    /// What a body is accepted as.
    pub fn accept(&self) -> &'static str {
        match self.framing {
            Framing::Lines => "application/x-ndjson, application/json",
            _ => "text/event-stream, application/json",
        }
    }
}

/// Fields that help where they are known, and that some servers refuse: those that a server has not refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extras {
    /// The schema of the request.
    pub schema: bool,
    /// The wish that tokens are counted in a stream.
    pub usage: bool,
    /// The wish that the model does not think aloud where that breaks a schema, or that it keeps its thoughts where it
    /// uses tools.
    pub thinking: bool,
    /// The tools.
    pub tools: bool,
}

impl Extras {
    /// Everything.
    pub const ALL: Self = Self { schema: true, usage: true, thinking: true, tools: true };
}

/// Words with which servers complain about the wish that tokens are counted.
const USAGE_COMPLAINTS: [&str; 2] = ["stream_options", "include_usage"];

/// Words with which servers complain about tools.
const TOOL_COMPLAINTS: [&str; 4] = ["tool", "function call", "function_call", "functiondeclaration"];

/// Words with which servers complain about a schema, or about an answer that they could not hold to it.
const SCHEMA_COMPLAINTS: [&str; 10] = [
    "response_format",
    "response format",
    "responsemimetype",
    "schema",
    "grammar",
    "structured output",
    "output_config",
    "text.format",
    "generate json",
    "validate json",
];
