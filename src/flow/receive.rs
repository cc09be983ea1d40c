//! What all commands that receive have in common: where messages go, and what is said at the end.

use super::{Commands, Counted, Exec, Printed, Ready, Source, Stages, Until, engine};
use crate::error::{Kind, Result};
use crate::output::{Console, Output};
use crate::stop::Stop;

/// Where messages go, and which.
pub struct Receiver<'a> {
    /// They are shown here.
    pub output: &'a mut Output,
    /// Unless this command gets them.
    pub exec: Option<&'a Exec>,
    /// Or only their number each second is shown.
    pub counts: bool,
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
        let (ended, mut account) = match self.exec {
            None if self.counts => {
                let mut target = Counted::new(self.output);
                engine::carry(source, &mut target, stages, until, stop).await
            }
            None => {
                let mut target = Printed::new(self.output);
                engine::carry(source, &mut target, stages, until, stop).await
            }
            Some(exec) => {
                let mut target = Commands::new(exec, self.console);
                engine::carry(source, &mut target, stages, until, stop).await
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
