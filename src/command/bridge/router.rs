//! What becomes of a message that crosses a bridge.

use std::time::{Instant, SystemTime};

use bytestring::ByteString;

use super::reload::Reload;
use super::storm::Storms;
use super::topics::{Map, Side};
use crate::command::ends::carry::{self, Losses};
use crate::command::ends::{TargetEnd, hops};
use crate::connect::Protocol;
use crate::error::{Error, Kind, Result, brief};
use crate::flow::{Origin, Outgoing, Routed, Router, Stages};
use crate::message::{Detail, Message};
use crate::mqtt::packet::QoS;
use crate::output::Console;

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
    /// What it gets may come back from there.
    pub(super) gives_back: bool,
    /// AMQP: for messages that do not say their own.
    pub(super) exchange: Option<ByteString>,
}

impl Exit {
    /// By the target with this number.
    pub(super) const fn of(end: &TargetEnd, target: usize, exchange: Option<ByteString>) -> Self {
        Self {
            target,
            protocol: end.protocol(),
            gives_back: end.gives_back(),
            exchange,
        }
    }
}

/// Both directions of a bridge.
pub(super) struct Crossing {
    pub(super) name: ByteString,
    pub(super) origin: Origin,
    /// The side of each source.
    pub(super) sides: Vec<Side>,
    pub(super) maps: Vec<Map>,
    /// Where messages leave it, by side.
    pub(super) exits: [Option<Exit>; 2],
    /// Where refused messages go.
    pub(super) dead_letters: Option<Exit>,
    pub(super) retain: Retain,
    /// What becomes of their bodies.
    pub(super) stages: Stages,
    /// What cannot be carried is a failure.
    pub(super) strict: bool,
    pub(super) losses: Losses,
    /// Whether a message that no map covers was told.
    pub(super) told_uncovered: bool,
    /// Whether a message that has crossed before was told.
    pub(super) told_loop: bool,
    /// What has crossed lately, where messages may come back.
    pub(super) storms: Option<Storms>,
    /// The topic of one that goes round and round.
    pub(super) storm: Option<ByteString>,
    /// What reads the maps again.
    pub(super) reload: Option<Reload>,
    pub(super) console: Console,
}

impl Router for Crossing {
    fn route(&mut self, message: Message, into: &mut Outgoing) -> Result<Routed> {
        let now = carry::time_for(&message);
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
        let Some(exit) = &self.exits[side.other().index()] else {
            return Ok(Routed::Sent);
        };
        if !exit.gives_back {
            hops::check_count(&message, &name)?;
        } else if hops::check(&message, &name, &self.name)? {
            self.looped(&name);
            return Ok(Routed::Sent);
        }
        if let Some(storms) = &mut self.storms {
            let there = if side == Side::From { &name } else { &image };
            if storms.cross(side, there, &message.payload, Instant::now()) {
                self.storm.get_or_insert_with(|| name.clone());
                return Ok(Routed::Sent);
            }
        }
        let way = Way {
            side: side.other(),
            name,
            image,
            qos,
        };
        let clears = exit.protocol == Some(Protocol::Mqtt) && message.clears();
        if clears || self.stages.map.is_none() {
            let (target, message) = self.cross(message, &way, now)?;
            into.push((target, message));
            return Ok(Routed::Sent);
        }
        for message in self.stages.mapped(message, SystemTime::now())? {
            let crossed = self.cross(message, &way, now)?;
            into.push(crossed);
        }
        Ok(Routed::Sent)
    }

    fn covers(&self, source: usize, message: &Message) -> bool {
        let (side, name) = (self.sides[source], carry::topic_of(message));
        let mut maps = self.maps.iter().filter(|map| map.side == side);
        maps.any(|map| map.image(&name).is_some())
    }

    async fn called(&mut self) {
        match &mut self.reload {
            _ if self.storm.is_some() => {}
            Some(reload) => reload.called().await,
            None => std::future::pending().await,
        }
    }

    fn wake(&mut self, _: Instant, _: &mut Outgoing) -> Result<()> {
        if let Some(reload) = &mut self.reload {
            reload.apply(&mut self.maps, self.console);
        }
        let Some(name) = &self.storm else {
            return Ok(());
        };
        let text = format!(
            "{} crosses in both directions again and again: another bridge, which drops user properties, gives it back",
            brief(name)
        );
        Err(Error::new(Kind::Lost, text)
            .hint("keep the topics of the two bridges apart, or let each carry one direction"))
    }

    fn dead_letter(&mut self, message: Message, why: &Error) -> Option<(usize, Message)> {
        let exit = self.dead_letters.as_ref()?;
        let mut letter = carry::dead_letter(message, why);
        if let Some(protocol) = exit.protocol {
            let (now, exchange) = (carry::time_for(&letter), exit.exchange.as_ref());
            // What it loses refuses no other message.
            let losses = &mut Losses::default();
            letter = carry::carry(letter, protocol, exchange, now, losses);
        }
        Some((exit.target, letter))
    }
}

/// Where a message goes, and as what.
struct Way {
    /// The server that it goes to.
    side: Side,
    /// Its topic where it comes from, and there.
    name: ByteString,
    image: ByteString,
    /// The highest that it has there.
    qos: QoS,
}

impl Crossing {
    /// The message as the other server gets it, and the number of that target.
    ///
    /// # Errors
    /// It cannot be carried there.
    fn cross(&mut self, message: Message, way: &Way, now: SystemTime) -> Result<(usize, Message)> {
        let Some(exit) = &self.exits[way.side.index()] else {
            let text = format!("{} goes nowhere", brief(&way.name));
            return Err(Error::new(Kind::Refused, text));
        };
        let mut message = match exit.protocol {
            Some(protocol) => carry::carry(
                message,
                protocol,
                exit.exchange.as_ref(),
                now,
                &mut self.losses,
            ),
            None => message,
        };
        carry::rename(&mut message, way.image.clone());
        carry::check(&message, &way.name, exit.protocol)?;
        if let Detail::Mqtt(mqtt) = &mut message.detail {
            mqtt.qos = mqtt.qos.min(way.qos.level());
            mqtt.retain = match self.retain {
                Retain::Keep => mqtt.retain,
                Retain::Drop => false,
                Retain::Set => true,
            };
        }
        hops::add(&mut message, &self.name);
        let target = exit.target;
        self.tell_losses()?;
        Ok((target, message))
    }

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
