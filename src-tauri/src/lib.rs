//! The window: Tauri around the same core that the command line uses.
//!
//! Deliberately absent: business logic. The page reaches Conclave through `rpc` and `subscribe` and nothing else.

mod rpc;
mod window;

use anyhow::Context as _;
use conclave_api::{Api, Options, default_data_dir};

/// Opens the window and returns when it is closed.
///
/// # Errors
/// The data folder cannot be used, or there is no display.
pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let data_dir = arguments
        .data_dir
        .clone()
        .or_else(default_data_dir)
        .context("there is no folder for Conclave\u{2019}s data")?;
    let data_dir = match arguments.workspace.as_deref().filter(|name| !name.is_empty()) {
        Some(name) => conclave_api::clients::folder(&data_dir, name)?,
        None => data_dir,
    };
    let runtime = tokio::runtime::Runtime::new().context("no threads to work with")?;
    tauri::async_runtime::set(runtime.handle().clone());
    let guard = runtime.enter();
    let api = Api::open(&Options { data_dir, offline: arguments.offline })?;
    api.start();
    drop(guard);
    if arguments.demo {
        runtime.block_on(conclave_api::commands::dispatch(&api, "open_demo", serde_json::json!({})))?;
    }
    let app = tauri::Builder::default()
        .manage(api.clone())
        .invoke_handler(tauri::generate_handler![rpc::rpc, rpc::subscribe])
        .setup(|app| window::open(app).map_err(Into::into))
        .build(tauri::generate_context!("tauri.conf.json"))
        .context("the window cannot be opened; is there a display?")?;
    app.run(move |_, event| {
        if matches!(event, tauri::RunEvent::Exit) {
            api.stop();
        }
    });
    Ok(())
}

/// What `--help` says.
pub const USAGE: &str = "\
Opens Conclave's window. `conclave` is the same core for terminals and scripts.

Usage: conclave-app [--data-dir DIR] [--workspace CLIENT] [--offline] [--demo]

  --data-dir DIR  keep everything of Conclave's own in this folder [env: CONCLAVE_HOME]
  --workspace CLIENT
                  work for this client, in a folder of its own [env: CONCLAVE_WORKSPACE]
  --offline       refuse every connection, even to a model on this machine
  --demo          open the bundled sample project";

/// What the program was started with.
#[derive(Clone, Debug, Default)]
pub struct Arguments {
    /// `--data-dir DIR`.
    pub data_dir: Option<std::path::PathBuf>,
    /// `--workspace CLIENT`.
    pub workspace: Option<String>,
    /// `--offline`.
    pub offline: bool,
    /// `--demo`: open the bundled sample project.
    pub demo: bool,
}

impl Arguments {
    /// Reads the command line; `CONCLAVE_HOME` and `CONCLAVE_WORKSPACE` say what `--data-dir` and `--workspace` do not.
    ///
    /// # Errors
    /// An argument that is not known.
    pub fn parse(words: impl IntoIterator<Item = String>) -> anyhow::Result<Self> {
        let data_dir = std::env::var_os("CONCLAVE_HOME").map(Into::into);
        let workspace = std::env::var("CONCLAVE_WORKSPACE").ok();
        let mut arguments = Self { data_dir, workspace, ..Self::default() };
        let mut words = words.into_iter();
        while let Some(word) = words.next() {
            match word.as_str() {
                "--data-dir" => arguments.data_dir = Some(words.next().context("`--data-dir` wants a folder")?.into()),
                "--workspace" => arguments.workspace = Some(words.next().context("`--workspace` wants a name")?),
                "--offline" => arguments.offline = true,
                "--demo" => arguments.demo = true,
                _ => anyhow::bail!("`{word}` is not known; `conclave-app --help` says what is"),
            }
        }
        Ok(arguments)
    }
}
