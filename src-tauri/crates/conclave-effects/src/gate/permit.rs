//! Proof that exactly one effect was allowed.
//!
//! The argument in three steps. The fields are private to this module, so nobody else builds a permit from parts. The
//! one constructor is visible to the gate alone. There is no `Clone`, and every door takes its permit by value, so a
//! permit opens one door once. And because the permit *contains* the effect that was judged, and the request that was
//! recorded, nothing can be exchanged between the judgement and the deed: a door opens what it acts on, compares it with
//! the record, and acts on what it holds open, or fails with [`Stale`].

use std::time::Duration;

use conclave_policy::{Actor, ToolRequest};
use tokio::time::Instant;

/// How old a permit may be when it opens its door.
pub const PERMIT_LASTS: Duration = Duration::from_secs(60);

/// Something that reaches outside the process.
pub trait Effect: Send {
    /// The request that a policy judges and the ledger keeps: every detail that matters, no secret, no content.
    ///
    /// It looks at what the effect names (which file a path is, what a program's bytes are), so it may take a moment.
    fn request(&self, actor: &Actor) -> ToolRequest;
}

/// The gate's word that this one effect may happen, once.
///
/// A permit cannot be built by hand:
///
/// ```compile_fail,E0451
/// use conclave_effects::{Permit, ReadProject};
/// let effect = ReadProject { root: "/".into() };
/// let forged = Permit { effect, request: todo!(), seq: 1, minted: todo!() };
/// ```
///
/// and it cannot be used twice:
///
/// ```compile_fail,E0382
/// use conclave_effects::{Permit, ReadProject, open_project};
/// fn twice(permit: Permit<ReadProject>) {
///     let _ = open_project(permit);
///     let _ = open_project(permit);
/// }
/// ```
///
/// Used once, the same code compiles:
///
/// ```
/// use conclave_effects::{Permit, ReadProject, open_project};
/// fn once(permit: Permit<ReadProject>) {
///     let _ = open_project(permit);
/// }
/// ```
#[must_use = "a permit does nothing until it is handed to its door"]
pub struct Permit<E: Effect> {
    effect: E,
    request: ToolRequest,
    seq: u64,
    minted: Instant,
}

/// Why a permit does not open its door any more.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Stale {
    /// Too much time has passed.
    #[error("what was allowed was not done within {} seconds; ask again", PERMIT_LASTS.as_secs())]
    Expired,
    /// It is no longer what was judged.
    #[error("`{what}` changed since it was allowed; ask again")]
    Changed {
        /// What is another thing now: a path, or a part of the request.
        what: String,
    },
}

impl Stale {
    pub(crate) fn changed(what: impl AsRef<std::path::Path>) -> Self {
        Self::Changed { what: what.as_ref().to_string_lossy().into_owned() }
    }
}

impl<E: Effect> Permit<E> {
    /// Visible to the gate only. The caller has made the decision durable as ledger entry `seq`.
    pub(super) fn mint(effect: E, request: ToolRequest, seq: u64) -> Self {
        Self { effect, request, seq, minted: Instant::now() }
    }

    /// The effect that was judged.
    pub fn effect(&self) -> &E {
        &self.effect
    }

    /// The ledger entry that holds the decision.
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// The request that was judged and recorded.
    pub fn request(&self) -> &ToolRequest {
        &self.request
    }

    /// Uses the permit up, unless it is too old; what comes out no longer proves anything.
    pub(crate) fn open(self) -> Result<(E, ToolRequest), Stale> {
        if self.minted.elapsed() > PERMIT_LASTS {
            return Err(Stale::Expired);
        }
        Ok((self.effect, self.request))
    }
}
