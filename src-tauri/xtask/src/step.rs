//! Steps, how they end, and the summary that a run ends with.
//!
//! Invariant: a step that did not run is never counted as passed.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::log::Log;
use crate::place::Place;

/// One thing that a run does.
pub struct Step {
    /// What one types to run it alone; also the name of its log.
    pub name: &'static str,
    /// What it shows, in a few words.
    pub title: &'static str,
    /// What it does. An error is a failure.
    pub run: fn(&Place, &mut Log) -> Result<Done>,
}

/// How a step ends when nothing failed.
pub enum Done {
    /// It ran and all was well.
    Passed,
    /// It ran and has a figure to show.
    Figure(String),
    /// It could not run here, and why.
    Skipped(String),
}

enum Verdict {
    Passed,
    Failed(String),
    Skipped(String),
}

/// Runs all `steps`, prints how each ended and the summary.
///
/// A failed step does not stop the others.
pub fn run_all(place: &Place, steps: &[&Step]) -> Result<ExitCode> {
    let logs = place.logs()?;
    let mut verdicts = Vec::new();
    for step in steps {
        println!("> {}: {}", step.name, step.title);
        let mut log = Log::create(logs.join(format!("{}.log", step.name)))?;
        let start = Instant::now();
        let verdict = match (step.run)(place, &mut log) {
            Ok(Done::Passed) => Verdict::Passed,
            Ok(Done::Figure(text)) => {
                println!("{text}");
                Verdict::Passed
            }
            Ok(Done::Skipped(reason)) => Verdict::Skipped(reason),
            Err(error) => {
                println!("{}", indent(&log.tail(40)));
                Verdict::Failed(format!("{error:#} ({})", log.path().display()))
            }
        };
        println!("  {} in {}", word(&verdict), seconds(start.elapsed()));
        verdicts.push((step.name, verdict));
    }
    print!("\n{}", summary(&verdicts));
    let failed = verdicts.iter().any(|(_, verdict)| matches!(verdict, Verdict::Failed(_)));
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Every step that failed or was skipped with its reason, then the counts.
fn summary(verdicts: &[(&str, Verdict)]) -> String {
    let mut text = String::new();
    let mut counts = [0, 0, 0];
    for (name, verdict) in verdicts {
        match verdict {
            Verdict::Passed => counts[0] += 1,
            Verdict::Failed(reason) => {
                counts[1] += 1;
                text.push_str(&format!("failed:  {name}: {reason}\n"));
            }
            Verdict::Skipped(reason) => {
                counts[2] += 1;
                text.push_str(&format!("skipped: {name}: {reason}\n"));
            }
        }
    }
    let [passed, failed, skipped] = counts;
    text.push_str(&format!("{passed} passed, {failed} failed, {skipped} skipped\n"));
    text
}

fn word(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Passed => "passed".to_owned(),
        Verdict::Failed(reason) => format!("FAILED: {reason}"),
        Verdict::Skipped(reason) => format!("skipped: {reason}"),
    }
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

fn indent(text: &str) -> String {
    text.lines().map(|line| format!("    {line}")).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_names_what_did_not_pass_and_ends_with_the_counts() {
        let verdicts = [
            ("a", Verdict::Passed),
            ("b", Verdict::Skipped("no display".to_owned())),
            ("c", Verdict::Failed("it broke".to_owned())),
        ];
        assert_eq!(summary(&verdicts), "skipped: b: no display\nfailed:  c: it broke\n1 passed, 1 failed, 1 skipped\n");
    }
}
