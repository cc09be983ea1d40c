//! `-t TOPIC;OPTION;OPTION`: a topic to publish to, with options of its own.

use std::ffi::OsString;

use crate::error::{Error, Result};
use crate::message::{Detail, MqttDetail};
use crate::mqtt::packet::QoS;
use crate::payload::{Destination, Source};

use super::subscription::pieces;
use crate::cli::syntax::values;

/// Reads `a/{seq};qos=1;retain`; options not given are as in `qos` and `retain`. In a topic `;;` stands for `;`.
pub(super) fn read(word: OsString, qos: QoS, retain: bool) -> Result<Destination> {
    let text = values::text("-t", word)?;
    let mut pieces = pieces(&text).into_iter();
    // `pieces` gives at least one, the topic.
    let topic = values::topic_name("-t", pieces.next().unwrap_or_default().into())?;
    let destination = values::destination("-t", topic)?;
    let mut own = None;
    for piece in pieces {
        let detail = own.get_or_insert(MqttDetail {
            qos: qos.level(),
            retain,
            ..MqttDetail::default()
        });
        option(&piece, detail)
            .map_err(|why| Error::usage(format!("-t {text:?}: {why}")).hint(HINT))?;
    }
    Ok(match own {
        Some(detail) => destination.with(Detail::Mqtt(detail)),
        None => destination,
    })
}

const HINT: &str = "the options are qos=0|1|2 and retain; write ;; for a semicolon in a topic";

fn option(piece: &str, detail: &mut MqttDetail) -> Result<(), String> {
    match piece.split_once('=') {
        None if piece == "retain" => detail.retain = true,
        Some(("qos", level)) => detail.qos = values::qos(level)?.level(),
        _ => return Err(format!("unknown option {piece:?}")),
    }
    Ok(())
}

/// Reads each of the `words`, for messages from `source`.
pub(super) fn all(
    words: Vec<OsString>,
    qos: QoS,
    retain: bool,
    source: &Source,
) -> Result<Vec<Destination>> {
    let topics = words.into_iter().map(|word| read(word, qos, retain));
    let topics = topics.collect::<Result<Vec<_>>>()?;
    let own = topics.iter().any(|topic| *topic.detail() != Detail::Plain);
    if own && *source == Source::Records {
        return Err(
            Error::usage("-t: options of a topic cannot be used with --ndjson")
                .hint("use -q and -r for records that do not say their own"),
        );
    }
    if !topics.is_empty() && *source != Source::Records && source.names_topics() {
        return Err(Error::usage("-t cannot be used with --topic-separator"));
    }
    Ok(topics)
}

/// The lowest QoS at which messages to these topics go out.
pub(super) fn lowest_qos(topics: &[Destination], qos: QoS) -> QoS {
    let own = |topic: &Destination| match topic.detail() {
        Detail::Mqtt(detail) => QoS::from_level(detail.qos).unwrap_or(qos),
        _ => qos,
    };
    topics.iter().map(own).min().unwrap_or(qos)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(word: &str) -> Result<Destination> {
        read(word.into(), QoS::AtLeastOnce, false)
    }

    fn detail(word: &str) -> (u8, bool) {
        let topic = parse(word).unwrap();
        let detail = topic.detail().as_mqtt();
        (detail.qos, detail.retain)
    }

    #[test]
    fn options_follow_the_topic() {
        assert_eq!(detail("a;qos=2"), (2, false));
        assert_eq!(detail("a;retain"), (1, true));
        assert_eq!(detail("a;qos=0;retain"), (0, true));
        assert_eq!(*parse("a").unwrap().detail(), Detail::Plain);
        assert_eq!(parse("a;;b;retain").unwrap().fixed().unwrap(), "a;b");
        assert!(parse("a/{seq};qos=0").unwrap().fixed().is_none());
    }

    #[test]
    fn wrong_options_are_named() {
        for (word, why) in [
            ("a;qos=3", r#"-t "a;qos=3": QoS is 0, 1 or 2"#),
            ("a;nl", r#"-t "a;nl": unknown option "nl""#),
            ("a;", r#"-t "a;": unknown option """#),
            (
                "a;retain=1",
                r#"-t "a;retain=1": unknown option "retain=1""#,
            ),
            ("a/#;qos=1", r##"-t: topic "a/#" contains the wildcard #"##),
        ] {
            assert_eq!(parse(word).unwrap_err().text(), why);
        }
    }

    #[test]
    fn the_lowest_qos_counts_options() {
        let topics = |words: &[&str]| {
            words
                .iter()
                .map(|word| parse(word).unwrap())
                .collect::<Vec<_>>()
        };
        let lowest = |words| lowest_qos(&topics(words), QoS::AtLeastOnce);
        assert_eq!(lowest(&["a", "b;qos=0"]), QoS::AtMostOnce);
        assert_eq!(lowest(&["a", "b;qos=2"]), QoS::AtLeastOnce);
        assert_eq!(lowest(&["b;qos=2"]), QoS::ExactlyOnce);
        assert_eq!(lowest(&[]), QoS::AtLeastOnce);
    }
}
