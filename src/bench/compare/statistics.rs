//! Welch's t-test on logarithms: the ratio of two geometric means and how sure it is.

/// How sure a range is to hold the truth.
const CONFIDENCE: f64 = 0.95;

/// The ratio of two sets of runs.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Ratio {
    /// Geometric mean of the first.
    pub(super) before: f64,
    /// Geometric mean of the second.
    pub(super) after: f64,
    /// The second by the first.
    pub(super) point: f64,
    /// Where the true ratio lies with [`CONFIDENCE`]; `None` with one run on a side.
    pub(super) range: Option<[f64; 2]>,
}

/// The ratio; `None` when a value is not above zero.
pub(super) fn ratio(before: &[f64], after: &[f64]) -> Option<Ratio> {
    let (before, after) = (logarithms(before)?, logarithms(after)?);
    let difference = mean(&after) - mean(&before);
    Some(Ratio {
        before: mean(&before).exp(),
        after: mean(&after).exp(),
        point: difference.exp(),
        range: margin(&before, &after)
            .map(|margin| [(difference - margin).exp(), (difference + margin).exp()]),
    })
}

pub(super) fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

fn logarithms(values: &[f64]) -> Option<Vec<f64>> {
    let is_usable = |value: &f64| *value > 0.0 && value.is_finite();
    (!values.is_empty() && values.iter().all(is_usable))
        .then(|| values.iter().map(|value| value.ln()).collect())
}

/// Half the width of the range of the difference of two means (Welch 1947).
fn margin(one: &[f64], other: &[f64]) -> Option<f64> {
    if one.len() < 2 || other.len() < 2 {
        return None;
    }
    let (a, b) = (
        variance(one) / one.len() as f64,
        variance(other) / other.len() as f64,
    );
    if a + b == 0.0 {
        return Some(0.0);
    }
    // Welch–Satterthwaite.
    let freedom =
        (a + b).powi(2) / (a * a / (one.len() - 1) as f64 + b * b / (other.len() - 1) as f64);
    Some(t_quantile(0.5 + CONFIDENCE / 2.0, freedom) * (a + b).sqrt())
}

fn variance(values: &[f64]) -> f64 {
    let middle = mean(values);
    let squares: f64 = values.iter().map(|value| (value - middle).powi(2)).sum();
    squares / (values.len() - 1) as f64
}

/// The value that Student's t stays below with this probability (above one half), by bisection.
fn t_quantile(probability: f64, freedom: f64) -> f64 {
    let (mut low, mut high) = (0.0, 1e6);
    for _ in 0..200 {
        let middle = f64::midpoint(low, high);
        if t_below(middle, freedom) < probability {
            low = middle;
        } else {
            high = middle;
        }
    }
    f64::midpoint(low, high)
}

/// How probably Student's t stays below `t`, which is not negative.
fn t_below(t: f64, freedom: f64) -> f64 {
    let x = freedom / (freedom + t * t);
    1.0 - 0.5 * incomplete_beta(x, freedom / 2.0, 0.5)
}

/// The regularised incomplete beta function I_x(a, b) (NIST DLMF §8.17).
fn incomplete_beta(x: f64, a: f64, b: f64) -> f64 {
    if x <= 0.0 || x >= 1.0 {
        return x.clamp(0.0, 1.0);
    }
    // The fraction converges fast on this side of the mean only.
    if x > (a + 1.0) / (a + b + 2.0) {
        return 1.0 - incomplete_beta(1.0 - x, b, a);
    }
    let front = a * x.ln() + b * (1.0 - x).ln() + ln_gamma(a + b) - ln_gamma(a) - ln_gamma(b);
    front.exp() / (a * beta_fraction(x, a, b))
}

/// The continued fraction of DLMF 8.17.22, from its far end.
fn beta_fraction(x: f64, a: f64, b: f64) -> f64 {
    const TERMS: u32 = 300;
    (1..=TERMS).rev().fold(1.0, |rest, term| {
        let m = f64::from(term / 2);
        let coefficient = if term.is_multiple_of(2) {
            m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m))
        } else {
            -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0))
        };
        1.0 + coefficient / rest
    })
}

/// The logarithm of Γ(x), x > 0: Stirling's series (DLMF 5.11.1), moved up to where it is exact enough.
fn ln_gamma(x: f64) -> f64 {
    if x < 15.0 {
        return ln_gamma(x + 1.0) - x.ln();
    }
    let inverse = 1.0 / (x * x);
    let series = (1.0 / 12.0 - inverse * (1.0 / 360.0 - inverse / 1260.0)) / x;
    (x - 0.5) * x.ln() - x + 0.5 * (2.0 * std::f64::consts::PI).ln() + series
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(value: f64, expected: f64) -> bool {
        (value - expected).abs() < 1e-6 * expected.abs().max(1.0)
    }

    #[test]
    fn gamma_is_the_factorial() {
        assert!(near(ln_gamma(5.0), 24f64.ln()));
        assert!(near(ln_gamma(0.5), std::f64::consts::PI.sqrt().ln()));
    }

    #[test]
    fn quantiles_are_those_of_the_tables() {
        for (freedom, quantile) in [
            (1.0, 12.706_205),
            (2.0, 4.302_653),
            (5.0, 2.570_582),
            (10.0, 2.228_139),
            (30.0, 2.042_272),
            (1_000.0, 1.962_339),
        ] {
            let found = t_quantile(0.975, freedom);
            assert!(near(found, quantile), "{freedom}: {found}");
        }
    }

    #[test]
    fn the_margin_is_welchs() {
        let one = [17.2, 20.9, 22.6, 18.1, 21.7, 21.4, 23.5, 24.2, 14.7, 21.8];
        let other = [21.5, 22.8, 21.0, 23.0, 21.6, 23.6, 22.5, 20.7, 23.4, 21.8];
        // 11.0071 degrees of freedom; the density of t integrated by Simpson's rule gives the quantile 2.200811.
        let margin = margin(&one, &other).unwrap();
        assert!(near(margin, 2.207623), "{margin}");
    }

    #[test]
    fn a_ratio_has_a_range_around_it() {
        let found = ratio(&[10.0, 10.0], &[20.0, 20.0]).unwrap();
        assert!(near(found.point, 2.0) && near(found.before, 10.0));
        assert_eq!(found.range.map(|[low, high]| low == high), Some(true));
        let one = ratio(&[10.0], &[20.0, 30.0]).unwrap();
        assert_eq!(one.range, None);
        // ln 1, ln 4 against ln 2, ln 8: difference ln 2, margin 4.302653 × ln 2 × √2.
        let scattered = ratio(&[1.0, 4.0], &[2.0, 8.0]).unwrap();
        let margin = 4.302_653 * 2f64.ln() * 2f64.sqrt();
        let [low, high] = scattered.range.unwrap();
        assert!(near(high, 2.0 * margin.exp()), "{high}");
        assert!(near(low, 2.0 / margin.exp()), "{low}");
    }

    #[test]
    fn nothing_has_no_ratio() {
        assert_eq!(ratio(&[0.0], &[1.0]), None);
        assert_eq!(ratio(&[], &[1.0]), None);
    }
}
