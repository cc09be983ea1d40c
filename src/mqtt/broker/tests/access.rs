use super::world::{Wishes, World, ack, ack_with, message, rights, v5, v311, will};
use crate::mqtt::broker::options::{Access, Options};
use crate::mqtt::broker::{Acl, Users};
use crate::mqtt::packet::{Packet, Publish, ReasonCode};

fn ruled(acl: &str) -> World {
    World::with(Options {
        access: rights(acl),
        ..Options::default()
    })
}

#[test]
fn publishing_without_the_right_is_refused_where_it_can_be() {
    let mut world = ruled("topic read t");
    let (a, old) = (world.connect(v5("a")), world.connect(v311("old")));
    world.subscribe(old, "t", 0);
    for level in 0..3 {
        world.publish(a, message("t", "x", level));
        world.publish(old, message("t", "x", level));
    }
    let refused = ack_with(77, ReasonCode::NOT_AUTHORIZED);
    assert_eq!(
        world.packets(a),
        [Packet::PubAck(refused.clone()), Packet::PubRec(refused)]
    );
    assert_eq!(
        world.packets(old),
        [Packet::PubAck(ack(77)), Packet::PubRec(ack(77))]
    );
}

#[test]
fn a_refused_qos_2_message_frees_its_identifier() {
    let mut world = ruled("topic write allowed\ntopic read #");
    let a = world.connect(v5("a"));
    world.subscribe(a, "allowed", 0);
    world.publish(a, message("denied", "x", 2));
    world.publish(a, message("allowed", "y", 2));
    assert_eq!(world.received(a), ["y"]);
}

#[test]
fn subscribing_without_the_right_is_refused() {
    let mut world = ruled("topic read a/#\ntopic deny a/secret");
    let (a, old) = (world.connect(v5("a")), world.connect(v311("old")));
    assert_eq!(world.subscribe(a, "b", 0), ReasonCode::NOT_AUTHORIZED);
    assert_eq!(
        world.subscribe(a, "a/secret", 0),
        ReasonCode::NOT_AUTHORIZED
    );
    assert_eq!(world.subscribe(a, "a/#", 0), ReasonCode::SUCCESS);
    assert_eq!(world.subscribe(old, "b", 0), ReasonCode::UNSPECIFIED_ERROR);
}

#[test]
fn only_what_may_be_read_is_delivered() {
    let mut world = ruled("topic read a/#\ntopic deny a/secret\nuser ann\ntopic #");
    let (a, ann) = (
        world.connect(v5("a")),
        world.connect(v5("ann").user("ann", "")),
    );
    world.subscribe(a, "#", 0);
    for topic in ["a/x", "a/secret", "b"] {
        world.publish(ann, message(topic, topic, 0));
    }
    assert_eq!(world.received(a), ["a/x"]);
}

#[test]
fn the_sys_topics_belong_to_the_broker() {
    let mut world = World::new();
    let (a, old) = (world.connect(v5("a")), world.connect(v311("old")));
    world.subscribe(a, "$SYS/#", 0);
    world.publish(old, message("$SYS/broker/uptime", "x", 1));
    assert_eq!(world.packets(old), [Packet::PubAck(ack(77))]);
    world.publish(a, message("$SYS/broker/uptime", "x", 1));
    let refused = ack_with(77, ReasonCode::NOT_AUTHORIZED);
    assert_eq!(world.packets(a), [Packet::PubAck(refused)]);
}

#[test]
fn the_sys_topics_are_closed_to_wills_and_aliases_and_retained_messages() {
    let mut world = World::new();
    let watcher = world.connect(v5("watcher"));
    world.subscribe(watcher, "$SYS/#", 0);
    world.subscribe(watcher, "$SYS", 0);
    for topic in ["$SYS", "$SYS/", "$SYS/broker/uptime"] {
        for connect in [v5("a"), v311("old")] {
            let who = world.connect(connect.will(will(topic, "x")));
            world.break_off(who);
        }
        let a = world.connect(v5("a"));
        for level in 0..3 {
            let publish = Publish {
                retain: true,
                ..message(topic, "x", level)
            };
            world.publish(a, publish.clone());
            let mut aliased = publish;
            let alias = crate::mqtt::packet::Property::TopicAlias(1);
            aliased.properties.push(alias);
            world.publish(a, aliased.clone());
            aliased.topic = "".into();
            world.publish(a, aliased);
        }
        assert!(!world.is_closed(a));
    }
    assert!(world.received(watcher).is_empty());
    assert_eq!(world.core.retained.size(), (0, 0));
}

#[test]
fn rights_count_when_a_message_is_sent() {
    let mut world = ruled("topic readwrite #");
    let a = world.connect(v5("a").lasting(100));
    world.subscribe(a, "#", 2);
    let b = world.connect(v5("b"));
    world.publish(b, message("secret", "in flight", 1));
    world.publish(b, message("open", "in flight too", 2));
    assert_eq!(world.publishes(a).len(), 2);
    world.break_off(a);
    for (topic, payload) in [("secret", "queued"), ("open", "queued too")] {
        let publish = Publish {
            retain: true,
            ..message(topic, payload, 1)
        };
        world.publish(b, publish);
    }
    world.core.options.access = rights("topic read open");
    let a = world.connect(v5("a").resuming().lasting(100));
    assert_eq!(world.received(a), ["in flight too", "queued too"]);
    world.subscribe(a, "#", 0);
    assert_eq!(world.received(a), ["queued too"], "retained");
}

#[test]
fn in_a_group_a_message_goes_to_one_who_may_read_it() {
    let mut world = ruled("user ann\ntopic read #\nuser bob\ntopic read open\nuser carl\ntopic #");
    let ann = world.connect(v5("ann").user("ann", ""));
    let bob = world.connect(v5("bob").user("bob", ""));
    for who in [ann, bob] {
        world.subscribe(who, "$share/g/#", 1);
    }
    let carl = world.connect(v5("carl").user("carl", ""));
    for topic in ["secret", "open", "secret", "open"] {
        world.publish(carl, message(topic, topic, 1));
    }
    let got = [world.received(ann), world.received(bob)];
    assert_eq!(got.concat().len(), 4);
    assert!(!got[1].contains(&String::from("secret")));
}

#[test]
fn each_listener_has_its_own_users_and_rights() {
    let open = Access::default();
    let closed = Access {
        users: Some(Users::parse("ann:secret").unwrap()),
        acl: Some(Acl::parse("user ann\ntopic read t").unwrap()),
        allow_anonymous: false,
    };
    let mut world = World::with(Options {
        access: vec![open, closed],
        ..Options::default()
    });
    let table = [
        (0, v5("a"), ReasonCode::SUCCESS),
        (0, v5("b").user("ann", "wrong"), ReasonCode::SUCCESS),
        (1, v5("c"), ReasonCode::NOT_AUTHORIZED),
        (
            1,
            v5("d").user("ann", "wrong"),
            ReasonCode::BAD_USER_NAME_OR_PASSWORD,
        ),
    ];
    for (listener, connect, expected) in table {
        let who = world.open_at(listener);
        assert_eq!(world.connect_by(who, connect).reason, expected);
    }
    let a = world.connect(v5("a").resuming().lasting(100));
    let ann = world.open_at(1);
    let session = v5("ann").user("ann", "secret").lasting(100);
    world.connect_by(ann, session.will(will("t", "gone")));
    world.subscribe(ann, "t", 0);
    world.publish(a, message("t", "from a", 0));
    world.publish(ann, message("t", "from ann", 1));
    assert_eq!(world.received(ann), ["from a"]);
    world.subscribe(a, "t", 0);
    world.break_off(ann);
    world.pass_seconds(101);
    assert!(
        world.received(a).is_empty(),
        "ann must not write, nor her will"
    );
}
