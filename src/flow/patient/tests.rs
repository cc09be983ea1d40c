use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant as Clock;

use super::*;
use crate::error::Kind;
use crate::message::MqttDetail;
use crate::output::Style;

/// Tells what the test says, and writes down what it takes.
#[derive(Default)]
struct Told {
    taken: Vec<Number>,
    next: VecDeque<Progress>,
}

impl Target for Told {
    fn name(&self) -> String {
        String::from("told")
    }

    fn has_room(&self) -> bool {
        true
    }

    fn is_idle(&self) -> bool {
        true
    }

    fn take(&mut self, number: Number, _: Message) -> Result<()> {
        self.taken.push(number);
        Ok(())
    }

    async fn drive(&mut self, into: &mut Vec<Progress>) -> Result<()> {
        match self.next.is_empty() {
            true => std::future::pending().await,
            false => into.extend(self.next.drain(..)),
        }
        Ok(())
    }
}

fn message(qos: u8) -> Message {
    Message {
        time: std::time::SystemTime::UNIX_EPOCH,
        topic: "t".into(),
        payload: "x".into(),
        detail: Detail::Mqtt(MqttDetail {
            qos,
            ..MqttDetail::default()
        }),
    }
}

fn patient(retry: Retry) -> Patient<Told> {
    Patient::new(Told::default(), retry, Console::new(Style::default()))
}

fn refused(number: Number, cause: Cause) -> Progress {
    let why = Error::new(Kind::Refused, "no").because(cause);
    Progress::One(number, Outcome::Refused(why))
}

/// What it tells next: `3 through`, `2 accepted`, `2 refused`.
async fn tells(patient: &mut Patient<Told>, next: Vec<Progress>) -> Vec<String> {
    patient.target.next.extend(next);
    let mut into = Vec::new();
    patient.drive(&mut into).await.unwrap();
    let words = |progress| match progress {
        Progress::Through(number) => format!("{number} through"),
        Progress::One(number, Outcome::Accepted) => format!("{number} accepted"),
        Progress::One(number, Outcome::Refused(_)) => format!("{number} refused"),
        other => format!("{other:?}"),
    };
    into.into_iter().map(words).collect()
}

#[tokio::test(start_paused = true)]
async fn what_is_refused_for_now_goes_again_in_its_order() {
    let mut patient = patient(Retry::Forever);
    for number in 1..=4 {
        patient.take(number, message(1)).unwrap();
    }
    let busy = |number| refused(number, Cause::RefusedForNow);
    let accepted = |number| Progress::One(number, Outcome::Accepted);
    let told = tells(
        &mut patient,
        vec![busy(2), accepted(1), busy(3), accepted(4)],
    )
    .await;
    assert_eq!(told, ["1 accepted", "4 accepted"]);
    assert!(!patient.has_room() && !patient.is_free() && !patient.is_idle());
    // First its time comes, then it is sent.
    assert!(tells(&mut patient, Vec::new()).await.is_empty());
    let told = tells(&mut patient, vec![accepted(3)]).await;
    assert_eq!(told, ["3 accepted"]);
    assert_eq!(patient.target.taken, [1, 2, 3, 4, 2, 3]);
    assert!(patient.has_room() && !patient.is_idle());
    let told = tells(&mut patient, vec![busy(2)]).await;
    assert!(told.is_empty());
    assert!(tells(&mut patient, Vec::new()).await.is_empty());
    assert_eq!(tells(&mut patient, vec![accepted(2)]).await, ["2 accepted"]);
    assert!(patient.is_idle() && patient.under_way.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_refusal_for_good_and_one_at_qos_0_are_told() {
    let mut patient = patient(Retry::Forever);
    patient.take(1, message(1)).unwrap();
    patient.take(2, message(0)).unwrap();
    let next = vec![
        refused(1, Cause::MessageRefused),
        refused(2, Cause::RefusedForNow),
    ];
    assert_eq!(tells(&mut patient, next).await, ["1 refused", "2 refused"]);
    assert!(patient.is_idle());
}

#[tokio::test(start_paused = true)]
async fn what_waits_is_not_among_what_the_target_has() {
    let mut patient = patient(Retry::Forever);
    for (number, qos) in [(1, 0), (2, 1), (3, 0)] {
        patient.take(number, message(qos)).unwrap();
    }
    let next = vec![Progress::Through(1), refused(2, Cause::RefusedForNow)];
    assert_eq!(tells(&mut patient, next).await, ["1 through"]);
    assert!(
        tells(&mut patient, vec![Progress::Through(3)])
            .await
            .is_empty()
    );
    let next = vec![Progress::One(2, Outcome::Accepted)];
    assert_eq!(tells(&mut patient, next).await, ["2 accepted", "3 through"]);
    assert!(patient.is_idle());
}

#[tokio::test(start_paused = true)]
async fn the_time_for_trying_again_is_limited_as_asked() {
    let mut never = patient(Retry::Never);
    never.take(1, message(1)).unwrap();
    let next = vec![refused(1, Cause::RefusedForNow)];
    assert_eq!(tells(&mut never, next).await, ["1 refused"]);
    let mut limited = patient(Retry::For(Duration::from_secs(5)));
    limited.take(1, message(1)).unwrap();
    let began = Clock::now();
    let mut told = Vec::new();
    while told.is_empty() {
        let next = vec![refused(1, Cause::RefusedForNow)];
        told = tells(&mut limited, next).await;
        if told.is_empty() {
            assert!(tells(&mut limited, Vec::new()).await.is_empty());
        }
    }
    assert_eq!(told, ["1 refused"]);
    assert!(began.elapsed() >= Duration::from_secs(5));
    assert!(limited.is_idle());
}

#[tokio::test(start_paused = true)]
async fn each_message_has_so_many_tries_more() {
    let mut patient = patient(Retry::Forever).trying(Some(2));
    patient.take(1, message(1)).unwrap();
    patient.take(2, message(1)).unwrap();
    let busy = |number| refused(number, Cause::RefusedForNow);
    for _ in 0..2 {
        assert!(tells(&mut patient, vec![busy(1), busy(2)]).await.is_empty());
        // Their time comes, and they are sent.
        assert!(tells(&mut patient, Vec::new()).await.is_empty());
    }
    let accepted = Progress::One(2, Outcome::Accepted);
    let told = tells(&mut patient, vec![busy(1), accepted]).await;
    assert_eq!(told, ["1 refused", "2 accepted"]);
    // Twice each beside the first time; the last round was sent when it came.
    assert_eq!(patient.target.taken[..4], [1, 2, 1, 2]);
    assert!(patient.is_idle());
}
