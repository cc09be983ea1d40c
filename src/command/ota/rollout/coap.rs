//! A rollout over CoAP: each device is told where the manifest is, as RIOT has it, and its report is observed until the update has
//! ended. There is no server that keeps anything: a device that is away is told when it is back, what it was told is not taken
//! back, and other controllers are kept away by the journal alone.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::{AbortHandle, Aborted, LocalBoxFuture, abortable};
use futures_util::stream::{FuturesUnordered, StreamExt};
use serde_json::json;
use tokio::sync::mpsc;

use super::control::{Irrevocable, Notifier};
use super::file::Written;
use super::{Action, Plan, TICK, carry_out, check_journal};
use crate::command::ota::direct::{self, Devices, STATUS, TRIGGER};
use crate::command::ota::status::Fleet;
use crate::error::{Error, Result};
use crate::firmware::rollout::Rollout;
use crate::output::Console;
use crate::stop::Stop;

/// How long a device may take to say at the beginning how it is.
const ANSWER: Duration = Duration::from_secs(10);

/// Reports that wait to be looked at.
const WAITING: usize = 64;

pub(super) async fn run(plan: &Plan, written: Written, path: &Path, stop: &mut Stop) -> Result<()> {
    let connect = &plan.session.connect;
    if connect.url.is_some() || connect.host.is_some() || connect.port.is_some() {
        let text = "the devices of this plan are told over CoAP: a rollout to them needs no server";
        return Err(Error::usage(text));
    }
    let url = written.url()?.to_owned();
    if plan.action == Action::Pause {
        let text = "--pause cannot be used over CoAP: nobody tells the controller";
        return Err(Error::usage(text).hint("end it by SIGINT, and go on with --resume"));
    }
    check_journal(path, plan.action)?;
    let console = Console::new(plan.style);
    let fetched = direct::fetch(connect, &url, console);
    let manifest = stop.unless_asked("interrupted", fetched).await?;
    let devices = written.devices().to_vec();
    let asked = written.judged_with(manifest.to_vec(), &url)?;
    let (sender, reports) = mpsc::channel(WAITING);
    let mut told = Told {
        triggers: Rc::new(Devices::at(connect, &devices, TRIGGER, None, console)?),
        statuses: Rc::new(Devices::at(
            connect,
            &devices,
            STATUS,
            Some(ANSWER),
            console,
        )?),
        places: devices.into_iter().zip(0..).collect(),
        url: url.into(),
        sequence: asked.plan.sequence,
        fleet: Fleet::default(),
        news: Vec::new(),
        following: FuturesUnordered::new(),
        handles: BTreeMap::new(),
        sender,
        reports,
        console,
        irrevocable: Irrevocable::over("CoAP", asked.plan.sequence),
    };
    let reading = told.read();
    stop.unless_asked("interrupted", reading).await?;
    carry_out(&mut told, plan, &asked, path, stop).await
}

/// Which device it is, and why it is not followed any more.
type Left = std::result::Result<(String, Error), Aborted>;

/// Devices that are told themselves, and followed from then on.
struct Told {
    triggers: Rc<Devices>,
    statuses: Rc<Devices>,
    /// Which of them each device is.
    places: BTreeMap<String, usize>,
    /// Of the manifest.
    url: Bytes,
    sequence: u64,
    fleet: Fleet,
    news: Vec<String>,
    following: FuturesUnordered<LocalBoxFuture<'static, Left>>,
    handles: BTreeMap<String, AbortHandle>,
    sender: mpsc::Sender<(String, Bytes)>,
    reports: mpsc::Receiver<(String, Bytes)>,
    console: Console,
    irrevocable: Irrevocable,
}

impl Told {
    /// Reads what devices report before anything is offered to them.
    ///
    /// # Errors
    /// One of them is there, and has no report that can be read: how an update ends would not be known.
    async fn read(&mut self) -> Result<()> {
        let (places, fleet) = (&self.places, &mut self.fleet);
        let names: BTreeMap<_, _> = places.iter().map(|(name, at)| (*at, name)).collect();
        let read = self.statuses.read_those_there(|at, report| {
            if let Some(name) = names.get(&at) {
                fleet.take(name, report);
            }
        });
        read.await.map_err(|why| {
            why.hint("a rollout needs devices that report over CoAP, as ota agent --listen does; ota publish --trigger tells others")
        })
    }

    fn take(&mut self, device: String, report: &Bytes) {
        let before = self.fleet.devices.get(&device).cloned();
        self.fleet.take(&device, report);
        // What is only shown again is no news: it may be of an earlier offer.
        if before.as_ref() != self.fleet.devices.get(&device) {
            self.news.push(device);
        }
    }

    /// A device cannot be told or followed: the update has failed there.
    fn left(&mut self, device: String, why: &Error) {
        self.handles.remove(&device);
        let report = json!({"state": "failed", "sequence": self.sequence, "error": why.text(), "id": device});
        self.fleet.take(&device, &report.to_string().into());
        self.news.push(device);
    }

    fn leave(&mut self, device: &str) {
        if let Some(handle) = self.handles.remove(device) {
            handle.abort();
        }
    }
}

impl Notifier for Told {
    fn fleet(&self) -> &Fleet {
        &self.fleet
    }

    fn news(&mut self) -> Vec<String> {
        std::mem::take(&mut self.news)
    }

    fn has_room(&self) -> bool {
        true
    }

    fn is_said(&self) -> bool {
        true
    }

    fn offer(&mut self, device: String) -> Result<()> {
        self.leave(&device);
        let Some(at) = self.places.get(&device).copied() else {
            // Of a journal whose plan has had it.
            self.left(device, &Error::usage("the plan does not name it"));
            return Ok(());
        };
        let (triggers, statuses) = (Rc::clone(&self.triggers), Rc::clone(&self.statuses));
        let (url, sender, name) = (self.url.clone(), self.sender.clone(), device.clone());
        let (following, handle) = abortable(async move {
            let why = match triggers.trigger_when_there(at, &url).await {
                Ok(()) => statuses.follow_as(at, &name, &sender).await,
                Err(why) => why,
            };
            (name, why)
        });
        self.following.push(Box::pin(following));
        self.handles.insert(device, handle);
        Ok(())
    }

    fn withdraw(&mut self, device: String) -> Result<()> {
        self.leave(&device);
        let report = self.fleet.devices.get(&device);
        self.irrevocable.warn(report, self.console);
        Ok(())
    }

    /// Who has ended needs nobody who watches.
    fn look_after(&mut self, rollout: &Rollout) -> Result<()> {
        if self.handles.len() == rollout.counts().underway {
            return Ok(());
        }
        let underway: BTreeSet<&str> = rollout.underway().collect();
        self.handles.retain(|device, handle| {
            let stays = underway.contains(device.as_str());
            if !stays {
                handle.abort();
            }
            stays
        });
        Ok(())
    }

    async fn wait(&mut self, stop: &mut Stop) -> Result<()> {
        tokio::select! {
            biased;
            asked = stop.asked() => return Err(Error::new(asked.kind(), "interrupted; --resume goes on")),
            Some((device, report)) = self.reports.recv() => self.take(device, &report),
            Some(ended) = self.following.next(), if !self.following.is_empty() => if let Ok((device, why)) = ended {
                self.left(device, &why);
            },
            () = tokio::time::sleep(TICK) => {}
        }
        Ok(())
    }
}
