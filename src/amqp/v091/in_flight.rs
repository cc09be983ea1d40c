//! What is under way, by delivery tag.

use std::collections::VecDeque;

use super::super::publisher::Outgoing;
use crate::message::AmqpProperties;

/// A message that went out and is not settled.
#[derive(Debug)]
struct Pending {
    number: u64,
    message: Outgoing,
    /// Where it ends in all that was ever written.
    end: u64,
    settled: bool,
    returned: bool,
}

/// The messages under way. Tags count up by one from 1 on a channel, so that the place in the row is the tag.
#[derive(Debug, Default)]
pub(super) struct InFlight {
    row: VecDeque<Pending>,
    /// The tag of the first in the row, less one.
    before: u64,
    unsettled: usize,
    bytes: usize,
}

impl InFlight {
    pub(super) const fn len(&self) -> usize {
        self.unsettled
    }

    /// Of all bodies under way.
    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn enter(&mut self, number: u64, message: Outgoing, end: u64) {
        self.unsettled += 1;
        self.bytes += message.payload.len();
        self.row.push_back(Pending {
            number,
            message,
            end,
            settled: false,
            returned: false,
        });
    }

    /// Settles the message with this tag, and with `multiple` all before it too (0: all there are). `false`: there
    /// is no such message.
    pub(super) fn settle(&mut self, tag: u64, multiple: bool, mut done: impl FnMut(u64)) -> bool {
        let last = match (tag, multiple) {
            (0, true) => self.row.len(),
            // Tags count from 1 (§1.1).
            (0, false) => return false,
            _ => match tag.checked_sub(self.before).map(usize::try_from) {
                Some(Ok(place)) if place <= self.row.len() => place,
                _ => return false,
            },
        };
        let first = if multiple { 0 } else { last.wrapping_sub(1) };
        // What is settled twice, or comes before the row, is settled already.
        for at in first..last {
            self.settle_at(at, &mut done);
        }
        self.tidy();
        true
    }

    /// The number of the message that came back from this exchange with this key: the oldest such one, of those with the
    /// same properties if there are any. Returns come in the order of publishing, and before confirmations.
    pub(super) fn returned(
        &mut self,
        exchange: &str,
        key: &str,
        properties: Option<&AmqpProperties>,
    ) -> Option<u64> {
        let alike = |flight: &Pending| {
            let message = &flight.message;
            !flight.settled
                && !flight.returned
                && *message.exchange == *exchange
                && *message.key == *key
        };
        let same =
            |flight: &Pending| properties.is_some_and(|it| *it == *flight.message.properties);
        let exact = self.row.iter().position(|it| alike(it) && same(it));
        let at = exact.or_else(|| self.row.iter().position(alike))?;
        let flight = self.row.get_mut(at)?;
        flight.returned = true;
        Some(flight.number)
    }

    /// Without confirmations: what was written up to here is settled.
    pub(super) fn written(&mut self, up_to: u64, mut done: impl FnMut(u64)) {
        let ended = self.row.partition_point(|flight| flight.end <= up_to);
        for at in 0..ended {
            self.settle_at(at, &mut done);
        }
        self.tidy();
    }

    fn settle_at(&mut self, at: usize, done: &mut impl FnMut(u64)) {
        let Some(flight) = self.row.get_mut(at) else {
            return;
        };
        if !std::mem::replace(&mut flight.settled, true) {
            self.unsettled -= 1;
            self.bytes -= flight.message.payload.len();
            done(flight.number);
        }
    }

    fn tidy(&mut self) {
        while self.row.front().is_some_and(|flight| flight.settled) {
            self.row.pop_front();
            self.before += 1;
        }
    }

    /// The number and the message of the first that is not settled, as [`InFlight::tidy`] leaves it in front.
    pub(super) fn oldest(&self) -> Option<(u64, &Outgoing)> {
        let oldest = self.row.front()?;
        Some((oldest.number, &oldest.message))
    }

    /// What is not settled, in order.
    pub(super) fn rest(self) -> Vec<(u64, Outgoing)> {
        let rest = self.row.into_iter().filter(|flight| !flight.settled);
        rest.map(|flight| (flight.number, flight.message)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Five messages with the numbers 10 to 14, of one byte, that end at 100, 200 and so on.
    fn five() -> InFlight {
        let mut flights = InFlight::default();
        for number in 10..15 {
            let message = Outgoing {
                payload: "x".into(),
                ..Outgoing::default()
            };
            flights.enter(number, message, (number - 9) * 100);
        }
        flights
    }

    fn settled(flights: &mut InFlight, tag: u64, multiple: bool) -> Option<Vec<u64>> {
        let mut done = Vec::new();
        let known = flights.settle(tag, multiple, |number| done.push(number));
        known.then_some(done)
    }

    #[test]
    fn each_is_settled_once() {
        let mut flights = five();
        assert_eq!(settled(&mut flights, 2, false), Some(vec![11]));
        assert_eq!(settled(&mut flights, 2, false), Some(vec![]));
        assert_eq!(settled(&mut flights, 4, true), Some(vec![10, 12, 13]));
        assert_eq!(settled(&mut flights, 4, true), Some(vec![]));
        assert_eq!((flights.len(), flights.bytes()), (1, 1));
        assert_eq!(settled(&mut flights, 0, true), Some(vec![14]));
        assert_eq!((flights.len(), flights.bytes()), (0, 0));
    }

    #[test]
    fn tags_that_were_never_given_are_unknown() {
        let mut flights = five();
        assert_eq!(settled(&mut flights, 6, false), None);
        assert_eq!(settled(&mut flights, u64::MAX, true), None);
        assert_eq!(settled(&mut flights, 5, true).unwrap().len(), 5);
        assert_eq!(settled(&mut flights, 6, true), None);
        assert_eq!(settled(&mut flights, 5, true), Some(vec![]));
    }

    #[test]
    fn what_comes_back_is_the_oldest_like_it() {
        let mut flights = InFlight::default();
        let typed = |kind: &'static str| AmqpProperties {
            kind: Some(kind.into()),
            ..AmqpProperties::default()
        };
        for (number, key, kind) in [(1, "a", "x"), (2, "b", "x"), (3, "a", "y"), (4, "a", "x")] {
            let message = Outgoing {
                key: key.into(),
                properties: typed(kind).into(),
                ..Outgoing::default()
            };
            flights.enter(number, message, 0);
        }
        let mut returned = |key, kind| flights.returned("", key, Some(&typed(kind)));
        assert_eq!(returned("a", "y"), Some(3));
        assert_eq!(returned("a", "z"), Some(1));
        assert_eq!(returned("a", "x"), Some(4));
        assert_eq!((returned("a", "x"), returned("c", "x")), (None, None));
        assert_eq!(flights.returned("", "b", None), Some(2));
    }

    #[test]
    fn the_rest_stays_in_order() {
        let mut flights = five();
        settled(&mut flights, 3, false);
        let numbers: Vec<u64> = flights.rest().iter().map(|(number, _)| *number).collect();
        assert_eq!(numbers, [10, 11, 13, 14]);
    }

    #[test]
    fn without_confirmations_writing_counts() {
        let mut flights = five();
        let mut done = Vec::new();
        flights.written(250, |number| done.push(number));
        assert_eq!(done, [10, 11]);
        assert_eq!(flights.len(), 3);
    }
}
