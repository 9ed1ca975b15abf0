//! Typed identifiers; none is drawn at random, each is derived from what it names or counted by the store.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::fingerprint::Fingerprint;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Wraps a text that was an id before.
            pub fn new(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

id!(
    /// One project: 16 hexadecimal digits from its root folder.
    ProjectId
);
id!(
    /// One finding in one project: 16 hexadecimal digits from project and fingerprint.
    FindingId
);
id!(
    /// One ingestion of one SARIF run or one built-in scan.
    ScanId
);
id!(
    /// One run of one finding: the finding's id, a dash and a number counted from 1.
    RunId
);
id!(
    /// One candidate: 16 hexadecimal digits from its origin and patch.
    CandidateId
);

impl ProjectId {
    /// The project whose root is `root`, an absolute path as text.
    pub fn of_root(root: &str) -> Self {
        Self(Digest::of_parts(["project", root]).short().to_owned())
    }
}

impl FindingId {
    /// The finding with `fingerprint` in `project`.
    pub fn of(project: &ProjectId, fingerprint: &Fingerprint) -> Self {
        Self(Digest::of_parts(["finding", project.as_str(), fingerprint.as_str()]).short().to_owned())
    }
}

impl RunId {
    /// The `n`th run of `finding`, counted from 1.
    pub fn nth(finding: &FindingId, n: u32) -> Self {
        Self(format!("{finding}-{n}"))
    }

    /// The finding that it is a run of.
    pub fn finding(&self) -> FindingId {
        FindingId(self.0.rsplit_once('-').map_or(self.0.as_str(), |(finding, _)| finding).to_owned())
    }
}
