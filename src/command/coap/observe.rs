//! `coap observe`: notifications of a resource, until there are enough.

use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::time::{sleep_until, timeout};

use super::client::{RequestClient, Tracer};
use super::decode::{Decode, fulfils};
use super::exec::Runs;
use super::record::record;
use super::request::{decoded, expected, tell};
use super::session::{Place, SessionArgs, Wording, failed, refused};
use crate::coap::code::Code;
use crate::coap::endpoint::{Cancel, Event, Failure, Reply};
use crate::connect::{Backoff, Retry};
use crate::error::{Error, Kind, Result};
use crate::flow::Exec;
use crate::output::{Console, Format, Output, Style};
use crate::payload::expect::Condition;
use crate::payload::{Bodies, Encoding, Source};
use crate::stop::Stop;

/// How long the server may take to confirm that the observation is over.
const FAREWELL: Duration = Duration::from_secs(2);

/// How long the answer to a ping may take.
const PONG: Duration = Duration::from_secs(30);

/// How long after that late notifications are still answered, so that they are not sent again and again.
const LINGER: Duration = Duration::from_millis(50);

/// What is observed, and for how long.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Where, and how.
    pub session: SessionArgs,
    /// What the request says that is mostly left to us.
    pub wording: Wording,
    /// GET or FETCH.
    pub method: Code,
    /// End after so many notifications, the first answer included; at least 1.
    pub count: Option<u64>,
    /// Fail after this long.
    pub timeout: Option<Duration>,
    /// End after this long: a success.
    pub duration: Option<Duration>,
    /// End when nothing came for this long: a success.
    pub idle: Option<Duration>,
    /// End when a notification fulfils this: the only success then.
    pub until: Option<Condition>,
    /// What every notification must fulfil.
    pub expect: Vec<Condition>,
    /// Run a command for each notification instead of showing it.
    pub exec: Option<Exec>,
    /// The body of a FETCH, and how it is spelled.
    pub source: Source,
    /// How the body is spelled.
    pub encoding: Encoding,
    /// Register again when nothing came within Max-Age.
    pub reregister: bool,
    /// Whether to observe again when the server was lost.
    pub retry: Retry,
    /// Ping the server this often.
    pub keep_alive: Option<Duration>,
    /// Tell the server when it is over.
    pub deregister: bool,
    /// How the body of a notification is decoded, if it is.
    pub decode: Option<Decode>,
    /// How a notification is shown.
    pub format: Format,
    /// What the terminal shows.
    pub style: Style,
}

/// Observes.
///
/// # Errors
/// A refusal, a resource that cannot be observed, a deadline, a signal.
pub async fn run(plan: Plan) -> Result<()> {
    let place = plan.session.only_place()?;
    let mut stop = Stop::watch()?;
    let output = Output::open(plan.format.clone(), plan.style)?;
    let notes = Console::new(plan.style);
    let watch = Tracer::open(&plan.session, notes)?;
    let mut observer = Observer::new(&plan, &place, output, notes);
    let mut client = None;
    let ended = observer.observe(&watch, &mut client, &mut stop).await;
    if ended.is_err() {
        // What came before is shown, if its reader still reads.
        let showing = timeout(FAREWELL, observer.output.flush());
        let _ = stop.unless_again(showing).await;
    }
    if let Some(mut client) = client {
        if observer.registered {
            stop.unless_again(close_timeout(&mut client, plan.deregister))
                .await;
        }
        client.close().await;
    }
    let ended = match &mut observer.runs {
        Some(runs) if ended.is_ok() => stop.unless_again(runs.finish()).await,
        _ => ended,
    };
    ended.and_then(|()| watch.finish(&plan.session))
}

/// What a signal says before the observation has begun.
const CONNECTING: &str = "interrupted while connecting";

/// What a FETCH asks for; nothing for a GET.
async fn body(plan: &Plan) -> Result<Bytes> {
    Bodies::open(&plan.source, plan.encoding)?.body().await
}

/// Ends the observation and waits until the server knows.
async fn close_timeout(client: &mut RequestClient, deregister: bool) {
    if deregister {
        client.cancel(Cancel::Deregister);
        let over = async {
            while !matches!(
                client.next().await,
                Event::Finished { .. } | Event::Failed { .. }
            ) {}
        };
        // A server that does not answer will find out by the reset of its next notification.
        let _ = timeout(FAREWELL, over).await;
    } else {
        client.cancel(Cancel::Forget);
    }
    let _ = timeout(LINGER, async {
        loop {
            client.next().await;
        }
    })
    .await;
}

async fn step(runs: &mut Option<Runs>) -> Result<()> {
    match runs {
        Some(runs) => runs.step().await,
        None => std::future::pending().await,
    }
}

/// A running `coap observe`.
struct Observer<'a> {
    plan: &'a Plan,
    place: &'a Place,
    output: Output,
    notes: Console,
    began: Instant,
    last: Instant,
    /// When the server is pinged next; `None` while it has not answered the last one.
    next_ping: Option<Instant>,
    shown: u64,
    runs: Option<Runs>,
    /// Whether a notification was what `--until` waits for.
    reached: bool,
    /// Whether the server has us on its list.
    registered: bool,
    /// Whether the server does not answer any more.
    is_lost: bool,
}

impl<'a> Observer<'a> {
    fn new(plan: &'a Plan, place: &'a Place, output: Output, notes: Console) -> Self {
        let now = Instant::now();
        Self {
            plan,
            place,
            output,
            notes,
            began: now,
            last: now,
            next_ping: None,
            is_lost: false,
            shown: 0,
            runs: plan.exec.clone().map(Runs::new),
            reached: false,
            registered: false,
        }
    }

    /// Observes, and once more when the server was lost, for as long as `--retry` has it.
    async fn observe(
        &mut self,
        watch: &Tracer,
        client: &mut Option<RequestClient>,
        stop: &mut Stop,
    ) -> Result<()> {
        let payload = stop.unless_asked(CONNECTING, body(self.plan)).await?;
        let mut backoff = Backoff::new(self.plan.retry);
        let mut tries = 0;
        loop {
            // Its OSCORE context is needed again.
            *client = None;
            let shown = self.shown;
            let ended = match stop
                .unless_asked(CONNECTING, self.begin(watch, payload.clone()))
                .await
            {
                Ok(begun) => self.listen(client.insert(begun), stop).await,
                Err(error) => {
                    let lost = [Kind::Unreachable, Kind::TimedOut, Kind::Lost];
                    self.is_lost = lost.contains(&error.kind());
                    Err(error)
                }
            };
            let Err(error) = ended else { return Ok(()) };
            if self.shown > shown {
                backoff.reset();
                tries = 0;
            }
            let next = backoff.next(Instant::now());
            let (true, Some(wait)) = (std::mem::take(&mut self.is_lost), next) else {
                return Err(error);
            };
            self.tell_lost(&error, tries);
            tries += 1;
            self.output.flush().await?;
            *client = None;
            self.wait(Instant::now() + wait, watch, stop).await?;
            if self.deadline().is_some_and(|it| it <= Instant::now()) {
                return self.time_passed();
            }
        }
    }

    fn tell_lost(&self, error: &Error, tries: u32) {
        let text = format!(
            "{}; observing again, notifications may be missed",
            error.text()
        );
        match tries {
            0 => self.notes.warn(text),
            _ => self.notes.progress(text),
        }
    }

    /// Until the next try, or the end that was asked for.
    async fn wait(&self, until: Instant, watch: &Tracer, stop: &mut Stop) -> Result<()> {
        let held_off = watch.held_off(self.place);
        let until = held_off.map_or(until, |it| it.max(until));
        let until = self.deadline().map_or(until, |it| it.min(until));
        tokio::select! {
            () = sleep_until(until.into()) => Ok(()),
            asked = stop.asked() => Err(Error::new(asked.kind(), self.interrupted())),
        }
    }

    /// Connects and registers.
    async fn begin(&mut self, watch: &Tracer, payload: Bytes) -> Result<RequestClient> {
        let (plan, place) = (self.plan, self.place);
        let mut client = RequestClient::open(&plan.session, watch, place).await?;
        if client.is_group() {
            return Err(Error::usage("a group cannot be observed"));
        }
        let mut request = plan.session.request(&client, place, plan.method)?;
        plan.wording.apply(&mut request);
        request.observe = true;
        request.payload = payload;
        request.reregister = plan.reregister;
        plan.session.show_request(&request, &place.uri, self.notes);
        client.ask(place, plan.session.proxy_mode, request)?;
        self.next_ping = plan.keep_alive.map(|every| Instant::now() + every);
        Ok(client)
    }

    async fn listen(&mut self, client: &mut RequestClient, stop: &mut Stop) -> Result<()> {
        loop {
            let (deadline, next_ping) = (self.deadline(), self.next_ping);
            let far_away = Instant::now() + Duration::from_secs(3600);
            tokio::select! {
                biased;
                asked = stop.asked() => return Err(Error::new(asked.kind(), self.interrupted())),
                event = client.next() => {
                    if self.take(event, client.is_datagram())? {
                        return self.output.flush().await;
                    }
                }
                ran = step(&mut self.runs) => ran?,
                () = self.output.reader_gone() => return Err(Error::new(Kind::ReaderGone, "nobody reads our output any more")),
                () = sleep_until(deadline.unwrap_or(far_away).into()) => {
                    if deadline.is_some() {
                        return self.time_passed();
                    }
                }
                () = sleep_until(next_ping.unwrap_or(far_away).into()) => self.ping(client),
            }
            self.output.flush().await?;
        }
    }

    /// Takes what happened; true when it was the last that was asked for.
    fn take(&mut self, event: Event, datagram: bool) -> Result<bool> {
        match event {
            Event::Notification {
                sequence, reply, ..
            } => {
                self.registered = reply.response.code.is_success();
                self.show(&reply, Some(sequence), datagram)?;
                if self.reached {
                    return Ok(true);
                }
                match self.plan.count == Some(self.shown) {
                    true => self.enough().map(|()| true),
                    false => Ok(false),
                }
            }
            Event::Reply { reply, .. } => {
                let was_registered = std::mem::take(&mut self.registered);
                self.show(&reply, None, datagram)?;
                let why = if was_registered {
                    "the server ended the observation"
                } else {
                    "the resource cannot be observed: its answer is no notification"
                };
                let text = format!("{}: {why}", super::session::shown(&self.place.uri));
                Err(Error::new(Kind::Refused, text))
            }
            Event::Failed {
                failure, partial, ..
            } => {
                self.registered = false;
                self.is_lost = matches!(
                    failure,
                    Failure::TimedOut { .. }
                        | Failure::GaveUp { .. }
                        | Failure::Unreachable
                        | Failure::Disconnected(_)
                );
                Err(failed(self.place, &failure, partial.as_ref()))
            }
            Event::Pong { .. } => {
                let now = Instant::now();
                self.next_ping = self.plan.keep_alive.map(|every| now + every);
                Ok(false)
            }
            Event::Finished { .. } => {
                self.registered = false;
                Ok(true)
            }
            other => {
                tell(&other, self.notes, self.plan.session.verbose);
                Ok(false)
            }
        }
    }

    fn show(&mut self, reply: &Reply, sequence: Option<u32>, datagram: bool) -> Result<()> {
        self.plan.session.show_reply(reply, self.notes);
        if !reply.response.code.is_success() {
            return Err(refused(&self.place.uri, reply));
        }
        let message = record(&self.place.uri, reply, sequence, datagram);
        self.shown += 1;
        self.last = Instant::now();
        match &mut self.runs {
            Some(runs) => runs.add(message.clone())?,
            None => {
                let shown = decoded(&message, self.plan.decode, self.notes);
                self.output.message(&shown)?;
            }
        }
        let until = self.plan.until.as_ref();
        self.reached = until.is_some_and(|it| fulfils(it, &message));
        expected(&self.plan.expect, &message)
    }

    /// The end that was asked for: a success, unless `--until` waits for what did not come.
    fn enough(&self) -> Result<()> {
        match &self.plan.until {
            Some(until) if !self.reached => {
                let text = format!("{}, and none was: {until}", self.came());
                Err(Error::new(Kind::Missed, text))
            }
            _ => Ok(()),
        }
    }

    /// One that is not answered fails, and the observation with it.
    fn ping(&mut self, client: &mut RequestClient) {
        if self.next_ping.take().is_some() {
            client.ping(PONG);
        }
    }

    fn deadline(&self) -> Option<Instant> {
        let ends = [
            self.plan.timeout.map(|limit| self.began + limit),
            self.plan.duration.map(|limit| self.began + limit),
            self.plan.idle.map(|limit| self.last + limit),
        ];
        ends.into_iter().flatten().min()
    }

    fn time_passed(&self) -> Result<()> {
        let failed = self
            .plan
            .timeout
            .is_some_and(|limit| self.began.elapsed() >= limit);
        if !failed && self.shown > 0 && self.plan.count.is_none() {
            return self.enough();
        }
        let text = format!("timed out: {}", self.came());
        Err(Error::new(Kind::TimedOut, text))
    }

    fn interrupted(&self) -> String {
        format!("interrupted: {}", self.came())
    }

    fn came(&self) -> String {
        let uri = super::session::shown(&self.place.uri);
        match self.plan.count {
            Some(count) => format!("{} of {count} notifications came from {uri}", self.shown),
            None => format!("{} notifications came from {uri}", self.shown),
        }
    }
}
