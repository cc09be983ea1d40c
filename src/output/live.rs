//! A view of something that goes on: a bar on a terminal, plain lines in a pipe; all on standard error.

use std::io::{self, IsTerminal};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::escape::{Keep, escape};
use super::screen::Screen;
use super::stderr;
use super::style::Style;

/// Steps of the bar from beginning to end.
const STEPS: u64 = 1_000;

/// Pictures of the bar in a second at most.
const PICTURES: u8 = 20;

/// Shows how far something is and what it finds; silent with `--quiet`.
///
/// On a terminal there is a bar and a line that change in place, elsewhere every call writes a line. As with
/// other notes, a standard error that cannot be written to does not end the command.
pub struct Live {
    way: Way,
}

enum Way {
    Bar(ProgressBar, Screen),
    Lines,
    Silent,
}

impl Live {
    /// A view in `style`; asks once whether standard error is a terminal.
    pub fn start(style: Style) -> Self {
        let way = match (style.quiet, io::stderr().is_terminal()) {
            (true, _) => Way::Silent,
            (_, true) => {
                let screen = Screen::default();
                let target = Box::new(screen.clone());
                let target = ProgressDrawTarget::term_like_with_hz(target, PICTURES);
                Way::Bar(bar(target), screen)
            }
            (_, false) => Way::Lines,
        };
        Self { way }
    }

    /// Whether the view changes in place, so that it can be updated more often than lines can be read.
    pub fn is_in_place(&self) -> bool {
        matches!(self.way, Way::Bar(..))
    }

    /// Shows `line`; `done` is how far everything is, from 0 to 1, where that is known.
    pub fn show(&self, line: &str, done: Option<f64>) {
        match &self.way {
            Way::Bar(bar, _) => {
                bar.set_message(visible(line));
                // From 0 to 1,000 after the clamp.
                let steps = done.map(|done| (done.clamp(0.0, 1.0) * STEPS as f64) as u64);
                bar.set_position(steps.unwrap_or(0));
                bar.tick();
            }
            Way::Lines => stderr::say(&bytes(line)),
            Way::Silent => {}
        }
    }

    /// Leaves a line above the view that stays.
    pub fn note(&self, line: &str) {
        match &self.way {
            Way::Bar(bar, screen) => screen.keep(|| bar.suspend(|| stderr::say(&bytes(line)))),
            Way::Lines => stderr::say(&bytes(line)),
            Way::Silent => {}
        }
    }

    /// Takes the bar away, before the results are shown.
    pub fn finish(self) {
        if let Way::Bar(bar, screen) = &self.way {
            screen.keep(|| bar.finish_and_clear());
        }
    }
}

fn bar(target: ProgressDrawTarget) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(STEPS), target);
    // The template is a constant that a test reads; without it the bar would only look plainer.
    if let Ok(style) = ProgressStyle::with_template(TEMPLATE) {
        bar.set_style(style.progress_chars("━╸ "));
    }
    bar
}

/// The words get a line of their own: 80 columns are few.
const TEMPLATE: &str = "{bar:40} {percent} %\n{wide_msg}";

fn bytes(line: &str) -> Vec<u8> {
    let mut bytes = visible(line).into_bytes();
    bytes.push(b'\n');
    bytes
}

fn visible(line: &str) -> String {
    let mut bytes = Vec::new();
    escape(line.as_bytes(), Keep::Nothing, &mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_is_one() {
        assert!(ProgressStyle::with_template(TEMPLATE).is_ok());
    }

    #[test]
    fn the_bar_follows_what_is_done() {
        let bar = bar(ProgressDrawTarget::hidden());
        let live = Live {
            way: Way::Bar(bar.clone(), Screen::default()),
        };
        assert!(live.is_in_place());
        live.show("12 s \x1b[2J", Some(0.25));
        assert_eq!(
            (bar.position(), bar.message()),
            (250, r"12 s \x1b[2J".to_owned())
        );
        live.show("more than all", Some(7.0));
        assert_eq!(bar.position(), STEPS);
        live.finish();
        assert!(bar.is_finished());
    }

    #[test]
    fn quiet_is_silent() {
        let style = Style {
            quiet: true,
            ..Style::default()
        };
        assert!(matches!(Live::start(style).way, Way::Silent));
    }
}
