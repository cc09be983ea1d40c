//! One body up and one body down, block by block (RFC 7959), without time or tokens.

use bytes::{Bytes, BytesMut};

use super::event::{Broken, Failure};
use super::request::{Arrived, Partial, Request, Response};
use crate::coap::block::{Block, Szx};
use crate::coap::code::Code;
use crate::coap::message::Message;
use crate::coap::option::{self, Options};

/// How often a download whose resource changes, or an upload that the server lost, begins anew.
const RESTARTS: u8 = 3;

/// What the transport allows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// The largest block that may be sent.
    pub(super) szx: Szx,
    /// The largest block that the peer may be asked for.
    pub(super) asked: Szx,
    /// The largest block that may come.
    pub(super) taken: Szx,
    /// Bytes of body that fit into one message without blocks.
    pub(super) whole: usize,
    /// Bytes in a block of ours where the size is BERT's.
    pub(super) bert: usize,
    /// The largest body.
    pub(super) body: usize,
}

/// What comes after a message of the peer's.
#[derive(Debug)]
pub(super) enum Step {
    /// The next message is to be built and sent.
    Next,
    /// The response is whole.
    Done(Response),
    /// It cannot go on.
    Fail(Failure),
}

#[derive(Debug)]
pub(super) struct Transfer {
    tag: Bytes,
    /// Whether the tag is sent.
    tagged: bool,
    /// The server refuses Request-Tag or Size1, which it could have left aside (RFC 7252 §5.4.1).
    plain: bool,
    /// Bytes of the request's body that the server has taken.
    sent: usize,
    up: Option<Szx>,
    down: Option<Down>,
    preferred: Szx,
    restarts: u8,
    pub(super) blocks: u32,
    pub(super) total: Option<usize>,
}

/// A download that has begun.
#[derive(Debug)]
struct Down {
    start: usize,
    szx: Szx,
    etag: Option<Bytes>,
    first: Option<Response>,
    body: BytesMut,
}

impl Down {
    fn at(start: usize, szx: Szx, etag: Option<Bytes>) -> Self {
        let (first, body) = (None, BytesMut::new());
        Self {
            start,
            szx,
            etag,
            first,
            body,
        }
    }

    fn end(&self) -> usize {
        self.start + self.body.len()
    }
}

impl Transfer {
    /// `tag` can tell this body's blocks from those of others (Request-Tag, RFC 9175 §3).
    pub(super) fn new(request: &Request, tag: Bytes, limits: Limits) -> Self {
        let sending = request.block.unwrap_or(limits.szx).min(limits.szx);
        let preferred = request.block.unwrap_or(limits.asked).min(limits.asked);
        let asked = request.block.map_or(limits.whole, Szx::size);
        let is_large = request.payload.len() > asked.min(limits.whole);
        let resumed = request.resume.as_ref().filter(|it| it.offset > 0);
        let down = resumed.map(|it| {
            let start = it.offset / preferred.size() * preferred.size();
            Down::at(start, preferred, it.etag.clone())
        });
        Self {
            tag,
            tagged: false,
            plain: false,
            sent: 0,
            up: is_large.then_some(sending),
            down,
            preferred,
            restarts: 0,
            blocks: 0,
            total: None,
        }
    }

    /// Whether blocks of the request's body are still to be sent.
    pub(super) const fn is_upload(&self) -> bool {
        self.up.is_some() && self.down.is_none()
    }

    /// Whether the next message is the first of an upload whose blocks may carry a tag.
    pub(super) const fn may_be_tagged(&self) -> bool {
        self.is_upload() && self.sent == 0 && !self.plain
    }

    /// An error that anybody may have sent does not end the use of our options.
    pub(super) const fn keep_options(&mut self) {
        self.plain = true;
    }

    /// Sends Request-Tag from now on.
    pub(super) const fn add_tag(&mut self) {
        self.tagged = true;
    }

    /// Bytes of the request's body that the server has taken.
    pub(super) const fn sent(&self) -> usize {
        self.sent
    }

    /// Where the part of the response's body that has come ends.
    pub(super) fn received(&self) -> usize {
        self.down.as_ref().map_or(0, Down::end)
    }

    /// Where the response's body begins within the resource.
    pub(super) fn offset(&self) -> usize {
        self.down.as_ref().map_or(0, |it| it.start)
    }

    /// The part of the response's body that has come.
    pub(super) fn arrived(&self) -> Option<Arrived<'_>> {
        let down = self.down.as_ref().filter(|it| it.first.is_some())?;
        Some(Arrived {
            offset: down.start,
            body: &down.body,
            etag: down.etag.as_ref(),
        })
    }

    /// What of a response has come.
    pub(super) fn partial(self) -> Option<Partial> {
        let down = self.down?;
        let mut response = down.first?;
        response.payload = down.body.freeze();
        let offset = down.start;
        Some(Partial { response, offset })
    }

    /// The options and the payload of the next message. `None` when its number cannot be counted.
    pub(super) fn build(&self, request: &Request, limits: Limits) -> Option<(Options, Bytes)> {
        let mut options = request.options.clone();
        for number in [option::BLOCK1, option::BLOCK2, option::OBSERVE] {
            options.remove(number);
        }
        if let Some(down) = &self.down {
            let block = Block::at(down.end(), false, down.szx)?;
            options.set_block(option::BLOCK2, block);
            self.tag(&mut options);
            return Some((options, Bytes::new()));
        }
        let chunk = self.chunk(request, limits);
        let more = self.sent + chunk.len() < request.payload.len();
        if let Some(szx) = self.szx(limits) {
            options.set_block(option::BLOCK1, Block::at(self.sent, more, szx)?);
            if self.sent == 0 && !self.plain {
                options.set_uint(option::SIZE1, request.payload.len() as u64);
            }
            self.tag(&mut options);
        }
        if more {
            options.remove(option::NO_RESPONSE);
        } else if request.early {
            options.set_block(option::BLOCK2, Block::at(0, false, self.preferred)?);
        }
        Some((options, chunk))
    }

    fn tag(&self, options: &mut Options) {
        if self.tagged {
            options.set(option::REQUEST_TAG, self.tag.clone());
        }
    }

    /// The block size of the upload; the peer may have said meanwhile that its messages are smaller.
    fn szx(&self, limits: Limits) -> Option<Szx> {
        self.up.map(|szx| szx.min(limits.szx))
    }

    fn chunk(&self, request: &Request, limits: Limits) -> Bytes {
        let size = match self.szx(limits) {
            None => return request.payload.clone(),
            Some(Szx::BERT) => limits.bert,
            Some(szx) => szx.size(),
        };
        let end = (self.sent + size).min(request.payload.len());
        request.payload.slice(self.sent.min(end)..end)
    }

    /// Takes the answer to the message that was built last.
    pub(super) fn take(&mut self, request: &Request, answer: &Message, limits: Limits) -> Step {
        self.blocks += 1;
        let chunk = self.chunk(request, limits).len();
        let last = self.sent + chunk >= request.payload.len();
        if let Some(why) = self.misplaced(request, answer, last) {
            let code = answer.code;
            return Step::Fail(Failure::Broken(Broken::Misplaced { code, why }));
        }
        if let Some(broken) = self.other_block(answer, limits) {
            return Step::Fail(Failure::Broken(broken));
        }
        if self.down.is_none()
            && let Some(step) = self.uploaded(request, answer, chunk)
        {
            return step;
        }
        self.downloaded(request, answer, limits)
    }

    /// Why a success answers nothing that was asked (RFC 7252 §5.9.1.3, RFC 7959 §2.9.1). `last`: no block is left to be sent.
    fn misplaced(&self, request: &Request, answer: &Message, last: bool) -> Option<&'static str> {
        let mut known = request.options.all(option::ETAG).peekable();
        let is_upload = self.is_upload();
        match (answer.code, answer.options.etag()) {
            (Code::VALID, _) if known.peek().is_none() => {
                Some("in response to a request without ETag")
            }
            (Code::VALID, Some(etag)) if !known.any(|it| it == etag) => {
                Some("for an ETag that the request did not have")
            }
            (Code::CONTINUE, _) if !is_upload => Some("in response to a request without Block1"),
            (Code::CONTINUE, _) if last => Some("in response to the last block of the upload"),
            (Code::CONTINUE, _) if answer.options.block1().is_none() => Some("without Block1"),
            _ => None,
        }
    }

    /// How a success acknowledges another block of an upload than the one that was sent last (RFC 7959 §2.3).
    fn other_block(&self, answer: &Message, limits: Limits) -> Option<Broken> {
        let szx = self.szx(limits).filter(|_| self.down.is_none())?;
        let found = answer.options.block1()?.num;
        let expected = Block::at(self.sent, false, szx)?.num;
        let is_other = answer.code.is_success() && found != expected;
        is_other.then_some(Broken::OtherBlock { expected, found })
    }

    /// `None` when the upload is over and the answer is a response.
    fn uploaded(&mut self, request: &Request, answer: &Message, chunk: usize) -> Option<Step> {
        let confirmed = self.sent + chunk;
        let unfinished = confirmed < request.payload.len();
        let block = answer.options.block1();
        match answer.code {
            Code::REQUEST_ENTITY_TOO_LARGE => self.smaller(answer, chunk),
            Code::BAD_REQUEST | Code::BAD_OPTION if self.is_refused_for_options(answer.code) => {
                (self.plain, self.tagged) = (true, false);
                Some(Step::Next)
            }
            Code::REQUEST_ENTITY_INCOMPLETE if self.up.is_some() && self.restarts < 1 => {
                self.restarts += 1;
                self.begin_anew();
                Some(Step::Next)
            }
            code if code.is_success() && unfinished => {
                let Some(block) = block else {
                    let broken = Broken::Unfinished { sent: confirmed };
                    return Some(Step::Fail(Failure::Broken(broken)));
                };
                self.sent = confirmed;
                self.up = self.up.map(|szx| szx.min(block.szx));
                Some(Step::Next)
            }
            code if code.is_success() => {
                self.sent = confirmed;
                None
            }
            _ => None,
        }
    }

    /// The upload begins anew; its blocks are not those of before.
    fn begin_anew(&mut self) {
        self.sent = 0;
        let tag = option::uint(&self.tag).unwrap_or(0);
        self.tag = option::uint_bytes(tag.wrapping_add(1));
    }

    /// Whether an error may come of the options that we have added to the first block.
    fn is_refused_for_options(&self, code: Code) -> bool {
        self.may_be_tagged() && (self.tagged || code == Code::BAD_OPTION)
    }

    /// The server says in 4.13 which block size it can take, or nothing, which may mean that it takes blocks (RFC 7959
    /// §2.9.3), unless the whole body is more than it takes (§4).
    fn smaller(&mut self, answer: &Message, chunk: usize) -> Option<Step> {
        let limit = answer.options.uint(option::SIZE1);
        let szx = match answer.options.block1() {
            Some(block) => block.szx,
            None if self.up.is_some() || limit.is_some_and(|it| it < chunk as u64) => return None,
            None => Szx::fitting(chunk.saturating_sub(1)),
        };
        let is_smaller = match self.up {
            Some(used) => szx < used,
            None => szx.size() < chunk,
        };
        is_smaller.then(|| {
            self.up = Some(szx);
            // A later block may be too large too: what came before it is not whole.
            if self.sent > 0 {
                self.begin_anew();
            }
            Step::Next
        })
    }

    fn downloaded(&mut self, request: &Request, answer: &Message, limits: Limits) -> Step {
        let Some(block) = answer.options.block2().filter(|_| answer.code.is_success()) else {
            return self.whole(answer, limits);
        };
        if let Some(broken) = wrong_block(block, answer.payload.len(), limits) {
            return Step::Fail(Failure::Broken(broken));
        }
        if self.is_other(answer) {
            return self.restart(request);
        }
        if let Some(size) = answer.options.uint(option::SIZE2) {
            self.total = usize::try_from(size).ok();
        }
        let preferred = self.preferred;
        let down = self
            .down
            .get_or_insert_with(|| Down::at(0, preferred, None));
        // A server that cannot begin in the middle begins at the beginning.
        if down.first.is_none() && block.num == 0 {
            down.start = 0;
        }
        let (expected, found) = (down.end(), block.offset());
        if expected != found {
            return Step::Fail(Failure::Broken(Broken::Gap { expected, found }));
        }
        let announced = self.total.unwrap_or(0);
        if announced.max(expected + answer.payload.len()) > limits.body {
            return Step::Fail(Failure::TooLarge { limit: limits.body });
        }
        down.append(answer);
        down.szx = block.szx.min(preferred);
        if block.more {
            return Step::Next;
        }
        Step::Done(down.response())
    }

    /// A response without blocks: it is whole, or it is an error.
    fn whole(&mut self, answer: &Message, limits: Limits) -> Step {
        if answer.payload.len() > limits.body {
            return Step::Fail(Failure::TooLarge { limit: limits.body });
        }
        if answer.code.is_success() {
            self.down = None;
        }
        Step::Done(response(answer))
    }

    /// Whether a block belongs to another representation than those before it; with an ETag, one without is another.
    fn is_other(&self, answer: &Message) -> bool {
        let Some(down) = &self.down else {
            return false;
        };
        let other_code = down.first.as_ref().is_some_and(|it| it.code != answer.code);
        let began = down.first.is_some() || down.etag.is_some();
        other_code || began && down.etag.as_ref() != answer.options.etag()
    }

    /// Only what has no body of its own can be asked again without being done twice.
    fn restart(&mut self, request: &Request) -> Step {
        if self.restarts >= RESTARTS || !request.payload.is_empty() {
            return Step::Fail(Failure::Changed);
        }
        self.restarts += 1;
        self.total = None;
        self.down = Some(Down::at(0, self.preferred, None));
        Step::Next
    }
}

impl Down {
    fn append(&mut self, answer: &Message) {
        self.body.extend_from_slice(&answer.payload);
        if self.etag.is_none() {
            self.etag = answer.options.etag().cloned();
        }
        if self.first.is_none() {
            let mut first = response(answer);
            first.payload = Bytes::new();
            self.first = Some(first);
        }
    }

    fn response(&mut self) -> Response {
        let first = self.first.take();
        let mut response = first.unwrap_or(Response::new(Code::CONTENT));
        response.payload = std::mem::take(&mut self.body).freeze();
        response
    }
}

fn wrong_block(block: Block, length: usize, limits: Limits) -> Option<Broken> {
    if block.szx == Szx::BERT && limits.taken != Szx::BERT {
        return Some(Broken::BlockSize);
    }
    let last = block.more && block.num == Block::LAST;
    if last {
        return Some(Broken::BlockNumber);
    }
    (!block.carries(length)).then_some(Broken::BlockLength { length })
}

fn response(answer: &Message) -> Response {
    let mut options = answer.options.clone();
    options.remove(option::BLOCK1);
    options.remove(option::BLOCK2);
    Response {
        code: answer.code,
        options,
        payload: answer.payload.clone(),
    }
}
