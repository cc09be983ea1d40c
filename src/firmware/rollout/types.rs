//! What goes into a rollout and comes out of it, and what its journal has.

use serde::{Deserialize, Serialize};

use super::super::Digest;
use super::Seconds;

/// What a rollout is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Of the manifest.
    pub sequence: u64,
    /// The images that the manifest has for devices.
    pub images: Vec<Digest>,
    /// One after the other; at least one.
    pub stages: Vec<Stage>,
    /// A device that takes longer has failed.
    pub timeout: Seconds,
    /// How often a device that failed is offered the update again.
    pub retries: u32,
    /// At most so many devices in so many seconds.
    pub rate: Option<(u32, Seconds)>,
    /// The rate is twice as high after each of so many that are updated; 0: it stays what it is.
    pub double_after: usize,
    /// Seconds of the day, UTC, between which devices are offered it; the end may be on the next day.
    pub window: Option<(Seconds, Seconds)>,
}

/// A part of the devices, and what must be so before the next one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stage {
    /// How many devices have been offered the update by its end.
    pub size: Share,
    /// Of those offered in all stages so far, how many percent must be updated.
    pub success: u8,
    /// More failures in all stages so far stop the rollout.
    pub failures: Share,
    /// To wait after it.
    pub soak: Seconds,
}

/// A number of devices, or a part of all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Share {
    /// So many.
    Devices(usize),
    /// So many of a hundred, rounded up.
    Percent(u8),
}

impl Share {
    /// Of `all`.
    pub fn of(self, all: usize) -> usize {
        match self {
            Self::Devices(count) => count.min(all),
            Self::Percent(percent) => (all * usize::from(percent)).div_ceil(100).min(all),
        }
    }
}

/// A decision, as it stands in the journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Entry {
    /// The first: of which manifest, and for which devices, in their order.
    Begun {
        /// Of the manifest.
        sequence: u64,
        /// Names.
        devices: Vec<String>,
    },
    /// The manifest is put where the device sees it.
    Offered {
        /// Its name.
        device: String,
        /// When.
        at: Seconds,
        /// Of the last failure that it had reported by then: one that is heard of again later is no other one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<String>,
    },
    /// The device has confirmed it.
    Updated {
        /// Its name.
        device: String,
        /// When.
        at: Seconds,
    },
    /// The device will not be offered it again.
    Failed {
        /// Its name.
        device: String,
        /// When.
        at: Seconds,
        /// Why.
        why: String,
    },
    /// The manifest was taken back, and that has arrived. A device that had not begun is as if it had not been offered it; one that
    /// had failed stays what it is.
    Withdrawn {
        /// Its name.
        device: String,
        /// When.
        at: Seconds,
    },
    /// A stage has come to its end, and its devices have done well enough.
    Passed {
        /// From 0.
        stage: usize,
        /// When.
        at: Seconds,
    },
    /// It will not go on.
    Stopped {
        /// When.
        at: Seconds,
        /// Why.
        why: String,
    },
    /// All stages are passed.
    Completed {
        /// When.
        at: Seconds,
    },
}

/// A decision and what is to be done then. Without an entry it is done although it may have been done before: the entry that says
/// so is in the journal already, or comes once it has been done.
pub type Decision = (Option<Entry>, Option<Step>);

/// What the driver has to do, once its entry is in the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Put the manifest where this device sees it.
    Offer(String),
    /// Take it away again, from a device that has not begun or has failed.
    Withdraw(String),
}

/// What a device has reported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// As in `ota/status/ID`.
    pub state: String,
    /// Of what it runs, or what it installs.
    pub sequence: u64,
    /// The image of that, where the device says it.
    pub image: Option<Digest>,
    /// Why.
    pub error: Option<String>,
    /// What this report has that another one of the same device has not.
    pub mark: String,
}

/// How many devices are how far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Not offered yet.
    pub waiting: usize,
    /// Offered, and not at an end.
    pub underway: usize,
    /// Confirmed.
    pub updated: usize,
    /// Not.
    pub failed: usize,
}
