//! What goes wrong on purpose is counted exactly; what is measured is what happened.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::bench::{Figures, bench};
use crate::support::broker::{broker, started};
use crate::support::coap::server;
use crate::support::command::{Ended, Line, Running, iotctl, signal};
use crate::support::mosquitto::mosquitto;
use crate::support::ports::free_ports;

/// 200 messages through our broker with a fault.
#[track_caller]
fn with_fault(fault: &str, words: &str, code: i32) -> Figures {
    let broker = broker(&format!("--quiet --fault {fault}"));
    let line = bench(broker.port, "--rate 1k --count 200 --drain 3s");
    let listens = match code {
        0 => "--subscribers 1",
        _ => "",
    };
    Figures::of(&line.words(listens).words(words).run().exits(code))
}

#[test]
fn loss_duplicates_disorder_and_refusals_are_counted_exactly() {
    with_fault("drop-publish:every=10", "", 0).counts([
        ("acknowledged", 200),
        ("unique", 180),
        ("missing", 20),
        ("duplicate", 0),
    ]);
    with_fault("duplicate-publish:every=10", "", 0).counts([
        ("received", 220),
        ("duplicate", 20),
        ("missing", 0),
    ]);
    // Message 196 is the last to be held back, for the one after it.
    let found = with_fault("reorder-publish:every=7", "", 0);
    found.counts([("unique", 200), ("missing", 0)]);
    assert!(
        (27..=28).contains(&found.messages("reordered")),
        "{found:?}"
    );
    let found = with_fault("drop-ack:packet=puback,every=10", "-q 1", 0);
    found.counts([("acknowledged", 180), ("timed_out", 20)]);
    let found = with_fault("refuse-publish:code=0x97,every=4", "-q 1", 0);
    found.counts([("acknowledged", 150), ("refused", 50)]);
    assert_eq!(found.0["errors"][0]["count"], 50);
    with_fault("refuse-publish:code=0x87", "-q 1", 1).counts([("refused", 200)]);
}

#[test]
fn a_server_that_freezes_or_passes_on_next_to_nothing_fails_the_run() {
    // It answers some, and then reads no more: most are held back by the window.
    let found = with_fault("stall:after=30", "-q 1 --window 10", 5);
    assert!(found.messages("acknowledged") > 0, "{found:?}");
    assert!(found.messages("unsent") > 100, "{found:?}");
    let broker = broker("--quiet --fault stall:after=30");
    let line = bench(
        broker.port,
        "--subscribers 1 --rate 1k --count 200 -q 1 --window 10",
    );
    let words = "--drain 1s --assert acknowledged>0";
    line.words(words).run().exits(0);
}

#[test]
fn wills_that_never_come_are_missing() {
    let broker = broker("--quiet --fault drop-publish:every=3");
    let words =
        "--scenario wills --publishers 4 --rate 200 --count 20 --drain 2s --assert missing==0";
    let ended = bench(broker.port, words).run().exits(7);
    let found = Figures::of(&ended);
    found.counts([("acknowledged", 20), ("expected", 20)]);
    assert!(found.messages("missing") > 0, "{found:?}");
    let line = iotctl("bench mqtt --quiet --scenario wills --publishers 4 --rate 200 --count 20");
    let table = line
        .words(&format!("-h 127.0.0.1 -p {}", broker.port))
        .run();
    assert!(table.text().contains("reconnected"), "{}", table.text());
    assert!(!table.text().contains("accepted"), "{}", table.text());
}

/// The server publishes the will of a connection however it ends: that one must not stand for another that is missing.
#[test]
fn a_will_for_another_reason_stands_for_no_other() {
    for (fault, missing) in [("", 0), ("--fault drop-publish:nth=9", 1)] {
        let broker = broker(&format!(
            "--quiet --fault close:after=1,client=b-pub-0,nth=5 {fault}"
        ));
        let words =
            "--scenario wills -I b- --publishers 1 --rate 20 --count 20 --warmup 0s --drain 3s";
        let ended = bench(broker.port, words).run();
        let found = Figures::of(&ended);
        found.counts([("expected", 21), ("missing", missing)]);
    }
}

#[test]
fn a_known_delay_is_measured() {
    let found = with_fault("delay-publish:by=50ms", "", 0);
    // How long the broker waits beyond it, by a timer of milliseconds, is its own: the exact measure is a unit test's.
    let least = found.latency("end_to_end", "min_ms");
    assert!(least >= 49.95, "{least}");
}

#[test]
fn a_broker_that_stops_for_two_seconds_is_seen_whole() {
    // Ten seconds: as short as the definition of the figure allows.
    // One at a time, a debug build needs the time that is left to catch up.
    let runs = [("-q 0", 500), ("-q 2", 500), ("-q 1 --window 1", 100)];
    let mut brokers: Vec<_> = runs
        .into_iter()
        .map(|(words, rate)| {
            let broker = broker("--quiet");
            let running = iotctl("bench mqtt --output json --interval 500ms -h 127.0.0.1 -p")
                .words(&broker.port.to_string())
                .words(&format!("--subscribers 1 --rate {rate} --duration 10s"))
                .words(words)
                .start();
            (words, rate * 10, broker, running)
        })
        .collect();
    for (.., running) in &mut brokers {
        running.hears("sent");
    }
    for (_, _, broker, _) in &brokers {
        signal(broker.running.id(), "STOP");
    }
    // Not to wait for something: this is what is measured.
    std::thread::sleep(Duration::from_secs(2));
    for (_, _, broker, _) in &brokers {
        signal(broker.running.id(), "CONT");
    }
    for (words, planned, _broker, running) in brokers {
        let ended = running.ends().exits(0);
        let found = Figures::of(&ended);
        found.counts([
            ("planned", planned),
            ("acknowledged", planned),
            ("unique", planned),
        ]);
        // A run on a machine that is too busy takes its time to catch up; the exact figures are those of a release build on
        // a quiet one (benches/).
        let longest = match &found.0["generator"]["limited"] {
            Value::Bool(true) => f64::INFINITY,
            _ if words.ends_with("--window 1") => 4_000.0,
            _ => 3_000.0,
        };
        for quantity in ["response", "end_to_end"] {
            if words == "-q 0" && quantity == "response" {
                continue;
            }
            let p99 = found.latency(quantity, "p99_ms");
            assert!(
                (1_850.0..longest).contains(&p99),
                "{words}: {quantity} {p99}"
            );
            // 1,000 of 5,000 messages were due in the pause, evenly late.
            let p90 = found.latency(quantity, "p90_ms");
            assert!(p90 >= 950.0, "{words}: {quantity} {p90}");
        }
    }
}

#[test]
fn a_broker_killed_and_started_again_is_accounted_for() {
    let mut mosquitto = mosquitto();
    let words = "bench mqtt --output json --interval 100ms -h 127.0.0.1 -p";
    let mut running = iotctl(words)
        .words(&mosquitto.port.to_string())
        .words("--publishers 3 --subscribers 2 -q 1 --rate 500 --duration 1h")
        .start();
    running.hears("connections 5 ");
    mosquitto.kill();
    running.hears("connections 0 ");
    mosquitto.restart();
    // All streams are back, and the load goes on.
    running.hears("connections 5 ");
    running.hears("acked");
    running.signal("INT");
    let found = Figures::of(&running.ends().exits(130));
    assert_eq!(found.connections("lost"), 5, "{found:?}");
    assert_eq!(found.connections("reopened"), 5, "{found:?}");
    // What was due in the outage was sent after it; only what was under way is lost.
    let sent = found.messages("sent");
    let lost = found.messages("lost_with_connection");
    assert_eq!(found.messages("planned"), sent, "{found:?}");
    assert_eq!(found.messages("acknowledged") + lost, sent, "{found:?}");
    let away = found.0["connections"]["away_s"].as_f64().unwrap();
    assert!(away > 0.0);
}

#[test]
fn nobody_there_is_exit_code_3_and_the_reason_alone() {
    let [port] = free_ports();
    let begun = Instant::now();
    let ended = bench(port, "--publishers 3 --duration 10m").run().exits(3);
    assert!(
        begun.elapsed() < Duration::from_mins(1),
        "it waited for nobody"
    );
    assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
    let said = format!("iotctl: cannot connect to mqtt://127.0.0.1:{port}: connection refused");
    assert_eq!(ended.says(&said).text(), "", "no report of nothing");
}

/// Files of a result, by form.
struct Files(TempDir);

impl Files {
    const FORMS: [&str; 4] = ["junit", "markdown", "html", "save-json"];

    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// The flags that have them written.
    fn words(&self) -> String {
        let flag = |form| format!("--{form} {} ", self.path(form).display());
        Self::FORMS.map(flag).concat()
    }

    fn path(&self, form: &str) -> PathBuf {
        self.0.path().join(form)
    }

    fn text(&self, form: &str) -> String {
        std::fs::read_to_string(self.path(form)).unwrap()
    }

    /// Checks that no form says that all is well, and that JUnit counts these failures and errors.
    #[track_caller]
    fn are_bad(&self, failures: u32, errors: u32) -> &Self {
        for form in ["junit", "markdown", "html"] {
            let text = self.text(form);
            assert!(
                !text.contains(" passed") && !text.contains("were stable"),
                "{form}: {text}"
            );
        }
        let counts = format!("failures=\"{failures}\" errors=\"{errors}\"");
        let junit = self.text("junit");
        assert!(junit.contains(&counts), "{junit}");
        self
    }

    /// `bench COMMAND` on the saved result.
    fn bench(&self, command: &str) -> Line {
        iotctl(&format!("bench {command}")).word(self.path("save-json"))
    }
}

#[test]
fn a_run_without_a_connection_meets_no_threshold_anywhere() {
    let [port] = free_ports();
    for words in [
        format!("mqtt mqtt://127.0.0.1:{port} -q 1"),
        format!("amqp amqp://127.0.0.1:{port}"),
        format!("coap coap+tcp://127.0.0.1:{port}/x"),
    ] {
        let files = Files::new();
        let line = iotctl(&format!("bench {words} --rate 200 --count 100 --quiet"));
        let line = line
            .words(&files.words())
            .words("--assert")
            .word("lost == 0");
        line.run().exits(3).says("connection refused");
        files.are_bad(1, 1);
        let why = "no connection could be opened: cannot connect to ";
        for form in ["junit", "markdown", "html"] {
            assert!(
                files.text(form).contains(why),
                "{words}: {}",
                files.text(form)
            );
        }
        let missed = "missed lost == 0: no connection could be opened: ";
        let line = files
            .bench("report")
            .words("-o prometheus --assert")
            .word("lost == 0");
        let shown = line.run().exits(7).says(missed);
        let shown = shown.contains("iotctl_bench_threshold_passed{expression=\"lost == 0\"} 0");
        shown.contains("iotctl_bench_steady 0");
        files.bench("merge").run().exits(7).says(missed);
        let line = files.bench("compare").word(files.path("save-json"));
        line.run()
            .exits(2)
            .says("cannot be compared: no connection could be opened");
    }
}

#[test]
fn a_run_in_which_all_is_refused_meets_no_threshold() {
    let broker = broker("--quiet --fault refuse-publish:code=0x87");
    let files = Files::new();
    let line = bench(broker.port, "-q 1 --rate 500 --count 50").words(&files.words());
    let line = line.words("--assert").word("lost == 0");
    line.run()
        .exits(7)
        .says("missed lost == 0: none of 50 messages was accepted");
    files.are_bad(1, 1);
    let files = Files::new();
    let line = bench(broker.port, "-q 1 --rate 500 --count 50").words(&files.words());
    line.run().exits(1).says("none of 50 messages was accepted");
    files.are_bad(0, 1);
    let markdown = files.text("markdown");
    let head = "### Load test: failed: none of 50 messages was accepted\n";
    assert!(markdown.starts_with(head), "{markdown}");
}

/// Runs a load against a server that is killed in the middle.
fn with_server_killed(words: &str, server: &Running) -> Ended {
    let mut running = iotctl(&format!("bench {words}"))
        .words("--output json --interval 100ms --rate 500 --count 1000 --drain 300ms")
        .start();
    running.hears(" p50 ");
    signal(server.id(), "KILL");
    running.ends()
}

#[test]
fn a_server_that_dies_for_good_is_named_and_fails_the_run() {
    let mqtt = || {
        let broker = broker("--quiet");
        let words = format!("mqtt mqtt://127.0.0.1:{} -q 1", broker.port);
        (broker.running, words)
    };
    let amqp = || {
        let broker = started(iotctl("amqp broker --quiet --listen 127.0.0.1:0"));
        let words = format!("amqp amqp://127.0.0.1:{} --scenario publish", broker.port);
        (broker.running, words)
    };
    let coap = |scheme| {
        let server = server("-r /temp=text:21.5", &[scheme]);
        let words = format!("coap {}/temp --ack-timeout 500ms", server.uris[0]);
        (server.running, words)
    };
    for (server, words) in [mqtt(), amqp(), coap("coap+tcp"), coap("coap")] {
        let files = Files::new();
        let ended = with_server_killed(&format!("{words} {}", files.words()), &server).exits(6);
        let lost = "1 of 1 connections was lost and not reopened: ";
        let ended = ended.says(&format!("iotctl: {lost}"));
        let found = Figures::of(&ended);
        assert!(found.messages("unsent") > 0, "{words}: {found:?}");
        assert_eq!(found.0["generator"]["limited"], false, "{words}");
        files.are_bad(0, 1);
        assert!(
            files.text("markdown").contains(lost),
            "{}",
            files.text("markdown")
        );
        // More than half of the messages are missing, or so many that the slowest percent is among them.
        let line = files.bench("report").words("--assert").word("p99 < 1h");
        let late = "missed p99 < 1h: too many messages were not answered (";
        line.run().exits(7).says(late);
        let line = files.bench("report").words("--assert").word("lag.p99 < 1h");
        line.run()
            .exits(7)
            .says("too many messages were not sent (");
        // Whoever sets a limit to lost connections decides; the messages before were in time.
        let line = files
            .bench("report")
            .words("--assert")
            .word("connections.lost <= 1");
        line.words("--assert").word("min < 1h").run().exits(0);
    }
}

#[test]
fn an_outage_that_is_over_in_time_is_no_failure() {
    let mut mosquitto = mosquitto();
    let words = "bench mqtt --output json --interval 100ms -h 127.0.0.1 -p";
    let mut running = iotctl(words)
        .words(&mosquitto.port.to_string())
        .words("-q 1 --rate 200 --count 1000 --drain 30s --assert unsent==0")
        .words("--assert p90<1m --assert connections.reopened==1")
        .start();
    running.hears(" p50 ");
    mosquitto.kill();
    running.hears("connections 0 ");
    mosquitto.restart();
    let found = Figures::of(&running.ends().exits(0));
    assert_eq!(found.messages("planned"), 1_000, "{found:?}");
}

#[test]
fn half_of_the_connections_refused_is_said_once() {
    let broker = broker("--quiet --max-connections 10");
    let words = "--publishers 20 -q 1 --rate 500 --duration 500ms";
    let ended = bench(broker.port, words).run();
    assert_ne!(ended.code, 0);
    assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
    let ended = ended.says("10 of 20 connections could not be opened");
    let found = Figures::of(&ended);
    assert_eq!(
        (found.connections("opened"), found.connections("failed")),
        (10, 10)
    );
    assert_eq!(found.0["errors"].as_array().unwrap().len(), 1, "{found:?}");
    assert_eq!(found.messages("planned"), 250);
    // Whoever allows for it is not told that it failed.
    let line = bench(broker.port, words).words("--assert");
    line.word("connections.failed <= 10").run().exits(0);
}

#[test]
fn interrupted_runs_report_what_they_did() {
    let broker = broker("--quiet");
    for (name, code) in [("INT", 130), ("TERM", 143)] {
        let mut running =
            iotctl("bench mqtt --output json --rate 500 -q 1 --duration 1h --interval 100ms")
                .words(&format!("-h 127.0.0.1 -p {}", broker.port))
                .start();
        running.hears("acked");
        running.signal(name);
        let ended = running.ends().exits(code);
        let found = Figures::of(&ended);
        assert!(found.messages("acknowledged") > 0);
        assert_eq!(found.messages("acknowledged"), found.messages("planned"));
    }
}

#[test]
fn an_embedded_broker_ends_with_the_run() {
    let mut running =
        iotctl("bench mqtt --embedded --rate 500 --duration 1h --interval 100ms").start();
    running.hears("sent");
    let broker = child_of(running.id());
    running.signal("KILL");
    crate::support::wait_for("the end of the embedded broker", || {
        let state = std::fs::read_to_string(format!("/proc/{broker}/stat")).unwrap_or_default();
        // Nobody may have collected it yet.
        (state.is_empty() || state.contains(") Z ")).then_some(())
    });
}

fn child_of(parent: u32) -> u32 {
    let path = format!("/proc/{parent}/task/{parent}/children");
    let text = std::fs::read_to_string(path).unwrap();
    text.split_whitespace().next().unwrap().parse().unwrap()
}
