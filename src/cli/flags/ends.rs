//! The flags about the connections to both ends of a flow, the same for every command that has two.

use std::path::PathBuf;

use clap::Args;

use super::connect::TlsFlags;
use crate::cli::syntax::numbers::{Wait, whole};
use crate::command::ends::End;
use crate::connect::{ConnectArgs, Proxy, Retry, family};
use crate::error::{Error, Result};
use crate::flow::Refusals;

#[derive(Args, Debug)]
#[command(next_help_heading = "Connections")]
pub(crate) struct EndsFlags {
    /// File with the password for the server that messages come from; a trailing newline is ignored
    #[arg(long, value_name = "FILE")]
    from_password_file: Option<PathBuf>,

    /// File with the password for the server that they go to
    #[arg(long, value_name = "FILE")]
    to_password_file: Option<PathBuf>,

    #[command(flatten)]
    shared: SharedFlags,
}

/// The flags about the connection to the one server of a command that speaks all protocols.
#[derive(Args, Debug)]
#[command(next_help_heading = "Connection")]
pub(crate) struct EndFlags {
    /// User name
    #[arg(short = 'u', long, value_name = "NAME")]
    username: Option<String>,

    /// File with the password; a trailing newline is ignored
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,

    #[command(flatten)]
    shared: SharedFlags,
}

/// What both have in common.
#[derive(Args, Debug)]
struct SharedFlags {
    /// Give up connecting after this long: name, TCP, TLS and WebSocket together [default: 10s]
    #[arg(long, value_name = "TIME")]
    connect_timeout: Option<Wait>,

    /// Reconnect: never, forever, or for outages up to TIME [default: never for the first connection, forever after that]
    #[arg(long, value_name = "TIME")]
    retry: Option<Retry>,

    /// Proxy to connect through: socks5h://[USER:PASSWORD@]HOST[:PORT] or http://…, which must allow CONNECT
    #[arg(long, value_name = "URL")]
    proxy: Option<Proxy>,

    /// Use IPv4 only
    #[arg(short = '4', long, conflicts_with = "ipv6")]
    ipv4: bool,

    /// Use IPv6 only
    #[arg(short = '6', long)]
    ipv6: bool,

    #[command(flatten)]
    tls: TlsFlags,
}

impl SharedFlags {
    fn connect(self) -> ConnectArgs {
        ConnectArgs {
            connect_timeout: self.connect_timeout.map(|Wait(time)| time),
            retry: self.retry,
            proxy: self.proxy,
            // They exclude each other.
            family: family(self.ipv4, self.ipv6).ok().flatten(),
            ..self.tls.words()
        }
    }
}

impl EndFlags {
    /// How to connect.
    pub(crate) fn connect(self) -> ConnectArgs {
        ConnectArgs {
            username: self.username,
            password_file: self.password_file,
            ..self.shared.connect()
        }
    }
}

fn may_be_encrypted(name: &str) -> bool {
    match End::parse(name) {
        Ok(end) => end.may_be_encrypted(),
        // One of the databases that `log` knows beside, or what is refused elsewhere.
        Err(_) => name
            .split_once("://")
            .is_some_and(|(scheme, _)| scheme.ends_with('s')),
    }
}

impl EndsFlags {
    /// What both have in common, and the passwords of both: of where messages come from, and of where they go. `ends`: all that
    /// the settings of TLS may be for; where one of them may be encrypted, the others may be without.
    pub(crate) fn connect<'a>(self, ends: impl IntoIterator<Item = &'a str>) -> [ConnectArgs; 2] {
        let shared = ConnectArgs {
            tls_if_encrypted: ends.into_iter().any(may_be_encrypted),
            ..self.shared.connect()
        };
        [self.from_password_file, self.to_password_file].map(|password_file| ConnectArgs {
            password_file,
            ..shared.clone()
        })
    }
}

/// How messages are delivered to a target, the same for every command that passes them on.
#[derive(Args, Debug)]
#[command(next_help_heading = "Delivery")]
pub(crate) struct DeliveryFlags {
    /// What to do with a message that is permanently rejected: stop (exit with 1; it stays unacknowledged), drop (it is counted and acknowledged), or send it to a server such as mqtt://HOST or a file of records such as refused.ndjson
    #[arg(long, value_name = "WHAT", default_value = "stop")]
    pub(crate) on_refused: String,

    /// Maximum number of messages in flight in each direction, and at most 16 MiB. Before MQTT 5 the server itself limits how many unacknowledged messages it sends (mosquitto: 20)
    #[arg(long, value_name = "COUNT", default_value = "1000", value_parser = whole(1..=u16::MAX))]
    pub(crate) window: u16,

    /// How often a message that a server temporarily rejects (a quota, basic.nack, 5.03) is sent again before it counts as permanently rejected [default: for as long as --retry says]
    #[arg(long, value_name = "COUNT", value_parser = whole(0..=u32::MAX))]
    pub(crate) retries: Option<u32>,

    /// Fail where a message has something that the other protocol cannot carry, a server grants QoS 0 where more was asked for, or does not take the QoS or the RETAIN of a message
    #[arg(long)]
    pub(crate) strict: bool,
}

impl DeliveryFlags {
    /// What becomes of refused messages, and the server or the file that gets them, if one does.
    pub(crate) fn refusals(&self) -> Result<(Refusals, Option<End>)> {
        Ok(match &*self.on_refused {
            "stop" => (Refusals::Stop, None),
            "drop" => (Refusals::Drop, None),
            name => (Refusals::DeadLetter, Some(letters(name)?)),
        })
    }
}

/// A server, or a file of records.
fn letters(name: &str) -> Result<End> {
    match End::parse(name)? {
        End::File(path) if path.extension().is_some_and(|it| it == "ndjson") => Ok(End::File(path)),
        end if end.is_server() => Ok(end),
        end => {
            let text = format!("--on-refused: {end} is neither a server nor a file of records");
            Err(Error::usage(text)
                .hint("name a URL such as mqtt://HOST, a context, or FILE.ndjson"))
        }
    }
}

/// Reads the name of a server.
pub(crate) fn server(what: &str, name: &str) -> Result<End> {
    match End::parse(name)? {
        end if end.is_server() => Ok(end),
        end => {
            let refused = Error::usage(format!("{what}: {end} is not a server"));
            Err(match end {
                End::Store(_) => refused.hint("`iotctl log` keeps messages there"),
                _ => refused.hint("name a URL such as mqtt://HOST, or a context"),
            })
        }
    }
}
