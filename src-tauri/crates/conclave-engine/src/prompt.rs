//! Builds what a model is asked. The only place that does.
//!
//! Invariant: scanner text and source code stand between two fence lines derived from their own digest, so that the
//! data cannot contain the fence that ends it.

use conclave_core::brief::{Brief, BriefFile};
use conclave_core::digest::Digest;
use conclave_inference::ModelRequest;

const FIX: &str = include_str!("../prompt/fix.md");
const FIX_SCHEMA: &str = include_str!("../prompt/fix.schema.json");
/// Room for an answer, in tokens.
const MAX_TOKENS: u32 = 2048;

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
