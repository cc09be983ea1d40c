//! Arbitrary bytes on a CoAP stream: no panic, the same messages however they are cut, and what is read survives being
//! written again.
//!
//! The first byte says where the stream is cut. Run with `cargo +nightly fuzz run coap_frame`.
#![no_main]

use std::time::Instant;

use iotctl::coap::endpoint::{Config, Endpoint, Peer, Transport};
use iotctl::coap::frame::{self, BadFrame, Decoder};
use iotctl::coap::message::Message;
use iotctl::coap::plugtest::{self, Pace};
use libfuzzer_sys::fuzz_target;

const LIMIT: usize = 70_000;

fuzz_target!(|data: &[u8]| {
    let Some((&cut, stream)) = data.split_first() else {
        return;
    };
    let whole = read(stream, stream.len().max(1));
    assert_eq!(read(stream, usize::from(cut).max(1)), whole);
    for message in &whole.0 {
        let written = frame::encode_stream(message).expect("what was read can be written");
        assert_eq!(read(&written, 1), (vec![message.clone()], None));
        let written = frame::encode_websocket(message).expect("what was read can be written");
        assert_eq!(frame::decode_websocket(&written).as_ref(), Ok(message));
    }
    let _ = frame::decode_websocket(stream);
    serve(stream, usize::from(cut).max(1));
});

fn read(stream: &[u8], cut: usize) -> (Vec<Message>, Option<BadFrame>) {
    let (mut decoder, mut messages) = (Decoder::new(LIMIT), Vec::new());
    for piece in stream.chunks(cut) {
        decoder.push(piece);
        loop {
            match decoder.take() {
                Ok(Some(message)) => messages.push(message),
                Ok(None) => break,
                Err(fault) => return (messages, Some(fault)),
            }
        }
    }
    (messages, None)
}

/// A server behind it, which also checks what comes first on a connection.
fn serve(stream: &[u8], cut: usize) {
    let (now, peer) = (Instant::now(), Peer::from(([192, 0, 2, 1], 5683)));
    let config = Config { transport: Transport::Stream, serve: true, ..Config::default() };
    let mut server = Endpoint::seeded(config, 1);
    let mut site = plugtest::site(now, Pace::default());
    server.connected(now, peer);
    for piece in stream.chunks(cut) {
        server.handle_stream(now, peer, piece);
        while let Some(event) = server.poll_event() {
            site.handle(now, &mut server, event);
        }
        while let Some((_, bytes)) = server.poll_transmit() {
            assert!(read(&bytes, bytes.len()).1.is_none(), "what is sent is CoAP");
        }
    }
}
