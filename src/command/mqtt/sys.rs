//! `mqtt sys`: what a broker says of itself below `$SYS`.

use std::collections::BTreeMap;
use std::time::Duration;

use bytestring::ByteString;
use serde_json::{Value, json};

use super::session::{SessionArgs, Wants, topic_of};
use super::source::{Subscribed, Wanted};
use crate::connect::Retry;
use crate::error::{Error, Kind, Result};
use crate::flow::{self, Number, Progress, Stages, Until};
use crate::message::Message;
use crate::mqtt::packet::{Properties, Subscription};
use crate::output::{Console, Style, Tables, terminals};
use crate::stop::Stop;

/// What stands before every topic.
const ROOT: &str = "$SYS/";

/// More bytes of topics and values than any broker has; a server that sends more is not asked any further.
const MOST_BYTES: usize = 16 << 20;

/// The longest name, in characters, that others are lined up with.
const WIDEST: usize = 80;

/// How often a table is printed below the one before.
const EVERY: Duration = Duration::from_secs(10);

/// How often it is drawn over the one before.
const EVERY_IN_PLACE: Duration = Duration::from_secs(1);

/// What to show, and for how long.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The session.
    pub session: SessionArgs,
    /// Show the values as they change, instead of once (`--watch`).
    pub watch: bool,
    /// How often, where it is said (`--every`).
    pub every: Option<Duration>,
    /// When it ends.
    pub until: Until,
    /// JSON instead of a table.
    pub json: bool,
    /// What the terminal shows.
    pub style: Style,
}

/// Shows the figures.
///
/// # Errors
/// No connection, a refusal; [`Kind::Refused`] when there are none.
pub(crate) async fn run(plan: Plan) -> Result<()> {
    let target = plan.session.target()?;
    if let Some(topic) = topic_of(&target) {
        let text = format!("the URL has the topic {topic:?}, but the figures are below {ROOT}");
        return Err(Error::usage(text).hint("remove it from the URL"));
    }
    let mut tables = plan.tables()?;
    let mut stop = Stop::watch()?;
    let console = Console::new(plan.style);
    let name = target.to_string();
    let mut client = plan.session.client(target, &plan.wants(), console).await?;
    let subscription = Subscription {
        filter: format!("{ROOT}#").into(),
        ..Subscription::default()
    };
    client
        .session()
        .subscribe(&[subscription], &Properties::default())
        .map_err(|fault| Error::usage(fault.to_string()))?;
    let wanted = Wanted {
        subscribes: true,
        retained_only: !plan.watch,
        ..Wanted::default()
    };
    let mut source = Subscribed::new(client, &wanted, false, console);
    let mut figures = Figures {
        plan: &plan,
        tables: &mut tables,
        values: BTreeMap::new(),
        bytes: 0,
        newest: 0,
        written: 0,
        is_new: false,
    };
    let stages = Stages::default();
    let carried = flow::run(&mut source, &mut figures, &stages, &plan.until, &mut stop);
    let ended = carried.await;
    let is_new = figures.is_new;
    let values = figures.values;
    let properties = plan.session.disconnect_properties.clone();
    let closed = stop.close(source.close(properties)).await.unwrap_or(Ok(()));
    let ended = ended.and(closed);
    if plan.watch && is_new && !plan.json {
        // However it ended: the newest figures are shown.
        tables.put(table(&values, plan.json));
        tables.flush().await?;
    }
    ended?;
    if values.is_empty() {
        let text = format!("{name} publishes nothing below $SYS to this client");
        return Err(Error::new(Kind::Refused, text)
            .hint("--watch waits for what is published without being retained"));
    }
    if !plan.watch {
        tables.put(table(&values, plan.json));
    }
    tables.flush().await
}

impl Plan {
    const fn wants(&self) -> Wants {
        Wants {
            later: match self.watch {
                true => Retry::Forever,
                false => Retry::Never,
            },
            version_5_only: false,
            topic_aliases: 0,
        }
    }

    fn tables(&self) -> Result<Tables> {
        if !self.watch || self.json {
            return Tables::open(None, false, self.style);
        }
        let usual = || match terminals()[1] {
            true => EVERY_IN_PLACE,
            false => EVERY,
        };
        let every = self.every.unwrap_or_else(usual);
        Tables::open(Some(every), true, self.style)
    }
}

/// All figures: aligned, or as one object.
fn table(values: &BTreeMap<ByteString, ByteString>, json: bool) -> Vec<String> {
    if json {
        let pairs = values.iter();
        let pairs = pairs.map(|(topic, value)| (topic.to_string(), figure(value)));
        return vec![Value::Object(pairs.collect()).to_string()];
    }
    let shown = |topic: &ByteString| topic.trim_start_matches(ROOT).to_owned();
    let widths = values.keys().map(|topic| shown(topic).chars().count());
    // One very long name does not make all rows as long.
    let width = widths.filter(|width| *width <= WIDEST).max().unwrap_or(0);
    let line =
        |(topic, value): (&ByteString, &ByteString)| format!("{:<width$}  {value}", shown(topic));
    values.iter().map(line).collect()
}

/// A number where it is one.
fn figure(value: &ByteString) -> Value {
    match serde_json::from_str(value) {
        Ok(Value::Number(number)) => Value::Number(number),
        _ => Value::String(value.to_string()),
    }
}

/// Keeps the newest value of each topic.
struct Figures<'a> {
    plan: &'a Plan,
    tables: &'a mut Tables,
    values: BTreeMap<ByteString, ByteString>,
    bytes: usize,
    newest: Number,
    written: Number,
    /// Something has changed since a table was printed.
    is_new: bool,
}

impl flow::Target for Figures<'_> {
    fn name(&self) -> String {
        String::from("standard output")
    }

    fn has_room(&self) -> bool {
        self.is_idle()
    }

    fn is_idle(&self) -> bool {
        self.newest == self.written
    }

    fn take(&mut self, number: Number, message: Message) -> Result<()> {
        self.newest = number;
        let value = String::from_utf8_lossy(&message.payload).into_owned();
        let value = ByteString::from(value);
        let size = value.len();
        let before = self.values.insert(message.topic.clone(), value.clone());
        self.bytes += match &before {
            Some(before) => size.saturating_sub(before.len()),
            None => size + message.topic.len(),
        };
        if self.bytes > MOST_BYTES {
            let text = format!("more than {MOST_BYTES} bytes below $SYS");
            return Err(Error::new(Kind::Lost, text));
        }
        if self.plan.watch && before.as_ref() != Some(&value) {
            self.is_new = true;
            if self.plan.json {
                let line = json!({"topic": &*message.topic, "value": figure(&value)});
                self.tables.lines(&[line.to_string()]);
            }
        }
        Ok(())
    }

    async fn drive(&mut self, into: &mut Vec<Progress>) -> Result<()> {
        if !self.is_idle() {
            self.tables.flush().await?;
            self.written = self.newest;
            into.push(Progress::Through(self.newest));
            return Ok(());
        }
        self.tables.due().await?;
        if std::mem::take(&mut self.is_new) {
            self.tables.put(table(&self.values, false));
        }
        self.tables.flush().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_stand_under_each_other() {
        let values: BTreeMap<ByteString, ByteString> = [
            ("$SYS/broker/uptime", "5 seconds"),
            ("$SYS/broker/clients/total", "12"),
        ]
        .map(|(topic, value)| (topic.into(), value.into()))
        .into();
        assert_eq!(
            table(&values, false),
            [
                "broker/clients/total  12",
                "broker/uptime         5 seconds"
            ]
        );
        assert_eq!(
            table(&values, true),
            [r#"{"$SYS/broker/clients/total":12,"$SYS/broker/uptime":"5 seconds"}"#]
        );
        let long = format!("$SYS/{}", "l".repeat(1000));
        let odd = [(ByteString::from(long), ByteString::from("1"))];
        let lines = table(&values.into_iter().chain(odd).collect(), false);
        assert_eq!(lines[0], "broker/clients/total  12");
        assert_eq!(lines[2].len(), 1003);
    }
}
