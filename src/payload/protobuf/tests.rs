use data_encoding::HEXLOWER;

use super::*;

/// A descriptor set by protoc 31 of
///
/// ```text
/// syntax = "proto3";
/// package weather;
/// enum Sky { SKY_UNKNOWN = 0; CLEAR = 1; RAIN = 2; }
/// message Reading {
///   string station = 1; double temp = 2; sint32 offset = 3; repeated int32 samples = 4; repeated string tags = 5;
///   map<string, float> gases = 6; map<int32, Place> places = 7; Sky sky = 8; bytes raw = 9; uint64 count = 10;
///   Place place = 11; bool dry = 12; fixed32 serial = 13; sfixed64 ago = 14; int64 delta = 15;
///   oneof which { string note = 16; int32 code = 17; }
///   repeated Sky skies = 18; repeated Place route = 19;
///   message Place { double lat = 1; double lon = 2; Place inner = 3; }
/// }
/// ```
const SCHEMA: &str = concat!(
    "0aed060a0d776561746865722e70726f746f120777656174686572229d060a0752656164696e6712180a0773746174696f6e",
    "180120012809520773746174696f6e12120a0474656d70180220012801520474656d7012160a066f66667365741803200128",
    "1152066f666673657412180a0773616d706c6573180420032805520773616d706c657312120a047461677318052003280952",
    "047461677312310a05676173657318062003280b321b2e776561746865722e52656164696e672e4761736573456e74727952",
    "05676173657312340a06706c6163657318072003280b321c2e776561746865722e52656164696e672e506c61636573456e74",
    "72795206706c61636573121e0a03736b7918082001280e320c2e776561746865722e536b795203736b7912100a0372617718",
    "092001280c520372617712140a05636f756e74180a200128045205636f756e74122c0a05706c616365180b2001280b32162e",
    "776561746865722e52656164696e672e506c6163655205706c61636512100a03647279180c20012808520364727912160a06",
    "73657269616c180d20012807520673657269616c12100a0361676f180e20012810520361676f12140a0564656c7461180f20",
    "012803520564656c746112140a046e6f7465181020012809480052046e6f746512140a04636f646518112001280548005204",
    "636f646512220a05736b69657318122003280e320c2e776561746865722e536b795205736b696573122c0a05726f75746518",
    "132003280b32162e776561746865722e52656164696e672e506c6163655205726f7574651a380a0a4761736573456e747279",
    "12100a036b657918012001280952036b657912140a0576616c7565180220012802520576616c75653a0238011a510a0b506c",
    "61636573456e74727912100a036b657918012001280552036b6579122c0a0576616c756518022001280b32162e7765617468",
    "65722e52656164696e672e506c616365520576616c75653a0238011a590a05506c61636512100a036c617418012001280152",
    "036c617412100a036c6f6e18022001280152036c6f6e122c0a05696e6e657218032001280b32162e776561746865722e5265",
    "6164696e672e506c6163655205696e6e657242070a0577686963682a2b0a03536b79120f0a0b534b595f554e4b4e4f574e10",
    "0012090a05434c454152100112080a045241494e1002620670726f746f33"
);

/// A reading as protobuf for Python writes it, deterministically.
const READING: &str = concat!(
    "0a04726f6f661100000000008035401805220d01feffffffffffffffff01ac022a01612a0162320a0a03636f32150040ce43",
    "3a0d0805120909000000000000f03f40024a0200ff50ffffffffffffffffff015a140900000000004048401a091100000000",
    "0000f4bf60016d0700000071fbffffffffffffff78ffffffffffffffffff018801099201030102079a010909000000000000",
    "00409a0100"
);

/// The same as its JSON writes it, but for 64-bit integers, which are strings there, and the order of fields.
const JSON: &str = concat!(
    r#"{"station":"roof","temp":21.5,"offset":-3,"samples":[1,-2,300],"tags":["a","b"],"gases":{"co2":412.5},"#,
    r#""places":{"5":{"lat":1.0}},"sky":"RAIN","raw":"AP8=","count":18446744073709551615,"#,
    r#""place":{"lat":48.5,"inner":{"lon":-1.25}},"dry":true,"serial":7,"ago":-5,"delta":-1,"code":9,"#,
    r#""skies":["CLEAR","RAIN",7],"route":[{"lat":2.0},{}]}"#
);

fn bytes(digits: &str) -> Vec<u8> {
    HEXLOWER.decode(digits.as_bytes()).expect(digits)
}

fn schema(root: Option<&str>) -> Result<Schema, String> {
    Schema::read(&bytes(SCHEMA), root)
}

#[test]
fn a_message_is_read_by_its_schema() {
    let schema = schema(None).unwrap();
    let read = json(&bytes(READING), Some(&schema));
    assert_eq!(read.as_deref(), Ok(JSON));
    // Not packed, and what does not fit, is shown by its number.
    let other = json(&bytes("20012002080510011001"), Some(&schema));
    assert_eq!(other.as_deref(), Ok(r#"{"1":5,"2":[1,1],"samples":[1,2]}"#));
    // The parts of a message are merged; of other values the last counts.
    let merged = json(
        &bytes(
            "5a09090000000000004840 5a09110000000000004840 60006001"
                .replace(' ', "")
                .as_str(),
        ),
        Some(&schema),
    );
    assert_eq!(
        merged.as_deref(),
        Ok(r#"{"place":{"lat":48.0,"lon":48.0},"dry":true}"#)
    );
    let empty = json(&bytes("32003a00"), Some(&schema));
    assert_eq!(
        empty.as_deref(),
        Ok(r#"{"gases":{"":null},"places":{"0":null}}"#)
    );
}

#[test]
fn without_a_schema_fields_have_numbers() {
    for (digits, text) in [
        ("", "{}"),
        ("089601", r#"{"1":150}"#),
        ("120774657374696e67", r#"{"2":"testing"}"#),
        ("1a03089601", r#"{"3":{"1":150}}"#),
        ("08010802", r#"{"1":[1,2]}"#),
        ("0a02ff00", r#"{"1":"base64:/wA="}"#),
        ("0d0000803f", r#"{"1":1.0}"#),
        ("0900000000000048c0", r#"{"1":-48.0}"#),
        ("0b08010c", r#"{"1":{"1":1}}"#),
        ("0a03610a62", r#"{"1":"a\nb"}"#),
    ] {
        assert_eq!(json(&bytes(digits), None).as_deref(), Ok(text), "{digits}");
    }
}

#[test]
fn the_type_of_bodies_is_found_or_asked_for() {
    assert!(schema(Some("weather.Reading")).is_ok() && schema(Some("Reading")).is_ok());
    let place = schema(Some("Place")).unwrap();
    assert_eq!(
        json(&bytes("090000000000004840"), Some(&place)).as_deref(),
        Ok(r#"{"lat":48.0}"#)
    );
    let told = schema(Some("Readings")).unwrap_err();
    assert_eq!(
        told,
        "it has no message type \"Readings\"; there is weather.Reading.Place, weather.Reading"
    );
    let twice = [bytes(SCHEMA), bytes("0a0922070a0541206e6577")].concat();
    let told = Schema::read(&twice, None).unwrap_err();
    assert!(
        told.starts_with("it has several message types; name one of "),
        "{told}"
    );
    for digits in ["", "0801", "ff", "0a00"] {
        let told = Schema::read(&bytes(digits), None).unwrap_err();
        assert!(
            told.starts_with("it is not a compiled descriptor set"),
            "{told}"
        );
    }
    // A field of a type that was left out.
    let told = Schema::read(
        &bytes("0a1522130a014d120e0a016618012001280b32032e782e"),
        None,
    )
    .unwrap_err();
    assert!(
        told.starts_with("the type \"x.\" of M.f is not in it"),
        "{told}"
    );
}

#[test]
fn what_is_cut_or_wrong_is_refused_and_never_panics() {
    let (whole, schema) = (bytes(READING), schema(None).unwrap());
    for end in 0..whole.len() {
        let _ = json(&whole[..end], Some(&schema));
    }
    for at in 0..whole.len() {
        for value in [0, 0x0b, 0x0c, 0x12, 0x7f, 0x80, 0xff] {
            let mut other = whole.clone();
            other[at] = value;
            for text in [json(&other, Some(&schema)), json(&other, None)]
                .into_iter()
                .flatten()
            {
                serde_json::from_str::<serde_json::Value>(&text).expect(&text);
            }
        }
    }
    let set = bytes(SCHEMA);
    for at in 0..set.len() {
        let mut other = set.clone();
        other[at] ^= 0x55;
        if let Ok(schema) = Schema::read(&other, None) {
            let _ = json(&whole, Some(&schema));
        }
        let _ = Schema::read(&set[..at], None);
    }
    for (digits, why) in [
        ("08", BadProtobuf::Short),
        ("0a05", BadProtobuf::Short),
        ("0affffffffffffffffff01", BadProtobuf::Short),
        ("08ffffffffffffffffff02", BadProtobuf::Number(1)),
        ("00", BadProtobuf::Tag(0)),
        ("0f", BadProtobuf::Tag(1)),
        ("0c", BadProtobuf::Tag(0)),
        ("0b14", BadProtobuf::Tag(1)),
        ("0b", BadProtobuf::Short),
    ] {
        assert_eq!(json(&bytes(digits), None), Err(why), "{digits}");
    }
    assert_eq!(json(&vec![0x0b; 1 << 20], None), Err(BadProtobuf::Deep));
    assert_eq!(
        json(&[8, 1].repeat(MOST_FIELDS + 1), None),
        Err(BadProtobuf::Many)
    );
    // As deep as messages may nest, and deeper: then it is text.
    let mut nested = vec![8, 1];
    for _ in 0..200 {
        let mut outer = vec![0x0a];
        let mut length = nested.len();
        while length > 0x7f {
            outer.push((length & 0x7f) as u8 | 0x80);
            length >>= 7;
        }
        outer.push(length as u8);
        outer.append(&mut nested);
        nested = outer;
    }
    assert!(json(&nested, None).is_ok());
}
