//! Topic aliases in both directions (MQTT 5.0 §3.3.2.3.4).
//!
//! Aliases belong to a network connection: both tables start empty at each one.

use std::collections::HashMap;

use bytestring::ByteString;

use crate::mqtt::packet::{LARGEST_PACKET, Property, Publish, ReasonCode, Version, publish_len};

/// The most bytes that a topic alias adds to a PUBLISH: itself, and a longer property length.
pub(crate) const ALIAS_LENGTH: usize = 4;

/// How many bytes of topics one table of outgoing aliases remembers before it takes no more.
const LONGEST_TOPICS: usize = 256 * 1024;

/// Resolves the aliases that the peer uses.
#[derive(Debug, Default)]
pub(crate) struct Incoming {
    maximum: u16,
    /// Alias 1 first, as far as they were set.
    topics: Vec<Option<ByteString>>,
}

impl Incoming {
    /// A table for aliases from 1 to `maximum`, which is what we told the peer.
    pub(crate) const fn new(maximum: u16) -> Self {
        Self {
            maximum,
            topics: Vec::new(),
        }
    }

    /// Fills in the topic of `publish` where an alias stands for it, and learns new aliases.
    /// The property stays, so that a user can be shown it.
    ///
    /// # Errors
    /// The reason code to disconnect with: an alias out of range (0x94) or one never set (0x82).
    #[inline(always)]
    pub(crate) fn resolve(&mut self, publish: &mut Publish) -> Result<(), ReasonCode> {
        match publish.properties.is_empty() && !publish.topic.is_empty() {
            true => Ok(()),
            false => self.look_up(publish),
        }
    }

    #[inline(never)]
    fn look_up(&mut self, publish: &mut Publish) -> Result<(), ReasonCode> {
        let Some(alias) = publish.properties.topic_alias() else {
            return if publish.topic.is_empty() {
                Err(ReasonCode::PROTOCOL_ERROR)
            } else {
                Ok(())
            };
        };
        if alias == 0 || alias > self.maximum {
            return Err(ReasonCode::TOPIC_ALIAS_INVALID);
        }
        let place = usize::from(alias) - 1;
        let known = self.topics.get(place).and_then(Option::as_ref);
        if publish.topic.is_empty() {
            publish.topic = known.ok_or(ReasonCode::PROTOCOL_ERROR)?.clone();
        } else if known != Some(&publish.topic) {
            if self.topics.len() <= place {
                self.topics.resize(place + 1, None);
            }
            // A copy: the topic is a slice of a read buffer, which would be kept with it.
            self.topics[place] = Some(ByteString::from(&*publish.topic));
        }
        Ok(())
    }
}

/// Replaces topics by aliases on the way out, first come, first served.
#[derive(Debug, Default)]
pub(crate) struct Outgoing {
    maximum: u16,
    aliases: HashMap<ByteString, u16>,
    /// Of the topics in `aliases`, in bytes.
    held: usize,
}

impl Outgoing {
    /// A table for at most `maximum` aliases, which is what the peer told us.
    pub(crate) fn new(maximum: u16) -> Self {
        Self {
            maximum,
            aliases: HashMap::new(),
            held: 0,
        }
    }

    /// Puts an alias on `publish` as its last property, where one is known or still free, and gives back its topic, which may
    /// have been left out of it; an alias that the user chose stays. The packet may become [`ALIAS_LENGTH`] bytes longer.
    #[inline]
    pub(crate) fn apply(&mut self, publish: &mut Publish) -> Option<ByteString> {
        match self.maximum {
            0 => None,
            _ => self.shorten(publish),
        }
    }

    fn shorten(&mut self, publish: &mut Publish) -> Option<ByteString> {
        if publish.topic.is_empty() || publish.properties.topic_alias().is_some() {
            return None;
        }
        if let Some(&alias) = self.aliases.get(&publish.topic) {
            publish.properties.push(Property::TopicAlias(alias));
            Some(std::mem::take(&mut publish.topic))
        } else if self.aliases.len() < usize::from(self.maximum) && self.held < LONGEST_TOPICS {
            // The table holds fewer than `maximum` entries, so the next alias fits 16 bits.
            let alias = self.aliases.len() as u16 + 1;
            self.held += publish.topic.len();
            self.aliases
                .insert(ByteString::from(&*publish.topic), alias);
            publish.properties.push(Property::TopicAlias(alias));
            Some(publish.topic.clone())
        } else {
            None
        }
    }
}

/// A payload below this many bytes leaves room for every property within the protocol's own limit.
const SURELY_FITS: usize = 128 * 1024 * 1024;

/// By how many bytes the packet stays below the peer's limit; `None`: it does not, or is no packet.
#[inline]
pub(crate) fn spare(publish: &Publish, version: Version, largest: u32) -> Option<usize> {
    // The sum is only worked out where it can matter.
    if largest >= LARGEST_PACKET && publish.payload.len() < SURELY_FITS {
        return Some(usize::MAX);
    }
    counted(publish, version, largest)
}

#[inline(never)]
fn counted(publish: &Publish, version: Version, largest: u32) -> Option<usize> {
    let length = publish_len(publish, version).ok()?;
    largest.checked_sub(length).map(|spare| spare as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn publish(topic: &'static str, alias: Option<u16>) -> Publish {
        let properties = alias.map(Property::TopicAlias).into_iter().collect();
        Publish {
            topic: ByteString::from_static(topic),
            properties,
            ..Publish::default()
        }
    }

    #[test]
    fn an_alias_once_set_stands_for_its_topic() {
        let mut table = Incoming::new(2);
        table.resolve(&mut publish("a/b", Some(2))).unwrap();
        let mut short = publish("", Some(2));
        table.resolve(&mut short).unwrap();
        assert_eq!(short.topic, "a/b");
    }

    #[test]
    fn zero_unknown_and_too_large_aliases_are_refused() {
        let mut table = Incoming::new(2);
        assert_eq!(
            table.resolve(&mut publish("a", Some(0))),
            Err(ReasonCode::TOPIC_ALIAS_INVALID)
        );
        assert_eq!(
            table.resolve(&mut publish("a", Some(3))),
            Err(ReasonCode::TOPIC_ALIAS_INVALID)
        );
        assert_eq!(
            table.resolve(&mut publish("", Some(1))),
            Err(ReasonCode::PROTOCOL_ERROR)
        );
        assert_eq!(
            table.resolve(&mut publish("", None)),
            Err(ReasonCode::PROTOCOL_ERROR)
        );
    }

    #[test]
    fn a_topic_travels_in_full_once_and_as_its_alias_afterwards() {
        let mut table = Outgoing::new(1);
        let (mut first, mut second, mut other) =
            (publish("a", None), publish("a", None), publish("b", None));
        table.apply(&mut first);
        table.apply(&mut second);
        table.apply(&mut other);
        assert_eq!(
            (&*first.topic, first.properties.topic_alias()),
            ("a", Some(1))
        );
        assert_eq!(
            (&*second.topic, second.properties.topic_alias()),
            ("", Some(1))
        );
        assert_eq!((&*other.topic, other.properties.topic_alias()), ("b", None));
    }
}
