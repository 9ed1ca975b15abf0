//! What is known of models behind hosted APIs, for people.

use std::fmt::Write as _;

use conclave_api::view::{KnownModel, KnownModelList, KnownPreset, KnownState};

use super::{Style, clean};

pub(in crate::output) fn known_models(style: Style, list: &KnownModelList) -> String {
    let mut out = String::new();
    for host in &list.hosts {
        let address = style.faint(&format!("{}, key in {}", clean(&host.base_url), clean(&host.key_env)));
        let _ = writeln!(out, "{}  {address}", style.bold(&clean(&host.title)));
        let models: Vec<&KnownModel> = list.models.iter().filter(|model| model.host == host.id).collect();
        for model in &models {
            let facts = style.faint(&facts(list, model));
            let _ = writeln!(out, "  {:<26} {facts}", clean(&model.id));
            if let Some(remark) = &model.remark {
                let _ = writeln!(out, "    {}", style.paint("33", &clean(remark)));
            }
        }
        if models.is_empty() {
            let _ = writeln!(out, "  {}", style.faint("Conclave knows none of its models, so none of their prices"));
        }
        out.push('\n');
    }
    for preset in &list.presets {
        out.push_str(&seats(style, list, preset));
    }
    out
}

/// What is to be known of a model, in one line. Of one that is gone nothing else counts.
fn facts(list: &KnownModelList, model: &KnownModel) -> String {
    if model.state == KnownState::Retired {
        return "retired".to_owned();
    }
    let mut facts = vec![match &model.price {
        Some(price) => {
            let dated = price.dated.as_deref().map(|day| format!(", on {day}")).unwrap_or_default();
            let long = price.long.map(|long| {
                format!(" ({} and {} for questions above {} tokens)", long.input, long.output, long.above_tokens)
            });
            let long = long.unwrap_or_default();
            format!("{} in, {} out for a million tokens{long}{dated}", price.input, price.output)
        }
        None => "price unknown".to_owned(),
    }];
    facts.extend(model.context_tokens.map(|tokens| format!("context {tokens}")));
    facts.extend(model.strengths.iter().map(|id| title(list, id).to_lowercase()));
    facts.join(" · ")
}

fn seats(style: Style, list: &KnownModelList, preset: &KnownPreset) -> String {
    let mut out = format!("{}\n", style.bold(&clean(&preset.title)));
    for seat in &preset.seats {
        let _ = writeln!(out, "  {:<18} {}", clean(title(list, &seat.strength)), clean(&seat.named));
        if let Some(remark) = &seat.remark {
            let _ = writeln!(out, "    {}", style.paint("33", &clean(remark)));
        }
    }
    out
}

/// The name for people of a strength.
fn title<'a>(list: &'a KnownModelList, id: &'a str) -> &'a str {
    list.strengths.iter().find(|strength| strength.id == id).map_or(id, |strength| &strength.title)
}
