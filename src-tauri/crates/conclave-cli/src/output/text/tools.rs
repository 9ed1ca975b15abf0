//! The servers of tools, and how they stand.

use std::fmt::Write as _;

use conclave_api::view::{
    ToolServerChecked, ToolServerList, ToolServerRemoved, ToolServerStanding, ToolServerView, ToolServersImported,
};

use super::{Style, clean, plural};

/// How much of a description is shown, in characters.
const SHOWN: usize = 200;

pub(in crate::output) fn tool_servers(style: Style, view: &ToolServerList) -> String {
    if view.servers.is_empty() {
        return "No tool servers. Conclave\u{2019}s own thinking and memory need none.\n".to_owned();
    }
    view.servers.iter().map(|server| head(style, server)).collect()
}

fn head(style: Style, server: &ToolServerView) -> String {
    let mut out = String::new();
    let name = clean(&server.name);
    let state = match server.standing {
        ToolServerStanding::Off => "off".to_owned(),
        ToolServerStanding::Unseen => format!("not approved; `conclave tools approve {name}` shows it and asks"),
        ToolServerStanding::NotApproved => format!("not approved; `conclave tools approve {name}` shows it and asks"),
        ToolServerStanding::Approved => format!("approved, {}", plural(server.tools.len(), "tool", "tools")),
        ToolServerStanding::Changed => {
            format!("blocked: it changed; `conclave tools approve {name}` shows how and asks")
        }
    };
    let _ = writeln!(out, "{}  {}", style.bold(&name), clean(&state));
    let place = match (&server.command, &server.url) {
        (Some(command), _) => {
            let words: Vec<String> = std::iter::once(command).chain(&server.args).map(|word| clean(word)).collect();
            let reach =
                server.reaches.as_ref().map_or("no network".to_owned(), |url| format!("reaches {}", clean(url)));
            format!("{} ({reach})", words.join(" "))
        }
        (None, url) => clean(url.as_deref().unwrap_or_default()),
    };
    let _ = writeln!(out, "  {}", style.faint(&place));
    for (name, value) in &server.env {
        let _ = writeln!(out, "  {}", style.faint(&format!("{}={}", clean(name), clean(value))));
    }
    if let Some(key) = server.key.as_ref().filter(|_| server.has_key) {
        let _ = writeln!(out, "  It gets its key in `{}`.", clean(key));
    }
    if server.key.is_some() && !server.has_key {
        let _ = writeln!(out, "  It has no key yet; `conclave keys set HOST` keeps one.");
    }
    if let Some(warning) = &server.warning {
        let _ = writeln!(out, "  {}{}", style.paint("33", "warning: "), clean(warning));
    }
    for difference in &server.differences {
        let _ = writeln!(out, "  {}", clean(difference));
    }
    out
}

pub(in crate::output) fn tool_server(style: Style, view: &ToolServerView) -> String {
    head(style, view)
}

pub(in crate::output) fn tool_server_checked(style: Style, view: &ToolServerChecked) -> String {
    let mut out = head(style, &view.server);
    if let Some(failed) = &view.failed {
        let _ = writeln!(out, "  It cannot be seen: {}.", clean(failed));
        return out;
    }
    let _ = writeln!(out, "  It calls itself {}.", clean(&view.server.called));
    if !view.server.instructions.is_empty() {
        let _ = writeln!(out, "  It wants models to be told, which they are not: {}", short(&view.server.instructions));
    }
    for tool in &view.server.tools {
        let reads = if tool.read_only { " (says that it only reads)" } else { "" };
        let _ = writeln!(out, "  {}{reads}", style.bold(&clean(&tool.name)));
        let _ = writeln!(out, "    {}", short(&tool.description));
    }
    for asked in &view.refused {
        let _ = writeln!(out, "  It asked for `{}` and was refused.", clean(asked));
    }
    if let Some(digest) = &view.server.digest {
        let _ = writeln!(out, "  {}", style.faint(&format!("digest {}", clean(digest))));
    }
    out
}

/// A stranger's words on one line.
fn short(words: &str) -> String {
    let line = words.split_whitespace().collect::<Vec<_>>().join(" ");
    let cut: String = line.chars().take(SHOWN).collect();
    let end = if cut.len() < line.len() { "\u{2026}" } else { "" };
    format!("{}{end}", clean(&cut))
}

pub(in crate::output) fn tool_servers_imported(style: Style, view: &ToolServersImported) -> String {
    let mut out = String::new();
    for server in &view.servers {
        let what = match (server.added, view.dry_run) {
            (true, false) => "added, not used until you approve it",
            (true, true) => "would be added",
            (false, _) => "left out",
        };
        let _ = writeln!(out, "{}  {what}", style.bold(&clean(&server.name)));
        for remark in &server.remarks {
            let _ = writeln!(out, "  {}", clean(remark));
        }
    }
    if view.servers.is_empty() {
        out.push_str("It names no servers.\n");
    }
    out
}

pub(in crate::output) fn tool_server_removed(view: &ToolServerRemoved) -> String {
    format!("{} is not in the settings any more, and its approval is forgotten.\n", clean(&view.name))
}
