//! One association, of either side: what came is opened, put in order, and handed to the side.

use std::time::Instant;

use bytes::Bytes;

use super::channel::{Channel, Message};
use super::wire::alert_name;
use crate::coap::secure::Trouble;
use crate::coap::secure::record::{ALERT, APPLICATION_DATA, HANDSHAKE, Record};

const WARNING: u8 = 1;
const FATAL: u8 = 2;
const CLOSE_NOTIFY: u8 = 0;

/// Alerts that we send.
pub(super) const UNEXPECTED_MESSAGE: u8 = 10;
pub(super) const HANDSHAKE_FAILURE: u8 = 40;
pub(super) const UNSUPPORTED_CERTIFICATE: u8 = 43;
pub(super) const CERTIFICATE_UNKNOWN: u8 = 46;
pub(super) const ILLEGAL_PARAMETER: u8 = 47;
pub(super) const DECODE_ERROR: u8 = 50;
pub(super) const DECRYPT_ERROR: u8 = 51;
pub(super) const INTERNAL_ERROR: u8 = 80;

/// Why a handshake does not go on: the alert, and the same for us.
pub(in crate::coap::secure) struct Fault {
    pub(super) alert: u8,
    pub(super) why: Trouble,
}

pub(super) fn fault(alert: u8, why: &str) -> Fault {
    Fault {
        alert,
        why: Trouble::Other(String::from(why)),
    }
}

/// A message that is not what it should be.
pub(super) fn malformed() -> Fault {
    fault(DECODE_ERROR, "a handshake message is malformed")
}

pub(super) fn no_randomness() -> Fault {
    fault(INTERNAL_ERROR, "the system has no random bytes")
}

/// What one side does with the messages of the other.
pub(in crate::coap::secure) trait Side {
    /// Takes the next message. It is accepted, and may be answered, only when all is right with it.
    ///
    /// # Errors
    /// It is not right, or not acceptable.
    fn take(&mut self, now: Instant, channel: &mut Channel, message: &Message)
    -> Result<(), Fault>;

    /// Whether the handshake is done.
    fn is_done(&self) -> bool;
}

/// One association.
pub(in crate::coap::secure) struct Session<S> {
    pub(super) channel: Channel,
    pub(super) side: S,
}

/// What a record has brought about.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::coap::secure) enum Happened {
    Nothing,
    /// The handshake is done.
    Established,
    Data(Bytes),
    /// The peer has ended the association with this alert.
    Closed(u8),
}

impl<S: Side> Session<S> {
    /// Takes a record.
    ///
    /// # Errors
    /// The handshake has failed, as it seems; an alert is to be sent, unless the peer sent one. What is
    /// [`Trouble::Other`] may have been forged, and the handshake may still come to its end.
    pub(in crate::coap::secure) fn read(
        &mut self,
        now: Instant,
        record: &Record<'_>,
    ) -> Result<Happened, Trouble> {
        let Some(content) = self.channel.open(record) else {
            return Ok(Happened::Nothing);
        };
        let is_protected = record.is_protected();
        match record.kind() {
            ALERT if is_protected || !self.is_established() => self.alerted(&content),
            HANDSHAKE => {
                let repeated = self.channel.collect(is_protected, &content);
                if self.is_established() {
                    // What came from us last was lost, then (RFC 6347 §4.2.4).
                    if repeated && is_protected {
                        self.channel.send_once();
                    }
                    return Ok(Happened::Nothing);
                }
                self.advance(now)
            }
            APPLICATION_DATA if is_protected && self.is_established() => {
                Ok(Happened::Data(content.into()))
            }
            _ => Ok(Happened::Nothing),
        }
    }

    fn advance(&mut self, now: Instant) -> Result<Happened, Trouble> {
        while let Some(message) = self.channel.next_message() {
            if let Err(fault) = self.side.take(now, &mut self.channel, &message) {
                self.channel.reject();
                self.channel.alert(FATAL, fault.alert);
                return Err(fault.why);
            }
            if self.is_established() {
                return Ok(Happened::Established);
            }
        }
        Ok(Happened::Nothing)
    }

    fn alerted(&mut self, content: &[u8]) -> Result<Happened, Trouble> {
        let &[level, number] = content else {
            return Ok(Happened::Nothing);
        };
        if level != FATAL && number != CLOSE_NOTIFY {
            return Ok(Happened::Nothing);
        }
        if self.is_established() {
            if number == CLOSE_NOTIFY {
                // It is to be answered with the same (RFC 5246 §7.2.1).
                self.close();
            }
            return Ok(Happened::Closed(number));
        }
        Err(Trouble::Alert(format!(
            "the peer rejected the handshake ({})",
            alert_name(number)
        )))
    }

    /// Protects a datagram and puts it to what is to be sent; whether that can be.
    pub(in crate::coap::secure) fn write(&mut self, plain: &[u8]) -> bool {
        self.is_established() && self.channel.write(APPLICATION_DATA, plain)
    }

    pub(in crate::coap::secure) fn poll_transmit(&mut self) -> Option<Bytes> {
        self.channel.poll_transmit()
    }

    pub(in crate::coap::secure) const fn poll_timeout(&self) -> Option<Instant> {
        self.channel.due()
    }

    pub(in crate::coap::secure) fn handle_timeout(&mut self, now: Instant) {
        self.channel.handle_timeout(now);
    }

    pub(in crate::coap::secure) fn is_established(&self) -> bool {
        self.side.is_done()
    }

    /// Says goodbye.
    pub(in crate::coap::secure) fn close(&mut self) {
        self.channel.alert(WARNING, CLOSE_NOTIFY);
    }

    /// The peer does not hear of what was wrong.
    pub(super) fn drop_alert(&mut self) {
        self.channel.clear();
    }
}
