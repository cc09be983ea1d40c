//! The topics of devices, as they are filled in: whether they can be sent, and whose they are.

use std::collections::{BTreeMap, HashSet};

use super::super::{Device, Model, Vars};
use crate::device::file::Protocol;
use crate::error::brief;
use crate::message::topic;

/// Each topic of each device of a group, with all that is filled in.
pub(super) fn check(model: &Model, number: u32) -> Result<(), String> {
    let group = &model.groups[number as usize];
    let none = Vars::default();
    let sensors = group.sensors.iter();
    let sensors = sensors.map(|it| (&it.topic, it.name.as_str(), &it.vars));
    let actuators = group.actuators.iter().flat_map(|it| {
        let all = [Some(&it.command), it.state.as_ref(), it.ack.as_ref()];
        let all = all.into_iter().flatten();
        all.map(|topic| (topic, it.name.as_str(), &it.vars))
    });
    let status = group.status.iter().map(|it| (&it.topic, "", &none));
    let topics: Vec<_> = sensors.chain(actuators).chain(status).collect();
    for device in model.devices.iter().filter(|it| it.group == number) {
        for (topic, name, vars) in &topics {
            let topic = device.fill(topic, name, vars);
            let checked = check_topic(group.protocol, &topic);
            checked.map_err(|why| format!("device {}: {why}", brief(&device.id)))?;
        }
    }
    Ok(())
}

/// Whether a topic, a routing key or a path can be sent.
fn check_topic(protocol: Protocol, text: &str) -> Result<(), String> {
    /// Bytes of a routing key (AMQP 0-9-1 §4.2.5.3), and of a segment of a path (RFC 7252 §5.10).
    const SHORT: usize = 255;
    match protocol {
        Protocol::Mqtt => topic::check_name(text).map_err(|why| why.to_string()),
        Protocol::Amqp if text.len() > SHORT => {
            let key = brief(text);
            Err(format!(
                "the routing key {key} is longer than {SHORT} bytes"
            ))
        }
        Protocol::Amqp => Ok(()),
        Protocol::Coap => match text
            .split('/')
            .find(|it| it.len() > SHORT || [".", ".."].contains(it))
        {
            Some(segment) => {
                let (path, segment) = (brief(text), brief(segment));
                Err(format!("the path {path} cannot have the segment {segment}"))
            }
            None => Ok(()),
        },
    }
}

/// Identifiers are of one device each, and so are the topics of what a server keeps and the paths of resources.
pub(super) fn check_shared(model: &Model, number: u32) -> Result<(), String> {
    let protocol = model.groups[number as usize].protocol;
    let same = |device: &&Device| model.groups[device.group as usize].protocol == protocol;
    let mut ids = HashSet::new();
    let mut owners: BTreeMap<String, &Device> = BTreeMap::new();
    for device in model.devices.iter().filter(same) {
        if !ids.insert(&device.id) {
            return Err(format!(
                "two devices are called {}: the id needs {{n}}, or what varies",
                device.id
            ));
        }
        for (topic, what) in owned(model, device) {
            match owners.insert(topic, device) {
                Some(other) if other.id != device.id => {
                    let (one, two) = (&other.id, &device.id);
                    return Err(format!("{one} and {two} would share {what} needs {{id}}"));
                }
                _ => {}
            }
        }
    }
    Ok(())
}

/// The topics that no other device may have, each with what it is.
fn owned(model: &Model, device: &Device) -> Vec<(String, String)> {
    let group = &model.groups[device.group as usize];
    let (is_path, none) = (group.protocol == Protocol::Coap, Vars::default());
    // AMQP keeps nothing by its routing key.
    let is_kept = |retain: bool| is_path || (retain && group.protocol == Protocol::Mqtt);
    let word = if is_path { "path" } else { "retained topic" };
    let sensors = group.sensors.iter().filter(|it| is_kept(it.retain));
    let sensors = sensors.map(|it| {
        let what = format!("the {word} of the sensor {}: it", it.name);
        (device.fill(&it.topic, &it.name, &it.vars), what)
    });
    let actuators = group.actuators.iter().flat_map(|it| {
        let state = it.state.as_ref().filter(|_| is_kept(it.retain));
        let command = is_path.then_some(&it.command);
        let topics = state.into_iter().chain(command);
        topics.map(move |topic| {
            let what = format!("the {word} of the actuator {}: it", it.name);
            (device.fill(topic, &it.name, &it.vars), what)
        })
    });
    let status = group.status.iter().filter(|it| is_kept(it.retain));
    let status = status.map(|it| {
        let what = match is_path {
            true => "the path of the status: it",
            false => "a retained status: its topic",
        };
        (device.fill(&it.topic, "", &none), what.to_owned())
    });
    sensors.chain(actuators).chain(status).collect()
}
