//! From the protocol header to connection.open-ok (AMQP 0-9-1 §2.2.4): versions, login, tuning, virtual host.

use std::time::{Duration, Instant};

use amq_protocol::protocol::{AMQPClass, connection};
use amq_protocol::types::parsing::parse_field_table;
use amq_protocol::types::{AMQPValue, FieldTable};
use bytes::BufMut;

use super::super::frame::PROTOCOL;
use super::super::frame::Refusal;
use super::super::frame::nesting;
use super::connection::{Capabilities, Connection, Phase, Waiting};
use super::core::Core;
use super::events::Event;
use super::faults::Action;
use crate::server::{Check, Key, Login};

/// The smallest frame size that a client may ask for (§4.2.3), in bytes.
const SMALLEST_FRAME: u32 = 4_096;

/// Class and method of connection.start-ok.
const START_OK: (u16, u16) = (10, 11);

/// What frames may have where any size is: bodies are cut all the same.
const UNLIMITED: u32 = 16 << 20;

/// What the broker can do beyond the standard, in the words that RabbitMQ's clients look for.
const ABILITIES: [&str; 9] = [
    "publisher_confirms",
    "exchange_exchange_bindings",
    "basic.nack",
    "consumer_cancel_notify",
    "connection.blocked",
    "consumer_priorities",
    "authentication_failure_close",
    "per_consumer_qos",
    "direct_reply_to",
];

fn started(mechanisms: &str) -> AMQPClass {
    let mut capabilities = FieldTable::default();
    for name in ABILITIES {
        capabilities.insert(name.into(), AMQPValue::Boolean(true));
    }
    let mut properties = FieldTable::default();
    let mut say = |name: &str, value: &str| {
        properties.insert(name.into(), AMQPValue::LongString(value.into()));
    };
    say("product", "iotctl");
    say("version", env!("CARGO_PKG_VERSION"));
    say("information", "a broker for development and tests");
    properties.insert("capabilities".into(), AMQPValue::FieldTable(capabilities));
    AMQPClass::Connection(connection::AMQPMethod::Start(connection::Start {
        version_major: 0,
        version_minor: 9,
        server_properties: properties,
        mechanisms: mechanisms.into(),
        locales: "en_US".into(),
    }))
}

impl Core {
    /// Reads the protocol header; how many bytes were used.
    pub(super) fn greet(&mut self, id: Key, input: &[u8]) -> usize {
        let Some(connection) = self.connections.get_mut(id) else {
            return 0;
        };
        let known = input.len().min(PROTOCOL.len());
        if input[..known] != PROTOCOL[..known] {
            // Whoever speaks something else is told what is spoken here (§4.2.2).
            connection.out.put_slice(&PROTOCOL);
            self.hang_up(id);
            return 0;
        }
        if known < PROTOCOL.len() {
            return 0;
        }
        connection.phase = Phase::Started;
        let mechanisms = match self.options.users {
            None => "PLAIN AMQPLAIN ANONYMOUS",
            Some(_) => "PLAIN AMQPLAIN",
        };
        self.send(id, 0, started(mechanisms));
        known
    }

    /// Handles a method on channel 0.
    ///
    /// # Errors
    /// The refusal that closes the connection.
    pub(super) fn on_connection(
        &mut self,
        id: Key,
        method: connection::AMQPMethod,
    ) -> Result<(), Refusal> {
        use connection::AMQPMethod as M;
        let phase = self.connections.get(id).map(|connection| connection.phase);
        match (phase, method) {
            (Some(Phase::Started), M::StartOk(start)) => self.login(id, &start),
            (Some(Phase::Tuning), M::TuneOk(tune)) => self.tuned(id, &tune),
            (Some(Phase::Tuned), M::Open(open)) => self.enter(id, open.virtual_host.as_str()),
            (_, M::Close(_)) => {
                self.detach(id, true);
                self.send(
                    id,
                    0,
                    AMQPClass::Connection(M::CloseOk(connection::CloseOk {})),
                );
                self.hang_up(id);
                Ok(())
            }
            (Some(Phase::Open), M::UpdateSecret(_)) => {
                let done = M::UpdateSecretOk(connection::UpdateSecretOk {});
                self.send(id, 0, AMQPClass::Connection(done));
                Ok(())
            }
            // A client may say so, and need not be answered.
            (Some(Phase::Open), M::Blocked(_) | M::Unblocked(_)) => Ok(()),
            _ => Err(Refusal::invalid("this method is not expected now")),
        }
    }

    fn login(&mut self, id: Key, start: &connection::StartOk) -> Result<(), Refusal> {
        let mechanism = start.mechanism.as_str();
        let shown = match mechanism {
            "PLAIN" => plain(start.response.as_bytes()),
            "AMQPLAIN" => amqplain(start.response.as_bytes()),
            "ANONYMOUS" if self.options.users.is_none() => {
                Some((String::from("anonymous"), Vec::new()))
            }
            _ => None,
        };
        let users = self.options.users.as_ref();
        let check = match (&shown, users) {
            (None, _) => Check::Done(false),
            (Some(_), None) => Check::Done(true),
            (Some((user, password)), Some(users)) => users.check(user, Some(password), user.len()),
        };
        let name = shown.as_ref().map(|(user, _)| user.as_str().into());
        let Some(connection) = self.connections.get_mut(id) else {
            return Ok(());
        };
        connection.user = name.unwrap_or_else(|| "".into());
        connection.capabilities = capabilities(&start.client_properties);
        match check {
            Check::Done(accepted) => self.let_in(id, mechanism, accepted),
            Check::Work(login) => {
                connection.waiting = Some(Waiting {
                    mechanism: mechanism.to_owned(),
                    login: Some(login),
                });
                Ok(())
            }
            Check::Busy => Err(Refusal::forced("too many logins are being checked")),
        }
    }

    /// What the driver is to check for a connection, and answer with [`Self::logged_in`].
    pub(crate) fn take_login(&mut self, id: Key) -> Option<Login> {
        self.connections.get_mut(id)?.waiting.as_mut()?.login.take()
    }

    /// The password for which a connection waits is right, or not.
    pub(crate) fn logged_in(&mut self, id: Key, accepted: bool, now: Instant) {
        self.now = now;
        let connection = self.connections.get_mut(id);
        let waiting = connection.and_then(|connection| {
            connection.last_seen = now;
            let waiting = connection.waiting.take();
            waiting.filter(|_| connection.phase == Phase::Started)
        });
        if let Some(waiting) = waiting
            && let Err(refusal) = self.let_in(id, &waiting.mechanism, accepted)
        {
            self.close_connection(id, &refusal, START_OK);
        }
    }

    fn let_in(&mut self, id: Key, mechanism: &str, accepted: bool) -> Result<(), Refusal> {
        if accepted {
            self.tune(id);
            return Ok(());
        }
        let Some(connection) = self.connections.get_mut(id) else {
            return Ok(());
        };
        let refusal = Refusal::access(format!(
            "login was refused using authentication mechanism {mechanism}"
        ));
        if connection.capabilities.failure_close {
            return Err(refusal);
        }
        // Older clients take any method for a success: they are only hung up on.
        let (peer, reason) = (
            connection.peer.clone(),
            refusal.reply_text().as_str().to_owned(),
        );
        self.events.push(Event::Refused { peer, reason });
        self.hang_up(id);
        Ok(())
    }

    fn tune(&mut self, id: Key) {
        let size = |action| match action {
            Action::FrameMax(bytes) => Some(bytes),
            _ => None,
        };
        let frame_max = self
            .faults
            .trigger("", size)
            .unwrap_or(self.options.frame_max);
        let (channel_max, heartbeat) = (self.options.channel_max, self.options.heartbeat);
        if let Some(connection) = self.connections.get_mut(id) {
            connection.phase = Phase::Tuning;
            connection.channel_max = channel_max;
            // 0 is no limit, which is all the same not unlimited memory.
            connection.frame_max = if frame_max == 0 { UNLIMITED } else { frame_max } as usize;
        }
        let tune = connection::Tune {
            channel_max,
            frame_max,
            heartbeat,
        };
        self.send(
            id,
            0,
            AMQPClass::Connection(connection::AMQPMethod::Tune(tune)),
        );
    }

    fn tuned(&mut self, id: Key, tune: &connection::TuneOk) -> Result<(), Refusal> {
        let Some(connection) = self.connections.get_mut(id) else {
            return Ok(());
        };
        let offered = connection.frame_max;
        connection.frame_max = match tune.frame_max {
            0 => offered,
            size if size < SMALLEST_FRAME => {
                return Err(Refusal::not_allowed(format!(
                    "frame_max {size} is lower than {SMALLEST_FRAME}"
                )));
            }
            size if size as usize > offered => {
                return Err(Refusal::not_allowed(format!(
                    "frame_max {size} is higher than {offered}"
                )));
            }
            size => size as usize,
        };
        connection.channel_max = match (tune.channel_max, connection.channel_max) {
            (asked, most) if most != 0 && asked > most => {
                return Err(Refusal::not_allowed(format!(
                    "channel_max {asked} is higher than {most}"
                )));
            }
            (0, most) => most,
            (asked, _) => asked,
        };
        let heartbeat = Duration::from_secs(tune.heartbeat.into());
        connection.heartbeat = Some(heartbeat).filter(|time| !time.is_zero());
        connection.phase = Phase::Tuned;
        if connection.heartbeat.is_some() {
            self.check_again(id, heartbeat / 2);
        }
        Ok(())
    }

    fn enter(&mut self, id: Key, vhost: &str) -> Result<(), Refusal> {
        let Some(at) = self.vhosts.iter().position(|known| &*known.name == vhost) else {
            return Err(Refusal::not_allowed(format!("vhost {vhost} not found")));
        };
        let full = self
            .options
            .max_connections
            .is_some_and(|most| self.connected >= most);
        if full {
            return Err(Refusal::not_allowed("the connection limit is reached"));
        }
        self.connected += 1;
        self.counts.connections += 1;
        if let Some(connection) = self.connections.get_mut(id) {
            connection.phase = Phase::Open;
            connection.vhost = at;
            self.events.push(Event::Connected {
                user: connection.user.as_ref().to_owned(),
                peer: connection.peer.clone(),
                vhost: vhost.to_owned(),
            });
        }
        let opened = connection::AMQPMethod::OpenOk(connection::OpenOk {});
        self.send(id, 0, AMQPClass::Connection(opened));
        Ok(())
    }
}

impl Connection {
    /// Whether a channel of this number may be opened.
    pub(super) const fn may_open(&self, number: u16) -> bool {
        number != 0 && (self.channel_max == 0 || number <= self.channel_max)
    }
}

fn capabilities(properties: &FieldTable) -> Capabilities {
    let Some(AMQPValue::FieldTable(table)) = properties.inner().get("capabilities") else {
        return Capabilities::default();
    };
    let has = |name: &str| table.inner().get(name) == Some(&AMQPValue::Boolean(true));
    Capabilities {
        cancel_notify: has("consumer_cancel_notify"),
        blocked: has("connection.blocked"),
        failure_close: has("authentication_failure_close"),
    }
}

/// SASL PLAIN (RFC 4616): identity to act as, user, password, between zero bytes.
fn plain(response: &[u8]) -> Option<(String, Vec<u8>)> {
    let mut parts = response.splitn(3, |byte| *byte == 0);
    let _act_as = parts.next()?;
    let user = String::from_utf8(parts.next()?.to_vec()).ok()?;
    Some((user, parts.next()?.to_vec()))
}

/// AMQPLAIN: a table of LOGIN and PASSWORD without its length.
fn amqplain(response: &[u8]) -> Option<(String, Vec<u8>)> {
    let length = u32::try_from(response.len()).ok()?;
    let table = [&length.to_be_bytes(), response].concat();
    nesting::check_table(&table).ok()?;
    let (_, table) = parse_field_table(&table[..]).ok()?;
    let text = |name: &str| match table.inner().get(name)? {
        AMQPValue::LongString(text) => Some(text.as_bytes().to_vec()),
        _ => None,
    };
    Some((String::from_utf8(text("LOGIN")?).ok()?, text("PASSWORD")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logins_are_read() {
        let ann = |password: &[u8]| Some((String::from("ann"), password.to_vec()));
        assert_eq!(plain(b"\0ann\0pw"), ann(b"pw"));
        assert_eq!(plain(b"\0ann\0p\0w"), ann(b"p\0w"));
        assert_eq!(plain(b"ann"), None);
        assert_eq!(
            amqplain(b"\x05LOGINS\0\0\0\x03ann\x08PASSWORDS\0\0\0\x02pw"),
            ann(b"pw")
        );
        assert_eq!(amqplain(b"\x05LOGINS\0\0\0\x03ann"), None);
    }
}
