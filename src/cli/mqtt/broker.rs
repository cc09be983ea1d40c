//! `mqtt broker`: its flags, and the plan they make.

use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;

use crate::command::mqtt::broker::{Files, Listen, Plan};
use crate::error::Result;
use crate::mqtt::broker::{Fault, Options};
use crate::mqtt::packet::QoS;

use crate::cli::flags::launch::LaunchFlags;
use crate::cli::flags::server_tls::ServerTlsFlags;
use crate::cli::flags::terminal::TerminalFlags;
use crate::cli::syntax::numbers::{Count, Expiry, Size, Timeouts, Wait, whole};
use crate::cli::syntax::values;

#[derive(Args, Debug)]
#[command(next_help_heading = "Listening")]
pub(crate) struct BrokerFlags {
    /// Address to listen on: [mqtt|mqtts|ws|wss://]ADDR:PORT or unix:PATH; port 0 picks a free port, printed on the first line of standard output; may be repeated. Users and rights of its own follow as ';password-file=FILE', ';acl-file=FILE' and ';allow-anonymous' [default: 127.0.0.1:1883, or with COMMAND a free port]
    #[arg(long, value_name = "ADDR:PORT")]
    listen: Vec<Listen>,

    #[command(flatten)]
    tls: ServerTlsFlags,

    #[command(flatten)]
    access: AccessFlags,

    #[command(flatten)]
    limits: LimitFlags,

    #[command(flatten)]
    faults: FaultFlags,

    #[command(flatten)]
    launch: LaunchFlags,

    #[command(flatten)]
    terminal: TerminalFlags,
}

#[derive(Args, Debug)]
#[command(next_help_heading = "Access")]
struct AccessFlags {
    /// File of USER:PASSWORD lines, in plain text or in mosquitto_passwd format; all other users are refused. Reloaded on SIGHUP
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,

    /// Accept clients without a user name despite --password-file
    #[arg(long, requires = "password_file")]
    allow_anonymous: bool,

    /// Access control file in mosquitto's format: user NAME, topic [read|write|readwrite|deny] FILTER, pattern. Reloaded on SIGHUP
    #[arg(long, value_name = "FILE")]
    acl_file: Option<PathBuf>,

    /// Refuse clients without a client identifier instead of assigning one
    #[arg(long)]
    refuse_empty_id: bool,
}

#[derive(Args, Debug)]
#[command(next_help_heading = "Limits")]
struct LimitFlags {
    /// Maximum number of connected clients [default: no limit]
    #[arg(long, value_name = "COUNT")]
    max_connections: Option<Count>,

    /// Time allowed for a connection to send CONNECT [default: 10s]
    #[arg(long, value_name = "TIME")]
    connect_timeout: Option<Wait>,

    /// Largest packet accepted, in bytes such as 64KiB [default: what the protocol allows, 256MiB]
    #[arg(long, value_name = "SIZE", value_parser = values::packet_size)]
    max_packet_size: Option<u32>,

    /// Receive Maximum: QoS 1 and 2 messages in flight from one MQTT 5 client [default: 1000]
    #[arg(long, value_name = "COUNT", value_parser = whole(1..=u16::MAX))]
    receive_maximum: Option<u16>,

    /// QoS 1 and 2 messages in flight to one client [default: 1000]
    #[arg(long, value_name = "COUNT", value_parser = whole(1..=u16::MAX))]
    max_inflight: Option<u16>,

    /// Topic aliases accepted from one client [default: 16]
    #[arg(long, value_name = "COUNT", value_parser = whole(0..=u16::MAX))]
    topic_alias_maximum: Option<u16>,

    /// Server Keep Alive that overrides the keep-alive of each MQTT 5 client, in whole seconds; 0 turns it off [default: the client's]
    #[arg(long, value_name = "TIME", value_parser = values::keep_alive)]
    server_keep_alive: Option<u16>,

    /// Highest quality of service: 0, 1 or 2 [default: 2]
    #[arg(long, value_name = "QOS", value_parser = values::qos)]
    max_qos: Option<QoS>,

    /// Refuse retained messages
    #[arg(long)]
    no_retain: bool,

    /// QoS 1 and 2 messages queued for one client at most; further messages are refused, or before MQTT 5 left unacknowledged until there is room [default: 100k]
    #[arg(long, value_name = "COUNT")]
    max_queued: Option<Count>,

    /// Bytes queued for one client at most, such as 1MiB [default: 64MiB]
    #[arg(long, value_name = "SIZE")]
    max_queued_bytes: Option<Size>,

    /// Output buffer of one client, in bytes; above it QoS 0 messages are dropped [default: 16MiB]
    #[arg(long, value_name = "SIZE")]
    max_buffered_bytes: Option<Size>,

    /// Queue QoS 0 messages for offline clients, too
    #[arg(long)]
    queue_qos0: bool,

    /// Longest session expiry interval granted, in whole seconds [default: no limit]
    #[arg(long, value_name = "TIME")]
    session_expiry_limit: Option<Expiry>,

    /// Response Information sent to a client that requests it, followed by the client identifier (MQTT 5)
    #[arg(long, value_name = "PREFIX", value_parser = values::identifier)]
    response_information: Option<bytestring::ByteString>,

    /// Interval between updates of the $SYS topics, or never [default: 10s]
    #[arg(long, value_name = "TIME")]
    sys_interval: Option<Timeouts>,
}

#[derive(Args, Debug)]
#[command(next_help_heading = "Faults")]
struct FaultFlags {
    /// Fault to inject: NAME[:KEY=VALUE[,KEY=VALUE]...], listed below; may be repeated
    #[arg(long, value_name = "FAULT")]
    fault: Vec<Fault>,
}

impl BrokerFlags {
    /// The plan of the command, validated as far as possible without a file or the network.
    pub(crate) fn plan(self) -> Result<Plan> {
        let listen = self.launch.listen(self.listen, 1883)?;
        let encrypted = listen.iter().any(|listen| listen.tls);
        let tls = self.tls.files("--listen mqtts:// or wss://", encrypted)?;
        let mut options = self.limits.options();
        options.allow_empty_client_id = !self.access.refuse_empty_id;
        options.faults = self.faults.fault;
        Ok(Plan {
            listen,
            tls,
            files: Files {
                anonymous: self.access.password_file.is_none() || self.access.allow_anonymous,
                passwords: self.access.password_file,
                rights: self.access.acl_file,
            },
            options,
            launch: self.launch.launch(),
            style: self.terminal.style(),
        })
    }
}

impl LimitFlags {
    fn options(self) -> Options {
        let default = Options::default();
        // A number beyond the address space is as good as no limit.
        let whole = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        Options {
            max_connections: self.max_connections.map(|Count(count)| whole(count)),
            connect_timeout: self
                .connect_timeout
                .map_or(default.connect_timeout, |Wait(time)| time),
            max_packet_size: self.max_packet_size.unwrap_or(default.max_packet_size),
            receive_maximum: self.receive_maximum.unwrap_or(default.receive_maximum),
            max_inflight: self.max_inflight.unwrap_or(default.max_inflight),
            topic_alias_maximum: self
                .topic_alias_maximum
                .unwrap_or(default.topic_alias_maximum),
            server_keep_alive: self.server_keep_alive,
            maximum_qos: self.max_qos.unwrap_or(default.maximum_qos),
            retain_available: !self.no_retain,
            max_queued: self
                .max_queued
                .map_or(default.max_queued, |Count(count)| whole(count)),
            max_queued_bytes: self
                .max_queued_bytes
                .map_or(default.max_queued_bytes, |Size(size)| whole(size)),
            max_buffered_bytes: self
                .max_buffered_bytes
                .map_or(default.max_buffered_bytes, |Size(size)| whole(size)),
            queue_qos0_offline: self.queue_qos0,
            session_expiry_limit: self.session_expiry_limit.map(|Expiry(seconds)| seconds),
            response_information: self.response_information,
            sys_interval: self
                .sys_interval
                .map_or(default.sys_interval, |Timeouts(time)| time),
            ..default
        }
    }
}

impl FromStr for Listen {
    type Err = String;

    /// Reads `[SCHEME://]ADDR:PORT` and `unix:PATH`, and what follows after semicolons; an IPv6 address stands in brackets.
    fn from_str(word: &str) -> Result<Self, Self::Err> {
        let (place, own) = match word.split_once(';') {
            Some((place, own)) => (place, Some(own_files(own)?)),
            None => (word, None),
        };
        let (scheme, address) = match place.split_once("://") {
            Some(("unix", _)) | None => ("mqtt", place),
            Some(parts) => parts,
        };
        let (tls, websocket) = match scheme {
            "mqtt" => (false, false),
            "mqtts" => (true, false),
            "ws" => (false, true),
            "wss" => (true, true),
            _ => return Err(String::from("the schemes are mqtt, mqtts, ws and wss")),
        };
        let address = address.parse()?;
        Ok(Self {
            address,
            tls,
            websocket,
            own,
        })
    }
}

/// The files of one listener, as `KEY=FILE` between semicolons.
fn own_files(words: &str) -> Result<Files, String> {
    const KEYS: &str = "expected password-file=FILE, acl-file=FILE or allow-anonymous";
    let (mut files, mut anonymous) = (Files::default(), false);
    for word in words.split(';') {
        let place = match word.split_once('=') {
            Some(("password-file", _)) => &mut files.passwords,
            Some(("acl-file", _)) => &mut files.rights,
            None if word == "allow-anonymous" && !anonymous => {
                anonymous = true;
                continue;
            }
            _ => return Err(format!("{KEYS}, not {word:?}")),
        };
        let file = word.split_once('=').map(|(_, file)| file);
        let file = file.filter(|file| !file.is_empty()).ok_or(KEYS)?;
        if place.replace(file.into()).is_some() {
            return Err(format!("{word:?} is a second file of that kind"));
        }
    }
    if anonymous && files.passwords.is_none() {
        return Err(String::from("allow-anonymous needs a password-file"));
    }
    files.anonymous = anonymous || files.passwords.is_none();
    Ok(files)
}
