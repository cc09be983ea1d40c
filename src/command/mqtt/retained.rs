//! Where the retained messages end, which no packet says.
//!
//! Most servers send what they have retained before they answer a PINGREQ; at QoS 1 and 2 as far as their window allows. So we
//! ask again until nothing comes between two answers. Some, such as EMQX, send them beside all else, a little later: that there
//! is nothing at all is only believed after a pause, and one more answer.

use std::time::{Duration, Instant};

/// How long the pause is.
const PAUSE: Duration = Duration::from_millis(200);

/// How far the search for the end has got.
#[derive(Debug, Default)]
pub(super) struct Search {
    /// Whether a PINGREQ is to be sent as soon as all that came is acknowledged.
    wants_ping: bool,
    /// Whether a retained message came since the last one, and whether one has ever come.
    came: bool,
    ever_came: bool,
    /// When the pause ends, and whether there was one.
    pause: Option<Instant>,
    paused: bool,
}

impl Search {
    /// The server has answered the subscriptions.
    pub(super) const fn begin(&mut self) {
        self.wants_ping = true;
    }

    /// A retained message came.
    #[inline]
    pub(super) const fn came(&mut self) {
        self.came = true;
        self.ever_came = true;
    }

    /// Whether a PINGREQ is to be sent now. Messages that are not acknowledged may fill a window, which would look like the end.
    pub(super) fn asks(&mut self, unacknowledged: impl FnOnce() -> u32) -> bool {
        let asks = self.wants_ping && unacknowledged() == 0;
        if asks {
            (self.wants_ping, self.came) = (false, false);
        }
        asks
    }

    /// A PINGREQ was answered; whether this is the end.
    pub(super) fn answered(&mut self, now: Instant) -> bool {
        if self.pause.is_some() {
            return false;
        }
        if self.came {
            self.wants_ping = true;
            return false;
        }
        if self.ever_came || self.paused {
            return true;
        }
        self.paused = true;
        self.pause = Some(now + PAUSE);
        false
    }

    /// When [`Self::resume`] is to be called.
    pub(super) const fn pause(&self) -> Option<Instant> {
        self.pause
    }

    /// The pause is over.
    pub(super) const fn resume(&mut self) {
        self.pause = None;
        self.wants_ping = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_is_an_answer_with_nothing_before_it() {
        let now = Instant::now();
        let mut search = Search::default();
        assert!(!search.asks(|| 0));
        search.begin();
        search.came();
        assert!(!search.asks(|| 1), "one is not acknowledged");
        assert!(search.asks(|| 0) && !search.asks(|| 0));
        search.came();
        assert!(!search.answered(now), "one came meanwhile");
        assert!(search.asks(|| 0) && search.answered(now));
    }

    #[test]
    fn nothing_at_all_is_believed_after_a_pause() {
        let now = Instant::now();
        let mut search = Search::default();
        search.begin();
        assert!(search.asks(|| 0) && !search.answered(now));
        assert_eq!(search.pause(), Some(now + PAUSE));
        assert!(!search.answered(now), "that of the keep-alive");
        search.resume();
        assert!(search.asks(|| 0) && search.answered(now + PAUSE));
    }
}
