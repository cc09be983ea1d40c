//! json
use super::Render;
use crate::message::Message;
pub(super) struct Json;
impl Json {
    pub(super) fn new(_pretty: bool, _embed: bool) -> Self {
        Self
    }
}
impl Render for Json {
    fn render(&mut self, _message: &Message, _into: &mut Vec<u8>) {}
}
