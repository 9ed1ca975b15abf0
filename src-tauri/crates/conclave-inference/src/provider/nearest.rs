//! The name that somebody may have meant.

/// The one of `names` that is nearest to `name`, if any is near: at most a third of it differs.
pub(super) fn nearest<'a>(name: &str, names: &'a [String]) -> Option<&'a String> {
    let near = names.iter().map(|other| (distance(name, other), other));
    near.filter(|(distance, _)| distance * 3 <= name.chars().count())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, other)| other)
}

/// How many characters have to be put in, taken out or replaced (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_found_and_a_far_one_is_not() {
        let names = ["claude-opus-5-5", "claude-sonnet-5-5", "gpt-6-luna"].map(str::to_owned);
        for (name, expect) in [
            ("claude-opus-4", Some("claude-opus-5-5")),
            ("claude-sonet-5-5", Some("claude-sonnet-5-5")),
            ("gpt-6-luna", Some("gpt-6-luna")),
            ("deepseek-v4-pro", None),
            ("", None),
        ] {
            assert_eq!(nearest(name, &names).map(String::as_str), expect, "{name}");
        }
        assert_eq!((distance("", "abc"), distance("abc", ""), distance("kitten", "sitting")), (3, 3, 3));
    }
}
