//! Work that may be too much for one turn of the event loop, and is done in pieces.
//!
//! Everything counts its steps in [`Core::work`]; a turn that has taken [`TURN`] of them leaves the rest for the next, so
//! that everybody else gets their turn in between.

use std::vec::IntoIter;

use amq_protocol::protocol::{AMQPClass, tx};

use super::channel::Operation;
use super::core::Core;
use super::queue::Line;
use crate::server::Key;

/// How many steps a turn may take: about a millisecond.
pub(super) const TURN: usize = 10_000;

/// As many steps may be taken again and again before the runtime looks what has come in for others.
const NOTICEABLE: usize = TURN / 10;

/// Something to be done in pieces.
#[derive(Debug)]
pub(super) enum Chore {
    /// The queues of a connection that is gone have to go.
    Delete(Vec<Key>),
    /// The messages of a queue that was purged or deleted have to go.
    Forget(Vec<Line>),
    /// What has expired has to leave this queue.
    Expire(Key),
    /// A transaction is committed; its connection waits for that.
    Commit {
        id: Key,
        number: u16,
        operations: IntoIter<Operation>,
    },
}

impl Core {
    /// Does something now as far as this turn allows, and the rest in the next ones.
    pub(super) fn do_later(&mut self, chore: Chore) {
        if let Some(rest) = self.work_on(chore) {
            self.chores.push_back(rest);
        }
    }

    /// Whether this turn has taken all the steps that it may.
    pub(super) const fn is_spent(&self) -> bool {
        self.work >= TURN
    }

    /// Whether this turn has done so much that what else has come in is to be looked at before the next one.
    pub(super) const fn has_worked(&self) -> bool {
        self.work >= NOTICEABLE
    }

    /// Goes on with what earlier turns have left.
    pub(super) fn work_off(&mut self) {
        while !self.is_spent()
            && let Some(chore) = self.chores.pop_front()
        {
            if let Some(rest) = self.work_on(chore) {
                self.chores.push_back(rest);
            }
        }
    }

    /// What is left of it at the end of the turn.
    fn work_on(&mut self, chore: Chore) -> Option<Chore> {
        match chore {
            Chore::Delete(mut queues) => {
                while !self.is_spent() {
                    let queue = queues.pop()?;
                    self.delete_queue(queue);
                }
                Some(Chore::Delete(queues))
            }
            Chore::Forget(mut lines) => {
                while let Some(line) = lines.last_mut() {
                    let count = line.len().min(TURN.saturating_sub(self.work));
                    line.drain(..count);
                    self.work += count.max(1);
                    if !line.is_empty() {
                        return Some(Chore::Forget(lines));
                    }
                    lines.pop();
                }
                None
            }
            Chore::Expire(queue) => {
                if let Some(queue) = self.queues.get_mut(queue) {
                    queue.expiring = false;
                }
                if self.expire(queue) {
                    self.remind_of(queue);
                    self.pump(queue);
                }
                None
            }
            Chore::Commit {
                id,
                number,
                operations,
            } => self.go_on_committing(id, number, operations),
        }
    }

    fn go_on_committing(
        &mut self,
        id: Key,
        number: u16,
        mut operations: IntoIter<Operation>,
    ) -> Option<Chore> {
        while !self.is_spent() {
            let outcome = match operations.next() {
                Some(operation) => self.commit(id, number, operation),
                None => {
                    self.committed(id);
                    let done = tx::AMQPMethod::CommitOk(tx::CommitOk {});
                    self.send(id, number, AMQPClass::Tx(done));
                    return None;
                }
            };
            if let Err(refusal) = outcome {
                self.committed(id);
                self.refuse(id, number, &refusal, (90, 20));
                return None;
            }
        }
        Some(Chore::Commit {
            id,
            number,
            operations,
        })
    }

    /// The connection may be read again.
    fn committed(&mut self, id: Key) {
        if let Some(connection) = self.connections.get_mut(id) {
            connection.committing = false;
        }
        self.announce(id);
    }
}
