//! Builds what a model is asked. The only place that does.
//!
//! Invariant: scanner text, source code and requests under review stand between two fence lines derived from their own
//! digest, so that the data cannot contain the fence that ends it.

use std::path::Path;

use conclave_core::brief::{Brief, BriefFile};
use conclave_core::digest::Digest;
use conclave_core::tier::RunPlan;
use conclave_effects::DataClass;
use conclave_inference::{About, ModelRequest};
use conclave_policy::Question;

const FIX: &str = include_str!("../prompt/fix.md");
const FIX_SCHEMA: &str = include_str!("../prompt/fix.schema.json");
/// Room for an answer, in tokens.
const MAX_TOKENS: u32 = 2048;

const REVIEW: &str = include_str!("../prompt/review.md");
const REVIEW_SCHEMA: &str = include_str!("../prompt/review.schema.json");
/// Room for a verdict, in tokens; a model that thinks first needs most of it for that.
const VERDICT_TOKENS: u32 = 2048;
/// The largest question about a request, in bytes. It is never cut: what a reviewer does not see, it cannot judge.
const LARGEST_REVIEW: usize = 64 * 1024;

/// Asks for a fix of `brief`'s finding in `file`. A pure function of its inputs.
pub fn fix_request(brief: &Brief, file: &BriefFile) -> ModelRequest {
    let data = data(brief, file);
    let fence = format!("----- data {} -----", Digest::of(data.as_bytes()).short());
    // INVARIANT: the schema is part of the program and a test parses it.
    let schema = serde_json::from_str(FIX_SCHEMA).ok();
    ModelRequest {
        system: FIX.replace("{fence}", &fence),
        user: format!("{fence}\n{data}\n{fence}\n"),
        max_tokens: MAX_TOKENS,
        schema,
        schema_name: "fix".to_owned(),
    }
}

/// What is known of a question of [`fix_request`] in the project at `root`, whose run follows `plan`.
pub(crate) fn about_fix(plan: &RunPlan, root: &Path) -> About {
    About {
        data: vec![DataClass::Source, DataClass::Finding],
        project: Some(root.to_string_lossy().into_owned()),
        tier: Some(plan.severity.label().to_lowercase()),
    }
}

/// Asks for a review of what `question` is about; `None` when it does not fit into [`LARGEST_REVIEW`].
///
/// Only the request itself is shown, never what the program that asks says of its reasons.
pub(crate) fn review_request(question: &Question<'_>) -> Option<ModelRequest> {
    let data = visible(&question.request.canonical());
    let fence = format!("----- request {} -----", Digest::of(data.as_bytes()).short());
    let system = filled(
        REVIEW,
        &[
            ("{fence}", fence.as_str()),
            ("{rule}", question.decision.rule.as_str()),
            ("{reason}", question.decision.reason.as_str()),
            ("{guidance}", question.guidance.unwrap_or("nothing in particular")),
        ],
    );
    let user = format!("{fence}\n{data}\n{fence}\n");
    (system.len() + user.len() <= LARGEST_REVIEW).then(|| ModelRequest {
        system,
        user,
        max_tokens: VERDICT_TOKENS,
        schema: serde_json::from_str(REVIEW_SCHEMA).ok(),
        schema_name: "review".to_owned(),
    })
}

/// Changes whenever the words or the form of a review do.
pub(crate) fn review_version() -> String {
    Digest::of_parts([REVIEW, REVIEW_SCHEMA]).to_string()
}

/// `template` with each name replaced by its text. What is put in is not looked at again, so that no text can fill
/// another's place.
fn filled(template: &str, texts: &[(&str, &str)]) -> String {
    let mut filled = String::new();
    let mut rest = template;
    while let Some((at, name, text)) =
        texts.iter().filter_map(|(name, text)| Some((rest.find(name)?, *name, *text))).min_by_key(|(at, ..)| *at)
    {
        filled.push_str(&rest[..at]);
        filled.push_str(text);
        rest = &rest[at + name.len()..];
    }
    filled + rest
}

/// JSON `text` with every character that is not seen, or that turns what is seen, as an escape: the same value, but what
/// is read is what is there.
pub fn visible(text: &str) -> String {
    let mut visible = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() || unseen(c) {
            let mut units = [0; 2];
            visible.extend(c.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")));
        } else {
            visible.push(c);
        }
    }
    visible
}

/// Characters without a shape of their own: zero-width and direction marks, variation selectors, tags, fillers and
/// spaces that look like another.
fn unseen(c: char) -> bool {
    matches!(c,
        '\u{a0}' | '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{1680}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{2000}'..='\u{200f}' | '\u{2028}'..='\u{202f}' | '\u{205f}'..='\u{206f}'
        | '\u{2800}' | '\u{3000}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
        | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

fn data(brief: &Brief, file: &BriefFile) -> String {
    let detection = &brief.finding.detection;
    let region = detection.location.as_ref().and_then(|location| location.region);
    let lines = region.map_or_else(String::new, |r| format!("{} to {}", r.start_line, r.end_line));
    let cwe = detection.rule.cwe.iter().map(|n| format!("CWE-{n}")).collect::<Vec<_>>().join(", ");
    let language = file.language.map_or("unknown", |language| language.label());
    format!(
        "rule: {}\nweakness: {cwe}\nmessage: {}\nfile: {}\nlanguage: {language}\nreported lines: {lines}\n\
         code from line {}:\n{}",
        detection.rule.id, detection.message, file.path, file.first_line, file.excerpt
    )
}

#[cfg(test)]
mod tests;
