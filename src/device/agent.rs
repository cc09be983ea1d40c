//! What takes firmware updates in a simulated device: the state machine of `ota agent` on hardware that is simulated too. It
//! speaks `iotctl-ota 1` ([`crate::firmware::wire`]).
//!
//! The bytes of an image are not kept: its SHA-256 is computed as they come. What happens to an update, and how long each step
//! takes, follows from the seed, the identifier, the sequence and how often it was begun, whatever else goes on.

mod fate;
mod image;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use bytestring::ByteString;

use self::fate::Fate;
use self::image::Image;
use super::account::Account;
use super::fleet::Outgoing;
use super::model::Updates;
use crate::firmware::device::{Device, Offer, Outcome, Report, Stage, State, Step};
use crate::firmware::suit::Envelope;
use crate::firmware::wire::{self, Audience, Request};
use crate::firmware::{Digest, Refusal};
use crate::pace::clock::Nanos;

/// What a device is to do for its agent.
#[derive(Debug, PartialEq)]
pub(crate) enum Act {
    Publish(Outgoing),
    Subscribe(Vec<(ByteString, u8)>),
    Unsubscribe(Vec<ByteString>),
    /// It starts again, and is up at this time.
    Restart(Nanos),
}

/// When something happens, and where the device stands then.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    pub(crate) now: Nanos,
    /// The same since 1970.
    pub(crate) clock: Nanos,
    pub(crate) online: bool,
}

/// The agent of one device.
#[derive(Debug)]
pub(crate) struct Agent {
    updates: Arc<Updates>,
    device: Device,
    name: ByteString,
    groups: Vec<String>,
    /// What fates follow from.
    seed: u64,
    /// How often an update was begun.
    begun: u64,
    fate: Fate,
    image: Image,
    /// The step that is being taken, and when it ends.
    step: Option<(Step, Nanos)>,
    /// When the download began.
    since: Nanos,
    /// An envelope with the image in it, until that is opened.
    envelope: Option<Bytes>,
    /// A manifest that came while an update was on trial.
    later: Option<Bytes>,
    /// Whether an update has begun that is not counted as ended.
    underway: bool,
    online: bool,
    /// What the server was told last.
    reported: Option<Report>,
    /// The image whose blocks are subscribed to.
    watched: Option<Digest>,
    /// When the fleet wakes it.
    alarm: Option<Nanos>,
}

impl Agent {
    /// That of a device, which runs what the file says.
    pub(crate) fn new(
        updates: &Arc<Updates>,
        name: ByteString,
        groups: Vec<String>,
        seed: u64,
    ) -> Self {
        let state = State {
            release: updates.release.clone(),
            ..State::default()
        };
        let config = Arc::clone(&updates.config);
        Self {
            device: Device::start(config, state, None, Duration::ZERO),
            updates: Arc::clone(updates),
            name,
            groups,
            seed,
            begun: 0,
            fate: Fate::default(),
            image: Image::new(),
            step: None,
            since: 0,
            envelope: None,
            later: None,
            underway: false,
            online: false,
            reported: None,
            watched: None,
            alarm: None,
        }
    }

    /// What it subscribes to at the beginning of a session.
    pub(crate) fn filters(&self) -> Vec<(ByteString, u8)> {
        let mut audiences = vec![Audience::All, Audience::Device(self.name.to_string())];
        audiences.extend(self.groups.iter().cloned().map(Audience::Group));
        let topics = &self.updates.topics;
        let manifests = audiences.iter().map(|it| (topics.manifest(it).into(), 1));
        let blocks = self.watched.as_ref().map(|image| self.block_filters(image));
        let blocks = blocks.into_iter().flatten().map(|filter| (filter, 0));
        manifests.chain(blocks).collect()
    }

    fn block_filters(&self, image: &Digest) -> [ByteString; 2] {
        let topics = &self.updates.topics;
        let own = topics.block(&self.name, image, None);
        [own.into(), topics.shared_block(image, None).into()]
    }

    /// Where and what it says of being there.
    pub(crate) fn presence(&self, is_there: bool) -> (ByteString, Bytes) {
        let payload = if is_there { "1" } else { "0" };
        let topic = self.updates.topics.online(&self.name);
        (topic.into(), Bytes::from_static(payload.as_bytes()))
    }

    /// The device has a connection.
    pub(crate) fn connected(&mut self) {
        self.device.reconnected();
        self.reported = None;
    }

    /// Takes a message; whether it was one for an agent.
    pub(crate) fn message(
        &mut self,
        topic: &str,
        payload: &Bytes,
        retained: bool,
        now: Nanos,
        account: &mut Account,
    ) -> bool {
        let Some(below) = self.updates.topics.below(topic) else {
            return false;
        };
        if below.ends_with("/manifest") {
            self.manifest(payload, now, account);
            return true;
        }
        let is_block = ["to/", "blob/"].iter().any(|it| below.starts_with(it));
        if is_block && let Some(number) = wire::block_number(below) {
            // Blocks are never retained; one that is would come again at each subscription, right or wrong.
            match retained {
                true => {
                    account.blocks += 1;
                    account.dropped_blocks += 1;
                }
                false => self.block(number, payload, account),
            }
        }
        is_block
    }

    fn manifest(&mut self, bytes: &Bytes, now: Nanos, account: &mut Account) {
        // An empty one takes another back.
        if bytes.is_empty() {
            return;
        }
        match self.device.offer(bytes) {
            Ok(Offer::Taken) => {
                self.step = None;
                self.begun += 1;
                account.updates += 1;
                // One that a newer one took the place of.
                account.failed_updates += u64::from(std::mem::replace(&mut self.underway, true));
                let sequence = self.device.update().map_or(0, |update| update.sequence);
                self.fate = Fate::of(&self.updates, [self.seed, sequence, self.begun]);
                self.since = now;
                self.envelope = Some(bytes.clone());
            }
            // What was seen before is published again to whoever subscribes.
            Ok(Offer::Known) | Err(Refusal::Sequence { .. } | Refusal::FailedBefore(_)) => {}
            Err(Refusal::Busy) => self.later = Some(bytes.clone()),
            Err(_) => account.refused_manifests += 1,
        }
    }

    fn block(&mut self, number: u32, bytes: &Bytes, account: &mut Account) {
        account.blocks += 1;
        let digest = self.device.download().map(|it| *it.digest());
        let Some(digest) = digest.filter(|_| self.image.has_room(number)) else {
            account.dropped_blocks += 1;
            return;
        };
        if self.device.block(&digest, number, bytes.len()).is_none() {
            account.dropped_blocks += 1;
            return;
        }
        self.image.take(number, bytes);
        if let (Some(part), Some(download)) = (self.fate.download, self.device.download()) {
            let there = f64::from(download.blocks() - download.left());
            if there >= part * f64::from(download.blocks()) {
                self.device.gave_up("the download failed");
            }
        }
    }

    /// Does what is due, and says what the device is to do.
    pub(crate) fn go_on(&mut self, moment: Moment, account: &mut Account) -> Vec<Act> {
        let Moment { now, online, .. } = moment;
        let mut acts = Vec::new();
        self.online = online;
        loop {
            self.end_step(now);
            if self.device.is_idle()
                && let Some(manifest) = self.later.take()
            {
                self.manifest(&manifest, now, account);
            }
            self.report(moment, &mut acts);
            let Some(step) = self.device.next(length(now)) else {
                break;
            };
            self.report(moment, &mut acts);
            self.begin(step, now, account, &mut acts);
        }
        self.watch(&mut acts);
        self.ask(moment, &mut acts);
        // An image that does not come may have been given up.
        self.report(moment, &mut acts);
        if self.underway && self.device.is_idle() {
            self.underway = false;
            *match self.device.report().state {
                "updated" => &mut account.updated,
                "rolled-back" => &mut account.rolled_back,
                _ => &mut account.failed_updates,
            } += 1;
        }
        acts
    }

    /// Begins a step, and ends it if it takes no time.
    fn begin(&mut self, step: Step, now: Nanos, account: &mut Account, acts: &mut Vec<Act>) {
        let takes = match &step {
            Step::Install(_) => self.fate.install_takes,
            Step::Reboot => {
                acts.push(Act::Restart(now.saturating_add(self.fate.reboot_takes)));
                self.fate.reboot_takes
            }
            Step::Health => self.fate.health_takes,
            Step::Save
            | Step::Open { .. }
            | Step::Check { .. }
            | Step::Confirm(_)
            | Step::Patch(_) => {
                let outcome = self.outcome(&step);
                self.device.ended(&step, outcome, length(now));
                if matches!(step, Step::Open { .. }) {
                    self.open_envelope(account);
                }
                return;
            }
        };
        self.step = Some((step, now.saturating_add(takes)));
    }

    /// An image in the envelope needs no request.
    fn open_envelope(&mut self, account: &mut Account) {
        let (Some(bytes), Some(update)) = (self.envelope.take(), self.device.update()) else {
            return;
        };
        let mut uris = update.sources.iter();
        let Ok(envelope) = Envelope::split(&bytes) else {
            return;
        };
        let payload = uris.find_map(|source| envelope.payload(&source.uri));
        let size = self.updates.config.block as usize;
        for (number, block) in payload.unwrap_or_default().chunks(size).enumerate() {
            self.block(number as u32, &bytes.slice_ref(block), account);
        }
    }

    fn end_step(&mut self, now: Nanos) {
        let Some((step, _)) = self.step.take_if(|(step, at)| {
            // The new image is well if the server can be reached with it.
            *at <= now && (*step != Step::Health || self.online)
        }) else {
            return;
        };
        let outcome = self.outcome(&step);
        self.device.ended(&step, outcome, length(now));
        if step == Step::Reboot {
            self.restart(now);
        }
    }

    fn outcome(&mut self, step: &Step) -> Outcome {
        let trial = self.device.state().trial.as_ref();
        let is_going_back = trial.is_some_and(|it| it.stage == Stage::Reverting);
        match step {
            Step::Open { .. } => {
                self.image = Image::new();
                Outcome::Opened(None)
            }
            Step::Check { .. } if self.fate.verify => failed("the slot is not what was written"),
            Step::Check { .. } => Outcome::Checked(self.image.digest(), None),
            Step::Install(_) if self.fate.install && !is_going_back => {
                failed("the boot loader did not answer")
            }
            Step::Health if self.fate.health => failed("the health check failed"),
            // It asks for whole images only.
            Step::Patch(_) => failed("no patches"),
            _ => Outcome::Done,
        }
    }

    /// The device is up again, with the new image, or with the old one.
    fn restart(&mut self, now: Nanos) {
        let state = self.device.state().clone();
        let trial = state.trial.as_ref();
        let refuses = |stage| stage == Stage::Installed && self.fate.reboot;
        let booted = trial.filter(|it| refuses(it.stage));
        let booted = booted.map(|trial| trial.slot.other());
        let config = Arc::clone(&self.updates.config);
        self.device = Device::start(config, state, booted, length(now));
    }

    /// Blocks are received only while they are wanted.
    fn watch(&mut self, acts: &mut Vec<Act>) {
        let wanted = self.device.download().map(|it| *it.digest());
        if wanted == self.watched || !self.online {
            return;
        }
        if let Some(image) = &self.watched {
            acts.push(Act::Unsubscribe(self.block_filters(image).into()));
        }
        if let Some(image) = &wanted {
            let filters = self.block_filters(image).map(|filter| (filter, 0));
            acts.push(Act::Subscribe(filters.into()));
        }
        self.watched = wanted;
    }

    fn ask(&mut self, moment: Moment, acts: &mut Vec<Act>) {
        if !self.online || self.paced().is_some_and(|at| at > moment.now) {
            return;
        }
        let Some((digest, ask)) = self.device.ask(length(moment.now)) else {
            return;
        };
        let request = Request {
            device: self.name.to_string(),
            block: self.updates.config.block,
            ask,
        };
        let topic = self.updates.topics.requests(Some(&digest));
        let payload = request.encode().into();
        acts.push(Act::Publish(message(topic, payload, 0, moment)));
    }

    /// When a download that takes its time asks for more.
    fn paced(&self) -> Option<Nanos> {
        let download = self.device.download()?;
        let there = f64::from(download.blocks() - download.left());
        let part = there / f64::from(download.blocks().max(1));
        let takes = (self.fate.download_takes as f64 * part) as Nanos;
        Some(self.since.saturating_add(takes))
    }

    fn report(&mut self, moment: Moment, acts: &mut Vec<Act>) {
        if !self.online {
            return;
        }
        let report = self.device.report();
        let last = self.reported.as_ref();
        if last.is_some_and(|last| !report.is_news(last)) {
            return;
        }
        let at = jiff::Timestamp::from_nanosecond(moment.clock.into()).unwrap_or_default();
        let identity = &self.updates.config.identity;
        let at = format!("{at:.3}");
        let text = wire::report(&report, &self.name, identity, &self.groups, &at);
        let topic = self.updates.topics.status(&self.name);
        let mut said = message(topic, text.into(), 1, moment);
        said.retain = true;
        acts.push(Act::Publish(said));
        self.reported = Some(report);
    }

    /// When it is to be woken, if the fleet does not know that yet.
    pub(crate) fn alarm(&mut self, now: Nanos) -> Option<Nanos> {
        let next = self.next_time()?.max(now.saturating_add(1));
        let is_earlier = self.alarm.is_none_or(|alarm| next < alarm);
        is_earlier.then(|| *self.alarm.insert(next))
    }

    /// Whether it is to be woken now; else another time was set since.
    pub(crate) fn is_alarm(&mut self, now: Nanos) -> bool {
        self.alarm.take_if(|alarm| *alarm <= now).is_some()
    }

    fn next_time(&self) -> Option<Nanos> {
        let of_device = self.device.next_time().map(|at| at.as_nanos() as Nanos);
        if self.device.download().is_some() {
            // Nothing is asked for without a connection, or before its time.
            let paced = self.paced().filter(|_| self.online);
            return paced.map(|paced| of_device.map_or(paced, |at| at.max(paced)));
        }
        let step = self.step.as_ref();
        let step = step.filter(|(step, _)| *step != Step::Health || self.online);
        let step = step.map(|(_, at)| *at);
        [step, of_device].into_iter().flatten().min()
    }
}

fn length(now: Nanos) -> Duration {
    Duration::from_nanos(now)
}

fn failed(why: &str) -> Outcome {
    Outcome::Failed(why.to_owned())
}

fn message(topic: String, payload: Bytes, qos: u8, moment: Moment) -> Outgoing {
    Outgoing {
        topic: topic.into(),
        payload,
        qos,
        time: moment.clock,
        ..Outgoing::default()
    }
}
