//! Alarms: what readings mean over time, one alarm for each key. Pure: the time is passed in, as milliseconds since 1970.
//!
//! ```text
//! ok ──> pending ──> firing ──> clearing ──> ok
//!  ^________│           ^___________│
//! ```
//!
//! | part | what it is for |
//! |---|---|
//! | [`Rule`] | when a reading is bad or good, and how long it must be so |
//! | `state` | one alarm |
//! | [`Alarms`] | the alarms of a rule by their keys, with their timers, silences and limits |
//! | [`Notice`] | what is sent when an alarm changes |

mod notice;
mod rule;
mod set;
mod state;

pub(crate) use notice::time;
pub use notice::{Mark, Notice};
pub use rule::{Rule, Step, Test};
pub use set::{Alarms, Counts, Muted, Silence};
pub use state::{Clock, Reading, Saved, State, Value};

/// Since 1970, by the wall clock: timers go on over a restart.
pub type Millis = u64;

#[cfg(test)]
mod tests;
