//! `amqp get`: takes what a queue has, without waiting for more.

use bytestring::ByteString;

use super::consume::Settle;
use super::session::{SessionArgs, prepared};
use crate::amqp::Channel;
use crate::amqp::topology::Declaration;
use crate::connect::Retry;
use crate::error::{Error, Kind, Result};
use crate::output::{Console, Format, Output, Style};
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
    let output = Output::open(plan.format.clone(), plan.style)?;
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
        let client = session.connect().await?;
        let (channel, _) = prepared(&client, &plan.declare).await?;
        let done = take_all(&plan, &channel, &mut output).await;
        // The end of the channel gives back what was only looked at.
        let closed = channel.close().await;
        client.close().await;
        done.and(closed)
    };
    stop.unless_asked("interrupted", work).await
}

async fn take_all(plan: &Plan, channel: &Channel, output: &mut Output) -> Result<()> {
    let mut taken = 0;
    let mut last = None;
    while plan.count.is_none_or(|count| taken < count) {
        let Some((delivery, _)) = channel.get(&plan.queue).await? else {
            break;
        };
        taken += 1;
        output.message(&delivery.message)?;
        if plan.settle == Settle::Auto {
            channel.ack(delivery.tag, false).await?;
        }
        output.flush().await?;
        match plan.settle {
            Settle::Ack => channel.ack(delivery.tag, false).await?,
            Settle::Nack => channel.nack(delivery.tag, false, false).await?,
            Settle::Reject => channel.reject(delivery.tag, false).await?,
            Settle::Requeue => last = Some(delivery.tag),
            Settle::Auto | Settle::Peek => {}
        }
    }
    if let Some(last) = last {
        channel.nack(last, true, true).await?;
    }
    if taken == 0 {
        let text = format!(
            "the queue {:?} on {} is empty",
            plan.queue,
            channel.target()
        );
        return Err(Error::new(Kind::Refused, text));
    }
    Ok(())
}
