//! `mqtt request` and `mqtt respond`: against each other, mosquitto and its clients, and scripted peers.

use std::net::TcpStream;

use crate::support::broker::{Broker, broker};
use crate::support::command::{Running, iotctl};
use crate::support::mosquitto::mosquitto;
use crate::support::peer::{Peer, packet, read_until, send, subscribed, welcome};

/// A running responder that is subscribed to `filter`.
fn responder(broker: &mut Broker, filter: &str, words: &str) -> Running {
    let running = broker.iotctl(&format!("respond {words}")).start();
    broker.sees_subscription(filter);
    running
}

#[test]
fn a_request_gets_its_reply_and_no_more_is_left_behind() {
    let mut broker = broker("");
    let serving = responder(&mut broker, "echo", "-t echo --echo -C 2");
    for body in ["one", "two"] {
        broker
            .iotctl(&format!("request -t echo -m {body} -W 60"))
            .run()
            .exits(0)
            .quietly()
            .prints(&format!("{body}\n"));
    }
    serving.ends().exits(0).quietly();
}

#[test]
fn before_mqtt_5_replies_come_by_a_topic_that_both_know() {
    let mut broker = broker("");
    let words = "-V 311 -t {a}/{b}/get -e {a}/{b}/value --template {topic}:{payload}";
    let serving = responder(&mut broker, "+/+/get", words);
    for (topic, response) in [("x/1/get", "{1}/{2}/value"), ("x/2/get", "x/+/value")] {
        broker
            .iotctl(&format!("request -V 311 -t {topic} -m now -W 60 -v"))
            .words(&format!("-e {response}"))
            .run()
            .exits(0)
            .quietly()
            .prints(&format!("{}value {topic}:now\n", &topic[..4]));
    }
    drop(serving);
}

#[test]
fn mosquitto_and_its_clients_ask_and_are_asked() {
    let broker = mosquitto();
    let serving = broker
        .iotctl("respond -t upper/# --exec tr a-z A-Z")
        .start();
    broker.sees_subscriptions("upper/#", 1);
    broker
        .iotctl("request -t upper/1 -m hello -W 60")
        .run()
        .exits(0)
        .quietly()
        .prints("HELLO\n");
    let asked = crate::support::command::program(
        "mosquitto_rr",
        &format!(
            "-h 127.0.0.1 -p {} -V 5 -W 60 -t upper/2 -e back/2 -m hi",
            broker.port
        ),
    );
    asked
        .words("-D publish correlation-data 7")
        .run()
        .exits(0)
        .prints("HI\n");
    drop(serving);
    let answering = broker.sub_line("-t lamp/set -C 1 -W 60").start();
    broker.sees_subscriptions("lamp/set", 1);
    let asking = broker
        .iotctl("request -V 311 -t lamp/set -m on -e lamp/state -W 60 --output json")
        .start();
    answering.ends().exits(0).prints("on\n");
    broker.pub_line("-t lamp/state -m 1 -r").run().exits(0);
    asking.ends().exits(0).contains("\"payload\":\"1\"");
}

#[test]
fn nobody_there_is_reported_at_once() {
    let ours = broker("");
    let real = mosquitto();
    for line in [
        ours.iotctl("request -t nobody -m x"),
        real.iotctl("request -t nobody -m x"),
    ] {
        line.run()
            .exits(1)
            .prints("")
            .says("no responder for nobody on mqtt://127.0.0.1:")
            .says("(no matching subscribers)");
    }
}

#[test]
fn silence_is_a_timeout_and_so_is_a_collection_without_a_reply() {
    let mut broker = broker("");
    let listening = broker.sub_line("-t mute").start();
    broker.sees_subscription("mute");
    for words in [
        "-W 300ms",
        "--idle 300ms",
        "--for 300ms",
        "-C 2 --for 300ms",
    ] {
        broker
            .iotctl(&format!("request -t mute -m x {words}"))
            .run()
            .exits(5)
            .prints("")
            .says("timed out: no reply to the request to mute on mqtt://127.0.0.1:");
    }
    drop(listening);
}

/// A peer that does not even answer CONNECT keeps nobody longer than -W.
#[test]
fn the_timeout_bounds_the_connection_too() {
    let peer = Peer::start(|stream: &mut TcpStream, _| crate::support::peer::drain(stream));
    iotctl(&format!("mqtt request -p {} -t a -m x -W 300ms", peer.port))
        .run()
        .exits(5)
        .says("no connection to mqtt://localhost:")
        .says(" within 300ms");
}

#[test]
fn many_replies_are_collected() {
    let mut broker = broker("");
    let all: Vec<_> = ["a", "b", "c"]
        .map(|name| responder(&mut broker, "all", &format!("-t all -m {name} -q 1")))
        .into();
    for words in ["-C 3 -W 60", "--idle 2s", "--for 3s"] {
        let ended = broker
            .iotctl(&format!("request -t all -n {words}"))
            .run()
            .exits(0);
        let mut replies: Vec<_> = ended.text().lines().collect();
        replies.sort_unstable();
        assert_eq!(replies, ["a", "b", "c"], "{words}");
    }
    broker
        .iotctl("request -t all -n -C 4 -W 2s")
        .run()
        .exits(5)
        .says("timed out: received 3 of 4 messages");
    drop(all);
}

#[test]
fn lines_and_records_are_asked_one_after_the_other() {
    let mut broker = broker("");
    let serving = responder(&mut broker, "sq/#", "-t sq/# --exec awk {print($1*$1)}");
    let asked = broker
        .iotctl("request -t sq/1 -l --output raw --latency -W 60")
        .input("7\n12\n")
        .run()
        .exits(0)
        .prints("49\n144\n");
    let lines: Vec<_> = asked.stderr.lines().collect();
    assert!(
        lines[0].starts_with("iotctl: reply 1 to request 1 after "),
        "{lines:?}"
    );
    assert!(
        lines[1].starts_with("iotctl: reply 1 to request 2 after "),
        "{lines:?}"
    );
    assert!(lines[2].starts_with("iotctl: 2 replies: min/avg/p50/p90/p99/max/stddev "));
    broker
        .iotctl("request --ndjson -e result/{topic} -v -N -W 60")
        .input("{\"topic\":\"sq/x\",\"payload\":\"3\"}\n{\"topic\":\"sq/y\",\"payload\":\"4\"}\n")
        .run()
        .exits(0)
        .prints("result/sq/x 9\nresult/sq/y 16\n");
    drop(serving);
}

/// What a v5 PUBLISH carries in the scripts below.
fn reply(topic: &str, retain: bool, correlation: Option<&[u8]>, payload: &str) -> Vec<u8> {
    let mut body = [&[0, topic.len() as u8], topic.as_bytes()].concat();
    let properties =
        correlation.map_or_else(Vec::new, |data| [&[9, 0, data.len() as u8], data].concat());
    body.push(properties.len() as u8);
    body.extend(properties);
    body.extend(payload.as_bytes());
    packet(0x30 | u8::from(retain), &body)
}

/// Reads a QoS 1 PUBLISH and acknowledges it; its correlation data.
fn asked(stream: &mut TcpStream) -> Vec<u8> {
    let publish = read_until(stream, 0x30).expect("a PUBLISH");
    let after_topic = 2 + usize::from(publish[1]);
    let id = [publish[after_topic], publish[after_topic + 1]];
    send(stream, &[0x40, 2, id[0], id[1]]);
    // Properties: the response topic (8), then the correlation data (9).
    let at = after_topic + 3;
    let response = usize::from(publish[at + 2]);
    let at = at + 3 + response;
    assert_eq!((publish[after_topic + 3], publish[at]), (8, 9));
    let length = usize::from(publish[at + 2]);
    publish[at + 3..at + 3 + length].to_vec()
}

#[test]
fn what_is_no_reply_is_ignored() {
    let peer = Peer::start(|stream: &mut TcpStream, _| {
        subscribed(stream, &[1]);
        let correlation = asked(stream);
        for message in [
            reply("r", true, Some(&correlation), "stale"),
            reply("r", false, Some(b"other"), "another's"),
            reply("elsewhere", false, Some(&correlation), "elsewhere"),
            reply("r", false, Some(&correlation), "ours"),
        ] {
            send(stream, &message);
        }
        crate::support::peer::drain(stream);
    });
    iotctl(&format!(
        "mqtt request -p {} -t a -e r -m x -W 60",
        peer.port
    ))
    .run()
    .exits(0)
    .prints("ours\n")
    .says("ignoring a retained message on r, which is older than the request\n")
    .says("ignored 3 messages in all that are not replies");
    // A responder that knows of no correlation data is told by its topic.
    let peer = Peer::start(|stream: &mut TcpStream, _| {
        subscribed(stream, &[1]);
        asked(stream);
        send(stream, &reply("r", false, None, "plain"));
        crate::support::peer::drain(stream);
    });
    iotctl(&format!(
        "mqtt request -p {} -t a -e r -m x -W 60",
        peer.port
    ))
    .run()
    .exits(0)
    .quietly()
    .prints("plain\n");
}

#[test]
fn refusals_and_lost_connections_are_told() {
    for (answer, code, why) in [
        (0x87, 4, "refused the request to a: not authorized"),
        (0x97, 1, "refused the request to a: quota exceeded"),
    ] {
        let peer = Peer::start(move |stream: &mut TcpStream, _| {
            subscribed(stream, &[1]);
            let publish = read_until(stream, 0x30).expect("a PUBLISH");
            send(stream, &[0x40, 3, publish[3], publish[4], answer]);
            crate::support::peer::drain(stream);
        });
        iotctl(&format!("mqtt request -p {} -t a -m x -W 60", peer.port))
            .run()
            .exits(code)
            .says(why);
    }
    let peer = Peer::start(|stream: &mut TcpStream, _| {
        subscribed(stream, &[0x87]);
        crate::support::peer::drain(stream);
    });
    iotctl(&format!(
        "mqtt request -p {} -t a -e r -m x -W 60",
        peer.port
    ))
    .run()
    .exits(4)
    .says("refused the subscription to r: not authorized");
    let peer = Peer::start(|stream: &mut TcpStream, _| {
        subscribed(stream, &[1]);
        asked(stream);
    });
    iotctl(&format!("mqtt request -p {} -t a -m x -W 60", peer.port))
        .run()
        .exits(6)
        .says("closed the connection");
}

#[test]
fn a_server_may_reserve_topics_for_replies() {
    let mut broker = broker("--response-information replies/");
    let serving = responder(&mut broker, "q", "-t q --template {response-topic} -C 1");
    let asked = broker
        .iotctl("request -t q -n -W 60 -i me")
        .run()
        .exits(0)
        .quietly();
    assert!(asked.text().starts_with("replies/me/"), "{}", asked.text());
    serving.ends().exits(0);
    // What cannot be part of a topic is not used.
    let peer = Peer::start(|stream: &mut TcpStream, _| {
        read_until(stream, 0x10);
        send(stream, &[0x20, 8, 0, 0, 5, 0x1a, 0, 2, b'a', b'#']);
        read_until(stream, 0x80)
    });
    let asking = iotctl(&format!("mqtt request -p {} -t a -m x", peer.port));
    asking
        .run()
        .exits(6)
        .says("offers response information that cannot be used: topic \"a#/");
    let subscribe = peer.result().expect("a SUBSCRIBE");
    let text = String::from_utf8_lossy(&subscribe).into_owned();
    assert!(text.contains("iotctl/replies/"), "{text}");
}

#[test]
fn a_responder_says_what_it_could_not_answer() {
    let mut broker = broker("");
    let mut serving = responder(&mut broker, "w", "-t w -C 4 --exec false");
    broker.iotctl("pub -t w -q 1 -m x").run().exits(0);
    serving.hears("a request to w has no response topic; no reply sent");
    let with = "pub -q 1 -m x -t w -D publish response-topic";
    broker.iotctl(&format!("{with} gone")).run().exits(0);
    serving.hears("the command failed or wrote too much; no reply sent");
    broker.iotctl(&format!("{with} w")).run().exits(0);
    serving.hears("cannot reply to a request to w: its reply to w would be a request too");
    broker.iotctl(&format!("{with} a/#")).run().exits(2);
    broker.iotctl("pub -t w -q 1 -m x").run().exits(0);
    serving.ends().exits(1).says("for 2 of 4 messages");
    let mut serving = responder(&mut broker, "w", "-t w --echo -C 1");
    broker.iotctl(&format!("{with} gone")).run().exits(0);
    serving.hears("a reply to gone reached nobody (no matching subscribers)");
    serving.ends().exits(0);
}

#[test]
fn a_qos_that_nobody_asked_for_is_no_matter() {
    let mut broker = broker("--max-qos 0");
    let serving = responder(&mut broker, "echo", "-t echo --echo -C 1");
    broker
        .iotctl("request -t echo -q 0 -m one -W 60")
        .run()
        .exits(0)
        .prints("one\n");
    serving.ends_by_itself().exits(0).quietly();
    let mut serving = responder(&mut broker, "asked", "-t asked --echo -q 1");
    serving.hears("grants QoS 0 to asked, and not QoS 1");
}

#[test]
fn a_group_shares_the_requests() {
    let mut broker = broker("");
    let words = |name: &str| format!("-t job/{{id}} --group g --template {name}:{{id}}");
    let one = responder(&mut broker, "$share/g/job/+", &words("one"));
    let two = responder(&mut broker, "$share/g/job/+", &words("two"));
    let mut replies = Vec::new();
    for number in 0..4 {
        let asked = broker
            .iotctl(&format!("request -t job/{number} -n -W 60 -C 1"))
            .run()
            .exits(0);
        replies.push(asked.text().trim_end().to_owned());
    }
    for name in ["one", "two"] {
        assert!(
            replies.iter().any(|reply| reply.starts_with(name)),
            "{replies:?}"
        );
    }
    assert!((0..4).all(|number| replies[number].ends_with(&format!(":{number}"))));
    drop((one, two));
}

/// A request is done with only when its reply is acknowledged: a responder that dies before that gets it again.
#[test]
fn a_request_is_acknowledged_after_its_reply() {
    let mut broker = broker("--fault drop-ack:packet=puback,client=dev-replies");
    let listener = broker.sub_line("-t out -q 1 -C 1 -W 60").start();
    broker.sees_subscription("out");
    let words = "-t job -c -i dev -x 1h --echo -e out";
    let serving = responder(&mut broker, "job", words);
    broker.iotctl("pub -t job -q 1 -m work").run().exits(0);
    listener.ends().exits(0).prints("work\n");
    serving.signal("KILL");
    drop(serving);
    broker
        .iotctl("sub -t job -c -i dev -q 1 -C 1 -W 60")
        .run()
        .exits(0)
        .prints("work\n");
}

/// Pins that are switched on and off, with their state retained, as in the documentation.
#[test]
fn led_control_is_one_line() {
    let mut broker = broker("");
    let serving = broker
        .iotctl("respond -t gpio/{pin}/command --response-topic gpio/{pin}/state -r")
        .words("--exec sed")
        .word("s/^on$/1/; s/^off$/0/")
        .start();
    broker.sees_subscription("gpio/+/command");
    for (pin, command, state) in [(17, "on", 1), (18, "off", 0), (17, "off", 0)] {
        broker
            .iotctl(&format!("request -t gpio/{pin}/command -m {command} -W 60"))
            .words(&format!("-e gpio/{pin}/state"))
            .run()
            .exits(0)
            .quietly()
            .prints(&format!("{state}\n"));
    }
    // As a device of MQTT 3.1.1 does: it publishes the command, and the state is there.
    let watching = broker
        .sub_line("-t gpio/17/state -R -C 1 -W 60 -q 1 -F %t=%p")
        .start();
    broker.sees_subscription("gpio/17/state");
    broker
        .pub_line("-t gpio/17/command -m on -q 1")
        .run()
        .exits(0);
    watching.ends().exits(0).prints("gpio/17/state=1\n");
    let states = broker
        .iotctl("sub -t gpio/+/state --retained-only -F")
        .word("%t %p %r")
        .run()
        .exits(0);
    let mut states: Vec<_> = states.text().lines().collect();
    states.sort_unstable();
    assert_eq!(states, ["gpio/17/state 1 1", "gpio/18/state 0 1"]);
    drop(serving);
}

#[test]
fn wrong_words_are_refused_before_anything_is_sent() {
    for (words, why) in [
        (
            "request -V 311 -t a -m x",
            "before MQTT 5, --response-topic is needed",
        ),
        (
            "respond -V 311 -t a --echo",
            "before MQTT 5, --response-topic is needed",
        ),
        ("respond -t a", "no reply was given"),
        ("respond -t a --echo -m x", "cannot be used with"),
        (
            "respond -t {a}/b --echo -e c/{d}",
            "{d} is not a name in a filter of -t",
        ),
        ("respond -t {a}/{a} --echo", "{a} occurs twice"),
        (
            "respond -t {seq}/b --echo",
            "{seq} has a meaning of its own",
        ),
        ("respond -t a --group x/y --echo", "--group \"x/y\""),
        (
            "respond -t $share/g/a --group x --echo",
            "names a group itself",
        ),
        ("request -t a/# -m x", "wildcard"),
        ("request -t a -m x -C 0", "-C must be at least 1"),
        (
            "request -t a -m x -e r -D publish response-topic r",
            "-D publish response-topic and -e cannot be used together",
        ),
    ] {
        iotctl(&format!("mqtt {words} -h 192.0.2.1"))
            .run()
            .exits(2)
            .prints("")
            .says(why);
    }
    let broker = broker("");
    broker
        .iotctl("request -t a/b -m x -e a/+")
        .run()
        .exits(2)
        .says("--response-topic: a/+ matches the topic of the request, a/b");
    broker
        .iotctl("respond --echo")
        .run()
        .exits(2)
        .says("no topic to take requests from");
}

#[test]
fn a_signal_ends_both() {
    let mut broker = broker("");
    let serving = responder(&mut broker, "s", "-t s --exec sleep 60");
    let asking = broker.iotctl("request -t s -m x -W 60").start();
    broker.running.hears(" subscribed to iotctl/replies/");
    asking.signal("INT");
    asking.ends().exits(130).says("interrupted");
    serving.signal("TERM");
    serving.ends().exits(143).says("interrupted after");
}

/// A scripted server that takes nothing but MQTT 3.1.1.
#[test]
fn a_server_without_mqtt_5_needs_a_topic() {
    let peer = Peer::start(|stream: &mut TcpStream, _| {
        let connect = read_until(stream, 0x10).expect("a CONNECT");
        if crate::support::peer::level(&connect) == 5 {
            return send(stream, &[0x20, 2, 0, 1]);
        }
        send(stream, &[0x20, 2, 0, 0]);
        let subscribe = read_until(stream, 0x80).expect("a SUBSCRIBE");
        send(stream, &[0x90, 3, subscribe[0], subscribe[1], 1]);
        let publish = read_until(stream, 0x30).expect("a PUBLISH");
        send(stream, &[0x40, 2, publish[3], publish[4]]);
        send(stream, &packet(0x30, b"\0\x01ryes"));
        crate::support::peer::drain(stream);
    });
    iotctl(&format!(
        "mqtt request -p {} -t a -e r -m x -W 60",
        peer.port
    ))
    .run()
    .exits(0)
    .prints("yes\n")
    .says("does not support MQTT 5; using MQTT 3.1.1");
    iotctl(&format!("mqtt request -p {} -t a -m x", peer.port))
        .run()
        .exits(1)
        .says("unsupported protocol version");
    // Nothing is sent to a server that takes no subscription.
    let peer = Peer::start(|stream: &mut TcpStream, _| {
        welcome(stream);
        read_until(stream, 0x30).is_none()
    });
    iotctl(&format!("mqtt request -p {} -t a -m x -W 300ms", peer.port))
        .run()
        .exits(5)
        .says("no SUBACK from mqtt://localhost:");
    assert!(peer.result());
}
