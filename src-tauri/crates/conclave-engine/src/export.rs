//! Writes findings with their recommended fixes as SARIF.

use conclave_core::finding::{OWN_TOOL, Tool};
use conclave_core::id::FindingId;
use conclave_core::resolution::{Resolution, Verdict};
use conclave_sarif::{OutFile, OutFix, OutResult, OutRun, write};
use conclave_store::{StoreError, StoredFinding};

use crate::ctx::Ctx;

/// Why there is no SARIF.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// Our own database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A stored fix does not fit the text that was kept with it.
    #[error("a fix cannot be written as SARIF: {0}")]
    Write(#[from] std::io::Error),
}

/// One finding with what is needed to write it.
struct Row {
    stored: StoredFinding,
    resolution: Option<Resolution>,
    /// The texts that the recommended fix was written against, in the order of its files.
    texts: Vec<String>,
}

impl Row {
    fn recommended(&self) -> Option<&Verdict> {
        self.resolution.as_ref().and_then(Resolution::recommended)
    }
}

/// `findings` as one SARIF 2.1.0 log; ids that name nothing are left out. `failures` say why it is not all there is.
///
/// # Errors
/// See [`ExportError`].
pub fn sarif(cx: &Ctx, findings: &[FindingId], failures: &[String]) -> Result<String, ExportError> {
    let mut rows = Vec::new();
    for id in findings {
        let Some(stored) = cx.store.finding(id)? else { continue };
        let resolution = cx.store.resolution(id)?;
        let mut row = Row { stored, resolution, texts: Vec::new() };
        row.texts = texts(cx, &row);
        rows.push(row);
    }
    let results: Vec<OutResult<'_>> = rows.iter().map(result).collect();
    let tool = Tool { name: OWN_TOOL.to_owned(), version: Some(env!("CARGO_PKG_VERSION").to_owned()) };
    let mut out = Vec::new();
    write(&mut out, &OutRun { tool: &tool, results: &results, failures })?;
    Ok(String::from_utf8_lossy(&out).into_owned())
}

fn texts(cx: &Ctx, row: &Row) -> Vec<String> {
    let files = row.recommended().map(|verdict| verdict.judged.candidate.patch.files.as_slice()).unwrap_or_default();
    let text = |digest: &str| String::from_utf8(cx.data.blob(digest).ok()?).ok();
    files.iter().map_while(|file| text(file.base.as_str())).collect()
}

fn result(row: &Row) -> OutResult<'_> {
    // A fix whose texts are gone is left out whole rather than written in part.
    let whole = |verdict: &&Verdict| verdict.judged.candidate.patch.files.len() == row.texts.len();
    let fix = row.recommended().filter(whole).map(|verdict| {
        let candidate = &verdict.judged.candidate;
        let files = candidate.patch.files.iter().zip(&row.texts);
        OutFix {
            description: &candidate.title,
            files: files.map(|(file, before)| OutFile { path: &file.path, before, edits: &file.edits }).collect(),
        }
    });
    OutResult {
        finding: &row.stored.finding,
        status: row.stored.status,
        confidence: row.recommended().map(|verdict| &verdict.confidence),
        fix,
    }
}
