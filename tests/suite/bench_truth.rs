//! What a load test says is what its peer knows: what was lost, what came twice or came from others, and when.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value;

use crate::support::bench::{Figures, bench};
use crate::support::bench_peer::{Does, Relay, observed};
use crate::support::broker::{broker, started};
use crate::support::coap_peer::{ack, empty, message, peer};
use crate::support::command::{Line, iotctl};
use crate::support::rabbitmq::rabbitmq;

const SENT: u64 = 8_000;
/// How far behind the newest copies come.
const BEHIND: usize = 3_001;

/// Loses each tenth message, and says a copy of a much older one instead. How many copies that are, of 8,000.
fn lossy() -> (impl FnMut(&[u8]) -> Vec<Vec<u8>> + Send + 'static, u64) {
    let mut all: Vec<Vec<u8>> = Vec::new();
    let copies = (0..SENT as usize).filter(|number| number % 10 == 3 && *number >= BEHIND);
    let script = move |payload: &[u8]| {
        let number = all.len();
        all.push(payload.to_vec());
        if number % 10 != 3 {
            return vec![payload.to_vec()];
        }
        let copy = number.checked_sub(BEHIND).map(|copy| all[copy].clone());
        copy.into_iter().collect()
    };
    (script, copies.count() as u64)
}

/// Without what is not published.
fn published(
    mut script: impl FnMut(&[u8]) -> Vec<Vec<u8>> + Send + 'static,
) -> impl FnMut(Does<'_>) -> Vec<Vec<u8>> + Send + 'static {
    move |does| match does {
        Does::Publishes(payload) => script(payload),
        Does::Asks => Vec::new(),
    }
}

fn lines(port: u16, words: &str) -> Line {
    bench(port, "-V 311 --publishers 1 --subscribers 1 -q 0").words(words)
}

#[test]
fn copies_of_old_messages_do_not_hide_a_loss() {
    let (script, copies) = lossy();
    let relay = Relay::start(published(script));
    let line = lines(relay.port, "--rate 8k --count 8000 --drain 1s");
    let ended = line.word("--assert").word("lost == 0").run().exits(7);
    let found = Figures::of(&ended);
    assert_eq!(relay.log().len() as u64, SENT);
    found.counts([
        ("expected", SENT),
        ("unique", SENT - SENT / 10),
        ("duplicate", copies),
        ("missing", SENT / 10),
        ("undecided", 0),
    ]);
    let latencies = &found.0["latency"]["end_to_end"]["count"];
    assert_eq!(*latencies, SENT - SENT / 10, "copies are not measured");
}

#[test]
fn copies_of_old_notifications_are_copies() {
    let (script, copies) = lossy();
    let uri = observed(script);
    let line = iotctl("bench coap --quiet --output json")
        .word(uri)
        .words("--observers 1 --sockets 1 --method put --rate 4k --count 8000 --drain 1s");
    let found = Figures::of(&line.run().exits(0));
    // Datagrams may get lost on the way, even here.
    let unique = found.messages("unique");
    assert!(unique <= SENT - SENT / 10, "{found:?}");
    assert!(unique > SENT / 2, "{found:?}");
    assert!(found.messages("duplicate") <= copies, "{found:?}");
    assert!(found.messages("duplicate") > copies / 2, "{found:?}");
    let delivered =
        found.rate("delivered_per_s") * found.0["phases"]["measured_s"].as_f64().unwrap();
    assert!(delivered <= unique as f64 + 0.01, "{delivered}: {found:?}");
}

#[test]
fn what_a_server_delivers_again_is_no_message_more() {
    let rabbitmq = rabbitmq();
    // To one consumer, or to any of three.
    for consumers in ["--consumers 1", "--consumers 3 --threads 2"] {
        let line = iotctl("bench amqp --quiet --output json")
            .word(rabbitmq.url())
            .words("--producers 1 --prefetch 5000 --nack 30% --requeue --max --count 12000")
            .words(consumers)
            .words("--drain 30s");
        let found = Figures::of(&line.run().exits(0));
        found.counts([("expected", 12_000), ("unique", 12_000), ("missing", 0)]);
        assert!(found.messages("duplicate") > 1_000, "{found:?}");
    }
}

/// 100 messages of warm-up and 200 that are measured; those of which `keeps` says so are held back until the end.
fn unstamped(keeps: fn(usize) -> Keeps) -> Relay {
    let (mut number, mut held) = (0, Vec::new());
    Relay::start(move |does| match does {
        Does::Publishes(payload) => {
            let one = payload.to_vec();
            number += 1;
            match keeps(number - 1) {
                Keeps::Nothing => vec![one],
                Keeps::ToTheEnd => {
                    held.push(one);
                    Vec::new()
                }
                Keeps::ForEver => Vec::new(),
            }
        }
        Does::Asks => std::mem::take(&mut held),
    })
}

enum Keeps {
    Nothing,
    ToTheEnd,
    ForEver,
}

#[test]
fn bodies_without_a_stamp_count_whenever_they_come_and_for_nobody_else() {
    for body in [
        "-m 21.5",
        "-m a-body-that-is-long-enough-for-a-stamp",
        "--size 4",
    ] {
        let run = |relay: &Relay, code| {
            let words = "--warmup 200ms --rate 500 --duration 400ms --drain 1s";
            let line = lines(relay.port, words).words(body);
            let ended = line.word("--assert").word("lost == 0").run().exits(code);
            assert_eq!(relay.log().len(), 300, "{body}");
            Figures::of(&ended)
        };
        // The last ones come when the measured time is over.
        let relay = unstamped(|number| match number {
            250.. => Keeps::ToTheEnd,
            _ => Keeps::Nothing,
        });
        let found = run(&relay, 0);
        found.counts([("unique", 200), ("duplicate", 0), ("missing", 0)]);
        assert!(found.messages("late") >= 50, "{found:?}");
        // What is left of the warm-up comes while measuring, and is no substitute for what is lost.
        let relay = unstamped(|number| match number {
            ..50 => Keeps::ToTheEnd,
            280.. => Keeps::ForEver,
            _ => Keeps::Nothing,
        });
        let found = run(&relay, 7);
        found.counts([("unique", 180), ("duplicate", 0), ("missing", 20)]);
        assert_eq!(found.0["warmup"]["received"], 100, "{found:?}");
    }
}

#[test]
fn short_bodies_over_amqp_count_too() {
    let broker = started(iotctl("amqp broker --quiet --listen 127.0.0.1:0"));
    let line = iotctl("bench amqp --quiet --output json")
        .word(format!("amqp://127.0.0.1:{}", broker.port))
        .words("--producers 1 --consumers 1 --size 4 --warmup 300ms --rate 300 --count 60")
        .word("--assert")
        .word("lost == 0");
    let found = Figures::of(&line.run().exits(0));
    found.counts([("planned", 60), ("unique", 60), ("duplicate", 0)]);
    assert_eq!(found.0["warmup"]["received"], 90, "{found:?}");
}

#[test]
fn what_is_not_ours_or_comes_again_is_not_delivered() {
    let relay = Relay::start(published(|payload| {
        let ours = payload.to_vec();
        let mut foreign = ours.clone();
        // Of another run.
        foreign[20] ^= 1;
        vec![ours.clone(), foreign, b"on".to_vec(), ours.clone(), ours]
    }));
    let line = lines(relay.port, "--rate 1k --count 300 --drain 1s");
    let line = line.word("--assert").word("rate.delivered < 1.1k");
    let found = Figures::of(&line.run().exits(0));
    let sent = relay.log().len() as u64;
    found.counts([
        ("unique", sent),
        ("duplicate", 2 * sent),
        ("foreign", 2 * sent),
    ]);
    assert!(found.rate("delivered_per_s") > 800.0, "{found:?}");
}

#[test]
fn first_answers_that_come_late_are_no_copies_and_copies_count_to_the_end() {
    let mut requests: Vec<Vec<u8>> = Vec::new();
    let mut mid = 0_u16;
    let uri = peer(move |request, _| {
        if request[1] == 0 {
            // It looks whether somebody is there.
            return vec![empty(3, request)];
        }
        let number = requests.len();
        requests.push(request.to_vec());
        // Responses of their own, each with an id that was not there before.
        let mut answer = |to: &[u8]| {
            mid += 1;
            let mut response = message(1, 0x45, to, b"");
            response[2..4].copy_from_slice(&(0x8000 | mid).to_be_bytes());
            response
        };
        match number {
            0..5 => Vec::new(),
            // All those before have been given up: they come one at a time.
            10 => requests[..5]
                .iter()
                .map(|one| answer(one))
                .chain([ack(0x45, request, b"")])
                .collect(),
            12 => (0..3).map(|_| answer(request)).collect(),
            // Those that were given up and answered late are answered once more.
            14 => [&requests[0], &requests[1]]
                .into_iter()
                .map(|one| answer(one))
                .chain([ack(0x45, request, b"")])
                .collect(),
            _ => vec![ack(0x45, request, b"")],
        }
    });
    let line = iotctl("bench coap --quiet --output json")
        .word(uri)
        .words("-N --sockets 1 --outstanding 1 --timeout 200ms --rate 100 --count 20");
    let found = Figures::of(&line.run().exits(0));
    found.counts([("acknowledged", 15), ("timed_out", 5), ("foreign", 0)]);
    let count = |name: &str| found.0["counts"][name].as_u64().unwrap_or(0);
    assert_eq!(count("late_responses"), 5, "{found:?}");
    assert_eq!(count("duplicate_responses"), 4, "{found:?}");
}

#[test]
fn a_count_at_a_rate_takes_its_time() {
    let broker = broker("--quiet");
    for words in [
        "--rate 50 --count 10",
        "--rate 50 --count 10 --warmup 130ms",
        "--rate 50 --count 10 --publishers 3 --threads 2",
        "--rate 20k --count 4000",
    ] {
        let found = Figures::of(&bench(broker.port, words).run().exits(0));
        let planned = found.rate("planned_per_s");
        let rate = if words.contains("20k") {
            20_000.0
        } else {
            50.0
        };
        assert!((planned / rate - 1.0).abs() < 1e-3, "{words}: {planned}");
    }
    // A pause at the end is a part of it.
    let words = "--stage 200ms:100 --stage 500ms:0";
    let found = Figures::of(&bench(broker.port, words).run().exits(0));
    found.counts([("planned", 20)]);
    assert!(
        (found.rate("planned_per_s") - 20.0 / 0.7).abs() < 0.1,
        "{found:?}"
    );
}

#[test]
fn points_are_cut_where_measuring_begins_and_ends() {
    let relay = Relay::start(published(|payload| vec![payload.to_vec()]));
    let words = "--rate 1k --warmup 250ms --duration 700ms --interval 200ms";
    let found = Figures::of(&lines(relay.port, words).run().exits(0));
    let points = found.0["intervals"].as_array().unwrap();
    let (mut began, mut ends) = (0.0, Vec::new());
    for point in points {
        let at = point["at_s"].as_f64().unwrap();
        let length = at - began;
        began = at;
        if point["phase"] != "drain" {
            let rate = point["planned"].as_f64().unwrap() / length;
            assert!((rate - 1_000.0).abs() < 150.0, "{rate} in {point}");
        }
        ends.push((point["phase"].as_str().unwrap(), at));
    }
    let end = |phase: &str| ends.iter().rfind(|(name, _)| *name == phase).unwrap().1;
    assert!((end("warmup") - 0.25).abs() < 1e-6, "{ends:?}");
    assert!((end("measure") - 0.95).abs() < 1e-6, "{ends:?}");
    found.counts([("planned", 700), ("unique", 700)]);
    // The peer has seen as much of each part.
    let log = relay.log();
    let start = log[0].0;
    let until = |time: u64| {
        log.iter()
            .filter(|(at, _)| *at - start < Duration::from_millis(time))
            .count()
    };
    assert_eq!(log.len(), 950);
    let [warmup, measure] = ["warmup", "measure"].map(|phase| found.points(phase, "sent"));
    assert!(
        until(250).abs_diff(warmup as usize) < 60,
        "{warmup} of {}",
        until(250)
    );
    assert!(
        (until(950) - until(250)).abs_diff(measure as usize) < 60,
        "{measure}"
    );
}

#[test]
fn live_lines_of_a_search_are_right_in_each_run() {
    let line =
        iotctl("bench mqtt --embedded --find-max --rate 500 --duration 300ms --interval 100ms");
    let ended = line
        .word("--assert")
        .word("rate.planned < 1.5k")
        .run()
        .exits(0);
    let (mut shown, mut runs) = (Vec::new(), 0);
    for line in ended.stderr.lines() {
        if let Some(rate) = line.split(" sent ").nth(1) {
            let rate = rate.split("/s").next().unwrap();
            let thousands = rate.ends_with('k');
            let number: f64 = rate.trim_end_matches('k').parse().unwrap();
            shown.push(if thousands { number * 1e3 } else { number });
        } else if let Some(rate) = line
            .split("/s ")
            .next()
            .and_then(|rate| rate.parse::<f64>().ok())
        {
            runs += 1;
            for one in shown.drain(..) {
                assert!(one < 2.0 * rate, "{one} for {rate}: {}", ended.stderr);
            }
        }
    }
    assert!(runs > 2, "{}", ended.stderr);
}

#[test]
fn what_prometheus_sees_begins_when_measuring_does() {
    use std::io::{Read, Write};

    let line =
        iotctl("bench mqtt --embedded --rate 500 --warmup 1h --duration 1s --interval 100ms");
    let mut running = line.words("--prometheus-listen 127.0.0.1:0").start();
    let said = running.hears("metrics at http://");
    let address = said
        .split("http://")
        .nth(1)
        .unwrap()
        .trim_end_matches("/metrics")
        .to_owned();
    running.hears("(warmup)");
    running.hears("(warmup)");
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    stream
        .write_all(b"GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n")
        .unwrap();
    let mut page = String::new();
    stream.read_to_string(&mut page).unwrap();
    assert!(
        page.contains("messages_total{state=\"sent\"} 0\n"),
        "{page}"
    );
    assert!(
        page.contains("messages_total{state=\"planned\"} 0\n"),
        "{page}"
    );
    running.signal("INT");
    let found = running.ends().exits(130);
    found.says("interrupted");
}

/// Shard `index` of three, beginning at this second, into a file.
fn shard(port: u16, index: u32, start: u64, file: &str) -> Line {
    let words = format!(
        "--publishers 3 --rate 900 --duration 1s --run-id 7 --shard {index}/3 --start-at {start} --save-json {file}"
    );
    bench(port, &words)
}

#[test]
fn shards_are_merged_when_all_are_there_and_ran_together() {
    let broker = broker("--quiet");
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let start = now.as_secs() + 5;
    let mut running = Vec::new();
    for index in 0..3 {
        let line = shard(broker.port, index, start, &path(&index.to_string()));
        running.push(line.start());
    }
    for one in running {
        one.ends().exits(0);
    }
    // The same part, later.
    shard(broker.port, 2, start + 2, &path("late"))
        .run()
        .exits(0);
    let saved: Value = serde_json::from_slice(&std::fs::read(path("1")).unwrap()).unwrap();
    assert_eq!(saved["shard"], serde_json::json!({"index": 1, "count": 3}));
    let merge = |names: &[&str]| {
        let files: Vec<String> = names.iter().map(|name| path(name)).collect();
        iotctl("bench merge").words(&files.join(" "))
    };
    let whole = Figures::of(&merge(&["0", "1", "2"]).run().exits(0));
    whole.counts([("planned", 900)]);
    assert!(
        (whole.rate("planned_per_s") - 900.0).abs() < 1.0,
        "{whole:?}"
    );
    let refused = merge(&["0", "2"]).run().exits(2);
    assert_eq!(
        refused.stderr.lines().next(),
        Some("iotctl: of run 7 shard 1/3 is missing")
    );
    merge(&["0", "1", "late"])
        .run()
        .exits(2)
        .says("were not measured at the same time");
    for (names, said) in [
        (&["0", "2"][..], "shard 1/3 is missing"),
        (&["0", "1", "late"], "were not measured at the same time"),
    ] {
        let part = Figures::of(&merge(names).word("--partial").run().exits(0));
        assert!(part.0["warnings"].to_string().contains(said), "{part:?}");
    }
}
