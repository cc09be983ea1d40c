//! The board as a page for browsers: `/`, what changes as `/events`, all of it as `/snapshot.json`, and `/metrics` for
//! Prometheus. Nothing can be changed there.

use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use data_encoding::BASE64;
use ring::digest::{SHA256, digest};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{sleep, sleep_until};

use super::{Shared, Web as Plan};
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
                    "--web {}: everybody who can connect could read it",
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
                since: None,
            })),
            _ => Answer::Nothing("see /, /events, /snapshot.json and /metrics\n"),
        }
    }
}

/// What one browser is told.
struct Changes {
    board: Shared,
    bell: watch::Receiver<()>,
    /// When it was told something last.
    since: Option<Instant>,
}

impl Events for Changes {
    fn next<'a>(
        &'a mut self,
        into: &'a mut String,
    ) -> Pin<Box<dyn Future<Output = bool> + Send + 'a>> {
        Box::pin(async move {
            let Some(since) = self.since else {
                // What comes while it is made is told next.
                self.bell.mark_unchanged();
                let now = Instant::now();
                let all = self.board.lock().snapshot(MOST, now);
                into.push_str(&format!("event: all\ndata: {all}\n\n"));
                self.since = Some(now);
                return true;
            };
            sleep_until((since + PAUSE).into()).await;
            tokio::select! {
                changed = self.bell.changed() => if changed.is_err() {
                    return false;
                },
                () = sleep(QUIET) => {}
            }
            let now = Instant::now();
            let delta = self.board.lock().delta(since, MOST_AT_ONCE, now);
            into.push_str(&format!("event: delta\ndata: {delta}\n\n"));
            self.since = Some(now);
            true
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
