//! Lines for standard error that hold nobody up: its reader may have stopped reading, for a while or for good.
//!
//! A pipe or a terminal that is full would block the writer, and with it every connection and the handling of
//! signals. So a thread writes, as in `sink`, and lines that find no room are counted instead.

use std::io::{self, ErrorKind, Write};
use std::os::fd::AsFd;
use std::process::Stdio;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{FileType, fstat};
use rustix::termios::isatty;

/// Bytes of lines that may wait; as many may be on their way out.
const ROOM: usize = 256 * 1024;

/// Bytes of lines that wait, from which on the reader seems to have stopped.
const BEHIND: usize = 4 * 1024;

/// How long the end of the program waits for a reader that takes nothing.
const PATIENCE: Duration = Duration::from_secs(1);

/// So often is waited as long for a writer that has had no processor yet.
const STARVED: u32 = 10;

static STDERR: Queue = Queue::new();

/// Puts a line, or several, on standard error; they end with a line feed. Returns at once.
pub(super) fn say(lines: &[u8]) {
    if !STDERR.starts_for(io::stderr()) || !STDERR.push(lines) {
        // A broken standard error must not end a working command.
        let _ = io::stderr().write_all(lines);
    }
}

/// Where a command that we run writes what is no message of ours: standard error, or nowhere where there is none.
pub(crate) fn beside_messages() -> Stdio {
    let ours = io::stderr().as_fd().try_clone_to_owned();
    ours.map_or_else(|_| Stdio::null(), Stdio::from)
}

/// Puts a picture there that the next one replaces; where too much waits already, it is left out.
pub(super) fn draw(picture: &[u8]) {
    if !STDERR.is_behind() {
        say(picture);
    }
}

/// Waits until all is written, or until nothing was taken for a second.
pub fn flush() {
    STDERR.flush(PATIENCE);
}

/// What waits for one writer.
struct Queue {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    way: Way,
    waiting: Vec<u8>,
    /// Calls whose lines were dropped since the writer last took what waited.
    dropped: u64,
    /// The writer has taken something that is not written yet.
    writing: bool,
    /// Grows with everything that was written.
    progress: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Unknown,
    /// A file: a write takes as long as it takes. Or there can be no thread.
    Direct,
    Thread,
}

impl Queue {
    const fn new() -> Self {
        let state = State {
            way: Way::Unknown,
            waiting: Vec::new(),
            dropped: 0,
            writing: false,
            progress: 0,
        };
        Self {
            state: Mutex::new(state),
            changed: Condvar::new(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts the writer with the first line; false: lines are to be written directly.
    fn starts_for(&'static self, target: io::Stderr) -> bool {
        let mut state = self.state();
        if state.way == Way::Unknown {
            let write = move || self.write_to(target);
            let thread = may_stall() && thread::Builder::new().spawn(write).is_ok();
            state.way = if thread { Way::Thread } else { Way::Direct };
        }
        state.way == Way::Thread
    }

    /// Adds lines, or counts them where there is no room; false: there is no writer.
    fn push(&self, lines: &[u8]) -> bool {
        let mut state = self.state();
        // Once one is dropped all are, until the writer can say so in its place.
        if state.dropped > 0 || state.waiting.len() + lines.len() > ROOM {
            state.dropped += 1;
        } else {
            state.waiting.extend_from_slice(lines);
        }
        self.changed.notify_all();
        state.way == Way::Thread
    }

    fn is_behind(&self) -> bool {
        let state = self.state();
        state.dropped > 0 || state.waiting.len() > BEHIND
    }

    /// The writer's part, for ever.
    fn write_to(&self, mut target: impl Write) {
        let mut state = self.state();
        loop {
            state.writing = false;
            self.changed.notify_all();
            let waits = |state: &mut State| state.waiting.is_empty() && state.dropped == 0;
            state = self
                .changed
                .wait_while(state, waits)
                .unwrap_or_else(PoisonError::into_inner);
            let mut lines = std::mem::take(&mut state.waiting);
            let dropped = std::mem::take(&mut state.dropped);
            if dropped > 0 {
                lines.extend_from_slice(missing(dropped).as_bytes());
            }
            state.writing = true;
            drop(state);
            self.write_all(&mut target, &lines);
            state = self.state();
        }
    }

    fn write_all(&self, target: &mut impl Write, mut lines: &[u8]) {
        while !lines.is_empty() {
            match target.write(lines) {
                Ok(0) => return,
                Ok(count) => {
                    lines = &lines[count..];
                    self.state().progress += 1;
                    self.changed.notify_all();
                }
                Err(cause) if cause.kind() == ErrorKind::Interrupted => {}
                // Another program that has the same standard error made it non-blocking.
                Err(cause) if cause.kind() == ErrorKind::WouldBlock => {
                    let stderr = io::stderr();
                    let _ = poll(&mut [PollFd::new(&stderr, PollFlags::OUT)], None);
                }
                Err(_) => return,
            }
        }
    }

    fn flush(&self, patience: Duration) {
        let mut state = self.state();
        let mut turns = STARVED;
        while !state.is_idle() {
            let before = state.progress;
            let stands = |state: &mut State| !state.is_idle() && state.progress == before;
            let (next, late) = self
                .changed
                .wait_timeout_while(state, patience, stands)
                .unwrap_or_else(PoisonError::into_inner);
            // A writer that has not begun waits for a processor, and not for the reader.
            turns = turns.saturating_sub(1);
            if late.timed_out() && (next.writing || turns == 0) {
                return;
            }
            state = next;
        }
    }
}

impl State {
    const fn is_idle(&self) -> bool {
        self.waiting.is_empty() && self.dropped == 0 && !self.writing
    }
}

fn missing(lines: u64) -> String {
    let what = if lines == 1 { "line is" } else { "lines are" };
    format!("iotctl: {lines} {what} missing here: standard error was not read\n")
}

/// Whether standard error is something that can refuse bytes for as long as its reader likes.
fn may_stall() -> bool {
    let stderr = io::stderr();
    let kind = fstat(&stderr).map(|facts| FileType::from_raw_mode(facts.st_mode));
    match kind {
        Ok(FileType::CharacterDevice) => isatty(&stderr),
        Ok(FileType::RegularFile | FileType::Directory | FileType::BlockDevice) | Err(_) => false,
        Ok(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};

    use super::*;

    /// Takes what it is given as often as it is allowed to, and passes it on.
    struct Reader(Receiver<()>, Sender<Vec<u8>>);

    impl Write for Reader {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.recv().map_err(io::Error::other)?;
            self.1.send(bytes.to_vec()).map_err(io::Error::other)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn queue() -> (&'static Queue, Sender<()>, Receiver<Vec<u8>>) {
        let queue: &'static Queue = Box::leak(Box::new(Queue::new()));
        queue.state().way = Way::Thread;
        let (allow, allowed) = channel();
        let (taken, takes) = channel();
        thread::spawn(move || queue.write_to(Reader(allowed, taken)));
        (queue, allow, takes)
    }

    #[test]
    fn what_nobody_reads_is_dropped_counted_and_said_in_its_place() {
        let (queue, allow, takes) = queue();
        queue.push(b"first\n");
        while !queue.state().writing {
            thread::yield_now();
        }
        let line = vec![b'x'; ROOM / 2];
        for _ in 0..5 {
            assert!(queue.push(&line));
        }
        // It would fit, but those before it are missing.
        queue.push(b"short\n");
        for _ in 0..2 {
            allow.send(()).unwrap();
        }
        assert_eq!(takes.recv().unwrap(), b"first\n");
        let rest = takes.recv().unwrap();
        let notice = "iotctl: 4 lines are missing here: standard error was not read\n";
        assert_eq!(rest.len(), ROOM + notice.len());
        assert!(rest.ends_with(notice.as_bytes()));
        queue.flush(Duration::from_secs(60));
        queue.push(b"last\n");
        allow.send(()).unwrap();
        assert_eq!(takes.recv().unwrap(), b"last\n");
    }

    #[test]
    fn pictures_that_nobody_takes_are_left_out_and_lines_are_not() {
        let (queue, allow, takes) = queue();
        queue.push(b"first\n");
        while !queue.state().writing {
            thread::yield_now();
        }
        assert!(!queue.is_behind());
        queue.push(&[b'x'; BEHIND + 1]);
        assert!(queue.is_behind());
        queue.push(b"line\n");
        for _ in 0..2 {
            allow.send(()).unwrap();
        }
        assert_eq!(takes.recv().unwrap(), b"first\n");
        assert!(takes.recv().unwrap().ends_with(b"xline\n"));
        queue.flush(Duration::from_secs(60));
        assert!(!queue.is_behind());
    }

    #[test]
    fn the_end_waits_only_as_long_as_something_is_read() {
        let (queue, allow, takes) = queue();
        queue.push(b"a\n");
        queue.flush(Duration::from_millis(10));
        assert!(!queue.state().is_idle());
        allow.send(()).unwrap();
        queue.flush(Duration::from_secs(60));
        assert!(queue.state().is_idle());
        assert_eq!(takes.recv().unwrap(), b"a\n");
    }
}
