//! The licences of everything that a package holds, as one text for the person who installs it.
//!
//! Equal texts stand once, below the names of all that are under them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use crate::licences::resolved;
use crate::log::Log;
use crate::place::Place;

/// How the files begin that hold a licence.
const NAMES: [&str; 4] = ["LICENSE", "LICENCE", "COPYING", "NOTICE"];

#[derive(Deserialize)]
struct Lock {
    packages: BTreeMap<String, Entry>,
}

#[derive(Deserialize)]
struct Entry {
    version: Option<String>,
    license: Option<String>,
    #[serde(default)]
    dev: bool,
}

/// Something that is in the package: its name with its version and licence, and where its texts are.
struct Part {
    name: String,
    folder: PathBuf,
}

/// Writes the text and says where it is.
pub fn write(place: &Place, log: &mut Log) -> Result<PathBuf> {
    let own = std::fs::read_to_string(place.root.join("LICENSE")).context("cannot read LICENSE")?;
    let mut parts = crates(place, log)?;
    parts.extend(page(place)?);
    let text = together(&own, &parts);
    let file = place.logs()?.join("copyright");
    std::fs::write(&file, text).with_context(|| format!("cannot write `{}`", file.display()))?;
    Ok(file)
}

fn crates(place: &Place, log: &mut Log) -> Result<Vec<Part>> {
    let foreign = resolved(place, log)?.into_iter().filter(|package| package.source.is_some());
    let part = |package: crate::licences::Package| {
        let licence = package.license.as_deref().unwrap_or("no licence named");
        let name = format!("{} {} ({licence})", package.name, package.version);
        Some(Part { name, folder: package.manifest_path.parent()?.to_owned() })
    };
    Ok(foreign.filter_map(part).collect())
}

/// What the page is made of.
fn page(place: &Place) -> Result<Vec<Part>> {
    let ui = place.root.join("ui");
    let lock = std::fs::read(ui.join("package-lock.json")).context("cannot read ui/package-lock.json")?;
    let Lock { packages } = serde_json::from_slice(&lock)?;
    let used = packages.into_iter().filter(|(path, entry)| !path.is_empty() && !entry.dev);
    let parts = used.map(|(path, Entry { version, license, .. })| {
        let name = path.rsplit("node_modules/").next().unwrap_or_default();
        let (version, licence) = (version.unwrap_or_default(), license.unwrap_or_default());
        Part { name: format!("{name} {version} ({licence})"), folder: ui.join(&path) }
    });
    let parts: Vec<Part> = parts.collect();
    let missing: Vec<&str> = parts.iter().filter(|part| !part.folder.is_dir()).map(|part| part.name.as_str()).collect();
    ensure!(missing.is_empty(), "not installed: {}", missing.join(", "));
    Ok(parts)
}

fn together(own: &str, parts: &[Part]) -> String {
    let mut by_text: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    let mut without = BTreeSet::new();
    for part in parts {
        let texts = texts(&part.folder);
        if texts.is_empty() {
            without.insert(part.name.as_str());
        }
        for text in texts {
            by_text.entry(text).or_default().insert(&part.name);
        }
    }
    let rule = "-".repeat(80);
    let mut all = format!("Conclave is under this licence:\n\n{}\n\n{rule}\n\nIt contains what follows.\n", own.trim());
    for (text, names) in by_text {
        let names: Vec<&str> = names.into_iter().collect();
        // Writing to a string cannot fail.
        let _ = write!(all, "\n{rule}\n\n{}\n\n{text}\n", names.join("\n"));
    }
    if !without.is_empty() {
        let names: Vec<&str> = without.into_iter().collect();
        let _ =
            write!(all, "\n{rule}\n\nThese carry no text of their licence beside its name:\n\n{}\n", names.join("\n"));
    }
    all
}

/// The texts of licences in `folder`, and one folder below, where the sources of others lie.
fn texts(folder: &Path) -> BTreeSet<String> {
    let files = |folder: &Path| -> Vec<PathBuf> {
        std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
    };
    let here = files(folder);
    let below: Vec<PathBuf> = here.iter().filter(|path| path.is_dir()).flat_map(|path| files(path)).collect();
    let is_licence = |path: &&PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_uppercase();
        NAMES.iter().any(|begin| name.starts_with(begin))
    };
    let licences = here.iter().chain(&below).filter(is_licence);
    let texts = licences.filter_map(|path| std::fs::read_to_string(path).ok());
    texts.map(|text| text.replace('\r', "").trim().to_owned()).filter(|text| !text.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_texts_stand_once_below_all_names_and_one_without_a_text_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let part = |name: &str, files: &[(&str, &str)]| {
            let folder = folder.path().join(name);
            for (path, text) in files {
                let file = folder.join(path);
                std::fs::create_dir_all(file.parent().unwrap()).unwrap();
                std::fs::write(file, text).unwrap();
            }
            Part { name: name.to_owned(), folder }
        };
        let parts = [
            part("a", &[("LICENSE-MIT", "Permission\r\nis granted"), ("README.md", "hello")]),
            part("b", &[("license.txt", "Permission\nis granted\n"), ("inner/COPYING", "Others")]),
            part("c", &[("Cargo.toml", "")]),
        ];
        let text = together("Ours", &parts);
        assert!(text.starts_with("Conclave is under this licence:\n\nOurs\n"), "{text}");
        assert_eq!(text.matches("is granted").count(), 1, "{text}");
        assert!(text.contains("\n\na\nb\n\nPermission\nis granted\n") && text.contains("\n\nb\n\nOthers\n"), "{text}");
        assert!(text.ends_with("beside its name:\n\nc\n") && !text.contains("hello"), "{text}");
    }
}
