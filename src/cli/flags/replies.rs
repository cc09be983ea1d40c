//! The flags that say which replies are awaited, the same for every command that asks.

use clap::Args;

use crate::error::Result;
use crate::flow::{Replies, Until};
use crate::payload::expect::Condition;

use crate::cli::syntax::numbers::{Count, Wait};
use crate::cli::syntax::values;

/// Which replies are awaited, for each request.
#[derive(Args, Debug)]
#[command(next_help_heading = "Replies")]
pub(crate) struct RepliesFlags {
    /// Number of replies to wait for, for each request [default: 1, or with --for, --idle and --until no limit]
    #[arg(short = 'C', long, value_name = "COUNT")]
    count: Option<Count>,

    /// Fail with exit code 5 if the replies to a request take longer than this; also limits the time to connect [default: 10s, from sending the request]
    #[arg(short = 'W', long, value_name = "TIME")]
    timeout: Option<Wait>,

    /// Collect replies to each request for this long; exit code 5 without any
    #[arg(long = "for", value_name = "TIME")]
    duration: Option<Wait>,

    /// Collect replies until none arrives for this long; exit code 5 without any
    #[arg(long, value_name = "TIME")]
    idle: Option<Wait>,

    /// Report the latency of each reply on standard error, and percentiles at the end
    #[arg(long)]
    latency: bool,
}

impl RepliesFlags {
    /// Which are awaited; the last one where it meets a condition.
    pub(crate) fn replies(self, until: Option<Condition>) -> Result<Replies> {
        Ok(Replies {
            until: Until {
                count: values::messages(self.count)?,
                timeout: self.timeout.map(|Wait(time)| time),
                duration: self.duration.map(|Wait(time)| time),
                idle: self.idle.map(|Wait(time)| time),
                until,
                ..Until::default()
            },
            latency: self.latency,
        })
    }
}
