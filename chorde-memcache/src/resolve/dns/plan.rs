//! What the list of servers is, and when to ask again. PURE.

use std::time::Duration;

use super::lookup::Answer;
use crate::resolve::Endpoint;
use crate::server::Server;

/// The shortest time between two look-ups of a name that has addresses, however short its records live.
const MIN_PAUSE: Duration = Duration::from_secs(5);

/// Each pause after an answer is longer by up to this much.
const SPREAD: Duration = Duration::from_secs(5);

/// The longest pause after the first failure, and after each while nothing is known.
const FIRST_RETRY: Duration = Duration::from_secs(1);

/// The longest pause after a failure: no longer than that after a success may be.
const LAST_RETRY: Duration = Duration::from_secs(10);

/// What is known of each endpoint.
#[derive(Debug)]
pub(super) struct Roster {
    slots: Vec<Slot>,
    /// A list is made even while some names have not been heard of.
    complete: bool,
}

#[derive(Debug)]
struct Slot {
    endpoint: Endpoint,
    /// Whether its look-up has ended once, or none is needed.
    heard: bool,
    /// The last known servers.
    servers: Vec<Server>,
    /// Look-ups that failed since the last that did not.
    failures: u32,
}

impl Roster {
    /// Starts without the addresses of names.
    pub(super) fn new(endpoints: Vec<Endpoint>) -> Self {
        let slot = |endpoint: Endpoint| {
            let servers: Vec<_> = endpoint.server().into_iter().collect();
            Slot { heard: !servers.is_empty(), endpoint, servers, failures: 0 }
        };
        Self { slots: endpoints.into_iter().map(slot).collect(), complete: false }
    }

    /// Takes in how the look-up of the endpoint at this place ended, and returns how long to wait before the next. An
    /// answer without addresses counts as a failure.
    pub(super) fn heard(&mut self, at: usize, outcome: Result<Answer, String>, random: u64) -> Duration {
        let Some(slot) = self.slots.get_mut(at) else { return LAST_RETRY };
        slot.heard = true;
        match outcome {
            Ok(answer) if !answer.addresses.is_empty() => {
                slot.servers = slot.endpoint.servers_at(&answer.addresses);
                slot.failures = 0;
                pause_after_answer(answer.ttl, random)
            }
            _ => {
                slot.failures = slot.failures.saturating_add(1);
                pause_after_failure(slot.failures, slot.servers.is_empty(), random)
            }
        }
    }

    /// Lets a list be made of what is known.
    pub(super) fn wait_no_longer(&mut self) {
        self.complete = true;
    }

    /// Returns the servers of all endpoints in their sequence; `None` while none is known, or while names are waited for
    /// that would make the list another: keys would be placed on some servers and move moments later.
    pub(super) fn list(&self) -> Option<Vec<Server>> {
        let ready = self.complete || self.slots.iter().all(|slot| slot.heard);
        let servers: Vec<_> = self.slots.iter().flat_map(|slot| slot.servers.iter().cloned()).collect();
        (ready && !servers.is_empty()).then_some(servers)
    }
}

/// Returns when to ask again for a name whose records live for `ttl`.
fn pause_after_answer(ttl: Duration, random: u64) -> Duration {
    ttl.max(MIN_PAUSE) + part(SPREAD, random)
}

/// Returns when to ask again for a name after so many failures in a row: soon while nothing is known of it, since every
/// read that goes there misses; at pauses that double where there is a list to go on with.
fn pause_after_failure(failures: u32, nothing_known: bool, random: u64) -> Duration {
    let doublings = if nothing_known { 0 } else { failures.saturating_sub(1).min(16) };
    let pause = (FIRST_RETRY * (1 << doublings)).min(LAST_RETRY);
    pause - part(pause / 4, random)
}

/// Returns a random part of a duration.
fn part(whole: Duration, random: u64) -> Duration {
    whole.mul_f64(random as f64 / (u64::MAX as f64))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn answer(addresses: &[&str]) -> Result<Answer, String> {
        let addresses = addresses.iter().map(|address| address.parse().unwrap()).collect();
        Ok(Answer { addresses, ttl: Duration::ZERO })
    }

    fn roster(texts: &[&str]) -> Roster {
        Roster::new(texts.iter().map(|text| text.parse().unwrap()).collect())
    }

    fn names(roster: &Roster) -> Vec<String> {
        roster.list().unwrap_or_default().iter().map(|server| server.name().to_owned()).collect()
    }

    #[test]
    fn the_first_list_waits_until_every_name_was_heard_of() {
        let mut roster = roster(&["a", "10.0.0.7", "b"]);
        assert_eq!(roster.list(), None);
        roster.heard(2, answer(&["10.0.0.2"]), 0);
        assert_eq!(roster.list(), None);
        roster.heard(0, Err("lost".into()), 0);
        assert_eq!(names(&roster), ["10.0.0.7:11211", "b:11211"]);
        roster.heard(0, answer(&["10.0.0.1"]), 0);
        assert_eq!(names(&roster), ["a:11211", "10.0.0.7:11211", "b:11211"]);
    }

    #[test]
    fn the_first_list_waits_only_so_long() {
        let mut roster = roster(&["a", "b"]);
        roster.wait_no_longer();
        assert_eq!(roster.list(), None);
        roster.heard(1, answer(&["10.0.0.2"]), 0);
        assert_eq!(names(&roster), ["b:11211"]);
    }

    #[test]
    fn a_failure_or_an_empty_answer_keeps_what_was_known() {
        let mut roster = roster(&["a"]);
        roster.heard(0, Err("lost".into()), 0);
        assert_eq!(roster.list(), None);
        roster.heard(0, answer(&["10.0.0.2", "10.0.0.1"]), 0);
        for outcome in [Err("lost".into()), answer(&[])] {
            roster.heard(0, outcome, 0);
            assert_eq!(names(&roster), ["10.0.0.1:11211", "10.0.0.2:11211"]);
        }
    }

    #[test]
    fn failures_are_retried_sooner_while_nothing_is_known() {
        let mut roster = roster(&["a"]);
        let fails = |roster: &mut Roster| roster.heard(0, Err("lost".into()), 0).as_secs();
        assert_eq!([1, 1, 1, 1], std::array::from_fn(|_| fails(&mut roster)));
        roster.heard(0, answer(&["10.0.0.1"]), 0);
        assert_eq!([1, 2, 4, 8, 10, 10], std::array::from_fn(|_| fails(&mut roster)));
        roster.heard(0, answer(&["10.0.0.1"]), 0);
        assert_eq!(fails(&mut roster), 1);
    }

    proptest! {
        #[test]
        fn an_answer_is_believed_for_its_ttl_but_five_seconds_at_least_and_five_more_at_most(
            ttl in 0_u64..u64::from(u32::MAX), random in any::<u64>(),
        ) {
            let pause = pause_after_answer(Duration::from_secs(ttl), random);
            let least = Duration::from_secs(ttl.max(5));
            prop_assert!(pause >= least && pause <= least + Duration::from_secs(5));
        }

        #[test]
        fn a_failure_is_retried_within_bounds(failures in 1_u32.., unknown in any::<bool>(), random in any::<u64>()) {
            let pause = pause_after_failure(failures, unknown, random);
            prop_assert!(pause >= Duration::from_millis(749) && pause <= Duration::from_secs(10));
            prop_assert!(!unknown || pause <= Duration::from_secs(1));
        }
    }
}
