//! A channel that consumes: by deliveries that the server sends, or by asking for each.

use std::collections::VecDeque;

use super::super::clock::{Nanos, nanos};
use super::super::counters::Received;
use super::super::driver::Io;
use super::super::recorder::Quantity;
use super::super::stamp::Room;
use super::content::{Content, Message};
use super::settings::{Consuming, Group};
use crate::amqp::consumer::Offset;
use crate::amqp::frame::methods::{self, Consume};
use crate::amqp::tags::Tags;
use crate::random::Random;

/// How long acknowledgements that are not yet enough for one wait, up to the next tick.
const PATIENCE: Nanos = 500_000_000;

/// One channel.
pub(super) struct Consumer {
    channel: u16,
    queue: String,
    received: Received,
    random: Random,
    pub(super) content: Content,
    /// Of the deliveries that have come.
    tags: Tags,
    /// The newest delivery that is not acknowledged, and how many are not.
    unacked: (u64, u16),
    /// When the first of them came.
    unacked_since: Nanos,
    /// Deliveries that are worked on, and until when.
    held: VecDeque<(u64, Nanos)>,
    /// When to ask for the next message; [`Nanos::MAX`]: an answer is under way.
    poll_at: Nanos,
    asked_at: Nanos,
}

impl Consumer {
    pub(super) fn new(group: &Group, index: usize, channel: u16, sender: u32) -> Self {
        let settings = &group.settings;
        let queue = group.queue_of(index, channel);
        Self {
            channel,
            queue: settings.queue.of_group(queue).fill(0, 0),
            received: Received::new(settings.run_id, Some(Room::of(settings.size.0)))
                .sharing(group.shared.get(queue).cloned()),
            random: Random::new(settings.seed, u64::from(sender) << 16 | u64::from(channel)),
            content: Content::None,
            tags: Tags::default(),
            unacked: (0, 0),
            unacked_since: 0,
            held: VecDeque::new(),
            poll_at: Nanos::MAX,
            asked_at: 0,
        }
    }

    /// Asks the server to send messages; `true`: there is an answer to wait for.
    pub(super) fn begin(&mut self, group: &Group, io: &mut Io<'_>) -> bool {
        let consuming = &group.settings.consuming;
        if consuming.poll.is_some() {
            self.poll_at = io.now;
            return false;
        }
        let offset = consuming.offset.as_ref().map(Offset::argument);
        self.asked_at = io.now;
        let how = Consume {
            auto_ack: consuming.auto_ack,
            arguments: offset.as_slice(),
            ..Consume::default()
        };
        methods::consume(self.channel, &self.queue, how, io.out);
        true
    }

    pub(super) fn begun(&self, io: &mut Io<'_>) {
        io.records
            .of(Quantity::Subscribe)
            .span(self.asked_at, io.now);
    }

    /// There was nothing to get.
    pub(super) fn empty(&mut self, group: &Group, now: Nanos) {
        let pause = group.settings.consuming.poll.unwrap_or_default();
        self.poll_at = now + nanos(pause);
    }

    /// A message has come whole.
    #[inline]
    pub(super) fn take(&mut self, message: &Message, group: &Group, io: &mut Io<'_>) {
        let consuming = &group.settings.consuming;
        self.received
            .enter(message.head(), message.length, io.now, io.records);
        if let Some(to) = message.reply_to.as_deref().filter(|_| group.requests()) {
            methods::answer(self.channel, to, message.head(), io.out);
        }
        if let (false, Some(tag)) = (consuming.auto_ack, message.tag) {
            self.tags.came(tag);
            if consuming.latency.is_zero() {
                self.settle(tag, consuming, io);
            } else {
                let from = self
                    .held
                    .back()
                    .map_or(io.now, |(_, until)| io.now.max(*until));
                self.held.push_back((tag, from + nanos(consuming.latency)));
            }
        }
        if consuming.poll.is_some() {
            self.poll_at = self.held.back().map_or(io.now, |(_, until)| *until);
            self.poll(consuming, io);
        }
    }

    #[inline]
    fn settle(&mut self, tag: u64, consuming: &Consuming, io: &mut Io<'_>) {
        if consuming.nack > 0.0 && self.random.fraction() < consuming.nack {
            self.acknowledge(io);
            return methods::nack(self.channel, tag, false, consuming.requeue, io.out);
        }
        if !self.tags.is_whole(tag) {
            // One before it was lost, and is not to be acknowledged with it.
            return methods::ack(self.channel, tag, false, io.out);
        }
        if self.unacked.1 == 0 {
            self.unacked_since = io.now;
        }
        self.unacked = (tag, self.unacked.1 + 1);
        if self.unacked.1 >= consuming.multi_ack {
            self.acknowledge(io);
        }
    }

    /// Acknowledges what has waited long enough for others.
    pub(super) fn acknowledge_old(&mut self, io: &mut Io<'_>) {
        if io.now.saturating_sub(self.unacked_since) >= PATIENCE {
            self.acknowledge(io);
        }
    }

    /// Acknowledges what is not.
    pub(super) fn acknowledge(&mut self, io: &mut Io<'_>) {
        let (tag, count) = std::mem::take(&mut self.unacked);
        if count > 0 {
            methods::ack(self.channel, tag, count > 1, io.out);
        }
    }

    fn poll(&mut self, consuming: &Consuming, io: &mut Io<'_>) {
        if io.now >= self.poll_at {
            self.poll_at = Nanos::MAX;
            methods::get(self.channel, &self.queue, consuming.auto_ack, io.out);
        }
    }

    /// Does what is due, and says when there will be more to do.
    pub(super) fn work(&mut self, group: &Group, io: &mut Io<'_>) -> Option<Nanos> {
        let consuming = &group.settings.consuming;
        while let Some((tag, _)) = self
            .held
            .front()
            .copied()
            .filter(|(_, until)| *until <= io.now)
        {
            self.held.pop_front();
            self.settle(tag, consuming, io);
        }
        self.poll(consuming, io);
        let held = self.held.front().map_or(Nanos::MAX, |(_, until)| *until);
        Some(held.min(self.poll_at)).filter(|at| *at < Nanos::MAX)
    }

    pub(super) fn lost(&mut self) {
        (self.content, self.unacked) = (Content::None, (0, 0));
        self.tags = Tags::default();
        self.held.clear();
        self.poll_at = Nanos::MAX;
    }
}
