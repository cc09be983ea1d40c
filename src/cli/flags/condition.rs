//! The flags with conditions on messages, the same for every command that receives.

use clap::Args;

use crate::error::{Error, Result};
use crate::flow::Stages;
use crate::message::fields::Fields;
use crate::output::{Console, Style};
use crate::payload::captures::Pattern;
use crate::payload::expect::Condition;
use crate::payload::map::Map;

/// Which messages are selected, and what they must be.
#[derive(Args, Debug)]
#[command(next_help_heading = "Conditions")]
pub(crate) struct ConditionFlags {
    /// Only messages that meet this condition: payload, a JSON pointer such as /temp, size, age or a field below, then ==, !=, <, <=, >, >= or contains, then a value, as 'payload == 21.5', '/temp > 20' and 'topic contains kitchen'; exists(/temp) and changed(/temp); joined by and, or, not and parentheses; or 'jq: .temp > 20'; may be repeated
    #[arg(long, value_name = "CONDITION")]
    pub(crate) filter: Vec<Condition>,

    /// End at a message that meets this condition; any other end fails: with exit code 5 at --timeout or --message-timeout or before -C messages, else 7
    #[arg(long, value_name = "CONDITION")]
    pub(crate) until: Option<Condition>,

    /// Fail with exit code 7 at a message that does not meet this condition; may be repeated
    #[arg(long, value_name = "CONDITION")]
    pub(crate) expect: Vec<Condition>,
}

/// Which messages are sent.
#[derive(Args, Debug)]
pub(crate) struct FilterFlags {
    /// Only messages that meet this condition: payload, a JSON pointer such as /temp, size, age or a field below, then ==, !=, <, <=, >, >= or contains, then a value, as 'payload == 21.5', '/temp > 20' and 'topic contains kitchen'; exists(/temp) and changed(/temp); joined by and, or, not and parentheses; or 'jq: .temp > 20'; may be repeated
    #[arg(long, value_name = "CONDITION")]
    pub(crate) filter: Vec<Condition>,
}

impl FilterFlags {
    /// The stages of messages with these fields that are to be sent.
    pub(crate) fn stages(self, map: MapFlags, fields: &Fields, style: Style) -> Result<Stages> {
        check("--filter", &self.filter, fields)?;
        Ok(Stages {
            filter: self.filter,
            console: Some(Console::new(style)),
            ..map.stages()
        })
    }
}

/// What becomes of messages that are to be sent.
#[derive(Args, Debug)]
pub(crate) struct MapFlags {
    /// Send what this makes of each message: 'jq: EXPRESSION' of its payload as JSON; a string is sent as its text, anything else as JSON; no output sends nothing, several send several messages
    #[arg(long, value_name = "MAP")]
    map: Option<Map>,
}

impl MapFlags {
    /// As it was given.
    pub(crate) fn words(&self) -> Option<String> {
        self.map.as_ref().map(ToString::to_string)
    }

    /// The stages of messages that are to be sent.
    pub(crate) fn stages(self) -> Stages {
        Stages {
            map: self.map,
            ..Stages::default()
        }
    }
}

impl ConditionFlags {
    /// The conditions on messages of any protocol, whose topics match these patterns.
    pub(crate) fn of_any(&self, patterns: Vec<Pattern>, style: Style) -> Stages {
        Stages {
            filter: self.filter.clone(),
            expect: self.expect.clone(),
            patterns,
            console: Some(Console::new(style)),
            ..Stages::default()
        }
    }

    /// The conditions on messages with these fields.
    pub(crate) fn stages(&self, fields: &Fields, style: Style) -> Result<Stages> {
        self.stages_of(fields, style, Vec::new())
    }

    /// The conditions on messages whose topics match these patterns.
    pub(crate) fn stages_of(
        &self,
        fields: &Fields,
        style: Style,
        patterns: Vec<Pattern>,
    ) -> Result<Stages> {
        let is_capture = |key: &str| patterns.iter().any(|it| it.has(key));
        check_in("--filter", &self.filter, fields, is_capture)?;
        check_in("--expect", &self.expect, fields, is_capture)?;
        check_in("--until", &self.until, fields, is_capture)?;
        Ok(self.of_any(patterns, style))
    }
}

/// Refuses conditions on unknown fields.
pub(crate) fn check<'a>(
    flag: &str,
    conditions: impl IntoIterator<Item = &'a Condition>,
    fields: &Fields,
) -> Result<()> {
    check_in(flag, conditions, fields, |_| false)
}

fn check_in<'a>(
    flag: &str,
    conditions: impl IntoIterator<Item = &'a Condition>,
    fields: &Fields,
    is_capture: impl Fn(&str) -> bool + Copy,
) -> Result<()> {
    for condition in conditions {
        let checked = condition.check_in(fields, is_capture);
        checked.map_err(|why| Error::usage(format!("{flag} '{condition}': {why}")))?;
    }
    Ok(())
}
