//! Ready-made resources for a server of development and tests.

mod directory;
mod moving;
mod stored;

pub(crate) use directory::Directory;
pub(crate) use moving::{Clock, Counter, Sensor};
pub(crate) use stored::{Late, Stored, Tree};

use bytes::Bytes;

use super::code::Code;
use super::endpoint::{Incoming, Response};
use super::option;

/// Answers GET with a body, or 2.03 where the client has it already (RFC 7252 §5.10.6.2), or 4.06 where it
/// asks for another format.
fn shown(request: &Incoming, format: Option<u16>, body: Bytes, etag: Bytes) -> Response {
    if !request.accepts(format) {
        return Response::new(Code::NOT_ACCEPTABLE);
    }
    if request.options.all(option::ETAG).any(|it| *it == etag) {
        return Response::new(Code::VALID).with(option::ETAG, etag);
    }
    let mut response = Response::new(Code::CONTENT).with(option::ETAG, etag);
    if let Some(format) = format {
        response
            .options
            .push_uint(option::CONTENT_FORMAT, format.into());
    }
    response.payload = body;
    response
}

/// Why a change is not made: If-Match and If-None-Match (RFC 7252 §5.10.8).
fn condition_fails(request: &Incoming, etag: Option<&Bytes>) -> bool {
    let mut wanted = request.options.all(option::IF_MATCH).peekable();
    let matches = wanted.peek().is_none()
        || wanted.any(|it| etag.is_some_and(|etag| it.is_empty() || it == etag));
    let must_be_new = request.options.contains(option::IF_NONE_MATCH);
    !matches || (must_be_new && etag.is_some())
}
