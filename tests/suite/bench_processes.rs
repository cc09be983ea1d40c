//! `bench … --processes`: several processes are one run.

use crate::support::bench::{Figures, bench};
use crate::support::broker::broker;
use crate::support::command::{iotctl, program};
use crate::support::wait_for;

#[test]
fn processes_are_one_run_with_one_line_and_one_report() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("result.json");
    let words = "bench mqtt --embedded --processes 2 --publishers 4 --subscribers 2 -q 1 --rate 400 \
                 --duration 1s --interval 250ms --assert lost==0 --assert end_to_end.p99<30s";
    let line = iotctl(words).words(&format!("--save-json {}", file.display()));
    let ended = line.run().exits(0);
    let saved = std::fs::read(&file).unwrap();
    let found = Figures(serde_json::from_slice(&saved).unwrap());
    found.counts([
        ("planned", 400),
        ("acknowledged", 400),
        ("unique", 800),
        ("missing", 0),
    ]);
    assert_eq!(found.0["setup"]["processes"], "2");
    assert_eq!(found.connections("opened"), 6);
    assert_eq!(found.0["latency"]["response"]["count"], 400, "{found:?}");
    assert_eq!(found.0["latency"]["end_to_end"]["count"], 800, "{found:?}");
    assert!(
        !found.0["warnings"].to_string().contains("shard"),
        "{found:?}"
    );
    assert!(
        !found.0["warnings"].to_string().contains("drain"),
        "{found:?}"
    );
    // A line for each interval, not for each process.
    let lines: Vec<&str> = ended.stderr.lines().collect();
    let points = found.0["intervals"].as_array().unwrap();
    assert!(lines.len() <= points.len() + 1, "{lines:?}");
    assert!(lines.iter().all(|line| line.contains("sent ")), "{lines:?}");
    let all: u64 = points.iter().map(|one| one["sent"].as_u64().unwrap()).sum();
    assert_eq!(all, 400);
    ended.contains("thresholds  lost==0  passed");
}

#[test]
fn every_protocol_can_be_shared() {
    for (words, counts) in [
        (
            "amqp --embedded --producers 2 --consumers 2 --count 100 --rate 400",
            [("planned", 100), ("acknowledged", 100), ("unique", 100)],
        ),
        (
            "coap --embedded --sockets 4 --count 100 --rate 400",
            [("planned", 100), ("acknowledged", 100), ("unique", 0)],
        ),
        (
            "mqtt --embedded --publishers 3 --subscribers 1 --count 100 --max -m text",
            [("planned", 100), ("acknowledged", 100), ("unique", 100)],
        ),
    ] {
        let words = format!("bench {words} --processes 2 --quiet -o json");
        let found = Figures::of(&iotctl(&words).run().exits(0));
        found.counts(counts);
    }
}

#[test]
fn a_file_may_ask_for_processes() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("load.toml");
    let text = "[mqtt]\nembedded = true\npublishers = 4\nqos = 1\nprocesses = 2\nquiet = true\n";
    std::fs::write(&file, text).unwrap();
    let words = format!("bench run {} --count 40 --output json", file.display());
    let found = Figures::of(&iotctl(&words).run().exits(0));
    found.counts([("acknowledged", 40)]);
    assert_eq!(found.0["setup"]["processes"], "2");
}

#[test]
fn processes_have_the_descriptors_that_one_has_not() {
    let broker = broker("--quiet");
    let words = |processes: u32| {
        let path = env!("CARGO_BIN_EXE_iotctl");
        let port = broker.port;
        format!(
            "ulimit -n 200 && exec {path} bench mqtt --quiet -o json -h 127.0.0.1 -p {port} \
             --scenario idle --publishers 300 --duration 200ms --processes {processes}"
        )
    };
    let alone = program("sh", "-c").word(words(1)).run().exits(8);
    alone
        .says("300 connections need 364 file descriptors")
        .says("136 would fit");
    let shared = program("sh", "-c").word(words(3)).run().exits(0);
    assert_eq!(Figures::of(&shared).connections("opened"), 300);
    let too_few = program("sh", "-c").word(words(2)).run().exits(8);
    too_few.says(" of 2: 150 connections need 214 file descriptors");
}

#[test]
fn thresholds_and_searches_are_of_the_whole() {
    let broker = broker("--quiet");
    let words =
        "--processes 2 --publishers 4 -q 1 --rate 400 --duration 300ms --assert rate.planned<300";
    let ended = bench(broker.port, words).run().exits(7);
    ended.says("missed rate.planned<300 by ");
    let words = "--processes 2 --publishers 4 -q 1 --rate 200 --duration 150ms --find-max --assert rate.planned<300";
    let found = Figures::of(&bench(broker.port, words).run().exits(0));
    let best = found.0["setup"]["max_rate"].as_str().unwrap();
    let best: f64 = best.trim_end_matches("/s").parse().unwrap();
    assert!((200.0..300.0).contains(&best), "{best}");
}

#[test]
fn an_interrupt_drains_all_processes() {
    let words = "bench mqtt --embedded --processes 2 --publishers 4 -q 1 --rate 400 --duration 1h \
                 --interval 100ms -o json";
    let mut running = iotctl(words).start();
    running.hears("acked");
    running.hears("acked");
    running.signal("INT");
    let found = Figures::of(&running.ends().exits(130));
    assert!(found.messages("acknowledged") > 0, "{found:?}");
    assert_eq!(found.messages("acknowledged"), found.messages("planned"));
}

#[test]
fn what_ends_one_process_ends_the_run_and_is_named() {
    let broker = broker("--quiet");
    let words = format!(
        "bench mqtt -h 127.0.0.1 -p {} --processes 2 --publishers 4 -q 1 --rate 400 --duration 1h --interval 100ms",
        broker.port
    );
    let mut running = iotctl(&words).start();
    running.hears("acked");
    let processes = children_of(running.id());
    assert_eq!(processes.len(), 2);
    kill(processes[1]);
    let ended = running.ends().exits(8);
    ended.says("process 2 of 2 ended before it had done its part");
    wait_for("the end of the other process", || is_gone(processes[0]));

    let mut running = iotctl(&words).start();
    running.hears("acked");
    let processes = children_of(running.id());
    running.signal("KILL");
    for process in processes {
        wait_for("the end of the processes", || is_gone(process));
    }
}

#[test]
fn what_cannot_be_shared_is_refused() {
    let ended = iotctl("bench mqtt mqtt://127.0.0.1:1 --processes 2 --publishers 2 --duration 1s");
    let ended = ended.run().exits(3);
    assert_eq!(ended.text(), "");
    ended.says("iotctl: cannot connect to mqtt://127.0.0.1:1: connection refused");
    for (words, said) in [
        (
            "mqtt --embedded --processes 2",
            "--processes 2 is more than the number of connections: 1",
        ),
        (
            "amqp --embedded --processes 2 --threads 2 --producers 2 --consumers 1",
            "--processes 2 with --threads 2 is more than the number of connections: 3",
        ),
        (
            "coap --calibrate --processes 2 --sockets 2",
            "cannot be used with",
        ),
        (
            "mqtt --processes 2 --shard 0/2 --publishers 2",
            "cannot be used with",
        ),
        (
            "mqtt --embedded --processes 2 --publishers 2 -f /dev/null",
            "/dev/null is not a regular file: with --processes each process reads it",
        ),
    ] {
        iotctl(&format!("bench {words}")).run().exits(2).says(said);
    }
    let shard = iotctl("bench mqtt --embedded --processes 2 --publishers 2");
    let shard = shard.env("IOTCTL_SHARD", "0/2").run().exits(2);
    shard.says("does not divide a shard further");
}

fn children_of(parent: u32) -> Vec<u32> {
    let path = format!("/proc/{parent}/task/{parent}/children");
    let text = std::fs::read_to_string(path).unwrap();
    let children = text.split_whitespace().map(|child| child.parse().unwrap());
    children.collect()
}

fn kill(process: u32) {
    let done = program("kill", "-KILL").word(process.to_string()).run();
    done.exits(0);
}

fn is_gone(process: u32) -> Option<()> {
    let state = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    // Nobody may have collected it yet.
    (state.is_empty() || state.contains(") Z ")).then_some(())
}
