//! What every command that receives can do with a message beside showing it: `--exec`, `--filter`, `--until`, `--expect`.

use std::fs;
use std::path::Path;

use std::io::Write;
use std::net::TcpStream;
use std::process::Stdio;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use crate::support::broker::broker;
use crate::support::command::{Line, finish, iotctl};
use crate::support::mosquitto::mosquitto;
use crate::support::peer::{Peer, publish, read_packet, read_until, send, subscribed};
use crate::support::wait_for;

/// Appends words that run a shell script for each message; `OUT` is the file.
fn running(line: Line, script: &str, file: &Path) -> Line {
    line.words("--exec sh -c").word(script).env("OUT", file)
}

fn lines(file: &Path) -> Vec<String> {
    let text = fs::read_to_string(file).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

#[test]
fn a_command_gets_body_topic_and_properties() {
    let mut broker = broker("");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("out");
    let script = "echo \"$IOTCTL_TOPIC $IOTCTL_QOS $IOTCTL_CONTENT_TYPE $(cat)\" >> \"$OUT\"";
    let receiver = running(broker.iotctl("sub -t a/# -q 1 -C 2"), script, &file).start();
    broker.sees_subscription("a/#");
    broker
        .iotctl("pub -t a/b -q 1 -m x -D publish content-type text/plain")
        .run()
        .exits(0);
    broker.iotctl("pub -t a/c -m y").run().exits(0);
    receiver.ends().exits(0).prints("");
    assert_eq!(lines(&file), ["a/b 1 text/plain x", "a/c 0  y"]);
}

#[test]
fn the_words_of_a_command_end_at_a_semicolon() {
    let mut broker = broker("");
    let line = broker
        .iotctl("sub --exec sh -c")
        .word("printf '%s' \"$0 $1\"");
    let receiver = line
        .words("-C 1 ; -t a -D connect user-property x y -C 1")
        .start();
    broker.sees_subscription("a");
    broker.iotctl("pub -t a -m x").run().exits(0);
    receiver.ends().exits(0).prints("-C 1\n").quietly();
    // Without one all words are the command's, and what looks like ours is warned of once.
    let receiver = broker
        .iotctl("sub -t b -C 1 --exec echo -D --count=2")
        .start();
    broker.sees_subscription("b");
    broker.iotctl("pub -t b -m x").run().exits(0);
    let ended = receiver.ends().exits(0).prints("-D --count=2\n");
    assert_eq!(ended.stderr.matches("belongs to the command").count(), 1);
    ended.says("-D after --exec belongs to the command; end the command with a lone ';'");
}

#[test]
fn a_command_that_fails_fails_the_subscription() {
    let mut broker = broker("");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("out");
    let script = "cat >> \"$OUT\"; grep -q good \"$OUT\" && exit 0; exit 3";
    let receiver = running(broker.iotctl("sub -t a -q 1 -C 2"), script, &file).start();
    broker.sees_subscription("a");
    broker.iotctl("pub -t a -q 1 -m bad").run().exits(0);
    broker.iotctl("pub -t a -q 1 -m good").run().exits(0);
    receiver
        .ends()
        .exits(1)
        .says("the command failed for 1 of 2 messages");
}

/// A process that is killed while its commands run has acknowledged nothing of what they work on.
#[test]
fn a_subscriber_that_is_killed_loses_nothing() {
    let (mosquitto, ours) = (mosquitto(), broker(""));
    let mosquitto = |words: &str| mosquitto.iotctl(words);
    let ours = |words: &str| ours.iotctl(words);
    for qos in [1, 2] {
        killed(&mosquitto, qos);
        killed(&ours, qos);
    }
}

fn killed(iotctl: &dyn Fn(&str) -> Line, qos: u8) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("out");
    let session = format!("sub -t a/{qos} -q {qos} -c -i keeper-{qos}");
    iotctl(&format!("{session} -E")).run().exits(0);
    let publish = format!("pub -t a/{qos} -q {qos} -l");
    iotctl(&publish).input("0\n1\n2\n3\n4\n").run().exits(0);
    // It ends with its parent, which is killed.
    let stuck =
        "cat >> \"$OUT\"; echo >> \"$OUT\"; while kill -0 $PPID; do sleep 0.02; done 2>/dev/null";
    let line = iotctl(&format!("{session} --workers 2"));
    let receiver = running(line, stuck, &file).start();
    wait_for("two commands", || (lines(&file).len() == 2).then_some(()));
    receiver.signal("KILL");
    receiver.ends();
    fs::remove_file(&file).unwrap();
    let append = "cat >> \"$OUT\"; echo >> \"$OUT\"";
    running(iotctl(&format!("{session} -C 5")), append, &file)
        .run()
        .exits(0);
    assert_eq!(lines(&file), ["0", "1", "2", "3", "4"], "QoS {qos}");
}

#[test]
fn a_signal_lets_the_command_finish_and_acknowledges_its_message() {
    let mut broker = broker("");
    let folder = tempfile::tempdir().unwrap();
    let (file, gate) = (folder.path().join("out"), folder.path().join("gate"));
    let script = "echo began >> \"$OUT\"; while [ ! -e \"$GATE\" ]; do sleep 0.02; done; echo ended >> \"$OUT\"";
    let line = broker.iotctl("sub -t a -q 1 -c -i keeper");
    let receiver = running(line, script, &file).env("GATE", &gate).start();
    broker.sees_subscription("a");
    broker.iotctl("pub -t a -q 1 -m x").run().exits(0);
    wait_for("the command", || (!lines(&file).is_empty()).then_some(()));
    receiver.signal("TERM");
    fs::write(&gate, "").unwrap();
    receiver
        .ends()
        .exits(143)
        .says("interrupted after 1 message");
    assert_eq!(lines(&file), ["began", "ended"]);
    // It does not come again.
    broker.iotctl("pub -t a -q 1 -m y").run().exits(0);
    broker
        .iotctl("sub -t a -q 1 -c -i keeper -C 1")
        .run()
        .exits(0)
        .prints("y\n");
}

#[test]
fn conditions_choose_end_and_judge() {
    let mut broker = broker("");
    let receiver = broker
        .iotctl("sub -t t/# -v")
        .words("--filter")
        .word("/v > 20")
        .words("--until")
        .word("topic == t/last")
        .start();
    broker.sees_subscription("t/#");
    for (topic, body) in [
        ("t/a", "{\"v\":19}"),
        ("t/b", "{\"v\":21}"),
        ("t/last", "{\"v\":1}"),
        ("t/last", "{\"v\":30}"),
    ] {
        broker
            .iotctl(&format!("pub -t {topic} -m"))
            .word(body)
            .run()
            .exits(0);
    }
    receiver
        .ends()
        .exits(0)
        .prints("t/b {\"v\":21}\nt/last {\"v\":30}\n");
    let receiver = broker
        .iotctl("sub -t e --expect")
        .word("payload == on")
        .start();
    broker.sees_subscription("e");
    broker.iotctl("pub -t e -m on").run().exits(0);
    broker.iotctl("pub -t e -m off").run().exits(0);
    receiver
        .ends()
        .exits(7)
        .says("e: condition not met: payload == on")
        .prints("on\noff\n");
    let receiver = broker
        .iotctl("sub -t u -C 1 --until")
        .word("payload == on")
        .start();
    broker.sees_subscription("u");
    broker.iotctl("pub -t u -m off").run().exits(0);
    receiver
        .ends()
        .exits(7)
        .says("1 message, but none met the condition payload == on");
}

#[test]
fn a_command_gets_all_properties_or_the_whole_record() {
    let mut broker = broker("");
    let folder = tempfile::tempdir().unwrap();
    let (file, record) = (folder.path().join("out"), folder.path().join("record"));
    let script = "echo \"$IOTCTL_RETAIN $IOTCTL_MESSAGE_EXPIRY_INTERVAL $IOTCTL_PROPERTY_X_ID $IOTCTL_TIME\" > \"$OUT\"; cat > \"$RECORD\"";
    let line = broker.iotctl("sub -t a -q 1 -C 1 --exec-json");
    let receiver = running(line, script, &file).env("RECORD", &record).start();
    broker.sees_subscription("a");
    broker
        .iotctl("pub -t a -q 1 -m x -D publish message-expiry-interval 60 -D publish user-property x-id 7")
        .run()
        .exits(0);
    receiver.ends().exits(0);
    let said = lines(&file).remove(0);
    assert!(said.starts_with("false 60 7 20"), "{said}");
    let record = fs::read_to_string(&record).unwrap();
    assert!(
        record.contains("\"topic\":\"a\",\"payload\":\"x\",\"mqtt\":{\"qos\":1")
            && record.ends_with("}\n"),
        "{record}"
    );
    // It is an input as any recording is.
    broker.iotctl("pub --ndjson").input(record).run().exits(0);
}

#[test]
fn a_message_that_no_command_can_get_does_not_stop_the_rest() {
    let mut broker = broker("");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("out");
    let line = broker.iotctl("sub -t a -q 1 -C 2");
    let receiver = running(line, "cat > \"$OUT\"", &file).start();
    broker.sees_subscription("a");
    // Longer together than one variable may be.
    broker
        .iotctl("pub -t a -q 1 -m poison -D publish user-property")
        .word("n".repeat(65_535))
        .word("v".repeat(65_535))
        .run()
        .exits(0);
    broker.iotctl("pub -t a -q 1 -m good").run().exits(0);
    receiver
        .ends()
        .exits(1)
        .says("a message to a is too large for an environment")
        .says("received 2 messages: 1 processed, 1 failed")
        .says("the command failed for 1 of 2 messages");
    assert_eq!(lines(&file), ["good"]);
}

/// Ends what it started: a command that would run for a minute.
fn endless(words: &str) -> (Duration, crate::support::command::Ended) {
    let mut broker = broker("");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("out");
    let script = "echo began >> \"$OUT\"; exec sleep 60";
    let line = broker.iotctl(&format!("sub -t a -q 1 {words}"));
    let receiver = running(line, script, &file).start();
    broker.sees_subscription("a");
    broker.iotctl("pub -t a -q 1 -m x").run().exits(0);
    wait_for("the command", || (!lines(&file).is_empty()).then_some(()));
    let began = Instant::now();
    if words.is_empty() {
        receiver.signal("TERM");
    }
    let ended = receiver.ends();
    (began.elapsed(), ended)
}

#[test]
fn a_command_that_does_not_end_is_given_up() {
    let (took, ended) = endless("");
    ended
        .exits(143)
        .says("received 1 message: 0 processed, 1 not acknowledged");
    assert!(took < Duration::from_secs(40), "{took:?}");
    let (took, ended) = endless("--for 1s");
    ended
        .exits(5)
        .says("timed out: the command still has 1 message");
    assert!(took < Duration::from_secs(40), "{took:?}");
}

/// Sends for as long as the client reads.
fn flood(stream: &mut TcpStream, _: usize) {
    subscribed(stream, &[0]);
    let batch = publish("a", 0, 0, b"0123456789").repeat(1000);
    while stream.write_all(&batch).is_ok() {}
}

#[test]
fn a_deadline_and_a_signal_hold_under_a_flood_and_with_a_reader_that_stalls() {
    let peer = Peer::start(flood);
    let sub = |words: &str| {
        let mut line = format!("mqtt sub -h 127.0.0.1 -p {} -t a", peer.port);
        line = format!("{line} {words}");
        let mut command = iotctl(&line).into_command();
        command.stdin(Stdio::null()).stderr(Stdio::piped());
        command
    };
    let mut child = sub("--for 500ms");
    finish(child.stdout(Stdio::null()).spawn().unwrap()).exits(0);
    // Nobody reads the pipe, which is soon full.
    for (words, code, said) in [
        ("--for 500ms", 5, "timed out: standard output still has"),
        ("-W 500ms", 5, "timed out after"),
    ] {
        let mut child = sub(words).stdout(Stdio::piped()).spawn().unwrap();
        let stdout = child.stdout.take();
        finish(child).exits(code).says(said);
        drop(stdout);
    }
}

#[test]
fn fields_are_conditions_and_wrong_ones_are_refused() {
    let mut broker = broker("");
    let receiver = broker
        .iotctl("sub -t a -q 1 -C 1 --filter")
        .word("qos == 1")
        .word("--filter")
        .word("property.room == kitchen")
        .start();
    broker.sees_subscription("a");
    let kitchen = "-D publish user-property room kitchen";
    for words in [
        String::from("-q 1"),
        kitchen.into(),
        format!("-q 1 {kitchen}"),
    ] {
        broker
            .iotctl(&format!("pub -t a -m x {words}"))
            .run()
            .exits(0);
    }
    receiver
        .ends()
        .exits(0)
        .prints("x\n")
        .says_only("iotctl: received 3 messages: 1 processed, 2 filtered out\n");
    for (condition, said) in [
        ("qoss == 1", "did you mean qos?"),
        (
            "redelivered == true",
            "\"redelivered\" is not a field of MQTT messages",
        ),
    ] {
        iotctl("mqtt sub -h no-such-host.invalid -t a --until")
            .word(condition)
            .run()
            .exits(2)
            .says(said);
    }
}

#[test]
fn bodies_are_decompressed_and_decoded() {
    let mut broker = broker("");
    let receiver = broker
        .iotctl("sub -t a -C 3 --decompress --decode --filter")
        .word("/v > 20")
        .start();
    broker.sees_subscription("a");
    let cbor = "-D publish content-type application/cbor --hex -m";
    // {"v": 21} and {"v": 19} in CBOR, {"v":22} as gzip.
    for body in ["a1617615", "a1617613"] {
        broker
            .iotctl(&format!("pub -t a {cbor} {body}"))
            .run()
            .exits(0);
    }
    let gzip = "1f8b08000000000002ffab562a53b23232aa05006998fdd108000000";
    let json = "-D publish content-type application/json";
    broker
        .iotctl(&format!("pub -t a {json} --hex -m {gzip}"))
        .run()
        .exits(0);
    broker
        .iotctl(&format!("pub -t a {json} -m"))
        .word("{\"v\":23}")
        .run()
        .exits(0);
    receiver
        .ends()
        .exits(0)
        .prints("{\n  \"v\": 21\n}\n{\n  \"v\": 22\n}\n{\n  \"v\": 23\n}\n");
    let receiver = broker
        .iotctl("sub -t h -C 1 --decode=hex --output json --filter")
        .word("payload == hi")
        .start();
    broker.sees_subscription("h");
    broker.iotctl("pub -t h -m 6869").run().exits(0);
    let shown = receiver.ends().exits(0);
    assert!(
        shown.text().contains("\"payload\":\"hi\""),
        "{}",
        shown.text()
    );
    iotctl("mqtt sub -t a --decode --output raw")
        .run()
        .exits(2)
        .says("--decode needs --output text, json, csv, tsv or logfmt, or -F");
}

/// A shell that ends when there is a file at `GATE`.
const GATED: &str = "echo began >> \"$OUT\"; while [ ! -e \"$GATE\" ]; do sleep 0.02; done";

#[test]
fn acknowledgements_that_did_not_arrive_are_a_failure() {
    let (sender, go) = channel();
    let peer = Peer::start(move |stream, _| {
        subscribed(stream, &[1]);
        for id in [1, 2] {
            send(stream, &publish("a", 1, id, b"x"));
        }
        go.recv().unwrap();
    });
    let folder = tempfile::tempdir().unwrap();
    let (file, gate) = (folder.path().join("out"), folder.path().join("gate"));
    let words = "-t a -q 1 -c -i x -C 2 --workers 2";
    let line = iotctl(&format!("mqtt sub -h 127.0.0.1 -p {} {words}", peer.port));
    let receiver = running(line, GATED, &file).env("GATE", &gate).start();
    wait_for("two commands", || (lines(&file).len() == 2).then_some(()));
    // The server goes away while they run, which nobody notices as it is not read.
    sender.send(()).unwrap();
    peer.result();
    fs::write(&gate, "").unwrap();
    receiver
        .ends()
        .exits(6)
        .says("was lost before it had the last acknowledgements; messages may be redelivered");
}

/// Answers PINGREQ until the connection ends.
fn pongs(stream: &mut TcpStream) {
    while let Some((first, _)) = read_packet(stream) {
        if first == 0xc0 {
            send(stream, &[0xd0, 0]);
        }
    }
}

#[test]
fn a_message_that_comes_again_after_a_reconnect_counts_once() {
    let peer = Peer::start(|stream, number| {
        if number == 0 {
            subscribed(stream, &[1]);
            for (id, body) in [(1, b"1"), (2, b"2")] {
                send(stream, &publish("a", 1, id, body));
                read_until(stream, 0x40).unwrap();
            }
            // It goes down before it has written the acknowledgements down.
            return;
        }
        read_packet(stream).unwrap();
        send(stream, &[0x20, 3, 1, 0, 0]);
        // The third was sent before as well, and never read here.
        for (id, body) in [(1, b"1"), (2, b"2"), (3, b"3")] {
            let mut packet = publish("a", 1, id, body);
            packet[0] |= 8;
            send(stream, &packet);
        }
        pongs(stream);
    });
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("out");
    let words = "-t a -q 1 -c -i x -C 3";
    let line = iotctl(&format!("mqtt sub -h 127.0.0.1 -p {} {words}", peer.port));
    let append = "cat >> \"$OUT\"; echo >> \"$OUT\"";
    running(line, append, &file)
        .run()
        .exits(0)
        .says("reconnected to mqtt://127.0.0.1:");
    assert_eq!(lines(&file), ["1", "2", "1", "2", "3"]);
}

/// Whether a process has ended, be it that nobody has waited for it.
fn is_gone(process: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{process}/stat"));
    stat.map_or(true, |stat| stat.contains(") Z ") || stat.contains(") X "))
}

#[test]
fn whatever_ends_at_once_ends_its_commands_and_what_they_started() {
    let mut broker = broker("");
    for (words, code) in [
        ("--drain 1h", 143),
        ("-W 2s", 5),
        ("--for 1s --drain 0s", 5),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("out");
        let script = "sleep 1000 & echo \"$$ $!\" >> \"$OUT\"; wait";
        let line = broker.iotctl(&format!("sub -t a -q 1 -C 1 {words}"));
        let receiver = running(line, script, &file).start();
        broker.sees_subscription("a");
        broker.iotctl("pub -t a -q 1 -m x").run().exits(0);
        wait_for("the command", || (!lines(&file).is_empty()).then_some(()));
        if code == 143 {
            let id = receiver.id().to_string();
            // The second one that it sees.
            wait_for("its end", || {
                receiver.signal("TERM");
                is_gone(&id).then_some(())
            });
        }
        receiver.ends().exits(code);
        let processes = lines(&file).remove(0);
        wait_for("the end of its commands", || {
            processes.split(' ').all(is_gone).then_some(())
        });
    }
}

#[test]
fn what_a_command_leaves_behind_when_it_ends_goes_on() {
    let mut broker = broker("");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("out");
    let script =
        "(while [ ! -e \"$GATE\" ]; do sleep 0.02; done; echo ended >> \"$OUT\") >/dev/null 2>&1 &";
    let gate = folder.path().join("gate");
    let line = broker.iotctl("sub -t a -q 1 -C 1");
    let receiver = running(line, script, &file).env("GATE", &gate).start();
    broker.sees_subscription("a");
    broker.iotctl("pub -t a -q 1 -m x").run().exits(0);
    receiver.ends().exits(0);
    fs::write(&gate, "").unwrap();
    wait_for("its last word", || {
        (lines(&file) == ["ended"]).then_some(())
    });
}

#[test]
fn a_command_may_take_as_long_as_drain_says() {
    let mut broker = broker("");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("out");
    // Longer than usual.
    let script = "echo began >> \"$OUT\"; sleep 5; echo ended >> \"$OUT\"";
    let line = broker.iotctl("sub -t a -q 1 --drain 80s");
    let receiver = running(line, script, &file).start();
    broker.sees_subscription("a");
    broker.iotctl("pub -t a -q 1 -m x").run().exits(0);
    wait_for("the command", || (!lines(&file).is_empty()).then_some(()));
    receiver.signal("TERM");
    receiver
        .ends()
        .exits(143)
        .says("interrupted after 1 message");
    assert_eq!(lines(&file), ["began", "ended"]);
}

#[test]
fn the_time_of_a_command_and_what_is_filtered_out_are_no_silence() {
    let mut broker = broker("");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("out");
    let line = broker.iotctl("sub -t a -q 1 --idle 2s");
    let receiver = running(line, "cat >> \"$OUT\"; echo >> \"$OUT\"; sleep 4", &file).start();
    broker.sees_subscription("a");
    broker
        .iotctl("pub -t a -q 1 -l")
        .input("1\n2\n")
        .run()
        .exits(0);
    receiver.ends().exits(0);
    assert_eq!(lines(&file), ["1", "2"]);
}
