//! Several sources as one.

use std::cell::Cell;
use std::collections::VecDeque;
use std::rc::Rc;

use futures_util::future::FutureExt;

use super::together::any;
use super::{Fate, Ledger, Next, Number, Source};
use crate::error::{Error, Result};

/// Which of several sources a message is from: its index, while the message is handed over.
#[derive(Clone, Debug, Default)]
pub struct Origin {
    at: Rc<Cell<usize>>,
    /// By index, [`Source::answers`].
    answers: Rc<[bool]>,
}

impl Origin {
    /// That of the messages of these sources.
    pub fn of<S: Source>(sources: &[S]) -> Self {
        Self {
            at: Rc::default(),
            answers: sources.iter().map(Source::answers).collect(),
        }
    }

    /// The index of the source that hands a message over.
    #[inline]
    pub fn get(&self) -> usize {
        self.at.get()
    }

    /// Whether who sent the message is answered with what becomes of it.
    pub(super) fn answers(&self) -> bool {
        self.answers.get(self.get()).is_some_and(|it| *it)
    }

    /// The message that is handed over next is from this one.
    pub(super) fn set(&self, source: usize) {
        self.at.set(source);
    }
}

/// One of several sources.
struct Part<S> {
    source: S,
    /// What it handed out.
    ledger: Ledger,
    /// Its own number for the first that it handed out since its connection was lost.
    since: Number,
    ended: bool,
}

/// An arrival, as its source counts it.
#[derive(Clone, Copy)]
struct Arrival {
    source: usize,
    number: Number,
}

/// The messages of several sources, which end one by one. What one lost with its connection is void for that one alone. Each
/// learns what became of its messages whatever holds up those of another; targets have to tell outcomes one by one.
pub struct Merged<S> {
    parts: Vec<Part<S>>,
    origin: Origin,
    /// From the oldest that is not settled to the newest.
    arrivals: VecDeque<Arrival>,
    /// The number of the first of them.
    first: Number,
    /// Who is asked first the next time, so that one that floods does not keep out the others.
    turn: usize,
}

impl<S: Source> Merged<S> {
    /// All of `sources`; at least one.
    pub fn new(sources: Vec<S>) -> Self {
        let part = |source| Part {
            source,
            ledger: Ledger::default(),
            since: 1,
            ended: false,
        };
        Self {
            origin: Origin::of(&sources),
            parts: sources.into_iter().map(part).collect(),
            arrivals: VecDeque::new(),
            first: 1,
            turn: 0,
        }
    }

    /// Tells whoever looks at a message which source it is from.
    pub fn origin(&self) -> Origin {
        self.origin.clone()
    }

    /// The sources, to close them.
    pub fn into_sources(self) -> impl Iterator<Item = S> {
        self.parts.into_iter().map(|part| part.source)
    }
}

impl<S: Source> Source for Merged<S> {
    async fn drive(&mut self) -> Result<()> {
        if let [only] = &mut *self.parts {
            return only.source.drive().await;
        }
        let parts = self.parts.iter_mut().filter(|part| !part.ended);
        let driving: Vec<_> = parts
            .map(|part| part.source.drive().boxed_local())
            .collect();
        any(driving).await
    }

    async fn hold(&mut self) -> Error {
        let parts = self.parts.iter_mut().filter(|part| !part.ended);
        let holding: Vec<_> = parts.map(|part| part.source.hold().boxed_local()).collect();
        any(holding).await
    }

    fn take(&mut self, mut sink: impl FnMut(Next) -> Result<bool>) -> Result<()> {
        let count = self.parts.len();
        let start = self.turn;
        self.turn = (start + 1) % count.max(1);
        for source in (0..count).map(|at| (start + at) % count) {
            let others_run = self
                .parts
                .iter()
                .enumerate()
                .any(|(at, part)| at != source && !part.ended);
            let part = &mut self.parts[source];
            if part.ended {
                continue;
            }
            let (origin, arrivals) = (&self.origin, &mut self.arrivals);
            let (ledger, since, ended) = (&mut part.ledger, &mut part.since, &mut part.ended);
            let mut wants_more = true;
            part.source.take(|next| {
                let handed_out = !matches!(next, Next::Lost | Next::Complete | Next::End(_));
                match &next {
                    Next::Lost => {
                        ledger.forget();
                        *since = ledger.newest() + 1;
                        return Ok(true);
                    }
                    Next::End(Ok(())) | Next::Complete => *ended = true,
                    Next::End(Err(_)) | Next::Message(_) | Next::Again(_) => {}
                    Next::Skipped | Next::Refused(_) => {}
                }
                if *ended && others_run {
                    return Ok(false);
                }
                if handed_out {
                    let number = ledger.arrive();
                    arrivals.push_back(Arrival { source, number });
                }
                origin.set(source);
                wants_more = sink(next)?;
                Ok(wants_more)
            })?;
            if !wants_more {
                break;
            }
        }
        Ok(())
    }

    /// Each source is told of its own by [`Source::settle_one`]; this only forgets what nobody asks about any more.
    fn settle(&mut self, count: u64) {
        for _ in 0..count {
            let Some(arrival) = self.arrivals.pop_front() else {
                break;
            };
            self.first += 1;
            // Skipped ones have no outcome of their own.
            self.parts[arrival.source].ledger.finish(arrival.number);
        }
        for part in &mut self.parts {
            part.pass_on();
        }
    }

    fn settle_one(&mut self, number: Number, fate: Fate) {
        let place = number.checked_sub(self.first).map(|place| place as usize);
        let Some(arrival) = place.and_then(|place| self.arrivals.get(place)) else {
            return;
        };
        let part = &mut self.parts[arrival.source];
        if arrival.number >= part.since && part.ledger.finish(arrival.number) {
            part.source.settle_one(arrival.number, fate);
            part.pass_on();
        }
    }

    fn awaits(&self) -> Option<String> {
        self.parts.iter().find_map(|part| part.source.awaits())
    }

    fn unsent(&self) -> u64 {
        self.parts.iter().map(|part| part.source.unsent()).sum()
    }
}

impl<S: Source> Part<S> {
    /// Tells the source what is done with in its order.
    fn pass_on(&mut self) {
        let settled = self.ledger.take_settled();
        if settled > 0 {
            self.source.settle(settled);
        }
    }
}
