//! How good choices and their confidences are.

use std::fmt::Write as _;

use conclave_core::calibration;
pub use conclave_core::calibration::{brier, ece};

/// One choice: how sure it was, and whether it was right.
pub type Choice = (f64, bool);

/// Draws that are the same everywhere.
pub struct Draws(pub u64);

impl Draws {
    /// A number under `below`.
    pub fn under(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % below.max(1)
    }
}

/// The share of right ones.
pub fn success(choices: &[Choice]) -> f64 {
    calibration::share(choices)
}

/// How much more often `ours` is right than `other` on the same tasks, with an interval of paired samples.
pub fn gain(ours: &[Choice], other: &[Choice]) -> (f64, f64, f64) {
    let as_figure = |right: bool| f64::from(u8::from(right));
    let pairs: Vec<f64> = ours.iter().zip(other).map(|((_, a), (_, b))| as_figure(*a) - as_figure(*b)).collect();
    let mut draws = Draws(5);
    let mut gains: Vec<f64> =
        (0..1000).map(|_| mean(pairs.iter().map(|_| pairs[draws.under(pairs.len())]), pairs.len())).collect();
    gains.sort_by(f64::total_cmp);
    (mean(pairs.iter().copied(), pairs.len()), gains[25], gains[974])
}

/// The choices of which at least 0.9 was said: count, mean confidence, share of right ones.
pub fn confident(choices: &[Choice]) -> (usize, f64, f64) {
    let part: Vec<Choice> = choices.iter().filter(|(p, _)| *p >= 0.9).copied().collect();
    (part.len(), mean(part.iter().map(|(p, _)| *p), part.len()), success(&part))
}

/// The share of wrong ones among the surest part of `coverage`.
pub fn risk_at(choices: &[Choice], coverage: f64) -> f64 {
    let mut sorted = choices.to_vec();
    sorted.sort_by(|a, b| b.0.total_cmp(&a.0));
    let kept = ((coverage * sorted.len() as f64).round() as usize).clamp(1, sorted.len().max(1));
    1.0 - success(&sorted[..kept.min(sorted.len())])
}

/// From the 2.5th to the 97.5th of a hundred: `figure` over a thousand samples of `choices` with replacement.
pub fn interval(choices: &[Choice], figure: fn(&[Choice]) -> f64) -> (f64, f64) {
    let mut draws = Draws(5);
    let mut figures: Vec<f64> = (0..1000)
        .map(|_| {
            let sample: Vec<Choice> = choices.iter().map(|_| choices[draws.under(choices.len())]).collect();
            figure(&sample)
        })
        .collect();
    figures.sort_by(f64::total_cmp);
    (figures[25], figures[974])
}

/// One line a bin.
pub fn reliability(choices: &[Choice]) -> String {
    let mut text = String::new();
    for calibration::Bin { n, said, was } in calibration::bins(choices) {
        let _ = writeln!(text, "    said {said:.3}  was {was:.3}  n {n}");
    }
    text
}

fn mean(figures: impl Iterator<Item = f64>, count: usize) -> f64 {
    if count == 0 { 0.0 } else { figures.sum::<f64>() / count as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_figures_are_what_they_are_called() {
        let choices: Vec<Choice> = (0..100).map(|n| (if n < 50 { 0.2 } else { 0.95 }, n % 5 == 0 || n >= 55)).collect();
        assert_eq!(success(&choices), 0.56);
        assert_eq!(confident(&choices).0, 50);
        assert!((risk_at(&choices, 0.5) - 0.08).abs() < 1e-12);
        let (low, high) = interval(&choices, success);
        assert!(low < 0.56 && 0.56 < high && high - low < 0.25, "{low} {high}");
        let worse: Vec<Choice> = choices.iter().map(|(p, right)| (*p, *right && *p > 0.5)).collect();
        let (more, low, high) = gain(&choices, &worse);
        assert!((more - 0.1).abs() < 1e-12 && low > 0.0 && low < more && more < high, "{more} {low} {high}");
        assert_eq!(gain(&choices, &choices), (0.0, 0.0, 0.0));
    }
}
