//! Round trips.

use fe2o3_amqp::Session;
use tokio::sync::{mpsc, oneshot};

use super::super::client::Options;
use super::thread::{Opened, Ready, Thread};
use crate::connect::Target;
use crate::error::Result;

/// A connection that measures round trips.
pub(crate) struct Pinger {
    thread: Thread,
    commands: mpsc::UnboundedSender<oneshot::Sender<Result<()>>>,
}

impl Pinger {
    /// Connects and logs in, within the target's time for connecting.
    ///
    /// # Errors
    /// No connection, a refused login, another protocol, silence.
    pub(crate) async fn connect(target: &Target, options: &Options) -> Result<Self> {
        let (commands, asked) = mpsc::unbounded_channel();
        let job = |opened, ready| serve(opened, ready, asked);
        let thread = Thread::start(target, options, job).await?;
        Ok(Self { thread, commands })
    }

    /// Begins and ends a session: the cheapest request that is answered and changes nothing.
    ///
    /// # Errors
    /// A refusal, a lost connection, silence.
    pub(crate) async fn ping(&self) -> Result<()> {
        let (reply, answered) = oneshot::channel();
        let _ = self.commands.send(reply);
        let answered = self.thread.unless_panicked(answered).await?;
        answered.unwrap_or_else(|_| Err(self.thread.gone()))
    }

    /// Ends the connection cleanly where the server plays along, and within a moment in any case.
    pub(crate) async fn close(self) {
        drop(self.commands);
        self.thread.join().await;
    }
}

async fn serve(
    mut opened: Opened,
    ready: Ready,
    mut asked: mpsc::UnboundedReceiver<oneshot::Sender<Result<()>>>,
) {
    // The session of the connection leaves its place to those that are measured.
    let ended = end(&mut opened).await;
    let _ = ready.send(ended.map(|()| opened.dialect));
    while let Some(reply) = asked.recv().await {
        let pinged = ping(&mut opened).await;
        let _ = reply.send(pinged);
    }
    opened.close().await;
}

async fn ping(opened: &mut Opened) -> Result<()> {
    let begun = tokio::time::timeout(opened.patience, Session::begin(&mut opened.connection)).await;
    opened.session = match begun {
        Ok(Ok(session)) => session,
        Ok(Err(why)) => return Err(opened.explain("a session", why).await),
        Err(_) => {
            return Err(super::diagnose::silent(
                &opened.target,
                "a session",
                opened.patience,
            ));
        }
    };
    end(opened).await
}

async fn end(opened: &mut Opened) -> Result<()> {
    match tokio::time::timeout(opened.patience, opened.session.end()).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) => Err(opened
            .explain("to end a session", super::diagnose::End::Gone)
            .await),
        Err(_) => Err(super::diagnose::silent(
            &opened.target,
            "to end a session",
            opened.patience,
        )),
    }
}
