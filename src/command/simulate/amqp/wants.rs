//! The exchange of a device, and the queues that its commands come from.

use bytestring::ByteString;

use crate::amqp::topology::{Binding, Declaration, Destination, Queue};
use crate::device::fleet::Fleet;

/// What is to be there on the server for one device.
pub(super) struct Wants {
    pub(super) declare: Vec<Declaration>,
    pub(super) queues: Vec<ByteString>,
    /// What the names of queues end with that are this device's part of a command to several.
    suffix: String,
}

impl Wants {
    pub(super) fn of(fleet: &Fleet, device: usize) -> Self {
        let model = fleet.model();
        let exchange = &model.group(device).exchange;
        let mut wants = Self {
            declare: Vec::new(),
            queues: Vec::new(),
            suffix: format!("@{}", model.devices[device].id),
        };
        if !exchange.is_empty() {
            let there = Declaration::ExchangeIsThere(exchange.as_str().into());
            wants.declare.push(there);
        }
        for (topic, _) in fleet.subscriptions(device) {
            // A queue hands each message to one of its consumers, and all of them are to have it.
            let name = match fleet.takers(&topic).len() {
                0 | 1 => topic.clone(),
                _ => format!("{topic}{}", wants.suffix).into(),
            };
            wants.declare.push(Declaration::Queue(Queue {
                durable: false,
                exclusive: true,
                auto_delete: true,
                ..Queue::new(name.clone())
            }));
            if !exchange.is_empty() {
                wants.declare.push(Declaration::Binding(Binding {
                    source: exchange.as_str().into(),
                    destination: Destination::Queue(name.clone()),
                    key: topic,
                    arguments: Vec::new(),
                }));
            }
            wants.queues.push(name);
        }
        wants
    }

    /// The topic of a command, by the routing key that it came with: that may be the name of a queue.
    pub(super) fn topic<'k>(&self, key: &'k str) -> &'k str {
        key.strip_suffix(&self.suffix).unwrap_or(key)
    }
}
