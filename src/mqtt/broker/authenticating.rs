//! Enhanced authentication (MQTT 5.0 §4.12) by SCRAM, against passwords that stand in plain text in the file.

use bytestring::ByteString;

use super::connection::Phase;
use super::core::Core;
use crate::connect::scram::{Mechanism, Server};
use crate::mqtt::packet::{Auth, Connect, Packet, Properties, Property, ReasonCode, Version};
use crate::server::Key;

/// A login whose last message is still to come.
#[derive(Debug)]
pub(super) struct Exchange {
    server: Server,
    /// What is answered with CONNACK at the end; `None`: the client is connected and authenticates again (§4.12.1).
    connect: Option<Box<Connect>>,
}

impl Core {
    /// Answers a CONNECT that names an authentication method.
    pub(super) fn challenge(&mut self, id: Key, method: &str, connect: Box<Connect>) {
        let (version, data) = (connect.version, connect.properties.authentication_data());
        match self.first_message(id, method, data.as_deref()) {
            Err(reason) => self.refuse_connection(id, version, reason),
            Ok((mechanism, server, challenge)) => {
                let connect = Some(connect);
                self.ask(id, mechanism, Exchange { server, connect }, challenge);
            }
        }
    }

    /// An AUTH packet: the next message of a login, or the first of another one.
    pub(super) fn authenticate(&mut self, id: Key, auth: &Auth) {
        let Some(connection) = self.connections.get_mut(id) else {
            return;
        };
        let (mechanism, open) = (connection.mechanism, connection.session().is_some());
        let exchange = connection.exchange.take();
        let method = auth.properties.authentication_method();
        // The method stays that of CONNECT; without one there is no AUTH.
        let Some(mechanism) = mechanism.filter(|it| method.as_deref() == Some(it.name())) else {
            return self.fail(id, ReasonCode::PROTOCOL_ERROR);
        };
        let data = auth.properties.authentication_data();
        let data = data.as_deref();
        match (auth.reason, exchange) {
            (ReasonCode::CONTINUE_AUTHENTICATION, Some(exchange)) => {
                self.last_message(id, mechanism, *exchange, data);
            }
            (ReasonCode::REAUTHENTICATE, None) if open => {
                match self.first_message(id, mechanism.name(), data) {
                    Ok((mechanism, server, challenge)) => {
                        let connect = None;
                        self.ask(id, mechanism, Exchange { server, connect }, challenge);
                    }
                    Err(reason) => self.fail(id, reason),
                }
            }
            _ => self.fail(id, ReasonCode::PROTOCOL_ERROR),
        }
    }

    /// Reads the client's first message; with the answer to it.
    fn first_message(
        &self,
        id: Key,
        method: &str,
        data: Option<&[u8]>,
    ) -> Result<(Mechanism, Server, String), ReasonCode> {
        let access = self
            .options
            .access(self.connections.get(id).map_or(0, |one| one.access));
        let mechanism = Mechanism::named(method).filter(|_| access.users.is_some());
        let mechanism = mechanism.ok_or(ReasonCode::BAD_AUTHENTICATION_METHOD)?;
        let first = data.and_then(|data| str::from_utf8(data).ok());
        let begun = first
            .ok_or("")
            .and_then(|first| Server::new(mechanism, first));
        let (server, challenge) = begun.map_err(|_| ReasonCode::NOT_AUTHORIZED)?;
        Ok((mechanism, server, challenge))
    }

    fn ask(&mut self, id: Key, mechanism: Mechanism, exchange: Exchange, challenge: String) {
        let Some(connection) = self.connections.get_mut(id) else {
            return;
        };
        connection.mechanism = Some(mechanism);
        connection.exchange = Some(Box::new(exchange));
        self.send_auth(
            id,
            ReasonCode::CONTINUE_AUTHENTICATION,
            mechanism,
            challenge,
        );
    }

    fn last_message(
        &mut self,
        id: Key,
        mechanism: Mechanism,
        exchange: Exchange,
        data: Option<&[u8]>,
    ) {
        let Exchange { server, connect } = exchange;
        let access = self
            .options
            .access(self.connections.get(id).map_or(0, |one| one.access));
        let users = access.users.as_ref();
        let password = users.and_then(|users| users.plain(server.user()));
        let last = data.and_then(|data| str::from_utf8(data).ok());
        let outcome = server.verify(last.unwrap_or(""), password);
        match (outcome, connect) {
            (Some(outcome), Some(mut connect)) => {
                connect.username = Some(ByteString::from(server.user()));
                self.admit(id, *connect, said(mechanism, outcome));
            }
            // Whoever is connected stays who it is.
            (Some(outcome), None) if self.is_user(id, server.user()) => {
                self.send_auth(id, ReasonCode::SUCCESS, mechanism, outcome);
            }
            _ => self.fail(id, ReasonCode::NOT_AUTHORIZED),
        }
    }

    fn is_user(&self, id: Key, name: &str) -> bool {
        let session = self.connections.get(id).and_then(|one| one.session());
        let session = session.and_then(|key| self.sessions.get(key));
        session.is_some_and(|session| session.username.as_deref() == Some(name))
    }

    fn send_auth(&mut self, id: Key, reason: ReasonCode, mechanism: Mechanism, data: String) {
        let properties = said(mechanism, data);
        self.send(id, Packet::Auth(Auth { reason, properties }));
    }

    /// The login has failed: the connection ends.
    fn fail(&mut self, id: Key, reason: ReasonCode) {
        match self.connections.get(id).map(|one| one.phase) {
            Some(Phase::Fresh) => self.refuse_connection(id, Version::V5, reason),
            _ => self.kick(id, reason),
        }
    }
}

/// A message of a mechanism.
fn said(mechanism: Mechanism, data: String) -> Properties {
    let method = Property::AuthenticationMethod(mechanism.name().into());
    [method, Property::AuthenticationData(data.into())]
        .into_iter()
        .collect()
}
