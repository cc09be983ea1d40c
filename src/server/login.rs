//! Logins whose passwords take work to check: a few threads do it, and those who are connected notice nothing.

use std::fmt;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll};
use std::thread::available_parallelism;

use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use super::password::{self, Effort, Password};

/// Threads at most, whatever the machine has.
const MOST_THREADS: usize = 4;

/// Bytes that logins may hold while they wait; more are turned away.
const ROOM: usize = 64 << 20;

/// What even the smallest login holds, in bytes: a connection and its read buffer.
const LEAST: usize = 8 * 1024;

static HELD: AtomicUsize = AtomicUsize::new(0);

static THREADS: LazyLock<Arc<Semaphore>> = LazyLock::new(|| {
    // One core is left to the thread that serves everybody.
    let cores = available_parallelism().map_or(1, usize::from);
    Arc::new(Semaphore::new(
        cores.saturating_sub(1).clamp(1, MOST_THREADS),
    ))
});

/// A password that was shown, and what it is to be compared with.
pub struct Login {
    password: Option<Arc<Password>>,
    shown: Vec<u8>,
    effort: Effort,
    held: usize,
}

impl Login {
    /// `None`: too much waits already. `held`: bytes that wait with it; no other check takes more than `effort`.
    pub(super) fn new(
        password: Option<Arc<Password>>,
        shown: &[u8],
        effort: Effort,
        held: usize,
    ) -> Option<Self> {
        let held = (held + shown.len()).max(LEAST);
        let login = Self {
            password,
            shown: shown.to_vec(),
            effort,
            held,
        };
        let before = HELD.fetch_add(held, Ordering::Relaxed);
        // Otherwise it is dropped, and what it holds with it.
        (before + held <= ROOM).then_some(login)
    }

    /// Whether the password is right; this takes a while.
    pub fn verify(&self) -> bool {
        password::is(self.password.as_deref(), &self.shown, self.effort)
    }

    /// The same by one of the threads, when it is its turn. Whoever does not wait any longer is not checked.
    async fn verified(self) -> bool {
        // Nobody closes it.
        let permit = Arc::clone(&THREADS).acquire_owned().await;
        let work = spawn_blocking(move || {
            let accepted = self.verify();
            drop(permit);
            accepted
        });
        work.await.unwrap_or(false)
    }
}

impl Drop for Login {
    fn drop(&mut self) {
        HELD.fetch_sub(self.held, Ordering::Relaxed);
    }
}

/// Nothing of it: it has a password.
impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login").finish_non_exhaustive()
    }
}

/// The check for which a connection waits, if it does.
#[derive(Default)]
pub(crate) struct Checking(Option<Pin<Box<dyn Future<Output = bool>>>>);

impl Checking {
    /// Starts to wait.
    pub(crate) fn start(&mut self, login: Login) {
        self.0 = Some(Box::pin(login.verified()));
    }

    /// Whether the password is right, once that is known.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Option<bool> {
        let Poll::Ready(accepted) = self.0.as_mut()?.as_mut().poll(cx) else {
            return None;
        };
        self.0 = None;
        Some(accepted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stranger(held: usize) -> Option<Login> {
        Login::new(None, b"x", Effort::default(), held)
    }

    #[test]
    fn what_waits_is_bounded_and_given_back() {
        let most = stranger(ROOM / 4 * 3).unwrap();
        assert!(stranger(ROOM / 4 * 3).is_none());
        drop(most);
        assert!(stranger(ROOM / 4 * 3).is_some());
    }

    #[tokio::test]
    async fn a_connection_can_wait_for_its_check() {
        let mut checking = Checking::default();
        checking.start(stranger(0).unwrap());
        let accepted = std::future::poll_fn(|cx| match checking.poll(cx) {
            Some(accepted) => Poll::Ready(accepted),
            None => Poll::Pending,
        });
        assert!(!accepted.await);
    }
}
