//! How a project is built and tested, as text.

use std::fmt::Write as _;

use conclave_api::view::{CommandChoice, CommandsView};

use super::{Style, clean};

pub(in crate::output) fn commands(style: Style, view: &CommandsView) -> String {
    let mut out = String::new();
    let root = clean(&view.root);
    if view.agreed {
        let _ =
            writeln!(out, "The build and the tests of {root} may run: on a copy, in the sandbox, without a network.");
    } else {
        let _ =
            writeln!(out, "Nothing of {root} may run. `conclave project commands {root} --agree` lets its build and");
        let _ = writeln!(out, "its tests run: on a copy, in the sandbox, without a network.");
    }
    for (what, choice) in [("Build", &view.build), ("Tests", &view.test)] {
        let words = match choice {
            CommandChoice::Recognised => "as recognised",
            CommandChoice::Nothing => "none",
            CommandChoice::Own { line } => line,
        };
        let _ = writeln!(out, "{what:<8} {}", clean(words));
    }
    let _ = writeln!(out, "\n{}", style.bold("Recognised tests"));
    for runner in &view.recognised {
        let place = if runner.folder.is_empty() { String::new() } else { format!(" in {}", clean(&runner.folder)) };
        let _ = writeln!(out, "  {}{place}: {}", clean(&runner.name), clean(&runner.line));
        if let Some(detail) = runner.command.as_ref().or(runner.trouble.as_ref()) {
            let _ = writeln!(out, "    {}", style.faint(&clean(detail)));
        }
    }
    if view.recognised.is_empty() {
        out.push_str("  none; name the command with `--test`\n");
    }
    if let Some(trouble) = &view.sandbox {
        let _ = writeln!(out, "\n{}", clean(trouble));
    }
    out
}
