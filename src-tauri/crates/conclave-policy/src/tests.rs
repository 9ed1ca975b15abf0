//! The policy as a whole: what ships, what is refused at load, and a comparison with a reference evaluator.

mod conditions;
mod input;
mod ledger;
mod load;
mod reference;
mod shipped;
mod superego;
mod total;

use std::collections::BTreeMap;

use crate::request::ACTIONS;
use crate::{Action, Actor, ToolRequest};

fn request(actor: &str, action: Action, resource: &str, context: &[(&str, &str)]) -> ToolRequest {
    let context = context.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    ToolRequest { context, ..ToolRequest::new(actor.parse().expect("an actor"), action, resource) }
}

#[test]
fn actors_are_read_as_they_are_written() {
    for actor in [
        Actor::Person,
        Actor::Engine,
        Actor::Reviewer,
        Actor::Analyst("Local Qwen".to_owned()),
        Actor::Agent("claude-code".to_owned()),
    ] {
        assert_eq!(actor.to_string().parse(), Ok(actor));
    }
    for text in ["", "Person", "person ", "analyst", "analyst:", "root", "engine\0", "рerson"] {
        assert!(text.parse::<Actor>().is_err(), "{text:?}");
    }
}

#[test]
fn the_canonical_form_of_a_request_is_fixed() {
    let request = request("analyst:α", Action::SendHttp, "https://a/\"b\"", &[("port", "443"), ("host", "a")]);
    let canonical = r#"{"actor":"analyst:α","action":"send_http","resource":"https://a/\"b\"","context":{"host":"a","port":"443"}}"#;
    assert_eq!(request.canonical(), canonical);
    assert_eq!(serde_json::from_str::<ToolRequest>(canonical).ok(), Some(request.clone()));
    assert_eq!(request.digest(), crate::digest(canonical.as_bytes()));
}

#[test]
fn every_action_is_named_as_it_is_serialised() {
    let names: BTreeMap<String, Action> =
        ACTIONS.iter().map(|action| (serde_json::to_string(action).expect("a name"), *action)).collect();
    assert_eq!(names.len(), ACTIONS.len());
    for (json, action) in names {
        assert_eq!(json, format!("\"{action}\""));
    }
}
