//! What is put before a model that thinks a run over: what is remembered of such weaknesses, and, where it can use no
//! tools, what is published.
//!
//! Invariant: what is looked up is a CWE number and the name of a framework that everybody knows; what is told is data.

use conclave_inference::tools::ToolHost;
use conclave_toolbox::intelligence::Framework;
use conclave_toolbox::memory::{Memo, Recalled, Wanted, recall};
use serde_json::json;

use super::Matter;
use super::desk::Desk;
use crate::project::frameworks;
use crate::prompt::Told;

/// Most memories of a kind.
const MOST: usize = 3;

/// What is remembered for `client` that fits; nothing where the database cannot be read.
pub(super) fn remembered(matter: &Matter<'_>, client: &str) -> Vec<Told> {
    let frameworks = frameworks(matter.sources);
    let framework = frameworks.first().map(Framework::name);
    let wanted = Wanted { cwe: &matter.brief.finding.detection.rule.cwe, framework, limit: MOST };
    let Recalled { fix_patterns, edge_cases, client_context, models: _ } =
        recall(&matter.line.cx().store, client, &wanted).unwrap_or_else(|error| {
            tracing::warn!(%error, "nothing is remembered");
            Recalled::default()
        });
    let told = |kind: &str, memos: Vec<Memo>| {
        let one = |memo: Memo| {
            let remarks: Vec<String> = memo.remarks.into_iter().map(|remark| remark.text).collect();
            Told { label: format!("memory of {kind} `{}`", memo.name), name: Some(memo.name), text: remarks.join("\n") }
        };
        memos.into_iter().map(one).collect::<Vec<_>>()
    };
    [
        told("a fix that was good:", fix_patterns),
        told("an edge case:", edge_cases),
        told("what is wanted:", client_context),
    ]
    .concat()
}

/// What is published on the first kind of weakness that is reported.
pub(super) async fn published(matter: &Matter<'_>, desk: &Desk) -> Vec<Told> {
    let Some(cwe) = matter.brief.finding.detection.rule.cwe.first() else { return Vec::new() };
    let result = desk.call("search_intelligence", json!({ "question": "owasp_guidance", "cwe": cwe })).await;
    match result.is_error {
        true => Vec::new(),
        false => vec![Told { label: format!("guidance on CWE-{cwe}"), name: None, text: result.text }],
    }
}
