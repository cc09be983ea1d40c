//! Peers that cost a load generator as little as can be, and the raw limit beside which its figures are judged; for
//! `benches/bench_mqtt.py`, `benches/bench_amqp.py` and `benches/bench_coap.py`.
//!
//! | words | what runs |
//! |---|---|
//! | `sink FILE` | a broker that only answers; its URL is written to the file |
//! | `amqp-sink FILE` | the same for AMQP |
//! | `coap-sink FILE` | the same for CoAP |
//! | `blast FILE` | a broker that only sends, stamped messages of 256 bytes, to `SUBS` subscribers, `ROUNDS` times |
//! | `lapin publish\|consume URL QUEUE COUNT` | a program on lapin, for `benches/amqp_side_by_side.py` |
//! | `raw KIND URL SECONDS …` | the limit of one kind of load, see `raw.rs` |

mod amqp;
mod coap;
mod lapin_loop;
mod raw;
mod took;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

use iotctl::bench::calibrate::NullPeer;
use iotctl::bench::clock::Clock;
use iotctl::bench::stamp::Stamp;
use iotctl::connect::Protocol;

/// Bytes of a message that the blasting peer sends.
const BLASTED: usize = 269;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.first().map(String::as_str) {
        Some("sink") => sink(&words[1]),
        Some("coap-sink") => coap::sink(&words[1]),
        Some("amqp-sink") => amqp::sink(&words[1]),
        Some("blast") => blast(&words[1]),
        Some("raw") => raw::run(&words[1..]),
        Some("lapin") => lapin_loop::run(&words[1..]),
        // `cargo bench` runs every bench without words of ours.
        _ => {}
    }
}

/// The null peer in a process of its own.
fn sink(path: &str) {
    let peer = NullPeer::start(Protocol::Mqtt).expect("a null peer");
    std::fs::write(path, format!("mqtt://{}", peer.address())).expect("a file");
    loop {
        std::thread::park();
    }
}

/// A peer that sends 256-byte messages at QoS 0, stamped, to everybody who subscribes, as fast as they read; for
/// `ROUNDS` clients with `SUBS` subscriptions each, one after the other.
fn blast(path: &str) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    std::fs::write(path, format!("mqtt://{address}")).expect("a file");
    let number = |name: &str| std::env::var(name).map_or(1, |text| text.parse().expect("a number"));
    for _ in 0..number("ROUNDS") {
        let streams = listener.incoming().take(number("SUBS"));
        let streams = streams.map(|stream| subscribed(stream.expect("a connection")));
        blast_at(streams.collect());
    }
}

fn subscribed(mut stream: TcpStream) -> TcpStream {
    let mut input = [0; 4096];
    let _ = stream.read(&mut input).expect("CONNECT");
    stream.write_all(&[0x20, 2, 0, 0]).expect("CONNACK");
    let _ = stream.read(&mut input).expect("SUBSCRIBE");
    let suback = [0x90, 3, input[2], input[3], 0];
    stream.write_all(&suback).expect("SUBACK");
    stream
}

fn blast_at(mut streams: Vec<TcpStream>) {
    let clock = Clock::start();
    let mut packet = vec![0x30, 0x8A, 0x02, 0, 8];
    packet.extend(b"bench/00");
    packet.extend([b'x'; 256]);
    assert_eq!(packet.len(), BLASTED, "the raw receiver counts by it");
    let mut sequence = 0;
    let mut batch = packet.repeat(240);
    loop {
        let due = clock.now();
        for message in batch.chunks_exact_mut(packet.len()) {
            let stamp = Stamp {
                measured: true,
                due,
                sequence,
                sender: 1,
                run: 4711,
            };
            stamp.write(&mut message[13..]);
            sequence += 1;
        }
        if streams
            .iter_mut()
            .any(|stream| stream.write_all(&batch).is_err())
        {
            return;
        }
    }
}
