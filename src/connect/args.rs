//! What was said about a connection, by flags, environment or context; all of it optional.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use super::family::Family;
use super::pin::Pin;
use super::proxy::Proxy;
use super::scheme::is_plain;
use super::secret::Secret;
use super::url;
use super::zone::LocalAddress;

/// What one source said about a connection. [`ConnectArgs::resolve`] makes a checked target of it.
#[derive(Clone, Default)]
pub struct ConnectArgs {
    /// `mqtts://user:password@host:port/path`; excludes `host`, `port` and `unix` in the same source.
    pub url: Option<String>,
    /// A name or an IP address; or several with a comma between them, each of which may have a port: `a,b:1884`.
    pub host: Option<String>,
    /// 1–65535.
    pub port: Option<u16>,
    /// A unix socket instead of host and port.
    pub unix: Option<PathBuf>,
    /// Wins over the URL's.
    pub username: Option<String>,
    /// Wins over the URL's; at most one of the four ways to give a password.
    pub password: Option<Secret>,
    /// A file whose content, without the final line break, is the password.
    pub password_file: Option<PathBuf>,
    /// Ask on the terminal.
    pub password_prompt: bool,
    /// A command of the shell whose first line of output is the password, at each connection anew.
    pub password_command: Option<String>,
    /// PEM certificates to trust instead of the operating system's.
    pub cafile: Option<PathBuf>,
    /// A directory of such files.
    pub capath: Option<PathBuf>,
    /// The client's certificate chain, PEM; or PKCS #12 with the key.
    pub cert: Option<PathBuf>,
    /// The client's private key, PEM.
    pub key: Option<PathBuf>,
    /// The password of the key; excludes `key_password_file`.
    pub key_password: Option<Secret>,
    /// A file whose content, without the final line break, is that password.
    pub key_password_file: Option<PathBuf>,
    /// Do not verify the server at all.
    pub insecure: Option<bool>,
    /// The name to send and to verify instead of the host.
    pub tls_server_name: Option<String>,
    /// Protocols to offer, best first.
    pub tls_alpn: Vec<String>,
    /// Keys one of which the server must have.
    pub tls_pins: Vec<Pin>,
    /// Exactly this version of TLS, unless it says otherwise.
    pub tls_version: Option<TlsVersion>,
    /// Accept a certificate with another name than the host's.
    pub insecure_name: bool,
    /// Whether TLS is used, where it is not left to the scheme, the port and what is said about TLS.
    pub tls: Option<bool>,
    /// A file that the secrets of each TLS connection are appended to.
    pub tls_keylog: Option<PathBuf>,
    /// The way there.
    pub proxy: Option<Proxy>,
    /// The name of the key below, for DTLS.
    pub psk_identity: Option<String>,
    /// The key that both sides share: text, or bytes as `hex:…`, `0x…` or `base64:…`; excludes `psk_file`.
    pub psk: Option<Secret>,
    /// A file whose content, without the final line break, is such a key.
    pub psk_file: Option<PathBuf>,
    /// Our private key for raw public keys, PEM.
    pub rpk_key: Option<PathBuf>,
    /// The public keys that the peer may have, PEM.
    pub rpk_peer: Option<PathBuf>,
    /// What protects CoAP messages between the two ends.
    pub oscore: OscoreArgs,
    /// Until the connection is usable: name, TCP, TLS and WebSocket together.
    pub connect_timeout: Option<Duration>,
    /// Whether and how long to try again.
    pub retry: Option<Retry>,
    /// Look up who serves the host's domain (RFC 2782).
    pub srv: bool,
    /// Addresses of this family only.
    pub family: Option<Family>,
    /// The local address to connect from.
    pub bind: Option<LocalAddress>,
    /// The local port to send datagrams from.
    pub bind_port: Option<u16>,
    /// Speak over WebSocket where no URL scheme says so.
    pub websocket: bool,
    /// More headers for the WebSocket handshake.
    pub headers: Vec<(String, String)>,
    /// The context that fills in what is not said here.
    pub context: Option<String>,
    /// The settings of TLS are for several servers: those that are not encrypted do without.
    pub tls_if_encrypted: bool,
}

impl ConnectArgs {
    /// The same for the server of this URL.
    pub(crate) fn for_server(&self, url: &str) -> Self {
        if !self.tls_if_encrypted || !is_plain(url) {
            return self.clone();
        }
        self.without_tls()
    }

    /// The same without the settings of TLS.
    pub(crate) fn without_tls(&self) -> Self {
        Self {
            cafile: None,
            capath: None,
            cert: None,
            key: None,
            key_password: None,
            key_password_file: None,
            insecure: None,
            tls_server_name: None,
            tls_alpn: Vec::new(),
            tls_pins: Vec::new(),
            tls_version: None,
            insecure_name: false,
            tls_keylog: None,
            ..self.clone()
        }
    }
}

impl fmt::Debug for ConnectArgs {
    /// Shows where to, never a secret: URL credentials and header values are left out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectArgs")
            .field("url", &self.url.as_deref().map(url::without_credentials))
            .field("host", &self.host)
            .field("port", &self.port)
            .field("unix", &self.unix)
            .field("username", &self.username)
            .field("password", &self.password)
            .field("context", &self.context)
            .finish_non_exhaustive()
    }
}

/// Which versions of TLS are offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsVersion {
    /// TLS 1.2 alone.
    V12,
    /// TLS 1.2 and what is newer, as where nothing is said.
    From12,
    /// TLS 1.3, which is the newest.
    V13,
}

impl fmt::Display for TlsVersion {
    /// As it is read.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::V12 => "1.2",
            Self::From12 => "1.2+",
            Self::V13 => "1.3",
        })
    }
}

impl FromStr for TlsVersion {
    type Err = String;

    /// Reads `1.2`, `1.3`, also with mosquitto's `tlsv` in front; and `1.2+` for that or newer.
    fn from_str(text: &str) -> Result<Self, String> {
        let lower = text.to_ascii_lowercase();
        let number = lower.strip_prefix("tls").unwrap_or(&lower);
        match number.strip_prefix('v').unwrap_or(number) {
            "1.2" => Ok(Self::V12),
            "1.2+" => Ok(Self::From12),
            "1.3" | "1.3+" => Ok(Self::V13),
            _ => Err(format!(
                "{text:?} is not a TLS version; expected 1.2, 1.3, or 1.2+ for 1.2 and newer"
            )),
        }
    }
}

/// Whether a connection that cannot be made, or was lost, is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// The first failure ends it.
    Never,
    /// As long as the outage is not longer than this.
    For(Duration),
    /// For ever.
    Forever,
}

impl FromStr for Retry {
    type Err = String;

    /// Reads `never` or `0`, `forever`, or a duration such as `30s`.
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "never" => Ok(Self::Never),
            "forever" => Ok(Self::Forever),
            _ => duration(text)
                .map(|time| {
                    if time.is_zero() {
                        Self::Never
                    } else {
                        Self::For(time)
                    }
                })
                .map_err(|_| format!("{text:?} is not never, forever or a duration such as 30s")),
        }
    }
}

impl fmt::Display for Retry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Never => f.write_str("never"),
            Self::For(time) => write!(f, "{}", humantime::format_duration(*time)),
            Self::Forever => f.write_str("forever"),
        }
    }
}

/// The family that alone is to be used, if any.
///
/// # Errors
/// Both are.
pub(crate) const fn family(v4: bool, v6: bool) -> Result<Option<Family>, ()> {
    match (v4, v6) {
        (true, true) => Err(()),
        (true, false) => Ok(Some(Family::V4)),
        (false, true) => Ok(Some(Family::V6)),
        (false, false) => Ok(None),
    }
}

/// Reads `250ms`, `1m30s`; a bare number counts seconds.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    if let Ok(seconds) = text.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds)
            .map_err(|_| format!("{text:?} is not a duration"));
    }
    humantime::parse_duration(text)
        .map_err(|_| format!("{text:?} is not a duration such as 250ms or 1m30s"))
}

/// The arguments of OSCORE, all optional. Keys and ids are spelled as pre-shared keys are.
#[derive(Clone, Default)]
pub struct OscoreArgs {
    /// The master secret; excludes `secret_file`.
    pub secret: Option<Secret>,
    /// A file whose content, without the final line break, is the master secret.
    pub secret_file: Option<PathBuf>,
    /// The master salt.
    pub salt: Option<Secret>,
    /// Our id; empty where not given.
    pub sender_id: Option<String>,
    /// The peer's id; empty where not given.
    pub recipient_id: Option<String>,
    /// Tells contexts of the same ids apart.
    pub id_context: Option<String>,
    /// The file that keeps the sender sequence number.
    pub state: Option<PathBuf>,
}

impl fmt::Debug for OscoreArgs {
    /// Shows the ids, and nothing that is secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OscoreArgs")
            .field("sender_id", &self.sender_id)
            .field("recipient_id", &self.recipient_id)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_reads_words_and_durations() {
        for (text, meant) in [
            ("0", Retry::Never),
            ("0s", Retry::Never),
            ("never", Retry::Never),
            ("forever", Retry::Forever),
            ("30s", Retry::For(Duration::from_secs(30))),
            ("2", Retry::For(Duration::from_secs(2))),
            ("1m30s", Retry::For(Duration::from_secs(90))),
        ] {
            assert_eq!(text.parse(), Ok(meant), "{text}");
        }
        for text in ["", "-1", "soon", "nan", "inf", "1e99"] {
            assert!(text.parse::<Retry>().is_err(), "{text}");
        }
    }

    #[test]
    fn tls_versions_read_as_here_and_as_in_mosquitto() {
        for text in ["1.3", "tlsv1.3", "TLSv1.3", "tls1.3", "v1.3"] {
            assert_eq!(text.parse(), Ok(TlsVersion::V13), "{text}");
        }
        assert_eq!("1.2".parse(), Ok(TlsVersion::V12));
        assert_eq!("1.2+".parse(), Ok(TlsVersion::From12));
        let refused = "1.1".parse::<TlsVersion>().unwrap_err();
        assert!(refused.contains("expected 1.2, 1.3"), "{refused}");
    }

    #[test]
    fn debug_shows_no_secret() {
        let words = ConnectArgs {
            url: Some(String::from("mqtt://me:hunter2@h")),
            password: Some(Secret::from("hunter2")),
            headers: vec![(String::from("Authorization"), String::from("hunter2"))],
            ..ConnectArgs::default()
        };
        let shown = format!("{words:?}");
        assert!(!shown.contains("hunter2"), "{shown}");
        assert!(shown.contains("mqtt://h"), "{shown}");
    }
}
