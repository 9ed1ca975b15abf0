//! Several models on one finding: who sits, who dies, who is asked again.

use std::sync::mpsc::channel;
use std::sync::{Arc, Barrier};

use serde_json::{Value, json};

use crate::cli::check;
use crate::model::{Asked, Model, stream};
use crate::program::{Home, Rpc, text};

const WEAK: &str = "import yaml\n\n\ndef read(stream):\n    return yaml.load(stream)\n";

/// The head and the body with which a stream says `reply`.
fn says(reply: &str) -> (String, String) {
    stream(reply, "stop")
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
    set_up(home, source, models, tier);
    let report = home.json(&["fix", "--all"], 0);
    report["resolutions"][0]["resolution"]["seats"].as_array().expect("seats").clone()
}

/// A project with one weakness, and settings with `models` under `tier`.
fn set_up(home: &Home, source: &str, models: &[(&str, String)], tier: &Value) {
    home.write("app/load.py", source);
    home.json(&["scan", "app"], 0);
    let tiers: Value =
        ["critical", "high", "medium", "low"].iter().map(|name| ((*name).to_owned(), tier.clone())).collect();
    let models: Vec<Value> = models
        .iter()
        .map(|(name, address)| json!({ "name": name, "base_url": format!("http://{address}/v1"), "model": name }))
        .collect();
    home.write(
        "data/settings.json",
        &json!({ "models": models, "tiers": tiers, "deliberation": { "on": false } }).to_string(),
    );
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

#[test]
fn a_plan_names_every_seat_and_asks_nobody() {
    let home = Home::new();
    let model = Model::answering("");
    set_up(&home, WEAK, &[("alpha", model.address.to_string())], &tier(3));
    let plan = home.json(&["plan"], 0);
    check("plan", &plan);
    let run = &plan["chosen"][0];
    assert_eq!((&run["filled"], run["seats"].as_array().expect("seats").len()), (&json!(1), 3), "{plan:#}");
    assert_eq!((&run["seats"][0]["model"], &run["seats"][0]["cost"]), (&json!("alpha"), &Value::Null));
    assert_eq!(
        (&plan["cost"]["unknown"], &plan["cost"]["known"]["high"]),
        (&json!(1), &json!(0)),
        "not known is not free"
    );
    assert_eq!((&plan["analysis_s"], &run["unpaid"]), (&json!(30), &json!(["Recipes"])));

    let id = run["finding"]["id"].as_str().expect("an id");
    let output = home.run(&["plan", id, "--budget", "1.50"]);
    let said = text(&output);
    assert!(output.status.success() && said.contains("0 findings to run, 1 left for later"), "{said}");
    assert!(said.contains("what it costs is not known, and there is a budget"), "{said}");
    let said = text(&home.run(&["plan"]));
    for words in
        ["1 of 3 seats taken", "alpha  cost not known", "nobody: 1 of 3 seats", "at no cost: Recipes", "within 30 s"]
    {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert!(model.asked().is_empty(), "nothing is sent");
}

#[test]
fn a_run_that_was_killed_asks_only_those_who_had_not_answered() {
    let home = Home::new();
    let answers = Model::answering(&edit("    return yaml.safe_load(stream)\n"));
    let (asked, was_asked) = channel();
    let (hold, held) = channel::<()>();
    let hangs = Model::with(move |_| {
        let _ = asked.send(());
        // Until nobody holds it any more.
        let _ = held.recv();
        says(&edit("    return yaml.load(stream, Loader=yaml.SafeLoader)\n"))
    });
    let named = [("alpha", answers.address.to_string()), ("beta", hangs.address.to_string())];
    set_up(&home, WEAK, &named, &tier(2));
    let mut first = Rpc::start(&home);
    first.call("run_fix", json!({})).expect("it waits");
    first.event(|event| event["progress"]["text"] == "alpha is done");
    was_asked.recv().expect("beta is asked");
    first.kill();
    drop(hold);

    let id = home.json(&["findings"], 0)["findings"][0]["id"].as_str().expect("an id").to_owned();
    let report = home.json(&["fix", &id], 0);
    let seats = report["resolutions"][0]["resolution"]["seats"].as_array().expect("seats");
    for name in ["alpha", "beta"] {
        assert!(seats.iter().any(|seat| seat["name"] == name && seat["state"] == "proposed"), "{name}: {seats:#?}");
    }
    assert_eq!((answers.asked().len(), hangs.asked().len()), (1, 2), "who has answered is not asked again");
    let spending = home.json(&["spending", &id], 0);
    assert_eq!(spending["finding"]["total"]["calls"], 3, "{spending:#}");
}
