//! Settings as the file has them: what goes without saying is left out, unless the file says it already.

use conclave_core::settings::{CliSetting, LocalSetting, ModelSetting, SamplingSetting};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::model_list::OneModel;

/// `model` as the file has it. `raw` is what stands in its place, and says what `before` says.
pub(crate) fn written(model: &OneModel, in_place: Option<(&Value, &OneModel)>) -> Value {
    match in_place {
        Some((raw, before)) => over(raw, &full(before), &full(model), lean(model)),
        None => lean(model),
    }
}

/// `after` without the fields that `plain` has too, but for those that are `needed`, in the place of `raw`, which says
/// what `before` says.
pub(crate) fn part<T: Serialize>(raw: Option<&Value>, (before, after): (&T, &T), plain: &T, needed: &[&str]) -> Value {
    let lean = without(&json!(after), &json!(plain), needed);
    match raw {
        Some(raw) => over(raw, &json!(before), &json!(after), lean),
        None => lean,
    }
}

/// `raw`, which says what `before` says, as it says what `after` says: with the fields of `lean`, and with those that
/// it has already.
fn over(raw: &Value, before: &Value, after: &Value, lean: Value) -> Value {
    let (Value::Object(raw), Value::Object(lean)) = (raw, &lean) else { return lean };
    let kept = raw.iter().filter_map(|(key, value)| match (before.get(key), after.get(key)) {
        // An amount may be written in several ways.
        (before, after) if before == after => Some((key, value)),
        (_, None | Some(Value::Null)) => None,
        (_, Some(after)) => Some((key, after)),
    });
    let mut all: Map<String, Value> = kept.map(|(key, value)| (key.clone(), value.clone())).collect();
    for (key, value) in lean {
        all.entry(key.clone()).or_insert_with(|| value.clone());
    }
    Value::Object(all)
}

fn lean(model: &OneModel) -> Value {
    let needed: &[&str] = match model {
        OneModel::Api(_) => &["name", "base_url", "model"],
        OneModel::Cli(_) => &["name", "type"],
        OneModel::Local(_) => &["name", "file"],
        OneModel::McpSampling(_) => &["enabled"],
    };
    without(&full(model), &plain(model), needed)
}

fn full(model: &OneModel) -> Value {
    match model {
        OneModel::Api(setting) => json!(setting),
        OneModel::Cli(setting) => json!(setting),
        OneModel::Local(setting) => json!(setting),
        OneModel::McpSampling(setting) => json!(setting),
    }
}

/// A model like `model` of which only what has to be is said.
fn plain(model: &OneModel) -> Value {
    match model {
        OneModel::Api(ModelSetting { name, base_url, model, .. }) => json!(ModelSetting::new(name, base_url, model)),
        OneModel::Cli(CliSetting { name, kind, .. }) => said::<CliSetting>(json!({ "name": name, "type": kind })),
        OneModel::Local(LocalSetting { name, file, .. }) => said::<LocalSetting>(json!({ "name": name, "file": file })),
        OneModel::McpSampling(_) => json!(SamplingSetting::default()),
    }
}

/// What `fields` say as a setting; nothing where they are none.
fn said<T: Serialize + serde::de::DeserializeOwned>(fields: Value) -> Value {
    serde_json::from_value::<T>(fields).map_or(Value::Null, |setting| json!(setting))
}

fn without(value: &Value, plain: &Value, needed: &[&str]) -> Value {
    let Value::Object(fields) = value else { return value.clone() };
    let kept = fields.iter().filter(|(key, field)| {
        let key = key.as_str();
        needed.contains(&key) || (!field.is_null() && plain.get(key) != Some(field))
    });
    kept.map(|(key, field)| (key.clone(), field.clone())).collect::<Map<_, _>>().into()
}
