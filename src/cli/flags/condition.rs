//! The flags with conditions on messages, the same for every command that receives.

use clap::Args;

use crate::flow::Stages;
use crate::payload::expect::Condition;

/// Which messages are selected, and what they must be.
#[derive(Args, Debug)]
#[command(next_help_heading = "Conditions")]
pub(crate) struct ConditionFlags {
    /// Only messages that meet this condition: 'payload == 21.5', '/temp > 20', 'topic contains kitchen'; may be repeated
    #[arg(long, value_name = "CONDITION")]
    pub(crate) filter: Vec<Condition>,

    /// End at a message that meets this condition; any other end fails with exit code 7
    #[arg(long, value_name = "CONDITION")]
    pub(crate) until: Option<Condition>,

    /// Fail with exit code 7 at a message that does not meet this condition; may be repeated
    #[arg(long, value_name = "CONDITION")]
    pub(crate) expect: Vec<Condition>,
}

impl ConditionFlags {
    pub(crate) fn stages(&self) -> Stages {
        Stages {
            filter: self.filter.clone(),
            expect: self.expect.clone(),
        }
    }
}
