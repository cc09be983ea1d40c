//! All devices and their connections, in one loop.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use bytestring::ByteString;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::time::{Instant, sleep_until};

use super::super::{Plan, ends};
use super::seat::{Fate, Seat, State};
use crate::bench::dial::Dialer;
use crate::bench::driver::Link;
use crate::connect::{Backoff, Retry, Target};
use crate::device::account::Account;
use crate::device::fleet::{Effect, End, Fleet, Outgoing};
use crate::error::{Error, Result};
use crate::mqtt::client::diagnose;
use crate::mqtt::packet::{Connect, LARGEST_PACKET, Properties, QoS, Subscription, Version, Will};
use crate::mqtt::session::client::{Login, Session, Unsendable};
use crate::output::Console;
use crate::pace::clock::Nanos;
use crate::pace::wake::Ready;

/// How many messages of a device may be under way, beside what the server allows.
const WINDOW: u16 = 100;

/// How many connections are opened at a time.
const MOST_DIALING: usize = 64;

/// How many things of the fleet happen before connections are looked at again.
const MOST_STEPS: usize = 1000;

/// How often keep-alives and time limits are looked at.
const SWEEP: Duration = Duration::from_secs(1);

/// How long the acknowledgements may take that a device waits for before it leaves, and then the server to close, as long as
/// the run goes on.
const CLOSING: Duration = Duration::from_secs(5);

/// How much is read at once.
const READ_SIZE: usize = 64 << 10;

type Dialed = (usize, u32, Result<Box<dyn Link>>);

/// All devices.
pub(super) struct World {
    pub(super) fleet: Fleet,
    pub(super) seats: Vec<Seat>,
    pub(super) ready: Arc<Ready>,
    dialer: Arc<Dialer>,
    pub(super) target: Target,
    /// Instead of user name and password in CONNECT.
    login: Option<Login>,
    dialing: FuturesUnordered<Pin<Box<dyn Future<Output = Dialed>>>>,
    /// Devices that wait for their turn to be dialed.
    pub(super) wanted: VecDeque<(usize, u32)>,
    /// When those are tried again that have failed.
    retries: BinaryHeap<Reverse<(Instant, usize, u32)>>,
    pub(super) dirty: Vec<usize>,
    pub(super) listed: Vec<u32>,
    pub(super) input: Vec<u8>,
    pub(super) out: Vec<u8>,
    began: Instant,
    swept: Instant,
    pub(super) version: Version,
    pub(super) may_fall_back: bool,
    /// Whether a device has ever been connected.
    pub(super) ever: bool,
    /// Whether an outage was reported, and is not over.
    pub(super) outage: bool,
    refused: u64,
    refusal: Option<Error>,
    /// How long a device may take to leave.
    closing: Duration,
    /// Whether a message was refused, which is reported once.
    pub(super) warned: bool,
    pub(super) console: Console,
}

impl World {
    pub(super) fn new(
        fleet: Fleet,
        dialer: Arc<Dialer>,
        target: Target,
        login: Option<Login>,
        plan: &Plan,
        console: Console,
    ) -> Self {
        let (now, ready) = (Instant::now(), Arc::new(Ready::default()));
        let devices = fleet.model().devices.len();
        let seats = (0..devices).map(|at| Seat::new(at as u32, &ready, now));
        Self {
            seats: seats.collect(),
            fleet,
            ready,
            dialer,
            target,
            login,
            dialing: FuturesUnordered::new(),
            wanted: VecDeque::new(),
            retries: BinaryHeap::new(),
            dirty: Vec::new(),
            listed: Vec::new(),
            input: vec![0; READ_SIZE],
            out: Vec::new(),
            began: now,
            swept: now,
            version: plan.version.unwrap_or_default(),
            may_fall_back: plan.version.is_none() && plan.mechanism.is_none(),
            ever: false,
            outage: false,
            refused: 0,
            refusal: None,
            closing: CLOSING,
            warned: false,
            console,
        }
    }

    pub(super) const fn began(&self) -> Instant {
        self.began
    }

    pub(super) const fn account(&self) -> &Account {
        &self.fleet.account
    }

    /// How many devices were refused, and why the first was.
    pub(super) fn refusals(&mut self) -> Option<(u64, Error)> {
        let first = self.refusal.take()?;
        Some((self.refused, first))
    }

    /// That devices wait for a server that is not there.
    pub(super) fn unconnected(&self) -> Option<Error> {
        ends::unconnected(&self.fleet, &self.target, self.ever, self.outage)
    }

    /// The fleet's time.
    pub(super) fn now(&self) -> Nanos {
        self.fleet.now(self.began.elapsed())
    }

    /// Does what there is to do, and waits for more, until `until` at most.
    ///
    /// # Errors
    /// No device could ever be connected.
    pub(super) async fn turn(&mut self, until: Option<Instant>) -> Result<()> {
        let now = self.now();
        for _ in 0..MOST_STEPS {
            if !self.fleet.step(now) {
                break;
            }
            self.effects();
        }
        self.effects();
        self.retry_due();
        self.dial();
        self.flush();
        let wake = self.wake_at(until);
        let ready = Arc::clone(&self.ready);
        let bell = poll_fn(|cx| match ready.look(cx.waker()) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        });
        tokio::select! {
            biased;
            () = bell => self.look()?,
            Some((device, turn, dialed)) = self.dialing.next(), if !self.dialing.is_empty() => {
                self.dialed(device, turn, dialed)?;
            }
            () = sleep_until(wake) => {}
        }
        if self.swept.elapsed() >= SWEEP {
            self.sweep()?;
        }
        Ok(())
    }

    fn wake_at(&self, until: Option<Instant>) -> Instant {
        let sweep = self.swept + SWEEP;
        let due = self.fleet.next_wake().map(|wall| {
            // What is due later than can be said is not due before the next sweep.
            self.began.checked_add(wall).unwrap_or(sweep)
        });
        let retry = self.retries.peek().map(|Reverse((at, ..))| *at);
        let others = [due, retry, until].into_iter().flatten();
        others.fold(sweep, Instant::min)
    }

    fn effects(&mut self) {
        while let Some(effect) = self.fleet.next_effect() {
            match effect {
                Effect::Open(device) => self.open(device),
                Effect::Close(device, end) => self.close(device, end),
                Effect::Publish(device, message) => {
                    let seat = &mut self.seats[device];
                    let refused = seat.publish(message, &mut self.fleet.account);
                    self.listed_dirty(device);
                    self.warn_refused(refused);
                }
                Effect::Subscribe(device, filters) => {
                    if let Some(session) = &mut self.seats[device].session {
                        // A fault of the connection is found when it is read.
                        let _ = session.subscribe(&subscribed(filters), &Properties::default());
                    }
                    self.listed_dirty(device);
                }
                Effect::Unsubscribe(device, filters) => {
                    if let Some(session) = &mut self.seats[device].session {
                        let _ = session.unsubscribe(&filters, &Properties::default());
                    }
                    self.listed_dirty(device);
                }
            }
        }
    }

    pub(super) fn warn_refused(&mut self, refused: Option<Unsendable>) {
        if let Some(why) = refused.filter(|_| !self.warned) {
            self.warned = true;
            self.console
                .warn(format_args!("a message was not sent: {why}"));
        }
    }

    pub(super) fn listed_dirty(&mut self, device: usize) {
        let seat = &mut self.seats[device];
        if !seat.dirty {
            seat.dirty = true;
            self.dirty.push(device);
        }
    }

    /// A device begins a connection of its own, with a new session.
    fn open(&mut self, device: usize) {
        let fate = match self.seats[device].state {
            State::Closing | State::Leaving => {
                self.seats[device].again = true;
                return;
            }
            State::Silent => Fate::Lost,
            _ => Fate::Unacknowledged,
        };
        let session = self.session(device);
        let seat = &mut self.seats[device];
        seat.settle(fate, &mut self.fleet.account);
        seat.session = Some(session.into());
        seat.enter(State::Wanted, Instant::now());
        self.wanted.push_back((device, seat.turn));
    }

    /// A device has left, or has tried for long enough.
    pub(super) fn left(&mut self, device: usize) {
        let seat = &mut self.seats[device];
        seat.settle(Fate::Unacknowledged, &mut self.fleet.account);
        if std::mem::take(&mut seat.again) {
            self.open(device);
        }
    }

    fn session(&self, device: usize) -> Session {
        let connect = Connect {
            version: self.version,
            bridge: false,
            client_id: self.fleet.model().devices[device].id.clone(),
            clean_start: true,
            keep_alive: self.fleet.model().group(device).connect.keep_alive,
            username: self.target.username.as_deref().map(ByteString::from),
            password: self
                .target
                .latest_password()
                .or_else(|| self.target.password.clone())
                .map(|secret| Bytes::copy_from_slice(secret.reveal())),
            will: None,
            properties: Properties::default(),
        };
        let mut connect = connect;
        if self.login.is_some() {
            (connect.username, connect.password) = (None, None);
        }
        let mut session = Session::new(connect, WINDOW, LARGEST_PACKET, Instant::now().into_std());
        if let Some(login) = &self.login {
            let mut login = login.clone();
            if let Some(password) = self.target.latest_password() {
                login.change_password(password);
            }
            session.log_in_by(login);
        }
        let topics = subscribed(self.fleet.subscriptions(device));
        if !topics.is_empty() {
            // Offline it is only noted.
            let _ = session.subscribe(&topics, &Properties::default());
        }
        session
    }

    fn close(&mut self, device: usize, end: End) {
        let now = Instant::now();
        let seat = &mut self.seats[device];
        if seat.state != State::Open {
            return;
        }
        match end {
            End::Clean => {
                seat.enter(State::Closing, now);
                self.leave_if_done(device);
            }
            End::Crash => {
                // What the device has sent is on its way.
                let _ = seat.flush(&mut self.out, now);
                self.out.clear();
                seat.settle(Fate::Lost, &mut self.fleet.account);
            }
            End::Silence => {
                let _ = seat.flush(&mut self.out, now);
                self.out.clear();
                seat.enter(State::Silent, now);
            }
        }
    }

    pub(super) fn leave_if_done(&mut self, device: usize) {
        let seat = &mut self.seats[device];
        if seat.state == State::Closing && seat.is_done() {
            seat.leave(Instant::now());
            self.listed_dirty(device);
        }
    }

    fn retry_due(&mut self) {
        let now = Instant::now();
        while let Some(Reverse((at, device, turn))) = self.retries.peek().copied() {
            if at > now {
                break;
            }
            self.retries.pop();
            self.wanted.push_back((device, turn));
        }
    }

    fn dial(&mut self) {
        while self.dialing.len() < MOST_DIALING {
            let Some((device, turn)) = self.wanted.pop_front() else {
                break;
            };
            let seat = &mut self.seats[device];
            if seat.turn == turn && seat.state == State::Wanted {
                seat.enter(State::Dialing, Instant::now());
                let dialing = self.dialer.dial(device);
                self.dialing
                    .push(Box::pin(async move { (device, turn, dialing.await) }));
            }
        }
    }

    fn dialed(&mut self, device: usize, turn: u32, dialed: Result<Box<dyn Link>>) -> Result<()> {
        if self.seats[device].turn != turn || self.seats[device].state != State::Dialing {
            return Ok(());
        }
        let link = match dialed {
            Ok(link) => link,
            Err(error) => return self.failed(device, error, true),
        };
        let now = Instant::now();
        let will = self.fleet.will(device, self.now()).map(will);
        let seat = &mut self.seats[device];
        seat.transport.attach(link);
        seat.enter(State::Greeting, now);
        let Some(session) = &mut seat.session else {
            return Ok(());
        };
        session.set_will(will);
        if let Err(cause) = session.opened(now.into_std()) {
            return Err(Error::usage(cause.to_string()));
        }
        self.listed_dirty(device);
        self.flush();
        self.read(device)
    }

    /// A connection did not come about, or is gone; another one follows, unless that is of no use.
    pub(super) fn failed(&mut self, device: usize, error: Error, may_pass: bool) -> Result<()> {
        let first = self.target.retry.unwrap_or(Retry::Never);
        if !self.ever && (first == Retry::Never || !may_pass) {
            return Err(error);
        }
        let rule = match self.ever {
            true => self.target.retry.unwrap_or(Retry::Forever),
            false => first,
        };
        let now = Instant::now();
        let seat = &mut self.seats[device];
        seat.detach();
        self.fleet.lost(device);
        if seat.state == State::Closing || seat.state == State::Leaving {
            self.left(device);
            return Ok(());
        }
        let backoff = seat
            .backoff
            .get_or_insert_with(|| Backoff::new(rule).into());
        match backoff.next(now.into_std()).filter(|_| may_pass) {
            Some(wait) => {
                seat.enter(State::Wanted, now);
                self.retries.push(Reverse((now + wait, device, seat.turn)));
                if !std::mem::replace(&mut self.outage, true) {
                    self.console.warn(format_args!("{error}; trying again"));
                }
            }
            None => {
                seat.settle(Fate::Unacknowledged, &mut self.fleet.account);
                self.fleet.given_up(device);
                self.refused += 1;
                if self.refusal.is_none() {
                    let id = &self.fleet.model().devices[device].id;
                    self.console.warn(format_args!("{id} is given up: {error}"));
                    self.refusal = Some(error);
                }
            }
        }
        Ok(())
    }

    /// Keep-alives, and what takes too long.
    fn sweep(&mut self) -> Result<()> {
        let now = Instant::now();
        self.swept = now;
        for device in 0..self.seats.len() {
            let seat = &mut self.seats[device];
            let elapsed = now.duration_since(seat.since);
            match seat.state {
                State::Greeting if elapsed >= self.target.connect_timeout => {
                    let error = diagnose::no_answer(&self.target, false);
                    self.failed(device, error, true)?;
                }
                State::Open => {
                    let session = seat.session.as_mut();
                    let on_time = session.map_or(Ok(()), |it| it.on_time(now.into_std()));
                    if let Err(fault) = on_time {
                        self.faulted(device, &fault)?;
                    } else if seat.session.as_ref().is_some_and(|it| it.unwritten() > 0) {
                        self.listed_dirty(device);
                    }
                }
                State::Closing | State::Leaving if elapsed >= self.closing => self.left(device),
                _ => {}
            }
        }
        self.flush();
        Ok(())
    }

    /// Every device leaves, and may take so long.
    pub(super) fn finish(&mut self, drain: Duration) {
        self.closing = drain;
        self.fleet.finish(self.now());
        self.effects();
        for seat in &mut self.seats {
            seat.again = false;
            let fate = match seat.state {
                State::Open | State::Closing | State::Leaving => continue,
                State::Silent => Fate::Lost,
                _ => Fate::Unacknowledged,
            };
            seat.settle(fate, &mut self.fleet.account);
        }
        self.wanted.clear();
        self.retries.clear();
    }

    /// Whether all have left.
    pub(super) fn is_over(&self) -> bool {
        self.seats.iter().all(|seat| seat.state == State::Idle)
    }

    /// What is still under way is not acknowledged.
    pub(super) fn settle_all(&mut self) {
        for seat in &mut self.seats {
            seat.settle(Fate::Unacknowledged, &mut self.fleet.account);
        }
    }
}

fn subscribed(filters: Vec<(ByteString, u8)>) -> Vec<Subscription> {
    let filters = filters.into_iter();
    let filters = filters.map(|(filter, qos)| Subscription {
        filter,
        qos: QoS::from_level(qos).unwrap_or_default(),
        ..Subscription::default()
    });
    filters.collect()
}

fn will(message: Outgoing) -> Will {
    Will {
        topic: message.topic,
        payload: message.payload,
        qos: QoS::from_level(message.qos).unwrap_or_default(),
        retain: message.retain,
        properties: Properties::default(),
    }
}
