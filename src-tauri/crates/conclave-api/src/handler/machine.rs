//! The status strip, the ledger, and what this machine offers.

use conclave_core::candidate::Draft;
use conclave_engine::doctor::{self, Standing};
use conclave_engine::stage::empty_model_seat;

use crate::api::Api;
use crate::error::ApiError;
use crate::view::{DoctorItem, DoctorView, LedgerView, Network, Nothing, SeatState, SeatView, StatusView};

pub(crate) async fn get_status(api: &Api, _: Nothing) -> Result<StatusView, ApiError> {
    let store = &api.cx().store;
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    Ok(StatusView {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        offline: api.offline(),
        watched: count(store.projects()?.iter().filter(|project| project.watched).count()),
        running: count(store.open_jobs()?.len()),
        paused: store.is_queue_paused()?,
        egress: u32::try_from(store.egress_count()?).unwrap_or(u32::MAX),
        today: super::egress::today(api)?,
        asks_waiting: count(store.waiting_asks(api.cx().now_ms())?.len()),
        policy_banner: api.cx().policy.banner(),
        network: network(api),
        empty_seats: empty_seats(api),
        notices: api.notices().into_iter().chain(api.cx().models.banner()).collect(),
    })
}

fn network(api: &Api) -> Network {
    let settings = api.cx().settings();
    let sampling = settings.sampling.enabled && settings.sampling.may_send_code;
    let sends = sampling || settings.models.iter().any(|model| model.may_send_code);
    match (api.offline(), sends) {
        (true, _) => Network::Offline,
        (false, true) => Network::Open,
        (false, false) => Network::LocalOnly,
    }
}

fn empty_seats(api: &Api) -> Vec<SeatView> {
    match empty_model_seat(api.cx()) {
        Some(Draft::Empty { fill }) => {
            vec![SeatView { name: "Models".to_owned(), role: None, state: SeatState::Empty, note: fill, late: false }]
        }
        _ => Vec::new(),
    }
}

pub(crate) async fn verify_ledger(api: &Api, _: Nothing) -> Result<LedgerView, ApiError> {
    let mut verdict = api.cx().store.verify_ledger()?;
    if let (None, [first, ..]) = (&verdict.fault, api.cx().data.damaged().as_slice()) {
        verdict.fault = Some(format!(
            "an earlier database was damaged and moved aside as `{first}`; what it held is not in this ledger"
        ));
    }
    Ok(LedgerView {
        intact: verdict.fault.is_none(),
        rows: u32::try_from(verdict.rows).unwrap_or(u32::MAX),
        head: verdict.head,
        fault: verdict.fault,
    })
}

pub(crate) async fn get_doctor(api: &Api, _: Nothing) -> Result<DoctorView, ApiError> {
    let items = doctor::look(api.cx()).await?.into_iter();
    let view = |item: doctor::Item| DoctorItem {
        name: item.name,
        ok: item.standing == Standing::Ok,
        wrong: item.standing == Standing::Wrong,
        found: item.found,
        hint: item.hint,
    };
    Ok(DoctorView { items: items.map(view).collect() })
}
