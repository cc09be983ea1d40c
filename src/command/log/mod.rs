//! `log`: keeps messages of any of the three protocols in files and databases.
//!
//! | part | what it is for |
//! |---|---|
//! | [`stores`] | the stores by name |
//! | [`kept`] | a store, or the server that gets what is refused, as one kind of target |
//! | [`progress`] | a line from time to time |

mod kept;
mod progress;
pub(crate) mod stores;

use std::time::{Duration, SystemTime};

use self::kept::Kept;
use self::progress::Progressing;
pub(crate) use self::stores::StoreArgs;
use crate::command::ends::{SourceArgs, SourceEnd, TargetArgs, TargetEnd, carry};
use crate::error::{Error, Result};
use crate::flow::{self, Fan, Merged, Outgoing, Ready, Refusals, Routed, Router, Stages, Until};
use crate::message::{Message, UNTIMED};
use crate::output::{Console, Style};
use crate::payload::select::Selector;
use crate::stop::{DRAIN, Stop};
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
    /// When messages are committed.
    pub(crate) sync: Syncing,
    /// What of a message says when it was; otherwise when it was received.
    pub(crate) time: Option<Selector>,
    /// Whether topics are compared with patterns, as MQTT has them.
    pub(crate) matches: bool,
    /// How often a line tells how far it is.
    pub(crate) report: Option<Duration>,
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
    plan.stages.load()?;
    let sources = plan.sources.iter().cloned();
    let ends = sources.map(|args| SourceEnd::resolve(args, console));
    let ends: Vec<SourceEnd> = ends.collect::<Result<_>>()?;
    let letters = match &plan.dead_letters {
        Some(DeadLetters::Server(args)) => {
            Some(TargetEnd::resolve(TargetArgs::clone(args), console)?)
        }
        Some(DeadLetters::Store(_)) | None => None,
    };
    let mut stop = Stop::watch()?;
    // What cannot be written is told before anything is received.
    let mut targets = plan.stores(console).await?;
    if let Some(letters) = &letters {
        targets.push(Kept::Sent(Box::new(letters.open().await?)));
    }
    let mut sources = Vec::new();
    for end in &ends {
        sources.push(end.open().await?);
    }
    let mut source = Merged::new(sources);
    let router = ToAll {
        stores: plan.stores.len(),
        dead_letters: plan.dead_letters.is_some().then_some(plan.stores.len()),
        matches: plan.matches,
    };
    let fan = Fan::new(router, targets, plan.refusals);
    let mut target = Progressing::new(fan, plan.report, console);
    let until = plan.until();
    let mut announcement = plan.ready.announcement()?;
    let ended = {
        let mut source = announcement.watch(&mut source);
        flow::pass(
            &mut source,
            &mut target,
            &plan.stages,
            &until,
            &mut stop,
            console,
        )
        .await
    };
    let (_, targets) = target.into_inner().into_parts();
    let closing = async {
        let mut closed = Ok(());
        for source in source.into_sources() {
            closed = closed.and(source.close().await);
        }
        for target in targets {
            closed = closed.and(target.close(console).await);
        }
        closed
    };
    let closed = stop.close(closing).await.unwrap_or(Ok(()));
    ended.and(closed)
}

impl Plan {
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

/// Every store gets every message.
struct ToAll {
    stores: usize,
    /// The target of what they refuse.
    dead_letters: Option<usize>,
    /// Topics are to be as MQTT has them.
    matches: bool,
}

impl Router for ToAll {
    fn route(&mut self, mut message: Message, into: &mut Outgoing) -> Result<Routed> {
        if message.time == UNTIMED {
            message.time = SystemTime::now();
        }
        if self.matches {
            message.topic = carry::topic_of(&message);
        }
        for target in 1..self.stores {
            into.push((target, message.clone()));
        }
        into.push((0, message));
        Ok(Routed::Sent)
    }

    fn dead_letter(&mut self, message: Message, why: &Error) -> Option<(usize, Message)> {
        Some((self.dead_letters?, carry::dead_letter(message, why)))
    }
}
