//! Keys, manifests and images, against imgtool, openssl, pycose and taylor.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::Value;

use super::{Expect, Folder, python};
use crate::support::command::{Line, iotctl, program};

const FIRMWARE: &[u8] = b"firmware of a sensor, in forty-eight bytes, or so";
const MANIFEST: &str = "updates/fw-1.4.0+7.suit";
const IMAGE: &str = "updates/fw-1.4.0+7.bin";

fn verify(file: &Path, trust: &Path) -> Line {
    iotctl("ota verify").word(file).word("--trust").word(trust)
}

#[test]
fn a_key_is_private_and_never_overwritten() {
    let folder = Folder::new();
    for kind in ["ed25519", "p256"] {
        let key = folder.key(kind, kind);
        let mode = std::fs::metadata(&key).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let why = iotctl("ota keygen").word(&key).run().failed(2);
        assert_eq!(why, format!("iotctl: {} exists", key.display()));
        // openssl makes the same public key of it.
        let public = program("openssl", "pkey -pubout -in").word(&key).run();
        assert_eq!(
            public.succeeded().into_bytes(),
            folder.read(&format!("{kind}.pub.pem"))
        );
    }
}

#[test]
fn imgtool_verifies_our_images() {
    let folder = Folder::new();
    let firmware = folder.file("fw.bin", FIRMWARE);
    for kind in ["ed25519", "p256"] {
        let key = folder.key(kind, kind);
        for words in [
            "",
            "--counter auto --header-size 512",
            "--slot-size 64KiB --counter 9",
        ] {
            let words = format!("--version 1.4.0+7 --mcuboot --force {words}");
            folder.sign(&firmware, &key, &words).run().succeeded();
            let checked = program("imgtool", "verify -k").word(&key);
            let said = checked.word(folder.path(IMAGE)).run().succeeded();
            assert!(said.contains("Image was correctly validated"), "{said}");
            assert!(said.contains("Image version: 1.4.0+7"), "{said}");
            let dump = program("imgtool", "dumpinfo").word(folder.path(IMAGE));
            dump.run().succeeded();
            let trust = folder.public(kind);
            verify(&folder.path(IMAGE), &trust).run().succeeded();
            // What an image does not say is not judged.
            let image = verify(&folder.path(IMAGE), &trust);
            let why = image.words("--vendor example.org --class none").run();
            let wanted = "iotctl: --vendor and --class are for a manifest";
            assert_eq!(why.failed(2), wanted);
            let whole = verify(&folder.path(MANIFEST), &trust).word("--payload");
            whole.word(folder.path(IMAGE)).run().succeeded();
        }
    }
}

#[test]
fn we_verify_images_of_imgtool() {
    let folder = Folder::new();
    let firmware = folder.file("fw.bin", FIRMWARE);
    let image = folder.path("image.bin");
    for (kind, name) in [("ed25519", "ed25519"), ("ecdsa-p256", "p256")] {
        let (key, public) = (
            folder.path(&format!("{name}.i.pem")),
            folder.path(&format!("{name}.i.pub")),
        );
        program("imgtool", "keygen -t")
            .word(kind)
            .word("-k")
            .word(&key)
            .run()
            .succeeded();
        let got = program("imgtool", "getpub -e pem -k")
            .word(&key)
            .word("-o")
            .word(&public);
        got.run().succeeded();
        for words in [
            "",
            "--security-counter 5",
            "--security-counter auto --pad",
            "--public-key-format full",
            "--custom-tlv 0x00a0 0xabcd --pad-sig",
        ] {
            let signed = program(
                "imgtool",
                "sign --align 8 --version 2.0.1+3 -H 32 --pad-header -S 0x10000",
            );
            let signed = signed
                .word("-k")
                .word(&key)
                .words(words)
                .word(&firmware)
                .word(&image);
            signed.run().succeeded();
            let said = verify(&image, &public).run().succeeded();
            assert!(said.contains("version 2.0.1+3"), "{said}");
            let shown = iotctl("ota inspect --output json")
                .word(&image)
                .run()
                .succeeded();
            let shown: Value = serde_json::from_str(&shown).unwrap();
            let counter = match words.split(' ').nth(1) {
                Some("5") => Value::from(5),
                Some("auto") => Value::from(0x0200_0001),
                _ => Value::Null,
            };
            assert_eq!(shown["counter"], counter, "{words}");
        }
        // Its keys sign ours.
        folder
            .sign(&firmware, &key, "--version 1.4.0+7 --force")
            .run()
            .succeeded();
        verify(&folder.path(MANIFEST), &public).run().succeeded();
    }
}

/// Verifies the COSE_Sign1 of an envelope with a key in PEM, in the way of RFC 9052 with the digest as detached payload.
const PYCOSE: &str = r#"
import sys, hashlib, cbor2
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pycose.messages import Sign1Message
from pycose.keys import OKPKey, EC2Key

raw = open(sys.argv[1], 'rb').read()
envelope = cbor2.loads(raw)
assert envelope.tag == 107
digest, signature = cbor2.loads(envelope.value[2])
manifest = envelope.value[3]
assert cbor2.loads(digest) == [-16, hashlib.sha256(cbor2.dumps(manifest)).digest()]
key = load_pem_public_key(open(sys.argv[2], 'rb').read())
if isinstance(key, Ed25519PublicKey):
    cose = OKPKey(crv='Ed25519', x=key.public_bytes(Encoding.Raw, PublicFormat.Raw))
else:
    numbers = key.public_numbers()
    cose = EC2Key(crv='P_256', x=numbers.x.to_bytes(32, 'big'), y=numbers.y.to_bytes(32, 'big'))
message = Sign1Message.decode(signature)
message.key = cose
assert message.verify_signature(detached_payload=digest)
print(cbor2.loads(manifest)[2])
"#;

#[test]
fn pycose_verifies_our_manifests() {
    let folder = Folder::new();
    let firmware = folder.file("fw.bin", FIRMWARE);
    for kind in ["ed25519", "p256"] {
        let key = folder.key(kind, kind);
        for words in ["", "--embed", "--uri coap://a/fw.bin --uri fw.bin"] {
            let words =
                format!("--version 1.4.0+7 --force --sequence 18446744073709551615 {words}");
            folder.sign(&firmware, &key, &words).run().succeeded();
            let said = python(PYCOSE)
                .word(folder.path(MANIFEST))
                .word(folder.public(kind));
            assert_eq!(said.run().succeeded(), "18446744073709551615\n");
        }
    }
}

#[test]
fn we_verify_what_taylor_signs() {
    let folder = Folder::new();
    let key = folder.key("key", "p256");
    let text = folder.file("manifest.json", r#"{"version":1,"sequence-number":3,"suit-common":{"suit-components":[["00"]],"suit-shared-sequence":[]}}"#);
    let out = folder.path("taylor");
    let made = program("taylor", "")
        .word(&text)
        .word("--key")
        .word(&key)
        .word("-o")
        .word(&out);
    made.run().succeeded();
    let out = out.join("manifest.cbor");
    // Its signature is good; it is for no device, and so is refused for that reason only.
    let why = verify(&out, &folder.public("key")).run().failed(1);
    assert!(why.ends_with(": the manifest has no vendor id"), "{why}");
    folder.key("other", "p256");
    let why = verify(&out, &folder.public("other")).run().failed(1);
    assert!(why.contains("signed by none of the trusted keys"), "{why}");
    let shown = iotctl("ota inspect").word(&out).run().succeeded();
    assert!(shown.contains("sequence  3"), "{shown}");
}

#[test]
fn keys_of_openssl_sign_and_others_are_named() {
    let folder = Folder::new();
    let firmware = folder.file("fw.bin", FIRMWARE);
    let key = folder.path("openssl.pem");
    let public = folder.path("openssl.pub");
    for words in [
        "genpkey -algorithm ed25519",
        "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256",
    ] {
        program("openssl", words)
            .word("-out")
            .word(&key)
            .run()
            .succeeded();
        let made = program("openssl", "pkey -pubout -in")
            .word(&key)
            .word("-out")
            .word(&public);
        made.run().succeeded();
        folder
            .sign(&firmware, &key, "--version 1.4.0+7 --force")
            .run()
            .succeeded();
        verify(&folder.path(MANIFEST), &public).run().succeeded();
    }
    for (words, wanted) in [
        (
            "ecparam -name prime256v1 -genkey -noout",
            "is not in PKCS#8 format",
        ),
        (
            "genpkey -algorithm RSA",
            "is of a type that is not supported",
        ),
        (
            "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384",
            "is of a type that is not supported",
        ),
        (
            "genpkey -algorithm ed448",
            "is of a type that is not supported",
        ),
    ] {
        program("openssl", words)
            .word("-out")
            .word(&key)
            .run()
            .succeeded();
        let why = folder.sign(&firmware, &key, "--version 1").run().failed(2);
        assert!(why.ends_with(wanted), "{words}: {why}");
    }
}

#[test]
fn an_encrypted_key_signs_with_its_password() {
    let folder = Folder::new();
    let firmware = folder.file("fw.bin", FIRMWARE);
    let key = folder.key("key", "ed25519");
    let (locked, password) = (
        folder.path("locked.pem"),
        folder.file("password", "secret\n"),
    );
    let made = program(
        "openssl",
        "pkcs8 -topk8 -v2 aes-256-cbc -passout pass:secret -in",
    )
    .word(&key);
    made.word("-out").word(&locked).run().succeeded();
    let signed = folder
        .sign(&firmware, &locked, "--version 1.4.0+7")
        .word("--key-password-file");
    signed.word(&password).run().succeeded();
    verify(&folder.path(MANIFEST), &folder.public("key"))
        .run()
        .succeeded();
}

#[test]
fn a_key_that_others_can_read_is_warned_of() {
    let folder = Folder::new();
    let firmware = folder.file("fw.bin", FIRMWARE);
    let key = folder.key("key", "ed25519");
    std::fs::set_permissions(&key, PermissionsExt::from_mode(0o644)).unwrap();
    let signed = folder.sign(&firmware, &key, "--version 1.4.0+7").run();
    assert!(
        signed.stderr.contains("can be read by other users"),
        "{}",
        signed.stderr
    );
    signed.succeeded();
}

#[test]
fn each_refusal_has_its_words() {
    let folder = Folder::new();
    let firmware = folder.file("fw.bin", FIRMWARE);
    let key = folder.key("key", "ed25519");
    folder.key("other", "ed25519");
    folder
        .sign(&firmware, &key, "--version 1.4.0+7")
        .run()
        .succeeded();
    let manifest = folder.path(MANIFEST);
    let (ours, theirs) = (folder.public("key"), folder.public("other"));

    let why = verify(&manifest, &theirs).run().failed(1);
    assert!(why.contains("which is not trusted; trusted: "), "{why}");
    let both = verify(&manifest, &theirs).word("--trust").word(&ours);
    both.run().succeeded();
    let why = verify(&manifest, &ours)
        .words("--vendor example.com --class sensor-rev-a")
        .run();
    let why = why.failed(1);
    assert!(why.contains(": for class 4241f5c9-"), "{why}");
    assert!(why.ends_with("(sensor-rev-a)"), "{why}");
    let why = verify(&manifest, &ours)
        .words("--vendor example.org --class sensor-rev-b")
        .run();
    assert!(why.failed(1).contains(": for vendor cfbff0d1-"));
    let other = folder.file("other.bin", vec![0; FIRMWARE.len()]);
    let why = verify(&manifest, &ours)
        .word("--payload")
        .word(&other)
        .run()
        .failed(1);
    assert!(why.contains("the payload has the SHA-256"), "{why}");
    let why = verify(&manifest, &ours)
        .word("--payload")
        .word(&ours)
        .run()
        .failed(1);
    assert!(why.contains("bytes, the manifest says 49"), "{why}");
    let why = verify(&firmware, &ours).run().failed(1);
    assert!(
        why.ends_with("neither a SUIT envelope nor an MCUboot image"),
        "{why}"
    );
    let why = verify(&manifest, &key).run().failed(2);
    assert!(why.contains("it holds a private key"), "{why}");
    verify(&folder.path("none"), &ours).run().failed(8);

    let mut changed = folder.read(MANIFEST);
    *changed.last_mut().unwrap() ^= 1;
    let changed = folder.file("changed.suit", changed);
    let why = verify(&changed, &ours).run().failed(1);
    assert!(why.contains("changed after it was signed"), "{why}");
    iotctl("ota inspect").word(&changed).run().failed(1);
}

#[cfg(not(feature = "delta"))]
#[test]
fn a_build_without_patches_says_so() {
    let folder = Folder::new();
    let firmware = folder.file("fw.bin", FIRMWARE);
    let key = folder.key("key", "ed25519");
    let line = iotctl("ota delta").word(&firmware).word(&firmware);
    let why = line.word("-o").word(folder.path("patch")).run().failed(2);
    assert_eq!(
        why,
        "iotctl: this iotctl was built without patches (feature delta)"
    );
    let line = folder
        .sign(&firmware, &key, "--version 1")
        .words("--delta-from")
        .word(&firmware);
    assert!(line.run().failed(2).contains("(feature delta)"));
}

/// The key of the draft's examples.
const DRAFT_KEY: &str = "-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEhJaBGq4LqqvSYVcYnuzaJr6qi/Eb
bz/m4rVlnIXbwK07HypLbAmBMcCjbazR14vTgdzfsJwFLbM5kdtzOLSolg==
-----END PUBLIC KEY-----
";

#[test]
fn the_examples_of_the_draft_are_shown_and_judged() {
    let folder = Folder::new();
    let key = folder.file("draft.pub.pem", DRAFT_KEY);
    let several = "the manifest needs more than one component, which is not supported";
    for (number, text, shown, refused) in [
        (
            2,
            include_str!("../../../src/firmware/suit/examples/2.hex"),
            &[
                "reference https://git.io/JJYoj",
                "invoke    directive-invoke",
            ][..],
            None,
        ),
        (
            3,
            include_str!("../../../src/firmware/suit/examples/3.hex"),
            &[
                "  condition-component-slot",
                "  set uri http://example.com/file2.bin",
            ],
            None,
        ),
        (
            4,
            include_str!("../../../src/firmware/suit/examples/4.hex"),
            &["component 00", "  set source-component 0", "directive-copy"],
            Some(several),
        ),
        (
            5,
            include_str!("../../../src/firmware/suit/examples/5.hex"),
            &[
                "set-component-index 1",
                "set uri http://example.com/file2.bin",
            ],
            Some(several),
        ),
    ] {
        let text = text.replace('\n', "");
        let bytes = data_encoding::HEXLOWER.decode(text.as_bytes()).unwrap();
        let file = folder.file(&format!("{number}.suit"), bytes);
        let said = iotctl("ota inspect").word(&file).run().succeeded();
        assert!(said.contains(&format!("sequence  {number}\n")), "{said}");
        for shown in shown {
            assert!(said.contains(shown.trim_start()), "{shown} in {said}");
        }
        let judged = verify(&file, &key)
            .words("--vendor arm.com --class suit")
            .run();
        match refused {
            Some(why) => assert!(judged.failed(1).ends_with(why)),
            None => assert!(judged.succeeded().contains(&format!("sequence {number}"))),
        }
    }
}

#[test]
fn sequences_go_up_by_themselves() {
    let folder = Folder::new();
    let firmware = folder.file("fw.bin", FIRMWARE);
    let key = folder.key("key", "ed25519");
    for wanted in 1..=3 {
        let words = format!("--version 1.{wanted} --output json");
        let ended = folder.sign(&firmware, &key, &words).run();
        let noted = ended
            .stderr
            .contains("/updates yet: --sequence auto takes 1\n");
        assert_eq!(noted, wanted == 1, "{}", ended.stderr);
        let said: Value = serde_json::from_str(&ended.succeeded()).unwrap();
        assert_eq!(said["sequence"], wanted);
    }
    // What is there of the same version is not replaced by something else.
    let again = folder.sign(&firmware, &key, "--version 1.3 --sequence 3");
    again.run().succeeded();
    let why = folder
        .sign(&firmware, &key, "--version 1.3")
        .run()
        .failed(2);
    assert!(why.contains("exists, and has other contents"), "{why}");
    let other = folder.sign(&firmware, &key, "--version 1.3 --force");
    other.run().succeeded();
    let empty = folder.file("empty.bin", "");
    folder.sign(&empty, &key, "--version 1").run().failed(2);
    let why = folder.sign(
        &firmware,
        &key,
        "--version 1.4.0+8 --mcuboot --slot-size 1KiB",
    );
    let why = why.run().failed(2);
    assert!(why.contains("the slot has 1024"), "{why}");
}
