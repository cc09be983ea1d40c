//! What becomes of a message that crosses a bridge.

use std::time::SystemTime;

use bytestring::ByteString;

use super::topics::{Map, Side};
use crate::command::ends::carry::{self, Losses};
use crate::connect::Protocol;
use crate::error::{Error, Kind, Result, brief};
use crate::flow::{Origin, Outgoing, Routed, Router};
use crate::message::{AmqpValue, Detail, Message};
use crate::output::Console;

/// The user property, and with `x-` before it the header, that lists the bridges a message has crossed.
const HOPS: &str = "iotctl-hops";

/// The same as a header.
const HOPS_HEADER: &str = "x-iotctl-hops";

/// No message crosses more bridges.
const MOST_HOPS: usize = 16;

/// What becomes of the RETAIN flag (`--retain`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Retain {
    /// It stays as it is.
    #[default]
    Keep,
    /// Nothing is retained.
    Drop,
    /// Everything is retained.
    Set,
}

/// A server that messages go to.
pub(super) struct Exit {
    /// Its number among the targets.
    pub(super) target: usize,
    pub(super) protocol: Option<Protocol>,
    /// AMQP: for messages that do not say their own.
    pub(super) exchange: ByteString,
}

/// Both directions of a bridge.
pub(super) struct Crossing {
    pub(super) name: ByteString,
    pub(super) origin: Origin,
    /// The side of each source.
    pub(super) sides: Vec<Side>,
    /// Whether each source answers those who send with what becomes of their messages.
    pub(super) answers: Vec<bool>,
    pub(super) maps: Vec<Map>,
    /// Where messages leave it, by side.
    pub(super) exits: [Option<Exit>; 2],
    /// Where refused messages go: the number of the target.
    pub(super) dead_letters: Option<usize>,
    pub(super) retain: Retain,
    /// What cannot be carried is a failure.
    pub(super) strict: bool,
    pub(super) losses: Losses,
    /// Whether a message that no map covers was told.
    pub(super) told_uncovered: bool,
    /// Whether a message that has crossed before was told.
    pub(super) told_loop: bool,
    pub(super) console: Console,
}

impl Router for Crossing {
    fn route(&mut self, message: Message, into: &mut Outgoing) -> Result<Routed> {
        let now = SystemTime::now();
        if carry::has_expired(&message, now) {
            return Ok(Routed::Expired);
        }
        let side = self.sides[self.origin.get()];
        let name = carry::topic_of(&message);
        let maps = self.maps.iter().filter(|map| map.side == side);
        let image = maps
            .filter_map(|map| Some((map.image(&name)?, map.qos)))
            .next();
        let Some((image, qos)) = image else {
            self.uncovered(&name);
            return Ok(Routed::Sent);
        };
        let (hops, crossed) = hops(&message, &self.name);
        if crossed {
            self.looped(&name);
            return Ok(Routed::Sent);
        }
        if hops >= MOST_HOPS {
            let text = format!("{} has crossed {MOST_HOPS} bridges", brief(&name));
            return Err(Error::new(Kind::Refused, text));
        }
        let Some(exit) = &self.exits[side.other().index()] else {
            return Ok(Routed::Sent);
        };
        let mut message = match exit.protocol {
            Some(protocol) => {
                carry::carry(message, protocol, &exit.exchange, now, &mut self.losses)
            }
            None => message,
        };
        carry::rename(&mut message, &image);
        carry::check(&message, exit.protocol)?;
        if let Detail::Mqtt(mqtt) = &mut message.detail {
            mqtt.qos = mqtt.qos.min(qos.level());
            mqtt.retain = match self.retain {
                Retain::Keep => mqtt.retain,
                Retain::Drop => false,
                Retain::Set => true,
            };
        }
        add_hop(&mut message, &self.name);
        into.push((exit.target, message));
        self.tell_losses()?;
        Ok(Routed::Sent)
    }

    fn answers(&self) -> bool {
        self.answers[self.origin.get()]
    }

    fn covers(&self, source: usize, message: &Message) -> bool {
        let (side, name) = (self.sides[source], carry::topic_of(message));
        let mut maps = self.maps.iter().filter(|map| map.side == side);
        maps.any(|map| map.image(&name).is_some())
    }

    fn dead_letter(&mut self, message: Message, why: &Error) -> Option<(usize, Message)> {
        let target = self.dead_letters?;
        Some((target, carry::dead_letter(message, why)))
    }
}

impl Crossing {
    /// A session may hold what an earlier bridge of this name has subscribed to.
    fn uncovered(&mut self, name: &str) {
        if !std::mem::replace(&mut self.told_uncovered, true) {
            let name = brief(name);
            self.console.warn(format_args!(
                "no --topic covers {name}: such messages are filtered out"
            ));
        }
    }

    fn looped(&mut self, name: &str) {
        if !std::mem::replace(&mut self.told_loop, true) {
            let name = brief(name);
            self.console.note(format_args!(
                "{name} came back after it had crossed; such messages are filtered out"
            ));
        }
    }

    fn tell_losses(&mut self) -> Result<()> {
        for what in self.losses.fresh() {
            let text = format!("{what} cannot be carried to the other protocol");
            if self.strict {
                return Err(Error::new(Kind::Refused, text));
            }
            self.console.warn(text);
        }
        Ok(())
    }
}

/// How many bridges a message has crossed, and whether this was one of them.
fn hops(message: &Message, own: &str) -> (usize, bool) {
    let count = |names: &mut dyn Iterator<Item = bool>| {
        names.fold((0, false), |(count, crossed), is_own| {
            (count + 1, crossed || is_own)
        })
    };
    match &message.detail {
        Detail::Mqtt(mqtt) => {
            let properties = mqtt.properties.iter();
            let pairs = properties.flat_map(|properties| &properties.user_properties);
            let hops = pairs.filter(|(name, _)| *name == HOPS || *name == HOPS_HEADER);
            count(&mut hops.map(|(_, value)| *value == own))
        }
        Detail::Amqp(amqp) => {
            let headers = amqp.properties.headers.iter();
            let values = headers.filter(|(name, _)| *name == HOPS_HEADER || *name == HOPS);
            count(
                &mut values
                    .flat_map(|(_, value)| names(value))
                    .map(|it| it == own),
            )
        }
        Detail::Plain | Detail::Coap(_) => (0, false),
    }
}

fn names(value: &AmqpValue) -> Vec<String> {
    match value {
        AmqpValue::List(values) => values.iter().map(ToString::to_string).collect(),
        one => vec![one.to_string()],
    }
}

fn add_hop(message: &mut Message, name: &ByteString) {
    match &mut message.detail {
        Detail::Mqtt(mqtt) => {
            let properties = mqtt.properties.get_or_insert_default();
            properties.topic_alias = None;
            let hop = (ByteString::from_static(HOPS), name.clone());
            properties.user_properties.push(hop);
        }
        Detail::Amqp(amqp) => {
            let headers = &mut amqp.properties.headers;
            let name = AmqpValue::Text(name.clone());
            let known = headers
                .iter_mut()
                .find(|(known, _)| *known == HOPS_HEADER || *known == HOPS);
            match known {
                Some((_, AmqpValue::List(values))) => values.push(name),
                Some((_, first)) => *first = AmqpValue::List(vec![first.clone(), name]),
                None => headers.push((HOPS_HEADER.into(), name)),
            }
        }
        Detail::Plain | Detail::Coap(_) => {}
    }
}
