//! Devices that are told of updates over CoAP, as those of RIOT are: by libcoap's client and by `ota publish --trigger`, with
//! aiocoap as repository and as observer.

use std::fs;
use std::sync::mpsc::channel;

use serde_json::Value;

use super::pulling::{agent, made};
use super::updating::firmware;
use super::{Expect, Folder};
use crate::support::coap::server;
use crate::support::coap_peer::{ack, content, option_of, peer};
use crate::support::command::{Ended, Running, iotctl, signal};
use crate::support::schema::{check, schema};
use crate::support::{PATIENCE, aiocoap, libcoap, wait_for};

const SIZE: usize = 300_000;

/// A device that listens, and where.
pub(super) fn listening(folder: &Folder, device: &str, words: &str) -> (Running, String) {
    let mut running = agent(folder, device, "", &format!("--listen 127.0.0.1:0 {words}")).start();
    let said = running.hears("listening on coap://");
    let (_, place) = said.split_once("listening on ").unwrap();
    (running, place.trim().to_owned())
}

/// A second update, of version 1.2.
fn sign_another(folder: &Folder) {
    let file = folder.file("fw.bin", firmware(SIZE, 2));
    let words = "--version 1.2 --sequence 2";
    folder
        .sign(&file, &folder.path("key.pem"), words)
        .run()
        .succeeded();
}

fn status(devices: &[&str], goal: Option<&str>) -> Ended {
    let line = iotctl("ota status --output json --timeout 80s");
    let line = match goal {
        Some(goal) => line.word("--until").word(goal),
        None => line,
    };
    devices
        .iter()
        .fold(line, |line, device| line.word(device))
        .run()
}

/// Its client ends an observation with the first response.
const OBSERVER: &str = r#"
import asyncio, sys
from aiocoap import Context, Message, GET

async def main():
    context = await Context.create_client_context()
    request = context.request(Message(code=GET, uri=sys.argv[1], observe=0))
    print((await request.response).payload.decode(), flush=True)
    async for notification in request.observation:
        print(notification.payload.decode(), flush=True)

asyncio.run(main())
"#;

#[test]
fn libcoap_triggers_aiocoap_serves_and_observes() {
    let folder = made("");
    let repository = aiocoap::fileserver(&folder.path("updates"));
    let (mut device, place) = listening(&folder, "d1", "");
    let read = |path: &str| libcoap::asked(&format!("{place}{path}")).trim().to_owned();
    assert_eq!(read("/suit/slot/active"), "0");
    assert_eq!(read("/suit/slot/inactive"), "1");
    assert_eq!(read("/suit/version"), "NONE");
    let links = read("/.well-known/core");
    for path in [
        "trigger>",
        "slot/active>;ct=0",
        "slot/inactive>",
        "version>",
        "status>;ct=50;obs",
    ] {
        assert!(links.contains(&format!("</suit/{path}")), "{path}: {links}");
    }
    // What is no trigger, answered as RIOT does.
    let post = |words: &str| libcoap::asked(&format!("-m post {words} {place}/suit/trigger"));
    assert!(read("/suit/trigger").contains("4.05"));
    assert!(post("").contains("4.08"));
    assert!(post("-e nonsense").contains("4.00"));
    let long = format!("-e coap://h/{}", "x".repeat(2000));
    assert!(post(&long).contains("4.13"));
    let observer = aiocoap::python(OBSERVER);
    let mut observer = observer.word(format!("{place}/suit/status")).start();
    let first = observer.line();
    let report: Value = serde_json::from_str(&first).unwrap();
    assert_eq!(
        (&report["state"], &report["id"]),
        (&"idle".into(), &"d1".into())
    );
    let said = post(&format!("-e {}", repository.uri("coap", "/fw-1.1.suit")));
    assert!(!said.contains("4.") && !said.contains("5."), "{said}");
    device.hears("iotctl: updated: version 1.1");
    // The newest state counts; others may be passed over.
    while !observer.line().contains("\"state\":\"updated\"") {}
    assert_eq!(
        fs::read(folder.path("d1").join("b")).unwrap(),
        firmware(SIZE, 1)
    );
    assert_eq!(read("/suit/slot/active"), "1");
    assert_eq!(read("/suit/slot/inactive"), "0");
    assert_eq!(read("/suit/version"), "1.1");
}

#[test]
fn once_waits_for_a_trigger_no_longer_than_it_is_told() {
    let folder = made("");
    let said = agent(
        &folder,
        "d1",
        "",
        "--listen 127.0.0.1:0 --once --timeout 300ms",
    )
    .run();
    let wanted = "iotctl: timed out: no manifest has come\n";
    assert!(said.stderr.ends_with(wanted), "{}", said.stderr);
    said.failed(5);
}

#[test]
fn several_devices_are_triggered_and_watched() {
    let folder = made("");
    let updates = folder.path("updates").display().to_string();
    let ours = server(&format!("--directory {updates}"), &["coap"]);
    let (_first, one) = listening(&folder, "d1", "");
    let (_second, other) = listening(&folder, "d2", "");
    let url = format!("{}/fw-1.1.suit", ours.uris[0].trim_end_matches('/'));
    let trigger = |places: &[&str]| {
        let line = iotctl("ota publish --manifest").word(&url);
        let told = places.iter();
        told.fold(line, |line, place| line.word("--trigger").word(place))
            .run()
    };
    let said = trigger(&[&one, &format!("{other}/suit/trigger")]);
    assert_eq!(
        said.stderr.matches("/suit/trigger: 2.01").count(),
        2,
        "{}",
        said.stderr
    );
    said.succeeded();
    let all = status(&[&one, &other], Some("updated == 2"));
    let all: Value = serde_json::from_str(&all.succeeded()).unwrap();
    check(&all, &schema("ota-status"));
    assert_eq!(all["counts"]["updated"], 2);
    assert_eq!(all["devices"][0]["id"], "d1");
    let table = iotctl("ota status")
        .word(&one)
        .word(&other)
        .run()
        .succeeded();
    assert!(table.contains("d2      updated       1.1"), "{table}");
    // One of them is not there, and another is no device.
    drop(_second);
    let some = status(&[&one, &other], None);
    assert!(some.stderr.contains("cannot connect to"), "{}", some.stderr);
    assert_eq!(
        some.stderr.lines().last(),
        Some("iotctl: 1 of 2 devices gave no report")
    );
    assert!(some.text().contains("\"id\":\"d1\""), "{}", some.text());
    some.failed(3);
    let why = trigger(&[&ours.uris[0]]).failed(1);
    assert!(why.contains("/suit/trigger: 4.0"), "{why}");
    let why = status(&[&ours.uris[0]], None).failed(1);
    assert!(why.contains("/suit/status: 4.04"), "{why}");
}

#[test]
fn a_trigger_is_heard_while_another_update_is_fetched() {
    let folder = made("");
    sign_another(&folder);
    let updates = folder.path("updates").display().to_string();
    let slow = server(
        &format!("--directory {updates} --fault delay:by=300ms"),
        &["coap"],
    );
    let fast = server(&format!("--directory {updates}"), &["coap"]);
    let (mut device, place) = listening(&folder, "d1", "--block-size 512");
    let trigger = |root: &str, name: &str| {
        let line =
            iotctl("ota publish --manifest").word(format!("{}/{name}", root.trim_end_matches('/')));
        line.word("--trigger").word(&place).run().succeeded()
    };
    trigger(&slow.uris[0], "fw-1.1.suit");
    device.hears("iotctl: downloading: version 1.1");
    trigger(&fast.uris[0], "fw-1.2.suit");
    device.hears("iotctl: updated: version 1.2");
    assert_eq!(
        fs::read(folder.path("d1").join("b")).unwrap(),
        firmware(SIZE, 2)
    );
    // What is older is refused, and what is not there changes nothing.
    trigger(&fast.uris[0], "fw-1.1.suit");
    device.hears("iotctl: refused: version 1.1");
    trigger(&fast.uris[0], "none.suit");
    device.hears("none.suit: 4.04");
    let report: Value = serde_json::from_str(status(&[&place], None).text()).unwrap();
    let report = &report["devices"][0];
    assert_eq!(
        (&report["state"], &report["slot"]),
        (&"refused".into(), &"b".into())
    );
    let version = libcoap::asked(&format!("{place}/suit/version"));
    assert_eq!(version.trim(), "1.2");
}

#[test]
fn a_device_that_is_started_again_is_found_again() {
    let folder = made("");
    let updates = folder.path("updates").display().to_string();
    let ours = server(&format!("--directory {updates}"), &["coap"]);
    let (device, place) = listening(&folder, "d1", "");
    let line = iotctl("ota status --output json --timeout 80s --until").word("updated == 1");
    let watcher = line.word(&place).start();
    signal(device.id(), "KILL");
    drop(device);
    let address = place.trim_start_matches("coap://");
    let again = agent(&folder, "d1", "", &format!("--once --listen {address}")).start();
    wait_for("the device", || {
        (status(&[&place], None).code == 0).then_some(())
    });
    let url = format!("{}/fw-1.1.suit", ours.uris[0].trim_end_matches('/'));
    let line = iotctl("ota publish --manifest").word(url);
    line.word("--trigger").word(&place).run().succeeded();
    again.ends_by_itself().succeeded();
    // With --once it is gone now; started again it still is what it became.
    let (_device, _) = listening_at(&folder, address);
    watcher.ends_by_itself().succeeded();
}

fn listening_at(folder: &Folder, address: &str) -> (Running, ()) {
    let mut device = agent(folder, "d1", "", &format!("--listen {address}")).start();
    device.hears("listening on coap://");
    (device, ())
}

#[test]
fn what_cannot_be_told_is_refused_before_anything_is_sent() {
    for (words, wanted) in [
        ("publish --trigger coap://d1", "--manifest is missing"),
        (
            "publish --trigger coap://d1 --manifest fw.suit",
            "must be the URL of a manifest",
        ),
        (
            "publish --trigger mqtt://d1 --manifest coap://h/f",
            "expected coap://HOST",
        ),
        (
            "publish mqtt://h --trigger coap://d1 --manifest coap://h/f",
            "needs no server",
        ),
        (
            "publish --trigger coap://d1 --to all --manifest coap://h/f",
            "cannot be used with",
        ),
        ("status mqtt://h coap://d1", "expected coap://HOST"),
        ("status coap://d1 d2", "device d2: expected coap://HOST"),
    ] {
        let why = iotctl(&format!("ota {words}")).run().failed(2);
        assert!(why.contains(wanted), "{words}: {why}");
    }
    let folder = made("");
    let why = agent(&folder, "d1", "mqtt://127.0.0.1", "--listen 127.0.0.1:0")
        .run()
        .failed(2);
    assert!(
        why.contains("--listen is for devices that fetch over CoAP"),
        "{why}"
    );
    let why = agent(&folder, "d1", "", "--listen 192.0.2.1:0")
        .run()
        .failed(8);
    assert!(why.contains("192.0.2.1"), "{why}");
}

#[test]
fn a_report_that_is_too_long_is_said_without_a_flag_that_is_not_there() {
    let folder = Folder::new();
    folder.file("long", vec![b'x'; 100_000]);
    let directory = folder.path("").display().to_string();
    let ours = server(&format!("--directory {directory}"), &["coap"]);
    let url = format!("{}/long", ours.uris[0].trim_end_matches('/'));
    let said = iotctl("ota status").word(&url).run();
    let wanted = "/long: it has more than 65536 bytes, the most that is taken\n";
    assert!(said.stderr.ends_with(wanted), "{}", said.stderr);
    said.failed(1);
}

#[test]
fn a_manifest_that_never_ends_keeps_no_device_from_hearing_of_another() {
    let folder = made("");
    let updates = folder.path("updates").display().to_string();
    let ours = server(&format!("--directory {updates}"), &["coap"]);
    let (asked, questions) = channel();
    // Blocks of 16 bytes, each of which says that there are more.
    let endless = peer(move |request, _| {
        let block = option_of(request, 23).unwrap_or_default();
        let number = block
            .iter()
            .fold(0_u32, |all, byte| all << 8 | u32::from(*byte))
            >> 4;
        let _ = asked.send(number);
        let block = (number << 4 | 8).to_be_bytes();
        vec![ack(
            0x45,
            request,
            &content(&[(23, &block[1..])], &[b'x'; 16]),
        )]
    });
    let (mut device, place) = listening(&folder, "d1", "");
    let trigger = |url: &str| {
        let line = iotctl("ota publish --manifest").word(url);
        line.word("--trigger").word(&place).run().succeeded()
    };
    trigger(&format!("{}/endless.suit", endless.trim_end_matches('/')));
    while questions.recv_timeout(PATIENCE).unwrap() < 3 {}
    trigger(&format!(
        "{}/fw-1.1.suit",
        ours.uris[0].trim_end_matches('/')
    ));
    device.hears("this manifest is given up, as another one is to be fetched");
    device.hears("iotctl: updated: version 1.1");
}
