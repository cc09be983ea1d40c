//! One AMQP connection of a load, with its channels: they publish, consume, come and go, or only stay open.

mod greeting;

use std::sync::Arc;

use super::super::clock::{Nanos, nanos};
use super::super::driver::{Broken, Io, Session};
use super::super::recorder::{HELD_BACK, Pending};
use super::churn::Churn;
use super::consumer::Consumer;
use super::content::Message;
use super::in_flight::InFlight;
use super::publisher::Publisher;
use super::settings::{Group, Role};
use crate::amqp::frame::methods::{self, Name};
use crate::amqp::frame::{
    BEAT, BODY, FIRST_FRAMES, Fields, Frame, HEADER, METHOD, PROTOCOL, cut_short,
};
use crate::error::Kind;

/// Between two ticks.
const PATIENCE: Nanos = 1_000_000_000;

/// What one channel does.
enum Channel {
    Publish(Box<Publisher>),
    Consume(Box<Consumer>),
    /// Nothing, or what [`AmqpSession::churn`] does on it.
    Open,
}

/// One connection.
pub(super) struct AmqpSession {
    group: Arc<Group>,
    /// Its number in its group.
    index: usize,
    sender: u32,
    /// The first is number 1.
    channels: Vec<Channel>,
    /// Whose turn it is to publish.
    next: usize,
    churn: Churn,
    /// Connections as messages.
    connections: InFlight,
    /// The queue that belongs to the first channel.
    queue: String,
    /// Channels that are not open yet.
    opening: usize,
    largest: usize,
    /// Between two of ours; 0: none.
    heartbeat: Nanos,
    spoke_at: Nanos,
    /// The engine will tick us at this moment, beside its own ticks.
    tick_at: Nanos,
    open: bool,
    /// Nobody has said goodbye yet on a connection where it can be said.
    closable: bool,
    /// The server has asked us to send nothing.
    held_back: bool,
}

impl AmqpSession {
    pub(super) fn new(group: Arc<Group>, index: usize, sender: u32) -> Self {
        let channel = |number| match group.role {
            Role::Publish => {
                Channel::Publish(Box::new(Publisher::new(&group, index, number, sender)))
            }
            Role::Consume => {
                Channel::Consume(Box::new(Consumer::new(&group, index, number, sender)))
            }
            Role::Idle | Role::Connect | Role::Churn => Channel::Open,
        };
        let count = match group.role {
            Role::Connect => 0,
            Role::Churn => 1,
            _ => group.settings.channels,
        };
        let queue = group.settings.queue.of_group(group.queue_of(index, 1));
        Self {
            index,
            sender,
            channels: (1..=count).map(channel).collect(),
            next: 0,
            churn: Churn::default(),
            connections: InFlight::default(),
            queue: queue.fill(0, 0),
            opening: 0,
            largest: FIRST_FRAMES,
            heartbeat: 0,
            spoke_at: 0,
            tick_at: 0,
            open: false,
            closable: false,
            held_back: false,
            group,
        }
    }

    #[inline]
    fn method(&mut self, frame: &Frame<'_>, io: &mut Io<'_>) -> Result<(), Broken> {
        let mut fields = Fields(frame.payload);
        let name = fields.name()?;
        let place = usize::from(frame.channel).wrapping_sub(1);
        match (self.channels.get_mut(place), name) {
            (Some(Channel::Publish(publisher)), methods::ACK) => publisher.confirmed(fields, io),
            (Some(Channel::Publish(publisher)), methods::NACK) => publisher.refused(fields, io),
            (Some(Channel::Publish(publisher)), methods::DELIVER) => {
                publisher.content.announce(Some(0), frame.length())
            }
            (Some(Channel::Publish(publisher)), methods::RETURN) => {
                publisher.returned(fields, frame.length())
            }
            (Some(Channel::Consume(consumer)), methods::DELIVER) => {
                // The consumer's tag.
                fields.bytes()?;
                let tag = fields.long_long()?;
                consumer.content.announce(Some(tag), frame.length())
            }
            (Some(Channel::Consume(consumer)), methods::GET_OK) => {
                let tag = fields.long_long()?;
                consumer.content.announce(Some(tag), frame.length())
            }
            (Some(Channel::Consume(consumer)), methods::GET_EMPTY) => {
                consumer.empty(&self.group, io.now);
                Ok(())
            }
            _ => self.rare(frame.channel, name, fields, io),
        }
    }

    /// Methods that arrive rarely.
    fn rare(
        &mut self,
        channel: u16,
        name: Name,
        fields: Fields<'_>,
        io: &mut Io<'_>,
    ) -> Result<(), Broken> {
        match name {
            methods::BLOCKED | methods::UNBLOCKED | methods::FLOW => {
                self.hold_back(channel, name, fields, io)
            }
            methods::CLOSE => {
                self.closable = false;
                methods::plain(0, methods::CLOSE_OK, &[], io.out);
                Err(closed("connection", fields)?)
            }
            methods::CHANNEL_CLOSE => Err(closed("channel", fields)?),
            methods::CANCEL => Err(Broken::of(
                Kind::Refused,
                "the server cancelled the consumer: its queue is gone",
            )),
            methods::CLOSE_OK => {
                io.again();
                Ok(())
            }
            _ if self.open => self.answered(channel, name, fields, io),
            _ => self.greeted(channel, name, fields, io),
        }
    }

    /// An answer on a connection that is in use.
    fn answered(
        &mut self,
        channel: u16,
        name: Name,
        fields: Fields<'_>,
        io: &mut Io<'_>,
    ) -> Result<(), Broken> {
        if self.group.role == Role::Churn {
            return self.churn.answered(channel, name, fields, io);
        }
        let place = usize::from(channel).wrapping_sub(1);
        match (self.channels.get_mut(place), name) {
            (Some(Channel::Publish(publisher)), methods::QOS_OK) => {
                publisher.proved(io);
                Ok(())
            }
            _ => Err(greeting::unexpected(name)),
        }
    }

    fn hold_back(
        &mut self,
        channel: u16,
        name: Name,
        mut fields: Fields<'_>,
        io: &mut Io<'_>,
    ) -> Result<(), Broken> {
        if name == methods::FLOW {
            let active = fields.octet()? & 1;
            self.held_back = active == 0;
            if self.held_back {
                io.records.count(HELD_BACK, 1);
            }
            methods::plain(channel, methods::FLOW_OK, &[active], io.out);
            return Ok(());
        }
        self.held_back = name == methods::BLOCKED;
        if self.held_back {
            io.records.count(HELD_BACK, 1);
            let why = fields.text()?;
            let cause = format!("the server blocked the connection: {why}");
            io.records.error(&cause, None);
        }
        Ok(())
    }

    /// A header or a body.
    #[inline]
    fn content(&mut self, frame: &Frame<'_>, io: &mut Io<'_>) -> Result<(), Broken> {
        let place = usize::from(frame.channel).wrapping_sub(1);
        let content = match self.channels.get_mut(place) {
            Some(Channel::Consume(consumer)) => &mut consumer.content,
            Some(Channel::Publish(publisher)) => &mut publisher.content,
            // A consumer that comes and goes was handed a message.
            Some(Channel::Open) if self.group.role == Role::Churn => return Ok(()),
            _ => return Err(cut_short().into()),
        };
        let whole = match frame.kind {
            HEADER => content.header(frame.payload, frame.length())?,
            _ => content.body(frame.payload, frame.length())?,
        };
        if let Some(message) = whole {
            self.take(place, &message, io);
        }
        Ok(())
    }

    #[inline]
    fn take(&mut self, place: usize, message: &Message, io: &mut Io<'_>) {
        match &mut self.channels[place] {
            Channel::Consume(consumer) => consumer.take(message, &self.group, io),
            Channel::Publish(publisher) => publisher.take(message, io),
            Channel::Open => {}
        }
    }

    /// Lets the channels do what is due, and has us ticked when there is more.
    fn work(&mut self, io: &mut Io<'_>) {
        let consuming = &self.group.settings.consuming;
        if self.group.role != Role::Consume
            || consuming.latency.is_zero() && consuming.poll.is_none()
        {
            return;
        }
        let mut next: Option<Nanos> = None;
        for channel in &mut self.channels {
            if let Channel::Consume(consumer) = channel
                && let Some(at) = consumer.work(&self.group, io)
            {
                next = Some(next.map_or(at, |next| next.min(at)));
            }
        }
        let asked = self.tick_at > io.now;
        if let Some(at) = next.filter(|at| !asked || *at < self.tick_at)
            && io.tick_at(at)
        {
            self.tick_at = at;
        }
    }
}

/// Why the server has closed the connection or the channel: its code and words.
fn closed(what: &str, mut fields: Fields<'_>) -> Result<Broken, Broken> {
    let (code, text) = (fields.short()?, fields.text()?);
    let kind = match code {
        403 => Kind::Unauthorized,
        320 => Kind::Lost,
        _ => Kind::Refused,
    };
    let text = match text.as_str() {
        "" => String::new(),
        text => format!(": {text}"),
    };
    let cause = format!("the server closed the {what} with {code}{text}");
    Ok(Broken::of(kind, cause))
}

impl Session for AmqpSession {
    fn connected(&mut self, io: &mut Io<'_>) {
        (self.largest, self.spoke_at) = (FIRST_FRAMES, io.now);
        (self.open, self.held_back, self.tick_at) = (false, false, 0);
        self.closable = false;
        io.out.extend_from_slice(&PROTOCOL);
    }

    fn received(&mut self, bytes: &[u8], io: &mut Io<'_>) -> Result<usize, Broken> {
        let taken = self.read(bytes, io);
        if taken.is_err() {
            self.say_goodbye(io);
        }
        taken
    }

    fn room(&self) -> usize {
        let window = self.group.settings.window;
        match self.group.role {
            Role::Idle | Role::Consume => 0,
            Role::Connect => usize::from(self.open && self.connections.len() == 0),
            Role::Publish | Role::Churn if self.held_back => 0,
            Role::Publish if !self.group.is_answered() => usize::MAX,
            Role::Publish | Role::Churn => window.saturating_sub(self.in_flight()),
        }
    }

    fn send(&mut self, dues: &[Nanos], io: &mut Io<'_>) {
        self.spoke_at = io.now;
        for due in dues {
            match self.group.role {
                Role::Connect => return self.send_connection(dues, io),
                Role::Churn => {
                    let place = (&*self.group, self.queue.as_str(), self.sender);
                    self.churn.send(*due, place, io);
                }
                _ => {
                    let count = self.channels.len();
                    if let Channel::Publish(publisher) = &mut self.channels[self.next % count] {
                        publisher.send(*due, &self.group, io);
                    }
                    self.next = (self.next + 1) % count;
                }
            }
        }
    }

    fn in_flight(&self) -> usize {
        let publishing = self.channels.iter().map(|channel| match channel {
            Channel::Publish(publisher) => publisher.in_flight(),
            _ => 0,
        });
        publishing.sum::<usize>() + self.churn.in_flight() + self.connections.len()
    }

    fn tick(&mut self, last: bool, io: &mut Io<'_>) -> Option<Nanos> {
        let patience = nanos(self.group.settings.ack_timeout);
        let next = io.now + PATIENCE.min(patience / 4).max(1);
        if !self.open {
            self.give_up_closing(io.now.saturating_sub(patience), io);
            return Some(next);
        }
        for channel in &mut self.channels {
            match channel {
                Channel::Publish(publisher) => publisher.tick(last, &self.group, io),
                Channel::Consume(consumer) => consumer.acknowledge_old(io),
                Channel::Open => {}
            }
        }
        self.churn.tick(&self.group, io);
        self.work(io);
        if self.heartbeat > 0 && io.now.saturating_sub(self.spoke_at) >= self.heartbeat {
            self.spoke_at = io.now;
            io.out.extend_from_slice(&BEAT);
        }
        Some(next)
    }

    fn lost(&mut self, io: &mut Io<'_>) {
        (self.open, self.held_back, self.closable) = (false, false, false);
        for channel in &mut self.channels {
            match channel {
                Channel::Publish(publisher) => publisher.lost(io),
                Channel::Consume(consumer) => consumer.lost(),
                Channel::Open => {}
            }
        }
        self.churn.clear(|flight| io.records.lost(flight));
    }

    fn finish(&mut self, io: &mut Io<'_>) {
        for channel in &mut self.channels {
            match channel {
                Channel::Publish(publisher) => publisher.finish(io),
                Channel::Consume(consumer) => consumer.acknowledge(io),
                Channel::Open => {}
            }
        }
        self.churn.clear(|flight| io.records.timed_out(flight));
        self.connections
            .clear(|flight| io.records.timed_out(flight));
        self.say_goodbye(io);
    }
}

impl AmqpSession {
    fn read(&mut self, bytes: &[u8], io: &mut Io<'_>) -> Result<usize, Broken> {
        if bytes.starts_with(b"AMQP") {
            return Err(Broken::new("the server does not speak AMQP 0-9-1"));
        }
        let mut taken = 0;
        while let Some(frame) = Frame::split(&bytes[taken..], self.largest)? {
            match frame.kind {
                METHOD => self.method(&frame, io)?,
                HEADER | BODY => self.content(&frame, io)?,
                _ => {}
            }
            taken += frame.length();
        }
        self.work(io);
        Ok(taken)
    }

    /// Closes the connection where that is possible and was not done.
    fn say_goodbye(&mut self, io: &mut Io<'_>) {
        if std::mem::take(&mut self.closable) {
            methods::close(0, io.out);
        }
    }

    /// The server has not agreed to close: it is left without.
    fn give_up_closing(&mut self, moment: Nanos, io: &mut Io<'_>) {
        let mut late = false;
        self.connections.give_up(moment, |flight| {
            io.records.timed_out(flight);
            late = true;
        });
        if late {
            io.again();
        }
    }

    /// A whole connection as a message: this one is closed, and when the server has agreed opened again.
    fn send_connection(&mut self, dues: &[Nanos], io: &mut Io<'_>) {
        for due in dues {
            self.connections.enter(Pending {
                due: *due,
                sent: io.now,
                sequence: 0,
            });
        }
        self.say_goodbye(io);
        self.open = false;
    }
}
