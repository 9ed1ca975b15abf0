//! What a plan says before anything is asked: who, for how much, how long, and what is left for later.

#![expect(clippy::disallowed_methods, reason = "tests stand in for the person's editor and for a model")]

use std::fs;
use std::net::TcpListener;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::*;
use crate::open::{Options, open};
use crate::{project, scan};

const WEAK: &str = "import yaml\n\n\ndef read(stream):\n    return yaml.load(stream)\n";

/// Conclave with `settings` over a project with a weakness in each of `files`.
async fn ground(settings: Value, files: &[&str]) -> (TempDir, Ctx, Vec<FindingId>) {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let options = Options { data_dir: data.clone(), offline: false };
    drop(open(&options).unwrap());
    fs::write(data.join("settings.json"), settings.to_string()).unwrap();
    fs::create_dir(folder.path().join("shop")).unwrap();
    for file in files {
        fs::write(folder.path().join("shop").join(file), WEAK).unwrap();
    }
    let (cx, _) = open(&options).unwrap();
    let project = project::add(&cx, &folder.path().join("shop"), false).unwrap();
    let found = scan::scan(&cx, &project, None).await.unwrap().findings;
    (folder, cx, found)
}

fn wish(findings: &[FindingId]) -> Wish {
    Wish { findings: findings.to_vec(), budget: None, most: None, parallel: 2 }
}

fn model(name: &str, price: Value) -> Value {
    json!({ "name": name, "base_url": "https://models.example/v1", "model": name, "may_send_code": true, "price": price })
}

/// `severity` is asked of `seats` for a minute.
fn tiers(seats: usize, cap: Value, on_demand: bool) -> Value {
    let tier = json!({ "seats": vec!["fast"; seats], "analysis_s": 60, "cap": cap, "on_demand": on_demand });
    ["critical", "high", "medium", "low", "note"].iter().map(|name| ((*name).to_owned(), tier.clone())).collect()
}

fn dollars(dollars: u64) -> Money {
    Money::from_micros(dollars * 1_000_000)
}

#[tokio::test]
async fn a_plan_says_who_takes_which_seat_for_how_much_and_asks_nobody() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let here = format!("http://{}/v1", listener.local_addr().unwrap());
    let models = [
        model("priced", json!({ "input": 0, "output": 1000 })),
        json!({ "name": "unpriced", "base_url": here, "model": "m" }),
        json!({ "name": "keyless", "base_url": "https://models.example/v1", "model": "o", "key_env": "CONCLAVE_NO_SUCH_KEY" }),
    ];
    let settings = json!({ "models": models, "tiers": tiers(4, json!(null), false) });
    let (_folder, cx, found) = ground(settings, &["a.py", "b.py", "c.py"]).await;
    let plan = plan(&cx, &wish(&found)).await.unwrap();
    assert_eq!((plan.chosen.len(), plan.deferred.len()), (3, 0), "{plan:#?}");
    assert_eq!(plan.analysis_s, 120, "three findings, two at a time, a minute each");
    let one = &plan.chosen[0];
    // An answer has room for 8192 tokens, and a quarter of that goes well.
    let each = Range { low: Money::from_micros(2_048_000), high: Money::from_micros(8_192_000) };
    assert_eq!(one.seats[0].taken, Taken::By("priced".to_owned(), Some(each)));
    assert_eq!(one.seats[1].taken, Taken::By("unpriced".to_owned(), None));
    let Taken::Nobody(keyless) = &one.seats[2].taken else { panic!("{one:#?}") };
    assert!(keyless.contains("CONCLAVE_NO_SUCH_KEY"), "{keyless}");
    let Taken::Nobody(free) = &one.seats[3].taken else { panic!("{one:#?}") };
    assert!(free.contains("2 of 4 seats"), "{free}");
    assert_eq!(one.cost, Cost { known: each, unknown: 1 });
    assert_eq!(plan.cost.unknown, 3);
    assert_eq!(plan.cost.known.high, Money::from_micros(3 * 8_192_000));
    assert_eq!(one.unpaid, ["Recipes"]);
    assert!(listener.accept().is_err(), "nobody has connected");
    assert_eq!(cx.store.open_jobs().unwrap(), [], "nothing waits");
}

#[tokio::test]
async fn what_does_not_fit_is_left_for_later_with_its_reason() {
    let models = [model("priced", json!({ "input": 0, "output": 1000 }))];
    let settings = json!({ "models": models, "tiers": tiers(1, json!(9), false) });
    let (folder, cx, found) = ground(settings, &["a.py", "b.py", "c.py", "d.py", "e.py"]).await;
    let [gone, waiting, ready, rest @ ..] = found.as_slice() else { panic!("five findings") };
    cx.store.enqueue(std::slice::from_ref(waiting), Effort::Usual, "", 1).unwrap();
    cx.store.set_status(ready, Status::FixReady, "", None).unwrap();
    let place = cx.store.finding(gone).unwrap().unwrap().finding.detection.location.unwrap().path;
    fs::remove_file(folder.path().join("shop").join(place.as_str())).unwrap();
    let limits = Wish { budget: Some(dollars(10)), ..wish(&found) };
    let all = plan(&cx, &limits).await.unwrap();
    let why = |id: &FindingId| all.deferred.iter().find(|deferred| deferred.finding.finding.id == *id).map(|d| &d.why);
    assert!(why(gone).is_some_and(|why| why.contains(place.as_str())), "{all:#?}");
    assert_eq!(why(waiting).unwrap(), "it waits or runs already");
    assert_eq!(why(ready).unwrap(), "a fix waits for you already");
    assert_eq!(all.chosen.len(), 1);
    let left = rest.iter().find_map(why).unwrap();
    assert_eq!(left, "it may cost $8.192, and $1.808 of the budget is left");

    let one = plan(&cx, &Wish { most: Some(1), ..wish(rest) }).await.unwrap();
    assert_eq!(one.deferred[0].why, "it comes after the 1 that were asked for");
}

#[tokio::test]
async fn a_budget_and_a_limit_of_the_tier_hold_for_what_is_known_and_what_is_not() {
    let models = [model("priced", json!({ "input": 0, "output": 1000 })), model("unpriced", json!(null))];
    let settings = json!({ "models": models, "tiers": tiers(2, json!(3), false) });
    let (_folder, cx, found) = ground(settings, &["a.py"]).await;
    let limited = plan(&cx, &Wish { budget: Some(dollars(100)), ..wish(&found) }).await.unwrap();
    assert_eq!(limited.deferred[0].why, "what it costs is not known, and there is a budget");
    let free = plan(&cx, &wish(&found)).await.unwrap();
    assert_eq!(free.cost.known.high, dollars(3), "a run never costs more than its tier lets it");
}

#[tokio::test]
async fn models_on_demand_are_planned_for_a_finding_by_itself_and_not_for_many() {
    let models = [model("priced", json!({ "input": 1, "output": 1 }))];
    let settings = |models: Value| json!({ "models": models, "tiers": tiers(1, json!(1), true) });
    let (_folder, cx, found) = ground(settings(json!(models)), &["a.py", "b.py"]).await;
    let many = plan(&cx, &wish(&found)).await.unwrap();
    assert_eq!((many.chosen.len(), many.deferred.len()), (0, 2));
    assert!(many.deferred[0].why.contains("only when it is run by itself"), "{many:#?}");
    assert_eq!(plan(&cx, &wish(&found[..1])).await.unwrap().chosen.len(), 1);

    let (_folder, cx, found) = ground(settings(json!([])), &["a.py", "b.py"]).await;
    let unpaid = plan(&cx, &wish(&found)).await.unwrap();
    assert_eq!((unpaid.chosen.len(), unpaid.cost, unpaid.analysis_s), (2, Cost::default(), 0), "recipes cost nothing");
}

#[test]
fn time_is_that_of_the_longest_line() {
    for (seconds, parallel, expect) in
        [(&[][..], 2, 0), (&[60], 4, 60), (&[120, 60, 60], 2, 120), (&[60, 60, 120], 2, 180), (&[5, 5], 0, 10)]
    {
        assert_eq!(lasts(seconds.iter().copied(), parallel), expect, "{seconds:?} by {parallel}");
    }
}
