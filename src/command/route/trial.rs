//! Routes over recorded messages, at the time of each of them, without a connection.

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write;
use std::path::Path;

use serde_json::Value;

use super::line;
use super::router::{Fate, time_of};
use super::rules::Rules;
use super::setup::{Candidates, Setup};
use crate::command::ends::carry;
use crate::error::{Error, Kind, Result, counted};
use crate::file;
use crate::flow::Outgoing;
use crate::flow::input::cut;
use crate::message::Message;
use crate::output::{Console, Format, Output, Style};
use crate::payload::{Bodies, Outline};

/// Shows what would go where, or compares it with what must.
///
/// # Errors
/// [`Kind::Missed`] at the first line that is another.
pub(super) async fn run(
    setup: Setup,
    recording: &Path,
    expect: Option<&Path>,
    style: Style,
) -> Result<()> {
    let expected = expect.map(lines).transpose()?;
    let mut bodies = Bodies::records(recording)?.like(Outline::default());
    let console = Console::new(style);
    let output = Output::open(Format::Raw, style)?;
    let comparison = expected.map(Comparison::new);
    let (names, sources) = (setup.target_names(), setup.candidates());
    let mut trial = Trial {
        rules: setup.untried(console)?,
        names,
        sources,
        outgoing: Vec::new(),
        fates: BTreeMap::new(),
        comparison,
        output,
    };
    let mut queue = VecDeque::new();
    let mut begun = false;
    loop {
        let more = bodies.next(&mut queue).await;
        let more = more.map_err(|error| cut(error, begun))?;
        begun |= more;
        for message in queue.drain(..) {
            trial.route(message).await?;
        }
        if !more {
            break;
        }
    }
    if let Some(torn) = bodies.torn() {
        console.warn(torn);
    }
    console.note(trial.summary());
    trial.comparison.map_or(Ok(()), Comparison::end)
}

/// Routes at work on recorded messages.
struct Trial {
    rules: Rules,
    /// The names of the targets.
    names: Vec<String>,
    sources: Candidates,
    outgoing: Outgoing,
    /// How often the routes made what of a record.
    fates: BTreeMap<Fate, u64>,
    comparison: Option<Comparison>,
    output: Output,
}

impl Trial {
    /// What became of the records, in one line.
    fn summary(&self) -> String {
        let count = |fate| self.fates.get(&fate).copied().unwrap_or_default();
        let unfulfilled = self.fates.iter().filter_map(|(fate, count)| match fate {
            Fate::Unfulfilled(at) => Some((at + 1, *count)),
            Fate::Uncovered | Fate::Routed => None,
        });
        let (mut missed, mut routes) = (0, Vec::new());
        for (route, count) in unfulfilled {
            missed += count;
            routes.push(format!("route {route}: {count}"));
        }
        let mut text = counted(self.fates.values().sum(), "record");
        if self.rules.taken().is_empty() {
            return text;
        }
        let _ = write!(text, ": {} routed", count(Fate::Routed));
        if missed > 0 {
            let routes = routes.join(", ");
            let _ = write!(text, ", {missed} did not fulfil where ({routes})");
        }
        if count(Fate::Uncovered) > 0 {
            let uncovered = count(Fate::Uncovered);
            let _ = write!(text, ", {uncovered} covered by no route");
        }
        text
    }

    async fn route(&mut self, message: Message) -> Result<()> {
        let now = time_of(&message);
        self.rules.pass_time(now, &mut self.outgoing)?;
        let topic = carry::topic_of(&message);
        let mut fate = Fate::Uncovered;
        for source in self.sources.of(message.detail.protocol(), &topic) {
            self.rules
                .pass(message.clone(), source, now, &mut self.outgoing)?;
            fate = fate.max(self.rules.fate());
        }
        *self.fates.entry(fate).or_default() += 1;
        for (target, message) in self.outgoing.drain(..) {
            let line = line(&self.names[target], &message, now);
            match &mut self.comparison {
                Some(comparison) => comparison.next(&line)?,
                None => {
                    self.output.message(&Message::plain((line + "\n").into()))?;
                    self.output.flush().await?;
                }
            }
        }
        Ok(())
    }
}

fn lines(path: &Path) -> Result<Vec<Value>> {
    let text = file::read_text(path, file::SMALL)?;
    let lines = (1..).zip(text.lines());
    let value = |(number, line): (usize, &str)| {
        let flaw = |_| file::Flaw::in_line(number, "not a JSON object").refuses(path.display());
        serde_json::from_str(line).map_err(flaw)
    };
    lines
        .filter(|(_, line)| !line.trim().is_empty())
        .map(value)
        .collect()
}

/// What must come, line by line. Keys that a line does not name may be anything.
struct Comparison {
    expected: std::vec::IntoIter<Value>,
    seen: usize,
}

impl Comparison {
    fn new(expected: Vec<Value>) -> Self {
        Self {
            expected: expected.into_iter(),
            seen: 0,
        }
    }

    fn next(&mut self, line: &str) -> Result<()> {
        self.seen += 1;
        let came: Value = serde_json::from_str(line).unwrap_or_default();
        let missed = |text: String| Err(Error::new(Kind::Missed, text));
        match self.expected.next() {
            None => missed(format!("message {}: not expected: {line}", self.seen)),
            Some(expected) if !covers(&came, &expected) => missed(format!(
                "message {}: expected {expected}, got {line}",
                self.seen
            )),
            Some(_) => Ok(()),
        }
    }

    fn end(mut self) -> Result<()> {
        match self.expected.next() {
            None => Ok(()),
            Some(expected) => {
                let text = format!("message {}: expected {expected}, got none", self.seen + 1);
                Err(Error::new(Kind::Missed, text))
            }
        }
    }
}

/// Whether all that is expected is there.
fn covers(came: &Value, expected: &Value) -> bool {
    match (came, expected) {
        (Value::Object(came), Value::Object(expected)) => expected.iter().all(|(key, value)| {
            let found = came.get(key);
            found.is_some_and(|found| covers(found, value))
        }),
        _ => came == expected,
    }
}
