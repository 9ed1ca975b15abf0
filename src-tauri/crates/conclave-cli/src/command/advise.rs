//! `conclave advise`: decides one request from standard input.

mod request;

use std::path::Path;

use conclave_api::advise::{AdviseError, Advisor, Effective};
use conclave_api::error::{ApiError, ErrorCode};

use super::stdin;
use crate::exit::Exit;
use crate::output::Output;

/// What to do about a request that a rule samples.
const ASKS_NOBODY: &str = "`conclave advise` asks nobody, so it must not happen yet; have it asked through `conclave mcp`, \
                           where the models of `review.models` or you answer, or put an allow rule for it into your \
                           `policy.yaml`";

/// Decides and says so: done when it may happen, denied when not, and when somebody would have to look at it first.
pub fn run(data_dir: &Path, offline: bool, output: &Output) -> Result<Exit, ApiError> {
    let call = request::read(&stdin::read(&format!("pipe a request into it, as one of these:\n{}", request::FORMS))?)?;
    let mut advice = Advisor::open(data_dir, offline).and_then(|advisor| advisor.judge(&call)).map_err(denied)?;
    if advice.decision.effect == Effective::Sample {
        // What the call also reads comes first, where it says that.
        let also = if advice.remedy.is_empty() { "" } else { "; " };
        advice.remedy = format!("{}{also}{ASKS_NOBODY}", advice.remedy);
    }
    output.advice(&advice);
    Ok(if advice.decision.effect == Effective::Allow { Exit::Done } else { Exit::Usage })
}

fn denied(error: AdviseError) -> ApiError {
    let hint = "until it can be decided, it must not happen; `conclave doctor` says what is missing";
    ApiError::new(ErrorCode::Denied, error.to_string()).with_hint(hint)
}
