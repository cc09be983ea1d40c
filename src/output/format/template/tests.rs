use bytes::Bytes;
use jiff::tz::{Offset, TimeZone};

use super::super::testing::{PIPE, TERMINAL, message};
use super::super::{Render, Surface};
use super::*;
use crate::message::{Detail, Message, MqttDetail, MqttProperties};

/// Two hours ahead of UTC.
fn zone() -> TimeZone {
    TimeZone::fixed(Offset::constant(2))
}

fn bytes_on(surface: Surface, format: &str, message: &Message) -> Vec<u8> {
    let mut template: Template = format.parse().unwrap();
    template.newline = false;
    let mut into = Vec::new();
    Filled::in_zone(template, surface, zone()).render(message, &mut into);
    into
}

fn filled(format: &str, message: &Message) -> String {
    String::from_utf8(bytes_on(PIPE, format, message)).unwrap()
}

fn flaw(format: &str) -> String {
    format.parse::<Template>().unwrap_err().text().to_owned()
}

fn full() -> Message {
    Message {
        detail: Detail::Mqtt(MqttDetail {
            qos: 1,
            retain: true,
            duplicate: false,
            packet_id: 7,
            properties: Some(Box::new(MqttProperties {
                payload_format_indicator: Some(1),
                message_expiry_interval: Some(60),
                content_type: Some("text/plain".into()),
                response_topic: Some("re/ply".into()),
                correlation_data: Some(Bytes::from_static(b"c\xff")),
                topic_alias: Some(3),
                subscription_identifiers: vec![5, 6],
                user_properties: vec![("k".into(), "v".into()), ("k".into(), "w".into())],
            })),
        }),
        ..message("a/b", b"21.5")
    }
}

/// What mosquitto_sub prints for the same message, measured with 2.0.11 (hexadecimal: read in 2.1).
#[test]
fn the_layout_is_mosquittos() {
    let message = message("a/b", b"21.5");
    let table = [
        ("[%p]", "[21.5]"),
        ("[%10p]", "[      21.5]"),
        ("[%-10p]", "[21.5      ]"),
        ("[%010p]", "[00000021.5]"),
        ("[%3p]", "[21.]"),
        ("[%x|%X]", "[32312e35|32312E35]"),
        ("[%.2x]", "[32 31 2e 35]"),
        ("[%.2:x]", "[32:31:2e:35]"),
        ("[%.4-X]", "[3231-2E35]"),
        ("[%.3x]", "[323 12e 35]"),
        ("[%2x]", "[3231]"),
        ("[%12x]", "[    32312e35]"),
        ("[%-12x]", "[32312e35    ]"),
        ("[%012X]", "[000032312E35]"),
        ("[%t]", "[a/b]"),
        ("[%6t]", "[   a/b]"),
        ("[%-6t]", "[a/b   ]"),
        ("[%06t]", "[   a/b]"),
        ("[%.2t]", "[a/]"),
        ("[%5.2t]", "[   a/]"),
        ("[%l]", "[4]"),
        ("[%5l]", "[    4]"),
        ("[%05l]", "[00004]"),
        ("[%-5l]", "[4    ]"),
        ("%-05l|", "4    |"),
        ("%q%r%m", "000"),
        ("%%@@", "%@"),
        ("\\t|\\\\|\\a\\e\\n\\r\\v\\0", "\t|\\|\x07\x1b\n\r\x0b\0"),
        ("ü→", "ü→"),
    ];
    for (format, expected) in table {
        assert_eq!(filled(format, &message), expected, "{format}");
    }
}

#[test]
fn properties_are_shown() {
    let format = "%A %C %E %F %P %q %R %r %S %m";
    assert_eq!(
        filled(format, &full()),
        "3 text/plain 60 1 k:v k:w 1 re/ply 1 5 7"
    );
    assert_eq!(bytes_on(PIPE, "%D", &full()), b"c\xff");
    assert_eq!(
        filled("[%.4C] [%12C] [%-4A] [%04A]", &full()),
        "[text] [  text/plain] [3   ] [0003]"
    );
}

#[test]
fn what_is_not_there_is_blank() {
    let message = message("a", b"");
    assert_eq!(filled("[%A%C%D%E%F%P%R%S%p%x]", &message), "[]");
    assert_eq!(
        filled("[%3A] [%03A] [%4C] [%04C]", &message),
        "[   ] [000] [    ] [    ]"
    );
}

#[test]
fn numbers_in_binary_are_read() {
    let double = message("a", b"\x00\x00\x00\x00\x00\x80\x35\x40");
    assert_eq!(
        filled("%d %.1d [%8.2d] [%-8.2d] [%08.2d]", &double),
        "21.500000 21.5 [   21.50] [21.50   ] [00021.50]"
    );
    assert_eq!(filled("[%f]", &double), "[]");
    let float = message("a", b"\x00\x00\xac\xc1");
    assert_eq!(filled("%.1f %09.2f", &float), "-21.5 -00021.50");
    assert_eq!(filled("[%d]", &float), "[]");
    assert_eq!(
        filled("[%5f]", &message("a", b"\x00\x00\x80\x7f")),
        "[  inf]"
    );
}

#[test]
fn times_are_the_messages_own_and_local() {
    let message = message("a", b"");
    let table = [
        ("%I", "2026-11-20T23:00:00+0200"),
        ("%.10I", "2026-11-20"),
        ("%U", "1795208400.123456789"),
        (
            "@Y-@m-@dT@H:@M:@S.@N@z",
            "2026-11-20T23:00:00.123456789+0200",
        ),
        (
            "@c|@x|@X|@r",
            "Fri Nov 20 23:00:00 2026|11/20/26|23:00:00|11:00:00 PM",
        ),
        (
            "@a @A @b @B @j @s @% @n@t",
            "Fri Friday Nov November 324 1795208400 % \n\t",
        ),
    ];
    for (format, expected) in table {
        assert_eq!(filled(format, &message), expected, "{format}");
    }
}

#[test]
fn names_stand_in_braces() {
    let message = Message {
        payload: Bytes::from_static(br#"{"temp":21.50,"name":"k","none":null,"a}b":1}"#),
        ..full()
    };
    let table = [
        ("%{/temp}|%{topic}|%{qos}", "21.50|a/b|1"),
        (
            "[%.1{/temp}] [%8{/temp}] [%-8{/temp}] [%08{/temp}]",
            "[21.5] [   21.50] [21.50   ] [00021.50]",
        ),
        ("[%{/x}] [%4{/x}] [%{/none}]", "[] [    ] []"),
        ("%{/x|\"-\"} %{/x|/name}", "- k"),
        (
            "%{property.k} %{content-type} %{size} %{length}",
            "v text/plain 45 45",
        ),
        ("[%.1{topic}] [%4{/name}]", "[a] [   k]"),
        ("%{time}", "2026-11-20T21:00:00.123456Z"),
        ("%{/a\\}b}", "1"),
        ("[%{delta}]", "[]"),
        // These are mosquitto's.
        (
            "%.2{x",
            "7b{22{74{65{6d{70{22{3a{32{31{2e{35{30{2c{22{6e{61{6d{65{22{3a{22{6b{22{2c{22{6e{6f{6e{65{22{3a{6e{75{6c{6c{2c{22{61{7d{62{22{3a{31{7d",
        ),
        ("%3{X}", "7B2274}"),
    ];
    for (format, expected) in table {
        assert_eq!(filled(format, &message), expected, "{format}");
    }
    let hostile = Message {
        payload: Bytes::from_static(br#"{"a":"\u001b[2J"}"#),
        ..full()
    };
    assert_eq!(bytes_on(TERMINAL, "%{/a}", &hostile), b"\\x1b[2J");
}

#[test]
fn delta_is_the_time_since_the_message_before() {
    let mut filled = Filled::in_zone("%.3{delta|\"first\"}".parse().unwrap(), PIPE, zone());
    let mut message = message("a", b"");
    let mut into = Vec::new();
    filled.render(&message, &mut into);
    message.time += std::time::Duration::from_micros(1_234_567);
    filled.render(&message, &mut into);
    assert_eq!(into, b"first\n1.235\n");
}

#[test]
fn json_has_mosquittos_keys() {
    assert_eq!(
        filled("%j", &message("a/b", b"21.50")),
        r#"{"tst":"2026-11-20T23:00:00.123456+0200","topic":"a/b","qos":0,"retain":false,"payloadlen":5,"payload":"21.50"}"#
    );
    assert_eq!(
        filled("%J", &full()),
        concat!(
            r#"{"tst":"2026-11-20T23:00:00.123456+0200","topic":"a/b","qos":1,"retain":true,"#,
            r#""payloadlen":4,"mid":7,"properties":{"payload-format-indicator":1,"#,
            r#""message-expiry-interval":60,"content-type":"text/plain","response-topic":"re/ply","#,
            r#""correlation-data_base64":"Y/8=","topic-alias":3,"subscription-identifier":[5,6],"#,
            r#""user-properties":[{"k":"v"},{"k":"w"}]},"payload":21.5}"#
        )
    );
}

#[test]
fn json_is_valid_for_every_payload() {
    let payload = |format: &str, payload: &'static [u8]| {
        let text = filled(format, &message("a", payload));
        serde_json::from_str::<serde_json::Value>(&text).unwrap();
        text.split_once(&format!("len\":{},", payload.len()))
            .unwrap()
            .1
            .to_owned()
    };
    assert_eq!(payload("%j", b""), r#""payload":null}"#);
    assert_eq!(payload("%J", b""), r#""payload":null}"#);
    assert_eq!(payload("%j", b"A\0B"), r#""payload":"A\u0000B"}"#);
    assert_eq!(payload("%j", b"caf\xe9"), r#""payload_base64":"Y2Fm6Q=="}"#);
    assert_eq!(payload("%J", b"no json"), r#""payload":"no json"}"#);
    assert_eq!(
        payload("%J", b"9007199254740993"),
        r#""payload":9007199254740993}"#
    );
}

#[test]
fn json_may_be_indented() {
    let mut template: Template = "%j".parse().unwrap();
    template.pretty = true;
    let mut into = Vec::new();
    Filled::in_zone(template, PIPE, zone()).render(&message("a", b"x"), &mut into);
    let text = String::from_utf8(into).unwrap();
    assert!(text.starts_with("{\n  \"tst\": "));
    assert!(text.ends_with("\n  \"payload\": \"x\"\n}\n"));
}

#[test]
fn a_line_feed_follows_unless_told_otherwise() {
    let template: Template = "%p".parse().unwrap();
    assert!(template.newline && !template.pretty);
    let mut into = Vec::new();
    Filled::in_zone(template, PIPE, zone()).render(&message("a", b"x"), &mut into);
    assert_eq!(into, b"x\n");
}

#[test]
fn on_a_terminal_the_message_is_harmless_and_the_template_is_obeyed() {
    let message = message("a\u{1b}", b"\x1b[2J");
    assert_eq!(
        bytes_on(TERMINAL, "\\e[1m%t\\e[0m %p", &message),
        b"\x1b[1ma\\x1b\x1b[0m \\x1b[2J"
    );
}

#[test]
fn what_is_wrong_is_named() {
    let table = [
        ("%z", "in the format, \"%z\" is unknown"),
        ("a %-5.2k", "in the format, \"%-5.2k\" is unknown"),
        ("%ü", "in the format, \"%ü\" is unknown"),
        ("%", "in the format, \"%\" is incomplete"),
        ("%05", "in the format, \"%05\" is incomplete"),
        (
            "%.2:p",
            "in the format, \"%.2:p\": only %x and %X have a separator",
        ),
        (
            "%10000p",
            "in the format, a width or precision is over 9999",
        ),
        ("%{/a", "in the format, \"%{/a\" is incomplete"),
        (
            "%{retian}",
            "in the format, \"%{retian}\": \"retian\" is neither payload, a JSON pointer such as /temp nor a field such as topic; did you mean retain?",
        ),
        ("@", "in the format, \"@\" is incomplete"),
        ("@E", "in the format, \"@E\" is unknown"),
        ("@ü", "in the format, \"@ü\" is unknown"),
        ("\\q", "in the format, \"\\q\" is unknown"),
        ("\\", "in the format, \"\\\" is incomplete"),
    ];
    for (format, words) in table {
        assert_eq!(flaw(format), words, "{format}");
    }
}
