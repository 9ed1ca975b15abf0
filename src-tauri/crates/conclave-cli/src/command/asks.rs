//! `conclave asks`.

use conclave_api::Api;
use conclave_api::error::ApiError;
use conclave_api::view::{AnswerAsk, AskAnswer, AskAnswered, AskList, Nothing};

use super::call;
use crate::args::Asks;
use crate::exit::Exit;
use crate::output::Output;

pub(super) async fn run(api: &Api, output: &Output, command: Option<&Asks>) -> Result<Exit, ApiError> {
    let (id, answer, because) = match command {
        None | Some(Asks::List) => {
            let view: AskList = call(api, "list_asks", &Nothing {}).await?;
            output.asks(&view);
            return Ok(Exit::Done);
        }
        Some(Asks::Watch) => return crate::terminal::watch(api, *output).await,
        Some(Asks::Allow { id, because, always: true }) => (id, AskAnswer::Always, because),
        Some(Asks::Allow { id, because, always: false }) => (id, AskAnswer::AllowOnce, because),
        Some(Asks::Deny { id, because }) => (id, AskAnswer::DenyOnce, because),
    };
    let request = AnswerAsk { id: id.clone(), answer, justification: because.clone() };
    let view: AskAnswered = call(api, "answer_ask", &request).await?;
    output.answered(answer, &view);
    Ok(Exit::Done)
}
