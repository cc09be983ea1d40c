//! A source and a target as the file has them, and what is made of them.

use std::path::Path;

use bytestring::ByteString;

use super::Plan;
use super::connection::Connection;
use super::file::{SourceTable, TargetTable};
use super::router::Shape;
use crate::command::ends::target::Sink;
use crate::command::ends::{self, End, SourceArgs, TargetArgs};
use crate::command::mqtt::session::SessionArgs;
use crate::command::mqtt::topics::Defaults;
use crate::connect::{ConnectArgs, Protocol};
use crate::mqtt::packet::{QoS, RetainHandling, Subscription};
use crate::output::Format;
use crate::store::Syncing;

/// Seconds of the keep-alive.
const KEEP_ALIVE: u16 = 60;

/// The name of an end, of which a table has exactly one.
fn end(
    url: Option<&String>,
    context: Option<&String>,
    file: Option<&String>,
) -> Result<End, String> {
    let end = match (url, context, file) {
        (Some(url), None, None) => End::parse(url).map_err(|why| why.text().to_owned())?,
        (None, Some(context), None) => return Ok(End::Context(context.clone())),
        (None, None, Some(file)) if file == "-" => return Ok(End::Standard),
        (None, None, Some(file)) => {
            let parts = Path::new(file).components();
            let mut parts = parts.map(|part| part.as_os_str().to_string_lossy());
            return match parts.find(|part| ends::is_store(part)) {
                Some(part) => Err(format!(
                    "file: {part} is a store: write sqlite = … or influx = …"
                )),
                None => Ok(End::File(file.into())),
            };
        }
        _ => return Err(String::from("one of url, context and file is needed")),
    };
    match end {
        end @ (End::Url(..) | End::Listen(_)) => Ok(end),
        other => Err(format!("url: {other} has no scheme such as mqtt://")),
    }
}

/// The server, the context or the file that a source is.
pub(super) fn named(table: &SourceTable) -> Option<End> {
    let (url, context, file) = (&table.url, &table.context, &table.file);
    end(url.as_ref(), context.as_ref(), file.as_ref()).ok()
}

/// Refuses what is no pace, and a pace of what has its own.
fn check_speed(speed: Option<f64>, end: &End) -> Result<(), String> {
    let is_file = matches!(end, End::File(_) | End::Standard);
    match speed {
        Some(_) if !is_file => Err(String::from("speed is for a file")),
        Some(speed) if !speed.is_normal() || speed < 0.0 => {
            Err(format!("speed: {speed} is no speed: 1 is as recorded"))
        }
        _ => Ok(()),
    }
}

/// Refuses keys of AMQP where the end does not speak it; a context that is wrong is told later.
fn check_amqp(end: &End, keys: &[(&str, bool)]) -> Result<(), String> {
    let mut given = keys.iter().filter(|(_, given)| *given);
    match (given.next(), end.protocol()) {
        (None, _) | (_, Err(_) | Ok(Some(Protocol::Amqp))) => Ok(()),
        (Some((key, _)), _) => Err(format!("{key} is for AMQP only")),
    }
}

/// How to connect, but for where to; what is no server needs no connection.
fn connect(connection: Connection, is_server: bool) -> Result<ConnectArgs, String> {
    match connection.given() {
        Some(key) if !is_server => Err(format!("{key} is for a server")),
        _ => connection.args(),
    }
}

/// What the table of a source means; `filters` are those of the routes.
///
/// # Errors
/// What does not fit together.
pub(super) fn source(
    name: &str,
    table: &SourceTable,
    filters: &[&str],
    window: u16,
    plan: &Plan,
) -> Result<SourceArgs, String> {
    let end = end(
        table.url.as_ref(),
        table.context.as_ref(),
        table.file.as_ref(),
    )?;
    let defaults = Defaults {
        options: Subscription {
            qos: QoS::AtLeastOnce,
            retain_as_published: true,
            retain_handling: RetainHandling::default(),
            ..Subscription::default()
        },
        ..Defaults::default()
    };
    let words: Vec<&str> = match table.topics.as_deref() {
        None => filters.to_vec(),
        Some([]) => {
            return Err(String::from(
                "topics is empty: name some, or leave it out for those of the routes",
            ));
        }
        Some(own) => own.iter().map(String::as_str).collect(),
    };
    let read =
        |word: &str| (plan.readers.filter)(word, &defaults).map_err(|why| why.text().to_owned());
    let subscriptions = words.into_iter().map(read).collect::<Result<Vec<_>, _>>()?;
    let id = table
        .id
        .clone()
        .unwrap_or_else(|| format!("{}-{name}", plan.name()));
    let text = |text: &Option<String>| text.clone().map(ByteString::from);
    check_speed(table.speed, &end)?;
    check_amqp(&end, &[("queue", table.queue.is_some())])?;
    check_amqp(&end, &[("exchange", table.exchange.is_some())])?;
    Ok(SourceArgs {
        connect: connect(table.connection(), end.is_server())?,
        end,
        subscriptions,
        mqtt: SessionArgs {
            client_id: Some(id.into()),
            persistent: table.clean != Some(true),
            keep_alive: KEEP_ALIVE,
            ..SessionArgs::default()
        },
        queue: text(&table.queue),
        exchange: table.exchange(),
        peek: false,
        retained_only: false,
        speed: table.speed,
        window,
        style: plan.style,
    })
}

/// What the table of a target means; `sink` is what it says that is neither a server nor a file of records.
///
/// # Errors
/// What does not fit together.
pub(super) fn target(
    table: &TargetTable,
    sink: Result<Option<(End, Sink)>, String>,
    window: u16,
    plan: &Plan,
) -> Result<TargetArgs, String> {
    let (url, context, file) = (&table.url, &table.context, &table.file);
    let others = [url, context, file].into_iter().flatten().count();
    let (end, sink) = match (&table.sqlite, sink?) {
        (_, Some((end, sink))) => (end, Some(sink)),
        (Some(path), None) if others == 0 => (End::Database(path.into()), None),
        (None, None) if others == 1 => {
            let end = end(url.as_ref(), context.as_ref(), file.as_ref())?;
            (end, None)
        }
        _ => {
            return Err(String::from(
                "one of url, context, file, sqlite, influx and exec is needed",
            ));
        }
    };
    if table.qos.is_some_and(|qos| qos > 2) {
        return Err(String::from("qos is 0, 1 or 2"));
    }
    check_amqp(&end, &[("exchange", table.exchange.is_some())])?;
    let id = table.id.clone();
    let is_server = end.is_server() || is_remote(table);
    let window = match table.strict_order {
        Some(true) => 1,
        _ => window,
    };
    Ok(TargetArgs {
        sync: sync(table, &end, plan)?,
        connect: connect(table.connection(), is_server)?,
        end,
        sink,
        retries: table.retries,
        mqtt: SessionArgs {
            client_id: id.map(ByteString::from),
            keep_alive: KEEP_ALIVE,
            max_inflight: Some(window),
            ..SessionArgs::default()
        },
        state: None,
        qos: QoS::from_level(table.qos.unwrap_or(1)).unwrap_or_default(),
        retain: table.retain.unwrap_or_default(),
        exchange: table.exchange(),
        window,
        format: Format::records(),
        style: plan.style,
    })
}

/// Whether it is a time series at a server.
fn is_remote(table: &TargetTable) -> bool {
    table.influx.as_ref().is_some_and(|it| it.contains("://"))
}

/// When what a store gets is safe.
fn sync(table: &TargetTable, end: &End, plan: &Plan) -> Result<Syncing, String> {
    let Some(word) = &table.sync else {
        return Ok(Syncing::Auto);
    };
    let is_store = table.exec.is_none() && !end.is_server() && *end != End::Standard;
    match is_store {
        true => (plan.readers.sync)(word).map_err(|why| format!("sync: {word:?}: {why}")),
        false => Err(String::from("sync is for a file, sqlite and influx")),
    }
}

/// What messages are to be there.
pub(super) fn shape(table: &TargetTable) -> Shape {
    Shape {
        protocol: None,
        exchange: table.exchange.clone().map(ByteString::from),
        qos: table.qos,
        retain: table.retain,
    }
}
