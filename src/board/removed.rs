//! What was taken away of late, so that whoever is told of changes is told of that as well.

use std::collections::VecDeque;
use std::sync::Arc;

/// Names that are remembered.
const MOST: usize = 4_096;

/// Bytes of all of them.
const MOST_BYTES: usize = 1 << 20;

/// Names of what is gone, and by which change.
#[derive(Clone, Debug, Default)]
pub(super) struct Removed {
    names: VecDeque<(u64, Arc<str>)>,
    bytes: usize,
    /// The last change of which a name is no longer remembered.
    lost: u64,
}

impl Removed {
    pub(super) fn add(&mut self, change: u64, name: Arc<str>) {
        self.bytes += name.len();
        self.names.push_back((change, name));
        while self.names.len() > MOST || self.bytes > MOST_BYTES {
            let Some((change, name)) = self.names.pop_front() else {
                return;
            };
            self.bytes -= name.len();
            self.lost = change;
        }
    }

    /// What was taken away by changes after this one, some of it perhaps there again; `None`: not all of it is remembered.
    pub(super) fn since(&self, change: u64) -> Option<impl Iterator<Item = &Arc<str>>> {
        let later = self.names.iter().rev();
        (self.lost <= change).then(|| {
            later
                .take_while(move |(at, _)| *at > change)
                .map(|(_, name)| name)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_gone_is_told_as_long_as_it_is_remembered() {
        let mut removed = Removed::default();
        let names = |removed: &Removed, change| {
            let names = removed.since(change)?;
            Some(names.map(ToString::to_string).collect::<Vec<_>>())
        };
        assert_eq!(names(&removed, 0), Some(Vec::new()));
        removed.add(1, "a".into());
        removed.add(3, "b".into());
        assert_eq!(names(&removed, 0).unwrap(), ["b", "a"]);
        assert_eq!(names(&removed, 1).unwrap(), ["b"]);
        assert_eq!(names(&removed, 3), Some(Vec::new()));
        for at in 0..MOST as u64 {
            removed.add(4 + at, "c".into());
        }
        assert_eq!((names(&removed, 2), removed.names.len()), (None, MOST));
        assert_eq!(names(&removed, 3).unwrap().len(), MOST);
        removed.add(9_000, "x".repeat(MOST_BYTES + 1).into());
        assert_eq!((removed.bytes, names(&removed, 8_999)), (0, None));
        assert_eq!(names(&removed, 9_000), Some(Vec::new()));
    }
}
