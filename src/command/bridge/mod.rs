//! `bridge`: carries messages between two servers, of any of the three protocols.
//!
//! | part | what it is for |
//! |---|---|
//! | [`topics`] | which messages cross, and under which topic |
//! | [`import`] | a bridge of mosquitto's as one of ours |
//! | [`reload`] | that bridge is read again while messages are carried |
//! | [`guard`] | maps that would carry a message round and round |
//! | [`router`] | what becomes of a message that crosses |
//! | [`storm`] | one that crosses in both directions again and again; pure |

mod guard;
pub(crate) mod import;
mod reload;
mod router;
mod storm;
pub(crate) mod topics;

use bytestring::ByteString;

use guard::Guard;
pub(crate) use import::Import;
use reload::Reload;
pub(crate) use router::Retain;
use router::{Crossing, Exit};
use storm::Storms;
pub(crate) use topics::Map;
pub(crate) use topics::Side;

use crate::command::ends::carry::Losses;
use crate::command::ends::source::{TOPIC_EXCHANGE, exchange_of};
use crate::command::ends::{
    self, Between, End, Joint, Passing, SourceArgs, SourceEnd, TargetArgs, TargetEnd,
};
use crate::command::mqtt::session::SessionArgs;
use crate::command::mqtt::unaware::Unaware;
use crate::connect::{ConnectArgs, Protocol};
use crate::error::{Error, Result};
use crate::flow::{Ready, Refusals, Stages, Until};
use crate::mqtt::packet::{QoS, RetainHandling, Subscription, Version};
use crate::output::{Console, Format, Style};
use crate::store::Syncing;

/// Seconds of the keep-alive.
const KEEP_ALIVE: u16 = 60;

/// As many topics are listed when it begins.
const MOST_SHOWN: usize = 8;

/// One of the two servers.
#[derive(Clone, Debug)]
pub struct Place {
    /// Its name.
    pub end: End,
    /// How to connect.
    pub connect: ConnectArgs,
    /// MQTT: the version to speak.
    pub version: Option<Version>,
    /// MQTT: more about the session.
    pub tuning: Tuning,
    /// AMQP: the queue to consume from; otherwise a temporary one, bound to the exchange.
    pub queue: Option<ByteString>,
    /// AMQP: the exchange to bind to and to publish to; otherwise the one of MQTT's topics, but what came over AMQP is published to
    /// the exchange that it came from.
    pub exchange: Option<ByteString>,
}

/// What may be said of the session at an MQTT server.
#[derive(Clone, Debug, Default)]
pub struct Tuning {
    /// It ends with the connection.
    pub clean: bool,
    /// Seconds.
    pub keep_alive: Option<u16>,
    /// Bytes: the server is to send no larger packets.
    pub max_packet_size: Option<u32>,
    /// How many messages it may send that are not acknowledged.
    pub receive_maximum: Option<u16>,
    /// For so many seconds it is kept without a connection.
    pub session_expiry: Option<u32>,
    /// The state of the bridge is not told there.
    pub untold: bool,
    /// Of several servers one is as good as another.
    pub round_robin: bool,
}

/// What crosses, and between which servers.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The servers.
    pub places: [Place; 2],
    /// The second server, the maps and the name are those of a bridge of mosquitto's.
    pub import: Option<Import>,
    /// Which messages cross; without any, all go from the first to the second.
    pub maps: Vec<Map>,
    /// The name of the bridge: client identifiers and the list of hops are made of it.
    pub name: Option<String>,
    /// Sessions end with the connection: what comes meanwhile is lost (`--clean`).
    pub clean: bool,
    /// Which retained messages are asked for.
    pub retained: RetainHandling,
    /// What becomes of the RETAIN flag.
    pub retain: Retain,
    /// MQTT: gets `1` while the bridge is connected there, and `0` otherwise, retained, at both servers.
    pub notify: Option<ByteString>,
    /// What becomes of messages that are refused for good.
    pub refusals: Refusals,
    /// Where those go then.
    pub dead_letters: Option<Letters>,
    /// How many messages may be under way in each direction.
    pub window: u16,
    /// How often what is refused for now is sent again; `None`: for as long as connections are tried again.
    pub retries: Option<u32>,
    /// One message is under way at a time to each server, so that none is overtaken.
    pub strict_order: bool,
    /// What becomes of their bodies.
    pub stages: Stages,
    /// What cannot be carried is a failure.
    pub strict: bool,
    /// A spool, and what is passed over.
    pub between: Between,
    /// When it ends.
    pub until: Until,
    /// Who is told when messages can come.
    pub ready: Ready,
    /// What the terminal shows.
    pub style: Style,
}

/// Where messages go that are refused.
#[derive(Clone, Debug)]
pub struct Letters {
    /// A server, or a file of records.
    pub end: End,
    /// How to connect to it.
    pub connect: ConnectArgs,
}

/// Carries messages until it is told to stop.
///
/// # Errors
/// No connection, a refused message, a deadline; see [`Kind`](crate::error::Kind).
pub(crate) async fn run(mut plan: Plan) -> Result<()> {
    let console = Console::new(plan.style);
    let imported = plan.import(console)?;
    let bridge = plan.resolve(console)?;
    plan.announce(&bridge.maps, console);
    let targets = ends::open(&bridge.targets).await?;
    let (sides, sources): (Vec<Side>, Vec<SourceEnd>) = bridge.sources.into_iter().unzip();
    let names = spool_names(&sides, &sources);
    let reload =
        imported.map(|(import, text)| Reload::new(import, &text, &bridge.maps, bridge.guard));
    let reload = reload.transpose()?;
    let between = Between {
        in_order: true,
        ..plan.between.clone()
    };
    let passing = Passing {
        sources: &sources,
        names: names.into_iter().map(|name| vec![name]).collect(),
        refusals: plan.refusals,
        stages: &Stages::default(),
        between: &between,
        until: &plan.until,
        ready: &plan.ready,
        at_hangup: match &reload {
            Some(_) => None,
            None => Some("there are no files to reload"),
        },
        console,
    };
    let crossing = |origin| Crossing {
        name: bridge.name.clone(),
        origin,
        sides,
        maps: bridge.maps,
        exits: bridge.exits,
        dead_letters: bridge.dead_letters,
        retain: plan.retain,
        stages: plan.stages.clone(),
        strict: plan.strict,
        losses: Losses::of_each(plan.strict),
        told_uncovered: false,
        told_loop: bridge.loops,
        storms: bridge.loops.then(Storms::new),
        storm: None,
        reload,
        console,
    };
    passing.run(targets, crossing, ends::close).await?.0
}

/// What the sources are called in a spool: as the servers are, so that it is never delivered the wrong way round.
fn spool_names(sides: &[Side], sources: &[SourceEnd]) -> Vec<String> {
    let names: Vec<String> = sources.iter().map(SourceEnd::name).collect();
    match names.as_slice() {
        // One server, whose two directions have topics of their own.
        [one, other] if one == other => {
            let both = sides.iter().zip(&names);
            both.map(|(side, name)| format!("{name} ({})", side.word()))
                .collect()
        }
        _ => names,
    }
}

/// A bridge whose files and secrets were read.
struct Bridge {
    name: ByteString,
    /// Messages are expected to come back after they have crossed.
    loops: bool,
    maps: Vec<Map>,
    sources: Vec<(Side, SourceEnd)>,
    targets: Vec<TargetEnd>,
    exits: [Option<Exit>; 2],
    dead_letters: Option<Exit>,
    guard: Guard,
}

impl Plan {
    /// Takes over what a bridge of mosquitto's is; the file, with its text.
    fn import(&mut self, console: Console) -> Result<Option<(Import, String)>> {
        let Some(import) = self.import.take() else {
            return Ok(None);
        };
        let (text, section) = import::read(&import)?;
        let [from, to] = &mut self.places;
        let place = import.file.display();
        for flaw in &section.idle {
            console.warn(flaw.told_of(&place));
        }
        let unused;
        (from.connect, unused) = import::logged_in(section.local, &from.end, from.connect.clone());
        if let Some(why) = unused {
            console.warn(format_args!(
                "{place}: local_username and local_password have no effect: {why}"
            ));
        }
        from.tuning.clean = section.clean[0];
        let max_packet_size = to.tuning.max_packet_size;
        to.tuning = section.remote;
        to.tuning.max_packet_size = max_packet_size.or(to.tuning.max_packet_size);
        to.tuning.clean = section.clean[1];
        to.tuning.untold = section.notify_local_only;
        to.tuning.round_robin = section.round_robin;
        to.end = End::parse(&section.url)?;
        to.connect = import::merged(section.connect, to.connect.clone());
        to.version = section.version;
        self.maps = section.maps;
        self.name.get_or_insert(section.name);
        if self.notify.is_none() {
            self.notify = section.notify;
        }
        if section.drops_retain {
            self.retain = Retain::Drop;
        }
        Ok(Some((import, text)))
    }

    /// Says what crosses, and what may not be meant.
    fn announce(&self, maps: &[Map], console: Console) {
        let mut shown: Vec<String> = maps.iter().take(MOST_SHOWN).map(Map::summary).collect();
        if maps.len() > MOST_SHOWN {
            shown.push(format!("and {} more", maps.len() - MOST_SHOWN));
        }
        let ([from, to], shown) = (&self.places, shown.join("; "));
        console.note(format_args!("bridging {} → {}: {shown}", from.end, to.end));
        let careless = maps.iter().find(|it| it.qos == QoS::AtMostOnce);
        if let (Some(map), true) = (careless, self.between.spool.is_some()) {
            console.warn(format_args!(
                "{} is carried at QoS 0: what comes while the bridge does not run is lost, with a spool too; -t '{} out 1' asks for it",
                map.filter, map.filter
            ));
        }
        for (wide, narrow) in topics::shadowed(maps) {
            console.warn(format_args!(
                "{} carries nothing: {} comes first and has all of these topics; put the narrower one first",
                narrow.summary(),
                wide.summary()
            ));
        }
        for map in maps {
            if let Some(word) = topics::DIRECTIONS.iter().find(|it| map.filter == **it) {
                console.warn(format_args!(
                    "{word} is a topic here: a direction is written in one word with its filter, -t 'FILTER {word}'"
                ));
            }
        }
    }

    /// Reads what the plan names, and refuses what cannot go well.
    fn resolve(&self, console: Console) -> Result<Bridge> {
        let maps = Map::or_everything(self.maps.clone());
        self.check_amqp(&maps)?;
        // What a gateway was sent it shows, and sends to nobody.
        let loops = topics::feeding(&maps).is_some() && !self.has_gateway();
        let name = self.name.clone().unwrap_or_else(|| self.usual_name());
        let ways = Ways {
            loops,
            joint: loops && self.are_mqtt()?,
        };
        let joints = [Joint::default(), Joint::default()];
        let unaware = Unaware::of_both();
        let (mut sources, mut targets, mut exits) = (Vec::new(), Vec::new(), [None, None]);
        for side in [Side::From, Side::To] {
            let own: Vec<&Map> = maps.iter().filter(|map| map.side == side).collect();
            if own.is_empty() {
                continue;
            }
            let args = self.source(side, &own, &name, ways);
            let mut source = SourceEnd::resolve(args, console)?;
            let other = side.other();
            let mut target = TargetEnd::resolve(self.target(other, &name, ways), console)?;
            if self.strict {
                source.insist();
                target.insist();
            }
            if ways.joint {
                source.join(&joints[side.index()], unaware[side.index()].clone());
                target.join(&joints[other.index()]);
            }
            sources.push((side, source));
            let exchange = self.places[other.index()].exchange.clone();
            exits[other.index()] = Some(Exit::of(&target, targets.len(), exchange));
            targets.push(target);
        }
        for (_, source) in &mut sources {
            targets.iter().for_each(|target| source.share(target));
        }
        let guard = Guard::of(&self.places, &sources, &targets)?;
        guard.check(&maps)?;
        self.check_letters()?;
        self.check_sizes()?;
        self.add_states(&exits, &mut targets, (&name, ways), console)?;
        let mut dead_letters = None;
        if let Some(letters) = &self.dead_letters {
            let end = TargetEnd::resolve(self.letters(letters, &name), console)?;
            dead_letters = Some(Exit::of(&end, targets.len(), None));
            targets.push(end);
        }
        Ok(Bridge {
            name: name.into(),
            loops,
            maps,
            sources,
            targets,
            exits,
            dead_letters,
            guard,
        })
    }

    /// Refuses what has no effect at these servers.
    ///
    /// # Errors
    /// [`crate::error::Kind::Usage`] that names the flag.
    pub(crate) fn check_amqp(&self, maps: &[Map]) -> Result<()> {
        for side in [Side::From, Side::To] {
            let (place, word) = (&self.places[side.index()], side.word());
            let queue = format!("--{word}-queue");
            ends::check_amqp(&queue, place.queue.is_some(), [&place.end])?;
            let exchange = format!("--{word}-exchange");
            ends::check_amqp(&exchange, place.exchange.is_some(), [&place.end])?;
            if place.queue.is_some() && !maps.iter().any(|map| map.side == side) {
                let text = format!("{queue} has no effect: no --topic carries anything from there");
                return Err(Error::usage(text));
            }
        }
        Ok(())
    }

    /// Targets for the state of the bridge alone, at servers that messages do not go to.
    fn add_states(
        &self,
        exits: &[Option<Exit>; 2],
        targets: &mut Vec<TargetEnd>,
        (name, ways): (&str, Ways),
        console: Console,
    ) -> Result<()> {
        for side in [Side::From, Side::To] {
            let place = &self.places[side.index()];
            let is_mqtt = place.end.protocol()? == Some(Protocol::Mqtt);
            let tells = self.notify.is_some() && !place.tuning.untold;
            if tells && is_mqtt && exits[side.index()].is_none() {
                let args = self.target(side, name, ways);
                targets.push(TargetEnd::resolve(args, console)?);
            }
        }
        Ok(())
    }

    /// The same for the same two servers and topics: another session would hand out what these topics do not carry.
    pub(crate) fn usual_name(&self) -> String {
        let [from, to] = &self.places;
        let maps = self.maps.iter().map(|map| format!("{:?} {map}", map.side));
        let words: Vec<String> = [from.end.to_string(), to.end.to_string()]
            .into_iter()
            .chain(maps)
            .collect();
        ends::stable_name("bridge", words.iter().map(String::as_str))
    }

    fn exchange(&self, side: Side) -> ByteString {
        exchange_of(self.places[side.index()].exchange.clone())
    }

    fn source(&self, side: Side, maps: &[&Map], name: &str, ways: Ways) -> SourceArgs {
        let place = &self.places[side.index()];
        let subscription = |map: &&Map| Subscription {
            filter: map.filter.clone(),
            qos: map.qos,
            no_local: ways.joint,
            retain_as_published: true,
            retain_handling: self.retained,
        };
        SourceArgs {
            end: place.end.clone(),
            connect: place.connect.clone(),
            subscriptions: maps.iter().map(subscription).collect(),
            mqtt: self.session(side, name, ways),
            queue: place.queue.clone(),
            exchange: self.exchange(side),
            peek: false,
            retained_only: false,
            speed: None,
            window: self.window,
            style: self.style,
        }
    }

    /// Of a subscription, or of both directions.
    fn session(&self, side: Side, name: &str, ways: Ways) -> SessionArgs {
        let place = &self.places[side.index()];
        let tuning = &place.tuning;
        let persistent = !self.clean && !tuning.clean;
        SessionArgs {
            client_id: Some(format!("{name}-{}", side.index()).into()),
            persistent,
            keep_alive: tuning.keep_alive.unwrap_or(KEEP_ALIVE),
            version: ways.version(place),
            max_inflight: Some(self.in_flight()),
            receive_maximum: tuning.receive_maximum.or(Some(self.window)),
            max_packet_size: tuning.max_packet_size,
            session_expiry: tuning.session_expiry.filter(|_| persistent),
            bridge: true,
            takes_back: true,
            prefers_first: !tuning.round_robin,
            ..SessionArgs::default()
        }
    }

    fn target(&self, side: Side, name: &str, ways: Ways) -> TargetArgs {
        let place = &self.places[side.index()];
        let mut args = self.letters(
            &Letters {
                end: place.end.clone(),
                connect: place.connect.clone(),
            },
            name,
        );
        args.exchange = self.exchange(side);
        args.state = self.notify.clone().filter(|_| !place.tuning.untold);
        if ways.joint {
            args.mqtt = self.session(side, name, ways);
        } else {
            args.mqtt.client_id = Some(format!("{name}-{}-pub", side.index()).into());
            args.mqtt.version = ways.version(place);
            args.mqtt.takes_back = true;
            args.mqtt.prefers_first = !place.tuning.round_robin;
        }
        args
    }

    fn letters(&self, letters: &Letters, name: &str) -> TargetArgs {
        let mut connect = letters.connect.clone();
        self.between.waits_for_targets(&mut connect);
        TargetArgs {
            sink: None,
            end: letters.end.clone(),
            connect,
            mqtt: SessionArgs {
                client_id: Some(format!("{name}-letters").into()),
                keep_alive: KEEP_ALIVE,
                max_inflight: Some(self.in_flight()),
                ..SessionArgs::default()
            },
            state: None,
            qos: QoS::AtLeastOnce,
            retain: false,
            exchange: ByteString::from_static(TOPIC_EXCHANGE),
            window: self.in_flight(),
            retries: self.retries,
            sync: Syncing::Auto,
            format: Format::records(),
            style: self.style,
        }
    }

    /// How many messages may be under way to a server.
    const fn in_flight(&self) -> u16 {
        if self.strict_order { 1 } else { self.window }
    }
}

/// How messages cross.
#[derive(Clone, Copy)]
struct Ways {
    /// They are expected to come back.
    loops: bool,
    /// There is one connection to each server, for both directions: what comes back is not sent again.
    joint: bool,
}

impl Ways {
    /// Loops are seen by what MQTT 5 carries with a message, unless the server sees them.
    fn version(self, place: &Place) -> Option<Version> {
        let sees = self.loops && !self.joint;
        sees.then_some(Version::V5).or(place.version)
    }
}

impl Plan {
    /// Whether one of the servers is one of ours for CoAP.
    fn has_gateway(&self) -> bool {
        let mut places = self.places.iter();
        places.any(|place| matches!(place.end, End::Listen(_)))
    }

    /// Whether both servers speak MQTT.
    fn are_mqtt(&self) -> Result<bool> {
        for place in &self.places {
            if place.end.protocol()? != Some(Protocol::Mqtt) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Refuses a limit that no server could be told.
    fn check_sizes(&self) -> Result<()> {
        let mut limited = false;
        for place in &self.places {
            if place.end.protocol()? == Some(Protocol::Mqtt) {
                return Ok(());
            }
            limited |= place.tuning.max_packet_size.is_some();
        }
        match limited {
            true => Err(Error::usage(
                "--max-packet-size is for servers of MQTT, and there is none",
            )),
            false => Ok(()),
        }
    }

    /// Refuses letters that would come back.
    fn check_letters(&self) -> Result<()> {
        if let Some(letters) = &self.dead_letters
            && self.places.iter().any(|place| place.end == letters.end)
        {
            let text = "--on-refused: a refused message would come back from there";
            return Err(Error::usage(text).hint("name another server"));
        }
        Ok(())
    }
}
