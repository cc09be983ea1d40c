//! The publisher: messages in, their fates out.

use std::time::{Duration, Instant};

use amq_protocol::protocol::{AMQPClass, basic, connection};
use tokio::time::error::Elapsed;
use tokio::time::timeout;

use super::super::client::{CLOSING, Event, Options};
use super::super::diagnose;
use super::super::heard::{Heard, Listening};
use super::super::publisher::{MOST_BYTES, Marks, Outcome, Outgoing};
use super::link::{End, Link};
use super::login::{self, CHANNEL, FIRST_FRAMES, Wishes, answer, log_in, of, start_ok};
use super::news::News;
use super::template::Template;
use crate::connect::{Target, dial};
use crate::error::{Error, Result};

/// A connection that publishes, and nothing else.
pub struct Publisher {
    target: Target,
    patience: Duration,
    link: Link,
    confirms: bool,
    window: usize,
    template: Template,
    marks: Marks,
    heard: News,
    broken: bool,
    objected: bool,
}

impl Publisher {
    /// Connects and logs in, within the target's time for connecting. `on_event` is called as soon as the server
    /// says something. At most `window` messages are under way; without `confirms` nothing is known of them but that
    /// they were written.
    ///
    /// # Errors
    /// As [`super::super::Client::connect`].
    pub async fn connect(
        target: &Target,
        options: &Options,
        on_event: impl Fn(Event) + Send + 'static,
        confirms: bool,
        window: usize,
    ) -> Result<Self> {
        let wishes = Wishes::of(options)?;
        let heard = Heard::default();
        let stream = Listening::new(dial(target).await?, heard.clone());
        let mut link = Link::new(stream, FIRST_FRAMES);
        let limit = target.connect_timeout;
        let objection = heard.until(|said| diagnose::objection(target, &options.login, said));
        let logging_in = log_in(&mut link, start_ok(options), &wishes);
        let logged_in = tokio::select! {
            biased;
            error = objection => return Err(error),
            done = timeout(limit, logging_in) => done,
        };
        match logged_in {
            Ok(Ok(())) => {}
            Ok(Err(end)) => {
                let cause = end.cause();
                return Err(diagnose::login(target, &options.login, &heard, &cause).await);
            }
            Err(_) => return Err(diagnose::no_answer(target, limit)),
        }
        let mut publisher = Self {
            target: target.clone(),
            patience: options.patience,
            link,
            confirms,
            window: window.max(1),
            template: Template::default(),
            marks: Marks::new(),
            heard: News::new(on_event),
            broken: false,
            objected: false,
        };
        let what = "to open a channel";
        let opening = login::open(&mut publisher.link, confirms);
        let opened = timeout(options.patience, opening).await;
        publisher.in_time(what, opened)?;
        Ok(publisher)
    }

    /// Whether the window has room for one more.
    pub fn has_room(&self) -> bool {
        let flights = &self.heard.flights;
        let room = flights.len() < self.window && flights.bytes() < MOST_BYTES;
        (room || flights.len() == 0) && self.heard.paused.is_none()
    }

    /// How many messages are not confirmed yet, or not written without confirmations.
    pub fn unconfirmed(&self) -> usize {
        self.heard.flights.len()
    }

    /// Why the server takes nothing from us at the moment, if it said so.
    pub fn blocked(&self) -> Option<&str> {
        self.heard.blocked.as_deref()
    }

    /// Since when the server wants no more messages for the moment (channel.flow), if it does.
    pub fn paused(&self) -> Option<Instant> {
        self.heard.paused
    }

    /// Whether the server broke the rules, so that trying again would break them again.
    pub const fn is_broken(&self) -> bool {
        self.broken
    }

    /// Whether the server ended the connection over what it was sent, and not because it was told to (320): what was sent
    /// would end the next one too.
    pub const fn objected(&self) -> bool {
        self.objected
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
        let (largest, link) = (self.link.largest, &mut self.link);
        self.template
            .put(number, &message, &self.marks, largest, &mut link.out)?;
        let end = link.written + link.out.len() as u64;
        self.heard.flights.enter(number, message, end);
        Ok(())
    }

    /// Waits until something is known, and appends all that is; with nothing under way only the end of the connection
    /// ends it. Cancel-safe, and the only thing that reads, writes and keeps the connection alive.
    ///
    /// # Errors
    /// What ended the channel or the connection. [`Publisher::abandoned`] tells what is in doubt then.
    pub async fn fates(&mut self, into: &mut Vec<(u64, Outcome)>) -> Result<()> {
        loop {
            let took = self.take();
            let known = !self.heard.fates.is_empty();
            into.append(&mut self.heard.fates);
            if let Err(end) = took {
                return Err(self.ended("to take messages", end).await);
            }
            if known {
                return Ok(());
            }
            if let Err(end) = self.link.progress().await {
                return Err(self.ended("to take messages", end).await);
            }
            if !self.confirms {
                let (heard, written) = (&mut self.heard, self.link.written);
                let fates = &mut heard.fates;
                heard
                    .flights
                    .written(written, |number| fates.push((number, Outcome::Written)));
            }
        }
    }

    /// Deals with all frames that have come.
    fn take(&mut self) -> std::result::Result<(), End> {
        let (heard, marks) = (&mut self.heard, &self.marks);
        self.link
            .frames(|frame, out| heard.take(frame, marks, out).map(|()| true))
    }

    /// The words for the end; what was still to be said, such as that we have heard, is said.
    async fn ended(&mut self, what: &str, end: End) -> Error {
        self.broken = matches!(end, End::Nonsense(_));
        self.objected = end.objects();
        if matches!(end, End::Told(_)) {
            let link = &mut self.link;
            let saying = async { while !link.out.is_empty() && link.progress().await.is_ok() {} };
            // It knows why it has closed.
            let _ = timeout(CLOSING, saying).await;
        }
        end.words(&self.target, what)
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
        let qos = basic::Qos {
            prefetch_count: 1,
            global: false,
        };
        let qos = AMQPClass::Basic(basic::AMQPMethod::Qos(qos));
        self.link.put(CHANNEL, qos);
        let patience = self.patience;
        let proving = async {
            while !self.heard.proved {
                self.link.progress().await?;
                self.take()?;
            }
            Ok(())
        };
        let proved = timeout(patience, proving).await;
        self.in_time("to take messages", proved)
    }

    fn in_time(
        &self,
        what: &str,
        done: std::result::Result<std::result::Result<(), End>, Elapsed>,
    ) -> Result<()> {
        match done {
            Ok(done) => done.map_err(|end| end.words(&self.target, what)),
            Err(_) => Err(diagnose::silent(
                &self.target,
                what,
                self.patience,
                self.blocked(),
            )),
        }
    }

    /// What was published and is not known to have arrived, to be published again, in order.
    pub fn abandoned(self) -> Vec<(u64, Outgoing)> {
        self.heard.flights.rest()
    }

    /// Ends the connection cleanly where the server plays along, and within a moment in any case.
    pub async fn close(mut self) {
        let close = connection::Close {
            reply_code: 200,
            reply_text: "OK".into(),
            class_id: 0,
            method_id: 0,
        };
        self.link.put(0, of(connection::AMQPMethod::Close(close)));
        let closing = async {
            loop {
                match answer(&mut self.link, 0).await {
                    Ok(AMQPClass::Connection(connection::AMQPMethod::CloseOk(_))) | Err(_) => {
                        return;
                    }
                    Ok(_) => {}
                }
            }
        };
        // A blocked or dead server cannot hold us up.
        let _ = timeout(CLOSING, closing).await;
    }
}
