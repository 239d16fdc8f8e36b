//! Whom to ask for the configuration next, and when. PURE.
//!
//! A poll asks up to [`TRIES`] servers, [`BETWEEN`] apart, and ends with the first answer that is believed or says what is
//! known; a node whose answer is doubted counts as one that gave none, or the configuration endpoint would never be heard
//! of a cluster made anew. The nodes are asked in turn, so that none is asked more than the others; the configuration
//! endpoint is asked last, since it is but a name of one of the nodes.

use std::time::Duration;

/// How many servers a poll asks at most.
pub(crate) const TRIES: usize = 3;

/// How long a poll waits between two tries.
pub(crate) const BETWEEN: Duration = Duration::from_millis(500);

/// How long to wait between two polls unless told otherwise.
pub(crate) const DEFAULT_INTERVAL: Duration = Duration::from_secs(60);

/// How long to wait when the configuration endpoint has said something doubtful.
const SOON: Duration = Duration::from_secs(5);

/// How long to wait after the first failure while nothing is known of the cluster.
const FIRST_RETRY: Duration = Duration::from_secs(1);

/// Whom to ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// The node at this place in the list.
    Node(usize),
    Endpoint,
}

/// Whose turn it is. Moves on only with turns that were given out: a try that a poll does not need stays with its node.
#[derive(Debug, Default)]
pub(crate) struct Turns {
    /// The place in the list of the node to ask next, modulo the length that the list has by then.
    next: usize,
}

impl Turns {
    /// Starts at a random node, so that the clients of a fleet do not all ask the same.
    pub(crate) fn new(random: u64) -> Self {
        Self { next: random as usize }
    }

    /// Gives out the turn for this try of a poll, counted from 0, with so many nodes known.
    pub(crate) fn take(&mut self, attempt: usize, nodes: usize) -> Turn {
        if attempt >= nodes || attempt + 1 >= TRIES {
            return Turn::Endpoint;
        }
        let node = self.next % nodes;
        self.next = node + 1;
        Turn::Node(node)
    }
}

/// How a poll ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Somebody answered, and all is well.
    Answered,
    /// The configuration endpoint said something doubtful.
    Doubted,
    /// Nobody answered, but a list from the cluster is in use.
    Failed,
    /// Nobody answered, and nothing is known of the cluster yet.
    Unknown {
        /// How many polls in a row have ended like this, with this one.
        failures: u32,
    },
}

/// Returns how long to wait until the next poll. Pauses are longer by up to a tenth, so that the clients of a fleet do
/// not ask at once.
pub(crate) fn pause(outcome: Outcome, interval: Duration, random: u64) -> Duration {
    match outcome {
        Outcome::Answered | Outcome::Failed => spread(interval, random),
        Outcome::Doubted => spread(SOON, random).min(interval),
        Outcome::Unknown { failures } => {
            let doublings = failures.saturating_sub(1).min(16);
            spread((FIRST_RETRY * (1 << doublings)).min(interval), random)
        }
    }
}

/// Adds a random part of a tenth.
fn spread(pause: Duration, random: u64) -> Duration {
    let tenth = pause / 10;
    let part = tenth.mul_f64(random as f64 / (u64::MAX as f64));
    pause.saturating_add(part.min(tenth))
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    /// Whom a poll asks that ends with this try; with `TRIES`, one that nobody answers.
    fn poll(turns: &mut Turns, tries: usize, nodes: usize) -> Vec<Turn> {
        (0..tries).map(|attempt| turns.take(attempt, nodes)).collect()
    }

    #[test]
    fn nodes_are_asked_in_turn_and_the_endpoint_last() {
        let mut turns = Turns::default();
        assert_eq!(poll(&mut turns, TRIES, 5), [Turn::Node(0), Turn::Node(1), Turn::Endpoint]);
        assert_eq!(poll(&mut turns, TRIES, 5), [Turn::Node(2), Turn::Node(3), Turn::Endpoint]);
        assert_eq!(poll(&mut turns, 1, 5), [Turn::Node(4)]);
        assert_eq!(poll(&mut turns, 1, 5), [Turn::Node(0)]);
        assert_eq!(poll(&mut turns, 2, 5), [Turn::Node(1), Turn::Node(2)]);
    }

    #[test]
    fn without_nodes_to_ask_the_endpoint_is_asked() {
        let mut turns = Turns::new(2);
        assert_eq!(poll(&mut turns, TRIES, 0), [Turn::Endpoint; 3]);
        assert_eq!(poll(&mut turns, TRIES, 1), [Turn::Node(0), Turn::Endpoint, Turn::Endpoint]);
        assert_eq!(poll(&mut turns, TRIES, 2), [Turn::Node(1), Turn::Node(0), Turn::Endpoint]);
    }

    #[test]
    fn a_shorter_list_is_gone_round() {
        let mut turns = Turns::new(4);
        assert_eq!(poll(&mut turns, 1, 5), [Turn::Node(4)]);
        assert_eq!(poll(&mut turns, 2, 3), [Turn::Node(2), Turn::Node(0)]);
        assert_eq!(Turns::new(u64::MAX).take(0, 4), Turn::Node(3));
    }

    #[test]
    fn retries_double_until_the_interval_while_nothing_is_known() {
        let pauses = [1, 2, 3, 4, 6, 7, u32::MAX]
            .map(|failures| pause(Outcome::Unknown { failures }, DEFAULT_INTERVAL, 0).as_secs());
        assert_eq!(pauses, [1, 2, 4, 8, 32, 60, 60]);
        assert_eq!(pause(Outcome::Unknown { failures: 8 }, Duration::from_secs(3600), 0).as_secs(), 128);
    }

    #[test]
    fn pauses_are_those_that_were_meant() {
        let minute = Duration::from_secs(60);
        for (outcome, least, most) in [
            (Outcome::Answered, 60.0, 66.0),
            (Outcome::Failed, 60.0, 66.0),
            (Outcome::Doubted, 5.0, 5.5),
            (Outcome::Unknown { failures: 1 }, 1.0, 1.1),
        ] {
            assert_eq!(pause(outcome, minute, 0), Duration::from_secs_f64(least));
            assert_eq!(pause(outcome, minute, u64::MAX), Duration::from_secs_f64(most));
        }
        assert_eq!(pause(Outcome::Doubted, Duration::from_secs(2), u64::MAX), Duration::from_secs(2));
    }

    fn outcome() -> impl Strategy<Value = Outcome> {
        prop_oneof![
            Just(Outcome::Answered),
            Just(Outcome::Doubted),
            Just(Outcome::Failed),
            any::<u32>().prop_map(|failures| Outcome::Unknown { failures }),
        ]
    }

    proptest! {
        #[test]
        fn every_node_is_asked_as_often_as_the_others(
            start: u64, nodes in 1_usize..20, tries in vec(1..=TRIES, 0..100),
        ) {
            let mut turns = Turns::new(start);
            let mut asked = vec![0_u32; nodes];
            for tries in tries {
                let polled = poll(&mut turns, tries, nodes);
                prop_assert_eq!(polled.get(2), (tries == TRIES).then_some(&Turn::Endpoint));
                prop_assert!(tries < 2 || polled[0] != polled[1], "nobody is asked twice while others are left");
                for turn in polled {
                    if let Turn::Node(node) = turn {
                        asked[node] += 1;
                    }
                }
            }
            let most = asked.iter().max().copied();
            prop_assert!(asked.iter().min().copied() >= most.map(|most| most.saturating_sub(1)), "{:?}", asked);
        }

        #[test]
        fn a_changing_list_is_never_left(start: u64, lists in vec(0_usize..9, 0..60)) {
            let mut turns = Turns::new(start);
            for nodes in lists {
                for turn in poll(&mut turns, TRIES, nodes) {
                    prop_assert!(turn == Turn::Endpoint || matches!(turn, Turn::Node(node) if node < nodes));
                }
            }
        }

        #[test]
        fn no_pause_is_out_of_bounds(outcome in outcome(), secs: u64, nanos in 0..1_000_000_000_u32, random: u64) {
            let interval = Duration::new(secs, nanos);
            let pause = pause(outcome, interval, random);
            let least = match outcome {
                Outcome::Answered | Outcome::Failed => interval,
                Outcome::Doubted => interval.min(SOON),
                Outcome::Unknown { .. } => interval.min(FIRST_RETRY),
            };
            prop_assert!(pause >= least && pause <= interval.saturating_add(interval / 10));
            prop_assert!(outcome != Outcome::Doubted || pause <= interval.min(SOON + SOON / 10));
        }
    }
}
