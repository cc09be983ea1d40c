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
use tokio::net::unix::pipe;
use tokio::sync::mpsc;

/// An emptied buffer keeps at most this much memory for the next use.
pub(super) const KEPT_CAPACITY: usize = 1024 * 1024;

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
    watch: Option<pipe::Sender>,
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
        if self.watch.is_none() {
            self.watch = self.start_watching();
        }
        if let Some(watch) = &self.watch {
            // A pipe whose reader left raises an error. A socket is hung up, which counts as closed for
            // reading; as the watch is not registered for reading, nothing else counts as readable.
            while let Ok(ready) = watch.ready(Interest::ERROR | Interest::READABLE).await {
                if ready.is_error() || ready.is_read_closed() {
                    return;
                }
            }
        }
        std::future::pending().await
    }

    /// A watch over the descriptor. It only waits, so that the descriptor blocks does not matter.
    fn start_watching(&self) -> Option<pipe::Sender> {
        if !matches!(self.nature, Nature::Pipe | Nature::Socket) {
            return None;
        }
        let fd = self.file.as_fd().try_clone_to_owned().ok()?;
        pipe::Sender::from_owned_fd_unchecked(fd).ok()
    }
}

/// Whether the reader of a pipe on standard output has gone.
pub(crate) fn reader_is_gone() -> bool {
    let stdout = io::stdout();
    let mut watched = [PollFd::new(&stdout, PollFlags::empty())];
    poll(&mut watched, Some(&rustix::event::Timespec::default())).is_ok_and(|ready| ready > 0)
        && watched[0].revents().contains(PollFlags::ERR)
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

#[cfg(test)]
mod tests {
    use std::io::{PipeReader, Read, Seek, pipe};
    use std::os::unix::net::UnixStream;
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    /// More than a pipe holds, and of a pattern that shows where something is missing.
    fn plenty() -> Vec<u8> {
        (0..200_000u32).flat_map(u32::to_le_bytes).collect()
    }

    fn over_a_pipe() -> (PipeReader, Sink) {
        let (reader, writer) = pipe().unwrap();
        (reader, Sink::new(writer.into()))
    }

    /// Whether `future` is still waiting after it got every chance to end.
    async fn waits<T>(future: impl Future<Output = T>) -> bool {
        timeout(Duration::from_millis(30), future).await.is_err()
    }

    #[tokio::test]
    async fn a_file_is_written_at_once() {
        let mut file = tempfile::tempfile().unwrap();
        let mut sink = Sink::new(file.try_clone().unwrap().into());
        let mut bytes = b"hello".to_vec();
        sink.write(&mut bytes).await.unwrap();
        assert!(bytes.is_empty() && sink.helper.is_none());
        let mut text = String::new();
        file.rewind().unwrap();
        file.read_to_string(&mut text).unwrap();
        assert_eq!(text, "hello");
    }

    #[tokio::test]
    async fn a_full_disk_is_an_error() {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let mut sink = Sink::new(full.into());
        let error = sink.write(&mut b"x".to_vec()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::StorageFull);
    }

    #[tokio::test]
    async fn a_stalled_reader_stalls_only_the_write_and_loses_nothing() {
        let (mut reader, mut sink) = over_a_pipe();
        let expected = [plenty(), b"end".to_vec()].concat();
        let mut bytes = plenty();
        assert!(waits(sink.write(&mut bytes)).await);
        assert!(bytes.is_empty(), "the helper has taken the bytes");
        bytes.extend_from_slice(b"end");
        assert!(waits(sink.write(&mut bytes)).await);
        assert_eq!(bytes, b"end", "one write at a time");

        let reading = thread::spawn(move || {
            let mut all = Vec::new();
            reader.read_to_end(&mut all).map(|_| all)
        });
        sink.write(&mut bytes).await.unwrap();
        drop(sink);
        assert!(reading.join().unwrap().unwrap() == expected);
    }

    #[tokio::test]
    async fn buffers_are_used_again() {
        let (mut reader, mut sink) = over_a_pipe();
        let mut bytes = Vec::with_capacity(1000);
        let address = bytes.as_ptr();
        for _ in 0..2 {
            bytes.extend_from_slice(b"ping");
            sink.write(&mut bytes).await.unwrap();
        }
        assert_eq!(bytes.as_ptr(), address);
        let mut read = [0; 8];
        reader.read_exact(&mut read).unwrap();
        assert_eq!(&read, b"pingping");
    }

    #[tokio::test]
    async fn writing_to_nobody_is_a_broken_pipe() {
        let (reader, mut sink) = over_a_pipe();
        drop(reader);
        let error = sink.write(&mut b"x".to_vec()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BrokenPipe);
    }

    #[tokio::test]
    async fn a_failure_of_an_abandoned_write_is_told_by_the_next() {
        let (reader, mut sink) = over_a_pipe();
        assert!(waits(sink.write(&mut plenty())).await);
        drop(reader);
        let error = sink.write(&mut Vec::new()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BrokenPipe);
    }

    #[tokio::test]
    async fn a_pipe_made_non_blocking_by_others_is_waited_for() {
        let (mut reader, mut sink) = over_a_pipe();
        rustix::io::ioctl_fionbio(&sink.file, true).unwrap();
        assert!(waits(sink.write(&mut plenty())).await);
        let reading = thread::spawn(move || {
            let mut all = Vec::new();
            reader.read_to_end(&mut all).map(|_| all)
        });
        sink.write(&mut Vec::new()).await.unwrap();
        drop(sink);
        assert!(reading.join().unwrap().unwrap() == plenty());
    }

    #[tokio::test]
    async fn the_leaving_of_a_pipes_reader_is_noticed_without_writing() {
        let (reader, mut sink) = over_a_pipe();
        assert!(waits(sink.reader_gone()).await);
        drop(reader);
        sink.reader_gone().await;
        sink.reader_gone().await;
    }

    #[tokio::test]
    async fn the_leaving_of_a_stalled_reader_is_noticed() {
        let (reader, mut sink) = over_a_pipe();
        assert!(waits(sink.write(&mut plenty())).await);
        assert!(waits(sink.reader_gone()).await);
        drop(reader);
        sink.reader_gone().await;
    }

    #[tokio::test]
    async fn the_leaving_of_a_sockets_peer_is_noticed() {
        let (peer, ours) = UnixStream::pair().unwrap();
        let mut sink = Sink::new(ours.into());
        sink.write(&mut b"x".to_vec()).await.unwrap();
        peer.shutdown(std::net::Shutdown::Write).unwrap();
        assert!(waits(sink.reader_gone()).await, "it still reads");
        drop(peer);
        sink.reader_gone().await;
    }

    #[tokio::test]
    async fn a_file_has_no_reader_that_could_leave() {
        let mut sink = Sink::new(tempfile::tempfile().unwrap().into());
        assert!(waits(sink.reader_gone()).await);
    }
}
