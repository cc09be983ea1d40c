//! Publishes under way. Confirms name them by their place on the channel, from 1 on, one by one or up to one.

use std::collections::VecDeque;

use super::super::clock::Nanos;
use super::super::recorder::Pending;

/// What a tag that was settled stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tag {
    /// Messages under way.
    UnderWay,
    /// One that was settled or given up before.
    Settled,
    /// Nothing that was published.
    Unknown,
}

/// Messages in the order of their tags; those settled out of turn leave a gap.
#[derive(Debug, Default)]
pub(super) struct InFlight {
    /// Tag of the first place, less one.
    before: u64,
    places: VecDeque<Option<Pending>>,
    open: usize,
}

impl InFlight {
    /// How many are under way.
    pub(super) const fn len(&self) -> usize {
        self.open
    }

    /// Enters the next message.
    #[inline]
    pub(super) fn enter(&mut self, flight: Pending) {
        self.places.push_back(Some(flight));
        self.open += 1;
    }

    /// Takes out the message with this tag, and with `multiple` all before it; tag 0 is all there are. Each that
    /// is still under way is handed to `each`.
    #[inline]
    pub(super) fn settle(
        &mut self,
        tag: u64,
        multiple: bool,
        mut each: impl FnMut(&Pending),
    ) -> Tag {
        let count = match tag {
            0 => self.places.len(),
            _ => tag
                .saturating_sub(self.before)
                .min(self.places.len() as u64) as usize,
        };
        if tag.saturating_sub(self.before) > count as u64 {
            return Tag::Unknown;
        }
        if count == 0 {
            return Tag::Settled;
        }
        let open = self.open;
        let first = if multiple { 0 } else { count - 1 };
        for flight in self.places.range_mut(first..count).filter_map(Option::take) {
            self.open -= 1;
            each(&flight);
        }
        self.trim();
        match self.open < open {
            true => Tag::UnderWay,
            false => Tag::Settled,
        }
    }

    /// Gives up what was written before `moment`; each is handed to `last`. A late answer counts for nobody.
    pub(super) fn give_up(&mut self, moment: Nanos, mut last: impl FnMut(&Pending)) {
        for place in &mut self.places {
            let old = place.take_if(|flight| flight.sent < moment);
            if let Some(flight) = old {
                self.open -= 1;
                last(&flight);
            }
        }
        self.trim();
    }

    fn trim(&mut self) {
        while let Some(None) = self.places.front() {
            self.places.pop_front();
            self.before += 1;
        }
    }

    /// Forgets all and counts from 1 again; each is handed to `last`.
    pub(super) fn clear(&mut self, mut last: impl FnMut(&Pending)) {
        self.places.iter().flatten().for_each(&mut last);
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: [Nanos; 0] = [];

    fn three() -> InFlight {
        let mut flights = InFlight::default();
        for sent in 1..=3 {
            flights.enter(Pending {
                sent,
                ..Pending::default()
            });
        }
        flights
    }

    fn settled(flights: &mut InFlight, tag: u64, multiple: bool) -> Vec<Nanos> {
        let mut found = Vec::new();
        flights.settle(tag, multiple, |flight| found.push(flight.sent));
        found
    }

    #[test]
    fn one_or_many_are_settled_and_each_once() {
        let mut flights = three();
        assert_eq!(settled(&mut flights, 2, false), [2]);
        assert_eq!(settled(&mut flights, 2, false), NONE);
        assert_eq!(settled(&mut flights, 3, true), [1, 3]);
        assert_eq!((flights.len(), flights.before), (0, 3));
        assert_eq!(settled(&mut flights, 3, true), NONE);
        assert_eq!(settled(&mut flights, 9, true), NONE, "never sent");
        assert_eq!(settled(&mut three(), 9, false), NONE, "never sent");
        assert_eq!(settled(&mut three(), 0, true), [1, 2, 3]);
        assert_eq!(settled(&mut InFlight::default(), 0, true), NONE);
    }

    #[test]
    fn tags_that_stand_for_nothing_are_known() {
        let mut flights = three();
        let mut settle = |tag, multiple| flights.settle(tag, multiple, |_| {});
        assert_eq!(settle(4, false), Tag::Unknown);
        assert_eq!(settle(4, true), Tag::Unknown);
        assert_eq!(settle(2, false), Tag::UnderWay);
        assert_eq!(settle(2, false), Tag::Settled);
        assert_eq!(settle(3, true), Tag::UnderWay);
        assert_eq!(settle(1, false), Tag::Settled);
        assert_eq!(settle(9, false), Tag::Unknown, "nothing is under way");
    }

    #[test]
    fn what_was_given_up_leaves_room_and_its_late_answer_counts_for_nobody() {
        let mut flights = three();
        let mut given_up = Vec::new();
        flights.give_up(3, |flight| given_up.push(flight.sent));
        assert_eq!((given_up, flights.len()), (vec![1, 2], 1));
        assert_eq!(settled(&mut flights, 2, true), NONE);
        assert_eq!(settled(&mut flights, 3, false), [3]);
    }
}
