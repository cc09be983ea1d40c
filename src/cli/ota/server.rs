//! `ota serve`, `ota publish` and `ota status`: their flags, and the plans they make.

use std::path::PathBuf;

use clap::Args;

use super::PrefixFlags;
use crate::cli::flags::format::ReportFlags;
use crate::cli::flags::terminal::TerminalFlags;
use crate::cli::flags::until::LimitFlags;
use crate::cli::mqtt::session::SessionFlags;
use crate::cli::syntax::numbers::Wait;
use crate::command::ota::{publish, rollout, serve, status};
use crate::error::{Error, Result};
use crate::firmware::wire::Audience;

#[derive(Args, Debug)]
#[command(next_help_heading = "Serving")]
pub(crate) struct ServeFlags {
    /// Directory of images, where ota sign writes them
    #[arg(value_name = "DIR", help_heading = None)]
    dir: PathBuf,

    /// Send each block once to all devices that miss it, for groups that are updated at the same time
    #[arg(long)]
    carousel: bool,

    #[command(flatten)]
    prefix: PrefixFlags,

    #[command(flatten)]
    session: SessionFlags,

    #[command(flatten)]
    terminal: TerminalFlags,
}

impl ServeFlags {
    pub(super) fn plan(self) -> Result<serve::Plan> {
        Ok(serve::Plan {
            session: self.session.words(&[])?.0,
            prefix: self.prefix.prefix()?,
            directory: self.dir,
            carousel: self.carousel,
            style: self.terminal.style(),
        })
    }
}

#[derive(Args, Debug)]
#[command(next_help_heading = "Publishing")]
pub(crate) struct PublishFlags {
    /// Manifest to publish, or a directory: the one with the highest sequence in it
    #[arg(long, value_name = "FILE")]
    manifest: Option<PathBuf>,

    /// Devices that it is for: all, group:NAME or device:NAME; may be repeated
    #[arg(long, value_name = "DEVICES", required = true)]
    to: Vec<String>,

    /// Take the manifest back instead
    #[arg(long, conflicts_with = "manifest")]
    remove: bool,

    #[command(flatten)]
    prefix: PrefixFlags,

    #[command(flatten)]
    limits: LimitFlags,

    #[command(flatten)]
    session: SessionFlags,

    #[command(flatten)]
    terminal: TerminalFlags,
}

/// `all`, `group:NAME` or `device:NAME`.
pub(super) fn audience(flag: &str, text: &str) -> Result<Audience> {
    let bad = || {
        let text = format!("{flag} {text}: expected all, group:NAME or device:NAME");
        Error::usage(text)
    };
    Audience::parse(text).ok_or_else(bad)
}

impl PublishFlags {
    pub(super) fn plan(self) -> Result<publish::Plan> {
        if self.manifest.is_none() && !self.remove {
            return Err(Error::usage(
                "--manifest is missing: a manifest, or a directory of manifests",
            ));
        }
        let to = self.to.iter().map(|text| audience("--to", text));
        Ok(publish::Plan {
            session: self.session.words(&[])?.0,
            prefix: self.prefix.prefix()?,
            manifest: self.manifest,
            to: to.collect::<Result<_>>()?,
            until: self.limits.until(),
            style: self.terminal.style(),
        })
    }
}

#[derive(Args, Debug)]
#[command(next_help_heading = "Watching")]
pub(crate) struct StatusFlags {
    /// Wait until so many devices are in a state, such as 'updated == 1000' or 'failed > 0'; may be repeated, and the first that is met ends it
    #[arg(long, value_name = "GOAL")]
    until: Vec<status::Goal>,

    /// Fail after this long, with exit code 5
    #[arg(short = 'W', long, value_name = "TIME")]
    timeout: Option<Wait>,

    #[command(flatten)]
    report: ReportFlags,

    #[command(flatten)]
    prefix: PrefixFlags,

    #[command(flatten)]
    session: SessionFlags,

    #[command(flatten)]
    terminal: TerminalFlags,
}

impl StatusFlags {
    pub(super) fn plan(self) -> Result<status::Plan> {
        Ok(status::Plan {
            session: self.session.words(&[])?.0,
            prefix: self.prefix.prefix()?,
            until: self.until,
            timeout: self.timeout.map(|Wait(time)| time),
            json: self.report.json(),
            style: self.terminal.style(),
        })
    }
}

#[derive(Args, Debug)]
#[command(next_help_heading = "Rollout")]
pub(crate) struct RolloutFlags {
    /// Plan: manifest, devices and stages; the journal is beside it
    #[arg(value_name = "PLAN", help_heading = None)]
    plan: PathBuf,

    /// Go on with a rollout that was interrupted or paused
    #[arg(long, group = "action")]
    resume: bool,

    /// Offer the update to no more devices until --resume; those that have begun go on
    #[arg(long, group = "action")]
    pause: bool,

    /// End the rollout, and take the manifest back from devices that have not begun
    #[arg(long, group = "action")]
    abort: bool,

    #[command(flatten)]
    report: ReportFlags,

    #[command(flatten)]
    prefix: PrefixFlags,

    #[command(flatten)]
    session: SessionFlags,

    #[command(flatten)]
    terminal: TerminalFlags,
}

impl RolloutFlags {
    pub(super) fn plan(self) -> Result<rollout::Plan> {
        let (session, _) = self.session.words(&[])?;
        if session.will.is_some() {
            let text = "--will-topic cannot be used: the will of a rollout gives its lock back";
            return Err(Error::usage(text));
        }
        Ok(rollout::Plan {
            session,
            prefix: self.prefix.prefix()?,
            file: self.plan,
            action: match (self.resume, self.pause, self.abort) {
                (true, ..) => rollout::Action::Resume,
                (_, true, _) => rollout::Action::Pause,
                (.., true) => rollout::Action::Abort,
                _ => rollout::Action::Begin,
            },
            json: self.report.json(),
            style: self.terminal.style(),
        })
    }
}
