//! What was said to models, in text.

use std::fmt::Write as _;

use conclave_api::view::{ExchangeRow, ExchangeView, ExchangesErased};

use super::egress::{body, bytes};
use super::{Style, clean, moment, plural};

pub(in crate::output) fn exchanges(style: Style, rows: &[ExchangeRow]) -> String {
    let mut out = String::new();
    for row in rows {
        out.push_str(&head(style, row));
    }
    out.push_str(match rows {
        [] => "No exchange is kept. `exchange_log` in the settings says what is.\n",
        _ => "See one whole with `conclave audit exchanges --show SEQ`.\n",
    });
    out
}

pub(in crate::output) fn exchanges_erased(view: &ExchangesErased) -> String {
    let about = view.root.as_deref().map_or_else(String::new, |root| format!(" about {}", clean(root)));
    match view.erased {
        0 => format!("No exchange{about} was kept.\n"),
        n => format!(
            "{}{about} removed, for good. `exchange_log` in the settings says what is kept from now on.\n",
            plural(usize::try_from(n).unwrap_or(usize::MAX), "exchange", "exchanges")
        ),
    }
}

pub(in crate::output) fn exchange(style: Style, view: &ExchangeView) -> String {
    let row = &view.exchange;
    let mut out = head(style, row);
    for (name, text, size) in
        [("Sent", &view.request, row.request_bytes), ("Came back", &view.response, row.response_bytes)]
    {
        let _ = writeln!(out, "\n{}\n{}", style.bold(&format!("{name}, {}:", bytes(size))), body(text));
        if (text.len() as u64) < size {
            let _ = writeln!(
                out,
                "{}",
                style.faint(&format!("The rest is not kept: this is {} of it.", bytes(text.len() as u64)))
            );
        }
    }
    out
}

fn head(style: Style, row: &ExchangeRow) -> String {
    let status = row.status.map_or_else(|| "no answer".to_owned(), |status| format!("status {status}"));
    let mut out = format!(
        "{:>6}  {}  {} ({}), {status}, {} sent, {} back\n",
        row.seq,
        style.faint(&moment(row.at)),
        clean(&row.model),
        clean(&row.endpoint),
        bytes(row.request_bytes),
        bytes(row.response_bytes)
    );
    if let Some(root) = &row.root {
        let _ = writeln!(out, "        {}", style.faint(&format!("about {}", clean(root))));
    }
    out
}
