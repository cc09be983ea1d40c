//! Which part of a recording is replayed.

use std::time::{Duration, SystemTime};

use crate::message::UNTIMED;

/// The seconds of a day; Unix time has no others.
const DAY: Duration = Duration::from_secs(86_400);

/// Where a part begins or ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bound {
    /// At a point in time.
    At(SystemTime),
    /// So long after the first record.
    After(Duration),
    /// When a clock shows this on the day of the first record: since midnight, UTC.
    OfDay(Duration),
}

impl Bound {
    /// The point in time, where the first record has this one.
    fn resolved(self, first: SystemTime) -> SystemTime {
        match self {
            Self::At(time) => time,
            Self::After(time) => first.checked_add(time).unwrap_or(first + DAY * 36_500),
            Self::OfDay(time) => {
                let since = first
                    .duration_since(SystemTime::UNIX_EPOCH)
                    .unwrap_or_default();
                let midnight = since.as_secs() / DAY.as_secs() * DAY.as_secs();
                SystemTime::UNIX_EPOCH + Duration::from_secs(midnight) + time
            }
        }
    }
}

/// What is replayed: from the first on, and before the other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Range {
    /// From the beginning on, where nothing is said.
    pub(crate) from: Option<Bound>,
    /// To the end, where nothing is said.
    pub(crate) until: Option<Bound>,
}

impl Range {
    /// From when until when, where the first record has this time.
    fn resolved(self, first: SystemTime) -> (SystemTime, Option<SystemTime>) {
        let from = self.from.map_or(first, |from| from.resolved(first));
        (from, self.until.map(|until| until.resolved(first)))
    }

    /// Whether there can be something in it, of what was recorded between these two times.
    ///
    /// # Errors
    /// Why there is nothing.
    pub(super) fn check(self, first: SystemTime, last: SystemTime) -> Result<(), String> {
        let shown = humantime::format_rfc3339_millis;
        let (from, until) = self.resolved(first);
        let recorded = format!("was made from {} to {}", shown(first), shown(last));
        match until {
            _ if from > last => Err(format!(
                "--from {} is after the end: the recording {recorded}",
                shown(from)
            )),
            Some(until) if until <= first => Err(format!(
                "--until {} is before the beginning: the recording {recorded}",
                shown(until)
            )),
            Some(until) if until <= from => Err(format!(
                "--until {} is not after --from {}",
                shown(until),
                shown(from)
            )),
            _ => Ok(()),
        }
    }
}

/// Where a record lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Before,
    Within,
    Behind,
}

/// A range whose times are known as soon as the first record is.
#[derive(Debug)]
pub(super) struct Cut {
    range: Range,
    times: Option<(SystemTime, Option<SystemTime>)>,
}

impl Cut {
    pub(super) const fn new(range: Range) -> Self {
        Self { range, times: None }
    }

    /// Where the record lies that comes next.
    pub(super) fn place(&mut self, at: SystemTime) -> Place {
        if at == UNTIMED {
            return match self.range.from {
                Some(_) => Place::Before,
                None => Place::Within,
            };
        }
        let range = self.range;
        let (from, until) = *self.times.get_or_insert_with(|| range.resolved(at));
        match until {
            _ if at < from => Place::Before,
            Some(until) if at >= until => Place::Behind,
            _ => Place::Within,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> SystemTime {
        text.parse::<jiff::Timestamp>().unwrap().into()
    }

    fn within(from: Option<Bound>, until: Option<Bound>, times: &[&str]) -> Vec<Place> {
        let mut cut = Cut::new(Range { from, until });
        times.iter().map(|it| cut.place(time(it))).collect()
    }

    fn of_day(hours: u64, minutes: u64) -> Option<Bound> {
        Some(Bound::OfDay(Duration::from_secs(
            hours * 3600 + minutes * 60,
        )))
    }

    const NIGHT: [&str; 4] = [
        "2026-11-20T22:50:00Z",
        "2026-11-20T23:10:00Z",
        "2026-11-20T23:20:00Z",
        "2026-11-20T23:30:00Z",
    ];

    #[test]
    fn each_kind_of_bound() {
        use Place::{Before, Behind, Within};
        assert_eq!(within(None, None, &NIGHT), [Within; 4]);
        let early = [Before, Within, Within, Behind];
        assert_eq!(within(of_day(23, 10), of_day(23, 30), &NIGHT), early);
        let after = |minutes: u64| Some(Bound::After(Duration::from_secs(60 * minutes)));
        assert_eq!(within(after(20), after(40), &NIGHT), early);
        let at = |index: usize| Some(Bound::At(time(NIGHT[index])));
        assert_eq!(within(at(1), at(3), &NIGHT), early);
        // The time that the first record has.
        assert_eq!(within(of_day(22, 50), None, &NIGHT), [Within; 4]);
        // The day of the first record, whatever the others have.
        assert_eq!(within(of_day(0, 10), None, &NIGHT), [Within; 4]);
        assert_eq!(within(None, of_day(0, 10), &NIGHT), [Behind; 4]);
        let forever = Some(Bound::After(Duration::MAX));
        assert_eq!(within(None, forever, &NIGHT), [Within; 4]);
    }

    #[test]
    fn a_range_beside_the_recording_is_told() {
        let check = |from, until| {
            let range = Range { from, until };
            range.check(time(NIGHT[0]), time(NIGHT[3]))
        };
        assert_eq!(check(of_day(23, 0), of_day(23, 30)), Ok(()));
        assert_eq!(check(of_day(0, 10), None), Ok(()));
        let ends = "was made from 2026-11-20T22:50:00.000Z to 2026-11-20T23:30:00.000Z";
        let late = check(of_day(23, 31), None).unwrap_err();
        assert_eq!(
            late,
            format!("--from 2026-11-20T23:31:00.000Z is after the end: the recording {ends}")
        );
        let early = check(None, of_day(0, 10)).unwrap_err();
        assert!(early.starts_with("--until 2026-11-20T00:10:00.000Z is before the beginning"));
        let none = check(of_day(23, 20), of_day(23, 10)).unwrap_err();
        assert!(none.ends_with("is not after --from 2026-11-20T23:20:00.000Z"));
    }

    #[test]
    fn what_comes_before_any_time_is_the_beginning() {
        assert_eq!(Cut::new(Range::default()).place(UNTIMED), Place::Within);
        let from = Some(Bound::After(Duration::ZERO));
        let mut cut = Cut::new(Range { from, until: None });
        assert_eq!(cut.place(UNTIMED), Place::Before);
    }
}
