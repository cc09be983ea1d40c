//! Devices that fetch their updates over CoAP: from our server of files, and from aiocoap's.

use std::fs;

use iotctl::coap::code::Code;
use iotctl::coap::message::Message;
use iotctl::coap::option;

use super::Expect;
use super::Folder;
use super::updating::{firmware, site};
use crate::support::coap::{answer, scripted, server};
use crate::support::command::{Line, Running, iotctl, signal};
use crate::support::{aiocoap, libcoap, wait_for};

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

/// `ota serve --coap`, and the URL of its directory.
pub(super) fn serving(folder: &Folder, words: &str) -> (Running, String) {
    let line = iotctl("ota serve --coap 127.0.0.1:0").word(folder.path("updates"));
    let mut running = line.words(words).start();
    let said = running.hears(" on coap://");
    let (_, root) = said.split_once(" on ").unwrap();
    (running, root.trim().to_owned())
}

#[test]
fn a_directory_is_served_over_coap_to_clients_of_all_kinds() {
    let folder = made("");
    let (served, root) = serving(&folder, "");
    let manifest = folder.read("updates/fw-1.1.suit");
    let kept = folder.path("kept");
    let words = format!("-o {} {root}/fw-1.1.bin", kept.display());
    libcoap::asked(&words);
    assert_eq!(fs::read(&kept).unwrap(), firmware(SIZE, 1));
    let links = libcoap::asked(&format!("{root}/.well-known/core"));
    assert!(links.contains("</>;ct=40"), "{links}");
    let links = libcoap::asked(&format!("{root}/"));
    assert!(links.contains("</fw-1.1.suit>"), "{links}");
    let script = r#"
import asyncio, sys
from aiocoap import Context, Message, GET
async def main():
    context = await Context.create_client_context()
    response = await context.request(Message(code=GET, uri=sys.argv[1])).response
    assert response.opt.etag and response.opt.size2, response.opt
    sys.stdout.buffer.write(response.payload)
asyncio.run(main())
"#;
    let fetched = aiocoap::python(script).word(format!("{root}/fw-1.1.bin"));
    let fetched = fetched.run();
    assert_eq!(fetched.code, 0, "{}", fetched.stderr);
    assert_eq!(fetched.stdout, firmware(SIZE, 1));
    // Nothing can be put there, and what is not there is not found.
    let put = libcoap::asked(&format!("-m put -e x {root}/fw-1.1.suit"));
    assert!(put.contains("4.05"), "{put}");
    assert_eq!(folder.read("updates/fw-1.1.suit"), manifest);
    let uri = format!("{root}/fw-1.1.suit");
    agent(&folder, "d1", &uri, "--once").run().succeeded();
    assert_eq!(
        fs::read(folder.path("d1").join("b")).unwrap(),
        firmware(SIZE, 1)
    );
    served.signal("TERM");
    served.ends().exits(0);
}

#[test]
fn a_directory_is_served_over_coap_and_mqtt_at_the_same_time() {
    let site = site(20_000);
    let (mut served, root) = serving(&site.folder, &site.url());
    served.hears("iotctl: serving 1 image over ");
    site.publish("--to all").run().succeeded();
    site.agent("d1", "--once").run().succeeded();
    let uri = format!("{root}/fw-1.1.suit");
    agent(&site.folder, "d2", &uri, "--once").run().succeeded();
    assert_eq!(site.image("d1", "b"), site.image("d2", "b"));
    served.signal("INT");
    served.hears("blocks sent");
    served.ends().exits(0);
}

#[test]
fn what_cannot_be_served_over_coap_is_said() {
    let folder = Folder::new();
    let why = iotctl("ota serve --coap 127.0.0.1:0")
        .word(folder.path("none"))
        .run();
    assert!(why.failed(8).contains("cannot read "));
    let taken = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let at = taken.local_addr().unwrap().to_string();
    let why = iotctl("ota serve --coap").word(at).word(folder.path("."));
    assert!(why.run().failed(8).contains("cannot listen on "));
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
