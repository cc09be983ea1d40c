//! Requests and responses of one message: CORE_01 to CORE_23, LINK_01 to LINK_09.

use bytes::Bytes;

use super::{Pace, Page, created, get_only, portrait, text};
use crate::coap::code::Code;
use crate::coap::endpoint::{Incoming, Response};
use crate::coap::option;
use crate::coap::site::{Answer, Site};
use crate::payload::link::{self, Link};

type Attributes = &'static [(&'static str, &'static str)];

pub(super) fn add(site: &mut Site, pace: Pace) {
    let mut page = |path: &str, attributes: Attributes, answer: fn(&Incoming) -> Answer| {
        site.add(path, Page { attributes, answer });
    };
    page("/", &[], |request| {
        get_only(request, || text("iotctl: the plugtest's resources"))
    });
    page("/test", &[("title", "Default test resource")], test);
    page("/secure", &[], |request| {
        get_only(request, || text(portrait(request)))
    });
    page("/seg1", &[], segment);
    page("/seg1/seg2", &[], segment);
    page(
        "/seg1/seg2/seg3",
        &[("title", "Long path resource")],
        segment,
    );
    page(
        "/query",
        &[("title", "Resource accepting query parameters")],
        query,
    );
    page("/location-query", &[], location_query);
    page("/multi-format", &[("ct", "0 41 50 60")], multi_format);
    page("/link1", &[("rt", "Type1 Type2"), ("if", "If1")], segment);
    page("/link2", &[("rt", "Type2 Type3"), ("if", "If2")], segment);
    page("/link3", &[("rt", "Type1 Type3"), ("if", "foo")], segment);
    page("/path", &[("ct", "40")], hierarchy);
    page("/path/sub1", &[], segment);
    page("/path/sub2", &[], segment);
    page("/path/sub3", &[], segment);
    let separate = move |request: &Incoming| test(request).after(pace.separate);
    site.add(
        "/separate",
        Page {
            attributes: &[],
            answer: separate,
        },
    );
    let mut validated = Validated::default();
    let answer = move |request: &Incoming| validated.answer(request);
    site.add(
        "/validate",
        Page {
            attributes: &[],
            answer,
        },
    );
    let mut exists = false;
    let answer = move |request: &Incoming| create(&mut exists, request);
    site.add(
        "/create1",
        Page {
            attributes: &[],
            answer,
        },
    );
}

fn test(request: &Incoming) -> Answer {
    match request.method {
        Code::GET => text(portrait(request))
            .with_uint(option::MAX_AGE, 30)
            .into(),
        Code::PUT if request.options.contains(option::IF_NONE_MATCH) => {
            Code::PRECONDITION_FAILED.into()
        }
        Code::PUT => Code::CHANGED.into(),
        Code::POST => created(&["location1", "location2", "location3"]).into(),
        Code::DELETE => Code::DELETED.into(),
        Code::FETCH => text(portrait(request)).into(),
        Code::PATCH | Code::IPATCH => Code::CHANGED.into(),
        _ => Code::METHOD_NOT_ALLOWED.into(),
    }
}

fn segment(request: &Incoming) -> Answer {
    get_only(request, || text(portrait(request)))
}

fn query(request: &Incoming) -> Answer {
    get_only(request, || text(format!("?{}", request.query().join("&"))))
}

fn location_query(request: &Incoming) -> Answer {
    if request.method != Code::POST {
        return Code::METHOD_NOT_ALLOWED.into();
    }
    let mut response = Response::new(Code::CREATED);
    response
        .options
        .push_text(option::LOCATION_QUERY, "first=1");
    response
        .options
        .push_text(option::LOCATION_QUERY, "second=2");
    response.into()
}

fn multi_format(request: &Incoming) -> Answer {
    get_only(request, || match request.options.uint(option::ACCEPT) {
        None | Some(0) => text("Status type: 0"),
        Some(41) => Response::content(41, &b"<msg>Status type: 41</msg>"[..]),
        Some(50) => Response::content(50, &b"{\"msg\":\"Status type: 50\"}"[..]),
        Some(60) => Response::content(60, &b"\xA1\x63msg\x6FStatus type: 60"[..]),
        Some(_) => Response::error(Code::NOT_ACCEPTABLE, "only 0, 41, 50 and 60"),
    })
}

fn hierarchy(request: &Incoming) -> Answer {
    let links = ["/path/sub1", "/path/sub2", "/path/sub3"].map(Link::new);
    get_only(request, || Response::content(40, link::write(&links)))
}

/// `/create1`: can be created once; the refusal of the second time makes room again.
fn create(exists: &mut bool, request: &Incoming) -> Answer {
    match request.method {
        Code::PUT if *exists && request.options.contains(option::IF_NONE_MATCH) => {
            *exists = false;
            Code::PRECONDITION_FAILED.into()
        }
        Code::PUT => match std::mem::replace(exists, true) {
            true => Code::CHANGED.into(),
            false => Code::CREATED.into(),
        },
        Code::GET if *exists => text(portrait(request)).into(),
        Code::GET => Code::NOT_FOUND.into(),
        Code::DELETE => {
            *exists = false;
            Code::DELETED.into()
        }
        _ => Code::METHOD_NOT_ALLOWED.into(),
    }
}

/// `/validate`: its content changes after it was validated.
struct Validated {
    version: u64,
    content: Bytes,
}

impl Default for Validated {
    fn default() -> Self {
        Self {
            version: 1,
            content: Bytes::from_static(b"version 1"),
        }
    }
}

impl Validated {
    fn etag(&self) -> Bytes {
        Bytes::copy_from_slice(&self.version.to_be_bytes())
    }

    fn set(&mut self, content: Bytes) {
        self.version += 1;
        self.content = content;
    }

    fn answer(&mut self, request: &Incoming) -> Answer {
        match request.method {
            Code::GET => self.get(request).into(),
            Code::PUT => self.put(request).into(),
            _ => Code::METHOD_NOT_ALLOWED.into(),
        }
    }

    fn get(&mut self, request: &Incoming) -> Response {
        let etag = self.etag();
        if !request.options.all(option::ETAG).any(|it| *it == etag) {
            let response = Response::content(0, self.content.clone());
            return response.with(option::ETAG, etag);
        }
        let next = format!("version {}", self.version + 1);
        self.set(next.into());
        Response::new(Code::VALID).with(option::ETAG, etag)
    }

    fn put(&mut self, request: &Incoming) -> Response {
        let etag = self.etag();
        let mut wanted = request.options.all(option::IF_MATCH).peekable();
        if wanted.peek().is_some() && !wanted.any(|it| *it == etag || it.is_empty()) {
            return Response::new(Code::PRECONDITION_FAILED);
        }
        if !request.options.contains(option::CONTENT_FORMAT) {
            return Response::error(Code::BAD_REQUEST, "Content-Format is missing");
        }
        self.set(request.payload.clone());
        Response::new(Code::CHANGED).with(option::ETAG, self.etag())
    }
}
