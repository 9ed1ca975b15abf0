//! Judges agents' calls quickly: the policy and the ledger, and nothing else of Conclave.
//!
//! A client starts a process for each call and waits for it, so nothing is opened here that the answer does not need:
//! no recovery, no recipes, no models. What is sampled is left open: whoever asked has a person or has none.
//! Invariants: an answer is given only after it is in the ledger; whatever goes wrong is an error, and an error is a
//! refusal to whoever asked.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use conclave_core::settings::Settings;
use conclave_effects::data;
use conclave_effects::{Clock, FsError, resolve, resolve_touched};
use conclave_policy::{
    Decision, Effective, EntryKind, Ledger as _, LedgerError, NewEntry, Policy, ToolRequest, also_reads, remedy,
};
use conclave_store::{DecisionQuery, HookCall, Store, StoreError};

use super::call::{AgentCall, TooMuch};
use super::reach;
use crate::policies;

/// How long a call's decision waits for another process that writes. Clients wait much longer.
const BUSY: Duration = Duration::from_millis(1200);

/// Why no answer could be found. To whoever asked this is a refusal.
#[derive(Debug, thiserror::Error)]
pub enum AdviseError {
    /// Conclave was never started with this folder.
    #[error("`{}` is not a data folder of Conclave; run `conclave doctor` once", .0.display())]
    NoData(PathBuf),
    /// Our own database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The settings file is somebody else's, or cannot be read.
    #[error(transparent)]
    Fs(#[from] FsError),
    /// The settings file has something in it that is not a setting.
    #[error("the settings cannot be read: {0}; correct `settings.json`, `conclave doctor` says where it is")]
    Settings(String),
    /// The decision could not be recorded.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The call cannot be judged as a whole.
    #[error(transparent)]
    TooMuch(#[from] TooMuch),
}

/// The answer to a call.
#[derive(Clone, Debug, PartialEq)]
pub struct Advice {
    /// Allow, deny, or a question that is left to a person.
    pub decision: Decision,
    /// The ledger's entry.
    pub seq: u64,
    /// What the person can do about it, in words; empty for what is allowed.
    pub remedy: String,
}

/// What a finished call was, next to what was decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compared {
    /// The tool got what was decided on.
    Same,
    /// The tool got something else: another program changed it after the decision.
    Differs,
    /// It ran although it was refused.
    Refused,
    /// Nobody asked about it before, or the client does not number its calls.
    Unknown,
}

/// Judges and records.
pub struct Advisor {
    store: Store,
    clock: Clock,
    data: PathBuf,
    settings: Settings,
    offline: bool,
}

impl Advisor {
    /// Opens what an answer needs in the data folder, which must be in use already.
    ///
    /// # Errors
    /// See [`AdviseError`].
    pub fn open(data_dir: &Path, offline: bool) -> Result<Self, AdviseError> {
        let data = resolve(data_dir).map_err(|_| AdviseError::NoData(data_dir.to_owned()))?;
        let store = Store::open_existing(&data.join("conclave.db"), BUSY).map_err(|error| match error {
            StoreError::Missing { .. } => AdviseError::NoData(data.clone()),
            error => AdviseError::Store(error),
        })?;
        // They say whom rules may name as reviewers.
        let settings = match data::settings(&data)? {
            Some(text) => serde_json::from_str(&text).map_err(|error| AdviseError::Settings(error.to_string()))?,
            None => Settings::default(),
        };
        Ok(Self { store, clock: Clock::system(), data, settings, offline })
    }

    /// Judges a call that is about to be made, and records the answer.
    ///
    /// # Errors
    /// See [`AdviseError`]; then the call must not be made.
    pub fn judge(&self, call: &AgentCall) -> Result<Advice, AdviseError> {
        let at_ms = self.clock.now_ms();
        let (mut first, mut others) = call.requests(&resolve_touched)?;
        let policy = policy_for(&self.store, &self.data, &self.settings, self.offline, &first)?;
        let mut all: Vec<&mut ToolRequest> = std::iter::once(&mut first).chain(&mut others).collect();
        reach::add(call, &policy, at_ms, &mut all);
        let (request, decision) = strictest(&policy, (first, others), at_ms);
        let digest = request.digest();
        let remedy = match decision.effect {
            // Whoever asked can ask their own person.
            Effective::Sample => also_reads(&request).unwrap_or_default(),
            Effective::Allow | Effective::Deny => remedy(&decision, &request),
        };
        let kind = EntryKind::Decision { request, decision: decision.clone() };
        let seq = self.store.append(&NewEntry { at_ms, kind })?;
        if let Some(call_id) = &call.call_id {
            self.store.put_hook_call(&HookCall {
                client: call.client.clone(),
                session: call.session.clone().unwrap_or_default(),
                call_id: call_id.clone(),
                request_digest: digest,
                parameters_digest: call.digest(),
                seq,
                at_ms,
            })?;
        }
        Ok(Advice { decision, seq, remedy })
    }

    /// Compares a call that was made with the one that was decided on, and records what came of it.
    ///
    /// # Errors
    /// See [`AdviseError`].
    pub fn after(&self, call: &AgentCall) -> Result<Compared, AdviseError> {
        let Some(call_id) = &call.call_id else { return Ok(Compared::Unknown) };
        let session = call.session.as_deref().unwrap_or_default();
        let Some(decided) = self.store.hook_call(&call.client, session, call_id)? else {
            return Ok(Compared::Unknown);
        };
        let query = DecisionQuery { before: Some(decided.seq + 1), limit: 1, ..DecisionQuery::default() };
        let refused = self.store.decisions(&query)?.rows.first().filter(|row| row.seq == decided.seq).is_some_and(
            |row| match row.decision.effect {
                Effective::Allow => false,
                // Where nobody can be asked, the answer was no.
                Effective::Sample => !call.can_ask(),
                Effective::Deny => true,
            },
        );
        let digest = call.digest();
        let (compared, outcome) = if digest != decided.parameters_digest {
            let outcome = format!(
                "alarm: the tool got something else than what was decided on (decided {}, executed {digest})",
                decided.parameters_digest
            );
            (Compared::Differs, outcome)
        } else if refused {
            (Compared::Refused, "alarm: it ran although it was refused".to_owned())
        } else {
            (Compared::Same, format!("{} says that it was done as decided", call.client))
        };
        let kind = EntryKind::Outcome { refers_to: decided.seq, outcome };
        self.store.append(&NewEntry { at_ms: self.clock.now_ms(), kind })?;
        Ok(compared)
    }
}

/// The policy that holds for `request`: that of every project that is known or that it is in.
pub(super) fn policy_for(
    store: &Store,
    data: &Path,
    settings: &Settings,
    offline: bool,
    request: &ToolRequest,
) -> Result<Policy, AdviseError> {
    let projects = store.projects()?.into_iter().map(|project| project.root);
    let mut roots: BTreeSet<String> = projects.collect();
    let here = request.call.as_ref().and_then(|call| resolve(Path::new(call.cwd.as_deref()?)).ok());
    let touched = request.paths.iter().filter_map(|path| path.real.as_deref().map(PathBuf::from));
    let mut seen = BTreeSet::new();
    for place in here.into_iter().chain(touched) {
        // What lies above a folder that was seen was seen with it.
        for folder in place.ancestors().take_while(|folder| seen.insert(folder.to_path_buf())) {
            if folder.join(".conclave").exists() {
                roots.insert(folder.to_string_lossy().into_owned());
            }
        }
    }
    let roots: Vec<String> = roots.into_iter().collect();
    Ok(policies::layers(data, settings, offline, &roots).policy)
}

/// The request that fares worst, with its decision.
fn strictest(policy: &Policy, (first, others): (ToolRequest, Vec<ToolRequest>), at_ms: i64) -> (ToolRequest, Decision) {
    let decision = policy.evaluate(&first, at_ms);
    others.into_iter().fold((first, decision), |held, request| {
        let decision = policy.evaluate(&request, at_ms);
        if decision.effect > held.1.effect { (request, decision) } else { held }
    })
}

#[cfg(test)]
mod tests;
