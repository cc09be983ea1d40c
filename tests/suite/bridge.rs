//! `bridge`: between all three protocols, through outages, and without loops.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use crate::support::broker::{Broker, broker};
use crate::support::coap::server;
use crate::support::command::{Running, iotctl};
use crate::support::mosquitto::{Mosquitto, Settings};
use crate::support::rabbitmq::{rabbitmq, unique};
use crate::support::wait_for;

/// A bridge that messages can come to.
fn bridged(words: &str, folder: &Path) -> Running {
    let ready = folder.join("ready");
    let bridge = iotctl("bridge")
        .words(words)
        .word("--ready-file")
        .word(&ready)
        .start();
    wait_for("the bridge", || ready.exists().then_some(()));
    bridge
}

fn url(broker: &Broker) -> String {
    format!("mqtt://127.0.0.1:{}", broker.port)
}

fn record(line: &str) -> Value {
    serde_json::from_str(line).unwrap()
}

#[test]
fn each_message_crosses_once_in_both_directions() {
    let [mut one, mut two] = [broker(""), broker("")];
    let folder = tempfile::tempdir().unwrap();
    let ends = format!("{} {}", url(&one), url(&two));
    let mut bridge = iotctl(&format!("bridge {ends} --name b --ready-file"))
        .word(folder.path().join("ready"))
        .words("-t")
        .word("s/# both 1")
        .words("-t")
        .word("x/# out 2 \"\" r/")
        .start();
    wait_for("the bridge", || {
        folder.path().join("ready").exists().then_some(())
    });
    let watcher = |broker: &mut Broker| {
        let running = broker.iotctl("sub -t # -q 2 --output json").start();
        broker.sees_subscription("#");
        running
    };
    two.sees_subscription("s/#");
    let (mut at_one, mut at_two) = (watcher(&mut one), watcher(&mut two));
    one.iotctl("pub -t s/1 -m first -q 1 -D publish user-property k v")
        .run()
        .exits(0);
    let there = record(&at_two.line());
    assert_eq!(
        (&there["topic"], &there["payload"]),
        (&"s/1".into(), &"first".into())
    );
    let pairs = &there["mqtt"]["user_properties"];
    assert_eq!(
        *pairs,
        serde_json::json!([["k", "v"], ["iotctl-hops", "b"]])
    );
    two.iotctl("pub -t s/2 -m second -q 1").run().exits(0);
    one.iotctl("pub -t x/3 -m third -q 2 -r").run().exits(0);
    // In the order in which they came to each server, and none a second time.
    let topics = |running: &mut Running| -> Vec<String> {
        let records = running.lines(2);
        let topics = records.iter().map(|line| record(line)["topic"].to_string());
        topics.collect()
    };
    assert_eq!(record(&at_one.line())["topic"], "s/1");
    let mut seen = topics(&mut at_one);
    seen.sort();
    assert_eq!(seen, ["\"s/2\"", "\"x/3\""]);
    let mut seen = topics(&mut at_two);
    seen.sort();
    assert_eq!(seen, ["\"r/x/3\"", "\"s/2\""]);
    two.iotctl("sub -t r/# -C 1 --retained-only")
        .run()
        .exits(0)
        .prints("third\n");
    // What came back is counted: that of each side once.
    bridge.signal("TERM");
    bridge.hears("received 5 messages: 3 delivered, 2 filtered out");
    bridge.ends().exits(143);
}

/// A mosquitto that drops nothing, and remembers when it ends in good order.
fn patient() -> Mosquitto {
    let limits = "max_queued_messages 0\nmax_queued_bytes 0\nmax_inflight_messages 0\n";
    Mosquitto::start(Settings {
        more: format!("{limits}persistence true\n"),
        ..Settings::default()
    })
}

fn numbered(count: usize) -> String {
    (0..count).map(|number| format!("{number}\n")).collect()
}

/// Counts lines until every number below `count` has come.
fn collect(
    watcher: &mut Running,
    count: usize,
    mut at: impl FnMut(usize),
) -> BTreeMap<usize, usize> {
    let mut seen = BTreeMap::new();
    while seen.len() < count {
        let number = watcher.line().parse().unwrap();
        *seen.entry(number).or_default() += 1;
        at(seen.len());
    }
    seen
}

#[test]
fn nothing_is_lost_when_the_bridge_is_killed() {
    const COUNT: usize = 6000;
    for qos in [1, 2] {
        let (one, two) = (patient(), patient());
        let ends = format!(
            "mqtt://127.0.0.1:{} mqtt://127.0.0.1:{}",
            one.port, two.port
        );
        let start = || {
            iotctl(&format!("bridge {ends} --retry 10s -t"))
                .word(format!("n out {qos}"))
                .start()
        };
        let mut bridge = start();
        one.sees_subscriptions("n", 1);
        let mut watcher = two.iotctl(&format!("sub -t n -q {qos}")).start();
        two.sees_subscriptions("n", 1);
        let publish = one
            .iotctl(&format!("pub -t n -l -q {qos}"))
            .input(numbered(COUNT));
        let publisher = std::thread::spawn(|| publish.run());
        let mut kills = 0;
        let seen = collect(&mut watcher, COUNT, |seen| {
            if seen >= (kills + 1) * COUNT / 26 && kills < 25 {
                kills += 1;
                bridge.signal("KILL");
                bridge = start();
            }
        });
        publisher.join().unwrap().exits(0);
        assert_eq!(seen.len(), COUNT);
        assert_eq!(kills, 25);
    }
}

#[test]
fn outages_of_either_server_are_waited_out() {
    const COUNT: usize = 3000;
    let (mut one, mut two) = (patient(), patient());
    let ends = format!(
        "mqtt://127.0.0.1:{} mqtt://127.0.0.1:{}",
        one.port, two.port
    );
    let bridge = iotctl(&format!("bridge {ends} -t")).word("n out 1").start();
    one.sees_subscriptions("n", 1);
    let keeper = "sub -t n -q 1 -c -i keeper --retry forever";
    let mut watcher = two.iotctl(keeper).start();
    two.sees_subscriptions("n", 1);
    let publish = one
        .iotctl("pub -t n -l -q 1 --retry 60s")
        .input(numbered(COUNT));
    let publisher = std::thread::spawn(|| publish.run());
    let mut stops = 0;
    collect(&mut watcher, COUNT, |seen| {
        if seen >= (stops + 1) * COUNT / 7 && stops < 6 {
            stops += 1;
            let server = if stops % 2 == 0 { &mut one } else { &mut two };
            server.stop();
            server.restart();
        }
    });
    publisher.join().unwrap().exits(0);
    bridge.signal("TERM");
    bridge.ends().exits(143).says("delivered");
}

#[test]
fn properties_survive_the_way_to_rabbitmq_and_back() {
    let rabbit = rabbitmq();
    let amqp = format!("amqp://127.0.0.1:{}", rabbit.port);
    let broker = broker("");
    let folder = tempfile::tempdir().unwrap();
    let (there, queue) = (unique("bridge/out"), unique("bridge-queue"));
    let key = there.replace('/', ".");
    iotctl(&format!("amqp declare queue {amqp} {queue}"))
        .run()
        .exits(0);
    iotctl(&format!("amqp bind {amqp} {queue} -e amq.topic -k {key}"))
        .run()
        .exits(0);
    let bridge = iotctl(&format!("bridge {} {amqp} --ready-file", url(&broker)))
        .word(folder.path().join("ready"))
        .word("-t")
        .word(format!("{there} out 1"))
        .start();
    wait_for("the bridge", || {
        folder.path().join("ready").exists().then_some(())
    });
    broker
        .iotctl(&format!("pub -t {there} -m there -q 1"))
        .words("-D publish content-type text/plain -D publish user-property k v")
        .words("-D publish response-topic an/swer -D publish correlation-data c7")
        .words("-D publish message-expiry-interval 600")
        .run()
        .exits(0);
    let got = iotctl(&format!("amqp consume {amqp} {queue} -C 1 --output json"))
        .run()
        .exits(0);
    let amqp_record = &record(got.text())["amqp"];
    assert_eq!(amqp_record["content_type"], "text/plain");
    assert_eq!(amqp_record["reply_to"], "an.swer");
    assert_eq!(amqp_record["correlation_id"], "c7");
    assert_eq!(amqp_record["delivery_mode"], 2);
    assert_eq!(amqp_record["headers"]["k"], "v");
    bridge.signal("TERM");
    bridge
        .ends()
        .exits(143)
        .says("received 1 message: 1 delivered");

    // And back, from the queue.
    let mut broker = broker;
    let back = bridged(
        &format!("{amqp} {} --from-queue {queue}", url(&broker)),
        folder.path(),
    );
    let mut watcher = broker.iotctl("sub -t # -q 1 --output json").start();
    broker.sees_subscription("#");
    iotctl(&format!(
        "amqp publish {amqp} -k {queue} -m back --persistent"
    ))
    .words("--content-type a/b --header n=w --reply-to x.y --expiration 60s")
    .run()
    .exits(0);
    let message = record(&watcher.line());
    assert_eq!(message["topic"], queue.replace('.', "/"));
    assert_eq!(message["mqtt"]["content_type"], "a/b");
    assert_eq!(message["mqtt"]["response_topic"], "x/y");
    assert_eq!(message["mqtt"]["user_properties"][0][1], "w");
    back.signal("TERM");
    back.ends().exits(143);
    iotctl(&format!("amqp delete queue {amqp} {queue}"))
        .run()
        .exits(0);
}

#[test]
fn coap_is_observed_and_put_to() {
    let mut broker = broker("");
    let coap = server("-r /temp=text:21.5 -r /store=store", &["coap"]);
    let folder = tempfile::tempdir().unwrap();
    let observing = bridged(
        &format!("{}/temp {}", coap.uris[0], url(&broker)),
        folder.path(),
    );
    let mut watcher = broker.iotctl("sub -t # -q 1 -v").start();
    broker.sees_subscription("#");
    iotctl(&format!("coap put {}/temp -m 30", coap.uris[0]))
        .run()
        .exits(0);
    // Whether the first value was before the subscription is not known.
    while watcher.line() != "temp 30" {}
    let putting = iotctl(&format!("bridge {} {} -t", url(&broker), coap.uris[0]))
        .word("store/# out 1")
        .start();
    broker.sees_subscription("store/#");
    broker
        .iotctl("pub -t store/a\u{e4} -m put -q 1 -D publish content-type application/json")
        .run()
        .exits(0);
    wait_for("the resource", || {
        let got = iotctl(&format!("coap get {}/store/a%C3%A4", coap.uris[0])).run();
        (got.text() == "put").then_some(())
    });
    for bridge in [observing, putting] {
        bridge.signal("TERM");
        bridge.ends().exits(143);
    }
}

#[test]
fn a_refused_message_stops_the_bridge_or_goes_where_it_is_told_to() {
    let folder = tempfile::tempdir().unwrap();
    let rights = folder.path().join("rights");
    std::fs::write(&rights, "topic write ok/#\ntopic read #\n").unwrap();
    let mut one = broker("");
    let two = broker(&format!("--acl-file {}", rights.display()));
    let mut letters = broker("");
    let ends = format!("{} {}", url(&one), url(&two));
    let start = |more: &str, one: &mut Broker| {
        let bridge = iotctl(&format!("bridge {ends} {more} -t"))
            .word("# out 1")
            .start();
        one.sees_subscription("#");
        bridge
    };
    let publish = |one: &Broker, topic: &str| {
        let line = format!("pub -t {topic} -m x -q 1");
        one.iotctl(&line).run().exits(0);
    };
    let stopped = start("", &mut one);
    publish(&one, "no/1");
    stopped
        .ends_by_itself()
        .exits(4)
        .says("no/1: not authorized");
    // It was not acknowledged: it comes again.
    let mut dropped = start("--on-refused drop", &mut one);
    publish(&one, "ok/1");
    dropped.signal("TERM");
    dropped.hears("received 2 messages: 1 delivered, 1 failed");
    dropped.ends().exits(143);
    let mut watcher = letters.iotctl("sub -t # -q 1 --output json").start();
    letters.sees_subscription("#");
    let mut told = start(&format!("--on-refused {}", url(&letters)), &mut one);
    publish(&one, "no/2");
    let letter = record(&watcher.line());
    assert_eq!(letter["topic"], "no/2");
    let reason = &letter["mqtt"]["user_properties"][0];
    assert_eq!(reason[0], "iotctl-refused");
    told.signal("TERM");
    told.hears("received 1 message: 0 delivered, 1 dead-lettered");
    told.ends().exits(143);
}

#[test]
fn what_cannot_go_well_is_refused_before_anything_is_sent() {
    let place = "mqtt://127.0.0.1:1";
    for (words, line, why) in [
        (
            format!("{place} mqtt://127.0.0.1:2"),
            "# sideways",
            "\"sideways\" is not out, in or both",
        ),
        (format!("{place} mqtt://127.0.0.1:2"), "a# out", "a#"),
        (
            format!("{place} {place}"),
            "# out 1 \"\" copy/",
            "would cross again and again",
        ),
        (
            format!("{place} coap://127.0.0.1:2"),
            "# both",
            "these two feed each other",
        ),
        (
            format!("{place} file.ndjson"),
            "# out",
            "file.ndjson is not a server",
        ),
        (
            format!("http://a {place}"),
            "# out",
            "\"http\" is not a scheme",
        ),
    ] {
        let ended = iotctl(&format!("bridge {words} -t")).word(line).run();
        ended.exits(2).says(why);
    }
    iotctl(&format!("bridge {place} mqtt://127.0.0.1:2"))
        .run()
        .exits(3);
}

#[test]
fn a_bridge_of_mosquittos_is_taken_over_and_tells_its_state() {
    let mut one = broker("");
    let mut two = broker("");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("mosquitto.conf");
    let text = format!(
        "port 1883\nconnection cloud\naddress 127.0.0.1:{}\ntopic a/# out 1 \"\" site/\n\
         notification_topic state/cloud\nbridge_protocol_version mqttv311\n",
        two.port
    );
    std::fs::write(&file, text).unwrap();
    let words = format!("bridge {} --retry 10s --import", url(&one));
    let start = || iotctl(&words).word(&file).start();
    let bridge = start();
    one.sees_subscription("a/#");
    let mut watcher = two.iotctl("sub -t # -q 1 -v").start();
    two.sees_subscription("#");
    assert_eq!(watcher.line(), "state/cloud 1");
    one.iotctl("pub -t a/b -m x -q 1").run().exits(0);
    assert_eq!(watcher.line(), "site/a/b x");
    bridge.signal("TERM");
    assert_eq!(watcher.line(), "state/cloud 0");
    bridge.ends().exits(143);
    let bridge = start();
    assert_eq!(watcher.line(), "state/cloud 1");
    bridge.signal("KILL");
    assert_eq!(watcher.line(), "state/cloud 0");
    bridge.ends();
    one.iotctl("sub -t state/cloud -C 1 --retained-only")
        .run()
        .exits(0)
        .prints("0\n");
    std::fs::write(&file, "connection a\naddress b\nbridge_psk 00\n").unwrap();
    let refused = iotctl(&format!("bridge {} --import", url(&one)))
        .word(&file)
        .run();
    refused.exits(2).says("line 3: bridge_psk");
}
