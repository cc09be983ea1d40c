//! The test vectors of RFC 8613 appendix C, and what must not pass.

use data_encoding::HEXLOWER;

use super::*;
use crate::coap::code::Code;
use crate::coap::message::{Message, Token, Type};
use crate::coap::option;

const SECRET: &str = "0102030405060708090a0b0c0d0e0f10";
const SALT: &str = "9e7ca92223786340";

fn bytes(hex: &str) -> Vec<u8> {
    HEXLOWER.decode(hex.as_bytes()).expect("hexadecimal")
}

fn message(hex: &str) -> Message {
    Message::decode(&bytes(hex)).expect("CoAP")
}

fn hex(message: &Message) -> String {
    HEXLOWER.encode(&message.encode().expect("encodes"))
}

fn context(
    salt: &str,
    sender: &str,
    recipient: &str,
    id_context: Option<&str>,
    sequence: u64,
) -> Context {
    let secrets = Secrets {
        master_secret: bytes(SECRET),
        master_salt: bytes(salt),
        sender_id: bytes(sender),
        recipient_id: bytes(recipient),
        id_context: id_context.map(bytes),
    };
    Context::derive(&secrets, sequence, 1 << 40).expect("a context")
}

/// Protects with the client's context, compares, and opens with the server's.
fn requests(
    mut client: Context,
    mut server: Context,
    plain: &str,
    protected: &str,
) -> (Binding, Binding) {
    let (sealed, sent) = client.protect_request(&message(plain)).expect("protected");
    assert_eq!(hex(&sealed), protected);
    let (opened, received) = server.open_request(&sealed).expect("opened");
    assert_eq!(opened, message(plain));
    assert_eq!(server.open_request(&sealed), Err(Fault::Replay));
    assert_eq!(sent, received);
    (sent, received)
}

#[test]
fn c_1_and_c_4() {
    requests(
        context(SALT, "", "01", None, 20),
        context(SALT, "01", "", None, 0),
        "44015d1f00003974396c6f63616c686f737483747631",
        "44025d1f00003974396c6f63616c686f7374620914ff612f1092f1776f1c1668b3825e",
    );
}

#[test]
fn c_2_and_c_5() {
    requests(
        context("", "00", "01", None, 20),
        context("", "01", "00", None, 0),
        "440171c30000b932396c6f63616c686f737483747631",
        "440271c30000b932396c6f63616c686f737463091400ff4ed339a5a379b0b8bc731fffb0",
    );
}

#[test]
fn c_3_and_c_6() {
    let id_context = Some("37cbf3210017a2d3");
    requests(
        context(SALT, "", "01", id_context, 20),
        context(SALT, "01", "", id_context, 0),
        "44012f8eef9bbf7a396c6f63616c686f737483747631",
        "44022f8eef9bbf7a396c6f63616c686f73746b19140837cbf3210017a2d3ff72cd7273fd331ac45cffbe55c3",
    );
}

#[test]
fn c_7_and_c_8() {
    let plain = message("64455d1f00003974ff48656c6c6f20576f726c6421");
    for (fresh, protected) in [
        (
            false,
            "64445d1f0000397490ffdbaad1e9a7e7b2a813d3c31524378303cdafae119106",
        ),
        (
            true,
            "64445d1f00003974920100ff4d4c13669384b67354b2b6175ff4b8658c666a6cf88e",
        ),
    ] {
        let mut client = context(SALT, "", "01", None, 20);
        let mut server = context(SALT, "01", "", None, 0);
        let request = message("44015d1f00003974396c6f63616c686f737483747631");
        let (sealed, sent) = client.protect_request(&request).expect("protected");
        let (_, received) = server.open_request(&sealed).expect("opened");
        let response = server
            .protect_response(&plain, &received, fresh)
            .expect("protected");
        assert_eq!(hex(&response), protected);
        assert_eq!(client.open_response(&response, &sent), Ok(plain.clone()));
    }
}

fn pair() -> (Context, Context) {
    (
        context(SALT, "", "01", None, 0),
        context(SALT, "01", "", None, 0),
    )
}

#[test]
fn paths_bodies_and_observe_go_inside() {
    let (mut client, mut server) = pair();
    let mut request = Message::new(Type::Con, Code::GET, 1, Token::EMPTY);
    request.options.push_text(option::URI_HOST, "h");
    request.options.push_text(option::URI_PATH, "secret");
    request.options.push_uint(option::OBSERVE, 0);
    let (sealed, sent) = client.protect_request(&request).expect("protected");
    assert_eq!(sealed.code, Code::FETCH);
    let outside: Vec<u16> = sealed.options.iter().map(|it| it.0).collect();
    assert_eq!(outside, [option::URI_HOST, option::OBSERVE, option::OSCORE]);
    let (opened, received) = server.open_request(&sealed).expect("opened");
    assert_eq!(opened, request);
    for sequence in 0..3 {
        let mut notification = Message::new(Type::Con, Code::CONTENT, 2, Token::EMPTY);
        notification.options.push_uint(option::OBSERVE, 99);
        let sealed = server
            .protect_response(&notification, &received, false)
            .expect("protected");
        assert_eq!(sealed.code, Code::CONTENT);
        let opened = client.open_response(&sealed, &sent).expect("opened");
        assert_eq!(
            opened.options.observe(),
            Some(sequence),
            "the partial IV orders"
        );
    }
}

#[test]
fn what_was_tampered_with_does_not_open() {
    let (mut client, mut server) = pair();
    let request = message("44015d1f00003974396c6f63616c686f737483747631");
    let (sealed, binding) = client.protect_request(&request).expect("protected");
    for at in 0..sealed.payload.len() {
        let mut payload = sealed.payload.to_vec();
        payload[at] ^= 1;
        let forged = Message {
            payload: payload.into(),
            ..sealed.clone()
        };
        assert_eq!(server.open_request(&forged), Err(Fault::Decryption));
    }
    assert!(
        server.open_request(&sealed).is_ok(),
        "forgeries use up no number"
    );
    assert_eq!(server.open_request(&request), Err(Fault::Unprotected));
    let mut other = context(SALT, "02", "03", None, 0);
    assert_eq!(other.open_request(&sealed), Err(Fault::Unknown));
    assert_eq!(
        client.open_response(&sealed, &binding),
        Err(Fault::Decryption)
    );
}

#[test]
fn no_number_is_used_that_was_not_allowed() {
    let request = message("44015d1f00003974396c6f63616c686f737483747631");
    let (mut client, _) = pair();
    client.allow_until(1);
    assert!(client.protect_request(&request).is_ok());
    assert_eq!(
        client.protect_request(&request).map(|_| ()),
        Err(Fault::Exhausted)
    );
    client.allow_until(2);
    assert!(client.protect_request(&request).is_ok());
    assert_eq!(client.sequence(), 2);
}

#[test]
fn secrets_are_checked_and_not_shown() {
    let mut secrets = Secrets {
        master_secret: vec![0x5E; 16],
        ..Secrets::default()
    };
    let derive = |secrets: &Secrets| Context::derive(secrets, 0, 1).map(|_| ());
    assert_eq!(derive(&secrets), Err(BadContext::SameId));
    secrets.sender_id = vec![1; 8];
    assert_eq!(derive(&secrets), Err(BadContext::LongId));
    secrets.sender_id = vec![1; 7];
    assert_eq!(derive(&secrets), Ok(()));
    assert!(!format!("{secrets:?}").contains("94"));
}

#[test]
fn malformed_options_do_not_panic() {
    let (_, mut server) = pair();
    for value in [
        &[][..],
        &[0],
        &[7],
        &[0x08],
        &[0x09],
        &[0x19, 1],
        &[0x19, 1, 9, 0],
        &[0x20],
        &[0x05, 1, 2],
        &[0x01, 1, 2],
    ] {
        let mut message = Message::new(Type::Con, Code::POST, 1, Token::EMPTY);
        message.options.push(option::OSCORE, value.to_vec());
        message.payload = vec![0; 9].into();
        assert!(server.open_request(&message).is_err(), "{value:x?}");
    }
}
