//! What is remembered for a client, as a file: JSON Lines as the memory server writes them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use specta::Type;

use super::Number;

/// Names a file with a memory, and whose it is.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
#[serde(deny_unknown_fields)]
pub struct MemoryFile {
    /// The file, anywhere; the person chose it.
    pub path: String,
    /// The client of the settings; empty for nobody’s.
    #[serde(default)]
    pub client: String,
}

/// A memory that was written to a file.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct MemoryExported {
    /// The file.
    pub path: String,
    /// Lines written.
    #[specta(type = Number)]
    pub lines: u64,
}

/// What became of a file with a memory. With complaints, nothing of it is remembered.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema, Type)]
pub struct MemoryImported {
    /// Entities that are new.
    #[specta(type = Number)]
    pub entities: u64,
    /// Observations that were added to entities which were there.
    #[specta(type = Number)]
    pub observations: u64,
    /// Relations that are new.
    #[specta(type = Number)]
    pub relations: u64,
    /// The lines that stand in the way.
    pub complaints: Vec<MemoryComplaint>,
}

/// A line that cannot be remembered.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct MemoryComplaint {
    /// Its number, from 1.
    #[specta(type = Number)]
    pub line: u64,
    /// What is wrong with it.
    pub fault: MemoryFault,
    /// The same in words.
    pub why: String,
}

/// What is wrong with a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Type)]
#[serde(rename_all = "snake_case")]
pub enum MemoryFault {
    /// It is no JSON.
    NotJson,
    /// It is neither an entity nor a relation.
    NotMemory,
    /// A part of it is missing, too large or of another kind.
    Unfit,
    /// There may be a secret in it.
    Secret,
}
