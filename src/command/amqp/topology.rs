//! `amqp declare`, `delete`, `bind`, `unbind`, `purge`: exchanges, queues and bindings.

use bytestring::ByteString;

use super::session::SessionArgs;
use crate::amqp::Channel;
use crate::amqp::topology::{Binding, Declaration, Deletion, QueueState};
use crate::connect::Retry;
use crate::error::{Result, counted};
use crate::output::{Console, Format, Output, Style};
use crate::stop::Stop;

/// What is to be made, checked or taken away.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The connection.
    pub session: SessionArgs,
    /// What is to be done, in this order; at least one.
    pub actions: Vec<Action>,
    /// Results as JSON, one object a line (`--output json`), instead of words.
    pub json: bool,
    /// What the terminal shows.
    pub style: Style,
}

/// One change or check.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// `declare exchange NAME`, `declare queue NAME`; with `--passive` it is only checked.
    Declare(Declaration),
    /// `delete exchange NAME`, `delete queue NAME`.
    Delete(Deletion),
    /// `bind`
    Bind(Binding),
    /// `unbind`
    Unbind(Binding),
    /// `purge QUEUE`
    Purge(ByteString),
}

/// Does it, one after the other, until the first refusal.
///
/// # Errors
/// No connection, what the server refuses; see [`crate::error::Kind`].
pub async fn run(plan: Plan) -> Result<()> {
    let output = Output::open(Format::Raw, plan.style)?;
    run_to(plan, output).await
}

/// Does the same with `output` for the results.
///
/// # Errors
/// As [`run`].
pub async fn run_to(plan: Plan, mut output: Output) -> Result<()> {
    let notes = Console::new(plan.style);
    let mut stop = Stop::watch()?;
    let session = plan.session.session("topology", Retry::Never, notes)?;
    let work = async {
        let client = session.connect().await?;
        let done = carry_out(&plan, &client.channel().await?, &mut output).await;
        client.close().await;
        done
    };
    let done = stop.unless_asked("interrupted", work).await;
    output.flush().await?;
    done
}

async fn carry_out(plan: &Plan, channel: &Channel, output: &mut Output) -> Result<()> {
    for action in &plan.actions {
        let line = match action {
            Action::Declare(declaration) => {
                let state = channel.declare(declaration).await?;
                state.map(|state| queue_line(&state, plan.json))
            }
            Action::Delete(deletion) => {
                let gone = channel.delete(deletion).await?;
                match deletion {
                    Deletion::Queue { name, .. } => Some(deletion_line(name, gone, plan.json)),
                    // As of a queue, the server does not say whether it was there.
                    Deletion::Exchange { .. } if plan.json => None,
                    Deletion::Exchange { name, .. } => Some(deletion_line(name, 0, false)),
                }
            }
            Action::Bind(binding) => channel.bind(binding).await.map(|()| None)?,
            Action::Unbind(binding) => channel.unbind(binding).await.map(|()| None)?,
            Action::Purge(queue) => {
                let gone = channel.purge(queue).await?;
                Some(purge_line(queue, gone, plan.json))
            }
        };
        if let Some(line) = line {
            output.line(&line);
        }
    }
    Ok(())
}

/// `orders 12 messages, 1 consumer` with the name first, as a script reads it.
fn queue_line(state: &QueueState, json: bool) -> String {
    let QueueState {
        name,
        messages,
        consumers,
    } = state;
    if json {
        let queue = &**name;
        return serde_json::json!({"queue": queue, "messages": messages, "consumers": consumers})
            .to_string();
    }
    let messages = counted((*messages).into(), "message");
    format!(
        "{name}\t{messages}\t{}",
        counted((*consumers).into(), "consumer")
    )
}

fn purge_line(queue: &str, gone: u32, json: bool) -> String {
    match json {
        true => removed(queue, gone),
        false => format!("{queue}\t{} removed", counted(gone.into(), "message")),
    }
}

/// A server does not say whether the queue existed: deleting one that does not is a success, of no messages.
fn deletion_line(name: &str, gone: u32, json: bool) -> String {
    match gone {
        _ if json => removed(name, gone),
        0 => format!("{name}\tdeleted, or did not exist"),
        more => format!("{name}\tdeleted with {}", counted(more.into(), "message")),
    }
}

fn removed(queue: &str, gone: u32) -> String {
    serde_json::json!({"queue": queue, "removed": gone}).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deletion_claims_no_queue_that_may_not_have_been_there() {
        assert_eq!(deletion_line("q", 0, false), "q\tdeleted, or did not exist");
        assert_eq!(deletion_line("q", 1, false), "q\tdeleted with 1 message");
        assert_eq!(deletion_line("q", 2, false), "q\tdeleted with 2 messages");
        assert_eq!(deletion_line("q", 0, true), r#"{"queue":"q","removed":0}"#);
    }
}
