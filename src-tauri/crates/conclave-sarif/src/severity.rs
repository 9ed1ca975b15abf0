//! How bad a result is, from the several places where tools write it.
//!
//! Precedence, first that is there and makes sense:
//! 1. `kind` `pass`, `notApplicable` or `informational`: a note, whatever else is said;
//! 2. `properties.security-severity` of the result, then of its rule: 0 to 10, or one of the words critical, high,
//!    medium (moderate), low, none;
//! 3. `level` of the result: `error` high, `warning` medium, `note` low, `none` a note;
//! 4. `defaultConfiguration.level` of the rule, read in the same way;
//! 5. `rank` of the result, then of the rule's default: 0 to 100, read as a tenth of it on the scale of 2;
//! 6. `warning`, which is SARIF's default: medium.
//!
//! Results of kind `open` and `review` may be real, so they are rated like failures, although the standard gives them no
//! level of their own.

use conclave_core::finding::Severity;

use crate::lenient::Number;

/// What a result and its rule say about how bad it is.
#[derive(Debug, Default)]
pub(crate) struct Signals<'a> {
    pub(crate) kind: Option<&'a str>,
    pub(crate) result_score: Option<Severity>,
    pub(crate) rule_score: Option<Severity>,
    pub(crate) level: Option<&'a str>,
    pub(crate) rule_level: Option<&'a str>,
    pub(crate) rank: Option<f64>,
    pub(crate) rule_rank: Option<f64>,
}

impl Signals<'_> {
    /// The severity after the precedence of this module.
    pub(crate) fn severity(&self) -> Severity {
        if self.kind.is_some_and(is_no_failure) {
            return Severity::Note;
        }
        let of_rank = |rank: f64| Severity::of_score(rank / 10.0);
        self.result_score
            .or(self.rule_score)
            .or_else(|| self.level.and_then(of_level))
            .or_else(|| self.rule_level.and_then(of_level))
            .or_else(|| self.rank.and_then(of_rank))
            .or_else(|| self.rule_rank.and_then(of_rank))
            .unwrap_or(Severity::Medium)
    }
}

/// Whether a result of this `kind` says that nothing is wrong.
pub(crate) fn is_no_failure(kind: &str) -> bool {
    matches!(kind, "pass" | "notApplicable" | "informational")
}

/// The severity that a `security-severity` stands for.
pub(crate) fn of_score(score: &Number) -> Option<Severity> {
    match score {
        Number::Absent => None,
        Number::Is(score) => Severity::of_score(*score),
        Number::Word(word) => match word.to_ascii_lowercase().as_str() {
            "critical" => Some(Severity::Critical),
            "high" => Some(Severity::High),
            "medium" | "moderate" => Some(Severity::Medium),
            "low" => Some(Severity::Low),
            "none" => Some(Severity::Note),
            _ => None,
        },
    }
}

fn of_level(level: &str) -> Option<Severity> {
    match level {
        "error" => Some(Severity::High),
        "warning" => Some(Severity::Medium),
        "note" => Some(Severity::Low),
        "none" => Some(Severity::Note),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_signal_that_makes_sense_decides() {
        use Severity::{Critical, High, Low, Medium, Note};
        // kind, result score, rule score, level, rule level, rank, rule rank
        type Row = (
            &'static str,
            &'static str,
            &'static str,
            &'static str,
            &'static str,
            &'static str,
            &'static str,
            Severity,
        );
        let rows: [Row; 26] = [
            ("", "", "", "", "", "", "", Medium),
            ("fail", "", "", "", "", "", "", Medium),
            ("pass", "9.9", "9.9", "error", "error", "100", "100", Note),
            ("notApplicable", "", "9.9", "", "", "", "", Note),
            ("informational", "", "", "error", "", "", "", Note),
            ("open", "", "", "", "error", "", "", High),
            ("review", "", "9.0", "", "", "", "", Critical),
            ("", "9.0", "1.0", "note", "note", "1", "1", Critical),
            ("", "", "7.0", "note", "note", "1", "1", High),
            ("", "", "0.0", "error", "", "", "", Low),
            ("", "", "10.1", "note", "", "", "", Low),
            ("", "", "-1", "error", "", "", "", High),
            ("", "", "MEDIUM", "error", "", "", "", Medium),
            ("", "", "Critical", "", "", "", "", Critical),
            ("", "", "dreadful", "error", "", "", "", High),
            ("", "", "", "error", "note", "1", "", High),
            ("", "", "", "warning", "error", "99", "", Medium),
            ("", "", "", "note", "error", "99", "", Low),
            ("", "", "", "none", "error", "99", "", Note),
            ("", "", "", "terrible", "error", "", "", High),
            ("", "", "", "", "error", "1", "", High),
            ("", "", "", "", "none", "99", "", Note),
            ("", "", "", "", "", "92.5", "1", Critical),
            ("", "", "", "", "", "0", "99", Low),
            ("", "", "", "", "", "-1", "75", High),
            ("", "", "", "", "", "101", "", Medium),
        ];
        for row in rows {
            let (kind, result_score, rule_score, level, rule_level, rank, rule_rank, expect) = row;
            let some = |text: &'static str| Some(text).filter(|t| !t.is_empty());
            let number = |text: &str| serde_json::from_value::<Number>(text.into()).expect("a number");
            let signals = Signals {
                kind: some(kind),
                result_score: of_score(&number(result_score)),
                rule_score: of_score(&number(rule_score)),
                level: some(level),
                rule_level: some(rule_level),
                rank: number(rank).get(),
                rule_rank: number(rule_rank).get(),
            };
            assert_eq!(signals.severity(), expect, "{row:?}");
        }
    }
}
