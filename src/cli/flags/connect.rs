//! The flags that say where to connect and how, the same for every protocol.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

use clap::Args;

use crate::connect::{
    ConnectArgs, Family, LocalAddress, Pin, Proxy, Retry, Secret, TlsVersion, family,
};
use crate::error::{Error, Result};

use crate::cli::syntax::numbers::{Wait, whole};

/// What `--retry` is for commands that publish.
pub(crate) const RETRY_30S: &str = "Reconnect: never, forever, or for outages up to TIME [default: never for the first connection, for 30s after that]";

/// What `--retry` is for commands that receive, or run until they are stopped.
pub(crate) const RETRY_FOREVER: &str = "Reconnect: never, forever, or for outages up to TIME [default: never for the first connection, forever after that]";

#[derive(Args, Debug)]
#[command(next_help_heading = "Connection")]
pub(crate) struct ConnectFlags {
    // Not a doc comment: rustdoc would take the brackets for links.
    #[arg(
        value_name = "URL",
        help_heading = None,
        help = "Server URL: mqtt://[USER[:PASSWORD]@]HOST[:PORT][/TOPIC], also mqtts, ws and wss [default: mqtt://localhost]",
        conflicts_with_all = ["url_flag", "host", "port", "unix"]
    )]
    url: Option<String>,

    #[command(flatten)]
    server: ServerFlags,

    /// Speak over WebSocket, as the URL schemes ws and wss do
    #[arg(long)]
    ws: bool,

    /// Header for the WebSocket handshake; may be repeated
    #[arg(long, visible_alias = "header", value_name = "NAME: VALUE")]
    ws_header: Vec<String>,
}

/// The connection flags of every protocol.
#[derive(Args, Debug)]
#[command(next_help_heading = "Connection")]
pub(crate) struct ServerFlags {
    /// Same as the URL argument
    #[arg(short = 'L', long = "url", value_name = "URL", conflicts_with_all = ["host", "port", "unix"])]
    url_flag: Option<String>,

    /// Host name or IP address, optionally with a port as in a:1884; several, separated by commas, are tried in order, and again after a lost connection [default: localhost]
    #[arg(short = 'h', long, value_name = "HOST", conflicts_with = "unix")]
    host: Option<String>,

    /// Port, 1 to 65535 [default: 1883, with TLS 8883, with --ws 80 or 443]
    #[arg(short = 'p', long, value_name = "PORT", conflicts_with = "unix", value_parser = whole(1..=u16::MAX))]
    port: Option<u16>,

    /// Unix socket instead of host and port
    #[arg(long, value_name = "PATH")]
    unix: Option<PathBuf>,

    /// User name
    #[arg(short = 'u', long, value_name = "NAME")]
    username: Option<String>,

    /// Password; other users of this machine can see it, so prefer --password-file or IOTCTL_PASSWORD
    #[arg(
        short = 'P', long, alias = "pw", value_name = "PASSWORD", allow_hyphen_values = true,
        conflicts_with_all = ["password_file", "password_prompt", "password_command"]
    )]
    password: Option<OsString>,

    /// File with the password; a trailing newline is ignored
    #[arg(long, value_name = "FILE", conflicts_with_all = ["password_prompt", "password_command"])]
    password_file: Option<PathBuf>,

    /// Shell command whose first line of output is the password; run again for each reconnection, so that tokens are renewed
    #[arg(long, value_name = "COMMAND", conflicts_with = "password_prompt")]
    password_command: Option<String>,

    /// Prompt for the password on the terminal
    #[arg(long)]
    password_prompt: bool,

    /// Give up connecting after this long: name, TCP, TLS and WebSocket together [default: 10s]
    #[arg(long, value_name = "TIME")]
    connect_timeout: Option<Wait>,

    /// Reconnect: never, forever, or for outages up to TIME [default: never]
    #[arg(long, value_name = "TIME")]
    retry: Option<Retry>,

    /// Local IP address or network interface to connect from
    #[arg(short = 'A', long, value_name = "ADDRESS", action = clap::ArgAction::Set, num_args = 1)]
    bind: Vec<LocalAddress>,

    #[command(flatten)]
    family: FamilyFlags,

    /// Look up the servers of the domain given as host in DNS: SRV records such as _mqtt._tcp.DOMAIN
    #[arg(short = 'S', long, conflicts_with_all = ["port", "unix", "proxy"])]
    srv: bool,

    /// Proxy to connect through: socks5h://[USER:PASSWORD@]HOST[:PORT] or http://…, which must allow CONNECT
    #[arg(long, value_name = "URL", conflicts_with = "unix")]
    proxy: Option<Proxy>,

    /// Context in the configuration file that supplies settings not given here [default: IOTCTL_CONTEXT]
    #[arg(long, value_name = "NAME")]
    context: Option<String>,

    /// Disable TLS regardless of the context, the environment and the port
    #[arg(long, conflicts_with_all = ["cafile", "capath", "cert", "insecure", "insecure_name", "tls_server_name", "tls_alpn", "tls_version", "tls_keylog", "tls_pin", "key_password_file"])]
    no_tls: bool,

    #[command(flatten)]
    tls: TlsFlags,
}

/// Which of the two families of addresses is used.
#[derive(Args, Debug)]
#[command(next_help_heading = "Connection")]
pub(crate) struct FamilyFlags {
    /// Use IPv4 only
    #[arg(short = '4', long, conflicts_with = "ipv6")]
    ipv4: bool,

    /// Use IPv6 only
    #[arg(short = '6', long)]
    ipv6: bool,
}

impl FamilyFlags {
    pub(crate) fn family(&self) -> Option<Family> {
        // They exclude each other.
        family(self.ipv4, self.ipv6).ok().flatten()
    }
}

#[derive(Args, Debug)]
#[command(next_help_heading = "TLS")]
pub(crate) struct TlsFlags {
    /// PEM file of certificates to trust instead of the operating system's: CA certificates, or the server's own; enables TLS
    #[arg(long, value_name = "FILE")]
    pub(crate) cafile: Option<PathBuf>,

    /// Directory of such files; enables TLS
    #[arg(long, value_name = "DIR")]
    pub(crate) capath: Option<PathBuf>,

    /// PEM file of the client's certificate chain, or PKCS#12 file (.p12, .pfx) of chain and private key
    #[arg(long, value_name = "FILE")]
    pub(crate) cert: Option<PathBuf>,

    /// PEM file of the client's private key [default: the file of --cert]
    #[arg(long, value_name = "FILE", requires = "cert")]
    pub(crate) key: Option<PathBuf>,

    /// File with the password of the private key; a trailing newline is ignored [default: IOTCTL_KEY_PASSWORD, or a prompt]
    #[arg(long, value_name = "FILE")]
    pub(crate) key_password_file: Option<PathBuf>,

    /// Pin the server's public key: sha256/BASE64, the hash of its SubjectPublicKeyInfo. Its certificate must be valid as well, unless --insecure is given; may be repeated
    #[arg(long, value_name = "PIN")]
    pub(crate) tls_pin: Vec<Pin>,

    /// Do not verify the server's certificate: an attacker in between can read and change everything
    #[arg(long)]
    pub(crate) insecure: bool,

    /// Verify the server's certificate but not the name in it
    #[arg(long)]
    pub(crate) insecure_name: bool,

    /// Server name to send (SNI) and to verify, instead of the host
    #[arg(long, value_name = "NAME")]
    pub(crate) tls_server_name: Option<String>,

    /// ALPN protocol to offer; may be repeated, in order of preference
    #[arg(long, value_name = "PROTOCOL")]
    pub(crate) tls_alpn: Vec<String>,

    /// Append the secrets of TLS connections to a file, for Wireshark; SSLKEYLOGFILE does the same
    #[arg(long, value_name = "FILE")]
    pub(crate) tls_keylog: Option<PathBuf>,

    /// TLS version: 1.2, 1.3, or 1.2+ for 1.2 and newer [default: 1.2+]
    #[arg(long, value_name = "VERSION")]
    pub(crate) tls_version: Option<TlsVersion>,
}

impl ConnectFlags {
    /// The local addresses, of which most commands take one.
    pub(crate) fn addresses(&self) -> &[LocalAddress] {
        self.server.addresses()
    }

    /// The arguments given, for [`ConnectArgs::resolve`] to complete.
    pub(crate) fn words(self) -> Result<ConnectArgs> {
        let headers = self
            .ws_header
            .iter()
            .map(|header| split(header))
            .collect::<Result<_>>()?;
        Ok(ConnectArgs {
            websocket: self.ws,
            headers,
            ..self.server.words(self.url)
        })
    }
}

impl ServerFlags {
    /// The local addresses, of which most commands take one.
    pub(crate) fn addresses(&self) -> &[LocalAddress] {
        &self.bind
    }

    /// The first flag that names the server.
    pub(crate) fn named(&self) -> Option<&'static str> {
        let flags = [
            ("--url", self.url_flag.is_some()),
            ("--host", self.host.is_some()),
            ("--port", self.port.is_some()),
            ("--unix", self.unix.is_some()),
        ];
        let given = flags.into_iter().find(|(_, given)| *given);
        given.map(|(flag, _)| flag)
    }

    /// The arguments given, with the argument `url`.
    pub(crate) fn words(self, url: Option<String>) -> ConnectArgs {
        ConnectArgs {
            url: url.or(self.url_flag),
            host: self.host,
            port: self.port,
            unix: self.unix,
            username: self.username,
            password: self
                .password
                .map(|password| Secret::new(password.into_vec())),
            password_file: self.password_file,
            password_command: self.password_command,
            password_prompt: self.password_prompt,
            connect_timeout: self.connect_timeout.map(|Wait(time)| time),
            retry: self.retry,
            bind: self.bind.first().copied(),
            proxy: self.proxy,
            family: self.family.family(),
            srv: self.srv,
            tls: self.no_tls.then_some(false),
            context: self.context,
            ..self.tls.words()
        }
    }
}

impl TlsFlags {
    pub(crate) fn words(self) -> ConnectArgs {
        ConnectArgs {
            cafile: self.cafile,
            capath: self.capath,
            cert: self.cert,
            key: self.key,
            key_password_file: self.key_password_file,
            insecure: self.insecure.then_some(true),
            insecure_name: self.insecure_name,
            tls_keylog: self.tls_keylog,
            tls_server_name: self.tls_server_name,
            tls_alpn: self.tls_alpn,
            tls_pins: self.tls_pin,
            tls_version: self.tls_version,
            ..ConnectArgs::default()
        }
    }
}

/// `NAME: VALUE`; the value may hold a secret, so a refusal shows none of it.
fn split(header: &str) -> Result<(String, String)> {
    match header.split_once(':') {
        Some((name, value)) if !name.trim().is_empty() => {
            Ok((name.trim().to_owned(), value.trim().to_owned()))
        }
        _ => Err(Error::usage("--ws-header needs a name before the colon")
            .hint("write it as 'NAME: VALUE'")),
    }
}
