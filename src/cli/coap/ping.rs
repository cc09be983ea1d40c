//! `coap ping`: its flags, and the plan they make.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::command::coap::client::ProxyMode;
use crate::command::coap::ping::Plan;
use crate::command::coap::session::{SessionArgs, Transfer};
use crate::error::{Error, Result};

use super::flags::CoapConnectFlags;
use crate::cli::flags::terminal::TerminalFlags;
use crate::cli::syntax::numbers::{Count, Span, Wait};

#[derive(Args, Debug)]
#[command(next_help_heading = "Pinging")]
pub(crate) struct PingFlags {
    /// Server to ping: coap://HOST[:PORT], also coaps, coap+tcp, coaps+tcp, coap+ws and coaps+ws
    #[arg(value_name = "URI", help_heading = None)]
    uri: Option<String>,

    /// Number of pings; 0 for no limit
    #[arg(
        short = 'C',
        short_alias = 'c',
        long,
        value_name = "COUNT",
        default_value = "4"
    )]
    count: Count,

    /// Interval between pings
    #[arg(short = 'i', long, value_name = "TIME", default_value = "1s")]
    interval: Span,

    /// Time to wait for each response
    #[arg(short = 'W', long, value_name = "TIME", default_value = "2s")]
    timeout: Wait,

    /// Output format: text, or json with one object per line
    #[arg(
        long,
        value_name = "FORMAT",
        default_value = "text",
        help_heading = "Output"
    )]
    output: PingOutput,

    /// Show every message on standard error
    #[arg(long, conflicts_with = "quiet", help_heading = "Output")]
    trace: bool,

    /// Capture every message in this file for Wireshark (pcapng), as UDP or TCP on port 5683; DTLS and TLS traffic is captured decrypted
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pcap: Option<PathBuf>,

    #[command(flatten)]
    connect: CoapConnectFlags,

    #[command(flatten)]
    terminal: TerminalFlags,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum PingOutput {
    Text,
    Json,
}

impl PingFlags {
    /// The plan of the command, validated as far as possible without a file or the network.
    pub(crate) fn plan(self) -> Result<Plan> {
        let (Count(count), Span(interval), Wait(wait)) = (self.count, self.interval, self.timeout);
        if count > u64::from(u32::MAX) {
            return Err(Error::usage("--count must be at most 4294967295"));
        }
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
            count: Some(count).filter(|count| *count > 0),
            interval,
            wait,
            json: self.output == PingOutput::Json,
            style: self.terminal.style(),
        })
    }
}
