//! What is looked at, and what keys do.

use std::time::Instant;

use ratatui_crossterm::crossterm::event::{KeyCode, KeyEvent};

use super::devices::Devices;
use super::keys::is_control;
use super::rows::{Row, Wanted};
use crate::board::history::{MOST, number};
use crate::board::topics::Topics;
use crate::board::{Board, SYS};
use crate::output::action::{Action, Takes};

/// What can be looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pane {
    Topics,
    Fleet,
    Alerts,
    Sys,
}

impl Pane {
    pub(super) const ALL: [Self; 4] = [Self::Topics, Self::Fleet, Self::Alerts, Self::Sys];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Topics => "Topics",
            Self::Fleet => "Devices",
            Self::Alerts => "Alerts",
            Self::Sys => "$SYS",
        }
    }
}

/// What is asked of the user, who types a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Prompt {
    Search,
    Filter,
    Pointer,
    Topic,
    Payload(String),
    File,
    /// Whether the retained messages of these topics are to be removed.
    Clear(String, Vec<String>),
}

impl Prompt {
    pub(super) fn words(&self) -> &str {
        match self {
            Self::Search => "search",
            Self::Filter => "filter",
            Self::Pointer => "graph of the JSON pointer",
            Self::Topic => "publish to",
            Self::Payload(_) => "payload",
            Self::File => "record to",
            Self::Clear(question, _) => question,
        }
    }
}

/// What keys mean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    Normal,
    /// So many lines of it are scrolled away.
    Help(usize),
    Prompt(Prompt, String),
    /// `y` does it.
    Confirm(String, Action),
}

/// A topic in detail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Detail {
    pub(super) topic: String,
    /// Of what a graph is drawn.
    pub(super) pointer: Option<String>,
    /// Lines that are scrolled away.
    pub(super) scrolled: usize,
}

/// All that the screen remembers.
pub(super) struct State {
    pub(super) color: bool,
    pub(super) pane: Pane,
    pub(super) mode: Mode,
    pub(super) wanted: Wanted,
    pub(super) devices: Devices,
    pub(super) detail: Option<Detail>,
    /// The board as it was when it was paused, and when that was.
    frozen: Option<Box<(Board, Instant)>>,
    /// What was said last.
    pub(super) said: Option<String>,
    /// How many messages were recorded.
    pub(super) recorded: Option<u64>,
    /// The chosen line of each pane, and the first one that is seen.
    pub(super) chosen: [usize; 4],
    pub(super) first: [usize; 4],
    /// The lines that a pane has, and how many can be seen at once.
    pub(super) count: usize,
    pub(super) height: usize,
    /// The line that was chosen in the tree, wherever it is by now.
    pub(super) chosen_row: Option<Row>,
    pub(super) began: Instant,
    /// What can be sent to where messages come from.
    pub(super) takes: Takes,
}

impl State {
    pub(super) fn new(color: bool, takes: Takes, now: Instant) -> Self {
        Self {
            color,
            pane: Pane::Topics,
            mode: Mode::Normal,
            wanted: Wanted::default(),
            devices: Devices::default(),
            detail: None,
            frozen: None,
            said: None,
            recorded: None,
            chosen: [0; 4],
            first: [0; 4],
            count: 0,
            height: 1,
            chosen_row: None,
            began: now,
            takes,
        }
    }

    pub(super) const fn is_paused(&self) -> bool {
        self.frozen.is_some()
    }

    /// The board that is looked at, and its time.
    pub(super) fn take_frozen(&mut self) -> Option<Box<(Board, Instant)>> {
        self.frozen.take()
    }

    pub(super) fn put_frozen(&mut self, frozen: Option<Box<(Board, Instant)>>) {
        self.frozen = frozen;
    }

    pub(super) fn say(&mut self, words: String) {
        self.said = Some(words);
    }

    /// What a key does.
    pub(super) fn key(&mut self, key: KeyEvent, board: &mut Board, now: Instant) -> Vec<Action> {
        if is_control(&key, 'c') {
            return vec![Action::Leave];
        }
        match std::mem::replace(&mut self.mode, Mode::Normal) {
            Mode::Normal => self.command(key, board, now),
            Mode::Help(scrolled) => {
                self.read_on(key, scrolled);
                Vec::new()
            }
            Mode::Prompt(prompt, line) => self.typed(key, prompt, line),
            Mode::Confirm(_, action) => match (key.code, action) {
                (KeyCode::Char('y' | 'Y'), action) => vec![action],
                (KeyCode::Char('r'), Action::Publish { topic, payload, .. })
                    if self.takes == Takes::Retained =>
                {
                    let retain = true;
                    vec![Action::Publish {
                        topic,
                        payload,
                        retain,
                    }]
                }
                _ => {
                    self.say(String::from("nothing was done"));
                    Vec::new()
                }
            },
        }
    }

    fn command(&mut self, key: KeyEvent, board: &mut Board, now: Instant) -> Vec<Action> {
        self.said = None;
        self.settle(board, now);
        let at = self.pane as usize;
        match key.code {
            KeyCode::Char('q') => return vec![Action::Quit],
            KeyCode::Char(digit @ '1'..='4') => {
                self.pane = Pane::ALL[(u32::from(digit) - u32::from('1')) as usize];
            }
            KeyCode::Tab => self.pane = Pane::ALL[(at + 1) % Pane::ALL.len()],
            KeyCode::BackTab => self.pane = Pane::ALL[(at + 3) % Pane::ALL.len()],
            KeyCode::Up | KeyCode::Char('k') => self.step(-1),
            KeyCode::Down | KeyCode::Char('j') => self.step(1),
            KeyCode::PageUp => self.page(-1),
            KeyCode::PageDown => self.page(1),
            KeyCode::Home => self.step(isize::MIN / 2),
            KeyCode::End => self.step(isize::MAX / 2),
            KeyCode::Enter => self.enter(board),
            KeyCode::Right | KeyCode::Char('l') => self.open(),
            KeyCode::Left | KeyCode::Char('h') => self.shut(board),
            KeyCode::Esc => self.escape(),
            KeyCode::Char('?') => self.mode = Mode::Help(0),
            KeyCode::Char('s') => self.sort(board),
            KeyCode::Char('p') => self.pause(board, now),
            KeyCode::Char(letter @ ('/' | 'f' | 'g' | 'P' | 'w')) => {
                return self.ask(letter, board);
            }
            KeyCode::Char('D') => return self.count_retained(),
            _ => {}
        }
        Vec::new()
    }

    /// Scrolls the help, or closes it.
    fn read_on(&mut self, key: KeyEvent, scrolled: usize) {
        let by = match key.code {
            KeyCode::Up | KeyCode::Char('k') => -1,
            KeyCode::Down | KeyCode::Char('j') => 1,
            KeyCode::PageUp => -5,
            KeyCode::PageDown => 5,
            KeyCode::Home => isize::MIN,
            KeyCode::End => isize::MAX / 2,
            _ => return,
        };
        self.mode = Mode::Help(scrolled.saturating_add_signed(by));
    }

    /// Sorts what is looked at by the next of what it can be sorted by.
    fn sort(&mut self, board: &Board) {
        match self.pane {
            Pane::Topics => {
                self.wanted.order = self.wanted.order.next();
                self.chosen_row = None;
            }
            Pane::Fleet => self.devices.sort(board.fleet()),
            Pane::Alerts | Pane::Sys => return self.say("these are sorted by topic".into()),
        }
        let at = self.pane as usize;
        (self.chosen[at], self.first[at]) = (0, 0);
    }

    /// Finds out which topic is chosen, where keys came faster than they are shown.
    fn settle(&mut self, board: &Board, now: Instant) {
        if self.pane != Pane::Topics || self.chosen_row.is_some() {
            return;
        }
        let reach = self.chosen[0].saturating_add(1);
        let (rows, count) = self.wanted.rows(board, reach, now);
        self.count = count;
        self.chosen[0] = self.chosen[0].min(count.saturating_sub(1));
        self.chosen_row = rows.get(self.chosen[0]).cloned();
    }

    fn pause(&mut self, board: &Board, now: Instant) {
        self.frozen = match self.frozen {
            Some(_) => None,
            None => Some(Box::new((board.clone(), now))),
        };
    }

    /// Whether the pane that is looked at shows something in detail.
    pub(super) fn is_detailed(&self) -> bool {
        let is_sys = |detail: &Detail| detail.topic.starts_with(SYS);
        match self.pane {
            Pane::Topics => self.detail.as_ref().is_some_and(|it| !is_sys(it)),
            Pane::Sys => self.detail.as_ref().is_some_and(is_sys),
            Pane::Fleet => self.devices.detail.is_some(),
            Pane::Alerts => false,
        }
    }

    /// A page up or down: of what is shown in detail, else of the list.
    fn page(&mut self, by: isize) {
        let is_detailed = self.is_detailed();
        let scrolled = match (self.pane, &mut self.detail, &mut self.devices.detail) {
            (Pane::Fleet, _, Some((_, scrolled))) => scrolled,
            (Pane::Topics | Pane::Sys, Some(detail), _) if is_detailed => &mut detail.scrolled,
            _ => return self.step(by * self.height.max(1).cast_signed()),
        };
        *scrolled = scrolled.saturating_add_signed(10 * by).min(MOST);
    }

    fn step(&mut self, by: isize) {
        let at = self.pane as usize;
        let last = self.count.saturating_sub(1);
        self.chosen[at] = self.chosen[at].saturating_add_signed(by).min(last);
        match self.pane {
            Pane::Fleet => self.devices.chosen = None,
            _ => self.chosen_row = None,
        }
    }

    fn enter(&mut self, board: &mut Board) {
        let topic = match self.pane {
            Pane::Topics => self.topic(board),
            Pane::Alerts => board
                .alerts()
                .active()
                .keys()
                .nth(self.chosen[2])
                .map(ToString::to_string),
            Pane::Sys => {
                let all = board.sys().sorted();
                all.get(self.chosen[3]).map(|topic| topic.name.to_string())
            }
            Pane::Fleet => return self.devices.enter(board.fleet(), self.chosen[1]),
        };
        let Some(topic) = topic.filter(|topic| board.topic(topic).is_some()) else {
            return self.open();
        };
        if self.pane == Pane::Alerts {
            self.pane = Pane::Topics;
        }
        board.look_at(&topic);
        let pointer = board
            .topic(&topic)
            .and_then(|topic| first_number(&topic.payload));
        self.detail = Some(Detail {
            topic,
            pointer,
            scrolled: 0,
        });
    }

    /// The topic of the chosen line.
    pub(super) fn topic(&self, board: &Board) -> Option<String> {
        let row = self.chosen_row.as_ref()?;
        let topics: &Topics = board.topics();
        Some(
            topics
                .at(row.node)
                .map_or_else(|| row.path.clone(), |topic| topic.name.to_string()),
        )
    }

    fn open(&mut self) {
        let row = self.chosen_row.as_ref().filter(|row| row.has_children);
        if let Some(row) = row.filter(|_| self.pane == Pane::Topics) {
            self.wanted.open.insert(row.path.clone());
        }
    }

    /// Closes a level, or goes to the one above.
    fn shut(&mut self, board: &Board) {
        let Some(row) = self.chosen_row.clone().filter(|_| self.wanted.is_tree()) else {
            return;
        };
        if self.wanted.open.remove(&row.path) {
            return;
        }
        if let Some((above, _)) = row.path.rsplit_once('/') {
            let (rows, _) = self.wanted.rows(board, usize::MAX, self.began);
            if let Some(at) = rows.iter().position(|row| row.path == above) {
                self.chosen[0] = at;
                self.chosen_row = rows.into_iter().nth(at);
            }
        }
    }

    fn escape(&mut self) {
        match self.pane {
            Pane::Fleet if self.devices.detail.take().is_some() => return,
            Pane::Topics | Pane::Sys if self.is_detailed() => return self.detail = None,
            _ => {}
        }
        self.wanted.search.clear();
        self.wanted.set_filter(None);
    }
}

/// Where the first number of a payload is: the payload itself, or a member of a JSON object.
fn first_number(payload: &[u8]) -> Option<String> {
    if number(payload, "").is_some() {
        return Some(String::new());
    }
    let value: serde_json::Value = serde_json::from_slice(payload).ok()?;
    let members = value.as_object()?.iter();
    let mut numbers = members.filter(|(_, value)| value.is_number());
    let (name, _) = numbers.next()?;
    Some(format!("/{}", name.replace('~', "~0").replace('/', "~1")))
}
