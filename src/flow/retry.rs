//! Which message it is that a connection does not survive.
//!
//! Some servers close the connection over one message, each time it comes, and do not say why. To send all again that had no
//! answer would go on for ever, and double its neighbours. So after a lost connection the oldest goes first, alone: when
//! the connection is lost over it once more, it is that message's failure, and the others go on without it. After an outage
//! this costs one round trip.

use super::Number;

/// What is known of messages whose connection was lost.
#[derive(Debug, Default)]
pub struct Suspects {
    /// Every message up to this one was sent over a connection that was lost, unless its outcome was told.
    newest: Number,
    /// Whether the oldest goes out alone.
    alone: bool,
}

impl Suspects {
    /// The connection was lost over these, of which the newest is given; the result is whether it is the failure of the
    /// one that it was.
    pub fn lost(&mut self, count: usize, newest: Number) -> bool {
        let again = count == 1 && newest <= self.newest;
        self.newest = self.newest.max(newest);
        self.alone = count > 0 && !again;
        again
    }

    /// A message got through, or was refused: the connection survives.
    pub const fn survived(&mut self) {
        self.alone = false;
    }

    /// Whether only one message may be under way.
    pub const fn alone(&self) -> bool {
        self.alone
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_message_that_fails_twice_is_the_cause() {
        let mut suspects = Suspects::default();
        assert!(!suspects.lost(1, 7));
        assert!(suspects.alone());
        assert!(suspects.lost(1, 7));
        assert!(!suspects.alone());
    }

    #[test]
    fn the_cause_is_found_among_others() {
        let mut suspects = Suspects::default();
        assert!(!suspects.lost(3, 9));
        // 7 alone gets through, 8 and 9 are sent together and lost, and then 8 alone.
        suspects.survived();
        assert!(!suspects.alone());
        assert!(!suspects.lost(2, 9));
        assert!(suspects.alone() && suspects.lost(1, 8));
    }

    #[test]
    fn an_outage_without_anything_under_way_is_nobodys_fault() {
        let mut suspects = Suspects::default();
        assert!(!suspects.lost(0, 0));
        assert!(!suspects.alone());
        // Nor is it that of a message which was not there before.
        assert!(!suspects.lost(1, 1));
        suspects.survived();
        assert!(!suspects.lost(1, 2));
    }
}
