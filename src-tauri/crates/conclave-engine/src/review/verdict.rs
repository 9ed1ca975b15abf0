//! What a reviewer model answers, read without any good will.
//!
//! Pure. Invariant: an answer counts only when all of it is exactly one object of the agreed form; there are no defaults
//! and nothing is searched for in prose, so that a second opinion smuggled into an answer makes it worthless.

use serde::Deserialize;

/// The longest text of a verdict that is kept, in characters; what is longer is no verdict.
const LONGEST: usize = 4000;
/// The most risks that a verdict may list.
const MOST_RISKS: usize = 32;

/// A verdict in the agreed form; see `prompt/review.schema.json`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Verdict {
    /// Whether the model would let it happen.
    pub allow: bool,
    /// How sure it is, from 0 to 1.
    pub confidence: f64,
    /// Why, in its words; never blank.
    pub reasoning: String,
    /// What it sees as risks, in its words.
    pub risk_factors: Vec<String>,
}

/// Why an answer is no verdict, in words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the review is not in the agreed form: {0}")]
pub(crate) struct NoVerdict(String);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    decision: String,
    confidence: f64,
    reasoning: String,
    risk_factors: Vec<String>,
}

/// Reads `answer`, the whole of what the model said.
pub(crate) fn parse(answer: &str) -> Result<Verdict, NoVerdict> {
    let wrong = |why: &str| NoVerdict(why.to_owned());
    // `serde` would also take the fields as a list.
    if !answer.trim_ascii_start().starts_with('{') {
        return Err(wrong("it does not begin with an object"));
    }
    // Doubled, missing and unknown fields and anything after the object are errors; so are numbers that are none.
    let form: Form = serde_json::from_str(answer).map_err(|error| NoVerdict(place(&error)))?;
    let allow = match form.decision.as_str() {
        "allow" => true,
        "deny" => false,
        _ => return Err(wrong("its decision is neither `allow` nor `deny`")),
    };
    if !(0.0..=1.0).contains(&form.confidence) {
        return Err(wrong("its confidence is not between 0 and 1"));
    }
    if form.reasoning.trim().is_empty() {
        return Err(wrong("it gives no reason"));
    }
    let longest = form.risk_factors.iter().chain([&form.reasoning]).map(|text| text.chars().count()).max();
    if form.risk_factors.len() > MOST_RISKS || longest > Some(LONGEST) {
        return Err(wrong("it is longer than a verdict may be"));
    }
    let Form { confidence, reasoning, risk_factors, .. } = form;
    Ok(Verdict { allow, confidence, reasoning, risk_factors })
}

/// Where an answer stops being a verdict, without repeating what it says.
fn place(error: &serde_json::Error) -> String {
    use serde_json::error::Category;
    let what = match error.classify() {
        Category::Eof => "it breaks off",
        Category::Data => "a field is missing, doubled, unknown or of the wrong kind",
        Category::Syntax | Category::Io => "something stands in it that is not JSON, or follows it",
    };
    format!("{what}, at line {} column {}", error.line(), error.column())
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str =
        r#"{"decision":"allow","confidence":0.9,"reasoning":"it only lists files","risk_factors":["none"]}"#;

    #[test]
    fn one_whole_object_of_the_agreed_form_is_a_verdict() {
        let expect = Verdict {
            allow: true,
            confidence: 0.9,
            reasoning: "it only lists files".to_owned(),
            risk_factors: vec!["none".to_owned()],
        };
        for answer in [GOOD.to_owned(), format!(" \n{GOOD}\n ")] {
            assert_eq!(parse(&answer), Ok(expect.clone()), "{answer}");
        }
        for (number, confidence) in [("0", 0.0), ("1", 1.0), ("1.0", 1.0), ("5e-1", 0.5)] {
            let answer = GOOD.replace("0.9", number);
            assert_eq!(parse(&answer).map(|verdict| verdict.confidence), Ok(confidence), "{number}");
        }
        let deny = GOOD.replace("allow", "deny").replace("[\"none\"]", "[]");
        assert_eq!(parse(&deny).map(|verdict| (verdict.allow, verdict.risk_factors.len())), Ok((false, 0)));
    }

    #[test]
    fn anything_else_is_none() {
        let without = |field: &str| {
            let mut value: serde_json::Value = serde_json::from_str(GOOD).unwrap();
            value.as_object_mut().unwrap().remove(field);
            value.to_string()
        };
        let with = |from: &str, to: &str| {
            assert!(GOOD.contains(from), "{from}");
            GOOD.replace(from, to)
        };
        let answers = [
            String::new(),
            "allow".to_owned(),
            "\"allow\"".to_owned(),
            "true".to_owned(),
            "{}".to_owned(),
            format!("[{GOOD}]"),
            r#"["allow",0.9,"r",[]]"#.to_owned(),
            format!("Sure! {GOOD}"),
            format!("{GOOD} I hope this helps."),
            format!("```json\n{GOOD}\n```"),
            format!("{GOOD}{GOOD}"),
            format!("{GOOD}\n{}", GOOD.replace("allow", "deny")),
            format!("\u{feff}{GOOD}"),
            format!("// fine\n{GOOD}"),
            GOOD[..GOOD.len() - 1].to_owned(),
            with(r#""decision":"allow""#, r#""decision":"deny","decision":"allow""#),
            with(r#""confidence":0.9"#, r#""confidence":0.9,"confidence":0.9"#),
            with(r#""decision""#, r#""Decision""#),
            with("allow", "Allow"),
            with("allow", "ALLOW"),
            with("allow", " allow"),
            with("allow", "allow "),
            with("allow", "sample"),
            with("allow", "\u{430}llow"),
            with(r#""allow""#, r#"{"allow":null}"#),
            with(r#""allow""#, "true"),
            with("0.9", "1.01"),
            with("0.9", "-0.1"),
            with("0.9", "90"),
            with("0.9", "NaN"),
            with("0.9", "Infinity"),
            with("0.9", "1e400"),
            with("0.9", "null"),
            with("0.9", "\"0.9\""),
            with("0.9", ".9"),
            with("it only lists files", " "),
            with(r#""it only lists files""#, "null"),
            with(r#"["none"]"#, "null"),
            with(r#"["none"]"#, "\"none\""),
            with(r#"["none"]"#, "[1]"),
            with(r#"["none"]"#, r#"["none",]"#),
            with(r#"["none"]"#, &serde_json::json!(vec!["r"; MOST_RISKS + 1]).to_string()),
            with("it only lists files", &"x".repeat(LONGEST + 1)),
            with(r#"{"decision""#, r#"{"note":"x","decision""#),
            without("decision"),
            without("confidence"),
            without("reasoning"),
            without("risk_factors"),
        ];
        for answer in answers {
            let error = parse(&answer).expect_err(&answer);
            assert!(!error.to_string().contains("only lists"), "{error}");
        }
    }
}
