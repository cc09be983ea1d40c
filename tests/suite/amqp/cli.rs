//! The AMQP commands as a shell runs them: words in, exit code and streams out.

use std::time::{Duration, Instant};

use crate::support::command::{Ended, Line, iotctl, program};
use crate::support::rabbitmq::{rabbitmq, unique};

/// `iotctl amqp COMMAND URL`, the URL being the shared RabbitMQ's.
pub fn amqp(command: &str) -> Line {
    iotctl("amqp").words(command).word(rabbitmq().url())
}

/// A queue that nobody else uses, made from the command line.
pub fn declared(name: &str, words: &str) -> String {
    let name = unique(name);
    let ended = amqp("declare queue").words(&name).words(words).run();
    ended
        .exits(0)
        .prints(&format!("{name}\t0 messages\t0 consumers\n"))
        .quietly();
    name
}

fn publish(words: &str) -> Ended {
    amqp("publish").words(words).run()
}

#[test]
fn what_is_published_is_consumed() {
    let queue = declared("cli", "");
    let ended = amqp("publish")
        .words(&format!("-k {queue} -l --mandatory --header tries:int=5"))
        .input("one\ntwo\n")
        .run();
    ended.exits(0).prints("").quietly();
    let taken = amqp("consume").words(&queue).words("-C 2").run();
    taken.exits(0).prints("one\ntwo\n");
    publish(&format!(
        "-k {queue} -m x --persistent --header tries:int=5"
    ))
    .exits(0);
    let record = amqp("get").words(&queue).words("--output json").run();
    record
        .exits(0)
        .contains("\"payload\":\"x\"")
        .contains("\"tries\":5")
        .contains("\"delivery_mode\":2");
    amqp("get")
        .words(&queue)
        .run()
        .exits(1)
        .says(&format!("the queue {queue:?} on"))
        .says("is empty");
}

#[test]
fn templates_are_filled_in_anew_each_time() {
    let queue = declared("cli", "");
    publish(&format!(
        "-k {queue} --repeat 3 --template {{seq}}:{{random:7-7}}"
    ))
    .exits(0);
    let taken = amqp("consume").words(&queue).words("-C 3").run();
    taken.exits(0).prints("0:7\n1:7\n2:7\n");
}

#[test]
fn what_no_queue_receives_is_counted_and_what_is_no_text_goes_as_it_came() {
    for confirm in ["", "--no-confirm"] {
        let words = format!("-k {} -m x --repeat 3 {confirm}", unique("nowhere"));
        publish(&words)
            .exits(0)
            .says("no queue received 3 messages");
    }
    let queue = declared("cli", "");
    let bind = amqp("bind").words(&queue).words("-e amq.fanout -k x");
    bind.run().exits(0);
    let record = "{\"topic\":\"caf\u{fffd}\",\"payload\":\"x\",\"amqp\":{\"exchange\":\"amq.fanout\",\
        \"routing_key\":{\"!base64\":\"Y2Fm6Q==\"},\"correlation_id\":{\"!base64\":\"/w==\"},\
        \"headers\":{\"t\":{\"!base64\":\"no\"},\"b\":{\"!base64\":\"/w==\"}},\"header_types\":{\"/t\":\"F\"}}}\n";
    let sent = amqp("publish").words("--ndjson --mandatory").input(record);
    sent.run().exits(0).quietly();
    let taken = || {
        let taken = amqp("get").words(&queue).words("--output json").run();
        let taken = taken.exits(0);
        let record: serde_json::Value = serde_json::from_str(taken.text()).unwrap();
        (taken.text().to_owned(), record)
    };
    let (first, record) = taken();
    let bytes = |digits: &str| serde_json::json!({"!base64": digits});
    let amqp_part = &record["amqp"];
    assert_eq!(amqp_part["routing_key"], bytes("Y2Fm6Q=="), "{first}");
    assert_eq!(amqp_part["correlation_id"], bytes("/w=="));
    let headers = serde_json::json!({"b": bytes("/w=="), "t": bytes("no")});
    assert_eq!(amqp_part["headers"], headers);
    assert_eq!(amqp_part["header_types"], serde_json::json!({"/t": "F"}));
    let sent = amqp("publish").words("--ndjson").input(first.as_bytes());
    sent.run().exits(0).quietly();
    let (_, again) = taken();
    assert_eq!(again["topic"], record["topic"]);
    for part in ["routing_key", "correlation_id", "headers", "header_types"] {
        assert_eq!(again["amqp"][part], amqp_part[part], "{part}");
    }
}

#[test]
fn a_recording_is_published_at_its_pace() {
    let queue = declared("cli", "");
    let record = |time: &str, body: u8| {
        format!("{{\"time\":{time},\"topic\":\"{queue}\",\"payload\":\"{body}\"}}\n")
    };
    let records = [
        record("\"2026-11-20T21:00:00.5Z\"", 1),
        record("null", 2),
        record("\"2026-11-20T21:00:01.000001Z\"", 3),
        record("\"2026-11-20T21:00:00Z\"", 4),
    ];
    let line = amqp("publish").words("--ndjson --mandatory --replay --speed 2");
    let began = Instant::now();
    line.input(records.concat()).run().exits(0).quietly();
    assert!(began.elapsed() >= Duration::from_millis(250));
    let taken = amqp("get").words(&queue).words("--all").run();
    taken.exits(0).prints("1\n2\n3\n4\n");
    let line = amqp("publish").words("--ndjson");
    let ended = line.input(record("\"no time\"", 5)).run().exits(2);
    ended.says(":1: time: \"no time\" is not a time, such as");
    for (words, why) in [
        ("--replay -m x -k q", "--ndjson"),
        ("--ndjson --speed 2", "--replay"),
        ("--ndjson --replay --speed 0", "expected a factor such as 2"),
        ("--ndjson --replay --rate 5", "cannot be used with"),
    ] {
        publish(words).exits(2).says(why);
    }
}

/// Gzip made by the program of that name.
fn gzip(text: &str) -> Vec<u8> {
    program("gzip", "-c").input(text).run().exits(0).stdout
}

#[test]
fn compressed_messages_are_shown_as_they_were() {
    let queue = declared("cli", "");
    let put = |encoding: &str, body: Vec<u8>| {
        let line = amqp("publish").words(&format!("-k {queue} -s --content-encoding {encoding}"));
        line.input(body).run().exits(0);
    };
    put("gzip", gzip("21.5"));
    put("gzip", b"no gzip".to_vec());
    put("br", b"unknown".to_vec());
    put("identity", b"plain".to_vec());
    let taken = amqp("consume")
        .words(&queue)
        .words("-C 4 --decompress --ack requeue");
    let taken = taken
        .run()
        .exits(0)
        .prints("21.5\nno gzip\nunknown\nplain\n");
    taken
        .says("is shown unchanged: it is not valid gzip")
        .says("is shown unchanged: unknown content encoding \"br\"");
    // The record does not say any more what is not so any more, so that it can be published as it is.
    let filtered = amqp("consume")
        .words(&queue)
        .word("--filter")
        .word("payload == 21.5");
    let ended = filtered
        .words("-C 1 --decompress --output json --quiet")
        .run();
    let ended = ended.exits(0).contains("\"payload\":\"21.5\"");
    assert!(!ended.text().contains("gzip"), "{}", ended.text());
}

#[test]
fn a_topology_is_applied_and_checked() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("topology.toml");
    let (logs, errors) = (unique("logs"), unique("errors"));
    let described = format!(
        "[[binding]]\nfrom = '{logs}'\nqueue = '{errors}'\nkeys = ['*.error']\n\
         [[queue]]\nname = '{errors}'\narguments = {{ x-max-length = 5 }}\n\
         [[exchange]]\nname = '{logs}'\ntype = 'topic'\n"
    );
    std::fs::write(&file, &described).unwrap();
    let apply = |words: &str| amqp("apply").word(&file).words(words).run();
    // Nothing is there, and a check makes nothing.
    for _ in 0..2 {
        apply("--check")
            .exits(1)
            .says("2 of 2 differ from")
            .contains("no queue");
    }
    let lines = format!(
        "exchange\t{logs}\tok\nqueue\t{errors}\tok\nbinding\t{logs} *.error {errors}\tok\n"
    );
    for _ in 0..2 {
        apply("").exits(0).prints(&lines).quietly();
    }
    apply("--check").exits(0).says("1 were skipped");
    publish(&format!("-e {logs} -k web.error -m down --mandatory")).exits(0);
    // What is there and different is told, and left alone.
    std::fs::write(&file, described.replace("= 5", "= 6")).unwrap();
    for words in ["--check", ""] {
        let ended = apply(words).exits(1).says("1 of");
        assert!(ended.text().contains("x-max-length"), "{}", ended.text());
    }
    apply("--output json").exits(1).contains("\"ok\":false");
    std::fs::write(&file, "[[queue]]\nname = 5\n").unwrap();
    apply("").exits(2).says("topology.toml:2: ");
    amqp("apply").words("/nonexistent").run().exits(8);
    amqp("apply").run().exits(2).says("no file was given");
}

#[test]
fn host_and_port_stand_for_the_url() {
    let queue = declared("cli", "--queue-type quorum --max-length 5");
    let place = format!("-h 127.0.0.1 -p {}", rabbitmq().port);
    iotctl("amqp publish")
        .words(&place)
        .words(&format!("-k {queue} -m x --mandatory"))
        .run()
        .exits(0);
    let ended = iotctl("amqp consume").words(&place).words(&queue);
    ended.words("-C 1 --ack peek").run().exits(0).prints("x\n");
    let gone = iotctl("amqp delete queue").words(&place).words(&queue);
    gone.run()
        .exits(0)
        .prints(&format!("{queue}\tdeleted with 1 message\n"));
}

#[test]
fn what_nobody_gets_is_exit_1() {
    publish("-k no-such-queue -m x --mandatory").exits(1);
    publish("-e no-such-exchange -m x")
        .exits(1)
        .says("no-such-exchange");
    amqp("consume")
        .words("no-such-queue")
        .run()
        .exits(1)
        .says("no-such-queue");
    amqp("declare queue --passive")
        .words("no-such-queue")
        .run()
        .exits(1);
}

#[test]
fn wrong_words_are_exit_2_and_send_nothing() {
    let long = "n".repeat(256);
    for (line, why) in [
        (amqp("consume"), "no queue was given"),
        (amqp("consume").words("q -C 0"), "-C must be at least 1"),
        (amqp("publish -m x"), "no exchange or routing key was given"),
        (
            amqp("publish -n").words("-k").word(&long),
            "longer than 255 bytes",
        ),
        (amqp("get").word(&long), "longer than 255 bytes"),
        (amqp("declare exchange").words("x --type Topic"), "direct"),
        (amqp("consume").words("q -p 5672"), "cannot be used with"),
        (iotctl("amqp ping mqtt://h"), "mqtt"),
        (iotctl("amqp consume q amqp://h"), "the first is the URL"),
    ] {
        let ended = line.run().exits(2).prints("").says(why);
        assert!(ended.stderr.lines().count() <= 2, "{}", ended.stderr);
    }
}

#[test]
fn time_that_passes_is_exit_5() {
    let queue = declared("cli", "");
    let waiting = amqp("consume").words(&queue).words("-C 1 -W 0.3").run();
    waiting.exits(5).says("received 0 of 1 messages");
    let asking = amqp("request").words(&queue).words("-m x -W 0.3").run();
    asking.exits(5).says("no reply to the request to");
    amqp("consume")
        .words(&queue)
        .words("--idle 0.2 --ack peek")
        .run()
        .exits(0)
        .prints("x\n");
}

#[test]
fn a_command_acknowledges_by_its_exit_code() {
    let dead = declared("cli-dead", "");
    let queue = unique("cli");
    amqp("declare queue")
        .words(&queue)
        .words("--dead-letter-key")
        .words(&dead)
        .words("--dead-letter-exchange")
        .word("")
        .run()
        .exits(0);
    for body in ["good", "bad"] {
        publish(&format!("-k {queue} -m {body} --mandatory")).exits(0);
    }
    amqp("consume")
        .words(&queue)
        .words("-C 2 --exec grep good")
        .run()
        .exits(1)
        .prints("good\n")
        .says("the command failed for 1 of 2 messages");
    amqp("get").words(&dead).run().exits(0).prints("bad\n");
}

#[test]
fn an_exchange_hands_on_by_key() {
    let (exchange, queue) = (unique("cli-logs"), declared("cli", ""));
    amqp("declare exchange")
        .words(&exchange)
        .words("--type topic")
        .run()
        .exits(0)
        .prints("");
    let bound = amqp("bind").words(&queue);
    bound
        .words(&format!("-e {exchange} -k *.error"))
        .run()
        .exits(0);
    for key in ["a.info", "a.error"] {
        publish(&format!("-e {exchange} -k {key} -m x")).exits(0);
    }
    let taken = amqp("get").words(&queue).words("--all -v").run();
    taken.exits(0).prints("a.error x\n");
    // Another type than it has.
    amqp("declare exchange")
        .words(&exchange)
        .run()
        .exits(1)
        .says("inequivalent arg 'type'");
    amqp("unbind")
        .words(&queue)
        .words(&format!("-e {exchange} -k *.error"))
        .run()
        .exits(0);
    publish(&format!("-e {exchange} -k a.error -m x --mandatory")).exits(1);
    amqp("delete exchange")
        .words(&exchange)
        .words("--if-unused")
        .run()
        .exits(0);
}

#[test]
fn a_request_is_answered() {
    let queue = declared("cli", "");
    let serving = amqp("respond")
        .words(&queue)
        .words("-C 2 --exec tr a-z A-Z")
        .start();
    let asked = amqp("request")
        .words(&queue)
        .words("-l")
        .input("one\ntwo\n");
    asked.run().exits(0).prints("ONE\nTWO\n");
    serving.ends().exits(0);
}

#[test]
fn ping_tells_a_healthy_server_from_others() {
    let ended = amqp("ping").words("-C 2 --interval 0").run().exits(0);
    assert_eq!(ended.text().lines().count(), 4, "{}", ended.text());
    let ended = amqp("ping").words("-C 1 --output json").run();
    ended.exits(0).contains("\"rtt_ms\":");
    let port = rabbitmq().port;
    iotctl(&format!(
        "amqp ping -h 127.0.0.1 -p {port} -u nobody -P wrong"
    ))
    .run()
    .exits(4)
    .says("refused the login of user \"nobody\"");
    iotctl("amqp ping -h 127.0.0.1 -p 1")
        .run()
        .exits(3)
        .says("amqp://127.0.0.1:1");
}

#[test]
fn a_reader_that_leaves_ends_it_quietly() {
    let queue = declared("cli", "");
    let many = "x\n".repeat(100);
    amqp("publish")
        .words(&format!("-k {queue} -l"))
        .input(many)
        .run()
        .exits(0);
    let (reader, writer) = std::io::pipe().unwrap();
    let mut command = amqp("consume").words(&queue).into_command();
    drop(reader);
    let ended = command.stdout(writer).output().unwrap();
    assert_eq!(ended.status.code(), Some(0));
    assert!(ended.stderr.is_empty(), "{ended:?}");
}

#[test]
fn a_command_that_fails_ends_no_stream() {
    let stream = declared("stream", "--queue-type stream");
    let lines: String = (1..=30).map(|n| format!("{n}\n")).collect();
    let publishing = amqp("publish").words(&format!("-k {stream} -l"));
    publishing.input(lines).run().exits(0);
    let consuming = amqp("consume").words(&format!("{stream} --offset first -C 30 -W 60s"));
    let ended = consuming
        .words("--exec sh -c")
        .word("test $(cat) != 2")
        .run();
    ended.exits(1).says("1 of 30 messages");
}

#[test]
fn a_bridge_leaves_a_queue_of_somebody_as_it_is() {
    let queue = declared("bridged", "");
    let mut broker = crate::support::broker::broker("");
    let reader = broker.sub_line("-t # -C 1 -v").start();
    broker.sees_subscription("#");
    let bridge = iotctl("bridge").word(rabbitmq().url());
    let to = format!("mqtt://127.0.0.1:{}", broker.port);
    let bridge = bridge
        .word(to)
        .words(&format!("--from-queue {queue}"))
        .start();
    publish(&format!("-k {queue} -m x")).exits(0);
    reader.ends().exits(0).prints(&format!("{queue} x\n"));
    bridge.signal("TERM");
    bridge.ends().exits(143);
    // Nothing that goes to the exchange comes to the queue.
    publish(&format!("-e amq.topic -k {queue} -m stray")).exits(0);
    amqp("get").words(&queue).run().exits(1).says("is empty");
}
