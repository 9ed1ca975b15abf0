//! What Conclave and its worker for local models say to each other: one JSON object a line, in both directions.
//!
//! The worker hears [`Request`]s on its standard input and answers with [`Reply`]s on its standard output; the program
//! itself says in what order. Nothing here runs a model.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What the worker is told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum Request {
    /// Look at a model file without loading its weights.
    Inspect {
        /// The model file.
        model: String,
        /// The context that its need of memory is estimated for, as in `load`.
        #[serde(default)]
        context: Option<u32>,
    },
    /// Load a model; once in a worker's life.
    Load {
        /// The model file.
        model: String,
        /// Most tokens of all questions and answers that are held at a time; as many as the model was trained for, at most
        /// 8192 when nothing is said, and never more than it was trained for.
        #[serde(default)]
        context: Option<u32>,
        /// Threads; the worker chooses when nothing is said, and never takes more than there are cores.
        #[serde(default)]
        threads: Option<u32>,
        /// A folder for prefixes of questions that have been read, to be found again by the next worker.
        #[serde(default)]
        cache: Option<String>,
    },
    /// Ask the loaded model.
    Ask(Ask),
    /// Give a question up, all its samples.
    Cancel {
        /// The question.
        id: u64,
    },
}

/// A question.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ask {
    /// By which the replies are told apart; not in use by another question.
    pub id: u64,
    /// What the model is and how it should answer. Kept from question to question, also on disk: nothing of a project.
    #[serde(default)]
    pub system: String,
    /// The question itself.
    pub user: String,
    /// JSON Schema that the answer is held to; free text when nothing is said.
    #[serde(default)]
    pub schema: Option<Value>,
    /// Most tokens of each answer.
    pub max_tokens: u32,
    /// How far the choice may stray from the likeliest token; 0 is not at all.
    #[serde(default)]
    pub temperature: f32,
    /// Where the stray choices come from; the same seed strays alike.
    #[serde(default)]
    pub seed: u64,
    /// How many answers.
    #[serde(default = "one")]
    pub samples: u32,
}

fn one() -> u32 {
    1
}

/// What the worker says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Reply {
    /// What a model file is.
    Inspected(ModelFile),
    /// The model can be asked.
    Loaded(Loaded),
    /// More of an answer.
    Delta {
        /// The question.
        id: u64,
        /// Which of its answers, from 0.
        sample: u32,
        /// What has come.
        text: String,
    },
    /// An answer has ended.
    Done(Done),
    /// Something was not done. Of a question, all its answers that have not ended yet.
    Failed {
        /// The question; `None` for everything else.
        id: Option<u64>,
        /// The kind of reason.
        kind: FailKind,
        /// The reason, for people.
        why: String,
    },
}

/// What a model file says about itself, and what it needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelFile {
    /// Its name; `None` when it has none.
    pub name: Option<String>,
    /// The family of models, for example `qwen2`.
    pub architecture: String,
    /// Number of weights.
    pub parameters: u64,
    /// How the weights are rounded, for example `Q4_K_M`.
    pub quantisation: String,
    /// Its licence as it gives it; `None` when it gives none.
    pub licence: Option<String>,
    /// Most tokens it was trained for.
    pub trained_context: u32,
    /// Whether it knows questions from answers; without, it cannot be asked.
    pub chat_template: bool,
    /// Size of the weights in bytes.
    pub size_bytes: u64,
    /// The context that it will have, in tokens.
    pub context: u32,
    /// Memory that it will take with that context, in bytes, as estimated.
    pub memory_bytes: u64,
}

/// A model that can be asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Loaded {
    /// The file.
    pub file: ModelFile,
    /// SHA-256 of the file, in hexadecimal.
    pub sha256: String,
    /// Threads in use.
    pub threads: u32,
}

/// An answer that has ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Done {
    /// The question.
    pub id: u64,
    /// Which of its answers, from 0.
    pub sample: u32,
    /// All of it.
    pub text: String,
    /// Why it ended. Only [`Stop::End`] is an answer that holds to its schema.
    pub stop: Stop,
    /// What it took.
    pub usage: LocalUsage,
    /// How sure the model was; `None` without a token.
    pub log_probability: Option<LogProbability>,
}

/// Why an answer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stop {
    /// It was complete.
    End,
    /// It was cut off where it became too long.
    Length,
    /// It was given up.
    Cancelled,
}

/// Tokens of one answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LocalUsage {
    /// Of the question.
    pub input: u32,
    /// Of these, read before and not read again.
    pub cached: u32,
    /// Of the answer.
    pub output: u32,
}

/// Natural logarithms of the probabilities that the model gave the tokens of its answer, before a schema had its say.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LogProbability {
    /// Their mean.
    pub mean: f32,
    /// The smallest.
    pub min: f32,
}

/// Kinds of reasons why something was not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailKind {
    /// The line was not understood, or comes at the wrong time.
    BadRequest,
    /// There is no such file, or it may not be read.
    NoFile,
    /// The file is not a whole model of a kind that this worker can run.
    NotAModel,
    /// The model has no chat template, or one that is not known.
    NoChatTemplate,
    /// The model needs more memory than there is.
    NoMemory,
    /// Question and answer are longer than the context.
    TooLong,
    /// The schema cannot be held to.
    BadSchema,
    /// The model could not be run; the worker ends.
    Broken,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_what_they_look_like() {
        let ask = |samples| Ask {
            id: 7,
            system: String::new(),
            user: "hello".to_owned(),
            schema: None,
            max_tokens: 8,
            temperature: 0.0,
            seed: 0,
            samples,
        };
        let cases = [
            (r#"{"do":"cancel","id":7}"#, Some(Request::Cancel { id: 7 })),
            (r#"{"do":"ask","id":7,"user":"hello","max_tokens":8}"#, Some(Request::Ask(ask(1)))),
            (r#"{"do":"ask","id":7,"user":"hello","max_tokens":8,"samples":4}"#, Some(Request::Ask(ask(4)))),
            (r#"{"do":"ask","id":7,"user":"hello","max_tokens":8,"sample":4}"#, None),
            (r#"{"do":"ask","id":-7,"user":"hello","max_tokens":8}"#, None),
            (r#"{"do":"ask","id":7}"#, None),
            (r#"{"do":"sing"}"#, None),
        ];
        for (line, expect) in cases {
            assert_eq!(serde_json::from_str(line).ok(), expect, "{line}");
        }
    }

    #[test]
    fn replies_come_back_as_they_were_sent() {
        let usage = LocalUsage { input: 3, cached: 2, output: 1 };
        let log_probability = Some(LogProbability { mean: -0.5, min: -1.0 });
        let done = Done { id: 1, sample: 0, text: "a\n".to_owned(), stop: Stop::Length, usage, log_probability };
        let why = "no".to_owned();
        for reply in [Reply::Done(done), Reply::Failed { id: None, kind: FailKind::TooLong, why }] {
            let line = serde_json::to_string(&reply).unwrap();
            assert!(!line.contains('\n'), "{line}");
            assert_eq!(serde_json::from_str::<Reply>(&line).unwrap(), reply);
        }
    }
}
