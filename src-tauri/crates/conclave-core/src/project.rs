//! A folder that Conclave looks after.

use serde::{Deserialize, Serialize};

use crate::id::ProjectId;

/// A folder on this machine, with its findings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Project {
    /// Derived from the root.
    pub id: ProjectId,
    /// The absolute path of the folder, symbolic links resolved, as text.
    pub root: String,
    /// The folder's name, for people.
    pub name: String,
    /// Whether changes in the folder are followed.
    pub watched: bool,
    /// Whether the person keeps it in the list; a folder that was only fixed once is not.
    pub listed: bool,
}
