//! What was wrong with a log, beside what could be read of it.

use std::fmt;

use crate::limits::cut;

/// The longest detail from outside, in bytes.
const DETAIL_BYTES: usize = 300;

/// One thing that was not read as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    /// In which part of the log.
    pub place: Place,
    /// What is wrong.
    pub fault: Fault,
}

/// A part of a log; numbers count from 0, as SARIF's own indexes do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// The file as a whole.
    Log,
    /// The run as a whole.
    Run,
    /// One rule, counted within its component of the tool.
    Rule(u32),
    /// One entry of `artifacts`.
    Artifact(u32),
    /// One entry of another list of the run.
    Entry(&'static str, u32),
    /// One entry of `results`.
    Result(u32),
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The value is not what the standard wants there.
    #[error("it cannot be read: {detail}")]
    Malformed {
        /// What the JSON reader says.
        detail: String,
    },
    /// A key stands twice, and readers differ in which one they take.
    #[error("the key `{key}` is there twice")]
    DuplicateKey {
        /// The key.
        key: String,
    },
    /// The bytes are not UTF-8.
    #[error("it is not UTF-8")]
    NotUtf8,
    /// The value nests too deep.
    #[error("it nests deeper than {limit} levels")]
    TooDeep {
        /// The depth that is read.
        limit: u32,
    },
    /// The value is too long.
    #[error("it is longer than {limit} bytes")]
    TooLarge {
        /// The length that is read.
        limit: usize,
    },
    /// A list or text is longer than what is read.
    #[error("{name} over {limit} are left out")]
    Limit {
        /// What was limited.
        name: &'static str,
        /// How much is read.
        limit: usize,
    },
    /// A range that no file can have; what was left out is said.
    #[error("{detail}")]
    Region {
        /// What is wrong with it.
        detail: &'static str,
    },
    /// One of the tool's own fixes is left out.
    #[error("a fix is left out: {reason}")]
    Fix {
        /// Why.
        reason: String,
    },
    /// Steps of the data flow are left out.
    #[error("{count} steps of the flow are left out: they are outside the project or one too many")]
    Flow {
        /// How many.
        count: u32,
    },
    /// The result names more places than the one that is kept.
    #[error("{count} more places of it are left out")]
    Locations {
        /// How many.
        count: u32,
    },
    /// The file cannot be read to its end.
    #[error("{detail}")]
    Broken {
        /// Where and why.
        detail: String,
    },
    /// Something follows the log.
    #[error("something follows the log at byte {at}")]
    Trailing {
        /// Where.
        at: u64,
    },
    /// The file has no `version`; it is read as 2.1.0.
    #[error("it has no `version`; it is read as 2.1.0")]
    NoVersion,
    /// Parts of the log are in other files or blocks, which are never followed.
    #[error("its {what} are kept elsewhere and are not read")]
    External {
        /// What is kept elsewhere.
        what: String,
    },
    /// The file was written to while it was read.
    #[error("the file changed while it was read")]
    Changed,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Log => f.write_str("the file"),
            Self::Run => f.write_str("the run"),
            Self::Rule(index) => write!(f, "rule {index}"),
            Self::Artifact(index) => write!(f, "artifact {index}"),
            Self::Entry(list, index) => write!(f, "`{list}` {index}"),
            Self::Result(index) => write!(f, "result {index}"),
        }
    }
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.fault)
    }
}

impl Fault {
    /// What `serde_json` says about one value.
    pub(crate) fn of_json(error: &serde_json::Error) -> Self {
        let text = error.to_string();
        match text.strip_prefix("duplicate field `").and_then(|rest| rest.split('`').next()) {
            Some(key) => Self::DuplicateKey { key: cut(key, DETAIL_BYTES) },
            None => Self::Malformed { detail: cut(&text, DETAIL_BYTES) },
        }
    }
}

/// Complaints of one run, of which the first are kept and all are counted.
#[derive(Clone, Debug, Default)]
pub(crate) struct Complaints {
    pub(crate) kept: Vec<Complaint>,
    pub(crate) count: u32,
    limit: usize,
}

impl Complaints {
    pub(crate) fn new(limit: usize) -> Self {
        Self { limit, ..Self::default() }
    }

    pub(crate) fn add(&mut self, place: Place, fault: Fault) {
        self.count = self.count.saturating_add(1);
        if self.kept.len() < self.limit {
            self.kept.push(Complaint { place, fault });
        }
    }
}
