//! What the CoAP commands share: where to ask and how, options, and what is shown besides.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use bytes::Bytes;
use clap::{Args, ValueEnum};

use crate::coap::block::Szx;
use crate::coap::format;
use crate::coap::message::Token;
use crate::coap::option::{self, Format as OptionFormat};
use crate::command::coap::client::ProxyMode;
use crate::command::coap::session::{OptionValue, OptionWord, SessionArgs, Transfer, Wording};
use crate::connect::{ConnectArgs, LocalAddress, OscoreArgs, Secret};
use crate::error::Result;
use crate::flow::Stages;
use crate::message::fields;
use crate::output::{Format, Style};

use crate::cli::flags::connect::{FamilyFlags, TlsFlags};
use crate::cli::flags::decode::DecodeFlags;
use crate::cli::flags::format::OutputFlags;
use crate::cli::syntax::numbers::{Size, Span, Wait, whole};
use crate::cli::syntax::values;

#[derive(Args, Debug)]
#[command(next_help_heading = "Connection")]
pub(crate) struct CoapConnectFlags {
    /// Host name or IP address, for URIs that are only a path [default: localhost]
    #[arg(short = 'h', long, value_name = "HOST")]
    host: Option<String>,

    /// Port, 1 to 65535 [default: 5683, with DTLS 5684]
    #[arg(short = 'p', long, value_name = "PORT", value_parser = whole(1..=u16::MAX))]
    port: Option<u16>,

    /// Give up connecting after this long: name, TCP, TLS, DTLS and WebSocket together [default: 10s]
    #[arg(long, value_name = "TIME")]
    connect_timeout: Option<Wait>,

    /// Local IP address or network interface to send from
    #[arg(short = 'A', long, value_name = "ADDRESS", action = clap::ArgAction::Set, num_args = 1)]
    bind: Vec<LocalAddress>,

    #[command(flatten)]
    family: FamilyFlags,

    /// Look up the servers of the domain given as host in DNS, with TCP or TLS: SRV records such as _coap._tcp.DOMAIN
    #[arg(short = 'S', long, conflicts_with = "port")]
    srv: bool,

    /// Context in the configuration file that supplies settings not given here [default: IOTCTL_CONTEXT]
    #[arg(long, value_name = "NAME")]
    context: Option<String>,

    #[command(flatten)]
    psk: PskFlags,

    #[command(flatten)]
    rpk: RpkFlags,

    #[command(flatten)]
    tls: TlsFlags,
}

#[derive(Args, Debug)]
#[command(next_help_heading = "DTLS")]
pub(crate) struct PskFlags {
    /// Identity of the pre-shared key
    #[arg(long, value_name = "NAME")]
    pub(crate) psk_identity: Option<String>,

    /// Pre-shared key, for DTLS: text, or bytes as hex:…, 0x… or base64:…; other users of this machine can see it, so prefer --psk-file or IOTCTL_PSK
    #[arg(
        long,
        value_name = "KEY",
        conflicts_with = "psk_file",
        allow_hyphen_values = true
    )]
    pub(crate) psk: Option<String>,

    /// File with the pre-shared key, in the same notation; a trailing newline is ignored
    #[arg(long, value_name = "FILE")]
    pub(crate) psk_file: Option<PathBuf>,
}

#[derive(Args, Debug)]
#[command(next_help_heading = "DTLS")]
pub(crate) struct RpkFlags {
    /// Private key of this side for raw public keys (RFC 7250), a P-256 key, PEM
    #[arg(long, value_name = "FILE")]
    pub(crate) rpk_key: Option<PathBuf>,

    /// Raw public keys, of which the other side must have one, PEM
    #[arg(long, value_name = "FILE")]
    pub(crate) rpk_peer: Option<PathBuf>,
}

#[derive(Args, Debug)]
#[command(next_help_heading = "OSCORE")]
pub(crate) struct OscoreFlags {
    /// OSCORE master secret; enables OSCORE (RFC 8613): text, or bytes as hex:…, 0x… or base64:…; other users of this machine can see it, so prefer --oscore-secret-file or IOTCTL_OSCORE_SECRET
    #[arg(
        long,
        value_name = "KEY",
        conflicts_with = "oscore_secret_file",
        allow_hyphen_values = true
    )]
    oscore_secret: Option<String>,

    /// File with the OSCORE master secret, in the same notation; a trailing newline is ignored
    #[arg(long, value_name = "FILE")]
    oscore_secret_file: Option<PathBuf>,

    /// OSCORE master salt, in the same notation
    #[arg(long, value_name = "SALT", allow_hyphen_values = true)]
    oscore_salt: Option<String>,

    /// OSCORE sender ID of this side, in the same notation, at most 7 bytes [default: empty]
    #[arg(long, value_name = "ID", allow_hyphen_values = true)]
    oscore_sender_id: Option<String>,

    /// OSCORE recipient ID, which is the peer's sender ID, in the same notation, at most 7 bytes [default: empty]
    #[arg(long, value_name = "ID", allow_hyphen_values = true)]
    oscore_recipient_id: Option<String>,

    /// OSCORE ID context, in the same notation
    #[arg(long, value_name = "ID", allow_hyphen_values = true)]
    oscore_id_context: Option<String>,

    /// File that stores the sender sequence number, which must never be reused [default: one per context under $XDG_STATE_HOME/iotctl/oscore or ~/.local/state/iotctl/oscore]
    #[arg(long, value_name = "FILE")]
    oscore_state: Option<PathBuf>,
}

impl OscoreFlags {
    pub(crate) fn words(self) -> OscoreArgs {
        OscoreArgs {
            secret: self.oscore_secret.map(Secret::from),
            secret_file: self.oscore_secret_file,
            salt: self.oscore_salt.map(Secret::from),
            sender_id: self.oscore_sender_id,
            recipient_id: self.oscore_recipient_id,
            id_context: self.oscore_id_context,
            state: self.oscore_state,
        }
    }
}

impl CoapConnectFlags {
    /// The local addresses, of which most commands take one.
    pub(crate) fn addresses(&self) -> &[LocalAddress] {
        &self.bind
    }

    pub(crate) fn words(self) -> ConnectArgs {
        ConnectArgs {
            host: self.host,
            port: self.port,
            connect_timeout: self.connect_timeout.map(|Wait(time)| time),
            bind: self.bind.first().copied(),
            context: self.context,
            psk_identity: self.psk.psk_identity,
            psk: self.psk.psk.map(Secret::from),
            psk_file: self.psk.psk_file,
            rpk_key: self.rpk.rpk_key,
            rpk_peer: self.rpk.rpk_peer,
            family: self.family.family(),
            srv: self.srv,
            ..self.tls.words()
        }
    }
}

impl PskFlags {
    /// Whether there is a key.
    pub(crate) const fn is_given(&self) -> bool {
        self.psk.is_some() || self.psk_file.is_some()
    }
}

#[derive(Args, Debug)]
#[command(next_help_heading = "Transfer")]
pub(crate) struct TransferFlags {
    /// Send non-confirmable requests, which are not retransmitted
    #[arg(short = 'N', long)]
    non: bool,

    /// Give up when no response arrives for this long; 0 waits as long as RFC 7252 specifies
    #[arg(short = 'W', long, value_name = "TIME", default_value = "30s")]
    timeout: Span,

    #[command(flatten)]
    message: MessageFlags,
}

/// For commands that have a `--timeout` of their own.
#[derive(Args, Debug)]
#[command(next_help_heading = "Transfer")]
pub(crate) struct MessageFlags {
    /// ACK_TIMEOUT: time to the first retransmission; it doubles each time [default: 2s, adapted to measured round trips]
    #[arg(long, value_name = "TIME")]
    ack_timeout: Option<Wait>,

    /// MAX_RETRANSMIT: maximum number of retransmissions [default: 4]
    #[arg(long, value_name = "COUNT", value_parser = whole(0..=20_u8))]
    max_retransmit: Option<u8>,

    /// Block size for block-wise transfers, in bytes: 16, 32, 64, 128, 256, 512 or 1024 [default: 1024]
    #[arg(long, value_name = "SIZE", value_parser = block)]
    block: Option<Szx>,

    /// Largest response body accepted, in bytes such as 1MiB [default: 64MiB]
    #[arg(long, value_name = "SIZE")]
    body_limit: Option<Size>,

    /// How long to collect responses from a multicast group
    #[arg(long, value_name = "TIME", default_value = "7s")]
    collect: Wait,
}

/// What is rarely set by hand.
#[derive(Args, Debug)]
#[command(next_help_heading = "Request")]
pub(crate) struct WordingFlags {
    /// Token of the request, at most 8 bytes: text, or 0x and hexadecimal digits, or '' for none [default: 8 random bytes]
    #[arg(long, value_name = "TOKEN", value_parser = token, allow_hyphen_values = true)]
    token: Option<Token>,

    /// Do not send the Uri-Host option
    #[arg(long, conflicts_with = "proxy")]
    no_uri_host: bool,

    /// Local UDP port to send from
    #[arg(
        long,
        value_name = "PORT",
        value_parser = whole(1..=u16::MAX),
        help_heading = "Connection"
    )]
    bind_port: Option<u16>,
}

impl WordingFlags {
    /// The options of the requests, and `session` with the connection's.
    pub(crate) const fn wording(self, session: &mut SessionArgs) -> Wording {
        session.connect.bind_port = self.bind_port;
        Wording {
            token: self.token,
            no_host: self.no_uri_host,
        }
    }
}

/// More options, and how the exchange is shown.
#[derive(Args, Debug)]
#[command(next_help_heading = "Request")]
pub(crate) struct OptionFlags {
    /// Add an option, by name or number; the value is text, a number, 0x and hexadecimal digits, or @FILE; may be repeated
    #[arg(short = 'O', long = "option", value_name = "NAME=VALUE")]
    options: Vec<OptionWord>,

    /// Content format to accept: number, media type or short name
    #[arg(long, value_name = "FORMAT", value_parser = values::content_format)]
    accept: Option<u16>,

    /// Send requests through this proxy, coap://HOST[:PORT] or another scheme; the URI is that of the origin server
    #[arg(long, value_name = "URI")]
    proxy: Option<String>,

    /// How the URI is sent to the proxy: scheme (Proxy-Scheme and the Uri options), uri (Proxy-Uri), or auto: scheme, then uri if the proxy does not support it
    #[arg(long, value_name = "MODE", requires = "proxy", default_value = "auto")]
    proxy_mode: ProxyModeWord,

    #[command(flatten)]
    oscore: OscoreFlags,

    /// Show the request and the response with their options on standard error
    #[arg(
        short = 'v',
        long,
        conflicts_with = "quiet",
        help_heading = "Diagnostics"
    )]
    verbose: bool,

    /// Show every message on standard error
    #[arg(long, conflicts_with = "quiet", help_heading = "Diagnostics")]
    trace: bool,

    /// Capture every message in this file for Wireshark (pcapng), as UDP or TCP on port 5683; DTLS and TLS traffic is captured decrypted
    #[arg(long, value_name = "FILE", help_heading = "Diagnostics")]
    pcap: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ProxyModeWord {
    Auto,
    Scheme,
    Uri,
}

/// How a response is shown.
#[derive(Args, Debug)]
#[command(next_help_heading = "Output")]
pub(crate) struct BodyFlags {
    #[command(flatten)]
    output: OutputFlags,

    #[command(flatten)]
    decode: DecodeFlags,
}

impl BodyFlags {
    /// Whether bodies are shown unchanged.
    pub(crate) fn is_bare(&self) -> bool {
        self.output.is_bare() && self.decode.is_bare()
    }

    /// Whether bodies are decoded.
    pub(crate) const fn decodes(&self) -> bool {
        self.decode.decodes()
    }

    /// The stages with how bodies are read.
    pub(crate) fn stages(&self, style: Style, stages: Stages) -> Result<Stages> {
        self.decode.stages(&self.output, style, stages)
    }

    /// `newline`: whether each text is followed by a line break.
    pub(crate) fn format(self, newline: bool) -> Result<Format> {
        let newline = newline || self.output.is_template();
        self.output.format(false, newline, &fields::COAP)
    }
}

impl TransferFlags {
    fn transfer(self) -> Transfer {
        let Span(timeout) = self.timeout;
        let timeout = Some(timeout).filter(|time| !time.is_zero());
        self.message.transfer(!self.non, timeout)
    }

    /// All flags about the requests of a command.
    pub(crate) fn session(
        self,
        uris: Vec<String>,
        connect: CoapConnectFlags,
        options: OptionFlags,
    ) -> SessionArgs {
        session(uris, connect, self.transfer(), options)
    }
}

impl MessageFlags {
    /// All flags about the requests of a command without `--non` and `--timeout` of the usual meaning.
    pub(crate) fn session(
        self,
        uris: Vec<String>,
        connect: CoapConnectFlags,
        options: OptionFlags,
        timeout: Option<Duration>,
    ) -> SessionArgs {
        session(uris, connect, self.transfer(true, timeout), options)
    }

    fn transfer(self, confirmable: bool, timeout: Option<Duration>) -> Transfer {
        let Wait(collect) = self.collect;
        Transfer {
            confirmable,
            timeout,
            ack_timeout: self.ack_timeout.map(|Wait(time)| time),
            max_retransmit: self.max_retransmit,
            block: self.block,
            collect,
            // A number beyond the address space is as good as no limit.
            body_limit: self
                .body_limit
                .map(|Size(size)| usize::try_from(size).unwrap_or(usize::MAX)),
        }
    }
}

fn session(
    uris: Vec<String>,
    connect: CoapConnectFlags,
    transfer: Transfer,
    flags: OptionFlags,
) -> SessionArgs {
    let mut options = flags.options;
    options.extend(
        flags
            .accept
            .map(|format| uint(option::ACCEPT, format.into())),
    );
    SessionArgs {
        connect: ConnectArgs {
            oscore: flags.oscore.words(),
            ..connect.words()
        },
        uris,
        transfer,
        options,
        proxy: flags.proxy,
        proxy_mode: match flags.proxy_mode {
            ProxyModeWord::Auto => ProxyMode::Auto,
            ProxyModeWord::Scheme => ProxyMode::Scheme,
            ProxyModeWord::Uri => ProxyMode::Uri,
        },
        pcap: flags.pcap,
        verbose: flags.verbose,
        trace: flags.trace,
    }
}

/// An option with an unsigned value.
pub(crate) fn uint(number: u16, value: u64) -> OptionWord {
    OptionWord {
        number,
        value: OptionValue::Bytes(option::uint_bytes(value)),
    }
}

fn token(word: &str) -> Result<Token, String> {
    let bytes = opaque(word)?;
    Token::new(&bytes)
        .ok_or_else(|| format!("{word:?} is longer than 8 bytes, the limit of a token"))
}

fn block(word: &str) -> Result<Szx, String> {
    let size = word.parse().ok().and_then(Szx::of_size);
    size.ok_or_else(|| format!("{word:?} is not one of 16, 32, 64, 128, 256, 512, 1024"))
}

/// Bytes as written by hand: `0x` and hexadecimal digits, or text.
pub(crate) fn opaque(word: &str) -> Result<Bytes, String> {
    let Some(digits) = word.strip_prefix("0x") else {
        return Ok(Bytes::copy_from_slice(word.as_bytes()));
    };
    data_encoding::HEXLOWER_PERMISSIVE
        .decode(digits.as_bytes())
        .map(Bytes::from)
        .map_err(|_| {
            format!("{word:?} is not a whole number of bytes in hexadecimal digits after 0x")
        })
}

impl FromStr for OptionWord {
    type Err = String;

    /// Reads `NAME=VALUE`, `NUMBER=VALUE`, libcoap's `NUMBER,VALUE`, and a name alone for an empty value.
    fn from_str(word: &str) -> Result<Self, Self::Err> {
        let (name, value) = match word.find(['=', ',']) {
            Some(at) => (&word[..at], &word[at + 1..]),
            None => (word, ""),
        };
        let number = option::number(name).ok_or_else(|| {
            format!("{name:?} is neither the name of an option nor a number up to 65535")
        })?;
        if let Some(instead) = set_elsewhere(number) {
            return Err(format!("{instead} sets the option {name}"));
        }
        let value = match value.strip_prefix('@') {
            Some(file) => OptionValue::File(PathBuf::from(file)),
            None => OptionValue::Bytes(option_value(number, value)?),
        };
        Ok(Self { number, value })
    }
}

/// The flag to use instead of options that belong to the endpoint.
const fn set_elsewhere(number: u16) -> Option<&'static str> {
    match number {
        option::OBSERVE => Some("coap observe"),
        option::BLOCK1 | option::BLOCK2 => Some("--block"),
        option::PROXY_SCHEME | option::PROXY_URI => Some("--proxy"),
        option::OSCORE => Some("--oscore-secret"),
        option::Q_BLOCK1 | option::Q_BLOCK2 | option::REQUEST_TAG | option::ECHO => {
            Some("the exchange itself")
        }
        _ => None,
    }
}

fn option_value(number: u16, value: &str) -> Result<Bytes, String> {
    let format = option::registered(number).map(|about| about.format);
    if value.starts_with("0x") || format != Some(OptionFormat::Uint) {
        return opaque(value);
    }
    let named = matches!(number, option::CONTENT_FORMAT | option::ACCEPT);
    let plain = value.parse().ok();
    plain
        .or_else(|| format::number(value).filter(|_| named).map(u64::from))
        .map(option::uint_bytes)
        .ok_or_else(|| format!("{value:?} is not a number"))
}
