//! What rabtap records of AMQP (`--format json` and `json-nopp`, and the files of `--saveto`): JSON objects one after another,
//! each on one line or on several.

use std::time::{SystemTime, UNIX_EPOCH};

use bytes::{Bytes, BytesMut};
use bytestring::ByteString;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::record::amqp_table;
use super::{Encoding, LONGEST, instant};
use crate::error::brief;
use crate::file;
use crate::message::{AmqpDetail, AmqpProperties, Detail, Message, UNTIMED};

/// Reads lines as messages.
#[derive(Debug, Default)]
pub(super) struct Objects {
    /// The lines of an object that has not come to its end.
    begun: BytesMut,
    /// How many of its braces are open.
    depth: i64,
    /// How many lines were read, and which of them it began with.
    lines: u64,
    first: u64,
}

impl Objects {
    /// Whether an object has not come to its end.
    pub(super) fn has_begun(&self) -> bool {
        !self.begun.is_empty()
    }

    /// The message that ends with this line; `None`: it goes on, or there is none.
    ///
    /// # Errors
    /// What is wrong with it, without the number of this line.
    pub(super) fn message(&mut self, mut line: &[u8]) -> Result<Option<Message>, String> {
        self.lines += 1;
        if !self.has_begun() {
            line = line
                .strip_prefix(file::BYTE_ORDER_MARK.as_bytes())
                .unwrap_or(line)
                .trim_ascii();
            if line.is_empty() {
                return Ok(None);
            }
            if !line.starts_with(b"{") {
                return Err(String::from("not a JSON object"));
            }
            (self.depth, self.first) = (0, self.lines);
        } else if line.starts_with(b"{") {
            // What is within an object is indented.
            return Err(self.told("a message begins within another"));
        }
        self.begun.extend_from_slice(line);
        self.begun.extend_from_slice(b"\n");
        if self.begun.len() > 2 * LONGEST {
            return Err(self.told(&format!("longer than {} bytes", 2 * LONGEST)));
        }
        self.depth += deeper(line).ok_or_else(|| self.told("a text has no end"))?;
        if self.depth > 0 {
            return Ok(None);
        }
        let text = self.begun.split();
        let recorded = serde_json::from_slice::<Recorded>(&text).map_err(|it| self.flaw(&it))?;
        let message = recorded.message().map_err(|why| self.told(&why))?;
        Ok(Some(message))
    }

    /// With the line that the object began with, if that was another.
    fn told(&self, why: &str) -> String {
        match self.first == self.lines {
            true => why.to_owned(),
            false => format!("{why}; the message begins at line {}", self.first),
        }
    }

    /// What is no JSON, or no message of rabtap's.
    fn flaw(&self, error: &serde_json::Error) -> String {
        let words = error.to_string();
        let what = words.split(" at line ").next().unwrap_or_default();
        let (line, column) = (error.line() as u64 + self.first - 1, error.column());
        match (line == self.lines, column) {
            (_, 0) => self.told(what),
            (true, column) => self.told(&format!("{what} at column {column}")),
            (false, column) => format!("{what} at column {column} of line {line}"),
        }
    }
}

/// By how many braces a line goes deeper; `None`: it ends within a text.
fn deeper(mut rest: &[u8]) -> Option<i64> {
    let mut depth = 0;
    while let Some(at) = memchr::memchr3(b'{', b'}', b'"', rest) {
        let found = rest[at];
        rest = &rest[at + 1..];
        match found {
            b'{' => depth += 1,
            b'}' => depth -= 1,
            _ => rest = behind_text(rest)?,
        }
    }
    Some(depth)
}

/// What follows a text that has begun.
fn behind_text(mut rest: &[u8]) -> Option<&[u8]> {
    loop {
        let at = memchr::memchr2(b'"', b'\\', rest)?;
        match rest[at] {
            b'"' => return Some(&rest[at + 1..]),
            _ => rest = rest.get(at + 2..)?,
        }
    }
}

/// A message as rabtap writes it: what it did not have is empty, 0, or the year 1.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Recorded {
    #[serde(default)]
    headers: Option<Map<String, Value>>,
    #[serde(default)]
    content_type: String,
    #[serde(default)]
    content_encoding: String,
    #[serde(default)]
    delivery_mode: u8,
    #[serde(default)]
    priority: u8,
    #[serde(default, rename = "CorrelationID")]
    correlation_id: String,
    #[serde(default)]
    reply_to: String,
    #[serde(default)]
    expiration: String,
    #[serde(default, rename = "MessageID")]
    message_id: String,
    #[serde(default)]
    timestamp: String,
    #[serde(default, rename = "Type")]
    kind: String,
    #[serde(default, rename = "UserID")]
    user_id: String,
    #[serde(default, rename = "AppID")]
    app_id: String,
    exchange: String,
    routing_key: String,
    #[serde(default, rename = "XRabtapReceivedTimestamp")]
    received: String,
    // It must be there, also where it is null.
    #[serde(deserialize_with = "Option::deserialize")]
    body: Option<String>,
}

impl Recorded {
    fn message(self) -> Result<Message, String> {
        let text = |text: String| Some(ByteString::from(text)).filter(|it| !it.is_empty());
        let number = |number: u8| Some(number).filter(|it| *it > 0);
        let headers = amqp_table(self.headers.unwrap_or_default());
        let timestamp = time("Timestamp", &self.timestamp)?;
        let since = timestamp.and_then(|it| it.duration_since(UNIX_EPOCH).ok());
        let properties = AmqpProperties {
            content_type: text(self.content_type),
            content_encoding: text(self.content_encoding),
            headers: headers.map_err(|flaw| format!("Headers: {flaw}"))?,
            delivery_mode: number(self.delivery_mode),
            priority: number(self.priority),
            correlation_id: text(self.correlation_id),
            reply_to: text(self.reply_to),
            expiration: text(self.expiration),
            message_id: text(self.message_id),
            timestamp: since.map(|it| it.as_secs()),
            kind: text(self.kind),
            user_id: text(self.user_id),
            app_id: text(self.app_id),
            ..AmqpProperties::default()
        };
        let digits = Bytes::from(self.body.unwrap_or_default());
        let payload = Encoding::Base64.decode(digits);
        Ok(Message {
            time: time("XRabtapReceivedTimestamp", &self.received)?.unwrap_or(UNTIMED),
            topic: self.routing_key.into(),
            payload: payload.map_err(|flaw| format!("Body: {flaw}"))?,
            detail: Detail::Amqp(Box::new(AmqpDetail {
                exchange: self.exchange.into(),
                properties,
                ..AmqpDetail::default()
            })),
        })
    }
}

/// A time; one before 1970 is none.
fn time(name: &str, text: &str) -> Result<Option<SystemTime>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    let time = instant::read(text);
    let time =
        time.ok_or_else(|| format!("{name}: {:?} is not a time", brief(text).to_string()))?;
    Ok(Some(time).filter(|time| *time >= UNIX_EPOCH))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::message::AmqpValue;

    /// As rabtap shows a message, with these members in it.
    fn pretty(members: &str) -> String {
        let common = r#""Exchange": "logs", "RoutingKey": "k.a","#;
        let text = format!("{{{common} {members} \"DeliveryTag\": 1, \"Redelivered\": false}}");
        text.replace(", ", ",\n  ")
            .replace('{', "{\n  ")
            .replace('}', "\n}")
    }

    fn read(text: &str) -> Result<Vec<Message>, String> {
        let mut objects = Objects::default();
        let read = text
            .split('\n')
            .map(|line| objects.message(line.as_bytes()));
        read.filter_map(Result::transpose).collect()
    }

    #[test]
    fn everything_that_rabtap_knows_of_a_message() {
        let text = r#"{"Headers":{"n":1,"t":{"x":"}\"{"}},"ContentType":"text/plain","ContentEncoding":"utf-8","DeliveryMode":2,
"Priority":4,"CorrelationID":"c","ReplyTo":"r","Expiration":"60000","MessageID":"m","Timestamp":"2009-11-10T23:00:00Z",
"Type":"t","UserID":"guest","AppID":"app","DeliveryTag":27,"Redelivered":true,"Exchange":"amq.topic","RoutingKey":"a.b",
"XRabtapReceivedTimestamp":"2019-06-13T19:33:51.920711583+02:00","Body":"AP8="}"#;
        let message = read(text).unwrap().remove(0);
        assert_eq!(
            (&*message.topic, &message.payload[..]),
            ("a.b", &b"\x00\xff"[..])
        );
        let since = message.time.duration_since(UNIX_EPOCH).unwrap();
        assert_eq!(since, Duration::new(1_560_447_231, 920_711_583));
        let Detail::Amqp(amqp) = message.detail else {
            panic!("not of AMQP")
        };
        assert_eq!(amqp.exchange, "amq.topic");
        let inner = AmqpValue::Table(vec![("x".into(), AmqpValue::Text("}\"{".into()))]);
        let expected = AmqpProperties {
            content_type: Some("text/plain".into()),
            content_encoding: Some("utf-8".into()),
            headers: vec![("n".into(), AmqpValue::Int(1)), ("t".into(), inner)],
            delivery_mode: Some(2),
            priority: Some(4),
            correlation_id: Some("c".into()),
            reply_to: Some("r".into()),
            expiration: Some("60000".into()),
            message_id: Some("m".into()),
            timestamp: Some(1_257_894_000),
            kind: Some("t".into()),
            user_id: Some("guest".into()),
            app_id: Some("app".into()),
            ..AmqpProperties::default()
        };
        assert_eq!(amqp.properties, expected);
    }

    #[test]
    fn what_a_message_did_not_have_is_not_there() {
        let members = r#""Headers": null, "ContentType": "", "Priority": 0, "DeliveryMode": 0, "Timestamp": "0001-01-01T00:00:00Z", "Body": null,"#;
        let messages = read(&format!("{0}\n{0}\r\n\n", pretty(members))).unwrap();
        assert_eq!(messages.len(), 2);
        for message in messages {
            assert_eq!((message.time, message.payload.len()), (UNTIMED, 0));
            let Detail::Amqp(amqp) = message.detail else {
                panic!("not of AMQP")
            };
            assert_eq!(amqp.properties, AmqpProperties::default());
        }
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        let whole = pretty(r#""Body": "","#);
        for (text, why) in [
            (String::from("x"), "not a JSON object"),
            (
                String::from("{\"Exchange\":\"\",\"RoutingKey\":\"\"}"),
                "missing field `Body`",
            ),
            (
                String::from("{\"topic\":\"a\",\"payload\":\"\"}"),
                "missing field `Exchange`",
            ),
            (
                whole.replace("\"Body\": \"\"", "\"Body\": \"?\""),
                "Body: not base64",
            ),
            (
                whole.replace("\"Body\": \"\"", "\"Priority\": 300"),
                "invalid value: integer `300`",
            ),
            (
                whole.replace("\"Body\": \"\"", "\"Timestamp\": \"soon\", \"Body\": \"\""),
                "Timestamp: \"soon\" is not a time",
            ),
            (
                format!("{}\n{whole}", whole.trim_end_matches('}')),
                "a message begins within another; the message begins at line 1",
            ),
            (
                whole.replace("\"logs\"", "\"logs"),
                "a text has no end; the message begins at line 1",
            ),
        ] {
            let told = read(&text).unwrap_err();
            assert!(told.starts_with(why), "{told}");
        }
        let wrong = whole.replace("false", "fxlse");
        let told = read(&wrong).unwrap_err();
        assert!(told.ends_with("of line 6"), "{told}: {wrong}");
    }

    #[test]
    fn one_that_is_cut_off_has_begun() {
        let mut objects = Objects::default();
        assert_eq!(objects.message(b"{"), Ok(None));
        assert!(objects.has_begun());
        assert_eq!(objects.message(b"  \"Exchange\": \"\","), Ok(None));
    }
}
