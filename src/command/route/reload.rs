//! The routes file that is read again at SIGHUP, while messages are carried.
//!
//! Routes and the limits of alerts come into force between two messages. A target whose server is another one, or is logged in to
//! otherwise, connects anew; all other connections stay as they are. What concerns those, and what was opened at the start, needs
//! a restart, and nothing of such a file is taken.

use std::collections::BTreeMap;
use std::time::Instant;

use tokio::sync::oneshot;

use super::alert_table::AlertTable;
use super::exchange::Orders;
use super::file::{File, RouteTable, TargetTable};
use super::rules::Rules;
use super::setup::{Setup, placed};
use super::{Ends, Plan};
use crate::command::ends::{End, TargetEnd};
use crate::command::serving::{aside, is_terminal_gone, outcome_of};
use crate::error::{Error, Result, counted};
use crate::flow::{Outgoing, Routed, Router};
use crate::message::Message;
use crate::message::topic::{covers, intersect};
use crate::output::{Console, terminals};
use crate::stop::Hangup;

/// What is in force, and what it was started with.
pub(super) struct Standing<'a> {
    pub(super) plan: &'a Plan,
    pub(super) ends: Ends<'a>,
    /// The file as it was read last.
    file: File,
    /// By source: its name, and the filters that it has subscribed to; `None`: it gives what there is.
    subscribed: Vec<(String, Option<Vec<String>>)>,
    /// The targets that are connected to, or are about to be.
    targets: Vec<&'a TargetEnd>,
    orders: Orders<'a>,
    console: Console,
}

impl<'a> Standing<'a> {
    pub(super) fn new(
        plan: &'a Plan,
        ends: Ends<'a>,
        file: File,
        setup: &Setup,
        orders: Orders<'a>,
    ) -> Self {
        let sources = setup.sources.iter().zip(ends.sources);
        let subscribed = sources.map(|((name, args), end)| {
            let filters = args.subscriptions.iter();
            let filters = filters.map(|it| it.filter.to_string());
            (name.clone(), end.subscribes().then(|| filters.collect()))
        });
        Self {
            subscribed: subscribed.collect(),
            targets: ends.targets.iter().collect(),
            orders,
            plan,
            ends,
            file,
            console: Console::new(plan.style),
        }
    }

    /// What another file means, where it can come into force now.
    fn setup(&self, file: &File) -> Result<(Setup, Vec<(usize, TargetEnd)>)> {
        let place = self.plan.file.display();
        let changed = fixed(&self.file, file);
        if !changed.is_empty() {
            let text = format!("{place}: changes of {} need a restart", changed.join(", "));
            return Err(Error::usage(text));
        }
        let setup = Setup::of(file, self.plan)?;
        let others = self.others(file, &setup)?;
        let mut targets = self.targets.clone();
        for (at, end) in &others {
            targets[*at] = end;
        }
        setup.check_loops(self.ends.sources, &targets)?;
        for ((name, args), (_, subscribed)) in setup.sources.iter().zip(&self.subscribed) {
            let Some(subscribed) = subscribed else {
                continue;
            };
            let is_new = |filter: &&str| {
                let mut known = subscribed.iter();
                !known.any(|it| it == filter || covers(it, filter) && intersect(it, filter))
            };
            let mut filters = args.subscriptions.iter().map(|it| &*it.filter);
            if let Some(filter) = filters.find(is_new) {
                let text =
                    format!("{place}: a subscription to {filter} at source {name} needs a restart");
                return Err(Error::usage(text));
            }
        }
        Ok((setup, others))
    }

    /// The targets that are other ones now, by index.
    fn others(&self, file: &File, setup: &Setup) -> Result<Vec<(usize, TargetEnd)>> {
        let mut others = Vec::new();
        for (at, (name, args)) in setup.targets.iter().enumerate() {
            if self.file.target.get(name) == file.target.get(name) {
                continue;
            }
            let end = TargetEnd::resolve(args.clone(), self.console);
            let end = end.map_err(|why| placed(self.plan, "target", name, why))?;
            if end.protocol() != self.targets[at].protocol()
                || !matches!(args.end, End::Url(..) | End::Context(_))
            {
                let place = self.plan.file.display();
                let text = format!("{place}: changes of target {name} need a restart");
                return Err(Error::usage(text));
            }
            others.push((at, end));
        }
        Ok(others)
    }

    /// These take the place of the targets with their indices.
    fn exchange(&mut self, others: Vec<(usize, TargetEnd)>) {
        for (at, end) in others {
            let end = self.ends.later.keep(end);
            let (new, old) = (end.name(), self.targets[at].name());
            match new == old {
                true => self
                    .console
                    .note(format_args!("SIGHUP: connecting to {new} anew")),
                false => self
                    .console
                    .note(format_args!("SIGHUP: connecting to {new} instead of {old}")),
            }
            self.targets[at] = end;
            self.orders.give(at, end);
        }
    }
}

/// Rules that other ones can take the place of.
pub(super) struct Reloading<'a> {
    rules: Rules,
    standing: Standing<'a>,
    hangup: Hangup,
    /// Which of standard input, output and error were terminals at the start.
    terminals: [bool; 3],
    reading: Option<oneshot::Receiver<Result<File>>>,
    /// What was read, and has not come into force.
    read: Option<Result<File>>,
}

impl<'a> Reloading<'a> {
    /// # Errors
    /// There can be no signal handler.
    pub(super) fn new(rules: Rules, standing: Standing<'a>) -> Result<Self> {
        Ok(Self {
            rules,
            standing,
            hangup: Hangup::watch()?,
            terminals: terminals(),
            reading: None,
            read: None,
        })
    }

    /// The rules over what comes from the sources of this origin.
    pub(super) fn from(mut self, origin: crate::flow::Origin) -> Self {
        self.rules = self.rules.from(origin);
        self
    }

    /// The rules that are in force.
    pub(super) fn into_rules(self) -> Rules {
        self.rules
    }

    fn apply(&mut self, read: Result<File>) {
        let Self {
            rules, standing, ..
        } = self;
        let setup = read.and_then(|file| Ok((standing.setup(&file)?, file)));
        let ((setup, others), file) = match setup {
            Ok(read) => read,
            Err(error) => {
                standing.console.warn(format_args!(
                    "SIGHUP: {error}; the previous file stays in force"
                ));
                return;
            }
        };
        for text in setup.warnings() {
            standing.console.warn(text);
        }
        let before = origins(&standing.file.route, &file.route);
        standing.console.note(format_args!(
            "SIGHUP: {} reloaded: {}, {}",
            standing.plan.file.display(),
            counted(file.route.len() as u64, "route"),
            counted(file.alert.len() as u64, "alert"),
        ));
        rules.replace(setup, &before);
        standing.exchange(others);
        standing.file = file;
    }
}

impl Router for Reloading<'_> {
    fn route(&mut self, message: Message, into: &mut Outgoing) -> Result<Routed> {
        self.rules.route(message, into)
    }

    fn covers(&self, source: usize, message: &Message) -> bool {
        self.rules.covers(source, message)
    }

    fn dead_letter(&mut self, message: Message, why: &Error) -> Option<(usize, Message)> {
        self.rules.dead_letter(message, why)
    }

    fn sync(&mut self) -> Result<()> {
        self.rules.sync()
    }

    fn due(&self) -> Option<Instant> {
        self.rules.due()
    }

    async fn called(&mut self) {
        loop {
            tokio::select! {
                // It ends without its terminal.
                () = self.hangup.heard() => {
                    if !is_terminal_gone(self.terminals) {
                        let path = self.standing.plan.file.clone();
                        self.reading = Some(aside(move || File::read(&path)));
                    }
                }
                outcome = outcome_of(&mut self.reading) => {
                    self.reading = None;
                    self.read = Some(outcome);
                    return;
                }
            }
        }
    }

    fn wake(&mut self, now: Instant, into: &mut Outgoing) -> Result<()> {
        if let Some(read) = self.read.take() {
            self.apply(read);
        }
        self.rules.wake(now, into)
    }
}

/// What differs between two files and is opened or connected at the start.
fn fixed(was: &File, is: &File) -> Vec<String> {
    let top = [
        ("on-refused", was.on_refused == is.on_refused),
        ("window", was.window == is.window),
        ("strict", was.strict == is.strict),
        ("dedup", was.dedup == is.dedup),
        ("within", was.within == is.within),
        ("spool", was.spool == is.spool),
    ];
    let top = top.iter().filter(|(_, same)| !same);
    let mut changed: Vec<String> = top.map(|(key, _)| String::from(*key)).collect();
    changed.extend(different("source", &was.source, &is.source));
    let (targets, others) = (without_servers(was), without_servers(is));
    changed.extend(different("target", &targets, &others));
    changed.extend(different("alert", &by_name(was), &by_name(is)));
    changed
}

/// The targets of a file without what may change.
fn without_servers(file: &File) -> BTreeMap<String, TargetTable> {
    let targets = file.target.iter();
    let targets = targets.map(|(name, table)| (name.clone(), table.without_server()));
    targets.collect()
}

/// The alerts of a file without what may change.
fn by_name(file: &File) -> BTreeMap<String, AlertTable> {
    let alerts = file.alert.iter();
    let alerts = alerts.map(|it| (it.name.clone(), it.without_limits()));
    alerts.collect()
}

/// `source edge`: what has come, gone or changed.
fn different<T: PartialEq>(
    what: &str,
    was: &BTreeMap<String, T>,
    is: &BTreeMap<String, T>,
) -> Vec<String> {
    let names: std::collections::BTreeSet<&String> = was.keys().chain(is.keys()).collect();
    let names = names.into_iter();
    let names = names.filter(|name| was.get(*name) != is.get(*name));
    names.map(|name| format!("{what} {name}")).collect()
}

/// Which route each one was before; `None`: it is new.
fn origins(was: &[RouteTable], is: &[RouteTable]) -> Vec<Option<usize>> {
    let mut left: Vec<Option<&RouteTable>> = was.iter().map(Some).collect();
    let origin = |route: &RouteTable| {
        let at = left.iter().position(|it| *it == Some(route))?;
        left[at] = None;
        Some(at)
    };
    is.iter().map(origin).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> File {
        toml::from_str(text).unwrap()
    }

    const FILE: &str = r#"
window = 5
[source.a]
url = "mqtt://h"
[target.b]
file = "b"
[[route]]
to = "b"
[[alert]]
name = "hot"
topic = "t"
above = 3
to = "b"
"#;

    #[test]
    fn what_was_opened_at_the_start_stays() {
        for (what, instead, changed) in [
            ("window = 5", "window = 6", "window"),
            ("window = 5", "window = 5\nstrict = true", "strict"),
            ("//h", "//i", "source a"),
            ("//h\"", "//h\"\nretry = \"5s\"", "source a"),
            ("file = \"b\"", "file = \"c\"", "target b"),
            (
                "[target.b]",
                "[target.c]\nfile = \"c\"\n[target.b]",
                "target c",
            ),
            ("topic = \"t\"", "topic = \"u\"", "alert hot"),
            ("name = \"hot\"", "name = \"cold\"", "alert cold, alert hot"),
            ("[[route]]", "[spool]\ndir = \"x\"\n[[route]]", "spool"),
            ("[[route]]", "[[route]]\nlast = true", ""),
            ("above = 3", "below = 2\nfor = \"1s\"", ""),
        ] {
            let other = FILE.replacen(what, instead, 1);
            assert_ne!(other, FILE, "{what}");
            assert_eq!(fixed(&file(FILE), &file(&other)).join(", "), changed);
        }
    }

    #[test]
    fn routes_are_found_again() {
        let routes = |topics: &[&str]| {
            let routes = topics
                .iter()
                .map(|it| format!("[[route]]\ntopic = \"{it}\"\n"));
            file(&routes.collect::<String>()).route
        };
        let (was, is) = (routes(&["a", "b", "b"]), routes(&["b", "c", "b", "b"]));
        assert_eq!(origins(&was, &is), [Some(1), None, Some(2), None]);
    }
}
