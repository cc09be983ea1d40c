//! `ota rollout`: offers an update to many devices in stages, and stops when too many fail. What is offered when, says
//! `firmware::rollout`; each decision is in a journal, on the disk, before it is carried out.

//!
//! | file | what it is for |
//! |---|---|
//! | `file` | the plan, as it is written |
//! | `control` | decisions, one after the other, whatever devices are told over |
//! | `amqp` | manifests to queues, reports from one |
//! | `mqtt` | manifests that are published, reports, and who else controls the rollout |
//! | `coap` | devices that are told themselves, and whose reports are observed |

mod amqp;
mod coap;
mod control;
mod file;
mod mqtt;

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use self::control::{Control, Notifier};
use self::file::{Asked, Written};
use self::mqtt::Link;
use super::status::{Fleet, word};
use crate::command::mqtt::session::SessionArgs;
use crate::error::{Error, Kind, Result, counted};
use crate::file::in_line;
use crate::firmware::Identity;
use crate::firmware::rollout::{Entry, Rollout, Seconds, is_within};
use crate::flow::journal::{self, Journal};
use crate::output::{Console, Style, print};
use crate::pace::clock::{self, Clock};
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

/// The time of a run: it showed the time of day at its beginning, and goes on from there, whatever is set then.
#[derive(Clone, Copy, Debug)]
struct Time(Clock);

impl Time {
    fn start() -> Self {
        Self(Clock::start())
    }

    fn now(self) -> Seconds {
        clock::seconds(self.0.now()) as Seconds
    }

    /// What clocks on the wall show now, for windows.
    fn of_day() -> Seconds {
        clock::seconds(clock::at(SystemTime::now())) as Seconds
    }
}

pub(super) async fn run(plan: Plan) -> Result<()> {
    let console = Console::new(plan.style);
    let written = Written::read(&plan.file)?;
    let path = plan.file.with_extension("journal");
    let mut stop = Stop::watch()?;
    if written.is_over_coap() {
        return coap::run(&plan, written, &path, &mut stop).await;
    }
    if let Some(session) = super::amqp::session(&plan.session) {
        return amqp::run(&plan, written, &path, session, &mut stop).await;
    }
    let asked = written.judged()?;
    check_journal(&path, plan.action)?;
    let mut link = Link::open(&plan, &asked, console).await?;
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
        Action::Resume | Action::Abort
            if entries(&journal::look_into(path)?.1, path)?.is_empty() =>
        {
            let text = format!("{shown} holds no rollout: it is empty or damaged");
            Err(Error::usage(text)
                .hint("remove it, and leave --resume and --abort out to begin anew"))
        }
        _ => Ok(()),
    }
}

/// What the answer of a controller means.
fn words(answer: &[u8]) -> &'static str {
    match answer {
        b"paused" => "paused: nothing more is offered until --resume",
        b"aborted" => "aborted by the controller that runs",
        _ => "the controller that runs goes on",
    }
}

fn no_controller() -> Error {
    let why = "no controller runs this rollout; nothing is offered";
    Error::new(Kind::Refused, why)
}

/// The decisions in a journal.
fn entries(lines: &[String], path: &Path) -> Result<Vec<Entry>> {
    // The first line says whose journal it is.
    let lines = (2..).zip(lines);
    let entry = |(number, line): (u64, &String)| {
        serde_json::from_str(line).map_err(|_| {
            let text = in_line(path.display(), number, "the line is damaged");
            let hint = "remove the file to begin anew, without --resume and --abort";
            Error::new(Kind::Local, text).hint(hint)
        })
    };
    lines.map(entry).collect()
}

/// Carries a rollout out, from its beginning or from where the journal ends.
async fn carry_out(
    notifier: &mut impl Notifier,
    plan: &Plan,
    asked: &Asked,
    path: &Path,
    stop: &mut Stop,
) -> Result<()> {
    let (mut journal, mut rollout) = begin(plan, asked, path, notifier.fleet())?;
    notifier.take_charge()?;
    let time = Time::start();
    if plan.action == Action::Abort {
        rollout.abort(time.now());
    }
    let mut control = Control::new(notifier, Console::new(plan.style), time);
    let ended = control.run(&mut rollout, &mut journal, stop).await;
    say(plan, &rollout, ended.is_ok())?;
    ended?;
    match rollout.ended() {
        Some(Some("aborted")) if plan.action == Action::Abort => Ok(()),
        Some(Some(why)) => {
            let text = format!("the rollout was stopped: {why}");
            Err(Error::new(Kind::Missed, text))
        }
        _ => Ok(()),
    }
}

/// The journal, and the rollout as far as that tells.
fn begin(plan: &Plan, asked: &Asked, path: &Path, fleet: &Fleet) -> Result<(Journal, Rollout)> {
    let console = Console::new(plan.style);
    // A journal is begun only where there is somebody to begin with.
    let fresh = (plan.action == Action::Begin).then(|| selected(asked, fleet));
    let fresh = fresh.transpose()?;
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
        let devices = fresh.map_or_else(|| selected(asked, fleet), Ok)?;
        let count = counted(devices.len() as u64, "device");
        console.note(format_args!(
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
        console.note(format_args!(
            "going on: {} updated, {} failed, {} in flight, {} waiting",
            counts.updated, counts.failed, counts.underway, counts.waiting
        ));
    }
    Ok((journal, rollout))
}

/// The devices that were asked for.
fn selected(asked: &Asked, fleet: &Fleet) -> Result<Vec<String>> {
    let known: Vec<String> = match asked.devices.is_empty() {
        true => fleet.devices.keys().cloned().collect(),
        false => asked.devices.clone(),
    };
    let is_in = |device: &String| {
        let Some(group) = &asked.group else {
            return true;
        };
        let report = fleet.devices.get(device);
        let groups = report.and_then(|report| report["groups"].as_array());
        groups.is_some_and(|groups| groups.iter().any(|it| it == group))
    };
    let is_of_class = |device: &String| {
        let Some(class) = &asked.class else {
            return true;
        };
        let report = fleet.devices.get(device);
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

/// Whether a device has reported this class. It and the plan may each have it as a name or as its UUID, which is made of the names
/// of vendor and class.
fn is_of_class(report: &Value, class: &str) -> bool {
    let (vendor, own) = (word(report, "vendor"), word(report, "class"));
    let id = |class| Identity::new(vendor, class).class;
    !own.is_empty() && id(own) == id(class)
}

fn say(plan: &Plan, rollout: &Rollout, is_whole: bool) -> Result<()> {
    let counts = rollout.counts();
    let ended = rollout.ended().filter(|_| is_whole);
    let state = match ended {
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
        let why = match ended {
            Some(None) if counts.waiting > 0 => ": the stages end before them",
            _ => "",
        };
        format!(
            "{state}: {} updated, {} failed, {} in flight, {} not offered{why}\n",
            counts.updated, counts.failed, counts.underway, counts.waiting
        )
    };
    print(text.as_bytes())
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
            (
                report("cfbff0d1-9375-5685-968c-48ce8b15ae17", id),
                class,
                true,
            ),
            (report(vendor, "sensor-rev-a"), class, false),
            (report("example.org", class), id, false),
            (json!({}), class, false),
            (json!({"class": ""}), "", false),
        ] {
            assert_eq!(is_of_class(&report, asked), wanted, "{report} {asked}");
        }
    }
}
