//! The peers that a load test brings along: a broker of our own, or one that only answers.

use std::io::ErrorKind;
use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

#[cfg(target_os = "linux")]
use crate::bench::calibrate::NullPeer;
use crate::connect::{Protocol, Words};
use crate::error::{Error, Result};

/// Whom the load is for.
pub(super) enum Peer {
    /// Whom the words name.
    Named,
    /// A broker of our own in a process of its own, so that its work is not counted as the generator's.
    Embedded { child: Child, url: String },
    /// A thread that only answers.
    #[cfg(target_os = "linux")]
    Null(NullPeer),
    /// The same for AMQP.
    #[cfg(target_os = "linux")]
    NullAmqp(NullPeer),
}

impl Peer {
    pub(super) async fn start(embedded: bool, calibrate: bool) -> Result<Self> {
        if embedded {
            return broker().await;
        }
        if calibrate {
            return null();
        }
        Ok(Self::Named)
    }

    /// The same for `bench amqp`.
    pub(super) async fn start_amqp(embedded: bool, calibrate: bool) -> Result<Self> {
        if embedded {
            return served(&["amqp", "broker", "--listen", "127.0.0.1:0"]).await;
        }
        if calibrate {
            return null_amqp();
        }
        Ok(Self::Named)
    }

    /// `words` with the peer's own address.
    pub(super) fn words(&self, words: &Words) -> Words {
        let url = match self {
            Self::Named => return words.clone(),
            Self::Embedded { url, .. } => url.clone(),
            #[cfg(target_os = "linux")]
            Self::Null(peer) => format!("mqtt://{}", peer.address()),
            #[cfg(target_os = "linux")]
            Self::NullAmqp(peer) => format!("amqp://{}", peer.address()),
        };
        Words {
            url: Some(url),
            ..words.clone()
        }
    }

    /// What a reader of the report must know about it.
    pub(super) fn warning(&self) -> Option<String> {
        let said = match self {
            Self::Named => return None,
            Self::Embedded { .. } => {
                "the broker ran on this machine: it and the generator shared its processors"
            }
            #[cfg(target_os = "linux")]
            Self::Null(_) | Self::NullAmqp(_) => {
                "a calibration: the peer only answered, and its work is in the generator's CPU"
            }
        };
        Some(said.to_owned())
    }

    pub(super) async fn stop(self) {
        if let Self::Embedded { mut child, .. } = self {
            // It keeps nothing that would have to be saved.
            let _ = child.kill().await;
        }
    }
}

#[cfg(target_os = "linux")]
fn null() -> Result<Peer> {
    NullPeer::start(Protocol::Mqtt).map(Peer::Null)
}

#[cfg(target_os = "linux")]
fn null_amqp() -> Result<Peer> {
    NullPeer::start(Protocol::Amqp).map(Peer::NullAmqp)
}

#[cfg(not(target_os = "linux"))]
fn null_amqp() -> Result<Peer> {
    null()
}

#[cfg(not(target_os = "linux"))]
fn null() -> Result<Peer> {
    Err(Error::usage("--calibrate is for Linux only"))
}

async fn broker() -> Result<Peer> {
    served(&["mqtt", "broker", "--listen", "127.0.0.1:0"]).await
}

/// A server of our own, by the words that start it.
async fn served(words: &[&str]) -> Result<Peer> {
    let cannot = |cause: &std::io::Error| Error::local("cannot start the embedded peer", cause);
    let program = std::env::current_exe().map_err(|cause| cannot(&cause))?;
    let mut child = Command::new(program)
        .args(words)
        .args(["--quiet", "--end-with-parent"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        // Ctrl-C is for the generator, which ends the broker when all is accounted for.
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .map_err(|cause| cannot(&cause))?;
    let mut url = String::new();
    if let Some(stdout) = child.stdout.take() {
        // Its first line says where it listens.
        let mut stdout = BufReader::new(stdout);
        let read = stdout.read_line(&mut url).await;
        read.map_err(|cause| cannot(&cause))?;
    }
    let url = url.trim_end().to_owned();
    if url.is_empty() {
        return Err(cannot(&ErrorKind::UnexpectedEof.into()));
    }
    Ok(Peer::Embedded { child, url })
}
