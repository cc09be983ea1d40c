use data_encoding::HEXLOWER;

use super::super::key::{Algorithm, PublicKey, SigningKey, Trusted};
use super::super::refusal::{Refusal, Result};
use super::super::{Identity, sha256};
use super::*;

/// draft-ietf-suit-manifest, Appendix B.1, as it stood with ES256 (-7).
const CLASSIC: &str = "d86ba2025873825824822f58206658ea560262696dd1f13b782239a064da7c6c5cbaf52fded428a6fc83c7e5af584ad28443a10126a0f65840e3505f7ab70bd3a0e04916f37b0d7251aa6f52ca12c7edaa886a4129a298ca6a1ecc2a57955c6bf4ccb9f01d684d5d1c4774dffbe508a034431feafa60848a2c035871a50101020003585fa202818141000458568614a40150fa6b4a53d5ad5fdfbe9de663e4d41ffe02501492af1425695e48bf429b2d51f2ab45035824822f582000112233445566778899aabbccddeeff0123456789abcdeffedcba98765432100e1987d0010f020f074382030f0943821702";

/// The same with ESP256 (-9).
const FULLY_SPECIFIED: &str = "d86ba2025873825824822f58206658ea560262696dd1f13b782239a064da7c6c5cbaf52fded428a6fc83c7e5af584ad28443a10128a0f658408679a7bde316a9c8a7dd701f3f153f011368749fce6c12e4e2c9f704d3bd104fb77559d2d9723ac9ce550dc69e7bf8cc3a1a460dc6f2b851780bd23cf6669c29035871a50101020003585fa202818141000458568614a40150fa6b4a53d5ad5fdfbe9de663e4d41ffe02501492af1425695e48bf429b2d51f2ab45035824822f582000112233445566778899aabbccddeeff0123456789abcdeffedcba98765432100e1987d0010f020f074382030f0943821702";

/// Appendix B.2: the image is fetched.
const FETCHES: &str = "d86ba2025873825824822f58201f2e7acca0dc2786f2fe4eb947f50873a6a3cfaa98866c5b02e621f42074daf2584ad28443a10128a0f6584099149241cc392690aa15590cc0d97b8bf5084b3efbf2ca82f33179eed6e7370e44517bdd75f5bab97773fca4601e1ada8a5068619de0c648c1208e5a16141d21035894a50101020103585fa202818141000458568614a40150fa6b4a53d5ad5fdfbe9de663e4d41ffe02501492af1425695e48bf429b2d51f2ab45035824822f582000112233445566778899aabbccddeeff0123456789abcdeffedcba98765432100e1987d0010f020f074382030f1458258614a115781b687474703a2f2f6578616d706c652e636f6d2f66696c652e62696e1502030f";

/// The point of the draft's key.
const POINT: &str = "048496811aae0baaabd26157189eecda26beaa8bf11b6f3fe6e2b5659c85dbc0ad3b1f2a4b6c098131c0a36dacd1d78bd381dcdfb09c052db33991db7338b4a896";

fn bytes(digits: &str) -> Vec<u8> {
    HEXLOWER
        .decode(digits.as_bytes())
        .expect("hexadecimal digits")
}

fn draft_key() -> Trusted {
    let spki = format!("3059301306072a8648ce3d020106082a8648ce3d030107034200{POINT}");
    Trusted::new(vec![PublicKey::from_spki(&bytes(&spki)).expect("a key")])
}

fn draft_device() -> Identity {
    Identity::new("arm.com", "suit")
}

#[test]
fn the_examples_of_the_draft_verify_in_both_numberings() {
    let trusted = draft_key();
    for example in [CLASSIC, FULLY_SPECIFIED, FETCHES] {
        let bytes = bytes(example);
        let envelope = Envelope::split(&bytes).expect("an envelope");
        let verified = envelope.verified(&trusted).expect("signed");
        let manifest = verified.manifest().expect("a manifest");
        assert_eq!(manifest.components, [[&[0][..]]]);
    }
    let bytes = bytes(FETCHES);
    let manifest = Envelope::split(&bytes).and_then(|it| it.unverified());
    let update = manifest.expect("a manifest").update(&draft_device(), None);
    let update = update.expect("an update");
    assert_eq!((update.sequence, update.size), (1, 34768));
    assert_eq!(update.sources[0].uri, "http://example.com/file.bin");
}

/// Examples 2 to 5 of Appendix B: severed members, two slots, several components that are loaded, and two images.
const EXAMPLES: [&str; 4] = [
    include_str!("examples/2.hex"),
    include_str!("examples/3.hex"),
    include_str!("examples/4.hex"),
    include_str!("examples/5.hex"),
];

#[test]
fn the_other_examples_of_the_draft_verify_and_what_we_do_not_do_is_refused() {
    let trusted = draft_key();
    let examples = EXAMPLES.map(|text| bytes(&text.replace('\n', "")));
    let update = |example: &[u8], slot| {
        let verified = Envelope::split(example)?.verified(&trusted)?;
        verified.manifest()?.update(&draft_device(), slot)
    };
    let [severed, slots, loaded, two] = examples.each_ref();
    let found = update(severed, Some(1)).expect("an update");
    let uri = "http://example.com/very/long/path/to/file/file.bin";
    assert_eq!((found.sequence, found.size), (2, 34768));
    assert_eq!(found.sources[0].uri, uri);
    // A member that was taken out is the one that was signed.
    let mut changed = severed.clone();
    let last = changed.len() - 1;
    changed[last] ^= 1;
    assert_eq!(update(&changed, None), Err(Refusal::MemberDigest(23)));
    for (slot, size, uri) in [
        (0, 34768, "http://example.com/file1.bin"),
        (1, 76834, "http://example.com/file2.bin"),
    ] {
        let found = update(slots, Some(slot)).expect("an update");
        assert_eq!((found.sequence, found.size), (3, size));
        let uris: Vec<_> = found.sources.iter().map(|it| &*it.uri).collect();
        assert_eq!(uris, [uri]);
    }
    let several = Refusal::Unsupported("more than one component");
    for (example, components) in [(loaded, 3), (two, 2)] {
        assert_eq!(update(example, None), Err(several.clone()));
        let manifest = Envelope::split(example).and_then(|it| it.unverified());
        assert_eq!(manifest.expect("a manifest").components.len(), components);
    }
}

fn device() -> Identity {
    Identity::new("example.com", "sensor-rev-b")
}

struct Signed {
    bytes: Vec<u8>,
    trusted: Trusted,
}

fn signed(algorithm: Algorithm, numbering: Numbering, payload: Payload<'_>) -> Signed {
    let key = SigningKey::generate(algorithm).expect("randomness");
    let about = Description {
        image: b"firmware",
        version: "1.4.0+7",
        sequence: 7,
        identity: &device(),
        payload,
        deltas: &[],
    };
    Signed {
        bytes: sign(&about, &key, numbering).expect("randomness"),
        trusted: Trusted::new(vec![key.public().clone()]),
    }
}

fn judged(bytes: &[u8], trusted: &Trusted) -> Result<Update> {
    let verified = Envelope::split(bytes)?.verified(trusted)?;
    let update = verified.manifest()?.update(&device(), None)?;
    for source in &update.sources {
        if let Some(payload) = verified.envelope().payload(&source.uri) {
            let given = sha256(payload);
            if given != update.digest {
                let wanted = update.digest;
                return Err(Refusal::PayloadDigest { given, wanted });
            }
        } else if source.uri.starts_with('#') {
            return Err(Refusal::NoPayload(source.uri.clone()));
        }
    }
    Ok(update)
}

#[test]
fn what_is_signed_reads_back() {
    let uris = ["fw.bin".to_owned(), "coap://host/fw.bin".to_owned()];
    for algorithm in [Algorithm::Ed25519, Algorithm::P256] {
        for numbering in [Numbering::Classic, Numbering::FullySpecified] {
            for payload in [
                Payload::Embedded,
                Payload::Uris(&uris[..1]),
                Payload::Uris(&uris),
            ] {
                let it = signed(algorithm, numbering, payload);
                let update = judged(&it.bytes, &it.trusted).expect("an update");
                assert_eq!((update.sequence, update.size), (7, 8));
                assert_eq!(update.digest, sha256(b"firmware"));
                assert_eq!(update.version.as_deref(), Some("1.4.0+7"));
                let found: Vec<_> = update.sources.into_iter().map(|it| it.uri).collect();
                match payload {
                    Payload::Embedded => assert_eq!(found, ["#firmware"]),
                    Payload::Uris(uris) => assert_eq!(found, uris),
                }
            }
        }
    }
}

#[test]
fn no_bit_can_be_changed_and_no_byte_be_missing() {
    for algorithm in [Algorithm::Ed25519, Algorithm::P256] {
        let it = signed(algorithm, Numbering::Classic, Payload::Embedded);
        for end in 0..it.bytes.len() {
            let cut = judged(&it.bytes[..end], &it.trusted);
            assert!(cut.is_err(), "cut at {end}");
        }
        let longer = [&it.bytes[..], &[0]].concat();
        assert!(judged(&longer, &it.trusted).is_err());
        for bit in 0..it.bytes.len() * 8 {
            let mut changed = it.bytes.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert!(judged(&changed, &it.trusted).is_err(), "bit {bit}");
        }
    }
}

#[test]
fn each_refusal_has_its_words() {
    let uris = ["fw.bin".to_owned()];
    let it = signed(Algorithm::P256, Numbering::Classic, Payload::Uris(&uris));
    let other = signed(Algorithm::P256, Numbering::Classic, Payload::Uris(&uris));
    let ours = &it.trusted.keys()[0];
    let theirs = &other.trusted.keys()[0];
    let why = judged(&it.bytes, &other.trusted).unwrap_err().to_string();
    let said = format!("signed by key {ours}, which is not trusted; trusted: {theirs}");
    assert_eq!(why, said);

    let mut changed = it.bytes.clone();
    let last = changed.len() - 1;
    changed[last] ^= 1;
    assert_eq!(judged(&changed, &it.trusted), Err(Refusal::ManifestDigest));

    let envelope = Envelope::split(&it.bytes).expect("an envelope");
    let manifest = envelope.unverified().expect("a manifest");
    let of = |vendor, class| manifest.update(&Identity::new(vendor, class), None);
    let why = of("example.org", "sensor-rev-b").unwrap_err();
    assert!(matches!(why, Refusal::Vendor { .. }), "{why}");
    let why = of("example.com", "sensor-rev-a").unwrap_err();
    assert!(matches!(why, Refusal::Class { .. }), "{why}");
    assert_eq!(
        Envelope::split(b"").unwrap_err().to_string(),
        "malformed envelope: truncated item"
    );
}

/// A manifest of these commands, in an envelope that nobody has signed.
fn of_commands(shared: &str, install: &str) -> Vec<u8> {
    of_members(shared, &[(20, install)])
}

/// The same with other sequences, in ascending order.
fn of_members(shared: &str, sequences: &[(i64, &str)]) -> Vec<u8> {
    use super::super::cbor::Writer;
    let shared = bytes(shared);
    let mut manifest = Writer::default();
    manifest
        .map(3 + sequences.len() as u64)
        .int(1)
        .uint(1)
        .int(2)
        .uint(7)
        .int(3)
        .wrapped(|it| {
            it.map(2)
                .int(2)
                .array(1)
                .array(1)
                .bytes(&[0])
                .int(4)
                .bytes(&shared);
        });
    for (number, sequence) in sequences {
        manifest.int(*number).bytes(&bytes(sequence));
    }
    let manifest = manifest.take();
    let wrapped = Writer::default().bytes(&manifest).take();
    let digest = Writer::default()
        .array(2)
        .int(-16)
        .bytes(&sha256(&wrapped))
        .take();
    Writer::default()
        .tag(107)
        .map(2)
        .int(2)
        .wrapped(|it| {
            it.array(2).bytes(&digest).bytes(&[0]);
        })
        .int(3)
        .bytes(&manifest)
        .take()
}

fn read(shared: &str, install: &str) -> Result<Update> {
    let bytes = of_commands(shared, install);
    Envelope::split(&bytes)?
        .unverified()?
        .update(&draft_device(), Some(1))
}

/// Vendor and class of the draft, and its image.
const SHARED: &str = "8614a40150fa6b4a53d5ad5fdfbe9de663e4d41ffe02501492af1425695e48bf429b2d51f2ab45035824822f582000112233445566778899aabbccddeeff0123456789abcdeffedcba98765432100e1987d0010f020f";

#[test]
fn what_is_unknown_is_refused() {
    for (shared, install, wanted) in [
        (SHARED, "8218330f", Refusal::Command(51)),
        (SHARED, "82290f", Refusal::Command(-10)),
        (SHARED, "8214a1186301", Refusal::Parameter(99)),
        (
            SHARED,
            "80",
            Refusal::Missing("directive that fetches an image"),
        ),
        (SHARED, "821502", Refusal::Missing("URI to fetch")),
        ("80", "80", Refusal::Missing("condition on the vendor")),
        ("82010f", "80", Refusal::Missing("vendor id")),
        (
            SHARED,
            "821602",
            Refusal::Unsupported("copying between components"),
        ),
        (
            SHARED,
            "820c01",
            Refusal::Unsupported("more than one component"),
        ),
        (
            SHARED,
            "820c820001",
            Refusal::Unsupported("more than one component"),
        ),
        (
            SHARED,
            "82181f02",
            Refusal::Unsupported("swapping of components"),
        ),
        (SHARED, "820e0f", Refusal::NoAlternative),
        (SHARED, "820f80", Refusal::NoAlternative),
        (
            SHARED,
            "820f8144820e0f80",
            Refusal::malformed("command sequence", "x"),
        ),
    ] {
        let found = read(shared, install).unwrap_err();
        match wanted {
            Refusal::Malformed { what, .. } => {
                assert!(matches!(found, Refusal::Malformed { what: it, .. } if it == what));
            }
            wanted => assert_eq!(found, wanted, "{install}"),
        }
    }
}

#[test]
fn what_is_done_at_each_start_is_not_passed_over() {
    let install = "8414a1156161 1502".replace(' ', "");
    let of = |number, sequence: &str| {
        let mut members = vec![(number, sequence), (20, &*install)];
        members.sort_by_key(|(number, _)| *number);
        let bytes = of_members(SHARED, &members);
        let envelope = Envelope::split(&bytes)?;
        envelope.unverified()?.update(&draft_device(), None)
    };
    // Starting is what the boot loader does.
    assert!(of(9, "821702").is_ok());
    let copying = Refusal::Unsupported("copying between components");
    assert_eq!(of(8, "821602"), Err(copying.clone()));
    assert_eq!(of(9, "821602"), Err(copying));
    let fetching = Refusal::Unsupported("fetching at each start");
    assert_eq!(of(8, "821502"), Err(fetching));
}

#[test]
fn an_alternative_for_another_slot_is_passed_over() {
    // Slot 0 from "a", slot 1 from "b"; each 20 {5: slot}, 5, 20 {21: uri}, 21.
    let one = |slot: &str, uri: &str| format!("8814a105{slot}050f14a1156{uri}1502");
    let wrapped = |text: String| format!("{:02x}{text}", 0x40 + text.len() / 2);
    let both = format!(
        "820f82{}{}",
        wrapped(one("00", "161")),
        wrapped(one("01", "162"))
    );
    let update = read(SHARED, &both).expect("an update");
    let found: Vec<_> = update.sources.into_iter().map(|it| it.uri).collect();
    assert_eq!(found, ["b"]);
}

#[test]
fn a_patch_stands_before_the_image() {
    let key = SigningKey::generate(Algorithm::Ed25519).expect("randomness");
    let uris = ["fw.bin".to_owned()];
    let about = Description {
        image: b"firmware",
        version: "2",
        sequence: 8,
        identity: &device(),
        payload: Payload::Uris(&uris),
        deltas: &[DeltaOf {
            base: b"formware",
            patch: b"patch",
            uri: "fw.patch",
        }],
    };
    let bytes = sign(&about, &key, Numbering::Classic).expect("randomness");
    let trusted = Trusted::new(vec![key.public().clone()]);
    let update = judged(&bytes, &trusted).expect("an update");
    let patch = Patch {
        base: sha256(b"formware"),
        base_size: 8,
        size: 5,
        digest: sha256(b"patch"),
    };
    let source = |uri: &str, patch| Source {
        uri: uri.to_owned(),
        patch,
    };
    let wanted = [source("fw.patch", Some(patch)), source("fw.bin", None)];
    assert_eq!(update.sources, wanted);
}

#[test]
fn whatever_comes_does_not_panic() {
    let mut state = 1_u64;
    let mut next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 56) as u8
    };
    let whole = bytes(FETCHES);
    for _ in 0..20_000 {
        let mut changed = whole.clone();
        for _ in 0..1 + next() % 4 {
            let at = usize::from(next()) * changed.len() / 256;
            changed[at] = next();
        }
        if let Ok(envelope) = Envelope::split(&changed) {
            let _ = envelope.claims();
            let _ = envelope
                .unverified()
                .map(|it| it.update(&draft_device(), None));
        }
    }
}
