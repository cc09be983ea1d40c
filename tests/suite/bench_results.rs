//! What comes of a load test: forms, files, thresholds, live lines, and the commands on results.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;

use serde_json::Value;

use crate::support::bench::{Figures, bench};
use crate::support::broker::broker;
use crate::support::command::iotctl;
use crate::support::ports::free_ports;

#[test]
fn a_summary_and_a_line_for_each_interval() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("result.json");
    let line = iotctl(
        "bench mqtt --embedded --subscribers 1 -q 1 --rate 500 --duration 500ms --interval 100ms",
    );
    let line = line.words(&format!("--save-json {}", file.display()));
    let ended = line.run().exits(0);
    let Figures(saved) = Figures(serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap());
    let intervals = saved["intervals"].as_array().unwrap().len();
    assert_eq!(ended.stderr.lines().count(), intervals, "{}", ended.stderr);
    for line in ended.stderr.lines() {
        assert!(line.contains("sent "), "{line}");
    }
    for part in [
        "messages    planned  250 = sent 250",
        "end_to_end",
        "generator   CPU",
    ] {
        assert!(ended.text().contains(part), "{part}: {}", ended.text());
    }
    let quiet = iotctl("bench mqtt --embedded --quiet --rate 500 --duration 100ms")
        .run()
        .exits(0);
    assert_eq!(quiet.stderr, "");
}

#[test]
fn all_forms_are_written_in_one_run_and_made_again_later() {
    let broker = broker("--quiet");
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let files = ["html", "csv", "hlog", "markdown", "junit"];
    let mut line = bench(
        broker.port,
        "--rate 500 -q 1 --duration 300ms --assert p50<10s",
    );
    line = line.words(&format!("--save-json {}", path("json")));
    for form in files {
        line = line.words(&format!("--{form} {}", path(form)));
    }
    let ended = line.run().exits(0);
    assert_eq!(std::fs::read(path("json")).unwrap(), ended.stdout);
    for form in files {
        let made = iotctl(&format!("bench report {} --output {form}", path("json")))
            .run()
            .exits(0);
        assert_eq!(
            std::fs::read_to_string(path(form)).unwrap(),
            made.text(),
            "{form}"
        );
    }
    let html = std::fs::read_to_string(path("html")).unwrap();
    assert!(
        html.contains("<svg") && !html.contains("http://") || html.contains("w3.org"),
        "{html}"
    );
    let shown = iotctl("bench report -").input(ended.stdout).run().exits(0);
    shown.contains("p50<10s  passed");
}

#[test]
fn the_json_is_what_the_schema_says() {
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("schema/bench-report.schema.json");
    let schema: Value = serde_json::from_slice(&std::fs::read(schema).unwrap()).unwrap();
    let broker = broker("--quiet");
    let line = bench(
        broker.port,
        "--subscribers 1 --rate 500 -q 1 --count 50 --assert p99<10s",
    );
    let Figures(found) = Figures::of(&line.run().exits(0));
    same_members(&found, &schema, &schema, "");
}

/// Of several servers a load goes to the first that answers.
#[test]
fn the_server_that_was_loaded_is_named() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let dead = listener.local_addr().unwrap().port();
    drop(listener);
    let broker = broker("--quiet");
    for more in ["", "--processes 2"] {
        let host = format!("127.0.0.1:{dead},127.0.0.1:{}", broker.port);
        let line =
            iotctl("bench mqtt --quiet -o json --publishers 2 -q 1 --rate 400 --count 20 -h");
        let ended = line.word(host).words(more).run().exits(0);
        let Figures(found) = Figures::of(&ended);
        let target = format!("mqtt://127.0.0.1:{}", broker.port);
        assert_eq!(found["setup"]["target"], target, "{more}");
    }
}

/// Every member is described, and every one that must be there is.
fn same_members(value: &Value, schema: &Value, root: &Value, at: &str) {
    let schema = match schema["$ref"].as_str() {
        Some(name) => root.pointer(name.trim_start_matches('#')).unwrap(),
        None => schema,
    };
    for name in schema["required"].as_array().into_iter().flatten() {
        assert!(
            value.get(name.as_str().unwrap()).is_some(),
            "{at} lacks {name}"
        );
    }
    for (name, member) in value.as_object().into_iter().flatten() {
        let below = match &schema["properties"][name] {
            Value::Null => &schema["additionalProperties"],
            known => known,
        };
        assert!(below.is_object(), "{at}/{name} is not described");
        same_members(member, below, root, &format!("{at}/{name}"));
    }
    for item in value.as_array().into_iter().flatten() {
        same_members(item, &schema["items"], root, at);
    }
}

#[test]
fn a_threshold_on_what_is_not_measured_is_refused_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let result = folder.path().join("result.json");
    let save = format!("--save-json {}", result.display());
    for (words, expression, said) in [
        (
            "mqtt --embedded",
            "p99 < 50ms",
            "use end_to_end.p99 with --subscribers 1, or -q 1",
        ),
        (
            "mqtt --embedded --subscribers 1",
            "service.p99 < 50ms",
            "use end_to_end.p99, or -q 1",
        ),
        (
            "mqtt --embedded -q 1",
            "end_to_end.max < 1s",
            "add --subscribers 1",
        ),
        (
            "amqp --embedded --no-confirm",
            "p50 < 1s",
            "use end_to_end.p50, or leave out --no-confirm",
        ),
        (
            "coap --embedded",
            "end_to_end.p99 < 1s",
            "add --observers 1",
        ),
        ("mqtt --embedded -q 1", "p99 < 50", "write 50ms"),
        ("mqtt --embedded -q 1", "loss < 1", "write 1%"),
    ] {
        let line = iotctl(&format!("bench {words} {save} --assert")).word(expression);
        let ended = line.run().exits(2).says(said);
        assert_eq!((ended.text(), result.exists()), ("", false));
    }
}

#[test]
fn what_was_not_asked_for_is_not_counted() {
    let words = "bench mqtt --embedded --rate 500 --duration 300ms --interval 100ms";
    let ended = iotctl(words).run().exits(0);
    let (said, shown) = (&ended.stderr, ended.text());
    assert!(!said.contains("acked") && !said.contains("recv"), "{said}");
    for absent in [
        "acknowledged",
        "accepted",
        "delivered",
        "missing",
        "failed 0",
    ] {
        assert!(!shown.contains(absent), "{absent}: {shown}");
    }
    assert!(
        shown.contains("messages    planned  150 = sent 150\n"),
        "{shown}"
    );
    assert!(shown.contains("lag: from due to sent"), "{shown}");
    let place = |word: &str| shown.find(word).unwrap();
    assert!(place("verdict") < place("rates"), "{shown}");
}

#[test]
fn a_run_without_a_connection_is_an_error_and_nothing_else() {
    for words in [
        "mqtt mqtt://127.0.0.1:1",
        "amqp amqp://127.0.0.1:1",
        "coap coap+tcp://127.0.0.1:1/x",
        "mqtt mqtt://127.0.0.1:1 --find-max",
    ] {
        let ended = iotctl(&format!("bench {words} --duration 300ms"))
            .run()
            .exits(3);
        assert_eq!(ended.text(), "", "{words}");
        let lines: Vec<&str> = ended.stderr.lines().collect();
        assert!(lines.len() <= 2, "{words}: {lines:?}");
        assert!(
            lines[0].starts_with("iotctl: cannot connect to "),
            "{lines:?}"
        );
    }
}

#[test]
fn a_file_that_cannot_be_written_is_known_before_anything_is_connected() {
    let [port] = free_ports();
    let folder = tempfile::tempdir().unwrap();
    let here = |name: &str| folder.path().join(name);
    std::fs::write(here("kept.json"), "kept").unwrap();
    for flag in ["save-json", "html", "csv", "hlog", "markdown", "junit"] {
        for command in [
            format!("mqtt mqtt://127.0.0.1:{port}"),
            format!("amqp amqp://127.0.0.1:{port}"),
            format!("coap coap+tcp://127.0.0.1:{port}/x"),
        ] {
            let line = iotctl(&format!("bench {command} --{flag} /nope/x.y"));
            let line = match flag {
                "save-json" => line.word("--html").word(here("new.html")),
                _ => line.word("--save-json").word(here("kept.json")),
            };
            let ended = line.run().exits(8);
            ended.says_only("iotctl: cannot write /nope/x.y: no such file or directory\n");
        }
    }
    let names: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
    assert_eq!(names.len(), 1, "{names:?}");
    assert_eq!(std::fs::read(here("kept.json")).unwrap(), b"kept");
}

#[test]
fn without_thresholds_the_run_is_the_test_case() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("run.xml");
    let line = iotctl("bench mqtt --embedded --quiet -q 1 --rate 500 --count 50 --junit");
    line.word(&file).run().exits(0);
    let xml = std::fs::read_to_string(&file).unwrap();
    assert!(
        xml.contains("tests=\"1\" failures=\"0\" errors=\"0\""),
        "{xml}"
    );
    let case = "<testcase classname=\"iotctl.bench\" name=\"run\"/>";
    assert!(xml.contains(case), "{xml}");
}

#[test]
fn rates_may_be_those_of_each_client() {
    for (words, clients) in [
        ("mqtt --embedded --publishers", "publishers"),
        ("amqp --embedded --producers", "producers"),
        ("coap --embedded --sockets", "sockets"),
    ] {
        let words = format!("bench {words} 4 --rate 25/client --duration 1s --quiet -o json");
        let found = Figures::of(&iotctl(&words).run().exits(0));
        found.counts([("planned", 100)]);
        assert_eq!(found.0["setup"]["rate"], "25/s per client");
        assert_eq!(found.0["setup"][clients], "4");
    }
}

#[test]
fn missed_thresholds_are_exit_code_7_and_say_by_how_much() {
    let broker = broker("--quiet --fault drop-publish:every=10");
    let words = "--subscribers 1 --rate 1k --count 100 --drain 3s";
    let line = bench(broker.port, words).word("--assert").word("lost == 0");
    let ended = line.word("--assert").word("rate > 1").run().exits(7);
    assert_eq!(ended.stderr, "iotctl: missed lost == 0 by 10\n");
    let Figures(found) = Figures::of(&ended);
    assert_eq!(found["thresholds"][0]["passed"], false);
    assert_eq!(found["thresholds"][1]["passed"], true);
}

#[test]
fn a_miss_can_end_the_run() {
    let broker = broker("--quiet");
    let words = "--rate 500 -q 1 --duration 1h --interval 100ms --abort-on-miss --assert";
    let ended = bench(broker.port, words).word("p50 < 1ns").run().exits(7);
    ended.says("missed p50 < 1ns by ");
}

#[test]
fn figures_are_served_to_prometheus_while_the_run_goes_on() {
    let line = iotctl("bench mqtt --embedded --rate 500 --duration 1h --interval 100ms");
    let mut running = line.words("--prometheus-listen 127.0.0.1:0").start();
    let said = running.hears("metrics at http://");
    let address = said
        .split("http://")
        .nth(1)
        .unwrap()
        .trim_end_matches("/metrics")
        .to_owned();
    running.hears("sent");
    running.hears("sent");
    let mut stream = TcpStream::connect(address).unwrap();
    stream
        .write_all(b"GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n")
        .unwrap();
    let mut page = String::new();
    stream.read_to_string(&mut page).unwrap();
    assert!(page.contains("messages_total{"), "{page}");
    running.signal("INT");
    running.ends().exits(130);
}

#[test]
fn runs_are_compared() {
    let broker = broker("--quiet");
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    for (name, rate) in [
        ("a", 1000),
        ("b", 1000),
        ("c", 1000),
        ("slow", 200),
        ("slow2", 200),
        ("slow3", 200),
    ] {
        let words = format!(
            "--rate {rate} -q 1 --duration 300ms --save-json {}",
            path(name)
        );
        bench(broker.port, &words).run().exits(0);
    }
    let same = iotctl(&format!("bench compare {} {}", path("a"), path("b")))
        .run()
        .exits(0);
    same.contains("rate");
    // A fifth of the rate, and one run a side proves nothing.
    let once = iotctl(&format!("bench compare {} {}", path("a"), path("slow")))
        .words("--bound 5%")
        .run()
        .exits(0);
    once.contains("over the bound of 5 %, but one run per side proves nothing");
    let repeated = format!(
        "bench compare --bound 5% {} {} {} -- {} {} {}",
        path("a"),
        path("b"),
        path("c"),
        path("slow"),
        path("slow2"),
        path("slow3")
    );
    let repeated = iotctl(&repeated).run().exits(7);
    repeated.contains("accepted rate");
    let words = format!(
        "bench compare --output json {} {} -- {} {}",
        path("a"),
        path("b"),
        path("b"),
        path("a")
    );
    let ended = iotctl(&words).run().exits(0);
    serde_json::from_slice::<Value>(&ended.stdout).unwrap();
}

#[test]
fn the_highest_rate_is_searched() {
    let line = iotctl("bench mqtt --embedded --output json --find-max --rate 500 --duration 100ms");
    let ended = line
        .word("--assert")
        .word("rate.planned < 3k")
        .run()
        .exits(0);
    let Figures(found) = Figures::of(&ended);
    let best = found["setup"]["max_rate"].as_str().unwrap();
    let best: f64 = best.trim_end_matches("/s").parse().unwrap();
    assert!((2_800.0..3_000.0).contains(&best), "{best}");
    let said = &ended.stderr;
    assert!(
        said.contains("500/s, run 2: passed\n500/s passed in 2 of 2 runs\n"),
        "{said}"
    );
    let missed = "4000/s, run 1: failed: rate.planned < 3k by ";
    assert!(said.contains(missed), "{said}");
    assert!(said.contains("4000/s failed in 2 of 2 runs"), "{said}");
    let steps = found["setup"]["max_rate_steps"].as_str().unwrap();
    // On a busy machine.
    let steps = steps.replace(" (the generator was the limit)", "");
    let first = "500/s passed, 1000/s passed, 2000/s passed, 4000/s failed, 3000/s failed, ";
    assert!(steps.starts_with(first), "{steps}");
}

#[test]
fn a_file_says_what_flags_can() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("load.toml");
    std::fs::write(
        &file,
        "[mqtt]\nembedded = true\nscenario = \"fan-in\"\npublishers = 4\nqos = 1\n\
         stage = [\"100ms:0-1k\", \"100ms:1k\"]\noutput = \"json\"\nquiet = true\nassert = [\"lost == 0\"]\n",
    )
    .unwrap();
    let file = file.display();
    let found = Figures::of(&iotctl(&format!("bench run {file}")).run().exits(0));
    found.counts([("planned", 150), ("unique", 150)]);
    let shorter = iotctl(&format!("bench run {file} --publishers 2 --count 10"))
        .run()
        .exits(0);
    let found = Figures::of(&shorter);
    found.counts([("planned", 10)]);
    assert_eq!(found.connections("planned"), 3);
    iotctl("bench run /nonexistent/x.toml")
        .run()
        .exits(8)
        .says("cannot read /nonexistent/x.toml");
}

#[test]
fn calibration_needs_no_broker() {
    let line = iotctl("bench mqtt --calibrate --quiet --output json -q 1 --count 10k");
    let found = Figures::of(&line.run().exits(0));
    found.counts([("acknowledged", 10_000)]);
    assert!(
        found.0["warnings"].to_string().contains("calibration"),
        "{found:?}"
    );
}

#[test]
fn wrong_words_are_one_line_and_a_hint() {
    for words in [
        "--rate 0",
        "--rate 1G",
        "--rate 1k --max",
        "--stage 5s:0",
        "--stage 5k --stage 5s:1k",
        "--arrivals poisson",
        "--think 1s --rate 5",
        "--count 0",
        "--publishers 0",
        "--threads 2",
        "--threads 0",
        "--groups 2",
        "--topic a/#",
        "--topic a/{x}",
        "--filter a/#/b",
        "--size 1-0",
        "--stamp",
        "--shard 2/2",
        "--start-at tomorrow",
        "--assert p99",
        "--abort-on-miss",
        "--output yaml",
        "--retry 5s",
        "--embedded -h x",
        "--interval 1ms",
        "--scenario x",
        "-q 3",
    ] {
        let ended = iotctl(&format!("bench mqtt {words}")).run().exits(2);
        assert!(
            ended.stderr.lines().count() <= 2,
            "{words}: {}",
            ended.stderr
        );
        assert_eq!(ended.text(), "", "{words}");
    }
}
