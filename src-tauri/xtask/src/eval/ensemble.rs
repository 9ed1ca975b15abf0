//! Choosing one fix of many models' and saying how sure one is, on public repair data: ours beside votes and a stacker.
//!
//! All selectors see the same rows; whatever is fitted is fitted on tasks that it is not scored on. The corpora are not
//! part of the repository: `CONCLAVE_CORPORA` names their folder.

pub(super) mod baselines;
mod fit;
pub(super) mod measure;
pub(super) mod ours;
pub(super) mod rows;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};

use crate::log::Log;
use crate::place::Place;
use crate::step::{Done, Step, run_all};

use measure::Choice;
use ours::Fitted;
use rows::{Label, Pool, Task};

/// What is measured: a file, the answers that may be chosen, what counts as right.
pub(super) const SETS: [(&str, Pool, Label, &str); 3] = [
    ("humaneval-java", Pool::Plausible, Label::Correct, "after the tests pass"),
    ("humaneval-java", Pool::First, Label::Correct, "one answer of each model"),
    ("swe-lite", Pool::All, Label::Plausible, "one answer of each system"),
];
/// Tasks are split into so many parts; each is scored by what was fitted on the others.
const FOLDS: usize = 5;
const SEED: u64 = 7;

type Selector = fn(&[&Task], &[&Task]) -> Vec<Choice>;
const SELECTORS: [(&str, Selector); 7] = [
    ("best single model", baselines::best_single),
    ("its own samples", baselines::own_samples),
    ("record alone", baselines::record_only),
    ("plurality", baselines::plurality),
    ("weighted vote", baselines::weighted),
    ("stacker", baselines::stacker),
    ("ours", |train, test| ours::choose(&ours::fit(train), test)),
];

/// Where the fits on all tasks stand, as data.
const FITS: &str = "src-tauri/xtask/src/eval/ensemble.json";

/// What was fitted on all tasks of a set. It is from public repair data and says nothing of anybody's own history.
#[derive(Serialize, Deserialize)]
struct Fit {
    set: String,
    /// The SHA-256 of the file.
    digest: String,
    tasks: usize,
    fitted: Fitted,
}

/// Whether the stored fits are these, where they are of the same files; `UPDATE_FITS` writes them anew.
fn compare(path: &Path, fits: &[Fit]) -> Result<()> {
    if std::env::var_os("UPDATE_FITS").is_some() {
        let text = serde_json::to_string_pretty(fits)?;
        return std::fs::write(path, text + "\n").with_context(|| format!("`{}`", path.display()));
    }
    let text = std::fs::read_to_string(path).with_context(|| format!("`{}`", path.display()))?;
    let stored: Vec<Fit> = serde_json::from_str(&text)?;
    for fit in fits {
        let Some(old) = stored.iter().find(|old| (&old.set, &old.digest) == (&fit.set, &fit.digest)) else { continue };
        let weights = old.fitted.weights.iter().zip(&fit.fitted.weights);
        let lines = old.fitted.line.iter().zip(&fit.fitted.line);
        let apart = weights.chain(lines).any(|(old, new)| (old - new).abs() > 1e-6);
        ensure!(!apart, "the stored fit of `{}` is another: UPDATE_FITS=1 cargo xtask eval ensemble", fit.set);
    }
    Ok(())
}

/// `cargo xtask eval ensemble`.
pub fn run(place: &Place) -> Result<ExitCode> {
    run_all(
        place,
        &[&Step { name: "eval-ensemble", title: "one fix of many models', on public repair data", run: step }],
    )
}

/// Where the corpora are.
pub(super) fn folder() -> Option<PathBuf> {
    std::env::var_os("CONCLAVE_CORPORA").map(PathBuf::from)
}

/// The same among the tests.
pub fn step(place: &Place, log: &mut Log) -> Result<Done> {
    let Some(folder) = folder() else {
        return Ok(Done::Skipped("corpus absent: CONCLAVE_CORPORA is not set".to_owned()));
    };
    let (mut text, mut fits) = (String::new(), Vec::new());
    for (name, pool, label, title) in SETS {
        let path = folder.join(format!("{name}.dev.jsonl.gz"));
        if !path.is_file() {
            return Ok(Done::Skipped(format!("corpus absent: `{name}.dev.jsonl.gz`")));
        }
        let (rows, digest) = rows::read(&path)?;
        let tasks = rows::tasks(&rows, pool, label);
        text.push_str(&table(&format!("{name}, {title}"), &tasks));
        let fitted = ours::fit(&tasks.iter().collect::<Vec<_>>());
        fits.push(Fit { set: format!("{name}, {title}"), digest, tasks: tasks.len(), fitted });
    }
    log.say(&text)?;
    compare(&place.root.join(FITS), &fits)?;
    Ok(Done::Figure(text))
}

/// The choices of `selector` in every task, each fitted on the other parts.
fn scored(tasks: &[Task], selector: Selector) -> Vec<Choice> {
    let parts = ours::split(tasks.iter().map(|task| task.name.as_str()), FOLDS, SEED);
    let mut choices = vec![(0.0, false); tasks.len()];
    for fold in 0..FOLDS {
        let here = |task: &&Task| parts[&task.name] == fold;
        let train: Vec<&Task> = tasks.iter().filter(|task| !here(task)).collect();
        let test: Vec<usize> = (0..tasks.len()).filter(|index| here(&&tasks[*index])).collect();
        let found = selector(&train, &test.iter().map(|index| &tasks[*index]).collect::<Vec<_>>());
        for (index, choice) in test.into_iter().zip(found) {
            choices[index] = choice;
        }
    }
    choices
}

fn table(title: &str, tasks: &[Task]) -> String {
    let answers: usize = tasks.iter().map(|task| task.answers.len()).sum();
    let mut text = format!(
        "{title}: {} tasks, {answers} answers; any right {:.3}, at random {:.3}\n",
        tasks.len(),
        baselines::oracle(tasks),
        baselines::random(tasks)
    );
    text.push_str(
        "  selector            success            Brier              ECE    risk@50% @80%  n>=.9 said  was\n",
    );
    let all: Vec<(&str, Vec<Choice>)> =
        SELECTORS.iter().map(|(name, selector)| (*name, scored(tasks, *selector))).collect();
    for (name, choices) in &all {
        let (low, high) = measure::interval(choices, measure::success);
        let (b_low, b_high) = measure::interval(choices, measure::brier);
        let (n, said, was) = measure::confident(choices);
        text.push_str(&format!(
            "  {name:18}  {:.3} [{low:.2} {high:.2}]  {:.3} [{b_low:.2} {b_high:.2}]  {:.3}  {:.3}    {:.3}  {n:4}  {said:.3} {was:.3}\n",
            measure::success(choices),
            measure::brier(choices),
            measure::ece(choices),
            measure::risk_at(choices, 0.5),
            measure::risk_at(choices, 0.8),
        ));
    }
    // The best row is the one with the most success, and of those the one with the least Brier score.
    if let Some(((_, own), rest)) = all.split_last() {
        let figures = |choices: &[Choice]| (measure::success(choices), measure::brier(choices), measure::ece(choices));
        let best = rest.iter().max_by(|(_, a), (_, b)| {
            let (a, b) = (figures(a), figures(b));
            a.0.total_cmp(&b.0).then(b.1.total_cmp(&a.1))
        });
        if let Some((name, best)) = best {
            let (own, best) = (figures(own), figures(best));
            text.push_str(&format!(
                "  ours beside the best row ({name}): success {:+.3}, Brier {:+.3}, ECE {:+.3}\n",
                own.0 - best.0,
                own.1 - best.1,
                own.2 - best.2
            ));
        }
        text.push_str(&measure::reliability(own));
        for (name, single) in rest.iter().take(2) {
            let (gain, low, high) = measure::gain(own, single);
            text.push_str(&format!(
                "  ensemble gain over the best single seat ({name}): {gain:+.3} [{low:+.3} {high:+.3}], n {}\n",
                own.len()
            ));
        }
    }
    text
}
