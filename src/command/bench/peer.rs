//! The peers that a load test can start: the built-in server, or a null peer.

use std::io::ErrorKind;
use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use super::RunOptions;
#[cfg(target_os = "linux")]
use crate::bench::calibrate::NullPeer;
use crate::bench::coap::NullServer;
use crate::bench::result::Report;
use crate::connect::{ConnectArgs, Protocol};
use crate::error::{Error, Result};
use crate::server::raise_descriptors;

/// The words that start a CoAP server with something to ask for, to observe and to put.
const COAP_SERVER: [&str; 14] = [
    "coap",
    "server",
    "--listen",
    "coap://127.0.0.1:0",
    "-r",
    "/bench=text:21.5",
    "-r",
    "/counter=counter",
    "-r",
    "/clock=clock",
    "-r",
    "/sensor=sensor",
    "-r",
    "/store=store",
];

/// The same for brokers.
const MQTT_BROKER: [&str; 4] = ["mqtt", "broker", "--listen", "127.0.0.1:0"];
const AMQP_BROKER: [&str; 4] = ["amqp", "broker", "--listen", "127.0.0.1:0"];

/// Whom the load is for.
pub(crate) enum Peer {
    /// Whom the words name.
    Named,
    /// The built-in server in its own process, so that its work is not counted as the generator's.
    Embedded { child: Child, url: String },
    /// That one, started by the process that shares the load with this one.
    Shared { url: String },
    /// A thread that only answers.
    #[cfg(target_os = "linux")]
    Null(NullPeer, Protocol),
    /// The same for CoAP.
    NullCoap(NullServer),
}

impl Peer {
    pub(crate) async fn start(
        protocol: Protocol,
        (embedded, calibrate): (bool, bool),
        course: &RunOptions,
    ) -> Result<Self> {
        if let Some(url) = course.part.as_ref().and_then(|part| part.url.clone()) {
            return Ok(Self::Shared { url });
        }
        if embedded {
            return served(protocol).await;
        }
        match (calibrate, protocol) {
            (false, _) => Ok(Self::Named),
            (true, Protocol::Coap) => NullServer::start().map(Self::NullCoap),
            (true, _) => null(protocol),
        }
    }

    /// `words` with the peer's own address.
    pub(crate) fn words(&self, words: &ConnectArgs) -> ConnectArgs {
        let url = match self {
            Self::Named => return words.clone(),
            Self::Embedded { url, .. } | Self::Shared { url } => url.clone(),
            #[cfg(target_os = "linux")]
            Self::Null(peer, Protocol::Amqp) => format!("amqp://{}", peer.address()),
            #[cfg(target_os = "linux")]
            Self::Null(peer, _) => format!("mqtt://{}", peer.address()),
            Self::NullCoap(peer) => format!("coap://{}", peer.address()),
        };
        ConnectArgs {
            url: Some(url),
            ..words.clone()
        }
    }

    /// Where the processes that share the load find it.
    pub(crate) fn url(&self) -> Option<String> {
        match self {
            Self::Embedded { url, .. } => Some(url.clone()),
            _ => None,
        }
    }

    /// What a reader of the report must know about it: that the processors were shared is a warning where it may have
    /// changed the result.
    pub(crate) fn describe(&self, report: &mut Report) {
        let said = match self {
            Self::Named | Self::Shared { .. } => return,
            Self::Embedded { .. } => {
                let doubtful = report.generator.limited || !report.generator.steady;
                let shared =
                    "the server ran on this machine and shared its processors with the generator";
                if doubtful {
                    report.warnings.push(shared.to_owned());
                }
                "built-in, sharing the processors of the generator"
            }
            _ => {
                let said = "a calibration run: the null server only responds, and its work is included in the generator's CPU time";
                report.warnings.push(said.to_owned());
                "null server, in the generator's process"
            }
        };
        report.setup.insert(String::from("peer"), said.to_owned());
    }

    pub(crate) async fn stop(self) {
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
    Err(Error::usage("--calibrate is available on Linux only"))
}

async fn served(protocol: Protocol) -> Result<Peer> {
    let words: &[&str] = match protocol {
        Protocol::Mqtt => &MQTT_BROKER,
        Protocol::Amqp => &AMQP_BROKER,
        Protocol::Coap => &COAP_SERVER,
        Protocol::Http => return Err(Error::usage("there is no embedded server for HTTP")),
    };
    let cannot = |cause: &std::io::Error| Error::local("cannot start the embedded server", cause);
    // The peer has as many connections as we have.
    raise_descriptors();
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
