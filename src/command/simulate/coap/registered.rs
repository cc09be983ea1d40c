//! The registrations of all devices at a directory (`--rd`): each is an endpoint of its own, is updated before its lifetime ends,
//! made anew where the directory has lost it, and taken away at the end (RFC 9176 §5.3).

use std::time::{Duration, Instant};

use tokio::time::sleep_until;

use super::{Fleets, lock, spelled};
use crate::coap::code::Code;
use crate::command::coap::directory::Directory;
use crate::command::coap::keep::due;
use crate::command::coap::rd::{Links, Made, Order, Register, Registration};
use crate::command::coap::session::SessionArgs;
use crate::command::simulate::Plan;
use crate::connect::ConnectArgs;
use crate::device::fleet::Fleet;
use crate::error::{Result, counted};
use crate::output::{Console, Style};
use crate::payload::Source;
use crate::payload::link::{self, Link};

/// How soon an update that failed is tried again, as a part of the lifetime, and at least.
const AGAIN: u32 = 16;
const SOONEST: Duration = Duration::from_secs(1);

/// All registrations.
pub(super) struct Registered {
    session: SessionArgs,
    all: Vec<One>,
    /// Whether it was reported that the directory does not take updates.
    is_away: bool,
    console: Console,
}

struct One {
    order: Order,
    made: Made,
    due: Instant,
}

impl Registered {
    /// Registers each device; `base` is where all of them are.
    pub(super) async fn make(
        shared: &Fleets,
        plan: &Plan,
        base: String,
        console: Console,
    ) -> Result<Option<Self>> {
        let Some(uri) = &plan.rd else {
            return Ok(None);
        };
        let endpoints: Vec<_> = {
            let fleet = &lock(shared).fleet;
            let devices = fleet.model().devices.iter().enumerate();
            devices
                .map(|(at, device)| (device.id.to_string(), links(fleet, at)))
                .collect()
        };
        let session = SessionArgs::of(ConnectArgs {
            url: Some(uri.clone()),
            ..plan.connect.clone()
        });
        let mut directory = Directory::open(&session, plan.style)?;
        let mut all = Vec::new();
        for (id, links) in endpoints {
            let register = Register {
                endpoint: vec![format!("ep={id}")],
                registration: Registration {
                    base: Some(base.clone()),
                    lifetime: plan.lifetime,
                    ..Registration::default()
                },
                links: Links::Of(Source::Text(links.into())),
                simple: false,
                keep: None,
                json: false,
            };
            let order = Order::prepare(&register, &mut directory).await?;
            let made = order.carry_out(&mut directory).await?;
            let due = due(Instant::now(), order.lifetime);
            all.push(One { order, made, due });
        }
        directory.finish().await?;
        drop(directory);
        let count = counted(all.len() as u64, "device");
        console.note(format_args!("{count} registered at {uri}"));
        Ok(Some(Self {
            session,
            all,
            is_away: false,
            console,
        }))
    }

    /// Updates each before its lifetime ends.
    pub(super) async fn keep(&mut self) {
        loop {
            let Some(next) = self.all.iter().map(|one| one.due).min() else {
                return std::future::pending().await;
            };
            sleep_until(next.into()).await;
            match self.update().await {
                Ok(()) => self.is_away = false,
                Err(error) => {
                    if !std::mem::replace(&mut self.is_away, true) {
                        let text = format_args!("a registration was not updated: {error}");
                        self.console.warn(text);
                    }
                    self.put_off();
                }
            }
        }
    }

    /// Updates those whose time has come.
    async fn update(&mut self) -> Result<()> {
        let mut directory = Directory::open(&self.session, Style::default())?;
        let now = Instant::now();
        for one in self.all.iter_mut().filter(|one| one.due <= now) {
            let place = one.made.place.clone();
            let known = match &place {
                Some(place) => {
                    let reply = directory.exchange(Code::POST, place, None).await?;
                    reply.response.code.is_success()
                }
                None => false,
            };
            if !known {
                one.made = one.order.carry_out(&mut directory).await?;
            }
            one.due = due(Instant::now(), one.order.lifetime);
        }
        directory.finish().await
    }

    /// Those whose time has come are tried again a little later.
    fn put_off(&mut self) {
        let now = Instant::now();
        for one in self.all.iter_mut().filter(|one| one.due <= now) {
            one.due = now + (one.order.lifetime / AGAIN).max(SOONEST);
        }
    }

    /// Takes all of them away.
    pub(super) async fn remove(&self) -> Result<()> {
        let mut directory = Directory::open(&self.session, Style::default())?;
        for place in self.all.iter().filter_map(|it| it.made.place.as_ref()) {
            directory.ask(Code::DELETE, place, None).await?;
        }
        directory.finish().await
    }
}

/// What a device offers, in link-format.
fn links(fleet: &Fleet, device: usize) -> String {
    let told = fleet.subscriptions(device);
    let told: Vec<_> = told.iter().map(|(path, _)| path.to_string()).collect();
    let mut paths = fleet.topics(device);
    paths.extend(told.iter().cloned());
    paths.sort_unstable();
    paths.dedup();
    let links = paths.into_iter().map(|path| {
        let kind = match told.contains(&path) {
            true => "actuator",
            false => "sensor",
        };
        Link::new(spelled(&path)).with("rt", kind)
    });
    link::write(&links.collect::<Vec<_>>())
}
