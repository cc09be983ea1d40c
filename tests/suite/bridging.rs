//! `bridge`: what it refuses before it connects, with what would be right, and what it takes from mosquitto.conf.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::Value;

use crate::support::broker::broker;
use crate::support::command::{Ended, iotctl};
use crate::support::peer::{Peer, read_until, refuse, welcome};
use crate::support::rabbitmq::{rabbitmq, unique};
use crate::support::wait_for;

/// What a bridge says that never begins.
fn refused(ends: &str, lines: &[&str]) -> Ended {
    let line = iotctl(&format!("bridge {ends}"));
    let line = lines.iter().fold(line, |line, it| line.word("-t").word(it));
    line.run().exits(2)
}

#[test]
fn a_shared_subscription_and_a_wildcard_in_a_path_are_refused() {
    let two = "mqtt://127.0.0.1:1 mqtt://127.0.0.1:2";
    let said = "is a shared subscription, which a bridge does not have: write x/#";
    refused(two, &["$share/g/x/# out 1"]).says(said);
    refused(two, &["x/# in 1 \"\" $share/g/"]).says(said);
    let said = "the path has a wildcard, +, in it";
    refused("mqtt://127.0.0.1:1 coap://127.0.0.1/x/+", &["# out"]).says(said);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("records.ndjson");
    std::fs::write(&file, "{\"topic\":\"a\",\"payload\":\"x\"}\n").unwrap();
    iotctl("replay")
        .word(&file)
        .words("--to coap://127.0.0.1/x/+")
        .run()
        .exits(2)
        .says(said);
}

#[test]
fn maps_of_one_server_that_feed_each_other_are_refused_with_what_parts_them() {
    let again = "would loop";
    let lines = ["a/# out 1 \"\" b/", "b/# out 1 \"\" a/"];
    for other in ["127.0.0.1", "localhost", "[::1]", "LOCALHOST"] {
        let ends = format!("mqtt://127.0.0.1:1 mqtt://{other}:1");
        refused(&ends, &lines)
            .says(again)
            .says("such as -t 'b/# out 1 \"\" bridged/a/'");
        refused(&ends, &["a/# out 1"]).says("such as -t 'a/# out 1 \"\" bridged/'");
    }
    // Apart, as the hint has it, and on another port.
    for (other, second) in [(1, "b/# out 1 \"\" bridged/a/"), (2, lines[1])] {
        iotctl(&format!(
            "bridge mqtt://127.0.0.1:1 mqtt://localhost:{other}"
        ))
        .words("-t")
        .word(lines[0])
        .words("-t")
        .word(second)
        .run()
        .exits(3);
    }
    refused("mqtt://127.0.0.1:1 coap://127.0.0.1:2", &["# both 1"])
        .says("such as -t '# out 1 \"\" out/' -t '# in 1 \"\" in/'");
}

#[test]
fn routes_of_one_server_by_two_names_that_feed_each_other_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("routes.toml");
    let routes = |second: &str| {
        format!(
            "[source.a]\nurl = \"mqtt://localhost:1\"\n[target.b]\nurl = \"mqtt://127.0.0.1:1\"\n\
             [[route]]\ntopic = \"x/#\"\ntopic-out = \"y/{{topic}}\"\nto = \"b\"\n\
             [[route]]\ntopic = \"y/#\"\ntopic-out = \"{second}/{{topic}}\"\nto = \"b\"\n"
        )
    };
    let check = || iotctl("route").word(&file).word("--check").run();
    std::fs::write(&file, routes("x")).unwrap();
    check()
        .exits(2)
        .says("route 1: its messages come back to it by way of route 2")
        .says("such as topic-out = \"routed/{topic}\"");
    std::fs::write(&file, routes("routed")).unwrap();
    check().exits(0);
}

#[test]
fn a_printed_file_has_the_user_and_no_password() {
    let printed = iotctl(
        "bridge mqtt://me:hidden@a.example amqps://you@b.example --print-config --on-refused mqtts://him:secret@c",
    )
    .run()
    .exits(0);
    let text = printed.text();
    for kept in [
        "mqtt://me@a.example",
        "amqps://you@b.example",
        "mqtts://him@c",
    ] {
        assert!(text.contains(kept), "{text}");
    }
    assert!(
        !text.contains("hidden") && !text.contains("secret"),
        "{text}"
    );
}

#[test]
fn refused_messages_go_to_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let rights = folder.path().join("rights");
    std::fs::write(&rights, "topic write ok/#\ntopic read #\n").unwrap();
    let mut one = broker("");
    let two = broker(&format!("--acl-file {}", rights.display()));
    let file = folder.path().join("refused.ndjson");
    let ends = format!(
        "mqtt://127.0.0.1:{} mqtt://127.0.0.1:{}",
        one.port, two.port
    );
    let mut bridge = iotctl(&format!("bridge {ends} --on-refused"))
        .word(&file)
        .word("-t")
        .word("# out 1")
        .start();
    one.sees_subscription("#");
    for topic in ["no/1", "ok/1", "no/2"] {
        let line = format!("pub -t {topic} -m x -q 1");
        one.iotctl(&line).run().exits(0);
    }
    let letters = wait_for("two records", || {
        let text = std::fs::read_to_string(&file).ok()?;
        let letters = text.lines().map(serde_json::from_str::<Value>);
        let letters: Vec<Value> = letters.collect::<Result<_, _>>().ok()?;
        (letters.len() == 2).then_some(letters)
    });
    for (letter, topic) in letters.iter().zip(["no/1", "no/2"]) {
        assert_eq!(
            (&letter["topic"], &letter["payload"]),
            (&topic.into(), &"x".into())
        );
        let properties = letter["mqtt"]["user_properties"].as_array().unwrap();
        let reason = properties.iter().find(|it| it[0] == "iotctl-refused");
        assert!(
            reason.unwrap()[1]
                .as_str()
                .unwrap()
                .contains("not authorized")
        );
    }
    bridge.signal("TERM");
    bridge.hears("received 3 messages: 1 delivered, 2 dead-lettered");
    bridge.ends().exits(143);
    iotctl(&format!("bridge {ends} --on-refused refused.csv"))
        .run()
        .exits(2)
        .says("refused.csv is neither a server nor a file of records");
}

#[test]
fn what_amqp_refuses_has_its_topic_at_an_mqtt_server() {
    let rabbit = rabbitmq();
    let (mut one, mut letters) = (broker(""), broker(""));
    let topic = unique("un/routable");
    let ends = format!(
        "mqtt://127.0.0.1:{} amqp://127.0.0.1:{}",
        one.port, rabbit.port
    );
    let bridge = iotctl(&format!(
        "bridge {ends} --on-refused mqtt://127.0.0.1:{} -t",
        letters.port
    ))
    .word(format!("{topic} out 1"))
    .start();
    one.sees_subscription(&topic);
    let mut watcher = letters.iotctl("sub -t # -q 1 -v").start();
    letters.sees_subscription("#");
    let line = format!("pub -t {topic} -m x -q 1");
    one.iotctl(&line).run().exits(0);
    assert_eq!(watcher.line(), format!("{topic} x"));
    bridge.signal("TERM");
    bridge.ends().exits(143).says("1 dead-lettered");
}

/// A `mosquitto.conf` with a connection to this port.
fn conf(folder: &Path, port: u16, more: &str) -> std::path::PathBuf {
    let file = folder.join("mosquitto.conf");
    let text = format!("connection c\naddress 127.0.0.1:{port}\nnotifications false\n{more}");
    std::fs::write(&file, text).unwrap();
    file
}

/// Of several servers a bridge comes back to the first, unless the file says otherwise: which of two bridges does it.
#[test]
fn round_robin_stays_at_the_server_that_it_has() {
    let folder = tempfile::tempdir().unwrap();
    // Has no room until both are at the other server; then it tells who subscribes.
    let opened = Arc::new(AtomicBool::new(false));
    let open = Arc::clone(&opened);
    let first = Peer::start(move |stream, _| {
        if !open.load(Ordering::SeqCst) {
            refuse(stream, 0x88);
            return String::new();
        }
        welcome(stream);
        let filters = read_until(stream, 0x80).unwrap_or_default();
        String::from_utf8_lossy(&filters).into_owned()
    });
    let (from, mut second) = (broker(""), broker(""));
    let mut running = Vec::new();
    for (name, robin) in [("stays", true), ("returns", false)] {
        let file = folder.path().join(name);
        let text = format!(
            "connection {name}\naddresses 127.0.0.1:{} 127.0.0.1:{}\nround_robin {robin}\nnotifications false\ntopic {name}/# in 1\n",
            first.port, second.port
        );
        std::fs::write(&file, text).unwrap();
        let line = format!(
            "bridge mqtt://127.0.0.1:{} --retry forever --import",
            from.port
        );
        running.push(iotctl(&line).word(&file).start());
        // The one that stays was there first, and would be the first to come back.
        second.sees_subscription(&format!("{name}/#"));
    }
    opened.store(true, Ordering::SeqCst);
    running[1].hears("the first of the servers, is there again");
    let came = wait_for("who comes back", || {
        Some(first.result()).filter(|filters| !filters.is_empty())
    });
    assert!(came.contains("returns/#"), "{came}");
}

#[test]
fn what_mosquittos_file_says_is_used_or_told() {
    let folder = tempfile::tempdir().unwrap();
    let users = folder.path().join("users");
    std::fs::write(&users, "me:secret\n").unwrap();
    let mut one = broker(&format!("--password-file {}", users.display()));
    let mut two = broker("");
    let more = "topic # out 1\nlocal_username me\nlocal_password secret\nstart_type lazy\n\
                restart_timeout 5\nlistener 1884\nallow_anonymous true\n";
    let file = conf(folder.path(), two.port, more);
    let from = format!("mqtt://127.0.0.1:{}", one.port);
    let mut watcher = two.iotctl("sub -t # -q 1 -v").start();
    two.sees_subscription("#");
    let mut bridge = iotctl(&format!("bridge {from} --import"))
        .word(&file)
        .start();
    bridge.hears(":7: start_type lazy has no effect: the bridge stays connected");
    bridge.hears(":8: restart_timeout 5 has no effect");
    one.sees_subscription("#");
    one.iotctl("pub -u me -P secret -t a -m x -q 1")
        .run()
        .exits(0);
    assert_eq!(watcher.line(), "a x");
    bridge.signal("TERM");
    bridge.ends().exits(143);
    let file = conf(
        folder.path(),
        two.port,
        "topic # out 1\nbridge_tls_version tlsv1.2\n",
    );
    iotctl(&format!("bridge {from} --import"))
        .word(&file)
        .run()
        .exits(2)
        .says("connection c: bridge_tls_version is for TLS, which needs bridge_cafile");
}
