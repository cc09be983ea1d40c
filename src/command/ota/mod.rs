//! `ota`: firmware updates. What is judged is judged in `firmware`; here files are read and written.

pub(crate) mod agent;
mod amqp;
pub(crate) mod delta;
mod inspect;
pub(crate) mod keys;
pub(crate) mod publish;
pub(crate) mod rollout;
pub(crate) mod serve;
mod show;
pub(crate) mod sign;
pub(crate) mod status;
pub(crate) mod verify;

use std::path::{Path, PathBuf};

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
    pub(super) async fn run(self) -> Result<()> {
        match self {
            Self::Keygen(plan) => plan.run(),
            Self::Sign(plan) => plan.run(),
            Self::Delta(plan) => plan.run(),
            Self::Inspect { file, json } => inspect::run(&file, json),
            Self::Verify(plan) => plan.run(),
            Self::Agent(plan) => agent::run(*plan).await,
            Self::Serve(plan) => serve::run(*plan).await,
            Self::Publish(plan) => publish::run(*plan).await,
            Self::Rollout(plan) => rollout::run(*plan).await,
            Self::Status(plan) => status::run(*plan).await,
        }
    }
}

fn read(path: &Path) -> Result<Vec<u8>> {
    file::read(path, LARGEST)
}

/// The words of a refusal, with what was refused.
fn refused(what: impl std::fmt::Display, why: &Refusal) -> Error {
    Error::new(Kind::Refused, format!("{what}: {why}"))
}
