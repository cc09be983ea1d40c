//! A target that prints what became of each message, as soon as that is known (`--ack-report`).

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use bytestring::ByteString;
use serde_json::{Map, Value};

use super::latency::{milliseconds, rounded};
use super::{Number, Outcome, Progress, Target, Unit};
use crate::error::{Error, Kind, Result, brief};
use crate::message::Message;
use crate::output::Output;
use crate::pace::alarm::now;
use crate::stop::DRAIN;

/// As many bytes wait to be written, at most; nothing more is taken then.
const BATCH: usize = 1 << 20;

/// How a line looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AckReport {
    /// For people.
    Text,
    /// One JSON object.
    Json,
}

/// A target, and what its messages are waiting for.
pub struct Reported<'a, T> {
    target: &'a mut T,
    report: Option<Report>,
}

struct Report {
    format: AckReport,
    output: Output,
    /// Where messages without a topic go.
    topic: ByteString,
    /// Where each went that has no outcome yet, and when.
    sent: BTreeMap<Number, (ByteString, Instant)>,
    /// Whether what was put into the output is not known to be written.
    unwritten: bool,
}

impl<'a, T: Target> Reported<'a, T> {
    /// Reports on `output`; messages without a topic go to `topic`. Without a report, `target` is as it is.
    pub fn new(target: &'a mut T, report: Option<(AckReport, Output)>, topic: ByteString) -> Self {
        let report = report.map(|(format, output)| Report {
            format,
            output,
            topic,
            sent: BTreeMap::new(),
            unwritten: false,
        });
        Self { target, report }
    }

    /// Writes what is not written yet, as after an end that came with the last outcomes, and that what was sent and has no outcome
    /// is in doubt; a reader that stalls does not keep the command from ending.
    pub async fn close(self) {
        let Some(mut report) = self.report else {
            return;
        };
        // What was taken last and not sent has not become anything.
        let sent = report.sent.len() - report.sent.len().min(self.target.unsent() as usize);
        let open: Vec<_> = report.sent.keys().copied().take(sent).collect();
        for number in open {
            report.put(number, &Outcome::InDoubt(None), Vec::new());
        }
        if report.unwritten {
            let _ = tokio::time::timeout(DRAIN, report.flush()).await;
        }
    }
}

impl Report {
    #[inline(never)]
    fn taken(&mut self, number: Number, message: &Message) {
        let topic = match message.topic.is_empty() {
            true => &self.topic,
            false => &message.topic,
        };
        let sent = self.sent.entry(number);
        sent.or_insert_with(|| (topic.clone(), now()));
    }

    fn put(&mut self, number: Number, outcome: &Outcome, details: Vec<(&'static str, Value)>) {
        // It is known once, but for those that are sent again.
        let Some((topic, since)) = self.sent.get(&number) else {
            return;
        };
        let latency = now().saturating_duration_since(*since);
        let line = match self.format {
            AckReport::Text => text(topic, outcome, latency, &details),
            AckReport::Json => json(number, topic, outcome, latency, details),
        };
        let Some(line) = line else {
            return;
        };
        self.output.line(&line);
        self.unwritten = true;
        self.sent.remove(&number);
    }

    async fn flush(&mut self) -> Result<()> {
        self.output.flush().await?;
        self.unwritten = false;
        Ok(())
    }
}

/// What became of it; `None`: nothing yet.
const fn word(outcome: &Outcome) -> Option<&'static str> {
    match outcome {
        Outcome::Accepted => Some("acknowledged"),
        Outcome::Refused(_) | Outcome::Dropped(_) => Some("refused"),
        Outcome::DeadLettered => Some("dead-lettered"),
        Outcome::Filtered => Some("filtered out"),
        Outcome::Expired => Some("expired"),
        Outcome::Duplicate => Some("duplicate"),
        Outcome::InDoubt(_) => Some("in doubt"),
        Outcome::Again(_) => None,
    }
}

fn text(
    topic: &str,
    outcome: &Outcome,
    latency: Duration,
    details: &[(&'static str, Value)],
) -> Option<String> {
    let (topic, word, latency) = (brief(topic), word(outcome)?, milliseconds(latency));
    let mut line = format!("{topic}: {word} after {latency:.3} ms");
    for (name, value) in details {
        let name = name.replace('_', " ");
        match value {
            Value::String(text) => line.push_str(&format!(", {name} {text}")),
            value => line.push_str(&format!(", {name} {value}")),
        }
    }
    if let Outcome::Refused(why) | Outcome::InDoubt(Some(why)) = outcome {
        line.push_str(&format!(": {why}"));
    }
    Some(line)
}

fn json(
    number: Number,
    topic: &str,
    outcome: &Outcome,
    latency: Duration,
    details: Vec<(&'static str, Value)>,
) -> Option<String> {
    let mut object = Map::new();
    object.insert(String::from("number"), number.into());
    object.insert(String::from("topic"), topic.into());
    object.insert(String::from("outcome"), word(outcome)?.into());
    let details = details.into_iter();
    object.extend(details.map(|(name, value)| (name.to_owned(), value)));
    let latency = rounded(milliseconds(latency));
    object.insert(String::from("latency_ms"), latency.into());
    if let Outcome::Refused(why) | Outcome::InDoubt(Some(why)) = outcome {
        object.insert(String::from("error"), why.text().into());
    }
    Some(Value::Object(object).to_string())
}

impl<T: Target> Target for Reported<'_, T> {
    fn name(&self) -> String {
        self.target.name()
    }

    fn unit(&self) -> Unit {
        self.target.unit()
    }

    #[inline]
    fn has_room(&self) -> bool {
        let report = self.report.as_ref();
        self.target.has_room() && report.is_none_or(|report| report.output.pending() < BATCH)
    }

    fn is_free(&self) -> bool {
        self.target.is_free() && self.has_room()
    }

    fn is_idle(&self) -> bool {
        self.target.is_idle() && self.report.as_ref().is_none_or(|report| !report.unwritten)
    }

    fn unsent(&self) -> u64 {
        self.target.unsent()
    }

    #[inline]
    fn take(&mut self, number: Number, message: Message) -> Result<()> {
        if let Some(report) = &mut self.report {
            report.taken(number, &message);
        }
        self.target.take(number, message)
    }

    fn finish(&mut self) {
        self.target.finish();
    }

    fn details(&mut self, number: Number) -> Vec<(&'static str, Value)> {
        self.target.details(number)
    }

    async fn drive(&mut self, into: &mut Vec<Progress>) -> Result<()> {
        let Some(report) = &mut self.report else {
            return self.target.drive(into).await;
        };
        let before = into.len();
        let driven = match report.unwritten {
            // A reader that stalls does not keep the connection from being kept.
            true => tokio::select! {
                biased;
                driven = self.target.drive(into) => driven,
                written = report.flush() => written,
            },
            false => tokio::select! {
                biased;
                driven = self.target.drive(into) => driven,
                () = report.output.reader_gone() => {
                    let text = "the reader of standard output closed it";
                    Err(Error::new(Kind::ReaderGone, text))
                }
            },
        };
        for progress in &into[before.min(into.len())..] {
            match progress {
                Progress::One(number, outcome) => {
                    report.put(*number, outcome, self.target.details(*number));
                }
                Progress::Through(last) => {
                    let numbers: Vec<_> = report.sent.range(..=last).map(|(it, _)| *it).collect();
                    for number in numbers {
                        report.put(number, &Outcome::Accepted, self.target.details(number));
                    }
                }
            }
        }
        driven
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LATENCY: Duration = Duration::from_micros(1500);

    fn details() -> Vec<(&'static str, Value)> {
        vec![("packet_id", 7.into()), ("reason", "success".into())]
    }

    #[test]
    fn a_line_says_what_became_of_a_message() {
        let line = |outcome| text("a/b", &outcome, LATENCY, &details());
        let accepted = "a/b: acknowledged after 1.500 ms, packet id 7, reason success";
        assert_eq!(line(Outcome::Accepted).as_deref(), Some(accepted));
        let refused = Outcome::Refused(Error::new(Kind::Refused, "no"));
        assert!(line(refused).unwrap().ends_with(", reason success: no"));
        assert_eq!(line(Outcome::Again(Box::default())), None);
    }

    #[test]
    fn json_has_its_numbers_as_numbers() {
        let line = |outcome| json(3, "a\n", &outcome, LATENCY, details());
        assert_eq!(
            line(Outcome::InDoubt(None)).as_deref(),
            Some(
                r#"{"number":3,"topic":"a\n","outcome":"in doubt","packet_id":7,"reason":"success","latency_ms":1.5}"#
            )
        );
        let refused = Outcome::Refused(Error::new(Kind::Refused, "no"));
        assert!(line(refused).unwrap().ends_with(r#","error":"no"}"#));
        let in_doubt = Outcome::InDoubt(Some(Error::new(Kind::Lost, "gone")));
        assert!(line(in_doubt).unwrap().ends_with(r#","error":"gone"}"#));
    }
}
