//! `iotctl-ota 1`: how manifests, blocks and reports go over MQTT. docs/ota.md has the topics for others who speak it.
//!
//! | topic | what | retained |
//! |---|---|---|
//! | `ota/all/manifest`, `ota/group/G/manifest`, `ota/device/ID/manifest` | an envelope, QoS 1 | yes |
//! | `ota/blob/SHA256/get` | a [`Request`] for blocks | no |
//! | `ota/to/ID/SHA8/N` | block N for one device, QoS 0; SHA8 is the first 8 digits of the SHA-256 | no |
//! | `ota/blob/SHA256/all/N` | block N for whoever misses it | no |
//! | `ota/status/ID` | a report as JSON, QoS 1 | yes |
//! | `ota/online/ID` | `1`, or `0` as the last will | yes |

use std::fmt;

use data_encoding::HEXLOWER;
use serde_json::json;

use super::cbor::{Items, Writer};
use super::device::{Ask, BLOCKS, Report};
use super::refusal::{Refusal, Result};
use super::{Digest, Identity};

/// The longest name of a device or group.
pub const LONGEST_NAME: usize = 128;

/// More blocks than a request can be for.
pub const MOST_BLOCKS: u32 = 64;

/// Who a manifest is for.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Audience {
    /// Every device.
    All,
    /// Those of a group.
    Group(String),
    /// One.
    Device(String),
}

impl Audience {
    /// `all`, `group:NAME` or `device:NAME`.
    pub fn parse(text: &str) -> Option<Self> {
        match text.split_once(':') {
            None if text == "all" => Some(Self::All),
            Some(("group", name)) if is_name(name) => Some(Self::Group(name.to_owned())),
            Some(("device", name)) if is_name(name) => Some(Self::Device(name.to_owned())),
            _ => None,
        }
    }
}

impl fmt::Display for Audience {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all"),
            Self::Group(name) => write!(f, "group:{name}"),
            Self::Device(name) => write!(f, "device:{name}"),
        }
    }
}

/// Whether a device or group can have this name: one level of a topic.
pub fn is_name(name: &str) -> bool {
    let is_plain = |letter: char| !letter.is_control() && !"/+#$".contains(letter);
    !name.is_empty() && name.len() <= LONGEST_NAME && name.chars().all(is_plain)
}

/// The topics below a prefix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topics(String);

impl Topics {
    /// Below `prefix`, which is a topic.
    pub fn new(prefix: &str) -> Self {
        Self(prefix.to_owned())
    }

    /// What follows the prefix in a topic below it.
    pub fn below<'t>(&self, topic: &'t str) -> Option<&'t str> {
        topic.strip_prefix(&self.0)?.strip_prefix('/')
    }

    /// Of a manifest.
    pub fn manifest(&self, audience: &Audience) -> String {
        let prefix = &self.0;
        match audience {
            Audience::All => format!("{prefix}/all/manifest"),
            Audience::Group(name) => format!("{prefix}/group/{name}/manifest"),
            Audience::Device(name) => format!("{prefix}/device/{name}/manifest"),
        }
    }

    /// Of requests for blocks of an image; `None`: of any image.
    pub fn requests(&self, image: Option<&Digest>) -> String {
        let image = image.map_or_else(|| String::from("+"), |it| HEXLOWER.encode(it));
        format!("{}/blob/{image}/get", self.0)
    }

    /// The image that a request is about.
    pub fn requested(&self, topic: &str) -> Option<Digest> {
        let rest = topic.strip_prefix(&self.0)?.strip_prefix("/blob/")?;
        digest(rest.strip_suffix("/get")?)
    }

    /// Of the block for one device; `None`: any block.
    pub fn block(&self, device: &str, image: &Digest, number: Option<u32>) -> String {
        let image = HEXLOWER.encode(&image[..4]);
        format!("{}/to/{device}/{image}/{}", self.0, level(number))
    }

    /// Of the block for all; `None`: any block.
    pub fn shared_block(&self, image: &Digest, number: Option<u32>) -> String {
        let image = HEXLOWER.encode(image);
        format!("{}/blob/{image}/all/{}", self.0, level(number))
    }

    /// Of the reports of a device, or of all with `+`.
    pub fn status(&self, device: &str) -> String {
        format!("{}/status/{device}", self.0)
    }

    /// The device that reports; `None` where it can have no such name.
    pub fn reporter<'t>(&self, topic: &'t str) -> Option<&'t str> {
        let device = topic.strip_prefix(&self.0)?.strip_prefix("/status/")?;
        is_name(device).then_some(device)
    }

    /// Whether a device is there.
    pub fn online(&self, device: &str) -> String {
        format!("{}/online/{device}", self.0)
    }

    /// What the controller of a rollout is told: `run`, `pause`, `abort`, or `ping` to see whether it is there.
    pub fn control(&self, plan: &str) -> String {
        format!("{}/rollout/{plan}/control", self.0)
    }

    /// Its answer: `running`, `paused`, `aborted` or `here`.
    pub fn answer(&self, plan: &str) -> String {
        format!("{}/rollout/{plan}/answer", self.0)
    }

    /// The lock of a rollout.
    pub fn lock(&self, plan: &str) -> String {
        format!("{}/rollout/{plan}/controller", self.0)
    }
}

/// Names over AMQP, below a prefix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queues(String);

impl Queues {
    /// Below `prefix`.
    pub fn new(prefix: &str) -> Self {
        Self(prefix.to_owned())
    }

    /// The exchange, of type direct, that manifests go to; an [`Audience`] as text is the routing key.
    pub fn exchange(&self) -> String {
        self.0.clone()
    }

    /// The queue of a device, for manifests.
    pub fn device(&self, device: &str) -> String {
        format!("{}.device.{device}", self.0)
    }

    /// The queue of the reports of all devices.
    pub fn status(&self) -> String {
        format!("{}.status", self.0)
    }

    /// A queue that belongs to the connection that reads the reports, for as long as it reads them.
    pub fn lock(&self) -> String {
        format!("{}.status.lock", self.0)
    }

    /// A queue that belongs to the connection of the controller of a rollout.
    pub fn controller(&self, plan: &str) -> String {
        format!("{}.rollout.{plan}", self.0)
    }
}

fn level(number: Option<u32>) -> String {
    number.map_or_else(|| String::from("+"), |number| number.to_string())
}

/// A SHA-256 in lower-case hexadecimal digits.
pub fn digest(digits: &str) -> Option<Digest> {
    HEXLOWER.decode(digits.as_bytes()).ok()?.try_into().ok()
}

/// The number of the block at the end of its topic.
pub fn block_number(topic: &str) -> Option<u32> {
    let (_, number) = topic.rsplit_once('/')?;
    number.parse().ok()
}

/// A device asks for blocks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Its name.
    pub device: String,
    /// Bytes of a block.
    pub block: u32,
    /// Which ones.
    pub ask: Ask,
}

impl Request {
    /// `{1: device, 2: bytes of a block, 3: first, 4: count, 5: bitmap}`, the last where not all of them are wanted.
    pub fn encode(&self) -> Vec<u8> {
        let mut it = Writer::default();
        it.map(4 + u64::from(self.ask.bitmap.is_some()));
        it.uint(1).text(&self.device);
        it.uint(2).uint(self.block.into());
        it.uint(3).uint(self.ask.first.into());
        it.uint(4).uint(self.ask.count.into());
        if let Some(bitmap) = &self.ask.bitmap {
            it.uint(5).bytes(bitmap);
        }
        it.take()
    }

    /// # Errors
    /// It is none.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        let mut items = Items::new(bytes, "request");
        let (mut device, mut bitmap) = (None, None);
        let mut numbers = [None; 3];
        for _ in 0..items.map("a map")? {
            match items.int("a number")? {
                1 => device = Some(items.text("a name")?),
                at @ 2..=4 => numbers[at as usize - 2] = Some(items.uint("a number")?),
                5 => bitmap = Some(items.bytes("a bitmap")?.to_vec()),
                _ => items.skip()?,
            }
        }
        items.end()?;
        let bad = |why: &str| Refusal::malformed("request", why);
        let number = |at: usize| {
            let number = numbers[at].and_then(|number: u64| u32::try_from(number).ok());
            number.ok_or_else(|| bad("a number is missing or too large"))
        };
        let device = device.filter(|name| is_name(name));
        let request = Self {
            device: device.ok_or_else(|| bad("it names no device"))?.to_owned(),
            block: number(0)?,
            ask: Ask {
                first: number(1)?,
                count: number(2)?,
                bitmap,
            },
        };
        let is_good = BLOCKS.contains(&request.block) && request.ask.count <= MOST_BLOCKS * 64;
        match is_good && request.ask.numbers().count() <= MOST_BLOCKS as usize {
            true => Ok(request),
            false => Err(bad("it asks for too much")),
        }
    }
}

/// A report as JSON; `at` is a time as RFC 3339 has it. Vendor and class are what the device calls them: names, or UUIDs.
pub fn report(
    report: &Report,
    device: &str,
    identity: &Identity,
    groups: &[String],
    at: &str,
) -> String {
    let image = report.image.map(|image| HEXLOWER.encode(&image));
    let json = json!({"state": report.state, "version": report.version, "sequence": report.sequence, "image": image,
        "slot": report.slot.name(), "progress": report.progress, "error": report.error, "id": device,
        "vendor": identity.vendor_name, "class": identity.class_name, "groups": groups, "at": at});
    json.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_read_back_and_too_much_is_refused() {
        let ask = |first, count, bitmap| Request {
            device: String::from("d1"),
            block: 4096,
            ask: Ask {
                first,
                count,
                bitmap,
            },
        };
        for request in [ask(0, 8, None), ask(70_000, 9, Some(vec![0x80, 0x80]))] {
            let bytes = request.encode();
            assert_eq!(Request::decode(&bytes), Ok(request));
            for end in 0..bytes.len() {
                assert!(Request::decode(&bytes[..end]).is_err());
            }
        }
        assert!(Request::decode(&ask(0, 65, None).encode()).is_err());
        assert!(Request::decode(&ask(0, u32::MAX, Some(vec![0x80])).encode()).is_err());
        let mut other = ask(0, 8, None);
        other.block = 1 << 20;
        assert!(Request::decode(&other.encode()).is_err());
        other = ask(0, 8, None);
        other.device = String::from("a/b");
        assert!(Request::decode(&other.encode()).is_err());
    }

    #[test]
    fn topics_say_what_they_are_about() {
        let topics = Topics::new("site1/ota");
        let digest = [0xAB; 32];
        assert_eq!(
            topics.requested(&topics.requests(Some(&digest))),
            Some(digest)
        );
        assert_eq!(topics.requested("site1/ota/blob/ab/get"), None);
        let block = topics.block("d1", &digest, Some(7));
        assert_eq!(block, "site1/ota/to/d1/abababab/7");
        assert_eq!(block_number(&block), Some(7));
        assert_eq!(topics.reporter("site1/ota/status/d1"), Some("d1"));
        for name in ["", "$SYS", "a\tb", "d1/x", &"x".repeat(LONGEST_NAME + 1)] {
            let topic = format!("site1/ota/status/{name}");
            assert_eq!(topics.reporter(&topic), None, "{topic}");
        }
        for (text, wanted) in [
            ("all", Some("all")),
            ("group:a b", Some("group:a b")),
            ("device:d1", Some("device:d1")),
            ("device:", None),
            ("device:a/b", None),
            ("everyone", None),
        ] {
            let found = Audience::parse(text).map(|it| it.to_string());
            assert_eq!(found.as_deref(), wanted, "{text}");
        }
    }
}
