//! What a server answered to a call, as words.
//!
//! Pure. What is not words is left out and said to be; what asks for more is refused.

use conclave_inference::tools::ToolResult;
use serde_json::Value;

/// Reads the result of a call.
///
/// # Errors
/// It is none, or it asks for something.
pub(super) fn read(result: &Value) -> Result<ToolResult, String> {
    match result["resultType"].as_str() {
        None | Some("complete") => {}
        Some("input_required") => return Err("it asks for more than it was given, which is refused".to_owned()),
        Some(other) => return Err(format!("its answer is of a kind that nobody knows: `{}`", other.escape_default())),
    }
    let Value::Array(parts) = &result["content"] else { return Err("its answer has no content".to_owned()) };
    let mut words: Vec<String> = Vec::new();
    for part in parts {
        words.push(match part["type"].as_str() {
            Some("text") => clean(part["text"].as_str().unwrap_or_default()),
            Some(kind @ ("image" | "audio" | "resource" | "resource_link")) => {
                format!("[{} is left out]", kind.replace('_', " "))
            }
            _ => "[something is left out]".to_owned(),
        });
    }
    let structured = result.get("structuredContent").filter(|_| words.iter().all(String::is_empty));
    words.extend(structured.map(|value| clean(&value.to_string())));
    Ok(ToolResult { text: words.join("\n"), is_error: result["isError"] == true })
}

/// The text without what a terminal or a page would obey.
fn clean(text: &str) -> String {
    text.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_answer_becomes_words_and_no_more() {
        let text = |text: &str| json!({ "type": "text", "text": text });
        for (result, expect, is_error) in [
            (json!({ "content": [text("a"), text("b\u{1b}[31mc\r\nd")] }), "a\nb[31mc\nd", false),
            (json!({ "content": [text("no")], "isError": true }), "no", true),
            (
                json!({ "content": [{ "type": "image", "data": "x" }, { "type": "resource_link" }, 7] }),
                "[image is left out]\n[resource link is left out]\n[something is left out]",
                false,
            ),
            (json!({ "content": [], "structuredContent": { "n": 1 } }), "{\"n\":1}", false),
            (json!({ "content": [text("a")], "structuredContent": { "n": 1 }, "resultType": "complete" }), "a", false),
        ] {
            assert_eq!(read(&result), Ok(ToolResult { text: expect.to_owned(), is_error }), "{result}");
        }
        for result in [
            json!({}),
            json!({ "content": "a" }),
            json!({ "resultType": "input_required", "content": [] }),
            json!({ "resultType": "task", "content": [] }),
        ] {
            assert!(read(&result).is_err(), "{result}");
        }
    }
}
