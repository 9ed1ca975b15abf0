//! Whether learning helps: the first choice with and without what a hundred labels taught, on the same fixes.
//!
//! On a generator in which another author is truly best for each kind of weakness, and on public repair data. Labels come
//! about as they do in the product: a fix is applied and then merged or taken back. Deliberately absent: anybody's own
//! history. Every figure comes with its count and an interval.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Result, ensure};
use conclave_core::candidate::{Candidate, Origin, family_of};
use conclave_core::digest::Digest;
use conclave_core::evidence::{Check, CheckOutcome, Evidence};
use conclave_core::finding::{Detection, Finding, Location, Region, Rule, Severity, Tool};
use conclave_core::id::{ProjectId, RunId};
use conclave_core::label::{Event, Standing};
use conclave_core::language::Language;
use conclave_core::patch::{Edit, FilePatch, Patch};
use conclave_core::path::RelPath;
use conclave_core::record::{Outcome, Record};
use conclave_core::resolution::{Judged, Work, conclude};
use conclave_core::weakness::Family;

use super::ensemble::measure::Draws;
use super::ensemble::rows::{self, Label, Task};
use super::ensemble::{SETS, folder};
use crate::log::Log;
use crate::place::Place;
use crate::step::{Done, Step, run_all};

/// Labels that are learnt from.
const LABELS: usize = 100;
/// The least relative gain on the generator.
const LEAST_GAIN: f64 = 0.20;
/// Kinds of weaknesses by a CWE number of each, and which of the authors is best at it.
const KINDS: [(u32, usize); 3] = [(89, 0), (22, 1), (327, 2)];
/// How often the best author is right, and the others.
const RIGHT: (f64, f64) = (0.8, 0.3);

/// `cargo xtask eval replay`.
pub fn run(place: &Place) -> Result<ExitCode> {
    let step = Step { name: "eval-replay", title: "the first choice after a hundred labels, and before", run: step };
    run_all(place, &[&step])
}

/// The same among the tests.
pub fn step(_: &Place, log: &mut Log) -> Result<Done> {
    let found = generated(60, 200)?;
    let mut text = format!(
        "generator: {} draws of {LABELS} labels and 200 findings, three authors, same evidence; first choice right {:.3}\n\
         \x20 learnt               {}\n  learnt from shuffled {}\n  learnt from chosen   {}\n",
        found.draws, found.before, found.learnt, found.shuffled, found.chosen
    );
    match folder() {
        Some(folder) => text.push_str(&public(&folder)?),
        None => text.push_str("public repair data: skipped, CONCLAVE_CORPORA is not set\n"),
    }
    log.say(&text)?;
    ensure!(found.learnt.mean >= LEAST_GAIN, "learning gains {:.3}, less than {LEAST_GAIN}", found.learnt.mean);
    ensure!(found.shuffled.low <= 0.0, "shuffled labels gain {}", found.shuffled);
    Ok(Done::Figure(text))
}

/// A relative gain over several draws.
struct Gain {
    mean: f64,
    low: f64,
    high: f64,
}

impl Gain {
    /// The mean, and from the 2.5th to the 97.5th of a hundred draws.
    fn of(mut gains: Vec<f64>) -> Self {
        gains.sort_by(f64::total_cmp);
        let at = |share: f64| gains.get(((gains.len() - 1) as f64 * share).round() as usize).copied().unwrap_or(0.0);
        Self { mean: gains.iter().sum::<f64>() / gains.len().max(1) as f64, low: at(0.025), high: at(0.975) }
    }
}

impl std::fmt::Display for Gain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:+.1} % [{:+.1} {:+.1}]", self.mean * 100.0, self.low * 100.0, self.high * 100.0)
    }
}

/// What the generator shows.
struct Generated {
    draws: usize,
    /// How often the first choice is right with start values.
    before: f64,
    /// With labels of fixes that were drawn.
    learnt: Gain,
    /// The same labels, each given to another's fix.
    shuffled: Gain,
    /// With labels of the fixes alone that were chosen at the time: what a person sees.
    chosen: Gain,
}

fn generated(draws: usize, findings: usize) -> Result<Generated> {
    let (mut before, mut learnt, mut shuffled, mut chosen) = (0.0, Vec::new(), Vec::new(), Vec::new());
    for seed in 0..draws as u64 {
        let right = |record: &Record| share_right(record, findings, 1_000 + seed);
        let plain = right(&Record::default())?;
        before += plain / draws as f64;
        let gain = |record: &Record| right(record).map(|after| after / plain - 1.0);
        learnt.push(gain(&drawn(seed, false)?)?);
        shuffled.push(gain(&drawn(seed, true)?)?);
        chosen.push(gain(&followed(seed)?)?);
    }
    Ok(Generated { draws, before, learnt: Gain::of(learnt), shuffled: Gain::of(shuffled), chosen: Gain::of(chosen) })
}

fn model(n: usize) -> Origin {
    let name = format!("m{n}");
    Origin::Model { model: name.clone(), endpoint: name.clone(), local: false, family: name }
}

fn unit(draws: &mut Draws) -> f64 {
    draws.under(1 << 30) as f64 / f64::from(1 << 30)
}

fn is_right(draws: &mut Draws, author: usize, best: usize) -> bool {
    unit(draws) < if author == best { RIGHT.0 } else { RIGHT.1 }
}

/// The outcome of a fix that was applied and then merged, or taken back.
fn outcome(origin: Origin, family: Family, language: Option<Language>, right: bool) -> Option<Outcome> {
    let end = if right { Event::Merged } else { Event::Reverted };
    let label = Standing::of(&[Event::Applied { tests: false, head: None }, end]).label()?;
    Some(Outcome { origin, family, language, right: label.right, weight: label.weight, age_days: 0.0 })
}

/// What [`LABELS`] labels of fixes by authors that were drawn teach; `shuffled` labels say nothing of their fixes.
fn drawn(seed: u64, shuffled: bool) -> Result<Record> {
    let mut draws = Draws(seed);
    let mut fixes: Vec<(usize, usize, bool)> = (0..LABELS)
        .map(|_| {
            let (kind, author) = (draws.under(3), draws.under(3));
            (kind, author, is_right(&mut draws, author, KINDS[kind].1))
        })
        .collect();
    if shuffled {
        for at in (1..fixes.len()).rev() {
            let other = draws.under(at + 1);
            let label = fixes[at].2;
            fixes[at].2 = fixes[other].2;
            fixes[other].2 = label;
        }
    }
    let mut record = Record::default();
    for (kind, author, right) in fixes {
        let family = Family::of(&[KINDS[kind].0]);
        outcome(model(author), family, Some(Language::Python), right).iter().for_each(|outcome| record.add(outcome));
    }
    Ok(record)
}

/// What [`LABELS`] labels teach of which each is of the fix that was recommended with what was known by then.
fn followed(seed: u64) -> Result<Record> {
    let mut draws = Draws(seed + 500);
    let mut record = Record::default();
    for round in 0..LABELS {
        let (cwe, best) = KINDS[round % 3];
        let finding = finding(cwe)?;
        let (author, right) = first(&finding, best, &record, &mut draws)?;
        let outcome = outcome(model(author), Family::of(&[cwe]), Some(Language::Python), right);
        outcome.iter().for_each(|outcome| record.add(outcome));
    }
    Ok(record)
}

/// How often the first choice is right.
fn share_right(record: &Record, findings: usize, seed: u64) -> Result<f64> {
    let mut draws = Draws(seed);
    let mut right = 0.0;
    for round in 0..findings {
        let (cwe, best) = KINDS[round % 3];
        right += f64::from(u8::from(first(&finding(cwe)?, best, record, &mut draws)?.1));
    }
    Ok(right / findings as f64)
}

/// The author of the first choice among one fix of each with the same evidence, and whether it is right.
fn first(finding: &Finding, best: usize, record: &Record, draws: &mut Draws) -> Result<(usize, bool)> {
    let mut answers = Vec::new();
    for author in 0..3 {
        let right = is_right(draws, author, best);
        // Sizes, and so the order among equals, have nothing to do with who is right.
        let text = "x".repeat(1 + draws.under(40)) + &author.to_string();
        answers.push((judged(model(author), text)?, author, right));
    }
    let work = Work { judged: answers.iter().map(|(one, ..)| one.clone()).collect(), ..Work::default() };
    let resolution = conclude(finding, RunId::new("r"), work, record);
    let found = resolution.verdicts.first().map(|verdict| &verdict.judged.candidate.id);
    let chosen = answers.iter().find(|(one, ..)| Some(&one.candidate.id) == found);
    Ok(chosen.map_or((0, false), |(_, author, right)| (*author, *right)))
}

fn finding(cwe: u32) -> Result<Finding> {
    let detection = Detection {
        tool: Tool { name: "generator".to_owned(), version: None },
        rule: Rule { id: "g".to_owned(), name: None, description: None, help: None, help_uri: None, cwe: vec![cwe] },
        message: String::new(),
        severity: Severity::High,
        location: Some(Location { path: RelPath::new("a.py")?, region: Some(Region::line(1)) }),
        unresolved: None,
        symbol: None,
        flow: Vec::new(),
        fixes: Vec::new(),
        suppressed: false,
        foreign_fingerprints: Vec::new(),
    };
    Ok(Finding::new(&ProjectId::new("p"), detection, "", 0))
}

/// A fix that passes its gates and a re-scan.
fn judged(origin: Origin, text: String) -> Result<Judged> {
    let edits = vec![Edit { start: 0, end: 0, text }];
    let patch = Patch::new(vec![FilePatch { path: RelPath::new("a.py")?, base: Digest::of(b""), edits }]);
    let passed = Check::ALL.into_iter().filter(|check| check.is_gate()).chain([Check::Rescan]);
    Ok(Judged {
        candidate: Candidate::new(origin, patch, "", ""),
        also_by: Vec::new(),
        evidence: passed.map(|check| Evidence::new(check, CheckOutcome::Pass, "seen")).collect(),
        smells: Vec::new(),
        shape: None,
        parents: Vec::new(),
    })
}

/// The same on the rows of each corpus: half of the tasks give labels, the other half is chosen in.
fn public(folder: &Path) -> Result<String> {
    const SPLITS: u64 = 200;
    let mut text = String::new();
    for (name, pool, label, title) in SETS {
        let path: PathBuf = folder.join(format!("{name}.dev.jsonl.gz"));
        if !path.is_file() {
            text.push_str(&format!("{name}: skipped, `{}` is not there\n", path.display()));
            continue;
        }
        let tasks: Vec<Task> = rows::tasks(&rows::read(&path)?.0, pool, label);
        let tasks: Vec<Task> = tasks.into_iter().filter(|task| !task.answers.is_empty()).collect();
        let (mut learnt, mut shuffled) = (Vec::new(), Vec::new());
        let (mut labels, mut before, mut tested) = (0, 0.0, 0);
        for seed in 0..SPLITS {
            let parts = super::ensemble::ours::split(tasks.iter().map(|task| task.name.as_str()), 2, seed);
            let (train, test): (Vec<&Task>, Vec<&Task>) = tasks.iter().partition(|task| parts[&task.name] == 0);
            let told = told(&train, seed);
            (labels, tested) = (told.len(), test.len());
            // Start values are the same for all, so without labels the choice is as good as one at random.
            let plain =
                super::ensemble::baselines::random(&test.iter().map(|task| (*task).clone()).collect::<Vec<_>>());
            before += plain / SPLITS as f64;
            let gain = |told: &[(String, bool)]| best_known(&test, &record_of(told)) / plain - 1.0;
            learnt.push(gain(&told));
            shuffled.push(gain(&mixed(told, seed)));
        }
        let what = if label == Label::Correct { "right" } else { "passing" };
        text.push_str(&format!(
            "{name}, {title}: {SPLITS} splits, {labels} labels, {tested} tasks; first choice {what} {before:.3}\n\
             \x20 learnt               {}\n  learnt from shuffled {}\n",
            Gain::of(learnt),
            Gain::of(shuffled)
        ));
    }
    Ok(text)
}

/// The labels of [`LABELS`] answers, one a task at random, with whose they are.
fn told(train: &[&Task], seed: u64) -> Vec<(String, bool)> {
    let mut draws = Draws(seed + 77);
    let mut order: Vec<usize> = (0..train.len()).collect();
    for at in (1..order.len()).rev() {
        order.swap(at, draws.under(at + 1));
    }
    let told = order.into_iter().cycle().take(if train.is_empty() { 0 } else { LABELS }).map(|task| {
        let answers = &train[task].answers;
        let answer = &answers[draws.under(answers.len())];
        (answer.row.model.clone(), answer.right)
    });
    told.collect()
}

fn mixed(told: Vec<(String, bool)>, seed: u64) -> Vec<(String, bool)> {
    let mut draws = Draws(seed + 99);
    let (names, mut labels): (Vec<String>, Vec<bool>) = told.into_iter().unzip();
    for at in (1..labels.len()).rev() {
        labels.swap(at, draws.under(at + 1));
    }
    names.into_iter().zip(labels).collect()
}

fn named(name: &str) -> Origin {
    let (name, family) = (name.to_owned(), family_of(name));
    Origin::Model { model: name.clone(), endpoint: name, local: false, family }
}

fn record_of(told: &[(String, bool)]) -> Record {
    let mut record = Record::default();
    for (name, right) in told {
        outcome(named(name), Family::Other, None, *right).iter().for_each(|outcome| record.add(outcome));
    }
    record
}

/// How often the answer of the author with the best record is right; among equals, on average.
fn best_known(test: &[&Task], record: &Record) -> f64 {
    let mut known: BTreeMap<&str, f64> = BTreeMap::new();
    let mut sum = 0.0;
    for task in test {
        for answer in &task.answers {
            let model = answer.row.model.as_str();
            known.entry(model).or_insert_with(|| record.prior(&named(model), Family::Other, None).p);
        }
        let best = task.answers.iter().map(|answer| known[answer.row.model.as_str()]).fold(0.0, f64::max);
        let first: Vec<bool> = task
            .answers
            .iter()
            .filter(|answer| known[answer.row.model.as_str()] >= best)
            .map(|answer| answer.right)
            .collect();
        sum += first.iter().filter(|right| **right).count() as f64 / first.len().max(1) as f64;
    }
    sum / test.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hundred_labels_improve_the_first_choice_by_a_fifth_and_shuffled_ones_do_not() {
        let found = generated(8, 90).expect("the generator runs");
        assert!(found.learnt.mean >= LEAST_GAIN, "{}", found.learnt);
        assert!(found.shuffled.mean < LEAST_GAIN / 2.0 && found.shuffled.low <= 0.0, "{}", found.shuffled);
    }
}
