//! Looks at what this machine offers to Conclave.

use conclave_core::candidate::Draft;
use conclave_effects::sandbox::{find_program, probe};
use conclave_fixers::Recipes;
use conclave_store::StoreError;

use crate::ctx::Ctx;
use crate::policies::PolicyFiles;
use crate::scanner::Scanner;
use crate::stage::empty_model_seat;

/// How a thing stands that was looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// As it should be.
    Ok,
    /// It is not there, or not set up; what needs it is left out.
    Missing,
    /// It is there and broken.
    Wrong,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// What.
    pub name: String,
    /// How it stands.
    pub standing: Standing,
    /// What was found.
    pub found: String,
    /// What to do, where something is missing or wrong.
    pub hint: Option<String>,
}

fn ok(name: &str, found: impl Into<String>) -> Item {
    Item { name: name.to_owned(), standing: Standing::Ok, found: found.into(), hint: None }
}

fn missing(name: &str, found: impl Into<String>, hint: impl Into<String>) -> Item {
    Item { name: name.to_owned(), standing: Standing::Missing, found: found.into(), hint: Some(hint.into()) }
}

fn wrong(name: &str, found: impl Into<String>, hint: impl Into<String>) -> Item {
    Item { standing: Standing::Wrong, ..missing(name, found, hint) }
}

/// Why no program can run in a sandbox here, where none can.
pub fn sandbox_trouble() -> Option<String> {
    probe().err().map(|error| error.to_string())
}

/// The projects whose code the person lets run.
fn commands_item(cx: &Ctx) -> Item {
    let settings = cx.settings();
    let agreed: Vec<&str> = settings.commands.iter().filter(|(_, c)| c.agreed).map(|(root, _)| root.as_str()).collect();
    if agreed.is_empty() {
        return ok("Tests", "of no project may run; `conclave project commands PATH --agree` lets them");
    }
    ok("Tests", format!("may run in {}", agreed.join(", ")))
}

/// Everything that matters, in the order in which it is shown.
///
/// # Errors
/// The ledger cannot be read.
pub async fn look(cx: &Ctx) -> Result<Vec<Item>, StoreError> {
    let verdict = cx.store.verify_ledger()?;
    let mut items = vec![
        ok("Data folder", cx.data.path().display().to_string()),
        match verdict.fault {
            None => ok("Ledger", format!("{} rows, intact", verdict.rows)),
            Some(fault) => wrong("Ledger", fault, "somebody changed the database; keep a copy of it"),
        },
        ok("Recipes", format!("{} built in", Recipes::shipped().iter().count())),
        match probe() {
            Ok(found) => ok("Sandbox", found),
            Err(error) => {
                let hint = "without it no scanner runs and the re-scan is shown as not available; install bubblewrap";
                missing("Sandbox", error.to_string(), hint)
            }
        },
    ];
    items.extend(Scanner::all().iter().map(|scanner| {
        let program = find_program(&scanner.program, cx.data.path()).map(|path| path.display().to_string());
        scanner_item(scanner, program, cx.settings().semgrep_rules.is_some())
    }));
    items.push(commands_item(cx));
    items.push(policy_item(&cx.policy));
    items.push(match cx.models.banner() {
        None => ok("Settings", cx.data.path().join("settings.json").display().to_string()),
        Some(banner) => wrong("Settings", banner, "correct the file; what it says is then in force at once"),
    });
    items.push(keychain_item(cx.store.keys()?.len(), cx.models.keys().state(&cx.gate).await));
    items.push(reviewer_item(cx));
    let ready = cx.models.used().iter().filter(|model| model.missing().is_none()).count();
    items.push(match (ready, empty_model_seat(cx)) {
        (_, None) => ok("Models", format!("{ready} in the settings")),
        (n, Some(Draft::Empty { fill })) => missing("Models", format!("{n} ready"), fill),
        (n, Some(_)) => ok("Models", format!("{n} ready")),
    });
    Ok(items)
}

fn policy_item(policy: &PolicyFiles) -> Item {
    let files = policy.files();
    let named: Vec<String> = files.iter().filter_map(|file| Some(file.path.as_ref()?.display().to_string())).collect();
    let found = if named.is_empty() { "the shipped rules".to_owned() } else { named.join(", ") };
    match policy.banner() {
        Some(banner) => wrong("Policy", banner, "correct the file, or remove it to have the shipped rules"),
        None => match files.iter().flat_map(|file| &file.warnings).next() {
            Some(warning) => missing("Policy", found, warning.clone()),
            None => ok("Policy", found),
        },
    }
}

/// What holds for the keychain, in which `keys` keys are said to be. It is not asked for any: that may show a prompt.
fn keychain_item(keys: usize, trouble: Option<String>) -> Item {
    match trouble {
        Some(trouble) => {
            let (found, hint) = trouble.split_once("; ").unwrap_or((trouble.as_str(), "try again"));
            missing("Keychain", found, hint)
        }
        None if keys == 0 => ok("Keychain", "holds no key of Conclave"),
        None => ok("Keychain", format!("{keys} {}", if keys == 1 { "key" } else { "keys" })),
    }
}

/// Who looks at what the policy samples.
fn reviewer_item(cx: &Ctx) -> Item {
    let wanted = &cx.settings().review.models;
    if wanted.is_empty() {
        return ok("Reviewer", "you");
    }
    let ready = |name: &&String| cx.models.named(name).is_some_and(|model| model.missing().is_none());
    match wanted.iter().find(|name| !ready(name)) {
        None => ok("Reviewer", wanted.join(", ")),
        Some(name) => missing("Reviewer", format!("`{name}` is not ready"), "name it in the settings, with its key"),
    }
}

/// What holds for `scanner`, whose program was found at `program`.
fn scanner_item(scanner: &Scanner, program: Option<String>, rules_named: bool) -> Item {
    match program {
        Some(_) if scanner.needs_rules() && !rules_named => {
            let hint =
                "name the folder of its rules as `semgrep_rules` in the settings to have its findings re-scanned";
            missing(&scanner.name, "installed, without rules", hint)
        }
        Some(path) => ok(&scanner.name, path),
        None => {
            let hint = format!("install `{}` to have its findings re-scanned", scanner.program);
            missing(&scanner.name, "not installed", hint)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scanner_is_all_right_only_when_it_can_run() {
        for (name, program, rules_named, expect) in [
            ("bandit", Some("/bin/bandit"), false, (true, "/bin/bandit")),
            ("bandit", None, true, (false, "not installed")),
            ("semgrep", Some("/bin/semgrep"), true, (true, "/bin/semgrep")),
            ("semgrep", Some("/bin/semgrep"), false, (false, "installed, without rules")),
        ] {
            let scanner = Scanner::named(name).expect("a known scanner");
            let item = scanner_item(scanner, program.map(str::to_owned), rules_named);
            let ok = item.standing == Standing::Ok;
            assert_eq!((ok, item.found.as_str()), expect, "{name}");
            assert_eq!(item.hint.is_some(), !ok, "{name}");
        }
    }
}
