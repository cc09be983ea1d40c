//! A target that does not answer for a while: memory stays bounded, connections are kept alive, and everything arrives.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::net::TcpStream;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard};

use crate::support::command::{Running, iotctl};
use crate::support::peer::{
    Peer, answer, level, packet, read_packet, read_request, read_until, send,
};
use crate::support::{PATIENCE, wait_for};

/// The messages of a server before MQTT 5, 100 MB together, all of which it sends at once.
const MANY: usize = 6_000;

/// The messages of one with MQTT 5, which has so many of them in flight.
const FEW: usize = 600;
const IN_FLIGHT: usize = 20;

/// What the process may take at most, in KiB: less than there is to read.
const MOST_MEMORY: usize = 80 * 1024;

/// The body of a message, of 17 kB.
fn body(number: usize) -> String {
    format!("{{\"n\":{number},\"fill\":\"{}\"}}", "x".repeat(17_000))
}

/// The number in a body, or a line of it.
fn number(text: &str, before: &str) -> usize {
    let (_, rest) = text.split_once(before).unwrap();
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().unwrap()
}

/// A PUBLISH of QoS 1, as MQTT 5 or what was before it has that.
fn publish(version: u8, number: usize) -> Vec<u8> {
    let mut body_of = vec![0, 1, b's'];
    body_of.extend((number as u16 + 1).to_be_bytes());
    if version == 5 {
        body_of.push(0);
    }
    body_of.extend(body(number).into_bytes());
    // Of a length in three bytes.
    let length = body_of.len();
    let mut bytes = vec![0x32, length as u8 | 0x80, (length >> 7) as u8 | 0x80];
    bytes.push((length >> 14) as u8);
    bytes.extend(body_of);
    bytes
}

/// Accepts a connection of this version, with a keep-alive of a second where it is 5; `false`: it is of another.
fn accepts(stream: &mut TcpStream, version: u8) -> bool {
    let Some((_, connect)) = read_packet(stream) else {
        return false;
    };
    let is_it = level(&connect) & 0x7f == version;
    match (is_it, version) {
        (false, _) => send(stream, &[0x20, 2, 0, 1]),
        (true, 5) => send(stream, &[0x20, 6, 0, 0, 3, 0x13, 0, 1]),
        (true, _) => send(stream, &[0x20, 2, 0, 0]),
    }
    is_it
}

/// A server that messages come from; its result is how many of them were acknowledged.
fn source(version: u8, pings: Sender<()>) -> Peer<usize> {
    Peer::start(move |stream, _| {
        if !accepts(stream, version) {
            return 0;
        }
        let subscribe = read_until(stream, 0x80).expect("a SUBSCRIBE");
        let properties: &[u8] = if version == 5 { &[0] } else { &[] };
        let granted = [&subscribe[..2], properties, &[1]].concat();
        send(stream, &packet(0x90, &granted));
        // A thread writes, for who is held does not read.
        let (out, packets) = channel::<Vec<u8>>();
        let mut writer = stream.try_clone().unwrap();
        std::thread::spawn(move || -> std::io::Result<()> {
            if version != 5 {
                let mut all = (0..MANY).map(|number| publish(version, number));
                all.try_for_each(|packet| writer.write_all(&packet))?;
            }
            packets
                .iter()
                .try_for_each(|packet| writer.write_all(&packet))
        });
        let mut sent = 0;
        let mut acknowledged = 0;
        loop {
            while version == 5 && sent < FEW && sent < acknowledged + IN_FLIGHT {
                let _ = out.send(publish(version, sent));
                sent += 1;
            }
            match read_packet(stream) {
                Some((0x40, _)) => acknowledged += 1,
                Some((0xc0, _)) => {
                    let _ = pings.send(());
                    let _ = out.send(vec![0xd0, 0]);
                }
                _ => return acknowledged,
            }
        }
    })
}

/// What a server has got that acknowledges nothing at first.
#[derive(Default)]
struct Got {
    numbers: BTreeMap<usize, usize>,
    waiting: Vec<[u8; 2]>,
    pings: usize,
    released: bool,
    stream: Option<TcpStream>,
}

impl Got {
    fn acknowledge(&mut self) {
        if let Some(stream) = &mut self.stream {
            for [high, low] in self.waiting.drain(..) {
                send(stream, &[0x40, 2, high, low]);
            }
        }
    }
}

/// A server of MQTT 5 that messages go to, and what it has got.
fn target() -> (Peer, Arc<Mutex<Got>>) {
    let got = Arc::<Mutex<Got>>::default();
    let shared = Arc::clone(&got);
    let peer = Peer::start(move |stream, _| {
        accepts(stream, 5);
        shared.lock().unwrap().stream = Some(stream.try_clone().unwrap());
        while let Some((first, body)) = read_packet(stream) {
            let mut got = shared.lock().unwrap();
            match first & 0xf0 {
                0x30 => {
                    let at = 2 + usize::from(body[1]);
                    got.waiting.push([body[at], body[at + 1]]);
                    let text = String::from_utf8_lossy(&body);
                    *got.numbers.entry(number(&text, "{\"n\":")).or_default() += 1;
                    if got.released {
                        got.acknowledge();
                    }
                }
                0xc0 => {
                    got.pings += 1;
                    send(stream, &[0xd0, 0]);
                }
                _ => return,
            }
        }
    });
    (peer, got)
}

/// The most memory that a process had, in KiB.
fn most_memory(process: &Running) -> usize {
    let text = fs::read_to_string(format!("/proc/{}/status", process.id())).unwrap();
    number(&text.replace([' ', '\t'], ""), "VmHWM:")
}

#[track_caller]
fn is_bounded(process: &Running) {
    let memory = most_memory(process);
    assert!(memory < MOST_MEMORY, "{memory} KiB");
}

/// Waits until a source has been pinged, again and again.
fn kept_alive(pings: &Receiver<()>) {
    (0..3).for_each(|_| pings.recv_timeout(PATIENCE).unwrap());
}

fn a_bridge_waits(version: u8, count: usize) {
    let (tell, pings) = channel();
    let (from, (to, got)) = (source(version, tell), target());
    let got = || -> MutexGuard<'_, Got> { got.lock().unwrap() };
    let ends = format!(
        "mqtt://127.0.0.1:{} mqtt://127.0.0.1:{}",
        from.port, to.port
    );
    let bridge = iotctl(&format!("bridge {ends} -t")).word("s out 1").start();
    wait_for("a full window", || {
        (got().waiting.len() >= IN_FLIGHT).then_some(())
    });
    wait_for("pings", || (got().pings >= 3).then_some(()));
    if version == 5 {
        kept_alive(&pings);
    }
    // Of the many, 16 MiB are under way.
    assert!(got().numbers.len() < count / 5);
    is_bounded(&bridge);
    let mut now = got();
    now.released = true;
    now.acknowledge();
    drop(now);
    wait_for("all messages", || {
        (got().numbers.len() == count).then_some(())
    });
    is_bounded(&bridge);
    bridge.signal("TERM");
    bridge
        .ends()
        .exits(143)
        .says(&format!("received {count} messages: {count} delivered"));
    assert!(
        got().numbers.values().all(|times| *times == 1),
        "no connection was lost"
    );
}

#[test]
fn a_bridge_to_a_stalled_target_pings_both_sides() {
    a_bridge_waits(5, FEW);
}

#[test]
fn a_bridge_to_a_stalled_target_reads_no_more_than_it_can_keep() {
    a_bridge_waits(4, MANY);
}

#[test]
fn a_log_to_a_stalled_server_keeps_its_sources() {
    let (tell, pings) = channel();
    let (old, new) = (source(4, channel().0), source(5, tell));
    let (release, released) = channel::<()>();
    let numbers = Arc::<Mutex<Vec<usize>>>::default();
    let got = Arc::clone(&numbers);
    let (ask, asked) = channel();
    let to = Peer::start(move |stream, _| {
        while let Some((_, lines)) = read_request(stream) {
            // The first one waits.
            if got.lock().unwrap().is_empty() {
                ask.send(()).unwrap();
                released.recv().unwrap();
            }
            let lines = lines.lines().map(|line| number(line, " n="));
            got.lock().unwrap().extend(lines);
            answer(stream, "204 No Content", "", "");
        }
    });
    let words = format!(
        "log mqtt://127.0.0.1:{} mqtt://127.0.0.1:{} -t s --to influx://127.0.0.1:{}/d --measurement w --field n=/n",
        old.port, new.port, to.port
    );
    let log = iotctl(&words).start();
    asked.recv_timeout(PATIENCE).unwrap();
    kept_alive(&pings);
    is_bounded(&log);
    release.send(()).unwrap();
    wait_for("all messages", || {
        (numbers.lock().unwrap().len() >= MANY + FEW).then_some(())
    });
    is_bounded(&log);
    log.signal("TERM");
    let count = MANY + FEW;
    log.ends()
        .exits(143)
        .says(&format!("received {count} messages: {count} delivered"));
    let mut numbers = numbers.lock().unwrap();
    numbers.sort_unstable();
    let mut expected: Vec<usize> = (0..MANY).chain(0..FEW).collect();
    expected.sort_unstable();
    assert!(*numbers == expected, "each once");
}
