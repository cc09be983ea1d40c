//! How far a large body is, for whoever sits before a terminal.

use std::time::{Duration, Instant};

use crate::output::{Live, Style};

/// Short transfers are over before anybody looks.
const QUIET: Duration = Duration::from_millis(500);

/// From one look to the next.
const EVERY: Duration = Duration::from_millis(100);

/// A bar that comes when a transfer takes its time.
pub(crate) struct Meter {
    style: Style,
    began: Instant,
    /// What was there before.
    first: Option<usize>,
    shown: Option<Instant>,
    live: Option<Live>,
}

impl Meter {
    pub(crate) fn new(style: Style) -> Self {
        Self {
            style,
            began: Instant::now(),
            first: None,
            shown: None,
            live: None,
        }
    }

    /// `done` bytes are there, of `total` where that is known.
    pub(crate) fn at(&mut self, done: usize, total: Option<usize>) {
        let now = Instant::now();
        let first = *self.first.get_or_insert(done);
        let early = now < self.began + QUIET || self.shown.is_some_and(|it| now < it + EVERY);
        if early {
            return;
        }
        self.shown = Some(now);
        let live = self.live.get_or_insert_with(|| Live::start(self.style));
        if live.is_in_place() {
            let rate = (done - first.min(done)) as f64 / (now - self.began).as_secs_f64();
            let share = total.map(|total| done as f64 / total.max(1) as f64);
            live.show(&line(done, total, rate), share);
        }
    }

    /// Takes the bar away.
    pub(crate) fn finish(&mut self) {
        if let Some(live) = self.live.take() {
            live.finish();
        }
    }
}

fn line(done: usize, total: Option<usize>, rate: f64) -> String {
    let of = total.map_or_else(String::new, |total| format!(" of {}", size(total as f64)));
    format!("{}{of}, {}/s", size(done as f64), size(rate))
}

fn size(bytes: f64) -> String {
    match bytes {
        ..1024.0 => format!("{bytes:.0} B"),
        ..1048576.0 => format!("{:.1} KiB", bytes / 1024.0),
        _ => format!("{:.1} MiB", bytes / 1048576.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_read_as_people_write_them() {
        let shown = line(1536, Some(5 << 20), 10.0);
        assert_eq!(shown, "1.5 KiB of 5.0 MiB, 10 B/s");
        assert_eq!(line(3 << 20, None, 2048.0), "3.0 MiB, 2.0 KiB/s");
    }

    #[test]
    fn short_transfers_have_no_bar() {
        let mut meter = Meter::new(Style::default());
        meter.at(10, None);
        assert!(meter.live.is_none());
    }
}
