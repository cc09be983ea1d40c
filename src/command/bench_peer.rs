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
    Null(NullPeer, Protocol),
}

impl Peer {
    pub(super) async fn start(protocol: Protocol, embedded: bool, calibrate: bool) -> Result<Self> {
        if embedded {
            return broker(protocol).await;
        }
        if calibrate {
            return null(protocol);
        }
        Ok(Self::Named)
    }

    /// `words` with the peer's own address.
    pub(super) fn words(&self, words: &Words) -> Words {
        let url = match self {
            Self::Named => return words.clone(),
            Self::Embedded { url, .. } => url.clone(),
            #[cfg(target_os = "linux")]
            Self::Null(peer, protocol) => format!("{}://{}", name(*protocol), peer.address()),
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
            Self::Null(..) => {
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
fn null(protocol: Protocol) -> Result<Peer> {
    NullPeer::start(protocol).map(|peer| Peer::Null(peer, protocol))
}

#[cfg(not(target_os = "linux"))]
fn null(_: Protocol) -> Result<Peer> {
    Err(Error::usage("--calibrate is for Linux only"))
}

/// The protocol as a command, and as the scheme of a URL.
const fn name(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Amqp => "amqp",
        _ => "mqtt",
    }
}

async fn broker(protocol: Protocol) -> Result<Peer> {
    let cannot = |cause: &std::io::Error| Error::local("cannot start the embedded broker", cause);
    let program = std::env::current_exe().map_err(|cause| cannot(&cause))?;
    let mut child = Command::new(program)
        .args([
            name(protocol),
            "broker",
            "--listen",
            "127.0.0.1:0",
            "--quiet",
            "--end-with-parent",
        ])
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
