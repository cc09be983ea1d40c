//! What the server says about messages, and about itself.

use std::collections::HashSet;
use std::time::Instant;

use bytes::BytesMut;

use super::super::client::Event;
use super::super::frame::methods::{self, Name};
use super::super::frame::{BODY, Fields, Frame, HEADER, properties};
use super::super::publisher::{Marks, Outcome};
use super::in_flight::InFlight;
use super::link::End;
use super::login::{self, CHANNEL};

/// What is under way, and what became of the rest.
pub(super) struct News {
    pub(super) flights: InFlight,
    pub(super) fates: Vec<(u64, Outcome)>,
    /// Messages that were returned and are not confirmed yet.
    refused: HashSet<u64>,
    /// A return, until its header tells which message it is.
    returned: Option<Return>,
    /// Bytes of its body that are still to come.
    body: u64,
    /// Whether messages go out that are returned without a mark of ours.
    pub(super) counts: bool,
    /// How many of those came back.
    pub(super) unroutable: u64,
    /// Why the server takes nothing from us.
    pub(super) blocked: Option<String>,
    /// Since when it asks for a pause (channel.flow).
    pub(super) paused: Option<Instant>,
    /// What was published since then.
    pub(super) held: BytesMut,
    on_event: Box<dyn Fn(Event) + Send>,
}

/// What basic.return says of a message.
struct Return {
    words: String,
    exchange: String,
    key: String,
}

impl News {
    pub(super) fn new(on_event: impl Fn(Event) + Send + 'static) -> Self {
        Self {
            flights: InFlight::default(),
            fates: Vec::new(),
            returned: None,
            body: 0,
            refused: HashSet::new(),
            counts: false,
            unroutable: 0,
            blocked: None,
            paused: None,
            held: BytesMut::new(),
            on_event: Box::new(on_event),
        }
    }

    /// Takes one frame; what is to be answered is appended to `out`.
    pub(super) fn take(
        &mut self,
        frame: Frame<'_>,
        marks: &Marks,
        out: &mut BytesMut,
    ) -> Result<(), End> {
        match frame.kind {
            HEADER => return self.came_back(frame.payload, marks),
            BODY => return self.skip(frame.payload.len() as u64),
            _ => {}
        }
        // Heartbeats are no methods.
        let Some((name, mut fields)) = login::read(frame, out)? else {
            return Ok(());
        };
        // Close is answered by now, whatever it interrupts (§4.2.6).
        if frame.channel == CHANNEL && (self.returned.is_some() || self.body > 0) {
            let text = "a method between the frames of a message";
            return Err(End::Nonsense(String::from(text)));
        }
        match name {
            methods::ACK => self.settle(fields, &Outcome::Confirmed),
            methods::NACK => self.settle(fields, &Outcome::Nacked),
            methods::RETURN => {
                self.returned = Some(Return {
                    words: format!("{} {}", fields.short()?, fields.text()?),
                    exchange: fields.text()?,
                    key: fields.text()?,
                });
                Ok(())
            }
            methods::FLOW => {
                let active = fields.octet()? & 1;
                self.paused = (active == 0).then(Instant::now);
                methods::plain(frame.channel, methods::FLOW_OK, &[active], out);
                if active == 1 {
                    out.unsplit(std::mem::take(&mut self.held));
                }
                Ok(())
            }
            other => self.about_itself(other, fields),
        }
    }

    fn settle(&mut self, mut fields: Fields<'_>, fate: &Outcome) -> Result<(), End> {
        let (tag, multiple) = (fields.long_long()?, fields.octet()? & 1 == 1);
        let (fates, refused) = (&mut self.fates, &mut self.refused);
        // That a message was returned has been told; a server may nack it all the same.
        let done = |number| match refused.remove(&number) {
            true => fates.push((number, Outcome::Confirmed)),
            false => fates.push((number, fate.clone())),
        };
        match self.flights.settle(tag, multiple, done) {
            true => Ok(()),
            false => Err(End::Nonsense(format!(
                "it confirmed message {tag} of the channel, which was never sent"
            ))),
        }
    }

    /// The body of a returned message is known here.
    fn skip(&mut self, length: u64) -> Result<(), End> {
        let text = "a body that belongs to no message";
        let left = self.body.checked_sub(length);
        self.body = left.ok_or_else(|| End::Nonsense(String::from(text)))?;
        Ok(())
    }

    /// The header of a returned message tells by our mark which one it is; without a mark, where it was to go does.
    fn came_back(&mut self, header: &[u8], marks: &Marks) -> Result<(), End> {
        let nonsense = || End::Nonsense(String::from("an unexpected content header"));
        let returned = self.returned.take().ok_or_else(nonsense)?;
        let mut fields = Fields(header);
        // Class and weight.
        fields.long()?;
        self.body = fields.long_long()?;
        let properties = properties::read(fields.0).ok();
        let number = properties.as_ref().and_then(|it| marks.number(it));
        let Return {
            words,
            exchange,
            key,
        } = returned;
        match number {
            Some(number) => {
                let (exchange, key) = (exchange.to_string(), key.to_string());
                let returned = Outcome::Returned {
                    words,
                    exchange,
                    key,
                };
                self.refused.insert(number);
                self.fates.push((number, returned));
            }
            None if self.counts => {
                self.unroutable += 1;
                let flights = &mut self.flights;
                if let Some(number) = flights.returned(&exchange, &key, properties.as_ref()) {
                    self.refused.insert(number);
                    self.fates.push((number, Outcome::Unrouted(words)));
                }
            }
            None => {
                let text = "it returned a message that was never sent";
                return Err(End::Nonsense(String::from(text)));
            }
        }
        Ok(())
    }

    fn about_itself(&mut self, name: Name, mut fields: Fields<'_>) -> Result<(), End> {
        match name {
            methods::BLOCKED => {
                let reason = fields.text()?;
                self.blocked = Some(reason.clone());
                (self.on_event)(Event::Blocked(reason));
                Ok(())
            }
            methods::UNBLOCKED => {
                self.blocked = None;
                (self.on_event)(Event::Unblocked);
                Ok(())
            }
            other => Err(login::unexpected(other)),
        }
    }
}
