//! The MQTT driver: from what a load is to be to groups of connections that the engine runs.
//!
//! | file | what it holds |
//! |---|---|
//! | `settings` | what is asked for; groups and drivers made of it |
//! | `session`, `group` | one connection; what a group's connections have in common |
//! | `template` | packets encoded once and patched |
//! | `property` | the stamp beside a body that is not ours |
//! | `leftover` | retained messages, which are cleared after the run |
//! | `null` | a broker that only answers |
//! | `scan`, `in_flight` | acknowledgements off the raw bytes; messages under way |

mod group;
mod in_flight;
mod leftover;
mod null;
mod property;
mod scan;
mod session;
mod settings;
mod template;
#[cfg(test)]
mod tests;

pub(crate) use leftover::CLEARED;
pub(super) use null::answer;
pub(crate) use settings::{Scenario, Settings};
pub(crate) use template::Body;
