//! Configurations beside each other: the plainer designs as they run, and choices that are made blind.

use serde_json::{Value, json};

use crate::cli::check;
use crate::model::{Asked, Model};
use crate::program::{Home, text};

const WEAK: &str = "import yaml\n\n\ndef read(stream):\n    return yaml.load(stream)\n";
/// Three fixes that read differently; the second is the recipe's own, and the last is still weak.
const SAFE: &str = "    return yaml.safe_load(stream)\n";
const LOADER: &str = "    return yaml.load(stream, Loader=yaml.SafeLoader)\n";
const WRONG: &str = "    return yaml.load(stream, Loader=yaml.UnsafeLoader)\n";

fn edit(replace: &str) -> String {
    let edits = json!([{ "search": "    return yaml.load(stream)\n", "replace": replace }]);
    json!({ "explanation": "Zephyrine reads plain data.", "edits": edits }).to_string()
}

fn user(asked: &Asked) -> String {
    let messages = asked.body["messages"].as_array().expect("messages").clone();
    messages.last().expect("a question")["content"].as_str().expect("a text").to_owned()
}

/// A project with one weakness, and settings with `models`, each a seat.
fn set_up(home: &Home, models: &[(&str, &Model)]) {
    home.write("app/load.py", WEAK);
    home.json(&["scan", "app"], 0);
    let tier = json!({ "seats": vec!["fast"; models.len().max(1)], "analysis_s": 30, "cap": 1.5 });
    let tiers: Value =
        ["critical", "high", "medium", "low"].iter().map(|name| ((*name).to_owned(), tier.clone())).collect();
    let models: Vec<Value> = models
        .iter()
        .map(|(name, model)| {
            let price = json!({ "input": 3, "output": 15 });
            json!({ "name": name, "base_url": format!("http://{}/v1", model.address), "model": name, "price": price })
        })
        .collect();
    let settings = json!({ "models": models, "tiers": tiers, "deliberation": { "on": false } });
    home.write("data/settings.json", &settings.to_string());
}

/// Every key and every value of `value` that is no object or list, as text.
fn flat(value: &Value, into: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                into.push(name.clone());
                flat(value, into);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| flat(item, into)),
        Value::String(text) => into.push(text.clone()),
        other => into.push(other.to_string()),
    }
}

#[test]
fn a_chain_shows_the_next_model_the_answer_before_it_as_data_and_keeps_the_last() {
    let home = Home::new();
    let (first, second) = (Model::answering(&edit(SAFE)), Model::answering(&edit(LOADER)));
    set_up(&home, &[("alpha", &first), ("beta", &second)]);
    let ran = home.json(&["compare", "new", "panel", "chain", "--yes"], 0);
    check("comparison", &ran);
    // The panel asks all at once, with nothing before them; the chain asks the same two in turn.
    let told: Vec<String> = first.asked().iter().chain(&second.asked()).map(user).collect();
    let handed: Vec<&String> = told.iter().filter(|told| told.contains("the analyst before you")).collect();
    assert_eq!((told.len(), handed.len()), (4, 1), "{told:#?}");
    let (fence, rest) = handed[0].split_once('\n').expect("a fence");
    let inside = rest.trim_end().strip_suffix(fence).expect("the fence ends it");
    assert!(fence.starts_with("-----") && inside.contains("+    return yaml.safe_load(stream)"));
    assert!(inside.contains("Zephyrine reads plain data."), "its words go with it: {inside}");
    assert!(second.asked().iter().map(user).any(|told| told == *handed[0]), "the second is shown the first");
}

#[test]
fn a_choice_is_blind_and_made_once_and_then_it_is_said_whose_the_sides_were() {
    let home = Home::new();
    let model = Model::answering(&edit(SAFE));
    set_up(&home, &[("zephyrine", &model)]);
    let new = ["compare", "new", "panel", "majority", "--seed", "7"];
    let plan = home.json(&new, 0);
    check("comparison-plan", &plan);
    assert_eq!(plan["findings"], 1, "{plan:#}");
    assert!(plan["b"]["cost"]["known"]["high"].as_f64().is_some_and(|most| most > 0.0), "{plan:#}");
    assert!(model.asked().is_empty(), "nothing is asked without consent");
    let said = text(&home.run(&new));
    assert!(said.contains("Nothing was sent. The same with `--yes` begins it."), "{said}");

    let ran = home.json(&[&new[..], &["--yes"]].concat(), 0);
    assert_eq!((&ran["pending"], &ran["waiting"]), (&json!(0), &json!(1)), "{ran:#}");
    assert_eq!(home.json(&["findings"], 0)["findings"][0]["status"], "open", "the finding stands as it stood");
    check("comparisons", &home.json(&["compare", "list"], 0));

    let next = home.json(&["compare", "next"], 0);
    check("next-pair", &next);
    let mut words = Vec::new();
    flat(&next, &mut words);
    let all = words.join("\n").to_lowercase();
    for hidden in
        ["zephyrine", "stub", "recipe", "panel", "majority", "confidence", "origin", "cost", "price", "rationale"]
    {
        assert!(!all.contains(hidden), "{hidden}: {next:#}");
    }
    // No number but those of the pair, the comparison, how many wait, and of lines.
    let fractions: Vec<&String> =
        words.iter().filter(|word| word.parse::<f64>().is_ok_and(|n| n.fract() != 0.0)).collect();
    assert!(fractions.is_empty(), "{fractions:?}");
    let said = text(&home.run(&["compare", "next"])).to_lowercase();
    assert!(said.contains("safe_load") && said.contains("safeloader") && !said.contains("zephyrine"), "{said}");
    assert_eq!(home.json(&["compare", "next"], 0), next, "the sides stay");

    let pair = next["pair"]["id"].to_string();
    let half = home.json(&["compare", "report", "1"], 0);
    assert_eq!((&half["open"], &half["seed"], &half["a"]["n"]), (&json!(1), &Value::Null, &json!(0)), "{half:#}");
    let revealed = home.json(&["compare", "choose", &pair, "left"], 0);
    check("pair-revealed", &revealed);
    let sides = [&revealed["left"]["configuration"], &revealed["right"]["configuration"]];
    assert!(sides.contains(&&json!("panel")) && sides.contains(&&json!("majority")), "{revealed:#}");
    let again = home.json(&["compare", "choose", &pair, "right"], 2);
    assert!(
        again["error"]["message"].as_str().is_some_and(|words| words.contains("a choice is made once")),
        "{again:#}"
    );

    let report = home.json(&["compare", "report", "1"], 0);
    check("comparison-report", &report);
    let chose = (report["chose_a"].as_u64(), report["chose_b"].as_u64());
    let left_is_a = revealed["left"]["configuration"] == "panel";
    assert_eq!(chose, if left_is_a { (Some(1), Some(0)) } else { (Some(0), Some(1)) }, "{report:#}");
    assert_eq!(
        (&report["preference"]["n"], &report["seed"], &report["interval"]),
        (&json!(1), &json!(7), &json!("Wilson score interval, 95 %"))
    );
    assert_eq!(
        (&report["b"]["calls"], &report["b"]["fixes"], &report["b"]["n"]),
        (&json!(1), &json!(1), &json!(1)),
        "{report:#}"
    );
    assert_eq!(home.json(&["compare", "report", "1"], 0), report, "it was kept");
    assert_eq!(home.json(&["compare", "next"], 0)["pair"], Value::Null);
}

#[test]
fn the_same_seed_draws_the_same_sides() {
    let home = Home::new();
    let model = Model::answering(&edit(SAFE));
    set_up(&home, &[("alpha", &model)]);
    let drawn = |seed: &str| {
        let id = home.json(&["compare", "new", "panel", "majority", "--yes", "--seed", seed], 0)["id"].to_string();
        let pair = home.json(&["compare", "next", &id], 0)["pair"]["id"].to_string();
        home.json(&["compare", "choose", &pair, "both"], 0)["left"]["configuration"].clone()
    };
    let seeds = ["1", "2", "3"];
    let sides: Vec<Value> = seeds.iter().map(|seed| drawn(seed)).collect();
    assert_eq!(seeds.iter().map(|seed| drawn(seed)).collect::<Vec<_>>(), sides);
}

#[test]
fn a_baseline_passes_the_same_gate_and_climbs_the_same_ladder() {
    let home = Home::new();
    let models: Vec<Model> = [WRONG, WRONG, SAFE].iter().map(|fix| Model::answering(&edit(fix))).collect();
    let named: Vec<(&str, &Model)> = ["alpha", "beta", "gamma"].into_iter().zip(&models).collect();
    set_up(&home, &named);

    // Where no connection is allowed, no design makes one, and that says nothing of the designs.
    let refused = home.json(&["compare", "new", "majority", "chain", "--yes", "--offline"], 2);
    assert!(refused.to_string().contains("was not asked"), "{refused:#}");
    assert!(models.iter().all(|model| model.asked().is_empty()), "the gate holds for every design");
    let list = home.json(&["compare", "list"], 0);
    assert_eq!(list["items"][0]["pending"], 1, "{list:#}");

    let ran = home.json(&["compare", "new", "majority", "best-of-2", "--yes"], 0);
    let asked: usize = models.iter().map(|model| model.asked().len()).sum();
    assert_eq!(asked, 5, "three of the panel and two samples of one");
    let next = home.json(&["compare", "next", &ran["id"].to_string()], 0);
    home.json(&["compare", "choose", &next["pair"]["id"].to_string(), "neither"], 0);
    let report = home.json(&["compare", "report", &ran["id"].to_string()], 0);
    let rung = |arm: &str| {
        let rungs = report[arm]["rungs"].as_array().expect("rungs").clone();
        rungs.into_iter().find(|rung| rung["check"] == "own_rule").expect("the rung")
    };
    // The votes took what the ladder refuses, and it is said so; evidence took nothing of the kind.
    assert_eq!((&rung("a")["failed"], &report["b"]["fixes"]), (&json!(1), &json!(0)), "{report:#}");
    assert_eq!(
        (&report["a"]["configuration"]["by_votes"], &report["b"]["configuration"]["by_votes"]),
        (&json!(true), &json!(false))
    );
    let said = text(&home.run(&["compare", "report", &ran["id"].to_string()]));
    assert!(said.contains("chosen by votes; each confidence is still that of the evidence"), "{said}");
}

#[test]
fn people_combine_models_and_effort_in_a_file_and_what_is_unknown_in_it_is_refused() {
    let home = Home::new();
    let (first, second) = (Model::answering(&edit(LOADER)), Model::answering(&edit(SAFE)));
    set_up(&home, &[("alpha", &first), ("beta", &second)]);
    home.write("mine.json", r#"{ "design": "best-of-2", "models": ["beta"] }"#);
    home.json(&["compare", "new", "mine.json", "single", "--yes"], 0);
    assert_eq!((first.asked().len(), second.asked().len()), (1, 2));
    for (wrong, words) in [
        (r#"{ "desing": "chain" }"#, "unknown field `desing`"),
        (r#"{ "models": ["gamma"] }"#, "there is no model `gamma` to be asked; the settings have `alpha`, `beta`"),
        (r#"{ "design": "vote" }"#, "`vote` is no design"),
    ] {
        home.write("wrong.json", wrong);
        let refused = home.json(&["compare", "new", "wrong.json", "panel"], 2);
        assert!(refused["error"]["message"].as_str().is_some_and(|said| said.contains(words)), "{refused:#}");
    }
    assert!(text(&home.run(&["compare", "new", "vote", "panel"])).contains("`vote` is no design"));
}
