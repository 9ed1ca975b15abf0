//! `conclave tiers`.

use std::path::Path;

use conclave_api::Api;
use conclave_api::error::{ApiError, ErrorCode};
use conclave_api::view::{GetTiers, ResetTiers, SaveTier, TierList, TierView};

use super::{call, real_folder};
use crate::args::{SetTier, Tiers};
use crate::exit::Exit;
use crate::output::Output;

pub(super) async fn run(api: &Api, output: &Output, command: Option<&Tiers>) -> Result<Exit, ApiError> {
    let view: TierList = match command {
        None => list(api, None).await?,
        Some(Tiers::List { project }) => list(api, project.as_deref()).await?,
        Some(Tiers::Set(set)) => save(api, set).await?,
        Some(Tiers::Reset { severity, project }) => {
            let request = ResetTiers { root: root(project.as_deref())?, severity: *severity };
            call(api, "reset_tiers", &request).await?
        }
    };
    output.tiers(&view);
    Ok(Exit::Done)
}

async fn list(api: &Api, project: Option<&Path>) -> Result<TierList, ApiError> {
    call(api, "get_tiers", &GetTiers { root: root(project)? }).await
}

async fn save(api: &Api, set: &SetTier) -> Result<TierList, ApiError> {
    let SetTier { seats, seconds, cap, no_cap, mode, on_demand, always, .. } = set;
    let is_said = seats.is_some() || seconds.is_some() || cap.is_some() || mode.is_some();
    if !(is_said || *no_cap || *on_demand || *always) {
        return Err(ApiError::new(ErrorCode::BadRequest, "nothing was said that is to be set")
            .with_hint("say so with `--seats`, `--seconds`, `--cap`, `--mode` or `--on-demand`"));
    }
    let now = list(api, set.project.as_deref()).await?;
    let rows = now.tiers.into_iter().filter(|row| row.severity == set.severity);
    let Some(TierView { seats, analysis_s, cap, mode, on_demand }) = rows.map(|row| row.tier).next() else {
        return list(api, set.project.as_deref()).await;
    };
    let tier = TierView {
        seats: set.seats.as_ref().map_or(seats, |given| given.0.clone()),
        analysis_s: set.seconds.unwrap_or(analysis_s),
        cap: if set.no_cap { None } else { set.cap.or(cap) },
        mode: set.mode.unwrap_or(mode),
        on_demand: set.on_demand || (on_demand && !set.always),
    };
    call(api, "save_tier", &SaveTier { root: now.root, severity: set.severity, tier }).await
}

fn root(project: Option<&Path>) -> Result<Option<String>, ApiError> {
    project.map(|dir| Ok(real_folder(dir)?.display().to_string())).transpose()
}
