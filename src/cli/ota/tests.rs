use std::ffi::OsString;

use crate::cli::{Parsed, parse};
use crate::command::{Command, ota};
use crate::error::Kind;
use crate::firmware::Algorithm;

fn command(line: &str) -> crate::error::Result<ota::Command> {
    let words = line.split(' ').map(OsString::from);
    match parse(words)? {
        Parsed::Command(Command::Ota(command)) => Ok(*command),
        _ => panic!("another command: {line}"),
    }
}

fn refusal(line: &str) -> String {
    let why = command(line).expect_err(line);
    assert_eq!(why.kind(), Kind::Usage, "{line}");
    why.text().to_owned()
}

#[test]
fn keys_come_in_pairs() {
    for (line, public, algorithm) in [
        (
            "iotctl ota keygen key.pem",
            "key.pub.pem",
            Algorithm::Ed25519,
        ),
        (
            "iotctl ota keygen a.b/key --type p256",
            "a.b/key.pub.pem",
            Algorithm::P256,
        ),
    ] {
        let Ok(ota::Command::Keygen(plan)) = command(line) else {
            panic!("{line}");
        };
        assert_eq!(
            (plan.public.to_str(), plan.algorithm),
            (Some(public), algorithm)
        );
    }
}

const SIGN: &str = "iotctl ota sign fw.bin --key k.pem --vendor example.com --class a -o d";

#[test]
fn what_is_signed_is_checked_before_a_file_is_read() {
    let Ok(ota::Command::Sign(plan)) = command(&format!(
        "{SIGN} --version 1.4.0+7 --mcuboot --counter auto --header-size 1KiB --sequence 7"
    )) else {
        panic!("it is refused");
    };
    let options = plan.mcuboot.expect("an image");
    assert_eq!((options.header, options.counter), (1024, Some(0x0104_0000)));
    assert_eq!(plan.sequence, Some(7));
    for (flags, wanted) in [
        ("--version 1/2", "--version wants"),
        (
            "--version 1.2.3.4 --mcuboot",
            "version 1.2.3.4 does not fit",
        ),
        (
            "--version 1 --mcuboot --header-size 16",
            "--header-size must be",
        ),
        (
            "--version 1 --header-size 64",
            "--header-size needs --mcuboot",
        ),
        ("--version 1 --uri #a", "--uri #a: not a URI"),
        ("--version 1 --sequence -1", ""),
        ("--version 1 --uri a --embed", ""),
        ("", ""),
    ] {
        let text = refusal(format!("{SIGN} {flags}").trim_end());
        assert!(
            text.starts_with(wanted) || wanted.contains("needs"),
            "{text}"
        );
    }
}

#[test]
fn a_device_has_a_vendor_and_a_class() {
    let text = refusal("iotctl ota verify f --trust k.pem --vendor example.com");
    assert_eq!(text, "--vendor and --class must be used together");
    refusal("iotctl ota verify f");
    let text = refusal("iotctl ota verify f --trust k.pem --vendor a\u{202e}b --class c");
    assert_eq!(
        text,
        "--vendor wants a name of 1 to 64 bytes without control characters"
    );
    assert!(command("iotctl ota verify f --trust k.pem").is_ok());
    assert!(command("iotctl ota inspect f --output json").is_ok());
}

#[test]
fn flags_of_another_protocol_are_refused() {
    let agent = "--device d --slots s --trust k --vendor a --class b";
    for (line, wanted) in [
        (
            "publish amqp://h --manifest m --to all --will-topic x".to_owned(),
            "--will-topic is for MQTT",
        ),
        (
            "publish amqp://h --manifest m --to all -V 5".to_owned(),
            "-V is for MQTT",
        ),
        ("status coap://h -i x".to_owned(), "-i is for MQTT"),
        (format!("agent amqps://h {agent} -c -i x"), "-i is for MQTT"),
        (
            "status http://u:p@h".to_owned(),
            "unknown scheme \"http\"; expected mqtt, mqtts, ws, wss, amqp, amqps or coap",
        ),
        (
            "serve d amqp://h".to_owned(),
            "the URL of ota serve must be one of MQTT",
        ),
        (
            "rollout p coap://h".to_owned(),
            "the URL of ota rollout must be one of MQTT or AMQP",
        ),
        ("rollout mqtt://h".to_owned(), "the plan is missing"),
        ("rollout amqp://h p -i x".to_owned(), "-i is for MQTT"),
        (
            "serve d --coap 127.0.0.1:0 --carousel".to_owned(),
            "--carousel is for MQTT, whose server is not named",
        ),
        (
            "serve d --coap 127.0.0.1:0 -i x".to_owned(),
            "-i is for MQTT, whose server is not named",
        ),
    ] {
        assert_eq!(refusal(&format!("iotctl ota {line}")), wanted);
    }
}

#[test]
fn a_rollout_takes_its_url_and_its_plan_in_either_order() {
    for line in ["mqtt://h p.toml", "p.toml mqtt://h"] {
        let Ok(ota::Command::Rollout(plan)) = command(&format!("iotctl ota rollout {line}")) else {
            panic!("{line}");
        };
        assert_eq!(plan.file.to_str(), Some("p.toml"));
        assert_eq!(plan.session.connect.url.as_deref(), Some("mqtt://h"));
    }
}

#[test]
fn a_directory_is_served_over_mqtt_over_coap_or_over_both() {
    for (flags, mqtt, coap) in [
        ("", true, false),
        ("mqtt://h", true, false),
        ("--coap 127.0.0.1:0", false, true),
        ("mqtt://h --coap 127.0.0.1:0", true, true),
        ("--coap 127.0.0.1:0 -h h --carousel", true, true),
    ] {
        let line = format!("iotctl ota serve d {flags}");
        let Ok(ota::Command::Serve(plan)) = command(line.trim_end()) else {
            panic!("{line}");
        };
        assert_eq!(
            (plan.session.is_some(), plan.coap.is_some()),
            (mqtt, coap),
            "{line}"
        );
    }
}

#[test]
fn only_once_bounds_the_wait_for_a_manifest() {
    use std::time::Duration;
    for (flags, image, manifest) in [
        ("", 300, None),
        ("--timeout 7s", 7, None),
        ("--once", 300, None),
        ("--once -W 7s", 7, Some(7)),
    ] {
        let line =
            format!("iotctl ota agent --device d --slots s --trust k --vendor a --class b {flags}");
        let Ok(ota::Command::Agent(plan)) = command(line.trim_end()) else {
            panic!("{line}");
        };
        let found = (plan.timeout, plan.manifest_within);
        let wanted = (
            Duration::from_secs(image),
            manifest.map(Duration::from_secs),
        );
        assert_eq!(found, wanted, "{flags}");
    }
}
