//! `watch`: shows what comes from a server of any of the three protocols, or was recorded, as it changes.
//!
//! | part | what it is for |
//! |---|---|
//! | [`sources`] | where messages come from |
//! | [`observer`] | the target that puts them on the board, and shows it |
//! | [`deeds`] | what the user of the screen asks for: messages sent, retained ones removed, a recording |
//! | [`table`] | the board as lines of text, or of JSON |
//! | [`web`] | the board as a page for browsers, and for Prometheus |

mod deeds;
mod observer;
mod sources;
mod table;
mod web;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use self::deeds::Deeds;
use self::observer::{Connection, Observer, View};
use self::table::Tables;
use self::web::Pages;
use crate::board::{Board, Expectation, Options};
use crate::command::ends::{End, SourceArgs};
use crate::connect::Protocol;
use crate::error::{Error, Kind, Result};
use crate::flow::{self, Ready, Stages, Until};
use crate::output::{Console, Panes, Style, lacks_screen, terminals};
use crate::stop::Stop;

/// What to watch, and how it is shown.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Where messages come from.
    pub(crate) source: SourceArgs,
    /// Nothing says which topics: the path of an MQTT URL may.
    pub(crate) everything: bool,
    /// What of them is looked for.
    pub(crate) board: Options,
    /// What it is shown as.
    pub(crate) shown: Shown,
    /// How often a table is printed; otherwise as often as usual.
    pub(crate) every: Option<Duration>,
    /// One table once all is there, and the end (`--once`).
    pub(crate) once: bool,
    /// What the broker says of itself is subscribed to.
    pub(crate) sys: bool,
    /// What must be true in the end.
    pub(crate) expect: Option<Expectation>,
    /// Where a page is served.
    pub(crate) web: Option<Web>,
    /// When it ends.
    pub(crate) until: Until,
    /// Who is told when messages can come.
    pub(crate) ready: Ready,
    /// What the terminal shows.
    pub(crate) style: Style,
}

/// What the board is shown as on standard output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shown {
    /// On the whole terminal, else as tables.
    Auto,
    /// Lines of text.
    Text,
    /// A line of JSON for each snapshot.
    Json,
    /// Not at all.
    Nothing,
}

/// Where a page is served, and to whom.
#[derive(Clone, Debug)]
pub(crate) struct Web {
    /// The address; port 0 takes a free one.
    pub address: SocketAddr,
    /// What who asks must know; without one only this machine may ask.
    pub token: Option<String>,
    /// The file where that is.
    pub token_file: Option<PathBuf>,
}

/// The board, of which pages are made while messages come.
#[derive(Clone)]
pub(crate) struct Shared(Arc<Mutex<Board>>);

impl Shared {
    fn new(board: Board) -> Self {
        Self(Arc::new(Mutex::new(board)))
    }

    /// The board, for a moment.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Board> {
        // A panic ends the program; a test that has panicked meanwhile leaves counts behind that do not matter.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Shows what comes until it is told to stop.
///
/// # Errors
/// No connection, a refusal, a deadline; [`Kind::Missed`]: the expectation; see [`Kind`].
pub(crate) async fn run(mut plan: Plan) -> Result<()> {
    let is_screen = plan.has_screen()?;
    let console = Console::new(plan.style);
    let end = sources::resolve(&plan, console)?;
    let mut stop = Stop::watch()?;
    let board = Board::new(
        end.name(),
        plan.board.clone(),
        Instant::now(),
        SystemTime::now(),
    );
    let board = Shared::new(board);
    let pages = match &plan.web {
        Some(web) => Some(Pages::open(web, board.clone(), console).await?),
        None => None,
    };
    let mut source = end.open().await?;
    let deeds = Deeds::new(&plan)?;
    let view = match is_screen {
        true => {
            let panes = Panes::open(plan.style, deeds.takes(), Instant::now())?;
            View::Screen(Box::new(panes))
        }
        false => plan.view(console)?,
    };
    let mut observer = Observer::new(board.clone(), view, pages.as_ref(), deeds);
    if plan.is_recorded() {
        observer.choose(&plan.source.subscriptions);
    }
    let mut announcement = plan.ready.announcement()?;
    let ended = {
        let mut source = announcement.watch(&mut source);
        let stays = plan.is_recorded() && !plan.once && (is_screen || pages.is_some());
        let mut source = Connection::new(&mut source, board.clone(), observer.bell(), stays);
        let (stages, until) = (Stages::default(), &plan.until);
        flow::run(&mut source, &mut observer, &stages, until, &mut stop).await
    };
    let ended = match ended {
        Err(error) if error.kind() == Kind::ReaderGone && observer.has_ended() => Ok(()),
        ended => ended,
    };
    // A file that breaks off has said something all the same.
    let broke_off = |why: &Error| plan.once && why.kind() == Kind::Local;
    let is_wanted = ended.as_ref().err().is_none_or(broke_off);
    let shown = observer.close(is_wanted).await;
    let closed = stop.close(source.close()).await.unwrap_or(Ok(()));
    ended.and(shown).and(closed)?;
    plan.tell_of_nothing(&board, console);
    plan.verdict(&board)
}

impl Plan {
    /// Whether messages come from a file or from standard input.
    fn is_recorded(&self) -> bool {
        !self.source.end.is_server()
    }

    /// Whether there is a screen, on which nothing else is to be said then.
    ///
    /// # Errors
    /// Keys and messages would come from the same terminal.
    fn has_screen(&mut self) -> Result<bool> {
        let is_screen = self.shown == Shown::Auto && terminals()[1] && lacks_screen().is_none();
        if is_screen && self.source.end == End::Standard && terminals()[0] {
            let text = "standard input is the terminal: it has the keys, and no messages";
            let hint = "pipe messages into it, as in iotctl mqtt sub -t '#' --output json | iotctl watch -";
            return Err(Error::usage(text).hint(hint));
        }
        if is_screen && self.source.connect.insecure == Some(true) {
            let console = Console::new(self.style);
            console.warn("the certificate of the server is not verified (--insecure)");
        }
        // What is said on standard error would stand in the middle of it.
        self.style.quiet |= is_screen;
        self.source.style = self.style;
        Ok(is_screen)
    }

    fn view(&self, console: Console) -> Result<View> {
        let tables = |json| Tables::open(json, self.every(), self.style).map(Box::new);
        Ok(match self.shown {
            Shown::Nothing => View::Nothing,
            Shown::Json => View::Tables(tables(true)?),
            Shown::Text => View::Tables(tables(false)?),
            Shown::Auto if self.web.is_some() && !terminals()[1] => View::Nothing,
            Shown::Auto => {
                if !self.once {
                    let every = humantime::format_duration(self.every().unwrap_or_default());
                    let why = lacks_screen().filter(|_| terminals()[1]);
                    let why = why.unwrap_or("standard output is not a terminal");
                    console.note(format_args!("{why}: printing a table every {every}"));
                }
                View::Tables(tables(false)?)
            }
        })
    }

    /// How often tables are printed; `None`: only at the end.
    fn every(&self) -> Option<Duration> {
        match self.once {
            true => None,
            false => Some(self.every.unwrap_or(table::EVERY)),
        }
    }

    /// Says so where `--once` has found nothing.
    fn tell_of_nothing(&self, board: &Shared, console: Console) {
        let snapshot = board.lock().snapshot(0, Instant::now());
        let is_mqtt = self.source.end.protocol().ok().flatten() == Some(Protocol::Mqtt);
        if self.source.retained_only && is_mqtt && snapshot["counts"]["messages"] == 0 {
            console.note("no retained messages; for live ones use --for 5s");
        }
    }

    fn verdict(&self, board: &Shared) -> Result<()> {
        let Some(expectation) = &self.expect else {
            return Ok(());
        };
        let snapshot = board.lock().snapshot(usize::MAX, Instant::now());
        if expectation.holds(&snapshot) {
            return Ok(());
        }
        let found = expectation.found(&snapshot);
        let found = match found.is_empty() {
            true => found,
            false => format!(": {found}"),
        };
        let text = format!("condition not met: {expectation}{found}");
        Err(Error::new(Kind::Missed, text))
    }
}
