//! A source that somebody looks after: it may be ended, and is looked at after each message that was taken.

use super::{Fate, Next, Number, Source};
use crate::error::{Error, Result};

/// Whether a source goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Taking {
    GoesOn,
    /// Nothing is taken until what was taken has arrived.
    Waits,
    Over,
}

/// A source, who says whether it goes on, and who looks at it.
pub(crate) struct Attended<S, O, L> {
    source: S,
    taking: O,
    look: L,
}

impl<S: Source, O: Fn() -> Taking, L: FnMut(&S) -> Result<()>> Attended<S, O, L> {
    /// Ends once it is over; `look` is called whenever messages were taken.
    pub(crate) const fn new(source: S, taking: O, look: L) -> Self {
        Self {
            source,
            taking,
            look,
        }
    }

    /// The source, to close it.
    pub(crate) fn into_source(self) -> S {
        self.source
    }
}

impl<S: Source, O: Fn() -> Taking, L: FnMut(&S) -> Result<()>> Source for Attended<S, O, L> {
    async fn drive(&mut self) -> Result<()> {
        match (self.taking)() {
            Taking::Over => Ok(()),
            Taking::Waits => Err(self.source.hold().await),
            Taking::GoesOn => self.source.drive().await,
        }
    }

    async fn hold(&mut self) -> Error {
        self.source.hold().await
    }

    #[inline]
    fn take(&mut self, mut sink: impl FnMut(Next) -> Result<bool>) -> Result<()> {
        match (self.taking)() {
            Taking::Over => return sink(Next::End(Ok(()))).map(drop),
            Taking::Waits => return Ok(()),
            Taking::GoesOn => {}
        }
        let taking = &self.taking;
        self.source
            .take(|next| Ok(sink(next)? && taking() == Taking::GoesOn))?;
        (self.look)(&self.source)
    }

    fn settle(&mut self, count: u64) {
        self.source.settle(count);
    }

    fn settle_one(&mut self, number: Number, fate: Fate) {
        self.source.settle_one(number, fate);
    }

    fn answers(&self) -> bool {
        self.source.answers()
    }

    fn awaits(&self) -> Option<String> {
        self.source.awaits()
    }

    fn unsent(&self) -> u64 {
        self.source.unsent()
    }
}

/// A source that is only lent.
impl<S: Source> Source for &mut S {
    async fn drive(&mut self) -> Result<()> {
        (**self).drive().await
    }

    async fn hold(&mut self) -> Error {
        (**self).hold().await
    }

    #[inline]
    fn take(&mut self, sink: impl FnMut(Next) -> Result<bool>) -> Result<()> {
        (**self).take(sink)
    }

    fn settle(&mut self, count: u64) {
        (**self).settle(count);
    }

    fn settle_one(&mut self, number: Number, fate: Fate) {
        (**self).settle_one(number, fate);
    }

    fn answers(&self) -> bool {
        (**self).answers()
    }

    fn awaits(&self) -> Option<String> {
        (**self).awaits()
    }

    fn unsent(&self) -> u64 {
        (**self).unsent()
    }
}
