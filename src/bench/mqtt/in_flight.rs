//! Messages under way, by packet identifier.

use super::super::clock::Nanos;
use super::super::recorder::Pending;

/// Packet identifiers from here on are not given to messages.
pub(super) const RESERVED: u16 = 65_000;

/// How far an exchange has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The identifier is free.
    Free,
    /// Waits for PUBACK, PUBREC or SUBACK.
    Sent,
    /// PUBREL was sent; waits for PUBCOMP.
    Released,
    /// Given up. Its identifier stays taken, or a late answer would be taken for that of another message.
    Late,
}

/// A table that grows to the window and is never searched.
#[derive(Debug, Default)]
pub(super) struct InFlight {
    slots: Vec<(Pending, Step)>,
    free: Vec<u16>,
    /// Slots that were given up.
    late: usize,
}

impl InFlight {
    /// How many are under way.
    pub(super) const fn len(&self) -> usize {
        self.slots.len() - self.free.len() - self.late
    }

    /// Enters a message and returns its packet identifier. At most [`RESERVED`] − 1 may be under way.
    #[inline]
    pub(super) fn enter(&mut self, flight: Pending) -> u16 {
        let slot = match self.free.pop() {
            Some(slot) => {
                self.slots[usize::from(slot)] = (flight, Step::Sent);
                slot
            }
            None => self.enter_anew(flight),
        };
        slot + 1
    }

    fn enter_anew(&mut self, flight: Pending) -> u16 {
        if self.slots.len() + 1 < usize::from(RESERVED) || self.late == 0 {
            self.slots.push((flight, Step::Sent));
            return (self.slots.len() - 1) as u16;
        }
        // All identifiers are taken: one that was given up is the only one left.
        let late = self.slots.iter().position(|(_, step)| *step == Step::Late);
        let slot = late.unwrap_or_default();
        self.late -= 1;
        self.slots[slot] = (flight, Step::Sent);
        slot as u16
    }

    /// Takes a message out if it has come as far as `step`.
    #[inline]
    pub(super) fn take(&mut self, packet_id: u16, step: Step) -> Option<Pending> {
        let slot = packet_id.checked_sub(1)?;
        let (flight, found) = self.slots.get_mut(usize::from(slot))?;
        if *found == Step::Late {
            *found = Step::Free;
            self.late -= 1;
            self.free.push(slot);
            return None;
        }
        if *found != step {
            return None;
        }
        *found = Step::Free;
        self.free.push(slot);
        Some(*flight)
    }

    /// Whether this identifier is that of a message that was given up.
    pub(super) fn is_late(&self, packet_id: u16) -> bool {
        let slot = usize::from(packet_id).wrapping_sub(1);
        matches!(self.slots.get(slot), Some((_, Step::Late)))
    }

    /// Gives up what was written before `moment`; each is handed to `last`.
    pub(super) fn give_up(&mut self, moment: Nanos, mut last: impl FnMut(&Pending)) {
        for (flight, step) in &mut self.slots {
            if matches!(step, Step::Sent | Step::Released) && flight.sent < moment {
                last(flight);
                *step = Step::Late;
                self.late += 1;
            }
        }
    }

    /// Moves a message on from sent to released; `false` if it is not under way.
    pub(super) fn release(&mut self, packet_id: u16) -> bool {
        let slot = usize::from(packet_id).wrapping_sub(1);
        match self.slots.get_mut(slot) {
            Some((_, step)) if matches!(step, Step::Sent | Step::Released) => {
                *step = Step::Released;
                true
            }
            _ => false,
        }
    }

    /// All that are under way, with their packet identifiers.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u16, Pending, Step)> + '_ {
        let all = self.slots.iter().enumerate();
        all.filter(|(_, (_, step))| matches!(step, Step::Sent | Step::Released))
            .map(|(slot, (flight, step))| (slot as u16 + 1, *flight, *step))
    }

    /// Forgets all; each is handed to `last`.
    pub(super) fn clear(&mut self, mut last: impl FnMut(&Pending)) {
        for (_, flight, _) in self.iter() {
            last(&flight);
        }
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_given_up_leaves_room_and_its_late_answer_counts_for_nobody() {
        let mut flights = InFlight::default();
        let at = |sent| Pending {
            sent,
            ..Pending::default()
        };
        let (old, new) = (flights.enter(at(1)), flights.enter(at(9)));
        let mut given_up = Vec::new();
        flights.give_up(5, |flight| given_up.push(flight.sent));
        flights.give_up(5, |flight| given_up.push(flight.sent));
        assert_eq!((given_up, flights.len()), (vec![1], 1));
        assert_ne!(flights.enter(at(10)), old, "its identifier is still taken");
        assert!(flights.take(old, Step::Sent).is_none(), "a late answer");
        assert_eq!(flights.enter(at(11)), old, "and is free from then on");
        assert_eq!(flights.len(), 3);
        assert!(flights.take(new, Step::Sent).is_some());
    }

    #[test]
    fn identifiers_do_not_run_out_when_answers_never_come() {
        let mut flights = InFlight::default();
        for sent in 0..2 * u64::from(RESERVED) {
            let packet_id = flights.enter(Pending {
                sent,
                ..Pending::default()
            });
            assert!((1..RESERVED).contains(&packet_id));
            flights.give_up(sent + 1, |_| {});
        }
        assert_eq!(flights.len(), 0);
    }

    #[test]
    fn identifiers_are_used_again_and_answers_count_once() {
        let mut flights = InFlight::default();
        let first = flights.enter(Pending::default());
        let second = flights.enter(Pending {
            sequence: 1,
            ..Pending::default()
        });
        assert_eq!((first, second, flights.len()), (1, 2, 2));
        assert!(flights.take(first, Step::Sent).is_some());
        assert!(flights.take(first, Step::Sent).is_none());
        assert!(flights.take(0, Step::Sent).is_none());
        assert!(flights.take(9, Step::Sent).is_none());
        assert_eq!(flights.enter(Pending::default()), first);
        assert!(flights.release(second));
        assert!(flights.take(second, Step::Sent).is_none());
        assert_eq!(
            flights
                .take(second, Step::Released)
                .map(|flight| flight.sequence),
            Some(1)
        );
        let mut left = 0;
        flights.clear(|_| left += 1);
        assert_eq!((left, flights.len()), (1, 0));
    }
}
