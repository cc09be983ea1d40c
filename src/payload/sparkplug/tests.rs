use data_encoding::HEXLOWER;

use super::*;

/// Payloads as protobuf for Python writes them with the schema of the specification.
const NBIRTH: &str = concat!(
    "08f4d395ffbc3112120a0562645365711880d095ffbc3120045803121d0a0b54656d706572617475726510011880d095ffbc",
    "312009650000ac4112190a064f666673657410021880d095ffbc31200150ffffffff0f12140a034c6f7710031880d095ffbc",
    "31200250feff03121b0a0342696710041880d095ffbc31200858ffffffffffffffffff0112180a045768656e10051880d095",
    "ffbc31200d5880d095ffbc3112110a024f6e10061880d095ffbc31200b7001121b0a044e616d6510071880d095ffbc31200c",
    "7a0870756d702022312212130a04476f6e6510081880d095ffbc31200a380112150a0352617710091880d095ffbc31201182",
    "01020102121a0a0653686f727473100a1880d095ffbc312017820104feff2c01121b0a05466c616773100b1880d095ffbc31",
    "20208201060a000000b040121b0a055465787473100c1880d095ffbc312021820106616200006300123b0a04556e6974100d",
    "1880d095ffbc31200a4a1f0a07656e67556e69740a036c6f771205080c4201431208080318d8ffffff0f69000000000000f8",
    "3f12300a055461626c65100e1880d095ffbc3120108a011b08021201611201621803180c220d0a0608ffffffff0f0a033201",
    "7812320a054d6f746f72100f1880d095ffbc31201392011d120a0a0372706d200750b8171a080a0269641003180522056d6f",
    "746f721800"
);
const NDATA: &str = "08e8d795ffbc31120e100118e8d795ffbc31650000b2411205100250fe0112041063500512090a034c6f7750ffff031801";

const NODE: &str = "spBv1.0/plant/NBIRTH/pump";
const DATA: &str = "spBv1.0/plant/NDATA/pump";

fn bytes(digits: &str) -> Vec<u8> {
    HEXLOWER.decode(digits.as_bytes()).expect(digits)
}

fn values(text: &str) -> Vec<(String, String, String)> {
    let json: serde_json::Value = serde_json::from_str(text).expect(text);
    let metrics = json["metrics"].as_array().expect("metrics");
    let text = |it: &serde_json::Value| it.as_str().map_or_else(|| it.to_string(), String::from);
    metrics
        .iter()
        .map(|it| {
            (
                text(&it["name"]),
                text(&it["type"]),
                it["value"].to_string(),
            )
        })
        .collect()
}

#[test]
fn every_data_type_is_read() {
    let mut births = Births::default();
    let text = births.json(NODE, &bytes(NBIRTH)).unwrap();
    assert!(text.starts_with(concat!(
        r#"{"timestamp":"2023-11-14T22:13:20.500Z","metrics":[{"name":"bdSeq","timestamp":"2023-11-14T22:13:20.000Z","#,
        r#""type":"Int64","value":3},{"name":"Temperature","alias":1,"#
    )));
    assert!(text.ends_with(r#"],"seq":0}"#));
    let table = [
        ("bdSeq", "Int64", "3"),
        ("Temperature", "Float", "21.5"),
        ("Offset", "Int8", "-1"),
        ("Low", "Int16", "-2"),
        ("Big", "UInt64", "18446744073709551615"),
        ("When", "DateTime", "\"2023-11-14T22:13:20.000Z\""),
        ("On", "Boolean", "true"),
        ("Name", "String", "\"pump \\\"1\\\"\""),
        ("Gone", "Double", "null"),
        ("Raw", "Bytes", "\"AQI=\""),
        ("Shorts", "Int16Array", "[-2,300]"),
        (
            "Flags",
            "BooleanArray",
            "[true,false,true,true,false,false,false,false,false,true]",
        ),
        ("Texts", "StringArray", "[\"ab\",\"\",\"c\"]"),
        ("Unit", "Double", "1.5"),
        (
            "Table",
            "DataSet",
            r#"{"columns":["a","b"],"types":["Int32","String"],"rows":[[-1,"x"]]}"#,
        ),
        (
            "Motor",
            "Template",
            r#"{"template_ref":"motor","metrics":[{"name":"rpm","type":"UInt32","value":3000}],"parameters":{"id":5}}"#,
        ),
    ];
    let read = values(&text);
    for ((name, kind, value), read) in table.into_iter().zip(&read) {
        assert_eq!((name, kind, value), (&*read.0, &*read.1, &*read.2));
    }
    assert_eq!(read.len(), table.len());
    assert!(text.contains(r#""properties":{"engUnit":"C","low":-40}"#));
}

#[test]
fn aliases_mean_what_the_birth_certificate_said() {
    let mut births = Births::default();
    let unknown = values(&births.json(DATA, &bytes(NDATA)).unwrap());
    assert_eq!(unknown[0], ("null".into(), "null".into(), "22.25".into()));
    births.json(NODE, &bytes(NBIRTH)).unwrap();
    let known = values(&births.json(DATA, &bytes(NDATA)).unwrap());
    assert_eq!(
        known[0],
        ("Temperature".into(), "Float".into(), "22.25".into())
    );
    assert_eq!(known[1], ("Offset".into(), "Int8".into(), "-2".into()));
    assert_eq!(known[2], ("null".into(), "null".into(), "5".into()));
    assert_eq!(known[3], ("Low".into(), "Int16".into(), "-1".into()));
    // Another node has others; a device shares the aliases of its node, not the names.
    let other = values(
        &births
            .json("spBv1.0/plant/NDATA/other", &bytes(NDATA))
            .unwrap(),
    );
    assert_eq!(other[0].0, "null");
    let device = values(
        &births
            .json("spBv1.0/plant/DDATA/pump/d", &bytes(NDATA))
            .unwrap(),
    );
    assert_eq!((&*device[0].0, &*device[3].1), ("Temperature", "null"));
    // A new certificate is the end of the old.
    births.json(NODE, b"\x18\x00").unwrap();
    let forgotten = values(&births.json(DATA, &bytes(NDATA)).unwrap());
    assert_eq!(forgotten[0].0, "null");
}

#[test]
fn only_topics_of_payloads_are_meant() {
    for topic in [NODE, DATA, "spBv1.0/g/DCMD/n/d", "spBv1.0/g/NDEATH/n"] {
        assert!(is_topic(topic), "{topic}");
    }
    for topic in [
        "spBv1.0/STATE/host",
        "spBv1.0/g/NDATA",
        "spBv1.0/g/X/n",
        "a/spBv1.0/g/NDATA/n",
        "spBv1.0/g/DDATA/n/d/e",
        "spBv1.0/",
    ] {
        assert!(!is_topic(topic), "{topic}");
    }
}

#[test]
fn what_is_cut_or_wrong_is_refused_and_never_panics() {
    let whole = bytes(NBIRTH);
    for end in 0..whole.len() {
        let _ = Births::default().json(NODE, &whole[..end]);
    }
    for at in 0..whole.len() {
        for value in [0, 0x0b, 0x12, 0x7f, 0x80, 0xff] {
            let mut other = whole.clone();
            other[at] = value;
            if let Ok(text) = Births::default().json(NODE, &other) {
                serde_json::from_str::<serde_json::Value>(&text).expect(&text);
            }
        }
    }
    // Nothing is remembered of what could not be read.
    let mut births = Births::default();
    births.json(NODE, &whole[..whole.len() - 1]).unwrap_err();
    assert_eq!(
        values(&births.json(DATA, &bytes(NDATA)).unwrap())[0].0,
        "null"
    );
}

#[test]
fn what_is_remembered_is_bounded() {
    let mut births = Births::default();
    // One metric with an alias, a type and a long name.
    let payload = |alias: u8| {
        let mut metric = vec![0x0a, 0x80, 0x80, 0x04];
        metric.extend([b'x'; 1 << 16]);
        metric.extend([0x10, alias, 0x20, 9]);
        let mut payload = vec![0x12, 0x88, 0x80, 0x04];
        payload.extend(metric);
        payload
    };
    for node in 0..1000 {
        births
            .json(&format!("spBv1.0/g/NBIRTH/{node}"), &payload(1))
            .unwrap();
    }
    let named = |births: &mut Births, node: usize| {
        let text = births
            .json(&format!("spBv1.0/g/NDATA/{node}"), &bytes("12021001"))
            .unwrap();
        values(&text)[0].0 != "null"
    };
    assert!(!named(&mut births, 0) && named(&mut births, 999));
    // The same certificate again and again takes no more.
    for _ in 0..1000 {
        births.json("spBv1.0/g/DBIRTH/999/d", &payload(1)).unwrap();
    }
    assert!(named(&mut births, 999) && named(&mut births, 998));
}
