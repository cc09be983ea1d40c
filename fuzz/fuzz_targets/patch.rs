//! Whatever bytes come as a patch: nothing panics, no more is made than was asked for, and a patch of ours makes the image.

#![no_main]

use std::io::Cursor;

use iotctl::firmware::delta::{apply, make};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (u16, &[u8], &[u8])| {
    let (size, old, bytes) = input;
    let made = |patch: &[u8], size: u64| {
        let mut new = Vec::new();
        let from = (&mut Cursor::new(old), old.len() as u64);
        let length = patch.len() as u64;
        let applied = apply(|| Ok(Cursor::new(patch)), length, from, (&mut new, size));
        assert!(new.len() as u64 <= size);
        applied.map(|()| new)
    };
    if let Ok(new) = made(bytes, size.into()) {
        assert_eq!(new.len(), usize::from(size));
    }
    let patch = make(old, bytes).expect("memory");
    assert_eq!(made(&patch, bytes.len() as u64).expect("an image"), bytes);
});
