//! What devices do, and when the power goes, decides what a rollout does.

use super::*;

fn plan() -> Plan {
    let stage = |size, soak| Stage {
        size,
        success: 100,
        failures: Share::Devices(0),
        soak,
    };
    Plan {
        sequence: 7,
        images: Vec::new(),
        stages: vec![
            stage(Share::Devices(2), 60),
            Stage {
                success: 90,
                failures: Share::Percent(3),
                ..stage(Share::Percent(100), 0)
            },
        ],
        timeout: 100,
        retries: 1,
        rate: None,
        double_after: 0,
        window: None,
    }
}

fn names(count: usize) -> Vec<String> {
    (0..count).map(|at| format!("d{at:04}")).collect()
}

fn said(state: &str) -> Report {
    Report {
        state: state.to_owned(),
        sequence: 7,
        image: None,
        error: None,
        mark: String::new(),
    }
}

/// Steps until there is none, each of which arrives; what was offered, and the journal.
fn drain(rollout: &mut Rollout, now: Seconds, journal: &mut Vec<Entry>) -> Vec<Step> {
    let mut steps = Vec::new();
    while let Some((entry, step)) = rollout.next(now, now) {
        journal.extend(entry);
        if let Some(Step::Withdraw(device)) = &step {
            rollout.withdrawn(device, now);
        }
        steps.extend(step);
    }
    steps
}

/// The same of a controller that is killed before any of the steps is taken.
fn cut(rollout: &mut Rollout, now: Seconds, journal: &mut Vec<Entry>) -> Vec<Step> {
    let mut steps = Vec::new();
    while let Some((entry, step)) = rollout.next(now, now) {
        journal.extend(entry);
        steps.extend(step);
    }
    steps
}

fn resumed(rollout: &Rollout, journal: &[Entry]) -> Rollout {
    Rollout::resumed(rollout.plan.clone(), journal).expect("the same")
}

fn one_stage() -> Plan {
    let mut plan = plan();
    plan.stages.remove(0);
    plan.stages[0].failures = Share::Percent(100);
    plan
}

fn offers(names: &[&str]) -> Vec<Step> {
    names
        .iter()
        .map(|id| Step::Offer((*id).to_owned()))
        .collect()
}

fn withdrawals(names: &[&str]) -> Vec<Step> {
    names
        .iter()
        .map(|id| Step::Withdraw((*id).to_owned()))
        .collect()
}

#[test]
fn another_image_with_the_same_number_is_not_the_update() {
    let plan = Plan {
        images: vec![[7; 32]],
        ..plan()
    };
    let mut rollout = Rollout::new(plan, names(10));
    drain(&mut rollout, 0, &mut Vec::new());
    let updated = |image| Report {
        image,
        ..said("updated")
    };
    rollout.report("d0000", &updated(Some([8; 32])), 1);
    assert_eq!(rollout.counts().updated, 0);
    rollout.report("d0000", &updated(Some([7; 32])), 1);
    rollout.report("d0001", &updated(None), 1);
    assert_eq!(rollout.counts().updated, 2);
}

#[test]
fn a_stage_must_do_well_and_soak_before_the_next() {
    let (mut rollout, mut journal) = (Rollout::new(plan(), names(100)), Vec::new());
    let steps = drain(&mut rollout, 0, &mut journal);
    assert_eq!(steps.len(), 2);
    rollout.report("d0000", &said("downloading"), 1);
    rollout.report("d0000", &said("updated"), 2);
    assert_eq!(drain(&mut rollout, 2, &mut journal), []);
    rollout.report("d0001", &said("updated"), 10);
    assert_eq!(drain(&mut rollout, 10, &mut journal), []);
    assert_eq!(drain(&mut rollout, 69, &mut journal), []);
    assert_eq!(drain(&mut rollout, 70, &mut journal).len(), 98);
    // Three may fail, and four stop it.
    for at in 2..100 {
        let state = if at < 5 { "rolled-back" } else { "updated" };
        rollout.report(&format!("d{at:04}"), &said(state), 80);
    }
    drain(&mut rollout, 80, &mut journal);
    assert_eq!(rollout.ended(), Some(None));
    let counts = rollout.counts();
    assert_eq!((counts.updated, counts.failed), (97, 3));
}

#[test]
fn too_many_failures_stop_it_and_take_back_what_has_not_begun() {
    let (mut rollout, mut journal) = (Rollout::new(plan(), names(100)), Vec::new());
    drain(&mut rollout, 0, &mut journal);
    rollout.report("d0000", &said("rolled-back"), 5);
    let steps = drain(&mut rollout, 5, &mut journal);
    let withdrawn = ["d0000", "d0001"].map(|id| Step::Withdraw(id.to_owned()));
    assert_eq!(steps, withdrawn);
    assert_eq!(rollout.ended(), Some(Some("1 failed in stage 1, 0 may")));
    assert_eq!((rollout.counts().waiting, rollout.counts().failed), (99, 1));
}

#[test]
fn a_silent_device_is_tried_again_and_then_has_failed() {
    let (mut rollout, mut journal) = (Rollout::new(plan(), names(1)), Vec::new());
    drain(&mut rollout, 0, &mut journal);
    let again = drain(&mut rollout, 100, &mut journal);
    assert_eq!(again, [Step::Offer(String::from("d0000"))]);
    drain(&mut rollout, 200, &mut journal);
    let failures: Vec<_> = rollout.failures().collect();
    assert_eq!(failures, [("d0000", "timed out after 100 s")]);
}

#[test]
fn rate_window_and_pause_hold_it() {
    let mut plan = plan();
    plan.stages.remove(0);
    plan.rate = Some((10, 60));
    plan.window = Some((23 * 3600, 3600));
    let (mut rollout, mut journal) = (Rollout::new(plan, names(100)), Vec::new());
    assert_eq!(drain(&mut rollout, 12 * 3600, &mut journal), []);
    let night = 23 * 3600;
    assert_eq!(drain(&mut rollout, night, &mut journal).len(), 10);
    assert_eq!(drain(&mut rollout, night + 59, &mut journal), []);
    for _ in 0..2 {
        // The ten are offered it again, and nobody else.
        let mut resumed = Rollout::resumed(rollout.plan.clone(), &journal).expect("the same");
        assert_eq!(drain(&mut resumed, night + 59, &mut journal).len(), 10);
    }
    rollout.pause(true);
    assert_eq!(drain(&mut rollout, night + 60, &mut journal), []);
    rollout.pause(false);
    assert_eq!(drain(&mut rollout, night + 60, &mut journal).len(), 10);
    rollout.abort(night + 61);
    assert_eq!(drain(&mut rollout, night + 61, &mut journal).len(), 20);
    assert_eq!(rollout.ended(), Some(Some("aborted")));
    assert_eq!((rollout.counts().failed, rollout.counts().underway), (0, 0));
    let again = Rollout::resumed(rollout.plan.clone(), &journal).expect("the same");
    assert_eq!(again.counts(), rollout.counts());
}

#[test]
fn a_rate_doubles_with_what_is_updated() {
    let mut plan = plan();
    plan.stages.remove(0);
    (plan.rate, plan.double_after) = (Some((10, 60)), 10);
    let (mut rollout, mut journal) = (Rollout::new(plan, names(500)), Vec::new());
    let mut now = 0;
    for wanted in [10, 20, 80] {
        let steps = drain(&mut rollout, now, &mut journal);
        assert_eq!(steps.len(), wanted);
        for step in &steps {
            let Step::Offer(device) = step else {
                panic!("{step:?}");
            };
            rollout.report(device, &said("updated"), now);
        }
        now += 60;
    }
}

#[test]
fn a_journal_that_ends_anywhere_is_gone_on_with() {
    let run = |cut: usize| {
        let (mut rollout, mut journal) = (Rollout::new(plan(), names(20)), Vec::new());
        let mut updated = BTreeSet::new();
        let mut crashed = false;
        for now in 0..1000 {
            while let Some((entry, step)) = rollout.next(now, now) {
                journal.extend(entry);
                if journal.len() == cut && !replace(&mut crashed, true) {
                    // Before the step.
                    rollout = Rollout::resumed(plan(), &journal).expect("the same");
                    continue;
                }
                if let Some(Step::Offer(device)) = step {
                    updated.insert(device);
                }
            }
            for device in &updated {
                rollout.report(device, &said("updated"), now);
            }
        }
        (
            rollout.ended().map(|why| why.map(str::to_owned)),
            rollout.counts(),
            journal.len(),
        )
    };
    let (whole, counts, length) = run(usize::MAX);
    assert_eq!((whole, counts.updated), (Some(None), 20));
    for cut in 1..length {
        let (ended, counts, _) = run(cut);
        assert_eq!((ended, counts.updated), (Some(None), 20), "cut {cut}");
    }
}

#[test]
fn a_part_is_the_same_devices_each_time() {
    let count = |percent| {
        names(1000)
            .iter()
            .filter(|id| is_within(id, percent))
            .count()
    };
    assert_eq!((count(0), count(100)), (0, 1000));
    assert!((60..140).contains(&count(10)), "{}", count(10));
    assert!(
        names(1000)
            .iter()
            .filter(|id| is_within(id, 10))
            .all(|id| is_within(id, 11))
    );
}

#[test]
fn after_a_stop_that_was_cut_off_nothing_is_offered_again() {
    let names_of = ["d0000", "d0001", "d0002"];
    for aborts in [true, false] {
        let (mut rollout, mut journal) = (Rollout::new(one_stage(), names(3)), Vec::new());
        assert_eq!(drain(&mut rollout, 0, &mut journal), offers(&names_of));
        rollout.abort(5);
        assert_eq!(cut(&mut rollout, 5, &mut journal), withdrawals(&names_of));
        // Nothing of it has arrived: all are under way.
        assert_eq!(
            (rollout.counts().underway, rollout.counts().waiting),
            (3, 0)
        );
        assert!(matches!(journal.last(), Some(Entry::Stopped { .. })));
        let mut rollout = resumed(&rollout, &journal);
        if aborts {
            rollout.abort(500);
        }
        // One has begun meanwhile, and goes on; none has timed out.
        rollout.recall("d0001", &said("downloading"), 500);
        let left = withdrawals(&["d0000", "d0002"]);
        assert_eq!(drain(&mut rollout, 500, &mut journal)[..2], left);
        assert_eq!((rollout.counts().waiting, rollout.counts().failed), (2, 1));
        assert_eq!(rollout.ended(), Some(Some("aborted")));
        // What has arrived is not done again.
        let mut rollout = resumed(&rollout, &journal);
        assert_eq!(drain(&mut rollout, 501, &mut journal), []);
    }
}

#[test]
fn an_abort_after_a_crash_offers_nothing() {
    let (mut rollout, mut journal) = (Rollout::new(one_stage(), names(3)), Vec::new());
    cut(&mut rollout, 0, &mut journal);
    let mut rollout = resumed(&rollout, &journal);
    rollout.abort(5);
    rollout.recall("d0002", &said("failed"), 5);
    let steps = drain(&mut rollout, 5, &mut journal);
    assert_eq!(steps, withdrawals(&["d0002", "d0000", "d0001"]));
    assert_eq!((rollout.counts().waiting, rollout.counts().failed), (2, 1));
}

#[test]
fn what_was_not_taken_back_from_a_device_that_failed_is_taken_back_later() {
    let (mut rollout, mut journal) = (Rollout::new(one_stage(), names(2)), Vec::new());
    drain(&mut rollout, 0, &mut journal);
    rollout.report("d0000", &said("rolled-back"), 5);
    assert_eq!(cut(&mut rollout, 5, &mut journal), withdrawals(&["d0000"]));
    for again in [withdrawals(&["d0000"]), Vec::new()] {
        let mut rollout = resumed(&rollout, &journal);
        let steps = drain(&mut rollout, 6, &mut journal);
        assert_eq!(steps, [again, offers(&["d0001"])].concat());
        assert_eq!(rollout.counts().failed, 1);
    }
}

#[test]
fn one_that_begins_while_it_is_taken_back_goes_on() {
    let (mut rollout, mut journal) = (Rollout::new(one_stage(), names(1)), Vec::new());
    drain(&mut rollout, 0, &mut journal);
    rollout.abort(1);
    assert_eq!(cut(&mut rollout, 1, &mut journal), withdrawals(&["d0000"]));
    rollout.report("d0000", &said("downloading"), 2);
    rollout.withdrawn("d0000", 2);
    assert_eq!(rollout.counts().underway, 1);
    rollout.report("d0000", &said("updated"), 3);
    assert_eq!(rollout.counts().updated, 1);
}

#[test]
fn who_is_offered_it_again_waits_for_window_rate_and_resume() {
    let mut plan = one_stage();
    (plan.retries, plan.timeout) = (9, 1_000_000);
    plan.rate = Some((1, 60));
    plan.window = Some((0, 3600));
    let (mut rollout, mut journal) = (Rollout::new(plan, names(1)), Vec::new());
    let again = offers(&["d0000"]);
    assert_eq!(drain(&mut rollout, 0, &mut journal), again);
    rollout.report("d0000", &said("failed"), 10);
    assert_eq!(drain(&mut rollout, 59, &mut journal), [], "rate");
    rollout.pause(true);
    assert_eq!(drain(&mut rollout, 60, &mut journal), [], "pause");
    rollout.pause(false);
    assert_eq!(drain(&mut rollout, 60, &mut journal), again);
    rollout.report("d0000", &said("failed"), 70);
    assert_eq!(drain(&mut rollout, 3600, &mut journal), [], "window");
    // It still waits after a crash, and a stop is the end of it.
    let mut rollout = resumed(&rollout, &journal);
    rollout.recall("d0000", &said("failed"), 3600);
    assert_eq!(rollout.counts().underway, 1);
    rollout.report("d0000", &said("failed"), 3601);
    assert_eq!(drain(&mut rollout, 86_399, &mut journal), []);
    rollout.abort(86_399);
    let taken = drain(&mut rollout, 86_399, &mut journal);
    assert_eq!(taken, withdrawals(&["d0000"]));
    assert_eq!(rollout.counts().failed, 1);
}

#[test]
fn a_failure_counts_once_however_often_it_goes_on() {
    let plan = Plan {
        retries: 1,
        ..one_stage()
    };
    let failed = |mark: &str| Report {
        mark: mark.to_owned(),
        ..said("failed")
    };
    let (mut rollout, mut journal) = (Rollout::new(plan, names(1)), Vec::new());
    // What it said before it was offered anything is none of this rollout's.
    rollout.recall("d0000", &failed("before"), 0);
    drain(&mut rollout, 0, &mut journal);
    let again = offers(&["d0000"]);
    for now in 1..5 {
        rollout = resumed(&rollout, &journal);
        rollout.recall("d0000", &failed("before"), now);
        assert_eq!(drain(&mut rollout, now, &mut journal), again);
    }
    rollout.report("d0000", &failed("first"), 5);
    assert_eq!(drain(&mut rollout, 5, &mut journal), again);
    for now in 6..10 {
        rollout = resumed(&rollout, &journal);
        rollout.recall("d0000", &failed("first"), now);
        assert_eq!(drain(&mut rollout, now, &mut journal), again);
        assert_eq!(rollout.counts().failed, 0);
    }
    // One that came while nobody listened does count.
    rollout = resumed(&rollout, &journal);
    rollout.recall("d0000", &failed("second"), 10);
    drain(&mut rollout, 10, &mut journal);
    assert_eq!(rollout.counts().failed, 1);
}

#[test]
fn a_step_of_the_wall_clock_fails_nobody() {
    let plan = Plan {
        window: Some((0, 3600)),
        ..one_stage()
    };
    let mut rollout = Rollout::new(plan, names(1));
    while rollout.next(1000, 0).is_some() {}
    assert_eq!(rollout.counts().underway, 1);
    // A day later by the wall, a second later in truth.
    assert_eq!(rollout.next(1001, 86_400), None);
    assert_eq!(rollout.next(1099, 86_400), None);
    // Offered again while the window is open by the wall.
    assert_eq!(rollout.next(1100, 2 * 86_400 - 1), None);
    assert!(rollout.next(1100, 2 * 86_400).is_some());
}

#[test]
fn what_is_decided_is_left_for_the_journal() {
    let (mut rollout, mut journal) = (Rollout::new(one_stage(), names(2)), Vec::new());
    drain(&mut rollout, 0, &mut journal);
    rollout.report("d0000", &said("updated"), 1);
    rollout.report("d0001", &said("rolled-back"), 1);
    journal.extend(rollout.left());
    let again = resumed(&rollout, &journal);
    assert_eq!(again.counts(), rollout.counts());
}
