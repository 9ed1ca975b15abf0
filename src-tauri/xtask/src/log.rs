//! Running programs with what they say kept in a file.

use std::ffi::OsStr;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// The log of one step.
pub struct Log {
    path: PathBuf,
    file: File,
}

impl Log {
    /// An empty log at `path`.
    pub fn create(path: PathBuf) -> Result<Self> {
        let file = File::create(&path).with_context(|| format!("cannot write `{}`", path.display()))?;
        Ok(Self { path, file })
    }

    /// Where it stands.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Adds a line.
    pub fn say(&mut self, line: &str) -> Result<()> {
        writeln!(self.file, "{line}").context("cannot write the log")
    }

    /// Runs `command` without input; its output goes into the log.
    ///
    /// # Errors
    /// It cannot start, or it ends with anything but success.
    pub fn run(&mut self, command: &mut Command) -> Result<()> {
        self.run_with(command, Stdio::null())
    }

    /// Runs `command` with `input`.
    ///
    /// # Errors
    /// As [`Log::run`].
    pub fn run_with(&mut self, command: &mut Command, input: Stdio) -> Result<()> {
        self.start(command)?;
        let status = command
            .stdin(input)
            .stdout(self.file.try_clone()?)
            .stderr(self.file.try_clone()?)
            .status()
            .with_context(|| format!("cannot run {}", shown(command)))?;
        if !status.success() {
            bail!("{} ended with {status}", shown(command));
        }
        Ok(())
    }

    /// Runs `command` without input and returns what it printed; errors go into the log, and so does the output.
    ///
    /// # Errors
    /// It cannot start, or it ends with anything but success.
    pub fn output(&mut self, command: &mut Command) -> Result<String> {
        self.start(command)?;
        let output = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(self.file.try_clone()?)
            .output()
            .with_context(|| format!("cannot run {}", shown(command)))?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        self.say(&text)?;
        if !output.status.success() {
            bail!("{} ended with {}", shown(command), output.status);
        }
        Ok(text)
    }

    /// Everything so far.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.path).unwrap_or_default()).into_owned()
    }

    /// The last `count` lines.
    pub fn tail(&self, count: usize) -> String {
        let text = self.text();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(count)..].join("\n")
    }

    fn start(&mut self, command: &Command) -> Result<()> {
        self.say(&format!("$ {command:?}"))
    }
}

/// The program and its first argument, as a person would name the command; what only starts it is left out.
fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args()).map(OsStr::to_string_lossy);
    let mut words = words.skip_while(|word| {
        let name = word.rsplit('/').next().unwrap_or_default();
        ["timeout", "unshare"].contains(&name) || word.starts_with('-') || word.parse::<u32>().is_ok()
    });
    let program = words.next().unwrap_or_default();
    let name = program.rsplit('/').next().unwrap_or_default();
    match words.next() {
        Some(argument) => format!("`{name} {argument}`"),
        None => format!("`{name}`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failing_program_is_named_and_its_words_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let mut log = Log::create(folder.path().join("x.log")).unwrap();
        let error = log.run(Command::new("sh").args(["-c", "echo one; echo two >&2; exit 3"])).unwrap_err();
        assert_eq!(error.to_string(), "`sh -c` ended with exit status: 3");
        assert_eq!(log.tail(2), "one\ntwo");
        assert!(log.run(&mut Command::new("/nonexistent/program")).is_err());
    }

    #[test]
    fn a_command_is_named_without_what_starts_it() {
        let mut limited = Command::new("/usr/bin/timeout");
        limited.args(["--kill-after=10", "60", "/bin/cargo", "test", "-q"]);
        assert_eq!(shown(&limited), "`cargo test`");
        let mut alone = Command::new("unshare");
        alone.args(["--net", "/target/debug/conclave"]);
        assert_eq!(shown(&alone), "`conclave`");
    }
}
