//! One packet of every kind, and of every form it has.

use bytes::Bytes;

use crate::mqtt::packet::{
    Ack, Auth, ConnAck, Connect, Disconnect, Packet, Place, Properties, Property, PropertyId,
    Publish, QoS, ReasonCode, RetainHandling, SubAck, Subscribe, Subscription, UnsubAck,
    Unsubscribe, Version, Will,
};

/// Every property that may stand there, the user property three times.
fn every(place: Place) -> Properties {
    let allowed = PropertyId::ALL.iter().filter(|id| id.allowed_in(place));
    let mut properties: Properties = allowed.map(|&id| sample(id)).collect();
    for value in ["2", ""] {
        properties.push(Property::UserProperty("näme".into(), value.into()));
    }
    properties
}

fn sample(id: PropertyId) -> Property {
    let words: &[&str] = match id {
        PropertyId::UserProperty => &["näme", "value"],
        PropertyId::SubscriptionIdentifier => &["268435455"],
        PropertyId::CorrelationData | PropertyId::AuthenticationData => &["hex:00ff80"],
        PropertyId::ContentType | PropertyId::ReasonString | PropertyId::ResponseTopic => {
            &["wörter/a"]
        }
        _ => &["1"],
    };
    let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    Property::from_words(id.name(), &words)
        .or_else(|_| Property::from_words(id.name(), &["1".to_owned()]))
        .unwrap()
}

fn connects(version: Version) -> Vec<Packet> {
    let will = Will {
        topic: "last/ẅill".into(),
        payload: Bytes::from_static(b"\0gone"),
        qos: QoS::ExactlyOnce,
        retain: true,
        properties: every(Place::Will),
    };
    let full = Connect {
        version,
        client_id: "a client identifier of more than 23 bytes".into(),
        clean_start: true,
        keep_alive: 65_535,
        username: Some("üser".into()),
        password: Some(Bytes::from_static(b"\xff\0secret")),
        will: Some(will),
        bridge: false,
        properties: every(Place::Connect),
    };
    let bare = Connect {
        version,
        ..Connect::default()
    };
    let token = Connect {
        version,
        password: Some(Bytes::from_static(b"token")),
        ..Connect::default()
    };
    let mut all = vec![full, bare];
    if version == Version::V5 {
        all.push(token);
    }
    all.into_iter()
        .map(|connect| Packet::Connect(Box::new(connect)))
        .collect()
}

fn publishes() -> Vec<Packet> {
    let publish = Publish {
        topic: "a/b".into(),
        payload: Bytes::from_static(b"\0\xffpayload"),
        ..Publish::default()
    };
    let full = Publish {
        duplicate: true,
        qos: QoS::ExactlyOnce,
        retain: true,
        packet_id: 65_535,
        properties: every(Place::Publish),
        ..publish.clone()
    };
    let once = Publish {
        qos: QoS::AtLeastOnce,
        packet_id: 1,
        payload: Bytes::new(),
        ..publish.clone()
    };
    let large = Publish {
        payload: vec![b'x'; 20_000].into(),
        ..publish.clone()
    };
    [publish, full, once, large].map(Packet::Publish).into()
}

fn acks() -> Vec<Packet> {
    let bare = Ack {
        packet_id: 7,
        ..Ack::default()
    };
    let full = |place, reason| Ack {
        packet_id: 256,
        reason,
        properties: every(place),
    };
    let refused = Ack {
        packet_id: 1,
        reason: ReasonCode::NOT_AUTHORIZED,
        ..Ack::default()
    };
    vec![
        Packet::PubAck(bare.clone()),
        Packet::PubAck(refused.clone()),
        Packet::PubAck(full(Place::PubAck, ReasonCode::SUCCESS)),
        Packet::PubRec(bare.clone()),
        Packet::PubRec(refused),
        Packet::PubRec(full(Place::PubRec, ReasonCode::NO_MATCHING_SUBSCRIBERS)),
        Packet::PubRel(bare.clone()),
        Packet::PubRel(full(Place::PubRel, ReasonCode::PACKET_IDENTIFIER_NOT_FOUND)),
        Packet::PubComp(bare),
        Packet::PubComp(full(Place::PubComp, ReasonCode::SUCCESS)),
    ]
}

fn subscriptions() -> Vec<Packet> {
    let wide = Subscription {
        filter: "a/+/ü/#".into(),
        qos: QoS::ExactlyOnce,
        no_local: true,
        retain_as_published: true,
        retain_handling: RetainHandling::Never,
    };
    let shared = Subscription {
        filter: "$share/g/a".into(),
        ..Subscription::default()
    };
    let subscribe = Subscribe {
        packet_id: 10,
        subscriptions: vec![wide, shared],
        properties: every(Place::Subscribe),
    };
    let suback = SubAck {
        packet_id: 10,
        reasons: vec![
            ReasonCode::GRANTED_QOS_2,
            ReasonCode::SUCCESS,
            ReasonCode::NOT_AUTHORIZED,
        ],
        properties: every(Place::SubAck),
    };
    let unsubscribe = Unsubscribe {
        packet_id: 11,
        filters: vec!["a/+/ü/#".into(), "b".into()],
        properties: every(Place::Unsubscribe),
    };
    let unsuback = UnsubAck {
        packet_id: 11,
        reasons: vec![ReasonCode::SUCCESS, ReasonCode::NO_SUBSCRIPTION_EXISTED],
        properties: every(Place::UnsubAck),
    };
    vec![
        Packet::Subscribe(subscribe),
        Packet::SubAck(suback),
        Packet::Unsubscribe(unsubscribe),
        Packet::UnsubAck(unsuback),
    ]
}

fn others() -> Vec<Packet> {
    let refused = ConnAck {
        reason: ReasonCode::NOT_AUTHORIZED,
        properties: every(Place::ConnAck),
        ..ConnAck::default()
    };
    vec![
        Packet::ConnAck(ConnAck {
            session_present: true,
            ..ConnAck::default()
        }),
        Packet::ConnAck(refused),
        Packet::PingReq,
        Packet::PingResp,
        Packet::Disconnect(Disconnect::default()),
        Packet::Disconnect(Disconnect {
            reason: ReasonCode::DISCONNECT_WITH_WILL,
            ..Disconnect::default()
        }),
        Packet::Disconnect(Disconnect {
            reason: ReasonCode::SERVER_MOVED,
            properties: every(Place::Disconnect),
        }),
    ]
}

/// Packets with all that MQTT 5 has; writing them in an older version leaves it out.
pub(super) fn packets(version: Version) -> Vec<Packet> {
    let mut all = [
        connects(version),
        publishes(),
        acks(),
        subscriptions(),
        others(),
    ]
    .concat();
    if version == Version::V5 {
        all.push(Packet::Auth(Auth::default()));
        let properties = every(Place::Auth);
        all.push(Packet::Auth(Auth {
            reason: ReasonCode::CONTINUE_AUTHENTICATION,
            properties,
        }));
        let properties = [Property::TopicAlias(3)].into_iter().collect();
        all.push(Packet::Publish(Publish {
            properties,
            ..Publish::default()
        }));
    }
    all
}

/// What is left of a packet in an older version.
pub(super) fn without_mqtt5(packet: Packet, version: Version) -> Packet {
    let none = Properties::default;
    match packet {
        Packet::Connect(connect) => {
            let will = connect.will.clone().map(|will| Will {
                properties: none(),
                ..will
            });
            Packet::Connect(Box::new(Connect {
                will,
                properties: none(),
                ..*connect
            }))
        }
        Packet::ConnAck(connack) => {
            let session_present = connack.session_present && version == Version::V311;
            Packet::ConnAck(ConnAck {
                session_present,
                properties: none(),
                ..connack
            })
        }
        Packet::Publish(publish) => Packet::Publish(Publish {
            properties: none(),
            ..publish
        }),
        Packet::PubAck(ack) => Packet::PubAck(bare(&ack)),
        Packet::PubRec(ack) => Packet::PubRec(bare(&ack)),
        Packet::PubRel(ack) => Packet::PubRel(bare(&ack)),
        Packet::PubComp(ack) => Packet::PubComp(bare(&ack)),
        Packet::Subscribe(mut subscribe) => {
            for subscription in &mut subscribe.subscriptions {
                let Subscription { filter, qos, .. } = subscription.clone();
                *subscription = Subscription {
                    filter,
                    qos,
                    ..Subscription::default()
                };
            }
            Packet::Subscribe(Subscribe {
                properties: none(),
                ..subscribe
            })
        }
        Packet::SubAck(mut suback) => {
            for reason in suback
                .reasons
                .iter_mut()
                .filter(|reason| reason.is_failure())
            {
                *reason = ReasonCode::UNSPECIFIED_ERROR;
            }
            Packet::SubAck(SubAck {
                properties: none(),
                ..suback
            })
        }
        Packet::Unsubscribe(unsubscribe) => Packet::Unsubscribe(Unsubscribe {
            properties: none(),
            ..unsubscribe
        }),
        Packet::UnsubAck(UnsubAck { packet_id, .. }) => Packet::UnsubAck(UnsubAck {
            packet_id,
            ..UnsubAck::default()
        }),
        Packet::Disconnect(_) => Packet::Disconnect(Disconnect::default()),
        Packet::PingReq | Packet::PingResp | Packet::Auth(_) => packet,
    }
}

fn bare(ack: &Ack) -> Ack {
    Ack {
        packet_id: ack.packet_id,
        ..Ack::default()
    }
}
