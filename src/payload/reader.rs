//! Reads a stream in chunks: a file here, what may block on a thread of its own, what grows as it grows.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::Path;
use std::thread;

use bytes::{Bytes, BytesMut};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use tokio::sync::mpsc;

use super::follow::Follow;
use super::unpack::Unpacked;

/// As much as one read takes.
const CHUNK: usize = 64 * 1024;

/// A read into less room than this would waste a system call.
const SMALLEST_ROOM: usize = 16 * 1024;

/// How many chunks may wait: the reader stays ahead, and memory stays bounded.
const AHEAD: usize = 4;

/// The chunks of a stream, each handed over as soon as it is read.
pub(super) enum Reader {
    /// A regular file never keeps us waiting for somebody else.
    Here(Chunks),
    /// What the thread has read.
    Thread(mpsc::Receiver<io::Result<Bytes>>),
    /// A file that has no end.
    Following(Follow),
}

impl Reader {
    /// Starts reading `file` to its end.
    pub(super) fn start(file: File) -> io::Result<Self> {
        Self::over(file, |file| Box::new(Patient(file)))
    }

    /// The same, where what is compressed by gzip is unpacked. Data whose end is missing is an [`ErrorKind::UnexpectedEof`].
    pub(super) fn unpacked(file: File) -> io::Result<Self> {
        Self::over(file, |file| Box::new(Unpacked::new(Patient(file))))
    }

    fn over(file: File, by: impl FnOnce(File) -> Box<dyn Read + Send>) -> io::Result<Self> {
        let is_regular = file.metadata().is_ok_and(|facts| facts.is_file());
        let chunks = Chunks {
            room: BytesMut::new(),
            from: by(file),
        };
        if is_regular {
            return Ok(Self::Here(chunks));
        }
        let (sender, receiver) = mpsc::channel(AHEAD);
        thread::Builder::new()
            .name(String::from("input"))
            // To unpack takes more than 64 KiB where nothing is optimized.
            .stack_size(256 * 1024)
            .spawn(move || chunks.send(&sender))?;
        Ok(Self::Thread(receiver))
    }

    /// Starts to follow the file of this name.
    pub(super) fn follow(path: &Path, from_start: bool) -> io::Result<Self> {
        Follow::open(path, from_start).map(Self::Following)
    }

    /// The next chunk, empty only where a file that is followed gave way to another; `None` at the end. Cancel-safe.
    pub(super) async fn next(&mut self) -> io::Result<Option<Bytes>> {
        match self {
            Self::Here(chunks) => chunks.next(),
            Self::Thread(receiver) => receiver.recv().await.transpose(),
            Self::Following(follow) => follow.next().await.map(Some),
        }
    }
}

/// A file that is waited for where reading from it would block.
struct Patient(File);

impl Read for Patient {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.0.read(room) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                // A terminal or pipe that is shared with a program that set O_NONBLOCK (node, ssh) has nothing yet.
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    wait_until_readable(&self.0)?
                }
                read => return read,
            }
        }
    }
}

/// A stream and the room to read into.
pub(super) struct Chunks {
    from: Box<dyn Read + Send>,
    room: BytesMut,
}

impl Chunks {
    /// The next chunk, never empty; `None` at the end.
    fn next(&mut self) -> io::Result<Option<Bytes>> {
        if self.room.len() < SMALLEST_ROOM {
            self.room = BytesMut::zeroed(CHUNK);
        }
        match self.from.read(&mut self.room)? {
            0 => Ok(None),
            length => Ok(Some(self.room.split_to(length).freeze())),
        }
    }

    /// Hands over all chunks, or those before a failure and the failure.
    fn send(mut self, sender: &mpsc::Sender<io::Result<Bytes>>) {
        while let Some(chunk) = self.next().transpose() {
            let failed = chunk.is_err();
            if sender.blocking_send(chunk).is_err() || failed {
                return;
            }
        }
    }
}

fn wait_until_readable(file: &File) -> io::Result<()> {
    match poll(&mut [PollFd::new(file, PollFlags::IN)], None) {
        Ok(_) | Err(Errno::INTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::os::fd::OwnedFd;

    use rustix::fs::{OFlags, fcntl_setfl};

    use super::*;

    #[tokio::test]
    async fn a_stream_that_does_not_block_is_waited_for() {
        let (input, mut output) = io::pipe().unwrap();
        fcntl_setfl(&input, OFlags::NONBLOCK).unwrap();
        let mut reader = Reader::start(File::from(OwnedFd::from(input))).unwrap();
        for words in [&b"a"[..], b"b"] {
            output.write_all(words).unwrap();
            assert_eq!(reader.next().await.unwrap().unwrap(), words);
        }
        drop(output);
        assert_eq!(reader.next().await.unwrap(), None);
    }
}
