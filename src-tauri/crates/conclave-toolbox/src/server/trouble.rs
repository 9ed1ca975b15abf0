//! Why a server gave no answer, and whose doing that is.

use conclave_effects::ServerError;

/// Why there is no answer, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// It was not asked: the gate refused, somebody else holds what it needs, or what it needs is not there.
    NotAsked(String),
    /// It answered, and that is of no use.
    Useless(String),
    /// It failed; what is under way of it is of no more use.
    Failed(String),
}

impl Trouble {
    /// The words.
    pub(super) fn why(self) -> String {
        match self {
            Self::NotAsked(why) | Self::Useless(why) | Self::Failed(why) => why,
        }
    }
}

impl From<ServerError> for Trouble {
    fn from(error: ServerError) -> Self {
        let why = error.to_string();
        match error {
            ServerError::Unfit(_) => Self::NotAsked(why),
            error if error.is_final() => Self::Failed(why),
            _ => Self::Useless(why),
        }
    }
}
