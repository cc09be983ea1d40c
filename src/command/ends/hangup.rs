//! SIGHUP while messages are carried: output files that were renamed meanwhile are begun anew, as logrotate expects it.

use std::time::Instant;

use crate::command::serving::is_terminal_gone;
use crate::error::{Error, Kind, Result};
use crate::flow::{Outgoing, Routed, Router};
use crate::message::Message;
use crate::output::{Console, terminals};
use crate::stop::{Hangup, reopen_files};

/// A router that goes on at SIGHUP, unless the terminal was closed in which it was started: then the flow ends in good order.
pub(super) struct Outlasting<R> {
    router: R,
    hangup: Hangup,
    /// Which of standard input, output and error were terminals at the start.
    terminals: [bool; 3],
    /// What is said at each.
    says: Option<&'static str>,
    console: Console,
    heard: bool,
}

impl<R> Outlasting<R> {
    /// # Errors
    /// There can be no signal handler.
    pub(super) fn new(router: R, says: Option<&'static str>, console: Console) -> Result<Self> {
        Ok(Self {
            router,
            hangup: Hangup::watch()?,
            terminals: terminals(),
            says,
            console,
            heard: false,
        })
    }

    /// The router that was given.
    pub(super) fn into_inner(self) -> R {
        self.router
    }
}

impl<R: Router> Router for Outlasting<R> {
    #[inline]
    fn route(&mut self, message: Message, into: &mut Outgoing) -> Result<Routed> {
        self.router.route(message, into)
    }

    fn covers(&self, source: usize, message: &Message) -> bool {
        self.router.covers(source, message)
    }

    fn dead_letter(&mut self, message: Message, why: &Error) -> Option<(usize, Message)> {
        self.router.dead_letter(message, why)
    }

    fn sync(&mut self) -> Result<()> {
        self.router.sync()
    }

    fn due(&self) -> Option<Instant> {
        self.router.due()
    }

    async fn called(&mut self) {
        tokio::select! {
            () = self.hangup.heard() => self.heard = true,
            () = self.router.called() => {}
        }
    }

    fn wake(&mut self, now: Instant, into: &mut Outgoing) -> Result<()> {
        if std::mem::take(&mut self.heard) {
            if is_terminal_gone(self.terminals) {
                return Err(Error::new(Kind::Terminated, "the terminal was closed"));
            }
            reopen_files();
            if let Some(text) = self.says {
                self.console.note(format_args!("SIGHUP: {text}"));
            }
        }
        self.router.wake(now, into)
    }
}
