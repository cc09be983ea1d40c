//! A rollout over MQTT: manifests are published to devices, and retained, their reports come from the server, and so does what
//! other controllers say.

use std::collections::BTreeSet;
use std::mem::take;
use std::path::Path;
use std::time::{Duration, Instant};

use bytes::Bytes;
use bytestring::ByteString;

use super::control::Notifier;
use super::file::Asked;
use super::{ANSWER, Action, Plan, TICK, carry_out, no_controller, words};
use crate::command::mqtt::session::{Wants, WillArgs, tell};
use crate::command::ota::agent::{at_least_once, refused, subscribe};
use crate::command::ota::retained::Retained;
use crate::command::ota::status::Fleet;
use crate::connect::Retry;
use crate::error::{Error, Kind, Result};
use crate::firmware::rollout::Rollout;
use crate::firmware::wire::{Audience, Topics};
use crate::mqtt::client::{Client, Connection as _};
use crate::mqtt::packet::{Disconnect, Properties, Publish, QoS, ReasonCode};
use crate::mqtt::session::client::Event;
use crate::output::Console;
use crate::payload::Source;
use crate::random::unguessable;
use crate::stop::Stop;

/// How long a device may say nothing before its last report is asked for.
const SILENCE: Duration = Duration::from_secs(5);

/// Devices that are asked for at the same time.
const MOST_ASKED: usize = 100;

/// Devices that say nothing. A server drops reports that a controller is too slow for (mosquitto after 1000), but retains the last
/// one of each device.
pub(super) struct Silence {
    /// Who has said something since the others were asked for.
    heard: BTreeSet<String>,
    looked_at: Instant,
    /// The subscriptions of those that were asked for.
    filters: Vec<ByteString>,
    /// The last one that was asked for.
    last: String,
}

impl Default for Silence {
    fn default() -> Self {
        Self {
            heard: BTreeSet::new(),
            looked_at: Instant::now(),
            filters: Vec::new(),
            last: String::new(),
        }
    }
}

impl Silence {
    pub(super) fn hears(&mut self, device: &str) {
        self.heard.insert(device.to_owned());
    }

    /// Whether the server answers what was asked here.
    pub(super) fn has_asked(&self, answers: &[(ByteString, ReasonCode)]) -> bool {
        answers.iter().any(|(it, _)| self.filters.contains(it))
    }

    /// Whether what comes on a topic comes for one of these subscriptions, too.
    fn asks_for(&self, topic: &str) -> bool {
        self.filters.iter().any(|filter| filter == topic)
    }

    /// Who is to be asked for: some after the other, so that all have their turn.
    fn turn<'d>(&mut self, underway: impl Iterator<Item = &'d str>) -> Vec<&'d str> {
        let heard = take(&mut self.heard);
        let mut silent: Vec<_> = underway.filter(|it| !heard.contains(*it)).collect();
        let next = silent.partition_point(|it| *it <= &*self.last);
        silent.rotate_left(next);
        silent.truncate(MOST_ASKED);
        self.last = silent.last().copied().unwrap_or_default().to_owned();
        silent
    }
}

/// The connection to the server, and what came over it.
pub(super) struct Link {
    client: Client,
    topics: Topics,
    console: Console,
    own: String,
    lock: String,
    control: String,
    /// Who else controls this rollout.
    other: Option<String>,
    fleet: Fleet,
    /// What was reported since it was last looked at.
    news: Vec<String>,
    /// What a controller is asked for, and where it answers.
    answers: String,
    order: Option<Bytes>,
    answer: Option<Bytes>,
    retained: Retained,
    holds_lock: bool,
    manifest: Bytes,
    silence: Silence,
}

impl Link {
    pub(super) async fn open(plan: &Plan, asked: &Asked, console: Console) -> Result<Self> {
        let (topics, name) = (Topics::new(&plan.prefix), &asked.name);
        let lock = topics.lock(name);
        let control = topics.control(name);
        let mut session = plan.session.clone();
        // A controller that crashes gives the lock back.
        if plan.action != Action::Pause {
            session.will = Some(WillArgs {
                topic: lock.clone().into(),
                payload: Source::Empty,
                qos: QoS::AtLeastOnce,
                retain: true,
                properties: Properties::default(),
            });
        }
        let wants = Wants {
            later: Retry::Forever,
            version_5_only: false,
            topic_aliases: 0,
        };
        let target = session.target()?;
        let mut client = session.client(target, &wants, console).await?;
        let answers = topics.answer(name);
        let filters = [
            topics.status("+"),
            lock.clone(),
            control.clone(),
            answers.clone(),
        ];
        subscribe(&mut client, &filters.map(at_least_once))?;
        Ok(Self {
            client,
            topics,
            console,
            own: format!("{:016x}", unguessable()),
            lock,
            control,
            other: None,
            fleet: Fleet::default(),
            news: Vec::new(),
            answers,
            order: None,
            answer: None,
            retained: Retained::default(),
            holds_lock: false,
            manifest: asked.manifest.clone().into(),
            silence: Silence::default(),
        })
    }

    pub(super) async fn run(
        &mut self,
        plan: &Plan,
        asked: &Asked,
        path: &Path,
        stop: &mut Stop,
    ) -> Result<()> {
        // The devices, and who else controls it.
        self.until(stop, |link| link.retained.is_all()).await?;
        if self.is_done_elsewhere(plan.action, stop).await? {
            return Ok(());
        }
        carry_out(self, plan, asked, path, stop).await
    }

    /// Whether another controller runs the rollout, and does what is asked of it. One that does not answer is taken over from: a
    /// server that lost its power has lost the will that gives its lock back.
    ///
    /// # Errors
    /// There is a controller where there should be none, or none where there should be one.
    async fn is_done_elsewhere(&mut self, action: Action, stop: &mut Stop) -> Result<bool> {
        let Some(other) = self.other.clone() else {
            return match action {
                Action::Pause => Err(no_controller()),
                _ => Ok(false),
            };
        };
        self.publish(self.control.clone(), action.word(), false)?;
        let until = Instant::now() + ANSWER;
        while self.answer.is_none() && self.other.is_some() && Instant::now() < until {
            self.wait(stop).await?;
        }
        self.order = None;
        match (action, self.answer.take()) {
            (Action::Resume | Action::Abort | Action::Begin, None) if self.other.is_none() => {
                Ok(false)
            }
            (Action::Begin, Some(_)) => {
                let text = format!("another controller ({other}) runs this rollout");
                let hint = "--pause, --resume and --abort tell it what to do";
                Err(Error::new(Kind::Refused, text).hint(hint))
            }
            (Action::Pause, None) => {
                let text = format!("the controller ({other}) does not answer: nothing is paused");
                let hint = "--resume and --abort take the rollout over, where its journal is";
                Err(Error::new(Kind::TimedOut, text).hint(hint))
            }
            (_, Some(answer)) => {
                self.console.note(words(&answer));
                Ok(true)
            }
            (_, None) => {
                let text = format!("the controller ({other}) does not answer; taking over");
                self.console.warn(text);
                self.other = None;
                Ok(false)
            }
        }
    }

    fn publish(&mut self, topic: String, payload: &[u8], retain: bool) -> Result<()> {
        let mut publish = Publish {
            topic: topic.into(),
            payload: Bytes::copy_from_slice(payload),
            qos: QoS::AtLeastOnce,
            retain,
            ..Publish::default()
        };
        let published = self.client.publish(&mut publish, 0);
        published.map_err(|why| Error::new(Kind::Refused, why.to_string()))
    }

    async fn until(&mut self, stop: &mut Stop, is_so: impl Fn(&Self) -> bool) -> Result<()> {
        while !is_so(self) {
            self.wait(stop).await?;
        }
        Ok(())
    }

    fn events(&mut self) -> Result<()> {
        while let Some(notice) = self.client.poll_notice() {
            tell(notice, self.client.target(), self.console);
        }
        while let Some(event) = self.client.poll_event() {
            match event {
                Event::Message(publish) => {
                    self.retained.message(&publish);
                    self.message(publish);
                }
                // Where one device cannot be asked for, all of them still report.
                Event::Subscribed(answers, _) if self.silence.has_asked(&answers) => {}
                Event::Subscribed(answers, _) => {
                    refused(&answers)?;
                    self.retained.subscribed();
                }
                Event::Unsendable { message, .. } => {
                    let (publish, why) = *message;
                    let text = format!("cannot publish to {}: {why}", publish.topic);
                    return Err(Error::new(Kind::Refused, text));
                }
                Event::Pong => {
                    self.retained.answered();
                    // After a lost connection the will has given it back.
                    if self.holds_lock && self.other.is_none() {
                        let lock = self.lock.clone();
                        self.publish(lock, self.own.clone().as_bytes(), true)?;
                    }
                }
                _ => {}
            }
        }
        self.client.session().accept();
        self.retained.go_on(&mut self.client);
        Ok(())
    }

    fn message(&mut self, publish: Publish) {
        if let Some(device) = self.topics.reporter(&publish.topic) {
            let before = self.fleet.devices.get(device).cloned();
            self.fleet.take(device, &publish.payload);
            self.silence.hears(device);
            let after = self.fleet.devices.get(device);
            // What is only shown again is no news: it may be of an earlier offer. For two subscriptions it comes twice.
            let is_twice = || {
                publish.retain
                    || self.silence.asks_for(&publish.topic)
                    || after.is_some_and(|report| report["at"].is_string())
            };
            if before.as_ref() != after || !is_twice() {
                self.news.push(device.to_owned());
            }
        } else if publish.topic == self.lock {
            let holder = String::from_utf8_lossy(&publish.payload).into_owned();
            let is_other = !holder.is_empty() && holder != self.own;
            self.other = is_other.then_some(holder);
        } else if publish.topic == self.control {
            self.order = Some(publish.payload);
        } else if publish.topic == self.answers {
            self.answer = Some(publish.payload);
        }
    }

    pub(super) async fn close(&mut self) {
        if self.holds_lock && self.other.is_none() && self.client.is_online() {
            let _ = self.publish(self.lock.clone(), b"", true);
        }
        self.client.close(Disconnect::default()).await;
    }
}

impl Notifier for Link {
    fn fleet(&self) -> &Fleet {
        &self.fleet
    }

    fn news(&mut self) -> Vec<String> {
        take(&mut self.news)
    }

    fn take_charge(&mut self) -> Result<()> {
        self.publish(self.lock.clone(), self.own.clone().as_bytes(), true)?;
        self.holds_lock = true;
        Ok(())
    }

    fn order(&mut self) -> Option<Bytes> {
        self.order.take()
    }

    fn answer(&mut self, answer: &[u8]) -> Result<()> {
        self.publish(self.answers.clone(), answer, false)
    }

    fn rival(&self) -> Option<&str> {
        self.other.as_deref()
    }

    fn has_room(&self) -> bool {
        self.client.can_publish(QoS::AtLeastOnce)
    }

    fn is_said(&self) -> bool {
        self.client.unfinished() == 0
    }

    fn offer(&mut self, device: String) -> Result<()> {
        let topic = self.topics.manifest(&Audience::Device(device));
        self.publish(topic, &self.manifest.clone(), true)
    }

    fn withdraw(&mut self, device: String) -> Result<()> {
        let topic = self.topics.manifest(&Audience::Device(device));
        self.publish(topic, &[], true)
    }

    /// Has the last report sent again of those that have said nothing.
    fn look_after(&mut self, rollout: &Rollout) -> Result<()> {
        if self.silence.looked_at.elapsed() < SILENCE || !self.client.is_online() {
            return Ok(());
        }
        self.silence.looked_at = Instant::now();
        let before = take(&mut self.silence.filters);
        if !before.is_empty() {
            let session = self.client.session();
            let ended = session.unsubscribe(&before, &Properties::default());
            ended.map_err(|why| Error::usage(why.to_string()))?;
        }
        let silent = self.silence.turn(rollout.underway());
        if silent.is_empty() {
            return Ok(());
        }
        let topics = silent.into_iter().map(|device| self.topics.status(device));
        let filters: Vec<_> = topics.map(at_least_once).collect();
        self.silence.filters = filters.iter().map(|it| it.filter.clone()).collect();
        subscribe(&mut self.client, &filters)
    }

    /// One turn of the connection, or a tick of the clock.
    async fn wait(&mut self, stop: &mut Stop) -> Result<()> {
        tokio::select! {
            biased;
            asked = stop.asked() => return Err(Error::new(asked.kind(), "interrupted; --resume goes on")),
            driven = self.client.drive() => driven?,
            () = tokio::time::sleep(TICK) => {}
        }
        self.events()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_are_silent_have_their_turn() {
        let names: Vec<String> = (0..250).map(|at| format!("d{at:03}")).collect();
        let mut silence = Silence::default();
        let mut asked = BTreeSet::new();
        for turn in 0..3 {
            silence.hears("d007");
            let some = silence.turn(names.iter().map(String::as_str));
            assert_eq!(some.len(), MOST_ASKED, "{turn}");
            asked.extend(some);
        }
        assert_eq!(asked.len(), 249);
        assert!(!asked.contains("d007"));
        assert_eq!(silence.turn(names.iter().map(String::as_str)).len(), 100);
        assert!(silence.turn(std::iter::empty()).is_empty());
    }
}
