//! Resources that hold what was put there.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::{condition_fails, shown};
use crate::coap::code::Code;
use crate::coap::endpoint::{Incoming, Response};
use crate::coap::link::Link;
use crate::coap::option;
use crate::coap::site::{Answer, Change, Resource};

/// One body, which GET shows and PUT replaces; observable.
#[derive(Clone, Debug)]
pub struct Stored {
    format: Option<u16>,
    body: Bytes,
    /// Of this content only, also in the next run of a server: who kept a part of it must not go on with another.
    etag: Bytes,
}

impl Stored {
    /// A body and its content format.
    pub fn new(format: Option<u16>, body: impl Into<Bytes>) -> Self {
        let body = body.into();
        Self {
            etag: etag_of(format, &body),
            format,
            body,
        }
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
pub struct Late {
    inner: Stored,
    delay: Duration,
}

impl Late {
    /// `inner` after `delay`.
    pub const fn new(inner: Stored, delay: Duration) -> Self {
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

/// Everything below a path: PUT creates and replaces, POST creates with a name of its own, DELETE removes.
#[derive(Debug)]
pub struct Tree {
    path: String,
    children: BTreeMap<String, Stored>,
    made: u64,
    /// Bodies are kept up to this many bytes together.
    room: usize,
}

impl Tree {
    /// An empty tree at `path`.
    pub const fn new(path: String, room: usize) -> Self {
        Self {
            path,
            children: BTreeMap::new(),
            made: 0,
            room,
        }
    }

    fn used(&self) -> usize {
        let sizes = self
            .children
            .iter()
            .map(|(path, it)| path.len() + it.body.len());
        sizes.sum()
    }

    fn put(&mut self, path: String, request: &Incoming) -> Answer {
        let old = self.children.get(&path);
        if condition_fails(request, old.map(Stored::etag).as_ref()) {
            return Code::PRECONDITION_FAILED.into();
        }
        let before = old.map_or(0, |it| it.body.len());
        let wanted = self.used() - before + path.len() + request.payload.len();
        if wanted > self.room {
            return Response::error(Code::REQUEST_ENTITY_TOO_LARGE, "there is no room for it")
                .into();
        }
        if let Some(old) = self.children.get_mut(&path) {
            old.put(request);
            return Answer::from(Code::CHANGED).and(Change::Updated);
        }
        let format = request.options.content_format();
        let new = Stored::new(format, request.payload.clone());
        self.children.insert(path, new);
        Answer::from(Code::CREATED).and(Change::Updated)
    }

    fn post(&mut self, request: &Incoming) -> Answer {
        self.made += 1;
        let name = self.made.to_string();
        let base = self.path.trim_end_matches('/').to_owned();
        let mut answer = self.put(format!("{base}/{name}"), request);
        if answer.response.code == Code::CREATED {
            let segments = base.split('/').filter(|it| !it.is_empty());
            for segment in segments.chain([name.as_str()]) {
                let options = &mut answer.response.options;
                options.push_text(option::LOCATION_PATH, segment);
            }
        }
        answer
    }

    fn list(&self) -> Response {
        let links = self.children.iter();
        let links: Vec<_> = links
            .filter_map(|(path, it)| it.link(Link::new(path.as_str())))
            .collect();
        Response::content(40, crate::coap::link::write(&links))
    }
}

impl Resource for Tree {
    fn answer(&mut self, _now: Instant, request: &Incoming) -> Answer {
        let path = request.path();
        let is_root = path == self.path;
        match (request.method, self.children.get(&path)) {
            (Code::GET, Some(child)) => child.show(request).into(),
            (Code::GET, None) if is_root => self.list().into(),
            (Code::POST, _) if is_root => self.post(request),
            (Code::PUT, _) if !is_root => self.put(path, request),
            (Code::DELETE, Some(child)) if condition_fails(request, Some(&child.etag())) => {
                Code::PRECONDITION_FAILED.into()
            }
            // Deleting what is not there is a success too (RFC 7252 §5.8.4).
            (Code::DELETE, _) if !is_root => {
                self.children.remove(&path);
                Answer::from(Code::DELETED).and(Change::Updated)
            }
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
