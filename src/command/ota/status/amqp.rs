//! Reports that are read from a queue.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use bytestring::ByteString;

use super::super::amqp::reports;
use super::{Fleet, Plan};
use crate::amqp::topology::{Declaration, Queue};
use crate::amqp::v091::{Connection, Incoming};
use crate::amqp::wish::Settlement;
use crate::command::amqp::session::{Session, SessionArgs};
use crate::connect::Retry;
use crate::error::{Cause, Error, Kind, Result};
use crate::firmware::wire::Queues;
use crate::output::Console;
use crate::stop::Stop;

/// How often the queue of reports is looked into with `--until`, and while another one reads it.
const AGAIN: Duration = Duration::from_millis(500);

/// The queue is read again after this long although it has as many reports as before: another reader may have taken out what new
/// ones had superseded.
const ANYWAY: Duration = Duration::from_secs(10);

/// How long another reader is waited for without `--until`: a round of many devices over a slow network takes as long.
const PATIENCE: Duration = Duration::from_secs(30);

/// Reads reports. The last one of each device stays in the queue for who reads it next; what it has superseded is taken out.
pub(super) async fn watch(
    session: SessionArgs,
    plan: &Plan,
    fleet: &mut Fleet,
    stop: &mut Stop,
) -> Result<()> {
    let console = Console::new(plan.style);
    let later = match plan.until.is_empty() {
        true => Retry::Never,
        false => Retry::Forever,
    };
    let session = session.session("ota status", later, console)?;
    let opening = Reader::open(&session, &plan.prefix);
    let mut reader = stop.unless_asked("interrupted", opening).await?;
    let watching = async {
        let mut busy = Busy(None);
        loop {
            match reader.round(fleet).await {
                Ok(()) => busy = Busy(None),
                Err(error) if error.cause() == Some(Cause::InUse) => {
                    busy.wait(plan, &reader.queue, console)?;
                    tokio::time::sleep(AGAIN).await;
                    reader.recover(&session, error).await?;
                    continue;
                }
                Err(error) if !plan.until.is_empty() => {
                    reader.recover(&session, error).await?;
                    continue;
                }
                Err(error) => return Err(error),
            }
            if plan.is_met(fleet) {
                return Ok(());
            }
            tokio::time::sleep(AGAIN).await;
        }
    };
    let ended = stop.unless_asked("interrupted", watching).await;
    let closed = stop.close(reader.close()).await;
    ended.and(closed.map_err(|asked| Error::new(asked.kind(), "interrupted"))?)
}

/// Since when another one reads the reports.
struct Busy(Option<Instant>);

impl Busy {
    /// Says once that it is waited for, and fails when that has taken too long.
    fn wait(&mut self, plan: &Plan, queue: &str, console: Console) -> Result<()> {
        let text = format!("another status reads it: the queue {queue}");
        match self.0 {
            None => {
                self.0 = Some(Instant::now());
                console.note(format_args!("{text}; waiting for it to end"));
                Ok(())
            }
            Some(since) if plan.until.is_empty() && since.elapsed() > PATIENCE => {
                Err(Error::new(Kind::Refused, text))
            }
            Some(_) => Ok(()),
        }
    }
}

/// Reads a queue of reports to its end, and gives back what it has read.
///
/// What one reader has not acknowledged no other one sees, and of two that read at the same time each would see a part. So it has
/// a queue of its own meanwhile, which the server gives to one connection at a time.
pub(in crate::command::ota) struct Reader {
    declare: [Declaration; 1],
    queue: ByteString,
    lock: String,
    connection: Connection,
    /// The last report of each device, which is not acknowledged.
    held: HashMap<String, u64>,
    /// How many reports were given back, and when.
    last: Option<(usize, Instant)>,
}

impl Reader {
    pub(in crate::command::ota) async fn open(session: &Session, prefix: &str) -> Result<Self> {
        let queues = Queues::new(prefix);
        let declare = [reports(&queues)];
        let open = async |session: &Session| session.receiver(&declare, false).await;
        Ok(Self {
            connection: session.connect_by(open).await?,
            declare,
            queue: queues.status().into(),
            lock: queues.lock(),
            held: HashMap::new(),
            last: None,
        })
    }

    /// Reads on over another connection after an error; also where another one reads.
    ///
    /// # Errors
    /// It is no use.
    pub(in crate::command::ota) async fn recover(
        &mut self,
        session: &Session,
        why: Error,
    ) -> Result<()> {
        // What was not given back the server has taken back.
        self.held.clear();
        let open = async |session: &Session| session.receiver(&self.declare, false).await;
        self.connection = match why.cause() {
            Some(Cause::InUse) => session.connect_by(open).await?,
            _ if session.is_outage(&why) => session.remake(why, open).await?,
            _ => return Err(why),
        };
        Ok(())
    }

    pub(in crate::command::ota) async fn close(mut self) -> Result<()> {
        self.give_back();
        self.connection.close().await
    }

    /// The last report of each device is in the queue again.
    fn give_back(&mut self) {
        if let Some(last) = self.held.values().max() {
            self.connection.settle(*last, true, Settlement::Released);
        }
        self.held.clear();
    }

    /// Reads the queue to its end, if there is something new in it.
    ///
    /// # Errors
    /// Another one reads it ([`Cause::InUse`]), or the connection is lost.
    pub(in crate::command::ota) async fn round(&mut self, fleet: &mut Fleet) -> Result<()> {
        let there = Declaration::QueueIsThere(self.queue.clone());
        let waiting = self.connection.declare(&there).await?;
        let waiting = waiting.map_or(0, |it| it.messages as usize);
        // Each reading counts as a delivery, of which some queues allow only so many.
        if let Some((count, at)) = self.last
            && count == waiting
            && at.elapsed() < ANYWAY
        {
            return Ok(());
        }
        let lock = Declaration::Queue(Queue {
            name: self.lock.as_str().into(),
            ..Queue::temporary()
        });
        self.connection.declare(&lock).await?;
        self.read(fleet).await?;
        self.last = Some((self.held.len(), Instant::now()));
        self.give_back();
        self.connection.delete(&self.lock).await
    }

    async fn read(&mut self, fleet: &mut Fleet) -> Result<()> {
        loop {
            match self.connection.get(&self.queue, false).await? {
                Incoming::Delivery(delivery) => {
                    let device = fleet.take_named(&delivery.message.payload);
                    let superseded = match device {
                        Some(device) => self.held.insert(device, delivery.tag),
                        // It is no report, and nobody needs it.
                        None => Some(delivery.tag),
                    };
                    if let Some(tag) = superseded {
                        self.connection.settle(tag, false, Settlement::Accepted);
                    }
                }
                Incoming::TooLarge { tag, .. } => {
                    self.connection.settle(tag, false, Settlement::Rejected);
                }
                Incoming::Empty => return Ok(()),
                Incoming::Cancelled => {
                    let text = format!("the queue {} is gone", self.queue);
                    return Err(Error::new(Kind::Lost, text));
                }
            }
        }
    }
}
