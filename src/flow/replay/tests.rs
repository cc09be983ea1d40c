use std::io::Write;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use tempfile::NamedTempFile;
use tokio::time::Instant as Clock;

use super::*;
use crate::error::Kind;
use crate::output::Style;
use crate::payload::Form;

/// Records as `--output json` writes them: seconds, topic, payload and whether it is retained.
fn records(of: &[(f64, &str, &str, bool)]) -> String {
    let line = |(seconds, topic, payload, retain): &(f64, &str, &str, bool)| {
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs_f64(1e9 + seconds);
        let time = humantime::format_rfc3339_micros(time);
        format!(
            "{{\"time\":\"{time}\",\"protocol\":\"mqtt\",\"topic\":\"{topic}\",\"payload\":\"{payload}\",\"mqtt\":{{\"qos\":1,\"retain\":{retain}}}}}\n"
        )
    };
    of.iter().map(line).collect()
}

fn file(text: impl AsRef<[u8]>) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(text.as_ref()).unwrap();
    file
}

fn recording(path: &Path) -> Recording {
    Recording {
        file: Some(path.to_owned()),
        form: Form::Records,
        from: 0,
    }
}

fn replay(files: &[&NamedTempFile]) -> Replay {
    Replay {
        recordings: files.iter().map(|file| recording(file.path())).collect(),
        speed: Some(1.0),
        range: Range::default(),
        rounds: Some(1),
        gap: Duration::ZERO,
        stages: Stages::default(),
        prime: false,
        start_at: None,
        retime: None,
        topic: None,
        qos: None,
        retain: true,
        clears: false,
        check: |_| Ok(()),
    }
}

fn quiet() -> Console {
    Console::new(Style {
        quiet: true,
        ..Style::default()
    })
}

/// Payloads with the milliseconds at which they were handed over, and how it ended.
async fn played(replay: &Replay) -> (Vec<(u128, String)>, Result<()>) {
    let verified = match replay.verify(quiet()).await {
        Ok(verified) => verified,
        Err(error) => return (Vec::new(), Err(error)),
    };
    let mut source = Replayed::new(replay, verified, Alarm::Coarse, Ok, quiet()).unwrap();
    drained(&mut source).await
}

async fn drained(source: &mut Replayed<'_>) -> (Vec<(u128, String)>, Result<()>) {
    let (start, mut messages, mut end) = (Clock::now(), Vec::new(), None);
    while end.is_none() {
        source.drive().await.unwrap();
        let now = start.elapsed().as_millis();
        source
            .take(|next| {
                match next {
                    Next::Message(message) => {
                        let text = String::from_utf8(message.payload.to_vec()).unwrap();
                        messages.push((now, text));
                    }
                    Next::Refused(why) => messages.push((now, format!("refused: {why}"))),
                    Next::End(ended) => end = Some(ended),
                    other => panic!("{other:?}"),
                }
                Ok(end.is_none())
            })
            .unwrap();
    }
    (messages, end.unwrap_or(Ok(())))
}

fn texts(messages: &[(u128, String)]) -> Vec<&str> {
    messages.iter().map(|(_, text)| text.as_str()).collect()
}

fn times(messages: &[(u128, String)]) -> Vec<u128> {
    // The paused clock goes in steps of a millisecond.
    messages.iter().map(|(at, _)| (at + 1) / 10 * 10).collect()
}

const FOUR: [(f64, &str, &str, bool); 4] = [
    (0.0, "a", "1", false),
    (0.5, "b", "2", false),
    (2.0, "a", "3", false),
    (2.1, "b", "4", false),
];

#[tokio::test(start_paused = true)]
async fn each_message_is_due_as_it_was_recorded() {
    let file = file(records(&FOUR));
    for (speed, wanted) in [
        (Some(1.0), [0, 500, 2000, 2100]),
        (Some(10.0), [0, 50, 200, 210]),
        (Some(0.5), [0, 1000, 4000, 4200]),
        (None, [0; 4]),
    ] {
        let replay = Replay {
            speed,
            ..replay(&[&file])
        };
        let (messages, ended) = played(&replay).await;
        ended.unwrap();
        assert_eq!(times(&messages), wanted, "{speed:?}");
        assert_eq!(texts(&messages), ["1", "2", "3", "4"]);
    }
}

#[tokio::test(start_paused = true)]
async fn lateness_does_not_add_up() {
    let many: Vec<_> = (0..1000)
        .map(|number| (f64::from(number) * 0.003, "a", "x", false))
        .collect();
    let file = file(records(&many));
    let replay = replay(&[&file]);
    let verified = replay.verify(quiet()).await.unwrap();
    let mut source = Replayed::new(&replay, verified, Alarm::Coarse, Ok, quiet()).unwrap();
    let (messages, _) = drained(&mut source).await;
    let last = messages[999].0;
    assert!((2997..=2999).contains(&last), "{last}");
    assert_eq!(source.count(), 1000);
    let assertion: Assertion = "lag_max < 3ms".parse().unwrap();
    assert_eq!(assertion.check(source.lag()), Ok(()));
}

#[tokio::test(start_paused = true)]
async fn several_recordings_are_merged_and_sorted() {
    let first = file(records(&[(0.0, "a", "1", false), (1.0, "a", "4", false)]));
    // Out of order by less than a second, and compressed.
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    let other = [
        (0.9, "b", "3", false),
        (0.4, "b", "2", false),
        (1.5, "b", "5", false),
    ];
    packed.write_all(records(&other).as_bytes()).unwrap();
    let second = file(packed.finish().unwrap());
    let (messages, ended) = played(&replay(&[&first, &second])).await;
    ended.unwrap();
    assert_eq!(texts(&messages), ["1", "2", "3", "4", "5"]);
    assert_eq!(times(&messages), [0, 400, 900, 1000, 1500]);
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_was_set_back_does_not_send_all_at_once() {
    let file = file(records(&[
        (100.0, "a", "1", false),
        (101.0, "a", "2", false),
        (41.0, "a", "3", false),
        (42.0, "a", "4", false),
    ]));
    let (messages, _) = played(&replay(&[&file])).await;
    assert_eq!(texts(&messages), ["1", "2", "3", "4"]);
    assert_eq!(times(&messages), [0, 1000, 1000, 2000]);
}

#[tokio::test(start_paused = true)]
async fn rounds_keep_their_gap() {
    let file = file(records(&FOUR[..2]));
    let replay = Replay {
        rounds: Some(3),
        gap: Duration::from_secs(1),
        ..replay(&[&file])
    };
    let (messages, _) = played(&replay).await;
    assert_eq!(times(&messages), [0, 500, 1500, 2000, 3000, 3500]);
    // Nothing to send is no reason to go round and round.
    let nothing = Replay {
        rounds: None,
        stages: Stages {
            filter: vec!["payload == none".parse().unwrap()],
            ..Stages::default()
        },
        ..replay
    };
    let (messages, ended) = played(&nothing).await;
    ended.unwrap();
    assert_eq!(messages, []);
}

#[tokio::test(start_paused = true)]
async fn a_part_begins_with_what_was_retained_before() {
    let file = file(records(&[
        (0.0, "a", "old", true),
        (1.0, "b", "retained", true),
        (1.1, "c", "live", false),
        (2.0, "a", "new", true),
        (10.0, "c", "first", false),
        (11.0, "a", "second", false),
        (20.0, "c", "behind", false),
    ]));
    let range = Range {
        from: Some(Bound::After(Duration::from_secs(5))),
        until: Some(Bound::After(Duration::from_secs(20))),
    };
    let primed = Replay {
        range,
        prime: true,
        ..replay(&[&file])
    };
    let (messages, _) = played(&primed).await;
    assert_eq!(texts(&messages), ["retained", "new", "first", "second"]);
    assert_eq!(times(&messages), [0, 0, 0, 1000]);
    let plain = Replay {
        prime: false,
        ..primed
    };
    assert_eq!(texts(&played(&plain).await.0), ["first", "second"]);
}

#[tokio::test(start_paused = true)]
async fn a_torn_last_record_is_skipped_and_a_bad_one_stops_all() {
    let whole = records(&FOUR);
    let torn = file(&whole[..whole.len() - 20]);
    let (messages, ended) = played(&replay(&[&torn])).await;
    ended.unwrap();
    assert_eq!(texts(&messages), ["1", "2", "3"]);
    let bad = file(whole.replacen("\"topic\":\"a\"", "\"topic\":1", 1));
    let (messages, ended) = played(&replay(&[&torn, &bad])).await;
    let error = ended.unwrap_err();
    assert_eq!((messages.len(), error.kind()), (0, Kind::Usage));
    assert!(error.text().contains(":1: topic: "), "{error}");
    let missing = Replay {
        recordings: vec![recording(Path::new("/no/such/file"))],
        ..replay(&[])
    };
    let (_, ended) = played(&missing).await;
    assert_eq!(ended.unwrap_err().kind(), Kind::Local);
}

#[tokio::test(start_paused = true)]
async fn compressed_data_without_its_end_counts_as_far_as_it_goes() {
    let many: Vec<_> = (0..2000)
        .map(|number| (f64::from(number), "a", "x", false))
        .collect();
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    packed.write_all(records(&many).as_bytes()).unwrap();
    let packed = packed.finish().unwrap();
    let torn = file(&packed[..packed.len() * 3 / 4]);
    let replay = Replay {
        speed: None,
        ..replay(&[&torn])
    };
    let (messages, ended) = played(&replay).await;
    ended.unwrap();
    assert!((1000..2000).contains(&messages.len()), "{}", messages.len());
    let survey = replay.survey().await.unwrap();
    assert_eq!(survey.records, messages.len() as u64);
    assert!(survey.torn[0].ends_with("ends within its compressed data"));
}

#[tokio::test(start_paused = true)]
async fn what_is_sent_may_differ_from_what_was_recorded() {
    let file = file(records(&[(0.0, "a", "1970-01-01T00:00:00Z", true)]));
    let replay = Replay {
        topic: Some(Destination::mapped("site1/".into()).unwrap()),
        qos: Some(2),
        retain: false,
        ..replay(&[&file])
    };
    let verified = replay.verify(quiet()).await.unwrap();
    let mut seen = Vec::new();
    let see = |message: Message| {
        seen.push(message.clone());
        Ok(message)
    };
    let mut source = Replayed::new(&replay, verified, Alarm::Coarse, see, quiet()).unwrap();
    drained(&mut source).await.1.unwrap();
    drop(source);
    let mqtt = seen[0].detail.as_mqtt();
    assert_eq!(
        (&*seen[0].topic, mqtt.qos, mqtt.retain),
        ("site1/a", 2, false)
    );
}

#[cfg(feature = "jq")]
#[tokio::test(start_paused = true)]
async fn a_map_makes_none_or_several_of_a_message_when_it_is_due() {
    let file = file(records(&FOUR));
    let mut replay = replay(&[&file]);
    let map = "jq: if . == 2 then empty else (., . * 10) end";
    replay.stages.map = Some(map.parse().unwrap());
    let (messages, ended) = played(&replay).await;
    ended.unwrap();
    assert_eq!(texts(&messages), ["1", "10", "3", "30", "4", "40"]);
    assert_eq!(times(&messages), [0, 0, 2000, 2000, 2100, 2100]);
    replay.stages.map = Some("jq: .a".parse().unwrap());
    let (messages, ended) = played(&replay).await;
    // It goes on after a message that the map fails on.
    assert_eq!(
        texts(&messages),
        [("a", 1), ("b", 2), ("a", 3), ("b", 4)].map(|(topic, it)| {
            format!("refused: {topic}: --map: cannot index {it} with \"a\"")
        })
    );
    ended.unwrap();
}

#[tokio::test]
async fn a_recording_that_can_be_read_once_is_not_replayed_twice() {
    let replay = Replay {
        recordings: vec![Recording {
            file: None,
            form: Form::Records,
            from: 0,
        }],
        rounds: None,
        ..replay(&[])
    };
    let error = replay.verify(quiet()).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.text()),
        (Kind::Usage, "--loop cannot read standard input again")
    );
}
