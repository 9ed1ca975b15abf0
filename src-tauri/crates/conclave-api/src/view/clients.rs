//! Clients, each with a folder of its own.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use specta::Type;

/// A client.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct ClientView {
    /// Its name.
    pub name: String,
    /// The folders of its projects.
    pub projects: Vec<String>,
    /// Hosts for which the keychain has a key of this client's own.
    pub keys: Vec<String>,
    /// Whether it was handed over, and is only read.
    pub handed_over: bool,
}

/// All clients.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct ClientList {
    /// By name.
    pub items: Vec<ClientView>,
}

/// Something was done with a client.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct ClientChanged {
    /// Its name.
    pub name: String,
    /// What was done, in one sentence.
    pub done: String,
}
