//! What is shown of a message, and where it goes: columns, names in format strings, decoders, files.

use std::fs;
use std::path::Path;

use data_encoding::HEXLOWER;

use crate::support::broker::broker;
use crate::support::command::{Line, iotctl};
use crate::support::mosquitto::mosquitto;
use crate::support::rabbitmq::{rabbitmq, unique};

/// `message R { string station = 1; double temp = 2; }` in the package `w`, compiled by protoc 31.
const SCHEMA: &str = concat!(
    "0a4b0a0b736d616c6c2e70726f746f12017722310a015212180a0773746174696f6e180120012809520773746174696f6e12",
    "120a0474656d70180220012801520474656d70620670726f746f33"
);

/// A birth certificate of Sparkplug B with the metric `Temp`, alias 1, a float, 21.5; then the same metric by its alias.
const NBIRTH: &str = "12110a0454656d7010012009650000ac411800";
const NDATA: &str = "120710016500 00b2411801";

/// What a subscriber with a session of its own shows of these messages, published before: topic and body in hexadecimal digits.
fn shown(iotctl: &dyn Fn(&str) -> Line, messages: &[(&str, &str)], words: &[&str]) -> Line {
    let session = format!("sub -t {} -q 1 -c -i {}", "#", unique("shown"));
    iotctl(&format!("{session} -E")).run().exits(0);
    for (topic, digits) in messages {
        let publish = iotctl("pub -q 1 --hex -t").word(topic).word("-m");
        publish.word(digits.replace(' ', "")).run().exits(0);
    }
    let line = iotctl(&format!("{session} -C {}", messages.len()));
    words.iter().fold(line, |line, word| line.word(word))
}

fn digits(text: &str) -> String {
    HEXLOWER.encode(text.as_bytes())
}

#[test]
fn columns_and_names_in_braces_show_the_same() {
    let broker = broker("");
    let messages = [
        ("a/1", &*digits("{\"t\":21.50,\"n\":\"x,\\\"y\\\"\"}")),
        ("a/2", &digits("{\"u\":-3}")),
        ("a/3", "ff00"),
    ];
    let iotctl = |words: &str| broker.iotctl(words);
    let columns = "topic,t=/t|/u,/n,qos,none=\"-\",payload";
    for (output, text) in [
        (
            "csv",
            "topic,t,n,qos,none,payload\n\
            a/1,21.50,\"x,\"\"y\"\"\",1,-,\"{\"\"t\"\":21.50,\"\"n\"\":\"\"x,\\\"\"y\\\"\"\"\"}\"\n\
            a/2,-3,,1,-,\"{\"\"u\"\":-3}\"\n\
            a/3,,,1,-,/wA=\n",
        ),
        (
            "tsv",
            "topic\tt\tn\tqos\tnone\tpayload\n\
            a/1\t21.50\tx,\"y\"\t1\t-\t{\"t\":21.50,\"n\":\"x,\\\\\"y\\\\\"\"}\n\
            a/2\t-3\t\t1\t-\t{\"u\":-3}\n\
            a/3\t\t\t1\t-\t/wA=\n",
        ),
        (
            "logfmt",
            "topic=a/1 t=21.50 n=\"x,\\\"y\\\"\" qos=1 none=- payload=\"{\\\"t\\\":21.50,\\\"n\\\":\\\"x,\\\\\\\"y\\\\\\\"\\\"}\"\n\
            topic=a/2 t=-3 n= qos=1 none=- payload=\"{\\\"u\\\":-3}\"\n\
            topic=a/3 t= n= qos=1 none=- payload=\"/wA=\"\n",
        ),
    ] {
        let words = ["--output", output, "--columns", columns];
        shown(&iotctl, &messages, &words)
            .run()
            .exits(0)
            .prints(text);
    }
    let words = ["-F", "%t|%.1{/t|/u|\"none\"}|%{/n}|%{delta|\"first\"}"];
    let ended = shown(&iotctl, &messages, &words).run().exits(0);
    let text = ended.text();
    assert!(
        text.starts_with("a/1|21.5|x,\"y\"|first\na/2|-3.0||0."),
        "{text}"
    );
}

#[test]
fn what_is_decoded_can_be_shown_filtered_and_handed_on() {
    let broker = broker("");
    let iotctl = |words: &str| broker.iotctl(words);
    let births = [("spBv1.0/g/NBIRTH/n", NBIRTH), ("spBv1.0/g/NDATA/n", NDATA)];
    let format = "%{/metrics/0/name} %{/metrics/0/type} %{/metrics/0/value}";
    shown(&iotctl, &births, &["--decode", "-F", format])
        .run()
        .exits(0)
        .prints("Temp Float 21.5\nTemp Float 22.25\n")
        .quietly();
    // A certificate that is filtered out teaches its names all the same.
    shown(&iotctl, &births, &["--decode=sparkplug", "--filter", "/metrics/0/value > 22", "--idle", "300ms", "--output", "raw"])
        .run()
        .exits(5)
        .prints("{\"metrics\":[{\"name\":\"Temp\",\"alias\":1,\"type\":\"Float\",\"value\":22.25}],\"seq\":1}")
        .says("received 2 messages: 1 processed, 1 filtered out");
    // MessagePack, and what is none: it is shown as it is, and counted.
    let packed = [("a", "81a17415"), ("a", "c1"), ("a", "81a17416")];
    shown(
        &iotctl,
        &packed,
        &["--decode=msgpack", "--output", "json", "--embed-json"],
    )
    .run()
    .exits(0)
    .contains("\"payload_json\":{\"t\":21}")
    .contains("\"payload_base64\":\"wQ==\"")
    .contains("\"payload_json\":{\"t\":22}")
    .says("a: the body is not valid MessagePack: invalid byte at 0")
    .says("received 3 messages: 3 processed, 1 not decoded");
    // CBOR is JSON for programs, and SenML an array of records.
    let words = [
        "--decode=application/senml+cbor",
        "--output",
        "csv",
        "--columns",
        "v=/0/v,n=/0/n",
    ];
    let senml = [("a", "81a32162612f00617402fb4035800000000000")];
    shown(&iotctl, &senml, &words)
        .run()
        .exits(0)
        .prints("v,n\n21.5,a/t\n");
}

#[test]
fn a_schema_names_the_fields_and_is_read_before_anything_is_sent() {
    let broker = broker("");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("w.pb");
    fs::write(&file, HEXLOWER.decode(SCHEMA.as_bytes()).unwrap()).unwrap();
    let with = |line: Line, file: &Path| line.word("--proto").word(file);
    let iotctl_broker = |words: &str| broker.iotctl(words);
    let body = [("a", "0a04726f6f661100000000008035401801")];
    let line = shown(&iotctl_broker, &body, &["--decode=protobuf"]);
    let text = "{\n  \"station\": \"roof\",\n  \"temp\": 21.5,\n  \"3\": 1\n}\n";
    with(line, &file).run().exits(0).prints(text);
    let line = shown(&iotctl_broker, &body, &["--decode=protobuf", "-F", "%p"]);
    let numbers = "{\n  \"1\": \"roof\",\n  \"2\": 21.5,\n  \"3\": 1\n}\n";
    line.run().exits(0).prints(numbers);
    // Nobody listens there.
    let nowhere = || iotctl("mqtt sub mqtt://127.0.0.1:1/a --decode=protobuf");
    with(nowhere(), &folder.path().join("none"))
        .run()
        .exits(8)
        .says("cannot read");
    with(nowhere(), &file)
        .words("--proto-message X")
        .run()
        .exits(2)
        .says("w.pb: it has no message type \"X\"; there is w.R");
    fs::write(&file, "message R {}").unwrap();
    with(nowhere(), &file)
        .run()
        .exits(2)
        .says("it is not a compiled descriptor set")
        .says("hint: protoc --include_imports");
}

#[test]
fn hostile_topics_stay_in_the_folder() {
    let broker = broker("");
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let iotctl = |words: &str| broker.iotctl(words);
    let long = "x".repeat(5000);
    let messages = [
        ("../../escaped", "01"),
        ("/absolute", "02"),
        ("a\x1b/..", "03"),
        (&long, "04"),
        ("plain", "05"),
    ];
    let name = format!("{}/{{topic}}/{{seq}}.bin", out.display());
    shown(
        &iotctl,
        &messages,
        &["--output", "raw", "--output-file", &name],
    )
    .run()
    .exits(0)
    .prints("")
    .quietly();
    assert_eq!(fs::read(out.join("plain/5.bin")).unwrap(), [5]);
    assert_eq!(
        fs::read(out.join("%2E%2E/%2E%2E/escaped/1.bin")).unwrap(),
        [1]
    );
    assert_eq!(fs::read(out.join("%/absolute/2.bin")).unwrap(), [2]);
    assert_eq!(fs::read(out.join("a%1B/%2E%2E/3.bin")).unwrap(), [3]);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    assert_eq!(fs::read_dir(&out).unwrap().count(), 5);
    // The same numbers again: what is there stays.
    shown(
        &iotctl,
        &[("plain", "06")],
        &[
            "--output",
            "raw",
            "--output-file",
            &format!("{}/{{topic}}/5{{seq}}", out.display()),
        ],
    )
    .run()
    .exits(0);
    let taken = format!("{}/{{topic}}/5.bin", out.display());
    shown(&iotctl, &[("plain", "07")], &["--output-file", &taken])
        .run()
        .exits(8)
        .says("plain/5.bin: it exists already")
        .says("hint: {seq} and {time}");
    assert_eq!(fs::read(out.join("plain/5.bin")).unwrap(), [5]);
}

#[test]
fn what_a_full_disk_refuses_is_not_acknowledged() {
    let mosquitto = mosquitto();
    let topic = unique("full");
    let session = format!("sub -t {topic} -q 1 -c -i {topic}");
    mosquitto.iotctl(&format!("{session} -E")).run().exits(0);
    mosquitto
        .iotctl(&format!("pub -q 1 -t {topic} -l"))
        .input("1\n2\n")
        .run()
        .exits(0);
    mosquitto
        .iotctl(&format!("{session} -C 2 --output-file /dev/full"))
        .run()
        .exits(8)
        .says("cannot write /dev/full: no space left on device");
    mosquitto
        .iotctl(&format!("{session} -C 2"))
        .run()
        .exits(0)
        .prints("1\n2\n");
}

#[test]
fn a_file_grows_over_runs_and_is_rotated_at_whole_messages() {
    let broker = broker("");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("log.csv");
    let iotctl = |words: &str| broker.iotctl(words);
    let run = |count: usize, more: &[&str]| {
        let bodies: Vec<String> = (0..count).map(|at| digits(&at.to_string())).collect();
        let messages: Vec<(&str, &str)> = bodies.iter().map(|body| ("a", &**body)).collect();
        let words = [
            "--output",
            "csv",
            "--columns",
            "topic,payload",
            "--output-file",
            file.to_str().unwrap(),
        ];
        shown(&iotctl, &messages, &[&words[..], more].concat())
            .run()
            .exits(0)
            .prints("");
    };
    run(2, &[]);
    run(1, &[]);
    assert_eq!(
        fs::read_to_string(&file).unwrap(),
        "topic,payload\na,0\na,1\na,0\n"
    );
    run(5, &["--rotate", "2", "--rotate", "1GiB"]);
    let mut texts: Vec<String> = fs::read_dir(folder.path())
        .unwrap()
        .map(|it| fs::read_to_string(it.unwrap().path()).unwrap())
        .collect();
    texts.sort();
    let header = "topic,payload\n";
    // What was there before counts.
    let expected = ["a,0\na,1\n", "a,0\na,1\na,0\n", "a,2\na,3\n", "a,4\n"];
    assert_eq!(texts, expected.map(|rows| format!("{header}{rows}")));
    let other = [
        "-C",
        "1",
        "--output",
        "csv",
        "--columns",
        "payload",
        "--output-file",
    ];
    let line = other
        .iter()
        .fold(iotctl("sub -t a"), |line, word| line.word(word));
    line.word(&file)
        .run()
        .exits(2)
        .says("log.csv has other columns");
}

#[test]
fn a_queue_is_read_in_the_same_way() {
    let queue = unique("shown");
    let amqp = |command: &str| iotctl("amqp").words(command).word(rabbitmq().url());
    amqp("declare queue").word(&queue).run().exits(0);
    amqp("publish")
        .words(&format!("-k {queue} --hex -m 81a17415"))
        .run()
        .exits(0);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("q");
    amqp("get")
        .word(&queue)
        .words("--decode=msgpack --output logfmt --columns topic,/t,redelivered --output-file")
        .word(&file)
        .run()
        .exits(0)
        .prints("");
    assert_eq!(
        fs::read_to_string(&file).unwrap(),
        format!("topic={queue} t=21 redelivered=false\n")
    );
}

#[test]
fn words_that_do_not_go_together_are_refused() {
    for (words, why) in [
        (
            "--output-file x --exec true",
            "--output-file cannot be used with --exec",
        ),
        (
            "--output-file {seq} --rotate 5",
            "--rotate needs --output-file without braces",
        ),
        ("--rotate 5", "--output-file <FILE>"),
        ("--output-file x --rotate 0", "it must be more than 0"),
        (
            "--output-file x --rotate soon",
            "expected a size such as 100MiB",
        ),
        (
            "--output-file {exchange}",
            "--output-file: \"exchange\" is not a field of MQTT messages",
        ),
        ("--output-file {n", "has no closing brace"),
        ("--proto x", "--decode"),
        ("--output csv --columns time,,topic", "a name is missing"),
    ] {
        iotctl("mqtt sub -t a")
            .words(words)
            .run()
            .exits(2)
            .says(why);
    }
}

/// As other programs have it, coap-client among them.
#[test]
fn a_dash_is_a_standard_stream() {
    let folder = tempfile::tempdir().unwrap();
    let mut broker = broker("");
    let mut reading = broker
        .iotctl("sub -t a -C 1 --output-file -")
        .into_command();
    reading.current_dir(folder.path());
    let reading = Line::of(reading).start();
    broker.sees_subscription("a");
    let sending = broker.iotctl("pub -t a -f -").input("from a pipe");
    sending.run().exits(0);
    reading.ends().exits(0).prints("from a pipe\n");
    let mut server = iotctl("coap server --quiet --listen 127.0.0.1:0 -r /a=text:here").start();
    let uri = format!("{}/a", server.line());
    let mut getting = iotctl("coap get -o -").word(&uri).into_command();
    getting.current_dir(folder.path());
    Line::of(getting).run().exits(0).prints("here");
    let refused = iotctl("coap get -o - --resume").word(uri).run();
    refused
        .exits(2)
        .says("--resume needs a file, not standard output");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}
