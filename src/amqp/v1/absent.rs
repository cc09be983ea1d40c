//! AMQP 1.0 in a program that was built without it: every way there is refused.

use super::client::Options;
use super::consumer::Delivery;
use super::publisher::{Outcome, Outgoing};
use super::wish::{Receiving, Sending, Settlement};
use crate::connect::Target;
use crate::error::{Error, Result};
use crate::message::AmqpProperties;

/// Whether this program can speak AMQP 1.0: it cannot.
///
/// # Errors
/// [`crate::error::Kind::Usage`], always, with the way out.
pub(crate) fn available() -> Result<()> {
    Err(absent())
}

/// Whether AMQP 1.0 can carry these properties, which nobody asks here.
///
/// # Errors
/// None.
pub(crate) const fn carries(_: &AmqpProperties) -> Result<()> {
    Ok(())
}

/// There is none.
pub(crate) enum Publisher {}

#[allow(missing_docs, clippy::missing_errors_doc)]
impl Publisher {
    pub(crate) async fn connect(_: &Target, _: &Options, _: Sending) -> Result<Self> {
        Err(absent())
    }

    pub(crate) fn has_room(&self) -> bool {
        match *self {}
    }

    pub(crate) fn unconfirmed(&self) -> usize {
        match *self {}
    }

    pub(crate) fn is_broken(&self) -> bool {
        match *self {}
    }

    pub(crate) fn publish(&mut self, _: u64, _: Outgoing) -> Result<()> {
        match *self {}
    }

    pub(crate) async fn fates(&mut self, _: &mut Vec<(u64, Outcome)>) -> Result<()> {
        match *self {}
    }

    pub(crate) async fn proof(&mut self) -> Result<()> {
        match *self {}
    }

    pub(crate) fn abandoned(self) -> Vec<(u64, Outgoing)> {
        match self {}
    }

    pub(crate) async fn close(self) {
        match self {}
    }
}

/// There is none.
pub(crate) enum Consumer {}

#[allow(missing_docs, clippy::missing_errors_doc)]
impl Consumer {
    pub(crate) async fn connect(_: &Target, _: &Options, _: Receiving) -> Result<Self> {
        Err(absent())
    }

    pub(crate) async fn drive(&mut self) -> Result<()> {
        match *self {}
    }

    pub(crate) fn poll_now(&mut self) -> Option<Delivery> {
        match *self {}
    }

    pub(crate) fn settle(&self, _: Vec<u64>, _: Settlement) {
        match *self {}
    }

    pub(crate) fn widen(&self, _: u16) {
        match *self {}
    }

    pub(crate) fn is_broken(&self) -> bool {
        match *self {}
    }

    pub(crate) async fn close(self) {
        match self {}
    }
}

/// There is none.
pub(crate) enum Pinger {}

#[allow(missing_docs, clippy::missing_errors_doc)]
impl Pinger {
    pub(crate) async fn connect(_: &Target, _: &Options) -> Result<Self> {
        Err(absent())
    }

    pub(crate) async fn ping(&self) -> Result<()> {
        match *self {}
    }

    pub(crate) async fn close(self) {
        match self {}
    }
}

fn absent() -> Error {
    Error::usage("this iotctl was built without AMQP 1.0")
        .hint("build one with cargo build --release --features amqp1")
}
