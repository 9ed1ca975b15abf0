//! Fixes that come to the same, and how much it says that several authors came to it.
//!
//! Two fixes are one when what they leave behind reads alike without layout, comments and made-up names; nearly alike
//! is enough where place, means and imports are the same. Deliberately absent: parsing; a [`Shape`] is handed in.
//! Invariants: the order of fixes changes nothing; fixes that a check tells apart are two, however alike they read.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::digest::Digest;

/// By what means a fix removes a weakness.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mitigation {
    /// Values travel apart from code.
    Parameterise,
    /// Values are encoded for their place.
    Encode,
    /// Values are checked first.
    Validate,
    /// The dangerous code is gone.
    Remove,
    /// Size, time or number is limited.
    Bound,
    /// Who asks is checked first.
    Authorise,
    /// Another function does it.
    ReplaceApi,
    /// A setting or argument is changed.
    Configure,
}

impl Mitigation {
    /// What such a fix does, for example `binds values`.
    pub fn label(self) -> &'static str {
        match self {
            Self::Parameterise => "keeps values apart from code",
            Self::Encode => "encodes values",
            Self::Validate => "checks values first",
            Self::Remove => "removes the code",
            Self::Bound => "sets a limit",
            Self::Authorise => "checks who asks",
            Self::ReplaceApi => "uses another function",
            Self::Configure => "changes a setting",
        }
    }
}

/// What a fix leaves behind, apart from layout, comments and made-up names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shape {
    /// The functions that are changed, as `path:name`, sorted.
    pub symbols: Vec<String>,
    /// By what means; `None` where that cannot be told.
    pub mitigation: Option<Mitigation>,
    /// The imports that are added, sorted.
    pub imports: Vec<String>,
    /// Of all tokens of these functions after the fix.
    pub body: Digest,
    /// Those of them between the first and the last that differ from before.
    pub changed: Vec<String>,
}

/// Fixes whose changed tokens differ by this share at most are one.
pub const NEAR: f64 = 0.15;
/// Longer changes are compared as wholes only.
const LONGEST: usize = 2000;

impl Shape {
    /// Whether both come to the same.
    pub fn is_like(&self, other: &Self) -> bool {
        if (&self.symbols, self.mitigation, &self.imports) != (&other.symbols, other.mitigation, &other.imports) {
            return false;
        }
        self.body == other.body || distance(&self.changed, &other.changed).is_some_and(|share| share <= NEAR)
    }
}

/// Tokens to put in, take out or exchange to make one of the other, as a share of the longer; `None` when there are
/// none to compare, or too many.
fn distance(one: &[String], other: &[String]) -> Option<f64> {
    let longer = one.len().max(other.len());
    if one.is_empty() || other.is_empty() || longer > LONGEST {
        return None;
    }
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, token) in one.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, against) in other.iter().enumerate() {
            let exchanged = diagonal + usize::from(token != against);
            diagonal = row[j + 1];
            row[j + 1] = exchanged.min(row[j] + 1).min(row[j + 1] + 1);
        }
    }
    Some(row[other.len()] as f64 / longer as f64)
}

/// The cluster of each of `count` fixes, by the lowest index in it. `same` says whether two are one.
pub fn clusters(count: usize, same: impl Fn(usize, usize) -> bool) -> Vec<usize> {
    let mut of: Vec<usize> = (0..count).collect();
    for one in 0..count {
        for other in one + 1..count {
            let (low, high) = (of[one].min(of[other]), of[one].max(of[other]));
            if low != high && same(one, other) {
                of.iter_mut().filter(|cluster| **cluster == high).for_each(|cluster| *cluster = low);
            }
        }
    }
    of
}

/// How like the mistakes of two answers of one family are.
const WITHIN_FAMILY: f64 = 0.75;
/// How like the mistakes of answers of two families are: nine judges are worth two, 9 / (1 + 8r) = 2.
const ACROSS_FAMILIES: f64 = 0.44;

/// What as many answers of these families are worth, in independent ones: k squared over the sum of all likenesses.
pub fn independent(families: &[String]) -> f64 {
    let mut sizes: BTreeMap<&str, f64> = BTreeMap::new();
    for family in families {
        *sizes.entry(family).or_default() += 1.0;
    }
    let all: f64 = sizes.values().sum();
    if all == 0.0 {
        return 1.0;
    }
    let pairs: f64 = sizes.values().map(|size| size * (size - 1.0)).sum();
    let across = all * all - all - pairs;
    all * all / (all + WITHIN_FAMILY * pairs + ACROSS_FAMILIES * across)
}

/// The log-odds of agreement among answers of these families.
pub fn agreement(families: &[String]) -> f64 {
    (0.55 * independent(families).ln()).clamp(0.0, 0.5)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(changed: &str) -> Shape {
        let changed: Vec<String> = changed.split(' ').map(str::to_owned).collect();
        let body = Digest::of_parts(changed.iter().map(String::as_str));
        Shape { symbols: vec!["a.py:f".to_owned()], mitigation: None, imports: Vec::new(), body, changed }
    }

    #[test]
    fn nearly_alike_is_one_and_other_means_are_two() {
        let ten = "a b c d e f g h i j";
        for (other, like) in [
            (ten, true),
            ("a b c d e f g h i x", true),
            ("a b c d e f g h i j k", true),
            ("a b c d e f g h x y", false),
            ("x", false),
        ] {
            assert_eq!(shape(ten).is_like(&shape(other)), like, "{other}");
            assert_eq!(shape(other).is_like(&shape(ten)), like, "{other}");
        }
        let encode = Shape { mitigation: Some(Mitigation::Encode), ..shape(ten) };
        let import = Shape { imports: vec!["import html".to_owned()], ..shape(ten) };
        let place = Shape { symbols: vec!["a.py:g".to_owned()], ..shape(ten) };
        for other in [encode, import, place] {
            assert!(!shape(ten).is_like(&other), "{other:?}");
        }
    }

    #[test]
    fn what_is_one_with_one_of_a_cluster_is_of_the_cluster() {
        let pairs = [(0, 3), (3, 1), (2, 4)];
        let same = |a: usize, b: usize| pairs.contains(&(a, b)) || pairs.contains(&(b, a));
        assert_eq!(clusters(6, same), [0, 0, 2, 0, 2, 5]);
    }

    #[test]
    fn votes_are_worth_less_than_their_number() {
        let votes = |text: &str| text.chars().map(String::from).collect::<Vec<_>>();
        for (families, worth) in
            [("", 1.0), ("a", 1.0), ("aa", 1.142_857), ("ab", 1.388_888), ("abc", 1.595_745), ("abcde", 1.811_594)]
        {
            assert!((independent(&votes(families)) - worth).abs() < 1e-5, "{families}");
        }
        // Nine families are worth nearly two answers, and no number of them more than what is allowed.
        assert!((independent(&votes("abcdefghi")) - 1.991_150).abs() < 1e-5);
        assert!(agreement(&votes("abcdefghijklmnopqrstuvwxyz")) <= 0.5);
    }
}
