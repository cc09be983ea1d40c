//! A thread that only answers, until it is dropped.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

use crate::error::{Error, Result};

/// A running one.
#[derive(Debug)]
pub(super) struct Answering {
    address: SocketAddr,
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
    wake: fn(SocketAddr) -> bool,
}

impl Answering {
    /// Starts a thread called `name` for the socket that `open` gives with its address. It goes on until it learns that it
    /// is over; it is woken up for that by `wake`, which says whether it will have noticed.
    ///
    /// # Errors
    /// The socket or the thread cannot be had.
    pub(super) fn start<S: Send + 'static>(
        name: &str,
        open: impl FnOnce() -> io::Result<(S, SocketAddr)>,
        wake: fn(SocketAddr) -> bool,
        serve: impl FnOnce(&S, &AtomicBool) + Send + 'static,
    ) -> Result<Self> {
        let cannot =
            |cause: io::Error| Error::local(format_args!("cannot start the {name}"), &cause);
        let (socket, address) = open().map_err(cannot)?;
        let over = Arc::new(AtomicBool::new(false));
        let asked = Arc::clone(&over);
        let thread = thread::Builder::new()
            .name(name.replace(' ', "-"))
            .spawn(move || serve(&socket, &asked))
            .map_err(cannot)?;
        Ok(Self {
            address,
            over,
            thread: Some(thread),
            wake,
        })
    }

    pub(super) const fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        if let (true, Some(thread)) = ((self.wake)(self.address), self.thread.take()) {
            let _ = thread.join();
        }
    }
}
