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
    /// The first time from there on that a clock shows this: since midnight, UTC.
    OfDay(Duration),
}

impl Bound {
    /// The point in time, counted from this one.
    fn resolved(self, from: SystemTime) -> SystemTime {
        let after = match self {
            Self::At(time) => return time,
            Self::After(time) => time,
            Self::OfDay(time) => {
                let since = from
                    .duration_since(SystemTime::UNIX_EPOCH)
                    .unwrap_or_default();
                let shown = since.as_nanos() % DAY.as_nanos();
                let ahead = (time.as_nanos() + DAY.as_nanos() - shown) % DAY.as_nanos();
                // It is less than a day.
                Duration::from_nanos(ahead as u64)
            }
        };
        from.checked_add(after).unwrap_or(from + DAY * 36_500)
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
        let Range { from, until } = self.range;
        let (from, until) = *self.times.get_or_insert_with(|| {
            let from = from.map_or(at, |from| from.resolved(at));
            // A time of day is that after the beginning; an offset counts from the first record.
            let until = until.map(|until| match until {
                Bound::OfDay(_) => until.resolved(from),
                Bound::At(_) | Bound::After(_) => until.resolved(at),
            });
            (from, until)
        });
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
        "2026-11-20T23:50:00Z",
        "2026-11-21T00:10:00Z",
        "2026-11-21T00:20:00Z",
        "2026-11-21T00:30:00Z",
    ];

    #[test]
    fn each_kind_of_bound() {
        use Place::{Before, Behind, Within};
        assert_eq!(within(None, None, &NIGHT), [Within; 4]);
        let early = [Before, Within, Within, Behind];
        assert_eq!(within(of_day(0, 10), of_day(0, 30), &NIGHT), early);
        let after = |minutes: u64| Some(Bound::After(Duration::from_secs(60 * minutes)));
        assert_eq!(within(after(20), after(40), &NIGHT), early);
        let at = |index: usize| Some(Bound::At(time(NIGHT[index])));
        assert_eq!(within(at(1), at(3), &NIGHT), early);
        // The time that the first record has.
        assert_eq!(within(of_day(23, 50), None, &NIGHT), [Within; 4]);
        let forever = Some(Bound::After(Duration::MAX));
        assert_eq!(within(None, forever, &NIGHT), [Within; 4]);
    }

    #[test]
    fn what_comes_before_any_time_is_the_beginning() {
        assert_eq!(Cut::new(Range::default()).place(UNTIMED), Place::Within);
        let from = Some(Bound::After(Duration::ZERO));
        let mut cut = Cut::new(Range { from, until: None });
        assert_eq!(cut.place(UNTIMED), Place::Before);
    }
}
