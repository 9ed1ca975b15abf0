//! What ours is compared with: one model, votes, and a stack of votes and lengths.

use std::collections::{BTreeMap, BTreeSet};

use super::fit::{dot, sigmoid};
use super::measure::Choice;
use super::rows::{Answer, Task};

/// How often each model is right, drawn to a half.
pub fn records(train: &[&Task]) -> BTreeMap<String, f64> {
    let mut counts: BTreeMap<String, (f64, f64)> = BTreeMap::new();
    for answer in train.iter().flat_map(|task| &task.answers) {
        let (n, right) = counts.entry(answer.row.model.clone()).or_default();
        *n += 1.0;
        *right += f64::from(u8::from(answer.right));
    }
    counts.into_iter().map(|(model, (n, right))| (model, (right + 1.0) / (n + 2.0))).collect()
}

fn record(records: &BTreeMap<String, f64>, answer: &Answer) -> f64 {
    records.get(&answer.row.model).copied().unwrap_or(0.5)
}

/// The expected success of any answer.
pub fn random(tasks: &[Task]) -> f64 {
    let share = |task: &Task| {
        let right = task.answers.iter().filter(|answer| answer.right).count();
        if task.answers.is_empty() { 0.0 } else { right as f64 / task.answers.len() as f64 }
    };
    tasks.iter().map(share).sum::<f64>() / tasks.len() as f64
}

/// The share of tasks with any right answer.
pub fn oracle(tasks: &[Task]) -> f64 {
    tasks.iter().filter(|task| task.answers.iter().any(|answer| answer.right)).count() as f64 / tasks.len() as f64
}

/// The best of `task` by `key`, then by record, then the earliest sample.
fn best<'t>(
    task: &'t Task,
    records: &BTreeMap<String, f64>,
    key: impl Fn(&Answer) -> f64,
) -> Option<(&'t Answer, f64)> {
    let of = |answer: &Answer| (key(answer), record(records, answer));
    let better = |a: &&Answer, b: &&Answer| {
        let ((key_a, record_a), (key_b, record_b)) = (of(a), of(b));
        key_a.total_cmp(&key_b).then(record_a.total_cmp(&record_b)).then(b.row.sample.cmp(&a.row.sample))
    };
    let found = task.answers.iter().max_by(better)?;
    Some((found, key(found)))
}

fn choice(best: Option<(&Answer, f64)>) -> Choice {
    best.map_or((0.0, false), |(answer, p)| (p, answer.right))
}

/// The first answer of the model that was right most often.
pub fn best_single(train: &[&Task], test: &[&Task]) -> Vec<Choice> {
    let Some((model, p)) = best_model(train) else { return vec![(0.0, false); test.len()] };
    test.iter().map(|task| (p, is_first_right(task, model))).collect()
}

/// What most answers of that model come to: as many questions as the corpus has of it, and no other model.
pub fn own_samples(train: &[&Task], test: &[&Task]) -> Vec<Choice> {
    let Some((model, p)) = best_model(train) else { return vec![(0.0, false); test.len()] };
    let most = |task: &Task| {
        let own: Vec<&Answer> = task.answers.iter().filter(|answer| answer.row.model == model).collect();
        let like = |answer: &Answer| own.iter().filter(|other| other.row.norm == answer.row.norm).count();
        let best = own.iter().max_by_key(|answer| (like(answer), std::cmp::Reverse(answer.row.sample)));
        best.is_some_and(|answer| answer.right)
    };
    test.iter().map(|task| (p, most(task))).collect()
}

/// The model whose first answer was right most often, and how often that was.
fn best_model<'t>(train: &[&'t Task]) -> Option<(&'t str, f64)> {
    let answers = train.iter().flat_map(|task| &task.answers);
    let models: BTreeSet<&str> = answers.map(|answer| answer.row.model.as_str()).collect();
    let hits = |model: &str| train.iter().filter(|task| is_first_right(task, model)).count();
    let model = models.into_iter().max_by_key(|model| hits(model))?;
    Some((model, hits(model) as f64 / train.len() as f64))
}

fn is_first_right(task: &Task, model: &str) -> bool {
    let own = task.answers.iter().filter(|answer| answer.row.model == model);
    own.min_by_key(|answer| answer.row.sample).is_some_and(|answer| answer.right)
}

/// Whatever there is of the model with the best record.
pub fn record_only(train: &[&Task], test: &[&Task]) -> Vec<Choice> {
    let records = records(train);
    test.iter().map(|task| choice(best(task, &records, |answer| record(&records, answer)))).collect()
}

/// What most models came to.
pub fn plurality(train: &[&Task], test: &[&Task]) -> Vec<Choice> {
    let records = records(train);
    let share = |task: &Task, answer: &Answer| models_of(task, Some(answer)) / models_of(task, None);
    test.iter().map(|task| choice(best(task, &records, |answer| share(task, answer)))).collect()
}

/// The same, each model with the weight of its record.
pub fn weighted(train: &[&Task], test: &[&Task]) -> Vec<Choice> {
    let records = records(train);
    test.iter().map(|task| choice(best(task, &records, |answer| mass(task, answer, &records)))).collect()
}

/// How many models answered, or answered like `answer`.
fn models_of(task: &Task, like: Option<&Answer>) -> f64 {
    let models: BTreeSet<&str> = task
        .answers
        .iter()
        .filter(|other| like.is_none_or(|answer| other.row.norm == answer.row.norm))
        .map(|other| other.row.model.as_str())
        .collect();
    models.len() as f64
}

/// The share of records behind `answer`.
fn mass(task: &Task, answer: &Answer, records: &BTreeMap<String, f64>) -> f64 {
    let sum = |like: bool| -> f64 {
        let models: BTreeMap<&str, f64> = task
            .answers
            .iter()
            .filter(|other| !like || other.row.norm == answer.row.norm)
            .map(|other| (other.row.model.as_str(), record(records, other).max(1e-3)))
            .collect();
        models.values().sum()
    };
    sum(true) / sum(false)
}

/// Logistic regression on record, votes, own repetition, length and diversity: gradient descent on standardised features.
pub fn stacker(train: &[&Task], test: &[&Task]) -> Vec<Choice> {
    let records = records(train);
    let features = |task: &Task| -> Vec<Vec<f64>> { task.answers.iter().map(|a| stacked(task, a, &records)).collect() };
    let rows: Vec<Vec<f64>> = train.iter().flat_map(|task| features(task)).collect();
    let right: Vec<bool> = train.iter().flat_map(|task| &task.answers).map(|answer| answer.right).collect();
    let Some(size) = rows.first().map(Vec::len) else { return vec![(0.0, false); test.len()] };
    let n = rows.len() as f64;
    let mut scale = vec![(0.0, 1.0); size];
    for (j, (mean, deviation)) in scale.iter_mut().enumerate().skip(1) {
        *mean = rows.iter().map(|row| row[j]).sum::<f64>() / n;
        *deviation = (rows.iter().map(|row| (row[j] - *mean).powi(2)).sum::<f64>() / n).sqrt().max(1e-6);
    }
    let scaled = |row: &[f64]| -> Vec<f64> { row.iter().zip(&scale).map(|(x, (mean, d))| (x - mean) / d).collect() };
    let rows: Vec<Vec<f64>> = rows.iter().map(|row| scaled(row)).collect();
    let mut weights = vec![0.0; size];
    for _ in 0..120 {
        let mut gradient = vec![0.0; size];
        for (row, right) in rows.iter().zip(&right) {
            let miss = f64::from(u8::from(*right)) - sigmoid(dot(&weights, row));
            gradient.iter_mut().zip(row).for_each(|(g, x)| *g += miss * x);
        }
        for (j, weight) in weights.iter_mut().enumerate() {
            *weight += 0.5 * (gradient[j] / n - if j > 0 { 1e-3 * *weight } else { 0.0 });
        }
    }
    let p = |task: &Task, answer: &Answer| sigmoid(dot(&weights, &scaled(&stacked(task, answer, &records))));
    test.iter().map(|task| choice(best(task, &records, |answer| p(task, answer)))).collect()
}

fn stacked(task: &Task, answer: &Answer, records: &BTreeMap<String, f64>) -> Vec<f64> {
    let record = record(records, answer);
    let count = task.answers.len() as f64;
    let like = task.answers.iter().filter(|other| other.row.norm == answer.row.norm);
    let (mut all, mut own, mut own_like) = (0.0, 0.0, 0.0);
    like.for_each(|other| {
        all += 1.0;
        own_like += f64::from(u8::from(other.row.model == answer.row.model));
    });
    task.answers.iter().for_each(|other| own += f64::from(u8::from(other.row.model == answer.row.model)));
    let norms: BTreeSet<&str> = task.answers.iter().map(|other| other.row.norm.as_str()).collect();
    vec![
        1.0,
        (record / (1.0 - record)).ln(),
        all / count,
        models_of(task, Some(answer)) / models_of(task, None),
        own_like / own,
        off_median(task, answer),
        f64::from(u8::from(answer.row.n_tok == 0)),
        norms.len() as f64 / count,
        mass(task, answer, records),
    ]
}

/// How far the length of an answer is from the median of its task, as a ratio's logarithm.
pub fn off_median(task: &Task, answer: &Answer) -> f64 {
    let mut lengths: Vec<u32> = task.answers.iter().map(|other| other.row.n_tok).collect();
    lengths.sort_unstable();
    let median = lengths.get(lengths.len() / 2).copied().unwrap_or(0).max(1);
    (f64::from(answer.row.n_tok + 1) / f64::from(median + 1)).ln().abs()
}
