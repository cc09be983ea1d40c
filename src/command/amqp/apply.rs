//! `amqp apply`: makes a topology what a file describes, or checks whether it is.

use std::path::PathBuf;

use serde_json::json;

use super::session::SessionArgs;
use crate::amqp::topology::{Declaration, Destination};
use crate::amqp::{Client, definitions};
use crate::connect::Retry;
use crate::error::{Error, Kind, Result};
use crate::file;
use crate::output::{Console, Format, Output, Style};
use crate::stop::Stop;

/// What is to be there.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The connection.
    pub session: SessionArgs,
    /// The description (`FILE`), see [`crate::amqp::definitions`].
    pub file: PathBuf,
    /// Change nothing, and fail unless all is as described (`--check`).
    pub check: bool,
    /// A line of JSON for each thing (`--output json`), instead of words.
    pub json: bool,
    /// What the terminal shows.
    pub style: Style,
}

/// Applies or checks the file; a line for each thing says what came of it.
///
/// # Errors
/// [`Kind::Local`]: the file cannot be read; [`Kind::Usage`]: it is wrong; no connection; [`Kind::Refused`]: something is
/// not as described, or cannot be made so.
pub(crate) async fn run(plan: Plan) -> Result<()> {
    let name = plan.file.display();
    let text = file::read_text(&plan.file, file::SMALL)?;
    let wanted = definitions::parse(&text).map_err(|flaw| flaw.refuses(&name))?;
    let mut output = Output::open(Format::Raw, plan.style)?;
    let notes = Console::new(plan.style);
    let mut stop = Stop::watch()?;
    let session = plan.session.session("apply", Retry::Never, notes)?;
    let work = async {
        let client = session.connect().await?;
        let done = carry_out(&plan, &wanted, &client, &mut output).await;
        client.close().await;
        done
    };
    let done = stop.unless_asked("interrupted", work).await;
    output.flush().await?;
    let (told, wrong) = done?;
    if plan.check && told < wanted.len() {
        let left = wanted.len() - told;
        notes.note(format_args!(
            "bindings cannot be checked over AMQP: {left} were skipped"
        ));
    }
    match wrong {
        0 => Ok(()),
        _ if plan.check => Err(Error::new(
            Kind::Refused,
            format!("{wrong} of {told} differ from {name}"),
        )),
        _ => Err(Error::new(
            Kind::Refused,
            format!("{wrong} of {told} could not be created as described in {name}"),
        )),
    }
}

/// How many things were told of, and how many of them are not as they should be.
async fn carry_out(
    plan: &Plan,
    wanted: &[Declaration],
    client: &Client,
    output: &mut Output,
) -> Result<(usize, usize)> {
    let (mut told, mut wrong) = (0, 0);
    for what in wanted {
        let done = match (plan.check, existence(what)) {
            (true, None) => continue,
            (true, Some(there)) => compared(client, &there, what).await,
            (false, _) => declared(client, what).await,
        };
        let why = match done {
            Ok(()) => None,
            Err(error) if error.kind() == Kind::Refused => Some(error.text().to_owned()),
            Err(error) => return Err(error),
        };
        told += 1;
        wrong += usize::from(why.is_some());
        output.line(&line(what, why.as_deref(), plan.json));
    }
    Ok((told, wrong))
}

/// On a channel of its own: a refusal closes it.
async fn declared(client: &Client, what: &Declaration) -> Result<()> {
    let channel = client.channel().await?;
    channel.declare(what).await?;
    channel.close().await
}

/// Declares only what is there already, by which the server compares it and changes nothing.
async fn compared(client: &Client, there: &Declaration, what: &Declaration) -> Result<()> {
    declared(client, there).await?;
    declared(client, what).await
}

fn existence(what: &Declaration) -> Option<Declaration> {
    match what {
        Declaration::Exchange(exchange) => {
            Some(Declaration::ExchangeIsThere(exchange.name.clone()))
        }
        Declaration::Queue(queue) => Some(Declaration::QueueIsThere(queue.name.clone())),
        _ => None,
    }
}

fn line(what: &Declaration, why: Option<&str>, json: bool) -> String {
    let (kind, name) = match what {
        Declaration::Exchange(exchange) => ("exchange", exchange.name.to_string()),
        Declaration::ExchangeIsThere(name) => ("exchange", name.to_string()),
        Declaration::Queue(queue) => ("queue", queue.name.to_string()),
        Declaration::QueueIsThere(name) => ("queue", name.to_string()),
        Declaration::Binding(binding) => {
            let (Destination::Queue(to) | Destination::Exchange(to)) = &binding.destination;
            (
                "binding",
                format!("{} {} {to}", binding.source, binding.key),
            )
        }
    };
    match (json, why) {
        (true, _) => {
            json!({"kind": kind, "name": name, "ok": why.is_none(), "why": why}).to_string()
        }
        (false, None) => format!("{kind}\t{name}\tok"),
        (false, Some(why)) => format!("{kind}\t{name}\t{why}"),
    }
}
