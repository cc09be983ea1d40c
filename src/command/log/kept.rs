//! A store, or the server that gets what is refused, as one kind of target.

use tokio::time::timeout;

use crate::command::ends::target::AnyTarget;
use crate::error::Result;
use crate::flow::until::messages;
use crate::flow::{Number, Progress, Stored, Target, Unit};
use crate::message::Message;
use crate::output::Console;
use crate::stop::DRAIN;

/// Where messages of `log` go.
pub(super) enum Kept<'a> {
    /// Into a store.
    Stored(Box<Stored>),
    /// Elsewhere.
    Sent(Box<AnyTarget<'a>>),
}

/// The same of whichever target it is.
macro_rules! each {
    ($self:ident, $target:ident => $what:expr) => {
        match $self {
            Kept::Stored($target) => $what,
            Kept::Sent($target) => $what,
        }
    };
}

impl Kept<'_> {
    /// Closes files and connections, and says what was missing in messages.
    ///
    /// # Errors
    /// Those of the target.
    pub(super) async fn close(self, console: Console) -> Result<()> {
        match self {
            Self::Stored(mut stored) => {
                // One that still waits for its server has nothing that was told to be stored.
                let closed = timeout(DRAIN, stored.close()).await;
                for (what, count) in closed.unwrap_or_default() {
                    let messages = messages(count);
                    console.note(format_args!("{}: {messages} without {what}", stored.name()));
                }
                Ok(())
            }
            Self::Sent(target) => target.close().await,
        }
    }
}

impl Target for Kept<'_> {
    fn name(&self) -> String {
        each!(self, target => target.name())
    }

    fn unit(&self) -> Unit {
        each!(self, target => target.unit())
    }

    fn has_room(&self) -> bool {
        each!(self, target => target.has_room())
    }

    fn is_free(&self) -> bool {
        each!(self, target => target.is_free())
    }

    fn is_idle(&self) -> bool {
        each!(self, target => target.is_idle())
    }

    fn unsent(&self) -> u64 {
        each!(self, target => target.unsent())
    }

    fn take(&mut self, number: Number, message: Message) -> Result<()> {
        each!(self, target => target.take(number, message))
    }

    fn finish(&mut self) {
        each!(self, target => target.finish());
    }

    async fn drive(&mut self, into: &mut Vec<Progress>) -> Result<()> {
        each!(self, target => target.drive(into).await)
    }
}
