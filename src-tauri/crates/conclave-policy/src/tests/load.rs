//! What a policy file may look like, and every way in which one is refused.

use super::request;
use crate::{Action, Effective, Layer, LoadError, NO_MATCH, Policy, parse_request};

const RULE: &str = "{ id: a, priority: 1, action: allow, reason: because";

fn file(rules: &str) -> String {
    format!("version: 1\nextends: none\nrules: [{rules}]\n")
}

fn load(rules: &str) -> Result<Policy, LoadError> {
    Policy::load(&file(rules), Layer::User).map(|loaded| loaded.policy)
}

#[test]
fn files_that_are_not_quite_right_are_refused_whole() {
    let form = [
        String::new(),
        "version: 1".to_owned(),
        "[]".to_owned(),
        "version: 1\nversion: 1\nrules: []".to_owned(),
        "version: 1\nrules: []\nextra: true".to_owned(),
        "version: one\nrules: []".to_owned(),
        "version: 1\nextends: nothing\nrules: []".to_owned(),
        "version: 1\nrules: []\n---\nversion: 1\nrules: []".to_owned(),
        file("a"),
        file(&format!("{RULE}, priority: 2 }}")),
    ];
    for text in form {
        assert!(matches!(Policy::load(&text, Layer::User), Err(LoadError::Form(_))), "{text}");
    }
    assert!(matches!(Policy::load("version: 2\nrules: []", Layer::User), Err(LoadError::Version(2))));
    assert!(matches!(load(&format!("{RULE} }}, {RULE} }}")), Err(LoadError::Duplicate(id)) if id == "a"));
    for layer in [Layer::Floor, Layer::Admin, Layer::Project] {
        assert!(matches!(Policy::load("version: 1\nextends: none\nrules: []", layer), Err(LoadError::Form(_))));
    }
}

#[test]
fn what_is_wrong_with_a_file_is_said_in_words_of_its_own() {
    let cases = [
        (String::new(), "it is empty; a policy file has `version: 1`"),
        ("hello".to_owned(), "it holds no keys; a policy file has"),
        ("version: 1\nrules: [".to_owned(), "this is not YAML: line 2 column 8"),
        ("version: 1\nversion: 1\nrules: []".to_owned(), "the key `version` stands there twice"),
        ("version: 1\nrule: []".to_owned(), "did you mean `rules`?"),
        ("version: one\nrules: []".to_owned(), "write `version: 1`"),
        ("version: 9\nrules: []".to_owned(), "update Conclave"),
        ("version: 1\nextends: strikt\nrules: []".to_owned(), "did you mean `strict`?"),
        ("version: 1\nextends: [strict]\nrules: []".to_owned(), "`extends` is not a text"),
        ("version: 1".to_owned(), "`rules` is missing"),
        ("version: 1\nrules: hello".to_owned(), "`rules` is not a list"),
        (file(&format!("{RULE} }}, hello")), "rule 2: it holds no keys"),
        (file("{ priority: 1, action: allow, reason: because }"), "rule 1: a rule needs an `id`"),
        (file("{ id: '', priority: 1, action: allow, reason: because }"), "rule 1: a rule needs an `id`"),
        (file("{ idd: a, priority: 1, action: allow, reason: because }"), "rule 1: there is no part of a rule `idd`"),
        (file(&format!("{RULE} }}, {RULE} }}")), "two rules are called `a`; give one of them another id"),
    ];
    for (text, says) in cases {
        let error = Policy::load(&text, Layer::User).expect_err(&text).to_string();
        assert!(error.contains(says), "{text}\n  says: {error}");
        assert!(!error.contains("Options") && !error.contains("variant"), "{error}");
    }
}

#[test]
fn rules_that_mean_nothing_are_refused_with_what_is_wrong() {
    let with = |conditions: &str| format!("{RULE}, conditions: {conditions} }}");
    let cases = [
        (
            "{ id: a, priority: 1, action: permit, reason: because }".to_owned(),
            "there is no action `permit`; known are `allow`, `sample`, `deny`",
        ),
        (
            "{ id: a, priority: 1, action: alow, reason: because }".to_owned(),
            "there is no action `alow`; did you mean `allow`?",
        ),
        ("{ id: a, priority: 1, action: [allow], reason: because }".to_owned(), "`action` is not a text"),
        ("{ id: a, priority: 1, reason: because }".to_owned(), "`action` is missing"),
        ("{ id: a, priority: 1, action: allow, reason: [because] }".to_owned(), "`reason` is not a text"),
        (format!("{RULE}, enabled: 3 }}"), "`enabled` is `true` or `false`"),
        (format!("{RULE}, match: {{ }} }}"), "`match` is not a list"),
        ("{ id: a, priority: high, action: allow, reason: because }".to_owned(), "`priority` is \"high\""),
        ("{ id: a, priority: -1, action: allow, reason: because }".to_owned(), "`priority` is -1"),
        ("{ id: a, priority: 1000, action: allow, reason: because }".to_owned(), "from 0 to 999"),
        ("{ id: a, action: allow, reason: because }".to_owned(), "`priority` is missing"),
        ("{ id: a, priority: 1, action: allow }".to_owned(), "the reason is empty"),
        ("{ id: a, priority: 1, action: allow, reason: ' ' }".to_owned(), "the reason is empty"),
        (format!("{{ id: {NO_MATCH}, priority: 1, action: allow, reason: because }}"), "an `id` of its own"),
        (format!("{RULE}, reasons: because }}"), "did you mean `reason`?"),
        (with("{ tol: Bash }"), "did you mean `tool`?"),
        (with("{ all: [{ cwwd: /a }] }"), "did you mean `cwd`?"),
        (with("{ zzzzzzzz: 1 }"), "known are `action`"),
        (with("[]"), "an object of keys"),
        (with("{ actor: [] }"), "a text or a list of texts"),
        (with("{ actor: root }"), "not an actor"),
        (with("{ actor: 'analyst:' }"), "not an actor"),
        (with("{ action: read }"), "there is no action `read`"),
        (with("{ action: run_comand }"), "did you mean `run_command`?"),
        (with("{ tool: [] }"), "an empty list matches nothing"),
        (with("{ tool: {} }"), "says nothing"),
        (with("{ tool: { equals: a } }"), "there is no operator `equals`"),
        (with("{ tool: { rexeg: a } }"), "did you mean `regex`?"),
        (with("{ resource: { glob: '/a/[' } }"), "cannot be read"),
        (with("{ path: { regex: '(' } }"), "cannot be read"),
        (with("{ path: { regex: 'a(?=b)' } }"), "under `not:`"),
        (with("{ path: { regex: '(a)\\1' } }"), "cannot be read"),
        (with("{ path: { type: regexp, pattern: a } }"), "did you mean `regex`?"),
        (with("{ path: { type: glob, pattern: a, threshold: 1 } }"), "belong to the type `jsonpath`"),
        (with("{ tool: { within: project } }"), "only a path"),
        (with("{ access: execute }"), "there is no kind of access"),
        (with("{ domain: 'https://example.com' }"), "not a domain"),
        (with("{ domain: '*.example.com' }"), "not a domain"),
        (with("{ model_class: remote }"), "there is no model class"),
        (with("{ tier: hihg }"), "did you mean `high`?"),
        (with("{ data: sources }"), "did you mean `source`?"),
        (with("{ parameters: command }"), "name the parameters"),
        (with("{ parameters: { '$.a[': x } }"), "cannot be read"),
        (with("{ parameters: { $..a..b..c: x } }"), "2 times `..`"),
        (with("{ context: {} }"), "an object of names"),
        (with("{ command: { prog: ls } }"), "there is no part of `command`"),
        (with("{ command: '' }"), "an empty command"),
        (with("{ time_range: { start: '09:00' } }"), "`end` is missing"),
        (with("{ time_range: { start: '9:65', end: '10:00' } }"), "not a time of day"),
        (with("{ time_range: { start: '09:00', end: '09:00' } }"), "are the same"),
        (with("{ time_range: { start: '09:00', end: '10:00', timezone: Mars/Phobos } }"), "there is no time zone"),
        (with("{ time_range: { start: '09:00', end: '10:00', zone: UTC } }"), "there is no part of a time range"),
        (with("{ not: {} }"), "an empty condition"),
        (with("{ any: [] }"), "a list of conditions"),
        (with("{ any: { tool: a } }"), "a list of conditions"),
        (with(&format!("{}tool: a{}", "{ not: ".repeat(17) + "{ ", " }".repeat(18))), "16 deep"),
    ];
    for (rules, expect) in cases {
        match load(&rules) {
            Err(LoadError::Rule { rule, problem }) => {
                assert!(problem.contains(expect), "{rules}\n  says: {problem}\n  and not: {expect}");
                assert!(rule == "a" || rule == NO_MATCH, "{rule}");
            }
            other => panic!("{rules} gives {other:?}"),
        }
    }
    assert!(load(&with(&format!("{}{{ tool: a }}{}", "{ not: ".repeat(16), " }".repeat(16)))).is_ok());
}

#[test]
fn an_example_that_comes_out_differently_refuses_the_file() {
    let example = |list: &str, line: &str| {
        load(&format!("{RULE}, conditions: {{ action: read_file }}, {list}: [{{ actor: person, {line} }}] }}"))
    };
    assert!(example("match", "action: read_file").is_ok());
    assert!(example("no_match", "action: write_file").is_ok());
    for (list, wrong) in [
        ("match", "action: write_file"),
        ("no_match", "action: read_file"),
        ("match", "action: read"),
        ("match", "action: read_file, resourc: x"),
        ("match", "resource: x"),
    ] {
        assert!(matches!(example(list, wrong), Err(LoadError::Example { number: 1, .. })), "{list} {wrong}");
    }
}

#[test]
fn the_users_file_comes_before_what_it_extends_and_may_replace_it() {
    let decide = |text: &str, action: Action| {
        let policy = Policy::load(text, Layer::User).expect(text).policy;
        let decision = policy.evaluate(&request("engine", action, "x", &[]), 0);
        (decision.effect, decision.rule)
    };
    let with = |extends: &str, rule: &str| format!("version: 1\n{extends}\nrules: [{rule}]");
    let late = "{ id: mine, priority: 999, action: deny, reason: mine, conditions: { action: read_file } }";
    for extends in ["", "extends: default", "extends: strict", "extends: offline"] {
        assert_eq!(decide(&with(extends, late), Action::ReadFile), (Effective::Deny, "mine".to_owned()));
        assert_eq!(decide(&with(extends, late), Action::ReadProject), (Effective::Allow, "read-project".to_owned()));
    }
    assert_eq!(decide(&with("extends: none", late), Action::ReadProject).1, NO_MATCH);
    let replaced = "{ id: read-project, priority: 1, action: deny, reason: mine, enabled: false }";
    assert_eq!(decide(&with("", replaced), Action::ReadProject).1, NO_MATCH);
    let offline = decide(&with("extends: offline", late), Action::SendHttp);
    assert_eq!(offline, (Effective::Deny, "offline".to_owned()));
}

#[test]
fn what_has_no_effect_is_said() {
    let warned = |text: &str, layer: Layer, expect: &str| {
        let warnings = Policy::load(text, layer).expect(text).warnings;
        assert!(warnings.len() == 1 && warnings[0].contains(expect), "{text}: {warnings:?}");
    };
    warned(&format!("version: 1\nrules: [{RULE} }}]"), Layer::Project, "a project cannot allow");
    warned(
        &file("{ id: a, priority: 1, action: deny, reason: r, inference_provider: person }"),
        Layer::User,
        "samples",
    );
    warned(&file(&format!("{RULE}, conditions: {{ path: '/a/**' }} }}")), Layer::User, "write `glob:`");
    warned(&file(&format!("{RULE}, conditions: {{ tool: 'Bash|Write' }} }}")), Layer::User, "no tool is called");
    assert_eq!(Policy::load(&file(&format!("{RULE} }}")), Layer::User).unwrap().warnings, Vec::<String>::new());
}

#[test]
fn a_project_can_make_the_policy_stricter_in_its_folder_and_nothing_else() {
    let allow_all = format!("version: 1\nrules: [{RULE} }}]");
    let deny =
        "version: 1\nrules: [{ id: d, priority: 9, action: deny, reason: private, conditions: { action: read_file } }]";
    let shielded = format!("version: 1\nrules: [{RULE} }}, {{ id: d, priority: 9, action: deny, reason: private }}]");
    let base = |rules: &str| load(rules).expect("loads");
    let decide = |base: &Policy, project: &str, action, place| {
        let project = Policy::load(project, Layer::Project).expect("loads").policy.scoped("/home/ada/shop");
        base.clone().and(project).evaluate(&request("person", action, place, &[]), 0).rule
    };
    let (nothing, everything) = (base(""), base("{ id: all, priority: 1, action: allow, reason: mine }"));
    let here = "/home/ada/shop/x";
    assert_eq!(decide(&nothing, &allow_all, Action::ReadFile, here), NO_MATCH);
    assert_eq!(decide(&everything, &allow_all, Action::ReadFile, here), "all");
    assert_eq!(decide(&everything, deny, Action::ReadFile, here), "d");
    assert_eq!(decide(&everything, deny, Action::ReadFile, "/home/ada/shop"), "d");
    assert_eq!(decide(&everything, deny, Action::WriteFile, here), "all");
    assert_eq!(decide(&everything, &shielded, Action::ReadFile, here), "d", "an ignored allow shields nothing");
    for elsewhere in ["/home/ada/shop2/x", "/home/ada", "/home/ada/shop/../x", "shop/x"] {
        assert_eq!(decide(&everything, deny, Action::ReadFile, elsewhere), "all", "{elsewhere}");
    }
    let scoped = everything.clone().and(Policy::load(deny, Layer::Project).unwrap().policy.scoped("/home/ada/shop"));
    for about in [
        "project: /home/ada/shop",
        "tool: x, cwd: /home/ada/shop/src",
        "reads: [/tmp/a, /home/ada/shop/a]",
        "paths: [{ given: a, real: null, access: read }]",
    ] {
        let request = parse_request(&format!("{{ actor: person, action: read_file, {about} }}")).expect(about);
        assert_eq!(scoped.evaluate(&request, 0).rule, "d", "{about}");
    }
}

#[test]
fn a_policy_that_cannot_be_used_refuses_what_it_is_about() {
    let shipped = Policy::shipped(crate::Mode::Default);
    let broken = shipped.clone().and(Policy::refuse_all(Layer::Project, "`policy.yaml` cannot be read").scoped("/p"));
    let decide = |policy: &Policy, place| policy.evaluate(&request("person", Action::ReadFile, place, &[]), 0);
    let denied = decide(&broken, "/p/a");
    assert_eq!((denied.effect, denied.reason.as_str()), (Effective::Deny, "`policy.yaml` cannot be read"));
    assert_eq!(decide(&broken, "/q/a").effect, Effective::Allow);
    let all = shipped.and(Policy::refuse_all(Layer::User, "x"));
    assert_eq!(decide(&all, "/q/a").effect, Effective::Deny);
}

#[test]
fn a_digest_changes_with_anything_about_a_rule() {
    let rule = |rest: &str| load(&format!("{RULE}{rest} }}")).unwrap();
    let plain = rule("");
    assert_eq!(plain.digest(), rule("").digest());
    assert_ne!(plain.digest(), plain.clone().scoped("/p").digest());
    let others =
        [", enabled: false", ", conditions: { tool: a }", ", conditions: { tool: b }", ", sampling_guidance: g"];
    let digests: std::collections::BTreeSet<String> = others.iter().map(|rest| rule(rest).digest()).collect();
    assert!(digests.len() == others.len() && !digests.contains(&plain.digest()));
}

#[test]
fn the_documents_show_no_rule_that_cannot_match() {
    let documents = [
        include_str!("../../../../../README.md"),
        include_str!("../../../../../docs/policy.md"),
        include_str!("../../../../../docs/settings.md"),
    ];
    let blocks = documents.iter().flat_map(|text| text.split("```yaml\n").skip(1)).map(|rest| rest.split("```").next());
    let policies: Vec<&str> = blocks.flatten().filter(|block| block.contains("rules:")).collect();
    assert!(policies.len() >= 2, "the documents show policies");
    for text in policies {
        let loaded = Policy::load(text, Layer::User).unwrap_or_else(|error| panic!("{error}\n{text}"));
        assert_eq!(loaded.warnings, [""; 0], "{text}");
    }
}

/// A search that goes back and forth would never come to an end here.
#[test]
fn a_pattern_made_to_run_for_ever_is_judged() {
    let tool = format!("{}!", "a".repeat(50_000));
    let request = parse_request(&format!("{{ actor: 'agent:x', tool: '{tool}' }}")).unwrap();
    for pattern in ["^(a+)+$", "^(a|a)*$", "^(a|aa)+$", "^(.*a){12}$"] {
        let policy = load(&format!("{RULE}, conditions: {{ tool: {{ regex: '{pattern}' }} }} }}")).unwrap();
        assert_eq!(policy.evaluate(&request, 0).rule, NO_MATCH, "{pattern}");
    }
    let long = format!("{RULE}, conditions: {{ tool: {{ regex: '{}' }} }} }}", "a".repeat(1001));
    assert!(load(&long).is_err(), "a pattern has a longest length");
}

#[test]
fn conditions_are_described_as_they_are_written() {
    let text =
        "{ tool: [Bash, Read], parameters: { command: { regex: '^a b' } }, not: { cwd: /a }, context: { n: 5 } }";
    let policy = load(&format!("{RULE}, conditions: {text} }}")).unwrap();
    let described = policy.rules().next().unwrap().describes();
    assert_eq!(
        described,
        "tool: [Bash, Read], parameters: { command: { regex: \"^a b\" } }, not: { cwd: /a }, context: { n: 5 }"
    );
    assert_eq!(load(&format!("{RULE} }}")).unwrap().rules().next().unwrap().describes(), "");
}
