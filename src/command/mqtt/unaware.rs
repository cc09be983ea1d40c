//! Servers that do not know bridges.

use std::cell::Cell;
use std::rc::Rc;

/// Which of two servers have said that they know no bridges: they send back what they are sent, and where both do, messages
/// would cross for ever.
#[derive(Clone, Debug)]
pub struct Unaware {
    both: Rc<Cell<[bool; 2]>>,
    own: usize,
}

impl Unaware {
    /// Of each of two servers.
    pub(crate) fn of_both() -> [Self; 2] {
        let both = Rc::new(Cell::new([false; 2]));
        [0, 1].map(|own| Self {
            both: Rc::clone(&both),
            own,
        })
    }

    /// This server is one; whether both are.
    pub(crate) fn note(&self) -> bool {
        let mut both = self.both.get();
        both[self.own] = true;
        self.both.set(both);
        both == [true; 2]
    }
}
