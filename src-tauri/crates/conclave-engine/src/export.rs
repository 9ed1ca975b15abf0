//! Writes findings with their recommended fixes as SARIF, and one fix as a patch or as the text of a pull request.

mod mail;
mod request;
#[cfg(test)]
mod tests;

use conclave_core::finding::{Finding, OWN_TOOL, Tool};
use conclave_core::id::{CandidateId, FindingId};
use conclave_core::resolution::{Resolution, Verdict};
use conclave_sarif::{OutFile, OutFix, OutResult, OutRun, write};
use conclave_store::{StoreError, StoredFinding};

use crate::ctx::Ctx;
pub(crate) use mail::{decoded, unquoted};

/// Why nothing is written out.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// Our own database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A stored fix does not fit the text that was kept with it.
    #[error("a fix cannot be written as SARIF: {0}")]
    Write(#[from] std::io::Error),
    /// There is no such fix, or none is recommended.
    #[error("{0}")]
    NoFix(String),
    /// The texts that the fix was written against are gone.
    #[error("what `{0}` was before the fix is not kept any more")]
    Gone(String),
}

/// In which form one fix is written out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A patch with a commit message, as `git am` takes it.
    Patch,
    /// The title and the text of a pull request, in Markdown.
    PullRequest,
}

/// One fix, written out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exported {
    /// A name for the file.
    pub name: String,
    /// The text.
    pub text: String,
}

/// What is written out of one fix.
struct Subject<'a> {
    finding: &'a Finding,
    resolution: &'a Resolution,
    verdict: &'a Verdict,
    is_recommended: bool,
}

/// The fix `candidate` of `finding`, or the recommended one, in `form`.
///
/// # Errors
/// See [`ExportError`].
pub fn fix(
    cx: &Ctx,
    finding: &FindingId,
    candidate: Option<&CandidateId>,
    form: Form,
) -> Result<Exported, ExportError> {
    let no_fix = |what: &str| ExportError::NoFix(what.to_owned());
    let stored = cx.store.finding(finding)?.ok_or_else(|| no_fix("the finding is gone"))?;
    let resolution = cx.store.resolution(finding)?.ok_or_else(|| no_fix("no fix has been looked for yet"))?;
    let recommended = resolution.recommended();
    let verdict = match candidate {
        Some(id) => resolution.verdict(id).ok_or_else(|| no_fix("the last run gave no such fix"))?,
        None => recommended.ok_or_else(|| no_fix("no fix is recommended"))?,
    };
    let is_recommended = recommended.is_some_and(|best| best.judged.candidate.id == verdict.judged.candidate.id);
    let subject = Subject { finding: &stored.finding, resolution: &resolution, verdict, is_recommended };
    let id = finding.as_str().get(..8).unwrap_or(finding.as_str());
    Ok(match form {
        Form::Patch => {
            let mut files = Vec::new();
            for file in &verdict.judged.candidate.patch.files {
                let gone = || ExportError::Gone(file.path.to_string());
                let before = cx.data.blob(file.base.as_str()).map_err(|_| gone())?;
                let after = file.apply(&before).map_err(|_| gone())?;
                let text = |bytes| String::from_utf8(bytes).map_err(|_| gone());
                files.push((file.path.as_str(), text(before)?, text(after)?));
            }
            Exported { name: format!("conclave-{id}.patch"), text: mail::written(&subject, &files, cx.now_ms()) }
        }
        Form::PullRequest => Exported { name: format!("conclave-{id}.md"), text: request::written(&subject) },
    })
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
