//! What is known of models behind hosted APIs.

use conclave_core::settings::DialectName;
use conclave_engine::model_list::known::{self, Date, Entry, Host, Preset, Seat, State, Strength};

use super::models::price;
use crate::api::Api;
use crate::error::ApiError;
use crate::view::{
    ApiDialect, KnownHost, KnownModel, KnownModelList, KnownPreset, KnownSeat, KnownState, KnownStrength, Nothing,
};

pub(crate) async fn list_known_models(api: &Api, _: Nothing) -> Result<KnownModelList, ApiError> {
    let today = known::day(api.cx().now_ms());
    let strength = |Strength { id, title, focus, .. }: &Strength| KnownStrength {
        id: id.clone(),
        title: title.clone(),
        focus: focus.clone(),
    };
    let preset = |Preset { id, title, seats }: &Preset| KnownPreset {
        id: id.clone(),
        title: title.clone(),
        seats: seats.iter().filter_map(|seat| seated(seat, today)).collect(),
    };
    Ok(KnownModelList {
        hosts: known::hosts().iter().map(host).collect(),
        models: known::models().iter().map(|entry| model(entry, today)).collect(),
        strengths: known::strengths().iter().map(strength).collect(),
        presets: known::presets().iter().map(preset).collect(),
    })
}

fn host(host: &Host) -> KnownHost {
    KnownHost {
        id: host.id.clone(),
        title: host.title.clone(),
        base_url: host.base_url.clone(),
        dialect: match host.dialect {
            DialectName::Anthropic => ApiDialect::Anthropic,
            DialectName::OpenaiChat => ApiDialect::OpenaiChat,
            DialectName::OpenaiResponses => ApiDialect::OpenaiResponses,
            DialectName::Gemini => ApiDialect::Gemini,
            DialectName::Ollama => ApiDialect::Ollama,
        },
        key_env: host.key_env.clone(),
        usual: host.usual.clone(),
    }
}

fn model(entry: &Entry, today: Date) -> KnownModel {
    let state = known::state(&entry.id, today);
    KnownModel {
        id: entry.id.clone(),
        aliases: entry.aliases.clone(),
        host: entry.host.id.clone(),
        context_tokens: entry.context_tokens,
        output_tokens: entry.output_tokens,
        price: entry.price.clone().map(price),
        strengths: entry.strengths.clone(),
        remark: state.words(&entry.id),
        state: match state {
            State::Living | State::Unknown { .. } => KnownState::Living,
            State::Retires { .. } => KnownState::Retires,
            State::Retired { .. } => KnownState::Retired,
        },
        successor: entry.successor.clone(),
    }
}

/// The place as it is taken on the day `today`; `None` where nobody knows its model, which the list is checked for.
fn seated(Seat { strength, model }: &Seat, today: Date) -> Option<KnownSeat> {
    let entry = known::model(model)?;
    let state = known::state(model, today);
    let is_gone = matches!(state, State::Retired { .. });
    Some(KnownSeat {
        strength: strength.clone(),
        named: model.clone(),
        remark: state.words(model),
        model: entry.successor.clone().filter(|_| is_gone).unwrap_or_else(|| entry.id.clone()),
        host: entry.host.id.clone(),
    })
}
