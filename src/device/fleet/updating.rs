//! Firmware updates in time: what an agent wants is done by its device.

use bytes::Bytes;
use bytestring::ByteString;

use super::{Effect, End, Fleet, Outgoing, Reply, Standing, What};
use crate::device::agent::{Act, Moment};
use crate::pace::clock::Nanos;

impl Fleet {
    /// A message has come for a device, fresh or because the server had retained it: for the agent of its updates, or a command.
    pub(crate) fn message(
        &mut self,
        device: usize,
        topic: &str,
        payload: &Bytes,
        retained: bool,
        reply: Option<&Reply>,
        now: Nanos,
    ) {
        let agent = self.units[device].agent.as_mut();
        match agent.is_some_and(|it| it.message(topic, payload, retained, now, &mut self.account)) {
            true => self.update(device, now),
            false => self.command(device, topic, payload, reply, now),
        }
    }

    /// Wakes the agent of a device.
    pub(super) fn wake(&mut self, device: usize, now: Nanos) {
        let agent = self.units[device].agent.as_mut();
        if agent.is_some_and(|it| it.is_alarm(now)) {
            self.update(device, now);
        }
    }

    /// A device is connected: its agent says so, and goes on.
    pub(super) fn connect_agent(&mut self, device: usize, now: Nanos) {
        if let Some(agent) = &mut self.units[device].agent {
            agent.connected();
            self.tell_presence(device, true, now);
            self.update(device, now);
        }
    }

    /// Does what the agent of a device wants done.
    pub(super) fn update(&mut self, device: usize, now: Nanos) {
        let clock = self.time(now);
        let unit = &mut self.units[device];
        let online = unit.standing == Standing::Online;
        let Some(agent) = &mut unit.agent else {
            return;
        };
        if unit.standing == Standing::Dead {
            return;
        }
        let moment = Moment { now, clock, online };
        let acts = agent.go_on(moment, &mut self.account);
        if let Some(at) = agent.alarm(now) {
            self.schedule(at, device, What::Update);
        }
        for act in acts {
            match act {
                Act::Publish(message) => self.publish(device, message),
                Act::Subscribe(filters) => {
                    self.effects.push_back(Effect::Subscribe(device, filters));
                }
                Act::Unsubscribe(filters) => {
                    self.effects.push_back(Effect::Unsubscribe(device, filters));
                }
                Act::Restart(up) => self.restart(device, up, now),
            }
        }
    }

    /// A device is away while it starts again; one that is away already comes back when it was to.
    fn restart(&mut self, device: usize, up: Nanos, now: Nanos) {
        self.account.reboots += 1;
        if self.is_online(device) {
            self.end(device, End::Clean, now);
            self.schedule(up, device, What::Connect);
        }
    }

    /// Says whether a device is there, where no status does.
    pub(super) fn tell_presence(&mut self, device: usize, is_there: bool, now: Nanos) {
        if let Some(message) = self.presence(device, is_there, now) {
            self.publish(device, message);
        }
    }

    /// What the agent of a device without a status says of its being there.
    pub(super) fn presence(&self, device: usize, is_there: bool, now: Nanos) -> Option<Outgoing> {
        let agent = self.units[device].agent.as_ref();
        let agent = agent.filter(|_| self.model.group(device).status.is_none())?;
        let (topic, payload) = agent.presence(is_there);
        Some(Outgoing {
            topic,
            payload,
            qos: 1,
            retain: true,
            time: self.time(now),
            ..Outgoing::default()
        })
    }

    /// What the agent of a device subscribes to.
    pub(super) fn update_filters(&self, device: usize) -> Vec<(ByteString, u8)> {
        let agent = self.units[device].agent.as_ref();
        agent.map(|agent| agent.filters()).unwrap_or_default()
    }
}
