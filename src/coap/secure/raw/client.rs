//! The client's side of a handshake.

use std::sync::Arc;
use std::time::Instant;

use super::CLIENT_WAIT;
use super::channel::{Channel, Message};
use super::keys::{self, Agreement, MASTER, Master, Randoms, VERIFY_DATA};
use super::session::{
    CERTIFICATE_UNKNOWN, DECRYPT_ERROR, Fault, HANDSHAKE_FAILURE, ILLEGAL_PARAMETER, Session, Side,
    UNEXPECTED_MESSAGE, UNSUPPORTED_CERTIFICATE, fault, malformed, no_randomness,
};
use super::wire::{self, ServerHello};
use crate::coap::secure::Trouble;
use crate::connect::rpk::{PublicKey, RawKey, Rpk};
use crate::connect::same;

/// What a client knows, and what it waits for.
pub(super) struct Client {
    rpk: Arc<Rpk>,
    state: State,
    randoms: Randoms,
    has_cookie: bool,
    /// Whether the server knows the extended master secret, and would take a raw public key of ours.
    extends: bool,
    takes_raw_key: bool,
    /// Whether the server asks for our key.
    asks: bool,
    server_key: Option<PublicKey>,
    server_point: Vec<u8>,
    master: Master,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Hello,
    Certificate,
    KeyExchange,
    Request,
    Done,
    Finished,
    Established,
}

/// A client that has said its first ClientHello.
pub(super) fn begin(now: Instant, rpk: Arc<Rpk>) -> Result<Session<Client>, Trouble> {
    let client = keys::random().ok_or_else(|| no_randomness().why)?;
    let randoms = Randoms {
        client,
        server: [0; 32],
    };
    let mut channel = Channel::new(CLIENT_WAIT, false);
    channel.begin();
    let hello = wire::client_hello(&client, &[], rpk.own.is_some());
    channel.say(wire::CLIENT_HELLO, &hello);
    channel.send(now);
    let side = Client {
        rpk,
        state: State::Hello,
        randoms,
        has_cookie: false,
        extends: false,
        takes_raw_key: false,
        asks: false,
        server_key: None,
        server_point: Vec::new(),
        master: [0; MASTER],
    };
    Ok(Session { channel, side })
}

impl Side for Client {
    fn take(
        &mut self,
        now: Instant,
        channel: &mut Channel,
        message: &Message,
    ) -> Result<(), Fault> {
        match (self.state, message.kind) {
            (State::Hello, wire::HELLO_VERIFY_REQUEST) => self.verify(now, channel, message),
            (State::Hello, wire::SERVER_HELLO) => self.hello(channel, message),
            (State::Certificate, wire::CERTIFICATE) => self.certificate(channel, message),
            (State::KeyExchange, wire::SERVER_KEY_EXCHANGE) => self.key_exchange(channel, message),
            (State::Request, wire::CERTIFICATE_REQUEST) => self.request(channel, message),
            (State::Request | State::Done, wire::SERVER_HELLO_DONE) => {
                self.answer(now, channel, message)
            }
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

impl Client {
    /// Says the same again with the cookie; neither of the first two messages counts.
    fn verify(
        &mut self,
        now: Instant,
        channel: &mut Channel,
        message: &Message,
    ) -> Result<(), Fault> {
        let cookie = wire::cookie(message.body()).ok_or_else(malformed)?;
        if self.has_cookie {
            // GnuTLS asks for the cookie again where it would have to refuse.
            let words = String::from("the peer does not continue the handshake");
            return Err(Fault {
                alert: HANDSHAKE_FAILURE,
                why: Trouble::Alert(words),
            });
        }
        self.has_cookie = true;
        channel.accept(message);
        channel.forget_transcript();
        channel.begin();
        let has_key = self.rpk.own.is_some();
        let hello = wire::client_hello(&self.randoms.client, cookie, has_key);
        channel.say(wire::CLIENT_HELLO, &hello);
        channel.send(now);
        Ok(())
    }

    fn hello(&mut self, channel: &mut Channel, message: &Message) -> Result<(), Fault> {
        let hello = ServerHello::read(message.body()).ok_or_else(malformed)?;
        if hello.suite != wire::SUITE {
            return Err(fault(
                ILLEGAL_PARAMETER,
                "the server has chosen a cipher suite that was not offered",
            ));
        }
        let raw = Some(&[wire::RAW_PUBLIC_KEY][..]);
        let extensions = hello.extensions;
        if extensions.get(wire::SERVER_CERTIFICATE_TYPE) != raw {
            return Err(fault(
                UNSUPPORTED_CERTIFICATE,
                "the server does not support raw public keys",
            ));
        }
        if extensions
            .get(wire::RENEGOTIATION_INFO)
            .is_some_and(|it| it != [0])
        {
            return Err(fault(
                HANDSHAKE_FAILURE,
                "the server's hello contradicts ours",
            ));
        }
        self.extends = extensions.get(wire::EXTENDED_MASTER_SECRET).is_some();
        self.takes_raw_key = extensions.get(wire::CLIENT_CERTIFICATE_TYPE) == raw;
        self.randoms.server = hello.random;
        self.state = State::Certificate;
        channel.accept(message);
        Ok(())
    }

    fn certificate(&mut self, channel: &mut Channel, message: &Message) -> Result<(), Fault> {
        let info = wire::read_certificate(message.body()).ok_or_else(malformed)?;
        let key = PublicKey::from_info(info).ok_or_else(|| {
            let why = "the server's public key is not a P-256 key";
            fault(UNSUPPORTED_CERTIFICATE, why)
        })?;
        if !self.rpk.accepts(&key) {
            return Err(Fault {
                alert: CERTIFICATE_UNKNOWN,
                why: Trouble::Key(key.to_string()),
            });
        }
        self.server_key = Some(key);
        self.state = State::KeyExchange;
        channel.accept(message);
        Ok(())
    }

    fn key_exchange(&mut self, channel: &mut Channel, message: &Message) -> Result<(), Fault> {
        let read = wire::read_server_key_exchange(message.body());
        let (point, parameters, signature) = read.ok_or_else(malformed)?;
        let signed = [&self.randoms.client[..], &self.randoms.server, parameters].concat();
        let is_genuine = |key| keys::verifies(key, &signed, signature);
        if !self.server_key.as_ref().is_some_and(is_genuine) {
            let why = "the server's signature does not match its public key";
            return Err(fault(DECRYPT_ERROR, why));
        }
        self.server_point = point.to_vec();
        self.state = State::Request;
        channel.accept(message);
        Ok(())
    }

    fn request(&mut self, channel: &mut Channel, message: &Message) -> Result<(), Fault> {
        let fits = wire::is_for_our_key(message.body()).ok_or_else(malformed)?;
        self.takes_raw_key &= fits;
        self.asks = true;
        self.state = State::Done;
        channel.accept(message);
        Ok(())
    }

    /// The key that is shown: only where the server asks for it and would take it.
    fn shown(&self) -> Option<&RawKey> {
        let own = self.rpk.own.as_ref();
        own.filter(|_| self.asks && self.takes_raw_key)
    }

    fn answer(
        &mut self,
        now: Instant,
        channel: &mut Channel,
        message: &Message,
    ) -> Result<(), Fault> {
        if !message.body().is_empty() {
            return Err(malformed());
        }
        let agreement = Agreement::new().ok_or_else(no_randomness)?;
        let mut exchange = Vec::new();
        wire::put(&mut exchange, 1, agreement.point());
        let premaster = agreement.agree(&self.server_point).ok_or_else(|| {
            let why = "the server's key exchange is not a point of P-256";
            fault(ILLEGAL_PARAMETER, why)
        })?;
        channel.accept(message);
        channel.begin();
        let shown = self.shown().cloned();
        if self.asks {
            let info = shown.as_ref().map(|it| it.public().info());
            let certificate = wire::certificate(&info.unwrap_or_default());
            channel.say(wire::CERTIFICATE, &certificate);
        }
        channel.say(wire::CLIENT_KEY_EXCHANGE, &exchange);
        let handshake = self.extends.then(|| channel.transcript());
        self.master = self.randoms.master(&premaster, handshake);
        if let Some(key) = shown {
            let signature = key.sign(channel.transcript()).ok_or_else(no_randomness)?;
            channel.say(wire::CERTIFICATE_VERIFY, &wire::signature(&signature));
        }
        channel.protect(self.randoms.keys(&self.master, true));
        channel.change_cipher();
        let hash = keys::hash(channel.transcript());
        let proof: [u8; VERIFY_DATA] = keys::prf(&self.master, "client finished", &[hash.as_ref()]);
        channel.say(wire::FINISHED, &proof);
        channel.send(now);
        self.state = State::Finished;
        Ok(())
    }

    fn finished(&mut self, channel: &mut Channel, message: &Message) -> Result<(), Fault> {
        let hash = keys::hash(channel.transcript());
        let proof: [u8; VERIFY_DATA] = keys::prf(&self.master, "server finished", &[hash.as_ref()]);
        if !same(message.body(), &proof) {
            let why = "the server has seen another handshake";
            return Err(fault(DECRYPT_ERROR, why));
        }
        channel.accept(message);
        channel.finish(false);
        self.state = State::Established;
        Ok(())
    }
}
