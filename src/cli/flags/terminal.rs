//! The flags about the terminal, the same for every command.

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{ArgAction, Args};

use crate::output::{ColorChoice, Style};

#[derive(Args, Debug)]
#[command(next_help_heading = "Terminal")]
pub(crate) struct TerminalFlags {
    /// Print only results and the error that ended the command
    #[arg(long)]
    quiet: bool,

    /// When to use colour; auto: on a terminal, unless NO_COLOR is set
    #[arg(long, value_name = "WHEN", default_value = "auto", value_parser = color())]
    color: ColorChoice,

    #[command(flatten)]
    help: HelpFlag,
}

/// `--help` without the letter: `-h` is the host.
#[derive(Args, Debug, Default)]
pub(crate) struct HelpFlag {
    /// Print this page
    #[arg(long, action = ArgAction::Help)]
    help: Option<bool>,
}

impl TerminalFlags {
    pub(crate) const fn style(&self) -> Style {
        Style {
            color: self.color,
            quiet: self.quiet,
        }
    }
}

fn color() -> impl TypedValueParser<Value = ColorChoice> {
    let names = ColorChoice::ALL.map(ColorChoice::name);
    PossibleValuesParser::new(names).try_map(|name| name.parse())
}
