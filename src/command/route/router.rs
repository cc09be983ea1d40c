//! Which messages go where, and as what; no file and no connection.

use std::cell::OnceCell;
use std::time::SystemTime;

use bytestring::ByteString;
use serde_json::Value;

use crate::command::ends::carry::{self, Losses};
use crate::command::ends::hops;
use crate::connect::Protocol;
use crate::error::{Error, Kind, Result, brief};
use crate::flow::{Origin, Outgoing, Routed, Router};
use crate::message::{Detail, Message, MqttDetail, UNTIMED};
use crate::output::Console;
use crate::payload::captures::{Captures, Pattern};
use crate::payload::expect::{Changes, Condition, Scope};
use crate::payload::jq::Input;
use crate::payload::map::Map;
use crate::payload::template::{Filler, Template};

/// A route that was checked.
#[derive(Debug)]
pub(super) struct Route {
    /// The indices of its sources.
    pub(super) from: Vec<usize>,
    pub(super) pattern: Pattern,
    pub(super) condition: Option<Condition>,
    pub(super) map: Option<Map>,
    pub(super) topic_out: Option<Template>,
    /// The indices of its targets.
    pub(super) to: Vec<usize>,
    pub(super) otherwise: Vec<usize>,
    pub(super) qos: Option<u8>,
    pub(super) retain: Option<bool>,
    pub(super) last: bool,
}

/// What messages are to be at a target.
#[derive(Clone, Debug, Default)]
pub(super) struct Shape {
    pub(super) protocol: Option<Protocol>,
    pub(super) exchange: Option<ByteString>,
    pub(super) qos: Option<u8>,
    pub(super) retain: Option<bool>,
}

/// A message that is routed.
struct Arrival {
    message: Message,
    topic: ByteString,
    /// Its body, once it was looked at.
    json: OnceCell<Option<Value>>,
    now: SystemTime,
}

fn json(message: &Message) -> Option<Value> {
    serde_json::from_slice(&message.payload).ok()
}

/// What became of a message, the worst first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fate {
    /// No route is about its topic.
    #[default]
    Uncovered,
    /// It did not fulfil the condition of the route with this index.
    Unfulfilled(usize),
    /// A route sent it somewhere.
    Routed,
}

/// All routes.
pub(super) struct Routes {
    pub(super) routes: Vec<Route>,
    /// By index.
    pub(super) targets: Vec<Shape>,
    pub(super) origin: Origin,
    /// Where refused messages go.
    pub(super) dead_letters: Option<usize>,
    changes: Option<Changes>,
    filler: Filler,
    losses: Losses,
    /// What cannot be carried is a failure.
    strict: bool,
    /// What is added to the list of who a message has crossed; `None`: nothing is sent.
    name: Option<ByteString>,
    console: Console,
    /// How often each route was taken.
    taken: Vec<u64>,
    /// What became of the last message.
    pub(super) fate: Fate,
}

impl Routes {
    pub(super) fn new(
        routes: Vec<Route>,
        targets: Vec<Shape>,
        origin: Origin,
        dead_letters: Option<usize>,
        console: Console,
    ) -> Self {
        let conditions = routes.iter().filter_map(|route| route.condition.as_ref());
        Self {
            changes: Changes::of(conditions),
            taken: vec![0; routes.len()],
            routes,
            targets,
            origin,
            dead_letters,
            filler: Filler::seeded(None),
            losses: Losses::default(),
            strict: false,
            name: None,
            console,
            fate: Fate::default(),
        }
    }

    /// Servers get messages with this name in the list of who they have crossed.
    pub(super) fn named(mut self, name: ByteString) -> Self {
        self.name = Some(name);
        self
    }

    /// What cannot be carried is a failure of its message.
    pub(super) fn strict(mut self) -> Self {
        self.losses = Losses::of_each(true);
        self.strict = true;
        self
    }

    /// Other routes between the same sources and targets; `taken`: how often they were taken already.
    pub(super) fn replace(&mut self, routes: Vec<Route>, taken: Vec<u64>) {
        let conditions = routes.iter().filter_map(|route| route.condition.as_ref());
        self.changes = Changes::after(self.changes.take(), conditions);
        (self.routes, self.taken) = (routes, taken);
    }

    /// How often each route was taken, in their order.
    pub(super) fn taken(&self) -> &[u64] {
        &self.taken
    }

    /// Whether a route is about the topic of a message from the source with this index.
    pub(super) fn covers(&self, source: usize, message: &Message) -> bool {
        let topic = carry::topic_of(message);
        let mut routes = self.routes.iter();
        routes.any(|it| it.from.contains(&source) && it.pattern.matches(&topic).is_some())
    }

    /// Appends what becomes of a message from the source with this index at `now`.
    ///
    /// # Errors
    /// A map that fails.
    pub(super) fn pass(
        &mut self,
        message: Message,
        source: usize,
        now: SystemTime,
        into: &mut Outgoing,
    ) -> Result<()> {
        if let Some(changes) = &mut self.changes {
            changes.see(&message, || json(&message));
        }
        let arrival = Arrival {
            topic: carry::topic_of(&message),
            message,
            json: OnceCell::new(),
            now,
        };
        hops::check_count(&arrival.message, &arrival.topic)?;
        self.fate = Fate::Uncovered;
        let routes = std::mem::take(&mut self.routes);
        let mut passed = Ok(());
        for (at, route) in routes.iter().enumerate() {
            if !route.from.contains(&source) {
                continue;
            }
            let Some(captures) = route.pattern.matches(&arrival.topic) else {
                continue;
            };
            if !self.holds(route, &arrival, &captures) {
                let fate = match route.otherwise.is_empty() {
                    true if matches!(self.fate, Fate::Unfulfilled(_)) => self.fate,
                    true => Fate::Unfulfilled(at),
                    false => Fate::Routed,
                };
                self.fate = self.fate.max(fate);
                passed = self.send_otherwise(route, &arrival, into);
                if passed.is_err() {
                    break;
                }
                continue;
            }
            self.fate = Fate::Routed;
            self.taken[at] += 1;
            passed = self.send(route, &arrival, &captures, into).map_err(|why| {
                let text = format!("route {}: {why}", at + 1);
                Error::new(Kind::Refused, text)
                    .hint("on-refused = \"drop\" counts such messages and goes on")
            });
            if passed.is_err() || route.last {
                break;
            }
        }
        self.routes = routes;
        self.tell_losses();
        passed
    }

    /// Sends what does not fulfil the condition of a route to its other targets.
    fn send_otherwise(
        &mut self,
        route: &Route,
        arrival: &Arrival,
        into: &mut Outgoing,
    ) -> Result<()> {
        for &to in &route.otherwise {
            let sent = self.shaped(route, to, arrival.message.clone(), None, arrival.now);
            self.check_losses()?;
            into.push((to, sent));
        }
        Ok(())
    }

    /// Refuses a message that loses something, where that is a failure.
    fn check_losses(&mut self) -> Result<()> {
        if !self.strict {
            return Ok(());
        }
        match self.losses.fresh().first() {
            Some(what) => Err(Error::new(Kind::Refused, lost(what))),
            None => Ok(()),
        }
    }

    fn holds(&self, route: &Route, arrival: &Arrival, captures: &Captures<'_>) -> bool {
        let scope = Scope {
            captures: Some(captures),
            now: Some(arrival.now),
            changes: self.changes.as_ref(),
            ..Scope::default()
        };
        let condition = route.condition.as_ref();
        let body = || json(&arrival.message);
        let holds = condition.is_none_or(|it| it.holds_in(&arrival.message, &scope, body));
        if let Some(text) = condition.filter(|_| !holds).and_then(Condition::failure) {
            self.console
                .warn(format_args!("where: {text}; such messages do not meet it"));
        }
        holds
    }

    /// Sends what a route makes of a message to its targets.
    fn send(
        &mut self,
        route: &Route,
        arrival: &Arrival,
        captures: &Captures<'_>,
        into: &mut Outgoing,
    ) -> Result<(), String> {
        let message = &arrival.message;
        let Some(map) = &route.map else {
            let output = message.clone();
            return self.send_one(route, arrival, captures, (output, None), into);
        };
        // What clears a retained message does so, whatever the map makes of bodies.
        let clears = message.clears();
        if clears {
            let output = message.clone();
            self.send_one(route, arrival, captures, (output, Some(true)), into)?;
            if route.to.iter().all(|to| self.is_mqtt(*to)) {
                return Ok(());
            }
        }
        let body = arrival.json.get_or_init(|| json(message));
        let input = Input {
            message,
            captures: Some(captures),
            now: Some(arrival.now),
        };
        let outputs = map.apply(input, body.as_ref());
        let outputs = outputs.map_err(|why| format!("{}: {why}", brief(&arrival.topic)))?;
        let which = clears.then_some(false);
        for output in outputs {
            self.send_one(route, arrival, captures, (output, which), into)?;
        }
        Ok(())
    }

    fn is_mqtt(&self, target: usize) -> bool {
        self.targets[target].protocol == Some(Protocol::Mqtt)
    }

    /// Sends one of those messages to all targets of the route, or to those alone that speak MQTT, or that do not.
    fn send_one(
        &mut self,
        route: &Route,
        arrival: &Arrival,
        captures: &Captures<'_>,
        (output, mqtt): (Message, Option<bool>),
        into: &mut Outgoing,
    ) -> Result<(), String> {
        let topic = self.topic_out(route, &arrival.topic, captures);
        for &to in &route.to {
            if mqtt.is_some_and(|wanted| wanted != self.is_mqtt(to)) {
                continue;
            }
            let output = output.clone();
            let sent = self.shaped(route, to, output, topic.as_ref(), arrival.now);
            carry::check(&sent, &arrival.topic, self.targets[to].protocol)
                .and_then(|()| self.check_losses())
                .map_err(|why| why.text().to_owned())?;
            into.push((to, sent));
        }
        Ok(())
    }

    fn topic_out(
        &mut self,
        route: &Route,
        topic: &str,
        captures: &Captures<'_>,
    ) -> Option<ByteString> {
        let template = route.topic_out.as_ref()?;
        let named = |name: &str, text: &mut String| match name {
            "topic" => text.push_str(topic),
            // No level is not an empty one.
            name if captures.lacks(name, topic) && text.ends_with('/') => {
                text.pop();
            }
            name => text.push_str(captures.get(name).unwrap_or_default()),
        };
        Some(self.filler.fill_more(template, named).into())
    }

    /// The message as a target gets it.
    fn shaped(
        &mut self,
        route: &Route,
        target: usize,
        message: Message,
        topic: Option<&ByteString>,
        now: SystemTime,
    ) -> Message {
        let shape = &self.targets[target];
        let mut message = match shape.protocol {
            Some(protocol) => carry::carry(
                message,
                protocol,
                shape.exchange.as_ref(),
                now,
                &mut self.losses,
            ),
            None => message,
        };
        if let Some(topic) = topic {
            carry::rename(&mut message, topic.clone());
        }
        let (qos, retain) = (route.qos.or(shape.qos), route.retain.or(shape.retain));
        if shape.protocol == Some(Protocol::Mqtt) && matches!(message.detail, Detail::Plain) {
            message.detail = Detail::Mqtt(MqttDetail {
                qos: 1,
                ..MqttDetail::default()
            });
        }
        if let Detail::Mqtt(mqtt) = &mut message.detail {
            mqtt.qos = qos.unwrap_or(mqtt.qos);
            mqtt.retain = retain.unwrap_or(mqtt.retain);
        }
        if let Some(name) = self.name.as_ref().filter(|_| shape.protocol.is_some()) {
            hops::add(&mut message, name);
        }
        message
    }

    fn tell_losses(&mut self) {
        for what in self.losses.fresh() {
            self.console.warn(lost(what));
        }
    }
}

/// What is said of something that is lost on the way.
fn lost(what: &str) -> String {
    format!("{what} cannot be carried to the other protocol")
}

impl Router for Routes {
    fn route(&mut self, message: Message, into: &mut Outgoing) -> Result<Routed> {
        let now = SystemTime::now();
        if carry::has_expired(&message, now) {
            return Ok(Routed::Expired);
        }
        let source = self.origin.get();
        self.pass(message, source, now, into)?;
        Ok(Routed::Sent)
    }

    fn dead_letter(&mut self, message: Message, why: &Error) -> Option<(usize, Message)> {
        let target = self.dead_letters?;
        let letter = carry::dead_letter(message, why);
        let shape = self.targets[target].clone();
        let now = SystemTime::now();
        let letter = match shape.protocol {
            Some(protocol) => carry::carry(
                letter,
                protocol,
                shape.exchange.as_ref(),
                now,
                // What it loses refuses no other message.
                &mut Losses::default(),
            ),
            None => letter,
        };
        Some((target, letter))
    }
}

/// When a message was, for what is tested on recorded ones.
pub(super) fn time_of(message: &Message) -> SystemTime {
    match message.time == UNTIMED {
        true => SystemTime::now(),
        false => message.time,
    }
}
