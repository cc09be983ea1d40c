//! The client's session against a scripted server, on a virtual clock.

mod recovery;

use std::time::Duration;

use bytes::{Bytes, BytesMut};

use super::*;
use crate::mqtt::packet::{
    Ack, ConnAck, Disconnect, Packet, Property, QoS, RetainHandling, SubAck,
};
use crate::mqtt::session::fault::Fault;

const LARGEST: u32 = LARGEST_PACKET;

/// A session, the server's side of its wire, and the clock.
struct Wire {
    session: Session,
    now: Instant,
    /// What the last connection began with.
    news: Vec<Event>,
}

fn connect(version: Version) -> Connect {
    Connect {
        version,
        client_id: "c".into(),
        clean_start: true,
        keep_alive: 60,
        ..Connect::default()
    }
}

fn keeping(version: Version) -> Connect {
    let properties = if version == Version::V5 {
        [Property::SessionExpiryInterval(100)].into_iter().collect()
    } else {
        Properties::default()
    };
    Connect {
        clean_start: false,
        properties,
        ..connect(version)
    }
}

impl Wire {
    fn with(connect: Connect, window: u16) -> Self {
        let now = Instant::now();
        Self {
            session: Session::new(connect, window, LARGEST, now),
            now,
            news: Vec::new(),
        }
    }

    /// A session that is online, with a server that grants whatever `properties` say.
    fn online(connect: Connect, window: u16, properties: &[Property]) -> Self {
        let mut wire = Self::with(connect, window);
        wire.reconnect(false, properties);
        wire
    }

    fn reconnect(&mut self, session_present: bool, properties: &[Property]) {
        self.session.opened(self.now).unwrap();
        assert!(matches!(self.sent()[..], [Packet::Connect(_)]));
        let properties = properties.iter().cloned().collect();
        let ack = ConnAck {
            session_present,
            reason: ReasonCode::SUCCESS,
            properties,
        };
        self.server(&Packet::ConnAck(ack)).unwrap();
        let news: Vec<_> = std::iter::from_fn(|| self.session.poll_event()).collect();
        assert!(matches!(news.first(), Some(Event::Connected { .. })));
        self.news = news;
    }

    /// The server sends a packet.
    fn server(&mut self, packet: &Packet) -> Result<(), Fault> {
        let mut bytes = BytesMut::new();
        packet::encode(packet, self.session.version(), &mut bytes).unwrap();
        self.session.receive(&mut bytes, self.now)
    }

    /// The packets that the session has put on the wire since the last call.
    fn sent(&mut self) -> Vec<Packet> {
        let decoder = Decoder::new(self.session.version(), LARGEST);
        let mut output = self.session.output().split();
        std::iter::from_fn(|| decoder.decode(&mut output).unwrap()).collect()
    }

    /// The topics and aliases of the messages that the session has put on the wire since the last call.
    fn topics(&mut self) -> Vec<(String, Option<u16>)> {
        let topic = |packet| match packet {
            Packet::Publish(publish) => {
                (publish.topic.to_string(), publish.properties.topic_alias())
            }
            other => panic!("unexpected {other:?}"),
        };
        self.sent().into_iter().map(topic).collect()
    }

    fn publish(&mut self, qos: QoS, ticket: Ticket) {
        assert!(self.session.can_publish(qos));
        let mut publish = message("t", qos);
        self.session.publish(&mut publish, ticket).unwrap();
    }

    fn acknowledged(&mut self) -> Vec<(Ticket, ReasonCode)> {
        let next = || match self.session.poll_event()? {
            Event::Acknowledged { ticket, reason, .. } => Some((ticket, reason)),
            other => panic!("unexpected {other:?}"),
        };
        std::iter::from_fn(next).collect()
    }
}

fn message(topic: &'static str, qos: QoS) -> Publish {
    Publish {
        topic: ByteString::from_static(topic),
        payload: Bytes::from_static(b"21.5"),
        qos,
        ..Publish::default()
    }
}

fn incoming(packet_id: u16, qos: QoS, duplicate: bool) -> Packet {
    Packet::Publish(Publish {
        packet_id,
        duplicate,
        ..message("t", qos)
    })
}

fn ack(packet_id: u16) -> Ack {
    Ack {
        packet_id,
        ..Ack::default()
    }
}

fn refusal(packet_id: u16) -> Ack {
    Ack {
        packet_id,
        reason: ReasonCode::NOT_AUTHORIZED,
        ..Ack::default()
    }
}

#[test]
fn qos_2_sent_again_before_pubrel_is_delivered_once() {
    let mut wire = Wire::online(connect(Version::V311), 10, &[]);
    wire.server(&incoming(5, QoS::ExactlyOnce, false)).unwrap();
    assert!(matches!(wire.session.poll_event(), Some(Event::Message(_))));
    wire.session.accept();
    wire.server(&incoming(5, QoS::ExactlyOnce, true)).unwrap();
    assert_eq!(wire.session.poll_event(), None);
    assert_eq!(
        wire.sent(),
        [Packet::PubRec(ack(5)), Packet::PubRec(ack(5))]
    );
    wire.server(&Packet::PubRel(ack(5))).unwrap();
    assert_eq!(wire.sent(), [Packet::PubComp(ack(5))]);
}

#[test]
fn a_pubrel_that_nobody_expects_is_answered_and_ends_nothing() {
    let mut wire = Wire::online(keeping(Version::V5), 10, &[]);
    wire.server(&Packet::PubRel(ack(9))).unwrap();
    let reason = ReasonCode::PACKET_IDENTIFIER_NOT_FOUND;
    assert_eq!(
        wire.sent(),
        [Packet::PubComp(Ack {
            packet_id: 9,
            reason,
            ..Ack::default()
        })]
    );
    assert!(wire.session.is_online());
}

#[test]
fn messages_of_a_lost_session_are_sent_again_as_new_ones() {
    let mut wire = Wire::online(connect(Version::V311), 3, &[]);
    for ticket in 1..=3 {
        wire.publish(QoS::AtLeastOnce, ticket);
    }
    wire.sent();
    wire.session.lost();
    assert_eq!(wire.session.unfinished(), 3);
    wire.reconnect(false, &[]);
    let again: Vec<_> = wire.sent();
    assert_eq!(again.len(), 3);
    for packet in again {
        let Packet::Publish(publish) = packet else {
            panic!("only PUBLISH is sent again")
        };
        assert!(!publish.duplicate, "the server has never seen it");
        wire.server(&Packet::PubAck(ack(publish.packet_id)))
            .unwrap();
    }
    assert_eq!(
        wire.acknowledged(),
        [
            (1, ReasonCode::SUCCESS),
            (2, ReasonCode::SUCCESS),
            (3, ReasonCode::SUCCESS)
        ]
    );
    assert_eq!(wire.session.unfinished(), 0);
}

#[test]
fn a_resumed_session_repeats_with_dup_and_a_smaller_window_is_kept() {
    let mut wire = Wire::online(keeping(Version::V5), 4, &[]);
    for ticket in 1..=4 {
        wire.publish(QoS::ExactlyOnce, ticket);
    }
    wire.sent();
    wire.server(&Packet::PubRec(ack(1))).unwrap();
    wire.sent();
    wire.session.lost();
    wire.reconnect(true, &[]);
    let again = wire.sent();
    assert_eq!(again[0], Packet::PubRel(ack(1)));
    assert!(
        matches!(&again[1], Packet::Publish(publish) if publish.duplicate && publish.packet_id == 2)
    );
    assert!(!wire.session.can_publish(QoS::AtLeastOnce));
    assert!(wire.session.can_publish(QoS::AtMostOnce));
}

#[test]
fn a_message_that_no_connection_survives_is_given_up_and_its_neighbours_are_not() {
    let mut wire = Wire::online(connect(Version::V311), 3, &[]);
    for ticket in 1..=3 {
        wire.publish(QoS::AtLeastOnce, ticket);
    }
    let packet_ids = |wire: &mut Wire| -> Vec<u16> {
        let sent = wire.sent().into_iter();
        sent.map(|packet| match packet {
            Packet::Publish(publish) => publish.packet_id,
            other => panic!("{other:?}"),
        })
        .collect()
    };
    // The server takes the first, and closes over the second each time.
    let first = packet_ids(&mut wire)[0];
    wire.server(&Packet::PubAck(ack(first))).unwrap();
    assert_eq!(wire.acknowledged(), [(1, ReasonCode::SUCCESS)]);
    wire.session.lost();
    wire.reconnect(false, &[]);
    assert_eq!(
        packet_ids(&mut wire).len(),
        2,
        "an outage is the first thought"
    );
    wire.session.lost();
    for _ in 0..4 {
        assert_eq!(wire.session.poll_event(), None);
        wire.reconnect(false, &[]);
        assert_eq!(packet_ids(&mut wire).len(), 1, "alone, to be known");
        wire.session.lost();
    }
    let topic = ByteString::from_static("t");
    let given_up = Event::Abandoned { ticket: 2, topic };
    assert_eq!(wire.session.poll_event(), Some(given_up));
    wire.reconnect(false, &[]);
    let [last] = packet_ids(&mut wire)[..] else {
        panic!("the third goes out")
    };
    wire.server(&Packet::PubAck(ack(last))).unwrap();
    assert_eq!(wire.acknowledged(), [(3, ReasonCode::SUCCESS)]);
    assert_eq!(wire.session.unfinished(), 0);
}

#[test]
fn an_outage_or_a_silent_server_is_no_messages_fault() {
    let mut wire = Wire::online(connect(Version::V311), 3, &[]);
    wire.publish(QoS::AtLeastOnce, 1);
    wire.sent();
    wire.session.lost();
    // Nothing of it was written over the second connection, and the third was silent.
    wire.reconnect(false, &[]);
    wire.session.lost();
    wire.reconnect(false, &[]);
    wire.sent();
    wire.session.acquit();
    wire.session.lost();
    wire.reconnect(false, &[]);
    assert_eq!(wire.sent().len(), 1);
    assert_eq!(wire.session.unfinished(), 1);
}

#[test]
fn a_message_the_server_owned_when_it_lost_the_session_is_in_doubt() {
    let mut wire = Wire::online(connect(Version::V5), 4, &[]);
    wire.publish(QoS::ExactlyOnce, 7);
    wire.server(&Packet::PubRec(ack(1))).unwrap();
    wire.session.lost();
    wire.reconnect(false, &[]);
    let (ticket, reason) = (7, None);
    assert_eq!(wire.news.last(), Some(&Event::InDoubt { ticket, reason }));
    assert_eq!(wire.session.unfinished(), 0);
}

#[test]
fn an_incoming_topic_alias_becomes_its_topic() {
    let properties = [Property::TopicAliasMaximum(4)].into_iter().collect();
    let mut wire = Wire::online(
        Connect {
            properties,
            ..connect(Version::V5)
        },
        10,
        &[],
    );
    for topic in ["a/b", ""] {
        let properties = [Property::TopicAlias(1)].into_iter().collect();
        let publish = Publish {
            topic: ByteString::from_static(topic),
            properties,
            ..Publish::default()
        };
        wire.server(&Packet::Publish(publish)).unwrap();
        let Some(Event::Message(publish)) = wire.session.poll_event() else {
            panic!("no message")
        };
        assert_eq!(publish.topic, "a/b");
    }
}

#[test]
fn an_alias_over_our_maximum_ends_the_connection_with_its_reason() {
    let mut wire = Wire::online(connect(Version::V5), 10, &[]);
    let properties = [Property::TopicAlias(1)].into_iter().collect();
    let publish = Publish {
        topic: "a".into(),
        properties,
        ..Publish::default()
    };
    let fault = wire.server(&Packet::Publish(publish)).unwrap_err();
    assert!(matches!(
        fault,
        Fault::Protocol {
            reason: ReasonCode::TOPIC_ALIAS_INVALID,
            ..
        }
    ));
    let goodbye = Disconnect {
        reason: ReasonCode::TOPIC_ALIAS_INVALID,
        ..Disconnect::default()
    };
    assert_eq!(wire.sent(), [Packet::Disconnect(goodbye)]);
}

#[test]
fn all_is_settled_once_the_server_has_answered_all_and_sends_nothing_itself() {
    let mut wire = Wire::online(connect(Version::V5), 10, &[]);
    assert!(wire.session.is_settled());
    wire.publish(QoS::AtLeastOnce, 1);
    assert!(!wire.session.is_settled());
    let ack = Ack {
        packet_id: 1,
        ..Ack::default()
    };
    wire.server(&Packet::PubAck(ack)).unwrap();
    assert!(wire.session.is_settled());
    // At QoS 0 only what comes behind it is answered.
    wire.publish(QoS::AtMostOnce, 2);
    wire.session.ping(wire.now);
    wire.publish(QoS::AtMostOnce, 3);
    wire.server(&Packet::PingResp).unwrap();
    assert!(!wire.session.is_settled());
    wire.session.ping(wire.now);
    assert!(!wire.session.is_settled());
    wire.server(&Packet::PingResp).unwrap();
    assert!(wire.session.is_settled());
    let wanted = Subscription {
        filter: "a".into(),
        ..Subscription::default()
    };
    wire.session
        .subscribe(&[wanted], &Properties::default())
        .unwrap();
    assert!(!wire.session.is_settled());
    // In a session that is kept there may be subscriptions of an earlier run.
    let kept = Wire::online(keeping(Version::V5), 10, &[]);
    assert!(!kept.session.is_settled());
}

#[test]
fn server_keep_alive_0_means_no_pings_at_all() {
    let mut wire = Wire::online(connect(Version::V5), 10, &[Property::ServerKeepAlive(0)]);
    assert_eq!(wire.session.next_time(), None);
    wire.now += Duration::from_secs(100_000);
    wire.session.on_time(wire.now).unwrap();
    assert_eq!(wire.sent(), []);
}

#[test]
fn a_server_keep_alive_overrides_ours_and_pings_come_only_when_nothing_else_is_sent() {
    let mut wire = Wire::online(connect(Version::V5), 10, &[Property::ServerKeepAlive(10)]);
    wire.now += Duration::from_secs(9);
    wire.session.wrote(wire.now);
    wire.now += Duration::from_secs(9);
    wire.session.on_time(wire.now).unwrap();
    assert_eq!(wire.sent(), []);
    wire.now += Duration::from_secs(1);
    wire.session.on_time(wire.now).unwrap();
    assert_eq!(wire.sent(), [Packet::PingReq]);
    wire.now += Duration::from_secs(10);
    assert_eq!(wire.session.on_time(wire.now), Err(Fault::KeepAlive));
}

#[test]
fn refused_qos_2_messages_give_their_place_in_the_window_back() {
    let mut wire = Wire::online(connect(Version::V5), 2, &[]);
    for ticket in 0..10 {
        wire.publish(QoS::ExactlyOnce, ticket);
        let Some(Packet::Publish(publish)) = wire.sent().pop() else {
            panic!("no PUBLISH")
        };
        wire.server(&Packet::PubRec(refusal(publish.packet_id)))
            .unwrap();
        assert_eq!(wire.acknowledged(), [(ticket, ReasonCode::NOT_AUTHORIZED)]);
    }
}

#[test]
fn an_unsolicited_puback_ends_nothing() {
    let mut wire = Wire::online(connect(Version::V311), 2, &[]);
    wire.server(&Packet::PubAck(ack(77))).unwrap();
    assert!(wire.session.is_online());
    assert_eq!(wire.session.poll_event(), None);
}

#[test]
fn messages_of_any_size_pass_unless_a_limit_was_set() {
    let mut wire = Wire::online(connect(Version::V311), 2, &[]);
    let mut large = Publish {
        payload: vec![b'x'; 5_000_000].into(),
        ..message("t", QoS::AtMostOnce)
    };
    wire.session.publish(&mut large, 1).unwrap();
    assert_eq!(wire.sent().len(), 1);
    wire.server(&Packet::Publish(large)).unwrap();
    assert!(matches!(wire.session.poll_event(), Some(Event::Message(_))));
}

#[test]
fn what_the_server_does_not_take_is_refused_before_it_is_sent() {
    let limits = [
        Property::MaximumPacketSize(20),
        Property::MaximumQos(1),
        Property::RetainAvailable(0),
    ];
    let mut wire = Wire::online(connect(Version::V5), 2, &limits);
    let mut large = Publish {
        payload: vec![0; 100].into(),
        ..message("t", QoS::AtMostOnce)
    };
    assert_eq!(
        wire.session.publish(&mut large, 1),
        Err(Unsendable::TooLarge {
            size: 106,
            limit: 20
        })
    );
    assert_eq!(
        wire.session.publish(&mut message("t", QoS::ExactlyOnce), 1),
        Err(Unsendable::QosNotSupported(1))
    );
    let mut retained = Publish {
        retain: true,
        ..message("t", QoS::AtMostOnce)
    };
    assert_eq!(
        wire.session.publish(&mut retained, 1),
        Err(Unsendable::RetainNotSupported)
    );
    assert_eq!(wire.sent(), []);
}

#[test]
fn a_topic_of_70000_bytes_is_refused_and_nothing_is_written() {
    let mut wire = Wire::online(connect(Version::V311), 2, &[]);
    let mut publish = Publish {
        topic: "x".repeat(70_000).into(),
        ..Publish::default()
    };
    assert!(matches!(
        wire.session.publish(&mut publish, 1),
        Err(Unsendable::Unencodable(_))
    ));
    assert_eq!(wire.sent(), []);
}

#[test]
fn subscribe_never_takes_the_identifier_of_a_message_in_flight() {
    let mut wire = Wire::online(connect(Version::V311), 5, &[]);
    wire.publish(QoS::AtLeastOnce, 1);
    let subscription = Subscription {
        filter: "a".into(),
        ..Subscription::default()
    };
    wire.session
        .subscribe(&[subscription], &Properties::default())
        .unwrap();
    wire.publish(QoS::AtLeastOnce, 2);
    let ids: Vec<u16> = wire
        .sent()
        .iter()
        .map(|packet| match packet {
            Packet::Publish(publish) => publish.packet_id,
            Packet::Subscribe(subscribe) => subscribe.packet_id,
            other => panic!("unexpected {other:?}"),
        })
        .collect();
    assert_eq!(ids, [1, 2, 3]);
}

#[test]
fn the_window_is_the_smaller_of_ours_and_the_servers() {
    let mut wire = Wire::online(connect(Version::V5), 100, &[Property::ReceiveMaximum(2)]);
    wire.publish(QoS::AtLeastOnce, 1);
    wire.publish(QoS::AtLeastOnce, 2);
    assert!(!wire.session.can_publish(QoS::AtLeastOnce));
    wire.server(&Packet::PubAck(ack(1))).unwrap();
    assert!(wire.session.can_publish(QoS::AtLeastOnce));
}

#[test]
fn nothing_is_acknowledged_before_it_is_accepted() {
    let mut wire = Wire::online(connect(Version::V311), 5, &[]);
    for packet_id in 1..=3 {
        wire.server(&incoming(packet_id, QoS::AtLeastOnce, false))
            .unwrap();
    }
    wire.session.poll_event();
    wire.session.poll_event();
    assert_eq!(wire.sent(), []);
    wire.session.accept();
    assert_eq!(
        wire.sent(),
        [Packet::PubAck(ack(1)), Packet::PubAck(ack(2))]
    );
}

#[test]
fn a_server_that_ignores_our_receive_maximum_is_told_so() {
    let properties = [Property::ReceiveMaximum(2)].into_iter().collect();
    let mut wire = Wire::online(
        Connect {
            properties,
            ..connect(Version::V5)
        },
        5,
        &[],
    );
    wire.server(&incoming(1, QoS::AtLeastOnce, false)).unwrap();
    wire.server(&incoming(2, QoS::ExactlyOnce, false)).unwrap();
    let fault = wire
        .server(&incoming(3, QoS::AtLeastOnce, false))
        .unwrap_err();
    assert!(matches!(
        fault,
        Fault::Protocol {
            reason: ReasonCode::RECEIVE_MAXIMUM_EXCEEDED,
            ..
        }
    ));
}

#[test]
fn subscriptions_are_made_again_exactly_when_the_session_is_gone() {
    let mut wire = Wire::online(keeping(Version::V5), 5, &[]);
    let subscription = Subscription {
        filter: "a/#".into(),
        qos: QoS::AtLeastOnce,
        no_local: true,
        retain_handling: RetainHandling::New,
        ..Subscription::default()
    };
    wire.session
        .subscribe(std::slice::from_ref(&subscription), &Properties::default())
        .unwrap();
    let Some(Packet::Subscribe(first)) = wire.sent().pop() else {
        panic!("no SUBSCRIBE")
    };
    assert_eq!(first.subscriptions, std::slice::from_ref(&subscription));
    let granted = SubAck {
        packet_id: 1,
        reasons: vec![ReasonCode::GRANTED_QOS_1],
        ..SubAck::default()
    };
    wire.server(&Packet::SubAck(granted)).unwrap();
    assert!(matches!(
        wire.session.poll_event(),
        Some(Event::Subscribed(..))
    ));
    wire.session.lost();
    wire.reconnect(true, &[]);
    assert_eq!(wire.sent(), []);
    wire.session.lost();
    wire.reconnect(false, &[]);
    assert!(
        matches!(&wire.sent()[..], [Packet::Subscribe(again)] if again.subscriptions == [subscription])
    );
}

#[test]
fn a_refused_subscription_is_not_asked_for_again() {
    let mut wire = Wire::online(connect(Version::V311), 5, &[]);
    let filters = ["a", "b"].map(|filter| Subscription {
        filter: filter.into(),
        ..Subscription::default()
    });
    wire.session
        .subscribe(&filters, &Properties::default())
        .unwrap();
    let reasons = vec![ReasonCode::UNSPECIFIED_ERROR, ReasonCode::SUCCESS];
    wire.server(&Packet::SubAck(SubAck {
        packet_id: 1,
        reasons,
        ..SubAck::default()
    }))
    .unwrap();
    assert!(matches!(
        wire.session.poll_event(),
        Some(Event::Subscribed(..))
    ));
    wire.session.lost();
    wire.sent();
    wire.reconnect(false, &[]);
    assert!(
        matches!(&wire.sent()[..], [Packet::Subscribe(again)] if again.subscriptions == [filters[1].clone()])
    );
}

#[test]
fn an_assigned_client_identifier_is_used_at_the_next_connection() {
    let assigned = Property::AssignedClientIdentifier("server-made".into());
    let mut wire = Wire::online(
        Connect {
            client_id: ByteString::new(),
            ..keeping(Version::V5)
        },
        5,
        &[assigned],
    );
    wire.session.lost();
    wire.session.opened(wire.now).unwrap();
    assert!(
        matches!(&wire.sent()[..], [Packet::Connect(connect)] if connect.client_id == "server-made" && !connect.clean_start)
    );
}

#[test]
fn an_old_server_refuses_version_5_in_its_own_form() {
    let mut wire = Wire::with(connect(Version::V5), 5);
    wire.session.opened(wire.now).unwrap();
    let mut bytes = BytesMut::from(&[0x20, 2, 0, 1][..]);
    let fault = wire.session.receive(&mut bytes, wire.now).unwrap_err();
    assert!(fault.is_about_the_version());
    assert_eq!(
        fault.to_string(),
        "unsupported protocol version (return code 1)"
    );
    wire.session.lost();
    wire.session.fall_back();
    wire.reconnect(false, &[]);
    assert_eq!(wire.session.version(), Version::V311);
}

#[test]
fn after_a_servers_disconnect_its_reason_decides_whether_to_come_back() {
    for (reason, comes_back) in [
        (ReasonCode::SESSION_TAKEN_OVER, false),
        (ReasonCode::SERVER_SHUTTING_DOWN, true),
    ] {
        let mut wire = Wire::online(connect(Version::V5), 5, &[]);
        let fault = wire
            .server(&Packet::Disconnect(Disconnect {
                reason,
                ..Disconnect::default()
            }))
            .unwrap_err();
        assert_eq!(fault.may_pass(), comes_back, "{reason}");
    }
}

#[test]
fn before_version_5_an_error_is_not_followed_by_a_disconnect() {
    let mut wire = Wire::online(connect(Version::V311), 5, &[]);
    assert!(wire.server(&Packet::PingReq).is_err());
    assert_eq!(wire.sent(), []);
}

#[test]
fn a_packet_before_connack_is_an_error() {
    let mut wire = Wire::with(connect(Version::V311), 5);
    wire.session.opened(wire.now).unwrap();
    let fault = wire
        .server(&incoming(0, QoS::AtMostOnce, false))
        .unwrap_err();
    assert_eq!(fault.to_string(), "unexpected PUBLISH before CONNACK");
}

#[test]
fn outgoing_aliases_shorten_the_second_message_to_a_topic() {
    let mut wire = Wire::with(connect(Version::V5), 5);
    wire.session.use_topic_aliases();
    wire.reconnect(false, &[Property::TopicAliasMaximum(1)]);
    wire.publish(QoS::AtMostOnce, 1);
    wire.publish(QoS::AtMostOnce, 2);
    assert_eq!(
        wire.topics(),
        [("t".into(), Some(1)), (String::new(), Some(1))]
    );
}

#[test]
fn a_message_is_not_made_too_large_by_an_alias() {
    let mut wire = Wire::with(connect(Version::V5), 5);
    wire.session.use_topic_aliases();
    let size = packet::publish_len(&message("t", QoS::AtLeastOnce), Version::V5).unwrap();
    let limits = [
        Property::TopicAliasMaximum(1),
        Property::MaximumPacketSize(size),
    ];
    wire.reconnect(false, &limits);
    let mut large = message("t", QoS::AtLeastOnce);
    wire.session.publish(&mut large, 1).unwrap();
    assert_eq!((&*large.topic, large.properties.len()), ("t", 0));
    // It has room for the alias, which nobody has heard of yet.
    let mut small = message("t", QoS::AtLeastOnce);
    small.payload.clear();
    wire.session.publish(&mut small, 2).unwrap();
    assert_eq!(wire.topics(), [("t".into(), None), ("t".into(), Some(1))]);
}

#[test]
fn a_message_of_a_lost_connection_is_not_acknowledged_on_the_next_one() {
    let mut wire = Wire::online(connect(Version::V311), 5, &[]);
    wire.server(&incoming(1, QoS::AtLeastOnce, false)).unwrap();
    wire.session.lost();
    wire.session.opened(wire.now).unwrap();
    wire.server(&Packet::ConnAck(ConnAck::default())).unwrap();
    wire.sent();
    assert!(matches!(wire.session.poll_event(), Some(Event::Message(_))));
    wire.session.accept();
    assert_eq!(wire.sent(), []);
}

/// What nobody had accepted when the connection was lost is delivered and held back again, handed out before or not.
#[test]
fn what_was_not_accepted_is_the_servers_still() {
    for qos in [QoS::AtLeastOnce, QoS::ExactlyOnce] {
        let mut wire = Wire::online(keeping(Version::V311), 5, &[]);
        for packet_id in 1..=3 {
            wire.server(&incoming(packet_id, qos, false)).unwrap();
        }
        wire.session.poll_event();
        wire.session.accept();
        wire.session.poll_event();
        wire.session.lost();
        assert_eq!(wire.session.poll_event(), None);
        wire.reconnect(true, &[]);
        wire.sent();
        // Its acknowledgement was lost.
        wire.server(&incoming(1, qos, true)).unwrap();
        let again = matches!(wire.session.poll_event(), Some(Event::Message(_)));
        assert_eq!(again, qos == QoS::AtLeastOnce);
        wire.session.accept();
        assert_eq!(wire.sent().len(), 1);
        for packet_id in 2..=3 {
            wire.server(&incoming(packet_id, qos, true)).unwrap();
            let next = wire.session.poll_event();
            assert!(matches!(next, Some(Event::Message(_))), "{qos:?}");
            assert_eq!(wire.sent(), []);
            wire.session.accept();
            assert_eq!(wire.sent().len(), 1);
        }
    }
}

/// Answers every SUBSCRIBE and UNSUBSCRIBE until there are no more; their numbers of filters.
fn answer_all(wire: &mut Wire) -> Vec<usize> {
    let mut counts = Vec::new();
    loop {
        let sent = wire.sent();
        if sent.is_empty() {
            return counts;
        }
        assert!(sent.len() <= 64, "{} at once", sent.len());
        for packet in sent {
            let version = wire.session.version();
            let length = packet::encoded_len(&packet, version).unwrap();
            assert!(length <= wire.session.limits.largest_out, "{length} bytes");
            let answer = match packet {
                Packet::Subscribe(subscribe) => {
                    counts.push(subscribe.subscriptions.len());
                    Packet::SubAck(SubAck {
                        packet_id: subscribe.packet_id,
                        reasons: vec![ReasonCode::SUCCESS; subscribe.subscriptions.len()],
                        ..SubAck::default()
                    })
                }
                Packet::Unsubscribe(unsubscribe) => {
                    counts.push(unsubscribe.filters.len());
                    Packet::UnsubAck(packet::UnsubAck {
                        packet_id: unsubscribe.packet_id,
                        reasons: vec![ReasonCode::SUCCESS; unsubscribe.filters.len()],
                        ..packet::UnsubAck::default()
                    })
                }
                other => panic!("{other:?}"),
            };
            wire.server(&answer).unwrap();
        }
    }
}

fn wanted(filters: &[ByteString]) -> Vec<Subscription> {
    let wanted = |filter: &ByteString| Subscription {
        filter: filter.clone(),
        ..Subscription::default()
    };
    filters.iter().map(wanted).collect()
}

#[test]
fn many_filters_travel_in_parts_and_are_answered_as_one() {
    let filters: Vec<ByteString> = (0..2_000).map(|n| format!("f/{n}").into()).collect();
    for version in [Version::V311, Version::V5] {
        let mut wire = Wire::online(connect(version), 5, &[]);
        let none = Properties::default();
        wire.session.subscribe(&wanted(&filters), &none).unwrap();
        assert_eq!(answer_all(&mut wire), vec![8; 250]);
        let answered = match wire.session.poll_event() {
            Some(Event::Subscribed(answers, None)) => answers,
            other => panic!("{other:?}"),
        };
        let order = answered.iter().map(|(filter, _)| filter.clone());
        assert_eq!(order.collect::<Vec<_>>(), filters);
        assert_eq!(wire.session.poll_event(), None);
        wire.session.unsubscribe(&filters, &none).unwrap();
        assert_eq!(answer_all(&mut wire).iter().sum::<usize>(), 2_000);
        assert!(
            matches!(wire.session.poll_event(), Some(Event::Unsubscribed(answers)) if answers.len() == 2_000)
        );
    }
}

#[test]
fn no_request_is_larger_than_the_server_takes() {
    let small = [Property::MaximumPacketSize(40)];
    let mut wire = Wire::online(connect(Version::V5), 5, &small);
    let none = Properties::default();
    let mut filters: Vec<ByteString> = (0..20).map(|n| format!("filter/{n}").into()).collect();
    filters.push("x".repeat(50).into());
    wire.session.subscribe(&wanted(&filters), &none).unwrap();
    let counts = answer_all(&mut wire);
    assert!(
        counts.iter().all(|count| (2..4).contains(count)),
        "{counts:?}"
    );
    let Some(Event::Subscribed(answers, words)) = wire.session.poll_event() else {
        panic!("no answer")
    };
    assert_eq!(answers.len(), 21);
    let refused: Vec<_> = answers.iter().filter(|(_, one)| one.is_failure()).collect();
    assert_eq!(refused.len(), 1);
    assert_eq!(refused[0].1, ReasonCode::PACKET_TOO_LARGE);
    assert_eq!(
        words.as_deref(),
        Some("the server accepts packets of at most 40 bytes")
    );
    // Subscribed anew as it was, without the one that cannot be.
    wire.session.lost();
    wire.reconnect(false, &small);
    assert_eq!(answer_all(&mut wire).iter().sum::<usize>(), 20);
    wire.session.unsubscribe(&filters[..20], &none).unwrap();
    assert_eq!(answer_all(&mut wire).iter().sum::<usize>(), 20);
}

#[test]
fn a_goodbye_too_large_for_the_server_goes_without_its_properties() {
    let mut wire = Wire::online(connect(Version::V5), 5, &[Property::MaximumPacketSize(40)]);
    let long = Property::UserProperty("k".into(), "x".repeat(100).into());
    wire.session.disconnect(Disconnect {
        properties: [long].into_iter().collect(),
        ..Disconnect::default()
    });
    assert_eq!(wire.sent(), [Packet::Disconnect(Disconnect::default())]);
}

#[test]
fn where_two_own_a_session_each_sees_its_own() {
    let mut wire = Wire::online(connect(Version::V5), 10, &[]);
    wire.session.part();
    wire.publish(QoS::AtLeastOnce, 7);
    assert_eq!(wire.sent().len(), 1);
    let ack = Ack {
        packet_id: 1,
        ..Ack::default()
    };
    wire.server(&Packet::Publish(message("in", QoS::AtMostOnce)))
        .unwrap();
    wire.server(&Packet::PubAck(ack)).unwrap();
    wire.server(&Packet::PingResp).unwrap();
    let kinds = |event: Event| match event {
        Event::Message(publish) => publish.topic.to_string(),
        Event::Acknowledged { ticket, .. } => ticket.to_string(),
        Event::Pong => "pong".to_owned(),
        other => panic!("unexpected {other:?}"),
    };
    let events: Vec<_> = std::iter::from_fn(|| wire.session.poll_event()).collect();
    let outcomes: Vec<_> = std::iter::from_fn(|| wire.session.poll_outcome()).collect();
    let kinds = |events: Vec<Event>| events.into_iter().map(kinds).collect::<Vec<_>>();
    assert_eq!(kinds(events), ["in", "pong"]);
    assert_eq!(kinds(outcomes), ["7", "pong"]);
}

#[test]
fn what_waits_too_long_is_dropped_at_qos_0_and_comes_again_at_qos_2() {
    let mut wire = Wire::online(keeping(Version::V5), 10, &[]);
    wire.session.part();
    let large = |qos, packet_id| Publish {
        payload: Bytes::from(vec![0; 1024 * 1024]),
        packet_id,
        ..message("in", qos)
    };
    for _ in 0..20 {
        wire.server(&Packet::Publish(large(QoS::AtMostOnce, 0)))
            .unwrap();
    }
    assert_eq!(wire.session.take_dropped(), 5);
    assert_eq!(wire.session.take_dropped(), 0);
    let mut id = 0;
    let fault = loop {
        id += 1;
        let sent = wire.server(&Packet::Publish(large(QoS::ExactlyOnce, id)));
        if let Err(fault) = sent {
            break fault;
        }
    };
    assert_eq!((fault, id), (Fault::Overrun, 49));
    // The server sends it again over the next connection, and then it is new.
    wire.session.lost();
    let kept = std::iter::from_fn(|| wire.session.poll_event()).count();
    assert_eq!(kept, 15, "what came at QoS 0 does not come again");
    wire.reconnect(true, &[]);
    wire.server(&Packet::Publish(large(QoS::ExactlyOnce, id)))
        .unwrap();
    assert!(matches!(wire.session.poll_event(), Some(Event::Message(_))));
}

#[test]
fn a_bridge_says_so_before_mqtt_5() {
    for (version, level) in [
        (Version::V31, 0x83),
        (Version::V311, 0x84),
        (Version::V5, 5),
    ] {
        let connect = Connect {
            bridge: true,
            ..connect(version)
        };
        let mut wire = Wire::with(connect, 10);
        wire.session.opened(wire.now).unwrap();
        let output = wire.session.output();
        let name = usize::from(output[3]);
        assert_eq!(output[4 + name], level, "{version}");
    }
}
