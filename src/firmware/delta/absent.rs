//! Stands for patches where the program was built without them.

use std::io::{Read, Seek, Write};

use super::BadPatch;

/// There are none.
pub const AVAILABLE: bool = false;

/// Refuses.
///
/// # Errors
/// Always.
pub fn make(_old: &[u8], _new: &[u8]) -> Result<Vec<u8>, BadPatch> {
    Err(BadPatch::NotBuilt)
}

/// Refuses.
///
/// # Errors
/// Always.
pub fn apply<P: Read + Seek>(
    _open: impl FnMut() -> std::io::Result<P>,
    _length: u64,
    _old: (&mut (impl Read + Seek), u64),
    _new: (&mut impl Write, u64),
) -> Result<(), BadPatch> {
    Err(BadPatch::NotBuilt)
}
