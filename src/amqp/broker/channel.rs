//! A channel: what is being published on it, delivered to it, and not settled yet.

use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use super::super::frame::Refusal;
use super::message::{Charge, Held, Meter, Properties};
use super::queue::Queued;
use crate::server::Key;

/// A delivered message that is not settled.
#[derive(Debug)]
pub(super) struct Unsettled {
    pub(super) queue: Key,
    /// `None`: it was fetched with basic.get.
    pub(super) consumer: Option<Key>,
    pub(super) queued: Queued,
}

/// The deliveries of a channel that are not settled, in the order of their tags.
#[derive(Debug, Default)]
pub(super) struct Deliveries {
    /// Those settled out of turn leave a gap, which goes when all before it are settled.
    items: VecDeque<(u64, Option<Unsettled>)>,
    live: usize,
    last_tag: u64,
}

/// Gaps that are kept however few deliveries are left.
const GAPS: usize = 64;

impl Deliveries {
    pub(super) const fn next_tag(&mut self) -> u64 {
        self.last_tag += 1;
        self.last_tag
    }

    pub(super) fn push(&mut self, tag: u64, unsettled: Unsettled) {
        self.items.push_back((tag, Some(unsettled)));
        self.live += 1;
    }

    /// How many wait to be settled.
    pub(super) const fn len(&self) -> usize {
        self.live
    }

    /// How many places are kept, with those of settled ones.
    #[cfg(test)]
    pub(super) fn places(&self) -> usize {
        self.items.len()
    }

    /// The delivery with this tag.
    fn take(&mut self, tag: u64) -> Option<Unsettled> {
        let at = self.items.partition_point(|(other, _)| *other < tag);
        let found = self
            .items
            .get_mut(at)
            .filter(|(other, _)| *other == tag)?
            .1
            .take()?;
        self.live -= 1;
        while self.items.front().is_some_and(|(_, item)| item.is_none()) {
            self.items.pop_front();
        }
        // One that is never settled must not keep all the gaps behind it.
        if self.items.len() > 2 * self.live + GAPS {
            self.items.retain(|(_, item)| item.is_some());
        }
        Some(found)
    }

    /// The deliveries that a settlement is about: one, or all up to a tag; with tag 0 all there are (§1.8.3.13).
    ///
    /// # Errors
    /// 406: there is none.
    pub(super) fn settle(&mut self, tag: u64, multiple: bool) -> Result<Vec<Unsettled>, Refusal> {
        let unknown = || Refusal::precondition(format!("unknown delivery tag {tag}"));
        if !multiple {
            return self.take(tag).map(|one| vec![one]).ok_or_else(unknown);
        }
        if tag == 0 {
            return Ok(self.take_all());
        }
        let upper = self.items.partition_point(|(other, _)| *other <= tag);
        let known = upper > 0
            && self
                .items
                .get(upper - 1)
                .is_some_and(|(other, item)| *other == tag && item.is_some());
        if !known {
            return Err(unknown());
        }
        let taken: Vec<_> = self
            .items
            .drain(..upper)
            .filter_map(|(_, item)| item)
            .collect();
        self.live -= taken.len();
        Ok(taken)
    }

    pub(super) fn take_all(&mut self) -> Vec<Unsettled> {
        self.live = 0;
        self.items.drain(..).filter_map(|(_, item)| item).collect()
    }
}

/// A message on its way in.
#[derive(Debug)]
pub(super) struct Incoming {
    pub(super) exchange: Rc<str>,
    pub(super) routing_key: Rc<str>,
    pub(super) mandatory: bool,
    pub(super) properties: Properties,
    /// `None`: its content header has not come yet.
    pub(super) size: Option<u64>,
    pub(super) body: Vec<u8>,
    pub(super) charge: Charge,
}

impl Incoming {
    /// Adds a part of the body. Its room grows with what comes, and never beyond what was announced.
    pub(super) fn take(&mut self, payload: &[u8], size: u64) {
        let (there, body) = (self.body.len(), &mut self.body);
        if body.capacity() - there < payload.len() {
            let announced = usize::try_from(size).unwrap_or(usize::MAX);
            let room = (2 * there).min(announced).max(there + payload.len());
            body.reserve_exact(room - there);
        }
        body.extend_from_slice(payload);
    }
}

/// Publisher confirms (RabbitMQ's extension): what was published and what is still to be said about it.
#[derive(Debug, Default)]
pub(super) struct Confirms {
    /// Messages published so far.
    pub(super) published: u64,
    /// All up to this one are answered.
    pub(super) answered: u64,
    /// Those between the two that were not taken.
    pub(super) refused: Vec<u64>,
}

/// What waits for tx.commit.
#[derive(Debug)]
pub(super) enum Operation {
    Publish(Incoming),
    Settle {
        tag: u64,
        multiple: bool,
        outcome: Outcome,
    },
}

/// What becomes of a delivered message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It is done.
    Ack,
    /// It goes back to its queue.
    Requeue,
    /// It goes to the dead letters, where there are any.
    Reject,
}

/// What is done at tx.commit.
#[derive(Debug)]
pub(super) struct Transaction {
    pub(super) operations: Vec<Operation>,
    pub(super) charge: Charge,
}

impl Transaction {
    pub(super) fn new(memory: &Meter) -> Self {
        Self {
            operations: Vec::new(),
            charge: memory.charge(Held::Unfinished, 0),
        }
    }

    pub(super) fn push(&mut self, operation: Operation) {
        self.operations.push(operation);
        let room = self.operations.capacity() * size_of::<Operation>();
        self.charge.set(room);
    }
}

#[derive(Debug, Default)]
pub(super) struct Channel {
    /// We closed it, and wait for the answer; all else is ignored (§1.5.2.5).
    pub(super) closing: bool,
    /// channel.flow stopped the deliveries.
    pub(super) paused: bool,
    pub(super) deliveries: Deliveries,
    /// Unsettled messages for each consumer to come; 0: no limit.
    pub(super) prefetch: u16,
    /// Unsettled messages for the whole channel; 0: no limit.
    pub(super) channel_prefetch: u16,
    pub(super) consumers: BTreeMap<Rc<str>, Key>,
    pub(super) incoming: Option<Incoming>,
    /// Exchange and routing key of the message before: the next one mostly has the same.
    pub(super) address: Option<(Rc<str>, Rc<str>)>,
    pub(super) confirms: Option<Confirms>,
    /// Since tx.select.
    pub(super) transaction: Option<Transaction>,
    /// The queue that an empty name means.
    pub(super) last_queue: Option<Rc<str>>,
    /// The routing key of direct replies to this channel.
    pub(super) replies: Option<Rc<str>>,
    pub(super) _charge: Option<Charge>,
}

impl Channel {
    /// What its unfinished message and its transaction take in memory, in bytes.
    pub(super) fn unfinished(&self) -> usize {
        let incoming = self
            .incoming
            .as_ref()
            .map(|incoming| incoming.charge.bytes());
        let transaction = self.transaction.as_ref().map(|transaction| {
            let messages = transaction
                .operations
                .iter()
                .map(|operation| match operation {
                    Operation::Publish(incoming) => incoming.charge.bytes(),
                    Operation::Settle { .. } => 0,
                });
            transaction.charge.bytes() + messages.sum::<usize>()
        });
        incoming.unwrap_or(0) + transaction.unwrap_or(0)
    }

    /// Exchange and routing key of a message, as they are kept.
    pub(super) fn address(&mut self, exchange: &str, key: &str) -> (Rc<str>, Rc<str>) {
        match &self.address {
            Some(known) if *known.0 == *exchange && *known.1 == *key => known.clone(),
            _ => self.address.insert((exchange.into(), key.into())).clone(),
        }
    }

    /// Whether the channel's own prefetch lets one more message through.
    pub(super) fn has_room(&self) -> bool {
        let limit = usize::from(self.channel_prefetch);
        !self.closing && !self.paused && (limit == 0 || self.deliveries.len() < limit)
    }
}

/// A reader of a queue, or of direct replies.
#[derive(Debug)]
pub(super) struct Consumer {
    pub(super) connection: Key,
    pub(super) channel: u16,
    pub(super) tag: Rc<str>,
    /// `None`: direct replies.
    pub(super) queue: Option<Key>,
    pub(super) no_ack: bool,
    pub(super) priority: i64,
    pub(super) prefetch: u16,
    pub(super) unsettled: usize,
    pub(super) _charge: Charge,
}

impl Consumer {
    pub(super) fn has_room(&self) -> bool {
        let limit = usize::from(self.prefetch);
        self.no_ack || limit == 0 || self.unsettled < limit
    }
}
