//! The levels below a level of topics, by name: most have one or few, and some have thousands.

use std::collections::BTreeMap;
use std::sync::Arc;

/// As many stand in a list; more in a tree, which takes ten times the memory of a list of one.
const FEW: usize = 16;

/// Names, and the nodes that they lead to.
#[derive(Clone, Debug)]
pub(super) enum Children {
    Few(Vec<(Arc<str>, u32)>),
    Many(BTreeMap<Arc<str>, u32>),
}

impl Default for Children {
    fn default() -> Self {
        Self::Few(Vec::new())
    }
}

impl Children {
    pub(super) fn get(&self, name: &str) -> Option<u32> {
        match self {
            Self::Few(few) => {
                let at = few.binary_search_by(|(known, _)| (**known).cmp(name));
                at.ok().map(|at| few[at].1)
            }
            Self::Many(many) => many.get(name).copied(),
        }
    }

    /// Adds one that is not there.
    pub(super) fn insert(&mut self, name: Arc<str>, node: u32) {
        match self {
            Self::Few(few) if few.len() < FEW => {
                let at = few.partition_point(|(known, _)| **known < *name);
                few.reserve_exact(1);
                few.insert(at, (name, node));
            }
            Self::Few(few) => {
                let mut many: BTreeMap<_, _> = std::mem::take(few).into_iter().collect();
                many.insert(name, node);
                *self = Self::Many(many);
            }
            Self::Many(many) => drop(many.insert(name, node)),
        }
    }

    pub(super) fn remove(&mut self, name: &str) {
        match self {
            Self::Few(few) => few.retain(|(known, _)| **known != *name),
            Self::Many(many) => drop(many.remove(name)),
        }
    }

    /// The nodes by name.
    pub(super) fn nodes(&self) -> impl Iterator<Item = u32> + '_ {
        let (few, many) = match self {
            Self::Few(few) => (Some(few), None),
            Self::Many(many) => (None, Some(many)),
        };
        let few = few.into_iter().flatten().map(|(_, node)| *node);
        few.chain(many.into_iter().flat_map(BTreeMap::values).copied())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_become_many_and_stay_in_order() {
        let mut children = Children::default();
        for at in (0..40u32).rev() {
            children.insert(format!("{at:02}").into(), at);
        }
        assert!(matches!(children, Children::Many(_)));
        assert_eq!(
            children.nodes().collect::<Vec<_>>(),
            (0..40).collect::<Vec<_>>()
        );
        assert_eq!((children.get("07"), children.get("7")), (Some(7), None));
        for at in 1..40u32 {
            children.remove(&format!("{at:02}"));
        }
        assert_eq!(children.nodes().collect::<Vec<_>>(), [0]);
        let mut few = Children::default();
        few.insert("b".into(), 1);
        few.insert("a".into(), 2);
        assert_eq!(few.nodes().collect::<Vec<_>>(), [2, 1]);
        few.remove("b");
        assert_eq!((few.get("a"), few.get("b")), (Some(2), None));
    }
}
