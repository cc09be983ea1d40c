//! The server's side of a handshake, from the ClientHello that has the cookie.

use std::sync::Arc;
use std::time::Instant;

use super::SERVER_WAIT;
use super::channel::{Channel, Message};
use super::keys::{self, Agreement, MASTER, Master, Randoms, VERIFY_DATA};
use super::session::{
    CERTIFICATE_UNKNOWN, DECRYPT_ERROR, Fault, HANDSHAKE_FAILURE, ILLEGAL_PARAMETER, Session, Side,
    UNEXPECTED_MESSAGE, UNSUPPORTED_CERTIFICATE, fault, malformed, no_randomness,
};
use super::wire::{self, ClientHello};
use crate::connect::rpk::{PublicKey, Rpk};
use crate::connect::same;

/// What a server knows of a client, and what it waits for.
pub(in crate::coap::secure) struct Server {
    rpk: Arc<Rpk>,
    state: State,
    randoms: Randoms,
    agreement: Option<Agreement>,
    extends: bool,
    client_key: Option<PublicKey>,
    master: Master,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Hello,
    Certificate,
    KeyExchange,
    Verify,
    Finished,
    Established,
}

/// A server's side of an association with a client that has the cookie.
pub(in crate::coap::secure) fn new(rpk: Arc<Rpk>) -> Session<Server> {
    let randoms = Randoms {
        client: [0; 32],
        server: [0; 32],
    };
    let side = Server {
        rpk,
        state: State::Hello,
        randoms,
        agreement: None,
        extends: false,
        client_key: None,
        master: [0; MASTER],
    };
    Session {
        channel: Channel::new(SERVER_WAIT, true),
        side,
    }
}

/// Whether a ClientHello offers what a server here needs; where the server has `certificates` too, the client's preference
/// counts.
pub(in crate::coap::secure) fn is_wanted(hello: &[u8], certificates: bool) -> bool {
    ClientHello::read(hello).is_some_and(|it| {
        let is_offered = it.takes_raw_keys() && it.has_our_suite();
        is_offered && (!certificates || it.prefers_raw_keys())
    })
}

impl Side for Server {
    fn take(
        &mut self,
        now: Instant,
        channel: &mut Channel,
        message: &Message,
    ) -> Result<(), Fault> {
        match (self.state, message.kind) {
            (State::Hello, wire::CLIENT_HELLO) => self.hello(now, channel, message),
            (State::Certificate, wire::CERTIFICATE) => self.certificate(channel, message),
            (State::KeyExchange, wire::CLIENT_KEY_EXCHANGE) => self.key_exchange(channel, message),
            (State::Verify, wire::CERTIFICATE_VERIFY) => self.verify(channel, message),
            (State::Finished, wire::FINISHED) => self.finished(channel, message),
            _ => Err(fault(
                UNEXPECTED_MESSAGE,
                "a handshake message is out of place",
            )),
        }
    }

    fn is_done(&self) -> bool {
        self.state == State::Established
    }
}

impl Server {
    fn hello(
        &mut self,
        now: Instant,
        channel: &mut Channel,
        message: &Message,
    ) -> Result<(), Fault> {
        let hello = ClientHello::read(message.body()).ok_or_else(malformed)?;
        let asks = self.rpk.peers.is_some();
        if !hello.takes_raw_keys() {
            let why = "the client does not offer raw public keys";
            return Err(fault(UNSUPPORTED_CERTIFICATE, why));
        }
        if asks && !hello.has_raw_key() {
            let why = "the client shows no raw public key";
            return Err(fault(UNSUPPORTED_CERTIFICATE, why));
        }
        if !hello.has_our_suite() {
            let why = "the client does not offer TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8 with P-256";
            return Err(fault(HANDSHAKE_FAILURE, why));
        }
        let Some(own) = self.rpk.own.clone() else {
            return Err(fault(HANDSHAKE_FAILURE, "the server has no raw public key"));
        };
        let random = keys::random().ok_or_else(no_randomness)?;
        let agreement = Agreement::new().ok_or_else(no_randomness)?;
        let parameters = wire::parameters(agreement.point());
        let signed = [&hello.random[..], &random, &parameters].concat();
        let signature = own.sign(&signed).ok_or_else(no_randomness)?;
        let exchange = [parameters, wire::signature(&signature)].concat();
        channel.accept(message);
        channel.begin();
        channel.say(
            wire::SERVER_HELLO,
            &wire::server_hello(&random, &hello, asks),
        );
        channel.say(wire::CERTIFICATE, &wire::certificate(&own.public().info()));
        channel.say(wire::SERVER_KEY_EXCHANGE, &exchange);
        if asks {
            channel.say(wire::CERTIFICATE_REQUEST, &wire::certificate_request());
        }
        channel.say(wire::SERVER_HELLO_DONE, &[]);
        channel.send(now);
        self.extends = hello.extends_master_secret();
        self.randoms = Randoms {
            client: hello.random,
            server: random,
        };
        self.agreement = Some(agreement);
        self.state = if asks {
            State::Certificate
        } else {
            State::KeyExchange
        };
        Ok(())
    }

    fn certificate(&mut self, channel: &mut Channel, message: &Message) -> Result<(), Fault> {
        let info = wire::read_certificate(message.body()).ok_or_else(malformed)?;
        if info.is_empty() {
            let why = "the client shows no raw public key";
            return Err(fault(HANDSHAKE_FAILURE, why));
        }
        let key = PublicKey::from_info(info).ok_or_else(|| {
            let why = "the client's public key is not a P-256 key";
            fault(UNSUPPORTED_CERTIFICATE, why)
        })?;
        if !self.rpk.accepts(&key) {
            let why = format!("the client's public key {key} is not allowed");
            return Err(fault(CERTIFICATE_UNKNOWN, &why));
        }
        self.client_key = Some(key);
        self.state = State::KeyExchange;
        channel.accept(message);
        Ok(())
    }

    fn key_exchange(&mut self, channel: &mut Channel, message: &Message) -> Result<(), Fault> {
        let point = wire::read_client_key_exchange(message.body()).ok_or_else(malformed)?;
        let agreed = self.agreement.take().and_then(|it| it.agree(point));
        let premaster = agreed.ok_or_else(|| {
            let why = "the client's key exchange is not a point of P-256";
            fault(ILLEGAL_PARAMETER, why)
        })?;
        channel.accept(message);
        let handshake = self.extends.then(|| channel.transcript());
        self.master = self.randoms.master(&premaster, handshake);
        channel.protect(self.randoms.keys(&self.master, false));
        self.state = match self.client_key {
            Some(_) => State::Verify,
            None => State::Finished,
        };
        Ok(())
    }

    fn verify(&mut self, channel: &mut Channel, message: &Message) -> Result<(), Fault> {
        let signature = wire::read_signature(message.body()).ok_or_else(malformed)?;
        let is_genuine = |key| keys::verifies(key, channel.transcript(), signature);
        if !self.client_key.as_ref().is_some_and(is_genuine) {
            let why = "the client's signature does not match its public key";
            return Err(fault(DECRYPT_ERROR, why));
        }
        channel.accept(message);
        self.state = State::Finished;
        Ok(())
    }

    fn finished(&mut self, channel: &mut Channel, message: &Message) -> Result<(), Fault> {
        let proof = |label, transcript: &[u8]| -> [u8; VERIFY_DATA] {
            keys::prf(&self.master, label, &[keys::hash(transcript).as_ref()])
        };
        if !same(
            message.body(),
            &proof("client finished", channel.transcript()),
        ) {
            let why = "the client has seen another handshake";
            return Err(fault(DECRYPT_ERROR, why));
        }
        channel.accept(message);
        channel.begin();
        channel.change_cipher();
        let ours = proof("server finished", channel.transcript());
        channel.say(wire::FINISHED, &ours);
        channel.send_once();
        // The client repeats its flight if this one is lost.
        channel.finish(true);
        self.state = State::Established;
        Ok(())
    }
}
