//! The CoAP driver: from what a load is to be to groups of sockets that the engine runs.
//!
//! | file | what it holds |
//! |---|---|
//! | `settings` | what is asked for; groups and drivers made of it |
//! | `session` | one socket that asks |
//! | `patience` | when to send again |
//! | `template` | requests encoded once and patched |
//! | `wire` | messages as they stand in what has arrived |
//! | `slots`, `ids` | requests under way; message ids, and how soon they come round again |
//! | `opener`, `udp` | sockets as links |
//! | `figures` | the counts that only CoAP has, by the names of ETSI |

mod figures;
mod ids;
mod opener;
mod patience;
mod session;
mod settings;
mod slots;
mod template;
#[cfg(test)]
mod tests;
mod udp;
mod wire;

pub use figures::{ATTEMPTS, name_figures};
pub use opener::Opener;
pub use settings::{Body, Made, Mix, Scenario, Settings};
