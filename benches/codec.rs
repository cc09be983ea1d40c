//! Our MQTT codec beside rumqttc's: a batch of PUBLISH packets with 64 bytes each, written and read. Conditions on a message with
//! a JSON body of 130 bytes.

use std::hint::black_box;

use bytes::{Bytes, BytesMut};
use criterion::{BatchSize, BenchmarkGroup, Criterion, Throughput, measurement::WallTime};
use iotctl::message::Message;
use iotctl::mqtt::packet::{Decoder, Packet, Publish, Version, encode_publish};
use iotctl::payload::expect::Condition;
use rumqttc::mqttbytes::v4;
use rumqttc::v5::mqttbytes::{QoS as PeerQoS, v5};

const TOPIC: &str = "bench/topic/0001";
const PAYLOAD: [u8; 64] = [b'x'; 64];
/// Packets in one batch: about what one read of a socket brings.
const BATCH: usize = 1_000;

fn ours() -> Publish {
    Publish {
        topic: TOPIC.into(),
        payload: Bytes::from_static(&PAYLOAD),
        ..Publish::default()
    }
}

fn written(version: Version) -> BytesMut {
    let mut out = BytesMut::new();
    for _ in 0..BATCH {
        encode_publish(&ours(), version, &mut out).expect("a small packet fits");
    }
    out
}

fn write(group: &mut BenchmarkGroup<'_, WallTime>, name: &str, one: impl Fn(&mut BytesMut)) {
    let mut out = BytesMut::with_capacity(BATCH * 100);
    group.bench_function(name, |bencher| {
        bencher.iter(|| {
            out.clear();
            for _ in 0..BATCH {
                one(&mut out);
            }
            black_box(out.len())
        });
    });
}

fn read<P>(
    group: &mut BenchmarkGroup<'_, WallTime>,
    name: &str,
    version: Version,
    one: impl Fn(&mut BytesMut) -> Option<P>,
) {
    let stream = written(version);
    group.bench_function(name, |bencher| {
        bencher.iter_batched_ref(
            || stream.clone(),
            |input| {
                for _ in 0..BATCH {
                    black_box(one(input).expect("a valid packet"));
                }
            },
            BatchSize::SmallInput,
        );
    });
}

fn encoding(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("write");
    group.throughput(Throughput::Elements(BATCH as u64));
    let publish = ours();
    for (name, version) in [("iotctl 3.1.1", Version::V311), ("iotctl 5", Version::V5)] {
        write(&mut group, name, |out| {
            encode_publish(black_box(&publish), version, out).expect("a small packet fits");
        });
    }
    let peer = v4::Publish::new(TOPIC, rumqttc::QoS::AtMostOnce, PAYLOAD);
    write(&mut group, "rumqttc 3.1.1", |out| {
        black_box(&peer).write(out).expect("a small packet fits");
    });
    let peer = v5::Publish::new(TOPIC, PeerQoS::AtMostOnce, PAYLOAD.to_vec(), None);
    write(&mut group, "rumqttc 5", |out| {
        black_box(&peer).write(out).expect("a small packet fits");
    });
}

fn decoding(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("read");
    group.throughput(Throughput::Elements(BATCH as u64));
    for (name, version) in [("iotctl 3.1.1", Version::V311), ("iotctl 5", Version::V5)] {
        let decoder = Decoder::new(version, 1 << 20);
        read::<Packet>(&mut group, name, version, |input| {
            decoder.decode(input).ok()?
        });
    }
    read(&mut group, "rumqttc 3.1.1", Version::V311, |input| {
        v4::Packet::read(input, 1 << 20).ok()
    });
    read(&mut group, "rumqttc 5", Version::V5, |input| {
        v5::Packet::read(input, Some(1 << 20)).ok()
    });
}

const READING: &str = r#"{"device":"boiler-7","time":"2026-11-30T01:02:03Z","value":36.25,"unit":"C","tags":["cellar","heating"],"battery":87,"ok":true}"#;

fn conditions(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("condition");
    let message = Message {
        topic: TOPIC.into(),
        payload: READING.into(),
        ..Message::default()
    };
    for words in [
        "/value > 35",
        "/value > 35 and /battery > 20 or topic == x",
        #[cfg(feature = "jq")]
        "jq: select(.value > 35)",
    ] {
        let condition: Condition = words.parse().expect("a condition");
        group.bench_function(words, |bencher| {
            bencher.iter(|| {
                condition.holds(black_box(&message), || serde_json::from_str(READING).ok())
            });
        });
    }
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    encoding(&mut criterion);
    decoding(&mut criterion);
    conditions(&mut criterion);
    criterion.final_summary();
}
