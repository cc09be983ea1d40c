//! The ways to say where to connect: URL, flags, environment, contexts.

use crate::support::broker::{Broker, broker, started};
use crate::support::command::{Line, iotctl};
use crate::support::mosquitto::mosquitto;
use crate::support::ports::free_ports;

/// Publishes with what `change` adds to the words, and checks that it arrives at the broker.
#[track_caller]
fn arrives(broker: &mut Broker, words: &str, change: impl FnOnce(Line) -> Line) {
    let receiver = broker.iotctl("sub -t a -C 1").start();
    broker.sees_subscription("a");
    change(iotctl(&format!("mqtt pub -m x -q 1 {words}")))
        .run()
        .exits(0)
        .quietly();
    receiver.ends().exits(0).prints("x\n");
}

#[test]
fn the_url_stands_anywhere_and_may_hold_the_topic() {
    let mut broker = broker("");
    let port = broker.port;
    for words in [
        format!("mqtt://127.0.0.1:{port}/a"),
        format!("-L mqtt://127.0.0.1:{port}/a"),
        format!("mqtt://127.0.0.1:{port}/%61"),
        format!("-t a mqtt://127.0.0.1:{port}"),
        format!("-t a -h 127.0.0.1 -p {port}"),
        format!("-t a --host localhost --port {port}"),
    ] {
        arrives(&mut broker, &words, |line| line);
    }
    let receiver = iotctl(&format!("mqtt sub mqtt://127.0.0.1:{port}/b/%2B -C 1")).start();
    broker.sees_subscription("b/+");
    broker.iotctl("pub -t b/x -m y").run().exits(0);
    receiver.ends().exits(0).prints("y\n");
}

#[test]
fn ipv6_works_in_each_spelling() {
    let mut broker = started(iotctl("mqtt broker --listen [::1]:0"));
    let port = broker.port;
    for words in [
        format!("mqtt://[::1]:{port}/a"),
        format!("-h ::1 -p {port} -t a"),
        // The name has an IPv4 address as well, where nobody listens.
        format!("-h localhost -p {port} -t a"),
    ] {
        let receiver = iotctl(&format!("mqtt sub mqtt://[::1]:{port} -t a -C 1")).start();
        broker.sees_subscription("a");
        iotctl(&format!("mqtt pub -m x -q 1 {words}"))
            .run()
            .exits(0);
        receiver.ends().exits(0).prints("x\n");
    }
}

#[test]
fn flags_win_over_the_environment_and_that_over_a_context() {
    let mut broker = broker("");
    let port = broker.port.to_string();
    let [nobody] = free_ports();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config.toml");
    let context = |port: &str| {
        let text = format!("[contexts.here]\nhost = \"127.0.0.1\"\nport = {port}\n");
        std::fs::write(&file, text).unwrap();
    };
    context(&port);
    arrives(&mut broker, "-t a --context here", |line| {
        line.env("IOTCTL_CONFIG", &file)
    });
    arrives(&mut broker, "-t a", |line| {
        line.env("IOTCTL_CONFIG", &file)
            .env("IOTCTL_CONTEXT", "here")
    });
    context(&nobody.to_string());
    arrives(&mut broker, "-t a --context here", |line| {
        line.env("IOTCTL_CONFIG", &file).env("IOTCTL_PORT", &port)
    });
    arrives(
        &mut broker,
        &format!("-t a --context here -p {port}"),
        |line| {
            line.env("IOTCTL_CONFIG", &file)
                .env("IOTCTL_PORT", nobody.to_string())
        },
    );
    arrives(&mut broker, "-t a", |line| {
        line.env("IOTCTL_URL", format!("mqtt://127.0.0.1:{port}"))
    });
}

#[test]
fn what_others_put_into_the_environment_stops_nobody() {
    let mut broker = broker("");
    let port = broker.port;
    // Kubernetes sets the first for a Service named iotctl; services run with homes that are none.
    arrives(
        &mut broker,
        &format!("-t a mqtt://127.0.0.1:{port}"),
        |line| {
            line.env("IOTCTL_PORT", "tcp://10.0.0.1:1883")
                .env("HOME", "/dev/null")
        },
    );
}

#[test]
fn a_mistake_in_a_variable_is_told_with_its_name() {
    let line = |name: &str, value: &str| iotctl("mqtt sub -t a").env(name, value).run().exits(2);
    line("IOTCTL_URL", "mqtt://h:x").says("(from IOTCTL_URL)");
    line("IOTCTL_HOST", "h:x").says("(from IOTCTL_HOST)");
}

#[test]
fn a_server_of_another_protocol_is_not_asked() {
    let broker = broker("");
    let port = broker.port;
    let server = crate::support::coap::server("", &["coap"]);
    let there = format!("mqtt://127.0.0.1:{port}");
    for command in ["coap get /", "coap put -m x /", "amqp ping", "bench coap /"] {
        let line = iotctl(command).env("IOTCTL_URL", &there);
        line.run()
            .exits(2)
            .says("the IOTCTL_ variables is for MQTT");
    }
    let line = iotctl("coap get").word(format!("{}/.well-known/core", server.uris[0]));
    line.env("IOTCTL_URL", &there).run().exits(0).quietly();
    let line = iotctl("mqtt sub -t a").env("IOTCTL_HOST", "127.0.0.1");
    let line = line.env("IOTCTL_PORT", "5683");
    line.run().exits(2).says("is for CoAP");
}

#[test]
fn a_user_that_a_url_names_has_the_password_of_the_environment() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("passwords");
    std::fs::write(&file, "ann:secret\n").unwrap();
    let line = iotctl("mqtt broker --listen 127.0.0.1:0 --password-file").word(&file);
    let broker = started(line);
    let publish = |user: &str| {
        let url = format!("mqtt://{user}127.0.0.1:{}/a", broker.port);
        let line = iotctl("mqtt pub -m x -q 1").word(url);
        line.env("IOTCTL_PASSWORD", "secret").run()
    };
    publish("ann@").exits(0);
    publish("ann:wrong@").exits(4);
    publish("bob@").exits(4);
}

#[test]
fn times_are_in_the_zone_that_tz_names() {
    let mut broker = broker("");
    for (zone, offset) in [
        ("Asia/Kolkata", "+0530\n"),
        ("EST5", "-0500\n"),
        ("UTC", "+0000\n"),
    ] {
        let receiver = broker.iotctl("sub -t a -C 1 -F @z").env("TZ", zone).start();
        broker.sees_subscription("a");
        broker.iotctl("pub -t a -n").run().exits(0);
        receiver.ends().exits(0).prints(offset);
    }
}

#[test]
fn a_configuration_file_that_is_named_must_be_there() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("none.toml");
    for words in [
        "mqtt sub mqtt://127.0.0.1:1 -t a",
        "mqtt sub -t a --context dev",
        "watch dev --once",
    ] {
        iotctl(words)
            .env("IOTCTL_CONFIG", &file)
            .run()
            .exits(8)
            .says("none.toml: no such file or directory");
    }
}

#[test]
fn a_context_of_host_and_port_is_one_of_mqtt_by_its_name_too() {
    let broker = broker("");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config.toml");
    let port = broker.port;
    let text = format!("[contexts.dev]\nhost = \"127.0.0.1\"\nport = {port}\n");
    std::fs::write(&file, text).unwrap();
    broker.iotctl("pub -t a -m kept -r").run().exits(0);
    let watch = iotctl("watch dev --once").env("IOTCTL_CONFIG", &file);
    watch.run().exits(0).contains("kept");
    // Where only a URL can stand.
    for words in [
        "mqtt sub dev -t a",
        "mqtt ping dev",
        "bench mqtt dev",
        "coap get dev",
    ] {
        let line = iotctl(words).env("IOTCTL_CONFIG", &file);
        line.run().exits(2).says("hint: use --context dev\n");
    }
    let simulate = iotctl("simulate dev").env("IOTCTL_CONFIG", &file);
    simulate.run().exits(8).says("hint: use --context dev\n");
    let simulate = iotctl("simulate dev --scenario home").env("IOTCTL_CONFIG", &file);
    simulate.run().exits(2).says("hint: use --context dev\n");
    let other = iotctl("mqtt sub prod -t a").env("IOTCTL_CONFIG", &file);
    other.run().exits(2).says("hint: use mqtt://HOST");
}

/// Neither side speaks first there.
#[test]
fn a_port_of_mqtt_is_told_to_who_speaks_amqp() {
    let ours = broker("");
    let other = mosquitto();
    for port in [ours.port, other.port] {
        iotctl(&format!("amqp ping amqp://127.0.0.1:{port}"))
            .run()
            .exits(3)
            .says("speaks MQTT, not AMQP 0-9-1")
            .says("hint: that port belongs to an MQTT broker");
    }
}
