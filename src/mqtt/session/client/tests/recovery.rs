//! What a lost connection leaves behind, and what the next one makes of it.

use super::*;

fn suback(subscribe: &packet::Subscribe) -> Packet {
    Packet::SubAck(SubAck {
        packet_id: subscribe.packet_id,
        reasons: vec![ReasonCode::SUCCESS; subscribe.subscriptions.len()],
        ..SubAck::default()
    })
}

fn filters(packets: &[Packet]) -> Vec<String> {
    let of = |packet: &Packet| match packet {
        Packet::Subscribe(subscribe) => {
            let all = subscribe.subscriptions.iter();
            all.map(|one| format!("+{}", one.filter)).collect()
        }
        Packet::Unsubscribe(unsubscribe) => {
            let all = unsubscribe.filters.iter();
            all.map(|one| format!("-{one}")).collect::<Vec<_>>()
        }
        other => panic!("{other:?}"),
    };
    packets.iter().flat_map(of).collect()
}

fn subscribe(wire: &mut Wire, names: &[&'static str]) {
    let names: Vec<_> = names.iter().map(|it| ByteString::from_static(it)).collect();
    let none = Properties::default();
    wire.session.subscribe(&wanted(&names), &none).unwrap();
}

fn unsubscribe(wire: &mut Wire, name: &'static str) {
    let name = ByteString::from_static(name);
    let none = Properties::default();
    wire.session.unsubscribe(&[name], &none).unwrap();
}

#[test]
fn what_has_no_suback_is_asked_for_again_of_a_session_that_is_present() {
    let mut wire = Wire::online(keeping(Version::V5), 5, &[]);
    subscribe(&mut wire, &["a"]);
    assert_eq!(filters(&wire.sent()), ["+a"]);
    wire.session.lost();
    wire.reconnect(true, &[]);
    let again = wire.sent();
    assert_eq!(filters(&again), ["+a"], "no SUBACK came");
    // Meanwhile the server loses the session, and that connection as well.
    wire.session.lost();
    wire.reconnect(false, &[]);
    assert_eq!(filters(&wire.sent()), ["+a"]);
    wire.session.lost();
    assert!(!wire.session.is_ready());
    wire.reconnect(true, &[]);
    let [Packet::Subscribe(again)] = &wire.sent()[..] else {
        panic!("no SUBSCRIBE")
    };
    wire.server(&suback(again)).unwrap();
    assert!(wire.session.is_ready());
    let told = wire.session.poll_event();
    assert!(matches!(told, Some(Event::Subscribed(answers, _)) if answers.len() == 1));
    wire.session.lost();
    wire.reconnect(true, &[]);
    assert_eq!(wire.sent(), []);
}

#[test]
fn of_many_filters_those_without_an_answer_are_asked_for_again() {
    let names: Vec<ByteString> = (0..2_000).map(|n| format!("f/{n}").into()).collect();
    let mut wire = Wire::online(keeping(Version::V5), 5, &[]);
    let none = Properties::default();
    wire.session.subscribe(&wanted(&names), &none).unwrap();
    let first = wire.sent();
    for packet in &first[..2] {
        let Packet::Subscribe(subscribe) = packet else {
            panic!("{packet:?}")
        };
        wire.server(&suback(subscribe)).unwrap();
    }
    wire.session.lost();
    // The next server takes smaller packets.
    wire.reconnect(true, &[Property::MaximumPacketSize(40)]);
    assert_eq!(answer_all(&mut wire).iter().sum::<usize>(), 2_000 - 16);
    let Some(Event::Subscribed(answers, None)) = wire.session.poll_event() else {
        panic!("no answer")
    };
    let order: Vec<_> = answers.into_iter().map(|(filter, _)| filter).collect();
    assert_eq!(order, names, "one answer to all of them");
    assert_eq!(wire.session.poll_event(), None);
}

#[test]
fn what_was_asked_for_while_offline_goes_out_to_a_session_that_is_present() {
    let mut wire = Wire::online(keeping(Version::V5), 5, &[]);
    subscribe(&mut wire, &["a"]);
    answer_all(&mut wire);
    while wire.session.poll_event().is_some() {}
    wire.session.lost();
    subscribe(&mut wire, &["b"]);
    unsubscribe(&mut wire, "a");
    assert!(wire.session.output().is_empty());
    wire.reconnect(true, &[]);
    assert_eq!(filters(&wire.sent()), ["+b", "-a"]);
    // Of a new session only what is wanted now is asked for.
    wire.session.lost();
    wire.reconnect(false, &[]);
    let gone = Event::Unsubscribed(vec![("a".into(), ReasonCode::SUCCESS)]);
    assert!(wire.news.contains(&gone), "{:?}", wire.news);
    assert_eq!(filters(&wire.sent()), ["+b"]);
}

#[test]
fn an_unsubscribe_without_an_answer_is_sent_again() {
    let mut wire = Wire::online(keeping(Version::V311), 5, &[]);
    unsubscribe(&mut wire, "a");
    assert_eq!(filters(&wire.sent()), ["-a"]);
    wire.session.lost();
    wire.reconnect(true, &[]);
    let [Packet::Unsubscribe(again)] = &wire.sent()[..] else {
        panic!("no UNSUBSCRIBE")
    };
    let packet_id = again.packet_id;
    let answer = packet::UnsubAck {
        packet_id,
        ..packet::UnsubAck::default()
    };
    wire.server(&Packet::UnsubAck(answer)).unwrap();
    let gone = Event::Unsubscribed(vec![("a".into(), ReasonCode::SUCCESS)]);
    assert_eq!(wire.session.poll_event(), Some(gone));
}

#[test]
fn an_answer_says_as_much_as_was_asked() {
    for (reasons, said) in [
        (0, "UNSUBACK without a reason code"),
        (2, "UNSUBACK with a wrong number of reason codes"),
    ] {
        let reasons = vec![ReasonCode::SUCCESS; reasons];
        let mut wire = Wire::online(connect(Version::V5), 5, &[]);
        unsubscribe(&mut wire, "a");
        let answer = packet::UnsubAck {
            packet_id: 1,
            reasons,
            ..packet::UnsubAck::default()
        };
        let fault = wire.server(&Packet::UnsubAck(answer)).unwrap_err();
        assert_eq!(fault.to_string(), said);
    }
}

/// MQTT 5.0 §3.7.2.1: not found is no error where a session is resumed.
#[test]
fn a_pubrel_that_comes_again_is_not_refused() {
    let mut wire = Wire::online(keeping(Version::V5), 4, &[]);
    wire.publish(QoS::ExactlyOnce, 7);
    wire.server(&Packet::PubRec(ack(1))).unwrap();
    wire.session.lost();
    wire.reconnect(true, &[]);
    assert_eq!(wire.sent(), [Packet::PubRel(ack(1))]);
    let gone = Ack {
        reason: ReasonCode::PACKET_IDENTIFIER_NOT_FOUND,
        ..ack(1)
    };
    wire.server(&Packet::PubComp(gone.clone())).unwrap();
    assert_eq!(wire.acknowledged(), [(7, ReasonCode::SUCCESS)]);
    // Without a loss between them the server contradicts itself.
    wire.publish(QoS::ExactlyOnce, 8);
    wire.server(&Packet::PubRec(ack(2))).unwrap();
    let gone = Ack {
        packet_id: 2,
        ..gone
    };
    wire.server(&Packet::PubComp(gone)).unwrap();
    let in_doubt = Event::InDoubt {
        ticket: 8,
        reason: Some(ReasonCode::PACKET_IDENTIFIER_NOT_FOUND),
    };
    assert_eq!(wire.session.poll_event(), Some(in_doubt));
    assert_eq!(wire.session.unfinished(), 0);
}

/// [MQTT-3.2.2-11], [MQTT-3.2.2-14], [MQTT-3.2.2-15].
#[test]
fn what_the_next_server_does_not_take_is_not_sent_again() {
    let limits = [
        (Property::MaximumQos(0), Unsendable::QosNotSupported(0)),
        (Property::RetainAvailable(0), Unsendable::RetainNotSupported),
        (
            Property::MaximumPacketSize(10),
            Unsendable::TooLarge {
                size: 12,
                limit: 10,
            },
        ),
    ];
    for (limit, why) in limits {
        for session_present in [false, true] {
            let mut wire = Wire::online(keeping(Version::V5), 4, &[]);
            let mut publish = Publish {
                retain: true,
                ..message("t", QoS::AtLeastOnce)
            };
            wire.session.publish(&mut publish, 3).unwrap();
            wire.session.lost();
            wire.reconnect(session_present, std::slice::from_ref(&limit));
            assert_eq!(wire.sent(), [], "{limit:?}");
            let Some(Event::Unsendable { ticket: 3, message }) = wire.news.pop() else {
                panic!("{:?}", wire.news)
            };
            assert_eq!(message.1, why);
            assert_eq!((&*message.0.topic, message.0.packet_id), ("t", 0));
            assert_eq!(wire.session.unfinished(), 0);
        }
    }
}

fn authenticated(method: Option<&'static str>) -> Result<(), Fault> {
    let asked = Property::AuthenticationMethod("token".into());
    let mut wire = Wire::with(
        Connect {
            properties: [asked].into_iter().collect(),
            ..connect(Version::V5)
        },
        5,
    );
    wire.session.opened(wire.now).unwrap();
    let method = method.map(|name| Property::AuthenticationMethod(name.into()));
    wire.server(&Packet::ConnAck(ConnAck {
        session_present: false,
        reason: ReasonCode::SUCCESS,
        properties: method.into_iter().collect(),
    }))
}

/// [MQTT-4.12.0-5].
#[test]
fn a_server_names_the_authentication_method_that_it_was_told() {
    assert_eq!(authenticated(Some("token")), Ok(()));
    let none = authenticated(None).unwrap_err().to_string();
    assert_eq!(none, "CONNACK with no authentication method, and not token");
    let other = authenticated(Some("x")).unwrap_err().to_string();
    assert_eq!(
        other,
        "CONNACK with the authentication method x, and not token"
    );
}

#[test]
fn a_message_beyond_our_receive_maximum_is_new_when_it_comes_again() {
    let mut keeping = keeping(Version::V5);
    keeping.properties.push(Property::ReceiveMaximum(1));
    let mut wire = Wire::online(keeping, 10, &[]);
    wire.server(&incoming(1, QoS::AtLeastOnce, false)).unwrap();
    wire.server(&incoming(2, QoS::ExactlyOnce, false))
        .unwrap_err();
    wire.session.lost();
    wire.reconnect(true, &[]);
    wire.server(&incoming(2, QoS::ExactlyOnce, true)).unwrap();
    assert!(matches!(wire.session.poll_event(), Some(Event::Message(it)) if it.packet_id == 2));
}
