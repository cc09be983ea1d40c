use std::collections::{BTreeSet, VecDeque};
use std::time::{Duration, SystemTime};

use super::*;
use crate::flow::Number;
use crate::message::{Detail, MqttDetail};

fn message(payload: &str) -> Message {
    Message {
        time: SystemTime::UNIX_EPOCH,
        topic: "t".into(),
        payload: payload.to_owned().into(),
        detail: Detail::Mqtt(MqttDetail::default()),
    }
}

/// Hands out what the script says; then nothing more comes. A window bounds what is not settled, as a server's does.
struct Script {
    next: VecDeque<Next>,
    window: u64,
    unsettled: u64,
    settled: u64,
    /// How often the source was asked to keep the connection alive without reading.
    held: u64,
    /// Ends the source after it was held so often: a connection that is lost then.
    gives_up_after: Option<u64>,
}

impl Script {
    fn new(next: impl IntoIterator<Item = Next>) -> Self {
        Self {
            next: next.into_iter().collect(),
            window: u64::MAX,
            unsettled: 0,
            settled: 0,
            held: 0,
            gives_up_after: None,
        }
    }

    fn messages(count: usize) -> Self {
        Self::new((0..count).map(|at| Next::Message(message(&at.to_string()))))
    }

    fn has_next(&self) -> bool {
        !self.next.is_empty() && self.unsettled < self.window
    }
}

impl Source for Script {
    async fn drive(&mut self) -> Result<()> {
        if self.has_next() {
            return Ok(());
        }
        std::future::pending().await
    }

    async fn hold(&mut self) -> Error {
        self.held += 1;
        if self.gives_up_after.is_some_and(|limit| self.held > limit) {
            return Error::new(Kind::Lost, "the connection is lost");
        }
        std::future::pending().await
    }

    fn take(&mut self, mut sink: impl FnMut(Next) -> Result<bool>) -> Result<()> {
        while self.has_next() {
            let Some(next) = self.next.pop_front() else {
                break;
            };
            match &next {
                Next::Message(_) | Next::Skipped => self.unsettled += 1,
                Next::Lost => self.unsettled = 0,
                Next::End(_) => {}
            }
            if !sink(next)? {
                break;
            }
        }
        Ok(())
    }

    fn settle(&mut self, count: u64) {
        assert!(count <= self.unsettled, "settled what was not handed out");
        self.unsettled -= count;
        self.settled += count;
    }

    fn awaits(&self) -> Option<String> {
        None
    }
}

/// Takes so many at once, and finishes them newest first, one a second.
struct Slow {
    room: usize,
    under_way: BTreeSet<Number>,
    taken: Vec<String>,
    /// Refuses messages with this body.
    refuses: &'static str,
    refused: BTreeSet<Number>,
    stalls: bool,
}

impl Slow {
    const fn new(room: usize) -> Self {
        Self {
            room,
            under_way: BTreeSet::new(),
            taken: Vec::new(),
            refuses: "none",
            refused: BTreeSet::new(),
            stalls: false,
        }
    }
}

impl Target for Slow {
    fn name(&self) -> String {
        String::from("slow")
    }

    fn has_room(&self) -> bool {
        self.under_way.len() < self.room
    }

    fn is_idle(&self) -> bool {
        self.under_way.is_empty()
    }

    fn take(&mut self, number: Number, message: Message) -> Result<()> {
        let text = String::from_utf8(message.payload.to_vec()).unwrap();
        if text == self.refuses {
            self.refused.insert(number);
        }
        self.taken.push(text);
        self.under_way.insert(number);
        Ok(())
    }

    async fn drive(&mut self, into: &mut Vec<Progress>) -> Result<()> {
        if self.stalls || self.is_idle() {
            return std::future::pending().await;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
        let number = self.under_way.pop_last().unwrap();
        let outcome = match self.refused.contains(&number) {
            true => Outcome::Refused(Error::new(Kind::Refused, "the command failed")),
            false => Outcome::Accepted,
        };
        into.push(Progress::One(number, outcome));
        Ok(())
    }
}

async fn flow(source: &mut Script, target: &mut Slow, until: Until) -> Result<()> {
    let mut stop = Stop::watch().unwrap();
    run(source, target, &Stages::default(), &until, &mut stop).await
}

fn count(count: u64) -> Until {
    Until {
        count: Some(count),
        ..Until::default()
    }
}

#[tokio::test(start_paused = true)]
async fn everything_is_settled_once_its_target_has_it() {
    let mut source = Script::messages(10);
    let mut target = Slow::new(4);
    flow(&mut source, &mut target, count(10)).await.unwrap();
    let all: Vec<String> = (0..10).map(|at| at.to_string()).collect();
    assert_eq!((target.taken, source.settled), (all, 10));
}

#[tokio::test(start_paused = true)]
async fn a_stalled_target_stops_the_reading_and_not_the_keep_alive() {
    let mut source = Script::messages(10);
    source.window = 5;
    let mut target = Slow::new(4);
    target.stalls = true;
    let until = Until {
        timeout: Some(Duration::from_secs(60)),
        ..Until::default()
    };
    // Both are stalled: the target ends nothing, and the source's window is not settled. The deadline holds all the same.
    let ended = flow(&mut source, &mut target, until).await.unwrap_err();
    assert_eq!(
        (ended.exit_code(), ended.text()),
        (5, "timed out after 4 messages")
    );
    assert_eq!((target.taken.len(), source.settled), (4, 0));
    assert!(source.held > 0, "the source was not held");
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_ends_while_it_is_held_is_an_error() {
    let mut source = Script::messages(1);
    source.gives_up_after = Some(0);
    let mut target = Slow::new(1);
    target.stalls = true;
    let ended = flow(&mut source, &mut target, Until::default()).await;
    assert_eq!(ended.unwrap_err().text(), "the connection is lost");
    assert_eq!(source.settled, 0);
}

#[tokio::test(start_paused = true)]
async fn a_lost_connection_voids_what_is_under_way() {
    let mut script: Vec<Next> = vec![Next::Message(message("a")), Next::Message(message("b"))];
    script.push(Next::Lost);
    // The server delivers them again.
    script.extend(["a", "b", "c"].map(|text| Next::Message(message(text))));
    let mut source = Script::new(script);
    let mut target = Slow::new(8);
    flow(&mut source, &mut target, count(5)).await.unwrap();
    assert_eq!(target.taken, ["a", "b", "a", "b", "c"]);
    assert_eq!((source.settled, source.unsettled), (3, 0));
}

#[tokio::test(start_paused = true)]
async fn a_refused_message_is_settled_and_fails_the_flow() {
    let mut source = Script::messages(3);
    let mut target = Slow::new(2);
    target.refuses = "1";
    let ended = flow(&mut source, &mut target, count(3)).await.unwrap_err();
    assert_eq!(
        (ended.exit_code(), ended.text()),
        (1, "the command failed for 1 of 3 messages")
    );
    assert_eq!(source.settled, 3);
}

#[tokio::test(start_paused = true)]
async fn what_is_passed_over_is_settled_and_not_counted() {
    let next = [
        Next::Skipped,
        Next::Message(message("1")),
        Next::Message(message("2")),
        Next::Skipped,
        Next::Message(message("3")),
    ];
    let mut source = Script::new(next);
    let mut target = Slow::new(8);
    let stages = Stages {
        filter: vec!["payload != 2".parse().unwrap()],
        ..Stages::default()
    };
    let mut stop = Stop::watch().unwrap();
    run(&mut source, &mut target, &stages, &count(2), &mut stop)
        .await
        .unwrap();
    assert_eq!(target.taken, ["1", "3"]);
    assert_eq!((source.settled, source.unsettled), (5, 0));
}

#[tokio::test(start_paused = true)]
async fn after_its_end_nothing_more_is_taken_and_what_runs_ends() {
    let mut source = Script::messages(9);
    let mut target = Slow::new(8);
    let until = Until {
        until: Some("payload == 3".parse().unwrap()),
        ..Until::default()
    };
    flow(&mut source, &mut target, until).await.unwrap();
    assert_eq!((target.taken.len(), source.settled), (4, 4));
}

#[tokio::test(start_paused = true)]
async fn the_end_of_the_source_is_the_end() {
    let why = Error::new(Kind::Refused, "no more");
    let mut source = Script::new([Next::Message(message("1")), Next::End(Err(why))]);
    let mut target = Slow::new(8);
    let ended = flow(&mut source, &mut target, Until::default()).await;
    assert_eq!(ended.unwrap_err().text(), "no more");
    assert_eq!(source.settled, 1);
}
