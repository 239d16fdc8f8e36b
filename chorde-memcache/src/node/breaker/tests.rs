use proptest::prelude::*;

use super::*;

const SECOND: u64 = 1_000_000_000;

/// A breaker and the time it is told.
struct Bench {
    breaker: Breaker,
    now: u64,
}

impl Bench {
    fn new() -> Self {
        Self { breaker: Breaker::new(Options::default()), now: 1_000 * SECOND }
    }

    fn open() -> Self {
        let mut bench = Self::new();
        assert!(bench.breaker.failed(Severity::Hard, bench.now, 0));
        bench
    }

    /// Moves on to the next attempt, lets it end so, and returns how long it took to come.
    fn attempt(&mut self, attempt: Attempt, random: u64) -> u64 {
        let due = self.breaker.due().unwrap();
        let waited = due - self.now;
        assert!(waited == 0 || !self.breaker.start(due - 1));
        self.now = due;
        assert!(self.breaker.start(due) && !self.breaker.start(due) && self.breaker.due().is_none());
        self.breaker.tried(attempt, self.now, random);
        waited
    }
}

#[test]
fn three_soft_failures_in_a_row_open_it() {
    let Bench { mut breaker, now } = Bench::new();
    for _ in 0..10 {
        assert!(!breaker.failed(Severity::Soft, now, 0));
        assert!(!breaker.failed(Severity::Soft, now, 0));
        assert!(breaker.admits());
        breaker.succeeded();
    }
    assert!(!breaker.failed(Severity::Soft, now, 0));
    assert!(!breaker.failed(Severity::None, now, 0));
    assert!(!breaker.failed(Severity::Soft, now, 0));
    assert!(breaker.failed(Severity::Soft, now, 0));
    assert!(!breaker.admits());
    assert!(!breaker.failed(Severity::Soft, now, 0), "it opens once");
}

#[test]
fn one_hard_failure_opens_it() {
    let bench = Bench::open();
    assert!(!bench.breaker.admits());
}

#[test]
fn an_answer_closes_it_and_failures_count_from_none_again() {
    let mut bench = Bench::open();
    bench.attempt(Attempt::Answered, 0);
    assert!(bench.breaker.admits());
    assert_eq!(bench.breaker.due(), None);
    assert!(!bench.breaker.failed(Severity::Soft, bench.now, 0));
    assert!(!bench.breaker.failed(Severity::Soft, bench.now, 0));
    assert!(bench.breaker.failed(Severity::Soft, bench.now, 0));
}

#[test]
fn a_refused_server_is_tried_every_second_for_ever() {
    let mut bench = Bench::open();
    for _ in 0..100 {
        assert_eq!(bench.attempt(Attempt::Refused, 0), SECOND);
    }
}

#[test]
fn attempts_spread_over_a_quarter_of_the_pause() {
    let mut bench = Bench::open();
    bench.attempt(Attempt::Refused, u64::MAX);
    let waited = bench.attempt(Attempt::Refused, u64::MAX / 2);
    assert!((750_000_000..750_000_010).contains(&waited), "{waited}");
    let waited = bench.attempt(Attempt::Refused, 0);
    assert!((875_000_000..875_000_010).contains(&waited), "{waited}");
}

#[test]
fn a_silent_server_is_tried_at_pauses_that_double_up_to_half_a_minute() {
    let mut bench = Bench::open();
    let waited: Vec<_> = (0..9).map(|_| bench.attempt(Attempt::Unanswered, 0) / SECOND).collect();
    assert_eq!(waited, [1, 1, 2, 4, 8, 16, 30, 30, 30]);
}

#[test]
fn a_refusal_after_silence_starts_over() {
    let mut bench = Bench::open();
    for _ in 0..6 {
        bench.attempt(Attempt::Unanswered, 0);
    }
    bench.attempt(Attempt::Refused, 0);
    let waited: Vec<_> = (0..3).map(|_| bench.attempt(Attempt::Unanswered, 0) / SECOND).collect();
    assert_eq!(waited, [1, 1, 2]);
}

#[test]
fn an_answer_to_a_question_given_up_closes_it() {
    let mut bench = Bench::open();
    bench.attempt(Attempt::Unanswered, 0);
    bench.breaker.tried(Attempt::Answered, bench.now, 0);
    assert!(bench.breaker.admits());
}

#[test]
fn a_question_given_up_that_ends_brings_the_next_attempt_forward() {
    let mut bench = Bench::open();
    for _ in 0..6 {
        bench.attempt(Attempt::Unanswered, 0);
    }
    assert_eq!(bench.breaker.due(), Some(bench.now + 30 * SECOND));
    bench.breaker.tried(Attempt::Unanswered, bench.now, 0);
    assert_eq!(bench.breaker.due(), Some(bench.now + 30 * SECOND));
    bench.breaker.tried(Attempt::Refused, bench.now, 0);
    assert_eq!(bench.breaker.due(), Some(bench.now + SECOND));
}

#[test]
fn an_abandoned_attempt_may_be_made_again_at_once() {
    let mut bench = Bench::open();
    let due = bench.breaker.due().unwrap();
    assert!(bench.breaker.start(due));
    bench.breaker.abandoned(due + 1);
    assert_eq!(bench.breaker.due(), Some(due + 1));
    bench.breaker.abandoned(due + 2);
    assert_eq!(bench.breaker.due(), Some(due + 1), "there was none to abandon");
}

#[test]
fn what_callers_learn_while_it_is_open_changes_nothing() {
    let mut bench = Bench::open();
    let before = bench.breaker.due();
    bench.breaker.succeeded();
    assert!(!bench.breaker.failed(Severity::Hard, bench.now + 1, 0));
    assert_eq!((bench.breaker.admits(), bench.breaker.due()), (false, before));
}

#[test]
fn failures_are_sorted_by_what_they_tell() {
    let closed = Failure::Closed { unsent: true, why: String::new() };
    let sorted = [
        (Failure::Refused(String::new()), Severity::Hard, Attempt::Refused),
        (Failure::TooManyConnections, Severity::Hard, Attempt::Refused),
        (Failure::Protocol(String::new()), Severity::Hard, Attempt::Refused),
        (Failure::Timeout, Severity::Soft, Attempt::Unanswered),
        (closed, Severity::Soft, Attempt::Refused),
        (Failure::Overloaded, Severity::None, Attempt::Refused),
        (Failure::NoMeta("1.4.5".into()), Severity::None, Attempt::Answered),
    ];
    for (failure, tells, ends) in sorted {
        assert_eq!(severity(&failure), tells, "{failure:?}");
        assert_eq!(Attempt::of(&Err::<(), _>(failure)), ends);
    }
    assert_eq!(Attempt::of(&Ok(())), Attempt::Answered);
}

/// What happens to a breaker.
#[derive(Clone, Copy, Debug)]
enum Event {
    Succeeded,
    Failed(Severity),
    /// Time passes, in milliseconds, and an attempt starts if it may.
    Wait(u64),
    Ended(Attempt),
    Abandoned,
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        Just(Event::Succeeded),
        prop_oneof![Just(Severity::Hard), Just(Severity::Soft), Just(Severity::Soft), Just(Severity::None)]
            .prop_map(Event::Failed),
        (0_u64..40_000).prop_map(Event::Wait),
        prop_oneof![Just(Attempt::Answered), Just(Attempt::Refused), Just(Attempt::Unanswered)].prop_map(Event::Ended),
        Just(Event::Abandoned),
    ]
}

/// Judges a breaker by the whole story of what happened, told anew each time.
#[derive(Default)]
struct Story {
    /// What callers learnt since it was last closed.
    learnt: Vec<Severity>,
    /// When it opened.
    opened: Option<u64>,
    /// How the attempts since then ended.
    ended: Vec<(u64, Attempt)>,
    trying: bool,
}

impl Story {
    fn admits(&self) -> bool {
        self.opened.is_none()
    }

    fn tells_to_open(&self) -> bool {
        let told: Vec<_> = self.learnt.iter().filter(|severity| **severity != Severity::None).collect();
        told.contains(&&Severity::Hard) || told.len() >= 3
    }

    /// The earliest and the latest time at which the next attempt may be due.
    fn due(&self) -> (u64, u64) {
        let silent = self.ended.iter().rev().take_while(|(_, attempt)| *attempt == Attempt::Unanswered).count();
        let from = self.ended.last().map_or(self.opened.unwrap(), |(at, _)| *at);
        let pause = if silent == 0 { SECOND } else { (SECOND << (silent - 1).min(20)).min(30 * SECOND) };
        (from + pause * 3 / 4, from + pause)
    }
}

proptest! {
    #[test]
    fn it_does_what_its_story_says(events in prop::collection::vec((event(), any::<u64>()), 0..200)) {
        let Bench { mut breaker, mut now } = Bench::new();
        let mut story = Story::default();
        let mut abandoned = None;
        for (event, random) in events {
            match event {
                Event::Succeeded => {
                    breaker.succeeded();
                    story.learnt.clear();
                }
                Event::Failed(severity) => {
                    let opened = breaker.failed(severity, now, random);
                    if story.admits() {
                        story.learnt.push(severity);
                    }
                    let opens = story.admits() && story.tells_to_open();
                    prop_assert_eq!(opened, opens);
                    if opens {
                        story = Story { opened: Some(now), ..Story::default() };
                    }
                }
                Event::Wait(millis) => {
                    now += millis * 1_000_000;
                    let may = breaker.due().is_some_and(|due| due <= now);
                    prop_assert_eq!(breaker.start(now), may);
                    story.trying |= may;
                }
                Event::Ended(attempt) if story.trying => {
                    breaker.tried(attempt, now, random);
                    abandoned = None;
                    story.trying = false;
                    story.ended.push((now, attempt));
                    if attempt == Attempt::Answered {
                        story = Story::default();
                    }
                }
                Event::Abandoned if story.trying => {
                    breaker.abandoned(now);
                    story.trying = false;
                    abandoned = Some(now);
                }
                Event::Ended(_) | Event::Abandoned => {}
            }
            prop_assert_eq!(breaker.admits(), story.admits());
            prop_assert_eq!(breaker.due().is_some(), !story.admits() && !story.trying);
            if let Some(due) = breaker.due() {
                let (earliest, latest) = abandoned.map_or_else(|| story.due(), |at| (at, at));
                prop_assert!((earliest..=latest).contains(&due), "{due} is not in {earliest}..={latest}");
            }
        }
    }
}
