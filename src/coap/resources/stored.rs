//! Resources that hold what was put there.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::{condition_fails, shown};
use crate::coap::code::Code;
use crate::coap::endpoint::{Incoming, Response};
use crate::coap::option;
use crate::coap::site::{Answer, Change, Resource};
use crate::coap::uri::segments_of;
use crate::payload::link::{self, Link};

/// One body, which GET shows and PUT replaces; observable.
#[derive(Clone, Debug)]
pub(crate) struct Stored {
    format: Option<u16>,
    body: Bytes,
    /// Of this content only, also in the next run of a server: who kept a part of it must not go on with another.
    etag: Bytes,
}

impl Stored {
    /// A body and its content format.
    pub(crate) fn new(format: Option<u16>, body: impl Into<Bytes>) -> Self {
        let body = body.into();
        Self {
            etag: etag_of(format, &body),
            format,
            body,
        }
    }

    /// Whether a request to change what is there is not to be met: If-Match and If-None-Match (RFC 7252 §5.10.8).
    pub(crate) fn forbids(there: Option<&Self>, request: &Incoming) -> bool {
        condition_fails(request, there.map(Self::etag).as_ref())
    }

    /// Bytes of the body.
    pub(crate) const fn len(&self) -> usize {
        self.body.len()
    }

    fn etag(&self) -> Bytes {
        self.etag.clone()
    }

    fn put(&mut self, request: &Incoming) {
        *self = Self::new(request.options.content_format(), request.payload.clone());
    }

    fn show(&self, request: &Incoming) -> Response {
        shown(request, self.format, self.body.clone(), self.etag())
    }
}

fn etag_of(format: Option<u16>, body: &[u8]) -> Bytes {
    let mut hasher = DefaultHasher::new();
    (format, body).hash(&mut hasher);
    Bytes::copy_from_slice(&hasher.finish().to_be_bytes())
}

impl Resource for Stored {
    fn answer(&mut self, _now: Instant, request: &Incoming) -> Answer {
        match request.method {
            Code::GET => self.show(request).into(),
            Code::PUT if condition_fails(request, Some(&self.etag())) => {
                Code::PRECONDITION_FAILED.into()
            }
            Code::PUT => {
                self.put(request);
                Answer::from(Code::CHANGED).and(Change::Updated)
            }
            _ => Code::METHOD_NOT_ALLOWED.into(),
        }
    }

    fn link(&self, link: Link) -> Option<Link> {
        let size = self.body.len();
        let link = match self.format {
            Some(format) => link.with("ct", format.to_string()),
            None => link,
        };
        // As RFC 6690 §3.3 has it: only for what takes more than one datagram.
        Some(if size > 1280 {
            link.with("sz", size.to_string())
        } else {
            link
        })
    }

    fn is_observable(&self) -> bool {
        true
    }
}

/// A body that comes as a separate response, so much later.
#[derive(Clone, Debug)]
pub(crate) struct Late {
    inner: Stored,
    delay: Duration,
}

impl Late {
    /// `inner` after `delay`.
    pub(crate) const fn new(inner: Stored, delay: Duration) -> Self {
        Self { inner, delay }
    }
}

impl Resource for Late {
    fn answer(&mut self, now: Instant, request: &Incoming) -> Answer {
        self.inner.answer(now, request).after(self.delay)
    }

    fn link(&self, link: Link) -> Option<Link> {
        self.inner.link(link)
    }
}

/// What a body in a tree costs beside its bytes and those of its path.
const ENTRY: usize = 256;

/// Bodies in a tree at most.
const ENTRIES: usize = 1 << 16;

/// Everything below a path: PUT creates and replaces, POST creates with a name of its own, DELETE removes.
#[derive(Debug)]
pub(crate) struct Tree {
    path: String,
    children: BTreeMap<String, Stored>,
    made: u64,
    /// Bytes that its bodies take.
    used: usize,
    /// Bodies are kept up to this many bytes together.
    room: usize,
    /// The links to all bodies, until one of them changes.
    links: Option<Stored>,
}

impl Tree {
    /// An empty tree at `path`.
    pub(crate) const fn new(path: String, room: usize) -> Self {
        Self {
            path,
            children: BTreeMap::new(),
            made: 0,
            used: 0,
            room,
            links: None,
        }
    }

    fn put(&mut self, path: String, request: &Incoming) -> Answer {
        let old = self.children.get(&path);
        if Stored::forbids(old, request) {
            return Code::PRECONDITION_FAILED.into();
        }
        let size = |body: &Bytes| ENTRY + path.len() + body.len();
        let before = old.map_or(0, |it| size(&it.body));
        let used = self.used - before + size(&request.payload);
        if used > self.room || (old.is_none() && self.children.len() >= ENTRIES) {
            return Response::error(Code::REQUEST_ENTITY_TOO_LARGE, "the store is full").into();
        }
        let code = match old {
            Some(_) => Code::CHANGED,
            None => Code::CREATED,
        };
        self.used = used;
        self.links = None;
        // What it is a part of may be much larger.
        let body = Bytes::copy_from_slice(&request.payload);
        let new = Stored::new(request.options.content_format(), body);
        self.children.insert(path, new);
        Answer::from(code).and(Change::Updated)
    }

    fn delete(&mut self, path: &str) -> Answer {
        if let Some(old) = self.children.remove(path) {
            self.used -= ENTRY + path.len() + old.body.len();
            self.links = None;
        }
        Answer::from(Code::DELETED).and(Change::Updated)
    }

    fn post(&mut self, request: &Incoming) -> Answer {
        let base = self.path.trim_end_matches('/').to_owned();
        // A client may have put something there by itself.
        let (name, path) = loop {
            self.made += 1;
            let path = format!("{base}/{}", self.made);
            if !self.children.contains_key(&path) {
                break (self.made.to_string(), path);
            }
        };
        let mut answer = self.put(path, request);
        if answer.response.code == Code::CREATED {
            // A segment is its text: what stands for a slash in a path would be escaped once more by who goes there.
            let segments = segments_of(&base).unwrap_or_default();
            for segment in segments.iter().chain([&name]) {
                let options = &mut answer.response.options;
                options.push_text(option::LOCATION_PATH, segment);
            }
        }
        answer
    }

    fn list(&mut self, request: &Incoming) -> Response {
        let links = self.links.get_or_insert_with(|| {
            let links = self.children.iter();
            let links: Vec<_> = links
                .filter_map(|(path, it)| it.link(Link::new(path.as_str())))
                .collect();
            Stored::new(Some(40), link::write(&links))
        });
        links.show(request)
    }
}

impl Resource for Tree {
    fn answer(&mut self, _now: Instant, request: &Incoming) -> Answer {
        let path = request.path();
        let is_root = path == self.path;
        match (request.method, self.children.get(&path)) {
            (Code::GET, Some(child)) => child.show(request).into(),
            (Code::GET, None) if is_root => self.list(request).into(),
            (Code::POST, _) if is_root => self.post(request),
            (Code::PUT, _) if !is_root => self.put(path, request),
            (Code::DELETE, child) if !is_root && Stored::forbids(child, request) => {
                Code::PRECONDITION_FAILED.into()
            }
            // Deleting what is not there is a success too (RFC 7252 §5.8.4).
            (Code::DELETE, _) if !is_root => self.delete(&path),
            (Code::GET, None) => Code::NOT_FOUND.into(),
            _ => Code::METHOD_NOT_ALLOWED.into(),
        }
    }

    fn link(&self, link: Link) -> Option<Link> {
        Some(link.with("ct", "40"))
    }

    fn is_observable(&self) -> bool {
        true
    }

    fn has_children(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::coap::endpoint::{Config, Endpoint, Event};
    use crate::coap::message::{Message, Token, Type};

    /// A request as the endpoint hands it over.
    fn request(method: Code, path: &str, payload: &[u8]) -> Incoming {
        let mut message = Message::new(Type::Con, method, 1, Token::EMPTY);
        for segment in path.split('/') {
            message.options.push_text(option::URI_PATH, segment);
        }
        message.payload = Bytes::copy_from_slice(payload);
        incoming(message)
    }

    fn incoming(message: Message) -> Incoming {
        let config = Config {
            serve: true,
            ..Config::default()
        };
        let mut endpoint = Endpoint::seeded(config, 1);
        let datagram = message.encode().expect("encodes");
        let peer = ([192, 0, 2, 1], 1).into();
        endpoint.handle_datagram(Instant::now(), peer, &datagram);
        match endpoint.poll_event() {
            Some(Event::Incoming(request)) => request,
            other => panic!("{other:?}"),
        }
    }

    fn ask(tree: &mut Tree, method: Code, path: &str, payload: &[u8]) -> Response {
        let request = request(method, path, payload);
        tree.answer(Instant::now(), &request).response
    }

    #[test]
    fn a_tree_counts_all_that_its_bodies_take() {
        let mut tree = Tree::new(String::from("/store"), 10 * ENTRY);
        let mut put = |name: &str, length: usize| {
            let response = ask(
                &mut tree,
                Code::PUT,
                &format!("store/{name}"),
                &vec![7; length],
            );
            let sum = |(path, it): (&String, &Stored)| ENTRY + path.len() + it.body.len();
            let used: usize = tree.children.iter().map(sum).sum();
            assert_eq!(tree.used, used);
            response.code
        };
        for name in ["a", "b", "c", "a"] {
            assert!(put(name, 100).is_success());
        }
        assert_eq!(put("a", 10 * ENTRY), Code::REQUEST_ENTITY_TOO_LARGE);
        assert_eq!(put("a", 0), Code::CHANGED);
        let codes: Vec<Code> = (0..10).map(|number| put(&number.to_string(), 0)).collect();
        assert!(codes.contains(&Code::REQUEST_ENTITY_TOO_LARGE), "{codes:?}");
        for child in tree.children.keys().cloned().collect::<Vec<_>>() {
            ask(&mut tree, Code::DELETE, &child[1..], b"");
        }
        assert_eq!(tree.used, 0);
    }

    #[test]
    fn what_is_posted_takes_nobodys_place() {
        let mut tree = Tree::new(String::from("/store"), 1 << 20);
        for name in ["1", "2"] {
            ask(&mut tree, Code::PUT, &format!("store/{name}"), b"mine");
        }
        let made = ask(&mut tree, Code::POST, "store", b"new");
        assert_eq!(made.code, Code::CREATED);
        assert_eq!(made.options.texts(option::LOCATION_PATH), ["store", "3"]);
        assert_eq!(ask(&mut tree, Code::GET, "store/1", b"").payload, "mine");
        assert_eq!(ask(&mut tree, Code::GET, "store/3", b"").payload, "new");
    }

    #[test]
    fn the_path_of_what_is_posted_is_in_segments_without_escapes() {
        let mut tree = Tree::new(String::from("/a%2Fb/%C3%A4"), 1 << 20);
        let mut message = Message::new(Type::Con, Code::POST, 1, Token::EMPTY);
        for segment in ["a/b", "ä"] {
            message.options.push_text(option::URI_PATH, segment);
        }
        let made = tree.answer(Instant::now(), &incoming(message)).response;
        let located = made.options.texts(option::LOCATION_PATH);
        assert_eq!(located, ["a/b", "ä", "1"]);
    }

    #[test]
    fn the_links_follow_what_is_there() {
        let mut tree = Tree::new(String::from("/store"), 1 << 20);
        let list = |tree: &mut Tree| ask(tree, Code::GET, "store", b"");
        assert!(list(&mut tree).payload.is_empty());
        ask(&mut tree, Code::PUT, "store/a", b"x");
        let first = list(&mut tree);
        assert_eq!(first.payload, "</store/a>");
        assert_eq!(list(&mut tree).options.etag(), first.options.etag());
        ask(&mut tree, Code::DELETE, "store/a", b"");
        assert!(list(&mut tree).payload.is_empty());
    }
}
