//! Requests under way, by token and by message id.

use std::collections::{HashSet, VecDeque};

use super::super::clock::Nanos;
use super::super::recorder::Pending;

/// Requests under way on one socket at most; fewer than there are message ids.
pub(super) const MOST: usize = 60_000;

/// Requests that were given up of which it is remembered that no answer has come.
const REMEMBERED: usize = 1 << 18;

/// How far a request has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Nothing has come of it; a confirmable one is sent again.
    Sent,
    /// Acknowledged; its response comes by itself (RFC 7252 §5.2.2).
    Promised,
    /// Answered: the slot is free.
    Answered,
    /// Given up: the slot is free.
    GivenUp,
}

/// A request under way, or the last one that was in its place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slot {
    pub(super) flight: Pending,
    /// When it is sent again or given up.
    pub(super) deadline: Nanos,
    pub(super) mid: u16,
    /// Tells the requests in this place apart.
    turn: u16,
    /// How often it was sent again.
    pub(super) again: u8,
    /// How many of the server's challenges it has answered.
    pub(super) challenges: u8,
    pub(super) state: State,
}

impl Slot {
    const fn waits(&self) -> bool {
        matches!(self.state, State::Sent | State::Promised)
    }
}

/// What a token stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// A request under way, in this place.
    Waiting(u16),
    /// One that was answered before.
    Answered,
    /// One that was given up.
    GivenUp,
    /// None of ours.
    Nobody,
}

/// A table that grows to the window. A token is the place and its turn, so that nothing is searched.
#[derive(Debug, Default)]
pub(super) struct ExchangeTable {
    slots: Vec<Slot>,
    free: Vec<u16>,
    /// The place of the message ids that end alike; a later one may have taken it over.
    by_mid: Vec<u16>,
    /// The tokens of those that were given up and have no answer yet, in that order too: their places may be taken.
    unanswered: HashSet<[u8; 4]>,
    given_up: VecDeque<[u8; 4]>,
}

impl ExchangeTable {
    /// How many are under way.
    pub(super) const fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// Enters a request and returns its place. At most [`MOST`] may be under way.
    #[inline]
    pub(super) fn enter(&mut self, flight: Pending, mid: u16, deadline: Nanos) -> u16 {
        let place = match self.free.pop() {
            Some(place) => place,
            None => self.grow(),
        };
        let slot = &mut self.slots[usize::from(place)];
        *slot = Slot {
            flight,
            deadline,
            mid,
            turn: slot.turn.wrapping_add(1),
            again: 0,
            challenges: 0,
            state: State::Sent,
        };
        self.file(mid, place);
        place
    }

    /// The request in this place becomes another message, which answers a challenge.
    pub(super) fn renew(&mut self, place: u16, mid: u16, deadline: Nanos) {
        let slot = &mut self.slots[usize::from(place)];
        *slot = Slot {
            deadline,
            mid,
            turn: slot.turn.wrapping_add(1),
            again: 0,
            challenges: slot.challenges + 1,
            state: State::Sent,
            ..*slot
        };
        self.file(mid, place);
    }

    #[inline]
    fn file(&mut self, mid: u16, place: u16) {
        let mask = self.by_mid.len() - 1;
        self.by_mid[usize::from(mid) & mask] = place;
        if !self.unanswered.is_empty() {
            // Tokens come again after 65,536 turns.
            self.unanswered.remove(&self.token(place));
        }
    }

    fn grow(&mut self) -> u16 {
        let place = self.slots.len() as u16;
        self.slots.push(Slot {
            flight: Pending::default(),
            deadline: 0,
            mid: 0,
            turn: 0,
            again: 0,
            challenges: 0,
            state: State::GivenUp,
        });
        if self.by_mid.len() < self.slots.len() {
            self.by_mid = vec![0; (2 * self.slots.len()).next_power_of_two()];
            let mask = self.by_mid.len() - 1;
            for (place, slot) in self.slots.iter().enumerate() {
                self.by_mid[usize::from(slot.mid) & mask] = place as u16;
            }
        }
        place
    }

    pub(super) fn slot(&mut self, place: u16) -> &mut Slot {
        &mut self.slots[usize::from(place)]
    }

    /// The token of the request in this place.
    #[inline]
    pub(super) fn token(&self, place: u16) -> [u8; 4] {
        let turn = self.slots[usize::from(place)].turn;
        let ([a, b], [c, d]) = (place.to_be_bytes(), turn.to_be_bytes());
        [a, b, c, d]
    }

    /// Whose token this is.
    #[inline]
    pub(super) fn find(&self, token: &[u8]) -> Found {
        let &[a, b, c, d] = token else {
            return Found::Nobody;
        };
        let (place, turn) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
        let Some(slot) = self.slots.get(usize::from(place)) else {
            return Found::Nobody;
        };
        match slot.turn.wrapping_sub(turn) {
            0 if slot.waits() => Found::Waiting(place),
            0..0x8000 if turn > 0 && self.unanswered.contains(token) => Found::GivenUp,
            0..0x8000 if turn > 0 => Found::Answered,
            _ => Found::Nobody,
        }
    }

    /// An answer to a request that was given up has come; another one is a copy.
    pub(super) fn answered_late(&mut self, token: &[u8]) {
        self.unanswered.remove(token);
    }

    /// The place of the request under way with this message id.
    pub(super) fn with_mid(&self, mid: u16) -> Option<u16> {
        let waits = |slot: &Slot| slot.mid == mid && slot.waits();
        let mask = self.by_mid.len().checked_sub(1)?;
        let likely = self.by_mid[usize::from(mid) & mask];
        if self.slots.get(usize::from(likely)).is_some_and(waits) {
            return Some(likely);
        }
        let found = self.slots.iter().position(waits)?;
        Some(found as u16)
    }

    /// The message ids under way.
    pub(super) fn mids(&self) -> impl Iterator<Item = u16> + '_ {
        let waiting = self.slots.iter().filter(|slot| slot.waits());
        waiting.map(|slot| slot.mid)
    }

    /// The place of the oldest request under way.
    pub(super) fn oldest(&self) -> Option<u16> {
        let all = self.slots.iter().enumerate();
        let waiting = all.filter(|(_, slot)| slot.waits());
        let oldest = waiting.min_by_key(|(_, slot)| slot.flight.sequence)?;
        Some(oldest.0 as u16)
    }

    /// Takes the request in this place out; `state` says what became of it.
    #[inline]
    pub(super) fn end(&mut self, place: u16, state: State) -> Pending {
        self.free.push(place);
        if state == State::GivenUp {
            self.remember(self.token(place));
        }
        let slot = &mut self.slots[usize::from(place)];
        slot.state = state;
        slot.flight
    }

    fn remember(&mut self, token: [u8; 4]) {
        self.unanswered.insert(token);
        self.given_up.push_back(token);
        if self.given_up.len() > REMEMBERED
            && let Some(oldest) = self.given_up.pop_front()
        {
            self.unanswered.remove(&oldest);
        }
    }

    /// The places of all that are under way and due by `now`, into `places`; and when the next one is due.
    pub(super) fn due(&self, now: Nanos, places: &mut Vec<u16>) -> Option<Nanos> {
        let mut next = None::<Nanos>;
        for (place, slot) in self.slots.iter().enumerate() {
            if !slot.waits() {
                continue;
            }
            if slot.deadline <= now {
                places.push(place as u16);
            } else {
                next = Some(next.map_or(slot.deadline, |next| next.min(slot.deadline)));
            }
        }
        next
    }

    /// Gives up all; each is handed to `last`.
    pub(super) fn clear(&mut self, mut last: impl FnMut(&Pending)) {
        for place in 0..self.slots.len() as u16 {
            if self.slot(place).waits() {
                last(&self.end(place, State::GivenUp));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbered(sequence: u64) -> Pending {
        Pending {
            sequence,
            ..Pending::default()
        }
    }

    #[test]
    fn tokens_and_ids_find_their_request_and_nobody_elses() {
        let mut slots = ExchangeTable::default();
        let mut places = Vec::new();
        for sequence in 0..300 {
            let place = slots.enter(numbered(sequence), 1 + sequence as u16 * 7, 0);
            places.push((place, slots.token(place)));
        }
        assert_eq!(slots.len(), 300);
        for (sequence, (place, token)) in places.iter().enumerate() {
            assert_eq!(slots.find(token), Found::Waiting(*place));
            assert_eq!(slots.with_mid(1 + sequence as u16 * 7), Some(*place));
            let flight = slots.end(*place, State::Answered);
            assert_eq!(flight.sequence, sequence as u64);
            assert_eq!(slots.find(token), Found::Answered);
            assert_eq!(slots.with_mid(1 + sequence as u16 * 7), None);
        }
        assert_eq!(slots.len(), 0);
        let place = slots.enter(numbered(0), 5, 0);
        assert_eq!(slots.find(&slots.token(place)), Found::Waiting(place));
        assert_eq!(slots.find(&[9, 9, 0, 1]), Found::Nobody);
        assert_eq!(slots.find(&[0, 0, 0, 0]), Found::Nobody);
        assert_eq!(slots.find(b"123"), Found::Nobody);
    }

    #[test]
    fn what_is_due_is_listed_and_what_is_given_up_is_known() {
        let mut slots = ExchangeTable::default();
        let first = slots.enter(numbered(0), 1, 10);
        let second = slots.enter(numbered(1), 2, 20);
        let mut places = Vec::new();
        assert_eq!(slots.due(10, &mut places), Some(20));
        assert_eq!(places, [first]);
        let token = slots.token(first);
        slots.end(first, State::GivenUp);
        assert_eq!(slots.find(&token), Found::GivenUp);
        let mut left = Vec::new();
        slots.clear(|flight| left.push(flight.sequence));
        assert_eq!((left, slots.len()), (vec![1], 0));
        assert_eq!(slots.find(&slots.token(second)), Found::GivenUp);
    }

    #[test]
    fn the_first_answer_to_what_was_given_up_is_no_copy_even_when_its_place_is_taken() {
        let mut slots = ExchangeTable::default();
        let place = slots.enter(numbered(0), 1, 10);
        let token = slots.token(place);
        slots.end(place, State::GivenUp);
        for sequence in 1..1_000 {
            assert_eq!(slots.enter(numbered(sequence), 2, 10), place);
            slots.end(place, State::Answered);
        }
        assert_eq!(slots.find(&token), Found::GivenUp);
        slots.answered_late(&token);
        assert_eq!(slots.find(&token), Found::Answered);
    }
}
