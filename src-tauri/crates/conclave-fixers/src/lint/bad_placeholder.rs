//! Placeholders and bound values do not fit each other, or the driver knows no such placeholder.

use conclave_core::language::Language;
use conclave_core::smell::{Smell, SmellKind};

use super::pair::{Pair, Site};
use crate::facts::{Placeholder, placeholder};
use crate::native::followed;
use crate::sql;
use crate::syntax::Node;
use crate::text::read;

const RUNS: [&str; 12] = [
    "execute",
    "executemany",
    "query",
    "prepareStatement",
    "prepare",
    "run",
    "all",
    "get",
    "each",
    "raw",
    "fetch",
    "fetchrow",
];

pub(super) fn run(pair: &Pair<'_>) -> Vec<Smell> {
    let changed =
        pair.after.calls.iter().filter(|site| RUNS.contains(&site.name.as_str()) && pair.after.is_changed(&site.node));
    changed.filter_map(|site| Some(pair.smell(SmellKind::BadPlaceholder, &site.node, &fault(pair, site)?))).collect()
}

fn fault<'t>(pair: &Pair<'t>, site: &Site<'t>) -> Option<String> {
    let source = &pair.after.source;
    let arguments = site.arguments();
    let statement = read(source, &followed(source, arguments.first()?)).ok()?.plain()?;
    if !sql::seems_sql(&format!("'{statement}")) {
        return None;
    }
    if statement.contains("'?'") || statement.contains("'%s'") || statement.contains("\"?\"") {
        return Some("a placeholder between quotation marks is a text".to_owned());
    }
    let written = marks(&statement);
    if let Some(style) = style(pair).filter(|_| written.total() > 0) {
        let known = match style {
            Placeholder::Question => written.question,
            Placeholder::Percent => written.percent,
            Placeholder::Colon => written.colon,
            Placeholder::Dollar => written.dollar,
        };
        // Named placeholders are every driver's own affair.
        if known == 0 && written.colon == 0 {
            return Some(format!("the driver writes a placeholder as `{}`", style.text(1)));
        }
    }
    let values = arguments.get(1).filter(|values| values.is(&["tuple", "list", "array"]))?;
    let given = items(values)?;
    let wanted = written.question + written.percent;
    let fits = wanted == 0 || wanted == given || site.name == "executemany";
    (!fits).then(|| format!("{wanted} placeholders and {given} values"))
}

/// How many items a literal list has; `None` where some are out of sight.
fn items(list: &Node<'_>) -> Option<usize> {
    let parts = list.parts();
    (!parts.iter().any(|part| part.is(&["list_splat", "spread_element"]))).then_some(parts.len())
}

fn style(pair: &Pair<'_>) -> Option<Placeholder> {
    let python = match pair.language {
        Language::Python => true,
        Language::Java => return None,
        _ => false,
    };
    placeholder(python, pair.after.source.names().imports(), None).ok()
}

#[derive(Default)]
struct Marks {
    question: usize,
    percent: usize,
    colon: usize,
    dollar: usize,
}

impl Marks {
    fn total(&self) -> usize {
        self.question + self.percent + self.colon + self.dollar
    }
}

/// The placeholders of a statement outside of its quoted texts.
fn marks(statement: &str) -> Marks {
    let mut marks = Marks::default();
    let mut quote = None;
    let chars: Vec<char> = statement.chars().collect();
    for (index, c) in chars.iter().enumerate() {
        let next = chars.get(index + 1).copied().unwrap_or(' ');
        let before = index.checked_sub(1).map_or(' ', |at| chars[at]);
        match (quote, c) {
            (Some(open), c) if open == *c => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"' | '`') => quote = Some(*c),
            (None, '?') => marks.question += 1,
            (None, '%') if next == 's' => marks.percent += 1,
            (None, ':') if before != ':' && (next.is_alphanumeric() || next == '_') => marks.colon += 1,
            (None, '$') if next.is_ascii_digit() => marks.dollar += 1,
            _ => {}
        }
    }
    marks
}
