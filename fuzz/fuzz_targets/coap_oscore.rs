//! Arbitrary messages to both ends of an OSCORE context: no panic, what one end protects the other opens, and what was
//! changed on the way is opened by nobody.
//!
//! The first byte says what is changed. Run with `cargo +nightly fuzz run coap_oscore`.
#![no_main]

use iotctl::coap::message::Message;
use iotctl::coap::oscore::{Context, Secrets};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((&change, datagram)) = data.split_first() else {
        return;
    };
    let Ok(message) = Message::decode(datagram) else {
        return;
    };
    let (mut client, mut server) = (context(1, 2), context(2, 1));
    let _ = server.open_request(&message);
    if message.code.is_request() {
        requested(&mut client, &mut server, &message, change);
    }
    if message.code.is_response() {
        answered(&mut client, &mut server, &message);
    }
});

fn context(sender: u8, recipient: u8) -> Context {
    let secrets = Secrets {
        master_secret: vec![7; 16],
        master_salt: vec![3; 8],
        sender_id: vec![sender],
        recipient_id: vec![recipient],
        id_context: None,
    };
    Context::derive(&secrets, 0, 1 << 20).expect("a context")
}

fn requested(client: &mut Context, server: &mut Context, message: &Message, change: u8) {
    let Ok((sealed, binding)) = client.protect_request(message) else {
        return;
    };
    let _ = client.open_response(message, &binding);
    if change > 0 {
        let mut changed = sealed.clone();
        let mut bytes = changed.payload.to_vec();
        let at = usize::from(change) % bytes.len();
        bytes[at] ^= change;
        changed.payload = bytes.into();
        assert!(server.open_request(&changed).is_err());
    }
    let written = sealed.encode().expect("what is protected can be written");
    let arrived = Message::decode(&written).expect("what is protected is CoAP");
    let (opened, _) = server.open_request(&arrived).expect("it opens");
    assert_eq!((opened.code, &opened.payload), (message.code, &message.payload));
    assert!(server.open_request(&arrived).is_err(), "a replay");
}

fn answered(client: &mut Context, server: &mut Context, response: &Message) {
    let asked = Message::decode(&[0x41, 1, 0, 1, 9]).expect("a request");
    let (sealed, binding) = client.protect_request(&asked).expect("it is protected");
    let _ = client.open_response(response, &binding);
    let (_, at_server) = server.open_request(&sealed).expect("it opens");
    if let Ok(sealed) = server.protect_response(response, &at_server, false) {
        let opened = client.open_response(&sealed, &binding).expect("it opens");
        assert_eq!((opened.code, &opened.payload), (response.code, &response.payload));
    }
}
