//! When to ping, and when to give the peer up (MQTT 5.0 §3.1.2.10).

use std::time::{Duration, Instant};

/// What the clock asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Due {
    /// Nothing yet.
    Nothing,
    /// A PINGREQ is to be sent.
    Ping,
    /// The PINGRESP did not come: the connection is dead.
    GiveUp,
}

/// The client's keep-alive clock for one connection.
#[derive(Debug)]
pub(crate) struct KeepAlive {
    /// `None`: keep-alive is off, nothing is ever due.
    interval: Option<Duration>,
    last_sent: Instant,
    waiting_since: Option<Instant>,
}

impl KeepAlive {
    /// A clock for an interval in seconds; 0 turns it off.
    pub(crate) fn new(seconds: u16, now: Instant) -> Self {
        let interval = (seconds > 0).then(|| Duration::from_secs(u64::from(seconds)));
        Self {
            interval,
            last_sent: now,
            waiting_since: None,
        }
    }

    /// Something was written to the connection.
    pub(crate) fn sent(&mut self, now: Instant) {
        self.last_sent = now;
    }

    /// A PINGREQ was sent; it may also have been asked for by the user.
    pub(crate) fn pinged(&mut self, now: Instant) {
        self.last_sent = now;
        self.waiting_since.get_or_insert(now);
    }

    /// A PINGRESP came.
    pub(crate) fn answered(&mut self) {
        self.waiting_since = None;
    }

    /// We did not read from the connection until now, so an answer may be waiting there unread:
    /// the wait for it begins anew.
    pub(crate) fn read_again(&mut self, now: Instant) {
        if let Some(since) = &mut self.waiting_since {
            *since = now;
        }
    }

    /// What is due at `now`. While the connection is not being read (`reading` is false), only pings are.
    pub(crate) fn due(&self, now: Instant, reading: bool) -> Due {
        let Some(interval) = self.interval else {
            return Due::Nothing;
        };
        if reading
            && self
                .waiting_since
                .is_some_and(|since| now >= since + interval)
        {
            return Due::GiveUp;
        }
        if now >= self.last_sent + interval {
            Due::Ping
        } else {
            Due::Nothing
        }
    }

    /// When to look again; `None`: never.
    pub(crate) fn next(&self, reading: bool) -> Option<Instant> {
        let interval = self.interval?;
        let ping = self.last_sent + interval;
        let patience = self
            .waiting_since
            .filter(|_| reading)
            .map(|since| since + interval);
        Some(patience.map_or(ping, |end| end.min(ping)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_silent_peer_is_given_up_one_interval_after_the_ping() {
        let start = Instant::now();
        let mut clock = KeepAlive::new(10, start);
        assert_eq!(clock.due(start + 9 * SECOND, true), Due::Nothing);
        assert_eq!(clock.due(start + 10 * SECOND, true), Due::Ping);
        clock.pinged(start + 10 * SECOND);
        assert_eq!(clock.due(start + 19 * SECOND, true), Due::Nothing);
        assert_eq!(clock.due(start + 20 * SECOND, true), Due::GiveUp);
        clock.answered();
        assert_eq!(clock.due(start + 20 * SECOND, true), Due::Ping);
    }

    #[test]
    fn a_reader_that_stalls_keeps_pinging_and_never_gives_up() {
        let start = Instant::now();
        let mut clock = KeepAlive::new(10, start);
        clock.pinged(start);
        for round in 1..50 {
            let now = start + 10 * round * SECOND;
            assert_eq!(clock.due(now, false), Due::Ping);
            clock.pinged(now);
        }
        clock.read_again(start + 500 * SECOND);
        assert_eq!(clock.due(start + 501 * SECOND, true), Due::Ping);
    }

    #[test]
    fn zero_means_that_nothing_is_ever_due() {
        let start = Instant::now();
        let clock = KeepAlive::new(0, start);
        assert_eq!(clock.next(true), None);
        assert_eq!(clock.due(start + 1_000_000 * SECOND, true), Due::Nothing);
    }
}
