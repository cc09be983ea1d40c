//! CoAP URIs and the options they become (RFC 7252 §6, RFC 8323 §8).

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

use super::option::{self, Options};

/// How the peer is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// `coap`: UDP.
    Coap,
    /// `coaps`: DTLS over UDP.
    Coaps,
    /// `coap+tcp`.
    CoapTcp,
    /// `coaps+tcp`: TLS over TCP.
    CoapsTcp,
    /// `coap+ws`: WebSocket.
    CoapWs,
    /// `coaps+ws`: WebSocket over TLS.
    CoapsWs,
}

impl Scheme {
    /// All schemes.
    pub const ALL: [Self; 6] = [
        Self::Coap,
        Self::Coaps,
        Self::CoapTcp,
        Self::CoapsTcp,
        Self::CoapWs,
        Self::CoapsWs,
    ];

    /// As it stands in a URI, without `://`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Coap => "coap",
            Self::Coaps => "coaps",
            Self::CoapTcp => "coap+tcp",
            Self::CoapsTcp => "coaps+tcp",
            Self::CoapWs => "coap+ws",
            Self::CoapsWs => "coaps+ws",
        }
    }

    /// The port where the URI does not say.
    pub const fn default_port(self) -> u16 {
        match self {
            Self::Coap | Self::CoapTcp => 5683,
            Self::Coaps | Self::CoapsTcp => 5684,
            Self::CoapWs => 80,
            Self::CoapsWs => 443,
        }
    }

    /// Whether messages go over TLS or DTLS.
    pub const fn is_secure(self) -> bool {
        matches!(self, Self::Coaps | Self::CoapsTcp | Self::CoapsWs)
    }

    /// Whether the transport is reliable (RFC 8323): everything but UDP and DTLS.
    pub const fn is_reliable(self) -> bool {
        !matches!(self, Self::Coap | Self::Coaps)
    }
}

/// Who is asked.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Host {
    /// A name, in lower case.
    Name(String),
    /// An address; the zone of a link-local one is kept as written (`eth0`, `2`).
    Ip(IpAddr, Option<String>),
}

impl fmt::Display for Host {
    /// As in a URI: `[fe80::1%25eth0]`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(&escape(name, b"")),
            Self::Ip(IpAddr::V4(address), _) => write!(f, "{address}"),
            Self::Ip(IpAddr::V6(address), None) => write!(f, "[{address}]"),
            Self::Ip(IpAddr::V6(address), Some(zone)) => write!(f, "[{address}%25{zone}]"),
        }
    }
}

/// A CoAP URI, taken apart and percent-decoded.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Uri {
    /// The scheme.
    pub scheme: Scheme,
    /// The host.
    pub host: Host,
    /// The port, the scheme's where the URI does not say.
    pub port: u16,
    /// The path's segments; none for `/`.
    pub path: Vec<String>,
    /// The query's arguments, split at `&`.
    pub query: Vec<String>,
}

/// Why a text is no CoAP URI.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadUri {
    /// No scheme, or one that is not CoAP's.
    #[error("the scheme is not one of coap, coaps, coap+tcp, coaps+tcp, coap+ws, coaps+ws")]
    Scheme,
    /// No host, or one that cannot be.
    #[error("the host is missing or malformed")]
    Host,
    /// The port is no number up to 65535.
    #[error("the port is not a number from 1 to 65535")]
    Port,
    /// A user name: CoAP has none.
    #[error("a CoAP URI has no user name")]
    User,
    /// A fragment: it is never sent.
    #[error("a CoAP URI has no fragment (#)")]
    Fragment,
    /// A `%` without two hexadecimal digits, or bytes that are not UTF-8.
    #[error("a percent-encoded part is malformed")]
    Percent,
    /// A segment or argument of more than 255 bytes.
    #[error("a path segment or query argument has more than 255 bytes")]
    TooLong,
    /// A segment or argument of an option that is not UTF-8.
    #[error("it is not UTF-8")]
    NotText,
    /// A segment of an option that is `.` or `..`, which must not be sent (RFC 7252 §5.10.7).
    #[error("a path segment is . or ..")]
    Dots,
}

impl Uri {
    /// Takes an absolute URI apart.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, BadUri> {
        let (scheme, rest) = text.split_once("://").ok_or(BadUri::Scheme)?;
        let known = |it: &Scheme| it.name().eq_ignore_ascii_case(scheme);
        let scheme = Scheme::ALL.into_iter().find(known).ok_or(BadUri::Scheme)?;
        if rest.contains('#') {
            return Err(BadUri::Fragment);
        }
        let (authority, tail) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        // A slash in the password of a user name, which there should not be, ends the authority too early.
        let (host, port) = match authority_of(authority) {
            Ok((_, None)) if authority.ends_with(':') && tail.contains('@') => Err(BadUri::User),
            Err(_) if tail.contains('@') => Err(BadUri::User),
            read => read,
        }?;
        let (path, query) = local_part(tail)?;
        Ok(Self {
            scheme,
            host,
            port: port.unwrap_or_else(|| scheme.default_port()),
            path,
            query,
        })
    }

    /// Whether a reference names its own server (RFC 3986 §4.2): a scheme and `//` come first, and not in a path or query.
    pub fn is_absolute(reference: &str) -> bool {
        let end = reference.find([':', '/', '?', '#']);
        end.is_some_and(|at| at > 0 && reference[at..].starts_with("://"))
    }

    /// A reference (`/a?b`, `sub`, `../x`, an absolute URI) as seen from here (RFC 3986 §5.2).
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn join(&self, reference: &str) -> Result<Self, BadUri> {
        if Self::is_absolute(reference) {
            return Self::parse(reference);
        }
        if reference.starts_with("//") {
            return Self::parse(&format!("{}:{reference}", self.scheme.name()));
        }
        let (path, query) = local_part(reference)?;
        let mut joined = Self {
            query,
            ..self.clone()
        };
        if reference.starts_with('/') {
            joined.path = path;
        } else if !reference.is_empty() && !reference.starts_with('?') {
            let kept = self.path.len().saturating_sub(1);
            let mut segments = self.path[..kept].to_vec();
            segments.extend(raw_segments(reference)?);
            joined.path = without_dots(segments);
        }
        Ok(joined)
    }

    /// A resource of this server below the path of this URI, whose arguments stay: `/a` is `/base/a` there.
    ///
    /// # Errors
    /// What is wrong with the reference.
    pub fn beneath(&self, reference: &str) -> Result<Self, BadUri> {
        let mut below = self.join(reference)?;
        let mut path = self.path.clone();
        if path.last().is_some_and(String::is_empty) {
            path.pop();
        }
        path.append(&mut below.path);
        let mut query = self.query.clone();
        query.append(&mut below.query);
        Ok(Self {
            path,
            query,
            ..below
        })
    }

    /// Where a response to a request for this URI says that the new resource is; `None` when it does not say. Segments are taken
    /// as they are: they name a resource of this server, whatever is in them (RFC 7252 §5.10.7).
    ///
    /// # Errors
    /// A part that cannot be one of a URI.
    pub fn located(&self, options: &Options) -> Result<Option<Self>, BadUri> {
        let all = |number| {
            let texts = options.all(number).map(|it| str::from_utf8(it));
            let texts = texts.map(|it| it.map(String::from).map_err(|_| BadUri::NotText));
            texts.collect::<Result<Vec<_>, _>>()
        };
        let (path, query) = (all(option::LOCATION_PATH)?, all(option::LOCATION_QUERY)?);
        if path.iter().any(|it| matches!(&**it, "." | "..")) {
            return Err(BadUri::Dots);
        }
        let path = match (path.is_empty(), query.is_empty()) {
            (true, true) => return Ok(None),
            // CORE_19: a location of a query alone is relative to the request.
            (true, false) => self.path.clone(),
            _ => path,
        };
        Ok(Some(Self {
            path,
            query,
            ..self.clone()
        }))
    }

    /// Adds what this URI says to a request: Uri-Host for a name, Uri-Path and Uri-Query. The port is the
    /// destination's, so that Uri-Port is left out.
    pub fn add_to(&self, options: &mut Options) {
        if let Host::Name(name) = &self.host {
            options.push_text(option::URI_HOST, name);
        }
        self.add_local_to(options);
    }

    /// The same without Uri-Host.
    pub fn add_local_to(&self, options: &mut Options) {
        for segment in &self.path {
            options.push_text(option::URI_PATH, segment);
        }
        for argument in &self.query {
            options.push_text(option::URI_QUERY, argument);
        }
    }

    /// The path and query as text: `/a/b?c=1`.
    pub fn local(&self) -> String {
        local_text(&self.path, &self.query)
    }
}

impl fmt::Display for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme.name(), self.host)?;
        if self.port != self.scheme.default_port() {
            write!(f, ":{}", self.port)?;
        }
        f.write_str(&self.local())
    }
}

/// The path that a request asks for, as text: `/a/b`; `/` when it has none.
pub fn path_of(options: &Options) -> String {
    local_text(&options.texts(option::URI_PATH), &[])
}

/// The segments of a path as [`path_of`] has it, as they stand in Uri-Path and Location-Path: without escapes.
///
/// # Errors
/// A `%` without two hexadecimal digits, or bytes that are no text.
pub(crate) fn segments_of(path: &str) -> Result<Vec<String>, BadUri> {
    match path.strip_prefix('/').unwrap_or(path) {
        "" => Ok(Vec::new()),
        path => path.split('/').map(unescape).collect(),
    }
}

/// Where a response says the new resource is: `/a/b?c`; `None` when it does not say.
pub fn location_of(options: &Options) -> Option<String> {
    let path: Vec<_> = options.all(option::LOCATION_PATH).collect();
    let query: Vec<_> = options.all(option::LOCATION_QUERY).collect();
    match (path.is_empty(), query.is_empty()) {
        (true, true) => None,
        // CORE_19: a location of a query alone is relative to the request.
        (true, false) => Some(local_text(&path, &query).split_off(1)),
        _ => Some(local_text(&path, &query)),
    }
}

/// Segments and arguments as one text, percent-encoded where they must be (RFC 7252 §6.5).
pub fn local_text<T: AsRef<[u8]>>(path: &[T], query: &[T]) -> String {
    let mut text = String::from("/");
    let segments: Vec<String> = path.iter().map(|it| escape(it, b":@")).collect();
    text.push_str(&segments.join("/"));
    let arguments: Vec<String> = query.iter().map(escape_argument).collect();
    if !query.is_empty() {
        text.push('?');
        text.push_str(&arguments.join("&"));
    }
    text
}

fn authority_of(authority: &str) -> Result<(Host, Option<u16>), BadUri> {
    if authority.contains('@') {
        return Err(BadUri::User);
    }
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (address, port) = rest.split_once(']').ok_or(BadUri::Host)?;
            (address_of(address)?, port)
        }
        None => {
            let at = authority.find(':').unwrap_or(authority.len());
            let (name, port) = authority.split_at(at);
            (name_of(name)?, port)
        }
    };
    let port = match port.strip_prefix(':') {
        None if port.is_empty() => None,
        Some("") => None,
        Some(digits) => Some(port_of(digits)?),
        None => return Err(BadUri::Host),
    };
    Ok((host, port))
}

fn port_of(digits: &str) -> Result<u16, BadUri> {
    let number = digits.bytes().all(|it| it.is_ascii_digit());
    match digits.parse() {
        Ok(port) if number && port != 0 => Ok(port),
        _ => Err(BadUri::Port),
    }
}

fn address_of(text: &str) -> Result<Host, BadUri> {
    let (address, zone) = match text.split_once('%') {
        // RFC 6874 wants %25, people write %.
        Some((address, zone)) => (address, Some(zone.strip_prefix("25").unwrap_or(zone))),
        None => (text, None),
    };
    let address: Ipv6Addr = address.parse().map_err(|_| BadUri::Host)?;
    if zone.is_some_and(str::is_empty) {
        return Err(BadUri::Host);
    }
    Ok(Host::Ip(address.into(), zone.map(String::from)))
}

fn name_of(text: &str) -> Result<Host, BadUri> {
    let name = unescape(text)?.to_lowercase();
    if let Ok(address) = name.parse() {
        return Ok(Host::Ip(IpAddr::V4(address), None));
    }
    let wrong = |letter: char| letter.is_whitespace() || letter.is_control();
    match name.len() {
        1..=255 if !name.contains(wrong) => Ok(Host::Name(name)),
        _ => Err(BadUri::Host),
    }
}

/// The segments and arguments of what follows the authority.
fn local_part(text: &str) -> Result<(Vec<String>, Vec<String>), BadUri> {
    if text.contains('#') {
        return Err(BadUri::Fragment);
    }
    let segments = without_dots(raw_segments(text)?);
    let arguments = match text.split_once('?') {
        None | Some((_, "")) => Vec::new(),
        Some((_, query)) => query.split('&').map(part).collect::<Result<_, _>>()?,
    };
    Ok((segments, arguments))
}

fn raw_segments(text: &str) -> Result<Vec<String>, BadUri> {
    let path = text.split('?').next().unwrap_or_default();
    match path.strip_prefix('/').unwrap_or(path) {
        "" => Ok(Vec::new()),
        path => path.split('/').map(part).collect(),
    }
}

fn part(text: &str) -> Result<String, BadUri> {
    let part = unescape(text)?;
    if part.len() > 255 {
        return Err(BadUri::TooLong);
    }
    Ok(part)
}

/// `.` and `..` resolved (RFC 3986 §5.2.4); they must not be sent (RFC 7252 §5.10.1).
fn without_dots(segments: Vec<String>) -> Vec<String> {
    let mut kept: Vec<String> = Vec::with_capacity(segments.len());
    let last = segments.len().saturating_sub(1);
    for (at, segment) in segments.into_iter().enumerate() {
        match segment.as_str() {
            "." | ".." => {
                if segment == ".." {
                    kept.pop();
                }
                if at == last && !kept.is_empty() {
                    kept.push(String::new());
                }
            }
            _ => kept.push(segment),
        }
    }
    if kept == [""] {
        // What is left is the slash that every URI has.
        kept.clear();
    }
    kept
}

fn unescape(text: &str) -> Result<String, BadUri> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || char::from(rest.next()?).to_digit(16);
        let (Some(high), Some(low)) = (digit(), digit()) else {
            return Err(BadUri::Percent);
        };
        bytes.push((high << 4 | low) as u8);
    }
    String::from_utf8(bytes).map_err(|_| BadUri::Percent)
}

/// What needs no escape in a query argument, beside letters and digits: everything of a query but `&`.
fn escape_argument(text: impl AsRef<[u8]>) -> String {
    escape(text, b":@/?")
}

fn escape(text: impl AsRef<[u8]>, also: &[u8]) -> String {
    let text = text.as_ref();
    let mut escaped = String::with_capacity(text.len());
    for &byte in text {
        let plain = byte.is_ascii_alphanumeric() || b"-._~!$'()*+,;=".contains(&byte);
        if plain || also.contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn uri(text: &str) -> Uri {
        Uri::parse(text).unwrap_or_else(|fault| panic!("{text}: {fault}"))
    }

    #[test]
    fn the_root_has_no_segments() {
        for text in [
            "coap://h",
            "coap://h/",
            "coap://h:5683/",
            "COAP://H",
            "coap://h/a/../",
            "coap://h/./",
        ] {
            let mut options = Options::new();
            uri(text).add_local_to(&mut options);
            assert!(options.is_empty(), "{text}");
            assert_eq!(uri(text).to_string(), "coap://h/");
        }
    }

    #[test]
    fn segments_and_arguments_are_split_and_decoded() {
        let it = uri("coap://h/seg1/a%2Fb//?first=1&se%26cond=2&x/y");
        assert_eq!(it.path, ["seg1", "a/b", "", ""]);
        assert_eq!(it.query, ["first=1", "se&cond=2", "x/y"]);
        assert_eq!(
            it.to_string(),
            "coap://h/seg1/a%2Fb//?first=1&se%26cond=2&x/y"
        );
    }

    #[test]
    fn resources_below_another_keep_its_path_and_arguments() {
        for (base, reference, text) in [
            ("coap://h", "/a/b", "coap://h/a/b"),
            ("coap://h/base", "/a%20b", "coap://h/base/a%20b"),
            ("coap://h/base/", "/a", "coap://h/base/a"),
            ("coap://h/x/y?k=1", "/a?l=2", "coap://h/x/y/a?k=1&l=2"),
            ("coap://h/base", "/../../a", "coap://h/base/a"),
        ] {
            let beneath = uri(base).beneath(reference).expect(reference);
            assert_eq!(beneath.to_string(), text, "{base} {reference}");
        }
    }

    #[test]
    fn a_star_and_a_slash_in_a_query_stay() {
        let it = uri("coap://h/.well-known/core?href=/link*");
        assert_eq!(it.query, ["href=/link*"]);
        assert_eq!(it.local(), "/.well-known/core?href=/link*");
    }

    #[test]
    fn only_names_become_uri_host() {
        let host = |text| {
            let mut options = Options::new();
            uri(text).add_to(&mut options);
            options.texts(option::URI_HOST)
        };
        assert_eq!(host("coap://Example.COM/x"), ["example.com"]);
        assert!(host("coap://127.0.0.1/x").is_empty());
        assert!(host("coap://[::1]/x").is_empty());
    }

    #[test]
    fn addresses_keep_port_and_zone() {
        let it = uri("coaps://[fe80::1%25eth0]:61616/x");
        let address: Ipv6Addr = "fe80::1".parse().expect("an address");
        assert_eq!(it.host, Host::Ip(address.into(), Some("eth0".into())));
        assert_eq!(it.port, 61_616);
        assert_eq!(it.to_string(), "coaps://[fe80::1%25eth0]:61616/x");
        assert_eq!(
            uri("coap://[fe80::1%2]/").host,
            Host::Ip(address.into(), Some("2".into()))
        );
    }

    #[test]
    fn what_is_wrong_is_said() {
        let fault = |text: &str| Uri::parse(text).expect_err(text);
        assert_eq!(fault("http://h/"), BadUri::Scheme);
        assert_eq!(fault("coap:///x"), BadUri::Host);
        assert_eq!(fault("coap://[::1/x"), BadUri::Host);
        assert_eq!(fault("coap://[::1]x/x"), BadUri::Host);
        assert_eq!(fault("coap://h:99999/"), BadUri::Port);
        assert_eq!(fault("coap://h:0/"), BadUri::Port);
        assert_eq!(fault("coap://u@h/"), BadUri::User);
        assert_eq!(fault("coap://h/#f"), BadUri::Fragment);
        assert_eq!(fault("coap://h/%4"), BadUri::Percent);
        assert_eq!(fault("coap://h/%FF"), BadUri::Percent);
        assert_eq!(
            fault(&format!("coap://h/{}", "x".repeat(256))),
            BadUri::TooLong
        );
    }

    #[test]
    fn references_are_resolved() {
        let base = uri("coap://h/a/b?q");
        let joined = |reference| base.join(reference).expect(reference).to_string();
        assert_eq!(joined("/x?y"), "coap://h/x?y");
        assert_eq!(joined("c"), "coap://h/a/c");
        assert_eq!(joined("../c/./d"), "coap://h/c/d");
        assert_eq!(joined("coaps://o/z"), "coaps://o/z");
        assert_eq!(joined("//o/z"), "coap://o/z");
        assert_eq!(joined("?z"), "coap://h/a/b?z");
    }

    #[test]
    fn locations_are_shown_escaped() {
        let mut options = Options::new();
        assert_eq!(location_of(&options), None);
        options.push_text(option::LOCATION_QUERY, "first=1");
        options.push_text(option::LOCATION_QUERY, "second=2");
        assert_eq!(location_of(&options).as_deref(), Some("?first=1&second=2"));
        options.push_text(option::LOCATION_PATH, "a b");
        assert_eq!(
            location_of(&options).as_deref(),
            Some("/a%20b?first=1&second=2")
        );
        let mut options = Options::new();
        options.push(option::LOCATION_PATH, &b"\xff/"[..]);
        options.push_text(option::LOCATION_PATH, "..");
        assert_eq!(location_of(&options).as_deref(), Some("/%FF%2F/.."));
    }

    #[test]
    fn a_location_is_on_the_server_that_says_it() {
        let located = |number, segments: &[&[u8]]| {
            let mut options = Options::new();
            segments
                .iter()
                .for_each(|it| options.push(number, Bytes::copy_from_slice(it)));
            let at = uri("coap://h:1/rd?ep=a").located(&options);
            at.map(|it| it.map(|it| it.to_string()))
        };
        let (path, query) = (option::LOCATION_PATH, option::LOCATION_QUERY);
        for (segments, text) in [
            (&[&b""[..], b"evil", b"x"][..], "coap://h:1//evil/x"),
            (&[b"rd", b"4521"], "coap://h:1/rd/4521"),
            (&[b"coap://o/a?b"], "coap://h:1/coap:%2F%2Fo%2Fa%3Fb"),
            (&[b"a", b""], "coap://h:1/a/"),
        ] {
            let at = located(path, segments).expect(text).expect(text);
            assert_eq!(at, text);
            assert_eq!(uri(&at).to_string(), text);
        }
        let at = located(query, &[b"first=1", b"second=2"]);
        assert_eq!(at, Ok(Some("coap://h:1/rd?first=1&second=2".into())));
        assert_eq!(located(path, &[]), Ok(None));
        assert_eq!(located(path, &[b"a", b".."]), Err(BadUri::Dots));
        assert_eq!(located(path, &[b"\xff"]), Err(BadUri::NotText));
    }

    #[test]
    fn schemes_know_their_ports() {
        let ports = Scheme::ALL.map(Scheme::default_port);
        assert_eq!(ports, [5683, 5684, 5683, 5684, 80, 443]);
    }
}
