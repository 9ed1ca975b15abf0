//! Servers on this machine and model files, looked at on request.

use std::path::Path;

use conclave_engine::servers::{self, Found, Kind};

use super::models::{can, class};
use crate::api::Api;
use crate::error::{ApiError, ErrorCode};
use crate::view::{
    ApiDialect, DiscoveredList, InspectFile, LocalFileView, LookView, Nothing, OfferedView, ServerKind, ServerView,
};

pub(crate) async fn discover_servers(api: &Api, _: Nothing) -> Result<DiscoveredList, ApiError> {
    let found = servers::discover(api.cx()).await;
    let none = "start Ollama, LM Studio or `llama-server`, or name the address of another one as a model\u{2019}s";
    let remedy = match (api.offline(), found.servers.is_empty()) {
        (true, _) => Some("nobody was asked: Conclave is offline; start it without `--offline`".to_owned()),
        (false, true) => Some(none.to_owned()),
        (false, false) => None,
    };
    let looked_at = found.looks.iter().map(|(origin, found)| LookView { origin: origin.clone(), found: found.clone() });
    Ok(DiscoveredList {
        looked_at: looked_at.collect(),
        servers: found.servers.into_iter().map(server).collect(),
        remedy,
    })
}

fn server(Found { server, settings }: Found) -> ServerView {
    let base_url = server.base_url();
    let models = server.models.into_iter().zip(settings).map(|(model, setting)| OfferedView {
        id: model.id,
        class: class(model.class),
        can: can(model.can),
        setting,
    });
    ServerView {
        kind: match server.kind {
            Kind::Ollama => ServerKind::Ollama,
            Kind::LmStudio => ServerKind::LmStudio,
            Kind::LlamaCpp => ServerKind::LlamaCpp,
            Kind::Other => ServerKind::Other,
        },
        dialect: match server.kind {
            Kind::Ollama => ApiDialect::Ollama,
            Kind::LmStudio | Kind::LlamaCpp | Kind::Other => ApiDialect::OpenaiChat,
        },
        models: models.collect(),
        origin: server.origin,
        base_url,
        version: server.version,
        wants_key: server.wants_key,
    }
}

pub(crate) async fn inspect_file(api: &Api, request: InspectFile) -> Result<LocalFileView, ApiError> {
    let looked = servers::inspect(api.cx(), Path::new(&request.path), request.context_tokens).await;
    let file = looked.map_err(|error| ApiError::new(ErrorCode::BadRequest, error.to_string()))?;
    Ok(LocalFileView {
        name: file.name,
        architecture: file.architecture,
        parameters: file.parameters,
        quantisation: file.quantisation,
        licence: file.licence,
        trained_context: file.trained_context,
        chat_template: file.chat_template,
        size_bytes: file.size_bytes,
        context_tokens: file.context,
        memory_bytes: file.memory_bytes,
    })
}
