//! Changing the person's own policy file.
//!
//! Invariants: only a text that loads is written, whole or not at all; the text before it is kept beside it; what was
//! edited is what is replaced; each change is in the ledger before it is made.

use std::path::PathBuf;

use conclave_effects::FsError;
use conclave_effects::policy_files::PolicyFileError;
use conclave_policy::{
    Action, Actor, Decision, Effective, EntryKind, Layer, Ledger as _, LedgerError, LoadError, NewEntry, ToolRequest,
    digest,
};
use conclave_store::StoreError;

use super::{load, reload};
use crate::ctx::Ctx;

/// Why the policy file was not changed.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// The text is no policy.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// Somebody changed the file meanwhile.
    #[error("`{}` was changed meanwhile; look at it again before you save", .0.display())]
    Changed(PathBuf),
    /// The file cannot be read, or is not the person's.
    #[error(transparent)]
    Unreadable(#[from] PolicyFileError),
    /// The file cannot be written.
    #[error(transparent)]
    Fs(#[from] FsError),
    /// The change could not be recorded.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// Our own database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No rule can be added here; what the person can do instead.
    #[error("{0}")]
    NoRule(String),
}

/// A policy that was saved and is in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Saved {
    /// The file.
    pub path: PathBuf,
    /// The digest of its text.
    pub digest: String,
    /// What is probably not meant as it is written.
    pub warnings: Vec<String>,
}

/// The text of the person's own file; `None` when there is none.
///
/// # Errors
/// It cannot be read, or is not the person's.
pub fn user_policy(cx: &Ctx) -> Result<Option<String>, PolicyFileError> {
    cx.data.policy()
}

/// What is probably not meant as it is written in `text`, as the person's own file.
///
/// # Errors
/// [`LoadError`] when it is no policy.
pub fn check(cx: &Ctx, text: &str) -> Result<Vec<String>, LoadError> {
    Ok(load(text, Layer::User, &cx.policy.reviewers())?.warnings)
}

/// Puts `text` in the place of the person's own file and in force; `expected` is the digest of the text that was edited,
/// `None` when there was no file.
///
/// # Errors
/// See [`PolicyError`]; then the file is as it was.
pub fn save_user_policy(cx: &Ctx, text: &str, expected: Option<&str>) -> Result<Saved, PolicyError> {
    let warnings = check(cx, text)?;
    let path = cx.data.policy_path();
    // A file that cannot be read as text is replaced by whoever saw that it cannot.
    let before = user_policy(cx).ok().flatten().map(|text| digest(text.as_bytes()));
    if before.as_deref() != expected {
        return Err(PolicyError::Changed(path));
    }
    let after = digest(text.as_bytes());
    record(cx, &path, before.as_deref(), &after)?;
    cx.data.write_policy(text)?;
    reload(cx)?;
    Ok(Saved { path, digest: after, warnings })
}

/// Writes the change into the ledger. The policy is not asked: it is its author who changes it, and a file that refuses
/// everything must be possible to correct.
fn record(cx: &Ctx, path: &std::path::Path, before: Option<&str>, after: &str) -> Result<(), LedgerError> {
    let request = ToolRequest::new(Actor::Person, Action::WriteFile, path.to_string_lossy())
        .with("purpose", "change your policy")
        .with("before", before.unwrap_or_default())
        .with("digest", after);
    let decision = Decision {
        effect: Effective::Allow,
        rule: "own-policy".to_owned(),
        reason: "your policy is yours to change".to_owned(),
        layer: None,
        review: None,
    };
    cx.store.append(&NewEntry { at_ms: cx.now_ms(), kind: EntryKind::Decision { request, decision } })?;
    Ok(())
}
