//! Agents' clients as objects: their hooks, and what is decided on their calls.

use conclave_api::advise::client::Client;
use conclave_api::advise::install::{Found, Installed, Listed, Off};
use conclave_api::advise::{Advice, Effective, Layer};
use conclave_api::view::{Effect, RuleLayer};
use schemars::JsonSchema;
use serde::Serialize;

/// What was decided on one request; what Superego has too is called as there.
#[derive(Serialize, JsonSchema)]
pub(super) struct Advised<'a> {
    /// Only `allow` lets it happen; for `sample` somebody has to look at it, and nobody was asked.
    action: Effect,
    /// Why, in words.
    reason: &'a str,
    /// The rule that decided; `no_match` where none did.
    rule_id: &'a str,
    /// Where that rule stands; `null` where none decided.
    layer: Option<RuleLayer>,
    /// What to do next; `null` where it may happen.
    remedy: Option<&'a str>,
    /// The entry in the ledger.
    entry: u64,
}

impl<'a> From<&'a Advice> for Advised<'a> {
    fn from(advice: &'a Advice) -> Self {
        let decision = &advice.decision;
        Self {
            action: match decision.effect {
                Effective::Allow => Effect::Allow,
                Effective::Sample => Effect::Sample,
                Effective::Deny => Effect::Deny,
            },
            reason: &decision.reason,
            rule_id: &decision.rule,
            layer: decision.layer.map(|layer| match layer {
                Layer::Floor => RuleLayer::Floor,
                Layer::Admin => RuleLayer::Admin,
                Layer::User => RuleLayer::User,
                Layer::Project => RuleLayer::Project,
            }),
            remedy: Some(advice.remedy.as_str()).filter(|remedy| !remedy.is_empty()),
            entry: advice.seq,
        }
    }
}

/// How a client's settings stand now that the hook is in them.
#[derive(Serialize, JsonSchema)]
pub(super) struct Added<'a> {
    client: &'static str,
    /// The settings file.
    path: String,
    /// Whether the file was changed.
    changed: bool,
    /// The command line that the client starts.
    command: Option<&'a str>,
    /// Whether the client is told to block a call whose hook fails in any way, hanging too.
    blocks_on_failure: bool,
    /// The first version of the client that can do that; `null` where none can.
    blocks_on_failure_from: Option<String>,
    /// The client's version; `null` where it is not known.
    client_version: Option<String>,
}

impl<'a> Added<'a> {
    pub(super) fn new(client: Client, installed: &'a Installed) -> Self {
        let hook = installed.hook.as_ref();
        Self {
            client: client.name(),
            path: installed.path.display().to_string(),
            changed: installed.changed,
            command: hook.map(|hook| hook.command.as_str()),
            blocks_on_failure: hook.is_some_and(|hook| hook.blocks_on_failure),
            blocks_on_failure_from: client.blocks_on_failure_from().map(|version| version.to_string()),
            client_version: installed.version.map(|version| version.to_string()),
        }
    }
}

/// How a client's settings stand now that no hook is in them.
#[derive(Serialize, JsonSchema)]
pub(super) struct Removed {
    client: &'static str,
    /// The settings file.
    path: String,
    /// Whether the file was changed; it was not when it had no hook.
    changed: bool,
}

impl Removed {
    pub(super) fn new(client: Client, installed: &Installed) -> Self {
        Self { client: client.name(), path: installed.path.display().to_string(), changed: installed.changed }
    }
}

/// The hooks that were found.
#[derive(Serialize, JsonSchema)]
pub(super) struct Hooks<'a> {
    hooks: Vec<Hook<'a>>,
    /// What keeps a client without a hook of ours from starting one.
    turned_off: Vec<TurnedOff>,
}

/// A hook in a client's settings.
#[derive(Serialize, JsonSchema)]
struct Hook<'a> {
    client: &'static str,
    /// The settings file.
    path: String,
    /// Whether the client asks before each call, as far as its settings say; `null` where they cannot be understood.
    runs: Option<bool>,
    /// What in the settings keeps it from being started; `null` where nothing does.
    turned_off_by: Option<TurnedOff>,
    /// The command line that the client starts; `null` where it starts none before a call.
    command: Option<&'a str>,
    /// Whether the client is told to block a call whose hook fails in any way, hanging too.
    blocks_on_failure: Option<bool>,
    /// Whether a hook reports after a call too.
    reports_after: bool,
    /// Why the settings cannot be understood.
    problem: Option<&'a str>,
}

/// A switch that is set.
#[derive(Serialize, JsonSchema)]
struct TurnedOff {
    client: &'static str,
    /// The settings file.
    path: String,
    /// The key in it.
    key: &'static str,
}

impl<'a> Hooks<'a> {
    pub(super) fn new(listed: &'a Listed) -> Self {
        let hook = |found: &'a Found| Hook {
            client: found.client.name(),
            path: found.path.display().to_string(),
            runs: found.runs(),
            turned_off_by: found.off.as_ref().map(TurnedOff::from),
            command: found.before.as_ref().map(|hook| hook.command.as_str()),
            blocks_on_failure: found.before.as_ref().map(|hook| hook.blocks_on_failure),
            reports_after: found.after,
            problem: found.problem.as_deref(),
        };
        Self {
            hooks: listed.found.iter().map(hook).collect(),
            turned_off: listed.off.iter().map(TurnedOff::from).collect(),
        }
    }
}

impl From<&Off> for TurnedOff {
    fn from(off: &Off) -> Self {
        Self { client: off.client.name(), path: off.path.display().to_string(), key: off.key }
    }
}
