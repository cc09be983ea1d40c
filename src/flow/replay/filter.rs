//! Which of the recorded messages are replayed.

use super::Replay;
use crate::flow::Stages;
use crate::message::Message;
use crate::output::Console;
use crate::payload::expect::{Changes, Scope};

/// The conditions, and what they remember.
pub(super) struct Filter {
    stages: Stages,
    changes: Option<Changes>,
}

impl Filter {
    /// `console`: where it is told that a condition fails.
    pub(super) fn new(replay: &Replay, console: Option<Console>) -> Self {
        Self {
            stages: Stages {
                console,
                ..replay.stages.clone()
            },
            changes: Changes::of(&replay.stages.filter),
        }
    }

    /// Whether the next message meets all conditions. It has no age: how old it was is not recorded.
    pub(super) fn passes(&mut self, message: &Message) -> bool {
        if self.stages.filter.is_empty() {
            return true;
        }
        if let Some(changes) = &mut self.changes {
            changes.see(message, || self.stages.json(message));
        }
        let scope = Scope {
            changes: self.changes.as_ref(),
            ..Scope::default()
        };
        let passes = self.stages.pass(message, &scope);
        if !passes {
            self.stages.tell_failures(None);
        }
        passes
    }
}
