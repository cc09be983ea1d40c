//! `coap`: requests, observations, discovery, directories, ping, and a server.

pub(crate) mod client;
pub(crate) mod directory;
pub(crate) mod discover;
mod download;
pub(crate) mod gateway;
pub(crate) mod keep;
mod links;
pub(crate) mod listen;
pub(crate) mod observe;
pub(crate) mod ping;
mod progress;
pub(crate) mod rd;
mod record;
pub(crate) mod request;
pub(crate) mod server;
pub(crate) mod session;
pub(crate) mod source;

use crate::error::Result;

/// A command of `coap`, ready to run.
#[derive(Clone, Debug)]
pub enum Command {
    /// `coap get` to `coap ipatch`
    Request(Box<request::Plan>),
    /// `coap observe`
    Observe(Box<observe::Plan>),
    /// `coap discover`
    Discover(Box<discover::Plan>),
    /// `coap rd`
    Directory(Box<rd::Plan>),
    /// `coap ping`
    Ping(Box<ping::Plan>),
    /// `coap server`
    Server(Box<server::Plan>),
}

impl Command {
    /// Runs it to its end.
    ///
    /// # Errors
    /// Whatever kept it from being done in full.
    pub async fn run(self) -> Result<()> {
        match self {
            Self::Request(plan) => request::run(*plan).await,
            Self::Observe(plan) => observe::run(*plan).await,
            Self::Discover(plan) => discover::run(*plan).await,
            Self::Directory(plan) => rd::run(*plan).await,
            Self::Ping(plan) => ping::run(*plan).await,
            Self::Server(plan) => server::run(*plan).await,
        }
    }
}
