//! That an expression failed, until somebody has said so.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::error::brief;

/// Why an expression failed on a message; the first one counts.
#[derive(Debug, Default)]
pub(super) struct Failure {
    why: OnceLock<String>,
    told: AtomicBool,
}

impl Failure {
    /// It failed on a message with this topic.
    pub(super) fn keep(&self, topic: &str, why: &str) {
        self.why.get_or_init(|| match topic {
            "" => why.to_owned(),
            topic => format!("{}: {why}", brief(topic)),
        });
    }

    /// Why, unless it was asked for before.
    pub(super) fn take(&self) -> Option<&str> {
        let why = self.why.get()?;
        (!self.told.swap(true, Ordering::Relaxed)).then_some(why)
    }
}
