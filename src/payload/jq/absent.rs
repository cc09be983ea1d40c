//! Stands in for expressions of jq in a build without them.

use std::convert::Infallible;
use std::fmt;
use std::time::SystemTime;

use serde_json::Value;

use super::captures::Captures;
use crate::message::Message;

/// An expression; there is none.
#[derive(Clone, Debug)]
pub struct Filter(Infallible);

/// What an expression is run on.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    /// The message.
    pub message: &'a Message,
    /// What stands for the wildcards of the filter that its topic matches.
    pub captures: Option<&'a Captures<'a>>,
    /// The time.
    pub now: Option<SystemTime>,
}

impl Filter {
    /// Refuses an expression.
    ///
    /// # Errors
    /// Always: which build has them.
    pub fn compile(_: &str) -> Result<Self, String> {
        Err(String::from(
            "this build has no jq; the usual one has it, or cargo build --features jq",
        ))
    }

    /// Not called, as there is no expression.
    ///
    /// # Errors
    /// None.
    pub const fn holds(&self, _: Input<'_>, _: Option<&Value>) -> Result<bool, String> {
        match self.0 {}
    }

    /// Not called, as there is no expression.
    ///
    /// # Errors
    /// None.
    pub const fn value(&self, _: Input<'_>, _: Option<&Value>) -> Result<Option<Vec<u8>>, String> {
        match self.0 {}
    }

    /// Not called, as there is no expression.
    ///
    /// # Errors
    /// None.
    pub const fn map(&self, _: Input<'_>, _: Option<&Value>) -> Result<Vec<Vec<u8>>, String> {
        match self.0 {}
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {}
    }
}
