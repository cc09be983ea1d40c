//! `coap`: requests, observations, discovery, directories, ping, and a server.

pub(crate) mod client;
pub(crate) mod directory;
pub(crate) mod discover;
mod download;
pub(crate) mod found;
pub(crate) mod gateway;
pub(crate) mod keep;
mod kept;
mod links;
pub(crate) mod listen;
pub(crate) mod observe;
pub(crate) mod ping;
mod progress;
pub(crate) mod rd;
pub(crate) mod record;
pub(crate) mod request;
pub(crate) mod server;
pub(crate) mod session;
pub(crate) mod source;

use crate::command::Running;

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
    pub fn run(self) -> Running {
        match self {
            Self::Request(plan) => Box::pin(request::run(*plan)),
            Self::Observe(plan) => Box::pin(observe::run(*plan)),
            Self::Discover(plan) => Box::pin(discover::run(*plan)),
            Self::Directory(plan) => Box::pin(rd::run(*plan)),
            Self::Ping(plan) => Box::pin(ping::run(*plan)),
            Self::Server(plan) => Box::pin(server::run(*plan)),
        }
    }
}
