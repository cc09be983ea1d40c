//! Bodies of several blocks: BLOCK_01 to BLOCK_06.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::{Pace, Page, created, get_only};
use crate::coap::block::{Block, Szx};
use crate::coap::code::Code;
use crate::coap::endpoint::{Incoming, Response};
use crate::coap::option;
use crate::coap::site::{Answer, Resource, Site};

/// The largest body that is taken, in bytes.
const LARGEST: usize = 8192;

/// Resources that `/large-create` keeps.
const CREATED: usize = 100;

pub(super) fn add(site: &mut Site, pace: Pace) {
    let large = |request: &Incoming| get_only(request, large);
    site.add(
        "/large",
        Page {
            attributes: &[("sz", "1280"), ("title", "Large resource")],
            answer: large,
        },
    );
    let separate = move |request: &Incoming| large(request).after(pace.separate);
    site.add(
        "/large-separate",
        Page {
            attributes: &[("sz", "1280")],
            answer: separate,
        },
    );
    let mut kept = None;
    let answer = move |request: &Incoming| update(&mut kept, request);
    site.add(
        "/large-update",
        Page {
            attributes: &[],
            answer,
        },
    );
    site.add(
        "/large-post",
        Page {
            attributes: &[],
            answer: post,
        },
    );
    site.add("/large-create", Create::default());
}

/// 20 lines of 64 bytes, cut into blocks of one line (late negotiation).
pub(super) fn large() -> Response {
    let lines: String = (1..=20)
        .map(|line| format!("{:-<63}\n", format!("line {line:02} ")))
        .collect();
    let mut response = Response::content(0, lines);
    if let Some(block) = Szx::of_size(64).and_then(|szx| Block::at(0, false, szx)) {
        response.options.set_block(option::BLOCK2, block);
    }
    response
}

/// What is wrong with a body, if anything is.
fn refused(request: &Incoming) -> Option<Response> {
    if request.payload.len() > LARGEST {
        let response = Response::new(Code::REQUEST_ENTITY_TOO_LARGE);
        return Some(response.with_uint(option::SIZE1, LARGEST as u64));
    }
    let told = request.options.contains(option::CONTENT_FORMAT);
    (!told).then(|| Response::error(Code::BAD_REQUEST, "Content-Format is missing"))
}

fn format_of(request: &Incoming) -> u16 {
    request.options.content_format().unwrap_or(0)
}

fn update(kept: &mut Option<(u16, Bytes)>, request: &Incoming) -> Answer {
    match request.method {
        Code::GET => match kept {
            Some((format, body)) => Response::content(*format, body.clone()).into(),
            None => large().into(),
        },
        Code::PUT => match refused(request) {
            Some(response) => response.into(),
            None => {
                *kept = Some((format_of(request), request.payload.clone()));
                Code::CHANGED.into()
            }
        },
        _ => Code::METHOD_NOT_ALLOWED.into(),
    }
}

/// `/large-post` answers with what it got, in upper case.
fn post(request: &Incoming) -> Answer {
    if request.method != Code::POST {
        return Code::METHOD_NOT_ALLOWED.into();
    }
    if let Some(response) = refused(request) {
        return response.into();
    }
    let mut response = Response::content(0, request.payload.to_ascii_uppercase());
    response.code = Code::CHANGED;
    response.into()
}

/// `/large-create` and what was created below it.
#[derive(Default)]
struct Create {
    last: u64,
    kept: BTreeMap<String, (u16, Bytes)>,
}

impl Resource for Create {
    fn answer(&mut self, _now: std::time::Instant, request: &Incoming) -> Answer {
        let path = request.options.texts(option::URI_PATH);
        let answer = match path.get(1) {
            None => self.collection(request),
            Some(name) => self.member(name, request),
        };
        answer.into()
    }

    fn has_children(&self) -> bool {
        true
    }
}

impl Create {
    fn collection(&mut self, request: &Incoming) -> Response {
        if request.method != Code::POST {
            return Response::new(Code::METHOD_NOT_ALLOWED);
        }
        if let Some(response) = refused(request) {
            return response;
        }
        if self.kept.len() >= CREATED {
            self.kept.pop_first();
        }
        self.last += 1;
        let name = self.last.to_string();
        self.kept
            .insert(name.clone(), (format_of(request), request.payload.clone()));
        created(&["large-create", &name])
    }

    fn member(&mut self, name: &str, request: &Incoming) -> Response {
        let Some((format, body)) = self.kept.get(name) else {
            return Response::new(Code::NOT_FOUND);
        };
        match request.method {
            Code::GET => Response::content(*format, body.clone()),
            Code::DELETE => {
                self.kept.remove(name);
                Response::new(Code::DELETED)
            }
            _ => Response::new(Code::METHOD_NOT_ALLOWED),
        }
    }
}
