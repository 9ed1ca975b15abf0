//! How models are, looked at on request, and how their calls went.

use conclave_core::settings::HealthSetting;
use conclave_engine::model_edit;
use conclave_engine::models::{self, AskError, BreakerState, Health, State};

use super::models::{can, kind};
use crate::api::Api;
use crate::error::{ApiError, ErrorCode};
use crate::view::{
    BreakerView, HealthList, HealthState, HealthThresholds, MetricsView, ModelCounts, ModelHealth, ModelList,
    ModelStopped, NamedModel, Nothing, TrialView,
};

pub(crate) async fn check_model(api: &Api, request: NamedModel) -> Result<ModelHealth, ApiError> {
    if let Some(found) = models::check(api.cx(), &request.model).await {
        return Ok(health(found, api.cx().now_ms()));
    }
    Err(turned_off(api, &request.model)?)
}

pub(crate) async fn start_model(api: &Api, request: NamedModel) -> Result<ModelHealth, ApiError> {
    let wrong = |error| match error {
        AskError::Denied(denied) => denied.into(),
        error => ApiError::new(ErrorCode::BadRequest, error.to_string()),
    };
    match models::start(api.cx(), &request.model).await.map_err(wrong)? {
        Some(found) => Ok(health(found, api.cx().now_ms())),
        None => Err(turned_off(api, &request.model)?),
    }
}

pub(crate) async fn stop_model(api: &Api, request: NamedModel) -> Result<ModelStopped, ApiError> {
    match models::stop(api.cx(), &request.model).await {
        true => Ok(ModelStopped { model: request.model }),
        false => Err(turned_off(api, &request.model)?),
    }
}

/// What is said of a model that the settings name and nobody asks.
fn turned_off(api: &Api, model: &str) -> Result<ApiError, ApiError> {
    model_edit::named(api.cx(), model)?;
    let error = ApiError::new(ErrorCode::BadRequest, format!("`{model}` is turned off"));
    Ok(error.with_hint("turn it on in the settings first"))
}

pub(crate) async fn check_models(api: &Api, _: Nothing) -> Result<HealthList, ApiError> {
    let found = models::health(api.cx()).await;
    let now_ms = api.cx().now_ms();
    let models = found.into_iter().map(|found| health(found, now_ms)).collect();
    Ok(HealthList { models, offline: api.offline() })
}

pub(crate) async fn get_metrics(api: &Api, _: Nothing) -> Result<MetricsView, ApiError> {
    let counts = models::counts(api.cx(), 0)?;
    let one = |(model, counts): (&String, &models::Counts)| ModelCounts {
        model: model.clone(),
        calls: counts.calls,
        succeeded: counts.succeeded,
        failed: counts.failed.clone(),
        cache_hits: counts.cache_hits,
        fallbacks: counts.fallbacks,
        success_percent: counts.success_percent(),
        cache_hit_percent: counts.cache_hit_percent(),
        fallback_percent: counts.fallback_percent(),
        average_ms: counts.average_ms(),
    };
    Ok(MetricsView { models: counts.iter().map(one).collect(), prometheus: models::metrics_text(api.cx())? })
}

pub(crate) async fn save_thresholds(api: &Api, request: HealthThresholds) -> Result<ModelList, ApiError> {
    let HealthThresholds { slow_percent, degraded_percent, down_percent } = request;
    let wanted = HealthSetting { slow_percent, degraded_percent, down_percent };
    model_edit::thresholds(api.cx(), &wanted).await?;
    super::models::list_models(api, Nothing {}).await
}

pub(super) fn thresholds(setting: &HealthSetting) -> HealthThresholds {
    let &HealthSetting { slow_percent, degraded_percent, down_percent } = setting;
    HealthThresholds { slow_percent, degraded_percent, down_percent }
}

pub(super) fn health(health: Health, now_ms: i64) -> ModelHealth {
    ModelHealth {
        model: health.name,
        kind: kind(health.kind),
        state: match health.state {
            State::Ok => HealthState::Ok,
            State::Degraded => HealthState::Degraded,
            State::Down => HealthState::Down,
        },
        message: health.message,
        checked_at: health.last_check_ms,
        error_count: health.error_count,
        error_percent: health.error_percent,
        latest_ms: health.latest_ms,
        usual_ms: health.usual_ms,
        breaker: match health.breaker {
            BreakerState::Closed => BreakerView::Closed,
            BreakerState::Open => BreakerView::Open,
            BreakerState::HalfOpen => BreakerView::HalfOpen,
        },
        rests_until: health.rests_ms.and_then(|left| now_ms.checked_add_unsigned(left)),
        warnings: health.found.warnings,
        offered: health.found.models,
        can: can(health.found.can),
        trial: health.trial.map(|trial| TrialView {
            asked: trial.asked,
            answered: trial.answered,
            compared: trial.compared,
            agreed: trial.agreed,
        }),
    }
}
