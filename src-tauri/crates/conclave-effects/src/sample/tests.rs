//! A client that keeps what it is asked.

use std::sync::{Arc, Mutex};

use conclave_policy::{Effective, EntryKind, Mode, Nobody, Policy};
use serde_json::json;

use super::*;
use crate::gate::tests::{Kept, permit};
use crate::{Clock, DataClass, Gate, ModelClass, Policies, Secret};

#[derive(Default)]
struct Listening(Mutex<Vec<Value>>);

impl Client for Listening {
    fn name(&self) -> &'static str {
        "editor"
    }

    fn version(&self) -> &'static str {
        "1.2"
    }

    fn offers_sampling(&self) -> bool {
        true
    }

    fn create_message(&self, question: Question) -> Answering<'_> {
        self.0.lock().unwrap().push(Value::Object(question.params().clone()));
        Box::pin(async { Ok(json!({ "said": "yes" })) })
    }
}

fn question(text: &str, known: &[&Secret], consent: Consent) -> AskClient {
    AskClient {
        client: "editor".to_owned(),
        version: "1.2".to_owned(),
        body: Body::redacted(text.as_bytes().to_vec(), known).unwrap(),
        consent,
        purpose: "test".to_owned(),
        facts: Facts {
            model_class: Some(ModelClass::Hosted),
            data: vec![DataClass::Metadata, DataClass::Source],
            ..Facts::default()
        },
        within: Duration::from_secs(1),
    }
}

#[tokio::test]
async fn what_was_judged_reaches_the_client_that_was_judged_and_no_key_does() {
    let (client, key) = (Listening::default(), Secret::new("correct-horse-battery".to_owned()));
    let asked = question(r#"{"q": "the key is correct-horse-battery"}"#, &[&key], Consent::Settings);
    assert_eq!(ask_client(permit(asked).await, &client).await, Ok(json!({ "said": "yes" })));
    let heard = client.0.lock().unwrap().clone();
    assert!(heard.len() == 1 && !heard[0].to_string().contains("horse"), "{heard:?}");

    let other = AskClient { version: "1.3".to_owned(), ..question("{}", &[], Consent::Settings) };
    assert!(matches!(ask_client(permit(other).await, &client).await, Err(ClientError::Stale(_))));
    for text in ["[]", "{} {}", "", "x"] {
        let unfit = ask_client(permit(question(text, &[], Consent::Settings)).await, &client).await;
        assert!(matches!(unfit, Err(ClientError::Unfit(_))), "{text}: {unfit:?}");
    }
    assert_eq!(client.0.lock().unwrap().len(), 1);
}

/// The rules about what leaves this machine hold, because that is what it is.
#[tokio::test]
async fn each_policy_holds_what_goes_to_the_client() {
    for (mode, consent, rule) in [
        (Mode::Default, Consent::Settings, "model-of-the-client"),
        (Mode::Default, Consent::None, "nothing-leaves-unasked"),
        (Mode::Offline, Consent::Settings, "offline"),
        (Mode::Strict, Consent::Settings, "no-hosted-model"),
    ] {
        let ledger = Arc::new(Kept::default());
        let gate = Gate::new(Policies::new(Policy::shipped(mode)), ledger.clone(), Arc::new(Nobody), Clock::fixed(0));
        let result = gate.authorize(Actor::Reviewer, question("{}", &[], consent)).await;
        assert_eq!(result.is_ok(), rule == "model-of-the-client", "{mode:?}");
        let EntryKind::Decision { request, decision } = ledger.entry(1).kind else { panic!("no decision") };
        assert_eq!((decision.rule.as_str(), decision.effect == Effective::Allow), (rule, result.is_ok()), "{mode:?}");
        assert_eq!(request.context["client"], "editor");
    }
    let by_agent = question("{}", &[], Consent::Settings).request(&Actor::Agent("editor".to_owned()));
    let decision = Policy::shipped(Mode::Default).evaluate(&by_agent, 0);
    assert_eq!(decision.rule, "nothing-leaves-unasked", "no client asks itself by way of us");
}
