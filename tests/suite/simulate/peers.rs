//! What simulated devices are to CoAP clients, to those who want answers over AMQP, and to servers with TLS.

use std::fs;

use serde_json::Value;

use super::{Account, kept, written};
use crate::support::aiocoap;
use crate::support::command::{Ended, Running, iotctl, program};
use crate::support::mosquitto::mosquitto;
use crate::support::rabbitmq::{rabbitmq, unique};
use crate::support::wait_for;

/// A fleet of CoAP devices, and where it is.
fn coap(folder: &std::path::Path, text: &str) -> (Running, String) {
    let mut fleet = iotctl("simulate --listen 127.0.0.1:0")
        .word(written(folder, text))
        .words(&kept(folder))
        .start();
    let uri = fleet.line();
    (fleet, uri)
}

fn get(uri: &str) -> Ended {
    iotctl("coap get").word(uri).run()
}

/// The library of aiocoap observes a sensor.
#[test]
fn aiocoap_observes_a_sensor() {
    let folder = tempfile::tempdir().unwrap();
    let text = r#"
[[device]]
id = "node"
protocol = "coap"
[[device.sensor]]
name = "t"
every = "100ms"
value = { counter = {} }
payload = "{value}"
"#;
    let (fleet, uri) = coap(folder.path(), text);
    let uri = format!("{uri}/node/t");
    wait_for("a value", || (get(&uri).code == 0).then_some(()));
    let observed = aiocoap::library("coap_observer.py").word(&uri).words("4");
    let observed = observed.run().exits(0);
    let values = observed.text().lines();
    let values: Vec<u64> = values.map(|it| it.parse().unwrap()).collect();
    assert_eq!(values.len(), 4);
    assert!(values.windows(2).all(|it| it[0] < it[1]), "{values:?}");
    fleet.signal("INT");
    fleet.ends().exits(130);
}

/// A command that fails is no success: 5.00. One that takes time is answered when it is taken.
#[test]
fn a_coap_command_is_answered_by_what_becomes_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let text = r#"
[[device]]
id = "node"
protocol = "coap"
[[device.actuator]]
name = "broken"
fail = 1.0
[[device.actuator]]
name = "slow"
fail = 1.0
delay = "100ms"
[[device.actuator]]
name = "lamp"
"#;
    let (fleet, uri) = coap(folder.path(), text);
    let put = |name: &str| iotctl(&format!("coap put {uri}/node/{name} -m on")).run();
    put("broken")
        .exits(1)
        .says("5.00")
        .says("the command failed");
    put("lamp").exits(0);
    put("slow").exits(0);
    let refused = aiocoap::client(&format!("-m PUT --payload on {uri}/node/broken"));
    refused.run().says("5.00 Internal Server Error");
    // What was taken fails after its delay; what follows comes later.
    wait_for("the failure", || {
        put("lamp").exits(0);
        let shown = get(&format!("{uri}/node/slow"));
        (shown.text() == "0").then_some(())
    });
    fleet.signal("INT");
    fleet.ends().exits(130);
    let account = Account::of(folder.path());
    assert!(account.count("failed") >= 2, "{}", account.0);
    assert_eq!(account.count("unknown_commands"), 0);
}

/// The resources of a device that is away say so, and those of the others go on.
#[test]
fn a_coap_device_that_is_away_answers_5_03() {
    let folder = tempfile::tempdir().unwrap();
    let parts = |id: &str, connect: &str| {
        format!(
            r#"
[[device]]
id = "{id}"
protocol = "coap"
{connect}
[[device.sensor]]
name = "t"
every = "50ms"
first = "0s"
value = 7
payload = "{{value}}"
[[device.actuator]]
name = "led"
"#
        )
    };
    let away = parts("away", r#"connect = { stay = "300ms", away = "1h" }"#);
    let (fleet, uri) = coap(folder.path(), &(away + &parts("here", "")));
    let gone = wait_for("the outage", || {
        let ended = get(&format!("{uri}/away/t"));
        ended.stderr.contains("the device is away").then_some(ended)
    });
    gone.exits(1).says("5.03");
    let put = |id: &str| iotctl(&format!("coap put {uri}/{id}/led -m on")).run();
    put("away").exits(1).says("5.03");
    put("here").exits(0);
    assert_eq!(get(&format!("{uri}/here/t")).exits(0).text(), "7");
    fleet.signal("INT");
    fleet.ends().exits(130);
}

/// Who names a queue in `reply_to` is answered there.
#[test]
fn an_amqp_request_has_its_answer_at_reply_to() {
    let rabbit = rabbitmq();
    let folder = tempfile::tempdir().unwrap();
    let id = unique("device");
    let text = format!(
        r#"
[[device]]
id = "{id}"
protocol = "amqp"
[[device.actuator]]
name = "led"
command = "commands.{{id}}.led"
"#
    );
    let there = folder.path().join("there");
    let url = rabbit.url();
    let fleet = iotctl("simulate")
        .word(&url)
        .word(written(folder.path(), &text))
        .words(&kept(folder.path()))
        .word("--ready-file")
        .word(&there)
        .start();
    wait_for("the device", || fs::metadata(&there).ok());
    let ask = |word: &str| -> Value {
        let line = iotctl(&format!("amqp request {url} commands.{id}.led -m {word}"));
        let ended = line.run().exits(0);
        serde_json::from_str(ended.text().trim()).unwrap()
    };
    let answer = ask("on");
    assert_eq!(
        [&answer["device"], &answer["value"], &answer["status"]],
        [&Value::from(id.as_str()), &"on".into(), &"ok".into()]
    );
    assert_eq!(ask("blink")["status"], "error");
    fleet.signal("INT");
    fleet.ends().exits(130);
    let account = Account::of(folder.path());
    assert_eq!(account.count("executed"), 1);
    assert_eq!(account.count("unknown_commands"), 1);
}

/// Devices connect over TLS, to a server whose certificate they check.
#[test]
fn devices_connect_over_tls() {
    let broker = mosquitto();
    let folder = tempfile::tempdir().unwrap();
    let text = r#"
[[device]]
id = "d{n}"
count = 3
status = { topic = "devices/{id}/status" }
[[device.sensor]]
name = "t"
every = "50ms"
value = 1
qos = 1
"#;
    let file = written(folder.path(), text);
    let fleet = |more: &str| {
        let line = iotctl(&format!("simulate mqtts://localhost:{}", broker.tls_port));
        line.word(&file).words(more).words(&kept(folder.path()))
    };
    let trusting = format!("--for 1s --cafile {}", broker.certificates.ca.display());
    let asserted = "--assert births==3 --assert published==acknowledged";
    fleet(&trusting).words(asserted).run().exits(0);
    let account = Account::of(folder.path());
    assert!(account.count("acknowledged") > 6, "{}", account.0);
    let ended = fleet("--for 1s").run();
    assert!(ended.code != 0, "{}", ended.stderr);
    ended.says("certificate");
}

/// A count that a built-in fleet is not made for is refused in words of the flag.
#[test]
fn a_count_that_does_not_fit_is_refused_with_the_way_out() {
    for scenario in ["home", "building", "gpio"] {
        let words = format!("simulate --scenario {scenario} --count 5 --check");
        let ended = iotctl(&words).run().exits(2);
        ended
            .says("--count 5 needs {n} in the id ")
            .says("--print-config");
    }
    for scenario in ["factory", "vehicle"] {
        let words = format!("simulate --scenario {scenario} --count 5 --check");
        iotctl(&words).run().exits(0);
    }
    let path = env!("CARGO_BIN_EXE_iotctl");
    let line = "simulate mqtt://127.0.0.1:1 --scenario vehicle --count 500";
    let limited = format!("ulimit -n 164 && exec {path} {line}");
    let ended = program("sh", "-c").word(limited).run().exits(2);
    ended
        .says("500 connections need 564 file descriptors, but the limit is 164")
        .says("100 would fit");
}
