//! A whole command line is given as the name of one program: the scanner is silent and the call no longer works.

use conclave_core::smell::{Smell, SmellKind};

use super::pair::{Pair, Side, Site};
use crate::native::followed;
use crate::syntax::Node;
use crate::text::{Piece, read};

const PYTHON: [&str; 5] =
    ["subprocess.run", "subprocess.call", "subprocess.check_call", "subprocess.check_output", "subprocess.Popen"];
const JAVASCRIPT: [&str; 4] =
    ["child_process.execFile", "child_process.execFileSync", "child_process.spawn", "child_process.spawnSync"];

pub(super) fn run(pair: &Pair<'_>) -> Vec<Smell> {
    let changed = pair.after.calls.iter().filter(|site| pair.after.is_changed(&site.node));
    changed
        .filter_map(|site| Some(pair.smell(SmellKind::BrokenCall, &site.node, &broken(&pair.after, site)?)))
        .collect()
}

fn broken<'t>(side: &Side<'t>, site: &Site<'t>) -> Option<String> {
    let python = site.means(&PYTHON);
    if !python && !site.means(&JAVASCRIPT) && !site.means(&["java.lang.ProcessBuilder"]) {
        return None;
    }
    let shell = site.option("shell").map(|value| value.text().into_owned());
    if shell.is_some_and(|value| !matches!(value.as_str(), "False" | "false" | "0" | "None")) {
        return None;
    }
    let arguments = site.arguments();
    let named = site.option("args");
    let program = named.or_else(|| arguments.into_iter().find(|first| !first.is(&["keyword_argument"])))?;
    let value = followed(&side.source, &program);
    if value.is(&["list", "array"]) {
        let items = value.parts();
        let whole = items.len() == 1 && is_line(side, &items[0]);
        return whole.then(|| "a list with one item that is a whole command line".to_owned());
    }
    is_line(side, &value).then(|| "a whole command line is given as the name of a program".to_owned())
}

/// Whether an expression builds a text of several words.
fn is_line<'t>(side: &Side<'t>, node: &Node<'t>) -> bool {
    let Ok(built) = read(&side.source, &followed(&side.source, node)) else { return false };
    let mut seen = false;
    built.pieces.iter().any(|piece| match piece {
        Piece::Char { c, .. } if c.is_whitespace() => seen,
        _ => {
            seen = true;
            false
        }
    })
}
