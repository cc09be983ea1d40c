//! What comes over the connections, and what goes out.

use std::task::Poll;

use bytes::{Bytes, BytesMut};
use bytestring::ByteString;
use tokio::time::Instant;

use super::seat::{State, count};
use super::world::World;
use crate::device::fleet::Reply;
use crate::error::{Error, Kind, Result};
use crate::mqtt::client::diagnose;
use crate::mqtt::packet::{Publish, Version};
use crate::mqtt::session::client::Event;
use crate::mqtt::session::fault::Fault;

impl World {
    /// Reads and writes where there is something.
    pub(super) fn look(&mut self) -> Result<()> {
        let mut listed = std::mem::take(&mut self.listed);
        self.ready.take(&mut listed);
        for device in listed.drain(..) {
            let device = device as usize;
            self.seats[device].transport.answered();
            self.read(device)?;
            self.listed_dirty(device);
        }
        self.listed = listed;
        Ok(())
    }

    pub(super) fn read(&mut self, device: usize) -> Result<()> {
        loop {
            let seat = &mut self.seats[device];
            if matches!(
                seat.state,
                State::Idle | State::Wanted | State::Dialing | State::Silent
            ) {
                return Ok(());
            }
            let count = match seat.transport.read(&mut self.input) {
                Poll::Pending => return Ok(()),
                Poll::Ready(Ok(count)) if count > 0 => count,
                Poll::Ready(_) if seat.state == State::Leaving => {
                    self.left(device);
                    return Ok(());
                }
                Poll::Ready(ended) => {
                    let text = match ended {
                        Err(cause) => crate::connect::failure(&self.target, &cause),
                        Ok(_) => {
                            Error::new(Kind::Lost, format!("{} closed the connection", self.target))
                        }
                    };
                    return self.failed(device, text, true);
                }
            };
            let now = Instant::now().into_std();
            seat.rest.extend_from_slice(&self.input[..count]);
            let Some(session) = &mut seat.session else {
                return Ok(());
            };
            let received = session.receive(&mut seat.rest, now);
            if seat.rest.is_empty() {
                seat.rest = BytesMut::new();
            }
            self.events(device);
            if let Err(fault) = received {
                return self.faulted(device, &fault);
            }
        }
    }

    pub(super) fn events(&mut self, device: usize) {
        let mut messages = Vec::new();
        let mut opened = false;
        let account = &mut self.fleet.account;
        let seat = &mut self.seats[device];
        let Some(session) = &mut seat.session else {
            return;
        };
        while let Some(event) = session.poll_event() {
            match event {
                Event::Connected { .. } => opened = true,
                Event::Acknowledged { .. }
                | Event::InDoubt { .. }
                | Event::Abandoned { .. }
                | Event::Unsendable { .. } => count(&event, account),
                Event::Message(publish) => messages.push(publish),
                Event::Subscribed(answers, _) => {
                    let failed = answers.iter().find(|(_, reason)| reason.is_failure());
                    if let Some((filter, reason)) = failed.filter(|_| !self.warned) {
                        self.warned = true;
                        let text = format_args!("commands at {filter} cannot come: {reason}");
                        self.console.warn(text);
                    }
                }
                Event::Unsubscribed(_) | Event::Pong => {}
            }
        }
        session.accept();
        if opened && seat.state == State::Greeting {
            let now = Instant::now();
            seat.enter(State::Open, now);
            if let Some(backoff) = &mut seat.backoff {
                backoff.connected(now.into_std());
            }
            (self.ever, self.outage) = (true, false);
            let now = self.now();
            self.fleet.opened(device, now);
        }
        let now = self.now();
        for publish in messages {
            let retained = publish.retain;
            let (topic, payload, reply) = asked(publish);
            self.fleet
                .message(device, &topic, &payload, retained, reply.as_ref(), now);
        }
        let refused = self.seats[device].send(&mut self.fleet.account);
        self.warn_refused(refused);
        self.listed_dirty(device);
        self.leave_if_done(device);
    }

    pub(super) fn faulted(&mut self, device: usize, fault: &Fault) -> Result<()> {
        let now = Instant::now();
        let seat = &mut self.seats[device];
        // A DISCONNECT that says why goes out if it can.
        let _ = seat.flush(&mut self.out, now);
        self.out.clear();
        if self.may_fall_back && is_older(fault) && seat.state == State::Greeting {
            if self.version == Version::V5 {
                self.version = Version::V311;
                let target = &self.target;
                self.console.note(format_args!(
                    "{target} does not support MQTT 5; using MQTT 3.1.1"
                ));
            }
            if let Some(session) = &mut seat.session {
                session.fall_back();
            }
            seat.detach();
            seat.enter(State::Wanted, now);
            self.wanted.push_back((device, seat.turn));
            return Ok(());
        }
        let error = diagnose::fault(&self.target, fault, None);
        self.failed(device, error, fault.may_pass())
    }

    pub(super) fn flush(&mut self) {
        let mut dirty = std::mem::take(&mut self.dirty);
        for device in dirty.drain(..) {
            let seat = &mut self.seats[device];
            seat.dirty = false;
            // One that cannot be written to is read next, and found to be gone.
            if seat.state != State::Silent {
                let _ = seat.flush(&mut self.out, Instant::now());
                self.out.clear();
            }
        }
        self.dirty = dirty;
    }
}

/// What a message asks for.
fn asked(publish: Publish) -> (ByteString, Bytes, Option<Reply>) {
    let reply = publish.properties.response_topic().map(|topic| Reply {
        topic,
        correlation: publish.properties.correlation_data(),
    });
    (publish.topic, publish.payload, reply)
}

/// Whether the server speaks an older MQTT.
fn is_older(fault: &Fault) -> bool {
    fault.is_about_the_version()
}
