//! Values that several commands read, and the refusals that they share.

use std::ffi::{OsStr, OsString};
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use bytestring::ByteString;
use clap::builder::{PathBufValueParser, TypedValueParser};

use crate::connect::ListenAddress;
use crate::error::{Error, Result};
use crate::mqtt::packet::{LARGEST_PACKET, QoS, RetainHandling, Version};
use crate::mqtt::topic;
use crate::payload::Destination;
use crate::payload::template::Template;

use super::numbers::{Count, Size, Span};

/// `5`, `311`, `31`, also as mosquitto and the specifications write them.
pub(crate) fn version(word: &str) -> Result<Version, &'static str> {
    match word {
        "5" | "5.0" | "v5" | "mqttv5" => Ok(Version::V5),
        "311" | "3.1.1" | "v311" | "mqttv311" => Ok(Version::V311),
        "31" | "3.1" | "v31" | "mqttv31" => Ok(Version::V31),
        _ => Err("expected 31, 311 or 5"),
    }
}

/// How `-V` writes a version.
const fn version_word(version: Version) -> &'static str {
    match version {
        Version::V31 => "31",
        Version::V311 => "311",
        Version::V5 => "5",
    }
}

/// `0`, `1` or `2`.
pub(crate) fn qos(word: &str) -> Result<QoS, &'static str> {
    word.parse()
        .ok()
        .and_then(QoS::from_level)
        .ok_or("QoS is 0, 1 or 2")
}

/// Whole seconds up to 65,535; 0 turns the keep-alive off (MQTT 5.0 §3.1.2.10).
pub(crate) fn keep_alive(word: &str) -> Result<u16, &'static str> {
    let Span(span) = word.parse()?;
    match u16::try_from(span.as_secs()) {
        Ok(seconds) if span.subsec_nanos() == 0 => Ok(seconds),
        _ => Err("expected whole seconds from 0 to 65535"),
    }
}

/// When retained messages come: `always`, `new` or `never`, or the 0, 1, 2 of the specification.
pub(crate) fn retain_handling(word: &str) -> Result<RetainHandling, &'static str> {
    match word {
        "always" | "0" => Ok(RetainHandling::Always),
        "new" | "1" => Ok(RetainHandling::New),
        "never" | "2" => Ok(RetainHandling::Never),
        _ => Err("expected always, new or never"),
    }
}

/// A limit on packets, up to the protocol's own.
///
/// A limit below this lets no session begin: CONNACK with a few properties does not fit.
pub(crate) fn packet_size(word: &str) -> Result<u32, String> {
    const SMALLEST: u32 = 16;
    let Size(size) = word.parse()?;
    match u32::try_from(size) {
        Ok(size) if (SMALLEST..=LARGEST_PACKET).contains(&size) => Ok(size),
        _ => Err(format!(
            "expected a packet size between {SMALLEST} and {LARGEST_PACKET} bytes"
        )),
    }
}

/// An address to listen on, for what does so over TCP only.
pub(crate) fn socket_address(word: &str) -> Result<SocketAddr, String> {
    ListenAddress::ip(word)
}

/// A file for a result, whose report is on standard output: `-` would be a file of this name.
pub(crate) fn result_file() -> impl TypedValueParser<Value = PathBuf> {
    PathBufValueParser::new().try_map(|path| match path.as_os_str() == "-" {
        true => Err("standard output has the report; name a file, or use --output"),
        false => Ok(path),
    })
}

/// A client identifier or a part of one: at most 65,535 bytes (MQTT 5.0 §1.5.4).
pub(crate) fn identifier(word: &str) -> Result<ByteString, &'static str> {
    if word.len() > usize::from(u16::MAX) {
        return Err("it is longer than 65535 bytes");
    }
    Ok(ByteString::from(word))
}

/// Text, or an error that names the `flag`.
pub(crate) fn text(flag: &str, word: OsString) -> Result<String> {
    word.into_string()
        .map_err(|word| Error::usage(format!("{flag} is not valid UTF-8: {}", shown(&word))))
}

/// A topic that can be published to (MQTT 5.0 §4.7).
pub(crate) fn topic_name(flag: &str, word: OsString) -> Result<ByteString> {
    let topic = text(flag, word)?;
    topic::check_name(&topic).map_err(|why| {
        let refused = Error::usage(format!("{flag}: {why}"));
        if topic.contains(['+', '#']) {
            refused.hint("wildcards are for subscribing only")
        } else {
            refused
        }
    })?;
    Ok(topic.into())
}

/// A text with places, those that `is_name` knows among them.
pub(crate) fn template(flag: &str, text: &str, is_name: impl Fn(&str) -> bool) -> Result<Template> {
    Template::with_names(text, is_name).map_err(|slip| of_flag(flag, slip))
}

/// A topic or a key with places.
pub(crate) fn destination(flag: &str, name: ByteString) -> Result<Destination> {
    Destination::filled(name).map_err(|slip| of_flag(flag, slip))
}

/// A topic that is made from that of each message, see [`Destination::mapped`].
pub(crate) fn mapped(flag: &str, name: ByteString) -> Result<Destination> {
    Destination::mapped(name).map_err(|slip| of_flag(flag, slip))
}

fn of_flag(flag: &str, slip: Error) -> Error {
    let text = format!("{flag}: {}", slip.text());
    slip.reworded(text)
}

/// A filter that can be subscribed to (MQTT 5.0 §4.7, §4.8.2).
pub(crate) fn topic_filter(flag: &str, word: OsString) -> Result<ByteString> {
    let filter = text(flag, word)?;
    topic::check_filter(&filter).map_err(|why| Error::usage(format!("{flag}: {why}")))?;
    Ok(filter.into())
}

/// Refuses `what` when it was given together with a `version` that does not have it.
pub(crate) fn needs_v5(version: Option<Version>, what: &str, given: bool) -> Result<()> {
    match version {
        Some(version) if given && version < Version::V5 => {
            let word = version_word(version);
            Err(Error::usage(format!("{what} needs MQTT 5, not -V {word}"))
                .hint(format!("remove -V {word} or {what}")))
        }
        _ => Ok(()),
    }
}

/// Refuses `what` when it was given without what it belongs to.
pub(crate) fn needs(what: &str, given: bool, needed: &str, there: bool) -> Result<()> {
    if given && !there {
        return Err(Error::usage(format!("{what} needs {needed}")));
    }
    Ok(())
}

/// A number of messages to wait for, which is not 0.
pub(crate) fn messages(count: Option<Count>) -> Result<Option<u64>> {
    match count {
        Some(Count(0)) => Err(Error::usage("-C must be at least 1")),
        count => Ok(count.map(|Count(count)| count)),
    }
}

/// Refuses a `flag` that was given 0.
pub(crate) fn at_least_one(flag: &str, number: Option<NonZeroUsize>) -> Result<NonZeroUsize> {
    number.ok_or_else(|| Error::usage(format!("{flag} must be at least 1")))
}

/// At most 80 characters of a word, in quotes.
fn shown(word: &OsStr) -> String {
    let text = word.to_string_lossy();
    match text.char_indices().nth(80) {
        Some((end, _)) => format!("{:?}…", &text[..end]),
        None => format!("{text:?}"),
    }
}

/// A content format by number, media type or short name.
pub(crate) fn content_format(word: &str) -> Result<u16, String> {
    crate::coap::format::number(word).ok_or_else(|| {
        format!("invalid content format {word:?}: expected a number up to 65535, a media type, or a short name such as json")
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStringExt;

    use super::*;

    #[test]
    fn versions_read_as_mosquitto_and_the_specifications_write_them() {
        for (words, meant) in [
            (["31", "3.1", "mqttv31"], Version::V31),
            (["311", "3.1.1", "mqttv311"], Version::V311),
            (["5", "5.0", "mqttv5"], Version::V5),
        ] {
            for word in words {
                assert_eq!(version(word), Ok(meant), "{word}");
            }
            assert_eq!(version(version_word(meant)), Ok(meant));
        }
        assert!(version("4").is_err());
    }

    #[test]
    fn limits_are_refused_at_their_edges() {
        assert_eq!(keep_alive("0"), Ok(0));
        assert_eq!(keep_alive("1m"), Ok(60));
        assert_eq!(keep_alive("65535"), Ok(65_535));
        assert!(keep_alive("65536").is_err());
        assert!(keep_alive("1.5").is_err());
        assert_eq!(packet_size("64KiB"), Ok(65_536));
        assert_eq!(packet_size("268435460"), Ok(LARGEST_PACKET));
        assert!(packet_size("0").is_err());
        assert!(packet_size("268435461").is_err());
        assert!(identifier(&"x".repeat(65_535)).is_ok());
        assert!(identifier(&"x".repeat(65_536)).is_err());
        assert!(qos("3").is_err() && qos("").is_err() && qos("256").is_err());
    }

    #[test]
    fn words_that_are_no_text_are_shown_cut() {
        let word = OsString::from_vec([b"a\xff".as_slice(), &[b'x'; 200]].concat());
        let refused = topic_name("-t", word).unwrap_err();
        assert!(
            refused
                .text()
                .starts_with("-t is not valid UTF-8: \"a\u{fffd}xxx")
        );
        assert!(refused.text().chars().count() < 120);
    }

    #[test]
    fn a_wildcard_is_explained() {
        let refused = topic_name("-t", "a/#".into()).unwrap_err();
        assert_eq!(
            refused.text(),
            r##"-t: topic "a/#" contains the wildcard #"##
        );
        assert!(refused.hint_text().is_some());
    }
}
