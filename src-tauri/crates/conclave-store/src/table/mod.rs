//! One file a table: its struct, its queries, its migration and its test.

pub(crate) mod ask;
pub(crate) mod comparison;
pub(crate) mod dropped_pattern;
pub(crate) mod edge_case;
pub(crate) mod exchange;
pub(crate) mod finding;
pub(crate) mod finding_list;
pub(crate) mod fix_event;
pub(crate) mod hook_call;
pub(crate) mod intent;
pub(crate) mod job;
pub(crate) mod key;
pub(crate) mod ledger;
pub(crate) mod ledger_list;
pub(crate) mod memory;
pub(crate) mod metric;
pub(crate) mod model_performance;
pub(crate) mod outcome;
pub(crate) mod project;
pub(crate) mod rating;
pub(crate) mod resolution;
pub(crate) mod scan;
pub(crate) mod server_pin;
pub(crate) mod spend;
pub(crate) mod spend_list;
pub(crate) mod stage;
pub(crate) mod successful_patterns;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{Result, StoreError};

/// The text that stands for a unit variant, as serde writes it.
pub(crate) fn word<T: Serialize>(value: &T) -> Result<String> {
    match serde_json::to_value(value)? {
        serde_json::Value::String(word) => Ok(word),
        other => Err(StoreError::Corrupt(format!("`{other}` is not a word"))),
    }
}

/// The unit variant that `text` stands for.
pub(crate) fn from_word<T: DeserializeOwned>(text: &str) -> Result<T> {
    Ok(serde_json::from_value(serde_json::Value::String(text.to_owned()))?)
}

/// A count of SQLite's as ours.
pub(crate) fn count(n: i64) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}
