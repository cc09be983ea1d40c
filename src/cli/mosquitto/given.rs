//! Reads the words of a command line or of a file of options, and checks each value as it comes.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use bytes::Bytes;

use super::options::{self, Takes};
use crate::cli::syntax::values;
use crate::command::mqtt::mosquitto::Client;
use crate::mqtt::packet::{Place, Properties, Property, PropertyId};
use crate::mqtt::topic;
use crate::output::{Flaw, Template};

/// Why the words do not become a plan.
#[derive(Debug)]
pub(super) enum End {
    /// `--help`
    Help,
    /// `--version`
    Version,
    /// What is wrong, with its line feeds; the way to the help follows.
    Refused(String),
    /// What is missing; the help page follows.
    Incomplete(String),
    /// What cannot be done; nothing follows.
    Unable(String),
}

pub(super) type Outcome<T> = Result<T, End>;

/// `Error: …` and the line feeds that the clients have after it.
pub(super) fn refused<T>(text: impl AsRef<str>) -> Outcome<T> {
    Err(End::Refused(format!("Error: {}\n", text.as_ref())))
}

/// At most one of these says what is sent.
pub(super) const MESSAGES: [&str; 5] = ["-f", "-l", "-m", "-n", "-s"];

const EXCLUSIVE: [(&str, &str); 2] = [("-i", "-I"), ("-I", "-i")];

/// The packets that a property may be named for, as far as they are sent.
const PLACES: [(&str, Place); 12] = [
    ("connect", Place::Connect),
    ("publish", Place::Publish),
    ("subscribe", Place::Subscribe),
    ("unsubscribe", Place::Unsubscribe),
    ("disconnect", Place::Disconnect),
    ("will", Place::Will),
    ("auth", Place::Auth),
    ("puback", Place::PubAck),
    ("pubrec", Place::PubRec),
    ("pubrel", Place::PubRel),
    ("pubcomp", Place::PubComp),
    ("suback", Place::SubAck),
];

/// What was given, in its order; of most options the last one counts.
#[derive(Debug)]
pub(super) struct Given {
    pub(super) client: Client,
    words: Vec<(&'static str, OsString)>,
    properties: Vec<(Place, Property)>,
}

impl Given {
    pub(super) const fn new(client: Client) -> Self {
        Self {
            client,
            words: Vec::new(),
            properties: Vec::new(),
        }
    }

    /// The last value of an option.
    pub(super) fn last(&self, name: &str) -> Option<&OsStr> {
        let mut words = self.words.iter().rev();
        words
            .find(|(known, _)| *known == name)
            .map(|(_, word)| word.as_os_str())
    }

    /// Every value of an option.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a OsStr> {
        let words = self.words.iter().filter(move |(known, _)| *known == name);
        words.map(|(_, word)| word.as_os_str())
    }

    /// Whether an option was given.
    pub(super) fn has(&self, name: &str) -> bool {
        self.last(name).is_some()
    }

    /// Which of the two was given last, if any.
    pub(super) fn later(&self, one: &'static str, other: &'static str) -> Option<&'static str> {
        let mut names = self.words.iter().rev().map(|(name, _)| *name);
        names.find(|name| *name == one || *name == other)
    }

    /// The number that was given last, as C's `atoi` reads it.
    pub(super) fn number(&self, name: &str) -> Option<i64> {
        self.last(name).map(number)
    }

    /// The properties for a packet.
    pub(super) fn properties(&self, place: Place) -> Properties {
        let here = self.properties.iter().filter(|(at, _)| *at == place);
        here.map(|(_, property)| property.clone()).collect()
    }

    /// Reads words, and keeps what they say.
    pub(super) fn read(&mut self, words: impl IntoIterator<Item = OsString>) -> Outcome<()> {
        let mut words = words.into_iter();
        while let Some(word) = words.next() {
            let Some(option) = options::find(&word, self.client) else {
                return refused(format!("Unknown option '{}'.", word.display()));
            };
            let name = option.name();
            match name {
                "--help" => return Err(End::Help),
                "--version" => return Err(End::Version),
                _ => self.check_others(name)?,
            }
            match option.takes {
                Takes::Nothing => self.words.push((name, OsString::new())),
                Takes::Property => self.property(&mut words)?,
                Takes::Word(missing) => {
                    let Some(value) = words.next() else {
                        return refused(format!("{name} argument given but {missing}.\n"));
                    };
                    self.check(name, &value)?;
                    self.add(name, value)?;
                }
            }
        }
        Ok(())
    }

    /// Reads a file of options: a line is an option and, behind a space, its value.
    pub(super) fn read_file(&mut self, content: &[u8]) -> Outcome<()> {
        for line in content.split(|byte| *byte == b'\n') {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if line.starts_with(b"#") {
                continue;
            }
            let line = line.trim_ascii_start();
            let mut parts = line.splitn(2, |byte| *byte == b' ');
            let option = parts.next().unwrap_or_default();
            if option.is_empty() {
                continue;
            }
            let mut words = vec![OsStr::from_bytes(option).to_owned()];
            let value = parts.next().filter(|value| !value.is_empty());
            match value {
                // The last word of a property may have spaces in it.
                Some(value) if matches!(option, b"-D" | b"--property") => {
                    let is_pair =
                        value.split(|byte| *byte == b' ').nth(1) == Some(b"user-property");
                    let count = if is_pair { 4 } else { 3 };
                    let values = value.splitn(count, |byte| *byte == b' ');
                    words.extend(values.map(|value| OsStr::from_bytes(value).to_owned()));
                }
                Some(value) => words.push(OsStr::from_bytes(value).to_owned()),
                None => {}
            }
            self.read(words)?;
        }
        Ok(())
    }

    /// Whether an option goes together with those before it.
    fn check_others(&self, name: &str) -> Outcome<()> {
        if MESSAGES.contains(&name) && MESSAGES.iter().any(|other| self.has(other)) {
            return refused("Only one type of message can be sent at once.\n");
        }
        match EXCLUSIVE.iter().find(|(one, _)| *one == name) {
            Some((_, other)) if self.has(other) => {
                refused("-i and -I argument cannot be used together.\n")
            }
            _ => Ok(()),
        }
    }

    /// Whether a value is one for its option.
    fn check(&self, name: &str, value: &OsStr) -> Outcome<()> {
        let number = number(value);
        let shown = value.display();
        match name {
            "-C" if number < 1 => refused(format!("Invalid message count \"{number}\".\n")),
            "-k" if !(5..=65_535).contains(&number) => {
                refused("Invalid keepalive given, it must be between 5 and 65535 inclusive.\n")
            }
            "-M" if number < 1 => refused("Maximum inflight messages must be greater than 0.\n"),
            "-p" if !(0..=65_535).contains(&number) => {
                refused(format!("Invalid port given: {number}"))
            }
            "-q" if !(0..=2).contains(&number) => refused(format!("Invalid QoS given: {number}")),
            "-W" if number < 1 => refused(format!("Invalid timeout \"{number}\".\n")),
            "--will-qos" if !(0..=2).contains(&number) => {
                refused(format!("Invalid will QoS {number}.\n"))
            }
            "--random-filter" if !(0.1..=100.0).contains(&decimal(value)) => {
                refused("--random-filter chance must be between 0.1-100.0\n")
            }
            "--repeat" if number < 1 => refused("--repeat argument must be >0.\n"),
            "--repeat-delay" if !(0.0..=1e9).contains(&decimal(value)) => {
                refused("--repeat-delay argument must be >=0.0.\n")
            }
            "--retain-handling" if !matches!(value.to_str(), Some("always" | "new" | "never")) => {
                refused(format!("Unknown value '{shown}' for --retain-handling.\n"))
            }
            "--protocol-version" if version(value).is_none() => {
                refused("Invalid protocol version argument given.\n")
            }
            "-x" => expiry(value).map(drop),
            "-F" => template(value).map(drop),
            "-t" | "-T" | "-U" | "-e" | "--will-topic" => self.check_topic(name, name, value),
            _ => Ok(()),
        }
    }

    /// Whether a topic or filter is one; `place` is what names it in the error.
    fn check_topic(&self, name: &str, place: &str, value: &OsStr) -> Outcome<()> {
        let Some(text) = value.to_str().filter(|text| !text.contains(is_barred)) else {
            return refused(format!("Malformed UTF-8 in {place} argument.\n"));
        };
        let subscribes = self.client == Client::Sub;
        let (kind, is_filter) = match name {
            "-t" if subscribes => ("subscription", true),
            "-t" => ("publish", false),
            "-T" => ("filter", true),
            "-U" => ("unsubscribe", true),
            "-e" => ("response", false),
            _ => ("will", false),
        };
        match is_filter {
            true if topic::check_filter(text).is_err() => refused(format!(
                "Invalid {kind} topic '{text}', are all '+' and '#' wildcards correct?"
            )),
            false if topic::check_name(text).is_err() => refused(format!(
                "Invalid {kind} topic '{text}', does it contain '+' or '#'?"
            )),
            _ => Ok(()),
        }
    }

    fn add(&mut self, name: &'static str, value: OsString) -> Outcome<()> {
        match name {
            "-L" => return self.url(&value),
            // The expiry of a session is MQTT 5's.
            "-x" => self.words.push(("--protocol-version", OsString::from("5"))),
            _ => {}
        }
        self.words.push((name, value));
        Ok(())
    }

    /// `mqtt(s)|ws(s)://[USER[:PASSWORD]@]HOST[:PORT]/TOPIC`; the topic is taken as it is.
    fn url(&mut self, url: &OsStr) -> Outcome<()> {
        let url = url.to_string_lossy();
        let (scheme, rest) = url.split_once("://").unwrap_or_default();
        let (secure, websocket) = match scheme.to_ascii_lowercase().as_str() {
            "mqtt" => (false, false),
            "mqtts" => (true, false),
            "ws" => (false, true),
            "wss" => (true, true),
            _ => return refused("Unsupported URL scheme.\n"),
        };
        let Some((authority, topic)) = rest.split_once('/') else {
            return refused("Invalid URL for -L argument specified - topic missing.");
        };
        self.check_topic("-t", "-L topic", topic.as_ref())?;
        let (login, place) = authority
            .rsplit_once('@')
            .map_or((None, authority), |it| (Some(it.0), it.1));
        if let Some(login) = login {
            let (name, password) = login
                .split_once(':')
                .map_or((login, None), |it| (it.0, Some(it.1)));
            self.words.push(("-u", decoded(name)));
            self.words.extend(password.map(|it| ("-P", decoded(it))));
        }
        // An IPv6 address stands in brackets.
        let end = place.rfind(']').unwrap_or(0);
        let (host, port) = match place[end..].find(':') {
            Some(at) => (&place[..end + at], Some(&place[end + at + 1..])),
            None => (place, None),
        };
        let port = port.unwrap_or(if secure { "8883" } else { "1883" });
        self.check("-p", port.as_ref())?;
        let more = [("--tls-use-os-certs", secure), ("--ws", websocket)];
        let more = more.into_iter().filter(|(_, given)| *given);
        self.words.extend([
            ("-h", host.into()),
            ("-p", port.into()),
            ("-t", topic.into()),
        ]);
        self.words
            .extend(more.map(|(name, _)| (name, OsString::new())));
        Ok(())
    }

    fn property(&mut self, words: &mut impl Iterator<Item = OsString>) -> Outcome<()> {
        let few = || refused("--property argument given but not enough arguments specified.\n");
        let mut next = || words.next().map(|word| word.to_string_lossy().into_owned());
        let (Some(packet), Some(name), Some(first)) = (next(), next(), next()) else {
            return few();
        };
        let known = PLACES
            .iter()
            .find(|(known, _)| packet.eq_ignore_ascii_case(known));
        let Some((_, place)) = known else {
            return refused(format!(
                "Invalid command {packet} given in --property argument.\n"
            ));
        };
        let Some(id) = PropertyId::from_name(&name.to_ascii_lowercase()) else {
            return refused(format!(
                "Invalid property name {name} given in --property argument.\n"
            ));
        };
        if !id.allowed_in(*place) {
            return refused(format!(
                "{name} property not allowed for {packet} in --property argument.\n"
            ));
        }
        let mut values = vec![first];
        if id == PropertyId::UserProperty {
            let Some(second) = next() else {
                return few();
            };
            values.push(second);
        }
        // Of the packets that may carry properties, a client names these.
        let is_sent = PLACES[..6].iter().any(|(_, sent)| sent == place);
        if !is_sent || (id == PropertyId::SubscriptionIdentifier && *place == Place::Publish) {
            return refused(format!(
                "{name} property not supported for {packet} in --property argument.\n"
            ));
        }
        let property = property(id, &name, &values)?;
        self.properties.push((*place, property));
        self.words.push(("--protocol-version", OsString::from("5")));
        Ok(())
    }
}

/// Whether a topic with it is refused: control characters and what is no character (MQTT 5.0 §1.5.4).
fn is_barred(letter: char) -> bool {
    let code = u32::from(letter);
    letter.is_control() || (0xfdd0..=0xfdef).contains(&code) || code & 0xfffe == 0xfffe
}

fn property(id: PropertyId, name: &str, values: &[String]) -> Outcome<Property> {
    // There is at least one value.
    let value = &values[0];
    match id {
        PropertyId::CorrelationData => {
            return Ok(Property::CorrelationData(Bytes::copy_from_slice(
                value.as_bytes(),
            )));
        }
        PropertyId::AuthenticationData => {
            return Ok(Property::AuthenticationData(Bytes::copy_from_slice(
                value.as_bytes(),
            )));
        }
        _ => {}
    }
    let Some(largest) = id.largest() else {
        return Property::from_words(id.name(), values).or_else(|why| refused(format!("{why}\n")));
    };
    let number = number(value.as_ref());
    if !(0..=i64::from(largest)).contains(&number) {
        return refused(format!(
            "Property value ({number}) out of range for property {name}.\n"
        ));
    }
    Property::from_words(id.name(), &[number.to_string()])
        .or_else(|why| refused(format!("{why}\n")))
}

/// A template, or what is wrong with it in the clients' words.
pub(super) fn template(value: &OsStr) -> Outcome<Template> {
    Template::parse(&value.to_string_lossy()).or_else(|flaw| {
        let escapes = |sequence: &str| sequence.starts_with('\\');
        let kind = |sequence: &str| {
            if escapes(sequence) {
                "escape"
            } else {
                "format"
            }
        };
        refused(match &flaw {
            Flaw::Incomplete(sequence) => format!("Incomplete {} specifier.", kind(sequence)),
            Flaw::Unknown(sequence) => {
                let last = sequence.chars().next_back().unwrap_or_default();
                format!("Invalid {} specifier '{last}'.", kind(sequence))
            }
            Flaw::Layout(text) => format!("Invalid format: {text}."),
        })
    })
}

/// `-1` and `∞` are for ever.
pub(super) fn expiry(value: &OsStr) -> Outcome<u32> {
    let text = value.to_string_lossy();
    if text == "∞" {
        return Ok(u32::MAX);
    }
    match text.trim_start().parse::<i64>() {
        Ok(-1) => Ok(u32::MAX),
        Ok(number) => match u32::try_from(number) {
            Ok(number) => Ok(number),
            Err(_) => refused("session-expiry-interval out of range.\n"),
        },
        Err(_) => refused("session-expiry-interval not a number.\n"),
    }
}

/// The version that a word of `-V` names.
pub(super) fn version(value: &OsStr) -> Option<crate::mqtt::packet::Version> {
    let word = value.to_str()?;
    let known = ["31", "311", "5"].contains(&word.strip_prefix("mqttv").unwrap_or(word));
    known.then(|| values::version(word).ok()).flatten()
}

/// The number at the beginning, or 0.
pub(super) fn number(value: &OsStr) -> i64 {
    let text = value.to_string_lossy();
    let text = text.trim_start();
    let sign = text.len() - text.trim_start_matches(['-', '+']).len();
    let digits = text[sign.min(1)..]
        .bytes()
        .take_while(u8::is_ascii_digit)
        .count();
    let (number, digits) = (&text[..sign.min(1) + digits], digits);
    match number.parse() {
        Ok(number) => number,
        // Only its size can be wrong.
        Err(_) if digits > 0 => {
            if number.starts_with('-') {
                i64::MIN
            } else {
                i64::MAX
            }
        }
        Err(_) => 0,
    }
}

/// The decimal number, or 0.
pub(super) fn decimal(value: &OsStr) -> f64 {
    let text = value.to_string_lossy();
    text.trim()
        .parse()
        .ok()
        .filter(|number: &f64| number.is_finite())
        .unwrap_or(0.0)
}

/// A part of a URL with its percent signs resolved, where they are meant so.
fn decoded(text: &str) -> OsString {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let pair = tail
            .get(..2)
            .and_then(|pair| std::str::from_utf8(pair).ok());
        let digits = pair.filter(|pair| pair.bytes().all(|byte| byte.is_ascii_hexdigit()));
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) if *first == b'%' => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            _ => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    OsStr::from_bytes(&bytes).to_owned()
}
