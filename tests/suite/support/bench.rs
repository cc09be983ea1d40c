//! `iotctl bench mqtt` and what its JSON says.

use std::fmt::Debug;

use serde_json::Value;

use super::command::{Ended, Line, iotctl};

/// The result of a run, as JSON.
pub struct Figures(pub Value);

/// `bench mqtt` at this port, quiet, with JSON on standard output.
pub fn bench(port: u16, words: &str) -> Line {
    iotctl("bench mqtt --quiet --output json -h 127.0.0.1 -p")
        .words(&port.to_string())
        .words(words)
}

impl Figures {
    /// Reads standard output, and checks that the messages add up.
    #[track_caller]
    pub fn of(ended: &Ended) -> Self {
        let figures: Value = serde_json::from_slice(&ended.stdout)
            .unwrap_or_else(|why| panic!("{why}: {}{}", ended.stderr, ended.text()));
        let figures = Self(figures);
        figures.add_up();
        figures
    }

    /// The identities that hold whatever happens.
    #[track_caller]
    fn add_up(&self) {
        let of = |name: &str| self.messages(name);
        let shown = &self.0["messages"];
        assert_eq!(of("planned"), of("sent") + of("unsent"), "{shown}");
        let ends = [
            "acknowledged",
            "refused",
            "timed_out",
            "lost_with_connection",
        ];
        assert_eq!(of("sent"), ends.into_iter().map(of).sum::<u64>(), "{shown}");
        let came = of("unique") + of("duplicate") + of("undecided");
        assert_eq!(of("received"), came, "{shown}");
        let missing = of("expected").saturating_sub(of("unique"));
        assert_eq!(of("missing"), missing, "{shown}");
        // A merge has one point for each stretch of the common clock, whatever phase its parts are in.
        let merged = ["workers", "processes"].map(|name| self.0["setup"][name].is_string());
        if merged == [false; 2] {
            self.points_add_up();
        }
    }

    /// All points are all messages; those of the measured time make the rates.
    #[track_caller]
    fn points_add_up(&self) {
        for name in ["planned", "sent", "acknowledged", "received"] {
            let all = self.messages(name) + self.count("warmup", name);
            assert_eq!(
                self.points("", name),
                all,
                "{name}: {}",
                self.0["intervals"]
            );
        }
        let measured = self.0["phases"]["measured_s"].as_f64().unwrap();
        for (rate, name) in [
            ("planned_per_s", "planned"),
            ("offered_per_s", "sent"),
            ("accepted_per_s", "acknowledged"),
        ] {
            let messages = self.rate(rate) * measured.max(1e-9);
            let points = self.points("measure", name) as f64;
            assert!(
                (messages - points).abs() < 0.01,
                "{rate}: {messages} {points}"
            );
        }
        let planned = self.points("measure", "planned");
        assert_eq!(planned, self.messages("planned"));
    }

    /// The sum of a count over the points of a phase, or of all.
    pub fn points(&self, phase: &str, name: &str) -> u64 {
        let points = self.0["intervals"].as_array().unwrap().iter();
        let own = points.filter(|point| phase.is_empty() || point["phase"] == phase);
        own.map(|point| point[name].as_u64().unwrap()).sum()
    }

    /// Messages per second.
    pub fn rate(&self, name: &str) -> f64 {
        self.0["rates"][name].as_f64().unwrap()
    }

    pub fn messages(&self, name: &str) -> u64 {
        self.count("messages", name)
    }

    pub fn connections(&self, name: &str) -> u64 {
        self.count("connections", name)
    }

    fn count(&self, part: &str, name: &str) -> u64 {
        let found = self.0[part][name].as_u64();
        found.unwrap_or_else(|| panic!("there is no {part}.{name}"))
    }

    /// A figure of a latency in milliseconds: `response`, `p99_ms`.
    pub fn latency(&self, of: &str, figure: &str) -> f64 {
        let found = self.0["latency"][of][figure].as_f64();
        found.unwrap_or_else(|| panic!("there is no latency {of}: {}", self.0["latency"]))
    }

    /// Checks several counters of messages at once.
    #[track_caller]
    pub fn counts<const N: usize>(&self, expected: [(&str, u64); N]) -> &Self {
        let found = expected.map(|(name, _)| (name, self.messages(name)));
        assert_eq!(found, expected, "{}", self.0["errors"]);
        self
    }
}

impl Debug for Figures {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:#}", self.0)
    }
}
