//! The servers of tools: listed, added, imported, looked at, approved, removed.

use conclave_core::settings::McpServer;
use conclave_engine::tool_servers::{self, ApproveError, ServerState, Standing};

use crate::api::Api;
use crate::error::{ApiError, ErrorCode};
use crate::view::{
    AddToolServer, ApproveToolServer, ImportToolServers, ImportedToolServer, NamedToolServer, Nothing, ToolOfServer,
    ToolServerChecked, ToolServerList, ToolServerRemoved, ToolServerStanding, ToolServerView, ToolServersImported,
};

pub(crate) async fn list_tools(api: &Api, _: Nothing) -> Result<ToolServerList, ApiError> {
    Ok(ToolServerList { servers: tool_servers::list(api.cx())?.into_iter().map(view).collect() })
}

pub(crate) async fn add_tool_server(api: &Api, request: AddToolServer) -> Result<ToolServerView, ApiError> {
    let plain = McpServer::default();
    let setting = McpServer {
        command: request.command,
        args: request.args,
        env: request.env,
        url: request.url,
        key: request.key,
        reaches: request.reaches,
        serves: request.serves,
        timeout_ms: request.timeout_ms.map_or(plain.timeout_ms, u64::from),
        enabled: request.enabled.unwrap_or(plain.enabled),
    };
    tool_servers::save(api.cx(), &request.name, &setting).await?;
    Ok(view(tool_servers::named(api.cx(), &request.name)?))
}

pub(crate) async fn import_tool_servers(
    api: &Api,
    request: ImportToolServers,
) -> Result<ToolServersImported, ApiError> {
    let all = tool_servers::import(api.cx(), &request.config, request.dry_run).await?;
    let one = |(server, added): (tool_servers::Imported, bool)| ImportedToolServer {
        name: server.name,
        added,
        remarks: server.remarks,
    };
    Ok(ToolServersImported { servers: all.into_iter().map(one).collect(), dry_run: request.dry_run })
}

pub(crate) async fn check_tool_server(api: &Api, request: NamedToolServer) -> Result<ToolServerChecked, ApiError> {
    let looked = tool_servers::look(api.cx(), &request.name).await?;
    Ok(ToolServerChecked { server: view(looked.state), failed: looked.failed, refused: looked.refused })
}

pub(crate) async fn approve_tool_server(api: &Api, request: ApproveToolServer) -> Result<ToolServerView, ApiError> {
    tool_servers::approve(api.cx(), &request.name, &request.digest).await?;
    Ok(view(tool_servers::named(api.cx(), &request.name)?))
}

pub(crate) async fn remove_tool_server(api: &Api, request: NamedToolServer) -> Result<ToolServerRemoved, ApiError> {
    tool_servers::remove(api.cx(), &request.name).await?;
    Ok(ToolServerRemoved { name: request.name })
}

fn view(state: ServerState) -> ToolServerView {
    let ServerState { name, setting, standing, called, instructions, tools, differences, digest, .. } = state;
    ToolServerView {
        name,
        command: setting.command,
        args: setting.args,
        env: setting.env,
        url: setting.url,
        key: setting.key,
        has_key: state.has_key,
        reaches: setting.reaches,
        serves: setting.serves,
        timeout_ms: u32::try_from(setting.timeout_ms).unwrap_or(u32::MAX),
        enabled: setting.enabled,
        standing: match standing {
            Standing::Off => ToolServerStanding::Off,
            Standing::Unseen => ToolServerStanding::Unseen,
            Standing::NotApproved => ToolServerStanding::NotApproved,
            Standing::Approved => ToolServerStanding::Approved,
            Standing::Changed => ToolServerStanding::Changed,
        },
        called,
        instructions,
        tools: tools
            .into_iter()
            .map(|tool| ToolOfServer { name: tool.name, description: tool.description, read_only: tool.read_only })
            .collect(),
        differences,
        digest,
        seen_at: state.seen_at_ms,
        approved_at: state.approved_at_ms,
        warning: state.warning,
    }
}

impl From<ApproveError> for ApiError {
    fn from(error: ApproveError) -> Self {
        match error {
            ApproveError::Edit(error) => error.into(),
            ApproveError::Store(error) => error.into(),
            ApproveError::Changed(_) => Self::new(ErrorCode::Changed, error.to_string()),
            ApproveError::Denied { .. } => Self::new(ErrorCode::Denied, error.to_string()),
        }
    }
}
