//! The `$SYS` topics, by the names that mosquitto made known.

use super::application::Message;
use super::core::Core;
use super::sessions::Reminder;

impl Core {
    /// Publishes the figures and asks to be reminded of the next round.
    pub(super) fn tell_sys(&mut self) {
        for (topic, value) in self.figures() {
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

    fn figures(&self) -> [(&'static str, String); 13] {
        let sessions = self.sessions.len();
        let uptime = self.now.saturating_duration_since(self.started).as_secs();
        let (retained, retained_bytes) = self.retained.size();
        let counts = &self.counts;
        [
            (
                "version",
                format!("iotctl version {}", env!("CARGO_PKG_VERSION")),
            ),
            ("uptime", format!("{uptime} seconds")),
            ("clients/connected", self.connected.to_string()),
            (
                "clients/disconnected",
                (sessions - self.connected).to_string(),
            ),
            ("clients/total", sessions.to_string()),
            ("messages/received", counts.messages_received.to_string()),
            ("messages/sent", counts.messages_sent.to_string()),
            (
                "publish/messages/dropped",
                counts.messages_dropped.to_string(),
            ),
            (
                "subscriptions/count",
                self.subscriptions.count().to_string(),
            ),
            ("retained messages/count", retained.to_string()),
            ("retained messages/bytes", retained_bytes.to_string()),
            ("bytes/received", counts.bytes_received.to_string()),
            ("bytes/sent", counts.bytes_sent.to_string()),
        ]
    }
}
