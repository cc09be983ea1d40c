//! The distributions as an HdrHistogram V2 interval log: one line for each interval and quantity, tagged with its name,
//! or, where a result has no distributions over time, one line a quantity over the measured time; values are
//! nanoseconds, the maximum is shown in milliseconds.

use std::time::{Duration, SystemTime};

use hdrhistogram::Histogram;
use hdrhistogram::serialization::V2DeflateSerializer;
use hdrhistogram::serialization::interval_log::{IntervalLogWriterBuilder, Tag};
use jiff::Timestamp;

use crate::bench::result::{Interval, Report};
use crate::error::{Error, Result};

use super::distribution::{decode, decode_text};
use super::rows;

/// Nanoseconds in a millisecond.
const MILLISECOND: f64 = 1e6;

/// The log, as the HdrHistogram tools of every language read it.
///
/// # Errors
/// [`Kind::Usage`](crate::error::Kind::Usage) when a distribution is damaged.
pub(crate) fn render(report: &Report) -> Result<String> {
    let mut log = Vec::new();
    let mut serializer = V2DeflateSerializer::new();
    let broken = |_| Error::usage("the histograms cannot be written as a log");
    let began = start(report);
    let mut writer = IntervalLogWriterBuilder::new()
        .add_comment("[Histogram log format version 1.3]")
        .add_comment(&format!("[{}]", rows::title(report).replace('\n', " ")))
        .with_start_time(began)
        .with_base_time(began)
        .with_max_value_divisor(MILLISECOND)
        .begin_log_with(&mut log, &mut serializer)
        .map_err(broken)?;
    for entry in entries(report)? {
        let name = entry.name;
        writer
            .write_histogram(&entry.values, entry.from, entry.length, Tag::new(name))
            .map_err(|cause| Error::usage(format!("latency {name}: {cause}")))?;
    }
    Ok(String::from_utf8_lossy(&log).into_owned())
}

/// One line of the log.
struct Entry<'a> {
    name: &'a str,
    from: Duration,
    length: Duration,
    values: Histogram<u64>,
}

fn entries(report: &Report) -> Result<Vec<Entry<'_>>> {
    let with_distributions = |point: &Interval| !point.histograms.is_empty();
    if report.intervals.iter().any(with_distributions) {
        return over_time(report);
    }
    let mut entries = Vec::new();
    for (name, latency) in rows::quantities(report) {
        let damaged = |why| Error::usage(format!("latency {name} {why}"));
        if let Some(values) = decode(latency).map_err(damaged)? {
            entries.push(Entry {
                name,
                from: span(report.phases.warmup_s),
                length: span(report.phases.measured_s),
                values,
            });
        }
    }
    Ok(entries)
}

fn over_time(report: &Report) -> Result<Vec<Entry<'_>>> {
    let (mut entries, mut began) = (Vec::new(), 0.0);
    for point in &report.intervals {
        for (name, text) in &point.histograms {
            let damaged = |why| {
                let at = point.at_s;
                Error::usage(format!(
                    "the interval up to {at:.1} s: latency {name} {why}"
                ))
            };
            entries.push(Entry {
                name,
                from: span(began),
                length: span(point.at_s - began),
                values: decode_text(text).map_err(damaged)?,
            });
        }
        began = point.at_s;
    }
    Ok(entries)
}

fn start(report: &Report) -> SystemTime {
    let moment: Option<Timestamp> = report.started_at.parse().ok();
    moment.map_or(SystemTime::UNIX_EPOCH, SystemTime::from)
}

fn span(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use data_encoding::BASE64;
    use hdrhistogram::serialization::Deserializer;
    use hdrhistogram::serialization::interval_log::{IntervalLogIterator, LogEntry};

    use super::*;
    use crate::bench::report::sample;
    use crate::bench::series;

    #[test]
    fn the_log_is_read_back() {
        let report = sample::report();
        let log = render(&report).unwrap();
        let mut tags = Vec::new();
        for entry in IntervalLogIterator::new(log.as_bytes()) {
            match entry.unwrap() {
                LogEntry::StartTime(time) => assert_eq!(time.as_secs(), 1_795_208_400),
                LogEntry::BaseTime(time) => assert_eq!(time.as_secs(), 1_795_208_400),
                LogEntry::Interval(entry) => {
                    assert_eq!(entry.start_timestamp(), Duration::from_secs(5));
                    assert_eq!(entry.duration(), Duration::from_secs(30));
                    let name = entry.tag().unwrap().as_str().to_owned();
                    let bytes = BASE64.decode(entry.encoded_histogram().as_bytes()).unwrap();
                    let values: Histogram<u64> =
                        Deserializer::new().deserialize(&mut &bytes[..]).unwrap();
                    let expected = decode(&report.latency[&name]).unwrap().unwrap();
                    assert_eq!(values, expected);
                    tags.push(name);
                }
            }
        }
        assert_eq!(
            tags,
            ["response", "end_to_end", "service", "lag", "connect"]
        );
    }

    #[test]
    fn there_is_a_line_for_each_interval_and_quantity() {
        let mut report = sample::report();
        let values = sample::values(100, 1.0, 0.0);
        for point in &mut report.intervals {
            series::enter(point, [(String::from("response"), &values)].into());
        }
        let log = render(&report).unwrap();
        let mut count = 0;
        for entry in IntervalLogIterator::new(log.as_bytes()) {
            if let LogEntry::Interval(entry) = entry.unwrap() {
                assert_eq!(entry.start_timestamp(), Duration::from_secs(count));
                assert_eq!(entry.duration(), Duration::from_secs(1));
                count += 1;
            }
        }
        assert_eq!(count, report.intervals.len() as u64);
        report.intervals[3]
            .histograms
            .insert(String::from("lag"), String::from("?"));
        assert_eq!(
            render(&report).unwrap_err().text(),
            "the interval up to 4.0 s: latency lag has a histogram that is not base64"
        );
    }

    #[test]
    fn a_damaged_distribution_is_named() {
        let mut report = sample::report();
        report.latency.get_mut("lag").unwrap().histogram = String::from("?");
        assert_eq!(
            render(&report).unwrap_err().text(),
            "latency lag has a histogram that is not base64"
        );
    }
}
