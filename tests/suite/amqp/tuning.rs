//! What client and server agree on before anything else (AMQP 0-9-1 §1.4.2), with servers that agree to little, and how
//! a connection is left.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use super::peer::{method, open_channel, short, start, until};
use crate::support::command::{Line, iotctl};
use crate::support::peer::{Peer, drain};

/// What a client said: the frame size that it agreed to, and whether it said goodbye.
#[derive(Debug, Default, PartialEq, Eq)]
struct Said {
    frame_max: u32,
    largest: usize,
    goodbye: bool,
}

fn tune(channel_max: u16, frame_max: u32) -> Vec<u8> {
    let mut arguments = channel_max.to_be_bytes().to_vec();
    arguments.extend(frame_max.to_be_bytes());
    arguments.extend([0, 0]);
    method(0, 10, 30, &arguments)
}

/// Reads the next frame: its type, channel and payload.
fn frame(stream: &mut TcpStream) -> Option<(u8, u16, Vec<u8>)> {
    let mut head = [0; 7];
    stream.read_exact(&mut head).ok()?;
    let [kind, c1, c0, size @ ..] = head;
    let mut body = vec![0; u32::from_be_bytes(size) as usize + 1];
    stream.read_exact(&mut body).ok()?;
    body.pop();
    Some((kind, u16::from_be_bytes([c1, c0]), body))
}

/// Goes through the login up to Connection.Tune-Ok, whose frame size comes back.
fn tuned(stream: &mut TcpStream, channel_max: u16, frame_max: u32) -> Option<u32> {
    stream.read_exact(&mut [0; 8]).ok()?;
    stream.write_all(&start("PLAIN")).ok()?;
    until(stream, 10, 11)?;
    stream.write_all(&tune(channel_max, frame_max)).ok()?;
    let answer = until(stream, 10, 31)?;
    Some(u32::from_be_bytes([
        answer[6], answer[7], answer[8], answer[9],
    ]))
}

/// Answers whatever has to be answered until the client closes, and notes what it says.
fn serve(stream: &mut TcpStream, channel_max: u16, frame_max: u32) -> Option<Said> {
    let mut said = Said {
        frame_max: tuned(stream, channel_max, frame_max)?,
        ..Said::default()
    };
    let mut left = 0;
    while let Some((kind, channel, payload)) = frame(stream) {
        said.largest = said.largest.max(payload.len() + 8);
        let answer = match (kind, payload.get(..4).unwrap_or_default()) {
            (1, [0, 10, 0, 40]) => method(0, 10, 41, &[0]),
            (1, [0, 10, 0, 50]) => {
                said.goodbye = true;
                method(0, 10, 51, &[])
            }
            (1, [0, 20, 0, 10]) => method(channel, 20, 11, &[0; 4]),
            (1, [0, 60, 0, 10]) => method(channel, 60, 11, &[]),
            (1, [0, 85, 0, 10]) => method(channel, 85, 11, &[]),
            (1, [0, 60, 0, 20]) => method(channel, 60, 21, &short("c")),
            (2, _) => {
                left = payload[11] as usize | (payload[10] as usize) << 8;
                continue;
            }
            (3, _) => {
                left -= payload.len();
                if left > 0 {
                    continue;
                }
                method(channel, 60, 80, &[0, 0, 0, 0, 0, 0, 0, 1, 0])
            }
            _ => continue,
        };
        let _ = stream.write_all(&answer);
    }
    Some(said)
}

fn at<T: Send + 'static>(peer: &Peer<T>, words: &str) -> Line {
    let url = format!("amqp://127.0.0.1:{}", peer.port);
    iotctl(&words.replace("URL", &url))
}

/// Commands over each of our clients: lapin, the bulk publisher, the load generator.
const COMMANDS: [&str; 3] = [
    "amqp request URL -k q -s -W 2s",
    "amqp publish URL -k q -s",
    "bench amqp URL --predeclared --queue q --consumers 0 --count 1 --size 20000",
];

#[test]
fn no_client_asks_for_larger_frames_than_the_server_allows() {
    for theirs in [4_096, 8_191, 131_072] {
        for words in COMMANDS {
            let peer = Peer::start(move |stream, _| serve(stream, 0, theirs));
            let line = at(&peer, words).words("--frame-max 1GiB");
            line.input("x".repeat(20_000)).run();
            let said = peer.result().unwrap();
            assert_eq!(said.frame_max, theirs, "{words}");
            assert!(said.largest <= theirs as usize, "{words}: {said:?}");
            assert!(said.goodbye, "{words}");
        }
    }
}

#[test]
fn a_large_frame_size_takes_no_memory_before_such_frames_come() {
    for theirs in [0, u32::MAX] {
        for words in COMMANDS {
            let peer = Peer::start(move |stream, _| serve(stream, 0, theirs));
            let line = at(&peer, words).words("--frame-max 1GiB");
            let limited = line.into_command();
            let mut shell = std::process::Command::new("sh");
            // 700,000 KiB of address space: lapin would take 128 GiB.
            shell.args(["-c", "ulimit -v 700000; exec \"$0\" \"$@\""]);
            shell.arg(limited.get_program()).args(limited.get_args());
            shell.stdin(std::process::Stdio::null());
            let ended = crate::support::command::finish(
                shell
                    .stdout(std::process::Stdio::piped())
                    .stderr(std::process::Stdio::piped())
                    .spawn()
                    .unwrap(),
            );
            let said = peer.result();
            assert!(said.is_some_and(|said| said.goodbye), "{words}: {ended:?}");
        }
    }
}

#[test]
fn a_login_that_nobody_offers_is_told_at_once() {
    for (offered, named) in [("EXTERNAL", "EXTERNAL"), ("", "none"), ("X-ODD", "X-ODD")] {
        for words in COMMANDS {
            let peer = Peer::start(move |stream, _| {
                stream.read_exact(&mut [0; 8]).unwrap();
                stream.write_all(&start(offered)).unwrap();
                // It says no more, whatever comes.
                drain(stream);
            });
            let text = format!("does not offer the SASL mechanism PLAIN; it offers {named}");
            let ended = at(&peer, words).input("x").run();
            ended.exits(4).says(&text);
        }
    }
}

#[test]
fn what_is_refused_after_the_login_is_no_matter_of_the_login() {
    for words in &COMMANDS[..2] {
        let peer = Peer::start(|stream, _| {
            tuned(stream, 0, 131_072)?;
            let mut close = 530u16.to_be_bytes().to_vec();
            close.extend(short("NOT_ALLOWED - too many connections"));
            close.extend([0; 4]);
            stream.write_all(&method(0, 10, 50, &close)).ok()?;
            drain(stream);
            Some(())
        });
        let ended = at(&peer, words).input("x").run();
        ended
            .exits(1)
            .says("refused the connection: too many connections");

        let peer = Peer::start(|stream, _| tuned(stream, 0, 131_072));
        let ended = at(&peer, words).input("x").run();
        ended.exits(6).says("accepted the login, but closed");

        let peer = Peer::start(|stream, _| {
            tuned(stream, 0, 1_000);
            drain(stream);
        });
        let ended = at(&peer, words).input("x").run();
        ended.exits(6).says("allows frames of at most 1000 bytes");
    }
}

#[test]
fn a_server_of_one_channel_is_enough_or_told_goodbye() {
    let peer = Peer::start(|stream, _| serve(stream, 1, 131_072));
    let bench = "bench amqp URL --predeclared --queue q --consumers 0 --count 1 --size 100";
    at(&peer, bench).run().exits(0);
    assert!(peer.result().unwrap().goodbye);
    let ended = at(&peer, bench).words("--channels 2").run();
    ended
        .exits(1)
        .says("the server allows 1 channels per connection, but 2 are needed");
    assert!(peer.result().unwrap().goodbye);
}

#[test]
fn nobody_leaves_without_a_goodbye() {
    // The request is refused, or never answered; the command is interrupted.
    let refusing = Peer::start(|stream, _| {
        tuned(stream, 0, 131_072)?;
        until(stream, 10, 40)?;
        stream.write_all(&method(0, 10, 41, &[0])).ok()?;
        open_channel(stream)?;
        until(stream, 60, 70)?;
        let mut close = 404u16.to_be_bytes().to_vec();
        close.extend(short("NOT_FOUND - no queue"));
        close.extend([0; 4]);
        stream.write_all(&method(1, 20, 40, &close)).ok()?;
        until(stream, 10, 50)
    });
    at(&refusing, "amqp get URL q").run().exits(1);
    assert!(refusing.result().is_some(), "after a refusal");

    let silent = Peer::start(|stream, _| {
        tuned(stream, 0, 131_072)?;
        until(stream, 10, 40)?;
        stream.write_all(&method(0, 10, 41, &[0])).ok()?;
        open_channel(stream)?;
        until(stream, 10, 50)
    });
    at(&silent, "amqp get URL q --reply-timeout 100ms")
        .run()
        .exits(5);
    assert!(silent.result().is_some(), "after silence");

    let (send, consuming) = std::sync::mpsc::channel();
    let endless = Peer::start(move |stream, _| {
        super::peer::consumer(stream)?;
        send.send(()).ok()?;
        until(stream, 10, 50)
    });
    let running = at(&endless, "amqp consume URL q").start();
    consuming.recv_timeout(crate::support::PATIENCE).unwrap();
    running.signal("INT");
    running.ends();
    assert!(endless.result().is_some(), "after an interruption");
}

#[test]
fn the_answer_to_a_goodbye_is_waited_for() {
    let peer = Peer::start(|stream, _| {
        tuned(stream, 0, 131_072)?;
        until(stream, 10, 40)?;
        stream.write_all(&method(0, 10, 41, &[0])).ok()?;
        open_channel(stream)?;
        until(stream, 50, 10)?;
        let declared = [&short("q")[..], &[0; 8]].concat();
        stream.write_all(&method(1, 50, 11, &declared)).ok()?;
        until(stream, 10, 50)?;
        // Whoever has hung up could be read: there would be the end.
        stream
            .set_read_timeout(Some(Duration::from_millis(100)))
            .unwrap();
        let waits = stream.read(&mut [0]).is_err();
        stream.write_all(&method(0, 10, 51, &[])).ok()?;
        Some(waits)
    });
    at(&peer, "amqp declare queue URL q").run().exits(0);
    assert_eq!(peer.result(), Some(true));
}
