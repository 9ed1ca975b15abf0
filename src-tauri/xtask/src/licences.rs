//! Every crate that is built carries a licence that `.cargo/deny.toml` allows.

use std::collections::BTreeSet;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use spdx::{Expression, ParseMode};

use crate::log::Log;
use crate::place::{Place, cargo};
use crate::step::Done;

#[derive(Deserialize)]
struct Rules {
    licenses: Licenses,
    bans: Bans,
}

#[derive(Deserialize)]
struct Licenses {
    allow: BTreeSet<String>,
}

#[derive(Deserialize)]
struct Bans {
    deny: Vec<Ban>,
}

#[derive(Deserialize)]
struct Ban {
    #[serde(rename = "crate")]
    name: String,
    reason: String,
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    resolve: Resolve,
}

/// A crate.
#[derive(Deserialize)]
pub struct Package {
    id: String,
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its licence, as it says itself.
    pub license: Option<String>,
    /// Where its manifest is.
    pub manifest_path: PathBuf,
    /// Where it comes from; `None` is this repository.
    pub source: Option<String>,
}

#[derive(Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
struct Node {
    id: String,
}

/// Reads what cargo resolves for this platform.
pub fn run(place: &Place, log: &mut Log) -> Result<Done> {
    let text = std::fs::read_to_string(place.root.join(".cargo/deny.toml")).context("cannot read .cargo/deny.toml")?;
    let rules: Rules = toml::from_str(&text)?;
    let packages = resolved(place, log)?;
    let complaints: Vec<String> = packages.iter().filter_map(|package| complaint(package, &rules)).collect();
    ensure!(complaints.is_empty(), "{}", complaints.join("; "));
    Ok(Done::Figure(format!("  {} crates", packages.len())))
}

/// What cargo resolves for this platform.
pub fn resolved(place: &Place, log: &mut Log) -> Result<Vec<Package>> {
    let host = log.output(std::process::Command::new("rustc").args(["--print", "host-tuple"]))?;
    let metadata = cargo()
        .args(["metadata", "--locked", "--format-version", "1", "--filter-platform", host.trim()])
        .current_dir(&place.root)
        .output()
        .context("cannot run cargo")?;
    log.say(&String::from_utf8_lossy(&metadata.stderr))?;
    ensure!(metadata.status.success(), "cargo metadata ended with {}", metadata.status);
    let Metadata { packages, resolve } = serde_json::from_slice(&metadata.stdout)?;
    let built: BTreeSet<String> = resolve.nodes.into_iter().map(|node| node.id).collect();
    Ok(packages.into_iter().filter(|package| built.contains(&package.id)).collect())
}

/// Why `package` may not be linked.
fn complaint(package: &Package, rules: &Rules) -> Option<String> {
    if let Some(ban) = rules.bans.deny.iter().find(|ban| ban.name == package.name) {
        return Some(format!("`{}` is banned: {}", ban.name, ban.reason));
    }
    let Some(license) = &package.license else {
        return Some(format!("`{}` names no licence", package.name));
    };
    // Older crates write `A/B` for `A OR B`.
    match Expression::parse_mode(license, ParseMode::LAX) {
        Ok(expression) if expression.evaluate(|part| rules.licenses.allow.contains(&part.to_string())) => None,
        _ => Some(format!("`{}` is under {license}", package.name)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_allowed_alternative_is_enough_and_every_part_is_needed() {
        let rules: Rules = toml::from_str(
            r#"licenses.allow = ["MIT", "ISC", "Apache-2.0 WITH LLVM-exception"]
               bans.deny = [{ crate = "old", reason = "it is old" }]"#,
        )
        .unwrap();
        for (name, license, allowed) in [
            ("a", Some("GPL-3.0-only OR MIT"), true),
            ("a", Some("GPL-3.0-only/MIT"), true),
            ("a", Some("MIT AND ISC"), true),
            ("a", Some("Apache-2.0 WITH LLVM-exception"), true),
            ("a", Some("MIT AND GPL-3.0-only"), false),
            ("a", Some("Apache-2.0"), false),
            ("a", Some("our own"), false),
            ("a", None, false),
            ("old", Some("MIT"), false),
        ] {
            let package = Package {
                id: String::new(),
                name: name.to_owned(),
                version: String::new(),
                license: license.map(str::to_owned),
                manifest_path: PathBuf::new(),
                source: None,
            };
            assert_eq!(complaint(&package, &rules).is_none(), allowed, "{name} {license:?}");
        }
    }
}
