//! Patches: others apply ours and we apply theirs, and devices are updated by them.

use std::fs;
use std::path::{Path, PathBuf};

use super::updating::{Site, firmware, site};
use super::{Expect, Folder, python};
use crate::support::aiocoap;
use crate::support::command::{Line, iotctl, program, signal};

/// An image, and the next one: bytes changed here and there, some put in, some taken out.
fn pair() -> (Vec<u8>, Vec<u8>) {
    let mut state = 1_u64;
    let mut next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 33) as u8
    };
    let old: Vec<u8> = (0..300_000).map(|_| next()).collect();
    let mut new = old.clone();
    (0..new.len()).step_by(3001).for_each(|at| new[at] ^= 0x55);
    new.splice(90_000..90_007, (0..2000).map(|_| next()));
    new.drain(200_000..201_234);
    (old, new)
}

fn delta(old: &Path, new: &Path, out: &Path) -> Line {
    iotctl("ota delta").word(old).word(new).word("-o").word(out)
}

#[test]
fn others_apply_our_patches_and_we_apply_theirs() {
    let folder = Folder::new();
    let (old, new) = pair();
    let [patch, made] = ["patch", "made"].map(|name| folder.path(name));
    for (old, new) in [
        (&old, &new),
        (&new, &old),
        (&old, &old),
        (&old, &vec![0; 70_000]),
    ] {
        let old = folder.file("old", old);
        let new = folder.file("new", new);
        let said = delta(&old, &new, &patch).run().succeeded();
        let size = fs::metadata(&patch).unwrap().len();
        assert!(
            said.contains(&format!(": {size} bytes for an image of ")),
            "{said}"
        );
        assert!(size < 8_000, "{size}");
        // Debian's bspatch, and bsdiff4 for Python.
        program("bspatch", "")
            .word(&old)
            .word(&made)
            .word(&patch)
            .run()
            .succeeded();
        assert!(fs::read(&made).unwrap() == fs::read(&new).unwrap());
        let script = "import bsdiff4, sys; bsdiff4.file_patch(*sys.argv[1:])";
        python(script)
            .word(&old)
            .word(&made)
            .word(&patch)
            .run()
            .succeeded();
        assert!(fs::read(&made).unwrap() == fs::read(&new).unwrap());
        // And what they make.
        let script = "import bsdiff4, sys; bsdiff4.file_diff(*sys.argv[1:])";
        python(script)
            .word(&old)
            .word(&new)
            .word(&patch)
            .run()
            .succeeded();
        delta(&old, &patch, &made).word("--apply").run().succeeded();
        assert!(fs::read(&made).unwrap() == fs::read(&new).unwrap());
        program("bsdiff", "")
            .word(&old)
            .word(&new)
            .word(&patch)
            .run()
            .succeeded();
        delta(&old, &patch, &made).word("--apply").run().succeeded();
        assert!(fs::read(&made).unwrap() == fs::read(&new).unwrap());
    }
}

#[test]
fn a_patch_that_is_damaged_or_lies_is_refused() {
    let folder = Folder::new();
    let (old, new) = pair();
    let (old, new) = (folder.file("old", old), folder.file("new", new));
    let [patch, made] = ["patch", "made"].map(|name| folder.path(name));
    delta(&old, &new, &patch).run().succeeded();
    let good = fs::read(&patch).unwrap();
    let refused = |at: usize, bytes: &[u8]| {
        let mut bad = good.clone();
        bad[at..at + bytes.len()].copy_from_slice(bytes);
        let bad = folder.file("bad", bad);
        delta(&old, &bad, &made).word("--apply").run().failed(1)
    };
    let huge = (i64::MAX as u64).to_le_bytes();
    for (at, bytes, why) in [
        (0, &b"BSDIFF41"[..], "it is no patch in the format BSDIFF40"),
        (8, &huge, "its header says that it is longer than it is"),
        (16, &huge, "its header says that it is longer than it is"),
        (24, &huge, "it makes an image of 9223372036854775807 bytes"),
        (
            24,
            &[0xFF, 0xFF, 0xFF, 0x3F],
            "it ends before the image is whole",
        ),
        (36, &[0], ""),
    ] {
        let said = refused(at, bytes);
        assert!(said.contains("/bad: "), "{said}");
        assert!(said.contains(why), "{said}");
    }
    assert!(!made.exists());
    let cut = folder.file("cut", &good[..good.len() / 2]);
    delta(&old, &cut, &made).word("--apply").run().failed(1);
    delta(&old, &folder.path("none"), &made).run().failed(8);
}

/// Signs the next image with a patch from the one that devices have.
fn sign_delta(site: &Site, old: &[u8], new: &[u8], sequence: u8) -> PathBuf {
    let old = site.folder.file("old.bin", old);
    let file = site.folder.file("fw.bin", new);
    let words = format!("--version 1.{sequence} --sequence {sequence} --output json");
    let line = site.folder.sign(&file, &site.key, &words);
    let line = line.words("--delta-from").word(old);
    let said: serde_json::Value = serde_json::from_str(&line.run().succeeded()).unwrap();
    PathBuf::from(said["patches"][0]["file"].as_str().unwrap())
}

#[test]
fn a_device_is_updated_by_a_patch() {
    let site = site(10);
    let (old, new) = pair();
    let patch = sign_delta(&site, &old, &new, 2);
    assert!(fs::metadata(&patch).unwrap().len() < 8_000);
    let said = iotctl("ota inspect").word(site.folder.path("updates/fw-1.2.suit"));
    assert!(said.run().succeeded().contains("set patch of "));
    // The patch is all that is there to be fetched.
    fs::remove_file(site.folder.path("updates/fw-1.2.bin")).unwrap();
    let mut server = site.serve("");
    site.publish("--to all").run().succeeded();
    let agent = |words: &str| site.agent("d1", words);
    agent("");
    fs::write(site.folder.path("d1/a"), &old).unwrap();
    agent("--once --block-size 512").run().succeeded();
    assert!(site.image("d1", "b") == new);
    assert!(!site.folder.path("d1/patch").exists());
    // From what has proved itself to the next, which is smaller.
    let third = &new[..100_000];
    sign_delta(&site, &new, third, 3);
    fs::remove_file(site.folder.path("updates/fw-1.3.bin")).unwrap();
    site.publish("--to all").run().succeeded();
    agent("--once").run().succeeded();
    assert!(site.image("d1", "a") == third);
    signal(server.id(), "TERM");
    server.hears("sent");
}

#[test]
fn a_device_with_another_image_fetches_the_whole_one() {
    let site = site(10);
    let (old, new) = pair();
    let patch = sign_delta(&site, &old, &new, 2);
    let _server = site.serve("");
    site.publish("--to all").run().succeeded();
    // Another image in its slot, and a shorter one.
    for (device, image) in [("d1", &new[..]), ("d2", b"short")] {
        site.agent(device, "");
        fs::write(site.folder.path(device).join("a"), image).unwrap();
        let said = site.agent(device, "--once").run();
        let why = "downloading: version 1.2, sequence 2, 0 %: the patch was not used: it is for the image ";
        assert!(said.stderr.contains(why), "{}", said.stderr);
        said.succeeded();
        assert!(site.image(device, "b") == new);
    }
    // A patch that is not the one that was signed, and a file that is no image.
    let mut other = fs::read(&patch).unwrap();
    let last = other.len() - 1;
    other[last] ^= 1;
    let length = other.len();
    drop(site.agent("d3", ""));
    fs::write(site.folder.path("d3/a"), &old).unwrap();
    fs::write(site.folder.path("d3/patch"), &other).unwrap();
    let blocks = length.div_ceil(4096);
    assert!(blocks <= 8);
    // As if it had come.
    let digest = ring::digest::digest(&ring::digest::SHA256, &fs::read(&patch).unwrap());
    let mut left = vec![2];
    left.extend(digest.as_ref());
    left.extend((length as u64).to_be_bytes());
    left.extend(4096_u32.to_be_bytes());
    left.push(0xFF << (8 - blocks));
    fs::write(site.folder.path("d3/download"), left).unwrap();
    let said = site.agent("d3", "--once").run();
    assert!(
        said.stderr
            .contains("the patch was not used: the payload has the SHA-256"),
        "{}",
        said.stderr
    );
    said.succeeded();
    assert!(site.image("d3", "b") == new);
}

#[test]
fn a_patch_is_fetched_over_coap_and_the_image_where_there_is_none() {
    let folder = Folder::new();
    let key = folder.key("key", "p256");
    let (old, new) = pair();
    let (before, file) = (folder.file("old.bin", &old), folder.file("fw.bin", &new));
    let line = folder.sign(&file, &key, "--version 1.1 --output json");
    let line = line.words("--delta-from").word(before);
    let said: serde_json::Value = serde_json::from_str(&line.run().succeeded()).unwrap();
    let (patch, image) = (
        said["patches"][0]["file"].as_str().unwrap(),
        folder.path("updates/fw-1.1.bin"),
    );
    let server = aiocoap::fileserver(&folder.path("updates"));
    let uri = format!(
        "{}/fw-1.1.suit",
        server.uri("coap", "").trim_end_matches('/')
    );
    let agent = |device: &str| {
        let slots = folder.path(device);
        fs::create_dir_all(&slots).unwrap();
        fs::write(slots.join("a"), &old).unwrap();
        let line = iotctl("ota agent --once --vendor example.com --class sensor-rev-b --device")
            .word(device);
        line.word(&uri)
            .word("--slots")
            .word(slots)
            .word("--trust")
            .word(folder.public("key"))
            .run()
    };
    let away = folder.path("away");
    fs::rename(&image, &away).unwrap();
    agent("d1").succeeded();
    assert!(fs::read(folder.path("d1/b")).unwrap() == new);
    fs::rename(&away, &image).unwrap();
    fs::remove_file(patch).unwrap();
    let said = agent("d2");
    assert!(
        said.stderr.contains("the patch was not used: "),
        "{}",
        said.stderr
    );
    assert!(said.stderr.contains("4.04"), "{}", said.stderr);
    said.succeeded();
    assert!(fs::read(folder.path("d2/b")).unwrap() == new);
}

#[test]
fn a_patch_that_would_save_nothing_is_left_out() {
    let folder = Folder::new();
    let key = folder.key("key", "ed25519");
    let (old, _) = pair();
    let (old, new) = (
        folder.file("old.bin", &old[..5000]),
        folder.file("fw.bin", &old[5000..6000]),
    );
    let signed = folder
        .sign(&new, &key, "--version 1.1")
        .words("--delta-from")
        .word(old)
        .run();
    assert!(
        signed.stderr.contains("and is left out"),
        "{}",
        signed.stderr
    );
    assert!(!signed.succeeded().contains("patch "));
    let update = folder.sign(
        &folder.file("a.bin", firmware(10, 1)),
        &key,
        "--version 1 --embed",
    );
    update.words("--delta-from").word(&new).run().failed(2);
}
