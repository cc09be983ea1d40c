//! A device over MQTT: manifests are published to it, it asks for blocks, and it reports.

use std::time::{Duration, Instant};

use bytes::Bytes;
use bytestring::ByteString;
use tokio::time::sleep_until;

use super::Plan;
use super::core::Core;
use crate::command::mqtt::session::{Wants, WillArgs, tell};
use crate::connect::Retry;
use crate::error::{Error, Kind, Result};
use crate::firmware::Digest;
use crate::firmware::device::{Outcome, Report};
use crate::firmware::wire::{self, Audience, Request, Topics};
use crate::mqtt::client::{Client, Connection as _};
use crate::mqtt::packet::{Disconnect, Properties, Publish, QoS, ReasonCode, Subscription};
use crate::mqtt::session::client::Event;
use crate::output::Console;
use crate::payload::Source;
use crate::stop::Stop;

/// How long it may take until a report is sent before the device starts again.
pub(super) const GOODBYE: Duration = Duration::from_secs(2);

pub(super) async fn run(core: Core) -> Result<()> {
    let mut stop = Stop::watch()?;
    let client = core.plan.client(core.console).await?;
    let mut agent = Agent {
        topics: Topics::new(&core.plan.prefix),
        core,
        client,
        reported: None,
        image: None,
        online_told: false,
    };
    let ended = agent.drive(&mut stop).await;
    agent.core.remember();
    let closed = stop.close(agent.close()).await;
    ended.and_then(|()| closed.map_err(|asked| Error::new(asked.kind(), "interrupted")))
}

impl Plan {
    async fn client(&self, console: Console) -> Result<Client> {
        let topics = Topics::new(&self.prefix);
        let mut session = self.session.clone();
        session.will = Some(WillArgs {
            topic: topics.online(&self.id).into(),
            payload: Source::Text(Bytes::from_static(b"0")),
            qos: QoS::AtLeastOnce,
            retain: true,
            properties: Properties::default(),
        });
        if session.client_id.is_none() && session.id_prefix.is_none() {
            // The server tells two agents of one name apart by nothing else: the later one takes the session over, and the earlier
            // one is told.
            session.client_id = Some(format!("{}-{}", self.prefix, self.id).into());
        }
        // A device may be up before its network is.
        session.connect.retry = session.connect.retry.or(Some(Retry::Forever));
        let target = session.target()?;
        let wants = Wants {
            later: Retry::Forever,
            version_5_only: false,
            topic_aliases: 0,
        };
        let mut client = session.client(target, &wants, console).await?;
        client.only_greets();
        let mut audiences = vec![Audience::All, Audience::Device(self.id.clone())];
        audiences.extend(self.groups.iter().cloned().map(Audience::Group));
        let filters: Vec<_> = audiences
            .iter()
            .map(|it| at_least_once(topics.manifest(it)))
            .collect();
        subscribe(&mut client, &filters)?;
        Ok(client)
    }
}

pub(in crate::command::ota) fn at_least_once(filter: String) -> Subscription {
    Subscription {
        filter: filter.into(),
        qos: QoS::AtLeastOnce,
        ..Subscription::default()
    }
}

pub(in crate::command::ota) fn subscribe(
    client: &mut Client,
    filters: &[Subscription],
) -> Result<()> {
    let subscribed = client.session().subscribe(filters, &Properties::default());
    subscribed.map_err(|why| Error::usage(why.to_string()))
}

struct Agent {
    core: Core,
    topics: Topics,
    client: Client,
    /// What the server was told last.
    reported: Option<Report>,
    /// The image whose blocks are subscribed to.
    image: Option<Digest>,
    online_told: bool,
}

/// What woke the agent.
enum Woken {
    Driven(Result<()>),
    Ended(Outcome),
    Time,
    Asked(crate::stop::Asked),
}

impl Agent {
    async fn drive(&mut self, stop: &mut Stop) -> Result<()> {
        loop {
            self.core.steps(self.client.is_online());
            self.watch_blocks()?;
            self.speak()?;
            if let Some(ended) = self.is_over() {
                return ended;
            }
            match self.wait(stop).await {
                Woken::Driven(driven) => {
                    self.events()?;
                    driven?;
                }
                Woken::Ended(outcome) => {
                    if self.core.ended(outcome) {
                        self.say_goodbye().await;
                        return Ok(());
                    }
                }
                Woken::Time => {}
                Woken::Asked(asked) => return self.core.stopped(asked),
            }
        }
    }

    async fn wait(&mut self, stop: &mut Stop) -> Woken {
        // Nothing is asked for without a connection.
        let can_ask = self.client.is_online() || !self.core.is_downloading();
        let until = self.core.next_time().filter(|_| can_ask);
        let late = until.unwrap_or_else(Instant::now);
        tokio::select! {
            biased;
            asked = stop.asked() => Woken::Asked(asked),
            outcome = self.core.outcome() => Woken::Ended(outcome),
            driven = self.client.drive() => Woken::Driven(driven),
            () = sleep_until(late.into()), if until.is_some() => Woken::Time,
        }
    }

    /// What is received only while an image is downloaded.
    fn watch_blocks(&mut self) -> Result<()> {
        let wanted = self.core.device.download().map(|it| *it.digest());
        if wanted == self.image || !self.client.is_online() {
            return Ok(());
        }
        let filters = |image: &Digest| {
            [
                self.topics.block(&self.core.plan.id, image, None),
                self.topics.shared_block(image, None),
            ]
        };
        if let Some(image) = self.image.take() {
            let filters: Vec<ByteString> = filters(&image).map(ByteString::from).into();
            let ended = self
                .client
                .session()
                .unsubscribe(&filters, &Properties::default());
            ended.map_err(|why| Error::usage(why.to_string()))?;
        }
        if let Some(image) = wanted {
            let filters = filters(&image).map(|filter| Subscription {
                filter: filter.into(),
                ..Subscription::default()
            });
            subscribe(&mut self.client, &filters)?;
        }
        self.image = wanted;
        Ok(())
    }

    /// Asks for blocks, and reports.
    fn speak(&mut self) -> Result<()> {
        if !self.client.is_online() {
            return Ok(());
        }
        if !std::mem::replace(&mut self.online_told, true) {
            let topic = self.topics.online(&self.core.plan.id);
            self.publish(topic, Bytes::from_static(b"1"), QoS::AtLeastOnce, true)?;
        }
        let now = self.core.now();
        if self.image.is_some()
            && let Some((digest, ask)) = self.core.device.ask(now)
        {
            let request = Request {
                device: self.core.plan.id.clone(),
                block: self.core.plan.block,
                ask,
            };
            let topic = self.topics.requests(Some(&digest));
            self.publish(topic, request.encode().into(), QoS::AtMostOnce, false)?;
        }
        self.report()
    }

    fn report(&mut self) -> Result<()> {
        let report = self.core.device.report();
        let is_news = self
            .reported
            .as_ref()
            .is_none_or(|last| report.is_news(last));
        if !is_news || !self.client.can_publish(QoS::AtLeastOnce) {
            return Ok(());
        }
        let text = self.core.report(&report);
        let topic = self.topics.status(&self.core.plan.id);
        self.publish(topic, text.into(), QoS::AtLeastOnce, true)?;
        self.reported = Some(report);
        Ok(())
    }

    fn publish(&mut self, topic: String, payload: Bytes, qos: QoS, retain: bool) -> Result<()> {
        let mut publish = Publish {
            topic: topic.into(),
            payload,
            qos,
            retain,
            ..Publish::default()
        };
        let published = self.client.publish(&mut publish, 0);
        published.map_err(|why| Error::new(Kind::Refused, why.to_string()))
    }

    fn events(&mut self) -> Result<()> {
        while let Some(notice) = self.client.poll_notice() {
            tell(notice, self.client.target(), self.core.console);
        }
        while let Some(event) = self.client.poll_event() {
            match event {
                Event::Connected { .. } => self.connected(),
                Event::Message(publish) => self.message(&publish),
                Event::Subscribed(answers, _) => refused(&answers)?,
                _ => {}
            }
        }
        self.client.session().accept();
        self.core.tell();
        Ok(())
    }

    fn connected(&mut self) {
        self.core.device.reconnected();
        self.reported = None;
        self.online_told = false;
        self.core.server_reached();
    }

    fn message(&mut self, publish: &Publish) {
        if publish.topic.ends_with("/manifest") {
            self.core.manifest(&publish.payload);
            return;
        }
        let (Some(image), Some(number)) = (self.image, wire::block_number(&publish.topic)) else {
            return;
        };
        // Blocks are never retained; one that is would come again at each subscription, right or wrong.
        if publish.retain {
            return;
        }
        self.core.block(&image, number, &publish.payload);
    }

    /// With `--once`: how the first update ended.
    fn is_over(&self) -> Option<Result<()>> {
        if let Some(why) = self.core.missed() {
            return Some(Err(why));
        }
        let is_told = self.reported.as_ref() == Some(&self.core.device.report());
        let is_over = is_told && self.client.unfinished() == 0;
        self.core.ending().filter(|_| is_over)
    }

    /// The last report goes out before the connection ends.
    async fn say_goodbye(&mut self) {
        let until = tokio::time::Instant::now() + GOODBYE;
        while self.client.is_online()
            && (self.client.unwritten() > 0 || self.client.unfinished() > 0)
        {
            match tokio::time::timeout_at(until, self.client.drive()).await {
                Ok(Ok(())) if self.events().is_ok() => {}
                _ => return,
            }
        }
    }

    async fn close(&mut self) {
        if self.client.is_online() {
            // A will would say the same, but only after a connection that was lost.
            let topic = self.topics.online(&self.core.plan.id);
            let _ = self.publish(topic, Bytes::from_static(b"0"), QoS::AtMostOnce, true);
        }
        self.client.close(Disconnect::default()).await;
    }
}

/// A filter that the server does not take.
pub(in crate::command::ota) fn refused(answers: &[(ByteString, ReasonCode)]) -> Result<()> {
    match answers.iter().find(|(_, reason)| reason.0 >= 0x80) {
        Some((filter, reason)) => {
            let text = format!("the server refused the subscription to {filter}: {reason}");
            Err(Error::new(Kind::Refused, text))
        }
        None => Ok(()),
    }
}
