//! Payloads from 128 KiB up to the largest that a packet can carry.

use std::path::Path;
use std::process::Stdio;

use tempfile::TempDir;

use crate::support::broker::broker;
use crate::support::command::{Line, finish};
use crate::support::mosquitto::mosquitto;
use crate::support::peer::{Peer, read_packet, read_until, rest, send, welcome};

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

/// The largest remaining length (MQTT 5.0 §1.5.5), and what of it the payload can have with the topic `big`
/// and no properties.
const LARGEST: usize = 268_435_455;
const LARGEST_PAYLOAD: usize = LARGEST - 2 - 3 - 1;

/// A file of this size in which each 8 bytes are different.
fn file(folder: &TempDir, size: usize) -> std::path::PathBuf {
    let path = folder.path().join(format!("payload-{size}"));
    let mut bytes: Vec<u8> = (0..size as u64 / 8 + 1)
        .flat_map(u64::to_le_bytes)
        .collect();
    bytes.truncate(size);
    std::fs::write(&path, bytes).unwrap();
    path
}

/// Starts a `sub` whose standard output is a file.
fn into_file(line: Line, path: &Path) -> std::process::Child {
    let mut command = line.into_command();
    command
        .stdin(Stdio::null())
        .stdout(std::fs::File::create(path).unwrap());
    command.stderr(Stdio::piped()).spawn().unwrap()
}

#[track_caller]
fn same(one: &Path, other: &Path) {
    let (one, other) = (std::fs::read(one).unwrap(), std::fs::read(other).unwrap());
    assert_eq!(one.len(), other.len());
    assert!(one == other, "the bytes differ");
}

#[test]
fn large_payloads_go_both_ways_through_both_brokers() {
    let folder = TempDir::new().unwrap();
    let mosquitto = mosquitto();
    let mut ours = broker("");
    for size in [128 * KIB, MIB, 16 * MIB] {
        let payload = file(&folder, size);
        let arrived = folder.path().join("arrived");
        for (qos, version) in [(0, "311"), (1, "5"), (2, "5")] {
            let topic = format!("big/{size}/{qos}");
            let subscribe = format!("sub -V {version} -t {topic} -q {qos} -C 1 --output raw");
            let publish = format!("pub -V {version} -t {topic} -q {qos} -f");
            let receiver = into_file(ours.iotctl(&subscribe), &arrived);
            ours.sees_subscription(&topic);
            ours.iotctl(&publish)
                .word(&payload)
                .run()
                .exits(0)
                .quietly();
            finish(receiver).exits(0);
            same(&payload, &arrived);
            let receiver = into_file(mosquitto.iotctl(&subscribe), &arrived);
            mosquitto.sees_subscriptions(&topic, 1);
            mosquitto
                .iotctl(&publish)
                .word(&payload)
                .run()
                .exits(0)
                .quietly();
            finish(receiver).exits(0);
            same(&payload, &arrived);
        }
    }
}

#[test]
fn other_sources_and_outputs_take_large_payloads_too() {
    let folder = TempDir::new().unwrap();
    let mut broker = broker("");
    let payload = file(&folder, 3 * MIB);
    let arrived = folder.path().join("arrived");
    let receiver = into_file(
        broker.iotctl("sub -t a -q 1 -C 1 --output base64"),
        &arrived,
    );
    broker.sees_subscription("a");
    broker
        .iotctl("pub -t a -q 1 -s")
        .input(std::fs::read(&payload).unwrap())
        .run()
        .exits(0);
    finish(receiver).exits(0);
    // What came out as base64 goes in as base64.
    let again = folder.path().join("again");
    let receiver = into_file(broker.iotctl("sub -t b -q 1 -C 1 --output raw"), &again);
    broker.sees_subscription("b");
    broker
        .iotctl("pub -t b -q 1 -l --base64")
        .input(std::fs::read(&arrived).unwrap())
        .run()
        .exits(0);
    finish(receiver).exits(0);
    same(&payload, &again);
}

#[test]
fn the_largest_payload_arrives_and_one_byte_more_is_refused() {
    let folder = TempDir::new().unwrap();
    let mut broker = broker("");
    let payload = file(&folder, LARGEST_PAYLOAD);
    let arrived = folder.path().join("arrived");
    let receiver = into_file(broker.iotctl("sub -t big -C 1 --output raw"), &arrived);
    broker.sees_subscription("big");
    broker
        .iotctl("pub -t big -f")
        .word(&payload)
        .run()
        .exits(0)
        .quietly();
    finish(receiver).exits(0);
    same(&payload, &arrived);
    std::fs::remove_file(&arrived).unwrap();
    let more = std::fs::File::options()
        .append(true)
        .open(&payload)
        .unwrap();
    more.set_len(LARGEST_PAYLOAD as u64 + 1).unwrap();
    broker
        .iotctl("pub -t big -f")
        .word(&payload)
        .run()
        .exits(1)
        .says("cannot publish to big on mqtt://")
        .says("268435455");
}

#[test]
fn the_servers_limit_is_named() {
    // CONNACK with Maximum Packet Size 1000.
    let peer = Peer::start(|stream, _| {
        read_packet(stream);
        send(stream, &[0x20, 8, 0, 0, 5, 0x27, 0, 0, 3, 0xe8]);
        rest(stream)
    });
    let line = crate::support::command::iotctl(&format!(
        "mqtt pub -h 127.0.0.1 -p {} -t a -q 1 -m",
        peer.port
    ));
    line.word("x".repeat(1001))
        .run()
        .exits(1)
        .says("cannot publish to a on mqtt://127.0.0.1:")
        .says("1000");
    // Nothing of it was sent.
    assert_eq!(peer.result(), [0xe0]);
}

#[test]
fn our_limit_is_told_to_the_server_and_kept() {
    let broker = broker("");
    broker
        .iotctl("pub -t a -r -q 1 -m")
        .word("x".repeat(2_000))
        .run()
        .exits(0);
    // An MQTT 5 server does not send what is too large.
    broker
        .iotctl("sub -t a --max-packet-size 1000 --retained-only")
        .run()
        .exits(0)
        .prints("");
    // Before MQTT 5 it cannot be told.
    broker
        .iotctl("sub -V 311 -t a --max-packet-size 1000 -C 1")
        .run()
        .exits(6)
        .says("1000");
}

#[test]
fn a_payload_larger_than_rumqttc_s_default_goes_both_ways() {
    let peer = Peer::start(|stream, _| {
        welcome(stream);
        let publish = read_until(stream, 0x30).unwrap();
        send(stream, &[0x40, 2, publish[3], publish[4]]);
        rest(stream);
        publish.len()
    });
    let line = crate::support::command::iotctl(&format!(
        "mqtt pub -h 127.0.0.1 -p {} -t a -q 1 -m",
        peer.port
    ));
    line.word("x".repeat(11_000)).run().exits(0);
    assert_eq!(peer.result(), 11_000 + 6);
}
