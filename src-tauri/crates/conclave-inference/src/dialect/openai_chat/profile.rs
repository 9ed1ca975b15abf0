//! What servers of OpenAI's chat want differently; one line each.
//!
//! Only what is sent stands here. What they answer differently (reasoning beside the text or as a list of parts, blank
//! lines before the answer, usage at another place) is understood whoever says it.

/// What one kind of server wants.
#[derive(Debug, PartialEq, Eq)]
pub struct Profile {
    /// Its name for people.
    pub name: &'static str,
    /// The hosts that are known to be such servers, as keys are stored for them.
    hosts: &'static [&'static str],
    /// The field with the longest answer.
    pub max_tokens: &'static str,
    /// How it is held to a form.
    pub schema: SchemaForm,
    /// Whether it has to be asked to count tokens in a stream.
    pub usage: bool,
    /// Whether it wants to see its thoughts again where it used tools.
    pub wants_thoughts: bool,
}

/// How a server is held to a form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SchemaForm {
    /// To a JSON Schema.
    Schema,
    /// To JSON of any form.
    Object,
    /// Not at all.
    None,
}

const PLAIN: Profile = Profile {
    name: "compatible",
    hosts: &[],
    max_tokens: "max_tokens",
    schema: SchemaForm::Schema,
    usage: true,
    wants_thoughts: false,
};

/// Every kind of server. The first is any other than the rest.
pub static PROFILES: [Profile; 10] = [
    PLAIN,
    // Its reasoning models know no other field.
    Profile { name: "OpenAI", hosts: &["api.openai.com"], max_tokens: "max_completion_tokens", ..PLAIN },
    Profile {
        name: "DeepSeek",
        hosts: &["api.deepseek.com"],
        schema: SchemaForm::Object,
        wants_thoughts: true,
        ..PLAIN
    },
    // It counts unasked, and refuses fields that it does not know.
    Profile { name: "Mistral", hosts: &["api.mistral.ai", "codestral.mistral.ai"], usage: false, ..PLAIN },
    Profile { name: "OpenRouter", hosts: &["openrouter.ai"], ..PLAIN },
    Profile { name: "Groq", hosts: &["api.groq.com"], max_tokens: "max_completion_tokens", ..PLAIN },
    Profile { name: "xAI", hosts: &["api.x.ai"], max_tokens: "max_completion_tokens", ..PLAIN },
    Profile { name: "vLLM or SGLang", hosts: &local::VLLM, ..PLAIN },
    Profile { name: "llama.cpp", hosts: &local::LLAMA_CPP, ..PLAIN },
    Profile { name: "LM Studio", hosts: &local::LM_STUDIO, ..PLAIN },
];

/// The ports that servers on this machine take where nobody says otherwise.
mod local {
    pub(super) const VLLM: [&str; 4] = ["127.0.0.1:8000", "localhost:8000", "127.0.0.1:30000", "localhost:30000"];
    pub(super) const LLAMA_CPP: [&str; 2] = ["127.0.0.1:8080", "localhost:8080"];
    pub(super) const LM_STUDIO: [&str; 2] = ["127.0.0.1:1234", "localhost:1234"];
}

impl Profile {
    /// The kind of the server at `host`.
    pub fn of(host: &str) -> &'static Self {
        PROFILES.iter().find(|profile| profile.hosts.contains(&host)).unwrap_or(&PROFILES[0])
    }
}
