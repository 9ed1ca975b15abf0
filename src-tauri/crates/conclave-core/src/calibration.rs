//! How well what was said agrees with what was, and a line that makes it agree better.
//!
//! Deliberately absent: where outcomes come from. Every figure comes with how many outcomes it is from.

use std::collections::BTreeMap;

use crate::finding::Severity;
use crate::record::{Fit, LEAST_FITTED};

/// How sure somebody was, and whether it was so.
pub type Said = (f64, bool);

/// Most bins of [`bins`].
pub const BINS: usize = 10;

/// The mean of the squared errors (Brier); 0 for none.
pub fn brier(said: &[Said]) -> f64 {
    mean(said.iter().map(|(p, right)| (p - f64::from(u8::from(*right))).powi(2)), said.len())
}

/// The share of right ones; 0 for none.
pub fn share(said: &[Said]) -> f64 {
    mean(said.iter().map(|(_, right)| f64::from(u8::from(*right))), said.len())
}

/// The expected error of calibration over the bins of [`bins`].
pub fn ece(said: &[Said]) -> f64 {
    let parts = bins(said);
    parts.iter().map(|bin| bin.n as f64 * (bin.said - bin.was).abs()).sum::<f64>() / said.len().max(1) as f64
}

/// Outcomes of which about the same was said.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bin {
    /// How many.
    pub n: usize,
    /// What was said on average.
    pub said: f64,
    /// The share of right ones.
    pub was: f64,
}

/// [`BINS`] bins of equal count, the least sure first. What was said alike is never parted, so there may be fewer.
pub fn bins(said: &[Said]) -> Vec<Bin> {
    let mut sorted = said.to_vec();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut parts = Vec::new();
    let mut start = 0;
    for bin in 1..=BINS {
        let mut end = (bin * sorted.len()) / BINS;
        while end > start && end < sorted.len() && sorted[end].0 == sorted[end - 1].0 {
            end += 1;
        }
        if end > start {
            let part = &sorted[start..end];
            let said = mean(part.iter().map(|(p, _)| *p), part.len());
            parts.push(Bin { n: part.len(), said, was: share(part) });
            start = end;
        }
    }
    parts
}

/// Wilson's score interval for a share `p` of `n`, `z` standard deviations wide to each side.
pub fn wilson(p: f64, n: f64, z: f64) -> (f64, f64) {
    let z2 = z * z;
    let centre = (p + z2 / (2.0 * n)) / (1.0 + z2 / n);
    let half = z * (p * (1.0 - p) / n + z2 / (4.0 * n * n)).sqrt() / (1.0 + z2 / n);
    ((centre - half).max(0.0).min(p), (centre + half).min(1.0).max(p))
}

/// One labelled fix, as far as a fit looks at it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Labelled {
    /// How severe the finding was.
    pub severity: Severity,
    /// The log-odds before any fit.
    pub log_odds: f64,
    /// Whether it was right.
    pub right: bool,
    /// How much that says, 0 to 1.
    pub weight: f64,
}

/// How strongly the line of all is held at *as it is*, and that of one severity at the line of all: as so many outcomes.
const HELD: f64 = 3.0;

/// A line for each severity with [`LEAST_FITTED`] outcomes, drawn towards the line of all of them (Platt's scaling with
/// pooling). A line that would turn the order of readings around is none.
pub fn fits(labelled: &[Labelled]) -> Vec<Fit> {
    let pooled = line(labelled.iter(), (1.0, 0.0));
    let mut by: BTreeMap<Severity, Vec<&Labelled>> = BTreeMap::new();
    for one in labelled {
        by.entry(one.severity).or_default().push(one);
    }
    let fit = |(severity, own): (Severity, Vec<&Labelled>)| {
        let n = u32::try_from(own.len()).unwrap_or(u32::MAX);
        let (slope, intercept) = line(own.into_iter(), pooled);
        (n >= LEAST_FITTED && slope > 0.0).then_some(Fit { severity, slope, intercept, n })
    };
    by.into_iter().filter_map(fit).collect()
}

/// Slope and intercept by Newton's method, each held at `prior` by [`HELD`].
fn line<'a>(labelled: impl Iterator<Item = &'a Labelled> + Clone, prior: (f64, f64)) -> (f64, f64) {
    let (mut slope, mut intercept) = prior;
    for _ in 0..50 {
        let (mut down, mut curve) = ([0.0; 2], [[HELD, 0.0], [0.0, HELD]]);
        down[0] -= HELD * (slope - prior.0);
        down[1] -= HELD * (intercept - prior.1);
        for one in labelled.clone() {
            let p = 1.0 / (1.0 + (-(slope * one.log_odds + intercept)).exp());
            let (miss, bend) = (one.weight * (f64::from(u8::from(one.right)) - p), one.weight * p * (1.0 - p));
            let x = [one.log_odds, 1.0];
            for i in 0..2 {
                down[i] += miss * x[i];
                for j in 0..2 {
                    curve[i][j] += bend * x[i] * x[j];
                }
            }
        }
        let determinant = curve[0][0] * curve[1][1] - curve[0][1] * curve[1][0];
        let step = [
            (down[0] * curve[1][1] - down[1] * curve[0][1]) / determinant,
            (down[1] * curve[0][0] - down[0] * curve[1][0]) / determinant,
        ];
        // A long step would leave the region in which the curve is what it was taken for.
        let most = step[0].abs().max(step[1].abs());
        let short = if most > 2.0 { 2.0 / most } else { 1.0 };
        slope += short * step[0];
        intercept += short * step[1];
        if most < 1e-9 {
            break;
        }
    }
    (slope, intercept)
}

fn mean(figures: impl Iterator<Item = f64>, count: usize) -> f64 {
    if count == 0 { 0.0 } else { figures.sum::<f64>() / count as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_figures_are_what_they_are_called() {
        let said: Vec<Said> = (0..100).map(|n| (if n < 50 { 0.2 } else { 0.95 }, n % 5 == 0 || n >= 55)).collect();
        assert_eq!(share(&said), 0.56);
        assert_eq!(bins(&said).iter().map(|bin| bin.n).collect::<Vec<_>>(), [50, 50]);
        assert!((ece(&said) - 0.5 * (0.95 - 0.92_f64).abs()).abs() < 1e-12);
        assert!((brier(&[(1.0, true), (0.5, false)]) - 0.125).abs() < 1e-12);
        assert_eq!((brier(&[]), ece(&[]), bins(&[])), (0.0, 0.0, Vec::new()));
        let (low, high) = wilson(0.5, 100.0, 1.96);
        assert!((low - 0.4038).abs() < 1e-3 && (high - 0.5962).abs() < 1e-3, "{low} {high}");
    }

    /// `n` outcomes of which `said` was said in log-odds and the share `was` came true.
    fn group(severity: Severity, said: f64, was: f64, n: usize) -> Vec<Labelled> {
        let right = (was * n as f64).round() as usize;
        (0..n).map(|index| Labelled { severity, log_odds: said, right: index < right, weight: 1.0 }).collect()
    }

    fn fitted(fit: &Fit, log_odds: f64) -> f64 {
        1.0 / (1.0 + (-(fit.slope * log_odds + fit.intercept)).exp())
    }

    #[test]
    fn a_fit_moves_what_is_said_to_what_was_and_waits_for_fifty_outcomes() {
        let mut labelled = group(Severity::High, 2.0, 0.7, 200);
        labelled.extend(group(Severity::High, 0.0, 0.4, 200));
        labelled.extend(group(Severity::Low, 1.0, 0.9, 49));
        let found = fits(&labelled);
        let [fit] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!((fit.severity, fit.n), (Severity::High, 400));
        assert!((fitted(fit, 2.0) - 0.7).abs() < 0.02 && (fitted(fit, 0.0) - 0.4).abs() < 0.02, "{fit:?}");

        labelled.extend(group(Severity::Low, 1.0, 1.0, 1));
        assert_eq!(fits(&labelled).len(), 2);
        let mut turned = labelled.clone();
        turned.reverse();
        let close = |a: &Fit, b: &Fit| (a.slope - b.slope).abs() < 1e-9 && (a.intercept - b.intercept).abs() < 1e-9;
        assert!(fits(&labelled).iter().zip(&fits(&turned)).all(|(a, b)| close(a, b)));
    }

    #[test]
    fn readings_that_were_upside_down_are_not_fitted() {
        let mut labelled = group(Severity::High, 2.0, 0.1, 300);
        labelled.extend(group(Severity::High, -2.0, 0.9, 300));
        assert_eq!(fits(&labelled), []);
    }
}
