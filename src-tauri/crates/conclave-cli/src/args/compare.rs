//! What can be done with comparisons.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use conclave_api::{Preference, Severity};

#[derive(Debug, Subcommand)]
pub enum Compare {
    /// Say what a comparison would take; with `--yes`, begin it, and run both configurations on every finding.
    New(NewComparison),
    /// Run what of a comparison has not been run.
    Resume {
        /// Its number.
        id: i64,
    },
    /// Show the next two fixes to choose between, and nothing that says whose they are.
    Next {
        /// Of this comparison; of the newest that has any when left out.
        id: Option<i64>,
    },
    /// Say which of two fixes you prefer, once; then it is said whose they are.
    Choose {
        /// The number of the pair, as `next` shows it.
        pair: i64,
        /// `left`, `right`, `both` alike, or `neither`.
        #[arg(value_parser = preference, value_name = "left|right|both|neither")]
        preference: Preference,
    },
    /// Say what came out: what was preferred, with its interval, and what each configuration reached, cost and took.
    Report {
        /// The number of the comparison.
        id: i64,
    },
    /// List comparisons, the newest first.
    List,
}

#[derive(Debug, Args)]
pub struct NewComparison {
    /// `panel`, `chain`, `single`, `majority`, `best-of-3`, or a JSON file with `design`, `models` and `tiers`.
    pub a: String,
    /// Another one.
    pub b: String,
    /// On these findings, by id or its first digits; on all that are not done when left out.
    pub ids: Vec<String>,
    /// Only those of this folder.
    #[arg(long, value_name = "DIR", conflicts_with = "ids")]
    pub project: Option<PathBuf>,
    /// Only those this severe or more.
    #[arg(long, value_parser = super::severity, value_name = "SEVERITY", conflicts_with = "ids")]
    pub severity: Option<Severity>,
    /// At most so many findings, the most severe.
    #[arg(long, value_name = "N")]
    pub most: Option<u32>,
    /// Draw the sides with this number, so that they can be drawn again.
    #[arg(long, value_name = "N")]
    pub seed: Option<u32>,
    /// Begin it: this is your consent to what it may cost.
    #[arg(long)]
    pub yes: bool,
}

fn preference(text: &str) -> Result<Preference, String> {
    match text {
        "left" => Ok(Preference::Left),
        "right" => Ok(Preference::Right),
        "both" => Ok(Preference::Both),
        "neither" => Ok(Preference::Neither),
        _ => Err("say `left`, `right`, `both` or `neither`".to_owned()),
    }
}
