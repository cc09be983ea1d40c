//! Exchanges, their bindings, and who gets a message.

use std::collections::HashMap;
use std::rc::Rc;

use amq_protocol::types::{AMQPValue, FieldTable};

use super::matching;
use crate::connect::hosting::Key;

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
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Destination {
    Queue(Key),
    Exchange(Rc<str>),
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Binding {
    pub(super) destination: Destination,
    pub(super) arguments: FieldTable,
}

#[derive(Debug)]
pub(super) struct Exchange {
    pub(super) name: Rc<str>,
    pub(super) kind: Kind,
    pub(super) durable: bool,
    pub(super) auto_delete: bool,
    pub(super) internal: bool,
    pub(super) alternate: Option<Rc<str>>,
    /// By routing key, which for a topic exchange is a pattern.
    bindings: HashMap<Rc<str>, Vec<Binding>>,
}

impl Exchange {
    pub(super) fn new(name: Rc<str>, kind: Kind) -> Self {
        Self {
            name,
            kind,
            durable: true,
            auto_delete: false,
            internal: false,
            alternate: None,
            bindings: HashMap::new(),
        }
    }

    /// Adds a binding, unless it is there.
    pub(super) fn bind(&mut self, key: &str, binding: Binding) {
        match self.bindings.get_mut(key) {
            None => drop(self.bindings.insert(key.into(), vec![binding])),
            Some(there) if there.contains(&binding) => {}
            Some(there) => there.push(binding),
        }
    }

    /// Takes a binding away; whether it was there.
    pub(super) fn unbind(&mut self, key: &str, binding: &Binding) -> bool {
        let Some(there) = self.bindings.get_mut(key) else {
            return false;
        };
        let before = there.len();
        there.retain(|other| other != binding);
        let found = there.len() < before;
        if there.is_empty() {
            self.bindings.remove(key);
        }
        found
    }

    /// Takes all bindings to a destination away; whether there were any.
    pub(super) fn forget(&mut self, destination: &Destination) -> bool {
        let mut found = false;
        self.bindings.retain(|_, there| {
            let before = there.len();
            there.retain(|binding| binding.destination != *destination);
            found |= there.len() < before;
            !there.is_empty()
        });
        found
    }

    pub(super) fn is_used(&self) -> bool {
        !self.bindings.is_empty()
    }

    /// Hands every destination of a message to `each`, some of them perhaps more than once.
    fn destinations(&self, key: &str, headers: &Headers<'_>, mut each: impl FnMut(&Destination)) {
        match self.kind {
            Kind::Direct => {
                let there = self.bindings.get(key).into_iter().flatten();
                there.for_each(|binding| each(&binding.destination));
            }
            Kind::Fanout => {
                let there = self.bindings.values().flatten();
                there.for_each(|binding| each(&binding.destination));
            }
            Kind::Topic => {
                let there = self
                    .bindings
                    .iter()
                    .filter(|(pattern, _)| matching::topic(pattern, key));
                there
                    .flat_map(|(_, there)| there)
                    .for_each(|binding| each(&binding.destination));
            }
            Kind::Headers => {
                let table = (headers.0)();
                let there = self.bindings.values().flatten();
                there
                    .filter(|binding| matching::headers(&binding.arguments, &table))
                    .for_each(|binding| each(&binding.destination));
            }
        }
    }
}

/// The headers of a message, read only where somebody asks.
pub(super) struct Headers<'a>(pub(super) &'a dyn Fn() -> FieldTable);

/// A virtual host: exchanges and queues by name.
#[derive(Debug)]
pub(super) struct Vhost {
    pub(super) name: Rc<str>,
    pub(super) exchanges: HashMap<Rc<str>, Exchange>,
    pub(super) queues: HashMap<Rc<str>, Key>,
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
            (Rc::clone(&name), Exchange::new(name, kind))
        });
        Self {
            name: name.into(),
            exchanges: exchanges.into(),
            queues: HashMap::new(),
        }
    }

    /// The queues that a message to an exchange goes to, each once. Follows bindings between exchanges, each exchange
    /// once, and the alternate exchange where no binding fits.
    pub(super) fn route(&self, exchange: &str, keys: &[&str], headers: &Headers<'_>) -> Vec<Key> {
        let mut queues = Vec::new();
        if exchange.is_empty() {
            self.route_by_name(keys, &mut queues);
            return queues;
        }
        let Some(first) = self.exchanges.get(exchange) else {
            return queues;
        };
        let mut seen = vec![first];
        let mut at = 0;
        while let Some(&exchange) = seen.get(at) {
            at += 1;
            let mut next = Vec::new();
            let mut matched = false;
            for key in keys {
                exchange.destinations(key, headers, |destination| {
                    matched = true;
                    match destination {
                        Destination::Queue(queue) => queues.push(*queue),
                        Destination::Exchange(name) => next.push(Rc::clone(name)),
                    }
                });
            }
            if !matched {
                next.extend(exchange.alternate.clone());
            }
            for name in next {
                if name.is_empty() {
                    self.route_by_name(keys, &mut queues);
                }
                let known = seen.iter().any(|other| other.name == name);
                seen.extend(
                    self.exchanges
                        .get(&name)
                        .filter(|_| !known && !name.is_empty()),
                );
            }
        }
        if queues.len() > 1 {
            queues.sort_unstable();
            queues.dedup();
        }
        queues
    }

    fn route_by_name(&self, keys: &[&str], queues: &mut Vec<Key>) {
        for key in keys {
            let queue = self
                .queues
                .get(*key)
                .filter(|queue| !queues.contains(queue));
            queues.extend(queue);
        }
    }
}

/// The texts of `CC` or `BCC`: further routing keys (RabbitMQ's sender-selected distribution).
///
/// `None`: it is no array of texts.
pub(super) fn copies(headers: &FieldTable, name: &str) -> Option<Vec<String>> {
    let Some(value) = headers.inner().get(name) else {
        return Some(Vec::new());
    };
    let AMQPValue::FieldArray(items) = value else {
        return None;
    };
    let text = |item: &AMQPValue| match item {
        AMQPValue::LongString(text) => String::from_utf8(text.as_bytes().to_vec()).ok(),
        _ => None,
    };
    items.as_slice().iter().map(text).collect()
}
