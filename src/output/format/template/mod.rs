//! `-F`: mosquitto's format language.

use super::{Render, Surface};
use crate::error::Error;
use crate::message::Message;
use std::str::FromStr;

/// A template.
#[derive(Clone, Debug, PartialEq)]
pub struct Template {
    /// A line feed follows each message, as mosquitto_sub has it without `-N`.
    pub newline: bool,
    /// `%j` and `%J` are indented over several lines (`--pretty`).
    pub pretty: bool,
}
impl FromStr for Template {
    type Err = Error;
    fn from_str(_text: &str) -> Result<Self, Error> {
        Ok(Self {
            newline: true,
            pretty: false,
        })
    }
}
pub(super) struct Filled;
impl Filled {
    pub(super) fn new(_template: Template, _surface: Surface) -> Self {
        Self
    }
}
impl Render for Filled {
    fn render(&mut self, _message: &Message, _into: &mut Vec<u8>) {}
}
