//! The target that puts messages on the board, and shows it meanwhile.

use std::collections::HashSet;
use std::time::Instant;

use tokio::sync::watch;

use super::Shared;
use super::table::Tables;
use super::web::Pages;
use crate::command::ends::carry;
use crate::error::{Error, Kind, Result};
use crate::flow::{Fate, Next, Number, Origin, Progress, Source, Target};
use crate::message::Message;

/// How the board is shown.
pub(super) enum View {
    /// Not here.
    Nothing,
    /// As lines on standard output.
    Tables(Tables),
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
pub(super) struct Observer {
    board: Shared,
    view: View,
    bell: Bell,
    newest: Number,
    told: Number,
    /// Those of the sources that have not said anything yet are not among these.
    each: Option<(Origin, usize, HashSet<usize>)>,
    ended: bool,
}

impl Observer {
    pub(super) fn new(board: Shared, view: View, pages: Option<&Pages>) -> Self {
        Self {
            board,
            view,
            bell: Bell(pages.map(Pages::bell)),
            newest: 0,
            told: 0,
            each: None,
            ended: false,
        }
    }

    /// It ends once each of so many sources has said something.
    pub(super) fn end_after_each(&mut self, origin: Origin, sources: usize) {
        self.each = Some((origin, sources, HashSet::new()));
    }

    /// Who is told of changes.
    pub(super) fn bell(&self) -> Bell {
        self.bell.clone()
    }

    /// Whether it has ended as it should.
    pub(super) const fn has_ended(&self) -> bool {
        self.ended
    }

    /// Shows how it stands in the end, if that is wanted.
    ///
    /// # Errors
    /// Those of standard output.
    pub(super) async fn close(&mut self, wanted: bool) -> Result<()> {
        match &mut self.view {
            View::Nothing => Ok(()),
            View::Tables(tables) => tables.close(&self.board, wanted).await,
        }
    }

    /// Shows nothing more.
    ///
    /// # Errors
    /// None yet.
    pub(super) fn give_up(&mut self) -> Result<()> {
        Ok(())
    }

    async fn act(view: &mut View, board: &Shared) -> Result<()> {
        match view {
            View::Nothing => std::future::pending().await,
            View::Tables(tables) => tables.next(board).await,
        }
    }
}

impl Target for Observer {
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
        let topic = carry::topic_of(&message);
        self.board.lock().take(&topic, &message, Instant::now());
        if let Some((origin, sources, heard)) = &mut self.each {
            heard.insert(origin.get());
            self.ended = heard.len() == *sources;
        }
        Ok(())
    }

    async fn drive(&mut self, into: &mut Vec<Progress>) -> Result<()> {
        let news = self.newest > self.told;
        tokio::select! {
            biased;
            // First, as there are always news where a server floods.
            acted = Self::act(&mut self.view, &self.board) => acted?,
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
}

impl<'a, S: Source> Connection<'a, S> {
    pub(super) fn new(source: &'a mut S, board: Shared, bell: Bell) -> Self {
        Self {
            source,
            board,
            bell,
            connected: false,
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
        self.source.drive().await
    }

    async fn hold(&mut self) -> Error {
        self.source.hold().await
    }

    fn take(&mut self, sink: impl FnMut(Next) -> Result<bool>) -> Result<()> {
        self.note();
        self.source.take(sink)?;
        self.note();
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
