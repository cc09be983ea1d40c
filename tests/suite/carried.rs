//! What `bridge`, `route`, `log`, `alert`, `watch` and `replay` have in common: files that break off, what a path stands for, flags and
//! keys that are for another protocol, and files of routes that go on where flags left off.

use std::fs;
use std::io::Write;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::support::broker::{Broker, broker};
use crate::support::coap::{answer, content, scripted, server};
use crate::support::command::{Ended, iotctl};
use iotctl::coap::code::Code;
use iotctl::coap::option;

fn url(broker: &Broker) -> String {
    format!("mqtt://127.0.0.1:{}", broker.port)
}

/// A record of a reading.
fn reading(value: u32) -> String {
    format!(
        "{{\"time\":\"2026-01-02T03:04:{value:02}Z\",\"topic\":\"s/d\",\"payload\":\"{value}\"}}\n"
    )
}

/// What every command that reads a file of records makes of this one.
fn read(folder: &Path, text: &[u8]) -> Vec<(&'static str, Ended)> {
    let file = folder.join("day.ndjson");
    fs::write(&file, text).unwrap();
    let routes = folder.join("routes.toml");
    let route =
        "[source.s]\nfile = \"day.ndjson\"\n[target.t]\nfile = \"-\"\n[[route]]\nto = \"t\"\n";
    fs::write(&routes, route).unwrap();
    vec![
        ("log", iotctl("log --to -").word(&file).run()),
        (
            "alert",
            iotctl("alert --above 90 -t s/{device}").word(&file).run(),
        ),
        ("watch", iotctl("watch --once").word(&file).run()),
        ("route", iotctl("route").word(&routes).run()),
        (
            "test",
            iotctl("route")
                .word(&routes)
                .word("--test")
                .word(&file)
                .run(),
        ),
        ("replay", iotctl("replay --speed max").word(&file).run()),
    ]
}

#[test]
fn a_file_that_breaks_off_is_read_to_there_by_all() {
    let folder = tempfile::tempdir().unwrap();
    let text = [reading(1), reading(2)].concat();
    for (name, ended) in read(folder.path(), &text.as_bytes()[..text.len() - 9]) {
        assert_eq!(ended.code, 0, "{name}: {}", ended.stderr);
        assert!(
            ended
                .stderr
                .contains("day.ndjson:2: the line is incomplete: skipped"),
            "{name}: {}",
            ended.stderr
        );
    }
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    let packed = encoder.finish().unwrap();
    for (name, ended) in read(folder.path(), &packed[..packed.len() - 4]) {
        assert_eq!(ended.code, 0, "{name}: {}", ended.stderr);
        let words = "day.ndjson ends within its compressed data";
        assert!(ended.stderr.contains(words), "{name}: {}", ended.stderr);
    }
}

#[test]
fn a_line_that_is_no_record_is_2_before_anything_was_done_and_8_after_that() {
    let folder = tempfile::tempdir().unwrap();
    let bad = "{\"topic\":\n";
    let text = format!("{bad}{}", reading(1));
    for (name, ended) in read(folder.path(), text.as_bytes()) {
        assert_eq!(ended.code, 2, "{name}: {}", ended.stderr);
    }
    let text = format!("{}{bad}{}", reading(1), reading(2));
    for (name, ended) in read(folder.path(), text.as_bytes()) {
        // It has read the whole file before it sends anything.
        let code = if name == "replay" { 2 } else { 8 };
        assert_eq!(ended.code, code, "{name}: {}", ended.stderr);
        assert!(ended.stderr.contains(":2: "), "{name}: {}", ended.stderr);
        if name == "watch" {
            assert!(ended.text().contains("s/d"), "{}", ended.text());
        }
    }
    let broker = broker("");
    let line = broker.iotctl("pub --ndjson").input(text);
    line.run().exits(8).says(":2: ");
}

#[test]
fn what_is_compressed_is_read_from_standard_input_too() {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(reading(30).as_bytes()).unwrap();
    let packed = encoder.finish().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let routes = folder.path().join("routes.toml");
    let route = "[source.s]\nfile = \"-\"\n[target.t]\nfile = \"-\"\n[[route]]\nto = \"t\"\n";
    fs::write(&routes, route).unwrap();
    for line in [
        iotctl("log - --to -"),
        iotctl("alert - --above 27 -t s/{device} --state").word(folder.path().join("state")),
        iotctl("watch - --once"),
        iotctl("replay -"),
        iotctl("route").word(&routes),
    ] {
        let ended = line.input(packed.clone()).run().exits(0);
        assert!(ended.text().contains("30"), "{}", ended.text());
    }
    let mut broker = broker("");
    let mut watcher = broker.iotctl("sub -t # -q 1 -v").start();
    broker.sees_subscription("#");
    let line = broker.iotctl("pub --ndjson -q 1").input(packed);
    line.run().exits(0);
    assert_eq!(watcher.line(), "s/d 30");
}

#[test]
fn the_path_of_a_coap_url_names_levels_for_log_and_alert() {
    let coap = server(
        "-r /sensors/d1/temp=text:30 -r /sensors/d2/temp=text:20 -r /other=text:99",
        &["coap"],
    );
    let place = format!("{}/sensors/{{device}}/temp", coap.uris[0]);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("day.csv");
    let line = iotctl("log -C 2 --columns {device},payload").word(&place);
    line.word("--to").word(&file).run().exits(0);
    let text = fs::read_to_string(&file).unwrap();
    let mut rows: Vec<&str> = text.lines().skip(1).collect();
    rows.sort_unstable();
    assert_eq!(rows, ["d1,30", "d2,20"]);
    let line = iotctl("alert --above 27 -C 2 --state").word(folder.path().join("state"));
    let ended = line.word(&place).run().exits(0);
    assert!(ended.text().contains(" d1 firing "), "{}", ended.text());
    let printed = iotctl("log --print-config --columns {device},payload --to x.csv").word(&place);
    let printed = printed.run().exits(0);
    let topic = "topic = \"sensors/{device}/temp\"";
    assert!(printed.text().contains(topic), "{}", printed.text());
}

#[test]
fn resources_that_are_new_after_a_quick_restart_are_observed_once_it_is_registered_anew() {
    let broker = broker("");
    let mut listed = 0;
    let peer = scripted(move |request, number| {
        let path = request.options.texts(option::URI_PATH);
        if path == [".well-known", "core"] {
            listed += 1;
            let links = match listed {
                1 => "</a>;obs",
                _ => "</a>;obs,</b>;obs",
            };
            return vec![content(request, 40, links)];
        }
        let mut said = answer(request, Code::CONTENT, "1");
        said.options.push_uint(option::OBSERVE, number as u64 + 1);
        said.options.push_uint(option::MAX_AGE, 0);
        vec![said]
    });
    let line = iotctl("bridge").word(peer.uri("")).word(url(&broker));
    let mut bridge = line.words("-t #").start();
    bridge.hears("/b is new: observing it");
    bridge.signal("TERM");
    bridge.ends().exits(143);
}

#[test]
fn what_clears_a_retained_message_crosses_by_the_map() {
    let (mut one, mut two) = (broker(""), broker(""));
    let folder = tempfile::tempdir().unwrap();
    let routes = folder.path().join("routes.toml");
    let route = format!(
        "[source.s]\nurl = \"{}\"\n[target.t]\nurl = \"{}\"\n[[route]]\ntopic = \"r/#\"\nmap = \"jq: .v\"\nto = \"t\"\n",
        url(&one),
        url(&two)
    );
    fs::write(&routes, route).unwrap();
    let bridge = iotctl("bridge").word(url(&one)).word(url(&two));
    let bridge = bridge.words("-t b/# --map").word("jq: .v");
    let bridge = bridge.ready(folder.path());
    let router = iotctl("route").word(&routes).ready(folder.path());
    one.sees_subscription("r/#");
    let mut watcher = two.iotctl("sub -t # -q 1 -v").start();
    two.sees_subscription("#");
    for topic in ["b/x", "r/x"] {
        for (body, came) in [("{\"v\":1}", "1"), ("", ""), ("{\"v\":2}", "2")] {
            let line = one.iotctl(&format!("pub -t {topic} -r -q 1 -m")).word(body);
            line.run().exits(0);
            assert_eq!(
                watcher.line().trim_end(),
                format!("{topic} {came}").trim_end()
            );
        }
    }
    for running in [bridge, router] {
        running.signal("TERM");
        let ended = running.ends().exits(143);
        assert!(ended.stderr.contains("3 delivered"), "{}", ended.stderr);
    }
    let file = folder.path().join("day.ndjson");
    let record = |body: &str| {
        format!(
            "{{\"time\":\"2026-01-02T03:04:05Z\",\"topic\":\"p/x\",\"payload\":{body:?},\"mqtt\":{{\"qos\":1,\"retain\":true}}}}\n"
        )
    };
    fs::write(&file, [record("{\"v\":3}"), record("")].concat()).unwrap();
    let line = iotctl("replay --speed max --to")
        .word(url(&two))
        .word("--map");
    line.word("jq: .v").word(&file).run().exits(0);
    assert_eq!(watcher.lines(2), ["p/x 3", "p/x "]);
}

#[test]
fn what_is_for_amqp_alone_is_refused_elsewhere() {
    for (words, says) in [
        (
            "bridge mqtt://h mqtt://i --to-queue q",
            "--to-queue is for AMQP only",
        ),
        (
            "bridge mqtt://h mqtt://i --from-queue q",
            "--from-queue is for AMQP only",
        ),
        (
            "bridge mqtt://h amqp://i --from-exchange q",
            "--from-exchange is for AMQP only",
        ),
        (
            "bridge mqtt://h amqp://i --to-queue q",
            "--to-queue has no effect",
        ),
        (
            "log mqtt://h -t a --to x.ndjson --queue q",
            "--queue is for AMQP only",
        ),
        (
            "log mqtt://h -t a --to x.ndjson --exchange q",
            "--exchange is for AMQP only",
        ),
        (
            "alert mqtt://h -t a --above 1 --queue q",
            "--queue is for AMQP only",
        ),
        (
            "alert mqtt://h -t a --above 1 --exchange q",
            "--exchange is for AMQP only",
        ),
        (
            "alert mqtt://h -t a --above 1 --to mqtt://i --topic-out b --to-exchange q",
            "--to-exchange is for AMQP only",
        ),
        (
            "bridge mqtt://h mqtt://i --connection x",
            "--connection needs --import",
        ),
    ] {
        iotctl(words).run().exits(2).says(says);
        if !words.contains("--connection") {
            let line = iotctl(words).word("--print-config");
            line.run().exits(2).prints("").says(says);
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("r.toml");
    let route = "[source.a]\nurl = \"FROM\"\nSOURCE\n[target.b]\nurl = \"TO\"\nTARGET\n[[route]]\nto = \"b\"\n";
    for (source, target, says) in [
        ("queue = \"q\"", "", "source a: queue is for AMQP only"),
        (
            "exchange = \"q\"",
            "",
            "source a: exchange is for AMQP only",
        ),
        (
            "",
            "exchange = \"q\"",
            "target b: exchange is for AMQP only",
        ),
        (
            "key = \"k.pem\"",
            "",
            "r.toml: source a: cert and key must be used together",
        ),
        (
            "",
            "key = \"k.pem\"",
            "r.toml: target b: cert and key must be used together",
        ),
    ] {
        let text = route.replace("SOURCE", source).replace("TARGET", target);
        let text = text.replace("FROM", "mqtts://h").replace("TO", "mqtts://i");
        fs::write(&file, text).unwrap();
        iotctl("route --check")
            .word(&file)
            .run()
            .exits(2)
            .says(says);
    }
}

#[test]
fn a_route_goes_on_with_the_journal_and_the_session_of_the_alert_that_it_was_printed_from() {
    let broker = broker("");
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    let line = |more: &str| {
        let line = iotctl("alert -t s/{device} --above 27").word(url(&broker));
        line.words(more).word("--state").word(&state)
    };
    broker.iotctl("pub -t s/d -m 30 -r -q 1").run().exits(0);
    line("-C 1").run().exits(0);
    let printed = line("--print-config").run().exits(0);
    let text = printed.text();
    assert!(text.contains("id = \"alert-"), "{text}");
    let file = folder.path().join("r.toml");
    fs::write(&file, text).unwrap();
    iotctl("route --idle 500ms").word(&file).run().exits(0);
    // Another one is refused.
    fs::write(&file, text.replace("s/{device}", "t/{device}")).unwrap();
    iotctl("route --idle 500ms")
        .word(&file)
        .run()
        .exits(2)
        .says("is the journal of another alert");
    fs::write(&state, "{\"topic\":\"a\"}\n").unwrap();
    line("-C 1").run().exits(2).says("is no journal");
}

#[test]
fn a_bridge_from_amqp_at_qos_0_is_printed_so() {
    let line = iotctl("bridge amqp://h mqtt://i --print-config -t");
    let printed = line.word("x out 0").run().exits(0);
    assert!(printed.text().contains("qos = 0"), "{}", printed.text());
}
