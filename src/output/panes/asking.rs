//! What is asked of the user: lines to type, and whether something is to be done.

use std::path::PathBuf;

use ratatui_crossterm::crossterm::event::{KeyCode, KeyEvent};

use super::keys::is_control;
use super::rows;
use super::state::{Mode, Pane, Prompt, State};
use crate::board::{Board, text};
use crate::output::action::{Action, Takes};

/// Bytes of a line.
const LONGEST: usize = 4_096;

impl State {
    /// Asks for a line, or ends what one was asked for.
    pub(super) fn ask(&mut self, letter: char, board: &Board) -> Vec<Action> {
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

    pub(super) fn typed(&mut self, key: KeyEvent, prompt: Prompt, mut line: String) -> Vec<Action> {
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
            Prompt::Filter => match rows::filter(&line) {
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
                let to = text::cell(&topic, 80);
                let words = format!("publish {} bytes to {to}? {keys}", line.len());
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

    /// Has the retained messages of the chosen topic and below counted, before it is asked whether they are to be removed.
    pub(super) fn count_retained(&mut self) -> Vec<Action> {
        if self.takes != Takes::Retained {
            self.say("only MQTT servers have retained messages to remove".into());
            return Vec::new();
        }
        let row = self.chosen_row.as_ref();
        let row = row.filter(|_| self.pane == Pane::Topics);
        row.map(|row| Action::Count(row.path.clone()))
            .into_iter()
            .collect()
    }

    /// Asks whether retained messages are to be removed, and says how many.
    pub(super) fn ask_to_clear(&mut self, path: &str, all: Vec<String>) {
        let at = text::cell(path, 40);
        if all.is_empty() {
            self.say(format!("there is no retained message at {at} and below"));
            return;
        }
        let what = text::count(all.len(), "retained message");
        if self.mode != Mode::Normal {
            self.say(format!("{what} at {at} and below: D asks again"));
            return;
        }
        self.said = None;
        // One key is pressed too easily for what cannot be undone.
        let words = format!(
            "remove {what} at {at} and below? yes or {}, Enter",
            all.len()
        );
        self.mode = Mode::Prompt(Prompt::Clear(words, all), String::new());
    }

    /// Asks whether to quit although something is under way.
    pub(super) fn ask_to_leave(&mut self, words: String) {
        self.mode = Mode::Confirm(
            format!("{words}: quit and leave the rest? y, n"),
            Action::Leave,
        );
    }
}
