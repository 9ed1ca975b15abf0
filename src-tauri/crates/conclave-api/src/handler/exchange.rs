//! The exchanges with models that were kept.

use conclave_store::ExchangeHead;

use crate::api::Api;
use crate::error::{ApiError, ErrorCode};
use crate::view::{
    EraseExchanges, ExchangePage, ExchangeRow, ExchangeView, ExchangesErased, GetExchange, ListExchanges,
};

pub(crate) async fn list_exchanges(api: &Api, request: ListExchanges) -> Result<ExchangePage, ApiError> {
    let before = request.cursor.as_deref().map(str::parse).transpose().map_err(|_| {
        ApiError::new(ErrorCode::BadRequest, "the page does not exist").with_hint("start from the first page")
    })?;
    let limit = request.limit.unwrap_or(100).clamp(1, 1000);
    let page = api.cx().store.exchanges(request.root.as_deref(), before, limit)?;
    Ok(ExchangePage {
        rows: page.rows.into_iter().map(row).collect(),
        next_cursor: page.next.map(|next| next.to_string()),
    })
}

pub(crate) async fn get_exchange(api: &Api, request: GetExchange) -> Result<ExchangeView, ApiError> {
    let exchange = api.cx().store.exchange(request.seq)?.ok_or_else(|| {
        ApiError::new(ErrorCode::NotFound, format!("no exchange is kept for entry `{}`", request.seq)).with_hint(
            "`conclave audit exchanges` lists what is kept; `exchange_log` in the settings says what will be",
        )
    })?;
    Ok(ExchangeView { exchange: row(exchange.head), request: exchange.request, response: exchange.response })
}

pub(crate) async fn erase_exchanges(api: &Api, request: EraseExchanges) -> Result<ExchangesErased, ApiError> {
    let erased = api.cx().store.erase_exchanges(request.root.as_deref())?;
    Ok(ExchangesErased { root: request.root, erased })
}

fn row(head: ExchangeHead) -> ExchangeRow {
    ExchangeRow {
        seq: head.seq,
        at: head.at_ms,
        root: head.project,
        endpoint: head.endpoint,
        model: head.model,
        status: head.status,
        request_bytes: head.request_bytes,
        response_bytes: head.response_bytes,
    }
}
