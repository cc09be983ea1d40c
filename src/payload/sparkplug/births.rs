//! What edge nodes have said of their metrics in birth certificates.

use std::collections::{HashMap, VecDeque};

use super::Metric;

/// As many bytes are remembered; the nodes that were heard of first are forgotten for others.
const MOST_BYTES: usize = 8 << 20;

/// What an entry takes besides its name.
const ENTRY: usize = 96;

/// What edge nodes have said of their metrics.
#[derive(Clone, Debug, Default)]
pub struct Births {
    nodes: HashMap<String, Node>,
    /// Their names, the oldest first.
    order: VecDeque<String>,
    bytes: usize,
}

/// The metrics of an edge node and its devices, which share their aliases.
#[derive(Clone, Debug, Default)]
pub(super) struct Node {
    by_alias: HashMap<u64, Known>,
    /// By the device and the name, with a NUL between.
    by_name: HashMap<String, u32>,
    bytes: usize,
}

/// What is known of a metric.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) name: String,
    pub(super) datatype: u32,
}

impl Node {
    /// What was said of a metric: under its alias, or its name.
    pub(super) fn find(&self, device: &str, metric: &Metric<'_>) -> Option<Known> {
        match (metric.name, metric.alias) {
            (None, Some(alias)) => self.by_alias.get(&alias).cloned(),
            (Some(name), _) => Some(Known {
                datatype: *self.by_name.get(&key(device, name))?,
                name: name.to_owned(),
            }),
            (None, None) => None,
        }
    }
}

fn key(device: &str, name: &str) -> String {
    format!("{device}\0{name}")
}

impl Births {
    pub(super) fn node(&self, edge: &str) -> Option<&Node> {
        self.nodes.get(edge)
    }

    /// Forgets a node.
    pub(super) fn forget(&mut self, edge: &str) {
        if let Some(node) = self.nodes.remove(edge) {
            self.bytes -= node.bytes;
            self.order.retain(|name| name != edge);
        }
    }

    /// How many bytes more a metric takes than what is known of it.
    fn cost(&self, edge: &str, key: &str, alias: Option<u64>, name: &str) -> usize {
        let Some(node) = self.nodes.get(edge) else {
            return 2 * (ENTRY + edge.len()) + 2 * ENTRY + key.len() + name.len();
        };
        let by_name = match node.by_name.contains_key(key) {
            true => 0,
            false => ENTRY + key.len(),
        };
        let by_alias = alias.map_or(0, |alias| match node.by_alias.get(&alias) {
            Some(before) => name.len().saturating_sub(before.name.len()),
            None => ENTRY + name.len(),
        });
        by_name + by_alias
    }

    /// Remembers a metric, unless its node alone is too large.
    pub(super) fn learn(&mut self, edge: &str, device: &str, metric: &Metric<'_>, datatype: u32) {
        let Some(name) = metric.name else {
            return;
        };
        let key = key(device, name);
        let cost = self.cost(edge, &key, metric.alias, name);
        while self.bytes + cost > MOST_BYTES {
            // Of one node alone no more is remembered.
            let Some(oldest) = self.order.iter().find(|name| *name != edge).cloned() else {
                return;
            };
            self.forget(&oldest);
        }
        if !self.nodes.contains_key(edge) {
            self.order.push_back(edge.to_owned());
        }
        let node = self.nodes.entry(edge.to_owned()).or_default();
        node.bytes += cost;
        self.bytes += cost;
        if let Some(alias) = metric.alias {
            let name = name.to_owned();
            node.by_alias.insert(alias, Known { name, datatype });
        }
        node.by_name.insert(key, datatype);
    }
}
