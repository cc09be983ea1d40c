//! `ota`: firmware updates. What is judged is judged in `firmware`; here files are read and written.

pub(crate) mod agent;
mod amqp;
pub(crate) mod delta;
mod direct;
mod inspect;
pub(crate) mod keys;
pub(crate) mod publish;
mod retained;
pub(crate) mod rollout;
pub(crate) mod serve;
mod show;
pub(crate) mod sign;
pub(crate) mod status;
pub(crate) mod verify;

use std::future::ready;
use std::path::{Path, PathBuf};

use crate::command::Running;
use crate::connect::Protocol;
use crate::error::{Error, Kind, Result};
use crate::file;
use crate::firmware::Refusal;

/// More than any firmware that a device without a disk has.
const LARGEST: u64 = 1 << 30;

/// What is to be done.
#[derive(Clone, Debug)]
pub enum Command {
    /// `ota keygen`
    Keygen(keys::Keygen),
    /// `ota sign`
    Sign(Box<sign::Plan>),
    /// `ota delta`
    Delta(delta::Plan),
    /// `ota inspect`
    Inspect {
        /// A manifest or an image.
        file: PathBuf,
        /// As JSON.
        json: bool,
    },
    /// `ota verify`
    Verify(verify::Plan),
    /// `ota agent`
    Agent(Box<agent::Plan>),
    /// `ota serve`
    Serve(Box<serve::Plan>),
    /// `ota publish`
    Publish(Box<publish::Plan>),
    /// `ota rollout`
    Rollout(Box<rollout::Plan>),
    /// `ota status`
    Status(Box<status::Plan>),
}

impl Command {
    /// Does it.
    pub(super) fn run(self) -> Running {
        match self {
            Self::Keygen(plan) => Box::pin(ready(plan.run())),
            Self::Sign(plan) => Box::pin(ready(plan.run())),
            Self::Delta(plan) => Box::pin(ready(plan.run())),
            Self::Inspect { file, json } => Box::pin(ready(inspect::run(&file, json))),
            Self::Verify(plan) => Box::pin(ready(plan.run())),
            Self::Agent(plan) => Box::pin(agent::run(*plan)),
            Self::Serve(plan) => Box::pin(serve::run(*plan)),
            Self::Publish(plan) => Box::pin(publish::run(*plan)),
            Self::Rollout(plan) => Box::pin(rollout::run(*plan)),
            Self::Status(plan) => Box::pin(status::run(*plan)),
        }
    }
}

/// Whether a URL is one of CoAP; without one it is not.
pub(crate) fn is_coap(url: Option<&str>) -> bool {
    protocol(url) == Some(Protocol::Coap)
}

/// The protocol of a URL; none without one, or where its scheme is unknown.
pub(crate) fn protocol(url: Option<&str>) -> Option<Protocol> {
    let (scheme, _) = url?.split_once("://")?;
    Protocol::of_scheme(scheme)
}

fn read(path: &Path) -> Result<Vec<u8>> {
    file::read(path, LARGEST)
}

/// The words of a refusal, with what was refused.
fn refused(what: impl std::fmt::Display, why: &Refusal) -> Error {
    Error::new(Kind::Refused, format!("{what}: {why}"))
}
