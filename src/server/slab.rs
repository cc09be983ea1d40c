//! Numbered slots with serials: a key of something that is gone finds nothing, even when the slot is used again.

/// Names a connection, or another entry of a table, for as long as it lives, and nothing afterwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Key {
    slot: u32,
    serial: u32,
}

/// A table whose keys stay valid while others come and go.
#[derive(Debug)]
pub(crate) struct Slab<T> {
    entries: Vec<(u32, Option<T>)>,
    free: Vec<u32>,
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Self {
            entries: Vec::new(),
            free: Vec::new(),
        }
    }
}

impl<T> Slab<T> {
    /// Adds an entry and names it.
    pub(crate) fn insert(&mut self, value: T) -> Key {
        if let Some(slot) = self.free.pop() {
            let entry = &mut self.entries[slot as usize];
            entry.1 = Some(value);
            return Key {
                slot,
                serial: entry.0,
            };
        }
        // Each entry is an open connection, a session or a group: far fewer than 2^32.
        let slot = self.entries.len() as u32;
        self.entries.push((0, Some(value)));
        Key { slot, serial: 0 }
    }

    /// The entry, as long as it is there.
    pub(crate) fn get(&self, key: Key) -> Option<&T> {
        match self.entries.get(key.slot as usize) {
            Some((serial, value)) if *serial == key.serial => value.as_ref(),
            _ => None,
        }
    }

    /// The same, to be changed.
    pub(crate) fn get_mut(&mut self, key: Key) -> Option<&mut T> {
        match self.entries.get_mut(key.slot as usize) {
            Some((serial, value)) if *serial == key.serial => value.as_mut(),
            _ => None,
        }
    }

    /// Takes an entry out; its key finds nothing from now on.
    pub(crate) fn remove(&mut self, key: Key) -> Option<T> {
        let entry = self.entries.get_mut(key.slot as usize)?;
        if entry.0 != key.serial {
            return None;
        }
        let value = entry.1.take()?;
        entry.0 = entry.0.wrapping_add(1);
        self.free.push(key.slot);
        Some(value)
    }

    /// All entries, oldest slot first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.entries.iter().filter_map(|(_, value)| value.as_ref())
    }

    /// How many entries there are.
    pub(crate) fn len(&self) -> usize {
        self.entries.len() - self.free.len()
    }

    /// The keys of all entries, oldest slot first.
    pub(crate) fn keys(&self) -> Vec<Key> {
        let used = |(slot, (serial, value)): (usize, &(u32, Option<T>))| {
            value.as_ref().map(|_| Key {
                slot: slot as u32,
                serial: *serial,
            })
        };
        self.entries.iter().enumerate().filter_map(used).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stale_key_finds_nothing_in_a_slot_used_again() {
        let mut slab = Slab::default();
        let first = slab.insert('a');
        assert_eq!(slab.remove(first), Some('a'));
        let second = slab.insert('b');
        assert_eq!(slab.get(first), None);
        assert_eq!(slab.remove(first), None);
        assert_eq!(slab.get(second), Some(&'b'));
        assert_eq!((slab.len(), slab.keys()), (1, vec![second]));
    }
}
