//! The board for Prometheus, in its text format (0.0.4).

use std::fmt::Write as _;
use std::time::Instant;

use super::Board;
use super::fleet::Status;

/// Devices that have a sample of their own.
const MOST: usize = 1_000;

impl Board {
    /// Counts, and for each device whether it is online.
    pub fn metrics(&self, now: Instant) -> String {
        let mut page = String::new();
        let [online, offline, unknown] = self.fleet.counts();
        let mut family = |name: &str, kind: &str, help: &str, samples: &[(&str, f64)]| {
            // Writing to a string does not fail.
            let _ = writeln!(
                page,
                "# HELP iotctl_watch_{name} {help}\n# TYPE iotctl_watch_{name} {kind}"
            );
            for (labels, value) in samples {
                let _ = writeln!(page, "iotctl_watch_{name}{labels} {value}");
            }
        };
        let connected = f64::from(u8::from(self.awaits.is_none()));
        family(
            "connected",
            "gauge",
            "Whether the source is connected.",
            &[("", connected)],
        );
        family(
            "messages_total",
            "counter",
            "Messages that came.",
            &[("", self.messages as f64)],
        );
        family(
            "message_rate",
            "gauge",
            "Messages in a second, of late.",
            &[("", self.traffic.messages(now))],
        );
        family(
            "byte_rate",
            "gauge",
            "Bytes of payload in a second, of late.",
            &[("", self.traffic.bytes(now))],
        );
        family(
            "topics",
            "gauge",
            "Topics that are known.",
            &[("", self.topics.len() as f64)],
        );
        let forgotten = self.topics.forgotten() as f64;
        family(
            "topics_forgotten_total",
            "counter",
            "Topics forgotten for want of room.",
            &[("", forgotten)],
        );
        family(
            "devices",
            "gauge",
            "Devices by status.",
            &[
                ("{status=\"online\"}", online as f64),
                ("{status=\"offline\"}", offline as f64),
                ("{status=\"unknown\"}", unknown as f64),
            ],
        );
        family(
            "alerts",
            "gauge",
            "Alerts that are active.",
            &[("", self.alerts.active().len() as f64)],
        );
        let devices = self.fleet.devices().iter().take(MOST);
        let ups: Vec<(String, f64)> = devices
            .map(|(id, device)| {
                let up = f64::from(u8::from(device.status == Status::Online));
                (format!("{{device=\"{}\"}}", label(id)), up)
            })
            .collect();
        let ups: Vec<(&str, f64)> = ups.iter().map(|(labels, up)| (&**labels, *up)).collect();
        family(
            "device_online",
            "gauge",
            "Whether a device is online.",
            &ups,
        );
        page
    }
}

fn label(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}
