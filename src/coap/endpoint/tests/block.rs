//! TD_COAP_BLOCK_01 to 06, and what else can happen to a body in pieces.

use super::*;
use crate::coap::block::{Block, Szx};
use crate::coap::endpoint::{Response, Resume};
use crate::coap::option;
use crate::coap::site::{Answer, Resource};
use crate::coap::uri::location_of;

/// A resource that keeps what is put.
struct Kept(Response);

impl Resource for Kept {
    fn answer(&mut self, _now: Instant, request: &super::super::Incoming) -> Answer {
        match request.method {
            Code::PUT => {
                self.0.payload = request.payload.clone();
                Code::CHANGED.into()
            }
            _ => self.0.clone().into(),
        }
    }
}

fn keeping(length: usize) -> Net {
    let mut net = Net::new();
    net.site
        .add("/kept", Kept(Response::content(42, pattern(length))));
    net
}

fn sized(mut request: Request, size: usize, early: bool) -> Request {
    request.block = Szx::of_size(size);
    request.early = early;
    request
}

fn blocks(packets: &[&Packet], number: u16) -> Vec<Option<Block>> {
    packets
        .iter()
        .map(|it| Block::of(&it.message.options, number))
        .collect()
}

/// Every answered block begins where the one before ended.
fn check_download(net: &Net, length: usize) {
    let mut offset = 0;
    for packet in net.down() {
        let block = packet.message.options.block2().expect("Block2");
        assert_eq!(block.offset(), offset);
        offset += packet.message.payload.len();
        assert_eq!(block.more, offset < length);
    }
    assert_eq!(offset, length);
    let mids: Vec<u16> = net.up().iter().map(|it| it.message.mid).collect();
    assert!(
        (1..mids.len()).all(|at| !mids[..at].contains(&mids[at])),
        "fresh ids"
    );
    assert!(
        blocks(&net.up(), option::BLOCK2)
            .iter()
            .flatten()
            .all(|it| !it.more)
    );
}

#[test]
fn td_coap_block_01_06_early_negotiation() {
    for (size, count) in [(64, 20), (16, 80)] {
        let mut net = Net::new();
        let reply = net.ask(sized(get("large"), size, true));
        assert_eq!((reply.response.payload.len(), reply.blocks), (1280, count));
        check_download(&net, 1280);
        let first = Block::at(0, false, Szx::of_size(size).expect("a size"));
        assert_eq!(net.up()[0].message.options.block2(), first);
        assert!(!reply.response.options.contains(option::BLOCK2));
    }
}

#[test]
fn td_coap_block_02_late_negotiation() {
    let mut net = Net::new();
    let reply = net.get("large");
    assert_eq!((reply.response.payload.len(), reply.blocks), (1280, 20));
    check_download(&net, 1280);
    assert_eq!(net.up()[0].message.options.block2(), None);
    assert_eq!(reply.response.options.uint(option::SIZE2), Some(1280));
}

#[test]
fn td_coap_block_02_the_client_shrinks() {
    let mut net = Net::new();
    assert_eq!(
        net.ask(sized(get("large"), 16, false))
            .response
            .payload
            .len(),
        1280
    );
    let asked = blocks(&net.up(), option::BLOCK2);
    assert_eq!((asked[0], asked[1]), (None, Block::at(64, false, Szx::MIN)));
    assert_eq!(asked[1].map(|it| it.num), Some(4));
    check_download(&net, 1280);
}

#[test]
fn td_coap_block_03_put() {
    let mut net = Net::new();
    let sent = pattern(1280);
    let reply = net.ask(with_body(Code::PUT, "large-update", sent.clone()));
    assert_eq!(reply.response.code, Code::CHANGED);
    let asked = net.up();
    let first = &asked[0].message;
    assert_eq!(first.options.block1(), Block::at(0, true, Szx::MAX));
    assert_eq!(first.options.uint(option::SIZE1), Some(1280));
    assert_eq!(
        asked[1].message.options.block1(),
        Block::at(1024, false, Szx::MAX)
    );
    assert!(!first.options.contains(option::REQUEST_TAG));
    assert_eq!(net.down()[0].message.code, Code::CONTINUE);
    assert_eq!(net.get("large-update").response.payload, sent);
}

#[test]
fn td_coap_block_03_the_server_shrinks() {
    let config = Config {
        serve_block: Szx::of_size(64).expect("a size"),
        ..Config::default()
    };
    let mut net = Net::with(Config::default(), config);
    let sent = pattern(1500);
    net.ask(with_body(Code::PUT, "large-update", sent.clone()));
    let second = net.up()[1].message.options.block1().expect("Block1");
    assert_eq!((second.num, second.szx.size()), (16, 64));
    assert_eq!(net.get("large-update").response.payload, sent);
}

#[test]
fn td_coap_block_04_post_creates() {
    let mut net = Net::new();
    let sent = pattern(3000);
    let reply = net.ask(with_body(Code::POST, "large-create", sent.clone()));
    assert_eq!(reply.response.code, Code::CREATED);
    let location = location_of(&reply.response.options).expect("a location");
    assert_eq!(location, "/large-create/1");
    assert_eq!(net.get(&location).response.payload, sent);
}

#[test]
fn td_coap_block_05_two_way() {
    let mut net = Net::new();
    let reply = net.ask(with_body(Code::POST, "large-post", "shout! ".repeat(400)));
    assert_eq!(body(&reply), "SHOUT! ".repeat(400));
    let up = net.up();
    let later: Vec<_> = up
        .iter()
        .filter(|it| !it.message.options.contains(option::BLOCK1))
        .collect();
    let tag = up[0].message.options.first(option::REQUEST_TAG);
    for packet in &later {
        assert_eq!(packet.message.code, Code::POST);
        assert!(packet.message.payload.is_empty());
        assert!(
            packet
                .message
                .options
                .block2()
                .is_some_and(|it| it.num >= 1)
        );
        assert_eq!(packet.message.options.first(option::REQUEST_TAG), tag);
    }
    assert_eq!(later.len(), 2);
}

#[test]
fn a_large_separate_response_comes_whole() {
    assert_eq!(
        Net::new().get("large-separate").response.payload.len(),
        1280
    );
}

#[test]
fn numbers_of_twenty_bits_go_both_ways() {
    let length = 5000 * 16 + 3;
    let mut net = keeping(length);
    let reply = net.ask(sized(get("kept"), 16, true));
    assert_eq!(
        (reply.response.payload, reply.blocks),
        (pattern(length), 5001)
    );
    let sent = pattern(length + 1);
    net.ask(sized(with_body(Code::PUT, "kept", sent.clone()), 16, false));
    assert_eq!(net.get("kept").response.payload, sent);
}

#[test]
fn a_body_over_the_limit_is_refused() {
    let limited = || Config {
        body_limit: 4096,
        ..Config::default()
    };
    let mut net = Net::with(limited(), Config::default());
    net.site
        .add("/kept", Kept(Response::content(42, pattern(5000))));
    let handle = net.begin(get("kept"));
    assert_eq!(net.end(handle), Err(Failure::TooLarge { limit: 4096 }));
    let mut net = Net::with(Config::default(), limited());
    let reply = net.ask(with_body(Code::PUT, "large-update", pattern(5000)));
    assert_eq!(reply.response.code, Code::REQUEST_ENTITY_TOO_LARGE);
    assert_eq!(reply.response.options.uint(option::SIZE1), Some(4096));
    assert_eq!(net.up().len(), 1, "Size1 of the first block says it");
}

#[test]
fn a_body_of_too_many_blocks_is_not_begun() {
    let mut net = Net::new();
    let asked = sized(
        with_body(Code::PUT, "test", vec![0; (1 << 20) * 16 + 1]),
        16,
        false,
    );
    assert!(net.client.request(net.now, asked).is_err());
    net.flush();
    assert!(net.sent.is_empty() && net.client.is_idle());
}

#[test]
fn a_download_goes_on_where_it_stopped() {
    let mut net = keeping(10_000);
    let etag = net.get("kept").response.options.etag().cloned();
    let resumed = |offset, etag| {
        let mut asked = get("kept");
        asked.resume = Some(Resume { offset, etag });
        asked
    };
    let reply = net.ask(resumed(5000, etag.clone()));
    assert_eq!((reply.offset, reply.blocks), (4096, 6));
    assert_eq!(reply.response.payload, pattern(10_000).slice(4096..));
    let other = net.ask(resumed(5000, Some(Bytes::from_static(b"other"))));
    assert_eq!((other.offset, other.response.payload), (0, pattern(10_000)));
    let complete = net.ask(resumed(10_240, etag));
    assert_eq!(complete.response.code, Code::BAD_OPTION);
}

#[test]
fn what_came_before_a_failure_is_handed_out() {
    let mut net = keeping(10_000);
    net.fate = Box::new(|packet| {
        if packet.nth > 3 {
            vec![]
        } else {
            vec![LATENCY]
        }
    });
    let handle = net.begin(get("kept"));
    net.end(handle).expect_err("the wire is cut");
    let partial = net.events.iter().find_map(|event| match event {
        Event::Failed { partial, .. } => partial.clone(),
        _ => None,
    });
    let partial = partial.expect("a part");
    assert_eq!(
        (partial.offset, partial.response.payload),
        (0, pattern(10_000).slice(..3072))
    );
}

#[test]
fn progress_is_told() {
    let mut net = keeping(4000);
    let handle = net.begin(get("kept"));
    net.end(handle).expect("a response");
    let first = Event::Progress {
        handle,
        sent: 0,
        received: 1024,
        total: Some(4000),
    };
    assert!(net.events.contains(&first));
}

#[test]
fn a_transfer_that_uses_up_the_message_ids_says_so() {
    let mut alone = alone::Alone::new();
    let mut request = get("x");
    request.confirmable = false;
    // Nothing is answered, so that a request is over as soon as it is sent.
    request.options.push_uint(option::NO_RESPONSE, 26);
    let again = |alone: &mut alone::Alone| {
        let events = std::iter::from_fn(|| alone.client.poll_event());
        events
            .filter(|it| matches!(it, Event::IdsAgain { .. }))
            .count()
    };
    let mut told = 0;
    for _ in 0..66_000 {
        alone
            .client
            .request(alone.now, request.clone())
            .expect("a request");
        alone.client.poll_transmit().expect("a message");
        told += again(&mut alone);
    }
    assert_eq!(told, 1);
}
