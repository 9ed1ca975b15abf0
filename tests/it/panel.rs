//! Several models on one finding: who sits, who dies, who is asked again.

use std::sync::{Arc, Barrier};

use serde_json::{Value, json};

use crate::model::{Asked, Model};
use crate::program::Home;

const WEAK: &str = "import yaml\n\n\ndef read(stream):\n    return yaml.load(stream)\n";

/// The head and the body with which a stream says `reply`.
fn says(reply: &str) -> (String, String) {
    let delta = json!({ "choices": [{ "index": 0, "delta": { "content": reply }, "finish_reason": null }] });
    let stop = json!({ "choices": [{ "index": 0, "delta": {}, "finish_reason": "stop" }] });
    let body = format!("data: {delta}\n\ndata: {stop}\n\ndata: [DONE]\n\n");
    ("200 OK\r\nContent-Type: text/event-stream".to_owned(), body)
}

fn edit(replace: &str) -> String {
    let edits = json!([{ "search": "    return yaml.load(stream)\n", "replace": replace }]);
    json!({ "explanation": "It reads plain data.", "edits": edits }).to_string()
}

fn user(asked: &Asked) -> String {
    let messages = asked.body["messages"].as_array().expect("messages").clone();
    messages.last().expect("a question")["content"].as_str().expect("a text").to_owned()
}

/// The seats of the only finding of a project with one critical weakness, asked of `models` under `tier`.
fn seats(home: &Home, models: &[(&str, String)], tier: &Value) -> Vec<Value> {
    seats_of(home, WEAK, models, tier)
}

fn seats_of(home: &Home, source: &str, models: &[(&str, String)], tier: &Value) -> Vec<Value> {
    home.write("app/load.py", source);
    home.json(&["scan", "app"], 0);
    let tiers: Value =
        ["critical", "high", "medium", "low"].iter().map(|name| ((*name).to_owned(), tier.clone())).collect();
    let models: Vec<Value> = models
        .iter()
        .map(|(name, address)| json!({ "name": name, "base_url": format!("http://{address}/v1"), "model": name }))
        .collect();
    home.write("data/settings.json", &json!({ "models": models, "tiers": tiers }).to_string());
    let report = home.json(&["fix", "--all"], 0);
    report["resolutions"][0]["resolution"]["seats"].as_array().expect("seats").clone()
}

fn tier(seats: usize) -> Value {
    json!({ "seats": vec!["fast"; seats], "analysis_s": 30, "cap": null })
}

#[test]
fn one_to_four_of_five_may_die_and_the_others_count() {
    for dead in 1..=4 {
        let home = Home::new();
        let models: Vec<Model> = (0..5)
            .map(|index| match index < dead {
                true => Model::with(|_| ("400 Bad Request".to_owned(), "{}".to_owned())),
                false => Model::answering(&edit("    return yaml.safe_load(stream)\n")),
            })
            .collect();
        let names = ["alpha", "beta", "gamma", "delta", "epsilon"];
        let named: Vec<(&str, String)> =
            names.iter().zip(&models).map(|(name, model)| (*name, model.address.to_string())).collect();
        let seats = seats(&home, &named, &tier(5));
        let state = |state: &str| {
            seats.iter().filter(|seat| names.iter().any(|n| seat["name"] == *n) && seat["state"] == state).count()
        };
        assert_eq!((state("proposed"), state("failed")), (5 - dead, dead), "{seats:#?}");
    }
}

#[test]
fn the_whole_panel_is_asked_at_once() {
    let home = Home::new();
    // No model answers before all of them were asked.
    let all = Arc::new(Barrier::new(3));
    let models: Vec<Model> = (0..3)
        .map(|_| {
            let all = Arc::clone(&all);
            Model::with(move |_| {
                all.wait();
                says(&edit("    return yaml.safe_load(stream)\n"))
            })
        })
        .collect();
    let named: Vec<(&str, String)> = ["alpha", "beta", "gamma"]
        .iter()
        .zip(&models)
        .map(|(name, model)| (*name, model.address.to_string()))
        .collect();
    let seats = seats(&home, &named, &tier(3));
    assert!(
        named.iter().all(|(name, _)| seats.iter().any(|s| s["name"] == *name && s["state"] == "proposed")),
        "{seats:#?}"
    );
}

#[test]
fn a_seat_that_nobody_takes_is_named() {
    let home = Home::new();
    let model = Model::answering(&edit("    return yaml.safe_load(stream)\n"));
    let seats = seats(&home, &[("alpha", model.address.to_string())], &tier(3));
    let empty: Vec<&Value> = seats.iter().filter(|seat| seat["state"] == "empty").collect();
    assert_eq!(empty.len(), 2, "{seats:#?}");
    assert!(empty[0]["note"].as_str().is_some_and(|note| note.contains("1 of 3 seats")), "{empty:#?}");
}

#[test]
fn a_model_that_declines_is_stood_in_for_and_shown() {
    let home = Home::new();
    let declines = Model::with(|_| {
        let delta = json!({ "choices": [{ "index": 0, "delta": { "refusal": "I would rather not." }, "finish_reason": null }] });
        let stop = json!({ "choices": [{ "index": 0, "delta": {}, "finish_reason": "stop" }] });
        let body = format!("data: {delta}\n\ndata: {stop}\n\ndata: [DONE]\n\n");
        ("200 OK\r\nContent-Type: text/event-stream".to_owned(), body)
    });
    let answers = Model::answering(&edit("    return yaml.safe_load(stream)\n"));
    let named = [("alpha", declines.address.to_string()), ("beta", answers.address.to_string())];
    let seats = seats(&home, &named, &tier(1));
    let states: Vec<&Value> = seats.iter().filter(|seat| seat["name"] == "alpha").map(|seat| &seat["state"]).collect();
    assert_eq!(states, ["refused", "proposed"], "{seats:#?}");
    assert_eq!(answers.asked().len(), 1);
}

#[test]
fn a_refused_fix_is_tried_once_more_with_what_the_check_saw() {
    let home = Home::new();
    let line = "    return subprocess.run('ls ' + name + ' | wc -l', shell=True)\n";
    let edit = |replace: &str| {
        json!({ "explanation": "No shell.", "edits": [{ "search": line, "replace": replace }] }).to_string()
    };
    let (silenced, sound) = (
        edit("    return subprocess.run('ls ' + name + ' | wc -l', shell=True)  # nosec\n"),
        edit("    return len(subprocess.run(['ls', '--', name], capture_output=True).stdout.splitlines())\n"),
    );
    let model = Model::with(move |asked| match user(asked).contains("your earlier answer") {
        true => says(&sound),
        false => says(&silenced),
    });
    let weak = format!("import subprocess\n\n\ndef count(name):\n{line}");
    let seats = seats_of(&home, &weak, &[("alpha", model.address.to_string())], &tier(1));
    let asked = model.asked();
    assert_eq!(asked.len(), 2, "{seats:#?}");
    let told = user(&asked[1]);
    assert!(told.contains("Silences nothing failed") && told.contains("+    return subprocess.run"), "{told}");
    assert!(seats.iter().any(|seat| seat["name"] == "alpha, second try" && seat["state"] == "proposed"), "{seats:#?}");
}
