//! A channel that publishes, with confirms or without.

use super::super::clock::{Nanos, nanos};
use super::super::driver::{Broken, Io};
use super::super::recorder::{Pending, Unproved};
use super::super::stamp::Stamp;
use super::content::{Content, Message};
use super::in_flight::{InFlight, Tag};
use super::methods;
use super::scan::Fields;
use super::settings::Group;
use super::template::{Key, Template};
use crate::random::Random;

/// Between two proofs that what is published without confirms has arrived.
const PROOF: Nanos = 1_000_000_000;

/// One channel.
pub(super) struct Publisher {
    channel: u16,
    /// In the stamps; another on each channel, for only within one does the order count.
    sender: u32,
    key: Key,
    template: Template,
    random: Random,
    flights: InFlight,
    /// Messages whose confirm, should it come, is for nothing that waits: given up, or returned.
    excused: u64,
    sequence: u64,
    /// The sequence number of the message with tag 1.
    first: u64,
    /// Without confirms: written since the last question.
    unproved: Unproved,
    /// Without confirms: written before the question that is under way.
    asked: Option<Unproved>,
    proved_at: Nanos,
    pub(super) content: Content,
    /// Why the server returned a message, last.
    reason: String,
}

impl Publisher {
    pub(super) fn new(group: &Group, index: usize, channel: u16, sender: u32) -> Self {
        let settings = &group.settings;
        let sender = sender * u32::from(settings.channels) + u32::from(channel - 1);
        let key = settings.key.of_group(group.queue_of(index, channel));
        let key = Key::new(&key, index);
        let frame_max = settings.options.frame_max();
        Self {
            channel,
            sender,
            template: Template::new(&group.kind, &key, channel, frame_max),
            key,
            random: Random::new(group.kind.seed, sender.into()),
            flights: InFlight::default(),
            excused: 0,
            sequence: 0,
            first: 0,
            unproved: Unproved::default(),
            asked: None,
            proved_at: 0,
            content: Content::None,
            reason: String::new(),
        }
    }

    /// Frames have at most this many bytes.
    pub(super) fn agree(&mut self, group: &Group, frame_max: u32) {
        self.template = Template::new(&group.kind, &self.key, self.channel, frame_max);
    }

    /// The channel is open and counts from 1.
    pub(super) const fn opened(&mut self, now: Nanos) {
        self.first = self.sequence;
        self.proved_at = now;
    }

    pub(super) const fn in_flight(&self) -> usize {
        self.flights.len() + self.unanswered().all as usize
    }

    /// What is under way and proved only by a later answer.
    const fn unanswered(&self) -> Unproved {
        let (all, measured) = match self.asked {
            Some(asked) => (asked.all, asked.measured),
            None => (0, 0),
        };
        Unproved {
            all: self.unproved.all + all,
            measured: self.unproved.measured + measured,
        }
    }

    #[inline]
    pub(super) fn send(&mut self, due: Nanos, group: &Group, io: &mut Io<'_>) {
        let (least, most) = group.settings.size;
        let stamp = Stamp {
            measured: io.records.window.holds(due),
            due,
            sequence: self.sequence,
            sender: self.sender,
            run: group.settings.run_id,
        };
        if group.is_answered() {
            self.flights.enter(Pending {
                due,
                sent: io.now,
                sequence: self.sequence,
            });
        } else {
            if self.unproved.all == 0 && self.asked.is_none() {
                self.proved_at = io.now;
            }
            self.unproved.all += 1;
            self.unproved.measured += u64::from(stamp.measured);
        }
        self.sequence += 1;
        let size = match least == most {
            true => most,
            false => self.random.between(least, most),
        };
        self.template.write(size, &stamp, io.out);
    }

    pub(super) fn confirmed(
        &mut self,
        mut fields: Fields<'_>,
        io: &mut Io<'_>,
    ) -> Result<(), Broken> {
        let (tag, multiple) = (fields.long_long()?, fields.octet()? & 1 == 1);
        let now = io.now;
        let found = self
            .flights
            .settle(tag, multiple, |flight| io.records.acknowledged(flight, now));
        self.check(found, multiple, "basic.ack", io);
        Ok(())
    }

    /// Names a confirm of nothing that waits for one, unless its message was given up or came back.
    #[inline]
    fn check(&mut self, found: Tag, multiple: bool, name: &str, io: &mut Io<'_>) {
        match found {
            Tag::UnderWay => {}
            Tag::Settled if multiple => {}
            Tag::Settled if self.excused > 0 => self.excused -= 1,
            Tag::Settled | Tag::Unknown => {
                let cause = format!("{name} with an unknown delivery tag");
                io.records.error(&cause, None);
            }
        }
    }

    pub(super) fn refused(
        &mut self,
        mut fields: Fields<'_>,
        io: &mut Io<'_>,
    ) -> Result<(), Broken> {
        let (tag, multiple) = (fields.long_long()?, fields.octet()? & 1 == 1);
        let cause = "the server refused the message (basic.nack)";
        let found = self.flights.settle(tag, multiple, |flight| {
            io.records.refused_for(flight, cause);
        });
        self.check(found, multiple, "basic.nack", io);
        Ok(())
    }

    /// Basic.Return: the message follows.
    pub(super) fn returned(&mut self, mut fields: Fields<'_>, length: usize) -> Result<(), Broken> {
        let (code, text) = (fields.short()?, fields.text()?);
        self.reason = format!("the server returned the message: {code} {text}");
        self.content.announce(None, length)
    }

    /// A message has come whole: it was returned, or answers a request.
    pub(super) fn take(&mut self, message: &Message, io: &mut Io<'_>) {
        if message.tag.is_none() {
            return self.take_back(message, io);
        }
        let stamp = Stamp::read(message.head(), io.now);
        // An answer to a request of before a loss counts for nobody.
        if let Some(stamp) = stamp.filter(|stamp| stamp.sequence >= self.first) {
            let (tag, now) = (stamp.sequence - self.first + 1, io.now);
            self.flights
                .settle(tag, false, |flight| io.records.acknowledged(flight, now));
        }
    }

    /// The confirm of a returned message comes too, and does not count.
    fn take_back(&mut self, message: &Message, io: &mut Io<'_>) {
        let Some(stamp) = Stamp::read(message.head(), io.now) else {
            return io.records.error(&self.reason, None);
        };
        let reason = self.reason.as_str();
        // The server answers in order: a question that is under way was asked after this message.
        let unproved = match &mut self.asked {
            Some(asked) if asked.all > 0 => asked,
            _ => &mut self.unproved,
        };
        if unproved.all > 0 {
            unproved.all -= 1;
            unproved.measured -= unproved.measured.min(stamp.measured.into());
            let flight = Pending {
                due: stamp.due,
                sent: stamp.due,
                sequence: stamp.sequence,
            };
            io.records.refused_for(&flight, reason);
        } else if stamp.sequence >= self.first {
            let tag = stamp.sequence - self.first + 1;
            let found = self.flights.settle(tag, false, |flight| {
                io.records.refused_for(flight, reason);
            });
            self.excused += u64::from(found == Tag::UnderWay);
        }
    }

    /// All that was written before the question has been read.
    pub(super) fn proved(&mut self, io: &mut Io<'_>) {
        if let Some(asked) = self.asked.take().filter(|asked| asked.all > 0) {
            io.records.proved(asked, self.proved_at, io.now);
        }
        self.proved_at = io.now;
    }

    pub(super) fn tick(&mut self, last: bool, group: &Group, io: &mut Io<'_>) {
        let due = last || io.now.saturating_sub(self.proved_at) >= PROOF;
        if self.unproved.all > 0 && self.asked.is_none() && due {
            self.asked = Some(std::mem::take(&mut self.unproved));
            methods::qos(self.channel, 0, io.out);
        }
        let patience = nanos(group.settings.ack_timeout);
        let excused = &mut self.excused;
        self.flights
            .give_up(io.now.saturating_sub(patience), |flight| {
                *excused += 1;
                io.records.timed_out(flight)
            });
    }

    pub(super) fn lost(&mut self, io: &mut Io<'_>) {
        self.content = Content::None;
        io.records.lost_unproved(self.unanswered());
        (self.unproved, self.asked) = (Unproved::default(), None);
        self.flights.clear(|flight| io.records.lost(flight));
    }

    pub(super) fn finish(&mut self, io: &mut Io<'_>) {
        io.records.timed_out_unproved(self.unanswered());
        (self.unproved, self.asked) = (Unproved::default(), None);
        self.flights.clear(|flight| io.records.timed_out(flight));
    }
}
