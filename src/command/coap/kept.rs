//! The last message of each path of a gateway, for as long as it is worth anything.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use super::record::{is_unconfirmed, max_age};
use crate::coap::endpoint::Incoming;
use crate::coap::option;
use crate::coap::resources::Stored;
use crate::coap::site::{Answer, Resource};
use crate::error::{Error, Kind, Result, brief};
use crate::message::{Detail, Message};
use crate::payload::link::Link;

/// As many bytes are kept, and as many paths.
const MOST_KEPT: usize = 64 << 20;
const MOST_PATHS: usize = 1 << 16;

/// The last message of a path.
pub(super) struct Value {
    stored: Stored,
    /// It must not be shown any more then.
    until: Option<Instant>,
    /// Whether its observers are to confirm that they have it.
    confirms: bool,
}

impl Value {
    /// Shows it, with how long it may be shown by others (RFC 7252 §5.10.5).
    pub(super) fn answer(&mut self, now: Instant, request: &Incoming) -> Answer {
        let mut answer = self.stored.answer(now, request);
        if let Some(until) = self.until
            && answer.response.code.is_success()
        {
            let left = until.saturating_duration_since(now).as_secs();
            answer.response.options.set_uint(option::MAX_AGE, left);
        }
        answer
    }
}

/// The last messages of all paths.
#[derive(Default)]
pub(super) struct Values {
    by_path: BTreeMap<String, Value>,
    /// When those are over that are some day.
    ends: BTreeSet<(Instant, String)>,
    /// Bytes of all.
    bytes: usize,
}

impl Values {
    /// Keeps the last message of a path, instead of the one before.
    ///
    /// # Errors
    /// [`Kind::Refused`]: there is no room.
    pub(super) fn keep(&mut self, now: Instant, path: &str, message: Message) -> Result<()> {
        let before = self.by_path.get(path).map_or(0, |it| it.stored.len());
        let bytes = self.bytes - before + message.payload.len();
        if bytes > MOST_KEPT || self.by_path.len() >= MOST_PATHS && !self.by_path.contains_key(path)
        {
            let text = format!("no room to keep the message of {}", brief(path));
            return Err(Error::new(Kind::Refused, text));
        }
        let (format, lifetime, confirms) = match &message.detail {
            Detail::Coap(coap) => (coap.content_format, max_age(coap), !is_unconfirmed(coap)),
            _ => (None, None, true),
        };
        self.remove(path);
        let until = lifetime.map(|seconds| now + Duration::from_secs(seconds.into()));
        self.ends.extend(until.map(|at| (at, path.to_owned())));
        self.bytes = bytes;
        let value = Value {
            stored: Stored::new(format, message.payload),
            until,
            confirms,
        };
        self.by_path.insert(path.to_owned(), value);
        Ok(())
    }

    fn remove(&mut self, path: &str) {
        let Some(value) = self.by_path.remove(path) else {
            return;
        };
        self.bytes -= value.stored.len();
        if let Some(at) = value.until {
            self.ends.remove(&(at, path.to_owned()));
        }
    }

    /// The last message of a path, while it lasts.
    pub(super) fn get(&mut self, now: Instant, path: &str) -> Option<&mut Value> {
        let value = self.by_path.get_mut(path);
        value.filter(|it| it.until.is_none_or(|at| now < at))
    }

    /// Whether a request to change what is there is not to be met.
    pub(super) fn forbids(&mut self, now: Instant, path: &str, request: &Incoming) -> bool {
        let there = self.get(now, path).map(|it| &it.stored);
        Stored::forbids(there, request)
    }

    /// The link to a path; `None`: there is nothing.
    pub(super) fn link(&self, path: &str, link: Link) -> Option<Link> {
        self.by_path.get(path)?.stored.link(link)
    }

    /// Whether the observers of a path are to confirm what they get.
    pub(super) fn confirms(&self, path: &str) -> bool {
        self.by_path.get(path).is_none_or(|it| it.confirms)
    }

    /// When the first of them is over.
    pub(super) fn due(&self) -> Option<Instant> {
        self.ends.first().map(|(at, _)| *at)
    }

    /// Takes away one that is over: its path.
    pub(super) fn remove_over(&mut self, now: Instant) -> Option<String> {
        let (_, path) = self.ends.first().filter(|(at, _)| *at <= now)?.clone();
        self.remove(&path);
        Some(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{CoapDetail, CoapOption, CoapValue};

    fn message(body: &'static str, max_age: u64) -> Message {
        let option = CoapOption {
            number: option::MAX_AGE,
            name: option::name(option::MAX_AGE),
            value: CoapValue::Uint(max_age),
        };
        Message {
            payload: body.into(),
            detail: Detail::Coap(Box::new(CoapDetail {
                options: vec![option],
                ..CoapDetail::default()
            })),
            ..Message::default()
        }
    }

    #[test]
    fn what_is_over_is_gone_and_what_came_after_it_is_not() {
        let (mut values, now) = (Values::default(), Instant::now());
        let later = |seconds| now + Duration::from_secs(seconds);
        values.keep(now, "/a", message("first", 2)).unwrap();
        values.keep(now, "/b", message("stays", 0)).unwrap();
        assert!(values.get(later(1), "/a").is_some());
        assert!(values.get(later(2), "/a").is_none());
        values.keep(later(1), "/a", message("second", 5)).unwrap();
        assert_eq!(values.due(), Some(later(6)));
        assert_eq!(values.remove_over(later(3)), None);
        assert!(values.get(later(3), "/a").is_some());
        assert_eq!(values.remove_over(later(6)).as_deref(), Some("/a"));
        assert_eq!((values.due(), values.bytes), (None, 5));
        assert!(values.link("/a", Link::new("/a")).is_none());
        assert!(values.get(later(1_000_000), "/b").is_some());
    }
}
