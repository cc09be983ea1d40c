//! The MQTT driver: from what a load is to be to groups of connections that the engine runs.
//!
//! | file | what it holds |
//! |---|---|
//! | `settings` | what is asked for; groups and drivers made of it |
//! | `session`, `group` | one connection; what a group's connections have in common |
//! | `template`, `topics` | packets encoded once and patched; topic patterns |
//! | `property` | the stamp beside a body that is not ours |
//! | `null` | a broker that only answers |
//! | `scan`, `flights` | acknowledgements off the raw bytes; messages under way |

mod flights;
mod group;
mod null;
mod property;
mod scan;
mod session;
mod settings;
mod template;
#[cfg(test)]
mod tests;
mod topics;

pub use group::Role;
pub(super) use null::answer;
pub use settings::{Made, Scenario, Settings};
pub use template::Body;
pub(super) use template::filling;
pub use topics::Pattern;
