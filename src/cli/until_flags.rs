//! The flags that say when a command ends, the same for every command that receives.

use clap::Args;

use super::numbers::{Count, Wait};
use crate::flow::Until;

/// When the command ends.
#[derive(Args, Debug)]
#[command(next_help_heading = "Until")]
pub(super) struct UntilFlags {
    /// End after this many messages
    #[arg(short = 'C', long, value_name = "COUNT")]
    pub(super) count: Option<Count>,

    /// Fail after this long, with exit code 5
    #[arg(short = 'W', long, value_name = "TIME")]
    pub(super) timeout: Option<Wait>,

    /// End after this long, with exit code 0
    #[arg(long = "for", value_name = "TIME")]
    pub(super) duration: Option<Wait>,

    /// End when nothing came for this long, with exit code 0
    #[arg(long, value_name = "TIME")]
    pub(super) idle: Option<Wait>,
}

impl UntilFlags {
    /// When the flow ends.
    pub(super) fn until(&self) -> Until {
        Until {
            count: self.count.map(|Count(count)| count),
            timeout: self.timeout.map(|Wait(time)| time),
            duration: self.duration.map(|Wait(time)| time),
            idle: self.idle.map(|Wait(time)| time),
            until: None,
        }
    }
}
