//! How much effort findings get: what can be said of it on the command line.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use conclave_api::{Mode, Money, Role, Severity};

use super::{dollars, severity};

#[derive(Debug, Subcommand)]
pub enum Tiers {
    /// List them: who is asked, for how long and for how much.
    List {
        /// As they are in the project in this folder, instead of everywhere.
        #[arg(long, value_name = "DIR")]
        project: Option<PathBuf>,
    },
    /// Set the effort for findings of one severity; what is not said stays as it is.
    ///
    /// Only your own settings say this: no file of a project is read for it.
    Set(SetTier),
    /// Take back what is set: a project is as everywhere again, and everywhere it is as Conclave ships it.
    Reset {
        /// Of this severity; of all of them when left out.
        #[arg(value_parser = severity)]
        severity: Option<Severity>,
        /// In the project in this folder, instead of everywhere.
        #[arg(long, value_name = "DIR")]
        project: Option<PathBuf>,
    },
}

#[derive(Debug, Args)]
pub struct SetTier {
    /// critical, high, medium, low or note.
    #[arg(value_parser = severity)]
    pub severity: Severity,
    /// In the project in this folder, instead of everywhere.
    #[arg(long, value_name = "DIR")]
    pub project: Option<PathBuf>,
    /// The seats for models, one each: deep-reasoning, pattern-matching, logic, fast, specialised; `none` for none.
    #[arg(long, value_name = "ROLE,…", value_parser = seats)]
    pub seats: Option<Seats>,
    /// Time for answers, in seconds; checks have their own.
    #[arg(long, value_name = "SECONDS")]
    pub seconds: Option<u64>,
    /// The most that one finding may cost, in dollars.
    #[arg(long, value_parser = dollars, value_name = "DOLLARS", conflicts_with = "no_cap")]
    pub cap: Option<Money>,
    /// Let one finding cost what it costs.
    #[arg(long)]
    pub no_cap: bool,
    /// How the seats are asked: panel (all at once), samples (one model, as often as there are seats), staged (three,
    /// and the rest where those do not settle it) or chain (one after another, each shown the answer before its own).
    #[arg(long, value_parser = mode, value_name = "MODE")]
    pub mode: Option<Mode>,
    /// Ask models only where you ask for the very finding.
    #[arg(long, conflicts_with = "always")]
    pub on_demand: bool,
    /// Ask models whenever a finding is run.
    #[arg(long)]
    pub always: bool,
}

/// The seats that one argument names.
#[derive(Clone, Debug)]
pub struct Seats(pub Vec<Role>);

fn seats(text: &str) -> Result<Seats, String> {
    if text == "none" {
        return Ok(Seats(Vec::new()));
    }
    text.split(',').map(|word| role(word.trim())).collect::<Result<_, _>>().map(Seats)
}

fn role(text: &str) -> Result<Role, String> {
    let word = text.to_ascii_lowercase().replace('-', "_");
    Role::ALL.into_iter().find(|role| role.id() == word).ok_or_else(|| {
        format!(
            "`{text}` is no seat; use deep-reasoning, pattern-matching, logic, fast or specialised, with commas between"
        )
    })
}

fn mode(text: &str) -> Result<Mode, String> {
    match text {
        "panel" => Ok(Mode::Panel),
        "samples" => Ok(Mode::Samples),
        "staged" => Ok(Mode::Staged),
        "chain" => Ok(Mode::Chain),
        _ => Err("use panel, samples, staged or chain".to_owned()),
    }
}
