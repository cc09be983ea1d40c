//! Every scenario of `bench mqtt`, small, against mosquitto and our own broker.

use crate::support::bench::{Figures, bench};
use crate::support::broker::broker;
use crate::support::command::{iotctl, signal};
use crate::support::mosquitto::{Mosquitto, Settings, mosquitto};

/// What is run, and how often each of 100 messages is delivered; `None`: nobody listens.
const SCENARIOS: [(&str, Option<u64>); 14] = [
    ("--scenario publish --publishers 3 -q 0", None),
    ("--scenario publish --publishers 3 -q 2 -V 311", None),
    ("--scenario fan-in --publishers 5", Some(1)),
    ("--scenario fan-out --subscribers 4 -q 2", Some(4)),
    (
        "--scenario one-to-one --publishers 3 --subscribers 3",
        Some(1),
    ),
    (
        "--scenario many-to-many --publishers 3 --subscribers 2 --threads 2",
        Some(2),
    ),
    (
        "--scenario many-to-many --publishers 4 --subscribers 4 --topic x/{group}/{client} --groups 2",
        Some(2),
    ),
    (
        "--scenario fan-out --subscribers 3 --shared-group workers",
        Some(1),
    ),
    ("--scenario churn --publishers 5 -V 311", None),
    ("--scenario subscribe --publishers 2", None),
    ("--scenario retained --publishers 2", None),
    (
        "--scenario retained-storm --publishers 2 --retained-messages 7",
        Some(7),
    ),
    (
        "--scenario backlog --publishers 2 --away 50ms --drain 20s",
        Some(1),
    ),
    ("--scenario request --publishers 2 --subscribers 2", Some(1)),
];

fn every_scenario(port: u16) {
    for (words, times) in SCENARIOS {
        let mut line = bench(port, words).words("--rate 1k --count 100");
        if !words.contains("-q ") {
            line = line.words("-q 1");
        }
        let found = Figures::of(&line.run().exits(0));
        found.counts([("planned", 100), ("acknowledged", 100), ("foreign", 0)]);
        if let Some(times) = times {
            found.counts([("unique", 100 * times), ("duplicate", 0), ("missing", 0)]);
            assert_eq!(
                found.0["latency"]["end_to_end"]["count"],
                100 * times,
                "{words}"
            );
        }
        assert_eq!(found.0["errors"], serde_json::json!([]), "{words}");
        assert_eq!(
            found.connections("opened"),
            found.connections("planned"),
            "{words}"
        );
    }
}

fn wills_and_idle_connections(port: u16) {
    let ended = bench(
        port,
        "--scenario wills --publishers 4 --rate 500 --count 50 -q 1",
    );
    let found = Figures::of(&ended.run().exits(0));
    found.counts([("acknowledged", 50)]);
    // The wills of the four connections that are open when measuring begins and ends may count on either side; and a busy
    // server may notice the end of the last ones after us.
    let received = found.0["messages"]["received"].as_u64().unwrap();
    assert!((25..=54).contains(&received), "{received} wills came");
    let words = "--scenario idle --publishers 50 --connect-rate 500 --duration 200ms";
    let found = Figures::of(&bench(port, words).run().exits(0));
    found.counts([("planned", 0), ("sent", 0)]);
    assert_eq!(found.connections("opened"), 50);
    let rate = found.0["connections"]["rate_per_s"].as_f64().unwrap();
    assert!(
        rate < 520.0,
        "50 connections were opened at {rate}/s instead of 500/s"
    );
}

#[test]
fn every_scenario_at_mosquitto() {
    let mosquitto = generous();
    every_scenario(mosquitto.port);
    wills_and_idle_connections(mosquitto.port);
}

#[test]
fn every_scenario_at_our_broker() {
    let broker = broker("--quiet");
    every_scenario(broker.port);
    wills_and_idle_connections(broker.port);
}

/// What is retained at this port.
#[track_caller]
fn retained(port: u16) -> String {
    let line = iotctl("mqtt clear --dry-run --quiet -t # -h 127.0.0.1 -p").words(&port.to_string());
    line.run().exits(0).text().to_owned()
}

fn nothing_stays_retained(port: u16) {
    for (words, cleared) in [
        ("--scenario retained --count 40 -q 1", 40),
        ("--scenario retained --count 40 -q 0 -V 311 --threads 2", 40),
        ("--scenario retained --count 40 -q 1 --processes 2", 40),
        (
            "--scenario retained-storm --retained-messages 100 --count 20 -q 1",
            1_000,
        ),
        ("--retain --publishers 3 --count 40 -q 1", 3),
        (
            "--retain --publishers 3 --topic {group}/all --groups 2 --count 40 -q 1",
            2,
        ),
        ("--count 40 -q 1", 0),
    ] {
        let found = Figures::of(&bench(port, "--rate 1k").words(words).run().exits(0));
        let counted = found.0["counts"]["retained_cleared"].as_u64();
        assert_eq!(counted.unwrap_or(0), cleared, "{words}");
        assert_eq!(retained(port), "", "{words}");
    }
}

#[test]
fn nothing_stays_retained_at_mosquitto() {
    nothing_stays_retained(generous().port);
}

#[test]
fn nothing_stays_retained_at_our_broker() {
    nothing_stays_retained(broker("--quiet").port);
}

#[test]
fn what_stays_retained_is_said() {
    let broker = broker("--quiet");
    let mut running = iotctl("bench mqtt --output json --interval 100ms --scenario retained -q 1")
        .words(&format!("-h 127.0.0.1 -p {}", broker.port))
        .words("--publishers 1 --rate 500 --count 1000 --drain 300ms")
        .start();
    running.hears(" p50 ");
    signal(broker.running.id(), "KILL");
    let found = Figures::of(&running.ends().exits(6));
    assert_eq!(found.0["counts"]["retained_cleared"], 0);
    let (warnings, sent) = (found.0["warnings"].to_string(), found.messages("sent"));
    let said = format!(
        "only 0 of {sent} retained messages were cleared from the server: cannot connect to "
    );
    assert!(warnings.contains(&said), "{warnings}");
}

fn generous() -> Mosquitto {
    Mosquitto::start(Settings {
        more: String::from("max_queued_messages 0\nmax_inflight_messages 0"),
        ..Settings::default()
    })
}

#[test]
fn as_fast_as_it_goes_nothing_is_lost_with_acknowledgements() {
    let mosquitto = generous();
    for words in [
        "--publishers 4 --subscribers 1 -q 1 --window 20 --threads 2",
        "--publishers 2 --subscribers 1 -q 2 --window 5 --size 24-3000 --coalesce 200us",
        "--publishers 2 --subscribers 1 -q 1 --window 1 --think 1ms",
    ] {
        let ended = bench(mosquitto.port, words).words("--max --count 1000");
        let found = Figures::of(&ended.run().exits(0));
        found.counts([("acknowledged", 1000), ("unique", 1000), ("reordered", 0)]);
    }
}

#[test]
fn over_tls_from_several_addresses() {
    let mosquitto = mosquitto();
    let words = format!(
        "bench mqtt --quiet --output json mqtts://localhost:{} --cafile {}",
        mosquitto.tls_port,
        mosquitto.certificates.ca.display()
    );
    let line = iotctl(&words).words("--publishers 4 -q 1 --rate 500 --count 50");
    let found = Figures::of(&line.words("--bind 127.0.0.1,127.0.0.2").run().exits(0));
    found.counts([("acknowledged", 50)]);
    assert_eq!(found.connections("opened"), 4);
    assert_eq!(found.0["latency"]["handshake"]["count"], 4);
}

#[test]
fn tls_sessions_are_resumed_unless_told_otherwise_and_counted() {
    let mosquitto = mosquitto();
    let words = format!(
        "bench mqtt --quiet --output json mqtts://localhost:{} --cafile {}",
        mosquitto.tls_port,
        mosquitto.certificates.ca.display()
    );
    // Each message is a connection, one after the other.
    let line = iotctl(&words).words("--scenario churn --publishers 1 --max --count 20");
    let found = Figures::of(&line.words("--tls-version 1.2").run().exits(0));
    let kinds = ["tls_full", "tls_resumed"].map(|kind| found.connections(kind));
    assert_eq!(kinds, [1, 20]);
    let line = iotctl(&words).words("--scenario churn --publishers 1 --max --count 20");
    let found = Figures::of(&line.words("--no-resumption").run().exits(0));
    let kinds = ["tls_full", "tls_resumed"].map(|kind| found.connections(kind));
    assert_eq!(kinds, [21, 0]);
}

#[test]
fn over_every_transport_nothing_is_lost_or_left_in_a_buffer() {
    let mosquitto = mosquitto();
    let ca = mosquitto.certificates.ca.display();
    // mosquitto 2.0.11 stops in the middle of large messages over WebSocket, whoever reads them.
    let mut ours = broker("--quiet --listen ws://127.0.0.1:0");
    let websocket = ours.running.line();
    for place in [
        format!("mqtts://localhost:{} --cafile {ca}", mosquitto.tls_port),
        websocket,
        format!("--unix {}", mosquitto.socket()),
    ] {
        // Messages larger than any buffer on the way, and small ones that wait for no other.
        for words in [
            "--size 300KiB --count 30 --window 10 --drain 60s",
            "--count 300 --window 1 --drain 60s",
        ] {
            let line = iotctl("bench mqtt --quiet --output json").words(&place);
            let line = line
                .words("--publishers 2 --subscribers 1 -q 1 --max")
                .words(words);
            let found = Figures::of(&line.run().exits(0));
            let sent = found.messages("sent");
            found.counts([("acknowledged", sent), ("unique", sent), ("duplicate", 0)]);
            assert_eq!(found.0["latency"]["handshake"]["count"], 3, "{place}");
        }
        // Each message is a connection, with all that its transport takes.
        let line = iotctl("bench mqtt --quiet --output json").words(&place);
        let words = "--scenario churn --publishers 2 --max --count 20";
        let found = Figures::of(&line.words(words).run().exits(0));
        found.counts([("acknowledged", 20)]);
        assert_eq!(found.0["latency"]["handshake"]["count"], 22, "{place}");
    }
}

#[test]
fn what_messages_carry_can_be_chosen() {
    let mosquitto = mosquitto();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("body");
    std::fs::write(&file, vec![b'x'; 500]).unwrap();
    let file = format!("--file {}", file.display());
    for (words, is_stamped) in [
        (file.clone() + " --stamp", true),
        (file, false),
        (String::from("-m hello"), false),
        (String::from("-m hello --stamp-property"), true),
        (String::from("--template {seq}"), false),
        (String::from("--template {uuid} --stamp-property"), true),
        (String::from("--size 24"), true),
    ] {
        let line = bench(mosquitto.port, "--subscribers 1 -q 1 --rate 500 --count 50");
        let found = Figures::of(&line.words(&words).run().exits(0));
        found.counts([("acknowledged", 50)]);
        let is_measured = found.0["latency"]["end_to_end"].is_object();
        assert_eq!(is_measured, is_stamped, "{words}");
        assert_eq!(
            found.0["warnings"].to_string().contains("stamp"),
            !is_stamped,
            "{words}"
        );
    }
}

#[test]
fn shards_are_one_run() {
    let mosquitto = mosquitto();
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().display();
    let moment = std::time::SystemTime::now() + std::time::Duration::from_secs(4);
    let moment = moment
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_secs()
        + 1;
    let shards: Vec<_> = (0..2)
        .map(|index| {
            let words = "--publishers 4 --subscribers 2 -q 1 --rate 500 --count 101 --drain 2s";
            bench(mosquitto.port, words)
                .words(&format!(
                    "--start-at {moment} --clock-error 1ms --save-json {folder}/{index}.json"
                ))
                .env("SLURM_PROCID", index.to_string())
                .env("SLURM_NTASKS", "2")
                .start()
        })
        .collect();
    for shard in shards {
        shard.ends().exits(0);
    }
    let merged = iotctl(&format!("bench merge {folder}")).run().exits(0);
    let found = Figures::of(&merged);
    found.counts([
        ("planned", 101),
        ("acknowledged", 101),
        ("expected", 202),
        ("unique", 202),
        ("foreign", 0),
    ]);
    assert_eq!(found.connections("opened"), 6);
    assert_eq!(found.0["setup"]["clock_error"], "1ms");
    assert_eq!(found.0["latency"]["end_to_end"]["count"], 202);
}

#[test]
fn without_a_word_about_clocks_a_shard_has_no_latency_between_machines() {
    let mosquitto = mosquitto();
    let words = "--publishers 2 --subscribers 2 -q 1 --max --count 50 --shard 0/2 --drain 100ms";
    let found = Figures::of(&bench(mosquitto.port, words).run().exits(0));
    assert_eq!(found.0["latency"].get("end_to_end"), None);
    let warnings = found.0["warnings"].to_string();
    assert!(
        warnings.contains("end_to_end is not reported"),
        "{warnings}"
    );
}
