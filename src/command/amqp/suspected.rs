//! The message over which a server closes the channel or the connection and says why, such as 403, 404 or 541.
//!
//! It is one of those that were under way, and nobody knows which. So they go again one by one, each once the one before is
//! settled, until the server closes over one that was alone: what it says is said of that one. Its neighbours arrive, at most
//! once more than they should, and one close that has passed by the next time is nobody's fault.

use std::collections::VecDeque;

use crate::amqp::publisher::Outgoing;
use crate::flow::Number;

type Sent = (Number, Outgoing);

/// What was under way when the server closed.
#[derive(Debug, Default)]
pub(super) struct Suspected {
    /// What has not gone again yet, in order.
    waiting: VecDeque<Sent>,
    /// What has, alone.
    alone: Option<Number>,
}

impl Suspected {
    /// How many are still to go again.
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Whether other messages may go.
    pub(super) fn is_clear(&self) -> bool {
        self.waiting.is_empty() && self.alone.is_none()
    }

    /// The server has closed over one of these. Returns the one that it is, if that is known.
    pub(super) fn closed(&mut self, under_way: Vec<Sent>) -> Option<Sent> {
        let alone = self.alone.take();
        let known = matches!(&under_way[..], [(number, _)] if alone == Some(*number));
        for sent in under_way.into_iter().rev() {
            self.waiting.push_front(sent);
        }
        known.then(|| self.waiting.pop_front()).flatten()
    }

    /// Nothing is under way: what goes next, alone.
    pub(super) fn next(&mut self) -> Option<Sent> {
        let next = self.waiting.pop_front();
        self.alone = next.as_ref().map(|(number, _)| *number);
        next
    }

    /// What went alone is settled.
    pub(super) const fn survived(&mut self) {
        self.alone = None;
    }

    /// The connection was lost for another reason: what was to go again, which is suspected no more.
    pub(super) fn acquit(&mut self) -> impl Iterator<Item = Sent> + use<> {
        self.alone = None;
        std::mem::take(&mut self.waiting).into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(numbers: &[Number]) -> Vec<Sent> {
        let all = numbers.iter();
        all.map(|number| (*number, Outgoing::default())).collect()
    }

    fn next(suspected: &mut Suspected) -> Option<Number> {
        suspected.next().map(|(number, _)| number)
    }

    #[test]
    fn the_one_at_fault_is_found_with_one_more_connection() {
        let mut suspected = Suspected::default();
        assert!(suspected.is_clear());
        assert_eq!(suspected.closed(sent(&[1, 2, 3])), None);
        assert_eq!(next(&mut suspected), Some(1));
        suspected.survived();
        assert_eq!(next(&mut suspected), Some(2));
        let fault = suspected.closed(sent(&[2]));
        assert_eq!(fault.map(|(number, _)| number), Some(2));
        assert!(!suspected.is_clear());
        assert_eq!(next(&mut suspected), Some(3));
        assert!(!suspected.is_clear());
        suspected.survived();
        assert!(suspected.is_clear());
    }

    #[test]
    fn one_close_that_passes_is_nobodys_fault() {
        let mut suspected = Suspected::default();
        assert_eq!(suspected.closed(sent(&[7])), None);
        assert_eq!(next(&mut suspected), Some(7));
        suspected.survived();
        // Later it is the only one that is under way again.
        assert_eq!(suspected.closed(sent(&[8])), None);
        assert_eq!(next(&mut suspected), Some(8));
        assert_eq!(suspected.acquit().count(), 0);
        assert!(suspected.is_clear());
        assert_eq!(suspected.closed(sent(&[8])), None);
        let again: Vec<Number> = suspected.acquit().map(|(number, _)| number).collect();
        assert_eq!(again, [8]);
    }
}
