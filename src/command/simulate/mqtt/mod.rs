//! Devices that speak MQTT: one loop drives a fleet and the sessions of all its connections.
//!
//! The engine of `bench` shares nothing between connections, and measures; here rules make devices act on each other, and what
//! counts is each message's fate. So the loop is one of its own, over the same transports, wake-up list and dialer.
//!
//! | part | what it is for |
//! |---|---|
//! | [`seat`] | one device: its session, its transport, what waits |
//! | [`world`] | all of them: opening, closing, time |
//! | [`traffic`] | what comes over the connections, and goes out |

mod seat;
mod traffic;
mod world;

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use self::world::World;
use super::looking::Lookers;
use super::{Plan, ends};
use crate::bench::dial::Dialer;
use crate::bench::system::reserve_descriptors;
use crate::command::mqtt::session::login;
use crate::connect::{Environment, Protocol};
use crate::device::file;
use crate::device::fleet::Fleet;
use crate::device::model::Model;
use crate::error::{Error, Kind, Result, counted};
use crate::output::Console;
use crate::pace::clock::Clock;
use crate::stop::Stop;

/// Runs the fleet until its time is over or a signal comes.
pub(super) async fn run(model: Model, plan: &Plan, console: Console) -> Result<()> {
    let environment = Environment::of_process();
    let target = plan.connect.clone().resolve(Protocol::Mqtt, &environment)?;
    if target.is_insecure() {
        console.warn(format_args!(
            "the certificate of {target} is not verified (--insecure)"
        ));
    }
    let login = login(plan.mechanism, &target)?;
    let devices = model.devices.len();
    let unfit = |error: Error| match error.kind() {
        Kind::Local => error.of_kind(Kind::Usage),
        _ => error,
    };
    reserve_descriptors(devices as u64, "").map_err(unfit)?;
    let dialer = Dialer::new(target.clone(), plan.bind.clone(), (devices, "")).await;
    let dialer = Arc::new(dialer.map_err(unfit)?);
    let mut lookers = Lookers::begin(plan, console).await?;
    let mut stop = plan.stop()?;
    let clock = model.start.unwrap_or_else(|| Clock::start().now());
    let summary = model.summary();
    let fleet = Fleet::new(model, clock).at_speed(plan.speed);
    let mut world = World::new(fleet, dialer, target, login, plan, console);
    console.note(format_args!("{summary}; the totals follow at the end"));
    let end = plan.duration.map(|time| world.began() + time);
    let ran = live(&mut world, &mut lookers, &mut stop, end).await;
    let signal = ran?;
    let unconnected = world.unconnected();
    world.finish(plan.drain());
    lookers.judge(&world.fleet);
    let closed = stop.close(leave(&mut world, plan.drain())).await;
    let seconds = world.began().elapsed().as_secs_f64();
    world.settle_all();
    let outcome = ends::report(world.account(), file::Protocol::Mqtt, seconds, plan);
    let asked = signal.or_else(|| closed.err()).map(|asked| {
        let text = String::from("interrupted");
        Error::new(asked.kind(), text)
    });
    outcome?;
    if let Some((refused, first)) = world.refusals() {
        let text = format!(
            "{} could not be connected: {first}",
            counted(refused, "device")
        );
        return Err(first.reworded(text));
    }
    match asked.or(unconnected) {
        Some(error) => Err(error),
        None => Ok(()),
    }
}

/// Until the end, or the first signal.
async fn live(
    world: &mut World,
    lookers: &mut Lookers<'_>,
    stop: &mut Stop,
    end: Option<Instant>,
) -> Result<Option<crate::stop::Asked>> {
    while end.is_none_or(|end| Instant::now() < end) {
        tokio::select! {
            biased;
            asked = stop.asked() => return Ok(Some(asked)),
            turned = world.turn(end) => turned?,
        }
        lookers.look(&world.fleet)?;
    }
    Ok(None)
}

/// Until all have left, or for as long as that may take.
async fn leave(world: &mut World, drain: Duration) {
    let end = Instant::now() + drain;
    while !world.is_over() && Instant::now() < end {
        if world.turn(Some(end)).await.is_err() {
            break;
        }
    }
}
