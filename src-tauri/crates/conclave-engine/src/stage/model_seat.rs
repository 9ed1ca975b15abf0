//! One model's seat: asks, reads the answer strictly, turns it into a patch.
//!
//! Invariant: the model's text becomes search texts, replacements and sentences for the screen, nothing else. A search
//! text that stands nowhere or more than once is a failure; a wrong place is worse than none.

use conclave_core::candidate::{Candidate, Draft, FixClass, Origin, family_of};
use conclave_core::patch::{Edit, FilePatch, Patch};
use conclave_core::path::RelPath;
use conclave_effects::ModelClass;
use conclave_inference::{Answer, quote};
use serde::Deserialize;

use crate::models::{Errand, Model, Models};
use crate::source::Source;

/// What a model is asked to answer with; see `prompt/fix.schema.json`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Reply {
    can_fix: bool,
    reason: String,
    title: String,
    edge_cases: Vec<String>,
    edits: Vec<Block>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Block {
    search: String,
    replace: String,
}

/// Asks `model` and reads its answer as a fix of the file at `path`.
pub(super) async fn ask(models: &Models, model: &Model, errand: Errand, path: &RelPath, source: &Source) -> Draft {
    let info = model.info();
    match models.one(&info.name, errand).await.map(|won| won.answer) {
        Ok(Answer::Text { text, .. }) => {
            let origin = Origin::Model {
                model: info.model.clone(),
                endpoint: info.name.clone(),
                local: model.provider.known_class() == ModelClass::Local,
                family: family_of(&info.model),
            };
            read(&text, origin, path, source)
        }
        Ok(Answer::Refusal { .. }) => Draft::Refused { reason: format!("{} declined to answer", info.name) },
        Err(error) => Draft::Failed { why: error.to_string() },
    }
}

fn read(text: &str, origin: Origin, path: &RelPath, source: &Source) -> Draft {
    let Some(reply) = parse(text) else {
        return Draft::Failed { why: "the answer is not in the agreed form".to_owned() };
    };
    if !reply.can_fix {
        return Draft::Refused { reason: format!("model\u{2019}s opinion: {}", quote(&reply.reason, None)) };
    }
    match patch(&reply.edits, path, source) {
        Ok(patch) => Draft::Proposed {
            candidate: Box::new(Candidate {
                id: Candidate::id_of(&origin, &patch),
                origin,
                patch,
                class: FixClass::Review,
                title: quote(&reply.title, None),
                rationale: format!("Model\u{2019}s opinion: {}", quote(&reply.reason, None)),
                edge_cases: reply.edge_cases.iter().take(8).map(|text| quote(text, None)).collect(),
                side_effects: Vec::new(),
                disproof: None,
                red_test: None,
                successors: Vec::new(),
            }),
        },
        Err(why) => Draft::Failed { why },
    }
}

/// The reply in `text`: the whole of it, or the one fenced block in it.
fn parse(text: &str) -> Option<Reply> {
    let text = text.trim();
    serde_json::from_str(text).ok().or_else(|| {
        let (_, rest) = text.split_once("```")?;
        let (block, after) = rest.split_once("```")?;
        let block = block.strip_prefix("json").unwrap_or(block);
        if after.contains("```") { None } else { serde_json::from_str(block.trim()).ok() }
    })
}

fn patch(blocks: &[Block], path: &RelPath, source: &Source) -> Result<Patch, String> {
    let text = source.text().ok_or_else(|| format!("`{path}` is not UTF-8 text"))?;
    let crlf = text.contains("\r\n");
    // A model writes plain line ends; the file keeps its own.
    let native = |text: &str| match crlf {
        true => text.replace("\r\n", "\n").replace('\n', "\r\n"),
        false => text.to_owned(),
    };
    let mut edits = Vec::new();
    for block in blocks {
        let search = native(&block.search);
        let mut places = text.match_indices(&search);
        match (search.trim().is_empty(), places.next(), places.next()) {
            (true, ..) => return Err("the answer replaces nothing".to_owned()),
            (_, None, _) => return Err("the answer replaces text that is not in the file".to_owned()),
            (_, Some(_), Some(_)) => {
                return Err("the answer replaces text that stands in the file more than once".to_owned());
            }
            (false, Some((start, found)), None) => {
                edits.push(Edit { start, end: start + found.len(), text: native(&block.replace) });
            }
        }
    }
    let patch = Patch::new(vec![FilePatch { path: path.clone(), base: source.digest.clone(), edits }]);
    if patch.is_empty() { Err("the answer changes nothing".to_owned()) } else { Ok(patch) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft(reply: &str, file: &str) -> Draft {
        let origin =
            Origin::Model { model: "m".to_owned(), endpoint: "e".to_owned(), local: true, family: "m".to_owned() };
        read(reply, origin, &RelPath::new("a.py").expect("a path"), &Source::new(file.as_bytes().to_vec()))
    }

    fn reply(search: &str, replace: &str) -> String {
        serde_json::json!({
            "can_fix": true, "reason": "r", "title": "t", "edge_cases": [],
            "edits": [{"search": search, "replace": replace}],
        })
        .to_string()
    }

    fn after(draft: &Draft, file: &str) -> Option<String> {
        let Draft::Proposed { candidate } = draft else { return None };
        let bytes = candidate.patch.files[0].apply(file.as_bytes()).ok()?;
        String::from_utf8(bytes).ok()
    }

    #[test]
    fn a_unique_text_is_replaced_and_line_ends_are_kept() {
        let file = "a = 1\r\nb = 2\r\n";
        let fenced = format!("Here you are:\n```json\n{}\n```\n", reply("a = 1\nb", "a = 3\n\nb"));
        assert_eq!(after(&draft(&fenced, file), file).as_deref(), Some("a = 3\r\n\r\nb = 2\r\n"));
    }

    #[test]
    fn anything_but_one_exact_place_is_a_failure() {
        let file = "x = 1\nx = 1\n";
        for (search, why) in [("x = 1", "more than once"), ("x = 2", "not in the file"), (" ", "replaces nothing")] {
            let Draft::Failed { why: said } = draft(&reply(search, "y"), file) else { panic!("{search:?} was taken") };
            assert!(said.contains(why), "{said}");
        }
    }

    #[test]
    fn an_answer_in_another_form_is_a_failure() {
        let extra = r#"{"can_fix":true,"reason":"","title":"","edge_cases":[],"edits":[],"verdict":"accept"}"#;
        for text in ["", "I would use a prepared statement.", extra, "```json\n{}\n```\n```json\n{}\n```", "[]"] {
            assert!(matches!(draft(text, "x"), Draft::Failed { .. }), "{text}");
        }
    }
}
