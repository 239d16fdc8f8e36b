//! What the list of servers is, and when to ask again. PURE.

use std::net::IpAddr;
use std::time::Duration;

use super::Endpoint;
use super::resolver::Addresses;
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
#[derive(Debug, Default)]
pub(super) struct Roster {
    slots: Vec<Slot>,
    /// A list is made even while some names have not been heard of.
    complete: bool,
}

#[derive(Debug)]
struct Slot {
    endpoint: Endpoint,
    name: Heard,
}

/// What has been heard of a host name.
#[derive(Clone, Debug, Default)]
struct Heard {
    /// Whether a look-up has ended once.
    once: bool,
    /// The last known addresses.
    addresses: Vec<IpAddr>,
    /// Look-ups that failed since the last that did not.
    failures: u32,
}

impl Slot {
    fn is_heard(&self) -> bool {
        self.name.once || !self.endpoint.is_name()
    }
}

impl Roster {
    /// Goes on with these endpoints; what is known of the names among them is kept.
    pub(super) fn set(&mut self, endpoints: Vec<Endpoint>) {
        let old = std::mem::take(&mut self.slots);
        let heard = |endpoint: &Endpoint| {
            let slot = endpoint.host().and_then(|host| old.iter().find(|slot| slot.endpoint.host() == Some(host)));
            slot.map(|slot| slot.name.clone()).unwrap_or_default()
        };
        self.slots = endpoints.into_iter().map(|endpoint| Slot { name: heard(&endpoint), endpoint }).collect();
        self.complete = false;
    }

    /// Returns the host names that must be looked up, each once.
    pub(super) fn hosts(&self) -> Vec<&str> {
        let mut hosts = Vec::new();
        for host in self.slots.iter().filter_map(|slot| slot.endpoint.host()) {
            if !hosts.contains(&host) {
                hosts.push(host);
            }
        }
        hosts
    }

    /// Takes in how the look-up of a name ended, and returns how long to wait before the next; `addresses` is `None` where
    /// it failed. An answer without addresses counts as a failure.
    pub(super) fn heard(&mut self, host: &str, answer: Option<&Addresses>, random: u64) -> Duration {
        let mut pause = LAST_RETRY;
        for slot in self.slots.iter_mut().filter(|slot| slot.endpoint.host() == Some(host)) {
            let name = &mut slot.name;
            name.once = true;
            match answer {
                Some(answer) if !answer.addresses.is_empty() => {
                    name.addresses.clone_from(&answer.addresses);
                    name.failures = 0;
                    pause = pause_after_answer(answer.ttl, random);
                }
                _ => {
                    name.failures = name.failures.saturating_add(1);
                    pause = pause_after_failure(name.failures, name.addresses.is_empty(), random);
                }
            }
        }
        pause
    }

    /// Lets a list be made of what is known.
    pub(super) fn wait_no_longer(&mut self) {
        self.complete = true;
    }

    /// Returns the servers of all endpoints in their sequence; `None` while none is known, or while names are waited for
    /// that would make the list another: keys would be placed on some servers and move moments later.
    pub(super) fn list(&self) -> Option<Vec<Server>> {
        let ready = self.complete || self.slots.iter().all(Slot::is_heard);
        let servers: Vec<_> =
            self.slots.iter().flat_map(|slot| slot.endpoint.servers_at(&slot.name.addresses)).collect();
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

    fn answer(addresses: &[&str]) -> Addresses {
        let addresses: Vec<IpAddr> = addresses.iter().map(|address| address.parse().unwrap()).collect();
        Addresses::new(addresses, Duration::ZERO)
    }

    fn roster(texts: &[&str]) -> Roster {
        let mut roster = Roster::default();
        roster.set(endpoints(texts));
        roster
    }

    fn endpoints(texts: &[&str]) -> Vec<Endpoint> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    fn names(roster: &Roster) -> Vec<String> {
        roster.list().unwrap_or_default().iter().map(|server| server.name().to_owned()).collect()
    }

    #[test]
    fn the_first_list_waits_until_every_name_was_heard_of() {
        let mut roster = roster(&["a", "10.0.0.7", "b"]);
        assert_eq!(roster.list(), None);
        roster.heard("b", Some(&answer(&["10.0.0.2"])), 0);
        assert_eq!(roster.list(), None);
        roster.heard("a", None, 0);
        assert_eq!(names(&roster), ["10.0.0.7:11211", "b:11211"]);
        roster.heard("a", Some(&answer(&["10.0.0.1"])), 0);
        assert_eq!(names(&roster), ["a:11211", "10.0.0.7:11211", "b:11211"]);
    }

    #[test]
    fn the_first_list_waits_only_so_long() {
        let mut roster = roster(&["a", "b"]);
        roster.wait_no_longer();
        assert_eq!(roster.list(), None);
        roster.heard("b", Some(&answer(&["10.0.0.2"])), 0);
        assert_eq!(names(&roster), ["b:11211"]);
    }

    #[test]
    fn a_failure_or_an_empty_answer_keeps_what_was_known() {
        let mut roster = roster(&["a"]);
        roster.heard("a", None, 0);
        assert_eq!(roster.list(), None);
        roster.heard("a", Some(&answer(&["10.0.0.2", "10.0.0.1"])), 0);
        for outcome in [None, Some(&answer(&[]))] {
            roster.heard("a", outcome, 0);
            assert_eq!(names(&roster), ["10.0.0.1:11211", "10.0.0.2:11211"]);
        }
    }

    #[test]
    fn failures_are_retried_sooner_while_nothing_is_known() {
        let mut roster = roster(&["a"]);
        let fails = |roster: &mut Roster| roster.heard("a", None, 0).as_secs();
        assert_eq!([1, 1, 1, 1], std::array::from_fn(|_| fails(&mut roster)));
        roster.heard("a", Some(&answer(&["10.0.0.1"])), 0);
        assert_eq!([1, 2, 4, 8, 10, 10], std::array::from_fn(|_| fails(&mut roster)));
        roster.heard("a", Some(&answer(&["10.0.0.1"])), 0);
        assert_eq!(fails(&mut roster), 1);
    }

    #[test]
    fn other_endpoints_keep_what_is_known_of_the_names_that_stay() {
        let mut roster = roster(&["a", "b"]);
        roster.heard("a", Some(&answer(&["10.0.0.1"])), 0);
        roster.heard("b", Some(&answer(&["10.0.0.2"])), 0);
        roster.set(endpoints(&["b", "b:7", "c"]));
        assert_eq!((roster.list(), roster.hosts()), (None, vec!["b", "c"]), "c is waited for");
        roster.heard("a", Some(&answer(&["10.0.0.1"])), 0);
        roster.heard("c", Some(&answer(&["10.0.0.3"])), 0);
        assert_eq!(names(&roster), ["b:11211", "b:7", "c:11211"]);
        roster.set(endpoints(&["a", "b"]));
        roster.wait_no_longer();
        assert_eq!(names(&roster), ["b:11211"], "what left is forgotten");
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
