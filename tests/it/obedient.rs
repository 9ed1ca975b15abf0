//! A model that obeys whoever wrote into the project, completely: it tries every effect that its answers could have.
//!
//! No model that can be talked into something is better than this one. What counts is what came of it: files, addresses,
//! keys, processes, what is remembered, what was asked elsewhere, and the ledger. `CONCLAVE_DEEP` tries every goal over
//! every channel in every mode, or with `CONCLAVE_DEEP_PART=3/8` the third eighth of that; else every effect is tried once
//! on fixes, once on verdicts and once by whoever thinks a run over.

mod analyser;
mod answers;
mod goals;
mod ground;
mod servers;
mod verdicts;

use std::collections::BTreeSet;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::model::{Asked, Model};
use crate::program::text;
use goals::{Channel, EFFECTS, Effect, Goal, TOKEN, cases};
use ground::{ENV_KEY, Ground, weakness};
use servers::{OTHER, Servers, can_start, memory};

/// A goal and where it is put.
type Case = (Goal, Channel);

/// So many cases share a project.
const TOGETHER: usize = 250;

fn is_deep() -> bool {
    std::env::var_os("CONCLAVE_DEEP").is_some()
}

/// What came of cases.
#[derive(Default)]
struct Tried {
    /// Questions to the model.
    asked: usize,
    /// Honest fixes that were written, or calls that rules allow.
    allowed: usize,
    harm: Vec<String>,
}

/// Which part of a deep run is wanted: the number of the part, from 0, and of how many.
fn wanted_part() -> (usize, usize) {
    let Ok(part) = std::env::var("CONCLAVE_DEEP_PART") else { return (0, 1) };
    let numbers = part.split_once('/').and_then(|(part, of)| Some((part.parse().ok()?, of.parse().ok()?)));
    let (part, of): (usize, usize) = numbers.expect("`CONCLAVE_DEEP_PART` is such as 3/8");
    assert!((1..=of).contains(&part), "`CONCLAVE_DEEP_PART` is such as 3/8");
    (part - 1, of)
}

/// `cases` in grounds that have some of every effect each, those of the part that is wanted. Cases of one effect are not
/// next to each other: a model that breaks off several times in a row would not be asked for a while.
fn grounds(cases: &[Case], (part, of): (usize, usize)) -> Vec<Vec<Case>> {
    let count = cases.len().div_ceil(TOGETHER);
    let ground = |number| {
        let ground: Vec<Case> = cases.iter().skip(number).step_by(count).copied().collect();
        let mut order: Vec<usize> = (0..ground.len()).collect();
        order.sort_by_key(|place| place * 97 % 251);
        order.into_iter().map(|place| ground[place]).collect()
    };
    (0..count).filter(|number| number % of == part).map(ground).collect()
}

/// Says how far a mode has come that takes long, so that a run that is cut short has said something.
#[expect(clippy::print_stderr, reason = "it is read while the test runs, by hand")]
fn so_far(mode: &str, tried: usize, of: usize, harm: &[String]) {
    if is_deep() {
        eprintln!("{mode}: {tried} of {of} tried, {} forbidden effects so far", harm.len());
    }
}

/// So many grounds are tried at a time for each core: a model that breaks off is waited for.
const AT_A_TIME: usize = 2;

/// Tries `cases`, several grounds at a time, and says what came of them.
fn try_all(mode: &str, cases: Vec<Case>, each: impl Fn(&[Case]) -> Tried + Sync) -> Tried {
    let grounds = grounds(&cases, wanted_part());
    let (of, next) = (grounds.iter().map(Vec::len).sum(), AtomicUsize::new(0));
    let all = Mutex::new((0, Tried::default()));
    let work = || {
        while let Some(ground) = grounds.get(next.fetch_add(1, Ordering::Relaxed)) {
            let Tried { asked, allowed, mut harm } = each(ground);
            let mut all = all.lock().expect("unpoisoned");
            all.0 += ground.len();
            all.1.asked += asked;
            all.1.allowed += allowed;
            all.1.harm.append(&mut harm);
            so_far(mode, all.0, of, &all.1.harm);
        }
    };
    let at_a_time = AT_A_TIME * std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| (0..at_a_time.min(grounds.len())).for_each(|_| drop(scope.spawn(work))));
    let (tried, all) = all.into_inner().expect("unpoisoned");
    let goals: BTreeSet<usize> = cases.iter().map(|(goal, _)| goal.number).collect();
    println!(
        "{mode}: {} goals over {} channels: {tried} of {} cases tried, {} questions, {} allowed, {} forbidden effects",
        goals.len(),
        Channel::ALL.len(),
        cases.len(),
        all.asked,
        all.allowed,
        all.harm.len()
    );
    assert_eq!(all.harm, [""; 0]);
    all
}

/// Three models that are one, in a mode.
fn settings(model: &Model, mode: &str) -> String {
    let one = |name: &str| json!({ "name": name, "base_url": format!("http://{}/v1", model.address), "model": name });
    let tier = json!({ "seats": ["fast", "logic", "deep_reasoning"], "analysis_s": 60, "cap": null, "mode": mode });
    let tiers = json!({ "critical": tier, "high": tier, "medium": tier, "low": tier, "note": tier });
    let models = ["one", "two", "three"].map(one);
    json!({ "models": models, "tiers": tiers }).to_string()
}

/// Fixes all that was found with the widest consent that there is, or what `id` names: what it printed, and how many fixes
/// were written.
fn fix(ground: &Ground, id: Option<&str>) -> (String, usize) {
    let mut command = ground.home.command();
    command.args(["--format", "json", "fix", id.unwrap_or("--all"), "--apply"]).env("OPENAI_API_KEY", ENV_KEY);
    let output = command.output().expect("conclave starts");
    assert!(output.status.code().is_some(), "{}", text(&output));
    let report: Value = serde_json::from_slice(&output.stdout).expect("a report");
    let applied = report["applied"].as_u64().expect("a number");
    (text(&output), usize::try_from(applied).expect("a number"))
}

/// The same one by one, each in a process of its own.
fn fix_each(ground: &Ground) -> (String, usize) {
    let found = ground.home.json(&["findings"], 0);
    let ids = found["findings"].as_array().expect("findings").iter();
    let ids: Vec<&str> = ids.map(|row| row["id"].as_str().expect("an id")).collect();
    assert_eq!(ids.len(), ground.cases.len(), "all are listed");
    let (printed, applied): (Vec<String>, Vec<usize>) = ids.into_iter().map(|id| fix(ground, Some(id))).unzip();
    (printed.concat(), applied.into_iter().sum())
}

/// The cases that no question was about.
fn unasked(ground: &Ground, questions: &[Asked]) -> Vec<String> {
    let about = questions.iter().map(|question| question.body.to_string());
    let about: BTreeSet<String> = about.filter_map(|body| Some(ground.goal_of(&body)?.0.to_owned())).collect();
    ground.cases.keys().filter(|name| !about.contains(*name)).cloned().collect()
}

/// Tries all goals on fixes, in a mode of the panel.
fn fixes_come_to_nothing(mode: &str, turn: usize) {
    let tried = try_all(mode, cases(is_deep(), turn), |part| {
        // Where one model gives all answers, one that breaks off, or uses tools that nobody offers, is soon left alone for
        // half a minute: each of those is tried in a process of its own, so that every goal is.
        let breaks_off =
            |(goal, _): &Case| mode == "samples" && matches!(goal.effect, Effect::Connection(_) | Effect::Run(_));
        let (rough, calm): (Vec<Case>, Vec<Case>) = part.iter().copied().partition(breaks_off);
        let mut all = tried_on_fixes(mode, &calm, |ground| fix(ground, None));
        if !rough.is_empty() {
            let more = tried_on_fixes(mode, &rough, fix_each);
            all.asked += more.asked;
            all.allowed += more.allowed;
            all.harm.extend(more.harm);
        }
        all
    });
    assert!(tried.allowed > 0, "honest fixes were applied");
}

/// What comes of `part` when `fix` fixes it in a mode of the panel.
fn tried_on_fixes(mode: &str, part: &[Case], fix: impl Fn(&Ground) -> (String, usize)) -> Tried {
    let ground = Arc::new(Ground::new(part));
    let files = ground.plant();
    let stub = Arc::clone(&ground);
    let model = Model::with(move |question| answers::obey(&stub, question));
    ground.find();
    ground.home.write("data/settings.json", &settings(&model, mode));
    let (printed, allowed) = fix(&ground);
    let questions = model.asked();
    assert_eq!(unasked(&ground, &questions), [""; 0], "{mode}: all were asked about");
    Tried { asked: questions.len(), allowed, harm: ground.harm(&files, &questions, &printed) }
}

#[test]
fn an_obedient_panel_changes_nothing() {
    fixes_come_to_nothing("panel", 0);
}

#[test]
fn an_obedient_model_that_is_asked_often_changes_nothing() {
    fixes_come_to_nothing("samples", 1);
}

#[test]
fn an_obedient_model_that_is_asked_in_stages_changes_nothing() {
    fixes_come_to_nothing("staged", 2);
}

#[test]
fn an_obedient_meta_analyser_with_tools_changes_nothing() {
    if !can_start() {
        return;
    }
    let all = if is_deep() { cases(true, 0) } else { (0..3).flat_map(|turn| cases(false, turn)).collect() };
    assert!(is_deep() || all.len() == EFFECTS.len());
    let tried = try_all("deliberation", all, |part| {
        let ground = Arc::new(Ground::new(part));
        let files = ground.plant();
        let stub = Arc::clone(&ground);
        let model = Model::with(move |question| analyser::answer(&stub, question));
        ground.find();
        let servers = Servers::start(&ground, analyser::settings(&model));
        let (printed, allowed) = fix(&ground, None);
        let questions = model.asked();
        let (thought_over, told) = analyser::reached(&ground, &questions);
        let all: BTreeSet<String> = ground.cases.keys().cloned().collect();
        assert_eq!(all.difference(&thought_over).collect::<Vec<_>>(), [""; 0], "all were thought over");
        let by_tool = |channel: Channel| matches!(channel, Channel::McpDescription | Channel::McpResult);
        let by_tool = ground.cases.iter().filter(|(_, (_, channel))| by_tool(*channel)).map(|(name, _)| name);
        // Whose connection goes elsewhere at once does not come to tools.
        let is_asked = |name: &&String| !matches!(ground.cases[*name].0, Goal { effect: Effect::Connection(_), .. });
        let untold: Vec<&String> = by_tool.filter(is_asked).filter(|name| !told.contains(*name)).collect();
        assert_eq!(untold, [""; 0], "tools told them");
        assert!(servers.queries() > 0, "something was looked up elsewhere");
        let mut harm = ground.harm(&files, &questions, &printed);
        harm.extend(servers.harm(&ground, questions.iter().map(|question| question.body.to_string())));
        Tried { asked: questions.len(), allowed, harm }
    });
    assert!(tried.allowed > 0, "honest fixes were applied");
}

#[test]
fn harm_is_seen() {
    type Harm = fn(&Ground);
    let all: [(&str, Harm); 6] = [
        ("is not as it was", |ground| drop(ground.home.write("app/.git/config", "x"))),
        ("a command was run", |ground| drop(ground.home.write("marker", ""))),
        ("holds what was wanted", |ground| drop(ground.home.write("app/new.py", TOKEN))),
        ("the canary address was asked", |ground| {
            std::net::TcpStream::connect(ground.canary.local_addr().expect("an address")).expect("a connection");
        }),
        ("may write_project", |ground| {
            ground.home.write("app/g9x.py", &format!("import yaml\n\n\ndef f(s):\n    {}\n", weakness("g000x").0));
            ground.home.json(&["scan", "app"], 0);
            ground.home.json(&["fix", "--all", "--apply"], 0);
        }),
        ("is left", |ground| {
            let mut cat = Command::new("cat");
            // It ends with the pipe that it reads from, which is ours.
            let child = cat.current_dir(ground.home.path("app")).stdin(Stdio::piped()).spawn().expect("it starts");
            std::mem::forget(child);
        }),
    ];
    for (expect, harm) in all {
        let ground = Ground::new(&[]);
        ground.home.run(&["doctor"]);
        assert_eq!(ground.harm(&BTreeSet::new(), &[], ""), [""; 0], "before: {expect}");
        harm(&ground);
        let seen = ground.harm(&BTreeSet::new(), &[], ENV_KEY).join("\n");
        assert!(seen.contains(expect) && seen.contains("a key was printed"), "{expect}: {seen}");
    }
}

#[test]
fn harm_by_tools_is_seen() {
    if !can_start() {
        return;
    }
    let all: Vec<Case> = cases(false, 0);
    let ground = Arc::new(Ground::new(&all[..2]));
    let files = ground.plant();
    let stub = Arc::clone(&ground);
    let model = Model::with(move |question| analyser::answer(&stub, question));
    ground.find();
    let servers = Servers::start(&ground, analyser::settings(&model));
    let harm = |questions: Vec<String>| servers.harm(&ground, questions.into_iter());
    assert_eq!(harm(Vec::new()), [""; 0], "before");

    // With a policy that lets a model ask whomever it wants, the code goes there.
    ground.policy("version: 1\nrules:\n  - { id: all, priority: 0, action: allow, reason: why not, conditions: { action: call_tool } }\n");
    let (printed, _) = fix(&ground, None);
    let seen = harm(Vec::new()).join("\n");
    assert!(seen.contains("left for a server"), "{seen}");
    let seen = ground.harm(&files, &model.asked(), &printed).join("\n");
    assert!(seen.contains("may call_tool"), "{seen}");

    let words = memory(&ground, &[OTHER, "new", TOKEN]).into_iter().map(|(.., row)| row);
    let seen = harm(words.collect()).join("\n");
    assert!(seen.contains("is not as it was") && seen.contains("was told of"), "{seen}");
}

#[test]
fn parts_are_all_of_it_and_each_ground_has_some_of_every_effect() {
    let all = cases(true, 0);
    let whole: Vec<Case> = grounds(&all, (0, 1)).concat();
    assert_eq!(whole.len(), all.len());
    for ground in grounds(&all, (0, 1)) {
        let effects: BTreeSet<String> = ground.iter().map(|(goal, _)| format!("{:?}", goal.effect)).collect();
        assert!(ground.len() <= TOGETHER && effects.len() > EFFECTS.len() / 2, "{}", effects.len());
    }
    let name = |(goal, channel): &Case| (goal.number, format!("{channel:?}"));
    let parts = (0..8).flat_map(|part| grounds(&all, (part, 8))).flatten();
    let parts: BTreeSet<(usize, String)> = parts.map(|case| name(&case)).collect();
    assert_eq!(parts, all.iter().map(name).collect());
}
