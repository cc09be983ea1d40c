//! A CoAP server as an end of `bridge`: what it says it has, how long it shows a message, and how messages are confirmed.

use serde_json::Value;

use crate::support::broker::{Broker, broker};
use crate::support::coap::{answer, scripted};
use crate::support::command::{Line, Running, iotctl};
use crate::support::libcoap;
use crate::support::wait_for;
use iotctl::coap::code::Code;
use iotctl::coap::message::Type;
use iotctl::coap::option;

fn url(broker: &Broker) -> String {
    format!("mqtt://127.0.0.1:{}", broker.port)
}

fn record(line: &str) -> Value {
    serde_json::from_str(line).unwrap()
}

/// A bridge with a gateway, and where that listens.
fn listening(line: Line) -> (Running, String) {
    let mut running = line.start();
    let line = running.hears("listening on coap://");
    let (_, place) = line.rsplit_once("coap://").unwrap();
    let place = format!("coap://{}", place.trim());
    (running, place)
}

/// A bridge from a broker to a gateway.
fn showing(broker: &mut Broker) -> (Running, String) {
    let line = format!("bridge {} coap-listen://127.0.0.1:0 -t", url(broker));
    let opened = listening(iotctl(&line).word("# out 2"));
    broker.sees_subscription("#");
    opened
}

/// The value at a path, once it is there.
fn had(place: &str, path: &str, body: &str) {
    wait_for("the value", || {
        let got = iotctl(&format!("coap get {place}/{path}")).run();
        (got.text() == body).then_some(())
    });
}

#[test]
fn a_gateway_says_what_it_has() {
    let mut broker = broker("");
    let (bridge, place) = showing(&mut broker);
    let core = || libcoap::asked(&format!("-m get {place}/.well-known/core"));
    let empty = core();
    assert!(!empty.contains("4.04"), "{empty}");
    broker
        .iotctl("pub -t s/a -m {} -q 1 -D publish content-type application/json")
        .run()
        .exits(0);
    had(&place, "s/a", "{}");
    let links = core();
    assert!(links.contains("</s/a>;ct=50;obs"), "{links}");
    assert!(!links.contains("/ps/"), "{links}");
    let found = iotctl(&format!("coap discover {place}")).run().exits(0);
    assert!(found.text().contains("/s/a"), "{}", found.text());
    // No topic of anybody.
    iotctl(&format!("coap post {place}/.well-known/core -m x"))
        .run()
        .exits(1)
        .says("4.05");
    bridge.signal("TERM");
    bridge.ends().exits(143).says("received 1 message");
}

#[test]
fn what_expires_says_until_when_and_is_gone_then() {
    let mut broker = broker("");
    let (bridge, place) = showing(&mut broker);
    let publish = |topic: &str, seconds: u32| {
        let line = format!("pub -t {topic} -m {topic} -q 1 -D publish message-expiry-interval");
        broker
            .iotctl(&line)
            .word(seconds.to_string())
            .run()
            .exits(0);
    };
    let max_age = |path: &str| {
        let words = format!("coap get {place}/{path} --output json");
        let got = record(iotctl(&words).run().exits(0).text());
        let options = got["coap"]["options"].as_array().unwrap().clone();
        let mut options = options.iter();
        options
            .find(|it| it["name"] == "Max-Age")
            .map(|it| it["value"].as_u64().unwrap())
    };
    publish("long", 600);
    had(&place, "long", "long");
    assert!(max_age("long").is_some_and(|it| it > 300 && it <= 600));
    broker.iotctl("pub -t ever -m ever -q 1").run().exits(0);
    had(&place, "ever", "ever");
    assert_eq!(max_age("ever"), None);
    publish("short", 15);
    had(&place, "short", "short");
    let observer = format!("coap observe {place}/short --retry forever --output json");
    let mut observer = iotctl(&observer).start();
    let seen = record(&observer.line());
    assert_eq!(
        (&seen["coap"]["code"], &seen["payload"]),
        (&"2.05".into(), &"short".into())
    );
    observer.hears("4.04");
    iotctl(&format!("coap get {place}/ps/short"))
        .run()
        .exits(1)
        .says("4.04");
    let found = iotctl(&format!("coap discover {place}")).run().exits(0);
    assert!(!found.text().contains("short"), "{}", found.text());
    had(&place, "long", "long");
    bridge.signal("TERM");
    let ended = bridge.ends().exits(143);
    assert!(
        !ended.stderr.contains("cannot be carried"),
        "{}",
        ended.stderr
    );
}

#[test]
fn what_is_put_with_max_age_or_unconfirmed_is_published_so() {
    let mut broker = broker("");
    let folder = tempfile::tempdir().unwrap();
    for spooled in [false, true] {
        let line = format!("bridge coap-listen://127.0.0.1:0 {}", url(&broker));
        let mut line = iotctl(&line).word("-t").word("# out 2");
        if spooled {
            line = line.word("--spool").word(folder.path().join("spool"));
        }
        let (bridge, place) = listening(line);
        let mut watcher = broker.iotctl("sub -t # -q 1 --output json").start();
        broker.sees_subscription("#");
        let put = |words: &str| {
            let line = iotctl(&format!("coap put {place}/g/x {words}"));
            line.run().exits(0);
        };
        put("-m first -O Max-Age=600");
        let message = record(&watcher.line());
        assert_eq!(
            (&message["topic"], &message["payload"]),
            (&"g/x".into(), &"first".into())
        );
        assert_eq!(message["mqtt"]["qos"], 1, "{spooled}");
        let expiry = message["mqtt"]["message_expiry_interval"].as_u64();
        assert!(expiry.is_some_and(|it| it > 300 && it <= 600), "{message}");
        put("-m second --non");
        let message = record(&watcher.line());
        assert_eq!(message["mqtt"]["qos"], 0, "{spooled}");
        assert!(message["mqtt"]["message_expiry_interval"].is_null());
        bridge.signal("TERM");
        bridge.ends().exits(143).says("2 messages: 2 delivered");
        watcher.signal("TERM");
        watcher.ends();
    }
}

#[test]
fn messages_at_qos_0_are_put_unconfirmed_and_again_until_they_are_answered() {
    let mut broker = broker("");
    let device = scripted(|request, number| match number {
        // As if it had been lost.
        0 => Vec::new(),
        _ => vec![answer(request, Code::CHANGED, "")],
    });
    let bridge = iotctl(&format!("bridge {} {} -t", url(&broker), device.uri("")))
        .word("# out 2")
        .start();
    broker.sees_subscription("#");
    broker.iotctl("pub -t a -m 0 -q 0").run().exits(0);
    for _ in 0..2 {
        let request = device.request();
        assert_eq!((request.kind, &*request.payload), (Type::Non, &b"0"[..]));
        assert_eq!(request.options.uint(option::MAX_AGE), None);
    }
    broker
        .iotctl("pub -t a -m 1 -q 1 -D publish message-expiry-interval 600")
        .run()
        .exits(0);
    let request = device.request();
    assert_eq!((request.kind, &*request.payload), (Type::Con, &b"1"[..]));
    let lasts = request.options.uint(option::MAX_AGE);
    assert!(lasts.is_some_and(|it| it > 300 && it <= 600), "{lasts:?}");
    bridge.signal("TERM");
    bridge.ends().exits(143).says("2 messages: 2 delivered");
}

#[test]
fn notifications_of_messages_at_qos_0_are_not_confirmed() {
    let mut broker = broker("");
    let (bridge, place) = showing(&mut broker);
    let publish = |qos: u8| {
        let line = format!("pub -t n -m {qos} -q {qos}");
        broker.iotctl(&line).run().exits(0);
    };
    publish(2);
    had(&place, "n", "2");
    let line = format!("coap observe {place}/n --output json");
    let mut observer = iotctl(&line).start();
    assert_eq!(record(&observer.line())["payload"], "2");
    for (qos, kind) in [(0, "NON"), (1, "CON")] {
        publish(qos);
        let seen = record(&observer.line());
        assert_eq!(seen["payload"], qos.to_string());
        assert_eq!(seen["coap"]["type"], kind);
    }
    bridge.signal("TERM");
    bridge.ends().exits(143);
}
