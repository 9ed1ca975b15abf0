//! The sample project has tests of its own; they pass before its fixes and after.

use std::path::Path;
use std::process::Command;

use anyhow::{Result, ensure};

use crate::log::Log;
use crate::place::{Place, copy_tree};
use crate::step::Done;

/// Tests, fixes and tests a copy again.
pub fn run(place: &Place, log: &mut Log) -> Result<Done> {
    let conclave = place.program("conclave")?;
    let scratch = place.scratch("sample")?;
    let (project, data) = (scratch.join("corner-shop"), scratch.join("data"));
    copy_tree(&place.sample(), &project)?;
    own_tests(&project, log)?;

    let command = |arguments: &[&str]| {
        let mut command = Command::new(&conclave);
        command.args(arguments).arg("--data-dir").arg(&data).current_dir(&scratch);
        command
    };
    log.run(command(&["scan"]).arg(&project))?;
    log.run(&mut command(&["fix", "--all", "--apply", "--format", "json"]))?;
    let changed = changed_files(&place.sample(), &project)?;
    ensure!(!changed.is_empty(), "no fix was applied to the sample project");
    log.say(&format!("changed: {}", changed.join(" ")))?;
    own_tests(&project, log)?;
    Ok(Done::Figure(format!("  {} files fixed", changed.len())))
}

/// What the sample's README says to run.
fn own_tests(project: &Path, log: &mut Log) -> Result<()> {
    let python = ["-m", "unittest", "discover"];
    log.run(Command::new("python3").args(python).env("PYTHONDONTWRITEBYTECODE", "1").current_dir(project))?;
    log.run(Command::new("node").arg("--test").current_dir(project))
}

/// The files of `before`, by their path in it, that differ in `after`.
fn changed_files(before: &Path, after: &Path) -> Result<Vec<String>> {
    let mut changed = Vec::new();
    for entry in std::fs::read_dir(before)? {
        let name = entry?.file_name();
        let (old, new) = (before.join(&name), after.join(&name));
        let name = name.to_string_lossy();
        if old.is_dir() {
            changed.extend(changed_files(&old, &new)?.into_iter().map(|file| format!("{name}/{file}")));
        } else if std::fs::read(&old)? != std::fs::read(&new).unwrap_or_default() {
            changed.push(name.into_owned());
        }
    }
    changed.sort();
    Ok(changed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_and_a_missing_file_are_seen() {
        let folder = tempfile::tempdir().unwrap();
        let (before, after) = (folder.path().join("before"), folder.path().join("after"));
        std::fs::create_dir_all(before.join("in")).unwrap();
        for name in ["in/same", "in/edited", "gone"] {
            std::fs::write(before.join(name), name).unwrap();
        }
        copy_tree(&before, &after).unwrap();
        std::fs::write(after.join("in/edited"), "else").unwrap();
        std::fs::remove_file(after.join("gone")).unwrap();
        assert_eq!(changed_files(&before, &after).unwrap(), ["gone", "in/edited"]);
    }
}
