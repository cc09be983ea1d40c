//! Reads a stream that may block on a thread of its own.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::thread;

use bytes::{Bytes, BytesMut};
use tokio::sync::mpsc;

/// As much as one read takes.
const CHUNK: usize = 64 * 1024;

/// A read into less room than this would waste a system call.
const SMALLEST_ROOM: usize = 16 * 1024;

/// How many chunks may wait: the reader stays ahead, and memory stays bounded.
const AHEAD: usize = 4;

/// What a reader thread reads, chunk by chunk, each handed over as soon as it is read.
pub(super) struct Reader(mpsc::Receiver<io::Result<Bytes>>);

impl Reader {
    /// Starts reading `file` to its end.
    pub(super) fn start(file: File) -> io::Result<Self> {
        let (chunks, receiver) = mpsc::channel(AHEAD);
        thread::Builder::new()
            .name(String::from("input"))
            .stack_size(64 * 1024)
            .spawn(move || run(file, &chunks))?;
        Ok(Self(receiver))
    }

    /// The next chunk, never empty; `None` at the end. Cancel-safe.
    pub(super) async fn next(&mut self) -> io::Result<Option<Bytes>> {
        self.0.recv().await.transpose()
    }
}

fn run(mut file: File, chunks: &mpsc::Sender<io::Result<Bytes>>) {
    let mut room = BytesMut::new();
    loop {
        if room.len() < SMALLEST_ROOM {
            room = BytesMut::zeroed(CHUNK);
        }
        let chunk = match file.read(&mut room) {
            Ok(0) => return,
            Ok(length) => Ok(room.split_to(length).freeze()),
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => Err(error),
        };
        let failed = chunk.is_err();
        if chunks.blocking_send(chunk).is_err() || failed {
            return;
        }
    }
}
