//! What all commands that receive have in common: where messages go, and what is said at the end.

use super::{Commands, Counted, Exec, Printed, Ready, Source, Stages, Tree, Until, mapped};
use crate::error::{Kind, Result};
use crate::output::{Console, Output};
use crate::stop::Stop;

/// What is shown instead of messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Summary {
    /// How many there are, each second (`--message-rate`).
    Rate,
    /// Their topics, at the end (`--tree`).
    Tree {
        /// As an object for each topic.
        json: bool,
    },
}

/// Where messages go, and which.
pub struct Receiver<'a> {
    /// They are shown here.
    pub output: &'a mut Output,
    /// Unless this command gets them.
    pub exec: Option<&'a Exec>,
    /// Or something about them is shown.
    pub summary: Option<Summary>,
    /// Which pass, and how they are read.
    pub stages: &'a Stages,
    /// When it ends.
    pub until: &'a Until,
    /// Who is told when messages can come.
    pub ready: &'a Ready,
    /// For what is not a message.
    pub console: Console,
}

impl Receiver<'_> {
    /// Receives until the end that was asked for. What was not delivered is said in one line.
    ///
    /// # Errors
    /// Those of [`run`](super::run()); [`Kind::Lost`] for an account that does not add up.
    pub async fn receive<S: Source>(self, source: &mut S, stop: &mut Stop) -> Result<()> {
        let (stages, until) = (self.stages, self.until);
        let mut announcement = self.ready.announcement()?;
        let source = &mut announcement.watch(source);
        let (ended, mut account) = match (self.exec, self.summary) {
            (None, Some(Summary::Rate)) => {
                let target = Counted::new(self.output);
                let carried = mapped::carry(source, target, stages, until, stop).await;
                (carried.0, carried.1)
            }
            (None, Some(Summary::Tree { json })) => {
                let target = Tree::new(self.output);
                let (ended, account, target) =
                    mapped::carry(source, target, stages, until, stop).await;
                // Also after a signal, which is how most of them end.
                (ended.and(target.show(json).await), account)
            }
            (None, None) => {
                let target = Printed::new(self.output);
                let carried = mapped::carry(source, target, stages, until, stop).await;
                (carried.0, carried.1)
            }
            (Some(exec), _) => {
                let target = Commands::new(exec, self.console);
                let carried = mapped::carry(source, target, stages, until, stop).await;
                (carried.0, carried.1)
            }
        };
        let gone = matches!(&ended, Err(error) if error.kind() == Kind::ReaderGone);
        account.undecoded = stages.undecoded();
        let text = account.receipt()?;
        if let Some(text) = text.filter(|_| !gone) {
            self.console.note(text);
        }
        ended
    }
}
