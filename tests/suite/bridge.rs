//! `bridge`: between all three protocols, through outages, and without loops.

use std::collections::BTreeMap;
use std::net::TcpStream;
use std::path::Path;

use serde_json::Value;

use crate::support::broker::{Broker, broker};
use crate::support::certificates::Certificates;
use crate::support::coap::server;
use crate::support::command::{Running, iotctl, program};
use crate::support::libcoap;
use crate::support::mosquitto::{Mosquitto, Settings, mosquitto};
use crate::support::peer::{Peer, drain, level, packet, publish, read_packet, read_until, send};
use crate::support::rabbitmq::{rabbitmq, unique};
use crate::support::wait_for;

/// A bridge that messages can come to.
fn bridged(words: &str, folder: &Path) -> Running {
    iotctl("bridge").words(words).ready(folder)
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
    // The servers do not send back what they were sent.
    bridge.signal("TERM");
    bridge.hears("received 3 messages: 3 delivered");
    bridge.ends().exits(143);
}

/// Publishes to each server, and checks that each sees each message once.
fn each_sees_each_once(servers: &[&Mosquitto]) {
    let folder = tempfile::tempdir().unwrap();
    let watching = |server: &&Mosquitto| {
        let line = server.iotctl("sub -t s/# -t end/# -q 1 -v");
        line.ready(folder.path())
    };
    let mut watchers: Vec<Running> = servers.iter().map(watching).collect();
    for (at, server) in servers.iter().enumerate() {
        server.pub_line(&format!("-t s/{at} -m x -q 1 -r")).run();
    }
    let mut seen = vec![BTreeMap::<String, usize>::new(); servers.len()];
    for (watcher, seen) in watchers.iter_mut().zip(&mut seen) {
        while seen.len() < servers.len() {
            *seen.entry(watcher.line()).or_default() += 1;
        }
    }
    // A copy of one of them would be before what is sent after all of them have come.
    for (at, server) in servers.iter().enumerate() {
        server.pub_line(&format!("-t s/end/{at} -m x -q 1")).run();
    }
    for (watcher, seen) in watchers.iter_mut().zip(&mut seen) {
        while seen.len() < 2 * servers.len() {
            *seen.entry(watcher.line()).or_default() += 1;
        }
        assert!(seen.values().all(|&times| times == 1), "{seen:?}");
    }
}

#[test]
fn between_mosquittos_and_a_bridge_of_theirs_each_message_comes_once() {
    for version in ["mqttv50", "mqttv311"] {
        let (one, two) = (patient(), patient());
        let third = Mosquitto::start(Settings {
            more: format!(
                "connection theirs\naddress 127.0.0.1:{}\ntopic s/# both 1\nbridge_protocol_version {version}\n",
                two.port
            ),
            ..Settings::default()
        });
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("mosquitto.conf");
        let text = format!(
            "connection ours\naddress 127.0.0.1:{}\ntopic s/# both 1\nbridge_protocol_version {version}\nnotifications false\n",
            two.port
        );
        std::fs::write(&file, text).unwrap();
        let line = format!(
            "mqtt://127.0.0.1:{} --retry 10s --import {}",
            one.port,
            file.display()
        );
        let bridge = bridged(&line, folder.path());
        // Theirs, and ours.
        two.sees_subscriptions("s/#", 2);
        each_sees_each_once(&[&one, &two, &third]);
        bridge.signal("TERM");
        let text = bridge.ends().exits(143);
        text.says("6 delivered");
    }
}

/// CONNACK of a server that wants to hear something every second, and the SUBACK that follows.
fn greets(stream: &mut TcpStream) -> Vec<u8> {
    let (_, connect) = read_packet(stream).expect("a CONNECT");
    send(stream, &[0x20, 6, 0, 0, 3, 0x13, 0, 1]);
    let subscribe = read_until(stream, 0x80).expect("a SUBSCRIBE");
    // The options are last: QoS 1, No Local, Retain As Published.
    assert_eq!(subscribe.last(), Some(&0b1101));
    send(stream, &packet(0x90, &[subscribe[0], subscribe[1], 0, 1]));
    connect
}

#[test]
fn it_ends_after_so_many_messages() {
    let (mut one, two) = (broker(""), broker(""));
    let folder = tempfile::tempdir().unwrap();
    let words = format!("{} {} -t # -C 2", url(&one), url(&two));
    let bridge = bridged(&words, folder.path());
    one.sees_subscription("#");
    one.iotctl("pub -t a -q 1 -l")
        .input("1\n2\n")
        .run()
        .exits(0);
    bridge
        .ends()
        .exits(0)
        .says("received 2 messages: 2 delivered");
}

#[test]
fn two_full_windows_do_not_wait_for_each_other() {
    const WINDOW: u16 = 5;
    let script = |name: &'static str| {
        Peer::start(move |stream, number| {
            if number > 0 {
                return;
            }
            let connect = greets(stream);
            let receive_maximum = [0x21, 0, WINDOW as u8];
            assert!(connect.windows(3).any(|bytes| bytes == receive_maximum));
            for id in 1..=WINDOW {
                send(stream, &publish(name, 1, id, b"x"));
            }
            let (mut ids, mut pings, mut settled, mut taken) = (Vec::new(), 0, 0, 0);
            while settled < WINDOW || taken < WINDOW {
                let (first, body) = read_packet(stream).expect("a packet");
                match first & 0xf0 {
                    0x30 => {
                        let at = 2 + usize::from(body[1]);
                        ids.push([body[at], body[at + 1]]);
                    }
                    0x40 => settled += 1,
                    0xc0 => {
                        send(stream, &[0xd0, 0]);
                        pings += 1;
                    }
                    other => panic!("{other:x}"),
                }
                // Nothing was acknowledged for two intervals of the keep-alive, by either server.
                if pings >= 2 && ids.len() == usize::from(WINDOW) {
                    for [high, low] in ids.drain(..) {
                        taken += 1;
                        send(stream, &[0x40, 2, high, low]);
                    }
                }
            }
            assert!(pings >= 2);
        })
    };
    let (one, two) = (script("s/one"), script("s/two"));
    let bridge = iotctl(&format!(
        "bridge mqtt://127.0.0.1:{} mqtt://127.0.0.1:{} --window {WINDOW} -t",
        one.port, two.port
    ))
    .word("s/# both 1")
    .start();
    one.result();
    two.result();
    bridge.signal("TERM");
    bridge.ends().says("10 delivered");
}

#[test]
fn servers_that_do_not_know_bridges_are_told_of_and_two_of_them_refused() {
    let plain = || {
        Peer::start(|stream, _| {
            // Only MQTT 3.1.1, and no bit before it.
            let (_, connect) = read_packet(stream).expect("a CONNECT");
            let level = level(&connect);
            if level != 4 {
                return send(stream, &[0x20, 2, 0, 1]);
            }
            send(stream, &[0x20, 2, 0, 0]);
            if let Some(subscribe) = read_until(stream, 0x80) {
                send(stream, &packet(0x90, &[subscribe[0], subscribe[1], 1]));
                drain(stream);
            }
        })
    };
    let (one, two) = (plain(), plain());
    iotctl(&format!(
        "bridge mqtt://127.0.0.1:{} mqtt://127.0.0.1:{} -t",
        one.port, two.port
    ))
    .word("s/# both 1")
    .start()
    .ends_by_itself()
    .exits(2)
    .says("does not know bridges")
    .says("neither server knows bridges");
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
    // What is too long for a correlation id.
    let long = "c".repeat(300);
    let line = format!("pub -t {there} -m long -q 1 -D publish correlation-data {long}");
    broker.iotctl(&line).run().exits(0);
    bridge.signal("TERM");
    let ended = bridge.ends().exits(143).says(": 2 delivered");
    assert!(!ended.stderr.contains("correlation"), "{}", ended.stderr);

    // And back, from the queue.
    let mut broker = broker;
    let mut watcher = broker.iotctl("sub -t # -q 1 --output json").start();
    broker.sees_subscription("#");
    let back = bridged(
        &format!("{amqp} {} --from-queue {queue}", url(&broker)),
        folder.path(),
    );
    // The one that is still there came by another key.
    let message = record(&watcher.line());
    assert_eq!(message["topic"], there);
    assert_eq!(message["mqtt"]["correlation_data"], long);
    let line = message.to_string();
    assert!(!line.contains("x-iotctl-correlation"), "{line}");
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
fn paho_and_pika_read_all_properties_of_each_other() {
    let (rabbit, mosquitto) = (rabbitmq(), mosquitto());
    let amqp = format!("amqp://127.0.0.1:{}", rabbit.port);
    let mqtt = format!("mqtt://127.0.0.1:{}", mosquitto.port);
    let folder = tempfile::tempdir().unwrap();
    let topic = unique("peers/of");
    let line = iotctl(&format!("bridge {mqtt} {amqp} -t"))
        .word(format!("{topic}/out/# out 1"))
        .word("-t")
        .word(format!("{topic}/in/# in 1"));
    let bridge = line.ready(folder.path());
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients/bridged.py");
    program("bridge-python", script)
        .words(&format!("{mqtt} {amqp} {topic}"))
        .run()
        .exits(0)
        .prints("there\nback\n");
    bridge.signal("TERM");
    bridge
        .ends()
        .exits(143)
        .says("received 2 messages: 2 delivered");
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
fn what_is_put_to_a_gateway_is_confirmed_once_its_target_has_it() {
    let mut server = patient();
    server.stop();
    let mut bridge = iotctl(&format!(
        "bridge coap-listen://127.0.0.1:0 mqtt://127.0.0.1:{} --retry 60s -t",
        server.port
    ))
    .word("s/# out 1")
    .start();
    let line = bridge.hears("listening on coap://");
    let (_, place) = line.rsplit_once("coap://").unwrap();
    let place = format!("coap://{}", place.trim());
    let said = libcoap::asked(&format!("-m put -e down {place}/s/a"));
    assert!(said.contains("5.03"), "{said}");
    server.restart();
    let mut watcher = server.iotctl("sub -t s/# -q 1 -v").start();
    server.sees_subscriptions("s/#", 1);
    // The bridge may not have come back yet.
    wait_for("the bridge", || {
        let said = libcoap::asked(&format!("-m post -e up {place}/s/a"));
        (!said.contains("5.03")).then(|| assert!(!said.contains('.'), "{said}"))
    });
    assert_eq!(watcher.line(), "s/a up");
    let said = libcoap::asked(&format!("-m put -t 50 -e {{}} {place}/ps/s/b%20c"));
    assert!(!said.contains('.'), "{said}");
    assert_eq!(watcher.line(), "s/b c {}");
    let said = libcoap::asked(&format!("-m put -e x {place}/other"));
    assert!(said.contains("4.04"), "{said}");
    let said = libcoap::asked(&format!("-m put -e x {place}/s/%23"));
    assert!(said.contains("4.00"), "{said}");
    bridge.signal("TERM");
    bridge.hears("received 3 messages: 2 delivered, 1 filtered out");
    bridge.ends().exits(143);
}

#[test]
fn an_encrypted_gateway_shows_its_certificate_and_asks_for_that_of_clients() {
    let folder = tempfile::tempdir().unwrap();
    let pem = Certificates::in_folder(folder.path());
    let mut broker = broker("");
    let mut watcher = broker.iotctl("sub -t s/# -q 1").start();
    broker.sees_subscription("s/#");
    for scheme in ["coaps", "coaps+tcp", "coaps+ws"] {
        let ends = format!("{scheme}-listen://127.0.0.1:0 {}", url(&broker));
        let refused = iotctl(&format!("bridge {ends} -t")).word("s/# out 1").run();
        let refused = refused.exits(2);
        let (needs, _) = refused.stderr.split_once('\n').unwrap();
        assert_eq!(
            needs,
            format!("iotctl: {scheme}-listen://127.0.0.1:0 needs --cert and --key")
        );
        let mut bridge = iotctl(&format!("bridge {ends} --cert"))
            .word(pem.server.to_str().unwrap())
            .words("--key")
            .word(pem.server_key.to_str().unwrap())
            .words("--cafile")
            .word(pem.ca.to_str().unwrap())
            .words("-t")
            .word("s/# out 1")
            .start();
        let line = bridge.hears(&format!("listening on {scheme}://"));
        let (_, place) = line.rsplit_once("://").unwrap();
        let put = |more: &str| {
            let put = format!("coap put {scheme}://{}/s/a -m {scheme}", place.trim());
            iotctl(&format!("{put} --cafile {} {more}", pem.ca.display()))
                .words("-W 20")
                .run()
        };
        put(&format!(
            "--cert {} --key {}",
            pem.client.display(),
            pem.client_key.display()
        ))
        .exits(0);
        assert_eq!(watcher.line(), scheme);
        assert_ne!(put("").code, 0, "{scheme}: without a certificate");
        bridge.signal("TERM");
        bridge.hears("received 1 message: 1 delivered");
        bridge.ends().exits(143);
    }
}

#[test]
fn an_encrypted_gateway_of_a_file_of_routes_has_its_certificate_there() {
    let folder = tempfile::tempdir().unwrap();
    let pem = Certificates::in_folder(folder.path());
    let mut broker = broker("");
    let mut watcher = broker.iotctl("sub -t s/# -q 1").start();
    broker.sees_subscription("s/#");
    let file = folder.path().join("routes.toml");
    let written = |keys: &str| {
        let text = format!(
            "[source.gateway]\nurl = \"coaps+tcp-listen://127.0.0.1:0\"\n{keys}\n[target.broker]\nurl = \"{}\"\n[[route]]\nto = \"broker\"\n",
            url(&broker)
        );
        std::fs::write(&file, text).unwrap();
        iotctl("route").word(&file)
    };
    let refused = written("").words("--check").run().exits(2);
    refused.says("source gateway: coaps+tcp-listen://127.0.0.1:0 needs cert and key");
    let name = |path: &Path| {
        let name = path.strip_prefix(folder.path()).unwrap();
        name.display().to_string()
    };
    // From the folder of the file.
    let keys = format!(
        "cert = \"{}\"\nkey = \"{}\"\ncafile = \"{}\"",
        name(&pem.server),
        name(&pem.server_key),
        name(&pem.ca)
    );
    written(&keys).words("--check").run().exits(0);
    let mut router = written(&keys).start();
    let line = router.hears("listening on coaps+tcp://");
    let (_, place) = line.rsplit_once("://").unwrap();
    let put = |more: &str| {
        let ca = pem.ca.display();
        let put = format!("coap put coaps+tcp://{}/s/a -m x -W 20", place.trim());
        iotctl(&format!("{put} --cafile {ca} {more}")).run()
    };
    let client = format!(
        "--cert {} --key {}",
        pem.client.display(),
        pem.client_key.display()
    );
    put(&client).exits(0);
    assert_eq!(watcher.line(), "x");
    assert_ne!(put("").code, 0, "without a certificate");
    router.signal("TERM");
    router.ends().exits(143);
}

#[test]
fn the_file_of_routes_that_flags_mean_carries_the_same() {
    let [mut one, mut two] = [broker(""), broker("")];
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("routes.toml");
    let ends = format!("mqtt://u:secret@127.0.0.1:{} {}", one.port, url(&two));
    let line = iotctl(&format!(
        "bridge {ends} --name b --on-refused drop --print-config"
    ));
    let printed = ["s/+/# out 1 l/ r/", "c/# in 1 l/ \"\""];
    let printed = printed
        .iter()
        .fold(line, |line, map| line.words("-t").word(map));
    let printed = printed.run().exits(0);
    assert!(!printed.text().contains("secret"), "{}", printed.text());
    std::fs::write(&file, printed.text()).unwrap();
    iotctl("route --check").word(&file).run().exits(0);
    let ready = folder.path().join("ready");
    let router = iotctl("route")
        .word(&file)
        .words("--ready-file")
        .word(&ready);
    let mut router = router.start();
    wait_for("the router", || ready.exists().then_some(()));
    let watch = |broker: &mut Broker| {
        let running = broker.iotctl("sub -t # -q 1 -v").start();
        broker.sees_subscription("#");
        running
    };
    let (mut at_one, mut at_two) = (watch(&mut one), watch(&mut two));
    one.iotctl("pub -q 1 -t l/s/a/b/c -m out").run().exits(0);
    assert_eq!(at_two.line(), "r/s/a/b/c out");
    two.iotctl("pub -q 1 -t c/d -m in").run().exits(0);
    assert_eq!(at_one.line(), "l/s/a/b/c out");
    assert_eq!(at_one.line(), "l/c/d in");
    router.signal("TERM");
    router.hears("received 2 messages: 2 delivered");
    router.ends().exits(143);
    for (words, says) in [
        (
            "--notify state",
            "--notify cannot be expressed in a routes file",
        ),
        (
            "--max-packet-size 1k",
            "--max-packet-size cannot be expressed",
        ),
        (
            "-W 1m",
            "-W cannot be expressed in a routes file; it belongs on the command line of iotctl route",
        ),
        (
            "--idle 1m",
            "--idle cannot be expressed in a routes file; it belongs",
        ),
        (
            "--prometheus-listen 127.0.0.1:0",
            "--prometheus-listen cannot be expressed in a routes file; it belongs",
        ),
        (
            "--on-ready true",
            "--on-ready cannot be expressed in a routes file; it belongs",
        ),
    ] {
        let line = iotctl(&format!(
            "bridge mqtts://a mqtts://b --print-config {words}"
        ));
        line.run().exits(2).says(says);
    }
    iotctl("bridge mqtt://a mqtt://b --print-config -t")
        .word("# both 1")
        .run()
        .exits(2)
        .says("messages that may come back cannot be expressed in a routes file");
}

#[test]
fn the_last_message_of_a_topic_can_be_had_and_observed_over_coap() {
    let broker = broker("");
    let mut bridge = iotctl(&format!(
        "bridge {} coap+tcp-listen://127.0.0.1:0",
        url(&broker)
    ))
    .words("-t")
    .word("s/# out 1")
    .words("-t")
    .word("cmd/# in 1")
    .start();
    let line = bridge.hears("listening on coap+tcp://");
    let (_, place) = line.rsplit_once("coap+tcp://").unwrap();
    let place = format!("coap+tcp://{}", place.trim());
    let mut commands = broker.iotctl("sub -t cmd/# -q 1 -v --retry 10s").start();
    let publish = |body: &str| {
        broker
            .iotctl(&format!("pub -t s/a -m {body} -q 1 -r"))
            .words("-D publish content-type application/json")
            .run()
            .exits(0);
    };
    publish("1");
    wait_for("the first value", || {
        let got = iotctl(&format!("coap get {place}/s/a")).run();
        (got.text() == "1").then_some(())
    });
    let mut observer = iotctl(&format!("coap observe {place}/ps/s/a --output json")).start();
    let first = record(&observer.line());
    assert_eq!(first["coap"]["media_type"], "application/json");
    publish("2");
    assert_eq!(record(&observer.line())["payload"], "2");
    // Both directions, by the same server.
    wait_for("the subscription", || {
        iotctl(&format!("coap put {place}/cmd/x -m on"))
            .run()
            .exits(0);
        Some(())
    });
    assert_eq!(commands.line(), "cmd/x on");
    bridge.signal("TERM");
    bridge.ends().exits(143);
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
            "would loop",
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
fn the_first_of_several_servers_is_come_back_to() {
    let mut one = broker("");
    let (mut main, spare) = (patient(), patient());
    main.stop();
    let mut bridge = iotctl(&format!(
        "bridge {} mqtt://127.0.0.1:{},127.0.0.1:{} --retry 60s -t",
        url(&one),
        main.port,
        spare.port
    ))
    .word("n/# out 1")
    .start();
    one.sees_subscription("n/#");
    let publish = |body: &str| {
        let line = format!("pub -t n/a -m {body} -q 1 -r");
        one.iotctl(&line).run().exits(0);
    };
    let arrives = |server: &Mosquitto, body: &str| {
        let line = server.iotctl("sub -t n/# -q 1 -C 1 --retry 10s -W 60s");
        line.run().exits(0).prints(&format!("{body}\n"));
    };
    publish("spare");
    arrives(&spare, "spare");
    main.restart();
    bridge.hears("the first of the servers, is there again");
    publish("main");
    arrives(&main, "main");
    bridge.signal("TERM");
    bridge.hears("received 2 messages: 2 delivered");
    bridge.ends().exits(143);
}

#[test]
fn two_bridges_of_one_name_do_not_fight_for_ever() {
    let (mut one, two) = (broker(""), broker(""));
    let line = format!("bridge {} {} --name same -t", url(&one), url(&two));
    let start = || iotctl(&line).word("# out 1").start();
    let first = start();
    one.sees_subscription("#");
    let mut both = vec![first, start()];
    // Each takes back what the other took, once; then one of them gives up.
    let gone = wait_for("one that gives up", || {
        both.iter_mut().position(Running::has_ended)
    });
    let ended = both.remove(gone).ends_by_itself();
    ended
        .exits(6)
        .says("session taken over")
        .says("--name NAME");
    // The other may have given up at the other server.
    let other = both.remove(0);
    other.signal("TERM");
    let other = other.ends();
    let code = if other.code == 6 { 6 } else { 143 };
    other.exits(code);
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
    refused.exits(2).says(":3: bridge_psk");
}

#[test]
fn a_refusal_by_a_code_of_other_packets_is_one_of_that_message() {
    let mut one = broker("");
    // It answers what is larger with 0x95 in PUBACK, which the specification has for other packets.
    let two = Mosquitto::start(Settings {
        more: String::from("message_size_limit 100\n"),
        ..Settings::default()
    });
    let ends = format!("{} mqtt://127.0.0.1:{}", url(&one), two.port);
    let start = |more: &str, one: &mut Broker| {
        let bridge = iotctl(&format!("bridge {ends} {more} -t"))
            .word("# out 1")
            .start();
        one.sees_subscription("#");
        bridge
    };
    let publish = |one: &Broker, topic: &str, length: usize| {
        let line = format!("pub -t {topic} -q 1 -m {}", "x".repeat(length));
        one.iotctl(&line).run().exits(0);
    };
    let stopped = start("", &mut one);
    publish(&one, "large", 1000);
    stopped
        .ends_by_itself()
        .exits(1)
        .says("large: packet too large (0x95)");
    let mut watcher = two.iotctl("sub -t # -q 1").start();
    two.sees_subscriptions("#", 1);
    let mut dropped = start("--on-refused drop", &mut one);
    publish(&one, "small", 10);
    assert_eq!(watcher.line(), "x".repeat(10));
    dropped.signal("TERM");
    dropped.hears("received 2 messages: 1 delivered, 1 failed");
    dropped.ends().exits(143);
}

#[test]
fn the_path_of_a_coap_target_is_put_before_each_topic() {
    let mut broker = broker("");
    let coap = server("-r /base=store", &["coap"]);
    let place = coap.uris[0].trim_end_matches('/');
    let bridge = iotctl(&format!("bridge {} {place}/base -t", url(&broker)))
        .word("l4/# out 1")
        .start();
    broker.sees_subscription("l4/#");
    broker.iotctl("pub -t l4/a -m below -q 1").run().exits(0);
    wait_for("the resource", || {
        let got = iotctl(&format!("coap get {place}/base/l4/a")).run();
        (got.text() == "below").then_some(())
    });
    bridge.signal("TERM");
    bridge
        .ends()
        .exits(143)
        .says("received 1 message: 1 delivered");
    for (target, why) in [
        (
            format!("{place}/base/{{device}}"),
            "nothing is filled in here",
        ),
        (
            String::from("mqtt://127.0.0.1:1/prefix"),
            "prefix is no topic of what goes there",
        ),
    ] {
        iotctl(&format!("bridge {} {target} -t l4/#", url(&broker)))
            .run()
            .exits(2)
            .says(why);
    }
    iotctl(&format!("bridge {}/prefix {place} -t l4/#", url(&broker)))
        .run()
        .exits(2)
        .says("prefix is not subscribed to");
}

#[test]
fn a_server_that_grants_less_than_it_was_asked_for_is_told_of() {
    let poor = broker("--max-qos 0");
    let other = broker("");
    let line = format!("bridge {} {} -t", url(&poor), url(&other));
    let mut bridge = iotctl(&line).word("x/# out 1").start();
    bridge.hears("grants QoS 0 to x/#, and not QoS 1: messages may be lost");
    bridge.signal("TERM");
    bridge.ends().exits(143);
    iotctl(&line)
        .word("x/# out 1")
        .words("--strict")
        .run()
        .exits(1)
        .says("grants QoS 0 to x/#");
    iotctl(&format!("log {} -t x/# --to - --strict", url(&poor)))
        .run()
        .exits(1)
        .says("grants QoS 0 to x/#");
    let middling = broker("--max-qos 1");
    let subscribing = |broker: &Broker, qos: u8| {
        let line = format!("sub -t a/# -t b -q {qos} --exit-after-subscribe");
        broker.iotctl(&line).run().exits(0)
    };
    subscribing(&poor, 1).says("grants QoS 0 to a/# and 1 more, and not QoS 1");
    subscribing(&middling, 2)
        .says("grants QoS 1 to a/# and 1 more, and not QoS 2: messages may come twice");
    subscribing(&middling, 1).quietly();
    // Messages of a bridge may come twice in any case.
    iotctl(&format!(
        "bridge {} {} --strict --for 1s",
        url(&middling),
        url(&other)
    ))
    .run()
    .exits(0);
}

#[test]
fn a_loop_over_a_bridge_that_drops_user_properties_is_ended() {
    let other = patient();
    let own = Mosquitto::start(Settings {
        more: format!(
            "connection own\naddress 127.0.0.1:{}\ntopic l3/# both 1\nbridge_protocol_version mqttv311\n",
            other.port
        ),
        ..Settings::default()
    });
    let urls = [&own, &other].map(|server| format!("mqtt://127.0.0.1:{}", server.port));
    let bridge = iotctl(&format!("bridge {} {} --name l3 -t", urls[0], urls[1]))
        .word("l3/# both 1")
        .start();
    own.sees_subscriptions("l3/#", 1);
    other.sees_subscriptions("l3/#", 2);
    own.pub_line("-t l3/a -m round -q 1").run().exits(0);
    bridge
        .ends_by_itself()
        .exits(6)
        .says("l3/a crosses in both directions again and again");
}

#[test]
fn what_only_amqp_has_is_told_once_or_refused() {
    let rabbit = rabbitmq();
    let amqp = format!("amqp://127.0.0.1:{}", rabbit.port);
    let mut broker = broker("");
    let queue = unique("bridge-losses");
    iotctl(&format!("amqp declare queue {amqp} {queue}"))
        .run()
        .exits(0);
    let publish = || {
        iotctl(&format!("amqp publish {amqp} -k {queue} -m x --priority 5"))
            .words("--message-type reading --app-id app --message-id 17")
            .run()
            .exits(0);
    };
    let folder = tempfile::tempdir().unwrap();
    // Not all topics: others publish to the same server.
    let ends = format!("bridge {amqp} {} --from-queue {queue} -t", url(&broker));
    let line = |words: &str| iotctl(&ends).word(format!("{queue} out")).words(words);
    let mut bridge = line("").ready(folder.path());
    let mut watcher = broker.iotctl("sub -t # -q 1").start();
    broker.sees_subscription("#");
    publish();
    publish();
    assert_eq!(watcher.lines(2), ["x", "x"]);
    for what in ["a priority", "a type", "an app-id", "a message-id"] {
        bridge.hears(&format!("{what} cannot be carried to the other protocol"));
    }
    bridge.signal("TERM");
    let ended = bridge.ends().exits(143);
    assert_eq!(ended.stderr.matches("a priority").count(), 1);
    let strict = line("--strict").start();
    publish();
    strict
        .ends_by_itself()
        .exits(1)
        .says("a priority cannot be carried");
    // Each of them, and not the first alone.
    let dropping = line("--strict --on-refused drop --idle 5s").start();
    publish();
    dropping.ends_by_itself().exits(1).says("2 failed");
    iotctl(&format!("amqp delete queue {amqp} {queue}"))
        .run()
        .exits(0);
}

#[test]
fn a_gateway_shows_what_was_put_to_it() {
    let mut broker = broker("");
    let mut bridge = iotctl(&format!(
        "bridge coap-listen://127.0.0.1:0 {} -t",
        url(&broker)
    ))
    .word("g/# both 1")
    .start();
    let line = bridge.hears("listening on coap://");
    let (_, place) = line.rsplit_once("coap://").unwrap();
    let place = format!("coap://{}", place.trim());
    broker.sees_subscription("g/#");
    let mut watcher = broker.iotctl("sub -t g/# -q 1 -v").start();
    broker.sees_subscription("g/#");
    iotctl(&format!("coap put {place}/g/x -m 17"))
        .run()
        .exits(0);
    wait_for("the value", || {
        let got = iotctl(&format!("coap get {place}/g/x")).run();
        (got.text() == "17").then_some(())
    });
    // Only what is new, or what the client has seen (RFC 7252 §5.10.8).
    for words in ["--if-none-match", "--if-match=0xff"] {
        let put = iotctl(&format!("coap put {place}/g/x -m 18 {words}"));
        put.run().exits(1).says("4.12");
    }
    broker.iotctl("pub -t g/end -m end -q 1").run().exits(0);
    // Once: what is shown is sent to nobody.
    assert_eq!(watcher.lines(2), ["g/x 17", "g/end end"]);
    bridge.signal("TERM");
    bridge.ends().exits(143).says(": 3 delivered");
}

#[test]
fn at_sighup_names_of_topics_change_and_nothing_ends() {
    let (mut one, two) = (broker(""), broker(""));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("mosquitto.conf");
    let write = |lines: &str| {
        let address = format!("connection c\naddress 127.0.0.1:{}\n", two.port);
        std::fs::write(&file, address + "notifications false\n" + lines).unwrap();
    };
    write("topic a/# out 1 \"\" x/\n");
    let mut bridge = iotctl(&format!("bridge {} --import", url(&one)))
        .word(&file)
        .start();
    one.sees_subscription("a/#");
    write("topic a/# out 1 \"\" y/\n");
    bridge.signal("HUP");
    bridge.hears("mosquitto.conf reloaded: 1 topic");
    one.iotctl("pub -t a/b -m renamed -q 1 -r").run().exits(0);
    two.iotctl("sub -t y/# -C 1 -v")
        .run()
        .exits(0)
        .prints("y/a/b renamed\n");
    write("topic a/# out 1 \"\" y/\ntopic b/# out 1\n");
    bridge.signal("HUP");
    bridge.hears("a subscription to b/# needs a restart; the previous file stays in force");
    bridge.signal("TERM");
    bridge
        .ends()
        .exits(143)
        .says("received 1 message: 1 delivered");
    let mut plain = bridged(&format!("{} {}", url(&one), url(&two)), folder.path());
    plain.signal("HUP");
    plain.hears("SIGHUP: there are no files to reload");
    plain.signal("TERM");
    plain.ends().exits(143).says("received ");
}
