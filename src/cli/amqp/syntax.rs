//! What AMQP commands read besides flags: names, arguments, milliseconds and rates.

use std::ffi::OsString;
use std::str::FromStr;

use bytestring::ByteString;

use crate::amqp::topology::Arguments;
use crate::amqp::value::Pair;
use crate::error::{Error, Result};
use crate::message::AmqpValue;

use crate::cli::syntax::numbers::Span;
use crate::cli::syntax::values;

/// The longest short string, in bytes (AMQP 0-9-1 §4.2.5.3).
const LONGEST: usize = 255;

/// A name, a key or another short string; it may be empty.
pub(crate) fn short(what: &str, word: OsString) -> Result<ByteString> {
    let text = values::text(what, word)?;
    let length = text.len();
    if length > LONGEST {
        return Err(Error::usage(format!(
            "{what} is longer than {LONGEST} bytes ({length})"
        )));
    }
    Ok(text.into())
}

/// The same for a flag that may be left out.
pub(crate) fn short_or_none(what: &str, word: Option<OsString>) -> Result<Option<ByteString>> {
    word.map(|word| short(what, word)).transpose()
}

/// A name that something must have; `what` it names: `queue`.
pub(crate) fn name(what: &str, word: Option<OsString>) -> Result<ByteString> {
    name_or(
        what,
        word,
        "its name is the last argument, after the optional URL",
    )
}

/// The same with another hint for a missing name.
pub(crate) fn name_or(what: &str, word: Option<OsString>, hint: &str) -> Result<ByteString> {
    match word {
        Some(word) if !word.is_empty() => short(&format!("the name of the {what}"), word),
        _ => Err(Error::usage(format!("no {what} was given")).hint(hint)),
    }
}

/// An address of AMQP 1.0, which may be as long as it likes, but not empty.
pub(crate) fn address(word: Option<OsString>) -> Result<Option<ByteString>> {
    let Some(word) = word else { return Ok(None) };
    match values::text("--address", word)? {
        text if text.is_empty() => Err(Error::usage("--address is empty")),
        text => Ok(Some(text.into())),
    }
}

/// The argument URL and the argument after it, of which either may have been left out: a URL has `://`.
pub(crate) fn sorted(
    first: Option<OsString>,
    second: Option<OsString>,
) -> Result<(Option<OsString>, Option<OsString>)> {
    let is_url = first
        .as_ref()
        .is_some_and(|word| word.to_string_lossy().contains("://"));
    match (first, second) {
        (url, name) if is_url => Ok((url, name)),
        (name, None) => Ok((None, name)),
        // What it is, is not shown: it may hold a password.
        _ => Err(
            Error::usage("with two arguments the first is the URL, but this one has no ://")
                .hint("write it as amqp://HOST, or use -h HOST"),
        ),
    }
}

/// `NAME=VALUE` and `NAME:TYPE=VALUE`, each name once.
pub(crate) fn pairs(flag: &str, words: Vec<OsString>) -> Result<Arguments> {
    let mut pairs = Arguments::new();
    for word in words {
        let text = values::text(flag, word)?;
        let pair: Pair = text
            .parse()
            .map_err(|why| Error::usage(format!("{flag}: {why}")))?;
        if pairs.iter().any(|(name, _)| *name == pair.name) {
            return Err(Error::usage(format!("{flag} {} is given twice", pair.name)));
        }
        pairs.push(pair.into());
    }
    Ok(pairs)
}

/// An argument that has a flag of its own: the flag, the argument's name, and its value if it was given.
pub(crate) type Shortcut = (&'static str, &'static str, Option<AmqpValue>);

/// The arguments of `--argument`, and those that have flags of their own.
pub(crate) fn arguments(words: Vec<OsString>, shortcuts: Vec<Shortcut>) -> Result<Arguments> {
    let mut arguments = pairs("--argument", words)?;
    for (flag, name, value) in shortcuts {
        let Some(value) = value else { continue };
        if arguments.iter().any(|(known, _)| known == name) {
            return Err(Error::usage(format!(
                "{flag} and --argument {name} cannot be used together"
            )));
        }
        arguments.push((name.into(), value));
    }
    Ok(arguments)
}

/// A count as the value of an argument, which has 63 bits.
pub(crate) fn number(count: u64) -> AmqpValue {
    AmqpValue::Int(i64::try_from(count).unwrap_or(i64::MAX))
}

/// A kind of exchange: one of the four of AMQP, or a plugin's.
pub(crate) fn exchange_type(word: &str) -> Result<ByteString, &'static str> {
    match word {
        "direct" | "fanout" | "topic" | "headers" => Ok(word.into()),
        plugin if plugin.starts_with("x-") && plugin.len() <= LONGEST => Ok(plugin.into()),
        _ => Err("the types are direct, fanout, topic, headers, and x-... of a plugin"),
    }
}

/// A size of frames, at least the 4096 bytes that every server must take (AMQP 0-9-1 §1.4.2.6).
pub(crate) fn frame_max(word: &str) -> Result<u32, &'static str> {
    let crate::cli::syntax::numbers::Size(size) = word.parse()?;
    match u32::try_from(size) {
        Ok(size) if size >= 4096 => Ok(size),
        _ => Err("a frame has between 4096 and 4294967295 bytes"),
    }
}

/// A duration that goes on the wire in whole milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Millis(pub(crate) u64);

impl FromStr for Millis {
    type Err = &'static str;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        let Span(span) = word.parse()?;
        match u64::try_from(span.as_millis()) {
            Ok(millis) if span.subsec_nanos() % 1_000_000 == 0 => Ok(Self(millis)),
            _ => Err("it must be a whole number of milliseconds"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_url_is_known_by_its_slashes() {
        let word = |text: &str| Some(OsString::from(text));
        let both = sorted(word("amqp://h"), word("q")).unwrap();
        assert_eq!(both, (word("amqp://h"), word("q")));
        assert_eq!(sorted(word("q"), None).unwrap(), (None, word("q")));
        assert_eq!(
            sorted(word("amqp://h"), None).unwrap(),
            (word("amqp://h"), None)
        );
        assert_eq!(sorted(None, None).unwrap(), (None, None));
        let refused = sorted(word("me:secret@h"), word("q")).unwrap_err();
        assert!(!refused.text().contains("secret"), "{refused}");
    }

    #[test]
    fn names_have_at_most_255_bytes() {
        assert!(short("-e", "x".repeat(255).into()).is_ok());
        let refused = short("-e", "ü".repeat(128).into()).unwrap_err();
        assert_eq!(refused.text(), "-e is longer than 255 bytes (256)");
        let refused = name("queue", None).unwrap_err();
        assert_eq!(refused.text(), "no queue was given");
        assert!(name("queue", Some(OsString::new())).is_err());
    }

    #[test]
    fn arguments_are_said_once() {
        let words = |words: &[&str]| words.iter().map(OsString::from).collect::<Vec<_>>();
        let shortcut = |value| vec![("--ttl", "x-message-ttl", value)];
        let read = arguments(words(&["a=b"]), shortcut(Some(number(5)))).unwrap();
        assert_eq!(
            read,
            [
                ("a".into(), AmqpValue::Text("b".into())),
                ("x-message-ttl".into(), AmqpValue::Int(5))
            ]
        );
        let refused = arguments(words(&["x-message-ttl=1"]), shortcut(Some(number(5))));
        assert_eq!(
            refused.unwrap_err().text(),
            "--ttl and --argument x-message-ttl cannot be used together"
        );
        assert!(arguments(words(&["x-message-ttl=1"]), shortcut(None)).is_ok());
        let refused = pairs("--header", words(&["a=1", "a=2"])).unwrap_err();
        assert_eq!(refused.text(), "--header a is given twice");
        let refused = pairs("--header", words(&["a:wide=1"])).unwrap_err();
        assert!(
            refused
                .text()
                .starts_with("--header: \"wide\" is not a type")
        );
    }

    #[test]
    fn numbers_have_their_limits() {
        assert_eq!("1m".parse(), Ok(Millis(60_000)));
        assert_eq!("0.25".parse(), Ok(Millis(250)));
        assert!("1us".parse::<Millis>().is_err());
        assert_eq!(frame_max("128KiB"), Ok(131_072));
        assert!(frame_max("4095").is_err() && frame_max("4GiB").is_err());
        assert!(exchange_type("x-delayed-message").is_ok());
        assert!(exchange_type("Topic").is_err() && exchange_type("").is_err());
    }
}
