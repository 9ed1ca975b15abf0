//! The status strip, the ledger, and what this machine offers.

use conclave_core::candidate::Draft;
use conclave_effects::sandbox;
use conclave_engine::scanner::Scanner;
use conclave_fixers::Recipes;

use crate::api::Api;
use crate::error::ApiError;
use crate::view::{DoctorItem, DoctorView, LedgerView, Nothing, SeatState, SeatView, StatusView};

pub(crate) async fn get_status(api: &Api, _: Nothing) -> Result<StatusView, ApiError> {
    let store = &api.cx().store;
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    Ok(StatusView {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        offline: api.offline(),
        watched: count(store.projects()?.iter().filter(|project| project.watched).count()),
        running: count(store.open_jobs()?.len()),
        egress: u32::try_from(store.egress_count()?).unwrap_or(u32::MAX),
        empty_seats: empty_seats(api),
        notices: api.notices(),
    })
}

fn empty_seats(api: &Api) -> Vec<SeatView> {
    if !api.cx().models.is_empty() {
        return Vec::new();
    }
    match conclave_engine::stage::empty_model_seat() {
        Draft::Empty { fill } => vec![SeatView { name: "Models".to_owned(), state: SeatState::Empty, note: fill }],
        _ => Vec::new(),
    }
}

pub(crate) async fn verify_ledger(api: &Api, _: Nothing) -> Result<LedgerView, ApiError> {
    let verdict = api.cx().store.verify_ledger()?;
    Ok(LedgerView {
        intact: verdict.fault.is_none(),
        rows: u32::try_from(verdict.rows).unwrap_or(u32::MAX),
        head: verdict.head,
        fault: verdict.fault,
    })
}

pub(crate) async fn get_doctor(api: &Api, _: Nothing) -> Result<DoctorView, ApiError> {
    let item = |name: &str, ok: bool, found: String, hint: Option<String>| DoctorItem {
        name: name.to_owned(),
        ok,
        found,
        hint,
    };
    let mut items = vec![item("Data folder", true, api.cx().data.path().display().to_string(), None)];
    let verdict = api.cx().store.verify_ledger()?;
    items.push(match verdict.fault {
        None => item("Ledger", true, format!("{} rows, intact", verdict.rows), None),
        Some(fault) => {
            item("Ledger", false, fault, Some("somebody changed the database; keep a copy of it".to_owned()))
        }
    });
    items.push(item("Recipes", true, format!("{} built in", Recipes::shipped().iter().count()), None));
    items.push(match sandbox::probe() {
        Ok(found) => item("Sandbox", true, found, None),
        Err(error) => {
            let hint = "without it no scanner runs, and the re-scan is shown as not available; install bubblewrap";
            item("Sandbox", false, error.to_string(), Some(hint.to_owned()))
        }
    });
    for scanner in Scanner::all() {
        items.push(match sandbox::find_program(&scanner.program, api.cx().data.path()) {
            Some(path) => item(&scanner.name, true, path.display().to_string(), None),
            None => {
                let hint = format!("install `{}` to have its findings re-scanned", scanner.program);
                item(&scanner.name, false, "not installed".to_owned(), Some(hint))
            }
        });
    }
    items.push(match api.cx().models.len() {
        0 => item("Models", false, "none".to_owned(), empty_seats(api).pop().map(|seat| seat.note)),
        n => item("Models", true, format!("{n} in the settings"), None),
    });
    Ok(DoctorView { items })
}
