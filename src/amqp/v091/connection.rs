//! The connection: how it begins, asks for something, and ends.

use std::time::{Duration, Instant};

use tokio::time::timeout;

use super::super::client::{CLOSING, Event, Options};
use super::super::diagnose;
use super::super::frame::methods::{self, Name};
use super::super::frame::{FIRST_FRAMES, properties};
use super::super::heard::{Heard, Listening};
use super::super::publisher::Marks;
use super::inbox::Inbox;
use super::link::{End, Link};
use super::login::{self, CHANNEL, log_in};
use super::news::News;
use super::template::Template;
use crate::connect::failure::{unacknowledged, unconfirmed};
use crate::connect::{Target, dial};
use crate::error::{Error, Kind, Result};

/// A connection with one channel, on which it publishes, receives, or both.
pub struct Connection {
    target: Target,
    patience: Duration,
    pub(super) link: Link,
    pub(super) confirms: bool,
    /// Messages that may be under way.
    pub(super) window: usize,
    pub(super) template: Template,
    pub(super) marks: Marks,
    pub(super) heard: News,
    pub(super) inbox: Inbox,
    /// Why it is over, until that is reported.
    end: Option<End>,
    broken: bool,
    objected: bool,
}

impl Connection {
    /// Connects, logs in and opens a channel, within the target's time for connecting. `on_event` is called as soon as
    /// the server says something. At most `window` messages that are published are under way; without `confirms` nothing
    /// is known of them but that they were written.
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
        properties::check_short("virtual host", &options.vhost)?;
        let heard = Heard::default();
        let stream = Listening::new(dial(target).await?, heard.clone());
        let stream = stream.watched(options.watcher.as_ref());
        let options = &options.renewed(target);
        let mut link = Link::new(stream, FIRST_FRAMES);
        let limit = target.connect_timeout;
        let objection = heard.until(|said| diagnose::objection(target, &options.login, said));
        let logged_in = tokio::select! {
            biased;
            error = objection => return Err(error),
            done = timeout(limit, log_in(&mut link, options)) => done,
        };
        match logged_in {
            Ok(Ok(())) => {}
            Ok(Err(end)) => {
                let login = &options.login;
                if let Some(error) = diagnose::objection(target, login, &heard.greeting()) {
                    return Err(error);
                }
                return Err(match end {
                    // Once it has greeted, it is a server of AMQP all the same.
                    End::Nonsense(_) if heard.greeting().mechanisms.is_some() => {
                        end.words(target, "the login")
                    }
                    End::Closed(_) => end.words(target, "the login"),
                    end => diagnose::login(target, login, &heard, &end.cause()).await,
                });
            }
            Err(_) => return Err(diagnose::no_answer(target, limit)),
        }
        let mut connection = Self {
            target: target.clone(),
            patience: options.patience,
            link,
            confirms,
            window: window.max(1),
            template: Template::default(),
            marks: Marks::new(),
            heard: News::new(on_event),
            inbox: Inbox::default(),
            end: None,
            broken: false,
            objected: false,
        };
        connection.open(confirms).await?;
        Ok(connection)
    }

    async fn open(&mut self, confirms: bool) -> Result<()> {
        let limit = self.patience.min(self.target.connect_timeout);
        methods::open_channel(CHANNEL, &mut self.link.out);
        let wanted = [methods::CHANNEL_OPEN_OK];
        self.answer_within(limit, "to open a channel", &wanted)
            .await?;
        if confirms {
            methods::plain(CHANNEL, methods::CONFIRM, &[0], &mut self.link.out);
            let wanted = [methods::CONFIRM_OK];
            self.answer_within(limit, "publisher confirms", &wanted)
                .await?;
        }
        Ok(())
    }

    /// Where this is connected to.
    pub const fn target(&self) -> &Target {
        &self.target
    }

    /// Why the server takes nothing from us at the moment, if it said so.
    pub fn blocked(&self) -> Option<&str> {
        self.heard.blocked.as_deref()
    }

    /// Since when the server wants no more messages for the moment (channel.flow), if it does.
    pub const fn paused(&self) -> Option<Instant> {
        self.heard.paused
    }

    /// Whether the server broke the rules, so that trying again would break them again.
    pub const fn is_broken(&self) -> bool {
        self.broken
    }

    /// Waits for the answer to what was put last; its fields. `what` completes "the server refused …".
    ///
    /// # Errors
    /// What the server has against it, a lost connection, silence.
    pub(super) async fn answer(&mut self, what: &str, wanted: &[Name]) -> Result<(Name, Vec<u8>)> {
        self.answer_within(self.patience, what, wanted).await
    }

    async fn answer_within(
        &mut self,
        limit: Duration,
        what: &str,
        wanted: &[Name],
    ) -> Result<(Name, Vec<u8>)> {
        match timeout(limit, self.wait(wanted)).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(end)) => {
                self.over(end);
                Err(self.ended(what).await)
            }
            Err(_) => Err(diagnose::silent(&self.target, what, limit, self.blocked())),
        }
    }

    async fn wait(&mut self, wanted: &[Name]) -> std::result::Result<(Name, Vec<u8>), End> {
        loop {
            let (heard, marks) = (&mut self.heard, &self.marks);
            let mut answer = None;
            self.link.frames(|frame, out| {
                match login::read(frame, out)? {
                    Some((name, fields)) if wanted.contains(&name) => {
                        answer = Some((name, fields.0.to_vec()));
                    }
                    _ => heard.take(frame, marks, out)?,
                }
                Ok(answer.is_none())
            })?;
            match answer {
                Some(answer) => return Ok(answer),
                None => self.link.progress().await?,
            }
        }
    }

    pub(super) fn silent(&self, what: &str) -> Error {
        diagnose::silent(&self.target, what, self.patience, self.blocked())
    }

    /// How long the server may take to answer.
    pub const fn patience(&self) -> Duration {
        self.patience
    }

    /// Whether [`Connection::ended`] has something to say.
    pub(super) const fn is_over(&self) -> bool {
        self.end.is_some()
    }

    /// Whether the server ended the connection over what it was sent, and not because it was told to (320): what was sent
    /// would end the next one too.
    pub const fn objected(&self) -> bool {
        self.objected
    }

    /// Notes why it is over.
    pub(super) fn over(&mut self, end: End) {
        self.broken = matches!(end, End::Nonsense(_));
        self.objected = end.objects();
        self.end.get_or_insert(end);
    }

    /// The words for the end; what was still to be said, such as that we have heard, is said. Cancel-safe.
    pub(super) async fn ended(&mut self, what: &str) -> Error {
        if matches!(self.end, Some(End::Told(_))) {
            let link = &mut self.link;
            let saying = async { while !link.out.is_empty() && link.progress().await.is_ok() {} };
            // It knows why it has closed.
            let _ = timeout(CLOSING, saying).await;
        }
        let end = self.end.take().unwrap_or(End::Silent);
        end.words(&self.target, what)
    }

    /// Ends the connection cleanly where the server plays along, and within a moment in any case: what is not
    /// acknowledged goes back to its queue.
    ///
    /// # Errors
    /// The server objected to something that was sent before ([`Kind::Refused`]), or the connection broke
    /// ([`Kind::Lost`]): it may not have got the last acknowledgements.
    pub async fn close(self) -> Result<()> {
        self.close_within(CLOSING).await
    }

    /// The same, with as long for the server.
    ///
    /// # Errors
    /// Those of [`Connection::close`]; a server that did not answer in time ([`Kind::TimedOut`]).
    pub async fn close_within(mut self, limit: Duration) -> Result<()> {
        methods::close(0, &mut self.link.out);
        let closing = async {
            let mut gone = false;
            loop {
                self.link.frames(|frame, out| {
                    gone = frame.method_ids() == methods::CLOSE_OK && frame.channel == 0;
                    if !gone {
                        login::read(frame, out)?;
                    }
                    Ok(!gone)
                })?;
                if gone {
                    return Ok::<(), End>(());
                }
                self.link.progress().await?;
            }
        };
        // A blocked or dead server cannot hold us up.
        let (kind, what) = match timeout(limit, closing).await {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(end)) => end.of_acknowledgements(),
            Err(_) => (Kind::TimedOut, unconfirmed(limit)),
        };
        Err(unacknowledged(&self.target, kind, &what))
    }
}
