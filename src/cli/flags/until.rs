//! The flags that say when a command ends, the same for every command that receives or sends.

use clap::Args;

use crate::cli::syntax::numbers::{Count, Span, Wait};
use crate::cli::syntax::values;
use crate::error::Result;
use crate::flow::Until;

/// What `--for` is where there is `-C`.
pub(crate) const FOR: &str =
    "End after this long, with exit code 0, or 5 where -C asked for more messages";

/// What `--idle` is where there is no `--exec`.
pub(crate) const IDLE: &str = "End when nothing arrives for this long, with exit code 0, or 5 where -C asked for more messages";

/// What `--message-timeout` is where there is no `--filter`.
pub(crate) const MESSAGE_TIMEOUT: &str = "Fail with exit code 5 when no message arrives for this long, since the subscription or the message before";

/// What `--drain` is where nothing but acknowledgements is waited for, and `--for` may be the end.
pub(crate) const DRAIN: &str = "How long outstanding acknowledgements may take after the first SIGINT or SIGTERM, or after --for [default: 3s]";

/// What `--drain` is where there are commands too.
pub(crate) const DRAIN_COMMANDS: &str = "How long running commands and outstanding acknowledgements may take after the first SIGINT or SIGTERM, or after --for [default: 3s]";

/// How long the command may take; all that a command which sends needs.
#[derive(Args, Debug)]
#[command(next_help_heading = "End conditions", mut_arg("drain", |it| it.help(DRAIN)))]
pub(crate) struct LimitFlags {
    /// Fail after this long, with exit code 5
    #[arg(short = 'W', long, value_name = "TIME")]
    timeout: Option<Wait>,

    /// End after this long, with exit code 0
    #[arg(long = "for", value_name = "TIME")]
    duration: Option<Wait>,

    #[command(flatten)]
    drain: DrainFlags,
}

impl LimitFlags {
    /// When the flow ends.
    pub(crate) fn until(&self) -> Until {
        Until {
            timeout: self.timeout.map(|Wait(time)| time),
            duration: self.duration.map(|Wait(time)| time),
            ..self.drain.until()
        }
    }

    /// The words of the first that was given.
    pub(crate) fn given(&self) -> Option<&'static str> {
        let timeout = self.timeout.as_ref().map(|_| "--timeout");
        let duration = self.duration.as_ref().map(|_| "--for");
        timeout.or(duration).or_else(|| self.drain.given())
    }
}

/// How long what is under way may take at the end; all that a command with another `--timeout` needs.
#[derive(Args, Debug)]
#[command(next_help_heading = "End conditions")]
pub(crate) struct DrainFlags {
    /// How long running commands and outstanding acknowledgements may take after the first SIGINT or SIGTERM [default: 3s]
    #[arg(long, value_name = "TIME")]
    drain: Option<Span>,
}

impl DrainFlags {
    /// When the flow ends.
    pub(crate) fn until(&self) -> Until {
        Until {
            drain: self.drain.map(|Span(time)| time),
            ..Until::default()
        }
    }

    /// Its words, if it was given.
    pub(crate) fn given(&self) -> Option<&'static str> {
        self.drain.as_ref().map(|_| "--drain")
    }
}

/// What is enough, for a command without `--message-timeout`.
#[derive(Args, Debug)]
#[command(next_help_heading = "End conditions")]
pub(crate) struct EnoughFlags {
    /// End after this many messages
    #[arg(id = "messages", short = 'C', long = "count", value_name = "COUNT")]
    count: Option<Count>,

    /// End when nothing arrives for this long, with exit code 0
    #[arg(long, value_name = "TIME")]
    idle: Option<Wait>,
}

impl EnoughFlags {
    /// When the flow ends.
    ///
    /// # Errors
    /// No message is none to wait for.
    pub(crate) fn until(&self, limits: Until) -> Result<Until> {
        Ok(Until {
            count: values::messages(self.count)?,
            idle: self.idle.map(|Wait(time)| time),
            ..limits
        })
    }

    /// The words of the first that was given.
    pub(crate) fn given(&self) -> Option<&'static str> {
        let count = self.count.as_ref().map(|_| "-C");
        count.or_else(|| self.idle.as_ref().map(|_| "--idle"))
    }
}

/// When the command ends.
#[derive(Args, Debug)]
#[command(
    next_help_heading = "End conditions",
    mut_arg("duration", |it| it.help(FOR)),
    mut_arg("drain", |it| it.help(DRAIN_COMMANDS))
)]
pub(crate) struct UntilFlags {
    /// End after this many messages
    #[arg(short = 'C', long, value_name = "COUNT")]
    pub(crate) count: Option<Count>,

    #[command(flatten)]
    limits: LimitFlags,

    /// End when nothing arrives for this long, with exit code 0, or 5 where -C asked for more messages; the time that the commands of --exec take does not count
    #[arg(long, value_name = "TIME")]
    idle: Option<Wait>,

    /// Fail with exit code 5 when no message that passes --filter arrives for this long, since the subscription or the message before
    #[arg(long, value_name = "TIME")]
    message_timeout: Option<Wait>,
}

impl UntilFlags {
    /// When the flow ends.
    pub(crate) fn until(&self) -> Until {
        Until {
            count: self.count.map(|Count(count)| count),
            idle: self.idle.map(|Wait(time)| time),
            message_timeout: self.message_timeout.map(|Wait(time)| time),
            ..self.limits.until()
        }
    }

    /// The words of the first that was given.
    pub(crate) fn given(&self) -> Option<&'static str> {
        let count = self.count.as_ref().map(|_| "-C");
        let idle = self.idle.as_ref().map(|_| "--idle");
        let missing = self.message_timeout.as_ref().map(|_| "--message-timeout");
        count.or(idle).or(missing).or_else(|| self.limits.given())
    }
}
