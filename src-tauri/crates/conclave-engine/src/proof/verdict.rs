//! What two runs say about a fix; pure.

use conclave_core::evidence::CheckOutcome;
use conclave_fixers::{Proof, Returns, Sign};

use super::observe::{self, Call, Facts, Run, TestOutcome};

/// How an attack went on one side of a fix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Attack {
    /// It worked.
    Works,
    /// It ran and did nothing.
    Fails,
    /// The code itself is broken: it ended on a mistake of the program's own.
    Breaks(String),
    /// Nobody could see.
    Unseen(String),
}

/// The outcome of an attack before a fix and after it, and what to say about it.
pub(crate) fn red_green(before: &Attack, after: &Attack) -> (CheckOutcome, String) {
    use Attack::{Breaks, Fails, Unseen, Works};
    use CheckOutcome::{Fail, NotAvailable, Pass};
    match (before, after) {
        (Unseen(why), _) => (NotAvailable, why.clone()),
        (Breaks(why), _) => (NotAvailable, format!("the code breaks before the fix: {why}")),
        (Works, Fails) => (Pass, "the attack works before the fix and not after it".to_owned()),
        (Works, Works) => (Fail, "the attack still works after the fix".to_owned()),
        (Fails, Works) => (Fail, "the attack works only after the fix".to_owned()),
        (Works | Fails, Breaks(why)) => (Fail, format!("the code breaks after the fix: {why}")),
        (Works, Unseen(why)) => (NotAvailable, format!("after the fix, {why}")),
        (Fails, Fails | Unseen(_)) => (NotAvailable, "the proof does not reproduce the weakness here".to_owned()),
    }
}

/// What is raised by code that was written wrongly, whatever its input.
const MISTAKES: [&str; 5] = ["IndentationError", "NameError", "ReferenceError", "SyntaxError", "UnboundLocalError"];

/// What Python raises where a library is not installed.
const NOT_INSTALLED: &str = "ModuleNotFoundError";

/// What is raised where a stand-in of ours cannot do what code asks of it, or something is missing here.
const STUMBLES: [&str; 4] = ["AttributeError", "NotImplementedError", "TypeError", NOT_INSTALLED];

/// How the attack of `proof` went in `run`; `before` is the run before the fix, where this is the one after it.
pub(crate) fn attack(proof: &Proof, run: &Result<Run, String>, before: Option<&Run>) -> Attack {
    let Some(attack) = &proof.attack else {
        return Attack::Unseen("no input of an attacker comes to this place".to_owned());
    };
    let run = match run {
        Ok(run) => run,
        Err(why) => return Attack::Unseen(why.clone()),
    };
    let control = run.facts.get(observe::CONTROL);
    let mut stumble = None;
    for (number, value) in attack.values.iter().enumerate() {
        let name = observe::attack(number);
        let Some(facts) = run.facts.get(&name) else {
            return Attack::Unseen("an input of the proof was not tried".to_owned());
        };
        if worked(&attack.seen, value, facts, control) {
            return Attack::Works;
        }
        let Some(raised) = &facts.raised else { continue };
        let words = || format!("{raised}: {}", facts.message);
        if MISTAKES.contains(&raised.as_str()) {
            return Attack::Breaks(words());
        }
        let raised_before = before.and_then(|run| run.facts.get(&name)).and_then(|facts| facts.raised.as_ref());
        if before.is_some() && STUMBLES.contains(&raised.as_str()) && raised_before != Some(raised) {
            stumble = Some(Attack::Unseen(format!("the function does not get through here: {}", words())));
        }
    }
    stumble.unwrap_or(Attack::Fails)
}

/// What each input of the attack did on both sides, a line each.
pub(crate) fn account(proof: &Proof, sides: [(&str, &Result<Run, String>); 2]) -> String {
    let mut lines = Vec::new();
    for (side, run) in sides {
        let run = match run {
            Ok(run) => run,
            Err(why) => {
                lines.push(format!("{side}: {why}"));
                continue;
            }
        };
        let control = run.facts.get(observe::CONTROL);
        let Some(attack) = &proof.attack else { continue };
        for (number, value) in attack.values.iter().enumerate() {
            let Some(facts) = run.facts.get(&observe::attack(number)) else { continue };
            let did = if worked(&attack.seen, value, facts, control) { "worked" } else { "did nothing" };
            let raised = facts.raised.as_ref().map_or_else(String::new, |raised| format!(", raised {raised}"));
            lines.push(format!("{side}, input `{value}`: {did}{raised}"));
        }
    }
    lines.join("\n")
}

fn worked(sign: &Sign, value: &str, facts: &Facts, control: Option<&Facts>) -> bool {
    match sign {
        Sign::Marker => facts.marker,
        Sign::Rows => control.is_some_and(|control| facts.rows > control.rows),
        Sign::Statement => facts.statements.iter().any(|statement| statement.contains(value)),
        Sign::Markup => facts.html.iter().chain([&facts.returned]).any(|text| text.contains(value)),
        Sign::Repeated => {
            let gives = facts.raised.is_none() && !["NoneType", "undefined"].contains(&facts.kind.as_str());
            gives && facts.again.as_ref() == Some(&facts.returned)
        }
        Sign::Called { argument, is, unless } => facts.calls.iter().any(|call| {
            let given = call.arguments.get(argument);
            let among = |list: &[String]| given.is_some_and(|given| list.contains(given));
            if is.is_empty() { !among(unless) } else { among(is) }
        }),
    }
}

/// How the inputs that are no attack went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Benign {
    /// Each gave the same before and after; so many.
    Same(usize),
    /// One did not, in words.
    Differs(String),
    /// Nobody could see.
    Unseen(String),
}

/// The outcome of the benign inputs and of what callers meet; `change` is what became another for them.
pub(crate) fn behaviour(change: Option<&str>, benign: &Benign) -> (CheckOutcome, String) {
    match (change, benign) {
        (Some(change), _) => (CheckOutcome::Fail, format!("callers meet something else: {change}")),
        (None, Benign::Differs(how)) => (CheckOutcome::Fail, how.clone()),
        (None, Benign::Unseen(why)) => (CheckOutcome::NotAvailable, why.clone()),
        (None, Benign::Same(inputs)) => {
            let inputs =
                if *inputs == 1 { "a benign input gives".to_owned() } else { format!("{inputs} benign inputs give") };
            (CheckOutcome::Pass, format!("{inputs} the same before and after, and callers meet the same functions"))
        }
    }
}

/// How the benign inputs of `proof` went.
pub(crate) fn benign(proof: &Proof, before: &Result<Run, String>, after: &Result<Run, String>) -> Benign {
    let Some(benign) = &proof.benign else {
        return Benign::Unseen("no input is known for which a fix has to keep the result".to_owned());
    };
    let (before, after) = match (before, after) {
        (Err(why), _) => return Benign::Unseen(why.clone()),
        (_, Err(why)) => return Benign::Unseen(format!("after the fix, {why}")),
        (Ok(before), Ok(after)) => (before, after),
    };
    let mut got_through = false;
    for number in 0..benign.values.len() {
        let name = observe::benign(number);
        let (Some(was), Some(now)) = (before.facts.get(&name), after.facts.get(&name)) else {
            return Benign::Unseen("an input of the proof was not tried".to_owned());
        };
        if let Some(program) = was.missing.first() {
            return Benign::Unseen(format!("`{program}` is not installed here"));
        }
        if now.raised.as_deref() == Some(NOT_INSTALLED) && was.raised != now.raised {
            return Benign::Unseen(format!("after the fix, something is not installed here: {}", now.message));
        }
        got_through |= was.raised.is_none();
        if let Some(how) = difference(proof, benign.returns, was, now) {
            return Benign::Differs(how);
        }
    }
    let first = before.facts.get(&observe::benign(0));
    let raised = first.and_then(|facts| Some(format!("{}: {}", facts.raised.as_ref()?, facts.message)));
    match raised {
        Some(raised) if !got_through => {
            Benign::Unseen(format!("no benign input of the proof gets through the function: {raised}"))
        }
        _ => Benign::Same(benign.values.len()),
    }
}

/// The first difference that counts, in words.
fn difference(proof: &Proof, returns: Returns, was: &Facts, now: &Facts) -> Option<String> {
    if was.raised != now.raised {
        let words = |facts: &Facts| match &facts.raised {
            Some(raised) => format!("`{raised}`"),
            None => "no exception".to_owned(),
        };
        return Some(format!("a benign input raises {} where it raised {}", words(now), words(was)));
    }
    let by_value = returns == Returns::Value;
    let (result, instead) = if by_value { (&was.returned, &now.returned) } else { (&was.kind, &now.kind) };
    if result != instead {
        return Some(format!("a benign input gives `{}` where it gave `{}`", short(instead), short(result)));
    }
    let differs = [
        (was.runs != now.runs, "starts another program, or with other arguments"),
        (was.rows != now.rows, "reads or changes other rows"),
        (by_value && was.told != now.told, "answers something else"),
        (was.shown != now.shown, "shows something else"),
        (by_value && was.printed != now.printed, "prints something else"),
        (was.files != now.files, "leaves other files"),
        (calls(proof, was) != calls(proof, now), "calls other functions, or with other arguments"),
    ];
    let (_, what) = differs.into_iter().find(|(differs, _)| *differs)?;
    Some(format!("a benign input {what}"))
}

/// The watched calls without the argument that the fix is about.
fn calls(proof: &Proof, facts: &Facts) -> Vec<Call> {
    let mut calls = facts.calls.clone();
    if let Some(Sign::Called { argument, .. }) = proof.attack.as_ref().map(|attack| &attack.seen) {
        calls.iter_mut().for_each(|call| drop(call.arguments.remove(argument)));
    }
    calls
}

fn short(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(80).collect()
}

/// How a model's own test went on one side of its fix: as an attack, for the test asserts that there is none.
pub(crate) fn red_test(run: &Result<Run, String>, before: Option<&Run>) -> Attack {
    let run = match run {
        Ok(run) => run,
        Err(why) => return Attack::Unseen(why.clone()),
    };
    let ran = |run: &Run| -> Vec<String> {
        let counted = run.tests.iter().filter(|(_, outcome)| **outcome != TestOutcome::Skipped);
        counted.map(|(name, _)| name.clone()).collect()
    };
    let executed = ran(run);
    if executed.is_empty() {
        return Attack::Unseen("the test file ran no test".to_owned());
    }
    if before.is_some_and(|before| ran(before) != executed) {
        return Attack::Unseen("other tests ran than before the fix".to_owned());
    }
    let any = |wanted| run.tests.values().any(|outcome| *outcome == wanted);
    match () {
        () if any(TestOutcome::Failed) => Attack::Works,
        () if any(TestOutcome::Broken) => {
            Attack::Unseen("a test of the fix\u{2019}s author came to no assertion".to_owned())
        }
        () => Attack::Fails,
    }
}

#[cfg(test)]
mod tests;
