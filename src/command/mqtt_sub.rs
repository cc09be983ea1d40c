//! `mqtt sub`: subscribes and shows what comes.

use std::time::Duration;

use bytestring::ByteString;

use crate::command::mqtt_session::SessionWords;
use crate::mqtt::packet::{Properties, Subscription};
use crate::output::{Format, Style};

/// What to subscribe to, until when, and how to show what comes.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The session.
    pub session: SessionWords,
    /// Valid filters with their options. Empty when the path of the URL names it, or with
    /// `unsubscribe`; the former is known only once the URL is resolved.
    pub subscriptions: Vec<Subscription>,
    /// The options of a filter that the path of the URL names; its filter is empty.
    pub default: Subscription,
    /// For SUBSCRIBE.
    pub subscribe_properties: Properties,
    /// For UNSUBSCRIBE.
    pub unsubscribe_properties: Properties,
    /// Filters to unsubscribe from once connected.
    pub unsubscribe: Vec<ByteString>,
    /// Messages whose topic matches one of these filters are not shown and not counted.
    pub filter_out: Vec<ByteString>,
    /// Do not show retained messages.
    pub skip_retained: bool,
    /// Show retained messages only, and end at the first that is not.
    pub retained_only: bool,
    /// End once every subscription is acknowledged.
    pub exit_after_subscribe: bool,
    /// End after so many messages; at least 1.
    pub count: Option<u64>,
    /// Give up after this long: a failure ([`TimedOut`](crate::error::Kind::TimedOut)).
    pub timeout: Option<Duration>,
    /// End after this long: a success.
    pub duration: Option<Duration>,
    /// End when nothing came for this long: a success.
    pub idle: Option<Duration>,
    /// How a message is shown.
    pub format: Format,
    /// What the terminal shows.
    pub style: Style,
}
