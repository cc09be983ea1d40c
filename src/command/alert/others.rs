//! What others say that matters to alarms with the same names: alarms that explain ours (`--unless`), of which nothing is told
//! while one of those is firing, and devices that are not there (`--status-topic`).

use std::collections::HashMap;

use bytestring::ByteString;

use super::keys::{ALL, Keys};
use crate::board::fleet::Status;
use crate::message::Message;
use crate::payload::captures::Pattern;
use crate::payload::pointer;

/// What is known of them.
pub(super) struct Others {
    pattern: Option<Pattern>,
    /// Whether a payload says what matters.
    says: fn(&[u8]) -> bool,
    /// Those of which that is so, by their topics: what stands for the names in it.
    open: HashMap<ByteString, Vec<(String, String)>>,
    /// As many are remembered.
    most: usize,
}

/// What a message says of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Said {
    Nothing,
    Begun,
    Ended,
}

impl Others {
    /// Alarms, which are firing or not.
    pub(super) fn alarms(pattern: Option<Pattern>, most: usize) -> Self {
        let fires = |payload: &[u8]| pointer::find(payload, "/state") == Some("\"firing\"");
        Self::new(pattern, fires, most)
    }

    /// Devices, which are offline or not; a will or they themselves say so.
    pub(super) fn devices(pattern: Option<Pattern>, most: usize) -> Self {
        let is_gone = |payload: &[u8]| Status::read(payload, None) == Some(Status::Offline);
        Self::new(pattern, is_gone, most)
    }

    fn new(pattern: Option<Pattern>, says: fn(&[u8]) -> bool, most: usize) -> Self {
        Self {
            pattern,
            says,
            open: HashMap::new(),
            most,
        }
    }

    /// Looks at a message with this topic.
    pub(super) fn see(&mut self, name: &ByteString, message: &Message) -> Said {
        let captures = self.pattern.as_ref().and_then(|it| it.matches(name));
        let Some(captures) = captures else {
            return Said::Nothing;
        };
        if !(self.says)(&message.payload) {
            self.open.remove(name);
            return Said::Ended;
        }
        if self.open.len() < self.most {
            let named = captures.named();
            let named = named.map(|(name, value)| (name.to_owned(), value.to_owned()));
            self.open.insert(name.clone(), named.collect());
        }
        Said::Begun
    }

    /// Whether one of them is about the alarm of this key: what has the same name stands for the same.
    pub(super) fn cover(&self, keys: &Keys, key: &str) -> bool {
        self.covers(None, keys, key)
    }

    /// Whether the one with this topic, or else one of them, is.
    pub(super) fn covers(&self, topic: Option<&ByteString>, keys: &Keys, key: &str) -> bool {
        if self.open.is_empty() || key == ALL {
            return false;
        }
        let reading = keys.topic(key);
        let Some(own) = keys.captures(&reading) else {
            return false;
        };
        let open = self.open.iter();
        let mut open = open.filter(|(name, _)| topic.is_none_or(|topic| topic == *name));
        open.any(|(_, named)| {
            let mut named = named.iter();
            named.all(|(name, value)| own.get(name).is_none_or(|own| own == value))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_the_same_names_is_muted_while_another_fires() {
        let keys = Keys::new("{site}/{device}/t".parse().unwrap());
        let mut others = Others::alarms(Some("down/{site}/{why}".parse().unwrap()), 2);
        let see = |others: &mut Others, topic: &str, body: &'static str| {
            let message = Message::plain(body.into());
            others.see(&topic.into(), &message)
        };
        let firing = "{\"state\":\"firing\"}";
        assert_eq!(see(&mut others, "s1/d1/t", firing), Said::Nothing);
        assert_eq!(see(&mut others, "down/s1/power", firing), Said::Begun);
        assert!(others.cover(&keys, "s1/d1") && !others.cover(&keys, "s2/d1"));
        assert!(!others.cover(&keys, ALL));
        see(&mut others, "down/s1/line", firing);
        see(&mut others, "down/s2/power", firing);
        // There is no room for a third.
        assert!(!others.cover(&keys, "s2/d1"));
        assert_eq!(see(&mut others, "down/s1/power", ""), Said::Ended);
        assert!(others.cover(&keys, "s1/d1"));
        assert_eq!(
            see(&mut others, "down/s1/line", "{\"state\":\"ok\"}"),
            Said::Ended
        );
        assert!(!others.cover(&keys, "s1/d1"));
    }

    #[test]
    fn devices_say_that_they_are_offline_in_many_words() {
        let keys = Keys::new("sensors/{device}/{metric}".parse().unwrap());
        let pattern = "devices/{device}/status".parse().unwrap();
        let mut devices = Others::devices(Some(pattern), 9);
        for (body, said) in [
            ("offline", Said::Begun),
            ("online", Said::Ended),
            ("{\"status\":\"offline\",\"at\":1}", Said::Begun),
            ("{\"status\":\"online\"}", Said::Ended),
            ("0", Said::Begun),
            ("", Said::Ended),
            ("away", Said::Ended),
        ] {
            let message = Message::plain(body.into());
            assert_eq!(devices.see(&"devices/d1/status".into(), &message), said);
            assert_eq!(devices.cover(&keys, "d1/t"), said == Said::Begun, "{body}");
            assert!(!devices.cover(&keys, "d2/t"));
        }
    }
}
