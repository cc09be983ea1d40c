//! Which messages a receiver shows, and what it finds out about all of them: `--sample`, `--on-change`, `--throttle`, `--sequence`,
//! `--message-timeout`, `--stats`, `--tree`, `--latency`; files of filters, groups, retained messages, `--trace`.

use std::fs;
use std::net::TcpStream;

use serde_json::Value;

use crate::support::broker::{Broker, broker};
use crate::support::coap::server;
use crate::support::command::{Ended, Line, iotctl, program};
use crate::support::mosquitto::mosquitto;
use crate::support::peer::{Peer, packet, publish, read_packet, read_until, send};
use crate::support::rabbitmq::{rabbitmq, unique};
use crate::support::wait_for;

/// Publishes lines at QoS 1, once somebody is subscribed.
fn publish_lines(broker: &mut Broker, topic: &str, lines: &str) {
    broker.sees_subscription(topic);
    broker
        .iotctl(&format!("pub -t {topic} -l -q 1"))
        .input(lines.replace(' ', "\n") + "\n")
        .run()
        .exits(0);
}

/// What `sub -t a -q 1` with these words makes of the lines; the last one ends it.
fn received(words: &str, lines: &str) -> Ended {
    let mut broker = broker("");
    let receiver = broker.iotctl("sub -t a -q 1 -W 60").words(words).start();
    publish_lines(&mut broker, "a", lines);
    receiver.ends()
}

#[test]
fn each_nth_message_is_shown_and_the_others_counted() {
    received("--sample 1/3 -C 2", "1 2 3 4 5 6 7")
        .exits(0)
        .prints("3\n6\n")
        .says("received 6 messages: 2 processed, 4 not sampled");
    received("--sample 100% -C 3", "1 2 3")
        .exits(0)
        .prints("1\n2\n3\n")
        .quietly();
}

#[test]
fn only_changes_are_shown() {
    received("--on-change -C 3", "1 1 2 2 2 1")
        .exits(0)
        .prints("1\n2\n1\n")
        .says("received 6 messages: 3 processed, 3 unchanged");
    let lines = r#"{"t":1,"n":1} {"t":1,"n":2} {"t":2,"n":3}"#;
    received("--on-change=/t -C 2 -F %p", lines)
        .exits(0)
        .prints("{\"t\":1,\"n\":1}\n{\"t\":2,\"n\":3}\n");
    // What is filtered out is not compared.
    received("--on-change --filter payload>1 -C 2", "2 1 2 3")
        .exits(0)
        .prints("2\n3\n")
        .says("received 4 messages: 2 processed, 1 filtered out, 1 unchanged");
}

#[test]
fn a_topic_is_throttled() {
    received("--throttle 1h --until payload==never --idle 3s", "1 2 3")
        .exits(7)
        .prints("1\n")
        .says("received 3 messages: 1 processed, 2 throttled");
}

/// What is skipped is acknowledged, so that it does not come again.
#[test]
fn skipped_messages_are_acknowledged() {
    let broker = mosquitto();
    let session = "sub -t s -q 1 -c -i skipper";
    broker.iotctl(&format!("{session} -E")).run().exits(0);
    broker
        .iotctl("pub -t s -l -q 1")
        .input("1\n1\n1\n2\n")
        .run()
        .exits(0);
    broker
        .iotctl(&format!("{session} --on-change -C 2 -W 20"))
        .run()
        .exits(0)
        .prints("1\n2\n");
    broker
        .iotctl(&format!("{session} --idle 1s"))
        .run()
        .exits(0)
        .prints("");
}

/// A connection is lost with a message that was not acknowledged: it is shown again, although it is not new.
#[test]
fn a_lost_connection_begins_the_comparison_anew() {
    let peer = Peer::start(|stream, number| {
        let subscribe = |stream: &mut TcpStream| {
            read_packet(stream).expect("a CONNECT");
            send(stream, &[0x20, 3, u8::from(number > 0), 0, 0]);
        };
        subscribe(stream);
        if number == 0 {
            let asked = read_until(stream, 0x80).expect("a SUBSCRIBE");
            send(stream, &packet(0x90, &[asked[0], asked[1], 0, 1]));
            send(stream, &publish("a", 1, 1, b"x"));
            return;
        }
        send(stream, &publish("a", 1, 1, b"x"));
        send(stream, &publish("a", 1, 2, b"x"));
        send(stream, &publish("a", 1, 3, b"y"));
        while read_until(stream, 0xc0).is_some() {
            send(stream, &[0xd0, 0]);
        }
    });
    let gate = tempfile::tempdir().unwrap();
    let gate = gate.path().join("gate");
    // The first command goes on until the second connection is there.
    let script = "echo \"$IOTCTL_PAYLOAD$(cat)\"; case $(cat) in esac";
    let line = iotctl(&format!(
        "mqtt sub -h 127.0.0.1 -p {} -V 5 -t a -q 1 -c -i k -x 60 --on-change --until payload==y -W 30 --retry 10s",
        peer.port
    ));
    let ended = line
        .words("--exec sh -c")
        .word(script)
        .env("GATE", gate)
        .run();
    let text = ended.exits(0).text().to_owned();
    assert!(text.starts_with("x\n") && text.ends_with("y\n"), "{text}");
    assert!(text.matches('x').count() <= 2, "{text}");
}

#[test]
fn a_sequence_is_judged_and_its_faults_are_told() {
    received("--sequence payload -C 4", "3 4 5 6")
        .exits(0)
        .says("iotctl: sequence of 4 messages: 4 in order on 1 topic\n");
    received("--sequence payload -C 6", "1 2 5 4 4 x")
        .exits(7)
        .prints("1\n2\n5\n4\n4\nx\n")
        .says("iotctl: a: 3 to 4 are missing\n")
        .says("iotctl: a: 4 came after 5\n")
        .says("iotctl: a: 4 came again\n")
        .says("iotctl: a: no number in payload\n")
        .says("iotctl: sequence of 6 messages: 3 in order on 1 topic, 1 missing, 1 late, 1 repeated, 1 without a number\n");
    received("--sequence /n -C 2 --output json", r#"{"n":1} {"n":3}"#)
        .exits(7)
        .says("1 missing");
    // Another failure stays what it is.
    received("--sequence payload -C 9 --idle 3s", "1 3")
        .exits(5)
        .says("1 missing")
        .says("received 2 of 9 messages");
}

#[test]
fn a_message_must_arrive_in_time() {
    let mut broker = broker("");
    broker
        .iotctl("sub -t silent --message-timeout 200ms")
        .run()
        .exits(5)
        .says("timed out: no message for 200ms, after 0 messages");
    // What is filtered out is no message.
    let receiver = broker
        .iotctl("sub -t a --message-timeout 700ms --filter payload==x")
        .start();
    broker.sees_subscription("a");
    let mut publisher = broker.iotctl("pub -t a -l -q 1").start();
    publisher.write(b"x\n");
    let mut receiver = receiver;
    assert_eq!(receiver.line(), "x");
    // A flood of others does not make it longer.
    let end = std::time::Instant::now() + std::time::Duration::from_secs(2);
    while std::time::Instant::now() < end {
        publisher.write(b"other\n");
        std::thread::yield_now();
    }
    receiver
        .ends()
        .exits(5)
        .says("timed out: no message for 700ms, after 1 message");
}

#[test]
fn figures_are_reported_at_the_end() {
    let mut broker = broker("");
    let receiver = broker.iotctl("sub -t a/# -q 1 -C 3 --stats").start();
    broker.sees_subscription("a/#");
    for (topic, text) in [("a/1", "x"), ("a/2", "xyz"), ("a/2", "xy")] {
        broker
            .iotctl(&format!("pub -q 1 -t {topic} -m {text}"))
            .run()
            .exits(0);
    }
    receiver
        .ends()
        .exits(0)
        .prints("x\nxyz\nxy\n")
        .says("3 messages on 2 topics in ")
        .says("size min/avg/p50/p99/max 1/2.0/2/3/3 B\n")
        .says("         2            5 B  a/2\n         1            1 B  a/1\n");
    let ended = received("--stats=json --latency payload -C 2", "1 2").exits(0);
    let object: Value = serde_json::from_str(&ended.stderr).unwrap();
    assert_eq!(object["messages"], 2);
    assert_eq!(object["top"][0]["topic"], "a");
    assert_eq!(object["latency_count"], 2);
}

#[test]
fn latency_is_taken_from_what_pub_filled_in() {
    let mut broker = broker("");
    for place in ["{unix_ms}", "{time}"] {
        let receiver = broker
            .iotctl("sub -t a -q 1 -C 3 --latency /sent --sequence /n")
            .start();
        broker.sees_subscription("a");
        broker
            .iotctl("pub -t a -q 1 --repeat 3 --template")
            .word(format!("{{\"sent\":\"{place}\",\"n\":{{seq}}}}"))
            .run()
            .exits(0);
        receiver
            .ends()
            .exits(0)
            .says("latency of 3 messages: min/avg/p50/p90/p99/max/stddev ")
            .says("sequence of 3 messages: 3 in order on 1 topic");
    }
    received("--latency payload -C 2", "x 99999999999")
        .exits(0)
        .says("latency of 0 messages, 1 sent in the future, by the clock of their sender, 1 without a time\n");
}

#[test]
fn topics_are_shown_as_a_tree() {
    let broker = mosquitto();
    for (topic, text) in [
        ("home/kitchen/t", "21"),
        ("home/bath", "23"),
        ("home", "on"),
    ] {
        broker
            .iotctl(&format!("pub -q 1 -r -t {topic} -m {text}"))
            .run()
            .exits(0);
    }
    broker
        .iotctl("sub -t home/# --retained-only --tree")
        .run()
        .exits(0)
        .prints("home (3) = on\n  bath (1) = 23\n  kitchen (1)\n    t (1) = 21\n");
    broker
        .iotctl("sub -t home/bath --retained-only --tree --output json")
        .run()
        .exits(0)
        .prints(
            "{\"topic\":\"home/bath\",\"messages\":1,\"payload_bytes\":2,\"payload\":\"23\"}\n",
        );
    // Also when it is interrupted.
    let mut receiver = broker
        .iotctl("sub -t home/# --tree --ready-file /dev/null --trace")
        .start();
    receiver.hears("PUBLISH");
    receiver.hears("PUBLISH");
    receiver.hears("PUBLISH");
    receiver.signal("TERM");
    receiver.ends().exits(143).contains("home (3) = on\n");
}

#[test]
fn messages_are_counted_each_second() {
    let mut broker = broker("");
    let mut receiver = broker.iotctl("sub -t a --message-rate").start();
    publish_lines(&mut broker, "a", "1 2 3");
    let mut all = 0;
    while all < 3 {
        let line = receiver.line();
        let count = line.strip_suffix(" msgs/s").expect(&line);
        all += count.parse::<u32>().unwrap();
    }
    assert_eq!(all, 3);
}

#[test]
fn filters_come_from_a_file() {
    let mut broker = broker("");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("topics");
    fs::write(&file, "# what we want\na;qos=1\n\n  b/+\n").unwrap();
    let line = |words: &str| broker.iotctl("sub --topics-file").word(&file).words(words);
    let receiver = line("-t c -C 3 -F %t:%q").start();
    for filter in ["c", "a", "b/+"] {
        broker.sees_subscription(filter);
    }
    for topic in ["a", "b/1", "c"] {
        broker
            .iotctl(&format!("pub -q 1 -t {topic} -m x"))
            .run()
            .exits(0);
    }
    receiver.ends().exits(0).prints("a:1\nb/1:0\nc:0\n");
    let line = |words: &str| broker.iotctl("sub --topics-file").word(&file).words(words);
    for (text, why) in [
        (
            "a\nb/#/c\n",
            "topics:2: -t: filter \"b/#/c\": # must be the last level",
        ),
        ("a;qos=3\n", "topics:1: -t \"a;qos=3\": QoS is 0, 1 or 2"),
        ("# nothing\n", "topics has no topic filter"),
    ] {
        fs::write(&file, text).unwrap();
        line("").run().exits(2).says(why);
    }
    fs::remove_file(&file).unwrap();
    line("").run().exits(8).says("cannot read");
}

#[test]
fn a_group_shares_messages() {
    let broker = mosquitto();
    let mut members: Vec<_> = (0..2)
        .map(|_| {
            broker
                .iotctl("sub -t work/+ -q 1 --group crew --for 60s")
                .start()
        })
        .collect();
    broker.sees_subscriptions("$share/crew/work/+", 2);
    broker
        .iotctl("pub -t work/1 -q 1 -l")
        .input("1\n2\n3\n4\n")
        .run()
        .exits(0);
    let mut all: Vec<_> = members.iter_mut().flat_map(|it| it.lines(2)).collect();
    all.sort();
    assert_eq!(all, ["1", "2", "3", "4"]);
    broker
        .iotctl("sub --group g -t $share/h/a")
        .run()
        .exits(2)
        .says("\"$share/h/a\" names a group itself");
    broker
        .iotctl("sub --group a/b -t a")
        .run()
        .exits(2)
        .says("--group \"a/b\"");
}

/// A server that announces no shared subscriptions is not asked for one, which would end the connection.
#[test]
fn a_group_is_refused_where_the_server_has_none() {
    let peer = Peer::start(|stream, _| {
        read_packet(stream).expect("a CONNECT");
        send(stream, &[0x20, 5, 0, 0, 2, 0x2a, 0]);
        read_until(stream, 0x80)
    });
    iotctl(&format!(
        "mqtt sub -h 127.0.0.1 -p {} -t a --group g -W 20",
        peer.port
    ))
    .run()
    .exits(1)
    .says("refused the subscription to $share/g/a: shared subscriptions not supported (0x9e)");
    assert_eq!(peer.result(), None);
}

/// A flood of other messages neither ends the list of retained ones too soon nor makes it endless.
#[test]
fn retained_messages_are_all_found_among_others() {
    let broker = mosquitto();
    let records: String = (0..500)
        .map(|number| format!("{{\"topic\":\"r/{number}\",\"payload\":\"{number}\"}}\n"))
        .collect();
    broker
        .iotctl("pub --ndjson -q 1 -r")
        .input(records)
        .run()
        .exits(0);
    let flood = broker
        .iotctl("pub -t r/flood -m x --repeat 1M --repeat-delay 1ms")
        .start();
    for _ in 0..3 {
        let shown = broker
            .iotctl("sub -t r/# --retained-only -q 1 -W 30")
            .run()
            .exits(0);
        assert_eq!(shown.text().lines().count(), 500);
    }
    flood.signal("KILL");
    flood.ends();
}

#[test]
fn retained_messages_are_saved_removed_and_restored() {
    for real in [true, false] {
        let (mosquitto, ours) = (mosquitto(), broker(""));
        let line = |words: &str| -> Line {
            match real {
                true => mosquitto.iotctl(words),
                false => ours.iotctl(words),
            }
        };
        line("pub -t lamp/1 -m on -r -q 1 -D publish content-type text/plain")
            .run()
            .exits(0);
        line("pub -t lamp/2 -m off -r -q 1").run().exits(0);
        line("pub -t other -m x -r -q 1").run().exits(0);
        let list = |words: &str| {
            line("sub --retained-only -W 20 --output json -q 1 -t")
                .word("#")
                .words(words)
                .run()
                .exits(0)
        };
        let saved = list("").stdout;
        line("clear -t lamp/# --dry-run")
            .run()
            .exits(0)
            .prints("lamp/1\nlamp/2\n")
            .says("2 retained messages would be removed");
        line("clear -t lamp/#")
            .run()
            .exits(2)
            .says("without a terminal, --yes, --count or --dry-run is needed");
        line("clear -t lamp/# --count 3")
            .run()
            .exits(7)
            .says("nothing was removed: 2 retained messages found, not 3");
        assert_eq!(list("").text().lines().count(), 3);
        line("clear -t lamp/# --count 2")
            .run()
            .exits(0)
            .prints("")
            .says("removed 2 retained messages from mqtt://127.0.0.1:");
        assert_eq!(list("").text().lines().count(), 1);
        line("clear -t lamp/# --yes")
            .run()
            .exits(0)
            .says("has no matching retained messages");
        line("clear -t lamp/# --count 1").run().exits(7);
        // All of them again, with what they said.
        line("clear -t # --yes").run().exits(0);
        line("pub -q 1 --ndjson")
            .input(saved.clone())
            .run()
            .exits(0);
        let fields = |records: &[u8]| {
            let text = String::from_utf8(records.to_vec()).unwrap();
            let mut records: Vec<String> = text
                .lines()
                .map(|line| {
                    let record: Value = serde_json::from_str(line).unwrap();
                    format!(
                        "{} {} {} {}",
                        record["topic"],
                        record["payload"],
                        record["mqtt"]["retain"],
                        record["mqtt"]["properties"]
                    )
                })
                .collect();
            records.sort();
            records
        };
        assert_eq!(fields(&list("").stdout), fields(&saved), "{real}");
    }
}

/// Before MQTT 5, and at QoS 0, a server does not say that it refuses.
#[test]
fn retained_messages_that_the_server_keeps_are_not_called_removed() {
    let folder = tempfile::tempdir().unwrap();
    let rights = folder.path().join("rights");
    let acl = "topic read #\ntopic write free/#\nuser ann\ntopic readwrite #\n";
    fs::write(&rights, acl).unwrap();
    let words = format!("--acl-file {}", rights.display());
    let (ours, low) = (broker(&words), broker(&format!("{words} --max-qos 0")));
    for (broker, version) in [(&ours, "311"), (&low, "5")] {
        for topic in ["free/1", "kept/1", "kept/2"] {
            let line = broker.iotctl(&format!("pub -u ann -t {topic} -m x -r -q 0"));
            line.run().exits(0);
        }
        let clear = |words: &str| broker.iotctl(&format!("clear -V {version} {words}")).run();
        let name = format!("mqtt://127.0.0.1:{}", broker.port);
        let ended = clear("-t # --yes").exits(1);
        let kept =
            format!("2 of 3 retained messages are still on {name}, such as that of kept/1\n");
        assert!(!ended.says(&kept).stderr.contains("removed 3"));
        clear("-t kept/# --count 2").exits(1);
        clear("-u ann -t # --yes")
            .exits(0)
            .says(&format!("removed 2 retained messages from {name}\n"));
    }
    // Where the server tells, it is not asked.
    ours.iotctl("pub -u ann -t kept/1 -m x -r -q 1")
        .run()
        .exits(0);
    let told = ours.iotctl("clear -V 5 -t # --yes").run().exits(4);
    told.says("refused the message to kept/1: not authorized (0x87)");
}

#[test]
fn removal_is_confirmed_at_a_terminal() {
    let broker = mosquitto();
    broker.iotctl("pub -t a -m x -r -q 1").run().exits(0);
    let at_terminal = |answer: &str| {
        let program = env!("CARGO_BIN_EXE_iotctl");
        let command = format!(
            "{program} mqtt clear -h 127.0.0.1 -p {} -t a; echo \"exit code $?\"",
            broker.port
        );
        let line = crate::support::command::program("script", "-q -e /dev/null -c");
        let mut running = line.word(command).start();
        // The terminal shows both streams as one.
        loop {
            if running.line().contains("[y/N]") {
                break;
            }
        }
        running.write(answer.as_bytes());
        loop {
            let line = running.line();
            if line.contains("exit code") {
                break line.trim().to_owned();
            }
        }
    };
    assert_eq!(at_terminal("n\n"), "exit code 1");
    let left = || broker.iotctl("sub -t a --retained-only").run().exits(0);
    left().prints("x\n");
    assert_eq!(at_terminal("y\n"), "exit code 0");
    left().prints("");
}

#[test]
fn packets_are_traced_without_secrets() {
    let broker = mosquitto();
    let ended = broker
        .iotctl("pub -t a/b -q 1 -r -m hello -u someone -P hunter2 --trace")
        .run()
        .exits(0);
    let lines: Vec<_> = ended.stderr.lines().collect();
    let expected = [
        ("> ", " ms CONNECT MQTT 5, client \"iotctl-"),
        ("< ", " ms CONNACK success (0x00)"),
        (
            "> ",
            " ms PUBLISH \"a/b\", QoS 1, id 1, retain, payload 5 bytes (15 bytes)",
        ),
        ("< ", " ms PUBACK id 1, "),
        ("> ", " ms DISCONNECT normal disconnection (0x00) (2 bytes)"),
    ];
    assert_eq!(lines.len(), expected.len(), "{}", ended.stderr);
    for (line, (arrow, words)) in lines.iter().zip(expected) {
        assert!(line.starts_with(arrow) && line.contains(words), "{line}");
    }
    assert!(lines[0].contains("user \"someone\", password"));
    assert!(!ended.stderr.contains("hunter2") && !ended.stderr.contains("hello"));
}

#[test]
fn what_the_server_says_of_the_session_is_shown() {
    let broker = mosquitto();
    let session = "sub -t a/#;qos=1 -c -i shown -x 60 -E --show-session";
    let first = broker.iotctl(session).run().exits(0).stderr;
    assert!(first.contains(": CONNACK success (0x00)"), "{first}");
    assert!(!first.contains("session present"), "{first}");
    assert!(
        first.contains(": SUBACK id 1, granted QoS 1 (0x01)\n"),
        "{first}"
    );
    broker
        .iotctl(session)
        .run()
        .exits(0)
        .says(": CONNACK success (0x00), session present");
    let mut ours = self::broker("");
    let receiver = ours.iotctl("sub -t a --show-session --retry never").start();
    ours.sees_subscription("a");
    ours.running.signal("TERM");
    receiver
        .ends()
        .exits(6)
        .says(": DISCONNECT server shutting down (0x8b)\n");
}

#[test]
fn frames_of_amqp_are_traced_without_secrets() {
    let (server, queue) = (rabbitmq(), unique("traced"));
    let line = |words: &str| iotctl(&format!("amqp {words}"));
    let url = server.url();
    let ended = line("declare queue")
        .words(&format!("{url} {queue} --auto-delete --trace"))
        .run()
        .exits(0);
    let declared = format!(" queue.declare queue \"{queue}\" (");
    for words in [
        "> ",
        " ms protocol header 0-9-1 (8 bytes)\n",
        " connection.start-ok (",
        &declared,
    ] {
        assert!(ended.stderr.contains(words), "{words}: {}", ended.stderr);
    }
    let ended = line("publish")
        .words(&format!(
            "{url} --routing-key {queue} -m secretbody --trace"
        ))
        .run()
        .exits(0);
    let published = format!(" basic.publish exchange \"\" key \"{queue}\" (");
    for words in [
        &*published,
        " header of 10 bytes (",
        " body (18 bytes)\n",
        "< ",
    ] {
        assert!(ended.stderr.contains(words), "{words}: {}", ended.stderr);
    }
    assert!(!ended.stderr.contains("guest") && !ended.stderr.contains("secretbody"));
    let ended = line("consume")
        .words(&format!("{url} {queue} -C 1 --trace"))
        .run()
        .exits(0);
    for words in [
        " basic.deliver tag 1 exchange \"\" key ",
        " basic.ack tag 1",
    ] {
        assert!(ended.stderr.contains(words), "{words}: {}", ended.stderr);
    }
}

#[test]
fn messages_of_coap_are_traced() {
    let server = server("-r /a=text:21", &["coap"]);
    let ended = iotctl("coap get --trace")
        .word(format!("{}/a", server.uris[0]))
        .run()
        .exits(0);
    let first = ended.stderr.lines().next().unwrap().to_owned();
    assert!(
        first.starts_with("> ") && first.contains(" ms 127.0.0.1:"),
        "{first}"
    );
    assert!(
        first.contains("CON") && first.contains("Uri-Path"),
        "{first}"
    );
}

/// The same flags for the other protocols: what is skipped in a queue is taken from it.
#[test]
fn a_queue_is_selected_from_and_judged() {
    let (server, queue) = (rabbitmq(), unique("selected"));
    let url = server.url();
    let line = |words: &str| iotctl(&format!("amqp {words}"));
    line(&format!("declare queue {url} {queue}")).run().exits(0);
    line(&format!("publish {url} --routing-key {queue} -l"))
        .input("1\n1\n2\n4\n")
        .run()
        .exits(0);
    line(&format!(
        "consume {url} {queue} --on-change --sequence payload --stats -C 3"
    ))
    .run()
    .exits(7)
    .prints("1\n2\n4\n")
    .says("4 messages on 1 topic in ")
    .says("received 4 messages: 3 processed, 1 unchanged")
    .says("3 in order on 1 topic, 1 missing, 1 repeated");
    line(&format!("get {url} {queue}")).run().exits(1);
    line(&format!("publish {url} --routing-key {queue} -m x"))
        .run()
        .exits(0);
    line(&format!("consume {url} {queue} --tree -C 1"))
        .run()
        .exits(0)
        .prints(&format!("{queue} (1) = x\n"));
    line(&format!("delete queue {url} {queue}")).run().exits(0);
}

#[test]
fn notifications_are_selected_and_judged() {
    let server = server("-r /store=store", &["coap"]);
    let uri = format!("{}/store/n", server.uris[0]);
    let put = |value: &str| {
        iotctl(&format!("coap put -m {value}"))
            .word(&uri)
            .run()
            .exits(0)
    };
    put("1");
    let mut observer =
        iotctl("coap observe --sequence payload --on-change --until payload==4 -W 30")
            .word(&uri)
            .start();
    assert_eq!(observer.line(), "1");
    put("2");
    assert_eq!(observer.line(), "2");
    put("4");
    observer.ends().exits(7).says("1 missing");
}

#[test]
fn wrong_words_are_refused_before_anything_is_sent() {
    for (words, why) in [
        ("--sample 2/3", "expected a share such as 10% or 1/10"),
        ("--sample 0%", "expected a share such as 10% or 1/10"),
        ("--throttle 0", "it must be more than 0"),
        (
            "--on-change=temp",
            "\"temp\" is neither payload, a JSON pointer such as /temp nor a field such as topic",
        ),
        ("--sequence redelivered", "--sequence: "),
        (
            "--message-rate --output json",
            "--message-rate needs --output text",
        ),
        ("--tree --output csv", "--tree needs --output text or json"),
        ("--tree --message-rate", "cannot be used with"),
        ("--tree --exec cat", "cannot be used with"),
        ("--trace --quiet", "cannot be used with"),
        (
            "--retained-only --group g",
            "a shared subscription gets no retained messages",
        ),
        ("--group g --no-local", "no-local cannot be used"),
    ] {
        let peer = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = peer.local_addr().unwrap().port();
        iotctl(&format!("mqtt sub -h 127.0.0.1 -p {port} -t a {words}"))
            .run()
            .exits(2)
            .prints("")
            .says(why);
        peer.set_nonblocking(true).unwrap();
        assert!(peer.accept().is_err(), "{words}");
    }
}

/// As logrotate does it: rename, then SIGHUP.
#[test]
fn at_sighup_an_output_file_is_begun_anew_and_what_has_none_ends() {
    let mut broker = broker("");
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let holds = |name: &str, text: &str| {
        wait_for("the lines", || {
            let now = fs::read_to_string(path(name));
            now.is_ok_and(|now| now == text).then_some(())
        });
    };
    let line = broker.iotctl("sub -t a -q 1 --output-file");
    let mut receiver = line.word(path("out.txt")).start();
    publish_lines(&mut broker, "a", "one");
    holds("out.txt", "one\n");
    fs::rename(path("out.txt"), path("out.txt.1")).unwrap();
    receiver.signal("HUP");
    receiver.hears("SIGHUP: output files are reopened");
    broker.iotctl("pub -t a -q 1 -m two").run().exits(0);
    holds("out.txt", "two\n");
    holds("out.txt.1", "one\n");
    receiver.signal("TERM");
    receiver.ends().exits(143);

    let ready = path("ready");
    let url = format!("mqtt://127.0.0.1:{}", broker.port);
    let words = format!(
        "{} mqtt sub {url} -t a --ready-file",
        env!("CARGO_BIN_EXE_iotctl")
    );
    // Whoever runs the tests may have it ignored.
    let plain = format!("--default-signal=HUP {words}");
    let receiver = program("env", &plain).word(&ready).start();
    wait_for("the subscription", || ready.exists().then_some(()));
    receiver.signal("HUP");
    receiver.ends().exits(129);
    assert!(!ready.exists());

    // Who is not to be told of the end of a terminal is not.
    let mut receiver = program("nohup", &words).word(&ready).start();
    wait_for("the subscription", || ready.exists().then_some(()));
    receiver.signal("HUP");
    broker.iotctl("pub -t a -m three").run().exits(0);
    assert_eq!(receiver.line(), "three");
    receiver.signal("TERM");
    receiver.ends().exits(143);
}
