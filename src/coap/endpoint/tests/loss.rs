//! Large bodies over a wire that loses, doubles and reorders.

use super::*;
use crate::coap::endpoint::{Incoming, Response};
use crate::coap::site::{Answer, Resource};

fn digest(bytes: &[u8]) -> u64 {
    std::hash::BuildHasher::hash_one(
        &std::hash::BuildHasherDefault::<std::hash::DefaultHasher>::new(),
        bytes,
    )
}

struct Kept(Bytes, usize);

impl Resource for Kept {
    fn answer(&mut self, _now: Instant, request: &Incoming) -> Answer {
        match request.method {
            Code::PUT => {
                self.1 += 1;
                self.0 = request.payload.clone();
                Response::content(0, format!("{} {}", self.1, digest(&self.0))).into()
            }
            _ => Response::content(42, self.0.clone()).into(),
        }
    }
}

fn lossy(percent: u64, doubled: u64, reordered: u64, seed: u64) -> Net {
    let mut net = Net::new();
    let mut random = Random::seeded(seed);
    net.fate = Box::new(move |_| {
        let mut chance = |percent| random.next() % 100 < percent;
        if chance(percent) {
            return vec![];
        }
        let delay = if chance(reordered) {
            7 * LATENCY
        } else {
            LATENCY
        };
        match chance(doubled) {
            true => vec![delay, 5 * LATENCY],
            false => vec![delay],
        }
    });
    net.site.add("/kept", Kept(pattern(5 << 20), 0));
    net
}

/// With the deadline that commands have.
fn usual(mut request: Request) -> Request {
    request.deadline = Some(seconds(30.0));
    request
}

#[test]
fn five_mebibytes_come_and_go_with_losses() {
    // Of a tenth, five transmissions of one of these blocks would be lost now and then.
    let mut net = lossy(3, 0, 0, 1);
    assert_eq!(
        net.ask(usual(get("kept"))).response.payload,
        pattern(5 << 20)
    );
    let sent = pattern((5 << 20) + 7);
    let mut net = lossy(3, 0, 0, 2);
    let reply = net.ask(usual(with_body(Code::PUT, "kept", sent.clone())));
    assert_eq!(body(&reply), format!("1 {}", digest(&sent)));
}

#[test]
fn doubled_and_reordered_datagrams_do_not_mix_anything_up() {
    for seed in 0..5 {
        let mut net = lossy(8, 20, 30, seed);
        let sent = pattern(30_000);
        assert_eq!(
            body(&net.ask(usual(with_body(Code::PUT, "kept", sent.clone())))),
            format!("1 {}", digest(&sent)),
            "done once"
        );
        assert_eq!(net.ask(usual(get("kept"))).response.payload, sent);
    }
}

#[test]
fn the_waits_follow_the_round_trips() {
    let mut net = Net::new();
    net.get("test");
    let lost = net.up().len() + 1;
    net.fate = Box::new(move |packet| match packet.up && packet.nth == lost {
        true => vec![],
        false => vec![LATENCY],
    });
    net.get("test");
    let [.., first, again] = net.up()[..] else {
        panic!("two transmissions");
    };
    assert_eq!(first.bytes, again.bytes);
    let wait = again.at - first.at;
    assert!((seconds(1.0)..seconds(1.51)).contains(&wait), "{wait:?}");
}

#[test]
fn a_peer_that_falls_silent_is_given_up_no_earlier_than_without_measurement() {
    let mut net = Net::new();
    net.get("test");
    let began = net.now;
    net.fate = Box::new(|_| vec![]);
    let mut asked = get("test");
    asked.deadline = None;
    let handle = net.begin(asked);
    let ended = net.end(handle);
    assert_eq!(ended.unwrap_err(), Failure::GaveUp { transmissions: 5 });
    let elapsed = net.now - began;
    assert!(
        (seconds(62.0)..seconds(93.01)).contains(&elapsed),
        "{elapsed:?}"
    );
}
