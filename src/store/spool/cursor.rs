//! Up to where a spool is delivered: a line with the number of a segment, an offset into it, and a checksum of both.

use flate2::Crc;

/// The file that it is in.
pub(super) const NAME: &str = "cursor";

/// A place between two lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    /// The number of the segment.
    pub(super) segment: u64,
    /// How many bytes of it are before.
    pub(super) offset: u64,
}

impl Place {
    /// What is written.
    pub(super) fn line(self) -> String {
        let words = format!("{} {}", self.segment, self.offset);
        let sum = sum(&words);
        format!("{words} {sum:08x}\n")
    }

    /// Reads it back; `None`: it is not whole, or was changed.
    pub(super) fn read(line: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(line).ok()?.strip_suffix('\n')?;
        let (words, known) = text.rsplit_once(' ')?;
        if known != format!("{:08x}", sum(words)) {
            return None;
        }
        let (segment, offset) = words.split_once(' ')?;
        Some(Self {
            segment: segment.parse().ok().filter(|it| *it < super::NEVER)?,
            offset: offset.parse().ok()?,
        })
    }
}

fn sum(text: &str) -> u32 {
    let mut crc = Crc::new();
    crc.update(text.as_bytes());
    crc.sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_or_torn_line_is_none() {
        let place = Place {
            segment: 42,
            offset: 1234,
        };
        let line = place.line();
        assert_eq!(Place::read(line.as_bytes()), Some(place));
        for cut in 0..line.len() {
            assert_eq!(Place::read(&line.as_bytes()[..cut]), None);
        }
        for at in 0..line.len() {
            let mut changed = line.clone().into_bytes();
            changed[at] ^= 1;
            assert_eq!(Place::read(&changed), None);
        }
    }
}
