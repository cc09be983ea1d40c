//! What a client does that not every one does; said before it connects.

use super::{Client, First};

impl Client {
    /// Takes back a session that another client has taken over, which may be what is left of an earlier run; but not twice in a
    /// minute.
    pub(crate) const fn take_back(&mut self) {
        self.takes_back = true;
    }

    /// A connection that is lost before its subscriptions are answered is made again, too, although it is the first.
    pub(crate) const fn come_back_early(&mut self) {
        self.comes_back_early = true;
    }

    /// The identifier was drawn by lot, so that no other client has it.
    pub(crate) const fn has_random_id(&mut self) {
        self.random_id = true;
    }

    /// Of several servers, comes back to the first as soon as that can be reached again.
    pub(crate) fn prefer_first(&mut self) {
        self.first = Some(First::new());
    }
}
