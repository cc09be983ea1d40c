//! What every command that sends owes its user, over each protocol alike: order, pace, an account, and an end.

use std::collections::BTreeMap;
use std::io::Read;
use std::net::Shutdown;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::sync::mpsc::{Sender, channel};
use std::time::{Duration, Instant};

use crate::support::broker::broker;
use crate::support::command::{Line, iotctl};
use crate::support::peer::{Peer, drain, packet, read_packet, send, welcome};
use crate::support::wait_for;

fn publish(port: u16, words: &str) -> Line {
    iotctl(&format!("mqtt pub -h 127.0.0.1 -p {port} {words}"))
}

/// Acknowledges each PUBLISH at QoS 1 but one with this body, over which it closes; how often it saw each.
fn closes_over(poison: &'static [u8]) -> Peer<Vec<Vec<u8>>> {
    Peer::start(move |stream, _| {
        welcome(stream);
        let mut seen = Vec::new();
        while let Some((first, body)) = read_packet(stream) {
            if first & 0xf0 != 0x30 {
                continue;
            }
            // Topic `a`, the identifier, no properties.
            seen.push(body[6..].to_vec());
            if body.ends_with(poison) {
                // What was left unread would take the acknowledgements before it along.
                stream.shutdown(Shutdown::Write).unwrap();
                drain(stream);
                break;
            }
            send(stream, &packet(0x40, &body[3..5]));
        }
        seen
    })
}

#[test]
fn a_message_over_which_the_server_closes_each_time_is_named_and_its_neighbours_arrive_once() {
    let peer = closes_over(b"bad");
    publish(peer.port, "-t a -q 1 -l")
        .input("one\nbad\ntwo\n")
        .run()
        .exits(1)
        .says("closed the connection each time it received message 2 to a: of 3 messages sent, 2 acknowledged, 1 refused");
    let mut seen = BTreeMap::<Vec<u8>, usize>::new();
    let mut connections = 1;
    for body in peer.result() {
        *seen.entry(body).or_default() += 1;
    }
    while !seen.contains_key(&b"two"[..]) {
        connections += 1;
        for body in peer.result() {
            *seen.entry(body).or_default() += 1;
        }
    }
    // Once with both neighbours, once with one, and four times alone.
    assert!(connections <= 7, "{connections} connections");
    assert_eq!(seen[&b"one"[..]], 1);
    assert_eq!(seen[&b"two"[..]], 1);
}

#[test]
fn a_single_message_is_given_up_when_it_fails_four_times() {
    let peer = closes_over(b"bad");
    publish(peer.port, "-t a -q 1 -m bad")
        .run()
        .exits(1)
        .says("iotctl: mqtt://127.0.0.1:")
        .says("closed the connection each time it received message 1 to a\n");
    let sent = [(); 4].map(|()| peer.result().len());
    assert_eq!(sent, [1; 4]);
    assert_eq!(peer.others(), 0);
}

#[test]
fn input_that_breaks_off_lets_what_was_read_arrive() {
    let broker = broker("");
    let publish = |input: &str| {
        let line = broker.iotctl("pub -q 1 --ndjson").input(input);
        line.run()
    };
    let good = "{\"topic\":\"a\",\"payload\":\"1\"}\n{\"topic\":\"b\",\"payload\":\"2\"}\n";
    publish(&format!("{good}{{\"topic\":\"c\",\"payl"))
        .exits(8)
        .says("standard input:3: ")
        .says(": of 2 messages sent, 2 acknowledged\n");
    publish(&format!("{good}{{\"topic\":\"#\",\"payload\":\"\"}}\n"))
        .exits(8)
        .says("standard input:3: ")
        .says(": of 2 messages sent, 2 acknowledged\n");
    publish("{\"topic\":\"c\",\"payl")
        .exits(2)
        .says("standard input:1: ");
    publish("{\"payload\":\"x\"}")
        .exits(2)
        .says("standard input:1: no topic");
}

#[test]
fn a_signal_ends_the_wait_for_an_acknowledgement_with_the_numbers() {
    let (sender, published) = channel();
    let peer = Peer::start(move |stream, _| {
        welcome(stream);
        while let Some((first, _)) = read_packet(stream) {
            if first & 0xf0 == 0x30 {
                sender.send(()).unwrap();
            }
        }
    });
    let running = publish(peer.port, "-t a -q 1 -m x").start();
    published.recv().unwrap();
    let asked = Instant::now();
    running.signal("TERM");
    running
        .ends()
        .exits(143)
        .says("iotctl: interrupted: of 1 message sent, 0 acknowledged, 1 not acknowledged\n");
    assert!(asked.elapsed() < Duration::from_secs(5));
}

/// Accepts a CONNECT and reads no more, until the sender that comes with it is dropped.
fn deaf() -> (Peer<()>, Sender<()>) {
    let (hold, held) = channel();
    let peer = Peer::start(move |stream, _| {
        welcome(stream);
        let _ = held.recv();
    });
    (peer, hold)
}

#[test]
fn a_signal_holds_while_a_write_is_stuck() {
    let (peer, _hold) = deaf();
    let mut running = publish(peer.port, "-t a -q 0 -l -k 0 --ack-timeout never").start();
    // More than the buffers between us hold, so that the pipe itself fills up.
    let line = "x".repeat(1_000_000) + "\n";
    for _ in 0..4 {
        running.write(line.as_bytes());
    }
    let id = running.id();
    wait_for("the handler of signals", || {
        let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap();
        let caught = status.lines().find(|line| line.starts_with("SigCgt:"))?;
        let mask = u64::from_str_radix(caught[7..].trim(), 16).unwrap();
        (mask & (1 << 14) != 0).then_some(())
    });
    let asked = Instant::now();
    running.signal("TERM");
    running.ends_by_itself().exits(143).says("interrupted");
    assert!(asked.elapsed() < Duration::from_secs(6));
}

#[test]
fn a_server_that_leaves_the_connection_open_keeps_nobody() {
    let (hold, held) = channel::<()>();
    let peer = Peer::start(move |stream, _| {
        welcome(stream);
        let mut kinds = Vec::new();
        while let Some((first, _)) = read_packet(stream) {
            kinds.push(first);
            match first {
                0xc0 => send(stream, &[0xd0, 0]),
                0xe0 => break,
                _ => {}
            }
        }
        let _ = held.recv();
        kinds
    });
    publish(peer.port, "-t a -m x").run().exits(0).quietly();
    drop(hold);
    assert_eq!(peer.result(), [0x30, 0xc0, 0xe0]);
}

#[test]
fn a_rate_with_its_bursts_is_kept_over_mqtt() {
    let broker = broker("");
    let began = Instant::now();
    broker
        .iotctl("pub -t a -m x --repeat 21 --rate 100")
        .run()
        .exits(0);
    assert!(began.elapsed() >= Duration::from_millis(200));
    broker
        .iotctl("pub -t a -m x --repeat 3 --rate 1/h --burst 3")
        .run()
        .exits(0);
    broker
        .iotctl("pub -t a -m x --burst 3")
        .run()
        .exits(2)
        .says("--rate");
}

#[test]
fn a_recording_is_replayed_over_mqtt_at_its_pace() {
    let broker = broker("");
    let record = |millis: u32| {
        format!(
            "{{\"time\":\"2026-11-20T21:00:00.{millis:03}Z\",\"topic\":\"a\",\"payload\":\"{millis}\"}}\n"
        )
    };
    let recording = [0, 400, 800].map(record).concat();
    let replay = |words: &str| {
        let began = Instant::now();
        let line = broker.iotctl("pub --ndjson --replay").words(words);
        line.input(recording.clone()).run().exits(0);
        began.elapsed()
    };
    assert!(replay("") >= Duration::from_millis(800));
    assert!(replay("--speed 4") >= Duration::from_millis(200));
    broker
        .iotctl("pub -t a -l --replay")
        .run()
        .exits(2)
        .says("--replay needs --ndjson");
}

#[test]
fn a_shells_loop_ends_with_the_command_that_was_interrupted() {
    let peer = Peer::start(|stream, _| {
        welcome(stream);
        drain(stream);
    });
    let inner = publish(peer.port, "-t a -q 1 -m x").into_command();
    let mut shell = Command::new("bash");
    // The shell is told of the signal as a terminal would tell it: it goes to all of them.
    shell
        .arg("-c")
        .arg("trap 'echo stopped; exit 9' INT; for round in 1 2 3; do \"$0\" \"$@\"; echo $?; done")
        .arg(inner.get_program())
        .args(inner.get_args());
    shell
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let mut child = shell.spawn().unwrap();
    let group = child.id();
    wait_for("the command to run", || {
        let children = std::fs::read_to_string(format!("/proc/{group}/task/{group}/children"));
        let inner = children.ok()?.trim().parse::<u32>().ok()?;
        let status = std::fs::read_to_string(format!("/proc/{inner}/status")).ok()?;
        let caught = status.lines().find(|line| line.starts_with("SigCgt:"))?;
        let mask = u64::from_str_radix(caught[7..].trim(), 16).ok()?;
        (status.starts_with("Name:\tiotctl") && mask & 2 != 0).then_some(())
    });
    let killed = Command::new("kill")
        .args(["-INT", "--", &format!("-{group}")])
        .status();
    assert!(killed.unwrap().success());
    let mut said = String::new();
    child
        .stdout
        .take()
        .unwrap()
        .read_to_string(&mut said)
        .unwrap();
    assert_eq!(
        (said.as_str(), child.wait().unwrap().code()),
        ("stopped\n", Some(9))
    );
}

/// A server that is restarted, and goes down twice with the message.
#[test]
fn a_message_survives_a_server_that_goes_down_twice() {
    let peer = Peer::start(|stream, number| {
        welcome(stream);
        while let Some((first, body)) = read_packet(stream) {
            if first & 0xf0 == 0x30 {
                if number < 2 {
                    return;
                }
                send(stream, &packet(0x40, &body[3..5]));
            }
        }
    });
    publish(peer.port, "-t a -q 1 -m x")
        .run()
        .exits(0)
        .says("retrying in ")
        .says("iotctl: reconnected to mqtt://127.0.0.1:");
}

/// Nothing is acknowledged, and nothing is answered at all.
#[test]
fn a_sender_is_given_up_in_time_with_the_numbers() {
    let peer = Peer::start(|stream, _| {
        welcome(stream);
        drain(stream);
    });
    publish(peer.port, "-t a -q 1 -m x -W 1s")
        .run()
        .exits(5)
        .says("iotctl: timed out: of 1 message sent, 0 acknowledged, 1 not acknowledged\n");
    let (hold, held) = channel::<()>();
    let mute = Peer::start(move |_, _| {
        let _ = held.recv();
    });
    iotctl(&format!(
        "amqp publish amqp://127.0.0.1:{} -k q -m x -W 1s",
        mute.port
    ))
    .run()
    .exits(5)
    .says("iotctl: timed out: nothing was sent to amqp://127.0.0.1:");
    drop(hold);
}

#[test]
fn an_acknowledgement_may_take_as_long_as_drain_says() {
    let (sender, published) = channel();
    let peer = Peer::start(move |stream, _| {
        welcome(stream);
        while let Some((first, body)) = read_packet(stream) {
            if first & 0xf0 == 0x30 {
                sender.send(()).unwrap();
                // Longer than it may take usually.
                std::thread::sleep(Duration::from_secs(5));
                send(stream, &packet(0x40, &body[3..5]));
            }
        }
    });
    for (words, acknowledged) in [("--drain 80s", 1), ("--drain 0s", 0)] {
        let line = publish(peer.port, &format!("-t a -q 1 -m x {words}"));
        let running = line.start();
        published.recv().unwrap();
        running.signal("TERM");
        let said = format!("interrupted: of 1 message sent, {acknowledged} acknowledged");
        running.ends_by_itself().exits(143).says(&said);
    }
}
