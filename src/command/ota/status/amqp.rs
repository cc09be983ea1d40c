//! Reports that are read from a queue.

use std::collections::HashMap;
use std::time::Duration;

use super::super::amqp::reports;
use super::{Fleet, Plan};
use crate::amqp::v091::{Connection, Incoming};
use crate::amqp::wish::Settlement;
use crate::command::amqp::session::{Session, SessionArgs};
use crate::connect::Retry;
use crate::error::{Error, Kind, Result};
use crate::firmware::wire::Queues;
use crate::output::Console;
use crate::stop::Stop;

/// How often the queue of reports is looked into with `--until`.
const AGAIN: Duration = Duration::from_millis(500);

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
    let queues = Queues::new(&plan.prefix);
    let declare = [reports(&queues)];
    let open = async |session: &Session| session.receiver(&declare, false).await;
    let connecting = session.connect_by(open);
    let mut reader = Reader {
        queue: queues.status(),
        connection: stop.unless_asked("interrupted", connecting).await?,
        held: HashMap::new(),
    };
    let watching = async {
        loop {
            match reader.read(fleet).await {
                Ok(()) => {}
                Err(error) if session.is_outage(&error) && !plan.until.is_empty() => {
                    reader.held.clear();
                    reader.connection = session.remake(error, open).await?;
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
    reader.give_back();
    let closed = stop.close(reader.connection.close()).await;
    ended.and(closed.map_err(|asked| Error::new(asked.kind(), "interrupted"))?)
}

/// Reads a queue of reports to its end.
struct Reader {
    queue: String,
    connection: Connection,
    /// The last report of each device, which is not acknowledged.
    held: HashMap<String, u64>,
}

impl Reader {
    /// The last report of each device is in the queue again.
    fn give_back(&mut self) {
        if let Some(last) = self.held.values().max() {
            self.connection.settle(*last, true, Settlement::Released);
        }
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
