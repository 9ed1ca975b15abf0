//! Builds what a model is asked. The only place that does.
//!
//! Invariant: scanner text, source code and requests under review stand between two fence lines derived from their own
//! digest, so that the data cannot contain the fence that ends it.

use std::path::Path;

use conclave_core::brief::{Brief, BriefFile, Part};
use conclave_core::digest::Digest;
use conclave_core::tier::RunPlan;
use conclave_effects::DataClass;
use conclave_inference::{About, Info, Kind, ModelRequest, catalogue};
use conclave_policy::Question;
use url::{Host, Url};

pub(crate) use judge::{change, judge_request};
pub(crate) use synthesis::{Shown, Told, synthesis_request};

const FIX: &str = include_str!("../prompt/fix.md");
const FIX_SCHEMA: &str = include_str!("../prompt/fix.schema.json");
const FIX_SMALL: &str = include_str!("../prompt/fix_small.md");
const FIX_SMALL_SCHEMA: &str = include_str!("../prompt/fix_small.schema.json");
const FIX_FUNCTION: &str = include_str!("../prompt/fix_function.md");
/// The most that is sent where nobody says how much a model reads, in bytes.
const USUAL_ROOM: usize = 96 * 1024;
/// Bytes that surely take no more than one token each.
const BYTES_A_TOKEN: usize = 3;

/// In which form a fix is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Everything that a person and the checks want to know.
    Full,
    /// An explanation and edits.
    Small,
    /// The whole function.
    Function,
}

impl Form {
    /// The forms that the model `info` is asked in, the second where its first answer cannot be used.
    ///
    /// A model of this machine is taken for a small one unless its name is known: it keeps to few keys, and to whole
    /// functions about as well.
    pub fn of(info: &Info) -> [Self; 2] {
        if is_here(info) && catalogue::model(&info.model).is_none() {
            [Self::Small, Self::Function]
        } else {
            [Self::Full, Self::Small]
        }
    }

    /// Room for an answer, in tokens; a model that thinks first needs most of it for that.
    fn max_tokens(self) -> u32 {
        match self {
            Self::Full => 8192,
            Self::Small => 1024,
            Self::Function => 2048,
        }
    }
}

const REVIEW: &str = include_str!("../prompt/review.md");
const REVIEW_SCHEMA: &str = include_str!("../prompt/review.schema.json");
/// Room for a verdict, in tokens; a model that thinks first needs most of it for that.
const VERDICT_TOKENS: u32 = 2048;
/// The largest question about a request, in bytes. It is never cut: what a reviewer does not see, it cannot judge.
const LARGEST_REVIEW: usize = 64 * 1024;

/// Whether the model is a file or behind a server of this machine.
fn is_here(info: &Info) -> bool {
    let is_loopback = |host: Host<&str>| match host {
        Host::Domain(name) => name == "localhost",
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    };
    info.kind == Kind::Local || Url::parse(&info.place).is_ok_and(|url| url.host().is_some_and(is_loopback))
}

/// Asks for a fix of `brief`'s finding in `file`, in `form`. A pure function of its inputs.
///
/// `context_tokens` is what the model reads at most; parts that do not fit are left out, the least useful first, the
/// reported code never. `earlier` is an answer of the same model that a check refused.
pub fn fix_request(
    brief: &Brief,
    file: &BriefFile,
    form: Form,
    context_tokens: Option<u32>,
    earlier: Option<&Part>,
) -> ModelRequest {
    let (template, schema) = match form {
        Form::Full => (FIX, Some(FIX_SCHEMA)),
        Form::Small => (FIX_SMALL, Some(FIX_SMALL_SCHEMA)),
        Form::Function => (FIX_FUNCTION, None),
    };
    let guidance = brief
        .guidance
        .as_deref()
        .map(|text| format!("The person whose project it is wants you to know: {}\n\n", text.trim()));
    let guidance = guidance.unwrap_or_default();
    let room = context_tokens.map_or(USUAL_ROOM, |tokens| {
        let tokens = tokens.saturating_sub(form.max_tokens());
        (tokens as usize * BYTES_A_TOKEN).saturating_sub(template.len() + guidance.len() + 256)
    });
    let data = data(brief, file, room, earlier);
    let fence = format!("----- data {} -----", Digest::of(data.as_bytes()).short());
    let system = filled(
        template,
        &[
            ("{fence}", fence.as_str()),
            ("{guidance}", guidance.as_str()),
            ("{file}", file.path.as_str()),
            ("{function}", file.function.as_deref().unwrap_or_default()),
        ],
    );
    ModelRequest {
        system,
        user: format!("{fence}\n{data}\n{fence}\n"),
        max_tokens: form.max_tokens(),
        // INVARIANT: the schemas are part of the program and a test parses them.
        schema: schema.and_then(|schema| serde_json::from_str(schema).ok()),
        schema_name: "fix".to_owned(),
        sample: 0,
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
        sample: 0,
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

/// The finding, its code, and as many of the parts as there is room for, each with a line that says what it is.
fn data(brief: &Brief, file: &BriefFile, room: usize, earlier: Option<&Part>) -> String {
    let detection = &brief.finding.detection;
    let region = detection.location.as_ref().and_then(|location| location.region);
    let lines = region.map_or_else(String::new, |r| format!("{} to {}", r.start_line, r.end_line));
    let cwe = detection.rule.cwe.iter().map(|n| format!("CWE-{n}")).collect::<Vec<_>>().join(", ");
    let language = file.language.map_or("unknown", |language| language.label());
    let mut data = format!(
        "[[what the scanner reports]]\nrule: {}\nweakness: {cwe}\nmessage: {}\nfile: {}\nlanguage: {language}\n\
         reported lines: {lines}\n[[the reported code (`{}` from line {})]]\n{}",
        detection.rule.id, detection.message, file.path, file.path, file.first_line, file.excerpt
    );
    let mut room = room.saturating_sub(data.len());
    for part in earlier.into_iter().chain(&brief.parts) {
        let piece = format!("\n[[{}]]\n{}", part.label(), part.text);
        if piece.len() <= room {
            room -= piece.len();
            data.push_str(&piece);
        }
    }
    data
}

mod judge;
mod synthesis;
#[cfg(test)]
mod tests;
