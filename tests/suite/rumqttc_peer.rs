//! rumqttc's client, whose code shares nothing with ours, against `mqtt broker`.

use std::time::{Duration, Instant};

use crate::support::PATIENCE;
use crate::support::broker::{Broker, broker};

/// The payloads of one round.
fn payloads() -> Vec<Vec<u8>> {
    (0..50u8)
        .map(|number| vec![number; usize::from(number)])
        .collect()
}

mod v4 {
    pub(super) use rumqttc::{Client, Connection, Event, Incoming, MqttOptions, Packet, QoS};
}

mod v5 {
    pub(super) use rumqttc::v5::mqttbytes::QoS;
    pub(super) use rumqttc::v5::mqttbytes::v5::{LastWill, Packet, PublishProperties};
    pub(super) use rumqttc::v5::{Client, Connection, Event, MqttOptions};
}

fn client_v4(broker: &Broker, id: &str) -> (v4::Client, v4::Connection) {
    let mut options = v4::MqttOptions::new(id, "127.0.0.1", broker.port);
    options.set_keep_alive(Duration::from_secs(60));
    v4::Client::new(options, 10)
}

fn client_v5(broker: &Broker, id: &str) -> (v5::Client, v5::Connection) {
    let mut options = v5::MqttOptions::new(id, "127.0.0.1", broker.port);
    options.set_keep_alive(Duration::from_secs(60));
    v5::Client::new(options, 10)
}

/// Drives a connection of MQTT 3.1.1 until `wanted` gives a value.
#[track_caller]
fn drive_v4<T>(
    connection: &mut v4::Connection,
    mut wanted: impl FnMut(v4::Packet) -> Option<T>,
) -> T {
    let end = Instant::now() + PATIENCE;
    while let Ok(event) = connection.recv_timeout(end - Instant::now()) {
        if let v4::Event::Incoming(packet) = event.unwrap()
            && let Some(value) = wanted(packet)
        {
            return value;
        }
    }
    panic!("it did not come");
}

/// Drives a connection of MQTT 5 until `wanted` gives a value.
#[track_caller]
fn drive_v5<T>(
    connection: &mut v5::Connection,
    mut wanted: impl FnMut(v5::Packet) -> Option<T>,
) -> T {
    let end = Instant::now() + PATIENCE;
    while let Ok(event) = connection.recv_timeout(end - Instant::now()) {
        if let v5::Event::Incoming(packet) = event.unwrap()
            && let Some(value) = wanted(packet)
        {
            return value;
        }
    }
    panic!("it did not come");
}

const QUALITIES: [v4::QoS; 3] = [
    v4::QoS::AtMostOnce,
    v4::QoS::AtLeastOnce,
    v4::QoS::ExactlyOnce,
];

#[test]
fn it_hears_itself_in_each_quality_of_3_1_1() {
    let broker = broker("");
    for (level, qos) in QUALITIES.into_iter().enumerate() {
        let (client, mut connection) = client_v4(&broker, &format!("r{level}"));
        let topic = format!("a/{level}");
        client.subscribe(&topic, qos).unwrap();
        drive_v4(&mut connection, |packet| {
            matches!(packet, v4::Incoming::SubAck(_)).then_some(())
        });
        let sender = std::thread::spawn(move || {
            for payload in payloads() {
                client.publish(&topic, qos, false, payload).unwrap();
            }
            client
        });
        let mut received = Vec::new();
        drive_v4(&mut connection, |packet| {
            if let v4::Packet::Publish(publish) = packet {
                assert_eq!(publish.qos, qos);
                assert!(!publish.dup && !publish.retain);
                received.push(publish.payload.to_vec());
            }
            (received.len() == payloads().len()).then_some(())
        });
        assert_eq!(received, payloads());
        drop(sender.join().unwrap());
    }
}

#[test]
fn it_hears_itself_in_each_quality_of_5() {
    let broker = broker("");
    let qualities = [
        v5::QoS::AtMostOnce,
        v5::QoS::AtLeastOnce,
        v5::QoS::ExactlyOnce,
    ];
    for (level, qos) in qualities.into_iter().enumerate() {
        let (client, mut connection) = client_v5(&broker, &format!("r{level}"));
        let topic = format!("a/{level}");
        client.subscribe(&topic, qos).unwrap();
        drive_v5(&mut connection, |packet| {
            matches!(packet, v5::Packet::SubAck(_)).then_some(())
        });
        let sender = std::thread::spawn(move || {
            for payload in payloads() {
                let properties = v5::PublishProperties {
                    content_type: Some(String::from("bytes")),
                    user_properties: vec![(String::from("k"), String::from("v"))],
                    ..v5::PublishProperties::default()
                };
                client
                    .publish_with_properties(&topic, qos, false, payload, properties)
                    .unwrap();
            }
            client
        });
        let mut received = Vec::new();
        drive_v5(&mut connection, |packet| {
            if let v5::Packet::Publish(publish) = packet {
                assert_eq!(publish.qos, qos);
                let properties = publish.properties.unwrap();
                assert_eq!(properties.content_type.as_deref(), Some("bytes"));
                assert_eq!(
                    properties.user_properties,
                    [(String::from("k"), String::from("v"))]
                );
                received.push(publish.payload.to_vec());
            }
            (received.len() == payloads().len()).then_some(())
        });
        assert_eq!(received, payloads());
        drop(sender.join().unwrap());
    }
}

#[test]
fn it_talks_with_our_client() {
    let mut broker = broker("");
    let mut ours = broker.iotctl("sub -t from/it -q 2 -v").start();
    broker.sees_subscription("from/it");
    let (client, mut connection) = client_v4(&broker, "r");
    client.subscribe("to/it", v4::QoS::ExactlyOnce).unwrap();
    client
        .publish("from/it", v4::QoS::ExactlyOnce, false, "hello")
        .unwrap();
    drive_v4(&mut connection, |packet| {
        matches!(packet, v4::Incoming::PubComp(_)).then_some(())
    });
    assert_eq!(ours.line(), "from/it hello");
    let publish = broker.iotctl("pub -t to/it -q 2 -m back");
    let sender = std::thread::spawn(|| publish.run());
    let heard = drive_v4(&mut connection, |packet| match packet {
        v4::Packet::Publish(publish) => Some(publish.payload),
        _ => None,
    });
    assert_eq!(heard, "back");
    sender.join().unwrap().exits(0).quietly();
}

#[test]
fn its_persistent_session_is_kept() {
    let broker = broker("");
    let start = || {
        let mut options = v4::MqttOptions::new("keeper", "127.0.0.1", broker.port);
        options.set_clean_session(false);
        v4::Client::new(options, 10)
    };
    {
        let (client, mut connection) = start();
        client.subscribe("kept", v4::QoS::AtLeastOnce).unwrap();
        drive_v4(&mut connection, |packet| {
            matches!(packet, v4::Incoming::SubAck(_)).then_some(())
        });
    }
    broker.iotctl("pub -t kept -q 1 -m waits").run().exits(0);
    let (_client, mut connection) = start();
    let mut present = false;
    let heard = drive_v4(&mut connection, |packet| match packet {
        v4::Packet::ConnAck(ack) => {
            present = ack.session_present;
            None
        }
        v4::Packet::Publish(publish) => Some(publish.payload),
        _ => None,
    });
    assert_eq!(heard, "waits");
    assert!(present);
}

#[test]
fn its_will_is_published_when_it_vanishes() {
    let mut broker = broker("");
    let mut ours = broker.iotctl("sub -t will -F %t:%q:%p").start();
    broker.sees_subscription("will");
    let mut options = v5::MqttOptions::new("mortal", "127.0.0.1", broker.port);
    options.set_last_will(v5::LastWill::new(
        "will",
        "gone",
        v5::QoS::AtLeastOnce,
        false,
        None,
    ));
    let (client, mut connection) = v5::Client::new(options, 10);
    drive_v5(&mut connection, |packet| {
        matches!(packet, v5::Packet::ConnAck(_)).then_some(())
    });
    // Without DISCONNECT: the socket is closed as it is.
    drop(connection);
    drop(client);
    assert_eq!(ours.line(), "will:0:gone");
}
