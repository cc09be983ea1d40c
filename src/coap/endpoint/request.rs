//! What a client asks for, and what it gets.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use bytes::Bytes;

use crate::coap::block::Szx;
use crate::coap::code::Code;
use crate::coap::message::{Token, Type};
use crate::coap::option::{self, Options};

/// The other end: its address, and which of ours it speaks to where a socket has several. Two of ours are two
/// endpoints (RFC 7252 §4.4, §4.5). On reliable transports it names the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Peer {
    address: SocketAddr,
    local: Option<IpAddr>,
}

impl Peer {
    /// The same peer, where it asked this address of ours.
    #[must_use]
    pub const fn asking(self, local: Option<IpAddr>) -> Self {
        let address = self.address;
        Self { address, local }
    }

    /// Its address.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The address of ours that it asked; `None` where the socket has one only.
    pub const fn local(&self) -> Option<IpAddr> {
        self.local
    }
}

impl<T: Into<SocketAddr>> From<T> for Peer {
    fn from(address: T) -> Self {
        Self {
            address: address.into(),
            local: None,
        }
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.address.fmt(f)
    }
}

/// Names a request of ours until it has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Handle(pub(super) u64);

/// A request to be sent.
#[derive(Clone, Debug)]
pub struct Request {
    /// Who is asked; a multicast address together with [`Request::group`].
    pub peer: Peer,
    /// The method.
    pub method: Code,
    /// The options. Those of block-wise transfer, Observe and Request-Tag are the endpoint's business.
    pub options: Options,
    /// The body, of any size.
    pub payload: Bytes,
    /// Con, or Non.
    pub confirmable: bool,
    /// A token of the caller's choice for every message of this request; random ones otherwise.
    pub token: Option<Token>,
    /// The wait for the whole answer. Every block that brings a transfer forward starts it anew.
    /// `None`: as long as the RFC has it.
    pub deadline: Option<Duration>,
    /// Whether notifications are asked for (RFC 7641).
    pub observe: bool,
    /// Whether an observation is registered again when no notification came within Max-Age.
    pub reregister: bool,
    /// For a multicast request: how long answers are collected.
    pub group: Option<Duration>,
    /// The largest block, 1024 bytes where not said.
    pub block: Option<Szx>,
    /// Whether the first request already asks for this block size (early negotiation).
    pub early: bool,
    /// Where an interrupted download goes on.
    pub resume: Option<Resume>,
}

/// Where an interrupted download goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resume {
    /// Bytes that are already there; rounded down to a whole block.
    pub offset: usize,
    /// The ETag of what is there. If the resource has another one, the download begins anew.
    pub etag: Option<Bytes>,
}

impl Request {
    /// A confirmable request with a deadline of 30 s.
    pub const fn new(peer: Peer, method: Code) -> Self {
        Self {
            peer,
            method,
            options: Options::new(),
            payload: Bytes::new(),
            confirmable: true,
            token: None,
            deadline: Some(Duration::from_secs(30)),
            observe: false,
            reregister: true,
            group: None,
            block: None,
            early: false,
            resume: None,
        }
    }

    /// The same request for a path without escapes: `a/b`.
    #[must_use]
    pub fn path(mut self, path: &str) -> Self {
        for segment in path.split('/').filter(|it| !it.is_empty()) {
            self.options.push_text(option::URI_PATH, segment);
        }
        self
    }

    /// Which response classes No-Response (RFC 7967) asks to be left out.
    pub(super) fn suppressed(&self) -> u64 {
        self.options.uint(option::NO_RESPONSE).unwrap_or(0) & 26
    }
}

/// A response: what a server gives and a client gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// 2.xx, 4.xx or 5.xx.
    pub code: Code,
    /// The options, without those of block-wise transfer where the body is whole.
    pub options: Options,
    /// The body.
    pub payload: Bytes,
}

impl Response {
    /// A response with neither options nor body.
    pub const fn new(code: Code) -> Self {
        Self {
            code,
            options: Options::new(),
            payload: Bytes::new(),
        }
    }

    /// 2.05 with a body of this content format.
    pub fn content(format: u16, payload: impl Into<Bytes>) -> Self {
        let mut response = Self::new(Code::CONTENT);
        response
            .options
            .push_uint(option::CONTENT_FORMAT, format.into());
        response.payload = payload.into();
        response
    }

    /// An error with a diagnostic text (RFC 7252 §5.5.2).
    pub fn error(code: Code, diagnostic: &'static str) -> Self {
        let mut response = Self::new(code);
        response.payload = Bytes::from_static(diagnostic.as_bytes());
        response
    }

    /// The same response with one more option.
    #[must_use]
    pub fn with(mut self, number: u16, value: impl Into<Bytes>) -> Self {
        self.options.push(number, value);
        self
    }

    /// The same response with one more unsigned option.
    #[must_use]
    pub fn with_uint(mut self, number: u16, value: u64) -> Self {
        self.options.push_uint(number, value);
        self
    }
}

/// A response with all that is known about how it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// Who answered.
    pub from: SocketAddr,
    /// The response with its whole body.
    pub response: Response,
    /// The type of the last message of it.
    pub kind: Type,
    /// The message id of the last message of it.
    pub mid: u16,
    /// The token of the last message of it.
    pub token: Token,
    /// Whether OSCORE protected the request, but not this answer: an error, which anybody may have sent.
    pub bare: bool,
    /// From the first transmission of the request to the last message; of a notification, nought.
    pub elapsed: Duration,
    /// How often messages were sent again for it.
    pub retransmitted: u32,
    /// The messages that its body came in.
    pub blocks: u32,
    /// Where the body begins within the resource, in bytes: nought unless a download went on.
    pub offset: usize,
}

/// What had come of a body when its request failed: enough to go on with [`Resume`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partial {
    /// The beginning of the response.
    pub response: Response,
    /// Where it begins within the resource, in bytes.
    pub offset: usize,
}

/// What has come so far of the body of a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrived<'a> {
    /// Where it begins within the resource, in bytes.
    pub offset: usize,
    /// The bytes from there on.
    pub body: &'a [u8],
    /// The ETag of the whole.
    pub etag: Option<&'a Bytes>,
}

/// How a request that is still going on is ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cancel {
    /// Tell the server with a GET that carries Observe 1; ends with `Finished` or `Failed`.
    Deregister,
    /// Forget it now: a later notification is answered with a reset, which ends it too, as long as the endpoint goes on.
    Forget,
}
