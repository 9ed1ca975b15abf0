//! Money as whole micro-dollars, so that sums are exact.
//!
//! Read from decimal text, never through a rounding float. Deliberately absent: other currencies, negative amounts,
//! and arithmetic that saturates or wraps: a sum that does not fit is `None`.

use std::fmt;
use std::str::FromStr;

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Micro-dollars in a dollar.
const DOLLAR: u64 = 1_000_000;

/// Below this many dollars a float has digits enough for every micro-dollar.
const FLOAT_IS_EXACT: u64 = 1_000_000_000;

/// An amount of US dollars, exact to a millionth.
///
/// Serialised as a decimal number of dollars; read from a number or from text, `1.5` or `"1.5"`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "wire", derive(schemars::JsonSchema, specta::Type), schemars(with = "f64"), specta(type = f64))]
pub struct Money(u64);

/// Why a text is not an amount of money.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// Something else than decimal digits, with a point between some of them.
    #[error("it is not a decimal number such as 1.5, zero or more")]
    Number,
    /// More than six decimals.
    #[error("it is finer than a millionth of a dollar")]
    TooFine,
    /// More than fits.
    #[error("it is more than Conclave can count")]
    TooMuch,
    /// A number that has been through a float which has lost digits of it.
    #[error("put an amount this large in quotation marks")]
    Float,
}

impl Money {
    /// No money.
    pub const ZERO: Self = Self(0);

    /// So many millionths of a dollar.
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros)
    }

    /// The amount in millionths of a dollar.
    pub const fn micros(self) -> u64 {
        self.0
    }

    /// Both together; `None` when that does not fit.
    pub const fn checked_add(self, other: Self) -> Option<Self> {
        match self.0.checked_add(other.0) {
            Some(sum) => Some(Self(sum)),
            None => None,
        }
    }

    /// What is left without `other`; `None` when that is less than nothing.
    pub const fn checked_sub(self, other: Self) -> Option<Self> {
        match self.0.checked_sub(other.0) {
            Some(rest) => Some(Self(rest)),
            None => None,
        }
    }

    /// Whole dollars and millionths beside them.
    const fn parts(self) -> (u64, u64) {
        (self.0 / DOLLAR, self.0 % DOLLAR)
    }
}

impl FromStr for Money {
    type Err = MoneyError;

    /// Reads `1`, `1.5` or `$1.50`.
    fn from_str(text: &str) -> Result<Self, MoneyError> {
        let number = text.strip_prefix('$').unwrap_or(text);
        let (dollars, fraction) = number.split_once('.').unwrap_or((number, "0"));
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(dollars) || !digits(fraction) {
            return Err(MoneyError::Number);
        }
        let fraction = fraction.trim_end_matches('0');
        if fraction.len() > 6 {
            return Err(MoneyError::TooFine);
        }
        let whole = |part: &str| part.parse::<u64>().map_err(|_| MoneyError::TooMuch);
        let micros = whole(&format!("{fraction:0<6}"))?;
        let dollars = whole(dollars)?.checked_mul(DOLLAR);
        dollars.and_then(|dollars| dollars.checked_add(micros)).map(Self).ok_or(MoneyError::TooMuch)
    }
}

impl fmt::Display for Money {
    /// Two decimals at least, as many as it takes to be exact: `$1.50`, `$0.000123`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (dollars, micros) = self.parts();
        let fraction = format!("{micros:06}");
        f.pad(&format!("${dollars}.{:0<2}", fraction.trim_end_matches('0')))
    }
}

impl Serialize for Money {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.parts() {
            (dollars, 0) => serializer.serialize_u64(dollars),
            (dollars, _) if dollars < FLOAT_IS_EXACT => serializer.serialize_f64(self.0 as f64 / DOLLAR as f64),
            (dollars, micros) => serializer.collect_str(&format_args!("{dollars}.{micros:06}")),
        }
    }
}

impl<'de> Deserialize<'de> for Money {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Dollars)
    }
}

struct Dollars;

impl Visitor<'_> for Dollars {
    type Value = Money;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an amount of dollars, such as 1.5")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Money, E> {
        text.parse().map_err(|error| E::custom(format_args!("`{text}` is not an amount of dollars: {error}")))
    }

    fn visit_u64<E: Error>(self, dollars: u64) -> Result<Money, E> {
        self.visit_str(&dollars.to_string())
    }

    fn visit_i64<E: Error>(self, dollars: i64) -> Result<Money, E> {
        self.visit_str(&dollars.to_string())
    }

    fn visit_f64<E: Error>(self, dollars: f64) -> Result<Money, E> {
        if dollars >= FLOAT_IS_EXACT as f64 {
            return Err(E::custom(format_args!("`{dollars}` cannot be read exactly: {}", MoneyError::Float)));
        }
        // The shortest decimal that names this float is the one that was written down.
        self.visit_str(&dollars.to_string())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn decimal_text_is_read_exactly_or_refused() {
        let cases = [
            ("0", Ok(0)),
            ("1.5", Ok(1_500_000)),
            ("$1.50", Ok(1_500_000)),
            ("0.000001", Ok(1)),
            ("0.0000010", Ok(1)),
            ("007.10", Ok(7_100_000)),
            ("18446744073709.551615", Ok(u64::MAX)),
            ("18446744073709.551616", Err(MoneyError::TooMuch)),
            ("99999999999999999999999", Err(MoneyError::TooMuch)),
            ("0.0000001", Err(MoneyError::TooFine)),
            ("", Err(MoneyError::Number)),
            ("$", Err(MoneyError::Number)),
            ("1.", Err(MoneyError::Number)),
            (".5", Err(MoneyError::Number)),
            ("-1", Err(MoneyError::Number)),
            ("+1", Err(MoneyError::Number)),
            ("1e3", Err(MoneyError::Number)),
            ("1,5", Err(MoneyError::Number)),
            ("1.2.3", Err(MoneyError::Number)),
            (" 1", Err(MoneyError::Number)),
            ("١", Err(MoneyError::Number)),
            ("inf", Err(MoneyError::Number)),
        ];
        for (text, expected) in cases {
            assert_eq!(text.parse(), expected.map(Money), "{text}");
        }
    }

    #[test]
    fn people_see_cents_and_as_many_decimals_as_it_takes() {
        for (micros, text) in
            [(0, "$0.00"), (1_500_000, "$1.50"), (1, "$0.000001"), (12_340_000, "$12.34"), (7, "$0.000007")]
        {
            assert_eq!(Money(micros).to_string(), text);
        }
    }

    #[test]
    fn numbers_and_text_are_both_read_and_what_is_not_exact_is_refused() {
        let cases = [
            ("1.5", Some(1_500_000)),
            ("\"1.5\"", Some(1_500_000)),
            ("2", Some(2_000_000)),
            ("0.1", Some(100_000)),
            ("999999999.999999", Some(999_999_999_999_999)),
            ("\"18446744073709.551615\"", Some(u64::MAX)),
            ("123456789012.123456", None),
            ("0.1234567", None),
            ("-1", None),
            ("-0.5", None),
            ("18446744073710", None),
            ("true", None),
            ("null", None),
        ];
        for (json, micros) in cases {
            assert_eq!(serde_json::from_str(json).ok(), micros.map(Money), "{json}");
        }
    }

    #[test]
    fn a_number_is_written_as_a_number_of_dollars() {
        for (micros, json) in [(0, "0"), (5_000_000, "5"), (250_000, "0.25"), (u64::MAX, "\"18446744073709.551615\"")] {
            assert_eq!(serde_json::to_string(&Money(micros)).unwrap(), json);
        }
    }

    #[test]
    fn what_does_not_fit_is_no_amount() {
        let most = Money(u64::MAX);
        assert_eq!(most.checked_add(Money(1)), None);
        assert_eq!(Money(1).checked_sub(Money(2)), None);
        assert_eq!(Money(3).checked_add(Money(4)).and_then(|sum| sum.checked_sub(Money(2))), Some(Money(5)));
    }

    proptest! {
        #[test]
        fn every_amount_comes_back(micros in prop_oneof![any::<u64>(), 0..2_000_000_000_000_000_u64, 0..5_000_000_u64]) {
            let money = Money(micros);
            prop_assert_eq!(money.to_string().parse(), Ok(money));
            let json = serde_json::to_string(&money).unwrap();
            prop_assert_eq!(serde_json::from_str::<Money>(&json).unwrap(), money);
        }
    }
}
