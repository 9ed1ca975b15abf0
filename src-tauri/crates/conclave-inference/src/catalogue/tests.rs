//! The list of models as it ships, and lists that are wrong.

use conclave_core::money::Money;

use super::*;

fn on(text: &str) -> Date {
    text.parse().expect("a day")
}

#[test]
fn the_list_of_models_is_whole_and_every_price_has_its_day() {
    assert!(models().len() > 20 && hosts().len() >= 4 && strengths().len() == 5);
    for entry in models() {
        let known = known(&ModelSetting::new("m", &entry.host.base_url, &entry.id)).expect("it is found at its host");
        assert_eq!(known, entry);
        if let Some(price) = &entry.price {
            assert!(price.dated.is_some() && price.input > Money::ZERO && price.output > price.input, "{}", entry.id);
            assert!(price.cached <= price.input, "{}", entry.id);
            if let Some(long) = price.long {
                let is_step = entry.context_tokens.is_some_and(|most| long.above_tokens < most);
                assert!(is_step && long.input > price.input && long.output > price.output, "{}", entry.id);
                assert!(long.cached <= long.input, "{}", entry.id);
            }
        }
    }
}

#[test]
fn a_list_that_names_what_is_not_in_it_is_refused() {
    let text = include_str!("../../models.toml");
    assert!(file::read(text).is_ok());
    for (from, to, expect) in [
        ("successor = \"claude-opus-5-5\"", "successor = \"claude-opus-4-20250514\"", "living successor"),
        ("successor = \"claude-opus-5-5\"", "successor = \"gpt-6-sol\"", "living successor"),
        ("retires = \"2026-06-15\"", "", "living successor"),
        ("retires = \"2026-06-15\"", "retires = \"soon\"", "claude-opus-4-20250514"),
        ("retires = \"2026-06-15\"", "retires = \"2026-06-15\"\ngone_by = \"2026-06-16\"", "it ends once"),
        ("aliases = [\"deepseek-r1\"]", "aliases = [\"deepseek-chat\"]", "two models"),
        ("strengths = [\"specialised\"]", "strengths = [\"special\"]", "no strength"),
        ("usual = \"gpt-6-sol\"", "usual = \"gpt-4o\"", "its usual model"),
        ("model = \"deepseek-r1\"", "model = \"deepseek-r2\"", "a preset seats"),
        ("dated = \"2026-10-21\"", "dated = \"lately\"", "claude-opus-5-5"),
        ("input = 4,", "input = -4,", "amount of dollars"),
    ] {
        let changed = text.replacen(from, to, 1);
        assert_ne!(changed, text, "{from}");
        let error = file::read(&changed).err().unwrap_or_default();
        assert!(error.contains(expect), "{from} -> {to}: {error}");
    }
}

#[test]
fn a_price_holds_at_its_host_alone_and_an_unknown_one_is_no_price() {
    let dollars = |text: &str| text.parse::<Money>().expect("money");
    let opus = price("claude-opus-5-5", "https://api.anthropic.com").expect("a price");
    assert_eq!((opus.input, opus.output, opus.cached), (dollars("4"), dollars("20"), dollars("0.2")));
    assert!(price("deepseek-flash", "https://api.deepseek.com/v1").is_some(), "another name, another path");
    for (model, base_url) in [
        ("claude-opus-5-5", "https://openrouter.ai/api/v1"),
        ("claude-opus-5-5", "https://api.openai.com/v1"),
        ("claude-opus-5-5", "https://api.anthropic.com.example"),
        ("claude-opus-5-5", "http://127.0.0.1:8080"),
        ("claude-opus-6", "https://api.anthropic.com"),
        // It is not known which model that is today.
        ("mistral-large-latest", "https://api.mistral.ai/v1"),
        ("claude-opus-5-5", "not an address"),
    ] {
        assert_eq!(price(model, base_url), None, "{model} at {base_url}");
    }
}

#[test]
fn a_model_lives_until_its_day_and_is_followed_by_a_living_one() {
    let today = on("2026-11-27");
    for (id, at, expect) in [
        ("gpt-6-sol", today, State::Living),
        ("gpt-4o", on("2027-01-13"), State::Retires { on: on("2027-01-14"), successor: Some("gpt-6-sol") }),
        ("gpt-4o", on("2027-01-14"), State::Retired { end: End::On(on("2027-01-14")), successor: Some("gpt-6-sol") }),
        ("claude-opus-4", today, State::Retired { end: End::On(on("2026-06-15")), successor: Some("claude-opus-5-5") }),
        (
            "claude-3-sonnet-20240229",
            today,
            State::Retired { end: End::Before(on("2026-10-21")), successor: Some("claude-sonnet-5-5") },
        ),
        ("claude-opus-5.5", today, State::Unknown { nearest: Some("claude-opus-5-5") }),
        ("claude-sonnet-9", today, State::Unknown { nearest: Some("claude-sonnet-5-5") }),
        ("qwen3-coder", today, State::Unknown { nearest: None }),
    ] {
        assert_eq!(state(id, at), expect, "{id} on {at}");
    }
}

#[test]
fn what_a_host_lists_has_the_last_word() {
    let list = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let missing = |near: Option<&str>| Listing::Missing { nearest: near.map(str::to_owned) };
    for (id, listed, expect) in [
        ("m", list(&[]), Listing::Silent),
        ("m", list(&["a", "m"]), Listing::Listed),
        ("qwen2.5-coder", list(&["qwen2.5-coder:latest"]), Listing::Listed),
        ("qwen2.5-coder", list(&["qwen2.5-coder:7b", "llama"]), missing(Some("qwen2.5-coder:7b"))),
        ("gpt-4o", list(&["gpt-5.6", "gpt-6-sol"]), missing(Some("gpt-6-sol"))),
        ("gpt-4o", list(&["gpt-5.6"]), missing(Some("gpt-5.6"))),
        ("gpt-4o", list(&["llama-4"]), missing(None)),
        // Another name of it, and a variant of it.
        ("claude-opus-4", list(&["claude-opus-4-20250514"]), Listing::Listed),
        ("openai/gpt-oss-20b:free", list(&["openai/gpt-oss-20b"]), Listing::Listed),
    ] {
        assert_eq!(against(id, &listed), expect, "{id} in {listed:?}");
    }
}

#[test]
fn what_is_wrong_with_a_model_is_said_loudly_and_only_where_it_is_known() {
    let today = on("2026-11-27");
    let said = |id: &str, base_url: &str, listed: &[&str]| {
        let listed: Vec<String> = listed.iter().map(|name| (*name).to_owned()).collect();
        remarks(id, base_url, &listed, today).join(" | ")
    };
    let anthropic = "https://api.anthropic.com";
    assert_eq!(said("claude-opus-5-5", anthropic, &["claude-opus-5-5"]), "");
    assert_eq!(
        said("claude-opus-4", anthropic, &[]),
        "the model `claude-opus-4` was retired on 2026-06-15 and answers no more; take `claude-opus-5-5` in its place"
    );
    assert!(
        said("claude-opus-5-5", anthropic, &["claude-opus-6"]).contains("the nearest that it lists is `claude-opus-6`")
    );
    assert!(said("claude-opus-9", anthropic, &[]).contains("what it costs; did you mean `claude-opus-5-5`?"));
    // Somebody else's model of that name is none of ours.
    assert_eq!(said("gpt-4o", "http://127.0.0.1:8080/v1", &[]), "");
    assert_eq!(said("qwen", "http://127.0.0.1:8080/v1", &["qwen"]), "");
    assert_eq!(said("qwen", "http://127.0.0.1:8080/v1", &["llama"]), "it does not list the model `qwen`");
}

#[test]
fn the_first_five_are_a_preset_and_most_of_them_are_gone() {
    let today = on("2026-11-27");
    let [preset] = presets() else { panic!("one preset") };
    let focus: Vec<(&str, &str)> =
        preset.seats.iter().map(|seat| (seat.strength.as_str(), seat.model.as_str())).collect();
    assert_eq!(
        focus,
        [
            ("deep_reasoning", "claude-opus-4"),
            ("pattern_matching", "gpt-4o"),
            ("logic", "deepseek-r1"),
            ("fast", "mistral-large"),
            ("specialised", "devstral-medium-latest"),
        ]
    );
    let words: Vec<String> =
        preset.seats.iter().map(|seat| state(&seat.model, today).words(&seat.model).unwrap_or_default()).collect();
    for (words, expect) in words.iter().zip([
        "was retired on 2026-06-15 and answers no more; take `claude-opus-5-5` in its place",
        "is retired on 2027-01-14; take `gpt-6-sol` in its place",
        "was retired on 2026-07-24 and answers no more; take `deepseek-v4-pro` in its place",
        "its host did not offer it on 2026-10-21; take `mistral-large-4` in its place",
        "",
    ]) {
        assert!(words.ends_with(expect) && words.is_empty() == expect.is_empty(), "{words}");
    }
}

#[test]
fn each_family_of_weaknesses_wants_one_strength() {
    let wanted = |cwe: u32| {
        let found = strengths().iter().filter(|strength| strength.cwe.contains(&cwe));
        found.map(|strength| strength.id.as_str()).collect::<Vec<_>>().join(" ")
    };
    for (cwe, expect) in [
        (287, "deep_reasoning"),
        (862, "deep_reasoning"),
        (639, "deep_reasoning"),
        (89, "pattern_matching"),
        (79, "pattern_matching"),
        (78, "pattern_matching"),
        (362, "logic"),
        (367, "logic"),
        (327, "fast"),
        (502, "fast"),
        (918, "fast"),
        (787, "specialised"),
        (1321, "specialised"),
    ] {
        assert_eq!(wanted(cwe), expect, "CWE-{cwe}");
    }
    let mut all: Vec<u32> = strengths().iter().flat_map(|strength| strength.cwe.iter().copied()).collect();
    let before = all.len();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), before, "no weakness stands in two families");
}
