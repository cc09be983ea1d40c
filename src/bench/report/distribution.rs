//! Latency figures from histograms, and histograms from their written form.

use data_encoding::BASE64;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::{Deserializer, Serializer, V2DeflateSerializer};

use crate::bench::result::Latency;

/// A nanosecond in milliseconds.
pub const NANOSECOND: f64 = 1e-6;

/// The figures of a distribution of nanoseconds, and the distribution itself.
pub fn summary(values: &Histogram<u64>, negative: u64) -> Latency {
    if values.is_empty() {
        return Latency {
            negative,
            ..Latency::default()
        };
    }
    let at = |quantile| ms(values.value_at_quantile(quantile).min(values.max()));
    Latency {
        count: values.len(),
        negative,
        min_ms: ms(values.min()),
        mean_ms: values.mean() * NANOSECOND,
        stdev_ms: values.stdev() * NANOSECOND,
        p50_ms: at(0.5),
        p90_ms: at(0.9),
        p95_ms: at(0.95),
        p99_ms: at(0.99),
        p999_ms: at(0.999),
        p9999_ms: at(0.9999),
        max_ms: ms(values.max()),
        histogram: encode(values),
    }
}

/// HdrHistogram V2 compressed, in padded base64.
pub fn encode(values: &Histogram<u64>) -> String {
    let mut bytes = Vec::new();
    match V2DeflateSerializer::new().serialize(values, &mut bytes) {
        Ok(_) => BASE64.encode(&bytes),
        // Writing to memory fails only for a histogram of more than 4 GiB.
        Err(_) => String::new(),
    }
}

/// The distribution that [`encode`] wrote; `None` for one without values.
///
/// # Errors
/// In words, when it is damaged or does not hold as many values as `count` says.
pub fn decode(latency: &Latency) -> Result<Option<Histogram<u64>>, String> {
    if latency.count == 0 {
        return Ok(None);
    }
    if latency.histogram.is_empty() {
        return Err(String::from("has no histogram"));
    }
    let values = decode_text(&latency.histogram)?;
    if values.len() != latency.count {
        return Err(format!(
            "has a histogram of {} values where {} were counted",
            values.len(),
            latency.count
        ));
    }
    Ok(Some(values))
}

/// The distribution that [`encode`] wrote.
///
/// # Errors
/// In words, when it is damaged.
pub fn decode_text(text: &str) -> Result<Histogram<u64>, String> {
    let bytes = BASE64
        .decode(text.as_bytes())
        .map_err(|_| String::from("has a histogram that is not base64"))?;
    Deserializer::new()
        .deserialize(&mut bytes.as_slice())
        .map_err(|_| String::from("has a histogram that is not HdrHistogram V2"))
}

/// Nanoseconds in milliseconds.
fn ms(nanoseconds: u64) -> f64 {
    nanoseconds as f64 * NANOSECOND
}

#[cfg(test)]
mod tests {
    use super::*;

    fn thousand() -> Histogram<u64> {
        let mut values = Histogram::new(3).unwrap();
        for millisecond in 1..=1000 {
            values.record(millisecond * 1_000_000).unwrap();
        }
        values
    }

    #[test]
    fn figures_are_in_milliseconds() {
        let latency = summary(&thousand(), 2);
        assert_eq!((latency.count, latency.negative), (1000, 2));
        let near = |value: f64, expected: f64| (value / expected - 1.0).abs() < 0.002;
        assert!(near(latency.p50_ms, 500.0), "{}", latency.p50_ms);
        assert!(near(latency.p99_ms, 990.0), "{}", latency.p99_ms);
        assert!(near(latency.mean_ms, 500.5), "{}", latency.mean_ms);
        assert!(latency.p9999_ms <= latency.max_ms);
        assert_eq!(
            summary(&Histogram::new(3).unwrap(), 0),
            Latency::default(),
            "an empty one has no figures"
        );
    }

    #[test]
    fn a_distribution_survives_being_written() {
        let latency = summary(&thousand(), 0);
        assert_eq!(decode(&latency).unwrap().unwrap(), thousand());
        assert_eq!(decode(&Latency::default()), Ok(None));
    }

    #[test]
    fn a_damaged_distribution_is_told() {
        let whole = summary(&thousand(), 0);
        let with = |histogram: &str, count| Latency {
            histogram: histogram.to_owned(),
            count,
            ..Latency::default()
        };
        assert_eq!(decode(&with("", 1)).unwrap_err(), "has no histogram");
        assert_eq!(
            decode(&with("*", 1)).unwrap_err(),
            "has a histogram that is not base64"
        );
        assert_eq!(
            decode(&with("AAAA", 1)).unwrap_err(),
            "has a histogram that is not HdrHistogram V2"
        );
        assert_eq!(
            decode(&with(&whole.histogram, 7)).unwrap_err(),
            "has a histogram of 1000 values where 7 were counted"
        );
    }
}
