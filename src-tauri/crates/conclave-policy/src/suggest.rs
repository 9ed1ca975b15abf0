//! What somebody may have meant.

/// The known word that is nearest to `word`: near enough to be a slip of the pen, or the same thing in shorter words, as
/// `tool` is for `tool_name`, or the beginning of one alone.
pub fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let word = word.to_lowercase();
    let near = |candidate: &&str| (distance(&word, &candidate.to_lowercase()), candidate.len());
    let best = known.iter().copied().min_by_key(near)?;
    if distance(&word, &best.to_lowercase()) <= 1 + best.len() / 4 {
        return Some(best);
    }
    let begins = |long: &str, short: &str| long.strip_prefix(short).is_some_and(|rest| rest.starts_with('_'));
    let shorter = known.iter().copied().find(|one| begins(&word, one));
    shorter.or_else(|| {
        let mut longer = known.iter().copied().filter(|one| begins(one, &word));
        longer.next().filter(|_| longer.next().is_none())
    })
}

/// Says that `word` is not among the `known` ones, and which it may be meant to be.
pub fn unknown(what: &str, word: &str, known: &[&str]) -> String {
    match nearest(word, known) {
        Some(near) => format!("there is no {what} `{word}`; did you mean `{near}`?"),
        None => format!("there is no {what} `{word}`; known are `{}`", known.join("`, `")),
    }
}

/// The Levenshtein distance, in characters.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (at, left) in one.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], at + 1);
        for (column, right) in other.iter().enumerate() {
            let replaced = diagonal + usize::from(left != *right);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[other.len()]
}
