//! The topics as a tree of their levels, each with the latest of its messages: bounded in number and in bytes. Where there is
//! no more room, the topic that was silent for longest is forgotten.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use super::children::Children;
use super::rate::Traffic;
use super::removed::Removed;
use crate::payload::readable::Came;

/// Levels that are told apart; what is below is one name, so that a topic of many slashes is no attack.
const DEEPEST: usize = 32;

/// No node.
const NONE: u32 = u32::MAX;

/// The node above all levels.
pub const ROOT: u32 = 0;

/// How much is kept.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Topics.
    pub topics: usize,
    /// Bytes of a payload.
    pub payload: usize,
    /// Bytes of all together, as far as they are counted: names, payloads, and what their nodes take.
    pub bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            topics: 100_000,
            payload: 4 << 10,
            bytes: 96 << 20,
        }
    }
}

/// What a node takes beside names and payloads.
const NODE: usize = size_of::<Node>() + 64;

/// A level of topics.
#[derive(Clone, Debug)]
struct Node {
    name: Arc<str>,
    parent: u32,
    children: Children,
    /// Topics here and below.
    topics: u32,
    /// Of all of them.
    traffic: Traffic,
    topic: Option<Box<Topic>>,
}

/// The latest of one topic.
#[derive(Clone, Debug)]
pub struct Topic {
    /// Its name.
    pub name: Arc<str>,
    /// The beginning of the last payload, decoded where it came in another form.
    pub payload: Vec<u8>,
    /// In which form it came, where that was not text.
    pub came: Option<Came>,
    /// How long it was when it came.
    pub size: usize,
    /// Whether there is more of it than is kept.
    cut: bool,
    /// How many messages came.
    pub messages: u64,
    /// How many of late.
    pub traffic: Traffic,
    /// When the last one came.
    pub updated: Instant,
    /// The same by the clock.
    pub time: SystemTime,
    /// Whether the server keeps one of them, as far as that can be seen: one has come so.
    pub retained: bool,
    /// At which quality of service it came.
    pub qos: u8,
    /// The number of the change of the board that it came with.
    pub(super) change: u64,
    /// The neighbours by age.
    older: u32,
    newer: u32,
}

impl Topic {
    /// Whether the payload is only the beginning.
    pub const fn is_cut(&self) -> bool {
        self.cut
    }
}

/// What came.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arrival<'a> {
    pub(super) name: &'a str,
    /// As it is shown.
    pub(super) payload: &'a [u8],
    /// How long it was when it came.
    pub(super) size: usize,
    pub(super) came: Option<Came>,
    pub(super) time: SystemTime,
    pub(super) retained: bool,
    pub(super) qos: u8,
    /// Which change of the board it is.
    pub(super) change: u64,
}

/// All topics.
#[derive(Clone, Debug)]
pub struct Topics {
    nodes: Vec<Node>,
    free: Vec<u32>,
    index: HashMap<Arc<str>, u32>,
    limits: Limits,
    bytes: usize,
    oldest: u32,
    newest: u32,
    forgotten: u64,
    removed: Removed,
}

impl Topics {
    pub(super) fn new(limits: Limits, now: Instant) -> Self {
        let root = Node {
            name: Arc::from(""),
            parent: NONE,
            children: Children::default(),
            topics: 0,
            traffic: Traffic::new(now),
            topic: None,
        };
        Self {
            nodes: vec![root],
            free: Vec::new(),
            index: HashMap::new(),
            limits,
            bytes: 0,
            oldest: NONE,
            newest: NONE,
            forgotten: 0,
            removed: Removed::default(),
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.index.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.index.is_empty()
    }

    /// How many were forgotten, as there was no more room.
    pub const fn forgotten(&self) -> u64 {
        self.forgotten
    }

    /// What is kept, in bytes, as far as it is counted.
    pub const fn bytes(&self) -> usize {
        self.bytes
    }

    /// One of them by name.
    pub fn get(&self, name: &str) -> Option<&Topic> {
        self.topic(*self.index.get(name)?)
    }

    /// From the one that changed last to the one that was silent for longest.
    pub fn latest(&self) -> impl Iterator<Item = &Topic> {
        let mut at = self.newest;
        std::iter::from_fn(move || {
            let topic = self.topic(at)?;
            at = topic.older;
            Some(topic)
        })
    }

    /// What was forgotten by changes after this one; `None`: that is no longer known.
    pub(super) fn removed_since(&self, change: u64) -> Option<Vec<&Arc<str>>> {
        let names = self.removed.since(change)?;
        Some(names.filter(|name| self.get(name).is_none()).collect())
    }

    /// By name, level by level.
    pub fn sorted(&self) -> Vec<&Topic> {
        let mut all: Vec<&Topic> = self.latest().collect();
        all.sort_unstable_by(|one, other| one.name.split('/').cmp(other.name.split('/')));
        all
    }

    fn topic(&self, node: u32) -> Option<&Topic> {
        self.nodes.get(node as usize)?.topic.as_deref()
    }

    /// The topic that ends at a node.
    pub fn at(&self, node: u32) -> Option<&Topic> {
        self.topic(node)
    }

    /// The name of a level.
    pub fn name(&self, node: u32) -> &str {
        self.nodes.get(node as usize).map_or("", |node| &node.name)
    }

    /// The levels below a node, by name.
    pub fn children(&self, node: u32) -> impl Iterator<Item = u32> + '_ {
        let node = self.nodes.get(node as usize);
        node.into_iter().flat_map(|node| node.children.nodes())
    }

    /// How many topics end at a node and below.
    pub fn below(&self, node: u32) -> u32 {
        self.nodes.get(node as usize).map_or(0, |node| node.topics)
    }

    /// What comes for a node and those below.
    pub fn traffic(&self, node: u32) -> Option<&Traffic> {
        self.nodes.get(node as usize).map(|node| &node.traffic)
    }

    /// The node where a topic ends.
    pub fn node(&self, name: &str) -> Option<u32> {
        self.index.get(name).copied()
    }

    /// Takes what came for a topic. What is retained was sent long ago: it is no traffic.
    pub(super) fn take(&mut self, arrival: &Arrival<'_>, now: Instant) {
        let at = match self.index.get(arrival.name) {
            Some(at) => *at,
            None => self.insert(arrival, now),
        };
        let kept = &arrival.payload[..arrival.payload.len().min(self.limits.payload)];
        if let Some(topic) = self.nodes[at as usize].topic.as_deref_mut() {
            self.bytes = self.bytes - topic.payload.len() + kept.len();
            topic.payload.clear();
            topic.payload.extend_from_slice(kept);
            // A large one that came once is not paid for ever.
            topic.payload.shrink_to(kept.len().max(64));
            topic.size = arrival.size;
            topic.came = arrival.came;
            topic.cut = kept.len() < arrival.payload.len();
            topic.messages += 1;
            topic.updated = now;
            topic.time = arrival.time;
            // What comes to those who are there comes without the mark (MQTT 5.0 §3.3.1.3), and an empty message takes away what
            // the server keeps.
            topic.retained = arrival.size > 0 && (topic.retained || arrival.retained);
            topic.qos = arrival.qos;
            topic.change = arrival.change;
            if !arrival.retained {
                topic.traffic.add(arrival.size, now);
            }
        }
        if !arrival.retained {
            self.count(at, arrival.size, now);
        }
        self.renew(at);
        self.make_room(at, arrival.change);
    }

    /// Counts for all levels above.
    fn count(&mut self, mut at: u32, bytes: usize, now: Instant) {
        while let Some(node) = self.nodes.get_mut(at as usize) {
            node.traffic.add(bytes, now);
            at = node.parent;
        }
    }

    fn insert(&mut self, arrival: &Arrival<'_>, now: Instant) -> u32 {
        let mut at = ROOT;
        for level in arrival.name.splitn(DEEPEST, '/') {
            at = match self.nodes[at as usize].children.get(level) {
                Some(child) => child,
                None => self.add_level(at, level, now),
            };
        }
        let name: Arc<str> = arrival.name.into();
        self.bytes += size_of::<Topic>() + 2 * name.len();
        self.nodes[at as usize].topic = Some(Box::new(Topic {
            name: Arc::clone(&name),
            payload: Vec::new(),
            came: None,
            size: 0,
            cut: false,
            messages: 0,
            traffic: Traffic::new(now),
            updated: now,
            time: arrival.time,
            retained: arrival.retained,
            qos: arrival.qos,
            change: arrival.change,
            older: NONE,
            newer: NONE,
        }));
        self.index.insert(name, at);
        self.link(at);
        let mut above = at;
        while let Some(node) = self.nodes.get_mut(above as usize) {
            node.topics += 1;
            above = node.parent;
        }
        at
    }

    fn add_level(&mut self, parent: u32, level: &str, now: Instant) -> u32 {
        let name: Arc<str> = level.into();
        let node = Node {
            name: Arc::clone(&name),
            parent,
            children: Children::default(),
            topics: 0,
            traffic: Traffic::new(now),
            topic: None,
        };
        self.bytes += NODE + 2 * name.len();
        let at = match self.free.pop() {
            Some(at) => {
                self.nodes[at as usize] = node;
                at
            }
            None => {
                self.nodes.push(node);
                // There are fewer nodes than bytes, of which there are fewer than 2^32.
                (self.nodes.len() - 1) as u32
            }
        };
        self.nodes[parent as usize].children.insert(name, at);
        at
    }

    /// Puts a topic at the young end.
    fn link(&mut self, at: u32) {
        let before = self.newest;
        if let Some(topic) = self.topic_mut(at) {
            topic.older = before;
            topic.newer = NONE;
        }
        match self.topic_mut(before) {
            Some(topic) => topic.newer = at,
            None => self.oldest = at,
        }
        self.newest = at;
    }

    fn unlink(&mut self, at: u32) {
        let Some(topic) = self.topic(at) else {
            return;
        };
        let (older, newer) = (topic.older, topic.newer);
        match self.topic_mut(older) {
            Some(topic) => topic.newer = newer,
            None => self.oldest = newer,
        }
        match self.topic_mut(newer) {
            Some(topic) => topic.older = older,
            None => self.newest = older,
        }
    }

    fn renew(&mut self, at: u32) {
        if at != self.newest {
            self.unlink(at);
            self.link(at);
        }
    }

    fn topic_mut(&mut self, at: u32) -> Option<&mut Topic> {
        self.nodes.get_mut(at as usize)?.topic.as_deref_mut()
    }

    /// Forgets the oldest until what is left fits; never the one that just came.
    fn make_room(&mut self, last: u32, change: u64) {
        while (self.len() > self.limits.topics || self.bytes > self.limits.bytes)
            && self.oldest != last
        {
            if let Some(name) = self.forget(self.oldest) {
                self.removed.add(change, name);
            }
            self.forgotten += 1;
        }
    }

    /// Forgets the topic of a node, and says which it was.
    fn forget(&mut self, at: u32) -> Option<Arc<str>> {
        self.unlink(at);
        let topic = self.nodes.get_mut(at as usize)?.topic.take()?;
        self.bytes -= size_of::<Topic>() + 2 * topic.name.len() + topic.payload.len();
        self.index.remove(&topic.name);
        let mut above = at;
        while above != NONE {
            let node = &mut self.nodes[above as usize];
            node.topics -= 1;
            let (empty, parent) = (node.topics == 0 && above != ROOT, node.parent);
            if empty {
                let name = std::mem::replace(&mut node.name, Arc::from(""));
                self.bytes -= NODE + 2 * name.len();
                self.nodes[parent as usize].children.remove(&name);
                self.free.push(above);
            }
            above = parent;
        }
        Some(topic.name)
    }

    /// Forgets a topic.
    #[cfg(test)]
    pub(super) fn forget_topic(&mut self, name: &str) {
        if let Some(at) = self.node(name) {
            self.forget(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn topics(limits: Limits) -> (Topics, Instant) {
        let now = Instant::now();
        (Topics::new(limits, now), now)
    }

    fn take(topics: &mut Topics, name: &str, payload: &[u8], now: Instant) {
        let arrival = Arrival {
            name,
            payload,
            size: payload.len(),
            came: None,
            time: SystemTime::UNIX_EPOCH,
            retained: false,
            qos: 0,
            change: 0,
        };
        topics.take(&arrival, now);
    }

    fn names(topics: &Topics, node: u32) -> Vec<String> {
        let children = topics.children(node);
        children.map(|it| topics.name(it).to_owned()).collect()
    }

    #[test]
    fn levels_are_a_tree_whose_nodes_count_what_is_below() {
        let (mut topics, now) = topics(Limits::default());
        for name in ["a/b/c", "a/b", "a/d", "x", "/y", "a/b/c"] {
            take(&mut topics, name, b"1", now);
        }
        assert_eq!(names(&topics, ROOT), ["", "a", "x"]);
        let a = topics.children(ROOT).nth(1).unwrap();
        assert_eq!(topics.below(a), 3);
        assert!(topics.at(a).is_none());
        assert_eq!(names(&topics, a), ["b", "d"]);
        let b = topics.node("a/b").unwrap();
        assert_eq!(topics.at(b).unwrap().messages, 1);
        assert_eq!(topics.get("a/b/c").unwrap().messages, 2);
        let traffic = topics.traffic(a).unwrap().messages(now);
        assert!(traffic > topics.traffic(b).unwrap().messages(now));
        let latest: Vec<_> = topics.latest().map(|it| &*it.name).collect();
        assert_eq!(latest, ["a/b/c", "/y", "x", "a/d", "a/b"]);
        let sorted: Vec<_> = topics.sorted().iter().map(|it| &*it.name).collect();
        assert_eq!(sorted, ["/y", "a/b", "a/b/c", "a/d", "x"]);
    }

    #[test]
    fn the_most_silent_goes_first_and_takes_its_levels_along() {
        let (mut topics, now) = topics(Limits {
            topics: 2,
            ..Limits::default()
        });
        let empty = topics.bytes();
        for name in ["a/b", "c/d", "a/b", "e/f"] {
            take(&mut topics, name, b"1", now);
        }
        assert_eq!((topics.len(), topics.forgotten()), (2, 1));
        assert_eq!(names(&topics, ROOT), ["a", "e"]);
        topics.forget_topic("a/b");
        topics.forget_topic("e/f");
        assert_eq!((topics.len(), topics.bytes()), (0, empty));
        assert_eq!(topics.below(ROOT), 0);
        assert_eq!(topics.latest().count(), 0);
        take(&mut topics, "g", b"1", now);
        assert_eq!(names(&topics, ROOT), ["g"]);
    }

    #[test]
    fn bytes_are_bounded_however_long_topics_and_payloads_are() {
        let limits = Limits {
            topics: 1_000,
            payload: 100,
            bytes: 100_000,
        };
        let (mut topics, now) = topics(limits);
        let deep = "/".repeat(60_000);
        take(&mut topics, &deep, b"", now);
        assert!(topics.nodes.len() <= DEEPEST + 1);
        for at in 0..5_000 {
            let name = format!("t/{at}/{}", "x".repeat(at % 700));
            take(&mut topics, &name, &vec![b'p'; at % 300], now);
            // The last one is kept in any case.
            assert!(topics.bytes() <= 2 * limits.bytes);
        }
        assert!(topics.bytes() <= limits.bytes);
        assert_eq!(topics.forgotten() + topics.len() as u64, 5_001);
        let last = topics.latest().next().unwrap();
        assert_eq!((last.size, last.payload.len()), (199, 100));
        assert!(last.is_cut());
    }

    #[test]
    fn random_arrivals_keep_the_books() {
        let (mut topics, now) = topics(Limits {
            topics: 50,
            ..Limits::default()
        });
        let mut seed = 7u32;
        for _ in 0..20_000 {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let name = format!(
                "a{}/b{}/c{}",
                seed >> 30,
                (seed >> 26) & 7,
                (seed >> 20) & 7
            );
            match seed & 15 {
                0 => topics.forget_topic(&name),
                _ => take(&mut topics, &name, b"x", now),
            }
            assert_eq!(topics.below(ROOT) as usize, topics.len());
        }
        assert_eq!(topics.latest().count(), topics.len());
        let live = topics.nodes.len() - topics.free.len() - 1;
        assert!(live <= 3 * topics.len(), "{live}");
    }
}
