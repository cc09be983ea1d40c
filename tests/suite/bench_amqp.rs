//! `bench amqp`: every scenario, small, against RabbitMQ and our own broker; faults of known number; what is at the
//! server before and after.

use crate::support::bench::Figures;
use crate::support::broker::{Broker, started};
use crate::support::command::{Line, iotctl};
use crate::support::rabbitmq::{RabbitMq, rabbitmq, unique};

/// What is run, and how often each of 100 messages is delivered; `None`: nobody consumes.
const SCENARIOS: [(&str, Option<u64>); 20] = [
    ("", Some(1)),
    ("--scenario publish --persistent", None),
    ("--scenario publish --no-confirm", None),
    ("--auto-ack --channels 3 --size 24-300KiB", Some(1)),
    ("--multi-ack 10 --prefetch 10", Some(1)),
    ("--nack 100% --consumer-latency 100us", Some(1)),
    ("--get 1ms --consumers 2", Some(1)),
    ("--queue-type quorum --persistent", Some(1)),
    (
        "--queue-type stream --consumers 2 --channels 2 --offset first",
        Some(4),
    ),
    ("--type topic -k {client}.{seq} --producers 2", Some(1)),
    (
        "--type direct --queues 3 --consumers 3 -k k{queue}",
        Some(1),
    ),
    ("--scenario fan-in --producers 5 --threads 2", Some(1)),
    ("--scenario fan-out --consumers 3", Some(3)),
    (
        "--scenario one-to-one --argument x-max-length=100000",
        Some(1),
    ),
    ("--scenario request --producers 2 --consumers 2", Some(1)),
    (
        "--scenario request --channels 2 --mandatory --auto-ack",
        Some(1),
    ),
    ("--scenario channel-churn --window 5", None),
    ("--scenario queue-churn", None),
    ("--scenario consumer-churn", None),
    ("--scenario bind-churn", None),
];

/// `bench amqp URL`, quiet, with JSON on standard output.
fn bench(url: &str, words: &str) -> Line {
    iotctl("bench amqp --quiet --output json")
        .word(url)
        .words(words)
}

fn broker(words: &str) -> (Broker, String) {
    let broker = started(iotctl("amqp broker --quiet --listen 127.0.0.1:0").words(words));
    let url = format!("amqp://127.0.0.1:{}", broker.port);
    (broker, url)
}

fn every_scenario(url: &str, but: &str) {
    for (words, times) in SCENARIOS {
        if !but.is_empty() && words.contains(but) {
            continue;
        }
        let line = bench(url, words).words("--rate 1k --count 100 --drain 60s");
        let found = Figures::of(&line.run().exits(0));
        if let Some((_, rest)) = words.split_once("--scenario ") {
            let name = rest.split(' ').next().unwrap();
            assert_eq!(found.0["setup"]["scenario"], name);
        }
        found.counts([("planned", 100), ("acknowledged", 100), ("foreign", 0)]);
        if let Some(times) = times {
            found.counts([("unique", 100 * times), ("duplicate", 0), ("missing", 0)]);
        }
        assert_eq!(found.0["errors"], serde_json::json!([]), "{words}");
        let (opened, planned) = (found.connections("opened"), found.connections("planned"));
        assert_eq!((opened, found.connections("lost")), (planned, 0), "{words}");
    }
    let words = "--scenario idle --producers 50 --channels 2 --connect-rate 500 --duration 200ms";
    let found = Figures::of(&bench(url, words).run().exits(0));
    assert_eq!(found.connections("opened"), 50);
    // As fast as it goes, for the connections that the server still has to forget.
    let words = "--scenario connection-churn --producers 5 --count 50";
    let found = Figures::of(&bench(url, words).run().exits(0));
    found.counts([("planned", 50), ("acknowledged", 50)]);
}

#[test]
fn every_scenario_at_rabbitmq() {
    every_scenario(&rabbitmq().url(), "");
}

#[test]
fn every_scenario_at_our_broker() {
    let (_broker, url) = broker("");
    every_scenario(&url, "stream");
}

#[test]
fn messages_that_go_back_come_again() {
    let words = "--nack 20% --requeue --count 200 --rate 1k --drain 60s --seed 5";
    let found = Figures::of(&bench(&rabbitmq().url(), words).run().exits(0));
    found.counts([("acknowledged", 200), ("unique", 200), ("missing", 0)]);
    assert!(found.messages("duplicate") > 0, "{found:?}");
}

#[test]
fn queues_are_ours_for_the_run_and_those_of_others_are_left_alone() {
    let url = rabbitmq().url();
    let (mine, theirs) = (unique("bench-mine"), unique("bench-theirs"));
    let on = |queue: &str| bench(&url, "--count 20 --rate 1k --queue").word(queue);
    on(&mine).run().exits(0);
    let declared = |queue: &str| iotctl("amqp get").word(&url).word(queue).run();
    declared(&mine).exits(1).says("no queue");
    iotctl("amqp declare queue")
        .word(&url)
        .word(&theirs)
        .run()
        .exits(0);
    on(&theirs)
        .run()
        .exits(1)
        .says(&format!("the queue {theirs:?} already exists"));
    let found = Figures::of(
        &on(&theirs)
            .words("--predeclared --consumers 0")
            .run()
            .exits(0),
    );
    found.counts([("acknowledged", 20)]);
    declared(&theirs).exits(0);
    // Nineteen of another run are left.
    let found = Figures::of(&on(&theirs).words("--predeclared").run().exits(0));
    found.counts([("unique", 20), ("foreign", 19)]);
}

#[test]
fn messages_for_nobody_are_returned() {
    let (_broker, ours) = broker("");
    for url in [rabbitmq().url(), ours] {
        for words in ["", "--no-confirm"] {
            let words =
                format!("{words} --mandatory -k nowhere --consumers 0 --count 30 --rate 1k");
            let found = Figures::of(&bench(&url, &words).run().exits(1));
            found.counts([("sent", 30), ("acknowledged", 0), ("refused", 30)]);
            let cause = found.0["errors"][0]["cause"].as_str().unwrap();
            assert!(cause.contains("312 NO_ROUTE"), "{cause}");
        }
    }
}

#[test]
fn faults_are_counted_exactly() {
    let with_fault = |fault: &str, words: &str| {
        let (_broker, url) = broker(&format!("--fault {fault}"));
        let line = bench(&url, "--rate 1k --count 200 --drain 5s").words(words);
        Figures::of(&line.run().exits(0))
    };
    let found = with_fault("nack:every=10", "");
    found.counts([("acknowledged", 180), ("refused", 20), ("unique", 180)]);
    let found = with_fault("drop-confirm:every=10", "--consumers 0");
    found.counts([("acknowledged", 180), ("timed_out", 20)]);
    let found = with_fault("drop-deliver:every=10", "");
    found.counts([("acknowledged", 200), ("unique", 180), ("missing", 20)]);
    let found = with_fault("duplicate-deliver:every=10", "--auto-ack");
    found.counts([("unique", 200), ("duplicate", 20)]);
    let found = with_fault("delay-confirm:by=50ms", "");
    assert!(found.latency("response", "min_ms") >= 49.0, "{found:?}");
    with_fault("dribble", "").counts([("acknowledged", 200), ("missing", 0)]);
}

#[test]
fn lost_connections_come_back_and_every_message_is_accounted_for() {
    // Beyond the frames that make the queue.
    let (_broker, url) = broker("--fault close:every=400");
    let words = "--producers 2 --rate 1k --count 500 --drain 20s --window 10";
    let ended = bench(&url, words).run();
    let found = Figures::of(&ended);
    found.counts([("planned", 500), ("unsent", 0)]);
    // One that is lost at the very end may have no time to come back.
    let [lost, reopened] = ["lost", "reopened"].map(|name| found.connections(name));
    assert!(
        lost >= 2 && (lost - 1..=lost).contains(&reopened),
        "{found:?}"
    );
}

#[test]
fn a_blocked_connection_waits_and_says_so() {
    let (_broker, url) = broker("--fault block:after=50,for=300ms");
    let found = Figures::of(
        &bench(&url, "--rate 1k --count 200 --drain 60s")
            .run()
            .exits(0),
    );
    found.counts([("acknowledged", 200), ("unsent", 0)]);
    let cause = found.0["errors"][0]["cause"].as_str().unwrap();
    assert!(
        cause.starts_with("the server blocked the connection"),
        "{cause}"
    );
    // What was due while it was blocked has waited.
    assert!(found.latency("lag", "max_ms") >= 100.0, "{found:?}");
}

#[test]
fn our_own_peers_are_brought_along() {
    for peer in ["--embedded", "--calibrate"] {
        let ended = iotctl("bench amqp --quiet --output json --count 1000 --multi-ack 10")
            .words(peer)
            .run();
        Figures::of(&ended.exits(0)).counts([("acknowledged", 1000), ("missing", 0)]);
    }
}

#[test]
fn what_keeps_a_load_from_beginning_has_its_code() {
    let url = rabbitmq().url();
    bench(&url, "-u nobody -P wrong").run().exits(4);
    let lost = unique("bench-lost");
    for (words, code) in [("--predeclared --count 5", 1), ("--vhost nowhere", 1)] {
        bench(&url, words)
            .words("--queue")
            .word(&lost)
            .run()
            .exits(code);
    }
    bench("amqp://127.0.0.1:1", "").run().exits(3);
    bench(&url, "--shard 0/2")
        .run()
        .exits(2)
        .says("--predeclared");
    let tls = format!("amqps://127.0.0.1:{}", rabbitmq().tls_port);
    let line = bench(&tls, "--count 50 --rate 1k --cafile").word(&rabbitmq().certificates.ca);
    let found = Figures::of(&line.run().exits(0));
    found.counts([("acknowledged", 50), ("unique", 50)]);
    let handshakes = ["tls_full", "tls_resumed"].map(|kind| found.connections(kind));
    assert_eq!(handshakes.iter().sum::<u64>(), 2, "{handshakes:?}");
}

#[test]
fn a_load_may_be_written_down() {
    let folder = tempfile::TempDir::new().unwrap();
    let file = folder.path().join("load.toml");
    let text = "[amqp]\nembedded = true\nproducers = 2\nrate = \"1k\"\ncount = 50\nmulti-ack = 5\n";
    std::fs::write(&file, text).unwrap();
    let line = iotctl("bench run")
        .word(&file)
        .words("--quiet --output json --count 60");
    Figures::of(&line.run().exits(0)).counts([("acknowledged", 60), ("unique", 60)]);
    std::fs::write(&file, "[amqp]\npublishers = 2\n").unwrap();
    let refused = iotctl("bench run").word(&file).run().exits(2);
    refused.says("unknown key publishers; the keys are the long flags of bench amqp");
}

#[test]
fn a_rabbitmq_killed_meanwhile_loses_nothing_that_was_confirmed() {
    let mut server = RabbitMq::start();
    let words = "--persistent --producers 3 --rate 200 --duration 10m --drain 15s --interval 200ms";
    let mut running = iotctl("bench amqp --output json")
        .word(server.url())
        .words(words)
        .start();
    running.hears(" recv ");
    server.write_down();
    server.kill();
    running.hears(" connections 0 ");
    server.restart();
    running.hears(" connections 4 ");
    running.signal("INT");
    let found = Figures::of(&running.ends_by_itself().exits(130));
    let [lost, reopened] = ["lost", "reopened"].map(|name| found.connections(name));
    assert!(lost >= 4 && lost == reopened, "{found:?}");
    assert!(found.messages("acknowledged") > 0, "{found:?}");
    // What was confirmed was kept and came: only what was on its way when the server died may be missing.
    let (missing, in_doubt) = (
        found.messages("missing"),
        found.messages("lost_with_connection"),
    );
    assert!(
        missing <= in_doubt,
        "{missing} of {in_doubt} in doubt: {found:?}"
    );
}
