//! What devices are told, by others and by rules.

use std::sync::Arc;

use bytes::Bytes;
use bytestring::ByteString;
use serde_json::json;

use super::{Context, End, Fleet, Outgoing, Reply, Standing, What};
use crate::device::command::Wanted;
use crate::device::file::Protocol;
use crate::device::model::{Actuator, Vars};
use crate::device::rule::Order;
use crate::device::span::Span;
use crate::device::value::Value;
use crate::error::brief;
use crate::message::topic;
use crate::pace::clock::Nanos;
use crate::random::Random;

/// The most commands that wait to be carried out.
const MOST_PENDING: usize = 100_000;

/// Rules may cause each other so far.
const DEEPEST: u8 = 8;

/// A command that waits to be carried out.
#[derive(Debug)]
pub(super) struct Pending {
    device: u32,
    actuator: u16,
    wanted: Wanted,
    /// As it came, for the answer.
    word: String,
    reply: Option<Reply>,
    depth: u8,
}

/// What has become of a command by the time that whoever gave it is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It is carried out, or will be.
    Taken,
    /// It is not understood.
    Unknown,
    /// It is understood, and has failed.
    Failed,
    /// The device is away, or has too much to do.
    Dropped,
}

impl Fleet {
    /// The topics that a device takes commands at, and those of its updates.
    pub(crate) fn subscriptions(&self, device: usize) -> Vec<(ByteString, u8)> {
        let (it, group) = (&self.model.devices[device], self.model.group(device));
        let topics = group.actuators.iter().map(|actuator| {
            let topic = it.fill(&actuator.command, &actuator.name, &actuator.vars);
            (ByteString::from(topic), actuator.qos)
        });
        let mut topics: Vec<_> = topics.collect();
        topics.dedup_by(|one, other| one.0 == other.0);
        topics.extend(self.update_filters(device));
        topics
    }

    /// The topics that a device publishes to, without those of answers.
    pub(crate) fn topics(&self, device: usize) -> Vec<String> {
        let (it, group) = (&self.model.devices[device], self.model.group(device));
        let sensors = group.sensors.iter();
        let sensors = sensors.map(|sensor| it.fill(&sensor.topic, &sensor.name, &sensor.vars));
        let states = group.actuators.iter().filter_map(|actuator| {
            let state = actuator.state.as_ref()?;
            Some(it.fill(state, &actuator.name, &actuator.vars))
        });
        let status = group.status.as_ref();
        let status = status.map(|status| it.fill(&status.topic, "", &Vars::default()));
        sensors.chain(states).chain(status).collect()
    }

    /// The devices that take commands at a topic.
    pub(crate) fn takers(&self, topic: &str) -> Vec<usize> {
        let targets = self.targets.get(topic).into_iter().flatten();
        let mut devices: Vec<_> = targets.map(|(device, _)| *device as usize).collect();
        devices.dedup();
        devices
    }

    /// A command has come for a device.
    pub(crate) fn command(
        &mut self,
        device: usize,
        topic: &str,
        payload: &Bytes,
        reply: Option<&Reply>,
        now: Nanos,
    ) {
        for actuator in self.tools(device, topic) {
            // Its answer is a message of its own.
            let _ = self.order(device, actuator, payload, reply.cloned(), 0, now);
        }
    }

    /// A command has come for a device, and its answer cannot wait: what takes no time is done at once.
    pub(crate) fn request(
        &mut self,
        device: usize,
        topic: &str,
        payload: &Bytes,
        now: Nanos,
    ) -> Fate {
        let mut worst = Fate::Taken;
        for actuator in self.tools(device, topic) {
            let fate = match self.order(device, actuator, payload, None, 0, now) {
                Ok((id, 0)) => self.act(id, now),
                Ok(_) => Fate::Taken,
                Err(fate) => fate,
            };
            if fate != Fate::Taken {
                worst = fate;
            }
        }
        worst
    }

    /// The actuators of a device that take commands at a topic.
    fn tools(&self, device: usize, topic: &str) -> Vec<usize> {
        let targets = self.targets.get(topic).into_iter().flatten();
        let own = targets.filter(|(it, _)| *it as usize == device);
        own.map(|(_, actuator)| usize::from(*actuator)).collect()
    }

    /// A rule gives a command.
    pub(super) fn carry_out(&mut self, order: Order, depth: u8, now: Nanos) {
        if depth >= DEEPEST {
            self.account.stopped_rules += 1;
            return;
        }
        let payload = Bytes::from(order.payload);
        for (device, actuator) in order.targets {
            self.account.rule_commands += 1;
            let device = device as usize;
            let _ = self.order(device, actuator.into(), &payload, None, depth + 1, now);
        }
    }

    /// The number of what is to be done, and how long it takes; otherwise why it will not be.
    fn order(
        &mut self,
        device: usize,
        actuator: usize,
        payload: &Bytes,
        reply: Option<Reply>,
        depth: u8,
        now: Nanos,
    ) -> Result<(u32, Nanos), Fate> {
        self.account.commands += 1;
        let model = Arc::clone(&self.model);
        let it = &model.group(device).actuators[actuator];
        let word = brief(&String::from_utf8_lossy(payload)).to_string();
        if self.units[device].standing != Standing::Online || self.pending.len() >= MOST_PENDING {
            self.account.dropped_commands += 1;
            return Err(Fate::Dropped);
        }
        let wanted = match it.read(payload) {
            Ok(wanted) => wanted,
            Err(why) => {
                self.account.unknown_commands += 1;
                self.answer(device, actuator, &word, Err(&why), reply.as_ref(), now);
                return Err(Fate::Unknown);
            }
        };
        let delay = it.delay.as_ref();
        let delay = delay.map_or(0, |delay| delay.draw(&mut self.units[device].random));
        let id = self.next_pending;
        self.next_pending = id.wrapping_add(1);
        self.pending.insert(
            id,
            Pending {
                device: device as u32,
                actuator: actuator as u16,
                wanted,
                word,
                reply,
                depth,
            },
        );
        self.schedule(now.saturating_add(delay), device, What::Act(id));
        Ok((id, delay))
    }

    /// Carries out what waits under a number, unless that was done before.
    pub(super) fn act(&mut self, id: u32, now: Nanos) -> Fate {
        let Some(pending) = self.pending.remove(&id) else {
            return Fate::Taken;
        };
        let (device, number) = (pending.device as usize, usize::from(pending.actuator));
        if self.units[device].standing != Standing::Online {
            self.account.dropped_commands += 1;
            return Fate::Dropped;
        }
        let model = Arc::clone(&self.model);
        let actuator = &model.group(device).actuators[number];
        let reply = pending.reply.as_ref();
        let fails = actuator.fail > 0.0 && self.units[device].random.fraction() < actuator.fail;
        if fails {
            self.account.failed += 1;
            let why = Err("the command failed");
            self.answer(device, number, &pending.word, why, reply, now);
            return Fate::Failed;
        }
        match self.apply(device, number, actuator, &pending, now) {
            Ok(()) => self.account.executed += 1,
            Err(why) => {
                self.account.unknown_commands += 1;
                self.answer(device, number, &pending.word, Err(&why), reply, now);
                return Fate::Unknown;
            }
        }
        self.answer(device, number, &pending.word, Ok(()), reply, now);
        if pending.wanted == Wanted::Reboot {
            self.reboot(device, now);
        }
        Fate::Taken
    }

    fn apply(
        &mut self,
        device: usize,
        number: usize,
        actuator: &Actuator,
        pending: &Pending,
        now: Nanos,
    ) -> Result<(), String> {
        let slot = self.model.group(device).sensors.len() + number;
        let value = match &pending.wanted {
            Wanted::Value(value) => value.clone(),
            Wanted::Toggle => {
                let is_on = self.units[device].values[slot] == Value::text("on");
                Value::text(if is_on { "off" } else { "on" })
            }
            Wanted::Intervals(them) => self.configure(device, them, now)?,
            Wanted::Reboot => return Ok(()),
        };
        self.set(device, slot, value.rounded(12), pending.depth, now);
        if actuator.state.is_some() {
            self.publish_state(device, number, now);
        }
        Ok(())
    }

    fn configure(
        &mut self,
        device: usize,
        intervals: &[(Option<String>, Span)],
        now: Nanos,
    ) -> Result<Value, String> {
        let model = Arc::clone(&self.model);
        let sensors = &model.group(device).sensors;
        for (name, _) in intervals {
            if let Some(name) = name
                && sensors.iter().all(|sensor| sensor.name != *name)
            {
                return Err(format!("there is no sensor {}", brief(name)));
            }
        }
        for (name, every) in intervals {
            for (number, sensor) in sensors.iter().enumerate() {
                if name.as_ref().is_none_or(|name| sensor.name == *name) {
                    self.change_interval(device, number, every.clone(), now);
                }
            }
        }
        let all = sensors.iter().zip(&self.units[device].sensors);
        let all = all.map(|(sensor, sensing)| {
            let every = sensing.every.as_deref().unwrap_or(&sensor.every);
            (sensor.name.clone(), json!(every))
        });
        let all: serde_json::Map<_, _> = all.collect();
        Ok(Value::text(&serde_json::Value::Object(all).to_string()))
    }

    fn reboot(&mut self, device: usize, now: Nanos) {
        self.account.reboots += 1;
        let model = Arc::clone(&self.model);
        let group = model.group(device);
        self.end(device, End::Clean, now);
        let first = group.sensors.len();
        for (number, actuator) in group.actuators.iter().enumerate() {
            self.set(device, first + number, actuator.initial.clone(), 0, now);
        }
        let away = group.connect.away.draw(&mut self.units[device].random);
        self.schedule(now.saturating_add(away), device, What::Connect);
    }

    /// Publishes how an actuator is set, where that has a topic and there is something to say.
    pub(super) fn publish_state(&mut self, device: usize, number: usize, now: Nanos) {
        let model = Arc::clone(&self.model);
        let group = model.group(device);
        let actuator = &group.actuators[number];
        let value = &self.units[device].values[group.sensors.len() + number];
        let Some(topic) = actuator.state.as_ref().filter(|_| *value != Value::None) else {
            return;
        };
        let context = Context {
            value,
            state: &actuator.state_of(value),
            ..Context::new(&actuator.name, &actuator.vars)
        };
        let payload = &actuator.payload;
        let it = &model.devices[device];
        let message = Outgoing {
            topic: it.fill(topic, &actuator.name, &actuator.vars).into(),
            payload: self.fill(device, payload, &context, now, &mut Random::new(0, 0)),
            qos: actuator.qos,
            retain: actuator.retain,
            is_answer: false,
            correlation: None,
            time: self.time(now),
        };
        self.publish(device, message);
    }

    /// Answers a command at the actuator's own topic, and where the request wants it.
    fn answer(
        &mut self,
        device: usize,
        number: usize,
        word: &str,
        outcome: Result<(), &str>,
        reply: Option<&Reply>,
        now: Nanos,
    ) {
        let model = Arc::clone(&self.model);
        let (it, group) = (&model.devices[device], model.group(device));
        let actuator = &group.actuators[number];
        // The names of RabbitMQ for answers may have a +, which is a wildcard of MQTT only.
        let can_be_named = |topic: &str| match group.protocol {
            Protocol::Mqtt => topic::check_name(topic).is_ok(),
            Protocol::Amqp | Protocol::Coap => true,
        };
        let reply = reply.filter(|reply| can_be_named(&reply.topic));
        if actuator.ack.is_none() && reply.is_none() {
            return;
        }
        let time = jiff::Timestamp::from_nanosecond(self.time(now).into()).unwrap_or_default();
        let mut answer = json!({
            "device": &*it.id,
            "actuator": actuator.name,
            "command": word,
            "status": if outcome.is_ok() { "ok" } else { "error" },
        });
        match outcome {
            Ok(()) => {
                let value = &self.units[device].values[group.sensors.len() + number];
                answer["value"] = value.json();
            }
            Err(why) => answer["error"] = why.into(),
        }
        answer["timestamp"] = format!("{time:.3}").into();
        let payload = Bytes::from(answer.to_string());
        let message = |topic, is_answer, correlation| Outgoing {
            topic,
            payload: payload.clone(),
            qos: actuator.qos,
            retain: false,
            is_answer,
            correlation,
            time: self.time(now),
        };
        let own = actuator.ack.as_ref();
        let own = own.map(|topic| it.fill(topic, &actuator.name, &actuator.vars));
        let own = own.map(|topic| message(topic.into(), false, None));
        let other =
            reply.map(|reply| message(reply.topic.clone(), true, reply.correlation.clone()));
        for message in own.into_iter().chain(other) {
            self.publish(device, message);
        }
    }
}
