//! The totals of what is passed on, as Prometheus scrapes them (`--prometheus-listen`).

use std::fmt::Write;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Interval, MissedTickBehavior, interval};

use super::progress::{OUTCOMES, Totals};
use crate::bench::report::prometheus::Endpoint;
use crate::error::Result;
use crate::flow::Backlog;
use crate::output::Console;

/// How old the numbers are at most.
const EVERY: Duration = Duration::from_secs(1);

/// A page that is served for as long as this lives.
pub(super) struct Metrics {
    page: watch::Sender<String>,
    serving: JoinHandle<()>,
    interval: Interval,
}

impl Metrics {
    /// Listens, and says where.
    ///
    /// # Errors
    /// [`Kind::Local`](crate::error::Kind::Local) when the address cannot be listened on.
    pub(super) async fn serve(address: SocketAddr, console: Console) -> Result<Self> {
        let (endpoint, page) = Endpoint::bind(address).await?;
        let address = endpoint.local_addr()?;
        console.note(format_args!("metrics at http://{address}/metrics"));
        let mut interval = interval(EVERY);
        interval.set_missed_tick_behavior(MissedTickBehavior::Skip);
        Ok(Self {
            page,
            serving: tokio::spawn(endpoint.serve()),
            interval,
        })
    }

    /// Returns when the page is to be written again. Cancel-safe.
    pub(super) async fn tick(&mut self) {
        self.interval.tick().await;
    }

    /// Writes the page.
    pub(super) fn show(&self, totals: &Totals) {
        self.page.send_replace(text(totals));
    }
}

impl Drop for Metrics {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// The families of a spool, each with its only value.
const fn of_spool(
    spooled: u64,
    backlog: &Backlog,
) -> [(&'static str, &'static str, &'static str, u64); 4] {
    [
        (
            "iotctl_spooled_messages_total",
            "counter",
            "Messages that were put into the spool.",
            spooled,
        ),
        (
            "iotctl_spool_dropped_messages_total",
            "counter",
            "Messages that were given up, as the spool was full.",
            backlog.dropped,
        ),
        (
            "iotctl_spool_messages",
            "gauge",
            "Messages that wait in the spool.",
            backlog.messages,
        ),
        (
            "iotctl_spool_bytes",
            "gauge",
            "Bytes that those take there.",
            backlog.bytes,
        ),
    ]
}

fn text(totals: &Totals) -> String {
    let mut text = String::new();
    let mut family = |name: &str, kind: &str, about: &str, samples: &[(String, u64)]| {
        // Writing to a String cannot fail.
        let _ = write!(text, "# HELP {name} {about}\n# TYPE {name} {kind}\n");
        for (labels, value) in samples {
            let _ = writeln!(text, "{name}{labels} {value}");
        }
    };
    let received = [(String::new(), totals.taken)];
    family(
        "iotctl_received_messages_total",
        "counter",
        "Messages that came.",
        &received,
    );
    let outcomes = OUTCOMES.iter().zip(totals.counts);
    let outcomes = outcomes.map(|(name, count)| (format!("{{outcome=\"{name}\"}}"), count));
    family(
        "iotctl_messages_total",
        "counter",
        "What became of them.",
        &outcomes.collect::<Vec<_>>(),
    );
    let open = [(String::new(), totals.open())];
    family(
        "iotctl_in_flight_messages",
        "gauge",
        "Messages whose outcome is not known.",
        &open,
    );
    let Some((spooled, backlog)) = totals.spooled else {
        return text;
    };
    for (name, kind, about, value) in of_spool(spooled, &backlog) {
        family(name, kind, about, &[(String::new(), value)]);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn totals_are_text_for_prometheus() {
        let totals = Totals {
            taken: 9,
            counts: [4, 0, 1, 0, 0, 0, 2],
            spooled: None,
        };
        let text = text(&totals);
        assert!(!text.contains("spool"));
        for line in [
            "# TYPE iotctl_received_messages_total counter",
            "iotctl_received_messages_total 9",
            "iotctl_messages_total{outcome=\"delivered\"} 4",
            "iotctl_messages_total{outcome=\"in doubt\"} 2",
            "iotctl_in_flight_messages 2",
        ] {
            assert!(text.lines().any(|it| it == line), "{line}: {text}");
        }
    }
}
