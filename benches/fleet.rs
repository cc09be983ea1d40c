//! What a message of a simulated device costs: its time comes, its value is drawn, and its payload is written. Goal: 0.5 µs.

use std::hint::black_box;

use criterion::{Criterion, Throughput};
use iotctl::device::payload_bytes;

/// Messages in one round.
const ROUND: u64 = 100_000;

const DEVICES: &str = r#"
[[device]]
count = 100
id = "sensor-{n:03}"
[[device.sensor]]
name = "temperature"
every = "10s"
value = VALUE
payload = '{"value":{value:.2},"unit":"celsius"}'
"#;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("fleet");
    group.throughput(Throughput::Elements(ROUND));
    for (name, value) in [
        ("constant", "21.5"),
        ("walk", "{ walk = { min = 15, max = 35, step = 0.4 } }"),
        ("sine", "{ sine = { min = 15, max = 35, period = \"1h\" } }"),
    ] {
        let text = DEVICES.replace("VALUE", value);
        group.bench_function(name, |bencher| {
            bencher.iter(|| black_box(payload_bytes(&text, ROUND).expect("a fleet")));
        });
    }
    group.finish();
    criterion.final_summary();
}
