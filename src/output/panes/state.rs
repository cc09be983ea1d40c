//! What is looked at, and what keys do.

use std::path::PathBuf;
use std::time::Instant;

use ratatui_crossterm::crossterm::event::{KeyCode, KeyEvent};

use super::keys::is_control;
use super::rows::{Row, Wanted};
use crate::board::history::{MOST, number};
use crate::board::topics::Topics;
use crate::board::{Board, text};
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

/// Bytes of a line.
const LONGEST: usize = 4_096;

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
    Help,
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
    takes: Takes,
}

impl State {
    pub(super) fn new(color: bool, takes: Takes, now: Instant) -> Self {
        Self {
            color,
            pane: Pane::Topics,
            mode: Mode::Normal,
            wanted: Wanted::default(),
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
            return vec![Action::Quit];
        }
        match std::mem::replace(&mut self.mode, Mode::Normal) {
            Mode::Normal => self.command(key, board, now),
            Mode::Help => Vec::new(),
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
            KeyCode::Char('?') => self.mode = Mode::Help,
            KeyCode::Char('s') => {
                self.wanted.order = self.wanted.order.next();
                (self.chosen[0], self.first[0]) = (0, 0);
                self.chosen_row = None;
            }
            KeyCode::Char('p') => self.pause(board, now),
            KeyCode::Char(letter @ ('/' | 'f' | 'g' | 'P' | 'w')) => {
                return self.ask(letter, board);
            }
            KeyCode::Char('D') => self.ask_to_clear(board),
            _ => {}
        }
        Vec::new()
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

    /// Asks for a line, or ends what one was asked for.
    fn ask(&mut self, letter: char, board: &Board) -> Vec<Action> {
        let (prompt, line) = match letter {
            '/' => (Prompt::Search, self.wanted.search.clone()),
            'f' => {
                let filter = self.wanted.filter.as_ref();
                (
                    Prompt::Filter,
                    filter.map(ToString::to_string).unwrap_or_default(),
                )
            }
            'g' => match &self.detail {
                Some(detail) => (Prompt::Pointer, detail.pointer.clone().unwrap_or_default()),
                None => {
                    self.say(String::from(
                        "Enter shows a topic in detail, of which a graph can be drawn",
                    ));
                    return Vec::new();
                }
            },
            'P' if self.takes == Takes::Nothing => {
                let words = "messages are only read here: there is no server to publish to";
                self.say(words.into());
                return Vec::new();
            }
            'P' => (Prompt::Topic, self.topic(board).unwrap_or_default()),
            _ if self.recorded.is_some() => return vec![Action::Record(None)],
            _ => (Prompt::File, String::from("recording.ndjson")),
        };
        self.mode = Mode::Prompt(prompt, line);
        Vec::new()
    }

    fn typed(&mut self, key: KeyEvent, prompt: Prompt, mut line: String) -> Vec<Action> {
        match key.code {
            KeyCode::Esc => {
                if matches!(prompt, Prompt::Clear(..)) {
                    self.say(String::from("nothing was done"));
                }
                return Vec::new();
            }
            KeyCode::Enter => return self.answered(prompt, line),
            KeyCode::Backspace => drop(line.pop()),
            KeyCode::Char('u') if is_control(&key, 'u') => line.clear(),
            KeyCode::Char(letter) if !letter.is_control() && line.len() < LONGEST => {
                line.push(letter)
            }
            _ => {}
        }
        self.go_on(prompt, line);
        Vec::new()
    }

    /// Asks on, with what the line is by now.
    fn go_on(&mut self, prompt: Prompt, line: String) {
        if prompt == Prompt::Search {
            self.wanted.search.clone_from(&line);
            (self.chosen[0], self.first[0]) = (0, 0);
        }
        self.mode = Mode::Prompt(prompt, line);
    }

    /// Takes what was pasted into the line that is asked for. Elsewhere it means nothing: it would be taken for keys.
    pub(super) fn paste(&mut self, text: &str) {
        let (prompt, mut line) = match std::mem::replace(&mut self.mode, Mode::Normal) {
            Mode::Prompt(prompt, line) => (prompt, line),
            mode => {
                self.mode = mode;
                self.say("what was pasted was ignored: nothing is asked for".into());
                return;
            }
        };
        // Terminals send line breaks as the Return key does.
        let text = text.replace("\r\n", "\n").replace('\r', "\n");
        let text = text.trim_end_matches('\n');
        let has_lines = matches!(prompt, Prompt::Payload(_));
        let may = |letter: char| !letter.is_control() || has_lines && matches!(letter, '\n' | '\t');
        if line.len() + text.len() > LONGEST {
            let words = format!("what was pasted was ignored: a line has {LONGEST} bytes at most");
            self.say(words);
        } else if text.chars().all(may) {
            self.said = None;
            line.push_str(text);
        } else {
            let words = "what was pasted was ignored: it has line breaks or other controls";
            self.say(words.into());
        }
        self.go_on(prompt, line);
    }

    fn answered(&mut self, prompt: Prompt, line: String) -> Vec<Action> {
        match prompt {
            Prompt::Search => self.wanted.search = line,
            Prompt::Filter if line.trim().is_empty() => self.wanted.set_filter(None),
            Prompt::Filter => match line.parse() {
                Ok(filter) => self.wanted.set_filter(Some(filter)),
                Err(why) => {
                    self.say(why);
                    self.mode = Mode::Prompt(Prompt::Filter, line);
                }
            },
            Prompt::Pointer => match (&mut self.detail, line.is_empty() || line.starts_with('/')) {
                (Some(detail), true) => detail.pointer = Some(line),
                _ => self.say(format!("{line:?} is not a JSON pointer such as /value")),
            },
            Prompt::Topic => match crate::message::topic::check_name(&line) {
                Ok(()) => self.mode = Mode::Prompt(Prompt::Payload(line), String::new()),
                Err(why) => self.say(why.to_string()),
            },
            Prompt::Payload(topic) => {
                let keys = match self.takes {
                    Takes::Retained => "y, r: retained, n",
                    Takes::Messages | Takes::Nothing => "y, n",
                };
                let words = format!("publish {} bytes to {topic}? {keys}", line.len());
                let action = Action::Publish {
                    topic,
                    payload: line,
                    retain: false,
                };
                self.mode = Mode::Confirm(words, action);
            }
            Prompt::File if line.is_empty() => {}
            Prompt::File => return vec![Action::Record(Some(PathBuf::from(line)))],
            Prompt::Clear(_, all)
                if line.trim() == "yes" || line.trim() == all.len().to_string() =>
            {
                return vec![Action::Clear(all)];
            }
            Prompt::Clear(..) => self.say(String::from("nothing was done")),
        }
        Vec::new()
    }

    /// Asks whether retained messages are to be removed, and says how many.
    fn ask_to_clear(&mut self, board: &Board) {
        if self.takes != Takes::Retained {
            self.say("only MQTT servers have retained messages to remove".into());
            return;
        }
        let Some(row) = self
            .chosen_row
            .as_ref()
            .filter(|_| self.pane == Pane::Topics)
        else {
            return;
        };
        let below = format!("{}/", row.path);
        let retained = board
            .topics()
            .latest()
            .filter(|topic| topic.retained && !topic.payload.is_empty());
        let all: Vec<String> = retained
            .filter(|topic| *topic.name == row.path || topic.name.starts_with(&below))
            .map(|topic| topic.name.to_string())
            .collect();
        if all.is_empty() {
            self.say(format!(
                "no retained message is known at {} and below",
                row.path
            ));
            return;
        }
        let what = text::count(all.len(), "retained message");
        let at = text::cell(&row.path, 40);
        // One key is pressed too easily for what cannot be undone.
        let words = format!(
            "remove {what} at {at} and below? yes or {}, Enter",
            all.len()
        );
        self.mode = Mode::Prompt(Prompt::Clear(words, all), String::new());
    }

    /// A page up or down: of the topic that is shown in detail, else of the list.
    fn page(&mut self, by: isize) {
        match self.detail.as_mut().filter(|_| self.pane == Pane::Topics) {
            Some(detail) => {
                let scrolled = detail.scrolled.saturating_add_signed(10 * by);
                detail.scrolled = scrolled.min(MOST);
            }
            None => self.step(by * self.height.max(1).cast_signed()),
        }
    }

    fn step(&mut self, by: isize) {
        let at = self.pane as usize;
        let last = self.count.saturating_sub(1);
        self.chosen[at] = self.chosen[at].saturating_add_signed(by).min(last);
        self.chosen_row = None;
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
            Pane::Fleet | Pane::Sys => None,
        };
        let Some(topic) = topic.filter(|topic| board.topics().get(topic).is_some()) else {
            return self.open();
        };
        self.pane = Pane::Topics;
        board.look_at(&topic);
        let pointer = board
            .topics()
            .get(&topic)
            .and_then(|topic| first_number(&topic.payload));
        self.detail = Some(Detail {
            topic,
            pointer,
            scrolled: 0,
        });
    }

    /// The topic of the chosen line.
    fn topic(&self, board: &Board) -> Option<String> {
        let row = self.chosen_row.as_ref()?;
        let topics: &Topics = board.topics();
        Some(
            topics
                .at(row.node)
                .map_or_else(|| row.path.clone(), |topic| topic.name.to_string()),
        )
    }

    fn open(&mut self) {
        if let Some(row) = self.chosen_row.as_ref().filter(|row| row.has_children) {
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
        if self.detail.take().is_some() {
            return;
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
