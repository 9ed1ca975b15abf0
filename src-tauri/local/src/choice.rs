//! Choosing the next token.
//!
//! Pure: logits, what is allowed and a source of randomness in, a token out. The samplers of llama.cpp are not used,
//! because they choose from everything when a constraint fails, and accept twice when told so.

/// Under this part of the likeliest token's probability a token is never chosen.
const UNLIKELY: f32 = 0.05;

/// A token and how likely it was.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Choice {
    /// Its number.
    pub token: usize,
    /// Natural logarithm of its probability, before anything was forbidden and at temperature 1.
    pub log_probability: f32,
}

/// Chooses a token; `None` when none is allowed. At temperature 0 it is the likeliest, and of equals the first.
pub fn choose(
    logits: &[f32],
    allowed: impl Fn(usize) -> bool,
    temperature: f32,
    random: &mut Random,
) -> Option<Choice> {
    let candidates = || logits.iter().copied().enumerate().filter(|(token, _)| allowed(*token));
    let best = candidates().reduce(|best, one| if one.1 > best.1 { one } else { best })?;
    let token = if temperature > 0.0 { draw(candidates, best, temperature, random) } else { best.0 };
    let highest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let sum: f64 = logits.iter().map(|logit| f64::from(logit - highest).exp()).sum();
    #[expect(clippy::cast_possible_truncation, reason = "a logarithm of a probability needs few digits")]
    let log_probability = (f64::from(logits[token] - highest) - sum.ln()) as f32;
    Some(Choice { token, log_probability })
}

fn draw<I>(candidates: impl Fn() -> I, best: (usize, f32), temperature: f32, random: &mut Random) -> usize
where
    I: Iterator<Item = (usize, f32)>,
{
    let likely = || {
        candidates().filter_map(|(token, logit)| {
            let weight = f64::from((logit - best.1) / temperature).exp();
            (logit - best.1 >= UNLIKELY.ln()).then_some((token, weight))
        })
    };
    let mut left = likely().map(|(_, weight)| weight).sum::<f64>() * random.next();
    for (token, weight) in likely() {
        left -= weight;
        if left < 0.0 {
            return token;
        }
    }
    best.0
}

/// A source of numbers that look random and are the same for the same seed: SplitMix64 (Steele, Lea and Flood, 2014).
pub struct Random(u64);

impl Random {
    /// Starts at `seed`.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number from 0 up to and without 1.
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^= z >> 31;
        // The upper 53 bits: as many as the number has digits.
        #[expect(clippy::cast_precision_loss, reason = "53 bits fit")]
        let whole = (z >> 11) as f64;
        whole / (1u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_likeliest_allowed_token_is_chosen() {
        let logits = [1.0, 3.0, 2.0, 3.0];
        let cases: [(&[usize], Option<usize>); 5] =
            [(&[0, 1, 2, 3], Some(1)), (&[0, 2], Some(2)), (&[3], Some(3)), (&[0], Some(0)), (&[], None)];
        for (allowed, expect) in cases {
            let chosen = choose(&logits, |token| allowed.contains(&token), 0.0, &mut Random::new(0));
            assert_eq!(chosen.map(|choice| choice.token), expect, "{allowed:?}");
        }
    }

    #[test]
    fn the_log_probability_is_the_one_before_anything_was_forbidden() {
        let logits = [0.0, 0.0, 0.0, 0.0];
        let chosen = choose(&logits, |token| token == 2, 0.0, &mut Random::new(0)).unwrap();
        assert!((chosen.log_probability - 0.25f32.ln()).abs() < 1e-6, "{chosen:?}");
    }

    #[test]
    fn a_temperature_spreads_the_choice_over_what_is_likely_and_the_seed_repeats_it() {
        let logits = [2.0, 2.0, -9.0, 2.0];
        let draws = |seed| {
            let mut random = Random::new(seed);
            let one = |_| choose(&logits, |token| token != 3, 1.0, &mut random).unwrap().token;
            (0..400).map(one).collect::<Vec<_>>()
        };
        let chosen = draws(1);
        let count = |token| chosen.iter().filter(|one| **one == token).count();
        assert_eq!((count(2), count(3)), (0, 0), "unlikely, forbidden");
        assert!(count(0) > 120 && count(1) > 120, "{} {}", count(0), count(1));
        assert_eq!(draws(1), chosen);
        assert_ne!(draws(2), chosen);
    }
}
