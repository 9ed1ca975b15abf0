//! `conclave audit`.

use conclave_api::Api;
use conclave_api::error::ApiError;
use conclave_api::view::{EgressOnly, EgressPage, EgressRow, LedgerView, ListEgress, Nothing};

use super::call;
use crate::args::Audit;
use crate::exit::Exit;
use crate::output::Output;

pub(super) async fn run(api: &Api, output: &Output, command: &Audit) -> Result<Exit, ApiError> {
    match command {
        Audit::Verify => verify(api, output).await,
        Audit::Egress { filter, sent, denied, limit } => {
            let only = match (sent, denied) {
                (true, _) => EgressOnly::Sent,
                (false, true) => EgressOnly::Denied,
                (false, false) => EgressOnly::All,
            };
            egress(api, output, &filter.join(" "), only, *limit).await
        }
        Audit::Export => {
            api.each_ledger_line(&mut |line| output.raw(line))?;
            Ok(Exit::Done)
        }
    }
}

async fn verify(api: &Api, output: &Output) -> Result<Exit, ApiError> {
    let view: LedgerView = call(api, "verify_ledger", &Nothing {}).await?;
    output.ledger(&view);
    Ok(if view.intact { Exit::Done } else { Exit::Unknown })
}

/// A page of the list.
const PAGE: u32 = 1000;

async fn egress(api: &Api, output: &Output, filter: &str, only: EgressOnly, limit: u32) -> Result<Exit, ApiError> {
    let mut request = ListEgress { filter: filter.to_owned(), only, ..ListEgress::default() };
    let mut rows: Vec<EgressRow> = Vec::new();
    let today = loop {
        let left = limit.saturating_sub(u32::try_from(rows.len()).unwrap_or(u32::MAX));
        request.limit = Some(left.clamp(1, PAGE));
        let page: EgressPage = call(api, "list_egress", &request).await?;
        rows.extend(page.rows.into_iter().take(left as usize));
        request.cursor = page.next_cursor;
        if request.cursor.is_none() || rows.len() >= limit as usize {
            break page.today;
        }
    };
    output.egress(&rows, today);
    Ok(Exit::Done)
}
