//! The flags about one MQTT session: version, identity, keep-alive, will and properties.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

use bytes::Bytes;
use clap::Args;

use crate::command::mqtt_session::{SessionWords, WillWords};
use crate::error::{Error, Result};
use crate::mqtt::packet::{Place, Property, QoS, Version};
use crate::payload::Source;

use super::connect_flags::ConnectFlags;
use super::numbers::{Expiry, Size};
use super::property::PropertySets;
use super::values::{self, name_of};

#[derive(Args, Debug)]
#[command(next_help_heading = "Session")]
pub(super) struct SessionFlags {
    #[command(flatten)]
    connect: ConnectFlags,

    /// MQTT version: 31, 311 or 5 [default: 5, and 311 with a server that does not know 5]
    #[arg(short = 'V', long, value_name = "VERSION", value_parser = values::version, help_heading = "Session")]
    protocol_version: Option<Version>,

    /// Client identifier [default: made up]
    #[arg(short = 'i', long, value_name = "ID", conflicts_with = "id_prefix", help_heading = "Session")]
    id: Option<String>,

    /// What a made-up client identifier starts with
    #[arg(short = 'I', long, value_name = "PREFIX", help_heading = "Session")]
    id_prefix: Option<String>,

    /// Time after which a silent connection is probed, in whole seconds up to 65535; 0 turns it off
    #[arg(
        short = 'k', long, alias = "keep-alive", value_name = "TIME", default_value = "60",
        value_parser = values::keep_alive, help_heading = "Session"
    )]
    keepalive: u16,

    /// Persistent session: take up the one the server kept under this --id, and leave one behind
    #[arg(short = 'c', long, alias = "disable-clean-session", help_heading = "Session")]
    persistent: bool,

    /// Time for which the server keeps the session after the connection ends, or never for no end (MQTT 5)
    #[arg(
        short = 'x', long, alias = "session-expiry-interval", value_name = "TIME",
        allow_hyphen_values = true, help_heading = "Session"
    )]
    session_expiry: Option<Expiry>,

    /// QoS 1 and 2 messages under way at once, 1 to 65535 [default: what the server allows]
    #[arg(
        short = 'M', long, value_name = "COUNT", value_parser = clap::value_parser!(u16).range(1..),
        help_heading = "Session"
    )]
    max_inflight: Option<u16>,

    /// Largest packet to accept, in bytes such as 64KiB [default: what the protocol allows, 256MiB]
    #[arg(long, value_name = "SIZE", help_heading = "Session")]
    max_packet_size: Option<Size>,

    /// MQTT 5 property of a packet: -D publish content-type text/plain, -D connect user-property NAME VALUE; may be repeated
    #[arg(
        short = 'D', long, value_names = ["COMMAND", "NAME", "VALUE"], num_args = 4,
        action = clap::ArgAction::Append, allow_hyphen_values = true, help_heading = "Session"
    )]
    property: Vec<OsString>,

    #[command(flatten)]
    will: WillFlags,
}

#[derive(Args, Debug)]
#[command(next_help_heading = "Will")]
struct WillFlags {
    /// Topic of the message that the server publishes when this client vanishes
    #[arg(long, value_name = "TOPIC")]
    will_topic: Option<OsString>,

    /// Its payload [default: empty]
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true, conflicts_with = "will_payload_file")]
    will_payload: Option<OsString>,

    /// File that holds its payload
    #[arg(long, value_name = "FILE")]
    will_payload_file: Option<PathBuf>,

    /// Its quality of service: 0, 1 or 2 [default: 0]
    #[arg(long, value_name = "QOS", value_parser = values::qos)]
    will_qos: Option<QoS>,

    /// Retain it
    #[arg(long)]
    will_retain: bool,
}

impl SessionFlags {
    /// The session's words, and the properties of the packets that `places` names.
    pub(super) fn words(self, places: &[Place]) -> Result<(SessionWords, PropertySets)> {
        let mut sets = PropertySets::read(self.property, places)?;
        if self.protocol_version.is_some_and(|version| version < Version::V5) {
            refuse_older(self.protocol_version, "-D", !sets.is_empty())?;
            refuse_older(self.protocol_version, "-x", self.session_expiry.is_some())?;
        }
        if self.persistent && self.id.as_deref().is_none_or(str::is_empty) {
            return Err(Error::usage("a persistent session (-c) needs a client identifier")
                .hint("name it with -i ID, the same each time"));
        }
        let connect_properties = sets.take(Place::Connect);
        refuse_twice(
            self.session_expiry.is_some() && connect_properties.session_expiry_interval().is_some(),
            "-x", "session-expiry-interval",
        )?;
        refuse_twice(
            self.max_packet_size.is_some() && connect_properties.maximum_packet_size().is_some(),
            "--max-packet-size", "maximum-packet-size",
        )?;
        let words = SessionWords {
            connect: self.connect.words()?,
            version: self.protocol_version,
            client_id: self.id.map(Into::into),
            id_prefix: self.id_prefix.map(Into::into),
            keep_alive: self.keepalive,
            persistent: self.persistent,
            session_expiry: self.session_expiry.map(|Expiry(seconds)| seconds),
            will: None,
            max_inflight: self.max_inflight,
            max_packet_size: self.max_packet_size.map(values::packet_size).transpose()?,
            connect_properties,
            disconnect_properties: sets.take(Place::Disconnect),
        };
        Ok((words, sets))
    }
}
