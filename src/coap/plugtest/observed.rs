//! Resources that change by themselves: OBS_01 to OBS_14.

use std::time::{Duration, Instant};

use bytes::Bytes;

use super::{Pace, Page};
use crate::coap::block::{Block, Szx};
use crate::coap::code::Code;
use crate::coap::endpoint::{Incoming, Response};
use crate::coap::option;
use crate::coap::site::{Answer, Change, Resource, Site};
use crate::payload::link::Link;

pub(super) fn add(site: &mut Site, now: Instant, pace: Pace) {
    let clock = |size, confirms| Clock::new(now, pace, size, confirms);
    site.add("/obs", clock(Size::Small, true));
    site.add("/obs-non", clock(Size::Small, false));
    site.add("/obs-large", clock(Size::Large, true));
    site.add("/obs-pumping", clock(Size::Varying, true));
    site.add("/obs-pumping-non", clock(Size::Varying, false));
    site.add(
        "/obs-reset",
        Page {
            attributes: &[],
            answer: reset,
        },
    );
}

/// How large a state is, as seen from a block of 64 bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Size {
    Small,
    Large,
    /// Larger than one block every second time.
    Varying,
}

/// A resource with a new state every interval.
struct Clock {
    interval: Duration,
    due: Instant,
    tick: u64,
    size: Size,
    confirms: bool,
    /// What was put: its format and content.
    put: Option<(u16, Bytes)>,
}

impl Clock {
    fn new(now: Instant, pace: Pace, size: Size, confirms: bool) -> Self {
        Self {
            interval: pace.interval,
            due: now + pace.interval,
            tick: 0,
            size,
            confirms,
            put: None,
        }
    }

    fn state(&self) -> Response {
        let line = format!("tick {}", self.tick);
        let large =
            self.size == Size::Large || self.size == Size::Varying && !self.tick.is_multiple_of(2);
        let mut response = match &self.put {
            Some((format, content)) => Response::content(*format, content.clone()),
            None if large => Response::content(0, format!("{line:.<299}\n")),
            None => Response::content(0, line),
        };
        if let Some(block) = Szx::of_size(64)
            .and_then(|szx| Block::at(0, false, szx))
            .filter(|_| large)
        {
            response.options.set_block(option::BLOCK2, block);
        }
        // A notification is due within Max-Age.
        response.with_uint(option::MAX_AGE, self.interval.as_secs().max(1))
    }

    fn put(&mut self, request: &Incoming) -> Answer {
        let Some(format) = request.options.content_format() else {
            return Response::error(Code::BAD_REQUEST, "Content-Format is missing").into();
        };
        let before = self.put.as_ref().map_or(0, |it| it.0);
        self.put = Some((format, request.payload.clone()));
        let change = match format == before {
            true => Change::Updated,
            false => Change::Ended(Response::new(Code::NOT_ACCEPTABLE)),
        };
        Answer::from(Code::CHANGED).and(change)
    }
}

impl Resource for Clock {
    fn answer(&mut self, _now: Instant, request: &Incoming) -> Answer {
        match request.method {
            Code::GET => self.state().into(),
            Code::PUT => self.put(request),
            Code::DELETE => {
                self.put = None;
                let gone = Change::Ended(Response::new(Code::NOT_FOUND));
                Answer::from(Code::DELETED).and(gone)
            }
            _ => Code::METHOD_NOT_ALLOWED.into(),
        }
    }

    fn link(&self, link: Link) -> Option<Link> {
        Some(
            link.with("rt", "observe")
                .with("title", "Observable resource"),
        )
    }

    fn is_observable(&self) -> bool {
        true
    }

    fn confirms(&self) -> bool {
        self.confirms
    }

    fn due(&self) -> Option<Instant> {
        Some(self.due)
    }

    fn tick(&mut self, now: Instant) -> Change {
        self.tick += 1;
        self.due = now + self.interval.max(Duration::from_millis(1));
        Change::Updated
    }
}

/// `/obs-reset`: the word makes the server forget the observers of `/obs`.
fn reset(request: &Incoming) -> Answer {
    match (request.method, &request.payload[..]) {
        (Code::POST, b"sesame") => Answer::from(Code::CHANGED).and(Change::Silenced("/obs".into())),
        (Code::POST, _) => Code::FORBIDDEN.into(),
        _ => Code::METHOD_NOT_ALLOWED.into(),
    }
}
