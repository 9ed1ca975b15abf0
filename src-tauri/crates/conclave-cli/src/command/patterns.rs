//! `conclave patterns` and `elsewhere`.

use conclave_api::Api;
use conclave_api::error::ApiError;
use conclave_api::view::{DropPattern, ElsewhereView, FindElsewhere, ListPatterns, PatternList};

use super::call;
use crate::args::Patterns;
use crate::exit::Exit;
use crate::output::Output;

pub(super) async fn run(api: &Api, output: &Output, command: &Patterns) -> Result<Exit, ApiError> {
    let view: PatternList = match command {
        Patterns::List { client } => call(api, "list_patterns", &ListPatterns { client: client.clone() }).await?,
        Patterns::Drop { id, client } => {
            call(api, "drop_pattern", &DropPattern { client: client.clone(), id: id.clone() }).await?
        }
    };
    output.patterns(&view);
    Ok(Exit::Done)
}

pub(super) async fn elsewhere(api: &Api, output: &Output, id: &str) -> Result<Exit, ApiError> {
    let view: ElsewhereView = call(api, "find_elsewhere", &FindElsewhere { finding: id.to_owned() }).await?;
    output.elsewhere(&view);
    Ok(Exit::Done)
}
