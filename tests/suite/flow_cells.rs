//! Each option that all receivers have in common, and all senders, in each protocol against a real server: mosquitto,
//! RabbitMQ, libcoap.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::support::command::{Ended, Line, iotctl};
use crate::support::libcoap::{self, Libcoap};
use crate::support::mosquitto::{Mosquitto, mosquitto};
use crate::support::rabbitmq::{rabbitmq, unique};

/// `{"v":19}` and `{"v":21}`.
const PLAIN: [&str; 2] = ["7b2276223a31397d", "7b2276223a32317d"];
/// The same by gzip.
const GZIP: [&str; 2] = [
    "1f8b0800000000000203ab562a53b232b4ac0500fbff4f3008000000",
    "1f8b0800000000000203ab562a53b23232ac0500aacbd0fa08000000",
];
/// And by deflate.
const DEFLATE: [&str; 2] = [
    "789cab562a53b232b4ac05000aa60257",
    "789cab562a53b23232ac05000a990250",
];

/// What a command did, and what the commands that it ran have written.
struct Seen {
    ended: Ended,
    written: String,
}

/// Words for a receiver that gets 19 and 21 in turn, and what comes of them.
struct Cell {
    name: &'static str,
    words: &'static [&'static str],
    compressed: bool,
    code: i32,
    holds: fn(&Seen) -> bool,
}

const fn cell(
    name: &'static str,
    words: &'static [&'static str],
    code: i32,
    holds: fn(&Seen) -> bool,
) -> Cell {
    Cell {
        name,
        words,
        compressed: false,
        code,
        holds,
    }
}

fn shows(seen: &Seen, text: &str) -> bool {
    seen.ended.text() == text
}

const OVER_20: &str = "/v > 20";
const KEEP: &str = "cat > \"$OUT\"";
/// Ends once another one runs beside it.
const BOTH: &str = "echo >> \"$OUT\"; while [ $(wc -l < \"$OUT\") -lt 2 ]; do sleep 0.05; done";

#[rustfmt::skip]
const RECEIVING: &[Cell] = &[
    cell("--exec", &["--filter", OVER_20, "-C", "1", "--exec", "sh", "-c", KEEP], 0, |seen| {
        seen.written == "{\"v\":21}" && shows(seen, "")
    }),
    cell("--workers", &["-C", "2", "--workers", "2", "--exec", "sh", "-c", BOTH], 0, |seen| {
        seen.written == "\n\n"
    }),
    cell("--exec-json", &["--filter", OVER_20, "-C", "1", "--exec-json", "--exec", "sh", "-c", KEEP], 0, |seen| {
        seen.written.contains("\"payload\":\"{\\\"v\\\":21}\"") && seen.written.ends_with("}\n")
    }),
    cell("--filter", &["--filter", OVER_20, "-C", "1"], 0, |seen| shows(seen, "{\"v\":21}\n")),
    cell("--until", &["--until", OVER_20], 0, |seen| seen.ended.text().ends_with("{\"v\":21}\n")),
    cell("--expect", &["--expect", "/v < 20"], 7, |seen| seen.ended.stderr.contains("condition not met: /v < 20")),
    cell("--decode", &["--decode=json", "--filter", OVER_20, "-C", "1"], 0, |seen| shows(seen, "{\n  \"v\": 21\n}\n")),
    Cell { compressed: true, ..cell("--decompress", &["--decompress", "--filter", OVER_20, "-C", "1"], 0, |seen| shows(seen, "{\"v\":21}\n")) },
    cell("-F", &["-F", "<%p>", "--filter", OVER_20, "-C", "1"], 0, |seen| shows(seen, "<{\"v\":21}>\n")),
    cell("%{…}", &["-F", "%{/v}", "--filter", OVER_20, "-C", "1"], 0, |seen| shows(seen, "21\n")),
    cell("--columns", &["--output", "tsv", "--columns", "v=/v,/w", "--filter", OVER_20, "-C", "1"], 0, |seen| shows(seen, "v\tw\n21\t\n")),
    cell("--output", &["--output", "json", "--filter", OVER_20, "-C", "1"], 0, |seen| {
        seen.ended.text().contains("\"payload\":\"{\\\"v\\\":21}\"")
    }),
];

/// Runs every cell: `receive` is the command to a place that nobody else uses, `send` what puts a body there.
#[track_caller]
fn receives(
    receive: impl Fn(&str) -> Line,
    send: impl Fn(&str, &str, bool) -> Line,
    compressed: [&'static str; 2],
) {
    for cell in RECEIVING {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("out");
        let place = unique("cell");
        let mut line = receive(&place).env("OUT", &out);
        for word in cell.words {
            line = line.word(word);
        }
        let receiver = std::thread::spawn(|| line.run());
        let bodies = if cell.compressed { compressed } else { PLAIN };
        // Nobody knows when it is ready to receive.
        while !receiver.is_finished() {
            for body in bodies {
                send(&place, body, cell.compressed).run().exits(0);
            }
        }
        let ended = receiver.join().unwrap().exits(cell.code);
        let written = written(&out);
        let seen = Seen { ended, written };
        let (stdout, stderr) = (seen.ended.text(), &seen.ended.stderr);
        let holds = (cell.holds)(&seen);
        assert!(
            holds,
            "{}: {stdout:?}, {stderr:?}, {:?}",
            cell.name, seen.written
        );
    }
}

fn written(file: &Path) -> String {
    fs::read_to_string(file).unwrap_or_default()
}

#[test]
fn all_that_a_subscription_can_do_with_mosquitto() {
    let mosquitto = mosquitto();
    let encoded = "-D publish user-property content-encoding gzip";
    receives(
        |topic| mosquitto.iotctl(&format!("sub -q 1 -t {topic}")),
        |topic, body, gzip| {
            let more = if gzip { encoded } else { "" };
            mosquitto.iotctl(&format!("pub -q 1 -t {topic} {more} --hex -m {body}"))
        },
        GZIP,
    );
}

fn amqp(command: &str, words: &str) -> Line {
    iotctl("amqp")
        .words(command)
        .word(rabbitmq().url())
        .words(words)
}

fn encoded(gzip: bool) -> &'static str {
    if gzip { "--content-encoding gzip" } else { "" }
}

#[test]
fn all_that_a_consumer_can_do_with_rabbitmq() {
    receives(
        |queue| amqp("consume", &format!("{queue} --declare")),
        |queue, body, gzip| {
            let more = encoded(gzip);
            amqp("publish", &format!("-k {queue} {more} --hex -m {body}"))
        },
        GZIP,
    );
}

#[test]
fn all_that_a_tap_can_do_with_rabbitmq() {
    receives(
        |key| amqp("tap", &format!("amq.topic -k {key}")),
        |key, body, gzip| {
            let more = encoded(gzip);
            amqp(
                "publish",
                &format!("-e amq.topic -k {key} {more} --hex -m {body}"),
            )
        },
        GZIP,
    );
}

#[test]
fn all_that_an_observation_can_do_with_libcoap() {
    let server = libcoap::plain();
    receives(
        |_| server.iotctl("observe", "/example_data"),
        |_, body, deflate| {
            let more = if deflate { "-t 11050" } else { "" };
            let put = server.iotctl("put", "/example_data");
            put.words(&format!("{more} --hex -m {body}"))
        },
        DEFLATE,
    );
}

/// Words for a sender, its input, what arrives, and how long it takes at least.
type Sending = (
    &'static [&'static str],
    &'static str,
    &'static [&'static str],
    u64,
);

const RECORDING: &str = "{\"time\":\"2026-11-20T21:00:00.000Z\",\"payload\":\"a\"}\n{\"time\":\"2026-11-20T21:00:00.400Z\",\"payload\":\"b\"}\n";

#[rustfmt::skip]
const SENDING: &[Sending] = &[
    (&["-m", "x", "--repeat", "3"], "", &["x", "x", "x"], 0),
    (&["-m", "x", "--repeat", "3", "--rate", "10"], "", &["x", "x", "x"], 200),
    (&["-m", "x", "--repeat", "3", "--rate", "1/h", "--burst", "3"], "", &["x", "x", "x"], 0),
    (&["--template", "{random:7-7}", "--repeat", "2"], "", &["7", "7"], 0),
    (&["-m", "x", "--repeat", "3", "--repeat-delay", "100ms", "--jitter", "1ms"], "", &["x", "x", "x"], 200),
    (&["-l", "--trim-cr"], "a\r\nb\r\n", &["a", "b"], 0),
    (&["-l", "--delimiter", "\\x1e"], "a\x1eb", &["a", "b"], 0),
    (&["--length-prefixed"], "\0\0\0\x01a\0\0\0\x01b", &["a", "b"], 0),
    // A text of one byte as CBOR, and as MessagePack an integer that is a letter.
    (&["-m", "\"a\"", "--encode", "cbor"], "", &["aa"], 0),
    (&["-m", "97", "--encode", "msgpack"], "", &["a"], 0),
    (&["--ndjson"], RECORDING, &["a", "b"], 0),
    (&["--ndjson", "--replay"], RECORDING, &["a", "b"], 400),
    (&["--ndjson", "--replay", "--speed", "4"], RECORDING, &["a", "b"], 100),
];

/// Runs a sender to its end.
#[track_caller]
fn sends(line: Line, (words, input, _, millis): &Sending) {
    let line = words.iter().fold(line, |line, word| line.word(word));
    let began = Instant::now();
    line.input(*input).run().exits(0);
    let least = Duration::from_millis(*millis);
    assert!(began.elapsed() >= least, "{words:?}: {:?}", began.elapsed());
}

fn publishes(mosquitto: &Mosquitto, sending: &Sending) {
    let (words, _, arrives, _) = sending;
    let topic = unique("sent");
    let count = arrives.len();
    let receiver = mosquitto.sub_line(&format!("-t {topic} -q 1 -C {count}"));
    let mut receiver = receiver.start();
    mosquitto.sees_subscriptions(&topic, 1);
    sends(mosquitto.iotctl(&format!("pub -q 1 -t {topic}")), sending);
    assert_eq!(receiver.lines(count), *arrives, "{words:?}");
}

#[test]
fn all_that_senders_can_do_with_real_servers() {
    let (mosquitto, server) = (mosquitto(), libcoap::plain());
    for sending in SENDING {
        publishes(&mosquitto, sending);
        let (words, _, arrives, _) = sending;
        let queue = unique("sent");
        sends(amqp("publish", &format!("-k {queue} --declare")), sending);
        let taken = amqp("consume", &format!("{queue} -C {}", arrives.len())).run();
        let lines: Vec<_> = taken.text().lines().collect();
        assert_eq!(lines, *arrives, "{words:?}");
        puts(&server, sending);
    }
}

/// A resource keeps the last body that it got.
fn puts(server: &Libcoap, sending: &Sending) {
    let (words, _, arrives, _) = sending;
    let reset = server.iotctl("put", "/example_data").words("-m reset");
    reset.run().exits(0);
    sends(server.iotctl("put", "/example_data"), sending);
    let got = server.iotctl("get", "/example_data").run().exits(0);
    let last = arrives.last().unwrap();
    assert_eq!(got.text(), *last, "{words:?}");
}
