//! Servers that break the rules of AMQP 0-9-1, or end things at an awkward time.

use std::io::{Read, Write};
use std::net::TcpStream;

use super::peer::{
    consumer, deliver, messages, method, next_ack, open_channel, short, start, until, welcome,
};
use crate::support::command::{Ended, Line, iotctl};
use crate::support::peer::{Peer, drain};

/// Writes frames in one piece.
fn say(stream: &mut TcpStream, frames: &[&[u8]]) {
    stream.write_all(&frames.concat()).unwrap();
}

/// A server whose first connection goes by this script, and that takes no other.
fn server(script: impl Fn(&mut TcpStream) + Send + Sync + 'static) -> Peer {
    Peer::start(move |stream, number| {
        if number == 0 {
            script(stream);
            drain(stream);
        }
    })
}

fn amqp(peer: &Peer, words: &str) -> Line {
    iotctl("amqp")
        .words(words)
        .words("--retry never --reply-timeout 20s --url")
        .word(format!("amqp://127.0.0.1:{}", peer.port))
}

fn publishing(script: impl Fn(&mut TcpStream) + Send + Sync + 'static) -> Ended {
    amqp(&server(script), "publish -k k -m x").run()
}

/// The arguments of Connection.Close and Channel.Close.
fn farewell(code: u16, text: &str) -> Vec<u8> {
    [&code.to_be_bytes()[..], &short(text), &[0; 4]].concat()
}

/// Answers confirm.select on an open channel.
fn confirms(stream: &mut TcpStream) {
    welcome(stream, 131_072);
    open_channel(stream);
    until(stream, 85, 10);
    say(stream, &[&method(1, 85, 11, &[])]);
}

/// A content header without properties, and a body, each a frame of its own.
fn content(kind: u8, payload: &[u8]) -> Vec<u8> {
    let length = (payload.len() as u32).to_be_bytes();
    [&[kind, 0, 1], &length[..], payload, &[0xCE]].concat()
}

#[test]
fn only_who_hangs_up_during_the_login_may_have_disliked_the_password() {
    for (code, text, words) in [
        (
            200,
            "Goodbye",
            "closed the connection: Goodbye (reply code 200)",
        ),
        (0, "", "closed the connection: reply code 0"),
        (
            65535,
            "odd",
            "closed the connection: odd (reply code 65535)",
        ),
    ] {
        let ended = publishing(move |stream| {
            stream.read_exact(&mut [0; 8]).unwrap();
            say(stream, &[&start("PLAIN")]);
            until(stream, 10, 11);
            say(stream, &[&method(0, 10, 50, &farewell(code, text))]);
        });
        let ended = ended.exits(6).says(words);
        assert!(!ended.stderr.contains("password"), "{}", ended.stderr);
    }
    let ended = publishing(|stream| {
        stream.read_exact(&mut [0; 8]).unwrap();
        say(stream, &[&start("PLAIN")]);
        until(stream, 10, 11);
        say(stream, &[&method(0, 10, 41, &[0])]);
    });
    let words = "protocol violation by amqp://127.0.0.1";
    ended
        .exits(6)
        .says(words)
        .says("method 10.41 was not expected");
    let ended = publishing(|stream| {
        stream.read_exact(&mut [0; 8]).unwrap();
        say(stream, &[&start("PLAIN")]);
        until(stream, 10, 11);
        stream.shutdown(std::net::Shutdown::Both).unwrap();
    });
    ended.exits(4).says("user name or password may be wrong");
}

#[test]
fn what_belongs_to_no_channel_consumer_or_message_is_a_violation() {
    let stray = |frames: Vec<u8>, words: &str| {
        let ended = publishing(move |stream| {
            confirms(stream);
            messages(stream, 1);
            say(stream, &[&frames]);
        });
        ended.exits(6).says("protocol violation").says(words);
    };
    let confirm = [&1_u64.to_be_bytes()[..], &[0]].concat();
    stray(
        method(7, 60, 80, &confirm),
        "a frame for channel 7, which is not open",
    );
    stray(content(3, b"body"), "a body that belongs to no message");
    let header = [&[0, 60, 0, 0][..], &4_u64.to_be_bytes(), &[0, 0]].concat();
    stray(content(2, &header), "an unexpected content header");

    let peer = server(|stream| {
        consumer(stream);
        let other = deliver(1, false, b"x");
        // The name of the consumer is behind the class and the method, and its length.
        let other = [&other[..12], b"d", &other[13..]].concat();
        say(stream, &[&other]);
    });
    let ended = amqp(&peer, "consume q -C 1").run();
    ended
        .exits(6)
        .prints("")
        .says("it delivered to a consumer that was never started");
}

#[test]
fn what_the_server_says_while_the_channel_opens_is_heard() {
    let peer = server(|stream| {
        welcome(stream, 131_072);
        until(stream, 20, 10);
        let blocked = method(0, 10, 60, &short("low on disk"));
        say(stream, &[&blocked, &method(1, 20, 11, &[0; 4])]);
        until(stream, 85, 10);
        say(stream, &[&method(1, 85, 11, &[])]);
    });
    let ended = amqp(&peer, "publish -k k -m x --ack-timeout 300ms").run();
    ended.exits(5).says("connection blocked: low on disk");
    let ended = publishing(|stream| {
        welcome(stream, 131_072);
        open_channel(stream);
        until(stream, 85, 10);
        let words = farewell(540, "NOT_IMPLEMENTED - no confirms here");
        say(stream, &[&method(0, 10, 50, &words)]);
    });
    ended
        .exits(1)
        .says("refused publisher confirms: no confirms here");
}

#[test]
fn what_came_before_the_end_of_the_consumer_is_acknowledged() {
    let (sender, acknowledged) = std::sync::mpsc::channel();
    let sender = std::sync::Mutex::new(sender);
    let peer = server(move |stream| {
        consumer(stream);
        let cancel = method(1, 60, 30, &[&short("c")[..], &[1]].concat());
        say(
            stream,
            &[
                &deliver(1, false, b"one"),
                &deliver(2, false, b"two"),
                &cancel,
            ],
        );
        let ack = next_ack(stream);
        sender.lock().unwrap().send(ack).unwrap();
        until(stream, 10, 50);
        say(stream, &[&method(0, 10, 51, &[])]);
    });
    let ended = amqp(&peer, "consume q").run();
    ended
        .exits(1)
        .prints("one\ntwo\n")
        .says("the queue \"q\" is gone");
    assert_eq!(acknowledged.recv().unwrap(), Some((2, true)));
}

#[test]
fn a_refused_acknowledgement_has_the_reason_of_the_server() {
    let peer = server(|stream| {
        consumer(stream);
        say(stream, &[&deliver(1, false, b"one")]);
        until(stream, 10, 50);
        let words = farewell(406, "PRECONDITION_FAILED - unknown delivery tag 1");
        say(stream, &[&method(1, 20, 40, &words)]);
    });
    let ended = amqp(&peer, "consume q -C 1").run();
    let words = "refused an acknowledgement: unknown delivery tag 1; messages may be redelivered";
    ended.exits(1).prints("one\n").says(words);
}

#[test]
fn a_message_too_large_to_be_taken_is_a_failure() {
    let peer = server(|stream| {
        consumer(stream);
        let announced = deliver(1, false, b"");
        // The method alone; its header declares more than is ever kept.
        let method = &announced[..announced.len() - 30];
        let header = [&[0, 60, 0, 0][..], &(1_u64 << 40).to_be_bytes(), &[0, 0]].concat();
        assert_eq!(method.last(), Some(&0xCE));
        say(stream, &[method, &content(2, &header)]);
        until(stream, 10, 50);
        say(stream, &[&method_close_ok()]);
    });
    let ended = amqp(&peer, "consume q --idle 1s").run();
    ended
        .exits(1)
        .prints("")
        .says("message 1 declares a body of 1099511627776 bytes")
        .says("the body exceeds 512 MiB for 1 of 1 message");
}

fn method_close_ok() -> Vec<u8> {
    method(0, 10, 51, &[])
}

#[test]
fn a_reply_that_is_never_confirmed_is_given_up() {
    let peer = Peer::start(|stream, number| {
        // The first connection is for the requests, the second one for the replies.
        if number == 1 {
            confirms(stream);
            return drain(stream);
        }
        // It is still open when the other one comes.
        let mut stream = stream.try_clone().unwrap();
        std::thread::spawn(move || {
            consumer(&mut stream);
            let request = deliver(1, false, b"");
            let method = &request[..request.len() - 30];
            let properties = [&[0x02, 0x00][..], &short("answers")].concat();
            let header = [&[0, 60, 0, 0][..], &2_u64.to_be_bytes(), &properties].concat();
            let request = [method, &content(2, &header), &content(3, b"42")];
            say(&mut stream, &request);
            drain(&mut stream);
        });
    });
    let url = format!("amqp://127.0.0.1:{}", peer.port);
    let ended = iotctl("amqp respond q --echo -C 1 --reply-timeout 400ms --url")
        .word(url)
        .run();
    ended
        .exits(5)
        .says("no confirm from amqp://127.0.0.1")
        .says("for 400ms");
}

/// Connection.Start of a server that says why it lets nobody in.
fn honest_start() -> Vec<u8> {
    let capability = [&short("authentication_failure_close")[..], b"t\x01"].concat();
    let table = [&(capability.len() as u32).to_be_bytes()[..], &capability].concat();
    let table = [&short("capabilities")[..], b"F", &table].concat();
    let mut arguments = vec![0, 9];
    for field in [&table[..], b"PLAIN", b"en_US"] {
        arguments.extend((field.len() as u32).to_be_bytes());
        arguments.extend(field);
    }
    method(0, 10, 10, &arguments)
}

#[test]
fn a_server_that_tells_refusals_and_hangs_up_is_an_outage() {
    let peer = Peer::start(|stream, number| {
        match number {
            // It is cut off in the middle of the login.
            1 => {
                stream.read_exact(&mut [0; 8]).unwrap();
                say(stream, &[&honest_start()]);
                until(stream, 10, 11);
            }
            _ => {
                consumer(stream);
                say(stream, &[&deliver(1, false, b"one")]);
                next_ack(stream);
            }
        }
    });
    let url = format!("amqp://127.0.0.1:{}", peer.port);
    let mut consuming = iotctl("amqp consume q --url").word(url).start();
    assert_eq!(consuming.lines(2), ["one", "one"]);
    consuming.signal("TERM");
    let ended = consuming.ends().exits(143);
    assert!(!ended.stderr.contains("password"), "{}", ended.stderr);
}

#[test]
fn the_last_acknowledgements_are_not_taken_for_granted() {
    let consuming = |answer: &'static [u8], code| {
        let peer = server(move |stream| {
            consumer(stream);
            say(stream, &[&deliver(1, false, b"one")]);
            until(stream, 10, 50);
            say(stream, &[answer]);
        });
        amqp(&peer, "consume q -C 1")
            .run()
            .exits(code)
            .prints("one\n")
    };
    consuming(b"", 0).says("did not confirm the last acknowledgements within 3s");
    let bye = farewell(320, "CONNECTION_FORCED - node is shutting down");
    let bye: &'static [u8] = method(0, 10, 50, &bye).leak();
    consuming(bye, 6)
        .says("was lost before it had the last acknowledgements: node is shutting down");
}

#[test]
fn nothing_comes_between_the_frames_of_a_message() {
    let confirm = [&1_u64.to_be_bytes()[..], &[0]].concat();
    let confirm = method(1, 60, 80, &confirm);
    let words = [
        &312_u16.to_be_bytes()[..],
        &short("NO_ROUTE"),
        &short(""),
        &short("k"),
    ]
    .concat();
    let returned = method(1, 60, 50, &words);
    let frames = [returned, confirm.clone()].concat();
    let ended = publishing(move |stream| {
        confirms(stream);
        messages(stream, 1);
        say(stream, &[&frames]);
    });
    ended
        .exits(6)
        .says("a method between the frames of a message");

    let peer = server(move |stream| {
        consumer(stream);
        let whole = deliver(1, false, b"");
        say(stream, &[&whole[..whole.len() - 30], &confirm]);
    });
    let ended = amqp(&peer, "consume q -C 1").run();
    ended
        .exits(6)
        .says("a method between the frames of a message");
}

#[test]
fn a_pause_holds_requests_too() {
    let peer = server(|stream| {
        confirms(stream);
        until(stream, 60, 10);
        say(stream, &[&method(1, 60, 11, &[])]);
        until(stream, 60, 20);
        let off = method(1, 20, 20, &[0]);
        say(stream, &[&off, &method(1, 60, 21, &short("c"))]);
        // Nothing is between the answer to the pause and that to its end.
        assert_eq!(until(stream, 20, 21).unwrap()[4], 0);
        say(stream, &[&method(1, 20, 20, &[1])]);
        let (kind, next) = super::peer::frame(stream).unwrap();
        assert_eq!((kind, &next[..5]), (1, &[0, 20, 0, 21, 1][..]));
        until(stream, 60, 40).unwrap();
    });
    amqp(&peer, "request -k k -m x -W 2s").run().exits(5);
    peer.result();
}
