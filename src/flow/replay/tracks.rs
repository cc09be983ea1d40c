//! Several recordings as one, merged by time; a bounded part of each is in memory.

use std::collections::VecDeque;
use std::fmt;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use super::timeline::{Disorder, Entry, TOLERANCE, Timeline, Window};
use crate::error::{Error, Result};
use crate::message::{Detail, Message};
use crate::payload::{Bodies, Encoding, Form, Outline, Source};

/// Where a recording is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Recording {
    /// `None`: standard input.
    pub(crate) file: Option<PathBuf>,
    /// What is in it.
    pub(crate) form: Form,
    /// So many bytes at its beginning are passed over.
    pub(crate) from: u64,
}

impl Recording {
    /// Whether it can be read more than once. A file that is not there can: its failure is told when it is opened.
    pub(super) fn is_regular(&self) -> bool {
        let file = self.file.as_ref();
        let is_folder = |facts: &fs::Metadata| self.form == Form::Rabtap && facts.is_dir();
        file.is_some_and(|file| {
            fs::metadata(file).map_or(true, |facts| facts.is_file() || is_folder(&facts))
        })
    }

    fn open(&self, check: fn(&Message) -> Result<(), String>) -> Result<Bodies> {
        let source = Source::Recording {
            file: self.file.clone(),
            form: self.form,
            from: self.from,
        };
        let outline = Outline {
            detail: Detail::Plain,
            check,
            ..Outline::default()
        };
        Ok(Bodies::open(&source, Encoding::Plain)?.like(outline))
    }
}

impl fmt::Display for Recording {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.file {
            Some(file) => file.display().fmt(f),
            None => f.write_str("standard input"),
        }
    }
}

/// One of the recordings.
struct Track {
    bodies: Bodies,
    /// Read, and not in its place.
    read: VecDeque<Message>,
    timeline: Timeline,
    window: Window,
    /// What ends it once all that was before is handed out.
    failure: Option<Error>,
    ended: bool,
}

impl Track {
    /// Reads until the first is known, or there is none. Cancel-safe.
    async fn fill(&mut self) -> Result<()> {
        while !self.window.is_ready() {
            if let Some(message) = self.read.pop_front() {
                let at = self.timeline.place(message.time);
                self.window.push(Entry { at, message });
                continue;
            }
            if self.ended {
                return self.failure.take().map_or(Ok(()), Err);
            }
            let more = self.bodies.next(&mut self.read).await;
            if !matches!(more, Ok(true)) {
                self.ended = true;
                self.window.end();
                self.failure = more.err();
            }
        }
        Ok(())
    }
}

/// The recordings, from their beginnings on.
pub(super) struct Tracks(Vec<Track>);

impl Tracks {
    /// Opens all of them; `check` says what is wrong with a message. What is `known` to be in order need not be sorted.
    ///
    /// # Errors
    /// One of them cannot be opened.
    pub(super) fn open(
        recordings: &[Recording],
        check: fn(&Message) -> Result<(), String>,
        known: &[Option<Disorder>],
    ) -> Result<Self> {
        let opened = recordings.iter().enumerate().map(|(at, recording)| {
            let known = known.get(at).copied().flatten();
            let span = match known.is_some_and(|known| known.sorted == 0) {
                true => Duration::ZERO,
                false => TOLERANCE,
            };
            Ok(Track {
                bodies: recording.open(check)?,
                read: VecDeque::new(),
                timeline: Timeline::default(),
                window: Window::new(span),
                failure: None,
                ended: false,
            })
        });
        opened.collect::<Result<_>>().map(Self)
    }

    /// The next record of all; `None` after the last. Cancel-safe.
    ///
    /// # Errors
    /// A recording cannot be read on, or holds what is no record.
    pub(super) async fn next(&mut self) -> Result<Option<Entry>> {
        for track in &mut self.0 {
            if !track.window.is_ready() {
                track.fill().await?;
            }
        }
        let tracks = self.0.iter_mut();
        let waiting = tracks.filter_map(|track| Some((track.window.first()?, track)));
        let earliest = waiting.min_by_key(|(first, _)| *first);
        Ok(earliest.and_then(|(_, track)| track.window.pop()))
    }

    /// What was out of order in each of them, as far as they were read, and how the last record was cut off.
    pub(super) fn flaws(&self) -> impl Iterator<Item = (Disorder, Option<&str>)> {
        let tracks = self.0.iter();
        tracks.map(|track| (track.timeline.disorder, track.bodies.torn()))
    }

    /// How many records were left out, as they hold no message.
    pub(super) fn skipped(&self) -> u64 {
        self.0.iter().map(|track| track.bodies.skipped()).sum()
    }
}
