//! A connection while nobody takes what comes over it: it is made and kept alive all the same.

use std::time::Instant;

use super::{Client, Link};
use crate::error::{Error, Result};

impl Client {
    /// Reads from now on. What the server had to say before that it could not.
    pub(super) fn read_on(&mut self) {
        let now = Instant::now();
        if !self.session.is_reading() {
            self.heard_at = now;
        }
        self.session.set_reading(true, now);
    }

    /// By when the server has to have said something, while it owes an answer to a CONNECT, SUBSCRIBE or UNSUBSCRIBE: it has the
    /// whole time from when it was asked, however long it had nothing to say before.
    pub(super) fn greeted_by(&mut self) -> Option<Instant> {
        if self.session.is_ready() || !self.session.is_reading() {
            self.owed_since = None;
            return None;
        }
        let since = *self.owed_since.get_or_insert_with(Instant::now);
        Some(since.max(self.heard_at) + self.target.connect_timeout)
    }

    /// Whether messages cannot come yet.
    fn begins(&self) -> bool {
        !self.session.is_online() || self.session.awaits_suback()
    }

    /// Makes the first connection, up to the answers to all that is asked at its beginning, whether or not somebody takes
    /// messages: what is published to a subscription that is not made yet is lost. False when there is a notice before that.
    ///
    /// # Errors
    /// As [`Self::drive`].
    pub(super) async fn make(&mut self) -> Result<bool> {
        self.read_on();
        while !self.ever_ready && self.begins() && !self.session.has_messages() {
            if !self.notices.is_empty() {
                return Ok(false);
            }
            self.step().await?;
        }
        Ok(true)
    }

    /// Keeps the connection alive without reading from it, so that a server is slowed down while whoever
    /// takes our messages is busy. Returns only when the connection cannot go on.
    pub(crate) async fn hold(&mut self) -> Error {
        let now = Instant::now();
        if self.session.is_online() {
            self.heard_at = now;
        }
        loop {
            // A server is not to blame for answers that are not read.
            let reading = self.begins() && !self.session.has_messages();
            self.session.set_reading(reading, Instant::now());
            if !matches!(self.link, Link::Open(_)) {
                return std::future::pending().await;
            }
            if let Err(error) = self.step().await {
                return error;
            }
        }
    }
}
