//! The rows of other programs' recordings (RFC 4180) as messages.

use std::time::{Duration, SystemTime};

use bytes::{Bytes, BytesMut};
use bytestring::ByteString;

use super::{Encoding, LONGEST, Payloads};
use crate::message::{Detail, Message, MqttDetail};

/// Reads the lines of a table; a quoted field may hold line breaks, so that a row may be several of them.
pub(super) struct Rows {
    payloads: Payloads,
    /// The lines of a row that has not come to its end.
    begun: BytesMut,
}

impl Rows {
    pub(super) fn new(payloads: Payloads) -> Self {
        Self {
            payloads,
            begun: BytesMut::new(),
        }
    }

    /// Whether a row has not come to its end.
    pub(super) fn has_begun(&self) -> bool {
        !self.begun.is_empty()
    }

    /// Whether `line` may be the beginning of a row, and only its end is missing; the first line of a file must look like one.
    pub(super) fn is_begun(&self, line: &[u8], follows: bool) -> bool {
        let looks_like_one = follows || line.starts_with(b"\"") || line.contains(&b',');
        let is_short = fields(line).is_ok_and(|fields| fields.len() < 6);
        self.has_begun() || (looks_like_one && is_short) || fields(line).is_err()
    }

    /// The message of the row that ends with this line; `None`: the row goes on.
    ///
    /// # Errors
    /// What is wrong with it, without its number.
    pub(super) fn message(&mut self, line: &[u8]) -> Result<Option<Message>, String> {
        self.begun.extend_from_slice(line);
        if self.begun.len() > LONGEST {
            return Err(format!("longer than {LONGEST} bytes"));
        }
        // A quotation mark within quotes is doubled, so that within them their number is odd.
        if memchr::memchr_iter(b'"', &self.begun).count() % 2 == 1 {
            self.begun.extend_from_slice(b"\n");
            return Ok(None);
        }
        let row = self.begun.split();
        let row = row.strip_suffix(b"\r").unwrap_or(&row);
        let fields = fields(row)?;
        let [topic, payload, qos, retain, time, _] = &fields[..] else {
            return Err(format!(
                "{} fields instead of 6: topic, payload, QoS, retain, time and interval",
                fields.len()
            ));
        };
        let text = |name: &str, field: &Bytes| {
            ByteString::try_from(field.clone()).map_err(|_| format!("{name}: not valid UTF-8"))
        };
        let payload = match self.payloads {
            Payloads::Text => payload.clone(),
            Payloads::Base64 => Encoding::Base64
                .decode(payload.clone())
                .map_err(|flaw| format!("payload: {flaw}"))?,
        };
        Ok(Some(Message {
            time: seconds(&text("time", time)?)?,
            topic: text("topic", topic)?,
            payload,
            detail: Detail::Mqtt(MqttDetail {
                qos: match &qos[..] {
                    b"0" => 0,
                    b"1" => 1,
                    b"2" => 2,
                    _ => return Err(String::from("the QoS is not one of 0, 1, 2")),
                },
                retain: match &retain[..] {
                    b"True" | b"1" => true,
                    b"False" | b"0" => false,
                    _ => return Err(String::from("the retain flag is neither True nor False")),
                },
                ..MqttDetail::default()
            }),
        }))
    }
}

/// Seconds since 1970, with a fraction.
fn seconds(text: &str) -> Result<SystemTime, String> {
    let seconds = text.parse().ok().map(Duration::try_from_secs_f64);
    let time = seconds.and_then(Result::ok);
    time.and_then(|since| SystemTime::UNIX_EPOCH.checked_add(since))
        .ok_or_else(|| String::from("the time is not a number of seconds since 1970"))
}

/// The fields of a row.
pub(crate) fn fields(mut row: &[u8]) -> Result<Vec<Bytes>, String> {
    let mut fields = Vec::new();
    loop {
        let (field, rest) = match row {
            [b'"', quoted @ ..] => unquoted(quoted)?,
            _ => {
                let end = memchr::memchr(b',', row).unwrap_or(row.len());
                (Bytes::copy_from_slice(&row[..end]), &row[end..])
            }
        };
        fields.push(field);
        match rest {
            [] => return Ok(fields),
            [b',', rest @ ..] => row = rest,
            _ => return Err(String::from("text after a quoted field")),
        }
    }
}

/// A field without its quotation marks, of which the first is gone, and what follows it.
fn unquoted(mut rest: &[u8]) -> Result<(Bytes, &[u8]), String> {
    let mut field = BytesMut::new();
    while let Some(at) = memchr::memchr(b'"', rest) {
        field.extend_from_slice(&rest[..at]);
        rest = &rest[at + 1..];
        match rest {
            [b'"', more @ ..] => {
                field.extend_from_slice(b"\"");
                rest = more;
            }
            _ => return Ok((field.freeze(), rest)),
        }
    }
    Err(String::from("a quoted field has no end"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(payloads: Payloads, line: &str) -> Result<Message, String> {
        let message = Rows::new(payloads).message(line.as_bytes())?;
        Ok(message.expect("a whole row"))
    }

    #[test]
    fn rows_as_the_program_writes_them() {
        let row = "site/1,\"{\"\"v\"\": 1, \"\"w\"\": \"\"x\"\"}\",1,True,1764450000.25,0.5\r";
        let message = one(Payloads::Text, row).unwrap();
        assert_eq!(&*message.topic, "site/1");
        assert_eq!(message.payload, r#"{"v": 1, "w": "x"}"#);
        let since = message.time.duration_since(SystemTime::UNIX_EPOCH);
        assert_eq!(since.unwrap(), Duration::from_millis(1_764_450_000_250));
        let mqtt = message.detail.as_mqtt();
        assert_eq!((mqtt.qos, mqtt.retain), (1, true));
        let message = one(Payloads::Base64, "a,AP8=,0,False,1.0,0.0").unwrap();
        assert_eq!(message.payload, b"\x00\xff"[..]);
    }

    #[test]
    fn a_quoted_field_may_hold_line_breaks() {
        let mut rows = Rows::new(Payloads::Text);
        assert_eq!(rows.message(b"a,\"one").unwrap(), None);
        assert!(rows.has_begun());
        assert_eq!(rows.message(b"").unwrap(), None);
        let message = rows.message(b"two, three\",0,False,1.0,0.0\r").unwrap();
        assert_eq!(message.unwrap().payload, "one\n\ntwo, three");
        assert!(!rows.has_begun());
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (row, why) in [
            ("a,b", "2 fields instead of 6"),
            ("a,b,3,False,1.0,0", "the QoS is not one of 0, 1, 2"),
            (
                "a,b,0,no,1.0,0",
                "the retain flag is neither True nor False",
            ),
            ("a,b,0,False,soon,0", "the time is not a number"),
            ("a,b,0,False,-1,0", "the time is not a number"),
            ("a,\"b\"c,0,False,1,0", "text after a quoted field"),
        ] {
            let told = one(Payloads::Text, row).unwrap_err();
            assert!(told.starts_with(why), "{told}");
        }
        assert!(one(Payloads::Base64, "a,?,0,False,1,0").is_err());
    }
}
