//! Proof that exactly one effect was allowed.
//!
//! The argument in three steps. The fields are private to this module, so nobody else builds a permit from parts. The
//! one constructor is visible to the gate alone. There is no `Clone`, and every door takes its permit by value, so a
//! permit opens one door once. And because the permit *contains* the effect that was judged, nothing can be exchanged
//! between the judgement and the deed.

use conclave_policy::{Actor, ToolRequest};

/// Something that reaches outside the process.
pub trait Effect: Send {
    /// The request that a policy judges and the ledger keeps: every detail that matters, no secret, no content.
    fn request(&self, actor: &Actor) -> ToolRequest;
}

/// The gate's word that this one effect may happen, once.
///
/// A permit cannot be built by hand:
///
/// ```compile_fail,E0451
/// use conclave_effects::{Permit, ReadProject};
/// let forged = Permit { effect: ReadProject { root: "/".into() }, seq: 1 };
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
    seq: u64,
}

impl<E: Effect> Permit<E> {
    /// Visible to the gate only. The caller has made the decision durable as ledger entry `seq`.
    pub(super) fn mint(effect: E, seq: u64) -> Self {
        Self { effect, seq }
    }

    /// The effect that was judged.
    pub fn effect(&self) -> &E {
        &self.effect
    }

    /// The ledger entry that holds the decision.
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// Uses the permit up; what comes out no longer proves anything.
    pub(crate) fn into_effect(self) -> E {
        self.effect
    }
}
