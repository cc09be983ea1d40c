//! A CoAP server as an end of a flow: what is put or posted to a path is a message, and the last message of each path can be
//! had and observed.
//!
//! A request is answered with 2.04 once its message is where it goes, and with 5.03 where it cannot go now: it may be sent again
//! then. `/ps/a/b` means the same as `/a/b`, as gateways and publish-subscribe brokers have it.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::future::pending;
use std::rc::Rc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::time::sleep_until;

use super::kept::Values;
use super::listen::{Listen, Protection};
use super::record::request_record;
use crate::coap::code::Code;
use crate::coap::endpoint::{Exchange, Incoming, Response};
use crate::coap::net::Server;
use crate::coap::option;
use crate::coap::site::{Answer, Resource, Site};
use crate::connect::ConnectArgs;
use crate::error::{Error, Result};
use crate::flow::{self, Fate, Next, Number, Outcome, Progress};
use crate::message::Message;
use crate::output::Console;
use crate::payload::link::Link;

/// A request waits so long for somebody to take its message.
const UNTAKEN: Duration = Duration::from_secs(5);

/// And so long for its target to have it; clients give up after some 90 seconds.
const UNCONFIRMED: Duration = Duration::from_secs(30);

/// When a client that was sent away may come back, in seconds.
const COME_BACK: u64 = 5;

/// As many bytes of messages wait to be taken.
const MOST_WAITING: usize = 16 << 20;

/// As many levels a topic may have, as servers have it.
const MOST_LEVELS: usize = 200;

/// What the same path is called by those who publish and subscribe.
const PREFIX: &str = "/ps";

/// A message that came, and whom to answer.
struct Posted {
    exchange: Exchange,
    at: Instant,
    message: Message,
}

/// What the resources share with the ends.
#[derive(Default)]
struct State {
    /// Whether there is a source.
    takes: bool,
    /// As many messages may wait.
    window: usize,
    /// Since when nobody takes messages.
    held_since: Option<Instant>,
    posted: VecDeque<Posted>,
    /// Bytes of those.
    waiting: usize,
    /// How many came.
    came: u64,
    /// Handed out, and not answered: to whom, and since when.
    under_way: BTreeMap<Number, (Exchange, Instant)>,
    /// The number of the one that was handed out last.
    newest: Number,
    /// The last message of each path.
    kept: Values,
}

impl State {
    fn post(&mut self, now: Instant, request: &Incoming, path: &str) -> Answer {
        let length = request.payload.len();
        let full = self.posted.len() >= self.window
            || self.waiting > 0 && self.waiting + length > MOST_WAITING;
        let stalled = self.held_since.is_some_and(|since| now >= since + UNTAKEN);
        if full || stalled {
            return unavailable().into();
        }
        self.waiting += length;
        self.came += 1;
        self.posted.push_back(Posted {
            exchange: request.exchange,
            at: now,
            message: request_record(request, path),
        });
        Answer::deferred()
    }

    fn remove_first(&mut self) -> Option<Posted> {
        let posted = self.posted.pop_front()?;
        self.waiting -= posted.message.payload.len();
        Some(posted)
    }

    /// Hands out the next message.
    fn next(&mut self) -> Option<Message> {
        let posted = self.remove_first()?;
        self.newest += 1;
        let at = Instant::now();
        self.under_way.insert(self.newest, (posted.exchange, at));
        Some(posted.message)
    }

    /// When the first of those who wait has waited long enough, or the first of the messages that are kept is over.
    fn due(&self) -> Option<Instant> {
        let untaken = self.posted.front().map(|it| it.at + UNTAKEN);
        let unconfirmed = self.under_way.first_key_value();
        let unconfirmed = unconfirmed.map(|(_, (_, at))| *at + UNCONFIRMED);
        let over = self.kept.due();
        untaken.into_iter().chain(unconfirmed).chain(over).min()
    }

    /// Somebody who has waited too long: nobody has taken the message, or it may have arrived or not.
    fn late(&mut self, now: Instant) -> Option<Exchange> {
        if self.posted.front().is_some_and(|it| now >= it.at + UNTAKEN) {
            return self.remove_first().map(|it| it.exchange);
        }
        let first = self.under_way.first_entry()?;
        let late = now >= first.get().1 + UNCONFIRMED;
        late.then(|| first.remove().0)
    }
}

fn unavailable() -> Response {
    let text = "the message cannot be passed on now";
    Response::error(Code::SERVICE_UNAVAILABLE, text).with_uint(option::MAX_AGE, COME_BACK)
}

/// What is at a path is in the state.
struct Path {
    state: Arc<Mutex<State>>,
    /// The path without the prefix; `None`: it answers for all paths that have nothing yet.
    path: Option<String>,
    is_listed: bool,
}

/// The path without the prefix; `None`: there is no topic in it.
fn plain(path: &str) -> Option<&str> {
    let rest = path
        .strip_prefix(PREFIX)
        .filter(|rest| rest.starts_with('/'));
    let path = rest.unwrap_or(path);
    (path.len() > 1).then_some(path)
}

/// Why a path is the name of no topic; `None`: it is one.
fn no_topic<T: AsRef<[u8]>>(segments: &[T]) -> Option<&'static str> {
    let segments = match segments {
        [first, rest @ ..] if !rest.is_empty() && first.as_ref() == &PREFIX.as_bytes()[1..] => rest,
        all => all,
    };
    let length = |segment: &T| segment.as_ref().len() + 1;
    if segments.len() > MOST_LEVELS {
        return Some("the path has more than 200 segments");
    }
    // The first has no slash before it in a topic.
    if segments.iter().map(length).sum::<usize>() > usize::from(u16::MAX) + 1 {
        return Some("the path is longer than 65535 bytes");
    }
    segments.iter().find_map(|segment| {
        let Ok(text) = str::from_utf8(segment.as_ref()) else {
            return Some("the path is not UTF-8");
        };
        text.chars().find_map(|letter| match letter {
            '+' | '#' => Some("the path has a wildcard, + or #, in it"),
            '/' => Some("a segment of the path has a / in it"),
            letter if letter.is_control() => Some("the path has a control character in it"),
            _ => None,
        })
    })
}

fn locked(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Resource for Path {
    fn answer(&mut self, now: Instant, request: &Incoming) -> Answer {
        let path = request.path();
        let Some(path) = plain(&path) else {
            return Code::NOT_FOUND.into();
        };
        let mut state = locked(&self.state);
        match request.method {
            Code::GET => match state.kept.get(now, path) {
                Some(value) => value.answer(now, request),
                None => Code::NOT_FOUND.into(),
            },
            Code::PUT | Code::POST if state.takes => {
                if state.kept.forbids(now, path, request) {
                    return Code::PRECONDITION_FAILED.into();
                }
                // RFC 8768 §3
                if request.options.uint(option::HOP_LIMIT) == Some(0) {
                    return Response::error(Code::BAD_REQUEST, "Hop-Limit is at least 1").into();
                }
                let segments: Vec<_> = request.options.all(option::URI_PATH).collect();
                match no_topic(&segments) {
                    Some(why) => Response::error(Code::BAD_REQUEST, why).into(),
                    None => state.post(now, request, path),
                }
            }
            _ => Code::METHOD_NOT_ALLOWED.into(),
        }
    }

    fn link(&self, link: Link) -> Option<Link> {
        let path = self.path.as_ref().filter(|_| self.is_listed)?;
        locked(&self.state).kept.link(path, link)
    }

    fn is_observable(&self) -> bool {
        self.path.is_some()
    }

    fn confirms(&self) -> bool {
        let state = locked(&self.state);
        self.path
            .as_ref()
            .is_none_or(|path| state.kept.confirms(path))
    }

    fn has_children(&self) -> bool {
        self.path.is_none()
    }
}

/// A server that listens.
struct Gateway {
    server: Server,
    state: Arc<Mutex<State>>,
}

impl Gateway {
    async fn open(listen: Listen, protection: &Protection, console: Console) -> Result<Self> {
        let state = Arc::new(Mutex::new(State::default()));
        let mut site = Site::new();
        site.add(
            "/",
            Path {
                state: Arc::clone(&state),
                path: None,
                is_listed: false,
            },
        );
        let mut server = Server::new(site, &[]);
        let (address, _) = protection.bind(listen, false, &mut server).await?;
        let scheme = listen.scheme.name();
        console.note(format_args!("listening on {scheme}://{address}"));
        Ok(Self { server, state })
    }

    fn settle(&mut self) {
        self.server.settle(&mut |_| {});
    }

    /// Serves until a message comes, or one has waited too long.
    async fn drive(&mut self) {
        let came = locked(&self.state).came;
        loop {
            self.settle();
            self.remove_over();
            let due = {
                let state = locked(&self.state);
                if state.came != came {
                    return;
                }
                state.due()
            };
            let at = due.unwrap_or_else(Instant::now).into();
            tokio::select! {
                biased;
                () = self.server.turn() => {}
                () = sleep_until(at), if due.is_some() => self.send_away(),
            }
        }
    }

    fn send_away(&mut self) {
        let now = Instant::now();
        loop {
            let late = locked(&self.state).late(now);
            let Some(exchange) = late else { return };
            self.server.respond(exchange, unavailable());
        }
    }

    /// Takes away what is not to be had any more.
    fn remove_over(&mut self) {
        let now = Instant::now();
        loop {
            let over = locked(&self.state).kept.remove_over(now);
            let Some(path) = over else { return };
            for at in [format!("{PREFIX}{path}"), path] {
                self.server.removed(&at);
            }
        }
    }

    /// Keeps the last message of a path.
    fn keep(&mut self, message: Message) -> Result<()> {
        let path = message.topic.to_string();
        let now = Instant::now();
        locked(&self.state).kept.keep(now, &path, message)?;
        for (at, is_listed) in [(path.clone(), true), (format!("{PREFIX}{path}"), false)] {
            if !self.server.site().has(&at) {
                let state = Arc::clone(&self.state);
                let path = Some(path.clone());
                let resource = Path {
                    state,
                    path,
                    is_listed,
                };
                self.server.site().add(&at, resource);
            }
            self.server.changed(&at);
        }
        Ok(())
    }
}

/// Where a source, a target or both of one server find it: the first of them opens it.
#[derive(Clone)]
pub(crate) struct Door {
    listen: Listen,
    protection: Protection,
    gateway: Rc<RefCell<Option<Shared>>>,
}

type Shared = Rc<RefCell<Gateway>>;

impl Door {
    /// `connect`: whose certificate is shown, as the command line says it of all servers.
    ///
    /// # Errors
    /// [`Kind::Usage`](crate::error::Kind::Usage): an encrypted listener without what it needs for that.
    pub(crate) fn new(listen: Listen, connect: &ConnectArgs) -> Result<Self> {
        let protection = Protection::of(connect);
        protection.suffices(listen.scheme).map_err(|lacking| {
            Error::usage(format!("{listen} needs {lacking}"))
                .hint("they are the certificate of this server; those of clients are asked for where --cafile is given")
        })?;
        Ok(Self {
            listen,
            protection,
            gateway: Rc::default(),
        })
    }

    /// Where it listens.
    pub(crate) const fn listen(&self) -> Listen {
        self.listen
    }

    async fn open(&self, console: Console) -> Result<Shared> {
        let known = self.gateway.borrow().clone();
        if let Some(gateway) = known {
            return Ok(gateway);
        }
        let gateway = Rc::new(RefCell::new(
            Gateway::open(self.listen, &self.protection, console).await?,
        ));
        self.gateway.replace(Some(Rc::clone(&gateway)));
        Ok(gateway)
    }

    /// The source: at most `window` messages wait to be taken.
    ///
    /// # Errors
    /// [`Kind::Local`](crate::error::Kind::Local): the address cannot be listened on.
    pub(crate) async fn source(&self, window: u16, console: Console) -> Result<Requested> {
        let gateway = self.open(console).await?;
        let state = Arc::clone(&gateway.borrow().state);
        {
            let mut state = locked(&state);
            (state.takes, state.window) = (true, window.into());
        }
        Ok(Requested {
            gateway,
            state,
            listens: false,
            settled: 0,
        })
    }

    /// The target.
    ///
    /// # Errors
    /// As [`Self::source`].
    pub(crate) async fn target(&self, console: Console) -> Result<Kept> {
        Ok(Kept {
            name: self.listen.to_string(),
            gateway: self.open(console).await?,
            done: Vec::new(),
        })
    }
}

/// Drives a gateway that two own, of whom the first does it for both.
#[expect(
    clippy::await_holding_refcell_ref,
    reason = "the other owner sees that it is borrowed, and waits"
)]
async fn drive(gateway: &RefCell<Gateway>) {
    match gateway.try_borrow_mut() {
        Ok(mut gateway) => gateway.drive().await,
        Err(_) => pending().await,
    }
}

/// The requests as a source of messages.
pub(crate) struct Requested {
    gateway: Shared,
    state: Arc<Mutex<State>>,
    /// Whether somebody knows that it does.
    listens: bool,
    settled: Number,
}

impl Requested {
    // cannot panic: a borrow lasts only while one owner drives, and nothing is asked of either meanwhile.
    fn answer(&mut self, number: Number, response: Response) {
        let waits = locked(&self.state).under_way.remove(&number);
        if let Some((exchange, _)) = waits {
            self.gateway.borrow_mut().server.respond(exchange, response);
        }
    }

    // cannot panic: as above.
    /// Tells all who wait that it ends.
    pub(crate) fn close(&mut self) {
        let mut gateway = self.gateway.borrow_mut();
        let waiting: Vec<Exchange> = {
            let mut state = locked(&self.state);
            state.takes = false;
            let posted = std::mem::take(&mut state.posted);
            let under_way = std::mem::take(&mut state.under_way);
            let under_way = under_way.into_values().map(|(exchange, _)| exchange);
            under_way
                .chain(posted.into_iter().map(|it| it.exchange))
                .collect()
        };
        for exchange in waiting {
            gateway.server.respond(exchange, unavailable());
        }
        gateway.settle();
    }
}

impl flow::Source for Requested {
    async fn drive(&mut self) -> Result<()> {
        {
            let mut state = locked(&self.state);
            state.held_since = None;
            let knows = std::mem::replace(&mut self.listens, true);
            if !knows || !state.posted.is_empty() {
                return Ok(());
            }
        }
        drive(&self.gateway).await;
        Ok(())
    }

    async fn hold(&mut self) -> Error {
        locked(&self.state)
            .held_since
            .get_or_insert_with(Instant::now);
        loop {
            drive(&self.gateway).await;
        }
    }

    fn take(&mut self, mut sink: impl FnMut(Next) -> Result<bool>) -> Result<()> {
        loop {
            let next = locked(&self.state).next();
            let Some(message) = next else {
                return Ok(());
            };
            if !sink(Next::Message(message))? {
                return Ok(());
            }
        }
    }

    fn settle(&mut self, count: u64) {
        for number in self.settled + 1..=self.settled + count {
            self.answer(number, Response::new(Code::CHANGED));
        }
        self.settled += count;
    }

    fn settle_one(&mut self, number: Number, fate: Fate) {
        let response = match fate {
            Fate::Accepted => Response::new(Code::CHANGED),
            Fate::Refused | Fate::Dropped => {
                Response::error(Code::BAD_GATEWAY, "the message was refused")
            }
            Fate::TooFar => {
                let text = "the message has been passed on too often";
                Response::error(Code::HOP_LIMIT_REACHED, text)
            }
            Fate::Filtered => Response::error(Code::NOT_FOUND, "nobody gets such messages"),
        };
        self.answer(number, response);
    }

    fn answers(&self) -> bool {
        true
    }

    fn awaits(&self) -> Option<String> {
        None
    }
}

/// The last messages of all paths as a target.
pub(crate) struct Kept {
    name: String,
    gateway: Shared,
    done: Vec<Progress>,
}

impl flow::Target for Kept {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn has_room(&self) -> bool {
        true
    }

    fn is_idle(&self) -> bool {
        self.done.is_empty()
    }

    // cannot panic: as above.
    fn take(&mut self, number: Number, message: Message) -> Result<()> {
        let kept = self.gateway.borrow_mut().keep(message);
        let outcome = kept.map_or_else(Outcome::Refused, |()| Outcome::Accepted);
        self.done.push(Progress::One(number, outcome));
        Ok(())
    }

    async fn drive(&mut self, into: &mut Vec<Progress>) -> Result<()> {
        if self.done.is_empty() {
            drive(&self.gateway).await;
        }
        into.append(&mut self.done);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_that_are_no_topics_are_told() {
        for (segments, why) in [
            (&[&b"a"[..], b"#"][..], "wildcard"),
            (&[b"a+"], "wildcard"),
            (&[b"a\0"], "control"),
            (&["\u{85}".as_bytes()], "control"),
            (&[b"\xff"], "UTF-8"),
            (&[b"a/b"], "a / in it"),
            (&[&b"a"[..]; 201], "200 segments"),
            (&[&[b'a'; 60_000][..], &[b'a'; 5_536]], "65535 bytes"),
        ] {
            let told = no_topic(segments);
            assert!(
                told.is_some_and(|told| told.contains(why)),
                "{told:?} {why}"
            );
        }
        assert_eq!(no_topic(&[&b"a"[..], b"", "é".as_bytes()]), None);
        assert_eq!(no_topic(&[&[b'a'; 60_000][..], &[b'a'; 5_534]]), None);
        let mut deep = vec![&b"a"[..]; 201];
        deep[0] = b"ps";
        assert_eq!(no_topic(&deep), None);
    }

    #[test]
    fn a_path_means_the_same_with_and_without_its_prefix() {
        for (path, meant) in [
            ("/a/b", Some("/a/b")),
            ("/ps/a/b", Some("/a/b")),
            ("/psa", Some("/psa")),
            ("/ps", Some("/ps")),
            ("/ps/", None),
            ("/", None),
        ] {
            assert_eq!(plain(path), meant, "{path}");
        }
    }
}
