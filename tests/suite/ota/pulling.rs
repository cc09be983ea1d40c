//! Devices that fetch their updates over CoAP: from our server of files, and from aiocoap's.

use std::fs;

use iotctl::coap::code::Code;
use iotctl::coap::message::Message;
use iotctl::coap::option;

use super::Expect;
use super::Folder;
use super::updating::firmware;
use crate::support::aiocoap;
use crate::support::coap::{answer, scripted, server};
use crate::support::command::{Line, iotctl, signal};
use crate::support::wait_for;

const SIZE: usize = 300_000;

/// Keys, and an update in `updates`.
pub(super) fn made(words: &str) -> Folder {
    let folder = Folder::new();
    let key = folder.key("key", "p256");
    let file = folder.file("fw.bin", firmware(SIZE, 1));
    let words = format!("--version 1.1 {words}");
    folder.sign(&file, &key, &words).run().succeeded();
    folder
}

/// A device, with the URL of a manifest or without.
pub(super) fn agent(folder: &Folder, device: &str, uri: &str, words: &str) -> Line {
    let line = iotctl("ota agent --vendor example.com --class sensor-rev-b --device");
    let line = line.word(device).words(uri).word("--slots");
    let line = line.word(folder.path(device)).word("--trust");
    line.word(folder.public("key")).words(words)
}

#[test]
fn an_update_is_fetched_from_our_server_and_from_that_of_aiocoap() {
    let folder = made("");
    let updates = folder.path("updates").display().to_string();
    let ours = server(&format!("--directory {updates}"), &["coap", "coap+tcp"]);
    let theirs = aiocoap::fileserver(&folder.path("updates"));
    let roots = [&ours.uris[0], &ours.uris[1], &theirs.uri("coap", "")];
    for root in roots {
        let uri = format!("{}/fw-1.1.suit", root.trim_end_matches('/'));
        agent(&folder, "d1", &uri, "--once").run().succeeded();
        assert_eq!(
            fs::read(folder.path("d1").join("b")).unwrap(),
            firmware(SIZE, 1)
        );
        fs::remove_dir_all(folder.path("d1")).unwrap();
    }
}

#[test]
fn a_fetch_goes_on_after_a_crash() {
    let folder = made("");
    let updates = folder.path("updates").display().to_string();
    let slow = server(
        &format!("--directory {updates} --fault delay:by=2ms"),
        &["coap"],
    );
    let uri = format!("{}/fw-1.1.suit", slow.uris[0].trim_end_matches('/'));
    let words = "--block-size 512";
    let device = agent(&folder, "d1", &uri, words).start();
    let left = folder.path("d1").join("download");
    wait_for("a download", || fs::metadata(&left).ok());
    signal(device.id(), "KILL");
    drop(device);
    agent(&folder, "d1", &uri, &format!("{words} --once"))
        .run()
        .succeeded();
    assert_eq!(
        fs::read(folder.path("d1").join("b")).unwrap(),
        firmware(SIZE, 1)
    );
}

#[test]
fn what_cannot_be_fetched_is_said() {
    let folder = made("--uri none.bin");
    let updates = folder.path("updates").display().to_string();
    let ours = server(&format!("--directory {updates}"), &["coap"]);
    let root = ours.uris[0].trim_end_matches('/');
    let why = agent(&folder, "d1", &format!("{root}/none.suit"), "--once").run();
    assert!(why.stderr.contains("4.04"), "{}", why.stderr);
    why.failed(1);
    let why = agent(&folder, "d1", &format!("{root}/fw-1.1.suit"), "--once").run();
    assert!(why.stderr.contains("none.bin: 4.04"), "{}", why.stderr);
    why.failed(1);
    // The image has other bytes than the manifest says.
    let folder = made("");
    let updates = folder.path("updates");
    let image = updates.join("fw-1.1.bin");
    fs::write(&image, vec![1; SIZE]).unwrap();
    let ours = server(&format!("--directory {}", updates.display()), &["coap"]);
    let uri = format!("{}/fw-1.1.suit", ours.uris[0].trim_end_matches('/'));
    let why = agent(&folder, "d1", &uri, "--once").run();
    assert!(
        why.stderr.contains("the payload has the SHA-256"),
        "{}",
        why.stderr
    );
    why.failed(1);
}

#[test]
fn an_image_that_is_nowhere_is_given_up_and_the_next_manifest_is_taken() {
    let folder = made("--uri none.bin");
    let updates = folder.path("updates").display().to_string();
    let ours = server(&format!("--directory {updates}"), &["coap"]);
    let uri = format!("{}/fw-1.1.suit", ours.uris[0].trim_end_matches('/'));
    let words = "--poll 200ms --timeout 300ms";
    let mut device = agent(&folder, "d1", &uri, words).start();
    let why = device.hears("iotctl: failed: version 1.1, sequence 1: ");
    assert!(why.ends_with("/none.bin: 4.04 Not Found"), "{why}");
    fs::write(folder.path("updates/none.bin"), firmware(SIZE, 1)).unwrap();
    device.hears("iotctl: updated: version 1.1");
}

#[test]
fn an_image_in_the_envelope_may_be_as_large_as_a_slot() {
    let folder = made("--embed");
    let updates = folder.path("updates").display().to_string();
    let ours = server(&format!("--directory {updates}"), &["coap"]);
    let uri = format!("{}/fw-1.1.suit", ours.uris[0].trim_end_matches('/'));
    let why = agent(&folder, "d1", &uri, "--once --slot-size 200000").run();
    // A slot, and 64 KiB for the manifest.
    let wanted = "fw-1.1.suit: it has more than 265536 bytes, the most that is taken\n";
    assert!(why.stderr.ends_with(wanted), "{}", why.stderr);
    why.failed(1);
    agent(&folder, "d1", &uri, "--once").run().succeeded();
    assert_eq!(
        fs::read(folder.path("d1").join("b")).unwrap(),
        firmware(SIZE, 1)
    );
}

#[test]
fn a_manifest_that_is_installed_is_not_fetched_again() {
    let folder = Folder::new();
    let key = folder.key("key", "p256");
    let file = folder.file("fw.bin", firmware(100, 1));
    let words = "--version 1.1 --embed";
    folder.sign(&file, &key, words).run().succeeded();
    let envelope = folder.read("updates/fw-1.1.suit");
    assert!(envelope.len() <= 1024);
    let has_it = |request: &Message| request.options.contains(option::ETAG);
    let peer = scripted(move |request, _| {
        let mut reply = match has_it(request) {
            true => answer(request, Code::VALID, ""),
            false => answer(request, Code::CONTENT, &envelope),
        };
        reply.options.push(option::ETAG, b"1".as_slice());
        vec![reply]
    });
    let uri = peer.uri("/fw.suit");
    let mut device = agent(&folder, "d1", &uri, "--poll 10ms").start();
    device.hears("iotctl: updated");
    // The first one after the update shows that it is what runs.
    let requests = std::iter::repeat_with(|| has_it(&peer.request()));
    let first = requests.take(100).position(|has_it| has_it);
    assert!(first.is_some_and(|at| at >= 2), "{first:?}");
    assert!((0..10).all(|_| has_it(&peer.request())));
}
