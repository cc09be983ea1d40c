//! Resources by path on the serving side of an endpoint: routing, `/.well-known/core`, delays, observers.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;
use std::time::{Duration, Instant};

use super::code::Code;
use super::endpoint::{Endpoint, Event, Exchange, Incoming, Response};
use super::format;
use super::option;
use crate::payload::link::{self, Filter, Link};

/// What a resource says to a request.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The response.
    pub response: Response,
    /// Acknowledge at once, and send the response so much later.
    pub delay: Option<Duration>,
    /// What the request did to those who observe the resource.
    pub change: Change,
    /// There is no response yet: whoever has the exchange gives one, see [`Answering::respond`].
    pub deferred: bool,
}

/// What happened to a resource, as its observers are told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Nothing.
    None,
    /// It has a new state, which every observer gets.
    Updated,
    /// It is gone, or cannot be had in the observer's format: every observer gets this error, and no more.
    Ended(Response),
    /// The observers of the resource at this path are forgotten without a word.
    Silenced(String),
}

impl From<Response> for Answer {
    fn from(response: Response) -> Self {
        Self {
            response,
            delay: None,
            change: Change::None,
            deferred: false,
        }
    }
}

impl From<Code> for Answer {
    fn from(code: Code) -> Self {
        Response::new(code).into()
    }
}

impl Answer {
    /// The same answer after a delay, as a separate response.
    #[must_use]
    pub const fn after(mut self, delay: Duration) -> Self {
        self.delay = Some(delay);
        self
    }

    /// No answer yet; somebody else will give it.
    pub fn deferred() -> Self {
        Self {
            deferred: true,
            ..Self::from(Code::EMPTY)
        }
    }

    /// The same answer, of which the observers hear.
    #[must_use]
    pub fn and(mut self, change: Change) -> Self {
        self.change = change;
        self
    }
}

/// Something that answers requests.
pub trait Resource: Send {
    /// Answers a request. An observer's notifications are the answers to its first request, asked again.
    fn answer(&mut self, now: Instant, request: &Incoming) -> Answer;

    /// Its link in `/.well-known/core`, made from one that has the target only; `None` hides it.
    fn link(&self, link: Link) -> Option<Link> {
        Some(link)
    }

    /// Whether it can be observed.
    fn is_observable(&self) -> bool {
        false
    }

    /// Whether notifications are confirmable.
    fn confirms(&self) -> bool {
        true
    }

    /// Whether it also answers for the paths below its own.
    fn has_children(&self) -> bool {
        false
    }

    /// When it changes by itself next.
    fn due(&self) -> Option<Instant> {
        None
    }

    /// The time of [`Resource::due`] has come.
    fn tick(&mut self, _now: Instant) -> Change {
        Change::None
    }
}

/// What a site needs of the endpoint, or of the several endpoints, that its requests come to.
pub trait Answering {
    /// As [`Endpoint::respond`].
    fn respond(&mut self, now: Instant, exchange: Exchange, response: Response);
    /// As [`Endpoint::acknowledge`].
    fn acknowledge(&mut self, now: Instant, exchange: Exchange);
    /// As [`Endpoint::notify`].
    fn notify(
        &mut self,
        now: Instant,
        observer: Exchange,
        state: Response,
        confirmable: bool,
    ) -> bool;
    /// As [`Endpoint::forget`].
    fn forget(&mut self, observer: Exchange);
}

impl Answering for Endpoint {
    fn respond(&mut self, now: Instant, exchange: Exchange, response: Response) {
        Self::respond(self, now, exchange, response);
    }

    fn acknowledge(&mut self, now: Instant, exchange: Exchange) {
        Self::acknowledge(self, now, exchange);
    }

    fn notify(
        &mut self,
        now: Instant,
        observer: Exchange,
        state: Response,
        confirmable: bool,
    ) -> bool {
        Self::notify(self, now, observer, state, confirmable)
    }

    fn forget(&mut self, observer: Exchange) {
        Self::forget(self, observer);
    }
}

/// Observers that are told at once; the others follow in the next turns, so that requests are answered in between.
const TOLD_AT_ONCE: usize = 256;

/// Where a server says what it has (RFC 6690 §4).
const CORE: &str = "/.well-known/core";

/// Filters of one request for links; each costs a look at every link.
const FILTERS: usize = 16;

/// The resources of a server.
#[derive(Default)]
pub struct Site {
    entries: BTreeMap<String, Entry>,
    later: BTreeMap<(Instant, Exchange), Response>,
    /// What each observer observes.
    observed: HashMap<Exchange, String>,
    /// The paths whose observers are not all told yet, since when.
    telling: BTreeMap<String, Instant>,
}

struct Entry {
    resource: Box<dyn Resource>,
    observers: BTreeMap<Exchange, Incoming>,
    /// The observer that was told last.
    last: Option<Exchange>,
    /// How many after it have not heard of the newest state.
    untold: usize,
}

impl Site {
    /// A site without resources.
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts a resource at a path (`/a/b`, percent-encoded); one that was there goes.
    pub fn add(&mut self, path: &str, resource: impl Resource + 'static) {
        let entry = Entry {
            resource: Box::new(resource),
            observers: BTreeMap::new(),
            last: None,
            untold: 0,
        };
        self.entries.insert(path.into(), entry);
    }

    /// Whether there is a resource at this very path.
    pub fn has(&self, path: &str) -> bool {
        self.entries.contains_key(path)
    }

    /// Something else than a request has changed the resource at a path: its observers are told.
    pub fn changed(&mut self, now: Instant, endpoint: &mut dyn Answering, path: &str) {
        self.tell(now, endpoint, path, Change::Updated);
    }

    /// Takes away the resource at this very path: its observers are told that it is gone (RFC 7641 §4.2).
    pub fn remove(&mut self, now: Instant, endpoint: &mut dyn Answering, path: &str) {
        let gone = Response::error(Code::NOT_FOUND, "no such resource");
        self.tell(now, endpoint, path, Change::Ended(gone));
        self.telling.remove(path);
        self.entries.remove(path);
    }

    /// Takes the events that concern the serving side; others are given back.
    pub fn handle(
        &mut self,
        now: Instant,
        endpoint: &mut dyn Answering,
        event: Event,
    ) -> Option<Event> {
        match event {
            Event::Incoming(request) => self.request(now, endpoint, request),
            Event::ObserverGone { exchange, .. } => self.gone(exchange),
            other => return Some(other),
        }
        None
    }

    /// When [`Site::handle_timeout`] is to be called at the latest.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let later = self.later.first_key_value().map(|((at, _), _)| *at);
        let due = self.entries.values().filter_map(|it| it.resource.due());
        let telling = self.telling.values().copied();
        due.chain(later).chain(telling).min()
    }

    /// Sends the responses and notifications whose time has come.
    pub fn handle_timeout(&mut self, now: Instant, endpoint: &mut dyn Answering) {
        while let Some(entry) = self.later.first_entry().filter(|it| it.key().0 <= now) {
            let ((_, exchange), response) = entry.remove_entry();
            endpoint.respond(now, exchange, response);
        }
        let is_due = |it: &Entry| it.resource.due().is_some_and(|at| at <= now);
        let due = self.entries.iter().filter(|(_, it)| is_due(it));
        let paths: Vec<String> = due.map(|(path, _)| path.clone()).collect();
        for path in paths {
            if let Some(entry) = self.entries.get_mut(&path) {
                let change = entry.resource.tick(now);
                self.tell(now, endpoint, &path, change);
            }
        }
        if let Some((path, _)) = self.telling.pop_first() {
            self.tell_some(now, endpoint, path);
        }
    }

    /// The links of all resources, filtered as `/.well-known/core` is asked (RFC 6690 §4.1).
    pub fn links(&self, query: &[String]) -> Vec<Link> {
        let filters: Vec<Filter> = query.iter().map(|it| Filter::parse(it)).collect();
        let described = self.entries.iter().filter_map(|(path, entry)| {
            let link = entry.resource.link(Link::new(path.as_str()))?;
            let observable = entry.resource.is_observable() && !link.has("obs");
            Some(if observable {
                link.flagged("obs")
            } else {
                link
            })
        });
        described
            .filter(|link| filters.iter().all(|filter| filter.matches(link)))
            .collect()
    }

    fn request(&mut self, now: Instant, endpoint: &mut dyn Answering, request: Incoming) {
        let exchange = request.exchange;
        let path = request.path();
        let Some(path) = self.route(&path) else {
            let response = self.without_resource(&request, &path);
            return endpoint.respond(now, exchange, response);
        };
        let Some(entry) = self.entries.get_mut(&path) else {
            return;
        };
        let Answer {
            mut response,
            delay,
            change,
            deferred,
        } = match proxying(&request) {
            Some(refused) => refused.into(),
            None => entry.resource.answer(now, &request),
        };
        if deferred {
            return;
        }
        let observes = request.registers() && entry.resource.is_observable();
        if observes && response.code.is_success() {
            response.options.set_uint(option::OBSERVE, 0);
            entry.observers.insert(exchange, request);
            self.observed.insert(exchange, path.clone());
        }
        match delay {
            Some(delay) => {
                endpoint.acknowledge(now, exchange);
                self.later.insert((now + delay, exchange), response);
            }
            None => endpoint.respond(now, exchange, response),
        }
        self.tell(now, endpoint, &path, change);
    }

    /// The path of the resource that answers for this one.
    fn route(&self, path: &str) -> Option<String> {
        if self.entries.contains_key(path) {
            return Some(path.into());
        }
        // Said of the site as a whole, also where one resource answers for all paths.
        if path == CORE {
            return None;
        }
        let ends = path.rmatch_indices('/').map(|(at, _)| &path[..at.max(1)]);
        let answers = |it: &&str| {
            let entry = self.entries.get(*it);
            entry.is_some_and(|it| it.resource.has_children())
        };
        ends.into_iter().find(answers).map(String::from)
    }

    fn without_resource(&self, request: &Incoming, path: &str) -> Response {
        if let Some(refused) = proxying(request) {
            return refused;
        }
        match (path, request.method) {
            (CORE, Code::GET) if request.options.all(option::URI_QUERY).count() > FILTERS => {
                Response::error(Code::BAD_REQUEST, "too many filters")
            }
            (CORE, Code::GET) if !request.accepts(Some(format::LINK)) => {
                Response::new(Code::NOT_ACCEPTABLE)
            }
            (CORE, Code::GET) => {
                let query = request.query();
                let links = self.links(&query);
                if request.multicast && links.is_empty() && !query.is_empty() {
                    // A group is not told of what is not there (RFC 6690 §4.1): errors are kept to ourselves.
                    return Response::new(Code::NOT_FOUND);
                }
                Response::content(format::LINK, link::write(&links))
            }
            (CORE, _) => Response::new(Code::METHOD_NOT_ALLOWED),
            _ => Response::error(Code::NOT_FOUND, "no such resource"),
        }
    }

    /// Tells the observers of a resource what became of it.
    fn tell(&mut self, now: Instant, endpoint: &mut dyn Answering, path: &str, change: Change) {
        let silenced = match &change {
            Change::Silenced(other) => other.as_str(),
            _ => path,
        };
        let Some(entry) = self.entries.get_mut(silenced) else {
            return;
        };
        let observers = match change {
            Change::None => return,
            Change::Updated => {
                entry.untold = entry.observers.len();
                let silenced = silenced.to_owned();
                return self.tell_some(now, endpoint, silenced);
            }
            Change::Ended(_) | Change::Silenced(_) => std::mem::take(&mut entry.observers),
        };
        for exchange in observers.into_keys() {
            self.observed.remove(&exchange);
            match &change {
                Change::Ended(response) => {
                    endpoint.notify(now, exchange, response.clone(), true);
                }
                _ => endpoint.forget(exchange),
            }
        }
    }

    /// Sends some of the observers of a resource the state that it has now, those first who wait longest.
    fn tell_some(&mut self, now: Instant, endpoint: &mut dyn Answering, path: String) {
        let Some(entry) = self.entries.get_mut(&path) else {
            return;
        };
        let confirms = entry.resource.confirms();
        for _ in 0..entry.untold.min(TOLD_AT_ONCE) {
            let after = entry.last.map_or(Bound::Unbounded, Bound::Excluded);
            let mut next = entry.observers.range((after, Bound::Unbounded));
            let first = || entry.observers.first_key_value();
            let Some((exchange, observer)) = next.next().or_else(first) else {
                break;
            };
            let exchange = *exchange;
            entry.last = Some(exchange);
            entry.untold -= 1;
            // Its registration may still wait for a delayed response.
            let state = entry.resource.answer(now, observer).response;
            if !endpoint.notify(now, exchange, state, confirms) {
                entry.observers.remove(&exchange);
                self.observed.remove(&exchange);
            }
        }
        entry.untold = entry.untold.min(entry.observers.len());
        match entry.untold {
            0 => drop(self.telling.remove(&path)),
            _ => drop(self.telling.insert(path, now)),
        }
    }

    fn gone(&mut self, exchange: Exchange) {
        let path = self.observed.remove(&exchange);
        if let Some(entry) = path.and_then(|it| self.entries.get_mut(&it)) {
            entry.observers.remove(&exchange);
        }
    }
}

/// We are no proxy (RFC 7252 §5.7.2).
fn proxying(request: &Incoming) -> Option<Response> {
    let asked = [option::PROXY_URI, option::PROXY_SCHEME];
    let asks = asked.iter().any(|it| request.options.contains(*it));
    asks.then(|| Response::error(Code::PROXYING_NOT_SUPPORTED, "this server is not a proxy"))
}
