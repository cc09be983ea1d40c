//! A rollout over AMQP: manifests go to the queues of devices, and their reports come from the queue of all. A queue that belongs
//! to the controller's connection keeps others away.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use bytestring::ByteString;
use tokio::time::timeout;

use super::control::{Irrevocable, Notifier};
use super::file::{Asked, Written};
use super::{Action, Plan, TICK, carry_out, check_journal};
use crate::amqp::publisher::{Outcome, Outgoing, Returns};
use crate::amqp::topology::{Declaration, Queue};
use crate::amqp::v091::Connection;
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

pub(super) async fn run(
    plan: &Plan,
    written: Written,
    path: &Path,
    args: SessionArgs,
    stop: &mut Stop,
) -> Result<()> {
    if plan.action == Action::Pause {
        let text = "--pause cannot be used over AMQP: nobody tells the controller";
        return Err(Error::usage(text).hint("end it by SIGINT, and go on with --resume"));
    }
    let asked = written.judged()?;
    check_journal(path, plan.action)?;
    let console = Console::new(plan.style);
    let session = args.session("ota rollout", Retry::Forever, console)?;
    let opening = Queued::open(plan, &asked, &session, console);
    let mut queued = stop.unless_asked("interrupted", opening).await?;
    let ended = carry_out(&mut queued, plan, &asked, path, stop).await;
    let closed = stop.close(queued.close()).await;
    ended?;
    closed.map_err(|asked| Error::new(asked.kind(), "interrupted"))?
}

/// Devices that have queues.
struct Queued<'a> {
    session: &'a Session,
    declare: [Declaration; 2],
    /// For what is said to devices.
    link: Connection,
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
        let lock = Queue {
            name: queues.controller(&asked.name).into(),
            ..Queue::temporary()
        };
        let declare = [exchange(&queues), Declaration::Queue(lock)];
        // What is left of a controller that was killed may have the queue until the server has seen that it is gone.
        let is_patient = plan.session.connect.retry.is_some();
        let open = async |session: &Session| {
            let opened = session.receiver(&declare, true).await;
            opened.map_err(|why| taken(why, is_patient))
        };
        let link = session.connect_by(open).await?;
        let mut queued = Self {
            link,
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
        match driven {
            Ok(Err(why)) => self.reconnect(why).await,
            _ => Ok(()),
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
