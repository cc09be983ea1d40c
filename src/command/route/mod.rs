//! `route`: carries messages from sources to targets as a file says.
//!
//! | part | what it is for |
//! |---|---|
//! | [`mod@file`] | the file as it is written |
//! | [`setup`] | what is made of it, checked |
//! | [`router`] | which messages go where, and as what; pure |
//! | [`trial`] | the same over recorded messages, without a connection |

pub(crate) mod file;
mod router;
mod setup;
mod trial;

use std::path::PathBuf;

use serde_json::Value;

use self::file::File;
use self::router::Routes;
use self::setup::Setup;
use crate::command::ends::{self, Passing, SourceEnd, TargetEnd};
use crate::command::mqtt::topics::Defaults;
use crate::error::{Error, Result};
use crate::flow::until::messages;
use crate::flow::{Outgoing, Printed, Ready, Refusals, Routed, Router, Until};
use crate::message::Message;
use crate::mqtt::packet::Subscription;
use crate::output::{Console, Format, Output, Style, record_line};

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

/// The routes, and what is to be done with them.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The file.
    pub file: PathBuf,
    /// What is to be done.
    pub mode: Mode,
    /// Reads a filter with options.
    pub filter: fn(&str, &Defaults) -> Result<Subscription>,
    /// When it ends.
    pub until: Until,
    /// Who is told when messages can come.
    pub ready: Ready,
    /// What the terminal shows.
    pub style: Style,
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
    let sources = setup.sources.iter().map(|(_, args)| {
        let args = match plan.mode {
            Mode::DryRun => args.clone().only_looks(),
            _ => args.clone(),
        };
        SourceEnd::resolve(args, console)
    });
    let mut sources = sources.collect::<Result<Vec<_>>>()?;
    let targets = setup.targets.iter();
    let targets = targets.map(|(_, args)| TargetEnd::resolve(args.clone(), console));
    let targets = targets.collect::<Result<Vec<_>>>()?;
    for source in &mut sources {
        targets.iter().for_each(|target| source.share(target));
    }
    setup.check_loops(&sources, &targets)?;
    for text in setup.warnings() {
        console.warn(text);
    }
    match plan.mode {
        Mode::Check => {
            console.note(setup.summary());
            Ok(())
        }
        Mode::DryRun => dry_run(setup, &sources, &targets, &plan).await,
        _ => carry(setup, &sources, &targets, &plan).await,
    }
}

async fn carry(
    setup: Setup,
    sources: &[SourceEnd],
    targets: &[TargetEnd],
    plan: &Plan,
) -> Result<()> {
    let console = Console::new(plan.style);
    let opened = ends::open(targets).await?;
    let passing = Passing {
        sources,
        refusals: setup.refusals,
        until: &plan.until,
        ready: &plan.ready,
        console,
    };
    let routes = |origin| setup.routes(targets, origin, console);
    let (ended, routes, opened) = passing.run(opened, routes).await?;
    for (at, taken) in routes.taken().iter().enumerate() {
        console.note(format_args!("route {}: {}", at + 1, messages(*taken)));
    }
    ended.and(ends::close(opened).await)
}

async fn dry_run(
    setup: Setup,
    sources: &[SourceEnd],
    targets: &[TargetEnd],
    plan: &Plan,
) -> Result<()> {
    let console = Console::new(plan.style);
    let names = setup.targets.iter().map(|(name, _)| name.clone());
    let names = names.collect();
    let output = Output::open(Format::Raw, plan.style)?;
    let passing = Passing {
        sources,
        refusals: Refusals::Drop,
        until: &plan.until,
        ready: &plan.ready,
        console,
    };
    let listed = |origin| Listed {
        routes: setup.routes(targets, origin, console),
        names,
        outgoing: Vec::new(),
    };
    let (ended, _, _) = passing.run(vec![Printed::new(output)], listed).await?;
    ended
}

/// What would go where, as lines for standard output.
struct Listed {
    routes: Routes,
    /// The names of the targets.
    names: Vec<String>,
    outgoing: Outgoing,
}

impl Router for Listed {
    fn route(&mut self, message: Message, into: &mut Outgoing) -> Result<Routed> {
        let routed = self.routes.route(message, &mut self.outgoing)?;
        let lines = self.outgoing.drain(..).map(|(target, message)| {
            let line = line(&self.names[target], &message) + "\n";
            (0, Message::plain(line.into()))
        });
        into.extend(lines);
        Ok(routed)
    }
}

/// A record that says where it goes, without a line break.
fn line(target: &str, message: &Message) -> String {
    let record = record_line(message);
    // A record is text.
    let record = String::from_utf8_lossy(&record);
    let rest = record.trim_end().strip_prefix('{').unwrap_or_default();
    format!("{{\"target\":{},{rest}", Value::from(target))
}

async fn print(file: &File, style: Style) -> Result<()> {
    let text = toml::to_string(&file.clone().without_passwords()).map_err(|cause| {
        let text = format!("the routes cannot be printed: {cause}");
        Error::usage(text)
    })?;
    let mut output = Output::open(Format::Raw, style)?;
    output.message(&Message::plain(text.into()))?;
    output.flush().await
}
