//! URLs of connections: `scheme://user:password@host:port/path` (RFC 3986 §3).

use std::borrow::Cow;
use std::path::PathBuf;

use crate::error::{Error, Result};

use super::scheme::{Carrier, Protocol, Scheme};
use super::secret::Secret;

/// A URL taken apart; what it does not name is `None`.
#[derive(Debug)]
pub(super) struct Url {
    pub(super) scheme: &'static Scheme,
    /// Without brackets, decoded; empty for a unix socket.
    pub(super) host: String,
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
    let wrong = |why: String| Error::usage(format!("bad URL {}: {why}", without_credentials(text)));
    let (name, rest) = text
        .split_once("://")
        .or_else(|| {
            text.split_once(':')
                .filter(|(name, _)| name.eq_ignore_ascii_case("unix"))
        })
        .ok_or_else(|| {
            wrong(String::from("no scheme")).hint(format!(
                "write {}://HOST, or -h HOST",
                protocol.schemes()[0].name
            ))
        })?;
    let scheme = protocol.scheme(name).ok_or_else(|| {
        wrong(format!(
            "unknown scheme {name:?}; known are {}",
            protocol.scheme_names()
        ))
    })?;
    if text
        .chars()
        .any(|letter| letter.is_control() || letter == ' ')
    {
        return Err(wrong(String::from(
            "a space or control character, which must be written as %20 and the like",
        )));
    }
    let (authority, path) = match scheme.carrier {
        Carrier::Unix => ("", rest),
        _ => rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len())),
    };
    let (userinfo, place) = match authority.rsplit_once('@') {
        Some((userinfo, place)) => (Some(userinfo), place),
        None => (None, authority),
    };
    let mut url = Url {
        scheme,
        host: String::new(),
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
            return Err(wrong(String::from("no path of a socket")));
        }
        url.unix = Some(PathBuf::from(path.into_owned()));
    } else {
        url.place(place).map_err(&wrong)?;
        url.path = read_path(protocol, scheme.carrier, path).map_err(&wrong)?;
    }
    Ok(url)
}

/// The URL as it may be shown: what stands before the last `@` of the authority is left out.
pub(super) fn without_credentials(text: &str) -> String {
    let start = text.find("://").map_or(0, |at| at + 3);
    let (scheme, rest) = text.split_at(start);
    // A password with a raw slash in it is a mistake, but no reason to show it: look for the last `@`.
    let shown = rest.rsplit_once('@').map_or(rest, |(_, place)| place);
    let shown = shown.split('?').next().unwrap_or(shown);
    let clean: String = shown
        .chars()
        .filter(|letter| !letter.is_control())
        .collect();
    format!("{scheme}{clean}")
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
        let (host, port) = split_port(place)?;
        let host = decode(host, "host")?;
        if host.is_empty() {
            return Err(String::from("no host"));
        }
        self.host = host.into_owned();
        self.port = port.map(read_port).transpose()?;
        Ok(())
    }
}

/// Splits `host:port`, `[::1]:port`, or either without a port; an empty port is none (RFC 3986 §3.2.3).
fn split_port(place: &str) -> Result<(&str, Option<&str>), String> {
    let (host, rest) = match place.strip_prefix('[') {
        Some(inside) => {
            let (host, rest) = inside.split_once(']').ok_or("an opening [ without its ]")?;
            // A zone follows the address of a link-local one (RFC 6874): [fe80::1%25eth0].
            let address = host.split('%').next().unwrap_or(host);
            if address.parse::<std::net::Ipv6Addr>().is_err() {
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
        None => Err(format!("{rest:?} after the address")),
    }
}

/// Reads 1–65535.
pub(super) fn read_port(text: &str) -> Result<u16, String> {
    match text.parse::<u16>() {
        Ok(port) if port > 0 && text.bytes().all(|byte| byte.is_ascii_digit()) => Ok(port),
        _ => Err(format!("{text:?} is not a port; ports are 1 to 65535")),
    }
}

fn read_path(protocol: Protocol, carrier: Carrier, path: &str) -> Result<Option<String>, String> {
    if protocol == Protocol::Coap {
        // Segments and arguments are options of a message; CoAP takes them apart itself.
        return Ok(Some(path).filter(|path| !path.is_empty()).map(String::from));
    }
    let path = path.split('#').next().unwrap_or(path);
    if !carrier.is_websocket() {
        if path.contains('?') {
            return Err(String::from(
                "a query (?…) is only for ws and wss; write %3F for a question mark",
            ));
        }
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
                format!("a % in the {part} is not followed by two hexadecimal digits; a plain % is written %25")
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
                    url.host.as_str(),
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
            assert_eq!(url.host, "h", "{text}");
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
    }

    #[test]
    fn mistakes_are_named() {
        for (text, words) in [
            ("h", "no scheme"),
            ("h:1883", "no scheme"),
            (
                "http://h",
                "unknown scheme \"http\"; known are mqtt, mqtts, ws, wss, unix, tcp, ssl, tls",
            ),
            ("mqtt://", "no host"),
            ("mqtt://:1883", "no host"),
            ("mqtt:///a", "no host"),
            ("mqtt://h:0", "\"0\" is not a port; ports are 1 to 65535"),
            ("mqtt://h:65536", "\"65536\" is not a port"),
            ("mqtt://h:+1", "\"+1\" is not a port"),
            ("mqtt://h:x", "\"x\" is not a port"),
            ("mqtt://::1", "needs brackets"),
            ("mqtt://[::1", "without its ]"),
            ("mqtt://[h]", "\"h\" is not an IPv6 address"),
            ("mqtt://[::1]x", "\"x\" after the address"),
            ("mqtt://h/%2", "a % in the path"),
            ("mqtt://u:%zz@h", "a % in the password"),
            ("mqtt://%+1:x@h", "a % in the user name"),
            ("mqtt://%ff@h", "the user name is not UTF-8"),
            ("mqtt://h/a?b", "only for ws and wss"),
            ("mqtt://h/a b", "must be written as %20"),
            ("unix:", "no path"),
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
            "mqtt://me:hun/ter2@h:99999",
            "me:hunter2@h",
            "mqtt://me:hunter2%@h",
            "ws://h:x/?token=hunter2",
        ] {
            let message = refused(text);
            assert!(!message.contains("ter2"), "{message}");
        }
    }
}
