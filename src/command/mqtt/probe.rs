//! `mqtt probe`: what a broker can do: what it announces, and what shows when it is tried.
//!
//! Each trial has a connection of its own, as a broker may end that over what it does not support.

use std::time::Duration;

use bytes::Bytes;
use bytestring::ByteString;
use serde_json::json;
use tokio::time::timeout;

use super::session::{SessionArgs, Wants};
use crate::connect::{Retry, Target};
use crate::error::{Error, Kind, Result};
use crate::mqtt::client::Client;
use crate::mqtt::packet::{
    Disconnect, LARGEST_PACKET, Properties, Property, Publish, QoS, Subscription, Version,
};
use crate::mqtt::session::client::Event;
use crate::mqtt::session::limits::Limits;
use crate::output::{Console, Format, Output, Style};
use crate::random::unguessable;
use crate::stop::Stop;

/// The body of the trial of large messages, in bytes.
const LARGE: usize = 256 << 10;

/// What to ask for, to see what is granted instead: seconds.
const LONG_KEEP_ALIVE: u16 = 65_535;

/// What to try, and where.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The session.
    pub session: SessionArgs,
    /// Topics of the trials begin with this, and a level of their own.
    pub prefix: ByteString,
    /// How long each answer may take.
    pub wait: Duration,
    /// JSON instead of a table.
    pub json: bool,
    /// What the terminal shows.
    pub style: Style,
}

/// Tries everything, and shows what came of it.
///
/// # Errors
/// No connection at all, a refused login.
pub(crate) async fn run(plan: Plan) -> Result<()> {
    let mut output = Output::open(Format::Raw, plan.style)?;
    let mut stop = Stop::watch()?;
    let target = plan.session.target()?;
    if target.is_insecure() {
        Console::new(plan.style).warn(format_args!(
            "the certificate of {target} is not verified (--insecure)"
        ));
    }
    let probe = Probe {
        target,
        base: format!("{}/{:016x}", plan.prefix, unguessable()),
        // Once is enough to be warned.
        console: Console::new(Style {
            quiet: true,
            ..plan.style
        }),
        plan: &plan,
    };
    let rows = stop.unless_asked("interrupted", probe.rows()).await?;
    for line in shown(&rows, plan.json) {
        output.line(&line);
    }
    output.flush().await
}

/// What is known of one feature.
struct Row {
    feature: &'static str,
    /// What the server says of it.
    announced: Option<String>,
    tried: Option<Tried>,
}

/// What a trial showed.
enum Tried {
    Yes,
    /// And why.
    No(String),
}

fn shown(rows: &[Row], json: bool) -> Vec<String> {
    let words = |row: &Row| match &row.tried {
        None => ("", String::new()),
        Some(Tried::Yes) => ("yes", String::new()),
        Some(Tried::No(why)) => ("no", why.clone()),
    };
    if json {
        let object = |row: &Row| {
            let (tried, why) = words(row);
            let supported = (!tried.is_empty()).then_some(tried == "yes");
            let why = Some(why).filter(|why| !why.is_empty());
            json!({"feature": row.feature, "announced": row.announced, "supported": supported, "reason": why})
                .to_string()
        };
        return rows.iter().map(object).collect();
    }
    let announced = |row: &Row| row.announced.clone().unwrap_or_default();
    let width = |text: &dyn Fn(&Row) -> String, head: &str| {
        let widths = rows.iter().map(|row| text(row).chars().count());
        widths.max().unwrap_or(0).max(head.len())
    };
    let first = width(&|row| row.feature.to_owned(), "feature");
    let second = width(&announced, "announced");
    let line = |one: &str, two: &str, three: &str, why: &str| {
        let line = format!("{one:<first$}  {two:<second$}  {three:<6}  {why}");
        line.trim_end().to_owned()
    };
    let head = line("feature", "announced", "tried", "");
    let rows = rows.iter().map(|row| {
        let (tried, why) = words(row);
        line(row.feature, &announced(row), tried, &why)
    });
    [head].into_iter().chain(rows).collect()
}

struct Probe<'a> {
    plan: &'a Plan,
    target: Target,
    /// Begins every topic.
    base: String,
    console: Console,
}

/// One thing to try: a message that must come back as it is meant to.
struct Trial {
    feature: &'static str,
    /// The filter and the topic, below the base; the filter of a shared subscription is put behind its group.
    filter: &'static str,
    topic: &'static str,
    shared: bool,
    qos: QoS,
    /// The highest QoS that the server takes will do.
    any_qos: bool,
    /// The message is published before there is a subscription.
    retained: bool,
    /// For MQTT 5 only: of SUBSCRIBE and of PUBLISH.
    version_5: bool,
    subscribe: Properties,
    publish: Properties,
    size: usize,
    /// How often the message is published: again with its topic's alias.
    times: usize,
    /// What must be so of the message that comes.
    check: fn(&Publish) -> bool,
}

impl Default for Trial {
    fn default() -> Self {
        Self {
            feature: "",
            filter: "a",
            topic: "a",
            shared: false,
            qos: QoS::AtMostOnce,
            any_qos: false,
            retained: false,
            version_5: false,
            subscribe: Properties::default(),
            publish: Properties::default(),
            size: 4,
            times: 1,
            check: |_| true,
        }
    }
}

fn quality_trials() -> Vec<Trial> {
    let qos = |feature, qos, check| Trial {
        feature,
        qos,
        check,
        ..Trial::default()
    };
    vec![
        qos("QoS 0", QoS::AtMostOnce, |it| it.qos == QoS::AtMostOnce),
        qos("QoS 1", QoS::AtLeastOnce, |it| it.qos == QoS::AtLeastOnce),
        qos("QoS 2", QoS::ExactlyOnce, |it| it.qos == QoS::ExactlyOnce),
        Trial {
            feature: "retained messages",
            retained: true,
            check: |it| it.retain,
            ..Trial::default()
        },
        Trial {
            feature: "wildcard +",
            filter: "+/b",
            topic: "a/b",
            ..Trial::default()
        },
        Trial {
            feature: "wildcard #",
            filter: "a/#",
            topic: "a/b/c",
            ..Trial::default()
        },
        Trial {
            feature: "shared subscriptions",
            shared: true,
            ..Trial::default()
        },
        Trial {
            feature: "payload of 256 KiB",
            size: LARGE,
            qos: QoS::AtLeastOnce,
            any_qos: true,
            ..Trial::default()
        },
    ]
}

fn version_5_trials() -> Vec<Trial> {
    let trial = |feature, check| Trial {
        feature,
        version_5: true,
        check,
        ..Trial::default()
    };
    let identifier = Property::SubscriptionIdentifier(7);
    let user = Property::UserProperty("iotctl".into(), "probe".into());
    let named = |it: &Publish| it.properties.subscription_identifiers().eq([7]);
    vec![
        Trial {
            subscribe: [identifier].into_iter().collect(),
            ..trial("subscription identifiers", named)
        },
        Trial {
            publish: [user].into_iter().collect(),
            ..trial("user properties", |it| {
                it.properties.user_properties().count() == 1
            })
        },
        Trial {
            times: 2,
            ..trial("topic aliases", |_| true)
        },
    ]
}

impl Probe<'_> {
    async fn rows(&self) -> Result<Vec<Row>> {
        let mut rows = Vec::new();
        let mut best: Option<(Version, Properties)> = None;
        let mut failure = None;
        for (version, feature) in [
            (Version::V5, "MQTT 5"),
            (Version::V311, "MQTT 3.1.1"),
            (Version::V31, "MQTT 3.1"),
        ] {
            let tried = match self.connect(version).await {
                Ok((client, properties)) => {
                    close(client).await;
                    best.get_or_insert((version, properties));
                    Tried::Yes
                }
                // Another version would fare no better.
                Err(error) if matches!(error.kind(), Kind::Unreachable | Kind::Unauthorized) => {
                    return Err(error);
                }
                Err(error) => {
                    let why = error.text().to_owned();
                    failure.get_or_insert(error);
                    Tried::No(why)
                }
            };
            rows.push(Row {
                feature,
                announced: None,
                tried: Some(tried),
            });
        }
        let Some((version, properties)) = best else {
            let nothing = || Error::new(Kind::Refused, "the server takes no version of MQTT");
            return Err(failure.unwrap_or_else(nothing));
        };
        for trial in quality_trials().into_iter().chain(version_5_trials()) {
            if trial.version_5 && version != Version::V5 {
                continue;
            }
            let tried = self.tried(&trial, version).await;
            rows.push(Row {
                feature: trial.feature,
                announced: announced(trial.feature, &properties, version),
                tried: Some(tried),
            });
        }
        if version == Version::V5 {
            rows.extend(limits(&properties));
        }
        Ok(rows)
    }

    /// Connects with this version; what the server says of itself.
    async fn connect(&self, version: Version) -> Result<(Client, Properties)> {
        let wants = Wants {
            later: Retry::Never,
            version_5_only: false,
            topic_aliases: 0,
        };
        let mut session = SessionArgs {
            version: Some(version),
            keep_alive: LONG_KEEP_ALIVE,
            persistent: false,
            session_expiry: None,
            will: None,
            ..self.plan.session.clone()
        };
        if version == Version::V5 {
            let asked = &mut session.connect_properties;
            if asked.request_response_information().is_none() {
                asked.push(Property::RequestResponseInformation(1));
            }
        } else {
            session.connect_properties = Properties::default();
            session.disconnect_properties = Properties::default();
        }
        let target = self.target.clone();
        let mut client = session.client(target, &wants, self.console).await?;
        client.session().use_topic_aliases();
        loop {
            client.drive().await?;
            while let Some(event) = client.poll_event() {
                if let Event::Connected { properties, .. } = event {
                    return Ok((client, properties));
                }
            }
        }
    }

    async fn tried(&self, trial: &Trial, version: Version) -> Tried {
        let tried = async {
            let (mut client, server) = self.connect(version).await?;
            let server = Limits::of(&server);
            if trial.times > 1 && server.topic_alias_maximum() == 0 {
                close(client).await;
                return Ok(Tried::No(String::from("the server takes none")));
            }
            let most = match trial.any_qos {
                true => server.maximum_qos(),
                false => QoS::ExactlyOnce,
            };
            let qos = trial.qos.min(most);
            let tried = self.carry_out(trial, qos, &mut client, version).await;
            if trial.retained {
                self.forget(trial, &mut client).await;
            }
            close(client).await;
            tried
        };
        match tried.await {
            Ok(tried) => tried,
            Err(error) => Tried::No(error.text().to_owned()),
        }
    }

    async fn carry_out(
        &self,
        trial: &Trial,
        qos: QoS,
        client: &mut Client,
        version: Version,
    ) -> Result<Tried> {
        let mut publish = Publish {
            qos,
            retain: trial.retained,
            topic: format!("{}/{}", self.base, trial.topic).into(),
            payload: Bytes::from(vec![b'x'; trial.size]),
            properties: trial.publish.clone(),
            ..Publish::default()
        };
        if trial.retained
            && let Err(why) = client.publish(&mut publish, 1)
        {
            return Ok(Tried::No(why.to_string()));
        }
        let group = if trial.shared { "$share/iotctl/" } else { "" };
        let subscription = Subscription {
            filter: format!("{group}{}/{}", self.base, trial.filter).into(),
            qos,
            ..Subscription::default()
        };
        let none = Properties::default();
        let properties = if version == Version::V5 {
            &trial.subscribe
        } else {
            &none
        };
        client
            .session()
            .subscribe(&[subscription], properties)
            .map_err(|fault| Error::usage(fault.to_string()))?;
        let answer = |event: &Event| match event {
            Event::Subscribed(answers, _) => answers.first().map(|(_, reason)| *reason),
            _ => None,
        };
        match self.event(client, answer).await? {
            Some(reason) if reason.is_failure() => return Ok(Tried::No(reason.to_string())),
            Some(_) => {}
            None => return Ok(self.silence("SUBACK")),
        }
        if trial.retained {
            return self.received(trial, client).await;
        }
        for number in 1..=trial.times {
            publish.packet_id = 0;
            if let Err(why) = client.publish(&mut publish, number as u64) {
                return Ok(Tried::No(why.to_string()));
            }
            let tried = self.received(trial, client).await?;
            if matches!(tried, Tried::No(_)) {
                return Ok(tried);
            }
        }
        Ok(Tried::Yes)
    }

    /// Waits for the message.
    async fn received(&self, trial: &Trial, client: &mut Client) -> Result<Tried> {
        let check = trial.check;
        let came = |event: &Event| match event {
            Event::Message(publish) if check(publish) => Some(Tried::Yes),
            Event::Message(_) => Some(Tried::No(String::from("the message came back otherwise"))),
            Event::Acknowledged { reason, .. } if reason.is_failure() => {
                Some(Tried::No(reason.to_string()))
            }
            _ => None,
        };
        let came = self.event(client, came).await?;
        client.session().accept();
        Ok(came.unwrap_or_else(|| self.silence("message")))
    }

    /// The first event that `wanted` picks; `None` when it does not come in time.
    async fn event<T>(
        &self,
        client: &mut Client,
        wanted: impl Fn(&Event) -> Option<T>,
    ) -> Result<Option<T>> {
        let waiting = async {
            loop {
                while let Some(event) = client.poll_event() {
                    if let Some(found) = wanted(&event) {
                        return Ok(found);
                    }
                }
                client.drive().await?;
            }
        };
        match timeout(self.plan.wait, waiting).await {
            Ok(found) => found.map(Some),
            Err(_) => Ok(None),
        }
    }

    fn silence(&self, what: &str) -> Tried {
        let wait = humantime::format_duration(self.plan.wait);
        Tried::No(format!("no {what} within {wait}"))
    }

    /// Takes the retained message back.
    async fn forget(&self, trial: &Trial, client: &mut Client) {
        let mut publish = Publish {
            retain: true,
            topic: format!("{}/{}", self.base, trial.topic).into(),
            ..Publish::default()
        };
        // A server that takes no retained messages has none.
        if client.publish(&mut publish, 0).is_ok() {
            client.session().ping(std::time::Instant::now());
            let pong = |event: &Event| matches!(event, Event::Pong).then_some(());
            let _ = self.event(client, pong).await;
        }
    }
}

async fn close(mut client: Client) {
    client.close(Disconnect::default()).await;
}

/// What CONNACK says of a feature (MQTT 5.0 §3.2.2.3).
fn announced(feature: &str, server: &Properties, version: Version) -> Option<String> {
    if version != Version::V5 {
        return None;
    }
    let offered = |given: Option<u8>| match given {
        Some(0) => String::from("no"),
        Some(_) => String::from("yes"),
        None => String::from("yes (default)"),
    };
    let qos = |level: u8| match server.maximum_qos() {
        Some(maximum) if maximum < level => String::from("no"),
        Some(_) => String::from("yes"),
        None => String::from("yes (default)"),
    };
    match feature {
        "QoS 1" => Some(qos(1)),
        "QoS 2" => Some(qos(2)),
        "retained messages" => Some(offered(server.retain_available())),
        "wildcard +" | "wildcard #" => Some(offered(server.wildcard_subscription_available())),
        "shared subscriptions" => Some(offered(server.shared_subscription_available())),
        "subscription identifiers" => Some(offered(server.subscription_identifier_available())),
        "topic aliases" => Some(match server.topic_alias_maximum() {
            None | Some(0) => String::from("no"),
            Some(maximum) => format!("{maximum}"),
        }),
        _ => None,
    }
}

/// What CONNACK says besides.
fn limits(server: &Properties) -> Vec<Row> {
    let row = |feature, announced| Row {
        feature,
        announced: Some(announced),
        tried: None,
    };
    let seconds = |count: u64| humantime::format_duration(Duration::from_secs(count)).to_string();
    let size = server.maximum_packet_size();
    vec![
        row(
            "maximum packet size",
            size.map_or_else(
                || format!("{LARGEST_PACKET} bytes (default)"),
                |size| format!("{size} bytes"),
            ),
        ),
        row(
            "receive maximum",
            server
                .receive_maximum()
                .map_or_else(|| String::from("65535 (default)"), |it| it.to_string()),
        ),
        row(
            "session expiry",
            match server.session_expiry_interval() {
                None => String::from("as requested"),
                Some(u32::MAX) => String::from("never"),
                Some(count) => seconds(count.into()),
            },
        ),
        row(
            "keep-alive",
            server
                .server_keep_alive()
                .map_or_else(|| String::from("as requested"), |it| seconds(it.into())),
        ),
        row(
            "response information",
            server
                .response_information()
                .map_or_else(|| String::from("none"), |it| it.to_string()),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_a_table_or_objects() {
        let rows = [
            Row {
                feature: "QoS 2",
                announced: Some(String::from("no")),
                tried: Some(Tried::No(String::from("why"))),
            },
            Row {
                feature: "keep-alive",
                announced: Some(String::from("1m")),
                tried: None,
            },
        ];
        assert_eq!(
            shown(&rows, false),
            [
                "feature     announced  tried",
                "QoS 2       no         no      why",
                "keep-alive  1m"
            ]
        );
        assert_eq!(
            shown(&rows, true),
            [
                r#"{"feature":"QoS 2","announced":"no","supported":false,"reason":"why"}"#,
                r#"{"feature":"keep-alive","announced":"1m","supported":null,"reason":null}"#
            ]
        );
    }

    #[test]
    fn what_is_announced_is_read_with_its_defaults() {
        let server: Properties = [
            Property::MaximumQos(1),
            Property::RetainAvailable(0),
            Property::TopicAliasMaximum(10),
        ]
        .into_iter()
        .collect();
        for (feature, expected) in [
            ("QoS 1", "yes"),
            ("QoS 2", "no"),
            ("retained messages", "no"),
            ("wildcard +", "yes (default)"),
            ("topic aliases", "10"),
        ] {
            let found = announced(feature, &server, Version::V5);
            assert_eq!(found.as_deref(), Some(expected), "{feature}");
        }
        assert_eq!(announced("QoS 1", &server, Version::V311), None);
    }
}
