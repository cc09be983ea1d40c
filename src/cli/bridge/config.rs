//! What the flags of a bridge are in a routes file (`--print-config`).

use crate::cli::flags::written;
use crate::command::bridge::{Map, Plan, Retain, Side, topics};
use crate::command::route::file::{File, Names, RouteTable, SourceTable, TargetTable};
use crate::connect::Protocol;
use crate::error::{Error, Result};
use crate::mqtt::packet::{QoS, Subscription};

/// Writes it into a routes file; `on_refused` is the word of that flag.
///
/// # Errors
/// What has no place in such a file.
pub(super) fn write(plan: &Plan, on_refused: &str, file: &mut File) -> Result<()> {
    let maps = Map::or_everything(plan.maps.clone());
    written::refuse([
        ("--import", plan.import.is_some()),
        ("--notify", plan.notify.is_some()),
        (
            "--max-packet-size",
            plan.places[0].tuning.max_packet_size.is_some(),
        ),
    ])?;
    plan.check_amqp(&maps)?;
    if topics::feeding(&maps).is_some() {
        let text =
            "--print-config: messages that may come back cannot be expressed in a routes file";
        return Err(Error::usage(text).hint("let the topics of both directions differ"));
    }
    let (on_refused, letters) = written::on_refused(on_refused, &plan.places[1].connect)?;
    file.on_refused = on_refused;
    file.target.extend(letters);
    file.window = Some(plan.window);
    file.strict = Some(true).filter(|_| plan.strict);
    let name = plan.name.clone().unwrap_or_else(|| plan.usual_name());
    for side in [Side::From, Side::To] {
        let own: Vec<&Map> = maps.iter().filter(|map| map.side == side).collect();
        if !own.is_empty() {
            write_side(plan, side, &own, &name, file)?;
        }
    }
    Ok(())
}

/// The direction of these maps, which begins at this side.
fn write_side(plan: &Plan, side: Side, maps: &[&Map], name: &str, file: &mut File) -> Result<()> {
    let [from, to] = [side, side.other()].map(|side| &plan.places[side.index()]);
    let text = |text: &bytestring::ByteString| text.to_string();
    let subscribed = |map: &&Map| {
        written::subscription(&Subscription {
            filter: map.filter.clone(),
            qos: map.qos,
            retain_handling: plan.retained,
            ..Subscription::default()
        })
    };
    let source = SourceTable {
        topics: Some(maps.iter().map(subscribed).collect()),
        queue: from.queue.as_ref().map(text),
        exchange: from.exchange.as_ref().map(text),
        id: Some(format!("{name}-{}", side.index())),
        clean: Some(true).filter(|_| plan.clean),
        ..written::source(&from.end, &from.connect)
    };
    let target = TargetTable {
        exchange: to.exchange.as_ref().map(text),
        retries: plan.retries,
        strict_order: Some(true).filter(|_| plan.strict_order),
        ..written::target(&to.end, &to.connect)
    };
    file.source.insert(side.word().to_owned(), source);
    file.target.insert(side.other().word().to_owned(), target);
    let is_mqtt = from.end.protocol()? == Some(Protocol::Mqtt);
    for map in maps {
        let (topic, topic_out, not) = map
            .route()
            .map_err(|why| Error::usage(format!("--print-config: {why}")))?;
        file.route.push(RouteTable {
            from: Names::One(side.word().to_owned()),
            topic,
            condition: not.map(|topic| format!("topic != {topic:?}")),
            map: plan.stages.map.as_ref().map(ToString::to_string),
            topic_out,
            to: Names::One(side.other().word().to_owned()),
            otherwise: Names::None,
            // MQTT servers lower it themselves, and no other protocol has more than two levels.
            qos: Some(0).filter(|_| map.qos == QoS::AtMostOnce && !is_mqtt),
            retain: match plan.retain {
                Retain::Keep => None,
                Retain::Drop => Some(false),
                Retain::Set => Some(true),
            },
            // A message crosses once, by the first that fits.
            last: maps.len() > 1,
        });
    }
    Ok(())
}
