//! A fix on its way out and back: as a patch or a pull request, and as a person's own version.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

#[derive(Debug, Args)]
pub struct Export {
    /// The finding's id, or its first digits.
    pub id: String,
    /// In which form.
    #[arg(long = "as", value_enum, value_name = "FORM")]
    pub form: ExportAs,
    /// The fix's id; the recommended one when left out.
    #[arg(long, value_name = "FIX")]
    pub fix: Option<String>,
    /// Write it to this file instead, which is replaced when it exists.
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ExportAs {
    /// A patch with a commit message, as `git am` takes it.
    Patch,
    /// The title and the text of a pull request, in Markdown.
    Pr,
}

#[derive(Debug, Args)]
pub struct Edit {
    /// The finding's id, or its first digits.
    pub id: String,
    /// The fix's id; the one that is shown first when left out.
    #[arg(long, value_name = "FIX", alias = "candidate")]
    pub fix: Option<String>,
    /// The patch; standard input when left out.
    #[arg(long, value_name = "FILE")]
    pub patch: Option<PathBuf>,
}
