//! Latency figures from histograms, and histograms from their written form.

use std::io::Read;

use data_encoding::BASE64;
use flate2::read::ZlibDecoder;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::{Deserializer, Serializer, V2DeflateSerializer};

use crate::bench::result::Latency;

/// A nanosecond in milliseconds.
pub(crate) const NANOSECOND: f64 = 1e-6;

/// The most bytes that a histogram takes, written or in memory: nine for each counter.
const LARGEST: usize = 1 << 20;

/// The figures of a distribution of nanoseconds, and the distribution itself.
pub(crate) fn summary(values: &Histogram<u64>, negative: u64) -> Latency {
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
pub(crate) fn encode(values: &Histogram<u64>) -> String {
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
pub(crate) fn decode(latency: &Latency) -> Result<Option<Histogram<u64>>, String> {
    if latency.count == 0 {
        return Ok(None);
    }
    if latency.histogram.is_empty() {
        return Err(String::from("has no histogram"));
    }
    let values = decode_text(&latency.histogram)?;
    if values.len() != latency.count {
        return Err(format!(
            "has a histogram of {} values, but a count of {}",
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
pub(crate) fn decode_text(text: &str) -> Result<Histogram<u64>, String> {
    if text.len() > LARGEST {
        return Err(String::from("has a histogram that is too large"));
    }
    let bytes = BASE64
        .decode(text.as_bytes())
        .map_err(|_| String::from("has a histogram that is not base64"))?;
    inflated(&bytes)
        .and_then(|plain| Deserializer::new().deserialize(&mut plain.as_slice()).ok())
        .ok_or_else(|| String::from("has a histogram that is not HdrHistogram V2"))
}

/// A histogram that [`encode`] wrote, without the compression: what its head asks for is allocated before anything is
/// read, so that the head is looked at first. Three digits of all 64 bits take 56,320 counters.
fn inflated(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut plain = Vec::new();
    let compressed = bytes.get(8..)?;
    let mut reader = ZlibDecoder::new(compressed).take(LARGEST as u64);
    // What is not whole is refused by the reader of the values.
    reader.read_to_end(&mut plain).ok()?;
    let number = |at: usize| {
        let field = plain.get(at..at + 4)?;
        Some(u32::from_be_bytes(field.try_into().ok()?))
    };
    let (length, digits) = (number(4)? as usize, number(12)?);
    (length <= plain.len() && digits <= 3).then_some(plain)
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
    fn a_hostile_distribution_asks_for_nothing() {
        use std::io::Write;

        use flate2::Compression;
        use flate2::write::ZlibEncoder;

        let written = |length: u32, digits: u32, zeros: usize| {
            let mut plain = Vec::new();
            for number in [0x1C84_9313, length, 0, digits] {
                plain.extend_from_slice(&number.to_be_bytes());
            }
            plain.extend_from_slice(&1_u64.to_be_bytes());
            plain.extend_from_slice(&(u64::MAX / 2).to_be_bytes());
            plain.extend_from_slice(&1_f64.to_be_bytes());
            plain.resize(plain.len() + zeros, 0);
            let mut packed = ZlibEncoder::new(Vec::new(), Compression::best());
            packed.write_all(&plain).unwrap();
            let packed = packed.finish().unwrap();
            let mut whole = 0x1C84_9314_u32.to_be_bytes().to_vec();
            whole.extend_from_slice(&(packed.len() as u32).to_be_bytes());
            whole.extend_from_slice(&packed);
            decode_text(&BASE64.encode(&whole))
        };
        assert!(written(0, 3, 0).is_ok_and(|values| values.is_empty()));
        for (length, digits, zeros) in [(u32::MAX, 3, 0), (0, 5, 0), (1 << 30, 3, 1 << 26)] {
            assert_eq!(
                written(length, digits, zeros).unwrap_err(),
                "has a histogram that is not HdrHistogram V2"
            );
        }
        let long = decode_text(&"A".repeat(LARGEST + 4)).unwrap_err();
        assert_eq!(long, "has a histogram that is too large");
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
            "has a histogram of 1000 values, but a count of 7"
        );
    }
}
