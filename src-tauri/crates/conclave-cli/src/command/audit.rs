//! `conclave audit`.

use std::path::Path;

use conclave_api::Api;
use conclave_api::error::ApiError;
use conclave_api::view::{
    EgressOnly, EgressPage, EgressRow, EraseExchanges, ExchangePage, ExchangeRow, ExchangeView, ExchangesErased,
    GetExchange, LedgerView, ListEgress, ListExchanges, Nothing,
};

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
        Audit::Exchanges { show: Some(seq), .. } => {
            let view: ExchangeView = call(api, "get_exchange", &GetExchange { seq: *seq }).await?;
            output.exchange(&view);
            Ok(Exit::Done)
        }
        Audit::Exchanges { project, erase: true, .. } => erase(api, output, project.as_deref()).await,
        Audit::Exchanges { project, limit, .. } => exchanges(api, output, project.as_deref(), *limit).await,
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

async fn exchanges(api: &Api, output: &Output, project: Option<&Path>, limit: u32) -> Result<Exit, ApiError> {
    let mut request = ListExchanges { root: root(project), ..ListExchanges::default() };
    let mut rows: Vec<ExchangeRow> = Vec::new();
    loop {
        let left = limit.saturating_sub(u32::try_from(rows.len()).unwrap_or(u32::MAX));
        request.limit = Some(left.clamp(1, PAGE));
        let page: ExchangePage = call(api, "list_exchanges", &request).await?;
        rows.extend(page.rows.into_iter().take(left as usize));
        request.cursor = page.next_cursor;
        if request.cursor.is_none() || rows.len() >= limit as usize {
            break;
        }
    }
    output.exchanges(&rows);
    Ok(Exit::Done)
}

async fn erase(api: &Api, output: &Output, project: Option<&Path>) -> Result<Exit, ApiError> {
    let view: ExchangesErased = call(api, "erase_exchanges", &EraseExchanges { root: root(project) }).await?;
    output.exchanges_erased(&view);
    Ok(Exit::Done)
}

/// The project as exchanges name it. What was kept outlives the folder, so one that is gone is taken by its name.
fn root(project: Option<&Path>) -> Option<String> {
    let root = project.map(|dir| dir.canonicalize().unwrap_or_else(|_| dir.to_owned()));
    root.map(|dir| dir.to_string_lossy().into_owned())
}
