//! An observation as a source of messages.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::future::{FutureExt, LocalBoxFuture};
use tokio::time::{sleep_until, timeout};

use super::client::{RequestClient, Tracer};
use super::observe::Plan;
use super::record::record;
use super::request::tell;
use super::session::{Place, failed, is_absence, is_outage, refused, retry_after, shown};
use crate::coap::code::Code;
use crate::coap::endpoint::{Cancel, Event, Failure, Reply};
use crate::connect::Backoff;
use crate::connect::failure::reconnected;
use crate::error::{Error, Kind, Result, counted_were};
use crate::flow::{Next, Source};
use crate::output::Console;

/// How long the server may take to confirm that the observation is over.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// How long the answer to a ping may take.
const PONG: Duration = Duration::from_secs(30);

/// How long after that late notifications are still answered, so that they are not sent again and again.
const LINGER: Duration = Duration::from_millis(50);

/// Bytes of notifications that wait for their target at most, with what each takes besides its payload.
const WAITING: usize = 8 << 20;
const RECORD: usize = 512;

/// The notifications of one resource.
///
/// While its target is busy, a server that sends datagrams is answered nevertheless, as it would strike us off its list:
/// what comes then waits, and the oldest makes room for the newest (RFC 7641 §1.3). A connection is not read any further.
pub(crate) struct Observed<'a> {
    plan: &'a Plan,
    place: &'a Place,
    tracer: &'a Tracer,
    console: Console,
    /// The body of a FETCH.
    body: Bytes,
    opening: Option<LocalBoxFuture<'a, Result<RequestClient>>>,
    client: Option<RequestClient>,
    backoff: Backoff,
    /// How often it was tried since notifications came last.
    tries: u32,
    /// Since when an observation that there was has been lost.
    away_since: Option<Instant>,
    /// Before when no further try is made.
    retry_at: Option<Instant>,
    /// When the server is pinged next; `None` while it has not answered the last one.
    next_ping: Option<Instant>,
    /// Whether the server has us on its list.
    registered: bool,
    ever_registered: bool,
    /// How often an observation was there again after it had been lost.
    returns: u64,
    /// How often it was registered again as nothing had come for long, and answered: the server may have been started anew
    /// meanwhile.
    renewals: u64,
    renewing: bool,
    /// What waits for its target, and its size.
    waiting: VecDeque<Next>,
    size: usize,
    left_out: u64,
    ended: bool,
}

impl<'a> Observed<'a> {
    /// The resource at `place`, asked with `body`.
    pub(crate) fn new(plan: &'a Plan, place: &'a Place, tracer: &'a Tracer, body: Bytes) -> Self {
        Self {
            plan,
            place,
            tracer,
            console: Console::new(plan.style),
            body,
            opening: None,
            client: None,
            backoff: Backoff::new(plan.retry),
            tries: 0,
            away_since: None,
            retry_at: None,
            next_ping: None,
            registered: false,
            ever_registered: false,
            returns: 0,
            renewals: 0,
            renewing: false,
            waiting: VecDeque::new(),
            size: 0,
            left_out: 0,
            ended: false,
        }
    }

    /// How often it was there again after it had been lost.
    pub(crate) const fn returns(&self) -> u64 {
        self.returns
    }

    /// How often it was registered again, though nobody knew that it had been lost.
    pub(crate) const fn renewals(&self) -> u64 {
        self.renewals
    }

    /// Ends the observation, and waits until the server knows.
    ///
    /// # Errors
    /// [`Kind::Local`]: notifications were left out.
    pub(crate) async fn close(&mut self) -> Result<()> {
        if let Some(mut client) = self.client.take() {
            if self.registered {
                end(&mut client, self.plan.deregister).await;
            }
            client.close().await;
        }
        match self.left_out {
            0 => Ok(()),
            count => {
                let text = format!(
                    "{} dropped: they arrived faster than they were processed",
                    counted_were(count, "notification")
                );
                Err(Error::new(Kind::Local, text))
            }
        }
    }

    /// Goes on by one step: a connection, an event, a ping.
    async fn step(&mut self) -> Result<()> {
        if self.ended {
            return std::future::pending().await;
        }
        let Some(client) = &mut self.client else {
            return self.open().await;
        };
        let next_ping = self.next_ping;
        let far_away = || Instant::now() + Duration::from_secs(3600);
        tokio::select! {
            biased;
            () = sleep_until(next_ping.unwrap_or_else(far_away).into()) => {
                if self.next_ping.take().is_some() {
                    client.ping(PONG);
                }
            }
            event = client.next() => {
                let datagram = client.is_datagram();
                self.take_event(event, datagram);
            }
        }
        Ok(())
    }

    /// Connects and registers, once it is time.
    async fn open(&mut self) -> Result<()> {
        if let Some(at) = self.retry_at {
            sleep_until(at.into()).await;
            self.retry_at = None;
        }
        let (session, tracer, place) = (&self.plan.session, self.tracer, self.place);
        let opening = self
            .opening
            .get_or_insert_with(|| RequestClient::open(session, tracer, place).boxed_local());
        let opened = opening.await;
        self.opening = None;
        match opened {
            Ok(client) => self.register(client),
            Err(error) => {
                self.over(is_absence(&error), Duration::ZERO, error);
                Ok(())
            }
        }
    }

    fn register(&mut self, mut client: RequestClient) -> Result<()> {
        let (plan, place) = (self.plan, self.place);
        if client.is_group() {
            return Err(Error::usage("a multicast group cannot be observed"));
        }
        let mut request = plan.session.request(&client, place, plan.method)?;
        plan.wording.apply(&mut request);
        request.observe = true;
        request.payload = self.body.clone();
        request.reregister = plan.reregister;
        plan.session
            .show_request(&request, &place.uri, self.console);
        client.ask(place, plan.session.proxy_mode, request)?;
        self.next_ping = plan.keep_alive.map(|every| Instant::now() + every);
        self.client = Some(client);
        Ok(())
    }

    fn take_event(&mut self, event: Event, datagram: bool) {
        match event {
            Event::Notification {
                sequence, reply, ..
            } => self.notified(&reply, sequence, datagram),
            Event::Reply { reply, .. } => self.answered(&reply, datagram),
            Event::Failed {
                failure, partial, ..
            } => {
                let outage = matches!(
                    failure,
                    Failure::TimedOut { .. }
                        | Failure::GaveUp { .. }
                        | Failure::Unreachable
                        | Failure::Disconnected(_)
                );
                let error = failed(self.place, &failure, partial.as_ref());
                self.over(outage, Duration::ZERO, error);
            }
            Event::Pong { .. } => {
                let now = Instant::now();
                self.next_ping = self.plan.keep_alive.map(|every| now + every);
            }
            Event::Finished { .. } => self.end(Ok(())),
            other => {
                self.renewing |= matches!(other, Event::Reregistered { .. });
                tell(&other, self.console, self.plan.session.verbose);
            }
        }
    }

    fn notified(&mut self, reply: &Reply, sequence: u32, datagram: bool) {
        if let Some(since) = self.away_since.take() {
            self.console.note(reconnected(&self.place.target, since));
            self.returns += 1;
        }
        self.renewals += u64::from(std::mem::take(&mut self.renewing));
        if !std::mem::replace(&mut self.registered, true) {
            self.backoff.connected(Instant::now());
        }
        (self.ever_registered, self.tries) = (true, 0);
        self.arrived(reply, Some(sequence), datagram);
    }

    /// An answer that is no notification: there is no observation, or none any more.
    fn answered(&mut self, reply: &Reply, datagram: bool) {
        let code = reply.response.code;
        let error = if !code.is_success() {
            self.plan.session.show_reply(reply, self.console);
            refused(&self.place.uri, reply)
        } else {
            self.arrived(reply, None, datagram);
            let why = if self.registered {
                "the server ended the observation"
            } else {
                "the resource is not observable: the response is not a notification"
            };
            Error::new(Kind::Refused, format!("{}: {why}", shown(&self.place.uri)))
        };
        // What could be observed once may come back.
        let gone = self.ever_registered && (code.is_success() || code == Code::NOT_FOUND);
        self.over(gone || is_outage(code), retry_after(reply), error);
    }

    fn arrived(&mut self, reply: &Reply, sequence: Option<u32>, datagram: bool) {
        self.plan.session.show_reply(reply, self.console);
        let message = record(&self.place.uri, reply, sequence, datagram);
        self.size += RECORD + message.payload.len();
        self.waiting.push_back(Next::Message(message));
        while self.size > WAITING && self.waiting.len() > 1 {
            if self.left_out == 0 {
                let text =
                    "notifications arrive faster than they are processed: the oldest are dropped";
                self.console.warn(text);
            }
            self.left_out += 1;
            self.pop();
        }
    }

    fn pop(&mut self) -> Option<Next> {
        let next = self.waiting.pop_front()?;
        if let Next::Message(message) = &next {
            self.size -= RECORD + message.payload.len();
        }
        Some(next)
    }

    /// The observation is over; an outage is one that `--retry` is for, and lasts at least `wait`.
    fn over(&mut self, outage: bool, wait: Duration, error: Error) {
        self.registered = false;
        if outage {
            self.place.target.move_on();
        }
        // Its OSCORE context is needed again, and who holds us off is remembered.
        self.client = None;
        let now = Instant::now();
        let next = if outage {
            self.backoff.next_after(now, wait)
        } else {
            None
        };
        let Some(wait) = next else {
            return self.end(Err(error));
        };
        self.retry_at = Some(now + wait);
        if self.ever_registered {
            self.away_since.get_or_insert(now);
        }
        let text = format!(
            "{}; observing again, notifications may be missed",
            error.text()
        );
        match self.tries {
            0 => self.console.warn(text),
            _ => self.console.progress(text),
        }
        self.tries += 1;
    }

    fn end(&mut self, end: Result<()>) {
        (self.registered, self.ended) = (false, true);
        self.waiting.push_back(Next::End(end));
    }
}

impl Source for Observed<'_> {
    async fn drive(&mut self) -> Result<()> {
        if self.waiting.is_empty() {
            self.step().await?;
        }
        while self.size < WAITING / 2
            && let Some(stepped) = self.step().now_or_never()
        {
            stepped?;
        }
        Ok(())
    }

    async fn hold(&mut self) -> Error {
        loop {
            let full = self.size >= WAITING / 2;
            if full && self.client.as_ref().is_some_and(|it| !it.is_datagram()) {
                return std::future::pending().await;
            }
            if let Err(error) = self.step().await {
                return error;
            }
        }
    }

    fn take(&mut self, mut sink: impl FnMut(Next) -> Result<bool>) -> Result<()> {
        while let Some(next) = self.pop() {
            if !sink(next)? {
                break;
            }
        }
        Ok(())
    }

    /// A notification was acknowledged when it came: its server would send it again otherwise.
    fn settle(&mut self, _: u64) {}

    fn awaits(&self) -> Option<String> {
        let text = || format!("no response from {}", shown(&self.place.uri));
        (!self.registered).then(text)
    }
}

/// Ends the observation and waits until the server knows.
async fn end(client: &mut RequestClient, deregister: bool) {
    if deregister {
        client.cancel(Cancel::Deregister);
        let over = async {
            while !matches!(
                client.next().await,
                Event::Finished { .. } | Event::Failed { .. }
            ) {}
        };
        // A server that does not answer will find out by the reset of its next notification.
        let _ = timeout(CLOSE_TIMEOUT, over).await;
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
