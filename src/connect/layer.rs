//! One source's words with its URL taken apart, and how sources lie over each other.

use std::path::PathBuf;

use crate::error::{Error, Result};

use super::args::ConnectArgs;
use super::scheme::{Protocol, Scheme};
use super::secret::Secret;
use super::servers::Place;
use super::url;

/// What one source, or several over each other, say about a connection.
#[derive(Default)]
pub(super) struct Layer {
    pub(super) scheme: Option<&'static Scheme>,
    /// A URL stood here, so that nothing of the place is taken from below.
    whole: bool,
    /// The servers to choose from, in order.
    pub(super) hosts: Vec<Place>,
    /// That of the hosts that have none of their own.
    pub(super) port: Option<u16>,
    pub(super) unix: Option<PathBuf>,
    pub(super) path: Option<String>,
    pub(super) username: Option<String>,
    pub(super) password: Option<Password>,
    /// What is merged field by field; its address and credentials are empty.
    pub(super) rest: ConnectArgs,
}

/// Where the password comes from.
pub(super) enum Password {
    Given(Secret),
    File(PathBuf),
    Command(String),
    Prompt,
}

impl Layer {
    /// Takes the words of one source apart and checks that they do not contradict each other.
    pub(super) fn read(mut words: ConnectArgs, protocol: Protocol) -> Result<Self> {
        check_address(&words)?;
        let hosts = words.host.take();
        let mut layer = Self {
            hosts: hosts.as_deref().map_or(Ok(Vec::new()), url::hosts)?,
            port: words.port.take(),
            unix: words.unix.take(),
            username: words.username.take(),
            password: password(&mut words)?,
            ..Self::default()
        };
        // The port of the only one is that of the connection, as `--port` names it.
        if let [only] = &mut layer.hosts[..]
            && let Some(port) = only.port.take()
            && layer.port.replace(port).is_some()
        {
            return Err(Error::usage(
                "--port and the port of --host cannot be used together",
            ));
        }
        if let Some(text) = words.url.take() {
            let url = url::parse(&text, protocol)?;
            layer.scheme = Some(url.scheme);
            layer.hosts = url.hosts;
            layer.port = url.port;
            layer.unix = url.unix;
            layer.path = url.path;
            layer.username = layer.username.or(url.username);
            layer.password = layer.password.or_else(|| url.password.map(Password::Given));
        }
        layer.rest = match words.tls {
            Some(false) => without_tls(words),
            _ => words,
        };
        Ok(layer)
    }

    /// Whether all hosts here are among those of `upper`.
    fn has_hosts_of(&self, upper: &Self) -> bool {
        self.hosts.iter().all(|host| {
            let mut others = upper.hosts.iter();
            others.any(|other| other.host.eq_ignore_ascii_case(&host.host))
        })
    }

    /// Whether nothing here is for another user or server than those of `upper`.
    fn may_be_for(&self, upper: &Self) -> bool {
        self.has_hosts_of(upper)
            && (self.unix.is_none() || self.unix == upper.unix)
            && (self.username.is_none() || self.username == upper.username)
    }

    /// Lays this layer over a lower one: its values take precedence.
    ///
    /// A URL replaces the place and the credentials below as one, and a URL without TLS also what is
    /// said about TLS below; a host or port alone keeps the rest, but another host does not get the credentials and the path
    /// of the one below. A user whom the URL names without a password has the one
    /// below, unless that is for another user or server.
    pub(super) fn over(self, mut lower: Self) -> Self {
        if let Some(scheme) = self.scheme {
            let rest = std::mem::take(&mut lower.rest);
            let shared = self.username.is_some() && lower.may_be_for(&self);
            lower = Self {
                password: lower.password.filter(|_| shared),
                rest: if scheme.carrier.is_encrypted() {
                    rest
                } else {
                    without_tls(rest)
                },
                ..Self::default()
            };
            lower.rest.websocket = false;
            lower.rest.srv = false;
        } else if self.whole {
            lower = Self {
                rest: lower.rest,
                ..Self::default()
            };
            lower.rest.websocket = false;
            lower.rest.srv = false;
        }
        let whole = self.whole || lower.whole || lower.scheme.is_some();
        if self.scheme.is_none() && !self.hosts.is_empty() && !lower.has_hosts_of(&self) {
            (lower.username, lower.password, lower.path) = (None, None, None);
            // Encryption is kept, as what was below may have been there for it.
            lower.scheme = lower.scheme.filter(|scheme| scheme.carrier.is_encrypted());
        }
        if self.scheme.is_none() && self.rest.tls == Some(false) {
            lower.scheme = lower.scheme.map(Scheme::plain);
        }
        if self.unix.is_some() {
            (lower.scheme, lower.port, lower.path) = (None, None, None);
            lower.hosts.clear();
            lower.rest = without_tls(lower.rest);
            lower.rest.websocket = false;
        } else if !self.hosts.is_empty() || self.port.is_some() {
            let was_unix = lower.unix.take().is_some();
            lower.scheme = lower.scheme.filter(|_| !was_unix);
        }
        Self {
            scheme: self.scheme.or(lower.scheme),
            whole,
            hosts: longer(self.hosts, lower.hosts),
            port: self.port.or(lower.port),
            unix: self.unix.or(lower.unix),
            path: self.path.or(lower.path),
            username: self.username.or(lower.username),
            password: self.password.or(lower.password),
            rest: merge(self.rest, lower.rest),
        }
    }
}

/// What these words are for, where that is another protocol: the scheme of the URL, or the port, or the socket says so.
pub(super) fn foreign(words: &ConnectArgs, protocol: Protocol) -> Option<&'static str> {
    let other = match &words.url {
        Some(url) => url::split_scheme(url).and_then(|(name, _)| protocol.other_of_scheme(name)),
        None => words.port.and_then(|port| protocol.other_of_port(port)),
    };
    let socket = words.unix.is_some() && protocol.scheme("unix").is_none();
    other
        .map(Protocol::name)
        .or_else(|| socket.then_some("a unix socket"))
}

/// The same words without server and credentials.
pub(super) fn without_server(words: ConnectArgs) -> ConnectArgs {
    ConnectArgs {
        url: None,
        host: None,
        port: None,
        unix: None,
        username: None,
        password: None,
        password_file: None,
        password_prompt: false,
        password_command: None,
        srv: false,
        ..words
    }
}

fn check_address(words: &ConnectArgs) -> Result<()> {
    let by_name = words.host.is_some() || words.port.is_some();
    match (&words.url, by_name, &words.unix) {
        (Some(_), true, _) => Err(Error::usage("a URL cannot be used with --host or --port")),
        (Some(_), _, Some(_)) => Err(Error::usage("a URL cannot be used with --unix")),
        (None, true, Some(_)) => Err(Error::usage("--unix cannot be used with --host or --port")),
        _ if words.port == Some(0) => Err(Error::usage("0 is not a port; ports are 1 to 65535")),
        _ if words.host.as_deref() == Some("") => Err(Error::usage("the host is empty")),
        _ => Ok(()),
    }
}

fn password(words: &mut ConnectArgs) -> Result<Option<Password>> {
    let ways = [
        words.password.take().map(Password::Given),
        words.password_file.take().map(Password::File),
        words.password_command.take().map(Password::Command),
        std::mem::take(&mut words.password_prompt).then_some(Password::Prompt),
    ];
    let mut ways = ways.into_iter().flatten();
    match (ways.next(), ways.next()) {
        (way, None) => Ok(way),
        _ => Err(Error::usage("the password is given more than once")),
    }
}

fn without_tls(words: ConnectArgs) -> ConnectArgs {
    ConnectArgs {
        cafile: None,
        capath: None,
        cert: None,
        key: None,
        key_password: None,
        key_password_file: None,
        tls_pins: Vec::new(),
        insecure: None,
        insecure_name: false,
        tls_keylog: None,
        tls_server_name: None,
        tls_alpn: Vec::new(),
        tls_version: None,
        psk_identity: None,
        psk: None,
        psk_file: None,
        rpk_key: None,
        rpk_peer: None,
        ..words
    }
}

fn longer<T>(upper: Vec<T>, lower: Vec<T>) -> Vec<T> {
    if upper.is_empty() { lower } else { upper }
}

/// Two words of which a source that says either says both.
fn either<A, B>(
    upper: (Option<A>, Option<B>),
    lower: (Option<A>, Option<B>),
) -> (Option<A>, Option<B>) {
    match upper {
        (None, None) => lower,
        upper => upper,
    }
}

/// Certificate and key belong together, so a source that names either replaces both.
fn merge(upper: ConnectArgs, lower: ConnectArgs) -> ConnectArgs {
    let mut lower = match upper.tls {
        Some(false) => without_tls(lower),
        _ => lower,
    };
    // A raw public key or a pre-shared key: who names one does not want the other.
    if upper.rpk_key.is_some() || upper.rpk_peer.is_some() {
        (lower.psk_identity, lower.psk, lower.psk_file) = (None, None, None);
    } else if upper.psk.is_some() || upper.psk_file.is_some() {
        (lower.rpk_key, lower.rpk_peer) = (None, None);
    }
    let (cert, key) = either((upper.cert, upper.key), (lower.cert, lower.key));
    // Whom to trust is one decision too, told by file or by folder or both.
    let (cafile, capath) = either((upper.cafile, upper.capath), (lower.cafile, lower.capath));
    let (psk, psk_file) = either((upper.psk, upper.psk_file), (lower.psk, lower.psk_file));
    let (key_password, key_password_file) = either(
        (upper.key_password, upper.key_password_file),
        (lower.key_password, lower.key_password_file),
    );
    ConnectArgs {
        cert,
        key,
        key_password,
        key_password_file,
        tls_pins: longer(upper.tls_pins, lower.tls_pins),
        srv: upper.srv || lower.srv,
        family: upper.family.or(lower.family),
        cafile,
        capath,
        psk_identity: upper.psk_identity.or(lower.psk_identity),
        psk,
        psk_file,
        rpk_key: upper.rpk_key.or(lower.rpk_key),
        rpk_peer: upper.rpk_peer.or(lower.rpk_peer),
        oscore: upper.oscore.over(lower.oscore),
        insecure: upper.insecure.or(lower.insecure),
        insecure_name: upper.insecure_name || lower.insecure_name,
        tls: upper.tls.or(lower.tls),
        tls_keylog: upper.tls_keylog.or(lower.tls_keylog),
        proxy: upper.proxy.or(lower.proxy),
        tls_server_name: upper.tls_server_name.or(lower.tls_server_name),
        tls_alpn: longer(upper.tls_alpn, lower.tls_alpn),
        tls_version: upper.tls_version.or(lower.tls_version),
        connect_timeout: upper.connect_timeout.or(lower.connect_timeout),
        retry: upper.retry.or(lower.retry),
        bind: upper.bind.or(lower.bind),
        bind_port: upper.bind_port.or(lower.bind_port),
        websocket: upper.websocket || lower.websocket,
        headers: longer(upper.headers, lower.headers),
        ..ConnectArgs::default()
    }
}
