use std::io::{PipeWriter, Write, pipe};
use std::time::Duration;

use tokio::time::timeout;

use super::*;
use crate::message::{Detail, MqttDetail};
use crate::payload::Framing;

/// Bodies from a pipe that the test writes to, in place of standard input.
fn from_pipe(source: &Source, encoding: Encoding) -> (PipeWriter, Bodies) {
    let (reader, writer) = pipe().unwrap();
    (
        writer,
        Bodies::over(reader.into(), source, encoding).unwrap(),
    )
}

const LINES: Source = Source::Lines(Framing::after(b'\n'));

async fn all(bodies: &mut Bodies) -> Result<VecDeque<Message>> {
    let mut into = VecDeque::new();
    while bodies.next(&mut into).await? {}
    Ok(into)
}

async fn payloads(bodies: &mut Bodies) -> Vec<Bytes> {
    let all = all(bodies).await.unwrap();
    all.into_iter().map(|body| body.payload).collect()
}

fn open(source: Source, encoding: Encoding) -> Bodies {
    Bodies::open(&source, encoding).unwrap()
}

fn failure(source: Source, encoding: Encoding) -> Error {
    Bodies::open(&source, encoding).err().unwrap()
}

#[tokio::test]
async fn a_text_and_nothing_are_one_body_each() {
    let text = Source::Text("21.5".into());
    assert_eq!(payloads(&mut open(text, Encoding::Plain)).await, ["21.5"]);
    assert_eq!(
        payloads(&mut open(Source::Empty, Encoding::Plain)).await,
        [""]
    );
    let spelled = Source::Text("3231".into());
    assert_eq!(payloads(&mut open(spelled, Encoding::Hex)).await, ["21"]);
}

#[tokio::test]
async fn the_end_stays_the_end() {
    let mut bodies = open(Source::Empty, Encoding::Plain);
    let mut into = VecDeque::new();
    assert!(bodies.next(&mut into).await.unwrap());
    assert!(!bodies.next(&mut into).await.unwrap());
    assert!(!bodies.next(&mut into).await.unwrap());
    assert_eq!(into.len(), 1);
}

#[test]
fn a_text_that_is_not_what_it_should_be_is_wrong_usage() {
    let error = failure(Source::Text("xy".into()), Encoding::Hex);
    assert_eq!(error.kind(), Kind::Usage);
    assert_eq!(
        error.text(),
        "the message: not hexadecimal: \"x\" at position 1"
    );
}

#[tokio::test]
async fn a_file_is_one_body() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(b"\x00\xff\n").unwrap();
    let source = Source::File(file.path().to_owned());
    assert_eq!(
        payloads(&mut open(source, Encoding::Plain)).await,
        [b"\x00\xff\n"[..].to_owned()]
    );
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let missing = failure(Source::File("/no/such/file".into()), Encoding::Plain);
    assert_eq!(missing.kind(), Kind::Local);
    assert_eq!(
        missing.text(),
        "cannot read /no/such/file: no such file or directory"
    );
    let folder = failure(Source::File("/".into()), Encoding::Plain);
    assert_eq!(folder.text(), "cannot read /: is a directory");
}

#[test]
fn a_file_that_is_too_long_is_refused() {
    let file = tempfile::NamedTempFile::new().unwrap();
    file.as_file().set_len(LONGEST as u64 + 1).unwrap();
    let name = file.path().display().to_string();
    let error = failure(Source::File(file.path().to_owned()), Encoding::Plain);
    assert_eq!(error.kind(), Kind::Local);
    assert_eq!(
        error.text(),
        format!("{name} is longer than 268435455 bytes")
    );
}

#[tokio::test]
async fn a_stream_may_be_one_body() {
    let (mut writer, mut bodies) = from_pipe(&Source::Stdin, Encoding::Plain);
    let long = vec![b'x'; 300_000];
    let expected = Bytes::from(long.clone());
    let writing = std::thread::spawn(move || writer.write_all(&long));
    assert!(payloads(&mut bodies).await == [expected]);
    writing.join().unwrap().unwrap();

    let (writer, mut bodies) = from_pipe(&Source::Stdin, Encoding::Plain);
    drop(writer);
    assert_eq!(payloads(&mut bodies).await, [""]);
}

#[tokio::test]
async fn every_line_is_handed_over_as_soon_as_it_is_read() {
    let (mut writer, mut bodies) = from_pipe(&LINES, Encoding::Plain);
    let mut into = VecDeque::new();
    for line in ["one", "two"] {
        writeln!(writer, "{line}").unwrap();
        assert!(bodies.next(&mut into).await.unwrap());
        assert_eq!(into.pop_front(), Some(Message::plain(line.into())));
    }
    write!(writer, "begun").unwrap();
    let waiting = timeout(Duration::from_millis(30), bodies.next(&mut into));
    assert!(waiting.await.is_err(), "half a line is no body");
    drop(writer);
    assert_eq!(payloads(&mut bodies).await, ["begun"]);
}

#[tokio::test]
async fn many_lines_arrive_once_each_and_in_order() {
    let (mut writer, mut bodies) = from_pipe(&LINES, Encoding::Plain);
    let text: String = (0..100_000)
        .map(|number| format!("line {number}\n"))
        .collect();
    let writing = std::thread::spawn(move || writer.write_all(text.as_bytes()));
    let payloads = payloads(&mut bodies).await;
    writing.join().unwrap().unwrap();
    assert_eq!(payloads.len(), 100_000);
    let in_order = payloads
        .iter()
        .enumerate()
        .all(|(number, line)| *line == format!("line {number}"));
    assert!(in_order);
}

#[tokio::test]
async fn the_lines_before_a_wrong_one_are_handed_out_first() {
    let (mut writer, mut bodies) = from_pipe(&LINES, Encoding::Hex);
    writer.write_all(b"3131\n32\nzz\n33\n").unwrap();
    let mut into = VecDeque::new();
    assert!(bodies.next(&mut into).await.unwrap());
    assert_eq!(
        into,
        [Message::plain("11".into()), Message::plain("2".into())]
    );
    let error = bodies.next(&mut into).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Usage);
    assert_eq!(
        error.text(),
        "standard input:3: not hexadecimal: \"z\" at position 1"
    );
    assert!(!bodies.next(&mut into).await.unwrap());
}

#[tokio::test]
async fn records_are_read_and_blank_lines_passed_over() {
    let (mut writer, mut bodies) = from_pipe(&Source::Records, Encoding::Plain);
    writer
        .write_all(b"{\"topic\":\"a\",\"payload\":\"1\"}\n\n  \r\n{\"payload\":\"2\",\"mqtt\":{\"qos\":2}}")
        .unwrap();
    drop(writer);
    let first = Message {
        topic: "a".into(),
        ..Message::plain("1".into())
    };
    let second = Message {
        detail: Detail::Mqtt(MqttDetail {
            qos: 2,
            ..MqttDetail::default()
        }),
        ..Message::plain("2".into())
    };
    assert_eq!(all(&mut bodies).await.unwrap(), [first, second]);
}

#[tokio::test]
async fn a_wrong_record_is_named_by_its_line() {
    let (mut writer, mut bodies) = from_pipe(&Source::Records, Encoding::Plain);
    writer.write_all(b"\n{\"topic\":\"a\"}\n").unwrap();
    let error = all(&mut bodies).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Usage);
    assert_eq!(
        error.text(),
        "standard input:2: no payload: expected payload, payload_base64 or payload_json"
    );
}

#[test]
fn records_have_their_own_spelling() {
    let error = failure(Source::Records, Encoding::Hex);
    assert_eq!(error.kind(), Kind::Usage);
}

#[tokio::test]
async fn each_message_without_a_topic_goes_to_each_of_ours() {
    let (mut writer, bodies) = from_pipe(&Source::Records, Encoding::Plain);
    let mut bodies = bodies.like(Outline {
        topics: vec!["a".into(), "b".into()],
        ..Outline::default()
    });
    writer
        .write_all(b"{\"payload\":\"1\"}\n{\"topic\":\"c\",\"payload\":\"2\"}")
        .unwrap();
    drop(writer);
    let all = all(&mut bodies).await.unwrap();
    let all: Vec<_> = all.iter().map(|it| (&*it.topic, &it.payload[..])).collect();
    assert_eq!(all, [("a", &b"1"[..]), ("b", b"1"), ("c", b"2")]);
}

#[tokio::test]
async fn a_record_that_cannot_be_sent_is_named_by_its_line() {
    let (mut writer, bodies) = from_pipe(&Source::Records, Encoding::Plain);
    let mut bodies = bodies.like(Outline {
        check: |message| match message.topic.is_empty() {
            true => Err(String::from("no topic")),
            false => Ok(()),
        },
        ..Outline::default()
    });
    let records = b"{\"topic\":\"a\",\"payload\":\"1\"}\n{\"payload\":\"2\"}\n";
    writer.write_all(records).unwrap();
    let mut into = VecDeque::new();
    assert!(bodies.next(&mut into).await.unwrap());
    assert_eq!(into.len(), 1);
    let error = bodies.next(&mut into).await.unwrap_err();
    assert_eq!(error.text(), "standard input:2: no topic");
}

#[tokio::test]
async fn one_body_is_given_again_and_a_template_filled_in_anew() {
    let template = Source::Template(Template::parse("{seq}").unwrap());
    for (source, texts) in [
        (Source::Text("x".into()), ["x", "x"]),
        (template, ["0", "1"]),
    ] {
        let mut bodies = open(source, Encoding::Plain);
        let mut into = VecDeque::new();
        assert!(bodies.next(&mut into).await.unwrap());
        bodies.again(&mut into).unwrap();
        let payloads: Vec<_> = into.iter().map(|it| it.payload.clone()).collect();
        assert_eq!(payloads, texts);
    }
}
