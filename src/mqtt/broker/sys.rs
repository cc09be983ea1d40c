//! The `$SYS` topics, by the names that mosquitto made known.

use std::time::Instant;

use super::application::Message;
use super::core::Core;
use super::events::Counts;
use super::sessions::Reminder;

impl Core {
    /// Publishes the figures and asks to be reminded of the next round.
    pub(super) fn tell_sys(&mut self) {
        self.loads.advance(&self.counts, self.now);
        let figures = self.figures().into_iter();
        let figures = figures.map(|(topic, value)| (topic.to_owned(), value));
        let all: Vec<_> = figures.chain(self.loads.topics()).collect();
        for (topic, value) in all {
            self.route(Message::own(&format!("$SYS/broker/{topic}"), value));
        }
        if let Some(interval) = self.options.sys_interval {
            self.timers.remind(self.now + interval, Reminder::Sys);
        }
    }

    /// Asks to be reminded when the next retained message expires.
    pub(super) fn expect_expiry(&mut self) {
        if let Some(at) = self.retained.next_expiry()
            && self.purge_at.is_none_or(|known| at < known)
        {
            self.purge_at = Some(at);
            self.timers.remind(at, Reminder::Purge);
        }
    }

    /// Forgets retained messages that have expired, some of them if there are many.
    pub(super) fn purge_retained(&mut self) {
        if self.purge_at.is_some_and(|at| at <= self.now) {
            self.work += self.retained.purge(self.now) as u64;
            self.purge_at = None;
            self.expect_expiry();
        }
    }

    fn figures(&self) -> Vec<(&'static str, String)> {
        let sessions = self.sessions.len();
        let uptime = self.now.saturating_duration_since(self.started).as_secs();
        let (retained, retained_bytes) = self.retained.size();
        let (queued, queued_bytes) = self.sessions.queued();
        let (connected, away) = (self.connected as u64, (sessions - self.connected) as u64);
        let counts = &self.counts;
        let numbers = [
            ("clients/connected", connected),
            ("clients/active", connected),
            ("clients/disconnected", away),
            ("clients/inactive", away),
            ("clients/total", sessions as u64),
            ("clients/maximum", counts.most_connected),
            ("clients/expired", counts.expired),
            ("messages/received", counts.packets_received),
            ("messages/sent", counts.packets_sent),
            ("messages/stored", (retained + queued) as u64),
            ("store/messages/count", (retained + queued) as u64),
            (
                "store/messages/bytes",
                (retained_bytes + queued_bytes) as u64,
            ),
            ("retained messages/count", retained as u64),
            ("retained messages/bytes", retained_bytes as u64),
            ("subscriptions/count", self.subscriptions.count() as u64),
            (
                "shared_subscriptions/count",
                self.subscriptions.shared() as u64,
            ),
            ("publish/messages/received", counts.messages_received),
            ("publish/messages/sent", counts.messages_sent),
            ("publish/messages/dropped", counts.messages_dropped),
            ("publish/bytes/received", counts.payload_received),
            ("publish/bytes/sent", counts.payload_sent),
            ("bytes/received", counts.bytes_received),
            ("bytes/sent", counts.bytes_sent),
        ];
        let version = format!("iotctl version {}", env!("CARGO_PKG_VERSION"));
        let texts = [
            ("version", version),
            ("uptime", format!("{uptime} seconds")),
        ];
        let numbers = numbers.map(|(topic, value)| (topic, value.to_string()));
        texts.into_iter().chain(numbers).collect()
    }
}

/// One of the counts.
type Count = fn(&Counts) -> u64;

/// What the load topics average, by their names below `load/`.
const LOADS: [(&str, Count); 9] = [
    ("messages/received", |counts| counts.packets_received),
    ("messages/sent", |counts| counts.packets_sent),
    ("publish/received", |counts| counts.messages_received),
    ("publish/sent", |counts| counts.messages_sent),
    ("publish/dropped", |counts| counts.messages_dropped),
    ("bytes/received", |counts| counts.bytes_received),
    ("bytes/sent", |counts| counts.bytes_sent),
    ("sockets", |counts| counts.sockets),
    ("connections", |counts| counts.connections),
];

/// The periods that they are averaged over, in minutes.
const PERIODS: [u8; 3] = [1, 5, 15];

/// Exponentially weighted averages per minute, as the load of a Unix system is counted.
#[derive(Debug)]
pub(super) struct Loads {
    averages: [[f64; PERIODS.len()]; LOADS.len()],
    counts: Counts,
    at: Instant,
}

impl Loads {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            averages: Default::default(),
            counts: Counts::default(),
            at: now,
        }
    }

    /// Takes in what has happened since the last call; nothing if no time has passed.
    fn advance(&mut self, counts: &Counts, now: Instant) {
        let minutes = now.saturating_duration_since(self.at).as_secs_f64() / 60.0;
        if minutes == 0.0 {
            return;
        }
        for ((_, count), averages) in LOADS.iter().zip(&mut self.averages) {
            let rate = (count(counts) - count(&self.counts)) as f64 / minutes;
            for (average, period) in averages.iter_mut().zip(PERIODS) {
                let weight = (-minutes / f64::from(period)).exp();
                *average = rate + weight * (*average - rate);
            }
        }
        self.counts.clone_from(counts);
        self.at = now;
    }

    /// Topics below `$SYS/broker`, and their payloads.
    fn topics(&self) -> impl Iterator<Item = (String, String)> {
        LOADS
            .iter()
            .zip(&self.averages)
            .flat_map(|((name, _), averages)| {
                let topics = averages.iter().zip(PERIODS);
                topics.map(move |(average, period)| {
                    (format!("load/{name}/{period}min"), format!("{average:.2}"))
                })
            })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_load_approaches_the_rate_per_minute() {
        let start = Instant::now();
        let mut loads = Loads::new(start);
        loads.advance(&Counts::default(), start);
        let mut counts = Counts::default();
        for step in 1..=6 {
            counts.sockets += 20;
            loads.advance(&counts, start + Duration::from_secs(10 * step));
        }
        let sockets: Vec<_> = loads
            .topics()
            .filter(|(topic, _)| topic.starts_with("load/sockets/"))
            .map(|(topic, value)| format!("{topic} {value}"))
            .collect();
        // 120 a minute for a minute: 120 × (1 - e^(-1/period)).
        let expected = [
            "load/sockets/1min 75.85",
            "load/sockets/5min 21.75",
            "load/sockets/15min 7.74",
        ];
        assert_eq!(sockets, expected);
    }
}
