//! A standard output that nobody reads for a while.

use std::collections::HashSet;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::process::Stdio;
use std::sync::mpsc::{Sender, channel};

use crate::support::PATIENCE;
use crate::support::command::{finish, iotctl, signal};
use crate::support::peer::{Peer, publish, read_packet, subscribed};

const MESSAGES: usize = 3_000;

/// So many are sent before their acknowledgements are awaited.
const BATCH: usize = 500;

/// Message number `number`: 1 KiB, so that a pipe is soon full.
fn text(number: usize) -> String {
    format!("{number:01023}")
}

fn batch(first: usize) -> Vec<u8> {
    (first..first + BATCH)
        .flat_map(|number| publish("a", 1, number as u16, text(number).as_bytes()))
        .collect()
}

/// Sends all messages at QoS 1, a batch at a time, answers pings and tells of each with the number of
/// acknowledgements so far. Returns that number.
fn server(stream: &mut TcpStream, pings: &Sender<usize>) -> usize {
    subscribed(stream, &[1]);
    // A thread writes, for the client does not read while its output is stalled.
    let (out, chunks) = channel::<Vec<u8>>();
    let mut writer = stream.try_clone().unwrap();
    std::thread::spawn(move || chunks.iter().try_for_each(|chunk| writer.write_all(&chunk)));
    out.send(batch(1)).unwrap();
    let mut acknowledged = HashSet::new();
    while let Some((first, body)) = read_packet(stream) {
        match first {
            0x40 if acknowledged.insert([body[0], body[1]]) => {
                let count = acknowledged.len();
                if count % BATCH == 0 && count < MESSAGES {
                    out.send(batch(count + 1)).unwrap();
                }
            }
            0xc0 => {
                let _ = pings.send(acknowledged.len());
                out.send(vec![0xd0, 0]).unwrap();
            }
            _ => break,
        }
    }
    acknowledged.len()
}

#[test]
fn a_stalled_reader_stops_neither_the_keep_alive_nor_loses_anything() {
    let (sender, pings) = channel();
    let peer = Peer::start(move |stream, _| server(stream, &sender));
    let words = format!("mqtt sub -h 127.0.0.1 -p {} -t a -q 1 -k 1", peer.port);
    let mut command = iotctl(&words)
        .words(&format!("-C {MESSAGES}"))
        .into_command();
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
    let stdout = child.stdout.take().unwrap();
    // Two keep-alive intervals pass, after which a silent client would be cut off.
    for _ in 0..2 {
        let acknowledged = pings.recv_timeout(PATIENCE).unwrap();
        assert!(acknowledged < 2 * BATCH, "what nobody has read is not safe");
    }
    for (number, line) in (1..=MESSAGES).zip(BufReader::new(stdout).lines()) {
        assert_eq!(line.unwrap(), text(number));
    }
    finish(child).exits(0).quietly();
    assert_eq!(peer.result(), MESSAGES);
}

#[test]
fn a_stalled_reader_does_not_delay_the_end() {
    let (sender, pings) = channel();
    let peer = Peer::start(move |stream, _| server(stream, &sender));
    let words = format!("mqtt sub -h 127.0.0.1 -p {} -t a -q 1 -k 1", peer.port);
    let mut command = iotctl(&words).into_command();
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
    let stdout = child.stdout.take().unwrap();
    pings.recv_timeout(PATIENCE).unwrap();
    signal(child.id(), "INT");
    finish(child).exits(130);
    drop(stdout);
    assert!(peer.result() < MESSAGES);
}
