//! Recordings as a source of messages, each when it is due.
//!
//! The n-th message is due at start + (tₙ − t₁) / speed, so that nothing adds up, however late one of them was.
//!
//! | part | what it is for |
//! |---|---|
//! | [`tracks`] | several recordings as one, merged by time |
//! | [`timeline`] | what is out of order, and clocks that were set back; pure |
//! | [`range`] | from when until when; pure |
//! | [`filter`] | which of the messages are replayed |
//! | [`prime`] | what was retained before; pure |
//! | [`retime`] | times within payloads; pure |
//! | [`lag`] | how late messages were, and what that must be |
//! | [`survey`] | what is in recordings |

mod filter;
pub(crate) mod lag;
mod prime;
mod range;
mod retime;
pub(crate) mod survey;
mod timeline;
mod tracks;

use std::collections::VecDeque;
use std::time::{Duration, Instant, SystemTime};

use futures_util::future::FutureExt;
use tokio::task::yield_now;

use super::input::{cut, instant};
use super::pacing;
use super::{Next, Source, Stages};
use crate::error::{Error, Kind, Result, brief};
use crate::message::{Detail, Message, UNTIMED};
use crate::output::Console;
use crate::pace::alarm::{Alarm, now};
use crate::payload::Destination;
use crate::payload::template::Filler;
use filter::Filter;
use lag::Lag;
use prime::Prime;
use range::{Cut, Place};
use survey::Survey;
use timeline::{Disorder, Entry};
use tracks::Tracks;

pub(crate) use lag::Assertion;
pub(crate) use range::{Bound, Range};
pub(crate) use retime::Retime;
pub(crate) use tracks::Recording;

/// So many messages are handed over at once: whoever takes them in no time must still be able to stop.
const BATCH: usize = 1024;

/// So many records that are passed over are looked at without a pause, in which connections are kept alive.
const STRIDE: u32 = 1024;

/// What is replayed, and how.
#[derive(Clone, Debug)]
pub(crate) struct Replay {
    /// At least one; standard input at most once.
    pub(crate) recordings: Vec<Recording>,
    /// More than 0; `None`: as fast as the target takes it.
    pub(crate) speed: Option<f64>,
    /// Which part.
    pub(crate) range: Range,
    /// How often, at least once; `None`: for ever.
    pub(crate) rounds: Option<u64>,
    /// Between the last message of a round and the first of the next.
    pub(crate) gap: Duration,
    /// Which messages are sent, and what becomes of their bodies.
    pub(crate) stages: Stages,
    /// What was retained before the part comes first.
    pub(crate) prime: bool,
    /// Not before this.
    pub(crate) start_at: Option<SystemTime>,
    /// Times in payloads are moved as far as their messages are.
    pub(crate) retime: Option<Retime>,
    /// Where messages go instead of to their own topics.
    pub(crate) topic: Option<Destination>,
    /// Their quality of service, whatever they were received with.
    pub(crate) qos: Option<u8>,
    /// Whether what was retained is retained again.
    pub(crate) retain: bool,
    /// Whether what clears a retained message does so there, and so goes by the map.
    pub(crate) clears: bool,
    /// What is wrong with a message that is to be sent.
    pub(crate) check: fn(&Message) -> Result<(), String>,
}

impl Replay {
    /// Reads those recordings that can be read again, to see that they can be replayed, before anything is sent.
    ///
    /// # Errors
    /// A recording that cannot be read; [`Kind::Usage`] for one that holds what is no record, or that is to be replayed several
    /// times and can be read only once.
    pub(crate) async fn verify(&self, console: Console) -> Result<Verified> {
        let once = self.recordings.iter().find(|it| !it.is_regular());
        if let Some(once) = once.filter(|_| self.rounds != Some(1)) {
            let text = format!("--loop cannot read {once} again");
            return Err(Error::usage(text).hint("use a regular file"));
        }
        let (mut known, mut spans) = (Vec::new(), Vec::new());
        for recording in &self.recordings {
            if !recording.is_regular() {
                known.push(None);
                continue;
            }
            let survey = Survey::read(std::slice::from_ref(recording), self, false).await?;
            spans.extend(survey.span);
            known.push(survey.tell(recording, console));
        }
        if known.iter().all(Option::is_some) {
            self.check_range(&spans)?;
        }
        Ok(Verified { known })
    }

    /// What is in the recordings.
    ///
    /// # Errors
    /// As [`Replay::verify`].
    pub(crate) async fn survey(&self) -> Result<Survey> {
        let survey = Survey::read(&self.recordings, self, true).await?;
        self.check_range(survey.span.as_slice())?;
        Ok(survey)
    }

    /// Refuses a range beside what was recorded between these times.
    fn check_range(&self, spans: &[(SystemTime, SystemTime)]) -> Result<()> {
        let first = spans.iter().map(|span| span.0).min();
        let last = spans.iter().map(|span| span.1).max();
        match first.zip(last) {
            Some((first, last)) => self.range.check(first, last).map_err(Error::usage),
            None => Ok(()),
        }
    }
}

/// What is known of recordings that were read once.
#[derive(Debug, Default)]
pub(crate) struct Verified {
    known: Vec<Option<Disorder>>,
}

/// A message, and what is known of its time.
struct Waiting {
    message: Message,
    at: SystemTime,
    /// What was retained before is not compared with its time.
    primes: bool,
    /// Whether the map is still to be applied.
    maps: bool,
}

/// Recordings as a source.
pub(crate) struct Replayed<'a> {
    replay: &'a Replay,
    verified: Verified,
    filter: Filter,
    tracks: Tracks,
    cut: Cut,
    prime: Prime,
    alarm: Alarm,
    console: Console,
    /// Nothing is read before this.
    start: Option<Instant>,
    /// Read and not handed over; one, but for what comes first.
    queue: VecDeque<Waiting>,
    timing: Timing,
    changes: Changes<'a>,
    /// Rounds that have not begun; `None`: no end of them.
    rounds: Option<u64>,
    /// Records of this round.
    passed: u64,
    /// Whether a message was handed over.
    begun: bool,
    /// What was out of order was told.
    told: bool,
    end: Option<Result<()>>,
}

impl<'a> Replayed<'a> {
    /// From the beginning; `alarm` wakes it, and `outgoing` makes of each message what is sent, or refuses it.
    ///
    /// # Errors
    /// A recording cannot be opened.
    pub(crate) fn new(
        replay: &'a Replay,
        verified: Verified,
        alarm: Alarm,
        outgoing: impl FnMut(Message) -> Result<Message> + 'a,
        console: Console,
    ) -> Result<Self> {
        Ok(Self {
            tracks: Tracks::open(&replay.recordings, replay.check, &verified.known)?,
            verified,
            filter: Filter::new(replay, Some(console)),
            cut: Cut::new(replay.range),
            prime: Prime::default(),
            alarm,
            console,
            start: replay.start_at.and_then(instant),
            queue: VecDeque::new(),
            timing: Timing::new(replay.speed),
            changes: Changes {
                replay,
                filler: Filler::default(),
                outgoing: Box::new(outgoing),
            },
            rounds: replay.rounds.map(|rounds| rounds.saturating_sub(1)),
            passed: 0,
            begun: false,
            told: false,
            end: None,
            replay,
        })
    }

    /// How late messages were.
    pub(crate) const fn lag(&self) -> &Lag {
        &self.timing.lag
    }

    /// From when the first message was handed over until the last was; `None`: none was.
    pub(crate) fn elapsed(&self) -> Option<Duration> {
        let (first, last) = self.timing.handed?;
        Some(last - first)
    }

    /// How many messages were handed over.
    pub(crate) const fn count(&self) -> u64 {
        self.timing.count
    }

    /// Reads until there is a message, or none any more. Cancel-safe.
    async fn read(&mut self) {
        let mut stride = 0;
        while self.queue.is_empty() && self.end.is_none() {
            stride += 1;
            if stride % STRIDE == 0 {
                yield_now().await;
            }
            match self.tracks.next().await {
                Ok(Some(entry)) => self.see(entry),
                Ok(None) => self.round_done(),
                Err(error) => self.end = Some(Err(cut(error, self.begun))),
            }
        }
    }

    /// Looks at a record that comes next.
    fn see(&mut self, entry: Entry) {
        match self.cut.place(entry.at) {
            Place::Before => {
                if self.replay.prime && self.filter.passes(&entry.message) {
                    self.prime.see(entry);
                }
            }
            Place::Behind => self.round_done(),
            Place::Within => {
                self.primed();
                if self.filter.passes(&entry.message) {
                    self.passed += 1;
                    let clears = self.replay.clears && entry.message.clears();
                    self.queue.push_back(Waiting {
                        message: entry.message,
                        at: entry.at,
                        primes: false,
                        maps: self.replay.stages.map.is_some() && !clears,
                    });
                }
            }
        }
    }

    /// What was retained before comes first.
    fn primed(&mut self) {
        let (messages, left_out) = self.prime.take();
        let maps = self.replay.stages.map.is_some();
        let waiting = messages.into_iter().map(|message| Waiting {
            at: message.time,
            message,
            primes: true,
            maps,
        });
        self.queue.extend(waiting);
        if left_out > 0 {
            self.console.warn(format_args!(
                "the retained messages of {left_out} topics are left out: all together are too large"
            ));
        }
    }

    /// Puts what the map makes of the next message in its place.
    fn map(&mut self) -> Result<()> {
        let Some(next) = self.queue.pop_front() else {
            return Ok(());
        };
        let stages = &self.replay.stages;
        let mapped = stages.mapped(next.message, SystemTime::now())?;
        for message in mapped.into_iter().rev() {
            self.queue.push_front(Waiting {
                message,
                maps: false,
                ..next
            });
        }
        Ok(())
    }

    fn round_done(&mut self) {
        self.primed();
        self.tell();
        // A round in which there is nothing would be followed by others at once.
        if self.rounds == Some(0) || self.passed == 0 {
            self.end = Some(Ok(()));
            return;
        }
        self.rounds = self.rounds.map(|rounds| rounds - 1);
        self.passed = 0;
        let replay = self.replay;
        match Tracks::open(&replay.recordings, replay.check, &self.verified.known) {
            Ok(tracks) => self.tracks = tracks,
            Err(error) => self.end = Some(Err(error)),
        }
        self.cut = Cut::new(replay.range);
        self.filter = Filter::new(replay, Some(self.console));
        self.timing.next_round(replay.gap);
    }

    /// Tells what was out of order in recordings that were not read before.
    fn tell(&mut self) {
        if std::mem::replace(&mut self.told, true) {
            return;
        }
        let recordings = self.replay.recordings.iter().zip(&self.verified.known);
        for ((recording, known), (disorder, torn)) in recordings.zip(self.tracks.flaws()) {
            if known.is_none() {
                survey::tell(recording, disorder, torn, self.console);
            }
        }
        match self.tracks.skipped() {
            0 => {}
            1 => self.console.note("skipped 1 record of an error response"),
            count => self
                .console
                .note(format_args!("skipped {count} records of error responses")),
        }
    }
}

impl Source for Replayed<'_> {
    async fn drive(&mut self) -> Result<()> {
        if let Some(start) = self.start {
            self.alarm.until(start).await;
            self.start = None;
        }
        self.read().await;
        if let Some(next) = self.queue.front()
            && let Some(due) = self.timing.due(next)
        {
            self.alarm.until(due).await;
        }
        Ok(())
    }

    async fn hold(&mut self) -> Error {
        std::future::pending().await
    }

    fn take(&mut self, mut sink: impl FnMut(Next) -> Result<bool>) -> Result<()> {
        if self.start.is_some() {
            return Ok(());
        }
        let mut left = BATCH;
        loop {
            while let Some(next) = self.queue.front() {
                if left == 0 {
                    return Ok(());
                }
                if next.maps {
                    if !self.timing.is_due(next) {
                        return Ok(());
                    }
                    if let Err(why) = self.map()
                        && !sink(Next::Refused(why))?
                    {
                        return Ok(());
                    }
                    continue;
                }
                let Some(moment) = self.timing.ready(next) else {
                    return Ok(());
                };
                let Some(next) = self.queue.pop_front() else {
                    break;
                };
                self.begun = true;
                left -= 1;
                let made = self.changes.made(next, moment);
                if !sink(made.map_or_else(Next::Refused, Next::Message))? {
                    return Ok(());
                }
            }
            if let Some(end) = self.end.take() {
                return sink(Next::End(end)).map(drop);
            }
            if self.read().now_or_never().is_none() {
                return Ok(());
            }
        }
    }

    fn settle(&mut self, _: u64) {}

    fn awaits(&self) -> Option<String> {
        None
    }

    fn unsent(&self) -> u64 {
        self.queue.len() as u64
    }
}

/// When each message is due, and when it was handed over.
struct Timing {
    speed: Option<f64>,
    replay: pacing::Replay,
    /// When the round begins that has not begun; `None`: as soon as there is somebody to take its first message.
    begins: Option<Instant>,
    /// When the newest message was due.
    newest: Option<Instant>,
    /// A time of day and the same moment of the clock.
    wall: Option<(SystemTime, Instant)>,
    /// The first and the last moment at which a message was handed over.
    handed: Option<(Instant, Instant)>,
    count: u64,
    lag: Lag,
}

impl Timing {
    fn new(speed: Option<f64>) -> Self {
        Self {
            speed,
            replay: pacing::Replay::new(speed.unwrap_or(1.0)),
            begins: None,
            newest: None,
            wall: None,
            handed: None,
            count: 0,
            lag: Lag::default(),
        }
    }

    /// When a message is due; `None`: at once. It is asked only while somebody would take it, so that time begins then.
    fn due(&mut self, next: &Waiting) -> Option<Instant> {
        let now = now();
        let begins = self.begins.unwrap_or(now);
        if self.speed.is_none() || next.primes || next.at == UNTIMED {
            // Where the first is one of these, the round begins with it.
            return self.begins.filter(|begins| *begins > now);
        }
        self.replay.due(next.at, begins)
    }

    fn is_due(&mut self, next: &Waiting) -> bool {
        self.due(next).is_none_or(|due| due <= now())
    }

    /// The time of day at which a message that may be handed over was due; `None`: it is not due.
    fn ready(&mut self, next: &Waiting) -> Option<SystemTime> {
        let due = self.due(next);
        let now = now();
        if due.is_some_and(|due| due > now) {
            return None;
        }
        if let Some(due) = due
            && self.speed.is_some()
        {
            self.lag.record(now - due);
        }
        let due = due.unwrap_or(now);
        self.newest = Some(due);
        self.count += 1;
        self.handed = Some((self.handed.map_or(now, |handed| handed.0), now));
        let (time, moment) = *self.wall.get_or_insert_with(|| (SystemTime::now(), now));
        Some(match due.checked_duration_since(moment) {
            Some(after) => time + after,
            None => time - (moment - due),
        })
    }

    /// The next round begins so long after the newest message was due.
    fn next_round(&mut self, gap: Duration) {
        self.replay = pacing::Replay::new(self.speed.unwrap_or(1.0));
        self.begins = self.newest.and_then(|newest| newest.checked_add(gap));
    }
}

/// What is made of a message before it is sent.
struct Changes<'a> {
    replay: &'a Replay,
    filler: Filler,
    outgoing: Box<dyn FnMut(Message) -> Result<Message> + 'a>,
}

impl Changes<'_> {
    /// The message as it is sent, which was due at `moment`.
    fn made(&mut self, next: Waiting, moment: SystemTime) -> Result<Message> {
        let Waiting {
            mut message, at, ..
        } = next;
        let replay = self.replay;
        if let Some(retime) = &replay.retime
            && at != UNTIMED
        {
            let retimed = retime.retime(&mut message, at, moment);
            retimed.map_err(|why| {
                let text = format!("{}: {why}", brief(&message.topic));
                Error::new(Kind::Refused, text)
            })?;
        }
        if let Some(topic) = &replay.topic {
            let addressed = topic.address(&message, &mut self.filler);
            self.filler.advance();
            message = addressed.map_err(|why| Error::new(Kind::Refused, why))?;
        }
        if let Detail::Mqtt(mqtt) = &mut message.detail {
            mqtt.qos = replay.qos.unwrap_or(mqtt.qos);
            mqtt.retain &= replay.retain;
        }
        (self.outgoing)(message)
    }
}

#[cfg(test)]
mod tests;
