//! Any program, by its arguments: the question is on its standard input, the answer is what it prints.

use conclave_core::settings::CliKind;
use conclave_effects::agent::AGENT_HOME;

use super::program::{Asked, Plan, Program, Ran, SCHEMA_FILE, SYSTEM_FILE, Said, Unsaid};
use crate::error::AskError;

pub(super) static PROGRAM: Program = Program {
    kind: CliKind::Generic,
    title: "the program",
    command: "",
    install: "correct `command` in the settings",
    oldest: (0, 0, 0),
    // Its settings have to say where it goes.
    url: "",
    wants_url: true,
    login: None,
    has_schema: false,
    has_tools: false,
    counts: false,
    most_input: 64 << 20,
    memory_bytes: 8 << 30,
    plan,
    read,
};

/// The variable for the key where the settings name none.
const KEY: &str = "CONCLAVE_MODEL_KEY";

fn plan(asked: &Asked<'_>) -> Plan {
    let model = asked.setting.model.as_deref().unwrap_or_default();
    let uses = |place: &str| asked.setting.args.iter().any(|arg| arg.contains(place));
    let path = |file: &str| format!("{AGENT_HOME}/{file}");
    let system = uses("{system_file}").then(|| (SYSTEM_FILE.to_owned(), asked.system.to_owned()));
    let schema =
        uses("{schema_file}").then(|| asked.schema_file().unwrap_or((SCHEMA_FILE.to_owned(), "{}".to_owned())));
    let places =
        [("{model}", model.to_owned()), ("{system_file}", path(SYSTEM_FILE)), ("{schema_file}", path(SCHEMA_FILE))];
    let filled = |arg: &String| fill(arg, &places);
    Plan {
        args: asked.setting.args.iter().map(filled).collect(),
        env: asked.url.map(|url| ("CONCLAVE_MODEL_URL".to_owned(), url.to_owned())).into_iter().collect(),
        key_name: asked.setting.key_env.clone().unwrap_or_else(|| KEY.to_owned()),
        input: if system.is_some() { asked.request.user.clone() } else { asked.all() },
        is_held: schema.is_some() && asked.request.schema.is_some(),
        files: system.into_iter().chain(schema).collect(),
    }
}

/// Puts each value in its place, once from left to right: what was put in is not looked at again.
fn fill(text: &str, places: &[(&str, String)]) -> String {
    let mut filled = String::new();
    let mut rest = text;
    while let Some(start) = rest.find('{') {
        filled.push_str(&rest[..start]);
        rest = &rest[start..];
        match places.iter().find(|(place, _)| rest.starts_with(place)) {
            Some((place, value)) => {
                filled.push_str(value);
                rest = &rest[place.len()..];
            }
            None => {
                filled.push('{');
                rest = &rest[1..];
            }
        }
    }
    filled + rest
}

fn read(ran: &Ran<'_>) -> Result<Said, Unsaid> {
    let text = ran.stdout.trim();
    match ran.is_well() {
        true if text.is_empty() => Err(Box::new((AskError::Empty, None, None))),
        true => Ok(Said { text: text.to_owned(), ..Said::default() }),
        false => Err(Box::new((ran.ended(""), None, None))),
    }
}
