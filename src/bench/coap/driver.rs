//! The groups and drivers that a CoAP load becomes.

use std::sync::Arc;
use std::time::Duration;

use super::super::driver::{Broken, Dialing, Driver, End, LoadPlan, Session};
use super::observer::Observer;
use super::opener::Opener;
use super::session::{CoapSession, Group, Role};
use super::settings::Settings;
use super::template::Template;
use crate::error::{Error, Result};

impl Settings {
    /// The groups and drivers, all to connect through `opener`.
    ///
    /// # Errors
    /// Requests that no message can carry; no sockets at all.
    pub fn make(&self, opener: &Arc<Opener>) -> Result<LoadPlan> {
        if self.connections() == 0 {
            return Err(Error::usage("no sockets: nothing to do"));
        }
        let framing = opener.framing();
        let mut made = LoadPlan {
            warnings: self.warnings(framing),
            ..LoadPlan::default()
        };
        // Observers are first: they are open before anything is sent.
        if self.observers > 0 {
            self.check_observed()?;
            let group = self.group_of(Role::Observe, framing);
            self.add(&mut made, "observers", group, self.observers, opener);
        }
        if self.sockets > 0 {
            let group = self.group(framing);
            for code in self.mix.methods() {
                Template::new(&group.kind, *code, self.sockets, framing)?;
            }
            self.add(&mut made, "sockets", group, self.sockets, opener);
        }
        Ok(made)
    }

    fn check_observed(&self) -> Result<()> {
        let mut texts = self.uri.path.iter().chain(&self.uri.query);
        match texts.any(|text| text.contains("{seq}")) {
            true => Err(Error::usage("observers need a path without {seq}")),
            false => Ok(()),
        }
    }

    fn add(
        &self,
        made: &mut LoadPlan,
        name: &str,
        group: Group,
        connections: usize,
        opener: &Arc<Opener>,
    ) {
        let silent = matches!(group.role, Role::Idle | Role::Observe);
        let load = (!silent).then(|| self.load.clone());
        made.add(name, connections, load, |before| CoapDriver {
            group: Arc::new(group),
            opener: Arc::clone(opener),
            before,
        });
    }
}

struct CoapDriver {
    group: Arc<Group>,
    opener: Arc<Opener>,
    /// Connections of the groups before this one.
    before: usize,
}

impl Driver for CoapDriver {
    fn dial(&self, index: usize) -> Dialing {
        self.opener.dial(self.before + index)
    }

    fn patience(&self) -> Duration {
        self.opener.patience()
    }

    fn unusable(&self, end: End<'_>) -> Broken {
        self.opener.unusable(end)
    }

    fn session(&self, index: usize, sender: u32) -> Box<dyn Session> {
        let group = Arc::clone(&self.group);
        match group.role {
            Role::Observe => Box::new(Observer::new(group, index, sender)),
            _ => Box::new(CoapSession::new(group, index, sender)),
        }
    }

    fn receivers(&self, _: usize) -> u64 {
        0
    }
}
