//! `coap server`: its flags, and the plan they make.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use bytes::Bytes;
use clap::Args;

use crate::coap::net::Fault;
use crate::coap::uri::{local_text, segments_of};
use crate::command::coap::listen::{Listen, ListenScheme, Protection};
use crate::command::coap::server::{Declared, Kind, Plan};
use crate::connect::{ListenAddress, Secret};
use crate::error::Result;

use super::flags::{OscoreFlags, PskFlags, RpkFlags};
use crate::cli::flags::launch::LaunchFlags;
use crate::cli::flags::server_tls::ServerTlsFlags;
use crate::cli::flags::terminal::TerminalFlags;
use crate::cli::syntax::numbers::{Size, Span, Wait};
use crate::cli::syntax::values;

#[derive(Args, Debug)]
#[command(next_help_heading = "Listening")]
pub(crate) struct ServerFlags {
    /// Address to listen on: [coap|coaps|coap+tcp|coaps+tcp|coap+ws|coaps+ws://]ADDR:PORT; port 0 picks a free port, printed on the first line of standard output; may be repeated [default: 127.0.0.1:5683, or with COMMAND a free port]
    #[arg(long, value_name = "ADDR:PORT")]
    listen: Vec<Listen>,

    /// Also join the All CoAP Nodes multicast groups (224.0.1.187, ff02::fd, ff05::fd) on the network interface of each coap:// listener
    #[arg(long)]
    multicast: bool,

    /// Leisure: respond to multicast requests at a random time within this span
    #[arg(
        long,
        value_name = "TIME",
        default_value = "5s",
        requires = "multicast"
    )]
    leisure: Span,

    /// Require UDP clients to prove their address (Echo, RFC 9175), so that the server cannot be used as an amplifier
    #[arg(long)]
    challenge: bool,

    #[command(flatten)]
    tls: ServerTlsFlags,

    #[command(flatten)]
    psk: PskFlags,

    #[command(flatten)]
    rpk: RpkFlags,

    #[command(flatten)]
    oscore: OscoreFlags,

    #[command(flatten)]
    resources: ResourceFlags,

    /// Fault to inject into messages: NAME[:KEY=VALUE[,KEY=VALUE]...], listed below; may be repeated
    #[arg(long, value_name = "FAULT", help_heading = "Faults")]
    fault: Vec<Fault>,

    #[command(flatten)]
    launch: LaunchFlags,

    #[command(flatten)]
    terminal: TerminalFlags,
}

#[derive(Args, Debug)]
#[command(next_help_heading = "Resources")]
struct ResourceFlags {
    /// A resource: /PATH=KIND[:ARGUMENT], listed below; may be repeated [default: /counter, /clock, /sensor and /store]
    #[arg(short = 'r', long, value_name = "PATH=KIND")]
    resource: Vec<Declared>,

    /// Serve the files of this directory
    #[arg(short = 'd', long, value_name = "DIR")]
    directory: Option<PathBuf>,

    /// Allow PUT and DELETE of files
    #[arg(long, requires = "directory")]
    writable: bool,

    /// Serve the resources of the ETSI CoAP plugtest
    #[arg(long)]
    plugtest: bool,

    /// Log each request on standard error
    #[arg(short = 'v', long, conflicts_with = "quiet")]
    verbose: bool,
}

/// The kinds of resources, as help lists them.
pub(crate) const KINDS: &[(&str, &str)] = &[
    (
        "text:WORDS, json:WORDS",
        "holds this text until it is replaced by PUT",
    ),
    (
        "file:FILE",
        "holds the content of a file until it is replaced by PUT",
    ),
    (
        "counter[:TIME], clock[:TIME], sensor[:TIME]",
        "changes every TIME (default 1s)",
    ),
    ("large:SIZE", "holds this many bytes, such as 64KiB"),
    (
        "delay:TIME[:WORDS]",
        "responds after TIME, with a separate response",
    ),
    ("store", "stores what is PUT or POSTed below it"),
];

impl ServerFlags {
    /// The plan of the command, validated as far as possible without a file or the network.
    pub(crate) fn plan(self) -> Result<Plan> {
        let listen = self.launch.listen(self.listen, 5683)?;
        let encrypted = listen.iter().any(|it| it.scheme.is_encrypted());
        let given = self.tls.is_given();
        let listening = "--listen coaps+tcp:// or coaps+ws://";
        values::needs(listening, encrypted, "--cert and --key", given)?;
        let plain = listen.iter().any(|it| it.scheme == ListenScheme::Udp);
        values::needs("--multicast", self.multicast, "--listen coap://", plain)?;
        let Span(leisure) = self.leisure;
        let dtls = listen.iter().any(|it| it.scheme == ListenScheme::Dtls);
        let keys = self.psk.is_given();
        let raw = self.rpk.rpk_key.is_some();
        let any = "--psk, --rpk-key, or --cert and --key";
        values::needs("--listen coaps://", dtls, any, given || keys || raw)?;
        let both = given && raw && dtls;
        check_clients(both, self.tls.demands(), self.rpk.rpk_peer.is_some())?;
        values::needs("--rpk-peer", self.rpk.rpk_peer.is_some(), "--rpk-key", raw)?;
        values::needs("--rpk-key", raw, "--listen coaps://", dtls)?;
        values::needs("--psk", keys, "--listen coaps://", dtls)?;
        let secure = "--listen coaps://, coaps+tcp:// or coaps+ws://";
        values::needs("--cert", given, secure, encrypted || dtls)?;
        let flags = self.resources;
        let mut resources = flags.resource;
        if resources.is_empty() && flags.directory.is_none() && !flags.plugtest {
            resources = usual();
        }
        Ok(Plan {
            listen,
            multicast: self.multicast.then_some(leisure),
            challenge: self.challenge,
            protection: Protection {
                tls: self.tls.words(),
                psk_identity: self.psk.psk_identity,
                psk: self.psk.psk.map(Secret::from),
                psk_file: self.psk.psk_file,
                rpk_key: self.rpk.rpk_key,
                rpk_peer: self.rpk.rpk_peer,
            },
            oscore: self.oscore.words(),
            resources,
            directory: flags.directory,
            writable: flags.writable,
            plugtest: flags.plugtest,
            faults: self.fault,
            verbose: flags.verbose,
            launch: self.launch.launch(),
            style: self.terminal.style(),
        })
    }
}

/// A client chooses what it shows: where both ways are open and one demands something of it, so must the other.
fn check_clients(both: bool, certified: bool, known: bool) -> Result<()> {
    let to_certified = both && certified;
    values::needs(
        "--client-ca with --rpk-key",
        to_certified,
        "--rpk-peer",
        known,
    )?;
    let to_known = both && known;
    values::needs("--rpk-peer with --cert", to_known, "--client-ca", certified)
}

/// The default resources.
fn usual() -> Vec<Declared> {
    let second = Duration::from_secs(1);
    let kinds = [
        ("/counter", Kind::Counter(second)),
        ("/clock", Kind::Clock(second)),
        ("/sensor", Kind::Sensor(second)),
        ("/store", Kind::Tree),
    ];
    let declared = |(path, kind): (&str, Kind)| Declared {
        path: String::from(path),
        kind,
    };
    kinds.map(declared).into()
}

impl FromStr for Declared {
    type Err = String;

    /// Reads `/PATH=KIND[:ARGUMENT]`.
    fn from_str(word: &str) -> Result<Self, Self::Err> {
        let (path, kind) = word
            .split_once('=')
            .ok_or("expected /PATH=KIND, such as /temp=text:21.5")?;
        if !path.starts_with('/') {
            return Err(format!("the path {path:?} does not begin with a slash"));
        }
        let (name, argument) = match kind.split_once(':') {
            Some((name, argument)) => (name, Some(argument)),
            None => (kind, None),
        };
        // As requests ask for it, whichever way it is escaped here.
        let segments = segments_of(path).map_err(|why| format!("the path {path:?}: {why}"))?;
        Ok(Self {
            path: local_text(&segments, &[]),
            kind: kind_of(name, argument)?,
        })
    }
}

fn kind_of(name: &str, argument: Option<&str>) -> Result<Kind, String> {
    let words = || Bytes::copy_from_slice(argument.unwrap_or_default().as_bytes());
    let time = |word: &str| word.parse::<Wait>().map(|Wait(time)| time);
    let interval = || argument.map_or(Ok(Duration::from_secs(1)), time);
    let needed = || argument.ok_or_else(|| format!("{name} needs an argument after a colon"));
    Ok(match name {
        "text" => Kind::Fixed(0, words()),
        "json" => Kind::Fixed(50, words()),
        "file" => Kind::File(PathBuf::from(needed()?)),
        "counter" => Kind::Counter(interval()?),
        "clock" => Kind::Clock(interval()?),
        "sensor" => Kind::Sensor(interval()?),
        "large" => {
            let Size(size) = needed()?.parse()?;
            let limit = 256 << 20;
            if size > limit {
                return Err(String::from("large must be at most 256MiB"));
            }
            // At most the limit.
            Kind::Large(size as usize)
        }
        "delay" => {
            let (delay, words) = needed()?.split_once(':').unwrap_or((needed()?, "late"));
            Kind::Late(time(delay)?, Bytes::copy_from_slice(words.as_bytes()))
        }
        "store" if argument.is_none() => Kind::Tree,
        _ => {
            return Err(format!(
                "{name:?} is not one of text, json, file, counter, clock, sensor, large, delay, store"
            ));
        }
    })
}

impl FromStr for Listen {
    type Err = String;

    /// Reads `[SCHEME://]ADDR:PORT`; an IPv6 address stands in brackets.
    fn from_str(word: &str) -> Result<Self, Self::Err> {
        let (scheme, address) = word.split_once("://").unwrap_or(("coap", word));
        let known = ListenScheme::ALL.into_iter().find(|it| it.name() == scheme);
        let scheme = known
            .ok_or("the schemes are coap, coaps, coap+tcp, coaps+tcp, coap+ws and coaps+ws")?;
        match address.parse()? {
            ListenAddress::Tcp(address) => Ok(Self { scheme, address }),
            ListenAddress::Unix(_) => Err(String::from("CoAP does not support unix sockets")),
        }
    }
}
