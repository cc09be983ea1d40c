//! `--processes`: starts them, lets them begin together, and makes one run of what they tell.

use std::collections::VecDeque;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, SystemTime};

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, Command};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::part::{Failure, News, Order, PART, Point, Word};
use super::{Identity, LoadArgs, RunOptions};
use crate::bench::clock;
use crate::bench::engine::{Live, Outcome};
use crate::bench::gate::{Deliveries, GateState};
use crate::bench::merge::{self, beside, merge};
use crate::bench::plan::Shard;
use crate::bench::recorder::add_messages;
use crate::bench::result::Report;
use crate::error::{Error, Kind, Result};

/// From the word to begin to the first message: every process has heard of it by then.
const NOTICE: Duration = Duration::from_millis(100);

/// The name in the setup.
const PROCESSES: &str = "processes";

/// One of the processes.
struct Process {
    /// Killed when this is dropped.
    _child: Child,
    stdin: ChildStdin,
    state: GateState,
    /// Points that others have not reached yet.
    points: VecDeque<Point>,
    /// What it told last.
    latest: Point,
    done: Option<(Box<Report>, Option<Failure>)>,
}

/// What comes from process `usize`; nothing more: `None`.
type Event = (usize, Option<News>);

/// All of them.
struct Processes {
    all: Vec<Process>,
    begun: bool,
    drained: bool,
    stopped: bool,
}

/// Runs the load in `course.processes` processes, as [`perform`](super::perform) does in one. `url` is the peer that was
/// started for the run, `load` the load of this run.
///
/// # Errors
/// What kept one of them from doing its part, which it then names.
pub(crate) async fn share(
    course: &RunOptions,
    identity: Identity,
    (url, load): (Option<String>, &LoadArgs),
    stop: impl Future<Output = ()>,
    mut watch: impl FnMut(&Live<'_>) -> bool,
) -> Result<Outcome> {
    if identity.shard.count > 1 {
        return Err(Error::usage(
            "--processes does not divide a shard further: this process is one of several already",
        )
        .hint("start one shard for each process instead"));
    }
    let rate = course.find_max.and_then(|_| load.steady());
    let (sender, mut events) = unbounded_channel();
    let mut processes = Processes {
        all: Vec::with_capacity(course.processes),
        begun: false,
        drained: false,
        stopped: false,
    };
    for index in 0..course.processes {
        let order = Order {
            shard: Shard {
                index: index as u32,
                count: course.processes as u32,
            },
            run_id: identity.run_id,
            seed: identity.seed,
            url: url.clone(),
            rate,
        };
        processes.all.push(start(&order, sender.clone()).await?);
    }
    drop(sender);
    let stop = std::pin::pin!(stop);
    processes
        .follow(course, &mut events, stop, &mut watch)
        .await?;
    processes.outcome()
}

/// Starts one process with our own arguments, and tells it its part.
async fn start(order: &Order, events: UnboundedSender<Event>) -> Result<Process> {
    let cannot = |cause: &std::io::Error| Error::local("cannot start a process", cause);
    let program = std::env::current_exe().map_err(|cause| cannot(&cause))?;
    let mut child = Command::new(program)
        .args(std::env::args_os().skip(1))
        .env(PART, order.shard.index.to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        // Ctrl-C is for us, and we tell them.
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .map_err(|cause| cannot(&cause))?;
    let (Some(mut stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
        return Err(cannot(&std::io::ErrorKind::BrokenPipe.into()));
    };
    write(&mut stdin, order).await;
    let index = order.shard.index as usize;
    tokio::spawn(async move {
        let mut lines = BufReader::new(stdout).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            let Ok(news) = serde_json::from_str(&line) else {
                break;
            };
            // Nobody listens once the run is over.
            let _ = events.send((index, Some(news)));
        }
        let _ = events.send((index, None));
    });
    Ok(Process {
        _child: child,
        stdin,
        state: GateState::default(),
        points: VecDeque::new(),
        latest: Point::default(),
        done: None,
    })
}

/// What is not read is of a process that has ended, which its standard output tells.
async fn write(stdin: &mut ChildStdin, words: &impl serde::Serialize) {
    if let Ok(mut line) = serde_json::to_vec(words) {
        line.push(b'\n');
        let _ = stdin.write_all(&line).await;
        let _ = stdin.flush().await;
    }
}

impl Processes {
    async fn follow(
        &mut self,
        course: &RunOptions,
        events: &mut UnboundedReceiver<Event>,
        mut stop: impl Future<Output = ()> + Unpin,
        watch: &mut impl FnMut(&Live<'_>) -> bool,
    ) -> Result<()> {
        while self.all.iter().any(|process| process.done.is_none()) {
            tokio::select! {
                event = events.recv() => match event {
                    Some((index, news)) => self.hear(index, news)?,
                    // Whoever has not said its last word has said that it is gone.
                    None => return Ok(()),
                },
                () = &mut stop, if !self.stopped => self.stop().await,
            }
            if !self.show(watch) && !self.stopped {
                self.stop().await;
            }
            self.lead(course).await;
        }
        while self.show_next(watch).is_some() {}
        Ok(())
    }

    fn hear(&mut self, index: usize, news: Option<News>) -> Result<()> {
        let whose = format!("process {} of {}", index + 1, self.all.len());
        let Some(process) = self.all.get_mut(index) else {
            return Ok(());
        };
        match news {
            Some(News::State(state)) => process.state = state,
            Some(News::Point(point)) => {
                process.latest = Point {
                    interval: Default::default(),
                    ..(*point).clone()
                };
                process.points.push_back(*point);
            }
            Some(News::Done(report, trouble)) => process.done = Some((report, trouble)),
            Some(News::Failed(failure)) => return Err(failure.error(&format!("{whose}: "))),
            None if process.done.is_some() => {}
            None => {
                let text = format!("{whose} ended before it had done its part");
                return Err(Error::new(Kind::Local, text));
            }
        }
        Ok(())
    }

    /// Tells all of them what they wait for.
    async fn lead(&mut self, course: &RunOptions) {
        let mut waiting = self.all.iter().filter(|process| process.done.is_none());
        if !self.begun && waiting.all(|process| process.state.settled) {
            self.begun = true;
            let soon = SystemTime::now() + NOTICE;
            let at = course.start_at.map_or(soon, |at| at.max(soon));
            self.tell(Word::Begin(clock::at(at))).await;
        }
        let idle = |process: &Process| process.state.idle || process.done.is_some();
        if !self.drained && self.all.iter().all(idle) {
            let mut whole = Deliveries::default();
            for process in &self.all {
                whole.add(process.state.deliveries);
            }
            if whole.are_complete() {
                self.drained = true;
                self.tell(Word::HasAll).await;
            }
        }
    }

    async fn stop(&mut self) {
        self.stopped = true;
        self.tell(Word::Stop).await;
    }

    async fn tell(&mut self, word: Word) {
        for process in &mut self.all {
            write(&mut process.stdin, &word).await;
        }
    }

    /// Shows the points that all have reached; whether to go on.
    fn show(&mut self, watch: &mut impl FnMut(&Live<'_>) -> bool) -> bool {
        let has_point = |process: &Process| process.done.is_some() || !process.points.is_empty();
        while self.all.iter().all(has_point) {
            match self.show_next(watch) {
                Some(true) => {}
                Some(false) => return false,
                None => return true,
            }
        }
        true
    }

    /// Shows the oldest points as one; `None` when there is none.
    fn show_next(&mut self, watch: &mut impl FnMut(&Live<'_>) -> bool) -> Option<bool> {
        let points = self.all.iter_mut().filter_map(|one| one.points.pop_front());
        let whole = points.reduce(|mut sum, point| {
            beside(&mut sum.interval, &point.interval);
            sum
        })?;
        let mut sum = Point::default();
        for Process { latest, .. } in &self.all {
            add_messages(&mut sum.messages, &latest.messages);
            for (cause, (count, hint)) in &latest.errors {
                let entry = sum.errors.entry(cause.clone()).or_default();
                entry.0 += count;
                entry.1 = entry.1.take().or_else(|| hint.clone());
            }
        }
        Some(watch(&Live {
            interval: &whole.interval,
            length_s: whole.length_s,
            messages: &sum.messages,
            errors: &sum.errors,
            progress: whole.progress,
        }))
    }

    /// One outcome of those of all.
    fn outcome(self) -> Result<Outcome> {
        let count = self.all.len();
        let (mut parts, mut trouble, mut memory) = (Vec::with_capacity(count), None, 0);
        for (index, process) in self.all.into_iter().enumerate() {
            let Some((report, failure)) = process.done else {
                continue;
            };
            memory += report.generator.max_rss_bytes;
            trouble = trouble.or_else(|| failure.map(|failure| failure.error("")));
            parts.push(merge::Part {
                name: format!("process {}", index + 1),
                report: *report,
            });
        }
        let mut report = merge(&parts, true)?;
        report.setup.remove(merge::WORKERS);
        report.setup.insert(PROCESSES.to_owned(), count.to_string());
        report.setup.remove("clock_error");
        report.generator.max_rss_bytes = memory;
        Ok(Outcome { report, trouble })
    }
}

/// Makes sure that every process can read this file.
///
/// # Errors
/// [`Kind::Usage`] for a pipe, which can be read once.
pub(crate) fn can_share(course: &RunOptions, path: &Path) -> Result<()> {
    if course.processes < 2 || path.is_file() {
        return Ok(());
    }
    Err(Error::usage(format!(
        "{} is not a regular file: with --processes each process reads it",
        path.display()
    )))
}
