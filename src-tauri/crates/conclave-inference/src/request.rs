//! What is asked, whom, and on what ground.

use std::time::Duration;

use conclave_effects::sample::Client;
use conclave_effects::{DataClass, Secret, TlsRoots};

use crate::money::Purse;

/// One question. Its words are the engine's; this crate only carries them.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelRequest {
    /// What the model is to be and to obey; left out when empty.
    pub system: String,
    /// The question with its material.
    pub user: String,
    /// The longest answer, in tokens; reasoning counts.
    pub max_tokens: u32,
    /// A JSON Schema for the answer. A server that refuses it is asked without, so `user` has to describe the form too.
    /// Its properties are sent in the order they have here, and written by the model in that order: reasons first.
    pub schema: Option<serde_json::Value>,
    /// A name for the schema: at most 64 letters, digits, `_` and `-`.
    pub schema_name: String,
    /// The number of this one among equal questions, each of which wants an answer of its own; 0 is the likeliest answer.
    pub sample: u32,
}

/// What is known of a question beside its words, for whoever judges and records it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct About {
    /// What kinds of data it carries.
    pub data: Vec<DataClass>,
    /// The folder of the project that it is about.
    pub project: Option<String>,
    /// The tier of the run that it belongs to.
    pub tier: Option<String>,
}

/// What one question needs beside its words.
#[derive(Clone, Copy)]
pub struct Terms<'a> {
    /// The key, if the endpoint wants one; it goes into one header and nowhere else.
    pub key: Option<&'a Secret>,
    /// Keys of other hosts, which are taken out of whatever is sent.
    pub known: &'a [&'a Secret],
    /// The proxy of the settings.
    pub proxy: Option<&'a str>,
    /// Certificates of the settings that are trusted beside the usual ones.
    pub tls_roots: Option<&'a TlsRoots>,
    /// Where what was sent and what came back is kept, if it is to be.
    pub log: Option<&'a Log<'a>>,
    /// Where money is set aside for it, where that is kept.
    pub purse: Option<&'a dyn Purse>,
    /// The MCP client on whose call's behalf it is asked, where it is.
    pub client: Option<&'a dyn Client>,
    /// What is known of the question.
    pub about: &'a About,
    /// When an answer is of no use any more.
    pub deadline: Duration,
}

impl<'a> Terms<'a> {
    /// The terms of a question without a key, a proxy, a log or a client.
    pub fn new(about: &'a About, deadline: Duration) -> Self {
        Self {
            key: None,
            known: &[],
            proxy: None,
            tls_roots: None,
            log: None,
            purse: None,
            client: None,
            about,
            deadline,
        }
    }

    /// Everything that must not be in what is sent.
    pub(crate) fn secrets(&self) -> Vec<&'a Secret> {
        self.known.iter().copied().chain(self.key).collect()
    }
}

/// Takes what is to be kept of one exchange.
pub type Log<'a> = dyn Fn(Exchanged) + Send + Sync + 'a;

/// What was sent and what came back, without the secrets in either.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchanged {
    /// The ledger's entry of the decision that let it out.
    pub seq: u64,
    /// The body that was sent.
    pub request: String,
    /// The body of the answer as it came; why there is none, where there is none.
    pub response: String,
    /// The status of the answer; `None` when none came.
    pub status: Option<u16>,
}
