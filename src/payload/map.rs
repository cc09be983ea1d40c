//! What becomes of a body on its way: `jq: {v: .value, at: $time}`.

use std::fmt;
use std::str::FromStr;

use bytes::Bytes;
use serde_json::Value;

use super::expect::JQ;
use super::jq::{Filter, Input};
use crate::message::Message;

/// An expression whose outputs are the new bodies of a message.
///
/// | output | what comes of it |
/// |---|---|
/// | a string | its text, as it is |
/// | anything else | JSON in one line |
/// | none | no message: it is filtered out |
/// | several | as many messages, at most 1,000 |
#[derive(Clone, Debug)]
pub struct Map(Filter);

impl Map {
    /// The messages that become of one; all that is not their body is as it was. `json` is the body as JSON.
    ///
    /// # Errors
    /// The expression fails on this message, or goes too far.
    pub fn apply(&self, input: Input<'_>, json: Option<&Value>) -> Result<Vec<Message>, String> {
        let bodies = self.0.map(input, json)?;
        let of = |body: Vec<u8>| Message {
            payload: Bytes::from(body),
            ..input.message.clone()
        };
        Ok(bodies.into_iter().map(of).collect())
    }
}

impl FromStr for Map {
    type Err = String;

    fn from_str(words: &str) -> Result<Self, String> {
        match words.trim_start().strip_prefix(JQ) {
            Some(code) => Filter::compile(code.trim_start()).map(Self),
            None => Err(String::from("a map begins with jq:, as 'jq: .value'")),
        }
    }
}

impl fmt::Display for Map {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{JQ} {}", self.0)
    }
}

#[cfg(all(test, feature = "jq"))]
mod tests {
    use super::*;
    use crate::message::{Detail, MqttDetail};

    #[test]
    fn a_message_becomes_none_or_several() {
        let body = r#"{"a": [1, "x", {"b": 2}]}"#;
        let message = Message {
            topic: "t".into(),
            payload: body.into(),
            detail: Detail::Mqtt(MqttDetail {
                qos: 2,
                ..MqttDetail::default()
            }),
            ..Message::default()
        };
        let json = serde_json::from_str(body).ok();
        let apply = |words: &str| {
            let map: Map = words.parse().unwrap();
            assert_eq!(map.to_string(), words);
            let input = Input {
                message: &message,
                captures: None,
                now: None,
            };
            map.apply(input, json.as_ref())
        };
        let several = apply("jq: .a[]").unwrap();
        let bodies: Vec<&[u8]> = several.iter().map(|it| &*it.payload).collect();
        assert_eq!(bodies, [b"1" as &[u8], b"x", br#"{"b":2}"#]);
        assert!(
            several
                .iter()
                .all(|it| it.topic == "t" && it.detail == message.detail)
        );
        assert_eq!(apply("jq: empty"), Ok(Vec::new()));
        assert!(apply("jq: .a.b").is_err());
    }

    #[test]
    fn what_is_no_map_is_refused() {
        for (words, why) in [
            (".a", "a map begins with jq:, as 'jq: .value'"),
            ("jq: .a +", "column 5: term is expected"),
        ] {
            assert_eq!(words.parse::<Map>().unwrap_err(), why);
        }
    }
}
