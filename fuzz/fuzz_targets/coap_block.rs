//! A server that answers blocks as the bytes say, and a client that sends them: no panic, every transfer ends, and no
//! body is larger than its limit.
//!
//! Six bytes make one answer: code, Block option (three), length of the payload, and which options it has. Run with
//! `cargo +nightly fuzz run coap_block`.
#![no_main]

use std::time::Instant;

use bytes::Bytes;
use iotctl::coap::block::{Block, Szx};
use iotctl::coap::code::Code;
use iotctl::coap::endpoint::{Config, Endpoint, Event, Peer, Request};
use iotctl::coap::message::{Message, Token, Type};
use iotctl::coap::option;
use iotctl::coap::plugtest::{self, Pace};
use libfuzzer_sys::fuzz_target;

/// Of the client and of the server, in bytes.
const LIMIT: usize = 4096;

fuzz_target!(|data: &[u8]| {
    let Some((&first, answers)) = data.split_first() else {
        return;
    };
    download_and_upload(first, answers);
    serve(first, answers);
});

fn config(serve: bool) -> Config {
    Config { serve, body_limit: LIMIT, block_memory: 4 * LIMIT, ..Config::default() }
}

fn peer() -> Peer {
    ([192, 0, 2, 1], 5683).into()
}

/// Our client, and a server that is not ours.
fn download_and_upload(first: u8, answers: &[u8]) {
    let now = Instant::now();
    let mut client = Endpoint::seeded(config(false), 1);
    let method = if first & 1 == 0 { Code::GET } else { Code::PUT };
    let mut request = Request::new(peer(), method).path("x");
    request.payload = if first & 1 == 0 { Bytes::new() } else { vec![7; 3000].into() };
    request.block = Szx::new(first >> 1 & 7).filter(|it| *it <= Szx::MAX);
    request.early = first & 16 != 0;
    client.request(now, request).expect("a request");
    for answer in answers.chunks_exact(6) {
        let Some((_, bytes)) = client.poll_transmit() else {
            break;
        };
        let asked = Message::decode(&bytes).expect("what is sent is CoAP");
        let response = shaped(Type::Ack, answer, asked.mid, asked.token);
        // The token makes it fit, whatever it is.
        if let Ok(bytes) = response.encode() {
            client.handle_datagram(now, peer(), &bytes);
        }
        while let Some(event) = client.poll_event() {
            if let Event::Reply { reply, .. } = event {
                assert!(reply.response.payload.len() <= LIMIT);
            }
        }
    }
}

/// Our server, and a client that is not ours.
fn serve(first: u8, requests: &[u8]) {
    let now = Instant::now();
    let mut server = Endpoint::seeded(config(true), 2);
    let mut site = plugtest::site(now, Pace::default());
    let path = ["large", "large-update", "large-create", "large-post", "obs-large"][usize::from(first) % 5];
    for (mid, request) in requests.chunks_exact(6).enumerate() {
        let mut message = shaped(Type::Con, request, mid as u16, Token::EMPTY);
        message.code = [Code::GET, Code::PUT, Code::POST, Code::FETCH][usize::from(request[0]) % 4];
        message.options.push_text(option::URI_PATH, path);
        let Ok(bytes) = message.encode() else {
            continue;
        };
        server.handle_datagram(now, peer(), &bytes);
        while let Some(event) = server.poll_event() {
            if let Event::Incoming(whole) = &event {
                assert!(whole.payload.len() <= LIMIT);
            }
            site.handle(now, &mut server, event);
        }
        while let Some((_, bytes)) = server.poll_transmit() {
            let answer = Message::decode(&bytes).expect("what is sent is CoAP");
            assert!(answer.payload.len() <= Szx::MAX.size(), "no block is larger");
        }
    }
}

fn shaped(kind: Type, words: &[u8], mid: u16, token: Token) -> Message {
    let code = [Code::CONTENT, Code::CONTINUE, Code::CHANGED, Code::REQUEST_ENTITY_TOO_LARGE];
    let mut message = Message::new(kind, code[usize::from(words[0]) % 4], mid, token);
    let value = u32::from_be_bytes([0, words[1], words[2], words[3]]);
    let has = words[5];
    // Mostly blocks with small numbers, which make transfers go on.
    let value = if has & 128 == 0 { value & 0xFFF } else { value };
    for (bit, number) in [(1, option::BLOCK1), (2, option::BLOCK2)] {
        if has & bit != 0 {
            message.options.push_uint(number, value.into());
        }
    }
    for (bit, number) in [(4, option::SIZE1), (8, option::SIZE2), (16, option::ETAG)] {
        if has & bit != 0 {
            message.options.push_uint(number, u64::from(words[4] >> 4));
        }
    }
    let size = Block::decode(&words[1..4]).map_or(16, |it| it.szx.size());
    let length = if has & 64 == 0 { usize::from(words[4]) * 8 } else { size };
    message.payload = vec![words[0]; length].into();
    message
}
