//! Two clients with one identifier, of which each takes the session over from the other, for ever: MQTT before 5 has no word for
//! it, so that it is seen only by connections that are closed again and again soon after they were made.

use std::time::{Duration, Instant};

use super::{Client, Notice};

/// A connection that was closed after a shorter time was hardly lost by chance; longer by what is waited between two.
const SHORT: Duration = Duration::from_secs(30);

/// After so many in a row it is said what is probably going on.
const MANY: u32 = 5;

/// How long is waited then at first, and at most.
const WAITS: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(60)];

/// Short connections in a row.
#[derive(Debug, Default)]
pub(super) struct Contest {
    /// Since when there is a connection that can be used.
    since: Option<Instant>,
    row: u32,
    /// Something got through since: a connection that is of use was not taken over by another client.
    useful: bool,
    /// What is published says how this client is, anew over each connection: that it arrives means nothing.
    pub(super) only_greets: bool,
    /// How long is waited at least before the next; none, while nothing is suspected.
    pub(super) wait: Duration,
}

impl Contest {
    /// There is a connection that can be used.
    pub(super) fn ready(&mut self, now: Instant) {
        // The one before did not end as those that are counted.
        if self.since.replace(now).is_some() {
            (self.row, self.wait) = (0, Duration::ZERO);
        }
        self.useful = false;
    }

    /// The server has closed it without a word; whether it is time to say what that means.
    fn closed(&mut self, now: Instant) -> bool {
        let Some(since) = self.since.take() else {
            return false;
        };
        if self.useful || now.saturating_duration_since(since) > SHORT + 2 * self.wait {
            (self.row, self.wait) = (0, Duration::ZERO);
            return false;
        }
        self.row += 1;
        if self.row < MANY {
            return false;
        }
        let [first, longest] = WAITS;
        self.wait = (self.wait * 2).clamp(first, longest);
        self.row == MANY
    }

    /// Whether another client is suspected: what gets through meanwhile does not mean that things are well.
    pub(super) const fn is_on(&self) -> bool {
        self.row >= MANY
    }
}

impl Client {
    /// What is published says how this client is, anew over each connection.
    pub(crate) const fn only_greets(&mut self) {
        self.contest.only_greets = true;
    }

    /// Something got through; `new`: other than what comes with each connection.
    pub(super) const fn progressed(&mut self, new: bool) {
        self.contest.useful |= new;
        if !self.contest.is_on() {
            self.backoff.progressed();
        }
    }

    /// The server has closed the connection without a word.
    pub(super) fn contested(&mut self, now: Instant) {
        if self.random_id {
            return;
        }
        // Then it may be about one of the messages.
        self.contest.useful |= self.session.is_publishing();
        if self.contest.closed(now) {
            let id = self.session.client_id().clone();
            self.notices.push(Notice::Contested { id, times: MANY });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Connections that live so long each: which of them makes it say something, and how long is waited after each.
    fn lived(seconds: &[u64]) -> (Vec<usize>, Vec<u64>) {
        let (mut contest, mut now) = (Contest::default(), Instant::now());
        let (mut told, mut waits) = (Vec::new(), Vec::new());
        for (at, seconds) in seconds.iter().enumerate() {
            contest.ready(now);
            now += Duration::from_secs(*seconds);
            if contest.closed(now) {
                told.push(at);
            }
            waits.push(contest.wait.as_secs());
            now += contest.wait;
        }
        (told, waits)
    }

    #[test]
    fn it_is_told_once_and_waited_longer_and_longer() {
        let (told, waits) = lived(&[1; 13]);
        assert_eq!(told, [4]);
        assert_eq!(waits, [0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60]);
        // The other one waits as long, and lets it live as long.
        let (told, waits) = lived(&[1, 1, 1, 1, 1, 32, 34, 38, 46, 62]);
        assert_eq!((told, waits[9]), (vec![4], 32));
    }

    #[test]
    fn connections_that_carry_something_mean_nothing() {
        let (mut contest, now) = (Contest::default(), Instant::now());
        for _ in 0..9 {
            contest.ready(now);
            contest.useful = true;
            assert!(!contest.closed(now));
        }
        assert!(!contest.is_on());
    }

    #[test]
    fn connections_that_live_or_end_otherwise_mean_nothing() {
        let (told, waits) = lived(&[1, 1, 1, 1, 31, 1, 1, 1, 1, 31]);
        assert_eq!((told, waits[9]), (vec![], 0));
        let mut contest = Contest::default();
        let now = Instant::now();
        for _ in 0..9 {
            contest.ready(now);
            assert!(!contest.closed(now));
            // This one was closed with a reason.
            contest.ready(now);
        }
        assert!(!contest.closed(now));
        assert!(!Contest::default().closed(now), "it was never ready");
    }
}
