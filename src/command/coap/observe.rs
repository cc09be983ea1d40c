//! `coap observe`: shows the notifications of a resource, or runs a command for each.

use std::time::Duration;

use bytes::Bytes;

use super::client::Tracer;
use super::session::{SessionArgs, Wording};
use super::source::Observed;
use crate::coap::code::Code;
use crate::command::hangup::reopen_destination;
use crate::connect::Retry;
use crate::error::Result;
use crate::flow::{Exec, Ready, Receiver, Stages, Summary, Until};
use crate::output::{Console, Destination, Format, Output, Style};
use crate::payload::{Bodies, Encoding, Source};
use crate::stop::Stop;

/// What is observed, and for how long.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Where, and how.
    pub session: SessionArgs,
    /// What the request says that is mostly left to us.
    pub wording: Wording,
    /// GET or FETCH.
    pub method: Code,
    /// When it ends.
    pub until: Until,
    /// Which notifications pass, and what they must be.
    pub stages: Stages,
    /// Run a command for each notification instead of showing it.
    pub exec: Option<Exec>,
    /// The body of a FETCH, and how it is spelled.
    pub source: Source,
    /// How the body is spelled.
    pub encoding: Encoding,
    /// Register again when nothing came within Max-Age.
    pub reregister: bool,
    /// Whether to observe again when the server was lost.
    pub retry: Retry,
    /// Ping the server this often.
    pub keep_alive: Option<Duration>,
    /// Tell the server when it is over.
    pub deregister: bool,
    /// Shown instead of messages.
    pub summary: Option<Summary>,
    /// Who is told when messages can come.
    pub ready: Ready,
    /// Where messages go.
    pub destination: Destination,
    /// How a notification is shown.
    pub format: Format,
    /// What the terminal shows.
    pub style: Style,
}

/// Observes.
///
/// # Errors
/// A refusal, a resource that cannot be observed, a deadline, a signal.
pub(crate) async fn run(plan: Plan) -> Result<()> {
    plan.stages.load()?;
    let place = plan.session.only_place()?;
    let mut stop = Stop::watch()?;
    let mut output = Output::open_at(&plan.destination, plan.format.clone(), plan.style)?;
    let notes = Console::new(plan.style);
    reopen_destination(&mut stop, &plan.destination, notes)?;
    let tracer = Tracer::open(&plan.session, notes)?;
    let body = stop
        .unless_asked("interrupted while reading the body", body(&plan))
        .await?;
    let mut source = Observed::new(&plan, &place, &tracer, body);
    let receiver = Receiver {
        output: &mut output,
        exec: plan.exec.as_ref(),
        summary: plan.summary,
        stages: &plan.stages,
        until: &plan.until,
        ready: &plan.ready,
        console: notes,
    };
    let ended = receiver.receive(&mut source, &mut stop).await;
    let closed = stop.close(source.close()).await.unwrap_or(Ok(()));
    ended
        .and(closed)
        .and_then(|()| tracer.finish(&plan.session))
}

/// What a FETCH asks for; nothing for a GET.
async fn body(plan: &Plan) -> Result<Bytes> {
    Bodies::open(&plan.source, plan.encoding)?.body().await
}
