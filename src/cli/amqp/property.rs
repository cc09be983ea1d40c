//! The flags about the properties of the messages that AMQP commands send.

use std::ffi::OsString;

use clap::Args;

use crate::error::Result;
use crate::message::AmqpProperties;

use super::syntax::{self, Millis, short_or_none};

#[derive(Args, Debug)]
#[command(next_help_heading = "Properties")]
pub(crate) struct PropertyFlags {
    /// MIME type of the body
    #[arg(long, value_name = "TYPE")]
    content_type: Option<OsString>,

    /// How the body is packed, such as gzip
    #[arg(long, value_name = "ENCODING")]
    content_encoding: Option<OsString>,

    /// Header, typed by its look or as NAME:TYPE=VALUE: string, int, int32, bool, double, decimal, time, hex, base64, json, null; may be repeated
    #[arg(long, value_name = "NAME=VALUE")]
    header: Vec<OsString>,

    /// Keep the message on disk: delivery mode 2
    #[arg(long)]
    persistent: bool,

    /// Priority, for queues that have some; 0 is the lowest
    #[arg(long, value_name = "NUMBER")]
    priority: Option<u8>,

    /// Lifetime in a queue, such as 30s, in whole milliseconds
    #[arg(long, value_name = "TIME")]
    expiration: Option<Millis>,

    /// The application's identifier for the message
    #[arg(long, value_name = "ID")]
    message_id: Option<OsString>,

    /// Seconds since 1970
    #[arg(long, value_name = "SECONDS")]
    timestamp: Option<u64>,

    /// What kind of message it is for the application: the property type
    #[arg(long, value_name = "NAME")]
    message_type: Option<OsString>,

    /// The publisher's user name, which the server checks
    #[arg(long, value_name = "NAME")]
    user_id: Option<OsString>,

    /// The publishing application
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
