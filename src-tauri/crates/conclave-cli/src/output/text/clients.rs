//! Clients as text.

use conclave_api::view::ClientList;

use super::{clean, plural};

pub(in crate::output) fn clients(view: &ClientList) -> String {
    if view.items.is_empty() {
        return "No client yet. `conclave clients add NAME` makes one.\n".to_owned();
    }
    let mut out = String::new();
    for client in &view.items {
        let read_only = if client.handed_over { ", handed over: only read" } else { "" };
        let projects = plural(client.projects.len(), "project", "projects");
        out.push_str(&format!("{}  {projects}{read_only}\n", client.name));
        for root in &client.projects {
            out.push_str(&format!("    {}\n", clean(root)));
        }
    }
    out
}
