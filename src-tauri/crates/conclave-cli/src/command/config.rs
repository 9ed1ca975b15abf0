//! `conclave config`.

use std::path::Path;

use conclave_api::Api;
use conclave_api::error::ApiError;
use conclave_api::view::{CheckConfig, ConfigCheck, ConfigImported, ImportConfig};

use super::{call, text};
use crate::args::Config;
use crate::exit::Exit;
use crate::output::Output;

/// What to do about a file in which no configuration can be looked for.
const NAME_A_CONFIG: &str =
    "name a text file that you may read; the smallest configuration is one line, `inference: { timeout_seconds: 10 }`";

pub(super) async fn run(api: &Api, output: &Output, command: &Config) -> Result<Exit, ApiError> {
    let (Config::Check { file } | Config::Import { file, .. }) = command;
    let (config, view) = check(api, file).await?;
    if !view.faults.is_empty() || !matches!(command, Config::Import { yes: true, .. }) {
        output.config_check(&view, matches!(command, Config::Import { .. }));
        return Ok(if view.faults.is_empty() { Exit::Done } else { Exit::Usage });
    }
    let request = ImportConfig { config, expected_digest: view.digest };
    let view: ConfigImported = call(api, "import_config", &request).await?;
    output.config_imported(&view);
    Ok(Exit::Done)
}

async fn check(api: &Api, file: &Path) -> Result<(String, ConfigCheck), ApiError> {
    let config = text(api, file, NAME_A_CONFIG).await?;
    let view = call(api, "check_config", &CheckConfig { config: config.clone() }).await?;
    Ok((config, view))
}
