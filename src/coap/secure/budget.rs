//! How much of what it cannot use yet the library is given to keep.

use super::record::Record;

/// Bytes of one association, each record counting [`RECORD`] more.
const BUDGET: usize = 64 << 10;

/// What a record costs beside its bytes.
pub(super) const RECORD: usize = 64;

/// What is left for one association.
#[derive(Debug)]
pub(super) struct Budget(usize);

impl Budget {
    pub(super) const fn new() -> Self {
        Self(BUDGET)
    }

    /// Whether one more record may be kept; it counts then.
    pub(super) fn affords(&mut self, record: &Record<'_>) -> bool {
        let left = self.0.checked_sub(record.bytes().len() + RECORD);
        self.0 = left.unwrap_or(self.0);
        left.is_some()
    }

    #[cfg(test)]
    pub(super) const fn left(&self) -> usize {
        self.0
    }
}
