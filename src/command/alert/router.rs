//! What becomes of a reading: nothing, or a notice to each of the targets.

mod heed;
mod time;

use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant, SystemTime};

use bytestring::ByteString;
use serde_json::Value as Json;
use tokio::time::Instant as Runtime;

use super::keys::Keys;
use super::others::Others;
use super::shape::{self, Shape};
use super::store::{self, Line, Store};
use super::way::Marks;
use crate::command::ends::carry::{self, Losses};
use crate::connect::Protocol;
use crate::error::{Error, Result, brief};
use crate::flow::alarm::{Alarms, Counts, Millis, Muted, Notice, Reading, Rule, State, Value};
use crate::flow::{Outgoing, Routed, Router, Stages};
use crate::message::{Detail, Message, MqttDetail, UNTIMED};
use crate::output::Console;
use crate::payload::captures::Pattern;
use crate::payload::expect::{Changes, Condition, Scope, Subject};
use crate::payload::pointer;
use crate::payload::template::{Filler, Template};

/// How often what others leave is looked for, in milliseconds.
const POLL: Millis = 1000;

/// How often it is told what cannot be judged, in milliseconds.
const NOTE: Millis = 60_000;

/// One of the targets, and what it gets.
pub(crate) struct Exit {
    pub(crate) target: usize,
    /// The step of the escalation that it is for; otherwise for all notices but those of steps that have a target.
    pub(crate) step: Option<usize>,
    pub(crate) shape: Shape,
    pub(crate) protocol: Option<Protocol>,
    pub(crate) exchange: ByteString,
    pub(crate) is_webhook: bool,
    /// MQTT: how it is published, unless the target says that itself.
    pub(crate) published: Option<MqttDetail>,
    /// What is retained there can be removed.
    pub(crate) is_server: bool,
}

/// What a [`Watch`] is made of.
pub(super) struct Parts {
    pub(super) keys: Keys,
    pub(super) value: Subject,
    pub(super) time: Option<Subject>,
    pub(super) when: Option<Condition>,
    pub(super) acknowledgements: Option<Pattern>,
    pub(super) others: Others,
    /// The devices that are offline.
    pub(super) gone: Others,
    pub(super) alarms: Alarms,
    pub(super) store: Option<Store>,
    pub(super) exits: Vec<Exit>,
    /// Where readings go whose notices are refused: the target, its protocol and its exchange.
    pub(super) letters: Option<(usize, Option<Protocol>, ByteString)>,
    pub(super) topic: Option<Template>,
    pub(super) forget: bool,
    pub(super) marks: Rc<RefCell<Marks>>,
    /// Readings are of another day: time is theirs.
    pub(super) recorded: bool,
    pub(super) console: Console,
}

/// Watches over readings.
pub(crate) struct Watch {
    parts: Parts,
    stages: Stages,
    changes: Option<Changes>,
    filler: Filler,
    losses: Losses,
    notices: Vec<Notice>,
    /// Of a recording: the newest time.
    newest: Millis,
    /// Whether alarms go on that were kept.
    resumed: bool,
    poll: Millis,
    /// When it is told next what cannot be judged, and what there was up to the last time.
    note: Millis,
    noted: Counts,
    /// Why it cannot go on.
    failure: Option<Error>,
}

impl Watch {
    pub(super) fn new(parts: Parts) -> Self {
        Self {
            changes: Changes::of(&parts.when),
            parts,
            stages: Stages::default(),
            filler: Filler::default(),
            losses: Losses::default(),
            notices: Vec::new(),
            newest: 0,
            resumed: false,
            poll: 0,
            note: 0,
            noted: Counts::default(),
            failure: None,
        }
    }

    /// What of a message is named so.
    fn find(&self, subject: &Subject, message: &Message) -> Option<String> {
        if let Subject::Pointer(place) = subject
            && let Some(found) = pointer::find(&message.payload, place)
        {
            return Some(match found.starts_with('"') {
                true => serde_json::from_str(found).ok()?,
                false => found.to_owned(),
            });
        }
        subject.find(message, || self.stages.json(message))
    }

    fn judge(&mut self, key: &str, name: &str, message: &Message, now: Millis) {
        let (at, clock, now) = self.times(message, now);
        self.time_passed(now);
        let found = self.find(&self.parts.value, message);
        let holds = self.holds(name, message);
        let reading = Reading {
            value: found.as_deref().map_or(Value::Nothing, Value::read),
            at,
            clock,
            holds,
        };
        let Self { parts, notices, .. } = self;
        let Parts {
            alarms,
            keys,
            others,
            ..
        } = parts;
        let muted = |key: &str| others.cover(keys, key);
        // A condition that fails has said so.
        if !alarms.read(key, reading, now, &muted, notices) && holds.is_some() {
            self.complain(name, found.as_deref(), now);
        }
        // What the server kept is older than that the device went.
        if matches!(&message.detail, Detail::Mqtt(mqtt) if mqtt.retain) {
            self.miss(Some(key), None, now);
        }
    }

    /// Whether a message fulfils the condition, if there is one; `None`: it fails on it.
    fn holds(&mut self, name: &str, message: &Message) -> Option<bool> {
        let Some(when) = &self.parts.when else {
            return Some(false);
        };
        let json = || self.stages.json(message);
        if let Some(changes) = &mut self.changes {
            changes.see(message, json);
        }
        let captures = self.parts.keys.captures(name);
        let scope = Scope {
            captures: captures.as_ref(),
            now: Some(SystemTime::now()),
            changes: self.changes.as_ref(),
            ..Scope::default()
        };
        let holds = when.judge(message, &scope, json);
        if let Some(text) = when.failure() {
            self.parts
                .console
                .warn(format_args!("when: {text}; such readings are not judged"));
        }
        holds
    }

    /// Says what cannot be judged, once a minute, with an example.
    fn complain(&mut self, name: &str, found: Option<&str>, now: Millis) {
        if now < self.note {
            return;
        }
        let counts = self.parts.alarms.counts();
        let (numbers, rooms) = (
            counts.no_number - self.noted.no_number,
            counts.no_room - self.noted.no_room,
        );
        (self.note, self.noted) = (now + NOTE, counts);
        let (name, console) = (brief(name), self.parts.console);
        if numbers > 0 {
            let count = readings(numbers);
            match found {
                Some(found) => console.warn(format_args!(
                    "{count} not a number, such as {:?} of {name}",
                    brief(found).to_string()
                )),
                None => console.warn(format_args!(
                    "{count} not there: {} finds nothing in a message of {name}",
                    self.parts.value
                )),
            }
        }
        if rooms > 0 {
            let count = readings(rooms);
            console.warn(format_args!(
                "{count} of a new key while --max-keys alarms are not ok, such as {name}"
            ));
        }
    }

    /// Has the alarms do something, where those that others explain are muted.
    fn alarms(&mut self, act: impl FnOnce(&mut Alarms, Muted<'_>, &mut Vec<Notice>)) {
        let Self { parts, notices, .. } = self;
        let Parts {
            alarms,
            keys,
            others,
            ..
        } = parts;
        act(alarms, &|key| others.cover(keys, key), notices);
    }

    /// What it is called.
    pub(crate) fn name(&self) -> &str {
        &self.parts.alarms.rule().name
    }

    /// Watches over the same readings with the limits and times of this plan; [`Router::wake`] sends what comes of it.
    pub(crate) fn change(&mut self, rule: &Rule, when: Option<&Condition>) {
        self.parts.when = when.cloned();
        self.changes = Changes::after(self.changes.take(), &self.parts.when);
        let now = match self.parts.recorded {
            true => self.newest,
            false => store::now(),
        };
        let Self { parts, notices, .. } = self;
        let Parts {
            alarms,
            keys,
            others,
            ..
        } = parts;
        alarms.replace(rule.clone(), now, notices);
        // What goes on only later is looked at then.
        if self.resumed {
            alarms.review(now, &|key| others.cover(keys, key), notices);
        }
    }

    /// Sends the notices, and keeps what has changed.
    fn send(&mut self, into: &mut Outgoing) -> Result<()> {
        for notice in std::mem::take(&mut self.notices) {
            self.send_one(&notice, into)?;
        }
        for mark in self.parts.marks.borrow_mut().arrived() {
            self.parts.alarms.arrived(mark);
        }
        match &mut self.parts.store {
            Some(store) => store.keep(&mut self.parts.alarms),
            None => {
                self.parts.alarms.changed();
                Ok(())
            }
        }
    }

    /// Who gets a notice: a step of the escalation may have somebody of its own, who is told of the end too.
    fn exits(&self, notice: &Notice) -> Vec<usize> {
        let exits = &self.parts.exits;
        let has_own = notice.step.is_some() && exits.iter().any(|it| it.step == notice.step);
        let gets = |exit: &Exit| match exit.step {
            step if has_own => step == notice.step,
            None => true,
            Some(step) => notice.state == State::Ok && step < notice.steps,
        };
        (0..exits.len()).filter(|at| gets(&exits[*at])).collect()
    }

    fn send_one(&mut self, notice: &Notice, into: &mut Outgoing) -> Result<()> {
        let alarms = &mut self.parts.alarms;
        let json = notice.json(&alarms.rule().name, alarms.limit());
        let source = self.parts.keys.topic(&notice.key);
        let topic = self.topic(notice, &source);
        // What is sent now is of now, without a word.
        let time = match self.parts.recorded {
            true => UNTIMED + Duration::from_millis(notice.at),
            false => UNTIMED,
        };
        let exits = self.exits(notice);
        let places = exits.len() as u32;
        if let Some(mark) = notice.mark() {
            self.parts.marks.borrow_mut().begin(mark, places);
            self.parts.alarms.sent(mark, places);
        }
        for at in exits {
            let mut message = self.message(at, &json, &source, &topic)?;
            message.time = time;
            let target = self.parts.exits[at].target;
            self.parts.marks.borrow_mut().send(target, notice.mark());
            into.push((target, message));
            let exit = &self.parts.exits[at];
            if self.parts.forget && exit.is_server && notice.state == State::Ok {
                self.parts.marks.borrow_mut().send(target, None);
                let mut empty = shape::empty(topic.clone());
                empty.time = time;
                if let Some(published) = &exit.published {
                    empty.detail = Detail::Mqtt(published.clone());
                }
                into.push((target, empty));
            }
        }
        Ok(())
    }

    /// The topic that a notice is published to.
    fn topic(&mut self, notice: &Notice, source: &str) -> ByteString {
        let Some(template) = &self.parts.topic else {
            return source.into();
        };
        let captures = self.parts.keys.captures(source);
        let alert = &self.parts.alarms.rule().name;
        let text = self.filler.fill(template, |name, into| match name {
            "alert" => into.push_str(alert),
            "severity" => into.push_str(&notice.severity),
            name => {
                captures.as_ref().map(|it| it.append(name, into));
            }
        });
        text.into()
    }

    fn message(
        &mut self,
        at: usize,
        json: &serde_json::Map<String, Json>,
        source: &str,
        topic: &ByteString,
    ) -> Result<Message> {
        let exit = &self.parts.exits[at];
        let captures = self.parts.keys.captures(source);
        let mut message = exit.shape.message(json, captures.as_ref());
        message.topic = topic.clone();
        // What is retained, and at which QoS, a server's target says; only webhooks have headers.
        if !exit.is_webhook {
            message.detail = match &exit.published {
                Some(published) => Detail::Mqtt(published.clone()),
                None => Detail::Plain,
            };
        }
        if let Some(protocol) = exit.protocol {
            let now = SystemTime::now();
            message = carry::carry(
                message,
                protocol,
                Some(&exit.exchange),
                now,
                &mut self.losses,
            );
        }
        Ok(message)
    }

    /// Does what others have left in the inbox.
    fn collect(&mut self, now: Millis) -> Result<()> {
        let Self { parts, notices, .. } = self;
        let Parts {
            alarms,
            keys,
            others,
            store,
            console,
            ..
        } = parts;
        let Some(store) = store else {
            return Ok(());
        };
        let muted = |key: &str| others.cover(keys, key);
        store.collect(|journal, lines| {
            for line in lines {
                match Line::read(&line) {
                    Some(Line::Acknowledge { acknowledge }) => {
                        alarms.acknowledge(&acknowledge);
                    }
                    Some(Line::Silence(silence)) => {
                        store::keep_silence(journal, &silence)?;
                        alarms.silence(silence, now, &muted, notices);
                    }
                    Some(Line::Saved(_)) | None => {
                        console.warn(format_args!(
                            "the inbox of the journal has a line that means nothing: {}",
                            brief(&line)
                        ));
                    }
                }
            }
            store::keep(journal, alarms)
        })
    }

    /// Keeps what is known at the end.
    ///
    /// # Errors
    /// It cannot be written.
    pub(crate) fn finish(mut self) -> Result<()> {
        let kept = self.send(&mut Outgoing::new()).and_then(|()| self.sync());
        let Counts {
            late,
            no_number,
            forgotten,
            no_room,
        } = self.parts.alarms.counts();
        let details = [
            (late, "late"),
            (no_number, "that could not be judged"),
            (no_room, "of keys that there was no room for"),
        ];
        for (count, what) in details.iter().filter(|(count, _)| *count > 0) {
            self.parts
                .console
                .note(format_args!("{} {what}", plain_readings(*count)));
        }
        if forgotten > 0 {
            self.parts.console.note(format_args!(
                "{forgotten} keys were forgotten for others (--max-keys)"
            ));
        }
        kept
    }
}

/// `3 readings are`
fn readings(count: u64) -> String {
    match count {
        1 => String::from("a reading is"),
        count => format!("{count} readings are"),
    }
}

fn plain_readings(count: u64) -> String {
    match count {
        1 => String::from("1 reading"),
        count => format!("{count} readings"),
    }
}

impl Router for Watch {
    fn route(&mut self, message: Message, into: &mut Outgoing) -> Result<Routed> {
        if carry::has_expired(&message, SystemTime::now()) && !self.parts.recorded {
            return Ok(Routed::Expired);
        }
        let now = self.come_to(&message);
        let name = carry::topic_of(&message);
        if !self.heed(&name, &message, now) {
            let key = self.parts.keys.key(&name).map(|key| key.into_owned());
            if let Some(key) = key {
                self.judge(&key, &name, &message, now);
            }
        }
        if !self.notices.is_empty() || self.parts.alarms.has_changed() {
            // It is no fault of the reading, which must not be dropped for it.
            if let Err(why) = self.send(into) {
                self.failure.get_or_insert(why);
            }
        }
        Ok(Routed::Sent)
    }

    fn dead_letter(&mut self, message: Message, why: &Error) -> Option<(usize, Message)> {
        let (target, protocol, exchange) = self.parts.letters.as_ref()?;
        let mut letter = carry::dead_letter(message, why);
        if let Some(protocol) = protocol {
            letter = carry::carry(
                letter,
                *protocol,
                Some(exchange),
                SystemTime::now(),
                &mut self.losses,
            );
        }
        self.parts.marks.borrow_mut().send_letter(*target);
        Some((*target, letter))
    }

    fn sync(&mut self) -> Result<()> {
        if let Some(why) = self.failure.take() {
            return Err(why);
        }
        for mark in self.parts.marks.borrow_mut().arrived() {
            self.parts.alarms.arrived(mark);
        }
        match &mut self.parts.store {
            Some(store) => {
                store.keep(&mut self.parts.alarms)?;
                store.sync()
            }
            None => Ok(()),
        }
    }

    fn due(&self) -> Option<Instant> {
        let clock = Runtime::now().into_std();
        if self.failure.is_some()
            || self.parts.marks.borrow().has_arrived()
            || !self.resumed && !self.parts.recorded
        {
            return Some(clock);
        }
        let timer = self.parts.alarms.due().filter(|_| !self.parts.recorded);
        let poll = self.parts.store.as_ref().map(|_| self.poll);
        let due = timer.into_iter().chain(poll).min()?;
        Some(clock + Duration::from_millis(due.saturating_sub(store::now())))
    }

    fn wake(&mut self, _: Instant, into: &mut Outgoing) -> Result<()> {
        let now = store::now();
        if let Some(why) = self.failure.take() {
            return Err(why);
        }
        if !self.parts.recorded {
            self.time_passed(now);
        }
        if now >= self.poll {
            self.poll = now + POLL;
            self.collect(now)?;
        }
        self.send(into)?;
        match &mut self.parts.store {
            Some(store) => store.sync(),
            None => Ok(()),
        }
    }
}
