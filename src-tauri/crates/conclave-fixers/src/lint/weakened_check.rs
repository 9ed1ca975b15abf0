//! A check is gone, lets more through, or is walked around.
//!
//! Conditions are compared as texts over the whole file, so that a check may move. What matters is which way a condition
//! leans: one that refuses has to keep all of its reasons, one that admits has to keep all of its demands.

use std::collections::BTreeSet;

use conclave_core::smell::{Smell, SmellKind};

use super::pair::{Counts, Pair, Side, gained, short, speaks_of, squeezed};
use crate::syntax::Node;

/// Parts of the names of calls, decorators and arguments that check something.
const CHECKS: [&str; 26] = [
    "check",
    "validat",
    "verif",
    "authori",
    "authent",
    "require",
    "ensure",
    "enforce",
    "permission",
    "login",
    "csrf",
    "csurf",
    "helmet",
    "ratelimit",
    "rate_limit",
    "limiter",
    "assert",
    "has_role",
    "hasrole",
    "is_admin",
    "isadmin",
    "protect",
    "secured",
    "rolesallowed",
    "compare_digest",
    "timingsafeequal",
];
/// Annotations of Java that demand something of a value or a caller.
const ANNOTATIONS: [&str; 12] = [
    "PreAuthorize",
    "PostAuthorize",
    "Secured",
    "RolesAllowed",
    "Valid",
    "Validated",
    "NotNull",
    "NotBlank",
    "Size",
    "Pattern",
    "Max",
    "Min",
];
/// Words of a condition that lead around a check.
const AROUND: [&str; 13] = [
    "testing",
    "production",
    "node_env",
    "bypass",
    "skip",
    "debug",
    "trusted",
    "internal",
    "backdoor",
    "localhost",
    "127.0.0.1",
    "disable",
    "unsafe",
];
const ALWAYS: [&str; 12] =
    ["True", "true", "False", "false", "1", "0", "None", "null", "not True", "not False", "!true", "!false"];
/// How a statement begins that only speaks of something.
const SPEAKS: [&str; 7] = ["print", "log", "LOG", "console.", "System.", "warnings.", "pass"];

/// Parts of the words of a condition that somebody has to meet.
pub(super) const GUARDS: [&str; 22] = [
    "user", "auth", "role", "admin", "permi", "allow", "valid", "verif", "safe", "token", "owner", "csrf", "secret",
    "sign", "trust", "access", "login", "session", "secure", "check", "may", "hash",
];

/// A condition with what follows from it.
struct Condition {
    text: String,
    /// Whether it decides what runs, and is no value by itself.
    asks: bool,
    /// Whether it is an assertion.
    asserted: bool,
    /// Whether what it holds for is refused.
    refuses: bool,
    /// The first statement that it leads to.
    leads_to: String,
    atoms: Vec<String>,
    /// `and` or `or` at the top.
    joined: Option<&'static str>,
    /// How many other conditions stand around it.
    depth: usize,
}

impl Condition {
    /// Whether it speaks of who or what may pass.
    fn guards(&self) -> bool {
        self.asserted || speaks_of(&self.text, &GUARDS)
    }
}

pub(super) fn run(pair: &Pair<'_>) -> Vec<Smell> {
    let (before, after) = (conditions(&pair.before), conditions(&pair.after));
    let mut smells = Vec::new();
    let mut add = |what: String| smells.push(pair.gone(SmellKind::WeakenedCheck, &what));
    let lost = without(&before, &after);
    let new = without(&after, &before);
    let mut matched = vec![false; new.len()];
    for old in &lost {
        let best = new.iter().enumerate().filter(|(at, _)| !matched[*at]).max_by_key(|(_, other)| shared(old, other));
        // A refusal that asks for something else than before is another one.
        let partner = best.filter(|(_, other)| match old.refuses {
            true => 3 * shared(old, other) > words(&old.text).len() || same_set(&old.text, &other.text),
            false => shared(old, other) > 0 || other.leads_to == old.leads_to,
        });
        match partner {
            Some((at, other)) => {
                matched[at] = true;
                if let Some(how) = leans(old, other) {
                    add(format!("`{}` became `{}`: {how}", short(&old.text), short(&other.text)));
                }
            }
            None if old.refuses => add(format!("`{}` is no longer refused", short(&old.text))),
            None if old.guards() && !old.leads_to.is_empty() && pair.after.code.contains(&old.leads_to) => {
                add(format!("`{}` is no longer asked", short(&old.text)));
            }
            None => {}
        }
    }
    for (_, one) in new.iter().enumerate().filter(|(at, _)| !matched[*at]) {
        if let Some(what) = hollow(one, pair) {
            add(format!("`{}` {what}", short(&one.text)));
        }
    }
    for one in &after {
        let same = before.iter().filter(|other| other.text == one.text).collect::<Vec<_>>();
        if !same.is_empty() && one.refuses && same.iter().all(|other| other.depth < one.depth) {
            add(format!("`{}` is asked only sometimes", short(&one.text)));
        }
    }
    if let Some(one) =
        new.iter().find(|one| speaks_of(&one.text, &AROUND) && !speaks_of(&pair.before.code, &around_words(&one.text)))
    {
        add(format!("`{}` leads around what follows", short(&one.text)));
    }
    for (name, _) in missing_checks(pair) {
        add(format!("`{}` no longer checks", short(&name)));
    }
    smells
}

fn around_words(text: &str) -> Vec<&'static str> {
    AROUND.into_iter().filter(|word| text.to_lowercase().contains(word)).collect()
}

/// The conditions of a text.
fn conditions(side: &Side<'_>) -> Vec<Condition> {
    let mut found = Vec::new();
    for node in &side.nodes {
        let (condition, refuses, leads_to) = match node.kind().as_ref() {
            "if_statement" | "elif_clause" => {
                let Some(condition) = node.field("condition") else { continue };
                let then = node.field("consequence");
                let refuses = then.as_ref().is_some_and(refuses);
                let first = then.map(|then| first_statement(&then)).unwrap_or_default();
                (condition, refuses, first)
            }
            "while_statement" | "for_statement" => {
                let Some(condition) = node.field("condition") else { continue };
                (condition, false, "loop".to_owned())
            }
            "conditional_expression" | "ternary_expression" => {
                let parts = node.parts();
                let condition = node.field("condition").or_else(|| parts.get(1).cloned());
                let Some(condition) = condition else { continue };
                (condition, false, String::new())
            }
            "assert_statement" => {
                let Some(condition) = node.parts().into_iter().next() else { continue };
                (condition, false, "assert".to_owned())
            }
            "return_statement" => {
                let Some(value) = node.parts().into_iter().next().filter(is_condition) else { continue };
                (value, false, "return".to_owned())
            }
            _ => continue,
        };
        let bare = bare(condition);
        let (atoms, joined) = atoms(&bare);
        let depth = node
            .ancestors()
            .filter(|around| around.is(&["if_statement", "try_statement", "elif_clause", "else_clause"]))
            .count();
        found.push(Condition {
            text: squeezed(&bare),
            asks: node.is(&["if_statement", "elif_clause"]),
            asserted: node.is(&["assert_statement"]),
            refuses,
            leads_to,
            atoms,
            joined,
            depth,
        });
    }
    found
}

pub(super) fn bare(mut node: Node<'_>) -> Node<'_> {
    while node.is(&["parenthesized_expression"]) {
        match node.parts().into_iter().next() {
            Some(inner) => node = inner,
            None => break,
        }
    }
    node
}

pub(super) fn is_condition(node: &Node<'_>) -> bool {
    let operator = |node: &Node<'_>| node.field("operator").map(|operator| operator.text().into_owned());
    node.is(&["boolean_operator", "comparison_operator", "not_operator"])
        || (node.is(&["binary_expression"])
            && operator(node).is_some_and(|op| {
                matches!(op.as_str(), "&&" | "||" | "==" | "===" | "!=" | "!==" | "<" | ">" | "<=" | ">=")
            }))
        || (node.is(&["unary_expression"]) && operator(node).is_some_and(|op| op == "!"))
}

/// Whether a block ends in a refusal.
pub(super) fn refuses(block: &Node<'_>) -> bool {
    let statements = if block.is(&["block", "statement_block"]) { block.parts() } else { vec![block.clone()] };
    let Some(last) = statements.last() else { return false };
    let text = last.text();
    let calls = ["abort(", "exit(", "sys.exit(", "fail(", "next(", "reject(", "flash(", "process.exit("];
    last.is(&["return_statement", "raise_statement", "throw_statement", "continue_statement", "break_statement"])
        || calls.iter().any(|call| text.trim_start().starts_with(call))
        || text.contains(".status(4")
        || text.contains("sendError(")
        || text.contains("sendStatus(4")
}

fn first_statement(block: &Node<'_>) -> String {
    let first =
        if block.is(&["block", "statement_block"]) { block.parts().into_iter().next() } else { Some(block.clone()) };
    first.map(|first| first.text().lines().next().unwrap_or_default().trim().to_owned()).unwrap_or_default()
}

/// What a condition is made of, and how it is joined at the top.
fn atoms(condition: &Node<'_>) -> (Vec<String>, Option<&'static str>) {
    let join = |node: &Node<'_>| -> Option<&'static str> {
        let operator = node.field("operator").filter(|_| node.is(&["boolean_operator", "binary_expression"]))?;
        match operator.text().as_ref() {
            "and" | "&&" => Some("and"),
            "or" | "||" => Some("or"),
            _ => None,
        }
    };
    let top = join(condition);
    let (mut open, mut atoms) = (vec![condition.clone()], Vec::new());
    while let Some(node) = open.pop() {
        let node = bare(node);
        match join(&node).filter(|joined| Some(*joined) == top) {
            Some(_) => open.extend(node.field("right").into_iter().chain(node.field("left"))),
            None => atoms.push(squeezed(&node)),
        }
    }
    (atoms, top)
}

/// The conditions of `these` that `others` have not, each as often as it is there more.
fn without<'c>(these: &'c [Condition], others: &[Condition]) -> Vec<&'c Condition> {
    let key = |one: &Condition| (one.text.clone(), one.asserted, one.refuses);
    let mut left: Vec<_> = others.iter().map(key).collect();
    let mut found = Vec::new();
    for one in these {
        match left.iter().position(|other| *other == key(one)) {
            Some(at) => {
                left.swap_remove(at);
            }
            None => found.push(one),
        }
    }
    found
}

/// How many words of `one` stand in `other` too.
fn shared(one: &Condition, other: &Condition) -> usize {
    let theirs = words(&other.text);
    words(&one.text).iter().filter(|word| theirs.contains(*word)).count()
}

/// Whether two conditions ask whether something is among the same things.
fn same_set(one: &str, other: &str) -> bool {
    let set = |text: &str| text.rsplit_once(" in ").map(|(_, set)| set.to_owned());
    set(one).is_some_and(|asked| set(other) == Some(asked))
}

/// The names and texts of a condition, each once.
fn words(text: &str) -> BTreeSet<&str> {
    let word = |word: &&str| word.len() > 1 && !["not", "and", "or", "is", "in", "None", "null"].contains(word);
    text.split(|c: char| !c.is_alphanumeric() && c != '_').filter(word).collect()
}

/// A condition without its negations, and whether they turn it around.
fn without_negations(text: &str) -> (String, bool) {
    let unequal = text.matches("!=").count();
    let plain = text.replace("!=", "==");
    let words = plain.split(|c: char| c.is_whitespace() || "()".contains(c));
    let (mut kept, mut negations) = (String::new(), unequal);
    for word in words.filter(|word| !word.is_empty()) {
        let bare = word.trim_start_matches('!');
        negations += word.len() - bare.len() + usize::from(bare == "not");
        if bare != "not" {
            kept.push_str(bare);
        }
    }
    (kept, negations % 2 == 1)
}

/// Whether two conditions differ in nothing but names that became something fixed.
fn emptied(old: &str, new: &str) -> bool {
    let tokens = |text: &str| {
        let token = |part: &str| part.trim().to_owned();
        text.split(|c: char| "(), ".contains(c)).map(token).filter(|part| !part.is_empty()).collect::<Vec<_>>()
    };
    let (was, is) = (tokens(old), tokens(new));
    let fixed = ["None", "null", "undefined", "True", "true", "False", "false", "''", "\"\"", "0", "1"];
    let mut differ = was.iter().zip(&is).filter(|(one, other)| one != other).peekable();
    was.len() == is.len() && differ.peek().is_some() && differ.all(|(_, other)| fixed.contains(&other.as_str()))
}

/// Whether a condition holds, or fails, whatever happens.
fn is_fixed(one: &Condition) -> bool {
    // A loop that ends by itself is everyday code, one that never begins is not.
    if one.leads_to == "loop" {
        return one.atoms.iter().any(|atom| matches!(atom.as_str(), "False" | "false" | "0"));
    }
    one.atoms.iter().any(|atom| ALWAYS.contains(&atom.as_str()))
}

/// Why a new condition is none.
fn hollow(one: &Condition, pair: &Pair<'_>) -> Option<&'static str> {
    if is_fixed(one) {
        return Some("depends on nothing");
    }
    if one.asserted {
        return Some("can be switched off, as every assertion");
    }
    let squeezed: String = one.text.split_whitespace().collect();
    if squeezed.contains("not(not") || squeezed.contains("!(!") {
        return Some("says no twice");
    }
    if one.refuses || !one.asks {
        return None;
    }
    let target = one.leads_to.split_once(" = ").map(|(name, _)| name.rsplit(' ').next().unwrap_or(name));
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let reads = |name: &str| pair.after.code.split(|c| !is_word(c)).filter(|word| *word == name).count();
    if target.is_some_and(|name| name.chars().all(is_word) && reads(name) == 1) {
        return Some("only sets what nobody reads");
    }
    let speaks = SPEAKS.iter().any(|word| one.leads_to.starts_with(word));
    (speaks && one.guards()).then_some("stops nothing")
}

/// Whether `new` lets more through than `old` did.
fn leans(old: &Condition, new: &Condition) -> Option<&'static str> {
    if is_fixed(new) && !is_fixed(old) {
        return Some("it no longer depends on anything");
    }
    let speaks = SPEAKS.iter().any(|word| new.leads_to.starts_with(word));
    if old.refuses && !new.refuses && (old.text == new.text || speaks) {
        return Some("it no longer stops anything");
    }
    let lacks = old.atoms.iter().any(|atom| !new.atoms.contains(atom));
    let whole = new.atoms.contains(&old.text);
    let keeps = whole || old.atoms.iter().all(|atom| new.atoms.contains(atom));
    let adds = new.atoms.iter().any(|atom| !old.atoms.contains(atom) && *atom != old.text);
    let part = new.atoms.iter().all(|atom| old.atoms.contains(atom)) && lacks;
    if part && (old.joined == Some("or")) == old.refuses && old.joined.is_some() {
        return Some(if old.refuses { "a reason to refuse is gone" } else { "a demand is gone" });
    }
    if keeps && adds && (old.refuses || old.guards()) {
        let loosens = if old.refuses { "and" } else { "or" };
        return (new.joined == Some(loosens)).then_some("it has a way out");
    }
    if old.refuses && new.asserted {
        return Some("an assertion can be switched off");
    }
    if emptied(&old.text, &new.text) {
        return Some("what it asks about is fixed");
    }
    let (was, is) = (without_negations(&old.text), without_negations(&new.text));
    if old.refuses == new.refuses && was.0 == is.0 && was.1 != is.1 {
        return Some("it is turned around");
    }
    let number = |text: &str| {
        let joined = text.replace('_', "");
        joined.split(|c: char| !c.is_ascii_digit()).filter_map(|n| n.parse::<u64>().ok()).next_back()
    };
    let frame = |text: &str| text.chars().filter(|c| !c.is_ascii_digit() && *c != '_').collect::<String>();
    match (number(&old.text), number(&new.text)) {
        (Some(was), Some(is)) if was != is && frame(&old.text) == frame(&new.text) => {
            let above = old.text.contains('>') == old.refuses;
            ((is > was) == above).then_some("its limit lets more through")
        }
        _ => None,
    }
}

/// Calls, decorators, annotations and arguments by their names that check, and are gone.
fn missing_checks(pair: &Pair<'_>) -> Vec<(String, usize)> {
    let checks = |side: &Side<'_>| {
        let mut counts = Counts::new();
        let mut add = |text: String| *counts.entry(text).or_default() += 1;
        for site in side.calls.iter().filter(|site| speaks_of(&site.name, &CHECKS)) {
            add(site.name.clone());
        }
        for node in &side.nodes {
            match node.kind().as_ref() {
                "decorator" if speaks_of(&node.text(), &CHECKS) => add(squeezed(node)),
                "marker_annotation" | "annotation" => {
                    let name = node.field("name").map(|name| name.text().into_owned()).unwrap_or_default();
                    if ANNOTATIONS.contains(&name.as_str()) {
                        add(format!("@{name}"));
                    }
                }
                "identifier" if speaks_of(&node.text(), &CHECKS) => {
                    let argument = node.parent().is_some_and(|parent| parent.is(&["arguments", "argument_list"]));
                    if argument {
                        add(node.text().into_owned());
                    }
                }
                _ => {}
            }
        }
        counts
    };
    let (was, is) = (checks(&pair.before), checks(&pair.after));
    let total = |counts: &Counts| counts.values().sum::<usize>();
    if total(&is) >= total(&was) { Vec::new() } else { gained(&is, &was) }
}
