//! The board as a page for browsers: `/`, what changes as `/events`, all of it as `/snapshot.json`, and `/metrics` for
//! Prometheus. Nothing can be changed there.

use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use data_encoding::BASE64;
use ring::digest::{SHA256, digest};
use serde_json::Value;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{sleep, sleep_until};

use super::{Shared, Web as Plan};
use crate::board::Board as Known;
use crate::board::snapshot::Cursor;
use crate::error::{Error, Result};
use crate::file;
use crate::output::Console;
use crate::server::web::{Access, Answer, Events, METRICS, STYLE, Site, Web};

/// The page, without its style and its script.
const PAGE: &str = include_str!("page.html");

/// What the page does.
const SCRIPT: &str = include_str!("page.js");

/// What the page looks like, beside what all pages look like.
const OWN_STYLE: &str = include_str!("page.css");

/// As often as this, at most, something is sent to a browser.
const PAUSE: Duration = Duration::from_millis(250);

/// As often as this something is sent even if nothing has happened, so that a connection that is gone is noticed.
const QUIET: Duration = Duration::from_secs(15);

/// Topics that a browser gets at first.
const MOST: usize = 2_000;

/// Topics that it gets at once after that.
const MOST_AT_ONCE: usize = 500;

/// The endpoint, which serves until this is dropped.
pub(super) struct Pages {
    /// What is served where.
    words: String,
    bell: watch::Sender<()>,
    serving: JoinHandle<()>,
}

impl Pages {
    /// Listens, and says where.
    ///
    /// # Errors
    /// [`Kind::Local`](crate::error::Kind::Local): the address cannot be listened on; [`Kind::Usage`](crate::error::Kind::Usage):
    /// everybody could see it.
    pub(super) async fn open(plan: &Plan, board: Shared, console: Console) -> Result<Self> {
        let token = match &plan.token_file {
            Some(path) => Some(read_token(path)?),
            None => plan.token.clone(),
        };
        let is_secret = token.is_some();
        let access = match token {
            Some(token) if token.is_empty() || !token.bytes().all(is_plain) => {
                let text = "the token may consist of letters, digits and - . _ ~ only";
                return Err(Error::usage(text));
            }
            Some(token) => Access::Token(token),
            None if plan.address.ip().is_loopback() => Access::Loopback,
            None => {
                let text = format!(
                    "--web {}: anyone who can connect could read it",
                    plan.address
                );
                return Err(Error::usage(text).hint("use 127.0.0.1, or --token-file FILE"));
            }
        };
        let web = Web::bind(plan.address, access).await?;
        let address = web.local_addr()?;
        let (bell, _) = watch::channel(());
        let site = Board::new(board, bell.subscribe());
        let serving = tokio::spawn(web.serve(Arc::new(site)));
        let token = if is_secret { "/?token=TOKEN" } else { "/" };
        let words = format!("serving http://{address}{token}");
        console.note(&words);
        Ok(Self {
            words,
            bell,
            serving,
        })
    }

    /// What is served where.
    pub(super) fn words(&self) -> String {
        self.words.clone()
    }

    /// Tells of changes.
    pub(super) fn bell(&self) -> watch::Sender<()> {
        self.bell.clone()
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

fn read_token(path: &Path) -> Result<String> {
    let text = file::read_text(path, file::SMALL)?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

/// What needs no escape in a URL (RFC 3986 §2.3).
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// What is served.
struct Board {
    board: Shared,
    bell: watch::Receiver<()>,
    page: String,
    /// The header fields of the page.
    fields: String,
}

impl Board {
    fn new(board: Shared, bell: watch::Receiver<()>) -> Self {
        let style = format!("{STYLE}{OWN_STYLE}");
        let fill = |text: &str, place: &str, with: &str| text.replacen(place, with, 1);
        let page = fill(PAGE, "/*STYLE*/", &style);
        let page = fill(&page, "/*SCRIPT*/", SCRIPT);
        // Exactly what stands between the tags may run, and nothing that a payload brings along.
        let hash = |text: &str| BASE64.encode(digest(&SHA256, text.as_bytes()).as_ref());
        let fields = format!(
            "content-security-policy: default-src 'none'; script-src 'sha256-{}'; style-src 'sha256-{}'; connect-src 'self'; \
             base-uri 'none'; form-action 'none'; frame-ancestors 'none'\r\n\
             x-content-type-options: nosniff\r\nreferrer-policy: no-referrer\r\ncache-control: no-store\r\n",
            hash(SCRIPT),
            hash(&style)
        );
        Self {
            board,
            bell,
            page,
            fields,
        }
    }
}

impl Site for Board {
    fn get(&self, path: &str) -> Answer {
        let now = Instant::now();
        let plain = "x-content-type-options: nosniff\r\ncache-control: no-store\r\n";
        match path {
            "/" => Answer::Text {
                kind: "text/html; charset=utf-8",
                fields: self.fields.clone().into(),
                body: self.page.clone().into(),
            },
            "/snapshot.json" => Answer::Text {
                kind: "application/json",
                fields: plain.into(),
                body: self.board.lock().snapshot(MOST, now).to_string().into(),
            },
            "/metrics" => Answer::Text {
                kind: METRICS,
                fields: plain.into(),
                body: self.board.lock().metrics(now).into(),
            },
            "/events" => Answer::Events(Box::new(Changes {
                board: self.board.clone(),
                bell: self.bell.clone(),
                told: None,
            })),
            _ => Answer::Nothing("see /, /events, /snapshot.json and /metrics\n"),
        }
    }
}

/// What one browser is told.
struct Changes {
    board: Shared,
    bell: watch::Receiver<()>,
    /// How far it was told, and when.
    told: Option<(Cursor, Instant)>,
}

impl Events for Changes {
    fn next<'a>(
        &'a mut self,
        into: &'a mut String,
    ) -> Pin<Box<dyn Future<Output = bool> + Send + 'a>> {
        Box::pin(async move {
            if let Some((cursor, when)) = self.told {
                sleep_until((when + PAUSE).into()).await;
                let has_more = self.board.lock().is_ahead_of(cursor);
                if !has_more {
                    tokio::select! {
                        changed = self.bell.changed() => if changed.is_err() {
                            return false;
                        },
                        () = sleep(QUIET) => {}
                    }
                }
            }
            // What comes while it is made is told next.
            self.bell.mark_unchanged();
            let now = Instant::now();
            let cursor = self.told.map(|(cursor, _)| cursor);
            let (event, data, cursor) = news(&self.board.lock(), cursor, now);
            into.push_str(&format!("event: {event}\ndata: {data}\n\n"));
            self.told = Some((cursor, now));
            true
        })
    }
}

/// The event for somebody who was told so much, its data, and how far that goes.
fn news(known: &Known, cursor: Option<Cursor>, now: Instant) -> (&'static str, Value, Cursor) {
    if let Some(mut cursor) = cursor
        && let Some(delta) = known.delta(&mut cursor, MOST, MOST_AT_ONCE, now)
    {
        return ("delta", delta, cursor);
    }
    ("all", known.snapshot(MOST, now), known.cursor())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::SystemTime;

    use super::*;
    use crate::board::Options;
    use crate::board::topics::Limits;
    use crate::message::Message;

    /// What a reader of events has: payloads by topic, as they changed; devices with their status.
    #[derive(Default)]
    struct Reader {
        cursor: Option<Cursor>,
        topics: Vec<(String, String)>,
        fleet: BTreeMap<String, String>,
        /// Which events it was sent.
        events: Vec<&'static str>,
    }

    impl Reader {
        /// Reads until there is no more.
        fn reads(&mut self, known: &Known, now: Instant) {
            loop {
                let (event, data, cursor) = news(known, self.cursor, now);
                self.events.push(event);
                self.take(event == "all", &data);
                self.cursor = Some(cursor);
                if !known.is_ahead_of(cursor) {
                    return;
                }
                assert!(data["topics"].as_array().unwrap().len() <= MOST);
            }
        }

        fn take(&mut self, whole: bool, data: &Value) {
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            let names = |name: &str| data[name].as_array().cloned().unwrap_or_default();
            if whole {
                self.topics.clear();
            }
            if whole || data["fleet_is_whole"] == true {
                self.fleet.clear();
            }
            for name in names("fleet_removed") {
                self.fleet.remove(&text(&name));
            }
            for (id, device) in data["fleet"].as_object().unwrap() {
                self.fleet.insert(id.clone(), text(&device["status"]));
            }
            for name in names("topics_removed") {
                self.topics.retain(|(topic, _)| *topic != text(&name));
            }
            let mut news = names("topics");
            if whole {
                news.reverse();
            }
            for one in news {
                let (topic, payload) = (text(&one["topic"]), text(&one["payload"]));
                self.topics.retain(|(known, _)| *known != topic);
                self.topics.push((topic, payload));
            }
            let more = self.topics.len().saturating_sub(MOST);
            self.topics.drain(..more);
        }

        /// Has what a snapshot has.
        fn agrees(&self, known: &Known, now: Instant) {
            let mut other = Self::default();
            other.take(true, &known.snapshot(MOST, now));
            let sorted = |reader: &Self| {
                let mut topics = reader.topics.clone();
                topics.sort();
                topics
            };
            assert_eq!(sorted(self), sorted(&other));
            assert_eq!(self.fleet, other.fleet);
        }
    }

    fn known(topics: usize) -> (Known, Instant) {
        let options = Options {
            devices: vec!["d/{id}".parse().unwrap()],
            values: vec!["s/{id}/{metric}".parse().unwrap()],
            limits: Limits {
                topics,
                ..Limits::default()
            },
            ..Options::default()
        };
        let now = Instant::now();
        let known = Known::new("s".into(), options, now, SystemTime::UNIX_EPOCH);
        (known, now)
    }

    fn put(known: &mut Known, topic: &str, payload: &str, now: Instant) {
        let message = Message::plain(payload.to_owned().into());
        assert!(known.take(topic, &message, now));
    }

    #[test]
    fn a_reader_of_events_has_all_changes_however_many_come_at_once() {
        let (mut known, now) = known(100_000);
        let mut reader = Reader::default();
        reader.reads(&known, now);
        // All at the same instant: time tells nothing of them apart.
        for round in 0..3 {
            for at in 0..1_700 {
                put(&mut known, &format!("t/{at}"), &format!("{round}"), now);
            }
            reader.reads(&known, now);
            reader.agrees(&known, now);
        }
        // Some change again while the rest waits, and in the end there are more than a snapshot has.
        for at in 0..1_700 {
            put(&mut known, &format!("t/{at}"), "3", now);
        }
        let (event, data, cursor) = news(&known, reader.cursor, now);
        assert_eq!(
            (event, data["topics"].as_array().unwrap().len()),
            ("delta", MOST_AT_ONCE)
        );
        reader.take(false, &data);
        reader.cursor = Some(cursor);
        for at in 0..900 {
            put(&mut known, &format!("t/{at}"), "4", now);
            put(&mut known, &format!("u/{at}"), "4", now);
        }
        reader.reads(&known, now);
        reader.agrees(&known, now);
        assert_eq!(reader.topics.len(), MOST);
        assert_eq!(reader.events.iter().filter(|it| **it == "all").count(), 1);
    }

    #[test]
    fn a_reader_of_events_is_told_what_was_taken_away() {
        let (mut known, now) = known(1_000);
        for at in 0..700 {
            put(&mut known, &format!("d/{at}"), "online", now);
        }
        put(&mut known, "s/8/temp", "21", now);
        let mut reader = Reader::default();
        reader.reads(&known, now);
        // Two devices go, one of them only in part, and a third comes back.
        for id in [7, 8, 9] {
            put(&mut known, &format!("d/{id}"), "", now);
        }
        put(&mut known, "d/9", "offline", now);
        reader.reads(&known, now);
        reader.agrees(&known, now);
        assert_eq!((reader.fleet.len(), &*reader.fleet["8"]), (699, "unknown"));
        // Topics are forgotten.
        for at in 0..600 {
            put(&mut known, &format!("t/{at}"), "1", now);
        }
        reader.reads(&known, now);
        reader.agrees(&known, now);
        assert_eq!(
            (reader.topics.len(), reader.events.as_slice()),
            (1_000, &["all", "delta", "delta", "delta"][..])
        );
        // More than is remembered, and the loss of the connection: all is sent.
        for at in 0..9_000 {
            put(&mut known, &format!("t/{at}"), "1", now);
        }
        reader.reads(&known, now);
        reader.agrees(&known, now);
        known.connection_lost(now);
        reader.reads(&known, now);
        assert_eq!(reader.events[4..], ["all", "all"]);
    }

    #[test]
    fn the_page_has_its_places_once_and_nothing_from_elsewhere() {
        assert_eq!(PAGE.matches("/*STYLE*/").count(), 1);
        assert_eq!(PAGE.matches("/*SCRIPT*/").count(), 1);
        for text in [PAGE, SCRIPT, OWN_STYLE, STYLE] {
            assert!(!text.contains("http://") || text.contains("http://www.w3.org/2000/svg"));
            for word in [
                "https://",
                "innerHTML",
                "outerHTML",
                "insertAdjacentHTML",
                "document.write",
                "eval(",
                "url(",
            ] {
                assert!(!text.contains(word), "{word}");
            }
        }
    }
}
