//! Updates over AMQP: manifests go to an exchange, from which each device has a queue; reports go to one queue.

use super::protocol;
use crate::amqp::topology::{Declaration, Exchange, Queue};
use crate::command::amqp::session::SessionArgs;
use crate::command::mqtt::session::SessionArgs as Flags;
use crate::connect::Protocol;
use crate::firmware::wire::Queues;
use crate::message::AmqpValue;

/// Bytes of reports that wait to be read; the oldest are dropped first.
const MOST_WAITING: i64 = 64 << 20;

/// The connection, where the URL is one of AMQP.
pub(super) fn session(flags: &Flags) -> Option<SessionArgs> {
    let is_amqp = protocol(flags.connect.url.as_deref()) == Some(Protocol::Amqp);
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
