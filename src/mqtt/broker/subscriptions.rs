//! Who wants what: the tree of topic filters, shared subscriptions, and a cache of its answers.

use std::collections::HashMap;
use std::rc::Rc;

use bytestring::ByteString;

use crate::mqtt::packet::{QoS, RetainHandling, Subscription};
use crate::mqtt::topic;
use crate::server::{Key, Slab};

/// The deepest filter taken, in levels; it bounds every recursion over the tree.
pub(super) const DEEPEST_FILTER: usize = 256;

/// What the cache of answers may hold before it starts anew, in bytes.
const CACHE: usize = 16 << 20;

/// What an answer in the cache holds besides its topic and its subscribers, in bytes: an estimate.
const CACHED_ANSWER: usize = 256;

/// What a subscription grants (MQTT 5.0 §3.8.3.1), with its identifier (§3.8.2.1.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Grant {
    pub(super) qos: QoS,
    pub(super) no_local: bool,
    pub(super) retain_as_published: bool,
    pub(super) id: Option<u32>,
}

impl Grant {
    pub(super) fn of(subscription: &Subscription, maximum_qos: QoS, id: Option<u32>) -> Self {
        Self {
            qos: subscription.qos.min(maximum_qos),
            no_local: subscription.no_local,
            retain_as_published: subscription.retain_as_published,
            id,
        }
    }
}

/// Whether retained messages follow a SUBSCRIBE (MQTT 5.0 §3.3.1.3).
pub(super) const fn wants_retained(handling: RetainHandling, existed: bool) -> bool {
    match handling {
        RetainHandling::Always => true,
        RetainHandling::New => !existed,
        RetainHandling::Never => false,
    }
}

/// A filter as it was asked for: `$share/GROUP/FILTER` taken apart (MQTT 5.0 §4.8.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Asked<'a> {
    pub(super) group: Option<&'a str>,
    pub(super) filter: &'a str,
}

impl<'a> Asked<'a> {
    pub(super) fn parse(filter: &'a str) -> Self {
        match topic::shared(filter) {
            Some((group, filter)) => Self {
                group: Some(group),
                filter,
            },
            None => Self {
                group: None,
                filter,
            },
        }
    }
}

/// Who stands at a filter: a session, or a group of which one member is chosen per message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Who {
    Session(Key),
    Group(Key),
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    who: Who,
    grant: Grant,
}

#[derive(Debug, Default)]
struct Node {
    children: HashMap<Box<str>, Self>,
    /// Filters that end here, each list in the order of its subscribers: a popular filter has very many, and one is
    /// found among them in a few steps.
    here: Vec<Entry>,
    /// Filters that end here with `/#`.
    below: Vec<Entry>,
}

/// One subscription that matches.
pub(super) type Target = (Key, Grant);

/// The members of a shared subscription, in their order, and whose turn it is.
#[derive(Debug, Default)]
struct Group {
    members: Vec<Target>,
    next: usize,
}

/// How fit a member of a shared subscription is for a message, from the least to the most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fitness {
    /// Its session has ended, or has no right to the message.
    Gone,
    /// It would lose the message.
    Full,
    /// It is not connected.
    Away,
    Ready,
}

/// Everyone who gets a message on one topic.
#[derive(Debug, Default)]
pub(super) struct Matches {
    /// The topic, as a text that is no slice of a packet.
    pub(super) topic: ByteString,
    /// Those of one session stand next to each other.
    targets: Vec<Target>,
    pub(super) groups: Vec<Key>,
}

/// The subscriptions of all sessions.
#[derive(Debug, Default)]
pub(super) struct Subscriptions {
    root: Node,
    groups: Slab<Group>,
    /// By `GROUP/FILTER`.
    group_keys: HashMap<Box<str>, Key>,
    cache: HashMap<ByteString, Rc<Matches>>,
    /// What the cache holds, in bytes.
    cached: usize,
    count: usize,
}

impl Subscriptions {
    /// How many there are.
    pub(super) const fn count(&self) -> usize {
        self.count
    }

    /// How many of them are shared.
    pub(super) fn shared(&self) -> usize {
        self.groups.iter().map(|group| group.members.len()).sum()
    }

    fn forget_answers(&mut self) {
        self.cache.clear();
        self.cached = 0;
    }

    /// Adds or replaces a subscription; true if it existed (MQTT 5.0 §3.8.4).
    pub(super) fn insert(&mut self, session: Key, filter: &str, grant: Grant) -> bool {
        self.forget_answers();
        let asked = Asked::parse(filter);
        let existed = match asked.group {
            None => put(self.root.place(asked.filter), Who::Session(session), grant),
            Some(_) => self.join(session, filter, asked.filter, grant),
        };
        self.count += usize::from(!existed);
        existed
    }

    /// Removes a subscription; false if there was none.
    pub(super) fn remove(&mut self, session: Key, filter: &str) -> bool {
        self.forget_answers();
        let asked = Asked::parse(filter);
        let existed = match asked.group {
            None => self.root.remove(asked.filter, Who::Session(session)),
            Some(_) => self.leave(session, filter, asked.filter),
        };
        self.count -= usize::from(existed);
        existed
    }

    fn join(&mut self, session: Key, name: &str, filter: &str, grant: Grant) -> bool {
        let known = self.group_keys.get(name).copied();
        let key = known.unwrap_or_else(|| self.groups.insert(Group::default()));
        if known.is_none() {
            self.group_keys.insert(name.into(), key);
            put(self.root.place(filter), Who::Group(key), Grant::default());
        }
        let Some(group) = self.groups.get_mut(key) else {
            return false;
        };
        match group
            .members
            .binary_search_by_key(&session, |(who, _)| *who)
        {
            Ok(at) => {
                group.members[at].1 = grant;
                true
            }
            Err(at) => {
                group.members.insert(at, (session, grant));
                false
            }
        }
    }

    fn leave(&mut self, session: Key, name: &str, filter: &str) -> bool {
        let Some(&key) = self.group_keys.get(name) else {
            return false;
        };
        let Some(group) = self.groups.get_mut(key) else {
            return false;
        };
        let at = group
            .members
            .binary_search_by_key(&session, |(who, _)| *who);
        if let Ok(at) = at {
            group.members.remove(at);
        }
        let existed = at.is_ok();
        if group.members.is_empty() {
            self.groups.remove(key);
            self.group_keys.remove(name);
            self.root.remove(filter, Who::Group(key));
        }
        existed
    }

    /// Everyone who gets a message on `topic`; the same answer again until a subscription changes.
    pub(super) fn matching(&mut self, topic: &str) -> Rc<Matches> {
        if let Some(known) = self.cache.get(topic) {
            return Rc::clone(known);
        }
        let mut entries = Vec::new();
        // Wildcards at the first level do not match topics that begin with `$` (MQTT 5.0 §4.7.2).
        self.root
            .collect(Some(topic), !topic.starts_with('$'), &mut entries);
        let matches = Rc::new(Matches::of(topic, &entries));
        let size = matches.size();
        if self.cached + size > CACHE {
            self.forget_answers();
        }
        if size <= CACHE {
            self.cached += size;
            self.cache
                .insert(matches.topic.clone(), Rc::clone(&matches));
        }
        matches
    }

    /// The members of a shared subscription.
    pub(super) fn members(&self, group: Key) -> &[Target] {
        self.groups
            .get(group)
            .map_or(&[], |group| group.members.as_slice())
    }

    /// Whose turn it is in a shared subscription: the next one of the fittest members that still exist.
    pub(super) fn choose(
        &mut self,
        group: Key,
        fitness: impl Fn(&Target) -> Fitness,
    ) -> Option<Target> {
        let group = self.groups.get_mut(group)?;
        let count = group.members.len();
        let mut best = (Fitness::Gone, 0);
        for at in (0..count).map(|turn| (group.next + turn) % count) {
            let found = fitness(&group.members[at]);
            if found > best.0 {
                best = (found, at);
            }
            if found == Fitness::Ready {
                break;
            }
        }
        let at = (best.0 > Fitness::Gone).then_some(best.1)?;
        group.next = (at + 1) % count;
        Some(group.members[at])
    }
}

impl Matches {
    pub(super) fn is_empty(&self) -> bool {
        self.targets.is_empty() && self.groups.is_empty()
    }

    /// How many subscriptions match; shared ones count once.
    pub(super) fn len(&self) -> usize {
        self.targets.len() + self.groups.len()
    }

    /// Each session with its subscriptions.
    pub(super) fn sessions(&self) -> impl Iterator<Item = &[Target]> {
        self.targets.chunk_by(|one, other| one.0 == other.0)
    }

    /// What it holds in the cache, in bytes.
    fn size(&self) -> usize {
        let targets = self.targets.capacity() * size_of::<Target>();
        let groups = self.groups.capacity() * size_of::<Key>();
        CACHED_ANSWER + self.topic.len() + targets + groups
    }

    fn of(topic: &str, entries: &[Entry]) -> Self {
        let mut matches = Self {
            topic: ByteString::from(topic),
            ..Self::default()
        };
        for entry in entries {
            match entry.who {
                Who::Group(key) => matches.groups.push(key),
                Who::Session(session) => matches.targets.push((session, entry.grant)),
            }
        }
        // What comes from one node is in order already.
        matches.targets.sort_by_key(|(session, _)| *session);
        matches
    }
}

/// Adds or replaces an entry; true if it existed.
fn put(entries: &mut Vec<Entry>, who: Who, grant: Grant) -> bool {
    match entries.binary_search_by_key(&who, |entry| entry.who) {
        Ok(at) => {
            entries[at].grant = grant;
            true
        }
        Err(at) => {
            entries.insert(at, Entry { who, grant });
            false
        }
    }
}

/// The first level and what follows it.
fn split(path: &str) -> (&str, Option<&str>) {
    match path.split_once('/') {
        Some((level, rest)) => (level, Some(rest)),
        None => (path, None),
    }
}

impl Node {
    /// The list in which subscribers to `filter` stand, made where it is missing.
    fn place(&mut self, filter: &str) -> &mut Vec<Entry> {
        let mut node = self;
        let mut rest = Some(filter);
        while let Some(path) = rest {
            let (level, after) = split(path);
            if level == "#" {
                return &mut node.below;
            }
            node = node.children.entry(level.into()).or_default();
            rest = after;
        }
        &mut node.here
    }

    /// Removes an entry and the branches that become bare; false if there was none.
    fn remove(&mut self, filter: &str, who: Who) -> bool {
        let (level, after) = split(filter);
        if level == "#" {
            return take(&mut self.below, who);
        }
        let Some(child) = self.children.get_mut(level) else {
            return false;
        };
        let existed = match after {
            Some(rest) => child.remove(rest, who),
            None => take(&mut child.here, who),
        };
        if child.children.is_empty() && child.here.is_empty() && child.below.is_empty() {
            self.children.remove(level);
        }
        existed
    }

    /// Collects what matches; `rest` is what remains of the topic below this node, `None` at its end.
    fn collect(&self, rest: Option<&str>, wildcards: bool, found: &mut Vec<Entry>) {
        if wildcards {
            // `a/#` matches `a` too (MQTT 5.0 §4.7.1.2).
            found.extend(&self.below);
        }
        let Some(path) = rest else {
            found.extend(&self.here);
            return;
        };
        let (level, after) = split(path);
        if let Some(child) = self.children.get(level) {
            child.collect(after, true, found);
        }
        if let Some(child) = self.children.get("+").filter(|_| wildcards) {
            child.collect(after, true, found);
        }
    }
}

/// Removes an entry; false if there was none.
fn take(entries: &mut Vec<Entry>, who: Who) -> bool {
    let at = entries.binary_search_by_key(&who, |entry| entry.who);
    if let Ok(at) = at {
        entries.remove(at);
    }
    at.is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sessions(count: usize) -> Vec<Key> {
        let mut slab = Slab::default();
        (0..count).map(|_| slab.insert(())).collect()
    }

    fn at(qos: QoS) -> Grant {
        Grant {
            qos,
            ..Grant::default()
        }
    }

    #[test]
    fn filters_match_as_the_specification_says() {
        let table = [
            ("sport/tennis/+", "sport/tennis/player1", true),
            ("sport/tennis/+", "sport/tennis/player1/ranking", false),
            ("sport/+", "sport", false),
            ("sport/+", "sport/", true),
            ("sport/#", "sport", true),
            ("#", "sport/tennis", true),
            ("#", "$SYS/x", false),
            ("+/x", "$SYS/x", false),
            ("$SYS/#", "$SYS/x", true),
            ("$SYS/+", "$SYS/x", true),
            ("+/+", "/finance", true),
            ("/+", "/finance", true),
            ("+", "/finance", false),
        ];
        let who = sessions(1)[0];
        for (filter, topic, expected) in table {
            let mut subscriptions = Subscriptions::default();
            subscriptions.insert(who, filter, Grant::default());
            let found = !subscriptions.matching(topic).is_empty();
            assert_eq!(found, expected, "{filter} and {topic}");
        }
    }

    #[test]
    fn overlapping_filters_of_one_session_make_one_target() {
        let who = sessions(2);
        let mut subscriptions = Subscriptions::default();
        subscriptions.insert(who[0], "a/#", at(QoS::AtLeastOnce));
        subscriptions.insert(who[0], "a/+", at(QoS::ExactlyOnce));
        subscriptions.insert(who[1], "a/b", at(QoS::AtMostOnce));
        let matches = subscriptions.matching("a/b");
        let counts: Vec<_> = matches.sessions().map(<[Target]>::len).collect();
        assert_eq!(counts, [2, 1]);
    }

    #[test]
    fn the_cache_is_bounded_in_bytes() {
        let mut subscriptions = Subscriptions::default();
        for who in sessions(1_000) {
            subscriptions.insert(who, "#", Grant::default());
        }
        for number in 0..2_000 {
            let topic = format!("{number}/{}", "x".repeat(20_000));
            let matches = subscriptions.matching(&topic);
            assert_eq!(matches.sessions().count(), 1_000);
            let held = |matches: &Rc<Matches>| matches.topic.len() + matches.targets.len() * 20;
            let held: usize = subscriptions.cache.values().map(held).sum();
            assert!(held <= CACHE && subscriptions.cached <= CACHE);
        }
    }

    #[test]
    fn replacing_and_removing_keep_the_count_and_prune_the_tree() {
        let who = sessions(1)[0];
        let mut subscriptions = Subscriptions::default();
        assert!(!subscriptions.insert(who, "a/b/c", at(QoS::AtMostOnce)));
        assert!(subscriptions.insert(who, "a/b/c", at(QoS::AtLeastOnce)));
        assert_eq!(subscriptions.count(), 1);
        assert!(!subscriptions.remove(who, "a/b"));
        assert!(subscriptions.remove(who, "a/b/c"));
        assert_eq!(subscriptions.count(), 0);
        assert!(subscriptions.root.children.is_empty());
        assert!(subscriptions.matching("a/b/c").is_empty());
    }

    #[test]
    fn a_group_takes_turns_over_its_ready_members() {
        let who = sessions(3);
        let mut subscriptions = Subscriptions::default();
        for session in &who {
            subscriptions.insert(*session, "$share/g/a/#", Grant::default());
        }
        let group = subscriptions.matching("a/b").groups[0];
        let ready = |target: &Target| match target.0 == who[1] {
            true => Fitness::Away,
            false => Fitness::Ready,
        };
        let mut turn = || subscriptions.choose(group, ready).unwrap().0;
        assert_eq!([turn(), turn(), turn()], [who[0], who[2], who[0]]);
        let mut turn = |fitness| subscriptions.choose(group, |_| fitness);
        assert!(turn(Fitness::Away).is_some() && turn(Fitness::Full).is_some());
        assert_eq!(turn(Fitness::Gone), None);
    }

    #[test]
    fn a_group_vanishes_with_its_last_member() {
        let who = sessions(1)[0];
        let mut subscriptions = Subscriptions::default();
        subscriptions.insert(who, "$share/g/a", Grant::default());
        assert!(subscriptions.remove(who, "$share/g/a"));
        assert!(subscriptions.matching("a").groups.is_empty());
        assert_eq!(subscriptions.groups.len(), 0);
    }
}
