//! Which message it is that a connection does not survive.
//!
//! Some servers close the connection over one message, each time it comes, and do not say why. To send all again that had no
//! answer would go on for ever, and double its neighbours. So after a second loss in a row the oldest goes first, alone: when
//! the connection is lost over it once more, it is that message's failure, and the others go on without it.

/// What is known of messages whose connection was lost.
#[derive(Debug, Default)]
pub(crate) struct Suspects {
    /// How many connections were lost with messages under way since one of those got through.
    losses: u32,
}

impl Suspects {
    /// The connection was lost with so many messages under way; whether it is the failure of the one that it was.
    pub(crate) const fn lost(&mut self, count: usize) -> bool {
        let again = self.losses > 0 && count == 1;
        self.losses = match (count, again) {
            (0, _) => self.losses,
            (_, true) => 0,
            (_, false) => self.losses + 1,
        };
        again
    }

    /// A message got through, or was refused: the connection survives.
    pub(crate) const fn survived(&mut self) {
        self.losses = 0;
    }

    /// Whether only one message may be under way.
    pub(crate) const fn alone(&self) -> bool {
        self.losses > 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_message_that_fails_twice_is_the_cause() {
        let mut suspects = Suspects::default();
        assert!(!suspects.lost(1) && !suspects.alone());
        assert!(suspects.lost(1) && !suspects.alone());
    }

    #[test]
    fn the_cause_is_found_among_others() {
        let mut suspects = Suspects::default();
        assert!(!suspects.lost(3) && !suspects.alone());
        assert!(!suspects.lost(3) && suspects.alone());
        // The oldest gets through, so that it is another.
        suspects.survived();
        assert!(!suspects.alone() && !suspects.lost(2));
        assert!(!suspects.lost(2) && suspects.alone());
        assert!(suspects.lost(1));
    }

    #[test]
    fn an_outage_without_anything_under_way_is_nobodys_fault() {
        let mut suspects = Suspects::default();
        assert!(!suspects.lost(0) && !suspects.lost(0) && !suspects.alone());
        assert!(!suspects.lost(1));
        suspects.survived();
        assert!(!suspects.lost(1));
    }
}
