//! Input that is refused before a connection is made: one line that names it, exit code 2, or 8 for files.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

use crate::support::command::{Ended, Line, iotctl, program};
use crate::support::peer::{Peer, rest};

/// Runs `iotctl mqtt COMMAND` with an address where every connection is counted, and checks that there was none
/// and that one line was said, with or without a hint.
fn refused(command: &str, code: i32, change: impl FnOnce(Line) -> Line) -> Ended {
    let peer = Peer::start(|stream, _| rest(stream));
    let (name, words) = command.split_once(' ').unwrap_or((command, ""));
    let line = iotctl(&format!(
        "mqtt {name} -h 127.0.0.1 -p {} {words}",
        peer.port
    ));
    let ended = change(line).run().exits(code).prints("");
    assert_eq!(peer.others(), 0, "connected");
    let said: Vec<_> = ended.stderr.lines().collect();
    assert!(said[0].starts_with("iotctl: "), "{said:?}");
    let hints = said[1..].iter().all(|line| line.starts_with("hint: "));
    assert!(said.len() <= 2 && hints, "{said:?}");
    ended
}

fn words(command: &str, words: &str) -> Ended {
    refused(command, 2, |line| line.words(words))
}

fn word(command: &str, word: impl Into<OsString>) -> Ended {
    let word = word.into();
    refused(command, 2, |line| line.word(word))
}

#[test]
fn topics_to_publish_to() {
    for (topic, why) in [
        ("a/#", "contains the wildcard #"),
        ("+", "contains the wildcard +"),
        ("", "topic is empty"),
    ] {
        word("pub -m x -t", topic).says(why);
        word("pub -m x -t a --will-topic", topic).says(why);
        word("pub -m x -t a -t", topic).says(why);
    }
    word("pub -m x -t", "t".repeat(70_000)).says("longer than 65535 bytes (70000)");
    word("pub -m x -t", OsString::from_vec(b"a\xff".to_vec())).says("not valid UTF-8");
}

#[test]
fn filters_to_subscribe_to() {
    for (filter, why) in [
        ("a/#/b", "# must be the last level"),
        ("a#", "# must occupy an entire level"),
        ("a+/b", "+ must occupy an entire level"),
        ("", "filter is empty"),
        ("$share/g", "no filter after the share name"),
        ("$share//a", "the share name is empty"),
        ("a;qos=3", "QoS is 0, 1 or 2"),
        ("a;what", "unknown option"),
    ] {
        word("sub -t", filter).says(why);
    }
    for flag in ["-T", "-U"] {
        word(&format!("sub -t a {flag}"), "a/#/b").says("# must be the last level");
    }
    word("sub -t", "t".repeat(70_000)).says("longer than 65535 bytes (70000)");
    word("sub -t", OsString::from_vec(b"\xc3".to_vec())).says("not valid UTF-8");
}

#[test]
fn numbers_and_names() {
    words("pub -t a -m x", "-q 3").says("QoS is 0, 1 or 2");
    words("sub -t a", "-q -1").says("-1");
    words("sub -t a", "-V 4").says("expected 31, 311 or 5");
    words("sub -t a", "-k 65536").says("65535");
    words("sub -t a", "-C 0").says("-C must be at least 1");
    words("sub -t a", "-C x").says("whole number");
    words("sub -t a", "-W 0").says("it must be more than 0");
    words("pub -t a -m x", "--repeat 0").says("--repeat must be at least 1");
    words("pub -t a -m x", "-M 0").says("0");
    words("pub -t a -m x", "--max-packet-size 0").says("packet");
    words("sub -t a", "-F %y").says("%y");
    words("sub -t a", "--output xml").says("xml");
    words("sub -t a", "-c").says("-i ID");
    iotctl("mqtt sub -t a -p 0").run().exits(2).says("0");
    iotctl("mqtt sub -t a -p 65536")
        .run()
        .exits(2)
        .says("65536");
}

#[test]
fn what_only_mqtt_5_has() {
    for version in ["31", "311"] {
        for (command, flag) in [
            ("pub -t a -m x", "-D publish content-type x"),
            ("pub -t a -m x", "-D connect user-property a b"),
            ("pub -t a -m x", "-x 10"),
            ("sub -t a", "-x 10"),
            ("sub -t a", "--no-local"),
            ("sub -t a", "--retain-as-published"),
            ("sub -t a", "--retain-handling new"),
            ("sub", "-t a;nl"),
        ] {
            words(command, &format!("-V {version} {flag}"))
                .says(&format!("needs MQTT 5, not -V {version}"));
        }
    }
}

#[test]
fn properties() {
    for (text, why) in [
        ("publish colour red", "colour"),
        ("publish content-type", "is missing an argument"),
        (
            "publish message-expiry-interval x",
            "message-expiry-interval",
        ),
        (
            "publish payload-format-indicator 2",
            "payload-format-indicator",
        ),
        ("publish response-topic a/+", "wildcard"),
        (
            "publish session-expiry-interval 5",
            "not allowed in PUBLISH",
        ),
        ("connect receive-maximum 0", "receive-maximum"),
        ("subscribe user-property a b", "sends no subscribe"),
        ("will content-type x", "--will-topic"),
        ("nonsense a b", "must be one of publish"),
    ] {
        let ended = refused("pub -t a -m x", 2, |line| line.words("-D").words(text));
        ended.says(why);
    }
}

#[test]
fn messages() {
    words("pub -t a", "").says("there is nothing to publish");
    words("pub -t a", "-m x -n").says("cannot be used with");
    words("pub -m x", "").says("no topic");
    words("sub", "").says("no topic");
    words("pub -t a", "--hex -m 0").says("-m: not ");
    words("pub -t a", "--hex -m 0g").says("-m: not ");
    words("pub -t a", "--base64 -m ?").says("-m: not ");
    words("pub -t a", "-l --repeat 2").says("--repeat");
    words("pub -t a -m x", "--will-payload x").says("--will-topic");
}

#[test]
fn files_that_are_missing() {
    for (command, flag) in [
        ("pub -t a", "-f"),
        ("pub -t a -m x --will-topic w", "--will-payload-file"),
        ("pub -t a -m x -u u", "--password-file"),
        ("sub -t a", "--cafile"),
        ("sub -t a", "--capath"),
    ] {
        refused(command, 8, |line| {
            line.words(flag).word("/nonexistent/file")
        })
        .says("cannot read /nonexistent/file: no such file or directory");
    }
    refused("pub -t a", 8, |line| line.words("-f /")).says("cannot read /: is a directory");
}

/// What cannot be read is 8; what can be and is not text is the user's mistake like any other in a file.
#[test]
fn files_that_are_not_text() {
    let folder = tempfile::TempDir::new().unwrap();
    let here = |name: &str| folder.path().join(name);
    std::fs::write(here("utf16"), b"\xff\xfea\0\n\0").unwrap();
    std::fs::write(here("latin1"), b"# one\nna\xefve\n").unwrap();
    for command in [
        "route",
        "route --check",
        "simulate --check",
        "bench run",
        "amqp apply",
        "ota rollout",
        "mqtt sub -t a --topics-file",
        "mqtt broker --listen 127.0.0.1:0 --acl-file",
        "bridge mqtt://127.0.0.1:1 --import",
        "log mqtt://127.0.0.1:1 --to influx2://127.0.0.1:1/o/b --to-password-file",
    ] {
        for (name, why) in [
            ("utf16", ":1: the text is UTF-16; save it as UTF-8"),
            ("latin1", ":2: the text is not UTF-8"),
        ] {
            let file = here(name);
            let said = format!("{}{why}", file.display());
            iotctl(command).word(&file).run().exits(2).says(&said);
        }
        let missing = here("missing");
        let said = format!("cannot read {}: no such file", missing.display());
        iotctl(command).word(&missing).run().exits(8).says(&said);
    }
    let config = iotctl("mqtt sub -t a --context x").env("IOTCTL_CONFIG", here("latin1"));
    config.run().exits(2).says(":2: the text is not UTF-8");
    // A name without a slash and a point is that of a context; a file is named so.
    let watch = |name: &str| {
        let line =
            program("sh", "-c").word(format!("cd '{}' && exec {name}", folder.path().display()));
        line.env("XDG_CONFIG_HOME", "/nonexistent").run()
    };
    let iotctl = env!("CARGO_BIN_EXE_iotctl");
    watch(&format!("{iotctl} watch ./nothing")).exits(8);
    watch(&format!("{iotctl} watch nothing"))
        .exits(2)
        .says("unknown context \"nothing\"");
    watch(&format!("{iotctl} watch utf16"))
        .exits(2)
        .says("unknown context \"utf16\"")
        .says("hint: write ./utf16 for the file");
}

#[test]
fn a_will_that_is_too_long() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("will");
    std::fs::write(&file, vec![b'x'; 70_000]).unwrap();
    refused(
        "pub -t a -m x --will-topic w --will-payload-file",
        2,
        |line| line.word(&file),
    )
    .says("70000 bytes is longer than 65535");
}

#[test]
fn contexts_and_the_environment() {
    refused("sub -t a", 2, |line| line.words("--context nowhere")).says("nowhere");
    refused("sub -t a", 2, |line| line.env("IOTCTL_CONTEXT", "nowhere")).says("nowhere");
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("iotctl")).unwrap();
    let file = folder.path().join("iotctl/config.toml");
    std::fs::write(&file, "this is = = no TOML\n").unwrap();
    refused("sub -t a", 2, |line| {
        line.words("--context any")
            .env("XDG_CONFIG_HOME", folder.path())
    })
    .says("config.toml");
    refused("sub -t a", 2, |line| {
        line.env("IOTCTL_CONNECT_TIMEOUT", "soon")
    })
    .says("IOTCTL_CONNECT_TIMEOUT");
}

#[test]
fn addresses() {
    for (url, why) in [
        ("http://h", "http"),
        ("mqtt://", "host"),
        ("mqtt://h:99999", "99999"),
        ("mqtt://[::1", "::1"),
        ("mqtt://h/%zz", "%zz"),
    ] {
        let ended = iotctl("mqtt sub -t a").word(url).run().exits(2);
        ended.says(why);
    }
    iotctl("mqtt sub -t a mqtt://h -h h").run().exits(2);
    iotctl("mqtt pub mqtt://127.0.0.1:1/a/%23 -m x")
        .run()
        .exits(2)
        .says("wildcard #");
    iotctl("mqtt sub mqtt://127.0.0.1:1/a/%23/b")
        .run()
        .exits(2)
        .says("# must be the last level");
}

#[test]
fn a_password_without_a_user_before_mqtt_5() {
    refused("pub -t a -m x -V 311", 2, |line| line.words("-P secret"))
        .says("a password needs a user name");
}

#[test]
fn a_password_is_never_shown() {
    for line in [
        iotctl("mqtt pub -t a/# -m x -u u -P hunter2"),
        iotctl("mqtt pub -t a -m x mqtt://u:hunter2@127.0.0.1:1"),
        iotctl("mqtt pub -t a -m x mqtt://u:hunter2@h:99999"),
        iotctl("mqtt pub -t a -m x mqtt://u:hunter2@[::1"),
        iotctl("mqtt pub -t a -m x -p 1 -u u").env("IOTCTL_PASSWORD", "hunter2"),
    ] {
        let ended = line.run();
        assert_ne!(ended.code, 0);
        assert!(!ended.stderr.contains("hunter2"), "{}", ended.stderr);
    }
}

#[test]
fn what_the_broker_is_told() {
    for (text, code, why) in [
        ("--listen nowhere", 2, "nowhere"),
        ("--listen http://127.0.0.1:0", 2, "schemes"),
        ("--listen 127.0.0.1:99999", 2, "99999"),
        ("--listen mqtts://127.0.0.1:0", 2, "--cert and --key"),
        ("--fault nonsense", 2, "unknown fault nonsense"),
        ("--fault close", 2, "needs after=N or every=N"),
        ("--max-qos 3", 2, "QoS is 0, 1 or 2"),
        (
            "--password-file /nonexistent",
            8,
            "cannot read /nonexistent",
        ),
        ("--acl-file /nonexistent", 8, "cannot read /nonexistent"),
    ] {
        let line = iotctl("mqtt broker").words(text);
        let line = if text.contains("--listen") {
            line
        } else {
            line.words("--listen 127.0.0.1:0")
        };
        line.run().exits(code).says(why).prints("");
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    for (flag, text, why) in [
        ("--password-file", "no colon\n", "file"),
        ("--acl-file", "topic write\nnonsense x\n", "file"),
    ] {
        std::fs::write(&file, text).unwrap();
        iotctl("mqtt broker --listen 127.0.0.1:0")
            .words(flag)
            .word(&file)
            .run()
            .exits(2)
            .says(why);
    }
}

#[test]
fn a_port_that_is_taken_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let ended = iotctl(&format!("mqtt broker --listen {address}")).run();
    ended
        .exits(8)
        .says(&address.to_string())
        .says("in use")
        .prints("");
}

#[test]
fn records_are_refused_by_their_line() {
    for (input, why) in [
        ("{\"topic\":\"a\"}\n", "payload"),
        ("nonsense\n", "JSON"),
        ("{\"topic\":\"a/#\",\"payload\":\"x\"}\n", "wildcard"),
        (
            "{\"topic\":\"a\",\"payload\":\"x\",\"payload_base64\":\"eA==\"}\n",
            "payload",
        ),
        ("{\"topic\":\"a\",\"payload_base64\":\"?\"}\n", "base64"),
        (
            "{\"topic\":\"a\",\"payload\":\"x\",\"mqtt\":{\"qos\":3}}\n",
            "mqtt.qos: 3 is not one of 0, 1, 2",
        ),
        ("{\"payload\":\"x\"}\n", "topic"),
    ] {
        // What stands on standard input is read only once there is a connection.
        let broker = crate::support::broker::broker("");
        let ended = broker.iotctl("pub --ndjson").input(input).run().exits(2);
        ended.says(why);
    }
}

/// Mistakes that are often made, and the answers to them.
#[test]
fn what_others_write_is_answered() {
    for (line, says) in [
        ("alert - -t t --above 30C", "\"30C\" is not a number"),
        ("alert - -t t --above 1 -q 3", "a whole number from 0 to 2"),
        ("bench mqtt --processes -5", "must not be negative"),
        ("bench mqtt --processes zz", "a whole number from 1 to 1024"),
        ("simulate --preview zz", "expected a whole number from 0"),
        (
            "bridge mqtt://h mqtt://g --retries zz",
            "expected a whole number from 0",
        ),
        (
            "watch --web zz",
            "\"zz\" is not an address to listen on, such as 127.0.0.1:8080",
        ),
        (
            "simulate --listen unix:/x",
            "is not an address to listen on, such as 127.0.0.1:8080",
        ),
        ("bench mqtt --assert p(95)<500", "did you mean p95?"),
        ("bench mqtt --csv -", "standard output has the report"),
        ("simulate f --save-json -", "standard output has the report"),
        (
            "simulate --assert foo==3",
            "unknown counter foo; there are ",
        ),
        (
            "mqtt sub -t a mqtt:127.0.0.1",
            "hint: write mqtt://127.0.0.1\n",
        ),
        ("coap get coap://h/a --format json", "use --output json"),
        (
            "coap get coap://h/a -o json",
            "use --output json, or -o ./json for a file",
        ),
        ("bench mqtt mqtt://h -o r.json", "use --save-json r.json"),
        ("bench coap coap://h -o r.html", "use --html r.html"),
        (
            "simulate mqtt://h f.toml -o totals.json",
            "use --save-json totals.json",
        ),
        ("replay a.ndjson -o out.ndjson", "use --to out.ndjson"),
        (
            "mqtt sub mqtt://h -t a -o out.txt",
            "use --output-file out.txt",
        ),
        ("mqtt sub mqtt://h -t a -o json", "use --output json"),
        ("mqtt ping -c 3", "use -C 3"),
        ("mqtt ping mqtt://h -c 3", "use -C 3"),
        ("mqtt ping -c -i x mqtt://h", "use -C COUNT"),
        ("mqtt probe mqtt://h -c -i x", "no session is kept"),
        ("mqtt sys mqtt://h -x 10", "no session is kept"),
        (
            "bench mqtt --run-id 9007199254740992",
            "from 1 to 9007199254740991",
        ),
        ("coap get nothing", "invalid URI \"nothing\": no scheme"),
        (
            "coap put coap://h/a hello",
            "\"hello\" is taken as a second URI",
        ),
        ("alert ls", "did you mean `iotctl alert list`?"),
        ("alert status x", "did you mean `iotctl alert list`?"),
        ("mqtt sub -p 1 a/b", "\"a/b\" is not a URL"),
        (
            "mqtt sub -t a --filter payload.temp>3",
            "a value of a JSON payload is /temp",
        ),
        (
            "mqtt sub -t a --filter select(.temp>3)",
            "an expression of jq begins with jq:",
        ),
    ] {
        iotctl(line).run().exits(2).prints("").says(says);
    }
    for line in ["watch localhost", "bridge localhost mqtt://h"] {
        let line = iotctl(line).env("XDG_CONFIG_HOME", "/nonexistent");
        line.run().exits(2).says("hint: write mqtt://localhost");
    }
    for condition in ["payload == 'on'", "payload == on AND size < 5"] {
        for flag in ["--filter", "--until", "--expect"] {
            word(&format!("sub -t a {flag}"), condition).says("write ");
        }
        let alert = iotctl("alert - -t t --when").word(condition);
        alert.run().exits(2).says("write ");
    }
}

#[test]
fn an_alert_without_a_journal_is_not_there() {
    let folder = tempfile::tempdir().unwrap();
    for (line, name) in [("alert list nosuch", "nosuch"), ("alert list", "alert")] {
        let line = iotctl(line).env("XDG_STATE_HOME", folder.path());
        line.run()
            .exits(2)
            .says(&format!("no alert is named {name}\n"));
    }
}

#[test]
fn the_text_of_a_message_that_names_a_file_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("body");
    std::fs::write(&file, "x").unwrap();
    let broker = crate::support::broker::broker("");
    let text = format!("@{}", file.display());
    let sent = broker.iotctl("pub -t a -m").word(&text).run().exits(0);
    sent.says(&format!("-f {} sends the file", file.display()));
    let other = broker.iotctl("pub -t a -m @nobody").run().exits(0);
    assert!(!other.stderr.contains("-f "), "{}", other.stderr);
}
