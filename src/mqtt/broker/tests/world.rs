//! A broker, its clients and a clock that only moves when it is told to.

use std::time::{Duration, Instant};

use crate::mqtt::broker::Acl;
use crate::mqtt::broker::connection::Outgo;
use crate::mqtt::broker::core::{Core, Disposition};
use crate::mqtt::broker::events::Event;
use crate::mqtt::broker::options::{Access, Options};
use crate::mqtt::packet::{
    Ack, ConnAck, Connect, Disconnect, Malformed, Packet, Property, Publish, QoS, ReasonCode,
    RetainHandling, Subscribe, Subscription, Unsubscribe, Version, Will,
};
use crate::server::Key;

pub(super) struct World {
    pub(super) core: Core,
    pub(super) now: Instant,
}

/// These access control lines, for everyone.
pub(super) fn rights(acl: &str) -> Vec<Access> {
    vec![Access {
        acl: Some(Acl::parse(acl).unwrap()),
        ..Access::default()
    }]
}

/// A client's network connection.
pub(super) type Who = Key;

/// CONNECT with Clean Start, keep-alive off.
pub(super) fn connecting(version: Version, client_id: &str) -> Connect {
    Connect {
        version,
        client_id: client_id.into(),
        clean_start: true,
        ..Connect::default()
    }
}

pub(super) fn v5(client_id: &str) -> Connect {
    connecting(Version::V5, client_id)
}

pub(super) fn v311(client_id: &str) -> Connect {
    connecting(Version::V311, client_id)
}

/// Builders that read as a sentence.
pub(super) trait Wishes: Sized {
    fn with(self, property: Property) -> Self;
    fn resuming(self) -> Self;
    fn keep_alive(self, seconds: u16) -> Self;
    fn will(self, will: Will) -> Self;
    fn user(self, name: &str, password: &str) -> Self;

    /// MQTT 5: a session that outlives its connection.
    fn lasting(self, seconds: u32) -> Self {
        self.with(Property::SessionExpiryInterval(seconds))
    }
}

impl Wishes for Connect {
    fn with(mut self, property: Property) -> Self {
        self.properties.push(property);
        self
    }

    fn resuming(self) -> Self {
        Self {
            clean_start: false,
            ..self
        }
    }

    fn keep_alive(self, seconds: u16) -> Self {
        Self {
            keep_alive: seconds,
            ..self
        }
    }

    fn will(self, will: Will) -> Self {
        Self {
            will: Some(will),
            ..self
        }
    }

    fn user(self, name: &str, password: &str) -> Self {
        Self {
            username: Some(name.into()),
            password: Some(password.to_owned().into()),
            ..self
        }
    }
}

pub(super) fn will(topic: &str, payload: &str) -> Will {
    Will {
        topic: topic.into(),
        payload: payload.to_owned().into(),
        ..Will::default()
    }
}

pub(super) fn qos(level: u8) -> QoS {
    QoS::from_level(level).unwrap()
}

pub(super) fn message(topic: &str, payload: &str, level: u8) -> Publish {
    Publish {
        topic: topic.into(),
        payload: payload.to_owned().into(),
        qos: qos(level),
        packet_id: u16::from(level > 0) * 77,
        ..Publish::default()
    }
}

pub(super) fn retained(topic: &str, payload: &str) -> Publish {
    Publish {
        retain: true,
        ..message(topic, payload, 0)
    }
}

pub(super) fn ack(packet_id: u16) -> Ack {
    Ack {
        packet_id,
        ..Ack::default()
    }
}

pub(super) fn ack_with(packet_id: u16, reason: ReasonCode) -> Ack {
    Ack {
        packet_id,
        reason,
        ..Ack::default()
    }
}

pub(super) fn filter(filter: &str, level: u8) -> Subscription {
    Subscription {
        filter: filter.into(),
        qos: qos(level),
        ..Subscription::default()
    }
}

pub(super) fn goodbye(reason: ReasonCode) -> Packet {
    Packet::Disconnect(Disconnect {
        reason,
        ..Disconnect::default()
    })
}

impl World {
    pub(super) fn new() -> Self {
        Self::with(Options::default())
    }

    pub(super) fn with(options: Options) -> Self {
        let now = Instant::now();
        // Without `$SYS`, so that nothing is sent that no test asked for.
        let options = Options {
            sys_interval: None,
            ..options
        };
        Self {
            core: Core::new(options, now),
            now,
        }
    }

    pub(super) fn with_faults(faults: &[&str]) -> Self {
        Self::with(Options {
            faults: faults.iter().map(|fault| fault.parse().unwrap()).collect(),
            ..Options::default()
        })
    }

    pub(super) fn open(&mut self) -> Who {
        self.open_at(0)
    }

    /// As [`Self::open`], by a listener with this access.
    pub(super) fn open_at(&mut self, access: usize) -> Who {
        self.core.open(String::from("here"), access, self.now)
    }

    /// Connects and expects to be let in.
    pub(super) fn connect(&mut self, connect: Connect) -> Who {
        let (who, answer) = self.try_connect(connect);
        assert_eq!(answer.reason, ReasonCode::SUCCESS);
        who
    }

    pub(super) fn try_connect(&mut self, connect: Connect) -> (Who, ConnAck) {
        let who = self.open();
        let answer = self.connect_by(who, connect);
        (who, answer)
    }

    /// Sends CONNECT over an open connection.
    pub(super) fn connect_by(&mut self, who: Who, connect: Connect) -> ConnAck {
        self.send(who, Packet::Connect(Box::new(connect)));
        match self.next(who) {
            Some(Packet::ConnAck(answer)) => answer,
            other => panic!("CONNACK comes first, not {other:?}"),
        }
    }

    pub(super) fn send(&mut self, who: Who, packet: Packet) {
        self.core.begin_batch(who, self.now);
        self.core.handle(who, packet, self.now);
        while !self.core.goes_on(who) && self.core.is_unfinished(who) {
            self.core.begin_batch(who, self.now);
        }
    }

    /// Hands on a packet as one of many that came at once; true: there is more to do before the next one.
    pub(super) fn begin(&mut self, who: Who, packet: Packet) -> bool {
        self.core.begin_batch(who, self.now);
        self.core.handle(who, packet, self.now);
        !self.core.goes_on(who) && self.core.is_unfinished(who)
    }

    pub(super) fn publish(&mut self, who: Who, publish: Publish) {
        self.send(who, Packet::Publish(publish));
    }

    /// Subscribes and returns what it was answered; retained messages stay to be received.
    pub(super) fn subscribe(&mut self, who: Who, text: &str, level: u8) -> ReasonCode {
        self.subscribe_with(who, filter(text, level), None)
    }

    pub(super) fn subscribe_with(
        &mut self,
        who: Who,
        subscription: Subscription,
        id: Option<u32>,
    ) -> ReasonCode {
        let subscribe = Subscribe {
            packet_id: 9,
            subscriptions: vec![subscription],
            properties: id
                .map(Property::SubscriptionIdentifier)
                .into_iter()
                .collect(),
        };
        self.send(who, Packet::Subscribe(subscribe));
        match self.next(who) {
            Some(Packet::SubAck(answer)) if answer.packet_id == 9 => answer.reasons[0],
            other => panic!("SUBACK comes first, not {other:?}"),
        }
    }

    pub(super) fn unsubscribe(&mut self, who: Who, text: &str) -> Packet {
        let unsubscribe = Unsubscribe {
            packet_id: 8,
            filters: vec![text.into()],
            ..Unsubscribe::default()
        };
        self.send(who, Packet::Unsubscribe(unsubscribe));
        self.next(who).expect("an answer")
    }

    pub(super) fn leave(&mut self, who: Who) {
        self.send(who, goodbye(ReasonCode::SUCCESS));
        self.core.lost(who, self.now);
    }

    pub(super) fn break_off(&mut self, who: Who) {
        self.core.lost(who, self.now);
    }

    /// Lets time pass, stopping at every deadline as the driver does.
    pub(super) fn pass(&mut self, duration: Duration) {
        let until = self.now + duration;
        while let Some(deadline) = self.core.next_deadline().filter(|at| *at <= until) {
            self.now = deadline.max(self.now);
            self.core.tick(self.now);
        }
        self.now = until;
        self.core.tick(until);
    }

    pub(super) fn pass_seconds(&mut self, seconds: u64) {
        self.pass(Duration::from_secs(seconds));
    }

    pub(super) fn next(&mut self, who: Who) -> Option<Packet> {
        loop {
            match self.core.pull(who, self.now) {
                Some(Outgo::Packet(packet)) => return Some(packet),
                Some(Outgo::Garbage(bytes)) => panic!("garbage {bytes:?}"),
                None if self.core.is_unfinished(who) => {}
                None => return None,
            }
        }
    }

    pub(super) fn packets(&mut self, who: Who) -> Vec<Packet> {
        std::iter::from_fn(|| self.next(who)).collect()
    }

    pub(super) fn publishes(&mut self, who: Who) -> Vec<Publish> {
        let publish = |packet| match packet {
            Packet::Publish(publish) => Some(publish),
            _ => None,
        };
        self.packets(who).into_iter().filter_map(publish).collect()
    }

    /// The payloads that arrive at `who`, in their order.
    pub(super) fn received(&mut self, who: Who) -> Vec<String> {
        let text = |publish: Publish| String::from_utf8(publish.payload.to_vec()).unwrap();
        self.publishes(who).into_iter().map(text).collect()
    }

    /// Like [`Self::received`], each with its QoS and RETAIN flag: `x/1`, `x/0/r`.
    pub(super) fn described(&mut self, who: Who) -> Vec<String> {
        let describe = |publish: Publish| {
            let payload = String::from_utf8(publish.payload.to_vec()).unwrap();
            let retain = if publish.retain { "/r" } else { "" };
            format!("{payload}/{}{retain}", publish.qos.level())
        };
        self.publishes(who).into_iter().map(describe).collect()
    }

    pub(super) fn is_closed(&self, who: Who) -> bool {
        self.core.fate(who) != Disposition::Open
    }

    /// What a connection brings is not MQTT, or a CONNECT of this version that is malformed.
    pub(super) fn malformed(&mut self, who: Who, reason: ReasonCode, version: Option<Version>) {
        let flaw = Malformed {
            reason,
            text: String::new(),
            version,
        };
        self.core.malformed(who, &flaw, self.now);
    }

    /// Expects that the connection ends with this DISCONNECT.
    pub(super) fn expect_kick(&mut self, who: Who, reason: ReasonCode) {
        assert_eq!(self.packets(who).pop(), Some(goodbye(reason)));
        assert!(self.is_closed(who));
    }

    pub(super) fn events(&mut self) -> Vec<Event> {
        self.core.take_events()
    }
}

pub(super) fn never() -> RetainHandling {
    RetainHandling::Never
}
