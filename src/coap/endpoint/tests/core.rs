//! TD_COAP_CORE_01 to 31: one message each way.

use super::*;
use crate::coap::message::Token;
use crate::coap::option;
use crate::coap::uri::{Uri, location_of};

/// Version 1, a token that is echoed, options ascending, no Uri-Host for an address.
fn check(net: &Net, kind: Type, code: Code) {
    let first = net.up()[0];
    assert_eq!((first.message.kind, first.message.code), (kind, code));
    assert_eq!(first.bytes[0] >> 6, 1);
    assert!(first.message.options.iter().is_sorted_by_key(|it| it.0));
    assert!(!first.message.options.contains(option::URI_HOST));
    let answer = net
        .down()
        .into_iter()
        .find(|it| it.message.code != Code::EMPTY);
    assert_eq!(
        answer.expect("an answer").message.token,
        first.message.token
    );
}

fn exchanged(kind: Type, asked: Request) -> (Net, Reply) {
    let mut net = Net::new();
    let code = asked.method;
    let asked = if kind == Type::Non { non(asked) } else { asked };
    let reply = net.ask(asked);
    net.run_for(seconds(10.0));
    check(&net, kind, code);
    assert_eq!(
        (net.up().len(), net.down().len()),
        (1, 1),
        "one message each way"
    );
    (net, reply)
}

#[test]
fn td_coap_core_01_05_get() {
    for kind in [Type::Con, Type::Non] {
        let (net, reply) = exchanged(kind, get("test"));
        assert_eq!(reply.response.code, Code::CONTENT);
        assert!(body(&reply).contains("Code: 0.01") && reply.response.payload.len() <= 64);
        assert_eq!(reply.response.options.max_age(), 30);
        assert_eq!(
            net.up()[0].message.options.texts(option::URI_PATH),
            ["test"]
        );
        let expected = if kind == Type::Con {
            Type::Ack
        } else {
            Type::Non
        };
        assert_eq!(net.down()[0].message.kind, expected);
    }
}

#[test]
fn td_coap_core_02_06_delete() {
    for kind in [Type::Con, Type::Non] {
        let (net, reply) = exchanged(kind, request(Code::DELETE, "test"));
        assert_eq!(reply.response.code, Code::DELETED);
        assert!(net.up()[0].message.payload.is_empty());
    }
}

#[test]
fn td_coap_core_03_07_put() {
    for kind in [Type::Con, Type::Non] {
        let (net, reply) = exchanged(kind, with_body(Code::PUT, "test", "x"));
        assert_eq!(reply.response.code, Code::CHANGED);
        assert_eq!(net.up()[0].message.options.content_format(), Some(0));
        assert_eq!(net.up()[0].message.payload, "x");
    }
}

#[test]
fn td_coap_core_04_08_18_post_and_location_path() {
    for kind in [Type::Con, Type::Non] {
        let (_, reply) = exchanged(kind, with_body(Code::POST, "test", "x"));
        assert_eq!(reply.response.code, Code::CREATED);
        let location = location_of(&reply.response.options);
        assert_eq!(location.as_deref(), Some("/location1/location2/location3"));
    }
}

#[test]
fn td_coap_core_09_11_separate() {
    let mut net = Net::new();
    let reply = net.get("separate");
    net.run_for(seconds(10.0));
    check(&net, Type::Con, Code::GET);
    assert_eq!(reply.response.code, Code::CONTENT);
    assert!(is_empty(net.down()[0], Type::Ack));
    let response = net.down()[1].message.clone();
    assert_eq!(response.kind, Type::Con);
    assert_ne!(response.mid, net.up()[0].message.mid);
    assert_eq!(
        net.up().len(),
        2,
        "no retransmission after the acknowledgement"
    );
    assert!(is_empty(net.up()[1], Type::Ack));
    assert_eq!(net.up()[1].message.mid, response.mid);
    assert!(
        net.events
            .iter()
            .any(|it| matches!(it, Event::Acknowledged { .. }))
    );
}

#[test]
fn td_coap_core_09_the_response_overtakes_the_acknowledgement() {
    let mut net = Net::new();
    net.fate = Box::new(|packet| match !packet.up && packet.nth == 1 {
        true => vec![seconds(1.2)],
        false => vec![LATENCY],
    });
    assert_eq!(net.get("separate").response.code, Code::CONTENT);
    net.run_for(seconds(30.0));
    assert_eq!(net.up().len(), 2);
}

#[test]
fn td_coap_core_10_12_tokens_of_any_length() {
    for length in 0..=8 {
        let mut net = Net::new();
        let token = Token::new(&vec![7; length]).expect("a token");
        let mut asked = get("test");
        asked.token = Some(token);
        assert_eq!(net.ask(asked).token, token);
        assert_eq!(usize::from(net.up()[0].bytes[0] & 15), length);
    }
}

#[test]
fn tokens_are_as_long_as_asked_and_never_the_same() {
    let mut net = Net::with(
        Config {
            token_length: 4,
            ..Config::default()
        },
        Config::default(),
    );
    let tokens: Vec<Token> = (0..50).map(|_| net.get("test").token).collect();
    assert!(tokens.iter().all(|it| it.bytes().len() == 4));
    assert!((1..50).all(|at| !tokens[..at].contains(&tokens[at])));
}

#[test]
fn td_coap_core_13_14_segments_and_arguments() {
    let uri = |text| Uri::parse(text).expect("a URI");
    let mut net = Net::new();
    let mut asked = Request::new(server_address(), Code::GET);
    uri("coap://192.0.2.1/seg1/seg2/seg3").add_to(&mut asked.options);
    assert_eq!(net.ask(asked).response.code, Code::CONTENT);
    assert_eq!(
        net.up()[0].message.options.texts(option::URI_PATH),
        ["seg1", "seg2", "seg3"]
    );
    let mut asked = Request::new(server_address(), Code::GET);
    uri("coap://192.0.2.1/query?first=1&second=2&third=3").add_to(&mut asked.options);
    assert_eq!(body(&net.ask(asked)), "?first=1&second=2&third=3");
    let arguments = net.up()[1].message.options.texts(option::URI_QUERY);
    assert_eq!(arguments, ["first=1", "second=2", "third=3"]);
}

#[test]
fn td_coap_core_15_lossy_piggybacked() {
    for mut net in [Net::losing(&[1], &[]), Net::losing(&[], &[1])] {
        let reply = net.get("test");
        net.run_for(seconds(60.0));
        assert_eq!(reply.retransmitted, 1);
        let [first, again] = net.up()[..] else {
            panic!("two transmissions");
        };
        assert_eq!(first.bytes, again.bytes);
        let wait = again.at - first.at;
        assert!((seconds(2.0)..=seconds(3.0)).contains(&wait), "{wait:?}");
        let replies = net
            .events
            .iter()
            .filter(|it| matches!(it, Event::Reply { .. }));
        assert_eq!(replies.count(), 1);
    }
}

#[test]
fn a_duplicate_request_gets_the_stored_answer_and_is_done_once() {
    let mut net = Net::losing(&[], &[1]);
    let reply = net.ask(with_body(Code::POST, "large-create", "x"));
    assert_eq!(
        location_of(&reply.response.options).as_deref(),
        Some("/large-create/1")
    );
    assert_eq!(net.down()[0].bytes, net.down()[1].bytes);
}

#[test]
fn td_coap_core_16_lossy_separate() {
    // The request, its acknowledgement, the response, the acknowledgement of the response.
    for mut net in [
        Net::losing(&[1], &[]),
        Net::losing(&[], &[1]),
        Net::losing(&[], &[2]),
        Net::losing(&[2], &[]),
    ] {
        assert_eq!(net.get("separate").response.code, Code::CONTENT);
        net.run_for(seconds(100.0));
        let replies = net
            .events
            .iter()
            .filter(|it| matches!(it, Event::Reply { .. }));
        assert_eq!(replies.count(), 1);
        let responses = net
            .down()
            .into_iter()
            .filter(|it| it.message.kind == Type::Con)
            .count();
        let acknowledged = net
            .up()
            .into_iter()
            .filter(|it| is_empty(it, Type::Ack))
            .count();
        assert!(responses <= 2 && acknowledged >= 1);
        assert!(net.in_flight.is_empty());
    }
}

#[test]
fn td_coap_core_17_separate_non() {
    let mut net = Net::new();
    assert_eq!(net.ask(non(get("separate"))).kind, Type::Non);
    net.run_for(seconds(10.0));
    assert_eq!((net.up().len(), net.down().len()), (1, 1));
}

#[test]
fn td_coap_core_19_location_query() {
    let reply = Net::new().ask(with_body(Code::POST, "location-query", "x"));
    let location = location_of(&reply.response.options);
    assert_eq!(location.as_deref(), Some("?first=1&second=2"));
}

#[test]
fn td_coap_core_20_accept() {
    let mut net = Net::new();
    for (format, encoded) in [(0, &[][..]), (41, &[41]), (50, &[50]), (60, &[60])] {
        let mut asked = get("multi-format");
        asked.options.push_uint(option::ACCEPT, format);
        let reply = net.ask(asked);
        assert_eq!(reply.response.options.content_format(), Some(format as u16));
        let sent = net.up().last().expect("sent").message.options.clone();
        assert_eq!(sent.first(option::ACCEPT).expect("Accept"), encoded);
    }
    let mut asked = get("multi-format");
    asked.options.push_uint(option::ACCEPT, 47);
    assert_eq!(net.ask(asked).response.code, Code::NOT_ACCEPTABLE);
}

#[test]
fn td_coap_core_21_validation() {
    let mut net = Net::new();
    let etag = net
        .get("validate")
        .response
        .options
        .etag()
        .cloned()
        .expect("an ETag");
    let validate = || {
        let mut asked = get("validate");
        asked.options.push(option::ETAG, etag.clone());
        asked
    };
    let valid = net.ask(validate()).response;
    assert_eq!((valid.code, valid.payload.len()), (Code::VALID, 0));
    let changed = net.ask(validate()).response;
    assert_eq!(changed.code, Code::CONTENT);
    assert_ne!(changed.options.etag(), Some(&etag));
}

#[test]
fn td_coap_core_22_if_match() {
    let mut net = Net::new();
    let etag = net
        .get("validate")
        .response
        .options
        .etag()
        .cloned()
        .expect("an ETag");
    let mut put = || {
        let mut asked = with_body(Code::PUT, "validate", "new");
        asked.options.push(option::IF_MATCH, etag.clone());
        net.ask(asked).response.code
    };
    assert_eq!((put(), put()), (Code::CHANGED, Code::PRECONDITION_FAILED));
}

#[test]
fn td_coap_core_23_if_none_match() {
    let mut net = Net::new();
    let mut put = || {
        let mut asked = with_body(Code::PUT, "create1", "new");
        asked.options.push(option::IF_NONE_MATCH, Bytes::new());
        net.ask(asked).response.code
    };
    assert_eq!((put(), put()), (Code::CREATED, Code::PRECONDITION_FAILED));
}

#[test]
fn td_coap_core_31_ping() {
    let mut net = Net::new();
    let handle = net.client.ping(net.now, server_address(), seconds(5.0));
    net.run_for(seconds(1.0));
    let [ping] = net.up()[..] else {
        panic!("one ping");
    };
    let [high, low] = ping.message.mid.to_be_bytes();
    assert_eq!(ping.bytes, &[0x40, 0, high, low][..]);
    let pong = Event::Pong {
        handle,
        elapsed: 2 * LATENCY,
        retransmitted: 0,
    };
    assert!(net.events.contains(&pong));
    assert!(net.client.is_idle());
}

#[test]
fn all_methods_arrive() {
    let mut net = Net::new();
    for (method, code) in [
        (Code::FETCH, Code::CONTENT),
        (Code::PATCH, Code::CHANGED),
        (Code::IPATCH, Code::CHANGED),
        (Code::new(0, 8), Code::METHOD_NOT_ALLOWED),
    ] {
        assert_eq!(net.ask(with_body(method, "test", "x")).response.code, code);
    }
    assert_eq!(net.get("nothing").response.code, Code::NOT_FOUND);
}

#[test]
fn no_more_than_nstart_requests_wait_at_once() {
    for nstart in [1, 3] {
        let mut net = Net::with(
            Config {
                nstart,
                ..Config::default()
            },
            Config::default(),
        );
        let handles: Vec<Handle> = (0..6).map(|_| net.begin(get("test"))).collect();
        net.flush();
        assert_eq!(net.up().len(), nstart);
        for handle in handles {
            net.end(handle).expect("a response");
        }
    }
}

#[test]
fn no_response_is_obeyed() {
    let asked = |value, confirmable: bool, path| {
        let mut net = Net::new();
        let mut asked = with_body(Code::PUT, path, "x");
        asked.confirmable = confirmable;
        asked.options.push_uint(option::NO_RESPONSE, value);
        let handle = net.begin(asked);
        net.run_for(seconds(20.0));
        assert!(net.client.is_idle());
        let finished = net.events.contains(&Event::Finished { handle });
        (
            finished,
            net.down()
                .into_iter()
                .filter(|it| it.message.code != Code::EMPTY)
                .count(),
        )
    };
    assert_eq!(asked(26, true, "test"), (true, 0));
    assert_eq!(asked(26, false, "test"), (true, 0));
    assert_eq!(asked(2, false, "test"), (true, 0));
    assert_eq!(asked(2, true, "test"), (true, 0));
    assert_eq!(asked(2, true, "nothing"), (false, 1));
    assert_eq!(asked(0, true, "test"), (false, 1));
}
