//! `ping` of all three protocols, `mqtt probe` and `mqtt sys`: against our servers, real ones, and scripted peers.

use std::net::TcpStream;

use serde_json::Value;

use crate::support::broker::broker;
use crate::support::command::iotctl;
use crate::support::mosquitto::{Mosquitto, Settings, mosquitto};
use crate::support::peer::{Peer, drain, level, read_until, send, welcome};
use crate::support::rabbitmq::rabbitmq;
use crate::support::schema::{check, schema};
use crate::support::tmux::Terminal;

/// The lines of JSON that a command prints.
fn objects(text: &str) -> Vec<Value> {
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn the_three_pings_have_one_shape() {
    let mqtt = broker("");
    let mut server =
        iotctl("coap server --listen 127.0.0.1:0 --listen coap+tcp://127.0.0.1:0").start();
    let coap = server.lines(2);
    let schema = schema("ping");
    for (words, phases) in [
        (
            format!("mqtt ping -h 127.0.0.1 -p {}", mqtt.port),
            &["resolve_ms", "tcp_ms", "handshake_ms"][..],
        ),
        (
            format!("amqp ping {}", rabbitmq().url()),
            &["resolve_ms", "tcp_ms", "handshake_ms"],
        ),
        (format!("coap ping {}", coap[0]), &["resolve_ms"]),
        (
            format!("coap ping {}", coap[1]),
            &["resolve_ms", "tcp_ms", "handshake_ms"],
        ),
    ] {
        let line = || iotctl(&words).words("-C 2 --interval 1ms -W 60");
        let ended = line().words("--output json").run().exits(0).quietly();
        let lines = objects(ended.text());
        assert_eq!(lines.len(), 4, "{}", ended.text());
        for (line, kind) in lines
            .iter()
            .zip(["connection", "response", "response", "summary"])
        {
            check(line, &schema["$defs"][kind]);
        }
        let found: Vec<_> = lines[0]["phases"].as_object().unwrap().keys().collect();
        assert_eq!(found, phases, "{words}");
        assert_eq!(
            (&lines[1]["sequence"], &lines[2]["sequence"]),
            (&1.into(), &2.into())
        );
        assert_eq!(
            (&lines[3]["sent"], &lines[3]["lost"]),
            (&2.into(), &0.into())
        );
        assert!(lines[3]["rtt_p99_ms"].as_f64().unwrap() > 0.0);
        let ended = line().run().exits(0).quietly();
        let lines: Vec<_> = ended.text().lines().collect();
        let (begins, connects) = match phases {
            ["resolve_ms"] => ("sending to ", false),
            _ => ("connected to ", true),
        };
        assert!(lines[0].starts_with(begins), "{lines:?}");
        assert_eq!(lines[0].contains("handshake"), connects, "{lines:?}");
        assert!(
            lines[1].starts_with("response from 127.0.0.1:"),
            "{lines:?}"
        );
        assert!(
            lines[3].contains(": 2 sent, 2 received, 0% lost; rtt min/avg/p50/p90/p99/max/stddev "),
            "{lines:?}"
        );
    }
}

#[test]
fn certificates_are_shown_with_their_last_day() {
    let server = mosquitto();
    let line = || {
        iotctl(&format!(
            "mqtt ping mqtts://localhost:{} -C 1 --cafile",
            server.tls_port
        ))
        .word(&server.certificates.ca)
    };
    let ended = line().words("--output json").run().exits(0);
    let connection = objects(ended.text()).remove(0);
    check(&connection, &schema("ping")["$defs"]["connection"]);
    assert_eq!(connection["tls"]["version"], "TLSv1.3");
    let first = &connection["tls"]["certificates"][0];
    assert!(
        first["subject"].as_str().unwrap().starts_with("CN="),
        "{first}"
    );
    assert!(
        first["names"]
            .as_array()
            .unwrap()
            .contains(&"localhost".into()),
        "{first}"
    );
    assert!(first["expires_in_days"].as_i64().unwrap() >= 0, "{first}");
    line()
        .run()
        .exits(0)
        .contains(", tls ")
        .contains("\ncertificate CN=")
        .contains(" days)\n");
    // A proxy of WebSocket is a phase too.
    iotctl(&format!(
        "mqtt ping ws://127.0.0.1:{}/mqtt -C 1",
        server.websocket_port
    ))
    .run()
    .exits(0)
    .contains(", websocket ");
    iotctl(&format!("mqtt ping --unix {} -C 1", server.socket()))
        .run()
        .exits(0)
        .contains(&format!("({})", server.socket()));
}

#[test]
fn probes_tell_what_is_wrong_by_exit_code() {
    let server = Mosquitto::start(Settings {
        users: vec![("ann", "one")],
        ..Settings::default()
    });
    server.iotctl("ping -u ann -P one -C 1").run().exits(0);
    server.iotctl("ping -u ann -P two -C 1").run().exits(4);
    iotctl("mqtt ping -h 127.0.0.1 -p 1").run().exits(3);
    iotctl("mqtt ping -C 1 -t a").run().exits(2);
    let peer = Peer::start(|stream: &mut TcpStream, _| {
        welcome(stream);
        drain(stream);
    });
    let ping = format!("mqtt ping -h 127.0.0.1 -p {} --interval 1ms", peer.port);
    iotctl(&ping)
        .words("-C 2 -W 200ms")
        .run()
        .exits(5)
        .contains("no response from 127.0.0.1:")
        .contains(": 2 sent, 0 received, 100% lost\n")
        .says("nothing within 200ms");
    let peer = Peer::start(|stream: &mut TcpStream, _| {
        welcome(stream);
        read_until(stream, 0xc0);
    });
    iotctl(&format!("mqtt ping -h 127.0.0.1 -p {}", peer.port))
        .run()
        .exits(6)
        .contains(": 1 sent, 0 received, 100% lost\n")
        .says("closed the connection");
    // Also where another connection is made.
    let peer = Peer::start(|stream: &mut TcpStream, number| {
        welcome(stream);
        read_until(stream, 0xc0);
        if number > 0 {
            send(stream, &[0xd0, 0]);
            drain(stream);
        }
    });
    iotctl(&format!(
        "mqtt ping -h 127.0.0.1 -p {} -C 2 -W 60 --interval 1ms --retry 60s",
        peer.port
    ))
    .run()
    .exits(0)
    .contains(": 2 sent, 1 received, 50% lost");
    // The first answer comes too late, and counts for nothing else.
    let peer = Peer::start(|stream: &mut TcpStream, _| {
        welcome(stream);
        read_until(stream, 0xc0);
        read_until(stream, 0xc0);
        send(stream, &[0xd0, 0, 0xd0, 0]);
        drain(stream);
    });
    let ended = iotctl(&format!(
        "mqtt ping -h 127.0.0.1 -p {} -C 2 -W 1s --interval 1s",
        peer.port
    ))
    .run()
    .exits(0);
    assert!(
        ended.text().contains(": 2 sent, 1 received, 50% lost"),
        "{}",
        ended.text()
    );
}

/// The row of a feature.
fn row<'a>(rows: &'a [Value], feature: &str) -> &'a Value {
    let mut rows = rows.iter();
    rows.find(|row| row["feature"] == feature).unwrap()
}

#[test]
fn a_probe_tries_what_is_announced() {
    let ours = broker("--max-qos 1 --no-retain --server-keep-alive 30 --max-packet-size 64KiB");
    let ended = ours
        .iotctl("probe --output json -W 60")
        .run()
        .exits(0)
        .quietly();
    let rows = objects(ended.text());
    for (feature, announced, supported) in [
        ("QoS 1", "yes", true),
        ("QoS 2", "no", false),
        ("retained messages", "no", false),
        ("shared subscriptions", "yes (default)", true),
        ("subscription identifiers", "yes (default)", true),
        ("topic aliases", "16", true),
    ] {
        let row = row(&rows, feature);
        assert_eq!(
            (&row["announced"], &row["supported"]),
            (&announced.into(), &supported.into()),
            "{row}"
        );
    }
    for version in ["MQTT 3.1", "MQTT 3.1.1", "MQTT 5"] {
        assert_eq!(row(&rows, version)["supported"], true);
    }
    assert_eq!(row(&rows, "payload of 256 KiB")["supported"], false);
    assert_eq!(
        row(&rows, "maximum packet size")["announced"],
        "65536 bytes"
    );
    assert_eq!(row(&rows, "keep-alive")["announced"], "30s");
    // Nothing is left behind.
    let real = mosquitto();
    let ended = real.iotctl("probe -W 60").run().exits(0).quietly();
    let lines: Vec<_> = ended.text().lines().collect();
    assert!(lines[0].starts_with("feature "), "{lines:?}");
    for feature in [
        "QoS 2 ",
        "retained messages ",
        "wildcard # ",
        "shared subscriptions ",
    ] {
        let line = lines.iter().find(|line| line.starts_with(feature));
        assert!(line.is_some_and(|line| line.ends_with(" yes")), "{lines:?}");
    }
    real.iotctl("sub -t iotctl/# --retained-only")
        .run()
        .exits(0)
        .prints("");
}

#[test]
fn an_old_server_is_probed_as_it_can() {
    // It takes MQTT 3.1.1, and refuses every subscription.
    let peer = Peer::start(|stream: &mut TcpStream, _| {
        let connect = read_until(stream, 0x10).expect("a CONNECT");
        if level(&connect) != 4 {
            return send(stream, &[0x20, 2, 0, 1]);
        }
        send(stream, &[0x20, 2, 0, 0]);
        if let Some(subscribe) = read_until(stream, 0x80) {
            send(stream, &[0x90, 3, subscribe[0], subscribe[1], 0x80]);
            drain(stream);
        }
    });
    let line = iotctl(&format!(
        "mqtt probe -h 127.0.0.1 -p {} --output json",
        peer.port
    ));
    let rows = objects(line.run().exits(0).text());
    assert_eq!(row(&rows, "MQTT 5")["supported"], false);
    assert_eq!(row(&rows, "MQTT 3.1.1")["supported"], true);
    assert_eq!(row(&rows, "QoS 0")["supported"], false);
    assert!(rows.iter().all(|row| row["feature"] != "topic aliases"));
    iotctl("mqtt probe -h 127.0.0.1 -p 1")
        .run()
        .exits(3)
        .prints("");
}

#[test]
fn figures_of_brokers_are_tables() {
    let ours = broker("--sys-interval 100ms");
    let ended = ours.iotctl("sys -W 60").run().exits(0).quietly();
    assert!(ended.text().contains("broker/version "), "{}", ended.text());
    let real = Mosquitto::start(Settings {
        more: String::from("sys_interval 1"),
        ..Settings::default()
    });
    crate::support::wait_for("figures", || {
        let ended = real.iotctl("sys --output json").run();
        (ended.code == 0 && ended.text().contains("$SYS/broker/uptime")).then_some(())
    });
    let ended = real.iotctl("sys --output json").run().exits(0);
    let object = &objects(ended.text())[0];
    assert!(object["$SYS/broker/clients/total"].is_number(), "{object}");
    let mut watching = real.iotctl("sys --watch --for 60s --every 100ms").start();
    let uptime = |running: &mut crate::support::command::Running| loop {
        let line = running.line();
        if line.starts_with("broker/uptime ") {
            return line;
        }
    };
    let first = uptime(&mut watching);
    assert_ne!(first, uptime(&mut watching));
    watching.signal("INT");
    watching.ends().exits(130);
    let mut changes = real.iotctl("sys --watch --for 60s --output json").start();
    let mut change = || -> Value { serde_json::from_str(&changes.line()).unwrap() };
    let uptime = loop {
        let change = change();
        if change["topic"] == "$SYS/broker/uptime" {
            break change["value"].clone();
        }
    };
    loop {
        let change = change();
        if change["topic"] == "$SYS/broker/uptime" {
            assert_ne!(change["value"], uptime);
            break;
        }
    }
    drop(changes);
    // On a terminal there is one table, which changes.
    let url = format!("mqtt://127.0.0.1:{}", real.port);
    let terminal = Terminal::start(&["mqtt", "sys", &url, "--watch"], "", 100, 90);
    let line = || {
        let seen = terminal.shows(&["broker/uptime "]);
        let lines = seen
            .lines()
            .filter(|line| line.starts_with("broker/uptime "));
        let lines: Vec<String> = lines.map(str::to_owned).collect();
        assert_eq!(lines.len(), 1, "{seen}");
        lines[0].clone()
    };
    let first = line();
    crate::support::wait_for("another uptime", || (line() != first).then_some(()));
    terminal.resize(100, 10);
    terminal.shows(&["for which the terminal is too small"]);
    crate::support::command::signal(terminal.program(), "INT");
    terminal.shows(&["ended with 130"]);
    let silent = broker("--sys-interval never");
    silent
        .iotctl("sys -W 60")
        .run()
        .exits(1)
        .says("publishes nothing below $SYS to this client");
    iotctl("mqtt sys --for 5")
        .run()
        .exits(2)
        .says("--for needs --watch");
}
