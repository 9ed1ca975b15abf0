//! Accepted fixes, written out where the person allows it.

use conclave_engine::learn::training::{self, Example, Piece, TrainingError, Wanted};

use crate::api::Api;
use crate::error::{ApiError, ErrorCode};
use crate::view::{
    ExportTraining, LeftOutView, TRAINING, TrainingCode, TrainingEdit, TrainingExported, TrainingRow, TrainingWeakness,
};

pub(crate) async fn export_training(api: &Api, request: ExportTraining) -> Result<TrainingExported, ApiError> {
    let ExportTraining { path, client, paths } = request;
    let done = training::export(api.cx(), path.as_ref(), Wanted { client, paths }, line).await?;
    let left_out = done.left_out.into_iter().map(|(why, rows)| LeftOutView { rows, why: why.label().to_owned() });
    Ok(TrainingExported { path, rows: done.rows, redactions: done.redactions, left_out: left_out.collect() })
}

fn line(example: &Example) -> Result<String, serde_json::Error> {
    serde_json::to_string(&TrainingRow {
        schema: TRAINING,
        weakness: TrainingWeakness { cwe: example.cwe.clone(), rule: example.rule.clone() },
        language: example.language.map(|language| language.label().to_owned()),
        code: example.pieces.iter().map(code).collect(),
        passed: example.passed.clone(),
        right: example.label.right,
        weight: example.label.weight,
        redactions: example.redactions,
    })
}

fn code(piece: &Piece) -> TrainingCode {
    let edits = piece.edits.iter();
    TrainingCode {
        extension: piece.extension.clone(),
        path: piece.path.clone(),
        first_line: piece.first_line,
        before: piece.before.clone(),
        after: piece.after.clone(),
        edits: edits.map(|edit| TrainingEdit { start: edit.start, end: edit.end, text: edit.text.clone() }).collect(),
    }
}

impl From<TrainingError> for ApiError {
    fn from(error: TrainingError) -> Self {
        let words = error.to_string();
        match error {
            TrainingError::NotAllowed(_) => Self::new(ErrorCode::BadRequest, words)
                .with_hint("write `\"learning\": { \"may_export\": true }` there, and export again"),
            TrainingError::NoClient(_) => {
                Self::new(ErrorCode::NotFound, words).with_hint("`clients` in the settings names them")
            }
            TrainingError::Off(_) => {
                Self::new(ErrorCode::BadRequest, words).with_hint("change that in the settings to have it learned")
            }
            TrainingError::Keys(_) => {
                Self::new(ErrorCode::BadRequest, words).with_hint("unlock the keychain, and export again")
            }
            TrainingError::Spool(_) | TrainingError::Line(_) => Self::new(ErrorCode::Internal, words),
            TrainingError::Denied(denied) => denied.into(),
            TrainingError::Fs(error) => error.into(),
            TrainingError::Store(error) => error.into(),
        }
    }
}
