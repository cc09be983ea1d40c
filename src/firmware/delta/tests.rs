use std::io::Cursor;

use super::*;

/// Bytes that look like chance, and are always the same.
fn bytes(seed: u64, count: usize) -> Vec<u8> {
    let mut state = seed;
    let mut next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 33) as u8
    };
    (0..count).map(|_| next()).collect()
}

fn applied(old: &[u8], patch: &[u8], size: u64) -> Result<Vec<u8>, BadPatch> {
    let mut new = Vec::new();
    let open = || Ok(Cursor::new(patch));
    let length = patch.len() as u64;
    let from = (&mut Cursor::new(old), old.len() as u64);
    apply(open, length, from, (&mut new, size))?;
    Ok(new)
}

/// An old image, and a new one with bytes changed, put in, taken out and moved.
fn pair() -> (Vec<u8>, Vec<u8>) {
    let old = bytes(1, 200_000);
    let mut new = old.clone();
    (0..new.len()).step_by(997).for_each(|at| new[at] ^= 0x55);
    new.splice(50_000..50_010, bytes(2, 3_000));
    new.drain(120_000..121_000);
    new.extend_from_slice(&old[..5_000]);
    (old, new)
}

#[test]
fn what_a_patch_makes_is_the_new_image() {
    let (old, new) = pair();
    for (old, new) in [
        (&old[..], &new[..]),
        (&new[..], &old[..]),
        (&old[..], &old[..]),
        (&[], &new[..1000]),
        (&[0; 70_000], &[0; 100_000]),
        (b"a", b"b"),
    ] {
        let patch = make(old, new).expect("a patch");
        let header = Header::read(&patch, patch.len() as u64).expect("a header");
        assert_eq!(header.size, new.len() as u64);
        let made = applied(old, &patch, new.len() as u64).expect("an image");
        assert!(made == new);
    }
    let patch = make(&old, &new).expect("a patch");
    assert!(patch.len() < 8_000, "{}", patch.len());
}

#[test]
fn a_header_that_lies_is_refused_before_anything_is_made() {
    let (old, new) = pair();
    let good = make(&old, &new).expect("a patch");
    let size = new.len() as u64;
    let with = |at: usize, word: u64| {
        let mut patch = good.clone();
        patch[at..at + 8].copy_from_slice(&word.to_le_bytes());
        applied(&old, &patch, size).expect_err("a lie")
    };
    for word in [u64::MAX, u64::MAX >> 1, 1 << 63 | 1, good.len() as u64] {
        assert!(matches!(with(8, word), BadPatch::Header), "{word:x}");
        assert!(matches!(with(16, word), BadPatch::Header), "{word:x}");
    }
    let why = with(24, 1 << 50);
    let said = format!(
        "it makes an image of {} bytes, and {size} are to be made",
        1_u64 << 50
    );
    assert_eq!(why.to_string(), said);
    assert!(matches!(with(0, 0), BadPatch::Format));
    for end in 0..32 {
        let why = applied(&old, &good[..end], size).expect_err("cut");
        assert!(matches!(why, BadPatch::Format), "{end}: {why}");
    }
}

#[test]
fn no_damage_makes_more_than_the_image_or_panics() {
    let (old, new) = (bytes(3, 300), bytes(4, 30));
    let new = [&old[..200], &new, &old[100..]].concat();
    let good = make(&old, &new).expect("a patch");
    let size = new.len() as u64;
    for end in 32..good.len() {
        // The last bytes of a part only say that it ends.
        if let Ok(made) = applied(&old, &good[..end], size) {
            assert!(made == new, "{end}");
        }
    }
    // Every bit of what is not compressed, and one of each byte of the rest.
    let bits = (0..32 * 8).chain((32..good.len()).map(|at| at * 8 + at % 8));
    for bit in bits {
        let mut patch = good.clone();
        patch[bit / 8] ^= 1 << (bit % 8);
        if let Ok(made) = applied(&old, &patch, size) {
            assert_eq!(made.len(), new.len(), "{bit}");
        }
    }
}

/// A patch of these steps, to which nothing is added.
fn of_steps(steps: &[[i64; 3]], size: u64, difference: usize, extra: usize) -> Vec<u8> {
    use std::io::Write as _;
    let packed = |bytes: &[u8]| {
        let mut part = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
        part.write_all(bytes).expect("memory");
        part.finish().expect("memory")
    };
    let word = |number: i64| match number {
        0.. => number as u64,
        _ => 1 << 63 | number.unsigned_abs(),
    };
    let control: Vec<u8> = steps
        .iter()
        .flatten()
        .flat_map(|it| word(*it).to_le_bytes())
        .collect();
    let (control, difference) = (packed(&control), packed(&vec![0; difference]));
    let mut patch = MAGIC.to_vec();
    for number in [control.len() as u64, difference.len() as u64, size] {
        patch.extend(number.to_le_bytes());
    }
    [patch, control, difference, packed(&vec![7; extra])].concat()
}

#[test]
fn steps_that_lead_out_of_the_image_are_refused() {
    let old = b"0123456789";
    let made = |steps: &[[i64; 3]]| applied(old, &of_steps(steps, 4, 10, 10), 4);
    assert_eq!(made(&[[2, 0, 6], [2, 0, 0]]).expect("an image"), b"0189");
    // Beyond the ends of the old image bytes count as zero, as in bspatch.
    assert_eq!(
        made(&[[0, 0, 9], [2, 0, -13], [2, 0, 0]]).expect("an image"),
        b"9\0\0\0"
    );
    for steps in [
        &[[5, 0, 0]][..],
        &[[0, 5, 0]],
        &[[3, 2, 0]],
        &[[-1, 5, 0]],
        &[[4, -4, 0]],
        &[[i64::MAX, i64::MAX, 0]],
        &[[1, 0, i64::MAX], [1, 0, i64::MAX], [1, 0, 0]],
        &[[0, 0, 0]; 1002],
    ] {
        let why = made(steps).expect_err("out of the image");
        assert!(matches!(why, BadPatch::Step), "{steps:?}: {why}");
    }
    assert!(matches!(made(&[[2, 0, 0]]), Err(BadPatch::Short)));
    // The image is to have more than its parts hold.
    let short = of_steps(&[[0, 4, 0]], 4, 0, 3);
    assert!(matches!(applied(old, &short, 4), Err(BadPatch::Short)));
}
