//! What `bridge`, `route`, `log` and `alert` have in common: refusals, failing expressions, names across protocols, other clients
//! with the same name, and pipes.

use serde_json::Value;

use crate::support::broker::{Broker, broker, started};
use crate::support::command::{Line, Running, iotctl, program};
use crate::support::mosquitto::mosquitto;
use crate::support::peer::{Peer, packet, read_until, send, welcome};
use crate::support::ports::free_ports;
use crate::support::rabbitmq::{rabbitmq, unique};

fn url(broker: &Broker) -> String {
    format!("mqtt://127.0.0.1:{}", broker.port)
}

fn record(line: &str) -> Value {
    serde_json::from_str(line).unwrap()
}

/// Where a gateway that was just started listens.
fn gateway(running: &mut Running) -> String {
    let line = running.hears("listening on coap://");
    let (_, place) = line.rsplit_once("coap://").unwrap();
    format!("coap://{}", place.trim())
}

/// What the client of libcoap says to a PUT.
fn put(place: &str, path: &str, body: &str) -> String {
    let ended = program("coap-client-notls", "-B 60 -m put -e")
        .word(body)
        .word(format!("{place}/{path}"))
        .run();
    format!("{}{}", ended.text(), ended.stderr)
}

#[test]
fn what_a_client_of_a_gateway_is_refused_ends_no_route() {
    let mut broker = broker("");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("routes.toml");
    let text = format!(
        "on-refused = \"REFUSED\"\n[source.field]\nurl = \"coap-listen://127.0.0.1:0\"\n\
         [target.broker]\nurl = \"{}\"\n[target.letters]\nfile = \"/dev/full\"\n\
         [[route]]\ntopic = \"s/{{device}}\"\nmap = \"jq: .v + 1\"\nto = \"broker\"\n",
        url(&broker)
    );
    let mut watcher = broker.iotctl("sub -t s/# -q 1 -v").start();
    broker.sees_subscription("s/#");
    std::fs::write(&file, text.replace("REFUSED", "stop")).unwrap();
    let mut router = iotctl("route").word(&file).start();
    let place = gateway(&mut router);
    for (path, body, answer) in [
        ("s/a", r#"{"v": 1}"#, ""),
        ("s/b", r#"{"v": "x"}"#, "5.02"),
        ("s/b", r#"{"v": {}}"#, "5.02"),
        ("s/b", r#"{"v": 2}"#, ""),
        ("other", "x", "4.04"),
        ("s/a", r#"{"v": 3}"#, ""),
    ] {
        let said = put(&place, path, body);
        match answer {
            "" => assert!(!said.contains('.'), "{body}: {said}"),
            code => assert!(said.contains(code), "{body}: {said}"),
        }
    }
    let lines: Vec<String> = (0..3).map(|_| watcher.line()).collect();
    assert_eq!(lines, ["s/a 2", "s/b 3", "s/a 4"]);
    router.signal("TERM");
    router.hears("received 6 messages: 3 delivered, 1 filtered out");
    router.ends().exits(143);
}

#[test]
fn what_a_client_of_a_gateway_is_refused_ends_no_alert() {
    let (broker, folder) = (
        broker("--max-packet-size 100"),
        tempfile::tempdir().unwrap(),
    );
    let long = "x".repeat(200);
    // A reading that fires, whose notice the server refuses.
    let mut alert =
        iotctl("alert coap-listen://127.0.0.1:0 -t s/{device} --above 3 --value payload")
            .words("--topic-out")
            .word(format!("{long}/{{device}}"))
            .words(&format!("--to {} --state", url(&broker)))
            .word(folder.path().join("state"))
            .start();
    let place = gateway(&mut alert);
    let said = put(&place, "s/a", "5");
    assert!(said.contains("5.02"), "{said}");
    // The others are answered as before.
    let said = put(&place, "s/b", "7");
    assert!(said.contains("5.02"), "{said}");
    alert.signal("TERM");
    alert.ends().exits(143);
}

#[test]
fn a_condition_that_fails_is_not_met_and_told_once() {
    let mut broker = broker("");
    let mut watcher = broker
        .iotctl("sub -t s/# -q 1 -v -C 1 --filter")
        .word("jq: .v > 1 and (.a.b | not)")
        .start();
    broker.sees_subscription("s/#");
    for (topic, body) in [
        ("s/1", r#"{"v": 2, "a": 5}"#),
        ("s/2", r#"{"v": 2, "a": 6}"#),
        ("s/3", r#"{"v": 2}"#),
    ] {
        let line = broker.iotctl(&format!("pub -t {topic} -q 1 -m"));
        line.word(body).run().exits(0);
    }
    assert_eq!(watcher.line(), "s/3 {\"v\": 2}");
    let ended = watcher.ends_by_itself().exits(0);
    let told = ended.stderr.matches("fails: s/1: ").count();
    assert_eq!(told, 1, "{}", ended.stderr);
    assert!(!ended.stderr.contains("s/2"), "{}", ended.stderr);
}

#[test]
fn a_map_that_fails_in_a_replay_refuses_its_message_alone() {
    let folder = tempfile::tempdir().unwrap();
    let line = |body: &str| {
        let payload = Value::from(body);
        format!(
            "{{\"time\":\"2026-11-20T21:00:00Z\",\"protocol\":\"mqtt\",\"topic\":\"a\",\"payload\":{payload},\"mqtt\":{{\"qos\":1,\"retain\":false}}}}\n"
        )
    };
    let file = folder.path().join("r.ndjson");
    let text: String = [r#"{"v":1}"#, r#"{"v":"x"}"#, r#"{"v":3}"#]
        .map(line)
        .concat();
    std::fs::write(&file, text).unwrap();
    let ended = iotctl("replay")
        .word(&file)
        .words("--speed max --map")
        .word("jq: .v + 1")
        .run()
        .exits(1)
        .says("of 3 messages sent, 2 acknowledged, 1 refused");
    let bodies: Vec<Value> = ended.text().lines().map(record).collect();
    assert_eq!(bodies, [2, 4]);
}

#[test]
fn a_condition_of_an_alert_that_fails_neither_raises_nor_clears() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("r.ndjson");
    let line = |(second, body): (usize, &str)| {
        let payload = Value::from(body);
        format!(
            "{{\"time\":\"2026-11-20T21:00:{second:02}Z\",\"protocol\":\"mqtt\",\"topic\":\"s/a\",\"payload\":{payload},\"mqtt\":{{\"qos\":1,\"retain\":false}}}}\n"
        )
    };
    let bodies = [r#"{"v":9}"#, r#"{"v":"x"}"#, r#"{"v":1}"#];
    let text: String = bodies.into_iter().enumerate().map(line).collect();
    std::fs::write(&file, text).unwrap();
    let ended = iotctl("alert")
        .word(&file)
        .words("-t s/{device} --value /v --output json --when")
        .word("jq: .v - 5 > 0")
        .run()
        .exits(0)
        .says("such readings are not judged")
        .says("1 reading that could not be judged");
    let states: Vec<Value> = ended.text().lines().map(record).collect();
    let states: Vec<&str> = states
        .iter()
        .filter_map(|it| it["state"].as_str())
        .collect();
    assert_eq!(states, ["firing", "ok"]);
}

#[test]
fn topics_with_dots_come_back_from_rabbitmq_as_they_were() {
    let rabbit = rabbitmq();
    let amqp = format!("amqp://127.0.0.1:{}", rabbit.port);
    let (one, mut two) = (broker(""), broker(""));
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let root = unique("dots").replace('.', "-");
    let back = iotctl(&format!("bridge {amqp} {} -t", url(&two))).word(format!("{root}/# out 1"));
    let back = back.ready(folders[0].path());
    let there = iotctl(&format!("bridge {} {amqp} -t", url(&one))).word(format!("{root}/# out 1"));
    let mut there = there.ready(folders[1].path());
    let mut watcher = two.iotctl("sub -t # -q 1 --output json").start();
    two.sees_subscription("#");
    for name in ["a.b/c", "a/b", "v1.0", "a//b", "spBv1.0/x.y"] {
        let topic = format!("{root}/{name}");
        let line = one.iotctl("pub -q 1 -m x -t").word(&topic);
        line.run().exits(0);
        let came = record(&watcher.line());
        assert_eq!(came["topic"], topic.as_str());
        let pairs = came["mqtt"]["user_properties"].to_string();
        assert!(!pairs.contains("x-iotctl-topic"), "{pairs}");
    }
    there.hears("a . in a topic cannot be carried to the other protocol");
    // A key with a slash is carried under the topic that it is taken for, and says so.
    let mut back = back;
    iotctl(&format!("amqp publish {amqp} -e amq.topic -m y -k"))
        .word(format!("{root}.a/b"))
        .run()
        .exits(0);
    let came = record(&watcher.line());
    assert_eq!(came["topic"], format!("{root}/a/b").as_str());
    let pairs = &came["mqtt"]["user_properties"];
    let own = serde_json::json!(["iotctl-routing-key", format!("{root}.a/b")]);
    assert!(pairs.as_array().unwrap().contains(&own), "{pairs}");
    back.hears("a / in a routing key cannot be carried to the other protocol");
    for bridge in [there, back] {
        bridge.signal("TERM");
        bridge.ends().exits(143);
    }
}

#[test]
fn what_is_no_name_there_is_refused_where_it_must_be_exact() {
    let rabbit = rabbitmq();
    let amqp = format!("amqp://127.0.0.1:{}", rabbit.port);
    let one = broker("");
    let folder = tempfile::tempdir().unwrap();
    let bridge = iotctl(&format!("bridge {} {amqp} --strict -t", url(&one))).word("s/# out 1");
    let bridge = bridge.ready(folder.path());
    one.iotctl("pub -q 1 -m x -t s/a.b").run().exits(0);
    bridge
        .ends_by_itself()
        .exits(1)
        .says("a . in a topic cannot be carried to the other protocol");
}

#[test]
fn two_clients_of_one_name_are_told_of_before_mqtt_5() {
    let server = mosquitto();
    let start = || {
        server
            .iotctl("sub -t x -V 311 -i twin -c --retry 30s")
            .start()
    };
    let (mut one, other) = (start(), start());
    let told = one.hears("another client seems to have the identifier twin too");
    assert!(told.contains("5 connections in a row"), "{told}");
    for client in [one, other] {
        client.signal("TERM");
        client.ends();
    }
    // With a bound it gives up, though each connection is made, and has its subscription.
    let taken = Peer::start(|stream, _| {
        welcome(stream);
        let subscribe = read_until(stream, 0x80).expect("a SUBSCRIBE");
        send(stream, &packet(0x90, &[subscribe[0], subscribe[1], 0]));
    });
    let words = "-t x -V 311 -i twin -c --retry 10s";
    iotctl(&format!("mqtt sub -h 127.0.0.1 -p {} {words}", taken.port))
        .run()
        .exits(6);
}

#[test]
fn a_source_sends_no_larger_packets_than_the_bridge_takes() {
    let (one, mut two) = (mosquitto(), broker(""));
    let folder = tempfile::tempdir().unwrap();
    let words = format!(
        "bridge mqtt://127.0.0.1:{} {} --max-packet-size 200 -t",
        one.port,
        url(&two)
    );
    let bridge = iotctl(&words).word("s/# out 1").ready(folder.path());
    let mut watcher = two.iotctl("sub -t # -q 1 -v").start();
    two.sees_subscription("#");
    let long = "x".repeat(300);
    for body in ["1", &long, "2"] {
        one.iotctl(&format!("pub -t s/a -q 1 -m {body}"))
            .run()
            .exits(0);
    }
    assert_eq!([watcher.line(), watcher.line()], ["s/a 1", "s/a 2"]);
    bridge.signal("TERM");
    bridge
        .ends()
        .exits(143)
        .says("received 2 messages: 2 delivered");
    iotctl("bridge amqp://h coap://h/a --max-packet-size 200")
        .run()
        .exits(2)
        .says("--max-packet-size is for servers of MQTT, and there is none");
}

#[test]
fn a_target_with_another_server_connects_there_and_nothing_else_does() {
    let (mut from, mut one, mut two) = (broker(""), broker(""), broker(""));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("routes.toml");
    let text = |to: &Broker| {
        format!(
            "[source.s]\nurl = \"{}\"\n[target.t]\nurl = \"{}\"\n[[route]]\ntopic = \"n/+\"\nto = \"t\"\n",
            url(&from),
            url(to)
        )
    };
    let (first, second) = (text(&one), text(&two));
    std::fs::write(&file, &first).unwrap();
    let mut router = iotctl("route").word(&file).start();
    from.sees_subscription("n/+");
    let watch = |broker: &mut Broker| {
        let running = broker.iotctl("sub -t # -q 1 -v").start();
        broker.sees_subscription("#");
        running
    };
    let (mut at_one, mut at_two) = (watch(&mut one), watch(&mut two));
    from.iotctl("pub -t n/x -q 1 -m 1").run().exits(0);
    assert_eq!(at_one.line(), "n/x 1");
    std::fs::write(&file, &second).unwrap();
    router.signal("HUP");
    router.hears("routes.toml reloaded: 1 route, 0 alerts");
    router.hears(&format!(
        "connecting to {} instead of {}",
        url(&two),
        url(&one)
    ));
    from.iotctl("pub -t n/x -q 1 -m 2").run().exits(0);
    assert_eq!(at_two.line(), "n/x 2");
    // What was under way to a server that is gone goes to the new one.
    let lines: String = (3..500).map(|number| format!("{number}\n")).collect();
    let publisher = from.iotctl("pub -t n/x -l -q 1").input(lines);
    let publisher = std::thread::spawn(|| publisher.run());
    assert_eq!(at_two.line(), "n/x 3");
    std::fs::write(&file, &first).unwrap();
    router.signal("HUP");
    router.hears("connecting to");
    publisher.join().unwrap().exits(0);
    // All may have reached the old one before.
    from.iotctl("pub -t n/x -q 1 -m 500").run().exits(0);
    let mut last = 0;
    while last < 500 {
        let line = at_one.line();
        last = line.rsplit(' ').next().unwrap().parse().unwrap();
    }
    router.signal("TERM");
    router.hears("received 500 messages: 500 delivered");
    router.ends().exits(143);
}

#[test]
fn two_routers_that_feed_each_other_stop_after_sixteen() {
    let mut broker = broker("");
    let folder = tempfile::tempdir().unwrap();
    let mut start = |from: &str, to: &str| {
        let file = folder.path().join(format!("{from}.toml"));
        let text = format!(
            "[source.s]\nurl = \"{url}\"\n[target.t]\nurl = \"{url}\"\n\
             [[route]]\ntopic = \"{from}/{{rest...}}\"\nto = \"t\"\ntopic-out = \"{to}/{{rest}}\"\n",
            url = url(&broker)
        );
        std::fs::write(&file, text).unwrap();
        let router = iotctl("route").word(file).start();
        broker.sees_subscription(&format!("{from}/#"));
        router
    };
    let (a, b) = (start("a", "b"), start("b", "a"));
    broker.iotctl("pub -t a/x -q 1 -m 1").run().exits(0);
    // The seventeenth is refused by the one that began.
    a.ends_by_itself()
        .exits(1)
        .says("a/x has crossed 16 bridges");
    b.signal("TERM");
    b.ends().exits(143);
}

#[test]
fn a_log_hands_messages_on_to_the_next_command_of_a_pipe() {
    let folder = tempfile::tempdir().unwrap();
    let line = |(second, value): (usize, i32)| {
        format!(
            "{{\"time\":\"2026-11-20T21:00:{second:02}.000000Z\",\"protocol\":\"mqtt\",\"topic\":\"s/a\",\"payload\":\"{value}\",\"mqtt\":{{\"qos\":1,\"retain\":false}}}}\n"
        )
    };
    let text: String = [20, 31, 22].into_iter().enumerate().map(line).collect();
    let mut log = iotctl("log - -t s/{device} --to a.csv --pass --columns {device},payload")
        .input(text.clone())
        .into_command();
    log.current_dir(folder.path());
    log.stdin(std::process::Stdio::piped());
    let logged = Line::of(log).input(text).run().exits(0);
    let rows = std::fs::read_to_string(folder.path().join("a.csv")).unwrap();
    assert_eq!(rows, "device,payload\na,20\na,31\na,22\n");
    assert_eq!(logged.text().lines().count(), 3);
    let first = record(logged.text().lines().next().unwrap());
    assert_eq!(
        (&first["topic"], &first["payload"]),
        (&"s/a".into(), &"20".into())
    );
    // The alert reads what the log hands on.
    let told = iotctl("alert - -t s/{device} --value payload --above 30 --output json --state")
        .word(folder.path().join("state"))
        .input(logged.text().to_owned())
        .run()
        .exits(0);
    let states: Vec<Value> = told.text().lines().map(record).collect();
    let states: Vec<&str> = states
        .iter()
        .filter_map(|it| it["state"].as_str())
        .collect();
    assert_eq!(states, ["firing", "ok"]);
    iotctl("log - --to - --pass")
        .run()
        .exits(2)
        .says("--pass: standard output has what --to writes there");
}

/// Starts a bridge, publishes ten messages, and waits until the target refuses some for now.
fn ten_of_which_some_wait(from: &Broker, to: &str, topic: &str, refusal: &str) -> Running {
    let folder = tempfile::tempdir().unwrap();
    let line = iotctl("bridge").word(url(from)).word(to);
    let mut bridge = line
        .words("--on-refused drop -t")
        .word(format!("{topic} out 1"))
        .ready(folder.path());
    let numbers: String = (1..=10).map(|n| format!("{n}\n")).collect();
    let publishing = from
        .iotctl(&format!("pub -t {topic} -q 1 -l"))
        .input(numbers);
    publishing.run().exits(0);
    let said = bridge.hears(refusal);
    assert!(said.contains("; trying again"), "{said}");
    bridge
}

#[test]
fn what_a_target_refuses_for_now_goes_there_again() {
    let [one, mut two] = [broker(""), broker("--max-queued 3")];
    let numbers: Vec<String> = (1..=10).map(|n| n.to_string()).collect();
    let keep = "-i keeper -c -t n -q 1";
    two.sub_line(&format!("{keep} -E")).run().exits(0);
    let mut bridge = ten_of_which_some_wait(&one, &url(&two), "n", "quota exceeded");
    two.running.hears("the queue of keeper is full");
    let reader = two.sub_line(&format!("{keep} -C 10 -W 60")).run();
    let mut came: Vec<_> = reader.exits(0).text().lines().map(str::to_owned).collect();
    came.sort_by_key(|number| number.parse::<u32>().unwrap());
    assert_eq!(came, numbers);
    bridge.hears("takes messages again");
    bridge.signal("TERM");
    bridge
        .ends()
        .exits(143)
        .says("received 10 messages: 10 delivered");

    let queue = unique("full");
    let amqp = rabbitmq().url();
    let declaring =
        format!("amqp declare queue {amqp} {queue} --max-length 3 --overflow reject-publish");
    iotctl(&declaring).run().exits(0);
    let binding = format!("amqp bind {amqp} {queue} -e amq.topic -k {queue}");
    iotctl(&binding).run().exits(0);
    let mut bridge = ten_of_which_some_wait(&one, &amqp, &queue, "nack");
    let reading = format!("amqp consume {amqp} {queue} -C 10 -W 60s");
    let reader = iotctl(&reading).run().exits(0);
    let mut came: Vec<_> = reader.text().lines().map(str::to_owned).collect();
    came.sort_by_key(|number| number.parse::<u32>().unwrap());
    assert_eq!(came, numbers);
    bridge.hears("takes messages again");
    bridge.signal("TERM");
    bridge
        .ends()
        .exits(143)
        .says("received 10 messages: 10 delivered");
}

/// A route to this target.
fn routed(from: &Broker, to: &str) -> String {
    format!(
        "[source.s]\nurl = \"{}\"\n[target.t]\nurl = \"{to}\"\n[[route]]\ntopic = \"n/+\"\nto = \"t\"\n",
        url(from)
    )
}

#[test]
fn a_new_target_that_cannot_be_reached_yet_or_refuses_the_login_ends_nothing() {
    let (mut from, one) = (broker(""), broker(""));
    let folder = tempfile::tempdir().unwrap();
    let users = folder.path().join("users");
    std::fs::write(&users, "u:p\n").unwrap();
    let locked = broker_with(&users);
    let [port] = free_ports();
    let file = folder.path().join("routes.toml");
    std::fs::write(&file, routed(&from, &url(&one))).unwrap();
    let mut router = iotctl("route").word(&file).start();
    from.sees_subscription("n/+");
    let reload = |router: &mut Running, to: &str, says: &str| {
        std::fs::write(&file, routed(&from, to)).unwrap();
        router.signal("HUP");
        router.hears(says);
    };
    let away = format!("mqtt://127.0.0.1:{port}");
    let instead = format!("connecting to {away} instead of {}", url(&one));
    reload(&mut router, &away, &instead);
    router.hears("; trying again");
    // It is not acknowledged before it has arrived.
    from.iotctl("pub -t n/x -q 1 -r -m 1").run().exits(0);
    let two = started(iotctl(&format!("mqtt broker --listen 127.0.0.1:{port}")));
    let read = two.iotctl("sub -t n/x -q 1 -C 1 -v").run().exits(0);
    assert_eq!(read.text(), "n/x 1\n");
    reload(&mut router, &url(&locked), "connecting to ");
    let refused = router.hears("; trying again");
    assert!(refused.contains("not authorized"), "{refused}");
    from.iotctl("pub -t n/y -q 1 -r -m 2").run().exits(0);
    // Another way to the same server.
    let login = format!("mqtt://u:p@127.0.0.1:{}", locked.port);
    let anew = format!("connecting to {} anew", url(&locked));
    reload(&mut router, &login, &anew);
    let line = iotctl("mqtt sub -t n/y -q 1 -C 1 -v").word(&login);
    assert_eq!(line.run().exits(0).text(), "n/y 2\n");
    router.signal("TERM");
    router
        .ends()
        .exits(143)
        .says("received 2 messages: 2 delivered");
}

/// A broker with these users.
fn broker_with(users: &std::path::Path) -> Broker {
    let line = iotctl("mqtt broker --listen 127.0.0.1:0 --password-file");
    started(line.word(users))
}

#[test]
fn a_target_that_refuses_to_the_end_is_not_said_to_take_messages_again() {
    let (one, two) = (broker(""), broker("--max-queued 1"));
    two.sub_line("-i keeper -c -t n -q 1 -E").run().exits(0);
    let folder = tempfile::tempdir().unwrap();
    let line = iotctl("bridge").word(url(&one)).word(url(&two));
    let line = line.words("--on-refused drop --retries 1 -C 3 -t");
    let mut bridge = line.word("n out 1").ready(folder.path());
    let publishing = one.iotctl("pub -t n -q 1 -l").input("1\n2\n3\n");
    publishing.run().exits(0);
    bridge.hears("; trying again");
    let ended = bridge.ends();
    assert!(
        !ended.stderr.contains("takes messages again"),
        "{}",
        ended.stderr
    );
}
