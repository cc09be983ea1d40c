//! Arbitrary bytes from a server into the client's session: no panic, whatever is sent, asked and answered.
//!
//! The first byte chooses the version and what the user does meanwhile. Run with `cargo +nightly fuzz run session`.
#![no_main]

use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use iotctl::mqtt::packet::{Connect, LARGEST_PACKET, Properties, Publish, QoS, Subscription, Version};
use iotctl::mqtt::session::client::Session;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((&first, server)) = data.split_first() else {
        return;
    };
    let version = [Version::V31, Version::V311, Version::V5][usize::from(first) % 3];
    let qos = [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce][usize::from(first / 3) % 3];
    let now = Instant::now();
    let connect = Connect { version, keep_alive: 10, clean_start: first & 64 == 0, ..Connect::default() };
    let mut session = Session::new(connect, 3, LARGEST_PACKET, now);
    let subscription = Subscription { filter: "a/#".into(), ..Subscription::default() };
    session.subscribe(&[subscription], &Properties::default()).expect("a short filter fits");
    for part in server.chunks(200) {
        session.opened(now).expect("a short CONNECT fits");
        let mut input = BytesMut::from(part);
        let _ = session.receive(&mut input, now);
        while session.can_publish(qos) && session.unfinished() < 3 && session.output().len() < 10_000 {
            let mut publish = Publish { topic: "a".into(), payload: Bytes::from_static(b"x"), qos, ..Publish::default() };
            if session.publish(&mut publish, 1).is_err() {
                break;
            }
        }
        while session.poll_event().is_some() {}
        session.accept();
        let _ = session.on_time(now + Duration::from_secs(11));
        session.lost();
    }
});
