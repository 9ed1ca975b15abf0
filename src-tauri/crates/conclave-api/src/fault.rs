//! Turns the errors below into the one error that crosses the boundary: what happened, what it means, what to do.

use conclave_engine::apply::ApplyError;
use conclave_engine::compare::CompareError;
use conclave_engine::decide::DecideError;
use conclave_engine::export::ExportError;
use conclave_engine::keys::KeyError;
use conclave_engine::learn::LearnError;
use conclave_engine::named::NamedError;
use conclave_engine::open::OpenError;
use conclave_engine::policies::PolicyError;
use conclave_engine::run::RunError;
use conclave_engine::settings_file::ImportError;
use conclave_engine::{Denied, FsError, Refused};
use conclave_store::StoreError;

use crate::error::{ApiError, ErrorCode};

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        let (code, hint) = match error {
            StoreError::Running { .. } => (ErrorCode::BadRequest, Some("wait for it or cancel it")),
            StoreError::Cursor(_) => (ErrorCode::BadRequest, Some("start from the first page")),
            StoreError::Missing { .. } => (ErrorCode::NotFound, None),
            StoreError::Kept { .. } | StoreError::Full { .. } => (ErrorCode::BadRequest, None),
            StoreError::Io { .. } | StoreError::Sqlite(_) => {
                (ErrorCode::Internal, Some("`conclave doctor` looks at the database"))
            }
            // These say themselves what to do.
            StoreError::Newer { .. } | StoreError::Older { .. } | StoreError::Busy | StoreError::Corrupt(_) => {
                (ErrorCode::Internal, None)
            }
        };
        Self { hint: hint.map(str::to_owned), ..Self::new(code, error.to_string()) }
    }
}

impl From<FsError> for ApiError {
    fn from(error: FsError) -> Self {
        let code = if matches!(error, FsError::NotFound { .. }) { ErrorCode::NotFound } else { ErrorCode::BadRequest };
        Self::new(code, error.to_string())
    }
}

impl From<Denied> for ApiError {
    fn from(denied: Denied) -> Self {
        let error = Self::new(ErrorCode::Denied, denied.reason.clone())
            .with_details(format!("rule `{}`: {}", denied.rule, denied));
        Self { hint: Some(denied.remedy()).filter(|words| !words.is_empty()), ..error }
    }
}

impl From<NamedError> for ApiError {
    fn from(error: NamedError) -> Self {
        match error {
            NamedError::Denied(denied) => denied.into(),
            NamedError::Fs(error) => error.into(),
            NamedError::NotText { .. } => Self::new(ErrorCode::BadRequest, error.to_string()),
        }
    }
}

impl From<KeyError> for ApiError {
    fn from(error: KeyError) -> Self {
        match error {
            KeyError::Denied(denied) => denied.into(),
            KeyError::Store(error) => error.into(),
            KeyError::Key => Self::new(ErrorCode::BadRequest, error.to_string()),
            KeyError::Host { .. } => Self::new(ErrorCode::BadRequest, error.to_string())
                .with_hint("name a host, for example `api.example.com` or `127.0.0.1:8080`"),
            KeyError::Keychain(error) => {
                // The keychain's words end with what to do.
                let words = error.to_string();
                match words.split_once("; ") {
                    Some((what, next)) => Self::new(ErrorCode::BadRequest, what).with_hint(next),
                    None => Self::new(ErrorCode::BadRequest, words),
                }
            }
        }
    }
}

impl From<PolicyError> for ApiError {
    fn from(error: PolicyError) -> Self {
        match error {
            PolicyError::Fs(error) => error.into(),
            PolicyError::Store(error) => error.into(),
            PolicyError::Load(_) | PolicyError::NoRule(_) | PolicyError::Unreadable(_) => {
                Self::new(ErrorCode::BadRequest, error.to_string()).with_hint("your policy is as it was")
            }
            PolicyError::Changed(_) => Self::new(ErrorCode::Changed, error.to_string()),
            PolicyError::Ledger(_) => {
                Self::new(ErrorCode::Internal, error.to_string()).with_hint("your policy is as it was")
            }
        }
    }
}

impl From<ImportError> for ApiError {
    fn from(error: ImportError) -> Self {
        match error {
            ImportError::Denied(denied) => denied.into(),
            ImportError::Fs(error) => error.into(),
            ImportError::Changed(_) => Self::new(ErrorCode::Changed, error.to_string()),
            ImportError::Settings { .. } => {
                Self::new(ErrorCode::BadRequest, error.to_string()).with_hint("your settings are as they were")
            }
            ImportError::Config(ref faults) => {
                let first = faults.first().map(|fault| fault.text.clone()).unwrap_or_default();
                Self::new(ErrorCode::BadRequest, error.to_string())
                    .with_hint("`conclave config check FILE` says everything that is wrong with it")
                    .with_details(first)
            }
        }
    }
}

impl From<RunError> for ApiError {
    fn from(error: RunError) -> Self {
        match error {
            RunError::Gone(_) => Self::new(ErrorCode::NotFound, error.to_string()),
            RunError::Denied(denied) => denied.into(),
            RunError::Fs(error) => error.into(),
            RunError::Store(error) => error.into(),
            RunError::NoScan => Self::new(ErrorCode::ScanFailed, error.to_string()).with_hint("run the scanner again"),
            RunError::Log(Refused::Io(_) | Refused::NotSarif { .. }) => {
                Self::new(ErrorCode::ScanFailed, error.to_string())
                    .with_hint("run the scanner again, with SARIF as its output")
            }
            RunError::Log(_) => Self::new(ErrorCode::BadRequest, error.to_string()),
            RunError::Stage { .. } => Self::new(ErrorCode::Internal, error.to_string()).with_hint("run it again"),
            RunError::Cancelled | RunError::Broken(_) => Self::new(ErrorCode::Internal, error.to_string()),
        }
    }
}

impl From<CompareError> for ApiError {
    fn from(error: CompareError) -> Self {
        let (code, hint) = match error {
            CompareError::Run(error) => return error.into(),
            CompareError::Store(error) => return error.into(),
            CompareError::Same => (ErrorCode::BadRequest, "name two that differ"),
            CompareError::Configuration { .. } => (ErrorCode::BadRequest, "`conclave models` lists who can be asked"),
            CompareError::Nothing(_) => (ErrorCode::BadRequest, "scan the project, or name findings"),
            CompareError::Projects => (ErrorCode::BadRequest, "name one with `--project`"),
            CompareError::Unknown(_) => (ErrorCode::NotFound, "`conclave compare list` lists them"),
            CompareError::NoPair(_) => (ErrorCode::NotFound, "`conclave compare next` shows the next one"),
            CompareError::Chosen(_) | CompareError::NotOpen { .. } => {
                (ErrorCode::BadRequest, "`conclave compare next` shows one that waits")
            }
            CompareError::Settings(_) => {
                (ErrorCode::Changed, "begin another, so that all of it goes by the same settings")
            }
            CompareError::NotAsked { .. } => {
                (ErrorCode::Denied, "what was run is kept; `conclave compare resume` goes on when it can be asked")
            }
            CompareError::Seed(_) => (ErrorCode::Internal, "name one with `--seed`"),
        };
        Self::new(code, error.to_string()).with_hint(hint)
    }
}

impl From<ApplyError> for ApiError {
    fn from(error: ApplyError) -> Self {
        let unchanged = "the project is as it was before";
        match error {
            ApplyError::Changed { .. } => {
                Self::new(ErrorCode::Changed, error.to_string()).with_hint("nothing was written; look for a fix again")
            }
            ApplyError::Conflict { .. } => Self::new(ErrorCode::Changed, error.to_string()),
            ApplyError::Refused { .. } | ApplyError::Empty => {
                Self::new(ErrorCode::BadRequest, error.to_string()).with_hint(unchanged)
            }
            ApplyError::NotApplied(_) => Self::new(ErrorCode::BadRequest, error.to_string()),
            ApplyError::Denied(denied) => denied.into(),
            ApplyError::Fs(error) => Self::from(error).with_hint(unchanged),
            ApplyError::Store(error) => error.into(),
            ApplyError::Unsettled(_) => Self::new(ErrorCode::Internal, error.to_string()),
        }
    }
}

impl From<DecideError> for ApiError {
    fn from(error: DecideError) -> Self {
        match error {
            DecideError::NoFinding(_) => Self::new(ErrorCode::NotFound, error.to_string()),
            DecideError::NoFix(_) | DecideError::Already | DecideError::NotDismissed(_) => {
                Self::new(ErrorCode::BadRequest, error.to_string())
            }
            DecideError::NotTogether(_) => Self::new(ErrorCode::Changed, error.to_string())
                .with_hint("look for a fix of it again, now that the others are applied"),
            DecideError::Apply(error) => error.into(),
            DecideError::Store(error) => error.into(),
            DecideError::Broken(_) => Self::new(ErrorCode::Internal, error.to_string()),
        }
    }
}

impl From<LearnError> for ApiError {
    fn from(error: LearnError) -> Self {
        match error {
            LearnError::NoFinding(_) => Self::new(ErrorCode::NotFound, error.to_string()),
            LearnError::NoFix(_) => Self::new(ErrorCode::BadRequest, error.to_string())
                .with_hint("`conclave show` lists the fixes of a finding"),
            LearnError::Off(_) => Self::new(ErrorCode::BadRequest, error.to_string())
                .with_hint("change that in the settings to have it kept"),
            LearnError::Store(error) => error.into(),
        }
    }
}

impl From<ExportError> for ApiError {
    fn from(error: ExportError) -> Self {
        match error {
            ExportError::Store(error) => error.into(),
            ExportError::NoFix(_) => Self::new(ErrorCode::NotFound, error.to_string())
                .with_hint("`conclave show ID` lists the fixes with their ids"),
            ExportError::Gone(_) => {
                Self::new(ErrorCode::Changed, error.to_string()).with_hint("run the finding again: `conclave fix ID`")
            }
            ExportError::Write(_) => Self::new(ErrorCode::Internal, error.to_string()).with_hint("use `--format json`"),
        }
    }
}

impl From<OpenError> for ApiError {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Fs(error) => error.into(),
            OpenError::Store(error) => error.into(),
            OpenError::Recover(error) => error.into(),
            OpenError::Settings { ref path, ref detail } => Self::new(ErrorCode::BadRequest, error.to_string())
                .with_hint(format!("correct `{}`, or move it away to start with the defaults", path.display()))
                .with_details(detail.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_person_can_do_about_the_store_is_said_and_nothing_that_may_be_untrue() {
        let (what, id) = ("finding", "f1".to_owned());
        let cases = [
            (StoreError::Running { what, id: id.clone() }, ErrorCode::BadRequest, Some("wait for it or cancel it")),
            (StoreError::Cursor("x".into()), ErrorCode::BadRequest, Some("start from the first page")),
            (StoreError::Missing { what, id }, ErrorCode::NotFound, None),
            (StoreError::Busy, ErrorCode::Internal, None),
            (
                StoreError::Sqlite("disk full".into()),
                ErrorCode::Internal,
                Some("`conclave doctor` looks at the database"),
            ),
        ];
        for (error, code, hint) in cases {
            let said = ApiError::from(error);
            assert_eq!((said.code, said.hint.as_deref()), (code, hint), "{}", said.message);
        }
    }
}
