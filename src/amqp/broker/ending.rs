//! How connections and channels end, and what watches over them: heartbeats, memory, faults that come after a while.

use std::time::Duration;

use amq_protocol::protocol::{AMQPClass, channel, connection};

use super::super::frame::{BEAT, Refusal, short};
use super::channel::Channel;
use super::chores::Chore;
use super::connection::Phase;
use super::core::{Core, FAREWELL, Reminder};
use super::events::Event;
use super::faults::Action;
use crate::server::Key;

/// What a `malformed` fault sends: no frame is of type 0xff.
const MALFORMED: &[u8] = &[0xff; 8];

/// How long a message may stay half sent without any more of it coming.
const HALF_SENT: Duration = Duration::from_secs(60);

impl Core {
    /// Ends a connection for a reason of ours: connection.close, then the answer is waited for (§1.4.2.10).
    pub(super) fn close_connection(
        &mut self,
        id: Key,
        refusal: &Refusal,
        (class_id, method_id): (u16, u16),
    ) {
        let Some(phase) = self.connections.get(id).map(|connection| connection.phase) else {
            return;
        };
        match phase {
            Phase::Closing | Phase::Ending | Phase::Closed => return,
            // Nothing has been agreed on yet that could be closed.
            Phase::Fresh => return self.hang_up(id),
            _ => {}
        }
        self.answer_publishers();
        self.tell_refusal(id, refusal);
        self.detach(id, true);
        let close = connection::Close {
            reply_code: refusal.code,
            reply_text: refusal.reply_text(),
            class_id,
            method_id,
        };
        self.send(
            id,
            0,
            AMQPClass::Connection(connection::AMQPMethod::Close(close)),
        );
        if let Some(connection) = self.connections.get_mut(id) {
            connection.phase = Phase::Closing;
            self.timers
                .remind(self.now + FAREWELL, Reminder::Connection(id));
        }
    }

    fn tell_refusal(&mut self, id: Key, refusal: &Refusal) {
        if let Some(connection) = self.connections.get(id) {
            let peer = connection.peer.clone();
            let reason = refusal.reply_text().as_str().to_owned();
            self.events.push(Event::Refused { peer, reason });
        }
    }

    /// Ends a channel for a reason of ours (§1.5.2.5).
    pub(super) fn close_channel(
        &mut self,
        id: Key,
        number: u16,
        refusal: &Refusal,
        (class_id, method_id): (u16, u16),
    ) {
        self.answer_publishers();
        self.tell_refusal(id, refusal);
        self.end_channel(id, number);
        let closing = Channel {
            closing: true,
            ..Channel::default()
        };
        if let Some(connection) = self.connections.get_mut(id) {
            connection.channels.insert(number, closing);
        }
        let close = channel::Close {
            reply_code: refusal.code,
            reply_text: refusal.reply_text(),
            class_id,
            method_id,
        };
        self.send(
            id,
            number,
            AMQPClass::Channel(channel::AMQPMethod::Close(close)),
        );
    }

    /// Takes a channel away: its consumers go, and what was not settled goes back.
    pub(super) fn end_channel(&mut self, id: Key, number: u16) {
        let Some(connection) = self.connections.get_mut(id) else {
            return;
        };
        let Some(mut channel) = connection.channels.remove(&number) else {
            return;
        };
        if let Some(key) = channel.replies.take() {
            self.replies.remove(&key);
        }
        let unsettled = channel.deliveries.take_all();
        // The consumers first, lest they be handed what comes back.
        let emptied = self.dismiss(channel.consumers.into_values());
        self.put_back(unsettled);
        for queue in emptied {
            self.delete_if_abandoned(queue);
        }
    }

    /// Closes the connection once everything is written.
    pub(super) fn hang_up(&mut self, id: Key) {
        self.detach(id, true);
        if let Some(connection) = self.connections.get_mut(id) {
            connection.phase = Phase::Ending;
            self.timers
                .remind(self.now + FAREWELL, Reminder::Connection(id));
        }
        self.announce(id);
    }

    /// Nothing more can be understood: connection.close is written, and no answer waited for.
    pub(super) fn deafen(&mut self, id: Key) {
        if let Some(connection) = self.connections.get_mut(id) {
            connection.phase = Phase::Ending;
        }
        self.announce(id);
    }

    /// Takes all that a connection has: channels, exclusive queues. Does nothing the second time.
    pub(super) fn detach(&mut self, id: Key, cleanly: bool) {
        let Some(connection) = self.connections.get_mut(id) else {
            return;
        };
        if connection.phase != Phase::Open {
            return;
        }
        connection.phase = Phase::Ending;
        let peer = connection.peer.clone();
        let channels: Vec<u16> = connection.channels.keys().copied().collect();
        self.connected -= 1;
        self.events.push(Event::Disconnected { peer, cleanly });
        for number in channels {
            self.end_channel(id, number);
        }
        if let Some(connection) = self.connections.get_mut(id) {
            let owned = std::mem::take(&mut connection.exclusive);
            self.do_later(Chore::Delete(owned.into_iter().collect()));
        }
    }

    /// Sees to it that somebody looks after a message that was begun.
    pub(super) fn watch_content(&mut self, id: Key) {
        if let Some(connection) = self.connections.get_mut(id)
            && !std::mem::replace(&mut connection.content_watched, true)
        {
            let at = self.now + HALF_SENT;
            self.timers.remind(at, Reminder::Content(id));
        }
    }

    /// Ends a connection that has begun a message and does not go on.
    pub(super) fn check_content(&mut self, id: Key) {
        let Some(connection) = self.connections.get_mut(id) else {
            return;
        };
        connection.content_watched = false;
        let begun = |channel: &Channel| channel.incoming.is_some();
        if !connection.channels.values().any(begun) {
            return;
        }
        // Who is not read, cannot go on.
        let held = connection.stalled || (self.blocked && connection.publishes);
        if !held && connection.content_at + HALF_SENT <= self.now {
            let text = format!("no more of a message came within {} s", HALF_SENT.as_secs());
            return self.close_connection(id, &Refusal::frame(text), (60, 40));
        }
        self.watch_content(id);
    }

    /// Ends the channel whose message or transaction, not finished, takes most of the memory, when such take half of it:
    /// others would not get to publish at all.
    fn limit_unfinished(&mut self) {
        while self.memory.unfinished() > self.options.max_memory / 2 {
            let mut largest = (0, None);
            for id in self.connections.keys() {
                let channels = self
                    .connections
                    .get(id)
                    .map(|connection| &connection.channels);
                for (number, channel) in channels.into_iter().flatten() {
                    largest = largest.max((channel.unfinished(), Some((id, *number))));
                }
            }
            let (bytes @ 1.., Some((id, number))) = largest else {
                return;
            };
            let refusal = Refusal::precondition(format!(
                "what was published and is not finished or committed takes {bytes} bytes: messages of all clients that are not may take {}",
                self.options.max_memory / 2
            ));
            self.close_channel(id, number, &refusal, (60, 40));
        }
    }

    /// Whether the login, the client's heartbeat (§4.2.7) or its answer is overdue, and whether ours is due.
    pub(super) fn check_patience(&mut self, id: Key) {
        let now = self.now;
        let Some(connection) = self.connections.get_mut(id) else {
            return;
        };
        match (connection.phase, connection.heartbeat) {
            _ if connection.stalled => {}
            (Phase::Closing | Phase::Ending | Phase::Closed, _) => {
                connection.phase = Phase::Closed;
                self.announce(id);
            }
            (Phase::Open, None) => {}
            (Phase::Open, Some(_)) if now < connection.next_check => {}
            (Phase::Open, Some(heartbeat)) => {
                let overdue = connection.last_seen + heartbeat * 2;
                // Who is not read, cannot be heard.
                let unheard = connection.committing || (self.blocked && connection.publishes);
                if overdue <= now && !unheard {
                    return self.vanish(id);
                }
                if connection.last_sent + heartbeat / 2 <= now && connection.out.is_empty() {
                    connection.out.extend_from_slice(&BEAT);
                    self.announce(id);
                }
                self.check_again(id, heartbeat / 2);
            }
            _ => self.hang_up(id),
        }
    }

    pub(super) fn check_again(&mut self, id: Key, after: Duration) {
        let at = self.now + after;
        if let Some(connection) = self.connections.get_mut(id) {
            connection.next_check = at;
            self.timers.remind(at, Reminder::Connection(id));
        }
    }

    /// A client that is silent for too long is taken for gone.
    fn vanish(&mut self, id: Key) {
        self.detach(id, false);
        if let Some(connection) = self.connections.get_mut(id) {
            connection.phase = Phase::Closed;
        }
        self.announce(id);
    }

    /// Holds publishers back, or lets them go on, whatever the memory says.
    pub(super) fn hold_back(&mut self, on: bool) {
        self.held_back = on;
        self.watch_memory();
    }

    /// Holds publishers back while memory is short, and tells them (RabbitMQ's connection.blocked).
    pub(super) fn watch_memory(&mut self) {
        self.limit_unfinished();
        let limit = self.options.max_memory;
        let used = self.memory.bytes();
        // A little below the limit they go on, lest they stop and go with every message.
        let short = used > limit || (self.blocked && used > limit / 10 * 9);
        let blocked = short || self.held_back;
        if blocked == self.blocked {
            return;
        }
        self.blocked = blocked;
        self.events.push(Event::Blocked(blocked));
        for id in self.connections.keys() {
            self.tell_blocked(id);
            self.announce(id);
        }
    }

    /// Tells a publisher that it is held back, or no more, if it wants to know. Who does not publish is not told, as in
    /// RabbitMQ: some clients would do nothing any more, not even consume.
    pub(super) fn tell_blocked(&mut self, id: Key) {
        let blocked = self.blocked;
        let Some(connection) = self.connections.get_mut(id) else {
            return;
        };
        let open = connection.phase == Phase::Open && connection.capabilities.blocked;
        if !open || !connection.publishes || connection.told_blocked == blocked {
            return;
        }
        connection.told_blocked = blocked;
        let method = match blocked {
            true => connection::AMQPMethod::Blocked(connection::Blocked {
                reason: short("low on memory"),
            }),
            false => connection::AMQPMethod::Unblocked(connection::Unblocked {}),
        };
        self.send(id, 0, AMQPClass::Connection(method));
    }

    /// The faults that come after a number of frames.
    pub(super) fn count_fault(&mut self, id: Key) {
        let Some(connection) = self.connections.get_mut(id) else {
            return;
        };
        let received = connection.received;
        let struck = self.faults.trigger("", |action| match action {
            Action::Close { after } => after.is_none_or(|n| n == received).then_some(action),
            Action::Stall { after, .. } | Action::Malformed { after } => {
                (after == received).then_some(action)
            }
            _ => None,
        });
        match struck {
            Some(Action::Close { .. }) => self.hang_up(id),
            Some(Action::Malformed { .. }) => self.post(id, MALFORMED),
            Some(Action::Stall { during, .. }) => {
                connection.stalled = true;
                if let Some(during) = during {
                    self.timers.remind(self.now + during, Reminder::Resume(id));
                }
            }
            _ => {}
        }
    }

    pub(super) fn resume_stalled(&mut self, id: Key) {
        let now = self.now;
        if let Some(connection) = self.connections.get_mut(id) {
            connection.stalled = false;
            // A stalled client could not be heard: its heartbeats start anew.
            connection.last_seen = now;
            let heartbeat = connection.heartbeat.map(|heartbeat| heartbeat / 2);
            if heartbeat.is_some() || connection.phase != Phase::Open {
                self.check_again(id, heartbeat.unwrap_or(FAREWELL));
            }
        }
        self.announce(id);
    }
}
