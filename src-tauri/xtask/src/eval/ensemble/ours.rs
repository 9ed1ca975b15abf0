//! Conclave's way on the same rows: start value from the record, agreement of clusters discounted by family, a
//! suspicion for a length of its own, unchanged code dropped, and a fitted line at the end.
//!
//! Evidence and judges are not here: the corpora hold none. Weights begin at the product's own and move as far as the
//! training tasks want.

use std::collections::{BTreeMap, BTreeSet};

use conclave_core::candidate::family_of;
use conclave_core::cluster::independent;
use serde::{Deserialize, Serialize};

use super::baselines::off_median;
use super::fit::{Seen, Weights, dot, logistic, sigmoid};
use super::measure::{Choice, Draws};
use super::rows::{Answer, Task};

/// How strongly the weights, and the line, are held at their start.
const HELD: (f64, f64) = (1.0, 3.0);
/// Constant, start value of the cluster's best author, agreement in it, agreement outside of it, length, share of the
/// records behind it: where the weights begin.
const BEGIN: [f64; 6] = [0.0, 1.0, 0.55, -0.55, -0.4, 0.0];

/// What was fitted.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Fitted {
    /// How often each model is right, as the record's hierarchy has it.
    pub records: BTreeMap<String, f64>,
    /// Of [`BEGIN`]'s addends.
    pub weights: Weights,
    /// The line from log-odds to log-odds.
    pub line: Weights,
}

/// Fits on `train` alone.
pub fn fit(train: &[&Task]) -> Fitted {
    let (records, weights) = fit_weights(train);
    // The line is fitted on choices in tasks that their weights were not fitted on.
    let mut seen = Vec::new();
    let parts = split(train.iter().map(|task| task.name.as_str()), 4, 3);
    for part in 0..4 {
        let of = |wanted: bool| -> Vec<&Task> {
            train.iter().filter(|task| (parts[&task.name] == part) == wanted).copied().collect()
        };
        let (records, weights) = fit_weights(&of(false));
        for task in of(true) {
            if let Some((answer, score)) = chosen(task, &records, &weights) {
                seen.push(Seen { x: vec![1.0, score], y: answer.right, weight: 1.0 });
            }
        }
    }
    let line = logistic(&seen, HELD.1, &[0.0, 1.0]);
    Fitted { records, weights, line }
}

/// The choice in each of `test`.
pub fn choose(fitted: &Fitted, test: &[&Task]) -> Vec<Choice> {
    let choice = |task: &Task| {
        let Some((answer, score)) = chosen(task, &fitted.records, &fitted.weights) else { return (0.0, false) };
        (sigmoid(dot(&fitted.line, &[1.0, score])), answer.right)
    };
    test.iter().map(|task| choice(task)).collect()
}

fn fit_weights(train: &[&Task]) -> (BTreeMap<String, f64>, Weights) {
    let records = records(train);
    let mut seen = Vec::new();
    for task in train {
        // Answers to one task are neither independent nor one and the same.
        let weight = 1.0 / (task.answers.len().max(1) as f64).sqrt();
        seen.extend(task.answers.iter().map(|answer| Seen {
            x: addends(task, answer, &records),
            y: answer.right,
            weight,
        }));
    }
    let weights = logistic(&seen, HELD.0, &BEGIN);
    (records, weights)
}

/// A model's mean begins at that of all, which counts as ten answers.
fn records(train: &[&Task]) -> BTreeMap<String, f64> {
    let mut counts: BTreeMap<String, (f64, f64)> = BTreeMap::new();
    for answer in train.iter().flat_map(|task| &task.answers) {
        let (n, right) = counts.entry(answer.row.model.clone()).or_default();
        *n += 1.0;
        *right += f64::from(u8::from(answer.right));
    }
    let (n, right) = counts.values().fold((0.0, 0.0), |(n, right), (m, r)| (n + m, right + r));
    let all = (right + 1.0) / (n + 2.0);
    let kappa = conclave_core::record::KAPPA;
    counts.into_iter().map(|(model, (n, right))| (model, (kappa * all + right) / (kappa + n))).collect()
}

/// The best answer with its log-odds before the line. Unchanged code is no answer.
fn chosen<'t>(task: &'t Task, records: &BTreeMap<String, f64>, weights: &[f64]) -> Option<(&'t Answer, f64)> {
    let scored = task.answers.iter().filter(|answer| answer.row.n_tok > 0);
    let record = |answer: &Answer| records.get(&answer.row.model).copied().unwrap_or(0.5);
    scored.map(|answer| (answer, dot(weights, &addends(task, answer, records)))).max_by(|(a, one), (b, other)| {
        one.total_cmp(other)
            .then_with(|| record(a).total_cmp(&record(b)))
            .then_with(|| b.row.sample.cmp(&a.row.sample))
            .then_with(|| b.row.model.cmp(&a.row.model))
    })
}

fn addends(task: &Task, answer: &Answer, records: &BTreeMap<String, f64>) -> Vec<f64> {
    let record = |model: &str| records.get(model).copied().unwrap_or(0.5);
    let models = |wanted: fn(bool) -> bool| -> BTreeSet<&str> {
        let others = task.answers.iter().filter(|other| wanted(other.row.norm == answer.row.norm));
        others.map(|other| other.row.model.as_str()).collect()
    };
    let worth = |models: &BTreeSet<&str>| {
        let families: Vec<String> = models.iter().map(|model| family(model)).collect();
        independent(&families).ln()
    };
    let sum = |models: &BTreeSet<&str>| models.iter().map(|model| record(model)).sum::<f64>();
    let (same, others, all) = (models(|like| like), models(|like| !like), models(|_| true));
    let start = same.iter().map(|model| record(model)).fold(0.0, f64::max).clamp(0.01, 0.99);
    vec![
        1.0,
        (start / (1.0 - start)).ln(),
        worth(&same),
        worth(&others),
        off_median(task, answer),
        sum(&same) / sum(&all).max(1e-9),
    ]
}

/// The family of a system in the corpora: that of the model that it is made of.
fn family(system: &str) -> String {
    for (part, family) in [("llama", "llama"), ("gpt", "gpt")] {
        if system.contains(part) {
            return family.to_owned();
        }
    }
    family_of(system)
}

/// Parts of names at random, but always the same.
pub fn split<'a>(names: impl Iterator<Item = &'a str>, parts: usize, seed: u64) -> BTreeMap<String, usize> {
    let names: BTreeSet<&str> = names.collect();
    let mut names: Vec<&str> = names.into_iter().collect();
    let mut draws = Draws(seed);
    for index in (1..names.len()).rev() {
        names.swap(index, draws.under(index + 1));
    }
    names.into_iter().enumerate().map(|(index, name)| (name.to_owned(), index % parts)).collect()
}
