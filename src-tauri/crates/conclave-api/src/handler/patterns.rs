//! Learned patterns, and where else fixed code stands.

use conclave_engine::patterns::{self, Hint, Pattern};

use crate::api::Api;
use crate::error::{ApiError, ErrorCode};
use crate::view::{DropPattern, ElsewhereView, FindElsewhere, HintView, LearnedPatternView, ListPatterns, PatternList};

pub(crate) async fn list_patterns(api: &Api, request: ListPatterns) -> Result<PatternList, ApiError> {
    let items = patterns::known(api.cx(), &request.client, None)?.into_iter().map(view).collect();
    Ok(PatternList { items })
}

pub(crate) async fn drop_pattern(api: &Api, request: DropPattern) -> Result<PatternList, ApiError> {
    let known = patterns::known(api.cx(), &request.client, None)?;
    if !known.iter().any(|pattern| pattern.id == request.id) {
        let error = ApiError::new(ErrorCode::NotFound, format!("there is no pattern `{}`", request.id));
        return Err(error.with_hint("`conclave patterns list` shows them"));
    }
    api.cx().store.drop_pattern(&request.client, &request.id, api.cx().now_ms())?;
    list_patterns(api, ListPatterns { client: request.client }).await
}

pub(crate) async fn find_elsewhere(api: &Api, request: FindElsewhere) -> Result<ElsewhereView, ApiError> {
    let id = api.finding_id(&request.finding)?;
    let gone = || ApiError::new(ErrorCode::NotFound, format!("there is no finding `{id}`"));
    let finding = api.cx().store.finding(&id)?.ok_or_else(gone)?.finding;
    let sources = api.sources(&finding).await?;
    let items = patterns::elsewhere(api.cx(), &finding, &sources)?.into_iter().map(hint).collect();
    Ok(ElsewhereView { items })
}

fn view(pattern: Pattern) -> LearnedPatternView {
    let (before, after) = pattern.learned.shown();
    LearnedPatternView {
        id: pattern.id,
        kind: pattern.kind,
        language: pattern.learned.language.label().to_owned(),
        before,
        after,
        from: pattern.from.iter().map(ToString::to_string).collect(),
    }
}

fn hint(hint: Hint) -> HintView {
    HintView { path: hint.path.to_string(), line: hint.lines.0, text: hint.text }
}
