//! The board as lines of text, for pipes and logs.

use std::time::Instant;

use super::{Board, text};

/// Columns of a value.
const VALUE: usize = 40;

/// Columns of a topic or a device.
const NAME: usize = 48;

/// Values of a device that are shown.
const METRICS: usize = 12;

/// Rows of a table.
const ROWS: usize = 1_000;

impl Board {
    /// A line that says how it stands, and the tables that were asked for: devices and alerts, else topics.
    pub fn table(&self, now: Instant) -> Vec<String> {
        let mut lines = vec![self.headline(now)];
        if self.fleet.is_wanted() {
            lines.extend(self.fleet_table(now));
        }
        if self.alerts.is_wanted() {
            lines.extend(self.alerts_table(now));
        }
        if !self.fleet.is_wanted() && !self.alerts.is_wanted() {
            lines.extend(self.topics_table(now));
        }
        lines
    }

    /// `2026-11-30T12:00:00Z mqtt://localhost:1883: 3 devices (2 online, 1 offline), 1 alert, 14 topics, 12 msg/s, 1.2 kB/s`
    pub fn headline(&self, now: Instant) -> String {
        let time = humantime::format_rfc3339_seconds(self.clock(now));
        format!("{time} {}: {}", self.source, self.summary(now).join(", "))
    }

    /// How it stands, in words.
    pub fn summary(&self, now: Instant) -> Vec<String> {
        let mut all = Vec::new();
        if self.awaits.is_some() {
            all.push(String::from("not connected"));
        }
        if self.ended {
            all.push(String::from("all was read"));
        }
        if self.fleet.is_wanted() {
            let [online, offline, unknown] = self.fleet.counts();
            let mut device = text::count(self.fleet.devices().len(), "device");
            device.push_str(&format!(" ({online} online, {offline} offline"));
            if unknown > 0 {
                device.push_str(&format!(", {unknown} unknown"));
            }
            device.push(')');
            all.push(device);
        }
        if self.alerts.is_wanted() {
            all.push(text::count(self.alerts.active().len(), "alert"));
        }
        all.push(text::count(self.topics.len(), "topic"));
        all.push(format!(
            "{} msg/s",
            text::number(self.traffic.messages(now))
        ));
        all.push(format!("{}/s", text::bytes(self.traffic.bytes(now))));
        if self.topics.forgotten() > 0 {
            all.push(format!("{} topics forgotten", self.topics.forgotten()));
        }
        all
    }

    fn fleet_table(&self, now: Instant) -> Vec<String> {
        let metrics: Vec<_> = self.fleet.metrics().iter().take(METRICS).collect();
        let mut head = vec![
            String::from("DEVICE"),
            String::from("STATUS"),
            String::from("SEEN"),
        ];
        head.extend(
            metrics
                .iter()
                .map(|name| text::cut(&text::cell(name, VALUE), VALUE)),
        );
        let rows = self.fleet.devices().iter().take(ROWS).map(|(id, device)| {
            let seen = now.saturating_duration_since(device.seen);
            let mut row = vec![
                text::cut(&text::cell(id, NAME), NAME),
                device.status.words().to_owned(),
                text::age(seen),
            ];
            row.extend(metrics.iter().map(|name| match device.values.get(*name) {
                Some(value) => text::cut(&value.text, VALUE),
                None => String::from("-"),
            }));
            row
        });
        aligned(head, rows, self.fleet.devices().len())
    }

    fn alerts_table(&self, now: Instant) -> Vec<String> {
        if self.alerts.active().is_empty() {
            return Vec::new();
        }
        let head = ["ALERT", "SEVERITY", "SINCE", "TEXT"]
            .map(String::from)
            .to_vec();
        let rows = self
            .alerts
            .active()
            .iter()
            .take(ROWS)
            .map(|(topic, alert)| {
                let since = now.saturating_duration_since(alert.since);
                let severity = match alert.severity.is_empty() {
                    true => String::from("-"),
                    false => alert.severity.clone(),
                };
                vec![
                    text::cut(&text::cell(topic, NAME), NAME),
                    severity,
                    text::age(since),
                    alert.text.clone(),
                ]
            });
        aligned(head, rows, self.alerts.active().len())
    }

    fn topics_table(&self, now: Instant) -> Vec<String> {
        let head = ["TOPIC", "VALUE", "MSG/S", "B/S", "AGE", "FLAGS"]
            .map(String::from)
            .to_vec();
        let sorted = self.topics.sorted();
        let rows = sorted.iter().take(ROWS).map(|topic| {
            let mut flags = String::new();
            for (flag, is) in [('r', topic.retained), ('~', self.is_stale(topic))] {
                if is {
                    flags.push(flag);
                }
            }
            vec![
                text::cut(&text::cell(&topic.name, NAME), NAME),
                text::cut(&text::payload(&topic.payload, VALUE), VALUE),
                text::number(topic.traffic.messages(now)),
                text::number(topic.traffic.bytes(now)),
                text::age(now.saturating_duration_since(topic.updated)),
                flags,
            ]
        });
        aligned(head, rows, sorted.len())
    }
}

/// Rows under their heads; a line says how many of them are missing.
fn aligned(head: Vec<String>, rows: impl Iterator<Item = Vec<String>>, all: usize) -> Vec<String> {
    let rows: Vec<Vec<String>> = std::iter::once(head).chain(rows).collect();
    let columns = rows[0].len();
    let widest = |column: usize| {
        let widths = rows
            .iter()
            .filter_map(|row| Some(text::width(row.get(column)?)));
        widths.max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(widest).collect();
    let line = |row: &Vec<String>| {
        let cells: Vec<String> = row
            .iter()
            .zip(&widths)
            .map(|(cell, width)| text::fit(cell, *width))
            .collect();
        cells.join("  ").trim_end().to_owned()
    };
    let mut lines: Vec<String> = rows.iter().map(line).collect();
    let shown = rows.len() - 1;
    if shown < all {
        lines.push(format!("… and {} more; --output json has all", all - shown));
    }
    lines
}
