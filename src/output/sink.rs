//! Where the bytes go: a file is written at once, everything that may stall by a helper thread.
//!
//! A pipe, a socket or a terminal can refuse bytes for as long as its reader likes. `O_NONBLOCK` is
//! no way out: it belongs to the open file, which the shell and other programs share. So one thread
//! writes, and hands the emptied buffer back for use again; memory stays at two buffers.

use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::FileTypeExt;
use std::sync::Arc;
use std::thread;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::termios::isatty;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::sync::mpsc;

/// An emptied buffer keeps at most this much memory for the next use.
const KEPT_CAPACITY: usize = 1024 * 1024;

/// How a descriptor behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Nature {
    /// A file, `/dev/null`, a block device: a write takes as long as it takes and nobody leaves.
    Steady,
    /// A terminal: it may stall (Ctrl-S), but its end comes as SIGHUP.
    Terminal,
    /// A pipe: it may stall, and an error is raised on it when its reader leaves.
    Pipe,
    /// A socket: as a pipe, but its peer's leaving is a hang-up.
    Socket,
}

impl Nature {
    fn of(file: &File) -> Self {
        let Ok(kind) = file.metadata().map(|facts| facts.file_type()) else {
            return Self::Steady;
        };
        if kind.is_fifo() {
            Self::Pipe
        } else if kind.is_socket() {
            Self::Socket
        } else if isatty(file) {
            Self::Terminal
        } else {
            Self::Steady
        }
    }
}

/// One descriptor to write to.
pub(super) struct Sink {
    file: Arc<File>,
    nature: Nature,
    helper: Option<Helper>,
    watch: Option<AsyncFd<Arc<File>>>,
}

impl Sink {
    pub(super) fn new(fd: OwnedFd) -> Self {
        let file = File::from(fd);
        let nature = Nature::of(&file);
        Self {
            file: Arc::new(file),
            nature,
            helper: None,
            watch: None,
        }
    }

    pub(super) fn is_terminal(&self) -> bool {
        self.nature == Nature::Terminal
    }

    /// Writes all of `bytes` and leaves the vector empty, then tells how that went.
    ///
    /// Cancel-safe: what was taken from `bytes` is written whether or not this future is polled to its
    /// end, and the next call first waits for it and reports its failure.
    pub(super) async fn write(&mut self, bytes: &mut Vec<u8>) -> io::Result<()> {
        if self.nature == Nature::Steady {
            let written = write_all(&self.file, bytes);
            recycle(bytes);
            return written;
        }
        if let Some(helper) = &mut self.helper {
            helper.settle().await?;
        }
        if bytes.is_empty() {
            return Ok(());
        }
        if self.helper.is_none() {
            self.helper = Some(Helper::start(Arc::clone(&self.file))?);
        }
        match &mut self.helper {
            Some(helper) => {
                helper.hand_over(bytes)?;
                helper.settle().await
            }
            None => Ok(()),
        }
    }

    /// Returns once the reader of this pipe or socket has left; never for files and terminals.
    ///
    /// Cancel-safe. Must be polled inside a tokio runtime.
    pub(super) async fn reader_gone(&mut self) {
        let interest = match self.nature {
            Nature::Steady | Nature::Terminal => return std::future::pending().await,
            Nature::Pipe => Interest::ERROR,
            // A hang-up counts as "closed for writing", which tokio tells only to those who want to write.
            Nature::Socket => Interest::ERROR | Interest::WRITABLE,
        };
        if self.watch.is_none() {
            self.watch = AsyncFd::with_interest(Arc::clone(&self.file), interest).ok();
        }
        let Some(watch) = &self.watch else {
            return std::future::pending().await;
        };
        // An error here means that the runtime is shutting down.
        while let Ok(mut guard) = watch.ready(interest).await {
            if guard.ready().is_error() || guard.ready().is_write_closed() {
                return;
            }
            guard.clear_ready();
        }
        std::future::pending().await
    }
}

/// The thread that may stall in our place.
struct Helper {
    full: mpsc::Sender<Vec<u8>>,
    emptied: mpsc::Receiver<(Vec<u8>, io::Result<()>)>,
    spare: Vec<u8>,
    busy: bool,
}

impl Helper {
    fn start(file: Arc<File>) -> io::Result<Self> {
        let (full, work) = mpsc::channel(1);
        let (done, emptied) = mpsc::channel(1);
        thread::Builder::new()
            .name(String::from("stdout"))
            .stack_size(64 * 1024)
            .spawn(move || run(&file, work, &done))?;
        Ok(Self {
            full,
            emptied,
            spare: Vec::new(),
            busy: false,
        })
    }

    /// Swaps `bytes` for an empty buffer and starts writing them. Nothing may be under way.
    fn hand_over(&mut self, bytes: &mut Vec<u8>) -> io::Result<()> {
        let full = std::mem::replace(bytes, std::mem::take(&mut self.spare));
        self.full.try_send(full).map_err(|_| ended())?;
        self.busy = true;
        Ok(())
    }

    /// Waits for what is under way, if anything is.
    async fn settle(&mut self) -> io::Result<()> {
        if !self.busy {
            return Ok(());
        }
        let (buffer, written) = self.emptied.recv().await.ok_or_else(ended)?;
        self.busy = false;
        self.spare = buffer;
        written
    }
}

fn ended() -> io::Error {
    io::Error::other("the writing thread ended")
}

fn run(
    file: &File,
    mut work: mpsc::Receiver<Vec<u8>>,
    done: &mpsc::Sender<(Vec<u8>, io::Result<()>)>,
) {
    while let Some(mut bytes) = work.blocking_recv() {
        let written = write_all(file, &bytes);
        recycle(&mut bytes);
        if done.blocking_send((bytes, written)).is_err() {
            return;
        }
    }
}

/// Writes everything, in one system call where the system takes it in one.
pub(super) fn write_all(mut file: &File, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match file.write(bytes) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(written) => bytes = &bytes[written..],
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            // Somebody else who shares the open file made it non-blocking.
            Err(error) if error.kind() == ErrorKind::WouldBlock => wait_for_room(file)?,
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn wait_for_room(file: &File) -> io::Result<()> {
    let fd = file.as_fd();
    match poll(&mut [PollFd::new(&fd, PollFlags::OUT)], None) {
        Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

fn recycle(buffer: &mut Vec<u8>) {
    buffer.clear();
    buffer.shrink_to(KEPT_CAPACITY);
}
