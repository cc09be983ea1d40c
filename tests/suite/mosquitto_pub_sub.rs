//! `mqtt pub` and `mqtt sub` against mosquitto 2.0, with mosquitto's own clients on the other side.

use std::fs;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::support::command::{Ended, Running, iotctl};
use crate::support::mosquitto::{Mosquitto, Settings, mosquitto};
use crate::support::peer::{self, Peer, publish, rest, send, welcome};

/// The ways to reach a broker: what they are called, and the words that take them.
fn ways(broker: &Mosquitto) -> Vec<(&'static str, String)> {
    let files = &broker.certificates;
    let ca = files.ca.display();
    let (cert, key) = (files.client.display(), files.client_key.display());
    vec![
        ("tcp", format!("mqtt://127.0.0.1:{}", broker.port)),
        ("host", format!("-h localhost -p {}", broker.port)),
        (
            "tls",
            format!("mqtts://localhost:{} --cafile {ca}", broker.tls_port),
        ),
        (
            "mutual tls",
            format!(
                "mqtts://127.0.0.1:{} --cafile {ca} --cert {cert} --key {key}",
                broker.mutual_tls_port
            ),
        ),
        (
            "ws",
            format!("ws://127.0.0.1:{}/mqtt", broker.websocket_port),
        ),
        ("unix", format!("--unix {}", broker.socket())),
    ]
}

/// A running `iotctl mqtt sub` that is subscribed.
fn subscribed(broker: &Mosquitto, filter: &str, words: &str) -> Running {
    let running = broker.iotctl(&format!("sub -t {filter} {words}")).start();
    broker.sees_subscriptions(filter, 1);
    running
}

/// What mosquitto_sub prints of one message.
fn one(broker: &Mosquitto, filter: &str, words: &str) -> Ended {
    broker
        .sub_line(&format!("-t {filter} -C 1 -W 20 {words}"))
        .run()
        .exits(0)
}

#[test]
fn each_way_leads_there_and_back() {
    let broker = mosquitto();
    for (name, way) in ways(&broker) {
        let topic = format!("ways/{}", name.replace(' ', "-"));
        let receiver = iotctl(&format!("mqtt sub {way} -t {topic} -q 1 -C 1 -v")).start();
        broker.sees_subscriptions(&topic, 1);
        iotctl(&format!("mqtt pub {way} -t {topic} -q 1 -m hello"))
            .run()
            .exits(0)
            .quietly()
            .prints("");
        receiver
            .ends()
            .exits(0)
            .quietly()
            .prints(&format!("{topic} hello\n"));
    }
}

#[test]
fn each_version_and_quality_works_in_both_directions() {
    let broker = mosquitto();
    for version in ["31", "311", "5"] {
        for qos in [0, 1, 2] {
            let topic = format!("v{version}/q{qos}");
            let ours = broker
                .iotctl(&format!(
                    "sub -V {version} -q {qos} -t {topic} -C 2 --output csv"
                ))
                .start();
            broker.sees_subscriptions(&topic, 1);
            let theirs = broker
                .sub_line(&format!("-q {qos} -t {topic} -C 2 -F %q:%p"))
                .start();
            broker.sees_subscriptions(&topic, 2);
            broker
                .iotctl(&format!("pub -V {version} -q {qos} -t {topic} -m ours"))
                .run()
                .exits(0)
                .quietly();
            broker
                .pub_line(&format!("-q {qos} -t {topic} -m theirs"))
                .run()
                .exits(0);
            theirs
                .ends()
                .exits(0)
                .prints(&format!("{qos}:ours\n{qos}:theirs\n"));
            let table = ours.ends().exits(0).quietly();
            let rows: Vec<_> = table.text().lines().map(without_time).collect();
            assert_eq!(
                rows,
                [
                    String::from("topic,payload,encoding,qos,retain"),
                    format!("{topic},ours,utf-8,{qos},false"),
                    format!("{topic},theirs,utf-8,{qos},false"),
                ]
            );
        }
    }
}

fn without_time(row: &str) -> String {
    row.split_once(',').unwrap().1.to_owned()
}

#[test]
fn a_long_identifier_and_qos_2_work_on_mqtt_3_1() {
    let broker = mosquitto();
    broker
        .iotctl("pub -V 31 -i thirty-characters-and-even-more -q 2 -t a -m x -r")
        .run()
        .exits(0)
        .quietly();
    one(&broker, "a", "").prints("x\n");
}

#[test]
fn a_retained_message_stays_and_is_removed() {
    let broker = mosquitto();
    broker.iotctl("pub -t r/a -m kept -r").run().exits(0);
    one(&broker, "r/a", "-F %r%p").prints("1kept\n");
    broker
        .iotctl("sub -t r/a -C 1")
        .run()
        .exits(0)
        .quietly()
        .prints("kept\n");
    broker
        .iotctl("sub -t r/a --retained-only")
        .run()
        .exits(0)
        .prints("kept\n");
    broker.iotctl("pub -t r/a -n -r").run().exits(0);
    broker
        .iotctl("sub -t r/a --retained-only")
        .run()
        .exits(0)
        .prints("");
    // A script that wants one must not take none for it.
    broker
        .iotctl("sub -t r/a --retained-only -C 1")
        .run()
        .exits(5)
        .says("received 0 of 1 messages")
        .prints("");
}

#[test]
fn retained_messages_can_be_left_out() {
    let broker = mosquitto();
    broker.iotctl("pub -t r/a -m old -r").run().exits(0);
    let receiver = subscribed(&broker, "r/a", "-R -C 1");
    broker.iotctl("pub -t r/a -m new").run().exits(0);
    receiver.ends().exits(0).prints("new\n");
}

#[test]
fn retained_messages_end_by_themselves_however_many_there_are() {
    let broker = mosquitto();
    let records: String = (0..300)
        .map(|number| format!("{{\"topic\":\"many/{number}\",\"payload\":\"{number}\"}}\n"))
        .collect();
    broker
        .iotctl("pub --ndjson -q 1 -r")
        .input(records)
        .run()
        .exits(0);
    for qos in [0, 1, 2] {
        let shown = broker
            .iotctl(&format!("sub -t many/# -q {qos} --retained-only"))
            .run()
            .exits(0);
        assert_eq!(shown.text().lines().count(), 300, "QoS {qos}");
    }
}

#[test]
fn several_filters_have_options_of_their_own() {
    let broker = mosquitto();
    let receiver = broker
        .iotctl("sub -t a/+;qos=2 -t b/#;qos=1 -t c -T b/hidden/# -C 3 -F %t:%q:%p")
        .start();
    broker.sees_subscriptions("c", 1);
    for topic in ["a/1", "b/hidden/x", "b/1/2", "c"] {
        broker
            .iotctl(&format!("pub -q 2 -t {topic} -m x"))
            .run()
            .exits(0);
    }
    receiver
        .ends()
        .exits(0)
        .prints("a/1:2:x\nb/1/2:1:x\nc:0:x\n");
}

#[test]
fn no_local_and_retain_as_published_are_obeyed() {
    let broker = mosquitto();
    let receiver = broker
        .iotctl("sub -t kept;rap -t plain -C 2 -F %t:%r")
        .start();
    broker.sees_subscriptions("plain", 1);
    broker.iotctl("pub -t kept -t plain -m x -r").run().exits(0);
    receiver.ends().exits(0).prints("kept:1\nplain:0\n");
    broker
        .iotctl("sub -t kept --retain-handling never --for 1s")
        .run()
        .exits(0)
        .prints("");
}

#[test]
fn properties_arrive_at_mosquitto_and_in_the_record() {
    let broker = mosquitto();
    let theirs = broker
        .sub_line("-V 5 -t p -C 1 -F %C|%R|%D|%F|%P|%p")
        .start();
    broker.sees_subscriptions("p", 1);
    let ours = broker.iotctl("sub -t p -C 1 --output json").start();
    broker.sees_subscriptions("p", 2);
    broker
        .iotctl(
            "pub -t p -m x -q 1 -D publish content-type text/plain -D publish response-topic r/t",
        )
        .words("-D publish correlation-data id7 -D publish payload-format-indicator 1")
        .words("-D publish user-property k v -D publish user-property k w")
        .words("-D publish message-expiry-interval 100")
        .run()
        .exits(0)
        .quietly();
    theirs
        .ends()
        .exits(0)
        .prints("text/plain|r/t|id7|1|k:v k:w|x\n");
    let record = ours.ends().exits(0);
    let record: serde_json::Value = serde_json::from_str(record.text()).unwrap();
    assert_eq!(record["protocol"], "mqtt");
    assert_eq!(record["topic"], "p");
    assert_eq!(record["payload"], "x");
    let mqtt = &record["mqtt"];
    assert_eq!(mqtt["qos"], 0);
    assert_eq!(mqtt["retain"], false);
    let text = record.to_string();
    for piece in ["text/plain", "r/t", "\"k\"", "\"v\"", "\"w\""] {
        assert!(text.contains(piece), "{piece} is not in {text}");
    }
}

#[test]
fn a_will_arrives_after_a_kill_and_not_after_a_clean_end() {
    let broker = mosquitto();
    let mut witness = subscribed(&broker, "will/+", "-F %t:%q:%p");
    let with_will = |name: &str| {
        let filter = format!("own/{name}");
        let line = broker.iotctl(&format!(
            "sub -t {filter} --will-topic will/{name} --will-payload gone --will-qos 1"
        ));
        let running = line.start();
        broker.sees_subscriptions(&filter, 1);
        running
    };
    for (name, signal, code) in [("int", "INT", 130), ("term", "TERM", 143)] {
        let running = with_will(name);
        running.signal(signal);
        running.ends().exits(code);
    }
    broker
        .iotctl("pub -t x -m y --will-topic will/clean --will-payload gone")
        .run()
        .exits(0);
    let running = with_will("kill");
    running.signal("KILL");
    running.ends().exits(-9);
    // The witness has seen nothing of the clean ends before this one.
    assert_eq!(witness.line(), "will/kill:0:gone");
}

#[test]
fn a_will_has_properties_and_a_payload_from_a_file() {
    let broker = mosquitto();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("will");
    fs::write(&file, b"from\na file").unwrap();
    let witness = broker.sub_line("-V 5 -t will -C 1 -N -F %C|%r|%p").start();
    broker.sees_subscriptions("will", 1);
    let running = broker
        .iotctl("sub -t own -D will content-type text/x --will-topic will --will-payload-file")
        .word(&file)
        .start();
    broker.sees_subscriptions("own", 1);
    running.signal("KILL");
    witness.ends().exits(0).prints("text/x|0|from\na file\n");
}

#[test]
fn a_persistent_session_keeps_what_comes_meanwhile() {
    let broker = mosquitto();
    for version in ["31", "311", "5"] {
        let words = format!("sub -V {version} -i keeper{version} -c -q 1 -t kept/{version}");
        broker
            .iotctl(&format!("{words} -E"))
            .run()
            .exits(0)
            .quietly();
        broker
            .iotctl(&format!("pub -q 1 -t kept/{version} -l"))
            .input("one\ntwo\n")
            .run()
            .exits(0);
        broker
            .iotctl(&format!("{words} -C 2"))
            .run()
            .exits(0)
            .prints("one\ntwo\n");
    }
}

#[test]
fn a_session_can_be_unsubscribed_without_subscribing() {
    let broker = mosquitto();
    broker
        .iotctl("sub -i u -c -q 1 -t gone -t stays -E")
        .run()
        .exits(0);
    broker
        .iotctl("sub -i u -c -U gone")
        .run()
        .exits(0)
        .prints("");
    broker
        .iotctl("pub -q 1 -t gone -t stays -m x")
        .run()
        .exits(0);
    broker
        .iotctl("sub -i u -c -q 1 -t stays -C 1 -v")
        .run()
        .exits(0)
        .prints("stays x\n");
}

#[test]
fn an_expired_session_is_gone() {
    let broker = mosquitto();
    broker
        .iotctl("sub -i e -c -x 0 -q 1 -t expires -E")
        .run()
        .exits(0);
    broker.iotctl("pub -q 1 -t expires -m x").run().exits(0);
    broker
        .iotctl("sub -i e -c -q 1 -t expires -C 1 -W 300ms")
        .run()
        .exits(5)
        .says("timed out: received 0 of 1 messages");
}

const USERS: &[(&str, &str)] = &[("ann", "s/e cret@"), ("bob", "b")];
const ACL: &str =
    "user ann\ntopic readwrite open/#\ntopic read only/read\nuser bob\ntopic readwrite #\n";

fn guarded() -> Mosquitto {
    Mosquitto::start(Settings {
        users: USERS.to_vec(),
        acl: Some(ACL),
        ..Settings::default()
    })
}

#[test]
fn a_password_comes_from_each_of_its_sources() {
    let broker = guarded();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("password");
    fs::write(&file, "s/e cret@\n").unwrap();
    let publish = |words: &str| broker.iotctl(&format!("pub -t open/x -q 1 -m y {words}"));
    publish("-u ann")
        .word("-P")
        .word("s/e cret@")
        .run()
        .exits(0);
    publish("-u ann --password-file").word(&file).run().exits(0);
    publish("-u ann")
        .env("IOTCTL_PASSWORD", "s/e cret@")
        .run()
        .exits(0);
    let url = format!("mqtt://ann:s%2Fe%20cret%40@127.0.0.1:{}", broker.port);
    iotctl(&format!("mqtt pub {url} -t open/x -q 1 -m y"))
        .run()
        .exits(0);
}

#[test]
fn a_wrong_password_is_one_line_and_exit_4() {
    let broker = guarded();
    for version in ["31", "311", "5"] {
        for words in ["pub -t open/x -m y", "sub -t open/x"] {
            let line = broker.iotctl(&format!("{words} -V {version} -u ann -P wrong-secret"));
            let ended = line.run().exits(4).says("refused the connection: ");
            assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
            assert!(!ended.stderr.contains("wrong-secret"));
        }
        broker
            .iotctl(&format!("pub -t open/x -m y -V {version}"))
            .run()
            .exits(4)
            .says("hint: use -u NAME");
    }
}

#[test]
fn what_the_acl_denies_is_a_failure_where_the_protocol_can_tell() {
    let broker = guarded();
    let ann = |words: &str| {
        broker
            .iotctl(&format!("{words} -u ann"))
            .env("IOTCTL_PASSWORD", "s/e cret@")
    };
    for qos in [1, 2] {
        ann(&format!("pub -t denied/x -m y -q {qos}"))
            .run()
            .exits(4)
            .says("refused the message to denied/x: ");
    }
    // Some are allowed, some are not: the numbers are told.
    ann("pub -t open/x -t denied/x -m y -q 1")
        .run()
        .exits(4)
        .says("of 2 messages sent, 1 acknowledged, 1 refused");
    ann("pub -t open/x -m y -q 1").run().exits(0);
}

/// Not UTF-8, with a NUL, a line break, a quotation mark and a carriage return.
const BYTES: &[u8] = b"A\0B\xff\xfe\n\"\r";

#[test]
fn each_output_shows_bytes_exactly() {
    let broker = mosquitto();
    broker
        .iotctl("pub -t bytes -r -q 1 -s")
        .input(BYTES)
        .run()
        .exits(0)
        .quietly();
    for (words, expected) in [
        ("--output raw", BYTES.to_vec()),
        ("--output text -N", BYTES.to_vec()),
        ("--output text", [BYTES, b"\n"].concat()),
        (
            "--output text -v",
            [b"bytes ".as_slice(), BYTES, b"\n"].concat(),
        ),
        ("--output hex", b"410042fffe0a220d\n".to_vec()),
        ("--output base64 -v", b"bytes QQBC//4KIg0=\n".to_vec()),
        ("-N -F %p", BYTES.to_vec()),
        (
            "-F %x|%X|%l|%%",
            b"410042fffe0a220d|410042FFFE0A220D|8|%\n".to_vec(),
        ),
    ] {
        let shown = broker
            .iotctl(&format!("sub -t bytes -C 1 {words}"))
            .run()
            .exits(0)
            .quietly();
        assert_eq!(shown.stdout, expected, "{words}");
    }
    let json = json(&broker, "bytes", "");
    assert_eq!(json["payload_base64"], "QQBC//4KIg0=");
    assert_eq!(json["mqtt"]["retain"], true);
    assert!(json.get("payload").is_none());
}

/// The record of the retained message.
fn json(broker: &Mosquitto, topic: &str, words: &str) -> serde_json::Value {
    let shown = broker
        .iotctl(&format!("sub -t {topic} -C 1 --output json {words}"))
        .run()
        .exits(0);
    serde_json::from_str(shown.text()).unwrap()
}

#[test]
fn json_payloads_stay_as_they_were_written() {
    let broker = mosquitto();
    for payload in [
        "{\"z\":1,\"a\":9007199254740993,\"e\":1e400}",
        "21.50",
        "[]",
        "null",
    ] {
        broker
            .iotctl("pub -t j -r -q 1 -m")
            .word(payload)
            .run()
            .exits(0);
        broker
            .iotctl("sub -t j -C 1 --output json --embed-json")
            .run()
            .exits(0)
            .contains(&format!("\"payload_json\":{payload}"));
        assert_eq!(json(&broker, "j", "")["payload"], payload);
    }
}

#[test]
fn a_message_can_be_empty_everywhere() {
    let broker = mosquitto();
    let ours = broker.iotctl("sub -t empty -C 4 -q 2 -F %t|%l|%p").start();
    broker.sees_subscriptions("empty", 1);
    broker.iotctl("pub -t empty -n -q 2").run().exits(0);
    broker.iotctl("pub -t empty -s -q 2").run().exits(0);
    broker
        .iotctl("pub -t empty -f /dev/null -q 2")
        .run()
        .exits(0);
    broker
        .iotctl("pub -t empty -q 2 -m")
        .word("")
        .run()
        .exits(0);
    ours.ends().exits(0).prints(&"empty|0|\n".repeat(4));
    // mosquitto_pub -l: no line, no message.
    broker
        .iotctl("pub -t empty -l -q 2")
        .input("")
        .run()
        .exits(0)
        .quietly();
}

#[test]
fn lines_are_published_to_the_byte() {
    let broker = mosquitto();
    let ours = broker
        .iotctl("sub -t lines -q 1 -C 6 --output base64")
        .start();
    broker.sees_subscriptions("lines", 1);
    broker
        .iotctl("pub -t lines -q 1 -l")
        .input(b"x\0y\nwith\r\n\n\xff\xfe\n \nlast".as_slice())
        .run()
        .exits(0)
        .quietly();
    ours.ends()
        .exits(0)
        .prints("eAB5\nd2l0aA0=\n\n//4=\nIA==\nbGFzdA==\n");
}

#[test]
fn messages_come_from_files_and_whole_input_and_codes() {
    let broker = mosquitto();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("payload");
    fs::write(&file, BYTES).unwrap();
    let ours = broker.iotctl("sub -t in -q 1 -C 5 --output hex").start();
    broker.sees_subscriptions("in", 1);
    broker
        .iotctl("pub -t in -q 1 -f")
        .word(&file)
        .run()
        .exits(0);
    broker
        .iotctl("pub -t in -q 1 -s")
        .input("a\nb\n")
        .run()
        .exits(0);
    broker.iotctl("pub -t in -q 1 --hex -m 00fF").run().exits(0);
    broker
        .iotctl("pub -t in -q 1 --base64 -l")
        .input("AAE=\nAg==\n")
        .run()
        .exits(0);
    ours.ends()
        .exits(0)
        .prints("410042fffe0a220d\n610a620a\n00ff\n0001\n02\n");
}

#[test]
fn records_go_round_unchanged() {
    let broker = mosquitto();
    let first = broker.iotctl("sub -t a/# -q 1 -C 3 --output json").start();
    broker.sees_subscriptions("a/#", 1);
    broker
        .iotctl("pub -q 1 --ndjson")
        .input(
            "{\"topic\":\"a/1\",\"payload\":\"text \\u0000 \\\"\"}\n\
             {\"topic\":\"a/2\",\"payload_base64\":\"//4=\",\"mqtt\":{\"qos\":2,\"retain\":true}}\n\
             {\"topic\":\"a/3\",\"payload_json\":{\"b\":1.50},\"mqtt\":{\"qos\":0}}\n",
        )
        .run()
        .exits(0)
        .quietly();
    let recorded = first.ends().exits(0).stdout;
    let second = broker
        .iotctl("sub -t a/# -q 1 -R -C 3 --output json")
        .start();
    broker.sees_subscriptions("a/#", 2);
    broker
        .iotctl("pub -q 1 --ndjson")
        .input(recorded.clone())
        .run()
        .exits(0)
        .quietly();
    let again = second.ends().exits(0);
    let picked = |bytes: &[u8]| -> Vec<serde_json::Value> {
        let lines = std::str::from_utf8(bytes).unwrap().lines();
        let mut records: Vec<_> = lines
            .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
            .map(|mut record| {
                record["time"].take();
                record["mqtt"]["packet_id"].take();
                record
            })
            .collect();
        // QoS 2 takes longer than QoS 0.
        records.sort_by_key(|record| record["topic"].to_string());
        records
    };
    assert_eq!(picked(&again.stdout), picked(&recorded));
    assert_eq!(picked(&recorded)[0]["payload"], "text \0 \"");
    assert_eq!(picked(&recorded)[1]["payload_base64"], "//4=");
    assert_eq!(picked(&recorded)[2]["payload"], "{\"b\":1.50}");
}

#[test]
fn repeats_are_counted_and_go_to_each_topic() {
    let broker = mosquitto();
    let ours = broker.iotctl("sub -t r/+ -q 2 -C 10 -v").start();
    broker.sees_subscriptions("r/+", 1);
    broker
        .iotctl("pub -t r/a -t r/b -m x -q 2 --repeat 5 --repeat-delay 1ms")
        .run()
        .exits(0)
        .quietly();
    ours.ends().exits(0).prints(&"r/a x\nr/b x\n".repeat(5));
}

#[test]
fn a_template_is_filled_in_anew_each_time() {
    let broker = mosquitto();
    let ours = subscribed(&broker, "t/#", "-q 1 -C 6 -v");
    broker
        .iotctl("pub -t t/a -t t/b -q 1 --repeat 3 --template")
        .word("{\"n\":{seq},\"temp\":{random:5-5},\"{{place}}\":0}")
        .run()
        .exits(0);
    let expected: String = (0..3)
        .flat_map(|n| ["a", "b"].map(|topic| (n, topic)))
        .map(|(n, topic)| format!("t/{topic} {{\"n\":{n},\"temp\":5,\"{{place}}\":0}}\n"))
        .collect();
    ours.ends().exits(0).prints(&expected);
    broker
        .iotctl("pub -t a --hex --template {seq}")
        .run()
        .exits(2);
}

#[test]
fn the_format_language_fills_its_fields() {
    let broker = mosquitto();
    broker
        .iotctl("pub -t a/b -m 21.5 -r -q 1 -D publish content-type text/csv")
        .run()
        .exits(0);
    for (template, expected) in [
        ("%t\\t%q\\n--", "a/b\t1\n--\n"),
        ("[%10t][%-10t][%.1t]", "[       a/b][a/b       ][a]\n"),
        ("%05l", "00004\n"),
        ("%C|%R|%D|%E|%F", "text/csv||||\n"),
        ("%r%%", "1%\n"),
    ] {
        broker
            .iotctl("sub -t a/b -q 1 -C 1 -F")
            .word(template)
            .run()
            .exits(0)
            .prints(expected);
    }
    let shown = broker
        .iotctl("sub -t a/b -C 1 -F @Y-@m-@dT@H:@M:@S")
        .run()
        .exits(0);
    assert_eq!(shown.text().len(), "2026-11-20T21:00:00\n".len());
}

#[test]
fn a_broker_that_restarts_is_met_again() {
    let mut broker = mosquitto();
    let mut ours = subscribed(&broker, "again", "-q 1 --retry forever");
    broker.iotctl("pub -t again -m one -q 1").run().exits(0);
    assert_eq!(ours.line(), "one");
    broker.kill();
    ours.hears("retrying in");
    broker.restart();
    broker.sees_subscriptions("again", 2);
    ours.hears("subscribed again; messages published in between may have been missed");
    broker.iotctl("pub -t again -m two -q 1").run().exits(0);
    assert_eq!(ours.line(), "two");
    ours.signal("INT");
    ours.ends().exits(130).says("interrupted after 2 messages");
}

#[test]
fn the_session_can_outlive_a_lost_connection() {
    let mut broker = Mosquitto::start(Settings {
        more: String::from("persistence true\nautosave_on_changes true\nautosave_interval 1\n"),
        ..Settings::default()
    });
    let mut ours = subscribed(&broker, "again", "-q 1 -c -i resumer");
    broker.stop();
    ours.hears("retrying in");
    broker.restart();
    ours.hears("session present");
    broker.iotctl("pub -t again -m two -q 1").run().exits(0);
    assert_eq!(ours.line(), "two");
}

#[test]
fn waiting_for_a_broker_can_be_asked_for() {
    let mut broker = mosquitto();
    broker.kill();
    let mut publisher = broker
        .iotctl("pub -t late -m x -q 1 -r --retry 20s")
        .start();
    publisher.hears("connection refused; retrying in");
    broker.restart();
    publisher.ends().exits(0);
    one(&broker, "late", "").prints("x\n");
}

/// How many bytes were sent over a connection and not acknowledged by the other side's kernel.
fn unacknowledged(stream: &TcpStream) -> u64 {
    let ours = format!(":{:04X}", stream.local_addr().unwrap().port());
    let theirs = format!(":{:04X}", stream.peer_addr().unwrap().port());
    let table = fs::read_to_string("/proc/net/tcp").unwrap();
    let mut rows = table
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>());
    let row = rows.find(|row| row[1].ends_with(&ours) && row[2].ends_with(&theirs));
    let queues = row.expect("the connection")[4];
    u64::from_str_radix(queues.split(':').next().unwrap(), 16).unwrap()
}

#[test]
fn what_is_read_is_acknowledged_at_once() {
    // A server that uses Nagle's algorithm, as mosquitto, sends retained messages only once SUBACK is acknowledged, which the
    // kernel puts off for 40 ms unless it is told not to. Of several times one at least is not spoilt by other load.
    const PUT_OFF: Duration = Duration::from_millis(40);
    let peer = Peer::start(|stream, _| {
        peer::subscribed(stream, &[0]);
        let began = Instant::now();
        while unacknowledged(stream) > 0 && began.elapsed() < PUT_OFF {}
        let took = began.elapsed();
        send(stream, &publish("r", 0, 0, b"x"));
        rest(stream);
        took
    });
    let at_once = (0..50).any(|_| {
        let port = peer.port;
        let sub = iotctl(&format!("mqtt sub -h 127.0.0.1 -p {port} -t r -C 1"));
        sub.run().exits(0).prints("x\n");
        peer.result() < PUT_OFF
    });
    assert!(at_once);
}

#[test]
fn keep_alive_can_be_turned_off() {
    for (words, seconds) in [("-k 0", 0), ("-k 1m30s", 90), ("", 60)] {
        let peer = Peer::start(|stream, _| {
            let connect = welcome(stream);
            rest(stream);
            u16::from_be_bytes([connect[8], connect[9]])
        });
        iotctl(&format!("mqtt pub -h 127.0.0.1 -p {} {words}", peer.port))
            .words("-t a -m x --ack-timeout 100ms")
            .run()
            .exits(5);
        assert_eq!(peer.result(), seconds);
    }
}
