//! The dangerous call is still there, under another name or out of sight of a scanner.

use conclave_core::smell::{Smell, SmellKind};

use super::pair::{Counts, Pair, Side, Site, gained, short, squeezed};
use crate::syntax::Node;

/// Calls that are dangerous however they are given their arguments, by full name.
const SINKS: [&str; 34] = [
    "os.system",
    "os.popen",
    "eval",
    "exec",
    "compile",
    "builtins.eval",
    "builtins.exec",
    "pickle.loads",
    "pickle.load",
    "marshal.loads",
    "yaml.load",
    "yaml.unsafe_load",
    "hashlib.md5",
    "hashlib.sha1",
    "random.random",
    "random.randint",
    "random.choice",
    "tempfile.mktemp",
    "subprocess.getoutput",
    "subprocess.getstatusoutput",
    "commands.getoutput",
    "ssl._create_unverified_context",
    "child_process.exec",
    "child_process.execSync",
    "Function",
    "setTimeout",
    "document.write",
    "Math.random",
    "vm.runInNewContext",
    "vm.runInThisContext",
    "java.lang.Runtime.exec",
    "java.util.Random",
    "java.io.ObjectInputStream.readObject",
    "java.sql.Statement.executeQuery",
];
/// Ways to name something by a text.
const INDIRECT: [&str; 20] = [
    "getattr",
    "__import__",
    "importlib.import_module",
    "globals",
    "locals",
    "vars",
    "operator.methodcaller",
    "operator.attrgetter",
    "functools.partial",
    "Reflect.apply",
    "Reflect.get",
    "Reflect.construct",
    "java.lang.Class.forName",
    "forName",
    "getMethod",
    "getDeclaredMethod",
    "invoke",
    "findVirtual",
    "findStatic",
    "invokeExact",
];
/// Switches that a scanner looks for in a call.
const SWITCHES: [&str; 7] = ["shell", "verify", "autoescape", "Loader", "debug", "check_hostname", "weights_only"];
const SHELLS: [&str; 9] = ["sh", "bash", "dash", "zsh", "ksh", "cmd", "cmd.exe", "powershell", "pwsh"];

pub(super) fn run(pair: &Pair<'_>) -> Vec<Smell> {
    let mut smells = Vec::new();
    smells.extend(indirect(pair));
    smells.extend(computed(pair));
    smells.extend(another_name(pair));
    smells.extend(handed_on(pair));
    smells.extend(shell_by_name(pair));
    smells.extend(spread(pair));
    smells.extend(later(pair));
    smells.extend(as_value(pair));
    smells.extend(moved_inside(pair));
    smells
}

fn count<'t>(sites: &[Site<'t>], pick: impl Fn(&Site<'t>) -> Option<String>) -> Counts {
    let mut counts = Counts::new();
    for text in sites.iter().filter_map(pick) {
        *counts.entry(text).or_default() += 1;
    }
    counts
}

/// A call or a module is named by a text.
fn indirect(pair: &Pair<'_>) -> Vec<Smell> {
    let new = gained(&named(&pair.before), &named(&pair.after));
    new.iter().map(|(name, _)| pair.gone(SmellKind::HiddenSink, &format!("a call is made through `{name}`"))).collect()
}

fn named<'t>(side: &Side<'t>) -> Counts {
    count(&side.calls, |site: &Site<'t>| {
        let known = [site.written.as_str(), site.name.as_str()].iter().any(|name| INDIRECT.contains(name));
        ((known || site.means(&INDIRECT)) && leads_somewhere(side, site)).then(|| site.name.clone())
    })
}

/// Whether what is named by a text is called, or taken out of a module; reading a member of an object is everyday code.
fn leads_somewhere<'t>(side: &Side<'t>, site: &Site<'t>) -> bool {
    let parent = site.node.parent();
    let called =
        parent.as_ref().is_some_and(|parent| parent.field("function").is_some_and(|callee| callee == site.node));
    match site.name.as_str() {
        "getattr" => {
            let owner = site.arguments().first().map(|owner| side.source.names().full_names(owner)).unwrap_or_default();
            called || owner.iter().any(|owner| side.source.names().imports().any(|import| import == owner))
        }
        "globals" | "locals" | "vars" => parent.is_some_and(|parent| {
            parent.is(&["subscript"]) || parent.field("attribute").is_some_and(|name| name.text() == "get")
        }),
        _ => true,
    }
}

/// `object['name'](…)`, `.call`, `.apply`, `.bind`, a parenthesised function that is called at once.
fn computed(pair: &Pair<'_>) -> Option<Smell> {
    let forms = |side: &Side<'_>| {
        count(&side.calls, |site| {
            let callee = site.callee.as_ref()?;
            let named = callee.is(&["subscript_expression", "subscript"])
                && callee
                    .parts()
                    .last()
                    .is_some_and(|key| key.is(&["string", "template_string", "binary_expression", "binary_operator"]));
            let written = callee.is(&["parenthesized_expression"])
                && callee
                    .parts()
                    .first()
                    .is_some_and(|inner| !inner.is(&["identifier", "attribute", "member_expression", "call"]));
            let odd = named || written || callee.is(&["lambda"]);
            let through = matches!(site.name.as_str(), "call" | "apply" | "bind") && callee.is(&["member_expression"]);
            (odd || through).then(|| squeezed(callee))
        })
    };
    let new = gained(&forms(&pair.before), &forms(&pair.after));
    let (text, _) = new.first()?;
    Some(pair.gone(SmellKind::HiddenSink, &format!("a call is made through `{}`", short(text))))
}

/// A sink that was called by its own name has another one now.
fn another_name(pair: &Pair<'_>) -> Vec<Smell> {
    let reported = pair.before.calls.iter().filter(|site| pair.is_reported(&site.node));
    let called: Vec<String> = reported.map(|site| site.written.clone()).collect();
    let alias = |side: &Side<'_>| {
        side.counts(|node| {
            let value = match node.kind().as_ref() {
                "assignment" | "assignment_expression" => node.field("right"),
                "variable_declarator" | "default_parameter" | "pair" | "keyword_argument" => node.field("value"),
                _ => None,
            }?;
            if value.is(&["method_reference"]) {
                return Some(squeezed(&value));
            }
            let names = side.source.names().full_names(&value);
            if called.contains(&squeezed(&value)) {
                return Some(squeezed(&value));
            }
            names.into_iter().find(|name| SINKS.contains(&name.as_str()) || name.starts_with("subprocess."))
        })
    };
    let mut smells: Vec<Smell> = gained(&alias(&pair.before), &alias(&pair.after))
        .iter()
        .filter(|(name, _)| name != "subprocess.PIPE" && name != "subprocess.DEVNULL" && name != "subprocess.STDOUT")
        .map(|(name, _)| pair.gone(SmellKind::HiddenSink, &format!("`{}` gets another name", short(name))))
        .collect();
    // The same function as before, written otherwise.
    let meant = |site: &Site<'_>| {
        let name = site.full.iter().find(|name| SINKS.contains(&name.as_str()) || name.starts_with("subprocess."))?;
        Some(format!("{name} as {}", site.written))
    };
    let (was, is) = (count(&pair.before.calls, meant), count(&pair.after.calls, meant));
    for (text, _) in gained(&was, &is) {
        let Some((full, written)) = text.split_once(" as ") else { continue };
        let before = gained(&is, &was);
        let renamed = before
            .iter()
            .any(|(old, _)| old.split_once(" as ").is_some_and(|(name, as_was)| name == full && as_was != written));
        if renamed {
            smells.push(pair.gone(SmellKind::HiddenSink, &format!("`{full}` is called as `{}`", short(written))));
        }
    }
    smells
}

/// A new function does what the reported place did.
fn handed_on(pair: &Pair<'_>) -> Vec<Smell> {
    let before: Vec<String> = pair
        .before
        .nodes
        .iter()
        .filter(|node| is_function(node))
        .map(|node| pair.before.function_name(&inside(node)))
        .collect();
    let mut smells = Vec::new();
    for site in pair.after.calls.iter().filter(|site| pair.after.is_changed(&site.node)) {
        let Some(function) = pair.after.source.function(&site.node) else { continue };
        let name = pair.after.function_name(&site.node);
        let fresh = !before.contains(&name) && pair.after.is_changed(&function);
        let shell = site.option("shell").is_some_and(|value| value.text() != "False" && value.text() != "false");
        let sink = site.means(&SINKS) || (site.full.iter().any(|full| full.starts_with("subprocess.")) && shell);
        if fresh && sink {
            smells.push(pair.smell(
                SmellKind::HiddenSink,
                &site.node,
                &format!("`{}` is called in a new function", site.written),
            ));
        }
    }
    smells
}

fn is_function(node: &Node<'_>) -> bool {
    node.is(&[
        "function_definition",
        "function_declaration",
        "method_declaration",
        "method_definition",
        "arrow_function",
        "function_expression",
    ])
}

fn inside<'t>(function: &Node<'t>) -> Node<'t> {
    function.field("body").unwrap_or_else(|| function.clone())
}

/// A shell is started by its name, so no scanner sees a switch for it.
fn shell_by_name(pair: &Pair<'_>) -> Option<Smell> {
    let shells = |side: &Side<'_>| {
        side.counts(|node| {
            if !node.is(&["list", "array", "argument_list", "arguments", "array_initializer"]) {
                return None;
            }
            let words: Vec<String> = node
                .walk()
                .filter(|part| part.is(&["string", "string_literal"]))
                .map(|part| part.text().trim_matches(['"', '\'']).to_owned())
                .collect();
            let shell = words.iter().any(|word| SHELLS.contains(&word.rsplit('/').next().unwrap_or(word)));
            let switch = words
                .iter()
                .any(|word| matches!(word.to_lowercase().as_str(), "-c" | "/c" | "-lc" | "-command" | "-ec"));
            (shell && switch).then(String::new)
        })
    };
    let new = gained(&shells(&pair.before), &shells(&pair.after));
    (!new.is_empty()).then(|| pair.gone(SmellKind::HiddenSink, "a shell is started by its name"))
}

/// The reported function is no longer called but handed on, for something else to call.
fn as_value(pair: &Pair<'_>) -> Vec<Smell> {
    let reported = pair.before.calls.iter().filter(|site| pair.is_reported(&site.node) && site.callee.is_some());
    let written: Vec<&str> = reported.map(|site| site.written.as_str()).filter(|written| is_named(written)).collect();
    let values = |side: &Side<'_>| {
        side.counts(|node| {
            let text = node
                .is(&["attribute", "member_expression", "identifier", "method_reference"])
                .then(|| squeezed(node))?;
            let parent = node.parent()?;
            let called = parent.field("function").is_some_and(|callee| callee == *node);
            let part =
                parent.is(&["attribute", "member_expression", "keyword_argument", "import_specifier", "dotted_name"]);
            (!called && !part && written.contains(&text.as_str())).then_some(text)
        })
    };
    let new = gained(&values(&pair.before), &values(&pair.after));
    new.iter()
        .map(|(name, _)| pair.gone(SmellKind::HiddenSink, &format!("`{}` is handed on as a value", short(name))))
        .collect()
}

/// Whether a name is one of a module or an object, or of a known sink.
fn is_named(written: &str) -> bool {
    (written.contains('.') || SINKS.contains(&written)) && !written.contains(['(', '[', ' ', '"', '\''])
}

/// The reported call stays word for word, one function deeper than before.
fn moved_inside(pair: &Pair<'_>) -> Option<Smell> {
    const FUNCTIONS: [&str; 7] = [
        "lambda",
        "lambda_expression",
        "arrow_function",
        "function_expression",
        "function_definition",
        "function_declaration",
        "method_declaration",
    ];
    let depth = |node: &Node<'_>| node.ancestors().filter(|around| around.is(&FUNCTIONS)).count();
    let mut reported = pair
        .before
        .calls
        .iter()
        .filter(|site| pair.is_reported(&site.node) && (is_named(&site.written) || site.means(&SINKS)));
    let moved = reported.find(|site| {
        let text = squeezed(&site.node);
        let now = pair.after.calls.iter().filter(|other| squeezed(&other.node) == text).map(|other| depth(&other.node));
        now.min().is_some_and(|now| now > depth(&site.node))
    })?;
    Some(pair.gone(SmellKind::HiddenSink, &format!("`{}` stays, in a function of its own", short(&moved.written))))
}

/// What ran at once runs later, where nobody waits for it.
fn later(pair: &Pair<'_>) -> Option<Smell> {
    let new = gained(&put_off(pair, &pair.before), &put_off(pair, &pair.after));
    let (name, _) = new.first()?;
    Some(pair.gone(SmellKind::HiddenSink, &format!("what ran at once is put off with `{name}`")))
}

fn put_off<'t>(pair: &Pair<'_>, side: &Side<'t>) -> Counts {
    const LATER: [&str; 9] = [
        "setTimeout",
        "setImmediate",
        "setInterval",
        "nextTick",
        "queueMicrotask",
        "Timer",
        "Thread",
        "submit",
        "call_later",
    ];
    count(&side.calls, |site: &Site<'t>| {
        let known = || {
            let inner = side.nodes.iter().filter(|node| site.node.contains(node) && node.range() != site.node.range());
            let acts = inner.filter(|node| node.field("arguments").is_some() || node.is(&["assignment_expression"]));
            acts.into_iter().any(|node| pair.before.code.contains(&*node.text()))
        };
        (LATER.contains(&site.name.as_str()) && known()).then(|| site.name.clone())
    })
}

/// Arguments of the reported call come from a collection, where no scanner reads them.
fn spread(pair: &Pair<'_>) -> Option<Smell> {
    let reported: Vec<&str> =
        pair.before.calls.iter().filter(|site| pair.is_reported(&site.node)).map(|site| site.name.as_str()).collect();
    let (was, is) = (spreads(&pair.before, &reported), spreads(&pair.after, &reported));
    let new = gained(&was, &is);
    let (text, _) = new.first()?;
    Some(pair.gone(SmellKind::HiddenSink, &format!("arguments come out of `{}`", short(text))))
}

fn spreads<'t>(side: &Side<'t>, reported: &[&str]) -> Counts {
    count(&side.calls, |site: &Site<'t>| {
        let spread = site.arguments().into_iter().find(|argument| argument.is(&["dictionary_splat"]))?;
        let inner = spread.parts().into_iter().next()?;
        let held = side.source.names().only_value(&inner.text(), inner.range().start);
        let switches = held.is_some_and(|held| SWITCHES.iter().any(|switch| held.text().contains(switch)));
        let hidden = inner.is(&["dictionary", "call"]) || (reported.contains(&site.name.as_str()) && switches);
        hidden.then(|| squeezed(&spread))
    })
}
