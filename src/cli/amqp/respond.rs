//! `amqp respond`: its flags, and the plan they make.

use std::ffi::OsString;

use clap::Args;

use crate::amqp::topology::{Declaration, Queue};
use crate::command::amqp::respond::Plan;
use crate::error::Result;
use crate::flow::answer;
use crate::stop::DRAIN;

use super::exec::AmqpExecFlags;
use super::property::PropertyFlags;
use super::session::{self, AmqpSessionFlags};
use super::syntax;
use crate::cli::flags::answer::AnswerFlags;
use crate::cli::flags::connect::RETRY_FOREVER;
use crate::cli::flags::ready::ReadyFlags;
use crate::cli::flags::terminal::TerminalFlags;
use crate::cli::flags::until::{DRAIN_COMMANDS, DrainFlags};
use crate::cli::syntax::numbers::{Count, Wait};
use crate::cli::syntax::values;

#[derive(Args, Debug)]
#[command(
    next_help_heading = "Replying",
    mut_arg("retry", |it| it.help(RETRY_FOREVER)),
    mut_arg("drain", |it| it.help(DRAIN_COMMANDS))
)]
pub(crate) struct RespondFlags {
    #[arg(value_name = "URL", help_heading = None, help = session::URL)]
    url: Option<OsString>,

    /// Queue to consume requests from
    #[arg(value_name = "QUEUE", help_heading = None)]
    queue: Option<OsString>,

    /// First declare the queue, durable and without arguments
    #[arg(long)]
    declare: bool,

    #[command(flatten)]
    answer: AnswerFlags,

    /// End after this many requests
    #[arg(short = 'C', long, value_name = "COUNT")]
    count: Option<Count>,

    /// End after this long, with exit code 0
    #[arg(long = "for", value_name = "TIME")]
    duration: Option<Wait>,

    #[command(flatten)]
    drain: DrainFlags,

    #[command(flatten)]
    exec: AmqpExecFlags,

    #[command(flatten)]
    ready: ReadyFlags,

    #[command(flatten)]
    properties: PropertyFlags,

    #[command(flatten)]
    session: AmqpSessionFlags,

    #[command(flatten)]
    terminal: TerminalFlags,
}

impl RespondFlags {
    /// The plan of the command, validated as far as possible without a file or the network.
    pub(crate) fn plan(self) -> Result<Plan> {
        let (url, queue) = syntax::sorted(self.url, self.queue)?;
        let queue = syntax::name("queue", queue)?;
        let declared = || Declaration::Queue(Queue::new(queue.clone()));
        Ok(Plan {
            session: self.session.words(url)?,
            declare: self.declare.then(declared).into_iter().collect(),
            queue,
            answer: self
                .answer
                .answer(self.exec.exec::<Self>()?, answer::is_name)?,
            properties: self.properties.properties()?,
            count: values::messages(self.count)?,
            duration: self.duration.map(|Wait(time)| time),
            drain: self.drain.until().drain.unwrap_or(DRAIN),
            ready: self.ready.ready(),
            style: self.terminal.style(),
        })
    }
}
