//! What is shown of an MQTT connection: each packet (`--trace`), or what the server says of the session (`--show-session`).

use std::fmt::Write;

use super::super::trace::Trace;
use crate::error::{brief, counted};
use crate::mqtt::client::{Watcher, Way};
use crate::mqtt::packet::{
    Ack, Connect, Packet, Place, Properties, Property, Publish, ReasonCode, RetainHandling,
    Subscription,
};
use crate::output::Console;

/// Shows each packet.
pub(super) fn packets(console: Console) -> Watcher {
    let trace = Trace::new(console);
    Box::new(move |way, packet, length, _| {
        let what = described(packet, false);
        let bytes = bytes(length);
        trace.line(way == Way::Out, format_args!("{what} ({bytes})"));
    })
}

/// Shows what the server says of the session: CONNACK, SUBACK, UNSUBACK, DISCONNECT.
pub(super) fn session(console: Console) -> Watcher {
    Box::new(move |way, packet, _, server| {
        let shown = matches!(
            packet,
            Packet::ConnAck(_) | Packet::SubAck(_) | Packet::UnsubAck(_) | Packet::Disconnect(_)
        );
        if way == Way::In && shown {
            console.plain(format_args!("{server}: {}", described(packet, true)));
        }
    })
}

fn bytes(count: usize) -> String {
    counted(count as u64, "byte")
}

/// A packet in one line, without payloads, passwords and authentication data; the values of user properties only where
/// `shows_values`.
fn described(packet: &Packet, shows_values: bool) -> String {
    let (mut line, mut comma) = (packet.name().to_owned(), "");
    let mut add = |what: std::fmt::Arguments<'_>| {
        // Writing to a String cannot fail.
        let _ = write!(line, "{comma} {what}");
        comma = ",";
    };
    let properties = match packet {
        Packet::Connect(packet) => connect(packet, &mut add),
        Packet::ConnAck(packet) => {
            let present = if packet.session_present {
                ", session present"
            } else {
                ""
            };
            add(format_args!("{}{present}", packet.reason));
            &packet.properties
        }
        Packet::Publish(packet) => publish(packet, &mut add),
        Packet::PubAck(ack) | Packet::PubRec(ack) | Packet::PubRel(ack) | Packet::PubComp(ack) => {
            acknowledgement(ack, &mut add)
        }
        Packet::Subscribe(packet) => {
            add(format_args!("id {}", packet.packet_id));
            let all = packet.subscriptions.iter();
            all.for_each(|one| add(format_args!("{}", subscription(one))));
            &packet.properties
        }
        Packet::SubAck(packet) => {
            reasons(packet.packet_id, &packet.reasons, Place::SubAck, &mut add);
            &packet.properties
        }
        Packet::Unsubscribe(packet) => {
            add(format_args!("id {}", packet.packet_id));
            let filters = packet.filters.iter();
            filters.for_each(|filter| add(format_args!("\"{}\"", brief(filter))));
            &packet.properties
        }
        Packet::UnsubAck(packet) => {
            reasons(packet.packet_id, &packet.reasons, Place::UnsubAck, &mut add);
            &packet.properties
        }
        Packet::Disconnect(packet) => {
            add(format_args!(
                "{}",
                packet.reason.in_packet(Place::Disconnect)
            ));
            &packet.properties
        }
        Packet::Auth(packet) => {
            add(format_args!("{}", packet.reason));
            &packet.properties
        }
        Packet::PingReq | Packet::PingResp => return line,
    };
    add_properties(properties, shows_values, &mut add);
    line
}

fn add_properties(properties: &Properties, shows_values: bool, add: &mut Add<'_>) {
    for property in properties {
        match property {
            // Clients of some clouds log in by one, or give each message a token.
            Property::UserProperty(name, value) if !shows_values => {
                let (name, bytes) = (brief(name), bytes(value.len()));
                add(format_args!("user-property \"{name}\" {bytes}"));
            }
            _ => add(format_args!("{property}")),
        }
    }
}

/// Adds a piece to a line.
type Add<'a> = dyn FnMut(std::fmt::Arguments<'_>) + 'a;

fn connect<'p>(packet: &'p Connect, add: &mut Add<'_>) -> &'p Properties {
    add(format_args!("{}", packet.version));
    add(format_args!("client \"{}\"", brief(&packet.client_id)));
    if packet.clean_start {
        add(format_args!("clean start"));
    }
    add(format_args!("keep alive {} s", packet.keep_alive));
    if let Some(user) = &packet.username {
        // What follows a question mark may be a token, as some clouds have it.
        let name = user.split('?').next().unwrap_or_default();
        add(format_args!("user \"{}\"", brief(name)));
    }
    if packet.password.is_some() {
        add(format_args!("password"));
    }
    if let Some(will) = &packet.will {
        let retain = if will.retain { ", retain" } else { "" };
        add(format_args!(
            "will (\"{}\", QoS {}{retain}, payload {})",
            brief(&will.topic),
            will.qos.level(),
            bytes(will.payload.len())
        ));
    }
    &packet.properties
}

fn publish<'p>(packet: &'p Publish, add: &mut Add<'_>) -> &'p Properties {
    add(format_args!("\"{}\"", brief(&packet.topic)));
    add(format_args!("QoS {}", packet.qos.level()));
    if packet.packet_id != 0 {
        add(format_args!("id {}", packet.packet_id));
    }
    if packet.retain {
        add(format_args!("retain"));
    }
    if packet.duplicate {
        add(format_args!("dup"));
    }
    add(format_args!("payload {}", bytes(packet.payload.len())));
    &packet.properties
}

fn acknowledgement<'p>(ack: &'p Ack, add: &mut Add<'_>) -> &'p Properties {
    add(format_args!("id {}", ack.packet_id));
    add(format_args!("{}", ack.reason));
    &ack.properties
}

fn reasons(id: u16, all: &[ReasonCode], place: Place, add: &mut Add<'_>) {
    add(format_args!("id {id}"));
    for reason in all {
        add(format_args!("{}", reason.in_packet(place)));
    }
}

/// A filter with its options: `"a/#" QoS 1 nl rap rh=new`, as `-t` takes them.
fn subscription(one: &Subscription) -> String {
    let mut line = format!("\"{}\" QoS {}", brief(&one.filter), one.qos.level());
    for (given, word) in [
        (one.no_local, " nl"),
        (one.retain_as_published, " rap"),
        (one.retain_handling == RetainHandling::New, " rh=new"),
        (one.retain_handling == RetainHandling::Never, " rh=never"),
    ] {
        if given {
            line.push_str(word);
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mqtt::packet::{Auth, ConnAck, QoS, SubAck, Subscribe, Will};

    fn properties(all: impl IntoIterator<Item = Property>) -> Properties {
        let mut properties = Properties::default();
        all.into_iter().for_each(|one| properties.push(one));
        properties
    }

    #[test]
    fn packets_are_lines_without_secrets() {
        let connect = Connect {
            client_id: "me".into(),
            clean_start: true,
            keep_alive: 60,
            username: Some("u?token=hidden".into()),
            password: Some("hidden".into()),
            will: Some(Will {
                topic: "gone".into(),
                payload: "hidden".into(),
                retain: true,
                ..Will::default()
            }),
            properties: properties([
                Property::ReceiveMaximum(20),
                Property::AuthenticationData("hidden".into()),
                Property::UserProperty("a".into(), "hidden".into()),
            ]),
            ..Connect::default()
        };
        assert_eq!(
            described(&Packet::Connect(Box::new(connect)), false),
            "CONNECT MQTT 5, client \"me\", clean start, keep alive 60 s, user \"u\", password, will (\"gone\", QoS 0, retain, payload 6 bytes), receive-maximum 20, authentication-data 6 bytes, user-property \"a\" 6 bytes"
        );
        let auth = Auth {
            properties: properties([Property::AuthenticationData("hidden".into())]),
            ..Auth::default()
        };
        assert_eq!(
            described(&Packet::Auth(auth), false),
            "AUTH success (0x00), authentication-data 6 bytes"
        );
    }

    #[test]
    fn identifiers_flags_and_reasons_are_shown() {
        let publish = Publish {
            topic: "a/b".into(),
            qos: QoS::AtLeastOnce,
            packet_id: 5,
            retain: true,
            duplicate: true,
            payload: "x".into(),
            ..Publish::default()
        };
        assert_eq!(
            described(&Packet::Publish(publish), false),
            "PUBLISH \"a/b\", QoS 1, id 5, retain, dup, payload 1 byte"
        );
        let subscribe = Subscribe {
            packet_id: 2,
            subscriptions: vec![Subscription {
                filter: "a/#".into(),
                no_local: true,
                retain_handling: RetainHandling::New,
                ..Subscription::default()
            }],
            ..Subscribe::default()
        };
        assert_eq!(
            described(&Packet::Subscribe(subscribe), false),
            "SUBSCRIBE id 2, \"a/#\" QoS 0 nl rh=new"
        );
        let ack = SubAck {
            packet_id: 2,
            reasons: vec![ReasonCode::SUCCESS, ReasonCode::NOT_AUTHORIZED],
            ..SubAck::default()
        };
        assert_eq!(
            described(&Packet::SubAck(ack), false),
            "SUBACK id 2, granted QoS 0 (0x00), not authorized (0x87)"
        );
        let ack = ConnAck {
            session_present: true,
            ..ConnAck::default()
        };
        assert_eq!(
            described(&Packet::ConnAck(ack), false),
            "CONNACK success (0x00), session present"
        );
        assert_eq!(described(&Packet::PingReq, false), "PINGREQ");
    }
}
