//! What every MQTT client command says about its session.

use std::path::PathBuf;
use std::time::Instant;

use bytes::Bytes;
use bytestring::ByteString;

use super::mosquitto::{self, StandIn};
use super::trace;
use crate::connect::scram::Mechanism;
use crate::connect::{self, Environment, Protocol, Retry, Secret, Target};
use crate::error::{Error, Result, brief};
use crate::mqtt::client::{Client, Notice, Timeouts};
use crate::mqtt::packet::{
    Connect, LARGEST_PACKET, Place, Properties, Property, QoS, Version, Will,
};
use crate::mqtt::session::client::{Login, Session};
use crate::output::Console;
use crate::payload::{self, Bodies, Encoding};
use crate::random::unguessable;

/// How many QoS 1 and 2 messages are under way at once unless the user says otherwise. More than mosquitto's
/// 20: with a window of 100 an acknowledgement seldom has to be waited for.
const WINDOW: u16 = 100;

/// The words about one MQTT session, as the command line gave them.
///
/// Nothing is looked up here: the address, the secrets and the context are resolved when the
/// command runs.
#[derive(Clone, Debug, Default)]
pub struct SessionArgs {
    /// Where to, and how.
    pub connect: connect::ConnectArgs,
    /// The one version to speak; `None`: MQTT 5, and 3.1.1 with a server that does not know 5.
    pub version: Option<Version>,
    /// The client identifier as given; excludes `id_prefix`.
    pub client_id: Option<ByteString>,
    /// What a made-up client identifier starts with.
    pub id_prefix: Option<ByteString>,
    /// Seconds; 0 turns the keep-alive off.
    pub keep_alive: u16,
    /// Resume the server's session, and leave one behind: no Clean Start.
    pub persistent: bool,
    /// Seconds for which the server keeps the session; `u32::MAX` is for ever (MQTT 5.0 §3.1.2.11.2).
    pub session_expiry: Option<u32>,
    /// What the server publishes when this client vanishes.
    pub will: Option<WillArgs>,
    /// How many QoS 1 and 2 messages may be under way at once, beside what the server allows.
    pub max_inflight: Option<u16>,
    /// Bytes; larger packets from the server are refused.
    pub max_packet_size: Option<u32>,
    /// Log in by this mechanism instead of a password in CONNECT.
    pub mechanism: Option<Mechanism>,
    /// Log in by what a file has.
    pub auth_token: Option<AuthToken>,
    /// For CONNECT, beside what the fields above say.
    pub connect_properties: Properties,
    /// For DISCONNECT.
    pub disconnect_properties: Properties,
    /// How many QoS 1 and 2 messages of the server may await their acknowledgement.
    pub receive_maximum: Option<u16>,
    /// The client is a bridge: a server that knows MQTT 3.1.1 learns of it.
    pub bridge: bool,
    /// What another client took over is taken back, once.
    pub takes_back: bool,
    /// Of several servers the first is come back to.
    pub prefers_first: bool,
    /// Each packet is shown (`--trace`).
    pub trace: bool,
    /// What the server says of the session is shown (`--show-session`).
    pub shows_session: bool,
    /// The command takes the place of one of mosquitto's clients.
    pub stands_in: Option<StandIn>,
}

/// How to log in without a password in CONNECT, where that is asked for.
///
/// # Errors
/// There is no user name, or no password.
pub(crate) fn login(mechanism: Option<Mechanism>, target: &Target) -> Result<Option<Login>> {
    let Some(mechanism) = mechanism else {
        return Ok(None);
    };
    match (&target.username, &target.password) {
        (Some(user), Some(password)) => {
            Ok(Some(Login::new(mechanism, user.clone(), password.clone())))
        }
        _ => Err(Error::usage(
            "--auth-method needs a user name and a password",
        )),
    }
}

/// A method of enhanced authentication (MQTT 5.0 §4.12) that needs one piece of data, such as a token, in CONNECT.
#[derive(Clone, Debug)]
pub struct AuthToken {
    /// What the server calls it.
    pub method: ByteString,
    /// The file that holds the data, perhaps with a final line break.
    pub file: PathBuf,
}

/// The words about the will message (MQTT 5.0 §3.1.2.5).
#[derive(Clone, Debug)]
pub struct WillArgs {
    /// A valid topic name.
    pub topic: ByteString,
    /// The body: text, a file, or empty.
    pub payload: payload::Source,
    /// Its quality of service.
    pub qos: QoS,
    /// Whether it is retained.
    pub retain: bool,
    /// MQTT 5 will properties.
    pub properties: Properties,
}

/// What a command wants of its session besides what the user said.
pub(crate) struct Wants {
    /// How long to keep trying to come back after a lost connection, unless `--retry` says.
    pub(crate) later: Retry,
    /// Whether the command itself uses something that only MQTT 5 has.
    pub(crate) version_5_only: bool,
    /// The highest topic alias the command takes; 0: none.
    pub(crate) topic_aliases: u16,
}

impl SessionArgs {
    /// Where to connect to, with every file read and every secret asked for.
    pub(crate) fn target(&self) -> Result<Target> {
        let environment = match self.stands_in {
            Some(_) => Environment::of_another(),
            None => Environment::of_process(),
        };
        let mut target = self
            .connect
            .clone()
            .resolve(Protocol::Mqtt, &environment)
            .map_err(|cause| match self.stands_in {
                Some(_) => mosquitto::unusable(cause),
                None => cause,
            })?;
        if self.version == Some(Version::V31) {
            target.subprotocol = "mqttv3.1";
        }
        target.prepare()?;
        Ok(target)
    }

    /// A client for `target`; it connects when it is driven.
    pub(crate) async fn client(
        &self,
        target: Target,
        wants: &Wants,
        notes: Console,
    ) -> Result<Client> {
        if target.takes_any_name() && self.stands_in.is_none() {
            notes.warn(format_args!(
                "the name in the certificate of {target} is not verified (--insecure-name)"
            ));
        }
        if target.is_insecure() {
            notes.warn(format_args!(
                "the certificate of {target} is not verified (--insecure)"
            ));
        }
        let mut connect = self.connect_packet(&target, wants).await?;
        let login = login(self.mechanism, &target)?;
        if login.is_some() {
            (connect.username, connect.password) = (None, None);
        }
        let window = self.max_inflight.unwrap_or(WINDOW);
        let largest_in = self.max_packet_size.unwrap_or(LARGEST_PACKET);
        let mut session = Session::new(connect, window, largest_in, Instant::now());
        if let Some(login) = login {
            session.log_in_by(login);
        }
        if self.stands_in.is_some() {
            // mosquitto's clients do not look at it.
            session.takes_any_expiry();
        }
        let patience = Timeouts {
            first: target.retry.unwrap_or(Retry::Never),
            later: target.retry.unwrap_or(wants.later),
        };
        let mut client = Client::new(target, session, patience);
        if self.version.is_none() && !self.needs_version_5() && !wants.version_5_only {
            client.allow_fallback();
        }
        if self.prefers_first {
            client.prefer_first();
        }
        if self.client_id.is_none() && self.id_prefix.is_none() {
            client.has_random_id();
        }
        if self.stands_in.is_some() {
            client.come_back_early();
        }
        if self.takes_back {
            client.take_back();
        }
        match self.stands_in.as_ref().filter(|it| it.debug) {
            Some(stands_in) => client.watch(stands_in.log()),
            None if self.trace => client.watch(trace::packets(notes)),
            None if self.shows_session => client.watch(trace::session(notes)),
            None => {}
        }
        Ok(client)
    }

    fn needs_version_5(&self) -> bool {
        self.session_expiry.is_some()
            || self.mechanism.is_some()
            || self.auth_token.is_some()
            || !self.connect_properties.is_empty()
            || !self.disconnect_properties.is_empty()
            || self
                .will
                .as_ref()
                .is_some_and(|will| !will.properties.is_empty())
    }

    async fn connect_packet(&self, target: &Target, wants: &Wants) -> Result<Connect> {
        let version = self.version.unwrap_or_default();
        let password = target
            .password
            .as_ref()
            .map(|secret| Bytes::copy_from_slice(secret.reveal()));
        if password.is_some() && target.username.is_none() && version != Version::V5 {
            return Err(
                Error::usage("a password needs a user name before MQTT 5").hint("add -u NAME")
            );
        }
        let connect = Connect {
            version,
            client_id: self.identifier(),
            clean_start: !self.persistent,
            keep_alive: self.keep_alive,
            username: target.username.as_deref().map(ByteString::from),
            password,
            will: self.will_packet().await?,
            properties: if version == Version::V5 {
                let mut properties = self.properties(wants);
                if let Some(token) = &self.auth_token {
                    let data = Secret::read(&token.file)?.reveal().to_vec();
                    properties.push(Property::AuthenticationMethod(token.method.clone()));
                    properties.push(Property::AuthenticationData(data.into()));
                }
                properties
            } else {
                Properties::default()
            },
            bridge: self.bridge,
        };
        connect
            .properties
            .check(Place::Connect)
            .map_err(Error::usage)?;
        Ok(connect)
    }

    /// The identifier given, or a made-up one: not left to the server, so that logs on both sides name the same.
    fn identifier(&self) -> ByteString {
        match (&self.client_id, &self.id_prefix) {
            (Some(id), _) => id.clone(),
            (None, Some(prefix)) => format!("{prefix}{}", std::process::id()).into(),
            // 23 characters: what MQTT 3.1 allows.
            (None, None) => format!("iotctl-{:016x}", unguessable()).into(),
        }
    }

    fn properties(&self, wants: &Wants) -> Properties {
        let mut properties = self.connect_properties.clone();
        // A session asked for by -c is to be kept; MQTT 5 would drop it with the connection.
        let expiry = self
            .session_expiry
            .or_else(|| self.persistent.then_some(u32::MAX));
        if let Some(seconds) = expiry.filter(|_| properties.session_expiry_interval().is_none()) {
            properties.push(Property::SessionExpiryInterval(seconds));
        }
        if let Some(bytes) = self
            .max_packet_size
            .filter(|_| properties.maximum_packet_size().is_none())
        {
            properties.push(Property::MaximumPacketSize(bytes));
        }
        if let Some(count) = self
            .receive_maximum
            .filter(|_| properties.receive_maximum().is_none())
        {
            properties.push(Property::ReceiveMaximum(count));
        }
        let unasked = self.stands_in.is_none();
        if wants.topic_aliases > 0 && unasked && properties.topic_alias_maximum().is_none() {
            properties.push(Property::TopicAliasMaximum(wants.topic_aliases));
        }
        properties
    }

    async fn will_packet(&self) -> Result<Option<Will>> {
        let Some(words) = &self.will else {
            return Ok(None);
        };
        let payload = Bodies::open(&words.payload, Encoding::Plain)?
            .body()
            .await?;
        if payload.len() > usize::from(u16::MAX) {
            return Err(Error::usage(format!(
                "the will's payload of {} bytes is longer than 65535",
                payload.len()
            )));
        }
        let properties = words.properties.clone();
        Ok(Some(Will {
            topic: words.topic.clone(),
            payload,
            qos: words.qos,
            retain: words.retain,
            properties,
        }))
    }
}

/// Tells the user what happened to the connection.
pub(crate) fn tell(notice: Notice, server: &Target, notes: Console) {
    match notice {
        Notice::Lost { tells: false, .. } => {}
        Notice::Lost {
            error, retry_in, ..
        } => {
            let wait = humantime::format_duration(std::time::Duration::from_millis(
                retry_in.as_millis() as u64,
            ));
            notes.warn(format_args!("{error}; retrying in {wait}"));
        }
        Notice::FellBack => notes.note(format_args!(
            "{server} does not support MQTT 5; using MQTT 3.1.1"
        )),
        Notice::NoBridge => notes.note(format_args!(
            "{server} does not know bridges: what it is sent may come back from it, and RETAIN does not cross"
        )),
        Notice::Contested { id, times } => {
            let id = brief(&id);
            notes.warn(format_args!(
                "{server} has closed {times} connections in a row soon after they were made: another client seems to have the identifier {id} too, and each takes the session from the other; give one of them another (--id, --name)"
            ));
        }
        Notice::KeptLess { granted, asked } => {
            let long = |seconds: u32| match seconds {
                u32::MAX => String::from("for ever"),
                _ => {
                    let time = std::time::Duration::from_secs(seconds.into());
                    format!("for {}", humantime::format_duration(time))
                }
            };
            let (granted, asked) = (long(granted), long(asked));
            notes.warn(format_args!(
                "{server} keeps the session {granted} without a connection, and not {asked}: messages may be lost"
            ));
        }
        Notice::Gone => {}
    }
}

/// The topic that the path of an MQTT URL names; a WebSocket's path is not one.
pub(crate) fn topic_of(target: &Target) -> Option<ByteString> {
    let path = target
        .path
        .as_deref()
        .filter(|path| !path.is_empty() && !target.transport.is_websocket());
    path.map(ByteString::from)
}
