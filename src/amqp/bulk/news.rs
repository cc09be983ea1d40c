//! What the server says about messages, and about itself.

use std::time::Instant;

use amq_protocol::protocol::basic::{self, parse_properties};
use amq_protocol::protocol::{AMQPClass, channel, connection};
use bytes::BytesMut;

use super::super::broker::nesting::check_properties;
use super::super::broker::wire::{Frame, HEADER, put_method};
use super::super::client::Event;
use super::super::publisher::{Marks, Outcome};
use super::in_flight::InFlight;
use super::link::End;
use super::login;

/// Class, weight and size of the body stand before the properties of a header, in bytes.
const BEFORE_PROPERTIES: usize = 12;

/// What is under way, and what became of the rest.
pub(super) struct News {
    pub(super) flights: InFlight,
    pub(super) fates: Vec<(u64, Outcome)>,
    /// The words of a return, until its header tells which message it is.
    returned: Option<String>,
    /// Why the server takes nothing from us.
    pub(super) blocked: Option<String>,
    /// Since when it asks for a pause (channel.flow).
    pub(super) paused: Option<Instant>,
    /// Whether the request that comes after all messages was answered.
    pub(super) proved: bool,
    on_event: Box<dyn Fn(Event) + Send>,
}

impl News {
    pub(super) fn new(on_event: impl Fn(Event) + Send + 'static) -> Self {
        Self {
            flights: InFlight::default(),
            fates: Vec::new(),
            returned: None,
            blocked: None,
            paused: None,
            proved: false,
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
        if frame.kind == HEADER {
            return self.came_back(frame.payload, marks);
        }
        match login::read(frame, out)? {
            // The bodies of returned messages, and heartbeats.
            None => Ok(()),
            Some(AMQPClass::Basic(basic::AMQPMethod::Ack(ack))) => {
                self.settle(ack.delivery_tag, ack.multiple, &Outcome::Confirmed)
            }
            Some(AMQPClass::Basic(basic::AMQPMethod::Nack(nack))) => {
                self.settle(nack.delivery_tag, nack.multiple, &Outcome::Nacked)
            }
            Some(AMQPClass::Basic(basic::AMQPMethod::Return(back))) => {
                self.returned = Some(format!("{} {}", back.reply_code, back.reply_text));
                Ok(())
            }
            Some(AMQPClass::Basic(basic::AMQPMethod::QosOk(_))) => {
                self.proved = true;
                Ok(())
            }
            Some(AMQPClass::Channel(channel::AMQPMethod::Flow(flow))) => {
                let active = flow.active;
                self.paused = (!active).then(Instant::now);
                let ok = channel::AMQPMethod::FlowOk(channel::FlowOk { active });
                put_method(out, frame.channel, AMQPClass::Channel(ok));
                Ok(())
            }
            Some(AMQPClass::Connection(method)) => self.about_itself(method),
            Some(other) => Err(login::unexpected(&other)),
        }
    }

    fn settle(&mut self, tag: u64, multiple: bool, fate: &Outcome) -> Result<(), End> {
        let fates = &mut self.fates;
        let done = |number| fates.push((number, fate.clone()));
        match self.flights.settle(tag, multiple, done) {
            true => Ok(()),
            false => Err(End::Nonsense(format!(
                "it confirmed message {tag} of the channel, which was never sent"
            ))),
        }
    }

    /// The header of a returned message tells by our mark which one it is.
    fn came_back(&mut self, header: &[u8], marks: &Marks) -> Result<(), End> {
        let nonsense = || End::Nonsense(String::from("an unexpected content header"));
        let words = self.returned.take().ok_or_else(nonsense)?;
        let properties = header.get(BEFORE_PROPERTIES..).ok_or_else(nonsense)?;
        check_properties(properties).map_err(|refusal| End::Nonsense(refusal.text))?;
        let number = match parse_properties(properties) {
            Ok((_, properties)) => marks.number(&properties),
            Err(_) => None,
        };
        match number {
            Some(number) => self.fates.push((number, Outcome::Returned(words))),
            None => {
                let text = "it returned a message that was never sent";
                return Err(End::Nonsense(String::from(text)));
            }
        }
        Ok(())
    }

    fn about_itself(&mut self, method: connection::AMQPMethod) -> Result<(), End> {
        match method {
            connection::AMQPMethod::Blocked(why) => {
                let reason = why.reason.to_string();
                self.blocked = Some(reason.clone());
                (self.on_event)(Event::Blocked(reason));
                Ok(())
            }
            connection::AMQPMethod::Unblocked(_) => {
                self.blocked = None;
                (self.on_event)(Event::Unblocked);
                Ok(())
            }
            other => Err(login::unexpected(&login::of(other))),
        }
    }
}
