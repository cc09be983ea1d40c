//! The flags about one MQTT session: version, identity, keep-alive, will and properties.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

use bytes::Bytes;
use bytestring::ByteString;
use clap::Args;

use crate::command::mqtt::session::{AuthToken, SessionArgs, WillArgs};
use crate::connect::scram::Mechanism;
use crate::error::{Error, Result};
use crate::mqtt::packet::{Place, Properties, Property, QoS, Version};
use crate::payload::Source;

use super::property::{self, PropertySets};
use crate::cli::flags::connect::ConnectFlags;
use crate::cli::syntax::numbers::{Expiry, whole};
use crate::cli::syntax::values;

#[derive(Args, Debug)]
#[command(next_help_heading = "Session")]
pub(crate) struct SessionFlags {
    /// MQTT version: 31, 311 or 5 [default: 5, or 311 if the server does not support 5]
    #[arg(short = 'V', long, value_name = "VERSION", value_parser = values::version)]
    protocol_version: Option<Version>,

    /// Client identifier [default: generated]
    #[arg(short = 'i', long, value_name = "ID", conflicts_with = "id_prefix", value_parser = values::identifier)]
    id: Option<ByteString>,

    /// Prefix of a generated client identifier
    #[arg(short = 'I', long, value_name = "PREFIX", value_parser = values::identifier)]
    id_prefix: Option<ByteString>,

    /// Keep Alive interval, in whole seconds up to 65535; 0 disables it
    #[arg(
        short = 'k', long, alias = "keep-alive", value_name = "TIME", default_value = "60",
        value_parser = values::keep_alive
    )]
    keepalive: u16,

    /// Persistent session: resume the session of this --id, and keep it on the server afterwards
    #[arg(short = 'c', long, alias = "disable-clean-session")]
    persistent: bool,

    /// Session expiry interval: how long the server keeps the session after the connection ends, or never (MQTT 5); without --id it ends with the command
    #[arg(
        short = 'x',
        long,
        alias = "session-expiry-interval",
        value_name = "TIME",
        allow_hyphen_values = true
    )]
    session_expiry: Option<Expiry>,

    /// QoS 1 and 2 messages in flight, 1 to 65535 [default: the server's limit]
    #[arg(
        short = 'M', long, value_name = "COUNT", value_parser = whole(1..=u16::MAX)
    )]
    max_inflight: Option<u16>,

    /// Largest packet to accept, in bytes such as 64KiB [default: what the protocol allows, 256MiB]
    #[arg(long, value_name = "SIZE", value_parser = values::packet_size)]
    max_packet_size: Option<u32>,

    /// MQTT 5 property of a packet: -D publish content-type text/plain, -D connect user-property NAME VALUE; may be repeated
    #[arg(
        short = 'D', long, value_names = ["COMMAND", "NAME", "VALUE"], num_args = property::WORDS,
        action = clap::ArgAction::Append, allow_hyphen_values = true
    )]
    property: Vec<OsString>,

    /// Log in by MQTT 5 enhanced authentication: scram-sha-256 or scram-sha-512, which never send the password, or another method of the server's with --auth-data-file
    #[arg(long, value_name = "METHOD")]
    auth_method: Option<String>,

    /// File with the authentication data of --auth-method, such as a token; a trailing newline is ignored
    #[arg(long, value_name = "FILE", requires = "auth_method")]
    auth_data_file: Option<PathBuf>,

    /// Show every packet on standard error, with the time since the start, without payloads and passwords
    #[arg(long, conflicts_with = "quiet", help_heading = "Diagnostics")]
    trace: bool,

    /// Show on standard error what the server says of the session: session present, reason codes and properties of CONNACK, SUBACK, UNSUBACK and DISCONNECT
    #[arg(long, conflicts_with_all = ["quiet", "trace"], help_heading = "Diagnostics")]
    show_session: bool,

    #[command(flatten)]
    will: WillFlags,

    #[command(flatten)]
    connect: ConnectFlags,
}

#[derive(Args, Debug)]
#[command(next_help_heading = "Will")]
struct WillFlags {
    /// Topic of the will message, which the server publishes if the connection is lost
    #[arg(long, value_name = "TOPIC")]
    will_topic: Option<OsString>,

    /// Payload of the will message [default: empty]
    #[arg(
        long,
        value_name = "TEXT",
        allow_hyphen_values = true,
        conflicts_with = "will_payload_file"
    )]
    will_payload: Option<OsString>,

    /// File with the payload of the will message
    #[arg(long, value_name = "FILE")]
    will_payload_file: Option<PathBuf>,

    /// Quality of service of the will message: 0, 1 or 2 [default: 0]
    #[arg(long, value_name = "QOS", value_parser = values::qos)]
    will_qos: Option<QoS>,

    /// Retain the will message
    #[arg(long)]
    will_retain: bool,
}

/// SCRAM by its name, in any case, or another method with its data.
fn authentication(
    method: Option<String>,
    data: Option<PathBuf>,
) -> Result<(Option<Mechanism>, Option<AuthToken>)> {
    let Some(method) = method else {
        return Ok((None, None));
    };
    match (Mechanism::named(&method.to_ascii_uppercase()), data) {
        (Some(_), Some(_)) => Err(Error::usage(
            "SCRAM makes its own data: --auth-data-file is for other methods",
        )),
        (Some(mechanism), None) => Ok((Some(mechanism), None)),
        (None, Some(file)) => Ok((
            None,
            Some(AuthToken {
                method: method.into(),
                file,
            }),
        )),
        (None, None) => Err(Error::usage(format!(
            "--auth-method {method:?} needs --auth-data-file, unless it is scram-sha-256 or scram-sha-512"
        ))),
    }
}

/// Only this process knows a generated identifier: nobody else can come back to its session, which therefore ends with it.
fn end_session(expiry: Option<u32>, disconnect: &mut Properties) {
    let is_kept = expiry.is_some_and(|seconds| seconds > 0);
    if is_kept && disconnect.session_expiry_interval().is_none() {
        disconnect.push(Property::SessionExpiryInterval(0));
    }
}

/// Refuses to ask at the end for a session that was not asked for in CONNECT (MQTT 5.0 §3.14.2.2.2); `asks`: it was.
fn check_goodbye(asks: bool, disconnect: &Properties) -> Result<()> {
    match disconnect.session_expiry_interval() {
        Some(1..) if !asks => {
            let text = "-D disconnect session-expiry-interval: a session that ends with its connection cannot be kept";
            Err(Error::usage(text).hint("add -x TIME, which CONNECT asks for"))
        }
        _ => Ok(()),
    }
}

impl SessionFlags {
    /// The one version to speak, if one was named.
    pub(crate) const fn version(&self) -> Option<Version> {
        self.protocol_version
    }

    /// The session's words, and the properties of the other packets that the command sends: `places`.
    pub(crate) fn words(self, places: &[Place]) -> Result<(SessionArgs, PropertySets)> {
        self.check()?;
        let places = [&[Place::Connect, Place::Will, Place::Disconnect], places].concat();
        let mut sets = PropertySets::read(self.property, &places)?;
        let connect_properties = sets.take(Place::Connect);
        let twice = |given: bool, flag, name| match given {
            true => Err(Error::usage(format!(
                "{flag} and -D connect {name} cannot be used together"
            ))),
            false => Ok(()),
        };
        let session_expiry = self.session_expiry.map(|Expiry(seconds)| seconds);
        let named = connect_properties.session_expiry_interval();
        twice(
            session_expiry.and(named).is_some(),
            "-x",
            "session-expiry-interval",
        )?;
        let named = connect_properties.maximum_packet_size();
        twice(
            self.max_packet_size.and(named).is_some(),
            "--max-packet-size",
            "maximum-packet-size",
        )?;
        let named = connect_properties.authentication_method();
        twice(
            self.auth_method.is_some() && named.is_some(),
            "--auth-method",
            "authentication-method",
        )?;
        let expiry = session_expiry.or_else(|| connect_properties.session_expiry_interval());
        let mut disconnect_properties = sets.take(Place::Disconnect);
        let asks = self.persistent || expiry.is_some_and(|seconds| seconds > 0);
        check_goodbye(asks, &disconnect_properties)?;
        if self.id.as_ref().is_none_or(|id| id.is_empty()) {
            end_session(expiry, &mut disconnect_properties);
        }
        let (mechanism, auth_token) = authentication(self.auth_method, self.auth_data_file)?;
        let words = SessionArgs {
            connect: self.connect.words()?,
            version: self.protocol_version,
            client_id: self.id,
            id_prefix: self.id_prefix,
            keep_alive: self.keepalive,
            persistent: self.persistent,
            session_expiry,
            will: self.will.words(sets.take(Place::Will))?,
            max_inflight: self.max_inflight,
            max_packet_size: self.max_packet_size,
            mechanism,
            auth_token,
            connect_properties,
            disconnect_properties,
            trace: self.trace,
            shows_session: self.show_session,
            ..SessionArgs::default()
        };
        Ok((words, sets))
    }

    /// The first flag that was given and means nothing to a server of another protocol.
    pub(crate) fn of_mqtt_alone(&self) -> Option<&'static str> {
        let flags = [
            ("-V", self.protocol_version.is_some()),
            ("-i", self.id.is_some()),
            ("-I", self.id_prefix.is_some()),
            ("-c", self.persistent),
            ("-x", self.session_expiry.is_some()),
            ("-M", self.max_inflight.is_some()),
            ("--max-packet-size", self.max_packet_size.is_some()),
            ("-D", !self.property.is_empty()),
            ("--auth-method", self.auth_method.is_some()),
            ("--show-session", self.show_session),
            ("--will-topic", self.will.will_topic.is_some()),
        ];
        flags.into_iter().find(|it| it.1).map(|(flag, _)| flag)
    }

    /// Refuses what asks for a session that is kept, for a command that keeps none.
    ///
    /// # Errors
    /// -c, which may have been meant as a `hint` says, and -x.
    pub(crate) fn refuse_kept(&self, hint: Option<&str>) -> Result<()> {
        if !self.persistent && self.session_expiry.is_none() {
            return Ok(());
        }
        let error = Error::usage("-c and -x cannot be used: no session is kept");
        Err(match hint.filter(|_| self.persistent) {
            Some(hint) => error.hint(hint),
            None => error,
        })
    }

    fn check(&self) -> Result<()> {
        values::needs_v5(self.protocol_version, "-D", !self.property.is_empty())?;
        values::needs_v5(self.protocol_version, "-x", self.session_expiry.is_some())?;
        let named = self.auth_method.is_some();
        values::needs_v5(self.protocol_version, "--auth-method", named)?;
        if self.persistent && self.id.as_ref().is_none_or(|id| id.is_empty()) {
            return Err(
                Error::usage("-c (persistent session) needs a client identifier")
                    .hint("use -i ID, with the same ID each time"),
            );
        }
        Ok(())
    }
}

impl WillFlags {
    fn words(self, properties: Properties) -> Result<Option<WillArgs>> {
        let Some(topic) = self.will_topic else {
            for (flag, given) in [
                ("--will-payload", self.will_payload.is_some()),
                ("--will-payload-file", self.will_payload_file.is_some()),
                ("--will-qos", self.will_qos.is_some()),
                ("--will-retain", self.will_retain),
                ("-D will", !properties.is_empty()),
            ] {
                values::needs(flag, given, "--will-topic", false)?;
            }
            return Ok(None);
        };
        let payload = match (self.will_payload, self.will_payload_file) {
            (Some(text), _) => Source::Text(Bytes::from(text.into_vec())),
            (None, Some(file)) => Source::File(file),
            (None, None) => Source::Empty,
        };
        Ok(Some(WillArgs {
            topic: values::topic_name("--will-topic", topic)?,
            payload,
            qos: self.will_qos.unwrap_or_default(),
            retain: self.will_retain,
            properties,
        }))
    }
}
