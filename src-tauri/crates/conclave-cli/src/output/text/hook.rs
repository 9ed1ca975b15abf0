//! Agents' clients in text: their hooks, and what is decided on their calls.

use std::fmt::Write as _;

use conclave_api::advise::client::Client;
use conclave_api::advise::install::{Installed, Listed};
use conclave_api::advise::{Advice, Effective};

use super::{Style, clean};

pub(in crate::output) fn advice(style: Style, advice: &Advice) -> String {
    let decision = &advice.decision;
    let word = match decision.effect {
        Effective::Allow => "Allowed",
        Effective::Sample => "Needs a person",
        Effective::Deny => "Denied",
    };
    let (reason, rule) = (clean(&decision.reason), clean(&decision.rule));
    let mut out = format!("{}: {reason} (rule {rule}, entry {})\n", style.bold(word), advice.seq);
    if !advice.remedy.is_empty() {
        let _ = writeln!(out, "  {}", clean(&advice.remedy));
    }
    out
}

pub(in crate::output) fn hook_added(style: Style, client: Client, installed: &Installed) -> String {
    let (title, path) = (client.title(), installed.path.display().to_string());
    let now = if installed.changed { "now" } else { "already" };
    let mut out = format!("{title} {now} asks Conclave before each tool call: {}\n", clean(&path));
    out.push_str("Self-test passed: an agent that rewrites your policy is refused.\n");
    let blocks = installed.hook.as_ref().is_some_and(|hook| hook.blocks_on_failure);
    let otherwise = "One that crashes, is killed or is missing blocks the call all the same.";
    let _ = match (blocks, client.blocks_on_failure_from(), installed.version) {
        (true, ..) => writeln!(out, "It fails closed: a hook that crashes, hangs or is missing blocks the call."),
        (false, Some(needed), Some(version)) => writeln!(
            out,
            "{}: it runs a call whose hook hangs. {otherwise} Version {needed} and later can: update {title}, then run this \
             again.",
            style.bold(&format!("{title} {version} cannot fail closed"))
        ),
        (false, Some(needed), None) => writeln!(
            out,
            "{}, because its version could not be found out: a call runs whose hook hangs. {otherwise} Version {needed} and \
             later can: look with `{} --version`, then run this again with `--client-version VERSION`.",
            style.bold(&format!("{title} was not told to fail closed")),
            client.program()
        ),
        (false, None, _) => {
            let cannot = style.bold(&format!("{title} cannot fail closed"));
            writeln!(out, "{cannot}: it runs a call whose hook hangs. {otherwise}")
        }
    };
    if client == Client::Codex && installed.changed {
        out.push_str(
            "Codex skips the hook until you trust it: start `codex`, open `/hooks` and trust both entries. Until then \
             nothing is guarded, and `codex exec` does not ask.\n",
        );
    }
    if installed.changed {
        let _ = writeln!(out, "Restart {title} for it to take effect.");
    }
    out
}

pub(in crate::output) fn hook_removed(client: Client, installed: &Installed) -> String {
    let path = installed.path.display().to_string();
    if installed.changed {
        format!("Removed from {}. Restart {}.\n", clean(&path), client.title())
    } else {
        format!("There is no hook of Conclave in {}.\n", clean(&path))
    }
}

pub(in crate::output) fn hooks(style: Style, listed: &Listed) -> String {
    if listed.found.is_empty() {
        return no_hooks(listed);
    }
    let mut out = String::new();
    for found in &listed.found {
        let title = found.client.title();
        if let Some(problem) = &found.problem {
            let _ = writeln!(out, "{title}: {}. Whether it asks Conclave is not known.", clean(problem));
            continue;
        }
        let _ = writeln!(out, "{title}: {}", clean(&found.path.display().to_string()));
        match &found.before {
            Some(hook) => {
                let failure = if hook.blocks_on_failure { "blocks on failure" } else { "does not block when it hangs" };
                let after = if found.after { "" } else { ", without the report after a call" };
                let _ = writeln!(out, "  {} ({failure}{after})", clean(&hook.command));
            }
            None => {
                let only = style.bold("does not ask before a call");
                let _ = writeln!(out, "  {only}: only the report after it is left; add the hook again");
            }
        }
        if let Some(off) = &found.off {
            let path = clean(&off.path.display().to_string());
            let _ = writeln!(
                out,
                "  {}: `{}` is {} in {path}, so {title} starts no hook; take it out there",
                style.bold("will not run"),
                off.key,
                off.value()
            );
        }
    }
    out
}

/// What to do where no client asks: add a hook, but to a client that would start none only once it would.
fn no_hooks(listed: &Listed) -> String {
    let mut out = "No client asks Conclave.".to_owned();
    if listed.off.iter().all(|off| off.client != Client::ClaudeCode) {
        out.push_str(" `conclave hook add claude-code` changes that.");
    }
    out.push('\n');
    for off in &listed.off {
        let _ = writeln!(
            out,
            "  {} starts no hook: `{}` is {} in {}; take it out there, then run `conclave hook add {}`",
            off.client.title(),
            off.key,
            off.value(),
            clean(&off.path.display().to_string()),
            off.client
        );
    }
    out
}
