//! The sender sequence number of an OSCORE context, kept where the next run finds it (RFC 8613 §7.2.1, Appendix B.1.1).
//!
//! A number that was used twice under one key would give both messages away. So numbers are reserved in steps: the
//! file always holds a number above all that were used, a crash only skips some. Each number comes in a new file that
//! takes the place of the old one, so that a full disk leaves the old one. The file is locked while a context is in
//! use, since two commands would otherwise use the same numbers.

use std::fs::{self, DirBuilder, File, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::coap::oscore::{BadContext, Context, Secrets};
use crate::connect::{Oscore, OscoreState};
use crate::error::{Error, Kind, Result};
use crate::file::{Draft, SMALL};

/// How many numbers are reserved at once; more are when half of them are left.
const STEP: u64 = 1024;

/// How often a file is tried that another command has locked.
const EVERY: Duration = Duration::from_millis(20);

/// The first words of the file, before the context's name and its number.
const MARK: &str = "iotctl-oscore 1";

/// A locked file that holds a number above all that were used.
#[derive(Debug)]
pub(super) struct Sequence {
    file: File,
    path: PathBuf,
    name: String,
    reserved: u64,
}

/// A context with numbers to use, and the file they are reserved in. Waits for another command that uses it, no
/// longer than `patience`.
///
/// # Errors
/// [`Kind::Usage`]: the secrets make no context, or the file belongs to another. [`Kind::Local`]: the file cannot
/// be used, or is in use.
pub(super) async fn open(oscore: &Oscore, patience: Duration) -> Result<(Context, Sequence)> {
    let secrets = secrets(oscore);
    let bad = |fault: BadContext| Error::usage(fault.to_string());
    let name = Context::derive(&secrets, 0, 0).map_err(bad)?.name();
    let mut sequence = Sequence::open(&oscore.state, name, patience).await?;
    let next = sequence.reserved;
    let limit = sequence
        .reserve(next)
        .map_err(|cause| sequence.unwritable(&cause))?;
    let context = Context::derive(&secrets, next, limit).map_err(bad)?;
    Ok((context, sequence))
}

fn secrets(oscore: &Oscore) -> Secrets {
    Secrets {
        master_secret: oscore.secret.reveal().to_vec(),
        master_salt: oscore.salt.reveal().to_vec(),
        sender_id: oscore.sender_id.clone(),
        recipient_id: oscore.recipient_id.clone(),
        id_context: oscore.id_context.clone(),
    }
}

impl Sequence {
    async fn open(state: &OscoreState, name: String, patience: Duration) -> Result<Self> {
        let path = match state {
            OscoreState::File(file) => file.clone(),
            OscoreState::Folder(folder) => folder.join("oscore").join(&name),
        };
        let path = fs::canonicalize(&path).unwrap_or(path);
        let file = locked(&path, &name, patience).await?;
        let mut text = String::new();
        (&file)
            .take(SMALL)
            .read_to_string(&mut text)
            .map_err(|cause| unusable(&path, &cause))?;
        let reserved = number(&text, &name, &path)?;
        Ok(Self {
            file,
            path,
            name,
            reserved,
        })
    }

    /// Makes sure that `context` has numbers left, if that can be done.
    pub(super) fn top_up(&mut self, context: &mut Context) {
        if context.sequence() + STEP / 2 < self.reserved {
            return;
        }
        // What cannot be stored must not be used: the context says so when its last number is gone.
        if let Ok(limit) = self.reserve(context.sequence()) {
            context.allow_until(limit);
        }
    }

    /// Hands back the numbers from `next` on, which were not used. That it fails only skips them.
    pub(super) fn give_back(&mut self, next: u64) {
        let _ = self.write(next);
    }

    /// Reserves the numbers from `next` to what is returned.
    fn reserve(&mut self, next: u64) -> io::Result<u64> {
        self.write(next.saturating_add(STEP))?;
        Ok(self.reserved)
    }

    /// The new file is locked before the old one is given up.
    fn write(&mut self, number: u64) -> io::Result<()> {
        let draft = drafted(&self.path, &self.name, number)?;
        self.file = draft.take_place()?;
        self.reserved = number;
        Ok(())
    }

    fn unwritable(&self, cause: &io::Error) -> Error {
        Error::local(format_args!("cannot write {}", self.path.display()), cause)
    }
}

fn unusable(path: &Path, cause: &io::Error) -> Error {
    Error::local(format_args!("cannot use {}", path.display()), cause)
}

/// A locked file with this number that has not its place yet.
fn drafted(path: &Path, name: &str, number: u64) -> io::Result<Draft> {
    let mut draft = Draft::beside(path, 0o600)?;
    let file = draft.file();
    file.lock()?;
    file.write_all(format!("{MARK} {name} {number:020}\n").as_bytes())?;
    Ok(draft)
}

/// The file at `path`, made where there is none. It is open at its beginning, and locked.
async fn locked(path: &Path, name: &str, patience: Duration) -> Result<File> {
    let end = Instant::now() + patience;
    loop {
        let file = match File::options().read(true).write(true).open(path) {
            Err(cause) if cause.kind() == io::ErrorKind::NotFound && !path.is_symlink() => {
                create(path, name).map_err(|cause| unusable(path, &cause))?;
                continue;
            }
            opened => opened.map_err(|cause| unusable(path, &cause))?,
        };
        lock(&file, path, end).await?;
        // The command that had locked it may have put another one in its place.
        let (ours, there) = (file.metadata(), fs::metadata(path));
        match (ours, there) {
            (Ok(ours), _) if !ours.is_file() => {
                let cause = io::ErrorKind::InvalidInput.into();
                return Err(unusable(path, &cause));
            }
            (Ok(ours), Ok(there)) if (ours.dev(), ours.ino()) == (there.dev(), there.ino()) => {
                return Ok(file);
            }
            _ => {}
        }
    }
}

/// Puts a file with the number 0 where nothing is; that another command was first is no matter.
fn create(path: &Path, name: &str) -> io::Result<()> {
    if let Some(folder) = path.parent().filter(|it| !it.as_os_str().is_empty()) {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)?;
    }
    match drafted(path, name, 0)?.take_free_place() {
        Err(cause) if cause.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        created => created.map(drop),
    }
}

async fn lock(file: &File, path: &Path, end: Instant) -> Result<()> {
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::WouldBlock) if Instant::now() < end => {
                tokio::time::sleep(EVERY).await;
            }
            Err(TryLockError::WouldBlock) => {
                let path = path.display();
                let text = format!("the OSCORE context of {path} is in use by another command");
                return Err(Error::new(Kind::Local, text)
                    .hint("commands that run at the same time need different sender IDs"));
            }
            Err(TryLockError::Error(cause)) => {
                return Err(Error::local(
                    format_args!("cannot lock {}", path.display()),
                    &cause,
                ));
            }
        }
    }
}

/// The number that a file holds. Whatever is not surely the number is refused, an empty file too: it held one once.
fn number(text: &str, name: &str, path: &Path) -> Result<u64> {
    let refused = |why: &str| {
        let text = format!("{} {why}", path.display());
        Err(Error::usage(text).hint("reusing a sequence number would break the encryption: agree on a new master secret or salt"))
    };
    if text.is_empty() {
        return refused("is empty: the OSCORE sequence number in it is lost");
    }
    let Some(rest) = text.strip_prefix(MARK).and_then(|it| it.strip_suffix('\n')) else {
        return refused("does not hold an OSCORE sequence number");
    };
    let mut words = rest.split_ascii_whitespace();
    match (words.next(), words.next().map(str::parse), words.next()) {
        (Some(found), Some(Ok(_)), None) if found != name => {
            refused("belongs to another OSCORE context")
        }
        (Some(_), Some(Ok(number)), None) => Ok(number),
        _ => refused("does not hold an OSCORE sequence number"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connect::Secret;

    fn oscore(state: &Path) -> Oscore {
        Oscore {
            secret: Secret::from("0123456789abcdef"),
            salt: Secret::default(),
            sender_id: vec![1],
            recipient_id: vec![2],
            id_context: None,
            state: OscoreState::File(state.to_owned()),
        }
    }

    async fn open_with(state: &Path, patience: Duration) -> (Context, Sequence) {
        open(&oscore(state), patience).await.expect("a context")
    }

    async fn opened(state: &Path) -> (Context, Sequence) {
        open_with(state, Duration::ZERO).await
    }

    #[tokio::test]
    async fn a_crash_skips_numbers_and_a_clean_end_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b/state");
        let (context, sequence) = opened(&path).await;
        assert_eq!(context.sequence(), 0);
        drop(sequence);
        let (context, mut sequence) = opened(&path).await;
        assert_eq!(context.sequence(), STEP);
        sequence.give_back(STEP + 3);
        drop(sequence);
        assert_eq!(opened(&path).await.0.sequence(), STEP + 3);
    }

    #[tokio::test]
    async fn more_are_reserved_before_the_last_is_used() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        let (mut context, mut sequence) = opened(&path).await;
        let message = crate::coap::message::Message::new(
            crate::coap::message::Type::Con,
            crate::coap::code::Code::GET,
            1,
            crate::coap::message::Token::EMPTY,
        );
        for _ in 0..3 * STEP {
            sequence.top_up(&mut context);
            context.protect_request(&message).expect("numbers are left");
            assert!(context.sequence() <= sequence.reserved);
        }
        drop(sequence);
        assert!(opened(&path).await.0.sequence() >= 3 * STEP);
    }

    #[tokio::test]
    async fn a_command_that_waited_goes_on_behind_the_one_before() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        let (context, sequence) = opened(&path).await;
        let waiting = open_with(&path, Duration::from_secs(60));
        let ending = async move {
            tokio::task::yield_now().await;
            drop((context, sequence));
        };
        let (waited, ()) = tokio::join!(waiting, ending);
        assert_eq!(waited.0.sequence(), STEP);
        let names = fs::read_dir(folder.path()).unwrap();
        assert_eq!(names.count(), 1, "no draft is left");
    }

    #[tokio::test]
    async fn one_command_at_a_time_and_one_context_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        let first = opened(&path).await;
        let refused = open(&oscore(&path), Duration::ZERO).await.unwrap_err();
        assert!(refused.text().contains("in use"), "{refused}");
        drop(first);
        let other = Oscore {
            sender_id: vec![9],
            ..oscore(&path)
        };
        let refused = open(&other, Duration::ZERO).await.unwrap_err();
        assert!(refused.text().contains("another OSCORE context"));
        for text in ["", "x", "iotctl-oscore 1 00 12", "iotctl-oscore 1 00 x\n"] {
            fs::write(&path, text).unwrap();
            let refused = open(&oscore(&path), Duration::ZERO).await.unwrap_err();
            assert_eq!(refused.kind(), Kind::Usage, "{text}");
        }
    }
}
