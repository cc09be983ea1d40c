//! Arbitrary standard input, cut into messages: no panic, and records of known length are cut as a simple reader cuts them.
//!
//! The first byte chooses how the input is cut and what is made of it. Run with `cargo +nightly fuzz run records`.
#![no_main]

use std::collections::VecDeque;
use std::fs::File;
use std::io::{Seek, Write};

use iotctl::payload::{Bodies, Cut, Destination, Encoding, Framing, Outline, Source};
use libfuzzer_sys::fuzz_target;

/// What the input is cut into; `None` where that fails.
fn cut(data: &[u8], source: &Source, encoding: Encoding, topics: Vec<Destination>) -> Option<Vec<Vec<u8>>> {
    let mut file: File = tempfile::tempfile().expect("a file");
    file.write_all(data).and_then(|()| file.rewind()).expect("written");
    let outline = Outline { topics, ..Outline::default() };
    let mut bodies = Bodies::over(file.into(), source, encoding).ok()?.like(outline);
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(async {
        let mut into = VecDeque::new();
        while bodies.next(&mut into).await.ok()? {}
        Some(into.into_iter().map(|message| message.payload.to_vec()).collect())
    })
}

/// Length, record, length, record.
fn simple(mut rest: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut records = Vec::new();
    while !rest.is_empty() {
        let (length, behind) = rest.split_first_chunk::<4>()?;
        let (record, behind) = behind.split_at_checked(u32::from_be_bytes(*length) as usize)?;
        records.push(record.to_vec());
        rest = behind;
    }
    Some(records)
}

fuzz_target!(|data: &[u8]| {
    let Some((&how, data)) = data.split_first() else {
        return;
    };
    let lengths = Framing { cut: Cut::Length, ..Framing::after(0) };
    let cut_by_length = cut(data, &Source::Lines(lengths), Encoding::Plain, Vec::new());
    assert_eq!(cut_by_length, simple(data));
    let framing = Framing {
        trim_cr: how & 1 != 0,
        separator: (how & 2 != 0).then(|| " ".into()),
        ..Framing::after(b'\n')
    };
    let encoding = match how >> 2 & 3 {
        0 => Encoding::Plain,
        1 => Encoding::Cbor,
        2 => Encoding::MessagePack,
        _ => Encoding::Base64,
    };
    let topics = match how & 16 {
        0 => Vec::new(),
        _ => vec![Destination::filled("a/{/id}/{seq}".into()).expect("places")],
    };
    cut(data, &Source::Lines(framing), encoding, topics);
});
