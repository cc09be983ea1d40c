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
    /// Whom to ping: coap://HOST[:PORT], also coaps, coap+tcp, coaps+tcp, coap+ws and coaps+ws
    #[arg(value_name = "URI", help_heading = None)]
    uri: Option<String>,

    /// How many pings; 0: until interrupted
    #[arg(
        short = 'C',
        short_alias = 'c',
        long,
        value_name = "COUNT",
        default_value = "4"
    )]
    count: Count,

    /// Time from one to the next
    #[arg(short = 'i', long, value_name = "TIME", default_value = "1s")]
    interval: Span,

    /// Give an answer up after this long
    #[arg(short = 'W', long, value_name = "TIME", default_value = "2s")]
    timeout: Wait,

    /// How answers are shown: text, or json, one object a line
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

    /// Keep every message in this file for Wireshark (pcapng), as UDP or TCP on port 5683, decrypted where DTLS or TLS carries it
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
    /// What was asked for, checked as far as that can be done without a file or the network.
    pub(crate) fn plan(self) -> Result<Plan> {
        let (Count(count), Span(interval), Wait(wait)) = (self.count, self.interval, self.timeout);
        if count > u64::from(u32::MAX) {
            return Err(Error::usage("--count is at most 4294967295"));
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
