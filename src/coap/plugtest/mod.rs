//! The resources of the ETSI CoAP plugtest, as test descriptions and the plugtest servers have them.

mod bodies;
mod observed;
mod simple;

use std::time::Duration;

use super::code::Code;
use super::endpoint::{Incoming, Response};
use super::option;
use super::site::{Answer, Resource, Site};
use crate::payload::link::Link;

/// How fast the resources are.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Between acknowledgement and response of the separate ones.
    pub separate: Duration,
    /// Between two states of the observable ones.
    pub interval: Duration,
}

impl Default for Pace {
    /// One second, and five.
    fn default() -> Self {
        Self {
            separate: Duration::from_secs(1),
            interval: Duration::from_secs(5),
        }
    }
}

/// A site with all resources of the plugtest.
pub fn site(now: std::time::Instant, pace: Pace) -> Site {
    let mut site = Site::new();
    simple::add(&mut site, pace);
    bodies::add(&mut site, pace);
    observed::add(&mut site, now, pace);
    site
}

/// A resource without state: a function and the attributes of its link.
struct Page<F> {
    attributes: &'static [(&'static str, &'static str)],
    answer: F,
}

impl<F: FnMut(&Incoming) -> Answer + Send> Resource for Page<F> {
    fn answer(&mut self, _now: std::time::Instant, request: &Incoming) -> Answer {
        (self.answer)(request)
    }

    fn link(&self, link: Link) -> Option<Link> {
        let with = |link: Link, (name, value): &(&str, &str)| link.with(name, *value);
        Some(self.attributes.iter().fold(link, with))
    }
}

/// Answers GET with `response` and everything else with 4.05.
fn get_only(request: &Incoming, response: impl FnOnce() -> Response) -> Answer {
    match request.method {
        Code::GET => response().into(),
        _ => Code::METHOD_NOT_ALLOWED.into(),
    }
}

fn text(text: impl Into<String>) -> Response {
    Response::content(0, text.into())
}

/// What a request looks like from here, in at most 64 bytes.
fn portrait(request: &Incoming) -> String {
    format!(
        "Type: {:?}\nCode: {}\nMID: {}\nToken: {}",
        request.kind, request.method, request.mid, request.token
    )
}

/// 2.01 with a location.
fn created(segments: &[&str]) -> Response {
    let mut response = Response::new(Code::CREATED);
    for segment in segments {
        response.options.push_text(option::LOCATION_PATH, segment);
    }
    response
}
