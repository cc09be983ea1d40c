//! Simulated devices: what they measure, when they report, what they can be told, and how they fail. Pure: the time is passed in.
//!
//! | part | what it is for |
//! |---|---|
//! | [`mod@file`] | the file of a fleet, as it is written |
//! | [`model`] | what it means, checked |
//! | [`generator`], [`value`], [`span`] | values, and lengths of time that are drawn |
//! | [`command`], [`rule`] | what actuators are told, and what follows from what |
//! | [`agent`] | what takes firmware updates, on hardware that is simulated too |
//! | [`fleet`] | the devices in time: what is due, what they send, what they make of what comes |
//! | [`account`] | what has happened, counted |
//! | [`scenario`] | files that are built in |

pub(crate) mod account;
pub(crate) mod agent;
pub(crate) mod command;
pub(crate) mod file;
pub(crate) mod fleet;
pub(crate) mod generator;
pub(crate) mod model;
pub(crate) mod rule;
pub(crate) mod scenario;
pub(crate) mod span;
pub(crate) mod value;

use std::path::Path;

use self::file::Text;
use self::fleet::{Effect, Fleet};
use self::model::Model;
use crate::error::Result;

/// Lets the fleet of a file live on a clock of its own until it has made so many messages; how many bytes their payloads have. For
/// benches.
///
/// # Errors
/// [`Kind::Usage`](crate::error::Kind::Usage): a mistake in the file, with its line.
pub fn payload_bytes(text: &str, messages: u64) -> Result<u64> {
    let name = "fleet";
    let text = Text { name, text };
    let model = Model::of(text, &text.parse()?, Path::new(""), 1)?;
    let mut fleet = Fleet::new(model, 0);
    let (mut now, mut left, mut bytes) = (0, messages, 0);
    while left > 0 {
        match fleet.next_effect() {
            Some(Effect::Open(device)) => fleet.opened(device, now),
            Some(Effect::Publish(_, message)) => {
                left -= 1;
                bytes += message.payload.len() as u64;
            }
            Some(_) => {}
            None => match fleet.next_due() {
                Some(due) => {
                    now = due;
                    fleet.step(now);
                }
                None => break,
            },
        }
    }
    Ok(bytes)
}
