//! A person's own version of a fix.

use conclave_core::id::CandidateId;
use conclave_engine::edit_fix::{self, Change, EditFixError, Edited, Text};

use crate::api::Api;
use crate::error::{ApiError, ErrorCode};
use crate::show;
use crate::view::{EditFix, FixChange, FixEdited, FixText, FixTexts, GetTexts};

pub(crate) async fn get_texts(api: &Api, request: GetTexts) -> Result<FixTexts, ApiError> {
    let finding = api.finding_id(&request.finding)?;
    let fix = request.fix.map(CandidateId::new);
    let (fix, texts) = edit_fix::texts(api.cx(), &finding, fix.as_ref())?;
    let files = texts.into_iter().map(|Text { path, before, after }| FixText { path, before, after }).collect();
    Ok(FixTexts { fix: fix.to_string(), files })
}

pub(crate) async fn edit_fix(api: &Api, request: EditFix) -> Result<FixEdited, ApiError> {
    let finding = api.finding_id(&request.finding)?;
    let fix = request.fix.map(CandidateId::new);
    let change = match request.change {
        FixChange::Texts { files } => Change::Texts(files.into_iter().map(|file| (file.path, file.text)).collect()),
        FixChange::Patch { text } => Change::Patch(text),
    };
    let Edited { fix, verdict } = edit_fix::edit(api.cx(), &finding, fix.as_ref(), &change).await?;
    Ok(FixEdited {
        finding: finding.to_string(),
        fix: fix.to_string(),
        stopped: verdict.stopped,
        confidence: show::confidence(&verdict.confidence).summary,
    })
}

impl From<EditFixError> for ApiError {
    fn from(error: EditFixError) -> Self {
        let (code, hint) = match error {
            EditFixError::Run(error) => return error.into(),
            EditFixError::Store(error) => return error.into(),
            EditFixError::NoFinding(_) => (ErrorCode::NotFound, "`conclave findings` lists them"),
            EditFixError::NoFix(_) => (ErrorCode::NotFound, "`conclave show` lists the fixes of a finding"),
            EditFixError::Busy(_) => (ErrorCode::BadRequest, "wait for the run, or undo the fix, and edit then"),
            EditFixError::Gone(_) | EditFixError::Changed(_) => {
                (ErrorCode::Changed, "run the finding again, and edit what comes of it")
            }
            EditFixError::Path { .. } | EditFixError::File { .. } => {
                (ErrorCode::BadRequest, "a fix changes text files that are in the project")
            }
            EditFixError::Nothing(_) => (ErrorCode::BadRequest, "change something, or apply a fix that is there"),
            EditFixError::Patch(_) => {
                (ErrorCode::BadRequest, "`conclave export ID --as patch` prints one that fits, to be changed")
            }
        };
        Self::new(code, error.to_string()).with_hint(hint)
    }
}
