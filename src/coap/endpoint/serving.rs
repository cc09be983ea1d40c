//! What the serving side is asked, and by whom.

use bytes::Bytes;

use super::request::Peer;
use crate::coap::code::Code;
use crate::coap::message::{Token, Type};
use crate::coap::option::{self, Options};
use crate::coap::uri;

/// Names a request of a peer's until it is answered, and the observation that it may have begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Exchange(pub(super) u64);

impl Exchange {
    /// Its number, from [`super::Config::first_exchange`] on.
    pub const fn number(self) -> u64 {
        self.0
    }
}

/// A request of a peer's, with its whole body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incoming {
    /// Names it.
    pub exchange: Exchange,
    /// Who asks.
    pub peer: Peer,
    /// The method.
    pub method: Code,
    /// The options, those of block-wise transfer included.
    pub options: Options,
    /// The body.
    pub payload: Bytes,
    /// Con or Non.
    pub kind: Type,
    /// The message id.
    pub mid: u16,
    /// The token.
    pub token: Token,
    /// Whether it came to a group: errors are then not sent.
    pub multicast: bool,
    /// Whether it was protected by OSCORE.
    pub protected: bool,
}

impl Incoming {
    /// Whether the client takes a response of this format (Accept, RFC 7252 §5.10.4).
    pub fn accepts(&self, format: Option<u16>) -> bool {
        let wanted = self.options.uint(option::ACCEPT);
        wanted.is_none() || wanted == format.map(u64::from)
    }

    /// The path as text, percent-encoded: `/a/b`.
    pub fn path(&self) -> String {
        uri::path_of(&self.options)
    }

    /// The query's arguments.
    pub fn query(&self) -> Vec<String> {
        self.options.texts(option::URI_QUERY)
    }

    /// Whether it asks for notifications: GET or FETCH with Observe 0.
    pub fn registers(&self) -> bool {
        matches!(self.method, Code::GET | Code::FETCH) && self.options.observe() == Some(0)
    }
}
