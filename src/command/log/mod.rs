//! `log`: keeps messages of any of the three protocols in files and databases.
//!
//! | part | what it is for |
//! |---|---|
//! | [`stores`] | the stores by name |
//! | [`kept`] | a store, or the server that gets what is refused, as one kind of target |

mod kept;
pub(crate) mod stores;

use std::path::Path;
use std::time::SystemTime;

use self::kept::Kept;
pub(crate) use self::stores::StoreArgs;
use crate::command::ends::source::TOPIC_EXCHANGE;
use crate::command::ends::{
    self, Between, Passing, SourceArgs, SourceEnd, TargetArgs, TargetEnd, carry,
};
use crate::command::hangup::{NOTHING_TO_REOPEN, REOPENED};
use crate::error::{Error, Result};
use crate::flow::{Outgoing, Ready, Refusals, Routed, Router, Stages, Until};
use crate::message::Message;
use crate::output::{Console, Style};
use crate::payload::select::Selector;
use crate::stop::DRAIN;
use crate::store::Syncing;

/// Where messages come from, and where they are kept.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Where from; at least one.
    pub(crate) sources: Vec<SourceArgs>,
    /// Where to; at least one.
    pub(crate) stores: Vec<StoreArgs>,
    /// What becomes of messages that a store refuses.
    pub(crate) refusals: Refusals,
    /// Where those go then.
    pub(crate) dead_letters: Option<DeadLetters>,
    /// A server that grants QoS 0 where more was asked for ends it.
    pub(crate) strict: bool,
    /// When messages are committed.
    pub(crate) sync: Syncing,
    /// What of a message says when it was; otherwise when it was received.
    pub(crate) time: Option<Selector>,
    /// Whether topics are compared with patterns, as MQTT has them.
    pub(crate) matches: bool,
    /// A spool, what is passed over, and how often a line tells how far it is.
    pub(crate) between: Between,
    /// Which messages are kept.
    pub(crate) stages: Stages,
    /// When it ends.
    pub(crate) until: Until,
    /// Who is told when messages can come.
    pub(crate) ready: Ready,
    /// What the terminal shows.
    pub(crate) style: Style,
}

/// Where refused messages go.
#[derive(Clone, Debug)]
pub(crate) enum DeadLetters {
    /// Into a store.
    Store(Box<StoreArgs>),
    /// To a server.
    Server(Box<TargetArgs>),
}

/// Keeps messages until it is told to stop.
///
/// # Errors
/// A file that cannot be written, no connection, a refused message, a deadline; see [`Kind`](crate::error::Kind).
pub(crate) async fn run(plan: Plan) -> Result<()> {
    let console = Console::new(plan.style);
    plan.check_amqp()?;
    plan.stages.load()?;
    let from = plan.sources.iter().map(|source| &source.end);
    ends::check_files(from, plan.written().collect())?;
    ends::check_twice(plan.files())?;
    let sources = plan.sources.iter().cloned();
    let ends = sources.map(|args| SourceEnd::resolve(args, console));
    let mut ends: Vec<SourceEnd> = ends.collect::<Result<_>>()?;
    for end in &mut ends {
        end.ask_only(&plan.stages.patterns);
        if plan.strict {
            end.insist();
        }
    }
    let letters = match &plan.dead_letters {
        Some(DeadLetters::Server(args)) => {
            Some(TargetEnd::resolve(TargetArgs::clone(args), console)?)
        }
        Some(DeadLetters::Store(_)) | None => None,
    };
    // What cannot be written is told before anything is received.
    let mut targets = plan.stores(console).await?;
    if let Some(letters) = &letters {
        targets.push(Kept::Sent(Box::new(letters.open().await?)));
    }
    let router = |_| ToAll {
        stores: plan.stores.len(),
        dead_letters: plan.dead_letters.is_some().then_some(plan.stores.len()),
        matches: plan.matches,
        stages: &plan.stages,
    };
    let close = async |targets: Vec<Kept<'_>>| {
        let mut closed = Ok(());
        for target in targets {
            closed = closed.and(target.close(console).await);
        }
        closed
    };
    let passing = Passing {
        sources: &ends,
        names: ends.iter().map(|end| vec![end.name()]).collect(),
        refusals: plan.refusals,
        stages: &plan.stages,
        between: &plan.between,
        until: &plan.until(),
        ready: &plan.ready,
        at_hangup: Some(match plan.files().count() {
            0 => NOTHING_TO_REOPEN,
            _ => REOPENED,
        }),
        console,
    };
    passing.run(targets, router, close).await?.0
}

impl Plan {
    /// Refuses what has no effect at these sources.
    ///
    /// # Errors
    /// [`crate::error::Kind::Usage`] that names the flag.
    pub(crate) fn check_amqp(&self) -> Result<()> {
        let ends = || self.sources.iter().map(|source| &source.end);
        let mut sources = self.sources.iter();
        let has_exchange = sources.any(|source| *source.exchange != *TOPIC_EXCHANGE);
        let mut sources = self.sources.iter();
        ends::check_amqp("--queue", sources.any(|it| it.queue.is_some()), ends())?;
        ends::check_amqp("--exchange", has_exchange, ends())
    }

    /// The stores, and the one for refused messages.
    fn all_stores(&self) -> impl Iterator<Item = &StoreArgs> {
        let letters = self.dead_letters.iter().filter_map(|it| match it {
            DeadLetters::Store(args) => Some(&**args),
            DeadLetters::Server(_) => None,
        });
        self.stores.iter().chain(letters)
    }

    /// The files that only one of them can write, and that are opened again at SIGHUP.
    fn files(&self) -> impl Iterator<Item = &Path> {
        self.all_stores().filter_map(|store| match store {
            StoreArgs::File { path, .. } => Some(path.as_path()),
            _ => None,
        })
    }

    /// The files that are written.
    fn written(&self) -> impl Iterator<Item = &Path> {
        self.all_stores().filter_map(|store| match store {
            StoreArgs::File { path, .. } => Some(path.as_path()),
            StoreArgs::Sqlite(table) => Some(table.path.as_path()),
            StoreArgs::Standard(..) | StoreArgs::Influx { .. } => None,
        })
    }

    /// The stores, those for refused messages last.
    async fn stores(&self, console: Console) -> Result<Vec<Kept<'_>>> {
        let dead = self
            .dead_letters
            .iter()
            .filter_map(|letters| match letters {
                DeadLetters::Store(args) => Some(&**args),
                DeadLetters::Server(_) => None,
            });
        let mut targets = Vec::new();
        for args in self.stores.iter().chain(dead) {
            targets.push(args.open(self.sync, self.time.clone(), console).await?);
        }
        Ok(targets)
    }

    /// What is under way at the end may take as long as a commit may be put off.
    fn until(&self) -> Until {
        let Syncing::Every(time) = self.sync else {
            return self.until.clone();
        };
        Until {
            drain: Some(self.until.drain.unwrap_or(DRAIN) + time),
            ..self.until.clone()
        }
    }
}

/// Every store gets every message, or what the map makes of it.
struct ToAll<'a> {
    stores: usize,
    /// The target of what they refuse.
    dead_letters: Option<usize>,
    /// Topics are to be as MQTT has them.
    matches: bool,
    stages: &'a Stages,
}

impl Router for ToAll<'_> {
    fn route(&mut self, mut message: Message, into: &mut Outgoing) -> Result<Routed> {
        message = message.timed(SystemTime::now);
        if self.matches {
            message.topic = carry::topic_of(&message);
        }
        let mapped = match self.stages.map {
            Some(_) => self.stages.mapped(message, SystemTime::now())?,
            None => vec![message],
        };
        for message in mapped {
            for target in 1..self.stores {
                into.push((target, message.clone()));
            }
            into.push((0, message));
        }
        Ok(Routed::Sent)
    }

    fn dead_letter(&mut self, message: Message, why: &Error) -> Option<(usize, Message)> {
        Some((self.dead_letters?, carry::dead_letter(message, why)))
    }
}
