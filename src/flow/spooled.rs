//! A target behind a spool: a message is done with once it is on the disk, and goes on from there while and whenever the target
//! takes it. Reading goes on while the target is away, and what is left is there after a restart.

use std::collections::VecDeque;
use std::time::{Duration, Instant, SystemTime};

use tokio::task::{JoinHandle, spawn_blocking, yield_now};
use tokio::time::sleep_until;

use super::fan::Branch;
use super::{Account, Backlog, Ledger, Number, Origin, Outcome, Progress, Stored, Target};
use crate::error::{Error, Kind, Result};
use crate::flow::until::messages;
use crate::message::Message;
use crate::output::Console;
use crate::pace::alarm::now;
use crate::store::spool::disk::Folder;
use crate::store::spool::{self, Entry, Full, Place, Reader, SpoolArgs};
use crate::store::{Syncing, Worker};

/// How long a message may wait to be synced together with others.
const GROUP: Duration = Duration::from_millis(50);

/// The cursor is this far behind at most: so much is delivered again after a crash.
const SAVE: Duration = Duration::from_millis(50);

/// So many messages are read from the disk before anything else is looked at.
const BATCH: usize = 256;

/// A spool, and what is behind it.
pub struct Spooled<T> {
    args: SpoolArgs,
    /// The names of each source: that under which its messages are put there, and others.
    sources: Vec<Vec<String>>,
    /// Which source a message is from that comes, and that goes on.
    origins: (Origin, Origin),
    /// On the way to the disk.
    stored: Stored,
    waiting: VecDeque<Number>,
    synced: Vec<Progress>,
    /// From there on.
    reader: Reader<Folder>,
    branch: Branch<T>,
    /// What was handed on, and where each ends in the spool.
    ledger: Ledger,
    places: VecDeque<Place>,
    account: Account,
    dropped: u64,
    /// How many messages are on the disk and not delivered.
    left: u64,
    /// How many of those that were put aside were read, and belong nowhere.
    unowned: u64,
    told_full: bool,
    saving: Option<JoinHandle<Result<bool>>>,
    save_at: Option<Instant>,
    /// What is older was put there by an earlier run.
    opened: SystemTime,
    finished: bool,
    console: Console,
}

impl<T: Target> Spooled<T> {
    /// Opens the spool in front of `target`. `arriving` tells the source of a message that comes, and `leaving` has to be told
    /// that of one which goes on.
    ///
    /// # Errors
    /// [`Kind::Local`]: it cannot be used, or another process has it.
    /// [`Kind::Usage`]: it has messages from a source that is none of these.
    pub fn open(
        args: &SpoolArgs,
        sources: Vec<Vec<String>>,
        [arriving, leaving]: [Origin; 2],
        target: T,
        console: Console,
    ) -> Result<Self> {
        let opened = spool::open(args)?;
        for warning in &opened.warnings {
            console.warn(warning);
        }
        let mut reader = opened.reader;
        let (filled, left) = reader.sources()?;
        if let Some(other) = filled
            .iter()
            .find(|it| !sources.iter().flatten().any(|name| name == *it))
        {
            let text = format!(
                "the spool {} has messages from {other}, which is no source of this run",
                args.dir.display()
            );
            return Err(Error::usage(text).hint(
                "deliver them with the sources they came from, or give this run its own spool",
            ));
        }
        let worker = Worker::start(opened.writer, Syncing::Within(GROUP))?;
        Ok(Self {
            args: args.clone(),
            sources,
            origins: (arriving, leaving),
            stored: Stored::new(args.dir.display().to_string(), worker),
            waiting: VecDeque::new(),
            synced: Vec::new(),
            reader,
            branch: Branch::new(target),
            ledger: Ledger::default(),
            places: VecDeque::new(),
            account: Account::default(),
            dropped: 0,
            left,
            unowned: 0,
            told_full: false,
            saving: None,
            save_at: None,
            opened: SystemTime::now(),
            finished: false,
            console,
        })
    }

    /// Puts the cursor on the disk and says what became of what was in the spool; the target, which is still open.
    ///
    /// # Errors
    /// The cursor cannot be written; messages that the target refused.
    pub async fn close(mut self) -> (Result<()>, T) {
        self.reader.close();
        self.dropped += self.gone();
        self.stored.close().await;
        if let Some(saving) = self.saving.take() {
            // The last one says more.
            let _ = saving.await;
        }
        let saved = match self.reader.is_behind() {
            true => match self.reader.save()() {
                Ok(false) => {
                    let text = format!(
                        "there is no room for the cursor of the spool {}: what was delivered last is delivered again",
                        self.args.dir.display()
                    );
                    Err(Error::new(Kind::Local, text))
                }
                saved => saved.map(drop),
            },
            false => Ok(()),
        };
        self.tell_bad();
        let told = self.tell();
        (saved.and(told), self.branch.target)
    }

    /// Says what became of what was in the spool.
    fn tell(&mut self) -> Result<()> {
        self.account.received = self.ledger.newest();
        self.account.tell_reasons(self.console);
        self.console.note(self.account.forwarded()?);
        if self.dropped > 0 {
            let dropped = messages(self.dropped);
            self.console
                .note(format_args!("{dropped} dropped, as the spool was full"));
        }
        match self.reader.left() {
            (_, 0) => {}
            (Some(count), _) => {
                let left = messages(count);
                self.console.note(format_args!("{left} left in the spool"));
            }
            (None, bytes) => {
                let left = bytes >> 20;
                self.console
                    .note(format_args!("{left} MiB left in the spool"));
            }
        }
        match self.account.refusal.take() {
            None => Ok(()),
            Some(refusal) => {
                let (failures, all) = (self.account.failures(), messages(self.account.received));
                let text = format!("{refusal} for {failures} of {all}");
                Err(Error::new(refusal.kind(), text))
            }
        }
    }

    /// How many of those in flight are on the disk no more: they are lost unless the target still takes them.
    fn gone(&self) -> u64 {
        let places = self.places.iter().rev();
        let numbers = (1..=self.ledger.newest()).rev();
        let open = places.zip(numbers).filter(|(place, number)| {
            self.ledger.is_open(*number) && self.reader.has_dropped(**place)
        });
        open.count() as u64
    }

    fn is_full(&self) -> bool {
        self.reader.size() + self.stored.bytes() >= self.args.size
    }

    /// The oldest make room, where that is wanted.
    fn make_room(&mut self) -> Result<()> {
        if self.args.full != Full::DropOldest {
            return Ok(());
        }
        // What is not on the disk yet has not taken its room: a burst would sweep away more than it brings.
        while self.reader.size() >= self.args.size
            && let Some(dropped) = self.reader.drop_oldest()?
        {
            if self.dropped == 0 && dropped > 0 {
                self.console
                    .warn("the spool is full: the oldest messages are dropped");
            }
            self.dropped += dropped;
            self.left = self.left.saturating_sub(dropped);
        }
        Ok(())
    }

    /// Hands messages on for as long as there is room; whether there are more.
    fn hand_over(&mut self) -> Result<bool> {
        self.branch.hand_over()?;
        for _ in 0..BATCH {
            if !self.branch.has_room() {
                return Ok(false);
            }
            let Some(entry) = self.reader.next()? else {
                return Ok(false);
            };
            self.pass_on(entry)?;
        }
        Ok(true)
    }

    fn pass_on(&mut self, entry: Entry) -> Result<()> {
        let number = self.ledger.arrive();
        self.places.push_back(entry.end);
        let waited = SystemTime::now().duration_since(entry.since);
        let is_old = |age| waited.is_ok_and(|waited| waited > age);
        if self.args.age.is_some_and(is_old) {
            self.account.expired += 1;
            self.ledger.finish(number);
            return Ok(());
        }
        let mut at = self.sources.iter();
        let at = at.position(|names| names.contains(&entry.source));
        // Rules that have changed since must not make an acknowledged message vanish.
        let is_kept = |at: &usize| {
            entry.since >= self.opened || self.branch.target.covers(*at, &entry.message)
        };
        let Some(at) = at.filter(is_kept) else {
            self.account.filtered += 1;
            self.ledger.finish(number);
            let line = spool::line(&entry.source, &entry.message, entry.since);
            self.unowned += 1;
            return self.reader.keep_bad(&line);
        };
        self.origins.1.set(at);
        self.branch.push(number, entry.message);
        self.branch.hand_over()
    }

    /// Looks at what both sides have done.
    fn count(&mut self, into: &mut Vec<Progress>) {
        for progress in self.synced.drain(..) {
            if let Progress::Through(last) = progress {
                let synced = std::iter::from_fn(|| self.waiting.pop_front_if(|it| *it <= last));
                let synced = synced.inspect(|_| self.left += 1);
                into.extend(synced.map(|number| Progress::One(number, Outcome::Accepted)));
            }
        }
        let (ledger, account) = (&mut self.ledger, &mut self.account);
        self.branch.count(|number, outcome| {
            if ledger.finish(number) {
                account.count(outcome);
            }
        });
        let settled = self.ledger.take_settled() as usize;
        self.left = self.left.saturating_sub(settled as u64);
        if let Some(place) = self.places.drain(..settled).next_back() {
            self.reader.settle(place);
        }
        if self.places.is_empty() {
            self.reader.settle_read();
        }
        self.tell_bad();
        if self.reader.was_full() && !std::mem::replace(&mut self.told_full, true) {
            let dir = self.args.dir.display();
            self.console.warn(format_args!(
                "the disk of the spool {dir} is full: what comes waits until what is there is delivered"
            ));
        }
        if self.reader.is_behind() && self.save_at.is_none() {
            self.save_at = Some(now() + SAVE);
        }
    }

    /// Says how much could not be read or belongs nowhere, once.
    fn tell_bad(&mut self) {
        if let Some((count, place)) = self.reader.take_bad() {
            let unowned = std::mem::take(&mut self.unowned);
            self.left = self.left.saturating_sub(count.saturating_sub(unowned));
            let lines = crate::error::counted(count, "line");
            self.console.warn(format_args!(
                "{lines} of the spool cannot be delivered, and went to {place}"
            ));
        }
    }

    /// Waits until something has happened.
    async fn turn(&mut self, more: bool) -> Result<()> {
        let (save_at, saving) = (self.save_at, &mut self.saving);
        let is_saving = saving.is_some();
        let saved = async {
            match saving {
                Some(saving) => saving.await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            driven = self.stored.drive(&mut self.synced) => driven?,
            driven = self.branch.target.drive(&mut self.branch.done) => driven?,
            saved = saved => {
                self.saving = None;
                // On a full disk what is delivered is to make room; the cursor is saved as soon as there is some.
                if !saved.map_err(|_| Error::usage("the cursor was not saved"))?? {
                    self.reader.not_saved();
                }
            }
            () = sleep_until(save_at.unwrap_or_else(now).into()), if save_at.is_some() && !is_saving => {
                self.save_at = None;
                self.saving = Some(spawn_blocking(self.reader.save()));
            }
            () = self.reader.is_waited_for() => {}
            () = yield_now(), if more => {}
        }
        Ok(())
    }
}

impl<T: Target> Target for Spooled<T> {
    fn name(&self) -> String {
        self.branch.target.name()
    }

    fn keeps(&self) -> bool {
        true
    }

    fn has_room(&self) -> bool {
        let is_empty = || self.reader.is_at_end() && self.branch.is_idle();
        self.stored.has_room()
            && (self.args.full == Full::DropOldest || !self.is_full() || is_empty())
    }

    fn is_idle(&self) -> bool {
        let is_delivered = || self.reader.is_at_end() && self.branch.is_idle();
        self.waiting.is_empty() && (!self.finished || is_delivered())
    }

    fn backlog(&self) -> Option<Backlog> {
        Some(Backlog {
            messages: self.left,
            bytes: self.reader.undelivered(),
            dropped: self.dropped,
            outcomes: self.account.outcomes(),
            in_flight: self.ledger.open(),
        })
    }

    fn take(&mut self, number: Number, message: Message) -> Result<()> {
        let now = SystemTime::now();
        let message = message.timed(|| now);
        let source = self.sources.get(self.origins.0.get());
        let source = source.and_then(|names| names.first());
        let source = source.map_or("", String::as_str);
        let line = spool::line(source, &message, now);
        self.waiting.push_back(number);
        self.stored.take(number, Message::plain(line.into()))
    }

    fn finish(&mut self) {
        self.finished = true;
        self.stored.finish();
    }

    async fn drive(&mut self, into: &mut Vec<Progress>) -> Result<()> {
        self.make_room()?;
        let left_out = |account: &Account| account.expired + account.filtered;
        let before = left_out(&self.account);
        let more = self.hand_over()?;
        // What goes nowhere, or is no message, is done with here, and nothing else will come to say so.
        if left_out(&self.account) > before || self.reader.has_bad() {
            self.count(into);
            return Ok(());
        }
        if self.finished && self.waiting.is_empty() && self.reader.is_at_end() {
            self.branch.target.finish();
        }
        let driven = self.turn(more).await;
        self.count(into);
        driven
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::Style;

    /// Is away, or takes everything that it covers: topics that begin with `a`.
    struct Away(bool, Vec<Message>);

    impl Target for Away {
        fn name(&self) -> String {
            String::from("away")
        }

        fn covers(&self, _: usize, message: &Message) -> bool {
            message.topic.starts_with('a')
        }

        fn has_room(&self) -> bool {
            !self.0
        }

        fn is_idle(&self) -> bool {
            true
        }

        fn take(&mut self, _: Number, message: Message) -> Result<()> {
            self.1.push(message);
            Ok(())
        }

        async fn drive(&mut self, _: &mut Vec<Progress>) -> Result<()> {
            std::future::pending().await
        }
    }

    fn opened(args: &SpoolArgs, source: &str, away: bool) -> Result<Spooled<Away>> {
        let origins = [Origin::default(), Origin::default()];
        let console = Console::new(Style::default());
        let target = Away(away, Vec::new());
        Spooled::open(args, vec![vec![source.into()]], origins, target, console)
    }

    async fn fill(spooled: &mut Spooled<Away>, messages: impl Iterator<Item = Message>) {
        for (at, message) in messages.enumerate() {
            while !spooled.has_room() {
                spooled.drive(&mut Vec::new()).await.unwrap();
            }
            spooled.take(at as Number + 1, message).unwrap();
        }
        while !spooled.waiting.is_empty() {
            spooled.drive(&mut Vec::new()).await.unwrap();
        }
    }

    fn message(topic: &'static str, payload: String) -> Message {
        let mut message = Message::plain(payload.into());
        message.topic = topic.into();
        message
    }

    #[tokio::test]
    async fn the_newest_bytes_of_a_burst_survive() {
        let folder = tempfile::tempdir().unwrap();
        let mut args = SpoolArgs::of(folder.path().join("s"));
        (args.size, args.full) = (SpoolArgs::SMALLEST, Full::DropOldest);
        let mut spooled = opened(&args, "here", true).unwrap();
        let body = |at: u32| format!("{at:01000}");
        fill(&mut spooled, (0..5000).map(|at| message("a", body(at)))).await;
        spooled.make_room().unwrap();
        let (count, bytes) = spooled.reader.left();
        assert!(bytes <= args.size && bytes >= args.size / 8 * 6, "{bytes}");
        assert_eq!(count.unwrap() + spooled.dropped, 5000);
        let mut last = None;
        while let Some(entry) = spooled.reader.next().unwrap() {
            last = Some(entry.message.payload);
        }
        assert_eq!(last.unwrap(), body(4999));
        spooled.close().await.0.unwrap();
    }

    #[tokio::test]
    async fn lines_that_are_no_messages_are_done_with_and_a_killed_process_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let args = SpoolArgs::of(folder.path().to_owned());
        let file = |name: &str| folder.path().join(name);
        std::fs::write(file("00000001.ndjson"), "hello\nhello\n").unwrap();
        std::fs::write(file("18446744073709551615.ndjson"), "hello\n").unwrap();
        std::fs::write(file("cursor.new"), "1").unwrap();
        for _ in 0..2 {
            let mut spooled = opened(&args, "here", false).unwrap();
            if spooled.left > 0 {
                spooled.drive(&mut Vec::new()).await.unwrap();
            }
            assert_eq!(spooled.reader.left(), (Some(0), 0));
            spooled.close().await.0.unwrap();
            let bad = std::fs::read_to_string(file("bad.ndjson")).unwrap();
            assert_eq!(bad.lines().count(), 2);
            assert!(file("cursor").exists() && !file("cursor.new").exists());
        }
        let mut names: Vec<_> = std::fs::read_dir(folder.path())
            .unwrap()
            .map(|it| it.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.starts_with('.'))
            .collect();
        assert_eq!(names.pop(), None);
    }

    #[tokio::test]
    async fn what_an_earlier_run_left_is_refused_or_kept_and_never_lost() {
        let folder = tempfile::tempdir().unwrap();
        let args = SpoolArgs::of(folder.path().join("s"));
        let mut spooled = opened(&args, "here", true).unwrap();
        let messages = ["a", "b", "a"].map(|topic| message(topic, topic.into()));
        fill(&mut spooled, messages.into_iter()).await;
        spooled.close().await.0.unwrap();
        let refused = opened(&args, "there", false).err().unwrap();
        assert_eq!(refused.exit_code(), 2);
        assert!(refused.text().contains("has messages from here"));
        let mut spooled = opened(&args, "here", false).unwrap();
        assert!(spooled.hand_over().is_ok_and(|more| !more));
        let (_, target) = spooled.close().await;
        assert_eq!(target.1.len(), 2);
        let bad = std::fs::read_to_string(args.dir.join("bad.ndjson")).unwrap();
        assert_eq!(bad.lines().count(), 1);
        assert!(bad.contains(r#""topic":"b""#), "{bad}");
    }
}
