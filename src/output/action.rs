//! What the user of a screen asks for.

use std::path::PathBuf;

/// What can be sent to where the messages of a screen come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// Nothing: messages are only read.
    Nothing,
    /// Messages.
    Messages,
    /// Messages, which it retains when told to.
    Retained,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// The end, unless something is under way.
    Quit,
    /// The end, whatever is under way.
    Leave,
    /// A message is to be sent.
    Publish {
        /// Where to.
        topic: String,
        /// What.
        payload: String,
        /// Whether the server keeps it.
        retain: bool,
    },
    /// The retained messages of a topic and below are to be counted.
    Count(String),
    /// The retained messages of these topics are to be removed.
    Clear(Vec<String>),
    /// What comes from now on is to be written to this file; `None`: no longer.
    Record(Option<PathBuf>),
}
