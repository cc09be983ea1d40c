//! A source that ends when the first notice has arrived everywhere (`--once`).

use std::cell::RefCell;
use std::rc::Rc;

use super::way::Marks;
use crate::command::ends::source::AnySource;
use crate::error::{Error, Result};
use crate::flow::{Fate, Next, Number, Source};

/// A source, and who knows of the notices; `None`: it goes on for ever.
pub(super) struct Once<'a> {
    source: AnySource<'a>,
    marks: Option<Rc<RefCell<Marks>>>,
}

impl<'a> Once<'a> {
    pub(super) const fn new(source: AnySource<'a>, marks: Option<Rc<RefCell<Marks>>>) -> Self {
        Self { source, marks }
    }

    pub(super) fn into_source(self) -> AnySource<'a> {
        self.source
    }

    fn is_over(&self) -> bool {
        let marks = self.marks.as_ref();
        marks.is_some_and(|marks| marks.borrow().is_first_done())
    }
}

impl Source for Once<'_> {
    async fn drive(&mut self) -> Result<()> {
        match self.is_over() {
            true => Ok(()),
            false => self.source.drive().await,
        }
    }

    async fn hold(&mut self) -> Error {
        self.source.hold().await
    }

    fn take(&mut self, mut sink: impl FnMut(Next) -> Result<bool>) -> Result<()> {
        match self.is_over() {
            true => sink(Next::End(Ok(()))).map(drop),
            false => self.source.take(sink),
        }
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
