//! Updates over AMQP: manifests go to an exchange, from which each device has a queue; reports go to one queue.

use std::collections::HashMap;
use std::time::Duration;

use bytestring::ByteString;

use super::status::{self, Fleet};
use crate::amqp::topology::{Declaration, Exchange, Queue};
use crate::amqp::v091::{Connection, Incoming};
use crate::amqp::wish::Settlement;
use crate::command::amqp::publish;
use crate::command::amqp::session::{Session, SessionArgs};
use crate::command::mqtt::session::SessionArgs as Flags;
use crate::connect::{Protocol, Retry};
use crate::error::{Error, Kind, Result};
use crate::firmware::suit::MEDIA_TYPE;
use crate::firmware::wire::Queues;
use crate::message::{AmqpProperties, AmqpValue};
use crate::output::Console;
use crate::payload::{Destination, Source};
use crate::stop::Stop;

/// Bytes of reports that wait to be read; the oldest are dropped first.
const MOST_WAITING: i64 = 64 << 20;

/// How often the queue of reports is looked into with `--until`.
const AGAIN: Duration = Duration::from_millis(500);

/// The connection, where the URL is one of AMQP.
pub(super) fn session(flags: &Flags) -> Option<SessionArgs> {
    let url = flags.connect.url.as_deref().unwrap_or_default();
    let scheme = url.split_once("://").map(|(scheme, _)| scheme);
    let is_amqp = scheme.and_then(Protocol::of_scheme) == Some(Protocol::Amqp);
    is_amqp.then(|| SessionArgs {
        connect: flags.connect.clone(),
        ..SessionArgs::default()
    })
}

/// The exchange that manifests go to.
pub(super) fn exchange(queues: &Queues) -> Declaration {
    Declaration::Exchange(Exchange::new(queues.exchange(), "direct"))
}

/// The queue that reports go to.
pub(super) fn reports(queues: &Queues) -> Declaration {
    let limit = ("x-max-length-bytes".into(), AmqpValue::Int(MOST_WAITING));
    Declaration::Queue(Queue {
        arguments: vec![limit],
        ..Queue::new(queues.status())
    })
}

/// Publishes a manifest, and fails where no device has a queue for it.
pub(super) async fn publish(
    session: SessionArgs,
    plan: &super::publish::Plan,
    source: Source,
) -> Result<()> {
    let queues = Queues::new(&plan.prefix);
    let keys = plan
        .to
        .iter()
        .map(|it| Destination::new(it.to_string().into()));
    let plan = publish::Plan {
        exchange: queues.exchange().into(),
        keys: keys.collect(),
        mandatory: true,
        properties: AmqpProperties {
            content_type: Some(ByteString::from_static(MEDIA_TYPE)),
            delivery_mode: Some(2),
            ..AmqpProperties::default()
        },
        declare: vec![exchange(&queues)],
        until: plan.until.clone(),
        style: plan.style,
        ..publish::Plan::new(session, "", source)
    };
    publish::run(plan).await
}

/// Reads reports. The last one of each device stays in the queue for who reads it next; what it has superseded is taken out.
pub(super) async fn watch(
    session: SessionArgs,
    plan: &status::Plan,
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
