//! Devices that speak AMQP: each has a connection of its own, publishes to an exchange with confirmations, and takes commands from
//! queues of its own.
//!
//! | part | what it is for |
//! |---|---|
//! | [`wants`] | the exchanges and queues of a device |
//! | [`seat`] | one device: its connection, what waits |

mod seat;
mod wants;

use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::{Instant, sleep_until};

use self::seat::{News, Seat, Shared, Told};
use self::wants::Wants;
use super::looking::Lookers;
use super::{Plan, ends};
use crate::amqp::consumer::Delivery;
use crate::bench::system::reserve_descriptors;
use crate::command::amqp::session::SessionArgs;
use crate::connect::Retry;
use crate::device::file;
use crate::device::fleet::{Effect, Fleet, Reply};
use crate::device::model::Model;
use crate::error::{Error, Kind, Result, counted};
use crate::output::Console;
use crate::pace::clock::{Clock, Nanos};
use crate::stop::{Asked, Stop};

/// How long nothing may be due before it is looked again.
const IDLE: Duration = Duration::from_secs(1);

/// How many things of the fleet happen before connections are looked at again.
const MOST_STEPS: usize = 1000;

/// How long the confirmations may take that a device waits for before it leaves, as long as the run goes on.
const CLOSING: Duration = Duration::from_secs(5);

/// What a connection may take to end beside the confirmations.
const GOODBYE: Duration = Duration::from_secs(1);

/// Runs the fleet until its time is over or a signal comes.
pub(super) async fn run(model: Model, plan: &Plan, console: Console) -> Result<()> {
    let args = SessionArgs {
        connect: plan.connect.clone(),
        ..SessionArgs::default()
    };
    let session = args.session("simulate", Retry::Forever, console)?;
    reserve_descriptors(model.devices.len() as u64, "").map_err(|error| match error.kind() {
        Kind::Local => error.of_kind(Kind::Usage),
        _ => error,
    })?;
    let mut lookers = Lookers::begin(plan, console).await?;
    let mut stop = plan.stop()?;
    let clock = model.start.unwrap_or_else(|| Clock::start().now());
    let summary = model.summary();
    let fleet = Fleet::new(model, clock).at_speed(plan.speed);
    let mut world = World::new(fleet, Shared::new(session, console), console);
    console.note(format_args!("{summary}; the totals follow at the end"));
    let end = plan.duration.map(|time| world.began + time);
    let asked = world.live(&mut lookers, &mut stop, end).await?;
    let unconnected = world.unconnected();
    world.finish(plan.drain());
    lookers.judge(&world.fleet);
    let closed = stop.close(world.leave(plan.drain())).await;
    let seconds = world.began.elapsed().as_secs_f64();
    world.fleet.account.settle();
    ends::report(&world.fleet.account, file::Protocol::Amqp, seconds, plan)?;
    if let Some(first) = world.refusal {
        let text = format!(
            "{} could not be connected: {first}",
            counted(world.given_up, "device")
        );
        return Err(first.reworded(text));
    }
    let asked = asked.or_else(|| closed.err());
    let asked = asked.map(|asked| Error::new(asked.kind(), "interrupted"));
    match asked.or(unconnected) {
        Some(error) => Err(error),
        None => Ok(()),
    }
}

type Living = Pin<Box<dyn Future<Output = usize>>>;

/// What a device is told, as long as it lives.
#[derive(Default)]
struct Line {
    told: Option<UnboundedSender<Told>>,
    /// It is to be connected again as soon as it has left.
    again: bool,
}

struct World {
    fleet: Fleet,
    shared: Rc<Shared>,
    wants: Vec<Rc<Wants>>,
    lines: Vec<Line>,
    living: FuturesUnordered<Living>,
    news: UnboundedReceiver<(usize, News)>,
    tell: UnboundedSender<(usize, News)>,
    began: Instant,
    closing: Duration,
    given_up: u64,
    refusal: Option<Error>,
    console: Console,
}

impl World {
    fn new(fleet: Fleet, shared: Shared, console: Console) -> Self {
        let devices = fleet.model().devices.len();
        let (tell, news) = unbounded_channel();
        Self {
            wants: (0..devices)
                .map(|at| Wants::of(&fleet, at).into())
                .collect(),
            lines: (0..devices).map(|_| Line::default()).collect(),
            fleet,
            shared: shared.into(),
            living: FuturesUnordered::new(),
            news,
            tell,
            began: Instant::now(),
            closing: CLOSING,
            given_up: 0,
            refusal: None,
            console,
        }
    }

    /// That devices wait for a server that is not there.
    fn unconnected(&self) -> Option<Error> {
        let shared = &self.shared;
        let (ever, outage) = (shared.ever.get(), shared.outage.get());
        ends::unconnected(&self.fleet, &shared.session.target, ever, outage)
    }

    fn now(&self) -> Nanos {
        self.fleet.now(self.began.elapsed())
    }

    /// Until the end, or the first signal.
    async fn live(
        &mut self,
        lookers: &mut Lookers<'_>,
        stop: &mut Stop,
        end: Option<Instant>,
    ) -> Result<Option<Asked>> {
        while end.is_none_or(|end| Instant::now() < end) {
            let now = self.now();
            for _ in 0..MOST_STEPS {
                if !self.fleet.step(now) {
                    break;
                }
                self.effects();
            }
            self.effects();
            lookers.look(&self.fleet)?;
            let wake = self.wake_at(end);
            tokio::select! {
                biased;
                asked = stop.asked() => return Ok(Some(asked)),
                turned = self.turn(wake) => turned?,
            }
        }
        Ok(None)
    }

    /// Takes what comes by then.
    async fn turn(&mut self, wake: Instant) -> Result<()> {
        tokio::select! {
            biased;
            Some((device, news)) = self.news.recv() => {
                self.heard(device, news)?;
                while let Ok((device, news)) = self.news.try_recv() {
                    self.heard(device, news)?;
                }
            }
            Some(device) = self.living.next(), if !self.living.is_empty() => self.left(device),
            () = sleep_until(wake) => {}
        }
        self.effects();
        Ok(())
    }

    fn wake_at(&self, end: Option<Instant>) -> Instant {
        let idle = Instant::now() + IDLE;
        let due = self.fleet.next_wake();
        let due = due.map(|wall| self.began.checked_add(wall).unwrap_or(idle));
        [due, end].into_iter().flatten().fold(idle, Instant::min)
    }

    fn effects(&mut self) {
        while let Some(effect) = self.fleet.next_effect() {
            match effect {
                Effect::Open(device) => self.open(device),
                Effect::Publish(device, said) => {
                    let exchange = self.fleet.model().group(device).exchange.as_str();
                    let message = seat::message(said, exchange);
                    if !self.tell(device, Told::Publish(message)) {
                        self.fleet.account.lost += 1;
                    }
                }
                Effect::Close(device, end) => {
                    self.tell(device, Told::Close(end, self.closing));
                }
                Effect::Subscribe(..) | Effect::Unsubscribe(..) => {}
            }
        }
    }

    /// Whether the device lives.
    fn tell(&self, device: usize, what: Told) -> bool {
        let told = self.lines[device].told.as_ref();
        told.is_some_and(|told| told.send(what).is_ok())
    }

    /// A device begins a connection of its own, once the one before is over.
    fn open(&mut self, device: usize) {
        if self.lines[device].told.is_some() {
            self.lines[device].again = true;
            self.tell(device, Told::Wake);
            return;
        }
        let (told, orders) = unbounded_channel();
        self.lines[device].told = Some(told);
        let model = self.fleet.model();
        let seat = Seat::new(
            device,
            &model.devices[device].id,
            model.group(device).connect.keep_alive,
            Rc::clone(&self.wants[device]),
            Rc::clone(&self.shared),
            self.tell.clone(),
        );
        self.living.push(Box::pin(async move {
            seat.live(orders).await;
            device
        }));
    }

    /// A device has left.
    fn left(&mut self, device: usize) {
        self.lines[device].told = None;
        if std::mem::take(&mut self.lines[device].again) {
            self.open(device);
        }
    }

    fn heard(&mut self, device: usize, news: News) -> Result<()> {
        let now = self.now();
        let account = &mut self.fleet.account;
        match news {
            News::Opened => self.fleet.opened(device, now),
            News::Lost => self.fleet.lost(device),
            News::Count(fate, count) => *fate.counter(account) += count,
            News::Command(delivery) => self.command(device, &delivery, now),
            News::First(error) => return Err(error),
            News::GivenUp(error) => {
                self.fleet.given_up(device);
                self.given_up += 1;
                if self.refusal.is_none() {
                    let id = &self.fleet.model().devices[device].id;
                    self.console.warn(format_args!("{id} is given up: {error}"));
                    self.refusal = Some(error);
                }
            }
        }
        Ok(())
    }

    fn command(&mut self, device: usize, delivery: &Delivery, now: Nanos) {
        let message = &delivery.message;
        let properties = &delivery.detail().properties;
        let reply = properties.reply_to.clone().map(|topic| Reply {
            topic,
            correlation: properties
                .correlation_id
                .as_ref()
                .map(|id| id.as_bytes().clone()),
        });
        let topic = self.wants[device].topic(&message.topic);
        self.fleet
            .command(device, topic, &message.payload, reply.as_ref(), now);
    }

    /// Every device leaves, and may take so long.
    fn finish(&mut self, drain: Duration) {
        self.closing = drain;
        let now = self.now();
        self.fleet.finish(now);
        self.effects();
        for line in &mut self.lines {
            line.again = false;
            // One that is away, or is being connected, has nothing to wait for.
            if let Some(told) = &line.told {
                let _ = told.send(Told::End(drain));
            }
        }
    }

    /// Until all have left, or for as long as that may take.
    async fn leave(&mut self, drain: Duration) {
        let end = Instant::now() + drain + GOODBYE;
        while !self.living.is_empty() && Instant::now() < end {
            if self.turn(end).await.is_err() {
                break;
            }
        }
        while let Ok((device, news)) = self.news.try_recv() {
            let _ = self.heard(device, news);
        }
    }
}
