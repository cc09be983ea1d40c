//! The CoAP driver: from what a load is to be to groups of sockets that the engine runs.
//!
//! | file | what it holds |
//! |---|---|
//! | `settings`, `mix` | what is asked for; which method has its turn |
//! | `driver` | groups and drivers made of it |
//! | `session`, `observer` | one socket that asks; one that observes |
//! | `signals` | what only reliable transports say |
//! | `rto` | when to send again |
//! | `template` | requests encoded once and patched |
//! | `exchanges`, `ids` | requests under way; message ids, and how soon they come round again |
//! | `opener`, `udp`, `bundle`, `dtls` | sockets as links |
//! | `null` | a server that only answers |
//! | `figures` | the counts that only CoAP has, by the names of ETSI |

mod bundle;
mod driver;
mod dtls;
mod exchanges;
mod figures;
mod ids;
mod mix;
mod null;
mod observer;
mod opener;
mod rto;
mod session;
mod settings;
mod signals;
mod template;
#[cfg(test)]
mod tests;
mod udp;

pub use figures::{ATTEMPTS, name_figures};
pub use mix::Mix;
pub use null::NullServer;
pub use opener::Opener;
pub use settings::{Scenario, Settings};
pub use template::Body;
