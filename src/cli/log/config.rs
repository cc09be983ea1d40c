//! What the flags of `log` are in a routes file (`--print-config`).

use super::{LogFlags, Plan};
use crate::cli::flags::written;
use crate::cli::mqtt::subscription;
use crate::command::ends::End;
use crate::command::ends::source::TOPIC_EXCHANGE;
use crate::command::route::connection::Connection;
use crate::command::route::file::{File, Names, RouteTable, SourceTable, TargetTable};
use crate::connect::{ConnectArgs, Protocol};
use crate::error::{Error, Result};
use crate::store::Syncing;

/// Targets, routes and what is between, of flags that have not become a plan.
///
/// # Errors
/// What has no place in such a file.
pub(super) fn begin(flags: &LogFlags) -> Result<File> {
    written::refuse_of_run([
        flags.until.given(),
        flags.between.progress().given(),
        flags.ready.given(),
    ])?;
    written::refuse([
        ("--protocol-version", flags.protocol_version.is_some()),
        ("--until", flags.conditions.until.is_some()),
        ("--expect", !flags.conditions.expect.is_empty()),
    ])?;
    if flags.from.is_empty() {
        return Err(Error::usage("--print-config needs FROM"));
    }
    let mut file = File {
        window: Some(flags.window),
        strict: Some(true).filter(|_| flags.strict),
        ..File::default()
    };
    flags.between.write(&mut file);
    for (name, number) in flags.to.iter().zip(1..) {
        let table = target(flags, &name.to_string_lossy());
        file.target.insert(format!("target{number}"), table);
    }
    if flags.store.passes() {
        file.target.insert(String::from("pass"), standard_output());
    }
    let to: Vec<String> = file.target.keys().cloned().collect();
    let words = flags.topic_words()?;
    let topics: Vec<String> = match words.is_empty() {
        true => vec![String::from("#")],
        false => words
            .iter()
            .map(|word| subscription::pieces(&word.to_string_lossy()).swap_remove(0))
            .collect(),
    };
    let last = topics.len() > 1;
    for topic in topics {
        file.route.push(RouteTable {
            from: Names::None,
            topic,
            condition: condition(flags)?,
            map: flags.map.words(),
            topic_out: None,
            to: written::names(to.clone()),
            otherwise: Names::None,
            qos: None,
            retain: None,
            last,
        });
    }
    Ok(file)
}

/// Adds the sources of the plan, and what becomes of refused messages.
///
/// # Errors
/// What has no place in such a file.
pub(super) fn finish(
    plan: &Plan,
    on_refused: &str,
    to: &ConnectArgs,
    file: &mut File,
) -> Result<()> {
    plan.check_amqp()?;
    let (on_refused, letters) = written::on_refused(on_refused, to)?;
    file.on_refused = on_refused;
    file.target.extend(letters);
    for table in file.target.values_mut() {
        if let Some(place) = &table.influx
            && place.contains("://")
        {
            let is_encrypted = place.split(':').next().is_some_and(|it| it.ends_with('s'));
            let connect = match is_encrypted {
                true => to.clone(),
                false => to.without_tls(),
            };
            *table = std::mem::take(table).connected(Connection::of(&connect));
        }
    }
    for (args, number) in plan.sources.iter().zip(1..) {
        let is_mqtt = matches!(args.end, End::Url(Protocol::Mqtt, _) | End::Context(_));
        let is_amqp = args.end.is_amqp();
        let exchange = Some(&args.exchange).filter(|it| is_amqp && **it != TOPIC_EXCHANGE);
        let topics = args.subscriptions.iter().map(written::subscription);
        let topics: Vec<String> = topics.collect();
        let table = SourceTable {
            topics: Some(topics).filter(|it| !it.is_empty() && args.end.is_server()),
            queue: args
                .queue
                .as_ref()
                .filter(|_| is_amqp)
                .map(ToString::to_string),
            exchange: exchange.map(ToString::to_string),
            clean: Some(true).filter(|_| args.end.is_server() && !args.mqtt.persistent),
            id: args
                .mqtt
                .client_id
                .as_ref()
                .filter(|_| is_mqtt)
                .map(ToString::to_string),
            ..written::source(&args.end, &args.connect)
        };
        file.source.insert(format!("source{number}"), table);
    }
    Ok(())
}

fn standard_output() -> TargetTable {
    TargetTable {
        file: Some(String::from("-")),
        ..TargetTable::default()
    }
}

/// A store by its name, with the flags that are for such a one.
fn target(flags: &LogFlags, name: &str) -> TargetTable {
    let mut table = TargetTable::default();
    if let Some(place) = name.strip_prefix("sqlite:") {
        table.sqlite = Some(place.to_owned());
        flags.rows.write(&mut table);
        flags.store.write_table(&mut table);
    } else if name.starts_with("influx") && name.contains(':') {
        table.influx = Some(name.to_owned());
        flags.points.write(&mut table);
        if !name.contains("://") && name != "influx:-" {
            flags.store.write_rotation(&mut table);
        }
    } else {
        table.file = Some(name.to_owned());
        let has_rows = name == "-" || name.to_ascii_lowercase().ends_with(".csv");
        if has_rows {
            flags.rows.write(&mut table);
        }
        if name != "-" {
            flags.store.write_rotation(&mut table);
        }
    }
    flags.rows.write_time(&mut table);
    if name != "-" {
        table.sync = sync(flags.sync);
    }
    table
}

/// As `--sync` has it; `None`: as it is anyway.
fn sync(sync: Syncing) -> Option<String> {
    match sync {
        Syncing::Auto | Syncing::Within(_) => None,
        Syncing::Each => Some(String::from("each")),
        Syncing::Every(time) => Some(humantime::format_duration(time).to_string()),
    }
}

/// All conditions in one.
fn condition(flags: &LogFlags) -> Result<Option<String>> {
    let words: Vec<String> = flags
        .conditions
        .filter
        .iter()
        .map(ToString::to_string)
        .collect();
    match words.as_slice() {
        [] => Ok(None),
        [only] => Ok(Some(only.clone())),
        several if several.iter().any(|it| it.trim_start().starts_with("jq:")) => {
            let text = "--print-config: several --filter of which one is jq cannot be expressed in a routes file";
            Err(Error::usage(text).hint("join them with and"))
        }
        several => Ok(Some(format!("({})", several.join(") and (")))),
    }
}
