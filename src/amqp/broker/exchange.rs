//! Exchanges, their bindings, and who gets a message.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use amq_protocol::types::{AMQPValue, FieldTable};

use super::super::frame::Refusal;
use super::matching;
use super::message::{Charge, Held, Meter};
use super::settings::{kind, shown, weight};
use crate::server::Key;

/// The types of exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Direct,
    Fanout,
    Topic,
    Headers,
}

impl Kind {
    pub(super) fn named(name: &str) -> Option<Self> {
        match name {
            "direct" => Some(Self::Direct),
            "fanout" => Some(Self::Fanout),
            "topic" => Some(Self::Topic),
            "headers" => Some(Self::Headers),
            _ => None,
        }
    }

    /// Whether a binding may have these arguments.
    ///
    /// # Errors
    /// 406: an `x-match` that means nothing.
    pub(super) fn check_binding(self, arguments: &FieldTable) -> Result<(), Refusal> {
        const HOW: [&[u8]; 4] = [b"all", b"any", b"all-with-x", b"any-with-x"];
        match arguments.inner().get("x-match") {
            None => Ok(()),
            _ if self != Self::Headers => Ok(()),
            Some(AMQPValue::LongString(how)) if HOW.contains(&how.as_bytes()) => Ok(()),
            Some(AMQPValue::LongString(how)) => Err(Refusal::precondition(format!(
                "Invalid x-match field value <<\"{how}\">>; expected all, any, all-with-x, or any-with-x"
            ))),
            Some(other) => Err(Refusal::precondition(format!(
                "Invalid x-match field type {} (value {}); expected longstr",
                kind(other),
                shown(other)
            ))),
        }
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Fanout => "fanout",
            Self::Topic => "topic",
            Self::Headers => "headers",
        }
    }
}

/// Where a binding leads.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Destination {
    Queue(Key),
    Exchange(Rc<str>),
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Binding {
    pub(super) destination: Destination,
    pub(super) arguments: FieldTable,
}

/// What a binding takes beyond its key and arguments, in bytes.
const BOOKKEEPING: usize = 500;

/// The most comparisons that may be made to find out where one message with several routing keys goes.
const ROUTING: usize = 300_000;

/// The bindings of one key: to each destination once for each set of arguments.
type Bound = HashMap<Destination, Vec<(FieldTable, Charge)>>;

#[derive(Debug)]
pub(super) struct Exchange {
    pub(super) name: Rc<str>,
    pub(super) kind: Kind,
    pub(super) durable: bool,
    pub(super) auto_delete: bool,
    pub(super) internal: bool,
    /// Where a message goes that no binding fits.
    pub(super) alternate: Option<Rc<str>>,
    bindings: HashMap<Rc<str>, Bound>,
    /// Those of a topic exchange whose keys have to be compared word by word.
    patterns: HashMap<Rc<str>, Bound>,
    _charge: Option<Charge>,
}

impl Exchange {
    fn new(name: Rc<str>, kind: Kind, charge: Option<Charge>) -> Self {
        Self {
            name,
            kind,
            durable: true,
            auto_delete: false,
            internal: false,
            alternate: None,
            bindings: HashMap::new(),
            patterns: HashMap::new(),
            _charge: charge,
        }
    }

    /// One that a client declares.
    pub(super) fn declared(name: Rc<str>, kind: Kind, memory: &Meter) -> Self {
        let charge = memory.charge(Held::Definition, BOOKKEEPING + name.len());
        Self::new(name, kind, Some(charge))
    }

    fn table(&mut self, key: &str) -> &mut HashMap<Rc<str>, Bound> {
        match self.kind == Kind::Topic && matching::is_pattern(key) {
            true => &mut self.patterns,
            false => &mut self.bindings,
        }
    }

    /// Adds a binding, unless it is there.
    fn bind(&mut self, key: &Rc<str>, binding: Binding, memory: &Meter) {
        let table = self.table(key);
        let bound = table.entry(Rc::clone(key)).or_default();
        let there = bound.entry(binding.destination).or_default();
        if !there.iter().any(|(other, _)| *other == binding.arguments) {
            let size = BOOKKEEPING + key.len() + weight(&binding.arguments);
            there.push((binding.arguments, memory.charge(Held::Definition, size)));
        }
    }

    /// Takes the bindings of this key to a destination away, with these arguments or all; whether there were any, and
    /// whether some are left.
    fn unbind(
        &mut self,
        key: &str,
        destination: &Destination,
        arguments: Option<&FieldTable>,
    ) -> (bool, bool) {
        let table = self.table(key);
        let Some(bound) = table.get_mut(key) else {
            return (false, false);
        };
        let Some(there) = bound.get_mut(destination) else {
            return (false, false);
        };
        let before = there.len();
        there.retain(|(other, _)| arguments.is_some_and(|gone| gone != other));
        let (found, left) = (there.len() < before, !there.is_empty());
        if !left {
            bound.remove(destination);
        }
        if bound.is_empty() {
            table.remove(key);
        }
        (found, left)
    }

    /// Whether a binding of this key is there.
    fn has(&self, key: &str, binding: &Binding) -> bool {
        let mut tables = [&self.bindings, &self.patterns].into_iter();
        tables.any(|table| {
            let there = table.get(key).and_then(|it| it.get(&binding.destination));
            there.is_some_and(|it| it.iter().any(|(other, _)| *other == binding.arguments))
        })
    }

    pub(super) fn is_used(&self) -> bool {
        !self.bindings.is_empty() || !self.patterns.is_empty()
    }

    /// Hands every destination of a message to `each`, some of them perhaps more than once. Adds what it took to `steps`,
    /// of which there may be `most`.
    ///
    /// # Errors
    /// 406: it took too many.
    fn destinations(
        &self,
        key: &str,
        headers: &Headers<'_>,
        (steps, most): (&mut usize, usize),
        mut each: impl FnMut(&Destination),
    ) -> Result<(), Refusal> {
        let mut all = |bound: &Bound, steps: &mut usize| {
            *steps += bound.len();
            bound.keys().for_each(&mut each);
        };
        match self.kind {
            Kind::Direct => self
                .bindings
                .get(key)
                .into_iter()
                .for_each(|bound| all(bound, steps)),
            Kind::Fanout => self.bindings.values().for_each(|bound| all(bound, steps)),
            Kind::Topic => {
                self.bindings
                    .get(key)
                    .into_iter()
                    .for_each(|bound| all(bound, steps));
                let words = matching::words(key);
                for (pattern, bound) in &self.patterns {
                    if matching::topic(pattern, &words, steps) {
                        all(bound, steps);
                    }
                    check_steps(*steps, most)?;
                }
            }
            Kind::Headers => {
                let table = (headers.0)();
                for (destination, there) in self.bindings.values().flatten() {
                    for (arguments, _) in there {
                        *steps += 1 + arguments.inner().len();
                        if matching::headers(arguments, &table) {
                            each(destination);
                        }
                    }
                    check_steps(*steps, most)?;
                }
            }
        }
        check_steps(*steps, most)
    }
}

fn check_steps(steps: usize, most: usize) -> Result<(), Refusal> {
    match steps > most {
        false => Ok(()),
        true => Err(Refusal::precondition(format!(
            "the message has too many routing keys for so many bindings: its routing takes more than {most} steps"
        ))),
    }
}

/// The headers of a message, read only where somebody asks.
pub(super) struct Headers<'a>(pub(super) &'a dyn Fn() -> FieldTable);

/// Where a binding stands: its exchange and its key.
type Place = (Rc<str>, Rc<str>);

/// A virtual host: exchanges and queues by name.
#[derive(Debug)]
pub(super) struct Vhost {
    pub(super) name: Rc<str>,
    pub(super) exchanges: HashMap<Rc<str>, Exchange>,
    pub(super) queues: HashMap<Rc<str>, Key>,
    /// The bindings by where they lead.
    bound: HashMap<Destination, HashSet<Place>>,
}

/// Where a message goes.
#[derive(Debug, Default)]
pub(super) struct Routed {
    /// Each once.
    pub(super) queues: Vec<Key>,
    /// What it took to find out.
    pub(super) steps: usize,
}

impl Vhost {
    /// With the exchanges that every virtual host has (§3.1.3.1, and RabbitMQ's amq.match).
    pub(super) fn new(name: &str) -> Self {
        let own = [
            ("", Kind::Direct),
            ("amq.direct", Kind::Direct),
            ("amq.fanout", Kind::Fanout),
            ("amq.topic", Kind::Topic),
            ("amq.headers", Kind::Headers),
            ("amq.match", Kind::Headers),
        ];
        let exchanges = own.map(|(name, kind)| {
            let name: Rc<str> = name.into();
            (Rc::clone(&name), Exchange::new(name, kind, None))
        });
        Self {
            name: name.into(),
            exchanges: exchanges.into(),
            queues: HashMap::new(),
            bound: HashMap::new(),
        }
    }

    /// Adds a binding, unless it is there.
    pub(super) fn bind(&mut self, exchange: &str, key: &str, binding: Binding, memory: &Meter) {
        let Some(exchange) = self.exchanges.get_mut(exchange) else {
            return;
        };
        let key: Rc<str> = key.into();
        let there = self.bound.entry(binding.destination.clone()).or_default();
        exchange.bind(&key, binding, memory);
        there.insert((Rc::clone(&exchange.name), key));
    }

    /// Whether a binding is there.
    pub(super) fn is_bound(&self, exchange: &str, key: &str, binding: &Binding) -> bool {
        let exchange = self.exchanges.get(exchange);
        exchange.is_some_and(|it| it.has(key, binding))
    }

    /// Takes a binding away; whether it was there.
    pub(super) fn unbind(&mut self, exchange: &str, key: &str, binding: &Binding) -> bool {
        let Some(exchange) = self.exchanges.get_mut(exchange) else {
            return false;
        };
        let arguments = Some(&binding.arguments);
        let (found, left) = exchange.unbind(key, &binding.destination, arguments);
        if !left && let Some(there) = self.bound.get_mut(&binding.destination) {
            there.remove(&(Rc::clone(&exchange.name), key.into()));
        }
        found
    }

    /// Takes all bindings to a destination away; the exchanges that they were of.
    pub(super) fn forget(&mut self, destination: &Destination) -> Vec<Rc<str>> {
        let gone = self.bound.remove(destination).unwrap_or_default();
        for (name, key) in &gone {
            if let Some(exchange) = self.exchanges.get_mut(name) {
                exchange.unbind(key, destination, None);
            }
        }
        gone.into_iter().map(|(name, _)| name).collect()
    }

    /// Takes an exchange away with the bindings from it.
    pub(super) fn remove_exchange(&mut self, name: &Rc<str>) {
        let Some(exchange) = self.exchanges.remove(name) else {
            return;
        };
        for (key, bound) in exchange.bindings.iter().chain(&exchange.patterns) {
            for destination in bound.keys() {
                if let Some(there) = self.bound.get_mut(destination) {
                    there.remove(&(Rc::clone(name), Rc::clone(key)));
                }
            }
        }
    }

    /// The queues that a message to an exchange goes to. Follows bindings between exchanges, each exchange once, and the
    /// alternate exchange where no binding fits.
    ///
    /// # Errors
    /// 406: it takes too many steps.
    pub(super) fn route(
        &self,
        exchange: &str,
        keys: &[&str],
        headers: &Headers<'_>,
    ) -> Result<Routed, Refusal> {
        let mut routed = Routed::default();
        let most = if keys.len() > 1 { ROUTING } else { usize::MAX };
        let Routed { queues, steps } = &mut routed;
        if exchange.is_empty() {
            self.route_by_name(keys, queues);
        }
        let first = self
            .exchanges
            .get(exchange)
            .filter(|_| !exchange.is_empty());
        let mut waiting: Vec<&Exchange> = first.into_iter().collect();
        let mut seen: HashSet<&str> = HashSet::new();
        while let Some(exchange) = waiting.pop() {
            let mut next = Vec::new();
            let mut matched = false;
            for key in keys {
                exchange.destinations(key, headers, (steps, most), |destination| {
                    matched = true;
                    match destination {
                        Destination::Queue(queue) => queues.push(*queue),
                        Destination::Exchange(name) => next.push(Rc::clone(name)),
                    }
                })?;
            }
            if !matched {
                next.extend(exchange.alternate.clone());
            }
            if next.is_empty() {
                continue;
            }
            seen.insert(&exchange.name);
            for name in next {
                match self.exchanges.get(&name) {
                    _ if name.is_empty() => self.route_by_name(keys, queues),
                    Some(found) if seen.insert(&found.name) => waiting.push(found),
                    _ => {}
                }
            }
        }
        if queues.len() > 1 {
            queues.sort_unstable();
            queues.dedup();
        }
        Ok(routed)
    }

    fn route_by_name(&self, keys: &[&str], queues: &mut Vec<Key>) {
        queues.extend(keys.iter().filter_map(|key| self.queues.get(*key)));
    }
}

/// The texts of `CC` or `BCC`: further routing keys (RabbitMQ's sender-selected distribution). What is no text in the
/// list is passed over.
///
/// # Errors
/// 406: it is no list.
pub(super) fn copies(headers: &FieldTable, name: &str) -> Result<Vec<String>, Refusal> {
    let items = match headers.inner().get(name) {
        None => return Ok(Vec::new()),
        Some(AMQPValue::FieldArray(items)) => items.as_slice(),
        Some(other) => {
            let kind = kind(other);
            return Err(Refusal::precondition(format!(
                "invalid message: {{unacceptable_type_in_header,\"{name}\",{kind}}}"
            )));
        }
    };
    let text = |item: &AMQPValue| match item {
        AMQPValue::LongString(text) => String::from_utf8(text.as_bytes().to_vec()).ok(),
        _ => None,
    };
    Ok(items.iter().filter_map(text).collect())
}
