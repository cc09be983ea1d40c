//! `amqp get`: takes what a queue has, without waiting for more.

use std::time::SystemTime;

use bytestring::ByteString;

use super::consume::Settle;
use super::link::{refused_as_too_large, too_large};
use super::session::{Session, SessionArgs, messages};
use super::source::{COUNTED, is_counted};
use crate::amqp::topology::Declaration;
use crate::amqp::v091::{Connection, Incoming};
use crate::amqp::wish::Settlement;
use crate::connect::Retry;
use crate::error::{Error, Kind, Result};
use crate::flow::Stages;
use crate::output::{Console, Destination, Format, Output, Style};
use crate::stop::Stop;

/// What to take, and what becomes of it.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The connection.
    pub session: SessionArgs,
    /// The queue (`QUEUE`).
    pub queue: ByteString,
    /// What is made before (`--declare`).
    pub declare: Vec<Declaration>,
    /// At most so many messages (`-C`, default 1); `None` (`--all`): until the queue is empty.
    pub count: Option<u64>,
    /// What happens to a message that was shown (`--ack`). What is given back is given back at the end, so that it is
    /// not met again.
    pub settle: Settle,
    /// How bodies are read (`--decode`, `--decompress`).
    pub stages: Stages,
    /// Where messages go.
    pub destination: Destination,
    /// How a message is shown (`--output`, `-F`).
    pub format: Format,
    /// What the terminal shows.
    pub style: Style,
}

/// Takes messages and shows them on standard output.
///
/// # Errors
/// [`Kind::Refused`] when the queue is empty or not there; no connection; see [`Kind`].
pub async fn run(plan: Plan) -> Result<()> {
    plan.stages.load()?;
    let output = Output::open_at(&plan.destination, plan.format.clone(), plan.style)?;
    run_to(plan, output).await
}

/// Takes messages and shows them on `output`.
///
/// # Errors
/// As [`run`].
pub async fn run_to(plan: Plan, mut output: Output) -> Result<()> {
    let mut stop = Stop::watch()?;
    let notes = Console::new(plan.style);
    let session = plan.session.session("get", Retry::Never, notes)?;
    let work = async {
        let making = async |session: &Session| session.receiver(&plan.declare, false).await;
        let mut connection = session.connect_by(making).await?;
        let done = take_all(&plan, &mut connection, &mut output, notes).await;
        // The end of the connection gives back what was only looked at.
        let closed = connection.close().await;
        match plan.settle {
            Settle::Auto => done,
            _ => done.and(closed),
        }
    };
    stop.unless_asked("interrupted", work).await
}

async fn take_all(
    plan: &Plan,
    connection: &mut Connection,
    output: &mut Output,
    notes: Console,
) -> Result<()> {
    let at_once = plan.settle == Settle::Auto;
    let (mut taken, mut refused) = (0, 0);
    let mut last = None;
    let mut told = false;
    while plan.count.is_none_or(|count| taken < count) {
        let mut delivery = match connection.get(&plan.queue, at_once).await? {
            Incoming::Delivery(delivery) => delivery,
            Incoming::TooLarge { tag, size } => {
                notes.warn(too_large(tag, size));
                refused += 1;
                continue;
            }
            Incoming::Empty | Incoming::Cancelled => break,
        };
        taken += 1;
        let stays = matches!(plan.settle, Settle::Peek | Settle::Requeue);
        if stays && !told && is_counted(&delivery) {
            notes.warn(COUNTED);
            told = true;
        }
        plan.stages.prepare(&mut delivery.message);
        for message in plan.stages.mapped(delivery.message, SystemTime::now())? {
            output.message(&message)?;
        }
        connection.alive_during(output.flush()).await?;
        match plan.settle {
            Settle::Auto | Settle::Peek => {}
            Settle::Requeue => last = Some(delivery.tag),
            other => connection.settle(delivery.tag, false, other.settlement()),
        }
    }
    if let Some(last) = last {
        connection.settle(last, true, Settlement::Released);
    }
    if refused > 0 {
        let why = refused_as_too_large();
        let text = format!("{why} for {refused} of {}", messages(taken + refused));
        return Err(why.reworded(text));
    }
    if taken == 0 {
        let text = format!(
            "the queue {:?} on {} is empty",
            plan.queue,
            connection.target()
        );
        return Err(Error::new(Kind::Refused, text));
    }
    Ok(())
}
