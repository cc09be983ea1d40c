//! A connection over which one thing after the other is asked: with what the messages are shown and kept by, and
//! with a second way to ask for proxies that do not know the first.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use tokio::time::sleep_until;

use super::super::trace::Trace;
use super::record;
use super::session::{Place, SessionArgs};
use crate::coap::code::Code;
use crate::coap::endpoint::{
    Arrived, Cancel, Config, Event, Exchange, Handle, Peer, Request, Response,
};
use crate::coap::net::{Capture, Client, Direction, Seen, Tap};
use crate::coap::option::{self, Options};
use crate::coap::uri::{Host, Uri};
use crate::connect::within;
use crate::error::{Error, Result};
use crate::output::Console;

/// How a request tells a proxy what is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ProxyMode {
    /// The first way, and where a proxy does not know it the second.
    #[default]
    Auto,
    /// Proxy-Scheme beside the Uri options.
    Scheme,
    /// Proxy-Uri, which holds all of it.
    Uri,
}

/// Who sees the messages of a command: `--trace` and `--pcap`.
pub(crate) struct Tracer {
    notes: Console,
    trace: Option<Trace>,
    capture: Option<Arc<Mutex<Kept>>>,
    held_off: HeldOff,
}

/// Before when servers, by target, do not want to be connected to again.
type HeldOff = Arc<Mutex<HashMap<String, Instant>>>;

/// A capture, and why it could not be gone on with.
struct Kept {
    capture: Capture,
    failure: Option<std::io::Error>,
}

impl Tracer {
    /// Creates the file of `--pcap`, if one was asked for.
    pub(crate) fn open(session: &SessionArgs, notes: Console) -> Result<Self> {
        let create = |path: &std::path::PathBuf| {
            let cannot =
                |cause| Error::local(format_args!("cannot write {}", path.display()), &cause);
            let capture = Capture::create(path).map_err(cannot)?;
            let failure = None;
            Ok::<_, Error>(Arc::new(Mutex::new(Kept { capture, failure })))
        };
        Ok(Self {
            notes,
            trace: session.trace.then(|| Trace::new(notes)),
            capture: session.pcap.as_ref().map(create).transpose()?,
            held_off: HeldOff::default(),
        })
    }

    fn tap(&self) -> Option<Tap> {
        if self.trace.is_none() && self.capture.is_none() {
            return None;
        }
        let trace = self.trace;
        let capture = self.capture.clone();
        Some(Tap::new(move |seen| {
            if let Some(trace) = trace {
                show(trace, &seen);
            }
            if let Some(kept) = &capture {
                kept.lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .add(&seen);
            }
        }))
    }

    /// Before when the server does not want to be connected to again, if that is still to come.
    pub(crate) fn held_off(&self, place: &Place) -> Option<Instant> {
        let held_off = self.held_off.lock();
        let held_off = held_off.unwrap_or_else(PoisonError::into_inner);
        let until = held_off.get(&place.target.to_string()).copied();
        until.filter(|it| *it > Instant::now())
    }

    /// Whether everything that was seen is in the file.
    pub(crate) fn finish(&self, session: &SessionArgs) -> Result<()> {
        let (Some(kept), Some(path)) = (&self.capture, &session.pcap) else {
            return Ok(());
        };
        let kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        let cannot = |cause| Error::local(format_args!("cannot write {}", path.display()), cause);
        kept.failure.as_ref().map(cannot).map_or(Ok(()), Err)
    }
}

impl Kept {
    fn add(&mut self, seen: &Seen<'_>) {
        if self.failure.is_none() {
            self.failure = self.capture.add(SystemTime::now(), seen).err();
        }
    }
}

fn show(trace: Trace, seen: &Seen<'_>) {
    let what = match &seen.message {
        Ok(message) => record::line(message, !seen.transport.is_reliable()),
        Err(fault) => format!("not CoAP: {fault}"),
    };
    let sent = seen.direction == Direction::Out;
    trace.line(sent, format_args!("{} {what}", seen.peer));
}

/// A connection, and the one request that goes on over it.
pub(crate) struct RequestClient {
    client: Client,
    handle: Option<Handle>,
    /// The same request for a proxy that does not know Proxy-Scheme.
    otherwise: Option<Request>,
    /// Where it leads.
    target: String,
    held_off: HeldOff,
}

impl RequestClient {
    /// A connection to where `place` is asked.
    pub(crate) async fn open(session: &SessionArgs, watch: &Tracer, place: &Place) -> Result<Self> {
        let limit = session.transfer.timeout;
        Self::open_with(session.config(), limit, watch, place).await
    }

    /// The same with settings of its own, within `limit`.
    pub(crate) async fn open_with(
        config: Config,
        limit: Option<Duration>,
        watch: &Tracer,
        place: &Place,
    ) -> Result<Self> {
        let target = &place.target;
        if target.is_insecure() {
            let what = target.rpk.as_ref().map_or("certificate", |_| "public key");
            let text = format!("the {what} of {target} is not verified (--insecure)");
            watch.notes.warn(text);
        }
        if let Some(until) = watch.held_off(place) {
            let left = (until - Instant::now()).as_secs() + 1;
            let text =
                format!("{target} released the connection: reconnecting is allowed in {left} s");
            watch.notes.note(text);
            sleep_until(until.into()).await;
        }
        let connecting = Client::connect(target, config, watch.tap());
        let client = within(limit, target, connecting).await?;
        if place.proxied && client.is_group() {
            return Err(Error::usage("a multicast group cannot be a proxy"));
        }
        Ok(Self {
            client,
            handle: None,
            otherwise: None,
            target: target.to_string(),
            held_off: Arc::clone(&watch.held_off),
        })
    }

    /// Begins a request, of which nothing is known to be wrong.
    pub(crate) fn ask(
        &mut self,
        place: &Place,
        mode: ProxyMode,
        mut request: Request,
    ) -> Result<()> {
        self.otherwise = None;
        if place.proxied {
            let mut whole = request.clone();
            spell_as_uri(&mut whole.options, &place.uri);
            let fits = whole
                .options
                .first(option::PROXY_URI)
                .is_some_and(|it| it.len() <= 1034);
            match mode {
                ProxyMode::Uri if !fits => {
                    let text = "the URI is longer than 1034 bytes, the limit of Proxy-Uri";
                    return Err(
                        Error::usage(text).hint("use --proxy-mode scheme, which has no such limit")
                    );
                }
                ProxyMode::Uri => request = whole,
                ProxyMode::Auto if fits => self.otherwise = Some(whole),
                ProxyMode::Auto | ProxyMode::Scheme => {}
            }
        }
        let begun = self.client.request(request);
        let handle = begun.map_err(|refused| Error::usage(refused.to_string()))?;
        self.handle = Some(handle);
        Ok(())
    }

    /// The next event. Cancel-safe.
    pub(crate) async fn next(&mut self) -> Event {
        loop {
            let event = self.client.next().await;
            if let Event::Reply { reply, .. } = &event
                && is_unknown_way(reply.response.code)
                && let Some(request) = self.otherwise.take()
                && let Ok(handle) = self.client.request(request)
            {
                self.handle = Some(handle);
                continue;
            }
            return event;
        }
    }

    /// What has come so far of the body of the response.
    pub(crate) fn arrived(&self) -> Option<Arrived<'_>> {
        self.client.arrived(self.handle?)
    }

    /// Ends the request.
    pub(crate) fn cancel(&mut self, how: Cancel) {
        if let Some(handle) = self.handle.take() {
            self.client.cancel(handle, how);
        }
    }

    /// Answers a request of the peer's.
    pub(crate) fn respond(&mut self, exchange: Exchange, response: Response) {
        self.client.respond(exchange, response);
    }

    pub(crate) const fn peer(&self) -> Peer {
        self.client.peer()
    }

    /// Sends a ping; its answer is an event.
    pub(crate) fn ping(&mut self, deadline: Duration) -> Handle {
        self.client.ping(deadline)
    }

    /// The address that is in use.
    pub(crate) const fn remote(&self) -> SocketAddr {
        self.client.remote()
    }

    pub(crate) const fn is_group(&self) -> bool {
        self.client.is_group()
    }

    pub(crate) const fn is_datagram(&self) -> bool {
        self.client.is_datagram()
    }

    /// Whether it leads to this target and still can be asked over.
    pub(crate) fn leads_to(&self, target: &str) -> bool {
        self.target == target && !self.client.is_gone()
    }

    pub(crate) async fn close(&mut self) {
        self.client.close().await;
    }
}

impl Drop for RequestClient {
    fn drop(&mut self) {
        if let Some(until) = self.client.held_off() {
            let held_off = self.held_off.lock();
            let mut held_off = held_off.unwrap_or_else(PoisonError::into_inner);
            held_off.insert(std::mem::take(&mut self.target), until);
        }
    }
}

/// What a proxy says that wants Proxy-Uri: a critical option that it does not know, or no such way to proxy.
fn is_unknown_way(code: Code) -> bool {
    matches!(code, Code::BAD_OPTION | Code::NOT_IMPLEMENTED)
}

/// Tells a proxy by Proxy-Scheme and the Uri options what is asked for. Where the port is not said, it would be the
/// proxy's own (RFC 7252 §5.10.1).
pub(crate) fn spell_by_scheme(options: &mut Options, uri: &Uri, proxy_port: u16) {
    options.push_text(option::PROXY_SCHEME, uri.scheme.name());
    match &uri.host {
        Host::Name(name) => options.push_text(option::URI_HOST, name),
        address => options.push_text(option::URI_HOST, &address.to_string()),
    }
    let usual = uri.scheme.default_port();
    if uri.port != usual || proxy_port != usual {
        options.push_uint(option::URI_PORT, uri.port.into());
    }
    uri.add_local_to(options);
}

/// The same by Proxy-Uri alone; path and query are those of the options, which may say more than the URI.
fn spell_as_uri(options: &mut Options, uri: &Uri) {
    let whole = Uri {
        path: options.texts(option::URI_PATH),
        query: options.texts(option::URI_QUERY),
        ..uri.clone()
    };
    for number in [
        option::PROXY_SCHEME,
        option::URI_HOST,
        option::URI_PORT,
        option::URI_PATH,
        option::URI_QUERY,
    ] {
        options.remove(number);
    }
    options.push_text(option::PROXY_URI, &whole.to_string());
}

/// What a signal says while an answer is waited for.
pub(crate) const INTERRUPTED: &str = "interrupted while waiting for a response";

/// The next event of the connection that is kept; without one there is none. Cancel-safe.
pub(crate) async fn next_of(kept: &mut Option<RequestClient>) -> Event {
    match kept {
        Some(connection) => connection.next().await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(uri: &str, proxy_port: u16) -> (Uri, Options) {
        let uri = Uri::parse(uri).expect(uri);
        let mut options = Options::new();
        spell_by_scheme(&mut options, &uri, proxy_port);
        (uri, options)
    }

    #[test]
    fn a_proxy_is_told_host_and_port_where_they_are_not_its_own() {
        let (_, plain) = options("coap://h/a?b", 5683);
        assert_eq!((plain.len(), plain.uint(option::URI_PORT)), (4, None));
        let (_, other) = options("coap://[::1]/a", 9000);
        assert_eq!(other.texts(option::URI_HOST), ["[::1]"]);
        assert_eq!(other.uint(option::URI_PORT), Some(5683));
        let (_, tcp) = options("coaps+tcp://h:1/", 5683);
        assert_eq!(tcp.texts(option::PROXY_SCHEME), ["coaps+tcp"]);
        assert_eq!(tcp.uint(option::URI_PORT), Some(1));
    }

    #[test]
    fn both_ways_say_the_same() {
        let (uri, mut both) = options("coap://h:1234/a%2Fb?c=d", 5683);
        both.push_text(option::URI_QUERY, "more");
        spell_as_uri(&mut both, &uri);
        assert_eq!(both.len(), 1);
        let spelled = both.texts(option::PROXY_URI);
        assert_eq!(spelled, ["coap://h:1234/a%2Fb?c=d&more"]);
    }
}
