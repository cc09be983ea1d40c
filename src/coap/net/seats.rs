//! The connections that a server has at the same time: no more than it can carry, and shared between the hosts.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustix::process::{Resource, getrlimit};
use tokio::sync::oneshot;

use crate::coap::endpoint::Peer;
use crate::coap::shares::{self, Shares};

/// Connections at most, and fewer where the system does not give as many file descriptors.
const MOST: usize = 10_000;

/// Bytes of WebSocket messages that are not whole yet, of all connections.
const ROOM: usize = 64 << 20;

/// All places for connections; clones are the same.
#[derive(Clone)]
pub(super) struct Seats(Arc<Inner>);

struct Inner {
    most: usize,
    taken: Mutex<Taken>,
    room: Arc<Room>,
}

#[derive(Default)]
struct Taken {
    last: u64,
    /// In the order in which they came.
    by_number: BTreeMap<u64, (Peer, oneshot::Sender<()>)>,
    shares: Shares,
}

/// The place of one connection, free again when it is dropped.
pub(super) struct Seat {
    seats: Seats,
    number: u64,
    peer: Peer,
    lost: oneshot::Receiver<()>,
}

impl Seats {
    /// As many as the system allows.
    pub(super) fn new() -> Self {
        let files = getrlimit(Resource::Nofile).current;
        let files = files
            .and_then(|it| usize::try_from(it).ok())
            .unwrap_or(MOST);
        // The rest is for files that are shown, and for connections that are on their way.
        Self::of((files / 4 * 3).clamp(1, MOST))
    }

    fn of(most: usize) -> Self {
        Self(Arc::new(Inner {
            most,
            taken: Mutex::default(),
            room: Arc::default(),
        }))
    }

    /// A place for a connection of this peer's. Where none is left the oldest connection of the host that has most of them
    /// loses its place; `None` where all have the same.
    pub(super) fn take(&self, peer: Peer) -> Option<Seat> {
        let mut taken = self.taken();
        if taken.by_number.len() >= self.0.most {
            let host = taken.shares.gives_way(peer)?;
            let mut seated = taken.by_number.iter();
            let oldest = seated.find(|(_, (peer, _))| shares::host(*peer) == host);
            let number = oldest.map(|(number, _)| *number)?;
            taken.free(number);
        }
        taken.last += 1;
        let number = taken.last;
        let (sender, lost) = oneshot::channel();
        taken.by_number.insert(number, (peer, sender));
        taken.shares.add(peer, 1);
        drop(taken);
        Some(Seat {
            seats: self.clone(),
            number,
            peer,
            lost,
        })
    }

    /// What all connections share for messages that are not whole.
    pub(super) fn room(&self) -> Arc<Room> {
        Arc::clone(&self.0.room)
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        // Nothing that is done under it panics.
        self.0.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Taken {
    /// Dropping the sender tells the connection.
    fn free(&mut self, number: u64) {
        if let Some((peer, _)) = self.by_number.remove(&number) {
            self.shares.sub(peer, 1);
        }
    }
}

impl Seat {
    /// Whose it is.
    pub(super) const fn peer(&self) -> Peer {
        self.peer
    }

    /// Waits until the place is needed for somebody else.
    pub(super) async fn lost(&mut self) {
        let _ = (&mut self.lost).await;
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.seats.taken().free(self.number);
    }
}

/// Room for messages that are not whole yet.
#[derive(Debug, Default)]
pub(super) struct Room(AtomicUsize);

impl Room {
    /// Takes some more, for a connection that has so much already. False when there is none for it: each may have as much
    /// as is left to all others.
    pub(super) fn take(&self, has: usize, more: usize) -> bool {
        let used = self.0.fetch_add(more, Ordering::Relaxed) + more;
        let fits = has + more <= ROOM.saturating_sub(used);
        if !fits {
            self.give_back(more);
        }
        fits
    }

    pub(super) fn give_back(&self, bytes: usize) {
        self.0.fetch_sub(bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(host: u8, port: u16) -> Peer {
        ([192, 0, 2, host], port).into()
    }

    #[tokio::test]
    async fn who_has_most_places_loses_the_oldest_of_them() {
        let seats = Seats::of(3);
        let mut greedy: Vec<_> = (1..=3).map(|port| seats.take(peer(1, port))).collect();
        let modest = seats.take(peer(2, 1));
        assert!(modest.is_some());
        greedy[0].as_mut().expect("a place").lost().await;
        assert!(
            greedy[1]
                .as_mut()
                .expect("a place")
                .lost
                .try_recv()
                .is_err()
        );
        drop(greedy);
        assert_eq!(seats.taken().by_number.len(), 1);
        let others: Vec<_> = (3..=5).map(|host| seats.take(peer(host, 1))).collect();
        assert!(others[1].is_some() && others[2].is_none());
    }

    #[test]
    fn each_may_have_what_is_left_to_all_others() {
        let room = Room::default();
        assert!(room.take(0, ROOM / 2));
        assert!(!room.take(ROOM / 2, 1));
        assert!(room.take(0, ROOM / 4) && !room.take(0, ROOM / 4));
        room.give_back(ROOM / 2);
        assert!(room.take(0, ROOM / 4));
    }
}
