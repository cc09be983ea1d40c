//! The last flight of a handshake, and when it is sent once more.
//!
//! The library forgets its own timer when a part of the other side's flight comes, or a repetition: whatever was lost
//! then stays lost (rtc-dtls 0.21.1, `wait` of its handshaker). Whenever it has no timer and the handshake is not done,
//! this one runs (RFC 6347 §4.2.4). What is sent again has its old record numbers, so that the other side drops what it
//! knows and takes what it lacks.

use std::time::{Duration, Instant};

use bytes::Bytes;

/// The first wait; it doubles each time up to [`LONGEST`].
const FIRST: Duration = Duration::from_secs(1);

/// No wait is longer.
const LONGEST: Duration = Duration::from_secs(8);

/// Datagrams of a flight that are kept: more than the longest chain of certificates takes.
const DATAGRAMS: usize = 64;

#[derive(Debug)]
pub(super) struct Flight {
    datagrams: Vec<Bytes>,
    /// What is sent next begins another flight.
    over: bool,
    due: Option<Instant>,
    wait: Duration,
}

impl Flight {
    pub(super) const fn new() -> Self {
        Self {
            datagrams: Vec::new(),
            over: true,
            due: None,
            wait: FIRST,
        }
    }

    /// Something came, or a timer of the library's ran out: what is sent now is sent because of it.
    pub(super) const fn turn(&mut self) {
        self.over = true;
    }

    /// A datagram is sent.
    pub(super) fn sent(&mut self, datagram: &Bytes) {
        if self.over {
            self.datagrams.clear();
            self.over = false;
            self.wait = FIRST;
        }
        if self.datagrams.len() < DATAGRAMS && !is_stateless(datagram) {
            self.datagrams.push(datagram.clone());
        }
    }

    /// Sets the timer where the library has none, and clears it where it has one or needs none.
    pub(super) fn watch(&mut self, now: Instant, library: Option<Instant>, established: bool) {
        if established {
            self.datagrams.clear();
        }
        if library.is_some() || self.datagrams.is_empty() {
            self.due = None;
        } else if self.due.is_none() {
            self.due = Some(now + self.wait);
        }
    }

    /// When [`Flight::again`] is to be called.
    pub(super) const fn due(&self) -> Option<Instant> {
        self.due
    }

    /// What is to be sent once more, now that its time has come; nothing before.
    pub(super) fn again(&mut self, now: Instant) -> &[Bytes] {
        if self.due.is_none_or(|due| now < due) {
            return &[];
        }
        self.wait = (self.wait * 2).min(LONGEST);
        self.due = Some(now + self.wait);
        &self.datagrams
    }
}

/// Whether this is a HelloVerifyRequest, which is never sent of its own accord: nobody knows yet whether the other side
/// is where it says it is (RFC 6347 §4.2.1).
fn is_stateless(datagram: &[u8]) -> bool {
    datagram.first() == Some(&22) && datagram.get(13) == Some(&3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flight_is_repeated_while_the_library_has_no_timer() {
        let (mut flight, mut now) = (Flight::new(), Instant::now());
        let datagram = Bytes::from_static(b"\x16flight");
        flight.sent(&datagram);
        flight.watch(now, Some(now), false);
        assert_eq!(flight.due(), None);
        flight.watch(now, None, false);
        for wait in [1, 2, 4, 8, 8] {
            assert_eq!(flight.due(), Some(now + Duration::from_secs(wait)));
            assert!(flight.again(now).is_empty());
            now += Duration::from_secs(wait);
            assert_eq!(flight.again(now), std::slice::from_ref(&datagram));
        }
        flight.watch(now, None, true);
        assert_eq!(flight.due(), None);
    }

    #[test]
    fn only_the_last_flight_is_repeated_and_no_request_to_verify() {
        let (mut flight, now) = (Flight::new(), Instant::now());
        let second = Bytes::from_static(b"\x16two");
        flight.sent(&Bytes::from_static(b"\x16one"));
        flight.turn();
        flight.sent(&second);
        flight.watch(now, None, false);
        assert_eq!(flight.again(now + FIRST), [second]);
        flight.turn();
        flight.sent(&Bytes::from_static(
            b"\x16\xfe\xfd\0\0\0\0\0\0\0\0\0\x23\x03",
        ));
        flight.watch(now, None, false);
        assert_eq!(flight.due(), None);
    }
}
