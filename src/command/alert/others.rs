//! Alarms of others that explain ours (`--unless`): while one is firing, nothing is told of what has the same names.

use std::collections::HashMap;

use bytestring::ByteString;

use super::keys::{ALL, Keys};
use crate::message::Message;
use crate::payload::captures::Pattern;
use crate::payload::pointer;

/// What is known of them.
pub(super) struct Others {
    pattern: Option<Pattern>,
    /// Those that are firing, by their topics: what stands for the names in it.
    firing: HashMap<ByteString, Vec<(String, String)>>,
    /// As many are remembered.
    most: usize,
}

/// What a message says of another alarm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Said {
    Nothing,
    Firing,
    Ended,
}

impl Others {
    pub(super) fn new(pattern: Option<Pattern>, most: usize) -> Self {
        Self {
            pattern,
            firing: HashMap::new(),
            most,
        }
    }

    /// Looks at a message with this topic.
    pub(super) fn see(&mut self, name: &ByteString, message: &Message) -> Said {
        let captures = self.pattern.as_ref().and_then(|it| it.matches(name));
        let Some(captures) = captures else {
            return Said::Nothing;
        };
        if pointer::find(&message.payload, "/state") != Some("\"firing\"") {
            self.firing.remove(name);
            return Said::Ended;
        }
        if self.firing.len() < self.most {
            let named = captures.named();
            let named = named.map(|(name, value)| (name.to_owned(), value.to_owned()));
            self.firing.insert(name.clone(), named.collect());
        }
        Said::Firing
    }

    /// Whether one of them explains the alarm of this key: what has the same name stands for the same.
    pub(super) fn mute(&self, keys: &Keys, key: &str) -> bool {
        if self.firing.is_empty() || key == ALL {
            return false;
        }
        let topic = keys.topic(key);
        let Some(own) = keys.captures(&topic) else {
            return false;
        };
        self.firing.values().any(|named| {
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
        let mut others = Others::new(Some("down/{site}/{why}".parse().unwrap()), 2);
        let see = |others: &mut Others, topic: &str, body: &'static str| {
            let message = Message::plain(body.into());
            others.see(&topic.into(), &message)
        };
        let firing = "{\"state\":\"firing\"}";
        assert_eq!(see(&mut others, "s1/d1/t", firing), Said::Nothing);
        assert_eq!(see(&mut others, "down/s1/power", firing), Said::Firing);
        assert!(others.mute(&keys, "s1/d1") && !others.mute(&keys, "s2/d1"));
        assert!(!others.mute(&keys, ALL));
        see(&mut others, "down/s1/line", firing);
        see(&mut others, "down/s2/power", firing);
        // There is no room for a third.
        assert!(!others.mute(&keys, "s2/d1"));
        assert_eq!(see(&mut others, "down/s1/power", ""), Said::Ended);
        assert!(others.mute(&keys, "s1/d1"));
        assert_eq!(
            see(&mut others, "down/s1/line", "{\"state\":\"ok\"}"),
            Said::Ended
        );
        assert!(!others.mute(&keys, "s1/d1"));
    }
}
