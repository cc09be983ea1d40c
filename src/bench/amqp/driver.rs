//! The groups and drivers that an AMQP load becomes.

use std::sync::Arc;
use std::time::Duration;

use super::super::dial::Dialer;
use super::super::driver::{Broken, Dialing, Driver, End, LoadPlan, Session};
use super::session::AmqpSession;
use super::settings::{Group, Role, Settings};

impl Settings {
    /// The groups, with a driver for each, all to connect through `dialer`.
    pub(crate) fn make(&self, dialer: &Arc<Dialer>) -> LoadPlan {
        let mut made = LoadPlan {
            warnings: self.warnings(),
            ..LoadPlan::default()
        };
        let role = self.role();
        let load = (role != Role::Idle).then(|| self.load.clone());
        // Consumers are first: they are open before anything is sent.
        let all = [
            (Role::Consume, "consumers", self.consumers, None),
            (role, "producers", self.producers, load),
        ];
        for (role, name, connections, load) in all {
            if connections > 0 {
                made.add(name, connections, load, |number| AmqpDriver {
                    group: Arc::new(self.group(role)),
                    dialer: Arc::clone(dialer),
                    number,
                });
            }
        }
        made
    }
}

struct AmqpDriver {
    group: Arc<Group>,
    dialer: Arc<Dialer>,
    /// Connections of the groups before this one.
    number: usize,
}

impl Driver for AmqpDriver {
    fn dial(&self, index: usize) -> Dialing {
        self.dialer.dial(self.number + index)
    }

    fn patience(&self) -> Duration {
        self.dialer.patience()
    }

    fn unusable(&self, end: End<'_>) -> Broken {
        self.dialer.unusable(end)
    }

    fn session(&self, index: usize, sender: u32) -> Box<dyn Session> {
        Box::new(AmqpSession::new(Arc::clone(&self.group), index, sender))
    }

    fn receivers(&self, _: usize) -> u64 {
        match self.group.role {
            Role::Publish => self.group.settings.receivers(),
            _ => 0,
        }
    }
}
