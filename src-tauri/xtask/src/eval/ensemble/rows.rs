//! Rows of a corpus: one answer of one model to one task, with what became of it.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use sha2::{Digest, Sha256};

/// One answer.
#[derive(Clone, Debug, Deserialize)]
pub struct Row {
    pub task: String,
    pub variant: String,
    pub model: String,
    pub sample: u32,
    /// A digest of the answer, normalised: answers with one digest come to the same.
    pub norm: String,
    pub n_tok: u32,
    /// Whether the tests pass.
    pub plausible: bool,
    /// Whether people hold it for right; `None` where nobody looked.
    pub correct: Option<bool>,
}

/// Which answers may be chosen from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pool {
    /// All.
    All,
    /// One of each model.
    First,
    /// Those that pass the tests.
    Plausible,
}

/// What counts as right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Label {
    /// The tests pass.
    Plausible,
    /// People hold it for right.
    Correct,
}

/// One answer that may be chosen.
#[derive(Clone, Debug)]
pub struct Answer {
    pub row: Row,
    pub right: bool,
}

/// A task with its answers, at least one.
#[derive(Clone, Debug)]
pub struct Task {
    /// The bug; its variants are never parted by a split.
    pub name: String,
    pub answers: Vec<Answer>,
}

/// The rows of the file at `path`, with its SHA-256.
pub fn read(path: &Path) -> Result<(Vec<Row>, String)> {
    let bytes = std::fs::read(path).with_context(|| format!("`{}`", path.display()))?;
    let unpacked = Command::new("gzip").arg("-dc").arg(path).output().context("gzip")?;
    ensure!(unpacked.status.success(), "`{}` cannot be unpacked", path.display());
    let text = String::from_utf8(unpacked.stdout)?;
    let rows = text.lines().map(serde_json::from_str).collect::<Result<Vec<Row>, _>>()?;
    let digest = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    Ok((rows, digest))
}

/// The tasks of `rows`. Where every task counts, one without an answer has an empty list.
pub fn tasks(rows: &[Row], pool: Pool, label: Label) -> Vec<Task> {
    let mut tasks: BTreeMap<(String, String), Vec<Answer>> = BTreeMap::new();
    for row in rows {
        let key = (row.task.clone(), row.variant.clone());
        if pool != Pool::Plausible {
            tasks.entry(key.clone()).or_default();
        }
        let right = match label {
            Label::Plausible => Some(row.plausible),
            Label::Correct => row.correct,
        };
        if let (Some(right), true) = (right, pool != Pool::Plausible || row.plausible) {
            tasks.entry(key).or_default().push(Answer { row: row.clone(), right });
        }
    }
    if pool == Pool::First {
        for answers in tasks.values_mut() {
            answers.sort_by(|a, b| (&a.row.model, a.row.sample).cmp(&(&b.row.model, b.row.sample)));
            answers.dedup_by(|later, first| later.row.model == first.row.model);
        }
    }
    tasks.into_iter().map(|((name, _), answers)| Task { name, answers }).collect()
}
