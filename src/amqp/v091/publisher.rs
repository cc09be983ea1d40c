//! Publishing: messages in, their outcomes out.

use super::super::frame::methods;
use super::super::publisher::{MOST_BYTES, Outcome, Outgoing, Returns};
use super::connection::Connection;
use super::link::End;
use super::login::CHANNEL;
use super::news::News;
use crate::error::Result;

impl Connection {
    /// Whether the window has room for one more.
    pub fn has_room(&self) -> bool {
        let flights = &self.heard.flights;
        let room = flights.len() < self.window && flights.bytes() < MOST_BYTES;
        (room || flights.len() == 0) && self.heard.paused.is_none()
    }

    /// How many messages are not confirmed yet, or not written without confirmations.
    pub const fn unconfirmed(&self) -> usize {
        self.heard.flights.len()
    }

    /// How many messages no queue got, of those whose returns are counted.
    pub const fn unroutable(&self) -> u64 {
        self.heard.unroutable
    }

    /// The first message under way.
    pub fn oldest(&self) -> Option<(u64, &Outgoing)> {
        self.heard.flights.oldest()
    }

    /// Puts a message into the next write, under a number that [`Outcome`]s name; numbers must not repeat.
    ///
    /// # Errors
    /// [`crate::error::Kind::Usage`] for a text over 255 bytes; nothing is sent then.
    pub fn publish(&mut self, number: u64, message: Outgoing) -> Result<()> {
        self.heard.counts |= message.returns == Returns::Counted;
        let (largest, link) = (self.link.largest, &mut self.link);
        // Nothing is to be published during a pause (AMQP 0-9-1 §1.5.2.3).
        let out = match self.heard.paused {
            Some(_) => &mut self.heard.held,
            None => &mut link.out,
        };
        self.template
            .put(number, &message, &self.marks, largest, out)?;
        let end = link.written + link.out.len() as u64;
        self.heard.flights.enter(number, message, end);
        Ok(())
    }

    /// Waits until something is known, or the server wants messages again after a pause, and appends all that is known; with
    /// nothing under way only that and the end of the connection end it. Cancel-safe, and the only thing that reads, writes and keeps the connection alive.
    ///
    /// # Errors
    /// What ended the channel or the connection. [`Connection::abandoned`] tells what is in doubt then.
    pub async fn fates(&mut self, into: &mut Vec<(u64, Outcome)>) -> Result<()> {
        loop {
            let paused = self.paused().is_some();
            if !self.is_over()
                && let Err(end) = self.hear()
            {
                self.over(end);
            }
            let known = self.outcomes(into);
            if self.is_over() {
                return Err(self.ended("to take messages").await);
            }
            if known || paused && self.paused().is_none() {
                return Ok(());
            }
            if let Err(end) = self.link.progress().await {
                self.over(end);
            }
        }
    }

    /// Appends what is known of messages; whether that is anything.
    pub fn outcomes(&mut self, into: &mut Vec<(u64, Outcome)>) -> bool {
        let News { flights, fates, .. } = &mut self.heard;
        if !self.confirms {
            let written = self.link.written;
            flights.written(written, |number| fates.push((number, Outcome::Written)));
        }
        let known = !fates.is_empty();
        into.append(fates);
        known
    }

    /// Deals with all frames that have come.
    fn hear(&mut self) -> std::result::Result<(), End> {
        let (heard, marks) = (&mut self.heard, &self.marks);
        self.link
            .frames(|frame, out| heard.take(frame, marks, out).map(|()| true))
    }

    /// Makes sure that the server has read all that was written, when nothing is confirmed.
    ///
    /// # Errors
    /// What the server had against it, a lost connection, silence.
    pub async fn proof(&mut self) -> Result<()> {
        if self.confirms {
            return Ok(());
        }
        // Any request that is answered: answers come in order.
        methods::qos(CHANNEL, 1, &mut self.link.out);
        let answer = self.answer("to take messages", &[methods::QOS_OK]).await;
        answer.map(|_| ())
    }

    /// What was published and is not known to have arrived, to be published again, in order.
    pub fn abandoned(self) -> Vec<(u64, Outgoing)> {
        self.heard.flights.rest()
    }
}
