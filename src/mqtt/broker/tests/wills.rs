use super::world::{Wishes, World, goodbye, rights, v5, v311, will};
use crate::mqtt::broker::options::Options;
use crate::mqtt::packet::{Connect, Packet, Property, ReasonCode, Will};

/// A world in which `watcher` sees the wills on `w`.
fn watched() -> (World, super::world::Who) {
    let mut world = World::new();
    let watcher = world.connect(v5("watcher"));
    world.subscribe(watcher, "w", 0);
    (world, watcher)
}

fn delayed(seconds: u32) -> Will {
    let mut will = will("w", "gone");
    will.properties.push(Property::WillDelayInterval(seconds));
    will
}

/// A client whose session lasts 100 seconds.
fn mortal(will: Will) -> Connect {
    v5("a").lasting(100).will(will)
}

#[test]
fn only_a_normal_goodbye_takes_the_will_back() {
    let table = [
        (Some(ReasonCode::SUCCESS), 0),
        (Some(ReasonCode::DISCONNECT_WITH_WILL), 1),
        (Some(ReasonCode::UNSPECIFIED_ERROR), 1),
        (None, 1),
    ];
    for (reason, expected) in table {
        let (mut world, watcher) = watched();
        let a = world.connect(v5("a").will(will("w", "gone")));
        if let Some(reason) = reason {
            world.send(a, goodbye(reason));
        }
        world.break_off(a);
        assert_eq!(world.received(watcher).len(), expected, "{reason:?}");
    }
}

#[test]
fn a_protocol_error_and_a_late_packet_bring_the_will() {
    let (mut world, watcher) = watched();
    let a = world.connect(v311("a").will(will("w", "broken")));
    world.send(a, Packet::Connect(Box::new(v311("a"))));
    let b = world.connect(v311("b").keep_alive(1).will(will("w", "late")));
    world.pass_seconds(2);
    assert!(world.is_closed(b));
    assert_eq!(world.received(watcher), ["broken", "late"]);
}

#[test]
fn a_will_waits_for_its_delay_or_for_the_end_of_the_session() {
    // Will delay, session expiry, when it comes.
    for (delay, expiry, due) in [(5, 100, 5), (50, 10, 10), (5, 0, 0), (0, 100, 0)] {
        let (mut world, watcher) = watched();
        let a = world.connect(v5("a").lasting(expiry).will(delayed(delay)));
        world.break_off(a);
        if due > 0 {
            world.pass_seconds(due - 1);
            assert!(
                world.received(watcher).is_empty(),
                "too early: {delay} {expiry}"
            );
            world.pass_seconds(1);
        }
        assert_eq!(world.received(watcher), ["gone"], "{delay} {expiry}");
    }
}

#[test]
fn a_client_that_is_back_in_time_is_not_mourned() {
    let (mut world, watcher) = watched();
    let a = world.connect(mortal(delayed(5)));
    world.break_off(a);
    world.pass_seconds(4);
    world.connect(v5("a").resuming().lasting(100));
    world.pass_seconds(50);
    assert!(world.received(watcher).is_empty());
}

#[test]
fn a_clean_start_ends_the_session_and_so_brings_the_will() {
    let (mut world, watcher) = watched();
    let a = world.connect(mortal(delayed(50)));
    world.break_off(a);
    world.connect(v5("a"));
    assert_eq!(world.received(watcher), ["gone"]);
}

#[test]
fn a_take_over_brings_the_will_unless_it_is_delayed_and_the_session_goes_on() {
    let table = [
        (will("w", "gone"), v5("a").resuming(), 1),
        (will("w", "gone"), v5("a"), 1),
        (delayed(9), v5("a").resuming(), 0),
        (delayed(9), v5("a"), 1),
    ];
    for (at, (will, second, expected)) in table.into_iter().enumerate() {
        let (mut world, watcher) = watched();
        world.connect(mortal(will));
        world.connect(second);
        assert_eq!(world.received(watcher).len(), expected, "row {at}");
    }
}

#[test]
fn a_will_travels_with_its_flags_and_properties() {
    let (mut world, watcher) = watched();
    let mut will = delayed(0);
    will.retain = true;
    will.properties.push(Property::ContentType("text".into()));
    let a = world.connect(v5("a").will(will));
    world.break_off(a);
    let live = world.publishes(watcher).remove(0);
    assert_eq!(live.properties.content_type().as_deref(), Some("text"));
    assert_eq!(live.properties.will_delay_interval(), None);
    let late = world.connect(v5("late"));
    world.subscribe(late, "w", 0);
    assert_eq!(world.described(late), ["gone/0/r"]);
}

#[test]
fn a_will_needs_the_right_to_write() {
    let mut world = World::with(Options {
        access: rights("topic read w"),
        ..Options::default()
    });
    let watcher = world.connect(v5("watcher"));
    world.subscribe(watcher, "w", 0);
    let a = world.connect(v5("a").will(will("w", "gone")));
    world.break_off(a);
    assert!(world.received(watcher).is_empty());
}
