//! What left this machine, page by page, and the ledger as a file.

use conclave_engine::named;
use conclave_policy::{Action, keys};
use conclave_store::{DecisionQuery, EgressTotals, LedgerRow, Only, StoreError, leaves_machine};

use crate::api::Api;
use crate::error::{ApiError, ErrorCode};
use crate::show;
use crate::view::{EgressOnly, EgressPage, EgressRow, EgressToday, ExportLedger, LedgerExported, ListEgress};

/// What counts as today, in milliseconds.
const DAY_MS: i64 = 24 * 60 * 60 * 1000;

pub(crate) async fn list_egress(api: &Api, request: ListEgress) -> Result<EgressPage, ApiError> {
    let before = request.cursor.as_deref().map(str::parse).transpose().map_err(|_| {
        ApiError::new(ErrorCode::BadRequest, "the page does not exist").with_hint("start from the first page")
    })?;
    let query = DecisionQuery {
        action: Some(Action::SendHttp),
        only: match request.only {
            EgressOnly::All => Only::All,
            EgressOnly::Sent => Only::Allowed,
            EgressOnly::Denied => Only::Denied,
        },
        words: request.filter.split_whitespace().map(str::to_owned).collect(),
        before,
        limit: request.limit.unwrap_or(100).clamp(1, 1000),
    };
    let page = api.cx().store.decisions(&query)?;
    Ok(EgressPage {
        rows: page.rows.iter().map(row).collect(),
        next_cursor: page.next.map(|next| next.to_string()),
        unreadable: page.unreadable,
        today: today(api)?,
    })
}

/// What left and what was refused in the last 24 hours.
pub(crate) fn today(api: &Api) -> Result<EgressToday, StoreError> {
    let EgressTotals { requests, denied, bytes_out, .. } = api.cx().store.egress_totals(api.cx().now_ms() - DAY_MS)?;
    let count = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
    Ok(EgressToday { requests: count(requests.saturating_sub(denied)), denied: count(denied), bytes: bytes_out })
}

fn row(row: &LedgerRow) -> EgressRow {
    let known = |key: &str| row.request.context.get(key).filter(|value| !value.is_empty()).cloned();
    let address = row.request.resource.clone();
    EgressRow {
        seq: row.seq,
        at: row.at_ms,
        actor: row.request.actor.to_string(),
        host: host_of(&address).to_owned(),
        remote: leaves_machine(&row.request),
        address,
        purpose: known("purpose").unwrap_or_default(),
        model: known(keys::MODEL),
        bytes: known("bytes").and_then(|bytes| bytes.parse().ok()),
        redactions: known(keys::REDACTIONS).and_then(|count| count.parse().ok()),
        decision: show::effect(row.decision.effect),
        review: row.decision.review.as_ref().map(show::review),
        rule: row.decision.rule.clone(),
        layer: row.decision.layer.map(show::layer),
        reason: row.decision.reason.clone(),
        digest: known("digest"),
        outcome: row.outcome.clone(),
    }
}

/// The host of an address, with its port where it names one.
fn host_of(address: &str) -> &str {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    rest.split(['/', '?', '#']).next().unwrap_or(rest)
}

pub(crate) async fn export_ledger(api: &Api, request: ExportLedger) -> Result<LedgerExported, ApiError> {
    let mut text = String::new();
    let mut rows = 0;
    api.each_ledger_line(&mut |line| {
        text.push_str(line);
        rows += 1;
    })?;
    named::write(api.cx(), request.path.as_ref(), text.into_bytes()).await?;
    let head = api.cx().store.verify_ledger()?.head;
    Ok(LedgerExported { path: request.path, rows, head })
}

impl Api {
    /// Gives the whole ledger to `line`, entry by entry: JSON with a line end each.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn each_ledger_line(&self, line: &mut dyn FnMut(&str)) -> Result<(), ApiError> {
        self.cx().store.export_ledger(|text| {
            line(&format!("{text}\n"));
            Ok(())
        })
    }
}
