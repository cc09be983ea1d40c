//! When a message was received, for the fields that show it.

use std::cell::OnceCell;
use std::time::SystemTime;

use jiff::fmt::strtime::{BrokenDownTime, Config, PosixCustom};
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

use super::super::time::since_epoch;

/// When a message was received; the calendar is consulted only if the template shows it.
pub(super) struct Moment<'a> {
    pub(super) second: i64,
    pub(super) nanos: u32,
    zone: &'a TimeZone,
    local: OnceCell<BrokenDownTime>,
}

impl<'a> Moment<'a> {
    pub(super) fn new(time: SystemTime, zone: &'a TimeZone) -> Self {
        let (second, nanos) = since_epoch(time);
        Self {
            second,
            nanos,
            zone,
            local: OnceCell::new(),
        }
    }

    /// The local time as strftime shows it in the C locale.
    pub(super) fn show(&self, format: &str) -> String {
        let local = self.local.get_or_init(|| {
            let range = Timestamp::MIN.as_second()..=Timestamp::MAX.as_second();
            let second = self.second.clamp(*range.start(), *range.end());
            let timestamp = Timestamp::from_second(second).unwrap_or_default();
            BrokenDownTime::from(&timestamp.to_zoned(self.zone.clone()))
        });
        broken_down(format, local).unwrap_or_default()
    }
}

/// `moment` in `format`; `None` when the format is unknown.
pub(super) fn strftime(format: &str, moment: &Zoned) -> Option<String> {
    broken_down(format, &BrokenDownTime::from(moment))
}

fn broken_down(format: &str, local: &BrokenDownTime) -> Option<String> {
    let posix = Config::new().custom(PosixCustom::new());
    local.to_string_with_config(&posix, format).ok()
}
