//! `conclave edit`.

use std::io::IsTerminal as _;

use conclave_api::Api;
use conclave_api::error::{ApiError, ErrorCode};
use conclave_api::view::{EditFix, FixChange, FixEdited};

use super::{call, stdin, text};
use crate::args::Edit;
use crate::exit::Exit;
use crate::output::Output;

/// A version that a check speaks against is kept, and is no success.
pub(super) async fn run(api: &Api, output: &Output, edit: &Edit) -> Result<Exit, ApiError> {
    let fix = edit.fix.as_ref().map(|fix| format!(" --fix {fix}")).unwrap_or_default();
    let how = format!(
        "`conclave export {id}{fix} --as patch > fix.patch`, change that file, then \
         `conclave edit {id}{fix} --patch fix.patch`",
        id = edit.id
    );
    let patch = match &edit.patch {
        Some(file) => text(api, file, &how).await?,
        None if std::io::stdin().is_terminal() => {
            return Err(ApiError::new(ErrorCode::BadRequest, "no patch was given").with_hint(how));
        }
        None => stdin::read(&how)?,
    };
    let change = FixChange::Patch { text: patch };
    let request = EditFix { finding: edit.id.clone(), fix: edit.fix.clone(), change };
    let view: FixEdited = call(api, "edit_fix", &request).await?;
    output.edited(&view);
    Ok(if view.stopped.is_none() { Exit::Done } else { Exit::Usage })
}
