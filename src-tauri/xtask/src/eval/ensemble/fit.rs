//! Logistic regression with a penalty, by Newton's method.

/// Weights, the constant first.
pub type Weights = Vec<f64>;

/// One observation: features with a leading 1, whether it was so, and how much it counts.
pub struct Seen {
    pub x: Vec<f64>,
    pub y: bool,
    pub weight: f64,
}

/// The weights that fit `seen` best, where each but the constant costs `penalty` times its square, halved, away from
/// `prior`.
pub fn logistic(seen: &[Seen], penalty: f64, prior: &[f64]) -> Weights {
    let size = prior.len();
    let mut weights = prior.to_vec();
    for _ in 0..50 {
        let mut gradient = vec![0.0; size];
        let mut hessian = vec![vec![0.0; size]; size];
        for j in 0..size {
            let cost = if j == 0 { 1e-3 } else { penalty };
            gradient[j] -= cost * (weights[j] - prior[j]);
            hessian[j][j] += cost;
        }
        for Seen { x, y, weight } in seen {
            let p = sigmoid(dot(&weights, x));
            let (miss, curve) = (weight * (f64::from(u8::from(*y)) - p), weight * p * (1.0 - p));
            for j in 0..size {
                gradient[j] += miss * x[j];
                for k in 0..size {
                    hessian[j][k] += curve * x[j] * x[k];
                }
            }
        }
        let step = solve(hessian, gradient);
        let most = step.iter().fold(0.0_f64, |most, s| most.max(s.abs()));
        // A long step would leave the region in which the curve is what it was taken for.
        let short = if most > 2.0 { 2.0 / most } else { 1.0 };
        weights.iter_mut().zip(&step).for_each(|(w, s)| *w += short * s);
        if most < 1e-9 {
            break;
        }
    }
    weights
}

/// The solution of a symmetric system, by elimination with the largest pivot.
fn solve(mut rows: Vec<Vec<f64>>, mut values: Vec<f64>) -> Vec<f64> {
    let size = values.len();
    for column in 0..size {
        let pivot = (column..size).max_by(|a, b| rows[*a][column].abs().total_cmp(&rows[*b][column].abs()));
        let pivot = pivot.unwrap_or(column);
        rows.swap(column, pivot);
        values.swap(column, pivot);
        let head = rows[column].clone();
        for row in column + 1..size {
            let factor = rows[row][column] / head[column];
            rows[row].iter_mut().zip(&head).skip(column).for_each(|(cell, top)| *cell -= factor * top);
            values[row] -= factor * values[column];
        }
    }
    for column in (0..size).rev() {
        let known: f64 = (column + 1..size).map(|k| rows[column][k] * values[k]).sum();
        values[column] = (values[column] - known) / rows[column][column];
    }
    values
}

pub fn dot(weights: &[f64], x: &[f64]) -> f64 {
    weights.iter().zip(x).map(|(w, x)| w * x).sum()
}

pub fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shares_of_two_groups_are_found_and_a_penalty_draws_them_together() {
        let group = |x: f64, right: usize| (0..100).map(move |n| Seen { x: vec![1.0, x], y: n < right, weight: 1.0 });
        let seen: Vec<Seen> = group(0.0, 20).chain(group(1.0, 70)).collect();
        let p = |penalty: f64, x: f64| sigmoid(dot(&logistic(&seen, penalty, &[0.0, 0.0]), &[1.0, x]));
        assert!((p(1e-6, 0.0) - 0.2).abs() < 1e-3 && (p(1e-6, 1.0) - 0.7).abs() < 1e-3);
        assert!(p(1e3, 1.0) - p(1e3, 0.0) < 0.1);
    }
}
