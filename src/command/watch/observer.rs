//! The target that puts messages on the board, and shows it meanwhile.

use std::time::Instant;

use bytestring::ByteString;
use tokio::sync::watch;

use super::Shared;
use super::deeds::{Deeds, News};
use super::table::Tables;
use super::web::Pages;
use crate::command::ends::carry;
use crate::error::{Error, Kind, Result};
use crate::flow::{Fate, Next, Number, Progress, Source, Target};
use crate::message::{Detail, Message, topic};
use crate::mqtt::packet::Subscription;
use crate::output::{Action, Console, Panes, Style};

/// How the board is shown.
pub(super) enum View {
    /// Not here.
    Nothing,
    /// As lines on standard output.
    Tables(Box<Tables>),
    /// On the whole terminal.
    Screen(Box<Panes>),
}

/// Tells those who wait for it that the board has changed.
#[derive(Clone, Default)]
pub(super) struct Bell(Option<watch::Sender<()>>);

impl Bell {
    fn ring(&self) {
        if let Some(sender) = &self.0 {
            sender.send_replace(());
        }
    }
}

/// Puts messages on the board.
pub(super) struct Observer<'a> {
    board: Shared,
    view: View,
    bell: Bell,
    deeds: Deeds<'a>,
    newest: Number,
    told: Number,
    /// Of recorded messages, those of these topics; `None`: all that come.
    wanted: Option<&'a [Subscription]>,
    ended: bool,
}

impl<'a> Observer<'a> {
    pub(super) fn new(
        board: Shared,
        mut view: View,
        pages: Option<&Pages>,
        deeds: Deeds<'a>,
    ) -> Self {
        if let (View::Screen(panes), Some(pages)) = (&mut view, pages) {
            panes.say(pages.words());
        }
        Self {
            deeds,
            board,
            view,
            bell: Bell(pages.map(Pages::bell)),
            newest: 0,
            told: 0,
            wanted: None,
            ended: false,
        }
    }

    /// Nobody else has chosen by their topics which messages come.
    pub(super) fn choose(&mut self, wanted: &'a [Subscription]) {
        self.wanted = Some(wanted);
    }

    /// The topic under which a message is shown.
    fn topic_of(&self, message: &Message) -> ByteString {
        match (&message.detail, self.wanted) {
            // A record of a CoAP response without a content format has nothing else left of its protocol.
            (Detail::Plain, Some(_)) if message.topic.starts_with('/') => {
                carry::path_as_topic(&message.topic)
            }
            _ => carry::topic_of(message),
        }
    }

    fn wants(&self, name: &str) -> bool {
        let filters = self.wanted.map(|all| all.iter().map(|it| &*it.filter));
        let of_group = |filter| topic::shared(filter).map_or(filter, |(_, filter)| filter);
        filters.is_none_or(|mut all| all.any(|it| topic::matches(of_group(it), name)))
    }

    /// Who is told of changes.
    pub(super) fn bell(&self) -> Bell {
        self.bell.clone()
    }

    /// Whether it has ended as it should.
    pub(super) const fn has_ended(&self) -> bool {
        self.ended
    }

    /// Shows how it stands in the end, if that is wanted; the terminal is then what it was.
    ///
    /// # Errors
    /// Those of standard output, and of a recording.
    pub(super) async fn close(&mut self, wanted: bool) -> Result<()> {
        let shown = match std::mem::replace(&mut self.view, View::Nothing) {
            View::Tables(mut tables) => tables.close(&self.board, wanted).await,
            View::Nothing | View::Screen(_) => Ok(()),
        };
        if let Some(words) = self.deeds.unfinished() {
            // What nobody was told of is not to be missed.
            Console::new(Style {
                quiet: false,
                ..self.deeds.style()
            })
            .warn(format_args!("{words}: the rest was left"));
        }
        shown.and(self.deeds.close().await)
    }

    /// Waits until there is something to show or to do, and does it. Cancel-safe.
    async fn act(&mut self) -> Result<()> {
        let panes = match &mut self.view {
            View::Nothing => return std::future::pending().await,
            View::Tables(tables) => return tables.next(&self.board).await,
            View::Screen(panes) => panes,
        };
        let changed = self.board.lock().changed();
        tokio::select! {
            biased;
            news = self.deeds.next() => match news? {
                News::Said(words) => panes.say(words),
                News::Counted(path, topics) => panes.ask_to_clear(&path, topics),
            },
            () = panes.wait(changed) => {}
        }
        panes.recorded(self.deeds.recorded());
        let actions = panes.act(&mut self.board.lock(), Instant::now())?;
        for action in actions {
            match action {
                Action::Quit => match self.deeds.unfinished() {
                    Some(words) => panes.ask_to_leave(words),
                    None => self.ended = true,
                },
                Action::Leave => self.ended = true,
                action => panes.say(self.deeds.begin(action)),
            }
        }
        Ok(())
    }
}

impl Target for Observer<'_> {
    fn name(&self) -> String {
        String::from("the board")
    }

    fn has_room(&self) -> bool {
        true
    }

    fn is_idle(&self) -> bool {
        self.told == self.newest
    }

    fn take(&mut self, number: Number, message: Message) -> Result<()> {
        self.newest = number;
        let topic = self.topic_of(&message);
        if self.wants(&topic) && self.board.lock().take(&topic, &message, Instant::now()) {
            self.deeds.record(&message)?;
        }
        Ok(())
    }

    async fn drive(&mut self, into: &mut Vec<Progress>) -> Result<()> {
        let news = self.newest > self.told;
        tokio::select! {
            biased;
            // First, as there are always news where a server floods.
            acted = self.act() => acted?,
            () = std::future::ready(()), if news => {}
        }
        if news {
            self.told = self.newest;
            into.push(Progress::Through(self.newest));
            self.bell.ring();
        }
        match self.ended {
            true => Err(Error::new(Kind::ReaderGone, "all was shown")),
            false => Ok(()),
        }
    }
}

/// A source whose state stands on the board.
pub(super) struct Connection<'a, S> {
    source: &'a mut S,
    board: Shared,
    bell: Bell,
    connected: bool,
    /// What has come can still be looked at once nothing more comes.
    stays: bool,
    ended: bool,
}

impl<'a, S: Source> Connection<'a, S> {
    /// `stays`: the end of the source is not that of the command.
    pub(super) fn new(source: &'a mut S, board: Shared, bell: Bell, stays: bool) -> Self {
        Self {
            source,
            board,
            bell,
            connected: false,
            stays,
            ended: false,
        }
    }
}

impl<S: Source> Connection<'_, S> {
    /// Puts the state of the source on the board.
    fn note(&mut self) {
        let awaits = self.source.awaits();
        if awaits.is_none() && self.connected {
            return;
        }
        let mut board = self.board.lock();
        if self.connected {
            board.connection_lost(Instant::now());
        }
        self.connected = awaits.is_none();
        board.set_awaits(awaits);
        self.bell.ring();
    }
}

impl<S: Source> Source for Connection<'_, S> {
    async fn drive(&mut self) -> Result<()> {
        match self.ended {
            true => std::future::pending().await,
            false => self.source.drive().await,
        }
    }

    async fn hold(&mut self) -> Error {
        self.source.hold().await
    }

    fn take(&mut self, mut sink: impl FnMut(Next) -> Result<bool>) -> Result<()> {
        if self.ended {
            return Ok(());
        }
        self.note();
        let (stays, mut ended) = (self.stays, false);
        self.source.take(|next| match next {
            Next::End(Ok(())) if stays => {
                ended = true;
                Ok(false)
            }
            next => sink(next),
        })?;
        self.note();
        if ended {
            self.ended = true;
            self.board.lock().end();
            self.bell.ring();
        }
        Ok(())
    }

    fn settle(&mut self, count: u64) {
        self.source.settle(count);
    }

    fn settle_one(&mut self, number: Number, fate: Fate) {
        self.source.settle_one(number, fate);
    }

    fn awaits(&self) -> Option<String> {
        self.source.awaits()
    }

    fn unsent(&self) -> u64 {
        self.source.unsent()
    }
}
