//! One model's seat: asks, has the answer read, and asks once more in another form when it cannot be used.

use std::sync::Arc;

use conclave_core::brief::{Brief, Part};
use conclave_core::candidate::{Draft, Origin, family_of};
use conclave_effects::ModelClass;
use conclave_inference::{Answer, AskError, ModelRequest};
use tokio::time::Instant;

use crate::answer;
use crate::models::{Errand, Model, Models};
use crate::prompt::{Form, fix_request};
use crate::source::Sources;

/// What a model gave.
pub(super) enum Told {
    /// Its answer, of whatever kind.
    Answer(Draft),
    /// It declined to say anything, and another one may.
    Declined(Draft),
}

impl Told {
    pub fn into_draft(self) -> Draft {
        match self {
            Self::Answer(draft) | Self::Declined(draft) => draft,
        }
    }
}

/// As whose fixes those of `model` count.
pub(super) fn origin(model: &Model) -> Origin {
    let info = model.info();
    Origin::Model {
        model: info.model.clone(),
        endpoint: info.name.clone(),
        local: model.provider.known_class() == ModelClass::Local,
        family: family_of(&info.model),
    }
}

/// Asks `model` for a fix of `brief`'s finding within `errand`'s time. `earlier` is an answer of it that a check refused.
pub(super) async fn ask(
    models: &Models,
    model: &Model,
    errand: &Errand,
    brief: &Brief,
    sources: &Sources,
    sample: u32,
    earlier: Option<&Part>,
) -> Told {
    let Some(file) = &brief.file else {
        return Told::Answer(Draft::Silent { reason: brief.unusable.clone().unwrap_or_default() });
    };
    let info = model.info();
    let origin = origin(model);
    let end = Instant::now() + errand.deadline;
    let mut last = Draft::Failed { why: "it was not asked".to_owned() };
    for form in Form::of(info) {
        if form == Form::Function && file.function.is_none() {
            continue;
        }
        let request = fix_request(brief, file, form, info.can.context_tokens, earlier);
        let request = Arc::new(ModelRequest { sample, ..request });
        let deadline = end.saturating_duration_since(Instant::now());
        if deadline.is_zero() {
            break;
        }
        let errand = Errand { request, deadline, ..errand.clone() };
        match models.one(&info.name, errand).await.map(|won| won.answer) {
            Ok(Answer::Text { text, .. }) => {
                last = answer::read(&text, form, origin.clone(), brief, &|path| sources.file(path));
                if !matches!(last, Draft::Failed { .. }) {
                    break;
                }
            }
            Ok(Answer::Refusal { .. }) => {
                return Told::Declined(Draft::Refused { reason: format!("{} declined to answer", info.name) });
            }
            // Another form asks for less.
            Err(error) if matches!(*error, AskError::WrongForm { .. } | AskError::Truncated) => {
                last = Draft::Failed { why: error.to_string() };
            }
            Err(error) => return Told::Answer(unanswered(&error)),
        }
    }
    Told::Answer(last)
}

fn unanswered(error: &AskError) -> Draft {
    use AskError::{Denied, NoKey, NotInstalled, OverBudget, Resting};
    let why = error.to_string();
    match error {
        Denied(_) | NoKey(_) | NotInstalled(_) | OverBudget(_) | Resting { .. } => Draft::NotAsked { why },
        _ => Draft::Failed { why },
    }
}
