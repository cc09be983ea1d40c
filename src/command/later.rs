//! What is made while messages are carried, and others refer to.

use std::cell::OnceCell;

/// Values that come one by one. Each stays where it is.
pub(crate) struct Later<T> {
    value: OnceCell<T>,
    next: OnceCell<Box<Self>>,
}

impl<T> Default for Later<T> {
    fn default() -> Self {
        Self {
            value: OnceCell::new(),
            next: OnceCell::new(),
        }
    }
}

impl<T> Later<T> {
    /// Keeps one.
    pub(crate) fn keep(&self, value: T) -> &T {
        let mut place = self;
        while place.value.get().is_some() {
            place = place.next.get_or_init(Box::default);
        }
        place.value.get_or_init(|| value)
    }
}
