//! Arbitrary datagrams to both roles of a CoAP endpoint: no panic, and what is read survives being written again.
//!
//! Each datagram follows its length (one byte) and the milliseconds until it comes (one byte, squared). Run with
//! `cargo +nightly fuzz run coap_datagram`.
#![no_main]

use std::time::{Duration, Instant};

use iotctl::coap::code::Code;
use iotctl::coap::endpoint::{Config, Endpoint, Peer, Request};
use iotctl::coap::message::Message;
use iotctl::coap::plugtest::{self, Pace};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let peer = Peer::from(([192, 0, 2, 1], 5683));
    let mut now = Instant::now();
    let mut client = Endpoint::seeded(Config::default(), 1);
    let mut server = Endpoint::seeded(Config { serve: true, ..Config::default() }, 2);
    let mut site = plugtest::site(now, Pace::default());
    let mut observe = Request::new(peer, Code::GET).path("obs-large");
    (observe.observe, observe.token) = (true, iotctl::coap::message::Token::new(b"t"));
    client.request(now, observe).expect("a request");
    let mut rest = data;
    while let [length, wait, others @ ..] = rest {
        let (datagram, others) = others.split_at(usize::from(*length).min(others.len()));
        rest = others;
        now += Duration::from_millis(u64::from(*wait).pow(2));
        check(datagram);
        client.handle_timeout(now);
        server.handle_timeout(now);
        site.handle_timeout(now, &mut server);
        client.handle_datagram(now, peer, datagram);
        match wait % 4 {
            0 => server.handle_multicast(now, peer, datagram),
            _ => server.handle_datagram(now, peer, datagram),
        }
        while let Some(event) = server.poll_event() {
            site.handle(now, &mut server, event);
        }
        while client.poll_event().is_some() {}
        for endpoint in [&mut client, &mut server] {
            while let Some((_, bytes)) = endpoint.poll_transmit() {
                Message::decode(&bytes).expect("what is sent is CoAP");
            }
        }
    }
});

fn check(datagram: &[u8]) {
    if let Ok(message) = Message::decode(datagram) {
        let written = message.encode().expect("what was read can be written");
        assert_eq!(Message::decode(&written).as_ref(), Ok(&message));
    }
}
