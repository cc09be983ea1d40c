//! Scripted servers of AMQP 1.0, frame by frame (AMQP 1.0 part 2 §2.3), and one that speaks nothing else.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

use crate::support::command::{Ended, iotctl};
use crate::support::peer::{Peer, drain};

const SASL: &[u8; 8] = b"AMQP\x03\x01\0\0";
const AMQP: &[u8; 8] = b"AMQP\0\x01\0\0";

/// The port of a server that answers 0-9-1 with its own version, and hands everything else on to the server on `port`.
pub(super) fn speaks_only_one(port: u16) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let relay = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            thread::spawn(move || serve(stream, port));
        }
    });
    relay
}

fn serve(mut client: TcpStream, port: u16) -> Option<()> {
    let mut header = [0; 8];
    client.read_exact(&mut header).ok()?;
    if header != *SASL {
        client.write_all(SASL).ok()?;
        return Some(());
    }
    let mut server = TcpStream::connect(("127.0.0.1", port)).ok()?;
    server.write_all(&header).ok()?;
    let (mut from, mut to) = (server.try_clone().ok()?, client.try_clone().ok()?);
    thread::spawn(move || {
        let _ = std::io::copy(&mut from, &mut to);
        let _ = to.shutdown(std::net::Shutdown::Both);
    });
    let _ = std::io::copy(&mut client, &mut server);
    let _ = server.shutdown(std::net::Shutdown::Both);
    Some(())
}

/// A frame of this type on channel 0.
fn frame(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut frame = (body.len() as u32 + 8).to_be_bytes().to_vec();
    frame.extend([2, kind, 0, 0]);
    frame.extend(body);
    frame
}

/// A performative with these fields, each encoded.
fn performative(code: u8, fields: &[&[u8]]) -> Vec<u8> {
    let fields_len = fields.iter().map(|field| field.len()).sum::<usize>();
    let mut body = vec![
        0,
        0x53,
        code,
        0xC0,
        fields_len as u8 + 1,
        fields.len() as u8,
    ];
    fields.iter().for_each(|field| body.extend(*field));
    body
}

fn string(text: &str) -> Vec<u8> {
    [&[0xA1, text.len() as u8], text.as_bytes()].concat()
}

fn symbol(text: &str) -> Vec<u8> {
    [&[0xA3, text.len() as u8], text.as_bytes()].concat()
}

/// An error as a field of close, end and detach.
fn error(condition: &str, description: &str) -> Vec<u8> {
    performative(0x1D, &[&symbol(condition), &string(description)])
}

fn next_frame(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut size = [0; 4];
    stream.read_exact(&mut size).ok()?;
    let mut rest = vec![0; (u32::from_be_bytes(size) as usize).checked_sub(4)?];
    stream.read_exact(&mut rest).ok()?;
    Some(rest)
}

/// Frames up to the performative with this code.
fn until(stream: &mut TcpStream, code: u8) -> Option<()> {
    while next_frame(stream)?.get(6) != Some(&code) {}
    Some(())
}

/// Goes through the login: offers ANONYMOUS and says `outcome`.
fn log_in(stream: &mut TcpStream, outcome: u8) -> Option<()> {
    stream.read_exact(&mut [0; 8]).ok()?;
    stream.write_all(SASL).ok()?;
    stream
        .write_all(&frame(1, &performative(0x40, &[&symbol("ANONYMOUS")])))
        .ok()?;
    next_frame(stream)?;
    stream
        .write_all(&frame(1, &performative(0x44, &[&[0x50, outcome]])))
        .ok()
}

/// Goes through the login, open and begin.
fn welcome(stream: &mut TcpStream) -> Option<()> {
    log_in(stream, 0)?;
    stream.read_exact(&mut [0; 8]).ok()?;
    stream.write_all(AMQP).ok()?;
    until(stream, 0x10)?;
    stream
        .write_all(&frame(0, &performative(0x10, &[&string("scripted")])))
        .ok()?;
    until(stream, 0x11)?;
    // Its channel is 0, as ours is; 100 transfers both ways.
    let fields: [&[u8]; 4] = [&[0x60, 0, 0], &[0x43], &[0x52, 100], &[0x52, 100]];
    stream
        .write_all(&frame(0, &performative(0x11, &fields)))
        .ok()
}

/// What a source, a target or an outcome is that says nothing.
fn empty(code: u8) -> Vec<u8> {
    vec![0, 0x53, code, 0x45]
}

/// Goes through everything up to a link: ours sends with `role` 0x41, as theirs receives, and receives with 0x42.
fn attach(stream: &mut TcpStream, role: u8) -> Option<()> {
    welcome(stream)?;
    until(stream, 0x12)?;
    let name = match role {
        0x41 => string("iotctl-0"),
        _ => string("iotctl"),
    };
    let (source, target) = (empty(0x28), empty(0x29));
    let fields: [&[u8]; 10] = [
        &name,
        &[0x43],
        &[role],
        &[0x40],
        &[0x40],
        &source,
        &target,
        &[0x40],
        &[0x40],
        &[0x43],
    ];
    let answer = frame(0, &performative(0x12, &fields));
    stream.write_all(&answer).ok()
}

/// Lets the client send 100 messages.
fn credit(stream: &mut TcpStream) -> Option<()> {
    let fields: [&[u8]; 7] = [
        &[0x43],
        &[0x52, 100],
        &[0x43],
        &[0x52, 100],
        &[0x43],
        &[0x43],
        &[0x52, 100],
    ];
    stream
        .write_all(&frame(0, &performative(0x13, &fields)))
        .ok()
}

/// Settles the deliveries 0 to `last` with this outcome.
fn settle(stream: &mut TcpStream, last: u8, outcome: &[u8]) -> Option<()> {
    let fields: [&[u8]; 5] = [&[0x41], &[0x43], &[0x52, last], &[0x41], outcome];
    stream
        .write_all(&frame(0, &performative(0x15, &fields)))
        .ok()
}

/// Sends a message with this number and this body section.
fn transfer(stream: &mut TcpStream, number: u8, body: &[u8]) -> Option<()> {
    let tag = [0xA0, 1, number];
    let fields: [&[u8]; 5] = [&[0x43], &[0x52, number], &tag, &[0x43], &[0x42]];
    let mut message = performative(0x14, &fields);
    message.extend(body);
    stream.write_all(&frame(0, &message)).ok()
}

fn against<T>(script: impl FnMut(&mut TcpStream) -> T + Send + 'static, words: &str) -> Ended {
    let mut script = script;
    let peer = Peer::start(move |stream, _| {
        script(stream);
        drain(stream);
    });
    let url = format!("amqp://127.0.0.1:{}", peer.port);
    let (command, words) = words.split_once(' ').unwrap_or((words, ""));
    iotctl("amqp")
        .words(command)
        .word(url)
        .words(words)
        .words("--protocol 1.0")
        .run()
}

#[test]
fn silence_ends_in_time() {
    let words = "ping --connect-timeout 500ms --reply-timeout 500ms";
    against(|_| {}, words)
        .exits(5)
        .says("did not complete the login within 500ms");
    let mute = |stream: &mut TcpStream| drop(stream.write_all(SASL));
    against(mute, words)
        .exits(5)
        .says("did not complete the login within 500ms");
    let opened = |stream: &mut TcpStream| welcome(stream);
    against(opened, words).exits(5).says("no reply from");
    let words = "publish -k q -m x --connect-timeout 500ms --reply-timeout 500ms";
    against(opened, words)
        .exits(5)
        .says("to the request to take messages for \"q\" within 500ms");
}

#[test]
fn other_protocols_are_named() {
    let words = "ping --connect-timeout 60s";
    let older = |stream: &mut TcpStream| drop(stream.write_all(b"AMQP\0\0\x09\x01"));
    against(older, words)
        .exits(3)
        .says("speaks AMQP 0-9-1, not AMQP 1.0");
    let web = |stream: &mut TcpStream| drop(stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n"));
    against(web, words).exits(3).says("speaks HTTP");
    let bare = |stream: &mut TcpStream| drop(stream.write_all(b"AMQP\0\x01\0\0"));
    against(bare, words)
        .exits(3)
        .says("speaks AMQP 1.0 without a login (SASL)");
}

#[test]
fn who_has_no_name_is_anonymous_where_nothing_else_is_offered() {
    let denied = |stream: &mut TcpStream| log_in(stream, 1);
    against(denied, "ping")
        .exits(4)
        .says("refused the login of user \"guest\"");
    let named = "ping -u me --auth plain";
    against(denied, named)
        .exits(4)
        .says("does not offer the SASL mechanism PLAIN; it offers ANONYMOUS");
    let busy = |stream: &mut TcpStream| log_in(stream, 4);
    against(busy, "ping")
        .exits(6)
        .says("cannot verify the login at the moment");
}

#[test]
fn what_the_server_says_at_the_end_is_told_in_one_line() {
    let close = |condition: &'static str| {
        move |stream: &mut TcpStream| {
            if welcome(stream).is_some() && until(stream, 0x12).is_some() {
                let why = &error(condition, "going\n down")[..];
                let _ = stream.write_all(&frame(0, &performative(0x18, &[why])));
            }
        }
    };
    let words = "publish -k q -m x";
    against(close("amqp:connection:forced"), words)
        .exits(6)
        .says("ended the connection: going down (amqp:connection:forced)\n");
    against(close("amqp:unauthorized-access"), words)
        .exits(4)
        .says("going down (amqp:unauthorized-access)");
    against(close("amqp:resource-limit-exceeded"), words)
        .exits(1)
        .says("going down");
    against(close("vendor:odd"), words)
        .exits(1)
        .says("going down (vendor:odd)");
}

#[test]
fn each_outcome_is_counted_and_told() {
    let rejected = performative(0x25, &[&error("amqp:precondition-failed", "too odd")]);
    let modified = performative(0x27, &[&[0x41], &[0x41]]);
    for (outcome, why) in [
        (rejected, "rejected, too odd (amqp:precondition-failed)"),
        (empty(0x26), "released, nothing accepts it"),
        (modified, "modified, undeliverable here"),
    ] {
        let script = move |stream: &mut TcpStream| {
            let sent = attach(stream, 0x41).and_then(|()| credit(stream));
            for _ in 0..3 {
                sent.and_then(|()| until(stream, 0x14));
            }
            // The first is accepted, the others are not.
            settle(stream, 0, &empty(0x24));
            settle(stream, 2, &outcome);
        };
        let ended = against(script, "publish -k q -m x --repeat 3").exits(1);
        ended.says(&format!(
            "refused messages ({why}): of 3 messages sent, 1 acknowledged, 2 refused"
        ));
    }
}

#[test]
fn no_credit_is_no_confirmation() {
    let words = "publish -k q -m x --ack-timeout 500ms";
    let ended = against(|stream| attach(stream, 0x41), words);
    ended.exits(5).says("no confirm from").says("for 500ms");
}

#[test]
fn a_link_that_is_closed_meanwhile_tells_the_numbers() {
    let script = |stream: &mut TcpStream| {
        let sent = attach(stream, 0x41).and_then(|()| credit(stream));
        for _ in 0..3 {
            sent.and_then(|()| until(stream, 0x14));
        }
        settle(stream, 0, &empty(0x24));
        let why = error("amqp:resource-deleted", "the queue is gone");
        let detach = performative(0x16, &[&[0x43], &[0x41], &why]);
        let _ = stream.write_all(&frame(0, &detach));
    };
    let ended = against(script, "publish -k q -m x --repeat 3").exits(1);
    ended.says("the queue is gone (amqp:resource-deleted): of 3 messages sent, 1 acknowledged, 2 not acknowledged");
}

#[test]
fn bodies_of_every_kind_are_shown() {
    let script = |stream: &mut TcpStream| {
        attach(stream, 0x42)?;
        // The credit.
        until(stream, 0x13)?;
        let bodies: [&[u8]; 6] = [
            &[0, 0x53, 0x77, 0xA1, 4, b't', b'e', b'x', b't'],
            &[0, 0x53, 0x77, 0x54, 7],
            &[0, 0x53, 0x77, 0x40],
            &[0, 0x53, 0x76, 0xC0, 4, 2, 0x41, 0x54, 1],
            &[0, 0x53, 0x75, 0xA0, 1, b'a', 0, 0x53, 0x75, 0xA0, 1, b'b'],
            &[0, 0x53, 0x77, 0xC1, 6, 2, 0xA1, 1, b'k', 0x54, 1],
        ];
        for (number, body) in bodies.iter().enumerate() {
            transfer(stream, number as u8, body)?;
        }
        Some(())
    };
    let words = "consume q -C 6 -W 60s --retry never --reply-timeout 500ms";
    let ended = against(script, words);
    ended
        .exits(0)
        .prints("text\n7\n\n[true,1]\nab\n{\"k\":1}\n");
}

#[test]
fn a_server_that_falls_silent_is_noticed() {
    let words = "consume q -W 60s --retry never --heartbeat 1s";
    let ended = against(|stream| attach(stream, 0x42), words);
    ended.exits(6).says("within the negotiated idle timeout");
}

#[test]
fn nonsense_is_a_broken_protocol() {
    for nonsense in [
        &b"\0\0\0\x03abc"[..],
        &[0, 0, 0, 12, 2, 0, 0, 0, 0, 0x53, 0x12, 0xC0],
        &[0xFF; 64],
    ] {
        let broken = move |stream: &mut TcpStream| {
            if welcome(stream).is_some() {
                let _ = stream.write_all(nonsense);
            }
        };
        let words = "consume q -W 60s -C 1 --retry never --reply-timeout 5s";
        let ended = against(broken, words);
        assert!(matches!(ended.code, 5 | 6), "{ended:?}");
        assert!(!ended.stderr.contains("panicked at"), "{ended:?}");
    }
    let garbage = |stream: &mut TcpStream| {
        let _ = stream.write_all(SASL);
        let _ = stream.write_all(&frame(1, &[1, 2, 3]));
    };
    against(garbage, "ping")
        .exits(6)
        .says("protocol violation by ")
        .says("an unexpected SASL frame");
}
