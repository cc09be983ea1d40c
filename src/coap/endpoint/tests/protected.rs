//! Requests, blocks and observations under OSCORE.

use super::*;
use crate::coap::endpoint::Cancel;
use crate::coap::message::Token;
use crate::coap::option;
use crate::coap::oscore::{Context, Fault, Secrets};

fn context(secret: u8, sender: u8, recipient: u8) -> Context {
    let secrets = Secrets {
        master_secret: vec![secret; 16],
        sender_id: vec![sender],
        recipient_id: vec![recipient],
        ..Secrets::default()
    };
    Context::derive(&secrets, 0, 1 << 20).expect("a context")
}

fn protected(client_secret: u8) -> Net {
    let mut net = Net::new();
    net.client
        .protect(server_address(), context(client_secret, 1, 2));
    net.server.serve_protected(context(7, 2, 1));
    net
}

#[test]
fn nothing_but_the_outside_is_seen_on_the_wire() {
    let mut net = protected(7);
    assert_eq!(net.get("test").response.code, Code::CONTENT);
    assert_eq!(net.get("separate").response.code, Code::CONTENT);
    for packet in net.sent.iter().filter(|it| it.message.code != Code::EMPTY) {
        let numbers: Vec<u16> = packet.message.options.iter().map(|it| it.0).collect();
        assert_eq!(numbers, [option::OSCORE]);
        assert!([Code::POST, Code::CHANGED].contains(&packet.message.code));
    }
}

#[test]
fn blocks_go_both_ways() {
    let mut net = protected(7);
    let sent = pattern(5000);
    let put = net.ask(with_body(Code::PUT, "large-update", sent.clone()));
    assert_eq!(put.response.code, Code::CHANGED);
    let reply = net.get("large-update");
    assert_eq!((reply.response.payload, reply.blocks), (sent, 5));
}

#[test]
fn observations_are_notified_and_ended() {
    let mut net = protected(7);
    let handle = net.begin(observe("obs-large"));
    net.run_for(seconds(11.0));
    assert_eq!(net.notified().len(), 3);
    net.client.cancel(net.now, handle, Cancel::Deregister);
    net.run_for(seconds(1.0));
    assert!(net.events.contains(&Event::Finished { handle }));
    let sent = net.sent.len();
    net.run_for(seconds(20.0));
    assert_eq!(net.sent.len(), sent);
}

#[test]
fn retransmissions_are_the_same_message_and_no_replay() {
    let mut net = protected(7);
    net.fate = Box::new(|packet| match packet.nth {
        1 => vec![],
        _ => vec![LATENCY],
    });
    assert_eq!(net.get("test").response.code, Code::CONTENT);
    assert_eq!(net.up()[0].bytes, net.up()[1].bytes);
}

#[test]
fn wrong_keys_are_refused_and_named() {
    let refused = |client: Context| {
        let mut net = Net::new();
        net.client.protect(server_address(), client);
        net.server.serve_protected(context(7, 2, 1));
        let reply = net.get("test");
        assert!(reply.bare);
        (reply.response.code, body(&reply))
    };
    let wrong = (Code::BAD_REQUEST, "Decryption failed".into());
    assert_eq!(refused(context(8, 1, 2)), wrong);
    let unknown = (Code::UNAUTHORIZED, "Security context not found".into());
    assert_eq!(refused(context(7, 3, 2)), unknown);
}

#[test]
fn a_success_without_protection_is_no_success() {
    let mut alone = alone::Alone::new();
    alone.client.protect(server_address(), context(7, 1, 2));
    let asked = alone.asked(get("x"));
    alone.deliver(&Message::new(
        Type::Ack,
        Code::CONTENT,
        asked.mid,
        asked.token,
    ));
    let failure = Failure::Protection(Fault::Unprotected);
    assert_eq!(alone.outcome(), Some(Err(failure)));
}

#[test]
fn a_protected_body_is_not_had_without_protection() {
    let mut net = protected(7);
    net.ask(with_body(Code::PUT, "large-update", pattern(5000)));
    net.get("large-update");
    let mut plain = Message::new(Type::Con, Code::GET, 9, Token::EMPTY);
    plain.options.push_text(option::URI_PATH, "large-update");
    plain.options.push_uint(option::BLOCK2, 0x16);
    let bytes = plain.encode().expect("encodes");
    net.server
        .handle_datagram(net.now, client_address(), &bytes);
    let event = net.server.poll_event();
    assert!(matches!(event, Some(Event::Incoming(it)) if !it.protected));
}

/// A server that does not know which requests it has seen before it was started.
fn restarted() -> Net {
    let mut net = Net::new();
    net.client.protect(server_address(), context(7, 1, 2));
    let mut serving = context(7, 2, 1);
    serving.distrust(Bytes::from_static(b"challenge"));
    net.server.serve_protected(serving);
    net
}

#[test]
fn a_restarted_server_challenges_once() {
    let mut net = restarted();
    assert_eq!(net.get("test").response.code, Code::CONTENT);
    assert_eq!((net.up().len(), net.down().len()), (2, 2));
    assert_eq!(net.get("test").response.code, Code::CONTENT);
    assert_eq!((net.up().len(), net.down().len()), (3, 3));
}

#[test]
fn a_request_of_before_the_challenge_is_a_replay_after_it() {
    let mut net = restarted();
    net.get("test");
    let mut replayed = net.up()[0].message.clone();
    replayed.mid = replayed.mid.wrapping_add(1000);
    let bytes = replayed.encode().expect("encodes");
    let before = net.down().len();
    net.server
        .handle_datagram(net.now, client_address(), &bytes);
    net.run_for(seconds(1.0));
    let answer = net.down()[before];
    assert_eq!(answer.message.payload, "Replay detected");
}

#[test]
fn an_old_notification_is_never_new_again() {
    let mut net = protected(7);
    net.begin(observe("obs"));
    net.run_for(seconds(60.0));
    let shown = net.notified().len();
    let old = net
        .down()
        .into_iter()
        .find(|it| it.message.kind == Type::Con);
    let mut replayed = old.expect("a notification").message.clone();
    // Beyond the 128 s after which time alone would make it fresh.
    net.now += seconds(200.0);
    replayed.mid = replayed.mid.wrapping_add(1000);
    let bytes = replayed.encode().expect("encodes");
    net.client
        .handle_datagram(net.now, server_address(), &bytes);
    net.flush();
    assert_eq!(net.notified().len(), shown);
}

#[test]
fn an_error_without_protection_does_not_end_an_observation() {
    let mut net = protected(7);
    net.begin(observe("obs"));
    net.run_for(seconds(6.0));
    let old = net
        .down()
        .into_iter()
        .find(|it| it.message.kind == Type::Con);
    let token = old.expect("a notification").message.token;
    let forged = Message::new(Type::Non, Code::NOT_FOUND, 4711, token);
    let bytes = forged.encode().expect("encodes");
    net.client
        .handle_datagram(net.now, server_address(), &bytes);
    let shown = net.notified().len();
    net.run_for(seconds(10.0));
    assert_eq!(net.notified().len(), shown + 2);
}

#[test]
fn what_cannot_be_opened_does_not_end_an_observation() {
    let mut net = protected(7);
    net.begin(observe("obs"));
    net.run_for(seconds(6.0));
    let shown = net.notified().len();
    let old = net
        .down()
        .into_iter()
        .find(|it| it.message.kind == Type::Con);
    let mut broken = old.expect("a notification").message.clone();
    broken.mid = broken.mid.wrapping_add(1000);
    broken.payload = vec![0; broken.payload.len()].into();
    let bytes = broken.encode().expect("encodes");
    net.client
        .handle_datagram(net.now, server_address(), &bytes);
    net.flush();
    // A reset, which the server would take for the end of the observation, is no answer to it (RFC 8613 §8.4.2).
    let answer = net.up().last().map(|it| (it.message.kind, it.message.mid));
    assert_eq!(answer, Some((Type::Ack, broken.mid)));
    net.run_for(seconds(10.0));
    assert_eq!(net.notified().len(), shown + 2);
}
