//! Arbitrary bytes never panic, never hang, and what is accepted can be written again.

use bytes::BytesMut;

use super::samples::packets;
use super::{VERSIONS, decode, encoded};
use crate::mqtt::packet::{Decoder, LARGEST_PACKET, Packet, Version, encode};

/// A small generator (xorshift64*): the same numbers at every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32
    }

    fn below(&mut self, limit: usize) -> usize {
        self.next() as usize % limit
    }
}

/// Small samples; the large payload has nothing to find.
fn samples(version: Version) -> Vec<Vec<u8>> {
    let all = packets(version)
        .into_iter()
        .map(|packet| encoded(&packet, version).to_vec());
    all.filter(|bytes| bytes.len() < 1_000).collect()
}

/// An accepted packet comes back the same after writing it: nothing was misread or lost.
fn accept(bytes: &[u8], version: Version) -> bool {
    let Ok(Some(packet)) = decode(bytes, version) else {
        return false;
    };
    let spoken = match &packet {
        Packet::Connect(connect) => connect.version,
        _ => version,
    };
    let again = encoded(&packet, spoken);
    assert_eq!(decode(&again, spoken), Ok(Some(packet)), "{bytes:02x?}");
    true
}

#[test]
fn every_change_of_one_byte_is_either_refused_or_understood() {
    for version in VERSIONS {
        for mut bytes in samples(version) {
            for at in 0..bytes.len() {
                let original = bytes[at];
                for change in [0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0xff] {
                    bytes[at] = original ^ change;
                    accept(&bytes, version);
                }
                bytes[at] = original;
            }
        }
    }
}

#[test]
fn two_hundred_thousand_mutations_are_either_refused_or_understood() {
    let mut random = Random(0x696f_7463_746c);
    let samples: Vec<_> = VERSIONS
        .iter()
        .map(|&version| (version, samples(version)))
        .collect();
    let mut accepted = 0;
    for _ in 0..200_000 {
        let (version, samples) = &samples[random.below(3)];
        let mut bytes = samples[random.below(samples.len())].clone();
        mutate(&mut bytes, &mut random);
        accepted += u32::from(accept(&bytes, *version));
    }
    assert!(
        (1_000..199_000).contains(&accepted),
        "{accepted}: the mutations must hit both sides"
    );
}

/// Changes, inserts, removes or repeats a few bytes; half the time the length byte is made to fit again.
fn mutate(bytes: &mut Vec<u8>, random: &mut Random) {
    for _ in 0..=random.below(3) {
        let at = random.below(bytes.len());
        match random.below(5) {
            0 => bytes[at] ^= 1 << random.below(8),
            1 => bytes[at] = random.next() as u8,
            2 => bytes.insert(at, random.next() as u8),
            3 if bytes.len() > 2 => drop(bytes.remove(at)),
            _ => bytes.extend_from_within(at..(at + random.below(8)).min(bytes.len())),
        }
    }
    if random.below(2) == 0 && (2..130).contains(&bytes.len()) {
        bytes[1] = bytes.len() as u8 - 2;
    }
}

#[test]
fn a_stream_of_noise_ends_in_an_error_or_runs_dry() {
    let mut random = Random(1);
    for version in VERSIONS {
        let decoder = Decoder::new(version, LARGEST_PACKET);
        for _ in 0..20_000 {
            let length = random.below(64);
            let mut input: BytesMut = (0..length).map(|_| random.next() as u8).collect();
            let mut left = input.len();
            while let Ok(Some(packet)) = decoder.decode(&mut input) {
                assert!(input.len() < left, "{packet:?} was read out of nothing");
                left = input.len();
            }
        }
    }
}

#[test]
fn a_failed_write_leaves_the_buffer_alone() {
    let mut out = BytesMut::from("kept");
    for packet in packets(Version::V5) {
        if encode(&packet, Version::V311, &mut out).is_err() {
            assert_eq!(out, "kept", "{packet:?}");
        }
        out.truncate(4);
    }
}
