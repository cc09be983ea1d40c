//! URLs of connections: `scheme://user:password@host:port/path` (RFC 3986 §3).

use std::borrow::Cow;
use std::net::Ipv6Addr;
use std::path::PathBuf;

use crate::error::{Error, Result};

use super::scheme::{Carrier, Protocol, Scheme};
use super::secret::Secret;
use super::servers::Place;

/// A URL taken apart; what it does not name is `None`.
#[derive(Debug)]
pub(super) struct Url {
    pub(super) scheme: &'static Scheme,
    /// Without brackets, decoded; none for a unix socket. Of several each has its own port.
    pub(super) hosts: Vec<Place>,
    /// That of the only host.
    pub(super) port: Option<u16>,
    pub(super) username: Option<String>,
    pub(super) password: Option<Secret>,
    /// See [`super::Target::path`].
    pub(super) path: Option<String>,
    pub(super) unix: Option<PathBuf>,
}

/// Takes `text` apart.
///
/// # Errors
/// [`crate::error::Kind::Usage`]; the message shows the URL without its credentials.
pub(super) fn parse(text: &str, protocol: Protocol) -> Result<Url> {
    let wrong =
        |why: String| Error::usage(format!("invalid URL {}: {why}", without_credentials(text)));
    let (name, rest) = split_scheme(text).ok_or_else(|| {
        let known = text.split_once(':');
        let known = known.filter(|(name, _)| protocol.scheme(name).is_some());
        wrong(String::from("no scheme")).hint(match known {
            Some((name, rest)) => {
                let url = format!("{name}://{}", rest.trim_start_matches('/'));
                format!("write {}", without_credentials(&url))
            }
            None => format!("use {}://HOST, or -h HOST", protocol.schemes()[0].name),
        })
    })?;
    let scheme = protocol.scheme(name).ok_or_else(|| {
        wrong(format!(
            "unknown scheme {name:?}; expected {}",
            protocol.scheme_names()
        ))
    })?;
    if text
        .chars()
        .any(|letter| letter.is_control() || letter == ' ')
    {
        return Err(wrong(String::from(
            "a space or control character must be percent-encoded, such as %20",
        )));
    }
    let (userinfo, place, path) = take_apart(rest, scheme.carrier)
        .map_err(|why| wrong(why).hint("use --password-file FILE, which needs no encoding"))?;
    let mut url = Url {
        scheme,
        hosts: Vec::new(),
        port: None,
        username: None,
        password: None,
        path: None,
        unix: None,
    };
    url.credentials(userinfo).map_err(&wrong)?;
    if scheme.carrier == Carrier::Unix {
        let path = decode(path, "path").map_err(&wrong)?;
        if path.is_empty() {
            return Err(wrong(String::from("the socket path is missing")));
        }
        url.unix = Some(PathBuf::from(path.into_owned()));
        return Ok(url);
    }
    url.place(place).map_err(&wrong)?;
    match path.split_once('?') {
        Some((_, query)) if protocol == Protocol::Amqp => {
            let error = wrong(String::from("a query (?…) is not supported"));
            return Err(error.hint(amqp_flags(query)));
        }
        _ => {}
    }
    url.path = read_path(protocol, scheme.carrier, path).map_err(&wrong)?;
    Ok(url)
}

/// Takes the URL of a proxy apart, which has no path, and no scheme of ours.
///
/// # Errors
/// What is wrong, without a part of the URL that may be a secret.
pub(super) fn proxy(text: &str) -> Result<(&str, Url), String> {
    let expected = "expected socks5h://HOST:PORT or http://HOST:PORT";
    let (name, rest) = split_scheme(text).ok_or(expected)?;
    let (userinfo, place, path) = take_apart(rest, Carrier::Tcp)?;
    if !matches!(path, "" | "/") {
        return Err(String::from("a proxy has no path"));
    }
    let mut url = Url {
        // No part of the answer: the scheme is told beside it.
        scheme: Protocol::Mqtt.scheme_of(Carrier::Tcp),
        hosts: Vec::new(),
        port: None,
        username: None,
        password: None,
        path: None,
        unix: None,
    };
    url.credentials(userinfo)?;
    url.place(place)?;
    Ok((name, url))
}

/// The scheme and what follows its `://`; of a unix socket's URL, also what follows a mere `:`.
pub(super) fn split_scheme(text: &str) -> Option<(&str, &str)> {
    let (name, rest) = text.split_once(':')?;
    // RFC 3986 §3.1. What stands there otherwise may be a user name and password.
    let is_scheme = name.starts_with(|letter: char| letter.is_ascii_alphabetic())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    let bare = || Some(rest).filter(|_| name.eq_ignore_ascii_case("unix"));
    let rest = rest.strip_prefix("//").or_else(bare)?;
    is_scheme.then_some((name, rest))
}

/// Userinfo, host with port, and the path with all that follows it.
///
/// A password with a raw `/`, `?` or `#` in it ends the authority too early (RFC 3986 §3.2), and its rest would be taken
/// for a path, shown and sent: what can only be that is refused.
fn take_apart(rest: &str, carrier: Carrier) -> Result<(Option<&str>, &str, &str), String> {
    let ends: &[char] = match carrier {
        Carrier::Unix => &['/'],
        _ => &['/', '?', '#'],
    };
    let (authority, tail) = rest.split_at(rest.find(ends).unwrap_or(rest.len()));
    let (userinfo, place) = match authority.rsplit_once('@') {
        Some((userinfo, place)) => (Some(userinfo), place),
        None => (None, authority),
    };
    let raw = match tail.as_bytes().first() {
        Some(b'?') => "a ? in the password must be written as %3F",
        Some(b'#') => "a # in the password must be written as %23",
        _ => "a / in the password must be written as %2F",
    };
    let is_unix = carrier == Carrier::Unix;
    match userinfo {
        _ if !tail.contains('@') => {}
        Some(userinfo) if userinfo.contains(':') => {
            return Err(format!("{raw}, and an @ in the path as %40"));
        }
        None if place.contains(':') && (is_unix || !is_place(place)) => {
            return Err(String::from(raw));
        }
        _ => {}
    }
    if is_unix {
        let path = userinfo.map_or(0, |userinfo| userinfo.len() + 1);
        return Ok((userinfo, "", &rest[path..]));
    }
    Ok((userinfo, place, tail))
}

/// Whether this can be `host:port`, and not a user name and the beginning of a password.
fn is_place(text: &str) -> bool {
    text.split(',').all(|one| {
        one.starts_with('[') || one.split_once(':').is_none_or(|(_, port)| is_port(port))
    })
}

/// The flags that stand for the keys of RabbitMQ's URLs (<https://www.rabbitmq.com/docs/uri-query-parameters>) and of pika's.
fn amqp_flags(query: &str) -> String {
    const FLAGS: [(&str, &str); 11] = [
        ("heartbeat", "--heartbeat SECONDS"),
        ("frame_max", "--frame-max SIZE"),
        ("frameMax", "--frame-max SIZE"),
        ("connection_timeout", "--connect-timeout TIME"),
        ("socket_timeout", "--connect-timeout TIME"),
        ("auth_mechanism", "--auth MECHANISM"),
        ("cacertfile", "--cafile FILE"),
        ("certfile", "--cert FILE"),
        ("keyfile", "--key FILE"),
        ("server_name_indication", "--tls-server-name NAME"),
        ("verify", "--insecure, in place of verify_none"),
    ];
    let keys = query.split('&').map(|pair| pair.split('=').next());
    let flag = |key| FLAGS.iter().find(|(known, _)| Some(*known) == key);
    let said: Vec<&str> = keys.filter_map(flag).map(|(_, flag)| *flag).collect();
    if said.is_empty() {
        return String::from("remove it; a question mark in the virtual host is written as %3F");
    }
    format!("use {} instead", said.join(" "))
}

/// The URL as it may be shown: without user name, password, query and fragment.
pub fn without_credentials(text: &str) -> String {
    let start = split_scheme(text).map_or(0, |(_, rest)| text.len() - rest.len());
    let (scheme, rest) = text.split_at(start);
    // A password with a raw slash or an encoded @ after it is a mistake, but no reason to show it: the last @ counts.
    let ends = ["@", "%40"].into_iter();
    let end = ends.filter_map(|it| rest.rfind(it).map(|at| at + it.len()));
    let shown = &rest[end.max().unwrap_or(0)..];
    let shown = shown.split(['?', '#']).next().unwrap_or(shown);
    let (place, path) = shown.split_at(shown.find('/').unwrap_or(shown.len()));
    // What is no port may be a password whose host was left out, unless it is a number that is a little too large.
    let place = match place.split_once(':') {
        Some((_, port)) if is_meant_as_port(port) => place,
        Some((host, _)) if !is_place(place) && place.parse::<Ipv6Addr>().is_err() => host,
        _ => place,
    };
    let clean: String = [place, path]
        .concat()
        .chars()
        .filter(|letter| !letter.is_control())
        .collect();
    format!("{scheme}{clean}")
}

/// The same with the user name: what somebody goes on with, and adds the password to.
pub(crate) fn without_password(text: &str) -> String {
    let shown = without_credentials(text);
    let Some((name, rest)) = split_scheme(text) else {
        return shown;
    };
    let carrier = Protocol::of_scheme(name).and_then(|it| it.scheme(name));
    let carrier = carrier.map_or(Carrier::Tcp, |it| it.carrier);
    // Of what cannot be read anything may be the password.
    let Ok((Some(userinfo), ..)) = take_apart(rest, carrier) else {
        return shown;
    };
    let user = userinfo.split(':').next().unwrap_or_default();
    let start = text.len() - rest.len();
    match (user, shown.split_at_checked(start)) {
        (user, Some((scheme, place))) if !user.is_empty() => format!("{scheme}{user}@{place}"),
        _ => shown,
    }
}

/// Whether a URL says who we are.
pub(crate) fn has_user(text: &str) -> bool {
    without_password(text) != without_credentials(text)
}

/// The hosts of `--host`: one, or several with a comma between them, each of which may have a port. The text after a colon that
/// is no port may be a password, and is not shown where there is one host.
///
/// # Errors
/// As [`check_host`].
pub(super) fn hosts(text: &str) -> Result<Vec<Place>> {
    let several = text.contains(',');
    let wrong = |why| Error::usage(format!("--host {text:?}: {why}"));
    let read = |one: &str| {
        let bare = one.parse::<Ipv6Addr>().is_ok() || !one.contains(':');
        let has_port = one.rsplit_once(':').is_some_and(|(host, port)| {
            is_port(port) && (!host.contains(':') || host.ends_with(']'))
        });
        let splits = !bare && !one.contains(['/', '@']) && (several || has_port);
        let (host, port) = match splits {
            true => split_port(one).map_err(wrong)?,
            false => (one, None),
        };
        check_host(host)?;
        if host.is_empty() {
            return Err(Error::usage(format!("a host of {text:?} is empty")));
        }
        Ok(Place {
            host: host.to_owned(),
            port: port.map(read_port).transpose().map_err(wrong)?,
        })
    };
    match several {
        true => text.split(',').map(str::trim).map(read).collect(),
        false => Ok(vec![read(text)?]),
    }
}

/// Checks a host that stands alone, as in `--host`.
///
/// # Errors
/// [`crate::error::Kind::Usage`], when it is more than a host; what may be a password is not shown.
pub(super) fn check_host(host: &str) -> Result<()> {
    let wrong =
        |what: &str| Error::usage(format!("--host takes a name or an IP address, not {what}"));
    if host.contains("://") {
        return Err(wrong("a URL").hint("use the URL alone, without --host and --port"));
    }
    if host.contains('@') {
        return Err(wrong("a user name").hint("use -u NAME and --password-file FILE"));
    }
    if host.contains('/') {
        return Err(wrong("a path").hint("use a URL alone, without --host and --port"));
    }
    let address = host.trim_matches(['[', ']']).split('%').next();
    if address.is_some_and(|it| it.parse::<Ipv6Addr>().is_ok()) || !host.contains(':') {
        return Ok(());
    }
    Err(wrong("a text with a colon").hint("a port is a number from 1 to 65535"))
}

impl Url {
    fn credentials(&mut self, userinfo: Option<&str>) -> Result<(), String> {
        let Some(userinfo) = userinfo else {
            return Ok(());
        };
        let (username, password) = match userinfo.split_once(':') {
            Some((username, password)) => (username, Some(password)),
            None => (userinfo, None),
        };
        if !username.is_empty() {
            self.username = Some(decode(username, "user name")?.into_owned());
        }
        if let Some(password) = password {
            self.password = Some(Secret::new(
                decode_bytes(password, "password")?.into_owned(),
            ));
        }
        Ok(())
    }

    fn place(&mut self, place: &str) -> Result<(), String> {
        let several = place.contains(',');
        for one in place.split(',') {
            let mut found = Self::one_place(one)?;
            if !several {
                self.port = found.port.take();
            }
            self.hosts.push(found);
        }
        Ok(())
    }

    fn one_place(place: &str) -> Result<Place, String> {
        let (host, port) = split_port(place)?;
        let host = decode(host, "host")?;
        if host.is_empty() {
            return Err(String::from("no host"));
        }
        if host.contains(['@', '/', '?', '#']) {
            // Somebody has encoded more than the user name and the password.
            return Err(String::from(
                "the host contains %40, %2F, %3F or %23: write the @ before the host unencoded",
            ));
        }
        Ok(Place {
            host: host.into_owned(),
            port: port.map(read_port).transpose()?,
        })
    }
}

/// Splits `host:port`, `[::1]:port`, or either without a port; an empty port is none (RFC 3986 §3.2.3).
fn split_port(place: &str) -> Result<(&str, Option<&str>), String> {
    let (host, rest) = match place.strip_prefix('[') {
        Some(inside) => {
            let (host, rest) = inside.split_once(']').ok_or("a [ without a closing ]")?;
            // A zone follows the address of a link-local one (RFC 6874): [fe80::1%25eth0].
            let address = host.split('%').next().unwrap_or(host);
            if address.parse::<Ipv6Addr>().is_err() {
                return Err(format!("{host:?} is not an IPv6 address"));
            }
            (host, rest)
        }
        None => place.split_at(place.find(':').unwrap_or(place.len())),
    };
    match rest.strip_prefix(':') {
        Some("") => Ok((host, None)),
        Some(port) if port.contains(':') => {
            Err(String::from("an IPv6 address needs brackets: [::1]"))
        }
        Some(port) => Ok((host, Some(port))),
        None if rest.is_empty() => Ok((host, None)),
        None => Err(format!("unexpected {rest:?} after the address")),
    }
}

/// Reads 1–65535.
pub(super) fn read_port(text: &str) -> Result<u16, String> {
    match text.parse::<u16>() {
        Ok(port) if is_port(text) => Ok(port),
        // Anything longer may be a password with the host left out.
        _ if text.len() > 5 && !is_number(text) => Err(String::from(
            "the text after the host's colon is not a port; ports are 1 to 65535",
        )),
        _ => Err(format!("{text:?} is not a port; ports are 1 to 65535")),
    }
}

fn is_port(text: &str) -> bool {
    is_number(text) && text.parse::<u16>().is_ok_and(|port| port > 0)
}

/// A number of at most as many digits as a port has, whether it is one or not: 65536, 0.
fn is_meant_as_port(text: &str) -> bool {
    (1..=5).contains(&text.len()) && is_number(text)
}

fn is_number(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

fn read_path(protocol: Protocol, carrier: Carrier, path: &str) -> Result<Option<String>, String> {
    if protocol == Protocol::Coap {
        // Segments and arguments are options of a message; CoAP takes them apart itself.
        return Ok(Some(path).filter(|path| !path.is_empty()).map(String::from));
    }
    // The path of a request, with its query.
    let is_request = carrier.is_websocket() || protocol == Protocol::Http;
    if !is_request && path.contains('?') {
        return Err(String::from(
            "a query (?…) needs ws or wss; write %3F for a question mark",
        ));
    }
    // Of a topic it is a wildcard; elsewhere it would begin a fragment, which is never sent.
    let is_topic = protocol == Protocol::Mqtt && !is_request;
    if path.contains('#') && !(is_topic && path.starts_with('/')) {
        return Err(String::from("a # in the path must be written as %23"));
    }
    if !is_request {
        let topic = decode(path.strip_prefix('/').unwrap_or(path), "path")?;
        return Ok((!topic.is_empty()).then(|| topic.into_owned()));
    }
    // Sent as it stands, so it is checked but not decoded.
    decode_bytes(path, "path")?;
    Ok(match path {
        "" | "/" => None,
        _ if path.starts_with('/') => Some(path.to_owned()),
        _ => Some(format!("/{path}")),
    })
}

fn decode<'a>(text: &'a str, part: &str) -> Result<Cow<'a, str>, String> {
    let bytes = decode_bytes(text, part)?;
    match bytes {
        Cow::Borrowed(_) => Ok(Cow::Borrowed(text)),
        Cow::Owned(bytes) => String::from_utf8(bytes)
            .map(Cow::Owned)
            .map_err(|_| format!("the {part} is not UTF-8")),
    }
}

/// Replaces `%41` by its byte; a password need not be text. The errors never quote, for the same reason.
fn decode_bytes<'a>(text: &'a str, part: &str) -> Result<Cow<'a, [u8]>, String> {
    if !text.contains('%') {
        return Ok(Cow::Borrowed(text.as_bytes()));
    }
    let mut pieces = text.split('%');
    let mut bytes = pieces.next().unwrap_or_default().as_bytes().to_vec();
    for piece in pieces {
        let byte = piece
            .get(..2)
            .filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
            .and_then(|digits| u8::from_str_radix(digits, 16).ok())
            .ok_or_else(|| {
                format!("a % in the {part} is not followed by two hexadecimal digits; write %25 for a literal %")
            })?;
        bytes.push(byte);
        bytes.extend_from_slice(&piece.as_bytes()[2..]);
    }
    Ok(Cow::Owned(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Url {
        parse(text, Protocol::Mqtt).unwrap()
    }

    fn refused(text: &str) -> String {
        parse(text, Protocol::Mqtt).unwrap_err().text().to_owned()
    }

    #[test]
    fn what_may_be_a_password_is_not_shown() {
        for (text, shown) in [
            ("coap://h:65536/x", "coap://h:65536/x"),
            ("coap://h:0", "coap://h:0"),
            ("mqtt://u:secret", "mqtt://u"),
            ("mqtt://u:123456", "mqtt://u"),
            ("mqtt://u:65536@h", "mqtt://h"),
        ] {
            assert_eq!(without_credentials(text), shown);
        }
    }

    #[test]
    fn the_place_is_read() {
        for (text, carrier, host, port, path) in [
            ("mqtt://h", Carrier::Tcp, "h", None, None),
            ("MQTT://h:1", Carrier::Tcp, "h", Some(1), None),
            ("mqtt://h:", Carrier::Tcp, "h", None, None),
            ("mqtts://[::1]:8884", Carrier::Tls, "::1", Some(8884), None),
            ("mqtt://[fe80::1]", Carrier::Tcp, "fe80::1", None, None),
            ("tcp://10.0.0.1/", Carrier::Tcp, "10.0.0.1", None, None),
            (
                "mqtt://h/a/b%2Bc%20d",
                Carrier::Tcp,
                "h",
                None,
                Some("a/b+c d"),
            ),
            ("mqtt://h//a", Carrier::Tcp, "h", None, Some("/a")),
            ("mqtt://h/u/#", Carrier::Tcp, "h", None, Some("u/#")),
            ("mqtts://h/#", Carrier::Tls, "h", None, Some("#")),
            ("mqtt://h:1/a@b", Carrier::Tcp, "h", Some(1), Some("a@b")),
            ("mqtt://h/a@b:c", Carrier::Tcp, "h", None, Some("a@b:c")),
            ("ws://h", Carrier::WebSocket, "h", None, None),
            ("ws://h/", Carrier::WebSocket, "h", None, None),
            (
                "wss://h:444/a%20b?token=x",
                Carrier::SecureWebSocket,
                "h",
                Some(444),
                Some("/a%20b?token=x"),
            ),
            ("ws://h?x=1", Carrier::WebSocket, "h", None, Some("/?x=1")),
        ] {
            let url = parsed(text);
            assert_eq!(
                (
                    url.scheme.carrier,
                    url.hosts.first().map_or("", |it| &it.host),
                    url.port,
                    url.path.as_deref()
                ),
                (carrier, host, port, path),
                "{text}"
            );
        }
    }

    #[test]
    fn credentials_are_decoded_and_may_hold_anything() {
        for (text, username, password) in [
            ("mqtt://h", None, None),
            ("mqtt://me@h", Some("me"), None),
            ("mqtt://me:@h", Some("me"), Some(&b""[..])),
            ("mqtt://:pw@h", None, Some(b"pw")),
            ("mqtt://m%40e:p%3A%2F%40%25@h", Some("m@e"), Some(b"p:/@%")),
            ("mqtt://me:a:b@h", Some("me"), Some(b"a:b")),
            ("mqtt://me@home:p@w@h", Some("me@home"), Some(b"p@w")),
            ("mqtt://me:%ff%00@h", Some("me"), Some(b"\xff\0")),
        ] {
            let url = parsed(text);
            assert_eq!(url.hosts[0].host, "h", "{text}");
            assert_eq!(url.username.as_deref(), username, "{text}");
            assert_eq!(
                url.password.as_ref().map(Secret::reveal),
                password,
                "{text}"
            );
        }
    }

    #[test]
    fn unix_sockets_have_a_path() {
        for text in ["unix:///run/m%20q", "unix:/run/m%20q", "UNIX:/run/m%20q"] {
            assert_eq!(parsed(text).unix, Some(PathBuf::from("/run/m q")), "{text}");
        }
        let named = parsed("unix:///run/user@1000/m");
        assert_eq!(named.unix, Some(PathBuf::from("/run/user@1000/m")));
        let login = parsed("unix://me:p%2Fw@/run/m");
        assert_eq!(login.unix, Some(PathBuf::from("/run/m")));
        assert_eq!(login.username.as_deref(), Some("me"));
        assert_eq!(login.password, Some(Secret::from("p/w")));
    }

    #[test]
    fn mistakes_are_named() {
        for (text, words) in [
            ("h", "no scheme"),
            ("h:1883", "no scheme"),
            (
                "http://h",
                "unknown scheme \"http\"; expected mqtt, mqtts, ws, wss, unix, tcp, ssl, tls",
            ),
            ("mqtt://", "no host"),
            ("mqtt://:1883", "no host"),
            ("mqtt:///a", "no host"),
            ("mqtt://h:0", "\"0\" is not a port; ports are 1 to 65535"),
            ("mqtt://h:65536", "\"65536\" is not a port"),
            ("mqtt://h:+1", "\"+1\" is not a port"),
            ("mqtt://h:x", "\"x\" is not a port"),
            ("mqtt://::1", "needs brackets"),
            ("mqtt://[::1", "without a closing ]"),
            ("mqtt://[h]", "\"h\" is not an IPv6 address"),
            ("mqtt://[::1]x", "unexpected \"x\" after the address"),
            ("mqtt://h/%2", "a % in the path"),
            ("mqtt://u:%zz@h", "a % in the password"),
            ("mqtt://%+1:x@h", "a % in the user name"),
            ("mqtt://%ff@h", "the user name is not UTF-8"),
            ("mqtt://h/a?b", "needs ws or wss"),
            ("mqtt://h/a b", "must be percent-encoded, such as %20"),
            ("unix:", "the socket path is missing"),
            (
                "mqtt://me:p/w@h",
                "a / in the password must be written as %2F",
            ),
            (
                "mqtt://me:p?w@h",
                "a ? in the password must be written as %3F",
            ),
            (
                "mqtt://me:p#w@h",
                "a # in the password must be written as %23",
            ),
            (
                "mqtt://me:/w@h",
                "a / in the password must be written as %2F",
            ),
            (
                "mqtt://me:p@s/w@h",
                "a / in the password must be written as %2F",
            ),
            (
                "unix://me:p/w@/run/m",
                "a / in the password must be written as %2F",
            ),
            (
                "mqtt://me%3Apw%40h",
                "write the @ before the host unencoded",
            ),
            ("mqtt://h#", "a # in the path must be written as %23"),
            ("ws://h/mqtt#x", "a # in the path must be written as %23"),
            (
                "mqtt://me:hunter2",
                "the text after the host's colon is not a port",
            ),
        ] {
            let message = refused(text);
            assert!(message.contains(words), "{text}: {message}");
        }
    }

    #[test]
    fn messages_never_show_credentials() {
        for text in [
            "mqtt://me:hunter2@h:x",
            "http://me:hunter2@h",
            "me:hunter2@h",
            "me:hun://ter2@h",
            "mqtt:me:hunter2@h",
            "mqtt://me:hunter2%@h",
            "mqtt://me:hunter2",
            "mqtt://me%3Ahunter2%40h",
            "ws://h:x/?token=hunter2",
            "ws://h:x/#hunter2",
            "unix://me:hun/ter2@/run/m",
            "unix:me:hun/ter2@/run/%zz",
        ] {
            let message = refused(text);
            assert!(!message.contains("ter2"), "{message}");
        }
        for scheme in ["mqtt", "wss", "unix"] {
            for raw in [
                "hun/ter2", "/ter2", "hun?ter2", "hun#ter2", "h@n/ter2", "hunter2/",
            ] {
                let text = format!("{scheme}://me:{raw}@h:99999/%");
                let error = parse(&text, Protocol::Mqtt).unwrap_err();
                let shown = format!("{error} {:?}", error.hint_text());
                assert!(!shown.contains("ter2") && !shown.contains("me:"), "{shown}");
            }
        }
    }

    #[test]
    fn rabbitmq_s_query_is_answered_with_our_flags() {
        let told = |query: &str| {
            let text = format!("amqp://h/v?{query}");
            let error = parse(&text, Protocol::Amqp).unwrap_err();
            assert_eq!(
                error.text(),
                "invalid URL amqp://h/v: a query (?…) is not supported"
            );
            error.hint_text().unwrap().to_owned()
        };
        assert_eq!(told("heartbeat=5"), "use --heartbeat SECONDS instead");
        assert_eq!(
            told("cacertfile=/a.pem&connection_timeout=1000"),
            "use --cafile FILE --connect-timeout TIME instead"
        );
        assert!(told("x=secret").contains("%3F"));
        assert!(!told("x=secret").contains("secret"));
    }

    #[test]
    fn a_host_alone_is_no_more_than_a_host() {
        for host in ["h", "127.0.0.1", "::1", "[::1]", "fe80::1%eth0", "a b"] {
            assert!(check_host(host).is_ok(), "{host}");
        }
        for (host, what, hint) in [
            ("mqtt://me:hunter2@h", "a URL", "alone, without"),
            ("me:hunter2@h", "a user name", "-u NAME"),
            ("h/a", "a path", "alone, without"),
            ("me:hunter2", "a text with a colon", "1 to 65535"),
        ] {
            let refused = check_host(host).unwrap_err();
            assert_eq!(
                refused.text(),
                format!("--host takes a name or an IP address, not {what}")
            );
            assert!(refused.hint_text().unwrap_or_default().contains(hint));
            assert_eq!(refused.exit_code(), 2);
        }
    }

    #[test]
    fn several_hosts_have_their_own_ports() {
        let shown = |places: &[Place]| {
            let shown = places.iter().map(|it| format!("{}/{:?}", it.host, it.port));
            shown.collect::<Vec<_>>().join(" ")
        };
        let url = parsed("mqtt://me:p,w@a,b:1884,[::1]:5/topic");
        assert_eq!(shown(&url.hosts), "a/None b/Some(1884) ::1/Some(5)");
        assert_eq!((url.port, url.path.as_deref()), (None, Some("topic")));
        assert_eq!(parsed("mqtt://a:5").port, Some(5));
        for (text, place) in [
            ("a:1884", "a/Some(1884)"),
            ("[::2]:7", "::2/Some(7)"),
            ("[::2]", "[::2]/None"),
            ("::2:7", "::2:7/None"),
        ] {
            assert_eq!(shown(&hosts(text).unwrap()), place);
        }
        let listed = hosts("a, b:1884,::1,[::2]:7").unwrap();
        assert_eq!(shown(&listed), "a/None b/Some(1884) ::1/None ::2/Some(7)");
        for text in [
            "a,",
            ",b",
            "a,b:0",
            "a,b:x",
            "a,mqtt://b",
            "a,u@b",
            "a,[::1",
            "a:0",
            "a:x",
            "::1:x",
            "a:1:2",
        ] {
            let refused = hosts(text).unwrap_err();
            assert_eq!(refused.exit_code(), 2, "{text}");
        }
        assert!(refused("mqtt://a,,b").contains("no host"));
    }
}
