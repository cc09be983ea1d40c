//! Observers of our resources (RFC 7641 §4).

use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;
use std::time::{Duration, Instant};

use super::bodies::Key;
use super::core::{Core, Owner};
use super::event::{Event, Gone};
use super::protection::Guard;
use super::request::{Peer, Response};
use super::server::Server;
use super::serving::Exchange;
use crate::coap::block::Block;
use crate::coap::message::{Message, Token, Type};
use crate::coap::option;
use crate::coap::shares::{self, Shares};

/// A confirmable notification is sent at least this often (RFC 7641 §4.5).
const CONFIRM: Duration = Duration::from_secs(24 * 60 * 60);

#[derive(Debug)]
pub(super) struct Observers {
    kept: HashMap<u64, Observer>,
    /// Those that are no longer, whose last notification is not acknowledged yet.
    ended: HashMap<u64, Ended>,
    by_token: HashMap<(Peer, Token), u64>,
    /// Those whose newest state waits for room in the outbox of their connection.
    behind: BTreeSet<(Peer, u64)>,
    shares: Shares,
    limit: usize,
}

#[derive(Debug)]
struct Observer {
    peer: Peer,
    token: Token,
    key: Key,
    asked: Option<Block>,
    guard: Option<Guard>,
    sequence: u32,
    confirmed: Option<Instant>,
    /// The confirmable notification that is not acknowledged yet.
    unacknowledged: Option<u16>,
    /// The newest state meanwhile (RFC 7641 §4.5.2).
    newest: Option<(Response, bool)>,
}

#[derive(Debug)]
struct Ended {
    peer: Peer,
    token: Token,
    sequence: u32,
    unacknowledged: u16,
}

impl Observers {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            kept: HashMap::new(),
            ended: HashMap::new(),
            by_token: HashMap::new(),
            behind: BTreeSet::new(),
            shares: Shares::default(),
            limit,
        }
    }

    /// The observer that gives way to a new one of this peer's: the oldest one of another host that has more of them.
    pub(super) fn gives_way(&self, peer: Peer, token: Token) -> Option<u64> {
        let same = self.by_token.get(&(peer, token));
        if self.kept.len() < self.limit || same.is_some_and(|it| self.contains(*it)) {
            return None;
        }
        let other = |it: &IpAddr| *it != shares::host(peer);
        let host = self.shares.gives_way(peer).filter(other)?;
        let of_host = self
            .kept
            .iter()
            .filter(|(_, it)| shares::host(it.peer) == host);
        of_host.map(|(id, _)| *id).min()
    }

    /// Adds an observer; the sequence of its first notification, `None` when there are too many.
    pub(super) fn register(
        &mut self,
        (core, now): (&mut Core, Instant),
        id: u64,
        (peer, token): (Peer, Token),
        key: &Key,
        (asked, guard): (Option<Block>, Option<Guard>),
    ) -> Option<u32> {
        let before = self.by_token.get(&(peer, token)).copied();
        let sequence = before
            .and_then(|it| {
                let kept = self.kept.get(&it).map(|it| it.sequence);
                kept.or_else(|| self.ended.get(&it).map(|it| it.sequence))
            })
            .map_or(1, |it| it + 1);
        if let Some(before) = before {
            self.withdraw(core, now, before);
            self.remove(core, before, Gone::Replaced);
        }
        if self.kept.len() >= self.limit {
            let exchange = Exchange(id);
            let gone = Gone::Crowded;
            core.events
                .push_back(Event::ObserverGone { exchange, gone });
            return None;
        }
        let observer = Observer {
            peer,
            token,
            key: key.clone(),
            asked: asked.map(|it| Block { num: 0, ..it }),
            guard,
            sequence: sequence & 0xFF_FFFF,
            confirmed: None,
            unacknowledged: None,
            newest: None,
        };
        self.by_token.insert((peer, token), id);
        self.shares.add(peer, 1);
        self.kept.insert(id, observer);
        Some(sequence & 0xFF_FFFF)
    }

    pub(super) fn deregister(&mut self, core: &mut Core, now: Instant, peer: Peer, token: Token) {
        if let Some(id) = self.by_token.get(&(peer, token)).copied() {
            self.withdraw(core, now, id);
            self.remove(core, id, Gone::Deregistered);
        }
    }

    /// Nobody waits for the notification that is not acknowledged yet: it must not hold up what comes after it.
    pub(super) fn withdraw(&mut self, core: &mut Core, now: Instant, id: u64) {
        let waits = match self.kept.get_mut(&id) {
            Some(it) => it.unacknowledged.take().map(|mid| (it.peer, mid)),
            None => self.over(id),
        };
        if let Some((peer, mid)) = waits {
            core.settle(now, peer, mid);
        }
    }

    /// Nothing is sent to one that has ended any longer: where its last notification went, and under which message id.
    fn over(&mut self, id: u64) -> Option<(Peer, u16)> {
        let ended = self.ended.remove(&id)?;
        self.by_token.remove(&(ended.peer, ended.token));
        Some((ended.peer, ended.unacknowledged))
    }

    /// The last notification was sent. While it waits for its acknowledgement, it can be withdrawn, and whoever registers anew
    /// under the token goes on from its number (RFC 7641 §4.4).
    fn end(&mut self, core: &mut Core, id: u64, waits: Option<u16>) {
        let ended = self.kept.get(&id).zip(waits).map(|(it, mid)| Ended {
            peer: it.peer,
            token: it.token,
            sequence: it.sequence,
            unacknowledged: mid,
        });
        self.remove(core, id, Gone::Ended);
        if let Some(ended) = ended {
            self.by_token.insert((ended.peer, ended.token), id);
            self.ended.insert(id, ended);
        }
    }

    /// A notification was not acknowledged, however often it was sent.
    pub(super) fn gave_up(&mut self, core: &mut Core, id: u64) {
        self.over(id);
        self.remove(core, id, Gone::Silent);
    }

    pub(super) fn forget(&mut self, id: u64) -> bool {
        let Some(gone) = self.kept.remove(&id) else {
            return false;
        };
        self.by_token.remove(&(gone.peer, gone.token));
        self.behind.remove(&(gone.peer, id));
        self.shares.sub(gone.peer, 1);
        true
    }

    pub(super) fn remove(&mut self, core: &mut Core, id: u64, gone: Gone) {
        if self.forget(id) {
            let exchange = Exchange(id);
            core.events
                .push_back(Event::ObserverGone { exchange, gone });
        }
    }

    pub(super) fn peer_gone(&mut self, core: &mut Core, peer: Peer) {
        let of_peer = self.kept.iter().filter(|(_, it)| it.peer == peer);
        let mut ids: Vec<u64> = of_peer.map(|(id, _)| *id).collect();
        ids.sort_unstable();
        for id in ids {
            self.remove(core, id, Gone::Unreachable);
        }
        let by_token = &mut self.by_token;
        self.ended.retain(|_, it| {
            let stays = it.peer != peer;
            if !stays {
                by_token.remove(&(it.peer, it.token));
            }
            stays
        });
    }

    pub(super) fn contains(&self, id: u64) -> bool {
        self.kept.contains_key(&id)
    }
}

impl Server {
    /// Sends a notification, or keeps it until the one before is acknowledged. False when there is no such
    /// observer.
    pub(super) fn notify(
        &mut self,
        core: &mut Core,
        now: Instant,
        id: u64,
        response: Response,
        confirmable: bool,
    ) -> bool {
        let Some(observer) = self.observers.kept.get_mut(&id) else {
            return false;
        };
        let congested = core.is_congested(observer.peer);
        if observer.unacknowledged.is_some() || congested {
            observer.newest = Some((response, confirmable));
            if congested {
                self.observers.behind.insert((observer.peer, id));
            }
            return true;
        }
        let goes_on = response.code.is_success();
        let due = observer.confirmed.is_none_or(|at| now >= at + CONFIRM);
        let kind = match confirmable || !goes_on || (due && observer.confirmed.is_some()) {
            true => Type::Con,
            false => Type::Non,
        };
        if kind == Type::Con || observer.confirmed.is_none() {
            observer.confirmed = Some(now);
        }
        let peer = observer.peer;
        let sent = self
            .notification(core, now, id, (kind, response))
            .and_then(|it| core.send(now, peer, it, Owner::Observer(id)).ok());
        let waits = kind == Type::Con && !core.is_reliable();
        self.notified(core, id, goes_on, sent.filter(|_| waits));
        true
    }

    /// The next notification to an observer, without its message id.
    fn notification(
        &mut self,
        core: &mut Core,
        now: Instant,
        id: u64,
        (kind, response): (Type, Response),
    ) -> Option<Message> {
        let observer = self.observers.kept.get_mut(&id)?;
        let goes_on = response.code.is_success();
        observer.sequence = (observer.sequence + 1) & 0xFF_FFFF;
        let (peer, token, sequence) = (observer.peer, observer.token, observer.sequence);
        let (key, asked) = (observer.key.clone(), observer.asked);
        let guard = observer.guard.clone();
        let part = match self.cut(core, now, (peer, &key, asked), response) {
            Ok(part) | Err(part) => part,
        };
        let mut message = Message::new(kind, part.code, 0, token);
        (message.options, message.payload) = (part.options, part.payload);
        message.options.remove(option::OBSERVE);
        if goes_on {
            message.options.set_uint(option::OBSERVE, sequence.into());
        }
        core.protection.answer(message, guard.as_ref())
    }

    /// A notification was sent, and waits under this message id for its acknowledgement, if it does.
    fn notified(&mut self, core: &mut Core, id: u64, goes_on: bool, waits: Option<u16>) {
        if !goes_on {
            self.observers.end(core, id, waits);
        } else if let Some(observer) = self.observers.kept.get_mut(&id) {
            observer.unacknowledged = waits;
        }
    }

    /// A message that was not acknowledged in time is to be sent again: where it is a notification, the newest state goes out
    /// in its place (RFC 7641 §4.5.2). The message id that counts from now on.
    pub(super) fn renew(&mut self, core: &mut Core, now: Instant, peer: Peer, mid: u16) -> u16 {
        let Some(Owner::Observer(id)) = core.repeats(peer, mid) else {
            return mid;
        };
        let observer = self.observers.kept.get_mut(&id);
        let current = observer.filter(|it| it.unacknowledged == Some(mid));
        let Some((response, _)) = current.and_then(|it| it.newest.take()) else {
            return mid;
        };
        let goes_on = response.code.is_success();
        let new = self
            .notification(core, now, id, (Type::Con, response))
            .and_then(|it| core.replace(now, peer, mid, it))
            .unwrap_or(mid);
        self.notified(core, id, goes_on, Some(new));
        new
    }

    /// A notification was acknowledged: the newest state follows, if there is one.
    pub(super) fn notification_acknowledged(&mut self, core: &mut Core, now: Instant, id: u64) {
        let Some(observer) = self.observers.kept.get_mut(&id) else {
            self.observers.over(id);
            return;
        };
        observer.unacknowledged = None;
        if let Some((response, confirmable)) = observer.newest.take() {
            self.notify(core, now, id, response, confirmable);
        }
    }
    /// There is room in the outbox of a connection again: the newest states follow.
    pub(super) fn catch_up(&mut self, core: &mut Core, now: Instant, peer: Peer) {
        while !core.is_congested(peer) {
            let behind = self
                .observers
                .behind
                .range((peer, 0)..=(peer, u64::MAX))
                .next();
            let Some((_, id)) = behind.copied() else {
                return;
            };
            self.observers.behind.remove(&(peer, id));
            self.notification_acknowledged(core, now, id);
        }
    }
}
