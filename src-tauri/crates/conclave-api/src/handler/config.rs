//! Settings that a configuration of another program brings.

use std::path::Path;

use conclave_engine::settings_file::{self, Change, ImportError, Plan, Remark};

use crate::api::Api;
use crate::error::ApiError;
use crate::view::{
    CheckConfig, CheckConfigFile, ConfigChange, ConfigCheck, ConfigFileCheck, ConfigImported, ConfigRemark,
    ImportConfig,
};

pub(crate) async fn check_config(api: &Api, request: CheckConfig) -> Result<ConfigCheck, ApiError> {
    match settings_file::plan(api.cx(), &request.config) {
        Ok(Plan { path, digest, after, changes, notes }) => Ok(ConfigCheck {
            faults: Vec::new(),
            notes: notes.into_iter().map(remark).collect(),
            changes: changes.into_iter().map(change).collect(),
            path: Some(path.display().to_string()),
            digest,
            settings: Some(after),
        }),
        Err(ImportError::Config(faults)) => Ok(refused(faults.into_iter().map(remark).collect())),
        Err(error @ ImportError::Settings { .. }) => {
            Ok(refused(vec![ConfigRemark { line: None, text: error.to_string(), loud: true }]))
        }
        Err(error) => Err(error.into()),
    }
}

pub(crate) async fn check_config_file(api: &Api, request: CheckConfigFile) -> Result<ConfigFileCheck, ApiError> {
    let config = api.read_text(Path::new(&request.path)).await?;
    let check = check_config(api, CheckConfig { config: config.clone() }).await?;
    Ok(ConfigFileCheck { config: check.faults.is_empty().then_some(config), check })
}

fn refused(faults: Vec<ConfigRemark>) -> ConfigCheck {
    ConfigCheck { faults, notes: Vec::new(), changes: Vec::new(), path: None, digest: None, settings: None }
}

pub(crate) async fn import_config(api: &Api, request: ImportConfig) -> Result<ConfigImported, ApiError> {
    let imported = settings_file::import(api.cx(), &request.config, request.expected_digest.as_deref()).await?;
    Ok(ConfigImported {
        path: imported.plan.path.display().to_string(),
        changes: imported.plan.changes.into_iter().map(change).collect(),
        notes: imported.plan.notes.into_iter().map(remark).collect(),
        backup: imported.backup.map(|path| path.display().to_string()),
    })
}

fn remark(Remark { line, text, loud }: Remark) -> ConfigRemark {
    ConfigRemark { line: u32::try_from(line).ok().filter(|line| *line > 0), text, loud }
}

fn change(Change { setting, before, after }: Change) -> ConfigChange {
    ConfigChange { setting, before, after }
}
