//! The AMQP 0-9-1 driver: from what a load is to be to groups of connections that the engine runs.
//!
//! | file | what it holds |
//! |---|---|
//! | `settings` | what is asked for |
//! | `driver` | groups and drivers made of it |
//! | `session` | one connection: login, channels, what arrives for which of them |
//! | `publisher`, `consumer`, `churn` | what channels do |
//! | `template` | a message as frames, encoded once and patched |
//! | `content` | messages that arrive in several frames |
//! | `in_flight` | messages under way, by delivery tag |
//! | `topology` | queues and bindings for the length of a run |
//! | `null` | a server that only answers |

mod churn;
mod consumer;
mod content;
mod driver;
mod in_flight;
mod null;
mod publisher;
mod session;
mod settings;
mod template;
#[cfg(test)]
mod tests;
mod topology;

use super::driver::Broken;
use crate::amqp::frame::Refusal;

pub(super) use null::Null;
pub(crate) use settings::{Consuming, Scenario, Settings};
pub(crate) use topology::{Desk, Topology};

impl From<Refusal> for Broken {
    fn from(refusal: Refusal) -> Self {
        Self::new(format!("protocol error: {}", refusal.text))
    }
}
