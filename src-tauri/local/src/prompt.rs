//! A question as the tokens that the model was trained to answer.
//!
//! The model's template is rendered around stand-ins. Only what the template itself says may become control tokens; the
//! texts that take the place of the stand-ins are ordinary text, whatever they look like.

use conclave_core::local::{Ask, FailKind};
use llama_cpp_2::model::{LlamaChatMessage, LlamaModel};
use llama_cpp_2::token::LlamaToken;

use crate::model::Refused;

/// Stand for the texts of a question while the template is rendered: code points that have no meaning, and that no
/// template contains.
const SYSTEM: &str = "\u{f8f0}system\u{f8ff}";
const USER: &str = "\u{f8f0}user\u{f8ff}";

/// A question in tokens.
pub struct Prompt {
    /// All of them.
    pub tokens: Vec<LlamaToken>,
    /// How many come before the user's text: the same for every question with this system text.
    pub fixed: usize,
}

/// Part of a rendered template.
#[derive(Debug, PartialEq)]
enum Part<'a> {
    /// What the template says.
    Template(&'a str),
    /// What the question says.
    System,
    /// What the question asks.
    User,
}

/// Puts the question into the model's template.
pub fn prompt(model: &LlamaModel, ask: &Ask) -> Result<Prompt, Refused> {
    let with_system =
        if ask.system.is_empty() { None } else { Some(render(model, &[("system", SYSTEM), ("user", USER)])?) };
    let alone = || render(model, &[("user", USER)]);
    // A template without a place for it drops the system text, or puts it where it is not expected.
    let (rendered, has_system) = match with_system {
        Some(rendered) if parts(&rendered).is_some_and(|parts| parts.contains(&Part::System)) => (rendered, true),
        _ => (alone()?, ask.system.is_empty()),
    };
    let parts = parts(&rendered).ok_or_else(|| unknown("it shows no question"))?;
    let mut prompt = Prompt { tokens: Vec::new(), fixed: 0 };
    let vocabulary = model.vocab();
    let add = |text: &str, is_template: bool, tokens: &mut Vec<LlamaToken>| {
        let is_first = tokens.is_empty();
        tokens.extend(vocabulary.tokenize(text.as_bytes(), is_first, is_template));
    };
    for part in parts {
        match part {
            Part::Template(text) => add(text, true, &mut prompt.tokens),
            Part::System => add(&ask.system, false, &mut prompt.tokens),
            Part::User => {
                if !has_system {
                    add(&format!("{}\n\n", ask.system), false, &mut prompt.tokens);
                }
                prompt.fixed = prompt.tokens.len();
                add(&ask.user, false, &mut prompt.tokens);
            }
        }
    }
    Ok(prompt)
}

fn render(model: &LlamaModel, messages: &[(&str, &str)]) -> Result<String, Refused> {
    let template = model.chat_template(None).map_err(|error| unknown(&error.to_string()))?;
    let messages: Result<Vec<_>, _> =
        messages.iter().map(|(role, text)| LlamaChatMessage::new((*role).to_owned(), (*text).to_owned())).collect();
    let messages = messages.map_err(|error| unknown(&error.to_string()))?;
    model.apply_chat_template(&template, &messages, true).map_err(|error| unknown(&error.to_string()))
}

fn unknown(why: &str) -> Refused {
    (FailKind::NoChatTemplate, format!("the model's chat template is not one that is known here: {why}"))
}

/// Takes a rendered template apart; `None` when the user's text is not in it, or not once, or before the system's.
fn parts(rendered: &str) -> Option<Vec<Part<'_>>> {
    let (before, after) =
        rendered.split_once(USER).filter(|(_, after)| !after.contains(USER) && !after.contains(SYSTEM))?;
    let mut parts = match before.split_once(SYSTEM) {
        Some((_, between)) if between.contains(SYSTEM) => return None,
        Some((start, between)) => vec![Part::Template(start), Part::System, Part::Template(between)],
        None => vec![Part::Template(before)],
    };
    parts.extend([Part::User, Part::Template(after)]);
    Some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_comes_apart_at_its_texts() {
        use Part::{System, Template, User};
        let cases = [
            ("<s>{s}</s><u>{u}</u>", Some(vec![Template("<s>"), System, Template("</s><u>"), User, Template("</u>")])),
            ("<u>{u}</u>", Some(vec![Template("<u>"), User, Template("</u>")])),
            ("{s}{u}", Some(vec![Template(""), System, Template(""), User, Template("")])),
            ("{u}{s}", None),
            ("{u}{u}", None),
            ("{s}{s}{u}", None),
            ("{s}", None),
            ("", None),
        ];
        for (template, expect) in cases {
            let rendered = template.replace("{s}", SYSTEM).replace("{u}", USER);
            assert_eq!(parts(&rendered), expect, "{template}");
        }
    }
}
