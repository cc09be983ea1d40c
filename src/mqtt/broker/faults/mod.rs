//! Fault injection: what is to go wrong on purpose, and when.

mod words;

use std::time::Duration;

use crate::mqtt::packet::{Packet, ReasonCode};
use crate::mqtt::topic;
use crate::server;

const FAULTS: &[(&str, &str)] = &[
    ("drop-ack[:packet=KIND]", "does not send acknowledgements"),
    (
        "delay-ack:by=DURATION[,packet=KIND]",
        "sends acknowledgements late",
    ),
    (
        "duplicate-ack[:packet=KIND]",
        "sends acknowledgements twice",
    ),
    ("no-suback", "short for drop-ack:packet=suback"),
    (
        "drop-publish",
        "does not send messages to subscribers; QoS 1 and 2 messages stay in flight",
    ),
    ("delay-publish:by=DURATION", "sends messages late"),
    ("duplicate-publish", "sends messages twice"),
    (
        "reorder-publish",
        "sends a message after the one that follows it",
    ),
    (
        "close:after=N",
        "closes a connection after N packets from it, without DISCONNECT",
    ),
    (
        "close:every=N",
        "closes a connection at every Nth packet that the broker receives",
    ),
    (
        "refuse-connect:code=CODE",
        "refuses CONNECT with this reason code",
    ),
    (
        "refuse-publish:code=CODE",
        "refuses PUBLISH with this reason code",
    ),
    (
        "refuse-subscribe:code=CODE",
        "refuses the filters of SUBSCRIBE with this reason code",
    ),
    (
        "forget-sessions",
        "discards sessions: Session Present is always 0",
    ),
    (
        "stall:after=N[,for=DURATION]",
        "stops reading and writing a connection after N packets from it",
    ),
    (
        "malformed:after=N",
        "sends a malformed packet after N packets from a connection",
    ),
    ("dribble", "writes one byte at a time"),
    (
        "server-keep-alive:seconds=N",
        "sends this Server Keep Alive in CONNACK (MQTT 5)",
    ),
];

/// What every fault may have besides, for the help page and the man page.
pub(crate) const FAULT_KEYS: &[(&str, &str)] = &[
    (
        "client=PREFIX",
        "only for client identifiers with this prefix",
    ),
    (
        "topic=FILTER",
        "only for matching topics (publish faults), or this filter (refuse-subscribe)",
    ),
    (
        "packet=KIND",
        "puback, pubrec, pubrel, pubcomp, suback, unsuback, pingresp or connack",
    ),
];

/// One thing that is to go wrong; written `ACTION[:KEY=VALUE[,KEY=VALUE…]]`.
pub(crate) type Fault = server::Fault<Injected>;

/// The faults of one broker with their counters.
pub(super) type Faults = server::Faults<Injected>;

/// What is to go wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Injected {
    action: Action,
    kind: Option<Kind>,
    client: Option<String>,
    topic: Option<String>,
}

/// What happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    DropAck,
    DelayAck(Duration),
    DuplicateAck,
    DropPublish,
    DelayPublish(Duration),
    DuplicatePublish,
    ReorderPublish,
    Close {
        after: Option<u64>,
    },
    RefuseConnect(ReasonCode),
    RefusePublish(ReasonCode),
    RefuseSubscribe(ReasonCode),
    ForgetSessions,
    Stall {
        after: u64,
        during: Option<Duration>,
    },
    Malformed {
        after: u64,
    },
    Dribble,
    ServerKeepAlive(u16),
}

impl Injected {
    /// Whether this client, and this topic or topic filter, is one that it is limited to.
    fn concerns(&self, client: &str, topic: Option<&str>) -> bool {
        let own_client = self
            .client
            .as_deref()
            .is_none_or(|prefix| client.starts_with(prefix));
        let within = |filter: &str| {
            topic.is_some_and(|topic| topic == filter || topic::matches(filter, topic))
        };
        own_client && self.topic.as_deref().is_none_or(within)
    }
}

/// Declares the kinds of acknowledgement with their names.
macro_rules! kinds {
    ($($name:literal $kind:ident $packet:ident;)*) => {
        /// An acknowledgement that a fault may be limited to.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        enum Kind { $($kind,)* }

        impl Kind {
            const NAMES: &[&str] = &[$($name,)*];

            fn named(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$kind),)* _ => None }
            }

            const fn of(packet: &Packet) -> Option<Self> {
                match packet { $(Packet::$packet { .. } => Some(Self::$kind),)* _ => None }
            }
        }
    };
}

kinds! {
    "puback" PubAck PubAck;
    "pubrec" PubRec PubRec;
    "pubrel" PubRel PubRel;
    "pubcomp" PubComp PubComp;
    "suback" SubAck SubAck;
    "unsuback" UnsubAck UnsubAck;
    "pingresp" PingResp PingResp;
    "connack" ConnAck ConnAck;
}

impl Faults {
    /// The first action that `wanted` picks and whose turn it is for this client.
    pub(super) fn trigger<T>(
        &mut self,
        client: &str,
        wanted: impl Fn(Action) -> Option<T>,
    ) -> Option<T> {
        self.strike_if(client, None, |fault| wanted(fault.action))
    }

    /// As [`Self::trigger`], for what happens on a topic, or to a topic filter.
    pub(super) fn strike_on<T>(
        &mut self,
        client: &str,
        topic: &str,
        wanted: impl Fn(Action) -> Option<T>,
    ) -> Option<T> {
        self.strike_if(client, Some(topic), |fault| wanted(fault.action))
    }

    /// What is to happen to an outgoing packet.
    pub(super) fn on_packet(&mut self, client: &str, packet: &Packet) -> Option<Action> {
        let topic = match packet {
            Packet::Publish(publish) => Some(&*publish.topic),
            _ => None,
        };
        let kind = Kind::of(packet);
        self.strike_if(client, topic, |fault| match fault.action {
            Action::DropAck | Action::DelayAck(_) | Action::DuplicateAck => {
                let fits = kind.is_some() && (fault.kind.is_none() || fault.kind == kind);
                fits.then_some(fault.action)
            }
            Action::DropPublish
            | Action::DelayPublish(_)
            | Action::DuplicatePublish
            | Action::ReorderPublish => topic.map(|_| fault.action),
            _ => None,
        })
    }

    fn strike_if<T>(
        &mut self,
        client: &str,
        topic: Option<&str>,
        wanted: impl Fn(&Injected) -> Option<T>,
    ) -> Option<T> {
        self.first(|fault| wanted(fault).filter(|_| fault.concerns(client, topic)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Fault {
        text.parse()
            .unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn counters_decide_and_count_only_their_clients() {
        let mut faults = Faults::new(&[
            parsed("drop-publish:every=3,client=a"),
            parsed("drop-publish:nth=2"),
        ]);
        let packet = Packet::Publish(Default::default());
        let struck: Vec<_> = (0..6)
            .map(|_| faults.on_packet("a", &packet).is_some())
            .collect();
        assert_eq!(struck, [false, true, true, false, false, true]);
        assert_eq!(faults.on_packet("b", &packet), None);
        assert_eq!(faults.happened(), [2, 1]);
        assert_eq!(faults.on_packet("a", &Packet::PingResp), None);
    }

    #[test]
    fn a_topic_narrows_what_is_hit() {
        let mut faults = Faults::new(&[parsed("refuse-subscribe:code=0x80,topic=a/+")]);
        let mut hit = |topic| faults.strike_on("x", topic, Some).is_some();
        assert!(hit("a/b") && hit("a/+"));
        assert!(!hit("a") && !hit("b/c"));
    }
}
