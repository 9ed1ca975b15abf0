//! Every condition: what it matches, what it does not, and what it cannot judge.

use serde_json::{Value, json};

use crate::condition::read::Dialect;
use crate::facts::Facts;
use crate::load::{rule, yaml};
use crate::request::short;

/// `+` for a match, `-` for none, `!` for what cannot be judged; in a rule that allows and in one that denies.
fn judge(conditions: &str, request: &str) -> String {
    let conditions = yaml(conditions).unwrap_or_else(|error| panic!("{conditions}: {error}"));
    let request =
        yaml(&format!("{{ actor: 'agent:codex', {request} }}")).unwrap_or_else(|error| panic!("{request}: {error}"));
    let (request, at_ms) = short::read(&request).unwrap_or_else(|error| panic!("{request}: {error}"));
    let judge = |action: &str| {
        let written: Value =
            json!({ "id": "r", "priority": 1, "action": action, "reason": "r", "conditions": conditions });
        let rule = rule(written, Dialect::Native, &mut Vec::new()).unwrap_or_else(|error| panic!("{error}"));
        match rule.judge(&Facts::new(&request, at_ms.unwrap_or(0))) {
            Ok(true) => '+',
            Ok(false) => '-',
            Err(_) => '!',
        }
    };
    [judge("allow"), judge("deny")].iter().collect()
}

/// Rows of conditions, a request, and what a rule that allows and one that denies make of it.
fn check(rows: &[(&str, &str, &str)]) {
    for (conditions, request, expect) in rows {
        assert_eq!(judge(conditions, request), *expect, "{conditions} on {request}");
    }
}

#[test]
fn who_asks_and_what_for() {
    check(&[
        ("{ actor: 'agent:*' }", "tool: x", "++"),
        ("{ actor: [person, 'agent:codex'] }", "tool: x", "++"),
        ("{ actor: 'agent:Codex' }", "tool: x", "--"),
        ("{ actor: 'analyst:*' }", "tool: x", "--"),
        ("{ agent: codex }", "tool: x", "++"),
        ("{ agent: { regex: '^co' } }", "tool: x", "++"),
        ("{ action: call_tool }", "tool: x", "++"),
        ("{ action: [read_file, send_http] }", "tool: x", "--"),
        ("{ tool: x }", "tool: x", "++"),
        ("{ tool_name: [y, x] }", "tool: x", "++"),
        ("{ tool: x }", "tool: X", "--"),
        ("{ tool: x }", "action: read_file", "--"),
        ("{ tool: { neq: x } }", "action: read_file", "++"),
        ("{ tool: { glob: 'mcp__*' } }", "tool: mcp__a-b.c__d", "++"),
        ("{ tool: { glob: 'mcp__*' } }", "tool: mcp__a/b", "-+"),
        ("{ server: github }", "tool: x, server: github", "++"),
        ("{ server: { exists: false } }", "tool: x", "++"),
        ("{}", "tool: x", "++"),
    ]);
}

#[test]
fn parameters() {
    let call = "tool: x, parameters: { n: 5, s: text, l: [1, a], o: { k: { d: 7 } }, b: true, z: null, 'a/b': q }";
    let rows = [
        ("{ parameters: { n: 5 } }", "++"),
        ("{ parameters: { n: 5.0 } }", "++"),
        ("{ parameters: { n: '5' } }", "--"),
        ("{ parameters: { n: { gt: 4, lte: 5 } } }", "++"),
        ("{ parameters: { n: { gte: 6 } } }", "--"),
        ("{ parameters: { n: { lt: 5 } } }", "--"),
        ("{ parameters: { s: { gt: 1 } } }", "!!"),
        ("{ parameters: { l: { gt: 1 } } }", "!!"),
        ("{ parameters: { missing: { gt: 1 } } }", "--"),
        ("{ parameters: { missing: { exists: true } } }", "--"),
        ("{ parameters: { missing: { exists: false } } }", "++"),
        ("{ parameters: { missing: { neq: 1 } } }", "++"),
        ("{ parameters: { s: text } }", "++"),
        ("{ parameters: { s: TEXT } }", "--"),
        ("{ parameters: { s: { eq: TEXT, case_sensitive: false } } }", "++"),
        ("{ parameters: { s: { in: [a, text] } } }", "++"),
        ("{ parameters: { s: [a, text] } }", "++"),
        ("{ parameters: { s: { contains: ex } } }", "++"),
        ("{ parameters: { s: { contains: [no, EX], case_sensitive: false } } }", "++"),
        ("{ parameters: { l: { contains: a } } }", "++"),
        ("{ parameters: { l: { contains: 1 } } }", "++"),
        ("{ parameters: { l: { contains: b } } }", "--"),
        ("{ parameters: { o: { contains: k } } }", "++"),
        ("{ parameters: { n: { contains: 5 } } }", "!!"),
        ("{ parameters: { s: { size: 4 } } }", "++"),
        ("{ parameters: { l: { size: { gt: 1 } } } }", "++"),
        ("{ parameters: { o: { size: 1 } } }", "++"),
        ("{ parameters: { n: { size: 1 } } }", "!!"),
        ("{ parameters: { s: { regex: 'e.t' } } }", "++"),
        ("{ parameters: { s: { regex: '^E' } } }", "--"),
        ("{ parameters: { s: { regex: 'E.T', case_sensitive: false } } }", "++"),
        ("{ parameters: { n: { regex: '5' } } }", "++"),
        ("{ parameters: { l: { regex: 'a' } } }", "!!"),
        ("{ parameters: { z: { regex: 'a' } } }", "--"),
        ("{ parameters: { b: true } }", "++"),
        ("{ parameters: { s: { not: { regex: x$ } } } }", "++"),
        ("{ parameters: { s: { type: regex, pattern: 't$' } } }", "++"),
        ("{ parameters: { /o/k/d: 7 } }", "++"),
        ("{ parameters: { /a~1b: q } }", "++"),
        ("{ parameters: { /l/1: a } }", "++"),
        ("{ parameters: { a/b: q } }", "++"),
        ("{ parameters: { $.o.k.d: { gte: 7 } } }", "++"),
        ("{ parameters: { '$.l[*]': 1 } }", "-+"),
        ("{ parameters: { '$.l[*]': [1, a] } }", "++"),
        ("{ parameters: { $..d: 7 } }", "++"),
        ("{ parameters: { $.nothing: { exists: false } } }", "++"),
        ("{ parameters: { $.nothing: 1 } }", "--"),
        ("{ parameters: { o: { type: jsonpath, pattern: $.k.d, comparison: gt, threshold: 6 } } }", "++"),
        ("{ parameters: { type: jsonpath, pattern: $.o.k.d, comparison: neq, threshold: 6 } }", "++"),
        ("{ parameters: { n: 5, s: other } }", "--"),
        ("{ parameters: { n: { exists: true }, l: { regex: a }, s: other } }", "--"),
    ];
    for (conditions, expect) in rows {
        assert_eq!(judge(conditions, call), expect, "{conditions}");
    }
    assert_eq!(judge("{ parameters: { n: 5 } }", "action: read_file"), "--");
}

#[test]
fn paths_are_judged_one_by_one_and_by_what_they_really_are() {
    check(&[
        ("{ path: /a/b }", "tool: x, reads: /a/b", "++"),
        ("{ path: /a/b }", "tool: x, reads: [/a/b, /c]", "-+"),
        ("{ path: /a/b }", "tool: x", "--"),
        ("{ path: /a/b }", "tool: x, reads: /A/B", "-+"),
        ("{ path: { eq: /a/b, case_sensitive: true } }", "tool: x, reads: /A/B", "--"),
        ("{ not: { path: /a/b } }", "tool: x, reads: /A/B", "-+"),
        ("{ not: { path: /a/b } }", "tool: x, reads: [/a/b, /c]", "-+"),
        ("{ not: { path: /a/b } }", "tool: x", "++"),
        ("{ path: { glob: '/a/*' } }", "tool: x, reads: /a/b/c", "--"),
        ("{ path: { glob: '/a/**' } }", "tool: x, reads: /a/b/c", "++"),
        ("{ path: { glob: '/a/**' } }", "tool: x, reads: /a", "-+"),
        ("{ path: { glob: '/a/**' } }", "tool: x, reads: /ab/c", "--"),
        ("{ path: { glob: ['/z', '/a/{b,c}/[!x]?'] } }", "tool: x, reads: /a/c/yz", "++"),
        ("{ path: { glob: '/a\\*' } }", "tool: x, reads: /ab", "--"),
        ("{ path: { glob: '/a/**', not: { glob: '**/*.md' } } }", "tool: x, reads: [/a/x, /a/y.md]", "-+"),
        ("{ path: { within: project } }", "tool: x, project: /p, reads: [/p, /p/a]", "++"),
        ("{ path: { within: project } }", "tool: x, project: /p, reads: /pq", "--"),
        ("{ path: { within: project } }", "tool: x, project: /p, reads: /p/../q", "--"),
        ("{ path: { within: project } }", "tool: x, reads: /p/a", "--"),
        ("{ access: write }", "tool: x, reads: /a, writes: /b", "-+"),
        ("{ access: write, path: /a }", "tool: x, reads: /a, writes: /b", "--"),
        (
            "{ access: write, path: { not: { within: project } } }",
            "tool: x, project: /p, reads: /a, writes: /p/b",
            "--",
        ),
        ("{ path: /a }", "tool: x, paths: [{ given: /a, real: null, access: read }]", "!!"),
        ("{ path: /a }", "tool: x, reads: /a, paths: [{ given: q, real: null, access: read }]", "!+"),
        ("{ path: /b }", "tool: x, reads: /a, paths: [{ given: q, real: null, access: read }]", "-!"),
        ("{ path: /a, access: write }", "tool: x, paths: [{ given: /a, real: null, access: read }]", "--"),
        ("{ not: { path: /a } }", "tool: x, paths: [{ given: /a, real: null, access: read }]", "!!"),
        ("{ cwd: /w }", "tool: x, cwd: /w", "++"),
        ("{ cwd: { glob: '/w/**' } }", "tool: x, cwd: /w/a", "++"),
        ("{ cwd_pattern: '^/w' }", "tool: x, cwd: /w/a", "++"),
        ("{ cwd: /w }", "tool: x", "--"),
        ("{ resource: { glob: 'https://a.example/**' } }", "action: send_http, resource: 'https://a.example/v1'", "++"),
        (
            "{ resource: { glob: 'https://a.example/**' } }",
            "action: send_http, resource: 'https://a.example.evil/v1'",
            "--",
        ),
    ]);
}

#[test]
fn other_sides_models_and_what_is_sent() {
    let send = "action: send_http, context: { host: API.Example.com., model: big, model_class: hosted, \
                data: source finding, tier: high, cost_usd: 0.25, environment: '[\"PATH\", \"API_KEY\"]', odd: 7 }";
    let rows = [
        ("{ host: api.example.COM }", "++"),
        ("{ host: api.example.com. }", "++"),
        ("{ host: { glob: '*.example.com' } }", "++"),
        ("{ host: { regex: '^API' } }", "++"),
        ("{ host: example.com }", "--"),
        ("{ domain: example.com }", "++"),
        ("{ domain: Example.COM. }", "++"),
        ("{ domain: [example.org, com] }", "++"),
        ("{ domain: ample.com }", "--"),
        ("{ domain: v1.api.example.com }", "--"),
        ("{ model: big, model_class: hosted, tier: [high, critical] }", "++"),
        ("{ model_class: local }", "--"),
        ("{ data: source }", "-+"),
        ("{ data: [source, finding, metadata] }", "++"),
        ("{ data: secret }", "--"),
        ("{ not: { data: source } }", "-+"),
        ("{ not: { data: secret } }", "++"),
        ("{ cost: { lt: 0.3 } }", "++"),
        ("{ cost: { gt: 0.3 } }", "--"),
        ("{ environment: PATH }", "-+"),
        ("{ environment: { regex: 'KEY$' } }", "-+"),
        ("{ environment: { regex: '^[A-Z_]+$' } }", "++"),
        ("{ context: { odd: 7 } }", "++"),
        ("{ context: { odd: '7' } }", "++"),
        ("{ context: { odd: { gt: 6 }, model: big } }", "++"),
        ("{ context: { model: { gt: 6 } } }", "!!"),
        ("{ context: { missing: { neq: x } } }", "++"),
    ];
    for (conditions, expect) in rows {
        assert_eq!(judge(conditions, send), expect, "{conditions}");
    }
    check(&[
        ("{ data: source }", "action: send_http", "--"),
        ("{ domain: example.com }", "action: send_http", "--"),
        ("{ environment: A }", "action: send_http, context: { environment: '[1' }", "!!"),
    ]);
}

#[test]
fn commands_are_judged_one_by_one() {
    let rows = [
        ("{ command: ls }", "ls -l", "++"),
        ("{ command: ls }", "ls; rm x", "-+"),
        ("{ command: [ls, rm] }", "ls; rm x", "++"),
        ("{ command: ls }", "/bin/ls", "-+"),
        ("{ command: ls }", "A=1 ls", "-+"),
        ("{ command: ls }", "ls > a", "-+"),
        ("{ command: ls }", "echo ls", "--"),
        ("{ command: git status }", "git status --short", "++"),
        ("{ command: git status }", "git -C /x status", "-+"),
        ("{ command: git push -f }", "git push origin main --force", "--"),
        ("{ command: git push --force }", "git push origin main --force", "-+"),
        ("{ command: git push --force }", "git push origin main --force=x", "-+"),
        ("{ command: rm -rf }", "rm -f -r x", "-+"),
        ("{ command: rm -r }", "rm -xrf y", "-+"),
        ("{ command: rm -r }", "rm x", "--"),
        ("{ command: { program: { glob: 'mkfs*' } } }", "/sbin/mkfs.ext4 /dev/sda", "-+"),
        ("{ command: { arguments: { glob: '/etc/*' } } }", "cat a /etc/ssl/x", "-+"),
        ("{ command: { arguments: { glob: '/etc/*' } } }", "cat < /etc/passwd", "++"),
        ("{ command: { arguments: { not: { regex: '^/' } } } }", "ls", "+-"),
        ("{ command: { arguments: { not: { regex: '^/' } } } }", "ls a /b", "-+"),
        ("{ command: { read_only: true } }", "ls && cat a", "++"),
        ("{ command: { read_only: true } }", "ls && touch a", "-+"),
        ("{ command: ls }", "ls $(x)", "!!"),
        ("{ not: { command: ls } }", "ls $(x)", "!!"),
        ("{ command: { inspectable: false } }", "ls $(x)", "++"),
        ("{ command: { inspectable: true } }", "ls $(x)", "--"),
        ("{ command: { inspectable: true } }", "ls", "++"),
        ("{ command: ls, tool: other }", "ls $(x)", "--"),
        ("{ not: { command: { read_only: true } } }", "ls; touch a", "-+"),
    ];
    for (conditions, text, expect) in rows {
        let call = format!("tool: Bash, parameters: {}", json!({ "command": text }));
        assert_eq!(judge(conditions, &call), expect, "{conditions} on {text}");
    }
    check(&[
        ("{ command: ls }", "tool: x", "--"),
        ("{ not: { command: ls } }", "tool: x", "++"),
        ("{ command: ls }", "tool: x, parameters: { command: [ls, -l] }", "++"),
        ("{ command: rm }", "tool: x, parameters: { command: [bash, -lc, 'ls; rm x'] }", "-+"),
        ("{ command: ls }", "tool: x, parameters: { command: [ls, 'a; rm b'] }", "++"),
        ("{ command: ls }", "tool: x, parameters: { cmd: ls }", "++"),
        ("{ command: ls }", "tool: x, parameters: { cmd: ls, command: rm x }", "-+"),
        ("{ command: ls }", "tool: x, parameters: { command: { a: b } }", "!!"),
        ("{ command: ruff }", "action: run_command, context: { argv: '[\"ruff\", \"check\"]' }", "++"),
        ("{ command: ruff }", "action: run_command, context: { argv: 'ruff' }", "!!"),
    ]);
}

#[test]
fn times_of_day_in_their_zone() {
    let at = |time: &str| format!("tool: x, at: '2026-03-29T{time}Z'");
    let day = "{ time_range: { start: '09:00', end: '17:30', timezone: Europe/Berlin } }";
    let night = "{ time_range: { start: '22:00', end: '06:00' } }";
    for (conditions, time, expect) in [
        // Summer time began that morning: Berlin is two hours ahead.
        (day, "06:59:59", "--"),
        (day, "07:00:00", "++"),
        (day, "15:29:59", "++"),
        (day, "15:30:00", "--"),
        (night, "21:59:59", "--"),
        (night, "22:00:00", "++"),
        (night, "00:00:00", "++"),
        (night, "05:59:00", "++"),
        (night, "06:00:00", "--"),
        ("{ time_range: { start: '12:00', end: '24:00' } }", "23:59:59", "++"),
        ("{ not: { time_range: { start: '12:00', end: '24:00' } } }", "11:59:59", "++"),
    ] {
        assert_eq!(judge(conditions, &at(time)), expect, "{conditions} at {time}");
    }
}

#[test]
fn groups_settle_what_they_can() {
    let (yes, no, odd) = ("tool: x", "tool: y", "parameters: { l: { gt: 1 } }");
    let call = "tool: x, parameters: { l: [] }";
    let rows = [
        (format!("{{ all: [{{ {yes} }}, {{ {odd} }}] }}"), "!!"),
        (format!("{{ all: [{{ {odd} }}, {{ {no} }}] }}"), "--"),
        (format!("{{ AND: [{{ {yes} }}, {{ {yes} }}] }}"), "++"),
        (format!("{{ any: [{{ {odd} }}, {{ {yes} }}] }}"), "++"),
        (format!("{{ OR: [{{ {odd} }}, {{ {no} }}] }}"), "!!"),
        (format!("{{ not: {{ {odd} }} }}"), "!!"),
        (format!("{{ NOT: {{ {no} }} }}"), "++"),
        (format!("{{ {no}, {odd} }}"), "--"),
        (format!("{{ all: [{{ any: [{{ {no} }}, {{ not: {{ {no} }} }}] }}, {{ {yes} }}] }}"), "++"),
    ];
    for (conditions, expect) in rows {
        assert_eq!(judge(&conditions, call), expect, "{conditions}");
    }
}

#[test]
fn patterns_find_nothing_less_for_being_put_off() {
    // Each text is one that a plain search for part of the pattern might miss.
    check(&[
        ("{ tool: { regex: 'kilo', case_sensitive: false } }", "tool: \u{212a}ILO", "++"),
        ("{ tool: { regex: 'ſet', case_sensitive: false } }", "tool: set", "++"),
        ("{ tool: { regex: '(ab|cd)ef' } }", "tool: cdef", "++"),
        ("{ tool: { regex: 'a?bcd' } }", "tool: bcd", "++"),
        ("{ tool: { regex: '(?i)ABC' } }", "tool: xabcx", "++"),
        ("{ tool: { regex: '(?-i:ABC)', case_sensitive: false } }", "tool: ABC", "++"),
        ("{ tool: { regex: '' } }", "tool: x", "++"),
        ("{ tool: { glob: '**/a/**/b' } }", "tool: a/b", "++"),
        ("{ tool: { glob: '{a,b}c' } }", "tool: bc", "++"),
        ("{ tool: { glob: '*' } }", "tool: x", "++"),
        ("{ tool: { glob: 'a/**/b' } }", "tool: a/b", "++"),
        ("{ tool: { glob: 'a/**' } }", "tool: a/b", "++"),
        ("{ tool: { glob: 'ab*' } }", "tool: ac", "--"),
        ("{ tool: { glob: 'a\\*b' } }", "tool: a*b", "++"),
        ("{ tool: { regex: '^ab|cd' } }", "tool: xcd", "++"),
        ("{ tool: { regex: '^(?:ab)?cd' } }", "tool: cd", "++"),
        ("{ tool: { regex: '(?m)^ab' } }", "tool: \"x\\nab\"", "++"),
        ("{ tool: { regex: '^ABc', case_sensitive: false } }", "tool: abC", "++"),
        ("{ tool: { regex: '^ab' } }", "tool: xab", "--"),
        ("{ tool: { glob: 'É*', case_sensitive: false } }", "tool: 'e\u{301}t\u{e9}'", "++"),
        ("{ path: { regex: '\u{e9}$' } }", "tool: x, reads: \"/e\u{301}\"", "-+"),
    ]);
    let long = format!("tool: x, parameters: {}", json!({ "t": "a".repeat((1 << 20) + 1) }));
    assert_eq!(judge("{ parameters: { t: { regex: a } } }", &long), "!!");
    assert_eq!(judge("{ tool: { regex: '(\\w{100}){100}' } }", "tool: x"), "!!", "too large to be compiled");
}
