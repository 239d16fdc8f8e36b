//! Which configuration is believed. PURE.
//!
//! A version grows by one with each change of the cluster, so that of two configurations the one with the higher version
//! is the later. Nodes that have not heard of a change yet still tell the earlier one; they are not believed. A cluster
//! that was deleted and created anew under the same name begins again with a low version: that is believed only when the
//! configuration endpoint keeps saying it, since a single answer may come from a place that lags behind.

use crate::config::Config;

/// How many times in a row the configuration endpoint has to say what is doubted.
const ENOUGH: u32 = 3;

/// Who told a configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Teller {
    Node,
    Endpoint,
}

/// What to make of a configuration that was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Use it from now on.
    Apply,
    /// It says what is known.
    Same,
    /// It is older, or another list under a known version: not believed, or not yet.
    Doubted {
        /// Whether to ask the configuration endpoint again soon, since this may be a cluster made anew. If not, a node has
        /// said it, and the poll goes on to the next server.
        ask_soon: bool,
    },
}

/// What is known of the cluster.
#[derive(Debug, Default)]
pub(crate) struct Versions {
    /// The configuration in use; nothing before the first.
    current: Option<Config>,
    /// How many times the endpoint said what is doubted, since anybody last said what was believed or known.
    doubts: u32,
}

impl Versions {
    /// Judges a configuration, and takes it over if it is believed.
    pub(crate) fn judge(&mut self, config: &Config, teller: Teller) -> Verdict {
        match &self.current {
            Some(known) if config.version <= known.version => {
                if config.version == known.version && config.has_nodes_of(known) {
                    self.doubts = 0;
                    return Verdict::Same;
                }
                if teller == Teller::Node {
                    return Verdict::Doubted { ask_soon: false };
                }
                self.doubts += 1;
                if self.doubts < ENOUGH {
                    return Verdict::Doubted { ask_soon: true };
                }
            }
            _ => {}
        }
        self.doubts = 0;
        self.current = Some(config.clone());
        Verdict::Apply
    }

    /// Returns the configuration in use.
    pub(crate) fn current(&self) -> Option<&Config> {
        self.current.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::config::Node;

    const NOT_BELIEVED: Verdict = Verdict::Doubted { ask_soon: false };
    const ASK_SOON: Verdict = Verdict::Doubted { ask_soon: true };

    /// A configuration with a node per letter.
    fn config(version: u64, nodes: &str) -> Config {
        let node = |host: char| Node { host: host.to_string(), ip: None, port: 11211 };
        Config { version, nodes: nodes.chars().map(node).collect() }
    }

    /// Judges in sequence what nodes (`'n'`) and the endpoint (`'e'`) tell.
    fn judged<const N: usize>(told: [(char, u64, &str); N]) -> ([Verdict; N], Versions) {
        let mut versions = Versions::default();
        let verdicts = told.map(|(teller, version, nodes)| {
            let teller = if teller == 'n' { Teller::Node } else { Teller::Endpoint };
            versions.judge(&config(version, nodes), teller)
        });
        (verdicts, versions)
    }

    #[test]
    fn the_first_and_any_higher_version_are_believed_whoever_tells_them() {
        assert_eq!(Versions::default().current(), None);
        let (verdicts, versions) = judged([('n', 0, "a"), ('n', 1, "b"), ('e', 2, "b"), ('n', 2, "b"), ('e', 9, "c")]);
        assert_eq!(verdicts, [Verdict::Apply, Verdict::Apply, Verdict::Apply, Verdict::Same, Verdict::Apply]);
        assert_eq!(versions.current(), Some(&config(9, "c")));
    }

    #[test]
    fn the_sequence_of_the_nodes_does_not_matter_but_the_addresses_do() {
        let (verdicts, versions) = judged([('e', 1, "abc"), ('n', 1, "cab"), ('n', 1, "ab"), ('n', 1, "abcd")]);
        assert_eq!(verdicts, [Verdict::Apply, Verdict::Same, NOT_BELIEVED, NOT_BELIEVED]);
        assert_eq!(versions.current(), Some(&config(1, "abc")));
        let mut versions = versions;
        for change in [
            |node: &mut Node| node.port = 1,
            |node: &mut Node| node.host.push('x'),
            |node: &mut Node| node.ip = Some([10, 0, 0, 1].into()),
        ] {
            let mut changed = config(1, "abc");
            change(&mut changed.nodes[1]);
            assert_eq!(versions.judge(&changed, Teller::Node), NOT_BELIEVED);
        }
    }

    #[test]
    fn a_lower_version_is_believed_when_the_endpoint_says_it_three_times() {
        let (verdicts, versions) =
            judged([('e', 9, "ab"), ('e', 1, "c"), ('e', 1, "c"), ('e', 1, "c"), ('n', 9, "ab")]);
        assert_eq!(verdicts, [Verdict::Apply, ASK_SOON, ASK_SOON, Verdict::Apply, Verdict::Apply]);
        assert_eq!(versions.current(), Some(&config(9, "ab")), "the old cluster lives after all");
    }

    #[test]
    fn of_three_doubted_ones_the_last_is_believed() {
        let (verdicts, versions) = judged([('e', 9, "ab"), ('e', 9, "abc"), ('e', 1, "c"), ('e', 2, "cd")]);
        assert_eq!(verdicts, [Verdict::Apply, ASK_SOON, ASK_SOON, Verdict::Apply]);
        assert_eq!(versions.current(), Some(&config(2, "cd")));
    }

    #[test]
    fn nodes_neither_count_nor_stop_the_count() {
        let told = [
            ('e', 9, "ab"),
            ('n', 1, "c"),
            ('n', 1, "c"),
            ('n', 1, "c"),
            ('e', 1, "c"),
            ('n', 2, "d"),
            ('e', 1, "c"),
            ('e', 1, "c"),
        ];
        let (verdicts, _) = judged(told);
        let expected = [
            Verdict::Apply,
            NOT_BELIEVED,
            NOT_BELIEVED,
            NOT_BELIEVED,
            ASK_SOON,
            NOT_BELIEVED,
            ASK_SOON,
            Verdict::Apply,
        ];
        assert_eq!(verdicts, expected);
    }

    #[test]
    fn what_is_known_clears_doubts_whoever_tells_it() {
        for (teller, version) in [('n', 9), ('e', 9), ('n', 10), ('e', 10)] {
            let (verdicts, _) = judged([
                ('e', 9, "ab"),
                ('e', 1, "c"),
                ('e', 1, "c"),
                (teller, version, "ab"),
                ('e', 1, "c"),
                ('e', 1, "c"),
                ('e', 1, "c"),
            ]);
            assert_eq!(verdicts[4..], [ASK_SOON, ASK_SOON, Verdict::Apply]);
        }
    }

    /// What was told and how it was judged.
    type History = Vec<(Config, Teller, Verdict)>;

    /// Judges by looking back over all that was told, with nothing remembered but that.
    fn by_history(history: &History, config: &Config, teller: Teller) -> Verdict {
        let Some((known, ..)) = history.iter().rfind(|(.., verdict)| *verdict == Verdict::Apply) else {
            return Verdict::Apply;
        };
        let names =
            |config: &Config| config.nodes.iter().map(Node::to_string).collect::<std::collections::BTreeSet<_>>();
        if config.version > known.version {
            return Verdict::Apply;
        }
        if config.version == known.version && names(config) == names(known) {
            return Verdict::Same;
        }
        let since = history.iter().rev().take_while(|(.., verdict)| matches!(verdict, Verdict::Doubted { .. }));
        let said = since.filter(|(_, teller, _)| *teller == Teller::Endpoint).count();
        match teller {
            Teller::Node => NOT_BELIEVED,
            Teller::Endpoint if said >= 2 => Verdict::Apply,
            Teller::Endpoint => ASK_SOON,
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1000))]

        #[test]
        fn a_look_back_over_all_that_was_told_judges_alike(
            told in vec((0..5_u64, "a|b|ab|ba", prop_oneof![1 => Just(Teller::Node), 3 => Just(Teller::Endpoint)]), 0..40),
        ) {
            let mut versions = Versions::default();
            let mut history = History::new();
            for (version, nodes, teller) in told {
                let config = config(version, &nodes);
                let verdict = versions.judge(&config, teller);
                prop_assert_eq!(verdict, by_history(&history, &config, teller), "{:?}", history);
                history.push((config, teller, verdict));
                let applied = history.iter().rfind(|(.., verdict)| *verdict == Verdict::Apply);
                prop_assert_eq!(versions.current(), applied.map(|(config, ..)| config));
            }
        }
    }
}
