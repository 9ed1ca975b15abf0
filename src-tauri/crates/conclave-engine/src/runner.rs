//! How a project is built and tested: what is recognised, and what is run with our own arguments for a report.
//!
//! A runner is one file and one line in [`RUNNERS`]. It knows by which words a person would start it, and makes of them
//! a step that leaves a machine-readable report. Deliberately absent: any word of a project that is run as it stands;
//! a script of a manifest is read, and only a runner that is known is started.

pub mod baseline;
mod cargo;
pub(crate) mod compare;
pub mod consent;
mod dotnet;
mod folder;
mod go;
mod gradle;
mod jest;
mod junit;
mod make;
mod maven;
mod mocha;
mod node;
mod npm;
mod phpunit;
mod pytest;
mod reach;
mod recognised;
pub(crate) mod report;
mod rspec;
mod tool;
pub(crate) mod trial;
mod unittest;
mod vitest;

pub(crate) use folder::Folder;
pub(crate) use reach::reaches;
pub(crate) use recognised::{Planned, build_steps, test_steps};
pub use recognised::{Recognised, recognised};

use conclave_effects::sandbox::Exit;

use report::{Ending, Printed, Read, Test};

/// A way to build and test the files of some language.
pub(crate) struct Runner {
    /// Its name for people.
    pub name: &'static str,
    /// Extensions of the files that it builds and tests; none stands for all.
    pub extensions: &'static [&'static str],
    /// Names of files of which one lies in the folder that it is started in; `*.sln` stands for any name that ends so.
    /// Without such a folder above a file it is the project’s own.
    pub markers: &'static [&'static str],
    /// Whether the outermost such folder counts instead of the nearest.
    pub outermost: bool,
    /// The words by which a person would run the tests of the folder; `None` where it has none of this kind.
    pub recognise: fn(&Folder<'_>) -> Option<Vec<String>>,
    /// What these words are with our arguments; `None` where they start something else.
    pub step: fn(&Folder<'_>, &[String]) -> Option<Started>,
    /// The build or type check of these files, paths from the folder; `None` where there is nothing to build.
    pub build: fn(&Folder<'_>, &[String]) -> Option<Step>,
}

/// All runners; the first that recognises a folder is taken.
pub(crate) const RUNNERS: &[&Runner] = &[
    &pytest::PYTEST,
    &unittest::UNITTEST,
    &npm::NPM,
    &jest::JEST,
    &vitest::VITEST,
    &mocha::MOCHA,
    &node::NODE,
    &go::GO,
    &cargo::CARGO,
    &maven::MAVEN,
    &gradle::GRADLE,
    &rspec::RSPEC,
    &phpunit::PHPUNIT,
    &dotnet::DOTNET,
    &make::MAKE,
    &junit::JUNIT,
];

/// Where our own files lie in a copy while a step runs.
pub(crate) const OURS: &str = ".conclave-run";
/// Where a step writes its report, if that is one file.
pub(crate) const REPORT: &str = "/scratch/.conclave-run/report";

/// A step, or why these words give none that can be believed.
pub(crate) type Started = Result<Step, String>;

/// Where a step leaves its report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// It leaves none but its exit status.
    Status,
    /// On standard output.
    Stdout,
    /// In [`REPORT`].
    File,
    /// In files with this ending in these folders of the copy.
    Folders(Vec<String>, &'static str),
}

/// One program to run.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    /// The program by name and its arguments.
    pub argv: Vec<String>,
    /// Environment variables.
    pub env: Vec<(String, String)>,
    /// Programs of ours that lie in [`OURS`] while it runs, by name and text.
    pub programs: &'static [(&'static str, &'static str)],
    /// Where the report is.
    pub place: Place,
    /// How the report is read.
    pub read: Read,
    /// Address space that it needs, in GiB.
    pub address_space_gib: u64,
}

impl Step {
    /// A step whose exit status says all.
    pub fn new(argv: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let argv = argv.into_iter().map(Into::into).collect();
        Self { argv, env: Vec::new(), programs: &[], place: Place::Status, read: status, address_space_gib: 4 }
    }

    /// The same with its report at `place`.
    pub fn reporting(self, place: Place, read: Read) -> Self {
        Self { place, read, ..self }
    }

    /// The same with more address space, for runtimes that reserve it without using it.
    pub fn roomy(self) -> Self {
        Self { address_space_gib: 16, ..self }
    }

    /// The same with an environment variable.
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.env.push((name.to_owned(), value.into()));
        self
    }

    /// The command as a person could repeat it.
    pub fn shown(&self) -> String {
        self.argv.join(" ")
    }
}

/// The exit status alone, as one test.
fn status(printed: &Printed) -> Result<Vec<Test>, String> {
    let ending = if printed.exit == Exit::Code(0) { Ending::Passed } else { Ending::Failed };
    Ok(vec![Test::new("exit status", ending)])
}

/// The step that `words` are, whichever runner they start.
pub(crate) fn step(folder: &Folder<'_>, words: &[String]) -> Started {
    let found = RUNNERS.iter().find_map(|runner| (runner.step)(folder, words));
    found.unwrap_or_else(|| {
        Err(format!(
            "`{}` leaves no report that can be read; write `{{report}}` where it takes the path of a JUnit file",
            words.join(" ")
        ))
    })
}

/// Words as they are kept.
fn words(text: &[&str]) -> Vec<String> {
    text.iter().map(|word| (*word).to_owned()).collect()
}

/// Whether `word` starts the program `name`, by name or by path.
fn starts(word: Option<&String>, name: &str) -> bool {
    word.is_some_and(|word| word.rsplit('/').next() == Some(name))
}

#[cfg(test)]
mod tests;
