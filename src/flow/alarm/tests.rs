//! Alarms on a virtual clock, in seconds.

use super::*;

/// Alarms, and the time.
struct Bench {
    alarms: Alarms,
    muted: bool,
}

/// `above 27`
fn above() -> Rule {
    Rule {
        name: String::from("high"),
        test: Test::Above(27.0),
        ..Rule::default()
    }
}

const fn seconds(seconds: u64) -> Millis {
    seconds * 1000
}

impl Bench {
    fn new(rule: Rule) -> Self {
        assert_eq!(rule.check(), Ok(()));
        Self {
            alarms: Alarms::new(rule),
            muted: false,
        }
    }

    /// What is told of at that second, after the timers, and after a reading of `key` if there is one.
    fn told(&mut self, second: u64, key: &str, value: Option<&str>) -> Vec<Notice> {
        self.told_of(second, second, key, value)
    }

    /// The same of a reading that is from another second.
    fn told_of(&mut self, second: u64, at: u64, key: &str, value: Option<&str>) -> Vec<Notice> {
        let (now, muted) = (seconds(second), self.muted);
        let (mut notices, muted) = (Vec::new(), |_: &str| muted);
        self.alarms.wake(now, &muted, &mut notices);
        if let Some(value) = value {
            let reading = Reading {
                value: Value::read(value),
                at: seconds(at),
                clock: Clock::Message,
                holds: (value != "failure").then_some(value == "true"),
            };
            self.alarms.read(key, reading, now, &muted, &mut notices);
        }
        notices
    }

    /// Each step is a second, a reading of one key or `-`, and the states that are told.
    #[track_caller]
    fn goes(mut self, steps: &[(u64, &str, &str)]) -> Self {
        for (second, value, expected) in steps {
            let told = self.told(*second, "k", Some(*value).filter(|it| *it != "-"));
            let told: Vec<&str> = told.iter().map(|it| it.state.name()).collect();
            assert_eq!(told.join(" "), *expected, "at {second} with {value}");
        }
        self
    }
}

#[test]
fn each_test_tells_bad_from_good() {
    let range = |test| Rule { test, ..above() };
    for (rule, bad, good) in [
        (above(), &["27.1", "28", "1e9"][..], &["27", "-40"][..]),
        (range(Test::Below(5.0)), &["4.9", "-1"], &["5", "6"]),
        (
            range(Test::Outside(5.0, 30.0)),
            &["4", "31"],
            &["5", "30", "20"],
        ),
        (
            range(Test::Inside(5.0, 30.0)),
            &["5", "30", "20"],
            &["4.9", "30.1"],
        ),
        (range(Test::Equal("on".into())), &["on"], &["off", "1", ""]),
        (
            range(Test::Equal("1.0".into())),
            &["1", "1.00"],
            &["on", "2"],
        ),
        (range(Test::When("…".into())), &["true"], &["false", "1"]),
    ] {
        for bad in bad {
            for good in good {
                Bench::new(rule.clone()).goes(&[
                    (1, good, ""),
                    (2, bad, "firing"),
                    (3, bad, ""),
                    (4, good, "ok"),
                    (5, good, ""),
                ]);
            }
        }
    }
    Bench::new(range(Test::Changed)).goes(&[
        (1, "a", ""),
        (2, "a", ""),
        (3, "b", "firing"),
        (4, "b", "ok"),
    ]);
    let rate = Test::Rate(5.0, seconds(60));
    Bench::new(range(rate)).goes(&[
        (1, "10", ""),
        (61, "15", ""),
        (91, "18", "firing"),
        (151, "20", "ok"),
        (152, "19", "firing"),
    ]);
}

#[test]
fn what_is_between_the_limits_changes_nothing() {
    let clear = Rule {
        clear_below: Some(26.0),
        ..above()
    };
    Bench::new(clear.clone()).goes(&[
        (1, "26.5", ""),
        (2, "27.5", "firing"),
        (3, "26.5", ""),
        (4, "26", ""),
        (5, "25.9", "ok"),
        (6, "26.5", ""),
    ]);
    let held = Rule {
        hold: seconds(10),
        clear_hold: seconds(10),
        ..clear
    };
    // It ends a pending alarm, but does not clear a firing one.
    Bench::new(held).goes(&[
        (1, "28", ""),
        (2, "26.5", ""),
        (12, "28", ""),
        (22, "28", "firing"),
        (23, "25", ""),
        (24, "26.5", ""),
        (34, "-", ""),
        (35, "25", ""),
        (45, "-", "ok"),
    ]);
    let outside = Rule {
        test: Test::Outside(5.0, 30.0),
        clear_above: Some(6.0),
        clear_below: Some(29.0),
        ..above()
    };
    Bench::new(outside).goes(&[
        (1, "4", "firing"),
        (2, "5.5", ""),
        (3, "6.1", "ok"),
        (4, "31", "firing"),
        (5, "29.5", ""),
        (6, "28", "ok"),
    ]);
    let inside = Rule {
        test: Test::Inside(5.0, 30.0),
        clear_above: Some(31.0),
        ..above()
    };
    Bench::new(inside).goes(&[
        (1, "6", "firing"),
        (2, "30.5", ""),
        (3, "31.5", "ok"),
        (4, "6", "firing"),
        (5, "4", "ok"),
    ]);
    let below = Rule {
        test: Test::Below(5.0),
        clear_above: Some(6.0),
        ..above()
    };
    Bench::new(below).goes(&[(1, "4", "firing"), (2, "5.5", ""), (3, "7", "ok")]);
}

#[test]
fn it_must_last() {
    let held = Rule {
        hold: seconds(30),
        clear_hold: seconds(60),
        ..above()
    };
    let mut bench = Bench::new(held.clone()).goes(&[
        (100, "28", ""),
        (110, "26", ""),
        (120, "28", ""),
        (149, "-", ""),
        (150, "-", "firing"),
        (160, "26", ""),
        (170, "28", ""),
        (230, "-", ""),
        (240, "26", ""),
        (299, "-", ""),
    ]);
    let ended = bench.told(300, "k", Some("26"));
    assert_eq!(
        (ended[0].state, ended[0].since, ended[0].at),
        (State::Ok, seconds(300), seconds(300))
    );
    // Readings that come all at once are as far apart as they were.
    let mut bench = Bench::new(held);
    assert_eq!(bench.told_of(1000, 100, "k", Some("28")), []);
    assert_eq!(bench.told_of(1000, 129, "k", Some("28")), []);
    let fired = bench.told_of(1000, 130, "k", Some("28"));
    assert_eq!(
        (fired[0].state, fired[0].since, fired[0].at),
        (State::Firing, seconds(130), seconds(1000))
    );
    assert_eq!(bench.told(2000, "k", None), []);
    assert_eq!(bench.alarms.due(), None);
}

#[test]
fn some_of_the_last_readings_must_be_bad() {
    let some = Rule {
        count: Some((3, 5)),
        ..above()
    };
    Bench::new(some).goes(&[
        (1, "28", ""),
        (2, "20", ""),
        (3, "28", ""),
        (4, "20", ""),
        (5, "28", "firing"),
        (6, "20", "ok"),
        (7, "28", "firing"),
        (8, "28", ""),
        (9, "28", ""),
        (10, "20", ""),
        (11, "20", ""),
        (12, "20", "ok"),
    ]);
}

#[test]
fn missing_readings_neither_raise_nor_end_an_alarm() {
    let stale = Rule {
        stale: Some(seconds(300)),
        hold: seconds(400),
        ..above()
    };
    Bench::new(stale).goes(&[
        (1, "20", ""),
        (200, "20", ""),
        (499, "-", ""),
        (500, "-", "stale"),
        (2000, "-", ""),
        (2001, "20", "ok"),
        // Bad, and then nothing: it was not bad for long enough.
        (2100, "28", ""),
        (2400, "-", "stale"),
        (2600, "-", ""),
        (2601, "28", "ok"),
        (2800, "28", ""),
        (3001, "28", "firing"),
        (3301, "-", "stale"),
        (4000, "28", "firing"),
        (4300, "-", "stale"),
        (4301, "20", "ok"),
    ]);
}

#[test]
fn that_readings_are_missing_may_be_the_alarm() {
    let missing = Rule {
        test: Test::Missing,
        stale: Some(seconds(300)),
        ..above()
    };
    let bench = Bench::new(missing).goes(&[
        (1, "anything", ""),
        (301, "-", "firing"),
        (900, "-", ""),
        (901, "x", "ok"),
        (1201, "-", "firing"),
    ]);
    assert_eq!(bench.alarms.limit(), "5m");
    assert!(bench.alarms.is_firing("k") && !bench.alarms.is_firing("other"));
}

#[test]
fn a_firing_alarm_is_repeated_and_escalates_until_it_is_acknowledged() {
    let rule = Rule {
        repeat: Some(seconds(60)),
        escalation: vec![
            Step {
                after: seconds(90),
                severity: String::from("critical"),
            },
            Step {
                after: seconds(200),
                severity: String::from("page"),
            },
        ],
        ..above()
    };
    let mut bench = Bench::new(rule).goes(&[(100, "28", "firing"), (159, "29", "")]);
    let id = |notices: &[Notice]| notices[0].id;
    let again = bench.told(160, "k", None);
    assert_eq!(
        (again[0].severity.as_str(), again[0].step),
        ("warning", None)
    );
    assert_eq!(
        (&again[0].value, again[0].since),
        (&29.into(), seconds(100))
    );
    let worse = bench.told(190, "k", None);
    assert_eq!(
        (worse[0].severity.as_str(), worse[0].step),
        ("critical", Some(0))
    );
    assert_eq!(id(&worse), id(&again));
    let again = bench.told(250, "k", None);
    assert_eq!(
        (again[0].severity.as_str(), again[0].step),
        ("critical", None)
    );
    assert!(bench.alarms.acknowledge("k") && !bench.alarms.acknowledge("other"));
    let mut bench = bench.goes(&[(5000, "28", ""), (5001, "20", "ok")]);
    assert!(!bench.alarms.acknowledge("k"));
    // The next one is another one, which nobody has acknowledged; it is not at the step of the last.
    let next = bench.told(6000, "k", Some("28"));
    assert_eq!(next[0].severity, "warning");
    assert_ne!(id(&next), id(&again));
    bench.goes(&[
        (6060, "-", "firing"),
        (6090, "-", "firing"),
        (6150, "-", "firing"),
        (6200, "-", "firing"),
    ]);
}

#[test]
fn nothing_is_told_of_what_is_silent_until_that_ends() {
    let silence = |keys: Option<&str>, until| Silence {
        silence: keys.map(String::from),
        until: seconds(until),
    };
    for key in [None, Some("k")] {
        let mut bench = Bench::new(above());
        bench
            .alarms
            .silence(silence(key, 100), 0, &|_| false, &mut Vec::new());
        bench.goes(&[
            (1, "28", ""),
            (2, "20", ""),
            (3, "28", ""),
            (99, "-", ""),
            (100, "-", "firing"),
            (101, "20", "ok"),
        ]);
    }
    let mut bench = Bench::new(above()).goes(&[(1, "28", "firing")]);
    bench
        .alarms
        .silence(silence(Some("other"), 100), 0, &|_| false, &mut Vec::new());
    let mut bench = bench.goes(&[(2, "20", "ok"), (3, "28", "firing")]);
    bench
        .alarms
        .silence(silence(None, 100), seconds(4), &|_| false, &mut Vec::new());
    let mut bench = bench.goes(&[(5, "20", "")]);
    // It is ended early.
    let mut told = Vec::new();
    bench
        .alarms
        .silence(silence(None, 0), seconds(6), &|_| false, &mut told);
    assert_eq!(told[0].state, State::Ok);
    assert_eq!(bench.alarms.silences(), [silence(Some("other"), 100)]);
}

#[test]
fn nothing_is_told_while_another_alarm_explains_it() {
    let mut bench = Bench::new(above());
    bench.muted = true;
    let mut bench = bench.goes(&[(1, "28", ""), (2, "28", "")]);
    bench.muted = false;
    let mut told = Vec::new();
    bench.alarms.look_again(seconds(3), &|_| false, &mut told);
    assert_eq!(told.len(), 1);
    bench.goes(&[(4, "20", "ok")]);
}

#[test]
fn what_changes_too_often_is_flapping() {
    let flapping = Rule {
        flapping: Some((3, seconds(60))),
        ..above()
    };
    Bench::new(flapping).goes(&[
        (100, "28", "firing"),
        (101, "20", "ok"),
        (102, "28", "firing"),
        (103, "20", "flapping"),
        (104, "28", ""),
        (150, "20", ""),
        (209, "-", ""),
        (210, "-", "ok"),
        (300, "28", "firing"),
    ]);
}

#[test]
fn what_is_too_much_is_told_in_one_summary() {
    let limited = Rule {
        limit: Some((2, seconds(3600))),
        ..above()
    };
    let mut bench = Bench::new(limited);
    for (key, told) in [("a", 1), ("b", 1), ("c", 0), ("d", 0)] {
        assert_eq!(bench.told(100, key, Some("28")).len(), told, "{key}");
    }
    assert_eq!(bench.told(3699, "a", Some("20")), []);
    let summary = bench.told(3700, "x", None);
    assert_eq!((&*summary[0].key, summary[0].state), ("*", State::Summary));
    assert_eq!(summary[0].value["count"], 3);
    assert_eq!(summary[0].value["limit"], "2/1h");
    assert_eq!(
        summary[0].value["alarms"][2],
        serde_json::json!({"key": "a", "state": "ok"})
    );
    // It counts.
    assert_eq!(bench.told(3701, "b", Some("20")).len(), 1);
    assert_eq!(bench.told(3702, "c", Some("20")).len(), 0);
    assert_eq!(bench.told(9999, "x", None).len(), 1);
    assert_eq!(bench.alarms.due(), None);
}

#[test]
fn late_and_repeated_readings_change_nothing() {
    let mut bench = Bench::new(Rule {
        count: Some((2, 2)),
        ..above()
    });
    assert_eq!(bench.told_of(100, 50, "k", Some("28")), []);
    // The same again, and one from before.
    assert_eq!(bench.told_of(101, 50, "k", Some("28")), []);
    assert_eq!(bench.told_of(102, 49, "k", Some("28")), []);
    assert_eq!(bench.alarms.counts().late, 2);
    let fired = bench.told_of(103, 51, "k", Some("28"));
    assert_eq!(fired.len(), 1);
    assert_eq!(bench.told_of(104, 51, "k", Some("20")), []);
    // Whoever starts anew with the same readings tells of the same occurrence.
    let mut other = Bench::new(Rule {
        count: Some((2, 2)),
        ..above()
    });
    other.told_of(200, 50, "k", Some("28"));
    assert_eq!(other.told_of(201, 51, "k", Some("28"))[0].id, fired[0].id);
}

#[test]
fn what_comes_at_once_comes_in_order() {
    for (clock, at, states, late) in [
        (Clock::Arrival, 5, 2, 0),
        (Clock::Arrival, 4, 2, 0),
        (Clock::Recording, 5, 2, 0),
        (Clock::Recording, 4, 1, 1),
        (Clock::Message, 5, 1, 1),
    ] {
        let mut alarms = Alarms::new(above());
        let mut told = Vec::new();
        for (at, value) in [(5, "28"), (at, "20")] {
            let reading = Reading {
                value: Value::read(value),
                at: seconds(at),
                clock,
                holds: Some(false),
            };
            alarms.read("k", reading, seconds(5), &|_| false, &mut told);
        }
        assert_eq!(
            (told.len(), alarms.counts().late),
            (states, late),
            "{clock:?} {at}"
        );
    }
}

#[test]
fn what_is_no_number_is_counted() {
    let mut bench = Bench::new(above()).goes(&[
        (1, "28", "firing"),
        (2, "warm", ""),
        (3, "", ""),
        (4, "NaN", ""),
    ]);
    assert_eq!(bench.alarms.counts().no_number, 3);
    assert_eq!(bench.told(5, "k", Some("20")).len(), 1);
}

#[test]
fn only_so_many_keys_are_known() {
    let mut bench = Bench::new(Rule {
        max_keys: 32,
        ..above()
    });
    for (key, value) in [("hot", "30"), ("old", "20"), ("older", "20")] {
        bench.told(1, key, Some(value));
    }
    for second in 2..31 {
        bench.told(second, &second.to_string(), Some("20"));
    }
    assert_eq!(
        (bench.alarms.len(), bench.alarms.counts().forgotten),
        (32, 0)
    );
    bench.told(40, "new", Some("30"));
    // A sixteenth of them, the oldest that were ok.
    assert_eq!(
        (bench.alarms.len(), bench.alarms.counts().forgotten),
        (31, 2)
    );
    assert!(bench.alarms.is_firing("hot") && bench.alarms.is_firing("new"));
    let mut full = Bench::new(Rule {
        max_keys: 1,
        ..above()
    });
    full.told(1, "a", Some("30"));
    assert_eq!(full.told(2, "b", Some("30")), []);
    assert_eq!(full.alarms.counts().no_room, 1);
}

#[test]
fn alarms_go_on_where_they_were() {
    let rule = Rule {
        hold: seconds(30),
        clear_hold: seconds(30),
        repeat: Some(seconds(600)),
        ..above()
    };
    let mut bench = Bench::new(rule.clone());
    for (second, key, value) in [
        (1, "firing", "28"),
        (31, "firing", "28"),
        (32, "clearing", "28"),
        (62, "clearing", "28"),
        (63, "clearing", "20"),
        (80, "pending", "28"),
        (81, "ok", "20"),
    ] {
        for notice in bench.told(second, key, Some(value)) {
            let mark = notice.mark().unwrap();
            bench.alarms.sent(mark, 2);
            bench.alarms.arrived(mark);
            // That of this one has arrived in one of two places only.
            if key != "firing" {
                bench.alarms.arrived(mark);
            }
        }
    }
    let saved: Vec<String> = bench
        .alarms
        .all()
        .map(|it| serde_json::to_string(&it).unwrap())
        .collect();
    assert_eq!(saved.len(), 3);
    assert_eq!(bench.alarms.changed().len(), 3);
    assert!(bench.alarms.changed().is_empty());
    let mut bench = Bench::new(rule);
    for saved in saved {
        bench.alarms.restore(serde_json::from_str(&saved).unwrap());
    }
    let mut told = Vec::new();
    bench.alarms.resume(seconds(90), &|_| false, &mut told);
    let told: Vec<_> = told
        .iter()
        .map(|it| (&*it.key, it.state, it.since))
        .collect();
    assert_eq!(told, [("firing", State::Firing, seconds(31))]);
    assert_eq!(bench.told(92, "x", None), []);
    let told = bench.told(110, "x", None);
    let told: Vec<_> = told.iter().map(|it| (&*it.key, it.state)).collect();
    assert_eq!(told, [("clearing", State::Ok), ("pending", State::Firing)]);
}

#[test]
fn timers_that_were_due_meanwhile_are_due_at_once() {
    let rule = Rule {
        hold: seconds(30),
        stale: Some(seconds(60)),
        ..above()
    };
    let mut bench = Bench::new(rule.clone());
    bench.told(1, "pending", Some("28"));
    bench.told(1, "ok", Some("20"));
    let before = bench.alarms;
    let mut bench = Bench::new(rule);
    before.all().for_each(|it| bench.alarms.restore(it));
    let mut told = Vec::new();
    bench.alarms.resume(seconds(1000), &|_| false, &mut told);
    assert_eq!(
        (&*told[0].key, told[0].state, told[0].since),
        ("pending", State::Firing, seconds(31))
    );
    // Whether readings came meanwhile is not known.
    assert_eq!(told.len(), 1);
    assert_eq!(bench.told(1059, "x", None), []);
    assert_eq!(bench.told(1060, "x", None).len(), 2);
}

#[test]
fn what_contradicts_itself_is_refused() {
    let clear = |test, below, above| Rule {
        test,
        clear_below: below,
        clear_above: above,
        ..Rule::default()
    };
    for (rule, why) in [
        (
            clear(Test::Above(27.0), Some(28.0), None),
            "clear-below 28 is above the limit 27",
        ),
        (
            clear(Test::Above(27.0), None, Some(28.0)),
            "clear-above needs below, outside or inside",
        ),
        (
            clear(Test::Below(5.0), None, Some(4.0)),
            "clear-above 4 is below the limit 5",
        ),
        (
            clear(Test::Below(5.0), Some(4.0), None),
            "clear-below needs above, outside or inside",
        ),
        (
            clear(Test::Outside(5.0, 30.0), Some(31.0), None),
            "clear-below 31 is above the limit 30",
        ),
        (
            clear(Test::Outside(5.0, 30.0), Some(10.0), Some(20.0)),
            "no value is above 20 (clear-above) and below 10 (clear-below)",
        ),
        (
            clear(Test::Inside(5.0, 30.0), Some(6.0), None),
            "clear-below 6 is above the limit 5",
        ),
        (
            clear(Test::Outside(5.0, 5.0), None, None),
            "the range 5..5 is empty",
        ),
        (
            clear(Test::Missing, None, None),
            "no alert condition: above, below, outside, inside, equal, changed, rate, when or stale is needed",
        ),
        (
            Rule {
                count: Some((6, 5)),
                ..above()
            },
            "count 6 of 5: it must be 1 of 1 to 64 of 64",
        ),
        (
            Rule {
                max_keys: 0,
                ..above()
            },
            "max-keys must be at least 1",
        ),
    ] {
        assert_eq!(rule.check(), Err(String::from(why)));
    }
}

#[test]
fn a_message_has_all_there_is_to_know() {
    let mut bench = Bench::new(above());
    let told = bench.told(1_795_208_400, "d7", Some("28.5"));
    let message = told[0].json("high", bench.alarms.limit());
    let text = serde_json::to_string(&message).unwrap();
    let id = format!("{:016x}", told[0].id);
    assert_eq!(
        text,
        format!(
            "{{\"alert\":\"high\",\"key\":\"d7\",\"state\":\"firing\",\"severity\":\"warning\",\"value\":28.5,\"limit\":27,\"since\":\"2026-11-20T21:00:00.000Z\",\"at\":\"2026-11-20T21:00:00.000Z\",\"id\":\"{id}\"}}"
        )
    );
}

/// What 100,000 keys take is computed from the sizes of what is kept for each, and not measured.
#[test]
fn many_alarms_take_little_memory() {
    // Map and vectors grow to the next power of two; the map has a byte more for each of its places.
    let places = 100_000_usize.next_power_of_two();
    let map = places * (size_of::<(std::rc::Rc<str>, u32)>() + 1);
    let entries = places * size_of::<Option<(std::rc::Rc<str>, state::Alarm)>>();
    let timers = places * 2 * size_of::<(Millis, u32)>();
    let key = 16 + "site-12/floor-3/sensor-000042".len();
    let all = map + entries + timers + 100_000 * key;
    assert!(all <= 40_000_000, "{all} bytes");
}

/// Other limits come into force for what is at work, as if they had been there.
#[test]
fn limits_change_at_work() {
    let change = |mut bench: Bench, second: u64, rule: Rule| {
        let (now, mut notices) = (seconds(second), Vec::new());
        bench.alarms.replace(rule, now, &mut notices);
        bench.alarms.review(now, &|_| false, &mut notices);
        let told: Vec<&str> = notices.iter().map(|it| it.state.name()).collect();
        (bench, told.join(" "))
    };
    let held = |hold| Rule {
        hold: seconds(hold),
        ..above()
    };
    let pending = || Bench::new(held(60)).goes(&[(1, "30", "")]);
    // Longer, and shorter: at once where that is over.
    let (bench, told) = change(pending(), 10, held(100));
    assert_eq!(told, "");
    bench.goes(&[(61, "-", ""), (100, "-", ""), (101, "-", "firing")]);
    let (bench, told) = change(pending(), 10, held(20));
    assert_eq!(told, "");
    bench.goes(&[(20, "-", ""), (21, "-", "firing")]);
    let (bench, told) = change(pending(), 10, held(5));
    assert_eq!(told, "firing");
    // What fires does so until a reading is good by the new limit.
    let higher = Rule {
        test: Test::Above(40.0),
        ..above()
    };
    let (bench, told) = change(bench, 11, higher);
    assert_eq!(told, "");
    assert_eq!(*bench.alarms.limit(), 40);
    let bench = bench.goes(&[(12, "41", ""), (13, "39", "ok")]);
    // Silence counts from the last reading.
    let stale = Rule {
        stale: Some(seconds(10)),
        ..above()
    };
    let (bench, told) = change(bench, 20, stale);
    assert_eq!(told, "");
    bench.goes(&[(22, "-", ""), (23, "-", "stale")]);
    // What was left out is told before the limit of notices goes.
    let limited = Rule {
        limit: Some((1, seconds(100))),
        ..above()
    };
    let bench = Bench::new(limited).goes(&[(1, "30", "firing"), (2, "20", "")]);
    let (bench, told) = change(bench, 3, above());
    assert_eq!(told, "summary");
    bench.goes(&[(4, "30", "firing")]);
}
