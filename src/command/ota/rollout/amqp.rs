//! A rollout over AMQP: manifests go to the queues of devices, and their reports come from the queue of all. A queue that belongs
//! to the controller's connection keeps others away.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use bytestring::ByteString;
use tokio::time::timeout;

use super::control::{Irrevocable, Notifier};
use super::file::{Asked, Written};
use super::{ANSWER, Action, Plan, TICK, carry_out, check_journal, no_controller, words};
use crate::amqp::publisher::{Outcome, Outgoing, Returns};
use crate::amqp::topology::{Declaration, Queue};
use crate::amqp::v091::{Connection, Incoming};
use crate::command::amqp::session::{Session, SessionArgs};
use crate::command::ota::amqp::exchange;
use crate::command::ota::status::Fleet;
use crate::command::ota::status::amqp::Reader;
use crate::connect::Retry;
use crate::error::{Cause, Error, Kind, Result};
use crate::firmware::suit::MEDIA_TYPE;
use crate::firmware::wire::{Audience, Queues};
use crate::message::AmqpProperties;
use crate::output::Console;
use crate::stop::Stop;

/// How often an answer is looked for.
const SOON: Duration = Duration::from_millis(100);

pub(super) async fn run(
    plan: &Plan,
    written: Written,
    path: &Path,
    args: SessionArgs,
    stop: &mut Stop,
) -> Result<()> {
    let asked = written.judged()?;
    check_journal(path, plan.action)?;
    let console = Console::new(plan.style);
    let session = args.session("ota rollout", Retry::Forever, console)?;
    if plan.action != Action::Begin {
        let lock = Queues::new(&plan.prefix).controller(&asked.name);
        let telling = order(&session, lock, plan.action);
        match stop.unless_asked("interrupted", telling).await? {
            Some(answer) => {
                console.note(words(&answer));
                return Ok(());
            }
            None if plan.action == Action::Pause => return Err(no_controller()),
            None => {}
        }
    }
    let opening = Queued::open(plan, &asked, &session, console);
    let mut queued = stop.unless_asked("interrupted", opening).await?;
    let ended = carry_out(&mut queued, plan, &asked, path, stop).await;
    let closed = stop.close(queued.close()).await;
    ended?;
    closed.map_err(|asked| Error::new(asked.kind(), "interrupted"))?
}

/// Tells the controller that runs what is wanted of it; its answer, or `None` where there is none.
async fn order(session: &Session, lock: String, action: Action) -> Result<Option<Bytes>> {
    let open = async |session: &Session| session.receiver(&[], true).await;
    let mut link = session.connect_by(open).await?;
    let own = link
        .declare(&Declaration::Queue(Queue::temporary()))
        .await?;
    let own = own.map(|it| it.name).unwrap_or_default();
    let message = Outgoing {
        key: lock.into(),
        properties: Arc::new(AmqpProperties {
            reply_to: Some(own.clone()),
            ..AmqpProperties::default()
        }),
        payload: Bytes::from_static(action.word()),
        returns: Returns::Told,
        ..Outgoing::default()
    };
    link.publish(0, message)?;
    let until = Instant::now() + ANSWER;
    let mut outcomes = Vec::new();
    while Instant::now() < until {
        let _ = timeout(SOON, link.fates(&mut outcomes)).await;
        let is_returned = |it: &(u64, Outcome)| matches!(it.1, Outcome::Returned { .. });
        if outcomes.iter().any(is_returned) {
            link.close().await?;
            return Ok(None);
        }
        if let Incoming::Delivery(answer) = link.get(&own, true).await? {
            link.close().await?;
            return Ok(Some(answer.message.payload));
        }
    }
    let text = "the controller does not answer";
    Err(Error::new(Kind::TimedOut, text))
}

/// Devices that have queues.
struct Queued<'a> {
    session: &'a Session,
    declare: [Declaration; 2],
    /// For what is said to devices.
    link: Connection,
    /// The queue of the controller, what has come to it, and in which queue the answer is awaited.
    lock: String,
    order: Option<Bytes>,
    awaited_at: ByteString,
    reader: Reader,
    fleet: Fleet,
    news: Vec<String>,
    exchange: ByteString,
    manifest: Bytes,
    properties: Arc<AmqpProperties>,
    /// Of the last message.
    number: u64,
    /// Offers that the server has not confirmed.
    offers: BTreeMap<u64, String>,
    console: Console,
    irrevocable: Irrevocable,
}

impl<'a> Queued<'a> {
    async fn open(
        plan: &Plan,
        asked: &Asked,
        session: &'a Session,
        console: Console,
    ) -> Result<Self> {
        let queues = Queues::new(&plan.prefix);
        let lock = queues.controller(&asked.name);
        let own = Queue {
            name: lock.as_str().into(),
            ..Queue::temporary()
        };
        let declare = [exchange(&queues), Declaration::Queue(own)];
        // What is left of a controller that was killed may have the queue until the server has seen that it is gone.
        let is_patient = plan.session.connect.retry.is_some();
        let open = async |session: &Session| {
            let opened = session.receiver(&declare, true).await;
            opened.map_err(|why| taken(why, is_patient))
        };
        let link = session.connect_by(open).await?;
        let mut queued = Self {
            link,
            lock,
            order: None,
            awaited_at: ByteString::new(),
            reader: Reader::open(session, &plan.prefix).await?,
            session,
            declare,
            fleet: Fleet::default(),
            news: Vec::new(),
            exchange: queues.exchange().into(),
            manifest: asked.manifest.clone().into(),
            properties: Arc::new(AmqpProperties {
                content_type: Some(ByteString::from_static(MEDIA_TYPE)),
                delivery_mode: Some(2),
                ..AmqpProperties::default()
            }),
            number: 0,
            offers: BTreeMap::new(),
            console,
            irrevocable: Irrevocable::over("AMQP", asked.plan.sequence),
        };
        // The devices that there are.
        queued.read().await?;
        Ok(queued)
    }

    /// Takes in what devices have reported.
    async fn read(&mut self) -> Result<()> {
        let mut seen = Fleet::default();
        let round = self.link.alive_during(self.reader.round(&mut seen)).await;
        for (device, report) in seen.devices {
            if self.fleet.devices.get(&device) != Some(&report) {
                self.news.push(device.clone());
                self.fleet.devices.insert(device, report);
            }
        }
        match round {
            Ok(()) => Ok(()),
            Err(why) => self.reader.recover(self.session, why).await,
        }
    }

    /// Reads, and hears what became of offers.
    async fn turn(&mut self) -> Result<()> {
        self.read().await?;
        let mut outcomes = Vec::new();
        let driven = timeout(TICK, self.link.fates(&mut outcomes)).await;
        for (number, outcome) in outcomes {
            self.hear(number, &outcome);
        }
        let came = match driven {
            Ok(Err(why)) => Err(why),
            _ => self.link.get(&self.lock, true).await,
        };
        match came {
            Ok(Incoming::Delivery(order)) => {
                let awaited_at = order.detail().properties.reply_to.clone();
                self.awaited_at = awaited_at.unwrap_or_default();
                self.order = Some(order.message.payload);
                Ok(())
            }
            Ok(_) => Ok(()),
            Err(why) => self.reconnect(why).await,
        }
    }

    /// A device without a queue has never been there; it has failed when its time is over.
    fn hear(&mut self, number: u64, outcome: &Outcome) {
        let why = match outcome {
            Outcome::Returned { words, .. } => {
                if let Some(device) = self.offers.get(&number) {
                    let text = format!("{device} has no queue for a manifest yet: {words}");
                    self.console.warn(text);
                }
                // A confirmation comes besides.
                return;
            }
            Outcome::Nacked => Some("the server has no room for it"),
            Outcome::Refused(words) => Some(&**words),
            _ => None,
        };
        if let (Some(device), Some(why)) = (self.offers.remove(&number), why) {
            let text = format!("the manifest for {device} was not taken: {why}");
            self.console.warn(text);
        }
    }

    async fn reconnect(&mut self, why: Error) -> Result<()> {
        if !self.session.is_outage(&why) {
            return Err(why);
        }
        let open = async |session: &Session| session.receiver(&self.declare, true).await;
        self.link = self.session.remake(why, open).await?;
        for device in std::mem::take(&mut self.offers).into_values() {
            self.offer(device)?;
        }
        Ok(())
    }

    async fn close(self) -> Result<()> {
        self.reader.close().await?;
        self.link.close().await
    }
}

/// Who else has the queue of the controller; with `patient` its end is waited for.
fn taken(why: Error, patient: bool) -> Error {
    if why.cause() != Some(Cause::InUse) {
        return why;
    }
    let kind = match patient {
        true => Kind::Lost,
        false => Kind::Refused,
    };
    let text = format!("another controller runs this rollout: {}", why.text());
    Error::new(kind, text).hint("with --retry forever its end is waited for")
}

impl Notifier for Queued<'_> {
    fn fleet(&self) -> &Fleet {
        &self.fleet
    }

    fn news(&mut self) -> Vec<String> {
        std::mem::take(&mut self.news)
    }

    fn order(&mut self) -> Option<Bytes> {
        self.order.take()
    }

    fn answer(&mut self, answer: &[u8]) -> Result<()> {
        let message = Outgoing {
            key: std::mem::take(&mut self.awaited_at),
            payload: Bytes::copy_from_slice(answer),
            ..Outgoing::default()
        };
        self.number += 1;
        self.link.publish(self.number, message)
    }

    fn has_room(&self) -> bool {
        self.link.has_room()
    }

    fn is_said(&self) -> bool {
        self.offers.is_empty()
    }

    fn offer(&mut self, device: String) -> Result<()> {
        let message = Outgoing {
            exchange: self.exchange.clone(),
            key: Audience::Device(device.clone()).to_string().into(),
            properties: Arc::clone(&self.properties),
            payload: self.manifest.clone(),
            returns: Returns::Told,
        };
        self.number += 1;
        self.offers.insert(self.number, device);
        self.link.publish(self.number, message)
    }

    fn withdraw(&mut self, device: String) -> Result<()> {
        let report = self.fleet.devices.get(&device);
        self.irrevocable.warn(report, self.console);
        Ok(())
    }

    async fn wait(&mut self, stop: &mut Stop) -> Result<()> {
        let turn = self.turn();
        stop.unless_asked("interrupted; --resume goes on", turn)
            .await
    }
}
