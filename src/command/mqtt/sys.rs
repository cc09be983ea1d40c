//! `mqtt sys`: what a broker says of itself below `$SYS`.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use bytestring::ByteString;
use data_encoding::BASE64;
use serde_json::{Value, json};

use super::session::{SessionArgs, Wants, topic_of};
use super::source::{Subscribed, Wanted};
use crate::connect::Retry;
use crate::error::{Error, Kind, Result};
use crate::flow::{self, Number, Progress, Stages, Until};
use crate::message::Message;
use crate::mqtt::packet::{Properties, Subscription};
use crate::output::{self, Console, Style, Tables, terminals};
use crate::payload::json_text::push_string;
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
        tables.put(table(&values, plan.json, output::columns()));
        tables.flush().await?;
    }
    ended?;
    if values.is_empty() {
        let text = format!("{name} publishes nothing below $SYS to this client");
        return Err(Error::new(Kind::Refused, text)
            .hint("--watch waits for what is published without being retained"));
    }
    if !plan.watch {
        tables.put(table(&values, plan.json, output::columns()));
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

/// All figures: aligned, or as one object. In so many columns; a figure that has no room there beside its name stands below it.
fn table(values: &BTreeMap<ByteString, Bytes>, json: bool, columns: Option<usize>) -> Vec<String> {
    if json {
        let mut text = String::from("{");
        for (topic, value) in values {
            if text.len() > 1 {
                text.push(',');
            }
            push_string(topic, &mut text);
            text.push(':');
            match str::from_utf8(value) {
                Ok(value) => push_figure(value, &mut text),
                Err(_) => text.push_str(&json!({"base64": BASE64.encode(value)}).to_string()),
            }
        }
        text.push('}');
        return vec![text];
    }
    let shown = |topic: &ByteString| topic.trim_start_matches(ROOT).to_owned();
    let rows = values
        .iter()
        .map(|(topic, value)| (shown(topic), String::from_utf8_lossy(value)));
    let rows: Vec<_> = rows.collect();
    let fits = |name: usize, value: &str| {
        columns.is_none_or(|columns| name + 2 + value.chars().count() <= columns)
    };
    let widths = rows
        .iter()
        .map(|(name, value)| (name.chars().count(), value));
    // One very long name does not make all rows as long.
    let widths = widths.filter(|(width, value)| *width <= WIDEST && fits(*width, value));
    let width = widths.map(|(width, _)| width).max().unwrap_or(0);
    let mut lines = Vec::new();
    for (name, value) in &rows {
        match fits(width.max(name.chars().count()), value) {
            true => lines.push(format!("{name:<width$}  {value}")),
            false => lines.extend([name.clone(), format!("  {value}")]),
        }
    }
    lines
}

/// A number, as it was written, where it is one.
fn push_figure(value: &str, into: &mut String) {
    match serde_json::from_str(value) {
        Ok(Value::Number(_)) => into.push_str(value.trim()),
        _ => push_string(value, into),
    }
}

/// A figure that has come, as a line of JSON.
fn news(topic: &str, value: &[u8]) -> String {
    let mut line = String::from("{\"topic\":");
    push_string(topic, &mut line);
    match str::from_utf8(value) {
        Ok(value) => {
            line.push_str(",\"value\":");
            push_figure(value, &mut line);
        }
        Err(_) => {
            line.push_str(",\"value_base64\":");
            push_string(&BASE64.encode(value), &mut line);
        }
    }
    line.push('}');
    line
}

/// Keeps the newest value of each topic.
struct Figures<'a> {
    plan: &'a Plan,
    tables: &'a mut Tables,
    values: BTreeMap<ByteString, Bytes>,
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
        // Not a slice of what was read, which would stay in memory with it.
        let value = Bytes::copy_from_slice(&message.payload);
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
                self.tables.lines(&[news(&message.topic, &value)]);
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
            self.tables
                .put(table(&self.values, false, output::columns()));
        }
        self.tables.flush().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_without_room_stands_below_its_name() {
        let values: BTreeMap<ByteString, Bytes> = [
            ("$SYS/broker/load/messages/received/15min", "1234.56"),
            ("$SYS/broker/uptime", "5 seconds"),
        ]
        .map(|(topic, value)| (topic.into(), Bytes::from(value)))
        .into();
        assert_eq!(
            table(&values, false, Some(40)),
            [
                "broker/load/messages/received/15min",
                "  1234.56",
                "broker/uptime  5 seconds"
            ]
        );
        let wide = table(&values, false, Some(44));
        assert_eq!(wide[0], "broker/load/messages/received/15min  1234.56");
    }

    #[test]
    fn figures_stand_under_each_other() {
        let values: BTreeMap<ByteString, Bytes> = [
            ("$SYS/broker/uptime", "5 seconds"),
            ("$SYS/broker/clients/total", "12"),
        ]
        .map(|(topic, value)| (topic.into(), Bytes::from(value)))
        .into();
        assert_eq!(
            table(&values, false, None),
            [
                "broker/clients/total  12",
                "broker/uptime         5 seconds"
            ]
        );
        assert_eq!(
            table(&values, true, None),
            [r#"{"$SYS/broker/clients/total":12,"$SYS/broker/uptime":"5 seconds"}"#]
        );
        for (value, object, line) in [
            (&b"1.10"[..], "1.10", "\"value\":1.10"),
            (
                b"123456789012345678901",
                "123456789012345678901",
                "\"value\":123456789012345678901",
            ),
            (b"1e999", "\"1e999\"", "\"value\":\"1e999\""),
            (
                b"\xff\x00",
                r#"{"base64":"/wA="}"#,
                "\"value_base64\":\"/wA=\"",
            ),
        ] {
            let one = [(ByteString::from("$SYS/a"), Bytes::from_static(value))];
            let shown = table(&one.into(), true, None);
            assert_eq!(shown, [format!("{{\"$SYS/a\":{object}}}")]);
            assert_eq!(
                news("$SYS/a", value),
                format!("{{\"topic\":\"$SYS/a\",{line}}}")
            );
        }
        let long = format!("$SYS/{}", "l".repeat(1000));
        let odd = [(ByteString::from(long), Bytes::from("1"))];
        let lines = table(&values.into_iter().chain(odd).collect(), false, None);
        assert_eq!(lines[0], "broker/clients/total  12");
        assert_eq!(lines[2].len(), 1003);
    }
}
