//! WebSocket: what servers answer to a handshake, what our own handshake says, and frames that break the protocol.

use std::io::{Read, Write};
use std::net::TcpStream;

use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use crate::support::PATIENCE;
use crate::support::command::{Line, iotctl};
use crate::support::peer::{Peer, drain};

/// Reads up to the empty line of an HTTP head.
fn head(stream: &mut TcpStream) -> String {
    let (mut text, mut byte) = (Vec::new(), [0]);
    while !text.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|read| read > 0) {
        text.push(byte[0]);
    }
    String::from_utf8(text).unwrap()
}

/// A server that answers every handshake with this, and hands out what it was asked.
fn answering(answer: &'static str) -> Peer<String> {
    Peer::start(move |stream, _| {
        let asked = head(stream);
        stream.write_all(answer.as_bytes()).unwrap();
        asked
    })
}

fn publish(port: u16, path: &str) -> Line {
    iotctl("mqtt pub -t a -m x").word(format!("ws://127.0.0.1:{port}{path}"))
}

#[test]
fn answers_of_any_http_version_are_told() {
    for (answer, code, words) in [
        (
            "HTTP/1.0 404 File not found\r\n\r\n",
            3,
            "HTTP 404 Not Found",
        ),
        (
            "HTTP/1.0 403 Forbidden\r\nServer: x\r\n\r\n",
            4,
            "not authorised (HTTP 403 Forbidden)",
        ),
        (
            "HTTP/1.0 101 Switching\r\n\r\n",
            3,
            "it did not accept the WebSocket handshake",
        ),
        ("SSH-2.0-x\r\n\r\n", 3, "it is not HTTP"),
    ] {
        let server = answering(answer);
        let ended = publish(server.port, "/mqtt").run();
        ended.exits(code).says(words);
    }
}

/// Answers a handshake, with these further headers, and sends these bytes once something came.
fn upgraded(headers: &'static str, bytes: Vec<u8>) -> Peer<()> {
    Peer::start(move |stream, _| {
        let asked = head(stream);
        let key = asked
            .lines()
            .find_map(|line| line.strip_prefix("Sec-WebSocket-Key: "));
        let accept = derive_accept_key(key.unwrap().as_bytes());
        let answer = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: {accept}\r\nSec-WebSocket-Protocol: mqtt\r\n{headers}\r\n"
        );
        stream.write_all(answer.as_bytes()).unwrap();
        if stream.read(&mut [0; 256]).is_ok_and(|read| read > 0) {
            let _ = stream.write_all(&bytes);
        }
        // TCP stays open until the client closes it.
        drain(stream);
    })
}

#[test]
fn what_a_close_frame_says_is_told() {
    let close = |code: u16, reason: &str| {
        let head = [0x88, reason.len() as u8 + 2];
        [&head[..], &code.to_be_bytes(), reason.as_bytes()].concat()
    };
    let connack = [0x82, 5, 0x20, 3, 0, 0, 0];
    for (bytes, said) in [
        (close(1008, "token expired"), "1008, token expired"),
        (
            [&connack[..], &close(1011, "\x1b[31m")].concat(),
            "1011, \\x1b[31m",
        ),
    ] {
        let server = upgraded("", bytes);
        let url = format!("ws://127.0.0.1:{}/mqtt", server.port);
        iotctl("mqtt sub -t a --retry never")
            .word(url)
            .run()
            .exits(6)
            .says(&format!("lost: the server closed the WebSocket: {said}"));
    }
    // Without a reason it is as any other end, and is not waited for.
    let server = upgraded("", close(1000, ""));
    publish(server.port, "/mqtt")
        .run()
        .exits(6)
        .says("closed the connection without responding to CONNECT");
}

#[test]
fn an_extension_that_nobody_offered_is_refused() {
    let server = upgraded(
        "Sec-WebSocket-Extensions: permessage-deflate\r\n",
        Vec::new(),
    );
    publish(server.port, "/mqtt")
        .run()
        .exits(3)
        .says("it chose the extension \"permessage-deflate\", which was not offered");
}

#[test]
fn a_redirect_is_not_followed_but_named_without_its_secrets() {
    for (answer, place, url) in [
        (
            "HTTP/1.1 302 Found\r\nLocation: https://me:pw@login.example/ws?token=t\r\n\r\n",
            "it redirects to https://login.example/ws\n",
            Some("wss://login.example/ws\n"),
        ),
        (
            "HTTP/1.0 308 Permanent Redirect\r\nLocation: /mqtt/\r\n\r\n",
            "it redirects to /mqtt/\n",
            Some("/mqtt/\n"),
        ),
        (
            "HTTP/1.1 301 Moved Permanently\r\nLocation: ftp://h/x\r\n\r\n",
            "it redirects to ftp://h/x\n",
            None,
        ),
    ] {
        let server = answering(answer);
        let ended = publish(server.port, "/mqtt").run().exits(3).says(place);
        assert!(!ended.stderr.contains("pw") && !ended.stderr.contains("token"));
        match url {
            Some(url) => drop(ended.says("hint: try ws").says(url)),
            None => assert!(!ended.stderr.contains("hint"), "{}", ended.stderr),
        }
    }
}

#[test]
fn the_handshake_says_what_was_given() {
    let asked = |line: Line, server: &Peer<String>| {
        line.run().exits(3);
        server.result()
    };
    let server = answering("HTTP/1.1 404 Not Found\r\n\r\n");
    let plain = asked(publish(server.port, "/wäge/é?x=ü"), &server);
    assert!(
        plain.starts_with("GET /w%C3%A4ge/%C3%A9?x=%C3%BC HTTP/1.1\r\n"),
        "{plain}"
    );
    let host = format!("\r\nHost: 127.0.0.1:{}\r\n", server.port);
    assert!(plain.contains(&host), "{plain}");
    let line = publish(server.port, "/mqtt")
        .words("--ws-header")
        .word("hOST: inner.example")
        .words("--ws-header")
        .word("Sec-WebSocket-Protocol: mqttv3.1");
    let given = asked(line, &server);
    let named = |name: &str| {
        let lines = given.lines().map(str::to_lowercase);
        let named: Vec<_> = lines.filter(|it| it.starts_with(name)).collect();
        named
    };
    assert_eq!(named("host:"), ["host: inner.example"]);
    assert_eq!(
        named("sec-websocket-protocol:"),
        ["sec-websocket-protocol: mqttv3.1"]
    );
    let line = publish(server.port, "/mqtt")
        .words("--ws-header")
        .word("Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==");
    line.run()
        .exits(2)
        .says("is set by the WebSocket handshake");
    assert_eq!(server.others(), 0);
}

/// Opens a WebSocket to a server of ours by hand.
fn open(address: &str, subprotocol: &str) -> TcpStream {
    answered(address, subprotocol).0
}

/// The same, with what the server says to it.
fn answered(address: &str, subprotocol: &str) -> (TcpStream, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let request = format!(
        "GET /mqtt HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\
         Sec-WebSocket-Protocol: {subprotocol}\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).unwrap();
    let answer = head(&mut stream);
    assert!(answer.starts_with("HTTP/1.1 101"), "{answer}");
    (stream, answer.to_lowercase())
}

#[test]
fn each_server_agrees_to_its_own_sub_protocol() {
    let mut broker = iotctl("mqtt broker --quiet --listen ws://127.0.0.1:0").start();
    let mut server = iotctl("coap server --listen coap+ws://127.0.0.1:0 -r /x=text:hi").start();
    for (url, own, other) in [
        (broker.line(), "mqtt", "coap"),
        (server.line(), "coap", "mqtt"),
    ] {
        let address = url.split_once("//").unwrap().1;
        let agreed = |offered: &str| {
            let answer = answered(address, offered).1;
            let mut lines = answer.lines();
            let line = lines.find_map(|it| it.strip_prefix("sec-websocket-protocol: "));
            line.map(String::from)
        };
        assert_eq!(agreed(other), None);
        assert_eq!(agreed(&format!("{other}, {own}")).as_deref(), Some(own));
    }
}

#[test]
fn frames_that_break_the_protocol_end_their_connection_only() {
    const BROKEN: [u8; 4] = [0x88, 2, 0x03, 0xEA];
    let mut broker = iotctl("mqtt broker --quiet --listen ws://127.0.0.1:0").start();
    let mut server = iotctl("coap server --listen coap+ws://127.0.0.1:0 -r /x=text:hi").start();
    let (broker_url, server_url) = (broker.line(), server.line());
    let address = |url: &str| url.split_once("//").unwrap().1.to_owned();
    for (address, subprotocol) in [
        (address(&broker_url), "mqtt"),
        (address(&server_url), "coap"),
    ] {
        for frame in [
            // Lengths of 2^63 and 2^64 - 1.
            &b"\x82\xff\x80\0\0\0\0\0\0\0\0\0\0\0"[..],
            b"\x82\xff\xff\xff\xff\xff\xff\xff\xff\xff\0\0\0\0",
            // Not masked; reserved bits; reserved kinds; a continuation frame without a message.
            b"\x82\x01a",
            b"\xc2\x80\0\0\0\0",
            b"\x83\x80\0\0\0\0",
            b"\x8b\x80\0\0\0\0",
            b"\x80\x80\0\0\0\0",
            // Control frames in fragments, and too long.
            b"\x09\x80\0\0\0\0",
            b"\x89\xfe\0\x7e\0\0\0\0",
        ] {
            let mut stream = open(&address, subprotocol);
            stream.write_all(frame).unwrap();
            let mut said = Vec::new();
            stream.read_to_end(&mut said).unwrap();
            assert!(
                said.ends_with(&BROKEN),
                "{subprotocol} {frame:x?}: {said:x?}"
            );
        }
        // A flood of frames without data.
        let mut stream = open(&address, subprotocol);
        let flood = b"\x02\x80\0\0\0\0".iter().copied();
        let flood: Vec<u8> = flood
            .chain(b"\0\x80\0\0\0\0".repeat(50_000))
            .chain(*b"\x83\x80\0\0\0\0")
            .collect();
        stream.write_all(&flood).unwrap();
        let mut said = Vec::new();
        stream.read_to_end(&mut said).unwrap();
        assert!(said.ends_with(&BROKEN), "{said:x?}");
    }
    let line = iotctl("mqtt pub -t a -m x").word(&broker_url);
    line.run().exits(0);
    let line = iotctl("coap get").word(format!("{server_url}/x"));
    line.run().exits(0).prints("hi");
}

#[test]
fn a_request_that_is_no_handshake_is_answered() {
    let mut broker = iotctl("mqtt broker --quiet --listen ws://127.0.0.1:0").start();
    let url = broker.line();
    let address = url.split_once("//").unwrap().1;
    for (request, answer) in [
        ("POST / HTTP/1.1\r\n\r\n", "HTTP/1.1 400 Bad Request\r\n"),
        ("GET / HTTP/1.0\r\n\r\n", "HTTP/1.1 400 Bad Request\r\n"),
        (
            "GET / HTTP/1.1\r\n\r\n",
            "HTTP/1.1 426 Upgrade Required\r\n",
        ),
    ] {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut said = String::new();
        stream.read_to_string(&mut said).unwrap();
        assert!(said.starts_with(answer), "{request:?}: {said:?}");
    }
}
