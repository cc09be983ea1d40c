//! The parts of a patch: written from what bsdiff finds, and read side by side in as much memory as bzip2 needs for three
//! blocks, whatever the patch says.

use std::io::{self, Read, Seek, SeekFrom, Take, Write};

use bzip2::Compression;
use bzip2::read::BzDecoder;
use bzip2::write::BzEncoder;

use super::{BadPatch, HEADER, Header, MAGIC, offset};

/// There are patches.
pub const AVAILABLE: bool = true;

/// Bytes that are made at a time.
const CHUNK: usize = 32 << 10;

/// Steps in a row that make nothing: bsdiff writes one at the beginning.
const MOST_IDLE: u32 = 1000;

/// A patch that makes `new` of `old`, which has at most [`super::LARGEST`] bytes.
///
/// # Errors
/// There is no memory for it.
pub fn make(old: &[u8], new: &[u8]) -> Result<Vec<u8>, BadPatch> {
    let mut parts = Writing::new();
    bsdiff::diff(old, new, &mut parts)?;
    let [control, difference, extra] = parts.finish()?;
    let mut patch = MAGIC.to_vec();
    for length in [control.len(), difference.len(), new.len()] {
        patch.extend((length as u64).to_le_bytes());
    }
    for part in [control, difference, extra] {
        patch.extend(part);
    }
    Ok(patch)
}

/// Sorts what bsdiff writes into the parts: for each step three numbers, so many bytes to add, and so many that are new.
struct Writing {
    control: BzEncoder<Vec<u8>>,
    difference: BzEncoder<Vec<u8>>,
    extra: BzEncoder<Vec<u8>>,
    /// The numbers of a step, as far as they have come.
    step: Vec<u8>,
    /// What is left of the step: bytes to add, and bytes that are new.
    left: [u64; 2],
}

impl Writing {
    fn new() -> Self {
        let part = || BzEncoder::new(Vec::new(), Compression::best());
        Self {
            control: part(),
            difference: part(),
            extra: part(),
            step: Vec::with_capacity(24),
            left: [0; 2],
        }
    }

    fn finish(self) -> io::Result<[Vec<u8>; 3]> {
        Ok([
            self.control.finish()?,
            self.difference.finish()?,
            self.extra.finish()?,
        ])
    }
}

impl Write for Writing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let part = |left: u64| usize::try_from(left).map_or(bytes.len(), |it| it.min(bytes.len()));
        if let Some(which) = self.left.iter().position(|left| *left > 0) {
            let count = part(self.left[which]);
            let into = [&mut self.difference, &mut self.extra];
            into.into_iter()
                .nth(which)
                .map_or(Ok(()), |into| into.write_all(&bytes[..count]))?;
            self.left[which] -= count as u64;
            return Ok(count);
        }
        let count = part((24 - self.step.len()) as u64);
        self.step.extend(&bytes[..count]);
        if self.step.len() == 24 {
            self.control.write_all(&self.step)?;
            // What bsdiff writes there is never below zero.
            self.left = [0, 8].map(|at| offset(&self.step[at..]).unsigned_abs());
            self.step.clear();
        }
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Applies a patch of `length` bytes, which `open` opens from its beginning, to `old` of so many bytes, and writes `new` of
/// so many bytes.
///
/// # Errors
/// It is no patch that makes so many bytes, or something cannot be read or written. What was written by then is there.
pub fn apply<P: Read + Seek>(
    mut open: impl FnMut() -> io::Result<P>,
    length: u64,
    (old, old_size): (&mut (impl Read + Seek), u64),
    (new, size): (&mut impl Write, u64),
) -> Result<(), BadPatch> {
    let mut header = Vec::new();
    open()?.take(HEADER).read_to_end(&mut header)?;
    let header = Header::read(&header, length)?;
    header.makes(size)?;
    let mut part = |at: u64, count: u64| -> io::Result<BzDecoder<Take<P>>> {
        let mut from = open()?;
        from.seek(SeekFrom::Start(at))?;
        Ok(BzDecoder::new(from.take(count)))
    };
    let extra = HEADER + header.control + header.difference;
    let mut patching = Patching {
        control: part(HEADER, header.control)?,
        difference: part(HEADER + header.control, header.difference)?,
        extra: part(extra, length - extra)?,
        old,
        old_size,
        new,
        made: vec![0; CHUNK],
        added: vec![0; CHUNK],
    };
    patching.run(size)
}

struct Patching<'a, P, O, N> {
    control: P,
    difference: P,
    extra: P,
    old: &'a mut O,
    old_size: u64,
    new: &'a mut N,
    made: Vec<u8>,
    added: Vec<u8>,
}

impl<P: Read, O: Read + Seek, N: Write> Patching<'_, P, O, N> {
    fn run(&mut self, size: u64) -> Result<(), BadPatch> {
        let (mut left, mut at, mut idle) = (size, 0_i64, 0);
        while left > 0 {
            let mut step = [0; 24];
            whole(&mut self.control, &mut step)?;
            let count = |from: usize| u64::try_from(offset(&step[from..])).ok();
            let (add, copy) = count(0).zip(count(8)).ok_or(BadPatch::Step)?;
            left = left
                .checked_sub(add)
                .and_then(|left| left.checked_sub(copy))
                .ok_or(BadPatch::Step)?;
            idle = if add + copy == 0 { idle + 1 } else { 0 };
            if idle > MOST_IDLE {
                return Err(BadPatch::Step);
            }
            self.add(at, add)?;
            self.copy(copy)?;
            let moved = at.checked_add_unsigned(add);
            at = moved
                .and_then(|it| it.checked_add(offset(&step[16..])))
                .ok_or(BadPatch::Step)?;
        }
        self.new.flush()?;
        Ok(())
    }

    /// Bytes of the old image with what is added to each; beyond its ends they count as zero, as bspatch has it.
    fn add(&mut self, mut at: i64, mut left: u64) -> Result<(), BadPatch> {
        while left > 0 {
            let count = chunk(left);
            self.old(at, count)?;
            let (made, added) = (&mut self.made[..count], &mut self.added[..count]);
            whole(&mut self.difference, added)?;
            for (byte, more) in made.iter_mut().zip(added) {
                *byte = byte.wrapping_add(*more);
            }
            self.new.write_all(&self.made[..count])?;
            left -= count as u64;
            at = at.checked_add(count as i64).ok_or(BadPatch::Step)?;
        }
        Ok(())
    }

    /// Reads `count` bytes of the old image from `at` on.
    fn old(&mut self, at: i64, count: usize) -> io::Result<()> {
        let made = &mut self.made[..count];
        made.fill(0);
        let size = i64::try_from(self.old_size).unwrap_or(i64::MAX);
        let (from, to) = (at.max(0), at.saturating_add(count as i64).min(size));
        if from < to {
            self.old.seek(SeekFrom::Start(from as u64))?;
            let within = (from - at) as usize..(to - at) as usize;
            self.old.read_exact(&mut made[within])?;
        }
        Ok(())
    }

    fn copy(&mut self, mut left: u64) -> Result<(), BadPatch> {
        while left > 0 {
            let count = chunk(left);
            whole(&mut self.extra, &mut self.made[..count])?;
            self.new.write_all(&self.made[..count])?;
            left -= count as u64;
        }
        Ok(())
    }
}

fn chunk(left: u64) -> usize {
    usize::try_from(left).map_or(CHUNK, |left| left.min(CHUNK))
}

/// Fills a buffer from a part of the patch.
fn whole(part: &mut impl Read, buffer: &mut [u8]) -> Result<(), BadPatch> {
    part.read_exact(buffer).map_err(|cause| match cause.kind() {
        io::ErrorKind::UnexpectedEof => BadPatch::Short,
        _ => BadPatch::Io(cause),
    })
}
