//! The flags about the properties of the messages that AMQP commands send.

use std::ffi::OsString;

use clap::Args;

use crate::error::Result;
use crate::message::AmqpProperties;

use super::syntax::{self, Millis, short_or_none};
use crate::cli::syntax::numbers::whole;

#[derive(Args, Debug)]
#[command(next_help_heading = "Properties")]
pub(crate) struct PropertyFlags {
    /// MIME type of the body
    #[arg(long, value_name = "TYPE")]
    content_type: Option<OsString>,

    /// Content encoding of the body, such as gzip
    #[arg(long, value_name = "ENCODING")]
    content_encoding: Option<OsString>,

    /// Header; the type is inferred, or given as NAME:TYPE=VALUE: string, int, int32, bool, double, decimal, time, hex, base64, json, null; may be repeated
    #[arg(long, value_name = "NAME=VALUE")]
    header: Vec<OsString>,

    /// Persistent message: delivery mode 2
    #[arg(long)]
    persistent: bool,

    /// Priority, for priority queues; 0 is the lowest
    #[arg(long, value_name = "NUMBER", value_parser = whole(0..=u8::MAX))]
    priority: Option<u8>,

    /// Per-message TTL, such as 30s, in whole milliseconds
    #[arg(long, value_name = "TIME")]
    expiration: Option<Millis>,

    /// Message identifier
    #[arg(long, value_name = "ID")]
    message_id: Option<OsString>,

    /// Timestamp, in seconds since 1970
    #[arg(long, value_name = "SECONDS", value_parser = whole(0..=u64::MAX))]
    timestamp: Option<u64>,

    /// Message type: the property type
    #[arg(long, value_name = "NAME")]
    message_type: Option<OsString>,

    /// User name of the publisher, validated by the server
    #[arg(long, value_name = "NAME")]
    user_id: Option<OsString>,

    /// Identifier of the publishing application
    #[arg(long, value_name = "NAME")]
    app_id: Option<OsString>,
}

impl PropertyFlags {
    /// The properties, without those that are the command's own.
    pub(crate) fn properties(self) -> Result<AmqpProperties> {
        let Self { expiration, .. } = self;
        Ok(AmqpProperties {
            content_type: short_or_none("--content-type", self.content_type)?,
            content_encoding: short_or_none("--content-encoding", self.content_encoding)?,
            headers: syntax::pairs("--header", self.header)?,
            delivery_mode: self.persistent.then_some(2),
            priority: self.priority,
            expiration: expiration.map(|Millis(millis)| millis.to_string().into()),
            message_id: short_or_none("--message-id", self.message_id)?,
            timestamp: self.timestamp,
            kind: short_or_none("--message-type", self.message_type)?,
            user_id: short_or_none("--user-id", self.user_id)?,
            app_id: short_or_none("--app-id", self.app_id)?,
            ..AmqpProperties::default()
        })
    }
}
