//! Clients that others have written, against `iotctl mqtt broker` over TCP, TLS and WebSocket: Eclipse Paho and aiomqtt for
//! Python, and MQTT.js. What each does is in `tests/clients`.

use crate::support::certificates::Certificates;
use crate::support::command::{Running, iotctl, program};

/// A broker on all kinds of listeners, and their URLs.
struct Everywhere {
    _broker: Running,
    urls: Vec<String>,
    files: Certificates,
    _folder: tempfile::TempDir,
}

fn everywhere() -> Everywhere {
    let folder = tempfile::tempdir().unwrap();
    let files = Certificates::in_folder(folder.path());
    let line = iotctl("mqtt broker --quiet")
        .words("--listen 127.0.0.1:0 --listen mqtts://127.0.0.1:0")
        .words("--listen ws://127.0.0.1:0 --listen wss://127.0.0.1:0 --cert")
        .word(&files.server)
        .word("--key")
        .word(&files.server_key);
    let mut broker = line.start();
    let urls = broker.lines(4);
    Everywhere {
        _broker: broker,
        urls,
        files,
        _folder: folder,
    }
}

/// Runs a script against each listener; it prints a line for each version of MQTT.
fn each_listener_serves(interpreter: &str, script: &str, versions: &[&str]) {
    let everywhere = everywhere();
    let said: String = versions.iter().map(|it| format!("ok {it}\n")).collect();
    let path = format!("{}/tests/clients/{script}", env!("CARGO_MANIFEST_DIR"));
    for url in &everywhere.urls {
        let line = program(interpreter, &path).word(url);
        let ended = line.word(&everywhere.files.ca).run();
        ended.exits(0).prints(&said);
    }
}

#[test]
fn paho_works_with_our_broker() {
    each_listener_serves("mqtt-python", "paho_mqtt.py", &["3.1", "3.1.1", "5"]);
}

#[test]
fn aiomqtt_works_with_our_broker() {
    each_listener_serves("mqtt-python", "aio.py", &["3.1.1", "5"]);
}

#[test]
fn mqtt_js_works_with_our_broker() {
    each_listener_serves("mqtt-node", "mqttjs.cjs", &["3.1", "3.1.1", "5"]);
}
