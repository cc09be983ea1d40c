//! One folder per protocol, one file per command; the only room where a protocol meets the terminal.

pub(crate) mod alert;
pub mod amqp;
pub(crate) mod bench;
pub(crate) mod bridge;
pub(crate) mod coap;
pub mod ends;
mod guest;
mod install;
pub(crate) mod log;
pub(crate) mod mqtt;
pub(crate) mod ota;
pub mod ping;
pub(crate) mod replay;
pub(crate) mod route;
pub(crate) mod serving;
pub(crate) mod simulate;
mod trace;
pub(crate) mod watch;

use std::io;
use std::path::PathBuf;

use tokio::runtime;

use crate::error::{Error, Result};
use crate::output::Style;

/// What the command line asked for.
#[derive(Clone, Debug)]
pub enum Command {
    /// `iotctl mqtt …`
    Mqtt(mqtt::Command),
    /// `iotctl coap …`
    Coap(coap::Command),
    /// `iotctl amqp …`
    Amqp(amqp::Command),
    /// `iotctl bench …`
    Bench(bench::Command),
    /// `iotctl log`
    Log(Box<log::Plan>),
    /// `iotctl alert`
    Alert(Box<alert::Plan>),
    /// `iotctl alert list`, `ack` and `silence`
    Alarms(alert::admin::Plan),
    /// `iotctl bridge`
    Bridge(Box<bridge::Plan>),
    /// `iotctl replay`
    Replay(Box<replay::Plan>),
    /// `iotctl route FILE`
    Route(Box<route::Plan>),
    /// `iotctl watch`
    Watch(Box<watch::Plan>),
    /// `iotctl simulate`
    Simulate(Box<simulate::Plan>),
    /// `iotctl ota …`
    Ota(Box<ota::Command>),
    /// A file of routes is to be printed.
    PrintRoutes(Box<route::Written>, Style),
    /// `iotctl install --links DIR`
    Install(PathBuf),
}

/// Pipes whose descriptors are as many as the runtime opens for itself: its poller, its waker, the pair for signals. It
/// panics without them.
const SPARE_PIPES: usize = 3;

/// Makes sure that there are descriptors to start with.
fn spare_descriptors() -> Result<()> {
    let pipes: io::Result<Vec<_>> = (0..SPARE_PIPES).map(|_| io::pipe()).collect();
    pipes.map(drop).map_err(|cause| {
        Error::local("cannot start", &cause).hint("raise the limit of open files (ulimit -n)")
    })
}

/// Runs a command to its end.
///
/// # Errors
/// Whatever kept it from being done in full.
pub fn run(command: Command) -> Result<()> {
    spare_descriptors()?;
    // One thread: a command waits far more than it computes, and starting more would take longer than most of them run.
    let runtime = runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|cause| Error::local("cannot start", &cause))?;
    let ended = match command {
        Command::Mqtt(command) => runtime.block_on(command.run()),
        Command::Coap(command) => runtime.block_on(command.run()),
        Command::Amqp(command) => runtime.block_on(command.run()),
        Command::Bench(command) => runtime.block_on(command.run()),
        Command::Log(plan) => runtime.block_on(log::run(*plan)),
        Command::Alert(plan) => runtime.block_on(alert::run(*plan)),
        Command::Alarms(plan) => alert::admin::run(plan),
        Command::Bridge(plan) => runtime.block_on(bridge::run(*plan)),
        Command::Replay(plan) => runtime.block_on(replay::run(*plan)),
        Command::Route(plan) => runtime.block_on(route::run(*plan)),
        Command::Watch(plan) => runtime.block_on(watch::run(*plan)),
        Command::Simulate(plan) => runtime.block_on(simulate::run(*plan)),
        Command::Ota(command) => runtime.block_on(command.run()),
        Command::PrintRoutes(file, style) => runtime.block_on(route::print(&file.0, style)),
        Command::Install(folder) => install::links(&folder),
    };
    // A name lookup or a read from a terminal may still be blocked in a thread; nobody waits for it.
    runtime.shutdown_background();
    ended
}
