//! Signals, closed and full streams, readers that leave.

use std::io::{BufRead, BufReader, Read};
use std::process::Stdio;
use std::time::Instant;

use crate::support::broker::broker;
use crate::support::command::{Line, Running, finish, iotctl, signal};
use crate::support::peer::{Peer, publish, read_until, rest, send, subscribed, welcome};

fn at(port: u16, command: &str, words: &str) -> Line {
    iotctl(&format!("mqtt {command} -h 127.0.0.1 -p {port} {words}"))
}

/// Starts it through a shell that does `redirect` first.
fn through_shell(line: Line, redirect: &str) -> Running {
    let inner = line.into_command();
    let mut shell = std::process::Command::new("sh");
    shell
        .arg("-c")
        .arg(format!("exec \"$0\" \"$@\" {redirect}"))
        .arg(inner.get_program())
        .args(inner.get_args())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    Running::new(shell.spawn().unwrap())
}

#[test]
fn signals_disconnect_and_have_exit_codes() {
    for (name, code) in [("INT", 130), ("TERM", 143)] {
        let peer = Peer::start(|stream, _| {
            subscribed(stream, &[0]);
            send(stream, &publish("a", 0, 0, b"x"));
            rest(stream)
        });
        let mut running = at(peer.port, "sub", "-t a -C 5").start();
        assert_eq!(running.line(), "x");
        running.signal(name);
        running
            .ends()
            .exits(code)
            .says("iotctl: interrupted: received 1 of 5 messages\n");
        assert_eq!(peer.result(), [0xe0]);
    }
}

#[test]
fn an_interrupted_publisher_waits_for_what_is_under_way() {
    let (sender, go) = std::sync::mpsc::channel();
    let peer = Peer::start(move |stream, _| {
        welcome(stream);
        let publish = read_until(stream, 0x30).unwrap();
        sender.send(()).unwrap();
        // The DISCONNECT must not come before this acknowledgement.
        send(stream, &[0x40, 2, publish[3], publish[4]]);
        rest(stream)
    });
    let mut running = at(peer.port, "pub", "-t a -q 1 -l").start();
    running.write(b"one\n");
    go.recv().unwrap();
    running.signal("INT");
    // Were the input closed, a command that sees its end before the signal would rightly be done.
    running
        .ends_by_itself()
        .exits(130)
        .says("interrupted: of 1 message sent, 1 acknowledged");
    assert_eq!(peer.result(), [0xe0]);
}

#[test]
fn the_second_signal_ends_at_once() {
    let peer = Peer::start(|stream, _| {
        welcome(stream);
        rest(stream)
    });
    let running = at(peer.port, "pub", "-t a -q 1 -m x --ack-timeout never").start();
    // Waits for an acknowledgement that never comes, also after the first signal.
    let id = running.id();
    crate::support::wait_for("the handler of signals", || {
        handles_signals(id).then_some(())
    });
    running.signal("TERM");
    crate::support::wait_for("the first signal to be seen", || {
        (!pending_signal(id)).then_some(())
    });
    running.signal("TERM");
    running.ends().exits(143);
}

/// Whether the process catches SIGTERM.
fn handles_signals(process: u32) -> bool {
    mask(process, "SigCgt:") & (1 << 14) != 0
}

/// Whether a SIGTERM waits for the process.
fn pending_signal(process: u32) -> bool {
    mask(process, "ShdPnd:") & (1 << 14) != 0
}

fn mask(process: u32, name: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with(name)).unwrap();
    u64::from_str_radix(line[name.len()..].trim(), 16).unwrap()
}

#[test]
fn limits_in_time_have_their_own_exit_codes() {
    let broker = broker("");
    broker
        .iotctl("sub -t a -C 1 -W 200ms")
        .run()
        .exits(5)
        .says("timed out: received 0 of 1 messages");
    broker.iotctl("sub -t a -W 0.2").run().exits(5);
    broker.iotctl("sub -t a --for 1s").run().exits(0).quietly();
    broker.iotctl("sub -t a --idle 1s").run().exits(0).quietly();
    broker.iotctl("sub -t a -C 1 --for 200ms").run().exits(5);
    broker.iotctl("sub -t a -C 1 --idle 200ms").run().exits(5);
}

/// Sends one message, and more for ever if it is told to.
fn talkative(for_ever: bool) -> Peer<Vec<u8>> {
    Peer::start(move |stream, _| {
        subscribed(stream, &[0]);
        let message = publish("a", 0, 0, b"first");
        send(stream, &message);
        if for_ever {
            let many = message.repeat(1000);
            while std::io::Write::write_all(stream, &many).is_ok() {}
            return Vec::new();
        }
        rest(stream)
    })
}

#[test]
fn a_reader_that_leaves_ends_it_at_once_and_quietly() {
    for for_ever in [false, true] {
        let peer = talkative(for_ever);
        let mut command = at(peer.port, "sub", "-t a").into_command();
        command.stdin(Stdio::null());
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::with_capacity(6, child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        // The reader is dropped, as `head -1` would be.
        let left = Instant::now();
        assert_eq!(line, "first\n");
        finish(child).exits(0).quietly();
        assert!(left.elapsed().as_secs() < 5, "traffic: {for_ever}");
    }
}

#[test]
fn a_reader_that_was_never_there_ends_it_too() {
    let broker = broker("");
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut command = broker.iotctl("sub -t a").into_command();
    let child = command.stdout(writer).stderr(Stdio::piped()).spawn();
    finish(child.unwrap()).exits(0).quietly();
}

#[test]
fn a_full_disk_is_an_error() {
    let peer = talkative(false);
    through_shell(at(peer.port, "sub", "-t a"), ">/dev/full")
        .ends()
        .exits(8)
        .says("cannot write to standard output: no space left on device");
}

#[test]
fn a_full_disk_acknowledges_nothing() {
    let peer = Peer::start(|stream, _| {
        subscribed(stream, &[1]);
        send(stream, &publish("a", 1, 1, b"precious"));
        rest(stream)
    });
    through_shell(at(peer.port, "sub", "-t a -q 1"), ">/dev/full")
        .ends()
        .exits(8);
    assert!(!peer.result().contains(&0x40));
}

#[test]
fn closed_streams_are_errors_before_anything_is_sent() {
    let peer = Peer::start(|stream, _| rest(stream));
    for source in ["-l", "-s", "-0", "--ndjson"] {
        through_shell(at(peer.port, "pub", &format!("-t a {source}")), "<&-")
            .ends()
            .exits(8)
            .says("standard input");
    }
    through_shell(at(peer.port, "sub", "-t a"), ">&-")
        .ends()
        .exits(8)
        .says("standard output");
    // What does not need them does not mind.
    let broker = broker("");
    let publish = broker.iotctl("pub -t a -m x -q 1");
    through_shell(publish, "<&- >&- 2>&-").ends().exits(0);
}

#[test]
fn input_that_is_a_folder_is_an_error() {
    let broker = broker("");
    broker
        .iotctl("pub -t a -f /")
        .run()
        .exits(8)
        .says("cannot read /: is a directory");
}

#[test]
fn a_stopped_process_goes_on_where_it_was() {
    let mut broker = broker("");
    let mut running = broker.iotctl("sub -t a -q 1").start();
    broker.sees_subscription("a");
    signal(running.id(), "STOP");
    broker
        .iotctl("pub -t a -q 1 -l")
        .input("1\n2\n")
        .run()
        .exits(0);
    signal(running.id(), "CONT");
    assert_eq!(running.lines(2), ["1", "2"]);
}

#[test]
fn errors_go_to_standard_error_alone() {
    let mut reading = through_shell(iotctl("mqtt sub -p 1 -t a -h 127.0.0.1"), "2>&-");
    reading.close_input();
    let ended = reading.ends().exits(3);
    assert!(ended.stdout.is_empty());
    let mut nothing = Vec::new();
    ended.stdout.as_slice().read_to_end(&mut nothing).unwrap();
}
