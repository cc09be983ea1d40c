//! What is in recordings, found by reading them once.

use std::collections::HashMap;
use std::time::{Duration, SystemTime};

use bytestring::ByteString;
use serde_json::{Map, Value, json};

use super::filter::Filter;
use super::range::{Cut, Place};
use super::timeline::{Disorder, Entry, TOLERANCE};
use super::tracks::Tracks;
use super::{Recording, Replay};
use crate::error::Result;
use crate::message::UNTIMED;
use crate::output::Console;

/// As many topics are counted one by one.
const MOST_TOPICS: usize = 100_000;

/// As many of the longest gaps are kept.
const GAPS: usize = 5;

/// A time without records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Gap {
    /// How long it was.
    pub(crate) length: Duration,
    /// When the last record before it came.
    pub(crate) after: SystemTime,
}

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Survey {
    /// In range, and not filtered out.
    pub(crate) records: u64,
    /// Bytes of their payloads.
    pub(crate) payload_bytes: u64,
    /// The times of the first and the last of them.
    pub(crate) times: Option<(SystemTime, SystemTime)>,
    /// Of all records, whether in range or not.
    pub(super) span: Option<(SystemTime, SystemTime)>,
    /// By the names of the protocols.
    pub(crate) protocols: Vec<(&'static str, u64)>,
    /// By topic.
    pub(crate) topics: HashMap<ByteString, u64>,
    /// Of more topics than are counted.
    pub(crate) other_topics: u64,
    /// The longest, longest first.
    pub(crate) gaps: Vec<Gap>,
    /// Of all records, each recording by itself.
    disorder: Vec<Disorder>,
    /// Records that were cut off, as sentences without their ends.
    pub(crate) torn: Vec<String>,
    /// Records that hold no message.
    pub(crate) skipped: u64,
}

impl Survey {
    /// Reads all that is to be replayed; with `details` as far as the range goes, otherwise only to see whether it can be.
    ///
    /// # Errors
    /// A recording cannot be read, or holds what is no record.
    pub(super) async fn read(
        recordings: &[Recording],
        replay: &Replay,
        details: bool,
    ) -> Result<Self> {
        let mut tracks = Tracks::open(recordings, replay.check, &[])?;
        let mut survey = Self::default();
        let mut filter = Filter::new(replay, None);
        let mut cut = Cut::new(replay.range);
        while let Some(entry) = tracks.next().await? {
            if entry.at != UNTIMED {
                let (first, last) = survey.span.unwrap_or((entry.at, entry.at));
                survey.span = Some((first.min(entry.at), last.max(entry.at)));
            }
            if details && cut.place(entry.at) == Place::Within && filter.passes(&entry.message) {
                survey.see(entry);
            }
        }
        for (disorder, torn) in tracks.flaws() {
            survey.disorder.push(disorder);
            survey.torn.extend(torn.map(str::to_owned));
        }
        survey.skipped = tracks.skipped();
        Ok(survey)
    }

    fn see(&mut self, Entry { at, message }: Entry) {
        self.records += 1;
        self.payload_bytes += message.payload.len() as u64;
        let protocol = message.detail.protocol();
        match self.protocols.iter_mut().find(|it| it.0 == protocol) {
            Some((_, count)) => *count += 1,
            None => self.protocols.push((protocol, 1)),
        }
        if let Some(count) = self.topics.get_mut(&message.topic) {
            *count += 1;
        } else if self.topics.len() < MOST_TOPICS {
            self.topics.insert(message.topic, 1);
        } else {
            self.other_topics += 1;
        }
        if at == UNTIMED {
            return;
        }
        let (first, last) = *self.times.get_or_insert((at, at));
        let length = at.duration_since(last).unwrap_or_default();
        self.times = Some((first, last.max(at)));
        let place = self.gaps.partition_point(|gap| gap.length >= length);
        if place < GAPS && !length.is_zero() {
            self.gaps.insert(
                place,
                Gap {
                    length,
                    after: last,
                },
            );
            self.gaps.truncate(GAPS);
        }
    }

    /// What is out of order in all recordings.
    fn disorder(&self) -> Disorder {
        let sum = |of: fn(&Disorder) -> u64| self.disorder.iter().map(of).sum();
        Disorder {
            sorted: sum(|it| it.sorted),
            set_back: sum(|it| it.set_back),
            untimed: sum(|it| it.untimed),
        }
    }

    /// Warns of what is wrong with the only recording, and gives what is out of order in it.
    pub(super) fn tell(&self, recording: &Recording, console: Console) -> Option<Disorder> {
        let torn = self.torn.first().map(String::as_str);
        tell(recording, self.disorder(), torn, console);
        self.disorder.first().copied()
    }

    /// Between the first and the last.
    pub(crate) fn duration(&self) -> Duration {
        let (first, last) = self.times.unwrap_or((UNTIMED, UNTIMED));
        last.duration_since(first).unwrap_or_default()
    }

    /// Records in a second, from the first to the last.
    pub(crate) fn rate(&self) -> Option<f64> {
        let seconds = self.duration().as_secs_f64();
        (seconds > 0.0).then(|| self.records.saturating_sub(1) as f64 / seconds)
    }

    /// The topics, those with most records first.
    pub(crate) fn by_count(&self) -> Vec<(&ByteString, u64)> {
        let mut topics: Vec<_> = self
            .topics
            .iter()
            .map(|(topic, count)| (topic, *count))
            .collect();
        topics.sort_unstable_by(|one, other| other.1.cmp(&one.1).then(one.0.cmp(other.0)));
        topics
    }

    /// What is wrong with the recordings: each a sentence without its end. Gaps longer than `longest` are.
    pub(crate) fn problems(&self, longest: Option<Duration>) -> Vec<String> {
        let mut problems = self.torn.clone();
        problems.extend(out_of_order(self.disorder()));
        let longest = longest.unwrap_or(Duration::MAX);
        let gaps = self.gaps.iter().filter(|gap| gap.length > longest);
        problems.extend(gaps.map(|gap| {
            let length = humantime::format_duration(whole(gap.length));
            format!("a gap of {length} after {}", time(gap.after))
        }));
        problems
    }

    /// All of it as a JSON object.
    pub(crate) fn json(&self) -> Value {
        let Disorder {
            sorted,
            set_back,
            untimed,
        } = self.disorder();
        let counts = |all: &[(&str, u64)]| -> Map<String, Value> {
            let pairs = all
                .iter()
                .map(|(name, count)| ((*name).to_owned(), (*count).into()));
            pairs.collect()
        };
        let topics: Vec<_> = self
            .by_count()
            .into_iter()
            .map(|(topic, count)| (&**topic, count))
            .collect();
        let gaps = self
            .gaps
            .iter()
            .map(|gap| json!({"after": time(gap.after), "duration_s": gap.length.as_secs_f64()}));
        json!({
            "records": self.records,
            "payload_bytes": self.payload_bytes,
            "first": self.times.map(|(first, _)| time(first)),
            "last": self.times.map(|(_, last)| time(last)),
            "duration_s": self.duration().as_secs_f64(),
            "rate_per_s": self.rate(),
            "protocols": counts(&self.protocols),
            "topics": counts(&topics),
            "other_topics": self.other_topics,
            "gaps": gaps.collect::<Vec<_>>(),
            "out_of_order": sorted,
            "clock_set_back": set_back,
            "untimed": untimed,
            "incomplete": self.torn,
            "error_responses": self.skipped,
        })
    }
}

/// Warns of what is wrong with a recording.
pub(super) fn tell(
    recording: &Recording,
    disorder: Disorder,
    torn: Option<&str>,
    console: Console,
) {
    for problem in out_of_order(disorder) {
        console.warn(format_args!("{recording}: {problem}"));
    }
    if let Some(torn) = torn {
        console.warn(torn);
    }
}

/// What is out of order in a recording, as sentences without their ends.
fn out_of_order(disorder: Disorder) -> Vec<String> {
    let Disorder {
        sorted,
        set_back,
        untimed,
    } = disorder;
    let records = |count: u64| match count {
        1 => String::from("1 record is"),
        count => format!("{count} records are"),
    };
    let tolerance = humantime::format_duration(TOLERANCE);
    let mut said = Vec::new();
    if sorted > 0 {
        said.push(format!(
            "{} out of order by less than {tolerance}",
            records(sorted)
        ));
    }
    if set_back > 0 {
        let times = match set_back {
            1 => String::from("once"),
            times => format!("{times} times"),
        };
        said.push(format!(
            "the time goes back by more than {tolerance} {times}"
        ));
    }
    if untimed > 0 {
        said.push(format!("{} without a time", records(untimed)));
    }
    said
}

/// Milliseconds are enough for people.
fn whole(time: Duration) -> Duration {
    Duration::from_millis(u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
}

fn time(time: SystemTime) -> String {
    humantime::format_rfc3339_micros(time).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Message;

    #[test]
    fn counts_times_and_gaps() {
        let mut survey = Survey::default();
        let start = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
        for (second, topic) in [(0, "a"), (1, "b"), (5, "a"), (7, "a"), (8, "c")] {
            survey.see(Entry {
                at: start + Duration::from_secs(second),
                message: Message {
                    topic: topic.into(),
                    ..Message::plain("xy".into())
                },
            });
        }
        assert_eq!((survey.records, survey.payload_bytes), (5, 10));
        assert_eq!(survey.duration(), Duration::from_secs(8));
        assert_eq!(survey.rate(), Some(0.5));
        let gaps: Vec<_> = survey.gaps.iter().map(|gap| gap.length.as_secs()).collect();
        assert_eq!(gaps, [4, 2, 1, 1]);
        let counts: Vec<_> = survey.by_count().iter().map(|it| it.1).collect();
        assert_eq!(counts, [3, 1, 1]);
        let problems = survey.problems(Some(Duration::from_secs(3)));
        assert_eq!(problems, ["a gap of 4s after 1970-01-12T13:46:41.000000Z"]);
        assert_eq!(survey.problems(None), [""; 0]);
        assert_eq!(survey.json()["topics"]["a"], 3);
    }

    #[test]
    fn disorder_is_put_into_words() {
        assert_eq!(
            out_of_order(Disorder {
                sorted: 1,
                set_back: 2,
                untimed: 3
            }),
            [
                "1 record is out of order by less than 1s",
                "the time goes back by more than 1s 2 times",
                "3 records are without a time",
            ]
        );
    }
}
