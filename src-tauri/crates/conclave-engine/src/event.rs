//! What the engine tells its faces without being asked: a closed set.

use conclave_core::evidence::Check;
use conclave_core::id::{CandidateId, FindingId};
use conclave_core::synthesis::ToolUse;
use tokio::sync::broadcast;

/// What changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Topic {
    /// Findings and their resolutions.
    Findings,
    /// Projects and scans.
    Projects,
    /// Runs under way.
    Runs,
    /// The ledger.
    Ledger,
    /// The policy and its files.
    Policy,
    /// Requests that wait for the person.
    Asks,
    /// Which hosts have a key.
    Keys,
    /// The models of the settings and how they stand.
    Models,
    /// What was spent, and what may be.
    Spending,
}

/// Where a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Waiting for its turn.
    Queued,
    /// Reading the code around.
    Gather,
    /// Asking the seats.
    Propose,
    /// Checking what they gave.
    Verify,
    /// Asking those who sit in a second wave, and those whose answer a check refused.
    ProposeAgain,
    /// Checking what that gave, and what came late.
    VerifyAgain,
    /// Comparing the best two.
    Judge,
    /// Letting a model think it over.
    Synthesise,
    /// Checking the fix that it made of others.
    VerifyMerged,
    /// Drawing the conclusion.
    Conclude,
    /// Checking the person's own versions, after the run.
    Edit,
}

/// A check that looks at a fix right now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checking {
    /// The fix.
    pub candidate: CandidateId,
    /// Who wrote it.
    pub origin: String,
    /// The check.
    pub check: Check,
}

/// A run that moved on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The finding.
    pub finding: FindingId,
    /// Where it is.
    pub stage: Stage,
    /// In words.
    pub text: String,
    /// What is checked, while that is what it does.
    pub checking: Option<Checking>,
    /// When the run started, in milliseconds since 1970-01-01 UTC.
    pub started_at: i64,
}

/// More of what a model says; it is shown as it is and worth nothing until the whole answer has been read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delta {
    /// The finding that it is about.
    pub finding: FindingId,
    /// The seat that it speaks for, by the name that the resolution has for it.
    pub seat: String,
    /// Who says it, by its name in the settings; another one than the seat's first where that declined.
    pub model: String,
    /// The text that is new.
    pub text: String,
    /// Whether an answer begins: what was said for this seat before counts no more.
    pub is_new: bool,
}

/// A tool that was used while a run was thought over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToolUsed {
    /// The finding that it was about.
    pub finding: FindingId,
    /// What was asked, and what became of it.
    pub used: ToolUse,
}

/// One event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Something changed in the store.
    Changed(Vec<Topic>),
    /// A run moved on.
    Run(Progress),
    /// A model says more.
    Delta(Delta),
    /// A tool was used.
    Tool(ToolUsed),
}

/// Where events go; cheap to clone. A face that lags loses the oldest ones and refreshes.
#[derive(Clone, Debug)]
pub struct Events(broadcast::Sender<Event>);

impl Default for Events {
    fn default() -> Self {
        Self(broadcast::channel(256).0)
    }
}

impl Events {
    /// Tells every face; nobody listening is fine.
    pub fn send(&self, event: Event) {
        let _ = self.0.send(event);
    }

    /// Listens from now on.
    pub fn subscribe(&self) -> broadcast::Receiver<Event> {
        self.0.subscribe()
    }
}
