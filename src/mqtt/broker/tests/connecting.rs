use std::time::Duration;

use super::world::{Wishes, World, connecting, v5, v311, will};
use crate::connect::scram::{self, Mechanism};
use crate::mqtt::broker::options::{Access, Options};
use crate::mqtt::broker::{Event, Users};
use crate::mqtt::packet::{Auth, Packet, Property, QoS, ReasonCode, Version};

#[test]
fn what_is_no_connect_closes_without_a_word() {
    let mut world = World::new();
    let stranger = world.open();
    world.send(stranger, Packet::PingReq);
    assert!(world.packets(stranger).is_empty());
    assert!(world.is_closed(stranger));
}

#[test]
fn a_connection_without_connect_is_closed_after_ten_seconds() {
    let mut world = World::new();
    let silent = world.open();
    world.pass_seconds(9);
    assert!(!world.is_closed(silent));
    world.pass_seconds(2);
    assert!(world.is_closed(silent));
}

#[test]
fn an_unknown_level_is_answered_with_return_code_1() {
    let mut world = World::new();
    let stranger = world.open();
    let reason = ReasonCode::UNSUPPORTED_PROTOCOL_VERSION;
    world.malformed(stranger, reason, None);
    assert!(
        matches!(world.next(stranger), Some(Packet::ConnAck(answer)) if answer.reason == reason)
    );
    assert!(world.is_closed(stranger));
}

#[test]
fn a_connect_that_is_malformed_is_told_why_from_mqtt_5_on() {
    for (version, told) in [
        (Some(Version::V5), true),
        (Some(Version::V311), false),
        (None, false),
    ] {
        let mut world = World::new();
        let stranger = world.open();
        let reason = ReasonCode::PROTOCOL_ERROR;
        world.malformed(stranger, reason, version);
        let answer = world.next(stranger);
        let reasons = matches!(&answer, Some(Packet::ConnAck(it)) if it.reason == reason);
        assert_eq!((reasons, answer.is_some()), (told, told), "{version:?}");
        assert!(world.is_closed(stranger));
    }
}

#[test]
fn a_second_connect_is_a_protocol_error() {
    let mut world = World::new();
    let a = world.connect(v5("a"));
    world.send(a, Packet::Connect(Box::new(v5("a"))));
    world.expect_kick(a, ReasonCode::PROTOCOL_ERROR);
    let old = world.connect(v311("b"));
    world.send(old, Packet::Connect(Box::new(v311("b"))));
    assert!(
        world.packets(old).is_empty(),
        "before MQTT 5 a server sends no DISCONNECT"
    );
    assert!(world.is_closed(old));
}

#[test]
fn empty_identifiers_are_assigned_where_the_version_allows_it() {
    let table = [
        (connecting(Version::V31, ""), false),
        (v311(""), true),
        (v311("").resuming(), false),
        (v5(""), true),
        (v5("").resuming(), true),
    ];
    for (connect, accepted) in table {
        let told = connect.version == Version::V5;
        let (_, answer) = World::new().try_connect(connect);
        let expected = if accepted {
            ReasonCode::SUCCESS
        } else {
            ReasonCode::CLIENT_IDENTIFIER_NOT_VALID
        };
        assert_eq!(answer.reason, expected);
        assert_eq!(
            answer.properties.assigned_client_identifier().is_some(),
            told
        );
    }
    let mut world = World::new();
    let names = [v5(""), v5("")].map(|connect| {
        let answer = world.try_connect(connect).1;
        answer.properties.assigned_client_identifier().unwrap()
    });
    assert_ne!(names[0], names[1]);
}

#[test]
fn connack_tells_the_limits_and_only_them() {
    let (_, plain) = World::new().try_connect(v5("a"));
    assert_eq!(plain.properties.topic_alias_maximum(), Some(16));
    assert_eq!(plain.properties.receive_maximum(), Some(1_000));
    assert_eq!(plain.properties.iter().count(), 2);
    let mut world = World::with(Options {
        maximum_qos: QoS::AtLeastOnce,
        retain_available: false,
        max_packet_size: 5_000,
        server_keep_alive: Some(7),
        session_expiry_limit: Some(60),
        response_information: Some("answers/".into()),
        ..Options::default()
    });
    let connect = v5("a")
        .lasting(100)
        .with(Property::RequestResponseInformation(1));
    let told = world.try_connect(connect).1.properties;
    assert_eq!(told.maximum_qos(), Some(1));
    assert_eq!(told.retain_available(), Some(0));
    assert_eq!(told.maximum_packet_size(), Some(5_000));
    assert_eq!(told.server_keep_alive(), Some(7));
    assert_eq!(told.session_expiry_interval(), Some(60));
    assert_eq!(told.response_information().as_deref(), Some("answers/a"));
    let (_, older) = world.try_connect(v311("b"));
    assert!(older.properties.is_empty());
}

#[test]
fn response_information_is_told_only_who_asks() {
    let mut world = World::with(Options {
        response_information: Some("answers/".into()),
        ..Options::default()
    });
    let (_, answer) = world.try_connect(v5("a"));
    assert_eq!(answer.properties.response_information(), None);
}

#[test]
fn a_hashed_password_is_checked_elsewhere_meanwhile_nothing_is_read() {
    let hash = "$7$101$0PDn/ZeYsc+WUxJ4$m0mppmp/6v5KTvcYTIIw2Tm8J8LJnTdfwKw9ZepHW3b4MY5ltfv+1tnTGfk/4Q8UHHlO90tD9pxSUWmycqvnrA==";
    let users = Users::parse(&format!("ann:{hash}")).unwrap();
    let options = Options {
        access: vec![Access {
            users: Some(users),
            ..Access::default()
        }],
        ..Options::default()
    };
    let refused = ReasonCode::BAD_USER_NAME_OR_PASSWORD;
    for (user, password, expected) in [
        ("ann", "password", ReasonCode::SUCCESS),
        ("ann", "x", refused),
        ("eve", "password", refused),
    ] {
        let mut world = World::with(options.clone());
        let who = world.open();
        let connect = v5("a").user(user, password);
        world.send(who, Packet::Connect(Box::new(connect)));
        assert!(!world.core.reads(who));
        assert_eq!(world.next(who), None);
        let login = world.core.take_login(who).unwrap();
        assert!(world.core.take_login(who).is_none());
        world.core.logged_in(who, login.verify(), world.now);
        match world.next(who) {
            Some(Packet::ConnAck(answer)) => assert_eq!(answer.reason, expected),
            other => panic!("{other:?}"),
        }
    }
    // Nobody waits longer for it than for CONNECT.
    let mut world = World::with(options.clone());
    let who = world.open();
    let connect = v5("a").user("ann", "password");
    world.send(who, Packet::Connect(Box::new(connect)));
    world.pass(options.connect_timeout);
    assert!(world.is_closed(who));
    world.core.logged_in(who, true, world.now);
    assert_eq!(world.next(who), None);
}

#[test]
fn passwords_decide() {
    let options = |allow_anonymous| Options {
        access: vec![Access {
            users: Some(Users::parse("ann:secret").unwrap()),
            allow_anonymous,
            ..Access::default()
        }],
        ..Options::default()
    };
    let table = [
        (false, v5("a").user("ann", "secret"), ReasonCode::SUCCESS),
        (
            false,
            v5("a").user("ann", "wrong"),
            ReasonCode::BAD_USER_NAME_OR_PASSWORD,
        ),
        (
            false,
            v5("a").user("bob", "secret"),
            ReasonCode::BAD_USER_NAME_OR_PASSWORD,
        ),
        (false, v5("a"), ReasonCode::NOT_AUTHORIZED),
        (true, v5("a"), ReasonCode::SUCCESS),
        (
            true,
            v311("a").user("ann", ""),
            ReasonCode::BAD_USER_NAME_OR_PASSWORD,
        ),
    ];
    for (anonymous, connect, expected) in table {
        let (_, answer) = World::with(options(anonymous)).try_connect(connect);
        assert_eq!(answer.reason, expected);
    }
}

#[test]
fn without_users_a_name_is_as_good_as_none() {
    for allowed in [true, false] {
        let mut world = World::with(Options {
            access: vec![Access {
                allow_anonymous: allowed,
                ..Access::default()
            }],
            ..Options::default()
        });
        let (_, answer) = world.try_connect(v5("a").user("any", "thing"));
        assert_eq!(answer.reason == ReasonCode::SUCCESS, allowed);
    }
}

#[test]
fn an_authentication_method_is_refused_and_auth_out_of_place_too() {
    let mut world = World::new();
    let (_, answer) =
        world.try_connect(v5("a").with(Property::AuthenticationMethod("SCRAM".into())));
    assert_eq!(answer.reason, ReasonCode::BAD_AUTHENTICATION_METHOD);
    let a = world.connect(v5("a"));
    world.send(a, Packet::Auth(Default::default()));
    world.expect_kick(a, ReasonCode::PROTOCOL_ERROR);
}

fn spoken(mechanism: Mechanism, data: String) -> [Property; 2] {
    [
        Property::AuthenticationMethod(mechanism.name().into()),
        Property::AuthenticationData(data.into()),
    ]
}

fn auth(reason: ReasonCode, mechanism: Mechanism, data: String) -> Packet {
    let properties = spoken(mechanism, data).into_iter().collect();
    Packet::Auth(Auth { reason, properties })
}

/// The data of an AUTH packet with this reason.
#[track_caller]
fn asked(packet: Option<Packet>, reason: ReasonCode) -> String {
    match packet {
        Some(Packet::Auth(auth)) => {
            assert_eq!(auth.reason, reason);
            let data = auth.properties.authentication_data().unwrap();
            String::from_utf8(data.to_vec()).unwrap()
        }
        other => panic!("AUTH was to come, not {other:?}"),
    }
}

#[test]
fn scram_logs_in_and_authenticates_again() {
    let goes_on = ReasonCode::CONTINUE_AUTHENTICATION;
    let users = "ann:secret\nbob:$7$101$0PDn/ZeYsc+WUxJ4$m0mppmp/6v5KTvcYTIIw2Tm8J8LJnTdfwKw9ZepHW3b4MY5ltfv+1tnTGfk/4Q8UHHlO90tD9pxSUWmycqvnrA==";
    for (user, password, accepted) in [
        ("ann", "secret", true),
        ("ann", "wrong", false),
        ("eve", "secret", false),
        // Of a hash no proof can be checked.
        ("bob", "password", false),
    ] {
        for mechanism in [Mechanism::Sha256, Mechanism::Sha512] {
            let mut world = World::with(Options {
                access: vec![Access {
                    users: Some(Users::parse(users).unwrap()),
                    allow_anonymous: false,
                    ..Access::default()
                }],
                ..Options::default()
            });
            let a = world.open();
            let mut client = scram::Client::new(mechanism, user, password.into());
            let [method, data] = spoken(mechanism, client.first());
            let connect = v5("a").with(method).with(data);
            world.send(a, Packet::Connect(Box::new(connect)));
            let challenge = asked(world.next(a), goes_on);
            let last = client.last(&challenge).unwrap();
            world.send(a, auth(goes_on, mechanism, last));
            let Some(Packet::ConnAck(answer)) = world.next(a) else {
                panic!("CONNACK was to come");
            };
            if !accepted {
                assert_eq!(answer.reason, ReasonCode::NOT_AUTHORIZED);
                continue;
            }
            assert_eq!(answer.reason, ReasonCode::SUCCESS);
            let proof = answer.properties.authentication_data().unwrap();
            assert_eq!(client.check(str::from_utf8(&proof).unwrap()), Ok(()));
            let mut again = scram::Client::new(mechanism, user, password.into());
            let first = auth(ReasonCode::REAUTHENTICATE, mechanism, again.first());
            world.send(a, first);
            let challenge = asked(world.next(a), goes_on);
            let last = again.last(&challenge).unwrap();
            world.send(a, auth(goes_on, mechanism, last));
            let proof = asked(world.next(a), ReasonCode::SUCCESS);
            assert_eq!(again.check(&proof), Ok(()));
            world.send(a, auth(goes_on, mechanism, String::new()));
            world.expect_kick(a, ReasonCode::PROTOCOL_ERROR);
        }
    }
}

#[test]
fn one_connection_too_many_is_refused_but_a_take_over_is_not() {
    let mut world = World::with(Options {
        max_connections: Some(1),
        ..Options::default()
    });
    let a = world.connect(v5("a"));
    assert_eq!(
        world.try_connect(v5("b")).1.reason,
        ReasonCode::QUOTA_EXCEEDED
    );
    let again = world.connect(v5("a"));
    world.expect_kick(a, ReasonCode::SESSION_TAKEN_OVER);
    world.leave(again);
    world.connect(v5("b"));
}

#[test]
fn wills_beyond_the_limits_are_refused() {
    let options = || Options {
        maximum_qos: QoS::AtMostOnce,
        retain_available: false,
        ..Options::default()
    };
    let mut loud = will("w", "x");
    loud.qos = QoS::AtLeastOnce;
    let mut kept = will("w", "x");
    kept.retain = true;
    let table = [
        (loud, ReasonCode::QOS_NOT_SUPPORTED),
        (kept, ReasonCode::RETAIN_NOT_SUPPORTED),
        (will("w", "x"), ReasonCode::SUCCESS),
    ];
    for (will, expected) in table {
        let (_, answer) = World::with(options()).try_connect(v5("a").will(will));
        assert_eq!(answer.reason, expected);
    }
}

#[test]
fn silence_for_one_and_a_half_keep_alives_ends_the_connection() {
    let mut world = World::new();
    let a = world.connect(v5("a").keep_alive(10));
    world.pass_seconds(14);
    world.send(a, Packet::PingReq);
    assert_eq!(world.packets(a), [Packet::PingResp]);
    world.pass_seconds(14);
    assert!(!world.is_closed(a));
    world.pass_seconds(1);
    world.expect_kick(a, ReasonCode::KEEP_ALIVE_TIMEOUT);
}

#[test]
fn a_busy_connection_has_one_reminder_at_a_time() {
    let mut world = World::new();
    let a = world.connect(v5("a").keep_alive(4));
    for _ in 0..100 {
        world.pass_seconds(3);
        world.send(a, Packet::PingReq);
    }
    assert_eq!(world.packets(a).len(), 100);
    assert!(world.core.timers.len() <= 1, "{}", world.core.timers.len());
}

#[test]
fn keep_alive_zero_is_never_overdue() {
    let mut world = World::new();
    let a = world.connect(v311("a"));
    world.pass_seconds(100_000);
    assert!(!world.is_closed(a));
}

#[test]
fn the_servers_keep_alive_counts() {
    let mut world = World::with(Options {
        server_keep_alive: Some(2),
        ..Options::default()
    });
    let a = world.connect(v5("a").keep_alive(1_000));
    world.pass_seconds(3);
    world.expect_kick(a, ReasonCode::KEEP_ALIVE_TIMEOUT);
}

#[test]
fn a_closing_connection_that_is_not_read_is_dropped_in_the_end() {
    let mut world = World::new();
    let a = world.connect(v5("a"));
    world.send(a, Packet::Connect(Box::new(v5("a"))));
    assert!(!world.is_closed(a), "DISCONNECT still waits");
    world.pass(Duration::from_secs(3));
    assert!(world.is_closed(a));
}

#[test]
fn shutting_down_tells_those_who_understand_it() {
    let mut world = World::new();
    let (a, b) = (
        world.connect(v5("a").will(will("w", "x"))),
        world.connect(v311("b")),
    );
    world.subscribe(b, "w", 0);
    world.core.shut_down(world.now);
    world.expect_kick(a, ReasonCode::SERVER_SHUTTING_DOWN);
    assert!(world.packets(b).is_empty());
    assert!(world.is_closed(b));
}

#[test]
fn events_tell_who_came_and_went() {
    let mut world = World::new();
    let a = world.connect(v5("a"));
    world.leave(a);
    let connected = Event::Connected {
        client_id: "a".into(),
        peer: String::from("here"),
        version: Version::V5,
        resumed: false,
    };
    let gone = Event::Disconnected {
        client_id: "a".into(),
        reason: Some(ReasonCode::SUCCESS),
    };
    assert_eq!(world.events(), [connected, gone]);
}
