//! Numbers with units as people read them: three digits that count, and the unit that keeps them short.

/// Milliseconds: `850 ns`, `123 µs`, `1.23 ms`, `2.00 s`.
pub(in crate::bench) fn time(ms: f64) -> String {
    scaled(ms, &[(1e-6, "ns"), (1e-3, "µs"), (1.0, "ms"), (1e3, "s")])
}

/// Seconds, as [`time`] shows milliseconds.
pub(in crate::bench) fn seconds(s: f64) -> String {
    time(s * 1e3)
}

/// Messages in a second, with four digits as small differences matter: `950/s`, `49.96 k/s`, `1.200 M/s`.
pub(in crate::bench) fn rate(per_second: f64) -> String {
    let size = per_second.abs();
    match size {
        _ if size < 999.95 && size.fract() == 0.0 => format!("{per_second}/s"),
        _ if size < 999.95 => format!("{}/s", digits(per_second, 4)),
        _ if size < 999_950.0 => format!("{} k/s", digits(per_second / 1e3, 4)),
        _ => format!("{} M/s", digits(per_second / 1e6, 4)),
    }
}

/// Messages in a second where there is little room: `950/s`, `50.0k/s`.
pub(in crate::bench) fn brief_rate(per_second: f64) -> String {
    if per_second < 999.5 {
        return format!("{}/s", digits(per_second, 3));
    }
    let shown = scaled(per_second, &[(1e3, "k/s"), (1e6, "M/s")]);
    shown.replace(' ', "")
}

/// Bytes in powers of 1,000: `512 B`, `67.1 MB`.
pub(in crate::bench) fn bytes(bytes: f64) -> String {
    scaled(
        bytes,
        &[
            (1.0, "B"),
            (1e3, "kB"),
            (1e6, "MB"),
            (1e9, "GB"),
            (1e12, "TB"),
        ],
    )
}

/// `12.5 %`.
pub(in crate::bench) fn percent(percent: f64) -> String {
    format!("{} %", three(percent))
}

/// A whole number with commas: `1,234,567`.
pub(in crate::bench) fn count(count: u64) -> String {
    let digits = count.to_string();
    let mut shown = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}

/// Three digits that count and no more decimals than that needs: `0.125`, `1.25`, `12.5`, `125`, `1250`.
pub(in crate::bench) fn three(number: f64) -> String {
    digits(number, 3)
}

/// `wanted` digits that count, and at most as many decimals.
fn digits(number: f64, wanted: i32) -> String {
    if number == 0.0 {
        return String::from("0");
    }
    // Written with its exponent a number is rounded first: 999.6 has the exponent 3.
    let written = format!("{number:.*e}", wanted as usize - 1);
    let exponent = written
        .rsplit('e')
        .next()
        .and_then(|power| power.parse().ok());
    let decimals = (wanted - 1 - exponent.unwrap_or(0)).clamp(0, wanted);
    format!("{number:.*}", decimals as usize)
}

/// The number in the largest unit of `units` that leaves at least one before the point.
fn scaled(number: f64, units: &[(f64, &str)]) -> String {
    let rounded = number.abs() * 1.0005;
    let fits = |unit: &&(f64, &str)| rounded >= unit.0;
    let (size, name) = match units.iter().rev().find(fits) {
        Some(unit) => unit,
        None => &units[0],
    };
    format!("{} {name}", three(number / size))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times() {
        let shown = [
            0.0, 0.00085, 0.123, 0.99999, 1.234, 19.96, 250.0, 1903.0, 65e3,
        ]
        .map(time);
        assert_eq!(
            shown,
            [
                "0 ns", "850 ns", "123 µs", "1.00 ms", "1.23 ms", "20.0 ms", "250 ms", "1.90 s",
                "65.0 s"
            ]
        );
    }

    #[test]
    fn rates() {
        let shown = [0.0, 0.25, 950.0, 999.9, 50_000.0, 1_200_000.0].map(rate);
        assert_eq!(
            shown,
            [
                "0/s",
                "0.2500/s",
                "950/s",
                "999.9/s",
                "50.00 k/s",
                "1.200 M/s"
            ]
        );
    }

    #[test]
    fn brief_rates() {
        let shown = [0.0, 950.0, 999.9, 49_960.0, 1_200_000.0].map(brief_rate);
        assert_eq!(shown, ["0/s", "950/s", "1.00k/s", "50.0k/s", "1.20M/s"]);
    }

    #[test]
    fn counts_and_bytes() {
        assert_eq!(
            [0, 999, 1000, 1_234_567].map(count),
            ["0", "999", "1,000", "1,234,567"]
        );
        assert_eq!(
            [0.0, 512.0, 67_108_864.0].map(bytes),
            ["0 B", "512 B", "67.1 MB"]
        );
        assert_eq!(percent(12.5), "12.5 %");
    }
}
