//! `conclave tools`. What a server is allowed to be is shown before it is asked for.

use std::io::{BufRead as _, IsTerminal as _, Read as _, Write as _};

use conclave_api::Api;
use conclave_api::error::{ApiError, ErrorCode};
use conclave_api::view::{
    AddToolServer, ApproveToolServer, ImportToolServers, MemoryExported, MemoryFile, MemoryImported, NamedToolServer,
    Nothing, ToolServerChecked, ToolServerList, ToolServerRemoved, ToolServerStanding, ToolServerView,
    ToolServersImported,
};

use super::{call, name, text};
use crate::args::{AddTool, Memory, Tools};
use crate::exit::Exit;
use crate::output::Output;

/// Longest answer that is read, in bytes.
const LONGEST_ANSWER: u64 = 100;

pub(super) async fn run(api: &Api, output: &Output, command: &Tools) -> Result<Exit, ApiError> {
    match command {
        Tools::List => {
            let view: ToolServerList = call(api, "list_tools", &Nothing {}).await?;
            output.tool_servers(&view);
        }
        Tools::Add(add) => {
            let view: ToolServerView = call(api, "add_tool_server", &setting(add)).await?;
            output.tool_server(&view);
        }
        Tools::Import { file, dry_run } => {
            let config = text(api, file, "name a client\u{2019}s configuration that you may read").await?;
            let request = ImportToolServers { config, dry_run: *dry_run };
            let view: ToolServersImported = call(api, "import_tool_servers", &request).await?;
            output.tool_servers_imported(&view);
        }
        Tools::Approve { name, digest } => return approve(api, output, name, digest.as_deref()).await,
        Tools::Remove { name } => {
            let view: ToolServerRemoved =
                call(api, "remove_tool_server", &NamedToolServer { name: name.clone() }).await?;
            output.tool_server_removed(&view);
        }
        Tools::Memory { command } => return memory(api, output, command).await,
        Tools::Test { name } => {
            let view = look(api, name).await?;
            output.tool_server_checked(&view);
            return Ok(standing(&view));
        }
    }
    Ok(Exit::Done)
}

/// A file of which nothing was taken in is not what was asked for.
async fn memory(api: &Api, output: &Output, command: &Memory) -> Result<Exit, ApiError> {
    match command {
        Memory::Export { file, client } => {
            let request = MemoryFile { path: name(file)?, client: client.clone() };
            let view: MemoryExported = call(api, "export_memory", &request).await?;
            output.memory_exported(&view);
            Ok(Exit::Done)
        }
        Memory::Import { file, client } => {
            let request = MemoryFile { path: name(file)?, client: client.clone() };
            let view: MemoryImported = call(api, "import_memory", &request).await?;
            output.memory_imported(&view);
            Ok(if view.complaints.is_empty() { Exit::Done } else { Exit::Usage })
        }
    }
}

async fn look(api: &Api, name: &str) -> Result<ToolServerChecked, ApiError> {
    call(api, "check_tool_server", &NamedToolServer { name: name.to_owned() }).await
}

/// One that cannot be seen or used is an answer to the question, and not a good one.
fn standing(view: &ToolServerChecked) -> Exit {
    let is_good = view.failed.is_none() && view.server.standing == ToolServerStanding::Approved;
    if is_good { Exit::Done } else { Exit::Usage }
}

async fn approve(api: &Api, output: &Output, name: &str, digest: Option<&str>) -> Result<Exit, ApiError> {
    let digest = match digest {
        Some(digest) => digest.to_owned(),
        None => {
            let view = look(api, name).await?;
            if let Some(why) = view.failed {
                return Err(ApiError::new(ErrorCode::BadRequest, format!("`{name}` cannot be seen: {why}")));
            }
            let Some(digest) = view.server.digest.clone() else {
                return Err(ApiError::new(ErrorCode::BadRequest, format!("nothing was seen of `{name}`")));
            };
            if !std::io::stdin().is_terminal() {
                let hint = format!("`conclave tools test {name}` shows it; then say `--digest {digest}`");
                return Err(ApiError::new(ErrorCode::BadRequest, "nobody is here to approve it").with_hint(hint));
            }
            output.tool_server_checked(&view);
            if !agreed(name) {
                return Ok(Exit::Usage);
            }
            digest
        }
    };
    let request = ApproveToolServer { name: name.to_owned(), digest };
    let view: ToolServerView = call(api, "approve_tool_server", &request).await?;
    output.tool_server(&view);
    Ok(Exit::Done)
}

fn agreed(name: &str) -> bool {
    let mut answer = String::new();
    let asked = write!(std::io::stderr(), "Let `{name}` be used as it is now? [y/N] ");
    let read = asked.and_then(|()| std::io::stdin().lock().take(LONGEST_ANSWER).read_line(&mut answer));
    read.is_ok() && matches!(answer.trim(), "y" | "Y" | "yes")
}

fn setting(add: &AddTool) -> AddToolServer {
    let mut command = add.command.clone();
    let program = (!command.is_empty()).then(|| command.remove(0));
    AddToolServer {
        name: add.name.clone(),
        command: program,
        args: command,
        env: add.env.iter().cloned().collect(),
        url: add.url.clone(),
        key: add.key.clone(),
        reaches: add.reaches.clone(),
        serves: add.serves.map(Into::into),
        timeout_ms: add.timeout_ms,
        enabled: None,
    }
}
