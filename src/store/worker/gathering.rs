//! How long a commit waits for more, while a source sends on as soon as it gets acknowledgements.
//!
//! Such a source has a window of messages. Were all committed that there are, one half of the window would come while the other is
//! committed, for ever: two commits for each window. A commit that waits a moment for what its predecessor has called for has the
//! whole window, and so there are half as many of them. Who sends one message at a time is never kept waiting.

use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

/// A commit is put off for this part of the time that the last one took, ...
const PART: u32 = 4;

/// ... for no longer than that, ...
const LONGEST: Duration = Duration::from_millis(10);

/// ... and not at all where that is less: the thread would take as long to fall asleep.
const LEAST: Duration = Duration::from_micros(50);

/// What is known of the last commit, and of the messages for the next one.
#[derive(Debug, Default)]
pub(super) struct Gathering {
    /// As many messages the last commit had, and so long it took.
    last: usize,
    took: Duration,
    /// As many there are for the next one.
    count: usize,
    /// Some of them came while the last commit was made.
    meanwhile: bool,
    /// As many there are to be, and until when they are waited for; from when no more are there.
    wanted: Option<(usize, Instant)>,
}

impl Gathering {
    /// Messages for another commit come; `meanwhile`: some are there already.
    pub(super) const fn begin(&mut self, meanwhile: bool) {
        (self.meanwhile, self.wanted) = (meanwhile, None);
    }

    /// So many more came.
    pub(super) const fn came(&mut self, count: usize) {
        self.count += count;
    }

    /// All that came is committed, which took so long.
    pub(super) const fn committed(&mut self, took: Duration) {
        (self.last, self.took) = (self.count, took);
        (self.count, self.wanted) = (0, None);
    }

    /// The next that comes in time; `None`: it is time to commit.
    pub(super) fn next<T>(&mut self, from: &Receiver<T>) -> Option<T> {
        if let Ok(next) = from.try_recv() {
            return Some(next);
        }
        let left = self.patience(Instant::now())?;
        from.recv_timeout(left).ok()
    }

    /// How long more is waited for at `now`, when no more are there.
    fn patience(&mut self, now: Instant) -> Option<Duration> {
        let most = (self.took / PART).min(LONGEST);
        if most < LEAST {
            return None;
        }
        let called_for = match self.meanwhile {
            true => self.last + self.count,
            false => self.last,
        };
        let (wanted, end) = *self.wanted.get_or_insert((called_for, now + most));
        (self.count < wanted && now < end).then(|| end - now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DISK: Duration = Duration::from_millis(8);

    /// After a commit of so many.
    fn after(count: usize, took: Duration) -> Gathering {
        let mut gathering = Gathering::default();
        gathering.came(count);
        gathering.committed(took);
        gathering
    }

    #[test]
    fn who_sends_one_at_a_time_is_not_kept_waiting() {
        let mut gathering = after(1, DISK);
        gathering.begin(false);
        gathering.came(1);
        assert_eq!(gathering.patience(Instant::now()), None);
    }

    #[test]
    fn what_came_meanwhile_waits_for_what_was_called_for() {
        let mut gathering = after(500, DISK);
        gathering.begin(true);
        gathering.came(500);
        let now = Instant::now();
        assert_eq!(gathering.patience(now), Some(DISK / 4));
        gathering.came(300);
        assert_eq!(gathering.patience(now + DISK / 8), Some(DISK / 8));
        assert_eq!(gathering.patience(now + DISK / 4), None);
        gathering.came(200);
        assert_eq!(gathering.patience(now), None);
        // From now on the whole window comes at once.
        gathering.committed(DISK);
        gathering.begin(false);
        gathering.came(400);
        assert_eq!(gathering.patience(now), Some(DISK / 4));
        gathering.came(600);
        assert_eq!(gathering.patience(now), None);
    }

    #[test]
    fn a_slow_disk_and_a_fast_one_hold_up_nobody() {
        for (took, patience) in [
            (Duration::from_secs(5), Some(LONGEST)),
            (Duration::from_micros(100), None),
        ] {
            let mut gathering = after(10, took);
            gathering.begin(false);
            gathering.came(1);
            assert_eq!(gathering.patience(Instant::now()), patience);
        }
    }
}
