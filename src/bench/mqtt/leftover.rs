//! What a load leaves at the server: the topics of its retained messages, which are cleared after the run.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use bytestring::ByteString;
use tokio::time::timeout;

use super::super::pattern::{Pattern, user_name};
use super::super::result::Report;
use super::settings::Settings;
use crate::connect::{Retry, Target};
use crate::error::{Error, Kind, Result, counted};
use crate::mqtt::client::{Client, Timeouts};
use crate::mqtt::packet::{Connect, Disconnect, LARGEST_PACKET, Properties, Publish, QoS};
use crate::mqtt::session::client::{Event, Session};

/// The name in [`Report::counts`] of the retained messages that were cleared.
pub(crate) const CLEARED: &str = "retained_cleared";

/// Messages under way.
const WINDOW: u16 = 100;
/// How long clearing may take, and how much longer for so many messages.
const PATIENCE: Duration = Duration::from_secs(5);
const IN_A_SECOND: u64 = 10_000;

/// The topics that a run has retained messages on.
#[derive(Debug, Default)]
pub(crate) struct Leftover(Mutex<BTreeMap<String, Span>>);

/// The topics of one connection, or of those that share them.
#[derive(Debug)]
struct Span {
    pattern: Pattern,
    client: usize,
    /// Sequence numbers from 0 on.
    count: u64,
}

impl Span {
    fn len(&self) -> u64 {
        match self.pattern.counts() {
            true => self.count,
            false => self.count.min(1),
        }
    }

    fn topics(self) -> impl Iterator<Item = String> {
        (0..self.len()).map(move |sequence| self.pattern.fill(self.client, sequence))
    }
}

impl Leftover {
    /// Connection `client` has sent `count` retained messages to the topics of `pattern`.
    pub(super) fn enter(&self, pattern: &Pattern, client: usize, count: u64) {
        let key = pattern.filter(Some(client));
        let mut spans = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let span = spans.entry(key).or_insert_with(|| Span {
            pattern: pattern.clone(),
            client,
            count: 0,
        });
        span.count = span.count.max(count);
    }

    fn take(&self) -> BTreeMap<String, Span> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Clears them from the server, in bounded time. `report` says how many were, and what could not be done.
    pub(crate) async fn clear(&self, target: Target, settings: &Settings, report: &mut Report) {
        let spans = self.take();
        let Some(first) = spans.values().map(|span| span.client).min() else {
            return;
        };
        let all: u64 = spans.values().map(Span::len).sum();
        let mut clearing = Clearing {
            client: settings.clearing_client(target, first),
            cleared: 0,
            waiting: 0,
            trouble: None,
        };
        let limit = PATIENCE + Duration::from_secs(all / IN_A_SECOND);
        let topics = spans.into_values().flat_map(Span::topics);
        let ended = match timeout(limit, clearing.run(topics)).await {
            Ok(ended) => ended,
            Err(_) => {
                let limit = humantime::format_duration(limit);
                let text = format!("it took longer than {limit}");
                Err(Error::new(Kind::TimedOut, text))
            }
        };
        clearing.client.close(Disconnect::default()).await;
        let cleared = clearing.cleared;
        report.counts.insert(CLEARED.to_owned(), cleared);
        if let Some(trouble) = ended.err().or(clearing.trouble) {
            let all = counted(all, "retained message");
            report.warnings.push(format!(
                "only {cleared} of {all} were cleared from the server: {trouble}; iotctl mqtt clear removes them"
            ));
        }
    }
}

impl Settings {
    /// A client that logs in as connection `index` of the load does.
    fn clearing_client(&self, target: Target, index: usize) -> Client {
        let now = Instant::now();
        let name = |name: &ByteString| user_name(name, index).into();
        let connect = Connect {
            version: self.version,
            client_id: format!("{}clear-{index}", self.client_prefix).into(),
            clean_start: true,
            keep_alive: 0,
            username: self.username.as_ref().map(name),
            password: self.password.clone(),
            will: None,
            properties: Properties::default(),
            bridge: false,
        };
        let never = Timeouts {
            first: Retry::Never,
            later: Retry::Never,
        };
        let session = Session::new(connect, WINDOW, LARGEST_PACKET, now);
        Client::new(target, session, never)
    }
}

/// Clearing under way.
struct Clearing {
    client: Client,
    cleared: u64,
    waiting: u64,
    /// The first refusal.
    trouble: Option<Error>,
}

impl Clearing {
    /// Sends an empty message to each topic, which the server forgets the other for (MQTT 5.0 §3.3.1.3).
    async fn run(&mut self, topics: impl Iterator<Item = String>) -> Result<()> {
        let mut topics = topics.peekable();
        while topics.peek().is_some() || self.waiting > 0 {
            while self.client.can_publish(QoS::AtLeastOnce)
                && let Some(topic) = topics.next()
            {
                let mut empty = Publish {
                    topic: topic.into(),
                    payload: Bytes::new(),
                    qos: QoS::AtLeastOnce,
                    retain: true,
                    ..Publish::default()
                };
                let sent = self.client.publish(&mut empty, 0);
                sent.map_err(|cause| Error::new(Kind::Refused, cause.to_string()))?;
                self.waiting += 1;
            }
            self.client.drive().await?;
            self.hear();
        }
        Ok(())
    }

    fn hear(&mut self) {
        while self.client.poll_notice().is_some() {}
        while let Some(event) = self.client.poll_event() {
            let Event::Acknowledged { reason, .. } = event else {
                continue;
            };
            self.waiting = self.waiting.saturating_sub(1);
            if reason.is_failure() {
                self.trouble
                    .get_or_insert_with(|| Error::new(reason.kind(), reason.to_string()));
            } else {
                self.cleared += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_topic_is_there_once() {
        let left = Leftover::default();
        let topics = || {
            let spans = left.take().into_values();
            spans.flat_map(Span::topics).collect::<Vec<_>>()
        };
        let own = Pattern::parse("t/{client}/{seq}").unwrap();
        left.enter(&own, 3, 2);
        left.enter(&own, 5, 1);
        assert_eq!(topics(), ["t/3/0", "t/3/1", "t/5/0"]);
        let shared = Pattern::parse("t/{seq}").unwrap();
        left.enter(&shared, 0, 1);
        left.enter(&shared, 1, 2);
        assert_eq!(topics(), ["t/0", "t/1"]);
        left.enter(&Pattern::parse("t/{client}").unwrap(), 7, 1_000_000);
        assert_eq!(topics(), ["t/7"]);
        assert_eq!(topics(), [""; 0], "taken");
    }
}
