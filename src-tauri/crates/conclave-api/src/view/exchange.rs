//! What was said to models and what they answered, where the settings keep it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use specta::Type;

use super::Number;

/// Asks for a page of the exchanges that were kept, newest first.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema, Type)]
#[serde(default, deny_unknown_fields)]
pub struct ListExchanges {
    /// Only those about the project in this folder, whether or not it is in the list of projects.
    pub root: Option<String>,
    /// Where the last page ended.
    pub cursor: Option<String>,
    /// At most this many, 1 to 1000; 100 when `null`.
    pub limit: Option<u32>,
}

/// A page of exchanges.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct ExchangePage {
    /// Newest first.
    pub rows: Vec<ExchangeRow>,
    /// Where the next page starts; `null` on the last.
    pub next_cursor: Option<String>,
}

/// One question to a model, without the texts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Type)]
pub struct ExchangeRow {
    /// The ledger's entry of the decision that let it out.
    #[specta(type = Number)]
    pub seq: u64,
    /// When it was sent.
    #[specta(type = Number)]
    pub at: i64,
    /// The folder of the project that it was about.
    pub root: Option<String>,
    /// The endpoint's name in the settings.
    pub endpoint: String,
    /// The model that was asked.
    pub model: String,
    /// The status of the answer; `null` when none came.
    pub status: Option<u16>,
    /// How long the question was, in bytes.
    #[specta(type = Number)]
    pub request_bytes: u64,
    /// How long the answer was, in bytes.
    #[specta(type = Number)]
    pub response_bytes: u64,
}

/// Asks for one exchange.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
#[serde(deny_unknown_fields)]
pub struct GetExchange {
    /// Its entry in the ledger.
    #[specta(type = Number)]
    pub seq: u64,
}

/// One exchange with its texts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Type)]
pub struct ExchangeView {
    /// All but the texts.
    pub exchange: ExchangeRow,
    /// The body as it was sent, secrets taken out; its beginning where it is shorter than `request_bytes`.
    pub request: String,
    /// What came back, secrets taken out, or why nothing did; its beginning where it is shorter than `response_bytes`.
    pub response: String,
}

/// Removes exchanges that were kept; the decisions that let them out stay in the ledger.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema, Type)]
#[serde(deny_unknown_fields)]
pub struct EraseExchanges {
    /// Only those about the project in this folder; all of them when `null`.
    pub root: Option<String>,
}

/// Exchanges that are gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Type)]
pub struct ExchangesErased {
    /// See [`EraseExchanges::root`].
    pub root: Option<String>,
    /// How many there were.
    #[specta(type = Number)]
    pub erased: u64,
}
