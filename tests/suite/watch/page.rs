//! The page for browsers, as a client without one sees it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;

use serde_json::Value;

use super::{FLEET, fleet, publish};
use crate::support::broker::{Broker, broker};
use crate::support::command::{Running, iotctl, program};
use crate::support::schema::{check, schema};
use crate::support::wait_for;

/// A watcher that serves, and its port.
fn serving(broker: &mut Broker, words: &[&str]) -> (Running, u16) {
    let words = [&["--web", "127.0.0.1:0"], words].concat();
    let mut running = fleet(broker.port, &words).start();
    let port = served_at(&mut running);
    broker.sees_subscription("alerts/#");
    (running, port)
}

/// The port that a watcher says that it serves at.
fn served_at(running: &mut Running) -> u16 {
    let said = running.hears("serving http://");
    let port = said.rsplit(':').next().unwrap();
    port.split('/').next().unwrap().parse().unwrap()
}

fn connect(port: u16, path: &str, fields: &str) -> TcpStream {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let request = format!("GET {path} HTTP/1.1\r\n{fields}\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    stream
}

fn get_with(port: u16, path: &str, fields: &str) -> (String, String) {
    let mut answer = String::new();
    connect(port, path, fields)
        .read_to_string(&mut answer)
        .unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), body.to_owned())
}

fn get(port: u16, path: &str) -> (String, String) {
    get_with(port, path, &format!("host: localhost:{port}\r\n"))
}

#[test]
fn there_are_four_paths_and_nothing_can_be_changed() {
    let mut broker = broker("");
    publish(
        broker.port,
        &["-t", "devices/d1/status", "-m", "online", "-r"],
    );
    let (_running, port) = serving(&mut broker, &[]);
    let snapshot = wait_for("the retained message", || {
        let (head, body) = get(port, "/snapshot.json");
        assert!(
            head.contains("content-type: application/json\r\n"),
            "{head}"
        );
        let snapshot: Value = serde_json::from_str(&body).unwrap();
        (snapshot["counts"]["online"] == 1).then_some(snapshot)
    });
    assert_eq!(snapshot["topics"][0]["topic"], "devices/d1/status");
    let (head, page) = get(port, "/");
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
    assert!(
        head.contains("content-security-policy: default-src 'none'; script-src 'sha256-"),
        "{head}"
    );
    assert!(head.contains("x-content-type-options: nosniff\r\n"));
    assert!(
        !page.contains("devices/d1"),
        "the page has no message in it"
    );
    let (_, metrics) = get(port, "/metrics");
    assert!(
        metrics.contains("iotctl_watch_devices{status=\"online\"} 1\n"),
        "{metrics}"
    );
    assert!(get(port, "/other").0.starts_with("HTTP/1.1 404 "));
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream
        .write_all(b"POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 0\r\n\r\n")
        .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 405 "), "{answer}");
    // A page of a stranger whose name leads here.
    let (head, _) = get_with(port, "/snapshot.json", "host: evil.example\r\n");
    assert!(head.starts_with("HTTP/1.1 403 "), "{head}");
}

#[test]
fn events_tell_what_is_new_and_a_reader_that_leaves_is_no_trouble() {
    let mut broker = broker("");
    let (_running, port) = serving(&mut broker, &[]);
    let own = format!("host: 127.0.0.1:{port}\r\n");
    let mut lines = BufReader::new(connect(port, "/events", &own))
        .lines()
        .map(Result::unwrap);
    let mut next = |event: &str| -> Value {
        let head = format!("event: {event}");
        lines.find(|line| *line == head).unwrap();
        let data = lines.next().unwrap();
        serde_json::from_str(data.strip_prefix("data: ").unwrap()).unwrap()
    };
    assert_eq!(next("all")["counts"]["topics"], 0);
    drop(connect(port, "/events", &own));
    let payload = r#"{"value":"<script>alert(1)</script>"}"#;
    publish(broker.port, &["-t", "sensors/d1/name", "-m", payload]);
    let delta = loop {
        let delta = next("delta");
        if delta["topics"] != Value::Array(Vec::new()) {
            break delta;
        }
    };
    assert_eq!(delta["topics"][0]["payload"], payload);
    assert_eq!(
        delta["fleet"]["d1"]["values"]["name"],
        "<script>alert(1)</script>"
    );
}

#[test]
fn others_need_a_token_and_a_port_that_is_taken_is_told() {
    let mut broker = broker("");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, "s3cret\n").unwrap();
    let (_running, port) = serving(&mut broker, &["--token-file", file.to_str().unwrap()]);
    let (head, _) = get(port, "/metrics");
    assert!(head.starts_with("HTTP/1.1 401 "), "{head}");
    let bearer = "host: anything\r\nauthorization: Bearer s3cret\r\n";
    assert!(
        get_with(port, "/metrics", bearer)
            .0
            .starts_with("HTTP/1.1 200 ")
    );
    assert!(
        get(port, "/metrics?token=s3cret")
            .0
            .starts_with("HTTP/1.1 200 ")
    );
    assert!(
        get(port, "/metrics?token=s3cre")
            .0
            .starts_with("HTTP/1.1 401 ")
    );
    let address = format!("127.0.0.1:{port}");
    let words = [&FLEET[..2], &["--web", &address]].concat();
    let taken = super::watch(broker.port, &words).run().exits(8);
    assert!(
        taken
            .stderr
            .contains(&format!("cannot listen on {address}")),
        "{}",
        taken.stderr
    );
}

/// The script of the page, as it is served.
fn script(port: u16) -> String {
    let (_, page) = get(port, "/");
    let (_, script) = page.split_once("<script>").unwrap();
    script.split_once("</script>").unwrap().0.to_owned()
}

/// Numbers that JavaScript does not have, names that its objects have, and letters that turn the order of text.
#[test]
fn a_page_shows_payloads_and_values_as_they_came() {
    let mut broker = broker("");
    let payload = r#"{"value":9007199254740993,"x":1.10,"x":1e999}"#;
    for (topic, payload) in [
        ("devices/gone/status", "online"),
        ("sensors/d1/__proto__", r#"{"value":1.10}"#),
        ("sensors/d1/constructor", payload),
        ("sensors/d\u{202e}2/x", r#"{"value":"a\u202eb"}"#),
    ] {
        publish(broker.port, &["-t", topic, "-m", payload, "-r"]);
    }
    let (_running, port) = serving(&mut broker, &[]);
    let all = wait_for("the retained messages", || {
        let (_, body) = get(port, "/snapshot.json");
        let snapshot: Value = serde_json::from_str(&body).unwrap();
        (snapshot["counts"]["topics"] == 4).then_some(body)
    });
    let mut delta: Value = serde_json::from_str(&all).unwrap();
    delta["topics"] = Value::Array(Vec::new());
    delta["fleet"] = Value::Object(serde_json::Map::new());
    delta["fleet_removed"] = vec!["gone"].into();
    delta["topics_removed"] = vec!["devices/gone/status"].into();
    let input = serde_json::json!({
        "script": script(port),
        "events": [["all", all], ["delta", delta.to_string()]],
    });
    let client = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients/page-shows.cjs");
    let line = program("node", client).input(input.to_string());
    let seen: Value = serde_json::from_str(line.run().exits(0).text()).unwrap();
    let expected = serde_json::json!({
        "columns": ["device", "status", "seen", "__proto__", "constructor", "x"],
        "fleet": [
            ["d1", "unknown", "0s", "1.10", "9007199254740993", "–"],
            ["d\\xe2\\x80\\xae2", "unknown", "0s", "–", "–", "a\\xe2\\x80\\xaeb"],
        ],
        "topics": [
            ["sensors/d1/__proto__retained", r#"{"value":1.10}"#],
            ["sensors/d1/constructorretained", payload],
            ["sensors/d\\xe2\\x80\\xae2/xretained", r#"{"value":"a\u202eb"}"#],
        ],
        "graphs": [
            { "text": "{\n  \"value\": 1.10\n}", "number": "1.10", "wrong": [] },
            {
                "text": "{\n  \"value\": 9007199254740993,\n  \"x\": 1.10,\n  \"x\": 1e999\n}",
                "number": "9007199254740993",
                "wrong": [],
            },
            { "text": "{\n  \"value\": \"a\\u202eb\"\n}", "number": "", "wrong": [] },
        ],
    });
    let seen = seen.to_string();
    // How long ago something came nobody can tell.
    let seen = ('1'..='9').fold(seen, |seen, digit| {
        seen.replace(&format!("\"{digit}s\""), "\"0s\"")
    });
    assert_eq!(serde_json::from_str::<Value>(&seen).unwrap(), expected);
}

/// The script of the page as a browser runs it that is refused events: by a status, and after it had some.
#[test]
fn a_page_that_is_refused_events_says_so_and_asks_again_later_and_later() {
    let mut broker = broker("");
    let (_running, port) = serving(&mut broker, &[]);
    let client = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients/page.cjs");
    let line = program("node", client).input(script(port));
    let ended = line.run().exits(0);
    let told = ended
        .text()
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    let told: Vec<(Option<u64>, String)> = told
        .map(|it| {
            (
                it["after"].as_u64(),
                it["says"].as_str().unwrap().to_owned(),
            )
        })
        .collect();
    let refused = |seconds: u64, why: &str| {
        let says = format!("{why}: trying again in {seconds} s");
        (Some(1_000 * seconds), says)
    };
    let full = "too many pages are open";
    assert_eq!(
        told,
        [
            refused(1, full),
            refused(2, full),
            refused(4, "no events (status 502)"),
            (None, String::from("connected")),
            refused(1, full),
            refused(2, full),
        ]
    );
}

/// Of what was recorded all is there when it was read, and stays.
#[test]
fn a_page_of_recorded_messages_stays_when_all_was_read() {
    let record = r#"{"topic":"devices/d1/status","payload":"online","mqtt":{}}"#;
    let line = iotctl("watch - --device devices/{id}/status --web 127.0.0.1:0 --output none");
    let mut running = line.start();
    let port = served_at(&mut running);
    running.write(format!("{record}\n").as_bytes());
    let snapshot = |wanted: &dyn Fn(&Value) -> bool| {
        wait_for("the snapshot", || {
            let snapshot: Value = serde_json::from_str(&get(port, "/snapshot.json").1).unwrap();
            wanted(&snapshot).then_some(snapshot)
        })
    };
    let open = snapshot(&|it| it["counts"]["online"] == 1);
    assert_eq!(open.get("ended"), None);
    running.close_input();
    let ended = snapshot(&|it| it["ended"] == true);
    check(&ended, &schema("watch-snapshot"));
    assert_eq!(ended["connected"], true);
    running.signal("TERM");
    running.ends().exits(143);
}

/// The browsers that `tests/page` takes.
const BROWSERS: [&str; 4] = [
    "chromium-headless-shell",
    "chromium",
    "chromium-browser",
    "google-chrome",
];

/// Where there is one.
#[test]
fn messages_stay_text_in_a_browser() {
    let path = std::env::var("PATH").unwrap();
    let is_there = |name: &str| path.split(':').any(|it| Path::new(it).join(name).exists());
    if !BROWSERS.iter().any(|name| is_there(name)) {
        return;
    }
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/page");
    program(page, env!("CARGO_BIN_EXE_iotctl"))
        .run()
        .exits(0)
        .prints("the page shows messages as text\n");
}
