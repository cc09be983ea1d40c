//! Delivery tags of a channel: which may be settled together.

/// The tags that have come so far. What a server counted and we never got stays unsettled: an answer that is for all
/// messages up to one (`multiple`) would be for it too.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tags {
    /// All from 1 to this one have come, in this order.
    whole: u64,
}

impl Tags {
    /// A message has come.
    #[inline]
    pub(crate) const fn came(&mut self, tag: u64) {
        if tag == self.whole.wrapping_add(1) {
            self.whole = tag;
        }
    }

    /// Whether every message up to this one has come, each after the one before.
    #[inline]
    pub(crate) const fn is_whole(self, tag: u64) -> bool {
        tag <= self.whole
    }

    /// Answers to these messages, which are in the order in which they came: `answer` gets a tag and whether it is for all
    /// before it too. No message that came before the last of them is to stay unsettled.
    pub(crate) fn settle(self, tags: &[u64], mut answer: impl FnMut(u64, bool)) {
        let mut together = tags.iter().filter(|tag| self.is_whole(**tag));
        let count = together.clone().count();
        if let Some(last) = together.next_back() {
            answer(*last, count > 1);
        }
        let alone = tags.iter().filter(|tag| !self.is_whole(**tag));
        alone.for_each(|tag| answer(*tag, false));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is answered when these come and are settled at once.
    fn answers(came: &[u64]) -> Vec<(u64, bool)> {
        let (mut tags, mut answers) = (Tags::default(), Vec::new());
        came.iter().for_each(|tag| tags.came(*tag));
        tags.settle(came, |tag, multiple| answers.push((tag, multiple)));
        answers
    }

    #[test]
    fn what_came_without_a_gap_is_settled_at_once() {
        assert_eq!(answers(&[1, 2, 3]), [(3, true)]);
        assert_eq!(answers(&[1]), [(1, false)]);
        assert_eq!(answers(&[]), []);
    }

    #[test]
    fn what_never_came_is_not_settled() {
        assert_eq!(answers(&[2, 3]), [(2, false), (3, false)]);
        assert_eq!(answers(&[1, 2, 4, 5]), [(2, true), (4, false), (5, false)]);
    }

    #[test]
    fn what_came_in_another_order_is_settled_all_the_same() {
        assert_eq!(answers(&[5, 3]), [(5, false), (3, false)]);
        assert_eq!(answers(&[2, 3, 1]), [(1, false), (2, false), (3, false)]);
        let big = u64::MAX;
        assert_eq!(answers(&[big, 0]), [(0, false), (big, false)]);
    }

    #[test]
    fn what_was_settled_alone_leaves_no_gap() {
        let mut tags = Tags::default();
        (1..=4).for_each(|tag| tags.came(tag));
        let mut answers = Vec::new();
        tags.settle(&[1, 3, 4], |tag, multiple| answers.push((tag, multiple)));
        assert_eq!(answers, [(4, true)]);
    }
}
