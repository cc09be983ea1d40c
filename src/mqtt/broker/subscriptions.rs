//! Who wants what: the tree of topic filters, shared subscriptions, and a cache of its answers.

use std::collections::HashMap;
use std::rc::Rc;

use bytestring::ByteString;

use crate::connect::hosting::{Key, Slab};
use crate::mqtt::packet::{QoS, RetainHandling, Subscription};
use crate::mqtt::topic;

/// The deepest filter taken, in levels; it bounds every recursion over the tree.
pub(super) const DEEPEST_FILTER: usize = 256;

/// How many topics the cache remembers before it starts anew.
const CACHED_TOPICS: usize = 10_000;

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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
    /// Filters that end here.
    here: Vec<Entry>,
    /// Filters that end here with `/#`.
    below: Vec<Entry>,
}

/// The members of a shared subscription and whose turn it is.
#[derive(Debug, Default)]
struct Group {
    members: Vec<(Key, Grant)>,
    next: usize,
}

/// All subscriptions of one session that match a topic.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) session: Key,
    pub(super) grants: Vec<Grant>,
}

/// Everyone who gets a message on one topic.
#[derive(Debug, Default)]
pub(super) struct Matches {
    pub(super) targets: Vec<Target>,
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
    count: usize,
}

impl Subscriptions {
    /// How many there are.
    pub(super) const fn count(&self) -> usize {
        self.count
    }

    /// Adds or replaces a subscription; true if it existed (MQTT 5.0 §3.8.4).
    pub(super) fn insert(&mut self, session: Key, filter: &str, grant: Grant) -> bool {
        self.cache.clear();
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
        self.cache.clear();
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
        let member = group.members.iter_mut().find(|(who, _)| *who == session);
        let existed = member.is_some();
        match member {
            Some(member) => member.1 = grant,
            None => group.members.push((session, grant)),
        }
        existed
    }

    fn leave(&mut self, session: Key, name: &str, filter: &str) -> bool {
        let Some(&key) = self.group_keys.get(name) else {
            return false;
        };
        let Some(group) = self.groups.get_mut(key) else {
            return false;
        };
        let before = group.members.len();
        group.members.retain(|(who, _)| *who != session);
        let existed = group.members.len() < before;
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
        let matches = Rc::new(Matches::of(&entries));
        if self.cache.len() >= CACHED_TOPICS {
            self.cache.clear();
        }
        // A copy of its own: the topic at hand is a slice of a large read buffer.
        self.cache
            .insert(ByteString::from(topic), Rc::clone(&matches));
        matches
    }

    /// Whose turn it is in a shared subscription: the next member that `ready` accepts, else the next one.
    pub(super) fn choose(
        &mut self,
        group: Key,
        ready: impl Fn(Key) -> bool,
    ) -> Option<(Key, Grant)> {
        let group = self.groups.get_mut(group)?;
        let count = group.members.len();
        let turns = (0..count).map(|turn| (group.next + turn) % count);
        let at = turns
            .clone()
            .find(|&at| ready(group.members[at].0))
            .or_else(|| turns.clone().next())?;
        group.next = (at + 1) % count;
        Some(group.members[at])
    }
}

impl Matches {
    pub(super) fn is_empty(&self) -> bool {
        self.targets.is_empty() && self.groups.is_empty()
    }

    fn of(entries: &[Entry]) -> Self {
        let mut matches = Self::default();
        let mut places = HashMap::new();
        for entry in entries {
            match entry.who {
                Who::Group(key) => matches.groups.push(key),
                Who::Session(session) => {
                    let at = *places.entry(session).or_insert_with(|| {
                        matches.targets.push(Target {
                            session,
                            grants: Vec::with_capacity(1),
                        });
                        matches.targets.len() - 1
                    });
                    matches.targets[at].grants.push(entry.grant);
                }
            }
        }
        matches
    }
}

/// Adds or replaces an entry; true if it existed.
fn put(entries: &mut Vec<Entry>, who: Who, grant: Grant) -> bool {
    let known = entries.iter_mut().find(|entry| entry.who == who);
    let existed = known.is_some();
    match known {
        Some(entry) => entry.grant = grant,
        None => entries.push(Entry { who, grant }),
    }
    existed
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
    let before = entries.len();
    entries.retain(|entry| entry.who != who);
    entries.len() < before
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
            let found = !subscriptions.matching(topic).targets.is_empty();
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
        assert_eq!(matches.targets.len(), 2);
        let both = matches
            .targets
            .iter()
            .find(|target| target.session == who[0])
            .unwrap();
        assert_eq!(both.grants.len(), 2);
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
        assert!(subscriptions.matching("a/b/c").targets.is_empty());
    }

    #[test]
    fn a_group_takes_turns_over_its_ready_members() {
        let who = sessions(3);
        let mut subscriptions = Subscriptions::default();
        for session in &who {
            subscriptions.insert(*session, "$share/g/a/#", Grant::default());
        }
        let group = subscriptions.matching("a/b").groups[0];
        let mut turn = || subscriptions.choose(group, |key| key != who[1]).unwrap().0;
        assert_eq!([turn(), turn(), turn()], [who[0], who[2], who[0]]);
        let nobody = subscriptions.choose(group, |_| false).unwrap().0;
        assert!(who.contains(&nobody));
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
