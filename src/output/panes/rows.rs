//! Which topics are shown, and in which order.

use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::board::Board;
use crate::board::topics::{ROOT, Topic, Topics};
use crate::message::{Detail, Message, MqttDetail, UNTIMED};
use crate::payload::expect::{Condition, Scope, Subject};

/// What topics are sorted by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Order {
    /// By name: as a tree, as long as nothing is searched for.
    #[default]
    Name,
    /// The most messages in a second first.
    Rate,
    /// The most bytes in a second first.
    Bytes,
    /// What changed last first.
    Age,
    /// The most messages first.
    Messages,
}

impl Order {
    pub(super) const fn next(self) -> Self {
        match self {
            Self::Name => Self::Rate,
            Self::Rate => Self::Bytes,
            Self::Bytes => Self::Age,
            Self::Age => Self::Messages,
            Self::Messages => Self::Name,
        }
    }

    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Rate => "msg/s",
            Self::Bytes => "B/s",
            Self::Age => "age",
            Self::Messages => "messages",
        }
    }
}

/// A line of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    /// The topic, or what all below have in common.
    pub(super) path: String,
    pub(super) node: u32,
    /// How far it is indented.
    pub(super) depth: usize,
    /// Whether there is more below.
    pub(super) has_children: bool,
}

/// What is looked for.
#[derive(Default)]
pub(super) struct Wanted {
    pub(super) order: Order,
    pub(super) search: String,
    pub(super) filter: Option<Condition>,
    /// Levels whose children are shown.
    pub(super) open: HashSet<String>,
    /// Which topics fulfil the filter, as of when they changed.
    fulfilled: HashMap<Arc<str>, (Instant, bool)>,
}

impl Wanted {
    /// Whether levels are shown.
    pub(super) fn is_tree(&self) -> bool {
        self.order == Order::Name && self.search.is_empty() && self.filter.is_none()
    }

    /// Another filter.
    pub(super) fn set_filter(&mut self, filter: Option<Condition>) {
        self.filter = filter;
        self.fulfilled.clear();
    }

    /// The rows from the first up to as many as can be seen, and how many there are.
    pub(super) fn rows(&mut self, board: &Board, most: usize, now: Instant) -> (Vec<Row>, usize) {
        match self.is_tree() {
            true => self.tree(board.topics(), most),
            false => self.list(board, most, now),
        }
    }

    fn tree(&self, topics: &Topics, most: usize) -> (Vec<Row>, usize) {
        let mut rows = Vec::new();
        let mut count = 0;
        let mut waiting: Vec<(u32, usize, String)> = Vec::new();
        let push =
            |waiting: &mut Vec<(u32, usize, String)>, node: u32, depth: usize, path: &str| {
                let start = waiting.len();
                waiting.extend(topics.children(node).map(|child| {
                    let name = topics.name(child);
                    let path = match depth {
                        0 => name.to_owned(),
                        _ => format!("{path}/{name}"),
                    };
                    (child, depth, path)
                }));
                // The last one is taken first.
                waiting[start..].reverse();
            };
        push(&mut waiting, ROOT, 0, "");
        while let Some((node, depth, path)) = waiting.pop() {
            count += 1;
            let has_children = topics.children(node).next().is_some();
            if has_children && self.open.contains(&path) {
                push(&mut waiting, node, depth + 1, &path);
            }
            if rows.len() < most {
                rows.push(Row {
                    path,
                    node,
                    depth,
                    has_children,
                });
            }
        }
        (rows, count)
    }

    fn list(&mut self, board: &Board, most: usize, now: Instant) -> (Vec<Row>, usize) {
        let topics = board.topics();
        let search = self.search.to_lowercase();
        let mut found: Vec<&Topic> = topics
            .latest()
            .filter(|topic| search.is_empty() || has(topic, &search))
            .collect();
        if let Some(filter) = self.filter.clone() {
            if self.fulfilled.len() > 2 * topics.len() + 1_000 {
                self.fulfilled.clear();
            }
            // What a topic fulfils may change while nothing comes.
            let lasts = !filter.asks_time();
            found.retain(|topic| match lasts {
                true => self.fulfils(&filter, topic, now),
                false => holds(&filter, topic, now),
            });
        }
        let compare = |one: &&Topic, other: &&Topic| self.order.compare(one, other, now);
        let count = found.len();
        // What is not seen need not be sorted.
        if most > 0 && most < count {
            found.select_nth_unstable_by(most - 1, compare);
            found.truncate(most);
        }
        found.sort_unstable_by(compare);
        let row = |topic: &Topic| Row {
            path: topic.name.to_string(),
            node: topics.node(&topic.name).unwrap_or(ROOT),
            depth: 0,
            has_children: false,
        };
        (found.into_iter().take(most).map(row).collect(), count)
    }

    fn fulfils(&mut self, filter: &Condition, topic: &Topic, now: Instant) -> bool {
        match self.fulfilled.get(&topic.name) {
            Some((when, holds)) if *when == topic.updated => *holds,
            _ => {
                let holds = holds(filter, topic, now);
                let key = Arc::clone(&topic.name);
                self.fulfilled.insert(key, (topic.updated, holds));
                holds
            }
        }
    }
}

fn has(topic: &Topic, search: &str) -> bool {
    let payload = || String::from_utf8_lossy(&topic.payload).to_lowercase();
    topic.name.to_lowercase().contains(search) || payload().contains(search)
}

/// A condition on topics, of which less is known than of a message that comes.
///
/// # Errors
/// What is wrong with it; what is not kept.
pub(super) fn filter(line: &str) -> Result<Condition, String> {
    const FIELDS: [&str; 4] = ["topic", "time", "qos", "retain"];
    let condition: Condition = line.parse()?;
    let unknown = condition.unknown(|subject, changed| {
        !changed
            && match subject {
                Subject::Payload | Subject::Size | Subject::Age | Subject::Pointer(_) => true,
                Subject::Field(name) => FIELDS.contains(&&**name),
                Subject::Capture(_) => false,
            }
    });
    let what = match unknown {
        None => return Ok(condition),
        Some((subject, true)) => format!("changed({subject})"),
        Some((subject, false)) => subject.to_string(),
    };
    Err(format!(
        "{what} is not kept; of topics there are payload, /POINTER, size, age, topic, time, qos and retain"
    ))
}

fn holds(filter: &Condition, topic: &Topic, now: Instant) -> bool {
    // The age is what the list shows, even of records without a time.
    let time = topic.time.max(UNTIMED + Duration::from_nanos(1));
    let message = Message {
        time,
        topic: (*topic.name).into(),
        payload: topic.payload.clone().into(),
        detail: Detail::Mqtt(MqttDetail {
            qos: topic.qos,
            retain: topic.retained,
            ..MqttDetail::default()
        }),
    };
    let json = || serde_json::from_slice(&message.payload).ok();
    let scope = Scope {
        now: time.checked_add(now.saturating_duration_since(topic.updated)),
        size: topic.is_cut().then_some(topic.size),
        ..Scope::default()
    };
    filter.holds_in(&message, &scope, json)
}

impl Order {
    fn compare(self, one: &Topic, other: &Topic, now: Instant) -> Ordering {
        let by_name = || one.name.split('/').cmp(other.name.split('/'));
        let first = match self {
            Self::Name => Ordering::Equal,
            Self::Rate => {
                let rate = |topic: &Topic| topic.traffic.messages(now);
                rate(other).total_cmp(&rate(one))
            }
            Self::Bytes => {
                let rate = |topic: &Topic| topic.traffic.bytes(now);
                rate(other).total_cmp(&rate(one))
            }
            Self::Age => other.updated.cmp(&one.updated),
            Self::Messages => other.messages.cmp(&one.messages),
        };
        first.then_with(by_name)
    }
}
