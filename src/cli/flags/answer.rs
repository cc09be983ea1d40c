//! The flags that say what requests are answered with, the same for every command that answers.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

use bytes::Bytes;
use clap::Args;

use crate::cli::syntax::values;
use crate::error::{Error, Result};
use crate::flow::{Answer, Exec};

/// What the reply is; beside these, --exec.
#[derive(Args, Debug)]
pub(crate) struct AnswerFlags {
    /// Reply with the request itself
    #[arg(long, conflicts_with_all = ["message", "reply", "exec"])]
    echo: bool,

    /// Reply with this text; with --exec the reply is the output of the command
    #[arg(
        short = 'm',
        long,
        value_name = "TEXT",
        allow_hyphen_values = true,
        conflicts_with_all = ["reply", "exec"]
    )]
    message: Option<OsString>,

    /// Reply with this text with its placeholders filled in: {payload}, {topic} and the other fields listed below, {1}, {2}, … for the levels of the topic, {/pointer} into a JSON request, {seq}, {time}, {unix_ms}, {uuid}, {random:LOW-HIGH}
    #[arg(
        id = "reply",
        long = "template",
        value_name = "TEXT",
        allow_hyphen_values = true,
        conflicts_with = "exec"
    )]
    template: Option<String>,
}

impl AnswerFlags {
    /// What the answer is; `is_name` knows the places of a template.
    pub(crate) fn answer(
        self,
        exec: Option<Exec>,
        is_name: impl Fn(&str) -> bool,
    ) -> Result<Answer> {
        match (self.echo, self.message, self.template, exec) {
            (true, ..) => Ok(Answer::Echo),
            (_, Some(text), ..) => Ok(Answer::Text(Bytes::from(text.into_vec()))),
            (_, _, Some(text), _) => {
                values::template("--template", &text, is_name).map(Answer::Template)
            }
            (.., Some(exec)) => Ok(Answer::Exec(exec)),
            _ => Err(Error::usage("no reply was given")
                .hint("use --echo, -m TEXT, --template TEXT or --exec COMMAND")),
        }
    }
}
