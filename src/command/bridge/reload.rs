//! The mosquitto.conf that is read again at SIGHUP, while messages are carried.
//!
//! Other names for the topics that cross come into force between two messages. A topic that was not subscribed to, and everything
//! that concerns a connection, needs a restart, and nothing of such a file is taken.

use bytestring::ByteString;
use tokio::sync::oneshot;

use super::guard::Guard;
use super::import::{self, Import, Section};
use super::topics::{self, Map, Side};
use crate::command::serving::{aside, outcome_of};
use crate::error::{Error, Result, counted};
use crate::message::topic::{covers, intersect};
use crate::mqtt::packet::QoS;
use crate::output::Console;
use crate::stop::Hangup;

/// What the bridge was started with, and what is read.
pub(super) struct Reload {
    import: Import,
    /// The file but for its topics.
    others: Vec<String>,
    /// What is subscribed to, and with which QoS.
    subscribed: Vec<(Side, ByteString, QoS)>,
    /// Whether messages are expected to come back.
    loops: bool,
    /// What is refused at the beginning, too.
    guard: Guard,
    hangup: Hangup,
    reading: Option<oneshot::Receiver<Result<(String, Section)>>>,
    read: Option<Result<(String, Section)>>,
}

impl Reload {
    /// Of a file that was read, and what was made of it.
    ///
    /// # Errors
    /// There can be no signal handler.
    pub(super) fn new(import: Import, text: &str, maps: &[Map], guard: Guard) -> Result<Self> {
        let subscribed = maps.iter();
        let subscribed = subscribed.map(|map| (map.side, map.filter.clone(), map.qos));
        Ok(Self {
            import,
            others: others(text),
            subscribed: subscribed.collect(),
            loops: topics::feeding(maps).is_some(),
            guard,
            hangup: Hangup::watch()?,
            reading: None,
            read: None,
        })
    }

    /// Waits until the file was read again. Cancel-safe.
    pub(super) async fn called(&mut self) {
        while self.read.is_none() {
            tokio::select! {
                () = self.hangup.heard() => {
                    let import = self.import.clone();
                    self.reading = Some(aside(move || import::read(&import)));
                }
                outcome = outcome_of(&mut self.reading) => {
                    self.reading = None;
                    self.read = Some(outcome);
                }
            }
        }
    }

    /// Puts what was read into force, where that can be done now, and says so.
    pub(super) fn apply(&mut self, maps: &mut Vec<Map>, console: Console) {
        let Some(read) = self.read.take() else {
            return;
        };
        let place = self.import.file.display();
        match read.and_then(|(text, section)| self.checked(&text, section)) {
            Ok(fresh) => {
                let count = counted(fresh.len() as u64, "topic");
                *maps = fresh;
                console.note(format_args!("SIGHUP: {place} reloaded: {count}"));
            }
            Err(error) => console.warn(format_args!(
                "SIGHUP: {error}; the previous file stays in force"
            )),
        }
    }

    fn checked(&self, text: &str, section: Section) -> Result<Vec<Map>> {
        let needs = |what: &str| {
            let place = self.import.file.display();
            Err(Error::usage(format!("{place}: {what} needs a restart")))
        };
        if others(text) != self.others {
            return needs("what is changed beside topics");
        }
        let maps = Map::or_everything(section.maps);
        self.guard.check(&maps).map_err(|error| {
            let place = self.import.file.display();
            let text = format!("{place}: {}", error.text());
            error.reworded(text)
        })?;
        if topics::feeding(&maps).is_some() != self.loops {
            return needs("that messages may come back");
        }
        let is_known = |map: &&Map| {
            let mut known = self.subscribed.iter();
            known.any(|(side, filter, qos)| {
                *side == map.side
                    && *qos >= map.qos
                    && (*filter == map.filter
                        || covers(filter, &map.filter) && intersect(filter, &map.filter))
            })
        };
        if let Some(map) = maps.iter().find(|map| !is_known(map)) {
            return needs(&format!("a subscription to {}", map.filter));
        }
        Ok(maps)
    }
}

/// The lines that are neither about topics nor comments.
fn others(text: &str) -> Vec<String> {
    let lines = text.lines().map(str::trim);
    let is_other = |line: &&str| {
        let key = line.split_whitespace().next().unwrap_or_default();
        !key.is_empty() && key != "topic" && !key.starts_with('#')
    };
    lines.filter(is_other).map(String::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_what_needs_no_connection_comes_into_force() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("mosquitto.conf");
        let text = "connection c\naddress a\ntopic a/# out 1 \"\" x/\ntopic b/# out 1\n";
        let write = |text: &str| std::fs::write(&file, text).unwrap();
        write(text);
        let import = Import {
            file: file.clone(),
            connection: None,
        };
        let (read, section) = import::read(&import).unwrap();
        let reload =
            Reload::new(import.clone(), &read, &section.maps, Guard::of_mqtt(false)).unwrap();
        for (was, is, needs) in [
            ("x/", "y/", ""),
            ("\ntopic b/# out 1", "", ""),
            ("topic b/#", "# fewer\ntopic b/c", ""),
            ("b/# out 1", "b/# out 2", "a subscription to b/#"),
            ("topic b/#", "topic c/#", "a subscription to c/#"),
            ("b/# out 1", "b/# both 1", "that messages may come back"),
            ("address a", "address b", "what is changed beside topics"),
        ] {
            write(&text.replacen(was, is, 1));
            let (read, section) = import::read(&import).unwrap();
            let maps = section.maps.clone();
            match reload.checked(&read, section) {
                Ok(fresh) => assert_eq!((fresh, needs), (maps, "")),
                Err(error) => {
                    let place = file.display();
                    assert_eq!(error.text(), format!("{place}: {needs} needs a restart"));
                }
            }
        }
    }
    #[tokio::test]
    async fn what_would_cross_again_and_again_is_refused_as_at_the_beginning() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("mosquitto.conf");
        let text = "connection c\naddress a\ntopic a/# out 1 \"\" x/\n";
        std::fs::write(&file, text).unwrap();
        let import = Import {
            file: file.clone(),
            connection: None,
        };
        let (read, section) = import::read(&import).unwrap();
        for (one, refused) in [(false, false), (true, true)] {
            let guard = Guard::of_mqtt(one);
            let reload = Reload::new(import.clone(), &read, &section.maps, guard).unwrap();
            let other = text.replace("x/", "a/x/");
            let section = import::parse(&other, None).unwrap();
            let checked = reload.checked(&other, section);
            assert_eq!(checked.is_err(), refused, "{one}");
            if let Err(error) = checked {
                let said = "both ends are the same server, so a/# as a/x/a/# would loop";
                assert_eq!(error.text(), format!("{}: {said}", file.display()));
            }
        }
    }
}
