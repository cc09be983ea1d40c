//! What a reading costs that changes nothing: the alarm of its key is found, and the reading is judged.

use std::hint::black_box;

use criterion::{Criterion, Throughput};
use iotctl::flow::alarm::{Alarms, Clock, Millis, Reading, Rule, Test, Value};

/// Readings in one round, of as many keys as there are.
const ROUND: usize = 10_000;

fn rule() -> Rule {
    Rule {
        test: Test::Above(27.0),
        clear_below: Some(26.0),
        ..Rule::default()
    }
}

/// Reads a number of each key in turn, later than before.
fn read_all(alarms: &mut Alarms, keys: &[String], at: &mut Millis) {
    let mut notices = Vec::new();
    for key in keys.iter().cycle().take(ROUND) {
        *at += 1;
        let reading = Reading {
            value: Value::read("21.55"),
            at: *at,
            clock: Clock::Arrival,
            holds: Some(false),
        };
        black_box(alarms.read(key, reading, *at, &|_| false, &mut notices));
    }
    assert!(notices.is_empty(), "nothing is bad");
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("alert");
    group.throughput(Throughput::Elements(ROUND as u64));
    for (name, count) in [("1,000 keys", 1_000), ("100,000 keys", 100_000)] {
        let keys: Vec<String> = (0..count)
            .map(|number| format!("site-3/sensor-{number:06}"))
            .collect();
        let mut alarms = Alarms::new(rule());
        let mut at = 0;
        for _ in 0..count / ROUND + 1 {
            read_all(&mut alarms, &keys, &mut at);
        }
        group.bench_function(name, |bencher| {
            bencher.iter(|| read_all(&mut alarms, &keys, &mut at))
        });
    }
    group.finish();
    criterion.final_summary();
}
