//! Conditions that are joined, expressions of jq, and maps, in commands of each protocol.

use std::net::TcpListener;

use crate::support::broker::broker;
use crate::support::coap::server;
use crate::support::command::{Ended, iotctl};
use crate::support::rabbitmq::{rabbitmq, unique};

const READINGS: &str = r#"{"t":21,"n":1}
{"t":36,"n":2}
{"t":40,"n":3}
{"t":12,"n":4}
"#;

/// What `sub` with these words makes of readings of two devices.
fn received(words: &[&str]) -> Ended {
    let mut broker = broker("");
    let sub = broker.iotctl("sub -t sensors/{device}/temp -q 1 -W 60");
    let receiver = words.iter().fold(sub, |line, word| line.word(word)).start();
    broker.sees_subscription("sensors/+/temp");
    for device in ["a", "b"] {
        broker
            .iotctl(&format!("pub -t sensors/{device}/temp -l -q 1"))
            .input(READINGS)
            .run()
            .exits(0);
    }
    receiver.ends()
}

#[test]
fn conditions_are_joined_and_know_captures() {
    received(&[
        "--filter",
        "{device} == b and (/t > 38 or not /t > 20)",
        "-C",
        "2",
        "--map",
        "jq: \"\\($c.device) \\(.t)\"",
    ])
    .exits(0)
    .prints("b 40\nb 12\n");
    received(&["--filter", "jq: .t > 35 and $c.device == \"b\"", "-C", "2"])
        .exits(0)
        .prints("{\"t\":36,\"n\":2}\n{\"t\":40,\"n\":3}\n");
}

#[test]
fn a_message_becomes_none_or_several() {
    received(&["--map", "jq: select(.t > 35) | .n, {t}", "--until", "/n == 4", "-v"])
        .exits(0)
        .prints(
            "sensors/a/temp 2\nsensors/a/temp {\"t\":36}\nsensors/a/temp 3\nsensors/a/temp {\"t\":40}\n",
        );
}

#[test]
fn a_message_that_the_map_fails_on_is_counted() {
    received(&[
        "--map",
        "jq: if .t > 38 then error(\"hot\") else .n end",
        "-C",
        "4",
    ])
    .exits(1)
    .prints("1\n2\n4\n")
    .says("sensors/a/temp: --map: hot for 1 of 4 messages");
}

#[test]
fn messages_are_mapped_before_they_are_sent() {
    let mut broker = broker("");
    let receiver = broker.iotctl("sub -t m/# -q 1 -C 3 -W 60 -v").start();
    broker.sees_subscription("m/#");
    broker
        .iotctl("pub -t m/x -l -q 1 --map")
        .word("jq: select(.t > 20) | .n, if .n == 2 then \"two\" else empty end")
        .input("{\"t\":21,\"n\":1}\n{\"t\":9,\"n\":0}\n{\"t\":36,\"n\":2}\n")
        .run()
        .exits(0)
        .quietly();
    receiver.ends().exits(0).prints("m/x 1\nm/x 2\nm/x two\n");
}

#[test]
fn messages_are_filtered_before_they_are_sent() {
    let mut broker = broker("");
    let receiver = broker.iotctl("sub -t a -q 1 -C 3 -W 60").start();
    broker.sees_subscription("a");
    let line = broker.iotctl("pub -t a -l -q 1 --filter");
    line.word("/t > 20 and changed(/t)")
        .words("--map")
        .word("jq: .n")
        .input(READINGS)
        .run()
        .exits(0);
    receiver.ends().exits(0).prints("1\n2\n3\n");
    let (url, queue) = (rabbitmq().url(), unique("filtered"));
    iotctl(&format!("amqp declare queue {url} {queue}"))
        .run()
        .exits(0);
    iotctl(&format!("amqp publish {url} -k {queue} -l --filter"))
        .word("/t > 38")
        .input(READINGS)
        .run()
        .exits(0);
    iotctl(&format!("amqp consume {url} {queue} -C 1 -W 60"))
        .run()
        .exits(0)
        .prints("{\"t\":40,\"n\":3}\n");
    iotctl(&format!("amqp delete queue {url} {queue}"))
        .run()
        .exits(0);
    iotctl("mqtt pub mqtt://127.0.0.1:1 -t a -m 1 --filter")
        .word("exchange == x")
        .run()
        .exits(2)
        .says("--filter");
}

#[test]
fn a_queue_is_filtered_and_mapped() {
    let broker = rabbitmq();
    let (url, queue) = (broker.url(), unique("rules"));
    iotctl(&format!("amqp declare queue {url} {queue}"))
        .run()
        .exits(0);
    iotctl(&format!("amqp publish {url} -k {queue} -l"))
        .input(READINGS)
        .run()
        .exits(0);
    iotctl(&format!("amqp consume {url} {queue} -C 2 -W 60 --filter"))
        .word("/t > 30 and size < 100")
        .word("--map")
        .word("jq: .n, $record.redelivered")
        .run()
        .exits(0)
        .prints("2\nfalse\n3\nfalse\n");
    iotctl(&format!("amqp delete queue {url} {queue}"))
        .run()
        .exits(0);
}

#[test]
fn an_observation_is_filtered_and_mapped() {
    let server = server("-r /store=store", &["coap"]);
    let uri = format!("{}/store/n", server.uris[0]);
    let put = |value: &str| {
        iotctl("coap put -m").word(value).word(&uri).run().exits(0);
    };
    put("{\"t\":21}");
    let mut observer = iotctl("coap observe -C 2 -W 30 --filter")
        .word("jq: .t != 22")
        .word("--map")
        .word("jq: .t * 2")
        .word(&uri)
        .start();
    assert_eq!(observer.line(), "42");
    put("{\"t\":22}");
    put("{\"t\":23}");
    assert_eq!(observer.line(), "46");
    observer.ends().exits(0);
    iotctl("coap put -m {\"t\":5} --map")
        .word("jq: .t + 1")
        .word(&uri)
        .run()
        .exits(0);
    iotctl("coap get").word(&uri).run().exits(0).prints("6");
}

#[test]
fn what_cannot_be_read_is_refused_before_anything_is_sent() {
    for (words, expression, why) in [
        (
            "mqtt sub -t a --filter",
            "/t > 1 and",
            "column 11: a condition is missing after \"and\"",
        ),
        (
            "mqtt sub -t a --until",
            "jq: .t >",
            "column 5: term is expected",
        ),
        (
            "mqtt sub -t a --expect",
            "{device} == x",
            "{device} is not a wildcard of the topic filter",
        ),
        ("mqtt sub -t a --map", ".t", "a map begins with jq:"),
        (
            "mqtt sub -t a/{b} --map",
            "jq: env",
            "column 1: there is no filter env",
        ),
        ("mqtt pub -t a -m x --map", "jq: (.t", "column 4: "),
        (
            "amqp consume q --filter",
            "(/t > 1",
            "column 1: the parenthesis is not closed",
        ),
        (
            "amqp consume q --map",
            "jq: input",
            "column 1: there is no filter input",
        ),
        (
            "coap observe --filter",
            "not",
            "column 4: a condition is missing",
        ),
    ] {
        let peer = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = peer.local_addr().unwrap().port();
        let place = match words.starts_with("coap") {
            true => format!("coap+tcp://127.0.0.1:{port}/x"),
            false => format!("-h 127.0.0.1 -p {port}"),
        };
        let (command, flag) = words.rsplit_once(' ').unwrap();
        iotctl(&format!("{command} {place} {flag}"))
            .word(expression)
            .run()
            .exits(2)
            .prints("")
            .says(why);
        peer.set_nonblocking(true).unwrap();
        assert!(peer.accept().is_err(), "{words}");
    }
}
