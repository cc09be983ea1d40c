//! The flags that say when a command ends, the same for every command that receives.

use clap::Args;

use crate::cli::syntax::numbers::{Count, Wait};
use crate::flow::Until;

/// When the command ends.
#[derive(Args, Debug)]
#[command(next_help_heading = "End conditions")]
pub(crate) struct UntilFlags {
    /// End after this many messages
    #[arg(short = 'C', long, value_name = "COUNT")]
    pub(crate) count: Option<Count>,

    /// Fail after this long, with exit code 5
    #[arg(short = 'W', long, value_name = "TIME")]
    pub(crate) timeout: Option<Wait>,

    /// End after this long, with exit code 0
    #[arg(long = "for", value_name = "TIME")]
    pub(crate) duration: Option<Wait>,

    /// End when nothing arrives for this long, with exit code 0
    #[arg(long, value_name = "TIME")]
    pub(crate) idle: Option<Wait>,
}

impl UntilFlags {
    /// When the flow ends.
    pub(crate) fn until(&self) -> Until {
        Until {
            count: self.count.map(|Count(count)| count),
            timeout: self.timeout.map(|Wait(time)| time),
            duration: self.duration.map(|Wait(time)| time),
            idle: self.idle.map(|Wait(time)| time),
            until: None,
        }
    }
}
