//! What bodies of known forms say, as JSON or as text, and what came in a form that nobody reads as it is.

use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;
use serde_json::Value;

use super::inflate::inflated_within;
use super::media::{LARGEST, Reading, encoding, media_type, reading};
use super::sparkplug::{self, Births};
use super::{cbor, link, msgpack, protobuf, senml};
use crate::message::Message;

/// Reads bodies by what their messages say of them: content encoding, content type, topics of Sparkplug.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reader {
    /// What Sparkplug's edge nodes have said of their metrics.
    births: Births,
}

/// The form in which a body came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Came {
    /// How it was compressed.
    encoding: Option<&'static str>,
    /// What it was then, where that is not text.
    form: Option<&'static str>,
    /// Whether it was not what it claims to be, and is shown as it came.
    broken: bool,
}

impl Came {
    /// Whether what is shown was decoded.
    pub const fn is_decoded(&self) -> bool {
        !self.broken
    }
}

impl fmt::Display for Came {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.broken {
            let wrong = self.form.or(self.encoding).unwrap_or_default();
            return write!(f, "not valid {wrong}");
        }
        let words = [self.encoding, self.form].into_iter().flatten();
        f.write_str(&words.collect::<Vec<_>>().join(", "))
    }
}

impl Reader {
    /// The body of a message that MQTT would send to `topic`, as JSON or text, where it came in another form; `None`: it is
    /// shown as it came.
    pub(crate) fn read<'a>(
        &mut self,
        topic: &str,
        message: &'a Message,
    ) -> Option<(Came, Cow<'a, [u8]>)> {
        let body = &message.payload;
        if body.is_empty() || body.len() > LARGEST {
            return None;
        }
        let broken = |came| {
            Some((
                Came {
                    broken: true,
                    ..came
                },
                Cow::Borrowed(&**body),
            ))
        };
        let name = encoding(message).and_then(|name| known(&name));
        let mut came = Came {
            encoding: name,
            form: None,
            broken: false,
        };
        let whole = match name.map(|name| inflated_within(name, body, LARGEST)) {
            None => body.clone(),
            Some(Ok(whole)) => whole,
            Some(Err(_)) => return broken(came),
        };
        let named = media_type(message).map(|name| name.split('@').next().unwrap_or_default());
        let is_sparkplug = named.is_none() && sparkplug::is_topic(topic);
        let reading = reading(named);
        came.form = match is_sparkplug {
            true => Some("Sparkplug B"),
            false => form(reading),
        };
        if came.form.is_none() {
            return name.map(|_| (came, Cow::Owned(whole.into())));
        }
        let read = match (is_sparkplug, reading) {
            (true, _) => self.births.json(topic, &whole).ok().map(Bytes::from),
            (_, Reading::MessagePack) => msgpack::json(&whole).ok().map(Bytes::from),
            (_, Reading::Protobuf) => protobuf::json(&whole, None).ok().map(Bytes::from),
            (_, reading) => json_of(reading, &whole).ok(),
        };
        match read {
            Some(read) => Some((came, Cow::Owned(read.into()))),
            None => broken(came),
        }
    }
}

/// The encodings that can be undone.
fn known(encoding: &str) -> Option<&'static str> {
    let encoding = encoding.to_ascii_lowercase();
    Some(match encoding.as_str() {
        "gzip" | "x-gzip" => "gzip",
        "deflate" => "deflate",
        "zlib" => "zlib",
        "zstd" => "zstd",
        _ => return None,
    })
}

/// What is not text, and is read.
const fn form(reading: Reading) -> Option<&'static str> {
    Some(match reading {
        Reading::Cbor => "CBOR",
        Reading::CborSequence => "CBOR sequence",
        Reading::MessagePack => "MessagePack",
        Reading::Protobuf => "protobuf",
        Reading::SenmlCbor => "SenML in CBOR",
        Reading::Json | Reading::SenmlJson | Reading::Links | Reading::Text | Reading::Unknown => {
            return None;
        }
    })
}

fn json_value(body: &[u8]) -> Result<Value, String> {
    serde_json::from_slice(body).map_err(|fault| fault.to_string())
}

fn cbor_value(body: &[u8]) -> Result<Value, String> {
    cbor::json(body).map_err(|fault| fault.to_string())
}

/// For people; JSON, and what is prepared as JSON, is as it is.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn text_of(reading: Reading, body: &Bytes) -> Result<Bytes, String> {
    let bad = |fault: cbor::BadCbor| fault.to_string();
    Ok(match reading {
        Reading::Cbor => cbor::diagnostic(body, true).map_err(bad)?.into(),
        Reading::CborSequence => cbor::sequence(body).map_err(bad)?.join("\n").into(),
        Reading::SenmlJson => senml::lines(&json_value(body)?)?.join("\n").into(),
        Reading::SenmlCbor => senml::lines(&cbor_value(body)?)?.join("\n").into(),
        Reading::Links => links(body)?,
        Reading::Json
        | Reading::MessagePack
        | Reading::Protobuf
        | Reading::Text
        | Reading::Unknown => body.clone(),
    })
}

/// For programs.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn json_of(reading: Reading, body: &Bytes) -> Result<Bytes, String> {
    let resolved =
        |list: Value| senml::resolved(&list).map(|it| Value::from(it).to_string().into());
    match reading {
        Reading::Cbor => Ok(cbor_value(body)?.to_string().into()),
        Reading::SenmlJson => resolved(json_value(body)?),
        Reading::SenmlCbor => resolved(cbor_value(body)?),
        Reading::Json | Reading::MessagePack | Reading::Protobuf => Ok(body.clone()),
        Reading::CborSequence | Reading::Links | Reading::Text | Reading::Unknown => {
            text_of(reading, body)
        }
    }
}

/// One a line.
fn links(body: &[u8]) -> Result<Bytes, String> {
    let text = str::from_utf8(body).map_err(|_| String::from("not UTF-8 text"))?;
    let links = link::parse(text).map_err(|fault| fault.to_string())?;
    let lines = links.iter().map(|it| link::write(std::slice::from_ref(it)));
    Ok(lines.collect::<Vec<_>>().join("\n").into())
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::time::SystemTime;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;
    use crate::message::{Detail, MqttDetail, MqttProperties};

    fn message(content_type: Option<&'static str>, body: &[u8]) -> Message {
        Message {
            time: SystemTime::UNIX_EPOCH,
            detail: Detail::Mqtt(MqttDetail {
                properties: content_type.map(|name| {
                    Box::new(MqttProperties {
                        content_type: Some(name.into()),
                        ..MqttProperties::default()
                    })
                }),
                ..MqttDetail::default()
            }),
            ..Message::plain(body.to_vec().into())
        }
    }

    fn read(reader: &mut Reader, topic: &str, message: &Message) -> Option<(String, String)> {
        let (came, body) = reader.read(topic, message)?;
        Some((
            came.to_string(),
            String::from_utf8_lossy(&body).into_owned(),
        ))
    }

    fn gzip(body: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(body).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn each_form_is_read_by_what_its_message_says() {
        let cbor: &[u8] = b"\xa1\x61t\x15";
        let table: [(Option<&str>, Vec<u8>, &str, &str); 6] = [
            (
                Some("application/cbor"),
                cbor.to_vec(),
                "CBOR",
                r#"{"t":21}"#,
            ),
            (
                Some("application/msgpack"),
                b"\x81\xa1t\x15".to_vec(),
                "MessagePack",
                r#"{"t":21}"#,
            ),
            (
                Some("application/cbor-seq"),
                b"\x01\x02".to_vec(),
                "CBOR sequence",
                "1\n2",
            ),
            (None, gzip(b"{\"t\":21}"), "gzip", r#"{"t":21}"#),
            (
                Some("application/cbor"),
                gzip(cbor),
                "gzip, CBOR",
                r#"{"t":21}"#,
            ),
            (
                Some("application/cbor"),
                b"\xff".to_vec(),
                "not valid CBOR",
                "\u{fffd}",
            ),
        ];
        for (content_type, body, came, text) in table {
            let read = read(&mut Reader::default(), "a", &message(content_type, &body));
            assert_eq!(read, Some((came.to_owned(), text.to_owned())));
        }
        for (content_type, body) in [
            (None, cbor),
            (Some("application/json"), b"{\"t\":21}"),
            (Some("application/octet-stream"), cbor),
            (Some("application/cbor"), b""),
        ] {
            let message = message(content_type, body);
            assert_eq!(Reader::default().read("a", &message), None);
        }
    }

    #[test]
    fn a_metric_is_called_as_the_birth_certificate_of_its_node_calls_it() {
        // Metrics: name "temp", alias 1, datatype 9 (Float), and then the alias alone.
        let birth = b"\x12\x0f\x0a\x04temp\x10\x01\x20\x09\x65\x00\x00\xac\x41";
        let data = b"\x12\x07\x10\x01\x65\x00\x00\xb0\x41";
        let mut reader = Reader::default();
        for (topic, body, value) in [
            ("spBv1.0/g/NBIRTH/n", &birth[..], "21.5"),
            ("spBv1.0/g/NDATA/n", &data[..], "22"),
        ] {
            let (came, text) = read(&mut reader, topic, &message(None, body)).unwrap();
            assert_eq!(came, "Sparkplug B");
            assert!(text.contains("\"temp\"") && text.contains(value), "{text}");
        }
        let broken = read(&mut reader, "spBv1.0/g/NDATA/n", &message(None, b"\xff"));
        assert_eq!(broken.unwrap().0, "not valid Sparkplug B");
    }

    #[test]
    fn what_would_be_large_stays_as_it_came() {
        let bomb = gzip(&vec![0; LARGEST + 1]);
        let (came, body) = Reader::default()
            .read("a", &message(None, &bomb))
            .map(|(came, body)| (came.is_decoded(), body.len()))
            .unwrap();
        assert_eq!((came, body), (false, bomb.len()));
    }
}
