//! Which message it is that a connection does not survive.
//!
//! Some servers close the connection over one message, each time it comes, and do not say why. To send all again that had no
//! answer would go on for ever, and double its neighbours. So after a second loss in a row the oldest goes first, alone. Only
//! when connections that were established and carried nothing but that message were lost [`LONE`] times in a row is it that
//! message's failure, and the others go on without it: a server that is being restarted may well go down twice within a second.

/// So many connections in a row that carried one message alone are lost before that message is the cause.
const LONE: u32 = 4;

/// What is known of messages whose connection was lost.
#[derive(Debug, Default)]
pub(crate) struct Suspects {
    /// How many connections were lost with messages under way since one of those got through.
    losses: u32,
    /// How many of them had carried the oldest of those messages, and nothing else.
    lone: u32,
}

impl Suspects {
    /// A connection was lost with so many messages under way; `alone`: one of them had been sent over it, and no other. Whether
    /// it is the failure of that one.
    pub(crate) const fn lost(&mut self, under_way: usize, alone: bool) -> bool {
        if under_way == 0 {
            return false;
        }
        self.losses = self.losses.saturating_add(1);
        self.lone += alone as u32;
        let known = self.lone >= LONE;
        if known {
            self.survived();
        }
        known
    }

    /// A message got through, or was refused, or it is known that the loss has another cause: no message is suspected.
    pub(crate) const fn survived(&mut self) {
        self.losses = 0;
        self.lone = 0;
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
    fn one_message_is_the_cause_once_it_was_lost_alone_several_times() {
        let mut suspects = Suspects::default();
        for _ in 1..LONE {
            assert!(!suspects.lost(1, true));
        }
        assert!(suspects.lost(1, true) && !suspects.alone());
        // A server that goes down twice, and then takes it.
        assert!(!suspects.lost(1, true) && !suspects.lost(1, true));
        suspects.survived();
        assert!(!suspects.lost(1, true) && !suspects.alone());
    }

    #[test]
    fn the_cause_is_found_among_others() {
        let mut suspects = Suspects::default();
        assert!(!suspects.lost(3, false) && !suspects.alone());
        assert!(!suspects.lost(3, false) && suspects.alone());
        // The oldest gets through, so that it is another.
        suspects.survived();
        assert!(!suspects.alone() && !suspects.lost(2, false));
        assert!(!suspects.lost(2, false) && suspects.alone());
        for _ in 1..LONE {
            assert!(!suspects.lost(1, true) && suspects.alone());
        }
        assert!(suspects.lost(1, true));
    }

    #[test]
    fn an_outage_without_anything_under_way_is_nobodys_fault() {
        let mut suspects = Suspects::default();
        assert!(!suspects.lost(0, false) && !suspects.lost(0, false) && !suspects.alone());
        // Nor is a connection that was lost before anything went over it.
        for _ in 0..2 * LONE {
            assert!(!suspects.lost(1, false));
        }
    }
}
