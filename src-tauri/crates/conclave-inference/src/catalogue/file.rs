//! The serialised form of the list of models.

use std::collections::BTreeSet;

use conclave_core::money::Money;
use conclave_core::settings::DialectName;
use serde::Deserialize;

use super::{Catalogue, Date, End, Entry, Host, Preset, Seat, Strength};
use crate::money::{LongPrice, Price};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    host: Vec<HostRow>,
    strength: Vec<StrengthRow>,
    model: Vec<ModelRow>,
    preset: Vec<PresetRow>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HostRow {
    id: String,
    title: String,
    base_url: String,
    dialect: DialectName,
    key_env: String,
    usual: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StrengthRow {
    id: String,
    title: String,
    focus: String,
    cwe: Vec<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ModelRow {
    id: String,
    #[serde(default)]
    aliases: Vec<String>,
    host: String,
    context_tokens: Option<u32>,
    output_tokens: Option<u32>,
    price: Option<PriceRow>,
    #[serde(default)]
    strengths: Vec<String>,
    retires: Option<String>,
    gone_by: Option<String>,
    successor: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PriceRow {
    input: Money,
    output: Money,
    /// As `input` where it is not known: no answer costs more than it was held to cost.
    cached: Option<Money>,
    dated: String,
    long: Option<LongRow>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LongRow {
    above_tokens: u32,
    input: Money,
    output: Money,
    cached: Option<Money>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PresetRow {
    id: String,
    title: String,
    seats: Vec<SeatRow>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SeatRow {
    strength: String,
    model: String,
}

/// Reads the list. What it names must be in it, and no name stands for two models of a host.
pub(super) fn read(text: &str) -> Result<Catalogue, String> {
    let File { host, strength, model, preset } = toml::from_str(text).map_err(|error| error.to_string())?;
    let hosts: Vec<Host> = host
        .into_iter()
        .map(|HostRow { id, title, base_url, dialect, key_env, usual }| Host {
            id,
            title,
            base_url,
            dialect,
            key_env,
            usual,
        })
        .collect();
    let strengths: Vec<Strength> =
        strength.into_iter().map(|StrengthRow { id, title, focus, cwe }| Strength { id, title, focus, cwe }).collect();
    let models = model.into_iter().map(|row| entry(row, &hosts)).collect::<Result<Vec<_>, _>>()?;
    let presets = preset.into_iter().map(|PresetRow { id, title, seats }| {
        let seats = seats.into_iter().map(|SeatRow { strength, model }| Seat { strength, model }).collect();
        Preset { id, title, seats }
    });
    let catalogue = Catalogue { models, hosts, strengths, presets: presets.collect() };
    whole(&catalogue)?;
    Ok(catalogue)
}

fn entry(row: ModelRow, hosts: &[Host]) -> Result<Entry, String> {
    let wrong = |what: &str| format!("model `{}`: {what}", row.id);
    let date = |text: &str| text.parse::<Date>().map_err(|error| wrong(&error.to_string()));
    let host = hosts.iter().find(|host| host.id == row.host).cloned().ok_or_else(|| wrong("no such host"))?;
    let end = match (&row.retires, &row.gone_by) {
        (None, None) => None,
        (Some(on), None) => Some(End::On(date(on)?)),
        (None, Some(before)) => Some(End::Before(date(before)?)),
        (Some(_), Some(_)) => return Err(wrong("it ends once")),
    };
    let price = match row.price {
        None => None,
        Some(PriceRow { input, output, cached, dated, long }) => {
            date(&dated)?;
            let long = long.map(|LongRow { above_tokens, input, output, cached }| LongPrice {
                above_tokens,
                input,
                output,
                cached: cached.unwrap_or(input),
            });
            Some(Price { input, output, cached: cached.unwrap_or(input), dated: Some(dated), long })
        }
    };
    Ok(Entry {
        host,
        end,
        price,
        id: row.id,
        aliases: row.aliases,
        context_tokens: row.context_tokens,
        output_tokens: row.output_tokens,
        strengths: row.strengths,
        successor: row.successor,
    })
}

/// Refuses a list that names what is not in it, or the same name twice.
fn whole(catalogue: &Catalogue) -> Result<(), String> {
    let mut names = BTreeSet::new();
    for entry in &catalogue.models {
        for name in std::iter::once(&entry.id).chain(&entry.aliases) {
            if !names.insert((&entry.host.id, name)) {
                return Err(format!("`{name}` stands for two models"));
            }
        }
    }
    let living = |id: &str, host: Option<&str>| {
        let mut found = catalogue.models.iter().filter(|entry| entry.id == id && entry.end.is_none());
        found.any(|entry| host.is_none_or(|host| host == entry.host.id))
    };
    let strength = |id: &String| catalogue.strengths.iter().any(|strength| strength.id == *id);
    for entry in &catalogue.models {
        match (&entry.end, &entry.successor) {
            (None, None) => {}
            (Some(_), Some(next)) if living(next, Some(&entry.host.id)) => {}
            _ => return Err(format!("model `{}`: what ends has a living successor, and nothing else has", entry.id)),
        }
        if let Some(unknown) = entry.strengths.iter().find(|id| !strength(id)) {
            return Err(format!("model `{}`: no strength is called `{unknown}`", entry.id));
        }
    }
    let lives = |host: &&Host| host.usual.as_ref().is_none_or(|usual| living(usual, Some(&host.id)));
    if let Some(host) = catalogue.hosts.iter().find(|host| !lives(host)) {
        return Err(format!("host `{}`: its usual model does not live", host.id));
    }
    let seats = catalogue.presets.iter().flat_map(|preset| &preset.seats);
    match seats
        .into_iter()
        .find(|seat| !strength(&seat.strength) || !catalogue.models.iter().any(|entry| entry.is_called(&seat.model)))
    {
        Some(seat) => {
            Err(format!("a preset seats `{}` for `{}`, and one of them is unknown", seat.model, seat.strength))
        }
        None => Ok(()),
    }
}
