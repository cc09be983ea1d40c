//! `route`: carries messages from sources to targets as a file says.
//!
//! | part | what it is for |
//! |---|---|
//! | [`mod@file`] | the file as it is written |
//! | [`connection`] | the keys of sources and targets that say how to connect |
//! | [`end`] | a source and a target, checked |
//! | [`setup`] | what is made of all of it |
//! | [`alert_table`], [`alerts`] | an alert as it is written, and what is made of it |
//! | [`loops`] | messages that would come back; pure |
//! | [`router`] | which messages go where, and as what; pure |
//! | [`sinks`] | stores and commands among the targets |
//! | [`exchange`] | a target that another one can take the place of |
//! | [`rules`] | the same with alerts |
//! | [`reload`] | the file is read again while messages are carried |
//! | [`trial`] | the same over recorded messages, without a connection |

pub(crate) mod alert_table;
mod alerts;
pub(crate) mod connection;
mod end;
mod exchange;
pub(crate) mod file;
mod loops;
mod reload;
mod router;
mod rules;
mod setup;
mod sinks;
mod trial;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use serde_json::Value;

use self::alerts::Run;
use self::exchange::{Exchanged, Orders};
use self::file::File;
use self::reload::{Reloading, Standing};
use self::rules::Rules;
use self::setup::{Setup, placed};
use crate::command::alert::{self, Marked, Way};
use crate::command::ends::{
    self, Between, End, Passing, Reports, SourceEnd, TargetArgs, TargetEnd,
};
use crate::command::later::Later;
use crate::command::log::StoreArgs;
use crate::command::mqtt::topics::Defaults;
use crate::connect::ConnectArgs;
use crate::error::{Error, Result};
use crate::flow::until::messages;
use crate::flow::{
    Dedup, Origin, Outgoing, Printed, Ready, Refusals, Routed, Router, Stages, Until,
};
use crate::message::{Message, UNTIMED};
use crate::mqtt::packet::Subscription;
use crate::output::{Console, Format, Output, Style, record_line};
use crate::payload::select::Selector;
use crate::store::Syncing;

/// What is to be done with the routes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Carry messages.
    Run,
    /// Check the file (`--check`).
    Check,
    /// Show what would go where (`--dry-run`).
    DryRun,
    /// Route recorded messages (`--test`), and compare (`--expect`).
    Test {
        /// The records.
        recording: PathBuf,
        /// What must come of them.
        expect: Option<PathBuf>,
    },
    /// Print the file as it was read (`--print-config`).
    Print,
}

/// A store, and what of a message says when it was.
pub(crate) type Timed = (StoreArgs, Option<Selector>);

/// Reads words of the file that are spelled as on the command line.
#[derive(Clone, Copy, Debug)]
pub struct Readers {
    /// A filter with options.
    pub filter: fn(&str, &Defaults) -> Result<Subscription>,
    /// A number of bytes: `1GiB`.
    pub size: fn(&str) -> std::result::Result<u64, String>,
    /// A time, or `never`.
    pub time: fn(&str) -> std::result::Result<Option<Duration>, String>,
    /// An alert in words of its flags.
    pub alert: fn(&[String]) -> Result<alert::Plan>,
    /// A store in words of the flags of `log`, how to connect to it, and what of a message says when it was.
    pub(crate) store: fn(&[String], &ConnectArgs, Style) -> Result<Timed>,
    /// When what a store gets is safe: `auto`, `each` or a time.
    pub(crate) sync: fn(&str) -> std::result::Result<Syncing, String>,
    /// A key of messages, and how long it counts.
    pub dedup: fn(&str, Option<&str>) -> std::result::Result<Dedup, String>,
}

/// The routes, and what is to be done with them.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The file.
    pub file: PathBuf,
    /// What is to be done.
    pub mode: Mode,
    /// Reads what the file spells as the command line does.
    pub readers: Readers,
    /// Who is told how far it is.
    pub reports: Reports,
    /// When it ends.
    pub until: Until,
    /// Who is told when messages can come.
    pub ready: Ready,
    /// What the terminal shows.
    pub style: Style,
}

impl Plan {
    /// What the router is called at servers: as its file is.
    fn name(&self) -> String {
        let file = self.file.file_stem().unwrap_or_default();
        format!("iotctl-{}", file.to_string_lossy())
    }
}

/// Does with the routes what is to be done.
///
/// # Errors
/// A mistake in the file, no connection, a refused message, a deadline; see [`Kind`](crate::error::Kind).
pub(crate) async fn run(plan: Plan) -> Result<()> {
    let console = Console::new(plan.style);
    let file = File::read(&plan.file)?;
    if plan.mode == Mode::Print {
        return print(&file, plan.style).await;
    }
    let setup = Setup::of(&file, &plan)?;
    if let Mode::Test { recording, expect } = &plan.mode {
        return trial::run(setup, recording, expect.as_deref(), plan.style).await;
    }
    let sources = setup.sources.iter().map(|(name, args)| {
        let args = match plan.mode {
            Mode::DryRun => args.clone().only_looks(),
            _ => args.clone(),
        };
        let end = SourceEnd::resolve(args, console);
        end.map_err(|why| placed(&plan, "source", name, why))
    });
    let mut sources = sources.collect::<Result<Vec<_>>>()?;
    let targets = setup.targets.iter();
    let targets = targets.map(|(name, args)| target(&plan, name, args));
    let targets = targets.collect::<Result<Vec<_>>>()?;
    for source in &mut sources {
        targets.iter().for_each(|target| source.share(target));
        if setup.strict {
            source.insist();
        }
    }
    setup.check_loops(&sources, &targets.iter().collect::<Vec<_>>())?;
    let from = setup.sources.iter().map(|(_, args)| &args.end);
    let to: Vec<&Path> = setup.written().collect();
    ends::check_files(from, to)?;
    let files = setup
        .targets
        .iter()
        .filter_map(|(_, args)| match &args.end {
            End::File(path) => Some(path.as_path()),
            _ => None,
        });
    ends::check_twice(files)?;
    for text in setup.warnings() {
        console.warn(text);
    }
    let later = Later::default();
    let ends = Ends {
        sources: &sources,
        targets: &targets,
        later: &later,
    };
    match plan.mode {
        Mode::Check => {
            setup.check_journals()?;
            console.note(setup.summary());
            Ok(())
        }
        Mode::DryRun => dry_run(setup, ends, &plan).await,
        _ => carry(setup, file, ends, &plan).await,
    }
}

/// A target whose files and secrets were read.
fn target(plan: &Plan, name: &str, args: &TargetArgs) -> Result<TargetEnd> {
    let end = TargetEnd::resolve(args.clone(), Console::new(plan.style));
    end.map_err(|why| placed(plan, "target", name, why))
}

/// The ends of the flow, with their files and secrets read.
#[derive(Clone, Copy)]
struct Ends<'a> {
    sources: &'a [SourceEnd],
    targets: &'a [TargetEnd],
    /// Those that take the place of others.
    later: &'a Later<TargetEnd>,
}

async fn carry(setup: Setup, file: File, ends: Ends<'_>, plan: &Plan) -> Result<()> {
    let Ends {
        sources, targets, ..
    } = ends;
    let console = Console::new(plan.style);
    let places = setup.places()?;
    let (names, refusals) = (setup.spool_names(sources), setup.refusals);
    let between = Between {
        reports: plan.reports,
        // A server gets messages in the order in which they came; a file may wait long for its disk.
        in_order: targets.iter().any(|it| it.protocol().is_some()),
        ..setup.between.clone()
    };
    let until = setup.until(&plan.until);
    let orders = Orders::none(targets.len());
    let standing = Standing::new(plan, ends, file, &setup, orders.clone());
    let rules = setup.rules(targets, Origin::default(), Run::Live, console)?;
    let marks = rules.marks();
    let reloading = Reloading::new(rules, standing)?;
    let mut opened = Vec::new();
    let mut add = |way| {
        let at = opened.len();
        let target = Exchanged::new(way, at, orders.clone(), console);
        opened.push(Marked::new(target, at, marks.clone(), refusals));
    };
    for target in ends::open(targets).await? {
        add(Way::Server(target));
    }
    for place in &places {
        add(place.open(plan.style, console).await?);
    }
    let passing = Passing {
        sources,
        names,
        refusals,
        stages: &Stages::default(),
        between: &between,
        until: &until,
        ready: &plan.ready,
        at_hangup: None,
        console,
    };
    let close = async |ways: Vec<Marked<Exchanged<'_>>>| {
        let mut closed = Ok(());
        for way in ways {
            closed = closed.and(way.into_inner().close().await);
        }
        closed
    };
    let routed = |origin| reloading.from(origin);
    let (ended, reloading) = passing.run(opened, routed, close).await?;
    let rules = reloading.into_rules();
    for (at, taken) in rules.taken().iter().enumerate() {
        console.note(format_args!("route {}: {}", at + 1, messages(*taken)));
    }
    let kept = rules.finish();
    ended.and(kept)
}

async fn dry_run(setup: Setup, ends: Ends<'_>, plan: &Plan) -> Result<()> {
    let Ends {
        sources, targets, ..
    } = ends;
    let console = Console::new(plan.style);
    let names = setup.target_names();
    let rules = setup.rules(targets, Origin::default(), Run::Dry, console)?;
    let output = Output::open(Format::Raw, plan.style)?;
    let passing = Passing {
        sources,
        names: Vec::new(),
        refusals: Refusals::Drop,
        stages: &Stages::default(),
        between: &Between::default(),
        until: &plan.until,
        ready: &plan.ready,
        at_hangup: None,
        console,
    };
    let listed = |origin| Listed {
        rules: rules.from(origin),
        names,
        outgoing: Vec::new(),
    };
    let shown = vec![Printed::new(output)];
    passing.run(shown, listed, async |_| Ok(())).await?.0
}

/// What would go where, as lines for standard output.
struct Listed {
    rules: Rules,
    /// The names of the targets.
    names: Vec<String>,
    outgoing: Outgoing,
}

impl Listed {
    fn list(&mut self, into: &mut Outgoing) {
        let now = SystemTime::now();
        let lines = self.outgoing.drain(..).map(|(target, message)| {
            let line = line(&self.names[target], &message, now) + "\n";
            (0, Message::plain(line.into()))
        });
        into.extend(lines);
    }
}

impl Router for Listed {
    fn route(&mut self, message: Message, into: &mut Outgoing) -> Result<Routed> {
        let routed = self.rules.route(message, &mut self.outgoing)?;
        self.list(into);
        Ok(routed)
    }

    fn due(&self) -> Option<Instant> {
        self.rules.due()
    }

    fn wake(&mut self, now: Instant, into: &mut Outgoing) -> Result<()> {
        self.rules.wake(now, &mut self.outgoing)?;
        self.list(into);
        Ok(())
    }
}

/// A record that says where it goes, without a line break; `now` is the time of a message that says none.
fn line(target: &str, message: &Message, now: SystemTime) -> String {
    let record = match message.time == UNTIMED {
        true => record_line(&Message {
            time: now,
            ..message.clone()
        }),
        false => record_line(message),
    };
    // A record is text.
    let record = String::from_utf8_lossy(&record);
    let rest = record.trim_end().strip_prefix('{').unwrap_or_default();
    format!("{{\"target\":{},{rest}", Value::from(target))
}

/// A file that is to be shown.
#[derive(Clone, Debug)]
pub struct Written(pub(crate) File);

/// Shows a file as it is read, without passwords.
///
/// # Errors
/// Standard output.
pub(crate) async fn print(file: &File, style: Style) -> Result<()> {
    let text = toml::to_string(&file.clone().without_passwords()).map_err(|cause| {
        let text = format!("the routes cannot be printed: {cause}");
        Error::usage(text)
    })?;
    let mut output = Output::open(Format::Raw, style)?;
    output.message(&Message::plain(text.into()))?;
    output.flush().await
}
