//! Configurations of the documented forms, and every way in which one can be wrong.

use conclave_core::settings::{CliKind, DialectName};

use super::*;

const SCHEMA: &str = include_str!("../../../../../tests/fixtures/config/schema.yaml");
const EXAMPLE: &str = include_str!("../../../../../tests/fixtures/config/example.yaml");
const SERVER_FILE: &str = include_str!("../../../../../tests/fixtures/config/server.yaml");

fn load(yaml: &str) -> Loaded {
    read(yaml, "2026-11-27".parse().expect("a day")).unwrap_or_else(|problems| panic!("{problems:#?}"))
}

fn refuse(yaml: &str) -> Vec<(u64, String)> {
    match read(yaml, "2026-11-27".parse().expect("a day")) {
        Ok(loaded) => panic!("it loads: {loaded:#?}"),
        Err(problems) => problems.into_iter().map(|problem| (problem.line, problem.text)).collect(),
    }
}

/// The loud notes, each with its line.
fn loud(loaded: &Loaded) -> Vec<(u64, &str)> {
    loaded.notes.iter().filter(|note| note.loud).map(|note| (note.line, note.text.as_str())).collect()
}

#[test]
fn the_documented_schema_loads_as_it_stands() {
    let loaded = load(SCHEMA);
    let parts = &loaded.parts;
    assert_eq!(parts.answer_timeout_s, Some(10));
    assert_eq!(parts.sampling, Some(true));
    let preference = parts.preference.as_deref().expect("an order");
    assert_eq!(preference, ["claude_cli", "mcp_sampling", "claude", "openai"]);
    let [cli] = parts.cli_models.as_slice() else { panic!("one program") };
    assert_eq!((cli.name.as_str(), cli.kind, cli.enabled, cli.trial), ("claude_cli", CliKind::Claude, true, false));
    assert_eq!(cli.command.as_deref(), Some("claude"));
    assert_eq!(cli.model.as_deref(), Some("claude-3-sonnet-20240229"));
    assert_eq!(cli.key_env.as_deref(), Some("ANTHROPIC_API_KEY"));
    assert_eq!((cli.max_retries, cli.retry_delay_ms, cli.may_send_code), (2, 1000, false));
    let prompt = cli.system_prompt.as_deref().expect("a system prompt");
    assert!(prompt.starts_with("You are a security evaluation system.") && prompt.lines().count() == 6, "{prompt}");
    let models: Vec<_> = parts.models.iter().map(|model| (model.name.as_str(), model.key_env.as_deref())).collect();
    assert_eq!(models, [("claude", Some("ANTHROPIC_API_KEY")), ("openai", Some("OPENAI_API_KEY"))]);
    assert!(loud(&loaded).iter().any(|(line, text)| *line == 17 && text.contains("take `claude-sonnet-5-5`")));
}

#[test]
fn the_documented_example_loads_as_it_stands() {
    let loaded = load(EXAMPLE);
    let parts = &loaded.parts;
    assert_eq!(parts.preference.as_deref().expect("an order"), ["claude_cli", "mcp_sampling", "claude"]);
    let [cli] = parts.cli_models.as_slice() else { panic!("one program") };
    assert_eq!((cli.kind, &cli.command, &cli.key_env), (CliKind::Claude, &None, &None));
    assert_eq!((cli.max_retries, cli.retry_delay_ms), (2, 1000));
    let [claude] = parts.models.as_slice() else { panic!("one model") };
    assert_eq!(claude.dialect, Some(DialectName::Anthropic));
    assert_eq!(claude.model, "claude-sonnet-5-5", "where no model is named, the usual one of its host");
    assert!(!claude.may_send_code, "a file is no word that code may be sent");
    assert_eq!(parts.answer_timeout_s, None);
}

#[test]
fn the_older_form_moves_over_and_says_so() {
    let loaded = load(SERVER_FILE);
    let parts = &loaded.parts;
    assert_eq!((parts.answer_timeout_s, parts.cache_keep_s, parts.sampling), (Some(15), Some(600), None));
    assert_eq!(parts.preference.as_deref().expect("an order"), ["openai", "claude"]);
    let models: Vec<_> =
        parts.models.iter().map(|model| (model.name.as_str(), model.model.as_str(), model.max_concurrent)).collect();
    assert_eq!(models, [("claude", "claude-3-sonnet-20240229", Some(4)), ("openai", "gpt-4o", Some(4))]);
    let said = |words: &str| loaded.notes.iter().any(|note| note.text.contains(words));
    for words in [
        "`ai_sampling` is the older form: its `claude` is now the model `claude`",
        "the key in `OPENAI_API_KEY`",
        "`temperature` is never sent",
        "`gpt-4o` is retired on 2027-01-14; take `gpt-6-sol`",
        "`claude-3-sonnet-20240229` is retired",
        "until you set `may_send_code`",
    ] {
        assert!(said(words), "{words}: {:#?}", loaded.notes);
    }
    let unused = [
        "host",
        "port",
        "debug",
        "log_level",
        "rules_file",
        "hot_reload",
        "health_check_enabled",
        "health_check_interval",
        "rate_limit_enabled",
        "rate_limit_requests",
        "transport",
        "performance",
    ];
    for (index, key) in unused.iter().enumerate() {
        let note = loaded.notes.iter().find(|note| note.text.starts_with(&format!("`{key}` is not used")));
        assert!(note.is_some_and(|note| note.line > index as u64 && !note.loud), "{key}");
    }
}

#[test]
fn the_older_form_that_is_off_or_asks_one_brings_that_and_no_more() {
    let off = load("ai_sampling: { enabled: false, primary_provider: claude, openai_model: gpt-6-sol }");
    let [model] = off.parts.models.as_slice() else { panic!("one model") };
    assert!(!model.enabled);
    assert!(off.notes.iter().any(|note| note.text == "`openai_model` is not used: `openai` is not asked"));
    let bare = load("ai_sampling: { enabled: true }");
    assert_eq!(bare.parts.preference.as_deref().expect("an order"), ["claude"]);
    let taken = load(
        "inference: { cli_providers: [{ name: claude }], timeout_seconds: 30 }\n\
         ai_sampling: { primary_provider: claude, timeout_seconds: 5 }",
    );
    assert_eq!(taken.parts.models[0].name, "claude_api", "`claude` is the program");
    assert_eq!(taken.parts.answer_timeout_s, Some(30), "the newer form goes before the older one");
}

#[test]
fn all_kinds_of_providers_are_taken_over_whole() {
    let yaml = r#"
inference:
  provider_preference: [mine, codex_cli, spare]
  cli_providers:
    - { name: codex_cli, type: codex, trial: true, max_concurrent: 2, base_url: "https://api.openai.com" }
    - { name: mine, type: generic, command: ask, args: ["--model", "{model}"], model: m, may_send_code: true }
  api_providers:
    - { name: spare, model: deepseek-v4-pro, enabled: false }
    - name: own
      type: openai_chat
      base_url: http://127.0.0.1:8080/v1
      model: qwen
      api_key_env_var: QWEN_KEY
      headers: { X-Team: red }
      price: { input: 0.5, output: "2", cached: 0 }
      may_send_code: true
      trial: true
      max_concurrent: 3
"#;
    let loaded = load(yaml);
    let [codex, generic] = loaded.parts.cli_models.as_slice() else { panic!("two programs") };
    assert_eq!((codex.kind, codex.trial, codex.max_concurrent), (CliKind::Codex, true, Some(2)));
    assert_eq!(
        (generic.args.as_slice(), generic.may_send_code),
        (["--model".into(), "{model}".into()].as_slice(), true)
    );
    let [spare, own] = loaded.parts.models.as_slice() else { panic!("two models") };
    assert_eq!((spare.base_url.as_str(), spare.enabled, spare.price), ("https://api.deepseek.com", false, None));
    let price = own.price.expect("a price");
    assert_eq!((price.input.micros(), price.output.micros()), (500_000, 2_000_000));
    assert_eq!(price.cached.map(|money| money.micros()), Some(0));
    assert_eq!((own.dialect, own.headers.len(), own.max_concurrent), (Some(DialectName::OpenaiChat), 1, Some(3)));
    assert!(own.may_send_code && own.trial && own.key_env.as_deref() == Some("QWEN_KEY"));
    assert!(
        loaded.notes.iter().any(|note| note.line == 3 && note.text.contains("`spare` is preferred and not enabled"))
    );
}

#[test]
fn what_is_wrong_is_said_with_its_line_and_the_nearest_known_word() {
    let cli = |field: &str| format!("inference:\n  cli_providers:\n    - name: a\n      {field}\n");
    let cases: &[(&str, u64, &str)] = &[
        ("inferense:\n  timeout_seconds: 10\n", 1, "did you mean `inference`?"),
        ("inference:\n  timeout_second: 10\n", 2, "did you mean `timeout_seconds`?"),
        ("inference:\n  timeout_seconds: 10\n  timeout_seconds: 11\n", 3, "`timeout_seconds` stands there twice"),
        ("inference:\n  timeout_seconds: ten\n", 2, "a whole number from 1 to 3600"),
        ("inference:\n  timeout_seconds: 0\n", 2, "a whole number from 1 to 3600"),
        ("inference:\n  timeout_seconds: -1\n", 2, "a whole number from 1 to 3600"),
        ("inference:\n  provider_preference: claude_cli\n", 2, "a list is wanted"),
        (
            "inference:\n  provider_preference:\n    - claude_cly\n  cli_providers: [{ name: claude_cli }]\n",
            3,
            "did you mean `claude_cli`?",
        ),
        ("inference:\n  provider_preference: [a, a]\n  cli_providers: [{ name: a }]\n", 2, "names `a` twice"),
        ("inference:\n  cli_providers: { name: a }\n", 2, "each entry begins with `- name:`"),
        ("inference:\n  cli_providers:\n    - enabled: true\n", 3, "`name` is missing"),
        ("inference:\n  cli_providers:\n    - name: mcp_sampling\n", 3, "can be called `mcp_sampling`"),
        ("inference:\n  cli_providers:\n    - name: person\n", 3, "can be called `person`"),
        (
            "inference:\n  cli_providers:\n    - name: a\n  api_providers:\n    - { name: a, model: gpt-6-sol }\n",
            5,
            "two providers are called `a`",
        ),
        ("inference:\n  api_providers:\n    - { name: a, model: qwen }\n", 3, "`base_url` is missing"),
        (
            "inference:\n  api_providers:\n    - { name: a, model: gpt-6-sol, temperature: 0 }\n",
            3,
            "no key `temperature`",
        ),
        (
            "inference:\n  api_providers:\n    - name: a\n      model: gpt-6-sol\n      price: { input: 1 }\n",
            5,
            "`output` is missing",
        ),
        (
            "inference:\n  api_providers:\n    - name: a\n      model: gpt-6-sol\n      price: { input: 1, output: -2 }\n",
            5,
            "no amount of dollars",
        ),
        ("ai_sampling:\n  primary_provider: claud\n", 2, "did you mean `claude`?"),
        ("ai_sampling:\n  primary: claude\n", 2, "did you mean `primary_provider`?"),
        ("ai_sampling: {}\ninference:\n  ai_sampling: {}\n", 3, "stands there twice"),
        ("port: 8000\n", 1, "nothing about models"),
        ("", 0, "keys are wanted"),
        ("- a\n", 1, "keys are wanted"),
        ("inference: [\n", 0, "this is not YAML"),
        ("a: &a [x, x]\nb: *c\n", 0, "this is not YAML"),
    ];
    let cases = cases.iter().map(|(yaml, line, expect)| ((*yaml).to_owned(), *line, *expect));
    let of_cli = [
        ("enabled: yes", "`true` or `false` is wanted"),
        ("type: clude", "did you mean `claude`?"),
        ("type: generic", "needs its `command` and its `args`"),
        ("args: [x]", "for a `generic` program"),
        ("retry_delay: 5", "did you mean `retry_delay_ms`?"),
        ("max_retries: 99", "from 0 to 10"),
        ("max_concurrent: 0", "from 1 to 1000"),
        ("api_key_env_var: sk-ant-1234567890", "never in a file"),
        ("model: ''", "`model` is empty"),
    ];
    let of_cli =
        of_cli.iter().map(|(field, expect)| (cli(field), if field.starts_with("type: g") { 3 } else { 4 }, *expect));
    for (yaml, line, expect) in cases.chain(of_cli) {
        let problems = refuse(&yaml);
        let found = problems.iter().any(|(at, text)| (*at == line || line == 0) && text.contains(expect));
        assert!(found, "{yaml}\nwanted {line}: {expect}\n{problems:#?}");
        assert!(!format!("{problems:?}").contains("sk-ant"), "a key is not repeated");
    }
}

#[test]
fn everything_that_is_wrong_is_said_at_once() {
    let problems = refuse("inference:\n  timeout_seconds: 0\n  cli_provider: []\n  provider_preference: [x]\n");
    assert_eq!(problems.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [2, 3, 4], "{problems:#?}");
}

#[test]
fn a_file_that_unfolds_without_end_is_refused() {
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let before = format!("*a{}", level - 1);
        bomb.push_str(&format!("a{level}: &a{level} [{}]\n", [before.as_str(); 10].join(", ")));
    }
    assert!(!refuse(&bomb).is_empty());
    let deep = format!("inference: {}{}", "[".repeat(5000), "]".repeat(5000));
    assert!(!refuse(&deep).is_empty());
    assert!(!refuse(&" ".repeat(LARGEST + 1)).is_empty());
}

#[test]
fn parts_take_the_place_of_their_namesakes_and_leave_the_rest() {
    let mut settings = Settings {
        models: vec![ModelSetting::new("kept", "http://127.0.0.1:1/v1", "m"), ModelSetting::new("claude", "u", "old")],
        check_timeout_s: 7,
        ..Settings::default()
    };
    settings.sampling.may_send_code = true;
    load(EXAMPLE).parts.put_into(&mut settings);
    let names: Vec<_> = settings.models.iter().map(|model| (model.name.as_str(), model.model.as_str())).collect();
    assert_eq!(names, [("kept", "m"), ("claude", "claude-sonnet-5-5")]);
    assert!(settings.sampling.enabled && settings.sampling.may_send_code);
    assert_eq!((settings.check_timeout_s, settings.answer_timeout_s), (7, 10));
    assert_eq!(settings.order(), ["claude_cli", "mcp_sampling", "claude", "kept"]);
}
