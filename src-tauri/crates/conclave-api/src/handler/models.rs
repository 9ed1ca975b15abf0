//! The models of the settings: listed, added, changed, removed, put in order.

use conclave_engine::model_edit::{self, EditError};
use conclave_engine::model_list::{self, Capabilities, Kind, LongPrice, ModelState, OneModel, Price};
use conclave_engine::{ModelClass, keys};

use super::health::{health as shown_health, thresholds};
use crate::api::Api;
use crate::error::{ApiError, ErrorCode};
use crate::view::{
    self, CapabilitiesView, KeySource, LongPriceView, ModelKind, ModelList, ModelRemoved, ModelRow, ModelSaved,
    ModelSettingView, NamedModel, Nothing, OrderModels, PriceView, SaveModel, WorkerView,
};

pub(crate) async fn list_models(api: &Api, _: Nothing) -> Result<ModelList, ApiError> {
    let list = model_list::list(api.cx())?;
    let remedy = "install Conclave\u{2019}s package with `conclave-local`, or say where it is in `CONCLAVE_LOCAL`";
    let worker = WorkerView {
        remedy: list.worker.is_none().then(|| remedy.to_owned()),
        found: list.worker.map(|path| path.display().to_string()),
    };
    let now_ms = api.cx().now_ms();
    let models = list.models.into_iter().map(|state| row(state, now_ms)).collect::<Result<_, _>>()?;
    let thresholds = thresholds(&api.cx().settings().health);
    Ok(ModelList { models, notices: list.notices, worker, offline: api.offline(), thresholds })
}

fn row(state: ModelState, now_ms: i64) -> Result<ModelRow, ApiError> {
    let (enabled, trial) = state.setting.switches();
    let info = state.info;
    Ok(ModelRow {
        name: info.name,
        kind: kind(info.kind),
        model: info.model,
        place: info.place,
        host: info.host,
        class: class(state.class.unwrap_or(ModelClass::Hosted)),
        class_known: state.class.is_some(),
        enabled,
        trial,
        position: state.position,
        may_send_code: info.may_send_code,
        price: info.price.map(price),
        can: can(info.can),
        key: match state.key {
            keys::KeySource::Keychain => KeySource::Keychain,
            keys::KeySource::Environment { variable, set } => KeySource::Environment { variable, set },
            keys::KeySource::None => KeySource::None,
        },
        loaded: state.loaded,
        tiers: state.tiers,
        calls: state.spend.calls,
        spent: state.spend.spent,
        spent_this_month: state.month.spent,
        health: state.health.map(|health| shown_health(health, now_ms)),
        warnings: state.warnings,
        setting: shown(&state.setting)?,
    })
}

pub(super) fn price(price: Price) -> PriceView {
    let Price { input, output, cached, dated, long } = price;
    let long = long.map(|LongPrice { above_tokens, input, output, cached }| LongPriceView {
        above_tokens,
        input,
        output,
        cached,
    });
    PriceView { input, output, cached, dated, long }
}

pub(super) fn kind(kind: Kind) -> ModelKind {
    match kind {
        Kind::Api => ModelKind::Api,
        Kind::Cli => ModelKind::Cli,
        Kind::McpSampling => ModelKind::McpSampling,
        Kind::Local => ModelKind::Local,
    }
}

pub(super) fn class(class: ModelClass) -> view::ModelClass {
    match class {
        ModelClass::Local => view::ModelClass::Local,
        ModelClass::Hosted => view::ModelClass::Hosted,
    }
}

pub(super) fn can(can: Capabilities) -> CapabilitiesView {
    CapabilitiesView {
        schema: can.schema,
        log_probabilities: can.log_probabilities,
        usage: can.usage,
        context_tokens: can.context_tokens,
    }
}

/// A setting as it crosses the boundary: both sides have the fields of the settings file.
fn shown(setting: &OneModel) -> Result<ModelSettingView, ApiError> {
    serde_json::to_value(setting).and_then(serde_json::from_value).map_err(|error| {
        ApiError::new(ErrorCode::Internal, "a setting cannot be shown").with_details(error.to_string())
    })
}

fn given(setting: &ModelSettingView) -> Result<OneModel, ApiError> {
    serde_json::to_value(setting).and_then(serde_json::from_value).map_err(|error| {
        ApiError::new(ErrorCode::BadRequest, "this is no setting of a model").with_details(error.to_string())
    })
}

pub(crate) async fn save_model(api: &Api, request: SaveModel) -> Result<ModelSaved, ApiError> {
    let model = given(&request.model)?;
    model_edit::save(api.cx(), &model, request.replaces.as_deref()).await?;
    Ok(ModelSaved { model: model.name().to_owned() })
}

pub(crate) async fn remove_model(api: &Api, request: NamedModel) -> Result<ModelRemoved, ApiError> {
    let also = model_edit::remove(api.cx(), &request.model).await?;
    Ok(ModelRemoved { model: request.model, also })
}

pub(crate) async fn order_models(api: &Api, request: OrderModels) -> Result<ModelList, ApiError> {
    model_edit::order(api.cx(), &request.models).await?;
    list_models(api, Nothing {}).await
}

impl From<EditError> for ApiError {
    fn from(error: EditError) -> Self {
        match error {
            EditError::Denied(denied) => denied.into(),
            EditError::Fs(error) => error.into(),
            EditError::Unknown(_) => Self::new(ErrorCode::NotFound, error.to_string()),
            EditError::Unreadable { ref path, ref detail } => Self::new(ErrorCode::BadRequest, error.to_string())
                .with_hint(format!("correct `{}` first; nothing was changed", path.display()))
                .with_details(detail.clone()),
            EditError::Wrong(_) | EditError::InUse { .. } => {
                Self::new(ErrorCode::BadRequest, error.to_string()).with_hint("your settings are as they were")
            }
        }
    }
}
