//! How much effort findings get, everywhere and by project.

use conclave_core::tier::Tier;
use conclave_engine::tiers::{self, Standing, TierError};

use super::commands::folder;
use crate::api::Api;
use crate::error::{ApiError, ErrorCode};
use crate::view::{GetTiers, ResetTiers, SaveTier, TierList, TierRow, TierView};

pub(crate) async fn get_tiers(api: &Api, request: GetTiers) -> Result<TierList, ApiError> {
    let root = real(request.root)?;
    Ok(list(api, root))
}

pub(crate) async fn save_tier(api: &Api, request: SaveTier) -> Result<TierList, ApiError> {
    let root = real(request.root)?;
    let TierView { seats, analysis_s, cap, mode, on_demand } = request.tier;
    let tier = Tier { seats, analysis_s, cap, mode, on_demand };
    tiers::save(api.cx(), root.as_deref(), request.severity, &tier).await?;
    Ok(list(api, root))
}

pub(crate) async fn reset_tiers(api: &Api, request: ResetTiers) -> Result<TierList, ApiError> {
    let root = real(request.root)?;
    tiers::reset(api.cx(), root.as_deref(), request.severity).await?;
    Ok(list(api, root))
}

fn real(root: Option<String>) -> Result<Option<String>, ApiError> {
    root.map(|root| Ok(folder(&root)?.display().to_string())).transpose()
}

fn list(api: &Api, root: Option<String>) -> TierList {
    let settings = api.cx().settings();
    let row = |one: Standing| TierRow {
        severity: one.severity,
        tier: show(one.tier),
        own: one.is_own,
        inherited: show(one.inherited),
    };
    let tiers = tiers::standing(&settings, root.as_deref()).into_iter().map(row).collect();
    TierList { root, tiers, projects: settings.project_tiers.keys().cloned().collect() }
}

fn show(tier: Tier) -> TierView {
    let Tier { seats, analysis_s, cap, mode, on_demand } = tier;
    TierView { seats, analysis_s, cap, mode, on_demand }
}

impl From<TierError> for ApiError {
    fn from(error: TierError) -> Self {
        match error {
            TierError::Edit(error) => error.into(),
            TierError::Fault(_) => {
                Self::new(ErrorCode::BadRequest, error.to_string()).with_hint("your settings are as they were")
            }
            TierError::NotSet(_) => {
                Self::new(ErrorCode::NotFound, error.to_string()).with_hint("`conclave tiers` shows what is set")
            }
        }
    }
}
