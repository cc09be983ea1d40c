//! Bodies that the serving side keeps between the blocks of a transfer (RFC 7959): uploads that are not whole
//! yet, and responses that are fetched block by block.

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};

use super::request::{Peer, Response};
use crate::coap::block::{Block, Szx};
use crate::coap::code::Code;
use crate::coap::option::{self, Options};
use crate::coap::shares::{self, Shares};

/// Bodies of each kind that are kept at most.
const BODIES: usize = 256;

/// What makes requests parts of one transfer: peer, method, and the options that count (RFC 7959 §2.4, §2.5).
pub(super) type Key = (Peer, Code, Options);

/// The key of a request. Observe does not count, so that the rest of a notification is found.
pub(super) fn key(peer: Peer, method: Code, options: &Options) -> Key {
    const IDLE: [u16; 7] = [
        option::BLOCK1,
        option::BLOCK2,
        option::SIZE1,
        option::SIZE2,
        option::OBSERVE,
        option::ECHO,
        option::NO_RESPONSE,
    ];
    let mut kept = options.clone();
    kept.retain(|number, _| !IDLE.contains(&number));
    (peer, method, kept)
}

/// A bounded store. The oldest is forgotten first, and where there is no room, that of the host that has most.
#[derive(Debug)]
pub(super) struct Store<V> {
    kept: HashMap<Key, Kept<V>>,
    /// By the numbers of what is kept, which go up.
    order: BTreeMap<u64, (Instant, Key)>,
    shares: Shares,
    bytes: usize,
    limit: usize,
    last: u64,
}

#[derive(Debug)]
struct Kept<V> {
    value: V,
    bytes: usize,
    number: u64,
}

impl<V> Store<V> {
    /// `limit` is in bytes, keys included.
    pub(super) fn new(limit: usize) -> Self {
        Self {
            kept: HashMap::new(),
            order: BTreeMap::new(),
            shares: Shares::default(),
            bytes: 0,
            limit,
            last: 0,
        }
    }

    pub(super) fn get(&self, key: &Key) -> Option<&V> {
        self.kept.get(key).map(|it| &it.value)
    }

    pub(super) fn take(&mut self, key: &Key) -> Option<V> {
        let Kept {
            value,
            bytes,
            number,
        } = self.kept.remove(key)?;
        self.order.remove(&number);
        self.bytes -= bytes;
        self.shares.sub(key.0, bytes);
        Some(value)
    }

    /// Keeps a value of so many bytes for `lifetime`; others make room for it.
    pub(super) fn keep(
        &mut self,
        now: Instant,
        lifetime: Duration,
        key: Key,
        value: V,
        bytes: usize,
    ) {
        self.take(&key);
        self.last += 1;
        let number = self.last;
        // The key is there twice.
        let bytes = bytes + 2 * (key.2.weight() + size_of::<Key>());
        self.bytes += bytes;
        self.shares.add(key.0, bytes);
        self.order.insert(number, (now + lifetime, key.clone()));
        let kept = Kept {
            value,
            bytes,
            number,
        };
        self.kept.insert(key, kept);
        self.shrink(now);
    }

    fn shrink(&mut self, now: Instant) {
        while let Some((_, (_, key))) = self.order.first_key_value().filter(|it| it.1.0 <= now) {
            let key = key.clone();
            self.take(&key);
        }
        while self.kept.len() > BODIES || self.bytes > self.limit {
            let host = self.shares.largest();
            let mut of_host = self.order.values().map(|it| &it.1);
            let oldest = of_host.find(|it| Some(shares::host(it.0)) == host).cloned();
            let Some(key) = oldest else {
                return;
            };
            self.take(&key);
        }
    }

    /// Forgets what is kept for a peer.
    pub(super) fn forget_peer(&mut self, peer: Peer) {
        let keys = self.kept.keys().filter(|it| it.0 == peer);
        for key in keys.cloned().collect::<Vec<_>>() {
            self.take(&key);
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.kept.len()
    }
}

/// What becomes of a block of an upload.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Uploaded {
    /// The body is whole.
    Whole(Bytes),
    /// More is wanted: 2.31.
    Continue,
    /// It is refused with this response.
    Refused(Response),
}

/// Takes one block of an upload.
pub(super) fn upload(
    store: &mut Store<BytesMut>,
    now: Instant,
    lifetime: Duration,
    (key, block, size1, limit): (Key, Block, Option<u64>, usize),
    payload: &[u8],
) -> Uploaded {
    if !block.carries(payload.len()) {
        let text = "the block does not have the announced size";
        return Uploaded::Refused(Response::error(Code::BAD_REQUEST, text));
    }
    let mut body = store.take(&key).unwrap_or_default();
    if block.num == 0 {
        body.clear();
    }
    let (offset, end) = (block.offset(), block.offset() + payload.len());
    if size1.is_some_and(|it| it > limit as u64) || end > limit {
        let refused = Response::new(Code::REQUEST_ENTITY_TOO_LARGE);
        return Uploaded::Refused(refused.with_uint(option::SIZE1, limit as u64));
    }
    if offset == body.len() {
        body.extend_from_slice(payload);
    } else if end != body.len() || body[offset.min(end)..] != *payload {
        // A block that came before, under a new message id, is taken again; anything else is a gap.
        let text = "a block before this one is missing";
        return Uploaded::Refused(Response::error(Code::REQUEST_ENTITY_INCOMPLETE, text));
    }
    if !block.more {
        return Uploaded::Whole(body.freeze());
    }
    let bytes = body.len();
    store.keep(now, lifetime, key, body, bytes);
    Uploaded::Continue
}

/// What a block of a response may be like.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slicing {
    /// The block that was asked for.
    pub(super) asked: Option<Block>,
    /// The largest block.
    pub(super) szx: Szx,
    /// Bytes that fit without blocks.
    pub(super) whole: usize,
    /// Bytes of an error that fit into one message, whatever the blocks are.
    pub(super) error: usize,
    /// Bytes in a block of ours where the size is BERT's.
    pub(super) bert: usize,
}

/// Cuts the block that was asked for out of a response. True when the response is more than this block. What was asked for is
/// a block of the representation (RFC 7959 §2.2), which an error is not: it comes whole unless it is too large for that.
///
/// # Errors
/// The block lies behind the end.
pub(super) fn slice(response: &Response, how: Slicing) -> Result<(Response, bool), Response> {
    let length = response.payload.len();
    let is_error = !response.code.is_success();
    if how.asked.is_none() && length <= how.whole || is_error && length <= how.error {
        return Ok((response.clone(), false));
    }
    // There is no such block of an error: its first is the answer.
    let is_there = |it: &Block| !is_error || it.offset() < length;
    let asked = how.asked.filter(is_there);
    let asked_szx = asked.map_or(how.szx, |it| it.szx);
    let szx = asked_szx.min(how.szx);
    let offset = asked.map_or(0, Block::offset);
    if offset > 0 && offset >= length {
        let text = "the block does not exist";
        return Err(Response::error(Code::BAD_OPTION, text));
    }
    let size = if szx == Szx::BERT {
        how.bert
    } else {
        szx.size()
    };
    let end = (offset + size).min(length);
    let more = end < length;
    let Some(block) = Block::at(offset, more, szx) else {
        let text = "the body has too many blocks";
        return Err(Response::error(Code::INTERNAL_SERVER_ERROR, text));
    };
    let mut part = Response {
        code: response.code,
        options: response.options.clone(),
        payload: response.payload.slice(offset..end),
    };
    part.options.set_block(option::BLOCK2, block);
    if offset == 0 && more {
        part.options.set_uint(option::SIZE2, length as u64);
    }
    Ok((part, more || offset > 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIFETIME: Duration = Duration::from_secs(247);

    fn key_of(number: u64) -> Key {
        let mut options = Options::new();
        options.push_uint(option::REQUEST_TAG, number);
        (([127, 0, 0, 1], 1).into(), Code::PUT, options)
    }

    fn put(
        store: &mut Store<BytesMut>,
        number: u64,
        offset: usize,
        more: bool,
        length: usize,
    ) -> Uploaded {
        let block = Block::at(offset, more, Szx::MIN).expect("a block");
        let what = (key_of(number), block, None, 64);
        upload(store, Instant::now(), LIFETIME, what, &vec![1; length])
    }

    #[test]
    fn blocks_make_a_body() {
        let mut store = Store::new(1000);
        assert_eq!(put(&mut store, 1, 0, true, 16), Uploaded::Continue);
        assert_eq!(put(&mut store, 1, 0, true, 16), Uploaded::Continue);
        assert_eq!(put(&mut store, 1, 16, true, 16), Uploaded::Continue);
        assert_eq!(put(&mut store, 1, 16, true, 16), Uploaded::Continue);
        assert_eq!(
            put(&mut store, 1, 32, false, 3),
            Uploaded::Whole(vec![1; 35].into())
        );
        assert_eq!((store.len(), store.bytes), (0, 0));
    }

    #[test]
    fn gaps_wrong_lengths_and_too_much_are_refused() {
        let mut store = Store::new(1000);
        let code = |uploaded| match uploaded {
            Uploaded::Refused(response) => response.code,
            other => panic!("{other:?}"),
        };
        assert_eq!(
            code(put(&mut store, 1, 16, true, 16)),
            Code::REQUEST_ENTITY_INCOMPLETE
        );
        assert_eq!(code(put(&mut store, 1, 0, true, 15)), Code::BAD_REQUEST);
        assert_eq!(
            code(put(&mut store, 1, 64, true, 16)),
            Code::REQUEST_ENTITY_TOO_LARGE
        );
    }

    #[test]
    fn a_flood_of_uploads_does_not_grow_the_store() {
        let mut store = Store::new(1 << 20);
        for number in 0..5000 {
            assert_eq!(put(&mut store, number, 0, true, 16), Uploaded::Continue);
        }
        assert!(store.len() <= BODIES && store.order.len() == store.len());
        let bytes: usize = store.kept.values().map(|it| it.bytes).sum();
        assert_eq!(store.bytes, bytes);
        assert_eq!(store.shares.of(key_of(0).0), bytes);
    }

    #[test]
    fn a_flood_takes_nobody_elses_place_and_keys_count_too() {
        let now = Instant::now();
        let mut store = Store::new(1 << 16);
        let of = |host: u8, number: u64, length: usize| {
            let mut options = Options::new();
            options.push_uint(option::REQUEST_TAG, number);
            options.push(option::URI_QUERY, vec![0; length]);
            (([192, 0, 2, host], 1).into(), Code::PUT, options)
        };
        store.keep(now, LIFETIME, of(1, 0, 1), (), 1000);
        for number in 0..500 {
            store.keep(now, LIFETIME, of(2, number, 200), (), 100);
        }
        assert!(store.get(&of(1, 0, 1)).is_some());
        assert!(store.bytes <= 1 << 16 && store.len() > 50);
        store.forget_peer(of(2, 0, 0).0);
        assert_eq!(store.len(), 1);
        store.keep(now + LIFETIME, LIFETIME, of(2, 0, 0), (), 1);
        assert_eq!(store.len(), 1);
    }

    #[test]
    fn a_response_is_cut_where_it_was_asked() {
        let response = Response::content(0, vec![7; 100]);
        let how = |asked| Slicing {
            asked,
            szx: Szx::MAX,
            whole: 1024,
            error: 64,
            bert: 0,
        };
        assert_eq!(slice(&response, how(None)), Ok((response.clone(), false)));
        let asked = Block::at(96, false, Szx::MIN);
        let (part, _) = slice(&response, how(asked)).expect("the last block");
        assert_eq!((part.payload.len(), part.options.block2()), (4, asked));
        let behind = slice(&response, how(Block::at(112, false, Szx::MIN)));
        assert_eq!(behind.expect_err("no such block").code, Code::BAD_OPTION);
        // An error is no part of what was asked for.
        let error = |length| Response {
            payload: vec![b'x'; length].into(),
            ..Response::new(Code::NOT_FOUND)
        };
        for length in [0, 1, 64] {
            let error = error(length);
            for asked in [Block::at(0, false, Szx::MIN), asked] {
                assert_eq!(slice(&error, how(asked)), Ok((error.clone(), false)));
            }
        }
        let small = Slicing {
            szx: Szx::MIN,
            ..how(asked)
        };
        let (part, is_part) = slice(&error(80), small).expect("the first block");
        assert_eq!((part.code, is_part), (Code::NOT_FOUND, true));
        assert_eq!(part.options.block2().map(|it| it.num), Some(0));
    }
}
