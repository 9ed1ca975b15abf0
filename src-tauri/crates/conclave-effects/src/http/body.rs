//! A body that has been looked through for secrets, and what is told of it.
//!
//! Invariant: there is no way to make a [`Body`] of bytes that were not scanned, and what was found is not in it.

use std::collections::BTreeMap;

use conclave_policy::secret::{Unscannable, redact, scan};
use conclave_policy::{ToolRequest, keys};

use super::HttpError;
use crate::Secret;

/// What is sent, without the secrets that were in it.
#[derive(Default)]
pub struct Body {
    bytes: Vec<u8>,
    redactions: Vec<(String, usize)>,
    known: Vec<Secret>,
}

impl Body {
    /// Takes the secrets out of `bytes`: those of known formats, and the `known` values themselves.
    ///
    /// # Errors
    /// [`HttpError::Unscannable`] when the bytes cannot be looked through; then they cannot be sent.
    pub fn redacted(bytes: Vec<u8>, known: &[&Secret]) -> Result<Self, HttpError> {
        let values: Vec<&str> = known.iter().map(|secret| secret.expose()).collect();
        let hits = scan(&bytes, &values)?;
        let mut counts = BTreeMap::new();
        for hit in &hits {
            *counts.entry(hit.label.clone()).or_insert(0) += 1;
        }
        let bytes = if hits.is_empty() { bytes } else { redact(&bytes, &hits) };
        let known = values.into_iter().map(|value| Secret::new(value.to_owned())).collect();
        Ok(Self { bytes, redactions: counts.into_iter().collect(), known })
    }

    /// The bytes as they will be sent.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// What was taken out, as labels of formats with how often each was found.
    pub fn redactions(&self) -> &[(String, usize)] {
        &self.redactions
    }

    /// How many secrets were taken out.
    pub(crate) fn redacted_count(&self) -> usize {
        self.redactions.iter().map(|(_, count)| count).sum()
    }

    /// The values that must not be in what is sent.
    pub(crate) fn known(&self) -> impl Iterator<Item = &str> {
        self.known.iter().map(Secret::expose)
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

impl From<Unscannable> for HttpError {
    fn from(error: Unscannable) -> Self {
        Self::Unscannable(error.to_string())
    }
}

/// Where the model runs that is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ModelClass {
    /// On this machine, as its server's own metadata says.
    Local,
    /// Elsewhere, or nobody knows.
    Hosted,
}

/// A kind of data in what is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DataClass {
    /// Source code of a project.
    Source,
    /// What a scanner found.
    Finding,
    /// A secret of the project that the person wants sent.
    Secret,
    /// Names, versions and settings; no code.
    Metadata,
}

/// What is known of a request beside its bytes, for rules and for the ledger.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facts {
    /// The model that is asked.
    pub model: Option<String>,
    /// Where that model runs.
    pub model_class: Option<ModelClass>,
    /// The kinds of data that are sent.
    pub data: Vec<DataClass>,
    /// The project's folder: absolute, links resolved.
    pub project: Option<String>,
    /// The tier of the run.
    pub tier: Option<String>,
    /// What it may cost at most, in US dollars.
    pub cost_usd: Option<f64>,
}

impl Facts {
    /// The request with what is known put into its context.
    pub(crate) fn told(&self, request: ToolRequest) -> ToolRequest {
        let data: Vec<&str> = self.data.iter().map(|class| class.as_str()).collect();
        let known = [
            (keys::MODEL, self.model.clone()),
            (keys::MODEL_CLASS, self.model_class.map(|class| class.as_str().to_owned())),
            (keys::DATA, (!data.is_empty()).then(|| data.join(" "))),
            (keys::PROJECT, self.project.clone()),
            (keys::TIER, self.tier.clone()),
            (keys::COST, self.cost_usd.map(|cost| cost.to_string())),
        ];
        known.into_iter().fold(request, |request, (key, value)| match value {
            Some(value) => request.with(key, value),
            None => request,
        })
    }
}

impl ModelClass {
    /// The class in rules and in the ledger.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Hosted => "hosted",
        }
    }
}

impl DataClass {
    /// The class in rules and in the ledger.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Finding => "finding",
            Self::Secret => "secret",
            Self::Metadata => "metadata",
        }
    }
}
