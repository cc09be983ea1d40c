//! CONNECT (MQTT 5.0 §3.1): who is let in, which session it gets, and what CONNACK says.

use std::time::{Duration, Instant};

use bytestring::ByteString;

use super::application::detached_will;
use super::connection::{Phase, Waiting};
use super::core::Core;
use super::events::Event;
use super::faults::Action;
use super::sessions::Reminder;
use super::sessions::{NEVER, Session};
use crate::mqtt::packet::{
    self, ConnAck, Connect, LARGEST_PACKET, Packet, Properties, Property, QoS, ReasonCode, Version,
};
use crate::mqtt::session::alias::{Incoming, Outgoing};
use crate::server::{Check, Key, Login};

/// The largest will that is kept, in bytes: as long a topic and a payload as there can be, and ample properties.
const LARGEST_WILL: usize = 256 * 1024;

/// What CONNACK says to one client only.
#[derive(Default)]
struct Answers {
    client_id: Option<ByteString>,
    keep_alive: Option<u16>,
    expiry: Option<u32>,
    response_basis: Option<ByteString>,
}

impl Core {
    pub(super) fn connect(&mut self, id: Key, connect: Box<Connect>) {
        let version = connect.version;
        if let Some(connection) = self.connections.get_mut(id) {
            // A copy: the identifier outlives the read buffer that it is a slice of.
            connection.client_id = ByteString::from(&*connect.client_id);
        }
        let checked = self.accepts_client(&connect);
        let method = connect.properties.authentication_method();
        if let Some(method) = method.filter(|_| checked.is_ok()) {
            return self.challenge(id, &method, connect);
        }
        match checked.and_then(|()| self.accepts_credentials(id, &connect)) {
            Err(reason) => self.refuse_connection(id, version, reason),
            Ok(None) => self.admit(id, *connect, Properties::default()),
            Ok(login) => {
                if let Some(connection) = self.connections.get_mut(id) {
                    connection.waiting = Some(Waiting { connect, login });
                }
            }
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
        let Some(connection) = connection.filter(|one| one.phase == Phase::Fresh) else {
            return;
        };
        connection.last_seen = now;
        match connection.waiting.take().map(|waiting| waiting.connect) {
            None => {}
            Some(connect) if accepted => self.admit(id, *connect, Properties::default()),
            Some(connect) => {
                let reason = ReasonCode::BAD_USER_NAME_OR_PASSWORD;
                self.refuse_connection(id, connect.version, reason);
            }
        }
    }

    /// Lets in a client that is who it says it is; CONNACK says `more`, too.
    pub(super) fn admit(&mut self, id: Key, mut connect: Connect, more: Properties) {
        let version = connect.version;
        let accepted = self.accepts_will(&connect);
        if let Err(reason) = accepted.and_then(|()| self.takes_one_more(&connect)) {
            return self.refuse_connection(id, version, reason);
        }
        let mut answers = Answers::default();
        if connect.client_id.is_empty() {
            connect.client_id = self.unused_client_id();
            answers.client_id = Some(connect.client_id.clone());
        }
        answers.keep_alive = self.server_keep_alive(&connect);
        answers.response_basis = self.response_basis(&connect);
        let keep_alive = answers.keep_alive.unwrap_or(connect.keep_alive);
        let (session, resumed) = self.session_for(&connect);
        let expiry = self.session_expiry(&connect, &mut answers);
        self.attach(id, session, &connect, keep_alive);
        self.take_over_state(id, session, connect, expiry);
        self.events.push(self.connected(id, resumed));
        let welcome = ConnAck {
            session_present: resumed,
            reason: ReasonCode::SUCCESS,
            properties: self.terms(version, answers, more),
        };
        self.send(id, Packet::ConnAck(welcome));
        self.send_again(id, session);
    }

    /// Whether the client may try to log in, or why not (MQTT 5.0 §3.1.4).
    fn accepts_client(&mut self, connect: &Connect) -> Result<(), ReasonCode> {
        let refused = self
            .faults
            .trigger(&connect.client_id, |action| match action {
                Action::RefuseConnect(code) => Some(code),
                _ => None,
            });
        if let Some(code) = refused {
            return Err(code);
        }
        self.accepts_client_id(connect)
    }

    fn takes_one_more(&self, connect: &Connect) -> Result<(), ReasonCode> {
        let returning = self.sessions.find(&connect.client_id);
        let replaces = returning
            .and_then(|key| self.sessions.get(key)?.connection)
            .is_some();
        match self.options.max_connections {
            Some(most) if self.connected >= most && !replaces => Err(ReasonCode::QUOTA_EXCEEDED),
            _ => Ok(()),
        }
    }

    /// An empty identifier asks for one of ours; before MQTT 5 only with a clean session (MQTT 3.1.1
    /// §3.1.3.1), and never in MQTT 3.1. Longer ones than the 23 characters of MQTT 3.1 are taken.
    fn accepts_client_id(&self, connect: &Connect) -> Result<(), ReasonCode> {
        let assignable = match connect.version {
            Version::V31 => false,
            Version::V311 => connect.clean_start,
            Version::V5 => true,
        };
        if connect.client_id.is_empty() && !(assignable && self.options.allow_empty_client_id) {
            return Err(ReasonCode::CLIENT_IDENTIFIER_NOT_VALID);
        }
        Ok(())
    }

    /// Where there are no users, a user name is as good as none. A login that comes back is still to be checked.
    fn accepts_credentials(&self, id: Key, connect: &Connect) -> Result<Option<Login>, ReasonCode> {
        let listener = self.connections.get(id).map_or(0, |one| one.access);
        let access = self.options.access(listener);
        let known = access.users.as_ref().zip(connect.username.as_deref());
        let Some((users, name)) = known else {
            let refusal = Err(ReasonCode::NOT_AUTHORIZED);
            return access.allow_anonymous.then_some(None).map_or(refusal, Ok);
        };
        let packet = Packet::Connect(Box::new(connect.clone()));
        let held = packet::encoded_len(&packet, connect.version).unwrap_or(LARGEST_PACKET);
        match users.check(name, connect.password.as_deref(), held as usize) {
            Check::Done(true) => Ok(None),
            Check::Done(false) => Err(ReasonCode::BAD_USER_NAME_OR_PASSWORD),
            Check::Work(login) => Ok(Some(login)),
            Check::Busy => Err(ReasonCode::SERVER_BUSY),
        }
    }

    /// MQTT 5.0 §3.2.2.3.4 and §3.2.2.3.5.
    fn accepts_will(&self, connect: &Connect) -> Result<(), ReasonCode> {
        let Some(will) = &connect.will else {
            return Ok(());
        };
        if will.qos > self.options.maximum_qos {
            return Err(ReasonCode::QOS_NOT_SUPPORTED);
        }
        if will.retain && !self.options.retain_available {
            return Err(ReasonCode::RETAIN_NOT_SUPPORTED);
        }
        // It is kept as long as the session, whose memory is nobody's but ours.
        if will.topic.len() + will.payload.len() + will.properties.held() > LARGEST_WILL {
            return Err(ReasonCode::QUOTA_EXCEEDED);
        }
        Ok(())
    }

    /// The properties of CONNACK (MQTT 5.0 §3.2.2.3); what is not said is without limit.
    fn terms(&self, version: Version, answers: Answers, more: Properties) -> Properties {
        if version < Version::V5 {
            return Properties::default();
        }
        let options = &self.options;
        let qos = options.maximum_qos;
        let terms = [
            Some(Property::TopicAliasMaximum(options.topic_alias_maximum))
                .filter(|_| options.topic_alias_maximum > 0),
            answers.client_id.map(Property::AssignedClientIdentifier),
            answers.keep_alive.map(Property::ServerKeepAlive),
            answers.expiry.map(Property::SessionExpiryInterval),
            answers.response_basis.map(Property::ResponseInformation),
            (!options.retain_available).then_some(Property::RetainAvailable(0)),
            Some(Property::MaximumPacketSize(options.max_packet_size))
                .filter(|_| options.max_packet_size < LARGEST_PACKET),
            Some(Property::ReceiveMaximum(options.receive_maximum))
                .filter(|_| options.receive_maximum < u16::MAX),
            (qos < QoS::ExactlyOnce).then_some(Property::MaximumQos(qos.level())),
        ];
        terms
            .into_iter()
            .flatten()
            .chain(more.iter().cloned())
            .collect()
    }

    fn unused_client_id(&mut self) -> ByteString {
        self.assigned += 1;
        format!("auto-{:016x}-{}", self.salt, self.assigned).into()
    }

    /// The keep-alive that replaces the client's own, in seconds (MQTT 5.0 §3.2.2.3.14).
    fn server_keep_alive(&mut self, connect: &Connect) -> Option<u16> {
        if connect.version < Version::V5 {
            return None;
        }
        let fault = self
            .faults
            .trigger(&connect.client_id, |action| match action {
                Action::ServerKeepAlive(seconds) => Some(seconds),
                _ => None,
            });
        fault.or(self.options.server_keep_alive)
    }

    /// What Request Response Information is answered with (MQTT 5.0 §3.1.2.11.6).
    fn response_basis(&self, connect: &Connect) -> Option<ByteString> {
        let asked = connect.properties.request_response_information() == Some(1);
        let prefix = self
            .options
            .response_information
            .as_ref()
            .filter(|_| asked)?;
        Some(format!("{prefix}{}", connect.client_id).into())
    }

    /// The session of this client identifier, new or found again; whoever holds it is put out
    /// (MQTT 5.0 §3.1.4).
    fn session_for(&mut self, connect: &Connect) -> (Key, bool) {
        let client_id = &connect.client_id;
        let holder = self
            .sessions
            .find(client_id)
            .and_then(|key| self.sessions.get(key)?.connection);
        if let Some(connection) = holder {
            self.kick(connection, ReasonCode::SESSION_TAKEN_OVER);
        }
        // Looked for again: a session that does not outlive its connection has just ended.
        let found = self.sessions.find(client_id);
        if let Some(key) = found {
            let forgets = |action| matches!(action, Action::ForgetSessions).then_some(());
            let forgotten = self.faults.trigger(client_id, forgets).is_some();
            // A session belongs to its user: another one who takes its client identifier begins anew, and gets nothing
            // of what was meant for the first.
            let own = self
                .sessions
                .get(key)
                .is_some_and(|session| session.username == connect.username);
            if !connect.clean_start && !forgotten && own {
                return (key, true);
            }
            self.end_session(key);
        }
        let client_id = ByteString::from(&**client_id);
        (self.sessions.insert(Session::new(client_id)), false)
    }

    /// Seconds that the session outlives the connection. Before MQTT 5 a session that is not clean
    /// never expires (MQTT 3.1.1 §3.1.2.4).
    fn session_expiry(&self, connect: &Connect, answers: &mut Answers) -> u32 {
        let wanted = match connect.version {
            Version::V5 => connect.properties.session_expiry_interval().unwrap_or(0),
            Version::V31 | Version::V311 if connect.clean_start => 0,
            Version::V31 | Version::V311 => NEVER,
        };
        let granted = self.limited_expiry(wanted);
        if granted != wanted {
            answers.expiry = Some(granted);
        }
        granted
    }

    pub(super) fn limited_expiry(&self, wanted: u32) -> u32 {
        wanted.min(self.options.session_expiry_limit.unwrap_or(NEVER))
    }

    fn attach(&mut self, id: Key, session: Key, connect: &Connect, keep_alive: u16) {
        let dribbles = |action| matches!(action, Action::Dribble).then_some(());
        let dribble = self.faults.trigger(&connect.client_id, dribbles).is_some();
        let Some(connection) = self.connections.get_mut(id) else {
            return;
        };
        let wish = &connect.properties;
        let aliases_out = wish
            .topic_alias_maximum()
            .unwrap_or(0)
            .min(self.options.topic_aliases_out);
        connection.phase = Phase::Open(session);
        connection.client_id = ByteString::from(&*connect.client_id);
        connection.version = connect.version;
        connection.aliases_in = Incoming::new(self.options.topic_alias_maximum);
        connection.aliases_out = Outgoing::new(aliases_out);
        connection.largest = wish.maximum_packet_size().unwrap_or(LARGEST_PACKET);
        connection.dribble = dribble;
        if keep_alive > 0 {
            let patience = Duration::from_secs(keep_alive.into()) * 3 / 2;
            connection.patience = Some(patience);
            connection.next_check = self.now + patience;
            self.timers
                .remind(self.now + patience, Reminder::Connection(id));
        }
        self.connected += 1;
        self.counts.connections += 1;
        self.counts.most_connected = self.counts.most_connected.max(self.connected as u64);
    }

    /// Puts the session under its new connection. A will that waited is not sent: its client is back in time.
    fn take_over_state(&mut self, id: Key, session: Key, connect: Connect, expiry: u32) {
        let window = connect.properties.receive_maximum().unwrap_or(u16::MAX);
        let access = self.connections.get(id).map_or(0, |one| one.access);
        let Some(session) = self.sessions.get_mut(session) else {
            return;
        };
        session.connection = Some(id);
        session.access = access;
        session.version = connect.version;
        session.username = connect.username.map(|name| ByteString::from(&*name));
        session.expiry = expiry;
        let asked = connect.properties.session_expiry_interval();
        session.asked_to_last = asked.is_some_and(|seconds| seconds > 0);
        session
            .outbound
            .set_window(window.min(self.options.max_inflight));
        session.will = connect.will.as_ref().map(detached_will);
        session.will_due = None;
        session.ends = None;
    }

    fn connected(&self, id: Key, resumed: bool) -> Event {
        let connection = self.connections.get(id);
        Event::Connected {
            client_id: connection
                .map(|one| one.client_id.clone())
                .unwrap_or_default(),
            peer: connection.map(|one| one.peer.clone()).unwrap_or_default(),
            version: connection.map(|one| one.version).unwrap_or_default(),
            resumed,
        }
    }

    /// What a resumed session sends again (MQTT 5.0 §4.4), then what waited meanwhile.
    fn send_again(&mut self, id: Key, session: Key) {
        if let Some(state) = self.sessions.get_mut(session) {
            state.outbound.resume();
        }
        self.pump(id, session);
    }
}
