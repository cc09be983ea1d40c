use std::time::Duration;

use super::*;
use crate::message::{Detail, MqttDetail, MqttProperties};
use crate::payload::captures::Pattern;

fn message(body: &[u8]) -> Message {
    Message {
        time: SystemTime::UNIX_EPOCH + Duration::from_secs(1),
        topic: "sensors/d7/temp".into(),
        payload: body.to_vec().into(),
        detail: Detail::Mqtt(MqttDetail {
            qos: 1,
            properties: Some(Box::new(MqttProperties {
                user_properties: vec![("k".into(), "5".into())],
                ..MqttProperties::default()
            })),
            ..MqttDetail::default()
        }),
    }
}

#[track_caller]
fn compile(code: &str) -> Filter {
    Filter::compile(code).unwrap_or_else(|why| panic!("{code}: {why}"))
}

#[track_caller]
fn map(code: &str, body: &str) -> Result<Vec<String>, String> {
    let message = message(body.as_bytes());
    let pattern: Pattern = "sensors/{device}/+".parse().unwrap();
    let captures = pattern.matches(&message.topic);
    let input = Input {
        message: &message,
        captures: captures.as_ref(),
        now: Some(SystemTime::UNIX_EPOCH + Duration::from_secs(100)),
    };
    let json = serde_json::from_str(body).ok();
    let outputs = compile(code).map(input, json.as_ref())?;
    Ok(outputs
        .into_iter()
        .map(|it| String::from_utf8(it).unwrap())
        .collect())
}

#[track_caller]
fn holds(code: &str, body: &str) -> bool {
    let message = message(body.as_bytes());
    let input = Input {
        message: &message,
        captures: None,
        now: None,
    };
    let json: Option<Value> = serde_json::from_str(body).ok();
    compile(code).holds(input, json.as_ref()) == Ok(true)
}

#[test]
fn outputs_are_bodies() {
    let body = r#"{"value": 21.50, "id": 18446744073709551615, "tags": ["a", "b"], "n": null}"#;
    for (code, outputs) in [
        (".value", &["21.5"] as &[_]),
        (".id", &["18446744073709551615"]),
        (".tags[0]", &["a"]),
        (".tags", &[r#"["a","b"]"#]),
        (".tags[]", &["a", "b"]),
        ("empty", &[]),
        ("select(.value > 35)", &[]),
        (
            "{v: .value, at: $time}",
            &[r#"{"v":21.5,"at":"1970-01-01T00:00:01.000000Z"}"#],
        ),
        ("$topic, $protocol", &["sensors/d7/temp", "mqtt"]),
        ("$c.device, $c[\"2\"]", &["d7", "temp"]),
        (
            "$record.qos, $record.retain, $record[\"property.k\"]",
            &["1", "false", "5"],
        ),
        ("$record.protocol", &["mqtt"]),
        ("now", &["100.0"]),
        ("0 | todate", &["1970-01-01T00:00:00Z"]),
        ("$time | fromdate", &["1"]),
        ("nan, infinite", &["null", "null"]),
        ("[.tags[] | ascii_upcase] | join(\"-\")", &["A-B"]),
        ("\"\\(.value) °C\"", &["21.5 °C"]),
        (".tags | @json", &[r#"["a","b"]"#]),
        (".tags[0] | @base64 | ., @base64d", &["YQ==", "a"]),
        (". as {value: $v} | $v * 2 | round", &["43"]),
        ("def f(x): x + 1; f(.value)", &["22.5"]),
        (".value += 1 | .value", &["22.5"]),
        (".tags |= map(. * 2) | .tags[]", &["aa", "bb"]),
        ("del(.tags, .n, .id)", &[r#"{"value":21.5}"#]),
        ("with_entries(select(.key == \"n\"))", &[r#"{"n":null}"#]),
        (
            "[2 | recurse(if . < 4 then . + 1 else empty end)]",
            &["[2,3,4]"],
        ),
        (
            "[range(0; 6; 2)], [range(3; 0; -1)]",
            &["[0,2,4]", "[3,2,1]"],
        ),
        ("[limit(3; repeat(1))]", &["[1,1,1]"]),
        ("reduce .tags[] as $t (\"\"; . + $t)", &["ab"]),
        ("[foreach (1, 2) as $n (0; . + $n)]", &["[1,3]"]),
        ("path(..) | length", &["0", "1", "1", "1", "2", "2", "1"]),
        (
            "paths | tostring",
            &[
                "[\"value\"]",
                "[\"id\"]",
                "[\"tags\"]",
                "[\"tags\",0]",
                "[\"tags\",1]",
                "[\"n\"]",
            ],
        ),
        ("try error(\"x\") catch .", &["x"]),
        ("label $out | 1, break $out, 2", &["1"]),
        ("\"[1]\" | fromjson[0]", &["1"]),
        ("{\"a\\\"\": \"\u{1}\"}", &[r#"{"a\"":"\u0001"}"#]),
        ("[.[] | numbers] | length", &["2"]),
        ("4 | sqrt, pow(.; 2)", &["2.0", "16.0"]),
    ] {
        let outputs: Vec<String> = outputs.iter().map(ToString::to_string).collect();
        assert_eq!(map(code, body), Ok(outputs), "{code}");
    }
}

#[test]
fn a_body_that_is_no_json_is_a_text() {
    assert_eq!(map(".", "on"), Ok(vec!["on".into()]));
    assert_eq!(
        map("{state: .}", "on"),
        Ok(vec![r#"{"state":"on"}"#.into()])
    );
    let message = message(b"\xff");
    let input = Input {
        message: &message,
        captures: None,
        now: None,
    };
    assert_eq!(compile(". == null").holds(input, None), Ok(true));
    assert!(compile(".a.b").holds(input, Some(&5.into())).is_err());
}

#[test]
fn a_condition_is_as_true_as_its_first_output() {
    for code in [
        ".t > 20",
        "true",
        "0",
        "\"\"",
        ".t",
        "select(.t > 20)",
        "true, false",
        ".t, error",
    ] {
        assert!(holds(code, r#"{"t": 21}"#), "{code}");
    }
    for code in [
        ".t > 21",
        "false",
        "null",
        "empty",
        "false, true",
        ".u",
        "error",
        ".t[0]",
        ".t | keys",
    ] {
        assert!(!holds(code, r#"{"t": 21}"#), "{code}");
    }
}

#[test]
fn wrong_expressions_are_refused_with_their_place() {
    for (code, why) in [
        ("", "column 1: term is expected"),
        (".a | ", "column 6: term is expected"),
        (".a )", "column 4: "),
        ("[1", "column 3: "),
        ("\"x", "column 3: "),
        (".a + nonsense", "column 6: there is no filter nonsense"),
        ("$ä", "column 2: "),
        ("\"ä\" | $x", "column 7: there is no variable $x"),
        (".a = ", "column 6: term is expected"),
        ("if . then 1", "column 12: "),
        ("{a: 1", "column 6: "),
        ("break $x", "column 7: there is no label $x"),
    ] {
        let refused = Filter::compile(code).unwrap_err();
        assert!(refused.starts_with(why), "{code}: {refused}");
    }
}

#[test]
fn nothing_outside_can_be_reached() {
    for code in [
        "env",
        "$ENV",
        "env.PATH",
        "input",
        "inputs",
        "input_filename",
        "input_line_number",
        "debug",
        "debug(.)",
        "stderr",
        "halt",
        "halt(1)",
        "halt_error",
        "halt_error(1)",
        "include \"a\"; .",
        "import \"a\" as a; .",
        "import \"/etc/passwd\" as $x; $x",
        "get_search_list",
        "$__prog_args",
        "$__loc__",
        "modulemeta",
        "test(\"a\")",
        "@html",
        "localtime",
        "strftime(\"%Y\")",
    ] {
        let compiled = Filter::compile(code);
        assert!(compiled.is_err(), "{code}");
    }
}

/// On the stack that a program has.
#[test]
fn a_run_ends() {
    let thread = std::thread::Builder::new().stack_size(8 << 20);
    thread.spawn(runs_end).unwrap().join().unwrap();
}

fn runs_end() {
    for code in [
        "iotctl_expression",
        "def f: f; f",
        "def f: 1 + f; f",
        "def f: [f]; f",
        "def f: try f catch f; f",
        "def f: (f?, f?); f",
        "def f(x): f(x | x); f(.)",
        "def f: def g: f; g; f",
        "[range(1e9)]",
        "[range(1; infinite)] | length",
        "[repeat(1)]",
        "repeat(empty)",
        "last(repeat(1))",
        "[range(0; 1; 0)]",
        "0 | until(false; . + 1)",
        "[0 | while(true; . + 1)]",
        "0 | [recurse]  | [.[] | recurse(. + 1)]",
        "def f: ., (. + 1 | f); [0 | f]",
        "[range(1000)] as $x | [$x[] as $a | $x[] as $b | $x[] as $c | 1] | length",
        "[range(1000) | range(1000) | range(1000)] | length",
        "first(range(1e9) | select(. < 0))",
        "reduce range(1e7) as $i (0; . + 1)",
        "reduce range(100) as $i (\"x\"; . + .)",
        "reduce range(100) as $i (\"x\"; . * 10)",
        "reduce range(100) as $i ([1]; . + .)",
        "\"x\" * 1e15",
        "\"x\" * 1000000000000",
        ".a = \"x\" | .a *= 1000000000000",
        "reduce range(100000) as $i (0; [.])",
        "reduce range(100000) as $i (0; {a: .})",
        "reduce range(100) as $i (0; [., .])",
        "setpath([range(100000) | \"a\"]; 1)",
        "path(def f: f; f)",
        "path(def f: .a | f; f)",
        "(def f: .a | f; f) |= 1",
        "label $x | def f: f; f",
        "[limit(1e9; repeat(1))] | length",
        "isempty(range(1e9) | empty)",
        "any(range(1e9); . < 0)",
        "[.[]?, (range(1e9))] | sort",
        "[combinations(1e9)]",
        "[[range(1000)], [range(1000)], [range(1000)]] | [combinations] | length",
        "[range(1e9)] |= 1",
    ] {
        let began = std::time::Instant::now();
        let ended = map(code, "{}");
        assert!(ended.is_err(), "{code}: {ended:?}");
        let took = began.elapsed();
        assert!(took < Duration::from_secs(60), "{code}: {took:?}");
    }
    assert_eq!(map("range(1000)", "0").map(|it| it.len()), Ok(1000));
    assert_eq!(
        map("range(1001)", "0"),
        Err("more than 1000 outputs".into())
    );
    assert_eq!(
        map("[range(100000)] | length", "0"),
        Ok(vec!["100000".into()])
    );
}

#[test]
fn what_is_nested_too_deep_is_refused() {
    let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    assert_eq!(map("1", &nested(100)), Ok(vec!["1".into()]));
    // Beyond 127 levels no parser of JSON hands out a value.
    for depth in [101, 127, 128, 5000] {
        let refused = Err("the body is nested too deep".into());
        assert_eq!(map("type", &nested(depth)), refused, "{depth}");
        let object = "{\"a\":".repeat(depth) + "1" + &"}".repeat(depth);
        assert_eq!(map("type", &object), refused, "{depth}");
    }
    assert_eq!(map("type", "[text"), Ok(vec!["string".into()]));
    let deep = format!("{:?} | fromjson", nested(101));
    assert!(map(&deep, "0").is_err());
    for code in [
        nested(100_000),
        nested(300),
        "(".repeat(100_000),
        "-".repeat(10_000) + "1",
        "1".to_owned() + &"|1".repeat(8_000),
        "1".to_owned() + &"+1".repeat(8_000),
        "def f: ".repeat(1_000) + "1",
        "\"\\(".repeat(2_000),
        "if ".repeat(4_000),
    ] {
        let start: String = code.chars().take(20).collect();
        assert!(Filter::compile(&code).is_err(), "{start}");
    }
}
