//! From the arguments to a checked target.

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;

use crate::error::{Error, Result};

use super::args::ConnectArgs;
use super::contexts;
use super::environment::Environment;
use super::family::Family;
use super::identity::{self, Unlock};
use super::key_log::KeyLogFile;
use super::layer::{self, Layer, Password};
use super::password::PasswordCommand;
use super::pem;
use super::psk::Psk;
use super::rpk::Rpk;
use super::scheme::{Carrier, Protocol, Scheme};
use super::secret::Secret;
use super::servers::{Place, Servers};
use super::target::{CONNECT_TIMEOUT, Target, Transport};
use super::tls::{ClientTls, Trust};

impl ConnectArgs {
    /// Fills in what is not said here from the environment, then from the context, checks it all and
    /// reads the files it names.
    ///
    /// # Errors
    /// [`crate::error::Kind::Usage`] for contradictions, bad values, unknown contexts and files that do
    /// not hold what they should; [`crate::error::Kind::Local`] for files that cannot be read.
    pub fn resolve(self, protocol: Protocol, environment: &Environment) -> Result<Target> {
        let mut variables = environment.words()?;
        let asked = self.context.clone();
        let name = asked.as_deref().or(variables.context.as_deref());
        let mut context = contexts::words(name, environment)?;
        let mut unused = None;
        // Its files and headers are for its server too, while each variable stands for itself.
        if let Some(other) = layer::foreign(&context, protocol) {
            unused = Some((other, "the context"));
            if let Some(name) = asked {
                let place = format!("context {name:?}");
                return Err(other_protocol(other, &place, protocol));
            }
            context = Self::default();
        }
        if let Some(other) = layer::foreign(&variables, protocol) {
            unused = Some((other, "the IOTCTL_ variables"));
            variables = layer::without_server(variables);
        }
        let proxy_from = match (&self.proxy, &variables.proxy) {
            (Some(_), _) => "--proxy",
            (None, Some(_)) => "IOTCTL_PROXY",
            (None, None) => "the proxy of the context",
        };
        let word = self.url.clone();
        let flags = Layer::read(self, protocol)
            .map_err(|why| or_context(why, word.as_deref(), environment))?;
        let place = variable_of_server(&variables);
        let variables = Layer::read(variables, protocol).map_err(|cause| named(cause, place))?;
        let context =
            Layer::read(context, protocol).map_err(|cause| named(cause, "in the context"))?;
        let layer = flags.over(variables).over(context);
        match unused {
            // Not localhost: it is another server that was meant to be the usual one.
            Some((other, place)) if layer.hosts.is_empty() && layer.unix.is_none() => {
                Err(other_protocol(other, place, protocol))
            }
            _ => target(layer, protocol, environment, proxy_from),
        }
    }
}

/// The same mistake about a word that stands where a URL does, and is the name of a context.
pub(crate) fn or_context(why: Error, word: Option<&str>, environment: &Environment) -> Error {
    let is_name = |word: &&str| contexts::names(environment).iter().any(|it| it == word);
    match word.filter(is_name) {
        Some(name) => why.hint(format!("use --context {name}")),
        None => why,
    }
}

/// A server that speaks `other` is not asked for `protocol`.
fn other_protocol(other: &str, place: &str, protocol: Protocol) -> Error {
    let (ours, scheme) = (protocol.name(), protocol.schemes()[0].name);
    let text = format!("no server for {ours}: the one in {place} is for {other}");
    Error::usage(text.replace("is for a unix", "is a unix"))
        .hint(format!("use {scheme}://HOST or -h HOST"))
}

/// Where a mistake about the server in the environment comes from: the variable, where only one names the server.
const fn variable_of_server(variables: &ConnectArgs) -> &'static str {
    let ConnectArgs {
        url,
        host,
        port,
        unix,
        ..
    } = variables;
    match (url, host, port, unix) {
        (Some(_), None, None, None) => "from IOTCTL_URL",
        (None, Some(_), None, None) => "from IOTCTL_HOST",
        (None, None, Some(_), None) => "from IOTCTL_PORT",
        _ => "from the IOTCTL_ variables",
    }
}

/// The same mistake, with the source it stands in.
fn named(cause: Error, place: &str) -> Error {
    let text = format!("{} ({place})", cause.text());
    cause.reworded(text)
}

fn target(
    layer: Layer,
    protocol: Protocol,
    environment: &Environment,
    proxy_from: &str,
) -> Result<Target> {
    let scheme = scheme(&layer, protocol)?;
    let carrier = scheme.carrier;
    check(&layer.rest, scheme)?;
    check_proxy(&layer.rest, scheme, proxy_from)?;
    let places = places(&layer, scheme);
    check_family(&layer.rest, &places)?;
    let servers = servers(&layer, &places, scheme, protocol)?;
    // There is one at least.
    let (host, port) = places[0].clone();
    let mut target = Target {
        servers: servers.map(Into::into),
        path: layer.path.or_else(|| {
            (carrier.is_websocket() && protocol != Protocol::Coap)
                .then(|| protocol.websocket_path().to_owned())
        }),
        username: layer.username,
        connect_timeout: layer.rest.connect_timeout.unwrap_or(CONNECT_TIMEOUT),
        retry: layer.rest.retry,
        family: layer.rest.family,
        bind: layer.rest.bind,
        bind_port: layer.rest.bind_port.unwrap_or_default(),
        proxy: layer.rest.proxy.clone(),
        ..Target::tcp(protocol, host, port)
    };
    target.transport = transport(carrier, layer.unix);
    if let Transport::Unix(_) = target.transport {
        (target.host, target.port) = (String::new(), 0);
    }
    target.psk = psk(&layer.rest, scheme, protocol)?;
    target.rpk = rpk(&layer.rest, scheme, protocol)?;
    if protocol == Protocol::Coap {
        target.oscore = layer.rest.oscore.clone().read(environment)?;
    }
    let certificates = target.psk.is_none() && target.rpk.is_none();
    if !certificates {
        without_pins(&layer.rest)?;
    }
    if carrier.is_encrypted() && certificates {
        let tls = client_tls(&layer.rest, environment)?.offering(protocol.alpn(carrier));
        for (host, _) in &places {
            tls.server_name(host)?;
        }
        target.tls = Some(tls);
    }
    target.headers = layer.rest.headers;
    with_password(target, layer.password, environment)
}

fn with_password(
    mut target: Target,
    password: Option<Password>,
    environment: &Environment,
) -> Result<Target> {
    match password {
        // It has no logins by password.
        Some(Password::Command(_)) if target.protocol == Protocol::Coap => {}
        Some(Password::Command(command)) => {
            target.password = Some(Secret::default());
            target.password_command = Some(Arc::new(PasswordCommand::new(command)));
        }
        password => target.password = read_password(password, &target, environment)?,
    }
    Ok(target)
}

/// Where the servers are, each with its port; this machine where none is named.
fn places(layer: &Layer, scheme: &Scheme) -> Vec<(String, u16)> {
    let port = layer.port.unwrap_or(scheme.port);
    if layer.hosts.is_empty() {
        return vec![(String::from("localhost"), port)];
    }
    let place = |it: &Place| {
        let host = without_brackets(it.host.clone());
        (host, it.port.unwrap_or(port))
    };
    layer.hosts.iter().map(place).collect()
}

fn transport(carrier: Carrier, unix: Option<PathBuf>) -> Transport {
    match (carrier, unix) {
        (Carrier::Unix, Some(path)) => Transport::Unix(path),
        (Carrier::Tls, _) => Transport::Tls,
        (Carrier::Udp, _) => Transport::Udp,
        (Carrier::Dtls, _) => Transport::Dtls,
        (Carrier::WebSocket, _) => Transport::WebSocket,
        (Carrier::SecureWebSocket, _) => Transport::SecureWebSocket,
        (Carrier::Tcp | Carrier::Unix, _) => Transport::Tcp,
    }
}

/// Refuses what contradicts itself or the scheme.
fn check(words: &ConnectArgs, scheme: &Scheme) -> Result<()> {
    let carrier = scheme.carrier;
    // The certificate's file may have the key too.
    if words.cert.is_none() && words.key.is_some() {
        return Err(Error::usage("--cert and --key must be used together"));
    }
    check_headers(&words.headers, carrier)?;
    if words.bind_port.is_some() && !matches!(carrier, Carrier::Udp | Carrier::Dtls) {
        return Err(Error::usage("--bind-port is for UDP and DTLS only"));
    }
    if words.key_password.is_some() && words.key_password_file.is_some() {
        return Err(Error::usage(
            "the password of the key is given more than once",
        ));
    }
    Ok(())
}

/// `from`: who names the proxy. That of the environment counts too: who goes through a proxy does not want to be seen beside it.
fn check_proxy(words: &ConnectArgs, scheme: &Scheme, from: &str) -> Result<()> {
    let without = matches!(scheme.carrier, Carrier::Udp | Carrier::Dtls | Carrier::Unix);
    if words.proxy.is_none() || !without {
        return Ok(());
    }
    let text = format!("{from} needs TCP and cannot be used with {}", scheme.name);
    let error = Error::usage(text);
    Err(match scheme.carrier {
        Carrier::Udp => error.hint("use coap+tcp://, or connect without the proxy"),
        Carrier::Dtls => error.hint("use coaps+tcp://, or connect without the proxy"),
        _ => error,
    })
}

/// Refuses addresses of the family that is not to be used.
fn check_family(words: &ConnectArgs, places: &[(String, u16)]) -> Result<()> {
    let Some(family) = words.family else {
        return Ok(());
    };
    let flag = match family {
        Family::V4 => "-4",
        Family::V6 => "-6",
    };
    let refuse = |what: &str, other| {
        let text = format!("{what} is an {other} address, but {flag} allows {family} only");
        Err(Error::usage(text))
    };
    if let Some(source) = words.bind
        && let Some(other) = source.family().filter(|other| *other != family)
    {
        return refuse(&source.to_string(), other);
    }
    // What a proxy connects to is its business.
    for (host, _) in places.iter().filter(|_| words.proxy.is_none()) {
        let address = host.split('%').next().unwrap_or(host);
        let other = address.parse().ok().map(Family::of);
        if let Some(other) = other.filter(|other| *other != family) {
            return refuse(host, other);
        }
    }
    Ok(())
}

/// The servers, where there are several or DNS is to be asked for them.
fn servers(
    layer: &Layer,
    places: &[(String, u16)],
    scheme: &Scheme,
    protocol: Protocol,
) -> Result<Option<Servers>> {
    let connects = matches!(scheme.carrier, Carrier::Tcp | Carrier::Tls);
    if !layer.rest.srv {
        return match places {
            [] | [_] => Ok(None),
            _ if connects || scheme.carrier.is_websocket() => {
                Ok(Some(Servers::listed(places.to_vec())))
            }
            _ => Err(Error::usage(format!(
                "several hosts need TCP and cannot be used with {}",
                scheme.name
            ))),
        };
    }
    let Some(service) = protocol.service(scheme.carrier) else {
        return Err(Error::usage(format!(
            "--srv cannot be used with {}",
            scheme.name
        )));
    };
    let (1, Some((host, _))) = (layer.hosts.len(), places.first()) else {
        return Err(Error::usage("--srv needs one host: the domain")
            .hint("use -h DOMAIN; the records of DNS name its servers"));
    };
    if layer.port.is_some() || layer.hosts.iter().any(|it| it.port.is_some()) {
        return Err(
            Error::usage("--srv cannot be used with a port").hint("the records of DNS name it")
        );
    }
    if host.parse::<IpAddr>().is_ok() {
        return Err(Error::usage(format!("--srv needs a domain, not {host}")));
    }
    if layer.rest.proxy.is_some() {
        return Err(Error::usage("--srv cannot be used with a proxy"));
    }
    Ok(Some(Servers::announced(format!("{service}.{host}"))))
}

fn psk(words: &ConnectArgs, scheme: &Scheme, protocol: Protocol) -> Result<Option<Psk>> {
    let psk = Psk::of(words)?;
    if psk.is_some() && scheme.carrier != Carrier::Dtls {
        return Err(needs_dtls("a pre-shared key needs", scheme, protocol));
    }
    Ok(psk)
}

fn rpk(words: &ConnectArgs, scheme: &Scheme, protocol: Protocol) -> Result<Option<Rpk>> {
    if words.rpk_key.is_none() && words.rpk_peer.is_none() {
        return Ok(None);
    }
    if scheme.carrier != Carrier::Dtls {
        return Err(needs_dtls("raw public keys need", scheme, protocol));
    }
    if words.psk.is_some() || words.psk_file.is_some() {
        return Err(Error::usage(
            "a pre-shared key and raw public keys cannot be used together",
        ));
    }
    Rpk::of(words)
}

/// Keys that nobody compares must not seem to be demanded.
fn without_pins(words: &ConnectArgs) -> Result<()> {
    if words.tls_pins.is_empty() {
        return Ok(());
    }
    let text = "--tls-pin cannot be used with pre-shared or raw public keys";
    Err(Error::usage(text).hint("--rpk-peer FILE has the raw public keys that a server may have"))
}

fn needs_dtls(what: &str, scheme: &Scheme, protocol: Protocol) -> Error {
    let text = format!("{what} DTLS and cannot be used with {}://", scheme.name);
    Error::usage(text).hint(match protocol {
        Protocol::Coap => "use coaps://",
        _ => "TLS with pre-shared or raw public keys is not supported; use certificates: --cafile, --cert",
    })
}

/// The scheme that was named, or the one that the other words ask for.
fn scheme(layer: &Layer, protocol: Protocol) -> Result<&'static Scheme> {
    let tls = tls_flag(&layer.rest);
    if layer.unix.is_some() {
        return match tls.or_else(|| layer.rest.websocket.then_some("--ws")) {
            Some(flag) => Err(Error::usage(format!(
                "a unix socket cannot be used with {flag}"
            ))),
            None => Ok(protocol.scheme_of(Carrier::Unix)),
        };
    }
    let Some(scheme) = layer.scheme else {
        // As in mosquitto's clients, the TLS port alone asks for TLS.
        let secure = protocol.scheme_of(protocol.usual_carrier(true)).port;
        let named = layer.port == Some(secure) && !layer.rest.websocket;
        let tls = layer.rest.tls.unwrap_or_else(|| tls.is_some() || named);
        return Ok(protocol.scheme_of(match (layer.rest.websocket, tls) {
            (false, encrypted) => protocol.usual_carrier(encrypted),
            (true, false) => Carrier::WebSocket,
            (true, true) => Carrier::SecureWebSocket,
        }));
    };
    if layer.rest.tls == Some(false) && scheme.carrier.is_encrypted() {
        return Err(Error::usage(format!(
            "the URL has {}://, which is encrypted, but --no-tls excludes it",
            scheme.name
        )));
    }
    let other = |carrier| protocol.scheme_of(carrier).name;
    if layer.rest.websocket && !scheme.carrier.is_websocket() {
        let carrier = if scheme.carrier.is_encrypted() {
            Carrier::SecureWebSocket
        } else {
            Carrier::WebSocket
        };
        return Err(Error::usage(format!(
            "the URL has {}://, but --ws requests WebSocket",
            scheme.name
        ))
        .hint(format!("use {}://", other(carrier))));
    }
    match tls.filter(|_| !scheme.carrier.is_encrypted()) {
        Some(flag) => {
            let datagrams = scheme.carrier == Carrier::Udp
                || flag.starts_with("--psk")
                || flag.starts_with("--rpk");
            let (carrier, what) = match (scheme.carrier.is_websocket(), datagrams) {
                (_, true) => (Carrier::Dtls, "DTLS"),
                (true, _) => (Carrier::SecureWebSocket, "TLS"),
                (false, _) => (Carrier::Tls, "TLS"),
            };
            Err(Error::usage(format!(
                "the URL has {}://, which is not encrypted, but {flag} requests {what}",
                scheme.name
            ))
            .hint(format!("use {}://", other(carrier))))
        }
        None => Ok(scheme),
    }
}

/// The flag that asks for TLS, if any.
fn tls_flag(words: &ConnectArgs) -> Option<&'static str> {
    let said = [
        (words.cafile.is_some(), "--cafile"),
        (words.capath.is_some(), "--capath"),
        (words.cert.is_some(), "--cert"),
        (words.key.is_some(), "--key"),
        (words.key_password_file.is_some(), "--key-password-file"),
        (!words.tls_pins.is_empty(), "--tls-pin"),
        (words.insecure == Some(true), "--insecure"),
        (words.insecure_name, "--insecure-name"),
        (words.tls_keylog.is_some(), "--tls-keylog"),
        (words.tls_server_name.is_some(), "--tls-server-name"),
        (!words.tls_alpn.is_empty(), "--tls-alpn"),
        (words.tls_version.is_some(), "--tls-version"),
        (words.psk_identity.is_some(), "--psk-identity"),
        (words.psk.is_some(), "--psk"),
        (words.psk_file.is_some(), "--psk-file"),
        (words.rpk_key.is_some(), "--rpk-key"),
        (words.rpk_peer.is_some(), "--rpk-peer"),
    ];
    said.into_iter()
        .find(|(said, _)| *said)
        .map(|(_, flag)| flag)
}

/// Headers that are different in each handshake, or whose values it understands (RFC 6455 §4.1).
const HANDSHAKE: [&str; 5] = [
    "Connection",
    "Upgrade",
    "Sec-WebSocket-Key",
    "Sec-WebSocket-Version",
    "Sec-WebSocket-Extensions",
];

/// They are written into the request as they are, so a line break would add a header or a request.
fn check_headers(headers: &[(String, String)], carrier: Carrier) -> Result<()> {
    if headers.is_empty() {
        return Ok(());
    }
    if !carrier.is_websocket() {
        return Err(Error::usage(
            "headers need WebSocket (ws://, wss:// or --ws)",
        ));
    }
    for (name, value) in headers {
        check_header(name, value)?;
        if HANDSHAKE.iter().any(|it| it.eq_ignore_ascii_case(name)) {
            return Err(Error::usage(format!(
                "the header {name:?} is set by the WebSocket handshake"
            )));
        }
    }
    Ok(())
}

/// Checks the name and the value of a header (RFC 9110 §5.1, §5.5).
///
/// # Errors
/// [`crate::error::Kind::Usage`]; the value, which may be a secret, is not shown.
pub(super) fn check_header(name: &str, value: &str) -> Result<()> {
    let token = |letter: u8| letter.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&letter);
    if name.is_empty() || !name.bytes().all(token) {
        return Err(Error::usage(format!(
            "{name:?} is not the name of an HTTP header"
        )));
    }
    let mut letters = value.chars();
    if letters.any(|letter| letter.is_control() && letter != '\t') {
        return Err(Error::usage(format!(
            "the value of the header {name:?} contains a control character"
        )));
    }
    Ok(())
}

fn client_tls(words: &ConnectArgs, environment: &Environment) -> Result<ClientTls> {
    // What is named is read and checked also with --insecure: a missing file is a mistake either way.
    let mut trusted = Vec::new();
    if let Some(file) = &words.cafile {
        trusted.extend(
            pem::certificates(file)?
                .into_iter()
                .map(|certificate| (file.clone(), certificate)),
        );
    }
    if let Some(folder) = &words.capath {
        trusted.extend(pem::certificates_in(folder)?);
    }
    let mut tls = ClientTls::new(match trusted {
        _ if words.insecure == Some(true) => Trust::Anyone,
        trusted if trusted.is_empty() => Trust::System,
        trusted => Trust::These(trusted),
    });
    if let Some(cert) = &words.cert {
        let unlock = match (&words.key_password, &words.key_password_file) {
            (Some(password), _) => Unlock::With(password.clone()),
            (None, Some(file)) => Unlock::With(Secret::read(file)?),
            (None, None) => Unlock::Asking(environment),
        };
        tls.identity = Some(identity::read(cert, words.key.as_deref(), &unlock)?);
    }
    if let Some(name) = words
        .tls_alpn
        .iter()
        .find(|name| name.is_empty() || name.len() > 255)
    {
        return Err(Error::usage(format!(
            "{name:?} is not an ALPN protocol, which has 1 to 255 bytes"
        )));
    }
    tls.server_name.clone_from(&words.tls_server_name);
    tls.alpn.clone_from(&words.tls_alpn);
    tls.version = words.tls_version;
    tls.pins.clone_from(&words.tls_pins);
    tls.any_name = words.insecure_name;
    tls.key_log = match &words.tls_keylog {
        Some(file) => Some(KeyLogFile::open(file)?),
        // Others set the variable for all programs, also those that may not write there.
        None => environment
            .key_log()
            .and_then(|file| KeyLogFile::open(&file).ok()),
    };
    Ok(tls)
}

fn read_password(
    password: Option<Password>,
    target: &Target,
    environment: &Environment,
) -> Result<Option<Secret>> {
    Ok(match password {
        // That of a command is read elsewhere.
        None | Some(Password::Command(_)) => None,
        Some(Password::Given(secret)) => Some(secret),
        Some(Password::File(file)) => Some(Secret::read(&file)?),
        Some(Password::Prompt) => {
            let who = target
                .username
                .as_ref()
                .map(|name| format!("{name} at "))
                .unwrap_or_default();
            Some(environment.ask(&format!("Password for {who}{target}: "))?)
        }
    })
}

/// An IPv6 address may be given to `--host` as a URL would have it.
fn without_brackets(host: String) -> String {
    let inner = host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    inner.map(String::from).unwrap_or(host)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn text(value: &str) -> Option<String> {
        Some(value.to_owned())
    }

    fn resolve(words: ConnectArgs) -> Result<Target> {
        words.resolve(Protocol::Mqtt, &Environment::of::<String, String>([]))
    }

    fn url(value: &str) -> ConnectArgs {
        ConnectArgs {
            url: text(value),
            ..ConnectArgs::default()
        }
    }

    #[test]
    fn places_have_defaults_by_scheme_and_flags() {
        let file = ConnectArgs::default;
        for (words, shown) in [
            (file(), "mqtt://localhost:1883"),
            (url("mqtt://h"), "mqtt://h:1883"),
            (url("ssl://h"), "mqtts://h:8883"),
            (url("mqtt://[::1]:1"), "mqtt://[::1]:1"),
            (url("ws://h"), "ws://h:80/mqtt"),
            (url("wss://h"), "wss://h:443/mqtt"),
            (url("wss://me:pw@h/x?token=1"), "wss://h:443/x"),
            (url("unix:/run/m"), "unix:/run/m"),
            (
                ConnectArgs {
                    unix: Some(PathBuf::from("/run/m")),
                    ..file()
                },
                "unix:/run/m",
            ),
            (
                ConnectArgs {
                    host: text("h"),
                    insecure: Some(true),
                    ..file()
                },
                "mqtts://h:8883",
            ),
            (
                ConnectArgs {
                    port: Some(1),
                    insecure: Some(true),
                    ..file()
                },
                "mqtts://localhost:1",
            ),
            (
                ConnectArgs {
                    port: Some(8883),
                    ..file()
                },
                "mqtts://localhost:8883",
            ),
            (
                ConnectArgs {
                    insecure: Some(false),
                    ..file()
                },
                "mqtt://localhost:1883",
            ),
            (
                ConnectArgs {
                    websocket: true,
                    ..file()
                },
                "ws://localhost:80/mqtt",
            ),
            (
                ConnectArgs {
                    websocket: true,
                    tls_alpn: vec![String::from("mqtt")],
                    ..file()
                },
                "wss://localhost:443/mqtt",
            ),
            (
                ConnectArgs {
                    host: text("[::1]"),
                    ..file()
                },
                "mqtt://[::1]:1883",
            ),
            (
                ConnectArgs {
                    host: text("[::1]:8883"),
                    ..file()
                },
                "mqtts://[::1]:8883",
            ),
        ] {
            assert_eq!(
                resolve(words.clone()).unwrap().to_string(),
                shown,
                "{words:?}"
            );
        }
    }

    #[test]
    fn contradictions_are_usage_errors() {
        let pem = || Some(PathBuf::from("/nonexistent.pem"));
        for (words, part) in [
            (
                ConnectArgs {
                    host: text("x"),
                    ..url("mqtt://h")
                },
                "a URL cannot be used with --host or --port",
            ),
            (
                ConnectArgs {
                    port: Some(1),
                    ..url("mqtt://h")
                },
                "a URL cannot be used with --host or --port",
            ),
            (
                ConnectArgs {
                    host: text("h:1"),
                    port: Some(1),
                    ..ConnectArgs::default()
                },
                "--port and the port of --host cannot be used together",
            ),
            (
                ConnectArgs {
                    unix: pem(),
                    ..url("mqtt://h")
                },
                "a URL cannot be used with --unix",
            ),
            (
                ConnectArgs {
                    unix: pem(),
                    host: text("x"),
                    ..ConnectArgs::default()
                },
                "--unix cannot be used with --host or --port",
            ),
            (
                ConnectArgs {
                    unix: pem(),
                    cafile: pem(),
                    ..ConnectArgs::default()
                },
                "a unix socket cannot be used with --cafile",
            ),
            (
                ConnectArgs {
                    unix: pem(),
                    websocket: true,
                    ..ConnectArgs::default()
                },
                "a unix socket cannot be used with --ws",
            ),
            (
                ConnectArgs {
                    cafile: pem(),
                    ..url("mqtt://h")
                },
                "the URL has mqtt://, which is not encrypted, but --cafile",
            ),
            (
                ConnectArgs {
                    insecure: Some(true),
                    ..url("ws://h")
                },
                "the URL has ws://, which is not encrypted, but --insecure",
            ),
            (
                ConnectArgs {
                    websocket: true,
                    ..url("mqtt://h")
                },
                "but --ws requests WebSocket",
            ),
            (
                ConnectArgs {
                    key_password: Some(Secret::from("x")),
                    key_password_file: pem(),
                    ..ConnectArgs::default()
                },
                "the password of the key is given more than once",
            ),
            (
                ConnectArgs {
                    key: pem(),
                    ..ConnectArgs::default()
                },
                "--cert and --key must be used together",
            ),
            (
                ConnectArgs {
                    password: Some(Secret::from("x")),
                    password_prompt: true,
                    ..ConnectArgs::default()
                },
                "given more than once",
            ),
            (
                ConnectArgs {
                    headers: vec![(String::from("A"), String::new())],
                    ..ConnectArgs::default()
                },
                "headers need WebSocket",
            ),
            (
                ConnectArgs {
                    headers: vec![(String::from("A b"), String::new())],
                    ..url("ws://h")
                },
                "\"A b\" is not the name",
            ),
            (
                ConnectArgs {
                    headers: vec![(String::from("A"), String::from("b\r\nC: d"))],
                    ..url("ws://h")
                },
                "control character",
            ),
            (
                ConnectArgs {
                    host: text("a b"),
                    insecure: Some(true),
                    ..ConnectArgs::default()
                },
                "\"a b\" cannot be the name of a certificate",
            ),
        ] {
            let refused = resolve(words).unwrap_err();
            assert!(refused.text().contains(part), "{refused}");
            assert_eq!(refused.exit_code(), 2, "{refused}");
        }
    }

    /// Flags over variables over the context, which is `mqtts://cu:cp@c:8000/t`.
    fn layered(flags: ConnectArgs, variables: &[(&str, &str)]) -> Target {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config.toml");
        fs::write(
            &file,
            "context = \"c\"\n[contexts.c]\nurl = \"mqtts://cu:cp@c:8000/t\"\nretry = \"5s\"\n",
        )
        .unwrap();
        let config = [("IOTCTL_CONFIG", file.to_str().unwrap())];
        let environment = Environment::of(variables.iter().copied().chain(config));
        flags.resolve(Protocol::Mqtt, &environment).unwrap()
    }

    #[test]
    fn flags_win_over_environment_over_context() {
        let file = ConnectArgs::default;
        type Row<'a> = (
            ConnectArgs,
            &'a [(&'a str, &'a str)],
            &'a str,
            Option<&'a str>,
            Option<&'a str>,
        );
        let table: [Row<'_>; 15] = [
            (file(), &[], "mqtts://c:8000", Some("cu"), Some("cp")),
            (
                ConnectArgs {
                    host: text("f"),
                    ..file()
                },
                &[],
                "mqtts://f:8000",
                None,
                None,
            ),
            (
                ConnectArgs {
                    host: text("C"),
                    ..file()
                },
                &[],
                "mqtts://C:8000",
                Some("cu"),
                Some("cp"),
            ),
            (
                ConnectArgs {
                    tls: Some(false),
                    ..file()
                },
                &[],
                "mqtt://c:8000",
                Some("cu"),
                Some("cp"),
            ),
            (
                ConnectArgs {
                    host: text("f"),
                    ..file()
                },
                &[("IOTCTL_URL", "mqtt://eu:ep@e/t")],
                "mqtt://f:1883",
                None,
                None,
            ),
            (
                ConnectArgs {
                    port: Some(1),
                    ..file()
                },
                &[],
                "mqtts://c:1",
                Some("cu"),
                Some("cp"),
            ),
            (
                ConnectArgs {
                    username: text("fu"),
                    ..file()
                },
                &[],
                "mqtts://c:8000",
                Some("fu"),
                Some("cp"),
            ),
            (url("mqtt://f"), &[], "mqtt://f:1883", None, None),
            (
                file(),
                &[("IOTCTL_URL", "mqtt://eu@e")],
                "mqtt://e:1883",
                Some("eu"),
                None,
            ),
            (
                file(),
                &[("IOTCTL_HOST", "e"), ("IOTCTL_PASSWORD", "ep")],
                "mqtts://e:8000",
                None,
                Some("ep"),
            ),
            (
                ConnectArgs {
                    port: Some(1),
                    ..file()
                },
                &[("IOTCTL_URL", "mqtt://eu@e")],
                "mqtt://e:1",
                Some("eu"),
                None,
            ),
            (
                url("mqtts://fu@f"),
                &[("IOTCTL_PASSWORD", "ep")],
                "mqtts://f:8883",
                Some("fu"),
                Some("ep"),
            ),
            (
                url("mqtts://fu@f"),
                &[("IOTCTL_PASSWORD", "ep"), ("IOTCTL_USERNAME", "eu")],
                "mqtts://f:8883",
                Some("fu"),
                None,
            ),
            (
                url("mqtts://fu:fp@f"),
                &[("IOTCTL_USERNAME", "eu")],
                "mqtts://f:8883",
                Some("fu"),
                Some("fp"),
            ),
            (
                ConnectArgs {
                    unix: Some(PathBuf::from("/s")),
                    ..file()
                },
                &[],
                "unix:/s",
                Some("cu"),
                Some("cp"),
            ),
        ];
        for (flags, variables, shown, username, password) in table {
            let target = layered(flags, variables);
            assert_eq!(target.to_string(), shown);
            assert_eq!(target.username.as_deref(), username, "{shown}");
            let secret = target
                .password
                .as_ref()
                .map(|secret| std::str::from_utf8(secret.reveal()).unwrap());
            assert_eq!(secret, password, "{shown}");
            assert_eq!(
                target.retry,
                Some("5s".parse().unwrap()),
                "what is not said above stays"
            );
        }
    }

    #[test]
    fn a_user_without_a_password_has_the_one_below_for_the_same_server() {
        let password = |url: &str, variables: &[(&str, &str)]| {
            let words = ConnectArgs {
                url: text(url),
                ..ConnectArgs::default()
            };
            let environment = Environment::of(variables.iter().copied());
            let target = words.resolve(Protocol::Amqp, &environment).unwrap();
            let password = target.password.as_ref().map(Secret::reveal);
            password.map(|it| String::from_utf8(it.to_vec()).unwrap())
        };
        let given = ("IOTCTL_PASSWORD", "ep");
        for (url, also, expected) in [
            ("amqp://me@h", None, Some("ep")),
            ("amqp://me@h", Some(("IOTCTL_HOST", "H")), Some("ep")),
            ("amqp://me@h", Some(("IOTCTL_USERNAME", "me")), Some("ep")),
            (
                "amqp://me@h",
                Some(("IOTCTL_URL", "amqp://me@h/v")),
                Some("ep"),
            ),
            (
                "amqp://me@[fe80::1%25eth0]",
                Some(("IOTCTL_HOST", "fe80::1%eth0")),
                Some("ep"),
            ),
            ("amqp://m%65@h", Some(("IOTCTL_USERNAME", "me")), Some("ep")),
            ("amqp://me:@h", None, Some("")),
            ("amqp://me:fp@h", None, Some("fp")),
            ("amqp://me@h", Some(("IOTCTL_HOST", "other")), None),
            ("amqp://me@h", Some(("IOTCTL_USERNAME", "you")), None),
            ("amqp://me@h", Some(("IOTCTL_URL", "amqp://me@other")), None),
            ("amqp://me@h", Some(("IOTCTL_UNIX", "/run/a")), None),
            ("amqp://h", None, None),
            ("amqp://@h", None, None),
        ] {
            let variables: Vec<_> = [given].into_iter().chain(also).collect();
            assert_eq!(
                password(url, &variables).as_deref(),
                expected,
                "{url} {also:?}"
            );
        }
    }

    #[test]
    fn a_server_of_another_protocol_is_not_asked() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("c.toml");
        let config = "[contexts.coap]\nurl = \"coap://c\"\n[contexts.mqtt]\nurl = \"mqtt://c\"\ncafile = \"none.pem\"\n\
            [contexts.port]\nhost = \"c\"\nport = 1883\n[contexts.host]\nhost = \"c\"\n";
        fs::write(&file, config).unwrap();
        let resolve = |flags: ConnectArgs, variables: &[(&str, &str)]| {
            let config = ("IOTCTL_CONFIG", file.to_str().unwrap());
            let variables = variables.iter().copied().chain([config]);
            let target = flags.resolve(Protocol::Coap, &Environment::of(variables));
            target.map(|target| target.to_string())
        };
        let none = ConnectArgs::default;
        let host = || ConnectArgs {
            host: text("f"),
            ..none()
        };
        for (variables, other) in [
            (
                &[("IOTCTL_URL", "mqtt://e")][..],
                "the IOTCTL_ variables is for MQTT",
            ),
            (
                &[("IOTCTL_URL", "AMQPS://me:hunter2@e")],
                "the IOTCTL_ variables is for AMQP",
            ),
            (&[("IOTCTL_URL", "ws://e")], "is for MQTT"),
            (
                &[("IOTCTL_HOST", "e"), ("IOTCTL_PORT", "1883")],
                "is for MQTT",
            ),
            (&[("IOTCTL_PORT", "5671")], "is for AMQP"),
            (&[("IOTCTL_UNIX", "/run/m")], "is a unix socket"),
            (&[("IOTCTL_CONTEXT", "mqtt")], "the context is for MQTT"),
            (&[("IOTCTL_CONTEXT", "port")], "the context is for MQTT"),
        ] {
            let refused = resolve(none(), variables).unwrap_err();
            let said = refused.text();
            assert!(
                said.starts_with("no server for CoAP") && said.contains(other),
                "{said}"
            );
            assert!(!said.contains("hunter2"), "{said}");
            assert_eq!(
                (refused.exit_code(), refused.hint_text()),
                (2, Some("use coap://HOST or -h HOST"))
            );
            // Who names the server needs no other.
            assert_eq!(
                resolve(host(), variables).unwrap(),
                "coap://f:5683",
                "{variables:?}"
            );
            assert_eq!(
                resolve(url("coap://u"), variables).unwrap(),
                "coap://u:5683"
            );
        }
        for (variables, place) in [
            (&[("IOTCTL_HOST", "e")][..], "coap://e:5683"),
            (
                &[("IOTCTL_HOST", "e"), ("IOTCTL_PORT", "9999")],
                "coap://e:9999",
            ),
            (&[("IOTCTL_CONTEXT", "coap")], "coap://c:5683"),
            (
                &[("IOTCTL_CONTEXT", "host"), ("IOTCTL_PORT", "1883")],
                "coap://c:5683",
            ),
            (
                &[("IOTCTL_CONTEXT", "mqtt"), ("IOTCTL_HOST", "e")],
                "coap://e:5683",
            ),
        ] {
            assert_eq!(resolve(none(), variables).unwrap(), place, "{variables:?}");
        }
        let asked = ConnectArgs {
            context: text("mqtt"),
            ..host()
        };
        let refused = resolve(asked, &[]).unwrap_err();
        assert_eq!(
            refused.text(),
            "no server for CoAP: the one in context \"mqtt\" is for MQTT"
        );
    }

    #[test]
    fn a_plain_url_above_leaves_tls_words_below_aside() {
        let target = layered(url("mqtt://f"), &[("IOTCTL_CAFILE", "/nonexistent")]);
        assert_eq!(target.to_string(), "mqtt://f:1883");
        assert!(target.tls.is_none());
    }

    #[test]
    fn the_context_is_chosen_by_flag_before_variable_before_default() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("c.toml");
        fs::write(&file, "context = \"a\"\n[contexts.a]\nhost = \"a\"\n[contexts.b]\nhost = \"b\"\n[contexts.c]\nhost = \"c\"\n").unwrap();
        let config = ("IOTCTL_CONFIG", file.to_str().unwrap());
        let host = |flag: Option<&str>, variables: &[(&str, &str)]| {
            let words = ConnectArgs {
                context: flag.map(str::to_owned),
                ..ConnectArgs::default()
            };
            words
                .resolve(Protocol::Mqtt, &Environment::of(variables.iter().copied()))
                .unwrap()
                .host
        };
        assert_eq!(host(None, &[config]), "a");
        assert_eq!(host(None, &[config, ("IOTCTL_CONTEXT", "b")]), "b");
        assert_eq!(host(Some("c"), &[config, ("IOTCTL_CONTEXT", "b")]), "c");
    }

    #[test]
    fn passwords_come_from_files_and_prompts() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("pw");
        for (content, password) in [
            ("pw\n", "pw"),
            ("pw", "pw"),
            ("pw\r\n", "pw"),
            ("p w\n\n", "p w\n"),
            ("", ""),
        ] {
            fs::write(&file, content).unwrap();
            let words = ConnectArgs {
                password_file: Some(file.clone()),
                ..ConnectArgs::default()
            };
            assert_eq!(
                resolve(words).unwrap().password.unwrap().reveal(),
                password.as_bytes(),
                "{content:?}"
            );
        }
        let missing = ConnectArgs {
            password_file: Some(folder.path().join("none")),
            ..ConnectArgs::default()
        };
        assert_eq!(resolve(missing).unwrap_err().exit_code(), 8);

        let asking = ConnectArgs {
            password_prompt: true,
            username: text("me"),
            ..ConnectArgs::default()
        };
        assert_eq!(
            resolve(asking.clone()).unwrap_err().text(),
            "cannot ask for the password: no terminal"
        );
        let terminal = Environment::of::<String, String>([]).with_prompt(|question| {
            assert_eq!(question, "Password for me at mqtt://localhost:1883: ");
            Ok(String::from("typed"))
        });
        let target = asking.resolve(Protocol::Mqtt, &terminal).unwrap();
        assert_eq!(target.password.unwrap().reveal(), b"typed");
    }

    #[test]
    fn secrets_are_in_no_display_or_debug() {
        let target = resolve(ConnectArgs {
            headers: vec![(String::from("Authorization"), String::from("hunter2"))],
            ..url("ws://me:hunter2@h/x?token=hunter2")
        });
        let shown = format!("{target:?} {}", target.as_ref().unwrap());
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}
