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

/// How many slips of the pen lie between the two: characters too many, too few, wrong, or two that changed places.
fn distance(one: &str, other: &str) -> usize {
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (at, left) in one.iter().enumerate() {
        let mut next = vec![at + 1];
        for (column, right) in other.iter().enumerate() {
            let mut least = (row[column] + usize::from(left != right)).min(row[column + 1] + 1).min(next[column] + 1);
            let swapped = at > 0 && column > 0 && *left == other[column - 1] && one[at - 1] == *right;
            if swapped {
                least = least.min(before[column - 1] + 1);
            }
            next.push(least);
        }
        before = std::mem::replace(&mut row, next);
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fewest_slips_of_the_pen_win() {
        for (word, known, expect) in [
            ("modles", vec!["roles", "models"], Some("models")),
            ("roels", vec!["roles", "models"], Some("roles")),
            ("budgets", vec!["budget", "models"], Some("budget")),
            ("ab", vec!["ba"], Some("ba")),
            ("proxy", vec!["models"], None),
        ] {
            assert_eq!(nearest(word, &known), expect, "{word}");
        }
    }
}
