use std::time::{Duration, SystemTime};

use super::*;
use crate::message::{AmqpDetail, Detail, MqttDetail};
use crate::payload::captures::Pattern;

fn message(body: &[u8]) -> Message {
    Message {
        time: SystemTime::UNIX_EPOCH,
        topic: "a/b".into(),
        payload: body.to_vec().into(),
        detail: Detail::Mqtt(MqttDetail {
            qos: 1,
            ..MqttDetail::default()
        }),
    }
}

#[track_caller]
fn holds(words: &str, body: &str) -> bool {
    let condition: Condition = words.parse().expect(words);
    assert_eq!(condition.to_string(), words);
    condition.holds(&message(body.as_bytes()), || {
        serde_json::from_str(body).ok()
    })
}

#[test]
fn a_body_is_a_number_or_a_text() {
    for words in [
        "payload == 21.5",
        "payload==21.50",
        "payload >= 21.5",
        "payload < 30",
        "payload != 21",
        "payload contains 1.",
        "payload != on",
    ] {
        assert!(holds(words, "21.5"), "{words}");
    }
    for words in ["payload > 21.5", "payload == \"21\"", "payload <= 21"] {
        assert!(!holds(words, "21.5"), "{words}");
    }
    assert!(holds("payload == on", "on") && !holds("payload == on", "off"));
    assert!(holds("payload == \"a == b\"", "a == b"));
    assert!(holds("topic == a/b", "") && !holds("topic contains x", "x"));
    assert!(holds("payload == \" \"", " ") && holds("payload ==", ""));
    assert!(!holds("payload > 1", "on") && !holds("payload < 1", "NaN"));
}

#[test]
fn a_pointer_finds_what_is_compared() {
    let body = r#"{"temp": 21.5, "a/b": [{"name": "x"}], "on": true, "none": null}"#;
    for words in [
        "/temp > 20",
        "/a~1b/0/name == x",
        "/a~1b/0/name == \"x\"",
        "/on == true",
        "/none == null",
        "/missing != 1",
    ] {
        assert!(holds(words, body), "{words}");
    }
    for words in ["/missing == 1", "/temp == x", "/on > 0", "/a~1b/7 == 1"] {
        assert!(!holds(words, body), "{words}");
    }
    assert!(!holds("/temp > 20", "no JSON"));
}

#[test]
fn bytes_that_are_no_text_fulfil_nothing() {
    let condition: Condition = "payload == x".parse().unwrap();
    assert!(!condition.holds(&message(b"\xff"), || None));
    let condition: Condition = "payload != x".parse().unwrap();
    assert!(condition.holds(&message(b"\xff"), || None));
}

#[test]
fn a_detail_of_the_message_is_compared_and_must_be_one() {
    assert!(holds("qos == 1", "") && holds("retain == false", "") && !holds("qos > 1", ""));
    assert!(holds("content-type != x", "") && !holds("property.a == x", ""));
    let condition: Condition = "redelivered == true".parse().unwrap();
    assert!(condition.check(&fields::AMQP).is_ok());
    assert!(condition.check(&fields::MQTT).is_err());
    let refused = "retian == true".parse::<Condition>().unwrap_err();
    assert!(refused.contains("; did you mean retain?"), "{refused}");
}

#[test]
fn what_is_no_condition_is_refused() {
    for words in [
        "",
        "payload",
        "payload = 1",
        "temp > 20",
        "payload > warm",
        "payload == \"x",
        "/a >",
    ] {
        assert!(words.parse::<Condition>().is_err(), "{words}");
    }
}

/// Whether it holds for a message of `sensors/d7/temp` with this body, received a minute ago.
#[track_caller]
fn holds_there(words: &str, body: &str) -> bool {
    let condition: Condition = words.parse().expect(words);
    let pattern: Pattern = "sensors/{device}/+".parse().unwrap();
    let message = message(body.as_bytes());
    let captures = pattern.matches("sensors/d7/temp").unwrap();
    let scope = Scope {
        captures: Some(&captures),
        now: Some(SystemTime::UNIX_EPOCH + Duration::from_secs(61)),
        ..Scope::default()
    };
    let message = Message {
        time: SystemTime::UNIX_EPOCH + Duration::from_secs(1),
        ..message
    };
    assert!(
        condition
            .check_in(&fields::MQTT, |key| pattern.has(key))
            .is_ok(),
        "{words}"
    );
    condition.holds_in(&message, &scope, || serde_json::from_str(body).ok())
}

#[test]
fn conditions_are_joined() {
    let body = r#"{"t": 21, "s": "on and off", "n": null, "x y": 1}"#;
    for words in [
        "/t > 20 and /t < 30",
        "/t > 30 or /t > 20",
        "/t > 30 and /t > 40 or /t == 21",
        "/t == 21 or /t > 30 and /t > 40",
        "not /t > 30",
        "not not /t == 21",
        "not (/t > 30 or /t < 10)",
        "not(/t > 30)and(/t > 20)",
        "(/t > 20)",
        "( ( /t > 20 ) )",
        "(/t == 22 or /t == 21) and qos == 1",
        "/s == \"on and off\" and /t == 21",
        "/s != \"on or off\" and /t == 21",
        "/s contains \"and \\u006f\" and /t == 21",
        "exists(/t)",
        "exists( /n ) and not exists(/m)",
        "not exists(/t/u)",
        "exists(qos) and not exists(content-type)",
        "{device} == d7 and {1} == d7 and {2} contains em",
        "{device} == d7",
        "size > 10 and size < 100",
        "age == 60",
        "age >= 1m and age < 1h",
        "age > 59.5 or age < 1",
        "changed(/t) and changed(payload)",
        "/x y == 1 and /t == 21",
        "topic == a/b and payload contains (on)or(off) or /t == 21",
        "/t == 21\nand\t/t > 20",
    ] {
        assert!(holds_there(words, body), "{words}");
    }
    for words in [
        "/t > 20 and /t > 30",
        "not /t > 20",
        "not /t > 20 and /t > 20",
        "/s == \"on\" and /t == 21",
        "{device} == d8 or size == 0",
        "age > 1h or age < 1",
        "exists(/m)",
        "/t == 21 and (/t == 22 or not exists(/n))",
    ] {
        assert!(!holds_there(words, body), "{words}");
    }
}

#[test]
fn words_and_parentheses_of_one_comparison_are_text() {
    assert!(holds("payload == :)", ":)") && holds("payload == (a", "(a"));
    assert!(holds("payload == android", "android") && holds("payload contains for", "for"));
    assert!(holds("payload == \"a and b\"", "a and b"));
    assert!(holds("payload == notes (a and b)", "notes (a and b)"));
    assert!(holds("payload == \"this AND that\"", "this AND that"));
    assert!(holds("payload == \"'on'\"", "'on'") && holds("payload == \"a && b\"", "a && b"));
    assert!(holds("payload == SAND", "SAND") && holds("payload == 'tis", "'tis"));
}

#[test]
fn the_age_is_that_of_the_sender_where_it_is_known() {
    let condition: Condition = "age == 10".parse().unwrap();
    assert!(condition.asks_time() && !"size == 10".parse::<Condition>().unwrap().asks_time());
    let at = |seconds| Some(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds));
    let mut message = message(b"");
    let holds = |message: &Message, now| {
        let scope = Scope {
            now,
            ..Scope::default()
        };
        condition.holds_in(message, &scope, || None)
    };
    // It was not received, and does not say when it was sent.
    assert!(!holds(&message, at(10)));
    message.time += Duration::from_secs(90);
    assert!(holds(&message, at(100)) && !holds(&message, at(101)) && !holds(&message, None));
    let mut amqp = AmqpDetail::default();
    amqp.properties.timestamp = Some(80);
    message.detail = Detail::Amqp(Box::new(amqp));
    assert!(holds(&message, at(90)) && !holds(&message, at(100)));
    assert!("age == 0".parse::<Condition>().unwrap().holds_in(
        &message,
        &Scope {
            now: at(70),
            ..Scope::default()
        },
        || None
    ));
}

#[test]
fn what_was_before_is_compared() {
    let condition: Condition = "changed(/t) and not changed(/u)".parse().unwrap();
    let mut changes = Changes::of([&condition]).unwrap();
    assert!(Changes::of(&["/t > 1".parse().unwrap()]).is_none());
    let mut see = |topic: &'static str, body: &'static str| {
        let message = Message {
            topic: topic.into(),
            ..message(body.as_bytes())
        };
        let json = || serde_json::from_str(body).ok();
        changes.see(&message, json);
        let scope = Scope {
            changes: Some(&changes),
            ..Scope::default()
        };
        condition.holds_in(&message, &scope, json)
    };
    for (topic, body, holds) in [
        ("a", r#"{"t":1,"u":1}"#, false),
        ("a", r#"{"t":2,"u":1}"#, true),
        ("a", r#"{"t":2,"u":1}"#, false),
        ("b", r#"{"t":3,"u":1}"#, false),
        ("b", r#"{"t":4,"u":1}"#, true),
        ("a", r#"{"t":3,"u":2}"#, false),
        ("a", r#"{"u":2}"#, true),
        ("a", "x", false),
        ("a", r#"{"t":1}"#, true),
    ] {
        assert_eq!(see(topic, body), holds, "{topic} {body}");
    }
    changes.clear();
    let fresh = message(b"{}");
    changes.see(&fresh, || Some(Value::Null));
    assert!(changes.have(&Subject::Pointer("/t".into())));
}

#[test]
fn what_cannot_be_read_is_told_with_its_place() {
    for (words, why) in [
        (
            "/t > 1 and",
            "column 11: a condition is missing after \"and\"",
        ),
        (
            "/t > 1 or  ",
            "column 12: a condition is missing after \"or\"",
        ),
        (
            "and /t > 1",
            "column 1: a condition is missing before \"and\"",
        ),
        (
            "(/t > 1 and /u",
            "column 13: \"/u\" has none of ==, !=, <, <=, >, >= and contains",
        ),
        ("(/t > 1", "column 1: the parenthesis is not closed"),
        (
            "(/t > 1))",
            "column 9: \")\" closes nothing; a value with parentheses is written in quotes",
        ),
        (
            "/t > 1 and /u > x",
            "column 17: \"x\" is not a number, which > needs",
        ),
        (
            "/ä == 1 and qso == 1",
            "column 13: \"qso\" is neither payload, a JSON pointer such as /temp nor a field such as topic; did you mean qos?; a value of a JSON payload is /qso",
        ),
        (
            "/t == 1 and /u == \"x",
            "column 19: the quotation mark is not closed",
        ),
        (
            "/t == 1 and /u == \"x\" y",
            "column 19: \"x\" y is not a JSON string",
        ),
        ("exists(/t) /u", "column 12: and, or or the end is expected"),
        ("exists(/t", "column 7: the parenthesis is not closed"),
        (
            "not exists(t)",
            "column 12: \"t\" is neither payload, a JSON pointer such as /temp nor a field such as topic",
        ),
        ("not", "column 4: a condition is missing after \"not\""),
        ("()", "column 2: a condition is missing"),
        (
            "(/t > 1) (/t > 2)",
            "column 10: and, or or the end is expected",
        ),
        ("payload == 'on'", "write \"on\" in double quotes"),
        (
            "payload == 'on' and size < 5",
            "column 12: write \"on\" in double quotes",
        ),
        (
            "payload == on AND size < 5",
            "write and instead of AND; quote a value that contains it",
        ),
        (
            "payload == \"on\" OR size < 5",
            "write or instead of OR; quote a value that contains it",
        ),
        (
            "/t == 1 && /u == 2",
            "write and instead of &&; quote a value that contains it",
        ),
        (
            "/t=1",
            "\"/t=1\" has none of ==, !=, <, <=, >, >= and contains; write == instead of =",
        ),
        (
            "select(.temp > 3)",
            "an expression of jq begins with jq:, as 'jq: .temp > 3'",
        ),
        ("NOT /t == 1", "write not instead of NOT"),
        ("NOT(/t == 1)", "column 1: write not instead of NOT"),
        (
            "/t > 1 and NOT exists(/u)",
            "column 12: write not instead of NOT",
        ),
        (
            "exists(/t) AND exists(/u)",
            "column 12: write and instead of AND",
        ),
        ("(/t > 1) || (/u > 1)", "column 10: write or instead of ||"),
        (
            "payload.temp > 3",
            "\"payload.temp\" is neither payload, a JSON pointer such as /temp nor a field such as topic; a value of a JSON payload is /temp",
        ),
        (
            "payload/temp > 3",
            "\"payload/temp\" is neither payload, a JSON pointer such as /temp nor a field such as topic; a value of a JSON payload is /temp",
        ),
        (
            "payload == rock and roll",
            "column 21: \"roll\" has none of ==, !=, <, <=, >, >= and contains; a value with and or or is written in quotes",
        ),
    ] {
        assert_eq!(words.parse::<Condition>(), Err(why.into()), "{words}");
    }
    let deep = "(".repeat(101);
    assert_eq!(
        deep.parse::<Condition>(),
        Err("column 101: more than 100 parentheses are open".into())
    );
    let deep = "not ".repeat(100_000) + "/t > 1";
    assert!(deep.parse::<Condition>().is_err());
}

#[test]
fn a_capture_is_one_of_the_filter() {
    let condition: Condition = "/t > 1 and {device} == x".parse().unwrap();
    assert_eq!(
        condition.check(&fields::MQTT),
        Err("{device} is not a wildcard of the topic filter".into())
    );
    assert!(
        condition
            .check_in(&fields::MQTT, |key| key == "device")
            .is_ok()
    );
    assert!(!holds("{device} == x", "") && holds("{device} != x", ""));
    for (words, allowed) in [("size", true), ("age", false), ("{a}", false)] {
        let subject: Subject = words.parse().unwrap();
        assert_eq!(subject.to_string(), words);
        assert_eq!(subject.check(&fields::MQTT).is_ok(), allowed, "{words}");
    }
    // As columns called it once.
    assert!(holds("size == 3 and length == 3", "abc"));
}

#[cfg(feature = "jq")]
#[test]
fn expressions_of_jq_are_conditions() {
    let body = r#"{"t": 21, "s": "a and b"}"#;
    assert!(holds("jq: .t > 20 and .s == \"a and b\"", body) && holds(" jq:.t > 20", body));
    assert!(!holds("jq: .t > 30", body) && !holds("jq: .t", "no JSON"));
    assert!(holds_there("jq: $c.device == \"d7\" and now == 61", body));
    assert!(!holds("jq: $c.device", body));
    assert_eq!(
        "jq: .t >".parse::<Condition>(),
        Err("column 5: term is expected".into())
    );
}
