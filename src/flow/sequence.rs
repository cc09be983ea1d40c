//! Whether messages that are numbered by their sender come without gap, repetition and disorder (`--sequence`).

use serde_json::Value;

use super::until::messages;
use crate::error::{Error, Kind, Result, brief, counted};
use crate::message::Message;
use crate::output::Console;
use crate::payload::expect::Subject;
use crate::payload::topics::PerTopic;

/// As many gaps of a topic are remembered: what comes late is known by them.
const GAPS: usize = 16;

/// As many faults are reported one by one.
const REPORTED: u64 = 10;

/// What came of a topic.
#[derive(Debug)]
struct Seen {
    highest: u64,
    /// The newest that are missing, from and to, in order.
    gaps: Vec<(u64, u64)>,
    /// The highest before the counter began anew, while that may have been a repetition.
    before: Option<u64>,
}

/// How a number fits to those before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// The first of its topic, or the next.
    Next,
    /// These are missing before it.
    Gap(u64, u64),
    /// It was missing.
    Late,
    /// It was there.
    Repeated,
    /// The counter began anew.
    Restarted,
    /// It did not: what seemed so was a repetition, and this is the next.
    Resumed,
}

impl Seen {
    const fn new(number: u64) -> Self {
        Self {
            highest: number,
            gaps: Vec::new(),
            before: None,
        }
    }

    fn place(&mut self, number: u64) -> Place {
        if let Some(before) = self.before.take()
            && before.checked_add(1) == Some(number)
        {
            self.highest = number;
            return Place::Resumed;
        }
        if number > self.highest {
            let (from, to) = (self.highest + 1, number - 1);
            self.highest = number;
            if from > to {
                return Place::Next;
            }
            if self.gaps.len() == GAPS {
                self.gaps.remove(0);
            }
            self.gaps.push((from, to));
            return Place::Gap(from, to);
        }
        let gap = self
            .gaps
            .iter()
            .position(|(from, to)| (*from..=*to).contains(&number));
        if let Some(at) = gap {
            self.fill(at, number);
            return Place::Late;
        }
        // Counters begin with 0 or 1; directly after itself it is more likely a repetition.
        if number <= 1 && number != self.highest {
            *self = Self {
                before: Some(self.highest),
                ..Self::new(number)
            };
            return Place::Restarted;
        }
        Place::Repeated
    }

    /// Takes a number out of a gap.
    fn fill(&mut self, at: usize, number: u64) {
        let (from, to) = self.gaps.remove(at);
        let rest = [(from, number), (number + 1, to + 1)];
        let rest = rest.into_iter().filter(|(from, end)| from < end);
        for (place, (from, end)) in rest.enumerate() {
            self.gaps.insert(at + place, (from, end - 1));
        }
        if self.gaps.len() > GAPS {
            self.gaps.remove(0);
        }
    }
}

/// Looks at the numbers of messages, for each topic.
#[derive(Debug)]
pub(super) struct Sequence<'a> {
    what: &'a Subject,
    console: Console,
    topics: PerTopic<Option<Seen>>,
    counts: Counts,
}

/// How many messages were what: each is one of the first five.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    in_order: u64,
    late: u64,
    repeated: u64,
    restarted: u64,
    /// They have no number.
    unnumbered: u64,
    missing: u64,
    gaps: u64,
    topics: u64,
}

impl<'a> Sequence<'a> {
    pub(super) fn new(what: &'a Subject, console: Console) -> Self {
        let largest = size_of::<Option<Seen>>() + GAPS * size_of::<(u64, u64)>();
        Self {
            what,
            console,
            topics: PerTopic::new(largest),
            counts: Counts::default(),
        }
    }

    /// A message came. `json` gives its body as JSON.
    pub(super) fn see(&mut self, message: &Message, json: impl FnOnce() -> Option<Value>) {
        let found = self.what.find(message, json);
        let counts = &mut self.counts;
        let Some(number) = found.and_then(|text| text.trim().parse::<u64>().ok()) else {
            counts.unnumbered += 1;
            return self.report(&message.topic, format_args!("no number in {}", self.what));
        };
        let seen = self.topics.of(&message.topic);
        let Some(seen) = seen else {
            *seen = Some(Seen::new(number));
            counts.in_order += 1;
            counts.topics += 1;
            return;
        };
        let highest = seen.highest;
        let place = seen.place(number);
        match place {
            Place::Next => counts.in_order += 1,
            Place::Gap(from, to) => {
                counts.in_order += 1;
                counts.gaps += 1;
                counts.missing = counts.missing.saturating_add((to - from).saturating_add(1));
            }
            Place::Late => {
                counts.late += 1;
                counts.missing -= 1;
            }
            Place::Repeated => counts.repeated += 1,
            Place::Restarted => counts.restarted += 1,
            Place::Resumed => {
                counts.in_order += 1;
                counts.restarted -= 1;
                counts.repeated += 1;
            }
        }
        self.tell(&message.topic, number, highest, place);
    }

    fn tell(&self, topic: &str, number: u64, highest: u64, place: Place) {
        match place {
            Place::Next | Place::Resumed => {}
            Place::Gap(from, to) if from == to => {
                self.report(topic, format_args!("{from} is missing"));
            }
            Place::Gap(from, to) => self.report(topic, format_args!("{from} to {to} are missing")),
            Place::Late => self.report(topic, format_args!("{number} came after {highest}")),
            Place::Repeated => self.report(topic, format_args!("{number} came again")),
            Place::Restarted => self.report(
                topic,
                format_args!("{number} came after {highest}: the counter began anew"),
            ),
        }
    }

    fn report(&self, topic: &str, what: std::fmt::Arguments<'_>) {
        let faults = self.counts.faults();
        if faults <= REPORTED {
            self.console.warn(format_args!("{}: {what}", brief(topic)));
        }
        if faults == REPORTED {
            self.console
                .warn("further faults of the sequence are only counted");
        }
    }

    /// What came of it, in one line.
    ///
    /// # Errors
    /// The same line as [`Kind::Missed`], when not all was in order.
    pub(super) fn verdict(&self) -> Result<String> {
        let counts = &self.counts;
        let mut text = format!(
            "sequence of {}: {} in order on {}",
            messages(counts.all()),
            counts.in_order,
            topics(counts.topics)
        );
        let details = [
            (counts.missing, "missing"),
            (counts.late, "late"),
            (counts.repeated, "repeated"),
            (counts.restarted, "restarted"),
            (counts.unnumbered, "without a number"),
        ];
        for (count, what) in details.iter().filter(|(count, _)| *count > 0) {
            text.push_str(&format!(", {count} {what}"));
        }
        if self.topics.forgotten() > 0 {
            text.push_str("; more topics than are remembered, so that some began anew");
        }
        match counts.faults() {
            0 => Ok(text),
            _ => Err(Error::new(Kind::Missed, text)),
        }
    }
}

impl Counts {
    const fn all(&self) -> u64 {
        self.in_order + self.late + self.repeated + self.restarted + self.unnumbered
    }

    /// How often something was wrong.
    const fn faults(&self) -> u64 {
        self.late + self.repeated + self.restarted + self.unnumbered + self.gaps
    }
}

/// `1 topic`, `2 topics`.
pub(super) fn topics(count: u64) -> String {
    counted(count, "topic")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::Style;

    fn message(topic: &'static str, payload: String) -> Message {
        Message {
            topic: topic.into(),
            payload: payload.into(),
            ..Message::default()
        }
    }

    /// The verdict on numbers that came on one topic.
    fn verdict(numbers: &[i64]) -> (u8, String) {
        let console = Console::new(Style {
            quiet: true,
            ..Style::default()
        });
        let mut sequence = Sequence::new(&Subject::Payload, console);
        for number in numbers {
            sequence.see(&message("a", number.to_string()), || None);
        }
        match sequence.verdict() {
            Ok(text) => (0, text),
            Err(error) => (error.exit_code(), error.text().to_owned()),
        }
    }

    #[test]
    fn each_fault_is_counted_and_all_add_up() {
        let table: [(&[i64], u8, &str); 9] = [
            (&[], 0, "0 messages: 0 in order on 0 topics"),
            (&[7, 8, 9], 0, "3 messages: 3 in order on 1 topic"),
            (
                &[1, 2, 5],
                7,
                "3 messages: 3 in order on 1 topic, 2 missing",
            ),
            (
                &[1, 3, 2, 4],
                7,
                "4 messages: 3 in order on 1 topic, 1 late",
            ),
            (
                &[5, 6, 6, 5],
                7,
                "4 messages: 2 in order on 1 topic, 2 repeated",
            ),
            (
                &[0, 0, 1],
                7,
                "3 messages: 2 in order on 1 topic, 1 repeated",
            ),
            (
                &[8, 9, 0, 1],
                7,
                "4 messages: 3 in order on 1 topic, 1 restarted",
            ),
            // The second 0 looked like a beginning, until 3 followed.
            (
                &[0, 1, 2, 0, 3],
                7,
                "5 messages: 4 in order on 1 topic, 1 repeated",
            ),
            (
                &[1, -1, 2],
                7,
                "3 messages: 2 in order on 1 topic, 1 without a number",
            ),
        ];
        for (numbers, code, text) in table {
            let expected = (code, format!("sequence of {text}"));
            assert_eq!(verdict(numbers), expected, "{numbers:?}");
        }
    }

    #[test]
    fn what_comes_late_is_taken_out_of_its_gap() {
        let mut seen = Seen::new(0);
        assert_eq!(seen.place(9), Place::Gap(1, 8));
        assert_eq!(seen.place(4), Place::Late);
        assert_eq!(seen.gaps, [(1, 3), (5, 8)]);
        assert_eq!(seen.place(4), Place::Repeated);
        for number in [1, 3, 2] {
            assert_eq!(seen.place(number), Place::Late);
        }
        assert_eq!(seen.gaps, [(5, 8)]);
        // No more gaps are remembered than have a place.
        for number in 0..100 {
            seen.place(20 + 2 * number);
        }
        assert_eq!(seen.gaps.len(), GAPS);
        assert_eq!(seen.place(5), Place::Repeated, "it is forgotten");
        assert_eq!(seen.place(u64::MAX), Place::Gap(219, u64::MAX - 1));
        assert_eq!(seen.place(u64::MAX), Place::Repeated);
    }

    #[test]
    fn each_topic_counts_by_itself() {
        let console = Console::new(Style::default());
        let pointer = Subject::Pointer("/n".into());
        let mut sequence = Sequence::new(&pointer, console);
        for (topic, number) in [("a", 1), ("b", 7), ("a", 2), ("b", 8)] {
            let body = format!("{{\"n\":{number}}}");
            let json = serde_json::from_str(&body).ok();
            sequence.see(&message(topic, body), || json);
        }
        assert_eq!(
            sequence.verdict().unwrap(),
            "sequence of 4 messages: 4 in order on 2 topics"
        );
    }
}
