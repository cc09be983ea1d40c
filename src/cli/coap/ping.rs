//! `coap ping`: its flags, and the plan they make.

use std::path::PathBuf;

use clap::Args;

use crate::command::coap::client::ProxyMode;
use crate::command::coap::ping::Plan;
use crate::command::coap::session::{SessionArgs, Transfer};
use crate::error::Result;

use super::flags::CoapConnectFlags;
use crate::cli::flags::ping::PingFlags;
use crate::cli::flags::terminal::TerminalFlags;

#[derive(Args, Debug)]
#[command(next_help_heading = "Pinging")]
pub(crate) struct CoapPingFlags {
    /// Server to ping: coap://HOST[:PORT], also coaps, coap+tcp, coaps+tcp, coap+ws and coaps+ws
    #[arg(value_name = "URI", help_heading = None)]
    uri: Option<String>,

    #[command(flatten)]
    ping: PingFlags,

    /// Show every message on standard error
    #[arg(long, conflicts_with = "quiet", help_heading = "Diagnostics")]
    trace: bool,

    /// Capture every message in this file for Wireshark (pcapng), as UDP or TCP on port 5683; DTLS and TLS traffic is captured decrypted
    #[arg(long, value_name = "FILE", help_heading = "Diagnostics")]
    pcap: Option<PathBuf>,

    #[command(flatten)]
    connect: CoapConnectFlags,

    #[command(flatten)]
    terminal: TerminalFlags,
}

impl CoapPingFlags {
    /// The plan of the command, validated as far as possible without a file or the network.
    pub(crate) fn plan(self) -> Result<Plan> {
        let settings = self.ping.settings()?;
        let wait = settings.wait;
        Ok(Plan {
            session: SessionArgs {
                connect: self.connect.words(),
                uris: self.uri.into_iter().collect(),
                transfer: Transfer {
                    confirmable: true,
                    timeout: Some(wait),
                    ack_timeout: None,
                    max_retransmit: Some(0),
                    block: None,
                    collect: wait,
                    body_limit: None,
                },
                options: Vec::new(),
                proxy: None,
                proxy_mode: ProxyMode::Auto,
                pcap: self.pcap,
                verbose: false,
                trace: self.trace,
            },
            settings,
            style: self.terminal.style(),
        })
    }
}
