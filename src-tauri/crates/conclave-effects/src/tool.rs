//! One use of a tool in a deliberation, judged before the tool sees anything of it.
//!
//! What a tool does outside of this process (its server's, its connection) is an effect of its own; this one says that it
//! may be used for this at all. Invariant: what a tool is given is what was judged, without the secrets that were found.

use conclave_policy::{Action, Actor, ToolCall, ToolRequest, digest_parts, keys};
use serde_json::Value;

use crate::{Body, Consent, Effect, Facts, Permit, Stale};

/// The effect of using a tool.
///
/// It has no `Debug`, because the secrets that its arguments were looked through for have none.
pub struct UseTool {
    /// Whose tool it is.
    pub server: String,
    /// The tool's name.
    pub tool: String,
    /// Where it works.
    pub place: ToolPlace,
    /// Whether its use may take something away.
    pub destructive: bool,
    /// The run for which it is used.
    pub run: String,
    /// The finding that the run is about.
    pub finding: String,
    /// Its arguments: one JSON value.
    pub arguments: Body,
    /// What rules may want to know of it.
    pub facts: Facts,
}

/// Where a tool works.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ToolPlace {
    /// In this process; nothing leaves it.
    Builtin,
    /// At a server that the settings name.
    Server {
        /// The host elsewhere that it can reach, lower case; `None` where everything stays on this machine.
        reaches: Option<String>,
    },
}

impl ToolPlace {
    /// The host elsewhere that the tool can reach.
    pub fn reaches(&self) -> Option<&str> {
        match self {
            Self::Builtin => None,
            Self::Server { reaches } => reaches.as_deref(),
        }
    }
}

impl Effect for UseTool {
    fn request(&self, actor: &Actor) -> ToolRequest {
        let parameters: Result<Value, _> = serde_json::from_slice(self.arguments.bytes());
        let taken = self.arguments.redacted_count();
        // What stays here goes without the secrets that were in it. Whoever puts one into a question to somebody else
        // does not get to ask.
        let secrets = if self.place.reaches().is_some() { taken } else { 0 };
        let mut request =
            ToolRequest::new(actor.clone(), Action::CallTool, format!("mcp://{}/{}", self.server, self.tool))
                .with("finding", self.finding.clone())
                .with("destructive", if self.destructive { "yes" } else { "no" })
                .with("bytes", self.arguments.bytes().len().to_string())
                .with("digest", digest_parts([self.arguments.bytes()]))
                .with(keys::REDACTIONS, taken.to_string())
                .with(keys::SECRETS, secrets.to_string());
        request = match &self.place {
            ToolPlace::Builtin => request.with("place", "builtin"),
            ToolPlace::Server { .. } => request.with("place", "server").with("consent", Consent::Settings.as_str()),
        };
        if let Some(host) = self.place.reaches() {
            request = request.with(keys::HOST, host);
        }
        if parameters.is_err() {
            request = request.with(keys::MALFORMED, "its arguments are no JSON");
        }
        request.call = Some(Box::new(ToolCall {
            tool: self.tool.clone(),
            server: Some(self.server.clone()),
            session: Some(self.run.clone()),
            cwd: None,
            parameters: parameters.unwrap_or_default(),
        }));
        self.facts.told(request)
    }
}

/// What the tool may be given: the arguments that were judged.
///
/// # Errors
/// [`Stale`] when the permit is too old.
pub fn use_tool(permit: Permit<UseTool>) -> Result<Value, Stale> {
    let (_, judged) = permit.open()?;
    Ok(judged.call.map(|call| call.parameters).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use conclave_policy::{Effective, EntryKind, Mode};
    use serde_json::json;

    use super::*;
    use crate::DataClass;
    use crate::gate::tests::shipped;

    fn tool(place: ToolPlace, data: DataClass, arguments: &Value) -> UseTool {
        UseTool {
            server: "kagi".to_owned(),
            tool: "kagi_search_fetch".to_owned(),
            place,
            destructive: false,
            run: "r1".to_owned(),
            finding: "f1".to_owned(),
            arguments: Body::redacted(arguments.to_string().into_bytes(), &[]).expect("it can be looked through"),
            facts: Facts { data: vec![data], ..Facts::default() },
        }
    }

    // Time stands still, so that a reviewer who says nothing is waited for in no time.
    #[tokio::test(start_paused = true)]
    async fn where_a_tool_works_and_what_it_is_given_decide() {
        let elsewhere = || ToolPlace::Server { reaches: Some("kagi.com".to_owned()) };
        let here = || ToolPlace::Server { reaches: None };
        let (engine, model) = (|| Actor::Engine, || Actor::Analyst("alpha".to_owned()));
        let agent = || Actor::Agent("codex".to_owned());
        let key = format!("ghp_{}", "aB3dE5fG7hI9jK1lM3nO5pQ7rS9tU1vW3xY5");
        let (plain, secret) = (json!({ "query": "CWE-89 flask" }), json!({ "query": format!("what is {key}") }));
        for (name, actor, place, data, arguments, offline, allowed) in [
            ("our own", model(), ToolPlace::Builtin, DataClass::Source, &plain, false, true),
            ("our own, offline", model(), ToolPlace::Builtin, DataClass::Source, &plain, true, true),
            ("our own, a secret", model(), ToolPlace::Builtin, DataClass::Source, &secret, false, true),
            ("our own, an agent", agent(), ToolPlace::Builtin, DataClass::Source, &plain, false, false),
            ("a server here", model(), here(), DataClass::Source, &plain, false, true),
            ("elsewhere, built by code", engine(), elsewhere(), DataClass::Metadata, &plain, false, true),
            ("elsewhere, offline", engine(), elsewhere(), DataClass::Metadata, &plain, true, false),
            ("elsewhere, may hold code", model(), elsewhere(), DataClass::Source, &plain, false, false),
            ("elsewhere, a secret", engine(), elsewhere(), DataClass::Metadata, &secret, false, false),
        ] {
            let (gate, ledger) = shipped(if offline { Mode::Offline } else { Mode::Default });
            let permit = gate.authorize(actor, tool(place, data, arguments)).await;
            assert_eq!(permit.is_ok(), allowed, "{name}");
            // Refused or not, it is on record, and without the secret.
            let [entry] = &*ledger.entries() else { panic!("{name}: one entry") };
            let EntryKind::Decision { request, decision } = &entry.kind else { panic!("{name}: a decision") };
            assert_eq!(decision.effect == Effective::Allow, allowed, "{name}");
            assert_eq!(request.resource, "mcp://kagi/kagi_search_fetch", "{name}");
            assert!(!entry.canonical().contains(&key), "{name}");
            if let Ok(permit) = permit {
                let given = use_tool(permit).expect("it is fresh");
                assert_eq!(Some(given), request.call.as_ref().map(|call| call.parameters.clone()), "{name}");
            }
        }
    }
}
