//! The flags with conditions on messages, the same for every command that receives.

use clap::Args;

use crate::error::{Error, Result};
use crate::flow::Stages;
use crate::message::fields::Fields;
use crate::payload::expect::Condition;

/// Which messages are selected, and what they must be.
#[derive(Args, Debug)]
#[command(next_help_heading = "Conditions")]
pub(crate) struct ConditionFlags {
    /// Only messages that meet this condition: payload, a JSON pointer such as /temp or a field below, then ==, !=, <, <=, >, >= or contains, then a value, as 'payload == 21.5', '/temp > 20' and 'topic contains kitchen'; may be repeated
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
    /// The conditions on messages of any protocol.
    pub(crate) fn of_any(&self) -> Stages {
        Stages {
            filter: self.filter.clone(),
            expect: self.expect.clone(),
            ..Stages::default()
        }
    }

    /// The conditions on messages with these fields.
    pub(crate) fn stages(&self, fields: &Fields) -> Result<Stages> {
        check("--filter", &self.filter, fields)?;
        check("--expect", &self.expect, fields)?;
        check("--until", &self.until, fields)?;
        Ok(self.of_any())
    }
}

/// Refuses conditions on unknown fields.
pub(crate) fn check<'a>(
    flag: &str,
    conditions: impl IntoIterator<Item = &'a Condition>,
    fields: &Fields,
) -> Result<()> {
    for condition in conditions {
        let checked = condition.check(fields);
        checked.map_err(|why| Error::usage(format!("{flag} '{condition}': {why}")))?;
    }
    Ok(())
}
