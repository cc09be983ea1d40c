//! `ota agent`: a device with two slots, which is updated over MQTT. What it does next, and what not, says
//! `firmware::device`; here it is done.

pub(crate) mod commands;
mod disk;

use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::rc::Rc;
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use bytestring::ByteString;
use tokio::time::sleep_until;

use self::commands::{About, Commands};
use self::disk::Disk;
use super::keys;
use crate::command::mqtt::session::{SessionArgs, Wants, WillArgs, tell};
use crate::connect::Retry;
use crate::error::{Error, Kind, Result, plain};
use crate::firmware::device::{Config, Device, Offer, Outcome, Report, Slot, Step};
use crate::firmware::suit::Envelope;
use crate::firmware::wire::{self, Audience, Request, Topics};
use crate::firmware::{Digest, Identity, Refusal};
use crate::mqtt::client::Client;
use crate::mqtt::packet::{Disconnect, Properties, Publish, QoS, Subscription};
use crate::mqtt::session::client::Event;
use crate::output::{Console, Style};
use crate::payload::Source;
use crate::stop::Stop;

/// How long it may take until a report is sent before the device starts again.
const GOODBYE: Duration = Duration::from_secs(2);

/// `ota agent`
#[derive(Clone, Debug)]
pub struct Plan {
    /// With the server.
    pub session: SessionArgs,
    /// Below which topics.
    pub prefix: String,
    /// The name of the device.
    pub id: String,
    /// The groups that it is in.
    pub groups: Vec<String>,
    /// Where state and images are.
    pub folder: PathBuf,
    /// Other places for the images.
    pub slots: Option<[PathBuf; 2]>,
    /// Of a slot.
    pub slot_size: Option<u64>,
    /// The slot that runs, where the boot loader says so.
    pub booted: Option<Slot>,
    /// Public keys.
    pub trust: Vec<PathBuf>,
    /// Which manifests are for it.
    pub identity: Identity,
    /// The user's.
    pub commands: Commands,
    /// How long a new image may take to prove itself.
    pub within: Duration,
    /// Bytes of a block.
    pub block: u32,
    /// An older version may be installed.
    pub allow_downgrade: bool,
    /// It ends with the first update.
    pub once: bool,
    /// Of what it says.
    pub style: Style,
}

/// Runs a device until a signal, or until it starts again.
pub(super) async fn run(plan: Plan) -> Result<()> {
    let console = Console::new(plan.style);
    let trusted = keys::trusted(&plan.trust)?;
    let disk = Disk::open(&plan.folder, plan.slots.clone())?;
    if plan.allow_downgrade {
        console.warn(
            "--allow-downgrade: older versions are installed too, with the faults that they have",
        );
    }
    let config = Rc::new(Config {
        identity: plan.identity.clone(),
        trusted,
        capacity: [plan.slot_size, disk.capacity()]
            .into_iter()
            .flatten()
            .min(),
        block: plan.block,
        allow_downgrade: plan.allow_downgrade,
        within: plan.within,
    });
    let mut stop = Stop::watch()?;
    let client = plan.client(console).await?;
    let started = Instant::now();
    let device = Device::start(config, disk.state()?, plan.booted, Duration::ZERO);
    let mut agent = Agent {
        topics: Topics::new(&plan.prefix),
        plan,
        device,
        disk,
        client,
        console,
        started,
        running: None,
        reported: None,
        told: None,
        image: None,
        online_told: false,
    };
    let ended = agent.drive(&mut stop).await;
    agent.remember();
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
        // A device may be up before its network is.
        session.connect.retry = session.connect.retry.or(Some(Retry::Forever));
        let target = session.target()?;
        let wants = Wants {
            later: Retry::Forever,
            version_5_only: false,
            topic_aliases: 0,
        };
        let mut client = session.client(target, &wants, console).await?;
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

pub(super) fn at_least_once(filter: String) -> Subscription {
    Subscription {
        filter: filter.into(),
        qos: QoS::AtLeastOnce,
        ..Subscription::default()
    }
}

pub(super) fn subscribe(client: &mut Client, filters: &[Subscription]) -> Result<()> {
    let subscribed = client.session().subscribe(filters, &Properties::default());
    subscribed.map_err(|why| Error::usage(why.to_string()))
}

type Running = Pin<Box<dyn Future<Output = Outcome>>>;

struct Agent {
    plan: Plan,
    topics: Topics,
    device: Device,
    disk: Disk,
    client: Client,
    console: Console,
    started: Instant,
    /// The step that is being taken.
    running: Option<(Step, Running)>,
    /// What the server was told last.
    reported: Option<Report>,
    /// What the user was told last.
    told: Option<Report>,
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
    fn now(&self) -> Duration {
        self.started.elapsed()
    }

    async fn drive(&mut self, stop: &mut Stop) -> Result<()> {
        loop {
            if self.steps()? {
                return Ok(());
            }
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
                    if self.ended(outcome) {
                        self.say_goodbye().await;
                        return Ok(());
                    }
                }
                Woken::Time => {}
                Woken::Asked(asked) => return Err(Error::new(asked.kind(), "interrupted")),
            }
        }
    }

    async fn wait(&mut self, stop: &mut Stop) -> Woken {
        let until = self.device.next_time().map(|at| self.started + at);
        let late = self.started + Duration::from_secs(365 * 86_400);
        let running = async {
            match &mut self.running {
                Some((_, running)) => running.as_mut().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            asked = stop.asked() => Woken::Asked(asked),
            outcome = running => Woken::Ended(outcome),
            driven = self.client.drive() => Woken::Driven(driven),
            () = sleep_until(until.unwrap_or(late).into()), if until.is_some() => Woken::Time,
        }
    }

    /// Takes the steps that are due, as far as they are short; whether the device starts again.
    fn steps(&mut self) -> Result<bool> {
        while let Some(step) = self.device.next(self.now()) {
            self.running = None;
            let outcome = match &step {
                Step::Save => self.disk.save(self.device.state()),
                Step::Open { slot, size } => self.disk.prepare(*slot, *size),
                _ => {
                    self.running = Some((step.clone(), self.begin(&step)));
                    self.tell();
                    continue;
                }
            };
            let now = self.now();
            self.device.ended(&step, outcome, now);
            self.tell();
        }
        self.watch_blocks()?;
        Ok(false)
    }

    /// Begins a step that may take long.
    fn begin(&mut self, step: &Step) -> Running {
        let commands = self.plan.commands.clone();
        match step {
            Step::Check { slot, size } => {
                let check = self.disk.check(*slot, *size);
                Box::pin(async move {
                    let checked = tokio::task::spawn_blocking(check).await;
                    checked.unwrap_or_else(|cause| Outcome::Failed(cause.to_string()))
                })
            }
            Step::Install(slot) => Box::pin(commands::run(
                "--install",
                commands.install,
                self.about(*slot),
            )),
            Step::Confirm(slot) => Box::pin(commands::run(
                "--confirm",
                commands.confirm,
                self.about(*slot),
            )),
            Step::Reboot => {
                let slot = self.device.booted();
                Box::pin(commands::run("--reboot", commands.reboot, self.about(slot)))
            }
            Step::Health if commands.health.is_none() => match self.client.is_online() {
                true => Box::pin(std::future::ready(Outcome::Done)),
                // `events` ends it.
                false => Box::pin(std::future::pending()),
            },
            Step::Health => {
                let slot = self.device.booted();
                Box::pin(commands::run("--health", commands.health, self.about(slot)))
            }
            Step::Save | Step::Open { .. } => Box::pin(std::future::ready(Outcome::Done)),
        }
    }

    fn about(&self, slot: Slot) -> About {
        let state = self.device.state();
        let trial = state.trial.as_ref().filter(|trial| trial.slot == slot);
        let release = trial.map_or(&state.release, |trial| &trial.release);
        About {
            slot,
            path: self.disk.path(slot).to_owned(),
            version: release.version.clone().unwrap_or_default(),
            sequence: release.sequence,
        }
    }

    /// A step has ended; whether the device starts again by the user's command.
    fn ended(&mut self, outcome: Outcome) -> bool {
        let Some((step, _)) = self.running.take() else {
            return false;
        };
        let done = outcome == Outcome::Done;
        let now = self.now();
        self.device.ended(&step, outcome, now);
        if step != Step::Reboot || !done {
            return false;
        }
        if self.plan.commands.reboot.is_some() {
            return true;
        }
        // There is nothing to start again: the new image is taken as started.
        let idle = Device::start(self.device.config(), self.device.state().clone(), None, now);
        self.device = idle;
        false
    }

    /// What is received only while an image is downloaded.
    fn watch_blocks(&mut self) -> Result<()> {
        let wanted = self.device.download().map(|it| *it.digest());
        if wanted == self.image || !self.client.is_online() {
            return Ok(());
        }
        let filters = |image: &Digest| {
            [
                self.topics.block(&self.plan.id, image, None),
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
            let topic = self.topics.online(&self.plan.id);
            self.publish(topic, Bytes::from_static(b"1"), QoS::AtLeastOnce, true)?;
        }
        let now = self.now();
        if self.image.is_some()
            && let Some((digest, ask)) = self.device.ask(now)
        {
            let request = Request {
                device: self.plan.id.clone(),
                block: self.plan.block,
                ask,
            };
            let topic = self.topics.requests(Some(&digest));
            self.publish(topic, request.encode().into(), QoS::AtMostOnce, false)?;
        }
        self.report()
    }

    fn report(&mut self) -> Result<()> {
        let report = self.device.report();
        let is_news = self
            .reported
            .as_ref()
            .is_none_or(|last| is_news(last, &report));
        if !is_news || !self.client.can_publish(QoS::AtLeastOnce) {
            return Ok(());
        }
        let at = humantime::format_rfc3339_millis(SystemTime::now()).to_string();
        let text = wire::report(&report, &self.plan.id, &self.plan.groups, &at);
        let topic = self.topics.status(&self.plan.id);
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

    /// Shows the user what has changed.
    fn tell(&mut self) {
        let report = self.device.report();
        if self
            .told
            .as_ref()
            .is_some_and(|last| !is_news(last, &report))
        {
            return;
        }
        let version = report.version.as_deref().unwrap_or("-");
        let mut line = format!(
            "{}: version {version}, sequence {}",
            report.state, report.sequence
        );
        if let Some(progress) = report.progress {
            line.push_str(&format!(", {progress} %"));
        }
        match &report.error {
            Some(why) => self.console.warn(format_args!("{line}: {why}")),
            None => self.console.note(&line),
        }
        self.told = Some(report);
    }

    fn events(&mut self) -> Result<()> {
        while let Some(notice) = self.client.poll_notice() {
            tell(notice, &self.client, self.console);
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
        self.tell();
        Ok(())
    }

    fn connected(&mut self) {
        self.device.reconnected();
        self.reported = None;
        self.online_told = false;
        let waits = |step: &Step| *step == Step::Health && self.plan.commands.health.is_none();
        if self.running.as_ref().is_some_and(|(step, _)| waits(step)) {
            self.running = Some((Step::Health, Box::pin(std::future::ready(Outcome::Done))));
        }
    }

    fn message(&mut self, publish: &Publish) {
        if publish.topic.ends_with("/manifest") {
            return self.manifest(&publish.payload);
        }
        let (Some(image), Some(number)) = (self.image, wire::block_number(&publish.topic)) else {
            return;
        };
        self.block(&image, number, &publish.payload);
    }

    fn block(&mut self, image: &Digest, number: u32, bytes: &[u8]) {
        let Some(at) = self.device.block(image, number, bytes.len()) else {
            return;
        };
        let written = match self.device.download() {
            Some(download) => self.disk.write(at, bytes, download),
            None => Ok(()),
        };
        if let Err(cause) = written {
            self.device
                .gave_up(&format!("cannot write the image: {}", plain(&cause)));
        }
    }

    fn manifest(&mut self, bytes: &[u8]) {
        // An empty one takes another back.
        if bytes.is_empty() {
            return;
        }
        match self.device.offer(bytes) {
            Ok(Offer::Known) => {}
            Ok(Offer::Taken) => {
                self.running = None;
                self.take_embedded(bytes);
            }
            Err(why @ Refusal::Sequence { .. }) => {
                self.console.progress(format_args!("manifest: {why}"))
            }
            Err(why) => self.console.warn(format_args!("manifest refused: {why}")),
        }
    }

    /// An image in the envelope needs no request.
    fn take_embedded(&mut self, bytes: &[u8]) {
        let Some(update) = self.device.update() else {
            return;
        };
        let mut uris = update.sources.iter().map(|source| source.uri.clone());
        let Ok(envelope) = Envelope::split(bytes) else {
            return;
        };
        let Some(payload) = uris.find_map(|uri| envelope.payload(&uri)) else {
            return;
        };
        let (digest, now) = (update.digest, self.now());
        let Some(step) = self.device.next(now) else {
            return;
        };
        let Step::Open { slot, size } = step else {
            return;
        };
        let outcome = self.disk.prepare(slot, size);
        self.device.ended(&step, outcome, now);
        for (number, block) in payload.chunks(self.plan.block as usize).enumerate() {
            self.block(&digest, number as u32, block);
        }
    }

    /// With `--once`: how the first update ended.
    fn is_over(&self) -> Option<Result<()>> {
        if !self.plan.once || !self.device.is_idle() || self.client.unfinished() > 0 {
            return None;
        }
        let report = self
            .reported
            .as_ref()
            .filter(|it| **it == self.device.report())?;
        match report.state {
            "updated" => Some(Ok(())),
            "rolled-back" | "failed" | "refused" => {
                let why = report.error.as_deref().unwrap_or_default();
                let text = format!("{}: {why}", report.state);
                Some(Err(Error::new(Kind::Refused, text)))
            }
            _ => None,
        }
    }

    /// A download goes on after a restart.
    fn remember(&mut self) {
        if let Some(download) = self.device.download()
            && let Err(cause) = self.disk.remember(download)
        {
            self.console.warn(format_args!(
                "cannot keep what was downloaded: {}",
                plain(&cause)
            ));
        }
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
            let topic = self.topics.online(&self.plan.id);
            let _ = self.publish(topic, Bytes::from_static(b"0"), QoS::AtMostOnce, true);
        }
        self.client.close(Disconnect::default()).await;
    }
}

/// Whether a report says more than the last; progress is told in steps of ten.
fn is_news(last: &Report, report: &Report) -> bool {
    let step = |report: &Report| report.progress.map(|progress| progress / 10);
    let rest = |report: &Report| Report {
        progress: None,
        ..report.clone()
    };
    step(last) != step(report) || rest(last) != rest(report)
}

/// A filter that the server does not take.
pub(super) fn refused(answers: &[(ByteString, crate::mqtt::packet::ReasonCode)]) -> Result<()> {
    match answers.iter().find(|(_, reason)| reason.0 >= 0x80) {
        Some((filter, reason)) => {
            let text = format!("the server refused the subscription to {filter}: {reason}");
            Err(Error::new(Kind::Refused, text))
        }
        None => Ok(()),
    }
}
