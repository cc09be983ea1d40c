//! The board for Prometheus, in its text format (0.0.4).

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Instant;

use super::Board;
use super::fleet::{Device, Status};

/// Devices that have a sample of their own.
const MOST: usize = 1_000;

/// A family of samples that have no labels: name, kind, what it is.
const PLAIN: [(&str, &str, &str); 7] = [
    ("connected", "gauge", "Whether the source is connected."),
    ("messages_total", "counter", "Messages that came."),
    ("message_rate", "gauge", "Messages in a second, of late."),
    (
        "byte_rate",
        "gauge",
        "Bytes of payload in a second, of late.",
    ),
    ("topics", "gauge", "Topics that are known."),
    (
        "topics_forgotten_total",
        "counter",
        "Topics forgotten for want of room.",
    ),
    ("alerts", "gauge", "Alerts that are active."),
];

impl Board {
    /// Counts, and for each device whether it is online.
    pub fn metrics(&self, now: Instant) -> String {
        let mut page = String::new();
        let values = [
            flag(self.awaits.is_none()),
            self.messages as f64,
            self.traffic.messages(now),
            self.traffic.bytes(now),
            self.topics.len() as f64,
            self.topics.forgotten() as f64,
            self.alerts.active().len() as f64,
        ];
        for ((name, kind, help), value) in PLAIN.into_iter().zip(values) {
            head(&mut page, name, kind, help);
            sample(&mut page, name, "", value);
        }
        head(&mut page, "devices", "gauge", "Devices by status.");
        for (status, count) in ["online", "offline", "unknown"]
            .iter()
            .zip(self.fleet.counts())
        {
            let labels = format!("{{status=\"{status}\"}}");
            sample(&mut page, "devices", &labels, count as f64);
        }
        let help = "Whether a device is online.";
        head(&mut page, "device_online", "gauge", help);
        for (id, device) in self.offline_first().take(MOST) {
            let labels = format!("{{device=\"{}\"}}", label(id));
            let up = flag(device.status == Status::Online);
            sample(&mut page, "device_online", &labels, up);
        }
        let help = "What has no sample of its own.";
        head(&mut page, "left_out", "gauge", help);
        let devices = self.fleet.devices().len().saturating_sub(MOST);
        sample(&mut page, "left_out", "{what=\"devices\"}", devices as f64);
        page
    }

    /// The devices: those that are offline, those of which that is not known, and those that are online, each by name.
    fn offline_first(&self) -> impl Iterator<Item = (&Arc<str>, &Device)> {
        let rank = |status: &Status| match status {
            Status::Offline => 0,
            Status::Unknown | Status::Other(_) => 1,
            Status::Online => 2,
        };
        let devices = self.fleet.devices();
        (0..3).flat_map(move |wanted| {
            devices
                .iter()
                .filter(move |(_, device)| rank(&device.status) == wanted)
        })
    }
}

fn flag(is: bool) -> f64 {
    f64::from(u8::from(is))
}

fn head(page: &mut String, name: &str, kind: &str, help: &str) {
    // Writing to a string does not fail.
    let _ = writeln!(
        page,
        "# HELP iotctl_watch_{name} {help}\n# TYPE iotctl_watch_{name} {kind}"
    );
}

fn sample(page: &mut String, name: &str, labels: &str, value: f64) {
    // As above.
    let _ = writeln!(page, "iotctl_watch_{name}{labels} {value}");
}

fn label(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}
