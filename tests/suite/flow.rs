//! What every command that receives can do with a message beside showing it: `--exec`, `--filter`, `--until`, `--expect`.

use std::fs;
use std::path::Path;

use crate::support::broker::broker;
use crate::support::command::Line;
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
    for qos in [1, 2] {
        let mut broker = broker("");
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("out");
        let session = format!("sub -t a -q {qos} -c -i keeper");
        // It ends with its parent, which is killed.
        let stuck = "cat >> \"$OUT\"; echo >> \"$OUT\"; while kill -0 $PPID; do sleep 0.02; done 2>/dev/null";
        let line = broker.iotctl(&format!("{session} --workers 2"));
        let receiver = running(line, stuck, &file).start();
        broker.sees_subscription("a");
        for number in 0..5 {
            broker
                .iotctl(&format!("pub -t a -q {qos} -m {number}"))
                .run()
                .exits(0);
        }
        wait_for("two commands", || (lines(&file).len() == 2).then_some(()));
        receiver.signal("KILL");
        receiver.ends();
        fs::remove_file(&file).unwrap();
        let append = "cat >> \"$OUT\"; echo >> \"$OUT\"";
        running(broker.iotctl(&format!("{session} -C 5")), append, &file)
            .run()
            .exits(0);
        assert_eq!(lines(&file), ["0", "1", "2", "3", "4"], "QoS {qos}");
    }
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
