//! Messages under way, by packet identifier.

use super::super::recorder::Flight;

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
}

/// A table that grows to the window and is never searched.
#[derive(Debug, Default)]
pub(super) struct Flights {
    slots: Vec<(Flight, Step)>,
    free: Vec<u16>,
}

impl Flights {
    /// How many are under way.
    pub(super) const fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// Enters a message and returns its packet identifier. At most [`RESERVED`] − 1 may be under way.
    #[inline]
    pub(super) fn enter(&mut self, flight: Flight) -> u16 {
        let slot = match self.free.pop() {
            Some(slot) => {
                self.slots[usize::from(slot)] = (flight, Step::Sent);
                slot
            }
            None => {
                self.slots.push((flight, Step::Sent));
                (self.slots.len() - 1) as u16
            }
        };
        slot + 1
    }

    /// Takes a message out if it has come as far as `step`.
    #[inline]
    pub(super) fn take(&mut self, packet_id: u16, step: Step) -> Option<Flight> {
        let slot = packet_id.checked_sub(1)?;
        let (flight, found) = self.slots.get_mut(usize::from(slot))?;
        if *found != step {
            return None;
        }
        *found = Step::Free;
        self.free.push(slot);
        Some(*flight)
    }

    /// Moves a message on from sent to released; `false` if it is not under way.
    pub(super) fn release(&mut self, packet_id: u16) -> bool {
        let slot = usize::from(packet_id).wrapping_sub(1);
        match self.slots.get_mut(slot) {
            Some((_, step)) if *step != Step::Free => {
                *step = Step::Released;
                true
            }
            _ => false,
        }
    }

    /// All that are under way, with their packet identifiers.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u16, Flight, Step)> + '_ {
        let all = self.slots.iter().enumerate();
        all.filter(|(_, (_, step))| *step != Step::Free)
            .map(|(slot, (flight, step))| (slot as u16 + 1, *flight, *step))
    }

    /// Forgets all; each is handed to `last`.
    pub(super) fn clear(&mut self, mut last: impl FnMut(&Flight)) {
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
    fn identifiers_are_used_again_and_answers_count_once() {
        let mut flights = Flights::default();
        let first = flights.enter(Flight::default());
        let second = flights.enter(Flight {
            sequence: 1,
            ..Flight::default()
        });
        assert_eq!((first, second, flights.len()), (1, 2, 2));
        assert!(flights.take(first, Step::Sent).is_some());
        assert!(flights.take(first, Step::Sent).is_none());
        assert!(flights.take(0, Step::Sent).is_none());
        assert!(flights.take(9, Step::Sent).is_none());
        assert_eq!(flights.enter(Flight::default()), first);
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
