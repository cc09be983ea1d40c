//! `ota rollout`: offers an update to many devices in stages, and stops when too many fail. What is offered when, says
//! `firmware::rollout`; each decision is in a journal, on the disk, before it is carried out.

mod control;
mod file;

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use serde_json::{Value, json};

use self::control::Silence;
use self::file::{Asked, asked};
use super::agent::{at_least_once, refused, subscribe};
use super::retained::Retained;
use super::status::{Fleet, word};
use crate::command::mqtt::session::{SessionArgs, Wants, WillArgs, tell};
use crate::connect::Retry;
use crate::error::{Error, Kind, Result, counted};
use crate::firmware::Identity;
use crate::firmware::rollout::{Entry, Rollout, Seconds, Step, is_within};
use crate::firmware::wire::Topics;
use crate::flow::journal::{self, Journal};
use crate::mqtt::client::Client;
use crate::mqtt::packet::{Disconnect, Properties, Publish, QoS};
use crate::mqtt::session::client::Event;
use crate::output::{Console, Style, print};
use crate::payload::Source;
use crate::random::unguessable;
use crate::stop::Stop;

/// How often the clock is looked at: for time-outs, soaks and windows.
const TICK: Duration = Duration::from_millis(500);

/// A controller that is there answers within this time.
const ANSWER: Duration = Duration::from_secs(10);

/// What is asked of a rollout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// To begin it.
    Begin,
    /// To go on with it, after a crash or a pause.
    Resume,
    /// To offer nothing more until it is resumed.
    Pause,
    /// To end it: devices that have not begun lose the manifest.
    Abort,
}

impl Action {
    const fn word(self) -> &'static [u8] {
        match self {
            Self::Begin => b"ping",
            Self::Resume => b"run",
            Self::Pause => b"pause",
            Self::Abort => b"abort",
        }
    }
}

/// `ota rollout`
#[derive(Clone, Debug)]
pub struct Plan {
    /// With the server.
    pub session: SessionArgs,
    /// Below which topics.
    pub prefix: String,
    /// The plan.
    pub file: PathBuf,
    /// What is asked of it.
    pub action: Action,
    /// As JSON.
    pub json: bool,
    /// Of what it says.
    pub style: Style,
}

fn now() -> Seconds {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}

pub(super) async fn run(plan: Plan) -> Result<()> {
    let console = Console::new(plan.style);
    let asked = asked(&plan.file)?;
    let path = plan.file.with_extension("journal");
    check_journal(&path, plan.action)?;
    let mut stop = Stop::watch()?;
    let topics = Topics::new(&plan.prefix);
    let own = format!("{:016x}", unguessable());
    let mut link = Link::open(&plan, &topics, &asked.name, &own, console).await?;
    let ended = link.run(&plan, &asked, &path, &mut stop).await;
    let closed = stop.close(link.close()).await;
    ended.and_then(|()| closed.map_err(|asked| Error::new(asked.kind(), "interrupted")))
}

fn check_journal(path: &Path, action: Action) -> Result<()> {
    let is_there = path.exists();
    let shown = path.display();
    match action {
        Action::Begin if is_there => {
            let text = format!("{shown} exists: the rollout was begun");
            Err(Error::usage(text)
                .hint("--resume goes on with it; remove the journal to begin anew"))
        }
        Action::Resume | Action::Abort if !is_there => {
            let text = format!("{shown} does not exist: the rollout was not begun");
            Err(Error::usage(text).hint("leave --resume and --abort out to begin it"))
        }
        Action::Resume | Action::Abort if entries(&journal::look_into(path)?, path)?.is_empty() => {
            let text = format!("{shown} holds no rollout: it is empty or damaged");
            Err(Error::usage(text)
                .hint("remove it, and leave --resume and --abort out to begin anew"))
        }
        _ => Ok(()),
    }
}

/// The decisions in a journal.
fn entries(lines: &[String], path: &Path) -> Result<Vec<Entry>> {
    let entries = lines.iter().map(|line| serde_json::from_str::<Entry>(line));
    let entries: std::result::Result<Vec<Entry>, _> = entries.collect();
    entries.map_err(|why| {
        let text = format!("{} is damaged: {why}", path.display());
        let hint = "remove it to begin anew, without --resume and --abort";
        Error::new(Kind::Local, text).hint(hint)
    })
}

/// Whether a device has reported this class. It and the plan may each have it as a name or as its UUID, which is made of the names
/// of vendor and class.
fn is_of_class(report: &Value, class: &str) -> bool {
    let (vendor, own) = (word(report, "vendor"), word(report, "class"));
    let id = |class| Identity::new(vendor, class).class;
    !own.is_empty() && id(own) == id(class)
}

/// The connection to the server, and what came over it.
struct Link {
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
    /// What is decided and written down, and waits until it can be sent.
    steps: VecDeque<Step>,
    silence: Silence,
}

impl Link {
    async fn open(
        plan: &Plan,
        topics: &Topics,
        name: &str,
        own: &str,
        console: Console,
    ) -> Result<Self> {
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
            topics: topics.clone(),
            console,
            own: own.to_owned(),
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
            steps: VecDeque::new(),
            silence: Silence::default(),
        })
    }

    async fn run(
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
        let (mut journal, mut rollout) = self.begin(plan, asked, path)?;
        self.publish(self.lock.clone(), self.own.clone().as_bytes(), true)?;
        self.holds_lock = true;
        if plan.action == Action::Abort {
            rollout.abort(now());
        }
        let ended = self.control(&mut rollout, &mut journal, asked, stop).await;
        self.say(plan, &rollout)?;
        ended?;
        match rollout.ended() {
            Some(Some("aborted")) if plan.action == Action::Abort => Ok(()),
            Some(Some(why)) => Err(Error::new(
                Kind::Missed,
                format!("the rollout was stopped: {why}"),
            )),
            _ => Ok(()),
        }
    }

    /// Whether another controller runs the rollout, and does what is asked of it. One that does not answer is taken over from: a
    /// server that lost its power has lost the will that gives its lock back.
    ///
    /// # Errors
    /// There is a controller where there should be none, or none where there should be one.
    async fn is_done_elsewhere(&mut self, action: Action, stop: &mut Stop) -> Result<bool> {
        let Some(other) = self.other.clone() else {
            return match action {
                Action::Pause => {
                    let why = "no controller runs this rollout; nothing is offered";
                    Err(Error::new(Kind::Refused, why))
                }
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
                self.console.note(match &*answer {
                    b"paused" => "paused: nothing more is offered until --resume",
                    b"aborted" => "aborted by the controller that runs",
                    _ => "the controller that runs goes on",
                });
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

    /// The journal, and the rollout as far as that tells.
    fn begin(&self, plan: &Plan, asked: &Asked, path: &Path) -> Result<(Journal, Rollout)> {
        let head = json!({"rollout": asked.name}).to_string();
        let opened = Journal::open(path, &head);
        let (journal, lines) = opened.map_err(|why| match why.kind() {
            Kind::Usage => Error::usage(format!(
                "{} is the journal of another rollout",
                path.display()
            ))
            .hint("give this plan another file, or remove the journal to begin anew"),
            _ => why,
        })?;
        let entries = entries(&lines, path)?;
        if entries.is_empty() {
            let devices = self.devices(asked)?;
            let count = counted(devices.len() as u64, "device");
            self.console.note(format_args!(
                "{}: {count}, version {}",
                asked.name, asked.version
            ));
            return Ok((journal, Rollout::new(asked.plan.clone(), devices)));
        }
        let resumed = Rollout::resumed(asked.plan.clone(), &entries);
        let rollout = resumed.ok_or_else(|| {
            let text = format!("{} is the journal of another manifest", path.display());
            Error::usage(text).hint("a new manifest is another rollout: give it another file")
        })?;
        if plan.action == Action::Resume {
            let counts = rollout.counts();
            self.console.note(format_args!(
                "going on: {} updated, {} failed, {} in flight, {} waiting",
                counts.updated, counts.failed, counts.underway, counts.waiting
            ));
        }
        Ok((journal, rollout))
    }

    /// The devices that were asked for.
    fn devices(&self, asked: &Asked) -> Result<Vec<String>> {
        let known: Vec<String> = match asked.devices.is_empty() {
            true => self.fleet.devices.keys().cloned().collect(),
            false => asked.devices.clone(),
        };
        let is_in = |device: &String| {
            let Some(group) = &asked.group else {
                return true;
            };
            let report = self.fleet.devices.get(device);
            let groups = report.and_then(|report| report["groups"].as_array());
            groups.is_some_and(|groups| groups.iter().any(|it| it == group))
        };
        let is_of_class = |device: &String| {
            let Some(class) = &asked.class else {
                return true;
            };
            let report = self.fleet.devices.get(device);
            report.is_some_and(|report| is_of_class(report, class))
        };
        let is_part = |device: &String| asked.percent.is_none_or(|part| is_within(device, part));
        let devices: Vec<String> = known
            .into_iter()
            .filter(|it| is_in(it) && is_of_class(it) && is_part(it))
            .collect();
        match devices.is_empty() {
            true => Err(Error::new(Kind::Refused, "no device is selected")
                .hint("iotctl ota status --output json shows which devices have reported, with their groups and classes")),
            false => Ok(devices),
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
            // What is only shown again is no news: it may be of an earlier offer.
            if !publish.retain || before.as_ref() != self.fleet.devices.get(device) {
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

    fn say(&self, plan: &Plan, rollout: &Rollout) -> Result<()> {
        let counts = rollout.counts();
        let state = match rollout.ended() {
            None => "interrupted",
            Some(None) => "completed",
            Some(Some("aborted")) => "aborted",
            Some(Some(_)) => "stopped",
        };
        let text = if plan.json {
            let failures: Vec<_> = rollout
                .failures()
                .map(|(id, why)| json!({"device": id, "error": why}))
                .collect();
            let line = json!({"state": state, "stage": rollout.stage() + 1, "updated": counts.updated, "failed": counts.failed,
                "underway": counts.underway, "waiting": counts.waiting, "failures": failures});
            format!("{line}\n")
        } else {
            format!(
                "{state}: {} updated, {} failed, {} in flight, {} not offered\n",
                counts.updated, counts.failed, counts.underway, counts.waiting
            )
        };
        print(text.as_bytes())
    }

    async fn close(&mut self) {
        if self.holds_lock && self.other.is_none() && self.client.is_online() {
            let _ = self.publish(self.lock.clone(), b"", true);
        }
        self.client.close(Disconnect::default()).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_is_known_by_its_name_and_by_its_uuid() {
        let report = |vendor, class| json!({"vendor": vendor, "class": class});
        let (vendor, class) = ("example.com", "sensor-rev-b");
        let id = "4241f5c9-fd92-51bb-aa01-79d19dc81df4";
        for (report, asked, wanted) in [
            (report(vendor, class), class, true),
            (report(vendor, class), id, true),
            (report(vendor, id), class, true),
            (report("cfbff0d1-9375-5685-968c-48ce8b15ae17", id), class, true),
            (report(vendor, "sensor-rev-a"), class, false),
            (report("example.org", class), id, false),
            (json!({}), class, false),
            (json!({"class": ""}), "", false),
        ] {
            assert_eq!(is_of_class(&report, asked), wanted, "{report} {asked}");
        }
    }
}
