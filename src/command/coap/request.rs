//! `coap get`, `put`, `post`, `delete`, `fetch`, `patch` and `ipatch`: one request to each of several URIs.

mod files;
mod plan;

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::HashSet;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use bytestring::ByteString;
use data_encoding::HEXLOWER;
use futures_util::future::{FutureExt, LocalBoxFuture};
use tokio::time::sleep;

use self::files::{read_etag, replaced};
use super::client::{RequestClient, Tracer, next_of};
use super::download::Download;
use super::progress::Meter;
use super::record::{hop_limit, is_unconfirmed, max_age, record};
use super::session::{Place, failed, is_absence, is_outage, refused, retry_after};
use crate::coap::code::Code;
use crate::coap::endpoint::{Arrived, Event, Reply, Request};
use crate::coap::option;
use crate::coap::uri::{self, Uri};
use crate::connect::{Backoff, Retry};
use crate::error::{Error, Kind, Result};
use crate::flow::{self, Input, Number, Outcome, Progress, Target, Unit};
use crate::message::{Detail, Message};
use crate::output::{Console, Format, Output};
use crate::payload::expect::Scope;
use crate::payload::{Bodies, Destination, Outline};
use crate::stop::Stop;

pub(crate) use plan::{Delivery, Plan};

/// Asks, one URI after the other.
///
/// # Errors
/// Of one URI: its failure; of several: the kind of the first failure, and how many there were.
pub(crate) async fn run(plan: Plan) -> Result<()> {
    plan.stages.load()?;
    let places = plan.session.places()?;
    let names: Vec<ByteString> = places.iter().map(|it| it.uri.to_string().into()).collect();
    let outline = Outline {
        topics: names.iter().cloned().map(Destination::new).collect(),
        detail: Detail::Coap(Box::default()),
        ..Outline::default()
    };
    // Before signals are watched for: a file may be a pipe that nobody writes to.
    let bodies = Bodies::open(&plan.source, plan.encoding)?.like(outline);
    let mut stop = Stop::watch()?;
    let notes = Console::new(plan.style);
    if let Some(file) = plan.source.named_file() {
        notes.note(file);
    }
    let written = Cell::new(0);
    let named = names.into_iter().zip(&places).collect();
    let requests = Requests::open(&plan, named, &written)?;
    let mut input = Input::new(bodies, &plan.pacing);
    let (ended, mut requests) =
        flow::send_mapped(&mut input, requests, &plan.outgoing, &plan.until, &mut stop).await;
    let closed = stop.close(requests.close()).await.unwrap_or(Ok(()));
    drop(requests);
    input.report(notes);
    ended.and(closed).map_err(|error| match written.get() {
        0 => error,
        _ if error.hint_text().is_some() => error,
        written => error.hint(format!("rerun the command to resume at byte {written}")),
    })
}

/// Requests as a target of bodies: each is accepted when it was answered as it should be. One goes on at a time.
pub(crate) struct Requests<'a> {
    plan: &'a Plan,
    /// With their names.
    places: Vec<(ByteString, &'a Place)>,
    /// Those of several URIs of which a failure was shown.
    failing: HashSet<ByteString>,
    /// While nothing goes on.
    asker: Option<Box<Asker<'a>>>,
    running: Option<(Number, Running<'a>)>,
}

/// A request that goes on; who asks comes back with how it ended.
type Running<'a> = LocalBoxFuture<'a, (Box<Asker<'a>>, ByteString, Result<()>)>;

impl<'a> Requests<'a> {
    /// Requests to these places, each with its name; there is one at least.
    pub(crate) fn open(
        plan: &'a Plan,
        places: Vec<(ByteString, &'a Place)>,
        written: &'a Cell<u64>,
    ) -> Result<Self> {
        Ok(Self {
            plan,
            failing: HashSet::new(),
            asker: Some(Box::new(Asker::open(plan, &places[0].1.uri, written)?)),
            places,
            running: None,
        })
    }

    /// What a message goes to: one of the URIs, or, for a record, its path on the host of the first; what is delivered goes below
    /// the path that it has.
    fn place(&self, name: &str) -> Result<Cow<'a, Place>> {
        let named = self.places.iter().find(|(own, _)| own == name);
        // There is one at least; a message without a topic is for the only one.
        let (_, place) = named.unwrap_or(&self.places[0]);
        if named.is_some() || name.is_empty() {
            return Ok(Cow::Borrowed(*place));
        }
        // A reference to another host would still go to this one.
        let refused = |why: &str| Error::new(Kind::Refused, format!("{name}: {why}"));
        if name.starts_with("//") || Uri::is_absolute(name) {
            return Err(refused(
                "a record goes to the server of the command; its topic is a path",
            ));
        }
        let uri = match self.plan.delivers {
            Some(_) => place.uri.beneath(name),
            None => place.uri.join(name),
        };
        let uri = uri.map_err(|why| refused(&why.to_string()))?;
        Ok(Cow::Owned(Place {
            uri,
            ..Place::clone(place)
        }))
    }

    /// Shows the first failure of each of several URIs; the account tells the rest.
    fn failed(&mut self, name: ByteString, error: &Error, notes: Console) {
        let is_one = self.places.iter().any(|(own, _)| *own == name);
        if is_one && self.places.len() > 1 && self.failing.insert(name) {
            notes.warn(error);
        }
    }

    pub(crate) async fn close(&mut self) -> Result<()> {
        let Some(mut asker) = self.asker.take() else {
            return Ok(());
        };
        if let Some(client) = &mut asker.client {
            client.close().await;
        }
        asker.meter.finish();
        asker.watch.finish(&self.plan.session)
    }
}

impl Target for Requests<'_> {
    fn name(&self) -> String {
        self.places[0].1.target.to_string()
    }

    fn unit(&self) -> Unit {
        Unit::Request
    }

    fn has_room(&self) -> bool {
        self.running.is_none()
    }

    fn is_idle(&self) -> bool {
        self.running.is_none()
    }

    fn take(&mut self, number: Number, message: Message) -> Result<()> {
        let place = self.place(&message.topic);
        let Some(mut asker) = self.asker.take() else {
            return Ok(());
        };
        asker.payload = message.payload;
        let coap = match &message.detail {
            Detail::Coap(coap) => Some(&**coap),
            _ => None,
        };
        asker.content_format = coap.and_then(|it| it.content_format);
        if let (Some(coap), Some(Delivery { retry, .. })) = (coap, asker.plan.delivers) {
            asker.max_age = max_age(coap);
            asker.hop_limit = hop_limit(coap);
            asker.confirmable = !is_unconfirmed(coap);
            asker.patience = patience(retry).filter(|_| !asker.confirmable);
        }
        let asking = async move {
            let answered = match place {
                Ok(place) => match asker.plan.delivers {
                    Some(delivery) => asker.deliver(&place, delivery).await,
                    None => asker.ask(&place).await,
                },
                Err(error) => Err(error),
            };
            (asker, message.topic, answered)
        };
        self.running = Some((number, asking.boxed_local()));
        Ok(())
    }

    /// A signal, while something goes on: its answer is not waited for unless that was asked for.
    fn finish(&mut self) {
        self.running = self
            .running
            .take()
            .filter(|_| self.plan.until.drain.is_some());
    }

    async fn drive(&mut self, into: &mut Vec<Progress>) -> Result<()> {
        let Some((number, running)) = &mut self.running else {
            // The peer is answered meanwhile.
            let Some(asker) = &mut self.asker else {
                return std::future::pending().await;
            };
            let event = next_of(&mut asker.client).await;
            tell(&event, asker.notes, self.plan.session.verbose);
            return Ok(());
        };
        let (number, (asker, name, answered)) = (*number, running.await);
        self.running = None;
        let notes = asker.notes;
        self.asker = Some(asker);
        let outcome = match answered {
            Ok(()) => Outcome::Accepted,
            Err(error) if error.kind() == Kind::ReaderGone => return Err(error),
            Err(error) => {
                self.failed(name, &error, notes);
                Outcome::Refused(error)
            }
        };
        into.push(Progress::One(number, outcome));
        Ok(())
    }
}

/// How long the answer to a request that nobody acknowledges is waited for at first, before it is made again: as long as one that
/// is acknowledged waits at most (RFC 7252 §4.8, ACK_TIMEOUT and ACK_RANDOM_FACTOR).
const UNACKNOWLEDGED: Duration = Duration::from_secs(3);
const LONGEST_UNACKNOWLEDGED: Duration = Duration::from_secs(96);

/// `None`: as long as any, where it is made only once.
const fn patience(retry: Retry) -> Option<Duration> {
    match retry {
        Retry::Never => None,
        Retry::For(_) | Retry::Forever => Some(UNACKNOWLEDGED),
    }
}

/// How an answer ends a request.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Answered {
    /// It does.
    Yes,
    /// It must be asked again, from the beginning.
    NoSuchBlock,
}

/// Who asks.
struct Asker<'a> {
    plan: &'a Plan,
    output: Output,
    notes: Console,
    watch: Tracer,
    payload: Bytes,
    /// What a record says that the payload is.
    content_format: Option<u16>,
    /// For how many seconds a message that is delivered is worth anything.
    max_age: Option<u32>,
    /// How many more may pass it on.
    hop_limit: Option<u8>,
    /// Whether the server is to acknowledge a message that is delivered.
    confirmable: bool,
    /// How long the answer is waited for where it is not, unless that is left to the session.
    patience: Option<Duration>,
    etag: Option<Bytes>,
    /// What `--resume` goes on with.
    download: Option<Download>,
    /// How many bytes of it are there.
    written: &'a Cell<u64>,
    meter: Meter,
    /// How long the server of the last request wants to be left alone, as it could not answer.
    retry_after: Option<Duration>,
    /// The connection of the last request; the next one may use it again.
    client: Option<RequestClient>,
}

impl<'a> Asker<'a> {
    /// Reads what has to be read before anything is sent.
    fn open(plan: &'a Plan, first: &Uri, written: &'a Cell<u64>) -> Result<Self> {
        let notes = Console::new(plan.style);
        let part = plan.file.as_ref().filter(|_| plan.resume);
        Ok(Self {
            plan,
            output: Output::open(plan.format.clone(), plan.style)?,
            notes,
            watch: Tracer::open(&plan.session, notes)?,
            payload: Bytes::new(),
            content_format: None,
            max_age: None,
            hop_limit: None,
            confirmable: true,
            patience: None,
            etag: match &plan.etag_file {
                Some(path) => read_etag(path)?,
                None => None,
            },
            download: part
                .map(|path| Download::open(path, first.to_string()))
                .transpose()?,
            written,
            meter: Meter::new(plan.style),
            retry_after: None,
            client: None,
        })
    }

    /// Asks, and shows the answer.
    async fn ask(&mut self, place: &Place) -> Result<()> {
        let answered = self.exchange(place).await;
        let written = self.download.as_ref().map_or(0, Download::written);
        self.written.set(written);
        self.output.flush().await?;
        answered
    }

    /// Asks until the server has it, or does not want it.
    async fn deliver(&mut self, place: &Place, delivery: Delivery) -> Result<()> {
        let mut backoff = Backoff::new(delivery.retry);
        let mut left = delivery.retries;
        loop {
            let answered = self.exchange(place).await;
            let Err(error) = answered else {
                return Ok(());
            };
            let asked = self.retry_after.take();
            // As if it were the same message again.
            self.patience = self.patience.map(|it| (it * 2).min(LONGEST_UNACKNOWLEDGED));
            let outage = asked.is_some()
                || matches!(
                    error.kind(),
                    Kind::Unreachable | Kind::Lost | Kind::TimedOut
                );
            // Who answers that it cannot now is there, unlike who is not reached.
            let gives_up = asked.is_some() && left == Some(0);
            if asked.is_some() {
                left = left.map(|left| left.saturating_sub(1));
            }
            let wait = backoff.next(Instant::now());
            let Some(wait) = wait.filter(|_| outage && !gives_up) else {
                return Err(error);
            };
            let wait = wait.max(asked.unwrap_or_default());
            let shown = humantime::format_duration(Duration::from_millis(wait.as_millis() as u64));
            if backoff.tells(error.text(), Instant::now()) {
                self.notes
                    .warn(format_args!("{error}; retrying in {shown}"));
            }
            sleep(wait).await;
        }
    }

    async fn exchange(&mut self, place: &Place) -> Result<()> {
        let (plan, notes) = (self.plan, self.notes);
        let name = place.target.to_string();
        // One that leads elsewhere is gone before the next begins: its OSCORE context may be needed again.
        let same = self.client.take().filter(|it| it.leads_to(&name));
        let mut client = match same {
            Some(client) => client,
            None => RequestClient::open(&plan.session, &self.watch, place).await?,
        };
        let request = self.request(&client, place)?;
        plan.session.show_request(&request, &place.uri, notes);
        client.ask(place, plan.session.proxy_mode, request)?;
        let mut answered = self.answers(&mut client, place).await;
        if matches!(answered, Ok(Answered::NoSuchBlock)) {
            notes.note("the server cannot resume the transfer; starting over");
            let request = self.request(&client, place)?;
            client.ask(place, plan.session.proxy_mode, request)?;
            answered = self.answers(&mut client, place).await;
        }
        // One who was started anew knows nothing of this connection, or of its keys.
        if !matches!(&answered, Err(error) if is_absence(error)) {
            self.client = Some(client);
        }
        answered.map(drop)
    }

    fn request(&self, client: &RequestClient, place: &Place) -> Result<Request> {
        let mut request = self.plan.session.request(client, place, self.plan.method)?;
        self.plan.wording.apply(&mut request);
        request.payload = self.payload.clone();
        if let Some(format) = self.content_format {
            request.options.remove(option::CONTENT_FORMAT);
            request
                .options
                .push_uint(option::CONTENT_FORMAT, format.into());
        }
        if let Some(seconds) = self.max_age {
            request.options.set_uint(option::MAX_AGE, seconds.into());
        }
        if let Some(limit) = self.hop_limit {
            request.options.set_uint(option::HOP_LIMIT, limit.into());
        }
        request.confirmable &= self.confirmable;
        if let Some(patience) = self.patience.filter(|_| client.is_datagram()) {
            let longest = request.deadline.unwrap_or(patience);
            request.deadline = Some(patience.min(longest));
        }
        request.resume = self.download.as_ref().and_then(Download::resume);
        if let Some(etag) = &self.etag {
            request.options.push(option::ETAG, etag.clone());
        }
        Ok(request)
    }

    /// Waits for the answer, or for those of a group.
    async fn answers(&mut self, client: &mut RequestClient, place: &Place) -> Result<Answered> {
        let mut came = 0;
        loop {
            match client.next().await {
                Event::Reply { reply, .. } => {
                    came += 1;
                    self.meter.finish();
                    if self.is_no_such_block(&reply) {
                        self.download = self.download.take().map(Download::without_past);
                        return Ok(Answered::NoSuchBlock);
                    }
                    let shown = self.answer(&reply, place, client.is_datagram()).await;
                    if !client.is_group() {
                        return shown.map(|()| Answered::Yes);
                    }
                    shown?;
                    self.notes
                        .note(format_args!("response from {}", reply.from));
                    self.output.flush().await?;
                }
                Event::Finished { .. } if client.is_group() && came == 0 => {
                    let text = format!("{}: no response", place.uri);
                    return Err(Error::new(Kind::Refused, text));
                }
                Event::Finished { .. } => return Ok(Answered::Yes),
                Event::Progress {
                    sent,
                    received,
                    total,
                    ..
                } => self.progress(client, (sent, received, total))?,
                Event::Failed {
                    failure, partial, ..
                } => return Err(failed(place, &failure, partial.as_ref())),
                other => tell(&other, self.notes, self.plan.session.verbose),
            }
        }
    }

    fn progress(
        &mut self,
        client: &RequestClient,
        (sent, received, total): (usize, usize, Option<usize>),
    ) -> Result<()> {
        match received {
            0 => self.meter.at(sent, Some(self.payload.len())),
            _ => self.meter.at(received, total),
        }
        if let (Some(download), Some(arrived)) = (&mut self.download, client.arrived()) {
            download.take(&arrived)?;
            self.written.set(download.written());
        }
        Ok(())
    }

    /// Whether a server refuses to go on in the middle: the body may be shorter now.
    fn is_no_such_block(&self, reply: &Reply) -> bool {
        let resumed = self.download.as_ref().and_then(Download::resume);
        resumed.is_some() && matches!(reply.response.code, Code::BAD_REQUEST | Code::BAD_OPTION)
    }

    /// Puts the body of an answer into the file.
    async fn keep(&mut self, path: &Path, reply: &Reply) -> Result<()> {
        let response = &reply.response;
        if let Some(download) = self.download.take() {
            return download.finish(&Arrived {
                offset: reply.offset,
                body: &response.payload,
                etag: response.options.etag(),
            });
        }
        replaced(path, response.payload.clone()).await
    }

    async fn answer(&mut self, reply: &Reply, place: &Place, datagram: bool) -> Result<()> {
        self.plan.session.show_reply(reply, self.notes);
        let code = reply.response.code;
        let json = matches!(self.plan.format, Format::Json { .. });
        // A server need not know 2.03: the same ETag says the same.
        let etag = reply.response.options.etag();
        let known = code == Code::VALID || etag.is_some() && etag == self.etag.as_ref();
        if let Some(path) = self
            .plan
            .file
            .as_ref()
            .filter(|_| code.is_success() && !known)
        {
            self.keep(path, reply).await?;
        } else if self.plan.delivers.is_none()
            && (code.is_success() && !known && !self.is_nothing(reply) || json)
        {
            let message = self.message(reply, place, datagram);
            self.output.message(&self.plan.stages.decoded(message))?;
            self.output.end_line();
        }
        if !code.is_success() {
            self.retry_after = is_outage(code).then(|| retry_after(reply));
            return Err(refused(&place.uri, reply));
        }
        if known {
            self.notes
                .note(format_args!("{} has not changed", place.uri));
        }
        if let Some(location) = uri::location_of(&reply.response.options) {
            self.notes.note(format_args!("{:?} at {location}", code));
        }
        self.keep_etag(reply).await?;
        let message = self.message(reply, place, datagram);
        let scope = Scope {
            now: Some(SystemTime::now()),
            ..Scope::default()
        };
        self.plan.stages.check(&message, &scope)
    }

    fn message(&self, reply: &Reply, place: &Place, datagram: bool) -> Message {
        let mut message = record(&place.uri, reply, None, datagram);
        self.plan.stages.prepare(&mut message);
        message
    }

    /// Whether an answer says no more than that it is one: lines without anything in them are of no use.
    fn is_nothing(&self, reply: &Reply) -> bool {
        let reads = matches!(self.plan.method, Code::GET | Code::FETCH);
        let bare = matches!(
            self.plan.format,
            Format::Text { .. } | Format::Hex { .. } | Format::Base64 { .. }
        );
        bare && !reads && reply.response.payload.is_empty()
    }

    /// Stores the ETag of what was shown; the file does not keep that of another body.
    async fn keep_etag(&mut self, reply: &Reply) -> Result<()> {
        let Some(path) = &self.plan.etag_file else {
            return Ok(());
        };
        // What was not shown is not known either.
        self.output.flush().await?;
        let text = match reply.response.options.etag() {
            Some(etag) => HEXLOWER.encode(etag) + "\n",
            None if reply.response.code == Code::VALID || self.etag.is_none() => return Ok(()),
            None => String::new(),
        };
        self.etag = reply.response.options.etag().cloned();
        replaced(path, text.into()).await
    }
}

/// What happened on the way, for whoever watches.
pub(crate) fn tell(event: &Event, notes: Console, verbose: bool) {
    let text = match event {
        Event::Retransmitted { attempt, of, .. } => {
            format!("no response yet, sent again ({attempt} of {of})")
        }
        Event::Acknowledged { .. } => String::from("acknowledged; waiting for a separate response"),
        Event::Ignored { peer, ignored } => format!("from {peer}, ignored: {ignored}"),
        Event::IdsAgain { .. } => {
            let text = "more than 65536 messages within 247 s: a server that remembers message IDs may respond with old blocks; larger blocks or coap+tcp need fewer";
            return notes.warn(text);
        }
        Event::NumbersStandStill { last, found, .. } => {
            let text = format!(
                "the server's Observe numbers do not go up ({found} after {last}): such notifications count as old and are left out, for 128 s at most"
            );
            return notes.warn(text);
        }
        Event::Reregistered { .. } => {
            String::from("no notification within Max-Age; registered again")
        }
        _ => return,
    };
    if verbose {
        notes.plain(format_args!("* {text}"));
    } else if !matches!(event, Event::Ignored { .. }) {
        notes.progress(text);
    }
}
