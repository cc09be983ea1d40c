//! A store, or the server that gets what is refused, as one kind of target.

use tokio::time::timeout;

use crate::command::ends::target::AnyTarget;
use crate::error::Result;
use crate::flow::until::messages;
use crate::flow::{Number, Outcome, Printed, Progress, Stored, Target, target_of};
use crate::message::Message;
use crate::output::{Console, Output};
use crate::stop::DRAIN;
use crate::store::Times;

/// Where messages of `log` go.
pub(super) enum Kept<'a> {
    /// Into a store.
    Stored(Box<Stored>),
    /// To standard output.
    Shown(Box<Shown>),
    /// Elsewhere.
    Sent(Box<AnyTarget<'a>>),
}

target_of!(Kept<'_>: Stored Shown Sent);

/// Standard output.
pub(super) struct Shown {
    printed: Printed<Output>,
    times: Times,
    /// The numbers of messages that nothing is shown of, until that is told.
    empty: Vec<Number>,
}

impl Shown {
    pub(super) const fn new(output: Output, times: Times) -> Self {
        Self {
            printed: Printed::new(output),
            times,
            empty: Vec::new(),
        }
    }

    fn missing(&self) -> Vec<(String, u64)> {
        let mut missing = self.printed.output().missing();
        missing.extend(self.times.missing());
        missing
    }
}

impl Target for Shown {
    fn name(&self) -> String {
        self.printed.name()
    }

    fn has_room(&self) -> bool {
        self.printed.has_room()
    }

    fn is_free(&self) -> bool {
        self.printed.is_free()
    }

    fn is_idle(&self) -> bool {
        self.printed.is_idle()
    }

    fn take(&mut self, number: Number, mut message: Message) -> Result<()> {
        self.times.set(&mut message);
        let before = self.printed.output().pending();
        self.printed.take(number, message)?;
        if self.printed.output().pending() == before {
            self.empty.push(number);
        }
        Ok(())
    }

    async fn drive(&mut self, into: &mut Vec<Progress>) -> Result<()> {
        let empty = self.empty.drain(..);
        into.extend(empty.map(|number| Progress::One(number, Outcome::Filtered)));
        self.printed.drive(into).await
    }
}

impl Kept<'_> {
    /// Closes files and connections, and says what was missing in messages.
    ///
    /// # Errors
    /// Those of the target.
    pub(super) async fn close(self, console: Console) -> Result<()> {
        let name = self.name();
        let missing = match self {
            Self::Stored(mut stored) => {
                // One that still waits for its server has nothing that was told to be stored.
                let closed = timeout(DRAIN, stored.close()).await;
                stored.tell(closed.unwrap_or_default());
                return Ok(());
            }
            Self::Shown(shown) => shown.missing(),
            Self::Sent(target) => return target.close().await,
        };
        for (what, count) in missing {
            let messages = messages(count);
            console.note(format_args!("{name}: {messages} without {what}"));
        }
        Ok(())
    }
}
