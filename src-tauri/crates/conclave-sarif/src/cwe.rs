//! CWE numbers, out of the many ways in which tools write them.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::lenient::pass_over;
use crate::wire::DescriptorReference;

/// The largest number that is taken for a CWE.
const MAX: u32 = 9_999;
/// So many numbers of one rule are kept.
const MAX_COUNT: usize = 50;

/// Adds `number` to `list`, unless it is there, absurd, or one too many.
pub(crate) fn add(list: &mut Vec<u32>, number: u32) {
    if (1..=MAX).contains(&number) && list.len() < MAX_COUNT && !list.contains(&number) {
        list.push(number);
    }
}

/// Adds all of `numbers`.
pub(crate) fn extend(list: &mut Vec<u32>, numbers: &[u32]) {
    for number in numbers {
        add(list, *number);
    }
}

/// The numbers behind the letters CWE in `text`: `CWE-79: XSS`, `external/cwe/cwe-079`, `CWE-119!/CWE-120`.
pub(crate) fn in_text(list: &mut Vec<u32>, text: &str) {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(found) = bytes[at..].windows(3).position(|three| three.eq_ignore_ascii_case(b"cwe")) {
        let separated = at + found + 3;
        let start =
            separated + usize::from(bytes.get(separated).is_some_and(|b| matches!(b, b'-' | b'_' | b' ' | b':')));
        let digits = bytes[start..].iter().take_while(|b| b.is_ascii_digit()).count();
        if let Ok(number) = text[start..start + digits].parse() {
            add(list, number);
        }
        at = start + digits;
    }
}

/// The numbers of all pages of cwe.mitre.org that `text` links to.
pub(crate) fn in_links(list: &mut Vec<u32>, text: &str) {
    for page in text.split("cwe.mitre.org/data/definitions/").skip(1) {
        if let Ok(number) = page.split(|c: char| !c.is_ascii_digit()).next().unwrap_or_default().parse() {
            add(list, number);
        }
    }
}

/// The number that a reference to a taxonomy names; `taxonomy` is the taxonomy's name, `id` the id of its entry.
pub(crate) fn in_taxon(list: &mut Vec<u32>, taxonomy: Option<&str>, id: &str) {
    match taxonomy {
        Some(name) if name.to_ascii_uppercase().starts_with("CWE") => match id.parse() {
            Ok(number) => add(list, number),
            Err(_) => in_text(list, id),
        },
        // Without a name only the entry itself can say what it is.
        _ => in_text(list, id),
    }
}

/// Looks a reference up: the name of its taxonomy and the id of its entry.
pub(crate) fn of_reference<'a>(
    reference: &'a DescriptorReference<'a>,
    taxonomies: &'a [Taxonomy],
) -> Option<(Option<&'a str>, &'a str)> {
    let component = reference.tool_component.get();
    let known = component.and_then(|component| {
        let by_guid = component.guid.get().and_then(|guid| taxonomies.iter().find(|t| t.guid.as_deref() == Some(guid)));
        by_guid.or_else(|| taxonomies.get(component.index.index()?))
    });
    let name = component.and_then(|component| component.name.get()).or(known.map(|t| t.name.as_str()));
    let id = reference.id.get().or_else(|| known?.ids.get(reference.index.index()?).map(String::as_str))?;
    Some((name, id))
}

/// A taxonomy of the run, as far as references need it.
#[derive(Debug, Default)]
pub(crate) struct Taxonomy {
    pub(crate) name: String,
    pub(crate) guid: Option<String>,
    pub(crate) ids: Vec<String>,
}

/// A property that holds CWE numbers: `89`, `"CWE-89"`, `"89"`, `["CWE-89", 79]`, `{"id": 89}`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Numbers(pub(crate) Vec<u32>);

impl<'de> Deserialize<'de> for Numbers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Properties).map(Self)
    }
}

struct Properties;

impl<'de> Visitor<'de> for Properties {
    type Value = Vec<u32>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CWE numbers")
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Self::Value, E> {
        let mut list = Vec::new();
        add(&mut list, u32::try_from(number).unwrap_or(0));
        Ok(list)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        let mut list = Vec::new();
        in_text(&mut list, text);
        if list.is_empty() {
            let numbers = text.split(',').map(str::trim).map(str::parse);
            // Either all of it is numbers, or it is something else.
            if let Ok(numbers) = numbers.collect::<Result<Vec<u32>, _>>() {
                extend(&mut list, &numbers);
            }
        }
        Ok(list)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Numbers(numbers)) = items.next_element()? {
            extend(&mut list, &numbers);
        }
        Ok(list)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut list = Vec::new();
        while let Some(key) = map.next_key::<String>()? {
            if key == "id" {
                extend(&mut list, &map.next_value::<Numbers>()?.0);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(list)
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Self::Value, E> {
        Ok(Vec::new())
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Self::Value, E> {
        Ok(Vec::new())
    }

    pass_over!(scalar);
}
