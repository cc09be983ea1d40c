//! What a device answers over CoAP: the resources of RIOT's `examples/suit_update`, and its report, which can be observed.
//!
//! | path | what |
//! |---|---|
//! | `/suit/trigger` | POST or PUT of the URL of a manifest, which is fetched: 2.01 |
//! | `/suit/slot/active`, `/suit/slot/inactive` | the slot that runs and the other one, `0` or `1` |
//! | `/suit/version` | the version that runs, or `NONE` |
//! | `/suit/status` | the report as over MQTT, as JSON |

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use bytes::Bytes;
use tokio::sync::Notify;

use crate::coap::code::Code;
use crate::coap::endpoint::{Incoming, Response};
use crate::coap::net::Server;
use crate::coap::option;
use crate::coap::resources::Stored;
use crate::coap::site::{Answer, Resource, Site};
use crate::coap::uri::Uri;
use crate::command::ota::direct::{STATUS, TRIGGER};
use crate::error::Result;
use crate::firmware::device::Slot;
use crate::payload::link::Link;

/// The longest URL that is taken. RIOT takes 64 bytes.
const LONGEST_URL: usize = 1024;

/// After so many seconds of silence who observes the report asks again, and finds that the device was started again.
const MAX_AGE: u64 = 10;

const TEXT: u16 = 0;
const JSON: u16 = 50;

/// What the device and its resources share.
#[derive(Default)]
pub(super) struct Desk {
    state: Mutex<State>,
    /// There is another report.
    reported: Notify,
    /// There is a URL.
    triggered: Notify,
}

#[derive(Default)]
struct State {
    report: Bytes,
    version: Option<String>,
    /// The slot that runs.
    slot: Option<Slot>,
    /// Of a manifest that is to be fetched; the newest counts.
    trigger: Option<String>,
}

impl Desk {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is shown from now on.
    pub(super) fn report(&self, report: String, slot: Slot, version: Option<String>) {
        let mut state = self.lock();
        state.report = report.into();
        (state.slot, state.version) = (Some(slot), version);
        drop(state);
        self.reported.notify_one();
    }

    /// The URL of the last trigger, once.
    pub(super) fn take(&self) -> Option<String> {
        self.lock().trigger.take()
    }

    /// Until there is one. Cancel-safe.
    pub(super) async fn triggered(&self) {
        while self.lock().trigger.is_none() {
            self.triggered.notified().await;
        }
    }
}

/// A resource of the device.
enum Shown {
    Trigger,
    Active,
    Inactive,
    Version,
    Status,
}

struct Part(Shown, Arc<Desk>);

impl Part {
    /// What is to be read, and its content format; `None`: it is to be written.
    fn content(&self) -> Option<(u16, Bytes)> {
        let state = self.1.lock();
        let digit = |slot: Option<Slot>| Bytes::from(slot.map_or(0, Slot::number).to_string());
        Some(match self.0 {
            Shown::Trigger => return None,
            Shown::Active => (TEXT, digit(state.slot)),
            Shown::Inactive => (TEXT, digit(state.slot.map(Slot::other))),
            Shown::Version => {
                let version = state.version.as_deref().unwrap_or("NONE");
                (TEXT, Bytes::from(version.to_owned()))
            }
            Shown::Status => (JSON, state.report.clone()),
        })
    }

    fn trigger(&self, url: &[u8]) -> Response {
        // What a shell or a C string adds.
        let url = std::str::from_utf8(url).map(|it| it.trim_matches(['\0', '\r', '\n', ' ']));
        match url {
            Ok("") => Response::error(Code::REQUEST_ENTITY_INCOMPLETE, "the URL is missing"),
            Ok(url) if Uri::is_absolute(url) && Uri::parse(url).is_ok() => {
                self.1.lock().trigger = Some(url.to_owned());
                self.1.triggered.notify_one();
                Response::new(Code::CREATED)
            }
            _ => Response::error(
                Code::BAD_REQUEST,
                "not the URL of a manifest, coap://HOST/PATH",
            ),
        }
    }
}

impl Resource for Part {
    fn answer(&mut self, now: Instant, request: &Incoming) -> Answer {
        match (self.content(), request.method) {
            (None, Code::POST | Code::PUT) => self.trigger(&request.payload).into(),
            (Some((format, body)), Code::GET) => {
                let mut answer = Stored::new(Some(format), body).answer(now, request);
                if matches!(self.0, Shown::Status) {
                    answer.response.options.set_uint(option::MAX_AGE, MAX_AGE);
                }
                answer
            }
            _ => Code::METHOD_NOT_ALLOWED.into(),
        }
    }

    fn link(&self, link: Link) -> Option<Link> {
        Some(match self.content() {
            Some((format, _)) => link.with("ct", format.to_string()),
            None => link,
        })
    }

    fn is_observable(&self) -> bool {
        matches!(self.0, Shown::Status)
    }
}

/// The server of a device.
pub(super) struct Listener {
    server: Server,
    desk: Arc<Desk>,
    /// Where it listens.
    pub(super) address: SocketAddr,
}

impl Listener {
    /// # Errors
    /// [`crate::error::Kind::Local`]: it cannot listen there.
    pub(super) fn open(address: SocketAddr, desk: &Arc<Desk>) -> Result<Self> {
        let mut site = Site::new();
        for (path, shown) in [
            (TRIGGER, Shown::Trigger),
            ("/suit/slot/active", Shown::Active),
            ("/suit/slot/inactive", Shown::Inactive),
            ("/suit/version", Shown::Version),
            (STATUS, Shown::Status),
        ] {
            site.add(path, Part(shown, Arc::clone(desk)));
        }
        let mut server = Server::new(site, &[]);
        server.set_body_limit(LONGEST_URL);
        let address = server.listen_datagrams(address)?;
        Ok(Self {
            server,
            desk: Arc::clone(desk),
            address,
        })
    }

    /// Answers whoever asks, and tells whoever observes. Cancel-safe.
    pub(super) async fn serve(&mut self) -> ! {
        loop {
            self.settle();
            tokio::select! {
                () = self.server.turn() => {}
                () = self.desk.reported.notified() => self.server.changed(STATUS),
            }
        }
    }

    /// Tells the last report to whoever observes.
    pub(super) fn finish(&mut self) {
        self.server.changed(STATUS);
        self.settle();
    }

    fn settle(&mut self) {
        self.server.settle(&mut |_| {});
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trigger_is_the_url_of_a_manifest() {
        let desk = Arc::new(Desk::default());
        let part = Part(Shown::Trigger, Arc::clone(&desk));
        for (url, code) in [
            ("", Code::REQUEST_ENTITY_INCOMPLETE),
            ("\n", Code::REQUEST_ENTITY_INCOMPLETE),
            ("/fw.suit", Code::BAD_REQUEST),
            ("http://h/fw.suit", Code::BAD_REQUEST),
            ("coap://h:1:2/", Code::BAD_REQUEST),
        ] {
            assert_eq!(part.trigger(url.as_bytes()).code, code, "{url:?}");
            assert_eq!(desk.take(), None);
        }
        assert_eq!(part.trigger(b"\xff\xfe").code, Code::BAD_REQUEST);
        assert_eq!(part.trigger(b"coap://h/1.suit").code, Code::CREATED);
        assert_eq!(part.trigger(b"coaps://h/2.suit\0").code, Code::CREATED);
        assert_eq!(desk.take().as_deref(), Some("coaps://h/2.suit"));
        assert_eq!(desk.take(), None);
    }
}
