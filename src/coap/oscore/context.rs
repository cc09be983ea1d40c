//! A security context (RFC 8613 §3), and what it does to messages (§8).

use std::fmt;

use bytes::Bytes;
use data_encoding::HEXLOWER;
use ring::digest;

use super::Fault;
use super::cose::{self, Key, LONGEST_ID, Nonce};
use super::inner::{self, Value};
use crate::coap::message::Message;
use crate::coap::option;

/// Sequence numbers have 40 bits.
const LAST_SEQUENCE: u64 = (1 << 40) - 1;

/// What two ends must agree on beforehand.
#[derive(Clone, Default)]
pub struct Secrets {
    /// The master secret.
    pub master_secret: Vec<u8>,
    /// The master salt; may be empty.
    pub master_salt: Vec<u8>,
    /// Our id, 0 to 7 bytes.
    pub sender_id: Vec<u8>,
    /// The peer's id, 0 to 7 bytes, not ours.
    pub recipient_id: Vec<u8>,
    /// Tells contexts of the same ids apart.
    pub id_context: Option<Vec<u8>>,
}

impl fmt::Debug for Secrets {
    /// Names nothing that is secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secrets")
            .field("sender_id", &self.sender_id)
            .field("recipient_id", &self.recipient_id)
            .finish_non_exhaustive()
    }
}

/// Why secrets make no context.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadContext {
    /// An id is longer than 7 bytes.
    #[error("an OSCORE ID has more than {LONGEST_ID} bytes")]
    LongId,
    /// Both ends have the same id, and with it the same keys.
    #[error("sender and recipient have the same OSCORE ID")]
    SameId,
    /// The id context is longer than 255 bytes, or the secret is empty.
    #[error("the OSCORE master secret is empty or the ID context is too long")]
    Secrets,
}

/// What ties a response to its request: its sender's id and partial IV.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    kid: Bytes,
    piv: Bytes,
}

/// The keys and counters of one end.
pub struct Context {
    sender_id: Bytes,
    recipient_id: Bytes,
    id_context: Option<Bytes>,
    sender_key: Key,
    recipient_key: Key,
    common_iv: Nonce,
    sequence: u64,
    limit: u64,
    window: Window,
    /// What a request must repeat, since it is not known which ones were seen.
    challenge: Option<Bytes>,
}

impl fmt::Debug for Context {
    /// Names nothing that is secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("sender_id", &self.sender_id)
            .field("recipient_id", &self.recipient_id)
            .field("sequence", &self.sequence)
            .finish_non_exhaustive()
    }
}

impl Context {
    /// Derives the keys (§3.2). The first message that is protected gets `sequence`; none at or above `limit`
    /// may be used before [`Context::allow_until`] says so.
    ///
    /// # Errors
    /// The secrets make no context.
    pub fn derive(secrets: &Secrets, sequence: u64, limit: u64) -> Result<Self, BadContext> {
        let ids = [&secrets.sender_id, &secrets.recipient_id];
        if ids.iter().any(|it| it.len() > LONGEST_ID) {
            return Err(BadContext::LongId);
        }
        if secrets.sender_id == secrets.recipient_id {
            return Err(BadContext::SameId);
        }
        let context = secrets.id_context.as_deref();
        if secrets.master_secret.is_empty() || context.is_some_and(|it| it.len() > 255) {
            return Err(BadContext::Secrets);
        }
        let master = (&secrets.master_secret[..], &secrets.master_salt[..]);
        let key = |id| cose::derive(master, id, context, "Key").ok_or(BadContext::Secrets);
        Ok(Self {
            sender_key: key(&secrets.sender_id)?,
            recipient_key: key(&secrets.recipient_id)?,
            common_iv: cose::derive(master, b"", context, "IV").ok_or(BadContext::Secrets)?,
            sender_id: secrets.sender_id.clone().into(),
            recipient_id: secrets.recipient_id.clone().into(),
            id_context: secrets.id_context.clone().map(Bytes::from),
            sequence,
            limit,
            window: Window::default(),
            challenge: None,
        })
    }

    /// A name for the sender's key, which says nothing about it: contexts of the same name would use the same numbers.
    pub fn name(&self) -> String {
        let mut digest = digest::Context::new(&digest::SHA256);
        digest.update(b"iotctl OSCORE");
        digest.update(&self.sender_key);
        digest.update(&self.common_iv);
        HEXLOWER.encode(&digest.finish().as_ref()[..16])
    }

    /// Forgets which requests were seen, as after a restart: none is fresh before one has repeated `echo`
    /// (Appendix B.1.2).
    pub fn distrust(&mut self, echo: Bytes) {
        self.challenge = Some(echo);
    }

    /// What a request must repeat before it is fresh; `None` when it is.
    pub(in crate::coap) fn challenge_of(
        &mut self,
        request: &Message,
        to: &Binding,
    ) -> Option<Bytes> {
        let challenge = self.challenge.as_ref()?;
        if request.options.first(option::ECHO) != Some(challenge) {
            return Some(challenge.clone());
        }
        self.challenge = None;
        self.window.begin(option::uint(&to.piv).unwrap_or(0));
        None
    }

    /// The next sequence number.
    pub const fn sequence(&self) -> u64 {
        self.sequence
    }

    /// Allows the sequence numbers below `limit`, which must have been stored where a later run finds it.
    pub const fn allow_until(&mut self, limit: u64) {
        self.limit = limit;
    }

    /// Protects a request (§8.1). The binding opens its responses.
    ///
    /// # Errors
    /// The sequence numbers are exhausted, or it cannot be written.
    pub fn protect_request(&mut self, request: &Message) -> Result<(Message, Binding), Fault> {
        let piv = self.next_piv()?;
        let kid = self.sender_id.clone();
        let nonce = cose::nonce(&self.common_iv, &kid, &piv);
        let text = inner::plaintext(request)?;
        let sealed = cose::seal(&self.sender_key, &nonce, (&kid, &piv), &text)?;
        let value = Value {
            piv: &piv,
            kid_context: self.id_context.as_deref(),
            kid: Some(&kid),
        };
        let message = inner::outer(request, value.write(), sealed);
        Ok((message, Binding { kid, piv }))
    }

    /// Opens a request (§8.2). The binding protects its responses.
    ///
    /// # Errors
    /// It is not for this context, a replay, or tampered with.
    pub fn open_request(&mut self, message: &Message) -> Result<(Message, Binding), Fault> {
        let value = option_of(message)?;
        let other_context =
            value.kid_context.is_some() && value.kid_context != self.id_context.as_deref();
        if value.kid != Some(&self.recipient_id[..]) || other_context {
            return Err(Fault::Unknown);
        }
        if value.piv.is_empty() {
            return Err(Fault::Option);
        }
        let sequence = option::uint(value.piv).ok_or(Fault::Option)?;
        if self.challenge.is_none() && !self.window.is_new(sequence) {
            return Err(Fault::Replay);
        }
        let (kid, piv) = (self.recipient_id.clone(), Bytes::copy_from_slice(value.piv));
        let nonce = cose::nonce(&self.common_iv, &kid, &piv);
        let text = cose::open(&self.recipient_key, &nonce, (&kid, &piv), &message.payload)?;
        // Only what decrypts counts as seen (§7.4).
        if self.challenge.is_none() {
            self.window.see(sequence);
        }
        let request = inner::reassemble(message, &text)?;
        Ok((request, Binding { kid, piv }))
    }

    /// Protects a response (§8.3). A notification gets a partial IV of its own; so must every response but the
    /// first one to a request, which `fresh` asks for.
    ///
    /// # Errors
    /// The sequence numbers are exhausted, or it cannot be written.
    pub fn protect_response(
        &mut self,
        response: &Message,
        to: &Binding,
        fresh: bool,
    ) -> Result<Message, Fault> {
        let text = inner::plaintext(response)?;
        let own = match fresh || response.options.contains(option::OBSERVE) {
            true => Some(self.next_piv()?),
            false => None,
        };
        let nonce = match &own {
            Some(piv) => cose::nonce(&self.common_iv, &self.sender_id, piv),
            None => cose::nonce(&self.common_iv, &to.kid, &to.piv),
        };
        let sealed = cose::seal(&self.sender_key, &nonce, (&to.kid, &to.piv), &text)?;
        let value = Value {
            piv: own.as_deref().unwrap_or_default(),
            ..Value::default()
        };
        Ok(inner::outer(response, value.write(), sealed))
    }

    /// Opens a response to our request (§8.4). The Observe value of a notification becomes the low 24 bits of
    /// its partial IV, which only its sender can have written.
    ///
    /// # Errors
    /// It is not protected, or was tampered with.
    pub fn open_response(&self, message: &Message, to: &Binding) -> Result<Message, Fault> {
        let value = option_of(message)?;
        let nonce = match value.piv {
            [] => cose::nonce(&self.common_iv, &to.kid, &to.piv),
            piv => cose::nonce(&self.common_iv, &self.recipient_id, piv),
        };
        let text = cose::open(
            &self.recipient_key,
            &nonce,
            (&to.kid, &to.piv),
            &message.payload,
        )?;
        let mut response = inner::reassemble(message, &text)?;
        if response.options.contains(option::OBSERVE) && !value.piv.is_empty() {
            let sequence = option::uint(value.piv).unwrap_or(0) & 0xFF_FFFF;
            response.options.set_uint(option::OBSERVE, sequence);
        }
        Ok(response)
    }

    fn next_piv(&mut self) -> Result<Bytes, Fault> {
        let sequence = self.sequence;
        if sequence >= self.limit || sequence > LAST_SEQUENCE {
            return Err(Fault::Exhausted);
        }
        self.sequence += 1;
        Ok(inner::piv(sequence))
    }
}

fn option_of(message: &Message) -> Result<Value<'_>, Fault> {
    let value = message.options.first(option::OSCORE);
    Value::read(value.ok_or(Fault::Unprotected)?)
}

/// The numbers that were seen lately (§7.4): the highest one and the 63 before it.
#[derive(Debug, Default)]
struct Window {
    /// One above the highest.
    end: u64,
    /// Bit n stands for `end - 1 - n`.
    seen: u64,
}

impl Window {
    /// Everything up to this number counts as seen.
    const fn begin(&mut self, sequence: u64) {
        (self.end, self.seen) = (sequence + 1, u64::MAX);
    }

    const fn is_new(&self, sequence: u64) -> bool {
        if sequence >= self.end {
            return true;
        }
        let age = self.end - 1 - sequence;
        age < 64 && self.seen & (1 << age) == 0
    }

    fn see(&mut self, sequence: u64) {
        if sequence >= self.end {
            let shift = u32::try_from(sequence + 1 - self.end).unwrap_or(u32::MAX);
            self.seen = self.seen.checked_shl(shift).unwrap_or(0);
            self.end = sequence + 1;
        }
        let age = self.end - 1 - sequence;
        if age < 64 {
            self.seen |= 1 << age;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_new_once_and_not_when_too_old() {
        let mut window = Window::default();
        for sequence in [0, 5, 3, 70, 69, 7] {
            assert!(window.is_new(sequence), "{sequence}");
            window.see(sequence);
            assert!(!window.is_new(sequence), "{sequence}");
        }
        assert!(
            !window.is_new(6) && !window.is_new(5),
            "older than the window"
        );
        assert!(window.is_new(8) && window.is_new(71));
        window.see(10_000);
        assert!(!window.is_new(70) && window.is_new(9_999));
    }
}
