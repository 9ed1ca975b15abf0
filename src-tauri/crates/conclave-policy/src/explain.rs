//! How a decision came about, and what a person can do about it.

use serde::{Deserialize, Serialize};

use crate::facts::Facts;
use crate::request::keys;
use crate::{Action, Actor, Decision, Effective, Layer, Policy, Reviewed, ToolRequest};

/// A decision with every rule that was looked at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Explanation {
    /// What was decided.
    pub decision: Decision,
    /// All rules that are switched on and count for the request, layer by layer, in the order in which they are tried.
    /// Inside a layer the first that matched or could not be judged decides.
    pub steps: Vec<Step>,
}

/// What one rule made of a request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// Where the rule stands.
    pub layer: Layer,
    /// The rule's id.
    pub rule: String,
    /// What becomes of what it matches.
    pub action: Effective,
    /// Whether it matched.
    pub matched: Matched,
}

/// Whether a rule matched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Matched {
    /// It did.
    Matched,
    /// It did not.
    NotMatched,
    /// It could not be judged, which counts as a match that denies; why, in words.
    Error(String),
}

impl Policy {
    /// Judges `request` as [`evaluate`](Self::evaluate) does, and says what every rule made of it.
    pub fn explain(&self, request: &ToolRequest, at_ms: i64) -> Explanation {
        let facts = Facts::new(request, at_ms);
        let step = |rule: &crate::Rule| Step {
            layer: rule.layer(),
            rule: rule.id().to_owned(),
            action: rule.action(),
            matched: match rule.judge(&facts) {
                Ok(true) => Matched::Matched,
                Ok(false) => Matched::NotMatched,
                Err(why) => Matched::Error(why.0),
            },
        };
        let steps = self.tried(request).flat_map(|rules| rules.map(step)).collect();
        Explanation { decision: self.evaluate(request, at_ms), steps }
    }
}

/// What a person can do about a refusal of `request`, in words; empty for what is allowed.
pub fn remedy(decision: &Decision, request: &ToolRequest) -> String {
    if decision.effect == Effective::Allow {
        return String::new();
    }
    if decision.effect == Effective::Sample {
        return "open Conclave\u{2019}s window, or run `conclave asks watch` in a terminal, and answer there"
            .to_owned();
    }
    if matches!(decision.review, Some(Reviewed::Person { .. })) {
        return "a person has answered, and that stands: do not use the tool, and do not ask again for the same; ask them \
                what to do instead"
            .to_owned();
    }
    let rule = &decision.rule;
    if let Some(words) = remedy_of_call(rule, request) {
        return words;
    }
    if let Some(words) = remedy_of_shipped(rule) {
        return words.to_owned();
    }
    match decision.layer {
        Some(Layer::Floor) => {
            "Conclave never does this, whatever your policy says; if you want it done, do it yourself".to_owned()
        }
        Some(Layer::Admin) => format!("whoever runs this machine has set `{rule}`; ask them"),
        Some(Layer::Project) => {
            format!("the project\u{2019}s `.conclave/policy.yaml` sets `{rule}`; change or remove it there")
        }
        Some(Layer::User) => format!(
            "to allow it, put an allow rule for it into your `policy.yaml`; `{rule}` decides as long as none does"
        ),
        None => match (&request.actor, request.action) {
            (Actor::Agent(_), Action::CallTool) => format!(
                "to allow it, put a rule with `tool: {}` and `action: allow` or `sample` into your `policy.yaml`",
                request.resource
            ),
            _ => format!("to allow it, put a rule with `action: {}` into your `policy.yaml`", request.action),
        },
    }
}

/// The remedies that name a part of the call.
fn remedy_of_call(rule: &str, request: &ToolRequest) -> Option<String> {
    let known = |key| request.context.get(key);
    let unknown = request.paths.iter().find(|path| path.real.is_none()).map(|path| path.given.as_str());
    match rule {
        "malformed-call" => Some(format!("{}; call the tool as its description says", known(keys::MALFORMED)?)),
        "unknown-file" => Some(format!(
            "`{}` cannot be followed from where the command runs; name it from a folder that is there, without a step up \
             (`..`) out of one that is not",
            unknown?
        )),
        "unbounded-search" => Some(format!(
            "more lies in `{}` than can be looked at; name a narrower folder, or leave folders out",
            known(keys::UNBOUNDED)?
        )),
        _ => also_reads(request),
    }
}

/// Which file a call reaches without naming it, and how to leave that out, in words.
pub fn also_reads(request: &ToolRequest) -> Option<String> {
    let file = request.context.get(keys::REACHES)?;
    let name = file.rsplit('/').next().unwrap_or(file);
    if file.starts_with(".git/") || file.contains("/.git/") {
        return Some(format!(
            "this would also read `{file}`; leave that folder out (`--exclude-dir=.git` for grep; rg leaves it out by itself)"
        ));
    }
    Some(format!(
        "this would also read `{file}`; search a narrower folder, or leave that file out (`--exclude={name}` for grep, `-g \
         '!{name}'` for rg, `! -name {name}` for find, `-- FOLDER` for git)"
    ))
}

/// The remedies of shipped rules that have one of their own.
fn remedy_of_shipped(rule: &str) -> Option<&'static str> {
    Some(match rule {
        "offline" | "offline-tools" => "start Conclave without `--offline` to let connections be made",
        "nothing-leaves-unasked" => "name the model in your settings and let code be sent to it (`may_send_code`)",
        "no-secrets-leave" => "take the secret out of the file, or let the model look at another one",
        "no-hosted-model" => "use a model on this machine, or choose the policy `default` instead of `strict`",
        "no-redacted-body" => "take the secrets out of the file, or choose the policy `default` instead of `strict`",
        "no-command-outside-sandbox" => "install bubblewrap, so that programs can run in the sandbox",
        "uninspectable-command" => {
            "have it run as plain commands: no substitution, no variable, no script passed to an interpreter"
        }
        "only-the-person-writes" => "apply the fix yourself",
        "policy-unusable" => "correct that file; `conclave policy check FILE` says when it is right",
        "human-review" => {
            "ask again, and have the person answer in Conclave\u{2019}s window or in a terminal with `conclave asks watch`"
        }
        "agents-leave-secrets-alone" | "secret-files" => "open the file yourself; no model and no agent gets it",
        _ => return None,
    })
}
