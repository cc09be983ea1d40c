//! What a routes file means: sources, targets and routes that refer to each other, all checked.

use std::path::Path;

use bytestring::ByteString;

use super::Plan;
use super::alerts::{self, Alert, Run};
use super::connection::Connection;
use super::end;
use super::file::{File, Names, RouteTable, SpoolTable};
use super::loops::{self, Node};
use super::router::{Route, Routes, Shape};
use super::rules::Rules;
use super::sinks;
use crate::command::alert::Place;
use crate::command::ends::{
    self, Between, End, Reports, SourceArgs, SourceEnd, TargetArgs, TargetEnd, is_same,
};
use crate::connect::{Protocol, without_credentials};
use crate::error::{Error, Result, counted};
use crate::flow::{Origin, Refusals, Until};
use crate::message::topic::{covers, intersect, matches};
use crate::output::Console;
use crate::payload::captures::Pattern;
use crate::payload::template::Template;
use crate::stop::DRAIN;
use crate::store::Syncing;
use crate::store::spool::{Full, SpoolArgs};

/// How many messages may be in flight at each end, unless the file says otherwise.
const WINDOW: u16 = 1_000;

/// The file, with names resolved.
pub(super) struct Setup {
    pub(super) sources: Vec<(String, SourceArgs)>,
    pub(super) targets: Vec<(String, TargetArgs)>,
    shapes: Vec<Shape>,
    pub(super) routes: Vec<Route>,
    /// The filter of what each route publishes.
    images: Vec<String>,
    pub(super) refusals: Refusals,
    dead_letters: Option<usize>,
    pub(super) between: Between,
    /// What cannot be carried is a failure.
    pub(super) strict: bool,
    pub(super) alerts: Vec<Alert>,
    /// What it is called in the list of who a message has crossed.
    name: ByteString,
}

/// What is wrong with a source or a target, told with its place in the file and with its keys.
pub(super) fn placed(plan: &Plan, what: &str, name: &str, error: Error) -> Error {
    let (place, text) = (plan.file.display(), Connection::in_keys(error.text()));
    let hint = error.hint_text().map(Connection::in_keys);
    let error = error.reworded(format!("{place}: {what} {name}: {text}"));
    match hint {
        Some(hint) => error.hint(hint),
        None => error,
    }
}

impl Setup {
    /// Resolves and checks the names in a file; no secret is read.
    pub(super) fn of(file: &File, plan: &Plan) -> Result<Self> {
        let place = plan.file.display().to_string();
        let wrong = |why: String| Error::usage(format!("{place}: {why}"));
        if file.target.is_empty() && !file.route.is_empty() {
            return Err(wrong(String::from("no [target.NAME] table")));
        }
        let has_routes = !file.target.is_empty() && !file.route.is_empty();
        if file.source.is_empty() || !has_routes && file.alert.is_empty() {
            let text = "at least one source, and one target and one [[route]], or one [[alert]], are needed";
            return Err(wrong(String::from(text)));
        }
        let window = window(file).map_err(wrong)?;
        let mut setup = Self {
            sources: Vec::new(),
            targets: Vec::new(),
            shapes: Vec::new(),
            routes: Vec::new(),
            images: Vec::new(),
            refusals: Refusals::Stop,
            dead_letters: None,
            between: between(file, plan).map_err(wrong)?,
            strict: file.strict.unwrap_or_default(),
            alerts: Vec::new(),
            name: plan.name().into(),
        };
        for (name, table) in &file.target {
            let sink = sinks::sink(name, table, &file.route, plan);
            let target = end::target(table, sink, window, plan);
            let mut target = target.map_err(|why| wrong(format!("target {name}: {why}")))?;
            setup.between.waits_for_targets(&mut target.connect);
            setup.targets.push((name.clone(), target));
            setup.shapes.push(end::shape(table));
        }
        let known: Vec<&str> = file.source.keys().map(String::as_str).collect();
        for (at, table) in file.route.iter().enumerate() {
            let (route, image) = setup
                .route(table, &known)
                .map_err(|why| wrong(format!("route {}: {why}", at + 1)))?;
            setup.routes.push(route);
            setup.images.push(image);
        }
        setup.add_alerts(file, plan, &known).map_err(wrong)?;
        for (at, (name, table)) in file.source.iter().enumerate() {
            let source = end::source(name, table, &setup.filters(at), window, plan);
            let source = source.map_err(|why| wrong(format!("source {name}: {why}")))?;
            setup.sources.push((name.clone(), source));
        }
        setup.check_topics().map_err(wrong)?;
        (setup.refusals, setup.dead_letters) = match file.on_refused.as_deref() {
            None | Some("stop") => (Refusals::Stop, None),
            Some("drop") => (Refusals::Drop, None),
            Some(name) => {
                let target = setup.target(name);
                let target = target.map_err(|why| wrong(format!("on-refused: {why}")))?;
                (Refusals::DeadLetter, Some(target))
            }
        };
        Ok(setup)
    }

    /// Refuses a route or an alert that gets nothing, as no topic of its sources is one of its own.
    fn check_topics(&self) -> Result<(), String> {
        let gives = |from: &usize, filter: &str| {
            let (_, source) = &self.sources[*from];
            let mut topics = source.subscriptions.iter();
            source.subscriptions.is_empty()
                || source.queue.is_some()
                || topics.any(|it| intersect(plain(&it.filter), filter))
        };
        let routes = self.routes.iter().enumerate();
        let routes =
            routes.map(|(at, it)| (format!("route {}", at + 1), &it.from, it.pattern.filter()));
        let alerts = self.alerts.iter().flat_map(|it| {
            let filters = it.plan.filters();
            filters.map(|filter| (format!("alert {}", it.plan.rule.name), &it.from, filter))
        });
        let mut all = routes.chain(alerts);
        match all.find(|(_, from, filter)| !from.iter().any(|it| gives(it, filter))) {
            None => Ok(()),
            Some((what, _, filter)) => Err(format!(
                "{what}: {filter} does not come, as it is not among the topics of the source"
            )),
        }
    }

    fn add_alerts(&mut self, file: &File, plan: &Plan, sources: &[&str]) -> Result<(), String> {
        for table in &file.alert {
            let alert = Alert::of(table, &plan.readers, sources, |name| self.target(name));
            let mut alert = alert.map_err(|why| format!("alert {}: {why}", table.name))?;
            if let [only] = *alert.from {
                let source = file.source.get(sources[only]);
                alert.plan.from.alias = source.and_then(end::named);
            }
            let mut others = self.alerts.iter();
            if others.any(|it| it.plan.rule.name == table.name) {
                return Err(format!("two alerts have the name {}", table.name));
            }
            self.alerts.push(alert);
        }
        Ok(())
    }

    fn target(&self, name: &str) -> Result<usize, String> {
        let found = self.targets.iter().position(|(known, _)| known == name);
        found.ok_or_else(|| {
            if name.contains("://") {
                let url = without_credentials(name);
                return format!("{url} is a URL and no target: give it a [target.NAME] table");
            }
            let known: Vec<&str> = self.targets.iter().map(|(name, _)| &**name).collect();
            format!("unknown target {name:?}; there are {}", known.join(", "))
        })
    }

    fn targets(&self, names: &Names) -> Result<Vec<usize>, String> {
        names.all().iter().map(|name| self.target(name)).collect()
    }

    fn route(&self, table: &RouteTable, sources: &[&str]) -> Result<(Route, String), String> {
        let from = indices(&table.from, sources)?;
        let pattern: Pattern = table.topic.parse().map_err(|why| format!("{why}"))?;
        let condition = table.condition.as_deref().map(str::parse).transpose();
        let condition = condition.map_err(|why: String| format!("where: {why}"))?;
        let map = table.map.as_deref().map(str::parse).transpose();
        let map = map.map_err(|why: String| format!("map: {why}"))?;
        let topic_out = table.topic_out.as_deref().map(|text| {
            let is_known = |name: &str| name == "topic" || pattern.has(name);
            Template::of_topic(text, is_known).map_err(|place| match place.strip_suffix("...}") {
                Some(name) => format!("topic-out: {place} is for topic alone: write {name}}}"),
                None => format!("topic-out: {place} is not a capture of {}", table.topic),
            })
        });
        let topic_out = topic_out.transpose()?;
        if let Some(text) = &table.topic_out
            && (text.is_empty() || text.contains(['+', '#']))
        {
            return Err(format!(
                "topic-out: {text:?} is empty or contains a wildcard"
            ));
        }
        let (to, otherwise) = (self.targets(&table.to)?, self.targets(&table.otherwise)?);
        if to.is_empty() && otherwise.is_empty() {
            return Err(String::from("it goes nowhere: to = \"TARGET\" is missing"));
        }
        if table.qos.is_some_and(|qos| qos > 2) {
            return Err(String::from("qos is 0, 1 or 2"));
        }
        let image = match table.topic_out.as_deref() {
            Some(text) => ends::image(text, pattern.filter()),
            None => pattern.filter().to_owned(),
        };
        let route = Route {
            from,
            pattern,
            condition,
            map,
            topic_out,
            to,
            otherwise,
            qos: table.qos,
            retain: table.retain,
            last: table.last,
        };
        Ok((route, image))
    }

    /// What the routes want of a source.
    fn filters(&self, source: usize) -> Vec<&str> {
        let routes = self.routes.iter();
        let routes = routes
            .filter(|route| route.from.contains(&source))
            .map(|route| route.pattern.filter());
        let alerts = self.alerts.iter();
        let alerts = alerts.filter(|alert| alert.from.contains(&source));
        let alerts = alerts.flat_map(|alert| alert.plan.filters());
        let mut filters: Vec<&str> = routes.chain(alerts).collect();
        filters.sort_unstable();
        filters.dedup();
        filters
    }

    /// Refuses routes and alerts whose messages come back to them.
    pub(super) fn check_loops(&self, sources: &[SourceEnd], targets: &[&TargetEnd]) -> Result<()> {
        let routes = self.routes.iter().zip(&self.images).enumerate();
        let routes = routes.map(|(at, (route, image))| {
            let filter = route.pattern.filter().to_owned();
            let to = route.to.iter().map(|it| (*it, image.clone()));
            let others = route.otherwise.iter().chain(&self.dead_letters);
            let others = others.map(|it| (*it, filter.clone()));
            Node {
                name: format!("route {}", at + 1),
                from: route.from.clone(),
                to: to.collect(),
                as_it_is: others.collect(),
                filter,
            }
        });
        let alerts = self.alerts.iter().map(|alert| Node {
            name: format!("alert {}", alert.plan.rule.name),
            from: alert.from.clone(),
            filter: alert.plan.from.topic.filter().to_owned(),
            as_it_is: Vec::new(),
            to: alert
                .to
                .iter()
                .map(|(it, _)| (*it, alert.image.clone()))
                .collect(),
        });
        let nodes: Vec<Node> = routes.chain(alerts).collect();
        loops::check(&nodes, |target, source| {
            targets[target].gives_back()
                && is_same(&targets[target].name(), &sources[source].name())
        })
    }

    /// What each source is called in a spool: as in the file, and as `bridge` and `log` call it, so that what those have left is
    /// delivered.
    pub(super) fn spool_names(&self, ends: &[SourceEnd]) -> Vec<Vec<String>> {
        let places: Vec<String> = ends.iter().map(SourceEnd::name).collect();
        let both = self.sources.iter().zip(&places);
        both.map(|((name, _), place)| {
            let alias = match places.iter().filter(|it| *it == place).count() {
                1 => place.clone(),
                _ => format!("{place} ({name})"),
            };
            vec![name.clone(), alias]
        })
        .collect()
    }

    /// Refuses alerts whose state cannot be kept.
    pub(super) fn check_journals(&self) -> Result<()> {
        let recorded = |at: &usize| matches!(self.sources[*at].1.end, End::File(_));
        let kept = self.alerts.iter();
        let mut kept = kept.filter(|alert| !alert.from.iter().all(recorded));
        kept.try_for_each(|alert| alert.plan.journal().map(drop))
    }

    /// The files that are written.
    pub(super) fn written(&self) -> impl Iterator<Item = &Path> {
        self.targets.iter().filter_map(|(_, args)| args.end.path())
    }

    /// What is under way at the end may take as long as a commit may be put off.
    pub(super) fn until(&self, until: &Until) -> Until {
        let times = self.targets.iter().map(|(_, args)| args.sync);
        let longest = times.filter_map(|sync| match sync {
            Syncing::Every(time) => Some(time),
            Syncing::Auto | Syncing::Within(_) | Syncing::Each => None,
        });
        Until {
            drain: match longest.max() {
                Some(time) => Some(until.drain.unwrap_or(DRAIN) + time),
                None => until.drain,
            },
            ..until.clone()
        }
    }

    /// What is allowed, and was hardly meant.
    pub(super) fn warnings(&self) -> Vec<String> {
        let used = |target: usize| {
            let mut routes = self.routes.iter();
            let mut alerts = self.alerts.iter().flat_map(|alert| &alert.to);
            self.dead_letters == Some(target)
                || alerts.any(|(to, _)| *to == target)
                || routes.any(|it| it.to.contains(&target) || it.otherwise.contains(&target))
        };
        let unused = self.targets.iter().enumerate();
        let unused = unused.filter(|(at, _)| !used(*at));
        let mut texts: Vec<String> = unused
            .map(|(_, (name, _))| format!("target {name} is not used"))
            .collect();
        for (at, route) in self.routes.iter().enumerate() {
            let hides = |before: &&Route| {
                let (all, own) = (before.pattern.filter(), route.pattern.filter());
                before.last
                    && before.condition.is_none()
                    && route.from.iter().all(|from| before.from.contains(from))
                    && (all == own || covers(all, own) && intersect(all, own))
            };
            if self.routes[..at].iter().any(|before| hides(&before)) {
                texts.push(format!("route {} is never reached", at + 1));
            }
        }
        texts
    }

    pub(super) fn summary(&self) -> String {
        let counts = [
            (self.sources.len(), "source"),
            (self.targets.len(), "target"),
            (self.routes.len(), "route"),
            (self.alerts.len(), "alert"),
        ];
        let counts = counts.iter().filter(|(count, _)| *count > 0);
        let counts: Vec<_> = counts
            .map(|(count, what)| counted(*count as u64, what))
            .collect();
        format!("{}: no mistakes found", counts.join(", "))
    }

    /// The rules over targets that were resolved.
    ///
    /// # Errors
    /// A journal that cannot be used.
    pub(super) fn rules(
        self,
        targets: &[TargetEnd],
        origin: Origin,
        run: Run,
        console: Console,
    ) -> Result<Rules> {
        let protocols = targets.iter().map(TargetEnd::protocol).collect();
        self.ruled(protocols, origin, run, console)
    }

    fn ruled(
        self,
        protocols: Vec<Option<Protocol>>,
        origin: Origin,
        run: Run,
        console: Console,
    ) -> Result<Rules> {
        let mut shapes = self.shapes;
        for (shape, protocol) in shapes.iter_mut().zip(protocols) {
            shape.protocol = protocol;
        }
        let recorded = |at: usize| matches!(self.sources[at].1.end, End::File(_));
        let alerts = alerts::watch(&self.alerts, &shapes, run, recorded, console)?;
        let mut routes = Routes::new(self.routes, shapes, origin, self.dead_letters, console);
        if self.strict {
            routes = routes.strict();
        }
        if run == Run::Live {
            routes = routes.named(self.name);
        }
        Ok(Rules::new(routes, alerts, run != Run::Live))
    }

    /// The same for a trial: of the protocols that names tell.
    pub(super) fn untried(self, console: Console) -> Result<Rules> {
        let targets = self.targets.iter();
        let protocols = targets.map(|(_, args)| args.end.protocol());
        let protocols = protocols.collect::<Result<Vec<_>>>()?;
        self.ruled(protocols, Origin::default(), Run::Trial, console)
    }

    /// What all targets are called, those of alerts last.
    pub(super) fn target_names(&self) -> Vec<String> {
        let targets = self.targets.iter().map(|(name, _)| name.clone());
        let own = self.alerts.iter().flat_map(Alert::names);
        targets.chain(own).collect()
    }

    /// Who is told by alerts beside the targets.
    ///
    /// # Errors
    /// A URL that names no server.
    pub(super) fn places(&self) -> Result<Vec<Place>> {
        let places = self.alerts.iter().map(Alert::places);
        Ok(places
            .collect::<Result<Vec<_>>>()?
            .into_iter()
            .flatten()
            .collect())
    }

    /// The sources that recorded messages may have come from.
    pub(super) fn candidates(&self) -> Candidates {
        Candidates(self.sources.iter().map(|(_, args)| args.clone()).collect())
    }
}

/// The sources that recorded messages may have come from.
pub(super) struct Candidates(Vec<SourceArgs>);

impl Candidates {
    /// Those of a message, by their indices.
    pub(super) fn of(&self, protocol: &str, topic: &str) -> Vec<usize> {
        let fits = |args: &SourceArgs| {
            let known = matches!(
                (&args.end, protocol),
                (End::Url(Protocol::Mqtt, _), "mqtt")
                    | (End::Url(Protocol::Amqp, _), "amqp")
                    | (End::Url(Protocol::Coap, _) | End::Listen(_), "coap")
                    | (End::Context(_) | End::File(_) | End::Standard, _)
                    | (_, "none")
            );
            let mut filters = args.subscriptions.iter();
            let filtered = args.subscriptions.is_empty()
                || args.queue.is_some()
                || filters.any(|it| matches(plain(&it.filter), topic));
            known && filtered
        };
        let sources = self.0.iter().enumerate();
        let sources = sources.filter(|(_, args)| fits(args));
        sources.map(|(at, _)| at).collect()
    }
}

/// The indices of these sources; of all, where none is named.
pub(super) fn indices(names: &Names, sources: &[&str]) -> Result<Vec<usize>, String> {
    if names.is_empty() {
        return Ok((0..sources.len()).collect());
    }
    let index = |name: &String| {
        let found = sources.iter().position(|known| known == name);
        let known = sources.join(", ");
        found.ok_or_else(|| format!("unknown source {name:?}; there are {known}"))
    };
    names.all().iter().map(index).collect()
}

fn window(file: &File) -> Result<u16, String> {
    match file.window {
        Some(0) => Err(String::from("window must be at least 1")),
        window => Ok(window.unwrap_or(WINDOW)),
    }
}

/// The spool and the keys of a file.
fn between(file: &File, plan: &Plan) -> Result<Between, String> {
    let spool = file.spool.as_ref().map(|table| spool(table, plan));
    let spool = spool.transpose().map_err(|why| format!("spool: {why}"))?;
    let dedup = match (&file.dedup, &file.within) {
        (Some(key), within) => Some((plan.readers.dedup)(key, within.as_deref())),
        (None, Some(_)) => return Err(String::from("within needs dedup")),
        (None, None) => None,
    };
    Ok(Between {
        spool,
        dedup: dedup.transpose().map_err(|why| format!("dedup: {why}"))?,
        in_order: false,
        reports: Reports::default(),
    })
}

fn spool(table: &SpoolTable, plan: &Plan) -> Result<SpoolArgs, String> {
    let usual = SpoolArgs::of(table.dir.clone());
    let size = table.size.as_deref().map(plan.readers.size).transpose()?;
    let age = table.age.as_deref().map(plan.readers.time).transpose()?;
    if size.is_some_and(|size| size < SpoolArgs::SMALLEST) {
        return Err(String::from("size must be at least 1MiB"));
    }
    Ok(SpoolArgs {
        size: size.unwrap_or(usual.size),
        age: age.unwrap_or(usual.age),
        full: match table.full.as_deref() {
            None | Some("wait") => Full::Wait,
            Some("drop-oldest") => Full::DropOldest,
            Some(other) => return Err(format!("full: {other:?} is neither wait nor drop-oldest")),
        },
        ..usual
    })
}

fn plain(filter: &str) -> &str {
    crate::message::topic::shared(filter).map_or(filter, |(_, filter)| filter)
}
