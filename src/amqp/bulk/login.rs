//! From the protocol header to a channel that takes messages (AMQP 0-9-1 §2.2.4).

use amq_protocol::protocol::{AMQPClass, AMQPError, channel, confirm, connection};
use amq_protocol::types::{AMQPValue, FieldTable, LongString, ShortString};
use bytes::BytesMut;
use lapin::auth::AuthProvider;

use super::super::broker::nesting::check_table;
use super::super::broker::refusal::Refusal;
use super::super::broker::wire::{Frame, METHOD, PROTOCOL, method, put_method};
use super::super::client::Options;
use super::super::wire::short;
use super::link::{End, Link};

/// The one channel of the connection.
pub(super) const CHANNEL: u16 = 1;

/// The largest frame before the server says what it takes; some say much about themselves.
pub(super) const FIRST_FRAMES: usize = 128 * 1024;

/// What we understand beyond the specification.
const CAPABILITIES: [&str; 4] = [
    "publisher_confirms",
    "basic.nack",
    "connection.blocked",
    "authentication_failure_close",
];

/// Logs in.
///
/// # Errors
/// What ended the connection.
pub(super) async fn log_in(link: &mut Link, start: AMQPClass, wishes: &Wishes) -> Result<(), End> {
    link.out.extend_from_slice(&PROTOCOL);
    let _ = answer(link, 0).await?;
    link.put(0, start);
    let tuned = answer(link, 0).await?;
    let AMQPClass::Connection(connection::AMQPMethod::Tune(theirs)) = tuned else {
        return Err(unexpected(&tuned));
    };
    let agreed = wishes.agree(&theirs);
    link.agree(agreed.frame_max as usize, agreed.heartbeat);
    link.put(0, of(connection::AMQPMethod::TuneOk(agreed)));
    let open = connection::Open {
        virtual_host: wishes.vhost.clone(),
    };
    link.put(0, of(connection::AMQPMethod::Open(open)));
    match answer(link, 0).await? {
        AMQPClass::Connection(connection::AMQPMethod::OpenOk(_)) => Ok(()),
        other => Err(unexpected(&other)),
    }
}

/// Opens the channel, and lets it confirm what it takes.
///
/// # Errors
/// What ended the connection.
pub(super) async fn open(link: &mut Link, confirms: bool) -> Result<(), End> {
    let open = channel::AMQPMethod::Open(channel::Open {});
    link.put(CHANNEL, AMQPClass::Channel(open));
    match answer(link, CHANNEL).await? {
        AMQPClass::Channel(channel::AMQPMethod::OpenOk(_)) => {}
        other => return Err(unexpected(&other)),
    }
    if !confirms {
        return Ok(());
    }
    let select = confirm::AMQPMethod::Select(confirm::Select { nowait: false });
    link.put(CHANNEL, AMQPClass::Confirm(select));
    match answer(link, CHANNEL).await? {
        AMQPClass::Confirm(confirm::AMQPMethod::SelectOk(_)) => Ok(()),
        other => Err(unexpected(&other)),
    }
}

/// What we want, and are ready to settle for.
pub(super) struct Wishes {
    frame_max: u32,
    heartbeat: u16,
    vhost: ShortString,
}

impl Wishes {
    /// # Errors
    /// [`crate::error::Kind::Usage`] for a virtual host over 255 bytes.
    pub(super) fn of(options: &Options) -> crate::error::Result<Self> {
        Ok(Self {
            frame_max: options.frame_max(),
            heartbeat: options.heartbeat,
            vhost: short("virtual host", &options.vhost)?,
        })
    }

    /// The smaller of both; 0 leaves it to the other (§1.4.2.6).
    fn agree(&self, theirs: &connection::Tune) -> connection::TuneOk {
        let smaller = |ours: u32, theirs: u32| match (ours, theirs) {
            (0, other) | (other, 0) => other,
            (ours, theirs) => ours.min(theirs),
        };
        connection::TuneOk {
            channel_max: theirs.channel_max,
            frame_max: smaller(self.frame_max, theirs.frame_max),
            // Not larger than either, which is a u16.
            heartbeat: smaller(self.heartbeat.into(), theirs.heartbeat.into()) as u16,
        }
    }
}

/// Connection.Start-Ok.
pub(super) fn start_ok(options: &Options) -> AMQPClass {
    let mut capabilities = FieldTable::default();
    for name in CAPABILITIES {
        capabilities.insert(name.into(), AMQPValue::Boolean(true));
    }
    let mut properties = FieldTable::default();
    let texts = [
        ("product", "iotctl"),
        ("version", env!("CARGO_PKG_VERSION")),
        ("connection_name", &*options.name),
    ];
    for (name, text) in texts {
        let text = LongString::from(text);
        properties.insert(name.into(), AMQPValue::LongString(text));
    }
    properties.insert("capabilities".into(), AMQPValue::FieldTable(capabilities));
    of(connection::AMQPMethod::StartOk(connection::StartOk {
        client_properties: properties,
        mechanism: options.login.mechanism(),
        // It never fails.
        response: options.login.auth_starter().unwrap_or_default(),
        locale: "en_US".into(),
    }))
}

pub(super) const fn of(method: connection::AMQPMethod) -> AMQPClass {
    AMQPClass::Connection(method)
}

/// Waits for the next method on `channel`.
///
/// # Errors
/// What ended the connection.
pub(super) async fn answer(link: &mut Link, channel: u16) -> Result<AMQPClass, End> {
    let mut answer = None;
    loop {
        link.frames(|frame, out| {
            let ours = frame.channel == channel;
            answer = read(frame, out)?.filter(|_| ours);
            Ok(answer.is_none())
        })?;
        if let Some(answer) = answer.take() {
            return Ok(answer);
        }
        link.progress().await?;
    }
}

/// The method in a frame; one that ends the channel or the connection is answered.
///
/// # Errors
/// The end of the channel or the connection; what cannot be read.
pub(super) fn read(frame: Frame<'_>, out: &mut BytesMut) -> Result<Option<AMQPClass>, End> {
    if frame.kind != METHOD {
        return Ok(None);
    }
    let nonsense = |refusal: Refusal| End::Nonsense(refusal.text);
    if let [0, 10, 0, 10, _, _, table @ ..] = frame.payload {
        check_table(table).map_err(nonsense)?;
    }
    let method = method(frame.payload).map_err(nonsense)?;
    match method {
        AMQPClass::Connection(connection::AMQPMethod::Close(close)) => {
            let ok = of(connection::AMQPMethod::CloseOk(connection::CloseOk {}));
            put_method(out, 0, ok);
            Err(told(close.reply_code, close.reply_text))
        }
        AMQPClass::Channel(channel::AMQPMethod::Close(close)) => {
            let ok = channel::AMQPMethod::CloseOk(channel::CloseOk {});
            put_method(out, frame.channel, AMQPClass::Channel(ok));
            Err(told(close.reply_code, close.reply_text))
        }
        other => Ok(Some(other)),
    }
}

fn told(code: u16, text: ShortString) -> End {
    match AMQPError::from_id(code, text.clone()) {
        Some(error) => End::Told(error),
        None => End::Nonsense(format!("it ended with {code} {text}")),
    }
}

pub(super) fn unexpected(method: &AMQPClass) -> End {
    let (class, number) = (method.get_amqp_class_id(), method.get_amqp_method_id());
    End::Nonsense(format!("method {class}.{number} was not expected"))
}
