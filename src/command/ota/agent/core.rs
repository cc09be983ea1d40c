//! The steps of a device, whatever its manifests and blocks come over.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use super::Plan;
use super::commands::{self, About};
use super::disk::Disk;
use super::listen::{Desk, Listener};
use crate::command::ota::keys;
use crate::error::{Error, Kind, Result, plain};
use crate::firmware::device::{
    Config, Device, Download, Offer, Outcome, PatchStep, Report, Slot, Step,
};
use crate::firmware::suit::Envelope;
use crate::firmware::wire;
use crate::firmware::{Digest, Refusal};
use crate::output::Console;
use crate::stop::Asked;

type Running = Pin<Box<dyn Future<Output = Outcome>>>;

/// A device and its disk.
pub(super) struct Core {
    pub(super) plan: Plan,
    pub(super) device: Device,
    disk: Disk,
    pub(super) console: Console,
    started: Instant,
    /// The step that is being taken.
    running: Option<(Step, Running)>,
    /// What the user was told last.
    told: Option<Report>,
    /// A manifest that came while an update was on trial.
    later: Option<Vec<u8>>,
    /// Why the last manifest was not taken, with `--once`.
    rejected: Option<String>,
    /// An update was tried out at the start, or has been offered since: what was there before is no end.
    is_asked: bool,
    /// What others read of it over CoAP, and tell it.
    pub(super) desk: Option<Arc<Desk>>,
}

impl Core {
    pub(super) fn open(plan: Plan) -> Result<Self> {
        let console = Console::new(plan.style);
        let trusted = keys::trusted(&plan.trust)?;
        let disk = Disk::open(&plan.folder, plan.slots.clone())?;
        if plan.allow_downgrade {
            console.warn(
                "--allow-downgrade: older versions are installed too, with the faults that they have",
            );
        }
        let config = Arc::new(Config {
            identity: plan.identity.clone(),
            trusted: Some(trusted),
            capacity: [plan.slot_size, disk.capacity()]
                .into_iter()
                .flatten()
                .min(),
            block: plan.block,
            allow_downgrade: plan.allow_downgrade,
            within: plan.within,
            patience: plan.timeout,
        });
        let device = Device::start(config, disk.state()?, plan.booted, Duration::ZERO);
        let device = device.accepting_patches();
        let is_asked = device.state().trial.is_some();
        Ok(Self {
            plan,
            device,
            disk,
            console,
            started: Instant::now(),
            running: None,
            told: None,
            later: None,
            rejected: None,
            is_asked,
            desk: None,
        })
    }

    /// Answers others over CoAP from now on, where the user wants that.
    pub(super) fn listen(&mut self) -> Result<Option<Listener>> {
        let Some(address) = self.plan.listen else {
            return Ok(None);
        };
        let desk = Arc::new(Desk::default());
        let listener = Listener::open(address, &desk)?;
        self.desk = Some(desk);
        self.show();
        let address = listener.address;
        self.console
            .note(format_args!("listening on coap://{address}"));
        Ok(Some(listener))
    }

    /// Whether another manifest can be had: nothing is under way that must not be disturbed.
    pub(super) fn takes_manifests(&self) -> bool {
        self.device.is_idle() || self.device.download().is_some()
    }

    /// Puts what others may read where they read it.
    fn show(&self) {
        let Some(desk) = &self.desk else {
            return;
        };
        let slot = self.device.booted();
        let (report, version) = (self.report(&self.device.report()), self.about(slot).version);
        let version = Some(version).filter(|it| !it.is_empty());
        desk.report(report, slot, version);
    }

    /// A report in words, as of now.
    pub(super) fn report(&self, report: &Report) -> String {
        let at = humantime::format_rfc3339_millis(SystemTime::now()).to_string();
        let plan = &self.plan;
        wire::report(report, &plan.id, &plan.identity, &plan.groups, &at)
    }

    /// When the device has something to do although nothing happened.
    pub(super) fn next_time(&self) -> Option<Instant> {
        let at = self.device.next_time();
        let at = at.and_then(|at| self.started.checked_add(at));
        [at, self.patience()].into_iter().flatten().min()
    }

    /// Until when a manifest is waited for; `None` where one has come, or is waited for as long as it takes.
    pub(super) fn patience(&self) -> Option<Instant> {
        let within = self.plan.manifest_within.filter(|_| !self.is_asked)?;
        self.started.checked_add(within)
    }

    /// No manifest has come in time.
    pub(super) fn missed(&self) -> Option<Error> {
        let is_late = self.patience().is_some_and(|end| end <= Instant::now());
        is_late.then(|| Error::new(Kind::TimedOut, "timed out: no manifest has come"))
    }

    /// The outcome of the step that is being taken. Cancel-safe.
    pub(super) async fn outcome(&mut self) -> Outcome {
        match &mut self.running {
            Some((_, running)) => running.as_mut().await,
            None => std::future::pending().await,
        }
    }

    /// Whether a step is being taken.
    pub(super) fn is_busy(&self) -> bool {
        self.running.is_some()
    }

    /// Whether a part of what is fetched is missing.
    pub(super) fn is_downloading(&self) -> bool {
        self.device.download().is_some_and(|it| it.left() > 0)
    }

    /// Whether the new image is well if the server can be reached.
    pub(super) fn waits_for_server(&self) -> bool {
        let waits = |step: &Step| *step == Step::Health && self.plan.commands.health.is_none();
        self.running.as_ref().is_some_and(|(step, _)| waits(step))
    }

    /// The server was reached.
    pub(super) fn server_reached(&mut self) {
        if self.waits_for_server() {
            self.running = Some((Step::Health, Box::pin(std::future::ready(Outcome::Done))));
        }
    }

    pub(super) fn now(&self) -> Duration {
        self.started.elapsed()
    }

    /// Takes the steps that are due, as far as they are short.
    pub(super) fn steps(&mut self, online: bool) {
        if self.device.is_idle()
            && let Some(manifest) = self.later.take()
        {
            self.manifest(&manifest);
        }
        while let Some(step) = self.device.next(self.now()) {
            self.running = None;
            let outcome = match &step {
                Step::Save => self.disk.save(self.device.state()),
                Step::Open { slot, .. } => self.prepare(*slot),
                Step::Patch(PatchStep::Open { .. }) => self.prepare_patch(),
                _ => {
                    self.running = Some((step.clone(), self.begin(&step, online)));
                    self.tell();
                    continue;
                }
            };
            let now = self.now();
            self.device.ended(&step, outcome, now);
            self.tell();
        }
    }

    fn prepare(&mut self, slot: Slot) -> Outcome {
        let update = self.device.update();
        let fresh = update.and_then(|it| Download::new(it.digest, it.size, self.plan.block));
        match fresh {
            Some(fresh) => self.disk.prepare(slot, &fresh),
            None => Outcome::Failed(String::from("the image has too many blocks")),
        }
    }

    fn prepare_patch(&mut self) -> Outcome {
        let patch = self.device.patch();
        let fresh = patch.and_then(|it| Download::new(it.digest, it.size, self.plan.block));
        match fresh {
            Some(fresh) => self.disk.prepare_patch(&fresh),
            None => Outcome::Failed(String::from("it has too many blocks")),
        }
    }

    /// Begins a step that may take long.
    fn begin(&mut self, step: &Step, online: bool) -> Running {
        let commands = self.plan.commands.clone();
        match step {
            Step::Check { slot, size } => elsewhere(self.disk.check(*slot, *size)),
            Step::Patch(PatchStep::Compare { slot, size }) => {
                elsewhere(self.disk.compare(*slot, *size))
            }
            Step::Patch(PatchStep::Apply {
                from,
                to,
                patch,
                size,
            }) => elsewhere(self.disk.apply([*from, *to], patch, *size)),
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
            Step::Health if commands.health.is_none() => match online {
                true => Box::pin(std::future::ready(Outcome::Done)),
                // `server_reached` ends it.
                false => Box::pin(std::future::pending()),
            },
            Step::Health => {
                let slot = self.device.booted();
                Box::pin(commands::run("--health", commands.health, self.about(slot)))
            }
            Step::Save | Step::Open { .. } | Step::Patch(PatchStep::Open { .. }) => {
                Box::pin(std::future::ready(Outcome::Done))
            }
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
    pub(super) fn ended(&mut self, outcome: Outcome) -> bool {
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
        self.device = idle.accepting_patches();
        false
    }

    /// Shows the user what has changed.
    pub(super) fn tell(&mut self) {
        let report = self.device.report();
        if self.told.as_ref().is_some_and(|last| !report.is_news(last)) {
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
        self.show();
    }

    pub(super) fn block(&mut self, image: &Digest, number: u32, bytes: &[u8]) {
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

    /// A manifest has come; what became of it, where it was not refused.
    pub(super) fn manifest(&mut self, bytes: &[u8]) -> Option<Offer> {
        // An empty one takes another back.
        if bytes.is_empty() {
            return None;
        }
        self.is_asked = true;
        match self.device.offer(bytes) {
            Ok(Offer::Known) => return Some(Offer::Known),
            Ok(Offer::Taken) => {
                self.running = None;
                self.warn_of_downgrade();
                self.take_embedded(bytes);
                return Some(Offer::Taken);
            }
            Err(Refusal::Busy) => self.later = Some(bytes.to_vec()),
            Err(why @ Refusal::Sequence { .. }) => {
                self.console.progress(format_args!("manifest: {why}"))
            }
            Err(why) => {
                self.console.warn(format_args!("manifest refused: {why}"));
                self.rejected = Some(why.to_string());
            }
        }
        None
    }

    /// What `--allow-downgrade` takes is said when it is taken, too.
    fn warn_of_downgrade(&self) {
        let runs = self.device.state().release.sequence;
        if let Some(update) = self.device.update().filter(|it| it.sequence < runs) {
            let given = update.sequence;
            let text = format!(
                "--allow-downgrade: sequence {given} is older than {runs}, which runs, and is installed all the same"
            );
            self.console.warn(text);
        }
    }

    /// An image in the envelope needs no request.
    fn take_embedded(&mut self, bytes: &[u8]) {
        let Some(update) = self.device.update() else {
            return;
        };
        let images = update.sources.iter().filter(|it| it.patch.is_none());
        let mut uris = images.map(|source| source.uri.clone());
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
        let Step::Open { slot, .. } = step else {
            return;
        };
        let outcome = self.prepare(slot);
        self.device.ended(&step, outcome, now);
        for (number, block) in payload.chunks(self.plan.block as usize).enumerate() {
            self.block(&digest, number as u32, block);
        }
    }

    /// A download goes on after a restart.
    pub(super) fn remember(&mut self) {
        if let Some(download) = self.device.download()
            && let Err(cause) = self.disk.remember(download)
        {
            self.console.warn(format_args!(
                "cannot keep what was downloaded: {}",
                plain(&cause)
            ));
        }
    }

    /// Bytes of the image from `offset` on, as far as they are whole blocks.
    pub(super) fn feed(&mut self, image: &Digest, offset: u64, bytes: &[u8]) {
        let Some(download) = self.device.download() else {
            return;
        };
        let (block, size) = (u64::from(download.block_size()), download.size());
        let end = offset + bytes.len() as u64;
        for number in offset.div_ceil(block)..end.div_ceil(block) {
            let (from, to) = (number * block, (number * block + block).min(size));
            let is_there = self
                .device
                .download()
                .is_none_or(|it| it.has(number as u32));
            if to <= end && !is_there {
                let bytes = &bytes[(from - offset) as usize..(to - offset) as usize];
                self.block(image, number as u32, bytes);
            }
        }
    }

    /// A signal ends a device well, but not one that was to be updated once.
    pub(super) fn stopped(&self, asked: Asked) -> Result<()> {
        match self.plan.once {
            true => Err(Error::new(asked.kind(), "interrupted")),
            false => Ok(()),
        }
    }

    /// With `--once`: how the first update ended. Otherwise only where nothing but a new start helps.
    pub(super) fn ending(&self) -> Option<Result<()>> {
        if self.plan.once
            && let Some(why) = self.device.unwritten()
        {
            return Some(Err(Error::new(Kind::Local, why)));
        }
        let can_end = self.plan.once || self.device.is_stuck();
        if !can_end || !self.device.is_idle() || self.plan.once && !self.is_asked {
            return None;
        }
        let report = self.device.report();
        match report.state {
            "updated" => Some(Ok(())),
            // It runs what is offered, and has not been updated.
            "idle" if self.rejected.is_none() => Some(Ok(())),
            "rolled-back" | "failed" | "refused" => {
                let why = report.error.as_deref().unwrap_or_default();
                let text = format!("{}: {why}", report.state);
                let kind = match self.device.is_late() {
                    true => Kind::TimedOut,
                    false => Kind::Refused,
                };
                Some(Err(Error::new(kind, text)))
            }
            _ => self.rejected.as_ref().map(|why| {
                let text = format!("refused: {why}");
                Err(Error::new(Kind::Refused, text))
            }),
        }
    }
}

/// What takes long does not hold up the connection.
fn elsewhere(work: impl FnOnce() -> Outcome + Send + 'static) -> Running {
    Box::pin(async move {
        let ended = tokio::task::spawn_blocking(work).await;
        ended.unwrap_or_else(|cause| Outcome::Failed(cause.to_string()))
    })
}
