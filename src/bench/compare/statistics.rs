//! Welch's t-test: the ratio of two geometric means, how sure it is, and how probable a difference is by chance.

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

/// Half the width of the range of the difference of two means.
fn margin(one: &[f64], other: &[f64]) -> Option<f64> {
    let (error, freedom) = error(one, other, 0.0)?;
    if error == 0.0 {
        return Some(0.0);
    }
    Some(t_quantile(0.5 + CONFIDENCE / 2.0, freedom) * error)
}

/// The standard error of the difference of two means and its degrees of freedom (Welch 1947); `None` with one value on
/// a side. `least`: the variance that the values have in any case.
fn error(one: &[f64], other: &[f64], least: f64) -> Option<(f64, f64)> {
    if one.len() < 2 || other.len() < 2 {
        return None;
    }
    let (a, b) = (
        variance(one).max(least) / one.len() as f64,
        variance(other).max(least) / other.len() as f64,
    );
    // Welch–Satterthwaite.
    let freedom =
        (a + b).powi(2) / (a * a / (one.len() - 1) as f64 + b * b / (other.len() - 1) as f64);
    Some(((a + b).sqrt(), freedom))
}

/// What kind of values are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Values {
    /// Times, rates, sizes: compared by their logarithms where all are above zero.
    Measured,
    /// Events, which scatter by chance at least as a Poisson process does.
    Counted,
}

/// How probable it is that chance alone makes the mean of `high` exceed that of `low` by this much: the one-sided p-value
/// of Welch's t-test. `None`: there are too few values, or they are all the same.
pub(super) fn chance(low: &[f64], high: &[f64], values: Values) -> Option<f64> {
    let mut all = low.iter().chain(high);
    if all.all(|value| *value == low[0]) {
        return None;
    }
    let logarithms = match values {
        Values::Measured => logarithms(low).zip(logarithms(high)),
        Values::Counted => None,
    };
    let (low, high) = logarithms.unwrap_or_else(|| (low.to_vec(), high.to_vec()));
    let least = match values {
        Values::Measured => 0.0,
        Values::Counted => f64::midpoint(mean(&low), mean(&high)),
    };
    let (error, freedom) = error(&low, &high, least)?;
    let difference = mean(&high) - mean(&low);
    if error == 0.0 {
        return Some(if difference > 0.0 { 0.0 } else { 1.0 });
    }
    let beyond = t_above(difference.abs() / error, freedom);
    Some(if difference > 0.0 {
        beyond
    } else {
        1.0 - beyond
    })
}

/// Probabilities corrected for their number (Holm 1979): when nothing has changed, any of them is below 0.02 in at most
/// 2 % of all comparisons.
pub(super) fn holm(chances: &[Option<f64>]) -> Vec<Option<f64>> {
    let mut order: Vec<usize> = (0..chances.len())
        .filter(|at| chances[*at].is_some())
        .collect();
    order.sort_by(|one, other| f64::total_cmp(&value(chances[*one]), &value(chances[*other])));
    let mut corrected = vec![None; chances.len()];
    let mut least = 0.0;
    for (rank, at) in order.iter().enumerate() {
        let left = (order.len() - rank) as f64;
        least = f64::max(least, (left * value(chances[*at])).min(1.0));
        corrected[*at] = Some(least);
    }
    corrected
}

fn value(chance: Option<f64>) -> f64 {
    chance.unwrap_or(1.0)
}

fn variance(values: &[f64]) -> f64 {
    let middle = mean(values);
    let squares: f64 = values.iter().map(|value| (value - middle).powi(2)).sum();
    squares / (values.len() - 1) as f64
}

/// The value that Student's t stays below with this probability (above one half), by bisection.
fn t_quantile(probability: f64, freedom: f64) -> f64 {
    let (mut low, mut high) = (0.0, 1e6);
    for _ in 0..80 {
        let middle = f64::midpoint(low, high);
        if t_above(middle, freedom) > 1.0 - probability {
            low = middle;
        } else {
            high = middle;
        }
    }
    f64::midpoint(low, high)
}

/// How probably Student's t exceeds `t`, which is not negative.
fn t_above(t: f64, freedom: f64) -> f64 {
    let x = freedom / (freedom + t * t);
    0.5 * incomplete_beta(x, freedom / 2.0, 0.5)
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
    fn chance_is_one_sided() {
        let (low, high) = ([1.0, 2.0, 3.0], [3.0, 4.0, 5.0]);
        // t = 2 / sqrt(2/3) = 2.449490 with 4 degrees of freedom.
        let found = chance(&low, &high, Values::Counted).unwrap();
        let exact = t_above(2.0 / (2.0_f64 * 3.0 / 3.0).sqrt(), 4.0);
        assert!(
            near(found, exact),
            "{found}: the variance is that of events"
        );
        assert!(near(t_above(2.449_490, 4.0), 0.035_242));
        let back = chance(&high, &low, Values::Counted).unwrap();
        assert!(near(found + back, 1.0));
        assert_eq!(chance(&[1.0], &high, Values::Measured), None, "one value");
        assert_eq!(chance(&[0.0; 3], &[0.0; 3], Values::Counted), None);
        assert_eq!(chance(&[1.0; 3], &[2.0; 3], Values::Measured), Some(0.0));
    }

    #[test]
    fn probabilities_are_corrected_for_their_number() {
        let chances = [Some(0.01), None, Some(0.04), Some(0.03), Some(0.005)];
        let holm: Vec<f64> = holm(&chances)
            .iter()
            .map(|one| one.unwrap_or(0.0))
            .collect();
        for (found, expected) in holm.iter().zip([0.03, 0.0, 0.06, 0.06, 0.02]) {
            assert!(near(*found, expected), "{holm:?}");
        }
    }

    #[test]
    fn nothing_has_no_ratio() {
        assert_eq!(ratio(&[0.0], &[1.0]), None);
        assert_eq!(ratio(&[], &[1.0]), None);
    }
}
