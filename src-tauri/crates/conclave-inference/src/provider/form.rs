//! Whether an answer is in the form that was asked for, and how a model is told that it is not.
//!
//! A server that was held to a schema may not have kept to it, and one that was not may have all the same, so every
//! answer is looked at. Nothing is mended here: an answer with anything before, behind or around it is none.

use conclave_policy::strict_json;
use jsonschema::Validator;

use crate::answer::Answer;
use crate::error::{AskError, quote};
use crate::request::ModelRequest;

/// So many complaints are worth telling.
const COMPLAINTS: usize = 3;

/// So much of an answer is shown to the model that gave it.
const SHOWN: usize = 16 * 1024;

/// The form of an answer, where one is asked for.
pub(super) struct Form(Option<Validator>);

impl Form {
    /// The form that the schema of `request` describes; without one every answer is in form.
    pub(super) fn of(request: &ModelRequest) -> Result<Self, AskError> {
        let unusable = |error| AskError::NotSent(format!("the form of the answer cannot be used: {error}"));
        request.schema.as_ref().map(jsonschema::validator_for).transpose().map(Self).map_err(unusable)
    }

    /// What is wrong with `answer`. A model that declines is in every form.
    pub(super) fn complaint(&self, answer: &Answer) -> Option<String> {
        match answer {
            Answer::Text { text, .. } => self.complaint_of(text),
            Answer::Refusal { .. } => None,
        }
    }

    /// `request` again, where `answer` to it is not in form: the model is told once what is wrong with it.
    pub(super) fn repair(&self, request: &ModelRequest, answer: &Answer) -> Option<ModelRequest> {
        let why = self.complaint(answer)?;
        tracing::debug!(why, "asking again for the agreed form");
        let Answer::Text { text, .. } = answer else { return None };
        Some(repair(request, text, &why))
    }

    /// The answer `second` to what was asked again after `first`, with what both of them used.
    pub(super) fn settled(&self, first: &Answer, second: Answer) -> Result<Answer, AskError> {
        match self.complaint(&second) {
            Some(why) => Err(AskError::WrongForm { why }),
            None => Ok(second.after(first.usage())),
        }
    }

    fn complaint_of(&self, text: &str) -> Option<String> {
        let validator = self.0.as_ref()?;
        let value = match strict_json(text) {
            Ok(value) => value,
            Err(error) => return Some(error.to_string()),
        };
        let complaint = |error: jsonschema::ValidationError<'_>| match error.instance_path().as_str() {
            "" => quote(&error.to_string(), None),
            path => format!("at `{}`: {}", quote(path, None), quote(&error.to_string(), None)),
        };
        let complaints: Vec<String> = validator.iter_errors(&value).take(COMPLAINTS).map(complaint).collect();
        (!complaints.is_empty()).then(|| complaints.join("; "))
    }
}

/// The question again, to a model that has answered `text`, which is not in the agreed form because of `why`.
fn repair(request: &ModelRequest, text: &str, why: &str) -> ModelRequest {
    let shown = &text[..text.floor_char_boundary(SHOWN)];
    let user = format!(
        "{}\n\nYour last answer to this was not in the agreed form. What is wrong with it: {why}\n\nIt was:\n\n{shown}\n\n\
         Answer again with one JSON value in the agreed form, and nothing before, behind or around it.\n",
        request.user
    );
    ModelRequest { user, ..request.clone() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn request(schema: Option<serde_json::Value>) -> ModelRequest {
        ModelRequest {
            system: "s".to_owned(),
            user: "the question".to_owned(),
            max_tokens: 5,
            schema,
            schema_name: "n".to_owned(),
            sample: 0,
        }
    }

    #[test]
    fn without_a_schema_every_answer_is_in_form() {
        assert_eq!(Form::of(&request(None)).expect("no schema").complaint_of("anything"), None);
    }

    #[test]
    fn an_answer_is_in_form_or_the_complaint_says_where_not() {
        let schema = json!({
            "type": "object",
            "properties": { "a": { "type": "number", "maximum": 1 } },
            "required": ["a"],
            "additionalProperties": false,
        });
        let form = Form::of(&request(Some(schema))).expect("a schema");
        for (text, expect) in [
            (" {\"a\": 1}\n", None),
            ("{\"a\": 2}", Some("at `/a`: ")),
            ("{\"a\": 2, \"b\": 1}", Some("; ")),
            ("{}", Some("\"a\" is a required property")),
            ("[]", Some("object")),
            ("{\"a\": 1} {\"a\": 1}", Some("something follows the value")),
            ("{\"a\": 1, \"a\": 0}", Some("a")),
            ("```json\n{\"a\": 1}\n```", Some("not JSON")),
            ("Here it is: {\"a\": 1}", Some("not JSON")),
            ("{\"a\": 1", Some("ends too early")),
            ("", Some("empty")),
        ] {
            match (form.complaint_of(text), expect) {
                (None, None) => {}
                (Some(why), Some(part)) => assert!(why.contains(part), "{text}: {why}"),
                (why, _) => panic!("{text}: {why:?}"),
            }
        }
    }

    #[test]
    fn a_schema_that_is_none_is_said_before_anything_is_sent() {
        let error = Form::of(&request(Some(json!({ "type": "frob" })))).err().expect("no schema");
        assert_eq!(error.kind(), "not_sent");
    }

    #[test]
    fn a_repair_begins_with_the_question_and_is_bounded() {
        let request = request(Some(json!({})));
        let again = repair(&request, &"é".repeat(SHOWN), "it is empty");
        assert!(again.user.starts_with("the question\n") && again.user.contains("it is empty"));
        assert!(again.user.len() < SHOWN + 500);
        assert_eq!(ModelRequest { user: request.user.clone(), ..again }, request);
    }
}
