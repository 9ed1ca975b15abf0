//! The policy in force, what it says of a request, and what another one would have said.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use specta::Type;

use super::Number;

/// What becomes of a request, from most permissive to strictest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema, Type)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// It may happen.
    Allow,
    /// Somebody looks at it first.
    Sample,
    /// It must not happen.
    Deny,
}

/// Where rules come from, outermost first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema, Type)]
#[serde(rename_all = "snake_case")]
pub enum RuleLayer {
    /// Built in; cannot be widened.
    Floor,
    /// Set by whoever runs the machine.
    Admin,
    /// The person's own, on top of the shipped rules that it extends.
    User,
    /// Found in a project; can only make the policy stricter.
    Project,
}

/// The policy in force.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct PolicyView {
    /// What keeps the policy from being what its files say, and what holds instead.
    pub banner: Option<String>,
    /// The files in effect, outermost first.
    pub files: Vec<PolicyFileView>,
    /// All rules, in the order in which they are tried.
    pub rules: Vec<RuleView>,
    /// Where the person's own file is, or would be.
    pub path: String,
    /// The text of the person's own file; empty when there is none.
    pub user_policy: String,
    /// The digest of that text, to be given when it is saved; `null` when there is no file.
    pub digest: Option<String>,
}

/// One source of rules.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct PolicyFileView {
    /// Where it stands.
    pub layer: RuleLayer,
    /// For people: `built in`, `admin`, `yours`, or the project's name.
    pub origin: String,
    /// The file, or where one would be; `null` for what is built in.
    pub path: Option<String>,
    /// What became of it.
    pub state: PolicyFileState,
    /// The digest of its text, or of the rules where they are built in; `null` where there is nothing.
    pub digest: Option<String>,
    /// How many rules it brings, those of the shipped policy that it extends included.
    pub rules: u32,
    /// How many of them it holds itself.
    pub own_rules: u32,
    /// Why it is not used; until it is corrected its layer refuses everything.
    pub fault: Option<String>,
    /// What is probably not meant as it is written.
    pub warnings: Vec<String>,
}

/// What became of a source of rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Type)]
#[serde(rename_all = "snake_case")]
pub enum PolicyFileState {
    /// The rules are part of the program.
    BuiltIn,
    /// It is in force.
    Loaded,
    /// It cannot be used; everything in its scope is refused.
    Refused,
    /// There is no such file.
    Missing,
}

/// One rule.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct RuleView {
    /// Its name, unique within its file.
    pub id: String,
    /// Where it stands.
    pub layer: RuleLayer,
    /// As in [`PolicyFileView`].
    pub origin: String,
    /// Its place within its layer: the lowest number comes first.
    pub priority: u32,
    /// What becomes of what it matches.
    pub action: Effect,
    /// Why.
    pub reason: String,
    /// What must hold for it to match, in words; it matches everything when empty.
    pub conditions: Vec<String>,
    /// What a reviewer should look at.
    pub guidance: Option<String>,
    /// Who reviews, where the rule names somebody.
    pub provider: Option<String>,
    /// Whether it is in use.
    pub enabled: bool,
    /// How often it decided in the last seven days.
    pub hits_7d: u32,
    /// Its examples, which held when the file was loaded.
    pub examples: Vec<ExampleView>,
}

/// One example of a rule.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct ExampleView {
    /// The request.
    pub text: String,
    /// Whether the rule matches it.
    pub matches: bool,
}

/// Asks what the policy says of a request; nothing is sent and nothing recorded.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
#[serde(deny_unknown_fields)]
pub struct ExplainRequest {
    /// The request as JSON: `actor`, `action`, `resource`, `context`, `paths`, or the short form of a rule's examples.
    pub request: String,
}

/// What the policy says of a request.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct ExplanationView {
    /// What becomes of it.
    pub decision: Effect,
    /// The rule that decides.
    pub rule: String,
    /// Where that rule stands; `null` when no rule decides.
    pub layer: Option<RuleLayer>,
    /// Why.
    pub reason: String,
    /// What the person can do about a denial.
    pub remedy: Option<String>,
    /// What was not looked at for this; `null` where nothing was left out.
    pub note: Option<String>,
    /// Every rule that was tried, in order.
    pub steps: Vec<StepView>,
}

/// What one rule says of a request.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct StepView {
    /// The rule.
    pub rule: String,
    /// Where it stands.
    pub layer: RuleLayer,
    /// What becomes of what it matches.
    pub action: Effect,
    /// Whether it matches.
    pub outcome: StepOutcome,
    /// Why, in words, where there is something to say.
    pub why: Option<String>,
}

/// Whether a rule matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Type)]
#[serde(rename_all = "snake_case")]
pub enum StepOutcome {
    /// It does.
    Match,
    /// It does not.
    NoMatch,
    /// It cannot be judged, which counts as a denial.
    Error,
}

/// Asks what is wrong with a policy file, before it is used.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
#[serde(deny_unknown_fields)]
pub struct CheckPolicy {
    /// Its text.
    pub policy: String,
}

/// What is wrong with a policy file.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct PolicyCheck {
    /// Why it is no policy, a failed example included.
    pub fault: Option<String>,
    /// What is probably not meant as it is written.
    pub warnings: Vec<String>,
    /// How many rules of its own it has.
    pub rules: u32,
    /// How many examples held.
    pub examples: u32,
}

/// Asks what another policy would have decided on what was asked before.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
#[serde(deny_unknown_fields)]
pub struct SimulatePolicy {
    /// The text to try in place of the person's own file.
    pub policy: String,
    /// Over so many of the last decisions, 1 to 100000; 1000 when `null`.
    pub limit: Option<u32>,
}

/// What another policy would have decided.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct SimulationView {
    /// Why the text is no policy; then nothing was tried.
    pub fault: Option<String>,
    /// What is probably not meant as it is written.
    pub warnings: Vec<String>,
    /// So many recorded requests were judged again.
    pub checked: u32,
    /// Those on which the rules would now say something else, newest first; at most 500.
    pub changed: Vec<ChangedDecision>,
    /// How many there are in all.
    pub changed_count: u32,
}

/// One recorded request on which another policy says something else.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct ChangedDecision {
    /// Its entry in the ledger.
    #[specta(type = Number)]
    pub seq: u64,
    /// When it was asked.
    #[specta(type = Number)]
    pub at: i64,
    /// Who asked.
    pub who: String,
    /// For what, in words.
    pub what: String,
    /// What the rules in force say of it.
    pub before: Effect,
    /// The rule that says so.
    pub before_rule: String,
    /// What the other rules say.
    pub after: Effect,
    /// The rule that says so.
    pub after_rule: String,
}

/// Replaces the person's own policy file.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
#[serde(deny_unknown_fields)]
pub struct SavePolicy {
    /// Its new text.
    pub policy: String,
    /// The digest of the text that was edited; when the file has another by now, nothing is saved. `null` when there was
    /// no file.
    pub expected_digest: Option<String>,
}

/// A saved policy, in force from now on.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Type)]
pub struct PolicySaved {
    /// The file.
    pub path: String,
    /// The digest of its text.
    pub digest: String,
    /// What is probably not meant as it is written.
    pub warnings: Vec<String>,
}
