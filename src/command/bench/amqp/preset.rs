//! The scenarios of `bench amqp`, by the names that people give them.

use std::str::FromStr;

use crate::bench::amqp::Scenario;

/// A scenario with what follows from it unless people say otherwise.
#[derive(Clone, Copy, Debug)]
pub struct ScenarioPreset(&'static Row);

#[derive(Debug)]
struct Row {
    name: &'static str,
    does: &'static str,
    scenario: Scenario,
    /// Producers and consumers.
    connections: (usize, usize),
    /// Of the exchange; `None`: the default one.
    kind: Option<&'static str>,
    queues: Option<usize>,
}

const fn row(
    name: &'static str,
    does: &'static str,
    scenario: Scenario,
    connections: (usize, usize),
) -> Row {
    Row {
        name,
        does,
        scenario,
        connections,
        kind: None,
        queues: None,
    }
}

static PRESETS: [Row; 12] = [
    row(
        "publish-consume",
        "producers and consumers on the same queues",
        Scenario::Publish,
        (1, 1),
    ),
    row(
        "publish",
        "producers only: the queues fill",
        Scenario::Publish,
        (1, 0),
    ),
    row(
        "fan-in",
        "many producers, one consumer",
        Scenario::Publish,
        (100, 1),
    ),
    Row {
        kind: Some("fanout"),
        ..row(
            "fan-out",
            "a fanout exchange copies each message to one queue per consumer",
            Scenario::Publish,
            (1, 10),
        )
    },
    Row {
        queues: Some(10),
        ..row(
            "one-to-one",
            "each producer has its own queue and consumer",
            Scenario::Publish,
            (10, 10),
        )
    },
    row(
        "request",
        "producers send requests, consumers reply with the stamp over direct reply-to",
        Scenario::Request,
        (1, 1),
    ),
    row(
        "idle",
        "idle connections and channels, opened at --connect-rate or all at once",
        Scenario::Idle,
        (1000, 0),
    ),
    row(
        "connection-churn",
        "each message of the load is a connection: closed and reopened",
        Scenario::Connections,
        (10, 0),
    ),
    row(
        "channel-churn",
        "each message of the load is a channel: opened and closed",
        Scenario::Channels,
        (1, 0),
    ),
    row(
        "queue-churn",
        "each message of the load is an exclusive queue: declared and deleted",
        Scenario::Queues,
        (1, 0),
    ),
    row(
        "consumer-churn",
        "each message of the load is a consumer: started and cancelled",
        Scenario::Consumers,
        (1, 0),
    ),
    row(
        "bind-churn",
        "each message of the load is a binding: created and removed",
        Scenario::Bindings,
        (1, 0),
    ),
];

impl ScenarioPreset {
    /// Name and meaning of each, in the order in which help shows them.
    pub fn all() -> impl Iterator<Item = (&'static str, &'static str)> {
        PRESETS.iter().map(|row| (row.name, row.does))
    }

    pub(crate) const fn name(self) -> &'static str {
        self.0.name
    }

    pub(crate) const fn scenario(self) -> Scenario {
        self.0.scenario
    }

    pub(crate) const fn connections(self) -> (usize, usize) {
        self.0.connections
    }

    pub(crate) const fn kind(self) -> Option<&'static str> {
        self.0.kind
    }

    pub(crate) const fn queues(self) -> Option<usize> {
        self.0.queues
    }
}

impl FromStr for ScenarioPreset {
    type Err = &'static str;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        let found = PRESETS.iter().find(|row| row.name == word);
        found.map(Self).ok_or("there is no such scenario")
    }
}
