//! When the records of a recording follow each other: pure.
//!
//! A recording may be out of order: several connections wrote to it, or the clock was set while it was made. What is out of
//! order within [`TOLERANCE`] is sorted; a clock that was set back is as if it had stood still.

use std::collections::VecDeque;
use std::time::{Duration, SystemTime};

use crate::message::{Message, UNTIMED};

/// Records are sorted within this time.
pub(super) const TOLERANCE: Duration = Duration::from_secs(1);

/// As many bytes of payloads and topics wait to be sorted, at most.
const MOST: usize = 4 << 20;

/// What a message takes beside payload and topic, in bytes.
const BESIDE: usize = size_of::<Entry>();

/// A record in its place.
#[derive(Debug)]
pub(super) struct Entry {
    /// When it comes: its time, but for a clock that was set back; [`UNTIMED`] where nothing before it has a time either.
    pub(super) at: SystemTime,
    pub(super) message: Message,
}

/// What is out of order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Disorder {
    /// Within the tolerance: sorted.
    pub(super) sorted: u64,
    /// How often a record was further back than that.
    pub(super) set_back: u64,
    /// Without a time: they follow the record before them at once.
    pub(super) untimed: u64,
}

/// Gives each record of a recording its place.
#[derive(Debug, Default)]
pub(super) struct Timeline {
    newest: Option<SystemTime>,
    /// What is added to the times.
    shift: Duration,
    /// What was, before the clock was set back last: it may have been a single record from elsewhere.
    before: Duration,
    pub(super) disorder: Disorder,
}

impl Timeline {
    /// The place of the next record in the file.
    pub(super) fn place(&mut self, time: SystemTime) -> SystemTime {
        if time == UNTIMED {
            self.disorder.untimed += 1;
            return self.newest.unwrap_or(UNTIMED);
        }
        let Some(newest) = self.newest else {
            self.newest = Some(time);
            return time;
        };
        let oldest = newest.checked_sub(TOLERANCE).unwrap_or(UNTIMED);
        let mut at = later(time, self.shift);
        let back = later(time, self.before);
        let leaps = newest + TOLERANCE < at && oldest <= back && back < at;
        if leaps {
            std::mem::swap(&mut self.shift, &mut self.before);
            at = back;
        } else if at < oldest {
            self.disorder.set_back += 1;
            self.before = self.shift;
            // It is older than the newest, and by a time that can be told.
            self.shift = newest.duration_since(time).unwrap_or_default();
            at = newest;
        } else if at < newest {
            self.disorder.sorted += 1;
        }
        self.newest = Some(newest.max(at));
        at
    }
}

fn later(time: SystemTime, by: Duration) -> SystemTime {
    time.checked_add(by).unwrap_or(time)
}

/// Sorts records that are nearly in order, a bounded number of bytes at once.
#[derive(Debug, Default)]
pub(super) struct Window {
    /// So far back records can still come.
    span: Duration,
    queue: VecDeque<Entry>,
    bytes: usize,
    ended: bool,
}

impl Window {
    pub(super) fn new(span: Duration) -> Self {
        Self {
            span,
            ..Self::default()
        }
    }

    /// Puts a record behind all that are not later.
    pub(super) fn push(&mut self, entry: Entry) {
        self.bytes += size(&entry.message);
        match self.queue.back() {
            Some(last) if last.at > entry.at => {
                let place = self.queue.partition_point(|it| it.at <= entry.at);
                self.queue.insert(place, entry);
            }
            _ => self.queue.push_back(entry),
        }
    }

    /// Nothing more comes.
    pub(super) const fn end(&mut self) {
        self.ended = true;
    }

    /// Whether nothing can come any more that belongs before the first, or nothing more can wait.
    pub(super) fn is_ready(&self) -> bool {
        let (Some(first), Some(last)) = (self.queue.front(), self.queue.back()) else {
            return false;
        };
        let spans = || last.at.duration_since(first.at).unwrap_or_default();
        self.ended || self.bytes > MOST || self.span.is_zero() || spans() > self.span
    }

    /// When the first comes.
    pub(super) fn first(&self) -> Option<SystemTime> {
        self.queue.front().map(|entry| entry.at)
    }

    pub(super) fn pop(&mut self) -> Option<Entry> {
        let first = self.queue.pop_front()?;
        self.bytes -= size(&first.message);
        Some(first)
    }
}

fn size(message: &Message) -> usize {
    BESIDE + message.topic.len() + message.payload.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: f64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs_f64(1e6 + seconds)
    }

    fn places(times: &[f64]) -> (Vec<f64>, Disorder) {
        let mut timeline = Timeline::default();
        let place = |time: &f64| {
            let place = timeline.place(at(*time)).duration_since(at(0.0));
            (place.unwrap().as_secs_f64() * 1e3).round() / 1e3
        };
        let places = times.iter().map(place).collect();
        (places, timeline.disorder)
    }

    #[test]
    fn records_within_the_tolerance_keep_their_times() {
        let (places, disorder) = places(&[10.0, 10.5, 10.2, 9.6, 11.0]);
        assert_eq!(places, [10.0, 10.5, 10.2, 9.6, 11.0]);
        assert_eq!((disorder.sorted, disorder.set_back), (2, 0));
    }

    #[test]
    fn a_clock_that_was_set_back_stands_still_once() {
        let (places, disorder) = places(&[100.0, 101.0, 41.0, 42.0, 44.5, 60.0]);
        assert_eq!(places, [100.0, 101.0, 101.0, 102.0, 104.5, 120.0]);
        assert_eq!((disorder.sorted, disorder.set_back), (0, 1));
    }

    #[test]
    fn a_clock_that_was_set_right_again_leaves_no_gap() {
        let (places, disorder) = places(&[100.0, 101.0, 41.0, 42.0, 104.0, 105.0]);
        assert_eq!(places, [100.0, 101.0, 101.0, 102.0, 104.0, 105.0]);
        assert_eq!(disorder.set_back, 1);
    }

    #[test]
    fn a_single_old_record_moves_nothing_else() {
        let (places, disorder) = places(&[100.0, 100.5, 60.0, 101.0, 101.5, 103.0]);
        assert_eq!(places, [100.0, 100.5, 100.5, 101.0, 101.5, 103.0]);
        assert_eq!(disorder.set_back, 1);
    }

    #[test]
    fn a_record_without_a_time_follows_the_one_before_it() {
        let mut timeline = Timeline::default();
        assert_eq!(timeline.place(UNTIMED), UNTIMED);
        assert_eq!(timeline.place(at(3.0)), at(3.0));
        assert_eq!(timeline.place(UNTIMED), at(3.0));
        assert_eq!(timeline.disorder.untimed, 2);
    }

    fn entry(seconds: f64, payload: Vec<u8>) -> Entry {
        Entry {
            at: at(seconds),
            message: Message::plain(payload.into()),
        }
    }

    #[test]
    fn a_window_sorts_and_keeps_the_order_of_equals() {
        let mut window = Window::new(TOLERANCE);
        let mut out = Vec::new();
        let times = [1.0, 1.4, 1.2, 1.2, 0.9, 2.5, 2.1, 4.0];
        for (number, time) in times.into_iter().enumerate() {
            window.push(entry(time, vec![number as u8]));
            while window.is_ready() {
                out.extend(window.pop().map(|it| it.message.payload[0]));
            }
        }
        assert_eq!(out, [4, 0, 2, 3, 1, 6, 5]);
        window.end();
        assert!(window.is_ready());
        assert_eq!(window.pop().unwrap().message.payload[0], 7);
        assert!(window.pop().is_none() && !window.is_ready());
    }

    #[test]
    fn a_window_is_bounded_by_bytes() {
        let mut window = Window::new(TOLERANCE);
        let mut count = 0;
        while !window.is_ready() {
            window.push(entry(0.0, vec![0; 64 << 10]));
            count += 1;
        }
        assert!(count <= MOST / (64 << 10) + 1, "{count}");
        while window.pop().is_some() {}
        assert_eq!(window.bytes, 0);
    }
}
