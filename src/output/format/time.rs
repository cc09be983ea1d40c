//! Times as text, remembered for as long as the second lasts.

use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Seconds since 1970 and the nanoseconds that follow; before 1970 the seconds are negative.
pub(super) fn since_epoch(time: SystemTime) -> (i64, u32) {
    match time.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(after) => (seconds(after), after.subsec_nanos()),
        Err(before) => {
            let before = before.duration();
            match before.subsec_nanos() {
                0 => (-seconds(before), 0),
                nanos => (-seconds(before) - 1, 1_000_000_000 - nanos),
            }
        }
    }
}

fn seconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)
}

/// Seconds since the message before, with microseconds: `1.500000`; less than 0 where the clock was set back.
pub(super) fn gap(previous: Option<SystemTime>, now: SystemTime) -> String {
    let previous = previous.unwrap_or(now);
    let (sign, gap) = match now.duration_since(previous) {
        Ok(gap) => ("", gap),
        Err(back) => ("-", back.duration()),
    };
    format!("{sign}{}.{:06}", gap.as_secs(), gap.subsec_micros())
}

/// Writes RFC 3339 times with microseconds: `2026-11-20T21:00:00.123456Z`, or local ones with their offset from UTC.
///
/// Messages come in bursts, so the calendar is consulted once a second.
#[derive(Default)]
pub(super) struct Clock {
    /// Otherwise UTC.
    zone: Option<TimeZone>,
    second: Option<i64>,
    text: String,
    /// What follows the fraction.
    offset: String,
}

impl Clock {
    pub(super) fn new(local: bool) -> Self {
        Self {
            zone: local.then(TimeZone::system),
            ..Self::default()
        }
    }

    /// Appends `time`; a time outside the years -9999 to 9999 is shown as the nearest one inside.
    pub(super) fn push(&mut self, time: SystemTime, into: &mut Vec<u8>) {
        let (second, nanos) = since_epoch(time);
        if self.second != Some(second) {
            self.turn_to(second);
        }
        into.extend_from_slice(self.text.as_bytes());
        into.push(b'.');
        push_digits(nanos / 1_000, 6, into);
        into.extend_from_slice(self.offset.as_bytes());
    }

    fn turn_to(&mut self, second: i64) {
        let (first, last) = (Timestamp::MIN.as_second(), Timestamp::MAX.as_second());
        let moment = Timestamp::from_second(second.clamp(first, last)).unwrap_or_default();
        const SHAPE: &str = "%Y-%m-%dT%H:%M:%S";
        match &self.zone {
            Some(zone) => {
                let local = moment.to_zoned(zone.clone());
                self.text = local.strftime(SHAPE).to_string();
                self.offset = local.strftime("%:z").to_string();
            }
            None => {
                self.text = moment.strftime(SHAPE).to_string();
                self.offset = String::from("Z");
            }
        }
        self.second = Some(second);
    }
}

/// Appends the last `width` decimal digits of `number`, with leading zeros.
pub(super) fn push_digits(number: u32, width: usize, into: &mut Vec<u8>) {
    let start = into.len();
    into.resize(start + width, b'0');
    let mut rest = number;
    for digit in into[start..].iter_mut().rev() {
        // A decimal digit fits a byte.
        *digit = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(time: SystemTime) -> String {
        let mut into = Vec::new();
        Clock::default().push(time, &mut into);
        String::from_utf8(into).unwrap()
    }

    #[test]
    fn microseconds_in_utc() {
        let time = SystemTime::UNIX_EPOCH + Duration::new(1_795_208_400, 1_234_999);
        assert_eq!(shown(time), "2026-11-20T21:00:00.001234Z");
        assert_eq!(shown(SystemTime::UNIX_EPOCH), "1970-01-01T00:00:00.000000Z");
    }

    #[test]
    fn local_times_have_their_offset() {
        let mut clock = Clock {
            zone: Some(TimeZone::fixed(jiff::tz::Offset::constant(-3))),
            ..Clock::default()
        };
        let mut into = Vec::new();
        clock.push(SystemTime::UNIX_EPOCH, &mut into);
        assert_eq!(into, b"1969-12-31T21:00:00.000000-03:00");
    }

    #[test]
    fn before_1970_time_still_runs_forwards() {
        let time = SystemTime::UNIX_EPOCH - Duration::from_millis(250);
        assert_eq!(shown(time), "1969-12-31T23:59:59.750000Z");
        assert_eq!(since_epoch(time), (-1, 750_000_000));
    }

    #[test]
    fn the_remembered_second_is_left_when_it_is_over() {
        let mut clock = Clock::default();
        let mut into = Vec::new();
        for seconds in [59, 59, 60] {
            clock.push(
                SystemTime::UNIX_EPOCH + Duration::from_secs(seconds),
                &mut into,
            );
            into.push(b' ');
        }
        assert_eq!(
            String::from_utf8(into).unwrap(),
            "1970-01-01T00:00:59.000000Z 1970-01-01T00:00:59.000000Z 1970-01-01T00:01:00.000000Z "
        );
    }
}
